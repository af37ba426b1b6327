//! Runs git.

use std::{path::Path, process::Command};

/// Runs a command of git in a folder and returns its output.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .current_dir(folder)
        .args(arguments)
        // Use the folder's repository even if a hook runs this.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .output()
        .map_err(|error| format!("cannot run git in {}: {error}", folder.display()))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(format!("git {}: {}", arguments[0], error.trim_end()));
    }
    let not_utf8 = |_| format!("git {}: the output is not UTF-8", arguments.join(" "));
    String::from_utf8(output.stdout).map_err(not_utf8)
}

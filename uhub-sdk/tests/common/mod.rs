//! What several areas of tests need.

use std::process::Command;

/// An example as it stands beside the tests, with no keys in its environment and no home; `cargo test` builds both.
pub(crate) fn example(name: &str) -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "{} is not there: run `cargo build --examples`",
        path.display()
    );
    let mut command = Command::new(path);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("UCLOUD_")) {
        command.env_remove(name);
    }
    // Whoever runs the tests may have profiles there.
    for home in ["HOME", "USERPROFILE"] {
        command.env(home, "/nowhere");
    }
    command
}

//! `cargo xtask fuzz`: builds the program `uhub-fuzz`, and runs it once for each target.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command},
};

use crate::in_repository;

/// The targets of `uhub-fuzz`.
const TARGETS: [&str; 5] = ["response", "page", "spec", "profile", "local"];

/// Check what reads text from outside against damaged inputs.
///
/// The targets are `response` (the client reads a response), `page` (an import), `spec` (through to
/// the generated source), `profile` (the files of profiles) and `local` (the local server reads a
/// connection). Each runs in a process of its own, all at the same time. An input that fails is
/// written to a file, and the output tells how to replay it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What to fuzz. Defaults to every target.
    #[arg(value_parser = TARGETS)]
    targets: Vec<String>,
    /// How long each target runs.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
    /// Selects other mutations.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Only replay this input of one target.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<String, String> {
    let mut targets: Vec<&str> = arguments.targets.iter().map(String::as_str).collect();
    if targets.is_empty() {
        targets.extend(TARGETS);
    }
    if arguments.replay.is_some() && targets.len() > 1 {
        return Err("name one target for --replay".to_owned());
    }
    let finds = in_repository("target/fuzz-finds");
    fs::create_dir_all(&finds)
        .map_err(|error| format!("cannot create {}: {error}", finds.display()))?;
    let program = build()?;
    let mut children = Vec::new();
    for target in targets {
        let child = command(&program, target, arguments, &finds)
            .spawn()
            .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
        children.push((target, child));
    }
    let failed: Vec<String> =
        children.into_iter().filter_map(|(target, child)| failure(target, child, &finds)).collect();
    match failed.is_empty() {
        true => Ok("no failures".to_owned()),
        false => Err(failed.join("\n")),
    }
}

/// Waits for a target, and returns why it failed.
fn failure(target: &str, mut child: Child, finds: &Path) -> Option<String> {
    match child.wait() {
        Ok(status) if status.success() => None,
        Ok(status) if status.code().is_some() => Some(format!("{target} failed")),
        // Such as an overflow of the stack.
        Ok(status) => Some(format!(
            "{target} was ended by its input ({status}), which is in {}",
            finds.join(format!("{target}.running")).display()
        )),
        Err(error) => Some(format!("{target}: {error}")),
    }
}

fn build() -> Result<PathBuf, String> {
    let folder = in_repository("target");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("build").arg("--quiet").args(["--profile", "fuzz", "--package", "uhub-fuzz"]);
    cargo.arg("--manifest-path").arg(in_repository("Cargo.toml"));
    match cargo.arg("--target-dir").arg(&folder).status() {
        Ok(status) if status.success() => {
            Ok(folder.join("fuzz").join(format!("uhub-fuzz{}", env::consts::EXE_SUFFIX)))
        }
        Ok(_) => Err("uhub-fuzz cannot be built".to_owned()),
        Err(error) => Err(format!("cannot run cargo: {error}")),
    }
}

fn command(program: &Path, target: &str, arguments: &Arguments, finds: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(target).args(&arguments.replay).arg("--finds").arg(finds);
    command.args(["--seconds", &arguments.seconds.to_string()]);
    command.args(["--seed", &arguments.seed.to_string()]);
    command
}

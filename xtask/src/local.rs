//! `cargo xtask local`: checks the arguments, and becomes the program that serves.
//!
//! The server needs uhub-sdk, and `cargo xtask codegen` has to work when uhub-sdk does not compile. So it
//! is a program of its own, `local/main.rs`, which cargo builds when it is asked for.

mod arguments;

use std::{
    env,
    process::{Command, ExitStatus},
};

pub(crate) use arguments::Arguments;

use crate::in_repository;

/// Builds the server and hands this process over to it, with the same arguments.
pub(crate) fn run() -> Result<String, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command
        .args(["run", "--quiet", "--features", "local"])
        .args(["--bin", "local-uhub", "--manifest-path"])
        .arg(in_repository("xtask/Cargo.toml"))
        .arg("--")
        // Behind the program's name and the command's.
        .args(env::args_os().skip(2));
    eprintln!("building the local UHub, if it is not built yet");
    let failed = match become_it(&mut command) {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    };
    Err(format!("{}: cannot be run: {failed}", cargo.display()))
}

/// One process, so that whoever signals this one signals the server.
#[cfg(unix)]
fn become_it(command: &mut Command) -> std::io::Result<ExitStatus> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

/// A console's Ctrl-C reaches both processes.
#[cfg(not(unix))]
fn become_it(command: &mut Command) -> std::io::Result<ExitStatus> {
    command.status()
}

//! `cargo xtask local`: builds and runs the program `uhub-local`.

use std::{env, ffi::OsString, process::Command};

use crate::in_repository;

/// Run a local UHub server, for any client of the platform.
///
/// `cargo xtask local --help` lists the server's own options.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// The arguments of the server.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Returns only if the server cannot be started, or after it ends where a process cannot be
/// replaced.
pub(crate) fn run(Arguments { arguments }: &Arguments) -> Result<String, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command
        .args(["run", "--quiet", "--package", "uhub-local", "--features", "cli"])
        .arg("--manifest-path")
        .arg(in_repository("Cargo.toml"))
        .arg("--")
        .args(arguments);
    // The server takes this process's place, so that a signal to this process stops the server.
    #[cfg(unix)]
    let error = std::os::unix::process::CommandExt::exec(&mut command);
    // Ctrl-C reaches every process of a Windows console.
    #[cfg(not(unix))]
    let error = match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    };
    Err(format!("cannot run {}: {error}", cargo.display()))
}

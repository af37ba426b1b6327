//! The commands of this repository: `cargo xtask --help` lists them.

mod codegen;
mod diff;
mod files;
mod fuzz;
mod git;
mod import;
mod local;
mod package;
mod release;
mod spec_files;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use files::in_repository;

/// The commands of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Generate the actions of uhub-sdk from the spec.
    Codegen {
        /// Change nothing; list stale, missing and orphaned files, and fail if there are any.
        #[arg(long)]
        check: bool,
        /// The folder of service.json and actions/.
        #[arg(long, value_name = "DIR", default_value_os_t = in_repository("api-spec/uhub"))]
        spec: PathBuf,
        /// The folder of the SDK. The generated code is in its src/generated and local/src/generated.
        #[arg(long, value_name = "DIR", default_value_os_t = in_repository("uhub-sdk"))]
        out: PathBuf,
    },
    /// Update the facts of the spec from documentation pages. Our wording and decisions are kept.
    Import(import::Arguments),
    /// Compare two specs, and report what the changes mean for users of the crate.
    Diff(diff::Arguments),
    Local(local::Arguments),
    Fuzz(fuzz::Arguments),
    Package(package::Arguments),
    Release(release::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Codegen { check, spec, out } if check => codegen::check(&spec, &out),
        Command::Codegen { spec, out, .. } => codegen::write(&spec, &out),
        Command::Import(arguments) => import::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Local(arguments) => local::run(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Package(arguments) => package::run(&arguments),
        Command::Release(arguments) => release::run(&arguments),
    };
    match result {
        Ok(message) => {
            let written = writeln!(io::stdout(), "{message}").and_then(|()| io::stdout().flush());
            match written {
                // A closed pipe is no failure: `cargo xtask … | head`.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    let _ = writeln!(io::stderr(), "cannot write to the standard output: {error}");
                    ExitCode::FAILURE
                }
                _ => ExitCode::SUCCESS,
            }
        }
        Err(message) => {
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

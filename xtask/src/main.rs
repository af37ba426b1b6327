//! The commands of this repository: `cargo xtask --help` lists them.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod codegen;
mod diff;
mod files;
mod import;
mod local;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

/// The commands of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the actions of uhub-sdk from the spec.
    Codegen {
        /// Change nothing: list what is stale, missing or orphaned, and fail if anything is.
        #[arg(long)]
        check: bool,
        /// The folder of service.json and actions/.
        #[arg(long, value_name = "DIR", default_value_os_t = in_repository("api-spec/uhub"))]
        spec: PathBuf,
        /// The folder of the generated module. Nothing else may be in it.
        #[arg(long, value_name = "DIR", default_value_os_t = in_repository("uhub-sdk/src/generated"))]
        out: PathBuf,
    },
    /// Bring the spec up to date with documentation pages: their facts; our words and decisions stay.
    Import(import::Arguments),
    /// Say what has changed between two specs, and what that means to users of the crate.
    Diff(diff::Arguments),
    Local(local::Arguments),
}

/// A path of this repository, wherever the command is run from; short where it is run at the root.
fn in_repository(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."));
    match std::env::current_dir() {
        Ok(current) if current == root => PathBuf::from(path),
        _ => root.join(path),
    }
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Codegen {
            check: true,
            spec,
            out,
        } => codegen::check(&spec, &out),
        Command::Codegen {
            check: false,
            spec,
            out,
        } => codegen::write(&spec, &out),
        Command::Import(arguments) => import::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Local(_) => local::run(),
    };
    match result {
        Ok(message) => {
            // Whoever reads it may have read enough.
            let _ = writeln!(io::stdout(), "{message}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

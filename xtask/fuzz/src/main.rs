//! Checks what reads text from outside against damaged inputs. `cargo xtask fuzz --help` explains it.
//!
//! The program mutates seeds and keeps the inputs whose outcome is new.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod mutate;
mod run;
mod targets;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;

use crate::run::{Folders, Limits};
use crate::targets::Kind;

/// Check one target with damaged inputs, and write those that fail to files.
#[derive(Debug, Parser)]
#[command(name = "uhub-fuzz")]
struct Arguments {
    /// What reads the inputs.
    target: Kind,
    /// Replay these inputs instead of mutating the seeds.
    files: Vec<PathBuf>,
    /// The time to run. 0 only replays the seeds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The number of inputs, for a run that can be repeated exactly. Overrides `--seconds`.
    #[arg(long)]
    runs: Option<u64>,
    /// Selects the mutations.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder of failing inputs.
    #[arg(long, default_value = "target/fuzz-finds")]
    finds: PathBuf,
    /// A folder of more inputs, where the seeds and those with a new outcome are added.
    #[arg(long)]
    corpus: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let target = arguments.target;
    if let Some(status) = target.rerun_with_environment() {
        return status;
    }
    if !arguments.files.is_empty() {
        return run::replay(target, &arguments.files);
    }
    let limits = Limits { time: Duration::from_secs(arguments.seconds), inputs: arguments.runs };
    let folders = Folders { finds: arguments.finds, corpus: arguments.corpus };
    run::run(target, &limits, arguments.seed, &folders)
}

//! `cargo xtask fuzz`: builds the program `uhub-fuzz`, and runs it once for each target.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command},
};

use crate::in_repository;

/// The targets of `uhub-fuzz`.
const TARGETS: [&str; 5] = ["response", "page", "spec", "profile", "local"];

/// The flags by which code reports to libFuzzer what an input reaches.
const COVERAGE: &str = "--cfg fuzzing \
    -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1";

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
    /// Let libFuzzer choose the inputs by the code that they reach. Needs a C++ compiler. It stops
    /// at the first failure, and keeps its inputs in target/fuzz-corpus/.
    #[arg(long)]
    coverage: bool,
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
    let for_coverage = if arguments.coverage { Some(build_for_coverage()?) } else { None };
    let mut children = Vec::new();
    for target in targets {
        let mut command = match &for_coverage {
            Some(for_coverage) => libfuzzer(for_coverage, &program, target, arguments, &finds)?,
            None => command(&program, target, arguments, &finds),
        };
        let child = command
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

fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("build").arg("--quiet").args(["--profile", "fuzz", "--package", "uhub-fuzz"]);
    cargo.arg("--manifest-path").arg(in_repository("Cargo.toml"));
    cargo
}

fn build() -> Result<PathBuf, String> {
    let folder = in_repository("target");
    finished(cargo().arg("--target-dir").arg(&folder))?;
    Ok(folder.join("fuzz").join(program()))
}

/// Builds for the host by its name, so that the flags do not apply to build scripts.
fn build_for_coverage() -> Result<PathBuf, String> {
    let folder = in_repository("target/fuzz-coverage");
    let host = host()?;
    finished(
        cargo()
            .env("RUSTFLAGS", COVERAGE)
            .arg("--target-dir")
            .arg(&folder)
            .args(["--target", &host]),
    )?;
    Ok(folder.join(host).join("fuzz").join(program()))
}

fn program() -> String {
    format!("uhub-fuzz{}", env::consts::EXE_SUFFIX)
}

fn host() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output();
    let output = output.map_err(|error| format!("cannot run rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "`rustc -vV` names no host".to_owned())
}

fn finished(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
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

/// The same program under libFuzzer, which has options of its own. The usual one writes the seeds.
fn libfuzzer(
    for_coverage: &Path,
    program: &Path,
    target: &str,
    arguments: &Arguments,
    finds: &Path,
) -> Result<Command, String> {
    let mut command = Command::new(for_coverage);
    command.env("UHUB_FUZZ_TARGET", target);
    if let Some(file) = &arguments.replay {
        command.arg(file);
        return Ok(command);
    }
    let corpus = in_repository("target/fuzz-corpus").join(target);
    let mut seeds = Command::new(program);
    seeds.args([target, "--seconds", "0", "--finds"]).arg(finds).arg("--corpus").arg(&corpus);
    // A seed that fails is reported, and does not keep the others from being fuzzed.
    seeds.status().map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    let folder = in_repository("xtask/fuzz");
    command
        .arg(corpus)
        .arg(format!("-dict={}", folder.join(format!("dictionaries/{target}.txt")).display()))
        .arg(format!("-artifact_prefix={}/{target}.", finds.display()))
        .arg(format!("-max_total_time={}", arguments.seconds))
        .arg(format!("-seed={}", arguments.seed))
        .args(["-max_len=65536", "-timeout=20", "-rss_limit_mb=4096", "-print_final_stats=1"]);
    Ok(command)
}

//! Measures the generator against the size of its spec: `cargo bench --package uhub-codegen`.
//!
//! It generates 200 and 2,000 actions from text in memory, copies of `GetRepoImage` and of an
//! action with nested models and lists as parameters, and then compares two such specs that differ
//! in one type of every action. Each size runs in a process of its own, for its peak memory where
//! the system reports it.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

#[path = "../tests/spec_folder/mod.rs"]
mod spec_folder;

use std::{env, fs, process::Command, time::Instant};

use uhub_codegen::{Spec, SpecFile, diff, generate};

fn main() {
    if let Ok(actions) = env::var("SCALE_ACTIONS") {
        measure(actions.parse().unwrap());
        return;
    }
    println!("              generate      diff      peak memory");
    let [few, many] = [200, 2_000].map(|actions| {
        let output = Command::new(env::current_exe().unwrap())
            .env("SCALE_ACTIONS", actions.to_string())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let figures: Vec<f64> =
            text.split_whitespace().map(|figure| figure.parse().unwrap()).collect();
        let [generate, diff, memory] = figures[..] else { panic!("{text}") };
        println!("{actions:>5} actions {generate:>6.3} s  {diff:>6.3} s  {memory:>9.1} MiB");
        [generate, diff, memory]
    });
    let [generate, diff, memory] = [0, 1, 2].map(|figure| many[figure] / few[figure]);
    println!("10 times     {generate:>6.1} ×  {diff:>6.1} ×  {memory:>9.1} ×");
}

/// Prints the best of seven times to generate and to compare, and the peak memory.
fn measure(actions: usize) {
    let (before, after) = (spec(actions, "\"int\""), spec(actions, "\"float\""));
    let generate = best(|| assert!(generate(&before).unwrap().len() > actions));
    let memory = peak();
    let diff = best(|| {
        let changes = diff(&before, &after).unwrap().changes;
        assert!(changes.len() >= actions);
    });
    println!("{generate} {diff} {memory}");
}

fn best(mut run: impl FnMut()) -> f64 {
    let times = (0..7).map(|_| {
        let started = Instant::now();
        run();
        started.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

/// The peak memory of this process in MiB, or NaN where the system does not report it.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    peak.and_then(|kib| kib.parse::<f64>().ok()).map_or(f64::NAN, |kib| kib / 1024.0)
}

/// A spec of so many actions, with a type for one field of each.
fn spec(actions: usize, ty: &str) -> Spec {
    let (uhub, other) =
        (spec_folder::read("../api-spec/uhub"), spec_folder::read("tests/data/other"));
    let text = |spec: &Spec, name: &str| {
        let action = spec.actions.iter().find(|file| file.path.ends_with(name));
        action.unwrap().text.clone()
    };
    let pages = text(&uhub, "get_repo_image.json")
        .replace("\"PullCount\", \"type\": \"int\"", &format!("\"PullCount\", \"type\": {ty}"));
    let trips = text(&other, "plan_trip.json").replace(
        "\"Since\", \"type\": \"int\", \"required\": false, \"format\": \"timestamp\"",
        &format!("\"Since\", \"type\": {ty}, \"required\": false"),
    );
    let copies = (0..actions).map(|number| {
        let (text, from, to) = match number % 2 {
            0 => (&pages, "GetRepoImage", "get_repo_image"),
            _ => (&trips, "PlanTrip", "plan_trip"),
        };
        let name = format!("\"action\": \"{from}Of{number:05}\"");
        let text = text.replace(&format!("\"action\": \"{from}\""), &name);
        SpecFile::new(format!("{to}_of{number:05}.json"), text)
    });
    Spec::new(uhub.service, copies.collect())
}

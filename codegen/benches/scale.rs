//! Measures the generator against the size of its spec: `cargo bench --package uhub-codegen`.
//!
//! It generates 200 and 2,000 actions from text in memory, copies of `GetRepoImage` and of an
//! action with nested models and lists as parameters, and then compares two such specs that differ
//! in one type of every action.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

#[path = "../tests/spec_folder/mod.rs"]
mod spec_folder;

use std::time::Instant;

use uhub_codegen::{Spec, SpecFile, diff, generate};

fn main() {
    println!("              generate      diff");
    let [few, many] = [200, 2_000].map(|actions| {
        let [generate, diff] = measure(actions);
        println!("{actions:>5} actions {generate:>6.3} s  {diff:>6.3} s");
        [generate, diff]
    });
    let [generate, diff] = [0, 1].map(|figure| many[figure] / few[figure]);
    println!("10 times     {generate:>6.1} ×  {diff:>6.1} ×");
}

/// The best of seven times to generate and to compare.
fn measure(actions: usize) -> [f64; 2] {
    let (before, after) = (spec(actions, "\"int\""), spec(actions, "\"float\""));
    let generate = best(|| assert!(generate(&before).unwrap().len() > actions));
    let diff = best(|| {
        let changes = diff(&before, &after).unwrap().changes;
        assert!(changes.len() >= actions);
    });
    [generate, diff]
}

fn best(mut run: impl FnMut()) -> f64 {
    let times = (0..7).map(|_| {
        let started = Instant::now();
        run();
        started.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
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

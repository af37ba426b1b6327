//! How the generator grows with its spec: `cargo bench --package uhub-codegen`.
//!
//! 200 and 2,000 copies of GetRepoImage under other names, from text in memory to source in memory.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::{path::Path, time::Instant};

use uhub_codegen::{Spec, SpecFile, generate, read};

fn main() {
    let [few, many] = [200, 2_000].map(|actions| {
        let spec = spec(actions);
        let mut times: Vec<f64> = (0..7)
            .map(|_| {
                let started = Instant::now();
                assert_eq!(generate(&spec).unwrap().len(), actions + 3);
                started.elapsed().as_secs_f64()
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("{actions:>6} actions: {:.3} s", times[3]);
        times[3]
    });
    println!("{:.1} times the time for 10 times the actions", many / few);
}

fn spec(actions: usize) -> Spec {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api-spec/uhub");
    let uhub = read(&folder).unwrap();
    let action = uhub
        .actions
        .iter()
        .find(|file| file.path.ends_with("get_repo_image.json"))
        .unwrap();
    let copies = (0..actions).map(|number| {
        let text = action.text.replace(
            "\"GetRepoImage\"",
            &format!("\"GetRepoImageOf{number:05}\""),
        );
        SpecFile::new(format!("get_repo_image_of{number:05}.json"), text)
    });
    Spec::new(uhub.service, copies.collect())
}

//! From the [model](crate::model) to Rust source: tokens by `quote!`, text by `prettyplease`. This
//! step sees the model alone, does no I/O, and cannot fail.

mod action;
mod enums;
mod local;
pub(crate) mod print;
mod prose;
mod request;
mod response;
mod service;
mod types;

use std::{collections::BTreeMap, num::NonZero, thread};

use crate::model::Service;

/// Every generated file, by its path in the folder of the SDK.
pub(crate) fn render(service: &Service) -> BTreeMap<String, String> {
    let sdk = |name: &str| format!("src/generated/{name}.rs");
    let shared = enums::shared(&service.enums);
    let mut files = BTreeMap::from([
        (sdk("mod"), service::index(service)),
        (sdk("service"), service::service(service)),
        (sdk("enums"), print::file("service.json", prose::ENUMS, shared)),
        ("local/src/generated/mod.rs".to_owned(), local::tables(service)),
    ]);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = service.actions.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let workers: Vec<_> = service
            .actions
            .chunks(share)
            .map(|actions| {
                let render = |it| action::file(it, service);
                scope.spawn(move || actions.iter().map(render).collect::<Vec<String>>())
            })
            .collect();
        for (actions, worker) in service.actions.chunks(share).zip(workers) {
            let texts = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let names = actions.iter().map(|action| sdk(print::module(&action.rust)));
            files.extend(names.zip(texts));
        }
    });
    files
}

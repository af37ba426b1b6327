//! From the [model](crate::model) to Rust source: tokens by `quote!`, text by `prettyplease`. This
//! step sees the model alone, does no I/O, and cannot fail.

mod action;
mod enums;
mod local;
pub(crate) mod print;
mod prose;
mod request;
mod response;
mod serde;
mod service;
mod types;

use std::{collections::BTreeMap, num::NonZero, thread};

use crate::model::{Action, Service};

/// Every generated file, by its path in the folder of the SDK.
pub(crate) fn render(service: &Service) -> BTreeMap<String, String> {
    let sdk = |name: &str| format!("src/generated/{name}.rs");
    let shared = enums::shared(&service.enums);
    let allow_deprecated = print::allow_deprecated(service.enums.iter().any(enums::has_deprecated));
    let mut files = BTreeMap::from([
        (sdk("mod"), service::index(service)),
        (sdk("service"), service::service(service)),
        (sdk("enums"), print::file("service.json", prose::ENUMS, &allow_deprecated, [shared])),
        ("local/src/generated/mod.rs".to_owned(), local::tables(service)),
    ]);
    // Actions of one family are neighbours and alike, so the threads take turns.
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let render =
            |action: &Action| (sdk(print::module(&action.rust)), action::file(action, service));
        let workers: Vec<_> = (0..threads)
            .map(|first| service.actions.iter().skip(first).step_by(threads))
            .map(|actions| scope.spawn(move || actions.map(render).collect::<Vec<_>>()))
            .collect();
        for worker in workers {
            files.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
    });
    files
}

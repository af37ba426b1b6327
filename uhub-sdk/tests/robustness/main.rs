//! Calls under adverse conditions: faults, networks, credentials and custom transports.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod concurrency;
mod credentials;
#[cfg(target_os = "linux")]
mod erased;
mod faults;
mod listings;
mod messages;
mod proxies;
mod responses;
mod runtimes;
mod traces;
mod transports;

use common::{PRIVATE_KEY, PUBLIC_KEY, example};
use uhub_sdk::local::{LocalUhub, Repository};

async fn uhub() -> LocalUhub {
    LocalUhub::builder()
        .user(PUBLIC_KEY, PRIVATE_KEY)
        .repository(Repository::documented())
        .start()
        .await
        .unwrap()
}

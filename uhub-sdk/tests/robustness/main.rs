//! Calls that survive the real world: what a client does when things go wrong, on real connections.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod keys;
mod traces;
mod transports;

use common::example;
use uhub_sdk::{
    Credentials,
    local::{LocalUhub, Repository},
};

/// Keys that can be told apart from everything else in an output.
const PUBLIC_KEY: &str = "pUbLiC-kEy@example.com/1296235120854146120";
const PRIVATE_KEY: &str = "pRiVaTe+kEy/46f09bb9fab4f12dfc16";

async fn uhub() -> LocalUhub {
    LocalUhub::builder()
        .key(PUBLIC_KEY, PRIVATE_KEY)
        .repository(Repository::documented())
        .start()
        .await
        .unwrap()
}

fn given_keys() -> Credentials {
    Credentials::new(PUBLIC_KEY, PRIVATE_KEY)
}

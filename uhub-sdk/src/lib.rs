//! A typed client for UHub, the container-image repository service of SurferCloud and UCloud.
//!
//! Covers the whole UHub API: list, create, change and delete repositories, images and tags.
//!
//! ```no_run
//! # async fn example() -> Result<(), uhub_sdk::Error> {
//! let client = uhub_sdk::Client::from_env()?;
//! let page = client.get_repo_image("base").limit(50).send().await?;
//! for image in page.images {
//!     println!("{}:{}, {} pulls", image.image_name, image.latest_tag, image.pull_count);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | to | see |
//! | --- | --- |
//! | set up a client | [`Client::from_env`], [`Client::builder`] |
//! | call an action | [`Client`] has a method for each; [`actions`] has their requests and responses |
//! | list all items of all pages | [`Call::items`], [`Call::pages`] |
//! | handle errors | [`Error`], [`ErrorKind`], [`Execution`], [`RetCode`] |
//! | configure retries and timeouts | [`RetryPolicy`], [`ClientBuilder::timeout`] |
//! | ensure that a repository exists, list a whole account, delete old tags, … | [`recipes`] |
//! | make an untyped call | [`Client::action`] |
//! | call from synchronous code | `uhub_sdk::blocking` (feature `blocking`) |
//! | test your code | [`testing`]: a mock transport, errors; `uhub_sdk::local` (feature `local`): a server |
//!
//! # Calls
//!
//! Required parameters are arguments; optional ones are chained. Leaving out a required parameter
//! does not compile:
//!
//! ```
//! # fn example(client: &uhub_sdk::Client) {
//! let call = client.get_repo_image("base");
//! # }
//! ```
//!
//! ```compile_fail,E0061
//! # fn example(client: &uhub_sdk::Client) {
//! let call = client.get_repo_image();
//! # }
//! ```
//!
//! Optional parameters with surprising defaults are required too. By default the service lists
//! public repositories only, so listing requires a choice:
//!
//! ```
//! # fn example(client: &uhub_sdk::Client) {
//! let call = client.get_repo(uhub_sdk::Visibility::Public);
//! # }
//! ```
//!
//! ```compile_fail,E0061
//! # fn example(client: &uhub_sdk::Client) {
//! let call = client.get_repo();
//! # }
//! ```
//!
//! # Errors and retries
//!
//! An [`Error`] answers four questions: what happened, whether the call was executed, whether it
//! can be retried, and what the service's support needs.
//!
//! Failed calls are retried with exponential backoff and jitter, within the call's
//! [timeout](ClientBuilder::timeout). Calls that were throttled or could not connect are
//! retried for every action. Calls that may have been executed are retried only if the action is
//! idempotent; the module of each action states its [`Idempotency`]. Otherwise the error reports
//! [`Execution::Unknown`]: check the state before you call again.
//!
//! # Observability
//!
//! Each call is a [`tracing`] span and each attempt an event, with action, attempt, HTTP status,
//! return code, request id, duration and delay before the next attempt. An [`Observer`] receives
//! the same facts, except the request id of an attempt that succeeded. Credentials, tokens and
//! signatures never appear in errors, logs or `Debug`.
//!
//! # Tolerant reading
//!
//! The service's responses are known to deviate from its documentation. The client accepts:
//!
//! | response | read as | reported at |
//! | --- | --- | --- |
//! | a different scalar type (`5` for `"5"`) | the documented type | `DEBUG` |
//! | a missing required field | the empty value | `WARN` |
//! | `null` for a list | an empty list | `WARN` |
//! | an unknown field | ignored | |
//!
//! Each deviation is reported to `tracing` once per action, field and client. A missing required
//! list is an error unless the count beside it is 0: it might not be empty.
//!
//! # Features
//!
//! | feature | adds |
//! | --- | --- |
//! | `rustls` (default) | TLS by rustls with aws-lc-rs, as in reqwest by default, and the operating system's certificates |
//! | `rustls-ring` | the same with *ring* instead |
//! | `native-tls` | TLS by the operating system's library (on Linux OpenSSL with its headers) |
//! | `socks` | SOCKS proxies |
//! | `blocking` | the `blocking` module: the same client for synchronous code |
//! | `local` | the `local` module: a local server for tests |
//! | `retention` | the `recipes::retention` module: deleting old tags by a policy |
//!
//! `rustls` takes precedence over `rustls-ring`, and both over `native-tls`: disable the default
//! features to use another. A provider of rustls that the program has installed takes precedence
//! over both. By Cargo's unification of features, these three also concern the program's own
//! clients of reqwest. `rustls` only adds TLS to them: on Linux, they then load the system's
//! certificates, of which there must be one. With `rustls-ring`, they need an installed
//! provider or reqwest's own feature `rustls`; with `native-tls`, they use the operating system's
//! library by default.
//! Without a TLS feature, the built-in transport supports plain HTTP only; your own [`Transport`]
//! may use TLS.
//!
//! # Testing your code
//!
//! The module [`testing`] has a mock transport, and creates responses and errors. The feature
//! `local` adds a real HTTP server on loopback that keeps state, behaves like UHub, and injects
//! faults. `ClientBuilder::for_local` returns a builder of a client for it.
//!
//! Requests and responses are plain data: build them, compare them, store them as JSON under their
//! documented names. Responses start from `Default`:
//!
//! ```
//! use uhub_sdk::actions::get_repo_image::{GetRepoImageResponse, Image};
//!
//! let mut image = Image::default();
//! image.image_name = "nginx".to_owned();
//! let mut page = GetRepoImageResponse::default();
//! page.images.push(image);
//! let json = serde_json::to_string(&page)?;
//! assert_eq!(serde_json::from_str::<GetRepoImageResponse>(&json)?, page);
//! # Ok::<(), serde_json::Error>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod action;
mod call;
mod client;
mod config;
mod credentials;
mod error;
mod exchange;
mod ret_code;
mod transport;
mod wire;

// Written by `cargo xtask codegen`, which formats it.
#[path = "generated/mod.rs"]
#[rustfmt::skip]
pub mod actions;
#[cfg(feature = "blocking")]
pub mod blocking;
pub mod recipes;
pub mod testing;

// The types of the `Transport` trait.
#[doc(no_inline)]
pub use bytes;
#[doc(no_inline)]
pub use http;
#[cfg(feature = "local")]
pub use uhub_local as local;

pub use action::{Action, Idempotency};
pub use actions::enums::*;
pub use call::{
    Call,
    page_plan::Shortfall,
    pages::{Items, Paged, Pages},
    untyped::{UntypedCall, UntypedRequest},
};
pub use client::Client;
pub use config::{
    builder::ClientBuilder,
    source::{ConfigSource, ConfigSources, IgnoredSetting},
};
pub use credentials::{
    ProvideCredentials, ProviderError, key_pair::Credentials, metadata::MetadataCredentials,
};
pub use error::{Error, ErrorKind, Execution};
pub use exchange::{
    judge::ResponseMetadata,
    observer::{Attempt, FinishedCall, Observer},
    retry::RetryPolicy,
};
pub use ret_code::{RetCode, RetCodeOutcome};
pub use transport::{
    BoxFuture, Transport, TransportError,
    reqwest::HttpTransport,
    tower::{TowerTransport, TransportService},
};
pub use wire::{encode::Encoding, timestamp::Timestamp};

/// Compiles the README's code.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

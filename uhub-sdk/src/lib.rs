//! A typed client for UHub, the container-image repository service of SurferCloud and UCloud: list,
//! create, change and delete repositories, images and tags.
//!
//! ```no_run
//! # async fn example() -> Result<(), uhub_sdk::Error> {
//! // With UCLOUD_PUBLIC_KEY and UCLOUD_PRIVATE_KEY, or a profile in ~/.ucloud.
//! let client = uhub_sdk::Client::from_env()?;
//! let mut images = client.get_repo_image("base").items();
//! while let Some(image) = images.next().await {
//!     let image = image?;
//!     println!("{}:{}, {} pulls", image.image_name, image.latest_tag, image.pull_count);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Client`] has a method for each action. Required parameters are arguments, optional ones are
//! chained, and [`send`](Call::send) or `await` sends the call. [`items`](Call::items) fetches all
//! pages. Failed calls are retried if that is safe. An [`Error`] states what failed and whether the
//! call was executed. Keys never appear in errors, logs or `Debug`.
//!
//! # Where to go next
//!
//! | to | see |
//! | --- | --- |
//! | handle errors, rate limits (429), retries, timeouts | [guide: errors and retries](guide::errors), [`Error`], [`RetryPolicy`] |
//! | set up keys, profiles, projects, sub-accounts, STS tokens | [guide: credentials](guide::credentials), [`Client::from_env`], [`ClientBuilder`] |
//! | list all pages (offset, limit), delete old tags | [guide: pagination and clean-up](guide::pagination), [`Call::items`], [`recipes`] |
//! | test your program with a mock or a fake server | [guide: testing](guide::testing), [`testing`], `uhub_sdk::local` |
//! | log, trace, measure, use a proxy or a corporate CA | [guide: middleware and proxies](guide::middleware), [`Observer`], [`Transport`] |
//! | call from synchronous code | [guide: blocking code](guide::middleware#blocking-code), `uhub_sdk::blocking` |
//! | come from the Go or Python SDK | [guide: migrating](guide::migrating) |
//! | look up an action, its parameters and pitfalls | [`actions`] |
//! | call an action without types | [`Client::action`] |
//!
//! # Try it without an account
//!
//! The feature `local` adds a server that behaves like UHub, here with sample data:
//!
//! ```
//! use uhub_sdk::{ClientBuilder, local::{Data, LocalUhub}};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let server = LocalUhub::builder().data(Data::demo()).start().await?;
//!     let client = ClientBuilder::for_local(&server).build()?;
//!     let page = client.get_repo_image("base").limit(3).send().await?;
//!     let names: Vec<_> = page.images.iter().map(|image| &*image.image_name).collect();
//!     assert_eq!(names, ["alpine", "debian", "golang"]);
//!     Ok(())
//! }
//! ```
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
//! # Types that prevent mistakes
//!
//! Leaving out a required parameter does not compile. Optional parameters with surprising defaults
//! are required too: the service lists public repositories unless told otherwise, so
//! [`get_repo`](Client::get_repo) takes a [`Visibility`].
//!
//! ```compile_fail,E0061
//! # fn example(client: &uhub_sdk::Client) {
//! let call = client.get_repo_image();
//! # }
//! ```
//!
//! ```compile_fail,E0061
//! # fn example(client: &uhub_sdk::Client) {
//! let call = client.get_repo();
//! # }
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
mod secret;
mod transport;
mod wire;

// Written by `cargo xtask codegen`, which formats it.
#[path = "generated/mod.rs"]
#[rustfmt::skip]
#[allow(clippy::all, reason = "names and their numbers are the documentation's")]
pub mod actions;
#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(doc)]
pub mod guide;
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
#[allow(unused_imports, unreachable_pub, reason = "not every service has one")]
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
pub use secret::SecretString;
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

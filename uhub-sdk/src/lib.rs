//! A typed client for UHub, the container-image repository service of SurferCloud and UCloud.
//!
//! ```no_run
//! # async fn example() -> Result<(), uhub_sdk::Error> {
//! let client = uhub_sdk::Client::from_env()?;
//! let page = client.get_repo_image("base").limit(50).send().await?;
//! for image in page.image_set {
//!     println!("{}:{} was pulled {} times", image.image_name, image.latest_tag, image.pull_count);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - [`Client`] is set up from the environment or by its [builder](ClientBuilder), and shared.
//! - [`actions`] has a module for each action of the service: its request, its response, its models.
//!   Whatever comes in pages is walked by [`Call::items`] and [`Call::pages`].
//! - [`Client::action`] calls an action by its name, for what has no types yet.
//! - [`recipes`] has what takes several calls: making sure that a repository is there, walking all that
//!   an account has, naming an image as Docker does.
//! - [`Error`] says what happened, whether the call reached the service, whether to repeat it, and
//!   what to quote to support.
//! - `local` (feature `local`) is a UHub on loopback, to test a program against.
//!
//! A required parameter cannot be forgotten. This compiles:
//!
//! ```
//! # fn example(client: &uhub_sdk::Client) {
//! let call = client.get_repo_image("base");
//! # }
//! ```
//!
//! and this does not:
//!
//! ```compile_fail,E0061
//! # fn example(client: &uhub_sdk::Client) {
//! let call = client.get_repo_image();
//! # }
//! ```
//!
//! Nor can what is optional for the service and would surprise by its default. Without a type, the
//! service lists public repositories; here that is said:
//!
//! ```
//! # fn example(client: &uhub_sdk::Client) {
//! let call = client.get_repo(uhub_sdk::actions::get_repo::GetRepoType::Public);
//! # }
//! ```
//!
//! ```compile_fail,E0061
//! # fn example(client: &uhub_sdk::Client) {
//! let call = client.get_repo();
//! # }
//! ```
//!
//! # Tests of your own
//!
//! Requests and responses are plain data that can be built, compared, and kept as JSON under their
//! documented names; a response is built from `Default`. The feature `local` brings a UHub to call.
//!
//! ```
//! use uhub_sdk::actions::get_repo_image::{GetRepoImageResponse, ImageSet};
//!
//! let mut image = ImageSet::default();
//! image.image_name = "nginx".to_owned();
//! let mut page = GetRepoImageResponse::default();
//! page.image_set.push(image);
//! let kept = serde_json::to_string(&page)?;
//! assert_eq!(serde_json::from_str::<GetRepoImageResponse>(&kept)?, page);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # When things go wrong
//!
//! A call that fails is repeated by itself where that can do no harm: where it was turned away or never
//! sent, and otherwise only where the action may be [repeated](Idempotency), as each action's page says. The
//! [`RetryPolicy`] bounds how often, the [timeout](ClientBuilder::timeout) how long. What may have been
//! carried out is never sent again if that could do it twice; its error says
//! [`Execution::Unknown`], and it is for you to look.
//!
//! Each call is a [`tracing`] span, each attempt an event, with the action, the attempt's number, HTTP status,
//! return code, request id, the time it took and the wait that follows. An [`Observer`] is told the same.
//!
//! # Features
//!
//! - `rustls` (default): TLS by rustls, with the ring provider and the operating system's
//!   certificates.
//! - `native-tls`: TLS by the operating system's library, which on Linux is OpenSSL, with its headers. If
//!   `rustls` is enabled too, that is used; so leave the default features out. Without either, only
//!   plain HTTP is possible, or a [`Transport`] of your own.
//! - `blocking`: the same client for programs that are not asynchronous.
//! - `local`: the local UHub.
//!
//! # Responses that are not as documented
//!
//! The service is known to answer otherwise than its documentation says, and so responses are read
//! with tolerance: a scalar may come as another scalar (`5` for `"5"`), unknown fields pass, a required
//! field that is absent is the empty value, and a list that is `null` is empty. Each such case is
//! reported to `tracing` once per action, field and client: at `WARN` where something is missing or
//! `null`, at `DEBUG` where a type differs. One thing is not tolerated: a required list that is not
//! there at all, unless the count beside it says 0.

mod action;
mod call;
mod choice;
mod client;
mod config;
mod credentials;
mod error;
mod exchange;
mod ret_code;
mod transport;
mod wire;

// Written by `cargo xtask codegen` alone, and so in a folder of its own.
#[path = "generated/mod.rs"]
pub mod actions;
#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "local")]
pub mod local;
pub mod recipes;
#[cfg(test)]
mod testing;

// A transport of one's own is written in their types.
#[doc(no_inline)]
pub use bytes;
#[doc(no_inline)]
pub use http;

pub use action::{Action, Idempotency};
pub use call::{
    Call,
    pages::{Items, Paged, Pages},
    untyped::UntypedCall,
};
pub use client::Client;
pub use config::{
    builder::ClientBuilder,
    source::{ConfigSource, ConfigSources},
};
pub use credentials::{
    ProvideCredentials, ProviderError, key_pair::Credentials, metadata::MetadataCredentials,
};
pub use error::{Error, ErrorKind, Execution};
pub use exchange::{
    Metadata,
    observer::{Attempt, FinishedCall, Observer},
    retry::RetryPolicy,
};
pub use ret_code::RetCode;
pub use transport::{BoxFuture, Transport, TransportError, tower::TowerTransport};
pub use wire::{encode::Encoding, timestamp::Timestamp};

/// The README's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

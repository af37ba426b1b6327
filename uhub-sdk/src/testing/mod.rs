//! Tools to test code that uses this crate: a mock transport, and responses and errors to build.
//!
//! | to | use |
//! | --- | --- |
//! | give a function a client with prepared responses | [`MockTransport`], [`ClientBuilder::for_mock`] |
//! | write a custom [`Transport`](crate::Transport) for tests | [`envelope`], which returns the body of a response |
//! | create an error | [`Error::builder`](crate::Error::builder) |
//! | test against state, limits and faults | the local server (feature `local`) |
//!
//! # Examples
//!
//! ```
//! use uhub_sdk::{
//!     Client, ClientBuilder, Error, RetCode,
//!     actions::get_repo_image::{GetRepoImageRequest, GetRepoImageResponse, Image},
//!     testing::{MockResponse, MockTransport},
//! };
//!
//! /// The code under test.
//! async fn latest_tag(client: &Client, image: &str) -> Result<Option<String>, Error> {
//!     let mut images = client.get_repo_image("base").items();
//!     while let Some(found) = images.next().await {
//!         let found = found?;
//!         if found.image_name == image {
//!             return Ok(Some(found.latest_tag));
//!         }
//!     }
//!     Ok(None)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let mut image = Image::default();
//! image.image_name = "nginx".to_owned();
//! image.latest_tag = "1.25".to_owned();
//! let mut page = GetRepoImageResponse::default();
//! page.total_count = 1;
//! page.images.push(image);
//!
//! let mock = MockTransport::new()
//!     .on::<GetRepoImageRequest>(MockResponse::success(&page))
//!     .on::<GetRepoImageRequest>(MockResponse::refusal(RetCode::PERMISSION_DENIED, "no"));
//! let client = ClientBuilder::for_mock(&mock).build()?;
//!
//! assert_eq!(latest_tag(&client, "nginx").await?.as_deref(), Some("1.25"));
//! assert!(latest_tag(&client, "nginx").await.is_err_and(|error| error.is_auth()));
//! assert_eq!(mock.requests()[0].parameter("RepoName"), Some("base"));
//! # Ok(())
//! # }
//! ```
//!
//! [`ClientBuilder::for_mock`]: crate::ClientBuilder::for_mock

mod error_builder;
#[cfg(test)]
mod examples;
mod mock;

#[cfg(test)]
pub(crate) use examples::{assert_reads, assert_sends};

pub use error_builder::ErrorBuilder;
pub use mock::{MockRequest, MockResponse, MockTransport, envelope};

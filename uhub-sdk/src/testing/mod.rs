//! Tools to test code that uses this crate: a mock transport, and responses and errors to build.
//!
//! | to | use |
//! | --- | --- |
//! | give a function a client with prepared responses | [`MockTransport`], [`ClientBuilder::for_mock`] |
//! | write a custom [`Transport`](crate::Transport) for tests | [`envelope`], which returns the body of a response |
//! | create an error | [`Error::builder`](crate::Error::builder) |
//! | test against state, limits and faults | the local server (feature `local`) |
//!
//! The [guide](crate::guide::testing) shows each of them.
//!
//! # Examples
//!
//! ```
//! use http::StatusCode;
//! use serde_json::Value;
//! use uhub_sdk::{
//!     Client, ClientBuilder, Error,
//!     testing::{MockResponse, MockTransport},
//! };
//!
//! /// The code under test.
//! async fn count(client: &Client) -> Result<Option<i64>, Error> {
//!     let call = client.action("DescribeSomethingNew").param("Limit", 1);
//!     Ok(call.send::<Value>().await?["TotalCount"].as_i64())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let found = MockResponse::http(StatusCode::OK, r#"{"RetCode": 0, "TotalCount": 5}"#);
//! let mock = MockTransport::new()
//!     .on_action("DescribeSomethingNew", found)
//!     .on_action("DescribeSomethingNew", MockResponse::refusal(64_001, "no"));
//! let client = ClientBuilder::for_mock(&mock).build()?;
//!
//! assert_eq!(count(&client).await?, Some(5));
//! assert!(count(&client).await.is_err_and(|error| error.ret_code() == Some(64_001.into())));
//! assert_eq!(mock.requests()[0].parameter("Limit"), Some("1"));
//! # Ok(())
//! # }
//! ```
//!
//! For a typed action, [`MockTransport::on`] takes the type of its request, and
//! [`MockResponse::success`] its response.
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

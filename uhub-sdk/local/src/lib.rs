//! A local server that behaves as UHub does, for tests of any client.
//!
//! [`LocalUhub`] is a real HTTP server on loopback. It accepts GET with a query, POST with a form
//! and POST with JSON, checks signatures and parameters, and keeps the state that requests change.
//! On demand it injects a [`Fault`]: a proxy's error page, a cut connection, an endless body. Any
//! client of the platform's protocol can use it, in any language.
//!
//! ```
//! use uhub_local::{Image, LocalUhub, Repository};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = LocalUhub::builder()
//!     .repository(Repository::new("base").image(Image::new("nginx").latest_tag("1.27")))
//!     .start()
//!     .await?;
//!
//! // Point the program under test here, with these credentials.
//! println!("{} {} {}", server.base_url(), server.public_key(), server.project_id());
//!
//! for request in server.requests() {
//!     println!("{:?}: RetCode {:?}", request.action, request.ret_code);
//! }
//! server.stop().await
//! # }
//! ```
//!
//! Users of uhub-sdk enable its feature `local`, find this crate as `uhub_sdk::local` and create a
//! client with `ClientBuilder::for_local`. The feature belongs in `dev-dependencies`. In a clone of
//! the repository, `cargo xtask local` runs the server as a program.
//!
//! # Actions
//!
//! Eight actions behave as documented:
//!
//! | action | behavior |
//! | --- | --- |
//! | `CreateRepo` | creates a repository, at most 8 in a project; private unless `IsShared` is true |
//! | `DeleteRepo` | deletes an empty repository |
//! | `DeleteRepoImage` | deletes one tag, and with the last the image; **without a `TagName`, all tags** |
//! | `GetImageTag` | lists the tags of an image, or only `TagName`: none if it does not exist |
//! | `GetProjectList` | lists the projects; ignores `ProjectId` |
//! | `GetRepo` | lists the repositories of one `Type`: **the public ones by default** |
//! | `GetRepoImage` | lists the images of a repository |
//! | `UpdateRepo` | updates a repository: **private unless `IsShared` is true** |
//!
//! An empty `TagName` or `Description` counts as absent. Lists are in the order of creation.
//! `Offset` defaults to 0 and `Limit` to 20; the total counts all pages. A refused action changes
//! nothing. Times of changes are Unix seconds of the system's clock: `CreateRepo` and `UpdateRepo`
//! set a repository's, the deletion of a tag sets its image's.
//!
//! The server can start with more than 8 repositories in a project, to test pagination.
//! `CreateRepo` then fails until enough are deleted. It creates only names that Docker can pull
//! from: lower-case letters and digits, separated by `.`, `_`, `__` or hyphens, at most 255
//! characters. [`Data`] may have any other, to test what a client does with them.
//!
//! Parameters are checked against the documentation, and undocumented ones are ignored. A list
//! instead of a string is refused, and a string instead of a list. An action that is documented but
//! not listed above is checked in the same way and responds with the documentation's example.
//!
//! Every response of the service is HTTP 200 with a JSON object and the header
//! `X-UCLOUD-REQUEST-UUID`. The checks run in this order:
//!
//! | `RetCode` | meaning |
//! | --- | --- |
//! | 160 | `Action` is missing |
//! | 161 | the `Action` does not exist |
//! | 170 | `Signature` is missing |
//! | 172 | `PublicKey` is missing or unknown |
//! | 171 | `Signature` is wrong |
//! | 174 | the credentials are temporary, and `SecurityToken` is missing, wrong or expired |
//! | 292 | `ProjectId` is unknown |
//! | 299 | a [sub-account](User::sub_account) sends no `ProjectId`, or a forbidden one |
//! | 220 | `Missing params [X]`: a required parameter is missing or empty |
//! | 230 | `Params [X] not available`: a wrong type or range, or an unknown name |
//! | 63001 | `CreateRepo`: the name exists in the project |
//! | 63002 | `CreateRepo`: the project holds 8 repositories |
//! | 63003 | `DeleteRepo`: the repository is not empty |
//! | 0 | success |
//!
//! 220, 230, 63001, 63002, 63003, and 299 for a missing `ProjectId`, are this server's choice: the
//! documentation names no codes for these cases, and UHub may use others. Other documented codes
//! come only from [`Fault::ret_code`].
//!
//! Requests outside the protocol get an HTTP error and a JSON body with `RetCode` 230: another path
//! (404), a method other than GET and POST (405), another content type (415), a body over 1 MiB
//! (413), a malformed query or body, or one with a null, an empty list or an empty object (400). A
//! GET has its parameters in the query, a POST in the body.
//!
//! A web page must not reach the server through the browser that shows it. So every request is
//! refused (403) that has an `Origin`, a `Referer` or a `Sec-Fetch-Site` other than `none`, and so
//! is one whose `Host` is neither `localhost`, nor a loopback address, nor
//! [allowed](LocalUhubBuilder::allow_host). A refused request is logged and gets no fault.
//!
//! # Faults
//!
//! [`LocalUhub::inject`] queues a fault for the next request, [`LocalUhub::inject_on`] injects one
//! into the requests of a [`Scope`]: of an action, the first three, one in ten, for two seconds.
//! [`LocalUhub::unavailable_for`] closes the port for a time, [`LocalUhub::set_clock_offset`]
//! changes the clock, and a [role](LocalUhubBuilder::metadata_role) issues temporary credentials
//! that expire. [`Fault`] documents for each fault whether the action is executed, and
//! [`ReceivedRequest::executed`] reports it for each request.
//!
//! # Data
//!
//! [`Data`] is everything that a server holds. [`Data::read`] reads it from a file, [`Data::demo`]
//! is a small set, and [`Generate`] creates thousands of images.
//!
//! # Over HTTP
//!
//! Programs in other languages control the server over HTTP on the same port. Bodies are JSON with
//! the content type `application/json`. A success is 200; an error has another status and the body
//! `{"error": "…"}`.
//!
//! | request | effect |
//! | --- | --- |
//! | `GET /_local/requests` | returns the log, a list of [`ReceivedRequest`] |
//! | `DELETE /_local/requests` | clears the log |
//! | `POST /_local/faults` | `{"fault": FAULT, "scope": SCOPE}`: injects a [`Fault`] on a [`Scope`] |
//! | `DELETE /_local/faults` | removes the remaining faults |
//! | `GET /_local/data` | returns the current [`Data`], in the form of a data file |
//! | `PUT /_local/data` | replaces the [`Data`], up to 16 MiB and 100,000 generated tags |
//! | `PUT /_local/clock` | `{"offset": SECONDS}`: [sets the clock](LocalUhub::set_clock_offset) |
//! | `POST /_local/unavailable` | `{"seconds": N}`: [closes the port](LocalUhub::unavailable_for), at most 3600 |
//!
//! ```sh
//! curl -H 'Content-Type: application/json' http://127.0.0.1:PORT/_local/faults \
//!     -d '{"fault": "cut_connection", "scope": {"action": "GetRepo", "every": 3}}'
//! ```
//!
//! Without a `scope`, the fault is injected into the next request.
//! Control requests are not logged and get no faults. At most 1,000 faults of 32 MiB can wait for
//! their requests. Control requests are accepted only from this machine, with a `Host` of
//! `localhost` or a loopback address. A server that other machines can reach accepts them only with
//! [`LocalUhubBuilder::control`].
//!
//! # Limits
//!
//! A request's head must arrive within 10 seconds of the connection or of the last response, and
//! its body within 10 more; a client that reads nothing of its response for 30 seconds is
//! disconnected. A head has at most 128 KiB, a request at most 10,000 parameters, flattened JSON at
//! most 2 MiB. The log keeps the last 10,000 requests, or fewer if they exceed about 32 MiB.
//!
//! The server holds 4,096 connections, or as many as the process may have open files. Another
//! client closes the one that has been without a running request for longest, and for a second at
//! least. Until there is one, clients wait, and a `tracing` event of level `WARN` reports it.

mod builder;
mod control;
mod data;
mod documentation;
mod documented;
mod fault;
#[rustfmt::skip]
mod generated;
mod handle;
mod http;
mod log;
mod metadata;
mod pipeline;
mod protocol;
mod seconds;
mod service;
mod state;

pub use crate::builder::LocalUhubBuilder;
pub use crate::data::generate::Generate;
pub use crate::data::repository::{Image, Repository, Tag, Visibility};
pub use crate::data::{Data, Project, Role, User};
pub use crate::fault::Fault;
pub use crate::fault::scope::Scope;
pub use crate::handle::LocalUhub;
pub use crate::log::ReceivedRequest;

/// Compiles the README's code.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

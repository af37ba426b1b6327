//! A UHub that runs on loopback, to test against.
//!
//! [`LocalUhub`] is a real HTTP server that answers as UHub does: it takes a request as a GET with
//! a query, as a POST with a form or as a POST with JSON, checks its signature and its parameters,
//! and answers from the repositories it was started with, as requests have changed them since. When
//! told to, it plays a [`Fault`]: a proxy's error page, a cut connection, a body without end. Any
//! client that speaks the platform's protocol can talk to it, in any language.
//!
//! ```
//! use uhub_sdk::local::{Image, LocalUhub, Repository};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let uhub = LocalUhub::builder()
//!     .repository(Repository::new("base").image(Image::new("nginx").latest_tag("1.27")))
//!     .start()
//!     .await?;
//!
//! // Point the program under test here, with these credentials.
//! println!("{} {} {}", uhub.base_url(), uhub.public_key(), uhub.project_id());
//!
//! // What it sent.
//! for request in uhub.requests() {
//!     println!("{:?} was answered {:?}", request.action, request.ret_code);
//! }
//! uhub.stop().await
//! # }
//! ```
//!
//! It comes with the feature `local`, which only the tests of a program need:
//!
//! ```toml
//! [dev-dependencies]
//! uhub-sdk = { path = "…/uhub-sdk", features = ["local"] }
//! ```
//!
//! In a clone of the repository, `cargo doc --package uhub-sdk --features local --no-deps --open` shows this page.
//!
//! A program that is not asynchronous, such as a user of the feature `blocking`, gives it a
//! Tokio runtime with threads of its own, and keeps that as long as the server:
//!
//! ```
//! # #[cfg(feature = "blocking")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use uhub_sdk::local::{LocalUhub, Repository};
//!
//! let runtime = tokio::runtime::Runtime::new()?; // needs Tokio's feature `rt-multi-thread`
//! let uhub = runtime.block_on(LocalUhub::builder().repository(Repository::documented()).start())?;
//! let client = uhub.client().build_blocking()?;
//! assert_eq!(client.get_repo_image("idkTdEFo").send()?.image_set.len(), 9);
//! runtime.block_on(uhub.stop())?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "blocking"))]
//! # fn main() {}
//! ```
//!
//! # What it answers
//!
//! Eight actions, each as its documentation page describes it:
//!
//! | action | what it does here |
//! | --- | --- |
//! | `CreateRepo` | makes a repository: private unless `IsShared` is true, and at most 8 in a project |
//! | `DeleteRepo` | deletes a repository, if no image is in it |
//! | `DeleteRepoImage` | deletes one tag of an image, and with the last tag the image; **without a `TagName`, or with an empty one, all of the image** |
//! | `GetImageTag` | lists the tags of an image, or the one tag that `TagName` names: none, if it has no such tag |
//! | `GetProjectList` | lists the projects: it takes no `ProjectId` |
//! | `GetRepo` | lists the repositories of one `Type`, `public` or `private`: **the public ones, if it is left out** |
//! | `GetRepoImage` | lists the images of a repository |
//! | `UpdateRepo` | changes what is given, and leaves the rest: an empty `Description` clears nothing |
//!
//! Lists are in the order in which things came to be, `Offset` is 0 and `Limit` 20 if they are left
//! out, and the total counts what the pages together hold. What an action changes, all later requests
//! see; what is refused has changed nothing. The time of a change is the system's, as Unix time in
//! seconds: of a repository, when it was created and when `UpdateRepo` changed it; of an image, when
//! a tag of it was deleted.
//!
//! The server may start with more than 8 repositories in a project, as a test of paging needs:
//! `CreateRepo` then makes none until enough are deleted.
//!
//! Parameters are checked against what is documented of them, and what is not documented is ignored;
//! but a list in the place of a text is refused, and a text in the place of a list.
//! An action that the documentation has and the table above has not (when the API is ahead of this
//! server) is checked in the same way, and answered with the documentation's example.
//!
//! Every answer of the service is an HTTP 200 with a JSON object and the header
//! `X-UCLOUD-REQUEST-UUID`. `RetCode` says how it went; the checks run in this order:
//!
//! | `RetCode` | meaning |
//! | --- | --- |
//! | 160 | `Action` is missing |
//! | 161 | there is no such `Action` |
//! | 170 | `Signature` is missing |
//! | 172 | `PublicKey` is missing, or nobody's |
//! | 171 | `Signature` is wrong |
//! | 174 | the key is a temporary one, and `SecurityToken` is missing, another one, or expired |
//! | 292 | `ProjectId` was given and is no project |
//! | 299 | a [sub-account](Key::sub_account) names no `ProjectId`, or one it may not use |
//! | 220 | `Missing params [X]`: a required parameter is missing or empty |
//! | 230 | `Params [X] not available`: a wrong type or range, or a name nothing has |
//! | 63001 | `CreateRepo`: the project has a repository of this name |
//! | 63002 | `CreateRepo`: the project holds 8 repositories |
//! | 63003 | `DeleteRepo`: images are in the repository |
//! | 0 | success |
//!
//! The documentation names no code for a bad parameter, for a name that nothing has or that is
//! taken, for a limit reached or for a repository that is not empty: 220, 230, 63001, 63002 and
//! 63003 are this server's choice, and no promise of what UHub answers. So is 299 for a sub-account
//! that names no project: the documentation says only that it has to. The other documented return
//! codes are never this server's own: [`Fault::ret_code`] plays them. Where the documentation warns of
//! a default, this server does as it says: `GetRepo` without a `Type` lists public repositories,
//! `UpdateRepo` without `IsShared` makes a repository private, and `DeleteRepoImage` without a `TagName`,
//! or with an empty one, deletes every tag.
//!
//! What is not the protocol is refused as HTTP does, with a JSON body whose `RetCode` is 230:
//! another path (404), a page in a browser, which its `Origin` tells (403), another method than GET
//! and POST (405), another content type (415), a body over 1 MiB (413), a query or body that cannot
//! be read, or that holds a null, an empty list or an empty object (400). The parameters of a GET are
//! those of its query, the parameters of a POST those of its body.
//!
//! # Faults
//!
//! [`LocalUhub::play`] queues a fault for the next request; [`LocalUhub::play_on`] plays one on the
//! requests of a [`Scope`]: of an action, the first three, one in ten, for two seconds.
//! [`LocalUhub::unavailable_for`] closes the port for a while, [`LocalUhub::set_clock_offset`] puts the
//! clock wrong, and [a role](LocalUhubBuilder::metadata_role) hands out temporary keys that expire.
//! [`Fault`] says of each fault whether the request was carried out, and so does
//! [`ReceivedRequest::carried_out`] of each request.
//!
//! # Data
//!
//! [`Data`] is all that a server holds: to start with it ([`LocalUhubBuilder::data`]), to look at it
//! ([`LocalUhub::data`]), to keep it in a file ([`LocalUhubBuilder::save_to`]) and to read it again
//! ([`Data::read`]). [`Data::demo`] is a ready set, and [`Generate`] makes thousands.
//!
//! # Over HTTP
//!
//! What a program in Rust does with the handle, one in another language does over HTTP, at the
//! same port. Bodies are JSON, and come with the content type `application/json`. What was done is
//! answered with 200, what was not with another status and `{"error": "…"}`.
//!
//! | request | what it does |
//! | --- | --- |
//! | `GET /_local/requests` | lists what has arrived, each a [`ReceivedRequest`] |
//! | `DELETE /_local/requests` | forgets it |
//! | `POST /_local/faults` | plays a fault: `{"play": FAULT, "on": SCOPE}`, a [`FaultRule`] |
//! | `DELETE /_local/faults` | forgets those that have not been played |
//! | `GET /_local/state` | answers what the server holds, as [`Data`] |
//! | `PUT /_local/state` | holds the [`Data`] of the body from now on, up to 64 MiB |
//! | `PUT /_local/clock` | `{"offset": SECONDS}`: [sets the clock](LocalUhub::set_clock_offset) |
//! | `POST /_local/away` | `{"seconds": NUMBER}`: [goes away](LocalUhub::unavailable_for) |
//!
//! ```sh
//! curl -H 'Content-Type: application/json' http://127.0.0.1:PORT/_local/faults \
//!     -d '{"play": "cut_connection", "on": {"action": "GetRepo", "every": 3}}'
//! ```
//!
//! None of these requests is listed, and no fault is played on one. They are heard from this machine
//! alone, and not from a page in a browser: a request that has an `Origin`, or another host than
//! `localhost` or a loopback address, is refused (403). A server that other machines can reach has
//! none of this unless [`LocalUhubBuilder::control`] says so.
//!
//! # Limits
//!
//! A request's head has 30 seconds to arrive, and so has its body; a client that reads nothing of
//! its answer for 30 seconds is given up. A request has at most 10,000 parameters, and flattened JSON
//! at most 2 MiB of them. The server holds 512 connections at a time: more wait to be accepted, for
//! up to half a minute if all that are open say nothing. It remembers the last 10,000 requests, or
//! as many of them as take about 32 MiB.

mod actions;
mod answer;
mod body;
mod builder;
mod control;
mod data;
pub(crate) mod documented;
mod exchange;
mod fault;
mod generate;
mod log;
mod metadata;
mod protocol;
mod random;
mod repository;
mod request;
mod save;
mod scope;
mod seconds;
mod served;
mod server;
mod state;
mod store;
mod stream;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use self::builder::LocalUhubBuilder;
pub use self::data::{Data, Key, Project};
pub use self::fault::Fault;
pub use self::generate::Generate;
pub use self::log::ReceivedRequest;
pub use self::metadata::Role;
pub use self::repository::{Image, Repository, Tag};
pub use self::scope::{FaultRule, Scope};

use crate::{Client, ClientBuilder, Credentials};

use self::state::Shared;

/// A running local UHub. Dropping it stops it.
///
/// Each has its own port, its own data and its own faults: any number can run at once. The data is
/// in memory, and goes with it.
///
/// Dropping it cuts every connection and returns at once, perhaps a moment before the port is free;
/// [`stop`](Self::stop) lets running requests finish and waits until nothing is left. It alone waits
/// for the last change to be in the file it [saves to](LocalUhubBuilder::save_to): a program that
/// ends without it can lose what was changed last.
pub struct LocalUhub {
    base_url: String,
    key: Key,
    project_id: String,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    task: JoinHandle<io::Result<()>>,
}

impl LocalUhub {
    /// A local UHub still to be set up.
    pub fn builder() -> LocalUhubBuilder {
        LocalUhubBuilder::default()
    }

    /// Starts one with the default key pair and project and no repository.
    ///
    /// # Errors
    ///
    /// As [`LocalUhubBuilder::start`].
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Where it listens: `http://127.0.0.1:PORT/`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The public key of its first user.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.key.public_key
    }

    /// The private key of its first user.
    #[must_use]
    pub fn private_key(&self) -> &str {
        &self.key.private_key
    }

    /// Its first project: the one a request without a `ProjectId` means.
    #[must_use]
    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    /// A client of this server, with the first key pair and the first project, to be set up further.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use uhub_sdk::local::{LocalUhub, Repository};
    ///
    /// let uhub = LocalUhub::builder().repository(Repository::documented()).start().await?;
    /// let client = uhub.client().build()?;
    /// let page = client.get_repo_image("idkTdEFo").send().await?;
    /// assert_eq!(page.image_set.len(), 9);
    /// # Ok(())
    /// # }
    /// ```
    pub fn client(&self) -> ClientBuilder {
        Client::builder()
            .base_url(&self.base_url)
            .credentials(match &self.key.security_token {
                None => Credentials::new(&self.key.public_key, &self.key.private_key),
                Some(token) => Credentials::new(&self.key.public_key, &self.key.private_key)
                    .with_security_token(token),
            })
            .project_id(&self.project_id)
    }

    /// Plays `fault` on the next request. Faults queue up: each request takes one, in the order
    /// they were given.
    pub fn play(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// Plays `fault` on every request that is in `scope`, from now on. Where several of these and
    /// of those that [`play`](Self::play) queued are for one request, it takes one: of the queue
    /// first, then the one given first.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use std::time::Duration;
    /// use uhub_sdk::local::{Fault, LocalUhub, Scope};
    ///
    /// let uhub = LocalUhub::start().await?;
    /// // Every third listing is throttled,
    /// uhub.play_on(Scope::action("GetRepo").every(3), Fault::throttled());
    /// // and the answer to the first creation is lost: it is carried out, and nobody hears of it.
    /// uhub.play_on(Scope::action("CreateRepo").nth(1), Fault::CutConnection.after_execution());
    /// # Ok(())
    /// # }
    /// ```
    pub fn play_on(&self, scope: Scope, fault: Fault) {
        let now = Instant::now();
        self.shared.state().faults.add(scope, fault, now);
    }

    /// Plays a fault on the requests that `rule` says: as [`play_on`](Self::play_on) does, or as
    /// [`play`](Self::play) where it says none.
    pub fn play_rule(&self, rule: FaultRule) {
        self.shared.state().faults.add_rule(rule, Instant::now());
    }

    /// Forgets all faults that have not been played yet. Requests on which one is being played
    /// stay as they are.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// Goes away for a time, as a service does that is restarted: nobody listens at its port,
    /// running requests are answered and their connections closed. Then it is there again, with all
    /// that it held. Said again meanwhile, the new time counts.
    pub fn unavailable_for(&self, time: Duration) {
        self.shared.unavailable_for(time);
    }

    /// Sets how many seconds the server's clock is ahead of the system's: behind it, if the number
    /// is negative. By this clock temporary keys expire and changes are dated.
    ///
    /// A client that knows the system's time alone sees what it would see if its own clock were
    /// wrong. And to let a key of an hour expire, nobody has to wait for an hour.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.shared.state().store.clock_offset = seconds;
    }

    /// Where the metadata service of the machine is played: `http://127.0.0.1:PORT`, in the place
    /// of the platform's `http://100.80.80.80`. It hands out temporary keys if the server
    /// has [a role](LocalUhubBuilder::metadata_role), which is part of its [`Data`].
    #[must_use]
    pub fn metadata_url(&self) -> &str {
        self.base_url.trim_end_matches('/')
    }

    /// How many requests the metadata service has had, whatever became of them. They are not among
    /// [`requests`](Self::requests).
    #[must_use]
    pub fn metadata_requests(&self) -> usize {
        self.shared.state().metadata_requests
    }

    /// What has arrived so far, in order: every request that was read to its end, the refused ones
    /// included.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.shared.state().log.to_vec()
    }

    /// All that it holds now. Temporary keys that the metadata service has handed out are not in it.
    #[must_use]
    pub fn data(&self) -> Data {
        self.shared.state().store.data()
    }

    /// Holds this from now on, instead of what it holds, its role too: for a test that starts afresh.
    /// Temporary keys that were handed out are nobody's then. Faults and the record of requests stay.
    ///
    /// [`public_key`](Self::public_key) and the like go on naming what the server started with.
    ///
    /// # Errors
    ///
    /// `InvalidInput`: the data makes no sense, such as a name given twice. All that is wrong is said
    /// at once, and nothing was changed.
    pub fn set_data(&self, data: Data) -> io::Result<()> {
        let store = data
            .into_store()
            .map_err(|problems| io::Error::new(io::ErrorKind::InvalidInput, problems.join("; ")))?;
        self.shared.state().store.replace(store);
        self.shared.changed();
        Ok(())
    }

    /// Writes all that it holds to a file, for [`Data::read`] to read again. It is written whole or
    /// not at all, and on Unix nobody but its owner can read it: it holds private keys.
    ///
    /// This waits for the disk, and blocks meanwhile.
    ///
    /// # Errors
    ///
    /// The file could not be written: the message names it.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let data = self.data();
        save::write(path.as_ref(), &data)
    }

    /// Stops it: accepts nothing more, lets running requests finish (for two seconds at most), ends
    /// those that hang, and returns when every connection and the port are closed and the last
    /// change is [saved](LocalUhubBuilder::save_to).
    ///
    /// # Errors
    ///
    /// What it holds could not be saved, where it was to be; or the runtime it ran on has ended
    /// before. It is stopped all the same.
    pub async fn stop(mut self) -> io::Result<()> {
        // It fails only if the server is gone already, which the task says.
        let _ = self.stop.send(true);
        (&mut self.task).await.map_err(io::Error::other)?
    }
}

impl Drop for LocalUhub {
    fn drop(&mut self) {
        // The connections belong to the task and end with it.
        self.task.abort();
    }
}

impl fmt::Debug for LocalUhub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalUhub")
            .field("base_url", &self.base_url)
            .field("public_key", &self.key.public_key)
            .field("project_id", &self.project_id)
            .finish_non_exhaustive()
    }
}

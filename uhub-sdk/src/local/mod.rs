//! A UHub that runs on loopback, to test against.
//!
//! [`LocalUhub`] is a real HTTP server that answers as UHub does: it takes a request as a GET with
//! a query, as a POST with a form or as a POST with JSON, checks its signature, and answers from
//! the repositories it was started with. When told to, it plays a [`Fault`]: a proxy's error page,
//! a cut connection, a body without end. Any client that speaks the platform's protocol can talk to
//! it, in any language.
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
//! uhub.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What it answers
//!
//! `GetRepoImage`, as its documentation page describes it. Every answer of the service is an HTTP
//! 200 with a JSON object and the header `X-UCLOUD-REQUEST-UUID`. `RetCode` says how it went; the
//! checks run in this order:
//!
//! | `RetCode` | meaning |
//! | --- | --- |
//! | 160 | `Action` is missing |
//! | 161 | there is no such `Action` |
//! | 170 | `Signature` is missing |
//! | 172 | `PublicKey` is missing, or nobody's |
//! | 171 | `Signature` is wrong |
//! | 292 | `ProjectId` was given and is no project |
//! | 220 | `Missing params [X]`: a required parameter is missing or empty |
//! | 230 | `Params [X] not available`: a wrong type or range, or a name nothing has |
//! | 0 | success |
//!
//! The documentation names no code for a bad parameter or for a repository that does not exist: 220
//! and 230 are this server's choice, and no promise of what UHub answers.
//!
//! What is not the protocol is refused as HTTP does, with a JSON body whose `RetCode` is 230:
//! another path (404), another method than GET and POST (405), another content type (415), a body
//! over 1 MiB (413), a query or body that cannot be read (400). The parameters of a GET are those
//! of its query, the parameters of a POST those of its body.
//!
//! # Limits
//!
//! A request's head has 30 seconds to arrive, and so has its body. The server holds 512 connections
//! at a time (more wait to be accepted) and remembers the last 10,000 requests.

mod actions;
mod answer;
mod body;
mod fault;
mod log;
mod protocol;
mod request;
mod server;
mod store;
mod stream;

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use self::fault::Fault;
pub use self::log::ReceivedRequest;
pub use self::store::{Image, Repository};

use crate::{Client, ClientBuilder, Credentials};

use self::server::{Limits, Shared};
use self::store::{KeyPair, Project, Store};

const DEFAULT_PUBLIC_KEY: &str = "local-public-key";
const DEFAULT_PRIVATE_KEY: &str = "local-private-key";
const DEFAULT_PROJECT: &str = "org-local";

/// A running local UHub. Dropping it stops it.
///
/// Each has its own port, its own data and its own faults: any number can run at once.
///
/// Dropping it cuts every connection and returns at once, perhaps a moment before the port is free;
/// [`stop`](Self::stop) lets running requests finish and waits until nothing is left.
pub struct LocalUhub {
    base_url: String,
    key: KeyPair,
    project_id: String,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
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
        &self.key.public
    }

    /// The private key of its first user.
    #[must_use]
    pub fn private_key(&self) -> &str {
        &self.key.private
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
            .credentials(Credentials::new(&self.key.public, &self.key.private))
            .project_id(&self.project_id)
    }

    /// Plays `fault` on the next request. Faults queue up: each request takes one, in the order
    /// they were given.
    pub fn play(&self, fault: Fault) {
        self.shared.play(fault);
    }

    /// What has arrived so far, in order: every request that was read to its end, the refused ones
    /// included.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.shared.requests()
    }

    /// Stops it: accepts nothing more, lets running requests finish (for two seconds at most), ends
    /// those that hang, and returns when every connection and the port are closed.
    pub async fn stop(mut self) {
        // Both fail only if the server is gone already, with the runtime it ran on.
        let _ = self.stop.send(true);
        let _ = (&mut self.task).await;
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
            .field("public_key", &self.key.public)
            .field("project_id", &self.project_id)
            .finish_non_exhaustive()
    }
}

/// Sets up a [`LocalUhub`]: [`LocalUhub::builder`] makes one.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct LocalUhubBuilder {
    keys: Vec<KeyPair>,
    projects: Vec<String>,
    repositories: Vec<Repository>,
    limits: Limits,
}

impl LocalUhubBuilder {
    /// Adds a user, known by this key pair. Without any there is one, with the pair
    /// `local-public-key` and `local-private-key`.
    pub fn key(mut self, public: impl Into<String>, private: impl Into<String>) -> Self {
        self.keys.push(KeyPair {
            public: public.into(),
            private: private.into(),
        });
        self
    }

    /// Adds a project, open to every user. The first is the default one; without any there is one,
    /// `org-local`.
    pub fn project(mut self, id: impl Into<String>) -> Self {
        self.projects.push(id.into());
        self
    }

    /// Adds a repository to the default project.
    pub fn repository(mut self, repository: Repository) -> Self {
        self.repositories.push(repository);
        self
    }

    /// Starts the server on a free port of 127.0.0.1, as a task of the Tokio runtime this is called
    /// on, which must have I/O and time enabled. The server runs for as long as that runtime does.
    ///
    /// # Errors
    ///
    /// - `InvalidInput`: a key, project or repository name is empty or given twice.
    /// - Any other: no port could be bound, or there is no Tokio runtime.
    pub async fn start(mut self) -> io::Result<LocalUhub> {
        if self.keys.is_empty() {
            self = self.key(DEFAULT_PUBLIC_KEY, DEFAULT_PRIVATE_KEY);
        }
        if self.projects.is_empty() {
            self = self.project(DEFAULT_PROJECT);
        }
        check_names("public key", self.keys.iter().map(|key| &key.public))?;
        check_names("project", &self.projects)?;
        check_names(
            "repository",
            self.repositories.iter().map(|repository| &repository.name),
        )?;

        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base_url = format!("http://{}/", listener.local_addr()?);

        let key = self.keys[0].clone();
        let project_id = self.projects[0].clone();
        let mut projects: Vec<Project> = self.projects.into_iter().map(Project::new).collect();
        projects[0].repositories = self.repositories;

        let store = Store {
            keys: self.keys,
            projects,
        };
        let shared = Arc::new(Shared::new(store, self.limits));
        let (stop, stopping) = watch::channel(false);
        let task = runtime.spawn(server::run(listener, Arc::clone(&shared), stopping));
        Ok(LocalUhub {
            base_url,
            key,
            project_id,
            shared,
            stop,
            task,
        })
    }
}

fn check_names<'a>(what: &str, names: impl IntoIterator<Item = &'a String>) -> io::Result<()> {
    let mut seen = HashSet::new();
    for name in names {
        let fault = if name.is_empty() {
            "is empty"
        } else if !seen.insert(name) {
            "is given twice"
        } else {
            continue;
        };
        let message = format!("a {what} of the local UHub {fault}: {name:?}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(())
}

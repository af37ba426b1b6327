//! What a server starts with.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::LocalUhub;
use super::data::{Data, Key, Project};
use super::generate::Generate;
use super::log::{Log, ReceivedRequest};
use super::metadata::Role;
use super::repository::Repository;
use super::save;
use super::scope::Faults;
use super::server;
use super::state::{Limits, OnRequest, RequestIds, Shared, State};
use super::store::Store;

/// Sets up a [`LocalUhub`]: [`LocalUhub::builder`] makes one.
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct LocalUhubBuilder {
    data: Data,
    /// With the project each belongs to, where that is not the default one.
    repositories: Vec<(Option<String>, Repository)>,
    clock_offset: i64,
    seed: u64,
    latency: Duration,
    listen: Option<SocketAddr>,
    allow_remote: bool,
    on_request: Option<OnRequest>,
    save_to: Option<PathBuf>,
    control: Option<bool>,
    pub(super) limits: Limits,
}

impl LocalUhubBuilder {
    /// Adds a user, known by this key pair. Without any there is one, with the pair
    /// `local-public-key` and `local-private-key`.
    pub fn key(self, public: impl Into<String>, private: impl Into<String>) -> Self {
        self.keys([Key::new(public, private)])
    }

    /// Adds a sub-account, known by this key pair: a user who has to name a project in every
    /// request that is about one, and is refused with the return code 299 if there is none.
    pub fn sub_account_key(self, public: impl Into<String>, private: impl Into<String>) -> Self {
        self.keys([Key::new(public, private).sub_account()])
    }

    /// Adds users, which may be sub-accounts and have temporary keys. The first of all is the one
    /// that [`LocalUhub::client`] calls as.
    pub fn keys(mut self, keys: impl IntoIterator<Item = Key>) -> Self {
        self.data.keys.extend(keys);
        self
    }

    /// Plays the metadata service of a machine that has this role: see
    /// [`LocalUhub::metadata_url`]. Every request for the role's key, by its name or without one, is
    /// given a new key that is valid for this long, in whole seconds. After that it is refused with
    /// the return code 174. The latest 1,000 keys are remembered.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use std::time::Duration;
    /// use uhub_sdk::local::{Fault, LocalUhub, Scope};
    ///
    /// let hour = Duration::from_secs(3600);
    /// let uhub = LocalUhub::builder().metadata_role("backup", hour).start().await?;
    /// println!("{}/meta-data/v2/iam/security-credentials", uhub.metadata_url());
    /// // The next two requests for a key fail.
    /// uhub.play_on(Scope::metadata().calls(..=2), Fault::bad_gateway());
    /// // The keys that were handed out expire.
    /// uhub.set_clock_offset(3600);
    /// # Ok(())
    /// # }
    /// ```
    pub fn metadata_role(mut self, name: impl Into<String>, lifetime: Duration) -> Self {
        self.data.role = Some(Role::new(name, lifetime));
        self
    }

    /// Sets how many seconds the server's clock is ahead of the system's from the start:
    /// [`LocalUhub::set_clock_offset`] says what for.
    pub fn clock_offset(mut self, seconds: i64) -> Self {
        self.clock_offset = seconds;
        self
    }

    /// Sets what decides on which requests a fault is played that has a [rate](super::Scope::rate):
    /// with the same seed, the same ones. The seed is 0 if nothing is said.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Listens here, instead of at a free port of 127.0.0.1. The port 0 means a free one. An address
    /// that is not loopback is refused, unless [`allow_remote`](Self::allow_remote) is said too.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// Allows [`listen`](Self::listen) an address that other machines can reach. Whoever can reach
    /// it and knows a key, such as the default one, can do with the data what they like.
    pub fn allow_remote(mut self) -> Self {
        self.allow_remote = true;
        self
    }

    /// Calls this with every request, once it was answered or its connection is gone. It is called
    /// on the server's own tasks, which wait for it.
    ///
    /// ```
    /// # use uhub_sdk::local::LocalUhub;
    /// let builder = LocalUhub::builder().on_request(|request| {
    ///     eprintln!("{:?} {:?} {:?}", request.action, request.status, request.elapsed);
    /// });
    /// ```
    pub fn on_request(mut self, tell: impl Fn(&ReceivedRequest) + Send + Sync + 'static) -> Self {
        self.on_request = Some(Arc::new(tell));
        self
    }

    /// Adds a project, open to every user, whose name is its id. The first is the default one;
    /// without any there is one, `org-local`.
    pub fn project(self, id: impl Into<String>) -> Self {
        let id = id.into();
        self.project_named(id.clone(), id)
    }

    /// Adds a project as [`project`](Self::project) does, with a name of its own.
    pub fn project_named(mut self, id: impl Into<String>, name: impl Into<String>) -> Self {
        self.data.projects.push(Project::new(id, name));
        self
    }

    /// Adds a repository to the default project.
    pub fn repository(mut self, repository: Repository) -> Self {
        self.repositories.push((None, repository));
        self
    }

    /// Adds a repository to the project of this id, which [`project`](Self::project) adds, before
    /// or after.
    pub fn repository_in(mut self, project_id: impl Into<String>, repository: Repository) -> Self {
        self.repositories
            .push((Some(project_id.into()), repository));
        self
    }

    /// Adds what is in `data`: its keys and projects after those that are there, its role and what
    /// it generates.
    pub fn data(mut self, data: Data) -> Self {
        self.data.keys.extend(data.keys);
        self.data.projects.extend(data.projects);
        self.data.role = data.role.or(self.data.role);
        self.data.generate = data.generate.or(self.data.generate);
        self
    }

    /// Generates repositories with images and tags, by the thousand if wanted, into the default
    /// project. Said twice, the last one holds.
    ///
    /// ```
    /// use uhub_sdk::local::{Generate, LocalUhub};
    ///
    /// let much = Generate::new(1).repositories(3).images(1000).tags(20);
    /// let builder = LocalUhub::builder().generate(much);
    /// ```
    pub fn generate(mut self, generate: Generate) -> Self {
        self.data.generate = Some(generate);
        self
    }

    /// Keeps what the server holds in this file: it is written when the server starts, a tenth of
    /// a second after a change (or somewhat more, where there is much to write), and when it
    /// stops. It is written whole or not at all: a crash loses what was changed since it was
    /// last written, and nothing before. [`Data::read`] reads it again.
    ///
    /// Only [`LocalUhub::stop`] waits for the last change to be written, and says if it could not
    /// be: where the server is dropped and its runtime ends, the change can be lost.
    ///
    /// The file is for one server at a time: two would undo each other's changes. It holds private
    /// keys. On Unix nobody but its owner can read it.
    pub fn save_to(mut self, path: impl Into<PathBuf>) -> Self {
        self.save_to = Some(path.into());
        self
    }

    /// Whether the server can be told what to do over HTTP, under `/_local/`: see
    /// [the module](super#over-http). Only connections from this machine are ever heard. It can if
    /// nothing else is said and the server listens on loopback.
    pub fn control(mut self, control: bool) -> Self {
        self.control = Some(control);
        self
    }

    /// Gives every answer this much later, a [`Fault`](super::Fault)'s too. What a request asks for
    /// is done before the wait: a client that gives up waiting has not undone it.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Starts the server, as a task of the Tokio runtime this is called on, which must have I/O and
    /// time enabled. The server runs for as long as that runtime does.
    ///
    /// # Errors
    ///
    /// - `InvalidInput`: a name is empty or given twice: a key or a project, a repository in its
    ///   project, an image in its repository, a tag in its image. Or a project is named that there
    ///   is not. All that is wrong is said at once.
    /// - `InvalidInput`: the address is not loopback, and nobody said that it may be.
    /// - Any other: the address could not be bound, the file to [save](Self::save_to) to could not be
    ///   written, or there is no Tokio runtime.
    pub async fn start(mut self) -> io::Result<LocalUhub> {
        let address = self
            .listen
            .unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
        if !address.ip().is_loopback() && !self.allow_remote {
            return Err(invalid(format!(
                "{address} is not loopback: other machines may reach a local UHub only where `allow_remote` says so"
            )));
        }
        let store = self.store()?;

        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let listener = TcpListener::bind(address).await.map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("the local UHub cannot listen at {address}: {error}"),
            )
        })?;
        let address = listener.local_addr()?;
        let base_url = format!("http://{}/", reachable(address));

        let key = store.keys[0].clone();
        let project_id = store.projects[0].id.clone();
        let shared = Arc::new(Shared {
            latency: self.latency,
            limits: self.limits,
            on_request: self.on_request,
            ids: RequestIds::new(),
            control: self.control.unwrap_or(address.ip().is_loopback()),
            away: watch::Sender::new(None),
            changes: watch::Sender::new(0),
            state: Mutex::new(State {
                store,
                faults: Faults::new(self.seed),
                log: Log::default(),
                metadata_requests: 0,
            }),
        });
        let saving = match self.save_to {
            None => None,
            Some(path) => {
                save::remove_leftovers(&path);
                save::save(&shared, &path).await?;
                let shared = Arc::clone(&shared);
                // Until what it reads from is dropped, which is when the server has ended.
                let (runs, ended) = watch::channel(false);
                let task = runtime.spawn(save::keep_saving(shared, path, ended));
                Some((runs, task))
            }
        };
        let (stop, stopping) = watch::channel(false);
        // From here on: what is said before the tasks first run would be lost to them.
        let away = shared.away.subscribe();
        let server = server::run(listener, address, Arc::clone(&shared), away, stopping);
        let task = runtime.spawn(async {
            server.await;
            match saving {
                None => Ok(()),
                Some((runs, saving)) => {
                    drop(runs);
                    saving.await.map_err(io::Error::other)?
                }
            }
        });
        Ok(LocalUhub {
            base_url,
            key,
            project_id,
            shared,
            stop,
            task,
        })
    }

    fn store(&mut self) -> io::Result<Store> {
        let mut data = std::mem::take(&mut self.data);
        data.complete();
        let mut problems = Vec::new();
        for (project_id, repository) in self.repositories.drain(..) {
            let project = match &project_id {
                None => data.projects.first_mut(),
                Some(id) => data.projects.iter_mut().find(|project| project.id == *id),
            };
            match project {
                Some(project) => project.repositories.push(repository),
                None => problems.push(format!(
                    "the repository {:?} is in the project {:?}, which there is not",
                    repository.name,
                    project_id.unwrap_or_default()
                )),
            }
        }
        let store = data.into_store();
        problems.extend(store.as_ref().err().cloned().unwrap_or_default());
        match store {
            Ok(mut store) if problems.is_empty() => {
                store.clock_offset = self.clock_offset;
                Ok(store)
            }
            _ => Err(invalid(format!(
                "the local UHub cannot start: {}",
                problems.join("; ")
            ))),
        }
    }
}

impl fmt::Debug for LocalUhubBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalUhubBuilder")
            .field("data", &self.data)
            .field("repositories", &self.repositories)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}

/// The address by which a server that listens here is reached from this machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

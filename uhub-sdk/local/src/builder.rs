//! The configuration of a server.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::data::generate::Generate;
use crate::data::repository::Repository;
use crate::data::store::Store;
use crate::data::{Data, Project, Role, User};
use crate::fault::scope::Faults;
use crate::handle::LocalUhub;
use crate::http::server;
use crate::log::{Log, ReceivedRequest};
use crate::state::{Limits, OnRequest, Shared, State};

impl LocalUhub {
    /// Creates a builder.
    pub fn builder() -> LocalUhubBuilder {
        LocalUhubBuilder::default()
    }

    /// Starts a server with the default user and project, and no repositories.
    ///
    /// # Errors
    ///
    /// As [`LocalUhubBuilder::start`].
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }
}

/// Configures a [`LocalUhub`]. Created by [`LocalUhub::builder`].
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct LocalUhubBuilder {
    data: Data,
    /// With the project's id. `None` is the default project.
    repositories: Vec<(Option<String>, Repository)>,
    clock_offset: i64,
    seed: u64,
    latency: Duration,
    listen: Option<SocketAddr>,
    allow_remote: bool,
    on_request: Option<OnRequest>,
    control: Option<bool>,
    pub(crate) limits: Limits,
}

impl LocalUhubBuilder {
    /// Adds an account with this key pair. The default is one user, with the keys
    /// `local-public-key` and `local-private-key`.
    pub fn user(self, public_key: impl Into<String>, private_key: impl Into<String>) -> Self {
        self.users([User::new(public_key, private_key)])
    }

    /// Adds a sub-account with this key pair. It must send a `ProjectId` with every request about a
    /// project; otherwise the return code is 299.
    pub fn sub_account(
        self,
        public_key: impl Into<String>,
        private_key: impl Into<String>,
    ) -> Self {
        self.users([User::new(public_key, private_key).sub_account()])
    }

    /// Adds users. [`LocalUhub::public_key`] and similar methods return the first.
    pub fn users(mut self, users: impl IntoIterator<Item = User>) -> Self {
        self.data.users.extend(users);
        self
    }

    /// Simulates the metadata service of a machine with this role: see [`LocalUhub::metadata_url`].
    ///
    /// Every request for the role's credentials gets new ones that are valid for `lifetime`, in
    /// whole seconds. Afterwards their return code is 174. The last 1,000 credentials are
    /// remembered.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use std::time::Duration;
    /// use uhub_local::{Fault, LocalUhub, Scope};
    ///
    /// let hour = Duration::from_secs(3600);
    /// let server = LocalUhub::builder().metadata_role("backup", hour).start().await?;
    /// println!("{}/meta-data/v2/iam/security-credentials", server.metadata_url());
    /// // The next two requests for credentials fail.
    /// server.inject_on(Scope::metadata().calls(..=2), Fault::bad_gateway());
    /// // The issued credentials expire.
    /// server.set_clock_offset(3600);
    /// # Ok(())
    /// # }
    /// ```
    pub fn metadata_role(mut self, name: impl Into<String>, lifetime: Duration) -> Self {
        self.data.role = Some(Role::new(name, lifetime));
        self
    }

    /// Sets the initial [clock offset](LocalUhub::set_clock_offset) in seconds.
    pub fn clock_offset(mut self, seconds: i64) -> Self {
        self.clock_offset = seconds;
        self
    }

    /// Sets the seed of the [rates](crate::Scope::rate) of faults. The same seed selects the same
    /// requests. Defaults to 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the address to listen at. Defaults to a free port of 127.0.0.1; port 0 is any free
    /// port. An address that is not loopback also needs [`allow_remote`](Self::allow_remote).
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// Allows [`listen`](Self::listen) an address that other machines can reach. Anyone who can
    /// reach it and knows a user's keys, such as the default ones, can change the data.
    pub fn allow_remote(mut self) -> Self {
        self.allow_remote = true;
        self
    }

    /// Sets a function that is called with every request after its response was sent or its
    /// connection closed. It runs on the server's tasks and blocks them.
    ///
    /// ```
    /// # use uhub_local::LocalUhub;
    /// let builder = LocalUhub::builder().on_request(|request| {
    ///     eprintln!("{:?} {:?} {:?}", request.action, request.status, request.elapsed);
    /// });
    /// ```
    pub fn on_request(
        mut self,
        on_request: impl Fn(&ReceivedRequest) + Send + Sync + 'static,
    ) -> Self {
        self.on_request = Some(Arc::new(on_request));
        self
    }

    /// Adds a project whose name is its id. Every account may use it. The first project is the
    /// default one. Without any there is one, `org-local`.
    pub fn project(self, id: impl Into<String>) -> Self {
        let id = id.into();
        self.project_named(id.clone(), id)
    }

    /// Adds a project with an id and a name.
    pub fn project_named(mut self, id: impl Into<String>, name: impl Into<String>) -> Self {
        self.data.projects.push(Project::new(id, name));
        self
    }

    /// Adds a repository to the default project.
    pub fn repository(mut self, repository: Repository) -> Self {
        self.repositories.push((None, repository));
        self
    }

    /// Adds a repository to the project with this id, which may be added later.
    pub fn repository_in(mut self, project_id: impl Into<String>, repository: Repository) -> Self {
        let project_id = Some(project_id.into());
        self.repositories.push((project_id, repository));
        self
    }

    /// Adds data: its users and projects after the existing ones, its role and its generated
    /// repositories.
    pub fn data(mut self, data: Data) -> Self {
        self.data.users.extend(data.users);
        self.data.projects.extend(data.projects);
        self.data.role = data.role.or(self.data.role);
        self.data.generate = data.generate.or(self.data.generate);
        self
    }

    /// Generates repositories with images and tags in the default project. A second call replaces
    /// the first.
    ///
    /// ```
    /// use uhub_local::{Generate, LocalUhub};
    ///
    /// let generate = Generate::new(1).repositories(3).images(1000).tags(20);
    /// let builder = LocalUhub::builder().generate(generate);
    /// ```
    pub fn generate(mut self, generate: Generate) -> Self {
        self.data.generate = Some(generate);
        self
    }

    /// Sets whether the server accepts control requests [over HTTP](crate#over-http), under
    /// `/_local/`. They are accepted only from this machine. Defaults to `true` if the server
    /// listens on loopback.
    pub fn control(mut self, control: bool) -> Self {
        self.control = Some(control);
        self
    }

    /// Delays every response, including those of a [`Fault`](crate::Fault). The action is executed
    /// before the delay, so that a client's timeout does not undo it. Defaults to zero.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Starts the server as a task of the current Tokio runtime, which must have I/O and time
    /// enabled. It runs as long as the runtime. A program without async code needs a runtime with
    /// threads.
    ///
    /// # Errors
    ///
    /// - `InvalidInput`: the data is inconsistent, such as an empty or duplicate name or an unknown
    ///   project. The message has every problem.
    /// - `InvalidInput`: the address is not loopback, and [`allow_remote`](Self::allow_remote) is
    ///   not set.
    /// - Any other: the address cannot be bound, or there is no Tokio runtime.
    pub async fn start(mut self) -> io::Result<LocalUhub> {
        let address = self.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
        if !address.ip().is_loopback() && !self.allow_remote {
            return Err(invalid(format!(
                "{address} is not loopback: `allow_remote` is required to let other machines connect"
            )));
        }
        let store = self.store()?;
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let listener = TcpListener::bind(address).await.map_err(|error| {
            let message = format!("the local server cannot listen at {address}: {error}");
            io::Error::new(error.kind(), message)
        })?;
        let address = listener.local_addr()?;
        let user = store.users[0].clone();
        let project_id = store.projects[0].id.clone();
        let shared = Arc::new(Shared {
            latency: self.latency,
            limits: self.limits,
            on_request: self.on_request,
            control: self.control.unwrap_or(address.ip().is_loopback()),
            unavailable: watch::Sender::new(None),
            state: Mutex::new(State {
                store,
                faults: Faults::new(self.seed),
                log: Log::default(),
                metadata_requests: 0,
            }),
        });
        let (stop, stopping) = watch::channel(false);
        // Subscribed before the task runs, so that an early `unavailable_for` is seen.
        let unavailable = shared.unavailable.subscribe();
        let server = server::run(listener, address, Arc::clone(&shared), unavailable, stopping);
        Ok(LocalUhub {
            base_url: format!("http://{}/", reachable(address)),
            user,
            project_id,
            shared,
            stop,
            task: runtime.spawn(server),
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
                    "the repository {:?} is in the project {:?}, which does not exist",
                    repository.name,
                    project_id.unwrap_or_default()
                )),
            }
        }
        match Store::new(data) {
            Ok(mut store) if problems.is_empty() => {
                store.clock_offset = self.clock_offset;
                Ok(store)
            }
            store => {
                problems.extend(store.err().unwrap_or_default());
                let problems = problems.join("; ");
                Err(invalid(format!("the local server cannot start: {problems}")))
            }
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

/// The address by which this machine reaches a server that listens at `address`.
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

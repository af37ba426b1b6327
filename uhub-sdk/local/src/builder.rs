//! The configuration of a server.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::{fmt, io, time::Duration};

use tokio::{net::TcpListener, runtime::Handle, sync::watch};

use crate::data::generate::Generate;
use crate::data::repository::Repository;
use crate::data::store::Store;
use crate::data::{Data, Project, Role, User};
use crate::fault::scope::Faults;
use crate::handle::LocalUhub;
use crate::http::{guard::AllowedHosts, server};
use crate::log::{Log, OnRequest, ReceivedRequest};
use crate::state::{Limits, Phase, Shared, State};

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
    /// The repositories of the default project.
    repositories: Vec<Repository>,
    seed: u64,
    latency: Duration,
    listen: Option<SocketAddr>,
    allow_remote: bool,
    on_request: Option<OnRequest>,
    control: Option<bool>,
    allowed_hosts: Vec<String>,
    pub(crate) limits: Limits,
}

impl LocalUhubBuilder {
    /// Adds a user with this key pair, who may use every project. The default is one user, with the
    /// keys `local-public-key` and `local-private-key`.
    pub fn user(self, public_key: impl Into<String>, private_key: impl Into<String>) -> Self {
        self.users([User::new(public_key, private_key)])
    }

    /// Adds users, such as [sub-accounts](User::sub_account). [`LocalUhub::public_key`] and similar
    /// methods return the first.
    pub fn users(mut self, users: impl IntoIterator<Item = User>) -> Self {
        self.data.users.extend(users);
        self
    }

    /// Simulates the metadata service of a machine with this role: see [`LocalUhub::metadata_url`].
    ///
    /// Every request for the role's credentials gets new ones that are valid for `lifetime`, in
    /// whole seconds. Afterwards their return code is 174. [`LocalUhub::set_clock_offset`] expires
    /// them, and faults on [`Scope::metadata`](crate::Scope::metadata) withhold new ones. The last
    /// 1,000 credentials are remembered.
    pub fn metadata_role(mut self, name: impl Into<String>, lifetime: Duration) -> Self {
        self.data.role = Some(Role::new(name, lifetime));
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

    /// Sets whether other machines may reach the [address](Self::listen). Anyone who can reach it
    /// and knows a user's keys, such as the default ones, can change the data. Defaults to `false`.
    pub fn allow_remote(mut self, allow_remote: bool) -> Self {
        self.allow_remote = allow_remote;
        self
    }

    /// Allows clients to reach the server by another name than `localhost`, such as that of its
    /// container: the `Host` that they send, without a port.
    ///
    /// Requests to any other name are refused, because a web page can send them after it has
    /// redirected its own name to this machine. A loopback address is always allowed, and any
    /// address if the server listens at one that is not loopback.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.allowed_hosts.push(name.into());
        self
    }

    /// Sets a function that is called with every request after its response was sent or its
    /// connection closed. It runs on the server's tasks and blocks them.
    pub fn on_request(
        mut self,
        on_request: impl Fn(&ReceivedRequest) + Send + Sync + 'static,
    ) -> Self {
        self.on_request = Some(Arc::new(on_request));
        self
    }

    /// Adds a project, or an empty one with this id and name. The first project is the default one.
    /// Without any there is one, `org-local`.
    ///
    /// ```
    /// use uhub_local::{LocalUhub, Project, Repository};
    ///
    /// let team = Project::new("org-b", "Team B").repository(Repository::new("base"));
    /// let builder = LocalUhub::builder().project("org-a").project(team);
    /// ```
    pub fn project(mut self, project: impl Into<Project>) -> Self {
        self.data.projects.push(project.into());
        self
    }

    /// Adds a repository to the default project.
    pub fn repository(mut self, repository: Repository) -> Self {
        self.repositories.push(repository);
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
    /// enabled. It stops when the returned [`LocalUhub`] is dropped or the runtime shuts down. A
    /// program without async code needs a runtime with threads.
    ///
    /// # Errors
    ///
    /// - `InvalidInput`: the data is inconsistent, such as an empty or duplicate name. The message
    ///   has every problem.
    /// - `InvalidInput`: the address is not loopback, and [`allow_remote`](Self::allow_remote) is
    ///   not set.
    /// - Any other: the address cannot be bound, or no Tokio runtime is running.
    pub async fn start(mut self) -> io::Result<LocalUhub> {
        let address = self.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
        if !address.ip().is_loopback() && !self.allow_remote {
            return Err(invalid(format!(
                "{address} is not loopback: `allow_remote` is required to let other machines connect"
            )));
        }
        self.data.complete();
        self.data.projects[0].repositories.append(&mut self.repositories);
        let store = Store::new(self.data).map_err(|problems| {
            invalid(format!("the local server cannot start: {}", problems.join("; ")))
        })?;
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let listener = TcpListener::bind(address).await.map_err(|error| {
            let message = format!("the local server cannot listen at {address}: {error}");
            io::Error::new(error.kind(), message)
        })?;
        let address = listener.local_addr()?;
        let user = store.data.users[0].clone();
        let project_id = store.data.projects[0].id.clone();
        let shared = Arc::new(Shared {
            latency: self.latency,
            limits: self.limits,
            on_request: self.on_request,
            control: self.control.unwrap_or(address.ip().is_loopback()),
            hosts: AllowedHosts {
                names: self.allowed_hosts,
                any_address: !address.ip().is_loopback(),
            },
            idle: Arc::default(),
            phase: watch::Sender::new(Phase::Open),
            state: Mutex::new(State {
                store,
                faults: Faults::new(self.seed),
                log: Log::default(),
                metadata_requests: 0,
            }),
        });
        // Subscribed before the task runs, so that an early `unavailable_for` is seen.
        let phase = shared.phase.subscribe();
        let server = server::run(listener, address, Arc::clone(&shared), phase);
        Ok(LocalUhub {
            base_url: format!("http://{}/", reachable(address)),
            user,
            project_id,
            shared,
            task: runtime.spawn(server),
        })
    }
}

impl fmt::Debug for LocalUhubBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalUhubBuilder").field("data", &self.data).finish_non_exhaustive()
    }
}

/// The address by which this machine reaches a server that listens at `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        _ if !address.ip().is_unspecified() => address,
        SocketAddr::V4(_) => (Ipv4Addr::LOCALHOST, address.port()).into(),
        SocketAddr::V6(_) => (Ipv6Addr::LOCALHOST, address.port()).into(),
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

//! The handle of a running server.

use std::{fmt, io, sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::Instant};

use crate::data::{Data, User};
use crate::state::{Phase, Shared};
use crate::{data::store::Store, fault::Fault, fault::scope::Scope, log::ReceivedRequest};

/// A running local server. Dropping it stops it.
///
/// Each server has its own port, data and faults, so that any number can run at once. The data is
/// in memory.
///
/// Dropping the handle cuts every connection and returns at once, perhaps a moment before the port
/// is free. [`stop`](Self::stop) lets running requests finish and waits until everything is closed.
pub struct LocalUhub {
    pub(crate) base_url: String,
    pub(crate) user: User,
    pub(crate) project_id: String,
    pub(crate) shared: Arc<Shared>,
    pub(crate) task: JoinHandle<()>,
}

impl LocalUhub {
    /// The base URL: `http://127.0.0.1:PORT/`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The public key of the first user.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.user.public_key
    }

    /// The private key of the first user.
    #[must_use]
    pub fn private_key(&self) -> &str {
        &self.user.private_key
    }

    /// The security token of the first user, if its credentials are temporary.
    #[must_use]
    pub fn security_token(&self) -> Option<&str> {
        self.user.security_token.as_deref()
    }

    /// The id of the first project, which requests without a `ProjectId` use.
    #[must_use]
    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    /// Injects a fault into the next request. Faults form a queue: each request takes one.
    pub fn inject(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// Injects a fault into every request of the scope. A request takes at most one fault: the next
    /// of [`inject`](Self::inject)'s queue, or else that of the earliest matching scope.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use uhub_local::{Fault, LocalUhub, Scope};
    ///
    /// let server = LocalUhub::start().await?;
    /// // Every third listing is throttled.
    /// server.inject_on(Scope::action("GetRepo").every(3), Fault::throttled());
    /// // The first creation is executed, but its response is lost.
    /// let lost_response = Fault::CutConnection.after_execution();
    /// server.inject_on(Scope::action("CreateRepo").nth(1), lost_response);
    /// # Ok(())
    /// # }
    /// ```
    pub fn inject_on(&self, scope: Scope, fault: Fault) {
        self.shared.state().faults.add(scope, fault, Instant::now());
    }

    /// Removes the remaining faults. Requests that already have one keep it.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// Closes the port for a time, as during a restart of the service: running requests are
    /// answered, connections are closed, and new ones refused. The data is kept. A second call
    /// replaces the time.
    pub fn unavailable_for(&self, time: Duration) {
        self.shared.unavailable_for(time);
    }

    /// Sets how many seconds the server's clock is ahead of the system's. Negative means behind.
    ///
    /// The clock decides when temporary credentials expire and dates changes. A client sees what it
    /// would see if its own clock were wrong. It also expires credentials without waiting.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.shared.state().store.clock_offset = seconds;
    }

    /// The URL of the simulated metadata service: `http://127.0.0.1:PORT`, instead of the
    /// platform's `http://100.80.80.80`. It issues temporary credentials if the server has a
    /// [role](crate::LocalUhubBuilder::metadata_role).
    #[must_use]
    pub fn metadata_url(&self) -> &str {
        self.base_url.trim_end_matches('/')
    }

    /// The number of requests to the metadata service. They are not among
    /// [`requests`](Self::requests).
    #[must_use]
    pub fn metadata_requests(&self) -> usize {
        self.shared.state().metadata_requests
    }

    /// The log: every request that was read completely, in order of arrival, including refused
    /// ones.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.shared.state().log.to_vec()
    }

    /// The current data, without the credentials that the metadata service has issued.
    #[must_use]
    pub fn data(&self) -> Data {
        self.shared.state().store.data.clone()
    }

    /// Replaces the data, including the role, for a test that starts afresh. Issued temporary
    /// credentials become invalid; faults and the log stay.
    ///
    /// [`public_key`](Self::public_key) and similar methods keep returning the initial values.
    ///
    /// # Errors
    ///
    /// `InvalidInput`: the data is inconsistent, such as a duplicate name. The message has every
    /// problem, and the data is unchanged.
    pub fn set_data(&self, data: Data) -> io::Result<()> {
        let store = Store::new(data)
            .map_err(|problems| io::Error::new(io::ErrorKind::InvalidInput, problems.join("; ")))?;
        self.shared.state().store.replace(store);
        Ok(())
    }

    /// Stops the server: accepts no more requests, gives running ones two seconds to finish, ends
    /// hanging ones, and returns when the connections and the port are closed.
    ///
    /// # Errors
    ///
    /// The server's runtime has ended before. The server is stopped all the same.
    pub async fn stop(mut self) -> io::Result<()> {
        self.shared.phase.send_replace(Phase::Stopping);
        (&mut self.task).await.map_err(io::Error::other)
    }
}

impl Drop for LocalUhub {
    fn drop(&mut self) {
        // The task owns the connections.
        self.task.abort();
    }
}

impl fmt::Debug for LocalUhub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalUhub").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

//! The client, a handle on the state that its calls share.

use std::{fmt, sync::Arc};

use crate::{
    config::source::{ConfigSource, ConfigSources},
    exchange::state::ClientState,
};

/// A client of the service, with a method for each action.
///
/// It holds a connection pool and is cheap to clone: create one and share it between tasks,
/// threads and runtimes. Each runtime has its own connections. Failed calls are retried according
/// to the [`RetryPolicy`](crate::RetryPolicy). Dropping the future of a call cancels it. The
/// [guides](crate::guide) explain errors, credentials, pagination, testing and proxies.
///
/// # Panics
///
/// Calls need a Tokio runtime with timers and I/O enabled, as created by `#[tokio::main]` or
/// `enable_all`. Without a runtime, calls return an error; in a runtime without timers or I/O,
/// Tokio panics.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> Result<(), uhub_sdk::Error> {
/// let client = uhub_sdk::Client::from_env()?;
/// let response: serde_json::Value = client.action("DescribeSomethingNew").send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(pub(crate) Arc<ClientState>);

impl Client {
    /// Returns where the settings of this client came from: the builder, the environment, a profile,
    /// the fallback credentials provider or a default. Contains no values.
    #[must_use]
    pub fn config_sources(&self) -> &ConfigSources {
        &self.0.sources
    }
}

#[allow(dead_code, reason = "not every service has such a parameter")]
impl Client {
    /// Returns the value of a parameter of calls that do not set it.
    pub(crate) fn parameter(&self, wire: &str) -> Option<&str> {
        let mut defaults = self.0.defaults.iter();
        defaults.find(|(name, _)| *name == wire).map(|(_, value)| &**value)
    }

    /// Returns a client with another value of such a parameter.
    pub(crate) fn with_parameter(&self, wire: &'static str, value: String) -> Self {
        let mut state = (*self.0).clone();
        state.defaults.retain(|(name, _)| *name != wire);
        state.defaults.push((wire, value));
        state.sources.parameters.insert(wire, ConfigSource::Explicit);
        Self(Arc::new(state))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = &*self.0;
        f.debug_struct("Client")
            .field("base_url", &state.endpoint.to_string())
            .field("encoding", &state.encoding)
            .field("attempt_timeout", &state.attempt_timeout)
            .field("timeout", &state.timeout)
            .field("retry", &state.retry)
            .field("sources", &state.sources)
            .finish_non_exhaustive()
    }
}

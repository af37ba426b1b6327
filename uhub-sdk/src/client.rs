//! The client, a handle on the state that its calls share.

use std::{fmt, sync::Arc};

use crate::{
    actions::service::PROJECT_PARAMETER,
    config::source::{ConfigSource, ConfigSources},
    exchange::state::ClientState,
};

/// A client of UHub.
///
/// It holds a connection pool and is cheap to clone: create one and share it between tasks,
/// threads and runtimes. Each runtime has its own connections. Failed calls are retried according
/// to the [`RetryPolicy`](crate::RetryPolicy). Dropping the future of a call cancels it.
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
/// let page = client.get_repo_image("base").limit(50).send().await?;
/// for image in page.images {
///     println!("{}:{}", image.image_name, image.latest_tag);
/// }
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

impl Client {
    /// Returns the project of calls that name none. `None` is the account's default project.
    #[must_use]
    pub fn project_id(&self) -> Option<&str> {
        let defaults = &self.0.defaults;
        defaults.iter().find(|(name, _)| *name == PROJECT_PARAMETER).map(|(_, value)| &**value)
    }

    /// Returns a client whose calls use this project, unless they name one. It shares the
    /// connections, the credentials and the retry budget with this client, and costs little.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: uhub_sdk::Client) -> Result<(), uhub_sdk::Error> {
    /// for project in client.get_project_list().send().await?.projects {
    ///     let mut images = client.with_project_id(project.project_id).get_repo_image("base").items();
    ///     while let Some(image) = images.next().await {
    ///         println!("{}", image?.image_name);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_project_id(&self, value: impl Into<String>) -> Self {
        let mut state = (*self.0).clone();
        state.defaults.retain(|(name, _)| *name != PROJECT_PARAMETER);
        state.defaults.push((PROJECT_PARAMETER, value.into()));
        state.sources.project_id = Some(ConfigSource::Explicit);
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

//! The client.

use std::{fmt, sync::Arc};

use crate::{config::source::ConfigSources, exchange::state::ClientState};

/// A client of UHub.
///
/// It holds a pool of connections and is cheap to clone: make one, and share it between tasks and threads.
/// A call that fails is repeated where that can do no harm, as its [`RetryPolicy`] has it. Dropping the
/// future of a call ends it.
///
/// # Panics
///
/// Calls have to be made within a Tokio runtime that has its timers and its I/O enabled, as
/// `#[tokio::main]` and `enable_all` make it. Without a runtime they are an error; within one that has
/// neither, Tokio panics.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> Result<(), uhub_sdk::Error> {
/// let client = uhub_sdk::Client::from_env()?;
/// let page = client.get_repo_image("base").limit(50).send().await?;
/// for image in page.image_set {
///     println!("{}:{}", image.image_name, image.latest_tag);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(pub(crate) Arc<ClientState>);

impl Client {
    /// Where this client's settings come from: which of them from the builder, which from the environment,
    /// which from a file. It holds none of the values.
    #[must_use]
    pub fn config_sources(&self) -> &ConfigSources {
        &self.0.sources
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ClientState {
            endpoint,
            encoding,
            attempt_timeout,
            timeout,
            retry,
            sources,
            ..
        } = &*self.0;
        f.debug_struct("Client")
            .field("base_url", &endpoint.to_string())
            .field("encoding", encoding)
            .field("attempt_timeout", attempt_timeout)
            .field("timeout", timeout)
            .field("retry", retry)
            .field("sources", sources)
            .finish_non_exhaustive()
    }
}

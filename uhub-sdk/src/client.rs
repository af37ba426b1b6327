//! The client.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Uri;

use crate::{
    action::Action,
    call::Call,
    call::untyped::UntypedCall,
    config::builder::ClientBuilder,
    config::source::Sources,
    credentials::cache::Keys,
    error::Error,
    exchange::observer::Observer,
    exchange::retry::{Budget, RetryPolicy},
    transport::Transport,
    wire::decode::{Note, Oddity},
    wire::encode::Encoding,
};

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
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) keys: Keys,
    pub(crate) endpoint: Uri,
    pub(crate) encoding: Encoding,
    /// Sent where a call leaves them out.
    pub(crate) defaults: Vec<(&'static str, String)>,
    pub(crate) attempt_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: Budget,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) sources: Sources,
    /// What has been said already of responses that are not as documented.
    pub(crate) reported: Mutex<HashSet<(&'static str, Note)>>,
}

impl Client {
    /// A client with keys and settings from the environment; [`ClientBuilder::from_env`] has their names.
    ///
    /// # Errors
    ///
    /// What [`ClientBuilder::from_env`] and [`ClientBuilder::build`] say.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build()
    }

    /// Where this client's settings come from: which of them from the builder, which from the environment,
    /// which from a file. It holds none of the values.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.0.sources
    }

    /// A client to be set up.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Makes a call of a request: options can be set on it before it is sent.
    pub fn call<R: Action>(&self, request: R) -> Call<R> {
        Call::new(self.clone(), request)
    }

    /// Begins a call of an action that this crate has no types for.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: uhub_sdk::Client) -> Result<(), uhub_sdk::Error> {
    /// let call = client.action("DescribeSomethingNew").param("Limit", 1);
    /// let answer: serde_json::Value = call.send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn action(&self, name: impl Into<String>) -> UntypedCall {
        UntypedCall::new(self.clone(), name.into())
    }

    /// Sends a request.
    ///
    /// # Errors
    ///
    /// Whatever kept the service from doing what was asked, or its answer from being understood.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: uhub_sdk::Client) -> Result<(), uhub_sdk::Error> {
    /// use uhub_sdk::actions::get_repo_image::GetRepoImageRequest;
    ///
    /// let request = GetRepoImageRequest::new("base").limit(50);
    /// let page = client.send(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send<R: Action>(&self, request: R) -> Result<R::Response, Error> {
        self.call(request).send().await
    }
}

impl Inner {
    /// Says once what a response had that the documentation has otherwise.
    pub(crate) fn report(&self, action: &'static str, notes: Vec<Note>) {
        for note in notes {
            let Ok(mut reported) = self.reported.lock() else {
                return;
            };
            if !reported.insert((action, note)) {
                continue;
            }
            drop(reported);
            let Note { model, field, what } = note;
            match what {
                Oddity::Missing => {
                    tracing::warn!(
                        action,
                        model,
                        field,
                        "a required field is missing from a response: it is empty here"
                    );
                }
                Oddity::Coerced { from, to } => {
                    tracing::debug!(
                        action,
                        model,
                        field,
                        from,
                        to,
                        "a field came as another type than documented"
                    );
                }
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
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

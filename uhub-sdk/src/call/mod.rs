//! One call, from its parameters to its response.

pub(crate) mod page_plan;
pub(crate) mod pages;
pub(crate) mod untyped;

use std::time::Duration;

use crate::{
    action::Action,
    client::Client,
    error::Error,
    exchange::retry::RetryPolicy,
    exchange::{Exchange, Metadata, Options},
    wire::decode::Warnings,
    wire::envelope,
};

/// A call of an action: its request, and options for this one time.
///
/// Methods named after parameters set parameters; methods that begin with `with_` set options.
///
/// `C` is the client that sends it: [`Client`], or the blocking one.
#[derive(Debug, Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct Call<R, C = Client> {
    pub(crate) client: C,
    pub(crate) request: R,
    pub(crate) options: Options,
    pub(crate) read_ahead: usize,
}

impl Client {
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
    pub fn action(&self, name: impl Into<String>) -> untyped::UntypedCall {
        untyped::UntypedCall::new(self.clone(), name.into())
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

impl<R: Action, C> Call<R, C> {
    pub(crate) fn new(client: C, request: R) -> Self {
        Self {
            client,
            request,
            options: Options::default(),
            read_ahead: 1,
        }
    }

    /// How long this call may take in all, in place of the client's
    /// [`timeout`](crate::ClientBuilder::timeout). One attempt still takes no longer than
    /// [`attempt_timeout`](crate::ClientBuilder::attempt_timeout).
    pub fn with_timeout(mut self, value: Duration) -> Self {
        self.options.timeout = Some(value);
        self
    }

    /// How often this call is repeated, and after what waits, in place of the client's
    /// [`retry`](crate::ClientBuilder::retry).
    pub fn with_retry(mut self, value: RetryPolicy) -> Self {
        self.options.retry = Some(value);
        self
    }

    /// The request as it stands.
    pub fn request(&self) -> &R {
        &self.request
    }

    /// The request alone, to keep it or to send it elsewhere.
    pub fn into_request(self) -> R {
        self.request
    }

    /// How many pages are asked for ahead of the one that is read, where the call's pages are walked.
    /// Default: 1; at most 64. With 0, a page is asked for when the one before it has been read.
    pub fn with_read_ahead(mut self, pages: usize) -> Self {
        self.read_ahead = pages.min(64);
        self
    }
}

impl<R: Action> Call<R> {
    /// Sends the call.
    ///
    /// # Errors
    ///
    /// Whatever kept the service from doing what was asked, or its answer from being understood.
    pub async fn send(self) -> Result<R::Response, Error> {
        self.send_with_metadata()
            .await
            .map(|(response, _)| response)
    }

    /// Sends the call, and returns what came with the response as well.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_with_metadata(self) -> Result<(R::Response, Metadata), Error> {
        let Self {
            client,
            request,
            options,
            ..
        } = self;
        let exchange = Exchange {
            action: R::NAME,
            idempotency: R::IDEMPOTENCY,
            options: &options,
        };
        let read = |body: &[u8]| {
            let warnings = Warnings::default();
            let answer = envelope::read(body, &warnings)?;
            client.0.report(R::NAME, warnings.take());
            Ok(answer)
        };
        exchange
            .run(&client.0, |to| request.add_parameters(to), read)
            .await
    }
}

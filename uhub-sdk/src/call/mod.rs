//! A typed call, with its options.

pub(crate) mod page_plan;
pub(crate) mod pages;
pub(crate) mod untyped;

use std::time::Duration;

use crate::{
    action::{Action, Idempotency},
    client::Client,
    error::Error,
    exchange::{Exchange, Options, judge::ResponseMetadata, reading::Read, retry::RetryPolicy},
    transport::BoxFuture,
    wire::{
        decode::{Model, Reading, Warning},
        envelope::{self, ReadResult},
    },
};

/// A call of an action: its request and its options.
///
/// Methods named after parameters set parameters; methods that begin with `with_` set options. Send
/// it with [`send`](Self::send), or await it directly.
///
/// `C` is the client that sends it: [`Client`], or the client of the module `blocking`.
#[derive(Debug, Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct Call<R, C = Client> {
    pub(crate) client: C,
    pub(crate) request: R,
    pub(crate) options: Options,
    pub(crate) read_ahead: usize,
}

// These methods are here and not in `client`, so that the two modules do not import each other.
impl Client {
    /// Creates a call of a request.
    pub fn call<R: Action>(&self, request: R) -> Call<R> {
        Call::new(self.clone(), request)
    }

    /// Sends a request.
    ///
    /// # Errors
    ///
    /// As [`Call::send`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use uhub_sdk::{Action, Client, Error};
    /// # async fn example<R: Action>(client: Client, request: R) -> Result<(), Error> {
    /// let response = client.send(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send<R: Action>(&self, request: R) -> Result<R::Response, Error> {
        self.call(request).send().await
    }
}

impl<R, C> Call<R, C> {
    pub(crate) fn new(client: C, request: R) -> Self {
        Self { client, request, options: Options::default(), read_ahead: 1 }
    }

    /// Sets the timeout of this call, including all attempts. Defaults to the client's
    /// [`timeout`](crate::ClientBuilder::timeout). Each attempt is still bounded by
    /// [`attempt_timeout`](crate::ClientBuilder::attempt_timeout).
    ///
    /// A timeout shorter than the [`connect_timeout`](crate::ClientBuilder::connect_timeout) can
    /// elapse while connecting. The error is then of kind [`Timeout`](crate::ErrorKind::Timeout)
    /// with [`Execution::Unknown`](crate::Execution::Unknown), although nothing was sent.
    pub fn with_timeout(mut self, value: Duration) -> Self {
        self.options.timeout = Some(value);
        self
    }

    /// Sets the retry policy of this call. Defaults to the client's
    /// [`retry`](crate::ClientBuilder::retry).
    pub fn with_retry(mut self, value: RetryPolicy) -> Self {
        self.options.retry = Some(value);
        self
    }

    /// Sets whether the call may be retried after an attempt that may have been executed. Defaults
    /// to what the documentation of the action allows; to [`Idempotency::NonIdempotent`] for an
    /// untyped call.
    ///
    /// Calls of an action that is not idempotent may take effect twice: set another value only if
    /// that does no harm in this case.
    ///
    /// # Examples
    ///
    /// An untyped call that only reads:
    ///
    /// ```no_run
    /// # async fn example(client: uhub_sdk::Client) -> Result<(), uhub_sdk::Error> {
    /// use uhub_sdk::Idempotency;
    ///
    /// let call = client.action("DescribeSomethingNew").with_idempotency(Idempotency::Safe);
    /// let response: serde_json::Value = call.send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_idempotency(mut self, value: Idempotency) -> Self {
        self.options.idempotency = Some(value);
        self
    }

    /// Sets how many pages are fetched ahead during pagination. Defaults to 1, at most 64. With 0,
    /// a page is fetched once the previous one has been read.
    pub fn with_read_ahead(mut self, pages: usize) -> Self {
        self.read_ahead = pages.min(64);
        self
    }

    /// Returns the request.
    pub fn request(&self) -> &R {
        &self.request
    }

    /// Returns the request without client and options.
    pub fn into_request(self) -> R {
        self.request
    }
}

impl<R: Action> Call<R> {
    /// Sends the call and returns its response.
    ///
    /// # Errors
    ///
    /// Any [`ErrorKind`](crate::ErrorKind): the call could not be sent, the service refused it, or
    /// its response could not be read.
    pub async fn send(self) -> Result<R::Response, Error> {
        let (response, _) = self.send_with_metadata().await?;
        Ok(response)
    }

    /// Sends the call and returns its response with its metadata: the request's id, the headers,
    /// the number of attempts, and what the response has beyond its type.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use uhub_sdk::{Action, Call, Error};
    /// # async fn example<R: Action>(call: Call<R>) -> Result<(), Error> {
    /// let (response, metadata) = call.send_with_metadata().await?;
    /// println!("{} attempts, {:?}", metadata.attempts, metadata.elapsed);
    /// println!("new fields: {:?}", metadata.unknown_fields());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send_with_metadata(self) -> Result<(R::Response, ResponseMetadata), Error> {
        let Self { client, request, options, .. } = self;
        let exchange = Exchange {
            action: R::NAME,
            idempotency: R::IDEMPOTENCY,
            secret_names: R::SECRETS,
            options: &options,
        };
        let read = Read {
            read: read_with_warnings,
            limit: request.page_limit(),
            known_fields: Some(envelope::is_known::<R::Response>),
        };
        let ((response, warnings), metadata) =
            exchange.run(&client.0, |to| request.add_parameters(to), read).await?;
        client.0.report(R::NAME, warnings);
        Ok((response, metadata))
    }
}

fn read_with_warnings<M: Model>(body: &[u8], reading: &Reading) -> ReadResult<(M, Vec<Warning>)> {
    let (model, envelope) = envelope::read(body, reading)?;
    Ok(((model, reading.take_warnings()), envelope))
}

/// Sends the call, like [`Call::send`].
impl<R: Action + 'static> IntoFuture for Call<R> {
    type Output = Result<R::Response, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

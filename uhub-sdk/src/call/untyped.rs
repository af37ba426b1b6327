//! Calls of actions that this crate has no types for.

use std::{fmt, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    action::Idempotency,
    client::Client,
    error::Error,
    exchange::{Exchange, Options, judge::Metadata, retry::RetryPolicy},
    wire::{envelope, parameters::Parameters},
};

/// A call of an action by name, created by [`Client::action`].
///
/// It is signed, sent and retried like any other call. Its response is deserialized strictly,
/// without the tolerance that typed calls have.
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct UntypedCall<C = Client> {
    pub(crate) client: C,
    action: String,
    /// `None` is an empty string.
    parameters: Vec<(String, Option<Value>)>,
    idempotency: Idempotency,
    options: Options,
}

impl<C> UntypedCall<C> {
    pub(crate) fn new(client: C, action: String) -> Self {
        Self {
            client,
            action,
            parameters: Vec::new(),
            idempotency: Idempotency::NonIdempotent,
            options: Options::default(),
        }
    }

    /// Sets a parameter by its documented name. Arrays and objects become `Name.0` and
    /// `Name.Field`.
    ///
    /// Sending the call fails if a parameter is set twice, is `null` or empty (the service would
    /// treat it as absent), or is one that the client sets, such as `Signature`.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.push((name.into(), Some(value.into())));
        self
    }

    /// Sets a parameter to the empty string. Some actions treat it as absent, which may mean "all":
    /// check that this one does not.
    pub fn param_empty(mut self, name: impl Into<String>) -> Self {
        self.parameters.push((name.into(), None));
        self
    }

    /// Sets whether the action may be retried after an attempt that may have been executed.
    /// Defaults to [`Idempotency::NonIdempotent`].
    pub fn with_idempotency(mut self, value: Idempotency) -> Self {
        self.idempotency = value;
        self
    }

    /// Sets the timeout of this call; see [`Call::with_timeout`](crate::Call::with_timeout).
    pub fn with_timeout(mut self, value: Duration) -> Self {
        self.options.timeout = Some(value);
        self
    }

    /// Sets the retry policy of this call; see [`Call::with_retry`](crate::Call::with_retry).
    pub fn with_retry(mut self, value: RetryPolicy) -> Self {
        self.options.retry = Some(value);
        self
    }

    /// Replaces the client.
    #[cfg(feature = "blocking")]
    pub(crate) fn with_client<D>(self, client: D) -> UntypedCall<D> {
        UntypedCall {
            client,
            action: self.action,
            parameters: self.parameters,
            idempotency: self.idempotency,
            options: self.options,
        }
    }
}

impl UntypedCall {
    /// Sends the call and deserializes the whole body, including `RetCode`.
    ///
    /// # Errors
    ///
    /// As [`Call::send`](crate::Call::send).
    pub async fn send<T: DeserializeOwned>(self) -> Result<T, Error> {
        let (response, _) = self.send_with_metadata().await?;
        Ok(response)
    }

    /// Sends the call and returns its response with the request's id and the service's message.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_with_metadata<T: DeserializeOwned>(self) -> Result<(T, Metadata), Error> {
        let exchange = Exchange {
            action: &self.action,
            idempotency: self.idempotency,
            options: &self.options,
        };
        let add = |to: &mut Parameters<'_>| {
            for (name, value) in &self.parameters {
                match value {
                    Some(value) => to.add_json(name, value),
                    None => to.add_empty(name),
                }
            }
            to.complete();
        };
        exchange.run(&self.client.0, add, envelope::read_untyped).await
    }
}

/// Shows only the names of the parameters: a value may be a password.
impl<C> fmt::Debug for UntypedCall<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.parameters.iter().map(|(name, _)| name).collect();
        f.debug_struct("UntypedCall")
            .field("action", &self.action)
            .field("parameters", &names)
            .field("idempotency", &self.idempotency)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

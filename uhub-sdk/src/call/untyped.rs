//! Calls of actions that this crate has no types for.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    action::Idempotency,
    call::Call,
    client::Client,
    error::Error,
    exchange::{Exchange, judge::Metadata},
    wire::{envelope, parameters::Parameters},
};

/// A call of an action by name, created by [`Client::action`].
///
/// It is signed, sent and retried like any other call. Its response is deserialized strictly,
/// without the tolerance that typed calls have.
pub type UntypedCall<C = Client> = Call<UntypedRequest, C>;

/// The request of an [`UntypedCall`].
#[derive(Clone)]
pub struct UntypedRequest {
    action: String,
    /// `None` is an empty string.
    parameters: Vec<(String, Option<Value>)>,
    idempotency: Idempotency,
}

impl UntypedRequest {
    pub(crate) fn new(action: impl Into<String>) -> Self {
        let idempotency = Idempotency::NonIdempotent;
        Self { action: action.into(), parameters: Vec::new(), idempotency }
    }
}

impl Client {
    /// Creates a call of an action that this crate has no types for.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: uhub_sdk::Client) -> Result<(), uhub_sdk::Error> {
    /// let call = client.action("DescribeSomethingNew").param("Limit", 1);
    /// let response: serde_json::Value = call.send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn action(&self, name: impl Into<String>) -> UntypedCall {
        Call::new(self.clone(), UntypedRequest::new(name))
    }
}

impl<C> UntypedCall<C> {
    /// Sets a parameter by its documented name. Arrays and objects become `Name.0` and
    /// `Name.Field`.
    ///
    /// Sending the call fails if a parameter is set twice, is `null` or empty (the service would
    /// treat it as absent), or is reserved for the client, such as `Signature`.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.request.parameters.push((name.into(), Some(value.into())));
        self
    }

    /// Sets a parameter to the empty string. Some actions treat it as absent, which may mean "all":
    /// check that this one does not.
    pub fn param_empty(mut self, name: impl Into<String>) -> Self {
        self.request.parameters.push((name.into(), None));
        self
    }

    /// Sets whether the action may be retried after an attempt that may have been executed.
    /// Defaults to [`Idempotency::NonIdempotent`].
    pub fn with_idempotency(mut self, value: Idempotency) -> Self {
        self.request.idempotency = value;
        self
    }
}

impl UntypedCall {
    /// Sends the call and deserializes the whole body, including `RetCode`.
    ///
    /// # Errors
    ///
    /// As the [`send`](Call::send) of a typed call.
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
        let UntypedRequest { action, parameters, idempotency } = &self.request;
        let exchange = Exchange { action, idempotency: *idempotency, options: &self.options };
        let add = |to: &mut Parameters<'_>| {
            for (name, value) in parameters {
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
impl fmt::Debug for UntypedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.parameters.iter().map(|(name, _)| name).collect();
        f.debug_struct("UntypedRequest")
            .field("action", &self.action)
            .field("parameters", &names)
            .field("idempotency", &self.idempotency)
            .finish()
    }
}

//! Calls of actions that this crate has no types for.

use std::{collections::HashSet, fmt};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    action::Idempotency,
    call::Call,
    client::Client,
    error::{Error, ErrorKind},
    exchange::{Exchange, failure::not_signed, judge::ResponseMetadata, reading::Read},
    transport::BoxFuture,
    wire::{envelope, parameters::Parameters},
};

/// The parameters that the client sets.
const RESERVED: [&str; 4] = ["Action", "PublicKey", "SecurityToken", "Signature"];

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
}

impl UntypedRequest {
    pub(crate) fn new(action: impl Into<String>) -> Self {
        Self { action: action.into(), parameters: Vec::new() }
    }

    /// Returns the error of a request that must not be sent.
    fn check(&self) -> Result<(), Error> {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.action.is_empty() || !self.action.chars().all(is_letter) {
            // The error of a call begins with the name of its action, and this is none.
            let summary = format!(
                "{:?} cannot name an action: expected letters and digits, as in `DescribeSomething`.",
                self.action
            );
            return Err(Error::request(&summary));
        }
        let mut names = HashSet::new();
        let problem = self.parameters.iter().find_map(|(name, _)| {
            let is_invalid = |c: char| c.is_control() || c.is_whitespace();
            if name.is_empty() || name.contains(is_invalid) {
                Some(format!(
                    "{name:?} cannot name a parameter: remove the parameter or rename it."
                ))
            } else if RESERVED.contains(&name.as_str()) {
                Some(format!("the client itself sets the parameter `{name}`: remove it."))
            } else if !names.insert(name) {
                Some(format!("the parameter `{name}` is set twice: remove one of the two."))
            } else {
                None
            }
        });
        match problem {
            Some(problem) => Err(not_signed(ErrorKind::Request, &self.action, &problem)),
            None => Ok(()),
        }
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
    /// Sending the call fails with an error of kind [`Request`](ErrorKind::Request) if a parameter
    /// is set twice, is `null` or empty (the service would treat it as absent), or is one that the
    /// client sets: `Action`, `PublicKey`, `SecurityToken`, `Signature`.
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
}

impl UntypedCall {
    /// Sends the call and deserializes the whole body, including `RetCode`.
    ///
    /// # Errors
    ///
    /// As the [`send`](Call::send) of a typed call.
    pub async fn send<T: DeserializeOwned + Send + 'static>(self) -> Result<T, Error> {
        let (response, _) = self.send_with_metadata().await?;
        Ok(response)
    }

    /// Sends the call and returns its response with its metadata.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_with_metadata<T: DeserializeOwned + Send + 'static>(
        self,
    ) -> Result<(T, ResponseMetadata), Error> {
        self.request.check()?;
        let UntypedRequest { action, parameters } = &self.request;
        let idempotency = Idempotency::NonIdempotent;
        let exchange = Exchange { action, idempotency, secret_names: &[], options: &self.options };
        let add = |to: &mut Parameters<'_>| {
            for (name, value) in parameters {
                match value {
                    Some(value) => to.add_json(name, value),
                    None => to.add_empty(name),
                }
            }
            to.complete();
        };
        let read = Read { read: envelope::read_untyped, limit: None, known_fields: None };
        exchange.run(&self.client.0, add, read).await
    }
}

/// Sends the call and returns the whole body, including `RetCode`.
impl IntoFuture for UntypedCall {
    type Output = Result<Value, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Shows only the names of the parameters: a value may be a password.
impl fmt::Debug for UntypedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.parameters.iter().map(|(name, _)| name).collect();
        f.debug_struct("UntypedRequest")
            .field("action", &self.action)
            .field("parameters", &names)
            .finish()
    }
}

//! Calls of actions that the spec does not have yet.

use std::{fmt, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    action::Idempotency,
    client::Client,
    error::Error,
    exchange::retry::RetryPolicy,
    exchange::{Exchange, Metadata, Options},
    wire::envelope,
};

/// A call of an action by its name, with the parameters by theirs: [`Client::action`] begins one.
///
/// It is signed, sent and judged as any other call. Of the answer it gives what can be deserialized from
/// it, without the tolerance that typed actions have.
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct UntypedCall<C = Client> {
    pub(crate) client: C,
    action: String,
    /// Nothing is an empty text.
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

    /// Sets a parameter, by its documented name. Lists and objects become `Name.0` and `Name.Field`.
    ///
    /// The call is refused before it is sent where a parameter is given twice, is `null`, is empty (the
    /// service would take it for one that is not there), or is one that every call has.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.push((name.into(), Some(value.into())));
        self
    }

    /// Sets a parameter to an empty text. The service may take it for one that is not there, which
    /// some actions take for "all": be sure that this one does not.
    pub fn param_empty(mut self, name: impl Into<String>) -> Self {
        self.parameters.push((name.into(), None));
        self
    }

    /// Whether the action may be sent a second time where the first may have been carried out. Default:
    /// [`Idempotency::NonIdempotent`].
    pub fn with_idempotency(mut self, value: Idempotency) -> Self {
        self.idempotency = value;
        self
    }

    /// How long this call may take in all; see [`Call::with_timeout`](crate::Call::with_timeout).
    pub fn with_timeout(mut self, value: Duration) -> Self {
        self.options.timeout = Some(value);
        self
    }

    /// How often this call is repeated, and after what waits; see
    /// [`Call::with_retry`](crate::Call::with_retry).
    pub fn with_retry(mut self, value: RetryPolicy) -> Self {
        self.options.retry = Some(value);
        self
    }

    /// The same call by another client.
    #[cfg(feature = "blocking")]
    pub(crate) fn by<D>(self, client: D) -> UntypedCall<D> {
        let Self {
            action,
            parameters,
            idempotency,
            options,
            ..
        } = self;
        UntypedCall {
            client,
            action,
            parameters,
            idempotency,
            options,
        }
    }
}

impl UntypedCall {
    /// Sends the call. `T` is made from the whole body, `RetCode` and all.
    ///
    /// # Errors
    ///
    /// Whatever kept the service from doing what was asked, or its answer from being a `T`.
    pub async fn send<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.send_with_metadata()
            .await
            .map(|(response, _)| response)
    }

    /// Sends the call, and returns what came with the response as well.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_with_metadata<T: DeserializeOwned>(self) -> Result<(T, Metadata), Error> {
        let Self {
            client,
            action,
            parameters,
            idempotency,
            options,
        } = &self;
        let exchange = Exchange {
            action,
            idempotency: *idempotency,
            options,
        };
        let add = |to: &mut crate::wire::parameters::Parameters<'_>| {
            for (name, value) in parameters {
                match value {
                    Some(value) => to.add_json(name, value),
                    None => to.add_empty(name),
                }
            }
            to.complete();
        };
        exchange.run(&client.0, add, envelope::read_untyped).await
    }
}

/// The names of the parameters alone: a value may be a password.
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

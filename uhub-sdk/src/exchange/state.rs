//! What all calls of a client share.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Uri;

use crate::{
    config::source::ConfigSources,
    credentials::cache::Keys,
    exchange::{
        observer::Observer,
        retry::{RetryBudget, RetryPolicy},
    },
    transport::Transport,
    wire::{
        decode::{Mismatch, Warning},
        encode::Encoding,
    },
};

pub(crate) struct ClientState {
    pub(crate) keys: Keys,
    pub(crate) endpoint: Uri,
    pub(crate) encoding: Encoding,
    /// Sent where a call leaves them out.
    pub(crate) defaults: Vec<(&'static str, String)>,
    pub(crate) attempt_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: RetryBudget,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) sources: ConfigSources,
    /// What has been said already of responses that are not as documented.
    pub(crate) reported: Mutex<HashSet<(&'static str, Warning)>>,
}

impl ClientState {
    /// Says once what a response had that the documentation has otherwise.
    pub(crate) fn report(&self, action: &'static str, warnings: Vec<Warning>) {
        for note in warnings {
            let Ok(mut reported) = self.reported.lock() else {
                return;
            };
            if !reported.insert((action, note)) {
                continue;
            }
            drop(reported);
            let Warning { model, field, what } = note;
            match what {
                Mismatch::Missing => {
                    tracing::warn!(
                        action,
                        model,
                        field,
                        "a required field is missing from a response: it is empty here"
                    );
                }
                Mismatch::Coerced { from, to } => {
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

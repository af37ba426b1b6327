//! The state that all calls of a client share.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Uri;

use crate::{
    config::source::ConfigSources,
    credentials::cache::CredentialsSource,
    exchange::{
        observer::Observer, retry::RetryPolicy, retry_budget::RetryBudget,
        tracing::response_warning,
    },
    transport::Transport,
    wire::{decode::Warning, encode::Encoding},
};

pub(crate) struct ClientState {
    pub(crate) credentials: CredentialsSource,
    pub(crate) endpoint: Uri,
    pub(crate) encoding: Encoding,
    /// Parameters that are sent unless the call sets them.
    pub(crate) defaults: Vec<(&'static str, String)>,
    pub(crate) attempt_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: RetryBudget,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) sources: ConfigSources,
    /// The warnings about responses that have been traced already.
    pub(crate) reported: Mutex<HashSet<(&'static str, Warning)>>,
}

impl ClientState {
    /// Traces each new warning about a response of this action.
    pub(crate) fn report(&self, action: &'static str, warnings: Vec<Warning>) {
        for warning in warnings {
            let Ok(mut reported) = self.reported.lock() else {
                return;
            };
            let is_new = reported.insert((action, warning));
            drop(reported);
            if is_new {
                response_warning(action, warning);
            }
        }
    }
}

//! The state that all calls of a client share.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{HeaderMap, Uri};
use zeroize::Zeroizing;

use crate::{
    config::source::ConfigSources,
    credentials::cache::CredentialsSource,
    exchange::{
        observer::Observer, retry::RetryPolicy, retry_budget::RetryBudget, slots::Slots,
        tracing::response_warning,
    },
    ret_code::{RetCode, RetCodeOutcome},
    transport::Transport,
    wire::{decode::Warning, encode::Encoding},
};

/// Clones share everything that calls change.
#[derive(Clone)]
pub(crate) struct ClientState {
    pub(crate) credentials: CredentialsSource,
    pub(crate) endpoint: Uri,
    pub(crate) encoding: Encoding,
    /// The headers of every request.
    pub(crate) headers: HeaderMap,
    /// Parameters that are sent unless the call sets them.
    pub(crate) defaults: Vec<(&'static str, String)>,
    pub(crate) attempt_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: Arc<RetryBudget>,
    /// Bounds the attempts in flight.
    pub(crate) slots: Option<Slots>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) sources: ConfigSources,
    /// The warnings about responses that have been traced already.
    pub(crate) reported: Arc<Mutex<HashSet<(&'static str, Warning)>>>,
    /// What return codes mean, where the program knows it better than the documentation.
    pub(crate) outcomes: Vec<(RetCode, RetCodeOutcome)>,
    /// What authenticates to the proxies that calls may go through, and extra headers.
    pub(crate) other_secrets: Arc<[Zeroizing<String>]>,
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

//! A cache of a provider's credentials, which refreshes them before they expire.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::Poll,
    time::{Duration, Instant, SystemTime},
};

use tokio::{
    runtime::{Handle, Id},
    sync::watch,
    time::{timeout, timeout_at},
};

use crate::{
    credentials::key_pair::Credentials,
    credentials::{ProvideCredentials, ProviderError},
    error::{Seconds, printable},
};

/// How long before expiry to refresh credentials. A short lifetime is refreshed at 3/4.
const REFRESH_MARGIN: Duration = Duration::from_secs(300);
/// How long to use new credentials that have already expired by this machine's clock.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);
/// The default of `ClientBuilder::credentials_timeout`.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait for a refresh on another runtime, which may be alive and no longer driven.
const PATIENCE_WITH_OTHER_RUNTIMES: Duration = Duration::from_secs(1);
/// How often one caller starts a refresh. A runtime that shuts down cancels every one.
const MAX_STARTS: usize = 3;
/// The pause after a failed refresh while the cached credentials are valid.
const PAUSE_IF_VALID: Duration = Duration::from_secs(10);
/// The pause after a failed refresh without valid credentials.
const PAUSE_IF_MISSING: Duration = Duration::from_secs(1);

type CredentialsResult = Result<Arc<Credentials>, ProviderError>;

/// The credentials that a client signs with.
#[derive(Clone)]
pub(crate) enum CredentialsSource {
    Static(Arc<Credentials>),
    Provider(Arc<CachedCredentials>),
}

impl From<Credentials> for CredentialsSource {
    fn from(credentials: Credentials) -> Self {
        Self::Static(Arc::new(credentials))
    }
}

impl CredentialsSource {
    pub(crate) fn provider(provider: Arc<dyn ProvideCredentials>) -> Self {
        Self::Provider(Arc::new(CachedCredentials::new(provider, PROVIDER_TIMEOUT)))
    }

    /// Sets the timeout of the provider. The cache is new, so that no two clients share one.
    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        match self {
            Self::Static(_) => self,
            Self::Provider(cache) => {
                let provider = Arc::clone(&cache.provider);
                Self::Provider(Arc::new(CachedCredentials::new(provider, timeout)))
            }
        }
    }

    /// Returns credentials that need no refresh, if there are any.
    pub(crate) fn cached(&self) -> Option<Arc<Credentials>> {
        match self {
            Self::Static(credentials) => Some(Arc::clone(credentials)),
            Self::Provider(cache) => match cache.state().lookup(Instant::now()) {
                Lookup::Fresh(credentials) => Some(credentials),
                _ => None,
            },
        }
    }

    /// Returns valid credentials, from the provider if necessary.
    pub(crate) async fn get(&self) -> CredentialsResult {
        match self {
            Self::Static(credentials) => Ok(Arc::clone(credentials)),
            Self::Provider(cache) => cache.get().await,
        }
    }

    /// Drops credentials whose token the service rejected. Returns whether a retry may get others:
    /// not if these were fetched after the call began at `call_start`.
    pub(crate) fn invalidate(&self, rejected: &Arc<Credentials>, call_start: Instant) -> bool {
        match self {
            Self::Static(_) => false,
            Self::Provider(cache) => cache.invalidate(rejected, call_start),
        }
    }
}

pub(crate) struct CachedCredentials {
    provider: Arc<dyn ProvideCredentials>,
    timeout: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entry: Option<Entry>,
    /// The last failure of the provider, until the next success.
    failure: Option<Failure>,
    /// The latest refresh.
    refresh: Option<Refresh>,
}

/// A refresh, which is a task of the runtime of the caller that started it.
#[derive(Clone)]
struct Refresh {
    runtime: Id,
    began_at: Instant,
    /// Closed when the task has stored its result, or was cancelled.
    end: watch::Receiver<()>,
}

struct Entry {
    credentials: Arc<Credentials>,
    fetched_at: Instant,
    /// When to refresh the credentials, and when they expire. `None` if they never do.
    lifetime: Option<(Instant, Instant)>,
}

struct Failure {
    at: Instant,
    error: ProviderError,
}

enum Lookup {
    Fresh(Arc<Credentials>),
    /// Still valid, but due for a refresh.
    Stale(Arc<Credentials>),
    /// No valid credentials, and the provider failed a moment ago.
    Failed(ProviderError),
    Missing,
}

impl State {
    fn lookup(&self, now: Instant) -> Lookup {
        let failure_within =
            |pause| self.failure.as_ref().filter(|failure| now < failure.at + pause);
        if let Some(entry) = &self.entry {
            let credentials = Arc::clone(&entry.credentials);
            match entry.lifetime {
                Some((_, expires_at)) if now >= expires_at => {}
                Some((refresh_at, _))
                    if now >= refresh_at && failure_within(PAUSE_IF_VALID).is_none() =>
                {
                    return Lookup::Stale(credentials);
                }
                _ => return Lookup::Fresh(credentials),
            }
        }
        match failure_within(PAUSE_IF_MISSING) {
            Some(failure) => Lookup::Failed(failure.error.clone()),
            None => Lookup::Missing,
        }
    }

    /// Stores new credentials. `now` and `clock` are the same moment.
    fn store(&mut self, credentials: Credentials, now: Instant, clock: SystemTime) {
        let remaining = credentials.expires_at.map(|expiry| expiry.duration_since(clock));
        let lifetime = match remaining {
            None => None,
            // `checked_add` fails for an expiry in the far future, which counts as none.
            Some(Ok(remaining)) if !remaining.is_zero() => now
                .checked_add(remaining)
                .map(|expires_at| (expires_at - REFRESH_MARGIN.min(remaining / 4), expires_at)),
            // The provider has just issued them, so this machine's clock is wrong.
            Some(_) => {
                tracing::warn!(
                    "new credentials have already expired by this machine's clock and are used anyway: check the clock"
                );
                let expires_at = now + CLOCK_TOLERANCE;
                Some((expires_at, expires_at))
            }
        };
        self.failure = None;
        self.entry = Some(Entry { credentials: Arc::new(credentials), fetched_at: now, lifetime });
    }
}

impl Refresh {
    /// Returns whether a caller on a runtime shall wait for this refresh, and not start another.
    fn is_awaited_on(&self, runtime: Id, now: Instant) -> bool {
        let is_running = self.end.has_changed().is_ok();
        is_running && (self.runtime == runtime || now < self.patience_ends_at())
    }

    fn patience_ends_at(&self) -> Instant {
        self.began_at + PATIENCE_WITH_OTHER_RUNTIMES
    }

    /// Waits for the end of the refresh, or of the patience of a caller on a runtime.
    async fn wait_on(mut self, runtime: Id) {
        let patience_ends_at = self.patience_ends_at().into();
        // Nothing is sent, so this ends when the channel is closed.
        let end = self.end.changed();
        if self.runtime == runtime {
            let _ = end.await;
        } else {
            let _ = timeout_at(patience_ends_at, end).await;
        }
    }
}

impl CachedCredentials {
    fn new(provider: Arc<dyn ProvideCredentials>, timeout: Duration) -> Self {
        Self { provider, timeout, state: Mutex::default() }
    }

    async fn get(self: &Arc<Self>) -> CredentialsResult {
        let mut starts = 0;
        loop {
            let (refresh, runtime) = {
                let now = Instant::now();
                let mut state = self.state();
                let stale = match state.lookup(now) {
                    Lookup::Fresh(credentials) => return Ok(credentials),
                    Lookup::Failed(error) => return Err(error),
                    Lookup::Stale(credentials) => Some(credentials),
                    Lookup::Missing => None,
                };
                let runtime = Handle::current().id();
                let running = state.refresh.as_ref();
                let refresh = match running.filter(|other| other.is_awaited_on(runtime, now)) {
                    Some(running) => running.clone(),
                    None if starts == MAX_STARTS => {
                        return Err("the runtime is shutting down".into());
                    }
                    None => {
                        starts += 1;
                        state.refresh.insert(self.refresh(now)).clone()
                    }
                };
                // While credentials are valid, the refresh runs in the background.
                if let Some(credentials) = stale {
                    return Ok(credentials);
                }
                (refresh, runtime)
            };
            refresh.wait_on(runtime).await;
        }
    }

    /// Calls the provider in its own task, which stores the result even if the caller is dropped.
    fn refresh(self: &Arc<Self>, began_at: Instant) -> Refresh {
        let (end_sender, end) = watch::channel(());
        let (provider, limit) = (Arc::clone(&self.provider), self.timeout);
        // The task does not keep the credentials of a dropped client.
        let cache: Weak<Self> = Arc::downgrade(self);
        tokio::spawn(async move {
            let result = match timeout(limit, call(&*provider)).await {
                Ok(result) => result.and_then(valid),
                Err(_) => Err(ProviderError::timed_out(format!(
                    "the credentials provider did not respond within {} (`credentials_timeout`)",
                    Seconds(limit)
                ))),
            };
            if let Some(cache) = cache.upgrade() {
                cache.store(result, began_at);
            }
            drop(end_sender);
        });
        Refresh { runtime: Handle::current().id(), began_at, end }
    }

    /// Stores the result of a refresh, unless there is a later one.
    fn store(&self, result: Result<Credentials, ProviderError>, began_at: Instant) {
        let now = Instant::now();
        let mut state = self.state();
        let error = match result {
            Ok(credentials) => {
                if state.entry.as_ref().is_none_or(|entry| entry.fetched_at <= began_at) {
                    state.store(credentials, now, SystemTime::now());
                }
                return;
            }
            Err(error) => error,
        };
        if state.refresh.as_ref().is_some_and(|latest| latest.began_at > began_at) {
            return;
        }
        if let Lookup::Fresh(_) | Lookup::Stale(_) = state.lookup(now) {
            tracing::warn!(
                error = %printable(&error.to_string()),
                "expiring credentials cannot be refreshed: they are used until they expire"
            );
        }
        state.failure = Some(Failure { at: now, error });
    }

    fn invalidate(&self, rejected: &Arc<Credentials>, call_start: Instant) -> bool {
        let mut state = self.state();
        match &state.entry {
            Some(entry) if Arc::ptr_eq(&entry.credentials, rejected) => {
                let is_old = entry.fetched_at < call_start;
                if is_old {
                    state.entry = None;
                }
                is_old
            }
            // The credentials were replaced already, or will be by the next call.
            _ => true,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is complete, so a panic elsewhere does not invalidate it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns credentials, unless a value is invalid.
fn valid(credentials: Credentials) -> Result<Credentials, ProviderError> {
    let problem = credentials.problems().next();
    problem.map_or(Ok(credentials), |(field, problem)| {
        let text = format!("the {field} that the credentials provider returned {problem}");
        Err(ProviderError::new(text).permanent())
    })
}

/// Calls a provider. The message of a panic is dropped: it may contain a secret.
async fn call(provider: &dyn ProvideCredentials) -> Result<Credentials, ProviderError> {
    let mut call = pin!(async { provider.provide().await });
    poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context))).unwrap_or_else(|_| {
            Poll::Ready(Err(ProviderError::new("the credentials provider panicked").permanent()))
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::BoxFuture;

    const MINUTE: Duration = Duration::from_secs(60);

    fn credentials(lifetime: Option<Duration>) -> Credentials {
        let credentials = Credentials::new("public-key", "private-key");
        match lifetime {
            Some(lifetime) => credentials.with_expiry(SystemTime::UNIX_EPOCH + lifetime),
            None => credentials,
        }
    }

    /// Looks up credentials of this lifetime some time `after` they were stored.
    fn lookup(
        lifetime: Option<Duration>,
        after: Duration,
        failed: Option<Duration>,
    ) -> &'static str {
        let start = Instant::now();
        let mut state = State::default();
        state.store(credentials(lifetime), start, SystemTime::UNIX_EPOCH);
        state.failure = failed.map(|at| Failure { at: start + at, error: "no".into() });
        match state.lookup(start + after) {
            Lookup::Fresh(_) => "fresh",
            Lookup::Stale(_) => "stale",
            Lookup::Failed(_) => "failed",
            Lookup::Missing => "missing",
        }
    }

    #[test]
    fn credentials_are_refreshed_before_they_expire() {
        let hour = Some(60 * MINUTE);
        let second = Duration::from_secs(1);
        for (expected, lifetime, after, failed) in [
            ("fresh", None, 1000 * MINUTE, None),
            ("fresh", hour, 54 * MINUTE, None),
            ("stale", hour, 56 * MINUTE, None),
            ("missing", hour, 60 * MINUTE, None),
            // A short lifetime is refreshed at three quarters.
            ("fresh", Some(MINUTE), Duration::from_secs(44), None),
            ("stale", Some(MINUTE), Duration::from_secs(46), None),
            // A provider that failed is not called again at once.
            ("fresh", hour, 56 * MINUTE, Some(56 * MINUTE - second)),
            ("stale", hour, 56 * MINUTE, Some(55 * MINUTE)),
            ("failed", hour, 61 * MINUTE, Some(61 * MINUTE - second / 2)),
            ("missing", hour, 61 * MINUTE, Some(60 * MINUTE)),
            ("fresh", Some(Duration::from_secs(1 << 62)), 1000 * MINUTE, None),
            // New credentials that have expired by the clock.
            ("fresh", Some(Duration::ZERO), MINUTE / 2, None),
            ("missing", Some(Duration::ZERO), 2 * MINUTE, None),
        ] {
            assert_eq!(lookup(lifetime, after, failed), expected, "{lifetime:?} {after:?}");
        }
    }

    /// Counts its calls.
    #[derive(Debug, Default)]
    struct Counting {
        calls: Mutex<usize>,
        fails: Mutex<bool>,
        lifetime: Option<Duration>,
    }

    impl ProvideCredentials for Counting {
        fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>> {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                let mut calls = self.calls.lock().unwrap();
                *calls += 1;
                if *self.fails.lock().unwrap() {
                    return Err("the vault is shut".into());
                }
                let credentials = Credentials::new(format!("public-{calls}"), "private-key");
                Ok(match self.lifetime {
                    Some(lifetime) => credentials.with_expiry(SystemTime::now() + lifetime),
                    None => credentials,
                })
            })
        }
    }

    fn counting(lifetime: Option<Duration>) -> (Arc<Counting>, Arc<CachedCredentials>) {
        let provider = Arc::new(Counting { lifetime, ..Counting::default() });
        let cache = CachedCredentials::new(Arc::<Counting>::clone(&provider), PROVIDER_TIMEOUT);
        (provider, Arc::new(cache))
    }

    async fn get_concurrently(
        cache: &Arc<CachedCredentials>,
    ) -> Vec<Result<Arc<Credentials>, String>> {
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                let cache = Arc::clone(cache);
                tokio::spawn(async move { cache.get().await.map_err(|error| error.to_string()) })
            })
            .collect();
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        results
    }

    #[tokio::test]
    async fn concurrent_callers_share_one_call_to_the_provider() {
        let (provider, cache) = counting(None);
        *provider.fails.lock().unwrap() = true;
        let results = get_concurrently(&cache).await;
        let failed = Err("the vault is shut".to_owned());
        assert!(results.iter().all(|result| *result == failed));
        assert_eq!(*provider.calls.lock().unwrap(), 1);

        let (provider, cache) = counting(None);
        let results = get_concurrently(&cache).await;
        assert!(results.iter().all(Result::is_ok));
        assert_eq!(*provider.calls.lock().unwrap(), 1);
    }

    /// Makes the cached credentials due for a refresh.
    fn make_stale(cache: &CachedCredentials) {
        let now = Instant::now();
        if let Some(entry) = &mut cache.state().entry {
            entry.lifetime = Some((now, now + 5 * MINUTE));
        }
    }

    #[tokio::test]
    async fn a_failed_refresh_does_not_fail_calls_while_credentials_are_valid() {
        let (provider, cache) = counting(Some(60 * MINUTE));
        let first = cache.get().await.unwrap();
        *provider.fails.lock().unwrap() = true;
        make_stale(&cache);
        for _ in 0..2 {
            let results = get_concurrently(&cache).await;
            assert!(results.iter().all(|result| result.as_ref() == Ok(&first)));
            wait_for_refresh(&cache).await;
            assert_eq!(*provider.calls.lock().unwrap(), 2);
        }
    }

    /// Waits for the refresh in the background.
    async fn wait_for_refresh(cache: &CachedCredentials) {
        let refresh = cache.state().refresh.clone();
        refresh.unwrap().wait_on(Handle::current().id()).await;
    }

    /// Never responds.
    #[derive(Debug)]
    struct Hanging;

    impl ProvideCredentials for Hanging {
        fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test]
    async fn calls_do_not_wait_for_a_refresh_while_credentials_are_valid() {
        let cache = Arc::new(CachedCredentials::new(Arc::new(Hanging), PROVIDER_TIMEOUT));
        cache.store(Ok(credentials(None)), Instant::now());
        make_stale(&cache);
        for _ in 0..3 {
            cache.get().await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_refresh_continues_after_its_caller_is_dropped() {
        let (provider, cache) = counting(None);
        {
            let mut first = pin!(cache.get());
            let is_waiting =
                poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_pending()));
            assert!(is_waiting.await);
        }
        cache.get().await.unwrap();
        assert_eq!(*provider.calls.lock().unwrap(), 1);
    }

    #[tokio::test]
    async fn malformed_credentials_of_a_provider_are_rejected() {
        let (_, cache) = counting(None);
        for credentials in
            [Credentials::new("", "private-key"), Credentials::new("public-key", "private-key\n")]
        {
            #[derive(Debug)]
            struct Fixed(Credentials);

            impl ProvideCredentials for Fixed {
                fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>> {
                    Box::pin(async { Ok(self.0.clone()) })
                }
            }

            let provider = Arc::new(Fixed(credentials));
            let cache = Arc::new(CachedCredentials::new(provider, PROVIDER_TIMEOUT));
            let error = cache.get().await.unwrap_err().to_string();
            assert!(
                error.ends_with(" is empty") || error.ends_with("contains whitespace"),
                "{error}"
            );
        }
        assert!(cache.get().await.is_ok());
    }

    #[tokio::test]
    async fn rejected_credentials_are_replaced_unless_they_are_new() {
        let (provider, cache) = counting(None);
        let call_start = Instant::now();
        let first = cache.get().await.unwrap();
        assert!(!cache.invalidate(&first, call_start), "fetched for this call");
        assert!(cache.invalidate(&first, Instant::now()));
        let second = cache.get().await.unwrap();
        assert_ne!(first, second);
        // The credentials were replaced already.
        assert!(cache.invalidate(&first, call_start));
        assert_eq!(cache.get().await.unwrap(), second);
        assert_eq!(*provider.calls.lock().unwrap(), 2);
    }
}

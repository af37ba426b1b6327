//! Credentials that are kept, and refreshed before they expire.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tokio::{sync::OwnedMutexGuard, task::JoinHandle};

use crate::{
    credentials::key_pair::Credentials,
    credentials::{ProvideCredentials, ProviderError},
};

/// Credentials are refreshed when this much of their time is left, or a quarter of it.
const MARGIN: Duration = Duration::from_secs(300);
/// How long credentials are used that this machine's clock takes for expired.
const BENEFIT_OF_DOUBT: Duration = Duration::from_secs(60);
/// How long a provider may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a provider that failed is left alone while there are valid keys.
const PAUSE_WITH_KEYS: Duration = Duration::from_secs(10);
/// The same while there are none.
const PAUSE_WITHOUT_KEYS: Duration = Duration::from_secs(1);

/// What a client signs with.
pub(crate) enum Keys {
    Given(Arc<Credentials>),
    Refreshed(Arc<Refreshed>),
}

impl Keys {
    /// The credentials as of now.
    pub(crate) async fn get(&self) -> Result<Arc<Credentials>, ProviderError> {
        match self {
            Self::Given(keys) => Ok(Arc::clone(keys)),
            Self::Refreshed(refreshed) => refreshed.get().await,
        }
    }

    /// The service does not know the token that a call was signed with. Says whether other keys may be
    /// had: not if these were fresh when the call `began`.
    pub(crate) fn are_replaceable(&self, refused: &Arc<Credentials>, began: Instant) -> bool {
        match self {
            Self::Given(_) => false,
            Self::Refreshed(refreshed) => refreshed.forget(refused, began),
        }
    }
}

/// Credentials of a provider.
pub(crate) struct Refreshed {
    provider: Arc<dyn ProvideCredentials>,
    state: Mutex<State>,
    /// Held while the provider is asked.
    asking: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    failed: Option<Failed>,
}

struct Held {
    keys: Arc<Credentials>,
    since: Instant,
    /// When to ask for others, and when these end; nothing where they do not.
    times: Option<(Instant, Instant)>,
}

/// The last failure of the provider, if nothing went well since.
#[derive(Clone)]
struct Failed {
    at: Instant,
    why: Arc<ProviderError>,
}

/// What is there at a moment.
enum Look {
    Fresh(Arc<Credentials>),
    /// Still valid, and about to expire.
    Stale(Arc<Credentials>),
    /// Nothing, and it is of no use to ask now.
    Failed(ProviderError),
    Nothing,
}

impl State {
    fn look(&self, now: Instant) -> Look {
        let paused = |pause| {
            self.failed
                .as_ref()
                .filter(|failed| now < failed.at + pause)
        };
        if let Some(held) = &self.held {
            match held.times {
                Some((_, end)) if now >= end => {}
                Some((refresh, _)) if now >= refresh && paused(PAUSE_WITH_KEYS).is_none() => {
                    return Look::Stale(Arc::clone(&held.keys));
                }
                _ => return Look::Fresh(Arc::clone(&held.keys)),
            }
        }
        match paused(PAUSE_WITHOUT_KEYS) {
            Some(failed) => Look::Failed(failed.share()),
            None => Look::Nothing,
        }
    }

    /// Keeps what the provider gave.
    fn keep(&mut self, keys: Credentials, now: Instant, clock: SystemTime) -> Arc<Credentials> {
        let life = keys.expires_at.map(|end| end.duration_since(clock));
        let times = match life {
            None => None,
            // What lies beyond all time is no end.
            Some(Ok(life)) if !life.is_zero() => now
                .checked_add(life)
                .map(|end| (end - MARGIN.min(life / 4), end)),
            // They were given a moment ago: it is a clock that is wrong. The service will say.
            Some(_) => {
                tracing::warn!(
                    "new credentials have expired by this machine's clock: they are used all the same; check the clock"
                );
                let end = now + BENEFIT_OF_DOUBT;
                Some((end, end))
            }
        };
        let keys = Arc::new(keys);
        self.failed = None;
        self.held = Some(Held {
            keys: Arc::clone(&keys),
            since: now,
            times,
        });
        keys
    }
}

impl Failed {
    /// The same failure, for another caller.
    fn share(&self) -> ProviderError {
        Box::new(Shared(Arc::clone(&self.why)))
    }
}

impl Refreshed {
    pub(crate) fn new(provider: Arc<dyn ProvideCredentials>) -> Self {
        Self {
            provider,
            state: Mutex::default(),
            asking: Arc::default(),
        }
    }

    async fn get(self: &Arc<Self>) -> Result<Arc<Credentials>, ProviderError> {
        let look = self.state().look(Instant::now());
        match look {
            Look::Fresh(keys) => Ok(keys),
            Look::Stale(keys) => {
                // Nobody waits for it.
                if let Ok(asking) = Arc::clone(&self.asking).try_lock_owned() {
                    drop(self.ask(asking));
                }
                Ok(keys)
            }
            Look::Failed(why) => Err(why),
            Look::Nothing => {
                let asking = Arc::clone(&self.asking).lock_owned().await;
                // Whoever asked meanwhile asked for all.
                let look = self.state().look(Instant::now());
                match look {
                    Look::Fresh(keys) | Look::Stale(keys) => Ok(keys),
                    Look::Failed(why) => Err(why),
                    Look::Nothing => self.ask(asking).await?,
                }
            }
        }
    }

    /// Asks the provider, as work of its own: what it says is kept, even if whoever wanted it has gone.
    fn ask(
        self: &Arc<Self>,
        asking: OwnedMutexGuard<()>,
    ) -> JoinHandle<Result<Arc<Credentials>, ProviderError>> {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let _asking = asking;
            let answer = match tokio::time::timeout(PATIENCE, this.provider.provide()).await {
                Ok(answer) => answer.and_then(|keys| {
                    let fault = keys.faults().next();
                    fault.map_or(Ok(keys), |what| Err(what.into()))
                }),
                Err(_) => Err(format!("the provider did not answer within {PATIENCE:?}").into()),
            };
            this.keep(answer)
        })
    }

    fn keep(
        &self,
        answer: Result<Credentials, ProviderError>,
    ) -> Result<Arc<Credentials>, ProviderError> {
        let now = Instant::now();
        let mut state = self.state();
        let why = match answer {
            Ok(keys) => return Ok(state.keep(keys, now, SystemTime::now())),
            Err(why) => why,
        };
        if let Look::Fresh(_) | Look::Stale(_) = state.look(now) {
            tracing::warn!(
                error = %why,
                "credentials that are about to expire cannot be refreshed: they are used while they are valid"
            );
        }
        let failed = Failed {
            at: now,
            why: Arc::new(why),
        };
        let why = failed.share();
        state.failed = Some(failed);
        Err(why)
    }

    fn forget(&self, refused: &Arc<Credentials>, began: Instant) -> bool {
        let mut state = self.state();
        match &state.held {
            Some(held) if Arc::ptr_eq(&held.keys, refused) => {
                let is_old = held.since < began;
                if is_old {
                    state.held = None;
                }
                is_old
            }
            // Others are there already, or will be asked for.
            _ => true,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is kept is whole at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A failure that several callers are told of.
struct Shared(Arc<ProviderError>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Shared {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::pin, task::Poll};

    use super::*;
    use crate::transport::BoxFuture;

    const MINUTE: Duration = Duration::from_secs(60);

    fn keys(life: Option<Duration>) -> Credentials {
        let keys = Credentials::new("public-key", "private-key");
        match life {
            Some(life) => keys.with_expiry(SystemTime::UNIX_EPOCH + life),
            None => keys,
        }
    }

    /// What is there some time after keys of this life were given.
    fn look(life: Option<Duration>, after: Duration, failed: Option<Duration>) -> &'static str {
        let start = Instant::now();
        let mut state = State::default();
        state.keep(keys(life), start, SystemTime::UNIX_EPOCH);
        state.failed = failed.map(|at| Failed {
            at: start + at,
            why: Arc::new("no".into()),
        });
        match state.look(start + after) {
            Look::Fresh(_) => "fresh",
            Look::Stale(_) => "stale",
            Look::Failed(_) => "failed",
            Look::Nothing => "nothing",
        }
    }

    #[test]
    fn keys_are_refreshed_before_they_end() {
        let hour = Some(60 * MINUTE);
        let second = Duration::from_secs(1);
        for (expected, life, after, failed) in [
            ("fresh", None, 1000 * MINUTE, None),
            ("fresh", hour, 54 * MINUTE, None),
            ("stale", hour, 56 * MINUTE, None),
            ("nothing", hour, 60 * MINUTE, None),
            // A short life leaves a quarter.
            ("fresh", Some(MINUTE), Duration::from_secs(44), None),
            ("stale", Some(MINUTE), Duration::from_secs(46), None),
            // Whoever failed is left alone for a while.
            ("fresh", hour, 56 * MINUTE, Some(56 * MINUTE - second)),
            ("stale", hour, 56 * MINUTE, Some(55 * MINUTE)),
            ("failed", hour, 61 * MINUTE, Some(61 * MINUTE - second / 2)),
            ("nothing", hour, 61 * MINUTE, Some(60 * MINUTE)),
            (
                "fresh",
                Some(Duration::from_secs(1 << 62)),
                1000 * MINUTE,
                None,
            ),
            // They have expired when they come: the clock is wrong.
            ("fresh", Some(Duration::ZERO), MINUTE / 2, None),
            ("nothing", Some(Duration::ZERO), 2 * MINUTE, None),
        ] {
            assert_eq!(look(life, after, failed), expected, "{life:?} {after:?}");
        }
    }

    /// Gives what it has, and counts.
    #[derive(Debug, Default)]
    struct Counting {
        asked: Mutex<usize>,
        fails: Mutex<bool>,
        life: Option<Duration>,
    }

    impl ProvideCredentials for Counting {
        fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>> {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                let mut asked = self.asked.lock().unwrap();
                *asked += 1;
                if *self.fails.lock().unwrap() {
                    return Err("the vault is shut".into());
                }
                let keys = Credentials::new(format!("public-{asked}"), "private-key");
                Ok(match self.life {
                    Some(life) => keys.with_expiry(SystemTime::now() + life),
                    None => keys,
                })
            })
        }
    }

    fn counting(life: Option<Duration>) -> (Arc<Counting>, Arc<Refreshed>) {
        let provider = Arc::new(Counting {
            life,
            ..Counting::default()
        });
        let refreshed = Refreshed::new(Arc::<Counting>::clone(&provider));
        (provider, Arc::new(refreshed))
    }

    async fn ask_at_once(refreshed: &Arc<Refreshed>) -> Vec<Result<Arc<Credentials>, String>> {
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                let refreshed = Arc::clone(refreshed);
                tokio::spawn(async move { refreshed.get().await.map_err(|why| why.to_string()) })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        answers
    }

    #[tokio::test]
    async fn many_callers_ask_once_and_fail_once() {
        let (provider, refreshed) = counting(None);
        *provider.fails.lock().unwrap() = true;
        let answers = ask_at_once(&refreshed).await;
        let failed = Err("the vault is shut".to_owned());
        assert!(answers.iter().all(|answer| *answer == failed));
        assert_eq!(*provider.asked.lock().unwrap(), 1);

        let (provider, refreshed) = counting(None);
        let answers = ask_at_once(&refreshed).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(*provider.asked.lock().unwrap(), 1);
    }

    /// The time to ask for others has come.
    fn let_them_end_soon(refreshed: &Refreshed) {
        let now = Instant::now();
        if let Some(held) = &mut refreshed.state().held {
            held.times = Some((now, now + 5 * MINUTE));
        }
    }

    #[tokio::test]
    async fn while_keys_are_valid_a_failing_refresh_fails_nobody() {
        let (provider, refreshed) = counting(Some(60 * MINUTE));
        let first = refreshed.get().await.unwrap();
        *provider.fails.lock().unwrap() = true;
        let_them_end_soon(&refreshed);
        for _ in 0..2 {
            let answers = ask_at_once(&refreshed).await;
            assert!(answers.iter().all(|answer| answer.as_ref() == Ok(&first)));
            // Whoever asks meanwhile waits here.
            drop(refreshed.asking.lock().await);
            assert_eq!(*provider.asked.lock().unwrap(), 2);
        }
    }

    /// Never answers.
    #[derive(Debug)]
    struct Hanging;

    impl ProvideCredentials for Hanging {
        fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test]
    async fn while_keys_are_valid_nobody_waits_for_others() {
        let refreshed = Arc::new(Refreshed::new(Arc::new(Hanging)));
        refreshed.keep(Ok(keys(None))).unwrap();
        let_them_end_soon(&refreshed);
        for _ in 0..3 {
            refreshed.get().await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_a_caller_asked_for_is_there_for_others_if_it_goes() {
        let (provider, refreshed) = counting(None);
        {
            let mut first = pin!(refreshed.get());
            let is_waiting =
                poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_pending()));
            assert!(is_waiting.await);
        }
        refreshed.get().await.unwrap();
        assert_eq!(*provider.asked.lock().unwrap(), 1);
    }

    #[tokio::test]
    async fn keys_that_are_none_are_refused() {
        let (_, refreshed) = counting(None);
        for keys in [
            Credentials::new("", "private-key"),
            Credentials::new("public-key", "private-key\n"),
        ] {
            #[derive(Debug)]
            struct Given(Credentials);

            impl ProvideCredentials for Given {
                fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>> {
                    Box::pin(async { Ok(self.0.clone()) })
                }
            }

            let refreshed = Arc::new(Refreshed::new(Arc::new(Given(keys))));
            let why = refreshed.get().await.unwrap_err().to_string();
            assert!(
                why.contains("key is empty") || why.contains("white space"),
                "{why}"
            );
        }
        assert!(refreshed.get().await.is_ok());
    }

    #[tokio::test]
    async fn keys_that_are_refused_are_replaced_unless_they_are_new() {
        let (provider, refreshed) = counting(None);
        let began = Instant::now();
        let first = refreshed.get().await.unwrap();
        assert!(!refreshed.forget(&first, began), "they came for this call");
        assert!(refreshed.forget(&first, Instant::now()));
        let second = refreshed.get().await.unwrap();
        assert_ne!(first, second);
        // Others have them already.
        assert!(refreshed.forget(&first, began));
        assert_eq!(refreshed.get().await.unwrap(), second);
        assert_eq!(*provider.asked.lock().unwrap(), 2);
    }
}

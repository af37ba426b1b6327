//! Credentials that are kept, and refreshed before they expire.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use crate::{Credentials, ProvideCredentials, ProviderError};

/// Credentials are refreshed when this much of their time is left, or a quarter of it.
const MARGIN: Duration = Duration::from_secs(300);
/// How long credentials are used that this machine's clock takes for expired.
const BENEFIT_OF_DOUBT: Duration = Duration::from_secs(60);
/// How long a provider that failed is left alone while there are valid keys.
const PAUSE_WITH_KEYS: Duration = Duration::from_secs(10);
/// The same while there are none.
const PAUSE_WITHOUT_KEYS: Duration = Duration::from_secs(1);

/// What a client signs with.
pub(crate) enum Keys {
    Given(Arc<Credentials>),
    Refreshed(Refreshed),
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
    /// Held by whoever asks the provider.
    asking: tokio::sync::Mutex<()>,
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
        match &self.held {
            Some(held) => match held.times {
                Some((_, end)) if now >= end => {}
                Some((refresh, _)) if now >= refresh && paused(PAUSE_WITH_KEYS).is_none() => {
                    return Look::Stale(Arc::clone(&held.keys));
                }
                _ => return Look::Fresh(Arc::clone(&held.keys)),
            },
            None => {}
        }
        match paused(PAUSE_WITHOUT_KEYS) {
            Some(failed) => Look::Failed(failed.share()),
            None => Look::Nothing,
        }
    }

    /// Keeps what the provider gave.
    fn keep(&mut self, keys: Credentials, now: Instant, clock: SystemTime) -> Arc<Credentials> {
        let times = keys.expires_at.map(|end| match end.duration_since(clock) {
            Ok(life) if !life.is_zero() => {
                let end = now + life;
                (end - MARGIN.min(life / 4), end)
            }
            // They were given a moment ago: it is a clock that is wrong. The service will say.
            _ => {
                tracing::warn!(
                    "new credentials have expired by this machine's clock: they are used all the same; check the clock"
                );
                (now + BENEFIT_OF_DOUBT, now + BENEFIT_OF_DOUBT)
            }
        });
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
            asking: tokio::sync::Mutex::new(()),
        }
    }

    async fn get(&self) -> Result<Arc<Credentials>, ProviderError> {
        let look = self.state().look(Instant::now());
        match look {
            Look::Fresh(keys) => Ok(keys),
            // One asks for others, and nobody else waits for it.
            Look::Stale(keys) => match self.asking.try_lock() {
                Ok(_asking) => Ok(self.ask().await.unwrap_or_else(|why| {
                    tracing::warn!(
                        error = %why,
                        "credentials that are about to expire cannot be refreshed: they are used while they are valid"
                    );
                    keys
                })),
                Err(_) => Ok(keys),
            },
            Look::Failed(why) => Err(why),
            Look::Nothing => {
                let _asking = self.asking.lock().await;
                // Whoever asked meanwhile asked for all.
                let look = self.state().look(Instant::now());
                match look {
                    Look::Fresh(keys) | Look::Stale(keys) => Ok(keys),
                    Look::Failed(why) => Err(why),
                    Look::Nothing => self.ask().await,
                }
            }
        }
    }

    async fn ask(&self) -> Result<Arc<Credentials>, ProviderError> {
        let answer = self.provider.provide().await;
        let now = Instant::now();
        let mut state = self.state();
        match answer {
            Ok(keys) => Ok(state.keep(keys, now, SystemTime::now())),
            Err(why) => {
                let failed = Failed {
                    at: now,
                    why: Arc::new(why),
                };
                let why = failed.share();
                state.failed = Some(failed);
                Err(why)
            }
        }
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

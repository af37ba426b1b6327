//! Whether to repeat a call that failed, and after how long.
//!
//! [`RetryPolicy::decide`] is a pure function; [`repeat`] is the loop around it, which has its clock, its
//! sleep and its randomness from a [`Pace`].

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant, SystemTime},
};

use http::{HeaderMap, header};

use crate::{Delivery, Error};

/// How often a call is repeated by itself, and after what waits.
///
/// A call is repeated where that can do no harm: where it was turned away before anything was done
/// (throttled, or never sent), and otherwise only where the action may be [repeated](crate::Repeat). The
/// waits double from one to the next, and each is a random part of that ("full jitter"), so that clients
/// that failed together do not come back together. Where the service says how long to wait
/// (`Retry-After`), that is waited at least. A wait that the call's
/// [`timeout`](crate::ClientBuilder::timeout) leaves no time for is not begun.
///
/// All calls of a client share a budget for repeating: after about a hundred failures that no success
/// made good, calls are sent once, so that a service that is down is not hammered. Each success
/// gives some of it back.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use uhub_sdk::RetryPolicy;
///
/// let patient = RetryPolicy::default().with_max_attempts(8).with_max_delay(Duration::from_secs(10));
/// let once = RetryPolicy::never();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    base_delay: Duration,
    max_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            base_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(5),
        }
    }
}

impl RetryPolicy {
    /// Every call is sent once.
    #[must_use]
    pub fn never() -> Self {
        Self::default().with_max_attempts(1)
    }

    /// How often a call is sent at most, the first time included. Default: 5. With 0 or 1, once.
    #[must_use]
    pub fn with_max_attempts(mut self, value: u32) -> Self {
        self.max_attempts = value.max(1);
        self
    }

    /// What the first wait is a random part of. Default: 250 milliseconds.
    #[must_use]
    pub fn with_base_delay(mut self, value: Duration) -> Self {
        self.base_delay = value;
        self
    }

    /// What no wait is longer than, unless the service asks for it. Default: 5 seconds.
    #[must_use]
    pub fn with_max_delay(mut self, value: Duration) -> Self {
        self.max_delay = value;
        self
    }

    /// Whether to send a call again, and after how long.
    fn decide(&self, failure: &Failure) -> Result<Duration, GivenUp> {
        if !failure.is_repeatable {
            return Err(GivenUp::Pointless);
        }
        if failure.attempt >= self.max_attempts {
            return Err(GivenUp::Attempts);
        }
        if !failure.has_budget {
            return Err(GivenUp::Budget);
        }
        let doubled = 1_u32.checked_shl(failure.attempt - 1).unwrap_or(u32::MAX);
        let backoff = self
            .base_delay
            .saturating_mul(doubled)
            .min(self.max_delay)
            .mul_f64(failure.jitter);
        let asked = failure.retry_after.unwrap_or_default();
        // Whoever was asked to wait for the same time shall not come back at the same moment either; but
        // what the service asks for counts more.
        [asked.saturating_add(backoff), asked]
            .into_iter()
            .find(|wait| *wait < failure.time_left)
            .ok_or(GivenUp::Time)
    }
}

/// What the decision depends on.
#[derive(Debug, Clone, Copy)]
struct Failure {
    /// How often the call has been sent.
    attempt: u32,
    /// What the error and the action say.
    is_repeatable: bool,
    /// What the service asks for.
    retry_after: Option<Duration>,
    has_budget: bool,
    time_left: Duration,
    /// From 0 to 1.
    jitter: f64,
}

/// Why a call is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GivenUp {
    /// It would fail again, or might be done twice.
    Pointless,
    Attempts,
    Budget,
    Time,
}

/// What a client has left for repeating calls. Every call pays for its own repetitions and is paid back
/// when one succeeds.
#[derive(Debug)]
pub(crate) struct Budget(AtomicU32);

impl Budget {
    const FULL: u32 = 500;
    /// What one repetition costs.
    const PRICE: u32 = 5;

    /// Takes the price of one repetition, if it is there.
    fn take(&self) -> Option<Permit<'_>> {
        let take = |left: u32| left.checked_sub(Self::PRICE);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .ok()
            .map(|_| Permit(self))
    }

    fn give(&self, tokens: u32) {
        // Nearly always it is full, and many threads may look.
        if self.0.load(Ordering::Relaxed) < Self::FULL {
            let give = |left: u32| Some((left + tokens).min(Self::FULL));
            // It cannot fail: the closure always has a value.
            let _ = self
                .0
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, give);
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }
}

/// A repetition that is paid for. What is not spent goes back: the repetition succeeded, or was never
/// made because the call was dropped.
#[derive(Debug)]
struct Permit<'b>(&'b Budget);

impl Permit<'_> {
    fn spend(self) {
        std::mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.give(Budget::PRICE);
    }
}

/// Where the loop has its time and its randomness from.
pub(crate) trait Pace: Sync {
    fn now(&self) -> Instant;
    /// From 0 to 1.
    fn jitter(&self) -> f64;
    fn sleep(&self, wait: Duration) -> impl Future<Output = ()> + Send;
}

/// The machine's clock, and its randomness.
#[derive(Debug)]
pub(crate) struct RealPace;

impl Pace for RealPace {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn jitter(&self) -> f64 {
        // The standard library's only source of randomness; a wait needs no better one.
        let random = RandomState::new().hash_one(0_u8);
        (random >> 11) as f64 / (1_u64 << 53) as f64
    }

    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}

/// What became of an attempt.
#[derive(Debug)]
pub(crate) struct Ended<'e, T> {
    pub(crate) attempt: u32,
    pub(crate) result: Result<&'e T, &'e Error>,
    pub(crate) elapsed: Duration,
    /// How long until the next one, if there is one.
    pub(crate) wait: Option<Duration>,
}

/// What bounds the attempts of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds<'c> {
    pub(crate) policy: RetryPolicy,
    pub(crate) budget: &'c Budget,
    /// For all attempts and the waits between them.
    pub(crate) timeout: Duration,
}

/// Sends a call until it succeeds or must not be sent again. `send` is told how much time is left, `tell`
/// how each attempt ended.
pub(crate) async fn repeat<T, F>(
    bounds: Bounds<'_>,
    pace: &impl Pace,
    mut send: impl FnMut(Duration) -> F,
    mut tell: impl FnMut(Ended<'_, T>),
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let start = pace.now();
    let mut permit: Option<Permit<'_>> = None;
    // Whether an attempt before this one may have been carried out.
    let mut is_uncertain = false;
    let (mut number, mut began) = (1, start);
    loop {
        let time_left = bounds.timeout.saturating_sub(began - start);
        let result = send(time_left).await;
        let now = pace.now();
        let mut ended = Ended {
            attempt: number,
            result: result.as_ref(),
            elapsed: now - began,
            wait: None,
        };
        let Err(error) = &result else {
            bounds.budget.give(1);
            tell(ended);
            return result;
        };
        if let Some(permit) = permit.take() {
            permit.spend();
        }
        let next = bounds.budget.take();
        let decision = bounds.policy.decide(&Failure {
            attempt: number,
            is_repeatable: error.is_repeatable(),
            retry_after: error.retry_after(),
            has_budget: next.is_some(),
            time_left: bounds.timeout.saturating_sub(now - start),
            jitter: pace.jitter(),
        });
        ended.wait = decision.ok();
        tell(ended);
        match decision {
            Ok(wait) => {
                is_uncertain |= error.delivery() == Delivery::Unknown;
                permit = next;
                pace.sleep(wait).await;
                (number, began) = (number + 1, pace.now());
            }
            Err(why) => {
                return result.map_err(|error| error.after(number, now - start, is_uncertain, why));
            }
        }
    }
}

/// How long a response asks to wait: a number of seconds, or a date, which is held against the server's own
/// clock where it tells it.
pub(crate) fn retry_after(headers: &HeaderMap, clock: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = text(header::RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text| httpdate::parse_http_date(text).ok();
    let now = text(header::DATE).and_then(date).unwrap_or(clock);
    Some(date(asked)?.duration_since(now).unwrap_or_default())
}

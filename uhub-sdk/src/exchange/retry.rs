//! Whether to repeat a call that failed, and after how long.
//!
//! [`RetryPolicy::decide`] is a pure function; [`repeat`] is the loop around it, which has its clock, its
//! sleep and its randomness from a [`Clock`].

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant, SystemTime},
};

use http::{HeaderMap, header};

use crate::error::{Error, ErrorKind, Execution};

/// How often a call is repeated by itself, and after what waits.
///
/// A call is repeated where that can do no harm: where it was turned away before anything was done
/// (throttled, or never sent), and otherwise only where the action may be [repeated](crate::Idempotency). The
/// waits double from one to the next, and each is a random part of that ("full jitter"), so that clients
/// that failed together do not come back together. Where the service says how long to wait
/// (`Retry-After`), that is waited at least. A wait that the call's
/// [`timeout`](crate::ClientBuilder::timeout) leaves no time for is not begun.
///
/// All calls of a client share a budget for repeating: after 200 repetitions that failed, or 1,000 that were
/// throttled, calls are sent once, so that a service that is down is not hammered. Each success gives
/// some of it back.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use uhub_sdk::RetryPolicy;
///
/// let patient = RetryPolicy::default().with_max_attempts(8).with_max_delay(Duration::from_secs(10));
/// let once = RetryPolicy::disabled();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
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
    pub fn disabled() -> Self {
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
    fn decide(&self, failure: &Failure) -> Result<Duration, StopReason> {
        if !failure.is_retryable {
            return Err(StopReason::Pointless);
        }
        if failure.attempt >= self.max_attempts {
            return Err(StopReason::Attempts);
        }
        if !failure.has_budget {
            return Err(StopReason::RetryBudget);
        }
        let doubled = 1_u32.checked_shl(failure.attempt - 1).unwrap_or(u32::MAX);
        let longest = self.base_delay.saturating_mul(doubled).min(self.max_delay);
        // As a float, the longest time of all is longer than it is.
        let backoff =
            Duration::try_from_secs_f64(longest.as_secs_f64() * failure.jitter).unwrap_or(longest);
        // Whoever was asked to wait for the same time shall not come back at the same moment either; but
        // where there is no time for both, what the service asks for counts more.
        let asked = failure.retry_after;
        [
            Some(asked.unwrap_or_default().saturating_add(backoff)),
            asked,
        ]
        .into_iter()
        .flatten()
        .find(|wait| *wait < failure.time_left)
        .ok_or(StopReason::Time)
    }
}

/// What the decision depends on.
#[derive(Debug, Clone, Copy)]
struct Failure {
    /// How often the call has been sent.
    attempt: u32,
    /// What the error and the action say.
    is_retryable: bool,
    /// What the service asks for.
    retry_after: Option<Duration>,
    has_budget: bool,
    time_left: Duration,
    /// From 0 to 1.
    jitter: f64,
}

/// Why a call is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// It would fail again, or might be done twice.
    Pointless,
    Attempts,
    RetryBudget,
    Time,
}

/// What a client has left for repeating calls. Every call pays for its own repetitions and is paid back
/// when one succeeds.
#[derive(Debug)]
pub(crate) struct RetryBudget(AtomicU32);

impl RetryBudget {
    const FULL: u32 = 1000;
    /// What one repetition costs.
    const COST: u32 = 5;
    /// The same, if the service said no more than that there were too many.
    const COST_IF_THROTTLED: u32 = 1;

    /// What it costs to repeat a call that failed so.
    fn cost(error: &Error) -> u32 {
        match error.kind() {
            // The service has nothing to do with it.
            ErrorKind::Credentials => 0,
            _ if error.is_throttled() => Self::COST_IF_THROTTLED,
            _ => Self::COST,
        }
    }

    /// Takes the cost of one repetition, if it is there.
    fn take(&self, cost: u32) -> Option<Permit<'_>> {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(cost)
            })
            .ok()
            .map(|_| Permit { budget: self, cost })
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

impl Default for RetryBudget {
    fn default() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }
}

/// The cost of a repetition that was not sent yet: it goes back if the call is dropped before.
#[derive(Debug)]
struct Permit<'b> {
    budget: &'b RetryBudget,
    cost: u32,
}

impl Permit<'_> {
    /// The repetition is sent. Returns what it cost.
    fn spend(mut self) -> u32 {
        std::mem::take(&mut self.cost)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.budget.give(self.cost);
    }
}

/// Where the loop has its time and its randomness from.
pub(crate) trait Clock: Sync {
    fn now(&self) -> Instant;
    /// From 0 to 1.
    fn jitter(&self) -> f64;
    fn sleep(&self, wait: Duration) -> impl Future<Output = ()> + Send;
}

/// The machine's clock, and its randomness.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
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
pub(crate) struct AttemptOutcome<'e, T> {
    pub(crate) attempt: u32,
    pub(crate) result: Result<&'e T, &'e Error>,
    pub(crate) elapsed: Duration,
    /// How long until the next one, if there is one.
    pub(crate) wait: Option<Duration>,
}

/// What limits the attempts of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryLimits<'c> {
    pub(crate) policy: &'c RetryPolicy,
    pub(crate) budget: &'c RetryBudget,
    /// For all attempts and the waits between them.
    pub(crate) timeout: Duration,
}

/// Sends a call until it succeeds or must not be sent again. `send` is told how much time is left, `observe`
/// how each attempt ended.
pub(crate) async fn retry<T, F>(
    limits: RetryLimits<'_>,
    clock: &impl Clock,
    mut send: impl FnMut(Duration) -> F,
    mut observe: impl FnMut(AttemptOutcome<'_, T>),
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let start = clock.now();
    // What this attempt cost, if it is a repetition.
    let mut paid = 0;
    // Whether an attempt before this one may have been carried out.
    let mut is_uncertain = false;
    let (mut number, mut began) = (1, start);
    loop {
        let time_left = limits.timeout.saturating_sub(began - start);
        let result = send(time_left).await;
        let now = clock.now();
        let mut ended = AttemptOutcome {
            attempt: number,
            result: result.as_ref(),
            elapsed: now - began,
            wait: None,
        };
        let Err(error) = &result else {
            limits.budget.give(paid + 1);
            observe(ended);
            return result;
        };
        let permit = limits.budget.take(RetryBudget::cost(error));
        let decision = limits.policy.decide(&Failure {
            attempt: number,
            is_retryable: error.is_retryable(),
            retry_after: error.retry_after(),
            has_budget: permit.is_some(),
            time_left: limits.timeout.saturating_sub(now - start),
            jitter: clock.jitter(),
        });
        ended.wait = decision.ok();
        observe(ended);
        match decision {
            Ok(wait) => {
                is_uncertain |= error.execution() == Execution::Unknown;
                clock.sleep(wait).await;
                paid = permit.map_or(0, Permit::spend);
                (number, began) = (number + 1, clock.now());
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

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::VecDeque, sync::Mutex};

    use proptest::prelude::*;

    use super::*;
    use crate::{action::Idempotency, ret_code::RetCode, testing};

    const SECOND: Duration = Duration::from_secs(1);

    fn failure(attempt: u32) -> Failure {
        Failure {
            attempt,
            is_retryable: true,
            retry_after: None,
            has_budget: true,
            time_left: 60 * SECOND,
            jitter: 1.0,
        }
    }

    fn ms(milliseconds: u64) -> Result<Duration, StopReason> {
        Ok(Duration::from_millis(milliseconds))
    }

    #[test]
    fn whether_and_how_long_to_wait_is_decided_by_table() {
        let policy = RetryPolicy::default().with_max_attempts(9);
        let asks = |seconds| Some(seconds * SECOND);
        for (expected, failure) in [
            (ms(250), failure(1)),
            (ms(500), failure(2)),
            (ms(4000), failure(5)),
            (ms(5000), failure(6)),
            (ms(5000), failure(8)),
            (Err(StopReason::Attempts), failure(9)),
            (Err(StopReason::Attempts), failure(u32::MAX)),
            (
                ms(0),
                Failure {
                    jitter: 0.0,
                    ..failure(3)
                },
            ),
            (
                ms(500),
                Failure {
                    jitter: 0.5,
                    ..failure(3)
                },
            ),
            (
                Err(StopReason::Pointless),
                Failure {
                    is_retryable: false,
                    ..failure(1)
                },
            ),
            (
                Err(StopReason::RetryBudget),
                Failure {
                    has_budget: false,
                    ..failure(1)
                },
            ),
            // What the service asks for is waited at least, and beyond the cap.
            (
                ms(3250),
                Failure {
                    retry_after: asks(3),
                    ..failure(1)
                },
            ),
            (
                ms(30_250),
                Failure {
                    retry_after: asks(30),
                    ..failure(1)
                },
            ),
            // If not all of it fits, what the service asks for does.
            (
                ms(30_000),
                Failure {
                    retry_after: asks(30),
                    time_left: 30 * SECOND + SECOND / 8,
                    ..failure(1)
                },
            ),
            (
                Err(StopReason::Time),
                Failure {
                    retry_after: asks(30),
                    time_left: 30 * SECOND,
                    ..failure(1)
                },
            ),
            (
                Err(StopReason::Time),
                Failure {
                    retry_after: Some(Duration::MAX),
                    ..failure(1)
                },
            ),
            (
                Err(StopReason::Time),
                Failure {
                    time_left: SECOND / 8,
                    ..failure(1)
                },
            ),
            (
                Err(StopReason::Time),
                Failure {
                    time_left: Duration::ZERO,
                    ..failure(1)
                },
            ),
        ] {
            assert_eq!(policy.decide(&failure), expected, "{failure:?}");
        }
        let endless = policy
            .with_base_delay(Duration::MAX)
            .with_max_delay(Duration::MAX);
        assert_eq!(endless.decide(&failure(1)), Err(StopReason::Time));
        assert_eq!(
            RetryPolicy::disabled().decide(&failure(1)),
            Err(StopReason::Attempts)
        );
        assert_eq!(
            RetryPolicy::default().with_max_attempts(0),
            RetryPolicy::disabled()
        );
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_time_left_or_shorter_than_asked(
            attempt in 1_u32..u32::MAX,
            asked in proptest::option::of(0_u64..100),
            time_left in 0_u64..100_000,
            jitter in 0.0..=1.0_f64,
            base in 0_u64..100_000,
        ) {
            let policy = RetryPolicy::default()
                .with_max_attempts(u32::MAX)
                .with_base_delay(Duration::from_millis(base));
            let failure = Failure {
                retry_after: asked.map(Duration::from_secs),
                time_left: Duration::from_millis(time_left),
                jitter,
                ..failure(attempt)
            };
            if let Ok(wait) = policy.decide(&failure) {
                prop_assert!(wait < failure.time_left);
                prop_assert!(wait >= failure.retry_after.unwrap_or_default());
                prop_assert!(wait <= failure.retry_after.unwrap_or_default() + 5 * SECOND);
            }
        }
    }

    /// A clock that moves when somebody sleeps.
    struct TestClock {
        now: Mutex<Instant>,
        slept: Mutex<Vec<Duration>>,
    }

    impl TestClock {
        fn new() -> Self {
            Self {
                now: Mutex::new(Instant::now()),
                slept: Mutex::default(),
            }
        }

        fn pass(&self, time: Duration) {
            *self.now.lock().unwrap() += time;
        }
    }

    impl Clock for TestClock {
        fn now(&self) -> Instant {
            *self.now.lock().unwrap()
        }

        fn jitter(&self) -> f64 {
            1.0
        }

        async fn sleep(&self, wait: Duration) {
            self.slept.lock().unwrap().push(wait);
            self.pass(wait);
        }
    }

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(work)
    }

    /// What a call with these outcomes comes to, with how often it was sent; each attempt takes a second.
    fn call(
        budget: &RetryBudget,
        clock: &TestClock,
        outcomes: impl IntoIterator<Item = Result<u8, Error>>,
    ) -> (Result<u8, Error>, u32) {
        let outcomes = RefCell::new(VecDeque::from_iter(outcomes));
        let limits = RetryLimits {
            policy: &RetryPolicy::default(),
            budget,
            timeout: 20 * SECOND,
        };
        let mut told = 0;
        let send = |time_left| {
            assert!(time_left <= 20 * SECOND);
            clock.pass(SECOND);
            let next = outcomes.borrow_mut().pop_front();
            async move { next.expect("no further attempt") }
        };
        let result = run(retry(limits, clock, send, |ended| {
            told += 1;
            assert_eq!(ended.attempt, told);
            assert_eq!(ended.elapsed, SECOND);
        }));
        assert!(outcomes.borrow().is_empty(), "every outcome was asked for");
        (result, told)
    }

    fn throttled() -> Error {
        testing::refused(Idempotency::NonIdempotent, RetCode::THROTTLED)
    }

    fn unavailable(idempotency: Idempotency) -> Error {
        testing::refused(idempotency, RetCode::SERVICE_UNAVAILABLE)
    }

    #[test]
    fn a_call_is_sent_until_it_succeeds() {
        let (budget, clock) = (RetryBudget::default(), TestClock::new());
        let (result, attempts) = call(&budget, &clock, [Err(throttled()), Err(throttled()), Ok(7)]);
        assert_eq!((result.unwrap(), attempts), (7, 3));
        let expected = [250, 500].map(Duration::from_millis);
        assert_eq!(*clock.slept.lock().unwrap(), expected);
        assert_eq!(
            budget.0.into_inner(),
            RetryBudget::FULL - RetryBudget::COST_IF_THROTTLED + 1,
            "the failed repetition is paid for, the one that succeeded is not"
        );
    }

    #[test]
    fn the_last_error_tells_of_all_attempts() {
        let clock = TestClock::new();
        let errors = (0..5).map(|_| Err(throttled()));
        let (result, _) = call(&RetryBudget::default(), &clock, errors);
        let error = result.unwrap_err();
        assert_eq!(error.attempts(), 5);
        // Five seconds of attempts, and the waits between them.
        assert_eq!(error.elapsed(), Duration::from_millis(5000 + 3750));
        assert!(
            error.to_string().contains("[5 attempts in 8.8 s]"),
            "{error}"
        );
        assert_eq!(error.execution(), Execution::Rejected);
    }

    #[test]
    fn what_may_have_been_done_is_not_done_again() {
        let clock = TestClock::new();
        let outcomes = [
            Err(throttled()),
            Err(unavailable(Idempotency::NonIdempotent)),
        ];
        let (result, attempts) = call(&RetryBudget::default(), &clock, outcomes);
        let error = result.unwrap_err();
        assert_eq!((attempts, error.attempts()), (2, 2));
        assert!(
            error.to_string().contains("may have been carried out"),
            "{error}"
        );
    }

    #[test]
    fn a_refusal_after_an_uncertain_attempt_is_uncertain() {
        let clock = TestClock::new();
        let refusal = testing::refused(Idempotency::Idempotent, RetCode::PERMISSION_DENIED);
        assert_eq!(refusal.execution(), Execution::Rejected);
        let outcomes = [Err(unavailable(Idempotency::Idempotent)), Err(refusal)];
        let (result, _) = call(&RetryBudget::default(), &clock, outcomes);
        let error = result.unwrap_err();
        assert_eq!(error.execution(), Execution::Unknown);
        assert_eq!(error.kind(), ErrorKind::Service);
        assert!(
            error.to_string().contains("An attempt before this one"),
            "{error}"
        );
    }

    #[test]
    fn a_service_that_is_down_is_not_hammered() {
        for (fail, cost) in [
            (throttled as fn() -> Error, RetryBudget::COST_IF_THROTTLED),
            (|| unavailable(Idempotency::Safe), RetryBudget::COST),
        ] {
            let (budget, clock) = (RetryBudget::default(), TestClock::new());
            let mut attempts = 0;
            for _ in 0..500 {
                // As many outcomes as will be asked for.
                let left = budget.0.load(Ordering::Relaxed) / cost;
                let sent = (left + 1).min(5);
                let (result, told) = call(&budget, &clock, (0..sent).map(|_| Err(fail())));
                let error = result.unwrap_err();
                attempts += told;
                assert_eq!(
                    error.to_string().contains("too many of"),
                    sent < 5,
                    "{error}"
                );
            }
            assert_eq!(attempts, 500 + RetryBudget::FULL / cost);

            // It is up again: some successes pay for one repetition.
            for _ in 0..cost {
                call(&budget, &clock, [Ok(1)]).0.unwrap();
            }
            call(&budget, &clock, [Err(fail()), Ok(1)]).0.unwrap();
        }
    }

    /// A call that is dropped pays for the repetitions that it sent, and for no other.
    #[test]
    fn a_call_that_is_dropped_pays_for_what_it_sent() {
        struct Asleep(TestClock);

        impl Clock for Asleep {
            fn now(&self) -> Instant {
                self.0.now()
            }

            fn jitter(&self) -> f64 {
                self.0.jitter()
            }

            async fn sleep(&self, _: Duration) {
                std::future::pending::<()>().await;
            }
        }

        /// What is left of the budget when a call is dropped that will never end.
        fn left(clock: &impl Clock) -> u32 {
            let budget = RetryBudget::default();
            let limits = RetryLimits {
                policy: &RetryPolicy::default(),
                budget: &budget,
                timeout: 20 * SECOND,
            };
            let mut sent = 0;
            let send = |_| {
                sent += 1;
                let is_first = sent == 1;
                async move {
                    if !is_first {
                        std::future::pending::<()>().await;
                    }
                    Err::<u8, _>(unavailable(Idempotency::Safe))
                }
            };
            run(async {
                let mut call = std::pin::pin!(retry(limits, clock, send, |_| {}));
                let is_pending = std::future::poll_fn(|context| {
                    std::task::Poll::Ready(call.as_mut().poll(context).is_pending())
                });
                assert!(is_pending.await);
            });
            budget.0.into_inner()
        }

        assert_eq!(
            left(&Asleep(TestClock::new())),
            RetryBudget::FULL,
            "it waited"
        );
        assert_eq!(
            left(&TestClock::new()),
            RetryBudget::FULL - RetryBudget::COST,
            "it was sent"
        );
    }

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_by_a_date() {
        let clock = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (asked, date, expected) in [
            ("7", None, Some(7)),
            (" 0 ", None, Some(0)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", None, Some(10)),
            // In the past.
            ("Sun, 06 Nov 1994 08:00:00 GMT", None, Some(0)),
            // The server's clock is an hour behind.
            (
                "Sun, 06 Nov 1994 07:49:40 GMT",
                Some("Sun, 06 Nov 1994 07:49:37 GMT"),
                Some(3),
            ),
            ("soon", None, None),
            ("-1", None, None),
            ("1.5", None, None),
            ("", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, asked.parse().unwrap());
            if let Some(date) = date {
                headers.insert(header::DATE, date.parse().unwrap());
            }
            let expected = expected.map(Duration::from_secs);
            assert_eq!(retry_after(&headers, clock), expected, "{asked:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), clock), None);
    }

    #[test]
    fn jitter_is_spread_over_the_whole_range() {
        let drawn: Vec<f64> = (0..1000).map(|_| SystemClock.jitter()).collect();
        assert!(drawn.iter().all(|jitter| (0.0..1.0).contains(jitter)));
        let mean = drawn.iter().sum::<f64>() / 1000.0;
        // Twenty times the standard error.
        assert!((mean - 0.5).abs() < 0.2, "{mean}");
    }
}

//! Whether and when to retry a call.
//!
//! [`RetryPolicy::decide`] is a pure function. [`retry`] is the loop around it; a [`Clock`] gives
//! it the time, its delays and its randomness.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use crate::{
    error::{Error, Execution},
    exchange::failure::{self, StopReason},
    exchange::retry_budget::{Permit, RetryBudget},
};

/// How often failed calls are retried, and with which delay.
///
/// Calls that were throttled, could not connect or got no credentials are retried for every action;
/// calls that may have been executed are retried only if their action is
/// [idempotent](crate::Idempotency). Invalid requests, TLS failures and calls that the service
/// refused or that failed there are not retried.
///
/// The backoff is exponential with full jitter: each delay is a random part of an upper bound that
/// doubles from attempt to attempt. `Retry-After` sets the minimum delay. If a delay would exceed
/// the call's [`timeout`](crate::ClientBuilder::timeout), the error is returned at once.
///
/// All calls of a client share a retry budget. After 200 failed retries, or 1,000 throttled ones,
/// calls are sent only once, so that a service that is down is not overloaded. Each success refills
/// the budget a little.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use uhub_sdk::RetryPolicy;
///
/// let patient = RetryPolicy::default()
///     .with_max_attempts(8)
///     .with_max_delay(Duration::from_secs(10));
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
    /// Returns a policy that sends each call once.
    #[must_use]
    pub fn disabled() -> Self {
        Self::default().with_max_attempts(1)
    }

    /// Sets the maximum number of attempts, including the first. Defaults to 5; 0 means 1.
    #[must_use]
    pub fn with_max_attempts(mut self, value: u32) -> Self {
        self.max_attempts = value.max(1);
        self
    }

    /// Sets the upper bound of the first delay. Defaults to 250 ms.
    #[must_use]
    pub fn with_base_delay(mut self, value: Duration) -> Self {
        self.base_delay = value;
        self
    }

    /// Sets the upper bound of every delay, except for what `Retry-After` asks. Defaults to 5 s.
    #[must_use]
    pub fn with_max_delay(mut self, value: Duration) -> Self {
        self.max_delay = value;
        self
    }

    /// Decides whether to retry a call, and after which delay.
    fn decide(&self, failed: &FailedAttempt) -> Result<Duration, StopReason> {
        if !failed.is_retryable {
            return Err(StopReason::NotRetryable);
        }
        if failed.number >= self.max_attempts {
            return Err(StopReason::MaxAttempts);
        }
        if !failed.has_budget {
            return Err(StopReason::RetryBudget);
        }
        let factor = 1_u32.checked_shl(failed.number - 1).unwrap_or(u32::MAX);
        let delay = self.base_delay.saturating_mul(factor).min(self.max_delay);
        // `Duration::MAX` does not survive the conversion to a float.
        let backoff =
            Duration::try_from_secs_f64(delay.as_secs_f64() * failed.jitter).unwrap_or(delay);
        // Clients with the same `Retry-After` shall not return at the same moment either. If there
        // is no time for both delays, `Retry-After` takes precedence.
        let minimum = failed.retry_after;
        let with_backoff = minimum.unwrap_or_default().saturating_add(backoff);
        [Some(with_backoff), minimum]
            .into_iter()
            .flatten()
            .find(|wait| *wait < failed.time_left)
            .ok_or(StopReason::Timeout)
    }
}

/// The input of a retry decision.
#[derive(Debug, Clone, Copy)]
struct FailedAttempt {
    number: u32,
    is_retryable: bool,
    retry_after: Option<Duration>,
    has_budget: bool,
    time_left: Duration,
    /// From 0 to 1.
    jitter: f64,
}

/// The source of time and randomness for the retry loop.
pub(crate) trait Clock: Sync {
    fn now(&self) -> Instant;
    /// Returns a random number from 0 to 1.
    fn jitter(&self) -> f64;
    fn sleep(&self, wait: Duration) -> impl Future<Output = ()> + Send;
}

#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn jitter(&self) -> f64 {
        // The standard library's only source of randomness, and good enough for a wait.
        let random = RandomState::new().hash_one(0_u8);
        (random >> 11) as f64 / (1_u64 << 53) as f64
    }

    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}

/// How an attempt ended.
#[derive(Debug)]
pub(crate) struct AttemptOutcome<'e, T> {
    pub(crate) number: u32,
    pub(crate) result: Result<&'e T, &'e Error>,
    pub(crate) elapsed: Duration,
    /// The time since the start of the call.
    pub(crate) since_start: Duration,
    /// The delay before the next attempt, if there is one.
    pub(crate) wait: Option<Duration>,
}

/// What limits the attempts of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryLimits<'c> {
    pub(crate) policy: &'c RetryPolicy,
    pub(crate) budget: &'c RetryBudget,
    /// When the call began, by the clock.
    pub(crate) start: Instant,
    /// Bounds all attempts and the delays between them.
    pub(crate) timeout: Duration,
}

/// Sends a call until it succeeds or must not be retried. `send` gets the time left, `observe` the
/// outcome of each attempt.
pub(crate) async fn retry<T, F>(
    limits: RetryLimits<'_>,
    clock: &impl Clock,
    mut send: impl FnMut(Duration) -> F,
    mut observe: impl FnMut(AttemptOutcome<'_, T>),
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let start = limits.start;
    // What this attempt cost, if it is a retry.
    let mut paid = 0;
    let mut may_have_been_executed = false;
    let (mut number, mut began) = (1, start);
    loop {
        let time_left = limits.timeout.saturating_sub(began - start);
        let result = send(time_left).await;
        let now = clock.now();
        let mut outcome = AttemptOutcome {
            number,
            result: result.as_ref(),
            elapsed: now - began,
            since_start: now - start,
            wait: None,
        };
        let Err(error) = &result else {
            limits.budget.give(paid + 1);
            observe(outcome);
            return result;
        };
        let permit = limits.budget.take(RetryBudget::cost(error));
        let decision = limits.policy.decide(&FailedAttempt {
            number,
            is_retryable: error.is_retryable(),
            retry_after: error.retry_after(),
            has_budget: permit.is_some(),
            time_left: limits.timeout.saturating_sub(now - start),
            jitter: clock.jitter(),
        });
        outcome.wait = decision.ok();
        observe(outcome);
        match decision {
            Ok(wait) => {
                may_have_been_executed |= error.execution() == Execution::Unknown;
                clock.sleep(wait).await;
                paid = permit.map_or(0, Permit::spend);
                (number, began) = (number + 1, clock.now());
            }
            Err(reason) => {
                let elapsed = now - start;
                return result.map_err(|error| {
                    failure::finish(
                        error,
                        number,
                        elapsed,
                        may_have_been_executed,
                        reason,
                        limits.timeout,
                    )
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::VecDeque, sync::Mutex};

    use proptest::prelude::*;

    use super::*;
    use crate::{
        action::Idempotency,
        credentials::key_pair::Credentials,
        error::ErrorKind,
        exchange::{
            failure::{CallContext, ResponseContext},
            redact::Redactor,
        },
        ret_code::{RetCode, RetCodeOutcome},
        wire::sign,
    };

    const SECOND: Duration = Duration::from_secs(1);

    fn failure(number: u32) -> FailedAttempt {
        FailedAttempt {
            number,
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
    fn decisions_by_table() {
        let policy = RetryPolicy::default().with_max_attempts(9);
        let after = |seconds| Some(seconds * SECOND);
        for (expected, failure) in [
            (ms(250), failure(1)),
            (ms(500), failure(2)),
            (ms(4000), failure(5)),
            (ms(5000), failure(6)),
            (ms(5000), failure(8)),
            (Err(StopReason::MaxAttempts), failure(9)),
            (Err(StopReason::MaxAttempts), failure(u32::MAX)),
            (ms(0), FailedAttempt { jitter: 0.0, ..failure(3) }),
            (ms(500), FailedAttempt { jitter: 0.5, ..failure(3) }),
            (Err(StopReason::NotRetryable), FailedAttempt { is_retryable: false, ..failure(1) }),
            (Err(StopReason::RetryBudget), FailedAttempt { has_budget: false, ..failure(1) }),
            // `Retry-After` sets the minimum wait, even above `max_delay`.
            (ms(3250), FailedAttempt { retry_after: after(3), ..failure(1) }),
            (ms(30_250), FailedAttempt { retry_after: after(30), ..failure(1) }),
            // If there is no time for both, `Retry-After` without backoff.
            (
                ms(30_000),
                FailedAttempt {
                    retry_after: after(30),
                    time_left: 30 * SECOND + SECOND / 8,
                    ..failure(1)
                },
            ),
            (
                Err(StopReason::Timeout),
                FailedAttempt { retry_after: after(30), time_left: 30 * SECOND, ..failure(1) },
            ),
            (
                Err(StopReason::Timeout),
                FailedAttempt { retry_after: Some(Duration::MAX), ..failure(1) },
            ),
            (Err(StopReason::Timeout), FailedAttempt { time_left: SECOND / 8, ..failure(1) }),
            (Err(StopReason::Timeout), FailedAttempt { time_left: Duration::ZERO, ..failure(1) }),
        ] {
            assert_eq!(policy.decide(&failure), expected, "{failure:?}");
        }
        let endless = policy.with_base_delay(Duration::MAX).with_max_delay(Duration::MAX);
        assert_eq!(endless.decide(&failure(1)), Err(StopReason::Timeout));
        assert_eq!(RetryPolicy::disabled().decide(&failure(1)), Err(StopReason::MaxAttempts));
        assert_eq!(RetryPolicy::default().with_max_attempts(0), RetryPolicy::disabled());
    }

    proptest! {
        #[test]
        fn waits_are_within_retry_after_and_the_time_left(
            attempt in 1_u32..u32::MAX,
            retry_after in proptest::option::of(0_u64..100),
            time_left in 0_u64..100_000,
            jitter in 0.0..=1.0_f64,
            base in 0_u64..100_000,
        ) {
            let policy = RetryPolicy::default()
                .with_max_attempts(u32::MAX)
                .with_base_delay(Duration::from_millis(base));
            let failure = FailedAttempt {
                retry_after: retry_after.map(Duration::from_secs),
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

    /// A clock that advances by sleeping.
    struct TestClock {
        now: Mutex<Instant>,
        slept: Mutex<Vec<Duration>>,
    }

    impl TestClock {
        fn new() -> Self {
            Self { now: Mutex::new(Instant::now()), slept: Mutex::default() }
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
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    /// Returns the result of a call with these outcomes and the number of attempts. Each attempt
    /// takes a second.
    fn call(
        budget: &RetryBudget,
        clock: &TestClock,
        outcomes: impl IntoIterator<Item = Result<u8, Error>>,
    ) -> (Result<u8, Error>, u32) {
        let outcomes = RefCell::new(VecDeque::from_iter(outcomes));
        let limits = RetryLimits {
            policy: &RetryPolicy::default(),
            budget,
            start: clock.now(),
            timeout: 20 * SECOND,
        };
        let mut attempts = 0;
        let send = |time_left| {
            assert!(time_left <= 20 * SECOND);
            clock.pass(SECOND);
            let next = outcomes.borrow_mut().pop_front();
            async move { next.expect("no further attempt") }
        };
        let result = run(retry(limits, clock, send, |outcome| {
            attempts += 1;
            assert_eq!(outcome.number, attempts);
            assert_eq!(outcome.elapsed, SECOND);
        }));
        assert!(outcomes.borrow().is_empty(), "every outcome was used");
        (result, attempts)
    }

    // Codes of UHub: another service need not document them.
    const THROTTLED: RetCode = RetCode::new(153);
    const UNAVAILABLE: RetCode = RetCode::new(150);
    const FORBIDDEN: RetCode = RetCode::new(299);

    /// Returns the error of a call that is refused with this code.
    fn refused(idempotency: Idempotency, ret_code: RetCode) -> Error {
        let call = CallContext {
            action: "CreateSomething",
            idempotency,
            redactor: Redactor {
                credentials: &Credentials::new("public-key", "private-key"),
                signature: sign::signature("", "private-key"),
                others: [].as_slice().into(),
                names: &[],
            },
            outcomes: &[
                (THROTTLED, RetCodeOutcome::Throttled),
                (UNAVAILABLE, RetCodeOutcome::Unknown),
                (FORBIDDEN, RetCodeOutcome::Unauthorized),
            ],
        };
        call.refused(ret_code, None, ResponseContext::default())
    }

    fn throttled() -> Error {
        refused(Idempotency::NonIdempotent, THROTTLED)
    }

    fn unavailable(idempotency: Idempotency) -> Error {
        refused(idempotency, UNAVAILABLE)
    }

    #[test]
    fn a_call_is_sent_until_it_succeeds() {
        let (budget, clock) = (RetryBudget::default(), TestClock::new());
        let (result, attempts) = call(&budget, &clock, [Err(throttled()), Err(throttled()), Ok(7)]);
        assert_eq!((result.unwrap(), attempts), (7, 3));
        let expected = [250, 500].map(Duration::from_millis);
        assert_eq!(*clock.slept.lock().unwrap(), expected);
        assert_eq!(
            budget.left(),
            RetryBudget::FULL - RetryBudget::COST_IF_THROTTLED + 1,
            "the failed retry is paid for, the successful one is not"
        );
    }

    #[test]
    fn the_last_error_covers_all_attempts() {
        let clock = TestClock::new();
        let errors = (0..5).map(|_| Err(throttled()));
        let (result, _) = call(&RetryBudget::default(), &clock, errors);
        let error = result.unwrap_err();
        assert_eq!(error.attempts(), 5);
        // Five seconds of attempts, and the waits between them.
        assert_eq!(error.elapsed(), Duration::from_millis(5000 + 3750));
        assert!(error.to_string().contains("[5 attempts in 8.8 s]"), "{error}");
        assert_eq!(error.execution(), Execution::Rejected);
    }

    #[test]
    fn a_call_that_may_have_been_executed_is_not_retried() {
        let clock = TestClock::new();
        let outcomes = [Err(throttled()), Err(unavailable(Idempotency::NonIdempotent))];
        let (result, attempts) = call(&RetryBudget::default(), &clock, outcomes);
        let error = result.unwrap_err();
        assert_eq!((attempts, error.attempts()), (2, 2));
        assert_eq!(error.execution(), Execution::Unknown);
        let text = error.to_string();
        // Where the service documents a remedy, that says it.
        let once = UNAVAILABLE.remedy().unwrap_or("may have been executed");
        assert_eq!(text.matches(once).count(), 1, "{text}");
        let is_documented = UNAVAILABLE.remedy().is_some();
        assert_eq!(text.contains("may have been executed"), !is_documented, "{text}");
    }

    #[test]
    fn a_refusal_after_an_uncertain_attempt_is_uncertain() {
        let clock = TestClock::new();
        let refusal = refused(Idempotency::Idempotent, FORBIDDEN);
        assert_eq!(refusal.execution(), Execution::Rejected);
        let outcomes = [Err(unavailable(Idempotency::Idempotent)), Err(refusal)];
        let (result, _) = call(&RetryBudget::default(), &clock, outcomes);
        let error = result.unwrap_err();
        assert_eq!(error.execution(), Execution::Unknown);
        assert_eq!(error.kind(), ErrorKind::Service);
        assert!(error.to_string().contains("An earlier attempt"), "{error}");
    }

    #[test]
    fn the_budget_limits_retries_while_the_service_is_down() {
        for (fail, cost) in [
            (throttled as fn() -> Error, RetryBudget::COST_IF_THROTTLED),
            (|| unavailable(Idempotency::Safe), RetryBudget::COST),
        ] {
            let (budget, clock) = (RetryBudget::default(), TestClock::new());
            let mut attempts = 0;
            for _ in 0..500 {
                // As many outcomes as there will be attempts.
                let left = budget.left() / cost;
                let sent = (left + 1).min(5);
                let (result, sent_attempts) = call(&budget, &clock, (0..sent).map(|_| Err(fail())));
                let error = result.unwrap_err();
                attempts += sent_attempts;
                assert_eq!(error.to_string().contains("too many calls of"), sent < 5, "{error}");
            }
            assert_eq!(attempts, 500 + RetryBudget::FULL / cost);

            // The service is up again: some successes pay for one retry.
            for _ in 0..cost {
                call(&budget, &clock, [Ok(1)]).0.unwrap();
            }
            call(&budget, &clock, [Err(fail()), Ok(1)]).0.unwrap();
        }
    }

    #[test]
    fn what_this_machine_lacks_costs_no_budget() {
        let (budget, clock) = (RetryBudget::default(), TestClock::new());
        for _ in 0..500 {
            let errors = (0..5).map(|_| Err(failure::no_slot("GetRepo", 1, "1 s")));
            let (result, attempts) = call(&budget, &clock, errors);
            assert_eq!((attempts, result.unwrap_err().attempts()), (5, 5));
        }
        assert_eq!(budget.left(), RetryBudget::FULL);
    }

    #[test]
    fn a_dropped_call_pays_only_for_the_retries_it_sent() {
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

        /// Returns what is left of the budget after a call that never ends is dropped.
        fn left(clock: &impl Clock) -> u32 {
            let budget = RetryBudget::default();
            let limits = RetryLimits {
                policy: &RetryPolicy::default(),
                budget: &budget,
                start: clock.now(),
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
            budget.left()
        }

        assert_eq!(left(&Asleep(TestClock::new())), RetryBudget::FULL, "it was waiting");
        assert_eq!(left(&TestClock::new()), RetryBudget::FULL - RetryBudget::COST, "it was sent");
    }

    #[test]
    fn jitter_covers_the_whole_range() {
        let drawn: Vec<f64> = (0..1000).map(|_| SystemClock.jitter()).collect();
        assert!(drawn.iter().all(|jitter| (0.0..1.0).contains(jitter)));
        let mean = drawn.iter().sum::<f64>() / 1000.0;
        // Twenty times the standard error.
        assert!((mean - 0.5).abs() < 0.2, "{mean}");
    }
}

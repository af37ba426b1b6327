//! Which requests a fault applies to.

use std::ops::{Bound, RangeBounds};
use std::{collections::VecDeque, num::NonZeroU64, time::Duration};

use fastrand::Rng;
use serde::{Deserialize, Deserializer, de::Error};
use tokio::time::Instant;

use crate::fault::Fault;

/// Selects the requests of a [`Fault`], for [`LocalUhub::inject_on`](crate::LocalUhub::inject_on).
/// A request has to meet every condition.
///
/// ```
/// use std::time::Duration;
/// use uhub_local::Scope;
///
/// let third_listing = Scope::action("GetRepo").nth(3);
/// let first_two_of_any = Scope::all().calls(..=2);
/// let one_in_ten = Scope::all().rate(0.1);
/// let two_seconds = Scope::all().lasting(Duration::from_secs(2));
/// let no_new_credentials = Scope::metadata();
/// ```
///
/// In JSON, a scope is an object of these conditions, each of them optional:
///
/// ```json
/// {"action": "GetRepo", "from": 1, "to": 2, "every": 1, "rate": 0.5, "seconds": 2.5}
/// ```
///
/// `{"metadata": true}` with the same conditions selects requests for temporary credentials.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    action: Option<String>,
    metadata: bool,
    /// The number of the first request. 0 means 1.
    from: u64,
    to: Option<u64>,
    every: Option<NonZeroU64>,
    #[serde(deserialize_with = "fraction")]
    rate: Option<f64>,
    #[serde(rename = "seconds", deserialize_with = "crate::seconds::deserialize")]
    lasting: Option<Duration>,
}

impl Scope {
    /// Selects every request to the API, valid or not, and none to the
    /// [metadata service](crate::LocalUhub::metadata_url).
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Selects the requests of one action, by its documented name.
    #[must_use]
    pub fn action(name: impl Into<String>) -> Self {
        Self { action: Some(name.into()), ..Self::all() }
    }

    /// Selects the requests to the [metadata service](crate::LocalUhub::metadata_url), and no
    /// others.
    #[must_use]
    pub fn metadata() -> Self {
        Self { metadata: true, ..Self::all() }
    }

    /// Selects only the n-th request, counted from 1 after the injection. Every request of the
    /// action counts, including those with another fault.
    #[must_use]
    pub fn nth(self, n: u64) -> Self {
        self.calls(n..=n)
    }

    /// Selects a range of requests, counted as by [`nth`](Self::nth): `..=3` are the first three.
    #[must_use]
    pub fn calls(mut self, numbers: impl RangeBounds<u64>) -> Self {
        self.from = match numbers.start_bound() {
            Bound::Included(&first) => first,
            Bound::Excluded(&before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        self.to = match numbers.end_bound() {
            Bound::Included(&last) => Some(last),
            Bound::Excluded(&after) => Some(after.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        self
    }

    /// Selects every n-th request: 3 selects the third, the sixth and so on, counted from the first
    /// that [`calls`](Self::calls) selects. 0 means 1.
    #[must_use]
    pub fn every(mut self, n: u64) -> Self {
        self.every = NonZeroU64::new(n);
        self
    }

    /// Selects each request with this probability, between 0 and 1: 0.1 is about one in ten. The
    /// choice depends only on the server's [seed](crate::LocalUhubBuilder::seed), on how many
    /// faults were injected with a scope since the start or since
    /// [`clear_faults`](crate::LocalUhub::clear_faults), and on the request's number.
    #[must_use]
    pub fn rate(mut self, rate: f64) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Selects requests for this long, from the injection on.
    #[must_use]
    pub fn lasting(mut self, time: Duration) -> Self {
        self.lasting = Some(time);
        self
    }

    fn covers(&self, action: Option<&str>) -> bool {
        match action {
            None => self.metadata,
            Some(name) => !self.metadata && self.action.as_deref().is_none_or(|own| own == name),
        }
    }
}

fn fraction<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let rate = f64::deserialize(deserializer)?;
    if (0.0..=1.0).contains(&rate) {
        Ok(Some(rate))
    } else {
        Err(D::Error::custom(format_args!("`rate` must be between 0 and 1, and is {rate}")))
    }
}

/// The limits on the faults that requests inject.
const MAX_FAULTS: usize = 1000;
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// The injected faults.
pub(crate) struct Faults {
    seed: u64,
    /// Seeds the random numbers of the rules, one after the other.
    rng: Rng,
    /// The faults of the next API requests.
    queue: VecDeque<Fault>,
    rules: Vec<Rule>,
}

struct Rule {
    scope: Scope,
    fault: Fault,
    rng: Rng,
    /// How many requests the scope has covered.
    covered: u64,
    until: Option<Instant>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, rng: Rng::with_seed(seed), queue: VecDeque::new(), rules: Vec::new() }
    }

    /// Whether a request may inject one more fault.
    pub(crate) fn has_room_for(&self, fault: &Fault) -> bool {
        let kept = || self.queue.iter().chain(self.rules.iter().map(|rule| &rule.fault));
        let bytes: usize = kept().map(Fault::size).sum();
        kept().count() < MAX_FAULTS && bytes + fault.size() <= MAX_BYTES
    }

    pub(crate) fn push(&mut self, fault: Fault) {
        self.queue.push_back(fault);
    }

    pub(crate) fn add(&mut self, scope: Scope, fault: Fault, now: Instant) {
        self.rules.push(Rule {
            // Beyond the clock's range means without an end.
            until: scope.lasting.and_then(|time| now.checked_add(time)),
            scope,
            fault,
            rng: self.rng.fork(),
            covered: 0,
        });
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.seed);
    }

    /// The fault of this request: the next in the queue, or else that of the first matching rule.
    /// The action is empty if the request names none, and `None` for a metadata request.
    pub(crate) fn next(&mut self, action: Option<&str>, now: Instant) -> Option<Fault> {
        let mut fault = action.and_then(|_| self.queue.pop_front());
        // Every rule counts the request, and finished rules are removed.
        self.rules.retain_mut(|rule| {
            if rule.until.is_some_and(|until| now >= until) {
                return false;
            }
            if rule.scope.covers(action) && rule.selects_next() && fault.is_none() {
                fault = Some(rule.fault.clone());
            }
            rule.scope.to.is_none_or(|last| rule.covered < last)
        });
        fault
    }
}

impl Rule {
    /// Counts a request and returns whether it is selected.
    fn selects_next(&mut self) -> bool {
        self.covered += 1;
        let Scope { from, to, every, rate, .. } = self.scope;
        // Drawn for every request, so that the choice depends on the request's number alone.
        let is_drawn = self.rng.f64() < rate.unwrap_or(1.0);
        let from = from.max(1);
        self.covered >= from
            && to.is_none_or(|to| self.covered <= to)
            && (self.covered - from + 1).is_multiple_of(every.map_or(1, NonZeroU64::get))
            && is_drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(faults: &mut Faults, scope: Scope, fault: Fault) {
        faults.add(scope, fault, Instant::now());
    }

    fn next(faults: &mut Faults, action: Option<&str>) -> Option<Fault> {
        faults.next(action, Instant::now())
    }

    /// The numbers of the first 12 requests that a scope selects.
    fn hits(scope: Scope) -> Vec<u64> {
        let mut faults = Faults::new(0);
        add(&mut faults, scope, Fault::CutConnection);
        (1..=12).filter(|_| next(&mut faults, Some("GetRepo")).is_some()).collect()
    }

    #[test]
    fn calls_are_counted_from_one() {
        assert_eq!(hits(Scope::all().nth(3)), [3]);
        assert!(hits(Scope::all().nth(0)).is_empty());
        assert_eq!(hits(Scope::all().calls(..=2)), [1, 2]);
        assert_eq!(hits(Scope::all().calls(11..)), [11, 12]);
        assert_eq!(hits(Scope::all().calls(4..6)), [4, 5]);
        assert_eq!(hits(Scope::all().every(5)), [5, 10]);
        assert_eq!(hits(Scope::all().every(0)).len(), 12);
        assert_eq!(hits(Scope::all().calls(3..=9).every(3)), [5, 8]);
        assert_eq!(hits(Scope::all()).len(), 12);
    }

    #[test]
    fn actions_are_counted_separately() {
        let mut faults = Faults::new(0);
        add(&mut faults, Scope::action("GetRepo").nth(2), Fault::Hang);
        let mut next = |action| next(&mut faults, Some(action));
        assert_eq!(next("GetRepo"), None);
        assert_eq!(next("CreateRepo"), None);
        assert_eq!(next("GetRepo"), Some(Fault::Hang));
        assert_eq!(next("GetRepo"), None);
    }

    #[test]
    fn metadata_requests_have_rules_of_their_own() {
        let mut faults = Faults::new(0);
        faults.push(Fault::Hang);
        add(&mut faults, Scope::all().nth(2), Fault::CutConnection);
        add(&mut faults, Scope::metadata().nth(2), Fault::Hang);
        assert_eq!(next(&mut faults, None), None);
        assert_eq!(next(&mut faults, None), Some(Fault::Hang));
        assert_eq!(next(&mut faults, Some("")), Some(Fault::Hang));
        assert_eq!(next(&mut faults, Some("")), Some(Fault::CutConnection));
    }

    #[test]
    fn the_queue_comes_first_and_the_first_rule_wins() {
        let mut faults = Faults::new(0);
        faults.push(Fault::Hang);
        add(&mut faults, Scope::all().calls(..=2), Fault::CutConnection);
        add(&mut faults, Scope::all().calls(..=3), Fault::ResetConnection);
        let injected: Vec<_> = (0..4).map(|_| next(&mut faults, Some(""))).collect();
        let expected =
            [Some(Fault::Hang), Some(Fault::CutConnection), Some(Fault::ResetConnection), None];
        assert_eq!(injected, expected);
        assert!(faults.rules.is_empty(), "finished rules are removed");
    }

    #[test]
    fn a_rate_selects_the_same_requests_for_the_same_seed() {
        let hits = |seed| -> Vec<bool> {
            let mut faults = Faults::new(seed);
            add(&mut faults, Scope::all().rate(0.5), Fault::Hang);
            // Other requests change nothing.
            let mut next = || {
                next(&mut faults, None);
                next(&mut faults, Some("A")).is_some()
            };
            (0..64).map(|_| next()).collect()
        };
        assert_eq!(hits(1), hits(1));
        assert_ne!(hits(1), hits(99));
        // A seed's second rule differs from the next seed's first, and cleared rules do not count.
        let nth = |seed, before, cleared| -> Vec<bool> {
            let mut faults = Faults::new(seed);
            for _ in 0..before {
                add(&mut faults, Scope::metadata(), Fault::Hang);
            }
            if cleared {
                faults.clear();
            }
            add(&mut faults, Scope::all().rate(0.5), Fault::Hang);
            let mut next = || next(&mut faults, Some("A")).is_some();
            (0..64).map(|_| next()).collect()
        };
        assert_ne!(nth(1, 1, false), nth(2, 0, false));
        assert_ne!(nth(1, 1, false), nth(1, 0, false));
        assert_eq!(nth(1, 5, true), nth(1, 0, false));
        assert!(self::hits(Scope::all().rate(-1.0)).is_empty());
        assert!(self::hits(Scope::all().rate(f64::NAN)).is_empty());
        assert_eq!(self::hits(Scope::all().rate(7.0)).len(), 12);
    }

    #[test]
    fn a_rate_is_kept() {
        let mut faults = Faults::new(1);
        add(&mut faults, Scope::all().rate(0.25), Fault::Hang);
        let mut is_hit = || next(&mut faults, Some("A")).is_some();
        let hits = (0..10_000).filter(|_| is_hit()).count();
        assert!((2300..2700).contains(&hits), "{hits}");
    }

    #[test]
    fn a_rule_ends_after_its_time() {
        let mut faults = Faults::new(0);
        let now = Instant::now();
        let time = Duration::from_secs(2);
        faults.add(Scope::all().lasting(time), Fault::Hang, now);
        let endless = Scope::all().lasting(Duration::MAX);
        faults.add(endless, Fault::CutConnection, now);
        let almost = now + time - Duration::from_millis(1);
        assert_eq!(faults.next(Some(""), almost), Some(Fault::Hang));
        let next = faults.next(Some(""), now + time);
        assert_eq!(next, Some(Fault::CutConnection));
        assert_eq!(faults.rules.len(), 1);
    }

    #[test]
    fn scopes_have_a_json_form() {
        let read = |json: &str| serde_json::from_str::<Scope>(json);
        assert_eq!(read("{}").unwrap(), Scope::all());
        let scope = Scope::action("GetRepo")
            .calls(2..=3)
            .every(2)
            .rate(0.5)
            .lasting(Duration::from_millis(2500));
        let json =
            r#"{"action": "GetRepo", "from": 2, "to": 3, "every": 2, "rate": 0.5, "seconds": 2.5}"#;
        assert_eq!(read(json).unwrap(), scope);
        assert_eq!(read(r#"{"metadata": true}"#).unwrap(), Scope::metadata());
        for (json, message) in [
            (r#"{"acton": "GetRepo"}"#, "unknown field `acton`"),
            (r#"{"rate": 1.5}"#, "between 0 and 1"),
            (r#"{"every": 0}"#, "expected a nonzero u64"),
            (r#"{"seconds": -1}"#, "not a valid number of seconds"),
            (r#"{"from": -1}"#, "invalid value"),
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}

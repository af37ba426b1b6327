//! Which requests a fault is for.

use std::collections::VecDeque;
use std::ops::{Bound, RangeBounds};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use tokio::time::Instant;

use super::fault::Fault;
use super::random::Random;

/// The requests that a [`Fault`] is played on: [`LocalUhub::play_on`](super::LocalUhub::play_on)
/// takes one. Every condition given has to hold.
///
/// ```
/// use std::time::Duration;
/// use uhub_sdk::local::Scope;
///
/// let third_listing = Scope::action("GetRepo").nth(3);
/// let first_two_of_any = Scope::all().calls(..=2);
/// let one_in_ten = Scope::all().rate(0.1);
/// let down_for_a_while = Scope::all().lasting(Duration::from_secs(2));
/// let no_new_credentials = Scope::metadata();
/// ```
///
/// As JSON it is an object of these conditions, each of which can be left out:
///
/// ```json
/// {"action": "GetRepo", "from": 1, "to": 2, "every": 1, "rate": 0.5, "seconds": 2.5}
/// ```
///
/// or, for requests of temporary credentials, `{"metadata": true}` with the same conditions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    action: Option<String>,
    metadata: bool,
    from: u64,
    to: Option<u64>,
    #[serde(deserialize_with = "at_least_one")]
    every: u64,
    #[serde(deserialize_with = "fraction")]
    rate: f64,
    #[serde(rename = "seconds", with = "super::seconds::optional")]
    lasting: Option<Duration>,
}

impl Default for Scope {
    fn default() -> Self {
        Self::all()
    }
}

impl Scope {
    /// Every request to the API, whatever it is. Requests to the
    /// [machine's metadata](super::LocalUhub::metadata_url) are not among them.
    #[must_use]
    pub fn all() -> Self {
        Self {
            action: None,
            metadata: false,
            from: 1,
            to: None,
            every: 1,
            rate: 1.0,
            lasting: None,
        }
    }

    /// The requests of one action, by its documented name.
    #[must_use]
    pub fn action(name: impl Into<String>) -> Self {
        Self {
            action: Some(name.into()),
            ..Self::all()
        }
    }

    /// The requests to the [machine's metadata](super::LocalUhub::metadata_url), and no others.
    #[must_use]
    pub fn metadata() -> Self {
        Self {
            metadata: true,
            ..Self::all()
        }
    }

    /// The n-th of them alone: 1 is the first after the fault was given. Every request of the
    /// action counts, also one that another fault is played on.
    #[must_use]
    pub fn nth(self, n: u64) -> Self {
        self.calls(n..=n)
    }

    /// From which to which of them, counted as [`nth`](Self::nth) counts: `..=3` are the first
    /// three, `4..` are all after them.
    #[must_use]
    pub fn calls(mut self, numbers: impl RangeBounds<u64>) -> Self {
        self.from = match numbers.start_bound() {
            Bound::Included(&first) => first,
            Bound::Excluded(&before) => before.saturating_add(1),
            Bound::Unbounded => 1,
        };
        self.to = match numbers.end_bound() {
            Bound::Included(&last) => Some(last),
            Bound::Excluded(&after) => Some(after.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        self
    }

    /// Every n-th of them: with 3, the third, the sixth and so on, counted from the first that
    /// [`calls`](Self::calls) lets through. 0 means every one, as 1 does.
    #[must_use]
    pub fn every(mut self, n: u64) -> Self {
        self.every = n.max(1);
        self
    }

    /// Each of them at this rate: 0.1 for about one in ten. Which ones is decided by the server's
    /// [seed](super::LocalUhubBuilder::seed), by how many faults were given a scope before this one
    /// (since [all were forgotten](super::LocalUhub::clear_faults)) and by their number alone. A rate
    /// below 0 is 0, and one above 1 is 1.
    #[must_use]
    pub fn rate(mut self, rate: f64) -> Self {
        self.rate = rate.clamp(0.0, 1.0);
        self
    }

    /// For this long, from the moment the fault is given.
    #[must_use]
    pub fn lasting(mut self, time: Duration) -> Self {
        self.lasting = Some(time);
        self
    }

    fn covers(&self, target: Target<'_>) -> bool {
        match target {
            Target::Metadata => self.metadata,
            Target::Action(name) => {
                !self.metadata && self.action.as_deref().is_none_or(|action| action == name)
            }
        }
    }
}

fn at_least_one<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    match u64::deserialize(from)? {
        0 => Err(D::Error::custom(
            "every 0th request is none: give 1 or more",
        )),
        every => Ok(every),
    }
}

fn fraction<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let rate = f64::deserialize(from)?;
    if (0.0..=1.0).contains(&rate) {
        Ok(rate)
    } else {
        Err(D::Error::custom(format_args!(
            "a rate is between 0 and 1; found {rate}"
        )))
    }
}

/// A fault and the requests it is for, as JSON says it: the body of
/// [`POST /_local/faults`](super#over-http).
///
/// ```
/// use uhub_sdk::local::{Fault, FaultRule};
///
/// let json = r#"{"play": {"ret_code": {"code": 153}}, "on": {"action": "GetRepo", "to": 2}}"#;
/// let rule: FaultRule = serde_json::from_str(json)?;
/// assert_eq!(rule.play, Fault::throttled());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FaultRule {
    /// The fault.
    pub play: Fault,
    /// The requests it is for; the next one alone, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Scope>,
}

/// What a request is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    /// An action of the API; an empty one, where the request names none.
    Action(&'a str),
    Metadata,
}

/// The faults still to be played.
pub(super) struct Faults {
    seed: u64,
    /// How many rules were given since the start, or since all were forgotten.
    given: u64,
    /// Those for the next requests to the API, whatever they are.
    queue: VecDeque<Fault>,
    rules: Vec<Rule>,
}

struct Rule {
    scope: Scope,
    fault: Fault,
    random: Random,
    /// How many requests the scope has covered so far.
    seen: u64,
    until: Option<Instant>,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            given: 0,
            queue: VecDeque::new(),
            rules: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, fault: Fault) {
        self.queue.push_back(fault);
    }

    pub(super) fn add(&mut self, scope: Scope, fault: Fault, now: Instant) {
        // A time beyond the end of the clock is no end.
        let until = scope.lasting.and_then(|time| now.checked_add(time));
        self.given += 1;
        self.rules.push(Rule {
            scope,
            fault,
            random: Random::nth(self.seed, self.given),
            seen: 0,
            until,
        });
    }

    pub(super) fn add_rule(&mut self, FaultRule { play, on }: FaultRule, now: Instant) {
        match on {
            None => self.push(play),
            Some(scope) => self.add(scope, play, now),
        }
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.rules.clear();
        self.given = 0;
    }

    /// The fault for this request: the next of the queue, or else that of the first rule that
    /// has one.
    pub(super) fn next(&mut self, target: Target<'_>, now: Instant) -> Option<Fault> {
        let mut fault = match target {
            Target::Action(_) => self.queue.pop_front(),
            Target::Metadata => None,
        };
        // All of them count, and what has nothing more to play is forgotten.
        self.rules.retain_mut(|rule| {
            if rule.until.is_some_and(|until| now >= until) {
                return false;
            }
            if rule.scope.covers(target) && rule.takes_next() && fault.is_none() {
                fault = Some(rule.fault.clone());
            }
            rule.scope.to.is_none_or(|last| rule.seen < last)
        });
        fault
    }
}

impl Rule {
    /// Counts one request more, and says whether it is one to play the fault on.
    fn takes_next(&mut self) -> bool {
        self.seen += 1;
        let Scope {
            from,
            to,
            every,
            rate,
            ..
        } = self.scope;
        // Drawn for every request, so that which ones it hits depends on their number alone.
        let happens = self.random.happens(rate);
        let from = from.max(1);
        self.seen >= from
            && to.is_none_or(|to| self.seen <= to)
            && (self.seen - from + 1).is_multiple_of(every)
            && happens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(faults: &mut Faults, scope: Scope, fault: Fault) {
        faults.add(scope, fault, Instant::now());
    }

    fn next(faults: &mut Faults, target: Target<'_>) -> Option<Fault> {
        faults.next(target, Instant::now())
    }

    /// Which of the first requests of an action a fault is played on.
    fn hits(scope: Scope) -> Vec<u64> {
        let mut faults = Faults::new(0);
        add(&mut faults, scope, Fault::CutConnection);
        (1..=12)
            .filter(|_| next(&mut faults, Target::Action("GetRepo")).is_some())
            .collect()
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
    fn an_action_counts_for_itself() {
        let mut faults = Faults::new(0);
        add(&mut faults, Scope::action("GetRepo").nth(2), Fault::Hang);
        let mut next = |action| next(&mut faults, Target::Action(action));
        assert_eq!(next("GetRepo"), None);
        assert_eq!(next("CreateRepo"), None);
        assert_eq!(next("GetRepo"), Some(Fault::Hang));
        assert_eq!(next("GetRepo"), None);
    }

    #[test]
    fn the_metadata_is_apart() {
        let mut faults = Faults::new(0);
        faults.push(Fault::Hang);
        add(&mut faults, Scope::all().nth(2), Fault::CutConnection);
        add(&mut faults, Scope::metadata().nth(2), Fault::Hang);
        assert_eq!(next(&mut faults, Target::Metadata), None);
        assert_eq!(next(&mut faults, Target::Metadata), Some(Fault::Hang));
        assert_eq!(next(&mut faults, Target::Action("")), Some(Fault::Hang));
        assert_eq!(
            next(&mut faults, Target::Action("")),
            Some(Fault::CutConnection)
        );
    }

    #[test]
    fn the_queue_comes_first_and_the_first_rule_wins() {
        let mut faults = Faults::new(0);
        faults.push(Fault::Hang);
        add(&mut faults, Scope::all().calls(..=2), Fault::CutConnection);
        add(
            &mut faults,
            Scope::all().calls(..=3),
            Fault::ResetConnection,
        );
        let played: Vec<_> = (0..4)
            .map(|_| next(&mut faults, Target::Action("")))
            .collect();
        let expected = [
            Some(Fault::Hang),
            Some(Fault::CutConnection),
            Some(Fault::ResetConnection),
            None,
        ];
        assert_eq!(played, expected);
        assert!(faults.rules.is_empty(), "what is over is forgotten");
    }

    #[test]
    fn a_seed_says_which_requests_a_rate_hits() {
        let hits = |seed| -> Vec<bool> {
            let mut faults = Faults::new(seed);
            add(&mut faults, Scope::all().rate(0.5), Fault::Hang);
            // Requests to something else change nothing.
            let mut next = || {
                next(&mut faults, Target::Metadata);
                next(&mut faults, Target::Action("A")).is_some()
            };
            (0..64).map(|_| next()).collect()
        };
        assert_eq!(hits(1), hits(1));
        assert_ne!(hits(1), hits(99));
        // One seed's second rule is not the next one's first, and what was forgotten does not count.
        let nth = |seed, before, forgotten| -> Vec<bool> {
            let mut faults = Faults::new(seed);
            for _ in 0..before {
                add(&mut faults, Scope::metadata(), Fault::Hang);
            }
            if forgotten {
                faults.clear();
            }
            add(&mut faults, Scope::all().rate(0.5), Fault::Hang);
            let mut next = || next(&mut faults, Target::Action("A")).is_some();
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
    fn a_time_comes_to_its_end() {
        let mut faults = Faults::new(0);
        let now = Instant::now();
        let time = Duration::from_secs(2);
        faults.add(Scope::all().lasting(time), Fault::Hang, now);
        let for_ever = Scope::all().lasting(Duration::MAX);
        faults.add(for_ever, Fault::CutConnection, now);
        let almost = now + time - Duration::from_millis(1);
        assert_eq!(faults.next(Target::Action(""), almost), Some(Fault::Hang));
        let next = faults.next(Target::Action(""), now + time);
        assert_eq!(next, Some(Fault::CutConnection));
        assert_eq!(faults.rules.len(), 1);
    }

    #[test]
    fn as_json_a_scope_is_what_it_says() {
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
        let again = serde_json::to_string(&Scope::metadata()).unwrap();
        assert_eq!(read(&again).unwrap(), Scope::metadata());
        for (json, message) in [
            (r#"{"acton": "GetRepo"}"#, "unknown field `acton`"),
            (r#"{"rate": 1.5}"#, "between 0 and 1"),
            (r#"{"every": 0}"#, "1 or more"),
            (r#"{"seconds": -1}"#, "no number of seconds"),
            (r#"{"from": -1}"#, "invalid value"),
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}

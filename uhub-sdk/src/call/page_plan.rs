//! Which page to ask for next, and when to stop: decided from what the pages had, with no I/O.
//!
//! Nothing the service says is believed further than it shows. A page may be shorter than asked
//! for, longer, the same as another; the total may be wrong in either direction, and change.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    hash::{BuildHasher, RandomState},
};

/// What is asked for where the request does not say how long a page is.
const DEFAULT_LIMIT: i64 = 100;
/// How many items are remembered, beside those of the first page.
const REMEMBERED: usize = 16_384;

/// A page to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: i64,
    pub(super) limit: i64,
}

/// What a page was found to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Of each item, whether no earlier page had it.
    pub(super) fresh: Vec<bool>,
    /// Whether the pages that were asked for meanwhile are the right ones.
    pub(super) is_as_planned: bool,
}

pub(super) struct Walk {
    limit: i64,
    /// Where the next page to be read begins.
    position: i64,
    /// Where the next page to be asked for begins.
    planned: i64,
    /// How long pages turn out to be, once there was one.
    stride: Option<i64>,
    /// How many items there are, as the last page has it.
    total: i64,
    /// How many pages in a row had nothing new.
    stale: u32,
    pages: u64,
    is_over: bool,
    seen: Seen,
}

impl Walk {
    pub(super) fn new(offset: Option<i64>, limit: Option<i64>) -> Self {
        let offset = offset.unwrap_or(0);
        Self {
            limit: limit.unwrap_or(DEFAULT_LIMIT),
            position: offset,
            planned: offset,
            stride: None,
            total: 0,
            stale: 0,
            pages: 0,
            is_over: false,
            seen: Seen::default(),
        }
    }

    /// The next page to ask for while some others are under way; nothing if it is too early to tell.
    pub(super) fn plan(&mut self, under_way: usize) -> Option<Place> {
        if self.is_over {
            return None;
        }
        // Only where the first page showed how long pages are, and only as far as the service says
        // there is something.
        let can_tell = self.stride.is_some() && self.planned < self.total;
        if under_way > 0 && !can_tell {
            return None;
        }
        let place = Place {
            offset: self.planned,
            limit: self.limit,
        };
        self.planned = self
            .planned
            .saturating_add(self.stride.unwrap_or(self.limit));
        Some(place)
    }

    /// Takes note of the page at `place`, which is the next in order.
    pub(super) fn digest(
        &mut self,
        place: Place,
        total: i64,
        keys: impl Iterator<Item = impl AsRef<str>>,
    ) -> Step {
        let is_first = self.stride.is_none();
        let page = self.seen.page(keys, self.pages);
        let length = i64::try_from(page.fresh.len()).unwrap_or(i64::MAX);
        self.pages += 1;
        self.total = total;
        self.position = place.offset.saturating_add(length);
        let has_new = page.fresh.contains(&true);
        self.stale = if has_new { 0 } else { self.stale + 1 };

        let stride = *self.stride.get_or_insert(length);
        // A service may count the items of the page where it should count all of them: a first page that
        // is full proves nothing.
        let is_counted =
            self.position == total && !(is_first && length == self.limit && place.offset == 0);
        self.is_over = length == 0
            || is_counted
            // Items were added, and moved what had been read to this page; or else it goes on like this.
            || self.stale > 1
            || page.begins_again
            // The total is too low to go by: the last page is one that is not full, or has nothing new.
            || (self.position > total && (length < stride || page.has_old))
            || (self.position >= total && !has_new)
            || self.position == i64::MAX;

        let is_as_planned = !self.is_over && (is_first || length == stride);
        if !is_as_planned || is_first {
            // Go on behind what was read, in steps as long as it was.
            self.planned = self.position;
            self.stride = Some(length.max(1));
        }
        Step {
            fresh: page.fresh,
            is_as_planned,
        }
    }
}

impl fmt::Debug for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            limit,
            position,
            total,
            is_over,
            ..
        } = self;
        f.debug_struct("Walk")
            .field("limit", limit)
            .field("position", position)
            .field("total", total)
            .field("is_over", is_over)
            .finish_non_exhaustive()
    }
}

/// The items of earlier pages, by the hash of their key: those of the first page, to know it when a
/// service begins again, and the latest.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    first: HashSet<u64>,
    known: HashSet<u64>,
    latest: VecDeque<u64>,
    /// One page of those before, by the hash of its items. It is taken anew after 1, 2, 4, … pages, and
    /// so any service that goes in circles comes by it.
    landmark: u64,
}

/// What is known of the items of a page.
struct Page {
    /// Of each, whether no earlier page had it.
    fresh: Vec<bool>,
    has_old: bool,
    /// Whether the service has begun to repeat itself.
    begins_again: bool,
}

impl Seen {
    fn page(&mut self, keys: impl Iterator<Item = impl AsRef<str>>, number: u64) -> Page {
        let hashes: Vec<u64> = keys.map(|key| self.hasher.hash_one(key.as_ref())).collect();
        // What a page has twice is the page's own affair: only earlier pages count.
        let fresh: Vec<bool> = hashes
            .iter()
            .map(|hash| !self.known.contains(hash) && !self.first.contains(hash))
            .collect();
        let whole = self.hasher.hash_one(&hashes);
        // On the second page, items of the first may stand because new ones moved them there.
        let has_first = number > 1 && hashes.iter().any(|hash| self.first.contains(hash));
        let begins_again = has_first || (number > 1 && whole == self.landmark);
        if number.is_power_of_two() || number == 0 {
            self.landmark = whole;
        }
        if number == 0 {
            self.first = hashes.into_iter().collect();
        } else {
            for hash in hashes {
                if self.known.insert(hash) {
                    self.latest.push_back(hash);
                }
            }
        }
        while self.latest.len() > REMEMBERED {
            if let Some(oldest) = self.latest.pop_front() {
                self.known.remove(&oldest);
            }
        }
        Page {
            has_old: fresh.contains(&false),
            fresh,
            begins_again,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Walks a service with some read-ahead; gives up after many pages.
    fn walk(
        limit: i64,
        read_ahead: usize,
        mut service: impl FnMut(Place, usize) -> (i64, Vec<String>),
    ) -> Option<(Vec<String>, usize)> {
        let mut walk = Walk::new(None, Some(limit));
        let (mut under_way, mut items, mut pages) = (VecDeque::new(), Vec::new(), 0);
        loop {
            while under_way.len() <= read_ahead {
                let Some(place) = walk.plan(under_way.len()) else {
                    break;
                };
                let (total, page) = service(place, pages);
                pages += 1;
                under_way.push_back((place, total, page));
            }
            let Some((place, total, page)) = under_way.pop_front() else {
                return Some((items, pages));
            };
            let step = walk.digest(place, total, page.iter());
            items.extend(
                page.into_iter()
                    .zip(&step.fresh)
                    .filter(|(_, fresh)| **fresh)
                    .map(|(item, _)| item),
            );
            if !step.is_as_planned {
                under_way.clear();
            }
            if pages > 2_000 {
                return None;
            }
        }
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("image-{number}")).collect()
    }

    fn slice(all: &[String], offset: i64, length: i64) -> Vec<String> {
        let start = usize::try_from(offset).unwrap().min(all.len());
        let end = (start + usize::try_from(length).unwrap()).min(all.len());
        all[start..end].to_vec()
    }

    #[test]
    fn a_service_that_behaves_is_asked_no_more_than_needed() {
        for (count, limit, pages) in [
            (0, 10, 1),
            (1, 10, 1),
            (10, 10, 2),
            (11, 10, 2),
            (100, 10, 10),
            (101, 10, 11),
        ] {
            for read_ahead in [0, 1, 8] {
                let all = names(count);
                let service =
                    |place: Place, _| (count as i64, slice(&all, place.offset, place.limit));
                assert_eq!(
                    walk(limit, read_ahead, service),
                    Some((all.clone(), pages)),
                    "{count} {limit} {read_ahead}"
                );
            }
        }
    }

    proptest! {
        /// A service that pages right, whatever cap and total it has.
        #[test]
        fn nothing_is_lost_and_nothing_comes_twice(
            count in 0..200_usize, limit in 1..40_i64, cap in 1..40_i64, read_ahead in 0..9_usize,
            wrong in prop::option::of(-10..300_i64),
        ) {
            let all = names(count);
            let total = wrong.unwrap_or(count as i64);
            // A total that is met by chance where a page ends is believed: no service that behaves has it.
            let length = limit.min(cap);
            prop_assume!(total >= count as i64 || total % length != 0 || total <= 0);
            let (items, _) = walk(limit, read_ahead, |place, _| (total, slice(&all, place.offset, length))).unwrap();
            prop_assert_eq!(items, all);
        }

        /// Services that do whatever they like: the walk ends, and nothing comes twice.
        #[test]
        fn it_always_ends(
            limit in 1..20_i64, read_ahead in 0..9_usize, totals in prop::collection::vec(-5..200_i64, 1..5),
            pages in prop::collection::vec(prop::collection::vec(0..60_u8, 0..20), 1..12),
        ) {
            // Pages from a handful of items, in any order, again and again.
            let service = |_: Place, number: usize| {
                let page: Vec<String> = pages[number % pages.len()].iter().map(|item| format!("image-{item}")).collect();
                (totals[number % totals.len()], page)
            };
            let (items, _) = walk(limit, read_ahead, service).expect("it ends");
            let count = |all: &[String], item: &str| all.iter().filter(|other| *other == item).count();
            for item in &items {
                let within_a_page = pages.iter().map(|page| page.iter().filter(|number| format!("image-{number}") == *item).count());
                prop_assert!(count(&items, item) <= within_a_page.max().unwrap_or(0), "{}", item);
            }
        }

        /// A service that ignores the offset, or begins again behind its end.
        #[test]
        fn a_service_that_begins_again_is_left(
            count in 1..100_usize, limit in 1..30_i64, read_ahead in 0..9_usize, ignores in any::<bool>(), total in -5..300_i64,
        ) {
            let all = names(count);
            let service = |place: Place, _| {
                let offset = if ignores { 0 } else { place.offset % count as i64 };
                (total, slice(&all, offset, place.limit))
            };
            let (items, _) = walk(limit, read_ahead, service).expect("it ends");
            let distinct: HashSet<&String> = items.iter().collect();
            prop_assert_eq!(distinct.len(), items.len(), "nothing comes twice");
        }
    }

    #[test]
    fn a_service_that_counts_the_page_is_walked_to_its_end() {
        let all = names(250);
        let service = |place: Place, _| {
            let page = slice(&all, place.offset, place.limit);
            (page.len() as i64, page)
        };
        assert_eq!(walk(100, 1, service).unwrap().0, all);
    }

    #[test]
    fn new_items_in_front_hide_none_that_were_there() {
        // Newest first, and one more before each of the first pages.
        for limit in [1, 3, 10] {
            let old = names(50);
            let service = |place: Place, number: usize| {
                let added = number.min(1);
                let all: Vec<String> = (0..added)
                    .map(|n| format!("new-{n}"))
                    .chain(old.clone())
                    .collect();
                (all.len() as i64, slice(&all, place.offset, place.limit))
            };
            assert_eq!(walk(limit, 0, service).unwrap().0, old, "{limit}");
        }
    }

    #[test]
    fn a_list_longer_than_what_is_remembered_is_left_when_it_begins_again() {
        let all = names(REMEMBERED + 4_000);
        for (limit, total) in [
            (97, all.len() as i64),
            (100, all.len() as i64),
            (97, i64::MAX),
            (100, -1),
        ] {
            // It goes round, in the middle of a page if need be.
            let service = |place: Place, _| {
                let page = (place.offset..place.offset + place.limit)
                    .map(|n| all[n as usize % all.len()].clone());
                (total, page.collect())
            };
            assert_eq!(
                walk(limit, 4, service).expect("it ends").0,
                all,
                "{limit} {total}"
            );
        }
    }

    #[test]
    fn a_circle_that_leaves_out_the_first_page_is_left_too() {
        let service = |place: Place, number: usize| {
            let start = if number == 0 {
                0
            } else {
                100 + (number - 1) * 100 % 20_000
            };
            (
                i64::MAX,
                (start..start + place.limit as usize)
                    .map(|n| format!("image-{n}"))
                    .collect(),
            )
        };
        assert!(walk(100, 0, service).is_some());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = Seen::default();
        for number in 0..1_000 {
            let keys = (0..100).map(|item| format!("{number}-{item}"));
            assert!(!seen.page(keys, number).fresh.contains(&false));
        }
        assert_eq!(
            (seen.first.len(), seen.known.len(), seen.latest.len()),
            (100, REMEMBERED, REMEMBERED)
        );
        let page = seen.page(["0-0", "999-0", "100-0"].into_iter(), 1_000);
        assert_eq!(
            (page.fresh, page.begins_again),
            (vec![false, false, true], true)
        );
    }
}

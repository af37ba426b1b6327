//! The page plan: which page to fetch next, and when to stop. Works on what the pages contained,
//! and does no I/O.
//!
//! Pagination does not rely on what the service reports. Pages may be shorter or longer than
//! requested, or repeat; the total may be too low or too high, and change.

use std::{
    collections::{HashSet, VecDeque},
    hash::{BuildHasher, RandomState},
};

/// The page size if the request has no limit.
const DEFAULT_LIMIT: i64 = 100;
/// How many items are remembered besides those of the first page.
const MAX_RECENT: usize = 16_384;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageRange {
    pub(super) offset: i64,
    pub(super) limit: i64,
}

/// What a page turned out to contain.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PageReport {
    /// For each item, whether no earlier page had it.
    pub(super) is_new: Vec<bool>,
    /// Whether the pages that were requested meanwhile are the right ones.
    pub(super) is_as_planned: bool,
}

pub(super) struct PagePlan {
    limit: i64,
    /// The end of the last page that was read.
    read_to: i64,
    /// The end of the last page that was requested.
    requested_to: i64,
    /// The actual length of pages, once one was read.
    page_length: Option<i64>,
    /// The number of items, as reported by the last page.
    total: i64,
    /// How many pages in a row had no new items.
    pages_without_new: u32,
    pages: u64,
    is_done: bool,
    history: ItemHistory,
}

impl PagePlan {
    pub(super) fn new(offset: Option<i64>, limit: Option<i64>) -> Self {
        let offset = offset.unwrap_or(0);
        Self {
            limit: limit.unwrap_or(DEFAULT_LIMIT),
            read_to: offset,
            requested_to: offset,
            page_length: None,
            total: 0,
            pages_without_new: 0,
            pages: 0,
            is_done: false,
            history: ItemHistory::default(),
        }
    }

    /// Returns the next page to request while others are in flight, or `None` if it is not known yet.
    pub(super) fn next_range(&mut self, in_flight: usize) -> Option<PageRange> {
        // Reading ahead needs the actual length of pages, and stays within the reported total.
        let may_read_ahead = self.page_length.is_some() && self.requested_to < self.total;
        if self.is_done || (in_flight > 0 && !may_read_ahead) {
            return None;
        }
        let range = PageRange { offset: self.requested_to, limit: self.limit };
        let length = self.page_length.unwrap_or(self.limit);
        self.requested_to = self.requested_to.saturating_add(length);
        Some(range)
    }

    /// Records the page at `range`, the next in order.
    pub(super) fn record(
        &mut self,
        range: PageRange,
        total: i64,
        keys: impl Iterator<Item = impl AsRef<str>>,
    ) -> PageReport {
        let is_first = self.page_length.is_none();
        let (is_new, is_restart) = self.history.record(keys, self.pages);
        let length = i64::try_from(is_new.len()).unwrap_or(i64::MAX);
        self.pages += 1;
        self.total = total;
        self.read_to = range.offset.saturating_add(length);
        let has_new = is_new.contains(&true);
        let has_old = is_new.contains(&false);
        self.pages_without_new = if has_new { 0 } else { self.pages_without_new + 1 };

        let page_length = *self.page_length.get_or_insert(length);
        // A service may report the length of the page as the total, so a full first page is not
        // proof.
        let is_total_reached =
            self.read_to == total && !(is_first && length == self.limit && range.offset == 0);
        self.is_done = length == 0
            || is_total_reached
            // One page without new items may be due to items that were added meanwhile.
            || self.pages_without_new > 1
            || is_restart
            // The total is too low: the last page is one that is not full or has old items.
            || (self.read_to > total && (length < page_length || has_old))
            || (self.read_to >= total && !has_new)
            || self.read_to == i64::MAX;

        let is_as_planned = !self.is_done && (is_first || length == page_length);
        if !is_as_planned || is_first {
            // Continue behind this page, with its length.
            self.requested_to = self.read_to;
            self.page_length = Some(length.max(1));
        }
        PageReport { is_new, is_as_planned }
    }
}

/// The hashes of earlier items: those of the first page, to detect when the service starts again,
/// and the most recent ones.
#[derive(Default)]
struct ItemHistory {
    hasher: RandomState,
    first_page: HashSet<u64>,
    recent: HashSet<u64>,
    recent_order: VecDeque<u64>,
    /// The hash of one earlier page. It is replaced after 1, 2, 4, … pages, so that any cycle of
    /// pages is detected.
    checkpoint: u64,
}

impl ItemHistory {
    /// Records a page. Returns for each item whether no earlier page had it, and whether the
    /// service repeats itself.
    fn record(
        &mut self,
        keys: impl Iterator<Item = impl AsRef<str>>,
        page_index: u64,
    ) -> (Vec<bool>, bool) {
        let hashes: Vec<u64> = keys.map(|key| self.hasher.hash_one(key.as_ref())).collect();
        // Duplicates within the page are kept: only earlier pages count.
        let is_new = hashes
            .iter()
            .map(|hash| !self.recent.contains(hash) && !self.first_page.contains(hash))
            .collect();
        let page_hash = self.hasher.hash_one(&hashes);
        // The second page may have items of the first that new items have moved.
        let is_restart = page_index > 1
            && (page_hash == self.checkpoint
                || hashes.iter().any(|hash| self.first_page.contains(hash)));
        if page_index.is_power_of_two() || page_index == 0 {
            self.checkpoint = page_hash;
        }
        if page_index == 0 {
            self.first_page = hashes.into_iter().collect();
        } else {
            let recent = &mut self.recent;
            let added = hashes.into_iter().filter(|hash| recent.insert(*hash));
            self.recent_order.extend(added);
        }
        let surplus = self.recent_order.len().saturating_sub(MAX_RECENT);
        for oldest in self.recent_order.drain(..surplus) {
            self.recent.remove(&oldest);
        }
        (is_new, is_restart)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lists all items of a service with some read-ahead. `None` after 2,000 pages.
    fn list_all(
        limit: i64,
        read_ahead: usize,
        mut service: impl FnMut(PageRange, usize) -> (i64, Vec<String>),
    ) -> Option<(Vec<String>, usize)> {
        let mut plan = PagePlan::new(None, Some(limit));
        let (mut in_flight, mut items, mut pages) = (VecDeque::new(), Vec::new(), 0);
        loop {
            while in_flight.len() <= read_ahead {
                let Some(range) = plan.next_range(in_flight.len()) else {
                    break;
                };
                let (total, page) = service(range, pages);
                pages += 1;
                in_flight.push_back((range, total, page));
            }
            let Some((range, total, page)) = in_flight.pop_front() else {
                return Some((items, pages));
            };
            let report = plan.record(range, total, page.iter());
            items.extend(
                page.into_iter()
                    .zip(&report.is_new)
                    .filter(|(_, is_new)| **is_new)
                    .map(|(item, _)| item),
            );
            if !report.is_as_planned {
                in_flight.clear();
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
    fn a_correct_service_gets_no_unnecessary_requests() {
        for (count, limit, pages) in
            [(0, 10, 1), (1, 10, 1), (10, 10, 2), (11, 10, 2), (100, 10, 10), (101, 10, 11)]
        {
            for read_ahead in [0, 1, 8] {
                let all = names(count);
                let service =
                    |range: PageRange, _| (count as i64, slice(&all, range.offset, range.limit));
                assert_eq!(
                    list_all(limit, read_ahead, service),
                    Some((all.clone(), pages)),
                    "{count} {limit} {read_ahead}"
                );
            }
        }
    }

    proptest! {
        /// A service that paginates correctly, with any maximum page size and reported total.
        #[test]
        fn every_item_comes_exactly_once(
            count in 0..200_usize, limit in 1..40_i64, cap in 1..40_i64, read_ahead in 0..9_usize,
            wrong in prop::option::of(-10..300_i64),
        ) {
            let all = names(count);
            let total = wrong.unwrap_or(count as i64);
            // A wrong total at the end of a page is trusted: no correct service reports it.
            let length = limit.min(cap);
            prop_assume!(total >= count as i64 || total % length != 0 || total <= 0);
            let (items, _) = list_all(limit, read_ahead, |range, _| (total, slice(&all, range.offset, length))).unwrap();
            prop_assert_eq!(items, all);
        }

        /// With arbitrary pages, pagination ends and nothing comes twice.
        #[test]
        fn pagination_always_ends(
            limit in 1..20_i64, read_ahead in 0..9_usize, totals in prop::collection::vec(-5..200_i64, 1..5),
            pages in prop::collection::vec(prop::collection::vec(0..60_u8, 0..20), 1..12),
        ) {
            // Pages with few different items, in any order, repeatedly.
            let service = |_: PageRange, number: usize| {
                let page: Vec<String> = pages[number % pages.len()].iter().map(|item| format!("image-{item}")).collect();
                (totals[number % totals.len()], page)
            };
            let (items, _) = list_all(limit, read_ahead, service).expect("pagination ends");
            let count = |all: &[String], item: &str| all.iter().filter(|other| *other == item).count();
            for item in &items {
                let within_a_page = pages.iter().map(|page| page.iter().filter(|number| format!("image-{number}") == *item).count());
                prop_assert!(count(&items, item) <= within_a_page.max().unwrap_or(0), "{}", item);
            }
        }

        /// A service that ignores the offset, or starts again after its end.
        #[test]
        fn pagination_ends_when_the_service_restarts(
            count in 1..100_usize, limit in 1..30_i64, read_ahead in 0..9_usize, ignores in any::<bool>(), total in -5..300_i64,
        ) {
            let all = names(count);
            let service = |range: PageRange, _| {
                let offset = if ignores { 0 } else { range.offset % count as i64 };
                (total, slice(&all, offset, range.limit))
            };
            let (items, _) = list_all(limit, read_ahead, service).expect("pagination ends");
            let distinct: HashSet<&String> = items.iter().collect();
            prop_assert_eq!(distinct.len(), items.len(), "nothing comes twice");
        }
    }

    #[test]
    fn a_total_that_counts_the_page_does_not_end_pagination() {
        let all = names(250);
        let service = |range: PageRange, _| {
            let page = slice(&all, range.offset, range.limit);
            (page.len() as i64, page)
        };
        assert_eq!(list_all(100, 1, service).unwrap().0, all);
    }

    #[test]
    fn new_items_at_the_front_hide_no_old_ones() {
        // Newest first, and one more before each of the first pages.
        for limit in [1, 3, 10] {
            let old = names(50);
            let service = |range: PageRange, number: usize| {
                let added = number.min(1);
                let all: Vec<String> =
                    (0..added).map(|n| format!("new-{n}")).chain(old.clone()).collect();
                (all.len() as i64, slice(&all, range.offset, range.limit))
            };
            assert_eq!(list_all(limit, 0, service).unwrap().0, old, "{limit}");
        }
    }

    #[test]
    fn a_restart_is_detected_behind_the_remembered_items() {
        let all = names(MAX_RECENT + 4_000);
        for (limit, total) in
            [(97, all.len() as i64), (100, all.len() as i64), (97, i64::MAX), (100, -1)]
        {
            // It starts again, possibly in the middle of a page.
            let service = |range: PageRange, _| {
                let page = (range.offset..range.offset + range.limit)
                    .map(|n| all[n as usize % all.len()].clone());
                (total, page.collect())
            };
            assert_eq!(
                list_all(limit, 4, service).expect("pagination ends").0,
                all,
                "{limit} {total}"
            );
        }
    }

    #[test]
    fn a_cycle_without_the_first_page_is_detected() {
        let service = |range: PageRange, number: usize| {
            let start = if number == 0 { 0 } else { 100 + (number - 1) * 100 % 20_000 };
            (
                i64::MAX,
                (start..start + range.limit as usize).map(|n| format!("image-{n}")).collect(),
            )
        };
        assert!(list_all(100, 0, service).is_some());
    }

    #[test]
    fn the_history_is_bounded() {
        let mut history = ItemHistory::default();
        for number in 0..1_000 {
            let keys = (0..100).map(|item| format!("{number}-{item}"));
            assert!(!history.record(keys, number).0.contains(&false));
        }
        assert_eq!(
            (history.first_page.len(), history.recent.len(), history.recent_order.len()),
            (100, MAX_RECENT, MAX_RECENT)
        );
        let page = history.record(["0-0", "999-0", "100-0"].into_iter(), 1_000);
        assert_eq!(page, (vec![false, false, true], true));
    }
}

//! The page plan: which page to fetch next, when to stop, and whether anything is missing. Works on
//! what the pages contained, and does no I/O.
//!
//! Pagination does not rely on what the service reports. Pages may be shorter or longer than
//! requested, or repeat; the total may be too low or too high, and change.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    hash::{BuildHasher, RandomState},
};

/// The page size if the request has no limit.
const DEFAULT_LIMIT: i64 = 100;
/// How many hashes are remembered besides those of the first page: an item has two.
const MAX_RECENT: usize = 2 * 16_384;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageRange {
    pub(super) offset: i64,
    pub(super) limit: i64,
}

/// The hashes that identify an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ItemHashes {
    /// That of its strings. Its numbers may be counters, so that this tells whether a service sends
    /// the same items again. Different items may have the same.
    pub(super) text: u64,
    /// That of all of it.
    pub(super) content: u64,
}

/// What a page turned out to contain.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PageReport {
    /// For each item, whether it is listed: not if it repeats one of an earlier page.
    pub(super) is_listed: Vec<bool>,
    /// Whether the pages that were requested meanwhile are the right ones.
    pub(super) is_as_planned: bool,
    /// The total before and after this page, if it shrank: other items may have been skipped.
    pub(super) shrunk: Option<(i64, i64)>,
}

/// The extent of an incomplete listing: how many items were listed, and the reported total.
///
/// # Examples
///
/// ```
/// use uhub_sdk::Shortfall;
///
/// let mut shortfall = Shortfall::default();
/// shortfall.listed = 20;
/// shortfall.total = Some(95);
/// assert_eq!(shortfall.to_string(), "20 of 95 items");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Shortfall {
    /// The number of different items that were listed.
    pub listed: u64,
    /// The number of items, starting at the request's offset, as the service reported it last.
    /// `None` if it reported none.
    pub total: Option<u64>,
}

/// Formats it as `20 of 95 items`.
impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.total {
            Some(total) => write!(f, "{} of {total} items", self.listed),
            None => write!(f, "{} items of an unknown total", self.listed),
        }
    }
}

pub(super) struct PagePlan {
    limit: i64,
    /// The request's offset.
    start: i64,
    /// The end of the last page that was read.
    read_to: i64,
    /// The end of the last page that was requested.
    requested_to: i64,
    /// The actual length of pages, once one was read.
    page_length: Option<i64>,
    /// The number of items, as reported last.
    total: Option<i64>,
    listed_items: u64,
    /// How many items repeated earlier ones and were skipped.
    skipped_items: u64,
    /// How many items had a new text.
    new_texts: u64,
    /// Whether a page had different items with the same text.
    has_ambiguous_texts: bool,
    /// Whether a page had an item twice, so that items may be equal and yet not the same.
    has_equal_items: bool,
    /// How many pages in a row had no new items.
    pages_without_new: u32,
    /// How many pages in a row had no new text.
    pages_without_new_text: u32,
    pages: u64,
    is_done: bool,
    /// Whether pagination ended because the service repeated itself.
    is_repeating: bool,
    history: ItemHistory,
}

impl PagePlan {
    pub(super) fn new(offset: Option<i64>, limit: Option<i64>) -> Self {
        let offset = offset.unwrap_or(0);
        Self {
            limit: limit.unwrap_or(DEFAULT_LIMIT),
            start: offset,
            read_to: offset,
            requested_to: offset,
            page_length: None,
            total: None,
            listed_items: 0,
            skipped_items: 0,
            new_texts: 0,
            has_ambiguous_texts: false,
            has_equal_items: false,
            pages_without_new: 0,
            pages_without_new_text: 0,
            pages: 0,
            is_done: false,
            is_repeating: false,
            history: ItemHistory::default(),
        }
    }

    /// Returns the hasher of items.
    pub(super) fn hasher(&self) -> &RandomState {
        &self.history.hasher
    }

    /// Returns the next page to request while others are in flight, or `None` if it is not known yet.
    pub(super) fn next_range(&mut self, in_flight: usize) -> Option<PageRange> {
        // Reading ahead needs the actual length of pages, and stays within the reported total.
        let may_read_ahead =
            self.page_length.is_some() && self.total.is_some_and(|total| self.requested_to < total);
        if self.is_done || (in_flight > 0 && !may_read_ahead) {
            return None;
        }
        let range = PageRange { offset: self.requested_to, limit: self.limit };
        let length = self.page_length.unwrap_or(self.limit);
        self.requested_to = self.requested_to.saturating_add(length);
        Some(range)
    }

    /// Records the page at `range`, the next in order. A total that is not positive is none.
    pub(super) fn record(
        &mut self,
        range: PageRange,
        total: Option<i64>,
        hashes: &[ItemHashes],
    ) -> PageReport {
        let PageNovelty { mut is_new, new_texts, is_restart, is_repeated } =
            self.history.record(hashes, self.pages, self.has_equal_items);
        let (has_equal, has_ambiguous) = compare_items(hashes);
        self.has_equal_items |= has_equal;
        self.has_ambiguous_texts |= has_ambiguous;
        let has_new = is_new.contains(&true);
        if self.has_equal_items && !is_restart && !is_repeated {
            // Equal items are not the same here.
            is_new.fill(true);
        }
        let length = i64::try_from(hashes.len()).unwrap_or(i64::MAX);
        let listed = is_new.iter().filter(|is_new| **is_new).count() as u64;
        self.listed_items += listed;
        self.skipped_items += hashes.len() as u64 - listed;
        self.new_texts += new_texts;
        self.pages += 1;
        self.read_to = range.offset.saturating_add(length);
        self.pages_without_new = if has_new { 0 } else { self.pages_without_new + 1 };
        self.pages_without_new_text =
            if new_texts > 0 { 0 } else { self.pages_without_new_text + 1 };
        let shrunk = self.update_total(total);

        let is_past_total = self.total.is_some_and(|total| self.read_to >= total);
        self.is_repeating =
            length > 0 && (is_restart || self.is_stale(length) || (is_past_total && !has_new));
        // A service may report the length of a page, or too few items, as the total. It is the end
        // only behind a page that is not full.
        let is_full = match self.page_length {
            Some(page_length) => length >= page_length,
            None => length >= self.limit || self.total.is_some_and(|total| self.read_to > total),
        };
        let has_all = self.remaining_total().is_some_and(|total| self.listed() >= total);
        self.is_done = length == 0
            || self.is_repeating
            || (is_past_total && has_all && !is_full)
            || self.read_to == i64::MAX;

        let is_first = self.page_length.is_none();
        let page_length = *self.page_length.get_or_insert(length);
        let is_as_planned = !self.is_done && (is_first || length == page_length);
        if !is_as_planned || is_first {
            // Continue behind this page, with its length.
            self.requested_to = self.read_to;
            self.page_length = Some(length.max(1));
        }
        PageReport { is_listed: is_new, is_as_planned, shrunk }
    }

    /// Whether too many pages in a row had nothing new. Items that were added meanwhile may have
    /// moved a whole page, and what looks like one item may be several: the less a page can tell,
    /// the more pages it takes.
    fn is_stale(&self, page_length: i64) -> bool {
        let is_clear = page_length > 1 && !self.has_equal_items && !self.has_ambiguous_texts;
        let (max_without_new, max_without_new_text) = if is_clear { (1, 16) } else { (16, 1_024) };
        self.pages_without_new > max_without_new
            || self.pages_without_new_text > max_without_new_text
    }

    /// Keeps the total that a page reports. Returns the one before and this one, if it shrank.
    fn update_total(&mut self, total: Option<i64>) -> Option<(i64, i64)> {
        // A total that is missing or `null` may be read as 0.
        let total = total.filter(|total| *total > 0)?;
        let before = self.total.replace(total)?;
        // A total below what was read counts something else, such as the page.
        (total < before && before > self.read_to).then_some((before, total))
    }

    /// The number of different items so far.
    fn listed(&self) -> u64 {
        if self.has_ambiguous_texts || self.has_equal_items {
            self.listed_items
        } else {
            self.new_texts
        }
    }

    /// The reported number of items from the request's offset on.
    fn remaining_total(&self) -> Option<u64> {
        let total = self.total?.saturating_sub(self.start.max(0));
        Some(u64::try_from(total).unwrap_or_default())
    }

    /// Returns what is missing; `None` if pagination has ended and nothing is.
    pub(super) fn shortfall(&self) -> Option<Shortfall> {
        let (listed, total) = (self.listed(), self.remaining_total());
        let is_complete = match total {
            Some(total) => listed >= total,
            None => !self.is_repeating && self.skipped_items == 0,
        };
        (!self.is_done || !is_complete).then_some(Shortfall { listed, total })
    }
}

/// Returns whether a page has an item twice, and whether it has different items with the same text.
fn compare_items(hashes: &[ItemHashes]) -> (bool, bool) {
    let (mut contents, mut texts) = (HashSet::new(), HashSet::new());
    let (mut has_equal, mut has_ambiguous) = (false, false);
    for hash in hashes {
        if !contents.insert(hash.content) {
            has_equal = true;
        } else if !texts.insert(hash.text) {
            has_ambiguous = true;
        }
    }
    (has_equal, has_ambiguous)
}

/// What is new in a page.
#[derive(Debug, PartialEq, Eq)]
struct PageNovelty {
    /// For each item, whether no earlier page had it. Duplicates within the page are new.
    is_new: Vec<bool>,
    /// How many items have a text that no earlier page had.
    new_texts: u64,
    /// Whether the service repeats items that are no longer remembered.
    is_restart: bool,
    /// Whether the first or the previous page had the same items.
    is_repeated: bool,
}

/// The hashes of earlier items: those of the first page, to detect when the service starts again,
/// and the most recent ones.
#[derive(Default)]
struct ItemHistory {
    hasher: RandomState,
    first_page: HashSet<u64>,
    recent: HashSet<u64>,
    recent_order: VecDeque<u64>,
    /// Whether earlier items are no longer remembered.
    has_forgotten: bool,
    /// The hash of one earlier page. It is replaced after 1, 2, 4, … pages, so that any cycle of
    /// pages is detected.
    checkpoint: u64,
    /// The hashes of the first and of the previous page.
    first_and_previous: [u64; 2],
}

impl ItemHistory {
    fn record(
        &mut self,
        hashes: &[ItemHashes],
        page_index: u64,
        has_equal_items: bool,
    ) -> PageNovelty {
        let is_known = |hash| self.recent.contains(hash) || self.first_page.contains(hash);
        let is_new = hashes.iter().map(|hash| !is_known(&hash.content)).collect();
        let new_texts = hashes.iter().filter(|hash| !is_known(&hash.text)).count() as u64;
        let page_hash = self.hasher.hash_one(hashes);
        // One item of the first page may have moved, or be equal to another one.
        let of_first_page = hashes.iter().filter(|hash| self.first_page.contains(&hash.content));
        let is_first_page = !has_equal_items && of_first_page.count() > 1;
        let is_restart = self.has_forgotten && (page_hash == self.checkpoint || is_first_page);
        if page_index.is_power_of_two() || page_index == 0 {
            self.checkpoint = page_hash;
        }
        let is_repeated = page_index > 0 && self.first_and_previous.contains(&page_hash);
        let first = if page_index == 0 { page_hash } else { self.first_and_previous[0] };
        self.first_and_previous = [first, page_hash];
        let all = hashes.iter().flat_map(|hash| [hash.text, hash.content]);
        if page_index == 0 {
            self.first_page = all.collect();
        } else {
            let recent = &mut self.recent;
            let added = all.filter(|hash| recent.insert(*hash));
            self.recent_order.extend(added);
        }
        let surplus = self.recent_order.len().saturating_sub(MAX_RECENT);
        self.has_forgotten |= surplus > 0;
        for oldest in self.recent_order.drain(..surplus) {
            self.recent.remove(&oldest);
        }
        PageNovelty { is_new, new_texts, is_restart, is_repeated }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list_all(
        limit: i64,
        read_ahead: usize,
        service: impl FnMut(PageRange, usize) -> (i64, Vec<String>),
    ) -> Option<(Vec<String>, usize)> {
        let (items, pages, _) = list_with_shortfall(limit, read_ahead, service)?;
        Some((items, pages))
    }

    /// Lists all items of a service with some read-ahead. The first word of an item is its text, as if
    /// the others were numbers; a total that is not positive is none.
    /// `None` after 2,000 pages.
    fn list_with_shortfall(
        limit: i64,
        read_ahead: usize,
        mut service: impl FnMut(PageRange, usize) -> (i64, Vec<String>),
    ) -> Option<(Vec<String>, usize, Option<Shortfall>)> {
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
                return Some((items, pages, plan.shortfall()));
            };
            let hash = |item: &String| {
                let text = plan.hasher().hash_one(item.split(' ').next());
                ItemHashes { text, content: plan.hasher().hash_one(item) }
            };
            let hashes: Vec<_> = page.iter().map(hash).collect();
            let report = plan.record(range, Some(total), &hashes);
            items.extend(
                page.into_iter()
                    .zip(&report.is_listed)
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
            [(0, 10, 1), (1, 10, 1), (10, 10, 2), (11, 10, 2), (100, 10, 11), (101, 10, 11)]
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
            let length = limit.min(cap);
            // The first page is taken for the whole list if it has as many items as the total.
            prop_assume!(total >= count as i64 || length == limit || total != length);
            let (items, _) = list_all(limit, read_ahead, |range, _| (total, slice(&all, range.offset, length))).unwrap();
            prop_assert_eq!(items, all);
        }

        /// With arbitrary pages, pagination ends, and nothing comes twice unless a page has it twice.
        #[test]
        fn pagination_always_ends(
            limit in 1..20_i64, read_ahead in 0..9_usize, totals in prop::collection::vec(-5..200_i64, 1..5),
            pages in prop::collection::vec(prop_oneof![
                prop::collection::vec(0..60_u8, 0..20),
                prop::collection::hash_set(0..60_u8, 0..20).prop_map(|page| page.into_iter().collect()),
            ], 1..12),
        ) {
            // Pages with few different items, in any order, repeatedly.
            let service = |_: PageRange, number: usize| {
                let page: Vec<String> = pages[number % pages.len()].iter().map(|item| format!("image-{item}")).collect();
                (totals[number % totals.len()], page)
            };
            let (items, _) = list_all(limit, read_ahead, service).expect("pagination ends");
            let has_equal_items = pages.iter().any(|page| page.iter().collect::<HashSet<_>>().len() < page.len());
            let distinct: HashSet<&String> = items.iter().collect();
            prop_assert!(has_equal_items || distinct.len() == items.len());
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

    proptest! {
        /// A listing with equal items, of a service that paginates correctly and reports the total or
        /// none. Items that differ are never lost, and what is lost is never silent.
        #[test]
        fn equal_items_are_not_lost_silently(
            all in prop::collection::vec(0..12_u8, 0..60), limit in 1..30_i64, cap in 1..30_i64,
            read_ahead in 0..3_usize, has_total in any::<bool>(),
        ) {
            let all: Vec<String> = all.iter().map(|n| format!("image-{n}")).collect();
            let total = if has_total { all.len() as i64 } else { 0 };
            let service = |range: PageRange, _| (total, slice(&all, range.offset, range.limit.min(cap)));
            let (items, _, shortfall) = list_with_shortfall(limit, read_ahead, service).unwrap();
            if shortfall.is_none() {
                prop_assert_eq!(&items, &all);
            }
            if limit.min(cap) as usize >= all.len() {
                prop_assert_eq!(&items, &all);
                prop_assert_eq!(shortfall, None);
            }
        }
    }

    #[test]
    fn equal_items_that_a_page_shows_are_all_listed() {
        let all: Vec<String> = "aab cda aef aaa gha"
            .split(' ')
            .flat_map(|page| page.chars().map(|name| format!("image-{name}")))
            .collect();
        for total in [0, all.len() as i64] {
            let service = |range: PageRange, _| (total, slice(&all, range.offset, range.limit));
            // With pages of three, one has known items only.
            for limit in [3, 4, 5, 6, 15, 20] {
                assert_eq!(list_all(limit, 0, service).unwrap().0, all, "{limit}");
            }
        }
    }

    #[test]
    fn items_at_the_border_of_pages_that_come_again_are_skipped() {
        // The offset is inclusive.
        let all = names(50);
        for total in [0, 50] {
            for limit in [2, 3, 7, 49, 50] {
                let service = |range: PageRange, _| {
                    (total, slice(&all, (range.offset - 1).max(0), range.limit))
                };
                let (items, _, shortfall) = list_with_shortfall(limit, 1, service).unwrap();
                assert_eq!(items, all, "{total} {limit}");
                // Without a total, they might have been different ones.
                assert_eq!(shortfall.is_some(), total == 0, "{total} {limit}");
            }
        }
    }

    /// The service ignores the offset, and each item changes.
    #[test]
    fn changing_items_end_without_a_total() {
        for (limit, items) in [(1, 1_026), (20, 20 * 18)] {
            let service = |range: PageRange, number: usize| {
                (0, (0..range.limit).map(|n| format!("image-{n} {number}")).collect())
            };
            let (count, shortfall) = list(limit, service);
            assert_eq!((count, shortfall), (items, Some((limit as u64, None))), "{limit}");
        }
    }

    #[test]
    fn a_listing_without_a_total_ends_on_an_empty_page() {
        // Some pages are shorter than others.
        let all = names(95);
        let service = |range: PageRange, number: usize| {
            (0, slice(&all, range.offset, range.limit - (number % 3) as i64))
        };
        for limit in [3, 20, 95, 100] {
            let (items, _, shortfall) = list_with_shortfall(limit, 8, service).unwrap();
            assert_eq!((items, shortfall), (all.clone(), None), "{limit}");
        }
        // No read-ahead, whatever is asked for.
        assert_eq!(list_all(20, 8, |range, _| (0, slice(&all, range.offset, 20))).unwrap().1, 6);
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
        let hashes = |range: std::ops::Range<u64>| -> Vec<ItemHashes> {
            range.map(|n| ItemHashes { text: 2 * n, content: 2 * n + 1 }).collect()
        };
        for number in 0..1_000 {
            let novelty = history.record(&hashes(100 * number..100 * number + 100), number, false);
            assert!(!novelty.is_new.contains(&false));
            assert_eq!(novelty.new_texts, 100);
        }
        assert_eq!(
            (history.first_page.len(), history.recent.len(), history.recent_order.len()),
            (200, MAX_RECENT, MAX_RECENT)
        );
        let page = [hashes(0..2), hashes(99_900..99_901), hashes(10_000..10_001)].concat();
        let expected = PageNovelty {
            is_new: vec![false, false, false, true],
            new_texts: 1,
            is_restart: true,
            is_repeated: false,
        };
        assert_eq!(history.record(&page, 1_000, false), expected);
    }

    /// The items that a listing yields, and what is missing.
    fn list(
        limit: i64,
        service: impl FnMut(PageRange, usize) -> (i64, Vec<String>),
    ) -> (usize, Option<(u64, Option<u64>)>) {
        let (items, _, shortfall) = list_with_shortfall(limit, 0, service).expect("it ends");
        (items.len(), shortfall.map(|shortfall| (shortfall.listed, shortfall.total)))
    }

    #[test]
    fn a_listing_that_ends_short_of_its_total_says_so() {
        let all = names(95);
        let page = |offset: i64| slice(&all, offset.min(95), 20);
        // Complete.
        assert_eq!(list(20, |range, _| (95, page(range.offset))), (95, None));
        // Offset is ignored.
        assert_eq!(list(20, |_, _| (95, page(0))), (20, Some((20, Some(95)))));
        // Offset is taken for the number of a page.
        assert_eq!(list(20, |range, _| (95, page(range.offset * 20))).1, Some((20, Some(95))));
        assert_eq!(list(20, |range, _| (95, page(range.offset / 20 * 10))), (95, None));
        // The second page is empty, with any total.
        for total in [95, 0, -1, i64::MIN] {
            let service = |range: PageRange, _| match range.offset {
                0 => (95, page(0)),
                _ => (total, Vec::new()),
            };
            assert_eq!(list(20, service), (20, Some((20, Some(95)))), "{total}");
        }
        // Pages are repeated.
        let repeated = |range: PageRange, _| (95, page(range.offset / 40 * 40));
        assert_eq!(list(20, repeated), (55, Some((55, Some(95)))));
        // The total grows by items that come before the offset.
        let grown = |range: PageRange, number| (95 + number as i64, page(range.offset));
        assert_eq!(list(20, grown), (95, Some((95, Some(100)))));
        // The total is huge.
        let huge = |range: PageRange, _| (i64::MAX, page(range.offset));
        assert_eq!(list(20, huge), (95, Some((95, Some(i64::MAX as u64)))));
    }

    #[test]
    fn a_listing_of_at_least_the_total_is_complete() {
        let all = names(95);
        let page = |offset: i64| slice(&all, offset.min(95), 20);
        for total in [1, 5, 19, 94, 0, -1] {
            let (count, shortfall) = list(20, |range, _| (total, page(range.offset)));
            assert_eq!((count, shortfall), (95, None), "{total}");
        }
        // It shrinks, since others were deleted.
        let shrunk = |range: PageRange, number: usize| {
            (95 - number.min(1) as i64 * 10, slice(&all[..85], range.offset.min(85), 20))
        };
        assert_eq!(list(20, shrunk), (85, None));
        assert_eq!(list(20, |_, _| (0, Vec::new())), (0, None));
    }

    #[test]
    fn a_listing_without_a_total_that_repeats_itself_is_not_complete() {
        let all = names(20);
        assert_eq!(list(20, |_, _| (0, all.clone())), (20, Some((20, None))));
    }

    #[test]
    fn the_total_counts_from_the_offset() {
        let all = names(95);
        for (offset, expected) in [(0, None), (40, None), (95, None), (200, None)] {
            let mut plan = PagePlan::new(Some(offset), Some(20));
            while let Some(range) = plan.next_range(0) {
                let hash = |item: &String| {
                    let hash = plan.hasher().hash_one(item);
                    ItemHashes { text: hash, content: hash }
                };
                let page = slice(&all, range.offset.min(95), 20);
                let hashes: Vec<_> = page.iter().map(hash).collect();
                plan.record(range, Some(95), &hashes);
            }
            assert_eq!(plan.shortfall(), expected, "{offset}");
        }
        let mut plan = PagePlan::new(Some(40), Some(20));
        let range = plan.next_range(0).unwrap();
        plan.record(range, Some(95), &[]);
        assert_eq!(plan.shortfall(), Some(Shortfall { listed: 0, total: Some(55) }));
        let mut plan = PagePlan::new(Some(-1), Some(20));
        let range = plan.next_range(0).unwrap();
        plan.record(range, Some(95), &[]);
        assert_eq!(plan.shortfall(), Some(Shortfall { listed: 0, total: Some(95) }));
    }

    #[test]
    fn a_listing_is_not_complete_before_its_end() {
        let mut plan = PagePlan::new(None, None);
        assert_eq!(plan.shortfall(), Some(Shortfall { listed: 0, total: None }));
        let range = plan.next_range(0).unwrap();
        plan.record(range, Some(250), &[ItemHashes { text: 1, content: 2 }]);
        assert_eq!(plan.shortfall(), Some(Shortfall { listed: 1, total: Some(250) }));
    }

    #[test]
    fn different_items_with_one_text_are_all_listed() {
        for limit in 1..8 {
            let all: Vec<String> = (0..7).map(|n| format!("gateway policy-{n}")).collect();
            let service = |range: PageRange, _| (7, slice(&all, range.offset.min(7), range.limit));
            let (items, _, shortfall) = list_with_shortfall(limit, 1, service).unwrap();
            assert_eq!(items, all, "{limit}");
            // With pages of one item, another explanation is that it changes all the time.
            assert_eq!(shortfall.is_some(), limit == 1, "{limit}");
        }
    }

    #[test]
    fn items_that_change_hide_no_shortfall() {
        // Offset is ignored, and each item has a counter.
        let service = |range: PageRange, number: usize| {
            (95, (0..range.limit).map(|n| format!("image-{n} {number}")).collect())
        };
        let (count, shortfall) = list(20, service);
        assert_eq!((count, shortfall), (360, Some((20, Some(95)))));
    }

    #[test]
    fn a_total_that_shrinks_is_reported() {
        let mut plan = PagePlan::new(None, Some(2));
        let mut record = |offset, total| {
            let hashes = [0, 1].map(|n| ItemHashes { text: 9 * offset as u64 + n, content: n });
            plan.record(PageRange { offset, limit: 2 }, Some(total), &hashes).shrunk
        };
        let shrunk = [record(0, 9), record(2, 9), record(4, 8), record(6, 0), record(8, 2)];
        assert_eq!(shrunk, [None, None, Some((9, 8)), None, None]);
    }

    proptest! {
        /// No service makes a listing look complete without as many different items as its total.
        #[test]
        fn a_complete_listing_has_the_total(
            limit in 1..20_i64, read_ahead in 0..4_usize, total in 1..200_i64,
            pages in prop::collection::vec(prop::collection::vec((0..60_u8, 0..3_u8), 0..20), 1..12),
        ) {
            let service = |_: PageRange, number: usize| {
                let page = pages[number % pages.len()].iter();
                (total, page.map(|(item, change)| format!("image-{item} {change}")).collect())
            };
            let (items, _, shortfall) = list_with_shortfall(limit, read_ahead, service).unwrap();
            let distinct: HashSet<&String> = items.iter().collect();
            prop_assert!(shortfall.is_some() || items.len() as i64 >= total);
            // Nothing that differs is dropped, unless it was behind the end.
            prop_assert!(distinct.len() <= items.len());
        }
    }
}

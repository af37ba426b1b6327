//! Whether an item that is gone may be a new one under another name.

use std::collections::BTreeMap;

use super::surface::{Item, Kind, Pair};

/// More items than these are alike by chance.
const MAX_CANDIDATES: usize = 20;

/// By kind and shape: the number of items that are gone, and the names of the new ones.
pub(super) struct Candidates<'a>(BTreeMap<(Kind, String), (usize, Vec<&'a str>)>);

impl<'a> Candidates<'a> {
    pub(super) fn new(old: &[Pair<'a>], new: &[Pair<'a>]) -> Self {
        let mut candidates = BTreeMap::<_, (usize, Vec<&str>)>::new();
        for (item, _) in old.iter().filter(|(_, new)| new.is_none()) {
            candidates.entry((item.kind, item.shape())).or_default().0 += 1;
        }
        for (item, _) in new.iter().filter(|(_, old)| old.is_none()) {
            let (_, names) = candidates.entry((item.kind, item.shape())).or_default();
            names.push(&item.name);
        }
        Self(candidates)
    }

    /// A sentence that names the new item that this one may have become; empty if there is none.
    pub(super) fn hint(&self, gone: &Item) -> String {
        let alike = self.0.get(&(gone.kind, gone.shape()));
        match alike.and_then(|(count, names)| renamed(&gone.name, *count, names)) {
            Some(name) => format!(" Perhaps renamed: `{name}` is new and of the same kind."),
            None => String::new(),
        }
    }
}

/// The only item of its shape, or the one with the nearest name.
fn renamed<'a>(gone: &str, gone_alike: usize, new_alike: &[&'a str]) -> Option<&'a str> {
    let likeness = |name: &str| {
        strsim::normalized_damerau_levenshtein(&gone.to_lowercase(), &name.to_lowercase())
    };
    let is_only = gone_alike == 1 && new_alike.len() == 1;
    let is_comparable = new_alike.len() <= MAX_CANDIDATES && gone.len() <= 100;
    let candidates = new_alike.iter().filter(|_| is_comparable);
    candidates
        .copied()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .filter(|name| is_only || likeness(name) >= 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_candidate_or_the_nearest_name_is_suggested() {
        assert_eq!(renamed("Limit", 1, &["PageSize"]), Some("PageSize"));
        assert_eq!(renamed("ImageName", 2, &["Region", "Image"]), Some("Image"));
        assert_eq!(renamed("Limit", 2, &["Region", "Zone"]), None);
        assert_eq!(renamed("Limit", 1, &[]), None);
    }
}

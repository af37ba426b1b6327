//! Whether what is gone may be what is new, under another name.

/// More than these are alike by chance.
const MOST: usize = 20;

/// A sentence for what is gone, where something new of the same kind could be it: the only one of its
/// kind, or the one with the nearest name.
pub(super) fn renamed(gone: &str, gone_alike: usize, new_alike: &[&str]) -> String {
    let likeness = |name: &str| {
        strsim::normalized_damerau_levenshtein(&gone.to_lowercase(), &name.to_lowercase())
    };
    let is_only = gone_alike == 1 && new_alike.len() == 1;
    let nearest = new_alike
        .iter()
        .filter(|_| new_alike.len() <= MOST && gone.len() <= 100)
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .filter(|name| is_only || likeness(name) >= 0.5);
    nearest.map_or_else(String::new, |name| {
        format!(" `{name}` is new and of the same kind: perhaps it was renamed.")
    })
}

/// The same for one of the things in `old` that is not in `new`; alike is what has one shape.
pub(super) fn among<'a, T, S: PartialEq>(
    gone: &'a T,
    old: &'a [T],
    new: &'a [T],
    name: impl Fn(&'a T) -> &'a str,
    shape: impl Fn(&'a T) -> S,
) -> String {
    let only_in = |these: &'a [T], those: &'a [T]| -> Vec<&'a str> {
        let alike = these.iter().filter(|this| shape(this) == shape(gone));
        let is_there = |this: &str| those.iter().any(|that| name(that) == this);
        alike.map(&name).filter(|this| !is_there(this)).collect()
    };
    renamed(name(gone), only_in(old, new).len(), &only_in(new, old))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_one_and_the_nearest_are_named() {
        assert!(renamed("Limit", 1, &["PageSize"]).contains("`PageSize`"));
        assert!(renamed("ImageName", 2, &["Region", "Image"]).contains("`Image`"));
        assert_eq!(renamed("Limit", 2, &["Region", "Zone"]), "");
        assert_eq!(renamed("Limit", 1, &[]), "");
    }
}

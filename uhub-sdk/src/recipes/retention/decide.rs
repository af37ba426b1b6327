//! The decision: a pure function of the policy, the tags of one image and the time.

use std::{
    collections::{BTreeMap, HashMap},
    time::SystemTime,
};

use semver::Version;

use crate::{
    actions::get_image_tag::Tag,
    recipes::retention::{
        plan::{Reason, TagPlan},
        policy::{CheckedPolicy, CheckedRule, duration_text},
    },
};

/// Decides what to do with the tags of an image, and sorts them by name.
pub(super) fn decide(
    policy: &CheckedPolicy<'_>,
    rule: Option<&CheckedRule<'_>>,
    tags: impl IntoIterator<Item = Tag>,
    now: SystemTime,
) -> Vec<TagPlan> {
    let mut tags: Vec<TagPlan> = tags.into_iter().map(TagPlan::from).collect();
    tags.sort_by(|a, b| a.tag_name.cmp(&b.tag_name));
    let Some(rule) = rule else {
        for tag in &mut tags {
            tag.kept.push(Reason::NoRule);
        }
        return tags;
    };
    let (mut candidates, others): (Vec<_>, Vec<_>) =
        tags.iter_mut().partition(|tag| rule.only.matching(&tag.tag_name).is_some());
    for tag in others {
        tag.kept.push(Reason::NotInOnly);
    }
    keep_by_name(rule, &mut candidates);
    keep_by_time(policy, rule, &mut candidates, now);
    keep_by_version(rule, &mut candidates);
    keep_by_digest(policy, &mut tags);
    tags
}

fn keep_by_name(rule: &CheckedRule<'_>, tags: &mut [&mut TagPlan]) {
    for tag in tags {
        if rule.keep.latest && tag.tag_name == "latest" {
            tag.kept.push(Reason::Latest);
        }
        if let Some(glob) = rule.tags.matching(&tag.tag_name) {
            tag.kept.push(Reason::Matches(glob.to_owned()));
        }
    }
}

fn keep_by_time(
    policy: &CheckedPolicy<'_>,
    rule: &CheckedRule<'_>,
    tags: &mut [&mut TagPlan],
    now: SystemTime,
) {
    let (newest, newer_than) = (rule.keep.newest, rule.keep.newer_than);
    if newest.is_none() && newer_than.is_none() {
        return;
    }
    let oldest = newer_than.map(|age| now.checked_sub(age));
    let mut dated = Vec::new();
    for tag in tags {
        let Some(instant) = policy.instant(&tag.update_time) else {
            tag.kept.push(Reason::UnknownTime);
            continue;
        };
        // A clock is wrong. Among the newest, it would take the place of another tag.
        if instant > now {
            tag.kept.push(Reason::FutureTime);
            continue;
        }
        // A time before the first one that the system knows is older than every tag.
        if oldest.is_some_and(|oldest| oldest.is_none_or(|oldest| instant >= oldest)) {
            let age = duration_text(newer_than.unwrap_or_default());
            tag.kept.push(Reason::NewerThan(age));
        }
        dated.push((instant, tag));
    }
    // They are sorted by name, and so are those of the same time, whatever the order of the list.
    dated.sort_by_key(|(instant, _)| *instant);
    for (_, tag) in dated.into_iter().rev().take(newest.unwrap_or(0)) {
        tag.kept.push(Reason::Newest(newest.unwrap_or(0)));
    }
}

fn keep_by_version(rule: &CheckedRule<'_>, tags: &mut [&mut TagPlan]) {
    let mut releases: BTreeMap<Version, Vec<usize>> = BTreeMap::new();
    let mut pre_releases = releases.clone();
    for (index, tag) in tags.iter().enumerate() {
        if let Some(version) = parse_version(&tag.tag_name) {
            let versions = if version.pre.is_empty() { &mut releases } else { &mut pre_releases };
            versions.entry(version).or_default().push(index);
        }
    }
    for (versions, count, reason) in [
        (releases, rule.keep.highest_versions, Reason::HighestVersions as fn(usize) -> Reason),
        (pre_releases, rule.keep.highest_pre_releases, Reason::HighestPreReleases),
    ] {
        let count = count.unwrap_or(0);
        for index in versions.into_values().rev().take(count).flatten() {
            tags[index].kept.push(reason(count));
        }
    }
}

/// Keeps what may be the image of a tag that is kept, and what would not show that it was pushed
/// again.
fn keep_by_digest(policy: &CheckedPolicy<'_>, tags: &mut [TagPlan]) {
    let keeps_shared = !policy.delete_shared_digests;
    let kept: HashMap<String, String> = tags
        .iter()
        .rev()
        .filter(|tag| !tag.is_deleted())
        .filter_map(|tag| Some((tag.known_digest()?.to_owned(), tag.tag_name.clone())))
        .collect();
    for tag in tags.iter_mut().filter(|tag| tag.is_deleted()) {
        match tag.known_digest() {
            None if keeps_shared || policy.instant(&tag.update_time).is_none() => {
                tag.kept.push(Reason::UnknownDigest);
            }
            Some(digest) if keeps_shared => {
                if let Some(other) = kept.get(digest) {
                    tag.kept.push(Reason::SharesDigest(other.clone()));
                }
            }
            _ => {}
        }
    }
}

/// Reads a semantic version, with or without a `v`. `1.27` and `20240131` are none: a build number
/// would be the highest of all.
fn parse_version(tag: &str) -> Option<Version> {
    Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
}

impl TagPlan {
    pub(super) fn known_digest(&self) -> Option<&str> {
        self.digest.as_deref().filter(|digest| !digest.is_empty())
    }
}

impl From<Tag> for TagPlan {
    fn from(tag: Tag) -> Self {
        let Tag { tag_name, update_time, digest, .. } = tag;
        Self { tag_name, update_time, digest, kept: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use proptest::{collection::vec, option, prelude::*, sample::select};

    use super::*;
    use crate::recipes::retention::policy::{Keep, Policy, Rule};

    const NOW: u64 = 1_700_000_000;
    const DAY: u64 = 86_400;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }

    fn tag(name: &str, update_time: &str, digest: Option<&str>) -> Tag {
        let json =
            serde_json::json!({"TagName": name, "UpdateTime": update_time, "Digest": digest});
        serde_json::from_value(json).unwrap()
    }

    fn days_old(name: &str, days: u64) -> Tag {
        tag(name, &(NOW - days * DAY).to_string(), Some(&format!("sha256:{name}")))
    }

    fn decide_by(policy: &Policy, tags: Vec<Tag>) -> Vec<TagPlan> {
        let policy = CheckedPolicy::new(policy).unwrap();
        decide(&policy, policy.rule_of("base", "nginx"), tags, now())
    }

    fn policy(keep: Keep) -> Policy {
        Policy::new([Rule::new("all").image("**").keep(keep).keep_nothing(true)])
    }

    /// The tags that are deleted.
    fn deleted(plans: &[TagPlan]) -> Vec<&str> {
        plans.iter().filter(|tag| tag.is_deleted()).map(|tag| &*tag.tag_name).collect()
    }

    fn reasons<'a>(plans: &'a [TagPlan], name: &str) -> &'a [Reason] {
        &plans.iter().find(|tag| tag.tag_name == name).unwrap().kept
    }

    #[test]
    fn each_clause_keeps_what_it_says() {
        let tags = || {
            vec![
                days_old("1.0.0", 90),
                days_old("v1.10.0", 60),
                days_old("1.9.0", 30),
                days_old("2.0.0-rc.1", 20),
                days_old("20240131", 10),
                days_old("latest", 100),
            ]
        };
        let nothing = || Keep::new().latest(false);
        for (keep, expected) in [
            (nothing(), vec!["1.0.0", "1.9.0", "2.0.0-rc.1", "20240131", "latest", "v1.10.0"]),
            (Keep::new(), vec!["1.0.0", "1.9.0", "2.0.0-rc.1", "20240131", "v1.10.0"]),
            (nothing().newest(2), vec!["1.0.0", "1.9.0", "latest", "v1.10.0"]),
            (nothing().newer_than_days(30), vec!["1.0.0", "latest", "v1.10.0"]),
            (nothing().tag("1.*"), vec!["2.0.0-rc.1", "20240131", "latest", "v1.10.0"]),
            (nothing().highest_versions(2), vec!["1.0.0", "2.0.0-rc.1", "20240131", "latest"]),
            (
                nothing().highest_pre_releases(1),
                vec!["1.0.0", "1.9.0", "20240131", "latest", "v1.10.0"],
            ),
        ] {
            assert_eq!(deleted(&decide_by(&policy(keep.clone()), tags())), expected, "{keep:?}");
        }
    }

    #[test]
    fn what_cannot_be_judged_is_kept() {
        let tags = || {
            vec![
                tag("no-instant", "yesterday", Some("sha256:a")),
                tag("no-offset", "2020-01-01 00:00:00", Some("sha256:b")),
                tag("zero", "0", Some("sha256:d")),
                tag("year-1", "0001-01-01T00:00:00Z", Some("sha256:e")),
                tag("future", "2100-01-01T00:00:00Z", Some("sha256:f")),
                tag("no-digest", "2020-01-01T00:00:00Z", None),
                tag("empty-digest", "2020-01-01T00:00:00Z", Some("")),
                tag("nothing", "", None),
                tag("old", "2020-01-01T00:00:00Z", Some("sha256:c")),
                days_old("new", 1),
            ]
        };
        let policy = policy(Keep::new().newest(1));
        let plan = decide_by(&policy, tags());
        assert_eq!(deleted(&plan), ["old"]);
        for (name, expected) in [
            ("no-instant", Reason::UnknownTime),
            ("no-offset", Reason::UnknownTime),
            ("zero", Reason::UnknownTime),
            ("year-1", Reason::UnknownTime),
            ("future", Reason::FutureTime),
            ("no-digest", Reason::UnknownDigest),
            ("empty-digest", Reason::UnknownDigest),
            ("new", Reason::Newest(1)),
        ] {
            assert_eq!(reasons(&plan, name), [expected], "{name}");
        }
        let policy = policy.assumed_offset("+08:00").delete_shared_digests(true);
        let plan = decide_by(&policy, tags());
        assert_eq!(deleted(&plan), ["empty-digest", "no-digest", "no-offset", "old"]);
        // Without a digest and a time, nothing would show that it was pushed again.
        let policy = self::policy(Keep::new()).delete_shared_digests(true);
        assert_eq!(reasons(&decide_by(&policy, tags()), "nothing"), [Reason::UnknownDigest]);
    }

    #[test]
    fn of_tags_with_the_same_time_the_last_names_are_the_newest() {
        let tags = ["2024-05-02", "2024-05-03", "2024-05-01"].map(|name| days_old(name, 9));
        let plan = decide_by(&policy(Keep::new().newest(1)), tags.to_vec());
        assert_eq!(deleted(&plan), ["2024-05-01", "2024-05-02"]);
    }

    #[test]
    fn only_limits_what_newest_and_the_versions_count() {
        let keep = Keep::new().newest(1).highest_versions(1);
        let rule = Rule::new("all").image("**").only(["1.*"]).keep(keep);
        let tags = vec![
            days_old("1.0.0", 30),
            days_old("1.1.0", 20),
            days_old("1.2.0", 40),
            days_old("2.0.0", 1),
        ];
        let plan = decide_by(&Policy::new([rule]), tags);
        assert_eq!(deleted(&plan), ["1.0.0"]);
        assert_eq!(reasons(&plan, "2.0.0"), [Reason::NotInOnly]);
    }

    #[test]
    fn globs_match_as_documented() {
        for (glob, expected) in [
            ("services/*", vec!["services/api"]),
            ("services/**", vec!["services/api", "services/team/api"]),
            ("**", vec!["services/api", "services/team/api", "web/api2", "web/api-x"]),
            ("**/api", vec!["services/api", "services/team/api"]),
            ("*/api", vec!["services/api"]),
            ("web/api?", vec!["web/api2"]),
            ("web/api[0-9]", vec!["web/api2"]),
            ("web/api[!0-9]*", vec!["web/api-x"]),
            ("WEB/*", vec![]),
        ] {
            let policy = Policy::new([Rule::new("all").image(glob).keep_nothing(true)]);
            let checked = CheckedPolicy::new(&policy).unwrap();
            let names = ["services/api", "services/team/api", "web/api2", "web/api-x"];
            let matched = names.into_iter().filter(|name| {
                let (repo, image) = name.split_once('/').unwrap();
                checked.rule_of(repo, image).is_some()
            });
            assert_eq!(matched.collect::<Vec<_>>(), expected, "{glob}");
        }
    }

    #[test]
    fn a_digest_that_is_needed_is_kept() {
        let shared =
            |name, days: u64, digest| tag(name, &(NOW - days * DAY).to_string(), Some(digest));
        let tags = || {
            vec![
                shared("1.27", 9, "sha256:a"),
                shared("1.27.3", 9, "sha256:a"),
                shared("1.26", 50, "sha256:b"),
                shared("1.26.1", 50, "sha256:b"),
                shared("latest", 9, "sha256:a"),
            ]
        };
        let plan = decide_by(&policy(Keep::new()), tags());
        assert_eq!(deleted(&plan), ["1.26", "1.26.1"]);
        assert_eq!(reasons(&plan, "1.27"), [Reason::SharesDigest("latest".to_owned())]);
        // A tag outside `only` stays, too, and so does its digest.
        let only = Rule::new("some").image("**").only(["1.26.*"]).keep_nothing(true);
        assert_eq!(deleted(&decide_by(&Policy::new([only]), tags())), [""; 0]);
        let plan = decide_by(&policy(Keep::new()).delete_shared_digests(true), tags());
        assert_eq!(deleted(&plan), ["1.26", "1.26.1", "1.27", "1.27.3"]);
    }

    #[test]
    fn the_first_matching_rule_decides() {
        let policy = Policy::new([
            Rule::new("other").image("other/*").keep_nothing(true),
            Rule::new("nginx").image("base/nginx").keep(Keep::new().newest(1)),
            Rule::new("base").image("base/*").keep_nothing(true),
        ]);
        let checked = CheckedPolicy::new(&policy).unwrap();
        let name_of = |repo, image| checked.rule_of(repo, image).map(|rule| rule.name);
        assert_eq!(name_of("base", "nginx"), Some("nginx"));
        assert_eq!(name_of("base", "redis"), Some("base"));
        assert_eq!(name_of("base", "team/redis"), None);
        assert_eq!(name_of("web", "nginx"), None);
        let plan = decide(&checked, None, [days_old("1", 1)], now());
        assert_eq!(reasons(&plan, "1"), [Reason::NoRule]);
    }

    fn any_tags() -> impl Strategy<Value = Vec<Tag>> {
        let name = select(vec![
            "latest",
            "1.0.0",
            "1.1.0",
            "v1.1.0",
            "2.0.0",
            "2.0.0-rc.1",
            "2.0.0-rc.2",
            "branch-a",
            "branch-b",
            "20240131",
            "1.0",
            "main",
        ]);
        let time = prop_oneof![
            4 => (0..100_u64).prop_map(|days| (NOW - days * DAY).to_string()),
            1 => select(vec!["", "yesterday", "2020-01-01 00:00:00", "2023-11-01T00:00:00Z"])
                .prop_map(str::to_owned),
        ];
        let digest = option::weighted(0.8, select(vec!["a", "b", "c", "d", "e", ""]));
        vec((name, time, digest), 0..12).prop_map(|tags| {
            let mut names = BTreeSet::new();
            tags.into_iter()
                .filter(|(name, ..)| names.insert(*name))
                .map(|(name, time, digest)| tag(name, &time, digest))
                .collect()
        })
    }

    fn any_keep() -> impl Strategy<Value = Keep> {
        let count = || option::of(0..4_usize);
        let globs = vec(select(vec!["1.*", "branch-*", "*", "main"]).prop_map(str::to_owned), 0..2);
        (count(), option::of(0..100_u64), globs, count(), count(), any::<bool>()).prop_map(
            |(newest, days, tags, highest_versions, highest_pre_releases, latest)| Keep {
                newest,
                newer_than: days.map(|days| Duration::from_secs(days * DAY)),
                tags,
                highest_versions,
                highest_pre_releases,
                latest,
            },
        )
    }

    fn any_policy() -> impl Strategy<Value = Policy> {
        let only = select(vec!["**", "branch-*", "[0-9]*"]);
        (any_keep(), only, any::<bool>()).prop_map(|(keep, only, delete_shared_digests)| {
            let rule = Rule::new("all").image("**").only([only]).keep(keep).keep_nothing(true);
            Policy::new([rule]).delete_shared_digests(delete_shared_digests)
        })
    }

    /// Both sets of clauses together.
    fn both(a: &Keep, b: &Keep) -> Keep {
        Keep {
            newest: a.newest.max(b.newest),
            newer_than: a.newer_than.max(b.newer_than),
            tags: [&*a.tags, &*b.tags].concat(),
            highest_versions: a.highest_versions.max(b.highest_versions),
            highest_pre_releases: a.highest_pre_releases.max(b.highest_pre_releases),
            latest: a.latest || b.latest,
        }
    }

    proptest! {
        #[test]
        fn another_clause_never_deletes_a_kept_tag(
            policy in any_policy(), more in any_keep(), tags in any_tags(),
        ) {
            let before = decide_by(&policy, tags.clone());
            let mut policy = policy;
            policy.rules[0].keep = both(&policy.rules[0].keep, &more);
            let after = decide_by(&policy, tags);
            for (before, after) in before.iter().zip(&after) {
                prop_assert!(before.is_deleted() || !after.is_deleted(), "{before:?} {after:?}");
            }
        }

        #[test]
        fn newest_keeps_its_number(tags in any_tags(), newest in 1..5_usize) {
            let policy = policy(Keep::new().latest(false).newest(newest));
            let dated = tags.iter().filter(|tag| tag.update_time.to_system_time().is_some()).count();
            let plan = decide_by(&policy, tags);
            let kept: Vec<_> =
                plan.iter().filter(|tag| tag.kept.contains(&Reason::Newest(newest))).collect();
            prop_assert_eq!(kept.len(), newest.min(dated));
            let oldest = kept.iter().filter_map(|tag| tag.update_time.to_system_time()).min();
            for tag in plan.iter().filter(|tag| tag.is_deleted()) {
                prop_assert!(tag.update_time.to_system_time() <= oldest);
            }
        }

        #[test]
        fn the_order_of_the_list_does_not_matter(
            policy in any_policy(),
            (tags, shuffled) in any_tags().prop_flat_map(|tags| {
                (Just(tags.clone()), Just(tags).prop_shuffle())
            }),
        ) {
            prop_assert_eq!(decide_by(&policy, tags), decide_by(&policy, shuffled));
        }

        #[test]
        fn only_tags_in_only_are_deleted_and_no_kept_digest(
            policy in any_policy(), tags in any_tags(),
        ) {
            let checked = CheckedPolicy::new(&policy).unwrap();
            let plan = decide_by(&policy, tags);
            let kept = plan.iter().filter(|tag| !tag.is_deleted());
            let kept: BTreeSet<_> = kept.filter_map(TagPlan::known_digest).collect();
            for tag in plan.iter().filter(|tag| tag.is_deleted()) {
                let rule = checked.rule_of("base", "nginx").unwrap();
                prop_assert!(rule.only.matching(&tag.tag_name).is_some());
                let is_safe = tag.known_digest().is_some_and(|digest| !kept.contains(digest));
                prop_assert!(policy.delete_shared_digests || is_safe, "{tag:?}");
            }
        }
    }
}

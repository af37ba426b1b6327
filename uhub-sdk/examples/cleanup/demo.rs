//! Sample data that looks like a registry that has been used for a year.

use std::time::{Duration, SystemTime};

use uhub_sdk::local::{Image, LocalUhub, LocalUhubBuilder, Repository, Tag};

/// 2025-06-01 in Shanghai: the sample data is always the same.
const NOW: u64 = 1_748_707_200;
const DAY: u64 = 24 * 60 * 60;

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

pub(crate) fn registry() -> LocalUhubBuilder {
    let teams = ["billing", "catalog", "checkout", "identity", "search"];
    let parts = ["api", "worker", "migrations", "web"];
    let names = teams.iter().flat_map(|team| parts.map(|part| format!("{team}-{part}")));
    let services = names.clone().enumerate().map(|(number, name)| service(&name, number as u64));
    let builds = names.take(8).enumerate().map(|(number, name)| builds(&name, number as u64));
    let base = ["alpine", "debian", "nginx", "redis", "postgres"].map(base_image);
    LocalUhub::builder()
        .repository(Repository::new("services").images(services))
        .repository(Repository::new("ci").images(builds))
        .repository(Repository::new("base").public().images(base))
        .repository(Repository::new("sandbox").image(scratch()))
}

/// A release every two weeks; `latest` and `1.9` stand for the last one.
fn service(name: &str, number: u64) -> Image {
    let release = |minor: u64, patch: u64| format!("1.{minor}.{patch}");
    let mut tags: Vec<Tag> = (0..10)
        .flat_map(|minor| (0..2).map(move |patch| (minor, patch)))
        .map(|(minor, patch)| {
            let age = (10 - minor) * 28 - patch * 14 + number % 7;
            tag(&release(minor, patch), age, &format!("{name}{minor}{patch}"))
        })
        .collect();
    for alias in ["1.9", "latest"] {
        tags.push(tag(alias, 14 + number % 7, &format!("{name}91")));
    }
    Image::new(name).pull_count(number as i64 * 137).tags(tags)
}

/// A build a day for each of three branches, and a nightly one whose digest repeats.
fn builds(name: &str, number: u64) -> Image {
    let tags = ["branch-main", "branch-fix-login", "branch-new-search"]
        .into_iter()
        .flat_map(|branch| (0..15).map(move |build| (branch, build)));
    let tags = tags.map(|(branch, build)| {
        let commit = format!("{:07x}", (number * 7919 + build * 104_729) % 0x0fff_ffff);
        tag(&format!("{branch}-{commit}"), build * 3, &format!("{name}{branch}{build}"))
    });
    let nightly = (0..6)
        .map(|night| tag(&format!("nightly-{night}"), night, &format!("{name}n{}", night / 3)));
    Image::new(name).tags(tags.chain(nightly))
}

/// Versions with pre-releases, and times in every form that has been seen.
fn base_image(name: &str) -> Image {
    let mut tags: Vec<Tag> = (18..=22)
        .map(|minor| tag(&format!("3.{minor}.0"), (23 - minor) * 90, &format!("{name}{minor}")))
        .collect();
    tags.push(tag("3.23.0-rc.1", 20, &format!("{name}rc1")));
    tags.push(tag("3.23.0-rc.2", 10, &format!("{name}rc2")));
    tags.push(tag("lts-2023", 700, &format!("{name}lts")));
    // No offset from UTC: needs an assumed one.
    tags.push(timed("nightly", "2024-11-05 03:00:00", &format!("{name}nightly")));
    // No instant at all.
    tags.push(timed("imported", "unknown", &format!("{name}imported")));
    Image::new(name).tags(tags)
}

/// An image without digests, in a repository that no rule matches.
fn scratch() -> Image {
    Image::new("experiments").tags(["try-1", "try-2", "do-not-delete"].map(Tag::new))
}

fn tag(name: &str, age_in_days: u64, content: &str) -> Tag {
    timed(name, &(NOW - age_in_days * DAY).to_string(), content)
}

fn timed(name: &str, update_time: &str, content: &str) -> Tag {
    // A digest that is as long as a real one and equal for equal content.
    let hash = content.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let digest = (0..4).map(|part| format!("{:016x}", hash.rotate_left(part * 13)));
    let digest: String = digest.collect();
    let mut tag = Tag::new(name).digest(format!("sha256:{digest}"));
    tag.update_time = update_time.to_owned();
    tag
}

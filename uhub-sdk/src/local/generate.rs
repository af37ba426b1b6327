//! Data that nobody has to write: by the thousand, and the ready set to try things on.

use serde::{Deserialize, Serialize};

use super::data::{Data, Key, Project};
use super::random::Random;
use super::repository::{Image, Repository, Tag};

/// More tags than this in all are refused: they would fill the memory.
const MOST_TAGS: usize = 10_000_000;

/// When the first of what is generated came to be.
const BEGINNING: u64 = 1_650_000_000;
const DAY: u64 = 86_400;

/// Repositories with images and tags to be generated. The same numbers give the same ones.
///
/// ```
/// use uhub_sdk::local::Generate;
///
/// let much = Generate::new(1).repositories(3).images(1000).tags(20);
/// assert_eq!(much.images, 1000);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Generate {
    /// What decides on all that is not said here: names, times, digests, how often something was
    /// pulled, whether a repository is public. 0 if nothing is said.
    pub seed: u64,
    /// How many repositories there are; none if nothing is said. There may be more than the 8 that
    /// a project holds: `CreateRepo` then makes none.
    pub repositories: usize,
    /// How many images each has; none if nothing is said.
    pub images: usize,
    /// How many tags each image has; one if nothing is said, or 0.
    pub tags: usize,
}

impl Generate {
    /// Nothing yet, from this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// Sets how many repositories there are.
    #[must_use]
    pub fn repositories(mut self, count: usize) -> Self {
        self.repositories = count;
        self
    }

    /// Sets how many images each repository has.
    #[must_use]
    pub fn images(mut self, count: usize) -> Self {
        self.images = count;
        self
    }

    /// Sets how many tags each image has.
    #[must_use]
    pub fn tags(mut self, count: usize) -> Self {
        self.tags = count;
        self
    }

    /// Why this cannot be generated.
    pub(super) fn problem(&self) -> Option<String> {
        let tags = [self.images.max(1), self.tags.max(1)]
            .iter()
            .try_fold(self.repositories, |all, &each| all.checked_mul(each));
        match tags {
            Some(tags) if tags <= MOST_TAGS => None,
            _ => Some(format!(
                "there is too much to generate: at most {MOST_TAGS} tags in all"
            )),
        }
    }

    pub(super) fn repositories_of(&self) -> Vec<Repository> {
        let mut random = Random::new(self.seed);
        (0..self.repositories)
            .map(|number| self.repository(number, &mut random))
            .collect()
    }

    fn repository(&self, number: usize, random: &mut Random) -> Repository {
        let images: Vec<Image> = (0..self.images)
            .map(|number| self.image(number, random))
            .collect();
        let made = BEGINNING + random.below(100) * DAY;
        Repository::new(format!("{}-{number}", word(random)))
            .description(format!("Images of the team {}", word(random)))
            .shared(random.happens(0.5))
            .outside(random.happens(0.2))
            .create_time(made.to_string())
            .update_time((made + random.below(500) * DAY).to_string())
            .images(images)
    }

    fn image(&self, number: usize, random: &mut Random) -> Image {
        let made = BEGINNING + random.below(400) * DAY;
        let mut pushed = made;
        let tags: Vec<Tag> = (0..self.tags.max(1))
            .map(|number| {
                let version = format!("{}.{}.{}", number / 100, number / 10 % 10, number % 10);
                pushed += random.below(DAY);
                tag(version, pushed, random)
            })
            .collect();
        // Few are pulled often.
        let most = 1 << random.below(20);
        Image::new(format!("{}-{}-{number}", word(random), word(random)))
            .tags(tags)
            .pull_count(i64::try_from(random.below(most)).unwrap_or_default())
            .create_time(made.to_string())
            .update_time(pushed.to_string())
    }
}

fn word<'a>(random: &mut Random) -> &'a str {
    const WORDS: [&str; 16] = [
        "api", "auth", "backup", "billing", "cache", "data", "gateway", "ingest", "mail",
        "metrics", "proxy", "queue", "search", "shop", "web", "worker",
    ];
    WORDS[(random.next() % 16) as usize]
}

fn tag(name: impl Into<String>, pushed: u64, random: &mut Random) -> Tag {
    let digest: String = (0..4).map(|_| format!("{:016x}", random.next())).collect();
    Tag::new(name)
        .digest(format!("sha256:{digest}"))
        .update_time(pushed.to_string())
}

/// The set of [`Data::demo`].
pub(super) fn demo() -> Data {
    let mut random = Random::new(0);
    let mut repository = |name: &str, description: &str, images: &[(&str, i64, &[&str])]| {
        let made = BEGINNING + random.below(100) * DAY;
        let mut last = made;
        let images: Vec<Image> = images
            .iter()
            .map(|&(name, pull_count, tags)| {
                let first = made + random.below(30) * DAY;
                let mut pushed = first;
                let tags: Vec<Tag> = tags
                    .iter()
                    .map(|&name| {
                        pushed += (1 + random.below(60)) * DAY;
                        tag(name, pushed, &mut random)
                    })
                    .collect();
                last = last.max(pushed);
                Image::new(name)
                    .tags(tags)
                    .pull_count(pull_count)
                    .create_time(first.to_string())
                    .update_time(pushed.to_string())
            })
            .collect();
        Repository::new(name)
            .description(description)
            .create_time(made.to_string())
            .update_time(last.to_string())
            .images(images)
    };
    let base = repository(
        "base",
        "Base images that all teams build on",
        &[
            ("alpine", 18_240, &["3.18", "3.19", "3.20"]),
            ("debian", 9_412, &["11-slim", "12-slim"]),
            ("golang", 5_377, &["1.21", "1.22", "1.23", "1.24"]),
            ("nginx", 12_803, &["1.25", "1.26", "1.27"]),
            ("python", 7_655, &["3.11", "3.12", "3.13"]),
        ],
    );
    let shop = repository(
        "shop",
        "The shop and what runs behind it",
        &[
            (
                "frontend",
                412,
                &["2.3.0", "2.3.1", "2.4.0", "2.4.1", "2.5.0-rc1"],
            ),
            ("checkout", 388, &["1.0.0", "1.1.0", "1.1.1"]),
            (
                "worker",
                96,
                &["2024-11-02", "2024-11-09", "2024-11-16", "latest"],
            ),
        ],
    );
    let data = repository(
        "data",
        "Data pipelines",
        &[
            ("ingest", 51, &["0.9.0", "0.9.1", "0.10.0"]),
            ("report", 3, &["0.1.0"]),
        ],
    );
    let empty = repository("sandbox", "", &[]);
    let staging = repository(
        "shop",
        "What will be in the shop",
        &[("frontend", 23, &["2.5.0-rc1", "2.5.0-rc2"])],
    );

    let mut demo = Data::default();
    demo.complete();
    let sub_account = Key::new("local-sub-account-key", "local-sub-account-private-key");
    demo.keys
        .push(sub_account.sub_account().project("org-staging"));
    demo.projects = vec![
        Project::new("org-demo", "Demo")
            .repository(base.shared(true).outside(true))
            .repository(shop)
            .repository(data)
            .repository(empty),
        Project::new("org-staging", "Staging").repository(staging),
    ];
    demo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_numbers_generate_the_same() {
        let much = Generate::new(3).repositories(4).images(30).tags(25);
        let made = much.repositories_of();
        assert_eq!(made, much.repositories_of());
        assert_ne!(made, Generate { seed: 4, ..much }.repositories_of());
        assert_eq!(made.len(), 4);
        assert!(made.iter().all(|repository| repository.images.len() == 30));
        let images = || made.iter().flat_map(|repository| &repository.images);
        assert!(images().all(|image| image.tags.len() == 25));
        assert!(images().any(|image| image.pull_count > 0));
        let shared = made.iter().filter(|repository| repository.is_shared);
        assert!(
            (1..4).contains(&shared.count()),
            "some are public, some private"
        );
        let one = Generate::new(0).repositories(1).images(1).repositories_of();
        assert_eq!(one[0].images[0].tags.len(), 1);
    }

    #[test]
    fn what_is_generated_makes_sense() {
        for seed in 0..20 {
            let mut data = Data::default();
            data.generate = Some(Generate::new(seed).repositories(20).images(50).tags(3));
            assert!(data.into_store().is_ok(), "{seed}");
        }
        assert!(demo().into_store().is_ok());
        assert_eq!(demo(), demo());
    }

    #[test]
    fn what_would_fill_the_memory_is_refused() {
        for (repositories, images, tags) in
            [(usize::MAX, 2, 2), (11, 1000, 1000), (10_000_001, 0, 0)]
        {
            let much = Generate::new(0)
                .repositories(repositories)
                .images(images)
                .tags(tags);
            assert!(much.problem().is_some(), "{much:?}");
        }
        assert_eq!(
            Generate::new(0)
                .repositories(10)
                .images(1000)
                .tags(1000)
                .problem(),
            None
        );
    }
}

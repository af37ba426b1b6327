//! Generated repositories.

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use crate::data::repository::{Image, Repository, Tag, Visibility};

/// The limit on generated tags: more would fill the memory.
const MAX_TAGS: usize = 10_000_000;

/// The same for a request, which anyone on this machine can send.
pub(crate) const MAX_REQUESTED_TAGS: usize = 100_000;

/// The earliest generated time, in Unix seconds.
const START: u64 = 1_650_000_000;
const DAY: u64 = 86_400;

const WORDS: [&str; 16] = [
    "api", "auth", "backup", "billing", "cache", "data", "gateway", "ingest", "mail", "metrics",
    "proxy", "queue", "search", "shop", "web", "worker",
];

/// Repositories with images and tags to generate. The same values generate the same repositories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Generate {
    /// The seed of names, times, digests, download counts and visibility. Defaults to 0.
    pub seed: u64,
    /// The number of repositories. Defaults to 0. It may exceed the limit of 8 in a project; then
    /// `CreateRepo` fails.
    pub repositories: usize,
    /// The number of images in each repository. Defaults to 0.
    pub images: usize,
    /// The number of tags of each image. Defaults to 1, and 0 means 1.
    pub tags: usize,
}

impl Generate {
    /// Why this cannot be generated.
    pub(crate) fn problem(&self) -> Option<String> {
        self.exceeds(MAX_TAGS)
    }

    /// Why this cannot be generated within a limit of tags.
    pub(crate) fn exceeds(&self, limit: usize) -> Option<String> {
        let tags = [self.images.max(1), self.tags.max(1)]
            .iter()
            .try_fold(self.repositories, |product, &count| product.checked_mul(count));
        let fits = tags.is_some_and(|tags| tags <= limit);
        (!fits).then(|| format!("`generate` exceeds the limit of {limit} tags in total"))
    }

    pub(crate) fn generated(&self) -> Vec<Repository> {
        let mut rng = Rng::with_seed(self.seed);
        (0..self.repositories).map(|number| self.repository(number, &mut rng)).collect()
    }

    fn repository(&self, number: usize, rng: &mut Rng) -> Repository {
        let images: Vec<Image> = (0..self.images).map(|number| self.image(number, rng)).collect();
        let created = START + rng.u64(..100) * DAY;
        let visibility = if rng.bool() { Visibility::Public } else { Visibility::Private };
        Repository {
            name: format!("{}-{number}", word(rng)),
            description: format!("Images of the team {}", word(rng)),
            visibility,
            is_outside: rng.u8(..5) == 0,
            create_time: created.to_string(),
            update_time: (created + rng.u64(..500) * DAY).to_string(),
            images,
        }
    }

    fn image(&self, number: usize, rng: &mut Rng) -> Image {
        let created = START + rng.u64(..400) * DAY;
        let mut pushed = created;
        let tags: Vec<Tag> = (0..self.tags.max(1))
            .map(|number| {
                let version = format!("{}.{}.{}", number / 100, number / 10 % 10, number % 10);
                pushed += rng.u64(..DAY);
                Tag { name: version, digest: Some(digest(rng)), update_time: pushed.to_string() }
            })
            .collect();
        // Few images are pulled often.
        let pull_limit = 1 << rng.u32(..20);
        Image {
            name: format!("{}-{}-{number}", word(rng), word(rng)),
            latest_tag: None,
            tags,
            pull_count: rng.i64(0..pull_limit),
            create_time: created.to_string(),
            update_time: pushed.to_string(),
        }
    }
}

fn word(rng: &mut Rng) -> &'static str {
    WORDS[rng.usize(..WORDS.len())]
}

fn digest(rng: &mut Rng) -> String {
    let digits: String = (0..4).map(|_| format!("{:016x}", rng.u64(..))).collect();
    format!("sha256:{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;
    use crate::data::store::Store;

    #[test]
    fn the_same_values_generate_the_same_repositories() {
        let generate = Generate { seed: 3, repositories: 4, images: 30, tags: 25 };
        let repositories = generate.generated();
        assert_eq!(repositories, generate.generated());
        assert_ne!(repositories, Generate { seed: 4, ..generate }.generated());
        assert_eq!(repositories.len(), 4);
        assert!(repositories.iter().all(|repository| repository.images.len() == 30));
        let images = || repositories.iter().flat_map(|repository| &repository.images);
        assert!(images().all(|image| image.tags.len() == 25));
        assert!(images().any(|image| image.pull_count > 0));
        let one = Generate { repositories: 1, images: 1, ..Generate::default() }.generated();
        assert_eq!(one[0].images[0].tags.len(), 1);
    }

    #[test]
    fn some_generated_repositories_are_public_and_some_private() {
        let repositories =
            Generate { seed: 3, repositories: 20, ..Generate::default() }.generated();
        let public = repositories.iter().filter(|each| each.visibility == Visibility::Public);
        assert!((1..20).contains(&public.count()));
    }

    #[test]
    fn generated_data_is_consistent() {
        for seed in 0..20 {
            let generate = Generate { seed, repositories: 20, images: 50, tags: 3 };
            let data = Data { generate: Some(generate), ..Data::default() };
            assert!(Store::new(data).is_ok(), "{seed}");
        }
        assert!(Store::new(Data::demo()).is_ok());
    }

    #[test]
    fn too_many_tags_are_refused() {
        for (repositories, images, tags) in
            [(usize::MAX, 2, 2), (11, 1000, 1000), (10_000_001, 0, 0)]
        {
            let generate = Generate { seed: 0, repositories, images, tags };
            assert!(generate.problem().is_some(), "{generate:?}");
        }
        let most = Generate { seed: 0, repositories: 10, images: 1000, tags: 1000 };
        assert_eq!(most.problem(), None);
    }
}

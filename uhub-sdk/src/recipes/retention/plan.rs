//! The plan: what would be deleted and what is kept, with the reasons.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::wire::timestamp::Timestamp;

/// What a policy deletes and keeps. [`plan`](crate::recipes::retention::plan) makes it, and
/// [`apply`](Self::apply) deletes.
///
/// A plan is data: serialize it to review it or to compare it with another, and apply it later.
/// Images and tags are sorted by name, so that equal registries have equal plans.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Plan {
    /// Whether tags are deleted that share their digest with a tag that stays, as the policy says.
    #[serde(default)]
    pub delete_shared_digests: bool,
    /// The images of the scope, sorted by project, repository and name.
    pub images: Vec<ImagePlan>,
}

/// What a [`Plan`] does to an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ImagePlan {
    /// The project of the repository.
    pub project_id: String,
    /// The repository of the image.
    pub repo_name: String,
    /// The name of the image.
    pub image_name: String,
    /// The name of the rule that decided. `None` if no rule matches the image.
    pub rule: Option<String>,
    /// The tags, sorted by name.
    pub tags: Vec<TagPlan>,
}

/// What a [`Plan`] does to a tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TagPlan {
    /// The name of the tag.
    pub tag_name: String,
    /// When the tag was last changed, as the service wrote it.
    pub update_time: Timestamp,
    /// The digest of the image that the tag stands for.
    pub digest: Option<String>,
    /// Why the tag is kept. It is deleted if there is no reason.
    pub kept: Vec<Reason>,
}

/// Why a tag is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// No rule matches the image.
    NoRule,
    /// The tag matches no glob of [`Rule::only`](super::Rule::only).
    NotInOnly,
    /// The tag is `latest`.
    Latest,
    /// The tag is among the newest, this many.
    Newest(usize),
    /// The tag was updated within this number of seconds.
    NewerThan(u64),
    /// The tag matches this glob.
    Matches(String),
    /// The version is among the highest, this many.
    HighestVersions(usize),
    /// The pre-release is among the highest, this many.
    HighestPreReleases(usize),
    /// The rule needs the tag's age, and its time is not an instant.
    UnknownTime,
    /// The tag has no digest, so it may share one with a tag that is kept.
    UnknownDigest,
    /// The tag has the digest of this tag, which is kept.
    SharesDigest(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRule => f.write_str("no rule matches the image"),
            Self::NotInOnly => f.write_str("not in `only`"),
            Self::Latest => f.write_str("`latest`"),
            Self::Newest(tags) => write!(f, "newest {tags}"),
            Self::NewerThan(seconds) => {
                let age = humantime::format_duration(Duration::from_secs(*seconds));
                write!(f, "newer than {age}")
            }
            Self::Matches(glob) => write!(f, "matches `{glob}`"),
            Self::HighestVersions(versions) => write!(f, "highest {versions} versions"),
            Self::HighestPreReleases(versions) => write!(f, "highest {versions} pre-releases"),
            Self::UnknownTime => f.write_str("unknown time"),
            Self::UnknownDigest => f.write_str("unknown digest"),
            Self::SharesDigest(tag) => write!(f, "same digest as `{tag}`"),
        }
    }
}

/// How many tags a plan keeps and deletes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// The number of tags that are kept.
    pub kept: usize,
    /// The number of tags to delete.
    pub deleted: usize,
}

impl TagPlan {
    /// Returns whether the plan deletes the tag.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.kept.is_empty()
    }
}

impl ImagePlan {
    /// Counts the tags.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let deleted = self.tags.iter().filter(|tag| tag.is_deleted()).count();
        Totals { kept: self.tags.len() - deleted, deleted }
    }
}

impl Plan {
    /// Counts the tags of all images.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.images.iter().map(ImagePlan::totals).fold(Totals::default(), |sum, image| Totals {
            kept: sum.kept + image.kept,
            deleted: sum.deleted + image.deleted,
        })
    }
}

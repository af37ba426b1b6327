//! The plan: what would be deleted and what is kept, with the reasons.

use std::{collections::HashSet, fmt};

use serde::{Deserialize, Serialize};

use crate::wire::timestamp::Timestamp;

/// What a policy deletes and keeps. [`plan`](crate::recipes::retention::plan) makes it, and
/// [`apply`](Self::apply) deletes.
///
/// A plan is data: serialize it to review it or to compare it with another, and apply it later.
/// Images and tags are sorted by name, so that equal registries have equal plans.
///
/// In JSON, the plan and each image have their [`Totals`], too. Reading a plan whose totals are not
/// those of its tags is an error, so that an edit by hand has to be deliberate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PlanData", into = "PlanData")]
#[non_exhaustive]
pub struct Plan {
    /// Whether tags are deleted that share their digest with a tag that stays, as the policy says.
    pub delete_shared_digests: bool,
    /// The images of the scope, sorted by project, repository and name.
    pub images: Vec<ImagePlan>,
}

/// What a [`Plan`] does to an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ImagePlanData", into = "ImagePlanData")]
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
    /// The tag was updated within this time, such as `30d`.
    NewerThan(String),
    /// The tag matches this glob.
    Matches(String),
    /// The version is among the highest, this many.
    HighestVersions(usize),
    /// The pre-release is among the highest, this many.
    HighestPreReleases(usize),
    /// The rule needs the tag's age, and its time is not an instant.
    UnknownTime,
    /// The rule needs the tag's age, and its time is in the future.
    FutureTime,
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
            Self::NewerThan(age) => write!(f, "newer than {age}"),
            Self::Matches(glob) => write!(f, "matches `{glob}`"),
            Self::HighestVersions(versions) => write!(f, "highest {versions} versions"),
            Self::HighestPreReleases(versions) => write!(f, "highest {versions} pre-releases"),
            Self::UnknownTime => f.write_str("unknown time"),
            Self::FutureTime => f.write_str("time in the future"),
            Self::UnknownDigest => f.write_str("unknown digest"),
            Self::SharesDigest(tag) => write!(f, "same digest as `{tag}`"),
        }
    }
}

/// How many tags a plan keeps and deletes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

/// The serialized form of a plan, with its totals.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanData {
    delete_shared_digests: bool,
    totals: Totals,
    images: Vec<ImagePlan>,
}

impl From<Plan> for PlanData {
    fn from(plan: Plan) -> Self {
        let totals = plan.totals();
        let Plan { delete_shared_digests, images } = plan;
        Self { delete_shared_digests, totals, images }
    }
}

impl TryFrom<PlanData> for Plan {
    type Error = String;

    fn try_from(data: PlanData) -> Result<Self, String> {
        let PlanData { delete_shared_digests, totals, images } = data;
        let mut names = HashSet::new();
        for image in &images {
            if !names.insert((&image.project_id, &image.repo_name, &image.image_name)) {
                return Err(format!("`{}/{}` is there twice", image.repo_name, image.image_name));
            }
        }
        let plan = Self { delete_shared_digests, images };
        check_totals("the plan", totals, plan.totals())?;
        Ok(plan)
    }
}

/// The serialized form of the plan of an image, with its totals.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImagePlanData {
    project_id: String,
    repo_name: String,
    image_name: String,
    rule: Option<String>,
    totals: Totals,
    tags: Vec<TagPlan>,
}

impl From<ImagePlan> for ImagePlanData {
    fn from(image: ImagePlan) -> Self {
        let totals = image.totals();
        let ImagePlan { project_id, repo_name, image_name, rule, tags } = image;
        Self { project_id, repo_name, image_name, rule, totals, tags }
    }
}

impl TryFrom<ImagePlanData> for ImagePlan {
    type Error = String;

    fn try_from(data: ImagePlanData) -> Result<Self, String> {
        let ImagePlanData { project_id, repo_name, image_name, rule, totals, tags } = data;
        let name = format!("`{repo_name}/{image_name}`");
        let mut names = HashSet::new();
        if let Some(tag) = tags.iter().find(|tag| !names.insert(&tag.tag_name)) {
            return Err(format!("{name} has the tag `{}` twice", tag.tag_name));
        }
        let image = Self { project_id, repo_name, image_name, rule, tags };
        check_totals(&name, totals, image.totals())?;
        Ok(image)
    }
}

fn check_totals(name: &str, written: Totals, actual: Totals) -> Result<(), String> {
    if written == actual {
        return Ok(());
    }
    Err(format!(
        "the totals of {name} are {} kept and {} deleted, and its tags {} and {}. Change both, or make \
         a new plan",
        written.kept, written.deleted, actual.kept, actual.deleted
    ))
}

//! Repositories, their images and the images' tags.

use serde::{Deserialize, Serialize};

/// The default of every time: Unix time in seconds.
const DEFAULT_TIME: &str = "1700000000";

/// The images of [`Repository::documented`]: name, latest tag, pulls, created, updated. The
/// documentation replaces the random values of its example now and then; these stay.
const DOCUMENTED: [(&str, &str, i64, &str, &str); 9] = [
    ("dCVBnkxg", "iBvvYGkW", 4, "5", "7"),
    ("HxZkUXvp", "KNyBVrNA", 2, "2", "2"),
    ("qCHiVQXX", "dnvIjkJY", 6, "2", "6"),
    ("lJszSnED", "wGBJBifW", 1, "9", "8"),
    ("BfChDnxj", "CdySnxrY", 9, "7", "1"),
    ("HUTQywVu", "zqXMWiRd", 1, "9", "9"),
    ("QfwwaABh", "EymhuHfx", 7, "8", "9"),
    ("ThYJXrVc", "dnXrJOti", 4, "5", "2"),
    ("qzCGPhQD", "MCnyUuwU", 6, "2", "3"),
];

fn default_time() -> String {
    DEFAULT_TIME.to_owned()
}

/// Who can see and pull a [`Repository`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(clippy::exhaustive_enums)] // the service knows these two
pub enum Visibility {
    /// Everyone. `IsShared` is `true` in responses.
    Public,
    /// The project alone. `IsShared` is `false` in responses.
    #[default]
    Private,
}

/// A repository and its images, as initial data of a [`LocalUhub`](crate::LocalUhub). Fields
/// without a method are set directly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Repository {
    /// The name, `RepoName` in requests.
    pub name: String,
    /// The description. Defaults to an empty one.
    #[serde(default)]
    pub description: String,
    /// Whether the repository is public or private. Defaults to private, as in `CreateRepo`.
    /// `GetRepo` lists public repositories by default, so it lists a private one only on request.
    #[serde(default)]
    pub visibility: Visibility,
    /// Whether the repository can be reached from outside the platform's network: `IsOutSide` in
    /// responses. Defaults to `false`.
    #[serde(default)]
    pub is_outside: bool,
    /// When it was created. Sent unchanged: the documentation specifies a string and no format.
    /// Defaults to a Unix time in seconds.
    #[serde(default = "default_time")]
    pub create_time: String,
    /// When it was last changed, in the same format.
    #[serde(default = "default_time")]
    pub update_time: String,
    /// The images, in the order of lists.
    #[serde(default)]
    pub images: Vec<Image>,
}

impl Repository {
    /// Creates an empty repository with the defaults of its fields.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: String::new(),
            visibility: Visibility::Private,
            is_outside: false,
            create_time: default_time(),
            update_time: default_time(),
            images: Vec::new(),
        }
    }

    /// Creates the repository `idkTdEFo` with the nine images of the documentation's first
    /// `GetRepoImage` example.
    #[must_use]
    pub fn documented() -> Self {
        let images = DOCUMENTED.iter().map(|(name, tag, pulls, created, updated)| Image {
            name: (*name).to_owned(),
            latest_tag: Some((*tag).to_owned()),
            tags: Vec::new(),
            pull_count: *pulls,
            create_time: (*created).to_owned(),
            update_time: (*updated).to_owned(),
        });
        Self::new("idkTdEFo").images(images)
    }

    /// Sets the description.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Makes the repository public.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.visibility = Visibility::Public;
        self
    }

    /// Adds an image.
    #[must_use]
    pub fn image(self, image: Image) -> Self {
        self.images([image])
    }

    /// Adds images.
    #[must_use]
    pub fn images(mut self, images: impl IntoIterator<Item = Image>) -> Self {
        self.images.extend(images);
        self
    }
}

/// An image of a [`Repository`].
///
/// An image has at least one tag. `LatestTag` in responses is the tag that was pushed last.
///
/// ```
/// use uhub_local::{Image, Tag};
///
/// let image = Image::new("nginx")
///     .tags(["1.25", "1.26"].map(Tag::new))
///     .tag(Tag::new("1.27").digest("sha256:…"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Image {
    /// The name, `ImageName` in responses.
    pub name: String,
    /// The tag pushed last. Defaults to the last of the [`tags`](Self::tags), or to `latest` if
    /// there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_tag: Option<String>,
    /// The tags, in the order of pushes and of lists. [`latest_tag`](Self::latest_tag) is moved to
    /// the end, or added there if it is missing.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// The number of downloads. Defaults to 0.
    #[serde(default)]
    pub pull_count: i64,
    /// When it was created, in the format of [`Repository::create_time`].
    #[serde(default = "default_time")]
    pub create_time: String,
    /// When it was last changed, in the same format.
    #[serde(default = "default_time")]
    pub update_time: String,
}

impl Image {
    /// Creates an image with the defaults of its fields: its only tag is `latest`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            latest_tag: None,
            tags: Vec::new(),
            pull_count: 0,
            create_time: default_time(),
            update_time: default_time(),
        }
    }

    /// Sets the tag pushed last, which is added if it is not among the tags.
    #[must_use]
    pub fn latest_tag(mut self, tag: impl Into<String>) -> Self {
        self.latest_tag = Some(tag.into());
        self
    }

    /// Adds a tag, pushed after the existing ones.
    #[must_use]
    pub fn tag(self, tag: Tag) -> Self {
        self.tags([tag])
    }

    /// Adds tags, pushed in this order.
    #[must_use]
    pub fn tags(mut self, tags: impl IntoIterator<Item = Tag>) -> Self {
        self.tags.extend(tags);
        self
    }

    /// Sets the number of downloads.
    #[must_use]
    pub fn pull_count(mut self, count: i64) -> Self {
        self.pull_count = count;
        self
    }

    /// Merges `latest_tag` into the tags: afterwards there is at least one, the latest at the end.
    pub(crate) fn settle(&mut self) {
        let latest = match self.latest_tag.take() {
            Some(name) => name,
            None if self.tags.is_empty() => "latest".to_owned(),
            None => return,
        };
        let tag = match self.tags.iter().position(|tag| tag.name == latest) {
            Some(index) => self.tags.remove(index),
            None => Tag { update_time: self.update_time.clone(), ..Tag::new(latest) },
        };
        self.tags.push(tag);
    }
}

/// A tag of an [`Image`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tag {
    /// The name, `TagName` in responses.
    pub name: String,
    /// The digest. Omitted from responses if it is `None`, the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// When it was last pushed, in the format of [`Repository::create_time`].
    #[serde(default = "default_time")]
    pub update_time: String,
}

impl Tag {
    /// Creates a tag with the defaults of its fields.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), digest: None, update_time: default_time() }
    }

    /// Sets the digest.
    #[must_use]
    pub fn digest(mut self, digest: impl Into<String>) -> Self {
        self.digest = Some(digest.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tag names of an image after `settle`.
    fn settled(mut image: Image) -> Vec<String> {
        image.settle();
        image.tags.into_iter().map(|tag| tag.name).collect()
    }

    #[test]
    fn the_latest_tag_is_moved_to_the_end() {
        let image = || Image::new("nginx");
        let tags = || ["1.0", "1.1", "1.2"].map(Tag::new);
        assert_eq!(settled(image()), ["latest"]);
        assert_eq!(settled(image().latest_tag("1.27")), ["1.27"]);
        assert_eq!(settled(image().tag(Tag::new("1.0"))), ["1.0"]);
        assert_eq!(settled(image().tags(tags())), ["1.0", "1.1", "1.2"]);
        assert_eq!(settled(image().tags(tags()).latest_tag("1.0")), ["1.1", "1.2", "1.0"]);
        // The order of the calls does not matter.
        assert_eq!(settled(image().latest_tag("2.0").tags(tags())), ["1.0", "1.1", "1.2", "2.0"]);
    }

    #[test]
    fn an_added_latest_tag_has_the_time_of_its_image() {
        let mut image = Image::new("nginx").latest_tag("1.27");
        image.update_time = "1800000000".to_owned();
        image.settle();
        let tag = Tag { update_time: image.update_time.clone(), ..Tag::new("1.27") };
        assert_eq!(image.tags, [tag]);
    }

    #[test]
    fn a_moved_tag_keeps_its_digest_and_time() {
        let tag = Tag { update_time: "5".to_owned(), ..Tag::new("1.0").digest("sha256:1") };
        let mut image = Image::new("nginx").tags([tag.clone(), Tag::new("1.1")]).latest_tag("1.0");
        image.settle();
        assert_eq!(image.tags, [Tag::new("1.1"), tag]);
    }
}

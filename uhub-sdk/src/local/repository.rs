//! Repositories, their images and the images' tags.

use serde::{Deserialize, Serialize};

use crate::actions::examples::GET_REPO_IMAGE;

/// When what a server starts with was created and last changed, where nothing else is said.
const LONG_AGO: &str = "1700000000";

fn long_ago() -> String {
    LONG_AGO.to_owned()
}

/// A repository and the images in it, to start a [`LocalUhub`](super::LocalUhub) with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Repository {
    /// The name, `RepoName` in requests.
    pub name: String,
    /// The description; empty if nothing else is said.
    #[serde(default)]
    pub description: String,
    /// Whether it is public, `IsShared` in answers. Without a word it is private, as one that
    /// `CreateRepo` makes: and so `GetRepo`, which lists public repositories unless told otherwise,
    /// does not list it.
    #[serde(default)]
    pub is_shared: bool,
    /// Whether it can be reached from outside the platform's network, `IsOutSide` in answers; it
    /// cannot if nothing else is said.
    #[serde(default)]
    pub is_outside: bool,
    /// When it was created. The documentation says a string, not in which form: what stands here is
    /// sent as it is. The default is a Unix time in seconds.
    #[serde(default = "long_ago")]
    pub create_time: String,
    /// When it was last changed; as [`create_time`](Self::create_time).
    #[serde(default = "long_ago")]
    pub update_time: String,
    /// The images, in the order they are listed.
    #[serde(default)]
    pub images: Vec<Image>,
}

impl Repository {
    /// An empty repository with the defaults the fields name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: String::new(),
            is_shared: false,
            is_outside: false,
            create_time: LONG_AGO.to_owned(),
            update_time: LONG_AGO.to_owned(),
            images: Vec::new(),
        }
    }

    /// The repository of the documentation's example of `GetRepoImage`: `idkTdEFo`, with the nine
    /// images that its page shows.
    #[must_use]
    pub fn documented() -> Self {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Shown {
            image_name: String,
            latest_tag: String,
            pull_count: i64,
            create_time: i64,
            update_time: i64,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Page {
            image_set: Vec<Shown>,
        }
        let page: Page = serde_json::from_str(GET_REPO_IMAGE.response)
            .unwrap_or_else(|_| unreachable!("a test reads the documentation's example"));
        let images = page.image_set.into_iter().map(|shown| {
            Image::new(shown.image_name)
                .latest_tag(shown.latest_tag)
                .pull_count(shown.pull_count)
                .create_time(shown.create_time.to_string())
                .update_time(shown.update_time.to_string())
        });
        Self::new("idkTdEFo").images(images)
    }

    /// Sets the description.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets whether it is public.
    #[must_use]
    pub fn shared(mut self, shared: bool) -> Self {
        self.is_shared = shared;
        self
    }

    /// Sets whether it can be reached from outside the platform's network.
    #[must_use]
    pub fn outside(mut self, outside: bool) -> Self {
        self.is_outside = outside;
        self
    }

    /// Sets when it was created.
    #[must_use]
    pub fn create_time(mut self, time: impl Into<String>) -> Self {
        self.create_time = time.into();
        self
    }

    /// Sets when it was last changed.
    #[must_use]
    pub fn update_time(mut self, time: impl Into<String>) -> Self {
        self.update_time = time.into();
        self
    }

    /// Adds an image.
    #[must_use]
    pub fn image(mut self, image: Image) -> Self {
        self.images.push(image);
        self
    }

    /// Adds several images.
    #[must_use]
    pub fn images(mut self, images: impl IntoIterator<Item = Image>) -> Self {
        self.images.extend(images);
        self
    }
}

/// An image of a [`Repository`].
///
/// It has at least one tag; the `LatestTag` of an answer is the one pushed last.
///
/// ```
/// use uhub_sdk::local::{Image, Tag};
///
/// let image = Image::new("nginx")
///     .tags(["1.25", "1.26"].map(Tag::new))
///     .tag(Tag::new("1.27").digest("sha256:…").update_time("1750000000"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Image {
    /// The name, `ImageName` in answers.
    pub name: String,
    /// The tag pushed last. Without a word it is the last of the [`tags`](Self::tags), or `latest`
    /// where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_tag: Option<String>,
    /// The tags, in the order they were pushed and are listed. [`latest_tag`](Self::latest_tag)
    /// comes after them all: it is moved there, or added where it is not among them.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// How often it was downloaded; 0 if nothing else is said.
    #[serde(default)]
    pub pull_count: i64,
    /// When it was created. The documentation says a string, not in which form: what stands here is
    /// sent as it is. The default is a Unix time in seconds.
    #[serde(default = "long_ago")]
    pub create_time: String,
    /// When it was last changed; as [`create_time`](Self::create_time).
    #[serde(default = "long_ago")]
    pub update_time: String,
}

impl Image {
    /// An image with the defaults the fields name: of its tags, that is the one tag `latest`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            latest_tag: None,
            tags: Vec::new(),
            pull_count: 0,
            create_time: LONG_AGO.to_owned(),
            update_time: LONG_AGO.to_owned(),
        }
    }

    /// Sets the tag pushed last, which is added if it is not among the tags.
    #[must_use]
    pub fn latest_tag(mut self, tag: impl Into<String>) -> Self {
        self.latest_tag = Some(tag.into());
        self
    }

    /// Adds a tag, pushed after those before it.
    #[must_use]
    pub fn tag(mut self, tag: Tag) -> Self {
        self.tags.push(tag);
        self
    }

    /// Adds several tags, pushed in this order.
    #[must_use]
    pub fn tags(mut self, tags: impl IntoIterator<Item = Tag>) -> Self {
        self.tags.extend(tags);
        self
    }

    /// Sets how often it was downloaded.
    #[must_use]
    pub fn pull_count(mut self, count: i64) -> Self {
        self.pull_count = count;
        self
    }

    /// Sets when it was created.
    #[must_use]
    pub fn create_time(mut self, time: impl Into<String>) -> Self {
        self.create_time = time.into();
        self
    }

    /// Sets when it was last changed.
    #[must_use]
    pub fn update_time(mut self, time: impl Into<String>) -> Self {
        self.update_time = time.into();
        self
    }

    /// Turns what was said of the tags into tags: at least one, the one pushed last at the end.
    pub(super) fn settle(&mut self) {
        let latest = match self.latest_tag.take() {
            Some(name) => name,
            None if self.tags.is_empty() => "latest".to_owned(),
            None => return,
        };
        let tag = match self.tags.iter().position(|tag| tag.name == latest) {
            Some(at) => self.tags.remove(at),
            None => Tag::new(latest).update_time(&self.update_time),
        };
        self.tags.push(tag);
    }
}

/// A tag of an [`Image`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tag {
    /// The name, `TagName` in answers.
    pub name: String,
    /// The digest of what it names, which an answer may lack; none if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// When it was last pushed. The documentation says a string, not in which form: what stands
    /// here is sent as it is. The default is a Unix time in seconds.
    #[serde(default = "long_ago")]
    pub update_time: String,
}

impl Tag {
    /// A tag with the defaults the fields name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            digest: None,
            update_time: LONG_AGO.to_owned(),
        }
    }

    /// Sets the digest.
    #[must_use]
    pub fn digest(mut self, digest: impl Into<String>) -> Self {
        self.digest = Some(digest.into());
        self
    }

    /// Sets when it was last pushed.
    #[must_use]
    pub fn update_time(mut self, time: impl Into<String>) -> Self {
        self.update_time = time.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the tags an image ends up with.
    fn settled(mut image: Image) -> Vec<String> {
        image.settle();
        image.tags.into_iter().map(|tag| tag.name).collect()
    }

    #[test]
    fn the_tag_pushed_last_comes_last() {
        let image = || Image::new("nginx");
        let tags = || ["1.0", "1.1", "1.2"].map(Tag::new);
        assert_eq!(settled(image()), ["latest"]);
        assert_eq!(settled(image().latest_tag("1.27")), ["1.27"]);
        assert_eq!(settled(image().tag(Tag::new("1.0"))), ["1.0"]);
        assert_eq!(settled(image().tags(tags())), ["1.0", "1.1", "1.2"]);
        assert_eq!(
            settled(image().tags(tags()).latest_tag("1.0")),
            ["1.1", "1.2", "1.0"]
        );
        // In whatever order it is said.
        assert_eq!(
            settled(image().latest_tag("2.0").tags(tags())),
            ["1.0", "1.1", "1.2", "2.0"]
        );
    }

    #[test]
    fn a_tag_that_was_only_named_is_as_old_as_its_image() {
        let mut image = Image::new("nginx")
            .latest_tag("1.27")
            .update_time("1800000000");
        image.settle();
        assert_eq!(image.tags, [Tag::new("1.27").update_time("1800000000")]);
    }

    #[test]
    fn a_tag_that_is_moved_keeps_what_was_said_of_it() {
        let tag = Tag::new("1.0").digest("sha256:1").update_time("5");
        let mut image = Image::new("nginx")
            .tags([tag.clone(), Tag::new("1.1")])
            .latest_tag("1.0");
        image.settle();
        assert_eq!(image.tags, [Tag::new("1.1"), tag]);
    }
}

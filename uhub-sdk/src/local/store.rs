//! What the server knows: users, projects, repositories and their images.

use std::fmt;

use serde::Deserialize;

use crate::actions::examples::GET_REPO_IMAGE;

/// A repository and the images in it, to start a [`LocalUhub`](super::LocalUhub) with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repository {
    /// The name, `RepoName` in requests.
    pub name: String,
    /// The images, in the order they are listed.
    pub images: Vec<Image>,
}

impl Repository {
    /// An empty repository.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
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
        let images = page.image_set.into_iter().map(|shown| Image {
            name: shown.image_name,
            latest_tag: shown.latest_tag,
            pull_count: shown.pull_count,
            create_time: shown.create_time.to_string(),
            update_time: shown.update_time.to_string(),
        });
        Self::new("idkTdEFo").images(images)
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
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Image {
    /// The name, `ImageName` in answers.
    pub name: String,
    /// The tag pushed last; `latest` if nothing else is said.
    pub latest_tag: String,
    /// How often it was downloaded; 0 if nothing else is said.
    pub pull_count: i64,
    /// When it was created. The documentation says a string, not in which form: what stands here is
    /// sent as it is. The default is a Unix time in seconds.
    pub create_time: String,
    /// When it was last changed; as [`create_time`](Self::create_time).
    pub update_time: String,
}

impl Image {
    /// An image with the defaults the fields name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            latest_tag: "latest".to_owned(),
            pull_count: 0,
            create_time: "1700000000".to_owned(),
            update_time: "1700000000".to_owned(),
        }
    }

    /// Sets the tag pushed last.
    #[must_use]
    pub fn latest_tag(mut self, tag: impl Into<String>) -> Self {
        self.latest_tag = tag.into();
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
}

#[derive(Clone)]
pub(super) struct KeyPair {
    pub(super) public: String,
    pub(super) private: String,
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

pub(super) struct Project {
    pub(super) id: String,
    pub(super) repositories: Vec<Repository>,
}

impl Project {
    pub(super) fn new(id: String) -> Self {
        Self {
            id,
            repositories: Vec::new(),
        }
    }

    pub(super) fn repository(&self, name: &str) -> Option<&Repository> {
        self.repositories
            .iter()
            .find(|repository| repository.name == name)
    }
}

pub(super) struct Store {
    pub(super) keys: Vec<KeyPair>,
    /// Never empty; the first is the default project.
    pub(super) projects: Vec<Project>,
}

impl Store {
    pub(super) fn private_key(&self, public: &str) -> Option<&str> {
        let key = self.keys.iter().find(|key| key.public == public)?;
        Some(&key.private)
    }

    /// The project of this id, or the default one where none is given.
    pub(super) fn project_mut(&mut self, id: Option<&str>) -> Option<&mut Project> {
        match id {
            Some(id) => self.projects.iter_mut().find(|project| project.id == id),
            None => self.projects.first_mut(),
        }
    }
}

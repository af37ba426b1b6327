//! What the server knows: users, and projects with their repositories.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::repository::{Image, Repository};

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

#[derive(Clone, Debug)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
    /// Their images are settled.
    pub(super) repositories: Vec<Repository>,
}

impl Project {
    pub(super) fn new(id: String, name: String) -> Self {
        Self {
            id,
            name,
            repositories: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, mut repository: Repository) {
        repository.images.iter_mut().for_each(Image::settle);
        self.repositories.push(repository);
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.repositories
            .iter()
            .position(|repository| repository.name == name)
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

/// The present as the server writes times: Unix time in seconds.
pub(super) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    // A clock before 1970 is no reason to fail.
    since.map_or(0, |since| since.as_secs()).to_string()
}

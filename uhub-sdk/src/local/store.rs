//! What the server knows: users, and projects with their repositories.

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use super::data::{Data, Key, Project};
use super::metadata::Role;

/// How many temporary keys are remembered: of more, the oldest belong to nobody.
const MOST_ISSUED: usize = 1000;

impl Project {
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.repositories
            .iter()
            .position(|repository| repository.name == name)
    }
}

#[derive(Default)]
pub(super) struct Store {
    pub(super) keys: Vec<Key>,
    /// Temporary keys that the machine's metadata has handed out.
    pub(super) issued: VecDeque<Key>,
    pub(super) issued_ever: u64,
    /// Whose temporary keys they are; without one there is no metadata service.
    pub(super) role: Option<Role>,
    /// Never empty; the first is the default project. Their images are settled.
    pub(super) projects: Vec<Project>,
    /// How many seconds the service's clock is ahead of the system's.
    pub(super) clock_offset: i64,
}

impl Store {
    /// What is in it, but for what has been issued.
    pub(super) fn data(&self) -> Data {
        let mut data = Data::default();
        data.keys.clone_from(&self.keys);
        data.projects.clone_from(&self.projects);
        data.role.clone_from(&self.role);
        data
    }

    /// Holds this instead, by the same clock.
    pub(super) fn replace(&mut self, other: Self) {
        *self = Self {
            clock_offset: self.clock_offset,
            issued_ever: self.issued_ever,
            ..other
        };
    }

    pub(super) fn key(&self, public: &str) -> Option<&Key> {
        let known = self.keys.iter().chain(&self.issued);
        known.into_iter().find(|key| key.public_key == public)
    }

    /// Where the project of this id stands, or the default one where none is given.
    pub(super) fn project(&self, id: Option<&str>) -> Option<usize> {
        match id {
            Some(id) => self.projects.iter().position(|project| project.id == id),
            None => Some(0),
        }
    }

    /// The number of a temporary key still to be issued.
    pub(super) fn next_issued(&mut self) -> u64 {
        self.issued_ever += 1;
        self.issued_ever
    }

    pub(super) fn issue(&mut self, key: Key) {
        if self.issued.len() == MOST_ISSUED {
            self.issued.pop_front();
        }
        self.issued.push_back(key);
    }

    /// The present by the service's clock, as the service writes times: Unix time in seconds.
    pub(super) fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        // A clock before 1970 is no reason to fail.
        let seconds = since.map_or(0, |since| since.as_secs());
        i64::try_from(seconds)
            .unwrap_or(i64::MAX)
            .saturating_add(self.clock_offset)
    }
}

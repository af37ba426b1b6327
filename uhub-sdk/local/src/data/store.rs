//! What a running server holds.

use std::{collections::VecDeque, time::SystemTime};

use crate::data::repository::Image;
use crate::data::{Data, User};

/// The number of temporary credentials that are remembered. The oldest are forgotten first.
const MAX_ISSUED: usize = 1000;

#[derive(Default)]
pub(crate) struct Store {
    /// Complete: it has a user and a project, and its images are settled.
    pub(crate) data: Data,
    /// Temporary credentials issued by the metadata service.
    pub(crate) issued: VecDeque<User>,
    pub(crate) issued_count: u64,
    /// How many seconds the service's clock is ahead of the system's.
    pub(crate) clock_offset: i64,
}

impl Store {
    /// Completes and generates the data, or returns every problem with it.
    pub(crate) fn new(mut data: Data) -> Result<Self, Vec<String>> {
        data.complete();
        let mut problems = data.problems();
        if problems.is_empty()
            && let Some(generate) = data.generate.take()
        {
            data.projects[0].repositories.extend(generate.generated());
            // A generated name may exist already.
            problems = data.problems();
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let repositories = data.projects.iter_mut().flat_map(|project| &mut project.repositories);
        repositories.flat_map(|repository| &mut repository.images).for_each(Image::settle);
        Ok(Self { data, ..Self::default() })
    }

    /// Replaces the data. The clock stays, and credentials are never issued twice.
    pub(crate) fn replace(&mut self, other: Self) {
        *self = Self { clock_offset: self.clock_offset, issued_count: self.issued_count, ..other };
    }

    pub(crate) fn user(&self, public_key: &str) -> Option<&User> {
        let mut users = self.data.users.iter().chain(&self.issued);
        users.find(|user| user.public_key == public_key)
    }

    /// The index of the project with this id. `None` is the default project.
    pub(crate) fn project(&self, id: Option<&str>) -> Option<usize> {
        match id {
            Some(id) => self.data.projects.iter().position(|project| project.id == id),
            None => Some(0),
        }
    }

    /// Issues temporary credentials that expire at this time.
    pub(crate) fn issue(&mut self, expires: i64) -> &User {
        self.issued_count += 1;
        let number = self.issued_count;
        let name = |kind: &str| format!("temporary-{kind}-{number}");
        let mut user = User::new(name("public"), name("private"));
        user.security_token = Some(name("token"));
        user.expires = Some(expires);
        if self.issued.len() == MAX_ISSUED {
            self.issued.pop_front();
        }
        self.issued.push_back(user);
        &self.issued[self.issued.len() - 1]
    }

    /// The service's current time, in Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        // A system clock before 1970 counts as 1970.
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX).saturating_add(self.clock_offset)
    }
}

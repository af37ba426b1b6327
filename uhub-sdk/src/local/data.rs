//! What a server holds, as data: keys, projects and what is in them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::repository::Repository;

/// A user of a [`LocalUhub`](super::LocalUhub), known by a key pair.
///
/// ```
/// use uhub_sdk::local::Key;
///
/// let account = Key::new("public", "private");
/// let colleague = Key::new("hers", "secret").sub_account().project("org-a");
/// let for_a_while = Key::new("temporary", "secret").security_token("token").expires(1_900_000_000);
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Key {
    /// The public key.
    pub public_key: String,
    /// The private key. `Debug` does not show it.
    pub private_key: String,
    /// Whether the user is a sub-account: one that has to name a project in every request that is
    /// about one. A user is none if nothing else is said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sub_account: bool,
    /// The ids of the projects that a sub-account may use; all, if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<String>,
    /// The token that every request with this key has to carry as `SecurityToken`, which makes the
    /// key a temporary one. `Debug` does not show it. A key without one takes no notice of a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_token: Option<String>,
    /// When the token expires, in Unix seconds of the server's clock; never, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
}

impl Key {
    /// The key pair of an account.
    #[must_use]
    pub fn new(public: impl Into<String>, private: impl Into<String>) -> Self {
        Self {
            public_key: public.into(),
            private_key: private.into(),
            sub_account: false,
            projects: Vec::new(),
            security_token: None,
            expires: None,
        }
    }

    /// Makes the user a sub-account.
    #[must_use]
    pub fn sub_account(mut self) -> Self {
        self.sub_account = true;
        self
    }

    /// Adds a project that the sub-account may use: with one named, it may use no others.
    #[must_use]
    pub fn project(mut self, id: impl Into<String>) -> Self {
        self.projects.push(id.into());
        self
    }

    /// Makes the key a temporary one, with this token.
    #[must_use]
    pub fn security_token(mut self, token: impl Into<String>) -> Self {
        self.security_token = Some(token.into());
        self
    }

    /// Sets when the token expires, in Unix seconds of the server's clock.
    #[must_use]
    pub fn expires(mut self, unix_seconds: i64) -> Self {
        self.expires = Some(unix_seconds);
        self
    }

    /// Whether its user may use the project of this id.
    pub(super) fn may_use(&self, project_id: &str) -> bool {
        self.projects.is_empty() || self.projects.iter().any(|id| id == project_id)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("public_key", &self.public_key)
            .field("sub_account", &self.sub_account)
            .field("projects", &self.projects)
            .field("has_token", &self.security_token.is_some())
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// A project of a [`LocalUhub`](super::LocalUhub) and the repositories in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Project {
    /// The id, `ProjectId` in requests.
    pub id: String,
    /// The name, `ProjectName` in answers.
    pub name: String,
    /// The repositories, in the order they are listed.
    #[serde(default)]
    pub repositories: Vec<Repository>,
}

impl Project {
    /// An empty project.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            repositories: Vec::new(),
        }
    }

    /// Adds a repository.
    #[must_use]
    pub fn repository(mut self, repository: Repository) -> Self {
        self.repositories.push(repository);
        self
    }
}

//! What a server holds, as data: keys, projects and what is in them.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::generate::Generate;
use super::metadata::Role;
use super::repository::{Image, Repository};
use super::store::Store;

/// The version of the form that data has in a file.
const VERSION: u32 = 1;

const DEFAULT_PUBLIC_KEY: &str = "local-public-key";
const DEFAULT_PRIVATE_KEY: &str = "local-private-key";
const DEFAULT_PROJECT: &str = "org-local";

/// All that a [`LocalUhub`](super::LocalUhub) holds, as it starts with it and as it is saved.
///
/// As JSON, in a file, it looks as follows. Only `version` has to be there, and the names of
/// things; everything else has the default that its field here has. What is not known is an error.
///
/// ```json
/// {
///   "version": 1,
///   "keys": [
///     {"public_key": "local-public-key", "private_key": "local-private-key"},
///     {"public_key": "sub", "private_key": "s", "sub_account": true, "projects": ["org-a"]},
///     {"public_key": "temp", "private_key": "t", "security_token": "token", "expires": 1900000000}
///   ],
///   "projects": [
///     {
///       "id": "org-a",
///       "name": "Team A",
///       "repositories": [
///         {
///           "name": "base",
///           "description": "Our base images",
///           "is_shared": true,
///           "is_outside": false,
///           "create_time": "1700000000",
///           "update_time": "1700000000",
///           "images": [
///             {
///               "name": "nginx",
///               "tags": [
///                 {"name": "1.26", "digest": "sha256:…", "update_time": "1700000000"},
///                 {"name": "1.27"}
///               ],
///               "pull_count": 7,
///               "create_time": "1700000000",
///               "update_time": "1700000000"
///             }
///           ]
///         }
///       ]
///     }
///   ],
///   "role": {"name": "backup", "seconds": 3600},
///   "generate": {"seed": 1, "repositories": 3, "images": 100, "tags": 20}
/// }
/// ```
///
/// Private keys and tokens are in it as they are; `Debug` does not show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Data {
    version: u32,
    /// The users. Without any there is one, with the pair `local-public-key` and
    /// `local-private-key`.
    #[serde(default)]
    pub keys: Vec<Key>,
    /// The projects. The first is the default one; without any there is one, `org-local`.
    #[serde(default)]
    pub projects: Vec<Project>,
    /// The role of the machine, whose temporary keys the
    /// [metadata service](super::LocalUhub::metadata_url) hands out. Without one there is no such
    /// service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// What is generated into the default project, after what is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generate: Option<Generate>,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            version: VERSION,
            keys: Vec::new(),
            projects: Vec::new(),
            role: None,
            generate: None,
        }
    }
}

impl Data {
    /// A ready set to try things on: two projects, a key for both and a sub-account's for one,
    /// repositories with images and their tags, and one that is empty. It is always the same.
    #[must_use]
    pub fn demo() -> Self {
        super::generate::demo()
    }

    /// Reads data from a file of JSON.
    ///
    /// # Errors
    ///
    /// - `InvalidData`: it is no JSON of this form; the message names the file, the line and the
    ///   column. Or what it says makes no sense, such as a name given twice: then all that is
    ///   wrong is said.
    /// - Any other: the file cannot be read; the message names it.
    pub fn read(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let named = |kind, message: &dyn fmt::Display| {
            io::Error::new(kind, format!("{}{message}", path.display()))
        };
        let text = fs::read(path).map_err(|error| named(error.kind(), &format!(": {error}")))?;
        let data = Self::from_json(&text).map_err(|error| {
            let message = error.to_string();
            let place = format!(" at line {} column {}", error.line(), error.column());
            let message = without_value(message.strip_suffix(&place).unwrap_or(&message));
            let message = format!(":{}:{}: {message}", error.line(), error.column());
            named(io::ErrorKind::InvalidData, &message)
        })?;
        let problems = data.problems();
        if problems.is_empty() {
            Ok(data)
        } else {
            let message = format!(": {}", problems.join("; "));
            Err(named(io::ErrorKind::InvalidData, &message))
        }
    }

    pub(super) fn from_json(text: &[u8]) -> serde_json::Result<Self> {
        /// Of another version, nothing else need be as it is here.
        #[derive(Deserialize)]
        struct Versioned {
            #[serde(rename = "version", deserialize_with = "known_version")]
            _version: u32,
        }
        serde_json::from_slice::<Versioned>(text)?;
        serde_json::from_slice(text)
    }

    /// A store that holds this, with what is missing or to be generated added; or all that is wrong.
    pub(super) fn into_store(mut self) -> Result<Store, Vec<String>> {
        self.complete();
        let problems = self.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        if let Some(generate) = self.generate {
            self.projects[0]
                .repositories
                .extend(generate.repositories_of());
            // What was generated may be named as what was there.
            let problems = self.problems();
            if !problems.is_empty() {
                return Err(problems);
            }
        }
        let repositories = self
            .projects
            .iter_mut()
            .flat_map(|each| &mut each.repositories);
        let images = repositories.flat_map(|each| &mut each.images);
        images.for_each(Image::settle);
        Ok(Store {
            keys: self.keys,
            projects: self.projects,
            role: self.role,
            ..Store::default()
        })
    }

    /// Adds the key and the project that there are where nothing is said.
    pub(super) fn complete(&mut self) {
        if self.keys.is_empty() {
            self.keys
                .push(Key::new(DEFAULT_PUBLIC_KEY, DEFAULT_PRIVATE_KEY));
        }
        if self.projects.is_empty() {
            self.projects
                .push(Project::new(DEFAULT_PROJECT, DEFAULT_PROJECT));
        }
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut names = Names(&mut problems);
        names.check(
            "public key",
            "",
            self.keys.iter().map(|key| &key.public_key),
        );
        names.check(
            "project",
            "",
            self.projects.iter().map(|project| &project.id),
        );
        names.check("role", "", self.role.iter().map(|role| &role.name));
        for project in &self.projects {
            let place = format!(" in the project {:?}", project.id);
            let repositories = &project.repositories;
            names.check(
                "repository",
                &place,
                repositories.iter().map(|each| &each.name),
            );
            for repository in repositories {
                let place = format!(" in the repository {:?}", repository.name);
                names.check(
                    "image",
                    &place,
                    repository.images.iter().map(|each| &each.name),
                );
                for image in &repository.images {
                    // It may be one of the tags and so named again, but not empty.
                    let place = || format!(" of the image {:?}{place}", image.name);
                    names.check_lazily("tag", &place, &image.latest_tag);
                    names.check_lazily("tag", &place, image.tags.iter().map(|tag| &tag.name));
                }
            }
        }
        let is_project = |id: &String| match &self.projects[..] {
            [] => id == DEFAULT_PROJECT,
            projects => projects.iter().any(|project| project.id == *id),
        };
        for key in &self.keys {
            let owner = format!("the key {:?}", key.public_key);
            for id in key.projects.iter().filter(|id| !is_project(id)) {
                problems.push(format!(
                    "{owner} may use the project {id:?}, which there is not"
                ));
            }
            if !key.projects.is_empty() && !key.sub_account {
                problems.push(format!("{owner} names projects, and is no sub-account"));
            }
            if key.expires.is_some() && key.security_token.is_none() {
                problems.push(format!("{owner} expires, and has no security token"));
            }
        }
        problems.extend(self.generate.as_ref().and_then(Generate::problem));
        problems
    }
}

/// What is wrong with JSON, without the value that was found: it may be a key. What was expected says
/// enough.
pub(super) fn without_value(message: &str) -> String {
    let is_about_value = ["invalid type: ", "invalid value: "]
        .iter()
        .any(|start| message.starts_with(start));
    match (message.find(['"', '`']), message.rfind(", expected ")) {
        (Some(value), Some(expected)) if is_about_value && value < expected => {
            format!("{}{}", message[..value].trim_end(), &message[expected..])
        }
        _ => message.to_owned(),
    }
}

fn known_version<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let version = u32::deserialize(from)?;
    if version == VERSION {
        return Ok(version);
    }
    Err(serde::de::Error::custom(format_args!(
        "version {version} is not known here: this crate reads version {VERSION}"
    )))
}

/// Checks that what stands in one list has names, and each another.
struct Names<'a>(&'a mut Vec<String>);

impl Names<'_> {
    fn check<'a>(&mut self, what: &str, place: &str, names: impl IntoIterator<Item = &'a String>) {
        self.check_lazily(what, &|| place.to_owned(), names);
    }

    /// The same, of what there may be very much of: the place is made where something is wrong.
    fn check_lazily<'a>(
        &mut self,
        what: &str,
        place: &dyn Fn() -> String,
        names: impl IntoIterator<Item = &'a String>,
    ) {
        let mut seen = HashSet::new();
        for name in names {
            if name.is_empty() {
                self.0
                    .push(format!("a {what}{} has an empty name", place()));
            } else if !seen.insert(name) {
                self.0
                    .push(format!("the {what} {name:?}{} is given twice", place()));
            }
        }
    }
}

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

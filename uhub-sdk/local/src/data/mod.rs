//! What a server holds, as data: users, projects and their contents.

pub(crate) mod generate;
pub(crate) mod repository;
pub(crate) mod store;

use std::io::{self, Read};
use std::{collections::HashSet, fmt, fs, path::Path, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::data::{generate::Generate, repository::Repository};

/// The limit on a file, in bytes.
const MAX_FILE: u64 = 256 * 1024 * 1024;

/// The number of problems that are reported.
const MAX_PROBLEMS: usize = 20;

/// The version of the file format.
const VERSION: u32 = 1;

const DEFAULT_PUBLIC_KEY: &str = "local-public-key";
const DEFAULT_PRIVATE_KEY: &str = "local-private-key";
const DEFAULT_PROJECT: &str = "org-local";

/// Everything that a [`LocalUhub`](crate::LocalUhub) holds.
///
/// The JSON form is that of files and of [`/_local/data`](crate#over-http). Only `version`, names
/// and keys are required; every other field has the default documented here. Unknown fields are
/// errors.
///
/// ```json
#[doc = include_str!("example.json")]
/// ```
///
/// The JSON contains private keys and security tokens; `Debug` hides them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Data {
    #[serde(deserialize_with = "supported_version")]
    version: u32,
    /// The users. Defaults to one with the keys `local-public-key` and `local-private-key`.
    #[serde(default)]
    pub users: Vec<User>,
    /// The projects. The first is the default project. Defaults to one, `org-local`.
    #[serde(default)]
    pub projects: Vec<Project>,
    /// The role whose temporary credentials the [metadata service](crate::LocalUhub::metadata_url)
    /// issues. `None`, the default, disables that service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Repositories to generate into the default project, after the existing ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generate: Option<Generate>,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            version: VERSION,
            users: Vec::new(),
            projects: Vec::new(),
            role: None,
            generate: None,
        }
    }
}

impl Data {
    /// Creates a small set to try things out: two projects, an account for both, a sub-account for
    /// one, and repositories with images and tags, one of them empty. It is always the same.
    #[must_use]
    pub fn demo() -> Self {
        serde_json::from_str(include_str!("demo.json"))
            .unwrap_or_else(|_| unreachable!("a test reads the demo"))
    }

    /// Reads data from a JSON file.
    ///
    /// # Errors
    ///
    /// - `InvalidData`: the file is not JSON of this form, with its path, line and column; or the
    ///   data is inconsistent, such as a duplicate name, with every problem found.
    /// - Any other: the file cannot be read. The message has its path.
    pub fn read(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let error = |kind, message: &dyn fmt::Display| {
            io::Error::new(kind, format!("{}{message}", path.display()))
        };
        let mut text = Vec::new();
        fs::File::open(path)
            .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut text))
            .map_err(|cause| error(cause.kind(), &format!(": {cause}")))?;
        if text.len() as u64 > MAX_FILE {
            let message = format!(": the file is larger than {} MiB", MAX_FILE / 1024 / 1024);
            return Err(error(io::ErrorKind::InvalidData, &message));
        }
        let data: Self = serde_json::from_slice(&text).map_err(|cause| {
            let (line, column) = (cause.line(), cause.column());
            let message = cause.to_string();
            let position = format!(" at line {line} column {column}");
            let message = without_value(message.strip_suffix(&position).unwrap_or(&message));
            error(io::ErrorKind::InvalidData, &format!(":{line}:{column}: {message}"))
        })?;
        let problems = data.problems();
        if problems.is_empty() {
            Ok(data)
        } else {
            Err(error(io::ErrorKind::InvalidData, &format!(": {}", problems.join("; "))))
        }
    }

    /// Adds the default user and project if there are none.
    pub(crate) fn complete(&mut self) {
        if self.users.is_empty() {
            self.users.push(User::new(DEFAULT_PUBLIC_KEY, DEFAULT_PRIVATE_KEY));
        }
        if self.projects.is_empty() {
            self.projects.push(Project::new(DEFAULT_PROJECT, DEFAULT_PROJECT));
        }
    }

    /// The first inconsistencies, and how many more there are.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = self.all_problems();
        let count = problems.len();
        if count > MAX_PROBLEMS {
            problems.truncate(MAX_PROBLEMS);
            problems.push(format!("{} more problems", count - MAX_PROBLEMS));
        }
        problems
    }

    fn all_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check =
            |kind: &str, names: &mut dyn Iterator<Item = &String>, place: &dyn Fn() -> String| {
                let mut unique = HashSet::new();
                for name in names {
                    if name.is_empty() {
                        problems.push(format!("empty {kind} name{}", place()));
                    } else if !unique.insert(name) {
                        problems.push(format!("duplicate {kind} {}{}", quoted(name), place()));
                    }
                }
            };
        check("public key", &mut self.users.iter().map(|user| &user.public_key), &String::new);
        check("project", &mut self.projects.iter().map(|project| &project.id), &String::new);
        check("role", &mut self.role.iter().map(|role| &role.name), &String::new);
        for Project { id, repositories, .. } in &self.projects {
            let in_project = || format!(" in project {id:?}");
            check("repository", &mut repositories.iter().map(|each| &each.name), &in_project);
            for Repository { name, images, .. } in repositories {
                let in_repository = || format!(" in repository {name:?}{}", in_project());
                check("image", &mut images.iter().map(|image| &image.name), &in_repository);
                for image in images {
                    let in_image = || format!(" in image {:?}{}", image.name, in_repository());
                    // The latest tag may be among the tags.
                    check("tag", &mut image.latest_tag.iter(), &in_image);
                    check("tag", &mut image.tags.iter().map(|tag| &tag.name), &in_image);
                }
            }
        }
        let exists = |id: &String| match &self.projects[..] {
            [] => id == DEFAULT_PROJECT,
            projects => projects.iter().any(|project| project.id == *id),
        };
        for user in &self.users {
            let name = format!("the user {:?}", user.public_key);
            for id in user.projects.iter().filter(|id| !exists(id)) {
                problems.push(format!("{name} may use the project {id:?}, which does not exist"));
            }
            if !user.projects.is_empty() && !user.sub_account {
                problems.push(format!("{name} has projects, but is not a sub-account"));
            }
            if user.expires.is_some() && user.security_token.is_none() {
                problems.push(format!("{name} expires, but has no security token"));
            }
        }
        problems.extend(self.generate.as_ref().and_then(Generate::problem));
        problems
    }
}

/// A name in quotes, shortened.
fn quoted(name: &str) -> String {
    const MAX_CHARS: usize = 60;
    match name.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{:?}…", &name[..end]),
        None => format!("{name:?}"),
    }
}

/// Removes the value from a JSON error's message: it may be a key. The expected type is enough.
pub(crate) fn without_value(message: &str) -> String {
    let is_about_value =
        ["invalid type: ", "invalid value: "].iter().any(|start| message.starts_with(start));
    match (message.find(['"', '`']), message.rfind(", expected ")) {
        (Some(value), Some(expected)) if is_about_value && value < expected => {
            format!("{}{}", message[..value].trim_end(), &message[expected..])
        }
        _ => message.to_owned(),
    }
}

fn supported_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        VERSION => Ok(VERSION),
        version => Err(D::Error::custom(format_args!(
            "version {version} is not supported: this crate reads version {VERSION}"
        ))),
    }
}

/// A user of a [`LocalUhub`](crate::LocalUhub), identified by a key pair.
///
/// ```
/// use uhub_local::User;
///
/// let account = User::new("public", "private");
/// let sub_account = User::new("sub", "secret").sub_account().project("org-a");
/// let mut temporary = User::new("temp", "secret").security_token("token");
/// temporary.expires = Some(1_900_000_000);
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct User {
    /// The public key.
    pub public_key: String,
    /// The private key. `Debug` hides it.
    pub private_key: String,
    /// Whether the user is a sub-account, which must send a `ProjectId` with every request about a
    /// project. Defaults to `false`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sub_account: bool,
    /// The ids of the projects that a sub-account may use. Empty, the default, means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<String>,
    /// The `SecurityToken` that every request must carry, which makes the credentials temporary.
    /// `Debug` hides it. A user without one may send any token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_token: Option<String>,
    /// When the token expires, in Unix seconds of the server's clock. Defaults to never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
}

impl User {
    /// Creates an account with this key pair.
    #[must_use]
    pub fn new(public_key: impl Into<String>, private_key: impl Into<String>) -> Self {
        Self {
            public_key: public_key.into(),
            private_key: private_key.into(),
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

    /// Adds a project that the sub-account may use. It then may use no others.
    #[must_use]
    pub fn project(mut self, id: impl Into<String>) -> Self {
        self.projects.push(id.into());
        self
    }

    /// Sets the security token, which makes the credentials temporary.
    #[must_use]
    pub fn security_token(mut self, token: impl Into<String>) -> Self {
        self.security_token = Some(token.into());
        self
    }

    pub(crate) fn may_use(&self, project_id: &str) -> bool {
        self.projects.is_empty() || self.projects.iter().any(|id| id == project_id)
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("public_key", &self.public_key)
            .field("sub_account", &self.sub_account)
            .field("projects", &self.projects)
            .field("has_security_token", &self.security_token.is_some())
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// A project of a [`LocalUhub`](crate::LocalUhub) and its repositories.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Project {
    /// The id, `ProjectId` in requests.
    pub id: String,
    /// The name, `ProjectName` in responses.
    pub name: String,
    /// The repositories, in the order of lists.
    #[serde(default)]
    pub repositories: Vec<Repository>,
}

impl Project {
    /// Creates an empty project.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), repositories: Vec::new() }
    }

    /// Adds a repository.
    #[must_use]
    pub fn repository(mut self, repository: Repository) -> Self {
        self.repositories.push(repository);
        self
    }

    /// The index of the repository with this name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.repositories.iter().position(|repository| repository.name == name)
    }
}

/// An empty project with this id and name.
impl From<&str> for Project {
    fn from(id: &str) -> Self {
        Self::new(id, id)
    }
}

/// A role whose temporary credentials the [metadata service](crate::LocalUhub::metadata_url)
/// issues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Role {
    /// The name.
    pub name: String,
    /// How long credentials are valid, in whole seconds. `seconds` in JSON.
    #[serde(rename = "seconds", with = "crate::seconds")]
    pub lifetime: Duration,
}

impl Role {
    /// Creates a role whose credentials are valid for `lifetime`.
    #[must_use]
    pub fn new(name: impl Into<String>, lifetime: Duration) -> Self {
        Self { name: name.into(), lifetime }
    }
}

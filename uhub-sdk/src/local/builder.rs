//! What a server starts with.

use std::collections::HashSet;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::LocalUhub;
use super::repository::Repository;
use super::server::{self, Limits, Shared};
use super::store::{KeyPair, Project, Store};

const DEFAULT_PUBLIC_KEY: &str = "local-public-key";
const DEFAULT_PRIVATE_KEY: &str = "local-private-key";
const DEFAULT_PROJECT: &str = "org-local";

/// Sets up a [`LocalUhub`]: [`LocalUhub::builder`] makes one.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct LocalUhubBuilder {
    keys: Vec<KeyPair>,
    projects: Vec<Project>,
    /// With the project each belongs to, where that is not the default one.
    repositories: Vec<(Option<String>, Repository)>,
    latency: Duration,
    pub(super) limits: Limits,
}

impl LocalUhubBuilder {
    /// Adds a user, known by this key pair. Without any there is one, with the pair
    /// `local-public-key` and `local-private-key`.
    pub fn key(mut self, public: impl Into<String>, private: impl Into<String>) -> Self {
        self.keys.push(KeyPair {
            public: public.into(),
            private: private.into(),
        });
        self
    }

    /// Adds a project, open to every user, whose name is its id. The first is the default one;
    /// without any there is one, `org-local`.
    pub fn project(self, id: impl Into<String>) -> Self {
        let id = id.into();
        self.project_named(id.clone(), id)
    }

    /// Adds a project as [`project`](Self::project) does, with a name of its own.
    pub fn project_named(mut self, id: impl Into<String>, name: impl Into<String>) -> Self {
        self.projects.push(Project::new(id.into(), name.into()));
        self
    }

    /// Adds a repository to the default project.
    pub fn repository(mut self, repository: Repository) -> Self {
        self.repositories.push((None, repository));
        self
    }

    /// Adds a repository to the project of this id, which [`project`](Self::project) adds, before
    /// or after.
    pub fn repository_in(mut self, project_id: impl Into<String>, repository: Repository) -> Self {
        self.repositories
            .push((Some(project_id.into()), repository));
        self
    }

    /// Gives every answer this much later, a [`Fault`](super::Fault)'s too. What a request asks for
    /// is done before the wait: a client that gives up waiting has not undone it.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Starts the server on a free port of 127.0.0.1, as a task of the Tokio runtime this is called
    /// on, which must have I/O and time enabled. The server runs for as long as that runtime does.
    ///
    /// # Errors
    ///
    /// - `InvalidInput`: a name is empty or given twice: a key or a project, a repository in its
    ///   project, an image in its repository, a tag in its image. Or there is a repository in a
    ///   project that there is not.
    /// - Any other: no port could be bound, or there is no Tokio runtime.
    pub async fn start(mut self) -> io::Result<LocalUhub> {
        if self.keys.is_empty() {
            self = self.key(DEFAULT_PUBLIC_KEY, DEFAULT_PRIVATE_KEY);
        }
        if self.projects.is_empty() {
            self = self.project(DEFAULT_PROJECT);
        }
        let mut store = Store {
            keys: self.keys,
            projects: self.projects,
        };
        check_names("public key", store.keys.iter().map(|key| &key.public))?;
        check_names("project", store.projects.iter().map(|project| &project.id))?;
        for (project_id, repository) in self.repositories {
            check_images(&repository)?;
            let project = store.project_mut(project_id.as_deref());
            let project = project.ok_or_else(|| {
                invalid(format!(
                    "a repository of the local UHub is in a project that there is not: {project_id:?}"
                ))
            })?;
            project.add(repository);
        }
        for project in &store.projects {
            let repositories = &project.repositories;
            check_names("repository", repositories.iter().map(|each| &each.name))?;
        }

        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base_url = format!("http://{}/", listener.local_addr()?);

        let key = store.keys[0].clone();
        let project_id = store.projects[0].id.clone();
        let shared = Arc::new(Shared::new(store, self.latency, self.limits));
        let (stop, stopping) = watch::channel(false);
        let task = runtime.spawn(server::run(listener, Arc::clone(&shared), stopping));
        Ok(LocalUhub {
            base_url,
            key,
            project_id,
            shared,
            stop,
            task,
        })
    }
}

fn check_images(repository: &Repository) -> io::Result<()> {
    check_names("image", repository.images.iter().map(|image| &image.name))?;
    for image in &repository.images {
        // It may be one of the tags and so named again, but not empty.
        check_names("tag", &image.latest_tag)?;
        check_names("tag", image.tags.iter().map(|tag| &tag.name))?;
    }
    Ok(())
}

fn check_names<'a>(what: &str, names: impl IntoIterator<Item = &'a String>) -> io::Result<()> {
    let mut seen = HashSet::new();
    for name in names {
        let fault = if name.is_empty() {
            "is empty"
        } else if !seen.insert(name) {
            "is given twice"
        } else {
            continue;
        };
        return Err(invalid(format!(
            "a {what} of the local UHub {fault}: {name:?}"
        )));
    }
    Ok(())
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

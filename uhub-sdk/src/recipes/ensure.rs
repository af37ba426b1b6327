//! Creating a repository unless it exists.

use crate::{
    actions::create_repo::CreateRepoRequest,
    actions::enums::Visibility,
    actions::get_repo::Repo,
    client::Client,
    error::{Error, Execution},
    recipes::lookup::find_repo,
};

/// The result of [`ensure_repo`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EnsuredRepo {
    /// Whether the repository existed or was created.
    pub outcome: Outcome,
    /// The repository as the service lists it. `None` if this call created it and the response
    /// could be read: it is not listed again.
    pub repo: Option<Repo>,
    /// The visibility of the list that contains the repository. `None` if `repo` is `None`, as
    /// usual after [`Outcome::Created`].
    pub visibility: Option<Visibility>,
}

/// How [`ensure_repo`] found a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The repository existed and was not changed.
    Existed,
    /// This call created the repository.
    Created,
    /// The repository did not exist at first. Its creation was refused or had an unknown outcome,
    /// and now it exists. Either this call or a concurrent one created it.
    CreatedConcurrently,
}

/// Creates a repository unless it exists.
///
/// Looks for the repository in the private and the public list of the request's project, or of the
/// client's project if the request has none, and calls `CreateRepo` if it is in neither. If the
/// creation is refused or its outcome is unknown, the lists are read again. Unlike `CreateRepo`,
/// this function can be called again after any error.
///
/// An existing repository keeps its visibility and description, whatever the request says. Check
/// [`EnsuredRepo::visibility`] before you push anything confidential, and change it by
/// [`UpdateRepo`](crate::actions::update_repo).
///
/// The service has no locks: another client can create the repository between the two calls,
/// perhaps with a different visibility ([`Outcome::CreatedConcurrently`]), or delete it right after
/// this function returns.
///
/// # Errors
///
/// - If the lists cannot be read at first: that error. Nothing was created.
/// - If the creation fails and the repository is not found afterwards: the error of the creation,
///   even if the lists cannot be read again. With [`Execution::Unknown`] the repository may still
///   appear.
///
/// # Examples
///
/// ```
/// use uhub_sdk::{
///     ClientBuilder, Visibility,
///     actions::create_repo::CreateRepoRequest,
///     local::LocalUhub,
///     recipes::{Outcome, ensure_repo},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = LocalUhub::start().await?;
/// let client = ClientBuilder::for_local(&server).build()?;
///
/// let request = CreateRepoRequest::new("base").visibility(Visibility::Public);
/// let first = ensure_repo(&client, request.clone()).await?;
/// assert_eq!(first.outcome, Outcome::Created);
///
/// let second = ensure_repo(&client, request).await?;
/// assert_eq!(second.outcome, Outcome::Existed);
/// assert_eq!(second.visibility, Some(Visibility::Public));
/// # Ok(())
/// # }
/// ```
#[inline]
pub async fn ensure_repo(
    client: &Client,
    request: CreateRepoRequest,
) -> Result<EnsuredRepo, Error> {
    if let Some(existing) = find(client, &request, Outcome::Existed).await? {
        return Ok(existing);
    }
    let Err(error) = client.send(request.clone()).await else {
        return Ok(EnsuredRepo { outcome: Outcome::Created, repo: None, visibility: None });
    };
    let outcome = match error.execution() {
        Execution::NotSent => return Err(error),
        // The call succeeded; the rest of the response could not be read.
        Execution::Completed => Outcome::Created,
        Execution::Rejected | Execution::Failed | Execution::Unknown => {
            Outcome::CreatedConcurrently
        }
    };
    match find(client, &request, outcome).await {
        Ok(Some(created)) => Ok(created),
        // The error of the creation is more useful than one of the second look.
        Ok(None) | Err(_) => Err(error),
    }
}

#[inline]
async fn find(
    client: &Client,
    wanted: &CreateRepoRequest,
    outcome: Outcome,
) -> Result<Option<EnsuredRepo>, Error> {
    let found = find_repo(client, wanted.project_id.as_ref(), &wanted.repo_name).await?;
    Ok(found.map(|(repo, visibility)| EnsuredRepo {
        outcome,
        repo: Some(repo),
        visibility: Some(visibility),
    }))
}

//! A repository that has to be there.

use crate::{
    actions::create_repo::CreateRepoRequest,
    actions::get_repo::{GetRepoRequest, GetRepoType, RepoSet},
    client::Client,
    error::{Error, Execution},
};

/// A repository that is there; [`ensure_repo`] returns it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EnsuredRepo {
    /// How it came to be there.
    pub outcome: Outcome,
    /// The repository as the service lists it. `None` where it was created and there was no need to
    /// look again.
    pub repo: Option<RepoSet>,
    /// Whether it stands among the public repositories; `None` where `repo` is.
    pub is_public: Option<bool>,
}

/// How a repository came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It was there before, and was left as it is.
    Existed,
    /// This call created it.
    Created,
    /// It was not there at first, its creation was refused or had an unknown outcome, and then it
    /// was there: by this call, or by someone else at the same time.
    CreatedConcurrently,
}

/// Makes sure that a repository is there: looks for it, and creates it if it is not.
///
/// It looks among the private and the public repositories of the request's project, which is the
/// client's own where the request names none. If the creation fails without a clear answer, or is
/// refused, it looks once more: someone else may have been faster, or the call may have succeeded
/// although its answer was lost. So it may be called again after any error, which `CreateRepo` may not.
///
/// # What it does not do
///
/// An existing repository keeps its visibility and its description, whatever the request says of
/// them: look at [`EnsuredRepo::is_public`] before you push what is not for everyone, and change it by
/// [`UpdateRepo`](crate::actions::update_repo).
///
/// The service has no lock. Between looking and creating, someone else may create the repository,
/// perhaps with another visibility: that is [`Outcome::CreatedConcurrently`]. And whoever deletes it a
/// moment later leaves nothing behind, whatever was returned here.
///
/// # Errors
///
/// If the lists cannot be read, the error of the first look. If the repository cannot be created and is
/// not seen after_execution, the error of its creation, even where the second look failed too: with
/// [`Execution::Unknown`] it may yet appear.
///
/// # Examples
///
/// ```
/// use uhub_sdk::{
///     actions::create_repo::CreateRepoRequest,
///     local::LocalUhub,
///     recipes::{Outcome, ensure_repo},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let uhub = LocalUhub::start().await?;
/// let client = uhub.client().build()?;
///
/// let request = CreateRepoRequest::new("base").is_shared(true);
/// let first = ensure_repo(&client, request.clone()).await?;
/// assert_eq!(first.outcome, Outcome::Created);
///
/// let second = ensure_repo(&client, request).await?;
/// assert_eq!(second.outcome, Outcome::Existed);
/// assert_eq!(second.is_public, Some(true));
/// # Ok(())
/// # }
/// ```
#[inline]
pub async fn ensure_repo(
    client: &Client,
    request: CreateRepoRequest,
) -> Result<EnsuredRepo, Error> {
    if let Some(found) = look(client, &request, Outcome::Existed).await? {
        return Ok(found);
    }
    let Err(error) = client.send(request.clone()).await else {
        return Ok(EnsuredRepo {
            outcome: Outcome::Created,
            repo: None,
            is_public: None,
        });
    };
    let outcome = match error.execution() {
        Execution::NotSent => return Err(error),
        // The service said yes; what it said besides could not be read.
        Execution::Completed => Outcome::Created,
        Execution::Rejected | Execution::Unknown => Outcome::CreatedConcurrently,
    };
    match look(client, &request, outcome).await {
        Ok(Some(found)) => Ok(found),
        // Why the creation failed says more than why nobody could look.
        Ok(None) | Err(_) => Err(error),
    }
}

/// The repository, if it is repo now.
#[inline]
async fn look(
    client: &Client,
    wanted: &CreateRepoRequest,
    outcome: Outcome,
) -> Result<Option<EnsuredRepo>, Error> {
    for (visibility, is_public) in [(GetRepoType::Private, false), (GetRepoType::Public, true)] {
        let mut request = GetRepoRequest::new(visibility);
        request.project_id.clone_from(&wanted.project_id);
        let mut repo = client.call(request).items();
        while let Some(repository) = repo.next().await {
            let repository = repository?;
            if repository.repo_name == wanted.repo_name {
                return Ok(Some(EnsuredRepo {
                    outcome,
                    repo: Some(repository),
                    is_public: Some(is_public),
                }));
            }
        }
    }
    Ok(None)
}

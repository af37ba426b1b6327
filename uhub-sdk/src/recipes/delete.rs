//! Deleting what may be gone already.

use crate::{
    actions::{
        delete_repo::DeleteRepoRequest, delete_repo_image::DeleteRepoImageRequest,
        get_image_tag::GetImageTagRequest,
    },
    client::Client,
    error::{Error, Execution},
    recipes::lookup::{find_repo, find_tag},
};

/// Deletes a repository unless it is gone already. Returns whether this call deleted it, as far as
/// it can be known: after an unknown outcome, another client may have.
///
/// Unlike `DeleteRepo`, this function can be called again after any error: if the service rejects
/// the deletion or its outcome is unknown, the repositories are listed, and a repository that is not
/// there is a success. It must be empty, as with `DeleteRepo`.
///
/// # Errors
///
/// The error of the deletion, if the repository is still there or the lists cannot be read.
///
/// # Examples
///
/// ```
/// use uhub_sdk::{
///     ClientBuilder,
///     actions::delete_repo::DeleteRepoRequest,
///     local::{LocalUhub, Repository},
///     recipes::ensure_repo_deleted,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = LocalUhub::builder().repository(Repository::new("old")).start().await?;
/// let client = ClientBuilder::for_local(&server).build()?;
///
/// let request = DeleteRepoRequest::new("old");
/// assert!(ensure_repo_deleted(&client, request.clone()).await?);
/// assert!(!ensure_repo_deleted(&client, request).await?);
/// # Ok(())
/// # }
/// ```
#[inline]
pub async fn ensure_repo_deleted(
    client: &Client,
    request: DeleteRepoRequest,
) -> Result<bool, Error> {
    let Some(error) = failure(client.send(request.clone()).await)? else {
        return Ok(true);
    };
    match find_repo(client, request.project_id.as_ref(), &request.repo_name).await {
        Ok(None) => Ok(error.execution() == Execution::Unknown),
        Ok(Some(_)) | Err(_) => Err(error),
    }
}

/// Deletes a tag unless it is gone already. Returns whether this call deleted it, as far as it can
/// be known: after an unknown outcome, another client may have.
///
/// Unlike `DeleteRepoImage`, this function can be called again after any error: if the service
/// rejects the deletion or its outcome is unknown, the tag is looked up, and a tag or an image that
/// is not there is a success.
///
/// It deletes whatever the tag stands for: between two attempts, somebody may push it again. The
/// recipe `retention` looks at the tag before each attempt.
///
/// # Errors
///
/// The error of the deletion, if the tag is still there or cannot be looked up. A repository that
/// does not exist is an error.
///
/// # Examples
///
/// ```
/// use uhub_sdk::{
///     ClientBuilder,
///     actions::delete_repo_image::DeleteRepoImageRequest,
///     local::{Image, LocalUhub, Repository, Tag},
///     recipes::ensure_tag_deleted,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let nginx = Image::new("nginx").tags(["1.26", "1.27"].map(Tag::new));
/// let server =
///     LocalUhub::builder().repository(Repository::new("base").image(nginx)).start().await?;
/// let client = ClientBuilder::for_local(&server).build()?;
///
/// let request = DeleteRepoImageRequest::new("base", "nginx", "1.26");
/// assert!(ensure_tag_deleted(&client, request.clone()).await?);
/// assert!(!ensure_tag_deleted(&client, request).await?);
/// # Ok(())
/// # }
/// ```
#[inline]
pub async fn ensure_tag_deleted(
    client: &Client,
    request: DeleteRepoImageRequest,
) -> Result<bool, Error> {
    let Some(error) = failure(client.send(request.clone()).await)? else {
        return Ok(true);
    };
    let mut tags = GetImageTagRequest::new(&request.repo_name, &request.image_name);
    tags.project_id.clone_from(&request.project_id);
    match find_tag(client, tags, &request.tag_name).await {
        Ok(None) => Ok(error.execution() == Execution::Unknown),
        Ok(Some(_)) | Err(_) => Err(error),
    }
}

/// Returns the error of a deletion if it may have been executed, or was refused because there is
/// nothing to delete.
#[inline]
fn failure<T>(result: Result<T, Error>) -> Result<Option<Error>, Error> {
    match result {
        Ok(_) => Ok(None),
        Err(error) => match error.execution() {
            // Only the rest of the response could not be read.
            Execution::Completed => Ok(None),
            Execution::NotSent => Err(error),
            _ => Ok(Some(error)),
        },
    }
}

//! Complete lists, and whether a repository, an image or a tag exists.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;

use crate::{
    actions::{
        enums::Visibility,
        get_image_tag::{GetImageTagRequest, Tag},
        get_repo::{GetRepoRequest, Repo},
        get_repo_image::GetRepoImageRequest,
    },
    call::{
        Call,
        pages::{Items, Paged},
    },
    client::Client,
    error::{Error, ErrorKind},
    ret_code::RetCode,
};

/// The items of a list, and an error if it ends before its total.
pub(super) struct CompleteItems<R: Paged>(Option<Items<R>>);

impl<R: Paged> CompleteItems<R> {
    #[inline]
    pub(super) fn new(call: Call<R>) -> Self {
        Self(Some(call.items()))
    }

    #[inline]
    pub(super) async fn next(&mut self) -> Option<Result<R::Item, Error>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    #[inline]
    pub(super) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<R::Item, Error>>> {
        let Some(items) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let next = match ready!(Pin::new(&mut *items).poll_next(context)) {
            None => items.check_complete().err().map(Err),
            next => next,
        };
        if !matches!(next, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(next)
    }
}

/// Returns whether every other call would fail with this error, too.
#[inline]
pub(super) fn concerns_every_call(error: &Error) -> bool {
    let kinds = [ErrorKind::Configuration, ErrorKind::Credentials, ErrorKind::Connect];
    let is_one_project = error.ret_code() == Some(RetCode::PERMISSION_DENIED);
    kinds.contains(&error.kind()) || (error.is_auth() && !is_one_project)
}

/// Finds a repository of a project, or of the client's project, and its visibility.
#[inline]
pub(super) async fn find_repo(
    client: &Client,
    project_id: Option<&String>,
    name: &str,
) -> Result<Option<(Repo, Visibility)>, Error> {
    for visibility in [Visibility::Private, Visibility::Public] {
        let mut request = GetRepoRequest::new(visibility);
        request.project_id = project_id.cloned();
        let mut repos = CompleteItems::new(client.call(request));
        while let Some(repo) = repos.next().await {
            let repo = repo?;
            if repo.repo_name == name {
                return Ok(Some((repo, visibility)));
            }
        }
    }
    Ok(None)
}

/// Finds a tag by its name. `None` if the tag, or the image, does not exist.
#[inline]
pub(super) async fn find_tag(
    client: &Client,
    mut request: GetImageTagRequest,
    name: &str,
) -> Result<Option<Tag>, Error> {
    // A service that ignored the name would list all tags.
    request.tag_name = Some(name.to_owned());
    let tags = list_tags(client, request).await?;
    Ok(tags.into_iter().flatten().find(|tag| tag.tag_name == name))
}

/// Lists tags of an image. `None` if the image does not exist.
///
/// The service does not document its return code for an image that does not exist, so that the
/// images are listed, too, if it refuses to list the tags.
#[inline]
pub(super) async fn list_tags(
    client: &Client,
    request: GetImageTagRequest,
) -> Result<Option<Vec<Tag>>, Error> {
    let error = match client.call(request.clone()).items().try_collect().await {
        Ok(tags) => return Ok(Some(tags)),
        Err(error) if error.kind() == ErrorKind::Service => error,
        Err(error) => return Err(error),
    };
    let mut images = GetRepoImageRequest::new(&request.repo_name);
    images.project_id.clone_from(&request.project_id);
    // The error of the tags is more useful than one of this list.
    match client.call(images).items().try_collect().await {
        Ok(images) if images.iter().all(|image| image.image_name != request.image_name) => Ok(None),
        _ => Err(error),
    }
}

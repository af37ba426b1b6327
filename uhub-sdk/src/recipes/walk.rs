//! Everything an account has, in one stream.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    vec,
};

use futures_core::Stream;

use crate::{
    actions::get_image_tag::{GetImageTagRequest, TagSet},
    actions::get_project_list::{GetProjectListResponse, ProjectListInfo},
    actions::get_repo::{GetRepoRequest, GetRepoType, RepoSet},
    actions::get_repo_image::{GetRepoImageRequest, ImageSet},
    call::pages::Items,
    client::Client,
    error::Error,
};

/// Walks everything: each project, its repositories (the private ones, then the public ones), their
/// images and the images' tags.
///
/// Whatever holds something comes before what it holds, and each list in the order in which the service
/// has it; [`Walk::concurrency`] does not change that. What is empty comes as well: a repository without
/// images is a [`Entry::Repository`] that no [`Entry::Image`] follows.
///
/// An error ends the walk, after all that came before it. The service keeps no snapshot: what is
/// created, deleted or made public while the walk goes on may be missed, or met twice. Of what was
/// yielded, the walk keeps no more than the [`pages`](crate::Call::pages) that it reads do.
///
/// # Examples
///
/// ```
/// use uhub_sdk::{
///     local::{Image, LocalUhub, Repository, Tag},
///     recipes::{Entry, walk},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let image = Image::new("nginx").tags(["1.26", "1.27"].map(Tag::new));
/// let uhub = LocalUhub::builder()
///     .repository(Repository::new("base").image(image))
///     .repository(Repository::new("empty"))
///     .start()
///     .await?;
///
/// let mut seen = Vec::new();
/// let mut walk = walk(&uhub.client().build()?).concurrency(8);
/// while let Some(found) = walk.next().await {
///     seen.push(match found? {
///         Entry::Project(project) => project.project_id.clone(),
///         Entry::Repository(repository) => repository.repo.repo_name.clone(),
///         Entry::Image(image) => image.repo.image_name.clone(),
///         Entry::Tag(tag) => format!("{}:{}", tag.image.repo.image_name, tag.repo.tag_name),
///         _ => continue,
///     });
/// }
/// assert_eq!(seen, ["org-local", "base", "nginx", "nginx:1.26", "nginx:1.27", "empty"]);
/// # Ok(())
/// # }
/// ```
#[inline]
pub fn walk(client: &Client) -> Walk {
    Walk {
        concurrency: 4,
        outline: Outline {
            client: client.clone(),
            projects: Projects::All,
            lists: Vec::new().into_iter(),
            repositories: None,
            images: None,
        },
        is_outlined: false,
        window: VecDeque::new(),
    }
}

/// What a [`walk`] met.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Entry {
    /// A project; its repositories follow.
    Project(Arc<ProjectEntry>),
    /// A repository; its images follow.
    Repository(Arc<RepoEntry>),
    /// An image; its tags follow.
    Image(Arc<ImageEntry>),
    /// A tag.
    Tag(TagEntry),
}

/// A project that a [`walk`] met.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ProjectEntry {
    /// Id of the project.
    pub project_id: String,
    /// The project as the service lists it. `None` where the walk was told the project, by
    /// [`Walk::project_id`].
    pub repo: Option<ProjectListInfo>,
}

/// A repository that a [`walk`] met.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RepoEntry {
    /// The project that the repository belongs to.
    pub project: Arc<ProjectEntry>,
    /// Whether it stands among the public repositories.
    pub is_public: bool,
    /// The repository as the service lists it.
    pub repo: RepoSet,
}

/// An image that a [`walk`] met.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ImageEntry {
    /// The repository that holds the image.
    pub repository: Arc<RepoEntry>,
    /// The image as the service lists it.
    pub repo: ImageSet,
}

/// A tag that a [`walk`] met.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TagEntry {
    /// The image that the tag is of.
    pub image: Arc<ImageEntry>,
    /// The tag as the service lists it.
    pub repo: TagSet,
}

/// Everything an account has, a [`Stream`]; [`walk`] makes one.
///
/// Dropping it ends its calls. A page that was asked for comes in whether or not the walk is read
/// meanwhile, so a program may take its time over what it was given.
#[must_use = "a stream does nothing until it is read"]
pub struct Walk {
    concurrency: usize,
    outline: Outline,
    /// Whether the outline has ended.
    is_outlined: bool,
    /// What was found and is not yet yielded to its end, in order.
    window: VecDeque<Ahead>,
}

impl Walk {
    /// Walks this project alone, and does not ask which there are. To be said before the walk is read.
    #[inline]
    pub fn project_id(mut self, value: impl Into<String>) -> Self {
        let project = ProjectEntry {
            project_id: value.into(),
            repo: None,
        };
        self.outline.projects = Projects::Known(vec![project].into_iter());
        self
    }

    /// How many calls may be under way at a time. Default: 4; 0 means 1.
    ///
    /// Tags are what most calls are for: those of the next images are asked for while the tags of the
    /// image before them are read.
    #[inline]
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.max(1);
        self
    }

    /// The next thing met.
    #[inline]
    pub async fn next(&mut self) -> Option<Result<Entry, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Goes on with the calls under way, and makes as many as may be made.
    #[inline]
    fn look_ahead(&mut self, context: &mut Context<'_>) {
        for ahead in &mut self.window {
            ahead.prepare(context);
        }
        // Whatever stands in the window has one call under way at most. A free place is the outline's,
        // which has one too, until it has found what takes the place. So no call has to be counted.
        while !self.is_outlined && self.window.len() < self.concurrency {
            let Poll::Ready(found) = self.outline.poll_next(context) else {
                return;
            };
            let Some(found) = found else {
                self.is_outlined = true;
                return;
            };
            self.is_outlined = found.is_err();
            let tags = match &found {
                Ok(Entry::Image(image)) => Some(Tags {
                    image: Arc::clone(image),
                    items: self.outline.tags(image),
                    next: None,
                }),
                _ => None,
            };
            let mut ahead = Ahead {
                found: Some(found),
                tags,
            };
            ahead.prepare(context);
            self.window.push_back(ahead);
        }
    }
}

impl Stream for Walk {
    type Item = Result<Entry, Error>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            this.look_ahead(context);
            let Some(first) = this.window.front_mut() else {
                return if this.is_outlined {
                    Poll::Ready(None)
                } else {
                    Poll::Pending
                };
            };
            match ready!(first.poll_next(context)) {
                None => this.window.pop_front(),
                Some(Ok(found)) => return Poll::Ready(Some(Ok(found))),
                Some(Err(error)) => {
                    this.window.clear();
                    this.is_outlined = true;
                    return Poll::Ready(Some(Err(error)));
                }
            };
        }
    }
}

impl fmt::Debug for Walk {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk")
            .field("client", &self.outline.client)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

/// Something found ahead of what is yielded.
struct Ahead {
    /// Nothing once it is yielded.
    found: Option<Result<Entry, Error>>,
    /// Those of an image.
    tags: Option<Tags>,
}

/// The tags of an image, a page of them in memory.
struct Tags {
    image: Arc<ImageEntry>,
    items: Items<GetImageTagRequest>,
    /// What `items` has next, or that it has no more, where that was waited for already.
    next: Option<Option<Result<TagSet, Error>>>,
}

impl Ahead {
    /// Waits for the first tag before it is its turn.
    #[inline]
    fn prepare(&mut self, context: &mut Context<'_>) {
        if let Some(Tags { items, next, .. }) = &mut self.tags
            && next.is_none()
            && let Poll::Ready(tag) = Pin::new(items).poll_next(context)
        {
            *next = Some(tag);
        }
    }

    #[inline]
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Entry, Error>>> {
        if let Some(found) = self.found.take() {
            return Poll::Ready(Some(found));
        }
        let Some(Tags { image, items, next }) = &mut self.tags else {
            return Poll::Ready(None);
        };
        let tag = match next.take() {
            Some(tag) => tag,
            None => ready!(Pin::new(items).poll_next(context)),
        };
        let image = Arc::clone(image);
        Poll::Ready(tag.map(|tag| tag.map(|repo| Entry::Tag(TagEntry { image, repo }))))
    }
}

/// Everything but the tags, in order and one call at a time.
struct Outline {
    client: Client,
    projects: Projects,
    /// The lists of repositories that the project has still to show.
    lists: vec::IntoIter<(Arc<ProjectEntry>, bool)>,
    repositories: Option<(Arc<ProjectEntry>, bool, Items<GetRepoRequest>)>,
    images: Option<(Arc<RepoEntry>, Items<GetRepoImageRequest>)>,
}

/// The projects still to be walked.
enum Projects {
    All,
    Asked(Pin<Box<dyn Future<Output = Result<GetProjectListResponse, Error>> + Send>>),
    Known(vec::IntoIter<ProjectEntry>),
}

impl Outline {
    #[inline]
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Entry, Error>>> {
        loop {
            if let Some((repository, images)) = &mut self.images {
                match ready!(Pin::new(images).poll_next(context)) {
                    None => self.images = None,
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Some(Ok(repo)) => {
                        let repository = Arc::clone(repository);
                        let image = Arc::new(ImageEntry { repository, repo });
                        return Poll::Ready(Some(Ok(Entry::Image(image))));
                    }
                }
            } else if let Some((project, is_public, repositories)) = &mut self.repositories {
                match ready!(Pin::new(repositories).poll_next(context)) {
                    None => self.repositories = None,
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Some(Ok(repo)) => {
                        let repository = Arc::new(RepoEntry {
                            project: Arc::clone(project),
                            is_public: *is_public,
                            repo,
                        });
                        let images = self.images(&repository);
                        self.images = Some((Arc::clone(&repository), images));
                        return Poll::Ready(Some(Ok(Entry::Repository(repository))));
                    }
                }
            } else if let Some((project, is_public)) = self.lists.next() {
                let repositories = self.repositories(&project, is_public);
                self.repositories = Some((project, is_public, repositories));
            } else {
                match &mut self.projects {
                    Projects::All => {
                        let answer = self.client.get_project_list().send();
                        self.projects = Projects::Asked(Box::pin(answer));
                    }
                    Projects::Asked(answer) => match ready!(answer.as_mut().poll(context)) {
                        Err(error) => return Poll::Ready(Some(Err(error))),
                        Ok(answer) => {
                            let known = answer.project_set.into_iter().map(|repo| ProjectEntry {
                                project_id: repo.project_id.clone(),
                                repo: Some(repo),
                            });
                            self.projects = Projects::Known(known.collect::<Vec<_>>().into_iter());
                        }
                    },
                    Projects::Known(projects) => {
                        let Some(project) = projects.next() else {
                            return Poll::Ready(None);
                        };
                        let project = Arc::new(project);
                        self.lists =
                            vec![(Arc::clone(&project), false), (Arc::clone(&project), true)]
                                .into_iter();
                        return Poll::Ready(Some(Ok(Entry::Project(project))));
                    }
                }
            }
        }
    }

    // No list reads ahead on its own: each has one call under way at most.

    #[inline]
    fn repositories(&self, project: &ProjectEntry, is_public: bool) -> Items<GetRepoRequest> {
        let request = GetRepoRequest::new(if is_public {
            GetRepoType::Public
        } else {
            GetRepoType::Private
        })
        .project_id(&project.project_id);
        self.client.call(request).with_read_ahead(0).items()
    }

    #[inline]
    fn images(&self, repository: &RepoEntry) -> Items<GetRepoImageRequest> {
        let request = GetRepoImageRequest::new(&repository.repo.repo_name)
            .project_id(&repository.project.project_id);
        self.client.call(request).with_read_ahead(0).items()
    }

    #[inline]
    fn tags(&self, image: &ImageEntry) -> Items<GetImageTagRequest> {
        let repository = &image.repository;
        let request = GetImageTagRequest::new(&repository.repo.repo_name, &image.repo.image_name)
            .project_id(&repository.project.project_id);
        self.client.call(request).with_read_ahead(0).items()
    }
}

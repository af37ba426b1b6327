//! The recipes against the local server, and the `audit` example.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use common::{example, respond};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use uhub_sdk::{
    Client, ClientBuilder, Error, ErrorKind, Execution, RetCode, RetryPolicy, Visibility,
    actions::create_repo::CreateRepoRequest,
    local::{Fault, Image, LocalUhub, Project, Repository, Scope, Tag},
    recipes::{Entry, ImageEntry, Outcome, Walk, ensure_repo, pull_reference, walk},
};

/// Makes the next two `GetRepo` calls return empty lists.
fn hide_repos(uhub: &LocalUhub) {
    for _ in 0..2 {
        uhub.inject(respond(200, &[], r#"{"RetCode": 0, "TotalCount": 0, "RepoSet": []}"#));
    }
}

/// The actions of the requests, with project and type.
fn actions(uhub: &LocalUhub) -> Vec<String> {
    let line = |request: &uhub_sdk::local::ReceivedRequest| {
        let parameter = |name| request.parameter(name).unwrap_or_default().to_owned();
        let action = request.action.as_deref().unwrap_or_default();
        format!("{action} {} {}", parameter("ProjectId"), parameter("Type")).trim_end().to_owned()
    };
    uhub.requests().iter().map(line).collect()
}

/// `org-2` has the private `base` and the public `open`, which is on the second page of its list.
async fn two_projects() -> LocalUhub {
    let mut second =
        Project::from("org-2").repository(Repository::new("base").description("of org-2"));
    for number in 0..120 {
        second = second.repository(Repository::new(format!("other-{number}")).public());
    }
    second = second.repository(Repository::new("open").public());
    LocalUhub::builder().project("org-1").project(second).start().await.unwrap()
}

#[tokio::test]
async fn an_existing_repository_is_found_and_not_changed() {
    let uhub = two_projects().await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    for (name, visibility, other, requests) in [
        ("base", Visibility::Private, Visibility::Public, 1),
        ("open", Visibility::Public, Visibility::Private, 3),
    ] {
        let before = uhub.requests().len();
        let request = CreateRepoRequest::new(name)
            .project_id("org-2")
            .visibility(other)
            .description("another");
        let ensured = ensure_repo(&client, request).await.unwrap();
        assert_eq!(ensured.outcome, Outcome::Existed);
        assert_eq!(ensured.visibility, Some(visibility));
        let repo = ensured.repo.unwrap();
        assert_eq!(repo.repo_name, name);
        assert_eq!(repo.visibility, Some(visibility));
        assert_ne!(repo.description.as_deref(), Some("another"));
        let actions = actions(&uhub).split_off(before);
        assert_eq!(actions.len(), requests, "{actions:?}");
        assert!(actions.iter().all(|action| action.starts_with("GetRepo org-2")), "{actions:?}");
    }
}

#[tokio::test]
async fn a_missing_repository_is_created_in_the_right_project() {
    let uhub = two_projects().await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    // Another project has a repository of this name.
    let request = CreateRepoRequest::new("base").visibility(Visibility::Public);
    let ensured = ensure_repo(&client, request.clone()).await.unwrap();
    assert_eq!(ensured.outcome, Outcome::Created);
    assert_eq!((ensured.repo, ensured.visibility), (None, None));
    assert_eq!(
        actions(&uhub),
        ["GetRepo org-1 private", "GetRepo org-1 public", "CreateRepo org-1"]
    );
    let again = ensure_repo(&client, request).await.unwrap();
    assert_eq!((again.outcome, again.visibility), (Outcome::Existed, Some(Visibility::Public)));
}

#[tokio::test]
async fn a_creation_with_an_unknown_outcome_is_verified() {
    let uhub = LocalUhub::start().await.unwrap();
    let client = ClientBuilder::for_local(&uhub).build().unwrap();

    // It was executed.
    hide_repos(&uhub);
    uhub.inject(Fault::CutBody { after: 0 });
    let ensured = ensure_repo(&client, CreateRepoRequest::new("base")).await.unwrap();
    assert_eq!(ensured.outcome, Outcome::CreatedConcurrently);
    assert_eq!(ensured.repo.unwrap().repo_name, "base");

    // It was not executed.
    hide_repos(&uhub);
    uhub.inject(Fault::CutConnection);
    let error = ensure_repo(&client, CreateRepoRequest::new("other")).await.unwrap_err();
    assert_eq!(error.action(), Some("CreateRepo"));
    assert_eq!(error.execution(), Execution::Unknown);
    let before = actions(&uhub);
    assert!(before.ends_with(&["GetRepo org-local public".to_owned()]));

    // The second look fails: the error is still the one of the creation.
    hide_repos(&uhub);
    uhub.inject(Fault::CutConnection);
    uhub.inject(respond(200, &[], "<html>"));
    let error = ensure_repo(&client, CreateRepoRequest::new("other")).await.unwrap_err();
    assert_eq!(error.action(), Some("CreateRepo"));

    // The response says that it was executed, and the rest cannot be read.
    hide_repos(&uhub);
    uhub.inject(respond(200, &[], b"{\"RetCode\": 0, \"Message\": \"\xff\"}".as_slice()));
    let ensured = ensure_repo(&client, CreateRepoRequest::new("base")).await.unwrap();
    assert_eq!(ensured.outcome, Outcome::Created);
    assert_eq!(ensured.visibility, Some(Visibility::Private));
}

#[tokio::test]
async fn a_rejected_creation_is_verified() {
    let mut builder = LocalUhub::builder();
    for number in 0..8 {
        builder = builder.repository(Repository::new(format!("repository-{number}")));
    }
    let uhub = builder.start().await.unwrap();
    let client = ClientBuilder::for_local(&uhub).retry(RetryPolicy::disabled()).build().unwrap();

    // Another client created it first.
    hide_repos(&uhub);
    let ensured = ensure_repo(&client, CreateRepoRequest::new("repository-7")).await.unwrap();
    assert_eq!(ensured.outcome, Outcome::CreatedConcurrently);
    assert_eq!(ensured.repo.unwrap().repo_name, "repository-7");

    // The same with a return code that means that nothing was executed.
    hide_repos(&uhub);
    uhub.inject(respond(200, &[], r#"{"RetCode": 299, "Message": "no"}"#));
    let ensured = ensure_repo(&client, CreateRepoRequest::new("repository-7")).await.unwrap();
    assert_eq!(ensured.outcome, Outcome::CreatedConcurrently);

    // The project is full.
    let error = ensure_repo(&client, CreateRepoRequest::new("ninth")).await.unwrap_err();
    assert_eq!(error.action(), Some("CreateRepo"));
    assert_eq!(error.ret_code(), Some(RetCode::from(63_002)));

    // A request that was not sent needs no second look.
    let before = uhub.requests().len();
    let error = ensure_repo(&client, CreateRepoRequest::new("")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert_eq!(uhub.requests().len(), before + 2);

    // Nothing is created if the first look fails.
    uhub.inject(Fault::CutConnection);
    let error = ensure_repo(&client, CreateRepoRequest::new("base")).await.unwrap_err();
    assert_eq!(error.action(), Some("GetRepo"));
    assert_eq!(uhub.requests().len(), before + 3);
}

#[tokio::test]
async fn one_of_many_concurrent_calls_creates() {
    let uhub = LocalUhub::builder().latency(Duration::from_millis(20)).start().await.unwrap();
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    let ensuring: Vec<_> = (0..6)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { ensure_repo(&client, CreateRepoRequest::new("base")).await })
        })
        .collect();
    let mut created = 0;
    for ensured in ensuring {
        created += usize::from(ensured.await.unwrap().unwrap().outcome == Outcome::Created);
    }
    assert_eq!(created, 1);
}

/// Images with the given numbers of tags.
fn images(tags: impl IntoIterator<Item = usize>) -> impl Iterator<Item = Image> {
    tags.into_iter().enumerate().map(|(number, tags)| {
        Image::new(format!("image-{number}"))
            .tags((0..tags).map(|tag| Tag::new(format!("v{tag}")).digest("sha256:0")))
    })
}

/// Lists of several pages on every level, and empty lists.
async fn large(latency: Duration) -> LocalUhub {
    let many = (0..103).fold(Project::from("org-2"), |project, number| {
        let repository = Repository::new(format!("small-{number}")).images(images([1]));
        let is_public = number % 2 == 0;
        project.repository(if is_public { repository.public() } else { repository })
    });
    LocalUhub::builder()
        .latency(latency)
        .project("org-1")
        .project("org-empty")
        .project(many)
        .repository(Repository::new("open").public().images(images([2, 1])))
        .repository(Repository::new("long").images(images((0..130).map(|n| 1 + n % 3))))
        .repository(Repository::new("empty"))
        .repository(Repository::new("tagged").images(images([1, 250, 1])))
        .start()
        .await
        .unwrap()
}

/// The path of an entry.
fn show(entry: &Entry) -> String {
    let image_path = |image: &ImageEntry| {
        let repo = &image.repo;
        format!(
            "{}/{}/{}",
            repo.project.project_id, repo.details.repo_name, image.details.image_name
        )
    };
    match entry {
        Entry::Project(project) => project.project_id.clone(),
        Entry::Repo(repo) => {
            format!("{}/{} {}", repo.project.project_id, repo.details.repo_name, repo.visibility)
        }
        Entry::Image(image) => image_path(image),
        Entry::Tag(tag) => format!("{}:{}", image_path(&tag.image), tag.details.tag_name),
        other => panic!("{other:?}"),
    }
}

/// The entries, and an error that comes at most once.
async fn collect(walk: Walk) -> (Vec<String>, Option<Error>) {
    let (shown, mut errors) = collect_all(walk).await;
    assert!(errors.len() < 2, "{errors:?}");
    (shown, errors.pop())
}

async fn collect_all(mut walk: Walk) -> (Vec<String>, Vec<Error>) {
    let (mut shown, mut errors) = (Vec::new(), Vec::new());
    while let Some(entry) = walk.next().await {
        match entry {
            Ok(entry) => shown.push(show(&entry)),
            Err(error) => errors.push(error),
        }
    }
    assert!(walk.next().await.is_none());
    (shown, errors)
}

/// The entries of a walk over [`large`], derived from its seed.
fn expected_of_large() -> Vec<String> {
    let mut lines = vec!["org-1".to_owned()];
    let mut repository = |project: &str, name: &str, visibility: &str, tags: &[usize]| {
        lines.push(format!("{project}/{name} {visibility}"));
        for (number, tags) in tags.iter().enumerate() {
            lines.push(format!("{project}/{name}/image-{number}"));
            for tag in 0..*tags {
                lines.push(format!("{project}/{name}/image-{number}:v{tag}"));
            }
        }
    };
    let long: Vec<usize> = (0..130).map(|n| 1 + n % 3).collect();
    repository("org-1", "long", "private", &long);
    repository("org-1", "empty", "private", &[]);
    repository("org-1", "tagged", "private", &[1, 250, 1]);
    repository("org-1", "open", "public", &[2, 1]);
    for (visibility, remainder) in [("private", 1), ("public", 0)] {
        for number in (0..103).filter(|number| number % 2 == remainder) {
            repository("org-2", &format!("small-{number}"), visibility, &[1]);
        }
    }
    let second = lines.iter().position(|line| line.starts_with("org-2"));
    let second = second.unwrap();
    lines.splice(second..second, ["org-empty".to_owned(), "org-2".to_owned()]);
    lines
}

#[tokio::test]
async fn every_entry_is_listed_once_and_in_order_at_any_concurrency() {
    let uhub = large(Duration::ZERO).await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    let expected = expected_of_large();
    let distinct: HashSet<&String> = expected.iter().collect();
    assert_eq!(distinct.len(), expected.len());
    for concurrency in [0, 1, 2, 8, 1000] {
        let (shown, error) = collect(walk(&client).concurrency(concurrency)).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(shown, expected, "{concurrency}");
    }
}

#[tokio::test]
async fn entries_have_the_details_that_the_service_lists() {
    let image = Image::new("nginx").pull_count(7).tag(Tag::new("1.27").digest("sha256:1"));
    let repository = Repository::new("base").description("a note").image(image);
    let uhub = LocalUhub::builder()
        .project("org-1")
        .project(Project::new("org-2", "The second").repository(repository))
        .start()
        .await
        .unwrap();
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    let mut walk_all = walk(&client);
    let mut last = None;
    while let Some(entry) = walk_all.next().await {
        last = Some(entry.unwrap());
    }
    let Some(Entry::Tag(tag)) = last else { panic!("{last:?}") };
    assert_eq!(tag.details.digest.as_deref(), Some("sha256:1"));
    assert_eq!(tag.image.details.pull_count, 7);
    let repo = &tag.image.repo;
    assert_eq!(repo.details.description.as_deref(), Some("a note"));
    assert_eq!(repo.visibility, Visibility::Private);
    let project = repo.project.details.as_ref().unwrap();
    assert_eq!(project.project_name, "The second");

    // One project only: projects are not listed.
    let before = uhub.requests().len();
    let (shown, error) = collect(walk(&client).project_id("org-2").concurrency(1)).await;
    assert!(error.is_none());
    assert_eq!(shown, ["org-2", "org-2/base private", "org-2/base/nginx", "org-2/base/nginx:1.27"]);
    let actions = actions(&uhub).split_off(before);
    assert_eq!(
        actions,
        [
            "GetRepo org-2 private",
            "GetRepoImage org-2",
            "GetImageTag org-2",
            "GetRepo org-2 public"
        ]
    );

    let (shown, errors) = collect_all(walk(&client).project_id("org-3")).await;
    assert_eq!(shown, ["org-3"]);
    let actions: Vec<_> = errors.iter().map(Error::action).collect();
    assert_eq!(actions, [Some("GetRepo"), Some("GetRepo")]);
}

#[tokio::test]
async fn a_walk_lists_one_repository_or_one_image() {
    let uhub = LocalUhub::builder()
        .repository(Repository::new("base").images(images([1, 2])))
        .repository(Repository::new("open").public().images(images([1, 1])))
        .start()
        .await
        .unwrap();
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    let (all, _) = collect(walk(&client)).await;
    let (open, _) = collect(walk(&client).repo("open")).await;
    let expected: Vec<_> = all.iter().filter(|line| !line.contains("/base")).cloned().collect();
    assert_eq!(open, expected);
    let name = uhub.data().projects[0].repositories[0].images[1].name.clone();
    let (image, _) = collect(walk(&client).image("base", &name)).await;
    assert_eq!(image.len(), 1 + 1 + 1 + 2, "{image:?}");
    assert!(image[2..].iter().all(|line| line.contains(&format!("/base/{name}"))), "{image:?}");
}

#[tokio::test]
async fn a_walk_continues_after_a_project_that_it_may_not_see() {
    let project = |id: &str| Project::from(id).repository(Repository::new("base"));
    let uhub = LocalUhub::builder()
        .project(project("org-1"))
        .project(project("org-2"))
        .start()
        .await
        .unwrap();
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    // Both lists of the first project.
    uhub.inject_on(Scope::action("GetRepo").calls(1..=2), Fault::ret_code(299));
    let (shown, errors) = collect_all(walk(&client)).await;
    assert_eq!(shown, ["org-1", "org-2", "org-2/base private"]);
    assert_eq!(errors.len(), 2);
    assert!(errors.iter().all(|error| error.ret_code() == Some(RetCode::PERMISSION_DENIED)));
}

/// With one call at a time, the n-th request is known. Its error comes once, after all entries of
/// the requests before it, and only the entries below it are missing.
#[tokio::test]
async fn an_error_takes_the_place_of_the_entries_that_could_not_be_listed() {
    let uhub = LocalUhub::builder()
        .repository(Repository::new("base").images(images([2, 2, 2])))
        .repository(Repository::new("open").public().images(images([1])))
        .start()
        .await
        .unwrap();
    let client = ClientBuilder::for_local(&uhub).retry(RetryPolicy::disabled()).build().unwrap();
    let (all, _) = collect(walk(&client).concurrency(1)).await;
    // Projects; private repositories, images, tags of three images; public ones, images, tags.
    let requests = uhub.requests().len();
    assert_eq!(requests, 9);
    for (broken, listed, missing, action) in [
        (0, 0, 15, "GetProjectList"),
        (1, 1, 10, "GetRepo"),
        (2, 2, 9, "GetRepoImage"),
        (3, 3, 2, "GetImageTag"),
        (4, 6, 2, "GetImageTag"),
        (5, 9, 2, "GetImageTag"),
        (6, 11, 3, "GetRepo"),
        (7, 12, 2, "GetRepoImage"),
        (8, 13, 1, "GetImageTag"),
    ] {
        let before = uhub.requests().len();
        for _ in 0..broken {
            // The body is shorter: nothing is cut.
            uhub.inject(Fault::CutBody { after: usize::MAX });
        }
        uhub.inject(respond(200, &[], "<html>"));
        let mut walk = walk(&client).concurrency(1);
        let (mut shown, mut failed) = (Vec::new(), None);
        while let Some(entry) = walk.next().await {
            match entry {
                Ok(entry) => shown.push(show(&entry)),
                Err(error) => {
                    assert!(failed.is_none());
                    assert_eq!(shown, all[..listed], "{broken}");
                    failed = Some(error);
                }
            }
        }
        assert_eq!(failed.unwrap().action(), Some(action), "{broken}");
        let rest = all.iter().skip(listed + missing);
        let expected: Vec<_> = all[..listed].iter().chain(rest).cloned().collect();
        assert_eq!(shown, expected, "{broken}");
        assert!(uhub.requests().len() > before + broken);
    }
}

/// At any concurrency, an error takes the place of the tags of its image.
#[tokio::test]
async fn an_error_of_a_concurrent_call_waits_for_its_turn() {
    let latency = Duration::from_millis(5);
    let uhub = LocalUhub::builder()
        .latency(latency)
        .repository(Repository::new("base").images(images([2; 20])))
        .start()
        .await
        .unwrap();
    let client = ClientBuilder::for_local(&uhub).retry(RetryPolicy::disabled()).build().unwrap();
    let (all, _) = collect(walk(&client)).await;
    for broken in 4..12 {
        for _ in 0..broken {
            uhub.inject(Fault::CutBody { after: usize::MAX });
        }
        uhub.inject(respond(200, &[], "<html>"));
        let (shown, error) = collect(walk(&client).concurrency(8)).await;
        assert_eq!(error.unwrap().action(), Some("GetImageTag"), "{broken}");
        assert_eq!(shown.len(), all.len() - 2, "{broken}");
        let missing = all.iter().position(|line| !shown.contains(line)).unwrap();
        let expected: Vec<_> = [&all[..missing], &all[missing + 2..]].concat();
        assert_eq!(shown, expected, "{broken}");
    }
}

/// A proxy that records the maximum number of concurrent calls.
async fn counting_proxy(server: &str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/", listener.local_addr().unwrap());
    let most = Arc::new(AtomicUsize::new(0));
    let (maximum, running) = (most.clone(), Arc::new(AtomicUsize::new(0)));
    let server = server["http://".len()..].trim_end_matches('/').to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            // A connection has one call at a time: from the first bytes of the request to the first
            // bytes of the response.
            let is_busy = Arc::new(AtomicBool::new(false));
            let (busy, calls, maximum) = (is_busy.clone(), running.clone(), maximum.clone());
            tokio::spawn(async move {
                let mut bytes = vec![0; 65_536];
                while let Ok(length @ 1..) = from_client.read(&mut bytes).await {
                    if !busy.swap(true, Ordering::SeqCst) {
                        let now = calls.fetch_add(1, Ordering::SeqCst) + 1;
                        maximum.fetch_max(now, Ordering::SeqCst);
                    }
                    to_server.write_all(&bytes[..length]).await.unwrap();
                }
            });
            let calls = running.clone();
            tokio::spawn(async move {
                let mut bytes = vec![0; 65_536];
                while let Ok(length @ 1..) = from_server.read(&mut bytes).await {
                    if is_busy.swap(false, Ordering::SeqCst) {
                        calls.fetch_sub(1, Ordering::SeqCst);
                    }
                    if to_client.write_all(&bytes[..length]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (base_url, most)
}

#[tokio::test]
async fn concurrency_limits_the_running_calls() {
    let latency = Duration::from_millis(4);
    let uhub = large(latency).await;
    let mut took = Vec::new();
    for concurrency in [1, 3, 8] {
        let (base_url, most) = counting_proxy(uhub.base_url()).await;
        let client = ClientBuilder::for_local(&uhub).base_url(base_url).build().unwrap();
        let started = Instant::now();
        let (shown, error) = collect(walk(&client).concurrency(concurrency)).await;
        took.push(started.elapsed());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(shown.len(), expected_of_large().len());
        assert_eq!(most.load(Ordering::SeqCst), concurrency);
    }
    // 350 requests in sequence take at least as long.
    assert!(took[0] >= latency * 350, "{took:?}");
    assert!(took[2] < took[0], "{took:?}");
}

#[tokio::test]
async fn a_walk_does_not_keep_entries_that_it_has_passed() {
    let uhub = large(Duration::ZERO).await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    let mut walk = walk(&client).concurrency(8);
    let mut images: Vec<Arc<ImageEntry>> = Vec::new();
    let mut checked = 0;
    while let Some(entry) = walk.next().await {
        match entry.unwrap() {
            Entry::Image(image) => {
                for past in &images {
                    assert_eq!(Arc::strong_count(past), 1);
                    checked += 1;
                }
                images = vec![image];
            }
            Entry::Tag(tag) => assert!(Arc::ptr_eq(&tag.image, &images[0])),
            _ => {}
        }
    }
    assert_eq!(checked, 130 + 3 + 2 + 103 - 1);
}

/// A walk can be moved to a task and dropped there.
#[tokio::test]
async fn a_dropped_walk_sends_no_more_requests() {
    let uhub = large(Duration::from_millis(5)).await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    let read = tokio::spawn(async move {
        let mut walk = walk(&client);
        for _ in 0..20 {
            walk.next().await.unwrap().unwrap();
        }
        assert!(!format!("{walk:?}").contains("local-private-key"));
    });
    read.await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let requests = uhub.requests().len();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(uhub.requests().len(), requests);
    assert!(requests < 25, "{requests}");
}

#[tokio::test]
async fn wrong_credentials_are_one_error() {
    let uhub = LocalUhub::start().await.unwrap();
    let wrong = uhub_sdk::Credentials::new(uhub.public_key(), "another-key");
    let client: Client = ClientBuilder::for_local(&uhub).credentials(wrong).build().unwrap();
    let (shown, error) = collect(walk(&client)).await;
    assert!(shown.is_empty());
    assert_eq!(error.unwrap().ret_code(), Some(RetCode::SIGNATURE_WRONG));
}

#[test]
fn a_pull_reference_follows_dockers_grammar() {
    let sha256 = format!("sha256:{}", "0a".repeat(32));
    let long = "a".repeat(128);
    let host = "uhub.service.ucloud.cn";
    for (host, repository, image, version, separator) in [
        (host, "base", "nginx", "1.27", ':'),
        (host, "base", "nginx", &sha256, '@'),
        ("localhost", "a", "b", &sha256, '@'),
        ("localhost:5000", "a0.b_c__d---e", "x/y/0", "_.-", ':'),
        ("registry:5000", "a", "b", &long, ':'),
        ("127.0.0.1:5000", "a", "b", "V1", ':'),
        ("A-1.example", "a", "b", "0", ':'),
    ] {
        let reference = pull_reference(host, repository, image, version);
        let expected = format!("{host}/{repository}/{image}{separator}{version}");
        assert_eq!(reference, Ok(expected));
    }

    let refuse = |host: &str, repository: &str, image: &str, version: &str, part: &str| {
        let error = pull_reference(host, repository, image, version).unwrap_err();
        assert_eq!(error.part(), part, "{host} {repository} {image} {version}");
        let message = error.to_string();
        assert!(message.contains(&format!("invalid {part}")), "{message}");
        assert!(message.len() < 400 && !message.contains('\n'), "{message}");
        message
    };
    for invalid in [
        "",
        "registry",
        "https://a.example",
        "a.example/",
        "a.example/b",
        "user:pAsS@a.example",
        "a.example:",
        "a.example:80x",
        "a.example:80:80",
        "-a.example",
        "a-.example",
        "a..example",
        "a.example.",
        "a_b.example",
        "ä.example",
        // Docker accepts IPv6 addresses; registries have names.
        "[::1]:5000",
        "[::1",
        "[]:80",
        "[::1]80",
        "[::1]:",
        "[::g]",
        "a.example\n",
        " a.example",
    ] {
        let message = refuse(invalid, "a", "b", "1", "registry host");
        assert!(!message.contains("pAsS"), "{message}");
    }
    for invalid in [
        "", "A", "aB", ".a", "a.", "_a", "a_", "-a", "a-", "a..b", "a._b", "a___b", "a-_b", "a.-b",
        "a b", "a:b", "a@b", "ä", "aäb", "a\n",
    ] {
        refuse(host, invalid, "b", "1", "repository");
        refuse(host, "a", invalid, "1", "image");
        refuse(host, "a", &format!("b/{invalid}"), "1", "image");
    }
    refuse(host, "a/b", "c", "1", "repository");
    refuse(host, "a", "/b", "1", "image");
    refuse(host, &long, &long, "1", "name");
    for invalid in [
        "",
        ".a",
        "-a",
        "a b",
        "a:b",
        "a/b",
        "ä",
        "a\n",
        "a@b",
        &"a".repeat(129),
        "sha256:",
        &format!("sha256:{}", "A".repeat(64)),
        &format!("sha256:{}", "a".repeat(63)),
        &format!("sha256:{}g", "a".repeat(63)),
        &format!("md5:{}", "a".repeat(32)),
        // Docker accepts them; UHub's digests are SHA-256.
        &format!("sha512:{}", "f".repeat(128)),
    ] {
        refuse(host, "a", "b", invalid, "version");
    }
}

/// The data of the example: project, repository, visibility, images, tags, pulls.
const SEEDED: [(&str, &str, &str, u64, u64, i64); 5] = [
    ("org-platform", "services", "private", 150, 300, 11_250),
    ("org-platform", "sandbox", "private", 0, 0, 0),
    ("org-platform", "base", "public", 3, 7, 11_000),
    ("org-shop", "jobs", "private", 1, 2, 31),
    ("org-shop", "web", "public", 2, 3, 1_100),
];

#[test]
fn the_example_counts_everything() {
    let output = example("audit").output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}");
    let lines: Vec<Vec<&str>> =
        stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), 7, "{stdout}");
    assert_eq!(lines[0][0], "PROJECT");
    for (line, (project, repository, visibility, images, tags, pulls)) in
        lines[1..6].iter().zip(SEEDED)
    {
        let [images, tags, pulls] = [images.to_string(), tags.to_string(), pulls.to_string()];
        assert_eq!(line, &[project, repository, visibility, &images, &tags, &pulls]);
    }
    assert!(stdout.ends_with("\n5 repositories, 156 images, 312 tags, 23381 pulls\n"), "{stdout}");
}

#[test]
fn the_example_writes_json() {
    let output = example("audit").arg("--json").output().unwrap();
    assert!(output.status.success());
    let audit: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let repositories = SEEDED.map(|(project, repository, visibility, images, tags, pulls)| {
        serde_json::json!({
            "project": project,
            "repository": repository,
            "visibility": visibility,
            "images": images,
            "tags": tags,
            "pulls": pulls,
        })
    });
    let totals =
        serde_json::json!({"repositories": 5, "images": 156, "tags": 312, "pulls": 23_381});
    assert_eq!(audit, serde_json::json!({"repositories": repositories, "totals": totals}));
}

#[tokio::test]
async fn the_example_audits_the_service_of_the_environment() {
    let uhub = LocalUhub::builder()
        .project("org-1")
        .project(Project::from("org-2").repository(Repository::new("other").images(images([3]))))
        .repository(Repository::documented())
        .start()
        .await
        .unwrap();
    let run = |private_key: &str, project: Option<&str>, argument: Option<&str>| {
        let mut command = example("audit");
        command
            .env("UCLOUD_PUBLIC_KEY", uhub.public_key())
            .env("UCLOUD_PRIVATE_KEY", private_key)
            .env("UCLOUD_API_BASE_URL", uhub.base_url())
            .args(argument);
        if let Some(project) = project {
            command.env("UCLOUD_PROJECT_ID", project);
        }
        tokio::task::spawn_blocking(move || {
            let output = command.output().unwrap();
            let text = |bytes| String::from_utf8(bytes).unwrap();
            (output.status.code(), text(output.stdout), text(output.stderr))
        })
    };
    let (code, stdout, stderr) = run(uhub.private_key(), None, None).await.unwrap();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.contains("2 repositories, 10 images, 12 tags"), "{stdout}");
    let (_, stdout, _) = run(uhub.private_key(), Some("org-2"), None).await.unwrap();
    assert!(stdout.contains("1 repositories, 1 images, 3 tags"), "{stdout}");

    for (key, argument, message) in [
        ("another-key", None, "RetCode 171"),
        ("another-key", Some("--json"), "GetProjectList: "),
        (uhub.private_key(), Some("--xml"), "usage: audit [--json]"),
    ] {
        let (code, stdout, stderr) = run(key, None, argument).await.unwrap();
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        assert!(stderr.contains(message), "{stderr}");
    }
}

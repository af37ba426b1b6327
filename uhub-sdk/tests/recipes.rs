//! The recipes on the local UHub, and the example that is made of one.
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

use bytes::Bytes;
use common::example;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use uhub_sdk::{
    Client, Error, ErrorKind, Execution, RetCode, RetryPolicy,
    actions::create_repo::CreateRepoRequest,
    local::{Fault, Image, LocalUhub, Repository, Tag},
    recipes::{
        Entry, ImageEntry, Outcome, ReferencePart, Version, Walk, ensure_repo, pull_reference, walk,
    },
};

fn respond(body: &'static [u8]) -> Fault {
    Fault::Respond {
        status: 200,
        headers: Vec::new(),
        body: Bytes::from_static(body),
    }
}

/// Plays, on the two requests of a look, that the project has no repository.
fn hide_repositories(uhub: &LocalUhub) {
    for _ in 0..2 {
        uhub.play(respond(
            br#"{"RetCode": 0, "TotalCount": 0, "RepoSet": []}"#,
        ));
    }
}

/// The actions that arrived, with what tells them apart.
fn asked(uhub: &LocalUhub) -> Vec<String> {
    let show = |request: &uhub_sdk::local::ReceivedRequest| {
        let parameter = |name| request.parameter(name).unwrap_or_default().to_owned();
        let action = request.action.as_deref().unwrap_or_default();
        format!("{action} {} {}", parameter("ProjectId"), parameter("Type"))
            .trim_end()
            .to_owned()
    };
    uhub.requests().iter().map(show).collect()
}

/// `base` is private in `org-2`, `open` public behind more than a page of others.
async fn two_projects() -> LocalUhub {
    let mut builder = LocalUhub::builder()
        .project("org-1")
        .project("org-2")
        .repository_in("org-2", Repository::new("base").description("of org-2"));
    for number in 0..120 {
        builder = builder.repository_in(
            "org-2",
            Repository::new(format!("other-{number}")).shared(true),
        );
    }
    builder
        .repository_in("org-2", Repository::new("open").shared(true))
        .start()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_repository_that_is_there_is_found_and_left_alone() {
    let uhub = two_projects().await;
    let client = uhub.client().build().unwrap();
    for (name, is_public, requests) in [("base", false, 1), ("open", true, 3)] {
        let before = uhub.requests().len();
        let request = CreateRepoRequest::new(name)
            .project_id("org-2")
            .is_shared(!is_public)
            .description("another");
        let ensured = ensure_repo(&client, request).await.unwrap();
        assert_eq!(
            (ensured.outcome, ensured.is_public),
            (Outcome::Existed, Some(is_public))
        );
        let repo = ensured.repo.unwrap();
        assert_eq!(
            (repo.repo_name.as_str(), repo.is_shared),
            (name, Some(is_public))
        );
        assert_ne!(repo.description.as_deref(), Some("another"));
        let asked = asked(&uhub).split_off(before);
        assert_eq!(asked.len(), requests, "{asked:?}");
        assert!(
            asked.iter().all(|asked| asked.starts_with("GetRepo org-2")),
            "{asked:?}"
        );
    }
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_created_in_the_right_project() {
    let uhub = two_projects().await;
    let client = uhub.client().build().unwrap();
    // Another project has one of this name.
    let request = CreateRepoRequest::new("base").is_shared(true);
    let ensured = ensure_repo(&client, request.clone()).await.unwrap();
    assert_eq!(ensured.outcome, Outcome::Created);
    assert_eq!((ensured.repo, ensured.is_public), (None, None));
    assert_eq!(
        asked(&uhub),
        [
            "GetRepo org-1 private",
            "GetRepo org-1 public",
            "CreateRepo org-1"
        ]
    );
    let again = ensure_repo(&client, request).await.unwrap();
    assert_eq!(
        (again.outcome, again.is_public),
        (Outcome::Existed, Some(true))
    );
}

#[tokio::test]
async fn a_creation_without_an_answer_is_looked_after() {
    let uhub = LocalUhub::start().await.unwrap();
    let client = uhub.client().build().unwrap();

    // It was carried out.
    hide_repositories(&uhub);
    uhub.play(Fault::CutBody { after: 0 });
    let ensured = ensure_repo(&client, CreateRepoRequest::new("base"))
        .await
        .unwrap();
    assert_eq!(ensured.outcome, Outcome::CreatedConcurrently);
    assert_eq!(ensured.repo.unwrap().repo_name, "base");

    // It was not.
    hide_repositories(&uhub);
    uhub.play(Fault::CutConnection);
    let error = ensure_repo(&client, CreateRepoRequest::new("other"))
        .await
        .unwrap_err();
    assert_eq!(error.action(), Some("CreateRepo"));
    assert_eq!(error.execution(), Execution::Unknown);
    let before = asked(&uhub);
    assert!(before.ends_with(&["GetRepo org-local public".to_owned()]));

    // Nobody can look: what is said is still what became of the creation.
    hide_repositories(&uhub);
    uhub.play(Fault::CutConnection);
    uhub.play(respond(b"<html>"));
    let error = ensure_repo(&client, CreateRepoRequest::new("other"))
        .await
        .unwrap_err();
    assert_eq!(error.action(), Some("CreateRepo"));

    // The service said yes, and something else that cannot be read.
    hide_repositories(&uhub);
    uhub.play(respond(b"{\"RetCode\": 0, \"Message\": \"\xff\"}"));
    let ensured = ensure_repo(&client, CreateRepoRequest::new("base"))
        .await
        .unwrap();
    assert_eq!(ensured.outcome, Outcome::Created);
    assert_eq!(ensured.is_public, Some(false));
}

#[tokio::test]
async fn a_refused_creation_is_looked_after() {
    let mut builder = LocalUhub::builder();
    for number in 0..8 {
        builder = builder.repository(Repository::new(format!("repository-{number}")));
    }
    let uhub = builder.start().await.unwrap();
    let client = uhub
        .client()
        .retry(RetryPolicy::disabled())
        .build()
        .unwrap();

    // Someone else was faster.
    hide_repositories(&uhub);
    let ensured = ensure_repo(&client, CreateRepoRequest::new("repository-7"))
        .await
        .unwrap();
    assert_eq!(ensured.outcome, Outcome::CreatedConcurrently);
    assert_eq!(ensured.repo.unwrap().repo_name, "repository-7");

    // The same, where the refusal says for certain that nothing was done.
    hide_repositories(&uhub);
    uhub.play(respond(br#"{"RetCode": 299, "Message": "no"}"#));
    let ensured = ensure_repo(&client, CreateRepoRequest::new("repository-7"))
        .await
        .unwrap();
    assert_eq!(ensured.outcome, Outcome::CreatedConcurrently);

    // The project is full.
    let error = ensure_repo(&client, CreateRepoRequest::new("ninth"))
        .await
        .unwrap_err();
    assert_eq!(error.action(), Some("CreateRepo"));
    assert_eq!(error.ret_code(), Some(RetCode::from(63_002)));

    // What is not sent needs no second look.
    let before = uhub.requests().len();
    let error = ensure_repo(&client, CreateRepoRequest::new(""))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert_eq!(uhub.requests().len(), before + 2);

    // Nor is anything created where nobody could look.
    uhub.play(Fault::CutConnection);
    let error = ensure_repo(&client, CreateRepoRequest::new("base"))
        .await
        .unwrap_err();
    assert_eq!(error.action(), Some("GetRepo"));
    assert_eq!(uhub.requests().len(), before + 3);
}

#[tokio::test]
async fn of_many_at_once_one_creates() {
    let uhub = LocalUhub::builder()
        .latency(Duration::from_millis(20))
        .start()
        .await
        .unwrap();
    let client = uhub.client().build().unwrap();
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

/// Images with as many tags as said.
fn images(tags: impl IntoIterator<Item = usize>) -> impl Iterator<Item = Image> {
    tags.into_iter().enumerate().map(|(number, tags)| {
        Image::new(format!("image-{number}"))
            .tags((0..tags).map(|tag| Tag::new(format!("v{tag}")).digest("sha256:0")))
    })
}

/// Lists of several pages on every level, and empty ones.
async fn large(latency: Duration) -> LocalUhub {
    let builder = LocalUhub::builder()
        .latency(latency)
        .project("org-1")
        .project("org-empty")
        .project("org-2")
        .repository(Repository::new("open").shared(true).images(images([2, 1])))
        .repository(Repository::new("long").images(images((0..130).map(|n| 1 + n % 3))))
        .repository(Repository::new("empty"))
        .repository(Repository::new("tagged").images(images([1, 250, 1])));
    let builder = (0..103).fold(builder, |builder, number| {
        let repository = Repository::new(format!("small-{number}")).shared(number % 2 == 0);
        builder.repository_in("org-2", repository.images(images([1])))
    });
    builder.start().await.unwrap()
}

/// One line for each thing met.
fn show(found: &Entry) -> String {
    let image = |image: &ImageEntry| {
        let repository = &image.repository;
        format!(
            "{}/{}/{}",
            repository.project.project_id, repository.repo.repo_name, image.repo.image_name
        )
    };
    match found {
        Entry::Project(project) => project.project_id.clone(),
        Entry::Repository(repository) => format!(
            "{}/{} {}",
            repository.project.project_id, repository.repo.repo_name, repository.is_public
        ),
        Entry::Image(found) => image(found),
        Entry::Tag(tag) => format!("{}:{}", image(&tag.image), tag.repo.tag_name),
        other => panic!("{other:?}"),
    }
}

async fn collect(mut walk: Walk) -> (Vec<String>, Option<Error>) {
    let mut shown = Vec::new();
    while let Some(found) = walk.next().await {
        match found {
            Ok(found) => shown.push(show(&found)),
            Err(error) => {
                assert!(walk.next().await.is_none(), "an error comes last");
                return (shown, Some(error));
            }
        }
    }
    assert!(walk.next().await.is_none());
    (shown, None)
}

/// What a walk over [`large`] meets, written down from how it was seeded.
fn expected_of_large() -> Vec<String> {
    let mut lines = vec!["org-1".to_owned()];
    let mut repository = |project: &str, name: &str, is_public: bool, tags: &[usize]| {
        lines.push(format!("{project}/{name} {is_public}"));
        for (number, tags) in tags.iter().enumerate() {
            lines.push(format!("{project}/{name}/image-{number}"));
            for tag in 0..*tags {
                lines.push(format!("{project}/{name}/image-{number}:v{tag}"));
            }
        }
    };
    let long: Vec<usize> = (0..130).map(|n| 1 + n % 3).collect();
    repository("org-1", "long", false, &long);
    repository("org-1", "empty", false, &[]);
    repository("org-1", "tagged", false, &[1, 250, 1]);
    repository("org-1", "open", true, &[2, 1]);
    for is_public in [false, true] {
        for number in (0..103).filter(|number| (number % 2 == 0) == is_public) {
            repository("org-2", &format!("small-{number}"), is_public, &[1]);
        }
    }
    let second = lines.iter().position(|line| line.starts_with("org-2"));
    let second = second.unwrap();
    lines.splice(second..second, ["org-empty".to_owned(), "org-2".to_owned()]);
    lines
}

#[tokio::test]
async fn everything_is_met_once_and_in_order_at_any_concurrency() {
    let uhub = large(Duration::ZERO).await;
    let client = uhub.client().build().unwrap();
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
async fn what_is_met_is_as_the_service_lists_it() {
    let image = Image::new("nginx")
        .pull_count(7)
        .tag(Tag::new("1.27").digest("sha256:1"));
    let repository = Repository::new("base").description("a note").image(image);
    let uhub = LocalUhub::builder()
        .project("org-1")
        .project_named("org-2", "The second")
        .repository_in("org-2", repository)
        .start()
        .await
        .unwrap();
    let client = uhub.client().build().unwrap();
    let mut walk_all = walk(&client);
    let mut last = None;
    while let Some(found) = walk_all.next().await {
        last = Some(found.unwrap());
    }
    let Some(Entry::Tag(tag)) = last else {
        panic!("{last:?}")
    };
    assert_eq!(tag.repo.digest.as_deref(), Some("sha256:1"));
    assert_eq!(tag.image.repo.pull_count, 7);
    let repository = &tag.image.repository;
    assert_eq!(repository.repo.description.as_deref(), Some("a note"));
    assert!(!repository.is_public);
    let project = repository.project.repo.as_ref().unwrap();
    assert_eq!(project.project_name, "The second");

    // One project alone, and nobody asks which there are.
    let before = uhub.requests().len();
    let (shown, error) = collect(walk(&client).project_id("org-2").concurrency(1)).await;
    assert!(error.is_none());
    assert_eq!(
        shown,
        [
            "org-2",
            "org-2/base false",
            "org-2/base/nginx",
            "org-2/base/nginx:1.27"
        ]
    );
    let asked = asked(&uhub).split_off(before);
    assert_eq!(
        asked,
        [
            "GetRepo org-2 private",
            "GetRepoImage org-2",
            "GetImageTag org-2",
            "GetRepo org-2 public"
        ]
    );

    let (shown, error) = collect(walk(&client).project_id("org-3")).await;
    assert_eq!(shown, ["org-3"]);
    assert_eq!(error.unwrap().action(), Some("GetRepo"));
}

/// With one call at a time, the n-th request is known: an error in its place comes once, after all
/// that came before, and last.
#[tokio::test]
async fn an_error_ends_the_walk_after_what_came_before() {
    let uhub = LocalUhub::builder()
        .repository(Repository::new("base").images(images([2, 2, 2])))
        .repository(Repository::new("open").shared(true).images(images([1])))
        .start()
        .await
        .unwrap();
    let client = uhub
        .client()
        .retry(RetryPolicy::disabled())
        .build()
        .unwrap();
    let (all, _) = collect(walk(&client).concurrency(1)).await;
    // Projects, private ones, images, three times tags; public ones, images, tags.
    let requests = uhub.requests().len();
    assert_eq!(requests, 9);
    for (broken, seen, action) in [
        (0, 0, "GetProjectList"),
        (1, 1, "GetRepo"),
        (2, 2, "GetRepoImage"),
        (3, 3, "GetImageTag"),
        (4, 6, "GetImageTag"),
        (5, 9, "GetImageTag"),
        (6, 11, "GetRepo"),
        (7, 12, "GetRepoImage"),
        (8, 13, "GetImageTag"),
    ] {
        let before = uhub.requests().len();
        for _ in 0..broken {
            // More than there is: nothing is cut.
            uhub.play(Fault::CutBody { after: usize::MAX });
        }
        uhub.play(respond(b"<html>"));
        let (shown, error) = collect(walk(&client).concurrency(1)).await;
        assert_eq!(shown, all[..seen], "{broken}");
        assert_eq!(error.unwrap().action(), Some(action), "{broken}");
        assert_eq!(uhub.requests().len(), before + broken + 1);
    }
}

/// At any concurrency, what comes before an error is the beginning of what there is.
#[tokio::test]
async fn an_error_among_calls_under_way_does_not_overtake() {
    let latency = Duration::from_millis(5);
    let uhub = LocalUhub::builder()
        .latency(latency)
        .repository(Repository::new("base").images(images([2; 20])))
        .start()
        .await
        .unwrap();
    let client = uhub
        .client()
        .retry(RetryPolicy::disabled())
        .build()
        .unwrap();
    let (all, _) = collect(walk(&client)).await;
    for broken in 4..12 {
        for _ in 0..broken {
            uhub.play(Fault::CutBody { after: usize::MAX });
        }
        uhub.play(respond(b"<html>"));
        let (shown, error) = collect(walk(&client).concurrency(8)).await;
        assert_eq!(error.unwrap().action(), Some("GetImageTag"), "{broken}");
        assert_eq!(shown, all[..shown.len()], "{broken}");
        assert!(shown.len() < all.len());
    }
}

/// Stands before a server and counts the calls that are under way at a time, the most there were.
async fn counting(server: &str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/", listener.local_addr().unwrap());
    let most = Arc::new(AtomicUsize::new(0));
    let (seen, under_way) = (most.clone(), Arc::new(AtomicUsize::new(0)));
    let server = server["http://".len()..].trim_end_matches('/').to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            // A connection has one call at a time: from the first bytes one way to the first back.
            let is_busy = Arc::new(AtomicBool::new(false));
            let (busy, calls, seen) = (is_busy.clone(), under_way.clone(), seen.clone());
            tokio::spawn(async move {
                let mut bytes = vec![0; 65_536];
                while let Ok(length @ 1..) = from_client.read(&mut bytes).await {
                    if !busy.swap(true, Ordering::SeqCst) {
                        let now = calls.fetch_add(1, Ordering::SeqCst) + 1;
                        seen.fetch_max(now, Ordering::SeqCst);
                    }
                    to_server.write_all(&bytes[..length]).await.unwrap();
                }
            });
            let calls = under_way.clone();
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
async fn no_more_calls_are_under_way_than_allowed() {
    let latency = Duration::from_millis(4);
    let uhub = large(latency).await;
    let mut took = Vec::new();
    for concurrency in [1, 3, 8] {
        let (base_url, most) = counting(uhub.base_url()).await;
        let client = uhub.client().base_url(base_url).build().unwrap();
        let started = Instant::now();
        let (shown, error) = collect(walk(&client).concurrency(concurrency)).await;
        took.push(started.elapsed());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(shown.len(), expected_of_large().len());
        assert_eq!(most.load(Ordering::SeqCst), concurrency);
    }
    // 350 requests one after the other take as long as that.
    assert!(took[0] >= latency * 350, "{took:?}");
    assert!(took[2] < took[0], "{took:?}");
}

/// What was met belongs to whoever keeps it: the walk has let go of it when it is past it.
#[tokio::test]
async fn what_was_yielded_is_not_kept() {
    let uhub = large(Duration::ZERO).await;
    let client = uhub.client().build().unwrap();
    let mut walk = walk(&client).concurrency(8);
    let mut images: Vec<Arc<ImageEntry>> = Vec::new();
    let mut checked = 0;
    while let Some(found) = walk.next().await {
        match found.unwrap() {
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

/// It may be moved to a task, and dropped anywhere.
#[tokio::test]
async fn a_walk_that_is_dropped_asks_no_more() {
    let uhub = large(Duration::from_millis(5)).await;
    let client = uhub.client().build().unwrap();
    let read = tokio::spawn(async move {
        let mut walk = walk(&client);
        for _ in 0..20 {
            walk.next().await.unwrap().unwrap();
        }
        assert!(!format!("{walk:?}").contains("local-private-key"));
    });
    read.await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let asked = uhub.requests().len();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(uhub.requests().len(), asked);
    assert!(asked < 25, "{asked}");
}

#[tokio::test]
async fn without_a_client_that_may_there_is_one_error() {
    let uhub = LocalUhub::start().await.unwrap();
    let wrong = uhub_sdk::Credentials::new(uhub.public_key(), "another-key");
    let client: Client = uhub.client().credentials(wrong).build().unwrap();
    let (shown, error) = collect(walk(&client)).await;
    assert!(shown.is_empty());
    assert_eq!(error.unwrap().ret_code(), Some(RetCode::SIGNATURE_WRONG));
}

#[test]
fn references_are_as_docker_takes_them() {
    let sha256 = format!("sha256:{}", "0a".repeat(32));
    let sha512 = format!("sha512:{}", "f".repeat(128));
    let long = "a".repeat(128);
    let host = "uhub.service.ucloud.cn";
    for (host, repository, image, version, expected) in [
        (
            host,
            "base",
            "nginx",
            Version::Tag("1.27"),
            "uhub.service.ucloud.cn/base/nginx:1.27".to_owned(),
        ),
        (
            host,
            "base",
            "nginx",
            Version::Digest(&sha256),
            format!("uhub.service.ucloud.cn/base/nginx@{sha256}"),
        ),
        (
            "localhost",
            "a",
            "b",
            Version::Digest(&sha512),
            format!("localhost/a/b@{sha512}"),
        ),
        (
            "localhost:5000",
            "a0.b_c__d---e",
            "x/y/0",
            Version::Tag("_.-"),
            "localhost:5000/a0.b_c__d---e/x/y/0:_.-".to_owned(),
        ),
        (
            "registry:5000",
            "a",
            "b",
            Version::Tag(&long),
            format!("registry:5000/a/b:{long}"),
        ),
        (
            "[::1]:5000",
            "a",
            "b",
            Version::Tag("V1"),
            "[::1]:5000/a/b:V1".to_owned(),
        ),
        (
            "[fe80::1]",
            "a",
            "b",
            Version::Tag("0"),
            "[fe80::1]/a/b:0".to_owned(),
        ),
        (
            "A-1.example",
            "a",
            "b",
            Version::Tag("0"),
            "A-1.example/a/b:0".to_owned(),
        ),
    ] {
        let reference = pull_reference(host, repository, image, version);
        assert_eq!(reference.as_ref(), Ok(&expected));
    }

    let bad = |host: &str, repository: &str, image: &str, version: Version<'_>, part| {
        let error = pull_reference(host, repository, image, version).unwrap_err();
        assert_eq!(error.part(), part, "{error}");
        let shown = error.to_string();
        let name = format!("the {part:?} is no part").to_lowercase();
        assert!(shown.starts_with(&name), "{shown}");
        assert!(shown.len() < 400 && !shown.contains('\n'), "{shown}");
        shown
    };
    let tag = Version::Tag("1");
    for wrong in [
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
        "[::1",
        "[]:80",
        "[::1]80",
        "[::1]:",
        "[::g]",
        "a.example\n",
        " a.example",
    ] {
        let shown = bad(wrong, "a", "b", tag, ReferencePart::Host);
        assert!(!shown.contains("pAsS"), "{shown}");
    }
    for wrong in [
        "", "A", "aB", ".a", "a.", "_a", "a_", "-a", "a-", "a..b", "a._b", "a___b", "a-_b", "a.-b",
        "a b", "a:b", "a@b", "ä", "aäb", "a\n",
    ] {
        bad(host, wrong, "b", tag, ReferencePart::Repository);
        bad(host, "a", wrong, tag, ReferencePart::Image);
        bad(host, "a", &format!("b/{wrong}"), tag, ReferencePart::Image);
    }
    bad(host, "a/b", "c", tag, ReferencePart::Repository);
    bad(host, "a", "/b", tag, ReferencePart::Image);
    bad(host, &long, &long, tag, ReferencePart::Name);
    let too_long = "a".repeat(129);
    for wrong in [
        "", ".a", "-a", "a b", "a:b", "a/b", "ä", "a\n", "a@b", &too_long,
    ] {
        bad(host, "a", "b", Version::Tag(wrong), ReferencePart::Tag);
    }
    let upper = format!("sha256:{}", "A".repeat(64));
    let short = format!("sha256:{}", "a".repeat(63));
    let other = format!("md5:{}", "a".repeat(32));
    let odd = format!("sha256:{}g", "a".repeat(63));
    for wrong in [
        "",
        "sha256",
        "sha256:",
        &upper,
        &short,
        &other,
        &odd,
        &sha256[7..],
    ] {
        bad(
            host,
            "a",
            "b",
            Version::Digest(wrong),
            ReferencePart::Digest,
        );
    }
}

/// What the example seeds: project, repository, visibility, images, tags, pulls.
const SEEDED: [(&str, &str, &str, u64, u64, i64); 5] = [
    ("org-main", "services", "private", 150, 600, 11_175),
    ("org-main", "empty", "private", 0, 0, 0),
    ("org-main", "base", "public", 120, 360, 7_140),
    ("org-web", "jobs", "private", 25, 50, 300),
    ("org-web", "web", "public", 30, 150, 435),
];

#[test]
fn the_example_counts_everything() {
    let output = example("audit").output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}");
    let lines: Vec<Vec<&str>> = stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines.len(), 7, "{stdout}");
    assert_eq!(lines[0][0], "PROJECT");
    for (line, (project, repository, visibility, images, tags, pulls)) in
        lines[1..6].iter().zip(SEEDED)
    {
        let [images, tags, pulls] = [images.to_string(), tags.to_string(), pulls.to_string()];
        assert_eq!(
            line,
            &[project, repository, visibility, &images, &tags, &pulls]
        );
    }
    assert!(
        stdout.ends_with("\n5 repositories, 325 images, 1160 tags, 19050 pulls\n"),
        "{stdout}"
    );
}

#[test]
fn the_example_writes_the_same_as_json() {
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
        serde_json::json!({"repositories": 5, "images": 325, "tags": 1160, "pulls": 19_050});
    assert_eq!(
        audit,
        serde_json::json!({"repositories": repositories, "totals": totals})
    );
}

#[tokio::test]
async fn the_example_audits_the_service_that_the_environment_names() {
    let uhub = LocalUhub::builder()
        .project("org-1")
        .project("org-2")
        .repository(Repository::documented())
        .repository_in("org-2", Repository::new("other").images(images([3])))
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
            (
                output.status.code(),
                text(output.stdout),
                text(output.stderr),
            )
        })
    };
    let (code, stdout, stderr) = run(uhub.private_key(), None, None).await.unwrap();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(
        stdout.contains("2 repositories, 10 images, 12 tags"),
        "{stdout}"
    );
    let (_, stdout, _) = run(uhub.private_key(), Some("org-2"), None).await.unwrap();
    assert!(
        stdout.contains("1 repositories, 1 images, 3 tags"),
        "{stdout}"
    );

    for (key, argument, says) in [
        ("another-key", None, "RetCode 171"),
        ("another-key", Some("--json"), "GetProjectList: "),
        (uhub.private_key(), Some("--xml"), "usage: audit [--json]"),
    ] {
        let (code, stdout, stderr) = run(key, None, argument).await.unwrap();
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        assert!(stderr.contains(says), "{stderr}");
    }
}

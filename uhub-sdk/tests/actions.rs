//! Every action of UHub over real HTTP, including the pitfalls of its documentation, and
//! pagination.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::respond;
use uhub_sdk::{
    Client, ClientBuilder, Encoding, Error, ErrorKind, Execution, Idempotency, RetCode,
    RetryPolicy, Timestamp, Visibility,
    actions::{
        delete_repo_image::DeleteRepoImageRequest,
        delete_repo_image_all_tags::DeleteRepoImageAllTagsRequest,
        get_project_list::GetProjectListIsFinance, get_repo::Repo,
    },
    local::{Fault, Image, LocalUhub, Project, Repository, Tag},
};

async fn uhub() -> LocalUhub {
    let tagged = Image::new("nginx")
        .tags(["1.25", "1.26", "1.27"].map(|tag| Tag::new(tag).digest("sha256:00")));
    LocalUhub::builder()
        .project(Project::new("org-1", "first"))
        .project(Project::new("org-2", "second"))
        .repository(Repository::new("base").public().description("for all").image(tagged))
        .repository(
            Repository::new("many").images((0..250).map(|n| Image::new(format!("image-{n}")))),
        )
        .start()
        .await
        .unwrap()
}

async fn images(client: &Client, repository: &str) -> Vec<String> {
    let mut images = client.get_repo_image(repository).items();
    let mut names = Vec::new();
    while let Some(image) = images.next().await {
        names.push(image.unwrap().image_name);
    }
    names
}

#[track_caller]
fn assert_refused(error: &Error, parameter: &str) {
    assert_eq!(
        (error.kind(), error.execution()),
        (ErrorKind::Request, Execution::NotSent),
        "{error}"
    );
    assert!(error.to_string().contains(&format!("`{parameter}` is empty")), "{error}");
}

#[tokio::test]
async fn a_repository_is_created_updated_and_deleted() {
    let uhub = uhub().await;
    for encoding in [Encoding::Form, Encoding::Query, Encoding::Json] {
        let client = ClientBuilder::for_local(&uhub).encoding(encoding).build().unwrap();
        client
            .create_repo("new")
            .visibility(Visibility::Private)
            .description("a note")
            .send()
            .await
            .unwrap();
        let error = client.create_repo("new").send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.execution()),
            (ErrorKind::Service, Execution::Failed),
            "{error}"
        );
        assert!(!error.is_retryable() && error.attempts() == 1, "{error}");
        let text = error.to_string();
        assert!(text.contains("already has a repository"), "{text}");
        assert!(!text.contains("may have been executed"), "{text}");

        let mine = client.get_repo(Visibility::Private).limit(10).send().await.unwrap();
        let new = mine.repos.iter().find(|repo| repo.repo_name == "new").unwrap();
        assert_eq!(
            (new.visibility, new.description.as_deref()),
            (Some(Visibility::Private), Some("a note"))
        );
        assert!(new.create_time.as_ref().and_then(Timestamp::to_system_time).is_some(), "{new:?}");

        client.update_repo("new", Visibility::Public).description("another").send().await.unwrap();
        let public = client.get_repo(Visibility::Public).send().await.unwrap();
        let new = public.repos.iter().find(|repo| repo.repo_name == "new").unwrap();
        assert_eq!(
            (new.visibility, new.description.as_deref()),
            (Some(Visibility::Public), Some("another"))
        );

        client.delete_repo("new").send().await.unwrap();
        assert!(client.delete_repo("many").send().await.is_err(), "it is not empty");
    }
}

#[tokio::test]
async fn tags_and_projects_are_listed() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    let page = client.get_image_tag("base", "nginx").limit(2).send().await.unwrap();
    assert_eq!((page.total_count, page.tags.len()), (3, 2));
    assert_eq!(page.tags[0].digest.as_deref(), Some("sha256:00"));
    let one = client.get_image_tag("base", "nginx").tag_name("1.26").send().await.unwrap();
    assert_eq!(one.tags[0].tag_name, "1.26");

    let projects = client.get_project_list().send().await.unwrap();
    let ids: Vec<(&str, bool)> = projects
        .projects
        .iter()
        .map(|project| (project.project_id.as_str(), project.is_default))
        .collect();
    assert_eq!(ids, [("org-1", true), ("org-2", false)]);
    assert!(projects.projects[0].create_time.to_system_time().is_some());
    // The action has no ProjectId, so the client's default is not sent.
    assert_eq!(uhub.requests().last().unwrap().parameter("ProjectId"), None);
}

/// Without a tag the service deletes all tags, so an empty tag is never sent.
#[tokio::test]
async fn deleting_one_tag_never_deletes_all() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    let error = client.delete_repo_image("base", "nginx", "").send().await.unwrap_err();
    assert_refused(&error, "TagName");
    assert!(uhub.requests().is_empty(), "nothing was sent");

    // A serialized request does not become the other one.
    let one = client.delete_repo_image("base", "nginx", "1.25").into_request();
    let json = serde_json::to_string(&one).unwrap();
    assert_eq!(serde_json::from_str::<DeleteRepoImageRequest>(&json).unwrap(), one);
    assert!(serde_json::from_str::<DeleteRepoImageAllTagsRequest>(&json).is_err());
    let all = client.delete_repo_image_all_tags("base", "nginx").into_request();
    let json = serde_json::to_string(&all).unwrap();
    assert!(serde_json::from_str::<DeleteRepoImageRequest>(&json).is_err());

    client.send(one).await.unwrap();
    assert_eq!(uhub.requests()[0].parameter("TagName"), Some("1.25"));
    let left = client.get_image_tag("base", "nginx").send().await.unwrap();
    assert_eq!(left.total_count, 2);

    client.delete_repo_image_all_tags("base", "nginx").send().await.unwrap();
    assert_eq!(uhub.requests().last().unwrap().parameter("TagName"), None);
    assert_eq!(images(&client, "base").await, [""; 0]);
}

#[tokio::test]
async fn an_empty_string_is_refused_unless_allowed() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    assert_refused(&client.get_repo_image("").send().await.unwrap_err(), "RepoName");
    assert_refused(
        &client.get_repo_image("base").project_id("").send().await.unwrap_err(),
        "ProjectId",
    );
    assert_refused(
        &client.get_image_tag("base", "nginx").tag_name("").send().await.unwrap_err(),
        "TagName",
    );
    assert_refused(
        &client
            .get_project_list()
            .is_finance(GetProjectListIsFinance::from(""))
            .send()
            .await
            .unwrap_err(),
        "IsFinance",
    );
    assert!(uhub.requests().is_empty(), "nothing was sent");
    // A description may be empty.
    client.create_repo("new").description("").send().await.unwrap();
    assert_eq!(uhub.requests()[0].parameter("Description"), Some(""));
}

/// Without these parameters, the service lists public repositories only, and an update of the
/// description makes a repository private.
#[tokio::test]
async fn parameters_with_surprising_defaults_are_always_sent() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).encoding(Encoding::Json).build().unwrap();
    client.get_repo(Visibility::Private).send().await.unwrap();
    client.update_repo("base", Visibility::Public).description("changed").send().await.unwrap();
    let requests = uhub.requests();
    assert_eq!(requests[0].parameter("Type"), Some("private"));
    assert_eq!(requests[1].parameter("IsShared"), Some("true"));
    let unknown = GetProjectListIsFinance::from("Perhaps");
    assert_eq!(
        (unknown.as_str(), &unknown),
        ("Perhaps", &GetProjectListIsFinance::Other("Perhaps".to_owned()))
    );
}

/// The documentation's example has strings where its table has models.
#[tokio::test]
async fn a_name_in_place_of_a_repository_is_read() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    uhub.inject(respond(200, &[], r#"{"RetCode": 0, "TotalCount": 2, "RepoSet": ["base", {"RepoName": "many", "IsShared": "true"}]}"#));
    let page = client.get_repo(Visibility::Public).send().await.unwrap();
    let [name, model] = page.repos.as_slice() else { panic!("{page:?}") };
    assert_eq!(
        (name.repo_name.as_str(), name.visibility, &name.create_time),
        ("base", None, &None)
    );
    assert_eq!((model.repo_name.as_str(), model.visibility), ("many", Some(Visibility::Public)));
    assert_eq!(Repo::default().visibility, None);
}

#[tokio::test]
async fn pagination_returns_every_item() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    let expected: Vec<String> = (0..250).map(|n| format!("image-{n}")).collect();
    for (limit, read_ahead, requests) in
        [(None, 0, 3), (Some(50), 0, 6), (Some(50), 8, 6), (Some(7), 3, 36)]
    {
        let before = uhub.requests().len();
        let mut call = client.get_repo_image("many").with_read_ahead(read_ahead);
        if let Some(limit) = limit {
            call = call.limit(limit);
        }
        let mut names = Vec::new();
        let mut items = call.items();
        while let Some(image) = items.next().await {
            names.push(image.unwrap().image_name);
        }
        assert_eq!(names, expected);
        assert!(items.next().await.is_none());
        assert_eq!(uhub.requests().len() - before, requests, "{limit:?} {read_ahead}");
    }
    let mut pages = client.get_repo_image("many").limit(100).offset(40).pages();
    let mut lengths = Vec::new();
    while let Some(page) = pages.next().await {
        lengths.push(page.unwrap().images.len());
    }
    assert_eq!(lengths, [100, 100, 10]);
    assert_eq!(images(&client, "base").await, ["nginx"]);
}

#[tokio::test]
async fn pagination_ends_with_the_first_error() {
    for read_ahead in [0, 4] {
        let uhub = uhub().await;
        let client = ClientBuilder::for_local(&uhub).build().unwrap();
        // The first page is fetched alone; of those fetched after it, the second one fails.
        let refusal = respond(200, &[], r#"{"RetCode": 299}"#);
        let mut items = client.get_repo_image("many").limit(50).with_read_ahead(read_ahead).items();
        let mut names = Vec::new();
        let mut error = None;
        while let Some(item) = items.next().await {
            match item {
                Ok(image) => names.push(image.image_name),
                Err(next) => {
                    assert!(error.replace(next).is_none(), "it comes once");
                }
            }
            if names.len() == 1 {
                // From here on, all requests are refused.
                (0..8).for_each(|_| uhub.inject(refusal.clone()));
            }
        }
        assert_eq!(error.and_then(|error| error.ret_code()), Some(RetCode::PERMISSION_DENIED));
        // The items before the error are complete pages, from the first one on.
        assert!(names.len() >= 50 && names.len() % 50 == 0, "{}", names.len());
        assert!(names.iter().enumerate().all(|(n, name)| *name == format!("image-{n}")));
        assert!(items.next().await.is_none());
    }
}

#[tokio::test]
async fn read_ahead_fetches_pages_before_they_are_read() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    for (read_ahead, max) in [(0, 1), (1, 2), (3, 4)] {
        let before = uhub.requests().len();
        let mut pages = client.get_repo_image("many").limit(10).with_read_ahead(read_ahead).pages();
        pages.next().await.unwrap().unwrap();
        pages.next().await.unwrap().unwrap();
        // Two pages have been read; those ahead arrive without further reading.
        let ahead = 2 + read_ahead;
        let arrive = async {
            while uhub.requests().len() - before < ahead {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), arrive)
            .await
            .expect("the pages ahead are requested");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let requests = uhub.requests().len() - before;
        assert!((ahead..=1 + max).contains(&requests), "{requests} with {read_ahead} ahead");
    }
}

/// The reader takes longer for a page than the timeout of an attempt.
#[tokio::test]
async fn a_slow_reader_does_not_time_out() {
    let uhub = uhub().await;
    let client =
        ClientBuilder::for_local(&uhub).attempt_timeout(Duration::from_secs(1)).build().unwrap();
    let mut items = client.get_repo_image("many").limit(100).with_read_ahead(2).items();
    let mut count = 0;
    while let Some(image) = items.next().await {
        image.unwrap();
        count += 1;
        if count % 100 == 1 {
            tokio::time::sleep(Duration::from_millis(1300)).await;
        }
    }
    assert_eq!(count, 250);
}

#[tokio::test]
async fn dropping_a_stream_stops_its_requests() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    let mut items = client.get_repo_image("many").limit(10).with_read_ahead(8).items();
    items.next().await.unwrap().unwrap();
    drop(items);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let requests = uhub.requests().len();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(uhub.requests().len(), requests, "no more requests");
}

#[tokio::test]
async fn an_action_without_types_is_called_by_name() {
    let uhub = uhub().await;
    for encoding in [Encoding::Form, Encoding::Query, Encoding::Json] {
        let client = ClientBuilder::for_local(&uhub).encoding(encoding).build().unwrap();
        let call = client.action("GetRepoImage").param("RepoName", "many").param("Limit", 2);
        let (response, metadata) = call.send_with_metadata::<serde_json::Value>().await.unwrap();
        assert_eq!(response["ImageSet"][1]["ImageName"], "image-1");
        assert_eq!(
            (metadata.action.as_deref(), &response["RetCode"]),
            (Some("GetRepoImageResponse"), &0.into())
        );
        let request = uhub.requests().pop().unwrap();
        assert_eq!(request.parameter("ProjectId"), Some("org-1"), "the client's default");
    }
    let client = ClientBuilder::for_local(&uhub).retry(RetryPolicy::disabled()).build().unwrap();
    let call = |name: &str, value: serde_json::Value| {
        client
            .action("GetRepoImage")
            .param("RepoName", "many")
            .param(name, value)
            .send::<serde_json::Value>()
    };
    let list = serde_json::json!([{"Type": "a", "Size": 2.0}, {"Hot": true}]);
    call("Disks", list).await.unwrap();
    let sent = uhub.requests().pop().unwrap();
    for (name, value) in [("Disks.0.Type", "a"), ("Disks.0.Size", "2"), ("Disks.1.Hot", "true")] {
        assert_eq!(sent.parameter(name), Some(value));
    }
    let before = uhub.requests().len();
    for (name, value, expected) in [
        ("RepoName", "again".into(), "`RepoName` is set twice"),
        ("Action", "Other".into(), "the client itself sets the parameter `Action`: remove it."),
        ("PublicKey", "other".into(), "the client itself sets the parameter `PublicKey`"),
        ("SecurityToken", "other".into(), "the client itself sets the parameter `SecurityToken`"),
        ("Signature", "forged".into(), "the client itself sets the parameter `Signature`"),
        ("", 1.into(), "\"\" cannot name a parameter"),
        ("Li mit", 1.into(), "\"Li mit\" cannot name a parameter"),
        ("Limit\n", 1.into(), "\"Limit\\n\" cannot name a parameter"),
        ("Limit", serde_json::Value::Null, "`Limit` is null"),
        ("TagName", "".into(), "`TagName` is empty"),
        ("TagName", serde_json::json!([]), "`TagName` is empty"),
        ("TagName", serde_json::json!([""]), "`TagName.0` is empty"),
        ("ProjectId", "".into(), "`ProjectId` is empty"),
    ] {
        let error = call(name, value).await.unwrap_err();
        assert_eq!((error.kind(), error.execution()), (ErrorKind::Request, Execution::NotSent));
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert_eq!(uhub.requests().len(), before, "nothing was sent");

    let call = client.action("CreateRepo").param("RepoName", "new").param_empty("Description");
    assert!(!format!("{call:?}").contains("new\""), "{call:?}");
    call.send::<serde_json::Value>().await.unwrap();
    assert_eq!(uhub.requests().last().unwrap().parameter("Description"), Some(""));
    let before = uhub.requests().len();
    for name in ["", " ", "Get Repo", "GetRepo\n", "GetRepo\u{1b}[2J", "Get&Repo", "Gét"] {
        let error = client.action(name).await.unwrap_err();
        assert_eq!((error.kind(), error.execution()), (ErrorKind::Request, Execution::NotSent));
        let text = error.to_string();
        assert!(text.contains("cannot name an action: expected letters"), "{text}");
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    let twice = client.action("GetRepo").param("Type", "public").param("Type", "private");
    assert_eq!(
        twice.await.unwrap_err().to_string(),
        "GetRepo: the parameter `Type` is set twice: remove one of the two."
    );
    assert_eq!(uhub.requests().len(), before, "nothing was sent");

    let unknown =
        client.action("DescribeSomethingNew").send::<serde_json::Value>().await.unwrap_err();
    assert_eq!(
        (unknown.ret_code(), unknown.action()),
        (Some(RetCode::ACTION_UNKNOWN), Some("DescribeSomethingNew"))
    );
    for (idempotency, is_retryable) in
        [(Idempotency::NonIdempotent, false), (Idempotency::Safe, true)]
    {
        uhub.inject(Fault::CutConnection);
        let call = client
            .action("GetRepo")
            .with_idempotency(idempotency)
            .with_timeout(Duration::from_secs(9));
        assert_eq!(
            call.send::<serde_json::Value>().await.unwrap_err().is_retryable(),
            is_retryable
        );
    }
    let text =
        client.action("GetRepoImage").param("RepoName", "many").send::<String>().await.unwrap_err();
    assert_eq!((text.kind(), text.execution()), (ErrorKind::Decode, Execution::Completed));
}

#[cfg(feature = "blocking")]
mod blocking {
    use super::*;

    /// Starts a server on its own thread, which runs until the runtime is dropped.
    fn start() -> (tokio::runtime::Runtime, LocalUhub) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let uhub = runtime.block_on(uhub());
        (runtime, uhub)
    }

    #[test]
    fn the_blocking_client_mirrors_the_async_one() {
        let (_runtime, uhub) = start();
        let client = ClientBuilder::for_local(&uhub).build_blocking().unwrap();
        let page = client.get_repo_image("many").limit(3).send().unwrap();
        assert_eq!((page.total_count, page.images.len()), (250, 3));
        let names: Vec<String> = client
            .get_repo_image("many")
            .limit(60)
            .with_read_ahead(2)
            .items()
            .map(|image| image.unwrap().image_name)
            .collect();
        assert_eq!(names.len(), 250);
        assert_eq!(client.get_repo_image("many").limit(60).pages().count(), 5);
        let response: serde_json::Value = client.action("GetProjectList").send().unwrap();
        assert_eq!(response["ProjectCount"], 2);
        let error = client.delete_repo_image("base", "nginx", "").send().unwrap_err();
        assert_eq!(error.execution(), Execution::NotSent);

        let threads: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                std::thread::spawn(move || {
                    client.get_repo_image("many").items().filter(Result::is_ok).count()
                })
            })
            .collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 250);
        }
    }

    #[test]
    fn a_blocking_call_on_a_runtimes_thread_is_an_error() {
        let (runtime, uhub) = start();
        let client = ClientBuilder::for_local(&uhub).build_blocking().unwrap();
        runtime.block_on(async move {
            let error = client.get_repo_image("many").send().unwrap_err();
            assert_eq!(
                (error.kind(), error.execution()),
                (ErrorKind::Configuration, Execution::NotSent)
            );
            assert!(error.to_string().contains("use the async `Client` there"), "{error}");
            let mut items = client.get_repo_image("many").items();
            assert!(items.next().unwrap().is_err());
            assert!(items.next().is_none());
            // Dropping the last client does not panic here.
            drop(items);
            drop(client);
        });
    }
}

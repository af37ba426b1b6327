//! Every action of UHub over real HTTP, the traps of its documentation among them, and walking pages.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use uhub_sdk::{
    Client, Encoding, Error, ErrorKind, Execution, Idempotency, RetCode, RetryPolicy, Timestamp,
    actions::{
        delete_repo_image::DeleteRepoImageRequest,
        delete_repo_image_all_tags::DeleteRepoImageAllTagsRequest,
        get_repo::{GetRepoType, RepoSet},
    },
    local::{Fault, Image, LocalUhub, Repository, Tag},
};

async fn uhub() -> LocalUhub {
    let tagged = Image::new("nginx")
        .tags(["1.25", "1.26", "1.27"].map(|tag| Tag::new(tag).digest("sha256:00")));
    LocalUhub::builder()
        .project_named("org-1", "first")
        .project_named("org-2", "second")
        .repository(
            Repository::new("base")
                .shared(true)
                .description("for all")
                .image(tagged),
        )
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

fn respond(body: &str) -> Fault {
    Fault::Respond {
        status: 200,
        headers: Vec::new(),
        body: body.to_owned().into(),
    }
}

#[track_caller]
fn assert_refused(error: &Error, parameter: &str) {
    assert_eq!(
        (error.kind(), error.execution()),
        (ErrorKind::Request, Execution::NotSent),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains(&format!("`{parameter}` is empty")),
        "{error}"
    );
}

#[tokio::test]
async fn a_repository_is_created_changed_and_deleted() {
    let uhub = uhub().await;
    for encoding in [Encoding::Form, Encoding::Query, Encoding::Json] {
        let client = uhub.client().encoding(encoding).build().unwrap();
        client
            .create_repo("new")
            .is_shared(false)
            .description("a note")
            .send()
            .await
            .unwrap();
        let error = client.create_repo("new").send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.execution()),
            (ErrorKind::Service, Execution::Unknown),
            "{error}"
        );

        let mine = client
            .get_repo(GetRepoType::Private)
            .limit(10)
            .send()
            .await
            .unwrap();
        let new = mine
            .repo_set
            .iter()
            .find(|repo| repo.repo_name == "new")
            .unwrap();
        assert_eq!(
            (new.is_shared, new.description.as_deref()),
            (Some(false), Some("a note"))
        );
        assert!(
            new.create_time
                .as_ref()
                .and_then(Timestamp::to_system_time)
                .is_some(),
            "{new:?}"
        );

        client
            .update_repo("new", true)
            .description("another")
            .send()
            .await
            .unwrap();
        let public = client.get_repo(GetRepoType::Public).send().await.unwrap();
        let new = public
            .repo_set
            .iter()
            .find(|repo| repo.repo_name == "new")
            .unwrap();
        assert_eq!(
            (new.is_shared, new.description.as_deref()),
            (Some(true), Some("another"))
        );

        client.delete_repo("new").send().await.unwrap();
        assert!(
            client.delete_repo("many").send().await.is_err(),
            "it is not empty"
        );
    }
}

#[tokio::test]
async fn tags_and_projects_are_listed() {
    let uhub = uhub().await;
    let client = uhub.client().build().unwrap();
    let page = client
        .get_image_tag("base", "nginx")
        .limit(2)
        .send()
        .await
        .unwrap();
    assert_eq!((page.total_count, page.tag_set.len()), (3, 2));
    assert_eq!(page.tag_set[0].digest.as_deref(), Some("sha256:00"));
    let one = client
        .get_image_tag("base", "nginx")
        .tag_name("1.26")
        .send()
        .await
        .unwrap();
    assert_eq!(one.tag_set[0].tag_name, "1.26");

    let projects = client.get_project_list().send().await.unwrap();
    let ids: Vec<(&str, bool)> = projects
        .project_set
        .iter()
        .map(|project| (project.project_id.as_str(), project.is_default))
        .collect();
    assert_eq!(ids, [("org-1", true), ("org-2", false)]);
    assert!(
        projects.project_set[0]
            .create_time
            .to_system_time()
            .is_some()
    );
    // The action has no ProjectId, and the client's own is not sent.
    assert_eq!(uhub.requests().last().unwrap().parameter("ProjectId"), None);
}

/// Without a tag the service deletes every tag: no value that was forgotten or is empty gets there.
#[tokio::test]
async fn one_tag_never_becomes_all_of_them() {
    let uhub = uhub().await;
    let client = uhub.client().build().unwrap();
    let error = client
        .delete_repo_image("base", "nginx", "")
        .send()
        .await
        .unwrap_err();
    assert_refused(&error, "TagName");
    assert!(uhub.requests().is_empty(), "nothing was sent");

    // Nor does a request that was kept become the other one.
    let one = client
        .delete_repo_image("base", "nginx", "1.25")
        .into_request();
    let kept = serde_json::to_string(&one).unwrap();
    assert_eq!(
        serde_json::from_str::<DeleteRepoImageRequest>(&kept).unwrap(),
        one
    );
    assert!(serde_json::from_str::<DeleteRepoImageAllTagsRequest>(&kept).is_err());
    let all = client
        .delete_repo_image_all_tags("base", "nginx")
        .into_request();
    let kept = serde_json::to_string(&all).unwrap();
    assert!(serde_json::from_str::<DeleteRepoImageRequest>(&kept).is_err());

    client.send(one).await.unwrap();
    assert_eq!(uhub.requests()[0].parameter("TagName"), Some("1.25"));
    let left = client.get_image_tag("base", "nginx").send().await.unwrap();
    assert_eq!(left.total_count, 2);

    client
        .delete_repo_image_all_tags("base", "nginx")
        .send()
        .await
        .unwrap();
    assert_eq!(uhub.requests().last().unwrap().parameter("TagName"), None);
    assert_eq!(images(&client, "base").await, [""; 0]);
}

#[tokio::test]
async fn an_empty_text_never_silently_means_that_nothing_was_given() {
    let uhub = uhub().await;
    let client = uhub.client().build().unwrap();
    assert_refused(
        &client.get_repo_image("").send().await.unwrap_err(),
        "RepoName",
    );
    assert_refused(
        &client
            .get_repo_image("base")
            .project_id("")
            .send()
            .await
            .unwrap_err(),
        "ProjectId",
    );
    assert_refused(
        &client
            .get_image_tag("base", "nginx")
            .tag_name("")
            .send()
            .await
            .unwrap_err(),
        "TagName",
    );
    assert_refused(
        &client
            .get_repo(GetRepoType::from(""))
            .send()
            .await
            .unwrap_err(),
        "Type",
    );
    assert!(uhub.requests().is_empty(), "nothing was sent");
    // A note may be empty, and is sent so.
    client
        .create_repo("new")
        .description("")
        .send()
        .await
        .unwrap();
    assert_eq!(uhub.requests()[0].parameter("Description"), Some(""));
}

/// The service would list public repositories to whoever does not say which, and make a repository
/// private whose note alone is changed: here both are said in every request.
#[tokio::test]
async fn what_a_default_would_surprise_with_is_always_sent() {
    let uhub = uhub().await;
    let client = uhub.client().encoding(Encoding::Json).build().unwrap();
    client.get_repo(GetRepoType::Private).send().await.unwrap();
    client
        .update_repo("base", true)
        .description("changed")
        .send()
        .await
        .unwrap();
    let requests = uhub.requests();
    assert_eq!(requests[0].parameter("Type"), Some("private"));
    assert_eq!(requests[1].parameter("IsShared"), Some("true"));
    let unknown = GetRepoType::from("internal");
    assert_eq!(
        (unknown.as_str(), &unknown),
        ("internal", &GetRepoType::Other("internal".to_owned()))
    );
}

/// The documentation's example has names where its table has models.
#[tokio::test]
async fn a_name_in_place_of_a_repository_is_read_and_can_be_told() {
    let uhub = uhub().await;
    let client = uhub.client().build().unwrap();
    uhub.play(respond(r#"{"RetCode": 0, "TotalCount": 2, "RepoSet": ["base", {"RepoName": "many", "IsShared": "true"}]}"#));
    let page = client.get_repo(GetRepoType::Public).send().await.unwrap();
    let [name, model] = page.repo_set.as_slice() else {
        panic!("{page:?}")
    };
    assert_eq!(
        (name.repo_name.as_str(), name.is_shared, &name.create_time),
        ("base", None, &None)
    );
    assert_eq!(
        (model.repo_name.as_str(), model.is_shared),
        ("many", Some(true))
    );
    assert_eq!(RepoSet::default().is_shared, None);
}

#[tokio::test]
async fn pages_are_walked_to_their_end() {
    let uhub = uhub().await;
    let client = uhub.client().build().unwrap();
    let expected: Vec<String> = (0..250).map(|n| format!("image-{n}")).collect();
    for (limit, read_ahead, requests) in [
        (None, 0, 3),
        (Some(50), 0, 5),
        (Some(50), 8, 5),
        (Some(7), 3, 36),
    ] {
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
        assert_eq!(
            uhub.requests().len() - before,
            requests,
            "{limit:?} {read_ahead}"
        );
    }
    let mut pages = client.get_repo_image("many").limit(100).offset(40).pages();
    let mut lengths = Vec::new();
    while let Some(page) = pages.next().await {
        lengths.push(page.unwrap().image_set.len());
    }
    assert_eq!(lengths, [100, 100, 10]);
    assert_eq!(images(&client, "base").await, ["nginx"]);
}

#[tokio::test]
async fn an_error_comes_once_and_behind_what_came_before() {
    for read_ahead in [0, 4] {
        let uhub = uhub().await;
        let client = uhub.client().build().unwrap();
        // The first page comes alone; of those asked for after it, the second one fails.
        let limits = Fault::Respond {
            status: 200,
            headers: Vec::new(),
            body: r#"{"RetCode": 299}"#.into(),
        };
        let mut items = client
            .get_repo_image("many")
            .limit(50)
            .with_read_ahead(read_ahead)
            .items();
        let mut names = Vec::new();
        let mut error = None;
        while let Some(item) = items.next().await {
            match item {
                Ok(image) => names.push(image.image_name),
                Err(found) => {
                    assert!(error.replace(found).is_none(), "it comes once");
                }
            }
            if names.len() == 1 {
                // From here on, whatever arrives is refused.
                (0..8).for_each(|_| uhub.play(limits.clone()));
            }
        }
        assert_eq!(
            error.and_then(|error| error.ret_code()),
            Some(RetCode::PERMISSION_DENIED)
        );
        // What had been read before is whole pages, from the first one on.
        assert!(
            names.len() >= 50 && names.len() % 50 == 0,
            "{}",
            names.len()
        );
        assert!(
            names
                .iter()
                .enumerate()
                .all(|(n, name)| *name == format!("image-{n}"))
        );
        assert!(items.next().await.is_none());
    }
}

#[tokio::test]
async fn reading_ahead_asks_for_pages_before_they_are_read() {
    let uhub = uhub().await;
    let client = uhub.client().build().unwrap();
    for (read_ahead, most) in [(0, 1), (1, 2), (3, 4)] {
        let before = uhub.requests().len();
        let mut pages = client
            .get_repo_image("many")
            .limit(10)
            .with_read_ahead(read_ahead)
            .pages();
        pages.next().await.unwrap().unwrap();
        pages.next().await.unwrap().unwrap();
        // Two pages have been read; those ahead arrive without anyone reading on.
        let ahead = 2 + read_ahead;
        let arrive = async {
            while uhub.requests().len() - before < ahead {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), arrive)
            .await
            .expect("the pages ahead are asked for");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let asked = uhub.requests().len() - before;
        assert!(
            (ahead..=1 + most).contains(&asked),
            "{asked} with {read_ahead} ahead"
        );
    }
}

/// A reader who takes longer over a page than a page may take to come.
#[tokio::test]
async fn a_slow_reader_does_not_time_out() {
    let uhub = uhub().await;
    let client = uhub
        .client()
        .attempt_timeout(Duration::from_secs(1))
        .build()
        .unwrap();
    let mut items = client
        .get_repo_image("many")
        .limit(100)
        .with_read_ahead(2)
        .items();
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
async fn whoever_stops_reading_leaves_nothing_behind() {
    let uhub = uhub().await;
    let client = uhub.client().build().unwrap();
    let mut items = client
        .get_repo_image("many")
        .limit(10)
        .with_read_ahead(8)
        .items();
    items.next().await.unwrap().unwrap();
    drop(items);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let asked = uhub.requests().len();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(uhub.requests().len(), asked, "nobody asks on");
}

#[tokio::test]
async fn an_action_without_types_is_called_by_name() {
    let uhub = uhub().await;
    for encoding in [Encoding::Form, Encoding::Query, Encoding::Json] {
        let client = uhub.client().encoding(encoding).build().unwrap();
        let call = client
            .action("GetRepoImage")
            .param("RepoName", "many")
            .param("Limit", 2);
        let (answer, metadata) = call
            .send_with_metadata::<serde_json::Value>()
            .await
            .unwrap();
        assert_eq!(answer["ImageSet"][1]["ImageName"], "image-1");
        assert_eq!(
            (metadata.action.as_deref(), &answer["RetCode"]),
            (Some("GetRepoImageResponse"), &0.into())
        );
        let request = uhub.requests().pop().unwrap();
        assert_eq!(
            request.parameter("ProjectId"),
            Some("org-1"),
            "the client's own"
        );
    }
    let client = uhub
        .client()
        .retry(RetryPolicy::disabled())
        .build()
        .unwrap();
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
    for (name, value) in [
        ("Disks.0.Type", "a"),
        ("Disks.0.Size", "2"),
        ("Disks.1.Hot", "true"),
    ] {
        assert_eq!(sent.parameter(name), Some(value));
    }
    let before = uhub.requests().len();
    for (name, value, says) in [
        ("RepoName", "again".into(), "`RepoName` is there twice"),
        ("Action", "Other".into(), "`Action` is there twice"),
        ("PublicKey", "other".into(), "`PublicKey` is there twice"),
        (
            "Signature",
            "forged".into(),
            "cannot be named \"Signature\"",
        ),
        ("", 1.into(), "cannot be named \"\""),
        ("Limit", serde_json::Value::Null, "`Limit` is null"),
        ("TagName", "".into(), "`TagName` is empty"),
        ("TagName", serde_json::json!([]), "`TagName` is empty"),
        ("TagName", serde_json::json!([""]), "`TagName.0` is empty"),
        ("ProjectId", "".into(), "`ProjectId` is empty"),
    ] {
        let error = call(name, value).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.execution()),
            (ErrorKind::Request, Execution::NotSent)
        );
        assert!(error.to_string().contains(says), "{error}");
    }
    assert_eq!(uhub.requests().len(), before, "nothing was sent");

    let call = client
        .action("CreateRepo")
        .param("RepoName", "new")
        .param_empty("Description");
    assert!(!format!("{call:?}").contains("new\""), "{call:?}");
    call.send::<serde_json::Value>().await.unwrap();
    assert_eq!(
        uhub.requests().last().unwrap().parameter("Description"),
        Some("")
    );
    let unknown = client
        .action("DescribeSomethingNew")
        .send::<serde_json::Value>()
        .await
        .unwrap_err();
    assert_eq!(
        (unknown.ret_code(), unknown.action()),
        (Some(RetCode::ACTION_UNKNOWN), Some("DescribeSomethingNew"))
    );
    for (idempotency, repeatable) in [
        (Idempotency::NonIdempotent, false),
        (Idempotency::Safe, true),
    ] {
        uhub.play(Fault::CutConnection);
        let call = client
            .action("GetRepo")
            .with_idempotency(idempotency)
            .with_timeout(Duration::from_secs(9));
        assert_eq!(
            call.send::<serde_json::Value>()
                .await
                .unwrap_err()
                .is_retryable(),
            repeatable
        );
    }
    let text = client
        .action("GetRepoImage")
        .param("RepoName", "many")
        .send::<String>()
        .await
        .unwrap_err();
    assert_eq!(
        (text.kind(), text.execution()),
        (ErrorKind::Decode, Execution::Completed)
    );
}

#[cfg(feature = "blocking")]
mod blocking {
    use super::*;

    /// A server that runs on a thread of its own for as long as it is held.
    fn served() -> (tokio::runtime::Runtime, LocalUhub) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let uhub = runtime.block_on(uhub());
        (runtime, uhub)
    }

    #[test]
    fn calls_and_walks_have_the_same_names() {
        let (_runtime, uhub) = served();
        let client = uhub.client().build_blocking().unwrap();
        let page = client.get_repo_image("many").limit(3).send().unwrap();
        assert_eq!((page.total_count, page.image_set.len()), (250, 3));
        let names: Vec<String> = client
            .get_repo_image("many")
            .limit(60)
            .with_read_ahead(2)
            .items()
            .map(|image| image.unwrap().image_name)
            .collect();
        assert_eq!(names.len(), 250);
        assert_eq!(client.get_repo_image("many").limit(60).pages().count(), 5);
        let answer: serde_json::Value = client.action("GetProjectList").send().unwrap();
        assert_eq!(answer["ProjectCount"], 2);
        let error = client
            .delete_repo_image("base", "nginx", "")
            .send()
            .unwrap_err();
        assert_eq!(error.execution(), Execution::NotSent);

        let threads: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                std::thread::spawn(move || {
                    client
                        .get_repo_image("many")
                        .items()
                        .filter(Result::is_ok)
                        .count()
                })
            })
            .collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 250);
        }
    }

    #[test]
    fn on_a_runtimes_thread_there_is_an_error_and_no_panic() {
        let (runtime, uhub) = served();
        let client = uhub.client().build_blocking().unwrap();
        runtime.block_on(async move {
            let error = client.get_repo_image("many").send().unwrap_err();
            assert_eq!(
                (error.kind(), error.execution()),
                (ErrorKind::Configuration, Execution::NotSent)
            );
            assert!(
                error.to_string().contains("use `uhub_sdk::Client` there"),
                "{error}"
            );
            let mut items = client.get_repo_image("many").items();
            assert!(items.next().unwrap().is_err());
            assert!(items.next().is_none());
            // Dropping the last client here does not panic either.
            drop(items);
            drop(client);
        });
    }
}

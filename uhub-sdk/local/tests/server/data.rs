//! Data: read from files, generated, replaced, and loaded again.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use uhub_local::{Data, Generate, Image, LocalUhub, Project, Repository, Role, Tag, User};

use crate::wire::*;

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    fs::write(&file, text).unwrap();
    file
}

/// The error of a file with this text, without the path.
fn error_in(text: &str) -> String {
    let file = file(text);
    let error = Data::read(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let message = error.to_string();
    let path = file.path().display().to_string();
    message.strip_prefix(&path).expect(&message).to_owned()
}

async fn start(data: Data) -> LocalUhub {
    LocalUhub::builder().data(data).start().await.unwrap()
}

#[tokio::test]
async fn a_file_is_loaded() {
    let file = file(
        r#"{
            "version": 1,
            "users": [
                {"public_key": "one", "private_key": "1"},
                {"public_key": "two", "private_key": "2", "sub_account": true, "projects": ["b"]}
            ],
            "projects": [
                {"id": "a", "name": "A", "repositories": [
                    {"name": "base", "visibility": "public", "images": [
                        {"name": "nginx", "pull_count": 7, "tags": [{"name": "1.0"}, {"name": "1.1"}]},
                        {"name": "plain", "latest_tag": "edge"}
                    ]}
                ]},
                {"id": "b", "name": "B"}
            ]
        }"#,
    );
    let uhub = start(Data::read(file.path()).unwrap()).await;
    assert_eq!((uhub.public_key(), uhub.project_id()), ("one", "a"));
    let images = act(&uhub, "GetRepoImage", &[("RepoName", "base")]).await;
    assert_eq!(column(&images, "ImageSet", "ImageName"), ["nginx", "plain"]);
    assert_eq!(column(&images, "ImageSet", "LatestTag"), ["1.1", "edge"]);
    assert_eq!(images["ImageSet"][0]["PullCount"], 7);

    // Everything else has a default.
    let minimal = self::file(r#"{"version": 1}"#);
    let uhub = start(Data::read(&minimal).unwrap()).await;
    assert_eq!(uhub.public_key(), "local-public-key");
    assert_eq!(uhub.project_id(), "org-local");
    // The default project can be referenced.
    let named = self::file(
        r#"{"version": 1, "users": [{"public_key": "k", "private_key": "s", "sub_account": true, "projects": ["org-local"]}]}"#,
    );
    assert_eq!(start(Data::read(&named).unwrap()).await.public_key(), "k");
}

#[test]
fn an_error_in_a_file_has_a_position() {
    for (text, expected) in [
        ("", ":1:0: EOF while parsing a value"),
        ("{}", ":1:2: missing field `version`"),
        (
            "{\n  \"version\": 2,\n  \"new\": 1\n}",
            ":2:14: version 2 is not supported: this crate reads version 1",
        ),
        (
            "{\"version\": 1,\n \"projekts\": []}",
            ":2:11: unknown field `projekts`, expected one of `version`, `users`, `projects`, `role`, `generate`",
        ),
        (
            "{\"version\": 1, \"projects\": [\n{\"id\": 5, \"name\": \"a\"}]}",
            ":2:8: invalid type: integer, expected a string",
        ),
        // The value may be a key.
        (
            r#"{"version": 1, "users": ["s3c\", expected ret"]}"#,
            ":1:46: invalid type: string, expected struct User",
        ),
        (
            "{\"version\": 1, \"generate\": {\"seed\": 1, \"repos\": 2}}",
            ":1:46: unknown field `repos`, expected one of `seed`, `repositories`, `images`, `tags`",
        ),
    ] {
        assert_eq!(error_in(text), expected, "{text}");
    }
}

#[test]
fn every_inconsistency_is_reported_at_once() {
    let error = error_in(
        r#"{
            "version": 1,
            "users": [
                {"public_key": "k", "private_key": "s3cret", "projects": ["a", "z"]},
                {"public_key": "k", "private_key": "s3cret", "expires": 5}
            ],
            "projects": [
                {"id": "a", "name": "A", "repositories": [
                    {"name": "r", "images": [{"name": "i", "tags": [{"name": ""}, {"name": "t"}, {"name": "t"}]}]},
                    {"name": "r"}
                ]}
            ],
            "generate": {"repositories": 100000000}
        }"#,
    );
    for expected in [
        r#"duplicate public key "k""#,
        r#"duplicate repository "r" in project "a""#,
        r#"empty tag name in image "i" in repository "r" in project "a""#,
        r#"duplicate tag "t" in image "i" in repository "r" in project "a""#,
        r#"the user "k" may use the project "z", which does not exist"#,
        r#"the user "k" has projects, but is not a sub-account"#,
        r#"the user "k" expires, but has no security token"#,
        "`generate` exceeds the limit of 10000000 tags",
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
    assert!(!error.contains("s3cret"));
    let error = Data::read("/nowhere/data.json").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().starts_with("/nowhere/data.json: "), "{error}");
}

#[tokio::test]
async fn the_demo_has_something_for_every_action() {
    let uhub = start(Data::demo()).await;
    let projects = act(&uhub, "GetProjectList", &[]).await;
    assert_eq!(column(&projects, "ProjectSet", "ProjectId"), ["org-demo", "org-staging"]);
    let public = act(&uhub, "GetRepo", &[]).await;
    assert_eq!(column(&public, "RepoSet", "RepoName"), ["base"]);
    let private = act(&uhub, "GetRepo", &[("Type", "private")]).await;
    assert_eq!(column(&private, "RepoSet", "RepoName"), ["shop", "data", "sandbox"]);
    let nginx = [("RepoName", "base"), ("ImageName", "nginx")];
    let tags = act(&uhub, "GetImageTag", &nginx).await;
    assert_eq!(column(&tags, "TagSet", "TagName"), ["1.25", "1.26", "1.27"]);
    assert!(column(&tags, "TagSet", "Digest").iter().all(|digest| digest.len() == 71));
    // There is room for another repository, and an empty one to delete.
    assert_eq!(act(&uhub, "CreateRepo", &[("RepoName", "new")]).await["RetCode"], 0);
    assert_eq!(act(&uhub, "DeleteRepo", &[("RepoName", "sandbox")]).await["RetCode"], 0);
    // The sub-account sees one project.
    let sub_account = &uhub.data().users[1];
    let list = signed_with(
        &sub_account.public_key,
        &sub_account.private_key,
        &[("Action", "GetProjectList")],
    );
    let body = ask(&uhub, get(&list)).await.json();
    assert_eq!(column(&body, "ProjectSet", "ProjectId"), ["org-staging"]);
}

#[tokio::test]
async fn thousands_of_images_are_generated_and_paginated() {
    let generate = Generate { seed: 7, repositories: 2, images: 3000, tags: 5 };
    let uhub = LocalUhub::builder()
        .repository(Repository::new("mine").public())
        .generate(generate)
        .start()
        .await
        .unwrap();
    let data = uhub.data();
    assert_eq!(data.projects[0].repositories.len(), 3);
    let name = data.projects[0].repositories[1].name.clone();
    let last = act(&uhub, "GetRepoImage", &[("RepoName", &name), ("Offset", "2999")]).await;
    assert_eq!(last["TotalCount"], 3000);
    assert_eq!(last["ImageSet"].as_array().map(Vec::len), Some(1));
    let again = LocalUhub::builder()
        .repository(Repository::new("mine").public())
        .generate(generate)
        .start()
        .await
        .unwrap();
    assert!(again.data() == data, "the same values generated other data");
}

#[tokio::test]
async fn current_data_can_be_loaded_again() {
    let image =
        Image::new("nginx").tags(["1.0", "1.1"].map(Tag::new)).latest_tag("1.0").pull_count(5);
    let mut base = Repository::new("base").description("基础");
    base.is_outside = true;
    let mut temporary = User::new("b", "2").security_token("t");
    temporary.expires = Some(4_000_000_000);
    let uhub = LocalUhub::builder()
        .users([User::new("a", "1"), temporary])
        .repository(base.image(image))
        .start()
        .await
        .unwrap();
    let current = "GET /_local/data HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let json = String::from_utf8(ask(&uhub, current).await.body).unwrap();
    let loaded = Data::read(file(&json)).unwrap();
    assert_eq!(loaded, uhub.data());
    let other = start(loaded).await;
    assert_eq!(other.data(), uhub.data());
    let parameters = [("RepoName", "base"), ("ImageName", "nginx")];
    assert_eq!(
        act(&other, "GetImageTag", &parameters).await,
        act(&uhub, "GetImageTag", &parameters).await,
    );
    assert!(!format!("{:?}", uhub.data()).contains("\"2\""), "`Debug` shows a private key");
}

#[tokio::test]
async fn data_is_replaced_while_the_server_runs() {
    let uhub = start(Data::demo()).await;
    let before = uhub.data();
    let mut other = Data::default();
    other.projects.push(Project::new("org-x", "X").repository(Repository::new("base")));
    other.projects.push(Project::new("org-x", "X"));
    assert_eq!(uhub.set_data(other.clone()).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(uhub.data(), before, "refused data changed something");
    other.projects.pop();
    uhub.set_data(other).unwrap();
    let listed = act(&uhub, "GetProjectList", &[]).await;
    assert_eq!(column(&listed, "ProjectSet", "ProjectId"), ["org-x"]);
}

#[tokio::test]
async fn the_documented_json_is_read() {
    let example = Path::new("src/data/example.json");
    let uhub = start(Data::read(example).unwrap()).await;
    let data = uhub.data();
    assert_eq!(data.projects[0].repositories.len(), 4);
    let hour = Duration::from_secs(3600);
    assert_eq!(data.role, Some(Role::new("backup", hour)));
    let credentials = "/meta-data/v2/iam/security-credentials/backup";
    let request = format!("GET {credentials} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(ask(&uhub, &request).await.ret_code(), 0);
    // Without a role there is no metadata service.
    uhub.set_data(Data::default()).unwrap();
    assert_eq!(ask(&uhub, &request).await.status, 404);
}

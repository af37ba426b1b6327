//! Data: read, generated, kept and loaded again.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use uhub_sdk::local::{Data, Generate, Image, Key, LocalUhub, Project, Repository, Role, Tag};

use crate::wire::*;

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    fs::write(&file, text).unwrap();
    file
}

/// What is said of a file with this text, without the path before it.
fn mistake(text: &str) -> String {
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
async fn a_file_says_what_there_is() {
    let file = file(
        r#"{
            "version": 1,
            "keys": [
                {"public_key": "one", "private_key": "1"},
                {"public_key": "two", "private_key": "2", "sub_account": true, "projects": ["b"]}
            ],
            "projects": [
                {"id": "a", "name": "A", "repositories": [
                    {"name": "base", "is_shared": true, "images": [
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

    // The least that a file says is enough.
    let least = self::file(r#"{"version": 1}"#);
    let uhub = start(Data::read(&least).unwrap()).await;
    assert_eq!(uhub.public_key(), "local-public-key");
    assert_eq!(uhub.project_id(), "org-local");
    // What there is by default can be named.
    let named = self::file(
        r#"{"version": 1, "keys": [{"public_key": "k", "private_key": "s", "sub_account": true, "projects": ["org-local"]}]}"#,
    );
    assert_eq!(start(Data::read(&named).unwrap()).await.public_key(), "k");
}

#[test]
fn a_mistake_in_a_file_has_its_place() {
    for (text, expected) in [
        ("", ":1:0: EOF while parsing a value"),
        ("{}", ":1:2: missing field `version`"),
        (
            "{\n  \"version\": 2,\n  \"new\": 1\n}",
            ":2:14: version 2 is not known here: this crate reads version 1",
        ),
        (
            "{\"version\": 1,\n \"projekts\": []}",
            ":2:11: unknown field `projekts`, expected one of `version`, `keys`, `projects`, `role`, `generate`",
        ),
        (
            "{\"version\": 1, \"projects\": [\n{\"id\": 5, \"name\": \"a\"}]}",
            ":2:8: invalid type: integer, expected a string",
        ),
        // It may be a key.
        (
            r#"{"version": 1, "keys": ["s3c\", expected ret"]}"#,
            ":1:45: invalid type: string, expected struct Key",
        ),
        (
            "{\"version\": 1, \"generate\": {\"seed\": 1, \"repos\": 2}}",
            ":1:46: unknown field `repos`, expected one of `seed`, `repositories`, `images`, `tags`",
        ),
    ] {
        assert_eq!(mistake(text), expected, "{text}");
    }
}

#[test]
fn all_that_makes_no_sense_is_said_at_once() {
    let said = mistake(
        r#"{
            "version": 1,
            "keys": [
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
        r#"the public key "k" is given twice"#,
        r#"the repository "r" in the project "a" is given twice"#,
        r#"a tag of the image "i" in the repository "r" has an empty name"#,
        r#"the tag "t" of the image "i" in the repository "r" is given twice"#,
        r#"the key "k" may use the project "z", which there is not"#,
        r#"the key "k" names projects, and is no sub-account"#,
        r#"the key "k" expires, and has no security token"#,
        "there is too much to generate",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("s3cret"));
    let error = Data::read("/nowhere/data.json").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.to_string().starts_with("/nowhere/data.json: "),
        "{error}"
    );
}

#[tokio::test]
async fn the_demo_shows_everything() {
    let uhub = start(Data::demo()).await;
    let projects = act(&uhub, "GetProjectList", &[]).await;
    assert_eq!(
        column(&projects, "ProjectSet", "ProjectId"),
        ["org-demo", "org-staging"]
    );
    let public = act(&uhub, "GetRepo", &[]).await;
    assert_eq!(column(&public, "RepoSet", "RepoName"), ["base"]);
    let private = act(&uhub, "GetRepo", &[("Type", "private")]).await;
    assert_eq!(
        column(&private, "RepoSet", "RepoName"),
        ["shop", "data", "sandbox"]
    );
    let nginx = [("RepoName", "base"), ("ImageName", "nginx")];
    let tags = act(&uhub, "GetImageTag", &nginx).await;
    assert_eq!(column(&tags, "TagSet", "TagName"), ["1.25", "1.26", "1.27"]);
    assert!(
        column(&tags, "TagSet", "Digest")
            .iter()
            .all(|digest| digest.len() == 71)
    );
    // There is room for more, and one that can go.
    assert_eq!(
        act(&uhub, "CreateRepo", &[("RepoName", "new")]).await["RetCode"],
        0
    );
    assert_eq!(
        act(&uhub, "DeleteRepo", &[("RepoName", "sandbox")]).await["RetCode"],
        0
    );
    // The sub-account sees one project.
    let sub_account = &uhub.data().keys[1];
    let list = signed_with(
        &sub_account.public_key,
        &sub_account.private_key,
        &[("Action", "GetProjectList")],
    );
    let body = ask(&uhub, get(&list)).await.json();
    assert_eq!(column(&body, "ProjectSet", "ProjectId"), ["org-staging"]);
}

#[tokio::test]
async fn thousands_are_generated_and_paged() {
    let much = Generate::new(7).repositories(2).images(3000).tags(5);
    let uhub = LocalUhub::builder()
        .repository(Repository::new("mine").shared(true))
        .generate(much)
        .start()
        .await
        .unwrap();
    let data = uhub.data();
    assert_eq!(data.projects[0].repositories.len(), 3);
    let name = data.projects[0].repositories[1].name.clone();
    let last = act(
        &uhub,
        "GetRepoImage",
        &[("RepoName", &name), ("Offset", "2999")],
    )
    .await;
    assert_eq!(last["TotalCount"], 3000);
    assert_eq!(last["ImageSet"].as_array().map(Vec::len), Some(1));
    let again = LocalUhub::builder()
        .repository(Repository::new("mine").shared(true))
        .generate(much)
        .start()
        .await
        .unwrap();
    assert!(again.data() == data, "the same numbers generate the same");
}

#[tokio::test]
async fn what_is_saved_is_what_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let image = Image::new("nginx")
        .tags(["1.0", "1.1"].map(Tag::new))
        .latest_tag("1.0")
        .pull_count(5);
    let uhub = LocalUhub::builder()
        .keys([
            Key::new("a", "1"),
            Key::new("b", "2")
                .security_token("t")
                .expires(4_000_000_000),
        ])
        .repository(
            Repository::new("base")
                .description("基础")
                .outside(true)
                .image(image),
        )
        .start()
        .await
        .unwrap();
    uhub.save(&path).unwrap();
    let loaded = Data::read(&path).unwrap();
    assert_eq!(loaded, uhub.data());
    let other = start(loaded).await;
    assert_eq!(other.data(), uhub.data());
    let parameters = [("RepoName", "base"), ("ImageName", "nginx")];
    assert_eq!(
        act(&other, "GetImageTag", &parameters).await,
        act(&uhub, "GetImageTag", &parameters).await,
    );
    assert!(
        !format!("{:?}", uhub.data()).contains("\"2\""),
        "a private key shows"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        1,
        "something was left behind"
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_named_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let uhub = LocalUhub::start().await.unwrap();
    for path in [
        folder.path().join("no/state.json"),
        folder.path().to_owned(),
    ] {
        let error = uhub.save(&path).unwrap_err();
        let message = format!("cannot save to {}: ", path.display());
        assert!(error.to_string().starts_with(&message), "{error}");
        let builder = LocalUhub::builder().save_to(&path);
        assert!(builder.start().await.is_err());
    }
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        0,
        "something was left behind"
    );
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (link, target) = (folder.path().join("link"), folder.path().join("target"));
    fs::write(&target, "old").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let uhub = runtime.block_on(LocalUhub::start()).unwrap();
    uhub.save(&link).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(Data::read(&target).unwrap(), uhub.data());
}

#[tokio::test]
async fn changes_are_kept_and_stopping_waits_for_the_last_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let uhub = LocalUhub::builder().save_to(&path).start().await.unwrap();
    let kept = || -> Vec<String> {
        let repositories = Data::read(&path).unwrap().projects.remove(0).repositories;
        repositories.into_iter().map(|each| each.name).collect()
    };
    assert!(kept().is_empty(), "it is written at the start");
    act(&uhub, "CreateRepo", &[("RepoName", "one")]).await;
    eventually("the change in the file", async || !kept().is_empty()).await;
    act(&uhub, "CreateRepo", &[("RepoName", "two")]).await;
    uhub.stop().await.unwrap();
    assert_eq!(kept(), ["one", "two"]);

    // Dropped without being stopped, it is kept a while later, if the runtime goes on.
    let data = Data::read(&path).unwrap();
    let uhub = LocalUhub::builder()
        .data(data)
        .save_to(&path)
        .start()
        .await
        .unwrap();
    act(&uhub, "DeleteRepo", &[("RepoName", "one")]).await;
    drop(uhub);
    eventually("the last change in the file", async || kept() == ["two"]).await;
}

#[tokio::test]
async fn stopping_says_that_the_last_change_was_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gone/state.json");
    fs::create_dir(folder.path().join("gone")).unwrap();
    let uhub = LocalUhub::builder().save_to(&path).start().await.unwrap();
    fs::remove_dir_all(folder.path().join("gone")).unwrap();
    act(&uhub, "CreateRepo", &[("RepoName", "lost")]).await;
    let error = uhub.stop().await.unwrap_err();
    let message = format!("cannot save to {}: ", path.display());
    assert!(error.to_string().starts_with(&message), "{error}");
}

#[tokio::test]
async fn what_a_crash_left_behind_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let others = [
        ".state.json.notes.tmp",
        ".state.json.1-.tmp",
        ".other.json.1-2.tmp",
    ];
    for name in others.into_iter().chain([".state.json.123-4.tmp"]) {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let uhub = LocalUhub::builder().save_to(&path).start().await.unwrap();
    uhub.stop().await.unwrap();
    let left = fs::read_dir(&folder).unwrap();
    let left: HashSet<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    let expected = others.into_iter().chain(["state.json"]);
    assert_eq!(left, expected.map(Into::into).collect());
}

#[cfg(unix)]
#[tokio::test]
async fn saving_follows_no_planted_link_and_replaces_nothing_but_files() {
    use std::os::unix::{fs::symlink, net::UnixListener};
    let folder = tempfile::tempdir().unwrap();
    let (path, victim) = (
        folder.path().join("state.json"),
        folder.path().join("victim"),
    );
    fs::write(&victim, "precious").unwrap();
    for number in 0..1000 {
        let planted = format!(".state.json.{}-{number}.tmp", std::process::id());
        symlink(&victim, folder.path().join(planted)).unwrap();
    }
    let uhub = LocalUhub::start().await.unwrap();
    uhub.save(&path).unwrap();
    assert_eq!(Data::read(&path).unwrap(), uhub.data());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");

    let socket = folder.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    let error = uhub.save(&socket).unwrap_err().to_string();
    assert!(error.ends_with("it is there, and is no file"), "{error}");
}

#[tokio::test]
async fn data_is_replaced_while_it_runs() {
    let uhub = start(Data::demo()).await;
    let before = uhub.data();
    let mut other = Data::default();
    other
        .projects
        .push(Project::new("org-x", "X").repository(Repository::new("base")));
    other.projects.push(Project::new("org-x", "X"));
    assert_eq!(
        uhub.set_data(other.clone()).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    assert_eq!(
        uhub.data(),
        before,
        "it was refused, and has changed nothing"
    );
    other.projects.pop();
    uhub.set_data(other).unwrap();
    let listed = act(&uhub, "GetProjectList", &[]).await;
    assert_eq!(column(&listed, "ProjectSet", "ProjectId"), ["org-x"]);
}

const STATE: &str = "UHUB_TEST_STATE";

/// Not a test: the process that the one below ends.
#[tokio::test]
#[ignore = "it is started by another test"]
async fn a_process_that_keeps_its_state() {
    let Some(path) = std::env::var_os(STATE) else {
        return;
    };
    let much = Generate::new(1).repositories(1).images(200).tags(20);
    let uhub = LocalUhub::builder()
        .generate(much)
        .save_to(path)
        .start()
        .await
        .unwrap();
    println!("\n{}", address(&uhub));
    sleep(Duration::from_secs(60)).await;
}

#[tokio::test]
async fn a_process_that_is_killed_loses_nothing_that_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let kept = |path: &Path| {
        let mut repositories = Data::read(path).unwrap().projects.remove(0).repositories;
        assert_eq!(repositories.remove(0).images.len(), 200);
        repositories
    };
    for round in 0..5 {
        let server = Process::start("data::a_process_that_keeps_its_state", STATE, &path);
        let mut connection = Connection::to(&server.address).await;
        let mut change = async |action: &str, name: &str| {
            let all = [("Action", action), ("RepoName", name)];
            let form = signed_with("local-public-key", "local-private-key", &all);
            connection.send(post_form(&form)).await;
            assert_eq!(connection.expect().await.ret_code(), 0);
        };
        change("CreateRepo", "kept").await;
        eventually("the change in the file", async || !kept(&path).is_empty()).await;
        // It is killed while it is writing, or before, or after.
        for number in 0..5 {
            let name = format!("more{number}");
            change("CreateRepo", &name).await;
            change("DeleteRepo", &name).await;
            sleep(Duration::from_millis(7 * round)).await;
        }
        drop(server);
        assert_eq!(kept(&path)[0].name, "kept", "round {round}");
    }
}

#[tokio::test]
async fn json_in_the_documentation_is_read() {
    // As `Data` shows it.
    let shown = json!({
        "version": 1,
        "keys": [
            {"public_key": "local-public-key", "private_key": "local-private-key"},
            {"public_key": "sub", "private_key": "s", "sub_account": true, "projects": ["org-a"]},
            {"public_key": "temp", "private_key": "t", "security_token": "token", "expires": 1_900_000_000},
        ],
        "projects": [{
            "id": "org-a",
            "name": "Team A",
            "repositories": [{
                "name": "base",
                "description": "Our base images",
                "is_shared": true,
                "is_outside": false,
                "create_time": "1700000000",
                "update_time": "1700000000",
                "images": [{
                    "name": "nginx",
                    "tags": [
                        {"name": "1.26", "digest": "sha256:…", "update_time": "1700000000"},
                        {"name": "1.27"},
                    ],
                    "pull_count": 7,
                    "create_time": "1700000000",
                    "update_time": "1700000000",
                }],
            }],
        }],
        "role": {"name": "backup", "seconds": 3600},
        "generate": {"seed": 1, "repositories": 3, "images": 100, "tags": 20},
    });
    let uhub = start(Data::read(file(&shown.to_string())).unwrap()).await;
    let data = uhub.data();
    assert_eq!(data.projects[0].repositories.len(), 4);
    let hour = Duration::from_secs(3600);
    assert_eq!(data.role, Some(Role::new("backup", hour)));
    let credentials = "/meta-data/v2/iam/security-credentials/backup";
    let request = format!("GET {credentials} HTTP/1.1\r\nHost: local\r\n\r\n");
    assert_eq!(ask(&uhub, &request).await.ret_code(), 0);
    // Data without a role has none.
    uhub.set_data(Data::default()).unwrap();
    assert_eq!(ask(&uhub, &request).await.status, 404);
}

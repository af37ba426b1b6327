//! Sub-accounts, temporary credentials, and the metadata service that issues them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use uhub_local::{Fault, LocalUhub, Repository, Scope, User};

use crate::wire::*;

const CREDENTIALS: &str = "/meta-data/v2/iam/security-credentials";
const HOUR: Duration = Duration::from_secs(3600);

fn get_path(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// Temporary credentials of the metadata service.
async fn temporary(uhub: &LocalUhub) -> Value {
    let response = ask(uhub, get_path(&format!("{CREDENTIALS}/backup"))).await;
    assert_eq!(response.status, 200);
    let body = response.json();
    assert_eq!(body["RetCode"], 0);
    body["Data"].clone()
}

/// The return code of a listing with these keys.
async fn listing(uhub: &LocalUhub, public_key: &str, private_key: &str, more: Pairs<'_>) -> i64 {
    let all = [&[("Action", "GetRepo")], more].concat();
    ask(uhub, post_form(&signed_with(public_key, private_key, &all))).await.ret_code()
}

/// When credentials expire, in Unix seconds.
fn expiration(credentials: &Value) -> i64 {
    let expiration = credentials["Expiration"].as_str().unwrap();
    expiration.parse::<Timestamp>().unwrap().as_second()
}

async fn listing_with(uhub: &LocalUhub, credentials: &Value) -> i64 {
    let text = |name: &str| credentials[name].as_str().unwrap();
    let token = [("SecurityToken", text("SecurityToken"))];
    listing(uhub, text("AccessKeyId"), text("AccessKeySecret"), &token).await
}

#[tokio::test]
async fn a_sub_account_must_name_a_project_it_may_use() {
    let uhub = LocalUhub::builder()
        .user("main", "m")
        .users([
            User::new("any", "a").sub_account(),
            User::new("one", "o").sub_account().project("org-b"),
        ])
        .project("org-a")
        .project("org-b")
        .start()
        .await
        .unwrap();
    for (ret_code, key, secret, project) in [
        (0, "main", "m", None),
        (0, "main", "m", Some("org-b")),
        (299, "any", "a", None),
        (0, "any", "a", Some("org-a")),
        (292, "any", "a", Some("org-c")),
        (292, "any", "a", Some("")),
        (299, "one", "o", None),
        (299, "one", "o", Some("org-a")),
        (0, "one", "o", Some("org-b")),
        (171, "one", "a", Some("org-b")),
    ] {
        let named: Vec<_> = project.map(|id| ("ProjectId", id)).into_iter().collect();
        let response = listing(&uhub, key, secret, &named).await;
        assert_eq!(response, ret_code, "{key} {project:?}");
    }

    // `GetProjectList` needs no project and lists the permitted ones.
    let list = signed_with("one", "o", &[("Action", "GetProjectList")]);
    let body = ask(&uhub, post_form(&list)).await.json();
    assert_eq!(column(&body, "ProjectSet", "ProjectId"), ["org-b"]);
    assert_eq!(body["ProjectSet"][0]["MemberCount"], 3);
}

#[tokio::test]
async fn temporary_credentials_need_their_token_until_they_expire() {
    let mut user = User::new("key", "secret").security_token("token");
    user.expires = Some(4_000_000_000);
    let uhub = LocalUhub::builder().users([user]).start().await.unwrap();
    for (ret_code, token) in [
        (0, &[("SecurityToken", "token")][..]),
        (174, &[]),
        (174, &[("SecurityToken", "")]),
        (174, &[("SecurityToken", "other")]),
    ] {
        let response = listing(&uhub, "key", "secret", token).await;
        assert_eq!(response, ret_code, "{token:?}");
    }
    // A wrong signature hides whether the token is right.
    assert_eq!(listing(&uhub, "key", "other", &[]).await, 171);

    uhub.set_clock_offset(4_000_000_000);
    let token = [("SecurityToken", "token")];
    assert_eq!(listing(&uhub, "key", "secret", &token).await, 174);
}

#[tokio::test]
async fn the_metadata_service_issues_credentials_that_expire() {
    let uhub = LocalUhub::builder()
        .metadata_role("backup", HOUR)
        .repository(Repository::new("base").public())
        .start()
        .await
        .unwrap();
    assert_eq!(format!("{}/", uhub.metadata_url()), uhub.base_url());
    // Without a name, the role is the machine's.
    let unnamed = ask(&uhub, get_path(CREDENTIALS)).await.json();
    assert_eq!(listing_with(&uhub, &unnamed["Data"]).await, 0);
    assert_eq!(ask(&uhub, get_path(&format!("{CREDENTIALS}/no"))).await.status, 404);

    let key = temporary(&uhub).await;
    let remaining = expiration(&key) - Timestamp::now().as_second();
    assert!((3580..=3600).contains(&remaining), "{remaining}");
    assert_eq!(listing_with(&uhub, &key).await, 0);

    // Every response has new credentials, and the earlier ones stay valid.
    let other = temporary(&uhub).await;
    assert_ne!(key["AccessKeyId"], other["AccessKeyId"]);
    assert_eq!(listing_with(&uhub, &key).await, 0);
    let mut mixed = other.clone();
    mixed["SecurityToken"] = key["SecurityToken"].clone();
    assert_eq!(listing_with(&uhub, &mixed).await, 174);

    uhub.set_clock_offset(3600);
    for key in [&key, &other] {
        assert_eq!(listing_with(&uhub, key).await, 174);
    }
    assert_eq!(listing_with(&uhub, &temporary(&uhub).await).await, 0);
    assert_eq!(uhub.metadata_requests(), 5);
    assert_eq!(uhub.requests().len(), 7, "metadata requests are not in the log");
}

#[tokio::test]
async fn the_expiration_follows_the_clock_offset() {
    for offset in [-7200, 7200] {
        let uhub = LocalUhub::builder().metadata_role("backup", HOUR).start().await.unwrap();
        uhub.set_clock_offset(offset);
        let key = temporary(&uhub).await;
        let expected = Timestamp::now().as_second() + 3600 + offset;
        let difference = expiration(&key) - expected;
        assert!((-20..=0).contains(&difference), "{difference}");
        // The credentials are valid by the server's clock.
        assert_eq!(listing_with(&uhub, &key).await, 0);
    }
}

#[tokio::test]
async fn the_metadata_service_can_fail_alone() {
    let uhub = LocalUhub::builder().metadata_role("backup", HOUR).start().await.unwrap();
    uhub.inject(Fault::CutConnection); // stays queued for the API
    uhub.inject_on(Scope::metadata().calls(..=2), Fault::bad_gateway());
    uhub.inject_on(Scope::metadata().nth(3), Fault::BrokenJson);
    let path = get_path(&format!("{CREDENTIALS}/backup"));
    for _ in 0..2 {
        assert_eq!(ask(&uhub, &path).await.status, 502);
    }
    let broken = ask(&uhub, &path).await;
    assert_eq!(broken.status, 200);
    assert!(serde_json::from_slice::<Value>(&broken.body).is_err());
    temporary(&uhub).await;
    assert_eq!(uhub.metadata_requests(), 4);

    let mut connection = Connection::open(&uhub).await;
    connection.send(get("")).await;
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn without_a_role_there_is_no_metadata_service() {
    let uhub = LocalUhub::start().await.unwrap();
    for path in [CREDENTIALS.to_owned(), format!("{CREDENTIALS}/backup")] {
        let response = ask(&uhub, get_path(&path)).await;
        assert_eq!((response.status, response.ret_code()), (404, 230));
    }
    assert_eq!(uhub.metadata_requests(), 0);
}

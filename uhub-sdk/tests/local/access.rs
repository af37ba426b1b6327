//! Sub-accounts, temporary keys, and the metadata service that hands them out.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use uhub_sdk::Timestamp;
use uhub_sdk::local::{Fault, Key, LocalUhub, Repository, Scope};

use crate::wire::*;

const KEYS: &str = "/meta-data/v2/iam/security-credentials";
const HOUR: Duration = Duration::from_secs(3600);

fn get_path(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: local\r\n\r\n")
}

/// The temporary key that the metadata service hands out.
async fn temporary(uhub: &LocalUhub) -> Value {
    let response = ask(uhub, get_path(&format!("{KEYS}/backup"))).await;
    assert_eq!(response.status, 200);
    let body = response.json();
    assert_eq!(body["RetCode"], 0);
    body["Data"].clone()
}

/// What a listing with a key is answered.
async fn listing(uhub: &LocalUhub, key: &str, secret: &str, more: Pairs<'_>) -> i64 {
    let all = [&[("Action", "GetRepo")], more].concat();
    ask(uhub, post_form(&signed_with(key, secret, &all)))
        .await
        .ret_code()
}

async fn listing_with(uhub: &LocalUhub, key: &Value) -> i64 {
    let text = |name: &str| key[name].as_str().unwrap();
    let token = [("SecurityToken", text("SecurityToken"))];
    listing(uhub, text("AccessKeyId"), text("AccessKeySecret"), &token).await
}

#[tokio::test]
async fn a_sub_account_has_to_name_a_project_it_may_use() {
    let uhub = LocalUhub::builder()
        .key("main", "m")
        .sub_account_key("any", "a")
        .keys([Key::new("one", "o").sub_account().project("org-b")])
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
        let answer = listing(&uhub, key, secret, &named).await;
        assert_eq!(answer, ret_code, "{key} {project:?}");
    }

    // It finds there which projects it may name, and need not name one for that.
    let list = signed_with("one", "o", &[("Action", "GetProjectList")]);
    let body = ask(&uhub, post_form(&list)).await.json();
    assert_eq!(column(&body, "ProjectSet", "ProjectId"), ["org-b"]);
    assert_eq!(body["ProjectSet"][0]["MemberCount"], 3);
}

#[tokio::test]
async fn a_temporary_key_needs_its_token_until_it_expires() {
    let uhub = LocalUhub::builder()
        .keys([Key::new("key", "secret")
            .security_token("token")
            .expires(4_000_000_000)])
        .start()
        .await
        .unwrap();
    for (ret_code, token) in [
        (0, &[("SecurityToken", "token")][..]),
        (174, &[]),
        (174, &[("SecurityToken", "")]),
        (174, &[("SecurityToken", "other")]),
    ] {
        let answer = listing(&uhub, "key", "secret", token).await;
        assert_eq!(answer, ret_code, "{token:?}");
    }
    // Whoever does not hold the private key learns nothing of the token.
    assert_eq!(listing(&uhub, "key", "other", &[]).await, 171);
    // The crate's own client of this server holds the token too.
    let client = uhub.client().build().unwrap();
    let list = client.get_project_list();
    assert_eq!(list.send().await.unwrap().project_count, 1);

    uhub.set_clock_offset(4_000_000_000);
    let token = [("SecurityToken", "token")];
    assert_eq!(listing(&uhub, "key", "secret", &token).await, 174);
}

#[tokio::test]
async fn the_metadata_service_hands_out_keys_that_expire() {
    let uhub = LocalUhub::builder()
        .metadata_role("backup", HOUR)
        .repository(Repository::new("base").shared(true))
        .start()
        .await
        .unwrap();
    assert_eq!(format!("{}/", uhub.metadata_url()), uhub.base_url());
    // Without a name, it is the machine's role.
    let unnamed = ask(&uhub, get_path(KEYS)).await.json();
    assert_eq!(listing_with(&uhub, &unnamed["Data"]).await, 0);
    assert_eq!(
        ask(&uhub, get_path(&format!("{KEYS}/no"))).await.status,
        404
    );

    let key = temporary(&uhub).await;
    let expiration = Timestamp::from(key["Expiration"].as_str().unwrap());
    let left = expiration
        .to_system_time()
        .unwrap()
        .duration_since(SystemTime::now())
        .unwrap();
    assert!(
        (HOUR - Duration::from_secs(20)..=HOUR).contains(&left),
        "{left:?}"
    );
    assert_eq!(listing_with(&uhub, &key).await, 0);

    // Each is one of its own, and valid beside the others.
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
    assert_eq!(uhub.requests().len(), 7, "the API has requests of its own");
}

#[tokio::test]
async fn a_clock_that_is_wrong_shows_in_the_expiration() {
    for offset in [-7200, 7200] {
        let uhub = LocalUhub::builder()
            .metadata_role("backup", HOUR)
            .clock_offset(offset)
            .start()
            .await
            .unwrap();
        let key = temporary(&uhub).await;
        let expiration = Timestamp::from(key["Expiration"].as_str().unwrap());
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        let expected = seconds(SystemTime::now()) + 3600 + offset;
        let difference = seconds(expiration.to_system_time().unwrap()) - expected;
        assert!((-20..=0).contains(&difference), "{difference}");
        // Whatever the client's clock makes of that, it is valid now.
        assert_eq!(listing_with(&uhub, &key).await, 0);
    }
}

#[tokio::test]
async fn the_metadata_service_can_fail_by_itself() {
    let uhub = LocalUhub::builder()
        .metadata_role("backup", HOUR)
        .start()
        .await
        .unwrap();
    uhub.play(Fault::CutConnection); // for the API, and still there in the end
    uhub.play_on(Scope::metadata().calls(..=2), Fault::bad_gateway());
    uhub.play_on(Scope::metadata().nth(3), Fault::BrokenJson);
    let path = get_path(&format!("{KEYS}/backup"));
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
    for path in [KEYS.to_owned(), format!("{KEYS}/backup")] {
        let response = ask(&uhub, get_path(&path)).await;
        assert_eq!((response.status, response.ret_code()), (404, 230));
    }
    assert_eq!(uhub.metadata_requests(), 0);
}

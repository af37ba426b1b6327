//! Credentials that expire while a program runs.

use std::{fs, sync::Arc, time::Duration};

use uhub_sdk::{
    Client, ErrorKind, MetadataCredentials, RetCode, RetryPolicy,
    local::{Fault, LocalUhub, Repository, Scope},
};

use crate::{PRIVATE_KEY, PUBLIC_KEY, common::full_text, example, uhub};

const HOUR: Duration = Duration::from_secs(3600);

async fn machine(lifetime: Duration) -> (Arc<LocalUhub>, Client) {
    let uhub = LocalUhub::builder()
        .repository(Repository::documented())
        .metadata_role("backup", lifetime)
        .start()
        .await
        .unwrap();
    let provider =
        MetadataCredentials::new().with_role("backup").with_base_url(uhub.metadata_url());
    let client = Client::builder()
        .base_url(uhub.base_url())
        .credentials_provider(provider)
        .retry(
            RetryPolicy::default().with_max_attempts(3).with_base_delay(Duration::from_millis(2)),
        )
        .build()
        .unwrap();
    (Arc::new(uhub), client)
}

#[tokio::test]
async fn two_hundred_concurrent_calls_share_one_request_for_credentials() {
    let (uhub, client) = machine(HOUR).await;
    let calls: Vec<_> =
        (0..200).map(|_| tokio::spawn(client.get_repo_image("idkTdEFo").send())).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(uhub.metadata_requests(), 1);
    let requests = uhub.requests();
    assert_eq!(requests.len(), 200);
    assert!(requests.iter().all(|request| request.ret_code == Some(0)));
}

/// This machine's clock is slow: the credentials have expired by the clock of the service.
#[tokio::test]
async fn credentials_that_the_service_rejects_are_replaced() {
    let (uhub, client) = machine(HOUR).await;
    client.get_repo_image("idkTdEFo").send().await.unwrap();
    uhub.set_clock_offset(3600);
    // The service rejects the call with 174 without executing it, so any action may be retried.
    client.create_repo("new").send().await.unwrap();
    let codes: Vec<_> = uhub.requests().iter().map(|request| request.ret_code).collect();
    assert_eq!(codes, [Some(0), Some(174), Some(0)]);
    assert_eq!(uhub.metadata_requests(), 2);
}

/// This machine's clock is fast: new credentials have already expired by it.
#[tokio::test]
async fn new_credentials_that_have_expired_by_the_local_clock_are_used() {
    let (uhub, client) = machine(HOUR).await;
    uhub.set_clock_offset(-7200);
    for _ in 0..5 {
        client.get_repo_image("idkTdEFo").send().await.unwrap();
    }
    assert_eq!(uhub.metadata_requests(), 1);
}

#[tokio::test]
async fn new_credentials_that_are_rejected_are_not_fetched_again() {
    let (uhub, client) = machine(HOUR).await;
    uhub.inject_on(Scope::all(), Fault::ret_code(RetCode::from(174)));
    let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
    assert_eq!(error.ret_code(), Some(RetCode::from(174)));
    assert_eq!(error.attempts(), 1, "the credentials were new");
    assert_eq!(uhub.metadata_requests(), 1);
    let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
    assert_eq!((error.attempts(), uhub.metadata_requests()), (2, 2));
}

#[tokio::test]
async fn a_call_without_credentials_is_not_sent_and_its_error_has_the_reason() {
    let (uhub, client) = machine(HOUR).await;
    for (fault, expected) in [
        (Fault::bad_gateway(), "the metadata service returned HTTP 502"),
        (Fault::BrokenJson, "not as documented"),
        (Fault::CutConnection, "the connection to 127.0.0.1"),
    ] {
        uhub.clear_faults();
        uhub.inject_on(Scope::metadata(), fault);
        // The client does not call the service within a second of a failure.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
        assert!(full_text(&error).contains(expected), "{error:?}");
    }
    assert!(uhub.requests().is_empty());
    assert_eq!(uhub.metadata_requests(), 3, "one request per call");

    let provider =
        MetadataCredentials::new().with_role("unknown").with_base_url(uhub.metadata_url());
    uhub.clear_faults();
    let client = Client::builder()
        .base_url(uhub.base_url())
        .credentials_provider(provider)
        .retry(RetryPolicy::disabled())
        .build()
        .unwrap();
    let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
    assert!(full_text(&error).contains("the role `unknown`"), "{error:?}");
}

/// The files have the form that the platform's command-line tool writes.
#[tokio::test]
async fn a_program_reads_its_credentials_from_a_profile() {
    let uhub = uhub().await;
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".ucloud");
    fs::create_dir(&folder).unwrap();
    let config = serde_json::json!([
        {"project_id": "", "region": "cn-bj2", "zone": "cn-bj2-04", "base_url": "https://api.ucloud.cn/",
         "timeout_sec": 15, "profile": "default", "active": true, "max_retry_times": 3},
        {"project_id": uhub.project_id(), "region": "", "zone": "", "base_url": uhub.base_url(),
         "timeout_sec": 15, "profile": "work", "active": false, "max_retry_times": 0},
    ]);
    let credential = serde_json::json!([
        {"public_key": PUBLIC_KEY, "private_key": PRIVATE_KEY, "profile": "work"},
        {"public_key": "", "private_key": "", "profile": "default"},
    ]);
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    fs::write(folder.join("credential.json"), credential.to_string()).unwrap();
    let run = |profile: &'static str| {
        let mut command = example("list_images");
        command.arg("idkTdEFo").env("UCLOUD_PROFILE", profile);
        for variable in ["HOME", "USERPROFILE"] {
            command.env(variable, home.path());
        }
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };

    let output = run("work").await.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    let sent = &uhub.requests()[0];
    assert_eq!(sent.parameter("ProjectId"), Some(uhub.project_id()));

    for (profile, expected) in [
        ("default", "profile `default`: `public_key` is missing or empty"),
        ("away", "there is no profile `away`"),
    ] {
        let output = run(profile).await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr.contains(expected), "{stderr}");
        assert!(!stderr.contains("pRiVaTe"), "{stderr}");
    }
}

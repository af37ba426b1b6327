//! Credentials that expire while a program runs, providers that fail, and the channel key.

use std::{
    error::Error as StdError,
    fs, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    runtime::Builder,
};
use uhub_sdk::{
    BoxFuture, Client, ClientBuilder, Credentials, Encoding, ErrorKind, Execution,
    MetadataCredentials, ProvideCredentials, ProviderError, RetCode, RetryPolicy,
    local::{Fault, LocalUhub, Repository, Scope},
};

use crate::{
    PRIVATE_KEY, PUBLIC_KEY,
    common::{assert_no_secrets, credentials, full_text, quick_retries, respond},
    example, uhub,
};

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
        (Fault::bad_gateway(), "HTTP 502 Bad Gateway."),
        (Fault::BrokenJson, "the response is not a JSON object."),
        (Fault::CutConnection, "the response is incomplete: "),
    ] {
        uhub.clear_faults();
        uhub.inject_on(Scope::metadata(), fault);
        // The client does not call the service within a second of a failure.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
        let url = format!("{}/meta-data/v2/iam/security-credentials/backup", uhub.metadata_url());
        let expected =
            format!("no credentials to sign the call: metadata service {url}: {expected}");
        assert!(error.to_string().contains(&expected), "{error}");
    }
    assert!(uhub.requests().is_empty());
    assert_eq!(uhub.metadata_requests(), 3, "one request per call");
}

/// A call asks once for what a retry does not change, and again for what it may change.
#[tokio::test]
async fn a_permanent_failure_of_the_metadata_service_is_not_retried() {
    let (uhub, _) = machine(HOUR).await;
    let patient = RetryPolicy::default().with_max_attempts(3).with_base_delay(4 * HOUR);
    for (role, fault, attempts, expected) in [
        ("unknown", None, 1, "HTTP 404 Not Found: check that this machine has the role `unknown`."),
        ("backup", Some(respond(403, &[], "")), 1, "HTTP 403 Forbidden."),
        ("backup", Some(respond(302, &[("location", "/")], "")), 1, "redirects are not followed."),
        ("backup", Some(respond(200, &[], vec![b' '; 70_000])), 1, "larger than 65536 bytes."),
        ("..", None, 1, "the role of the metadata service is invalid: expected a name."),
        ("backup", Some(respond(429, &[], "")), 3, "HTTP 429 Too Many Requests."),
        ("backup", Some(respond(500, &[], "")), 3, "HTTP 500 Internal Server Error."),
    ] {
        uhub.clear_faults();
        if let Some(fault) = fault {
            uhub.inject_on(Scope::metadata(), fault);
        }
        let before = uhub.metadata_requests();
        let provider =
            MetadataCredentials::new().with_role(role).with_base_url(uhub.metadata_url());
        let client = Client::builder()
            .base_url(uhub.base_url())
            .credentials_provider(provider)
            .retry(if attempts == 1 { patient.clone() } else { quick_retries() })
            .build()
            .unwrap();
        let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected) && !text.contains(".."), "{text}");
        assert!(role == ".." || text.contains("metadata service http://127.0.0.1"), "{text}");
        assert_eq!((error.attempts(), error.is_retryable()), (attempts, attempts > 1), "{text}");
        // Attempts within a second share the failure.
        assert!(uhub.metadata_requests() - before <= 1, "{text}");
    }
    assert!(uhub.requests().is_empty());
}

/// A response is used only if all of it is as documented.
#[tokio::test]
async fn doubtful_responses_of_the_metadata_service_are_refused() {
    let (uhub, _) = machine(HOUR).await;
    let data = format!(
        r#"{{"AccessKeyId": "{PUBLIC_KEY}", "AccessKeySecret": "{PRIVATE_KEY}", "SecurityToken": "pRiVaTe-token",
            "Expiration": "2030-01-01T00:00:00Z"}}"#
    );
    for (status, body) in [
        (200, format!(r#"{{"RetCode": 5, "Data": {data}}}"#)),
        (200, format!(r#"{{"RetCode": 5, "Message": "{PRIVATE_KEY}", "Data": {data}}}"#)),
        (200, format!(r#"{{"RetCode": 5, "Message": "{PRIVATE_KEY}"}}"#)),
        (200, format!(r#"{{"Data": {data}}}"#)),
        (200, format!(r#"{{"RetCode": 5, "Data": {data}, "RetCode": 0}}"#)),
        (500, format!(r#"{{"RetCode": 0, "Data": {data}}}"#)),
        (404, format!(r#"{{"RetCode": 0, "Data": {data}}}"#)),
        (200, format!(r#"[{{"RetCode": 0, "Data": {data}}}]"#)),
        (200, data),
        (200, PRIVATE_KEY.to_owned()),
        (204, String::new()),
    ] {
        uhub.clear_faults();
        uhub.inject_on(Scope::metadata(), respond(status, &[], body.clone()));
        let client = Client::builder()
            .base_url(uhub.base_url())
            .credentials_provider(MetadataCredentials::new().with_base_url(uhub.metadata_url()))
            .retry(RetryPolicy::disabled())
            .build()
            .unwrap();
        let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials, "{body}: {error}");
        assert_no_secrets(&full_text(&error));
    }
    assert!(uhub.requests().is_empty());
}

/// The result of the call of a provider with this number.
type ProviderCall = fn(usize) -> BoxFuture<'static, Result<Credentials, ProviderError>>;

/// A provider that counts its calls.
#[derive(Debug)]
struct Counting {
    calls: AtomicUsize,
    call: ProviderCall,
}

impl Counting {
    fn new(call: ProviderCall) -> Arc<Self> {
        Arc::new(Self { calls: AtomicUsize::new(0), call })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl ProvideCredentials for Counting {
    fn provide(&self) -> BoxFuture<'_, Result<Credentials, ProviderError>> {
        (self.call)(self.calls.fetch_add(1, Ordering::SeqCst))
    }
}

fn with_provider(uhub: &LocalUhub, provider: &Arc<Counting>) -> ClientBuilder {
    Client::builder().base_url(uhub.base_url()).credentials_provider(Arc::clone(provider))
}

/// An error with a source.
#[derive(Debug)]
struct VaultError(io::Error);

impl std::fmt::Display for VaultError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the vault is shut.")
    }
}

impl StdError for VaultError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

#[derive(Debug)]
struct DiskError(io::Error);

impl std::fmt::Display for DiskError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "reading failed: {}", self.0)
    }
}

impl StdError for DiskError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

/// The messages of the family, side by side.
#[tokio::test]
async fn errors_of_providers_say_what_failed_and_whether_to_retry() {
    let uhub = uhub().await;
    let retries = quick_retries();
    let long = format!("{}… [", "x".repeat(400));
    let cases: [(ProviderCall, u32, &str); 13] = [
        (|_| Box::pin(async { Err("the vault is shut".into()) }), 3, "the vault is shut."),
        (|_| Box::pin(async { Err("the vault is shut.\n".into()) }), 3, "the vault is shut."),
        (
            |_| Box::pin(async { Err(ProviderError::new("no such secret").permanent()) }),
            1,
            "no such secret.",
        ),
        (
            |_| Box::pin(async { Err(VaultError(io::Error::other("refused")).into()) }),
            3,
            "the vault is shut.",
        ),
        // Its text contains that of its source.
        (
            |_| Box::pin(async { Err(DiskError(io::Error::other("no space")).into()) }),
            3,
            "reading failed: no space.",
        ),
        (|_| Box::pin(async { Err("is it shut?".into()) }), 3, "is it shut? ["),
        (|_| Box::pin(async { Err("".into()) }), 3, "the provider failed and gives no reason."),
        (|_| Box::pin(async { Err("x".repeat(600).into()) }), 3, &long),
        (
            |_| Box::pin(async { Ok(Credentials::new("", PRIVATE_KEY)) }),
            1,
            "the public key that the credentials provider returned is empty.",
        ),
        (
            |_| Box::pin(async { Ok(Credentials::new(PUBLIC_KEY, format!("{PRIVATE_KEY}\n"))) }),
            1,
            "the private key that the credentials provider returned contains whitespace.",
        ),
        (|_| Box::pin(async { panic!("{PRIVATE_KEY}") }), 1, "the credentials provider panicked."),
        (|_| panic!("{PRIVATE_KEY}"), 1, "the credentials provider panicked."),
        (
            |_| Box::pin(std::future::pending()),
            3,
            "the credentials provider did not respond within 0.02 s (`credentials_timeout`).",
        ),
    ];
    for (call, attempts, expected) in cases {
        let provider = Counting::new(call);
        let client = with_provider(&uhub, &provider)
            .credentials_timeout(Duration::from_millis(20))
            .retry(retries.clone())
            .build()
            .unwrap();
        let error = client.create_repo("new").send().await.unwrap_err();
        let text = error.to_string();
        println!("{text}");
        let expected = format!("CreateRepo: no credentials to sign the call: {expected}");
        assert!(text.starts_with(&expected), "{text}");
        assert!(!text.contains("..") && !text.contains("refused"), "{text}");
        assert_eq!((error.kind(), error.execution()), (ErrorKind::Credentials, Execution::NotSent));
        assert_eq!((error.attempts(), error.is_retryable()), (attempts, attempts > 1), "{text}");
        assert_eq!(provider.calls(), 1, "attempts within a second share the failure: {text}");
        assert_no_secrets(&full_text(&error));
        let source = error.source().map(ToString::to_string);
        let has_source = text.contains("the vault is shut") && source.is_some();
        assert_eq!(source.as_deref(), has_source.then_some("refused"), "{text}");
        assert_eq!(error.is_timeout(), text.contains("did not respond"), "{text}");
    }
    assert!(uhub.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_callers_of_a_provider_that_panics_share_its_failure() {
    let uhub = uhub().await;
    let provider = Counting::new(|number| {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(number > 0, "{PRIVATE_KEY}");
            Ok(credentials())
        })
    });
    let client = with_provider(&uhub, &provider).build().unwrap();
    let calls: Vec<_> =
        (0..50).map(|_| tokio::spawn(client.get_repo_image("idkTdEFo").send())).collect();
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        assert_no_secrets(&full_text(&error));
    }
    assert_eq!(provider.calls(), 1);
    // A later call asks again.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    client.get_repo_image("idkTdEFo").send().await.unwrap();
    assert_eq!(provider.calls(), 2);
}

/// The provider's task stays on a runtime that is alive and not driven, with its timer.
#[test]
fn a_runtime_that_is_no_longer_driven_does_not_block_callers_on_others() {
    let servers = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let uhub = servers.block_on(uhub());
    let provider = Counting::new(|number| {
        Box::pin(async move {
            if number == 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let credentials = credentials();
            Ok(credentials.with_expiry(std::time::SystemTime::now() + HOUR))
        })
    });
    let client = with_provider(&uhub, &provider)
        .timeout(Duration::from_secs(20))
        .retry(RetryPolicy::disabled())
        .build()
        .unwrap();
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let left = runtime();
    let _ = left.block_on(async {
        let call = client.get_repo_image("idkTdEFo").send();
        tokio::time::timeout(Duration::from_millis(1), call).await.unwrap_err()
    });
    assert_eq!(provider.calls(), 1);
    // Several runtimes at once, each of which is driven.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let call = async { client.get_repo_image("idkTdEFo").send().await };
                runtime().block_on(call).unwrap();
            });
        }
    });
    assert!((2..=5).contains(&provider.calls()), "{}", provider.calls());
    // The abandoned task does no harm when it ends.
    left.block_on(async { tokio::time::sleep(Duration::from_millis(100)).await });
    runtime().block_on(async { client.get_repo_image("idkTdEFo").send().await }).unwrap();
}

/// A runtime that is shut down cancels the provider's task.
#[test]
fn a_runtime_that_is_shut_down_does_not_block_callers_on_others() {
    let servers = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let uhub = servers.block_on(uhub());
    let provider = Counting::new(|number| {
        Box::pin(async move {
            if number == 0 {
                std::future::pending::<()>().await;
            }
            Ok(credentials())
        })
    });
    let client = with_provider(&uhub, &provider).build().unwrap();
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let _ = runtime().block_on(async {
        let call = client.get_repo_image("idkTdEFo").send();
        tokio::time::timeout(Duration::from_millis(1), call).await.unwrap_err()
    });
    runtime().block_on(async { client.get_repo_image("idkTdEFo").send().await }).unwrap();
    assert_eq!(provider.calls(), 2);
}

/// Answers every request with an empty page, and records the heads.
async fn recording_server() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.windows(4).any(|part| part == b"\r\n\r\n") {
                head.push(connection.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap().to_lowercase();
            let body = match head.starts_with("get /meta-data/") {
                false => r#"{"RetCode": 0, "TotalCount": 0}"#,
                true => {
                    r#"{"RetCode": 0, "Data": {"AccessKeyId": "a", "AccessKeySecret": "b",
                        "SecurityToken": "c", "Expiration": "2099-01-01T00:00:00Z"}}"#
                }
            };
            recorded.lock().unwrap().push(head);
            let response = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            connection.write_all(response.as_bytes()).await.unwrap();
        }
    });
    (url, heads)
}

#[tokio::test]
async fn the_channel_key_is_a_header_of_every_call() {
    for encoding in [Encoding::Form, Encoding::Query, Encoding::Json] {
        let (url, heads) = recording_server().await;
        let builder = Client::builder()
            .base_url(url.clone())
            .encoding(encoding)
            .credentials_provider(MetadataCredentials::new().with_base_url(url));
        let client = builder.clone().channel_key("dedicated-1").build().unwrap();
        client.get_repo_image("base").send().await.unwrap();
        let _: serde_json::Value = client.action("DescribeOther").send().await.unwrap();
        builder.build().unwrap().get_repo_image("base").send().await.unwrap();
        let heads = heads.lock().unwrap();
        let keys: Vec<_> =
            heads.iter().map(|head| head.contains("\r\nchannel-key: dedicated-1\r\n")).collect();
        // The metadata service is asked by each client, and does not get the key.
        assert_eq!(keys, [false, true, true, false, false], "{heads:?}");
        assert_eq!(heads.iter().filter(|head| head.contains("channel")).count(), 2);
    }
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
        ("default", "credential.json has none for profile `default`"),
        ("away", "there is no profile `away`"),
    ] {
        let output = run(profile).await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr.contains(expected), "{stderr}");
        assert!(!stderr.contains("pRiVaTe"), "{stderr}");
    }
}

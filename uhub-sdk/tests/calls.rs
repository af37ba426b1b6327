//! Calls over real HTTP, with a service that works and with one that does not.
#![allow(clippy::unwrap_used)]

mod common;
mod python_sdk;
mod wiretap;

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use common::{
    PRIVATE_KEY, PUBLIC_KEY, assert_no_secrets, credentials, example, full_text, respond,
};
use tokio::net::TcpListener;
use uhub_sdk::{
    Client, ClientBuilder, Credentials, Encoding, Error, ErrorKind, Execution, RetCode,
    RetryPolicy,
    actions::get_repo_image::GetRepoImageRequest,
    local::{Fault, Image, LocalUhub, Repository},
};
use wiretap::Wiretap;

async fn uhub() -> LocalUhub {
    LocalUhub::builder()
        .user(PUBLIC_KEY, PRIVATE_KEY)
        .project("org-1")
        .project("org-2")
        .repository(Repository::documented())
        .repository(
            Repository::new("many").images((0..250).map(|n| Image::new(format!("image-{n}")))),
        )
        .start()
        .await
        .unwrap()
}

/// Checks an error of `GetRepoImage`, including what holds for every error.
#[track_caller]
fn checked(error: Error, kind: ErrorKind, execution: Execution, expected: &str) -> Error {
    let text = full_text(&error);
    assert_eq!((error.kind(), error.execution()), (kind, execution), "{text}");
    assert!(error.to_string().contains(expected), "{expected:?} in {error}");
    assert!(!error.to_string().contains('\n'), "{error}");
    assert_eq!(error.action(), Some("GetRepoImage"));
    assert_no_secrets(&text);
    error
}

#[tokio::test]
async fn images_are_listed_in_every_encoding() {
    let uhub = uhub().await;
    for encoding in [Encoding::Form, Encoding::Query, Encoding::Json] {
        let client = ClientBuilder::for_local(&uhub).encoding(encoding).build().unwrap();
        let page = client.get_repo_image("many").offset(240).limit(100).send().await.unwrap();
        assert_eq!((page.total_count, page.images.len()), (250, 10), "{encoding:?}");
        assert_eq!(page.images[0].image_name, "image-240");
        assert_eq!(page.images[0].repo_name.as_deref(), Some("many"));
    }
    let requests = uhub.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        let sent = ["Action", "Limit", "Offset", "ProjectId", "RepoName"];
        let mut names: Vec<&str> =
            request.parameters.iter().map(|(name, _)| name.as_str()).collect();
        names.retain(|name| sent.contains(name));
        assert_eq!(names, sent);
    }
}

#[tokio::test]
async fn a_request_is_plain_data() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    let request = GetRepoImageRequest::new("many").limit(1);
    let json = serde_json::to_string(&request).unwrap();
    assert_eq!(json, r#"{"RepoName":"many","Limit":1}"#);
    assert_eq!(serde_json::from_str::<GetRepoImageRequest>(&json).unwrap(), request);
    assert!(serde_json::from_str::<GetRepoImageRequest>("{}").is_err());
    assert_eq!(client.send(request.clone()).await.unwrap().images.len(), 1);
    assert_eq!(client.call(request.clone()).offset(7).request().offset, Some(7));
    // A call is also `IntoFuture`.
    assert_eq!(client.call(request.clone()).await.unwrap().images.len(), 1);

    let (page, metadata) = client.call(request).send_with_metadata().await.unwrap();
    assert_eq!(page.total_count, 250);
    assert_eq!(metadata.action.as_deref(), Some("GetRepoImageResponse"));
    assert!(metadata.request_id.is_some_and(|id| !id.is_empty()));
    assert_eq!(metadata.message, None);
}

#[tokio::test]
async fn a_calls_project_takes_precedence_over_the_clients() {
    let uhub = uhub().await;
    let project = |request: &uhub_sdk::local::ReceivedRequest| {
        request
            .parameters
            .iter()
            .find(|(name, _)| name == "ProjectId")
            .map(|(_, value)| value.clone())
    };
    let builder = || Client::builder().credentials(credentials()).base_url(uhub.base_url());
    builder().build().unwrap().get_repo_image("many").send().await.unwrap();
    let client = builder().project_id("org-1").build().unwrap();
    client.get_repo_image("many").send().await.unwrap();
    client.get_repo_image("many").project_id("org-2").send().await.unwrap_err();
    let error = client.get_repo_image("many").project_id("org-3").send().await.unwrap_err();
    assert_eq!(error.ret_code(), Some(RetCode::PROJECT_UNKNOWN));
    let sent: Vec<Option<String>> = uhub.requests().iter().map(project).collect();
    assert_eq!(
        sent,
        [None, Some("org-1".to_owned()), Some("org-2".to_owned()), Some("org-3".to_owned())]
    );
}

#[tokio::test]
async fn a_wrong_key_is_reported() {
    let uhub = uhub().await;
    let call = async |credentials: Credentials| {
        let client = ClientBuilder::for_local(&uhub).credentials(credentials).build().unwrap();
        client.get_repo_image("many").send().await.unwrap_err()
    };
    let error = call(Credentials::new(PUBLIC_KEY, "pRiVaTe-wrong")).await;
    let error = checked(
        error,
        ErrorKind::Service,
        Execution::Rejected,
        "RetCode 171: The signature is wrong.",
    );
    assert_eq!(error.ret_code(), Some(RetCode::SIGNATURE_WRONG));
    assert!(
        error.to_string().contains("Check that the private key belongs to the public key"),
        "{error}"
    );
    assert!(!error.is_retryable());
    assert!(error.request_id().is_some_and(|id| error.to_string().contains(id)));
    assert!(error.message().is_some());
    assert_eq!(error.http_status(), Some(200));

    let error = call(Credentials::new("pUbLiC-unknown", PRIVATE_KEY)).await;
    let error = checked(
        error,
        ErrorKind::Service,
        Execution::Rejected,
        "RetCode 172: No user has this public key.",
    );
    assert_eq!(error.ret_code(), Some(RetCode::USER_UNKNOWN));
}

#[tokio::test]
async fn every_invalid_response_has_its_own_error() {
    use ErrorKind::{Connection, Decode, ResponseTooLarge, Service, UnexpectedResponse};
    use Execution::{Completed, Failed, Rejected, Unknown};

    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub)
        .retry(RetryPolicy::disabled())
        .max_response_size(1 << 20)
        .build()
        .unwrap();
    let html = format!("<html>{}<h1>502 Bad Gateway</h1>", "\u{1b}[31m");
    for (fault, kind, execution, is_retryable, expected) in [
        (
            respond(200, &[], r#"{"RetCode": 171}"#),
            Service,
            Rejected,
            false,
            "RetCode 171: The signature is wrong.",
        ),
        (
            respond(200, &[], r#"{"RetCode": "153"}"#),
            Service,
            Rejected,
            true,
            "RetCode 153: Too many calls",
        ),
        (
            respond(200, &[], r#"{"RetCode": 110}"#),
            Service,
            Unknown,
            true,
            "RetCode 110: The gateway timed out",
        ),
        (
            respond(500, &[], r#"{"RetCode": 64001, "Message": "odd"}"#),
            Service,
            Failed,
            false,
            r#"RetCode 64001. The service says: "odd"."#,
        ),
        (
            respond(200, &[], ""),
            UnexpectedResponse,
            Unknown,
            true,
            "HTTP 200 OK, but not a response of the service: the body is empty",
        ),
        (
            respond(200, &[], "null"),
            UnexpectedResponse,
            Unknown,
            true,
            "the body is not a JSON object",
        ),
        (
            respond(200, &[], "[]"),
            UnexpectedResponse,
            Unknown,
            true,
            "the body is not a JSON object",
        ),
        (
            respond(200, &[], r#"{"TotalCount": 0, "ImageSet": []}"#),
            UnexpectedResponse,
            Unknown,
            true,
            "the body has no `RetCode`",
        ),
        (
            respond(200, &[], r#"{"RetCode": 0, "Tot"#),
            UnexpectedResponse,
            Unknown,
            true,
            "the body is incomplete",
        ),
        (
            respond(502, &[("content-type", "text/html")], html),
            UnexpectedResponse,
            Unknown,
            true,
            "HTTP 502 Bad Gateway: a gateway in front of the service failed. Wait",
        ),
        (
            respond(503, &[], r#"{"RetCode": 0, "TotalCount": 0}"#),
            UnexpectedResponse,
            Unknown,
            true,
            "HTTP 503 Service Unavailable, although the body reports success",
        ),
        (
            respond(429, &[], "slow down"),
            UnexpectedResponse,
            Rejected,
            true,
            "HTTP 429 Too Many Requests",
        ),
        (
            respond(404, &[], "not here"),
            UnexpectedResponse,
            Rejected,
            false,
            "HTTP 404 Not Found: the service is not at this URL",
        ),
        (
            respond(302, &[("location", "https://evil.example/")], ""),
            UnexpectedResponse,
            Unknown,
            false,
            "redirects are not followed",
        ),
        (
            respond(200, &[], r#"{"RetCode": 0, "TotalCount": 1}"#),
            Decode,
            Completed,
            false,
            "cannot be decoded at `ImageSet`: the list is missing",
        ),
        (
            respond(
                200,
                &[],
                r#"{"RetCode": 0, "TotalCount": 1, "ImageSet": [{"PullCount": "x"}]}"#,
            ),
            Decode,
            Completed,
            false,
            "at `ImageSet[0].PullCount`",
        ),
        (
            Fault::Huge { bytes: 100_000_000 },
            ResponseTooLarge,
            Unknown,
            false,
            "larger than 1048576 bytes",
        ),
        (
            respond(200, &[("content-length", "100000000")], "{"),
            ResponseTooLarge,
            Unknown,
            false,
            "100000000 bytes",
        ),
        (
            Fault::CutBody { after: 40 },
            Connection,
            Unknown,
            true,
            "broke before the response was complete",
        ),
        (Fault::CutConnection, Connection, Unknown, true, "broke before the response was complete"),
    ] {
        let name = format!("{fault:?}");
        uhub.inject(fault);
        let started = Instant::now();
        let error = client.get_repo_image("many").send().await.expect_err(&name);
        assert!(started.elapsed() < Duration::from_secs(20), "{name} took {:?}", started.elapsed());
        let error = checked(error, kind, execution, expected);
        assert_eq!(error.is_retryable(), is_retryable, "{name}");
        // The error has what was in the head of the response.
        let has_head = kind != Connection || name.starts_with("CutBody");
        assert_eq!(error.http_status().is_some(), has_head, "{name}");
        assert_eq!(
            error.request_id().is_some(),
            has_head && !name.starts_with("Respond"),
            "{name}"
        );
        if kind == UnexpectedResponse || kind == Decode {
            assert!(error.body().is_none_or(|body| body.len() < 1100 && !body.contains('\u{1b}')));
            assert!(error.http_status().is_some());
        }
        // The client still works.
        assert_eq!(
            client.get_repo_image("many").limit(2).send().await.expect(&name).images.len(),
            2
        );
    }
    // Nothing was retried, and no redirect was followed.
    assert_eq!(uhub.requests().len(), 40);
}

/// A proxy's page that contains the requested URL and the private key.
#[tokio::test]
async fn secrets_in_a_proxys_page_are_hidden() {
    let uhub = uhub().await;
    let tap = Wiretap::before(&uhub).await;
    let client = ClientBuilder::for_local(&uhub)
        .credentials(credentials().with_security_token("tOkEn/1+2"))
        .base_url(tap.base_url())
        .encoding(Encoding::Query)
        .build()
        .unwrap();
    // The same call has the same signature each time, so the first shows the URL of the second.
    let call = client.get_repo_image("many");
    let _ = call.clone().send().await;
    let asked = tap.take();
    let asked = asked.lines().next().unwrap();
    assert!(asked.contains("&Signature="), "{asked}");
    let page = format!("<h1>Not found</h1> {asked} {PRIVATE_KEY}");
    uhub.inject(respond(404, &[], page));
    let error = call.send().await.unwrap_err();
    assert_eq!(tap.take().lines().next(), Some(asked));
    let body = error.body().unwrap();
    assert!(body.contains("Signature=[hidden]"), "{body}");
    assert!(!format!("{error:?}").contains("tOkEn"), "{error:?}");
    assert_no_secrets(&body.replace("Signature=[hidden]", ""));
}

#[tokio::test]
async fn a_refused_connection_means_not_sent() {
    // A port that is free again.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = Client::builder()
        .credentials(credentials())
        .base_url(format!("http://{free}/"))
        .build()
        .unwrap();
    let error = client.get_repo_image("many").send().await.unwrap_err();
    let error =
        checked(error, ErrorKind::Connect, Execution::NotSent, "cannot connect to 127.0.0.1:");
    assert!(error.is_retryable());
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(error.http_status(), None);
}

#[tokio::test]
async fn every_timeout_bounds_the_wait() {
    let uhub = uhub().await;
    let soon = Duration::from_millis(200);
    let base = || ClientBuilder::for_local(&uhub).retry(RetryPolicy::disabled());
    let bounded: [(&str, ClientBuilder, Option<Duration>); 3] = [
        ("the attempt", base().attempt_timeout(soon), None),
        ("the client's calls", base().timeout(soon), None),
        ("this call", base(), Some(soon)),
    ];
    for (name, builder, own) in bounded {
        uhub.inject(Fault::Hang);
        let mut call = builder.build().unwrap().get_repo_image("many");
        if let Some(own) = own {
            call = call.with_timeout(own);
        }
        let started = Instant::now();
        let error = call.send().await.unwrap_err();
        let waited = started.elapsed();
        assert!(waited >= soon && waited < Duration::from_secs(10), "{name}: {waited:?}");
        checked(error, ErrorKind::Timeout, Execution::Unknown, "no response within 0.2 s (`");
    }
}

/// The queue of a listener that does not accept fills up; then the system stops responding.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_connect_timeout_bounds_connecting() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let connect = tokio::net::TcpStream::connect(address);
        match tokio::time::timeout(Duration::from_millis(200), connect).await {
            Ok(connection) => waiting.push(connection),
            Err(_) => break,
        }
    }
    let builder =
        Client::builder().credentials(credentials()).base_url(format!("http://{address}/"));
    let client = builder.connect_timeout(Duration::from_millis(200)).build().unwrap();
    let error = client
        .get_repo_image("many")
        .with_timeout(Duration::from_secs(20))
        .send()
        .await
        .unwrap_err();
    checked(error, ErrorKind::Connect, Execution::NotSent, "cannot connect to 127.0.0.1:");
}

#[test]
fn a_call_without_a_runtime_is_an_error() {
    let client = Client::builder()
        .credentials(credentials())
        .base_url("http://127.0.0.1:1/")
        .build()
        .unwrap();
    let mut call = Box::pin(client.get_repo_image("many").send());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = call.as_mut().poll(&mut context) else {
        panic!("an error was expected")
    };
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("Tokio"), "{error}");
}

#[tokio::test]
async fn connections_are_reused_at_any_concurrency() {
    let uhub = uhub().await;
    let tap = Wiretap::before(&uhub).await;
    let client = ClientBuilder::for_local(&uhub).base_url(tap.base_url()).build().unwrap();
    for _ in 0..5 {
        let calls: Vec<_> =
            (0..16).map(|_| tokio::spawn(client.get_repo_image("many").send())).collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().total_count, 250);
        }
    }
    assert_eq!(uhub.requests().len(), 80);
    let connections = tap.connections();
    assert!(connections <= 16, "{connections} connections for 16 calls at once");
}

#[tokio::test]
async fn a_stalled_body_times_out() {
    let uhub = uhub().await;
    uhub.inject(Fault::SlowBody { bytes: 12, pause: Duration::from_secs(3_600) });
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    let started = Instant::now();
    let call = client.get_repo_image("many").with_timeout(Duration::from_millis(300));
    let error = call.send().await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(10));
    checked(
        error,
        ErrorKind::Timeout,
        Execution::Unknown,
        "no response within 0.3 s (`with_timeout`).",
    );
}

#[tokio::test]
async fn secrets_in_a_response_are_hidden() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).retry(RetryPolicy::disabled()).build().unwrap();
    for body in [
        format!(r#"{{"RetCode": 0, "TotalCount": "{PRIVATE_KEY}"}}"#),
        format!(r#"{{"RetCode": 0, "TotalCount": {{"{PUBLIC_KEY}": 1}}}}"#),
        format!(r#"{{"RetCode": 171, "Message": "no: {PRIVATE_KEY}"}}"#),
        format!("{PRIVATE_KEY} {}", "x".repeat(200_000)),
    ] {
        uhub.inject(respond(200, &[], body));
        let error = client.get_repo_image("many").send().await.unwrap_err();
        let (kind, execution) = (error.kind(), error.execution());
        assert!(error.to_string().contains("[hidden]"), "{error}");
        assert!(error.to_string().len() < 1_500, "{}", error.to_string().len());
        checked(error, kind, execution, "");
    }
}

/// Reads one request and repeats it in its error page, as some proxies do.
async fn echoing_proxy() -> std::net::SocketAddr {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut received = vec![0; 65_536];
            let length = stream.read(&mut received).await.unwrap();
            let page = String::from_utf8_lossy(&received[..length]);
            let head = format!("HTTP/1.1 502 Bad Gateway\r\nContent-Length: {}\r\n", page.len());
            let response = format!("{head}Connection: close\r\n\r\n{page}");
            stream.write_all(response.as_bytes()).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_proxys_password_is_hidden() {
    let proxy = echoing_proxy().await;
    let builder = || {
        Client::builder()
            .credentials(credentials())
            .base_url("http://api.example/")
            .allow_plain_http()
            .retry(RetryPolicy::disabled())
    };
    for url in [format!("http://user:hunter2%2Bsecret@{proxy}"), format!("us:pw@{proxy}")] {
        let client = builder().proxy(url).build().unwrap();
        let error = client.get_repo_image("many").send().await.unwrap_err();
        let error = checked(
            error,
            ErrorKind::UnexpectedResponse,
            Execution::Unknown,
            "HTTP 502 Bad Gateway",
        );
        let body = error.body().unwrap();
        assert!(body.contains("proxy-authorization: ") && body.contains("[hidden]"), "{body}");
        // The two pairs in Base64.
        for secret in ["hunter2", "dXNlcjpodW50ZXIyK3NlY3JldA", "dXM6cHc"] {
            assert!(!full_text(&error).contains(secret), "{secret} in {error:?}");
        }
    }
}

/// The token as an address in an address, in HTML, in JSON.
#[tokio::test]
async fn a_token_that_is_escaped_twice_is_hidden() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub)
        .credentials(credentials().with_security_token("tOkEn+a/b=="))
        .retry(RetryPolicy::disabled())
        .build()
        .unwrap();
    for shown in [
        "tOkEn%2Ba%2Fb%3D%3D",
        "tOkEn%252Ba%252Fb%253D%253D",
        "tOkEn%25252ba%25252fb%25253d%25253d",
        "tOkEn&#43;a&#x2F;b&#61;&#61;",
        "tOkEn&amp;#43;a&amp;#47;b==",
        "tOkEn\\u002ba\\/b\\u003d\\u003d",
        "tOkEn\\\\u002ba\\\\/b==",
        "dE9rRW4rYS9iPT0=",
        "744f6b456e2b612f623d3d",
    ] {
        for body in [
            format!("<html>the request: x={shown}&y</html>"),
            format!(r#"{{"RetCode": 64001, "Message": "x={}&y"}}"#, shown.replace('\\', "\\\\")),
        ] {
            uhub.inject(respond(200, &[], body));
            let error = client.get_repo_image("many").send().await.unwrap_err();
            let text = error.to_string();
            assert!(text.contains("x=[hidden]"), "{shown}: {text}");
            assert!(text.contains("&y"), "what follows is kept: {text}");
        }
    }
}

#[tokio::test]
async fn metadata_has_what_the_response_and_the_call_had() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).retry(common::quick_retries()).build().unwrap();
    uhub.inject(respond(429, &[], ""));
    let body = r#"{"RetCode": 0, "Action": "X", "TotalCount": 1, "New": {"a": 1}, "ImageSet": [
        {"ImageName": "i", "PullCount": 1, "LatestTag": "", "CreateTime": 1, "UpdateTime": 1, "Size": 7}]}"#;
    uhub.inject(respond(200, &[("x-gateway", "g1")], body));
    let (page, metadata) = client.get_repo_image("many").send_with_metadata().await.unwrap();
    assert_eq!((page.images.len(), metadata.attempts, metadata.http_status), (1, 2, 200));
    assert!(!metadata.elapsed.is_zero());
    assert_eq!(metadata.headers["x-gateway"], "g1");
    let unknown = serde_json::Value::Object(metadata.unknown_fields());
    assert_eq!(unknown, serde_json::json!({ "New": { "a": 1 } }));
    // A field within a model is in the body.
    assert!(metadata.body().windows(9).any(|text| text == b"\"Size\": 7"));
    let shown = format!("{metadata:?}");
    assert!(shown.contains("attempts: 2") && !shown.contains("g1"), "{shown}");

    let call = client.action("GetRepoImage").param("RepoName", "many").param("Limit", 1);
    let response = call.clone().await.unwrap();
    assert_eq!(response["TotalCount"], 250);
    let (_, metadata) = call.send_with_metadata::<serde_json::Value>().await.unwrap();
    assert_eq!((metadata.attempts, metadata.unknown_fields().len()), (1, 0));
}

#[tokio::test]
async fn a_client_is_scoped_to_a_project() {
    let uhub = uhub().await;
    let tap = Wiretap::before(&uhub).await;
    let client = ClientBuilder::for_local(&uhub).base_url(tap.base_url()).build().unwrap();
    let other = client.with_project_id("org-2");
    let third = other.with_project_id("org-3");
    client.get_repo_image("many").await.unwrap();
    // The repositories are in the first project.
    assert_eq!(other.get_repo_image("many").await.unwrap_err().execution(), Execution::Failed);
    other.action("GetRepoImage").param("RepoName", "many").await.unwrap_err();
    assert!(third.get_repo_image("many").await.unwrap_err().is_not_found());
    third.get_repo_image("many").project_id("org-1").await.unwrap();
    client.get_repo_image("many").await.unwrap();
    let requests = uhub.requests();
    let projects: Vec<_> = requests.iter().map(|request| request.parameter("ProjectId")).collect();
    let expected = ["org-1", "org-2", "org-2", "org-3", "org-1", "org-1"].map(Some);
    assert_eq!(projects, expected);
    assert_eq!(tap.connections(), 1, "the connections are shared");
    assert_eq!(other.config_sources().parameters["ProjectId"], uhub_sdk::ConfigSource::Explicit);
    assert!(client.with_project_id("").get_repo_image("many").await.is_err());

    // The retry budget is shared: what the one uses up, the other lacks.
    uhub.inject_on(uhub_sdk::local::Scope::all(), Fault::throttled());
    let patient = RetryPolicy::default().with_max_attempts(600).with_base_delay(Duration::ZERO);
    for _ in 0..2 {
        client.get_repo_image("many").with_retry(patient.clone()).await.unwrap_err();
    }
    let error = other.get_repo_image("many").await.unwrap_err();
    assert!(error.attempts() == 1 && error.to_string().contains("too many calls"), "{error}");
}

#[tokio::test]
async fn a_call_may_be_declared_idempotent_or_not() {
    use uhub_sdk::Idempotency::{Idempotent, NonIdempotent};

    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).retry(common::quick_retries()).build().unwrap();
    uhub.inject(Fault::CutConnection);
    client.create_repo("new").with_idempotency(Idempotent).await.unwrap();
    uhub.inject(Fault::CutConnection);
    let call = client.get_repo_image("many").with_idempotency(NonIdempotent);
    let error = call.await.unwrap_err();
    assert_eq!((error.attempts(), error.is_retryable()), (1, false), "{error}");
    uhub.inject(Fault::CutConnection);
    let pages = client.get_repo_image("many").with_idempotency(NonIdempotent).items().next().await;
    assert_eq!(pages.unwrap().unwrap_err().attempts(), 1);
}

#[tokio::test]
async fn predicates_tell_what_happened() {
    use uhub_sdk::RetCodeOutcome;

    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub)
        .retry(RetryPolicy::disabled())
        .ret_code_outcome(64_001, RetCodeOutcome::NotFound)
        .ret_code_outcome(64_002, RetCodeOutcome::Throttled)
        .ret_code_outcome(64_003, RetCodeOutcome::Unknown)
        .ret_code_outcome(299, RetCodeOutcome::Failed)
        .build()
        .unwrap();
    let predicates = |error: &Error| {
        let all = [
            ("throttled", error.is_throttled()),
            ("auth", error.is_auth()),
            ("not found", error.is_not_found()),
            ("timeout", error.is_timeout()),
        ];
        all.into_iter().filter_map(|(name, holds)| holds.then_some(name)).collect::<Vec<_>>()
    };
    let code = |code: i64| respond(200, &[], format!(r#"{{"RetCode": {code}}}"#));
    for (fault, expected, execution, is_retryable) in [
        (code(110), "timeout", Execution::Unknown, true),
        (code(130), "", Execution::Unknown, true),
        (code(150), "", Execution::Unknown, true),
        (code(153), "throttled", Execution::Rejected, true),
        (code(160), "", Execution::Rejected, false),
        (code(161), "", Execution::Rejected, false),
        (code(170), "auth", Execution::Rejected, false),
        (code(171), "auth", Execution::Rejected, false),
        (code(172), "auth", Execution::Rejected, false),
        (code(174), "auth", Execution::Rejected, false),
        (code(292), "not found", Execution::Rejected, false),
        (code(293), "", Execution::Rejected, false),
        (code(294), "auth", Execution::Rejected, false),
        (code(295), "auth", Execution::Rejected, false),
        // The program knows better.
        (code(299), "", Execution::Failed, false),
        (code(64_000), "", Execution::Failed, false),
        (code(-1), "", Execution::Failed, false),
        (code(64_001), "not found", Execution::Rejected, false),
        (code(64_002), "throttled", Execution::Rejected, true),
        (code(64_003), "", Execution::Unknown, true),
        (respond(401, &[], "<html>"), "", Execution::Rejected, false),
        (respond(404, &[], "<html>"), "", Execution::Rejected, false),
        (respond(408, &[], "<html>"), "timeout", Execution::Unknown, true),
        (respond(429, &[], "<html>"), "throttled", Execution::Rejected, true),
        (respond(429, &[], r#"{"RetCode": 7}"#), "throttled", Execution::Rejected, true),
        (respond(503, &[], "<html>"), "", Execution::Unknown, true),
        (respond(504, &[], "<html>"), "timeout", Execution::Unknown, true),
    ] {
        let name = format!("{fault:?}");
        uhub.inject(fault);
        let error = client.get_repo_image("many").await.unwrap_err();
        assert_eq!(predicates(&error).join(", "), expected, "{name}");
        let found = (error.execution(), error.is_retryable());
        assert_eq!(found, (execution, is_retryable), "{name}");
        let copy = error.clone();
        assert_eq!(copy.to_string(), error.to_string());
        assert_eq!(predicates(&copy), predicates(&error));
    }
    uhub.inject(Fault::Hang);
    let late = client.get_repo_image("many").with_timeout(Duration::from_millis(100));
    assert_eq!(predicates(&late.await.unwrap_err()), ["timeout"]);
}

/// A program that handles errors is tested with errors of its own making.
#[test]
fn an_error_is_built_as_the_client_would() {
    use uhub_sdk::{Idempotency, RetCodeOutcome};

    let error = Error::builder(ErrorKind::Service)
        .ret_code(RetCode::PROJECT_UNKNOWN)
        .action("GetRepo")
        .message("no such project")
        .request_id("id-1")
        .http_status(200)
        .attempts(2)
        .elapsed(Duration::from_millis(1500))
        .build();
    assert_eq!(
        error.to_string(),
        "GetRepo: RetCode 292: The project does not exist. The service says: \"no such project\". \
         Check the project's id; `GetProjectList` lists the projects that the credentials give \
         access to. [2 attempts in 1.5 s] [request id-1]"
    );
    assert!(error.is_not_found() && error.execution() == Execution::Rejected);
    let cause = std::io::Error::other("cause");
    let lost = Error::builder(ErrorKind::Timeout).source(cause).retryable(true).build().clone();
    assert!(lost.is_timeout() && lost.is_retryable() && lost.execution() == Execution::Unknown);
    assert_eq!(std::error::Error::source(&lost).unwrap().to_string(), "cause");
    let full =
        Error::builder(ErrorKind::Service).ret_code(8_000).retry_after(Duration::from_secs(3));
    let full = full.execution(Execution::Unknown).body("<html>").summary("a summary.").build();
    let expected = r#"a summary. The response asks to wait 3 s. The body begins: "<html>""#;
    assert_eq!(full.to_string(), expected);
    assert_eq!(full.ret_code_outcome(), Some(RetCodeOutcome::Failed));

    let own = Error::builder(ErrorKind::Service).ret_code(8_000).message("it exists").build();
    assert_eq!(own.to_string(), "RetCode 8000. The service says: \"it exists\".");

    let shown = format!(
        "{} {} {} {} {} {}",
        Encoding::Json,
        ErrorKind::UnexpectedResponse,
        Execution::NotSent,
        Idempotency::NonIdempotent,
        RetCode::THROTTLED,
        RetCodeOutcome::NotFound
    );
    assert_eq!(shown, "JSON unexpected response not sent non-idempotent 153 not found");
}

/// A buffer for all traces and log lines.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// reqwest uses `log`, not `tracing`.
impl log::Log for Captured {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut captured = self.0.lock().unwrap();
        captured.extend_from_slice(format!("{} {}\n", record.target(), record.args()).as_bytes());
    }

    fn flush(&self) {}
}

#[tokio::test]
async fn traces_contain_each_mismatch_once_and_no_secrets() {
    let captured = Captured::default();
    // This captures the logs of all tests in the process, which is fine.
    log::set_boxed_logger(Box::new(captured.clone())).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let uhub = uhub().await;
    for encoding in [Encoding::Form, Encoding::Query, Encoding::Json] {
        let credentials = credentials().with_security_token("tOkEn-pRiVaTe");
        let client = ClientBuilder::for_local(&uhub)
            .retry(RetryPolicy::disabled())
            .credentials(credentials)
            .encoding(encoding)
            .build()
            .unwrap();
        for _ in 0..2 {
            let odd = r#"{"RetCode": 0, "TotalCount": "1", "ImageSet": [{"PullCount": 5}, {"PullCount": "6"}]}"#;
            uhub.inject(respond(200, &[], odd));
            client.get_repo_image("many").send().await.unwrap();
        }
        uhub.inject(Fault::CutConnection);
        client.get_repo_image("many").send().await.unwrap_err();
        client.get_repo_image("none").send().await.unwrap_err();
    }
    let traced = captured.text();
    assert!(traced.contains("reqwest"), "the logs of reqwest are captured: {traced}");
    assert_no_secrets(&traced);
    assert!(!traced.contains("tOkEn"), "{traced}");
    // Once for each of three clients.
    for (level, field) in [("WARN", "field=\"LatestTag\""), ("DEBUG", "field=\"TotalCount\"")] {
        let lines = traced.lines().filter(|line| line.contains(level) && line.contains(field));
        assert_eq!(lines.count(), 3, "{field} in {traced}");
    }
}

#[test]
fn a_panic_message_contains_no_secrets() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on(async {
            let uhub = uhub().await;
            let wrong = Credentials::new(PUBLIC_KEY, "pRiVaTe-wrong");
            let client = ClientBuilder::for_local(&uhub)
                .credentials(wrong)
                .encoding(Encoding::Query)
                .build()
                .unwrap();
            client.get_repo_image("many").send().await.unwrap();
        });
    }))
    .unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("171"), "{message}");
    assert_no_secrets(message);
}

#[test]
fn the_example_lists_sample_images_without_credentials() {
    let lines = lines(&example("list_images").output().unwrap());
    assert_eq!(lines.len(), 9, "{lines:?}");
    assert!(lines[0].starts_with("NAME "));
    let cells: Vec<&str> = lines[4].split_whitespace().collect();
    assert_eq!(cells, ["nginx", "1.27", "12803", "2023-10-24T00:00:00Z", "2025-02-06T00:00:00Z"]);
    assert!(lines[5].starts_with("postgres "));
    assert_eq!(lines[8], "7 of 7 images in base");
}

#[tokio::test]
async fn the_example_lists_the_documented_images_with_credentials() {
    let uhub = uhub().await;
    let mut command = example("list_images");
    command.env("UCLOUD_PUBLIC_KEY", PUBLIC_KEY).env("UCLOUD_PRIVATE_KEY", PRIVATE_KEY);
    command.env("UCLOUD_API_BASE_URL", uhub.base_url()).arg("idkTdEFo");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let lines = lines(&output);
    assert_eq!(lines.len(), 11, "{lines:?}");
    let cells: Vec<Vec<&str>> =
        lines[1..10].iter().map(|line| line.split_whitespace().collect()).collect();
    let second = |n| format!("1970-01-01T00:00:0{n}Z");
    assert_eq!(cells[0], ["dCVBnkxg", "iBvvYGkW", "4", &second(5), &second(7)]);
    assert_eq!(cells[8], ["qzCGPhQD", "MCnyUuwU", "6", &second(2), &second(3)]);
    assert_eq!(lines[10], "9 of 9 images in idkTdEFo");
}

/// Returns what a program that succeeds prints.
#[track_caller]
fn lines(output: &std::process::Output) -> Vec<String> {
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}");
    stdout.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_example_explains_a_wrong_key() {
    let uhub = uhub().await;
    let base_url = uhub.base_url().to_owned();
    let run = move |private_key: &'static str| {
        let mut command = example("list_images");
        command.env("UCLOUD_PUBLIC_KEY", PUBLIC_KEY).env("UCLOUD_PRIVATE_KEY", private_key);
        command.env("UCLOUD_API_BASE_URL", &base_url).args(["many"]);
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let output = run("pRiVaTe-wrong").await.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr.contains("RetCode 171") && stderr.contains("Check that the private key"),
        "{stderr}"
    );
    assert_no_secrets(&stderr);
    assert!(output.stdout.is_empty());

    let output = run(PRIVATE_KEY).await.unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().ends_with("100 of 250 images in many\n"));
}

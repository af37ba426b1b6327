//! All messages of errors, side by side, as a user reads them.
//!
//! `UPDATE_MESSAGES=1` writes them to `tests/data/messages.txt`.

use std::{error::Error as StdError, fmt::Write, io, path::Path, time::Duration};

use uhub_sdk::{
    Client, ClientBuilder, Credentials, Encoding, Error, RetCode, RetCodeOutcome, RetryPolicy,
    TransportError,
    actions::{create_repo::CreateRepoRequest, get_repo_image::GetRepoImageRequest},
    http::{Response, StatusCode},
    testing::{MockResponse, MockTransport},
};

/// Responds with this status, these headers and this body.
fn response(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> MockResponse {
    let mut response = Response::new(body.to_owned().into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    response.into()
}

fn code(code: i64) -> MockResponse {
    response(200, &[], &format!(r#"{{"RetCode": {code}, "Message": "a message"}}"#))
}

fn builder(responses: &[MockResponse]) -> ClientBuilder {
    let mock = responses.iter().fold(MockTransport::new(), |mock, response| {
        mock.on::<GetRepoImageRequest>(response.clone())
            .on::<CreateRepoRequest>(response.clone())
            .on_action("DescribeX", response.clone())
    });
    ClientBuilder::for_mock(&mock).retry(RetryPolicy::disabled())
}

/// Collects messages, and what is wrong with them.
#[derive(Default)]
struct Messages {
    text: String,
    problems: Vec<String>,
}

impl Messages {
    fn add(&mut self, name: &str, error: &Error) {
        let shown = error.to_string();
        let retryable = if error.is_retryable() { ", retryable" } else { "" };
        let heading = format!("## {name} ({}, {}{retryable})", error.kind(), error.execution());
        writeln!(self.text, "{heading}\n{shown}\n").unwrap();

        let sentences: Vec<&str> = shown.split(['.', ':']).filter(|text| text.len() > 9).collect();
        let repeated = sentences.iter().enumerate().find(|(index, sentence)| {
            sentences[..*index].iter().any(|text| text.contains(**sentence))
        });
        let causes = std::iter::successors(error.source(), |cause| (*cause).source());
        let has_cause = causes
            .map(ToString::to_string)
            .any(|cause| shown.contains(cause.trim_end_matches('.')));
        let is_list = error.kind() == uhub_sdk::ErrorKind::Configuration;
        for (is_wrong, problem) in [
            (repeated.is_some(), "a sentence stands twice"),
            (has_cause, "it repeats its source"),
            (!is_list && shown.contains('\n'), "it has several lines"),
            (
                ["..", ":.", ": :", "  ", ". .", "?."].iter().any(|odd| shown.contains(*odd)),
                "the punctuation is wrong",
            ),
            (
                !shown.ends_with(['.', ']', '"']),
                "it ends neither as a sentence, nor with a number or a quotation",
            ),
        ] {
            if is_wrong {
                self.problems.push(format!("{name}: {problem}: {shown}"));
            }
        }
    }
}

#[tokio::test]
async fn messages_state_each_fact_once() {
    let mut messages = Messages::default();
    let mut responses = vec![
        ("a code without a message", response(200, &[], r#"{"RetCode": 64001}"#)),
        ("a text under another key", response(200, &[], r#"{"RetCode": 64001, "ErrMsg": "no"}"#)),
        ("a text that is an object", response(200, &[], r#"{"RetCode": 1, "Message": {"a": 1}}"#)),
        ("throttled, with a wait", response(200, &[("retry-after", "7")], r#"{"RetCode": 153}"#)),
        ("no body", response(200, &[], "")),
        ("a page", response(200, &[], "<html>Hello</html>")),
        ("no RetCode", response(200, &[], r#"{"error": "no"}"#)),
        ("an unclear RetCode", response(200, &[], r#"{"RetCode": true}"#)),
        ("half a body", response(200, &[], r#"{"RetCode": 0, "To"#)),
        ("an undecodable field", response(200, &[], r#"{"RetCode": 0, "TotalCount": {}}"#)),
        ("a list is missing", response(200, &[], r#"{"RetCode": 0, "TotalCount": 3}"#)),
        ("success with HTTP 500", response(500, &[], r#"{"RetCode": 0, "TotalCount": 0}"#)),
        ("a redirect", response(302, &[("location", "https://elsewhere.example/")], "")),
        ("304", response(304, &[], "")),
        ("429 with a wait", response(429, &[("retry-after", "30")], "slow down")),
        ("503 with a wait", response(503, &[("retry-after", "3600")], "<html>busy</html>")),
        ("a status without a name", response(520, &[], "<html>")),
        ("429, no wait", response(429, &[("retry-after", "0")], "")),
        ("compressed", response(200, &[("content-encoding", "gzip")], "x")),
        ("not compressed", response(200, &[("content-encoding", "identity")], "x")),
        ("a sentence", response(200, &[], r#"{"RetCode": 1, "Message": "There is none."}"#)),
        (
            "no text, but one under another key",
            response(200, &[], r#"{"RetCode": 1, "Message": {}, "Error_Msg": "no"}"#),
        ),
        ("a text that is a flag", response(200, &[], r#"{"RetCode": 1, "Message": false}"#)),
        (
            "a wrapped failure",
            MockResponse::failure(|| {
                let inner = io::Error::other("cannot connect to x:1");
                TransportError::not_connected("cannot connect to x:1.").with_source(inner)
            }),
        ),
        ("timed out", MockResponse::failure(|| TransportError::timed_out("it took too long."))),
        ("broken", MockResponse::failure(|| TransportError::interrupted("the connection broke."))),
        (
            "not connected",
            MockResponse::failure(|| TransportError::not_connected("cannot connect to x:1.")),
        ),
    ];
    let codes = [110, 130, 150, 153, 160, 161, 170, 171, 172, 174, 292, 293, 294, 295, 299, 64_001];
    responses.extend(codes.map(|number| ("a code", code(number))));
    let statuses = [400, 401, 403, 404, 405, 407, 408, 413, 414, 429, 431, 500, 502, 503, 504];
    responses.extend(statuses.map(|status| ("a gateway's page", response(status, &[], "<html>"))));
    for (name, response) in responses {
        let client = builder(&[response]).build().unwrap();
        let listed = client.get_repo_image("base").await;
        let created = client.create_repo("base").await;
        for error in [listed.map(drop), created.map(drop)].into_iter().filter_map(Result::err) {
            messages.add(name, &error);
        }
    }

    // The end of a call after several attempts.
    let twice = RetryPolicy::default().with_max_attempts(2).with_base_delay(Duration::ZERO);
    for (name, responses) in [
        ("an uncertain attempt, then a rejection", [code(150), code(299)]),
        ("an uncertain attempt, then a failure", [code(150), code(64_001)]),
        ("twice uncertain", [code(150), code(150)]),
        ("twice throttled", [code(153), code(153)]),
    ] {
        let client = builder(&responses).retry(twice.clone()).build().unwrap();
        messages.add(name, &client.get_repo_image("base").await.unwrap_err());
    }
    let patient = builder(&[response(429, &[("retry-after", "3600")], "")]).retry(twice.clone());
    let client = patient.timeout(Duration::from_millis(2500)).build().unwrap();
    messages.add("the wait is too long", &client.get_repo_image("base").await.unwrap_err());
    let client = builder(&[code(153)]).retry(twice.with_max_attempts(100)).build().unwrap();
    let mut error = client.get_repo_image("base").await.unwrap_err();
    while error.attempts() == 100 {
        error = client.get_repo_image("base").await.unwrap_err();
    }
    messages.add("the retry budget is used up", &error);
    let known = builder(&[code(64_001)]).ret_code_outcome(64_001, RetCodeOutcome::NotFound);
    let error = known.build().unwrap().get_repo_image("base").await.unwrap_err();
    assert!(error.is_not_found());
    messages.add("a code that the program knows", &error);
    let known = builder(&[code(64_001)]).ret_code_outcome(64_001, RetCodeOutcome::Unknown);
    messages
        .add("the same, uncertain", &known.build().unwrap().create_repo("b").await.unwrap_err());

    // What is not sent.
    let client = builder(&[]).build().unwrap();
    messages.add("an empty parameter", &client.get_repo_image("").await.unwrap_err());
    let zero = client.get_repo_image("base").with_timeout(Duration::ZERO);
    messages.add("a zero timeout", &zero.await.unwrap_err());
    let too_long = builder(&[]).encoding(Encoding::Query).build().unwrap();
    messages.add("a long URL", &too_long.get_repo_image("x".repeat(70_000)).await.unwrap_err());
    for (name, call) in [
        ("no action", client.action("")),
        ("an action with a space", client.action("Get Repo")),
        ("a parameter twice", client.action("DescribeX").param("A", 1).param("A", 2)),
        ("a parameter of the client", client.action("DescribeX").param("Signature", 1)),
        ("a parameter without a name", client.action("DescribeX").param("", 1)),
        ("null", client.action("DescribeX").param("A", serde_json::Value::Null)),
        ("not a number", client.action("DescribeX").param("A", f64::NAN)),
        ("the same parameter", client.action("DescribeX").param("A.0", 1).param("A", vec![2])),
        (
            "a field without a name",
            client.action("DescribeX").param("A", serde_json::json!({"": 1})),
        ),
        ("an empty project", client.with_project_id("").action("DescribeX")),
        ("a project with a line break", client.with_project_id("org-1\n").action("DescribeX")),
    ] {
        messages.add(name, &call.await.unwrap_err());
    }
    let hanging = |limit| {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let builder = Client::builder()
            .credentials(Credentials::new("public-key", "private-key"))
            .retry(RetryPolicy::disabled())
            .base_url(format!("http://{}/", server.local_addr().unwrap()))
            .attempt_timeout(limit)
            .max_concurrent_calls(1);
        (server, builder.build().unwrap())
    };
    let soon = Duration::from_millis(250);
    let (_server, client) = hanging(soon);
    messages.add("an attempt takes too long", &client.create_repo("base").await.unwrap_err());
    let (_server, client) = hanging(Duration::from_secs(65));
    let call = client.get_repo_image("base").with_timeout(soon);
    messages.add("a call takes too long", &call.await.unwrap_err());
    let (_server, client) = hanging(Duration::from_secs(65));
    let other = tokio::spawn(client.create_repo("base").into_future());
    tokio::task::yield_now().await;
    let call = client.get_repo_image("base").with_timeout(soon);
    messages.add("a call waits too long for its turn", &call.await.unwrap_err());
    other.abort();

    // The client cannot be built.
    messages.add("no credentials", &Client::builder().build().unwrap_err());
    let wrong = Client::builder()
        .credentials(Credentials::new("", "private key"))
        .project_id("")
        .timeout(Duration::ZERO)
        .proxy("::")
        .base_url("ftp://user@api.example/?a");
    messages.add("everything is wrong", &wrong.build().unwrap_err());

    // Offered with the feature `socks`.
    messages.text = messages.text.replace(", socks5://HOST:PORT", "");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/messages.txt");
    if std::env::var_os("UPDATE_MESSAGES").is_some() {
        std::fs::write(&path, &messages.text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    // The duration of several attempts differs.
    let elapsed = |text: &str| {
        let cut = |line: &str| line.split(" attempts in ").next().unwrap().to_owned();
        text.lines().map(cut).collect::<Vec<_>>()
    };
    assert!(
        elapsed(&messages.text) == elapsed(&expected),
        "the messages have changed: run with UPDATE_MESSAGES=1 and read `git diff`\n{}",
        messages.text
    );
    assert!(messages.problems.is_empty(), "{:#?}", messages.problems);
    // The documented meaning stands beside what the service says.
    assert!(messages.text.contains(RetCode::THROTTLED.meaning().unwrap()));
}

/// Titles, other lines, directions and invisible characters of a response, however it is read.
#[tokio::test]
async fn nothing_from_outside_controls_a_terminal() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "it is never read")]
    struct Strict {
        #[serde(rename = "RetCode")]
        ret_code: i64,
        #[serde(rename = "Kind")]
        kind: Option<Kind>,
    }
    #[derive(Debug, serde::Deserialize)]
    enum Kind {
        A,
    }

    const ODD: &str =
        "\u{1b}]0;title\u{7}\n\r\u{9b}2J\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}\u{e0041}";
    let escaped = ODD.chars().fold(String::new(), |mut text, c| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(text, "\\u{unit:04x}").unwrap();
        }
        text
    });
    let is_odd = |c: char| ODD.contains(c) && !c.is_ascii_graphic();
    let bodies = [
        format!(r#"{{"RetCode": 0, "{escaped}": 1}}"#),
        format!(r#"{{"RetCode": 0, "Kind": "{escaped}"}}"#),
        format!(r#"{{"RetCode": 64001, "Message": "{escaped}"}}"#),
        format!(r#"{{"RetCode": 64001, "ErrMsg": ["{escaped}"]}}"#),
        format!(r#"{{"RetCode": "{escaped}"}}"#),
        format!(r#"{{"RetCode": 0, "TotalCount": "{escaped}"}}"#),
        format!("<html>{ODD}</html>"),
    ];
    for body in bodies {
        for status in [200, 503] {
            let mut response = Response::new(body.clone().into());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            let id = uhub_sdk::http::HeaderValue::from_bytes("a\u{9b}\tb".as_bytes()).unwrap();
            response.headers_mut().insert("x-ucloud-request-uuid", id);
            let client = builder(&[response.into()]).build().unwrap();
            let untyped = client.action("DescribeX").send::<Strict>().await.map(drop);
            let typed = client.get_repo_image("base").await.map(drop);
            for error in [untyped, typed].into_iter().filter_map(Result::err) {
                let shown = format!("{error} {error:?}");
                assert!(!shown.contains(is_odd), "{shown:?}");
                for text in [error.message(), error.body(), error.request_id()] {
                    assert!(!text.unwrap_or_default().contains(is_odd), "{text:?}");
                }
            }
        }
    }

    // The source of an error comes from outside too.
    let failure = || {
        let cause = io::Error::other(format!("the cause: {ODD}"));
        TransportError::interrupted(format!("it broke: {ODD}")).with_source(cause)
    };
    let client = builder(&[MockResponse::failure(failure)]).build().unwrap();
    let error = client.get_repo_image("base").await.unwrap_err();
    let shown = format!("{error} {}", error.source().unwrap());
    assert!(!shown.contains(is_odd), "{shown:?}");

    // So does what a program takes from elsewhere.
    let error = client.action(ODD).await.unwrap_err();
    assert!(!error.to_string().contains(is_odd), "{error:?}");
    let error = client.action("DescribeX").param(ODD, 1).await.unwrap_err();
    assert!(!error.to_string().contains(is_odd), "{error:?}");
    let error = Client::builder().base_url(ODD).project_id(ODD).build().unwrap_err();
    assert!(!error.to_string().replace("\n- ", "").contains(is_odd), "{error:?}");
}

//! Responses that are small to send and large to read, or have two meanings.

use std::{
    sync::{
        Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny};
use serde_json::Value;
use uhub_sdk::{ClientBuilder, Error, ErrorKind, Execution, RetryPolicy, local::Fault};

use crate::{
    common::{assert_no_secrets, full_text, respond},
    uhub,
};

/// A success with this many copies of an element.
fn list_of(element: &str, count: usize) -> String {
    format!(
        r#"{{"RetCode": 0, "TotalCount": 9, "ImageSet": [{}{element}]}}"#,
        format!("{element},").repeat(count - 1)
    )
}

#[track_caller]
fn assert_too_large(error: &Error, expected: &str) {
    let text = full_text(error);
    assert_eq!(
        (error.kind(), error.execution(), error.is_retryable()),
        (ErrorKind::ResponseTooLarge, Execution::Completed, false),
        "{text}"
    );
    assert!(text.contains(expected), "{expected} in {text}");
    assert!(text.len() < 2_000, "{}", text.len());
    assert_no_secrets(&text);
}

#[tokio::test]
async fn a_response_has_a_limited_number_of_elements() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).retry(RetryPolicy::disabled()).build().unwrap();
    for element in ["{}", "null", r#"{"PullCount":1e308}"#, r#"{"LatestTag":1e308}"#] {
        uhub.inject(respond(200, &[], list_of(element, 60_000)));
        let error = client.get_repo_image("idkTdEFo").limit(20).send().await.unwrap_err();
        match element {
            // Not an integer: the first element is an error.
            r#"{"PullCount":1e308}"# => assert_eq!(error.kind(), ErrorKind::Decode, "{error}"),
            _ => assert_too_large(&error, "more than 50000 elements in its lists"),
        }
        let mut images = client.get_repo_image("idkTdEFo").limit(20).items();
        uhub.inject(respond(200, &[], list_of(element, 60_000)));
        images.next().await.unwrap().unwrap_err();
        assert!(images.next().await.is_none());
    }
    // A refusal is one, whatever else is there.
    let refused = list_of("{}", 60_000).replace(r#""RetCode": 0"#, r#""RetCode": 171"#);
    uhub.inject(respond(200, &[], refused));
    let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Service, "{error}");
}

#[tokio::test]
async fn a_response_takes_a_limited_amount_of_memory() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).retry(RetryPolicy::disabled()).build().unwrap();
    for element in ["{}", "[[[]]]", r#"{"":0}"#, r#"{"a":{"":[]}}"#] {
        uhub.inject(respond(200, &[], list_of(element, 250_000)));
        let call = client.action("GetRepoImage").param("RepoName", "idkTdEFo");
        let error = call.send::<Value>().await.map(drop).unwrap_err();
        assert_too_large(&error, "more than 64 MiB of memory");
    }
}

#[tokio::test]
async fn a_response_has_a_limited_size() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).retry(RetryPolicy::disabled()).build().unwrap();
    uhub.inject(Fault::Huge { bytes: 16 << 20 });
    let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResponseTooLarge, "{error}");
    assert!(error.to_string().contains("larger than 4194304 bytes"), "{error}");
}

#[tokio::test]
async fn a_large_page_that_was_asked_for_is_read() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).max_response_size(64 << 20).build().unwrap();
    let images: Vec<String> = (0..60_000)
        .map(|n| {
            format!(
                r#"{{"ImageName": "image-{n}", "PullCount": {n}, "CreateTime": 1342434682,
                    "UpdateTime": 1342434682, "LatestTag": "1.{n}", "RepoName": "base"}}"#
            )
        })
        .collect();
    let body =
        format!(r#"{{"RetCode": 0, "TotalCount": 60000, "ImageSet": [{}]}}"#, images.join(","));
    uhub.inject(respond(200, &[], body.clone()));
    let page = client.get_repo_image("idkTdEFo").limit(60_000).send().await.unwrap();
    assert_eq!(page.images.len(), 60_000);
    uhub.inject(respond(200, &[], body));
    let call = client.action("GetRepoImage").param("RepoName", "idkTdEFo");
    let page: Value = call.send().await.unwrap();
    assert_eq!(page["ImageSet"][59_999]["ImageName"], "image-59999");
}

/// What is unusual and within the limits is read, or an error: there is no overflow and no panic.
#[tokio::test]
async fn unusual_json_is_read_or_refused() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).retry(RetryPolicy::disabled()).build().unwrap();
    let keys: String = (0..200_000).map(|n| format!("\"key-{n}\":{n},")).collect();
    for (fields, is_read) in [
        (format!("{keys}\"ImageSet\": []"), true),
        (
            format!("\"New\": {}{}, \"ImageSet\": []", "[".repeat(900_000), "]".repeat(900_000)),
            true,
        ),
        (format!("\"New\": {}, \"ImageSet\": []", "9".repeat(2_000_000)), true),
        (format!("\"New\": 0.{}, \"ImageSet\": []", "9".repeat(2_000_000)), true),
        (format!("\"ImageSet\": [{{\"PullCount\": {}}}]", "9".repeat(2_000_000)), false),
        (format!("\"ImageSet\": [{{\"PullCount\": 0.{}}}]", "0".repeat(2_000_000)), true),
        (format!("\"ImageSet\": [{{\"PullCount\": 1e{}}}]", "9".repeat(2_000_000)), false),
        (format!("\"ImageSet\": {}{}", "[".repeat(900_000), "]".repeat(900_000)), false),
        (format!("\"ImageSet\": [{}{{}}]", "{\"ImageName\":7},".repeat(40_000)), true),
    ] {
        uhub.inject(respond(200, &[], format!(r#"{{"RetCode": 0, "TotalCount": 0, {fields}}}"#)));
        let result = client.get_repo_image("idkTdEFo").send().await;
        let shown = &fields[..80];
        assert_eq!(result.is_ok(), is_read, "{shown}: {:?}", result.err());
    }
}

#[tokio::test]
async fn a_field_that_is_there_twice_is_an_error() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).retry(RetryPolicy::disabled()).build().unwrap();
    for (fields, path) in [
        (r#""TotalCount": 1, "ImageSet": [{}], "ImageSet": []"#, "`ImageSet`"),
        (r#""TotalCount": 1, "ImageSet": [], "ImageSet": [{}]"#, "`ImageSet`"),
        (r#""TotalCount": 1, "ImageSet": [{}], "ImageSet": null"#, "`ImageSet`"),
        (r#""TotalCount": 1, "ImageSet": [{}], "TotalCount": 1"#, "`TotalCount`"),
        (
            r#""TotalCount": 1, "ImageSet": [{"ImageName": "a", "ImageName": "b"}]"#,
            "`ImageSet[0].ImageName`",
        ),
    ] {
        let body = format!(r#"{{"RetCode": 0, {fields}}}"#);
        uhub.inject(respond(200, &[], body.clone()));
        let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
        assert_eq!((error.kind(), error.execution()), (ErrorKind::Decode, Execution::Completed));
        assert!(
            error.to_string().contains(&format!("{path}: the field is there twice")),
            "{error}"
        );
        uhub.inject(respond(200, &[], body));
        let call = client.action("GetRepoImage").param("RepoName", "idkTdEFo");
        let error = call.send::<Value>().await.unwrap_err();
        assert_eq!((error.kind(), error.execution()), (ErrorKind::Decode, Execution::Completed));
        assert!(error.to_string().contains("is there twice"), "{error}");
    }
}

/// Whether reading may go on, and whether it has begun.
static GATE: Mutex<Option<(Receiver<()>, Sender<()>)>> = Mutex::new(None);

/// Closes the gate. Returns what opens it, and what tells that reading has begun.
fn close_gate() -> (Sender<()>, Receiver<()>) {
    let ((open, may_go_on), (begin, has_begun)) = (channel(), channel());
    *GATE.lock().unwrap() = Some((may_go_on, begin));
    (open, has_begun)
}

/// A response that takes long to read: until the gate is opened.
#[derive(Debug)]
struct Slow;

impl<'de> Deserialize<'de> for Slow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (may_go_on, begin) = GATE.lock().unwrap().take().unwrap();
        let _ = begin.send(());
        // The bound ends a test that would hang.
        may_go_on.recv_timeout(Duration::from_secs(30)).map_err(D::Error::custom)?;
        IgnoredAny::deserialize(from).map(|_| Slow)
    }
}

/// Both tests in one, since they share the gate.
#[tokio::test(flavor = "current_thread")]
async fn reading_a_large_response_stalls_no_other_task_and_ends_with_the_call() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).retry(RetryPolicy::disabled()).build().unwrap();
    let body = format!(r#"{{"RetCode": 0, "Data": "{}"}}"#, "x".repeat(1_000_000));

    let (open, _has_begun) = close_gate();
    uhub.inject(respond(200, &[], body.clone()));
    let call = tokio::spawn(client.action("GetRepoImage").send::<Slow>());
    // Another task of the same thread opens the gate.
    tokio::spawn(async move {
        while GATE.lock().unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        open.send(()).unwrap();
    });
    call.await.unwrap().unwrap();

    let (open, has_begun) = close_gate();
    uhub.inject(respond(200, &[], body));
    let call = client.action("GetRepoImage").with_timeout(Duration::from_millis(500));
    let error = call.send::<Slow>().await.unwrap_err();
    assert_eq!((error.kind(), error.execution()), (ErrorKind::Timeout, Execution::Unknown));
    assert!(error.to_string().contains("could not be read within"), "{error}");
    has_begun.recv().unwrap();
    drop(open);
}

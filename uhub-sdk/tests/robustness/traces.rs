//! Traces and observers.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, Once},
};

use tracing::{
    Event, Id, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt},
    registry::LookupSpan,
};
use uhub_sdk::{
    Attempt, Client, ClientBuilder, Encoding, ErrorKind, FinishedCall, Observer, RetryPolicy,
    local::Fault,
};

use crate::{
    common::{PRIVATE_KEY, PUBLIC_KEY, credentials, quick_retries, respond},
    uhub,
};

/// The captured traces, each span and event with its fields as text.
#[derive(Clone, Default)]
pub(crate) struct Captured {
    pub(crate) ours: Arc<Mutex<Vec<String>>>,
    /// The names of the fields of this crate's spans and events.
    fields: Arc<Mutex<BTreeSet<String>>>,
    /// The spans and events of all crates.
    all: Arc<Mutex<String>>,
}

struct Text<'c>(String, &'c mut BTreeSet<String>);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.1.insert(field.name().to_owned());
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}

impl Captured {
    fn keep(&self, metadata: &tracing::Metadata<'_>, record: impl FnOnce(&mut dyn Visit)) {
        let is_ours =
            metadata.target().starts_with("uhub_sdk") && !metadata.target().contains("local");
        let mut fields = BTreeSet::new();
        let mut text = Text(metadata.level().to_string(), &mut fields);
        record(&mut text);
        let text = text.0;
        self.all.lock().unwrap().push_str(&text);
        if is_ours {
            self.ours.lock().unwrap().push(text);
            self.fields.lock().unwrap().append(&mut fields);
        }
    }
}

thread_local! {
    static CAPTURED: RefCell<Captured> = RefCell::default();
}

/// Captures the traces of this thread from now on.
///
/// The subscriber is global: a thread's own one misses events that other threads have reached
/// first, since `tracing` caches whether anyone is interested.
pub(crate) fn capture() -> Captured {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(ByThread);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    CAPTURED.take();
    CAPTURED.with_borrow(Captured::clone)
}

struct ByThread;

impl<S: Subscriber + for<'l> LookupSpan<'l>> Layer<S> for ByThread {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let record = |text: &mut dyn Visit| attributes.record(text);
        CAPTURED.with_borrow(|captured| captured.keep(attributes.metadata(), record));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        CAPTURED.with_borrow(|captured| captured.keep(span.metadata(), |text| values.record(text)));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        CAPTURED.with_borrow(|captured| captured.keep(event.metadata(), |text| event.record(text)));
    }
}

#[tokio::test]
async fn calls_are_spans_and_attempts_are_events_without_secrets() {
    let captured = capture();
    let uhub = uhub().await;
    for encoding in [Encoding::Form, Encoding::Query, Encoding::Json] {
        let client = ClientBuilder::for_local(&uhub)
            .credentials(credentials().with_security_token("tOkEn-pRiVaTe"))
            .encoding(encoding)
            .retry(quick_retries())
            .build()
            .unwrap();
        for fault in [
            Fault::CutConnection,
            respond(502, &[], "<html>Bad Gateway</html>"),
            respond(200, &[], r#"{"RetCode": 153}"#),
        ] {
            uhub.inject(fault);
        }
        let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Service);
        // This one is refused by the service itself, so it has a request id.
        let error = client.get_repo_image("none").send().await.unwrap_err();
        assert!(error.request_id().is_some());
    }

    let port = uhub.base_url().rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    let ours = captured.ours.lock().unwrap();
    let span = format!(
        "INFO otel.name=\"GetRepoImage\" otel.kind=\"client\" rpc.system=\"ucloud\" rpc.method=\"GetRepoImage\" server.address=\"127.0.0.1\" \
         server.port={port}"
    );
    assert_eq!(ours[0], span);
    let shows = |index: usize, parts: &[&str]| {
        for part in parts {
            assert!(ours[index].contains(part), "{part:?} in {}", ours[index]);
        }
    };
    shows(
        1,
        &["WARN message=attempt", "attempt=1", "error.type=Connection", "elapsed_ms=", "wait_ms="],
    );
    shows(
        2,
        &["WARN", "attempt=2", "http.response.status_code=502", "error.type=UnexpectedResponse"],
    );
    shows(
        3,
        &[
            "DEBUG",
            "attempt=3",
            "http.response.status_code=200",
            "ret_code=153",
            "error.type=Service",
        ],
    );
    assert!(!ours[3].contains("wait_ms"), "{}", ours[3]);
    assert_eq!(ours[4], "INFO otel.status_code=\"ERROR\"");
    assert_eq!(ours[5], "INFO error.type=Service");

    // The fields that may be recorded.
    let allowed = [
        "action",
        "attempt",
        "elapsed_ms",
        "error.type",
        "http.response.status_code",
        "message",
        "otel.kind",
        "otel.name",
        "otel.status_code",
        "request_id",
        "ret_code",
        "rpc.method",
        "rpc.system",
        "server.address",
        "server.port",
        "wait_ms",
    ];
    let fields = captured.fields.lock().unwrap();
    assert_eq!(*fields, allowed.map(str::to_owned).into());

    let all = captured.all.lock().unwrap();
    assert!(all.contains("hyper") || all.len() > 1000, "other crates are captured too");
    for secret in ["pUbLiC", "pRiVaTe", PUBLIC_KEY, PRIVATE_KEY] {
        assert!(!all.contains(secret), "{all}");
    }
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let longest = all.split(|c| !is_hex(c)).map(str::len).max();
    assert!(longest < Some(40), "a signature has 40 digits: {all}");
}

/// Records all attempts and calls.
#[derive(Debug, Clone, Default)]
struct Counter(Arc<Mutex<Vec<String>>>);

impl Observer for Counter {
    fn attempt(&self, attempt: &Attempt<'_>) {
        let Attempt { action, number, http_status, wait, .. } = attempt;
        let line = format!(
            "{action} {number} {http_status:?} throttled: {} waits: {}",
            attempt.is_throttled(),
            wait.is_some()
        );
        self.0.lock().unwrap().push(line);
    }

    fn call(&self, call: &FinishedCall<'_>) {
        let kind = call.error.map(uhub_sdk::Error::kind);
        assert!(!call.elapsed.is_zero());
        self.0.lock().unwrap().push(format!("{} {} {kind:?}", call.action, call.attempts));
    }
}

#[tokio::test]
async fn an_observer_sees_every_attempt_and_call() {
    let uhub = uhub().await;
    let counter = Counter::default();
    let client = ClientBuilder::for_local(&uhub)
        .observer(counter.clone())
        .retry(quick_retries())
        .build()
        .unwrap();
    uhub.inject(respond(200, &[], r#"{"RetCode": 153}"#));
    uhub.inject(respond(429, &[], ""));
    client.get_repo_image("idkTdEFo").send().await.unwrap();
    client.get_repo_image("none").send().await.unwrap_err();
    let lines = counter.0.lock().unwrap();
    assert_eq!(
        *lines,
        [
            "GetRepoImage 1 Some(200) throttled: true waits: true",
            "GetRepoImage 2 Some(429) throttled: true waits: true",
            "GetRepoImage 3 Some(200) throttled: false waits: false",
            "GetRepoImage 3 None",
            "GetRepoImage 1 Some(200) throttled: false waits: false",
            "GetRepoImage 1 Some(Service)",
        ]
    );
}

#[test]
fn plain_http_is_warned_of() {
    let captured = capture();
    let builder = Client::builder().credentials(credentials());
    builder.base_url("http://api.service.ucloud.cn/").allow_plain_http().build().unwrap();
    let ours = captured.ours.lock().unwrap();
    assert!(
        ours.iter().any(|line| line.starts_with("WARN") && line.contains("plain HTTP")),
        "{ours:?}"
    );
}

/// A proxy may have set the id.
#[tokio::test]
async fn a_request_id_is_redacted_and_truncated() {
    let captured = capture();
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).retry(RetryPolicy::disabled()).build().unwrap();
    for id in [format!("a{PRIVATE_KEY}"), "x".repeat(20_000)] {
        for (status, body) in [(200, r#"{"RetCode": 0, "TotalCount": 0}"#), (502, "<html>")] {
            uhub.inject(respond(status, &[("X-UCLOUD-REQUEST-UUID", &id)], body));
            let call = client.get_repo_image("idkTdEFo");
            let shown = match call.send_with_metadata().await {
                Ok((_, metadata)) => format!("{metadata:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!shown.contains("pRiVaTe") && shown.len() < 1_500, "{shown}");
        }
    }
    let ours = captured.ours.lock().unwrap();
    assert!(ours.iter().any(|line| line.contains("request_id=\"a[hidden]")), "{ours:?}");
    assert!(ours.iter().all(|line| !line.contains("pRiVaTe") && line.len() < 1_000), "{ours:?}");
}

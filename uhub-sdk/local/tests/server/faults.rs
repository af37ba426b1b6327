//! Faults: which requests they affect, and whether these are executed.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uhub_local::{Fault, Image, LocalUhub, ReceivedRequest, Repository, Scope, Tag};

use crate::wire::*;

const TIME: Duration = Duration::from_millis(300);

fn create(uhub: &LocalUhub, name: &str) -> String {
    let all = [("Action", "CreateRepo"), ("RepoName", name)];
    post_form(&signed(uhub, &all))
}

/// The number of private repositories.
async fn count(uhub: &LocalUhub) -> i64 {
    let listed = act(uhub, "GetRepo", &[("Type", "private")]).await;
    listed["TotalCount"].as_i64().unwrap()
}

fn last(uhub: &LocalUhub) -> ReceivedRequest {
    uhub.requests().pop().unwrap()
}

#[tokio::test]
async fn each_fault_executes_the_action_or_not_as_documented() {
    let uhub = LocalUhub::start().await.unwrap();
    let never = [
        Fault::bad_gateway(),
        Fault::throttled(),
        Fault::Huge { bytes: 10 },
        Fault::CutConnection,
        Fault::ResetConnection,
        Fault::retry_after(503, 1),
    ];
    let always = [
        Fault::Delay { time: Duration::from_millis(1) },
        Fault::CutResponse { after: 0 },
        Fault::CutBody { after: 1 },
        Fault::SlowBody { bytes: 10, pause: Duration::from_millis(1) },
        Fault::BrokenJson,
        Fault::WrongTypes,
        Fault::WrongTotal { total: 3 },
        Fault::RepeatPages,
    ];
    let after_execution = never.clone().map(Fault::after_execution);
    let always_too = always.clone().map(Fault::after_execution);
    let cases = never.into_iter().map(|fault| (fault, false)).chain(
        [&always[..], &after_execution, &always_too]
            .concat()
            .into_iter()
            .map(|fault| (fault, true)),
    );
    for (fault, executed) in cases {
        let before = count(&uhub).await;
        uhub.inject(fault.clone());
        let mut connection = Connection::open(&uhub).await;
        connection.send(create(&uhub, "new")).await;
        connection.receive().await;
        let request = last(&uhub);
        assert_eq!(request.fault.as_ref(), Some(&fault));
        assert_eq!(request.executed, executed, "{fault:?}");
        assert_eq!(count(&uhub).await - before, i64::from(executed));
        if executed {
            assert_eq!(request.ret_code, Some(0), "{fault:?}");
            act(&uhub, "DeleteRepo", &[("RepoName", "new")]).await;
        }
    }
}

#[tokio::test]
async fn a_refused_request_is_not_executed() {
    let uhub = LocalUhub::start().await.unwrap();
    uhub.inject(Fault::CutConnection.after_execution());
    let wrong = signed_with(uhub.public_key(), "other", &[("Action", "GetRepo")]);
    let mut connection = Connection::open(&uhub).await;
    connection.send(get(&wrong)).await;
    assert!(connection.is_closed().await);
    let request = last(&uhub);
    assert_eq!((request.ret_code, request.executed), (Some(171), false));
}

#[tokio::test]
async fn faults_affect_the_requests_of_their_scope() {
    let uhub = LocalUhub::start().await.unwrap();
    uhub.inject_on(Scope::action("GetRepo").nth(2), Fault::throttled());
    uhub.inject_on(Scope::all().nth(5), Fault::ret_code(295));
    let mut codes = Vec::new();
    for action in ["GetRepo", "GetProjectList", "GetRepo", "GetRepo", "GetRepo"] {
        codes.push(act(&uhub, action, &[]).await["RetCode"].clone());
    }
    assert_eq!(codes, [0, 0, 153, 0, 295]);

    uhub.inject(Fault::throttled());
    uhub.inject_on(Scope::all(), Fault::throttled());
    assert_eq!(act(&uhub, "GetRepo", &[]).await["RetCode"], 153);
    uhub.clear_faults();
    assert_eq!(act(&uhub, "GetRepo", &[]).await["RetCode"], 0);
}

#[tokio::test]
async fn the_same_seed_selects_the_same_requests() {
    let hits = async |seed: u64| {
        let uhub = LocalUhub::builder().seed(seed).start().await.unwrap();
        uhub.inject_on(Scope::all().rate(0.5), Fault::throttled());
        let mut connection = Connection::open(&uhub).await;
        let mut hits = Vec::new();
        for _ in 0..40 {
            connection.send(get("")).await;
            hits.push(connection.expect().await.ret_code() == 153);
        }
        hits
    };
    let first = hits(5).await;
    assert_eq!(first, hits(5).await);
    assert_ne!(first, hits(50).await);
}

#[tokio::test]
async fn a_fault_lasts_for_a_time() {
    let uhub = LocalUhub::start().await.unwrap();
    let while_down = Scope::all().lasting(Duration::from_secs(2));
    uhub.inject_on(while_down, Fault::bad_gateway());
    assert_eq!(ask(&uhub, get("")).await.status, 502);
    let is_up = async || ask(&uhub, get("")).await.status == 200;
    eventually("the service", is_up).await;
}

#[tokio::test]
async fn return_codes_are_injected() {
    let uhub = LocalUhub::start().await.unwrap();
    for code in [110, 130, 150, 153, 293, 294, 295, 299] {
        uhub.inject(Fault::ret_code(code));
        let body = act(&uhub, "CreateRepo", &[]).await;
        assert_eq!(body["RetCode"], code);
        // The client knows the meaning, and the service does not repeat it.
        assert_eq!(body["Message"], "injected by the local server");
        let request = last(&uhub);
        assert_eq!((request.ret_code, request.status), (Some(code), Some(200)));
    }
    uhub.inject(Fault::ret_code(0));
    let body = json!({"Action": "GetRepoImageResponse", "RetCode": 0});
    assert_eq!(ask(&uhub, get(&signed(&uhub, LIST))).await.json(), body);
    // The gateway times out after the execution.
    uhub.inject(Fault::ret_code(110).after_execution());
    let body = act(&uhub, "CreateRepo", &[("RepoName", "base")]).await;
    assert_eq!(body["RetCode"], 110);
    assert_eq!(last(&uhub).ret_code, Some(0));
    assert_eq!(count(&uhub).await, 1);
}

#[tokio::test]
async fn retry_after_is_sent() {
    let uhub = LocalUhub::start().await.unwrap();
    for (status, retry_after) in [(429, "2"), (503, "Wed, 21 Oct 2035 07:28:00 GMT")] {
        uhub.inject(Fault::retry_after(status, retry_after));
        let response = ask(&uhub, get("")).await;
        assert_eq!(response.status, status);
        assert_eq!(response.header("retry-after"), Some(retry_after));
    }
}

#[tokio::test]
async fn a_connection_is_reset() {
    let uhub = LocalUhub::start().await.unwrap();
    for fault in [Fault::ResetConnection, Fault::ResetConnection.after_execution()] {
        uhub.inject(fault);
        let mut connection = Connection::open(&uhub).await;
        connection.send(get("")).await;
        let error = connection.tcp.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn a_response_is_cut_after_any_byte() {
    let uhub = with_images(3).await;
    let good = get(&signed(&uhub, &[("Action", "GetRepo")]));
    let read_all = async |fault: Option<u64>| {
        if let Some(after) = fault {
            uhub.inject(Fault::CutResponse { after });
        }
        let mut connection = Connection::open(&uhub).await;
        connection.send(&good).await;
        if fault.is_none() {
            connection.tcp.shutdown().await.unwrap();
        }
        let mut all = Vec::new();
        connection.tcp.read_to_end(&mut all).await.unwrap();
        all
    };
    let whole = read_all(None).await;
    let head = find(&whole, b"\r\n\r\n").unwrap() + 4;
    for after in [0, 1, 9, head - 2, head, head + 5] {
        let cut = read_all(Some(after as u64)).await;
        assert_eq!(cut.len(), after);
        assert!(String::from_utf8(cut).unwrap().starts_with(&"HTTP/1.1 200"[..after.min(12)]));
    }
    let more = read_all(Some(100_000)).await;
    let body = |all: &[u8]| all[find(all, b"\r\n\r\n").unwrap()..].to_vec();
    assert_eq!(body(&more), body(&whole));
}

#[tokio::test]
async fn a_delay_comes_before_or_after_the_execution() {
    let uhub = LocalUhub::start().await.unwrap();
    // A patient client gets its response.
    for fault in [Fault::Delay { time: TIME }, Fault::Delay { time: TIME }.after_execution()] {
        uhub.inject(fault);
        let began = Instant::now();
        assert_eq!(ask(&uhub, create(&uhub, "waited")).await.ret_code(), 0);
        assert!(began.elapsed() >= TIME);
        assert!(last(&uhub).elapsed.unwrap() >= TIME);
        act(&uhub, "DeleteRepo", &[("RepoName", "waited")]).await;
    }
    // A client that leaves may have executed the action.
    let long = Duration::from_secs(60);
    for (fault, executed) in [
        (Fault::Delay { time: long }, false),
        (Fault::Delay { time: long }.after_execution(), true),
    ] {
        uhub.inject(fault);
        let before = uhub.requests().len();
        let mut connection = Connection::open(&uhub).await;
        connection.send(create(&uhub, "left")).await;
        eventually("the request", async || uhub.requests().len() > before).await;
        drop(connection);
        let left = async || uhub.requests()[before].elapsed.is_some();
        eventually("the end of the request", left).await;
        assert_eq!(count(&uhub).await, i64::from(executed));
        let left = &uhub.requests()[before];
        assert_eq!((left.executed, left.status), (executed, None));
    }
}

#[tokio::test]
async fn a_slow_body_is_complete() {
    let uhub = with_images(1).await;
    let good = get(&signed(&uhub, LIST));
    let whole = ask(&uhub, &good).await;
    let bytes = whole.body.len() / 4 + 1;
    for (bytes, pause, least) in [(bytes, TIME / 3, TIME), (0, Duration::ZERO, Duration::ZERO)] {
        uhub.inject(Fault::SlowBody { bytes, pause });
        let began = Instant::now();
        let mut connection = Connection::open(&uhub).await;
        connection.send(&good).await;
        let slow = connection.expect().await;
        assert!(began.elapsed() >= least);
        assert!(slow.complete && slow.body == whole.body);
        // The connection stays usable.
        connection.send(&good).await;
        assert_eq!(connection.expect().await.body, whole.body);
    }
}

#[tokio::test]
async fn a_response_is_broken_json() {
    let uhub = with_images(2).await;
    uhub.inject(Fault::BrokenJson);
    let response = ask(&uhub, get(&signed(&uhub, LIST))).await;
    assert!(response.complete && response.status == 200);
    assert!(serde_json::from_slice::<serde_json::Value>(&response.body).is_err());
}

#[tokio::test]
async fn a_response_has_the_types_of_the_example() {
    let base = Repository::new("base").public().image(Image::new("nginx"));
    let uhub = LocalUhub::builder().repository(base).start().await.unwrap();
    uhub.inject_on(Scope::all(), Fault::WrongTypes);
    // The other types are those of the current documentation.
    let listed = act(&uhub, "GetRepoImage", &[("RepoName", "base")]).await;
    assert_eq!((&listed["RetCode"], &listed["TotalCount"]), (&json!("0"), &json!(1)));
    assert_eq!(listed["ImageSet"].as_array().unwrap().len(), 1);
    let refused = act(&uhub, "GetRepoImage", &[]).await;
    assert_eq!(refused["RetCode"], "220");
}

#[tokio::test]
async fn totals_are_wrong_and_pages_repeat() {
    let tags = (0..30).map(|number| Tag::new(format!("v{number}")));
    let base = Repository::new("base").image(Image::new("nginx").tags(tags));
    let uhub = LocalUhub::builder().repository(base).start().await.unwrap();
    let page: Pairs<'_> =
        &[("RepoName", "base"), ("ImageName", "nginx"), ("Offset", "10"), ("Limit", "2")];
    uhub.inject(Fault::WrongTotal { total: 1000 });
    let wrong = act(&uhub, "GetImageTag", page).await;
    assert_eq!(wrong["TotalCount"], 1000);
    assert_eq!(column(&wrong, "TagSet", "TagName"), ["v10", "v11"]);
    assert_eq!(wrong["RetCode"], 0);

    uhub.inject(Fault::RepeatPages);
    let again = act(&uhub, "GetImageTag", page).await;
    assert_eq!(column(&again, "TagSet", "TagName"), ["v0", "v1"]);
    assert_eq!(again["TotalCount"], 30);
}

#[tokio::test]
async fn the_port_closes_and_reopens() {
    let uhub = LocalUhub::builder().repository(Repository::new("base")).start().await.unwrap();
    let mut idle = Connection::open(&uhub).await;
    idle.send(get("")).await;
    idle.expect().await;
    uhub.inject(Fault::Delay { time: TIME });
    let mut running = Connection::open(&uhub).await;
    let before = uhub.requests().len();
    running.send(create(&uhub, "new")).await;
    eventually("the request", async || uhub.requests().len() > before).await;

    let began = Instant::now();
    uhub.unavailable_for(TIME * 3);
    assert!(idle.is_closed().await);
    let refused = async || {
        let connected = TcpStream::connect(address(&uhub)).await;
        connected.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
    };
    eventually("the closed port", refused).await;
    assert_eq!(running.expect().await.ret_code(), 0);
    assert!(running.is_closed().await);
    let connects = async || TcpStream::connect(address(&uhub)).await.is_ok();
    eventually("the open port", connects).await;
    assert!(began.elapsed() >= TIME * 3, "{:?}", began.elapsed());
    assert_eq!(count(&uhub).await, 2);

    // A new time replaces the current one.
    uhub.unavailable_for(Duration::MAX);
    eventually("the closed port", refused).await;
    uhub.unavailable_for(Duration::ZERO);
    eventually("the open port", connects).await;

    // The server stops while its port is closed.
    uhub.unavailable_for(Duration::MAX);
    eventually("the closed port", refused).await;
    uhub.stop().await.unwrap();
}

#[tokio::test]
async fn the_port_closes_right_after_the_start() {
    let uhub = LocalUhub::start().await.unwrap();
    uhub.unavailable_for(Duration::MAX);
    let connects = async || TcpStream::connect(address(&uhub)).await.is_ok();
    eventually("the closed port", async || !connects().await).await;
}

#[tokio::test]
async fn equal_requests_are_counted() {
    let uhub = with_images(1).await;
    let request = post_form(&signed(&uhub, LIST));
    uhub.inject(Fault::CutConnection);
    for _ in 0..2 {
        let mut connection = Connection::open(&uhub).await;
        connection.send(&request).await;
        connection.receive().await;
    }
    // The same parameters in another encoding carry the same signature.
    ask(&uhub, get(&signed(&uhub, LIST))).await;
    act(&uhub, "GetRepo", &[]).await;
    let requests = uhub.requests();
    let earlier: Vec<_> = requests.iter().map(|each| each.earlier_equal).collect();
    assert_eq!(earlier, [0, 1, 2, 0]);
    // Nothing says whether they are attempts of one call: each came over a connection of its own.
    let connections: Vec<_> = requests.iter().map(|each| each.connection).collect();
    assert_eq!(connections, [1, 2, 3, 4]);
}

#[tokio::test]
async fn on_request_is_called_once_for_every_request() {
    let received: Arc<Mutex<Vec<ReceivedRequest>>> = Arc::default();
    let callback = Arc::clone(&received);
    let base = Repository::new("base").image(Image::new("nginx"));
    let uhub = LocalUhub::builder()
        .repository(base)
        .on_request(move |request| callback.lock().unwrap().push(request.clone()))
        .start()
        .await
        .unwrap();
    let list = get(&signed(&uhub, LIST));
    let whole = ask(&uhub, &list).await;
    uhub.inject(Fault::CutConnection);
    uhub.inject(Fault::CutBody { after: 7 });
    uhub.inject(Fault::Hang);
    for _ in 0..2 {
        let mut connection = Connection::open(&uhub).await;
        connection.send(&list).await;
        connection.receive().await;
    }
    let mut hung = Connection::open(&uhub).await;
    hung.send(&list).await;
    eventually("the request", async || uhub.requests().len() == 4).await;
    assert_eq!(received.lock().unwrap().len(), 3, "the fourth is still open");
    uhub.stop().await.unwrap();

    let received = received.lock().unwrap();
    let results: Vec<_> = received.iter().map(|each| (each.status, each.bytes)).collect();
    let length = whole.body.len() as u64;
    let expected = [(Some(200), length), (None, 0), (Some(200), 7), (None, 0)];
    assert_eq!(results, expected);
    assert!(received.iter().all(|each| each.elapsed.is_some()));
    assert!(!format!("{received:?}").contains("local-public-key"));
}

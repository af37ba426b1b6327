//! Every fault against every kind of action: how often the server sees the call, and what the user is told.

use std::time::Duration;

use uhub_sdk::{
    Client, Error, ErrorKind, Execution, RetCode, RetryPolicy,
    local::{Fault, LocalUhub, Repository, Scope},
};

use crate::uhub;

/// Three attempts, with hardly a wait between them.
fn quick() -> RetryPolicy {
    RetryPolicy::default()
        .with_max_attempts(3)
        .with_base_delay(Duration::from_millis(2))
}

fn client(uhub: &LocalUhub) -> Client {
    uhub.client().retry(quick()).build().unwrap()
}

fn respond(status: u16, body: &'static str) -> Fault {
    Fault::Respond {
        status,
        headers: vec![(
            "Location".to_owned(),
            "https://elsewhere.example/".to_owned(),
        )],
        body: body.into(),
    }
}

/// How an action may be repeated: each has one of the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Safe,
    Idempotent,
    Never,
}

async fn call(client: &Client, kind: Kind) -> Result<(), Error> {
    match kind {
        Kind::Safe => client.get_repo_image("idkTdEFo").send().await.map(drop),
        Kind::Idempotent => client.delete_repo("old").send().await.map(drop),
        Kind::Never => client.create_repo("new").send().await.map(drop),
    }
}

/// What comes of a call, in one line.
fn outcome(result: &Result<(), Error>) -> String {
    match result {
        Ok(()) => "success".to_owned(),
        Err(error) => format!("{:?}, {:?}", error.kind(), error.execution()),
    }
}

async fn server() -> LocalUhub {
    LocalUhub::builder()
        .repository(Repository::documented())
        .repository(Repository::new("old"))
        .start()
        .await
        .unwrap()
}

/// A fault's name, what plays it, how often it is played, and for a safe, an idempotent and an action that must
/// not be repeated how often the server sees the call and what the user is told.
type Row = (&'static str, Fault, u64, [(usize, &'static str); 3]);

#[tokio::test]
async fn the_table_of_faults() {
    use Kind::{Idempotent, Never, Safe};

    let html = || Fault::bad_gateway();
    let unavailable = || Fault::ret_code(RetCode::SERVICE_UNAVAILABLE);
    let ok = |attempts| (attempts, "success");
    let rows: Vec<Row> = vec![
        ("throttled twice", Fault::throttled(), 2, [ok(3); 3]),
        (
            "throttled throughout",
            Fault::throttled(),
            9,
            [(3, "Service, Rejected"); 3],
        ),
        ("429 twice", Fault::retry_after(429, 0), 2, [ok(3); 3]),
        (
            "429 that speaks of success",
            respond(429, r#"{"RetCode": 0}"#),
            1,
            [ok(2), ok(2), (1, "UnexpectedResponse, Unknown")],
        ),
        (
            "a redirect",
            respond(302, ""),
            9,
            [(1, "UnexpectedResponse, Unknown"); 3],
        ),
        (
            "503 with Retry-After: 0, twice",
            Fault::retry_after(503, 0),
            2,
            [ok(3), ok(3), (1, "UnexpectedResponse, Unknown")],
        ),
        (
            "502 page twice",
            html(),
            2,
            [ok(3), ok(3), (1, "UnexpectedResponse, Unknown")],
        ),
        (
            "502 page, carried out",
            html().after_execution(),
            1,
            // The repository is gone, and the second attempt is told so.
            [
                ok(2),
                (2, "Service, Unknown"),
                (1, "UnexpectedResponse, Unknown"),
            ],
        ),
        (
            "150 twice",
            unavailable(),
            2,
            [ok(3), ok(3), (1, "Service, Unknown")],
        ),
        (
            "110, carried out",
            Fault::ret_code(RetCode::GATEWAY_TIMEOUT).after_execution(),
            1,
            [ok(2), (2, "Service, Unknown"), (1, "Service, Unknown")],
        ),
        (
            "connection cut before",
            Fault::CutConnection,
            2,
            [ok(3), ok(3), (1, "Connection, Unknown")],
        ),
        (
            "connection reset before",
            Fault::ResetConnection,
            2,
            [ok(3), ok(3), (1, "Connection, Unknown")],
        ),
        (
            "connection cut after it was carried out",
            Fault::CutConnection.after_execution(),
            1,
            [ok(2), (2, "Service, Unknown"), (1, "Connection, Unknown")],
        ),
        (
            "response cut in its head",
            Fault::CutResponse { after: 20 },
            1,
            [ok(2), (2, "Service, Unknown"), (1, "Connection, Unknown")],
        ),
        (
            "response cut in its body",
            Fault::CutBody { after: 10 },
            1,
            [ok(2), (2, "Service, Unknown"), (1, "Connection, Unknown")],
        ),
        (
            "hangs once, longer than an attempt may take",
            Fault::Hang,
            1,
            [ok(2), ok(2), (1, "Timeout, Unknown")],
        ),
        (
            "slow body, longer than an attempt may take",
            Fault::SlowBody {
                bytes: 1,
                pause: Duration::from_millis(100),
            },
            1,
            [ok(2), (2, "Service, Unknown"), (1, "Timeout, Unknown")],
        ),
        (
            "slow body, in time",
            Fault::SlowBody {
                bytes: 200,
                pause: Duration::from_millis(1),
            },
            1,
            [ok(1); 3],
        ),
        (
            "half of the JSON",
            Fault::BrokenJson,
            1,
            [
                ok(2),
                (2, "Service, Unknown"),
                (1, "UnexpectedResponse, Unknown"),
            ],
        ),
        (
            "other types than documented",
            Fault::WrongTypes,
            1,
            [ok(1); 3],
        ),
        (
            "a wrong key",
            Fault::ret_code(RetCode::SIGNATURE_WRONG),
            9,
            [(1, "Service, Rejected"); 3],
        ),
    ];
    let mut wrong = Vec::new();
    for (name, fault, times, expected) in rows {
        for (kind, (attempts, told)) in [Safe, Idempotent, Never].into_iter().zip(expected) {
            let uhub = server().await;
            let mut builder = uhub.client().retry(quick());
            // The others have as long as they need: the machine may be busy.
            if name.ends_with("than an attempt may take") {
                builder = builder.attempt_timeout(Duration::from_secs(1));
            }
            let client = builder.build().unwrap();
            uhub.play_on(Scope::all().calls(..=times), fault.clone());
            let result = call(&client, kind).await;
            let requests = uhub.requests();
            let seen = (requests.len(), outcome(&result));
            println!("| {name} | {kind:?} | {} | {} |", seen.0, seen.1);
            if seen != (attempts, told.to_owned()) {
                wrong.push(format!("{name}, {kind:?}: {seen:?}"));
            }
            if let Err(error) = &result {
                assert_eq!(error.attempts() as usize, requests.len(), "{error}");
            }
            // The promise: what must not be repeated is never sent again once it may have been done.
            let first_done = requests.iter().position(|request| request.carried_out);
            if kind == Never
                && let Some(first) = first_done
            {
                assert_eq!(requests.len(), first + 1, "{name}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_burst_of_throttling_passes_by() {
    let uhub = uhub().await;
    uhub.play_on(Scope::all().calls(..=10), Fault::throttled());
    let client = uhub
        .client()
        .retry(quick().with_max_attempts(8))
        .build()
        .unwrap();
    let calls: Vec<_> = (0..5)
        .map(|_| tokio::spawn(client.get_repo_image("idkTdEFo").send()))
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(uhub.requests().len(), 15);
}

#[tokio::test]
async fn a_server_that_is_down_for_two_seconds_is_waited_for() {
    let uhub = uhub().await;
    let client = uhub
        .client()
        .retry(RetryPolicy::default().with_max_attempts(50))
        .build()
        .unwrap();
    // A connection that was used is there when it goes.
    client.get_repo_image("idkTdEFo").send().await.unwrap();
    uhub.unavailable_for(Duration::from_secs(2));
    tokio::time::sleep(Duration::from_millis(100)).await;
    // Nothing could be sent while it was down, and so this may be repeated too.
    let created = client.create_repo("new").send().await;
    created.unwrap();
    let requests = uhub.requests();
    assert_eq!(requests.len(), 2, "one call before, and one that arrived");
}

#[tokio::test]
async fn what_the_service_asks_to_wait_is_waited_if_there_is_time() {
    let uhub = uhub().await;
    let client = client(&uhub);
    uhub.play(Fault::retry_after(429, 1));
    let began = std::time::Instant::now();
    client.create_repo("new").send().await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));

    uhub.play(Fault::retry_after(503, 3600));
    let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
    assert_eq!(error.attempts(), 1);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
    assert!(
        error.to_string().contains("would not last for the wait"),
        "{error}"
    );
}

#[tokio::test]
async fn an_unknown_outcome_says_so_where_it_matters() {
    let uhub = server().await;
    let client = client(&uhub);
    uhub.play(Fault::CutConnection.after_execution());
    let error = client.create_repo("new").send().await.unwrap_err();
    assert_eq!(error.execution(), Execution::Unknown);
    let says = "It may have been carried out: look before you send it again.";
    assert!(error.to_string().contains(says), "{error}");

    uhub.play(Fault::CutConnection.after_execution());
    let error = client.delete_repo("old").send().await.unwrap_err();
    assert_eq!(
        (error.execution(), error.attempts()),
        (Execution::Unknown, 2)
    );
    let says = "An attempt before this one may have been carried out.";
    assert!(error.to_string().contains(says), "{error}");
}

/// A service that is down for long is not asked by every call five times.
#[tokio::test]
async fn the_budget_is_shared_by_all_calls_of_a_client() {
    let uhub = uhub().await;
    uhub.play_on(Scope::all(), Fault::throttled());
    let client = client(&uhub);
    let other = uhub.client().retry(quick()).build().unwrap();
    for _ in 0..600 {
        client
            .clone()
            .get_repo_image("idkTdEFo")
            .send()
            .await
            .unwrap_err();
    }
    let requests = uhub.requests().len();
    // Two repetitions of each, until a thousand are used up.
    assert_eq!(requests, 600 + 1000, "a thousand repetitions for all");
    let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("too many of this client's calls"),
        "{error}"
    );
    let error = other.get_repo_image("idkTdEFo").send().await.unwrap_err();
    assert_eq!(error.attempts(), 3, "another client has its own");

    let once = client
        .get_repo_image("idkTdEFo")
        .with_retry(RetryPolicy::disabled());
    assert_eq!(once.send().await.unwrap_err().attempts(), 1);
}

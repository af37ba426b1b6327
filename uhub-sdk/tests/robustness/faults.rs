//! Every fault with every kind of action: the number of attempts, and the resulting error.

use std::time::Duration;

use uhub_sdk::{
    Client, ClientBuilder, Error, ErrorKind, Execution, Idempotency, RetCode, RetryPolicy,
    local::{Fault, LocalUhub, Repository, Scope},
};

use crate::{
    common::{quick_retries, respond},
    uhub,
};

fn client(uhub: &LocalUhub) -> Client {
    ClientBuilder::for_local(uhub).retry(quick_retries()).build().unwrap()
}

async fn call(client: &Client, idempotency: Idempotency) -> Result<(), Error> {
    match idempotency {
        Idempotency::Safe => client.get_repo_image("idkTdEFo").send().await.map(drop),
        Idempotency::Idempotent => client.delete_repo("old").send().await.map(drop),
        _ => client.create_repo("new").send().await.map(drop),
    }
}

/// Describes the result of a call in one line.
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

/// The name of a fault, the fault, and how often it happens; and for a safe, an idempotent and a
/// non-idempotent action the number of attempts and the outcome.
type Row = (&'static str, Fault, u64, [(usize, &'static str); 3]);

#[tokio::test]
async fn every_fault_has_the_expected_outcome() {
    use Idempotency::{Idempotent, NonIdempotent, Safe};

    let html = || Fault::bad_gateway();
    let unavailable = || Fault::ret_code(RetCode::SERVICE_UNAVAILABLE);
    let ok = |attempts| (attempts, "success");
    let rows: Vec<Row> = vec![
        ("throttled twice", Fault::throttled(), 2, [ok(3); 3]),
        ("throttled throughout", Fault::throttled(), 9, [(3, "Service, Rejected"); 3]),
        ("429 twice", Fault::retry_after(429, 0), 2, [ok(3); 3]),
        (
            "429 with a successful body",
            respond(429, &[], r#"{"RetCode": 0}"#),
            1,
            [ok(2), ok(2), (1, "UnexpectedResponse, Unknown")],
        ),
        (
            "a redirect",
            respond(302, &[("Location", "https://elsewhere.example/")], ""),
            9,
            [(1, "UnexpectedResponse, Unknown"); 3],
        ),
        (
            "503 with Retry-After: 0, twice",
            Fault::retry_after(503, 0),
            2,
            [ok(3), ok(3), (1, "UnexpectedResponse, Unknown")],
        ),
        ("502 page twice", html(), 2, [ok(3), ok(3), (1, "UnexpectedResponse, Unknown")]),
        (
            "502 page after execution",
            html().after_execution(),
            1,
            // The second attempt fails, since the repository is gone.
            [ok(2), (2, "Service, Unknown"), (1, "UnexpectedResponse, Unknown")],
        ),
        ("150 twice", unavailable(), 2, [ok(3), ok(3), (1, "Service, Unknown")]),
        (
            "110 after execution",
            Fault::ret_code(RetCode::GATEWAY_TIMEOUT).after_execution(),
            1,
            [ok(2), (2, "Service, Unknown"), (1, "Service, Unknown")],
        ),
        (
            "connection cut before execution",
            Fault::CutConnection,
            2,
            [ok(3), ok(3), (1, "Connection, Unknown")],
        ),
        (
            "connection reset before execution",
            Fault::ResetConnection,
            2,
            [ok(3), ok(3), (1, "Connection, Unknown")],
        ),
        (
            "connection cut after execution",
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
            "hangs for longer than an attempt may take",
            Fault::Hang,
            1,
            [ok(2), ok(2), (1, "Timeout, Unknown")],
        ),
        (
            "slow body, longer than an attempt may take",
            Fault::SlowBody { bytes: 1, pause: Duration::from_millis(100) },
            1,
            [ok(2), (2, "Service, Unknown"), (1, "Timeout, Unknown")],
        ),
        (
            "slow body, in time",
            Fault::SlowBody { bytes: 200, pause: Duration::from_millis(1) },
            1,
            [ok(1); 3],
        ),
        (
            "incomplete JSON",
            Fault::BrokenJson,
            1,
            [ok(2), (2, "Service, Unknown"), (1, "UnexpectedResponse, Unknown")],
        ),
        ("other types than documented", Fault::WrongTypes, 1, [ok(1); 3]),
        (
            "a wrong key",
            Fault::ret_code(RetCode::SIGNATURE_WRONG),
            9,
            [(1, "Service, Rejected"); 3],
        ),
    ];
    let mut wrong = Vec::new();
    for (name, fault, times, expected) in rows {
        for (idempotency, (attempts, expected)) in
            [Safe, Idempotent, NonIdempotent].into_iter().zip(expected)
        {
            let uhub = server().await;
            let mut builder = ClientBuilder::for_local(&uhub).retry(quick_retries());
            // The other rows have more time, since the machine may be busy.
            if name.ends_with("than an attempt may take") {
                builder = builder.attempt_timeout(Duration::from_secs(1));
            }
            let client = builder.build().unwrap();
            uhub.inject_on(Scope::all().calls(..=times), fault.clone());
            let result = call(&client, idempotency).await;
            let requests = uhub.requests();
            let actual = (requests.len(), outcome(&result));
            println!("| {name} | {idempotency:?} | {} | {} |", actual.0, actual.1);
            if actual != (attempts, expected.to_owned()) {
                wrong.push(format!("{name}, {idempotency:?}: {actual:?}"));
            }
            if let Err(error) = &result {
                assert_eq!(error.attempts() as usize, requests.len(), "{error}");
            }
            // A non-idempotent call is never sent again once it has been executed.
            let first_executed = requests.iter().position(|request| request.executed);
            if idempotency == NonIdempotent
                && let Some(first) = first_executed
            {
                assert_eq!(requests.len(), first + 1, "{name}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_burst_of_throttling_is_retried() {
    let uhub = uhub().await;
    uhub.inject_on(Scope::all().calls(..=10), Fault::throttled());
    let client = ClientBuilder::for_local(&uhub)
        .retry(quick_retries().with_max_attempts(8))
        .build()
        .unwrap();
    let calls: Vec<_> =
        (0..5).map(|_| tokio::spawn(client.get_repo_image("idkTdEFo").send())).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(uhub.requests().len(), 15);
}

#[tokio::test]
async fn a_restart_of_the_server_is_retried() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub)
        .retry(RetryPolicy::default().with_max_attempts(50))
        .build()
        .unwrap();
    // Leave an idle connection in the pool.
    client.get_repo_image("idkTdEFo").send().await.unwrap();
    uhub.unavailable_for(Duration::from_secs(2));
    tokio::time::sleep(Duration::from_millis(100)).await;
    // Nothing can be sent while it is down, so a non-idempotent call is retried too.
    let created = client.create_repo("new").send().await;
    created.unwrap();
    let requests = uhub.requests();
    assert_eq!(requests.len(), 2, "one call before, and one that arrived");
}

#[tokio::test]
async fn retry_after_is_honoured_within_the_timeout() {
    let uhub = uhub().await;
    let client = client(&uhub);
    uhub.inject(Fault::retry_after(429, 1));
    let began = std::time::Instant::now();
    client.create_repo("new").send().await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));

    uhub.inject(Fault::retry_after(503, 3600));
    let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
    assert_eq!(error.attempts(), 1);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
    assert!(
        error.to_string().contains(
            "asks to wait 3600 s. Not retried: the wait would exceed the call's timeout of 120 s."
        ),
        "{error}"
    );
}

#[tokio::test]
async fn an_unknown_outcome_is_reported() {
    let uhub = server().await;
    let client = client(&uhub);
    uhub.inject(Fault::CutConnection.after_execution());
    let error = client.create_repo("new").send().await.unwrap_err();
    assert_eq!(error.execution(), Execution::Unknown);
    let expected = "It may have been executed: check before you send it again.";
    assert!(error.to_string().contains(expected), "{error}");

    uhub.inject(Fault::CutConnection.after_execution());
    let error = client.delete_repo("old").send().await.unwrap_err();
    assert_eq!((error.execution(), error.attempts()), (Execution::Unknown, 2));
    let expected = "An earlier attempt may have been executed.";
    assert!(error.to_string().contains(expected), "{error}");
}

/// While a service is down for long, calls are no longer retried.
#[tokio::test]
async fn all_calls_of_a_client_share_a_retry_budget() {
    let uhub = uhub().await;
    uhub.inject_on(Scope::all(), Fault::throttled());
    let client = client(&uhub);
    let other = ClientBuilder::for_local(&uhub).retry(quick_retries()).build().unwrap();
    for _ in 0..600 {
        client.clone().get_repo_image("idkTdEFo").send().await.unwrap_err();
    }
    let requests = uhub.requests().len();
    // Two retries of each call, until the budget is used up.
    assert_eq!(requests, 600 + 1000, "a thousand retries in total");
    let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
    assert!(error.to_string().contains("too many calls of this client"), "{error}");
    let error = other.get_repo_image("idkTdEFo").send().await.unwrap_err();
    assert_eq!(error.attempts(), 3, "another client has its own");

    let once = client.get_repo_image("idkTdEFo").with_retry(RetryPolicy::disabled());
    assert_eq!(once.send().await.unwrap_err().attempts(), 1);
}

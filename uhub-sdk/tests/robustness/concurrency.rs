//! Many calls at the same time, the setting that bounds them, and exhausted resources.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::Notify;
use uhub_sdk::{
    BoxFuture, Client, ClientBuilder, Credentials, Error, ErrorKind, Execution, RetryPolicy,
    Transport, TransportError,
};

const EMPTY_PAGE: &[u8] = br#"{"RetCode": 0, "TotalCount": 0}"#;
const THROTTLED: &[u8] = br#"{"RetCode": 153}"#;

/// Counts the requests in flight. Each takes several turns of the scheduler.
#[derive(Debug, Clone, Default)]
struct Counting {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
}

/// Ends a request, also one that is dropped.
struct InFlight<'c>(&'c Counting);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Transport for Counting {
    fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async {
            self.sent.fetch_add(1, Ordering::SeqCst);
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            let _in_flight = InFlight(self);
            self.most.fetch_max(now, Ordering::SeqCst);
            for _ in 0..9 {
                tokio::task::yield_now().await;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(Response::new(Bytes::from_static(EMPTY_PAGE)))
        })
    }
}

/// Responds once it is told to, and records what it was sent.
#[derive(Debug, Clone, Default)]
struct Waiting {
    requests: Arc<Mutex<Vec<String>>>,
    respond: Arc<Notify>,
}

impl Waiting {
    /// Returns the names of the repositories that were requested so far.
    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Transport for Waiting {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let form = String::from_utf8(request.body().to_vec()).unwrap();
            let name = form.split('&').find_map(|pair| pair.strip_prefix("RepoName="));
            self.requests.lock().unwrap().push(name.unwrap_or_default().to_owned());
            self.respond.notified().await;
            Ok(Response::new(Bytes::from_static(EMPTY_PAGE)))
        })
    }
}

fn builder(transport: impl Transport) -> ClientBuilder {
    Client::builder()
        .credentials(Credentials::new("public-key", "private-key"))
        .transport(transport)
}

/// Lets all other tasks of this runtime run until they wait.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn calls_in_flight_are_bounded_for_all_clones_of_a_client() {
    for (limit, expected) in [(None, 100), (Some(7), 7), (Some(1), 1), (Some(usize::MAX), 100)] {
        let counting = Counting::default();
        let mut builder = builder(counting.clone());
        if let Some(limit) = limit {
            builder = builder.max_concurrent_calls(limit);
        }
        let client = builder.build().unwrap();
        let calls: Vec<_> = (0..100)
            .map(|n| {
                let client =
                    if n % 2 == 0 { client.clone() } else { client.with_project_id("org-b") };
                tokio::spawn(async move { client.get_repo_image("base").send().await.map(drop) })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        let counts = [&counting.most, &counting.now, &counting.sent]
            .map(|count| count.load(Ordering::SeqCst));
        assert_eq!(counts, [expected, 0, 100], "{limit:?}");
    }
}

#[test]
fn the_bound_holds_across_runtimes_and_in_blocking_code() {
    let counting = Counting::default();
    let client = builder(counting.clone()).max_concurrent_calls(2).build().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                for _ in 0..5 {
                    runtime.block_on(client.get_repo_image("base").send()).unwrap();
                }
            });
        }
    });
    assert_eq!(counting.sent.load(Ordering::SeqCst), 20);
    assert!(counting.most.load(Ordering::SeqCst) <= 2);
    assert_eq!(counting.now.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_call_that_waits_too_long_for_its_turn_is_not_sent() {
    let waiting = Waiting::default();
    let client = builder(waiting.clone()).max_concurrent_calls(1).build().unwrap();
    let first = tokio::spawn(client.get_repo_image("first").into_future());
    settle().await;
    let call = client.create_repo("second").with_timeout(Duration::from_millis(20));
    let error = call.send().await.unwrap_err();
    assert_eq!((error.kind(), error.execution()), (ErrorKind::Timeout, Execution::NotSent));
    assert!(error.is_timeout() && error.is_retryable());
    for part in ["within 0.02 s (`with_timeout`)", "`max_concurrent_calls` allows 1"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(waiting.requests(), ["first"]);
    waiting.respond.notify_one();
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn calls_get_their_turn_in_the_order_of_their_arrival() {
    let waiting = Waiting::default();
    let client = builder(waiting.clone()).max_concurrent_calls(1).build().unwrap();
    let names = ["a", "b", "c", "d", "e"];
    let mut calls = Vec::new();
    for name in names {
        calls.push(tokio::spawn(client.get_repo_image(name).into_future()));
        settle().await;
    }
    // A call that is dropped while it waits loses its turn, and one in flight frees its slot.
    calls.remove(3).abort();
    calls.remove(0).abort();
    settle().await;
    for call in calls {
        waiting.respond.notify_one();
        call.await.unwrap().unwrap();
    }
    assert_eq!(waiting.requests(), ["a", "b", "c", "e"]);
}

/// Refuses the first request of each call, and records all.
#[derive(Debug, Clone, Default)]
struct Throttling(Waiting);

impl Transport for Throttling {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let is_first = self.0.requests().is_empty();
            self.0.respond.notify_one();
            let mut response = self.0.send(request).await?;
            if is_first {
                *response.body_mut() = Bytes::from_static(THROTTLED);
                response.headers_mut().insert("retry-after", "1".parse().unwrap());
            }
            Ok(response)
        })
    }
}

#[tokio::test]
async fn a_call_that_waits_for_its_retry_is_not_in_flight() {
    let throttling = Throttling::default();
    let client = builder(throttling.clone()).max_concurrent_calls(1).build().unwrap();
    let first = tokio::spawn(client.get_repo_image("first").into_future());
    settle().await;
    client.get_repo_image("second").send().await.unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(throttling.0.requests(), ["first", "second", "first"]);
}

#[test]
fn the_bound_must_not_be_zero() {
    let error = builder(Counting::default()).max_concurrent_calls(0).build().unwrap_err();
    assert!(
        error.to_string().contains("`max_concurrent_calls` must be greater than zero"),
        "{error}"
    );
}

#[cfg(unix)]
mod exhausted {
    //! In a process of their own, which may open few files.

    use std::{fs::File, process::Command};

    use uhub_sdk::local::{LocalUhub, Repository};

    use super::*;
    use crate::common::{credentials, quick_retries};

    /// Set in the child processes: the part of the test that runs there, and the base URL.
    const CHILD: &str = "UHUB_TEST_EXHAUSTED";

    /// Runs a part of a test with at most 64 open files, and returns its lines.
    fn run(part: &str, base_url: &str) -> Vec<String> {
        let command = r#"ulimit -n 64 && exec "$0" --exact "$1" --nocapture --test-threads 1"#;
        let output = Command::new("sh")
            .args(["-c", command])
            .arg(std::env::current_exe().unwrap())
            .arg("concurrency::exhausted::child")
            .env(CHILD, format!("{part} {base_url}"))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}{errors}");
        text.lines().filter_map(|line| line.strip_prefix("RESULT ").map(str::to_owned)).collect()
    }

    /// Opens all files that this process may.
    fn open_all() -> Vec<File> {
        std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
    }

    #[test]
    fn child() {
        let Ok(child) = std::env::var(CHILD) else {
            return;
        };
        let (part, base_url) = child.split_once(' ').unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = || {
            let builder = Client::builder().credentials(credentials()).base_url(base_url);
            builder.allow_plain_http().retry(quick_retries())
        };
        match part {
            "bounded" => {
                let client = client().max_concurrent_calls(20).build().unwrap();
                runtime.block_on(async {
                    for result in crowd(&client, 300).await {
                        result.unwrap();
                    }
                });
            }
            "unbounded" => {
                let client = client().retry(RetryPolicy::disabled()).build().unwrap();
                let results = runtime.block_on(crowd(&client, 300));
                for error in results.into_iter().filter_map(Result::err) {
                    println!("\nRESULT {:?} {:?} {error}", error.kind(), error.execution());
                }
            }
            "budget" => {
                let client = client().build().unwrap();
                runtime.block_on(async {
                    // The first call opens the files of the resolver.
                    let _ = client.get_repo_image("base").send().await;
                    let files = open_all();
                    let results = crowd(&client, 150).await;
                    drop(files);
                    for error in results.into_iter().filter_map(Result::err) {
                        println!("\nRESULT {:?} {error}", error.attempts());
                    }
                });
            }
            "build" => {
                let files = open_all();
                let error = Client::builder().credentials(credentials()).build().unwrap_err();
                drop(files);
                println!("\nRESULT {}", crate::common::full_text(&error));
            }
            #[cfg(feature = "blocking")]
            "blocking" => {
                let files = open_all();
                let builder = client();
                let error = builder.build_blocking().map(drop).unwrap_err();
                drop(files);
                println!("\nRESULT {}", crate::common::full_text(&error));
            }
            part => panic!("{part}"),
        }
    }

    /// Makes calls at the same time.
    async fn crowd(client: &Client, calls: usize) -> Vec<Result<(), Error>> {
        let calls: Vec<_> =
            (0..calls).map(|_| tokio::spawn(client.get_repo_image("base").into_future())).collect();
        let mut results = Vec::new();
        for call in calls {
            results.push(call.await.unwrap().map(drop));
        }
        results
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_bounded_client_needs_few_files() {
        let uhub = LocalUhub::builder()
            .user(crate::PUBLIC_KEY, crate::PRIVATE_KEY)
            .latency(Duration::from_millis(20))
            .repository(Repository::new("base"))
            .start()
            .await
            .unwrap();
        assert_eq!(run("bounded", uhub.base_url()), [""; 0]);
        let errors = run("unbounded", uhub.base_url());
        assert!(errors.len() > 100, "{errors:?}");
        for error in errors {
            assert!(error.starts_with("Connect NotSent "), "{error}");
            assert!(error.contains("too many files are open"), "{error}");
        }
    }

    #[test]
    fn exhausted_files_are_named_and_spend_no_retry_budget() {
        // The resolver of the system needs files too, and does not report why it fails.
        for host in ["127.0.0.1", "localhost"] {
            let errors = run("budget", &format!("http://{host}:1/"));
            assert_eq!(errors.len(), 150);
            for error in errors {
                assert!(error.starts_with("3 "), "each call is retried: {error}");
                for part in ["cannot connect to", "`max_concurrent_calls`", "`ulimit -n`"] {
                    assert!(error.contains(part), "{error}");
                }
                for part in ["base URL", "too many calls"] {
                    assert!(!error.contains(part), "{error}");
                }
            }
        }
    }

    #[test]
    fn exhausted_files_are_named_when_a_client_is_built() {
        for (part, expected) in [
            ("build", "too many files are open"),
            #[cfg(feature = "blocking")]
            ("blocking", "Too many open files"),
        ] {
            let [error] = &run(part, "http://127.0.0.1:1/")[..] else { panic!("{part}") };
            assert!(error.contains(expected), "{error}");
        }
    }
}

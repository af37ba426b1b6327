//! One client on several runtimes, and the blocking client on threads of runtimes.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};
use uhub_sdk::{ClientBuilder, Execution, RetryPolicy, local::LocalUhub};

use crate::uhub;

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Starts a server on its own thread, which runs until the runtime is dropped.
fn start() -> (Runtime, LocalUhub) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let uhub = runtime.block_on(uhub());
    (runtime, uhub)
}

/// A runtime that is alive and not running does not drive its connections.
#[test]
fn a_call_does_not_wait_for_the_connection_of_a_parked_runtime() {
    let (_server, uhub) = start();
    let client = ClientBuilder::for_local(&uhub)
        .timeout(Duration::from_secs(20))
        .retry(RetryPolicy::disabled())
        .build()
        .unwrap();
    let parked = current_thread();
    parked.block_on(client.get_repo_image("idkTdEFo").send()).unwrap();
    let other = current_thread();
    other.block_on(client.create_repo("first").send()).unwrap();
    // And in both directions, with several idle connections.
    for number in 0..3 {
        parked.block_on(client.create_repo(format!("parked-{number}")).send()).unwrap();
        other.block_on(client.get_repo_image("idkTdEFo").send()).unwrap();
    }
}

#[test]
fn short_runtimes_in_several_threads_lose_no_call() {
    let (_server, uhub) = start();
    let client = ClientBuilder::for_local(&uhub)
        .attempt_timeout(Duration::from_secs(20))
        .retry(RetryPolicy::disabled())
        .build()
        .unwrap();
    let unknown = AtomicUsize::new(0);
    thread::scope(|scope| {
        for thread in 0..4 {
            let (client, unknown) = (&client, &unknown);
            scope.spawn(move || {
                for number in 0..100 {
                    let name = format!("repository-{thread}-{number}");
                    let result = current_thread().block_on(async {
                        let created = client.create_repo(&name).send().await;
                        // A project holds 8 repositories.
                        if created.is_ok() {
                            client.delete_repo(&name).send().await.unwrap();
                        }
                        created
                    });
                    if let Err(error) = result {
                        println!("{error}");
                        let is_unknown =
                            error.execution() == Execution::Unknown && error.ret_code().is_none();
                        unknown.fetch_add(usize::from(is_unknown), Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert_eq!(unknown.load(Ordering::SeqCst), 0);
}

/// Pages are fetched ahead by tasks of the runtime.
#[test]
fn a_listing_continues_on_another_runtime() {
    let (_server, uhub) = start();
    let client = ClientBuilder::for_local(&uhub).timeout(Duration::from_secs(20)).build().unwrap();
    let (first, second) = (current_thread(), current_thread());
    let mut images = client.get_repo_image("idkTdEFo").limit(2).with_read_ahead(3).items();
    let mut names = Vec::new();
    for runtime in [&first, &second, &first, &second, &first, &second, &first, &second, &first] {
        let image = runtime.block_on(images.next()).unwrap().unwrap();
        names.push(image.image_name);
    }
    assert!(second.block_on(images.next()).is_none());
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 9);
}

#[cfg(feature = "blocking")]
mod blocking {
    use tokio::task::{self, LocalSet};
    use uhub_sdk::{
        Error, ErrorKind,
        actions::create_repo::CreateRepoRequest,
        blocking::Client,
        recipes::{Entry, ensure_repo, walk},
    };

    use super::*;

    fn client(uhub: &LocalUhub) -> Client {
        ClientBuilder::for_local(uhub).timeout(Duration::from_secs(20)).build_blocking().unwrap()
    }

    fn count(client: &Client) -> Result<usize, Error> {
        // A call and an iterator.
        client.get_repo_image("idkTdEFo").send()?;
        client.get_repo_image("idkTdEFo").limit(4).items().map(|image| image.map(|_| 1)).sum()
    }

    fn assert_refused(client: &Client) {
        let error = count(client).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("tokio::task::spawn_blocking"), "{error}");
        let mut items = client.get_repo_image("idkTdEFo").items();
        assert!(items.next().unwrap().is_err());
        assert!(items.next().is_none());
    }

    #[test]
    fn it_works_on_threads_that_may_block() {
        let (server, uhub) = start();
        let client = client(&uhub);
        assert_eq!(count(&client).unwrap(), 9);
        for runtime in
            [current_thread(), Builder::new_multi_thread().worker_threads(2).build().unwrap()]
        {
            let shared = client.clone();
            let counted =
                runtime.block_on(async { task::spawn_blocking(move || count(&shared)).await });
            assert_eq!(counted.unwrap().unwrap(), 9);
            // A thread of the program with the context of a runtime.
            let _context = runtime.enter();
            assert_eq!(count(&client).unwrap(), 9);
        }
        server.block_on(async {
            assert_eq!(task::block_in_place(|| count(&client)).unwrap(), 9);
            let shared = client.clone();
            let task = task::spawn(async move { task::block_in_place(|| count(&shared)) });
            assert_eq!(task.await.unwrap().unwrap(), 9);
        });
    }

    #[test]
    fn a_call_on_a_thread_that_polls_tasks_is_an_error() {
        let (server, uhub) = start();
        let client = client(&uhub);
        let runtimes = [current_thread(), Builder::new_multi_thread().build().unwrap()];
        for runtime in &runtimes {
            runtime.block_on(async {
                assert_refused(&client);
                // The budget of the task is left as it was.
                for _ in 0..1000 {
                    assert_refused(&client);
                }
                task::yield_now().await;
                let shared = client.clone();
                task::spawn(async move { assert_refused(&shared) }).await.unwrap();
            });
            let shared = client.clone();
            LocalSet::new().block_on(runtime, async move {
                assert_refused(&shared);
                task::spawn_local(async move { assert_refused(&shared) }).await.unwrap();
            });
        }
        server.block_on(async {
            // Not recognized, and neither a panic nor a deadlock.
            task::unconstrained(async { assert_eq!(count(&client).unwrap(), 9) }).await;
            drop(client);
        });
    }

    #[test]
    fn it_calls_recipes() {
        let (_server, uhub) = start();
        let client = client(&uhub);
        let request = CreateRepoRequest::new("base");
        client.block_on(ensure_repo(client.as_async(), request)).unwrap();
        let entries: Result<Vec<Entry>, Error> = client.iter(walk(client.as_async())).collect();
        let is_base =
            |entry: &Entry| matches!(entry, Entry::Repo(repo) if repo.details.repo_name == "base");
        assert!(entries.unwrap().iter().any(is_base));
        assert_eq!(client.config_sources(), client.as_async().config_sources());
    }

    /// A forked process has the memory of its parent and one thread.
    #[cfg(unix)]
    #[test]
    fn it_works_in_a_forked_process() {
        let (_server, uhub) = start();
        let client = client(&uhub);
        assert_eq!(count(&client).unwrap(), 9);
        let mut begun = client.get_repo_image("idkTdEFo").limit(2).with_read_ahead(2).items();
        begun.next().unwrap().unwrap();
        match fork::fork().unwrap() {
            fork::Fork::Child => {
                let is_right = count(&client).is_ok_and(|count| count == 9)
                    && begun.filter(Result::is_ok).count() == 8;
                drop(client);
                std::process::exit(if is_right { 0 } else { 1 });
            }
            fork::Fork::Parent(child) => {
                let status = fork::waitpid(child).unwrap();
                assert_eq!(status, 0, "the child's status");
            }
        }
        assert_eq!(count(&client).unwrap(), 9);
    }
}

//! Many connections for a while: correct responses, and flat memory.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use uhub_local::{Data, Generate, LocalUhub, Project};

use crate::wire::*;

const CONNECTIONS: usize = 64;
const TIME: Duration = Duration::from_secs(10);
const SERVES: &str = "UHUB_TEST_SERVES";

/// Not a test: the server process of the test below.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by another test"]
async fn a_process_that_serves() {
    if std::env::var_os(SERVES).is_none() {
        return;
    }
    let mut data = Data::default();
    data.generate = Some(Generate { seed: 1, repositories: 1, images: 1000, tags: 50 });
    let projects = (0..=CONNECTIONS).map(|number| format!("org-{number}"));
    data.projects = projects.map(|id| Project::new(&id, &id)).collect();
    let uhub = LocalUhub::builder().data(data).start().await.unwrap();
    println!("\n{}", address(&uhub));
    sleep(Duration::from_secs(60)).await;
}

/// The resident memory of a process in KiB. Fails except on Linux.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"));
    let status = status.expect("the memory of a process is in /proc");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.expect(&status).parse().unwrap()
}

/// The work of a connection: lists long pages, and creates and deletes a repository in its own
/// project. Every response is checked.
async fn work(address: &str, project: usize, until: Instant) -> u64 {
    let project = format!("org-{project}");
    let mut connection = Connection::to(address).await;
    let mut calls = 0;
    let mut call = async |action: &str, more: Pairs<'_>| {
        let all = [&[("Action", action)], more].concat();
        let form = signed_with("local-public-key", "local-private-key", &all);
        let request = match calls % 2 {
            0 => post_form(&form),
            _ => get(&form),
        };
        calls += 1;
        connection.send(request).await;
        let body = connection.expect().await.json();
        assert_eq!(body["RetCode"], 0, "{body}");
        body
    };
    let generated = {
        let mut names = Vec::new();
        for kind in ["public", "private"] {
            let listed = call("GetRepo", &[("Type", kind)]).await;
            names.extend(column(&listed, "RepoSet", "RepoName").into_iter().map(str::to_owned));
        }
        names.remove(0)
    };
    let own = [("ProjectId", project.as_str()), ("RepoName", "own")];
    while Instant::now() < until {
        for offset in ["0", "500", "980"] {
            let page = [("RepoName", generated.as_str()), ("Offset", offset)];
            let images = call("GetRepoImage", &page).await;
            assert_eq!(images["TotalCount"], 1000);
            assert_eq!(column(&images, "ImageSet", "ImageName").len(), 20);
        }
        call("CreateRepo", &own).await;
        call("UpdateRepo", &[&own[..], &[("IsShared", "true")]].concat()).await;
        let listed = call("GetRepo", &own[..1]).await;
        assert_eq!(column(&listed, "RepoSet", "RepoName"), ["own"]);
        call("DeleteRepo", &own).await;
        assert_eq!(call("GetRepo", &own[..1]).await["TotalCount"], 0);
    }
    calls
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten seconds: run it by name with --ignored --nocapture"]
async fn sixty_four_connections_for_ten_seconds() {
    let server = Process::start("load::a_process_that_serves", SERVES, "1");
    let began = Instant::now();
    let clients: Vec<_> = (1..=CONNECTIONS)
        .map(|number| {
            let address = server.address.clone();
            tokio::spawn(async move { work(&address, number, began + TIME).await })
        })
        .collect();
    let mut memory_use = Vec::new();
    while began.elapsed() < TIME {
        sleep(Duration::from_secs(1)).await;
        memory_use.push(memory(server.id()));
    }
    let mut calls = 0;
    for client in clients {
        calls += client.await.unwrap();
    }
    println!("{calls} calls, {:.0} a second", calls as f64 / began.elapsed().as_secs_f64());
    println!("resident memory each second, in KiB: {memory_use:?}");
    // Halfway, the log is full; on a slow machine later, at a small size.
    let (half, end) = (memory_use[memory_use.len() / 2], memory_use[memory_use.len() - 1]);
    let is_flat = end <= half + half / 10 || end < 48 * 1024;
    assert!(is_flat, "the memory grows: {memory_use:?}");
}

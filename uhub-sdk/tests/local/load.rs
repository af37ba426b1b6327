//! Many connections for a while: right answers, and memory that stays flat.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use uhub_sdk::local::{Data, Generate, LocalUhub, Project};

use crate::wire::*;

const CONNECTIONS: usize = 64;
const TIME: Duration = Duration::from_secs(10);
const SERVES: &str = "UHUB_TEST_SERVES";

/// Not a test: the process that the one below looks at.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it is started by another test"]
async fn a_process_that_serves() {
    if std::env::var_os(SERVES).is_none() {
        return;
    }
    let mut data = Data::default();
    data.generate = Some(Generate::new(1).repositories(1).images(1000).tags(50));
    let projects = (0..=CONNECTIONS).map(|number| format!("org-{number}"));
    data.projects = projects.map(|id| Project::new(&id, &id)).collect();
    let uhub = LocalUhub::builder().data(data).start().await.unwrap();
    println!("\n{}", address(&uhub));
    sleep(Duration::from_secs(60)).await;
}

/// The resident memory of a process in KiB. Only Linux says so: elsewhere the test fails.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"));
    let status = status.expect("the memory of a process can be read in /proc");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.expect(&status).parse().unwrap()
}

/// One connection's work: pages of a long list, and repositories that come and go in a project of
/// its own. Every answer is looked at.
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
            names.extend(
                column(&listed, "RepoSet", "RepoName")
                    .into_iter()
                    .map(str::to_owned),
            );
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
#[ignore = "it takes ten seconds: run it by its name, with --ignored --nocapture"]
async fn sixty_four_connections_for_ten_seconds() {
    let server = Process::start("load::a_process_that_serves", SERVES, "1");
    let began = Instant::now();
    let clients: Vec<_> = (1..=CONNECTIONS)
        .map(|number| {
            let address = server.address.clone();
            tokio::spawn(async move { work(&address, number, began + TIME).await })
        })
        .collect();
    let mut seen = Vec::new();
    while began.elapsed() < TIME {
        sleep(Duration::from_secs(1)).await;
        seen.push(memory(server.id()));
    }
    let mut calls = 0;
    for client in clients {
        calls += client.await.unwrap();
    }
    println!(
        "{calls} calls, {:.0} a second",
        calls as f64 / began.elapsed().as_secs_f64()
    );
    println!("resident memory each second, in KiB: {seen:?}");
    // Halfway, everything that is kept is there; on a slow machine a little later, and it is not much.
    let (half, end) = (seen[seen.len() / 2], seen[seen.len() - 1]);
    let is_flat = end <= half + half / 10 || end < 48 * 1024;
    assert!(is_flat, "the memory grows: {seen:?}");
}

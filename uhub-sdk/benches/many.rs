//! Many calls at the same time, beside bare reqwest: `cargo bench --bench many` (Linux).
//!
//! Each row is a process of its own, and the server is another one, which takes 20 ms for each
//! response. The columns are the CPU time of a call (or of a page), the connections that were
//! opened, the most memory that was resident, and how many calls failed.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
};
use uhub_sdk::{Client, Credentials, RetryPolicy};

/// Set in child processes: what they do.
const ROLE: &str = "UHUB_BENCH_MANY";
const LATENCY: Duration = Duration::from_millis(20);
/// The number of images that the server lists.
const IMAGES: usize = 40_000;
const PAGE: usize = 100;

/// The rows: subject, number of tasks or of pages ahead, calls of each task, and open files.
const ROWS: [(&str, usize, usize, usize); 10] = [
    ("reqwest", 1000, 10, 4096),
    ("crate", 1000, 10, 4096),
    ("bounded", 1000, 10, 4096),
    ("stream", 0, IMAGES / PAGE, 4096),
    ("stream", 8, IMAGES / PAGE, 4096),
    ("stream", 64, IMAGES / PAGE, 4096),
    ("reqwest", 1500, 1, 1024),
    ("crate", 1500, 1, 1024),
    ("bounded", 1500, 1, 1024),
    ("bounded", 5000, 1, 128),
];
/// Of the subject `bounded`.
const MAX_CONCURRENT_CALLS: usize = 64;

/// The structs that a user would write without this crate.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    ret_code: i64,
    image_set: Vec<Image>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "only their cost matters")]
struct Image {
    image_name: String,
    pull_count: i64,
    create_time: String,
    update_time: String,
    latest_tag: String,
    repo_name: Option<String>,
}

fn main() {
    match std::env::var(ROLE).as_deref() {
        Ok("serve") => return serve(),
        Ok(row) => return run(row),
        Err(_) => {}
    }
    println!(
        "{:<8} {:>6} {:>6} {:>6} {:<8} {:>9} {:>11} {:>9} {:>6}",
        "subject",
        "tasks",
        "calls",
        "files",
        "threads",
        "CPU us",
        "connections",
        "memory",
        "failed"
    );
    for threads in ["one", "several"] {
        for (subject, tasks, calls, files) in ROWS {
            let mut server = Server::start();
            let row = format!("{threads} {subject} {tasks} {calls} {}", server.url);
            let output = Command::new("sh")
                .args(["-c", &format!(r#"ulimit -n {files} && exec "$0""#)])
                .arg(std::env::current_exe().unwrap())
                .env(ROLE, row)
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let [cpu, memory, failed] = text.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("{text}{}", String::from_utf8_lossy(&output.stderr));
            };
            let connections = server.connections();
            println!(
                "{subject:<8} {tasks:>6} {calls:>6} {files:>6} {threads:<8} {cpu:>9} \
                 {connections:>11} {memory:>6} MB {failed:>6}"
            );
        }
    }
}

/// Does what a row says, and prints the CPU time of a call, the memory and the failures.
fn run(row: &str) {
    let parts: Vec<&str> = row.split(' ').collect();
    let [threads, subject, tasks, calls, url] = parts[..] else { panic!("{row}") };
    let (tasks, calls): (usize, usize) = (tasks.parse().unwrap(), calls.parse().unwrap());
    let runtime = match threads {
        "one" => Builder::new_current_thread().enable_all().build().unwrap(),
        _ => Builder::new_multi_thread().enable_all().build().unwrap(),
    };
    let mut process = Process::new();
    let before = process.cpu_time();
    let (made, failed) = match subject {
        "stream" => (calls, stream(&runtime, tasks, url)),
        "reqwest" => {
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let call = || {
                let request = http
                    .post(url)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body("Action=GetRepoImage&Limit=9&Offset=0&RepoName=base");
                async {
                    let page: Page = serde_json::from_slice(&request.send().await?.bytes().await?)?;
                    assert_eq!((page.ret_code, page.image_set.len()), (0, 9));
                    Ok(())
                }
            };
            (tasks * calls, crowd(&runtime, tasks, calls, call))
        }
        _ => {
            let client = client(subject, url);
            let call = || {
                let call = client.get_repo_image("base").limit(9).offset(0);
                async { Ok(call.send().await.map(drop)?) }
            };
            (tasks * calls, crowd(&runtime, tasks, calls, call))
        }
    };
    let spent = (process.cpu_time() - before).as_micros() / made as u128;
    println!("{spent} {} {failed}", process.memory());
}

fn client(subject: &str, url: &str) -> Client {
    let builder = Client::builder()
        .credentials(Credentials::new("public-key", "private-key"))
        .retry(RetryPolicy::disabled())
        .base_url(url);
    match subject {
        "bounded" => builder.max_concurrent_calls(MAX_CONCURRENT_CALLS).build().unwrap(),
        _ => builder.build().unwrap(),
    }
}

/// Makes one call for each task at the same time, several times. Returns how many failed.
fn crowd<F>(runtime: &Runtime, tasks: usize, calls: usize, call: impl Fn() -> F + Clone) -> usize
where
    F: Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    runtime.block_on(async {
        let mut failed = 0;
        for _ in 0..calls {
            let running: Vec<_> = (0..tasks).map(|_| tokio::spawn(call())).collect();
            for task in running {
                failed += usize::from(task.await.unwrap().is_err());
            }
        }
        failed
    })
}

fn stream(runtime: &Runtime, read_ahead: usize, url: &str) -> usize {
    let client = client("crate", url);
    runtime.block_on(async {
        let call = client.get_repo_image("base").limit(PAGE as i64).with_read_ahead(read_ahead);
        let mut images = call.items();
        let mut listed = 0;
        while let Some(image) = images.next().await {
            image.unwrap();
            listed += 1;
        }
        assert_eq!(listed, IMAGES);
    });
    0
}

/// Files about this process. They are open from the start: it may not be able to open more later.
struct Process {
    stat: File,
    status: File,
}

impl Process {
    fn new() -> Self {
        let open = |name| File::open(format!("/proc/self/{name}")).unwrap();
        Self { stat: open("stat"), status: open("status") }
    }

    /// Returns the CPU time, in steps of 10 ms.
    fn cpu_time(&mut self) -> Duration {
        let text = read(&mut self.stat);
        let after_name = text.rsplit(')').next().unwrap();
        let ticks = after_name.split_whitespace().skip(11).take(2);
        Duration::from_millis(ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum::<u64>() * 10)
    }

    /// Returns the most memory that was resident, in MB.
    fn memory(&mut self) -> u64 {
        let text = read(&mut self.status);
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }
}

fn read(file: &mut File) -> String {
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

/// A server in another process.
struct Server {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    url: String,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .env(ROLE, "serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut url = String::new();
        output.read_line(&mut url).unwrap();
        Self { process, input, output, url: url.trim().to_owned() }
    }

    fn connections(&mut self) -> String {
        writeln!(self.input).unwrap();
        let mut count = String::new();
        self.output.read_line(&mut count).unwrap();
        count.trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);

fn serve() {
    std::thread::spawn(|| {
        for _ in std::io::stdin().lines() {
            println!("{}", CONNECTIONS.load(Ordering::Relaxed));
        }
        std::process::exit(0);
    });
    Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener: TcpListener = socket.listen(4096).unwrap();
        println!("http://{}/", listener.local_addr().unwrap());
        loop {
            if let Ok((connection, _)) = listener.accept().await {
                CONNECTIONS.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(respond(connection));
            }
        }
    });
}

/// Responds to each request with a page, until the connection ends.
async fn respond(mut connection: TcpStream) {
    let mut request = [0; 4096];
    // The client writes each request at once.
    while let Ok(length @ 1..) = connection.read(&mut request).await {
        let text = String::from_utf8_lossy(&request[..length]).into_owned();
        let number = |name: &str| -> usize {
            let value = text.split(name).nth(1).and_then(|rest| rest.split('&').next());
            value.and_then(|value| value.parse().ok()).unwrap_or(0)
        };
        let (offset, limit) = (number("&Offset="), number("&Limit="));
        let images: Vec<String> = (offset..IMAGES.min(offset + limit))
            .map(|n| {
                format!(
                    r#"{{"ImageName":"image-{n}","PullCount":{n},"CreateTime":"1700000000","UpdateTime":"1700000000","LatestTag":"v1.{n}","RepoName":"base"}}"#
                )
            })
            .collect();
        let images = images.join(",");
        let body = format!(r#"{{"RetCode":0,"TotalCount":{IMAGES},"ImageSet":[{images}]}}"#);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        tokio::time::sleep(LATENCY).await;
        if connection.write_all((head + &body).as_bytes()).await.is_err() {
            return;
        }
    }
}

//! What the crate costs beside the least that the work could cost, measured in turn in one run:
//! `cargo bench`.
//!
//! - Signing a request of five parameters, beside plain SHA-1 over the same bytes.
//! - Reading a response, beside what serde derives for the same structs.
//! - A whole call, beside a bare reqwest loop that sends the same, already signed body over loopback
//!   and decodes the same structs: processor time of this process, 16 calls at once. The server is a
//!   process of its own.
//! - Listing as a stream: resident memory as the list goes on, and reading ahead beside not doing so, where
//!   each answer takes 20 ms.
//!
//! Machines are noisy: each figure is the median of the ratios of many short rounds.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]
// The signing is not public: its modules are compiled here once more.
#![allow(dead_code, unused_imports, unreachable_pub)]

#[path = "../src/credentials"]
mod credentials {
    pub mod key_pair;
}
#[path = "../src/wire"]
mod wire {
    pub mod parameters;
    pub mod sign;
}

use std::{
    hint::black_box,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use credentials::key_pair::Credentials;
use serde::Deserialize;
use sha1::{Digest, Sha1};
use uhub_sdk::{
    Client,
    local::{Image, LocalUhub, Repository},
};
use wire::{parameters::Parameters, sign};

const ROUNDS: usize = 41;
const SERVE: &str = "UHUB_BENCH_SERVE";

fn main() {
    if let Ok(images) = std::env::var(SERVE) {
        let (images, latency) = images.split_once(' ').unwrap();
        return serve(images.parse().unwrap(), latency.parse().unwrap());
    }
    println!("ratios: the crate / the baseline; smaller is better, 1 is as good as the baseline\n");
    let (alone, whole) = signing();
    println!("{:<44} {alone:>6.2}", "sign five parameters / SHA-1");
    println!("{:<44} {whole:>6.2}", "collect and sign them / SHA-1");
    for images in [9, 100] {
        let ratio = reading(images);
        println!(
            "{:<44} {ratio:>6.2}",
            format!("read a page of {images} images / serde derive")
        );
    }
    for images in [9, 100] {
        let (cpu, wall) = calling(images);
        println!(
            "{:<44} {cpu:>6.2}",
            format!("call for {images} images / bare reqwest, CPU")
        );
        println!(
            "{:<44} {wall:>6.2}",
            format!("call for {images} images / bare reqwest, time")
        );
    }
    println!(
        "{:<44} {:>6.2}",
        "list, 8 pages ahead / none, 20 ms a page",
        reading_ahead()
    );
    let memory = memory(100_000);
    println!("\nresident memory after 10,000, 20,000, … 100,000 images: {memory:?} KiB");
}

/// The median of the ratios of two things done in turn.
fn compare(mut ours: impl FnMut() -> Duration, mut baseline: impl FnMut() -> Duration) -> f64 {
    ours();
    baseline();
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|round| {
            // Whoever goes second finds the caches warm: take turns.
            let (ours, baseline) = if round % 2 == 0 {
                let first = ours();
                (first, baseline())
            } else {
                let first = baseline();
                (ours(), first)
            };
            ours.as_secs_f64() / baseline.as_secs_f64()
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ROUNDS / 2]
}

fn timed(times: usize, mut work: impl FnMut()) -> Duration {
    let started = Instant::now();
    for _ in 0..times {
        work();
    }
    started.elapsed()
}

/// The ratios of signing alone, and of collecting the parameters and signing them.
fn signing() -> (f64, f64) {
    let credentials = Credentials::new(
        "ucloudsomeone@example.com1296235120854146120",
        "46f09bb9fab4f12dfc160dae12273d5332b5debe",
    );
    let (project, repository) = (Some("bbrEuvfC".to_owned()), "idkTdEFo".to_owned());
    let (limit, offset) = (Some(6_i64), Some(6_i64));
    let common = sign::common("GetRepoImage", &credentials);
    let collect = || {
        let mut to = Parameters::new(&common, &[]);
        to.add("Limit", &limit);
        to.add("Offset", &offset);
        to.add_or_client_default("ProjectId", &project);
        to.add("RepoName", &repository);
        to.finish();
        to
    };
    let collected = collect();
    let same_bytes = format!("{}{}", collected.text(), *credentials.private_key);
    let plain = || {
        timed(20_000, || {
            black_box(Sha1::digest(black_box(&same_bytes)));
        })
    };
    let alone = || {
        timed(20_000, || {
            let signature = sign::signature(black_box(&collected).text(), &credentials.private_key);
            black_box(signature.as_str());
        })
    };
    let whole = || {
        timed(20_000, || {
            let signed = sign::sign(black_box(collect)(), &credentials);
            black_box(signed.signature.as_str());
        })
    };
    (compare(alone, plain), compare(whole, plain))
}

/// What a user without this crate would write.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    ret_code: i64,
    total_count: i64,
    image_set: Vec<PageImage>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PageImage {
    image_name: String,
    pull_count: i64,
    create_time: String,
    update_time: String,
    latest_tag: String,
    repo_name: Option<String>,
}

fn body(images: usize) -> String {
    let images: Vec<String> = (0..images)
        .map(|n| {
            format!(
                r#"{{"ImageName":"image-{n}","PullCount":{n},"CreateTime":"1700000000","UpdateTime":"1700000000","LatestTag":"v1.{n}","RepoName":"base"}}"#
            )
        })
        .collect();
    let count = images.len();
    format!(
        r#"{{"Action":"GetRepoImageResponse","RetCode":0,"TotalCount":{count},"ImageSet":[{}]}}"#,
        images.join(",")
    )
}

fn reading(images: usize) -> f64 {
    use uhub_sdk::actions::get_repo_image::GetRepoImageResponse;
    let body = body(images);
    let times = 20_000 / images;
    compare(
        || {
            timed(times, || {
                // As a call reads it: the text is checked once, as a whole.
                let text = std::str::from_utf8(black_box(body.as_bytes())).unwrap();
                black_box(serde_json::from_str::<GetRepoImageResponse>(text).unwrap());
            })
        },
        || {
            timed(times, || {
                black_box(serde_json::from_slice::<Page>(black_box(body.as_bytes())).unwrap());
            })
        },
    )
}

/// The other process: it listens until its standard input ends.
fn serve(images: usize, latency: u64) {
    let runtime = runtime();
    runtime.block_on(async {
        let images = (0..images).map(|n| Image::new(format!("image-{n}")));
        let uhub = LocalUhub::builder()
            .latency(Duration::from_millis(latency))
            .repository(Repository::new("base").images(images))
            .start()
            .await
            .unwrap();
        println!("{}", uhub.base_url());
        std::io::stdout().flush().unwrap();
        let stdin = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        let _ = stdin.await;
    });
}

/// How long a list takes with read-ahead, for each second that it takes without.
fn reading_ahead() -> f64 {
    let server = Server::start(12_000, 20);
    let seconds = |read_ahead| {
        let started = Instant::now();
        list(&server, 100, read_ahead, |_| {});
        started.elapsed().as_secs_f64()
    };
    let mut ratios: Vec<f64> = (0..3).map(|_| seconds(8) / seconds(0)).collect();
    ratios.sort_by(f64::total_cmp);
    ratios[1]
}

/// This process's resident memory in KiB, each time that a tenth of the list has been read.
fn memory(images: usize) -> Vec<u64> {
    let server = Server::start(images, 0);
    let mut samples = Vec::new();
    list(&server, 100, 1, |count| {
        if count % (images / 10) == 0 {
            let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
            let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            samples.extend(
                resident.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()),
            );
        }
    });
    samples
}

fn list(server: &Server, limit: i64, read_ahead: usize, mut seen: impl FnMut(usize)) {
    let runtime = runtime();
    let client = server.client();
    runtime.block_on(async {
        let mut images = client
            .get_repo_image("base")
            .limit(limit)
            .with_read_ahead(read_ahead)
            .items();
        let mut count = 0;
        while let Some(image) = images.next().await {
            black_box(image.unwrap());
            count += 1;
            seen(count);
        }
    });
}

/// Everything runs on one thread, whose processor time is measured.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

struct Server {
    process: Child,
    base_url: String,
}

impl Server {
    fn start(images: usize, latency: u64) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .env(SERVE, format!("{images} {latency}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut base_url = String::new();
        BufReader::new(process.stdout.as_mut().unwrap())
            .read_line(&mut base_url)
            .unwrap();
        Self {
            process,
            base_url: base_url.trim().to_owned(),
        }
    }

    fn client(&self) -> Client {
        let keys = uhub_sdk::Credentials::new("local-public-key", "local-private-key");
        Client::builder()
            .credentials(keys)
            .base_url(&self.base_url)
            .build()
            .unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const AT_ONCE: usize = 16;
const CALLS: usize = 480;

/// The ratios of processor time and of time.
fn calling(images: usize) -> (f64, f64) {
    let server = Server::start(images, 0);
    let runtime = runtime();
    let client = server.client();
    let http = bare_reqwest();
    let signed = signed_form();

    let ours = || {
        runtime.block_on(spent(|| async {
            let page = client
                .get_repo_image("base")
                .limit(100)
                .send()
                .await
                .unwrap();
            assert_eq!(page.image_set.len(), images);
        }))
    };
    let bare = || {
        runtime.block_on(spent(|| async {
            let request = http
                .post(&server.base_url)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(signed.clone());
            let body = request.send().await.unwrap().bytes().await.unwrap();
            let page: Page = serde_json::from_slice(&body).unwrap();
            assert_eq!((page.ret_code, page.image_set.len()), (0, images));
        }))
    };
    let wall = compare(|| ours().1, || bare().1);
    let cpu = compare(|| ours().0, || bare().0);
    (cpu, wall)
}

/// With rustls and ring, as the crate has it.
fn bare_reqwest() -> reqwest::Client {
    let tls = rustls::ClientConfig::builder_with_provider(
        rustls::crypto::ring::default_provider().into(),
    )
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_root_certificates(rustls::RootCertStore::empty())
    .with_no_client_auth();
    reqwest::Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(tls)
        .build()
        .unwrap()
}

/// What the local UHub's default keys make of the call.
fn signed_form() -> Bytes {
    let credentials = Credentials::new("local-public-key", "local-private-key");
    let (limit, repository) = (100_i64, "base".to_owned());
    let common = sign::common("GetRepoImage", &credentials);
    let mut to = Parameters::new(&common, &[]);
    to.add("Limit", &limit);
    to.add("RepoName", &repository);
    let signed = sign::sign(to, &credentials);
    let form = format!(
        "Action=GetRepoImage&Limit=100&PublicKey=local-public-key&RepoName=base&Signature={}",
        signed.signature.as_str()
    );
    Bytes::from(form)
}

/// Processor time and time of many calls, some at once.
async fn spent<F: Future<Output = ()>>(call: impl Fn() -> F) -> (Duration, Duration) {
    let (cpu, started) = (cpu_time(), Instant::now());
    let worker = || async {
        for _ in 0..CALLS / AT_ONCE {
            call().await;
        }
    };
    let mut workers: Vec<_> = (0..AT_ONCE).map(|_| Box::pin(worker())).collect();
    std::future::poll_fn(|context| {
        workers.retain_mut(|worker| worker.as_mut().poll(context).is_pending());
        if workers.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    let wall = started.elapsed();
    (
        cpu.zip(cpu_time())
            .map_or(wall, |(before, after)| after - before),
        wall,
    )
}

/// The processor time of this thread, on which everything runs; only Linux tells it to the nanosecond.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace()
        .next()?
        .parse()
        .ok()
        .map(Duration::from_nanos)
}

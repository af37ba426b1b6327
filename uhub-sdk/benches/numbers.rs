//! The cost of the crate relative to a baseline, measured in turn in one run: `cargo bench`.
//!
//! - Signing a request with five parameters, relative to plain SHA-1 of the same bytes.
//! - Reading a response, relative to code derived by serde for the same structs.
//! - A call, relative to bare reqwest that sends the same signed body over loopback and decodes the
//!   same structs: CPU time of this process, 16 calls at a time. The server is another
//!   process.
//! - Listing as a stream: resident memory during the listing, and the time with read-ahead relative
//!   to that without, at 20 ms a response.
//!
//! Each figure is the median of the ratios of many short rounds, since machines are noisy.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]
// Signing is private, so its modules are compiled into this benchmark.
#![allow(dead_code, unused_imports, unreachable_pub)]

mod fixture;
#[path = "../src/wire"]
mod wire {
    pub mod parameters;
    pub mod sign;
}

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use fixture::{Documented, Page, Server, bare_reqwest, body, client, runtime, signed_form};
use sha1::{Digest, Sha1};
use wire::sign;

const ROUNDS: usize = 41;
fn main() {
    if fixture::is_server() {
        return;
    }
    println!("ratios crate / baseline; smaller is better\n");
    let print = |name: &str, ratio: f64| println!("{name:<44} {ratio:>6.2}");
    let (sign, collect_and_sign) = signing();
    print("sign five parameters / SHA-1", sign);
    print("collect and sign them / SHA-1", collect_and_sign);
    for images in [9, 100] {
        let name = format!("read a page of {images} images / serde derive");
        print(&name, reading(images));
    }
    for images in [9, 100] {
        let (cpu, wall) = calling(images);
        let name = format!("call for {images} images / bare reqwest");
        print(&format!("{name}, CPU"), cpu);
        print(&format!("{name}, time"), wall);
    }
    print("list, 8 pages ahead / none, 20 ms a page", reading_ahead());
    let memory = memory(100_000);
    println!("\nresident memory after 10,000, 20,000, … 100,000 images: {memory:?} KiB");
}

/// Returns the median ratio of two durations, measured in turn.
fn compare(
    rounds: usize,
    mut ours: impl FnMut() -> Duration,
    mut baseline: impl FnMut() -> Duration,
) -> f64 {
    ours();
    baseline();
    let mut ratios: Vec<f64> = (0..rounds)
        .map(|round| {
            // The second one has warm caches, so take turns.
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
    ratios[rounds / 2]
}

fn timed(times: usize, mut work: impl FnMut()) -> Duration {
    let started = Instant::now();
    for _ in 0..times {
        work();
    }
    started.elapsed()
}

/// Returns the ratios of signing only, and of collecting the parameters and signing them.
fn signing() -> (f64, f64) {
    let documented = Documented::new();
    let private_key = Documented::PRIVATE_KEY;
    let collected = documented.collect();
    let same_bytes = format!("{}{private_key}", collected.text());
    let plain = || {
        timed(20_000, || {
            black_box(Sha1::digest(black_box(&same_bytes)));
        })
    };
    let sign = || {
        timed(20_000, || {
            let signature = sign::signature(black_box(&collected).text(), private_key);
            black_box(signature.as_str());
        })
    };
    let collect_and_sign = || {
        timed(20_000, || {
            let signed = sign::sign(black_box(&documented).collect(), private_key);
            black_box(signed.signature.as_str());
        })
    };
    (compare(ROUNDS, sign, plain), compare(ROUNDS, collect_and_sign, plain))
}

fn reading(images: usize) -> f64 {
    use uhub_sdk::actions::get_repo_image::GetRepoImageResponse;
    let body = body(images);
    let times = 20_000 / images;
    compare(
        ROUNDS,
        || {
            timed(times, || {
                // Like a call, which checks the text once as a whole.
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

/// Returns the duration of a listing with read-ahead relative to that without.
fn reading_ahead() -> f64 {
    let server = Server::start(12_000, 20);
    let list = |read_ahead| timed(1, || list(&server, 100, read_ahead, |_| {}));
    compare(3, || list(8), || list(0))
}

/// Returns this process's resident memory in KiB after each tenth of a listing.
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

fn list(server: &Server, limit: i64, read_ahead: usize, mut on_item: impl FnMut(usize)) {
    let runtime = runtime();
    let client = client(&server.base_url);
    runtime.block_on(async {
        let mut images =
            client.get_repo_image("base").limit(limit).with_read_ahead(read_ahead).items();
        let mut count = 0;
        while let Some(image) = images.next().await {
            black_box(image.unwrap());
            count += 1;
            on_item(count);
        }
    });
}

const AT_ONCE: usize = 16;
const CALLS: usize = 480;

/// Returns the ratios of CPU time and of wall time.
fn calling(images: usize) -> (f64, f64) {
    let server = Server::start(images, 0);
    let runtime = runtime();
    let client = client(&server.base_url);
    let http = bare_reqwest();
    let signed = signed_form();

    let ours = || {
        runtime.block_on(spent(|| async {
            let page = client.get_repo_image("base").limit(100).send().await.unwrap();
            assert_eq!(page.images.len(), images);
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
    let wall = compare(ROUNDS, || ours().1, || bare().1);
    let cpu = compare(ROUNDS, || ours().0, || bare().0);
    (cpu, wall)
}

/// Returns the CPU time and the wall time of many calls, some at a time.
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
        if workers.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    let wall = started.elapsed();
    (cpu.zip(cpu_time()).map_or(wall, |(before, after)| after - before), wall)
}

/// Returns the CPU time of this thread, if the system is Linux.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

//! The instructions that the crate executes, beside a baseline, counted by Valgrind's Callgrind:
//! `cargo bench --bench instructions`.
//!
//! Counts are the same on a busy machine and an idle one, so that a small change can be seen. Each
//! task runs in a process of its own, few times and many times; the difference is what it costs.
//!
//! - Collecting five parameters and signing them, relative to plain SHA-1 of the same bytes.
//! - Reading a response, relative to code derived by serde for the same structs: from bytes, as a
//!   call does, and from text, which is known to be UTF-8.
//! - A call over loopback, one at a time, relative to bare reqwest that sends the same signed body
//!   and decodes the same structs, and bare hyper-util that does. The server is another process.
//! - A call without HTTP, by a transport that has the response at hand. For no images, that is the
//!   cost of building the request and of judging the response.
//!
//! Arguments choose tasks by a part of their names: `cargo bench --bench instructions -- read`.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]
// Signing is private, so its modules are compiled into this benchmark.
#![allow(dead_code, unused_imports, unreachable_pub)]

mod fixture;
#[path = "../src/wire"]
mod wire {
    pub mod parameters;
    pub mod sign;
}

use std::{hint::black_box, process::Command};

use bytes::Bytes;
use fixture::{
    Documented, PRIVATE_KEY, PUBLIC_KEY, Page, Server, bare_reqwest, body, client, runtime,
    signed_form,
};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy, rt::TokioExecutor};
use sha1::{Digest, Sha1};
use uhub_sdk::{
    BoxFuture, Client, Credentials, Transport, TransportError,
    actions::get_repo_image::GetRepoImageResponse,
};
use wire::sign;

/// Set in a process whose instructions are counted: the task, its subject, the number of images,
/// how often, and the URL of the server.
const COUNTED: &str = "UHUB_BENCH_COUNTED";

/// Who does the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Crate,
    Baseline,
    HyperUtil,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Sign,
    Read,
    ReadText,
    Call,
    CallWithoutHttp,
}

/// The rows of the table. `Subject::Crate` comes first.
const ROWS: [(&str, Task, usize, &[Subject]); 11] = [
    ("sign five parameters", Task::Sign, 0, &[Subject::Crate, Subject::Baseline]),
    ("read 9 images", Task::Read, 9, &[Subject::Crate, Subject::Baseline]),
    ("read 100 images", Task::Read, 100, &[Subject::Crate, Subject::Baseline]),
    ("read 1000 images", Task::Read, 1000, &[Subject::Crate, Subject::Baseline]),
    ("read 9 images of text", Task::ReadText, 9, &[Subject::Crate, Subject::Baseline]),
    ("call for 0 images, without HTTP", Task::CallWithoutHttp, 0, &[Subject::Crate]),
    ("call for 9 images, without HTTP", Task::CallWithoutHttp, 9, &[Subject::Crate]),
    ("call for 100 images, without HTTP", Task::CallWithoutHttp, 100, &[Subject::Crate]),
    ("call for 1 image", Task::Call, 1, ALL),
    ("call for 9 images", Task::Call, 9, ALL),
    ("call for 100 images", Task::Call, 100, ALL),
];
const ALL: &[Subject] = &[Subject::Crate, Subject::Baseline, Subject::HyperUtil];

const SUBJECTS: [Subject; 3] = [Subject::Crate, Subject::Baseline, Subject::HyperUtil];
const TASKS: [Task; 5] =
    [Task::Sign, Task::Read, Task::ReadText, Task::Call, Task::CallWithoutHttp];

fn main() {
    if fixture::is_server() {
        return;
    }
    if let Ok(counted) = std::env::var(COUNTED) {
        return run(&counted);
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("Instructions are not counted: Valgrind is not installed.");
        return;
    }
    // Cargo passes `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    println!(
        "{:<34} {:>12} {:>12} {:>6} {:>12} {:>6}",
        "instructions", "crate", "baseline", "ratio", "hyper-util", "ratio"
    );
    for (name, task, images, subjects) in ROWS {
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let server = (task == Task::Call).then(|| Server::start(images, 0));
        let url = server.as_ref().map_or("", |server| &server.base_url);
        let counts = subjects.iter().map(|subject| count(task, *subject, images, url));
        let counts: Vec<f64> = counts.collect();
        print!("{name:<34} {:>12.0}", counts[0]);
        for baseline in &counts[1..] {
            print!(" {baseline:>12.0} {:>6.3}", counts[0] / baseline);
        }
        println!();
    }
}

/// Returns the instructions of one execution of a task.
fn count(task: Task, subject: Subject, images: usize, url: &str) -> f64 {
    // About the same work for every task.
    let times = if task == Task::Call { 400 } else { 4_000 / images.max(4) };
    let [few, many] = [times / 4, times].map(|times| {
        let counted = format!("{task:?} {subject:?} {images} {times} {url}");
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe().unwrap())
            .env(COUNTED, &counted)
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{counted}: {log}");
        let collected = log.lines().find_map(|line| line.split_once("Collected :"));
        collected.and_then(|(_, count)| count.trim().parse::<f64>().ok()).expect(&log)
    });
    #[allow(clippy::cast_precision_loss, reason = "a few thousand")]
    let more = (times - times / 4) as f64;
    (many - few) / more
}

/// Does what [`COUNTED`] says.
fn run(counted: &str) {
    let parts: Vec<&str> = counted.split(' ').collect();
    let [task, subject, images, times, url] = parts[..] else { panic!("{counted}") };
    let task = TASKS.into_iter().find(|it| format!("{it:?}") == task).unwrap();
    let subject = SUBJECTS.into_iter().find(|it| format!("{it:?}") == subject).unwrap();
    let (images, times) = (images.parse().unwrap(), times.parse().unwrap());
    match task {
        Task::Sign => sign(subject, times),
        Task::Read => read(subject, images, times),
        Task::ReadText => read_text(subject, images, times),
        Task::Call => runtime().block_on(call(subject, images, times, url)),
        Task::CallWithoutHttp => runtime().block_on(call_without_http(images, times)),
    }
}

fn repeat(times: usize, mut work: impl FnMut()) {
    for _ in 0..times {
        work();
    }
}

fn sign(subject: Subject, times: usize) {
    let documented = Documented::new();
    let same_bytes = format!("{}{}", documented.collect().text(), Documented::PRIVATE_KEY);
    match subject {
        Subject::Crate => repeat(times, || {
            let parameters = black_box(&documented).collect();
            black_box(sign::sign(parameters, Documented::PRIVATE_KEY).signature.as_str());
        }),
        _ => repeat(times, || {
            black_box(Sha1::digest(black_box(&same_bytes)));
        }),
    }
}

/// Reads the bytes of a response, which the crate checks once as a whole, like in a call.
fn read(subject: Subject, images: usize, times: usize) {
    let body = body(images);
    match subject {
        Subject::Crate => repeat(times, || {
            let text = std::str::from_utf8(black_box(body.as_bytes())).unwrap();
            black_box(serde_json::from_str::<GetRepoImageResponse>(text).unwrap());
        }),
        _ => repeat(times, || {
            black_box(serde_json::from_slice::<Page>(black_box(body.as_bytes())).unwrap());
        }),
    }
}

/// Reads text, which nobody has to check.
fn read_text(subject: Subject, images: usize, times: usize) {
    let body = body(images);
    match subject {
        Subject::Crate => repeat(times, || {
            black_box(serde_json::from_str::<GetRepoImageResponse>(black_box(&body)).unwrap());
        }),
        _ => repeat(times, || {
            black_box(serde_json::from_str::<Page>(black_box(&body)).unwrap());
        }),
    }
}

async fn call(subject: Subject, images: usize, times: usize, url: &str) {
    let signed = signed_form();
    let check = |body: &[u8]| {
        let page: Page = serde_json::from_slice(body).unwrap();
        assert_eq!((page.ret_code, page.image_set.len()), (0, images));
    };
    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
    match subject {
        Subject::Crate => {
            let client = client(url);
            for _ in 0..times {
                let page = client.get_repo_image("base").limit(100).send().await.unwrap();
                assert_eq!(page.images.len(), images);
            }
        }
        Subject::Baseline => {
            let client = bare_reqwest();
            for _ in 0..times {
                let request = client.post(url).header(FORM.0, FORM.1).body(signed.clone());
                check(&request.send().await.unwrap().bytes().await.unwrap());
            }
        }
        Subject::HyperUtil => {
            let client = legacy::Client::builder(TokioExecutor::new()).build_http();
            for _ in 0..times {
                let request = Request::post(url).header(FORM.0, FORM.1);
                let request = request.body(Full::new(signed.clone())).unwrap();
                let response = client.request(request).await.unwrap();
                check(&response.into_body().collect().await.unwrap().to_bytes());
            }
        }
    }
}

/// Returns the same response every time.
#[derive(Debug)]
struct Canned(Bytes);

impl Transport for Canned {
    fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let body = self.0.clone();
        Box::pin(async { Ok(Response::new(body)) })
    }
}

async fn call_without_http(images: usize, times: usize) {
    let client = Client::builder()
        .credentials(Credentials::new(PUBLIC_KEY, PRIVATE_KEY))
        .transport(Canned(body(images).into()))
        .build()
        .unwrap();
    for _ in 0..times {
        black_box(client.get_repo_image("base").limit(100).send().await.unwrap());
    }
}

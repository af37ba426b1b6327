//! The program `uhub-local`, as a user or a script runs it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::wire::*;

const PROGRAM: &str = env!("CARGO_BIN_EXE_uhub-local");

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments);
    command
}

/// A running program. Dropping it kills it, so that it does not outlive a failed test.
struct Server {
    process: Child,
    stdout: BufReader<ChildStdout>,
    exported: BTreeMap<String, String>,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        Self::run(program(arguments).stderr(Stdio::piped()))
    }

    /// Starts the program and reads the exported variables.
    fn run(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let exported = (0..4).map(|_| {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            let pair = line.trim_end().strip_prefix("export ");
            let (name, value) = pair.and_then(|pair| pair.split_once('=')).expect(&line);
            (name.to_owned(), value.to_owned())
        });
        let exported = exported.collect();
        Self { process, stdout, exported }
    }

    fn address(&self) -> &str {
        let url = &self.exported["UCLOUD_API_BASE_URL"];
        url["http://".len()..].trim_end_matches('/')
    }

    /// The response to an action, with the exported credentials and project.
    async fn act(&self, action: &str, parameters: Pairs<'_>) -> Value {
        let project = self.exported["UCLOUD_PROJECT_ID"].as_str();
        let all = [&[("Action", action), ("ProjectId", project)], parameters].concat();
        let keys = ["UCLOUD_PUBLIC_KEY", "UCLOUD_PRIVATE_KEY"].map(|name| &self.exported[name]);
        let form = signed_with(keys[0], keys[1], &all);
        let mut connection = Connection::to(self.address()).await;
        connection.send(post_form(&form)).await;
        connection.expect().await.json()
    }

    /// Sends a signal as `kill` does.
    fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for the end and returns the remaining output.
    fn end(mut self) -> Output {
        wait_for_end(&mut self.process);
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        self.stdout.read_to_end(&mut stdout).unwrap();
        if let Some(mut pipe) = self.process.stderr.take() {
            pipe.read_to_end(&mut stderr).unwrap();
        }
        let status = self.process.wait().unwrap();
        Output { status, stdout, stderr }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits for the end of a process, for at most a minute.
#[track_caller]
fn wait_for_end(process: &mut Child) {
    let start = Instant::now();
    while process.try_wait().unwrap().is_none() {
        let elapsed = start.elapsed();
        assert!(elapsed < Duration::from_secs(60), "the program does not end");
        sleep(Duration::from_millis(10));
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The error message of a program that cannot start.
#[track_caller]
fn refused(arguments: &[&str], exit_code: i32) -> String {
    let mut command = program(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    wait_for_end(&mut process);
    let output = process.wait_with_output().unwrap();
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(exit_code), "{message}");
    assert!(output.stdout.is_empty());
    message
}

fn data_file(data: &Value) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, data.to_string()).unwrap();
    file
}

/// Whether the tests run with SIGHUP ignored, as under `nohup`. The program inherits that.
fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1)
}

#[tokio::test]
async fn the_exports_connect_a_client_and_each_signal_stops_the_server() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        if signal == "-HUP" && ignores_hangup() {
            continue;
        }
        let server = Server::start(&[]);
        let names: Vec<&String> = server.exported.keys().collect();
        let expected = ["API_BASE_URL", "PRIVATE_KEY", "PROJECT_ID", "PUBLIC_KEY"];
        assert_eq!(names, expected.map(|name| format!("UCLOUD_{name}")).each_ref());
        for visibility in ["public", "private"] {
            let listed = server.act("GetRepo", &[("Type", visibility)]).await;
            assert_ne!(listed["TotalCount"], 0);
        }
        let deleted = server.act("DeleteRepo", &[("RepoName", "nowhere")]).await;
        assert_eq!(deleted["RetCode"], 230);

        let private_key = server.exported["UCLOUD_PRIVATE_KEY"].clone();
        server.signal(signal);
        let output = server.end();
        assert_eq!(output.status.code(), Some(0));
        assert!(output.stdout.is_empty(), "more than the variables");
        let text = stderr(&output);
        let lines = text.lines();
        let listings = lines.filter(|line| line.starts_with("POST GetRepo: RetCode 0, "));
        assert_eq!(listings.count(), 2, "{text}");
        assert!(text.contains("\nPOST DeleteRepo: RetCode 230"), "{text}");
        assert!(text.contains("\n3 requests in "), "{text}");
        assert!(text.contains("       2  GetRepo     RetCode 0\n"), "{text}");
        let mut hex = text.split(|c: char| !c.is_ascii_hexdigit()).map(str::len);
        assert!(hex.all(|length| length < 40), "a signature in {text}");
        assert!(!text.contains(&private_key), "{text}");
    }
}

#[test]
fn a_shell_reads_quoted_keys() {
    let key = r#"it's "odd" $HOME `id` \n"#;
    let file = data_file(&json!({
        "version": 1,
        "users": [{"public_key": "p & q", "private_key": key}],
        "projects": [{"id": "org-1", "name": "One"}],
    }));
    let mut server = program(&["--quiet", "--data", file.path().to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(server.stdout.take().unwrap());
    let lines: Vec<String> = stdout.lines().take(4).map(Result::unwrap).collect();
    server.kill().unwrap();
    server.wait().unwrap();
    let script = format!(
        "{}\nprintf '%s|%s' \"$UCLOUD_PUBLIC_KEY\" \"$UCLOUD_PRIVATE_KEY\"",
        lines.join("\n")
    );
    let shell = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8(shell.stdout).unwrap(), format!("p & q|{key}"));
}

/// Only Linux reports which signals a process ignores.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn with_nohup_the_server_outlives_its_terminal() {
    let mut command = Command::new("nohup");
    let mut server = Server::run(command.arg(PROGRAM).stderr(Stdio::piped()));
    server.signal("-HUP");
    server.act("GetRepo", &[]).await;
    assert!(server.process.try_wait().unwrap().is_none());
    server.signal("-TERM");
    assert_eq!(server.end().status.code(), Some(0));
}

#[tokio::test]
async fn the_exports_are_of_the_first_user_without_a_security_token() {
    let mut data = json!({
        "version": 1,
        "users": [
            {"public_key": "temporary", "private_key": "t", "security_token": "token"},
            {"public_key": "sub", "private_key": "s", "sub_account": true, "projects": ["org-2"]},
            {"public_key": "account", "private_key": "a"},
        ],
        "projects": [{"id": "org-1", "name": "One"}, {"id": "org-2", "name": "Two"}],
    });
    let file = data_file(&data);
    let server = Server::start(&["--data", file.path().to_str().unwrap()]);
    assert_eq!(server.exported["UCLOUD_PUBLIC_KEY"], "sub");
    assert_eq!(server.exported["UCLOUD_PROJECT_ID"], "org-2");
    let created = server.act("CreateRepo", &[("RepoName", "new")]).await;
    assert_eq!(created["RetCode"], 0);

    data["users"].as_array_mut().unwrap().truncate(1);
    let file = data_file(&data);
    let message = refused(&["--data", file.path().to_str().unwrap()], 1);
    assert!(message.contains("add a user without one"), "{message}");
}

#[test]
fn a_server_that_cannot_start_reports_why() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let message = refused(&["--listen", &taken], 1);
    assert!(message.contains(&taken) && message.contains("another port"), "{message}");

    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let message = refused(&["--listen", address], 1);
        assert!(message.contains("--allow-remote"), "{message}");
    }

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.json");
    let path = file.to_str().unwrap();
    let message = refused(&["--data", path], 1);
    assert!(message.contains(path), "{message}");
    fs::write(&file, "{\n  \"version\": 1,\n  \"usres\": []\n}").unwrap();
    let message = refused(&["--data", path], 1);
    assert!(message.contains(&format!("{path}:3:")) && message.contains("usres"), "{message}");

    for usage in [&["--listen", "8080"][..], &["--latency", "soon"], &["--nonsense"]] {
        let message = refused(usage, 2);
        assert!(message.contains(usage[0]), "{message}");
    }
}

#[test]
fn without_standard_output_the_server_ends() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = program(&[]).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(message.contains("standard output"), "{message}");
}

#[tokio::test]
async fn the_server_does_not_wait_for_a_reader_of_its_lines() {
    // Many refused requests on one connection.
    let send = async |server: &Server, count: usize| {
        let mut connection = Connection::to(server.address()).await;
        for _ in 0..count {
            connection.send(get("Action=GetRepo")).await;
            assert_eq!(connection.expect().await.ret_code(), 170);
        }
    };
    // The pipe is closed.
    let mut server = Server::start(&[]);
    drop(server.process.stderr.take());
    send(&server, 10).await;
    server.signal("-TERM");
    assert_eq!(server.end().status.code(), Some(0));

    // The pipe is full after one or two thousand lines.
    let mut server = Server::start(&[]);
    let _unread = server.process.stderr.take();
    send(&server, 5_000).await;
    server.signal("-TERM");
    assert_eq!(server.end().status.code(), Some(0));
}

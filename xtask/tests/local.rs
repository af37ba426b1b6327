//! `cargo xtask local`, as a user or a script runs it.
#![cfg(unix)] // signals
#![allow(clippy::unwrap_used)] // the helpers of tests are tests too

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use uhub_sdk::{Client, Credentials, actions::get_repo::GetRepoType};

/// The server's own program, which `cargo xtask local` builds and becomes.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-uhub"));
    command.args(arguments);
    command
}

struct Server {
    process: Child,
    stdout: BufReader<ChildStdout>,
    exported: BTreeMap<String, String>,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        Self::run(program(arguments).stderr(Stdio::piped()))
    }

    /// Waits until it listens.
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
        Self {
            process,
            stdout,
            exported,
        }
    }

    fn address(&self) -> &str {
        let url = &self.exported["UCLOUD_API_BASE_URL"];
        url["http://".len()..].trim_end_matches('/')
    }

    fn client(&self) -> Client {
        let exported = &self.exported;
        Client::builder()
            .base_url(&exported["UCLOUD_API_BASE_URL"])
            .credentials(Credentials::new(
                &exported["UCLOUD_PUBLIC_KEY"],
                &exported["UCLOUD_PRIVATE_KEY"],
            ))
            .project_id(&exported["UCLOUD_PROJECT_ID"])
            .build()
            .unwrap()
    }

    /// As `kill` does it.
    fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status();
        assert!(status.unwrap().success());
    }

    /// How it ends, and what it says until then.
    fn end(mut self) -> Output {
        wait_until(|| self.process.try_wait().unwrap().is_some());
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        self.stdout.read_to_end(&mut stdout).unwrap();
        if let Some(mut pipe) = self.process.stderr.take() {
            pipe.read_to_end(&mut stderr).unwrap();
        }
        let status = self.process.wait().unwrap();
        Output {
            status,
            stdout,
            stderr,
        }
    }
}

/// No server outlives its test, also one that fails.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What it says when it cannot start.
#[track_caller]
fn refused(arguments: &[&str], exit_code: i32) -> String {
    let mut command = program(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    wait_until(|| process.try_wait().unwrap().is_some());
    let output = process.wait_with_output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(exit_code), "{said}");
    assert!(output.stdout.is_empty());
    said
}

/// Within a minute, or the test has failed.
#[track_caller]
fn wait_until(mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "it does not come"
        );
        sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn what_it_prints_connects_a_client_and_each_signal_stops_it_in_order() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let server = Server::start(&[]);
        let names: Vec<&String> = server.exported.keys().collect();
        let expected = ["API_BASE_URL", "PRIVATE_KEY", "PROJECT_ID", "PUBLIC_KEY"];
        assert_eq!(
            names,
            expected.map(|name| format!("UCLOUD_{name}")).each_ref()
        );
        let client = server.client();
        let public = client.get_repo(GetRepoType::Public).send().await.unwrap();
        let private = client.get_repo(GetRepoType::Private).send().await.unwrap();
        assert!(!public.repo_set.is_empty() && !private.repo_set.is_empty());
        let error = client.delete_repo("nowhere").send().await.unwrap_err();
        assert_eq!(error.http_status(), Some(200));

        let private_key = server.exported["UCLOUD_PRIVATE_KEY"].clone();
        server.signal(signal);
        let output = server.end();
        assert_eq!(output.status.code(), Some(0));
        assert!(output.stdout.is_empty(), "more than the variables");
        let said = said(&output);
        let listed: Vec<_> = said
            .lines()
            .filter(|line| line.starts_with("POST GetRepo: RetCode 0, "))
            .collect();
        assert_eq!(listed.len(), 2, "{said}");
        assert!(said.contains("\nPOST DeleteRepo: RetCode "), "{said}");
        assert!(said.contains("\n3 requests in "), "{said}");
        assert!(said.contains("       2  GetRepo     RetCode 0\n"), "{said}");
        let mut hex = said.split(|c: char| !c.is_ascii_hexdigit()).map(str::len);
        assert!(hex.all(|length| length < 40), "a signature in {said}");
        assert!(!said.contains(&private_key), "{said}");
    }
}

#[test]
fn a_shell_reads_odd_keys_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.json");
    let key = r#"it's "odd" $HOME `id` \n"#;
    let data = serde_json::json!({
        "version": 1,
        "keys": [{"public_key": "p & q", "private_key": key}],
        "projects": [{"id": "org-1", "name": "One"}],
    });
    fs::write(&file, data.to_string()).unwrap();
    let mut server = program(&["--quiet", "--data", file.to_str().unwrap()])
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
    assert_eq!(
        String::from_utf8(shell.stdout).unwrap(),
        format!("p & q|{key}")
    );
}

/// Linux says which signals a process ignores.
#[cfg(target_os = "linux")]
#[test]
fn with_nohup_it_outlives_its_terminal() {
    let mut command = Command::new("nohup");
    command.arg(env!("CARGO_BIN_EXE_local-uhub"));
    let mut server = Server::run(command.stderr(Stdio::piped()));
    server.signal("-HUP");
    ask(server.address(), 1);
    assert!(server.process.try_wait().unwrap().is_none());
    server.signal("-TERM");
    assert_eq!(server.end().status.code(), Some(0));
}

#[tokio::test]
async fn what_it_prints_connects_a_client_whatever_the_first_key_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.json");
    let path = file.to_str().unwrap();
    let mut data = serde_json::json!({
        "version": 1,
        "keys": [
            {"public_key": "temporary", "private_key": "t", "security_token": "token"},
            {"public_key": "sub", "private_key": "s", "sub_account": true, "projects": ["org-2"]},
            {"public_key": "account", "private_key": "a"},
        ],
        "projects": [{"id": "org-1", "name": "One"}, {"id": "org-2", "name": "Two"}],
    });
    fs::write(&file, data.to_string()).unwrap();
    let server = Server::start(&["--data", path]);
    assert_eq!(server.exported["UCLOUD_PUBLIC_KEY"], "sub");
    assert_eq!(server.exported["UCLOUD_PROJECT_ID"], "org-2");
    let create = server.client().create_repo("new");
    create.send().await.unwrap();

    data["keys"].as_array_mut().unwrap().truncate(1);
    fs::write(&file, data.to_string()).unwrap();
    let save = folder.path().join("state.json");
    let said = refused(&["--data", path, "--save", save.to_str().unwrap()], 1);
    assert!(said.contains("add a key without one"), "{said}");
    assert!(!save.exists(), "it would be refused ever after");
}

#[test]
fn an_empty_file_to_save_to_is_filled() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let server = Server::start(&["--save", file.path().to_str().unwrap()]);
    assert!(
        fs::read_to_string(file.path())
            .unwrap()
            .contains("\"version\"")
    );
    server.signal("-TERM");
    let output = server.end();
    assert_eq!(output.status.code(), Some(0));
    assert!(!said(&output).contains("starting with"));

    // What is no file is not replaced.
    refused(&["--save", "/dev/null"], 1);
}

#[tokio::test]
async fn what_was_kept_is_there_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let arguments = ["--save", file.to_str().unwrap()];
    let server = Server::start(&arguments);
    let create = server.client().create_repo("made-before-the-crash");
    create.send().await.unwrap();
    wait_until(|| {
        fs::read_to_string(&file).is_ok_and(|text| text.contains("made-before-the-crash"))
    });
    server.signal("-KILL");
    assert!(!server.end().status.success());

    let server = Server::start(&arguments);
    let error = server
        .client()
        .create_repo("made-before-the-crash")
        .send()
        .await;
    assert_eq!(
        error.unwrap_err().http_status(),
        Some(200),
        "it is not there"
    );
    // Stopped in order, it keeps the last change too.
    server
        .client()
        .delete_repo("made-before-the-crash")
        .send()
        .await
        .unwrap();
    server.signal("-TERM");
    let said = said(&server.end());
    assert!(
        said.contains("state.json"),
        "which data it started from: {said}"
    );
    assert!(
        !fs::read_to_string(&file)
            .unwrap()
            .contains("made-before-the-crash")
    );
}

#[tokio::test]
async fn what_cannot_be_kept_any_more_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let server = Server::start(&["--save", file.to_str().unwrap()]);
    folder.close().unwrap();
    server.client().create_repo("new").send().await.unwrap();
    server.signal("-TERM");
    let output = server.end();
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(
        said.contains("cannot save to") && said.contains("state.json"),
        "{said}"
    );
}

#[test]
fn what_it_cannot_start_with_it_says() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let said = refused(&["--listen", &taken], 1);
    assert!(
        said.contains(&taken) && said.contains("another port"),
        "{said}"
    );

    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let said = refused(&["--listen", address], 1);
        assert!(said.contains("--allow-remote"), "{said}");
    }

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.json");
    let path = file.to_str().unwrap();
    let said = refused(&["--data", path], 1);
    assert!(said.contains(path), "{said}");
    let data = "{\n  \"version\": 1,\n  \"kyes\": []\n}";
    for option in ["--data", "--save"] {
        fs::write(&file, data).unwrap();
        let said = refused(&[option, path], 1);
        assert!(
            said.contains(&format!("{path}:3:")) && said.contains("kyes"),
            "{said}"
        );
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            data,
            "the file is left as it is"
        );
    }
    let nowhere = folder.path().join("nowhere/state.json");
    let said = refused(&["--save", nowhere.to_str().unwrap()], 1);
    assert!(said.contains("nowhere"), "{said}");

    for usage in [
        &["--listen", "8080"][..],
        &["--latency", "soon"],
        &["--nonsense"],
    ] {
        let said = refused(usage, 2);
        assert!(said.contains(usage[0]), "{said}");
    }
}

#[test]
fn with_nobody_to_tell_where_it_is_it_ends() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = program(&[]).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("standard output"),
        "{}",
        said(&output)
    );
}

/// Requests that are refused, as many as there is time for in a moment.
fn ask(address: &str, times: usize) {
    let mut connection = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_secs(60));
    connection.set_read_timeout(patience).unwrap();
    let mut answers = BufReader::new(connection.try_clone().unwrap());
    for _ in 0..times {
        connection
            .write_all(b"GET /?Action=GetRepo HTTP/1.1\r\nHost: local\r\n\r\n")
            .unwrap();
        let mut length = None;
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            assert!(answers.read_line(&mut line).unwrap() > 0, "no answer");
            let value = line
                .to_lowercase()
                .strip_prefix("content-length: ")
                .map(str::to_owned);
            length = length.or(value.and_then(|value| value.trim().parse().ok()));
        }
        let mut body = vec![0; length.unwrap()];
        answers.read_exact(&mut body).unwrap();
    }
}

#[tokio::test]
async fn it_serves_and_stops_whoever_reads_its_lines() {
    // Nobody any more: the pipe is broken.
    let mut server = Server::start(&[]);
    drop(server.process.stderr.take());
    ask(server.address(), 10);
    server.signal("-TERM");
    assert_eq!(server.end().status.code(), Some(0));

    // Nobody yet: the pipe is full after a thousand lines or two.
    let mut server = Server::start(&[]);
    let _unread = server.process.stderr.take();
    ask(server.address(), 5_000);
    server.signal("-TERM");
    assert_eq!(server.end().status.code(), Some(0));

    // The same, and it has something to complain of.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let mut server = Server::start(&["--save", file.to_str().unwrap()]);
    let _unread = server.process.stderr.take();
    ask(server.address(), 5_000);
    folder.close().unwrap();
    let client = server.client();
    for name in ["one", "two"] {
        client.create_repo(name).send().await.unwrap();
        // Until it has tried to save.
        sleep(Duration::from_millis(300));
    }
    server.signal("-TERM");
    assert_eq!(server.end().status.code(), Some(1));
}

#[test]
fn the_command_becomes_that_program_with_the_same_arguments() {
    let xtask = |cargo: &Path, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .env("CARGO", cargo)
            .arg("local")
            .args(arguments)
            .output()
            .unwrap()
    };
    // What prints its arguments stands in for cargo.
    let output = xtask(Path::new("echo"), &["--quiet", "--listen", "127.0.0.1:0"]);
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(
        line.starts_with("run --quiet --features local --bin local-uhub "),
        "{line}"
    );
    assert!(
        line.ends_with(" -- --quiet --listen 127.0.0.1:0\n"),
        "{line}"
    );

    // Mistakes and questions need no build.
    let output = xtask(Path::new("echo"), &["--listen", "8080"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    let help = String::from_utf8(xtask(Path::new("echo"), &["--help"]).stdout).unwrap();
    let same = program(&["--help"]).output().unwrap();
    assert_eq!(String::from_utf8(same.stdout).unwrap(), help);
    assert!(help.contains("    cargo doc --package uhub-sdk "), "{help}");
    assert!(
        help.contains("--allow-remote") && help.contains("--save <FILE>"),
        "{help}"
    );

    let output = xtask(Path::new("/nowhere/cargo"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("/nowhere/cargo"),
        "{}",
        said(&output)
    );
}

//! A minimal HTTP client on a socket, so that nothing between a test and the server repairs,
//! retries or hides anything. It has its own implementation of signatures.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use sha1::{Digest, Sha1};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use uhub_local::{Image, LocalUhub, Repository};

pub(crate) const MIB: usize = 1024 * 1024;

pub(crate) type Pairs<'a> = &'a [(&'a str, &'a str)];

/// One connection to a server, and the bytes received on it.
pub(crate) struct Connection {
    pub(crate) tcp: TcpStream,
    pub(crate) received: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Whether the body has its announced length.
    pub(crate) complete: bool,
}

impl Connection {
    pub(crate) async fn open(uhub: &LocalUhub) -> Self {
        Self::to(address(uhub)).await
    }

    pub(crate) async fn to(address: &str) -> Self {
        Self { tcp: TcpStream::connect(address).await.unwrap(), received: Vec::new() }
    }

    pub(crate) async fn send(&mut self, request: impl AsRef<[u8]>) {
        self.tcp.write_all(request.as_ref()).await.unwrap();
    }

    /// The next response. `None` if the connection closes without a byte.
    pub(crate) async fn receive(&mut self) -> Option<Response> {
        timeout(Duration::from_secs(20), self.read_response())
            .await
            .expect("no response, and the connection stays open")
    }

    /// The next response, which must come.
    pub(crate) async fn expect(&mut self) -> Response {
        self.receive().await.expect("the connection closed without a response")
    }

    async fn read_response(&mut self) -> Option<Response> {
        let end = loop {
            if let Some(at) = find(&self.received, b"\r\n\r\n") {
                break at + 4;
            }
            if !self.read_some().await {
                assert!(self.received.is_empty(), "half a head: {:?}", self.received);
                return None;
            }
        };
        let head = String::from_utf8(self.received.drain(..end).collect()).unwrap();
        let mut response = Response {
            status: head[9..12].parse().unwrap(),
            head,
            body: Vec::new(),
            complete: true,
        };
        if response.header("transfer-encoding") == Some("chunked") {
            loop {
                let Some(line) = self.take_line().await else {
                    response.complete = false;
                    break;
                };
                let length = usize::from_str_radix(&line, 16).unwrap();
                response.complete = self.take(length, &mut response.body).await;
                response.complete &= self.take_line().await.is_some();
                if length == 0 || !response.complete {
                    break;
                }
            }
        } else if let Some(length) = response.header("content-length") {
            let length = length.parse().unwrap();
            response.complete = self.take(length, &mut response.body).await;
        }
        Some(response)
    }

    async fn take_line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = find(&self.received, b"\r\n") {
                let line: Vec<u8> = self.received.drain(..at + 2).collect();
                return Some(String::from_utf8(line).unwrap().trim_end().to_owned());
            }
            if !self.read_some().await {
                return None;
            }
        }
    }

    /// Moves bytes into the body. Returns whether all of them came.
    async fn take(&mut self, mut length: usize, body: &mut Vec<u8>) -> bool {
        loop {
            let now = length.min(self.received.len());
            body.extend_from_slice(&self.received[..now]);
            self.received.drain(..now);
            length -= now;
            if length == 0 {
                return true;
            }
            if !self.read_some().await {
                return false;
            }
        }
    }

    pub(crate) async fn read_some(&mut self) -> bool {
        // A reset counts as the end, too.
        self.tcp.read_buf(&mut self.received).await.is_ok_and(|read| read > 0)
    }

    /// Whether the server closes the connection without more bytes.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.receive().await.is_none()
    }

    pub(crate) async fn stays_silent(&mut self) -> bool {
        timeout(Duration::from_millis(300), self.read_some()).await.is_err()
    }
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (each, value) = line.split_once(':')?;
            each.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn ret_code(&self) -> i64 {
        self.json()["RetCode"].as_i64().unwrap()
    }
}

pub(crate) fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

pub(crate) fn address(uhub: &LocalUhub) -> &str {
    uhub.base_url().strip_prefix("http://").and_then(|rest| rest.strip_suffix('/')).unwrap()
}

pub(crate) async fn ask(uhub: &LocalUhub, request: impl AsRef<[u8]>) -> Response {
    let mut connection = Connection::open(uhub).await;
    connection.send(request).await;
    connection.expect().await
}

pub(crate) fn sign(parameters: Pairs<'_>, private_key: &str) -> String {
    let mut sorted = parameters.to_vec();
    sorted.sort_unstable();
    let text: String = sorted.iter().map(|(name, value)| format!("{name}{value}")).collect();
    let hash = Sha1::digest(text + private_key);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The parameters with the public key and the signature of the server's first user.
pub(crate) fn signed(uhub: &LocalUhub, parameters: Pairs<'_>) -> String {
    signed_with(uhub.public_key(), uhub.private_key(), parameters)
}

pub(crate) fn signed_with(public_key: &str, private_key: &str, parameters: Pairs<'_>) -> String {
    let mut all = parameters.to_vec();
    all.push(("PublicKey", public_key));
    let signature = sign(&all, private_key);
    all.push(("Signature", &signature));
    form(&all)
}

pub(crate) fn form(parameters: Pairs<'_>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

pub(crate) fn get(query: &str) -> String {
    format!("GET /?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

pub(crate) fn post(content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

pub(crate) fn post_form(body: &str) -> String {
    post("application/x-www-form-urlencoded", body)
}

pub(crate) fn post_json(body: &Value) -> String {
    post("application/json", &body.to_string())
}

/// A server with this many images in the repository `base`.
pub(crate) async fn with_images(count: usize) -> LocalUhub {
    let images = (0..count).map(|number| Image::new(format!("image-{number}")));
    let repository = Repository::new("base").images(images);
    LocalUhub::builder().repository(repository).start().await.unwrap()
}

pub(crate) const LIST: Pairs<'static> = &[("Action", "GetRepoImage"), ("RepoName", "base")];

/// The response to an action, signed by the server's first user.
pub(crate) async fn act(uhub: &LocalUhub, action: &str, parameters: Pairs<'_>) -> Value {
    let all = [&[("Action", action)], parameters].concat();
    let response = ask(uhub, post_form(&signed(uhub, &all))).await;
    assert_eq!(response.status, 200);
    let body = response.json();
    assert_eq!(body["Action"], format!("{action}Response"));
    body
}

/// One field of every item of a list.
pub(crate) fn column<'a>(body: &'a Value, set: &str, field: &str) -> Vec<&'a str> {
    body[set]
        .as_array()
        .unwrap_or_else(|| panic!("{body}"))
        .iter()
        .map(|item| item[field].as_str().unwrap_or_else(|| panic!("{item}")))
        .collect()
}

/// Waits until the condition holds, far longer than it should take.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = timeout(Duration::from_secs(20), waiting).await;
    assert!(waited.is_ok(), "it takes too long: {what}");
}

/// A server in a process of its own, an ignored test. Dropping this ends it.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
}

impl Process {
    /// Runs a test that prints its server's address, with an environment variable.
    pub(crate) fn start(test: &str, variable: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .env(variable, value)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .map_while(Result::ok)
            .find(|line| line.starts_with("127.0.0.1:"))
            .expect("the process prints its address");
        Self { child, address }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

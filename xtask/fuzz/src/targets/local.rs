//! The local server reads the bytes of a connection.
//!
//! In an input, `@(A=1&B=2)` stands for these parameters with a public key and a signature, and
//! `@LENGTH` for the length of what follows the first empty line. A line ends with `\n` in an input
//! and with `\r\n` on the connection, except after a first line `raw`.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use sha1::{Digest, Sha1};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use uhub_sdk::local::{Data, LocalUhub};

use crate::targets::{Check, shape};

/// The time that the server has for an input: a fault may delay its response.
const PATIENCE: Duration = Duration::from_millis(200);

/// The time for a request that no fault delays.
const LONG: Duration = Duration::from_secs(15);

/// A fault may send an endless body.
const MAX_RECEIVED: usize = 256 * 1024;

pub(crate) struct Requests {
    runtime: Runtime,
    server: LocalUhub,
    before: Data,
}

impl Requests {
    pub(crate) fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let (server, before) = runtime.block_on(serve());
        Self { runtime, server, before }
    }
}

async fn serve() -> (LocalUhub, Data) {
    let builder = LocalUhub::builder().data(Data::demo());
    let builder = builder.metadata_role("backup", Duration::from_secs(3600));
    let server = builder.start().await.expect("the server starts");
    let data = server.data();
    (server, data)
}

impl Check for Requests {
    fn check(&mut self, input: &[u8]) -> Result<String, String> {
        let bytes = prepare(input, &self.server);
        let Self { runtime, server, before } = self;
        runtime.block_on(async {
            let received =
                send(server, &bytes).await.map_err(|error| format!("no connection: {error}"))?;
            let requests = server.requests();
            let text = String::from_utf8_lossy(&received);
            let data = server.data();
            if data != *before {
                let is_control = text.contains("HTTP/1.1 200") && find(input, b"_local/data");
                if !is_control && !requests.iter().any(|request| request.executed) {
                    return Err(format!("a refused request changed the data: {requests:?}"));
                }
                if let Err(error) = server.set_data(before.clone()) {
                    return Err(format!("the initial data is refused: {error}"));
                }
            }
            let logged = format!("{requests:?}");
            if logged.contains(server.private_key()) {
                return Err("the log shows a private key".to_owned());
            }
            server.clear_faults();
            server.set_clock_offset(0);
            if let Err(error) = is_healthy(server).await {
                // The input may have closed the port.
                if !find(input, b"_local/unavailable") {
                    return Err(error);
                }
                (*server, *before) = serve().await;
            }
            let statuses: Vec<&str> =
                text.split("HTTP/1.1 ").skip(1).map(|each| each.get(..3).unwrap_or("")).collect();
            let codes: Vec<_> = requests
                .iter()
                .map(|each| (each.action.as_deref().map(known), each.ret_code))
                .collect();
            let messages: Vec<String> = text
                .split(['{', '\n'])
                .filter(|part| part.contains("\"error\"") || part.contains("\"Message\""))
                .map(|part| shape(&part.replace('"', "'")))
                .collect();
            Ok(format!("{statuses:?} {codes:?} {messages:?}"))
        })
    }
}

/// A documented action, or one word for all others.
fn known(action: &str) -> &str {
    let is_known =
        ["Get", "Create", "Delete", "Update"].iter().any(|verb| action.starts_with(verb));
    if is_known && action.len() < 16 { action } else { "other" }
}

/// Sends the bytes, and returns what the server sends until it closes the connection.
async fn send(server: &LocalUhub, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut tcp = TcpStream::connect(address(server)).await?;
    // Used ports are free at once.
    tcp.set_zero_linger()?;
    let mut received = Vec::new();
    let exchange = async {
        let (mut reader, mut writer) = tcp.split();
        let writing = async {
            // The server may have closed the connection.
            let _ = writer.write_all(bytes).await;
            let _ = writer.shutdown().await;
        };
        let reading = async {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut part).await {
                received.extend_from_slice(&part[..length]);
                if received.len() > MAX_RECEIVED {
                    break;
                }
            }
        };
        tokio::join!(writing, reading);
    };
    let _ = timeout(PATIENCE, exchange).await;
    Ok(received)
}

/// Clears the log, and lists repositories.
async fn is_healthy(server: &LocalUhub) -> Result<(), String> {
    let clear = "DELETE /_local/requests HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    let form = signed("Action=GetRepo", server);
    let list = format!("GET /?{form} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let exchange = async {
        let mut tcp = TcpStream::connect(address(server)).await?;
        tcp.set_zero_linger()?;
        tcp.write_all(format!("{clear}{list}").as_bytes()).await?;
        let mut received = Vec::new();
        tcp.read_to_end(&mut received).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&received).into_owned())
    };
    match timeout(LONG, exchange).await {
        Ok(Ok(text))
            if text.matches("HTTP/1.1 200").count() == 2 && text.contains("\"RetCode\":0") =>
        {
            Ok(())
        }
        Ok(Ok(text)) => Err(format!("the server responds otherwise after it: {text}")),
        Ok(Err(error)) => Err(format!("the server fails after it: {error}")),
        Err(_) => Err("the server does not respond after it".to_owned()),
    }
}

fn address(server: &LocalUhub) -> &str {
    server.base_url().trim_start_matches("http://").trim_end_matches('/')
}

/// Fills in the placeholders and ends the lines.
fn prepare(input: &[u8], server: &LocalUhub) -> Vec<u8> {
    let input = match input.strip_prefix(b"raw\n") {
        Some(raw) => raw.to_vec(),
        None => {
            let mut lines = Vec::new();
            for &byte in input {
                if byte == b'\n' && lines.last() != Some(&b'\r') {
                    lines.push(b'\r');
                }
                lines.push(byte);
            }
            lines
        }
    };
    let mut filled = Vec::new();
    let mut rest = &input[..];
    while let Some(at) = rest.windows(2).position(|window| window == b"@(") {
        filled.extend_from_slice(&rest[..at]);
        rest = &rest[at + 2..];
        let end = rest.iter().position(|&byte| byte == b')').unwrap_or(rest.len());
        filled.extend(signed(&String::from_utf8_lossy(&rest[..end]), server).bytes());
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    filled.extend_from_slice(rest);
    let placeholder = b"@LENGTH";
    let length = filled.windows(placeholder.len()).position(|window| window == placeholder);
    if let Some(at) = length {
        let head = filled.windows(4).position(|window| window == b"\r\n\r\n");
        let length = head.map_or(0, |head| filled.len() - head - 4);
        filled.splice(at..at + placeholder.len(), length.to_string().into_bytes());
    }
    filled
}

/// A form with the public key and the signature of the server's first user.
fn signed(form: &str, server: &LocalUhub) -> String {
    let form = format!("{form}&PublicKey={}", server.public_key());
    let mut sorted = std::collections::BTreeMap::new();
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text).decode_utf8_lossy().into_owned()
        };
        sorted.insert(decoded(name), decoded(value));
    }
    let text: String = sorted.into_iter().flat_map(|(name, value)| [name, value]).collect();
    let hash = Sha1::digest(text + server.private_key());
    let signature: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{form}&Signature={signature}")
}

fn find(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}

//! The client reads a response, through its public API.
//!
//! In an input, `$REQUEST` stands for the body that the client sent, as a proxy echoes it, and
//! `$SIGNATURE`, `$TOKEN`, `$PUBLIC` and `$PRIVATE` for the secrets in it.

use std::fmt::Write as _;
use std::{io, sync::Arc, sync::Mutex, sync::MutexGuard, sync::PoisonError};

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use uhub_sdk::{
    BoxFuture, Client, Credentials, RetryPolicy, Transport, TransportError, Visibility,
};

use crate::targets::{Check, secrets, shape};

const PUBLIC_KEY: &str = "pUbLiC-kEy@example.com/1296235120854146120";
const PRIVATE_KEY: &str = "pRiVaTe+kEy/46f09bb9fab4f12dfc16";
const TOKEN: &str = "t0KeN+of/the-session=1234567890/abcdef";

/// The number of pages after which the canned service breaks off.
const MAX_PAGES: usize = 20;

/// Responds with the same bytes to every request.
#[derive(Debug, Default)]
struct Canned(Mutex<Exchange>);

#[derive(Debug, Default, Clone)]
struct Exchange {
    status: u16,
    body: Vec<u8>,
    /// How many requests were sent.
    requests: usize,
    /// The signature of the last request.
    signature: String,
    /// The body of the last response, with the placeholders filled in.
    response: Bytes,
}

impl Canned {
    fn exchange(&self) -> MutexGuard<'_, Exchange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Canned {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        let mut exchange = self.exchange();
        exchange.requests += 1;
        if exchange.requests > MAX_PAGES {
            let error = TransportError::not_connected("there are no more pages.");
            return Box::pin(async { Err(error.permanent()) });
        }
        let form = String::from_utf8_lossy(request.body());
        let signature = form.split('&').find_map(|pair| pair.strip_prefix("Signature="));
        let signature = signature.unwrap_or_default().to_owned();
        exchange.response = fill(&exchange.body, &form, &signature);
        exchange.signature = signature;
        let mut response = http::Response::new(exchange.response.clone());
        *response.status_mut() = http::StatusCode::from_u16(exchange.status).unwrap_or_default();
        response
            .headers_mut()
            .insert("x-ucloud-request-uuid", http::HeaderValue::from_static("a-request"));
        Box::pin(async { Ok(response) })
    }
}

/// Fills in the placeholders.
fn fill(body: &[u8], form: &str, signature: &str) -> Bytes {
    if !body.contains(&b'$') {
        return Bytes::copy_from_slice(body);
    }
    // Unknown bytes are kept: the placeholders are ASCII.
    let mut filled = body.to_vec();
    let escaped = utf8_percent_encode(form, NON_ALPHANUMERIC).to_string();
    for (placeholder, value) in [
        ("$REQUEST_ESCAPED", escaped.as_str()),
        ("$REQUEST", form),
        ("$SIGNATURE", signature),
        ("$TOKEN", TOKEN),
        ("$PUBLIC", PUBLIC_KEY),
        ("$PRIVATE", PRIVATE_KEY),
    ] {
        let mut from = 0;
        while let Some(at) = find(&filled[from..], placeholder.as_bytes()) {
            let at = from + at;
            filled.splice(at..at + placeholder.len(), value.bytes());
            from = at + value.len();
        }
    }
    filled.into()
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// What the client logs.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl io::Write for Logged {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) struct Responses {
    runtime: Runtime,
    logged: Logged,
}

impl Responses {
    pub(crate) fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let logged = Logged::default();
        let writer = logged.clone();
        let _ = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .try_init();
        Self { runtime: runtime.expect("a runtime starts"), logged }
    }
}

impl Check for Responses {
    fn check(&mut self, input: &[u8]) -> Result<String, String> {
        // Anew for each input: a client gives a warning once.
        let session = Session::new();
        let mut outcome = String::new();
        for status in [200, 502] {
            macro_rules! call {
                ($name:literal, |$client:ident| $call:expr) => {{
                    session.respond_with(status, input);
                    let $client = &session.client;
                    let result = self.runtime.block_on($call);
                    session.judge($name, result.map(drop).as_ref().err(), &mut outcome)?;
                }};
            }
            call!("GetRepoImage", |client| client.get_repo_image("base").send());
            call!("untyped", |client| client.action("DescribeNews").send::<Value>());
            if status == 502 {
                continue;
            }
            call!("GetRepo", |client| client.get_repo(Visibility::Private).send());
            call!("GetImageTag", |client| client.get_image_tag("base", "nginx").send());
            call!("GetProjectList", |client| client.get_project_list().send());
            call!("CreateRepo", |client| client.create_repo("base").send());
            call!("DeleteRepoImage", |client| client.delete_repo_image("a", "b", "1").send());
            session.respond_with(status, input);
            let (count, result) = self.runtime.block_on(list(&session.client));
            let size = session.canned.exchange().response.len();
            if count > MAX_PAGES * size {
                return Err(format!("{count} items from {MAX_PAGES} pages of {size} bytes"));
            }
            session.judge("items", result.as_ref().err(), &mut outcome)?;
        }
        let signature = session.canned.exchange().signature.clone();
        let mut logged = self.logged.0.lock().unwrap_or_else(PoisonError::into_inner);
        let logged = std::mem::take(&mut *logged);
        let text = String::from_utf8_lossy(&logged);
        match secrets::find(&text, &[PRIVATE_KEY, TOKEN, &signature]) {
            Some(secret) => Err(format!("a secret is logged\n{secret}\n{text}")),
            None => Ok(outcome),
        }
    }
}

/// Lists images until an error, and counts them.
async fn list(client: &Client) -> (usize, Result<(), uhub_sdk::Error>) {
    let mut items = client.get_repo_image("base").items();
    let mut count = 0;
    while let Some(item) = items.next().await {
        match item {
            Ok(_) => count += 1,
            Err(error) => return (count, Err(error)),
        }
    }
    (count, Ok(()))
}

struct Session {
    canned: Arc<Canned>,
    client: Client,
}

impl Session {
    fn new() -> Self {
        let canned = Arc::new(Canned::default());
        let client = Client::builder()
            .credentials(Credentials::new(PUBLIC_KEY, PRIVATE_KEY).with_security_token(TOKEN))
            .transport(Arc::clone(&canned))
            .retry(RetryPolicy::disabled())
            .build()
            .expect("the settings are valid");
        Self { canned, client }
    }

    /// Sets the response to the next requests.
    fn respond_with(&self, status: u16, body: &[u8]) {
        *self.canned.exchange() = Exchange { status, body: body.to_vec(), ..Exchange::default() };
    }

    fn judge(
        &self,
        call: &str,
        error: Option<&uhub_sdk::Error>,
        outcome: &mut String,
    ) -> Result<(), String> {
        let Exchange { signature, response, .. } = self.canned.exchange().clone();
        match error {
            None => {
                if let Err(reason) = is_success(&response) {
                    return Err(format!("{call} succeeds, but {reason}"));
                }
                let _ = write!(outcome, "{call} ok;");
            }
            Some(error) => {
                let text = secrets::full_text(error);
                let secret = secrets::find(&text, &[PRIVATE_KEY, TOKEN, PUBLIC_KEY, &signature]);
                if let Some(secret) = secret {
                    return Err(format!("a secret is in the error of {call}\n{secret}\n{text}"));
                }
                let message: String = shape(&error.to_string()).chars().take(60).collect();
                let _ = write!(outcome, "{call} {:?} {message};", error.kind());
            }
        }
        Ok(())
    }
}

/// Whether a body is a JSON object whose only return code is 0.
fn is_success(body: &[u8]) -> Result<(), &'static str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let Ok(ReturnCodes(codes)) = serde_json::from_slice(body) else {
        return Err("the body is not a JSON object");
    };
    let is_zero = |code: &Value| match code {
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.trim().parse::<f64>() == Ok(0.0),
        _ => false,
    };
    match codes.is_empty() {
        true => Err("there is no RetCode"),
        false if codes.iter().all(is_zero) => Ok(()),
        false => Err("a RetCode is not 0"),
    }
}

/// Every `RetCode` of an object.
struct ReturnCodes(Vec<Value>);

impl<'de> Deserialize<'de> for ReturnCodes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Codes;

        impl<'de> Visitor<'de> for Codes {
            type Value = ReturnCodes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ReturnCodes, A::Error> {
                let mut codes = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "RetCode" => codes.push(map.next_value()?),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(ReturnCodes(codes))
            }
        }

        deserializer.deserialize_map(Codes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_return_code_zero_is_success() {
        for body in
            [r#"{"RetCode": 0}"#, r#"{"RetCode": "0", "A": [1e999]}"#, "\u{feff}{\"RetCode\":0.0}"]
        {
            assert_eq!(is_success(body.as_bytes()), Ok(()), "{body}");
        }
        for body in [
            "",
            "[]",
            "{}",
            r#"{"RetCode": 171}"#,
            r#"{"RetCode": 171, "RetCode": 0}"#,
            r#"{"RetCode": {"code": 171}, "RetCode": 0}"#,
            r#"{"RetCode": null}"#,
            r#"{"RetCode": 0} x"#,
        ] {
            assert!(is_success(body.as_bytes()).is_err(), "{body}");
        }
    }
}

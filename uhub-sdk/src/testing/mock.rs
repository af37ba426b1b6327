//! A transport that responds by rules.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::{
    action::Action,
    config::builder::ClientBuilder,
    credentials::key_pair::Credentials,
    exchange::retry::RetryPolicy,
    ret_code::RetCode,
    transport::{BoxFuture, Transport, TransportError},
    wire::decode::Model,
};

/// A [`Transport`] that responds by rules, without a network, and records the requests.
///
/// Each rule is a response to an action. The rules of an action are used in order, one for each
/// attempt; the last one also responds to all later attempts. An attempt without a rule fails with
/// an error that names the action.
///
/// Clones share their rules and records: keep one for [`requests`](Self::requests).
#[derive(Clone, Default)]
pub struct MockTransport(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    requests: Vec<MockRequest>,
}

struct Rule {
    action: Cow<'static, str>,
    respond: Responder,
    is_used: bool,
}

type Responder = Arc<dyn Fn(&MockRequest) -> MockResponse + Send + Sync>;

impl MockTransport {
    /// Creates a transport without rules.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a response to the action of this request.
    #[must_use]
    pub fn on<R: Action>(self, response: MockResponse) -> Self {
        self.on_action(R::NAME, response)
    }

    /// Adds a response to an action by its documented name, for untyped calls.
    #[must_use]
    pub fn on_action(self, action: impl Into<Cow<'static, str>>, response: MockResponse) -> Self {
        self.add(action.into(), Arc::new(move |_| response.clone()))
    }

    /// Adds a function that responds to the action of this request, for example with the page at the
    /// requested offset.
    ///
    /// # Examples
    ///
    /// ```
    /// # use uhub_sdk::Action;
    /// # fn example<R: Action<Response: Default + serde::Serialize>>() {
    /// use uhub_sdk::testing::{MockResponse, MockTransport};
    ///
    /// let mock = MockTransport::new().on_each::<R>(|request| match request.parameter("Offset") {
    ///     None | Some("0") => MockResponse::success(&R::Response::default()),
    ///     _ => MockResponse::refusal(64_001, "no such page"),
    /// });
    /// # }
    /// ```
    #[must_use]
    pub fn on_each<R: Action>(
        self,
        respond: impl Fn(&MockRequest) -> MockResponse + Send + Sync + 'static,
    ) -> Self {
        self.add(R::NAME.into(), Arc::new(respond))
    }

    /// Returns the requests so far, one for each attempt, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<MockRequest> {
        self.state().requests.clone()
    }

    fn add(self, action: Cow<'static, str>, respond: Responder) -> Self {
        self.state().rules.push(Rule { action, respond, is_used: false });
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn respond(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let request = MockRequest::read(request);
        let respond = {
            let mut state = self.state();
            state.requests.push(request.clone());
            let mut rules =
                state.rules.iter_mut().filter(|rule| rule.action == request.action).peekable();
            loop {
                let Some(rule) = rules.next() else {
                    let message = format!("the mock has no response to `{}`.", request.action);
                    return Err(TransportError::not_connected(message).permanent());
                };
                if !rule.is_used || rules.peek().is_none() {
                    rule.is_used = true;
                    break Arc::clone(&rule.respond);
                }
            }
        };
        // Not under the lock: the rule may ask for the requests so far.
        (respond(&request).0)()
    }
}

impl Transport for MockTransport {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move { self.respond(&request) })
    }
}

impl fmt::Debug for MockTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        let actions: Vec<&str> = state.rules.iter().map(|rule| rule.action.as_ref()).collect();
        f.debug_struct("MockTransport").field("actions", &actions).finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Creates a builder of a client that uses a mock, with credentials for tests. Failed calls are
    /// retried as usual, but without delay.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::StatusCode;
    /// use serde_json::Value;
    /// use uhub_sdk::{
    ///     ClientBuilder, Execution, TransportError,
    ///     testing::{MockResponse, MockTransport},
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), uhub_sdk::Error> {
    /// let lost = MockResponse::failure(|| TransportError::timed_out("too slow."));
    /// let success = MockResponse::http(StatusCode::OK, r#"{"RetCode": 0}"#);
    /// let mock = MockTransport::new()
    ///     .on_action("CreateSomething", lost)
    ///     .on_action("CreateSomething", success);
    /// let client = ClientBuilder::for_mock(&mock).build()?;
    ///
    /// let error = client.action("CreateSomething").send::<Value>().await.unwrap_err();
    /// assert_eq!(error.execution(), Execution::Unknown);
    /// client.action("CreateSomething").send::<Value>().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_mock(mock: &MockTransport) -> Self {
        Self::default()
            .credentials(Credentials::new("mock-public-key", "mock-private-key"))
            .retry(RetryPolicy::default().with_base_delay(Duration::ZERO))
            .transport(mock.clone())
    }
}

/// A request that a [`MockTransport`] received.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MockRequest {
    /// The documented name of the action.
    pub action: String,
    /// The other parameters as they were sent, sorted by name, without those that sign the call.
    pub parameters: Vec<(String, String)>,
}

impl MockRequest {
    /// Returns the value of a parameter, by its documented name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }

    fn read(request: &Request<Bytes>) -> Self {
        let form = |bytes: &[u8]| form_urlencoded::parse(bytes).into_owned().collect::<Vec<_>>();
        let mut parameters = if *request.method() == Method::GET {
            form(request.uri().query().unwrap_or_default().as_bytes())
        } else {
            match serde_json::from_slice::<Map<String, Value>>(request.body()) {
                Ok(fields) => fields
                    .into_iter()
                    .map(|(name, value)| match value {
                        Value::String(text) => (name, text),
                        value => (name, value.to_string()),
                    })
                    .collect(),
                Err(_) => form(request.body()),
            }
        };
        parameters.sort();
        let mut action = String::new();
        parameters.retain_mut(|(name, value)| match name.as_str() {
            "Action" => {
                action = std::mem::take(value);
                false
            }
            name => !["PublicKey", "SecurityToken", "Signature"].contains(&name),
        });
        Self { action, parameters }
    }
}

/// A response of a [`MockTransport`].
#[derive(Clone)]
pub struct MockResponse(Arc<dyn Fn() -> Result<Response<Bytes>, TransportError> + Send + Sync>);

impl MockResponse {
    /// Creates a success with this response.
    ///
    /// # Panics
    ///
    /// If the response cannot be written as JSON, which those of this crate can.
    #[must_use]
    pub fn success<M: Model + Serialize>(response: &M) -> Self {
        Self::http(StatusCode::OK, envelope(response))
    }

    /// Creates a refusal with this return code and message.
    #[must_use]
    pub fn refusal(ret_code: impl Into<RetCode>, message: impl Into<String>) -> Self {
        let ret_code = ret_code.into().get();
        let body = serde_json::json!({ "RetCode": ret_code, "Message": message.into() });
        Self::http(StatusCode::OK, body.to_string())
    }

    /// Creates a response with this HTTP status and body, such as a gateway's page.
    #[must_use]
    pub fn http(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        Self::from(response)
    }

    /// Creates a failure of the transport, such as [`TransportError::timed_out`].
    #[must_use]
    pub fn failure(error: impl Fn() -> TransportError + Send + Sync + 'static) -> Self {
        Self(Arc::new(move || Err(error())))
    }
}

impl From<Response<Bytes>> for MockResponse {
    fn from(response: Response<Bytes>) -> Self {
        Self(Arc::new(move || Ok(response.clone())))
    }
}

impl fmt::Debug for MockResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MockResponse").field(&(self.0)()).finish()
    }
}

/// Returns the body of a successful response: its fields as JSON in the service's envelope, with
/// `RetCode` 0 and `Action`.
///
/// # Panics
///
/// If the response cannot be written as JSON, which those of this crate can.
///
/// # Examples
///
/// ```
/// # use uhub_sdk::Action;
/// # fn example<R: Action<Response: Default + serde::Serialize>>() {
/// use uhub_sdk::testing::envelope;
///
/// let body = envelope(&R::Response::default());
/// # }
/// ```
#[must_use]
pub fn envelope<M: Model + Serialize>(response: &M) -> Bytes {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(response) else {
        panic!("{} cannot be written as a JSON object", M::NAME);
    };
    fields.insert("RetCode".to_owned(), 0.into());
    fields.insert("Action".to_owned(), M::NAME.into());
    Value::Object(fields).to_string().into()
}

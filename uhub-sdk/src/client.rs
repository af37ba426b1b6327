//! The client, and how it is set up.

use std::{
    collections::HashSet, env, ffi::OsString, fmt, net::IpAddr, sync::Arc, sync::Mutex,
    time::Duration,
};

use http::Uri;
use url::{Host, Url};

use crate::{
    Action, Call, Credentials, Encoding, Error, UntypedCall,
    actions::service::ENDPOINT,
    decode::{Note, Oddity},
    transport::{Settings, Transport},
};

/// A client of UHub.
///
/// It holds a pool of connections and is cheap to clone: make one, and share it. Proxies named in the
/// environment (`HTTPS_PROXY`, `NO_PROXY` and the like) are used, but not for this machine's own
/// addresses. A call is sent once; [`Error::is_repeatable`] says whether to send it again.
///
/// # Panics
///
/// Calls have to be made within a Tokio runtime that has its timers and its I/O enabled, as
/// `#[tokio::main]` and `enable_all` make it. Without a runtime they are an error; within one that has
/// neither, Tokio panics.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> Result<(), uhub_sdk::Error> {
/// let client = uhub_sdk::Client::from_env()?;
/// let page = client.get_repo_image("base").limit(50).send().await?;
/// for image in page.image_set {
///     println!("{}:{}", image.image_name, image.latest_tag);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) credentials: Credentials,
    pub(crate) endpoint: Uri,
    pub(crate) encoding: Encoding,
    /// Sent where a call leaves them out.
    pub(crate) defaults: Vec<(&'static str, String)>,
    pub(crate) attempt_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) transport: Transport,
    /// What has been said already of responses that are not as documented.
    reported: Mutex<HashSet<(&'static str, Note)>>,
}

impl Client {
    /// A client with keys and settings from the environment; [`ClientBuilder::from_env`] has their names.
    ///
    /// # Errors
    ///
    /// What [`ClientBuilder::from_env`] and [`ClientBuilder::build`] say.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build()
    }

    /// A client to be set up.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Makes a call of a request: options can be set on it before it is sent.
    pub fn call<R: Action>(&self, request: R) -> Call<R> {
        Call::new(self.clone(), request)
    }

    /// Begins a call of an action that this crate has no types for.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: uhub_sdk::Client) -> Result<(), uhub_sdk::Error> {
    /// let call = client.action("DescribeSomethingNew").param("Limit", 1);
    /// let answer: serde_json::Value = call.send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn action(&self, name: impl Into<String>) -> UntypedCall {
        UntypedCall::new(self.clone(), name.into())
    }

    /// Sends a request.
    ///
    /// # Errors
    ///
    /// Whatever kept the service from doing what was asked, or its answer from being understood.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: uhub_sdk::Client) -> Result<(), uhub_sdk::Error> {
    /// use uhub_sdk::actions::get_repo_image::GetRepoImageRequest;
    ///
    /// let request = GetRepoImageRequest::new("base").limit(50);
    /// let page = client.send(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send<R: Action>(&self, request: R) -> Result<R::Response, Error> {
        self.call(request).send().await
    }
}

impl Inner {
    /// Says once what a response had that the documentation has otherwise.
    pub(crate) fn report(&self, action: &'static str, notes: Vec<Note>) {
        for note in notes {
            let Ok(mut reported) = self.reported.lock() else {
                return;
            };
            if !reported.insert((action, note)) {
                continue;
            }
            drop(reported);
            let Note { model, field, what } = note;
            match what {
                Oddity::Missing => {
                    tracing::warn!(
                        action,
                        model,
                        field,
                        "a required field is missing from a response: it is empty here"
                    );
                }
                Oddity::Coerced { from, to } => {
                    tracing::debug!(
                        action,
                        model,
                        field,
                        from,
                        to,
                        "a field came as another type than documented"
                    );
                }
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            endpoint,
            encoding,
            attempt_timeout,
            timeout,
            ..
        } = &*self.0;
        f.debug_struct("Client")
            .field("base_url", &endpoint.to_string())
            .field("encoding", encoding)
            .field("attempt_timeout", attempt_timeout)
            .field("timeout", timeout)
            .finish_non_exhaustive()
    }
}

/// Sets up a [`Client`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use uhub_sdk::{Client, Credentials};
///
/// let client = Client::builder()
///     .credentials(Credentials::new("my-public-key", "my-private-key"))
///     .project_id("org-abc123")
///     .timeout(Duration::from_secs(20))
///     .build()?;
/// # Ok::<(), uhub_sdk::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    credentials: Option<Credentials>,
    project_id: Option<String>,
    base_url: String,
    encoding: Encoding,
    connect_timeout: Duration,
    attempt_timeout: Duration,
    timeout: Duration,
    max_response_size: usize,
    allows_plain_http: bool,
}

/// Neither keys nor a base URL that is refused: there may be a password in it.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base_url = match check_base_url(&self.base_url, true) {
            Ok(_) => self.base_url.as_str(),
            Err(_) => "[refused]",
        };
        f.debug_struct("ClientBuilder")
            .field("base_url", &base_url)
            .field("project_id", &self.project_id)
            .field("encoding", &self.encoding)
            .field("connect_timeout", &self.connect_timeout)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("timeout", &self.timeout)
            .field("max_response_size", &self.max_response_size)
            .field("allows_plain_http", &self.allows_plain_http)
            .finish_non_exhaustive()
    }
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            credentials: None,
            project_id: None,
            base_url: ENDPOINT.to_owned(),
            encoding: Encoding::default(),
            connect_timeout: Duration::from_secs(5),
            // The service's own gateway gives up after 60 seconds.
            attempt_timeout: Duration::from_secs(65),
            timeout: Duration::from_secs(120),
            max_response_size: 16 * 1024 * 1024,
            allows_plain_http: false,
        }
    }
}

impl ClientBuilder {
    /// Keys and settings from the environment:
    ///
    /// | variable | setting |
    /// | --- | --- |
    /// | `UCLOUD_PUBLIC_KEY`, `UCLOUD_PRIVATE_KEY` | [`credentials`](Self::credentials) |
    /// | `UCLOUD_PROJECT_ID` | [`project_id`](Self::project_id) |
    /// | `UCLOUD_API_BASE_URL` | [`base_url`](Self::base_url) |
    ///
    /// A variable that is not set leaves its setting as it is. What is set on the builder
    /// afterwards takes its place.
    ///
    /// # Errors
    ///
    /// Of kind [`Configuration`](crate::ErrorKind::Configuration): one key of the two is missing, or
    /// a variable is empty or not valid UTF-8.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| env::var_os(name))
    }

    fn from_variables(read: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let mut wrong = Vec::new();
        let mut get = |name: &str| match read(name)?.into_string() {
            Ok(value) if value.is_empty() => {
                wrong.push(format!(
                    "{name} is set and empty: give it a value, or unset it."
                ));
                None
            }
            Ok(value) => Some(value),
            Err(_) => {
                wrong.push(format!("{name} is not valid UTF-8."));
                None
            }
        };
        let mut builder = Self::default();
        let (public, private) = (get("UCLOUD_PUBLIC_KEY"), get("UCLOUD_PRIVATE_KEY"));
        builder.project_id = get("UCLOUD_PROJECT_ID");
        if let Some(base_url) = get("UCLOUD_API_BASE_URL") {
            builder.base_url = base_url;
        }
        match (public, private) {
            (Some(public), Some(private)) => {
                builder.credentials = Some(Credentials::new(public, private));
            }
            (None, Some(_)) if wrong.is_empty() => {
                wrong.push("UCLOUD_PRIVATE_KEY is set and UCLOUD_PUBLIC_KEY is not.".to_owned());
            }
            (Some(_), None) if wrong.is_empty() => {
                wrong.push("UCLOUD_PUBLIC_KEY is set and UCLOUD_PRIVATE_KEY is not.".to_owned());
            }
            _ => {}
        }
        if wrong.is_empty() {
            Ok(builder)
        } else {
            Err(Error::configuration(wrong.join(" ")))
        }
    }

    /// The keys that calls are signed with. They are required.
    pub fn credentials(mut self, value: Credentials) -> Self {
        self.credentials = Some(value);
        self
    }

    /// The project of calls that name none. Without it the account's default project is meant; a
    /// sub-account has to name one. Documented as `ProjectId`.
    pub fn project_id(mut self, value: impl Into<String>) -> Self {
        self.project_id = Some(value.into());
        self
    }

    /// Where the service is. Default: `https://api.surfercloud.com/`; UCloud's is
    /// `https://api.ucloud.cn/`.
    pub fn base_url(mut self, value: impl Into<String>) -> Self {
        self.base_url = value.into();
        self
    }

    /// How parameters travel. Default: [`Encoding::Form`].
    pub fn encoding(mut self, value: Encoding) -> Self {
        self.encoding = value;
        self
    }

    /// How long a connection may take to come about, TLS included. Default: 5 seconds.
    pub fn connect_timeout(mut self, value: Duration) -> Self {
        self.connect_timeout = value;
        self
    }

    /// How long one attempt at a call may take, from connecting to the end of the response.
    /// Default: 65 seconds, a little more than the service's own gateway waits.
    pub fn attempt_timeout(mut self, value: Duration) -> Self {
        self.attempt_timeout = value;
        self
    }

    /// How long a call may take in all. Default: 2 minutes. As a call makes one attempt,
    /// [`attempt_timeout`](Self::attempt_timeout) ends it first where that is shorter.
    pub fn timeout(mut self, value: Duration) -> Self {
        self.timeout = value;
        self
    }

    /// How many bytes a response may have. Default: 16 MiB.
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.max_response_size = bytes;
        self
    }

    /// Allows a base URL that is plain HTTP: whoever is on the way can read every call, and replay it.
    ///
    /// This machine's own addresses need no permission. Inside UCloud's own network the service is
    /// `http://api.service.ucloud.cn`, and there is no TLS there.
    pub fn allow_plain_http(mut self) -> Self {
        self.allows_plain_http = true;
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// Of kind [`Configuration`](crate::ErrorKind::Configuration), and all that is wrong at once:
    /// a value is missing, empty or has white space in it, the base URL is not one, or is plain HTTP, or
    /// a timeout is zero; or TLS cannot be set up on this machine.
    pub fn build(self) -> Result<Client, Error> {
        let mut wrong = Vec::new();
        let keys = self.credentials.as_ref();
        if keys.is_none() {
            wrong.push(
                "there are no keys: set UCLOUD_PUBLIC_KEY and UCLOUD_PRIVATE_KEY, or give the builder `credentials`."
                    .to_owned(),
            );
        }
        let token = keys.and_then(|keys| keys.security_token.as_ref());
        for (name, value) in [
            ("public key", keys.map(|keys| keys.public_key.as_str())),
            ("private key", keys.map(|keys| keys.private_key.as_str())),
            ("security token", token.map(|token| token.as_str())),
            ("project id", self.project_id.as_deref()),
        ] {
            wrong.extend(value.and_then(|value| check_value(name, value)));
        }
        let timeouts = [
            ("connect_timeout", self.connect_timeout),
            ("attempt_timeout", self.attempt_timeout),
            ("timeout", self.timeout),
        ];
        for (name, _) in timeouts.iter().filter(|(_, timeout)| timeout.is_zero()) {
            wrong.push(format!("`{name}` is zero, and nothing is done in no time."));
        }
        let endpoint = check_base_url(&self.base_url, self.allows_plain_http);
        let (Some(credentials), Ok((endpoint, is_loopback)), true) =
            (self.credentials, &endpoint, wrong.is_empty())
        else {
            wrong.extend(endpoint.err().into_iter().flatten());
            return Err(Error::configuration(wrong.join(" ")));
        };
        let (endpoint, is_loopback) = (endpoint.clone(), *is_loopback);
        let transport = Transport::new(Settings {
            endpoint: endpoint.clone(),
            // Whoever stops waiting while connecting knows that nothing was sent.
            connect_timeout: self
                .connect_timeout
                .min(self.attempt_timeout)
                .min(self.timeout),
            max_response_size: self.max_response_size,
            is_loopback,
        })?;
        Ok(Client(Arc::new(Inner {
            credentials,
            endpoint,
            encoding: self.encoding,
            defaults: self
                .project_id
                .map(|project| ("ProjectId", project))
                .into_iter()
                .collect(),
            attempt_timeout: self.attempt_timeout,
            timeout: self.timeout,
            transport,
            reported: Mutex::default(),
        })))
    }
}

/// A key that was copied with a line end would fail with 171, and nobody would see why.
fn check_value(name: &str, value: &str) -> Option<String> {
    if value.is_empty() {
        return Some(format!("the {name} is empty."));
    }
    let is_odd = |c: char| c.is_whitespace() || c.is_control();
    value
        .contains(is_odd)
        .then(|| format!("the {name} has white space in it: copy it again, without line ends."))
}

/// The endpoint, and whether it is this machine; or all that is wrong with it. What is refused is not
/// repeated: there may be a password in it.
fn check_base_url(text: &str, allows_plain_http: bool) -> Result<(Uri, bool), Vec<String>> {
    let no_url = |error: &dyn fmt::Display| {
        vec![format!(
            "the base URL is not a URL ({error}): expected one such as {ENDPOINT}"
        )]
    };
    let url = Url::parse(text).map_err(|error| no_url(&error))?;
    let mut wrong = Vec::new();
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).to_canonical().is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback || allows_plain_http => {}
        "http" => wrong.push(
            "the base URL is plain HTTP, where anyone on the way can read a call and replay it: use https, or say \
             `allow_plain_http`."
                .to_owned(),
        ),
        _ => wrong.push("the base URL does not begin with https://.".to_owned()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        wrong.push(
            "the base URL has a user name or a password in it: the service wants neither."
                .to_owned(),
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        wrong.push(
            "the base URL has a query or a fragment: expected an address and a path.".to_owned(),
        );
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let uri = url.as_str().parse().map_err(|error| no_url(&error))?;
    Ok((uri, is_loopback))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn from(variables: &[(&str, &str)]) -> Result<Client, Error> {
        let read = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.into())
        };
        ClientBuilder::from_variables(read)?.build()
    }

    const KEYS: [(&str, &str); 2] = [
        ("UCLOUD_PUBLIC_KEY", "public-key"),
        ("UCLOUD_PRIVATE_KEY", "private-key"),
    ];

    #[test]
    fn the_environment_sets_a_client_up() {
        let client = from(&KEYS).unwrap();
        assert_eq!(client.0.endpoint, "https://api.surfercloud.com/");
        assert_eq!(client.0.encoding, Encoding::Form);
        assert!(client.0.defaults.is_empty());

        let more = [
            ("UCLOUD_PROJECT_ID", "org-1"),
            ("UCLOUD_API_BASE_URL", "https://api.ucloud.cn"),
        ];
        let client = from(&[KEYS.as_slice(), &more].concat()).unwrap();
        assert_eq!(client.0.endpoint, "https://api.ucloud.cn/");
        assert_eq!(client.0.defaults, [("ProjectId", "org-1".to_owned())]);
        assert_eq!(
            client.0.credentials,
            Credentials::new("public-key", "private-key")
        );
        for shown in [
            format!("{client:?}"),
            format!(
                "{:?}",
                Client::builder().credentials(Credentials::new("p-key", "s-key"))
            ),
        ] {
            assert!(!shown.contains("-key"), "{shown}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_environment_is_said_at_once() {
        for (variables, expected) in [
            (&[][..], &["UCLOUD_PUBLIC_KEY", "UCLOUD_PRIVATE_KEY"][..]),
            (
                &KEYS[..1],
                &["UCLOUD_PUBLIC_KEY is set and UCLOUD_PRIVATE_KEY is not"],
            ),
            (
                &KEYS[1..],
                &["UCLOUD_PRIVATE_KEY is set and UCLOUD_PUBLIC_KEY is not"],
            ),
            (
                &[
                    ("UCLOUD_PUBLIC_KEY", ""),
                    ("UCLOUD_PRIVATE_KEY", "x"),
                    ("UCLOUD_PROJECT_ID", ""),
                ],
                &[
                    "UCLOUD_PUBLIC_KEY is set and empty",
                    "UCLOUD_PROJECT_ID is set and empty",
                ],
            ),
            (
                &[
                    KEYS[0],
                    ("UCLOUD_PRIVATE_KEY", "secret-key\n"),
                    ("UCLOUD_API_BASE_URL", "ftp://x/"),
                ],
                &[
                    "the private key has white space",
                    "the base URL does not begin with https://",
                ],
            ),
        ] {
            let error = from(variables).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            for part in expected {
                assert!(error.to_string().contains(part), "{part:?} in {error}");
            }
            assert!(!format!("{error} {error:?}").contains("secret-key"));
        }
    }

    #[test]
    fn all_that_is_wrong_with_a_builder_is_said_at_once() {
        let credentials = Credentials::new("", "a b").with_security_token("token\n");
        let builder = Client::builder()
            .credentials(credentials)
            .project_id("")
            .timeout(Duration::ZERO);
        let error = builder
            .base_url("http://u@a.example/?q")
            .build()
            .unwrap_err()
            .to_string();
        for part in [
            "the public key is empty",
            "the private key has white space",
            "the security token has white space",
            "the project id is empty",
            "`timeout` is zero",
            "plain HTTP",
            "user name",
            "a query",
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }

    #[test]
    fn a_base_url_is_checked() {
        for (url, loopback) in [
            ("https://api.ucloud.cn", false),
            ("http://127.0.0.1:8080", true),
            ("http://127.9.9.9", true),
            ("http://localhost:1/", true),
            ("http://[::1]:1/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("https://gateway.example/uhub/", false),
        ] {
            assert_eq!(
                check_base_url(url, false).map(|(_, is_loopback)| is_loopback),
                Ok(loopback),
                "{url}"
            );
        }
        for (url, expected) in [
            ("http://api.service.ucloud.cn", "allow_plain_http"),
            ("http://127.0.0.1.evil.example/", "allow_plain_http"),
            ("http://localhost.evil.example/", "allow_plain_http"),
            ("https://user:hunter2@api.ucloud.cn/", "password"),
            ("https://api.ucloud.cn/?Action=X", "query"),
            ("https://api.ucloud.cn/#x", "fragment"),
            ("api.ucloud.cn", "expected one such as https://"),
            ("localhost:8080", "does not begin with https://"),
            ("http://a.example/?q", "has a query"),
            ("file:///etc/passwd", "does not begin with https://"),
            ("", "not a URL"),
        ] {
            let refused = check_base_url(url, false).unwrap_err();
            let refused = refused.join(" ");
            assert!(refused.contains(expected), "{url}: {refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
            let builder = Client::builder().base_url(url);
            assert!(!format!("{builder:?}").contains("hunter2"), "{builder:?}");
        }
        assert!(check_base_url("http://api.service.ucloud.cn", true).is_ok());
    }
}

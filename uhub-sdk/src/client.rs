//! The client, and how it is set up.

use std::{
    collections::HashSet, env, ffi::OsString, fmt, net::IpAddr, sync::Arc, sync::Mutex,
    time::Duration,
};

use http::Uri;
use url::{Host, Url};

use crate::{
    Action, Call, Credentials, Encoding, Error,
    actions::service::ENDPOINT,
    decode::{Note, Oddity},
    transport::{Settings, Transport},
};

/// A client of UHub.
///
/// It holds a pool of connections and is cheap to clone: make one, and share it. It has to be used
/// within a Tokio runtime.
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
    reported: Mutex<HashSet<Note>>,
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
            if !reported.insert(note) {
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
#[derive(Debug, Clone)]
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
    /// a variable is empty or no UTF-8.
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
                wrong.push(format!("{name} is no UTF-8."));
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

    /// How long a call may take, whatever it does. Default: 2 minutes.
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
    /// Loopback needs no leave. Inside UCloud's own network the service is
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
    /// keys are missing or empty, the base URL is no URL of a service or is plain HTTP, or TLS
    /// cannot be set up on this machine.
    pub fn build(self) -> Result<Client, Error> {
        let mut wrong = Vec::new();
        match &self.credentials {
            None => wrong.push(
                "there are no keys: set UCLOUD_PUBLIC_KEY and UCLOUD_PRIVATE_KEY, or give the builder `credentials`."
                    .to_owned(),
            ),
            Some(credentials) => {
                if let Err(what) = check_keys(credentials) {
                    wrong.push(what);
                }
            }
        }
        let endpoint =
            check_base_url(&self.base_url, self.allows_plain_http).map_err(|what| wrong.push(what));
        let (Some(credentials), Ok((endpoint, is_loopback)), true) =
            (self.credentials, endpoint, wrong.is_empty())
        else {
            return Err(Error::configuration(wrong.join(" ")));
        };
        let transport = Transport::new(Settings {
            endpoint: endpoint.clone(),
            connect_timeout: self.connect_timeout,
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
fn check_keys(credentials: &Credentials) -> Result<(), String> {
    for (name, key) in [
        ("public", &credentials.public_key),
        ("private", &credentials.private_key),
    ] {
        if key.is_empty() {
            return Err(format!("the {name} key is empty."));
        }
        if key.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(format!(
                "the {name} key has white space in it: copy it again, without line ends."
            ));
        }
    }
    Ok(())
}

/// The endpoint, and whether it is this machine. What is refused is not repeated: there may be a
/// password in it.
fn check_base_url(text: &str, allows_plain_http: bool) -> Result<(Uri, bool), String> {
    let url = Url::parse(text).map_err(|error| format!("the base URL is no URL: {error}."))?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).to_canonical().is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback || allows_plain_http => {}
        "http" => {
            return Err("the base URL is plain HTTP, where anyone on the way can read a call and replay it: use https, \
                        or say `allow_plain_http`."
                .to_owned());
        }
        other => return Err(format!("the base URL is {other}: expected https.")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "the base URL has a user name or a password in it: the service wants neither."
                .to_owned(),
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(
            "the base URL has a query or a fragment: expected an address and a path.".to_owned(),
        );
    }
    let uri = url
        .as_str()
        .parse()
        .map_err(|error| format!("the base URL is no URL: {error}."))?;
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
                &["the private key has white space", "the base URL is ftp"],
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
            ("api.ucloud.cn", "no URL"),
            ("file:///etc/passwd", "file"),
            ("", "no URL"),
        ] {
            let refused = check_base_url(url, false).unwrap_err();
            assert!(refused.contains(expected), "{url}: {refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
        assert!(check_base_url("http://api.service.ucloud.cn", true).is_ok());
    }
}

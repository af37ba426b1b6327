//! How a client is set up.

use std::{
    env,
    ffi::OsString,
    fmt,
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Uri;
use url::{Host, Url};

use crate::{
    actions::service::ENDPOINT,
    client::Client,
    config::profile::{Place, Profile},
    config::source::{ConfigSource, ConfigSources, Setting},
    credentials::ProvideCredentials,
    credentials::cache::{Keys, Refreshed},
    credentials::key_pair::{self, Credentials},
    error::Error,
    exchange::observer::Observer,
    exchange::retry::{RetryBudget, RetryPolicy},
    exchange::state::ClientState,
    transport::reqwest::{HttpClient, Proxy, Settings},
    transport::{MAX_RESPONSE_SIZE, Transport},
    wire::encode::Encoding,
};

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
    keys: Option<Setting<GivenKeys>>,
    /// Asked where there are no other keys.
    last_resort: Option<Arc<dyn ProvideCredentials>>,
    /// What is wrong with a file of keys: no matter, if others are given.
    wrong_with_keys: Vec<String>,
    project_id: Option<Setting<String>>,
    base_url: Setting<String>,
    timeout: Setting<Duration>,
    retry: Setting<RetryPolicy>,
    attempt_timeout: Duration,
    encoding: Encoding,
    observer: Option<Arc<dyn Observer>>,
    allows_plain_http: bool,
    /// In place of the built-in transport, which all below is about.
    transport: Option<Arc<dyn Transport>>,
    connect_timeout: Duration,
    max_response_size: usize,
    proxy: Proxy,
    roots: Vec<Vec<u8>>,
    idle_timeout: Duration,
    max_idle_connections: usize,
}

#[derive(Clone)]
enum GivenKeys {
    Pair(Credentials),
    Provider(Arc<dyn ProvideCredentials>),
}

/// Neither keys nor what may have a password in it: a base URL that is refused, a proxy.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base_url = match check_base_url(&self.base_url.value, true) {
            Ok(_) => self.base_url.value.as_str(),
            Err(_) => "[refused]",
        };
        let project_id = self.project_id.as_ref().map(|project| &project.value);
        f.debug_struct("ClientBuilder")
            .field("base_url", &base_url)
            .field("project_id", &project_id)
            .field("encoding", &self.encoding)
            .field("connect_timeout", &self.connect_timeout)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("timeout", &self.timeout.value)
            .field("retry", &self.retry.value)
            .field("max_response_size", &self.max_response_size)
            .field("allows_plain_http", &self.allows_plain_http)
            .finish_non_exhaustive()
    }
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            keys: None,
            last_resort: None,
            wrong_with_keys: Vec::new(),
            project_id: None,
            base_url: Setting::default(ENDPOINT.to_owned()),
            timeout: Setting::default(Duration::from_secs(120)),
            retry: Setting::default(RetryPolicy::default()),
            // The service's own gateway gives up after 60 seconds.
            attempt_timeout: Duration::from_secs(65),
            encoding: Encoding::default(),
            observer: None,
            allows_plain_http: false,
            transport: None,
            connect_timeout: Duration::from_secs(5),
            max_response_size: MAX_RESPONSE_SIZE,
            proxy: Proxy::FromEnvironment,
            roots: Vec::new(),
            // An idle connection that the service closes may lose a call that must not be repeated.
            idle_timeout: Duration::from_secs(30),
            max_idle_connections: usize::MAX,
        }
    }
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
}

impl ClientBuilder {
    /// Keys and settings from the environment, and what it does not say from the files of the
    /// platform's command-line tool:
    ///
    /// | variable | in the files | setting |
    /// | --- | --- | --- |
    /// | `UCLOUD_PUBLIC_KEY`, `UCLOUD_PRIVATE_KEY` | `public_key`, `private_key` | [`credentials`](Self::credentials) |
    /// | `UCLOUD_PROJECT_ID` | `project_id` | [`project_id`](Self::project_id) |
    /// | `UCLOUD_API_BASE_URL` | `base_url` | [`base_url`](Self::base_url) |
    /// | `UCLOUD_TIMEOUT_SECOND` | `timeout_sec` | [`timeout`](Self::timeout) |
    /// | | `max_retry_times` | [`retry`](Self::retry): one attempt more than that |
    /// | `UCLOUD_PROFILE` | `profile` | which profile is read; without it, the one that is `active` |
    /// | `UCLOUD_SHARED_CONFIG_FILE` | | in place of `~/.ucloud/config.json` |
    /// | `UCLOUD_SHARED_CREDENTIAL_FILE` | | in place of `~/.ucloud/credential.json` |
    ///
    /// What is set on the builder after_execution takes the place of both. (In the platform's Go SDK the files
    /// go before the environment.) Regions and zones are not read: UHub has none. [`Client::config_sources`] tells
    /// where each value came from.
    ///
    /// # Errors
    ///
    /// Of kind [`Configuration`](crate::ErrorKind::Configuration), and all that is wrong at once: one key
    /// of the two is missing, a variable is empty or has no such form, a file is none, or the profile
    /// is not there. What is wrong with the keys in a file is an error of [`build`](Self::build), if no
    /// other keys are given till then.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| env::var_os(name), env::home_dir())
    }

    /// Keys and settings from one profile in the files of the platform's command-line tool; of the
    /// environment, only the places of the files are taken. [`from_env`](Self::from_env) has the details.
    ///
    /// # Errors
    ///
    /// As [`from_env`](Self::from_env).
    pub fn from_profile(name: impl Into<String>) -> Result<Self, Error> {
        let mut variables = Variables::new(|name| env::var_os(name));
        let place = variables.place(env::home_dir(), Some(name.into()));
        let mut builder = Self::default();
        builder.read_files(&place, &mut variables.wrong);
        variables.checked(builder)
    }

    fn from_variables(
        read: impl Fn(&str) -> Option<OsString>,
        home: Option<PathBuf>,
    ) -> Result<Self, Error> {
        let mut variables = Variables::new(read);
        let mut builder = Self::default();
        let (public, private) = (
            variables.text("UCLOUD_PUBLIC_KEY"),
            variables.text("UCLOUD_PRIVATE_KEY"),
        );
        match (public, private) {
            (Some(public), Some(private)) => {
                builder.keys = Some(Setting::new(
                    GivenKeys::Pair(Credentials::new(public.value, private.value)),
                    public.source,
                ));
            }
            (None, Some(_)) if variables.wrong.is_empty() => variables
                .wrong
                .push("UCLOUD_PRIVATE_KEY is set and UCLOUD_PUBLIC_KEY is not.".to_owned()),
            (Some(_), None) if variables.wrong.is_empty() => variables
                .wrong
                .push("UCLOUD_PUBLIC_KEY is set and UCLOUD_PRIVATE_KEY is not.".to_owned()),
            _ => {}
        }
        builder.project_id = variables.text("UCLOUD_PROJECT_ID");
        if let Some(base_url) = variables.text("UCLOUD_API_BASE_URL") {
            builder.base_url = base_url;
        }
        if let Some(timeout) = variables.seconds("UCLOUD_TIMEOUT_SECOND") {
            builder.timeout = timeout;
        }
        let profile = variables.text("UCLOUD_PROFILE");
        let place = variables.place(home, profile.map(|profile| profile.value));
        builder.read_files(&place, &mut variables.wrong);
        variables.checked(builder)
    }

    /// Takes from the files what is not set yet.
    fn read_files(&mut self, place: &Place, wrong: &mut Vec<String>) {
        let found = place.read(self.keys.is_none());
        wrong.extend(found.wrong);
        self.wrong_with_keys = found.wrong_with_keys;
        let Some(profile) = found.profile else {
            return;
        };
        let Profile {
            name,
            credentials,
            project_id,
            base_url,
            timeout,
            max_retry_times,
        } = profile;
        let source = |path: &PathBuf| ConfigSource::Profile {
            name: name.clone(),
            path: path.clone(),
        };
        if let Some(keys) = credentials {
            self.keys = Some(Setting::new(
                GivenKeys::Pair(keys),
                source(&place.credential),
            ));
        }
        let config = || source(&place.config);
        if self.project_id.is_none() {
            self.project_id = project_id.map(|value| Setting::new(value, config()));
        }
        if let (ConfigSource::Default, Some(value)) = (&self.base_url.source, base_url) {
            self.base_url = Setting::new(value, config());
        }
        if let (ConfigSource::Default, Some(value)) = (&self.timeout.source, timeout) {
            self.timeout = Setting::new(value, config());
        }
        if let Some(times) = max_retry_times {
            let policy = RetryPolicy::default().with_max_attempts(times.saturating_add(1));
            self.retry = Setting::new(policy, config());
        }
    }

    /// The keys that calls are signed with. These, others from the environment or a file, or a provider are
    /// required.
    pub fn credentials(mut self, value: Credentials) -> Self {
        self.keys = Some(Setting::given(GivenKeys::Pair(value)));
        self
    }

    /// Whom to ask for the keys that calls are signed with: they are asked for at the first call, and
    /// again before they expire.
    pub fn credentials_provider(mut self, value: impl ProvideCredentials) -> Self {
        self.keys = Some(Setting::given(GivenKeys::Provider(Arc::new(value))));
        self
    }

    /// Whom to ask for keys if there are none otherwise, such as
    /// [`MetadataCredentials`](crate::MetadataCredentials).
    pub fn fallback_credentials_provider(mut self, value: impl ProvideCredentials) -> Self {
        self.last_resort = Some(Arc::new(value));
        self
    }

    /// The project of calls that name none. Without it the account's default project is meant; a
    /// sub-account has to name one. Documented as `ProjectId`.
    pub fn project_id(mut self, value: impl Into<String>) -> Self {
        self.project_id = Some(Setting::given(value.into()));
        self
    }

    /// Where the service is. Default: `https://api.surfercloud.com/`; UCloud's is
    /// `https://api.ucloud.cn/`.
    pub fn base_url(mut self, value: impl Into<String>) -> Self {
        self.base_url = Setting::given(value.into());
        self
    }

    /// How parameters travel. Default: [`Encoding::Form`].
    pub fn encoding(mut self, value: Encoding) -> Self {
        self.encoding = value;
        self
    }

    /// How long a connection may take to come about, TLS included. Default: 5 seconds; and no more than
    /// seven eighths of [`attempt_timeout`](Self::attempt_timeout) and [`timeout`](Self::timeout), so
    /// that it is known that nothing was sent.
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

    /// How long a call may take in all, with all its attempts and the waits between them. Default: 2
    /// minutes.
    pub fn timeout(mut self, value: Duration) -> Self {
        self.timeout = Setting::given(value);
        self
    }

    /// How often a call is repeated, and after what waits. Default: [`RetryPolicy::default`].
    pub fn retry(mut self, value: RetryPolicy) -> Self {
        self.retry = Setting::given(value);
        self
    }

    /// Who is told of every attempt and every call.
    pub fn observer(mut self, value: impl Observer) -> Self {
        self.observer = Some(Arc::new(value));
        self
    }

    /// How many bytes a response may have. Default: 16 MiB. A [`transport`](Self::transport) has a limit of
    /// its own.
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.max_response_size = bytes;
        self
    }

    /// The proxy to send calls through, as `http://HOST:PORT`, with `USER:PASSWORD@` before the host if it
    /// wants that. Default: what the environment names (`HTTPS_PROXY`, `NO_PROXY` and the like), but none
    /// for this machine's own addresses.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Proxy::Given(url.into());
        self
    }

    /// Uses no proxy, whatever the environment names.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = Proxy::Nothing;
        self
    }

    /// Adds certificates to trust beside those of the operating system, as PEM: one's own authority's, or
    /// that of a proxy that looks into TLS.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// How long a connection is kept that nobody uses. Default: 30 seconds.
    pub fn idle_timeout(mut self, value: Duration) -> Self {
        self.idle_timeout = value;
        self
    }

    /// How many connections are kept that nobody uses. Default: as many as were needed at once.
    pub fn max_idle_connections(mut self, value: usize) -> Self {
        self.max_idle_connections = value;
        self
    }

    /// Sends calls by this transport, in place of the built-in one. What is set of connections, proxies,
    /// certificates and sizes is about the built-in one alone.
    pub fn transport(mut self, value: impl Transport) -> Self {
        self.transport = Some(Arc::new(value));
        self
    }

    /// Allows a base URL that is plain HTTP: whoever is on the way can read every call, and replay it. It is
    /// still warned of.
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
    /// a timeout is zero; or a proxy or a certificate is none, or TLS cannot be set up on this machine.
    pub fn build(self) -> Result<Client, Error> {
        let mut wrong = Vec::new();
        let keys = match self.keys {
            Some(keys) => {
                for what in self.wrong_with_keys {
                    tracing::warn!("keys that are not needed cannot be read: {what}");
                }
                Some(keys)
            }
            None if !self.wrong_with_keys.is_empty() => {
                wrong.extend(self.wrong_with_keys);
                None
            }
            None => {
                let keys = self.last_resort.map(GivenKeys::Provider);
                if keys.is_none() {
                    wrong.push(
                        "there are no keys: set UCLOUD_PUBLIC_KEY and UCLOUD_PRIVATE_KEY or a profile, and begin \
                         with `from_env`; or give the builder `credentials`."
                            .to_owned(),
                    );
                }
                keys.map(|keys| Setting::new(keys, ConfigSource::Provider))
            }
        };
        let pair = keys.as_ref().and_then(|keys| match &keys.value {
            GivenKeys::Pair(pair) => Some(Setting::new(pair, keys.source.clone())),
            GivenKeys::Provider(_) => None,
        });
        if let Some(pair) = pair {
            let faults = pair.value.faults();
            wrong.extend(faults.map(|fault| said(&fault, &pair.source)));
        }
        wrong.extend(self.project_id.as_ref().and_then(|project| {
            let fault = key_pair::fault("project id", &project.value)?;
            Some(said(&fault, &project.source))
        }));
        let timeouts = [
            ("connect_timeout", self.connect_timeout),
            ("attempt_timeout", self.attempt_timeout),
            ("timeout", self.timeout.value),
        ];
        for (name, _) in timeouts.iter().filter(|(_, timeout)| timeout.is_zero()) {
            wrong.push(format!("`{name}` is zero, and nothing is done in no time."));
        }
        wrong.extend(check_proxy(&self.proxy));
        let endpoint = check_base_url(&self.base_url.value, self.allows_plain_http);
        let (Some(keys), Ok((endpoint, is_loopback)), true) = (keys, &endpoint, wrong.is_empty())
        else {
            let faults = endpoint.err().into_iter().flatten();
            wrong.extend(
                faults.map(|fault| said(fault.trim_end_matches('.'), &self.base_url.source)),
            );
            return Err(Error::configuration(wrong.join(" ")));
        };
        let (endpoint, is_loopback) = (endpoint.clone(), *is_loopback);
        if endpoint.scheme_str() == Some("http") && !is_loopback {
            tracing::warn!(
                "the base URL is plain HTTP: whoever is on the way can read every call, and replay it"
            );
        }
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(HttpClient::new(Settings {
                endpoint: endpoint.clone(),
                // Whoever stops waiting while connecting knows that nothing was sent, and so that has to
                // come first.
                connect_timeout: self
                    .connect_timeout
                    .min(self.attempt_timeout / 8 * 7)
                    .min(self.timeout.value / 8 * 7),
                max_response_size: self.max_response_size,
                proxy: match self.proxy {
                    Proxy::FromEnvironment if is_loopback => Proxy::Nothing,
                    proxy => proxy,
                },
                roots: self.roots,
                idle_timeout: self.idle_timeout,
                max_idle_connections: self.max_idle_connections,
            })?),
        };
        let sources = ConfigSources {
            credentials: keys.source,
            project_id: self
                .project_id
                .as_ref()
                .map(|project| project.source.clone()),
            base_url: self.base_url.source,
            timeout: self.timeout.source,
            retry: self.retry.source,
        };
        Ok(Client(Arc::new(ClientState {
            keys: match keys.value {
                GivenKeys::Pair(pair) => Keys::Given(Arc::new(pair)),
                GivenKeys::Provider(provider) => {
                    Keys::Refreshed(Arc::new(Refreshed::new(provider)))
                }
            },
            endpoint,
            encoding: self.encoding,
            defaults: self
                .project_id
                .map(|project| ("ProjectId", project.value))
                .into_iter()
                .collect(),
            attempt_timeout: self.attempt_timeout,
            timeout: self.timeout.value,
            retry: self.retry.value,
            budget: RetryBudget::default(),
            transport,
            observer: self.observer,
            sources,
            reported: Mutex::default(),
        })))
    }
}

/// Reads variables of the environment, and keeps what is wrong with them.
struct Variables<R> {
    read: R,
    wrong: Vec<String>,
}

impl<R: Fn(&str) -> Option<OsString>> Variables<R> {
    fn new(read: R) -> Self {
        Self {
            read,
            wrong: Vec::new(),
        }
    }

    fn text(&mut self, name: &'static str) -> Option<Setting<String>> {
        match (self.read)(name)?.into_string() {
            Ok(value) if value.is_empty() => {
                self.wrong.push(format!(
                    "{name} is set and empty: give it a value, or unset it."
                ));
                None
            }
            Ok(value) => Some(Setting::new(value, ConfigSource::Environment(name))),
            Err(_) => {
                self.wrong.push(format!("{name} is not valid UTF-8."));
                None
            }
        }
    }

    fn seconds(&mut self, name: &'static str) -> Option<Setting<Duration>> {
        let Setting { value, source } = self.text(name)?;
        match value.parse() {
            Ok(seconds) => Some(Setting::new(Duration::from_secs(seconds), source)),
            Err(_) => {
                self.wrong
                    .push(format!("{name} is no whole number of seconds: {value:?}."));
                None
            }
        }
    }

    /// Where the files are.
    fn place(&mut self, home: Option<PathBuf>, profile: Option<String>) -> Place {
        let file = |variable, name| match (self.read)(variable) {
            Some(path) if !path.is_empty() => (PathBuf::from(path), Some(variable)),
            _ => {
                // Without a home there are no files.
                let folder = home.as_ref().map(|home| home.join(".ucloud").join(name));
                (folder.unwrap_or_default(), None)
            }
        };
        let (config, config_by) = file("UCLOUD_SHARED_CONFIG_FILE", "config.json");
        let (credential, credential_by) = file("UCLOUD_SHARED_CREDENTIAL_FILE", "credential.json");
        Place {
            config,
            credential,
            config_by,
            credential_by,
            profile,
        }
    }

    /// What was made of them, if nothing is wrong.
    fn checked<T>(self, made: T) -> Result<T, Error> {
        if self.wrong.is_empty() {
            Ok(made)
        } else {
            Err(Error::configuration(self.wrong.join(" ")))
        }
    }
}

/// A fault of a setting, with the place it is from where that is not the program itself.
fn said(fault: &str, source: &ConfigSource) -> String {
    match source {
        ConfigSource::Explicit | ConfigSource::Default | ConfigSource::Provider => {
            format!("{fault}.")
        }
        source => format!("{fault}. It is from {source}."),
    }
}

/// A proxy is spoken to in HTTP; what is refused is not repeated, there may be a password in it.
fn check_proxy(proxy: &Proxy) -> Option<String> {
    let Proxy::Given(url) = proxy else {
        return None;
    };
    let has_scheme = url.contains("://");
    let url = if has_scheme {
        Url::parse(url)
    } else {
        Url::parse(&format!("http://{url}"))
    };
    let is_fine = url.is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    (!is_fine).then(|| "the proxy's URL is not one: expected http://HOST:PORT.".to_owned())
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
    use crate::error::ErrorKind;

    fn from(variables: &[(&str, &str)]) -> Result<Client, Error> {
        let read = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.into())
        };
        ClientBuilder::from_variables(read, None)?.build()
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
        let Keys::Given(keys) = &client.0.keys else {
            panic!("the environment has keys");
        };
        assert_eq!(**keys, Credentials::new("public-key", "private-key"));
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

    /// A home with the command-line tool's files.
    fn home(config: &str, credential: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".ucloud");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("config.json"), config).unwrap();
        std::fs::write(folder.join("credential.json"), credential).unwrap();
        home
    }

    fn from_home(
        home: &tempfile::TempDir,
        variables: &[(&str, &str)],
    ) -> Result<ClientBuilder, Error> {
        let read = |name: &str| {
            let known = variables.iter().find(|(known, _)| *known == name);
            known.map(|(_, value)| value.into())
        };
        ClientBuilder::from_variables(read, Some(home.path().to_owned()))
    }

    const CONFIG: &str = r#"[{"profile": "work", "active": true, "project_id": "org-work", "base_url": "https://api.ucloud.cn/",
        "timeout_sec": 15, "max_retry_times": 2}, {"profile": "web"}]"#;
    const CREDENTIAL: &str = r#"[{"profile": "work", "public_key": "work-public-key", "private_key": "work-private-key"},
        {"profile": "web", "auth_mode": "oauth", "access_token": "access-token"}]"#;

    #[test]
    fn given_goes_before_the_environment_and_that_before_the_files() {
        let home = home(CONFIG, CREDENTIAL);
        let profile = |name| ConfigSource::Profile {
            name: "work".to_owned(),
            path: home.path().join(".ucloud").join(name),
        };
        let client = from_home(&home, &[]).unwrap().build().unwrap();
        let ClientState {
            keys: Keys::Given(keys),
            defaults,
            endpoint,
            timeout,
            retry,
            sources,
            ..
        } = &*client.0
        else {
            panic!("the file has keys");
        };
        assert_eq!(
            **keys,
            Credentials::new("work-public-key", "work-private-key")
        );
        assert_eq!(*defaults, [("ProjectId", "org-work".to_owned())]);
        assert_eq!(endpoint, "https://api.ucloud.cn/");
        assert_eq!(*timeout, Duration::from_secs(15));
        assert_eq!(*retry, RetryPolicy::default().with_max_attempts(3));
        let config = profile("config.json");
        let all = ConfigSources {
            credentials: profile("credential.json"),
            project_id: Some(config.clone()),
            base_url: config.clone(),
            timeout: config.clone(),
            retry: config.clone(),
        };
        assert_eq!(*sources, all);

        let variables = [
            KEYS[0],
            KEYS[1],
            ("UCLOUD_PROJECT_ID", "org-env"),
            ("UCLOUD_TIMEOUT_SECOND", "7"),
        ];
        let client = from_home(&home, &variables)
            .unwrap()
            .project_id("org-given")
            .build()
            .unwrap();
        assert_eq!(client.0.defaults, [("ProjectId", "org-given".to_owned())]);
        assert_eq!(client.0.timeout, Duration::from_secs(7));
        let mixed = ConfigSources {
            credentials: ConfigSource::Environment("UCLOUD_PUBLIC_KEY"),
            project_id: Some(ConfigSource::Explicit),
            base_url: config.clone(),
            timeout: ConfigSource::Environment("UCLOUD_TIMEOUT_SECOND"),
            retry: config,
        };
        assert_eq!(*client.config_sources(), mixed);
        let shown = format!("{client:?}");
        assert!(
            shown.contains("UCLOUD_PUBLIC_KEY") && !shown.contains("public-key"),
            "{shown}"
        );
    }

    #[test]
    fn keys_that_cannot_be_had_from_a_file_matter_if_there_are_no_others() {
        let home = home(CONFIG, CREDENTIAL);
        let oauth = || from_home(&home, &[("UCLOUD_PROFILE", "web")]).unwrap();
        let error = oauth().build().unwrap_err().to_string();
        assert!(error.contains("signs in by OAuth"), "{error}");
        assert!(!error.contains("access-token"), "{error}");
        // Whoever has such a profile does not mean the machine's keys.
        let provider = crate::MetadataCredentials::new();
        assert!(
            oauth()
                .fallback_credentials_provider(provider)
                .build()
                .is_err()
        );
        oauth()
            .credentials(Credentials::new("public-key", "private-key"))
            .build()
            .unwrap();
        let [public, private] = KEYS;
        let variables = [public, private, ("UCLOUD_PROFILE", "web")];
        from_home(&home, &variables).unwrap().build().unwrap();

        let error = from_home(
            &home,
            &[("UCLOUD_PROFILE", "away"), ("UCLOUD_TIMEOUT_SECOND", "1.5")],
        );
        let error = error.unwrap_err().to_string();
        assert!(error.contains("there is no profile `away`"), "{error}");
        assert!(
            error.contains("UCLOUD_TIMEOUT_SECOND is no whole number"),
            "{error}"
        );
    }

    #[test]
    fn the_last_resort_is_asked_where_there_are_no_keys() {
        let empty = tempfile::tempdir().unwrap();
        let builder = from_home(&empty, &[]).unwrap();
        let client = builder
            .fallback_credentials_provider(crate::MetadataCredentials::new())
            .build()
            .unwrap();
        assert!(matches!(client.0.keys, Keys::Refreshed(_)));
        assert_eq!(client.config_sources().credentials, ConfigSource::Provider);
    }
}

//! The builder of a client.

use std::{env, error::Error as StdError, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use http_body::Body;
use http_body_util::Full;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    client::Client,
    config::check::{self, Endpoint},
    config::environment::Environment,
    config::headers::ExtraHeaders,
    config::profile::Selection,
    config::resolve::{Config, PartialConfig},
    config::source::{ConfigSources, Setting},
    credentials::ProvideCredentials,
    credentials::cache::CredentialsSource,
    credentials::key_pair::Credentials,
    error::Error,
    exchange::observer::Observer,
    exchange::retry::RetryPolicy,
    exchange::slots::Slots,
    exchange::state::ClientState,
    ret_code::{RetCode, RetCodeOutcome},
    transport::Transport,
    transport::reqwest::tls::ClientCertificate,
    transport::reqwest::{HttpSettings, HttpTransport, Proxy},
    transport::tower::{TransportLayer, TransportService, transport_layer},
    wire::encode::{CHANNEL_KEY, Encoding},
};

/// A builder of a [`Client`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use uhub_sdk::{Client, Credentials};
///
/// let client = Client::builder()
///     .credentials(Credentials::new("my-public-key", "my-private-key"))
///     .timeout(Duration::from_secs(20))
///     .build()?;
/// # Ok::<(), uhub_sdk::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    config: PartialConfig,
    fallback_credentials: Option<CredentialsSource>,
    credentials_timeout: Duration,
    attempt_timeout: Duration,
    max_concurrent_calls: Option<usize>,
    encoding: Encoding,
    observer: Option<Arc<dyn Observer>>,
    ret_code_outcomes: Vec<(RetCode, RetCodeOutcome)>,
    allows_plain_http: bool,
    headers: ExtraHeaders,
    /// Replaces the built-in transport.
    transport: Option<Arc<dyn Transport>>,
    /// Around the transport, from the inside out.
    layers: Vec<TransportLayer>,
    http: HttpSettings,
}

/// Settings that a client can be built with.
struct CheckedSettings {
    credentials: Setting<CredentialsSource>,
    /// The headers of every request.
    headers: HeaderMap,
    endpoint: Endpoint,
}

/// Shows no settings: the credentials, the proxy and an invalid base URL may contain secrets.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").finish_non_exhaustive()
    }
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            config: PartialConfig::default(),
            fallback_credentials: None,
            credentials_timeout: Duration::from_secs(30),
            // The gateway of the service times out after 60 s.
            attempt_timeout: Duration::from_secs(65),
            max_concurrent_calls: None,
            encoding: Encoding::default(),
            observer: None,
            ret_code_outcomes: Vec::new(),
            allows_plain_http: false,
            headers: ExtraHeaders::default(),
            transport: None,
            layers: Vec::new(),
            http: HttpSettings::default(),
        }
    }
}

impl Client {
    /// Creates a client with credentials and settings from the environment. See
    /// [`ClientBuilder::from_env`] for the variables.
    ///
    /// # Errors
    ///
    /// The errors of [`ClientBuilder::from_env`] and [`ClientBuilder::build`].
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build()
    }

    /// Returns a builder with default settings.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

impl ClientBuilder {
    /// Creates a builder with credentials and settings from environment variables, falling back to
    /// a profile in the files of the platform's command-line tool:
    ///
    /// | variable | key in the files | setting |
    /// | --- | --- | --- |
    /// | `UCLOUD_PUBLIC_KEY` | `public_key` | [`credentials`](Self::credentials): public key |
    /// | `UCLOUD_PRIVATE_KEY` | `private_key` | [`credentials`](Self::credentials): private key |
    /// | `UCLOUD_PROJECT_ID` | `project_id` | the project, where the service has projects |
    /// | `UCLOUD_REGION` | `region` | the region, where the service has regions |
    /// | | `zone` | the zone, where the service has zones |
    /// | `UCLOUD_API_BASE_URL` | `base_url` | [`base_url`](Self::base_url) |
    /// | `UCLOUD_TIMEOUT_SECOND` | `timeout_sec` | [`timeout`](Self::timeout), in whole seconds |
    /// | | `max_retry_times` | [`retry`](Self::retry): the attempts after the first |
    /// | | `channel_key` | [`channel_key`](Self::channel_key) |
    /// | `UCLOUD_PROFILE` | `profile` | the profile to read; defaults to the one that is `active` |
    /// | `UCLOUD_SHARED_CONFIG_FILE` | | path, instead of `~/.ucloud/config.json` |
    /// | `UCLOUD_SHARED_CREDENTIAL_FILE` | | path, instead of `~/.ucloud/credential.json` |
    ///
    /// - Each setting has its own source: a method of the builder overrides the variable, and that
    ///   overrides the profile. (The platform's Go SDK gives the files precedence over the
    ///   environment.) The key pair is one setting: its keys come from the same source.
    /// - A variable that is empty or blank is not set; neither is an empty value in the files.
    /// - A profile that is named must exist, whatever else is set.
    /// - `credential.json` is not read if the variables have both keys and the profile is in
    ///   `config.json`.
    ///
    /// [`Client::config_sources`] reports where each setting came from, and the settings of the
    /// profile that this client does not know.
    ///
    /// # Errors
    ///
    /// [`Configuration`](crate::ErrorKind::Configuration), listing every problem: only one of the
    /// two keys is set, a variable is malformed, `config.json` or the profile's entry in it is
    /// invalid, or the named profile does not exist. Invalid credentials in `credential.json` are
    /// errors of [`build`](Self::build), and only if no other credentials are set.
    pub fn from_env() -> Result<Self, Error> {
        Self::loaded(Environment::new(|name| env::var_os(name), env::home_dir()).load())
    }

    /// Creates a builder with credentials and settings from one profile of the platform's
    /// command-line tool, which must exist. Of the environment variables in
    /// [`from_env`](Self::from_env), only the paths of the files apply.
    ///
    /// # Errors
    ///
    /// The same as [`from_env`](Self::from_env).
    pub fn from_profile(name: impl Into<String>) -> Result<Self, Error> {
        let environment = Environment::new(|name| env::var_os(name), env::home_dir());
        Self::loaded(environment.load_profile(&Self::named(name), true))
    }

    pub(crate) fn named(profile: impl Into<String>) -> Selection {
        Selection::Named { name: profile.into(), selected_by: "`ClientBuilder::from_profile`" }
    }

    pub(crate) fn loaded(config: PartialConfig) -> Result<Self, Error> {
        if !config.problems.is_empty() {
            return Err(Error::invalid_configuration(&config.problems));
        }
        Ok(Self { config, ..Self::default() })
    }

    /// Sets the credentials that sign calls. Credentials are required, from here, a
    /// [provider](Self::credentials_provider), the environment or a profile.
    pub fn credentials(mut self, value: Credentials) -> Self {
        self.config.credentials = Some(Setting::explicit(value.into()));
        self
    }

    /// Sets the credentials provider, called on first use and again before the credentials expire.
    pub fn credentials_provider(mut self, value: impl ProvideCredentials) -> Self {
        let provider = CredentialsSource::provider(Arc::new(value));
        self.config.credentials = Some(Setting::explicit(provider));
        self
    }

    /// Sets the credentials provider used if no other credentials are set, such as
    /// [`MetadataCredentials`](crate::MetadataCredentials). Invalid credentials in a profile are an
    /// error nevertheless.
    pub fn fallback_credentials_provider(mut self, value: impl ProvideCredentials) -> Self {
        self.fallback_credentials = Some(CredentialsSource::provider(Arc::new(value)));
        self
    }

    /// Sets the timeout of the credentials provider. Defaults to 30 s. A call waits no longer than
    /// its own timeouts allow.
    pub fn credentials_timeout(mut self, value: Duration) -> Self {
        self.credentials_timeout = value;
        self
    }

    /// Sets a parameter of calls that do not set it, by its documented name.
    #[allow(dead_code, reason = "not every service has such a parameter")]
    pub(crate) fn parameter(mut self, wire: &'static str, value: String) -> Self {
        self.config.parameters.insert(wire, Setting::explicit(value));
        self
    }

    /// Sets the URL of the service. Defaults to SurferCloud's, `https://api.surfercloud.com/`, or
    /// what the service has instead. The URL of UCloud is `https://api.ucloud.cn/`.
    pub fn base_url(mut self, value: impl Into<String>) -> Self {
        self.config.base_url = Some(Setting::explicit(value.into()));
        self
    }

    /// Sets the key of a dedicated channel to the service, sent with every call as the header
    /// `channel-key`. There is none by default. Accounts with such a channel need it: without the
    /// key, the service reports a wrong signature.
    pub fn channel_key(mut self, value: impl Into<String>) -> Self {
        self.config.channel_key = Some(Setting::explicit(value.into()));
        self
    }

    /// Sets how parameters are sent. Defaults to [`Encoding::Form`].
    pub fn encoding(mut self, value: Encoding) -> Self {
        self.encoding = value;
        self
    }

    /// Sets the connect timeout, including TLS. Defaults to 5 s, capped at 7/8 of
    /// [`attempt_timeout`](Self::attempt_timeout) and [`timeout`](Self::timeout), so that a connect
    /// timeout means that nothing was sent. It is not capped by
    /// [`Call::with_timeout`](crate::Call::with_timeout).
    pub fn connect_timeout(mut self, value: Duration) -> Self {
        self.http.connect_timeout = value;
        self
    }

    /// Sets the timeout of one attempt, from connecting to the end of the response. Defaults to
    /// 65 s, slightly more than the timeout of the service's gateway.
    pub fn attempt_timeout(mut self, value: Duration) -> Self {
        self.attempt_timeout = value;
        self
    }

    /// Sets how many calls may be in flight at the same time. Unlimited by default.
    ///
    /// Set it if a program makes very many calls at once: each call in flight has a connection, and
    /// processes may have a limited number of open files (`ulimit -n`). It is shared by all clones
    /// of the client, those with another project included, on all runtimes. Pages that are fetched
    /// ahead count too.
    ///
    /// Further calls wait for their turn, in the order of their arrival. The wait counts against
    /// the timeout of the call, and not against [`attempt_timeout`](Self::attempt_timeout). If the
    /// call's timeout elapses, the error is of kind [`Timeout`](crate::ErrorKind::Timeout) with
    /// [`Execution::NotSent`](crate::Execution::NotSent). Between two attempts, a call is not in
    /// flight.
    pub fn max_concurrent_calls(mut self, value: usize) -> Self {
        self.max_concurrent_calls = Some(value);
        self
    }

    /// Sets the timeout of a call, including all attempts and delays. Defaults to 120 s.
    pub fn timeout(mut self, value: Duration) -> Self {
        self.config.timeout = Some(Setting::explicit(value));
        self
    }

    /// Sets the retry policy. Defaults to [`RetryPolicy::default`].
    pub fn retry(mut self, value: RetryPolicy) -> Self {
        self.config.retry = Some(Setting::explicit(value));
        self
    }

    /// Sets the observer, which is notified of every attempt and every call.
    pub fn observer(mut self, value: impl Observer) -> Self {
        self.observer = Some(Arc::new(value));
        self
    }

    /// Sets what a return code means, such as an action's own code for a missing repository, which
    /// is not documented. Takes precedence over the documentation. Decides the error's
    /// [`execution`](Error::execution), its predicates and whether the call is retried.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn example(builder: uhub_sdk::ClientBuilder) {
    /// use uhub_sdk::RetCodeOutcome;
    ///
    /// // `Error::is_not_found` is true for errors with this code.
    /// let builder = builder.ret_code_outcome(64_001, RetCodeOutcome::NotFound);
    /// # }
    /// ```
    pub fn ret_code_outcome(mut self, code: impl Into<RetCode>, outcome: RetCodeOutcome) -> Self {
        let code = code.into();
        self.ret_code_outcomes.retain(|(known, _)| *known != code);
        self.ret_code_outcomes.push((code, outcome));
        self
    }

    /// Sets the maximum size of a response in bytes. Defaults to 4 MiB, which holds a page of more
    /// than 10,000 items. A custom [`transport`](Self::transport) ignores it.
    ///
    /// Reading a response is limited too, since a few bytes may become a large value: to 64 MiB of
    /// memory, or 16 times the size of the response if that is more; and to 50,000 list elements,
    /// or 10 for each item that the call's limit asks for if that is more. A call that exceeds a
    /// limit fails with [`ResponseTooLarge`](crate::ErrorKind::ResponseTooLarge).
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.http.max_response_size = bytes;
        self
    }

    /// Sets the proxy, as `HOST:PORT` or `USER:PASSWORD@HOST:PORT`, optionally after `http://`, the
    /// default, or `https://`. With the feature `socks`, it may start with `socks4://`,
    /// `socks4a://`, `socks5://` or `socks5h://`; those with a letter let the proxy resolve names.
    ///
    /// Defaults to the proxy from the environment, and to no proxy for loopback addresses. The
    /// first of these variables that is set and not empty is used:
    ///
    /// | base URL | variables |
    /// | --- | --- |
    /// | `https://` | `HTTPS_PROXY`, `https_proxy`, `ALL_PROXY`, `all_proxy` |
    /// | `http://` | `HTTP_PROXY`, `http_proxy`, `ALL_PROXY`, `all_proxy` |
    ///
    /// `NO_PROXY`, else `no_proxy`, names hosts without a proxy, separated by commas or spaces: IP
    /// addresses, networks such as `10.0.0.0/8`, domains with all of their subdomains, each
    /// optionally with a port, or `*` for all hosts. Within a CGI program (`REQUEST_METHOD` is set),
    /// `HTTP_PROXY` is ignored: the sender of a request can set it. The variables are read when the
    /// client is built.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.http.proxy = Proxy::Url(url.into());
        self
    }

    /// Disables proxies, including those from the environment.
    pub fn no_proxy(mut self) -> Self {
        self.http.proxy = Proxy::Disabled;
        self
    }

    /// Trusts additional root certificates in PEM, such as those of a private authority or of a
    /// proxy that inspects TLS. The certificates of the operating system stay trusted.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.http.tls.roots.push(pem.into());
        self
    }

    /// Sets the client certificate, for a gateway that requires one: the certificate, followed by
    /// those that it is signed by, and its private key, both in PEM. With the feature `native-tls`,
    /// the key must be in PKCS #8 format (`-----BEGIN PRIVATE KEY-----`).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = uhub_sdk::ClientBuilder::from_env()?
    ///     .client_certificate(std::fs::read("client.pem")?, std::fs::read("client-key.pem")?)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn client_certificate(
        mut self,
        chain_pem: impl Into<Vec<u8>>,
        key_pem: impl Into<Vec<u8>>,
    ) -> Self {
        self.http.tls.client_certificate =
            Some(ClientCertificate { chain: chain_pem.into(), key: key_pem.into().into() });
        self
    }

    /// Sets the configuration of TLS, for example for other roots of trust, protocol versions or a
    /// cryptographic library. It replaces
    /// [`root_certificates`](Self::root_certificates) and
    /// [`client_certificate`](Self::client_certificate); its ALPN protocols are ignored, because
    /// the transport uses HTTP/1.1.
    ///
    /// The type is that of [rustls](https://docs.rs/rustls/0.23) 0.23. A new version of it in this
    /// method is a breaking change of this crate.
    ///
    /// # Examples
    ///
    /// Trusts only the certificates of a private authority:
    ///
    /// ```no_run
    /// # fn example(roots: rustls::RootCertStore) -> Result<(), uhub_sdk::Error> {
    /// let config = rustls::ClientConfig::builder()
    ///     .with_root_certificates(roots)
    ///     .with_no_client_auth();
    /// let client = uhub_sdk::ClientBuilder::from_env()?.rustls_config(config).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "__rustls")]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "rustls", feature = "rustls-ring"))))]
    pub fn rustls_config(mut self, value: impl Into<Arc<rustls::ClientConfig>>) -> Self {
        self.http.tls.config = Some(value.into());
        self
    }

    /// Adds a header to every request, such as the `Authorization` of a gateway in front of the
    /// service. A name that is added twice is sent twice. `Debug` does not show the value.
    ///
    /// Headers that the client sets itself are an error of [`build`](Self::build): `Host`,
    /// `Content-Type`, `User-Agent` (see [`user_agent_suffix`](Self::user_agent_suffix)),
    /// `Proxy-Authorization` (see [`proxy`](Self::proxy)), and those that control connections and
    /// encodings.
    ///
    /// # Examples
    ///
    /// ```
    /// use uhub_sdk::{Client, Credentials};
    ///
    /// let builder = Client::builder().credentials(Credentials::new("public", "private"));
    /// let client = builder.clone().header("X-Team", "platform").build()?;
    /// assert!(builder.header("Host", "example.com").build().is_err());
    /// # Ok::<(), uhub_sdk::Error>(())
    /// ```
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.headers.push((name.into(), value.into()));
        self
    }

    /// Sets what follows this crate's name in the header `User-Agent`: the name of the program,
    /// such as `my-app/1.2`. Nothing by default.
    pub fn user_agent_suffix(mut self, value: impl Into<String>) -> Self {
        self.headers.user_agent_suffix = Some(value.into());
        self
    }

    /// Sets how long an idle connection is kept open. Defaults to 30 s.
    pub fn idle_timeout(mut self, value: Duration) -> Self {
        self.http.idle_timeout = value;
        self
    }

    /// Sets how many idle connections are kept open. Unlimited by default.
    pub fn max_idle_connections(mut self, value: usize) -> Self {
        self.http.max_idle_connections = value;
        self
    }

    /// Replaces the built-in transport. The settings for connections, proxies, certificates and
    /// response sizes then have no effect.
    pub fn transport(mut self, value: impl Transport) -> Self {
        self.transport = Some(Arc::new(value));
        self
    }

    /// Adds a tower layer around the transport, for example to trace or to limit requests. It sees
    /// each attempt, signed. A later layer wraps the earlier ones.
    ///
    /// Leave out layers that retry: the client retries by itself. See
    /// [`TowerTransport`](crate::TowerTransport) for what errors of a layer mean.
    ///
    /// # Examples
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http_body_util::Full;
    /// use uhub_sdk::{Client, Credentials, TransportService};
    ///
    /// # use std::task::{Context, Poll};
    /// /// Counts the requests. Layers of the crate tower-http are used in the same way.
    /// #[derive(Clone)]
    /// struct Count;
    ///
    /// impl<S> tower_layer::Layer<S> for Count {
    ///     type Service = Counting<S>;
    ///
    ///     fn layer(&self, inner: S) -> Counting<S> {
    ///         Counting(inner)
    ///     }
    /// }
    ///
    /// #[derive(Clone)]
    /// struct Counting<S>(S);
    ///
    /// impl<S: tower_service::Service<http::Request<B>>, B> tower_service::Service<http::Request<B>>
    ///     for Counting<S>
    /// {
    ///     // …
    /// #   type Response = S::Response;
    /// #   type Error = S::Error;
    /// #   type Future = S::Future;
    /// #
    /// #   fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
    /// #       self.0.poll_ready(context)
    /// #   }
    /// #
    /// #   fn call(&mut self, request: http::Request<B>) -> S::Future {
    /// #       self.0.call(request)
    /// #   }
    /// }
    ///
    /// let client = Client::builder()
    ///     .credentials(Credentials::new("public-key", "private-key"))
    ///     .layer(Count)
    ///     .build()?;
    /// # Ok::<(), uhub_sdk::Error>(())
    /// ```
    pub fn layer<L, R>(mut self, layer: L) -> Self
    where
        L: Layer<TransportService> + Send + Sync + 'static,
        L::Service: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone + Send + 'static,
        <L::Service as Service<Request<Full<Bytes>>>>::Error: Into<Box<dyn StdError + Send + Sync>>,
        <L::Service as Service<Request<Full<Bytes>>>>::Future: Send,
        R: Body + Send,
        R::Data: Send,
        R::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.layers.push(transport_layer(layer));
        self
    }

    /// Builds the built-in transport alone, with the settings for connections, proxies,
    /// certificates and response sizes, for requests to the base URL. Wrap it and pass the result
    /// to [`transport`](Self::transport).
    ///
    /// # Errors
    ///
    /// [`Configuration`](crate::ErrorKind::Configuration), if one of these settings is invalid.
    pub fn http_transport(&self) -> Result<HttpTransport, Error> {
        let config = self.config.clone().resolve(self.fallback_credentials.clone());
        let mut problems = self.timeout_problems(&config);
        match check::endpoint(&config.base_url, self.allows_plain_http) {
            Ok(endpoint) if problems.is_empty() => self.built_in(&endpoint, config.timeout.value),
            endpoint => {
                problems.extend(endpoint.err().into_iter().flatten());
                Err(Error::invalid_configuration(&problems))
            }
        }
    }

    /// Allows a base URL with plain HTTP, which lets others on the network read and replay calls.
    /// The client still logs a warning.
    ///
    /// Loopback addresses are always allowed. In the private network of UCloud, the service is
    /// `http://api.service.ucloud.cn`, which has no TLS.
    pub fn allow_plain_http(mut self) -> Self {
        self.allows_plain_http = true;
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    ///
    /// [`Configuration`](crate::ErrorKind::Configuration), listing every problem with its source:
    /// credentials are missing, a value is empty or contains whitespace, the base URL is invalid or
    /// plain HTTP, a timeout is zero, or the proxy is invalid; or else the first problem with
    /// certificates or with TLS on this machine.
    pub fn build(mut self) -> Result<Client, Error> {
        let config = std::mem::take(&mut self.config).resolve(self.fallback_credentials.take());
        let checked = self.check(&config)?;
        self.assemble(config, checked)
    }

    /// Checks all settings.
    fn check(&self, config: &Config) -> Result<CheckedSettings, Error> {
        let mut problems = match &config.credentials {
            Ok(credentials) => check::credential_problems(credentials),
            Err(problems) => problems.clone(),
        };
        problems.extend(check::parameter_problems(&config.parameters));
        problems.extend(self.timeout_problems(config));
        if self.max_concurrent_calls == Some(0) {
            problems.push("`max_concurrent_calls` must be greater than zero.".to_owned());
        }
        let headers = self.headers.build();
        problems.extend(headers.as_ref().err().into_iter().flatten().cloned());
        let channel_key = config.channel_key.as_ref().map(check::channel_key).transpose();
        let endpoint = check::endpoint(&config.base_url, self.allows_plain_http);
        // A custom transport has proxies of its own.
        if self.transport.is_none() {
            problems.extend(self.proxy_problem(endpoint.as_ref().ok()));
        }
        match (&config.credentials, headers, channel_key, endpoint) {
            (Ok(credentials), Ok(mut headers), Ok(channel_key), Ok(endpoint))
                if problems.is_empty() =>
            {
                headers.extend(channel_key.map(|value| (CHANNEL_KEY, value)));
                Ok(CheckedSettings { credentials: credentials.clone(), headers, endpoint })
            }
            (_, _, channel_key, endpoint) => {
                problems.extend(channel_key.err());
                problems.extend(endpoint.err().into_iter().flatten());
                Err(Error::invalid_configuration(&problems))
            }
        }
    }

    fn timeout_problems(&self, config: &Config) -> Vec<String> {
        let timeouts = [
            ("connect_timeout", self.http.connect_timeout),
            ("attempt_timeout", self.attempt_timeout),
            ("credentials_timeout", self.credentials_timeout),
        ];
        let zero = timeouts.into_iter().filter(|(_, timeout)| timeout.is_zero());
        zero.map(|(name, _)| format!("`{name}` must be greater than zero."))
            .chain(check::timeout_problem(&config.timeout))
            .collect()
    }

    /// Checks the proxy; that of the environment depends on the endpoint.
    fn proxy_problem(&self, endpoint: Option<&Endpoint>) -> Option<String> {
        let (proxy, uri) = match endpoint {
            Some(endpoint) => (self.proxy_at(endpoint), endpoint.uri.clone()),
            None if matches!(self.http.proxy, Proxy::Environment) => return None,
            None => (self.http.proxy.clone(), Uri::default()),
        };
        proxy.server(&uri, |name| env::var_os(name)).err()
    }

    /// Returns the setting for proxies at this endpoint.
    fn proxy_at(&self, endpoint: &Endpoint) -> Proxy {
        match &self.http.proxy {
            Proxy::Environment if endpoint.is_loopback => Proxy::Disabled,
            proxy => proxy.clone(),
        }
    }

    /// Builds the built-in transport.
    fn built_in(&self, endpoint: &Endpoint, timeout: Duration) -> Result<HttpTransport, Error> {
        // Elapses first, so that a timeout while connecting means that nothing was sent.
        let (shortest, setting) = if timeout < self.attempt_timeout {
            (timeout / 8 * 7, "7/8 of `timeout`")
        } else {
            (self.attempt_timeout / 8 * 7, "7/8 of `attempt_timeout`")
        };
        let mut settings = HttpSettings { proxy: self.proxy_at(endpoint), ..self.http.clone() };
        if shortest < settings.connect_timeout {
            settings.connect_timeout = shortest;
            settings.connect_timeout_setting = setting;
        }
        HttpTransport::new(endpoint.uri.clone(), settings)
    }

    fn assemble(self, config: Config, checked: CheckedSettings) -> Result<Client, Error> {
        let CheckedSettings { credentials, headers, endpoint } = checked;
        if endpoint.uri.scheme_str() == Some("http") && !endpoint.is_loopback {
            tracing::warn!(
                "the base URL is plain HTTP: others on the network can read and replay calls"
            );
        }
        let timeout = config.timeout.value;
        let mut other_secrets = self.headers.secrets();
        // Also with a custom transport, which may wrap the built-in one.
        other_secrets.extend(self.proxy_at(&endpoint).secrets(|name| env::var_os(name)));
        let mut all_headers = self.encoding.headers();
        let transport: Arc<dyn Transport> = match &self.transport {
            Some(transport) => Arc::clone(transport),
            None => {
                let built_in = self.built_in(&endpoint, timeout)?;
                // A layer may send a request elsewhere, so it gets none of these.
                if self.layers.is_empty() {
                    all_headers.extend(built_in.headers());
                }
                Arc::new(built_in)
            }
        };
        // Overrides the client's own `User-Agent`.
        all_headers.extend(headers);
        let max_response_size = self.http.max_response_size;
        let transport =
            self.layers.iter().fold(transport, |inner, layer| layer(inner, max_response_size));
        let parameters = config.parameters.into_iter();
        let (defaults, parameters) = parameters
            .map(|(wire, setting)| ((wire, setting.value), (wire, setting.source)))
            .unzip();
        Ok(Client(Arc::new(ClientState {
            credentials: credentials.value.with_timeout(self.credentials_timeout),
            endpoint: endpoint.uri,
            encoding: self.encoding,
            headers: all_headers,
            defaults,
            attempt_timeout: self.attempt_timeout,
            timeout,
            retry: config.retry.value,
            budget: Arc::default(),
            slots: self.max_concurrent_calls.map(Slots::new),
            transport,
            observer: self.observer,
            sources: ConfigSources {
                credentials: credentials.source,
                parameters,
                base_url: config.base_url.source,
                channel_key: config.channel_key.map(|setting| setting.source),
                timeout: config.timeout.source,
                retry: config.retry.source,
                ignored: config.ignored,
            },
            reported: Arc::default(),
            outcomes: self.ret_code_outcomes,
            other_secrets: other_secrets.into(),
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::source::ConfigSource, error::ErrorKind};

    fn load(
        variables: &[(&str, &str)],
        home: Option<&tempfile::TempDir>,
    ) -> Result<ClientBuilder, Error> {
        let read = |name: &str| {
            let variable = variables.iter().find(|(variable, _)| *variable == name);
            variable.map(|(_, value)| value.into())
        };
        let home = home.map(|home| home.path().to_owned());
        ClientBuilder::loaded(Environment::new(read, home).load())
    }

    fn build(variables: &[(&str, &str)]) -> Result<Client, Error> {
        load(variables, None)?.build()
    }

    const KEYS: [(&str, &str); 2] =
        [("UCLOUD_PUBLIC_KEY", "public-key"), ("UCLOUD_PRIVATE_KEY", "private-key")];

    #[test]
    fn the_environment_configures_a_client() {
        let client = build(&KEYS).unwrap();
        assert_eq!(client.0.endpoint, crate::actions::service::ENDPOINT);
        assert_eq!(client.0.encoding, Encoding::Form);
        assert!(client.0.defaults.is_empty());

        let more =
            [("UCLOUD_PROJECT_ID", "org-1"), ("UCLOUD_API_BASE_URL", "https://api.ucloud.cn")];
        let client = build(&[KEYS.as_slice(), &more].concat()).unwrap();
        assert_eq!(client.0.endpoint, "https://api.ucloud.cn/");
        assert_eq!(client.0.defaults, [("ProjectId", "org-1".to_owned())]);
        let CredentialsSource::Static(credentials) = &client.0.credentials else {
            panic!("the environment has a key pair");
        };
        assert_eq!(**credentials, Credentials::new("public-key", "private-key"));
        for shown in [
            format!("{client:?}"),
            format!("{:?}", Client::builder().credentials(Credentials::new("p-key", "s-key"))),
        ] {
            assert!(!shown.contains("-key"), "{shown}");
        }
    }

    #[test]
    fn problems_of_the_environment_are_listed_together() {
        for (variables, expected) in [
            (&[][..], &["UCLOUD_PUBLIC_KEY", "UCLOUD_PRIVATE_KEY"][..]),
            (&KEYS[..1], &["UCLOUD_PUBLIC_KEY is set, but UCLOUD_PRIVATE_KEY is not"]),
            (&KEYS[1..], &["UCLOUD_PRIVATE_KEY is set, but UCLOUD_PUBLIC_KEY is not"]),
            (
                &[("UCLOUD_PUBLIC_KEY", ""), ("UCLOUD_PRIVATE_KEY", "x"), ("UCLOUD_PROFILE", "p")],
                &[
                    "\n- UCLOUD_PRIVATE_KEY is set, but UCLOUD_PUBLIC_KEY is not",
                    "\n- UCLOUD_PROFILE: there is no profile `p`: ~/.ucloud/config.json and",
                ],
            ),
            (
                &[
                    KEYS[0],
                    ("UCLOUD_PRIVATE_KEY", "secret-key\n"),
                    ("UCLOUD_API_BASE_URL", "ftp://x/"),
                ],
                &[
                    "\n- UCLOUD_PRIVATE_KEY contains whitespace: copy it again",
                    "\n- UCLOUD_API_BASE_URL must start with https://",
                ],
            ),
        ] {
            let error = build(variables).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            for part in expected {
                assert!(error.to_string().contains(part), "{part:?} in {error}");
            }
            assert!(!format!("{error} {error:?}").contains("secret-key"));
        }
    }

    #[test]
    fn problems_of_a_builder_are_listed_together() {
        let error = Client::builder().build().unwrap_err().to_string();
        assert!(error.starts_with("no credentials are set: "), "{error}");

        let credentials = Credentials::new("", "a b").with_security_token("token\n");
        let builder = Client::builder().credentials(credentials).timeout(Duration::ZERO);
        let builder = builder.parameter("ProjectId", String::new());
        let error = builder.base_url("http://u@a.example/?q").build().unwrap_err().to_string();
        for part in [
            "the public key of `credentials` is empty",
            "the private key of `credentials` contains whitespace",
            "the security token of `credentials` contains whitespace",
            "`project_id` is empty",
            "`timeout` must be greater than zero",
            "`base_url` is plain HTTP",
            "`base_url` must not contain a user name",
            "`base_url` must not contain a query",
        ] {
            assert!(error.contains(&format!("\n- {part}")), "{part} in {error}");
        }
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

    const CONFIG: &str = r#"[{"profile": "work", "active": true, "project_id": "org-work", "base_url": "https://api.ucloud.cn/",
        "timeout_sec": 15, "max_retry_times": 2}, {"profile": "web"}]"#;
    const CREDENTIAL: &str = r#"[{"profile": "work", "public_key": "work-public-key", "private_key": "work-private-key"},
        {"profile": "web", "auth_mode": "oauth", "access_token": "access-token"}]"#;

    #[test]
    fn the_builder_overrides_the_environment_and_that_the_files() {
        let home = home(CONFIG, CREDENTIAL);
        let profile = |name| ConfigSource::Profile {
            name: "work".to_owned(),
            path: home.path().join(".ucloud").join(name),
        };
        let client = load(&[], Some(&home)).unwrap().build().unwrap();
        let ClientState {
            credentials: CredentialsSource::Static(credentials),
            defaults,
            endpoint,
            timeout,
            retry,
            sources,
            ..
        } = &*client.0
        else {
            panic!("the file has a key pair");
        };
        assert_eq!(**credentials, Credentials::new("work-public-key", "work-private-key"));
        assert_eq!(*defaults, [("ProjectId", "org-work".to_owned())]);
        assert_eq!(endpoint, "https://api.ucloud.cn/");
        assert_eq!(*timeout, Duration::from_secs(15));
        assert_eq!(*retry, RetryPolicy::default().with_max_attempts(3));
        let config = profile("config.json");
        let all = ConfigSources {
            credentials: profile("credential.json"),
            parameters: [("ProjectId", config.clone())].into(),
            base_url: config.clone(),
            timeout: config.clone(),
            channel_key: None,
            retry: config.clone(),
            ignored: Vec::new(),
        };
        assert_eq!(*sources, all);

        let variables =
            [KEYS[0], KEYS[1], ("UCLOUD_PROJECT_ID", "org-env"), ("UCLOUD_TIMEOUT_SECOND", " 7 ")];
        let builder = load(&variables, Some(&home)).unwrap();
        let client = builder.parameter("ProjectId", "org-given".to_owned()).build().unwrap();
        assert_eq!(client.0.defaults, [("ProjectId", "org-given".to_owned())]);
        assert_eq!(client.0.timeout, Duration::from_secs(7));
        let mixed = ConfigSources {
            credentials: ConfigSource::Environment("UCLOUD_PUBLIC_KEY"),
            parameters: [("ProjectId", ConfigSource::Explicit)].into(),
            base_url: config.clone(),
            channel_key: None,
            timeout: ConfigSource::Environment("UCLOUD_TIMEOUT_SECOND"),
            retry: config,
            ignored: Vec::new(),
        };
        assert_eq!(*client.config_sources(), mixed);
        let shown = format!("{client:?}");
        assert!(shown.contains("UCLOUD_PUBLIC_KEY") && !shown.contains("public-key"), "{shown}");
    }

    #[test]
    fn problems_with_credentials_in_a_file_matter_only_without_others() {
        let home = home(CONFIG, CREDENTIAL);
        let oauth = || load(&[("UCLOUD_PROFILE", "web")], Some(&home)).unwrap();
        let error = oauth().build().unwrap_err().to_string();
        assert!(error.contains("uses OAuth"), "{error}");
        assert!(!error.contains("access-token"), "{error}");
        // The fallback does not replace credentials that are configured and invalid.
        let provider = crate::MetadataCredentials::new();
        assert!(oauth().fallback_credentials_provider(provider).build().is_err());
        oauth().credentials(Credentials::new("public-key", "private-key")).build().unwrap();
        let [public, private] = KEYS;
        let variables = [public, private, ("UCLOUD_PROFILE", "web")];
        load(&variables, Some(&home)).unwrap().build().unwrap();

        let error =
            load(&[("UCLOUD_PROFILE", "away"), ("UCLOUD_TIMEOUT_SECOND", "1.5")], Some(&home));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("there is no profile `away`"), "{error}");
        assert!(error.contains("UCLOUD_TIMEOUT_SECOND must be a whole number"), "{error}");
    }

    #[test]
    fn the_fallback_provider_is_used_without_other_credentials() {
        let empty = tempfile::tempdir().unwrap();
        let builder = load(&[], Some(&empty)).unwrap();
        let client = builder
            .fallback_credentials_provider(crate::MetadataCredentials::new())
            .build()
            .unwrap();
        assert!(matches!(client.0.credentials, CredentialsSource::Provider(_)));
        assert_eq!(client.config_sources().credentials, ConfigSource::Provider);
    }
}

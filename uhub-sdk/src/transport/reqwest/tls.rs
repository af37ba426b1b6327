//! TLS of the built-in transport.

use zeroize::Zeroizing;

use crate::error::Error;

/// The settings for TLS.
#[derive(Clone, Default)]
pub(crate) struct TlsSettings {
    /// PEM certificates to trust in addition to those of the operating system.
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) client_certificate: Option<ClientCertificate>,
    /// Replaces the other settings.
    #[cfg(feature = "__rustls")]
    pub(crate) config: Option<std::sync::Arc<rustls::ClientConfig>>,
}

/// A certificate chain and its private key in PEM.
#[derive(Clone)]
#[cfg_attr(not(feature = "__tls"), expect(dead_code, reason = "without TLS, it is refused"))]
pub(crate) struct ClientCertificate {
    pub(crate) chain: Vec<u8>,
    pub(crate) key: Zeroizing<Vec<u8>>,
}

#[cfg(any(feature = "__rustls", not(feature = "native-tls")))]
impl TlsSettings {
    fn has_certificates(&self) -> bool {
        !self.roots.is_empty() || self.client_certificate.is_some()
    }
}

#[cfg(feature = "__tls")]
fn invalid_root(number: usize) -> Error {
    Error::configuration(format!(
        "invalid root certificate (call {number} of `root_certificates`): expected PEM, with \
         `-----BEGIN CERTIFICATE-----`."
    ))
}

#[cfg(feature = "__tls")]
fn invalid_client_certificate(problem: &str) -> Error {
    Error::configuration(format!("invalid client certificate (`client_certificate`): {problem}."))
}

#[cfg(feature = "__tls")]
const EXPECTED_CHAIN: &str = "expected PEM, with `-----BEGIN CERTIFICATE-----`";
#[cfg(feature = "__tls")]
const EXPECTED_KEY: &str = "expected its private key in PEM, with `-----BEGIN PRIVATE KEY-----`";

#[cfg(feature = "__tls")]
const KEY_MISMATCH: &str = "the certificate and its private key do not match";

#[cfg(feature = "__rustls")]
pub(super) use by_rustls::Tls;

#[cfg(feature = "__rustls")]
mod by_rustls {
    use std::sync::Arc;

    use rustls::{
        ClientConfig, RootCertStore,
        crypto::CryptoProvider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    };
    use rustls_platform_verifier::Verifier;

    use crate::error::Error;
    use crate::transport::reqwest::tls::{
        EXPECTED_CHAIN, EXPECTED_KEY, KEY_MISMATCH, TlsSettings, invalid_client_certificate,
        invalid_root,
    };

    #[derive(Debug)]
    pub(crate) struct Tls(ClientConfig);

    impl Tls {
        /// Checks the certificates and loads those of the operating system, if TLS is used.
        pub(crate) fn new(settings: &TlsSettings, is_used: bool) -> Result<Self, Error> {
            if let Some(config) = &settings.config {
                if settings.has_certificates() {
                    return Err(Error::configuration(
                        "`rustls_config` replaces `root_certificates` and `client_certificate`: \
                         add the certificates to the configuration instead.",
                    ));
                }
                let mut config = (**config).clone();
                // The transport uses HTTP/1.1.
                config.alpn_protocols.clear();
                return Ok(Self(config));
            }
            let mut extra = Vec::new();
            for (index, pem) in settings.roots.iter().enumerate() {
                let roots = certificates(pem).map_err(|source| match source {
                    Some(source) => invalid_root(index + 1).with_source(source),
                    None => invalid_root(index + 1),
                })?;
                extra.extend(roots);
            }
            let provider = provider();
            let unable =
                |error| Error::configuration("TLS cannot be initialized.").with_source(error);
            let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
                .map_err(unable)?;
            let config = if is_used {
                let verifier = Verifier::new_with_extra_roots(extra, provider).map_err(unable)?;
                config.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            } else {
                // Plain HTTP needs no certificates: do not load them.
                config.with_root_certificates(RootCertStore::empty())
            };
            let Some(client) = &settings.client_certificate else {
                return Ok(Self(config.with_no_client_auth()));
            };
            let chain = certificates(&client.chain).map_err(|source| {
                let error = invalid_client_certificate(EXPECTED_CHAIN);
                match source {
                    Some(source) => error.with_source(source),
                    None => error,
                }
            })?;
            // The error could quote the key.
            let key = PrivateKeyDer::from_pem_slice(&client.key)
                .map_err(|_| invalid_client_certificate(EXPECTED_KEY))?;
            let config = config
                .with_client_auth_cert(chain, key)
                .map_err(|error| invalid_client_certificate(KEY_MISMATCH).with_source(error))?;
            Ok(Self(config))
        }

        #[cfg(test)]
        pub(crate) fn disabled() -> Self {
            Self::new(&TlsSettings::default(), false).unwrap()
        }

        pub(crate) fn apply(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
            builder.tls_backend_preconfigured(self.0.clone())
        }
    }

    /// Returns the process's provider, if one is installed, and otherwise that of the features. None
    /// is installed here: that would change the program's other uses of rustls.
    fn provider() -> Arc<CryptoProvider> {
        #[cfg(feature = "rustls")]
        use rustls::crypto::aws_lc_rs::default_provider;
        #[cfg(not(feature = "rustls"))]
        use rustls::crypto::ring::default_provider;

        let installed = CryptoProvider::get_default().cloned();
        installed.unwrap_or_else(|| Arc::new(default_provider()))
    }

    /// Reads one or more certificates. There may be no cause for the error.
    fn certificates(
        pem: &[u8],
    ) -> Result<Vec<CertificateDer<'static>>, Option<Box<dyn std::error::Error + Send + Sync>>>
    {
        let mut certificates = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| Some(error.into()))?;
            // PEM may contain anything. The store parses it.
            RootCertStore::empty().add(certificate.clone()).map_err(|error| Some(error.into()))?;
            certificates.push(certificate);
        }
        if certificates.is_empty() { Err(None) } else { Ok(certificates) }
    }
}

#[cfg(all(feature = "native-tls", not(feature = "__rustls")))]
#[derive(Debug)]
pub(super) struct Tls(native_tls::TlsConnector);

#[cfg(all(feature = "native-tls", not(feature = "__rustls")))]
impl Tls {
    pub(super) fn new(settings: &TlsSettings, _: bool) -> Result<Self, Error> {
        use native_tls::{Certificate, Identity, TlsConnector};

        let mut builder = TlsConnector::builder();
        for (index, pem) in settings.roots.iter().enumerate() {
            let roots = Certificate::stack_from_pem(pem)
                .map_err(|error| invalid_root(index + 1).with_source(error))?;
            if roots.is_empty() {
                return Err(invalid_root(index + 1));
            }
            for root in roots {
                builder.add_root_certificate(root);
            }
        }
        if let Some(client) = &settings.client_certificate {
            let chain = Certificate::stack_from_pem(&client.chain).unwrap_or_default();
            if chain.is_empty() {
                return Err(invalid_client_certificate(EXPECTED_CHAIN));
            }
            // The error could quote the key.
            let identity = Identity::from_pkcs8(&client.chain, &client.key)
                .map_err(|_| invalid_client_certificate(EXPECTED_KEY))?;
            builder.identity(identity);
        }
        match builder.build() {
            Ok(connector) => Ok(Self(connector)),
            Err(error) if settings.client_certificate.is_some() => {
                Err(invalid_client_certificate(KEY_MISMATCH).with_source(error))
            }
            Err(error) => {
                Err(Error::configuration("TLS cannot be initialized.").with_source(error))
            }
        }
    }

    #[cfg(test)]
    pub(super) fn disabled() -> Self {
        Self::new(&TlsSettings::default(), false).unwrap()
    }

    pub(super) fn apply(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        builder.tls_backend_preconfigured(self.0.clone())
    }
}

#[cfg(not(feature = "__tls"))]
#[derive(Debug)]
pub(super) struct Tls;

#[cfg(not(feature = "__tls"))]
impl Tls {
    pub(super) fn new(settings: &TlsSettings, is_used: bool) -> Result<Self, Error> {
        let user = if is_used {
            "an https base URL needs"
        } else if settings.has_certificates() {
            "`root_certificates` and `client_certificate` need"
        } else {
            return Ok(Self);
        };
        Err(Error::configuration(format!(
            "{user} TLS: enable the feature `rustls` or `native-tls` of uhub-sdk."
        )))
    }

    #[cfg(test)]
    pub(super) fn disabled() -> Self {
        Self
    }

    pub(super) fn apply(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        builder
    }
}

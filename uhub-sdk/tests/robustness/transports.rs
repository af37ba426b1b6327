//! TLS, proxies, connections and custom transports.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Full, StreamBody};
use rcgen::{CertificateParams, DnType, KeyPair};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};
use tower_service::Service;
use uhub_sdk::{
    BoxFuture, Client, ClientBuilder, ErrorKind, Execution, RetryPolicy, TowerTransport, Transport,
    TransportError, TransportService,
    local::{Fault, LocalUhub, Repository},
};

use crate::{
    common::{PRIVATE_KEY, PUBLIC_KEY, credentials, full_text, respond},
    uhub,
};

/// Returns the address of a server.
fn address(uhub: &LocalUhub) -> String {
    let url = uhub.base_url();
    url["http://".len()..].trim_end_matches('/').to_owned()
}

/// Starts a TLS proxy in front of the server, with a certificate for this name. Returns its port
/// and the certificate as PEM.
async fn behind_tls(uhub: &LocalUhub, name: &str) -> (u16, String) {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    // OpenSSL looks roots up by this name, so it must be unique.
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let pem = certificate.pem();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = address(uhub);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                // A client that does not trust the certificate disconnects here.
                let mut client = acceptor.accept(connection).await?;
                let mut server = TcpStream::connect(server).await?;
                copy_bidirectional(&mut client, &mut server).await?;
                Ok::<(), io::Error>(())
            });
        }
    });
    (port, pem)
}

#[cfg(feature = "__tls")]
#[tokio::test]
async fn a_certificate_needs_a_trusted_root_and_the_right_name() {
    let uhub = uhub().await;
    let (port, pem) = behind_tls(&uhub, "localhost").await;
    let (other_port, other_pem) = behind_tls(&uhub, "uhub.example").await;
    let builder = || Client::builder().credentials(credentials());

    let trusting = builder()
        .base_url(format!("https://localhost:{port}/"))
        .root_certificates(other_pem.clone())
        .root_certificates(pem)
        .build()
        .unwrap();
    let page = trusting.get_repo_image("idkTdEFo").send().await.unwrap();
    assert_eq!(page.images.len(), 9);
    assert_eq!(uhub.requests().len(), 1);

    for (name, builder) in [
        ("unknown root", builder().base_url(format!("https://localhost:{port}/"))),
        (
            "wrong name",
            builder()
                .base_url(format!("https://localhost:{other_port}/"))
                .root_certificates(other_pem),
        ),
    ] {
        let client = builder.build().unwrap();
        let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.execution()),
            (ErrorKind::Connect, Execution::NotSent),
            "{name}: {error}"
        );
        let shown = error.to_string();
        assert!(shown.contains("certificate"), "{name}: {shown}");
        // A retry would not help.
        assert_eq!((error.attempts(), error.is_retryable()), (1, false));
    }
    assert_eq!(uhub.requests().len(), 1, "neither was sent");
}

/// Certificates are checked when the client is built, whether they are used or not.
#[cfg(feature = "__tls")]
#[test]
fn invalid_certificates_are_refused() {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let valid = params.self_signed(&key).unwrap().pem();
    let key_pem = key.serialize_pem();
    let other_key = KeyPair::generate().unwrap().serialize_pem();
    let junk = "-----BEGIN CERTIFICATE-----\nanVuaw==\n-----END CERTIFICATE-----\n";
    for base_url in ["https://uhub.example/", "http://127.0.0.1:1/"] {
        let builder = || Client::builder().credentials(credentials()).base_url(base_url);
        for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n", junk, &key_pem] {
            let roots = builder().root_certificates(valid.clone()).root_certificates(pem);
            let error = roots.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{pem:?}");
            let shown = error.to_string();
            assert!(shown.contains("root certificate (call 2 of `root_certificates`)"), "{shown}");
            assert!(shown.contains("expected PEM"), "{shown}");

            let client = builder().client_certificate(pem, key_pem.clone());
            let shown = client.build().unwrap_err().to_string();
            assert!(shown.contains("client certificate (`client_certificate`)"), "{shown}");
        }
        for key in ["", "hello", valid.as_str(), other_key.as_str()] {
            let error = builder().client_certificate(valid.clone(), key).build().unwrap_err();
            let shown = full_text(&error);
            assert!(shown.contains("client certificate (`client_certificate`)"), "{shown}");
            assert!(shown.contains("private key"), "{shown}");
        }
        builder().client_certificate(valid.clone(), key_pem.clone()).build().unwrap();
    }
}

/// Starts a TLS server that requires a client certificate and responds to each request with an
/// empty list. Returns its port and the certificate of both sides with its key as PEM.
#[cfg(feature = "__tls")]
async fn mutual_tls() -> (u16, String, String) {
    use tokio_rustls::rustls::{RootCertStore, server::WebPkiClientVerifier};

    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "mutual");
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let (pem, key_pem) = (certificate.pem(), key.serialize_pem());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut client = acceptor.accept(connection).await?;
                let mut bytes = vec![0; 65_536];
                while client.read(&mut bytes).await? > 0 {
                    let body = r#"{"RetCode": 0, "TotalCount": 0, "ImageSet": []}"#;
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                    client.write_all((head + body).as_bytes()).await?;
                    client.flush().await?;
                }
                Ok::<(), io::Error>(())
            });
        }
    });
    (port, pem, key_pem)
}

#[cfg(feature = "__tls")]
#[tokio::test]
async fn a_client_certificate_is_presented() {
    let (port, pem, key) = mutual_tls().await;
    let builder = || {
        Client::builder()
            .credentials(credentials())
            .base_url(format!("https://localhost:{port}/"))
            .retry(RetryPolicy::disabled())
    };
    let trusting = || builder().root_certificates(pem.clone());
    let client = trusting().client_certificate(pem.clone(), key.clone()).build().unwrap();
    assert!(client.get_repo_image("base").send().await.unwrap().images.is_empty());
    let error = trusting().build().unwrap().create_repo("base").send().await.unwrap_err();
    assert!(error.to_string().contains("`client_certificate`"), "{}", full_text(&error));
    assert_eq!((error.kind(), error.execution()), (ErrorKind::Connect, Execution::NotSent));
}

/// A configuration with its own roots, client certificate and an ALPN that is not used.
#[cfg(feature = "__rustls")]
#[tokio::test]
async fn a_rustls_configuration_replaces_the_others() {
    use tokio_rustls::rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, pem::PemObject},
    };

    let (port, pem, key) = mutual_tls().await;
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![certificate],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let builder = Client::builder()
        .credentials(credentials())
        .base_url(format!("https://localhost:{port}/"))
        .rustls_config(config);
    let client = builder.clone().build().unwrap();
    client.get_repo_image("base").send().await.unwrap();
    let error = builder.root_certificates(pem).build().unwrap_err();
    assert!(error.to_string().contains("`rustls_config` replaces"), "{error}");
}

/// Responds to one request with these bytes and returns the base URL and the request.
async fn respond_once(response: Vec<u8>) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/", listener.local_addr().unwrap());
    let request = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut bytes = vec![0; 65_536];
        let length = client.read(&mut bytes).await.unwrap();
        client.write_all(&response).await.unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    });
    (base_url, request)
}

#[tokio::test]
async fn headers_and_the_name_of_the_program_are_sent() {
    let body = r#"{"RetCode": 0, "TotalCount": 0}"#;
    let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let (base_url, request) = respond_once(response.into()).await;
    let builder = Client::builder().credentials(credentials()).base_url(base_url);
    let client = builder
        .header("Authorization", "Bearer gAtEwAy")
        .header("X-Team", "registry")
        .user_agent_suffix("my-app/1.2")
        .build()
        .unwrap();
    assert!(!format!("{client:?}").contains("gAtEwAy"));
    client.get_repo_image("base").send().await.unwrap();
    let request = request.await.unwrap().to_lowercase();
    for expected in [
        "\r\nauthorization: bearer gateway\r\n",
        "\r\nx-team: registry\r\n",
        "\r\ncontent-type: application/x-www-form-urlencoded\r\n",
        " rust my-app/1.2\r\n",
    ] {
        assert!(request.contains(expected), "{expected:?} in {request}");
    }
    assert_eq!(request.matches("user-agent:").count(), 1);

    let error = Client::builder()
        .credentials(credentials())
        .header("Host", "a.example")
        .header("X-Key", "s3cret\n")
        .user_agent_suffix("")
        .build()
        .unwrap_err();
    let shown = full_text(&error);
    for part in ["header `host` cannot be set", "header `x-key`", "`user_agent_suffix`"] {
        assert!(shown.contains(part), "{shown}");
    }
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn a_compressed_response_is_named() {
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n";
    let response = [head.as_bytes(), &[0x1f, 0x8b, 8, 0]].concat();
    let (base_url, _request) = respond_once(response).await;
    let builder = Client::builder().credentials(credentials()).base_url(base_url);
    let client = builder.retry(RetryPolicy::disabled()).build().unwrap();
    let error = client.get_repo_image("base").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
    assert!(error.to_string().contains("compressed"), "{error}");
    assert!(error.to_string().contains("Content-Encoding: gzip"), "{error}");
}

/// Set in the process that [`exhausted_child`] runs in.
#[cfg(unix)]
const EXHAUSTED: &str = "UHUB_TEST_OPEN_FILES";

/// Opens all files that it may, and makes a call.
#[cfg(unix)]
#[tokio::test]
async fn exhausted_child() {
    if std::env::var_os(EXHAUSTED).is_none() {
        return;
    }
    let builder = Client::builder().credentials(credentials()).base_url("http://127.0.0.1:1/");
    let client = builder.retry(RetryPolicy::disabled()).build().unwrap();
    let mut files = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        files.push(file);
    }
    let error = client.create_repo("base").send().await.unwrap_err();
    files.clear();
    println!("RESULT {:?} {error}", error.execution());
}

#[cfg(unix)]
#[test]
fn too_many_open_files_are_named() {
    let output = std::process::Command::new("sh")
        .args([
            "-c",
            r#"ulimit -n 100 && exec "$0" --exact transports::exhausted_child --nocapture"#,
        ])
        .arg(std::env::current_exe().unwrap())
        .env(EXHAUSTED, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let result = text.split("RESULT ").nth(1).unwrap_or_else(|| panic!("{text}"));
    assert!(result.starts_with("NotSent CreateRepo: cannot connect to 127.0.0.1:1: "), "{result}");
    assert!(result.contains("raise the limit of open files"), "{result}");
    assert!(!result.contains("base URL"), "{result}");
}

/// Starts a proxy that forwards all requests to one server. Returns its address and the requests.
async fn proxy(server: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = listener.local_addr().unwrap().to_string();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut head = vec![0; 16_384];
            let length = client.read(&mut head).await.unwrap();
            let text = String::from_utf8_lossy(&head[..length]).into_owned();
            recorded.lock().unwrap().push(text);
            let mut server = TcpStream::connect(&server).await.unwrap();
            server.write_all(&head[..length]).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    (url, requests)
}

#[tokio::test]
async fn a_configured_proxy_is_used() {
    let uhub = LocalUhub::builder()
        .user(PUBLIC_KEY, PRIVATE_KEY)
        .repository(Repository::documented())
        .allow_host("uhub.example")
        .start()
        .await
        .unwrap();
    let (proxy, requests) = proxy(address(&uhub)).await;
    let client = ClientBuilder::for_local(&uhub)
        .base_url("http://uhub.example/")
        .allow_plain_http()
        .proxy(format!("http://someone:pRoXy-pAsS@{proxy}"))
        .build()
        .unwrap();
    assert!(!format!("{client:?}").contains("pRoXy-pAsS"));
    let page = client.get_repo_image("idkTdEFo").send().await.unwrap();
    assert_eq!(page.images.len(), 9);
    let requests = requests.lock().unwrap();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("POST http://uhub.example/ HTTP/1.1"), "{}", requests[0]);
    assert!(requests[0].to_lowercase().contains("proxy-authorization: basic "));

    for url in [
        "http://someone:pRoXy-pAsS@ bad",
        "htpp://someone:pRoXy-pAsS@127.0.0.1:1",
        "socks9://someone:pRoXy-pAsS@127.0.0.1:1",
        "file:///pRoXy-pAsS",
        "",
        "::",
    ] {
        let builder = ClientBuilder::for_local(&uhub).proxy(url);
        assert!(!format!("{builder:?}").contains("pRoXy-pAsS"));
        let error = builder.build().unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("proxy URL") && !shown.contains("pRoXy-pAsS"), "{shown}");
    }
}

/// Nothing was sent on such a connection, so any action is sent on a new one.
#[tokio::test]
async fn a_connection_closed_while_idle_fails_no_call() {
    let uhub = uhub().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/", listener.local_addr().unwrap());
    let server = address(&uhub);
    let connections = Arc::new(AtomicUsize::new(0));
    let accepted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            accepted.fetch_add(1, Ordering::SeqCst);
            let mut server = TcpStream::connect(&server).await.unwrap();
            tokio::spawn(async move {
                let mut bytes = vec![0; 65_536];
                let length = client.read(&mut bytes).await.unwrap();
                server.write_all(&bytes[..length]).await.unwrap();
                let length = server.read(&mut bytes).await.unwrap();
                client.write_all(&bytes[..length]).await.unwrap();
                // Close after one response, without announcing it.
            });
        }
    });
    let client = ClientBuilder::for_local(&uhub)
        .base_url(base_url)
        .retry(RetryPolicy::disabled())
        .build()
        .unwrap();
    for number in 0..5 {
        client.create_repo(format!("repository-{number}")).send().await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(connections.load(Ordering::SeqCst), 5);
    assert_eq!(uhub.requests().len(), 5);
}

/// A timeout while connecting means that nothing was sent.
#[tokio::test]
async fn a_timeout_in_the_tls_handshake_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = Client::builder()
        .credentials(credentials())
        .base_url(format!("https://{address}/"))
        .attempt_timeout(Duration::from_millis(300))
        .retry(RetryPolicy::disabled())
        .build()
        .unwrap();
    for _ in 0..5 {
        let error = client.create_repo("base").send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.execution()),
            (ErrorKind::Connect, Execution::NotSent),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_announced_size_takes_no_memory() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub)
        .max_response_size(usize::MAX)
        .retry(RetryPolicy::disabled())
        .build()
        .unwrap();
    let length = (1_u64 << 62).to_string();
    uhub.inject(respond(200, &[("Content-Length", &length)], "{".repeat(100_000)));
    let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
}

#[tokio::test]
async fn maximum_durations_are_accepted_and_zero_is_not() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub)
        .timeout(Duration::MAX)
        .attempt_timeout(Duration::MAX)
        .connect_timeout(Duration::MAX)
        .idle_timeout(Duration::MAX)
        .retry(RetryPolicy::default().with_base_delay(Duration::MAX).with_max_attempts(u32::MAX))
        .build()
        .unwrap();
    client.get_repo_image("idkTdEFo").send().await.unwrap();
    let call = client.get_repo_image("idkTdEFo");
    let error = call.with_timeout(Duration::ZERO).send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Request, 0), "{error}");
    assert_eq!(uhub.requests().len(), 1);
}

#[tokio::test]
async fn a_thousand_concurrent_calls_succeed() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    let calls: Vec<_> =
        (0..1000).map(|_| tokio::spawn(client.get_repo_image("idkTdEFo").send())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().images.len(), 9);
    }
    assert_eq!(uhub.requests().len(), 1000);
}

#[tokio::test]
async fn dropping_a_call_cancels_it_without_effect_on_others() {
    let uhub = uhub().await;
    let client = ClientBuilder::for_local(&uhub).build().unwrap();
    for number in 1..=20 {
        uhub.inject(Fault::Hang);
        let call = tokio::spawn(client.get_repo_image("idkTdEFo").send());
        while uhub.requests().len() < number {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
    }
    let page = client.get_repo_image("idkTdEFo").send().await.unwrap();
    assert_eq!(page.images.len(), 9);
}

/// Fails each request with this error, and counts them.
#[derive(Debug)]
struct Failing {
    error: fn() -> TransportError,
    sent: Arc<AtomicUsize>,
}

impl Transport for Failing {
    fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.sent.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Err((self.error)()) })
    }
}

#[tokio::test]
async fn the_error_of_a_transport_decides_about_retries() {
    for (error, for_get, for_create, execution) in [
        (
            (|| TransportError::not_connected("no way.")) as fn() -> TransportError,
            3,
            3,
            Execution::NotSent,
        ),
        (|| TransportError::not_connected("no way.").permanent(), 1, 1, Execution::NotSent),
        (|| TransportError::interrupted("it broke."), 3, 1, Execution::Unknown),
        (
            || TransportError::timed_out("too long.").with_source(io::Error::other("why")),
            3,
            1,
            Execution::Unknown,
        ),
    ] {
        let sent = Arc::new(AtomicUsize::new(0));
        let policy =
            RetryPolicy::default().with_max_attempts(3).with_base_delay(Duration::from_millis(1));
        let client = Client::builder()
            .credentials(credentials())
            .retry(policy)
            .transport(Failing { error, sent: Arc::clone(&sent) })
            .build()
            .unwrap();
        let error = client.get_repo_image("base").send().await.unwrap_err();
        assert_eq!((error.attempts(), error.execution()), (for_get, execution), "{error}");
        let error = client.create_repo("base").send().await.unwrap_err();
        assert_eq!((error.attempts(), error.execution()), (for_create, execution), "{error}");
        assert_eq!(sent.load(Ordering::SeqCst) as u32, for_get + for_create);
    }
}

/// The error of a transport and its source may contain the URL.
#[tokio::test]
async fn secrets_in_the_error_of_a_transport_are_hidden() {
    #[derive(Debug)]
    struct Indiscreet;

    impl Transport for Indiscreet {
        fn send(
            &self,
            request: Request<Bytes>,
        ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
            Box::pin(async move {
                let source = io::Error::other(format!("cannot fetch {}", request.uri()));
                let source = io::Error::other(source);
                Err(TransportError::interrupted(format!("{} failed", request.uri()))
                    .with_source(source))
            })
        }
    }

    let client = Client::builder()
        .credentials(credentials())
        .encoding(uhub_sdk::Encoding::Query)
        .transport(Indiscreet)
        .build()
        .unwrap();
    let error = client.create_repo("base").send().await.unwrap_err();
    let shown = full_text(&error);
    assert!(shown.contains("Action=CreateRepo"), "{shown}");
    for secret in ["pUbLiC", "pRiVaTe"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let signature = shown.split("Signature=").nth(1).unwrap();
    assert!(signature.starts_with("[hidden]"), "{shown}");
}

/// A tower service with a fixed response or error.
#[derive(Clone)]
struct Canned {
    ready: Result<(), &'static str>,
    response: Result<&'static str, &'static str>,
}

type Body = StreamBody<
    Pin<Box<dyn futures_core::Stream<Item = Result<http_body::Frame<Bytes>, io::Error>> + Send>>,
>;

/// A stream of one chunk or error.
struct Once(Option<Result<&'static str, io::Error>>);

impl futures_core::Stream for Once {
    type Item = Result<http_body::Frame<Bytes>, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.0.take();
        Poll::Ready(next.map(|chunk| {
            chunk.map(|text| http_body::Frame::data(Bytes::from_static(text.as_bytes())))
        }))
    }
}

impl Service<Request<Full<Bytes>>> for Canned {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = std::future::Ready<Result<Response<Body>, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(self.ready.map_err(io::Error::other))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        assert_eq!(request.uri(), "https://api.surfercloud.com/");
        std::future::ready(match self.response {
            Ok("") => Ok(Response::new(StreamBody::new(Box::pin(Once(Some(Err(
                io::Error::other("cut"),
            ))))))),
            Ok(text) => Ok(Response::new(StreamBody::new(Box::pin(Once(Some(Ok(text))))))),
            Err(message) => Err(io::Error::other(message)),
        })
    }
}

#[tokio::test]
async fn a_tower_service_is_a_transport() {
    let client = |service: Canned| -> ClientBuilder {
        Client::builder()
            .credentials(credentials())
            .retry(RetryPolicy::disabled())
            .transport(TowerTransport::new(service).with_max_response_size(1000))
    };
    let whole = r#"{"RetCode": 0, "TotalCount": 1, "ImageSet": [{"ImageName": "nginx"}]}"#;
    let working = Canned { ready: Ok(()), response: Ok(whole) };
    let page = client(working).build().unwrap().get_repo_image("base").send().await.unwrap();
    assert_eq!(page.images[0].image_name, "nginx");

    // A service may return a transport error itself.
    #[derive(Clone)]
    struct Refusing;

    impl Service<Request<Full<Bytes>>> for Refusing {
        type Response = Response<Full<Bytes>>;
        type Error = TransportError;
        type Future = std::future::Ready<Result<Self::Response, TransportError>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
            std::future::ready(Err(TransportError::not_connected("the door is shut.")))
        }
    }

    // A transport may be chosen at run time.
    let boxed: Box<dyn Transport> = Box::new(TowerTransport::<_, Full<Bytes>>::new(Refusing));
    let shared: Arc<dyn Transport> = Arc::from(boxed);
    let client_with_shared = Client::builder().credentials(credentials()).transport(shared);
    let refused = client_with_shared.retry(RetryPolicy::disabled()).build().unwrap();
    let error = refused.create_repo("base").send().await.unwrap_err();
    assert_eq!(error.execution(), Execution::NotSent);
    assert!(error.to_string().contains("the door is shut"), "{error}");

    let long: &'static str = Box::leak("x".repeat(1001).into_boxed_str());
    for (ready, response, kind, execution) in [
        (Err("busy"), Ok(whole), ErrorKind::Connect, Execution::NotSent),
        (Ok(()), Err("lost"), ErrorKind::Connection, Execution::Unknown),
        (Ok(()), Ok(""), ErrorKind::Connection, Execution::Unknown),
        (Ok(()), Ok(long), ErrorKind::ResponseTooLarge, Execution::Unknown),
    ] {
        let client = client(Canned { ready, response }).build().unwrap();
        let error = client.get_repo_image("base").send().await.unwrap_err();
        assert_eq!((error.kind(), error.execution()), (kind, execution), "{error}");
    }
}

/// Delays each request of a tower service, and fails it in one of several ways.
#[derive(Clone, Copy)]
enum Failure {
    NotReady,
    Late,
    LateBody,
}

#[tokio::test]
async fn a_timeout_of_a_service_is_a_timeout() {
    #[derive(Clone)]
    struct Slow(Failure);

    impl Service<Request<Full<Bytes>>> for Slow {
        type Response = Response<Body>;
        type Error = tower::BoxError;
        type Future = BoxFuture<'static, Result<Response<Body>, tower::BoxError>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), tower::BoxError>> {
            Poll::Ready(match self.0 {
                Failure::NotReady => Err(tower::timeout::error::Elapsed::new().into()),
                _ => Ok(()),
            })
        }

        fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
            let failure = self.0;
            Box::pin(async move {
                if matches!(failure, Failure::Late) {
                    std::future::pending::<()>().await;
                }
                let late = io::Error::new(io::ErrorKind::TimedOut, "late");
                Ok(Response::new(StreamBody::new(Box::pin(Once(Some(Err(late)))) as Pin<Box<_>>)))
            })
        }
    }

    for (failure, execution, attempts) in [
        (Failure::NotReady, Execution::NotSent, 2),
        (Failure::Late, Execution::Unknown, 1),
        (Failure::LateBody, Execution::Unknown, 1),
    ] {
        let service = tower::timeout::Timeout::new(Slow(failure), Duration::from_millis(20));
        let client = Client::builder()
            .credentials(credentials())
            .retry(RetryPolicy::default().with_max_attempts(2).with_base_delay(Duration::ZERO))
            .transport(TowerTransport::<_, Full<Bytes>>::new(service))
            .build()
            .unwrap();
        let error = client.create_repo("base").send().await.unwrap_err();
        assert_eq!((error.kind(), error.execution()), (ErrorKind::Timeout, execution), "{error}");
        assert_eq!(error.attempts(), attempts, "{error}");
    }
}

/// Timeouts of several libraries have nothing in common but their text.
#[tokio::test]
async fn timeouts_are_recognized_in_the_chain_of_an_error() {
    let elapsed = tokio::time::timeout(Duration::ZERO, std::future::pending::<()>()).await;
    let errors: [(tower::BoxError, ErrorKind); 6] = [
        (Box::new(elapsed.unwrap_err()), ErrorKind::Timeout),
        (Box::new(io::Error::from(io::ErrorKind::TimedOut)), ErrorKind::Timeout),
        (Box::new(io::Error::other(tower::timeout::error::Elapsed::new())), ErrorKind::Timeout),
        (Box::new(io::Error::other(TransportError::timed_out("late."))), ErrorKind::Timeout),
        (Box::new(io::Error::other(TransportError::not_connected("shut."))), ErrorKind::Connect),
        (Box::new(io::Error::from(io::ErrorKind::ConnectionReset)), ErrorKind::Connection),
    ];
    for (error, kind) in errors {
        let text = error.to_string();
        let error = Mutex::new(Some(error));
        let service = tower::service_fn(move |_: Request<Full<Bytes>>| {
            let error = error.lock().unwrap().take();
            async move { Err::<Response<Full<Bytes>>, _>(error.unwrap()) }
        });
        let service = tower::util::BoxCloneSyncService::new(CloneByArc::new(service));
        let client = Client::builder()
            .credentials(credentials())
            .retry(RetryPolicy::disabled())
            .transport(TowerTransport::<_, Full<Bytes>>::new(service))
            .build()
            .unwrap();
        let error = client.create_repo("base").send().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{text}: {error}");
    }
}

/// Shares a service between its clones.
struct CloneByArc<S>(Arc<Mutex<S>>);

impl<S> CloneByArc<S> {
    fn new(service: S) -> Self {
        Self(Arc::new(Mutex::new(service)))
    }
}

impl<S> Clone for CloneByArc<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Service<R>, R> Service<R> for CloneByArc<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.lock().unwrap().poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.lock().unwrap().call(request)
    }
}

/// Records what passes a layer.
#[derive(Clone)]
struct Recorder(&'static str, Arc<Mutex<Vec<&'static str>>>);

impl<S> tower::Layer<S> for Recorder {
    type Service = Recording<S>;

    fn layer(&self, inner: S) -> Recording<S> {
        Recording(inner, self.clone())
    }
}

#[derive(Clone)]
struct Recording<S>(S, Recorder);

impl<S: Service<Request<B>>, B> Service<Request<B>> for Recording<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        self.1.1.lock().unwrap().push(self.1.0);
        self.0.call(request)
    }
}

#[tokio::test]
async fn layers_wrap_the_built_in_transport() {
    let uhub = uhub().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let builder = || {
        ClientBuilder::for_local(&uhub)
            .layer(Recorder("inner", Arc::clone(&seen)))
            .layer(Recorder("outer", Arc::clone(&seen)))
    };
    let client = builder().build().unwrap();
    assert_eq!(client.get_repo_image("idkTdEFo").send().await.unwrap().images.len(), 9);
    assert_eq!(*seen.lock().unwrap(), ["outer", "inner"]);

    // Errors keep their meaning, and the settings apply.
    let layer = tower::timeout::TimeoutLayer::new(Duration::from_millis(200));
    let client = builder().layer(layer.clone()).max_response_size(10).build().unwrap();
    let error = client.get_repo_image("idkTdEFo").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResponseTooLarge, "{error}");
    uhub.inject(Fault::Hang);
    let client = builder().layer(layer.clone()).retry(RetryPolicy::disabled()).build().unwrap();
    let error = client.create_repo("new").send().await.unwrap_err();
    assert_eq!((error.kind(), error.execution()), (ErrorKind::Timeout, Execution::Unknown));
    let dead = builder().layer(layer).base_url("http://127.0.0.1:1/");
    let client = dead.retry(RetryPolicy::disabled()).build().unwrap();
    let error = client.create_repo("new").send().await.unwrap_err();
    assert_eq!((error.kind(), error.execution()), (ErrorKind::Connect, Execution::NotSent));

    // The same by hand.
    let http = ClientBuilder::for_local(&uhub).http_transport().unwrap();
    let service = tower::ServiceBuilder::new()
        .layer(Recorder("by hand", Arc::clone(&seen)))
        .service(TransportService::new(http));
    let client = ClientBuilder::for_local(&uhub)
        .transport(TowerTransport::<_, Full<Bytes>>::new(service))
        .build()
        .unwrap();
    client.get_repo_image("idkTdEFo").send().await.unwrap();
    assert_eq!(seen.lock().unwrap().last(), Some(&"by hand"));
}

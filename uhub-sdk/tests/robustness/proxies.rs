//! Proxies: which one is used, and what its failures look like.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use uhub_sdk::{Client, ClientBuilder, Error, ErrorKind, Execution, RetryPolicy};

use crate::common::{credentials, full_text};

const PASSWORD: &str = "pRoXy-pAsS";

/// A proxy that responds to the head of every request and closes the connection.
struct StubProxy {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl StubProxy {
    fn start(response: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&heads);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let Some(head) = read_head(&mut connection) else { continue };
                let _ = connection.write_all(response(&head).as_bytes());
                recorded.lock().unwrap().push(head);
            }
        });
        Self { address, heads }
    }

    fn refusing(status: &'static str) -> Self {
        Self::start(move |head| {
            // Repeats the request, as some proxies do.
            let length = head.len();
            format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{head}"
            )
        })
    }

    fn requests(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

/// Reads a request up to the end of its head and the body that has arrived with it.
fn read_head(connection: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    while !bytes.windows(4).any(|part| part == b"\r\n\r\n") {
        match connection.read(&mut chunk).ok()? {
            0 => return None,
            length => bytes.extend(&chunk[..length]),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the address of a port where nothing listens.
fn dead() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn quick() -> RetryPolicy {
    RetryPolicy::default().with_max_attempts(2).with_base_delay(Duration::from_millis(1))
}

fn builder(base_url: &str) -> ClientBuilder {
    let builder = Client::builder().credentials(credentials()).retry(quick());
    builder.base_url(base_url).allow_plain_http()
}

async fn fail(builder: ClientBuilder) -> Error {
    let error = builder.build().unwrap().create_repo("base").send().await.unwrap_err();
    let text = full_text(&error);
    assert!(!text.contains(PASSWORD), "{text}");
    println!("{error}");
    error
}

#[cfg(feature = "__tls")]
#[tokio::test]
async fn a_refused_tunnel_names_the_proxy_and_its_status() {
    for (status, attempts, advice) in [
        ("407 Proxy Authentication Required", 1, "check the user name and the password"),
        ("403 Forbidden", 1, "check that the proxy allows it"),
        ("502 Bad Gateway", 2, "the proxy cannot reach it"),
        ("503 Service Unavailable", 2, "the proxy cannot reach it"),
        ("302 Found", 1, "check that the proxy allows it"),
    ] {
        let proxy = StubProxy::refusing(status);
        let url = format!("http://someone:{PASSWORD}@{}", proxy.address);
        let error = fail(builder("https://uhub.example/").proxy(url)).await;
        let shown = error.to_string();
        assert_eq!((error.kind(), error.execution()), (ErrorKind::Connect, Execution::NotSent));
        assert_eq!(error.attempts(), attempts, "{shown}");
        let status_code = status.split(' ').next().unwrap();
        assert_eq!(error.http_status().map(|code| code.to_string()).as_deref(), Some(status_code));
        for part in [
            format!("the proxy http://{} (from `ClientBuilder::proxy`)", proxy.address),
            "uhub.example".to_owned(),
            format!("HTTP {status}"),
            advice.to_owned(),
        ] {
            assert!(shown.contains(&part), "{part} in {shown}");
        }
    }
    let proxy = StubProxy::refusing("407 Proxy Authentication Required");
    let error = fail(builder("https://uhub.example/").proxy(&proxy.address)).await;
    assert!(error.to_string().contains("add a user name and a password"), "{error}");
}

#[tokio::test]
async fn a_refused_request_names_the_proxy_and_its_status() {
    let proxy = StubProxy::refusing("407 Proxy Authentication Required");
    let url = format!("http://someone:{PASSWORD}@{}", proxy.address);
    let error = fail(builder("http://uhub.example/").proxy(url)).await;
    assert_eq!((error.kind(), error.execution()), (ErrorKind::Connect, Execution::NotSent));
    assert_eq!((error.attempts(), error.http_status()), (1, Some(407)));
    assert_eq!(proxy.requests(), 1);
    let expected = format!("the proxy http://{} (from", proxy.address);
    assert!(error.to_string().contains(&expected), "{error}");

    // Whether the proxy or the service responded is not known.
    let proxy = StubProxy::refusing("502 Bad Gateway");
    let error = fail(builder("http://uhub.example/").proxy(&proxy.address)).await;
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
    assert_eq!(error.http_status(), Some(502));
    let expected = format!("It came through the proxy http://{} (from", proxy.address);
    assert!(error.to_string().contains(&expected), "{error}");
}

#[tokio::test]
async fn a_dead_proxy_does_not_look_like_a_dead_service() {
    let urls: &[&str] = if cfg!(feature = "__tls") {
        &["http://uhub.example/", "https://uhub.example/"]
    } else {
        &["http://uhub.example/"]
    };
    for base_url in urls {
        for (scheme, is_supported) in [
            ("http", true),
            ("socks5h", cfg!(feature = "socks")),
            ("https", cfg!(feature = "__tls")),
        ] {
            if !is_supported {
                continue;
            }
            let address = dead();
            let error = fail(builder(base_url).proxy(format!("{scheme}://{address}"))).await;
            let shown = error.to_string();
            assert_eq!((error.kind(), error.execution()), (ErrorKind::Connect, Execution::NotSent));
            assert_eq!(error.attempts(), 2, "a proxy may come back: {shown}");
            let expected = format!("cannot connect to the proxy {scheme}://{address} (from");
            assert!(shown.contains(&expected), "{shown}");
            assert!(!shown.contains("base URL"), "{shown}");
        }
    }
    // Without a proxy, it is the service.
    let address = dead();
    let error = fail(builder(&format!("http://{address}/"))).await;
    let shown = error.to_string();
    assert!(shown.contains(&format!("cannot connect to {address}:")), "{shown}");
    assert!(!shown.contains("proxy"), "{shown}");
}

#[tokio::test]
async fn a_server_that_is_no_proxy_is_named() {
    for response in ["", "SSH-2.0-OpenSSH_9.6\r\n\r\n", "HTTP/1.1 "] {
        let proxy = StubProxy::start(move |_| response.to_owned());
        for base_url in ["http://uhub.example/", "https://uhub.example/"] {
            if base_url.starts_with("https") && !cfg!(feature = "__tls") {
                continue;
            }
            let error = fail(builder(base_url).proxy(&proxy.address)).await;
            let expected = format!("the proxy http://{} (from", proxy.address);
            assert!(error.to_string().contains(&expected), "{response:?}: {error}");
        }
    }
}

/// Accepts SOCKS 5 connections and forwards them to one server. Returns its address and the number
/// of connections.
#[cfg(feature = "socks")]
fn socks_proxy(server: String) -> (String, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let connections = Arc::new(Mutex::new(0));
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            *count.lock().unwrap() += 1;
            let server = server.clone();
            thread::spawn(move || {
                let mut bytes = [0; 512];
                // Methods; then the destination.
                let _ = client.read(&mut bytes).unwrap();
                client.write_all(&[5, 0]).unwrap();
                let _ = client.read(&mut bytes).unwrap();
                client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]).unwrap();
                let mut server = TcpStream::connect(server).unwrap();
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || std::io::copy(&mut from, &mut to));
                let _ = std::io::copy(&mut server, &mut client);
            });
        }
    });
    (address, connections)
}

#[cfg(feature = "socks")]
#[tokio::test]
async fn a_socks_proxy_is_used() {
    let builder = uhub_sdk::local::LocalUhub::builder().allow_host("uhub.example");
    let repository = uhub_sdk::local::Repository::documented();
    let uhub = builder.repository(repository).start().await.unwrap();
    let server = uhub.base_url()["http://".len()..].trim_end_matches('/').to_owned();
    let (address, connections) = socks_proxy(server);
    let builder = ClientBuilder::for_local(&uhub)
        .base_url("http://uhub.example/")
        .allow_plain_http()
        .proxy(format!("socks5h://{address}"));
    let page = builder.build().unwrap().get_repo_image("idkTdEFo").send().await.unwrap();
    assert_eq!(page.images.len(), 9);
    assert_eq!(*connections.lock().unwrap(), 1);
}

/// Set in the process that [`child`] runs in, to the base URL.
const CHILD: &str = "UHUB_TEST_PROXY_CHILD";

/// Set if the built-in transport is set as a custom one.
const WRAPPED: &str = "UHUB_TEST_PROXY_WRAPPED";

/// Makes one call with the proxy of the environment and prints the result.
#[test]
fn child() {
    let Ok(base_url) = std::env::var(CHILD) else { return };
    let mut builder = builder(&base_url);
    if std::env::var_os(WRAPPED).is_some()
        && let Ok(transport) = builder.http_transport()
    {
        builder = builder.transport(transport);
    }
    let result = builder.build().and_then(|client| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(client.get_repo_image("idkTdEFo").send())
    });
    match result {
        Ok(page) => println!("RESULT {} images", page.images.len()),
        Err(error) => println!("RESULT {:?} {} {error}", error.kind(), error.attempts()),
    }
}

/// Runs [`child`] with these variables and no others for proxies.
fn run_child(base_url: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "proxies::child", "--nocapture"]).env(CHILD, base_url);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let start = text.find("RESULT ").unwrap_or_else(|| panic!("{text}"));
    text[start + 7..].split("\ntest ").next().unwrap().trim().to_owned()
}

#[test]
fn the_environment_decides_about_proxies() {
    let body = r#"{"RetCode": 0, "TotalCount": 1, "ImageSet": [{"ImageName": "nginx"}]}"#;
    let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let used = StubProxy::start(move |_| response.clone());
    let refusing = StubProxy::refusing("403 Forbidden");
    let with_password = format!("http://someone:{PASSWORD}@{}", used.address);
    let refusing_url = format!("http://someone:{PASSWORD}@{}", refusing.address);
    let dead = dead();
    let mut expected_requests = 0;
    for (base_url, variables, expected) in [
        ("http://uhub.example/", &[("HTTP_PROXY", used.address.as_str())][..], "1 images"),
        ("http://uhub.example/", &[("http_proxy", &with_password)], "1 images"),
        ("http://uhub.example/", &[("ALL_PROXY", &used.address)], "1 images"),
        (
            "http://192.0.2.7/",
            &[("all_proxy", &used.address), ("NO_PROXY", "10.0.0.0/8")],
            "1 images",
        ),
        ("http://uhub.example/", &[("HTTP_PROXY", ""), ("all_proxy", &used.address)], "1 images"),
        // A direct connection fails: there is no such host.
        (
            "http://uhub.invalid/",
            &[("HTTP_PROXY", &used.address), ("NO_PROXY", "*")],
            "Connect 2 GetRepoImage: cannot connect to uhub.invalid: ",
        ),
        (
            "http://uhub.invalid/",
            &[("HTTP_PROXY", &used.address), ("REQUEST_METHOD", "GET")],
            "Connect 2 GetRepoImage: cannot connect to uhub.invalid: ",
        ),
        (
            &format!("http://{dead}/"),
            &[("HTTP_PROXY", &used.address)],
            &format!("Connect 2 GetRepoImage: cannot connect to {dead}: "),
        ),
        (
            "https://uhub.example/",
            &[("HTTPS_PROXY", &refusing_url), ("ALL_PROXY", &used.address)],
            &format!(
                "Connect 1 GetRepoImage: the proxy http://{} (from HTTPS_PROXY) refused to connect to \
                 uhub.example: HTTP 403 Forbidden",
                refusing.address
            ),
        ),
        (
            "https://uhub.example/",
            &[("https_proxy", &dead)],
            &format!(
                "Connect 2 GetRepoImage: cannot connect to the proxy http://{dead} (from https_proxy): "
            ),
        ),
        (
            "https://uhub.example/",
            &[("HTTPS_PROXY", &format!("http://someone:{PASSWORD}@[bad"))],
            "Configuration 0 invalid proxy URL in HTTPS_PROXY: ",
        ),
        (
            "https://uhub.example/",
            &[("HTTPS_PROXY", &format!("gopher://someone:{PASSWORD}@{dead}"))],
            "Configuration 0 invalid proxy URL in HTTPS_PROXY: ",
        ),
        #[cfg(not(feature = "socks"))]
        (
            "https://uhub.example/",
            &[("ALL_PROXY", "socks5://127.0.0.1:7890")],
            "Configuration 0 the proxy URL in ALL_PROXY is that of a SOCKS proxy, which needs the \
             feature `socks`",
        ),
    ] {
        if base_url.starts_with("https") && !cfg!(feature = "__tls") {
            continue;
        }
        expected_requests += usize::from(expected == "1 images");
        let result = run_child(base_url, variables);
        println!("{variables:?}\n  {result}");
        assert!(result.starts_with(expected), "{variables:?}: {result}");
        assert!(!result.contains(PASSWORD), "{result}");
    }
    assert_eq!(used.requests(), expected_requests);
}

/// The proxy repeats the request, with the password in `Proxy-Authorization`.
#[test]
fn a_wrapped_transport_does_not_show_the_password_of_the_proxy() {
    let proxy = StubProxy::refusing("502 Bad Gateway");
    let url = format!("http://someone:{PASSWORD}@{}", proxy.address);
    let header = "c29tZW9uZTpwUm9YeS1wQXNT";
    for variables in [&[("HTTP_PROXY", url.as_str())][..], &[("all_proxy", &url), (WRAPPED, "1")]] {
        let result = run_child("http://uhub.example/", variables);
        assert!(result.contains("[hidden]"), "{variables:?}: {result}");
        assert!(!result.contains(PASSWORD) && !result.contains(header), "{variables:?}: {result}");
    }
    assert!(proxy.heads.lock().unwrap()[0].contains(header));
}

/// The limit has the name of the setting that it comes from.
#[cfg(feature = "__tls")]
#[tokio::test]
async fn a_connect_timeout_names_its_setting() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let ms = Duration::from_millis;
    let new = || builder(&format!("https://{address}/")).retry(RetryPolicy::disabled());
    for (builder, expected) in [
        (new().connect_timeout(ms(250)), "within 0.25 s (`connect_timeout`): "),
        (new().timeout(ms(400)), "within 0.35 s (7/8 of `timeout`): "),
        (new().attempt_timeout(ms(400)), "within 0.35 s (7/8 of `attempt_timeout`): "),
    ] {
        let error = fail(builder).await;
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.is_timeout() && error.execution() == Execution::NotSent, "{error}");
    }
}

#[cfg(feature = "socks")]
#[tokio::test]
async fn a_name_that_this_machine_has_to_resolve_for_the_proxy_is_named() {
    let error = fail(builder("http://uhub.invalid/").proxy(format!("socks5://{}", dead()))).await;
    let shown = error.to_string();
    assert!(shown.contains("cannot resolve uhub.invalid") && shown.contains("socks5h"), "{shown}");
}

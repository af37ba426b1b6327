//! Clients that mean harm, and web pages that reach the server through a browser.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use uhub_local::{Fault, LocalUhub, Repository};

use crate::wire::*;

const CREDENTIALS: &str = "/meta-data/v2/iam/security-credentials";

/// Far longer than anything here takes, and far shorter than the server's own timeouts.
const SOON: Duration = Duration::from_secs(8);

fn get_with(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\n{headers}\r\n")
}

async fn with_role() -> LocalUhub {
    let builder = LocalUhub::builder().repository(Repository::new("empty"));
    builder.metadata_role("backup", Duration::from_secs(3600)).start().await.unwrap()
}

/// The heads that a web page makes a browser send.
const WEB_PAGES: [&str; 9] = [
    // After the page's own name was redirected to this machine.
    "Host: page.example\r\n",
    "Host: localhost.page.example:80\r\n",
    "Host: 10.0.0.1\r\n",
    "",
    "Host: localhost\r\nHost: localhost\r\n",
    // `fetch`, a form.
    "Host: localhost\r\nOrigin: https://page.example\r\n",
    "Host: localhost\r\nOrigin: null\r\n",
    // `<img>`, in new and in old browsers.
    "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n",
    "Host: localhost\r\nReferer: https://page.example/\r\n",
];

#[tokio::test]
async fn web_pages_get_no_credentials() {
    let uhub = with_role().await;
    for headers in WEB_PAGES {
        for path in [CREDENTIALS.to_owned(), format!("{CREDENTIALS}/backup")] {
            let response = ask(&uhub, get_with(&path, headers)).await;
            assert_eq!(response.status, 403, "{headers}");
            let body = String::from_utf8(response.body).unwrap();
            assert!(!body.contains("temporary"), "{body}");
        }
    }
    assert_eq!(uhub.metadata_requests(), 0);
    let own = get_with(CREDENTIALS, "Host: 127.0.0.1:80\r\n");
    assert_eq!(ask(&uhub, own).await.json()["RetCode"], 0);
}

#[tokio::test]
async fn web_pages_change_nothing() {
    let uhub = with_role().await;
    uhub.inject(Fault::throttled());
    let before = uhub.data();
    let delete = signed(&uhub, &[("Action", "DeleteRepo"), ("RepoName", "empty")]);
    for headers in WEB_PAGES {
        let response = ask(&uhub, get_with(&format!("/?{delete}"), headers)).await;
        assert_eq!(response.status, 403, "{headers}");
        for path in ["requests", "data", "faults", "clock"] {
            let response = ask(&uhub, get_with(&format!("/_local/{path}"), headers)).await;
            assert_eq!(response.status, 403, "{headers}{path}");
        }
    }
    assert_eq!(uhub.data(), before);
    assert!(uhub.requests().iter().all(|request| !request.executed && request.fault.is_none()));
    // The fault is still there for the next client.
    assert_eq!(act(&uhub, "GetRepo", &[]).await["RetCode"], 153);
    assert_eq!(act(&uhub, "DeleteRepo", &[("RepoName", "empty")]).await["RetCode"], 0);
}

#[tokio::test]
async fn a_name_can_be_allowed() {
    let uhub = LocalUhub::builder().allow_host("uhub").start().await.unwrap();
    let list = signed(&uhub, &[("Action", "GetRepo")]);
    for (host, status) in [("uhub", 200), ("UHUB:8080", 200), ("uhub.page.example", 403)] {
        let request = get_with(&format!("/?{list}"), &format!("Host: {host}\r\n"));
        assert_eq!(ask(&uhub, request).await.status, status, "{host}");
    }
    // Control requests come from this machine.
    let request = get_with("/_local/requests", "Host: uhub\r\n");
    assert_eq!(ask(&uhub, request).await.status, 403);

    let network = LocalUhub::builder().listen(([0, 0, 0, 0], 0).into()).allow_remote(true);
    let network = network.start().await.unwrap();
    let list = signed(&network, &[("Action", "GetRepo")]);
    for (host, status) in [("10.0.0.5:8080", 200), ("page.example", 403)] {
        let request = get_with(&format!("/?{list}"), &format!("Host: {host}\r\n"));
        assert_eq!(ask(&network, request).await.status, status, "{host}");
    }
}

#[tokio::test]
async fn idle_connections_starve_nobody() {
    let uhub = LocalUhub::start().await.unwrap();
    let beginnings: [&[u8]; 4] = [
        b"",
        b"GET / HTTP/1.1\r\nHost: local",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nA",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nAct",
    ];
    let mut idle = Vec::new();
    for number in 0..530 {
        // The test has few files to open; more would prove no more.
        let Ok(mut tcp) = TcpStream::connect(address(&uhub)).await else { break };
        // The server may have closed it to make room.
        let _ = tcp.write_all(beginnings[number % beginnings.len()]).await;
        idle.push(tcp);
    }
    idle.truncate(idle.len().saturating_sub(8));
    for _ in 0..5 {
        let response = timeout(SOON, act(&uhub, "GetRepo", &[])).await;
        assert_eq!(response.expect("the client waits")["RetCode"], 0);
    }
}

#[tokio::test]
async fn requests_are_bounded() {
    let uhub = LocalUhub::start().await.unwrap();
    let before = uhub.data();
    let send = async |method: &str, path: &str, body: &Value| {
        let body = body.to_string();
        let length = body.len();
        let request = format!(
            "{method} /_local/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let response = timeout(SOON, ask(&uhub, request)).await.expect("no response");
        (response.status, response.json()["error"].as_str().unwrap_or_default().to_owned())
    };
    for generate in [
        json!({"repositories": 10_000_000}),
        json!({"repositories": 1, "images": 10_000_000}),
        json!({"repositories": 10, "images": 100, "tags": 101}),
        json!({"repositories": u64::MAX, "images": u64::MAX}),
    ] {
        let data = json!({"version": 1, "generate": generate});
        let (status, error) = send("PUT", "data", &data).await;
        assert_eq!(status, 400, "{data}");
        assert!(error.contains("100000 tags"), "{error}");
    }
    let repositories = vec![json!({"name": "same"}); 50_000];
    let project = json!({"id": "org-a", "name": "A", "repositories": repositories});
    let data = json!({"version": 1, "projects": [project]});
    let (status, error) = send("PUT", "data", &data).await;
    assert_eq!(status, 400);
    assert!(error.len() < 4000 && error.ends_with("49979 more problems"), "{error}");
    assert_eq!(uhub.data(), before);

    let (status, error) = send("POST", "unavailable", &json!({"seconds": 1e9})).await;
    assert_eq!((status, error.as_str()), (400, "`seconds` must be at most 3600"));

    let page = json!({"fault": {"respond": {"status": 200, "body": "x".repeat(8 * MIB)}}, "scope": {"action": "None"}});
    for _ in 0..3 {
        assert_eq!(send("POST", "faults", &page).await.0, 200);
    }
    assert_eq!(send("POST", "faults", &page).await.0, 507);
    assert_eq!(send("DELETE", "faults", &json!({})).await.0, 200);
    let small = json!({"fault": "hang", "scope": {"action": "None"}});
    for _ in 0..1000 {
        assert_eq!(send("POST", "faults", &small).await.0, 200);
    }
    assert_eq!(send("POST", "faults", &small).await.0, 507);
    assert_eq!(act(&uhub, "GetRepo", &[]).await["RetCode"], 0);
}

#[tokio::test]
async fn nonsense_is_refused_and_the_server_goes_on() {
    let uhub = LocalUhub::start().await.unwrap();
    let before = uhub.data();
    let create = signed(&uhub, &[("Action", "CreateRepo"), ("RepoName", "new")]);
    let post = "POST / HTTP/1.1\r\nHost: localhost\r\n";
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let length = create.len();
    for request in [
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_owned(),
        "\x16\x03\x01\x02\0\x01\0\x01\x7c".to_owned(),
        format!("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\nX: {create}\r\n\r\n"),
        get_with(&format!("/?{create}"), &format!("Host: localhost\r\nX: {}\r\n", "x".repeat(MIB))),
        get_with(
            &format!("/?{create}"),
            &format!("Host: localhost\r\n{}", "X: y\r\n".repeat(5000)),
        ),
        format!("{post}{form}Content-Length: {length}\r\nContent-Length: 3\r\n\r\n{create}"),
        format!("{post}{form}Content-Length: {}\r\n\r\n{create}", u64::MAX),
        format!("{post}{form}Content-Length: +{length}\r\n\r\n{create}"),
        format!("{post}{form}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{create}"),
        format!("{post}{form}Transfer-Encoding: chunked\r\n\r\n-1\r\n{create}\r\n0\r\n\r\n"),
        format!("{post}{form}Transfer-Encoding: gzip\r\n\r\n{create}"),
        format!("{post}{form} folded: x\r\nContent-Length: {length}\r\n\r\n{create}"),
    ] {
        let mut connection = Connection::open(&uhub).await;
        // The server may close the connection before it has everything.
        let _ = connection.tcp.write_all(request.as_bytes()).await;
        let _ = connection.tcp.shutdown().await;
        while timeout(SOON, connection.read_some()).await.expect("it stays open") {}
        assert_eq!(uhub.data(), before, "{request:.100}");
    }
    // A client that waits for permission to send its body gets it.
    let mut patient = Connection::open(&uhub).await;
    patient
        .send(format!("{post}{form}Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n"))
        .await;
    assert_eq!(patient.expect().await.status, 100);
    patient.send(&create).await;
    assert_eq!(patient.expect().await.json()["RetCode"], 0);
    // Several requests at once are answered in their order.
    let list = signed(&uhub, &[("Action", "GetRepo"), ("Type", "private")]);
    let mut pipelined = Connection::open(&uhub).await;
    pipelined.send([get(&list), post_form(&list), get("")].concat()).await;
    for ret_code in [0, 0, 160] {
        assert_eq!(pipelined.expect().await.ret_code(), ret_code);
    }
}

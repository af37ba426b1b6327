//! Control requests over HTTP.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};
use tokio::net::TcpStream;
use uhub_local::{Data, LocalUhub, LocalUhubBuilder, Repository};

use crate::wire::*;

/// A request to `/_local/` with additional headers.
fn control(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} /_local/{path} HTTP/1.1\r\nHost: 127.0.0.1:80\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
}

async fn send(uhub: &LocalUhub, method: &str, path: &str, body: &str) -> (u16, Value) {
    let response = ask(uhub, control(method, path, "", body)).await;
    (response.status, response.json())
}

fn success() -> (u16, Value) {
    (200, json!({}))
}

#[tokio::test]
async fn faults_are_injected_and_cleared() {
    let uhub = LocalUhub::start().await.unwrap();
    let rule =
        r#"{"fault": {"ret_code": {"code": 153}}, "scope": {"action": "GetRepo", "every": 2}}"#;
    assert_eq!(send(&uhub, "POST", "faults", rule).await, success());
    let next = r#"{"fault": "cut_connection"}"#;
    assert_eq!(send(&uhub, "POST", "faults", next).await, success());
    let mut connection = Connection::open(&uhub).await;
    connection.send(get("")).await;
    assert!(connection.is_closed().await);
    for ret_code in [0, 153, 0, 153] {
        assert_eq!(act(&uhub, "GetRepo", &[]).await["RetCode"], ret_code);
    }
    act(&uhub, "GetRepo", &[]).await;
    assert_eq!(send(&uhub, "DELETE", "faults", "").await, success());
    assert_eq!(act(&uhub, "GetRepo", &[]).await["RetCode"], 0);
}

#[tokio::test]
async fn the_log_is_returned_and_cleared() {
    let uhub = LocalUhub::start().await.unwrap();
    send(&uhub, "POST", "faults", r#"{"fault": {"delay": {"seconds": 0.01}}}"#).await;
    act(&uhub, "GetRepo", &[("Limit", "5")]).await;
    let (status, log) = send(&uhub, "GET", "requests", "").await;
    assert_eq!(status, 200);
    assert_eq!(log.as_array().map(Vec::len), Some(1), "control requests are not logged");
    let request = &log[0];
    assert_eq!(request["action"], "GetRepo");
    assert_eq!(request["parameters"][1], json!(["Limit", "5"]));
    assert_eq!(request["parameters"][2], json!(["PublicKey", "[hidden]"]));
    assert_eq!(request["fault"], json!({"delay": {"seconds": 0.01}}));
    assert_eq!(request["executed"], true);
    assert_eq!(request["status"], 200);
    assert!(request["elapsed"].as_f64().is_some_and(|time| time >= 0.01));
    assert_eq!(send(&uhub, "DELETE", "requests", "").await, success());
    assert_eq!(send(&uhub, "GET", "requests", "").await, (200, json!([])));
}

#[tokio::test]
async fn data_is_returned_and_replaced() {
    let uhub = LocalUhub::builder().repository(Repository::new("base")).start().await.unwrap();
    let (_, before) = send(&uhub, "GET", "data", "").await;
    assert_eq!(serde_json::to_value(uhub.data()).unwrap(), before);
    act(&uhub, "DeleteRepo", &[("RepoName", "base")]).await;
    assert_eq!(send(&uhub, "PUT", "data", &before.to_string()).await, success());
    assert_eq!(serde_json::to_value(uhub.data()).unwrap(), before);

    // The limit is higher than that of API requests.
    let mut data = Data::demo();
    data.projects[0].repositories[0].description = "x".repeat(3 * MIB);
    let large = serde_json::to_string(&data).unwrap();
    assert_eq!(send(&uhub, "PUT", "data", &large).await, success());
    assert_eq!(uhub.data(), data);
}

#[tokio::test]
async fn the_clock_is_set() {
    let uhub = LocalUhub::start().await.unwrap();
    assert_eq!(send(&uhub, "PUT", "clock", r#"{"offset": -1000000000}"#).await, success());
    act(&uhub, "CreateRepo", &[("RepoName", "old")]).await;
    let time = uhub.data().projects[0].repositories[0].create_time.clone();
    assert!(time.parse::<i64>().unwrap() < 1_700_000_000, "{time}");
}

#[tokio::test]
async fn the_port_is_closed_for_a_time() {
    let uhub = LocalUhub::start().await.unwrap();
    assert_eq!(send(&uhub, "POST", "unavailable", r#"{"seconds": 1.5}"#).await, success());
    let connects = async || TcpStream::connect(address(&uhub)).await.is_ok();
    eventually("the closed port", async || !connects().await).await;
    eventually("the server again", connects).await;
}

#[tokio::test]
async fn invalid_control_requests_are_explained() {
    let uhub = LocalUhub::start().await.unwrap();
    for (method, path, body, status, message) in [
        ("POST", "faults", "", 400, "EOF while parsing"),
        ("POST", "faults", r#"{"fault": "cut"}"#, 400, "unknown variant `cut`"),
        ("POST", "faults", r#"{"fault": "hang", "in": {}}"#, 400, "unknown field `in`"),
        ("POST", "faults", r#"{"fault": "hang", "scope": {"rate": 2}}"#, 400, "between 0 and 1"),
        ("PUT", "data", r#"{"version": 7}"#, 400, "version 7"),
        (
            "PUT",
            "data",
            r#"{"version": 1, "projects": [{"id": "", "name": ""}]}"#,
            400,
            "empty project name",
        ),
        ("PUT", "clock", r#"{"offset": "now"}"#, 400, "invalid type: string, expected i64"),
        ("POST", "unavailable", r#"{"seconds": -1}"#, 400, "not a valid number of seconds"),
        ("PUT", "faults", "", 405, "POST or DELETE"),
        ("POST", "requests", "", 405, "GET or DELETE"),
        ("GET", "", "", 404, "requests, faults"),
        ("GET", "nothing", "", 404, "requests, faults"),
    ] {
        let (found, body) = send(&uhub, method, path, body).await;
        assert_eq!(found, status, "{method} {path}");
        let error = body["error"].as_str().unwrap();
        assert!(error.contains(message), "{error}");
    }
    let text = control("POST", "faults", "", r#"{"fault": "hang"}"#)
        .replace("application/json", "text/plain");
    assert_eq!(ask(&uhub, text).await.status, 415);
    assert_eq!(act(&uhub, "GetRepo", &[]).await["RetCode"], 0, "a refused request had an effect");
}

#[tokio::test]
async fn web_pages_cannot_send_control_requests() {
    let uhub = LocalUhub::start().await.unwrap();
    for origin in ["https://page.example", "http://localhost:80", "null"] {
        let headers = format!("Origin: {origin}\r\n");
        let request = control("DELETE", "requests", &headers, "");
        assert_eq!(ask(&uhub, request).await.status, 403, "{origin}");
    }
    for (host, status) in [
        ("page.example", 403),
        ("localhost.page.example", 403),
        ("127.0.0.1.page.example", 403),
        ("10.0.0.1", 403),
        ("", 403),
        ("127.0.0.1:1@page.example", 403),
        ("[::1].page.example", 403),
        ("[::1", 403),
        ("localhost:http", 403),
        ("localhost\r\nHost: localhost", 403),
        ("localhost:8080", 200),
        ("LOCALHOST", 200),
        ("[::1]:80", 200),
        ("127.0.0.9", 200),
    ] {
        let request = control("GET", "requests", "", "").replace("127.0.0.1:80", host);
        assert_eq!(ask(&uhub, request).await.status, status, "{host}");
    }
    for (host, status) in [("page.example", 403), ("localhost", 200)] {
        let request = control("GET", "requests", "", "");
        let request = request.replace("/_local", &format!("http://{host}/_local"));
        assert_eq!(ask(&uhub, request).await.status, status, "{host}");
    }
    // A page's form cannot call the API either.
    let create = signed(&uhub, &[("Action", "CreateRepo"), ("RepoName", "base")]);
    let request = post_form(&create).replacen("\r\n", "\r\nOrigin: null\r\n", 1);
    assert_eq!(ask(&uhub, request).await.status, 403);
    assert_eq!(uhub.data().projects[0].repositories, []);
}

#[tokio::test]
async fn control_is_off_for_remote_servers_unless_enabled() {
    let status = async |builder: LocalUhubBuilder| {
        let uhub = builder.start().await.unwrap();
        ask(&uhub, control("GET", "requests", "", "")).await.status
    };
    let any = || {
        let anywhere = (Ipv4Addr::UNSPECIFIED, 0).into();
        LocalUhub::builder().listen(anywhere).allow_remote(true)
    };
    assert_eq!(status(LocalUhub::builder()).await, 200);
    assert_eq!(status(LocalUhub::builder().control(false)).await, 404);
    assert_eq!(status(any()).await, 404);
    assert_eq!(status(any().control(true)).await, 200);
}

#[tokio::test]
async fn the_address_can_be_chosen() {
    let six = LocalUhub::builder().listen((Ipv6Addr::LOCALHOST, 0).into()).start().await.unwrap();
    assert!(six.base_url().starts_with("http://[::1]:"), "{}", six.base_url());
    assert_eq!(act(&six, "GetRepo", &[]).await["RetCode"], 0);

    let taken = address(&six).parse().unwrap();
    let error = LocalUhub::builder().listen(taken).start().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(address(&six)), "{error}");

    for remote in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let refused = LocalUhub::builder().listen(remote.parse().unwrap()).start();
        let error = refused.await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("allow_remote"), "{error}");
    }
    let any = LocalUhub::builder()
        .listen("0.0.0.0:0".parse().unwrap())
        .allow_remote(true)
        .start()
        .await
        .unwrap();
    assert!(any.base_url().starts_with("http://127.0.0.1:"));
    assert_eq!(act(&any, "GetRepo", &[]).await["RetCode"], 0);
}

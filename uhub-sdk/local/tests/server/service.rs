//! The service: its protocol, actions and limits.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use uhub_local::{Fault, Image, LocalUhub, Project, Repository, Tag};

use crate::wire::*;

#[tokio::test]
async fn every_check_has_its_return_code() {
    let uhub = with_images(1).await;
    let with = |more: Pairs<'_>| signed(&uhub, &[LIST, more].concat());
    let key = uhub.public_key();
    let good = with(&[]);
    let other_signature = "0123456789abcdef0123456789abcdef01234567";

    let cases = [
        (0, good.clone()),
        (0, with(&[("ProjectId", "org-local"), ("Offset", "0"), ("Limit", "1")])),
        (160, String::new()),
        (160, form(&[("PublicKey", key), ("Signature", "x"), ("ProjectId", "x")])),
        (160, signed(&uhub, &[("Action", "")])),
        (161, form(&[("Action", "GetNothing")])),
        (161, form(&[("Action", "getrepoimage"), ("ProjectId", "x")])),
        (170, form(LIST)),
        (170, form(&[LIST, &[("Signature", ""), ("PublicKey", "nobody")]].concat())),
        (172, form(&[LIST, &[("Signature", other_signature)]].concat())),
        (172, form(&[LIST, &[("Signature", other_signature), ("PublicKey", "")]].concat())),
        (172, signed_with("nobody", uhub.private_key(), LIST)),
        (171, signed_with(key, "another key", LIST)),
        (171, form(&[LIST, &[("PublicKey", key), ("Signature", other_signature)]].concat())),
        (171, good.clone() + "&Limit=1"),
        (171, good.clone() + "&ProjectId=nothing"),
        (171, good.replace("base", "bass")),
        (292, with(&[("ProjectId", "org-other")])),
        (292, with(&[("ProjectId", "")])),
        (292, signed(&uhub, &[("Action", "GetRepoImage"), ("ProjectId", "org-other")])),
        (220, signed(&uhub, &[("Action", "GetRepoImage")])),
        (220, signed(&uhub, &[("Action", "GetRepoImage"), ("RepoName", "")])),
        (220, signed(&uhub, &[("Action", "GetRepoImage"), ("Offset", "x")])),
        (230, with(&[("Limit", "0")])),
        (230, with(&[("Limit", "")])),
        (230, with(&[("Limit", "ten")])),
        (230, with(&[("Limit", "+1")])),
        (230, with(&[("Limit", "99999999999999999999999")])),
        (230, with(&[("Offset", "-1")])),
        (230, with(&[("Offset", "1.5")])),
        (230, signed(&uhub, &[("Action", "GetRepoImage"), ("RepoName", "nowhere")])),
    ];
    for (ret_code, parameters) in cases {
        for request in [get(&parameters), post_form(&parameters)] {
            let response = ask(&uhub, request).await;
            let body = response.json();
            assert_eq!(body["RetCode"], ret_code, "{parameters}");
            assert_eq!(response.status, 200);
            assert_eq!(response.header("content-type"), Some("application/json"));
            assert_eq!(response.header("x-ucloud-request-uuid").map(str::len), Some(36));
            if ret_code != 0 {
                assert!(body["Message"].as_str().is_some_and(|text| text.len() > 8), "{body}");
                assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
            }
            // A response repeats no value of the request: it could be a secret.
            let text = String::from_utf8(response.body).unwrap();
            for secret in [key, uhub.private_key(), other_signature, "nobody", "org-other"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_names_the_action_and_the_parameter() {
    let uhub = with_images(1).await;
    let refused = ask(&uhub, get(&signed(&uhub, &[("Action", "GetRepoImage")]))).await;
    assert_eq!(
        refused.json(),
        json!({"Action": "GetRepoImageResponse", "RetCode": 220, "Message": "Missing params [RepoName]"}),
    );
    let limit = signed(&uhub, &[LIST, &[("Limit", "0")]].concat());
    assert_eq!(ask(&uhub, get(&limit)).await.json()["Message"], "Params [Limit] not available");
    assert_eq!(ask(&uhub, get("Action=New")).await.json()["Action"], "NewResponse");
    assert_eq!(ask(&uhub, get("")).await.json()["Action"], "Response");
}

#[tokio::test]
async fn images_are_listed_as_documented() {
    let mut nginx = Image::new("nginx").latest_tag("1.27").pull_count(7);
    nginx.create_time = "1700000001".to_owned();
    nginx.update_time = "1700000002".to_owned();
    let uhub = LocalUhub::builder()
        .repository(Repository::new("base").image(nginx).image(Image::new("plain")))
        .repository(Repository::new("empty"))
        .start()
        .await
        .unwrap();

    assert_eq!(
        ask(&uhub, get(&signed(&uhub, LIST))).await.json(),
        json!({
            "Action": "GetRepoImageResponse",
            "RetCode": 0,
            "TotalCount": 2,
            "ImageSet": [
                {
                    "ImageName": "nginx",
                    "PullCount": 7,
                    "CreateTime": "1700000001",
                    "UpdateTime": "1700000002",
                    "LatestTag": "1.27",
                    "RepoName": "base",
                },
                {
                    "ImageName": "plain",
                    "PullCount": 0,
                    "CreateTime": "1700000000",
                    "UpdateTime": "1700000000",
                    "LatestTag": "latest",
                    "RepoName": "base",
                },
            ],
        }),
    );
    let empty = signed(&uhub, &[("Action", "GetRepoImage"), ("RepoName", "empty")]);
    assert_eq!(
        ask(&uhub, get(&empty)).await.json(),
        json!({"Action": "GetRepoImageResponse", "RetCode": 0, "TotalCount": 0, "ImageSet": []}),
    );
}

#[tokio::test]
async fn pages_cover_the_list_once() {
    let uhub = with_images(53).await;
    let page = async |more: Pairs<'_>| {
        let parameters = signed(&uhub, &[LIST, more].concat());
        let body = ask(&uhub, get(&parameters)).await.json();
        assert_eq!(body["TotalCount"], 53);
        let images = body["ImageSet"].as_array().unwrap();
        let names = images.iter().map(|image| image["ImageName"].as_str().unwrap().to_owned());
        names.collect::<Vec<String>>()
    };

    let mut all = Vec::new();
    while all.len() <= 53 {
        let next = page(&[("Offset", &all.len().to_string()), ("Limit", "10")]).await;
        if next.is_empty() {
            break;
        }
        assert!(next.len() == 10 || all.len() == 50);
        all.extend(next);
    }
    let expected: Vec<String> = (0..53).map(|number| format!("image-{number}")).collect();
    assert_eq!(all, expected);

    assert_eq!(page(&[]).await, expected[..20]);
    assert_eq!(page(&[("Offset", "7")]).await, expected[7..27]);
    assert_eq!(page(&[("Limit", "100")]).await, expected);
    assert_eq!(page(&[("Offset", "52"), ("Limit", "100")]).await, expected[52..]);
    assert!(
        page(&[("Offset", "9223372036854775807"), ("Limit", "9223372036854775807")])
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn every_encoding_is_equivalent() {
    let uhub = with_images(3).await;
    let flat: Pairs<'_> = &[
        ("Action", "GetRepoImage"),
        ("RepoName", "base"),
        ("Limit", "2"),
        ("Note", "基础 & more=1 +%"),
        ("Ratio", "35"),
        ("Share", "0.000015"),
        ("Public", "true"),
        ("Tags.0", "a"),
        ("Tags.1", ""),
        ("Rules.0.Name", "keep"),
        ("Rules.0.Days.0", "30"),
        ("Rules.1.Name", "drop"),
        ("Empty", ""),
        ("PublicKey", uhub.public_key()),
    ];
    let signature = sign(flat, uhub.private_key());
    let all = form(&[flat, &[("Signature", &signature)]].concat());
    let nested = json!({
        "Action": "GetRepoImage",
        "RepoName": "base",
        "Limit": 2,
        "Note": "基础 & more=1 +%",
        "Ratio": 35.0,
        "Share": 1.5e-5,
        "Public": true,
        "Tags": ["a", ""],
        "Rules": [{"Name": "keep", "Days": [30]}, {"Name": "drop"}],
        "Empty": "",
        "PublicKey": uhub.public_key(),
        "Signature": signature,
    });

    let expected = ask(&uhub, get(&all)).await.json();
    assert_eq!(expected["RetCode"], 0);
    assert_eq!(expected["ImageSet"].as_array().map(Vec::len), Some(2));
    for request in [
        post_form(&all),
        post("Application/X-WWW-Form-URLencoded; charset=UTF-8", &all),
        post_json(&nested),
        post("application/json;charset=utf-8", &nested.to_string()),
    ] {
        assert_eq!(ask(&uhub, &request).await.json(), expected, "{request}");
    }

    // The same with chunked encoding.
    let mut chunked = String::from(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    let text = nested.to_string();
    for chunk in text.as_bytes().chunks(7) {
        // A chunk may end within a character, so that each byte becomes one `char`.
        chunked.push_str(&format!("{:x}\r\n", chunk.len()));
        chunked.extend(chunk.iter().map(|&byte| char::from(byte)));
        chunked.push_str("\r\n");
    }
    chunked.push_str("0\r\n\r\n");
    let bytes: Vec<u8> = chunked.chars().map(|char| u32::from(char) as u8).collect();
    assert_eq!(ask(&uhub, bytes).await.json(), expected);

    // The signature covers nested values.
    let mut changed = nested;
    changed["Rules"][0]["Days"][0] = 31.into();
    assert_eq!(ask(&uhub, post_json(&changed)).await.ret_code(), 171);
}

#[tokio::test]
async fn the_last_value_of_a_repeated_parameter_wins() {
    let uhub = with_images(3).await;
    let parameters = format!("RepoName=elsewhere&Limit=x&{}", signed(&uhub, LIST));
    // The unsigned `Limit` is not repeated.
    assert_eq!(ask(&uhub, get(&parameters)).await.ret_code(), 171);
    let parameters = format!("RepoName=elsewhere&{}", signed(&uhub, LIST));
    assert_eq!(ask(&uhub, get(&parameters)).await.ret_code(), 0);
    assert_eq!(uhub.requests()[1].parameter("RepoName"), Some("base"));
    assert_eq!(uhub.requests()[1].parameters[0], ("RepoName".to_owned(), "elsewhere".to_owned()));
}

#[tokio::test]
async fn requests_outside_the_protocol_are_refused() {
    let uhub = with_images(1).await;
    let good = signed(&uhub, LIST);
    let with_method =
        |method: &str| format!("{method} /?{good} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let cases = [
        (404, format!("GET /other?{good} HTTP/1.1\r\nHost: localhost\r\n\r\n")),
        (405, with_method("PUT")),
        (405, with_method("DELETE")),
        (405, with_method("OPTIONS")),
        (415, post("text/plain", &good)),
        (415, format!("POST /?{good} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")),
        (400, get("Action=%zz")),
        (400, get("Action=%ff")),
        (400, post_form("Action=%")),
        (400, post("application/json", "")),
        (400, post("application/json", "[1]")),
        (400, post("application/json", "{\"Action\": ")),
        (400, post("application/json", "{\"Action\": null}")),
        (400, post("application/json", &good)),
        (400, post_form(&"A=1&".repeat(20_000))),
    ];
    for (status, request) in cases {
        let response = ask(&uhub, &request).await;
        assert_eq!(response.status, status, "{request}");
        assert_eq!(response.ret_code(), 230, "{request}");
        assert_eq!(response.header("x-ucloud-request-uuid").map(str::len), Some(36));
        assert_eq!(response.header("allow"), (status == 405).then_some("GET, POST"));
        let last = uhub.requests().pop().unwrap();
        assert_eq!(last.ret_code, Some(230));
        assert_eq!(last.parameters, []);
        assert_eq!(last.path, if status == 404 { "/other" } else { "/" });
    }

    // A POST ignores its query.
    let request = post_form("").replace("POST /", &format!("POST /?{good}"));
    assert_eq!(ask(&uhub, request).await.ret_code(), 160);
}

#[tokio::test]
async fn malformed_requests_do_no_harm() {
    let uhub = with_images(1).await;
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let broken = [
        String::new(),
        "nonsense\r\n\r\n".to_owned(),
        "\0\0\0\0\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nno colon\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost:".to_owned(),
        format!("POST / HTTP/1.1\r\nHost: localhost\r\n{form}Content-Length: minus\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nHost: localhost\r\n{form}Content-Length: 100\r\n\r\nAction="),
        format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n{form}Transfer-Encoding: chunked\r\n\r\nzz\r\n"
        ),
        format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n{form}Transfer-Encoding: chunked\r\n\r\n5\r\nAct"
        ),
    ];
    for request in &broken {
        let mut connection = Connection::open(&uhub).await;
        connection.send(request).await;
        // The request ends here.
        connection.tcp.shutdown().await.unwrap();
        while let Some(response) = connection.receive().await {
            assert_eq!(response.status, 400, "{request}");
        }
    }
    assert_eq!(uhub.requests(), [], "an incomplete request was logged");
    for head in [format!("X: {}\r\n", "x".repeat(MIB)), "X: x\r\n".repeat(1000)] {
        let mut connection = Connection::open(&uhub).await;
        // The server may close the connection before everything is sent.
        let request = format!("GET / HTTP/1.1\r\n{head}\r\n");
        let _ = connection.tcp.write_all(request.as_bytes()).await;
        if let Some(response) = connection.receive().await {
            assert_eq!(response.status, 431);
        }
    }
    assert_eq!(ask(&uhub, get(&signed(&uhub, LIST))).await.ret_code(), 0);
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let uhub = with_images(1).await;
    let head = |length: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n{length}\r\n\r\n"
        )
    };

    let pad = "x".repeat(MIB - signed(&uhub, LIST).len() - "&Pad=".len());
    let exact = signed(&uhub, &[LIST, &[("Pad", &pad)]].concat());
    assert_eq!(exact.len(), MIB);
    assert_eq!(ask(&uhub, post_form(&exact)).await.ret_code(), 0);

    for too_long in [exact.clone() + "x", exact.repeat(12)] {
        let response = ask(&uhub, post_form(&too_long)).await;
        assert_eq!((response.status, response.ret_code()), (413, 230));
    }
    let chunk = format!("{MIB:x}\r\n{}\r\n", "x".repeat(MIB));
    let chunked = format!("{}{chunk}1\r\nx\r\n0\r\n\r\n", head("Transfer-Encoding: chunked"));
    assert_eq!(ask(&uhub, chunked).await.status, 413);

    // The server does not wait for a body that is announced far too long.
    let mut connection = Connection::open(&uhub).await;
    connection.send(head("Content-Length: 999999999999")).await;
    assert_eq!(connection.expect().await.status, 413);
    assert!(connection.is_closed().await);

    let recorded: Vec<_> = uhub.requests().iter().map(|request| request.ret_code).collect();
    assert_eq!(recorded, [Some(0), Some(230), Some(230), Some(230), Some(230)]);
}

#[tokio::test]
async fn a_connection_takes_many_requests() {
    let uhub = with_images(1).await;
    let good = signed(&uhub, LIST);
    let mut connection = Connection::open(&uhub).await;
    let mut ids = HashSet::new();
    for request in [get(&good), post_form(&good), get("Action=No"), post("text/plain", "x")]
        .iter()
        .cycle()
        .take(40)
    {
        connection.send(request).await;
        let response = connection.expect().await;
        ids.insert(response.header("x-ucloud-request-uuid").unwrap().to_owned());
    }
    assert_eq!(ids.len(), 40, "an id came twice");
    let recorded: HashSet<String> =
        uhub.requests().into_iter().map(|request| request.request_id).collect();
    assert_eq!(recorded, ids);

    // Pipelined requests are answered in order.
    connection.send(get(&good) + &get("Action=No")).await;
    assert_eq!(connection.expect().await.ret_code(), 0);
    assert_eq!(connection.expect().await.ret_code(), 161);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_are_served_at_once() {
    let uhub = with_images(5).await;
    let request = post_form(&signed(&uhub, LIST));
    let clients: Vec<_> = futures_of(100, || {
        let (request, address) = (request.clone(), address(&uhub).to_owned());
        async move {
            let mut connection = Connection::to(&address).await;
            for _ in 0..10 {
                connection.send(&request).await;
                assert_eq!(connection.expect().await.ret_code(), 0);
            }
        }
    });
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(uhub.requests().len(), 1000);
}

fn futures_of<F>(count: usize, make: impl Fn() -> F) -> Vec<tokio::task::JoinHandle<()>>
where
    F: Future<Output = ()> + Send + 'static,
{
    (0..count).map(|_| tokio::spawn(make())).collect()
}

#[tokio::test]
async fn requests_are_logged_without_secrets() {
    let uhub = with_images(1).await;
    let token = "temporary-token";
    let parameters = signed(&uhub, &[LIST, &[("SecurityToken", token), ("Limit", "5")]].concat());
    let response = ask(&uhub, post_form(&parameters)).await;
    ask(&uhub, get("Action=No&B=2&A=1")).await;

    let requests = uhub.requests();
    let [first, second] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(first.method, "POST");
    assert_eq!(first.content_type.as_deref(), Some("application/x-www-form-urlencoded"));
    assert_eq!(first.action.as_deref(), Some("GetRepoImage"));
    assert_eq!(first.ret_code, Some(0));
    assert_eq!(Some(first.request_id.as_str()), response.header("x-ucloud-request-uuid"));
    let names: Vec<&str> = first.parameters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Action", "RepoName", "SecurityToken", "Limit", "PublicKey", "Signature"]);
    assert_eq!(first.parameter("Limit"), Some("5"));
    for hidden in ["SecurityToken", "PublicKey", "Signature"] {
        assert_eq!(first.parameter(hidden), Some("[hidden]"));
    }
    assert_eq!(second.method, "GET");
    assert_eq!(second.content_type, None);
    assert_eq!(second.ret_code, Some(161));
    let pairs = |pairs: Pairs<'_>| -> Vec<(String, String)> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    assert_eq!(second.parameters, pairs(&[("Action", "No"), ("B", "2"), ("A", "1")]));

    // JSON parameters keep their order.
    ask(&uhub, post("application/json", r#"{"Z": 1, "Action": "No", "A": [true]}"#)).await;
    assert_eq!(
        uhub.requests()[2].parameters,
        pairs(&[("Z", "1"), ("Action", "No"), ("A.0", "true")])
    );
}

#[tokio::test]
async fn debug_shows_no_private_key() {
    let builder = LocalUhub::builder().user("public-one", "private-one");
    assert!(format!("{builder:?}").contains("public-one"));
    assert!(!format!("{builder:#?}").contains("private-one"));
    let uhub = builder.start().await.unwrap();
    assert!(format!("{uhub:?}").contains(uhub.base_url()));
    assert!(!format!("{uhub:#?}").contains("private-one"));
}

#[tokio::test]
async fn a_fault_replaces_the_response() {
    let uhub = with_images(1).await;
    let good = post_form(&signed(&uhub, LIST));
    let mut connection = Connection::open(&uhub).await;
    let mut respond = async |status: u16, headers: Pairs<'_>, body: &'static str| {
        let headers =
            headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let body = Bytes::from_static(body.as_bytes());
        uhub.inject(Fault::Respond { status, headers, body });
        connection.send(&good).await;
        connection.expect().await
    };

    let page = "<html>502 Bad Gateway</html>";
    let response = respond(502, &[("Content-Type", "text/html"), ("Server", "proxy")], page).await;
    assert_eq!(response.status, 502);
    assert_eq!(response.header("content-type"), Some("text/html"));
    assert_eq!(response.header("server"), Some("proxy"));
    assert_eq!(response.header("x-ucloud-request-uuid"), None);
    assert_eq!(response.body, page.as_bytes());

    let response = respond(200, &[], "").await;
    assert_eq!((response.status, response.body.len()), (200, 0));

    let response = respond(302, &[("Location", "http://elsewhere.invalid/")], "").await;
    assert_eq!(response.header("location"), Some("http://elsewhere.invalid/"));

    assert_eq!(respond(204, &[], "not sent").await.status, 204);

    let response = respond(200, &[("Content-Length", "3")], "{\"RetCode\": 0}").await;
    assert_eq!(response.body, b"{\"R");

    for (status, headers) in [
        (99, &[][..]),
        (1000, &[]),
        (103, &[]),
        (200, &[("na me", "x")]),
        (200, &[("Name", "a\r\nb")]),
        (200, &[("Content-Length", "many")]),
        (200, &[("Content-Length", "1"), ("Content-Length", "2")]),
        (200, &[("Transfer-Encoding", "gzip")]),
    ] {
        let response = respond(status, headers, "body").await;
        assert_eq!(response.status, 500, "{status} {headers:?}");
        assert!(String::from_utf8(response.body).unwrap().contains("cannot be sent"));
    }

    // With a longer `Content-Length`, the body is sent and the connection closes.
    let response = respond(200, &[("Content-Length", "100")], "short").await;
    assert_eq!((response.body.as_slice(), response.complete), (&b"short"[..], false));
    assert!(connection.is_closed().await);

    assert!(uhub.requests().iter().all(|request| request.ret_code.is_none()));
    assert_eq!(ask(&uhub, &good).await.ret_code(), 0);
}

#[tokio::test]
async fn a_huge_body_is_streamed() {
    let uhub = with_images(1).await;
    let good = get(&signed(&uhub, LIST));
    let mut connection = Connection::open(&uhub).await;
    for bytes in [0_usize, 1, 1000, 5 * MIB + 3] {
        uhub.inject(Fault::Huge { bytes: bytes as u64 });
        connection.send(&good).await;
        let response = connection.expect().await;
        assert!(response.complete);
        assert_eq!(response.body.len(), bytes);
        assert_eq!(response.header("content-length"), None);
        if bytes >= 1000 {
            assert_eq!(response.json()["RetCode"], 0);
            assert_eq!(response.json()["Action"], "GetRepoImageResponse");
        }
    }

    // Longer than any memory. The client may leave at any time.
    uhub.inject(Fault::Huge { bytes: u64::MAX });
    connection.send(&good).await;
    assert!(connection.read_some().await);
    drop(connection);
    assert_eq!(ask(&uhub, &good).await.ret_code(), 0);
}

#[tokio::test]
async fn a_body_is_cut_after_the_given_bytes() {
    let uhub = with_images(2000).await;
    let good = get(&signed(&uhub, &[LIST, &[("Limit", "2000")]].concat()));
    let whole = ask(&uhub, &good).await.body;
    assert!(whole.len() > 200_000);

    for after in [0, 1, 100, whole.len() / 2, whole.len() - 1] {
        uhub.inject(Fault::CutBody { after });
        let mut connection = Connection::open(&uhub).await;
        connection.send(&good).await;
        let response = connection.expect().await;
        assert_eq!(response.status, 200);
        assert_eq!(response.header("content-length"), Some(whole.len().to_string().as_str()));
        assert!(!response.complete);
        assert!(response.body == whole[..after], "{} bytes came of {after}", response.body.len());
        assert!(connection.is_closed().await);
        assert_eq!(
            uhub.requests().last().unwrap().ret_code,
            Some(0),
            "the action was not executed"
        );
    }
    for after in [whole.len(), usize::MAX] {
        uhub.inject(Fault::CutBody { after });
        let mut connection = Connection::open(&uhub).await;
        connection.send(&good).await;
        let response = connection.expect().await;
        assert!(response.complete && response.body == whole);
        assert!(connection.is_closed().await);
    }
}

#[tokio::test]
async fn a_slow_reader_gets_all_of_a_cut_body() {
    // More than the socket buffers hold, so that the server must wait for the reader.
    let images = (0..20).map(|number| Image::new(format!("{number}{}", "x".repeat(MIB))));
    let repository = Repository::new("base").images(images);
    let uhub = LocalUhub::builder().repository(repository).start().await.unwrap();
    let good = get(&signed(&uhub, LIST));
    let whole = ask(&uhub, &good).await.body;

    uhub.inject(Fault::CutBody { after: whole.len() - 1 });
    let mut connection = Connection::open(&uhub).await;
    connection.send(&good).await;
    sleep(Duration::from_millis(300)).await;
    let response = connection.expect().await;
    assert_eq!(response.body.len(), whole.len() - 1);
    assert!(!response.complete);
}

#[tokio::test]
async fn a_connection_is_cut() {
    let uhub = with_images(1).await;
    let good = get(&signed(&uhub, LIST));
    let mut connection = Connection::open(&uhub).await;
    connection.send(&good).await;
    assert_eq!(connection.expect().await.ret_code(), 0);
    uhub.inject(Fault::CutConnection);
    connection.send(&good).await;
    assert!(connection.is_closed().await);

    let requests = uhub.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].action.as_deref(), Some("GetRepoImage"));
    assert_eq!(requests[1].ret_code, None);
}

#[tokio::test]
async fn a_hanging_request_blocks_no_other() {
    let uhub = with_images(1).await;
    let good = get(&signed(&uhub, LIST));
    uhub.inject(Fault::Hang);
    let mut hung = Connection::open(&uhub).await;
    hung.send(&good).await;
    assert!(hung.stays_silent().await);
    assert_eq!(ask(&uhub, &good).await.ret_code(), 0);
    assert!(hung.stays_silent().await);
    assert_eq!(uhub.requests().len(), 2);

    uhub.stop().await.unwrap();
    assert!(hung.is_closed().await);
}

#[tokio::test]
async fn queued_faults_are_injected_in_order_and_once() {
    let uhub = with_images(1).await;
    let good = get(&signed(&uhub, LIST));
    for status in [502, 503] {
        uhub.inject(Fault::Respond { status, headers: Vec::new(), body: Bytes::new() });
    }
    uhub.inject(Fault::CutBody { after: usize::MAX });
    let mut statuses = Vec::new();
    // The invalid second request takes a fault, too.
    for request in [good.as_str(), "PUT / HTTP/1.1\r\nHost: localhost\r\n\r\n", &good, &good] {
        statuses.push(ask(&uhub, request).await.status);
    }
    assert_eq!(statuses, [502, 503, 200, 200]);
    let recorded: Vec<_> = uhub.requests().iter().map(|request| request.ret_code).collect();
    assert_eq!(recorded, [None, None, Some(0), Some(0)]);
}

#[tokio::test]
async fn servers_are_independent() {
    let one = LocalUhub::start().await.unwrap();
    let two = LocalUhub::builder()
        .user("first", "first secret")
        .user("second", "second secret")
        .project("org-a")
        .project("org-b")
        .repository(Repository::new("base"))
        .start()
        .await
        .unwrap();
    assert_ne!(one.base_url(), two.base_url());
    assert_eq!((one.public_key(), one.private_key()), ("local-public-key", "local-private-key"));
    assert_eq!(one.project_id(), "org-local");
    assert_eq!((two.public_key(), two.private_key()), ("first", "first secret"));
    assert_eq!(two.project_id(), "org-a");

    two.inject(Fault::CutConnection);
    assert_eq!(ask(&one, get(&signed(&one, LIST))).await.ret_code(), 230);
    let mut connection = Connection::open(&two).await;
    connection.send(get("")).await;
    assert!(connection.is_closed().await);

    assert_eq!(ask(&two, get(&signed(&one, LIST))).await.ret_code(), 172);
    assert_eq!(ask(&two, get(&signed(&two, LIST))).await.ret_code(), 0);
    assert_eq!(ask(&two, get(&signed_with("second", "second secret", LIST))).await.ret_code(), 0);
    assert_eq!(ask(&two, get(&signed_with("second", "first secret", LIST))).await.ret_code(), 171);
    // Only the first project has the repository.
    let there = signed(&two, &[LIST, &[("ProjectId", "org-a")]].concat());
    assert_eq!(ask(&two, get(&there)).await.ret_code(), 0);
    let elsewhere = signed(&two, &[LIST, &[("ProjectId", "org-b")]].concat());
    assert_eq!(ask(&two, get(&elsewhere)).await.ret_code(), 230);

    one.stop().await.unwrap();
    assert_eq!(ask(&two, get("")).await.ret_code(), 160);
    assert_eq!(two.requests().len(), 8);
}

#[tokio::test]
async fn two_hundred_run_at_once() {
    let mut all = Vec::new();
    for number in 0..200 {
        let base = Repository::new(format!("r{number}")).public();
        all.push(LocalUhub::builder().repository(base).start().await.unwrap());
    }
    let ports: HashSet<&str> = all.iter().map(LocalUhub::base_url).collect();
    assert_eq!(ports.len(), 200);
    for (number, uhub) in all.iter().enumerate() {
        let listed = act(uhub, "GetRepo", &[]).await;
        let expected = format!("r{number}");
        assert_eq!(column(&listed, "RepoSet", "RepoName"), [expected]);
    }
}

#[tokio::test]
async fn inconsistent_data_does_not_start() {
    let with_image =
        |image: Image| LocalUhub::builder().repository(Repository::new("a").image(image));
    for builder in [
        LocalUhub::builder().user("", "x"),
        LocalUhub::builder().user("a", "x").user("a", "y"),
        LocalUhub::builder().project(""),
        LocalUhub::builder().project("a").project("a"),
        LocalUhub::builder().repository(Repository::new("")),
        LocalUhub::builder().repository(Repository::new("a")).repository(Repository::new("a")),
        LocalUhub::builder()
            .repository(Repository::new("a"))
            .project(Project::from("org-a").repository(Repository::new("a"))),
        LocalUhub::builder().project(Project::new("a", "A")).project("a"),
        with_image(Image::new("")),
        LocalUhub::builder()
            .repository(Repository::new("a").image(Image::new("b")).image(Image::new("b"))),
        with_image(Image::new("b").latest_tag("")),
        with_image(Image::new("b").tag(Tag::new(""))),
        with_image(Image::new("b").tags([Tag::new("1"), Tag::new("1")])),
    ] {
        let error = builder.start().await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{error}");
    }
}

fn unix_now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs()
}

#[tokio::test]
async fn a_repository_lives_from_its_creation_to_its_deletion() {
    let uhub = LocalUhub::start().await.unwrap();
    let base: Pairs<'_> = &[("RepoName", "base")];
    let before = unix_now();
    assert_eq!(
        act(&uhub, "CreateRepo", &[base, &[("Description", "Our base")]].concat()).await,
        json!({"Action": "CreateRepoResponse", "RetCode": 0}),
    );
    // The repository is private, and listed only on request.
    assert_eq!(
        act(&uhub, "GetRepo", &[]).await,
        json!({"Action": "GetRepoResponse", "RetCode": 0, "TotalCount": 0, "RepoSet": []}),
    );
    let listed = act(&uhub, "GetRepo", &[("Type", "private")]).await;
    let time = listed["RepoSet"][0]["CreateTime"].clone();
    assert_eq!(
        listed,
        json!({
            "Action": "GetRepoResponse",
            "RetCode": 0,
            "TotalCount": 1,
            "RepoSet": [{
                "RepoName": "base",
                "CreateTime": time,
                "UpdateTime": time,
                "Description": "Our base",
                "IsShared": "false",
                "IsOutSide": "false",
            }],
        }),
    );
    let created: u64 = time.as_str().unwrap().parse().unwrap();
    assert!((before..=unix_now()).contains(&created));

    assert_eq!(
        act(&uhub, "UpdateRepo", &[base, &[("IsShared", "true")]].concat()).await,
        json!({"Action": "UpdateRepoResponse", "RetCode": 0}),
    );
    // An update without `IsShared` makes the repository private; an empty description counts as
    // absent.
    for description in ["New", ""] {
        let parameters = [base, &[("Description", description)]].concat();
        assert_eq!(act(&uhub, "UpdateRepo", &parameters).await["RetCode"], 0);
    }
    let listed = act(&uhub, "GetRepo", &[("Type", "private")]).await;
    assert_eq!(listed["RepoSet"][0]["IsShared"], "false");
    assert_eq!(listed["RepoSet"][0]["Description"], "New");
    assert_eq!(listed["RepoSet"][0]["CreateTime"], time);

    assert_eq!(act(&uhub, "CreateRepo", base).await["RetCode"], 63001);
    assert_eq!(
        act(&uhub, "DeleteRepo", base).await,
        json!({"Action": "DeleteRepoResponse", "RetCode": 0}),
    );
    for action in ["DeleteRepo", "UpdateRepo", "GetRepoImage"] {
        assert_eq!(act(&uhub, action, base).await["RetCode"], 230, "{action}");
    }
    assert_eq!(act(&uhub, "GetRepo", &[]).await["TotalCount"], 0);
}

#[tokio::test]
async fn a_boolean_comes_as_a_boolean_or_as_a_string() {
    let uhub = LocalUhub::start().await.unwrap();
    for (name, shared) in [("a", json!(true)), ("b", json!("true"))] {
        let flat = [
            ("Action", "CreateRepo"),
            ("RepoName", name),
            ("IsShared", "true"),
            ("PublicKey", uhub.public_key()),
        ];
        let body = json!({
            "Action": "CreateRepo",
            "RepoName": name,
            "IsShared": shared,
            "PublicKey": uhub.public_key(),
            "Signature": sign(&flat, uhub.private_key()),
        });
        assert_eq!(ask(&uhub, post_json(&body)).await.ret_code(), 0);
    }
    let listed = act(&uhub, "GetRepo", &[]).await;
    assert_eq!(column(&listed, "RepoSet", "RepoName"), ["a", "b"]);
}

#[tokio::test]
async fn a_project_holds_eight_repositories() {
    let uhub = LocalUhub::builder().project("org-a").project("org-b").start().await.unwrap();
    for number in 0..8 {
        let name = format!("r{number}");
        let made = act(&uhub, "CreateRepo", &[("RepoName", &name)]).await;
        assert_eq!(made["RetCode"], 0, "{number}");
    }
    let more: Pairs<'_> = &[("RepoName", "more")];
    assert_eq!(
        act(&uhub, "CreateRepo", more).await,
        json!({
            "Action": "CreateRepoResponse",
            "RetCode": 63002,
            "Message": "A project holds at most 8 repositories",
        }),
    );
    // The limit is per project.
    let elsewhere = [more, &[("ProjectId", "org-b")]].concat();
    assert_eq!(act(&uhub, "CreateRepo", &elsewhere).await["RetCode"], 0);
    act(&uhub, "DeleteRepo", &[("RepoName", "r3")]).await;
    assert_eq!(act(&uhub, "CreateRepo", more).await["RetCode"], 0);
    let listed = act(&uhub, "GetRepo", &[("Type", "private"), ("Offset", "2")]).await;
    assert_eq!(listed["TotalCount"], 8);
    assert_eq!(column(&listed, "RepoSet", "RepoName"), ["r2", "r4", "r5", "r6", "r7", "more"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_concurrent_creations_eight_succeed() {
    let uhub = LocalUhub::start().await.unwrap();
    let creations: Vec<_> = (0..40)
        .map(|number| {
            // Each name is used twice.
            let name = format!("r{}", number / 2);
            let request =
                post_form(&signed(&uhub, &[("Action", "CreateRepo"), ("RepoName", &name)]));
            let address = address(&uhub).to_owned();
            tokio::spawn(async move {
                let mut connection = Connection::to(&address).await;
                connection.send(&request).await;
                connection.expect().await.ret_code()
            })
        })
        .collect();
    let mut made = 0;
    for creation in creations {
        match creation.await.unwrap() {
            0 => made += 1,
            refused => assert!([63001, 63002].contains(&refused), "{refused}"),
        }
    }
    assert_eq!(made, 8);
    let listed = act(&uhub, "GetRepo", &[("Type", "private")]).await;
    let names: HashSet<&str> = column(&listed, "RepoSet", "RepoName").into_iter().collect();
    assert_eq!(names.len(), 8);
}

#[tokio::test]
async fn tags_are_listed_and_deleted() {
    let tags = ["1.0", "1.1", "1.2"].map(|name| {
        let mut tag = Tag::new(name).digest(format!("sha256:{name}"));
        tag.update_time = "1700000005".to_owned();
        tag
    });
    let uhub = LocalUhub::builder()
        .repository(
            Repository::new("base").image(Image::new("nginx").tags(tags).tag(Tag::new("edge"))),
        )
        .start()
        .await
        .unwrap();
    let nginx: Pairs<'_> = &[("RepoName", "base"), ("ImageName", "nginx")];
    let with = |more: Pairs<'static>| [nginx, more].concat();

    assert_eq!(
        act(&uhub, "GetImageTag", &with(&[("Limit", "1")])).await,
        json!({
            "Action": "GetImageTagResponse",
            "RetCode": 0,
            "TotalCount": 4,
            "TagSet": [{"TagName": "1.0", "Digest": "sha256:1.0", "UpdateTime": "1700000005"}],
        }),
    );
    // Without a digest, the field is missing.
    assert_eq!(
        act(&uhub, "GetImageTag", &with(&[("TagName", "edge")])).await,
        json!({
            "Action": "GetImageTagResponse",
            "RetCode": 0,
            "TotalCount": 1,
            "TagSet": [{"TagName": "edge", "UpdateTime": "1700000000"}],
        }),
    );
    let none = act(&uhub, "GetImageTag", &with(&[("TagName", "no")])).await;
    assert_eq!((&none["TotalCount"], &none["TagSet"]), (&json!(0), &json!([])));

    let latest = async || {
        let images = act(&uhub, "GetRepoImage", &[("RepoName", "base")]).await;
        images["ImageSet"][0]["LatestTag"].clone()
    };
    assert_eq!(latest().await, "edge");
    assert_eq!(
        act(&uhub, "DeleteRepoImage", &with(&[("TagName", "edge")])).await,
        json!({"Action": "DeleteRepoImageResponse", "RetCode": 0}),
    );
    assert_eq!(latest().await, "1.2");
    let left = act(&uhub, "GetImageTag", nginx).await;
    assert_eq!(column(&left, "TagSet", "TagName"), ["1.0", "1.1", "1.2"]);

    // Deleting the last tag deletes the image, and only then can the repository be deleted.
    let base: Pairs<'_> = &[("RepoName", "base")];
    for tag in ["1.2", "1.0", "1.1"] {
        assert_eq!(act(&uhub, "DeleteRepo", base).await["RetCode"], 63003);
        let parameters = [nginx, &[("TagName", tag)]].concat();
        let deleted = act(&uhub, "DeleteRepoImage", &parameters).await;
        assert_eq!(deleted["RetCode"], 0, "{tag}");
    }
    assert_eq!(act(&uhub, "GetImageTag", nginx).await["RetCode"], 230);
    assert_eq!(act(&uhub, "GetRepoImage", base).await["TotalCount"], 0);
    assert_eq!(act(&uhub, "DeleteRepo", base).await["RetCode"], 0);
}

#[tokio::test]
async fn an_empty_tag_name_deletes_the_whole_image() {
    for parameters in [&[][..], &[("TagName", "")]] {
        let image = |name: &str| Image::new(name).tags(["1", "2", "3"].map(Tag::new));
        let uhub = LocalUhub::builder()
            .repository(Repository::new("base").images([image("nginx"), image("other")]))
            .start()
            .await
            .unwrap();
        let all = [&[("RepoName", "base"), ("ImageName", "nginx")], parameters].concat();
        assert_eq!(act(&uhub, "DeleteRepoImage", &all).await["RetCode"], 0);
        let left = act(&uhub, "GetRepoImage", &[("RepoName", "base")]).await;
        assert_eq!(column(&left, "ImageSet", "ImageName"), ["other"]);
        assert_eq!(act(&uhub, "DeleteRepoImage", &all).await["RetCode"], 230);
    }
}

#[tokio::test]
async fn a_list_instead_of_a_string_deletes_nothing() {
    let nginx = Image::new("nginx").tags(["1", "2"].map(Tag::new));
    let uhub = LocalUhub::builder()
        .repository(Repository::new("base").image(nginx))
        .start()
        .await
        .unwrap();
    let before = uhub.data();
    for (tag, flat, status) in [
        (json!(["1"]), &[("TagName.0", "1")][..], 200),
        (json!({"Name": "1"}), &[("TagName.Name", "1")], 200),
        (json!([]), &[], 400),
        (json!({}), &[], 400),
    ] {
        let target = [("Action", "DeleteRepoImage"), ("ImageName", "nginx"), ("RepoName", "base")];
        let key = [("PublicKey", uhub.public_key())];
        let signature = sign(&[&target[..], &key, flat].concat(), uhub.private_key());
        let mut body = json!({"TagName": tag, "Signature": signature});
        for (name, value) in target.into_iter().chain(key) {
            body[name] = value.into();
        }
        let response = ask(&uhub, post_json(&body)).await;
        assert_eq!((response.status, response.ret_code()), (status, 230), "{tag}");
    }
    assert_eq!(uhub.data(), before);
    let listed = act(&uhub, "GetRepo", &[("Limit.0", "0")]).await;
    assert_eq!(listed["RetCode"], 230);
}

#[tokio::test]
async fn projects_are_listed_and_separate() {
    let mut outside = Repository::new("base").public();
    outside.is_outside = true;
    let uhub = LocalUhub::builder()
        .project("org-a")
        .project(
            Project::new("org-b", "Team B")
                .repository(outside)
                .repository(Repository::new("more").public()),
        )
        .repository(Repository::new("base").public().description("of A"))
        .start()
        .await
        .unwrap();
    let expected = json!({
        "Action": "GetProjectListResponse",
        "RetCode": 0,
        "ProjectCount": 2,
        "ProjectSet": [
            {
                "ProjectId": "org-a",
                "ProjectName": "org-a",
                "CreateTime": 1_700_000_000,
                "IsDefault": true,
                "ResourceCount": 1,
                "MemberCount": 1,
            },
            {
                "ProjectId": "org-b",
                "ProjectName": "Team B",
                "CreateTime": 1_700_000_000,
                "IsDefault": false,
                "ResourceCount": 2,
                "MemberCount": 1,
            },
        ],
    });
    for parameters in [
        &[][..],
        &[("IsFinance", "Yes")],
        &[("IsFinance", "")],
        // Undocumented for this action, and ignored.
        &[("ProjectId", "org-nowhere")],
    ] {
        assert_eq!(act(&uhub, "GetProjectList", parameters).await, expected);
    }

    let of_a = act(&uhub, "GetRepo", &[]).await;
    assert_eq!(column(&of_a, "RepoSet", "Description"), ["of A"]);
    let there: Pairs<'_> = &[("ProjectId", "org-b")];
    let of_b = act(&uhub, "GetRepo", there).await;
    assert_eq!(column(&of_b, "RepoSet", "RepoName"), ["base", "more"]);
    assert_eq!(column(&of_b, "RepoSet", "IsOutSide"), ["true", "false"]);

    // A deletion in one project does not affect the other.
    let base = [there, &[("RepoName", "base")]].concat();
    assert_eq!(act(&uhub, "DeleteRepo", &base).await["RetCode"], 0);
    assert_eq!(act(&uhub, "DeleteRepo", &base).await["RetCode"], 230);
    assert_eq!(act(&uhub, "GetRepo", &[]).await["TotalCount"], 1);
    let projects = act(&uhub, "GetProjectList", &[]).await;
    assert_eq!(projects["ProjectSet"][1]["ResourceCount"], 1);
}

#[tokio::test]
async fn every_action_is_authenticated_and_checked() {
    let uhub = LocalUhub::builder().repository(Repository::new("base")).start().await.unwrap();
    for action in [
        "CreateRepo",
        "DeleteRepo",
        "DeleteRepoImage",
        "GetImageTag",
        "GetProjectList",
        "GetRepo",
        "GetRepoImage",
        "UpdateRepo",
    ] {
        let parameters: Pairs<'_> = &[
            ("Action", action),
            ("RepoName", "base"),
            ("ImageName", "nginx"),
            ("Description", "changed"),
        ];
        let wrong = signed_with(uhub.public_key(), "another key", parameters);
        let nobody = signed_with("nobody", uhub.private_key(), parameters);
        let elsewhere = [parameters, &[("ProjectId", "org-other")]].concat();
        let in_project = action != "GetProjectList";
        for (ret_code, body) in [
            (170, form(parameters)),
            (172, nobody),
            (171, wrong),
            (if in_project { 292 } else { 0 }, signed(&uhub, &elsewhere)),
        ] {
            let response = ask(&uhub, post_form(&body)).await;
            assert_eq!(response.ret_code(), ret_code, "{action}");
        }
    }
    let listed = act(&uhub, "GetRepo", &[("Type", "private")]).await;
    assert_eq!(column(&listed, "RepoSet", "Description"), [""]);
    assert_eq!(act(&uhub, "GetRepo", &[("Type", "all")]).await["RetCode"], 230);
}

#[tokio::test]
async fn a_change_is_made_although_its_response_is_lost() {
    let uhub = LocalUhub::start().await.unwrap();
    let create = post_form(&signed(&uhub, &[("Action", "CreateRepo"), ("RepoName", "base")]));
    // The first fault prevents the execution, the second does not.
    uhub.inject(Fault::CutConnection);
    uhub.inject(Fault::CutBody { after: 3 });
    for _ in 0..2 {
        let mut connection = Connection::open(&uhub).await;
        connection.send(&create).await;
        connection.receive().await;
    }
    assert_eq!(ask(&uhub, &create).await.ret_code(), 63001);
    let recorded: Vec<_> = uhub.requests().iter().map(|request| request.ret_code).collect();
    assert_eq!(recorded, [None, Some(0), Some(63001)]);
}

#[tokio::test]
async fn latency_delays_every_response() {
    let latency = Duration::from_millis(300);
    let uhub = LocalUhub::builder().latency(latency).start().await.unwrap();
    uhub.inject(Fault::Respond { status: 502, headers: Vec::new(), body: Bytes::new() });
    let create = post_form(&signed(&uhub, &[("Action", "CreateRepo"), ("RepoName", "base")]));
    for status in [502, 200] {
        let begun = Instant::now();
        assert_eq!(ask(&uhub, &create).await.status, status);
        assert!(begun.elapsed() >= latency, "{status}");
    }

    // Requests wait concurrently.
    let begun = Instant::now();
    let mut waiting = Vec::new();
    for _ in 0..20 {
        let mut connection = Connection::open(&uhub).await;
        connection.send(get("")).await;
        waiting.push(connection);
    }
    for mut connection in waiting {
        assert_eq!(connection.expect().await.ret_code(), 160);
    }
    assert!(begun.elapsed() < latency * 10);

    // A request is executed even if its client leaves during the delay.
    let delete = post_form(&signed(&uhub, &[("Action", "DeleteRepo"), ("RepoName", "base")]));
    let mut connection = Connection::open(&uhub).await;
    connection.send(&delete).await;
    while uhub.requests().len() < 23 {
        sleep(Duration::from_millis(5)).await;
    }
    drop(connection);
    assert_eq!(ask(&uhub, &delete).await.ret_code(), 230);

    // Stopping waits for a running request.
    let mut connection = Connection::open(&uhub).await;
    connection.send(get("")).await;
    while uhub.requests().len() < 25 {
        sleep(Duration::from_millis(5)).await;
    }
    uhub.stop().await.unwrap();
    assert_eq!(connection.expect().await.ret_code(), 160);
}

#[tokio::test]
async fn a_hundred_thousand_images_and_tags_can_be_listed() {
    let images = (0..100_000).map(|number| Image::new(format!("image-{number}")));
    let tags = (0..100_000).map(|number| Tag::new(format!("v{number}")));
    let uhub = LocalUhub::builder()
        .repository(Repository::new("base").images(images).image(Image::new("tagged").tags(tags)))
        .start()
        .await
        .unwrap();
    let last: Pairs<'_> = &[("Offset", "99999"), ("RepoName", "base")];
    let page = act(&uhub, "GetRepoImage", last).await;
    assert_eq!(page["TotalCount"], 100_001);
    assert_eq!(column(&page, "ImageSet", "ImageName"), ["image-99999", "tagged"]);
    assert_eq!(column(&page, "ImageSet", "LatestTag"), ["latest", "v99999"]);
    let page = act(&uhub, "GetImageTag", &[last, &[("ImageName", "tagged")]].concat()).await;
    assert_eq!(page["TotalCount"], 100_000);
    assert_eq!(column(&page, "TagSet", "TagName"), ["v99999"]);
}

#[tokio::test]
async fn stop_ends_idle_connections_and_frees_the_port() {
    let uhub = with_images(1).await;
    let address = address(&uhub).to_owned();
    let mut fresh = Connection::open(&uhub).await;
    let mut idle = Connection::open(&uhub).await;
    idle.send(get("")).await;
    idle.expect().await;

    uhub.stop().await.unwrap();
    assert!(fresh.is_closed().await);
    assert!(idle.is_closed().await);
    assert!(TcpStream::connect(&address).await.is_err());
}

#[tokio::test]
async fn dropping_the_handle_stops_the_server() {
    let uhub = with_images(1).await;
    let address = address(&uhub).to_owned();
    uhub.inject(Fault::Hang);
    let mut hung = Connection::open(&uhub).await;
    hung.send(get("")).await;
    assert!(hung.stays_silent().await);
    drop(uhub);
    assert!(hung.is_closed().await);
    let refused = async {
        while TcpStream::connect(&address).await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), refused).await.expect("the port is still open");
}

#[test]
fn a_server_needs_a_runtime_to_start() {
    let start = std::pin::pin!(LocalUhub::start());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(start.poll(&mut context), std::task::Poll::Ready(Err(_))));
}

//! A web server on loopback: a page for the program's own client, and UHub for uhub-sdk's.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

pub struct Server {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let received = Arc::clone(&requests);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let received = Arc::clone(&received);
                thread::spawn(move || serve(connection.unwrap(), &received));
            }
        });
        Self { url, requests }
    }

    /// Returns the heads of the requests so far, in lower case, and forgets them.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

fn serve(connection: TcpStream, requests: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    let mut connection = connection;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        reader.read_exact(&mut body).ok()?;
        let body = match head.starts_with("post ") {
            // A number that a float changes, and a field that is unknown.
            true => r#"{"RetCode": 0, "TotalCount": 0, "ImageSet": [], "New": 1.10}"#,
            false => r#"{"number": 1.10}"#,
        };
        requests.lock().unwrap().push(head);
        let head = "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Type: application/json\r\nContent-Length";
        write!(connection, "{head}: {}\r\n\r\n{body}", body.len()).ok()?;
    }
}

/// Builds a client of uhub-sdk and makes two calls.
pub async fn call_uhub(server: &Server) {
    let client = uhub_sdk::Client::builder()
        .credentials(uhub_sdk::Credentials::new("public-key", "private-key"))
        .base_url(&*server.url)
        .build()
        .unwrap();
    server.take();
    for _ in 0..2 {
        let page = client.get_repo_image("base").send().await.unwrap();
        assert_eq!((page.images.len(), page.total_count), (0, 0));
    }
    for head in server.take() {
        assert!(head.starts_with("post / http/1.1\r\n"), "{head}");
        for absent in ["accept-encoding", "cookie", "upgrade"] {
            assert!(!head.contains(absent), "{head}");
        }
    }
    // With TLS, nothing is sent without a connection.
    let client = client_over_tls();
    let error = client.get_repo_image("base").send().await.unwrap_err();
    assert_eq!(error.execution(), uhub_sdk::Execution::NotSent, "{error}");
}

fn client_over_tls() -> uhub_sdk::Client {
    uhub_sdk::Client::builder()
        .credentials(uhub_sdk::Credentials::new("public-key", "private-key"))
        .base_url("https://127.0.0.1:1/")
        .retry(uhub_sdk::RetryPolicy::disabled())
        .build()
        .unwrap()
}

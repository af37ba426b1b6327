//! A line between a client and a server that is listened to.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
};
use uhub_sdk::local::LocalUhub;

/// Passes on every byte between a client and the local UHub, and keeps what the client sends.
pub(crate) struct Wiretap {
    base_url: String,
    heard: Arc<Heard>,
}

#[derive(Default)]
struct Heard {
    connections: AtomicUsize,
    sent: Mutex<Vec<u8>>,
}

impl Wiretap {
    pub(crate) async fn before(uhub: &LocalUhub) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/", listener.local_addr().unwrap());
        let server = uhub.base_url()["http://".len()..]
            .trim_end_matches('/')
            .to_owned();
        let heard = Arc::new(Heard::default());
        let hears = heard.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                hears.connections.fetch_add(1, Ordering::Relaxed);
                let server = TcpStream::connect(&server).await.unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
                let hears = hears.clone();
                tokio::spawn(async move {
                    let mut bytes = vec![0; 65_536];
                    while let Ok(length @ 1..) = from_client.read(&mut bytes).await {
                        hears.sent.lock().unwrap().extend(&bytes[..length]);
                        to_server.write_all(&bytes[..length]).await.unwrap();
                    }
                });
            }
        });
        Self { base_url, heard }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// How many connections clients have made.
    pub(crate) fn connections(&self) -> usize {
        self.heard.connections.load(Ordering::Relaxed)
    }

    /// What clients have sent since the last time.
    pub(crate) fn take(&self) -> String {
        let sent = std::mem::take(&mut *self.heard.sent.lock().unwrap());
        String::from_utf8(sent).unwrap()
    }
}

//! A recording connection between a client and a server.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
};
use uhub_sdk::local::LocalUhub;

/// Forwards every byte between a client and the local server, and records what the client sends.
pub(crate) struct Wiretap {
    base_url: String,
    recording: Arc<Recording>,
}

#[derive(Default)]
struct Recording {
    connections: AtomicUsize,
    sent: Mutex<Vec<u8>>,
}

impl Wiretap {
    pub(crate) async fn before(uhub: &LocalUhub) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/", listener.local_addr().unwrap());
        let server = uhub.base_url()["http://".len()..].trim_end_matches('/').to_owned();
        let recording = Arc::new(Recording::default());
        let shared = Arc::clone(&recording);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                let server = TcpStream::connect(&server).await.unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let mut bytes = vec![0; 65_536];
                    while let Ok(length @ 1..) = from_client.read(&mut bytes).await {
                        shared.sent.lock().unwrap().extend(&bytes[..length]);
                        to_server.write_all(&bytes[..length]).await.unwrap();
                    }
                });
            }
        });
        Self { base_url, recording }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the number of connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.recording.connections.load(Ordering::Relaxed)
    }

    /// Returns what clients have sent since the last call.
    pub(crate) fn take(&self) -> String {
        let sent = std::mem::take(&mut *self.recording.sent.lock().unwrap());
        String::from_utf8(sent).unwrap()
    }
}

//! The HTTP server: accepts connections, closes and reopens its port, and stops.

use std::net::{IpAddr, SocketAddr};
use std::{io, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tokio::{sync::watch, task::JoinSet};

use crate::http::{slots::Slot, stream::Stream};
use crate::pipeline::{self, Client};
use crate::state::{Limits, Phase, Shared};

/// The number of clients that wait to be accepted.
const BACKLOG: u32 = 1024;

/// The limit on the head of a request, in bytes.
const MAX_HEAD: usize = 128 * 1024;

/// The wait before a failed operation is retried.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// Serves until the server stops. `phase` may have an unseen value already.
pub(crate) async fn run(
    mut listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    mut phase: watch::Receiver<Phase>,
) {
    let mut connections = JoinSet::new();
    // A client that no place is left for. Those after it wait in the listener's queue.
    let mut waiting: Option<(TcpStream, IpAddr)> = None;
    let mut shortage = Shortage::default();
    let mut count = 0;
    loop {
        if let Some((tcp, peer)) = waiting.take() {
            let Limits { connections: limit, idle, .. } = shared.limits;
            if connections.len() < limit || shared.idle.close_oldest(idle) {
                count += 1;
                connections.spawn(serve(tcp, peer, count, Arc::clone(&shared), phase.clone()));
            } else {
                waiting = Some((tcp, peer));
                shortage.report(&format!("its {limit} connections are in use"));
            }
        }
        tokio::select! {
            Some(_) = connections.join_next() => {}
            () = sleep(RETRY_DELAY), if waiting.is_some() => {}
            _ = phase.changed() => {
                drop(listener);
                waiting = None;
                match reopen(address, &mut phase).await {
                    Some(reopened) => listener = reopened,
                    None => break,
                }
            }
            accepted = listener.accept(), if waiting.is_none() => match accepted {
                Ok((tcp, peer)) => waiting = Some((tcp, peer.ip())),
                // Usually too many open files, which is temporary.
                Err(error) => {
                    if !shared.idle.close_oldest(shared.limits.idle) {
                        shortage.report(&error.to_string());
                    }
                    // Another connection may end by itself.
                    let _ = timeout(RETRY_DELAY, connections.join_next()).await;
                }
            }
        }
    }
    while connections.join_next().await.is_some() {}
}

/// Logs that clients have to wait, at most once in a while.
#[derive(Default)]
struct Shortage {
    reported: Option<Instant>,
}

impl Shortage {
    fn report(&mut self, reason: &str) {
        const PAUSE: Duration = Duration::from_secs(10);
        if self.reported.is_none_or(|reported| reported.elapsed() >= PAUSE) {
            tracing::warn!("clients wait for the local server: {reason}");
            self.reported = Some(Instant::now());
        }
    }
}

/// Reopens the port after its time. Until then a bound socket holds the port and refuses
/// connections. Returns `None` if the server stops.
async fn reopen(address: SocketAddr, phase: &mut watch::Receiver<Phase>) -> Option<TcpListener> {
    let mut socket = bind(address);
    loop {
        let current = *phase.borrow_and_update();
        let Phase::Unavailable(time) = current else { break };
        // A change replaces the time.
        if timeout(time, phase.changed()).await.is_err() {
            break;
        }
    }
    while *phase.borrow() != Phase::Stopping {
        match socket.and_then(|socket| socket.listen(BACKLOG)) {
            Ok(listener) => return Some(listener),
            Err(error) => {
                tracing::warn!(%error, "the local server cannot reopen its port");
                sleep(RETRY_DELAY).await;
                socket = bind(address);
            }
        }
    }
    None
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Closed connections linger in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Serves one connection until it closes.
async fn serve(
    tcp: TcpStream,
    peer: IpAddr,
    connection: u64,
    shared: Arc<Shared>,
    mut phase: watch::Receiver<Phase>,
) {
    // A failure only adds latency.
    let _ = tcp.set_nodelay(true);
    let limits = shared.limits.clone();
    let stream = Stream::new(tcp, limits.write);
    let slot = Slot::new(Arc::clone(&shared.idle));
    let client = Client { peer, connection, stream: stream.control(), slot: slot.clone() };
    let service =
        service_fn(move |request| pipeline::handle(Arc::clone(&shared), client.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.read)
        .max_buf_size(MAX_HEAD)
        .serve_connection(stream, service);
    tokio::pin!(connection);

    let ended = loop {
        tokio::select! {
            ended = connection.as_mut() => break Some(ended),
            () = slot.closed() => break None,
            _ = phase.changed() => {
                // A running request still gets its response.
                connection.as_mut().graceful_shutdown();
                if *phase.borrow_and_update() == Phase::Stopping {
                    break timeout(limits.grace, connection).await.ok();
                }
            }
        }
    };
    slot.leave();
    if let Some(Err(error)) = ended {
        tracing::debug!(%error, "a connection to the local server failed");
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::{Fault, LocalUhub};

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    async fn start(limits: Limits) -> LocalUhub {
        let mut builder = LocalUhub::builder();
        builder.limits = limits;
        builder.start().await.unwrap()
    }

    async fn connect(uhub: &LocalUhub) -> TcpStream {
        let address = uhub.base_url().trim_start_matches("http://").trim_end_matches('/');
        TcpStream::connect(address).await.unwrap()
    }

    /// Everything until the server closes the connection.
    async fn read_to_end(tcp: &mut TcpStream) -> String {
        let mut text = Vec::new();
        let read = timeout(Duration::from_secs(20), tcp.read_to_end(&mut text));
        read.await.expect("the server does not close the connection").unwrap();
        String::from_utf8(text).unwrap()
    }

    /// Whether a response starts within this time. An expected one gets far more time than it
    /// needs.
    async fn responds_within(time: Duration, tcp: &mut TcpStream) -> bool {
        timeout(time, tcp.read(&mut [0; 1])).await.is_ok()
    }

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(300);

    #[tokio::test]
    async fn slow_requests_time_out() {
        let uhub = start(Limits { read: Duration::from_millis(200), ..Limits::default() }).await;
        let body = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{";
        for sent in [&b""[..], b"GET /", b"GET / HTTP/1.1\r\nHost:", body] {
            let mut tcp = connect(&uhub).await;
            tcp.write_all(sent).await.unwrap();
            read_to_end(&mut tcp).await;
        }
        assert_eq!(uhub.requests(), []);
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_times_out() {
        let uhub = start(Limits { write: Duration::from_millis(200), ..Limits::default() }).await;
        uhub.inject(Fault::Huge { bytes: u64::MAX });
        let mut tcp = connect(&uhub).await;
        tcp.write_all(REQUEST).await.unwrap();
        let ended = async {
            while uhub.requests().first().is_none_or(|first| first.elapsed.is_none()) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let ended = timeout(Duration::from_secs(20), ended).await;
        assert!(ended.is_ok(), "the connection stays open");
    }

    #[tokio::test]
    async fn the_oldest_idle_connection_makes_room() {
        let limits = Limits { connections: 2, idle: Duration::ZERO, ..Limits::default() };
        let uhub = start(limits).await;
        let mut answered = connect(&uhub).await;
        answered.write_all(REQUEST).await.unwrap();
        assert!(responds_within(LONG, &mut answered).await);
        let mut half = connect(&uhub).await;
        half.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
            .await
            .unwrap();
        for _ in 0..20 {
            let mut next = connect(&uhub).await;
            next.write_all(REQUEST).await.unwrap();
            assert!(responds_within(LONG, &mut next).await, "a client waits for idle ones");
        }
        read_to_end(&mut answered).await;
        assert_eq!(half.read(&mut [0; 1]).await.unwrap_or(0), 0);
    }

    #[tokio::test]
    async fn clients_wait_if_every_connection_has_a_running_request() {
        let uhub = start(Limits { connections: 2, ..Limits::default() }).await;
        let mut hung = Vec::new();
        for number in 1..=2 {
            uhub.inject(Fault::Hang);
            let mut tcp = connect(&uhub).await;
            tcp.write_all(REQUEST).await.unwrap();
            while uhub.requests().len() < number {
                sleep(Duration::from_millis(5)).await;
            }
            hung.push(tcp);
        }
        let mut third = connect(&uhub).await;
        third.write_all(REQUEST).await.unwrap();
        assert!(!responds_within(SHORT, &mut third).await, "a third connection was served");
        hung.pop();
        third.readable().await.unwrap();
        assert!(responds_within(LONG, &mut third).await, "the third connection is never served");
        // It is idle now, and the other still hangs.
        let mut fourth = connect(&uhub).await;
        fourth.write_all(REQUEST).await.unwrap();
        assert!(responds_within(LONG, &mut fourth).await);
        assert!(!responds_within(SHORT, &mut hung[0]).await, "a running request was cut");
    }

    #[tokio::test]
    async fn stop_waits_at_most_for_its_grace_period() {
        let uhub = start(Limits { grace: Duration::from_millis(200), ..Limits::default() }).await;
        let mut half = connect(&uhub).await;
        half.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        uhub.inject(Fault::Huge { bytes: u64::MAX });
        let mut endless = connect(&uhub).await;
        endless.write_all(REQUEST).await.unwrap();
        endless.readable().await.unwrap();

        let stopped = timeout(Duration::from_secs(10), uhub.stop()).await;
        assert!(stopped.is_ok(), "the server does not stop");
        assert_eq!(half.read(&mut [0; 1]).await.unwrap_or(0), 0);
    }

    #[tokio::test]
    async fn stop_lets_a_running_response_finish() {
        /// More than fits between the two sockets.
        const BYTES: usize = 20 * 1024 * 1024;
        let uhub = start(Limits { grace: Duration::from_secs(60), ..Limits::default() }).await;
        uhub.inject(Fault::Huge { bytes: BYTES as u64 });
        let mut tcp = connect(&uhub).await;
        tcp.write_all(REQUEST).await.unwrap();
        assert!(responds_within(LONG, &mut tcp).await);
        let stopping = tokio::spawn(uhub.stop());
        sleep(SHORT).await;
        assert!(!stopping.is_finished());

        let text = read_to_end(&mut tcp).await;
        assert!(text.len() > BYTES && text.ends_with("\"}\r\n0\r\n\r\n"));
        stopping.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn stop_does_not_wait_for_a_hanging_request() {
        let mut builder = LocalUhub::builder().latency(Duration::from_secs(600));
        builder.limits.grace = Duration::from_secs(600);
        let uhub = builder.start().await.unwrap();
        uhub.inject(Fault::Hang);
        let mut hung = connect(&uhub).await;
        hung.write_all(REQUEST).await.unwrap();
        assert!(!responds_within(SHORT, &mut hung).await);
        let stopped = timeout(LONG, uhub.stop()).await;
        assert!(stopped.is_ok(), "the server waits for the hanging request");
        assert_eq!(read_to_end(&mut hung).await, "");
    }

    #[tokio::test]
    async fn dropping_the_server_does_not_wait() {
        let uhub = start(Limits { grace: Duration::from_secs(60), ..Limits::default() }).await;
        let mut half = connect(&uhub).await;
        half.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        assert!(!responds_within(SHORT, &mut half).await);
        drop(uhub);
        assert_eq!(read_to_end(&mut half).await, "");
    }
}

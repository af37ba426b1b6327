//! The HTTP server: accepts connections, goes away and comes back, and stops.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::exchange;
use super::state::Shared;
use super::stream::Stream;

/// How many clients wait to be accepted.
const BACKLOG: u32 = 1024;

/// How long to wait before what failed is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until told to stop. What `away` has not seen yet is heard too.
pub(super) async fn run(
    mut listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    mut away: watch::Receiver<Option<Instant>>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => {}
            until = told_to_leave(&mut away) => {
                drop(listener);
                tokio::select! {
                    () = stopped(&mut stop) => return finish(connections).await,
                    back = stay_away(address, until, &mut away) => listener = back,
                }
            }
            // At the limit, clients wait in the listener's queue.
            accepted = listener.accept(), if connections.len() < shared.limits.connections => {
                match accepted {
                    Ok((tcp, peer)) => {
                        let shared = Arc::clone(&shared);
                        let (away, stop) = (away.clone(), stop.clone());
                        connections.spawn(serve(tcp, peer.ip(), shared, away, stop));
                    }
                    // Too many open files, most likely: it passes.
                    Err(error) => {
                        tracing::debug!(%error, "the local UHub cannot accept a connection");
                        sleep(PAUSE).await;
                    }
                }
            }
        }
    }
    drop(listener);
    finish(connections).await;
}

async fn finish(mut connections: JoinSet<()>) {
    while connections.join_next().await.is_some() {}
}

/// Waits until the server is to stop, or its handle is gone.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Waits until the server is to be away, and says until when.
async fn told_to_leave(away: &mut watch::Receiver<Option<Instant>>) -> Instant {
    loop {
        if away.changed().await.is_err() {
            // Nobody is left to say so.
            std::future::pending::<()>().await;
        }
        if let Some(until) = *away.borrow_and_update() {
            return until;
        }
    }
}

/// Listens to nobody until then. Meanwhile a socket holds the port, and refuses.
async fn stay_away(
    address: SocketAddr,
    mut until: Instant,
    away: &mut watch::Receiver<Option<Instant>>,
) -> TcpListener {
    let mut held = hold(address);
    loop {
        tokio::select! {
            () = sleep_until(until) => break,
            other = told_to_leave(away) => until = other,
        }
    }
    loop {
        match held.and_then(|socket| socket.listen(BACKLOG)) {
            Ok(listener) => return listener,
            Err(error) => {
                tracing::warn!(%error, "the local UHub cannot listen again");
                sleep(PAUSE).await;
                held = hold(address);
            }
        }
    }
}

fn hold(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // The connections that were open linger.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Serves one connection to its end.
async fn serve(
    tcp: TcpStream,
    peer: IpAddr,
    shared: Arc<Shared>,
    mut away: watch::Receiver<Option<Instant>>,
    mut stop: watch::Receiver<bool>,
) {
    // Latency alone depends on it.
    let _ = tcp.set_nodelay(true);
    let limits = shared.limits.clone();
    let stream = Stream::new(tcp, limits.write);
    let wire = stream.wire();
    let stop_requests = stop.clone();
    let service = service_fn(move |request| {
        exchange::handle(
            Arc::clone(&shared),
            peer,
            wire.clone(),
            stop_requests.clone(),
            request,
        )
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.read)
        .serve_connection(stream, service);
    tokio::pin!(connection);

    let ended = loop {
        tokio::select! {
            ended = connection.as_mut() => break Some(ended),
            // A request that is running is answered.
            _ = told_to_leave(&mut away) => connection.as_mut().graceful_shutdown(),
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                break timeout(limits.grace, connection).await.ok();
            }
        }
    };
    if let Some(Err(error)) = ended {
        tracing::debug!(%error, "a connection to the local UHub broke");
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::state::Limits;
    use super::super::{Fault, LocalUhub};
    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: local\r\n\r\n";

    async fn start(limits: Limits) -> LocalUhub {
        let mut builder = LocalUhub::builder();
        builder.limits = limits;
        builder.start().await.unwrap()
    }

    async fn connect(uhub: &LocalUhub) -> TcpStream {
        let address = uhub
            .base_url()
            .trim_start_matches("http://")
            .trim_end_matches('/');
        TcpStream::connect(address).await.unwrap()
    }

    /// Everything until the server closes the connection.
    async fn read_to_end(tcp: &mut TcpStream) -> String {
        let mut text = Vec::new();
        let read = timeout(Duration::from_secs(20), tcp.read_to_end(&mut text));
        read.await
            .expect("the server does not close the connection")
            .unwrap();
        String::from_utf8(text).unwrap()
    }

    /// Whether an answer comes within this time. What has to come is given far longer than it takes.
    async fn answers_within(time: Duration, tcp: &mut TcpStream) -> bool {
        timeout(time, tcp.read(&mut [0; 1])).await.is_ok()
    }

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(300);

    #[tokio::test]
    async fn slow_requests_are_given_up() {
        let uhub = start(Limits {
            read: Duration::from_millis(200),
            ..Limits::default()
        })
        .await;
        let body = b"POST / HTTP/1.1\r\nHost: local\r\nContent-Length: 9\r\n\r\n{";
        for sent in [&b""[..], b"GET /", b"GET / HTTP/1.1\r\nHost:", body] {
            let mut tcp = connect(&uhub).await;
            tcp.write_all(sent).await.unwrap();
            read_to_end(&mut tcp).await;
        }
        assert_eq!(uhub.requests(), []);
    }

    #[tokio::test]
    async fn who_reads_nothing_is_given_up() {
        let uhub = start(Limits {
            write: Duration::from_millis(200),
            ..Limits::default()
        })
        .await;
        uhub.play(Fault::Huge { bytes: u64::MAX });
        let mut tcp = connect(&uhub).await;
        tcp.write_all(REQUEST).await.unwrap();
        let ended = async {
            while uhub
                .requests()
                .first()
                .is_none_or(|first| first.elapsed.is_none())
            {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let ended = timeout(Duration::from_secs(20), ended).await;
        assert!(ended.is_ok(), "the server waits for ever");
    }

    #[tokio::test]
    async fn connections_beyond_the_limit_wait() {
        let uhub = start(Limits {
            connections: 2,
            ..Limits::default()
        })
        .await;
        let mut first = connect(&uhub).await;
        first.write_all(REQUEST).await.unwrap();
        assert!(answers_within(LONG, &mut first).await);
        let mut second = connect(&uhub).await;
        second.write_all(REQUEST).await.unwrap();
        assert!(answers_within(LONG, &mut second).await);

        let mut third = connect(&uhub).await;
        third.write_all(REQUEST).await.unwrap();
        assert!(
            !answers_within(SHORT, &mut third).await,
            "a third connection was served"
        );
        drop(first);
        third.readable().await.unwrap();
        assert!(
            answers_within(LONG, &mut third).await,
            "the third connection is not served"
        );
    }

    #[tokio::test]
    async fn stop_waits_no_longer_than_its_grace() {
        let uhub = start(Limits {
            grace: Duration::from_millis(200),
            ..Limits::default()
        })
        .await;
        let mut half = connect(&uhub).await;
        half.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        uhub.play(Fault::Huge { bytes: u64::MAX });
        let mut endless = connect(&uhub).await;
        endless.write_all(REQUEST).await.unwrap();
        endless.readable().await.unwrap();

        let stopped = timeout(Duration::from_secs(10), uhub.stop()).await;
        assert!(stopped.is_ok(), "it does not stop");
        assert_eq!(half.read(&mut [0; 1]).await.unwrap_or(0), 0);
    }

    #[tokio::test]
    async fn stop_lets_a_running_answer_finish() {
        /// More than fits between the two sockets.
        const BYTES: usize = 20 * 1024 * 1024;
        let uhub = start(Limits {
            grace: Duration::from_secs(60),
            ..Limits::default()
        })
        .await;
        uhub.play(Fault::Huge {
            bytes: BYTES as u64,
        });
        let mut tcp = connect(&uhub).await;
        tcp.write_all(REQUEST).await.unwrap();
        assert!(answers_within(LONG, &mut tcp).await);
        let stopping = tokio::spawn(uhub.stop());
        sleep(SHORT).await;
        assert!(!stopping.is_finished());

        let text = read_to_end(&mut tcp).await;
        assert!(text.len() > BYTES && text.ends_with("\"}\r\n0\r\n\r\n"));
        stopping.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_hangs_is_ended_and_not_waited_for() {
        let mut builder = LocalUhub::builder().latency(Duration::from_secs(600));
        builder.limits.grace = Duration::from_secs(600);
        let uhub = builder.start().await.unwrap();
        uhub.play(Fault::Hang);
        let mut hung = connect(&uhub).await;
        hung.write_all(REQUEST).await.unwrap();
        assert!(!answers_within(SHORT, &mut hung).await);
        let stopped = timeout(LONG, uhub.stop()).await;
        assert!(stopped.is_ok(), "it waits for an answer");
        assert_eq!(read_to_end(&mut hung).await, "");
    }

    #[tokio::test]
    async fn dropping_it_waits_for_nothing() {
        let uhub = start(Limits {
            grace: Duration::from_secs(60),
            ..Limits::default()
        })
        .await;
        let mut half = connect(&uhub).await;
        half.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        assert!(!answers_within(SHORT, &mut half).await);
        drop(uhub);
        assert_eq!(read_to_end(&mut half).await, "");
    }
}

//! The HTTP server: accepts connections, reads requests, sends answers, plays faults.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::answer::{Answer, json_response};
use super::body::{AnswerBody, Cut};
use super::fault::{self, Fault};
use super::log::{Log, ReceivedRequest};
use super::protocol::Parameters;
use super::request;
use super::store::Store;
use super::stream::{Flushes, Stream};

/// What one client must not take from the others.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// How many connections are open at a time.
    pub(super) connections: usize,
    /// How many bytes the body of a request has.
    pub(super) body: usize,
    /// How long the head of a request takes to arrive, and how long its body.
    pub(super) read: Duration,
    /// How long running requests have to finish when the server stops.
    pub(super) grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            body: 1024 * 1024,
            read: Duration::from_secs(30),
            grace: Duration::from_secs(2),
        }
    }
}

/// What the connections and the handle share.
pub(super) struct Shared {
    latency: Duration,
    limits: Limits,
    ids: RequestIds,
    /// One lock, so that requests, their faults and their effects have one order.
    state: Mutex<State>,
}

struct State {
    store: Store,
    faults: VecDeque<Fault>,
    log: Log,
}

impl Shared {
    pub(super) fn new(store: Store, latency: Duration, limits: Limits) -> Self {
        Self {
            latency,
            limits,
            ids: RequestIds::new(),
            state: Mutex::new(State {
                store,
                faults: VecDeque::new(),
                log: Log::default(),
            }),
        }
    }

    pub(super) fn play(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    pub(super) fn requests(&self) -> Vec<ReceivedRequest> {
        self.state().log.to_vec()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves until told to stop.
pub(super) async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => {}
            // At the limit, clients wait in the listener's queue.
            accepted = listener.accept(), if connections.len() < shared.limits.connections => {
                match accepted {
                    Ok((tcp, _)) => {
                        connections.spawn(serve(tcp, Arc::clone(&shared), stop.clone()));
                    }
                    Err(error) => {
                        // Out of file descriptors, most likely: it passes, but not at once.
                        tracing::debug!(%error, "the local UHub could not accept a connection");
                        sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Waits until the server is to stop, or its handle is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Serves one connection to its end.
async fn serve(tcp: TcpStream, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    // Latency alone depends on it.
    let _ = tcp.set_nodelay(true);
    let Limits { read, grace, .. } = shared.limits;
    let stream = Stream::new(tcp);
    let flushes = stream.flushes();
    let stop_requests = stop.clone();
    let service = service_fn(move |request| {
        handle(
            Arc::clone(&shared),
            flushes.clone(),
            stop_requests.clone(),
            request,
        )
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(read)
        .serve_connection(stream, service);
    tokio::pin!(connection);

    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            timeout(grace, connection).await.ok()
        }
    };
    if let Some(Err(error)) = ended {
        tracing::debug!(%error, "a connection to the local UHub broke");
    }
}

/// Answers one request. An error closes the connection.
async fn handle(
    shared: Arc<Shared>,
    flushes: Flushes,
    mut stop: watch::Receiver<bool>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Cut> {
    let (head, body) = request.into_parts();
    // Too slow, or broken off: there is nobody to answer.
    let Ok(Ok(body)) = timeout(
        shared.limits.read,
        request::read_body(body, shared.limits.body),
    )
    .await
    else {
        return Err(Cut);
    };
    let reply = arrive(&shared, &head, body.as_ref(), flushes);
    // What hangs waits for something else.
    if !shared.latency.is_zero() && !matches!(reply, Reply::Hang) {
        sleep(shared.latency).await;
    }
    match reply {
        Reply::Send(response) => Ok(response),
        Reply::Cut => Err(Cut),
        Reply::Hang => {
            // If the client leaves first, this is dropped with its connection.
            stopped(&mut stop).await;
            Err(Cut)
        }
    }
}

enum Reply {
    Send(Response<AnswerBody>),
    Cut,
    Hang,
}

/// Records a request that was read, and decides what becomes of it.
fn arrive(shared: &Shared, head: &Parts, body: Option<&Bytes>, flushes: Flushes) -> Reply {
    let read = request::read_parameters(head, body);
    let parameters = read.as_ref().ok();
    let action = parameters
        .and_then(|parameters| parameters.get("Action"))
        .map(str::to_owned);
    let request_id = shared.ids.next();

    let mut state = shared.state();
    let (reply, ret_code) = match state.faults.pop_front() {
        None => {
            let answer = Answer::new(&mut state.store, &read);
            (
                Reply::Send(answer.whole(&request_id)),
                Some(answer.ret_code),
            )
        }
        Some(Fault::CutBody { after }) => {
            let answer = Answer::new(&mut state.store, &read);
            (
                Reply::Send(answer.broken(&request_id, after, flushes)),
                Some(answer.ret_code),
            )
        }
        Some(Fault::Respond {
            status,
            headers,
            body,
        }) => (
            Reply::Send(fault::respond(status, &headers, &body, flushes)),
            None,
        ),
        Some(Fault::Huge { bytes }) => {
            let body = AnswerBody::huge(action.as_deref().unwrap_or_default(), bytes);
            (
                Reply::Send(json_response(StatusCode::OK, &request_id, body)),
                None,
            )
        }
        Some(Fault::CutConnection) => (Reply::Cut, None),
        Some(Fault::Hang) => (Reply::Hang, None),
    };
    state.log.push(ReceivedRequest {
        request_id,
        method: head.method.to_string(),
        content_type: request::content_type(head),
        action,
        parameters: read.map(Parameters::into_pairs).unwrap_or_default(),
        ret_code,
    });
    reply
}

/// Ids in the shape of a UUID: unlike those of another server, because the first half is random,
/// and unlike each other, because the second half counts.
struct RequestIds {
    server: u64,
    next: AtomicU64,
}

impl RequestIds {
    fn new() -> Self {
        Self {
            server: RandomState::new().hash_one(0),
            next: AtomicU64::new(1),
        }
    }

    fn next(&self) -> String {
        let server = self.server;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!(
            "{:08x}-{:04x}-4{:03x}-8000-{:012x}",
            server >> 32,
            server >> 16 & 0xffff,
            server & 0xfff,
            number & 0xffff_ffff_ffff,
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::LocalUhub;
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

    /// Whether something arrives within a short while.
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

    #[test]
    fn ids_are_unique_and_look_like_a_uuid() {
        let (one, other) = (RequestIds::new(), RequestIds::new());
        let ids: HashSet<String> = (0..100).flat_map(|_| [one.next(), other.next()]).collect();
        assert_eq!(ids.len(), 200);
        for id in ids {
            let lengths: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
            assert!(
                id.bytes()
                    .all(|byte| byte == b'-' || byte.is_ascii_hexdigit()),
                "{id}"
            );
        }
    }
}

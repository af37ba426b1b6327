//! A blocking client, for programs without async (feature `blocking`).
//!
//! It mirrors the async client: `send` blocks until the response is there, `items` and `pages` are
//! iterators, and [`Client::block_on`] and [`Client::iter`] do the same for everything else.
//!
//! ```no_run
//! # use uhub_sdk::Paged;
//! # fn example<R: Paged<Item: std::fmt::Debug>>(request: R) -> Result<(), uhub_sdk::Error> {
//! let client = uhub_sdk::blocking::Client::from_env()?;
//! for item in client.call(request).items() {
//!     println!("{:?}", item?);
//! }
//! # Ok(())
//! # }
//! ```

use std::{
    future::poll_fn,
    mem,
    pin::{Pin, pin},
    process,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use futures_core::Stream;
use serde::de::DeserializeOwned;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::coop,
};

use crate::{
    action::Action,
    call::{
        Call,
        page_plan::Shortfall,
        pages::{self, Paged},
        untyped::{UntypedCall, UntypedRequest},
    },
    client,
    config::{builder::ClientBuilder, source::ConfigSources},
    error::Error,
    exchange::judge::ResponseMetadata,
};

/// A blocking client of the service.
///
/// It is cheap to clone and can be shared between threads. In a program with an async runtime, use
/// it within `tokio::task::spawn_blocking` or `block_in_place`: a call on a thread that polls async
/// tasks is an error, since it would block them. (Tasks within `tokio::task::unconstrained` are not
/// recognized. Their calls block the thread.)
///
/// A process that forks can use it in the child too: its thread and connections are created anew
/// there.
///
/// # Examples
///
/// Every function of the async client, recipes included, is called by [`block_on`](Self::block_on)
/// and [`iter`](Self::iter):
///
/// ```no_run
/// # use uhub_sdk::Paged;
/// # fn example<R: Paged<Item: std::fmt::Debug>>(request: R) -> Result<(), uhub_sdk::Error> {
/// use uhub_sdk::blocking::Client;
///
/// let client = Client::from_env()?;
/// let call = client.as_async().action("DescribeSomethingNew");
/// let response: serde_json::Value = client.block_on(call.send())?;
/// for item in client.iter(client.as_async().call(request).items()) {
///     println!("{:?}", item?);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    client: client::Client,
    runtime: Arc<Background>,
}

/// A runtime on its own thread, shut down with the last client.
#[derive(Debug)]
struct Background {
    /// The process that has the thread.
    process: u32,
    /// `None` while it is dropped.
    runtime: Option<Runtime>,
    /// The runtime of a forked process, which has the memory of its parent and not its threads.
    forked: OnceLock<Arc<Background>>,
}

impl Background {
    fn start() -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(env!("CARGO_PKG_NAME"))
            .enable_all()
            .build()
            .map_err(|error| {
                Error::configuration("the client's thread cannot be started.").with_source(error)
            })?;
        Ok(Self { process: process::id(), runtime: Some(runtime), forked: OnceLock::new() })
    }

    /// Returns the runtime of this process.
    fn handle(&self) -> Result<&Handle, Error> {
        match (&self.runtime, self.forked.get()) {
            (Some(runtime), _) if self.process == process::id() => Ok(runtime.handle()),
            (_, Some(forked)) => forked.handle(),
            (_, None) => {
                let started = Arc::new(Self::start()?);
                self.forked.get_or_init(|| started).handle()
            }
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        match self.runtime.take() {
            // Dropping a runtime within another one panics; this does not, since it does not block.
            Some(runtime) if self.process == process::id() => runtime.shutdown_background(),
            // Its threads are those of the parent process and cannot be told to stop.
            runtime => mem::forget(runtime),
        }
    }
}

/// Returns whether Tokio polls a task on this thread, which a blocking call would hold up.
/// `spawn_blocking` and `block_in_place` are excepted.
///
/// Tokio gives each task that it polls a budget, and threads that may block none.
fn is_polled_by_tokio() -> bool {
    if Handle::try_current().is_err() {
        return false;
    }
    let mut context = Context::from_waker(Waker::noop());
    // Restores the budget when it is dropped.
    let Poll::Ready(_first) = coop::poll_proceed(&mut context) else {
        return true;
    };
    // A budget has 8 bits.
    (0..u8::MAX).any(|_| match coop::poll_proceed(&mut context) {
        Poll::Ready(unit) => {
            unit.made_progress();
            false
        }
        Poll::Pending => true,
    })
}

/// Wakes a thread that waits for a future.
struct ThreadWaker {
    thread: Thread,
    /// A wait within a poll of this one may take the thread's own token.
    is_woken: AtomicBool,
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Waits for a future. Unlike that of a Tokio runtime, it never panics.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let thread = thread::current();
    let wakeup = Arc::new(ThreadWaker { thread, is_woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&wakeup));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        while !wakeup.is_woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

impl Client {
    /// Creates a client from the environment; see [`ClientBuilder::from_env`].
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::from_env`] and [`ClientBuilder::build_blocking`].
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build_blocking()
    }

    /// Returns a builder; [`ClientBuilder::build_blocking`] creates the client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    fn new(client: client::Client) -> Result<Self, Error> {
        Ok(Self { client, runtime: Arc::new(Background::start()?) })
    }

    /// Returns the async client that this one calls.
    #[must_use]
    pub fn as_async(&self) -> &client::Client {
        &self.client
    }

    /// Returns where the settings of this client came from; see
    /// [`Client::config_sources`](crate::Client::config_sources).
    #[must_use]
    pub fn config_sources(&self) -> &ConfigSources {
        self.client.config_sources()
    }

    /// Waits for a future, such as a recipe with the [async client](Self::as_async).
    ///
    /// # Errors
    ///
    /// The error of the future; or [`Configuration`](crate::ErrorKind::Configuration) on a thread
    /// that polls async tasks.
    pub fn block_on<T>(&self, future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.wait_for(future)?
    }

    /// Returns an iterator that waits for the items of a stream, such as that of a recipe with the
    /// [async client](Self::as_async).
    pub fn iter<S, T>(&self, stream: S) -> BlockingStream<S>
    where
        S: Stream<Item = Result<T, Error>> + Unpin,
    {
        BlockingStream::new(self.clone(), stream)
    }

    /// Returns a client with another value of a parameter of calls that do not set it.
    #[allow(dead_code, reason = "not every service has such a parameter")]
    pub(crate) fn with_parameter(&self, wire: &'static str, value: String) -> Self {
        Self { client: self.client.with_parameter(wire, value), runtime: Arc::clone(&self.runtime) }
    }

    /// Creates a call of a request.
    pub fn call<R: Action>(&self, request: R) -> Call<R, Self> {
        Call::new(self.clone(), request)
    }

    /// Creates a call of an action that this crate has no types for; see
    /// [`Client::action`](crate::Client::action).
    pub fn action(&self, name: impl Into<String>) -> UntypedCall<Self> {
        Call::new(self.clone(), UntypedRequest::new(name))
    }

    /// Sends a request and waits for its response.
    ///
    /// # Errors
    ///
    /// As [`Call::send`].
    pub fn send<R: Action>(&self, request: R) -> Result<R::Response, Error> {
        self.call(request).send()
    }

    fn wait_for<T>(&self, future: impl Future<Output = T>) -> Result<T, Error> {
        if is_polled_by_tokio() {
            return Err(Error::configuration(
                "a blocking call would block this thread of an async runtime: use \
                 the async `Client` there, or call it within `tokio::task::spawn_blocking`.",
            ));
        }
        let _context = self.runtime.handle()?.enter();
        Ok(wait(future))
    }
}

impl ClientBuilder {
    /// Builds a blocking client.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), and if the client's thread cannot be started.
    pub fn build_blocking(self) -> Result<Client, Error> {
        Client::new(self.build()?)
    }
}

impl<R> Call<R, Client> {
    /// Returns the client and the async call.
    fn split(self) -> (Client, Call<R>) {
        let call = Call {
            client: self.client.client.clone(),
            request: self.request,
            options: self.options,
            read_ahead: self.read_ahead,
        };
        (self.client, call)
    }
}

impl<R: Action> Call<R, Client> {
    /// Sends the call and waits for its response.
    ///
    /// # Errors
    ///
    /// As the async [`send`](Call::send), and on a thread of an async runtime.
    pub fn send(self) -> Result<R::Response, Error> {
        let (response, _) = self.send_with_metadata()?;
        Ok(response)
    }

    /// Sends the call and returns its response with its metadata.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_with_metadata(self) -> Result<(R::Response, ResponseMetadata), Error> {
        let (client, call) = self.split();
        client.block_on(call.send_with_metadata())
    }
}

impl<R: Paged> Call<R, Client> {
    /// Returns an iterator over all non-empty pages, without the items of earlier ones.
    ///
    /// Don't delete while paginating: collect first, or items will be skipped. See the async
    /// [`items`](crate::Call::items) for this, for the end of the iterator and for its limits.
    pub fn pages(self) -> Pages<R> {
        let (client, call) = self.split();
        BlockingStream::new(client, call.pages())
    }

    /// Returns an iterator over the items of all [`pages`](Self::pages).
    ///
    /// Don't delete while paginating: collect first, by [`try_collect`](Items::try_collect), or
    /// items will be skipped. The end of the iterator does not mean that all items were listed:
    /// [`check_complete`](Items::check_complete) does.
    pub fn items(self) -> Items<R> {
        let (client, call) = self.split();
        BlockingStream::new(client, call.items())
    }
}

impl UntypedCall<Client> {
    /// Sends the call and waits for its response.
    ///
    /// # Errors
    ///
    /// As the async [`send`](crate::UntypedCall::send), and on a thread of an async runtime.
    pub fn send<T: DeserializeOwned + Send + 'static>(self) -> Result<T, Error> {
        let (response, _) = self.send_with_metadata()?;
        Ok(response)
    }

    /// Sends the call and returns its response with its metadata.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_with_metadata<T: DeserializeOwned + Send + 'static>(
        self,
    ) -> Result<(T, ResponseMetadata), Error> {
        let (client, call) = self.split();
        client.block_on(call.send_with_metadata())
    }
}

/// An iterator over the pages of an action, created by [`Call::pages`].
pub type Pages<R> = BlockingStream<pages::Pages<R>>;

/// An iterator over the items of an action, created by [`Call::items`].
pub type Items<R> = BlockingStream<pages::Items<R>>;

/// An iterator that waits for each element of a stream.
#[derive(Debug)]
#[must_use = "an iterator does nothing until it is read"]
pub struct BlockingStream<S> {
    client: Client,
    stream: S,
    /// Whether it was read on a thread of an async runtime.
    has_failed: bool,
}

impl<S> BlockingStream<S> {
    fn new(client: Client, stream: S) -> Self {
        Self { client, stream, has_failed: false }
    }
}

impl<R: Paged> Items<R> {
    /// Returns all remaining items; see the async [`try_collect`](crate::Items::try_collect).
    ///
    /// # Errors
    ///
    /// As there, and on a thread of an async runtime.
    pub fn try_collect(mut self) -> Result<Vec<R::Item>, Error> {
        let items = self.by_ref().collect::<Result<_, _>>()?;
        self.check_complete()?;
        Ok(items)
    }

    /// Returns what is missing; see [`Pages::shortfall`](crate::Pages::shortfall).
    #[must_use]
    pub fn shortfall(&self) -> Option<Shortfall> {
        self.stream.shortfall()
    }

    /// Checks that the iterator has ended and the listing is complete.
    ///
    /// # Errors
    ///
    /// As [`Pages::check_complete`](crate::Pages::check_complete).
    pub fn check_complete(&self) -> Result<(), Error> {
        self.stream.check_complete()
    }
}

impl<R: Paged> Pages<R> {
    /// Returns what is missing; see [`Pages::shortfall`](crate::Pages::shortfall).
    #[must_use]
    pub fn shortfall(&self) -> Option<Shortfall> {
        self.stream.shortfall()
    }

    /// Checks that the iterator has ended and the listing is complete.
    ///
    /// # Errors
    ///
    /// As [`Pages::check_complete`](crate::Pages::check_complete).
    pub fn check_complete(&self) -> Result<(), Error> {
        self.stream.check_complete()
    }
}

impl<S: Stream<Item = Result<T, Error>> + Unpin, T> Iterator for BlockingStream<S> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let next = poll_fn(|context| Pin::new(&mut self.stream).poll_next(context));
        self.client.wait_for(next).unwrap_or_else(|error| {
            self.has_failed = true;
            Some(Err(error))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inner wait takes the token of the thread, and the outer one is woken nevertheless.
    #[test]
    fn a_wait_within_a_wait_loses_no_wakeup() {
        let mut polls = 0;
        wait(poll_fn(|outer| {
            polls += 1;
            if polls > 1 {
                return Poll::Ready(());
            }
            let mut inner_polls = 0;
            wait(poll_fn(|inner| {
                inner_polls += 1;
                if inner_polls > 1 {
                    return Poll::Ready(());
                }
                // Both before this one parks: it takes the only token.
                outer.waker().wake_by_ref();
                inner.waker().wake_by_ref();
                Poll::Pending
            }));
            Poll::Pending
        }));
        assert_eq!(polls, 2);
    }
}

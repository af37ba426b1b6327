//! A blocking client, for programs without async (feature `blocking`).
//!
//! It mirrors the async client: `send` blocks until the response is there, and `items` and `pages`
//! are iterators.
//!
//! ```no_run
//! # fn example() -> Result<(), uhub_sdk::Error> {
//! let client = uhub_sdk::blocking::Client::from_env()?;
//! for image in client.get_repo_image("base").items() {
//!     println!("{}", image?.image_name);
//! }
//! # Ok(())
//! # }
//! ```

use std::{future::poll_fn, pin::Pin, sync::Arc};

use futures_core::Stream;
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::{
    action::Action,
    call::{
        Call,
        page_plan::Shortfall,
        pages::{self, Paged},
        untyped::{UntypedCall, UntypedRequest},
    },
    client,
    config::builder::ClientBuilder,
    error::Error,
    exchange::judge::ResponseMetadata,
};

/// A blocking client of UHub.
///
/// It is cheap to clone and can be shared between threads. Calls on a thread of an async runtime
/// return an error, since they would block it. That includes the threads of Tokio's
/// `spawn_blocking`, which cannot be distinguished.
#[derive(Debug, Clone)]
pub struct Client {
    client: client::Client,
    runtime: Arc<Background>,
}

/// A runtime on its own thread, shut down with the last client.
#[derive(Debug)]
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        // Dropping a runtime within another one panics; this does not, since it does not block.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
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
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("uhub-sdk")
            .enable_all()
            .build()
            .map_err(|error| {
                Error::configuration("the client's thread cannot be started.").with_source(error)
            })?;
        Ok(Self { client, runtime: Arc::new(Background(Some(runtime))) })
    }

    /// Returns a client whose calls use this project; see
    /// [`Client::with_project_id`](crate::Client::with_project_id).
    #[must_use]
    pub fn with_project_id(&self, value: impl Into<String>) -> Self {
        Self { client: self.client.with_project_id(value), runtime: Arc::clone(&self.runtime) }
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

    fn block_on<T>(&self, future: impl Future<Output = T>) -> Result<T, Error> {
        match &self.runtime.0 {
            Some(runtime) if Handle::try_current().is_err() => Ok(runtime.block_on(future)),
            _ => Err(Error::configuration(
                "a blocking call would block this thread of an async runtime: use \
                 `uhub_sdk::Client` there, or a thread outside of the runtime.",
            )),
        }
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
        client.block_on(call.send_with_metadata())?
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
        client.block_on(call.send_with_metadata())?
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
        self.client.block_on(next).unwrap_or_else(|error| {
            self.has_failed = true;
            Some(Err(error))
        })
    }
}

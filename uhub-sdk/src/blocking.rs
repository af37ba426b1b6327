//! The same client for programs that are not asynchronous (feature `blocking`).
//!
//! Names and shapes are those of the asynchronous client: a call's `send` waits for the answer, and
//! `items` and `pages` are iterators.
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
    action::Action, call::Call, call::pages::Paged, call::untyped::UntypedCall,
    config::builder::ClientBuilder, error::Error, exchange::Metadata,
};

/// A client of UHub that waits for each answer.
///
/// It is cheap to clone and may be shared between threads. It does not work on a thread that belongs to
/// an asynchronous runtime, which it would hold up: every call there is an error, also on the threads of
/// Tokio's `spawn_blocking`, which cannot be told from the others.
#[derive(Debug, Clone)]
pub struct Client {
    client: crate::client::Client,
    runtime: Arc<Background>,
}

/// A runtime with a thread of its own, which goes when the last client does.
#[derive(Debug)]
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        // A runtime that is dropped within another one panics; this does not wait, and cannot.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Client {
    /// A client with keys and settings from the environment; [`ClientBuilder::from_env`] has their names.
    ///
    /// # Errors
    ///
    /// What [`ClientBuilder::from_env`] and [`ClientBuilder::build_blocking`] say.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build_blocking()
    }

    /// A client to be set up; [`ClientBuilder::build_blocking`] makes it.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    pub(crate) fn new(client: crate::client::Client) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("uhub-sdk")
            .enable_all()
            .build()
            .map_err(|error| {
                Error::configuration("no thread could be started.").with_source(error)
            })?;
        Ok(Self {
            client,
            runtime: Arc::new(Background(Some(runtime))),
        })
    }

    /// Makes a call of a request: options can be set on it before it is sent.
    pub fn call<R: Action>(&self, request: R) -> Call<R, Self> {
        Call::new(self.clone(), request)
    }

    /// Begins a call of an action that this crate has no types for; see
    /// [`Client::action`](crate::Client::action).
    pub fn action(&self, name: impl Into<String>) -> UntypedCall<Self> {
        UntypedCall::new(self.clone(), name.into())
    }

    /// Sends a request and waits for the answer.
    ///
    /// # Errors
    ///
    /// As [`Client::send`](crate::Client::send), and on a thread of an asynchronous runtime.
    pub fn send<R: Action>(&self, request: R) -> Result<R::Response, Error> {
        self.call(request).send()
    }

    /// Waits, unless that would hold up a runtime.
    fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        match &self.runtime.0 {
            Some(runtime) if Handle::try_current().is_err() => Ok(runtime.block_on(work)),
            _ => Err(Error::configuration(
                "a blocking call on a thread of an asynchronous runtime would hold it up: use `uhub_sdk::Client` there, \
                 or a thread of your own.",
            )),
        }
    }
}

impl ClientBuilder {
    /// The client, as one that blocks.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn build_blocking(self) -> Result<Client, Error> {
        Client::new(self.build()?)
    }
}

impl<R: Action> Call<R, Client> {
    /// Sends the call and waits for the answer.
    ///
    /// # Errors
    ///
    /// Whatever kept the service from doing what was asked, or its answer from being understood.
    pub fn send(self) -> Result<R::Response, Error> {
        self.send_with_metadata().map(|(response, _)| response)
    }

    /// Sends the call, and returns what came with the response as well.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_with_metadata(self) -> Result<(R::Response, Metadata), Error> {
        let (client, call) = self.split();
        client.wait(call.send_with_metadata())?
    }
}

impl<R: Paged> Call<R, Client> {
    /// Walks all pages; see [`Call::pages`](crate::Call::pages) for what it does and what it cannot know.
    pub fn pages(self) -> Pages<R> {
        let (client, call) = self.split();
        Pages(Walk {
            client,
            walk: Some(call.pages()),
        })
    }

    /// Walks the items of all pages, as [`pages`](Self::pages) does.
    pub fn items(self) -> Items<R> {
        let (client, call) = self.split();
        Items(Walk {
            client,
            walk: Some(call.items()),
        })
    }
}

impl<R: Action> Call<R, Client> {
    /// The client that waits, and the call that it waits for.
    fn split(self) -> (Client, Call<R>) {
        let Self {
            client,
            request,
            options,
            read_ahead,
        } = self;
        let waited_for = client.client.clone();
        (
            client,
            Call {
                client: waited_for,
                request,
                options,
                read_ahead,
            },
        )
    }
}

impl UntypedCall<Client> {
    /// Sends the call and waits for the answer.
    ///
    /// # Errors
    ///
    /// As [`UntypedCall::send`](crate::UntypedCall::send).
    pub fn send<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.send_with_metadata().map(|(response, _)| response)
    }

    /// Sends the call, and returns what came with the response as well.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_with_metadata<T: DeserializeOwned>(self) -> Result<(T, Metadata), Error> {
        let client = self.client.clone();
        client.wait(self.by(client.client.clone()).send_with_metadata())?
    }
}

/// The pages of an action; [`Call::pages`] makes one.
#[derive(Debug)]
#[must_use = "an iterator does nothing until it is read"]
pub struct Pages<R: Paged>(Walk<crate::call::pages::Pages<R>>);

/// The items of an action; [`Call::items`] makes one.
#[derive(Debug)]
#[must_use = "an iterator does nothing until it is read"]
pub struct Items<R: Paged>(Walk<crate::call::pages::Items<R>>);

/// A stream that is waited for; nothing once it could not be.
#[derive(Debug)]
struct Walk<S> {
    client: Client,
    walk: Option<S>,
}

impl<S: Stream<Item = Result<T, Error>> + Unpin, T> Iterator for Walk<S> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let walk = self.walk.as_mut()?;
        let next = self
            .client
            .wait(poll_fn(|context| Pin::new(&mut *walk).poll_next(context)));
        next.unwrap_or_else(|error| {
            self.walk = None;
            Some(Err(error))
        })
    }
}

impl<R: Paged> Iterator for Pages<R> {
    type Item = Result<R::Response, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl<R: Paged> Iterator for Items<R> {
    type Item = Result<R::Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

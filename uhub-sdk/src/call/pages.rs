//! Walking the pages of an action, to their end and no further.

use std::{
    borrow::Cow,
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use tokio::{runtime::Handle, task::JoinHandle};

use crate::call::page_plan::{Place, Walk};
use crate::{action::Action, call::Call, error::Error, exchange};

/// An action whose answer comes in pages. The requests in [`actions`](crate::actions) that have an
/// offset and a limit implement it.
pub trait Paged: Action + Clone + Unpin + 'static {
    /// What a page is made of.
    type Item: fmt::Debug + Send + Unpin + 'static;

    /// Offset and limit.
    #[doc(hidden)]
    fn place(&self) -> (Option<i64>, Option<i64>);

    #[doc(hidden)]
    fn set_place(&mut self, offset: i64, limit: i64);

    /// How many items all pages have, as the service says.
    #[doc(hidden)]
    fn total(response: &Self::Response) -> i64;

    #[doc(hidden)]
    fn items(response: &mut Self::Response) -> &mut Vec<Self::Item>;

    /// What tells one item from another.
    #[doc(hidden)]
    fn key(item: &Self::Item) -> &str;
}

impl<R: Paged> Call<R> {
    /// Walks all pages, from the request's offset on. The request's limit is the length of a page;
    /// without one, pages of 100 are asked for. A page without items is not shown.
    ///
    /// The walk ends when as many items were seen as the service says there are, on an empty page, and
    /// where the service begins to repeat itself. An error ends it too, after all that came before. An
    /// item that stood on an earlier page is left out; the items of the first page and the latest 16,384
    /// are remembered for that. [`with_timeout`](Self::with_timeout) bounds each page, not the walk.
    ///
    /// The service keeps no snapshot. While a walk goes on, an item that is added or deleted moves
    /// others between pages: one that is there all the time may be missed after a deletion before it,
    /// or when more than two pages of new items come in before it.
    pub fn pages(self) -> Pages<R> {
        let (offset, limit) = self.request.place();
        Pages {
            walk: Walk::new(offset, limit),
            in_flight: VecDeque::new(),
            call: Some(self),
        }
    }

    /// Walks the items of all pages, as [`pages`](Self::pages) does.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: uhub_sdk::Client) -> Result<(), uhub_sdk::Error> {
    /// let mut images = client.get_repo_image("base").items();
    /// while let Some(image) = images.next().await {
    ///     println!("{}", image?.image_name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn items(self) -> Items<R> {
        Items {
            pages: self.pages(),
            page: Vec::new().into_iter(),
        }
    }
}

type Answer<R> = Result<<R as Action>::Response, Error>;

/// A page that was asked for. It is fetched whether or not the stream is read meanwhile: a reader who
/// takes long over an item must not make the next page time out.
struct Asked<R: Paged> {
    place: Place,
    answer: Task<Answer<R>>,
}

/// Work of its own, which ends with whoever waits for it.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The pages of an action, a [`Stream`]; [`Call::pages`] makes one.
#[must_use = "a stream does nothing until it is read"]
pub struct Pages<R: Paged> {
    walk: Walk,
    /// In the order of their places.
    in_flight: VecDeque<Asked<R>>,
    /// Nothing once the walk has ended.
    call: Option<Call<R>>,
}

impl<R: Paged> Pages<R> {
    /// The next page.
    pub async fn next(&mut self) -> Option<Result<R::Response, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Asks for as many pages as may be under way.
    fn ask(&mut self) -> Result<(), Error> {
        let Some(call) = &self.call else {
            return Ok(());
        };
        let runtime = Handle::try_current().map_err(|_| exchange::no_runtime())?;
        while self.in_flight.len() <= call.read_ahead {
            let Some(place) = self.walk.plan(self.in_flight.len()) else {
                break;
            };
            let mut call = call.clone();
            call.request.set_place(place.offset, place.limit);
            self.in_flight.push_back(Asked {
                place,
                answer: Task(runtime.spawn(call.send())),
            });
        }
        Ok(())
    }

    /// Ends the walk.
    fn end(&mut self) {
        self.in_flight.clear();
        self.call = None;
    }
}

impl<R: Paged> Stream for Pages<R> {
    type Item = Result<R::Response, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Err(error) = this.ask() {
                this.end();
                return Poll::Ready(Some(Err(error)));
            }
            let Some(asked) = this.in_flight.front_mut() else {
                this.end();
                return Poll::Ready(None);
            };
            let place = asked.place;
            let answer = match ready!(Pin::new(&mut asked.answer.0).poll(context)) {
                Ok(answer) => answer,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => Err(exchange::no_runtime()),
            };
            this.in_flight.pop_front();
            let mut page = match answer {
                Ok(page) => page,
                Err(error) => {
                    this.end();
                    return Poll::Ready(Some(Err(error)));
                }
            };
            let total = R::total(&page);
            let items = R::items(&mut page);
            // Whatever has no name is known by all that it has.
            let keys = items.iter().map(|item| match R::key(item) {
                "" => Cow::Owned(format!("{item:?}")),
                key => Cow::Borrowed(key),
            });
            let step = this.walk.digest(place, total, keys);
            let mut fresh = step.fresh.iter();
            items.retain(|_| fresh.next().copied().unwrap_or_default());
            if !step.is_as_planned {
                this.in_flight.clear();
            }
            if !items.is_empty() {
                return Poll::Ready(Some(Ok(page)));
            }
        }
    }
}

/// The items of an action, a [`Stream`]; [`Call::items`] makes one.
#[must_use = "a stream does nothing until it is read"]
pub struct Items<R: Paged> {
    pages: Pages<R>,
    page: std::vec::IntoIter<R::Item>,
}

impl<R: Paged> Items<R> {
    /// The next item.
    pub async fn next(&mut self) -> Option<Result<R::Item, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<R: Paged> Stream for Items<R> {
    type Item = Result<R::Item, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(item) = this.page.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match Pin::new(&mut this.pages).poll_next(context) {
                Poll::Ready(Some(Ok(mut page))) => {
                    this.page = std::mem::take(R::items(&mut page)).into_iter();
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<R: Paged> fmt::Debug for Pages<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("walk", &self.walk)
            .finish_non_exhaustive()
    }
}

impl<R: Paged> fmt::Debug for Items<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("walk", &self.pages.walk)
            .finish_non_exhaustive()
    }
}

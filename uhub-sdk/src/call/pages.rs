//! Pagination: the pages and the items of an action as streams.

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

use crate::{
    action::Action,
    call::{
        Call,
        page_plan::{PagePlan, PageRange},
    },
    error::Error,
    exchange::failure::no_runtime,
};

/// An action whose response is paginated. The requests in [`actions`](crate::actions) that have an
/// offset and a limit implement it.
pub trait Paged: Action + Clone + Unpin + 'static {
    /// The items of a page.
    type Item: fmt::Debug + Send + Unpin + 'static;

    #[doc(hidden)]
    fn page_range(&self) -> (Option<i64>, Option<i64>);

    #[doc(hidden)]
    fn set_page_range(&mut self, offset: i64, limit: i64);

    /// Returns the number of items of all pages, as reported by the service.
    #[doc(hidden)]
    fn total(response: &Self::Response) -> i64;

    #[doc(hidden)]
    fn items(response: &mut Self::Response) -> &mut Vec<Self::Item>;

    /// Returns the name of an item, to recognize duplicates.
    #[doc(hidden)]
    fn key(item: &Self::Item) -> &str;
}

impl<R: Paged> Call<R> {
    /// Returns a stream of all non-empty pages, starting at the request's offset. The request's
    /// limit is the page size; it defaults to 100.
    ///
    /// The stream ends when the reported total is reached, on an empty page, when the service
    /// starts to repeat itself, and after an error. Items of earlier pages are skipped; to
    /// recognize them, the stream remembers the first page and the last 16,384 items.
    /// [`with_timeout`](Self::with_timeout) bounds each page, not the whole stream.
    ///
    /// The service has no snapshots: items that are added or deleted meanwhile move others to other
    /// pages. Don't delete while paginating: collect first, or items will be skipped. If more than
    /// one page of new items is added, the items that they move look as if the service repeated
    /// itself: the stream may end early, and the remaining items are skipped.
    pub fn pages(self) -> Pages<R> {
        let (offset, limit) = self.request.page_range();
        Pages { plan: PagePlan::new(offset, limit), in_flight: VecDeque::new(), call: Some(self) }
    }

    /// Returns a stream of the items of all [`pages`](Self::pages).
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
        Items { pages: self.pages(), page: Vec::new().into_iter() }
    }
}

/// A page that is being fetched. It is a task, since a slow reader must not make the request of the
/// next page time out.
struct PendingPage<R: Paged> {
    range: PageRange,
    response: JoinHandle<Result<R::Response, Error>>,
}

impl<R: Paged> Drop for PendingPage<R> {
    fn drop(&mut self) {
        self.response.abort();
    }
}

/// A [`Stream`] of the pages of an action, created by [`Call::pages`].
#[must_use = "a stream does nothing until it is polled"]
pub struct Pages<R: Paged> {
    plan: PagePlan,
    /// In the order of the pages.
    in_flight: VecDeque<PendingPage<R>>,
    /// `None` at the end of the stream.
    call: Option<Call<R>>,
}

impl<R: Paged> Pages<R> {
    /// Returns the next page.
    pub async fn next(&mut self) -> Option<Result<R::Response, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Starts as many requests as the call's read-ahead and the plan allow.
    fn fetch(&mut self) -> Result<(), Error> {
        let Some(call) = &self.call else {
            return Ok(());
        };
        let runtime = Handle::try_current().map_err(|_| no_runtime())?;
        while self.in_flight.len() <= call.read_ahead
            && let Some(range) = self.plan.next_range(self.in_flight.len())
        {
            let mut call = call.clone();
            call.request.set_page_range(range.offset, range.limit);
            let response = runtime.spawn(call.send());
            self.in_flight.push_back(PendingPage { range, response });
        }
        Ok(())
    }

    /// Waits for the next page, and returns it without the items of earlier pages.
    fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<R::Response, Error>>> {
        self.fetch()?;
        let Some(PendingPage { range, response }) = self.in_flight.front_mut() else {
            return Poll::Ready(None);
        };
        let range = *range;
        let response = match ready!(Pin::new(response).poll(context)) {
            Ok(response) => response,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(no_runtime()),
        };
        self.in_flight.pop_front();
        let mut page = response?;
        let total = R::total(&page);
        let items = R::items(&mut page);
        let keys = items.iter().map(|item| match R::key(item) {
            // An item without a name is identified by all of its fields.
            "" => Cow::Owned(format!("{item:?}")),
            key => Cow::Borrowed(key),
        });
        let report = self.plan.record(range, total, keys);
        let mut is_new = report.is_new.iter();
        items.retain(|_| is_new.next().copied().unwrap_or_default());
        if !report.is_as_planned {
            self.in_flight.clear();
        }
        Poll::Ready(Some(Ok(page)))
    }
}

impl<R: Paged> Stream for Pages<R> {
    type Item = Result<R::Response, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match ready!(this.poll_page(context)) {
                Some(Ok(mut page)) => {
                    if !R::items(&mut page).is_empty() {
                        return Poll::Ready(Some(Ok(page)));
                    }
                }
                end => {
                    this.in_flight.clear();
                    this.call = None;
                    return Poll::Ready(end);
                }
            }
        }
    }
}

/// A [`Stream`] of the items of an action, created by [`Call::items`].
#[derive(Debug)]
#[must_use = "a stream does nothing until it is polled"]
pub struct Items<R: Paged> {
    pages: Pages<R>,
    page: std::vec::IntoIter<R::Item>,
}

impl<R: Paged> Items<R> {
    /// Returns the next item.
    pub async fn next(&mut self) -> Option<Result<R::Item, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<R: Paged> Stream for Items<R> {
    type Item = Result<R::Item, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(item) = this.page.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut this.pages).poll_next(context)) {
                Some(Ok(mut page)) => this.page = std::mem::take(R::items(&mut page)).into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<R: Paged> fmt::Debug for Pages<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("call", &self.call).finish_non_exhaustive()
    }
}

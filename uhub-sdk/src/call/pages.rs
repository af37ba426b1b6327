//! Pagination: the pages and the items of an action as streams.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    hash::{BuildHasher, RandomState},
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use serde::Serialize;
use tokio::{
    runtime::{Handle, Id},
    task::{JoinHandle, yield_now},
};

use crate::{
    action::Action,
    call::{
        Call,
        page_plan::{ItemHashes, PagePlan, PageRange, Shortfall},
    },
    error::{Details, Error, ErrorKind, Execution},
    exchange::{
        failure::{no_runtime, not_signed},
        tracing,
    },
};

/// An action whose response is paginated. The requests in [`actions`](crate::actions) that have an
/// offset and a limit implement it.
pub trait Paged: Action + Clone + Unpin + 'static {
    /// The items of a page.
    type Item: fmt::Debug + Serialize + Send + Sync + Unpin + 'static;

    /// Returns the request's offset and limit. `None` if one is a text that is not a number.
    #[doc(hidden)]
    fn page_range(&self) -> Option<(Option<i64>, Option<i64>)>;

    #[doc(hidden)]
    fn set_page_range(&mut self, offset: i64, limit: i64);

    /// Returns the number of items of all pages, if the service reports it.
    #[doc(hidden)]
    fn total(response: &Self::Response) -> Option<i64>;

    #[doc(hidden)]
    fn items(response: &mut Self::Response) -> &mut Vec<Self::Item>;
}

impl<R: Paged> Call<R> {
    /// Returns a stream of the items of all pages, starting at the request's offset. The request's
    /// limit is the page size; it defaults to 100.
    ///
    /// Don't delete while paginating: each deletion moves later items forward, and the next page
    /// skips as many. Collect first, then delete: [`try_collect`](Items::try_collect) returns all
    /// items, or an error if some are missing.
    ///
    /// The end of the stream does not mean that all items were listed: ask
    /// [`shortfall`](Items::shortfall) or [`check_complete`](Items::check_complete) after it. The
    /// stream ends on an empty page, on a page that reaches the reported total and is not full, when
    /// the service keeps repeating itself, and after an error. A list whose length is a multiple of
    /// the limit, or that has no total, so takes one more call, and a list without a total is not
    /// read ahead. An incomplete list is also a `WARN` event of `tracing`, and so is a total that
    /// shrinks.
    ///
    /// The service has no snapshots: items that are added or deleted meanwhile move others to other
    /// pages. An item that equals one of an earlier page in all of its fields is skipped; one that
    /// differs in any comes again. Where a page itself has equal items, they are different ones that
    /// look alike, and none is skipped beside new ones. With pages too short to show that, skipping
    /// makes the list incomplete. To recognize items, the stream remembers the first page and the
    /// last 16,384 items. If more than one page of new items is added, it may end early.
    ///
    /// [`with_timeout`](Self::with_timeout) bounds each page, not the whole stream.
    ///
    /// # Examples
    ///
    /// Delete after listing:
    ///
    /// ```no_run
    /// # use uhub_sdk::{Action, Call, Client, Error, Paged};
    /// # async fn example<R: Paged + 'static, D: Action>(
    /// #     client: Client,
    /// #     call: Call<R>,
    /// #     is_old: impl Fn(&R::Item) -> bool,
    /// #     delete: impl Fn(&R::Item) -> D,
    /// # ) -> Result<(), Error> {
    /// let items = call.items().try_collect().await?;
    /// for item in items.iter().filter(|item| is_old(item)) {
    ///     client.send(delete(item)).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Read one item at a time, in constant memory:
    ///
    /// ```no_run
    /// # use uhub_sdk::{Call, Error, Paged};
    /// # async fn example<R>(call: Call<R>) -> Result<(), Error>
    /// # where
    /// #     R: Paged<Item: std::fmt::Debug> + 'static,
    /// # {
    /// let mut items = call.items();
    /// while let Some(item) = items.next().await {
    ///     println!("{:?}", item?);
    /// }
    /// items.check_complete()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn items(self) -> Items<R> {
        Items { pages: self.pages(), page: Vec::new().into_iter() }
    }

    /// Returns a stream of all non-empty pages, without the items of earlier ones.
    ///
    /// Don't delete while paginating: collect first, or items will be skipped. See
    /// [`items`](Self::items) for this, for the end of the stream and for its limits.
    pub fn pages(self) -> Pages<R> {
        let range = self.request.page_range();
        let (offset, limit) = range.unwrap_or_default();
        Pages {
            plan: PagePlan::new(offset, limit),
            has_valid_range: range.is_some(),
            in_flight: VecDeque::new(),
            runtime: None,
            call: Some(self),
        }
    }
}

/// A page that is being fetched. It is a task, since a slow reader must not make the request of the
/// next page time out.
struct PendingPage<R: Paged> {
    range: PageRange,
    response: JoinHandle<Result<HashedPage<R>, Error>>,
}

struct HashedPage<R: Paged> {
    response: R::Response,
    hashes: Vec<ItemHashes>,
}

/// Fetches a page and hashes its items.
async fn fetch_page<R: Paged>(call: Call<R>, hasher: RandomState) -> Result<HashedPage<R>, Error> {
    let mut response = call.send().await?;
    let items = R::items(&mut response);
    let (mut hashes, mut json) = (Vec::with_capacity(items.len()), Vec::new());
    // A page may be much longer than requested.
    for chunk in items.chunks(512) {
        for item in chunk {
            json.clear();
            // What cannot be written is left out.
            let _ = serde_json::to_writer(&mut json, item);
            let content = hasher.hash_one(json.as_slice());
            // An item without strings, such as a number, is identified by all of it.
            let text = match hash_strings(&json) {
                0 => content,
                text => text,
            };
            hashes.push(ItemHashes { text, content });
        }
        if chunk.len() == 512 {
            yield_now().await;
        }
    }
    Ok(HashedPage { response, hashes })
}

/// Hashes the strings of JSON, and nothing outside of them; 0 if it has none. The hash need not resist collisions: it
/// only counts items, and takes half the time of the standard one.
fn hash_strings(json: &[u8]) -> u64 {
    let (mut hash, mut bytes) = (0_u64, json.iter());
    while bytes.any(|byte| *byte == b'"') {
        let mut is_escaped = false;
        for byte in bytes.by_ref() {
            hash = (hash.rotate_left(5) ^ u64::from(*byte)).wrapping_mul(0x517c_c1b7_2722_0a95);
            if *byte == b'"' && !is_escaped {
                break;
            }
            is_escaped = *byte == b'\\' && !is_escaped;
        }
    }
    hash
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
    /// Whether the request's offset and limit are numbers.
    has_valid_range: bool,
    /// In the order of the pages.
    in_flight: VecDeque<PendingPage<R>>,
    /// The runtime that fetches them.
    runtime: Option<Id>,
    /// `None` at the end of the stream.
    call: Option<Call<R>>,
}

impl<R: Paged> Pages<R> {
    /// Returns the next page.
    pub async fn next(&mut self) -> Option<Result<R::Response, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Returns what is missing: the number of items so far and the reported total. `None` means that
    /// the stream has ended and the listing is complete.
    ///
    /// A service that ignores the offset, or returns an empty page too early, ends the stream
    /// without an error. More items than the total are not a shortfall. Without a total, a listing
    /// is complete if it ended on an empty page and no page repeated items of earlier ones.
    #[must_use]
    pub fn shortfall(&self) -> Option<Shortfall> {
        self.plan.shortfall()
    }

    /// Checks that the stream has ended and the listing is complete.
    ///
    /// # Errors
    ///
    /// [`IncompleteListing`](ErrorKind::IncompleteListing) if there is a
    /// [`shortfall`](Self::shortfall).
    pub fn check_complete(&self) -> Result<(), Error> {
        let Some(shortfall) = self.shortfall() else {
            return Ok(());
        };
        let summary = format!(
            "the listing is incomplete: {shortfall}. Items may have been added or deleted \
             meanwhile, or the service does not paginate as documented. List again, and with a \
             higher limit if different items can be equal."
        );
        let mut details = Details::new(ErrorKind::IncompleteListing, Execution::Completed, summary);
        details.action = Some(R::NAME.to_owned());
        details.is_retryable = true;
        Err(details.into())
    }

    /// Starts as many requests as the call's read-ahead and the plan allow.
    fn fetch(&mut self) -> Result<(), Error> {
        let Some(call) = &self.call else {
            return Ok(());
        };
        if !self.has_valid_range {
            let summary = "the offset and the limit must be numbers";
            return Err(not_signed(ErrorKind::Request, R::NAME, summary));
        }
        let runtime = Handle::try_current().map_err(|_| no_runtime())?;
        let hasher = self.plan.hasher().clone();
        let send = |range: PageRange| {
            let mut call = call.clone();
            call.request.set_page_range(range.offset, range.limit);
            let response = runtime.spawn(fetch_page(call, hasher.clone()));
            PendingPage { range, response }
        };
        // The tasks of another runtime may never end, since it may not be running.
        if self.runtime.replace(runtime.id()) != Some(runtime.id()) {
            for page in &mut self.in_flight {
                *page = send(page.range);
            }
        }
        while self.in_flight.len() <= call.read_ahead
            && let Some(range) = self.plan.next_range(self.in_flight.len())
        {
            self.in_flight.push_back(send(range));
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
        let HashedPage { response: mut page, hashes } = response?;
        let report = self.plan.record(range, R::total(&page), &hashes);
        if let Some((before, total)) = report.shrunk {
            tracing::shrunk_total(R::NAME, before, total);
        }
        let items = R::items(&mut page);
        let mut is_listed = report.is_listed.iter();
        items.retain(|_| is_listed.next().copied().unwrap_or_default());
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
                    let is_end = this.call.take().is_some() && end.is_none();
                    if let (true, Some(Shortfall { listed, total })) = (is_end, this.shortfall()) {
                        tracing::incomplete_listing(R::NAME, listed, total);
                    }
                    return Poll::Ready(end);
                }
            }
        }
    }
}

/// A [`Stream`] of the items of an action, created by [`Call::items`], which explains its limits.
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

    /// Returns all remaining items. This is the safe way to list what is to be deleted.
    ///
    /// # Errors
    ///
    /// The first error of a page, or [`IncompleteListing`](ErrorKind::IncompleteListing) if fewer
    /// items were listed than the service reports.
    pub async fn try_collect(mut self) -> Result<Vec<R::Item>, Error> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item?);
        }
        self.check_complete()?;
        Ok(items)
    }

    /// Returns what is missing; see [`Pages::shortfall`].
    #[must_use]
    pub fn shortfall(&self) -> Option<Shortfall> {
        self.pages.shortfall()
    }

    /// Checks that the stream has ended and the listing is complete.
    ///
    /// # Errors
    ///
    /// As [`Pages::check_complete`].
    pub fn check_complete(&self) -> Result<(), Error> {
        self.pages.check_complete()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_item_has_no_numbers() {
        let same = |one: &str, other: &str| {
            assert_eq!(hash_strings(one.as_bytes()), hash_strings(other.as_bytes()), "{one}");
        };
        let differ = |one: &str, other: &str| {
            assert_ne!(hash_strings(one.as_bytes()), hash_strings(other.as_bytes()), "{one}");
        };
        same(r#"{"Id":"a-1","Size":17,"Ratio":-1.5e3}"#, r#"{"Id":"a-1","Size":4,"Ratio":0.5}"#);
        same(r#"["a\\",1,"\"2","\\\"3\\",4]"#, r#"["a\\",5,"\"2","\\\"3\\",6]"#);
        differ(r#"["a\\",1,"\"2","\\\"3\\"]"#, r#"["a\\",1,"\"2","\\\"4\\"]"#);
        differ(r#"{"Id":"a-1"}"#, r#"{"Id":"a-2"}"#);
        differ(r#"["a","b"]"#, r#"["ab",""]"#);
        same("7", "8");
    }
}

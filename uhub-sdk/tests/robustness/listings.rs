//! Listings of services that do not paginate as documented.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpListener,
};
use uhub_sdk::{
    BoxFuture, Client, Error, ErrorKind, Execution, Shortfall, Transport, TransportError,
};

use crate::{common::credentials, traces::capture};

/// A service that answers each page by this function of the offset, the limit and the number of
/// the request.
#[derive(Clone)]
struct Service<F> {
    page: F,
    requests: Arc<AtomicUsize>,
}

impl<F> fmt::Debug for Service<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

impl<F: Fn(usize, usize, usize) -> String + Send + Sync + 'static> Transport for Service<F> {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        let number = |name: &str| -> usize {
            let mut parameters = url::form_urlencoded::parse(request.body());
            parameters.find(|(key, _)| key == name).unwrap().1.parse().unwrap()
        };
        let count = self.requests.fetch_add(1, Ordering::Relaxed);
        let body = (self.page)(number("Offset"), number("Limit"), count);
        Box::pin(async { Ok(http::Response::new(body.into())) })
    }
}

fn client(page: impl Fn(usize, usize, usize) -> String + Send + Sync + 'static) -> Client {
    builder(page).build().unwrap()
}

fn builder(
    page: impl Fn(usize, usize, usize) -> String + Send + Sync + 'static,
) -> uhub_sdk::ClientBuilder {
    let service = Service { page, requests: Arc::default() };
    Client::builder().credentials(credentials()).transport(service)
}

/// A page of the images from this number on, of 95 in all.
fn images(from: usize, limit: usize) -> String {
    let images: Vec<String> = (from..(from + limit).min(95))
        .map(|n| {
            format!(
                r#"{{"ImageName": "image-{n}", "PullCount": {n}, "CreateTime": 1,
                    "UpdateTime": 2, "LatestTag": "a"}}"#
            )
        })
        .collect();
    format!("[{}]", images.join(","))
}

fn page(total: &str, images: &str) -> String {
    format!(r#"{{"RetCode": 0, {total} "ImageSet": {images}}}"#)
}

const TOTAL: &str = r#""TotalCount": 95,"#;

#[track_caller]
fn assert_incomplete(error: &Error, expected: &str) {
    assert_eq!(
        (error.kind(), error.execution(), error.action()),
        (ErrorKind::IncompleteListing, Execution::Completed, Some("GetRepoImage"))
    );
    assert!(error.to_string().contains(expected), "{expected} in {error}");
}

/// Lists all images in pages of 20. Returns their number and what is missing.
async fn list(client: &Client) -> (usize, Option<Shortfall>) {
    let call = client.get_repo_image("base").limit(20);
    let mut items = call.clone().items();
    let mut count = 0;
    while let Some(image) = items.next().await {
        image.unwrap();
        count += 1;
    }
    let collected = call.clone().items().try_collect().await;
    assert_eq!(collected.is_ok(), items.check_complete().is_ok());
    if let Ok(images) = collected {
        assert_eq!(images.len(), count);
    }
    let mut pages = call.pages();
    while let Some(page) = pages.next().await {
        page.unwrap();
    }
    assert_eq!(pages.shortfall(), items.shortfall());
    (count, items.shortfall())
}

#[tokio::test]
async fn a_listing_that_ends_early_is_never_silent() {
    type Page = Box<dyn Fn(usize, usize, usize) -> String + Send + Sync>;
    let first_then = |next: &'static str| -> Page {
        Box::new(move |offset, limit, _| match offset {
            0 => page(TOTAL, &images(0, limit)),
            _ => next.to_owned(),
        })
    };
    let services: Vec<(&str, Page, u64)> = vec![
        ("ignores the offset", Box::new(|_, limit, _| page(TOTAL, &images(0, limit))), 20),
        (
            "takes the offset for the number of a page",
            Box::new(|offset, limit, _| page(TOTAL, &images(offset * limit, limit))),
            20,
        ),
        (
            "an empty second page",
            first_then(r#"{"RetCode": 0, "TotalCount": 95, "ImageSet": []}"#),
            20,
        ),
        (
            "a second page that is `null`",
            first_then(r#"{"RetCode": 0, "TotalCount": 95, "ImageSet": null}"#),
            20,
        ),
        (
            "a second page that is `null`, with its total",
            first_then(r#"{"RetCode": 0, "TotalCount": null, "ImageSet": null}"#),
            20,
        ),
        ("no second page, and 0", first_then(r#"{"RetCode": 0, "TotalCount": 0}"#), 20),
        ("no second total", first_then(r#"{"RetCode": 0, "ImageSet": []}"#), 20),
        (
            "a total that is a string",
            Box::new(|_, limit, _| page(r#""TotalCount": "95","#, &images(0, limit))),
            20,
        ),
        (
            "pages in random order",
            Box::new(|offset, limit, _| page(TOTAL, &images(offset / 20 * 7 % 60, limit))),
            0,
        ),
    ];
    for (name, service, listed) in services {
        let client = client(service);
        let (count, shortfall) = list(&client).await;
        let shortfall = shortfall.expect(name);
        assert_eq!(shortfall.total, Some(95), "{name}");
        assert!(shortfall.listed < 95, "{name}: {shortfall}");
        if listed > 0 {
            assert_eq!((shortfall.listed, count as u64), (listed, listed), "{name}");
            let error =
                client.get_repo_image("base").limit(20).items().try_collect().await.unwrap_err();
            assert_incomplete(&error, "the listing is incomplete: 20 of 95 items.");
        }
    }
}

#[tokio::test]
async fn a_complete_listing_has_no_shortfall() {
    for total in [r#""TotalCount": 95,"#, r#""TotalCount": "95","#, r#""TotalCount": 5,"#, ""] {
        let client = client(move |offset, limit, _| page(total, &images(offset, limit)));
        assert_eq!(list(&client).await, (95, None), "{total}");
    }
    // Others delete ten images after the first page.
    let deleted = |offset: usize, limit: usize, _| {
        let total = if offset == 0 { TOTAL } else { r#""TotalCount": 85,"# };
        page(total, &images(offset, limit.min(85_usize.saturating_sub(offset))))
    };
    assert_eq!(list(&client(deleted)).await, (85, None));
}

#[tokio::test]
async fn without_a_total_repetition_is_a_shortfall() {
    let (count, shortfall) = list(&client(|_, limit, _| page("", &images(0, limit)))).await;
    let shortfall = shortfall.unwrap();
    assert_eq!((count, shortfall.listed, shortfall.total), (20, 20, None));
    assert_eq!(shortfall.to_string(), "20 items of an unknown total");
}

#[tokio::test]
async fn a_stream_that_was_not_read_to_its_end_is_not_complete() {
    let client = client(|offset, limit, _| page(TOTAL, &images(offset, limit)));
    let mut items = client.get_repo_image("base").limit(20).items();
    assert_incomplete(&items.check_complete().unwrap_err(), "0 items of an unknown total");
    items.next().await.unwrap().unwrap();
    assert_incomplete(&items.check_complete().unwrap_err(), "20 of 95 items");
    let mut counted = client.get_repo_image("base").limit(20).offset(40).items();
    let mut count = 0;
    while let Some(image) = counted.next().await {
        image.unwrap();
        count += 1;
    }
    assert_eq!((count, counted.shortfall()), (55, None));
}

/// Names need not be unique. An item is skipped only if all of it was seen.
#[tokio::test]
async fn items_with_one_name_are_all_listed() {
    let service = |offset: usize, limit: usize, _| {
        let images: Vec<String> = (offset..(offset + limit).min(7))
            .map(|n| format!(r#"{{"ImageName": "gateway", "PullCount": {n}}}"#))
            .collect();
        page(r#""TotalCount": 7,"#, &format!("[{}]", images.join(",")))
    };
    let client = client(service);
    let images = client.get_repo_image("base").limit(2).items().try_collect().await.unwrap();
    let counts: Vec<i64> = images.iter().map(|image| image.pull_count).collect();
    assert_eq!(counts, [0, 1, 2, 3, 4, 5, 6]);
}

/// Answers on loopback by a function of the offset, the limit and the number of the request. Returns
/// the base URL and the number of requests.
async fn serve(
    page: impl Fn(usize, usize, usize) -> String + Send + Sync + 'static,
) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (page, requests) = (Arc::new(page), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&requests);
    tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            let (page, counter) = (Arc::clone(&page), Arc::clone(&counter));
            tokio::spawn(async move {
                let mut connection = BufStream::new(connection);
                let mut line = String::new();
                let mut length = 0;
                while connection.read_line(&mut line).await.is_ok_and(|length| length > 0) {
                    if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if line == "\r\n" {
                        let mut form = vec![0; length];
                        connection.read_exact(&mut form).await.unwrap();
                        let number = |name: &str| {
                            let mut form = url::form_urlencoded::parse(&form);
                            form.find(|(key, _)| key == name).unwrap().1.parse().unwrap()
                        };
                        let count = counter.fetch_add(1, Ordering::Relaxed);
                        let body = page(number("Offset"), number("Limit"), count);
                        let head =
                            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                        connection.write_all((head + &body).as_bytes()).await.unwrap();
                        connection.flush().await.unwrap();
                    }
                    line.clear();
                }
            });
        }
    });
    (url, requests)
}

/// A page of the rows in this range, each with a name and a number.
fn rows(total: Option<usize>, rows: &[(usize, usize)], from: usize, length: usize) -> String {
    let images: Vec<String> = rows
        .iter()
        .skip(from)
        .take(length)
        .map(|(name, count)| {
            format!(
                r#"{{"ImageName": "image-{name}", "PullCount": {count}, "CreateTime": 1,
                    "UpdateTime": 2, "LatestTag": "a"}}"#
            )
        })
        .collect();
    let total = total.map_or(String::new(), |total| format!(r#""TotalCount": {total},"#));
    page(&total, &format!("[{}]", images.join(",")))
}

/// What a listing of a service on loopback yields, whether it is complete, and its requests.
async fn listing(
    limit: i64,
    page: impl Fn(usize, usize, usize) -> String + Send + Sync + 'static,
) -> (Vec<(String, i64)>, bool, usize) {
    let (url, requests) = serve(page).await;
    let client = Client::builder().credentials(credentials()).base_url(url).build().unwrap();
    let mut items = client.get_repo_image("base").limit(limit).items();
    let mut found = Vec::new();
    while let Some(image) = items.next().await {
        let image = image.unwrap();
        found.push((image.image_name, image.pull_count));
    }
    (found, items.check_complete().is_ok(), requests.load(Ordering::Relaxed))
}

#[tokio::test]
async fn every_item_is_listed_in_order_whatever_the_total_and_the_length_of_pages() {
    const COUNT: usize = 23;
    /// The total that a service reports beside a page of this length.
    type Total = fn(usize) -> Option<usize>;
    let totals: [(&str, Total); 6] = [
        ("correct", |_| Some(COUNT)),
        ("none", |_| None),
        ("0", |_| Some(0)),
        ("too small", |_| Some(10)),
        ("too large", |_| Some(COUNT + 7)),
        ("that of the page", Some),
    ];
    let named: Vec<(usize, usize)> = (0..COUNT).map(|n| (n, 0)).collect();
    // All have one of two names.
    let numbered: Vec<(usize, usize)> = (0..COUNT).map(|n| (n % 2, n)).collect();
    for (what, all) in [("named", named), ("numbered", numbered)] {
        let expected: Vec<(String, i64)> =
            all.iter().map(|(name, count)| (format!("image-{name}"), *count as i64)).collect();
        for (name, total) in totals {
            for (limit, cap) in
                [(1, 50), (2, 50), (3, 2), (5, 50), (10, 50), (10, 4), (23, 50), (50, 50), (50, 5)]
            {
                let about = format!("{what}, total: {name}, limit {limit}, capped at {cap}");
                let all = all.clone();
                let service = move |offset: usize, limit: usize, _| {
                    let length = limit.min(cap);
                    let actual = length.min(COUNT.saturating_sub(offset));
                    rows(total(actual), &all, offset, length)
                };
                let (items, is_complete, requests) = listing(limit, service).await;
                // A page that is shorter than asked for, and that the total says is all, is all.
                if name != "that of the page" || limit <= cap as i64 {
                    assert_eq!(items, expected, "{about}");
                }
                if what == "named" {
                    assert_eq!(is_complete, name != "too large", "{about}");
                }
                let length = COUNT.min(limit as usize).min(cap);
                assert!(
                    requests <= (COUNT + 7).div_ceil(length) + 2,
                    "{about}: {requests} requests"
                );
            }
        }
    }
}

#[tokio::test]
async fn equal_items_are_listed_or_missed_aloud() {
    let all = [(0, 0), (1, 0), (1, 0), (2, 0), (0, 0), (3, 0), (1, 0)];
    let expected = ["image-0", "image-1", "image-1", "image-2", "image-0", "image-3", "image-1"];
    for total in [Some(7), None] {
        for limit in 1..9 {
            let service = move |offset, limit, _| rows(total, &all, offset, limit);
            let (items, is_complete, _) = listing(limit, service).await;
            let names: Vec<&str> = items.iter().map(|(name, _)| name.as_str()).collect();
            // A page with both equal items shows that they are two.
            assert_eq!(names == expected, limit >= 3, "{total:?} {limit}: {names:?}");
            assert!(
                ["image-0", "image-1", "image-2", "image-3"].iter().all(|it| names.contains(it))
            );
            assert_eq!(is_complete, names == expected, "{total:?} {limit}");
        }
    }
}

#[tokio::test]
async fn repeated_and_moved_items_come_once() {
    let all: Vec<(usize, usize)> = (0..23).map(|n| (n, 0)).collect();
    let names: Vec<String> = (0..23).map(|n| format!("image-{n}")).collect();
    for total in [Some(23), None] {
        for limit in [2, 5, 10, 23, 30] {
            // Each page begins with the last item of the one before.
            let rows_of = all.clone();
            let service = move |offset: usize, limit, _| {
                rows(total, &rows_of, offset.saturating_sub(1), limit)
            };
            let (items, is_complete, _) = listing(limit, service).await;
            assert!(items.iter().map(|(name, _)| name).eq(&names), "{total:?} {limit} {items:?}");
            assert_eq!(is_complete, total.is_some(), "{total:?} {limit}");

            // The offset is ignored.
            let rows_of = all.clone();
            let service = move |_, limit, _| rows(total, &rows_of, 0, limit);
            let (items, is_complete, requests) = listing(limit, service).await;
            let length = names.len().min(limit as usize);
            assert!(items.iter().map(|(name, _)| name).eq(&names[..length]), "{total:?} {limit}");
            assert_eq!(is_complete, total.is_some() && length == names.len(), "{total:?} {limit}");
            assert!(requests <= 20, "{requests}");

            // An item is added in front after the first page.
            let rows_of = all.clone();
            let service = move |offset: usize, limit, number: usize| {
                let added = number.min(1);
                rows(
                    total.map(|total| total + added),
                    &rows_of,
                    offset.saturating_sub(added),
                    limit,
                )
            };
            let (items, is_complete, _) = listing(limit, service).await;
            assert!(items.iter().map(|(name, _)| name).eq(&names), "{total:?} {limit} {items:?}");
            assert_eq!(is_complete, total.is_some() && limit > 23, "{total:?} {limit}");
        }
    }
}

/// The warnings about listings; those about fields depend on what the documentation says.
fn about_listings(events: &[String]) -> Vec<&String> {
    let is_about = |event: &&String| event.starts_with("WARN") && event.contains("total=");
    events.iter().filter(is_about).collect()
}

#[tokio::test]
async fn an_incomplete_listing_is_one_warning() {
    let captured = capture();
    let client = client(|_, limit, _| page(TOTAL, &images(0, limit)));
    let mut items = client.get_repo_image("base").limit(20).items();
    while let Some(image) = items.next().await {
        image.unwrap();
    }
    assert!(items.next().await.is_none());
    let ours = captured.ours.lock().unwrap();
    let warnings = about_listings(&ours);
    let expected = "WARN message=a listing is incomplete: its stream ended too early \
                    action=\"GetRepoImage\" listed=20 total=95";
    assert_eq!(warnings, [expected]);
}

#[tokio::test]
async fn a_total_that_shrinks_is_a_warning() {
    let captured = capture();
    // A program that deletes the first page after reading it skips the next one.
    let client = client(|offset, limit, _| match offset {
        0 => page(TOTAL, &images(0, limit)),
        _ => page(r#""TotalCount": 75,"#, &images(offset + 20, limit)),
    });
    client.get_repo_image("base").limit(20).items().try_collect().await.unwrap();
    let ours = captured.ours.lock().unwrap();
    let warnings = about_listings(&ours);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("the total shrank"), "{warnings:?}");
    assert!(warnings[0].ends_with("before=95 total=75"), "{warnings:?}");
}

#[cfg(feature = "blocking")]
#[test]
fn a_blocking_listing_that_ends_early_is_never_silent() {
    let client = builder(|_, limit, _| page(TOTAL, &images(0, limit))).build_blocking().unwrap();
    let call = client.get_repo_image("base").limit(20);
    assert_incomplete(&call.clone().items().try_collect().unwrap_err(), "20 of 95 items");
    let mut items = call.clone().items();
    assert_eq!(items.by_ref().filter(Result::is_ok).count(), 20);
    assert_eq!(items.shortfall().map(|shortfall| shortfall.listed), Some(20));
    assert_incomplete(&items.check_complete().unwrap_err(), "20 of 95 items");
    let mut pages = call.pages();
    assert_eq!(pages.by_ref().count(), 1);
    assert_eq!(pages.shortfall(), items.shortfall());
    assert_incomplete(&pages.check_complete().unwrap_err(), "20 of 95 items");
}

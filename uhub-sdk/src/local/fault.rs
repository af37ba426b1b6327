//! What the server can do wrong when told to.

use std::error::Error;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::body::AnswerBody;
use super::stream::Flushes;

/// Something to go wrong with one request: [`LocalUhub::play`](super::LocalUhub::play) queues it.
///
/// It is played after the request was read to its end and recorded in
/// [`LocalUhub::requests`](super::LocalUhub::requests), whatever the request was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Answers this instead, as a proxy would: an error page, an empty body, a redirect. The action
    /// is not run.
    ///
    /// A `Content-Length` among the headers is sent as it is, even if the body is shorter (the
    /// connection closes after it) or longer (the rest is not sent). What cannot be sent, such as a
    /// status of 99, a header with a line break or a `Transfer-Encoding`, is answered with a plain
    /// HTTP 500 that says so.
    Respond {
        /// The HTTP status.
        status: u16,
        /// The headers, beside those HTTP needs.
        headers: Vec<(String, String)>,
        /// The body.
        body: Bytes,
    },
    /// Answers 200 with a JSON object of this many bytes that says success: `RetCode` is 0, the
    /// rest padding. It is streamed, without a `Content-Length`. The action is not run. With less
    /// than a hundred bytes or so, the JSON is not complete.
    Huge {
        /// The length of the body.
        bytes: u64,
    },
    /// Runs the action, announces its whole answer, sends this many bytes of the body and closes
    /// the connection.
    CutBody {
        /// How many bytes of the body are sent.
        after: usize,
    },
    /// Closes the connection without an answer. The action is not run.
    CutConnection,
    /// Never answers: the request stays open until the client leaves or the server stops. The
    /// action is not run.
    Hang,
}

/// The response of a [`Fault::Respond`].
pub(super) fn respond(
    status: u16,
    headers: &[(String, String)],
    body: &Bytes,
    flushes: Flushes,
) -> Response<AnswerBody> {
    try_respond(status, headers, body, flushes).unwrap_or_else(|error| {
        let text = format!("the fault that was to be played cannot be sent: {error}\n");
        let mut response = Response::new(AnswerBody::whole(text.into()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn try_respond(
    status: u16,
    headers: &[(String, String)],
    body: &Bytes,
    flushes: Flushes,
) -> Result<Response<AnswerBody>, Box<dyn Error>> {
    let mut response = Response::new(AnswerBody::whole(body.clone()));
    *response.status_mut() = StatusCode::from_u16(status)?;
    if response.status().is_informational() {
        return Err("a status below 200 is no answer".into());
    }
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        response
            .headers_mut()
            .append(name, HeaderValue::from_str(value)?);
    }
    if response.headers().contains_key(TRANSFER_ENCODING) {
        return Err("the transfer encoding is the server's own".into());
    }
    if let Some(announced) = announced_length(response.headers())? {
        // The announced length is believed: what is beyond it is not sent, what is missing cuts the
        // connection.
        *response.body_mut() = if announced > body.len() {
            AnswerBody::broken(body.clone(), flushes)
        } else {
            AnswerBody::whole(body.slice(..announced))
        };
    }
    Ok(response)
}

fn announced_length(headers: &HeaderMap) -> Result<Option<usize>, Box<dyn Error>> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let Some(length) = lengths.next() else {
        return Ok(None);
    };
    if lengths.next().is_some() {
        return Err("there are two content lengths".into());
    }
    Ok(Some(length.to_str()?.parse()?))
}

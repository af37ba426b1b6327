//! What the server can do wrong when told to.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

use super::body::AnswerBody;
use super::stream::Wire;
use crate::RetCode;

/// Something to go wrong with one request: [`LocalUhub::play`](super::LocalUhub::play) queues it,
/// [`LocalUhub::play_on`](super::LocalUhub::play_on) says on which requests.
///
/// It is played after the request was read to its end and recorded in
/// [`LocalUhub::requests`](super::LocalUhub::requests), whatever the request was.
///
/// What tells one client from another is what it does when it cannot know whether its request was
/// carried out. So each fault says whether it was, and of those that keep a request from being
/// carried out there is another kind, [`after_execution`](Self::after_execution), that lets it:
///
/// | carried out | faults |
/// | --- | --- |
/// | no, unless played `after_execution` | `Respond`, `RetCode`, `Huge`, `CutConnection`, `ResetConnection`, `Hang` |
/// | yes, after the wait; at once, if played `after_execution` | `Delay` |
/// | yes | `CutResponse`, `CutBody`, `SlowBody`, `BrokenJson`, `WrongTypes`, `WrongTotal`, `RepeatPages` |
///
/// "Yes" means as far as it would be without the fault: a request with a wrong signature is refused.
///
/// As JSON, a fault is its name in snake_case, or an object of its name and what it is told:
///
/// ```json
/// "cut_connection"
/// "throttled"
/// "bad_gateway"
/// {"ret_code": {"code": 153, "message": "Too many requests"}}
/// {"respond": {"status": 503, "headers": [["Retry-After", "2"]], "body": "busy"}}
/// {"delay": {"seconds": 1.5}}
/// {"slow_body": {"bytes": 10, "seconds": 0.2}}
/// {"cut_body": {"after": 100}}
/// {"wrong_total": {"total": 1000}}
/// {"after_execution": "reset_connection"}
/// ```
///
/// `throttled` and `bad_gateway` are read as what [`Fault::throttled`] and [`Fault::bad_gateway`] make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields, remote = "Self")]
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
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// The body.
        #[serde(default, with = "text")]
        body: Bytes,
    },
    /// Answers 200 with this `RetCode` instead, as the service does: [`Fault::ret_code`] makes
    /// one. The action is not run.
    RetCode {
        /// The return code.
        code: i64,
        /// The answer's `Message`; the documented meaning of the code, if it is empty. With the
        /// code 0, which says success, there is none.
        #[serde(default)]
        message: String,
    },
    /// Answers 200 with a JSON object of this many bytes that says success: `RetCode` is 0, the
    /// rest padding. It is streamed, without a `Content-Length`. The action is not run. With less
    /// than a hundred bytes or so, the JSON is not complete.
    Huge {
        /// The length of the body.
        bytes: u64,
    },
    /// Closes the connection without an answer. The action is not run.
    CutConnection,
    /// Closes the connection without an answer, as a machine does that crashes: by a TCP reset,
    /// which most clients report as another error. The action is not run.
    ResetConnection,
    /// Never answers: the request stays open until the client leaves or the server stops. The
    /// action is not run.
    Hang,
    /// Waits, then runs the action and answers. The action is not run if the client leaves before.
    Delay {
        /// How long it waits.
        #[serde(rename = "seconds", with = "super::seconds")]
        time: Duration,
    },
    /// Runs the action, sends this many bytes of the response, its head included, and closes the
    /// connection.
    CutResponse {
        /// How many bytes of the response are sent.
        after: u64,
    },
    /// Runs the action, announces its whole answer, sends this many bytes of the body and closes
    /// the connection.
    CutBody {
        /// How many bytes of the body are sent.
        after: usize,
    },
    /// Runs the action and sends its answer in small pieces, each some time after the one before.
    SlowBody {
        /// How many bytes a piece has; 0 is taken for 1.
        bytes: usize,
        /// How long it takes from one to the next.
        #[serde(rename = "seconds", with = "super::seconds")]
        pause: Duration,
    },
    /// Runs the action and answers the first half of the JSON, as if it were all.
    BrokenJson,
    /// Runs the action and answers in other types than are documented, those of the page's example:
    /// numbers in the place of strings, plain names in the place of models, fields left out that
    /// are left out there; and `RetCode` as a string.
    WrongTypes,
    /// Runs the action and answers this in the place of how many there are: `TotalCount`,
    /// `ProjectCount`.
    WrongTotal {
        /// How many there are said to be.
        total: i64,
    },
    /// Runs the action as if the request had no `Offset`: whichever page is asked for, it is the
    /// first. Of an action without pages nothing changes.
    RepeatPages,
    /// Runs the action, at once, and then plays this in the place of its answer. What lets the
    /// action run anyway is no other for this.
    Afterwards(Box<Fault>),
}

impl Fault {
    /// Answers 200 with this return code instead of running the action, with the documented meaning
    /// of the code as its `Message`.
    ///
    /// ```
    /// use uhub_sdk::RetCode;
    /// use uhub_sdk::local::Fault;
    ///
    /// let throttled = Fault::ret_code(RetCode::THROTTLED);
    /// // The gateway gives up, and the service has done it all the same.
    /// let unknown = Fault::ret_code(RetCode::GATEWAY_TIMEOUT).after_execution();
    /// let undocumented = Fault::ret_code(64_001);
    /// ```
    #[must_use]
    pub fn ret_code(code: impl Into<RetCode>) -> Self {
        Self::RetCode {
            code: code.into().get(),
            message: String::new(),
        }
    }

    /// Turns the request away because there are too many: return code 153.
    #[must_use]
    pub fn throttled() -> Self {
        Self::ret_code(THROTTLED)
    }

    /// A proxy's error page: HTTP 502 with HTML. The action is not run.
    #[must_use]
    pub fn bad_gateway() -> Self {
        let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n\
            <body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";
        Self::Respond {
            status: 502,
            headers: vec![("Content-Type".to_owned(), "text/html".to_owned())],
            body: Bytes::from_static(page.as_bytes()),
        }
    }

    /// An HTTP status, 429 or 503, that asks to come again later: `retry_after` is what stands in
    /// its `Retry-After`, a number of seconds or a date. The action is not run.
    #[must_use]
    pub fn retry_after(status: u16, retry_after: impl ToString) -> Self {
        Self::Respond {
            status,
            headers: vec![("Retry-After".to_owned(), retry_after.to_string())],
            body: Bytes::new(),
        }
    }

    /// Waits, then runs the action and answers.
    #[must_use]
    pub fn delay(time: Duration) -> Self {
        Self::Delay { time }
    }

    /// The same, after the action was run: [`Fault::Afterwards`].
    ///
    /// ```
    /// use uhub_sdk::local::Fault;
    ///
    /// // The request is carried out, and the client does not hear of it.
    /// let lost_answer = Fault::CutConnection.after_execution();
    /// ```
    #[must_use]
    pub fn after_execution(self) -> Self {
        match self {
            Self::Afterwards(_) => self,
            other => Self::Afterwards(Box::new(other)),
        }
    }

    /// The fault itself, and whether the action is run before it.
    pub(super) fn unwrapped(&self) -> (&Self, bool) {
        match self {
            Self::Afterwards(inner) => (inner.unwrapped().0, true),
            other => (other, false),
        }
    }

    /// About how much memory it takes.
    pub(super) fn size(&self) -> usize {
        let held = match self {
            Self::Respond { headers, body, .. } => {
                let texts = headers.iter();
                let texts = texts.map(|(name, value)| name.len() + value.len());
                body.len() + size_of_val(&headers[..]) + texts.sum::<usize>()
            }
            Self::RetCode { message, .. } => message.len(),
            Self::Afterwards(inner) => inner.size(),
            _ => 0,
        };
        size_of::<Self>() + held
    }

    /// When the action is run.
    pub(super) fn runs(&self) -> Runs {
        match self.unwrapped() {
            (_, true) => Runs::AtOnce,
            (Self::Delay { time }, false) => Runs::After(*time),
            (
                Self::Respond { .. }
                | Self::RetCode { .. }
                | Self::Huge { .. }
                | Self::CutConnection
                | Self::ResetConnection
                | Self::Hang,
                false,
            ) => Runs::Never,
            _ => Runs::AtOnce,
        }
    }
}

const THROTTLED: i64 = 153;

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // The derived one: for `remote`, it is not the trait's.
        Self::serialize(self, to)
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = Value::deserialize(from)?;
        match json.as_str() {
            Some("throttled") => Ok(Self::throttled()),
            Some("bad_gateway") => Ok(Self::bad_gateway()),
            _ => Self::deserialize(json).map_err(D::Error::custom),
        }
    }
}

/// When a request that a fault is played on is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    AtOnce,
    After(Duration),
    Never,
}

/// A body in JSON: a string, in which bytes that are no text are replaced.
mod text {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(body: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&String::from_utf8_lossy(body))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        String::deserialize(from).map(Bytes::from)
    }
}

/// The response of a [`Fault::Respond`].
pub(super) fn respond(
    status: u16,
    headers: &[(String, String)],
    body: &Bytes,
    wire: &Wire,
) -> Response<AnswerBody> {
    try_respond(status, headers, body, wire).unwrap_or_else(|error| {
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
    wire: &Wire,
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
            AnswerBody::broken(body.clone(), wire.clone())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_says_when_the_action_is_run() {
        let second = Duration::from_secs(1);
        assert_eq!(Fault::throttled().runs(), Runs::Never);
        assert_eq!(Fault::delay(second).runs(), Runs::After(second));
        assert_eq!(Fault::delay(second).after_execution().runs(), Runs::AtOnce);
        assert_eq!(Fault::WrongTypes.runs(), Runs::AtOnce);
        let twice = Fault::Afterwards(Box::new(Fault::Hang.after_execution()));
        assert_eq!(twice.unwrapped(), (&Fault::Hang, true));
        assert_eq!(
            Fault::Hang.after_execution().after_execution(),
            Fault::Hang.after_execution()
        );
    }

    #[test]
    fn as_json_a_fault_is_what_it_says() {
        let second = Duration::from_millis(1500);
        for (json, fault) in [
            (r#""cut_connection""#, Fault::CutConnection),
            (r#""throttled""#, Fault::throttled()),
            (
                r#"{"after_execution": "bad_gateway"}"#,
                Fault::bad_gateway().after_execution(),
            ),
            (r#"{"delay": {"seconds": 1.5}}"#, Fault::delay(second)),
            (
                r#"{"respond": {"status": 503, "headers": [["Retry-After", "2"]]}}"#,
                Fault::retry_after(503, 2),
            ),
            (r#"{"ret_code": {"code": 64001}}"#, Fault::ret_code(64_001)),
            (
                r#"{"after_execution": {"slow_body": {"bytes": 3, "seconds": 1.5}}}"#,
                Fault::SlowBody {
                    bytes: 3,
                    pause: second,
                }
                .after_execution(),
            ),
        ] {
            assert_eq!(serde_json::from_str::<Fault>(json).unwrap(), fault);
            let again = serde_json::to_string(&fault).unwrap();
            assert_eq!(serde_json::from_str::<Fault>(&again).unwrap(), fault);
        }
        for (json, message) in [
            (r#""cut""#, "unknown variant `cut`"),
            (r#"{"delay": {"seconds": -1}}"#, "no number of seconds"),
            (r#"{"delay": {"seconds": 1, "x": 1}}"#, "unknown field `x`"),
            (r#"{"respond": {}}"#, "missing field `status`"),
        ] {
            let error = serde_json::from_str::<Fault>(json).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}

//! What can go wrong with a request on demand.

pub(crate) mod scope;

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

/// A fault to inject into one request: [`LocalUhub::inject`](crate::LocalUhub::inject) queues it
/// for the next one, [`LocalUhub::inject_on`](crate::LocalUhub::inject_on) selects requests.
///
/// A fault takes effect after the request was read completely and recorded in
/// [`LocalUhub::requests`](crate::LocalUhub::requests), whether or not the request is valid.
///
/// Clients differ in what they do when they cannot know whether their request was executed. So each
/// fault specifies whether it is, and [`after_execution`](Self::after_execution) executes it before
/// a fault that would prevent that. A request that the service refuses, such as one with a wrong
/// signature, is never executed.
///
/// In JSON, a fault is its name in snake_case, or an object of its name and its fields:
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
/// `throttled` and `bad_gateway` stand for [`Fault::throttled`] and [`Fault::bad_gateway`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields, remote = "Self")]
#[non_exhaustive]
pub enum Fault {
    /// Responds as a proxy would: an error page, an empty body, a redirect. The action is not
    /// executed.
    ///
    /// A `Content-Length` header is sent unchanged. If the body is shorter, the connection closes
    /// after it; if it is longer, the rest is not sent. An invalid response, such as a status of
    /// 99, a header with a line break or a `Transfer-Encoding`, becomes a plain HTTP 500 with the
    /// reason.
    Respond {
        /// The HTTP status.
        status: u16,
        /// Additional headers.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// The body.
        #[serde(default, with = "text")]
        body: Bytes,
    },
    /// Responds with HTTP 200 and this `RetCode`: see [`Fault::ret_code`]. The action is not
    /// executed.
    RetCode {
        /// The return code.
        code: i64,
        /// The `Message`. Defaults to `injected by the local server`. The code 0 has none.
        #[serde(default)]
        message: String,
    },
    /// Responds with HTTP 200 and a JSON object of this length: `RetCode` 0 and padding. It is
    /// streamed without a `Content-Length`. The action is not executed. Below about a hundred bytes
    /// the JSON is incomplete.
    Huge {
        /// The length of the body in bytes.
        bytes: u64,
    },
    /// Closes the connection without a response. The action is not executed.
    CutConnection,
    /// Closes the connection without a response by a TCP reset, as a crashing machine does. Most
    /// clients report it as another error. The action is not executed.
    ResetConnection,
    /// Never responds: the request stays open until the client leaves or the server stops. The
    /// action is not executed.
    Hang,
    /// Waits, then executes the action and responds. The action is not executed if the client
    /// leaves before that.
    Delay {
        /// The time to wait.
        #[serde(rename = "seconds", with = "crate::seconds")]
        time: Duration,
    },
    /// Executes the action, sends the start of the response and closes the connection.
    CutResponse {
        /// The number of bytes that are sent, including the head.
        after: u64,
    },
    /// Executes the action, sends the head and the start of the body and closes the connection.
    CutBody {
        /// The number of bytes of the body that are sent.
        after: usize,
    },
    /// Executes the action and sends the response in small pieces.
    SlowBody {
        /// The length of a piece in bytes. 0 means 1.
        bytes: usize,
        /// The time between two pieces.
        #[serde(rename = "seconds", with = "crate::seconds")]
        pause: Duration,
    },
    /// Executes the action and responds with the first half of the JSON as a complete body.
    BrokenJson,
    /// Executes the action and responds with the types of the documentation's example instead of
    /// the documented ones: numbers for strings, names for models, without the fields that are
    /// missing there. `RetCode` is a string.
    WrongTypes,
    /// Executes the action and responds with this `TotalCount` or `ProjectCount`.
    WrongTotal {
        /// The total.
        total: i64,
    },
    /// Executes the action without its `Offset`, so that every page is the first.
    RepeatPages,
    /// Executes the action, then injects the inner fault instead of the response. Faults that
    /// execute the action anyway are unchanged, except [`Delay`](Self::Delay).
    AfterExecution(Box<Fault>),
}

impl Fault {
    /// Responds with HTTP 200 and this return code. The `Message` says that the fault is injected.
    /// The action is not executed. `Fault::ret_code(110).after_execution()` is a gateway that times
    /// out after the service has executed the action.
    #[must_use]
    pub fn ret_code(code: impl Into<i64>) -> Self {
        Self::RetCode { code: code.into(), message: String::new() }
    }

    /// Throttles the request: return code 153.
    #[must_use]
    pub fn throttled() -> Self {
        Self::ret_code(153)
    }

    /// Responds with a proxy's error page: HTTP 502 and HTML. The action is not executed.
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

    /// Responds with an HTTP status, 429 or 503, and a `Retry-After` header: a number of seconds or
    /// a date. The action is not executed.
    #[must_use]
    pub fn retry_after(status: u16, retry_after: impl ToString) -> Self {
        Self::Respond {
            status,
            headers: vec![("Retry-After".to_owned(), retry_after.to_string())],
            body: Bytes::new(),
        }
    }

    /// Executes the action before the fault: `Fault::CutConnection.after_execution()` loses the
    /// response of an executed action.
    #[must_use]
    pub fn after_execution(self) -> Self {
        match self {
            Self::AfterExecution(_) => self,
            other => Self::AfterExecution(Box::new(other)),
        }
    }

    /// The fault itself, and whether it comes after the execution.
    pub(crate) fn split(&self) -> (&Self, bool) {
        match self {
            Self::AfterExecution(inner) => (inner.split().0, true),
            other => (other, false),
        }
    }

    /// The approximate size in memory.
    pub(crate) fn size(&self) -> usize {
        let texts = match self.split().0 {
            Self::Respond { headers, body, .. } => {
                let headers = headers.iter().map(|(name, value)| name.len() + value.len());
                body.len() + headers.sum::<usize>()
            }
            Self::RetCode { message, .. } => message.len(),
            _ => 0,
        };
        size_of::<Self>() + texts
    }

    /// Whether the fault takes the place of the execution.
    pub(crate) fn prevents_execution(&self) -> bool {
        matches!(
            self,
            Self::Respond { .. }
                | Self::RetCode { .. }
                | Self::Huge { .. }
                | Self::CutConnection
                | Self::ResetConnection
                | Self::Hang
        )
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // `remote` derives an inherent method.
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Value::deserialize(deserializer)?;
        match json.as_str() {
            Some("throttled") => Ok(Self::throttled()),
            Some("bad_gateway") => Ok(Self::bad_gateway()),
            _ => Self::deserialize(json).map_err(D::Error::custom),
        }
    }
}

/// A body in JSON: a string, with replacement characters for invalid UTF-8.
mod text {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(body))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Bytes, D::Error> {
        String::deserialize(deserializer).map(Bytes::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_defines_whether_the_action_is_executed() {
        let second = Duration::from_secs(1);
        assert!(Fault::throttled().prevents_execution());
        assert!(!Fault::throttled().after_execution().prevents_execution());
        assert!(!Fault::Delay { time: second }.prevents_execution());
        assert!(!Fault::WrongTypes.prevents_execution());
        let twice = Fault::AfterExecution(Box::new(Fault::Hang.after_execution()));
        assert_eq!(twice.split(), (&Fault::Hang, true));
        assert_eq!(Fault::Hang.after_execution().after_execution(), Fault::Hang.after_execution());
    }

    #[test]
    fn faults_have_a_json_form() {
        let second = Duration::from_millis(1500);
        for (json, fault) in [
            (r#""cut_connection""#, Fault::CutConnection),
            (r#""throttled""#, Fault::throttled()),
            (r#"{"after_execution": "bad_gateway"}"#, Fault::bad_gateway().after_execution()),
            (r#"{"delay": {"seconds": 1.5}}"#, Fault::Delay { time: second }),
            (
                r#"{"respond": {"status": 503, "headers": [["Retry-After", "2"]]}}"#,
                Fault::retry_after(503, 2),
            ),
            (r#"{"ret_code": {"code": 64001}}"#, Fault::ret_code(64_001)),
            (
                r#"{"after_execution": {"slow_body": {"bytes": 3, "seconds": 1.5}}}"#,
                Fault::SlowBody { bytes: 3, pause: second }.after_execution(),
            ),
        ] {
            assert_eq!(serde_json::from_str::<Fault>(json).unwrap(), fault);
            let again = serde_json::to_string(&fault).unwrap();
            assert_eq!(serde_json::from_str::<Fault>(&again).unwrap(), fault);
        }
        for (json, message) in [
            (r#""cut""#, "unknown variant `cut`"),
            (r#"{"delay": {"seconds": -1}}"#, "not a valid number of seconds"),
            (r#"{"delay": {"seconds": 1, "x": 1}}"#, "unknown field `x`"),
            (r#"{"respond": {}}"#, "missing field `status`"),
        ] {
            let error = serde_json::from_str::<Fault>(json).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}

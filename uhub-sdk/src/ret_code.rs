//! The service's return codes.

use std::fmt;

/// A return code of the service other than 0, which is success. Documented as `RetCode`.
///
/// # Examples
///
/// ```
/// use uhub_sdk::RetCode;
///
/// let code = RetCode::from(64_001);
/// assert_eq!(code.get(), 64_001);
/// // The code is not documented, like most of an action's own.
/// assert_eq!((code.meaning(), code.remedy()), (None, None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RetCode(i64);

/// The documentation of a return code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Documentation {
    pub(crate) meaning: &'static str,
    pub(crate) remedy: &'static str,
    pub(crate) outcome: RetCodeOutcome,
}

/// What a return code means for the call.
///
/// | outcome | [`Execution`](crate::Execution) | retried? | predicate of the error |
/// | --- | --- | --- | --- |
/// | `Failed` | `Failed` | no | |
/// | `Rejected` | `Rejected` | no | |
/// | `Unauthorized` | `Rejected` | no | [`is_auth`](crate::Error::is_auth) |
/// | `TokenExpired` | `Rejected` | once, with a new token | [`is_auth`](crate::Error::is_auth) |
/// | `NotFound` | `Rejected` | no | [`is_not_found`](crate::Error::is_not_found) |
/// | `Throttled` | `Rejected` | yes | [`is_throttled`](crate::Error::is_throttled) |
/// | `Unknown` | `Unknown` | if idempotent | |
/// | `TimedOut` | `Unknown` | if idempotent | [`is_timeout`](crate::Error::is_timeout) |
///
/// The outcomes of the documented codes are built in; [`ClientBuilder::ret_code_outcome`] sets
/// those of other codes.
///
/// [`ClientBuilder::ret_code_outcome`]: crate::ClientBuilder::ret_code_outcome
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetCodeOutcome {
    /// The action refused the call, or executed it and failed. The outcome of undocumented codes.
    Failed,
    /// The call was not executed, and a retry would be rejected again.
    Rejected,
    /// The call was not executed, because of its credentials or their permissions.
    Unauthorized,
    /// The call was not executed, because its security token has expired.
    TokenExpired,
    /// The call was not executed, because something that it names does not exist.
    NotFound,
    /// The call was not executed, because there were too many; any action may be retried.
    Throttled,
    /// The call may have been executed.
    Unknown,
    /// The call may have been executed: the service's gateway did not wait for its end.
    TimedOut,
}

impl RetCode {
    #[allow(dead_code, reason = "not every service documents return codes")]
    pub(crate) const fn new(code: i64) -> Self {
        Self(code)
    }

    /// Returns the code as a number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Returns what happened, if the code is documented.
    #[must_use]
    pub fn meaning(self) -> Option<&'static str> {
        self.documented().map(|code| code.meaning)
    }

    /// Returns what to do, if the code is documented.
    #[must_use]
    pub fn remedy(self) -> Option<&'static str> {
        self.documented().map(|code| code.remedy)
    }

    /// Returns what the code means for the call, as documented. That of an undocumented code is
    /// [`Failed`](RetCodeOutcome::Failed).
    #[must_use]
    pub fn outcome(self) -> RetCodeOutcome {
        self.documented().map_or(RetCodeOutcome::Failed, |code| code.outcome)
    }
}

impl fmt::Display for RetCodeOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Unauthorized => "unauthorized",
            Self::TokenExpired => "token expired",
            Self::NotFound => "not found",
            Self::Throttled => "throttled",
            Self::Unknown => "unknown",
            Self::TimedOut => "timed out",
        })
    }
}

impl From<i64> for RetCode {
    fn from(code: i64) -> Self {
        Self(code)
    }
}

impl From<RetCode> for i64 {
    fn from(code: RetCode) -> Self {
        code.0
    }
}

impl fmt::Display for RetCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

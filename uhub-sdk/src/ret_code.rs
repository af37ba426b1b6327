//! The service's return codes.

use std::fmt;

/// A return code of the service other than 0, which is success. Documented as `RetCode`.
///
/// # Examples
///
/// ```
/// use uhub_sdk::RetCode;
///
/// let code = RetCode::SIGNATURE_WRONG;
/// assert_eq!(code.get(), 171);
/// assert!(code.remedy().is_some_and(|remedy| remedy.contains("private key")));
/// assert_eq!(RetCode::from(64_001).meaning(), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RetCode(i64);

/// The documentation of a return code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Documentation {
    pub(crate) meaning: &'static str,
    pub(crate) remedy: &'static str,
    pub(crate) outcome: Outcome,
}

/// What a return code means for the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The call was not executed, and a retry would fail again.
    Rejected,
    /// The call was not executed, and any action may be retried.
    Throttled,
    /// The call was not executed, because its security token has expired.
    TokenExpired,
    /// The call may have been executed.
    Unknown,
    /// The code is an action's own, or a new one.
    Undocumented,
}

impl RetCode {
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

    pub(crate) fn outcome(self) -> Outcome {
        self.documented().map_or(Outcome::Undocumented, |code| code.outcome)
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

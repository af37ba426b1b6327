//! The service's return codes.

use std::fmt;

use crate::actions::service::MEANINGS;

/// A return code of the service, documented as `RetCode`: anything but 0, which is success.
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

/// What is documented of a return code.
#[derive(Debug)]
pub(crate) struct Meaning {
    pub(crate) code: RetCode,
    pub(crate) meaning: &'static str,
    pub(crate) remedy: &'static str,
    pub(crate) outcome: Outcome,
}

/// What a return code says of the call it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The service refused the call, and would again.
    Rejected,
    /// The service turned the call away unread: any action may be sent again.
    Throttled,
    /// Nobody knows whether the call was carried out.
    Unknown,
    /// An action's own code, or a new one: nobody knows what it says.
    Undocumented,
}

impl RetCode {
    pub(crate) const fn new(code: i64) -> Self {
        Self(code)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// What happened, if the code is a documented one.
    #[must_use]
    pub fn meaning(self) -> Option<&'static str> {
        self.documented().map(|code| code.meaning)
    }

    /// What to do about it, if the code is a documented one.
    #[must_use]
    pub fn remedy(self) -> Option<&'static str> {
        self.documented().map(|code| code.remedy)
    }

    /// Whether the service turned a call away because there were too many.
    pub(crate) fn is_throttling(self) -> bool {
        self.outcome() == Outcome::Throttled
    }

    pub(crate) fn outcome(self) -> Outcome {
        self.documented()
            .map_or(Outcome::Undocumented, |code| code.outcome)
    }

    fn documented(self) -> Option<&'static Meaning> {
        MEANINGS
            .binary_search_by_key(&self, |meaning| meaning.code)
            .ok()
            .map(|index| &MEANINGS[index])
    }
}

impl From<i64> for RetCode {
    fn from(code: i64) -> Self {
        Self(code)
    }
}

impl fmt::Display for RetCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

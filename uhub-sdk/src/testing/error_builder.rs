//! Errors to order.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use crate::{
    error::{Details, Error, ErrorKind, Execution},
    ret_code::{RetCode, RetCodeOutcome},
};

/// A builder of an [`Error`], created by [`Error::builder`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ErrorBuilder(Details);

impl Error {
    /// Returns a builder of an error, for tests of code that handles errors.
    ///
    /// The kind decides the [`execution`](Error::execution), unless
    /// [`ErrorBuilder::execution`] sets another.
    ///
    /// # Examples
    ///
    /// ```
    /// use uhub_sdk::{Error, ErrorKind, Execution};
    ///
    /// let refused = Error::builder(ErrorKind::Service).ret_code(64_001).build();
    /// assert_eq!(refused.execution(), Execution::Failed);
    ///
    /// let lost = Error::builder(ErrorKind::Timeout).action("CreateSomething").build();
    /// assert_eq!(lost.execution(), Execution::Unknown);
    /// ```
    pub fn builder(kind: ErrorKind) -> ErrorBuilder {
        let execution = match kind {
            ErrorKind::Configuration
            | ErrorKind::Credentials
            | ErrorKind::Request
            | ErrorKind::Connect => Execution::NotSent,
            ErrorKind::Timeout
            | ErrorKind::Connection
            | ErrorKind::UnexpectedResponse
            | ErrorKind::ResponseTooLarge => Execution::Unknown,
            ErrorKind::Service => Execution::Failed,
            ErrorKind::Decode | ErrorKind::IncompleteListing => Execution::Completed,
        };
        let is_retryable = matches!(
            kind,
            ErrorKind::Credentials | ErrorKind::Connect | ErrorKind::IncompleteListing
        );
        let mut details = Details::new(kind, execution, format!("an error of kind {kind}."));
        details.is_retryable = is_retryable;
        ErrorBuilder(details)
    }
}

impl ErrorBuilder {
    /// Sets what `Display` says. Defaults to the kind.
    pub fn summary(mut self, value: impl Into<String>) -> Self {
        self.0.summary = value.into();
        self
    }

    /// Sets [`Error::execution`].
    pub fn execution(mut self, value: Execution) -> Self {
        self.0.execution = value;
        self
    }

    /// Sets [`Error::is_retryable`].
    pub fn retryable(mut self, value: bool) -> Self {
        self.0.is_retryable = value;
        self
    }

    /// Sets [`Error::action`].
    pub fn action(mut self, value: impl Into<String>) -> Self {
        self.0.action = Some(value.into());
        self
    }

    /// Sets [`Error::ret_code`], and what the code decides: the predicates, the execution, whether
    /// the call can be retried, and the summary.
    pub fn ret_code(self, value: impl Into<RetCode>) -> Self {
        let code = value.into();
        let what = code.meaning().map_or_else(|| ".".to_owned(), |meaning| format!(": {meaning}"));
        let summary = format!("RetCode {code}{what}");
        let outcome = code.outcome();
        let mut builder = self.summary(summary).ret_code_outcome(outcome);
        builder.0.ret_code = Some(code);
        builder
    }

    /// Sets [`Error::ret_code_outcome`], and what it decides: the predicates, the execution, and
    /// whether the call can be retried.
    pub fn ret_code_outcome(mut self, value: RetCodeOutcome) -> Self {
        self.0.outcome = Some(value);
        self.0.execution = Execution::from(value);
        self.0.is_retryable = value == RetCodeOutcome::Throttled;
        self
    }

    /// Sets [`Error::message`].
    pub fn message(mut self, value: impl Into<String>) -> Self {
        self.0.message = Some(value.into());
        self
    }

    /// Sets [`Error::http_status`].
    pub fn http_status(mut self, value: u16) -> Self {
        self.0.http_status = Some(value);
        self
    }

    /// Sets [`Error::request_id`].
    pub fn request_id(mut self, value: impl Into<String>) -> Self {
        self.0.request_id = Some(value.into());
        self
    }

    /// Sets [`Error::body`].
    pub fn body(mut self, value: impl Into<String>) -> Self {
        self.0.body = Some(value.into());
        self
    }

    /// Sets [`Error::retry_after`].
    pub fn retry_after(mut self, value: Duration) -> Self {
        self.0.retry_after = Some(value);
        self
    }

    /// Sets [`Error::attempts`].
    pub fn attempts(mut self, value: u32) -> Self {
        self.0.attempts = value;
        self
    }

    /// Sets [`Error::elapsed`].
    pub fn elapsed(mut self, value: Duration) -> Self {
        self.0.elapsed = value;
        self
    }

    /// Sets the [`source`](StdError::source).
    pub fn source(mut self, value: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(value.into()));
        self
    }

    /// Returns the error.
    #[must_use]
    pub fn build(self) -> Error {
        self.0.into()
    }
}

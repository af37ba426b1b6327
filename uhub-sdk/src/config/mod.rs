//! How a client is configured.

pub(crate) mod builder;
pub(crate) mod profile;
pub(crate) mod source;

//! Client configuration: the builder, environment variables, profile files and their precedence.

pub(crate) mod builder;
mod check;
mod environment;
mod headers;
#[cfg(feature = "local")]
mod local;
pub(crate) mod parameter;
mod profile;
mod resolve;
pub(crate) mod source;
#[cfg(test)]
#[cfg(unix)]
mod tests;

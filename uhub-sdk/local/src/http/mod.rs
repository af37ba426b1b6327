//! HTTP: connections, requests and responses, and how they break on demand.

pub(crate) mod body;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod server;
pub(crate) mod stream;

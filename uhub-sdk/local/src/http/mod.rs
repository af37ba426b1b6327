//! HTTP: connections, requests and responses, and how they break on demand.

pub(crate) mod body;
pub(crate) mod guard;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod server;
pub(crate) mod slots;
pub(crate) mod stream;

//! The protocol, as pure functions on bytes: parameters, signature, encoding; envelope, fields, times.

pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod envelope;
pub(crate) mod parameters;
pub(crate) mod sign;
pub(crate) mod timestamp;

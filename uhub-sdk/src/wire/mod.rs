//! The protocol as pure functions on bytes. A request becomes parameters, is signed and encoded; a
//! response becomes an envelope and decoded fields.

pub(crate) mod budget;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod envelope;
pub(crate) mod fields;
#[cfg(test)]
mod fixture;
pub(crate) mod parameters;
pub(crate) mod sign;
pub(crate) mod timestamp;

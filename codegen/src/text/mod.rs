//! Text from outside, made safe for where it is printed. The spec and the pages bring it, and none
//! of it may become code, markup or a link in what is generated.
//!
//! Prose is a maintainer's: it is [refused](markdown::check) if it is more than prose. Values are a
//! page's: they are [escaped](markdown::code), so that they appear literally.

pub(crate) mod hidden;
pub(crate) mod lines;
pub(crate) mod markdown;

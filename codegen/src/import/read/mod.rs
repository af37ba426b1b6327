//! From the text of a page to blocks, one module for each format.

pub(crate) mod html;
pub(crate) mod markdown;
pub(crate) mod text;

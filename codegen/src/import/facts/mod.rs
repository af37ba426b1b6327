//! From blocks to the facts of a page.

pub(crate) mod form;
pub(crate) mod outline;
pub(crate) mod page;
pub(crate) mod rows;
pub(crate) mod run_together;
pub(crate) mod shown;
pub(crate) mod titles;

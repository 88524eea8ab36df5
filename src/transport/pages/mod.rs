//! Web pages that servers answer with.

pub(crate) mod news;
pub(crate) mod sockjs;

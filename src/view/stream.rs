//! What crossed a connection, in words: heads, bodies, frames, messages, layers and broken rules.
//!
//! [`StreamTable`] shows a capture in columns. The words are in `words.rs`.

pub(crate) mod filter;
mod table;
mod words;

pub use table::StreamTable;

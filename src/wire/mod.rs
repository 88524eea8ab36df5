//! What crosses: bytes become named fields, and fields become bytes.
//!
//! [`http`] and [`websocket`] are the only parsers and encoders of those protocols in this program. They take
//! apart and never judge more than the form: what a message may mean is for `upgrade` to say. [`field`] is the
//! list that every view reads, [`text`] makes bytes of the network safe to show, [`utf8`] checks text that
//! arrives in pieces. Nothing here does I/O, and no input makes it panic.

#![forbid(unsafe_code)]

pub mod field;
pub mod http;
pub mod text;
pub mod utf8;
pub mod websocket;

pub use field::Field;

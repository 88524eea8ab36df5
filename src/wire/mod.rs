//! What crosses: bytes become named fields, and fields become bytes.
//!
//! [`http`] and [`websocket`] are the only parsers and encoders of those protocols in this program. They
//! check the form alone; the folder `websocket` checks the rules. [`field`] is the list that every view
//! shows, [`text`] makes bytes of the network safe to show, [`utf8`] checks text that arrives in pieces.
//! [`frame`] dissects a whole frame of the link, layer by layer, each with its own decoder; [`flow`] follows
//! conversations, [`summary`] puts a frame into a line. Nothing here does I/O, and no input makes it panic.

#![forbid(unsafe_code)]

pub(crate) mod arp;
pub(crate) mod checksum;
mod datagram;
pub mod engine_io;
pub mod ethernet;
pub mod event_stream;
pub mod field;
pub mod flow;
pub mod frame;
#[cfg(any(test, feature = "fuzz-laws"))]
pub mod fuzz;
pub mod http;
pub(crate) mod icmp;
pub(crate) mod icmpv6;
pub mod ip;
pub(crate) mod ipv4;
pub(crate) mod ipv6;
mod json;
mod layer;
mod mac;
mod malformed;
pub(crate) mod pcapng;
mod reading;
pub mod socket_io;
pub mod sockjs;
pub mod stomp;
pub mod summary;
pub mod tcp;
pub mod text;
pub(crate) mod udp;
pub(crate) mod utf8;
pub mod websocket;

pub use field::Field;
pub(crate) use field::LayerBytes;
pub use layer::{Layer, Protocol};
pub(crate) use mac::Mac;
pub use malformed::Malformed;

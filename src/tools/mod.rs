//! Tools beside the course: the same message over TCP and over a WebSocket, what others have recorded, and the reason
//! why of any name.
//!
//! [`diff`] sends and compares. [`tap`] stands between a client and a server, and passes every byte on. [`capture`] reads files of
//! packets, [`hex`] reads bytes out of text, and [`decode`] makes streams of packets. What the bytes of a connection mean, for the tap
//! as for captures, is read in `conversation`: HTTP, WebSocket frames and messages, and the rules that they break. All that is read is
//! taken for hostile: memory is bounded whatever it claims, and nothing makes these panic.

pub mod capture;
pub(crate) mod conversation;
pub mod decode;
pub mod diff;
pub mod explain;
pub mod hex;
pub mod tap;

//! What captured bytes mean: connections, HTTP, WebSocket frames and messages, and the protocols on them.
//!
//! [`capture`] reads files of packets, [`hex`] reads bytes out of text, and [`decode`] makes streams of
//! packets. The bytes of a connection, captured or tapped, are analysed in `conversation`. All input is
//! hostile: memory is bounded whatever it claims, and no input makes these modules panic.

pub mod capture;
pub(crate) mod conversation;
pub mod decode;
pub mod hex;

//! Bare TCP: a stream of bytes without borders. Here a line feed ends each message, as in most protocols of
//! the early days.
//!
//! What is said in several lines arrives as several messages: that is what it means to have no framing of
//! one's own.

mod client;
mod script;
mod server;

use super::api::{Ends, Transport};

/// Both ends.
pub(super) const TRANSPORT: Transport = Transport {
    name: "tcp",
    scripted: Some(script::SCRIPTED),
    ends: Some(Ends {
        what: "a stream of bytes: here a line feed ends each message",
        schemes: &["tcp"],
        path: "/",
        pushes: true,
        acknowledges: false,
        options: &[],
        client: Ok(client::connect),
        server: Ok(server::new),
    }),
};

/// The layer's name, as it is told.
const TCP: &str = "TCP";

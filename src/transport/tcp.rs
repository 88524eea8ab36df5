//! Bare TCP: a stream of bytes without borders. Here a line feed ends each message, as in most protocols of the early days.
//!
//! What is said in several lines arrives as several messages: that is what it means to have no framing of one's own.

mod client;
mod server;

use super::ends::Ends;

/// Both ends.
pub const ENDS: Ends = Ends {
    name: "tcp",
    what: "a stream of bytes: here a line feed ends each message",
    schemes: &["tcp"],
    path: "/",
    pushes: true,
    acknowledges: false,
    options: &[],
    client: client::connect,
    server: server::new,
};

/// The layer's name, as it is told.
const TCP: &str = "TCP";

//! The WebSocket: frames over one connection that began as HTTP, in both directions at any time (RFC 6455).

mod client;
pub mod server;
mod ticker;

pub(super) use server::talk;

use super::ends::Ends;

/// Both ends.
pub const ENDS: Ends = Ends {
    name: "websocket",
    what: "frames both ways at any time, on a connection that began as HTTP (RFC 6455)",
    schemes: &["ws"],
    path: "/",
    pushes: true,
    acknowledges: true,
    options: &[
        ("origin", "name this web page as the origin, as a browser would"),
        ("ticker", "serve: so many made-up prices a second, of which a slow client gets the newest"),
    ],
    client: client::connect,
    server: server::new,
};

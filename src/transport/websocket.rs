//! WebSocket: frames in both directions, at any time, over one connection that began as HTTP (RFC 6455).

mod client;
pub mod connection;
mod deflate_script;
pub mod script;
pub mod server;
mod ticker;

pub(super) use server::talk;

use super::api::{Ends, Transport};

/// The transport with both ends.
pub(super) const TRANSPORT: Transport = Transport {
    name: "websocket",
    scripted: Some(script::SCRIPTED),
    ends: Some(Ends {
        what: "frames both ways at any time, on a connection that began as HTTP (RFC 6455)",
        schemes: &["ws"],
        path: "/",
        pushes: true,
        acknowledges: true,
        options: &[
            ("origin", "name this web page as the origin, as a browser would"),
            ("ticker", "serve: so many made-up prices a second, of which a slow client gets the newest"),
        ],
        client: Ok(client::connect),
        server: Ok(server::new),
    }),
};

/// The transport with permessage-deflate, for `diff` only.
pub(super) const DEFLATE: Transport =
    Transport { name: "websocket-deflate", scripted: Some(deflate_script::SCRIPTED), ends: None };

//! Server-Sent Events: a response that goes on, so that the server can say something at any time (WHATWG HTML
//! §9.2).
//!
//! It is one-way: what the client says goes out by a POST of its own. `GET /events?client=NAME` is the
//! stream; each event has a number as its ID, and a client that comes again says in `Last-Event-ID` which it
//! had last, so that it misses nothing.

mod client;
mod script;
pub mod server;

use super::api::{Ends, Transport};

/// Both ends.
pub(super) const TRANSPORT: Transport = Transport {
    name: "sse",
    scripted: Some(script::SCRIPTED),
    ends: Some(Ends {
        what: "a response that never ends: events in one direction (WHATWG HTML §9.2)",
        schemes: &["http"],
        path: EVENTS,
        pushes: true,
        acknowledges: true,
        options: &[
            ("client", "the name under which messages are kept (random)"),
            ("post", "where messages are said (/news)"),
        ],
        client: Ok(client::connect),
        server: Ok(server::new),
    }),
};

/// Where the stream is.
const EVENTS: &str = "/events";

/// The layer's name, as it is told.
const EVENT_STREAM: &str = "events";

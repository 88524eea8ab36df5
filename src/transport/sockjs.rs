//! SockJS: what a WebSocket does, by a WebSocket if there can be one, and else by requests
//! (sockjs/sockjs-protocol).

mod client;
mod script;
mod server;
mod session;
mod table;

use super::{
    api::{Ends, Transport},
    events::{Happened, Way},
};
use crate::wire::{
    sockjs::{Frame, frame_type},
    text,
};

/// Both ends.
pub(super) const TRANSPORT: Transport = Transport {
    name: "sockjs",
    scripted: Some(script::SCRIPTED),
    ends: Some(Ends {
        what: "the WebSocket's API where there may be none: by a WebSocket, or by requests (SockJS 0.3)",
        schemes: &["http"],
        path: BASE,
        pushes: true,
        acknowledges: false,
        options: &[
            ("transports", "call: which to try, in this order: websocket,xhr-streaming,xhr-polling"),
            ("base", "serve: the base URL, without a slash at its end: /echo"),
            ("websocket", "serve: no makes clients fall back"),
            ("limit", "serve: bytes of frames before a streamed answer ends: 131072"),
            ("timeout", "serve: milliseconds that a session lives without a connection: 5000"),
            ("script", "serve: where the page for old browsers finds sockjs-client"),
        ],
        client: Ok(client::connect),
        server: Ok(server::new),
    }),
};

/// The base URL if none is given.
const BASE: &str = "/echo";

/// The layer's name, as it is told.
const SOCKJS: &str = "SockJS";

/// What is told of a frame.
fn told(way: Way, frame: &[u8]) -> Happened {
    let name = frame.first().and_then(|letter| frame_type(*letter)).map_or("unknown", |entry| entry.symbol);
    match frame {
        b"h" => Happened::beat(way, "h"),
        _ => Happened::unit(way, format!("{name} frame"), frame),
    }
}

/// A close frame in words; empty for the others.
fn said(frame: &Frame) -> String {
    match frame {
        Frame::Close { .. } => text::shown(&frame.encode(), 100),
        _ => String::new(),
    }
}

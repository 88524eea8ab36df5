//! STOMP: messages to named destinations, through a server that knows who has subscribed. Over TCP, or inside of a WebSocket.
//!
//! It needs no WebSocket and a WebSocket needs no STOMP: it is a protocol for what is said, where the transports beside it are ways to
//! get anything across. What each side makes of a frame is decided without I/O, in `client/session.rs` and in `server/broker.rs` with
//! `server/session.rs`; `beats.rs` knows when an end of line is due, and `link.rs` carries octets.

mod beats;
mod client;
mod link;
mod script;
mod server;

use super::{
    api::{Ends, Transport},
    connection::Fault,
    events::{Happened, Way},
};
use crate::wire::{
    self,
    stomp::{FrameError, RuleError, Version},
};

/// Both ends.
pub(super) const TRANSPORT: Transport = Transport {
    name: "stomp",
    scripted: Some(script::ON_WEBSOCKET),
    ends: Some(Ends {
        what: "messages to whoever has subscribed to a destination (STOMP 1.2), over TCP or a WebSocket",
        schemes: &["stomp", "ws"],
        path: "/",
        pushes: true,
        acknowledges: true,
        options: &[
            ("destination", "of a client: where it sends and subscribes; /topic/chat is the usual"),
            ("host", "of a client: the virtual host; as in the address is the usual, RabbitMQ's is /"),
            ("login", "of a client: the name of the user"),
            ("passcode", "of a client: the password; it crosses as it is"),
            ("version", "of a client: the versions that it accepts; 1.0,1.1,1.2 is the usual"),
            (
                "acknowledge",
                "of a client: auto (the usual), client or client-individual: it sends an ACK for each MESSAGE",
            ),
        ],
        client: Ok(client::connect),
        server: Ok(server::new),
    }),
};

/// The same right on TCP: compared only, as `serve stomp` takes both.
pub(super) const ON_TCP: Transport =
    Transport { name: "stomp-tcp", scripted: Some(script::ON_TCP), ends: None };

/// The layer's name, as it is told.
const STOMP: &str = "STOMP";

/// The subprotocols that stand for the versions, the newest first.
fn subprotocols() -> [&'static str; 3] {
    Version::ALL.map(Version::subprotocol)
}

/// That a frame crossed.
fn crossed(way: Way, command: &str, octets: &[u8]) -> Happened {
    Happened::unit(way, format!("{command} frame"), octets)
}

/// Octets that are no STOMP.
fn malformed(malformed: &FrameError) -> Fault {
    if malformed.rule.section == "STOMP 1.2, Size Limits" {
        return Fault::Limit(malformed.to_string());
    }
    Fault::Broken(wire::Malformed {
        field: "STOMP".into(),
        offset: Some(malformed.offset),
        needed: malformed.rule.words.into(),
        had: malformed.had.clone(),
        section: malformed.rule.section,
    })
}

/// A frame that breaks a rule.
fn breach(breach: &RuleError) -> Fault {
    Fault::Broken(wire::Malformed {
        field: format!("{} frame", breach.command).into(),
        offset: None,
        needed: breach.rule.words.into(),
        had: breach.had.clone(),
        section: breach.rule.section,
    })
}

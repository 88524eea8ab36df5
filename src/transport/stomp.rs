//! STOMP: messages to named destinations, through a server that knows the subscriptions. It runs over TCP or
//! a WebSocket.
//!
//! STOMP and WebSocket are independent: STOMP is a protocol for messages, and the transports beside it carry
//! any bytes. `client/session.rs`, `server/session.rs` and `server/broker.rs` handle frames without I/O;
//! `beats.rs` has the heartbeat timers, and `link.rs` carries octets.

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

/// The transport with both ends.
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

/// STOMP directly over TCP, for `diff` only, because `serve stomp` accepts both.
pub(super) const ON_TCP: Transport =
    Transport { name: "stomp-tcp", scripted: Some(script::ON_TCP), ends: None };

/// The name of the layer in events.
const STOMP: &str = "STOMP";

/// Returns the subprotocols of the versions, newest first.
fn subprotocols() -> [&'static str; 3] {
    Version::ALL.map(Version::subprotocol)
}

/// Returns the event for a frame.
fn crossed(way: Way, command: &str, octets: &[u8]) -> Happened {
    Happened::unit(way, format!("{command} frame"), octets)
}

/// Returns the fault for octets that are no STOMP frame.
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

/// Returns the fault for a frame that breaks a rule.
fn breach(breach: &RuleError) -> Fault {
    Fault::Broken(wire::Malformed {
        field: format!("{} frame", breach.command).into(),
        offset: None,
        needed: breach.rule.words.into(),
        had: breach.had.clone(),
        section: breach.rule.section,
    })
}

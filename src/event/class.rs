//! Who is connected to a live server.

use serde::{Deserialize, Serialize};

/// `peer`: a connection of a live server, at one moment. Bytes are all that crossed TCP, messages are text and binary ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Peer {
    /// The name of the connection, and of its socket: `c1`, `c2`, in the order of accept.
    pub name: String,
    /// Address and port of who called.
    pub address: String,
    /// How far it is.
    pub phase: Phase,
    /// The TCP state, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Bytes received.
    pub received: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Messages received.
    pub messages_received: u64,
    /// Messages sent.
    pub messages_sent: u64,
    /// Why it is over, in phase `gone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Ending>,
    /// The same for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// How far a connection of a live server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Accepted.
    Connected,
    /// Upgraded to a WebSocket.
    Open,
    /// Over: the numbers are final.
    Gone,
}

/// Why a connection of a live server is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// The peer ended it in order: a Close, or a FIN where there is none.
    Closed,
    /// It broke: a RST, or a FIN in the middle of something.
    Reset,
    /// The opening request was refused.
    Refused,
    /// A page was asked for, and served.
    Page,
    /// The peer broke a rule of the protocol.
    Violation,
    /// A limit of this server was reached.
    Limit,
    /// The server was told to end.
    Stopped,
    /// Something failed on this side.
    Failed,
}

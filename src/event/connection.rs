//! How connections of a tap, of a server and of a client come, go, and carry bytes.

use std::{borrow::Cow, net::SocketAddr};

use serde::{Deserialize, Serialize};

use super::{Bytes, Host};

/// `connection`: something that a program itself saw or did on a connection. What the bytes mean is told by `stream`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ConnectionEvent {
    /// The number of the connection, from 1; 0 for what concerns none of them.
    pub stream: u64,
    /// The layer that tells it, where there are several: `TCP`, `HTTP`, `STOMP`.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub layer: Cow<'static, str>,
    /// What happened.
    #[serde(flatten)]
    pub what: ConnectionWhat,
}

/// The kinds of events of a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConnectionWhat {
    /// A client was accepted.
    Accepted {
        /// Its address.
        client: SocketAddr,
        /// The address that it called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        local: Option<SocketAddr>,
    },
    /// The target was called, and accepted.
    Connected {
        /// The target.
        target: SocketAddr,
        /// The address from which it was called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        local: Option<SocketAddr>,
        /// Microseconds inside `connect`.
        took: u64,
    },
    /// The target was called in vain.
    NotConnected {
        /// The target.
        target: SocketAddr,
        /// `ECONNREFUSED`
        errno: String,
        /// The system's words for it.
        words: String,
        /// Microseconds inside `connect`.
        took: u64,
    },
    /// A `recv` returned bytes.
    Read {
        /// The sender.
        from: Host,
        /// Which read of this direction, from 1.
        read: u64,
        /// Bytes of this direction before it.
        offset: u64,
        /// How many bytes it returned.
        length: u64,
        /// Stream events follow that say what they mean.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        understood: bool,
        /// The bytes, in hex; maybe only the first.
        #[serde(with = "super::bytes::hex")]
        #[cfg_attr(test, schemars(with = "String"))]
        bytes: Bytes<'static>,
    },
    /// Reads that are not told of, as they came faster than they could be told.
    LeftOut {
        /// The sender.
        from: Host,
        /// How many reads.
        reads: u64,
        /// Bytes of these reads.
        bytes: u64,
        /// What was left out says where the next part begins: the rest of this direction can't be followed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lost: bool,
    },
    /// The bytes are of no protocol that is known: they are not taken apart from here on.
    Unknown,
    /// The other side took nothing for a while, so that nothing was read.
    Stalled {
        /// The sender that had to wait.
        from: Host,
        /// Microseconds.
        took: u64,
    },
    /// A FIN came, and was passed on.
    ShutDown {
        /// The sender.
        from: Host,
    },
    /// Of a server or a client: there is a connection with this peer.
    Peer {
        /// Its address.
        address: String,
    },
    /// A layer is ready: its handshake is done, a session is open.
    Ready {
        /// Which, in words.
        words: String,
    },
    /// A unit of a layer crossed: `request`, `text frame`, `event`.
    Unit {
        /// The sender.
        from: Host,
        /// What it is.
        unit: String,
        /// How many bytes it has.
        length: u64,
        /// The first of them, in hex.
        #[serde(with = "super::bytes::hex")]
        #[cfg_attr(test, schemars(with = "String"))]
        bytes: Bytes<'static>,
    },
    /// A message of one of the two persons or programs: what all layers are for.
    Message {
        /// The sender.
        from: Host,
        /// How many bytes it has.
        length: u64,
        /// The first of them, in hex.
        #[serde(with = "super::bytes::hex")]
        #[cfg_attr(test, schemars(with = "String"))]
        bytes: Bytes<'static>,
    },
    /// The other end has acknowledged something.
    Acknowledged {
        /// What, in words.
        words: String,
    },
    /// A heart-beat: `ping`, `pong`, `comment`.
    HeartBeat {
        /// The sender.
        from: Host,
        /// What it is.
        unit: String,
    },
    /// A peer was not let in, or not served.
    Refused {
        /// Why.
        words: String,
    },
    /// A rule was broken, or a limit passed.
    Violation {
        /// Which.
        words: String,
    },
    /// The connection was cut, and is made again.
    Reconnecting {
        /// From 1.
        attempt: u32,
        /// Milliseconds before it.
        after: u64,
    },
    /// The connection is over.
    Ended {
        /// As the protocol wants it.
        orderly: bool,
        /// How, in words.
        words: String,
    },
    /// Anything else.
    Note {
        /// In words.
        words: String,
    },
    /// Of a tap: both connections are closed.
    Closed {
        /// How.
        #[serde(flatten)]
        how: Close,
        /// What the client sent.
        client: Sum,
        /// What the server sent.
        server: Sum,
    },
}

/// How a tapped connection ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Close {
    /// Both streams ended.
    Fin,
    /// One connection broke, mostly by a RST; the other was reset.
    Reset {
        /// The end whose connection broke.
        from: Host,
        /// The error.
        errno: String,
    },
    /// The tap ended.
    Stopped,
}

/// What one end has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sum {
    /// Reads that returned bytes.
    pub reads: u64,
    /// Bytes in all of them.
    pub bytes: u64,
}

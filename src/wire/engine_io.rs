//! Engine.IO packets, protocol 4, parsed and encoded: the layer below Socket.IO.
//!
//! ```text
//! WebSocket, text    <packet type>[<data>]           one packet a message
//! WebSocket, binary  the data of a message packet    no type at all
//! HTTP polling       packet 0x1e packet 0x1e …       as many as there are; a binary one is b and Base64
//! ```
//!
//! The packet type is one character, `0` to `6`: see [`PACKET_TYPES`]. Sections are those of the document
//! "Engine.IO Protocol", version 4, which does not number them; rules that only the reference implementation
//! has are marked. Message packets are opaque to Engine.IO; here most of them carry a packet of
//! [`super::socket_io`].

use data_encoding::BASE64;

use super::{Malformed, websocket::opcode};

mod fields;
mod handshake;
mod query;
mod tables;

pub(crate) use fields::{Carried, binary_fields};
pub use fields::{fields, packet_fields};
pub(crate) use handshake::Handshake;
pub(crate) use query::Query;
pub use query::Transport;
pub use tables::packet_type;
pub(crate) use tables::{ERRORS, HttpError, PACKET_TYPES};

/// Separates the packets of an HTTP body: ASCII's record separator (§Packet encoding, HTTP long-polling).
pub const SEPARATOR: u8 = 0x1e;

/// Precedes a binary message in an HTTP body, in place of a packet type (§Packet encoding, HTTP
/// long-polling).
pub(crate) const BINARY_PREFIX: u8 = b'b';

/// The data of the ping and the pong that probe a new transport (§Upgrade).
pub const PROBE: &str = "probe";

/// The protocol version in the query (§Query parameters).
pub(crate) const VERSION: &str = "4";

const ENCODING: &str = "Engine.IO 4, Packet encoding";
const POLLING: &str = "Engine.IO 4, Packet encoding, HTTP long-polling";

/// The type of a packet (§Protocol).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `0`: the server's answer to the handshake.
    Open,
    /// `1`: closes the transport.
    Close,
    /// `2`: a ping of the server; of a client only to probe a transport.
    Ping,
    /// `3`: the answer to a ping.
    Pong,
    /// `4`: a message of the layer above.
    Message,
    /// `5`: completes the upgrade to this transport.
    Upgrade,
    /// `6`: no content; it answers a pending GET.
    Noop,
}

impl Kind {
    /// All kinds, by number.
    pub const ALL: [Kind; 7] =
        [Kind::Open, Kind::Close, Kind::Ping, Kind::Pong, Kind::Message, Kind::Upgrade, Kind::Noop];

    /// Its character on the wire: `b'0'` to `b'6'`.
    pub fn digit(self) -> u8 {
        match self {
            Kind::Open => b'0',
            Kind::Close => b'1',
            Kind::Ping => b'2',
            Kind::Pong => b'3',
            Kind::Message => b'4',
            Kind::Upgrade => b'5',
            Kind::Noop => b'6',
        }
    }

    /// Returns the kind with this character.
    pub(crate) fn of_digit(digit: u8) -> Option<Self> {
        Kind::ALL.into_iter().find(|kind| kind.digit() == digit)
    }
}

/// A packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// A type and its data, which may be empty.
    Text(Kind, String),
    /// A message of bytes. It has no type on the wire: all else is text.
    Binary(Vec<u8>),
}

impl Packet {
    /// Returns a packet without data.
    pub fn empty(kind: Kind) -> Self {
        Packet::Text(kind, String::new())
    }

    /// Returns a message of text.
    pub fn message(data: impl Into<String>) -> Self {
        Packet::Text(Kind::Message, data.into())
    }

    /// Parses a text message of a WebSocket. A binary message is a [`Packet::Binary`] as it is.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is empty, not UTF-8, or begins with no packet type. The data is not checked.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let Some(first) = bytes.first() else {
            return Err(Malformed::at("packet type", 0, "a digit from 0 to 6", bytes, ENCODING));
        };
        let Some(kind) = Kind::of_digit(*first) else {
            return Err(Malformed::at("packet type", 0, "a digit from 0 to 6", bytes, ENCODING));
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Packet::Text(kind, text[1..].to_owned())),
            Err(error) => {
                let at = error.valid_up_to();
                Err(Malformed::at("data", at, "UTF-8", &bytes[at..], ENCODING))
            }
        }
    }

    /// Returns the opcode and the payload of the WebSocket message that carries this packet.
    pub fn encode(&self) -> (u8, Vec<u8>) {
        match self {
            Packet::Text(kind, data) => {
                let mut out = vec![kind.digit()];
                out.extend_from_slice(data.as_bytes());
                (opcode::TEXT, out)
            }
            Packet::Binary(data) => (opcode::BINARY, data.clone()),
        }
    }
}

/// Parses the packets of an HTTP body: a response to a GET, or the content of a POST.
///
/// # Errors
///
/// [`Malformed`] for the first malformed packet, with its offset in the body. An empty body is malformed.
pub fn parse_payload(body: &[u8]) -> Result<Vec<Packet>, Malformed> {
    let mut packets = Vec::new();
    let mut at = 0;
    for piece in body.split(|byte| *byte == SEPARATOR) {
        let packet = match piece.split_first() {
            Some((&BINARY_PREFIX, data)) => binary(data).map_err(|error| error.behind(1)),
            _ => Packet::parse(piece),
        };
        packets.push(packet.map_err(|error| error.behind(at))?);
        at += piece.len() + 1;
    }
    Ok(packets)
}

/// Encodes packets as an HTTP body. The data must not have the separator; JSON never has it.
pub fn encode_payload(packets: &[Packet]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, packet) in packets.iter().enumerate() {
        if index > 0 {
            out.push(SEPARATOR);
        }
        match packet {
            Packet::Text(..) => out.extend(packet.encode().1),
            Packet::Binary(data) => {
                out.push(BINARY_PREFIX);
                out.extend_from_slice(BASE64.encode(data).as_bytes());
            }
        }
    }
    out
}

fn binary(data: &[u8]) -> Result<Packet, Malformed> {
    let decoded = BASE64.decode(data);
    decoded.map(Packet::Binary).map_err(|error| {
        let at = error.position.min(data.len());
        Malformed::at("Base64 data", at, "Base64 with its padding", &data[at..], POLLING)
    })
}

#[cfg(test)]
mod tests;

//! The numbers of Engine.IO: packet types, and the codes of the errors that answer a request.

/// A packet type (§Protocol).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketType {
    /// Its character: `b'0'` to `b'6'`.
    pub digit: u8,
    /// Its name in the document.
    pub symbol: &'static str,
    /// What such a packet says.
    pub meaning: &'static str,
    /// Where it is defined.
    pub section: &'static str,
}

const fn packet(digit: u8, symbol: &'static str, meaning: &'static str, section: &'static str) -> PacketType {
    PacketType { digit, symbol, meaning, section }
}

/// All seven packet types, by number.
pub(crate) const PACKET_TYPES: [PacketType; 7] = [
    packet(b'0', "open", "the server accepts, and says how the session goes", "Engine.IO 4, Handshake"),
    packet(b'1', "close", "the transport can be closed", "Engine.IO 4, Protocol"),
    packet(
        b'2',
        "ping",
        "the server asks: are you there? (a client asks it once, to try a WebSocket)",
        "Engine.IO 4, Heartbeat",
    ),
    packet(b'3', "pong", "the answer to a ping, with its data", "Engine.IO 4, Heartbeat"),
    packet(b'4', "message", "what the layer above has to say", "Engine.IO 4, Message"),
    packet(b'5', "upgrade", "the client: from now on all goes by this WebSocket", "Engine.IO 4, Upgrade"),
    packet(
        b'6',
        "noop",
        "nothing: it answers a waiting GET, so that polling can end",
        "Engine.IO 4, Upgrade",
    ),
];

/// The entry of a packet type.
pub fn packet_type(digit: u8) -> Option<&'static PacketType> {
    PACKET_TYPES.iter().find(|entry| entry.digit == digit)
}

/// An error with which a server refuses a request, as JSON: `{"code":1,"message":"Session ID unknown"}`.
///
/// The document asks only for status 400; codes and words are those of the reference implementation,
/// engine.io.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HttpError {
    /// 0 to 5.
    pub code: u8,
    /// Its words in the answer.
    pub message: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// The condition for it.
    pub when: &'static str,
    /// Where it stands.
    pub section: &'static str,
}

const REFERENCE: &str = "engine.io, errors of the server";

const fn error(code: u8, message: &'static str, status: u16, when: &'static str) -> HttpError {
    HttpError { code, message, status, when, section: REFERENCE }
}

/// All six errors, by code.
pub(crate) const ERRORS: [HttpError; 6] = [
    error(0, "Transport unknown", 400, "the query names no transport, or one that this server has not"),
    error(
        1,
        "Session ID unknown",
        400,
        "the query has a sid that this server has not given, or that is over",
    ),
    error(2, "Bad handshake method", 400, "a request without a sid, which begins a session, is no GET"),
    error(3, "Bad request", 400, "transport=websocket without an upgrade, or polling after the upgrade"),
    error(4, "Forbidden", 403, "the program that serves refuses this client"),
    error(5, "Unsupported protocol version", 400, "EIO in the query is missing, or not 4"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::engine_io::Kind;

    #[test]
    fn kinds_and_entries_stand_at_their_numbers() {
        for (index, (entry, kind)) in PACKET_TYPES.iter().zip(Kind::ALL).enumerate() {
            assert_eq!((usize::from(entry.digit - b'0'), entry.digit), (index, kind.digit()));
            assert_eq!(Kind::of_digit(entry.digit), Some(kind));
            assert_eq!(packet_type(entry.digit), Some(entry));
        }
        for (index, entry) in ERRORS.iter().enumerate() {
            assert_eq!(usize::from(entry.code), index);
        }
    }
}

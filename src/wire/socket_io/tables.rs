//! The packet types of Socket.IO.

/// A packet type (§Exchange protocol).
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

const CONNECTION: &str = "Socket.IO 5, Connection to a namespace";
const ACKNOWLEDGEMENT: &str = "Socket.IO 5, Acknowledgement";
const DATA: &str = "Socket.IO 5, Sending and receiving data";

/// All seven packet types, by number.
pub(crate) const PACKET_TYPES: [PacketType; 7] = [
    packet(b'0', "CONNECT", "a client asks for a namespace, or the server lets it in", CONNECTION),
    packet(
        b'1',
        "DISCONNECT",
        "this side leaves the namespace; nothing answers it",
        "Socket.IO 5, Disconnection from a namespace",
    ),
    packet(b'2', "EVENT", "an event: its name, then its arguments", DATA),
    packet(b'3', "ACK", "the answer to the event with the same id", ACKNOWLEDGEMENT),
    packet(b'4', "CONNECT_ERROR", "the server doesn't let the client into the namespace", CONNECTION),
    packet(b'5', "BINARY_EVENT", "an event; the bytes among its arguments follow as binary messages", DATA),
    packet(b'6', "BINARY_ACK", "an answer; the bytes in it follow as binary messages", ACKNOWLEDGEMENT),
];

/// The entry of a packet type.
pub fn packet_type(digit: u8) -> Option<&'static PacketType> {
    PACKET_TYPES.iter().find(|entry| entry.digit == digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::socket_io::Kind;

    #[test]
    fn kinds_and_entries_stand_at_their_numbers() {
        for (index, (entry, kind)) in PACKET_TYPES.iter().zip(Kind::ALL).enumerate() {
            assert_eq!((usize::from(entry.digit - b'0'), entry.digit), (index, kind.digit()));
            assert_eq!(Kind::of_digit(entry.digit), Some(kind));
            assert_eq!(kind.is_binary(), entry.symbol.starts_with("BINARY"));
        }
    }
}

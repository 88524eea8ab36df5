//! Tables of frame types and close codes.

/// A frame that a server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameType {
    /// Its first byte.
    pub letter: u8,
    /// Its name.
    pub symbol: &'static str,
    /// What it is, with an example.
    pub meaning: &'static str,
    /// Where it is defined.
    pub section: &'static str,
}

/// Where sockjs-protocol describes the server's frames.
pub(super) const FRAMES_SECTION: &str = "sockjs-protocol, Framing accepted by the client";
/// Where it describes what the client sends.
pub(super) const MESSAGES_SECTION: &str = "sockjs-protocol, Framing accepted by the server";

/// All frames. A client knows no others.
pub const FRAMES: [FrameType; 4] = [
    FrameType {
        letter: b'o',
        symbol: "open",
        meaning: "the session is open; always the first frame",
        section: FRAMES_SECTION,
    },
    FrameType {
        letter: b'h',
        symbol: "heartbeat",
        meaning: "nothing to say, still here; usually every 25 seconds",
        section: FRAMES_SECTION,
    },
    FrameType {
        letter: b'a',
        symbol: "messages",
        meaning: "an array of messages, each a JSON string: a[\"hello\"]",
        section: FRAMES_SECTION,
    },
    FrameType {
        letter: b'c',
        symbol: "close",
        meaning: "the session is closed, with a code and a reason: c[3000,\"Go away!\"]",
        section: FRAMES_SECTION,
    },
];

/// The entry of a first byte.
pub(crate) fn frame_type(letter: u8) -> Option<&'static FrameType> {
    FRAMES.iter().find(|frame| frame.letter == letter)
}

/// A code of a close frame, or one that a client makes up for its application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseCode {
    /// The first code.
    pub first: u16,
    /// The last, the same for a single code.
    pub last: u16,
    /// The reason that comes with it, as the peers write it.
    pub reason: &'static str,
    /// Its meaning.
    pub meaning: &'static str,
    /// True if it crosses in a frame; false if a client tells it to its own application only.
    pub sent: bool,
    /// Where it is defined.
    pub section: &'static str,
}

/// The codes that have a meaning here, in order.
pub(crate) const CLOSE_CODES: [CloseCode; 8] = [
    CloseCode {
        first: 1000,
        last: 1000,
        reason: "Normal closure",
        meaning: "the server has ended the session, and gave no code of its own",
        sent: true,
        section: "sockjs-node 0.3.24, lib/transport.js",
    },
    CloseCode {
        first: 1002,
        last: 1002,
        reason: "Connection interrupted",
        meaning: "the connection that carried the frames broke, and messages may be lost",
        sent: true,
        section: "sockjs-protocol, Handling close",
    },
    CloseCode {
        first: 1006,
        last: 1006,
        reason: "Server lost session",
        meaning: "an open frame came in a session that was open: the server has forgotten it",
        sent: false,
        section: "sockjs-client 1.6.1, lib/main.js",
    },
    CloseCode {
        first: 2000,
        last: 2000,
        reason: "All transports failed",
        meaning: "no transport brought an open frame",
        sent: false,
        section: "sockjs-client 1.6.1, lib/main.js",
    },
    CloseCode {
        first: 2007,
        last: 2007,
        reason: "Transport timed out",
        meaning: "a transport brought no open frame in time; the next is tried",
        sent: false,
        section: "sockjs-client 1.6.1, lib/main.js",
    },
    CloseCode {
        first: 2010,
        last: 2010,
        reason: "Another connection still open",
        meaning: "a second connection asked for the frames of a session; the first goes on",
        sent: true,
        section: "sockjs-protocol, Protocol and framing",
    },
    CloseCode {
        first: 3000,
        last: 3000,
        reason: "Go away!",
        meaning: "the application has closed the session",
        sent: true,
        section: FRAMES_SECTION,
    },
    CloseCode {
        first: 3001,
        last: 4999,
        reason: "",
        meaning: "what the application means by it",
        sent: true,
        section: "sockjs-client 1.6.1, lib/main.js",
    },
];

/// Returns the entry of a code. `None` for an undefined code.
pub fn close_code(code: u16) -> Option<&'static CloseCode> {
    CLOSE_CODES.iter().find(|entry| (entry.first..=entry.last).contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_stand_in_order() {
        assert!(CLOSE_CODES.windows(2).all(|pair| pair[0].last < pair[1].first));
        assert_eq!(close_code(2010).map(|entry| entry.reason), Some("Another connection still open"));
        assert_eq!(close_code(4321), close_code(3001));
        assert_eq!(close_code(5000), None);
    }
}

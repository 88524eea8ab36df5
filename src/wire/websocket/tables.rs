//! The numbers of RFC 6455 and of its IANA registries: opcodes and Close codes.

/// An opcode (RFC 6455 §5.2, §11.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opcode {
    /// 0x0 to 0xF.
    pub number: u8,
    /// Its name in the IANA registry; `reserved` for the others.
    pub symbol: &'static str,
    /// What such a frame is.
    pub meaning: &'static str,
    /// Where it is defined.
    pub section: &'static str,
    /// False for the reserved ones: without an extension, a receiver must fail the connection.
    pub may_be_sent: bool,
}

const fn opcode(number: u8, symbol: &'static str, meaning: &'static str, section: &'static str) -> Opcode {
    Opcode { number, symbol, meaning, section, may_be_sent: true }
}

const fn reserved(number: u8) -> Opcode {
    let meaning =
        if number < 0x8 { "reserved for further data frames" } else { "reserved for further control frames" };
    Opcode { number, symbol: "reserved", meaning, section: "RFC 6455 §5.2", may_be_sent: false }
}

/// All sixteen opcodes, by number.
pub(crate) const OPCODES: [Opcode; 16] = [
    opcode(0x0, "Continuation", "a further fragment of the message under way", "RFC 6455 §5.4"),
    opcode(0x1, "Text", "a message of UTF-8 text, or its first fragment", "RFC 6455 §5.6"),
    opcode(0x2, "Binary", "a message of any bytes, or its first fragment", "RFC 6455 §5.6"),
    reserved(0x3),
    reserved(0x4),
    reserved(0x5),
    reserved(0x6),
    reserved(0x7),
    opcode(0x8, "Close", "the sender sends no more data; answered with a Close", "RFC 6455 §5.5.1"),
    opcode(0x9, "Ping", "asks for a Pong with the same payload", "RFC 6455 §5.5.2"),
    opcode(0xa, "Pong", "answers a Ping, or is sent unasked", "RFC 6455 §5.5.3"),
    reserved(0xb),
    reserved(0xc),
    reserved(0xd),
    reserved(0xe),
    reserved(0xf),
];

/// The entry of an opcode. Only the low four bits of `number` are looked at.
pub(crate) fn opcode_entry(number: u8) -> &'static Opcode {
    &OPCODES[usize::from(number & 0x0f)]
}

/// A Close code, or a range of them (RFC 6455 §7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseCode {
    /// The first code.
    pub first: u16,
    /// The last, the same for a single code.
    pub last: u16,
    /// Its name, after the IANA registry, or the name of the range.
    pub symbol: &'static str,
    /// Its meaning.
    pub meaning: &'static str,
    /// Where it is defined.
    pub section: &'static str,
    /// True if it may stand in a Close frame.
    pub may_be_sent: bool,
    /// True where the RFC says MUST NOT: 1005, 1006 and 1015. The other forbidden ones are reserved or not
    /// used.
    pub must_not: bool,
}

const DEFINED: &str = "RFC 6455 §7.4.1";
const RANGES: &str = "RFC 6455 §7.4.2";
const REGISTRY: &str = "IANA WebSocket Close Code Number Registry";

const fn sent(number: u16, symbol: &'static str, meaning: &'static str, section: &'static str) -> CloseCode {
    let (first, last) = (number, number);
    CloseCode { first, last, symbol, meaning, section, may_be_sent: true, must_not: false }
}

const fn local(number: u16, symbol: &'static str, meaning: &'static str) -> CloseCode {
    CloseCode { may_be_sent: false, must_not: true, ..sent(number, symbol, meaning, DEFINED) }
}

const fn range(
    first: u16,
    last: u16,
    symbol: &'static str,
    meaning: &'static str,
    may_be_sent: bool,
) -> CloseCode {
    CloseCode { first, last, may_be_sent, ..sent(first, symbol, meaning, RANGES) }
}

/// All 65536 Close codes, in order and without a hole.
pub(crate) const CLOSE_CODES: [CloseCode; 21] = [
    range(0, 999, "not used", "no Close code", false),
    sent(1000, "Normal Closure", "the work is done", DEFINED),
    sent(1001, "Going Away", "a server goes down, or a browser leaves the page", DEFINED),
    sent(1002, "Protocol error", "the other side broke the protocol", DEFINED),
    sent(1003, "Unsupported Data", "a kind of data that this side can't accept", DEFINED),
    CloseCode { may_be_sent: false, ..sent(1004, "Reserved", "may get a meaning one day", DEFINED) },
    local(1005, "No Status Rcvd", "said to the application when a Close had no code; never sent"),
    local(1006, "Abnormal Closure", "said to the application when no Close came; never sent"),
    sent(
        1007,
        "Invalid frame payload data",
        "data that doesn't fit its type, such as text that is not UTF-8",
        DEFINED,
    ),
    sent(1008, "Policy Violation", "a message that breaks a rule of this side", DEFINED),
    sent(1009, "Message Too Big", "a message that is too big to process", DEFINED),
    sent(1010, "Mandatory Ext.", "a client missed an extension in the handshake", DEFINED),
    sent(1011, "Internal Error", "a server met something unexpected", DEFINED),
    sent(1012, "Service Restart", "the service restarts", REGISTRY),
    sent(1013, "Try Again Later", "the service is overloaded", REGISTRY),
    sent(1014, "Bad Gateway", "a gateway got a bad answer from the server behind it", REGISTRY),
    local(1015, "TLS handshake", "said to the application when TLS failed; never sent"),
    range(1016, 2999, "reserved", "for this protocol and its extensions; none is defined yet", false),
    range(3000, 3999, "registered", "for libraries and frameworks, registered with IANA", true),
    range(4000, 4999, "private use", "by agreement between the two sides", true),
    range(5000, u16::MAX, "undefined", "outside of all ranges", false),
];

/// The entry of a Close code.
pub fn close_code(number: u16) -> &'static CloseCode {
    let index = CLOSE_CODES.partition_point(|entry| entry.last < number);
    &CLOSE_CODES[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opcodes_stand_at_their_numbers() {
        for (index, entry) in OPCODES.iter().enumerate() {
            assert_eq!(usize::from(entry.number), index);
        }
        assert_eq!(opcode_entry(0x9).symbol, "Ping");
    }

    #[test]
    fn the_close_codes_have_no_hole() {
        let mut next = 0;
        for entry in &CLOSE_CODES {
            assert_eq!(u32::from(entry.first), next);
            next = u32::from(entry.last) + 1;
        }
        assert_eq!(next, 0x1_0000);
    }

    #[test]
    fn the_codes_of_the_wire_are_those_of_the_rfc_and_the_registry() {
        let may = |code: &u16| matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        for code in 0..=u16::MAX {
            let entry = close_code(code);
            assert!((entry.first..=entry.last).contains(&code));
            assert_eq!(entry.may_be_sent, may(&code), "{code}");
            assert_eq!(entry.must_not, matches!(code, 1005 | 1006 | 1015), "{code}");
        }
    }
}

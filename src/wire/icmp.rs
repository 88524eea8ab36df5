//! ICMP: errors about datagrams, and the ping (RFC 792).
//!
//! ```text
//! Type(8) Code(8) Checksum(16) | four bytes that depend on the type | body
//! ```
//!
//! All numbers are big-endian. An error quotes the beginning of the datagram that it is about.

use super::{
    checksum::{Sum, Verdict, without},
    ip::Datagram,
    layer::Protocol,
    reading::Reading,
};

mod codes;

pub(crate) use codes::{code_name, type_name};

const RFC: &str = "RFC 792";

/// Characters shown of the data of a ping.
const SHOWN: usize = 64;

/// Types.
pub(crate) mod kind {
    /// Echo reply.
    pub(crate) const ECHO_REPLY: u8 = 0;
    /// Destination unreachable.
    pub(crate) const UNREACHABLE: u8 = 3;
    /// Redirect to a better router.
    pub(crate) const REDIRECT: u8 = 5;
    /// Echo request.
    pub(crate) const ECHO: u8 = 8;
    /// Time exceeded.
    pub(crate) const TIME_EXCEEDED: u8 = 11;
    /// Parameter problem.
    pub(crate) const PARAMETER_PROBLEM: u8 = 12;
    /// Timestamp request.
    pub(crate) const TIMESTAMP: u8 = 13;
    /// Timestamp reply.
    pub(crate) const TIMESTAMP_REPLY: u8 = 14;
}

/// A message of ICMP or ICMPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The type.
    pub kind: u8,
    /// The code. Each type has its own codes.
    pub code: u8,
    /// The four bytes after the checksum.
    pub rest: [u8; 4],
    /// The rest of the message: data, or the quoted datagram.
    pub body: Vec<u8>,
}

impl Message {
    /// Parses a message without checking the checksum. Returns `None` if it is cut off.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let [kind, code, _, _, rest @ ..] = bytes else { return None };
        let (rest, body) = rest.split_first_chunk()?;
        Some(Message { kind: *kind, code: *code, rest: *rest, body: body.to_vec() })
    }

    /// Returns an echo request, or with [`kind::ECHO_REPLY`] an echo reply.
    pub(crate) fn echo(kind: u8, identifier: u16, sequence: u16, data: &[u8]) -> Self {
        let ([a, b], [c, d]) = (identifier.to_be_bytes(), sequence.to_be_bytes());
        Message { kind, code: 0, rest: [a, b, c, d], body: data.to_vec() }
    }

    /// Returns an error about `datagram`, which quotes its header and the next 8 bytes (RFC 792).
    #[cfg(any(test, feature = "fuzz-laws"))]
    pub(crate) fn error(kind: u8, code: u8, datagram: &[u8]) -> Self {
        let header = datagram.first().map_or(0, |byte| usize::from(byte & 0xf) * 4);
        let quoted = &datagram[..datagram.len().min(header + 8)];
        Message { kind, code, rest: [0; 4], body: quoted.to_vec() }
    }

    /// Returns the bytes of a message of ICMP, with its checksum.
    pub(crate) fn encode(&self) -> Vec<u8> {
        self.encode_after(Sum::new())
    }

    /// Returns the bytes, with a checksum that continues from `start`.
    pub(super) fn encode_after(&self, start: Sum) -> Vec<u8> {
        let mut bytes = vec![self.kind, self.code, 0, 0];
        bytes.extend(self.rest);
        bytes.extend(&self.body);
        let checksum = without(start, &bytes, 2);
        bytes[2..4].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }
}

/// Decodes a message with all that it carries, as layers. `quoted` decodes the datagram that an error quotes.
pub(super) fn fields(r: &mut Reading, datagram: &Datagram, quoted: fn(&mut Reading)) {
    if let Some(Some(length)) = r.layer(Protocol::Icmp, |r| head(r, datagram)) {
        quotation(r, Protocol::Icmp, usize::from(length) * 4, quoted);
    }
}

/// Decodes the message up to its quotation. Returns the length of the quotation in units of 4 bytes, if it
/// has one.
fn head(r: &mut Reading, datagram: &Datagram) -> Option<Option<u8>> {
    let start = r.at();
    let kind = r.u8("Type", "what kind of message this is", RFC)?;
    r.symbol(type_name(kind));
    let code = r.u8("Code", "", RFC)?;
    let name = code_name(kind, code);
    r.symbol(name);
    r.meaning(code_meaning(name, code));
    let found = r.u16("Checksum", "", RFC)?;
    r.value(format!("{found:#06x}"));
    let bytes = r.since(start);
    r.meaning(if datagram.whole {
        Verdict::of(found, Sum::new(), bytes, 2).words("the message")
    } else {
        "can't be verified: the message is not all here".into()
    });
    match kind {
        kind::ECHO | kind::ECHO_REPLY => {
            r.u16("Identifier", "tells one ping program from another", RFC)?;
            r.u16("Sequence Number", "counts the pings; the reply repeats it", RFC)?;
            r.all_as_text("Data", SHOWN, "any bytes; the reply repeats them");
        }
        kind::TIMESTAMP | kind::TIMESTAMP_REPLY => {
            r.u16("Identifier", "tells one asker from another", RFC)?;
            r.u16("Sequence Number", "counts the questions", RFC)?;
            r.u32("Originate Timestamp", "when the question was sent, in ms since midnight", RFC)?;
            r.u32("Receive Timestamp", "when it came in, in ms since midnight", RFC)?;
            r.u32("Transmit Timestamp", "when the answer was sent, in ms since midnight", RFC)?;
        }
        kind::UNREACHABLE => {
            r.u8("unused", "sent as 0", RFC)?;
            let length =
                r.u8("Length", "of the quotation in units of 4 bytes; 0: to the end", "RFC 4884 §4.1")?;
            if code == 4 {
                r.u16("Next-Hop MTU", "the largest datagram that goes through, in bytes", "RFC 1191 §4")?;
            } else {
                r.u16("unused", "sent as 0", RFC)?;
            }
            return Some(Some(length));
        }
        kind::TIME_EXCEEDED => {
            r.u8("unused", "sent as 0", RFC)?;
            let length =
                r.u8("Length", "of the quotation in units of 4 bytes; 0: to the end", "RFC 4884 §4.2")?;
            r.u16("unused", "sent as 0", RFC)?;
            return Some(Some(length));
        }
        kind::PARAMETER_PROBLEM => {
            r.u8("Pointer", "the byte of the quoted header that is wrong, from 0", RFC)?;
            let length =
                r.u8("Length", "of the quotation in units of 4 bytes; 0: to the end", "RFC 4884 §4.3")?;
            r.u16("unused", "sent as 0", RFC)?;
            return Some(Some(length));
        }
        kind::REDIRECT => {
            r.ipv4("Gateway Internet Address", "send there what is for this destination", RFC)?;
            return Some(Some(0));
        }
        _ => {}
    }
    r.all("Data", "not known to this decoder", RFC);
    Some(None)
}

/// Returns the meaning of a code.
pub(super) fn code_meaning(name: Option<&'static str>, code: u8) -> &'static str {
    match (name, code) {
        (Some(_), _) => "why, more exactly",
        (None, 0) => "0: this type has no further kinds",
        (None, _) => "not defined for this type",
    }
}

/// Decodes the quotation of an error: `claimed` bytes, or all that is left if that is 0. An extension follows
/// it.
///
/// A quotation in a quotation is not decoded.
pub(super) fn quotation(r: &mut Reading, outer: Protocol, claimed: usize, quoted: fn(&mut Reading)) {
    let here = if claimed == 0 { r.left() } else { claimed.min(r.left()) };
    if r.is_quoted() {
        r.layer(outer, |r| {
            r.within(here, "the quotation", |r| r.all("quoted datagram", "a quotation in a quotation", RFC));
        });
    } else {
        r.quoting(|r| r.within(here, "the quotation", quoted));
    }
    r.layer(outer, |r| r.all("extension structure", "more about the error", "RFC 4884 §7"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_together_is_taken_apart() {
        let ping = Message::echo(kind::ECHO, 7, 1, b"hello");
        let bytes = ping.encode();
        assert_eq!(Message::parse(&bytes), Some(ping));
        let mut sum = Sum::new();
        sum.add(&bytes);
        assert_eq!(sum.folded(), 0xffff);
        for length in 0..8 {
            assert_eq!(Message::parse(&bytes[..length]), None);
        }
    }

    #[test]
    fn an_error_quotes_the_header_and_eight_bytes() {
        let error = Message::error(kind::UNREACHABLE, 3, &[0x46; 60]);
        assert_eq!(error.body.len(), 32);
        assert_eq!(Message::error(3, 3, &[]).body.len(), 0);
    }
}

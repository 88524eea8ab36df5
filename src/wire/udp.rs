//! UDP: datagrams between ports (RFC 768).
//!
//! ```text
//! Source Port(16) Destination Port(16) | Length(16) Checksum(16) | data
//! ```
//!
//! All numbers are big-endian. Length counts header and data, in bytes.

use std::{
    net::{IpAddr, SocketAddr},
    ops::Range,
};

use super::{
    checksum::{Sum, Verdict, without},
    ip::{Datagram, protocol},
    reading::Reading,
};

const RFC: &str = "RFC 768";

/// Bytes of the header.
pub(crate) const LENGTH: usize = 8;

/// A UDP header without the computed fields length and checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// The source port; 0 if no answer is expected.
    pub source: u16,
    /// The destination port.
    pub destination: u16,
}

impl Header {
    /// Returns the datagram: this header and the payload, with the checksum over the pseudo-header.
    ///
    /// A computed checksum of 0 is sent as 0xffff, as 0 means that there is none.
    pub(crate) fn encode(&self, source: IpAddr, destination: IpAddr, payload: &[u8]) -> Vec<u8> {
        let length = LENGTH + payload.len();
        let mut bytes = Vec::with_capacity(length);
        bytes.extend(self.source.to_be_bytes());
        bytes.extend(self.destination.to_be_bytes());
        bytes.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(payload);
        let start = Sum::pseudo_header(source, destination, protocol::UDP, length).unwrap_or_default();
        let checksum = match without(start, &bytes, 6) {
            0 => 0xffff,
            sum => sum,
        };
        bytes[6..8].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }
}

/// A UDP datagram without its list of fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Source address and port.
    pub source: SocketAddr,
    /// Destination address and port.
    pub destination: SocketAddr,
    /// Byte range of the payload in the frame, as far as the frame has it.
    pub payload: Range<usize>,
}

impl Message {
    /// Finds the datagram in an Ethernet frame. Does not allocate.
    pub(crate) fn parse(frame: &[u8]) -> Option<Self> {
        let datagram = Datagram::parse(frame)?;
        if datagram.protocol != protocol::UDP || !datagram.first {
            return None;
        }
        let bytes = frame.get(datagram.payload.clone())?;
        let [a, b, c, d, e, f, _, _] = *bytes.first_chunk::<LENGTH>()?;
        let claimed = usize::from(u16::from_be_bytes([e, f]));
        let length = if claimed < LENGTH { bytes.len() } else { claimed.min(bytes.len()) };
        Some(Message {
            source: SocketAddr::new(datagram.source, u16::from_be_bytes([a, b])),
            destination: SocketAddr::new(datagram.destination, u16::from_be_bytes([c, d])),
            payload: datagram.payload.start + LENGTH..datagram.payload.start + length,
        })
    }
}

/// Decodes the header. Returns the length of the data, as far as the frame has it.
pub(super) fn fields(r: &mut Reading, datagram: &Datagram) -> Option<usize> {
    let start = r.at();
    r.u16("Source Port", "the port of the sender: where answers go", RFC)?;
    r.u16("Destination Port", "the port that is meant", RFC)?;
    let length = usize::from(r.u16("Length", "", RFC)?);
    let here = r.since(start).len();
    r.meaning(match length.checked_sub(LENGTH) {
        Some(data) => format!("header and data, in bytes: 8 + {data} = {length}"),
        None => "wrong: the header alone has 8 bytes".into(),
    });
    if length > here {
        r.note(&format!("cut off: claims {} more than are here", length - here));
    }
    let found = r.u16("Checksum", "", RFC)?;
    r.value(format!("{found:#06x}"));
    let bytes = r.since(start);
    let (bytes, possible) = match bytes.get(..length) {
        Some(bytes) if length >= LENGTH => (bytes, datagram.whole),
        _ => (bytes, false),
    };
    let sum = Sum::pseudo_header(datagram.source, datagram.destination, protocol::UDP, bytes.len());
    r.meaning(match (found, sum) {
        (0, Some(_)) if datagram.source.is_ipv4() => "0: the sender made none, as it may over IPv4".into(),
        (0, Some(_)) => "wrong: over IPv6 there must be one (RFC 8200 §8.1)".into(),
        (found, Some(sum)) if possible => {
            Verdict::of(found, sum, bytes, 6).words("pseudo-header, header and data")
        }
        _ => "can't be verified: the datagram is not all here".into(),
    });
    let data = if length < LENGTH { r.left() } else { length - LENGTH };
    Some(data.min(r.left()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::build;

    #[test]
    fn what_is_put_together_is_taken_apart() {
        let (from, to) = ("10.0.0.1:1000".parse().unwrap(), "10.0.0.2:2000".parse().unwrap());
        let frame = build::udp(from, to, b"hello");
        let message = Message::parse(&frame).unwrap();
        assert_eq!((message.source, message.destination), (from, to));
        assert_eq!(&frame[message.payload], b"hello");
        for length in 0..42 {
            assert_eq!(Message::parse(&frame[..length]), None);
        }
        assert_eq!(Message::parse(&frame[..44]).unwrap().payload, 42..44);
    }

    #[test]
    fn an_impossible_length_is_taken_for_what_is_there() {
        let mut frame = build::udp("10.0.0.1:1".parse().unwrap(), "10.0.0.2:2".parse().unwrap(), b"hello");
        for length in [[0, 0], [0, 7], [0xff, 0xff]] {
            frame[38..40].copy_from_slice(&length);
            assert_eq!(Message::parse(&frame).unwrap().payload, 42..47);
        }
    }
}

//! IPv6: from one host to another, with addresses of 128 bits (RFC 8200).
//!
//! ```text
//! Version(4) Traffic Class(8) Flow Label(20) | Payload Length(16) Next Header(8) Hop Limit(8)
//! Source Address(128) | Destination Address(128) | extension headers, each a multiple of 8 bytes
//! ```
//!
//! All numbers are big-endian. There is no header checksum and no fragmenting router. Each header names the
//! next.

use std::net::{IpAddr, Ipv6Addr};

use super::{
    ip::{self, Datagram, protocol},
    reading::Reading,
};

mod extensions;

const HEADER: &str = "RFC 8200 §3";

/// Bytes of the header without extension headers.
pub(crate) const LENGTH: usize = 40;

/// An IPv6 header without the computed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Differentiated services code point (6 bits) and congestion notification (2 bits).
    pub traffic_class: u8,
    /// The flow label, 20 bits.
    pub flow_label: u32,
    /// The number of an extension header or of the payload's protocol.
    pub next_header: u8,
    /// Number of routers that it may pass.
    pub hop_limit: u8,
    /// The source address.
    pub source: Ipv6Addr,
    /// The destination address.
    pub destination: Ipv6Addr,
}

impl Header {
    /// Returns a header with 64 hops and no label.
    pub(crate) fn new(source: Ipv6Addr, destination: Ipv6Addr, next_header: u8) -> Self {
        Header { traffic_class: 0, flow_label: 0, next_header, hop_limit: 64, source, destination }
    }

    /// Parses the header at the start of `bytes`. Returns `None` if it is cut off or not IPv6.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; LENGTH] = bytes.first_chunk()?;
        let first = u32::from_be_bytes(*bytes.first_chunk()?);
        if first >> 28 != 6 {
            return None;
        }
        let [.., traffic_class] = (first >> 20).to_be_bytes();
        Some(Header {
            traffic_class,
            flow_label: first & 0xf_ffff,
            next_header: bytes[6],
            hop_limit: bytes[7],
            source: Ipv6Addr::from(*bytes[8..].first_chunk::<16>()?),
            destination: Ipv6Addr::from(*bytes[24..].first_chunk::<16>()?),
        })
    }

    /// Returns the datagram: this header with its length, then the payload, with extension headers in front
    /// if there are any.
    pub(crate) fn encode(&self, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH + payload.len());
        let first = 6 << 28 | u32::from(self.traffic_class) << 20 | self.flow_label & 0xf_ffff;
        bytes.extend(first.to_be_bytes());
        bytes.extend(u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend([self.next_header, self.hop_limit]);
        bytes.extend(self.source.octets());
        bytes.extend(self.destination.octets());
        bytes.extend(payload);
        bytes
    }
}

/// Returns the datagram at the start of `bytes`, without allocating. Its payload's range counts from there.
pub(super) fn datagram(bytes: &[u8]) -> Option<Datagram> {
    let header = Header::parse(bytes)?;
    let length = usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
    let end = (LENGTH + length).min(bytes.len());
    let mut datagram = Datagram {
        source: header.source.into(),
        destination: header.destination.into(),
        protocol: header.next_header,
        payload: LENGTH..end,
        first: true,
        whole: LENGTH + length <= bytes.len(),
    };
    while datagram.first && extensions::is_extension(datagram.protocol) {
        let rest = &bytes[datagram.payload.clone()];
        let fixed: &[u8; 8] = rest.first_chunk()?;
        let mut length = 8;
        if datagram.protocol == protocol::FRAGMENT {
            let word = u16::from_be_bytes([fixed[2], fixed[3]]);
            datagram.first = word >> 3 == 0;
            datagram.whole &= word >> 3 == 0 && word & 1 == 0;
        } else {
            if datagram.protocol == protocol::ROUTING {
                final_destination(rest, &mut datagram);
            }
            length += usize::from(fixed[1]) * 8;
        }
        if length > rest.len() {
            return None;
        }
        datagram.protocol = fixed[0];
        datagram.payload.start += length;
    }
    Some(datagram)
}

/// With a routing header the last address is the destination, also in the pseudo-header (RFC 8200 §8.1).
///
/// That is the last in a list of type 0 and 2, and the first in the list of type 4 (RFC 8754 §2).
fn final_destination(header: &[u8], datagram: &mut Datagram) {
    let (&[_, words, kind, left, ..], true) = (header, header.len() >= 8) else { return };
    let count = usize::from(words / 2);
    let index = match kind {
        0 | 2 => count.checked_sub(1),
        4 => Some(0),
        _ => None,
    };
    let Some(index) = index.filter(|_| left > 0 && count > 0) else { return };
    if let Some(octets) = header.get(8 + index * 16..).and_then(|list| list.first_chunk::<16>()) {
        datagram.destination = IpAddr::V6(Ipv6Addr::from(*octets));
    }
}

/// Decodes the header and its extension headers. Returns the datagram, whose payload's range counts from the
/// start of the frame.
pub(super) fn fields(r: &mut Reading) -> Option<Datagram> {
    let start = r.at();
    let version = r.small(4, "Version", "the version of the Internet Protocol", HEADER)?;
    if version != 6 {
        r.meaning("wrong: the EtherType says IPv6, which is 6");
    }
    let dscp = r.small(6, "DSCP", "how routers should treat it: 0 is as any other", "RFC 2474 §3")?;
    r.symbol(ip::dscp_name(dscp));
    let (symbol, meaning) = ip::ecn(r.small(2, "ECN", "", "RFC 3168 §5")?);
    r.symbol(Some(symbol));
    r.meaning(meaning);
    let label = r.bits(
        20,
        "Flow Label",
        "packets of one flow share it, so that routers keep them on one way",
        "RFC 8200 §6",
    )?;
    r.value(format!("{label:#07x}"));
    let length = usize::from(r.u16("Payload Length", "what follows these 40 bytes, in bytes", HEADER)?);
    let here = r.since(start).len().saturating_sub(LENGTH);
    if length > here {
        r.note(&format!("cut off: claims {} more than are here", length - here));
    }
    let mut next = r.u8("Next Header", "", HEADER)?;
    next_header(r, next);
    let hops = r.u8("Hop Limit", "each router takes 1 off; at 0 it is dropped", HEADER)?;
    if hops == 0 {
        r.note("0: no further router");
    }
    let source = r.ipv6("Source Address", "the host that sends", HEADER)?;
    let destination = r.ipv6("Destination Address", "the host that is meant", HEADER)?;
    if destination.is_multicast() {
        r.symbol(Some("multicast"));
    }
    let mut datagram = Datagram {
        source: source.into(),
        destination: destination.into(),
        protocol: next,
        payload: 0..start + LENGTH + length.min(here),
        first: true,
        whole: length <= here,
    };
    r.within(length, "Payload Length", |r| {
        while datagram.first && extensions::is_extension(next) {
            if next == protocol::ROUTING {
                final_destination(r.rest(), &mut datagram);
            }
            next = extensions::fields(r, next, &mut datagram)?;
        }
        Some(())
    })?;
    datagram.protocol = next;
    datagram.payload.start = r.at();
    datagram.payload.end = datagram.payload.end.max(r.at());
    Some(datagram)
}

fn next_header(r: &mut Reading, number: u8) {
    r.symbol(ip::protocol_name(number));
    r.meaning(if extensions::is_extension(number) {
        "what follows: an extension header"
    } else {
        "what follows: the protocol that is carried"
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(next: u8) -> Header {
        Header {
            traffic_class: 0xb9,
            flow_label: 0xabcde,
            ..Header::new("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap(), next)
        }
    }

    #[test]
    fn what_is_put_together_is_taken_apart() {
        let bytes = header(17).encode(b"abc");
        assert_eq!(Header::parse(&bytes), Some(header(17)));
        let found = datagram(&bytes).unwrap();
        assert_eq!((found.protocol, found.payload, found.whole), (17, 40..43, true));
        for length in 0..40 {
            assert_eq!(Header::parse(&bytes[..length]), None);
        }
        assert!(!datagram(&bytes[..42]).unwrap().whole);
    }

    #[test]
    fn extension_headers_are_walked() {
        let chain = [60, 0, 1, 4, 0, 0, 0, 0, 44, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 1, 0, 0, 0, 7, b'x'];
        let bytes = header(0).encode(&chain);
        let found = datagram(&bytes).unwrap();
        assert_eq!((found.protocol, found.payload.clone()), (6, 64..65));
        assert!(found.first && !found.whole, "a first fragment");
        let mut r = Reading::new(&bytes);
        assert_eq!(fields(&mut r).unwrap(), found);
    }

    #[test]
    fn an_extension_longer_than_the_packet_is_none() {
        let bytes = header(0).encode(&[6, 255, 1, 4, 0, 0, 0, 0]);
        assert_eq!(datagram(&bytes), None);
        let mut r = Reading::new(&bytes);
        assert!(fields(&mut r).is_none());
    }
}

//! IPv4: from one host to another, over any number of links (RFC 791).
//!
//! ```text
//! Version(4) IHL(4) | DSCP(6) ECN(2) | Total Length(16)
//! Identification(16) | 0 DF MF | Fragment Offset(13)
//! Time to Live(8) | Protocol(8) | Header Checksum(16)
//! Source Address(32) | Destination Address(32) | options, padded to 32 bits
//! ```
//!
//! All numbers are big-endian. IHL counts 4 bytes, the fragment offset 8.

use std::net::{IpAddr, Ipv4Addr};

use super::{
    checksum::{Sum, Verdict, without},
    ip::{self, Datagram},
    reading::Reading,
};

mod options;

const HEADER: &str = "RFC 791 §3.1";

/// Bytes of a header without options.
pub(crate) const SHORTEST: usize = 20;

/// An IPv4 header without the computed fields: lengths and checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Differentiated services code point, 6 bits.
    pub dscp: u8,
    /// Explicit congestion notification, 2 bits.
    pub ecn: u8,
    /// The Identification, shared by the fragments of a datagram.
    pub identification: u16,
    /// DF: no router may fragment it.
    pub dont_fragment: bool,
    /// MF: a fragment, and not the last.
    pub more_fragments: bool,
    /// The fragment's offset in the datagram, in units of 8 bytes, 13 bits.
    pub fragment_offset: u16,
    /// Number of routers that it may pass.
    pub time_to_live: u8,
    /// What it carries.
    pub protocol: u8,
    /// The source address.
    pub source: Ipv4Addr,
    /// The destination address.
    pub destination: Ipv4Addr,
    /// The options, at most 40 bytes; `encode` pads them to a multiple of 4 with zeros.
    pub options: Vec<u8>,
}

impl Header {
    /// Returns a header with Linux's defaults: 64 hops, not to be fragmented.
    pub(crate) fn new(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8) -> Self {
        Header {
            dscp: 0,
            ecn: 0,
            identification: 0,
            dont_fragment: true,
            more_fragments: false,
            fragment_offset: 0,
            time_to_live: 64,
            protocol,
            source,
            destination,
            options: Vec::new(),
        }
    }

    /// Parses the header at the start of `bytes`. Returns its length as well. `None` if it is cut off or not
    /// IPv4.
    pub(crate) fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
        let fixed: &[u8; SHORTEST] = bytes.first_chunk()?;
        let length = usize::from(fixed[0] & 0xf) * 4;
        if fixed[0] >> 4 != 4 || length < SHORTEST {
            return None;
        }
        let options = bytes.get(SHORTEST..length)?.to_vec();
        let word = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let header = Header {
            dscp: fixed[1] >> 2,
            ecn: fixed[1] & 3,
            identification: word(4),
            dont_fragment: fixed[6] & 0x40 != 0,
            more_fragments: fixed[6] & 0x20 != 0,
            fragment_offset: word(6) & 0x1fff,
            time_to_live: fixed[8],
            protocol: fixed[9],
            source: Ipv4Addr::from([fixed[12], fixed[13], fixed[14], fixed[15]]),
            destination: Ipv4Addr::from([fixed[16], fixed[17], fixed[18], fixed[19]]),
            options,
        };
        Some((header, length))
    }

    /// Returns the datagram: this header with its lengths and checksum, then the payload.
    ///
    /// Total Length cannot express a payload over 65,515 bytes: the field then has its largest value.
    pub(crate) fn encode(&self, payload: &[u8]) -> Vec<u8> {
        let options = &self.options[..self.options.len().min(40)];
        let length = SHORTEST + options.len().next_multiple_of(4);
        let total = u16::try_from(length + payload.len()).unwrap_or(u16::MAX);
        let words = u8::try_from(length / 4).expect("at most 60 bytes");
        let mut bytes = Vec::with_capacity(length + payload.len());
        bytes.extend([0x40 | words, self.dscp << 2 | self.ecn & 3]);
        bytes.extend(total.to_be_bytes());
        bytes.extend(self.identification.to_be_bytes());
        let flags = u16::from(self.dont_fragment) << 14 | u16::from(self.more_fragments) << 13;
        bytes.extend((flags | self.fragment_offset & 0x1fff).to_be_bytes());
        bytes.extend([self.time_to_live, self.protocol, 0, 0]);
        bytes.extend(self.source.octets());
        bytes.extend(self.destination.octets());
        bytes.extend(options);
        bytes.resize(length, 0);
        let checksum = without(Sum::new(), &bytes, 10);
        bytes[10..12].copy_from_slice(&checksum.to_be_bytes());
        bytes.extend(payload);
        bytes
    }
}

/// Returns the datagram at the start of `bytes`, without allocating. Its payload's range counts from there.
pub(super) fn datagram(bytes: &[u8]) -> Option<Datagram> {
    let fixed: &[u8; SHORTEST] = bytes.first_chunk()?;
    let length = usize::from(fixed[0] & 0xf) * 4;
    if fixed[0] >> 4 != 4 || length < SHORTEST || length > bytes.len() {
        return None;
    }
    let total = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
    let (end, all_here) = extent(total, length, bytes.len());
    let fragment = u16::from_be_bytes([fixed[6], fixed[7]]);
    let address =
        |at: usize| IpAddr::V4(Ipv4Addr::from([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]));
    Some(Datagram {
        source: address(12),
        destination: address(16),
        protocol: fixed[9],
        payload: length..end,
        first: fragment & 0x1fff == 0,
        whole: fragment & 0x3fff == 0 && all_here,
    })
}

/// Returns the end of the datagram, and whether it is complete. An impossible total length means "to the
/// end".
fn extent(total: usize, header: usize, here: usize) -> (usize, bool) {
    if total < header { (here, total == 0) } else { (total.min(here), total <= here) }
}

/// Decodes the header. Returns the datagram, whose payload's range counts from the start of the frame.
pub(super) fn fields(r: &mut Reading) -> Option<Datagram> {
    let start = r.at();
    let version = r.small(4, "Version", "4", HEADER)?;
    if version != 4 {
        r.meaning("wrong: the EtherType says IPv4, which is 4");
    } else {
        r.meaning("the version of the Internet Protocol");
    }
    let ihl = usize::from(r.small(4, "IHL", "", HEADER)?);
    let length = ihl * 4;
    r.meaning(format!("the header's length in units of 4 bytes: {ihl} × 4 = {length}"));
    if length < SHORTEST {
        r.note("wrong: a header has at least 20 bytes");
    } else if r.since(start).len() < length {
        r.note("cut off: so many bytes are not here");
    }
    let dscp = r.small(6, "DSCP", "how routers should treat it: 0 is as any other", "RFC 2474 §3")?;
    r.symbol(ip::dscp_name(dscp));
    let bits = r.small(2, "ECN", "", "RFC 3168 §5")?;
    let (symbol, meaning) = ip::ecn(bits);
    r.symbol(Some(symbol));
    r.meaning(meaning);
    let total = usize::from(r.u16("Total Length", "", HEADER)?);
    let here = r.since(start).len();
    let payload = total.checked_sub(length.max(SHORTEST));
    r.meaning(match payload {
        Some(payload) => {
            format!("header and payload, in bytes: {} + {payload} = {total}", length.max(SHORTEST))
        }
        None if total == 0 => "0: left to the network card, which cuts the packet up".into(),
        None => "wrong: less than the header".into(),
    });
    if total > here {
        r.note(&format!("cut off: claims {} more than are here", total - here));
    }
    let identification = r.u16("Identification", "fragments of one datagram share this number", HEADER)?;
    r.value(format!("{identification:#06x}"));
    r.flag("reserved", "wrong: it must be 0", "must be 0", HEADER)?;
    r.flag(
        "DF",
        "don't fragment: a router that can't pass it on whole drops it and says so",
        "may be cut into fragments",
        HEADER,
    )?;
    let more =
        r.flag("MF", "more fragments of this datagram follow", "the last fragment, or the only one", HEADER)?;
    let offset = r.bits(13, "Fragment Offset", "", HEADER)?;
    r.meaning(match (offset, more) {
        (0, false) => "not a fragment".into(),
        (0, true) => "the first fragment".into(),
        _ => format!("where it stands in the datagram, in units of 8 bytes: {offset} × 8 = {}", offset * 8),
    });
    let hops = r.u8("Time to Live", "each router takes 1 off; at 0 it is dropped", HEADER)?;
    if hops == 0 {
        r.note("wrong: a packet with 0 must not be sent");
    }
    let protocol = r.u8("Protocol", "what the datagram carries", HEADER)?;
    r.symbol(ip::protocol_name(protocol));
    let found = r.u16("Header Checksum", "", HEADER)?;
    r.value(format!("{found:#06x}"));
    let header = r.since(start);
    r.meaning(match header.get(..length) {
        Some(header) if length >= SHORTEST => Verdict::of(found, Sum::new(), header, 10).words("the header"),
        _ => "can't be verified: the header is not all here".into(),
    });
    let source = r.ipv4("Source Address", "the host that sends", HEADER)?;
    let destination = r.ipv4("Destination Address", "the host that is meant", HEADER)?;
    if destination.is_broadcast() {
        r.symbol(Some("broadcast"));
    } else if destination.is_multicast() {
        r.symbol(Some("multicast"));
    }
    let room = length.saturating_sub(SHORTEST);
    r.within(room, "IHL", options::fields);
    if length > r.since(start).len() {
        return None;
    }
    let (end, all_here) = extent(total, length.max(SHORTEST), r.since(start).len());
    let end = (start + end).max(r.at());
    Some(Datagram {
        source: source.into(),
        destination: destination.into(),
        protocol,
        payload: r.at()..end,
        first: offset == 0,
        whole: offset == 0 && !more && all_here,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            dscp: 46,
            ecn: 1,
            identification: 0xbeef,
            options: vec![0x94, 4, 0, 0, 1, 0, 0, 0],
            ..Header::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), 17)
        }
    }

    #[test]
    fn what_is_put_together_is_taken_apart() {
        let bytes = header().encode(b"abc");
        assert_eq!((bytes[0], &bytes[2..4]), (0x47, &[0, 31][..]));
        assert_eq!(Header::parse(&bytes), Some((header(), 28)));
        let mut sum = Sum::new();
        sum.add(&bytes[..28]);
        assert_eq!(sum.folded(), 0xffff);
        for length in 0..28 {
            assert_eq!(Header::parse(&bytes[..length]), None);
            assert_eq!(datagram(&bytes[..length]), None);
        }
    }

    #[test]
    fn impossible_lengths_are_none_or_cut_off() {
        let mut bytes = header().encode(b"abc");
        bytes[2..4].copy_from_slice(&[0xff, 0xff]);
        let found = datagram(&bytes).unwrap();
        assert_eq!((found.payload, found.whole), (28..31, false));
        bytes[0] = 0x44;
        assert_eq!(datagram(&bytes), None);
        bytes[0] = 0x4f;
        assert_eq!(datagram(&bytes), None);
    }

    #[test]
    fn a_wrong_checksum_is_told_with_the_right_one() {
        let mut bytes = header().encode(b"");
        bytes[8] ^= 1;
        let mut r = Reading::new(&bytes);
        fields(&mut r).unwrap();
        let (_, out) = r.into_parts();
        let sum = out.iter().find(|field| field.name == "Header Checksum").unwrap();
        assert!(sum.meaning.starts_with("wrong: it should be 0x"), "{}", sum.meaning);
    }
}

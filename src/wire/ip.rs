//! What IPv4 and IPv6 have in common: protocol numbers, traffic class names, and the datagram.

use std::{net::IpAddr, ops::Range};

/// The protocols that this program decodes (numbers by IANA).
pub mod protocol {
    /// IPv6 hop-by-hop options.
    pub(crate) const HOP_BY_HOP: u8 = 0;
    /// ICMP, the errors and the ping of IPv4.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// IPv6 routing header.
    pub(crate) const ROUTING: u8 = 43;
    /// IPv6 fragment header.
    pub(crate) const FRAGMENT: u8 = 44;
    /// ICMPv6, also the ARP of IPv6.
    pub const ICMPV6: u8 = 58;
    /// Nothing follows.
    pub(crate) const NO_NEXT: u8 = 59;
    /// IPv6 destination options.
    pub(crate) const DESTINATION: u8 = 60;
}

/// The usual name of a protocol's number.
pub(crate) fn protocol_name(number: u8) -> Option<&'static str> {
    Some(match number {
        0 => "hop-by-hop options",
        1 => "ICMP",
        2 => "IGMP",
        4 => "IPv4",
        6 => "TCP",
        17 => "UDP",
        33 => "DCCP",
        41 => "IPv6",
        43 => "routing header",
        44 => "fragment header",
        47 => "GRE",
        50 => "ESP",
        51 => "AH",
        58 => "ICMPv6",
        59 => "no next header",
        60 => "destination options",
        89 => "OSPF",
        103 => "PIM",
        112 => "VRRP",
        132 => "SCTP",
        136 => "UDP-Lite",
        _ => return None,
    })
}

/// The name of a differentiated services code point (RFC 2474, 2597, 3246, 5865, 8622).
pub(crate) fn dscp_name(point: u8) -> Option<&'static str> {
    const NAMES: [(u8, &str); 23] = [
        (0, "default"),
        (1, "LE"),
        (8, "CS1"),
        (10, "AF11"),
        (12, "AF12"),
        (14, "AF13"),
        (16, "CS2"),
        (18, "AF21"),
        (20, "AF22"),
        (22, "AF23"),
        (24, "CS3"),
        (26, "AF31"),
        (28, "AF32"),
        (30, "AF33"),
        (32, "CS4"),
        (34, "AF41"),
        (36, "AF42"),
        (38, "AF43"),
        (40, "CS5"),
        (44, "VOICE-ADMIT"),
        (46, "EF"),
        (48, "CS6"),
        (56, "CS7"),
    ];
    NAMES.iter().find(|(number, _)| *number == point).map(|(_, name)| *name)
}

/// The name of the two bits of explicit congestion notification, and what they say (RFC 3168 §5).
pub fn ecn(bits: u8) -> (&'static str, &'static str) {
    match bits & 3 {
        0 => ("Not-ECT", "a router with a full queue can only drop this"),
        1 => ("ECT(1)", "the ends know ECN: a router may mark instead of drop"),
        2 => ("ECT(0)", "the ends know ECN: a router may mark instead of drop"),
        _ => ("CE", "a router marked it: congestion on the way"),
    }
}

/// A datagram in a frame: its addresses, its protocol, and the range of its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// The source address.
    pub source: IpAddr,
    /// The destination address.
    pub destination: IpAddr,
    /// The protocol of the payload, after all extension headers.
    pub protocol: u8,
    /// Byte range of the payload, as far as the frame has it.
    pub payload: Range<usize>,
    /// True if the payload begins here: a whole datagram or a first fragment.
    pub first: bool,
    /// True if the payload is complete: no fragment, and not cut off.
    pub whole: bool,
}

//! Finds the datagram in a frame, or at the start of some bytes, without naming its fields.

use super::{
    ethernet::{self, ether_type},
    ip::Datagram,
    ipv4, ipv6,
};

impl Datagram {
    /// Finds the datagram in an Ethernet frame. Returns `None` for other frames, and where the header is cut
    /// off.
    ///
    /// Does not allocate.
    pub(crate) fn parse(frame: &[u8]) -> Option<Self> {
        let (header, at) = ethernet::Header::parse(frame)?;
        let datagram = match header.ether_type {
            ether_type::IPV4 => ipv4::datagram(&frame[at..]),
            ether_type::IPV6 => ipv6::datagram(&frame[at..]),
            _ => None,
        }?;
        let payload = datagram.payload.start + at..datagram.payload.end + at;
        Some(Datagram { payload, ..datagram })
    }

    /// Finds the datagram at the start of `bytes` by its version number. Its payload's range counts from
    /// there.
    ///
    /// Returns `None` if it is neither IPv4 nor IPv6, or its header is cut off. Does not allocate.
    pub(crate) fn at_start(bytes: &[u8]) -> Option<Self> {
        match bytes.first()? >> 4 {
            4 => ipv4::datagram(bytes),
            6 => ipv6::datagram(bytes),
            _ => None,
        }
    }
}

//! Where in a packet does IP begin? The header before it depends on the link that was listened to.
//!
//! Numbers by tcpdump.org/linktypes.html. Their headers are in network byte order, but for the four bytes of
//! NULL, which are in that of the machine that recorded.

use std::fmt;

use thiserror::Error;

use crate::wire::ethernet::{self, ether_type};

/// The number of a kind of link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link(pub u32);

impl Link {
    /// BSD loopback: an address family in the order of the machine, then IP.
    pub const NULL: Link = Link(0);
    /// Ethernet.
    pub const ETHERNET: Link = Link(1);
    /// IP at once; by its first four bits IPv4 or IPv6.
    pub const RAW: Link = Link(101);
    /// OpenBSD loopback: an address family in network order, then IP.
    pub const LOOP: Link = Link(108);
    /// Linux `any`, version 1: 16 bytes, the last two an EtherType.
    pub const COOKED: Link = Link(113);
    /// IPv4 at once.
    pub const IPV4: Link = Link(228);
    /// IPv6 at once.
    pub const IPV6: Link = Link(229);
    /// Linux `any`, version 2: 20 bytes, the first two an EtherType.
    pub const COOKED_2: Link = Link(276);

    /// Its name, if it has one here.
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "BSD loopback",
            1 => "Ethernet",
            12 | 14 | 101 => "raw IP",
            105 | 119 | 127 | 163 => "IEEE 802.11",
            108 => "OpenBSD loopback",
            113 => "Linux cooked v1",
            187 | 201 => "Bluetooth",
            189 | 220 | 249 => "USB",
            195 | 230 => "IEEE 802.15.4",
            228 => "raw IPv4",
            229 => "raw IPv6",
            276 => "Linux cooked v2",
            _ => return None,
        })
    }

    /// What the link carries in this packet.
    ///
    /// # Errors
    ///
    /// [`NotTakenApart`] for a link that is not known here. A header that is cut off is no error: there is
    /// just nothing in it.
    pub fn network(self, packet: &[u8]) -> Result<Network, NotTakenApart> {
        let two = |at: usize| packet.get(at..at + 2).map(|two| u16::from_be_bytes([two[0], two[1]]));
        let (number, at) = match self {
            Link::ETHERNET => match ethernet::Header::parse(packet) {
                Some((header, at)) => (header.ether_type, at),
                None => (0, packet.len()),
            },
            Link::COOKED => (two(14).unwrap_or(0), 16),
            Link::COOKED_2 => (two(0).unwrap_or(0), 20),
            // The family's number for IPv6 differs from system to system: the first four bits of the packet
            // don't.
            Link::NULL | Link::LOOP => (by_version(packet, 4), 4),
            Link(12 | 14) | Link::RAW | Link::IPV4 | Link::IPV6 => (by_version(packet, 0), 0),
            _ => return Err(NotTakenApart(self)),
        };
        let (number, at) = tags(packet, number, at);
        Ok(Network { ether_type: number, at: at.min(packet.len()) })
    }
}

/// Linux cooked packets may have tags of virtual networks after their header too.
fn tags(packet: &[u8], mut number: u16, mut at: usize) -> (u16, usize) {
    while matches!(number, ether_type::VLAN | ether_type::PROVIDER_VLAN) {
        let Some([_, _, high, low]) = packet.get(at..).and_then(|rest| rest.first_chunk::<4>()) else {
            break;
        };
        (number, at) = (u16::from_be_bytes([*high, *low]), at + 4);
    }
    (number, at)
}

fn by_version(packet: &[u8], at: usize) -> u16 {
    match packet.get(at).map(|byte| byte >> 4) {
        Some(4) => ether_type::IPV4,
        Some(6) => ether_type::IPV6,
        _ => 0,
    }
}

impl fmt::Display for Link {
    /// `Ethernet (link type 1)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (link type {})", self.0),
            None => write!(f, "link type {}", self.0),
        }
    }
}

/// What a packet of a link carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// As Ethernet numbers it; 0 if that can't be said.
    pub ether_type: u16,
    /// Where it begins in the packet.
    pub at: usize,
}

/// Packets of this link are not taken apart here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{link} is not taken apart here: needed Ethernet, Linux cooked, BSD loopback or raw IP. {advice}", link = .0, advice = advice(*.0))]
pub struct NotTakenApart(pub Link);

fn advice(link: Link) -> &'static str {
    match link.name() {
        Some("IEEE 802.11") => "Record without monitor mode: the system then hands out Ethernet frames.",
        _ => "Record on another interface, or on `any`.",
    }
}

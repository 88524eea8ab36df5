//! Ethernet: from one network card to the next (Ethernet II, IEEE 802.3 §3, IEEE 802.1Q).
//!
//! ```text
//! destination(6) source(6) [0x8100 tag(2)]… EtherType(2) payload trailer
//! ```
//!
//! All numbers are big-endian. The card handles preamble and frame check sequence; no program sees them.

use super::{mac::Mac, reading::Reading};

/// The EtherTypes that this program decodes.
pub mod ether_type {
    /// IPv4.
    pub const IPV4: u16 = 0x0800;
    /// ARP.
    pub const ARP: u16 = 0x0806;
    /// A tag of a virtual network; the EtherType follows it.
    pub(crate) const VLAN: u16 = 0x8100;
    /// IPv6.
    pub const IPV6: u16 = 0x86dd;
    /// An outer tag of a provider's network.
    pub(crate) const PROVIDER_VLAN: u16 = 0x88a8;
    /// Below this the number is no type but a length (IEEE 802.3 §3.2.6).
    pub(crate) const FIRST: u16 = 0x0600;
}

const HEADER: &str = "IEEE 802.3 §3.2";
const TAG: &str = "IEEE 802.1Q §9.6";

/// A tag of a virtual network (IEEE 802.1Q §9.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    /// Priority code point, 0 to 7.
    pub priority: u8,
    /// Drop eligible indicator.
    pub drop_eligible: bool,
    /// The number of the virtual network, 12 bits.
    pub vlan: u16,
}

/// An Ethernet II header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The destination address.
    pub destination: Mac,
    /// The source address.
    pub source: Mac,
    /// The innermost tag.
    pub tag: Option<Tag>,
    /// The EtherType, or the length if it is below 0x0600.
    pub ether_type: u16,
}

impl Header {
    /// A header without a tag.
    pub fn new(source: Mac, destination: Mac, ether_type: u16) -> Self {
        Header { destination, source, tag: None, ether_type }
    }

    /// Parses the header. Returns the offset of the payload as well. `None` if the header is cut off.
    pub fn parse(frame: &[u8]) -> Option<(Self, usize)> {
        let destination = Mac(*frame.first_chunk()?);
        let source = Mac(*frame.get(6..)?.first_chunk()?);
        let mut at = 12;
        let mut tag = None;
        loop {
            let ether_type = u16::from_be_bytes(*frame.get(at..)?.first_chunk()?);
            at += 2;
            if !is_tag(ether_type) {
                return Some((Header { destination, source, tag, ether_type }, at));
            }
            let word = u16::from_be_bytes(*frame.get(at..)?.first_chunk()?);
            at += 2;
            let [high, _] = word.to_be_bytes();
            tag = Some(Tag { priority: high >> 5, drop_eligible: high & 0x10 != 0, vlan: word & 0xfff });
        }
    }

    /// Returns the frame: this header and the payload, without padding.
    pub fn encode(&self, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::with_capacity(18 + payload.len());
        frame.extend(self.destination.0);
        frame.extend(self.source.0);
        if let Some(tag) = self.tag {
            frame.extend(ether_type::VLAN.to_be_bytes());
            let word =
                u16::from(tag.priority & 7) << 13 | u16::from(tag.drop_eligible) << 12 | tag.vlan & 0xfff;
            frame.extend(word.to_be_bytes());
        }
        frame.extend(self.ether_type.to_be_bytes());
        frame.extend(payload);
        frame
    }
}

fn is_tag(ether_type: u16) -> bool {
    matches!(ether_type, ether_type::VLAN | ether_type::PROVIDER_VLAN)
}

/// The usual name of an EtherType.
pub(crate) fn type_name(number: u16) -> Option<&'static str> {
    Some(match number {
        ether_type::IPV4 => "IPv4",
        ether_type::ARP => "ARP",
        0x0842 => "Wake-on-LAN",
        0x8035 => "RARP",
        ether_type::VLAN => "802.1Q tag",
        ether_type::IPV6 => "IPv6",
        0x8808 => "Ethernet flow control",
        0x8847 => "MPLS",
        0x8863 => "PPPoE discovery",
        0x8864 => "PPPoE session",
        0x888e => "802.1X",
        ether_type::PROVIDER_VLAN => "802.1ad tag",
        0x88cc => "LLDP",
        0x88e5 => "MACsec",
        0x88f7 => "PTP",
        _ => return None,
    })
}

/// Decodes the header. Returns the EtherType, or the length.
pub(super) fn fields(r: &mut Reading) -> Option<u16> {
    let destination = r.mac("Destination Address", "the card that is meant", HEADER)?;
    if destination == Mac::BROADCAST {
        r.symbol(Some("broadcast"));
        r.meaning("every card on this link is meant");
    } else if destination.is_group() {
        r.symbol(Some("multicast"));
        r.meaning("every card that joined this group is meant");
    }
    let source = r.mac("Source Address", "the card that sends", HEADER)?;
    if source.is_group() {
        r.note("wrong: a group can't send");
    } else if source.is_local() {
        r.note("made up by software, not by a maker");
    }
    loop {
        let number = r.u16("EtherType", "the protocol of what follows", HEADER)?;
        r.value(format!("{number:#06x}"));
        r.symbol(type_name(number));
        if number < ether_type::FIRST {
            r.value(number.to_string());
            r.symbol(Some("Length"));
            r.meaning("below 0x0600 it is no type but the length of what follows, in bytes");
        }
        if !is_tag(number) {
            return Some(number);
        }
        r.meaning("a tag follows, and after it the EtherType of what it marks");
        r.small(3, "PCP", "priority code point: 0 is usual, 7 the most urgent", TAG)?;
        r.flag("DEI", "may be dropped first when a queue is full", "not to be dropped first", TAG)?;
        let vlan = r.bits(12, "VID", "the number of the virtual network", TAG)?;
        match vlan {
            0 => r.note("0: only the priority counts"),
            0xfff => r.note("reserved"),
            _ => {}
        }
    }
}

/// Decodes what follows the payload.
pub(super) fn trailer(r: &mut Reading) {
    let padding = r.rest().iter().all(|byte| *byte == 0);
    let meaning = if padding {
        "padding: a frame has at least 60 bytes, so a short one is filled up"
    } else {
        "not part of the packet: its own length ends before"
    };
    r.all("trailer", meaning, "IEEE 802.3 §3.2.8");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_together_is_taken_apart() {
        let tag = Some(Tag { priority: 5, drop_eligible: true, vlan: 0x123 });
        for tag in [None, tag] {
            let header = Header { tag, ..Header::new(Mac([2, 0, 0, 0, 0, 1]), Mac::BROADCAST, 0x0806) };
            let frame = header.encode(b"xyz");
            let (parsed, at) = Header::parse(&frame).unwrap();
            assert_eq!((parsed, &frame[at..]), (header, &b"xyz"[..]));
            for length in 0..at {
                assert_eq!(Header::parse(&frame[..length]), None);
            }
        }
    }
}

//! ARP: which card has this address? (RFC 826)
//!
//! ```text
//! hrd(2) pro(2) hln(1) pln(1) op(2) sha(hln) spa(pln) tha(hln) tpa(pln)
//! ```
//!
//! All numbers are big-endian. The field names are the RFC's own: `ar$` and three letters.

use std::net::Ipv4Addr;

use super::{ethernet::ether_type, mac::Mac, reading::Reading};

const RFC: &str = "RFC 826";

/// The operations.
pub(crate) mod operation {
    /// Request: which card has this address?
    pub(crate) const REQUEST: u16 = 1;
    /// Reply: this card has it.
    pub(crate) const REPLY: u16 = 2;
}

/// An ARP packet for IPv4 on Ethernet: the only kind that is common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// [`operation::REQUEST`], [`operation::REPLY`] or another.
    pub operation: u16,
    /// The sender's MAC address.
    pub sender_hardware: Mac,
    /// The sender's IP address.
    pub sender_protocol: Ipv4Addr,
    /// The target's MAC address: unknown in a request, so zero.
    pub target_hardware: Mac,
    /// The target's IP address.
    pub target_protocol: Ipv4Addr,
}

const START: [u8; 6] = [0, 1, 8, 0, 6, 4];

impl Packet {
    /// Parses the payload of an Ethernet frame. Returns `None` if it is cut off or for other networks.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 28] = bytes.first_chunk()?;
        let rest = bytes.strip_prefix(&START)?;
        let address = |at: usize| rest.get(at..).and_then(|rest| rest.first_chunk::<4>()).copied();
        Some(Packet {
            operation: u16::from_be_bytes(*rest.first_chunk()?),
            sender_hardware: Mac(*rest.get(2..)?.first_chunk()?),
            sender_protocol: address(8)?.into(),
            target_hardware: Mac(*rest.get(12..)?.first_chunk()?),
            target_protocol: address(18)?.into(),
        })
    }

    /// The 28 bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = START.to_vec();
        bytes.extend(self.operation.to_be_bytes());
        bytes.extend(self.sender_hardware.0);
        bytes.extend(self.sender_protocol.octets());
        bytes.extend(self.target_hardware.0);
        bytes.extend(self.target_protocol.octets());
        bytes
    }

    /// `ARP who has 10.0.0.2? tell 10.0.0.1`.
    pub(crate) fn summary(&self) -> String {
        let (sender, target) = (self.sender_protocol, self.target_protocol);
        match self.operation {
            operation::REQUEST if sender == target => format!("ARP announcement: {sender} is mine"),
            operation::REQUEST if sender.is_unspecified() => {
                format!("ARP probe: does anybody have {target}?")
            }
            operation::REQUEST => format!("ARP who has {target}? tell {sender}"),
            operation::REPLY => format!("ARP {sender} is at {}", self.sender_hardware),
            other => format!("ARP operation {other}"),
        }
    }
}

fn operation_name(number: u16) -> (Option<&'static str>, &'static str) {
    match number {
        1 => (Some("REQUEST"), "a question, sent to all: who has the target's address?"),
        2 => (Some("REPLY"), "the answer, sent to the one that asked"),
        3 => (Some("reverse request"), "a question: which address has this card? (RFC 903)"),
        4 => (Some("reverse reply"), "the answer to that (RFC 903)"),
        8 => (Some("InARP request"), "a question: which address is at the other end? (RFC 2390)"),
        9 => (Some("InARP reply"), "the answer to that (RFC 2390)"),
        _ => (None, "not a request and not a reply"),
    }
}

/// Decodes the packet.
pub(super) fn fields(r: &mut Reading) -> Option<()> {
    let hardware = r.u16("ar$hrd", "hardware address space: 1 is Ethernet", RFC)?;
    r.symbol((hardware == 1).then_some("Ethernet"));
    let protocol = r.u16("ar$pro", "protocol address space: numbered like EtherTypes", RFC)?;
    r.value(format!("{protocol:#06x}"));
    r.symbol((protocol == ether_type::IPV4).then_some("IPv4"));
    let hardware_length = r.u8("ar$hln", "bytes of a hardware address", RFC)?;
    let protocol_length = r.u8("ar$pln", "bytes of a protocol address", RFC)?;
    let number = r.u16("ar$op", "", RFC)?;
    let (symbol, meaning) = operation_name(number);
    r.symbol(symbol);
    r.meaning(meaning);
    let asks = number == operation::REQUEST;
    let unknown =
        if asks { "the card that is asked for: not known yet" } else { "the card that is answered" };
    let wanted = if asks { "the address that is asked for" } else { "the address that is answered" };
    hardware_address(r, hardware_length, "ar$sha", "the card of who speaks")?;
    protocol_address(r, protocol, protocol_length, "ar$spa", "the address of who speaks")?;
    hardware_address(r, hardware_length, "ar$tha", unknown)?;
    protocol_address(r, protocol, protocol_length, "ar$tpa", wanted)
}

fn hardware_address(r: &mut Reading, length: u8, name: &'static str, meaning: &'static str) -> Option<()> {
    match length {
        6 => r.mac(name, meaning, RFC).map(drop),
        length => r.bytes(length.into(), name, meaning, RFC).map(drop).or_else(|| r.blame("ar$hln")),
    }
}

fn protocol_address(
    r: &mut Reading,
    protocol: u16,
    length: u8,
    name: &'static str,
    meaning: &'static str,
) -> Option<()> {
    match (protocol, length) {
        (ether_type::IPV4, 4) => r.ipv4(name, meaning, RFC).map(drop),
        (_, length) => r.bytes(length.into(), name, meaning, RFC).map(drop).or_else(|| r.blame("ar$pln")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Packet {
        Packet {
            operation: operation::REQUEST,
            sender_hardware: Mac([2, 0, 0, 0, 0, 1]),
            sender_protocol: [10, 0, 0, 1].into(),
            target_hardware: Mac::default(),
            target_protocol: [10, 0, 0, 2].into(),
        }
    }

    #[test]
    fn what_is_put_together_is_taken_apart() {
        let bytes = request().encode();
        assert_eq!(bytes.len(), 28);
        assert_eq!(Packet::parse(&bytes), Some(request()));
        for length in 0..28 {
            assert_eq!(Packet::parse(&bytes[..length]), None);
        }
    }

    #[test]
    fn it_is_said_as_people_say_it() {
        assert_eq!(request().summary(), "ARP who has 10.0.0.2? tell 10.0.0.1");
        let reply = Packet { operation: operation::REPLY, ..request() };
        assert_eq!(reply.summary(), "ARP 10.0.0.1 is at 02:00:00:00:00:01");
    }

    #[test]
    fn addresses_of_other_lengths_are_bytes() {
        let mut r = Reading::new(&[0, 6, 8, 0, 1, 4, 0, 1, 0xaa, 10, 0, 0, 1, 0xbb, 10, 0, 0, 2]);
        fields(&mut r).unwrap();
        let (_, out) = r.into_parts();
        assert_eq!((out[5].name, out[5].value.as_str()), ("ar$sha", "aa"));
        assert_eq!((out[8].name, out[8].value.as_str()), ("ar$tpa", "10.0.0.2"));
    }
}

//! ICMPv6: errors, the ping, and finding the neighbour's card (RFC 4443, RFC 4861).
//!
//! ```text
//! Type(8) Code(8) Checksum(16) | what depends on the type
//! ```
//!
//! All numbers are big-endian. Types under 128 are errors. The checksum has a pseudo-header, as that of TCP.

use std::net::Ipv6Addr;

use super::{
    checksum::{Sum, Verdict},
    icmp::{self, Message},
    ip::{Datagram, protocol},
    layer::Protocol,
    reading::Reading,
};

const ERRORS: &str = "RFC 4443 §2.1";
const SOLICIT: &str = "RFC 4861 §4.3";
const ADVERTISE: &str = "RFC 4861 §4.4";

/// Characters shown of the data of a ping.
const SHOWN: usize = 64;

/// Types.
pub(crate) mod kind {
    /// Destination unreachable.
    pub(crate) const UNREACHABLE: u8 = 1;
    /// Packet too big for the next link.
    pub(crate) const PACKET_TOO_BIG: u8 = 2;
    /// Time exceeded.
    pub(crate) const TIME_EXCEEDED: u8 = 3;
    /// Parameter problem.
    pub(crate) const PARAMETER_PROBLEM: u8 = 4;
    /// Echo request.
    pub(crate) const ECHO: u8 = 128;
    /// Echo reply.
    pub(crate) const ECHO_REPLY: u8 = 129;
    /// Router solicitation.
    pub(crate) const ROUTER_SOLICITATION: u8 = 133;
    /// Router advertisement.
    pub(crate) const ROUTER_ADVERTISEMENT: u8 = 134;
    /// Request: which card has this address?
    pub(crate) const NEIGHBOR_SOLICITATION: u8 = 135;
    /// Reply: this card has it.
    pub(crate) const NEIGHBOR_ADVERTISEMENT: u8 = 136;
    /// Redirect to a better router.
    pub(crate) const REDIRECT: u8 = 137;
}

/// The bytes of a message, with the checksum that the addresses give.
pub(crate) fn encode(message: &Message, source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
    let length = 8 + message.body.len();
    let start = Sum::pseudo_header(source.into(), destination.into(), protocol::ICMPV6, length);
    message.encode_after(start.unwrap_or_default())
}

/// The name of a type.
pub(crate) fn type_name(number: u8) -> Option<&'static str> {
    Some(match number {
        kind::UNREACHABLE => "destination unreachable",
        kind::PACKET_TOO_BIG => "packet too big",
        kind::TIME_EXCEEDED => "time exceeded",
        kind::PARAMETER_PROBLEM => "parameter problem",
        kind::ECHO => "echo request",
        kind::ECHO_REPLY => "echo reply",
        130 => "multicast listener query",
        131 => "multicast listener report",
        132 => "multicast listener done",
        kind::ROUTER_SOLICITATION => "router solicitation",
        kind::ROUTER_ADVERTISEMENT => "router advertisement",
        kind::NEIGHBOR_SOLICITATION => "neighbor solicitation",
        kind::NEIGHBOR_ADVERTISEMENT => "neighbor advertisement",
        kind::REDIRECT => "redirect",
        143 => "multicast listener report (version 2)",
        _ => return None,
    })
}

/// The name of a code of a type (RFC 4443 §3).
pub(crate) fn code_name(number: u8, code: u8) -> Option<&'static str> {
    let names: &[&str] = match number {
        kind::UNREACHABLE => &[
            "no route to destination",
            "communication administratively prohibited",
            "beyond scope of source address",
            "address unreachable",
            "port unreachable",
            "source address failed ingress/egress policy",
            "reject route to destination",
        ],
        kind::TIME_EXCEEDED => &["hop limit exceeded in transit", "fragment reassembly time exceeded"],
        kind::PARAMETER_PROBLEM => &[
            "erroneous header field",
            "unrecognized next header",
            "unrecognized IPv6 option",
            "first fragment has incomplete header chain",
        ],
        _ => &[],
    };
    names.get(usize::from(code)).copied()
}

/// Decodes a message with all that it carries, as layers. `quoted` decodes the datagram that an error quotes.
pub(super) fn fields(r: &mut Reading, datagram: &Datagram, quoted: fn(&mut Reading)) {
    if let Some(Some(length)) = r.layer(Protocol::Icmpv6, |r| head(r, datagram)) {
        icmp::quotation(r, Protocol::Icmpv6, usize::from(length) * 8, quoted);
    }
}

/// Decodes the message up to its quotation. Returns the length of the quotation in units of 8 bytes, if it
/// has one.
fn head(r: &mut Reading, datagram: &Datagram) -> Option<Option<u8>> {
    let start = r.at();
    let number = r.u8("Type", "what kind of message this is: under 128 an error", ERRORS)?;
    r.symbol(type_name(number));
    let code = r.u8("Code", "", ERRORS)?;
    let name = code_name(number, code);
    r.symbol(name);
    r.meaning(icmp::code_meaning(name, code));
    let found = r.u16("Checksum", "", "RFC 4443 §2.3")?;
    r.value(format!("{found:#06x}"));
    let bytes = r.since(start);
    let sum = Sum::pseudo_header(datagram.source, datagram.destination, protocol::ICMPV6, bytes.len());
    r.meaning(match sum {
        Some(sum) if datagram.whole => Verdict::of(found, sum, bytes, 2).words("pseudo-header and message"),
        _ => "can't be verified: the message is not all here".into(),
    });
    match number {
        kind::UNREACHABLE | kind::TIME_EXCEEDED => {
            let section = if number == kind::UNREACHABLE { "RFC 4884 §4.4" } else { "RFC 4884 §4.5" };
            let length = r.u8("Length", "of the quotation in units of 8 bytes; 0: to the end", section)?;
            r.bytes(3, "Unused", "sent as 0", ERRORS)?;
            return Some(Some(length));
        }
        kind::PACKET_TOO_BIG => {
            r.u32("MTU", "the largest packet that the next link takes, in bytes", "RFC 4443 §3.2")?;
            return Some(Some(0));
        }
        kind::PARAMETER_PROBLEM => {
            r.u32("Pointer", "the byte of the quoted packet that is wrong, from 0", "RFC 4443 §3.4")?;
            return Some(Some(0));
        }
        kind::ECHO | kind::ECHO_REPLY => {
            r.u16("Identifier", "tells one ping program from another", "RFC 4443 §4.1")?;
            r.u16("Sequence Number", "counts the pings; the reply repeats it", "RFC 4443 §4.1")?;
            r.all_as_text("Data", SHOWN, "any bytes; the reply repeats them");
        }
        kind::ROUTER_SOLICITATION => {
            r.u32("Reserved", "sent as 0", "RFC 4861 §4.1")?;
            options(r)?;
        }
        kind::ROUTER_ADVERTISEMENT => router_advertisement(r)?,
        kind::NEIGHBOR_SOLICITATION => {
            r.u32("Reserved", "sent as 0", SOLICIT)?;
            r.ipv6("Target Address", "the address that is asked for", SOLICIT)?;
            options(r)?;
        }
        kind::NEIGHBOR_ADVERTISEMENT => {
            r.flag("R", "the sender is a router", "the sender is no router", ADVERTISE)?;
            r.flag("S", "answers a solicitation", "nobody asked", ADVERTISE)?;
            r.flag("O", "replace what you know", "keep what you know", ADVERTISE)?;
            r.bits(29, "Reserved", "sent as 0", ADVERTISE)?;
            r.ipv6("Target Address", "the address that the sender has", ADVERTISE)?;
            options(r)?;
        }
        kind::REDIRECT => {
            r.u32("Reserved", "sent as 0", "RFC 4861 §4.5")?;
            r.ipv6("Target Address", "send there what is for the destination", "RFC 4861 §4.5")?;
            r.ipv6("Destination Address", "what is redirected", "RFC 4861 §4.5")?;
            options(r)?;
        }
        _ => {}
    }
    r.all("Message Body", "not known to this decoder", ERRORS);
    Some(None)
}

fn router_advertisement(r: &mut Reading) -> Option<()> {
    const SECTION: &str = "RFC 4861 §4.2";
    r.u8("Cur Hop Limit", "the Hop Limit to send with; 0: not said", SECTION)?;
    r.flag("M", "addresses are given out by DHCPv6", "addresses are not given out by DHCPv6", SECTION)?;
    r.flag("O", "other settings are given out by DHCPv6", "no other settings by DHCPv6", SECTION)?;
    r.small(6, "Reserved", "later documents define some of these bits", SECTION)?;
    r.u16("Router Lifetime", "how long this router may be used, in seconds; 0: not as default", SECTION)?;
    r.u32("Reachable Time", "how long a neighbour counts as there, in ms; 0: not said", SECTION)?;
    r.u32("Retrans Timer", "between repeated solicitations, in ms; 0: not said", SECTION)?;
    options(r)
}

/// Decodes the options of neighbor discovery up to the limit (RFC 4861 §4.6).
fn options(r: &mut Reading) -> Option<()> {
    const SECTION: &str = "RFC 4861 §4.6";
    while r.left() > 0 {
        let number = r.u8("Option Type", "", SECTION)?;
        let (symbol, meaning) = match number {
            1 => (Some("Source Link-Layer Address"), "the card of the sender"),
            2 => (Some("Target Link-Layer Address"), "the card of the target"),
            3 => (Some("Prefix Information"), "which addresses this link has"),
            4 => (Some("Redirected Header"), "the packet that was redirected"),
            5 => (Some("MTU"), "the largest packet of this link"),
            14 => (Some("Nonce"), "tells one's own question from another's (RFC 3971)"),
            25 => (Some("Recursive DNS Server"), "who resolves names (RFC 8106)"),
            _ => (None, "not known to this decoder; who doesn't know an option skips it"),
        };
        r.symbol(symbol);
        r.meaning(meaning);
        let length = usize::from(r.u8("Option Length", "with these two bytes, in units of 8", SECTION)?) * 8;
        let Some(data) = length.checked_sub(2) else {
            r.meaning("wrong: 0 would have no end; such a message is dropped");
            r.all("options", "not told apart", SECTION);
            return None;
        };
        if data > r.left() {
            r.note(&format!("wrong: claims {} bytes more than are here", data - r.left()));
        }
        r.within(data, "Option Length", |r| option(r, number));
    }
    Some(())
}

fn option(r: &mut Reading, number: u8) -> Option<()> {
    match number {
        1 | 2 if r.left() == 6 => {
            r.mac("Link-Layer Address", "the address of a network card", "RFC 4861 §4.6.1")?;
        }
        3 => {
            const SECTION: &str = "RFC 4861 §4.6.2";
            r.u8("Prefix Length", "how many bits of the prefix count", SECTION)?;
            r.flag("L", "these addresses are on this link", "says nothing about the link", SECTION)?;
            r.flag("A", "hosts may make their own address of it", "not for making addresses", SECTION)?;
            r.small(6, "Reserved1", "sent as 0", SECTION)?;
            r.u32("Valid Lifetime", "in seconds; 4294967295: for ever", SECTION)?;
            r.u32("Preferred Lifetime", "in seconds; 4294967295: for ever", SECTION)?;
            r.u32("Reserved2", "sent as 0", SECTION)?;
            r.ipv6("Prefix", "the beginning of the addresses", SECTION)?;
        }
        5 => {
            r.u16("Reserved", "sent as 0", "RFC 4861 §4.6.4")?;
            r.u32("MTU", "the largest packet of this link, in bytes", "RFC 4861 §4.6.4")?;
        }
        _ => {}
    }
    r.all("option data", "not known to this decoder", "RFC 4861 §4.6");
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::field;

    #[test]
    fn what_is_put_together_has_a_right_checksum() {
        let (a, b): (Ipv6Addr, Ipv6Addr) = ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap());
        let message = Message::echo(kind::ECHO, 1, 2, b"abc");
        let bytes = encode(&message, a, b);
        assert_eq!(Message::parse(&bytes), Some(message));
        let mut sum = Sum::pseudo_header(a.into(), b.into(), 58, bytes.len()).unwrap();
        sum.add(&bytes);
        assert_eq!(sum.folded(), 0xffff);
    }

    #[test]
    fn a_solicitation_that_is_cut_off_or_has_an_endless_option_is_told() {
        let mut message = vec![135, 0, 0, 0, 0, 0, 0, 0];
        message.extend([0xfd; 16]);
        message.extend([1, 1, 2, 0, 0, 0, 0, 1]);
        let datagram = Datagram {
            source: Ipv6Addr::LOCALHOST.into(),
            destination: Ipv6Addr::LOCALHOST.into(),
            protocol: 58,
            payload: 0..0,
            first: true,
            whole: true,
        };
        for (at, value) in [(25, 1), (25, 0), (25, 200)] {
            message[at] = value;
            for length in 0..=message.len() {
                let mut r = Reading::new(&message[..length]);
                fields(&mut r, &datagram, |_| {});
                let (_, out) = r.into_parts();
                assert_eq!(field::check(length * 8, &out), Ok(()), "{length} bytes");
            }
        }
    }
}

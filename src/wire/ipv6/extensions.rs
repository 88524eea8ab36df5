//! The extension headers of IPv6: hop-by-hop options, routing, fragment, destination options (RFC 8200 §4).
//!
//! Each begins with the number of the next. All but the fragment header then say their length in units of 8
//! bytes, not counting the first 8.

use super::next_header;
use crate::wire::{
    ip::{Datagram, protocol},
    reading::Reading,
};

/// True for an extension header that this file decodes.
pub(super) fn is_extension(number: u8) -> bool {
    matches!(number, protocol::HOP_BY_HOP | protocol::ROUTING | protocol::FRAGMENT | protocol::DESTINATION)
}

/// Decodes one extension header. Returns the number of the next.
pub(super) fn fields(r: &mut Reading, number: u8, datagram: &mut Datagram) -> Option<u8> {
    let section = match number {
        protocol::HOP_BY_HOP => "RFC 8200 §4.3",
        protocol::ROUTING => "RFC 8200 §4.4",
        protocol::FRAGMENT => "RFC 8200 §4.5",
        _ => "RFC 8200 §4.6",
    };
    let next = r.u8("Next Header", "", section)?;
    next_header(r, next);
    if number == protocol::FRAGMENT {
        fragment(r, section, datagram)?;
        return Some(next);
    }
    let units = usize::from(r.u8("Hdr Ext Len", "", section)?);
    let length = 8 + units * 8;
    r.meaning(format!(
        "this header's length in units of 8 bytes, without the first: 8 + {units} × 8 = {length}"
    ));
    let left = length - 2;
    let whole = left <= r.left();
    if !whole {
        r.note(&format!("wrong: claims {} bytes more than are here", left - r.left()));
    }
    r.within(left, "Hdr Ext Len", |r| match number {
        protocol::ROUTING => routing(r, section),
        _ => options(r),
    });
    whole.then_some(next)
}

fn fragment(r: &mut Reading, section: &'static str, datagram: &mut Datagram) -> Option<()> {
    r.u8("Reserved", "sent as 0", section)?;
    let offset = r.bits(13, "Fragment Offset", "", section)?;
    r.meaning(format!("where it stands in the datagram, in units of 8 bytes: {offset} × 8 = {}", offset * 8));
    r.small(2, "Res", "sent as 0", section)?;
    let more = r.flag("M", "more fragments of this datagram follow", "the last fragment", section)?;
    let number = r.u32("Identification", "fragments of one datagram share this number", section)?;
    r.value(format!("{number:#010x}"));
    datagram.first = offset == 0;
    datagram.whole &= offset == 0 && !more;
    Some(())
}

fn routing(r: &mut Reading, section: &'static str) -> Option<()> {
    let kind = r.u8("Routing Type", "the form of what follows", section)?;
    r.symbol(match kind {
        0 => Some("source route (forbidden by RFC 5095)"),
        2 => Some("mobile IPv6"),
        3 => Some("RPL"),
        4 => Some("segment routing"),
        _ => None,
    });
    r.u8("Segments Left", "stations that are still to be visited", section)?;
    if matches!(kind, 0 | 2) {
        r.u32("Reserved", "sent as 0", section)?;
        while r.left() >= 16 {
            r.ipv6("Address", "a station on the way", section)?;
        }
    }
    r.all("type-specific data", "not known to this decoder", section);
    Some(())
}

/// Decodes hop-by-hop or destination options up to the limit.
fn options(r: &mut Reading) -> Option<()> {
    const OPTION: &str = "RFC 8200 §4.2";
    while r.left() > 0 {
        let kind = r.rest()[0];
        r.small(2, "Option Type: action", "", OPTION)?;
        r.meaning(match kind >> 6 {
            0 => "who doesn't know it skips it",
            1 => "who doesn't know it drops the packet",
            2 => "who doesn't know it drops the packet and says so (ICMPv6)",
            _ => "who doesn't know it drops the packet and says so, unless it was for a group",
        });
        r.flag("Option Type: change", "routers may change the data", "the data stay on the way", OPTION)?;
        r.small(5, "Option Type: rest", "with the three bits before, the number of the option", OPTION)?;
        r.symbol(match kind {
            0 => Some("Pad1"),
            1 => Some("PadN"),
            5 => Some("Router Alert"),
            0xc2 => Some("Jumbo Payload"),
            _ => None,
        });
        if kind == 0 {
            continue;
        }
        let length = usize::from(r.u8("Opt Data Len", "bytes of data that follow", OPTION)?);
        if length > r.left() {
            r.note(&format!("wrong: claims {} bytes more than are here", length - r.left()));
        }
        r.within(length, "Opt Data Len", |r| match (kind, length) {
            (5, 2) => {
                r.u16("Value", "each router looks into this packet: 0 is for MLD", "RFC 2711 §2.1").map(drop)
            }
            (0xc2, 4) => r
                .u32("Jumbo Payload Length", "the packet's length, as 16 bits can't say it", "RFC 2675 §2")
                .map(drop),
            (1, _) => {
                r.all("Option Data", "fills up, so that the next option begins where it should", OPTION);
                None
            }
            _ => {
                r.all("Option Data", "not known to this decoder", OPTION);
                None
            }
        });
    }
    Some(())
}

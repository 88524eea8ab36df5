//! A frame as packetdrill writes it: `S. 0:0(0) ack 1 win 65160 <mss 1460,sackOK,TS val ... ecr
//! ...,nop,wscale 7>`.

use super::names::Names;
use crate::event::Frame;
use crate::wire::{
    ip::Datagram,
    summary,
    tcp::Seen,
    tcp::{self, Flags, SHORTEST, Segment, TcpOption},
    udp,
};

/// A letter for each flag, in the order in which they are written.
const LETTERS: [(Flags, char); 9] = [
    (Flags::SYN, 'S'),
    (Flags::FIN, 'F'),
    (Flags::RST, 'R'),
    (Flags::PSH, 'P'),
    (Flags::ACK, '.'),
    (Flags::URG, 'U'),
    (Flags::ECE, 'E'),
    (Flags::CWR, 'W'),
    (Flags::AE, 'A'),
];

/// A segment, with its numbers counted from the SYNs. Windows are not scaled.
pub(super) fn told(segment: &Segment, seen: &Seen, frame: &[u8]) -> String {
    let letters: String =
        LETTERS.iter().filter(|(flag, _)| segment.flags.contains(*flag)).map(|(_, letter)| letter).collect();
    let letters = if letters.is_empty() { "-" } else { &letters };
    let length = segment.payload.len();
    let first = seen.sequence;
    let end = first.wrapping_add(u32::try_from(length).unwrap_or(u32::MAX));
    let mut text = format!("{letters} {first}:{end}({length})");
    if segment.flags.contains(Flags::ACK) {
        text += &format!(" ack {}", seen.acknowledgment.unwrap_or(segment.acknowledgment));
    }
    text += &format!(" win {}", segment.window);
    let options = options(frame, seen);
    if !options.is_empty() {
        text += &format!(" <{}>", options.join(","));
    }
    text
}

fn options(frame: &[u8], seen: &Seen) -> Vec<String> {
    let Some(header) = Datagram::parse(frame).and_then(|datagram| frame.get(datagram.payload)) else {
        return Vec::new();
    };
    let length = usize::from(header.get(12).map_or(0, |byte| byte >> 4)) * 4;
    let Some(bytes) = header.get(SHORTEST..length) else { return Vec::new() };
    let base = seen.other_base.unwrap_or(0);
    tcp::each(bytes)
        .map(|option| match option {
            Ok(TcpOption::End) => "eol".to_owned(),
            Ok(TcpOption::NoOperation) => "nop".to_owned(),
            Ok(TcpOption::MaximumSegmentSize(size)) => format!("mss {size}"),
            Ok(TcpOption::WindowScale(shift)) => format!("wscale {shift}"),
            Ok(TcpOption::SackPermitted) => "sackOK".to_owned(),
            Ok(TcpOption::Sack(blocks)) => {
                let block = |(from, to): &(u32, u32)| {
                    format!(" {}:{}", from.wrapping_sub(base), to.wrapping_sub(base))
                };
                format!("sack{}", blocks.as_slice().iter().map(block).collect::<String>())
            }
            // A clock's reading: another one in every run.
            Ok(TcpOption::Timestamps { .. }) => "TS val ... ecr ...".to_owned(),
            Ok(_) | Err(_) => "...".to_owned(),
        })
        .collect()
}

/// Whether a kernel tells all its neighbours something, whenever it sees fit: IPv6 to a multicast address.
pub(super) fn is_housekeeping(frame: &[u8]) -> bool {
    Datagram::parse(frame)
        .is_some_and(|datagram| datagram.destination.is_ipv6() && datagram.destination.is_multicast())
}

/// From whom, to whom, and what, if it is no TCP.
pub(super) fn other(frame: &Frame, names: &mut Names) -> (String, String, String) {
    let (from, to) = (frame.from, frame.from.other());
    match udp::Message::parse(&frame.bytes) {
        Some(message) => (
            format!("{from}:{}", names.port(message.source.port())),
            format!("{to}:{}", names.port(message.destination.port())),
            format!("udp ({})", message.payload.len()),
        ),
        None => (from.to_string(), to.to_string(), summary::short(&frame.bytes, None)),
    }
}

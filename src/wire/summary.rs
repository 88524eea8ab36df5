//! A frame in one line, and in a shorter form without its addresses.

use std::fmt::Write;

use super::{
    arp,
    ethernet::{self, ether_type},
    icmp, icmpv6,
    ip::{self, Datagram, protocol},
    tcp::{Flags, Seen, Segment},
    udp,
};

/// `TCP 10.0.0.1:40000 → 10.0.0.2:7000 [SYN,ACK] seq 0 ack 1 win 65160 len 0 mss 1460 ws 7`.
///
/// Numbers are relative and windows scaled where `seen` has them, else as on the wire.
pub fn summary(frame: &[u8], seen: Option<&Seen>) -> String {
    let Some((header, at)) = ethernet::Header::parse(frame) else {
        return format!("Ethernet: cut off after {} bytes", frame.len());
    };
    if header.ether_type == ether_type::ARP {
        return arp::Packet::parse(&frame[at..]).map_or_else(|| "ARP".into(), |packet| packet.summary());
    }
    if let Some(segment) = Segment::parse(frame) {
        return format!("TCP {} → {} {}", segment.source, segment.destination, numbers(&segment, seen));
    }
    if let Some(message) = udp::Message::parse(frame) {
        return format!("UDP {} → {} len {}", message.source, message.destination, message.payload.len());
    }
    match Datagram::parse(frame) {
        Some(datagram) => of_datagram(frame, &datagram),
        None => {
            let name = ethernet::type_name(header.ether_type);
            let kind = match name {
                Some(name) => format!("{name}, cut off or not known"),
                None if header.ether_type < ether_type::FIRST => "IEEE 802.2".into(),
                None => format!("EtherType {:#06x}", header.ether_type),
            };
            format!("Ethernet {} → {} {kind}", header.source, header.destination)
        }
    }
}

/// Without the addresses: `SYN seq 0`, `5 bytes seq 1–5 (PSH,ACK)`, `ACK 6`.
pub fn short(frame: &[u8], seen: Option<&Seen>) -> String {
    if let Some(segment) = Segment::parse(frame) {
        return of_segment(&segment, seen);
    }
    if let Some(message) = udp::Message::parse(frame) {
        return format!("UDP {}", bytes(message.payload.len()));
    }
    match Datagram::parse(frame) {
        Some(datagram) => icmp_words(frame, &datagram).unwrap_or_else(|| of_datagram(frame, &datagram)),
        None => summary(frame, seen),
    }
}

fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".into() } else { format!("{count} bytes") }
}

/// The numbers of a segment and its most important options.
fn numbers(segment: &Segment, seen: Option<&Seen>) -> String {
    let sequence = seen.map_or(segment.sequence, |seen| seen.sequence);
    let mut line = format!("[{}] seq {sequence}", segment.flags);
    // Writing into a String can't fail.
    if segment.flags.contains(Flags::ACK) {
        let number = seen.and_then(|seen| seen.acknowledgment).unwrap_or(segment.acknowledgment);
        let _ = write!(line, " ack {number}");
    }
    let window = seen.and_then(|seen| seen.window).unwrap_or_else(|| segment.window.into());
    let _ = write!(line, " win {window} len {}", segment.payload.len());
    if let Some(size) = segment.maximum_segment_size {
        let _ = write!(line, " mss {size}");
    }
    if let Some(shift) = segment.window_scale {
        let _ = write!(line, " ws {shift}");
    }
    for (left, right) in segment.sack.as_slice() {
        let base = seen.and_then(|seen| seen.other_base).unwrap_or(0);
        let _ =
            write!(line, " sack {}–{}", left.wrapping_sub(base), right.wrapping_sub(base).wrapping_sub(1));
    }
    if let Some(remark) = seen.and_then(|seen| seen.remark) {
        let _ = write!(line, " [{}]", remark.words());
    }
    line
}

/// A segment without its addresses.
pub(crate) fn of_segment(segment: &Segment, seen: Option<&Seen>) -> String {
    let first = seen.map_or(segment.sequence, |seen| seen.sequence);
    let flags = segment.flags;
    let length = segment.payload.len();
    let mut line = if length > 0 {
        // SYN precedes the bytes.
        let first = first.wrapping_add(u32::from(flags.contains(Flags::SYN)));
        let last = first.wrapping_add(u32::try_from(length - 1).unwrap_or(u32::MAX));
        let range = if length == 1 { first.to_string() } else { format!("{first}–{last}") };
        format!("{} seq {range} ({flags})", bytes(length))
    } else if flags == Flags::ACK {
        let number = seen.and_then(|seen| seen.acknowledgment).unwrap_or(segment.acknowledgment);
        format!("ACK {number}")
    } else {
        let acknowledges = seen.and_then(|seen| seen.acknowledgment).unwrap_or(segment.acknowledgment);
        let ack = if flags.contains(Flags::ACK) { format!(" ack {acknowledges}") } else { String::new() };
        format!("{flags} seq {first}{ack}")
    };
    if let Some(remark) = seen.and_then(|seen| seen.remark) {
        let _ = write!(line, " [{}]", remark.words());
    }
    line
}

/// `ICMP destination unreachable (port unreachable)`.
fn icmp_words(frame: &[u8], datagram: &Datagram) -> Option<String> {
    let [kind, code, ..] = *frame.get(datagram.payload.clone())? else { return None };
    let (prefix, name, reason) = match (datagram.protocol, datagram.source.is_ipv4()) {
        (protocol::ICMP, true) => ("ICMP", icmp::type_name(kind), icmp::code_name(kind, code)),
        (protocol::ICMPV6, false) => ("ICMPv6", icmpv6::type_name(kind), icmpv6::code_name(kind, code)),
        _ => return None,
    };
    if !datagram.first {
        return None;
    }
    let name = name.map_or_else(|| format!("type {kind}"), Into::into);
    Some(match reason {
        Some(reason) => format!("{prefix} {name} ({reason})"),
        None if code != 0 => format!("{prefix} {name} (code {code})"),
        None => format!("{prefix} {name}"),
    })
}

fn of_datagram(frame: &[u8], datagram: &Datagram) -> String {
    let (source, destination) = (datagram.source, datagram.destination);
    if let Some(words) = icmp_words(frame, datagram) {
        return format!("{words} {source} → {destination}");
    }
    let version = if source.is_ipv4() { "IPv4" } else { "IPv6" };
    let carried = ip::protocol_name(datagram.protocol)
        .map_or_else(|| format!("protocol {}", datagram.protocol), Into::into);
    let piece = if datagram.first { "" } else { " later fragment," };
    format!("{version} {source} → {destination}{piece} {carried} {}", bytes(datagram.payload.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{
        flow::Flows,
        frame::build,
        tcp::{Header, TcpOption},
    };

    #[test]
    fn frames_are_said_as_people_say_them() {
        let (a, b) = ("10.0.0.1:40000".parse().unwrap(), "10.0.0.2:7000".parse().unwrap());
        let options =
            [TcpOption::MaximumSegmentSize(1460), TcpOption::NoOperation, TcpOption::WindowScale(7)];
        let empty = Header::new(0, 0);
        let syn = Header { sequence: 100, flags: Flags::SYN, window: 64240, options: &options, ..empty };
        let answer = Header {
            sequence: 900,
            acknowledgment: 101,
            flags: Flags::SYN | Flags::ACK,
            window: 65160,
            ..syn
        };
        let data = Header {
            sequence: 101,
            acknowledgment: 901,
            flags: Flags::PSH | Flags::ACK,
            window: 502,
            options: &[],
            ..empty
        };
        let frames = [
            build::tcp(a, b, &syn, b""),
            build::tcp(b, a, &answer, b""),
            build::tcp(a, b, &data, b"hello"),
            build::tcp(a, b, &Header { flags: Flags::ACK, sequence: 106, ..data }, b""),
        ];
        let mut flows = Flows::default();
        let lines: Vec<_> = frames
            .iter()
            .map(|frame| {
                let seen = flows.see_frame(frame);
                (summary(frame, seen.as_ref()), short(frame, seen.as_ref()))
            })
            .collect();
        let arrow = "TCP 10.0.0.1:40000 → 10.0.0.2:7000";
        assert_eq!(lines[0].0, format!("{arrow} [SYN] seq 0 win 64240 len 0 mss 1460 ws 7"));
        let back = "TCP 10.0.0.2:7000 → 10.0.0.1:40000";
        assert_eq!(lines[1].0, format!("{back} [SYN,ACK] seq 0 ack 1 win 65160 len 0 mss 1460 ws 7"));
        assert_eq!(lines[2].0, format!("{arrow} [PSH,ACK] seq 1 ack 1 win 64256 len 5"));
        let shorts: Vec<_> = lines.iter().map(|(_, short)| short.as_str()).collect();
        assert_eq!(shorts, ["SYN seq 0", "SYN,ACK seq 0 ack 1", "5 bytes seq 1–5 (PSH,ACK)", "ACK 1"]);
        assert_eq!(short(&frames[2], None), "5 bytes seq 101–105 (PSH,ACK)");
    }

    #[test]
    fn an_error_says_which() {
        let error = icmp::Message::error(3, 3, &[0x45; 28]);
        let frame = build::icmp([10, 0, 0, 2].into(), [10, 0, 0, 1].into(), &error);
        assert_eq!(short(&frame, None), "ICMP destination unreachable (port unreachable)");
        assert_eq!(summary(&[1, 2], None), "Ethernet: cut off after 2 bytes");
    }
}

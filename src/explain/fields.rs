//! Fields of frames: what their decoders say of them, asked by a few frames of every kind.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use super::Entry;
use crate::wire::{
    Protocol, ethernet,
    frame::{Context, Payload, build, dissect},
    fuzz::{Random, sample},
    icmp, icmpv6, ip, ipv4,
    names::{Name, names},
    tcp, websocket,
};

/// So many made-up frames have all that is usual; those of [`rare`] have the rest.
const SAMPLES: usize = 1100;

/// What a decoder said of a field: each meaning once, with its value.
#[derive(Default)]
struct Said {
    meanings: Vec<(String, Option<&'static str>, String)>,
    sections: Vec<&'static str>,
}

pub(super) fn fields(all: &mut Vec<Entry>) {
    let said = said();
    for name in names() {
        let nothing = Said::default();
        all.push(field(name, said.get(&(name.protocol, name.field)).unwrap_or(&nothing)));
    }
}

fn field(name: &Name, said: &Said) -> Entry {
    let what = if name.what.is_empty() {
        said.meanings.first().map_or(name.field, |(_, _, meaning)| meaning)
    } else {
        name.what
    };
    let mut values = numbers(name.path);
    let is_flag =
        said.meanings.len() > 1 && said.meanings.iter().all(|(value, ..)| value == "0" || value == "1");
    let named = said.meanings.iter().any(|(_, symbol, _)| symbol.is_some());
    if values.is_empty() && (is_flag || named) && name.path != "http.field" {
        values = said
            .meanings
            .iter()
            .filter(|(_, symbol, _)| is_flag || symbol.is_some())
            .map(|(value, symbol, meaning)| match symbol {
                Some(symbol) => (format!("{value} {symbol}"), meaning.clone()),
                None => (value.clone(), meaning.clone()),
            })
            .collect();
        values.sort();
        values.dedup();
        values.truncate(8);
    }
    let what = if is_flag && name.what.is_empty() { set(&values, what) } else { what.to_owned() };
    Entry {
        path: name.path.to_owned(),
        name: name.field.to_owned(),
        what,
        why: name.why.to_owned(),
        defined: section(name.protocol, &said.sections),
        values,
        spellings: spellings(name),
    }
}

/// Of a flag, what it says when it is set.
fn set(values: &[(String, String)], other: &str) -> String {
    values.iter().find(|(value, _)| value == "1").map_or(other, |(_, meaning)| meaning).to_owned()
}

/// The path by the protocol's own name: `TCP Window`; and names that other programs use.
fn spellings(name: &Name) -> Vec<String> {
    let mut all = vec![format!("{} {}", name.protocol.name(), name.field)];
    let more: &[&str] = match name.path {
        "tcp.src" => &["sport", "tcp.sport"],
        "tcp.dst" => &["dport", "tcp.dport"],
        "tcp.window" => &["win"],
        "ip.ttl" => &["ttl"],
        "ip.proto" => &["protocol"],
        "ws.len" => &["length", "ws.length"],
        "eth.dst" | "eth.src" => &["mac"],
        "http.field" => &["header"],
        _ => &[],
    };
    all.extend(more.iter().map(|word| (*word).to_owned()));
    all
}

/// Where it is defined: all sections if they are few, else the one of the protocol's header.
fn section(protocol: Protocol, sections: &[&'static str]) -> String {
    let base = match protocol {
        Protocol::Tcp => "RFC 9293 §3.1",
        Protocol::WebSocket => "RFC 6455 §5.2",
        Protocol::Http => "RFC 9112 §5",
        Protocol::Stomp => "STOMP 1.2, STOMP Frames",
        Protocol::Icmpv6 => "RFC 4443 §4.1",
        Protocol::Ipv6 => "RFC 8200 §4",
        _ => "RFC 9293 §3.1, RFC 768",
    };
    if sections.is_empty() || sections.len() > 3 { base.to_owned() } else { sections.join(", ") }
}

/// The values of fields that are numbers out of a list.
fn numbers(path: &str) -> Vec<(String, String)> {
    let bytes = |name: fn(u8) -> Option<&'static str>| -> Vec<_> {
        (0..=u8::MAX).filter_map(|n| Some((n.to_string(), name(n)?.to_owned()))).collect()
    };
    match path {
        "eth.type" => (0..=u16::MAX)
            .filter_map(|n| Some((format!("{n:#06x}"), ethernet::type_name(n)?.to_owned())))
            .collect(),
        "ip.proto" | "ip6.next" => bytes(ip::protocol_name),
        "ip.dscp" | "ip6.dscp" => bytes(ip::dscp_name),
        "icmp.type" => bytes(icmp::type_name),
        "icmp6.type" => bytes(icmpv6::type_name),
        "tcp.options.kind" => bytes(|n| tcp::known(n).map(|(name, ..)| name)),
        "ws.opcode" => websocket::OPCODES
            .iter()
            .filter(|it| it.may_be_sent)
            .map(|it| (format!("{:#x}", it.number), it.symbol.to_owned()))
            .collect(),
        "ws.close" => websocket::CLOSE_CODES
            .iter()
            .filter(|it| it.first == it.last)
            .map(|it| (it.first.to_string(), it.symbol.to_owned()))
            .collect(),
        _ => Vec::new(),
    }
}

/// What all decoders say of all samples. What is said of broken frames is left out.
fn said() -> HashMap<(Protocol, &'static str), Said> {
    let mut random = Random::new(1);
    let mut all: HashMap<_, Said> = HashMap::new();
    let frames: Vec<_> = (0..SAMPLES).map(|_| sample(&mut random)).chain(rare()).collect();
    for frame in &frames {
        for payload in [Payload::Guess, Payload::WebSocket] {
            let dissection = dissect(frame, Context { seen: None, payload });
            for layer in &dissection.layers {
                for field in dissection.fields_of(layer) {
                    let said = all.entry((layer.protocol, field.name)).or_default();
                    if !field.section.is_empty() && !said.sections.contains(&field.section) {
                        said.sections.push(field.section);
                    }
                    let broken = field.meaning.contains("cut off") || field.meaning.contains("wrong: ");
                    let known = said.meanings.iter().any(|(_, _, meaning)| *meaning == field.meaning);
                    if !broken && !known && said.meanings.len() < 12 {
                        said.meanings.push((field.value.clone(), field.symbol, field.meaning.clone()));
                    }
                }
            }
        }
    }
    all
}

/// Frames with what is seldom: one of each.
fn rare() -> Vec<Vec<u8>> {
    let four = IpAddr::from([10, 0, 0, 1]);
    let six = IpAddr::from(Ipv6Addr::LOCALHOST);
    let (from, to) = (SocketAddr::new(four, 40_000), SocketAddr::new(four, 80));
    let segment = |payload: &[u8]| build::tcp(from, to, &tcp::Header::new(0, 0), payload);
    let with_options = |options: &[tcp::TcpOption]| {
        build::tcp(from, to, &tcp::Header { options, ..tcp::Header::new(0, 0) }, b"")
    };
    let mut all = vec![
        segment(b"GET /chat HTTP/1.1\r\nHost: server\n\r\nrest"),
        segment(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
        segment(b"\x81\x00\xf9\x80\x01\x02\x03\x04\x88\x02\x03\xe8\x81\x7e\x00\x01x"),
        segment(b"\x81\x7e\x00"),
        segment(b"SEND\na:b\ncontent-length:1\n\nx\0\nMESSAGE\nsubscription:0\n\nx\0"),
        segment(b"ERROR\ncontent-length:0\n\nx\0"),
        with_options(&[tcp::TcpOption::Other { kind: 253, data: &[1, 2, 3] }]),
    ];
    let mut endless = with_options(&[tcp::TcpOption::Other { kind: 253, data: &[1, 2] }]);
    endless[55] = 0;
    all.push(endless);
    for options in [vec![0, 0, 0, 0], vec![7, 0, 0, 0]] {
        let header =
            ipv4::Header { options, ..ipv4::Header::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), 6) };
        let link = ethernet::Header::new(crate::wire::Mac::default(), crate::wire::Mac::BROADCAST, 0x0800);
        all.push(link.encode(&header.encode(&[])));
    }
    let question: Vec<u8> = [13, 0, 0, 0].into_iter().chain([0; 16]).collect();
    all.push(build::ip(four, four, 1, &question));
    let error = |rest, body: &[u8]| icmp::Message { kind: 3, code: 4, rest, body: body.to_vec() }.encode();
    let inner = build::ip(four, four, 1, &error([0; 4], &[0x45; 28]));
    all.push(build::ip(four, four, 1, &error([0; 4], &inner[14..])));
    all.push(build::ip(four, four, 1, &error([0, 5, 0, 0], &[0x45; 28])));
    let error_6 = |length: u8, body: &[u8]| [&[1, 0, 0, 0, length, 0, 0, 0], body].concat();
    let inner = build::ip(six, six, 58, &error_6(0, &[0x60; 48]));
    all.push(build::ip(six, six, 58, &error_6(0, &inner[14..])));
    all.push(build::ip(six, six, 58, &error_6(5, &[0x60; 48])));
    let advertisement: Vec<u8> = [134, 0, 0, 0].into_iter().chain([0; 12]).collect();
    let prefix: Vec<u8> = [3, 4, 64, 0xc0].into_iter().chain([0; 28]).collect();
    let bare: Vec<u8> = [3, 4, 64, 0].into_iter().chain([0; 28]).collect();
    for options in
        [prefix, bare, vec![5, 1, 0, 0, 0, 0, 5, 220], vec![14, 1, 0, 0, 0, 0, 0, 0], vec![1, 0, 0, 0]]
    {
        all.push(build::ip(six, six, 58, &[advertisement.clone(), options].concat()));
    }
    let redirect: Vec<u8> = [137, 0, 0, 0].into_iter().chain([0; 36]).collect();
    all.push(build::ip(six, six, 58, &redirect));
    all.push(build::ip(six, six, 58, &[200, 0, 0, 0, 1, 2, 3, 4]));
    let route: Vec<u8> = [59, 2, 0, 1].into_iter().chain([0; 20]).collect();
    all.push(build::ip(six, six, 43, &route));
    all.push(build::ip(six, six, 43, &[59, 0, 9, 1, 0, 0, 0, 0]));
    all.push(build::ip(six, six, 0, &[59, 0, 0xc2, 4, 0, 1, 0, 0]));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one_that_a_decoder_gives_and_says_no_more_than_it_must() {
        let (said, mut wrong) = (said(), Vec::new());
        for name in names() {
            let said =
                said.get(&(name.protocol, name.field)).unwrap_or_else(|| panic!("{name:?} is never given"));
            let is_flag = said.meanings.iter().all(|(value, ..)| value == "0" || value == "1");
            let ways = said.meanings.len();
            if name.what.is_empty() && ways != 1 && !(ways > 1 && is_flag) {
                wrong.push((name.path, &said.meanings));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

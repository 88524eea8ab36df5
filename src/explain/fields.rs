//! Fields of frames, with the meanings that decoders give them in a few frames of every kind.

use std::collections::HashMap;

use data_encoding::HEXLOWER;

use super::{
    Entry,
    texts::{self, Text},
};
use crate::wire::{
    Protocol, ethernet,
    frame::{Context, Payload, dissect},
    icmp, icmpv6, ip, tcp, websocket,
};

/// A field of a decoder.
#[derive(Debug)]
struct Name {
    protocol: Protocol,
    /// Its name in the specification.
    field: &'static str,
    text: Text,
}

/// Returns the fields of all decoders, from the link upwards.
fn names() -> impl Iterator<Item = Name> {
    texts::parse(texts::FIELDS).into_iter().filter_map(|text| {
        let (protocol, field) = text.name.split_once(' ')?;
        Some(Name { protocol: Protocol::named(protocol)?, field, text })
    })
}

/// The meanings and sections that a decoder gives to a field.
#[derive(Default)]
struct Meanings {
    /// Value, symbol and meaning; each meaning once.
    meanings: Vec<(String, Option<&'static str>, String)>,
    sections: Vec<&'static str>,
}

pub(super) fn fields(all: &mut Vec<Entry>) {
    let frames = frames();
    let meanings = meanings(frames.iter().map(Vec::as_slice));
    let nothing = Meanings::default();
    all.extend(
        names().map(|name| field(&name, meanings.get(&(name.protocol, name.field)).unwrap_or(&nothing))),
    );
}

fn field(name: &Name, said: &Meanings) -> Entry {
    let what = if name.text.what.is_empty() {
        said.meanings.first().map_or(name.field, |(_, _, meaning)| meaning)
    } else {
        name.text.what
    };
    let mut values = numbers(name.text.key);
    let is_flag =
        said.meanings.len() > 1 && said.meanings.iter().all(|(value, ..)| value == "0" || value == "1");
    let named = said.meanings.iter().any(|(_, symbol, _)| symbol.is_some());
    if values.is_empty() && (is_flag || named) && name.text.key != "http.field" {
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
    let what = if is_flag && name.text.what.is_empty() { set(&values, what) } else { what.to_owned() };
    Entry {
        path: name.text.key.to_owned(),
        name: name.field.to_owned(),
        what,
        why: name.text.text.clone(),
        defined: section(name.protocol, &said.sections),
        values,
        spellings: spellings(name),
    }
}

/// Returns the meaning of a flag when it is set.
fn set(values: &[(String, String)], other: &str) -> String {
    values.iter().find(|(value, _)| value == "1").map_or(other, |(_, meaning)| meaning).to_owned()
}

/// Returns the name with its protocol: `TCP Window`; and the names of other programs.
fn spellings(name: &Name) -> Vec<String> {
    let mut all = vec![format!("{} {}", name.protocol.name(), name.field)];
    let more: &[&str] = match name.text.key {
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

/// Returns the sections of a field if they are few, else the one of the protocol's header.
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

/// Returns the values of fields that are numbers from a registry.
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

/// Returns the meanings of all fields of the frames, without those of malformed parts.
fn meanings<'a>(frames: impl IntoIterator<Item = &'a [u8]>) -> HashMap<(Protocol, &'static str), Meanings> {
    let mut all: HashMap<_, Meanings> = HashMap::new();
    for frame in frames {
        for payload in [Payload::Guess, Payload::WebSocket] {
            let dissection = dissect(frame, Context { seen: None, payload });
            for layer in &dissection.layers {
                for field in dissection.fields_of(layer) {
                    let of_field = all.entry((layer.protocol, field.name)).or_default();
                    if !field.section.is_empty() && !of_field.sections.contains(&field.section) {
                        of_field.sections.push(field.section);
                    }
                    let malformed = field.meaning.contains("cut off") || field.meaning.contains("wrong: ");
                    let known = of_field.meanings.iter().any(|(_, _, meaning)| *meaning == field.meaning);
                    if !malformed && !known && of_field.meanings.len() < 12 {
                        of_field.meanings.push((field.value.clone(), field.symbol, field.meaning.clone()));
                    }
                }
            }
        }
    }
    all
}

/// Returns the frames of `frames.txt`: together they have every field, and every meaning that an entry needs.
fn frames() -> Vec<Vec<u8>> {
    let hex = |line: &str| HEXLOWER.decode(line.split('\t').next().unwrap_or_default().as_bytes());
    include_str!("frames.txt").lines().filter_map(|line| hex(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fuzz::{Random, sample};

    #[test]
    fn every_name_is_one_that_a_decoder_gives_and_says_no_more_than_it_must() {
        let frames = frames();
        let (said, mut wrong) = (meanings(frames.iter().map(Vec::as_slice)), Vec::new());
        for name in names() {
            let said =
                said.get(&(name.protocol, name.field)).unwrap_or_else(|| panic!("{name:?} is never given"));
            let is_flag = said.meanings.iter().all(|(value, ..)| value == "0" || value == "1");
            let ways = said.meanings.len();
            if name.text.what.is_empty() && ways != 1 && !(ways > 1 && is_flag) {
                wrong.push((name.text.key, &said.meanings));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn the_frames_have_all_that_random_frames_have() {
        let frames = frames();
        let mut random = Random::new(1);
        let samples: Vec<_> = (0..1100).map(|_| sample(&mut random)).collect();
        let few = meanings(frames.iter().map(Vec::as_slice));
        let many = meanings(samples.iter().chain(&frames).map(Vec::as_slice));
        for name in names() {
            let key = (name.protocol, name.field);
            assert_eq!(field(&name, &few[&key]), field(&name, &many[&key]));
        }
        assert_eq!(frames.len(), include_str!("frames.txt").lines().count());
    }
}

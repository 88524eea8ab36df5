use std::collections::BTreeSet;

use super::*;
use crate::{
    call::{self, How},
    kernel,
    lesson::grammar,
    wire::{
        engine_io,
        frame::{Context, Payload, dissect},
        fuzz::{Random, mutate, sample},
        socket_io, sockjs, stomp, tcp, websocket,
    },
};

fn one(query: &str) -> Entry {
    match find(query) {
        Found::One(entry, _) => *entry,
        other => panic!("{query}: {other:?}"),
    }
}

fn is_found(query: &str) {
    assert!(!matches!(find(query), Found::Nothing(_)), "{query}");
}

#[test]
fn every_field_that_a_decoder_gives_is_found() {
    let mut random = Random::new(7);
    let mut given = BTreeSet::new();
    for number in 0..6000 {
        let mut frame = sample(&mut random);
        if number % 2 == 0 {
            mutate(&mut random, &mut frame);
        }
        for payload in [Payload::Guess, Payload::WebSocket] {
            let dissection = dissect(&frame, Context { seen: None, payload });
            for layer in &dissection.layers {
                given.extend(dissection.fields_of(layer).iter().map(|field| (layer.protocol, field.name)));
            }
        }
    }
    assert!(given.len() > 120);
    let fields = texts::parse(texts::FIELDS);
    for (protocol, field) in &given {
        let spelling = format!("{} {field}", protocol.name());
        let known = fields.iter().any(|record| record.name == spelling);
        assert!(known, "no reason is written for {} {field}", protocol.name());
    }
    for record in &fields {
        assert!(record.name.ends_with(&one(record.key).name));
        assert_eq!(one(record.name).path, record.key);
    }
}

#[test]
fn every_word_of_the_tables_is_found() {
    let words = call::ERRNOS.iter().map(|(name, _)| name).chain(call::OPTIONS).chain(call::FLAGS);
    let words = words.chain(How::ALL.iter().map(|(name, _)| name));
    for word in words {
        assert_eq!(one(word).name, *word);
        assert_eq!(one(&word.to_lowercase()).name, *word);
    }
    for word in grammar::calls() {
        assert_eq!(one(word.name).name, word.name);
    }
    for (word, ..) in grammar::WIRE {
        assert_eq!(one(&format!("cable.{word}")).name, *word);
    }
    for (state, ss, netstat, _) in kernel::STATES {
        for spelling in [state, ss, netstat, &state.replace('_', "-")] {
            let found = match find(spelling) {
                Found::One(entry, others) => {
                    entry.name == state || others.iter().any(|other| other.name == state)
                }
                Found::Several(all) => all.iter().any(|entry| entry.name == state),
                Found::Nothing(_) => false,
            };
            assert!(found, "{spelling}");
        }
    }
    for (flag, _) in grammar::TCP_FLAGS {
        assert_eq!(one(&format!("tcp.flags.{flag}")).name, *flag);
        is_found(flag);
    }
}

#[test]
fn every_number_of_the_tables_is_found() {
    for opcode in &websocket::OPCODES {
        assert_eq!(one(&format!("ws.opcode.{}", opcode.number)).what, opcode.meaning);
    }
    for code in (0..=u16::MAX).step_by(101).chain(995..1020) {
        assert_eq!(one(&format!("ws.close.{code}")).name, websocket::close_code(code).symbol, "{code}");
    }
    for kind in &engine_io::PACKET_TYPES {
        assert_eq!(one(&format!("engineio.{}", kind.symbol)).what, kind.meaning);
    }
    for kind in &socket_io::PACKET_TYPES {
        assert_eq!(one(&format!("socketio.{}", kind.symbol)).what, kind.meaning);
    }
    for error in &engine_io::ERRORS {
        assert_eq!(one(&format!("engineio.error.{}", error.code)).name, error.message);
    }
    for kind in 0..=u8::MAX {
        if let Some((name, ..)) = tcp::known(kind) {
            assert_eq!(one(&format!("tcp.options.{kind}")).name, name);
        }
    }
    for (kind, code) in [(3, 3), (11, 0), (12, 2)] {
        is_found(&format!("icmp.{kind}.{code}"));
    }
}

#[test]
fn every_entry_says_what_why_and_where() {
    let all = all();
    let mut paths = BTreeSet::new();
    for entry in all {
        assert!(paths.insert(&entry.path), "{} is there twice", entry.path);
        assert!(!entry.name.is_empty() && !entry.what.is_empty(), "{entry:?}");
        assert!(entry.why.ends_with(['.', '?', ')']) && entry.why.len() > 15, "{entry:?}");
        let defined = [
            "RFC ",
            "IEEE ",
            "IANA ",
            "docs/",
            "WHATWG ",
            "Engine.IO ",
            "Socket.IO ",
            "STOMP ",
            "SockJS ",
            "sockjs-",
        ]
        .iter()
        .any(|start| entry.defined.starts_with(start));
        assert!(defined || entry.defined.contains('('), "{entry:?}");
        assert!(groups().any(|(group, _)| group == entry.group()), "{}", entry.path);
    }
    for path in all.iter().flat_map(Entry::related) {
        is_found(path);
    }
    for mistake in texts::parse(texts::MISTAKES) {
        for path in mistake.key.split(", ") {
            assert!(all.iter().any(|entry| entry.path.starts_with(path)), "{mistake:?}");
        }
    }
    for (group, _) in groups() {
        is_found(group);
    }
}

#[test]
fn every_text_is_read_and_used_once() {
    use texts::*;
    let mut keys = BTreeSet::new();
    for file in FILES.into_iter().chain([MISTAKES]) {
        let (records, beginnings) = (parse(file), file.lines().filter(|line| line.starts_with('[')).count());
        assert_eq!(records.len(), beginnings);
        for record in records {
            assert!(file == MISTAKES || keys.insert(record.key), "{} is there twice", record.key);
            assert!(!record.key.is_empty() && !record.key.contains('['), "{record:?}");
            assert!(!record.text.is_empty() || !record.defined.is_empty(), "{record:?} says nothing");
            for text in [record.what, record.defined, &record.text] {
                assert!(!text.contains("  ") && text.trim() == text, "{record:?}");
            }
        }
    }
    for record in FILES.into_iter().flat_map(parse) {
        let used = all().iter().any(|entry| entry.path == record.key);
        assert!(used, "nothing has the path of {record:?}");
    }
}

#[test]
fn case_decides_between_the_call_and_the_state() {
    assert_eq!((one("listen").path, one("LISTEN").path), ("call.listen".into(), "state.listen".into()));
    assert!(matches!(find("fin"), Found::Several(all) if all.len() > 1));
    assert_eq!(one("psh").path, "tcp.flags.psh");
    assert_eq!(one("1006").path, "ws.close.1006");
    assert_eq!(one("2010").path, "sockjs.close.2010");
    assert_eq!(one("4711").path, "ws.close.4000-4999");
    let of_tcp = |entry: &Entry| entry.path.starts_with("tcp.") || entry.path == "protocol.tcp";
    assert!(matches!(find("tcp"), Found::Several(all) if all.iter().all(of_tcp)));
}

#[test]
fn a_near_miss_is_answered_by_what_is_near() {
    assert!(matches!(find("ECONRESET"), Found::Nothing(near) if near[0] == "ECONNRESET" && near.len() < 3));
    assert!(matches!(find("tcp.flags.phs"), Found::Nothing(near) if near[0].contains("psh")));
    assert_eq!(find("frobnicate"), Found::Nothing(Vec::new()));
    assert_eq!(find(" . "), Found::Nothing(Vec::new()));
}

#[test]
fn everything_of_stomp_is_found_with_its_lesson() {
    for command in &stomp::COMMANDS {
        assert_eq!(one(&format!("stomp.{}", command.name)).what, command.meaning);
    }
    for header in &stomp::HEADERS {
        assert_eq!(one(&format!("stomp.header.{}", header.name)).what, header.meaning);
    }
    for (last, rule) in &stomp::RULES {
        assert_eq!(one(&format!("stomp.rules.{last}")).defined, rule.section);
    }
    let shown = |path| one(path).lesson().unwrap();
    for (path, title) in [
        ("stomp.frame.send", "Nobody is called by name"),
        ("stomp.rules.escape", "Where does it end?"),
        ("stomp.header.receipt", "Has it arrived?"),
        ("stomp.header.heart-beat", "Silence"),
        ("stomp.frame.error", "Something is wrong"),
        ("stomp.frame.connect", "A frame of lines"),
    ] {
        assert_eq!(shown(path).1, title, "{path}");
    }
}

#[test]
fn everything_of_sockjs_is_found_with_its_lesson() {
    for frame in &sockjs::FRAMES {
        assert_eq!(one(&format!("sockjs.{}", char::from(frame.letter))).what, frame.meaning);
    }
    for code in &sockjs::CLOSE_CODES {
        assert!(all().iter().any(|entry| entry.what == code.meaning), "{}", code.first);
    }
    for endpoint in &sockjs::ENDPOINTS {
        assert_eq!(one(&format!("sockjs.url.{}", endpoint.name)).what, endpoint.meaning);
    }
    let (command, title) = one("sockjs.close.2010").lesson().unwrap();
    assert_eq!((command.as_str(), title.as_str()), ("sockwalk run sockjs --part 5", "How it ends"));
    assert!(
        matches!(find("sockjs"), Found::Several(all) if all.iter().any(|entry| entry.path == "protocol.sockjs"))
    );
}

#[test]
fn every_protocol_is_found_with_its_reason_and_its_sources() {
    for (name, _) in crate::transport::registry::scripted() {
        let entry = one(&format!("protocol.{name}"));
        assert!(!entry.why.is_empty() && !entry.defined.is_empty(), "{name}");
        assert!(entry.values.iter().any(|(_, value)| value.ends_with(name)));
    }
}

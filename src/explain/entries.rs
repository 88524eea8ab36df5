//! All entries, made of the tables of the other modules.

use super::{Entry, errors::ERRORS, fields, protocols as why, sockets, sockjs, stomp};
use crate::{
    kernel,
    lesson::words,
    run, transport,
    websocket::{answer, judge},
    wire::{engine_io, http, icmp, icmpv6, socket_io, tcp, websocket},
};

pub(super) fn all() -> Vec<Entry> {
    let mut all = Vec::new();
    calls(&mut all);
    words(&mut all);
    fields::fields(&mut all);
    messages(&mut all);
    tcp_options(&mut all);
    handshake(&mut all);
    web_socket(&mut all);
    sockjs::sockjs(&mut all);
    socket_io(&mut all);
    stomp::stomp(&mut all);
    transports(&mut all);
    all
}

pub(super) fn entry(path: String, name: &str, what: &str, why: &str, defined: &str) -> Entry {
    Entry {
        path,
        name: name.to_owned(),
        what: what.to_owned(),
        why: why.to_owned(),
        defined: defined.to_owned(),
        ..Entry::default()
    }
}

/// The reason that stands under a key. Tests see to it that there is one.
pub(super) fn reason<K: PartialEq>(table: &[(K, &'static str)], key: &K) -> &'static str {
    table.iter().find(|(known, _)| known == key).map_or("", |(_, why)| *why)
}

fn calls(all: &mut Vec<Entry>) {
    for word in words::WORDS {
        let (what, page) = word.about.rsplit_once(": ").unwrap_or((word.about, "docs/lessons.md"));
        let page = if page.contains('(') || page.contains('§') { page } else { "docs/lessons.md" };
        let what = if page == "docs/lessons.md" { word.about } else { what };
        let why = reason(sockets::CALLS, &word.name);
        let mut entry = entry(format!("call.{}", word.name.to_lowercase()), word.name, what, why, page);
        entry.spellings = vec![word.name.replace(' ', ".")];
        all.push(entry);
    }
    for (name, takes, about) in words::WIRE {
        let why = reason(sockets::CABLE, name);
        let mut entry = entry(format!("cable.{name}"), name, about, why, "docs/lessons.md");
        if !takes.is_empty() {
            entry.spellings = vec![format!("wire {name}")];
        }
        all.push(entry);
    }
}

fn words(all: &mut Vec<Entry>) {
    for (group, table) in [("option", sockets::OPTIONS), ("flag", sockets::FLAGS), ("errno", ERRORS)] {
        for (name, what, why, defined) in table {
            let mut entry = entry(format!("{group}.{}", name.to_lowercase()), name, what, why, defined);
            if group == "errno" {
                // What holds of any call is what a connection meets that is there already.
                entry.values = match run::meaning("", name) {
                    Some(meaning) => vec![("at send and recv".to_owned(), meaning)],
                    None => meanings(name),
                };
            }
            if *name == "EAGAIN" {
                entry.spellings = vec!["EWOULDBLOCK".to_owned()];
            }
            all.push(entry);
        }
    }
    for (name, what, why) in sockets::STATES {
        let mut state = entry(format!("state.{}", name.to_lowercase()), name, what, why, "RFC 9293 §3.3.2");
        let spelled = kernel::STATES.iter().find(|(known, ..)| known == name);
        if let Some((_, ss, netstat, number)) = spelled {
            state.spellings = vec![(*ss).to_owned(), (*netstat).to_owned()];
            state.values = vec![
                ("ss".to_owned(), (*ss).to_owned()),
                ("netstat".to_owned(), (*netstat).to_owned()),
                ("number in Linux".to_owned(), number.to_string()),
            ];
        }
        if *name == "SYN_RECV" {
            state.spellings.push("SYN-RECEIVED".to_owned());
        }
        all.push(state);
    }
}

/// Packets of Engine.IO and of Socket.IO, and how a server of theirs refuses.
fn socket_io(all: &mut Vec<Entry>) {
    let character = |digit: u8| vec![("on the wire".to_owned(), char::from(digit).to_string())];
    for (it, why) in engine_io::PACKET_TYPES.iter().zip(why::ENGINE_IO) {
        let name = format!("Engine.IO {}", it.symbol);
        let mut entry = entry(format!("engineio.{}", it.symbol), &name, it.meaning, why, it.section);
        entry.values = character(it.digit);
        all.push(entry);
    }
    for (it, why) in engine_io::ERRORS.iter().zip(why::ENGINE_IO_ERRORS) {
        let defined = format!("Engine.IO 4, HTTP long-polling; {}", it.section);
        let mut entry = entry(format!("engineio.error.{}", it.code), it.message, it.when, why, &defined);
        entry.values = vec![("status".to_owned(), it.status.to_string())];
        all.push(entry);
    }
    for (it, why) in socket_io::PACKET_TYPES.iter().zip(why::SOCKET_IO) {
        let path = format!("socketio.{}", it.symbol.to_lowercase());
        let mut entry = entry(path, &format!("Socket.IO {}", it.symbol), it.meaning, why, it.section);
        entry.values = character(it.digit);
        all.push(entry);
    }
}

/// Ways to carry a message, from the table that `diff` runs.
fn transports(all: &mut Vec<Entry>) {
    for it in transport::ALL {
        let path = format!("transport.{}", it.name);
        let mut entry = entry(path, it.title, it.about, it.why, &it.sources.join(", "));
        entry.values = vec![
            ("stands on".to_owned(), it.over.iter().rev().copied().collect::<Vec<_>>().join(" on ")),
            ("see it with".to_owned(), format!("sockwalk diff hello --protocols {}", it.name)),
        ];
        all.push(entry);
    }
}

/// What an error means to the calls that make a connection; where it is the same they share a line.
fn meanings(errno: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for call in ["socket", "bind", "connect", "accept"] {
        let Some(meaning) = run::meaning(call, errno) else { continue };
        match all.iter_mut().find(|(_, known)| *known == meaning) {
            Some((calls, _)) => *calls += &format!(" and {call}"),
            None => all.push((format!("at {call}"), meaning)),
        }
    }
    all
}

fn messages(all: &mut Vec<Entry>) {
    for (kind, what, why) in why::ICMP {
        let name = icmp::type_name(*kind).unwrap_or_default();
        let defined = match kind {
            4 => "RFC 792, RFC 6633",
            9 | 10 => "RFC 1256",
            15 | 16 => "RFC 792, RFC 6918",
            _ => "RFC 792",
        };
        let mut message = entry(format!("icmp.{kind}"), name, what, why, defined);
        for code in 0..=u8::MAX {
            let Some(name) = icmp::code_name(*kind, code) else { continue };
            message.values.push((code.to_string(), name.to_owned()));
            let own = why::ICMP_CODES.iter().find(|(a, b, _)| (a, b) == (kind, &code));
            let why = own.map_or(*why, |(.., why)| *why);
            let section = match (kind, code) {
                (3, 4) => "RFC 792, RFC 1191 §4",
                (3, 6..=12) => "RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1",
                (3, 13..) => "RFC 1812 §5.2.7.1",
                (12, 1) => "RFC 1122 §3.2.2.5",
                (12, 2..) => "IANA ICMP Parameters",
                _ => defined,
            };
            all.push(entry(format!("icmp.{kind}.{code}"), name, what, why, section));
        }
        all.push(message);
    }
    for (kind, why) in why::ICMPV6 {
        let name = icmpv6::type_name(*kind).unwrap_or_default();
        let section = match kind {
            0..128 => "RFC 4443 §3",
            128 | 129 => "RFC 4443 §4",
            133..=137 => "RFC 4861 §4",
            143 => "RFC 3810 §5.2",
            _ => "RFC 2710 §3",
        };
        let what = if *kind < 128 { "an error about a packet" } else { "a question, an answer or a notice" };
        let mut message = entry(format!("icmp6.{kind}"), name, what, why, section);
        for code in 0..=u8::MAX {
            let Some(name) = icmpv6::code_name(*kind, code) else { continue };
            message.values.push((code.to_string(), name.to_owned()));
            all.push(entry(format!("icmp6.{kind}.{code}"), name, what, why, section));
        }
        all.push(message);
    }
}

fn tcp_options(all: &mut Vec<Entry>) {
    for (kind, last, why) in why::TCP_OPTIONS {
        let Some((name, what, section)) = tcp::known(*kind) else { continue };
        let mut option = entry(format!("tcp.options.{last}"), name, what, why, section);
        option.spellings = vec![format!("tcp.options.{kind}")];
        all.push(option);
    }
}

fn handshake(all: &mut Vec<Entry>) {
    for (name, what, section) in http::MEANINGS {
        let why = reason(why::HEADERS, name);
        all.push(entry(format!("http.header.{}", name.to_lowercase()), name, what, why, section));
    }
    for (code, phrase, section) in why::OTHER_STATUSES.iter().chain(&answer::STATUSES) {
        let known = why::STATUSES.iter().find(|(known, ..)| known == code);
        let (what, why) = known.map_or(("", ""), |(_, what, why)| (*what, *why));
        all.push(entry(format!("http.status.{code}"), &format!("{code} {phrase}"), what, why, section));
    }
}

fn web_socket(all: &mut Vec<Entry>) {
    for (it, why) in websocket::OPCODES.iter().zip(why::OPCODES) {
        let mut opcode = entry(format!("ws.opcode.{}", it.number), it.symbol, it.meaning, why, it.section);
        if it.number > 9 {
            opcode.spellings = vec![format!("ws.opcode.{:x}", it.number)];
        }
        opcode.spellings.push(format!("ws.opcode.{:#x}", it.number));
        opcode.spellings.push(format!("ws.opcode.{}", it.symbol));
        all.push(opcode);
    }
    for it in &websocket::CLOSE_CODES {
        let why = reason(&why::CLOSE_CODES, &it.first);
        let one = it.first == it.last;
        let number = if one { it.first.to_string() } else { format!("{}-{}", it.first, it.last) };
        let mut code = entry(format!("ws.close.{number}"), it.symbol, it.meaning, why, it.section);
        if it.section.starts_with("IANA") {
            code.defined.push_str(", RFC 6455 §11.7");
        }
        let sent = if it.may_be_sent {
            "yes"
        } else if it.must_not {
            "never"
        } else {
            "no"
        };
        code.values = vec![("in a Close frame".to_owned(), sent.to_owned())];
        all.push(code);
    }
    for (last, rule) in &judge::RULES {
        let why = reason(&why::RULES, last);
        let mut entry = entry(format!("ws.rules.{last}"), rule.words, rule.words, why, rule.section);
        let level = rule.level.map_or("described, without a MUST", judge::Level::word);
        entry.values = vec![
            ("weight".to_owned(), level.to_owned()),
            ("Close code".to_owned(), rule.close_code.to_string()),
        ];
        all.push(entry);
    }
}

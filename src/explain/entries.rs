//! Makes all entries from the tables of the other modules and the texts.

use super::{
    Entry, fields, sockjs, stomp,
    texts::{self, Text, text},
};
use crate::{
    kernel,
    lesson::grammar,
    run,
    transport::registry,
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
    protocols(&mut all);
    all
}

/// Returns an entry whose reason is the text of its path.
pub(super) fn entry(path: String, name: &str, what: &str, defined: &str) -> Entry {
    Entry {
        name: name.to_owned(),
        what: what.to_owned(),
        why: text(&path).text.clone(),
        defined: defined.to_owned(),
        path,
        ..Entry::default()
    }
}

/// Returns the entry of a record that says everything.
fn written(it: &Text) -> Entry {
    entry(it.key.to_owned(), it.name, it.what, it.defined)
}

fn calls(all: &mut Vec<Entry>) {
    for word in grammar::calls() {
        let (what, page) = word.about.rsplit_once(": ").unwrap_or((word.about, "docs/lessons.md"));
        let page = if page.contains('(') || page.contains('§') { page } else { "docs/lessons.md" };
        let what = if page == "docs/lessons.md" { word.about } else { what };
        let mut entry = entry(format!("call.{}", word.name.to_lowercase()), word.name, what, page);
        entry.spellings = vec![word.name.replace(' ', ".")];
        all.push(entry);
    }
    for (name, takes, about) in grammar::WIRE {
        let mut entry = entry(format!("cable.{name}"), name, about, "docs/lessons.md");
        if !takes.is_empty() {
            entry.spellings = vec![format!("wire {name}")];
        }
        all.push(entry);
    }
}

fn words(all: &mut Vec<Entry>) {
    all.extend(texts::parse(texts::OPTIONS).iter().map(written));
    for it in &texts::parse(texts::ERRORS) {
        let mut entry = written(it);
        // A meaning for any call is the one on an open connection.
        entry.values = match run::meaning("", it.name) {
            Some(meaning) => vec![("at send and recv".to_owned(), meaning)],
            None => meanings(it.name),
        };
        if it.name == "EAGAIN" {
            entry.spellings = vec!["EWOULDBLOCK".to_owned()];
        }
        all.push(entry);
    }
    for it in &texts::parse(texts::STATES) {
        let mut state = written(it);
        let spelled = kernel::STATES.iter().find(|(known, ..)| *known == it.name);
        if let Some((_, ss, netstat, number)) = spelled {
            state.spellings = vec![(*ss).to_owned(), (*netstat).to_owned()];
            state.values = vec![
                ("ss".to_owned(), (*ss).to_owned()),
                ("netstat".to_owned(), (*netstat).to_owned()),
                ("number in Linux".to_owned(), number.to_string()),
            ];
        }
        if it.name == "SYN_RECV" {
            state.spellings.push("SYN-RECEIVED".to_owned());
        }
        all.push(state);
    }
}

/// Packets of Engine.IO and of Socket.IO, and the errors of their servers.
fn socket_io(all: &mut Vec<Entry>) {
    let character = |digit: u8| vec![("on the wire".to_owned(), char::from(digit).to_string())];
    for it in &engine_io::PACKET_TYPES {
        let name = format!("Engine.IO {}", it.symbol);
        let mut entry = entry(format!("engineio.{}", it.symbol), &name, it.meaning, it.section);
        entry.values = character(it.digit);
        all.push(entry);
    }
    for it in &engine_io::ERRORS {
        let defined = format!("Engine.IO 4, HTTP long-polling; {}", it.section);
        let mut entry = entry(format!("engineio.error.{}", it.code), it.message, it.when, &defined);
        entry.values = vec![("status".to_owned(), it.status.to_string())];
        all.push(entry);
    }
    for it in &socket_io::PACKET_TYPES {
        let path = format!("socketio.{}", it.symbol.to_lowercase());
        let mut entry = entry(path, &format!("Socket.IO {}", it.symbol), it.meaning, it.section);
        entry.values = character(it.digit);
        all.push(entry);
    }
}

/// Ways to carry a message, from the table that `diff` runs.
fn protocols(all: &mut Vec<Entry>) {
    for (name, it) in registry::scripted() {
        let path = format!("protocol.{name}");
        let mut entry = entry(path, it.title, it.about, &it.sources.join(", "));
        entry.why = it.why.to_owned();
        entry.values = vec![
            ("stands on".to_owned(), it.over.iter().rev().copied().collect::<Vec<_>>().join(" on ")),
            ("see it with".to_owned(), format!("sockwalk diff hello --protocols {name}")),
        ];
        all.push(entry);
    }
}

/// Returns the meaning of an error for each call that makes a connection. Calls with the same meaning share a
/// line.
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
    for kind in 0..=u8::MAX {
        if let Some(name) = icmp::type_name(kind) {
            message(all, &format!("icmp.{kind}"), name, "", |code| icmp::code_name(kind, code));
        }
    }
    for kind in 0..=u8::MAX {
        if let Some(name) = icmpv6::type_name(kind) {
            let what =
                if kind < 128 { "an error about a packet" } else { "a question, an answer or a notice" };
            message(all, &format!("icmp6.{kind}"), name, what, |code| icmpv6::code_name(kind, code));
        }
    }
}

/// A type of message, and its codes. A code without a text or a section of its own has those of its type.
fn message(
    all: &mut Vec<Entry>,
    path: &str,
    name: &str,
    what: &str,
    code_name: impl Fn(u8) -> Option<&'static str>,
) {
    let of_type = text(path);
    let what = if what.is_empty() { of_type.what } else { what };
    let mut message = entry(path.to_owned(), name, what, of_type.defined);
    for code in 0..=u8::MAX {
        let Some(name) = code_name(code) else { continue };
        message.values.push((code.to_string(), name.to_owned()));
        let mut entry = entry(format!("{path}.{code}"), name, what, of_type.defined);
        let own = text(&entry.path);
        if own.text.is_empty() {
            entry.why.clone_from(&of_type.text);
        }
        if !own.defined.is_empty() {
            own.defined.clone_into(&mut entry.defined);
        }
        all.push(entry);
    }
    all.push(message);
}

fn tcp_options(all: &mut Vec<Entry>) {
    for it in &texts::parse(texts::TCP_OPTIONS) {
        let known = it.name.parse().ok().and_then(tcp::known);
        let Some((name, what, section)) = known else { continue };
        let mut option = entry(it.key.to_owned(), name, what, section);
        option.spellings = vec![format!("tcp.options.{}", it.name)];
        all.push(option);
    }
}

fn handshake(all: &mut Vec<Entry>) {
    for (name, what, section) in http::MEANINGS {
        all.push(entry(format!("http.header.{}", name.to_lowercase()), name, what, section));
    }
    for it in &texts::parse(texts::HTTP) {
        let Some(code) = it.key.strip_prefix("http.status.") else { continue };
        let refusal = answer::STATUSES.iter().find(|(status, ..)| status.to_string() == code);
        let (phrase, section) =
            refusal.map_or((it.name, it.defined), |(_, phrase, section)| (phrase, section));
        all.push(entry(it.key.to_owned(), &format!("{code} {phrase}"), it.what, section));
    }
}

fn web_socket(all: &mut Vec<Entry>) {
    for it in &websocket::OPCODES {
        let mut opcode = entry(format!("ws.opcode.{}", it.number), it.symbol, it.meaning, it.section);
        if it.number > 9 {
            opcode.spellings = vec![format!("ws.opcode.{:x}", it.number)];
        }
        opcode.spellings.push(format!("ws.opcode.{:#x}", it.number));
        opcode.spellings.push(format!("ws.opcode.{}", it.symbol));
        all.push(opcode);
    }
    for it in &websocket::CLOSE_CODES {
        let one = it.first == it.last;
        let number = if one { it.first.to_string() } else { format!("{}-{}", it.first, it.last) };
        let mut code = entry(format!("ws.close.{number}"), it.symbol, it.meaning, it.section);
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
        let mut entry = entry(format!("ws.rules.{last}"), rule.words, rule.words, rule.section);
        let level = rule.level.map_or("described, without a MUST", judge::Level::word);
        entry.values = vec![
            ("weight".to_owned(), level.to_owned()),
            ("Close code".to_owned(), rule.close_code.to_string()),
        ];
        all.push(entry);
    }
}

//! The words for what the bytes of a connection mean.

use super::Page;
use crate::{
    analysis::conversation::{Body, Frame, Head, HeadLine, Layer, Message, Upgraded, What},
    event::Host,
    view::{Meaning, Way, plural, thousands},
    wire::{
        text,
        websocket::{close_code, opcode, opcode_entry, parse_close},
    },
};

/// So much of a field of a head is shown, in characters.
const FIELD: usize = 240;

/// A text in pieces, each with a meaning.
pub(super) struct Words(pub Vec<(String, Meaning)>);

/// Pieces.
pub(super) fn words<const N: usize>(pieces: [(&str, Meaning); N]) -> Words {
    Words(pieces.into_iter().map(|(text, meaning)| (text.to_owned(), meaning)).collect())
}

impl Words {
    /// And prose behind them.
    pub fn and(mut self, text: String) -> Words {
        self.0.push((text, Meaning::Prose));
        self
    }
}

/// Tells what the bytes of an end say.
pub(super) fn event(page: &mut Page, what: &What) {
    match what {
        What::Head(it) => head(page, it),
        What::Body(it) => body(page, it),
        What::Upgraded(it) => upgraded(page, it),
        What::Frame(it) => frame(page, it),
        What::Message(it) => message(page, it),
        // Of layers that carry others the uppermost says it all.
        What::Layer(it) if it.carries => {}
        What::Layer(it) => layer(page, it),
        What::Violation(it) => {
            let who = format!("the {} breaks a rule: ", it.from.name());
            let text = words([(&who, Meaning::Fails), (it.words, Meaning::Prose)]);
            page.line(Way::Wrong, text.and(format!(" ({})", it.section)));
        }
        // Bytes that mean nothing here stand with the read that brought them; how connections come and go is told by the tape.
        What::Data(_) | What::Packet(_) | What::Opened(_) | What::Bytes(_) => {}
        What::Missing(_) | What::Differs(_) | What::Ended(_) => {}
    }
}

fn head(page: &mut Page, it: &Head) {
    let way = way_of(it.from);
    let (kind, line, headers) = match &it.line {
        HeadLine::Request(head) => {
            let (method, target, version) = (&head.method, &head.target, head.version);
            let line = format!("{method} {target} HTTP/{}.{}", version.major, version.minor);
            ("request ", line.into_bytes(), &head.headers)
        }
        HeadLine::Response(head) => {
            let start = format!("HTTP/{}.{} {} ", head.version.major, head.version.minor, head.status);
            ("response ", [start.as_bytes(), &head.reason].concat(), &head.headers)
        }
        HeadLine::Broken(error) => {
            let who = format!("the {} breaks a rule: ", it.from.name());
            return page.line(Way::Wrong, words([(&who, Meaning::Fails), (error, Meaning::Prose)]));
        }
    };
    let line = text::shown(&line, FIELD);
    let size = format!(" ({})", plural(it.bytes.len(), "byte"));
    page.line(way, words([(kind, Meaning::Strong), (&line, Meaning::Code), (&size, Meaning::Quiet)]));
    for line in &headers.0 {
        let (name, value) = (format!("   {}: ", line.name), text::shown(&line.value, FIELD));
        page.line(way, words([(&name, Meaning::Label), (&value, Meaning::Code)]));
    }
}

/// `body, 5 bytes "hello"`
fn body(page: &mut Page, it: &Body) {
    let length = format!(", {}", size(it.length));
    let text = words([("body", Meaning::Strong), (&length, Meaning::Quiet)]);
    page.read(way_of(it.from), text, Some(it.shown));
}

fn upgraded(page: &mut Page, it: &Upgraded) {
    let (what, more) = match (it.handshake, it.deflate) {
        (false, _) => ("taken for a WebSocket", ""),
        (true, None) => ("upgraded to a WebSocket", ""),
        (true, Some(_)) => ("upgraded to a WebSocket", ", with permessage-deflate (RFC 7692)"),
    };
    let text = format!(": what follows in both directions are frames{more}");
    page.line(Way::Neither, words([(what, Meaning::Strong)]).and(text));
}

/// `text message is whole: 9 bytes in 2 frames`, if it says more than its only frame did.
fn message(page: &mut Page, it: &Message) {
    if it.is_its_frame() {
        return;
    }
    let mut how = match (it.compressed, it.packed) {
        (true, true) => format!("{}, which can't be inflated", size(it.length)),
        (true, false) => {
            format!("{}, inflated from {}", size(it.payload.len() as u64), thousands(it.length))
        }
        (false, _) => size(it.length),
    };
    if it.frames > 1 {
        how += &format!(" in {} frames", thousands(it.frames));
    }
    if it.carried.missing {
        how += ", a part of which is missing";
    }
    let kind = format!("{} message", opcode_entry(it.opcode).symbol.to_lowercase());
    let text = words([(&kind, Meaning::Strong)]).and(format!(" is whole: {how}"));
    page.read(way_of(it.from), text, Some(it.payload));
}

/// `Socket.IO EVENT msg "hello"`
fn layer(page: &mut Page, it: &Layer) {
    let name = format!("{} {}", it.protocol.name(), it.kind);
    let said = match (it.beat, it.words) {
        (true, "") => (" still there".to_owned(), Meaning::Quiet),
        (false, "") => (String::new(), Meaning::Plain),
        (_, words) => (format!(" {words}"), Meaning::Bytes),
    };
    page.line(way_of(it.from), words([(&name, Meaning::Strong), (&said.0, said.1)]));
}

/// `1 byte`, `1,234 bytes`
pub(super) fn size(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{} bytes", thousands(count)) }
}

/// Which way what this host sends goes.
fn way_of(from: Host) -> Way {
    match from {
        Host::Client => Way::ToServer,
        Host::Server => Way::ToClient,
    }
}

/// `frame text FIN, 5 bytes "hello"`
fn frame(page: &mut Page, it: &Frame) {
    let header = &it.header;
    let name = opcode_entry(header.opcode).symbol.to_lowercase();
    let mut marks = String::new();
    for (set, mark) in [
        (!header.fin, " without FIN"),
        (header.rsv1, " RSV1"),
        (header.rsv2, " RSV2"),
        (header.rsv3, " RSV3"),
        (header.key.is_some(), " masked"),
    ] {
        if set {
            marks += mark;
        }
    }
    let kind = format!("frame {name}");
    let mut text = words([(&kind, Meaning::Strong), (&marks, Meaning::Quiet)]);
    if header.opcode == opcode::CLOSE
        && let Ok(Some((code, _))) = parse_close(it.payload)
    {
        text.0.push((format!(" {code} {}", close_code(code).symbol), Meaning::State));
    }
    text.0.push((format!(", {} bytes", thousands(header.length)), Meaning::Quiet));
    let skipped = if header.opcode == opcode::CLOSE { it.payload.len().min(2) } else { 0 };
    page.read(way_of(it.from), text, Some(&it.payload[skipped..]));
}

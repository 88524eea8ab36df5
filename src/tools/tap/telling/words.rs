//! The words for what the bytes of a connection mean.

use super::{
    super::{
        End,
        story::{Event, Frame, Head},
    },
    Page, way,
};
use crate::{
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
pub(super) fn event(page: &mut Page, from: End, event: &Event) {
    match event {
        Event::Head(it) => head(page, from, it),
        Event::Upgraded { compressed } => {
            let more = if *compressed { ", with permessage-deflate (RFC 7692)" } else { "" };
            let text = format!(": what follows in both directions are frames{more}");
            page.line(Way::Neither, words([("upgraded to a WebSocket", Meaning::Strong)]).and(text));
        }
        Event::Frame(it) => frame(page, from, it),
        Event::Message { kind, length, frames } => {
            let frames = plural(usize::try_from(*frames).unwrap_or(usize::MAX), "frame");
            let text = format!(" is whole: {} bytes in {frames}", thousands(*length));
            page.line(way(from), words([(&format!("{kind} message"), Meaning::Strong)]).and(text));
        }
        Event::Broken { words: rule, section } => {
            let who = format!("the {} breaks a rule: ", from.name());
            let text = words([(&who, Meaning::Fails), (rule, Meaning::Prose)]);
            page.line(Way::Wrong, text.and(format!(" ({section})")));
        }
        Event::Unknown => {
            let text = format!(
                "the bytes of the {} are not taken apart from here on: no HTTP/1 and no WebSocket",
                from.name()
            );
            page.line(way(from), words([(&text, Meaning::Quiet)]));
        }
        Event::Lost => {
            let text = format!(
                "the {}'s stream can't be followed any more: bytes are missing that would say where the next begins",
                from.name()
            );
            page.line(way(from), words([(&text, Meaning::NotSeen)]));
        }
    }
}

fn head(page: &mut Page, from: End, it: &Head) {
    let kind = if it.request { "request " } else { "response " };
    let line = text::shown(&it.line, FIELD);
    let size = format!(" ({})", plural(it.length, "byte"));
    page.line(way(from), words([(kind, Meaning::Strong), (&line, Meaning::Code), (&size, Meaning::Quiet)]));
    for (name, value) in &it.fields {
        let value = text::shown(value, FIELD);
        page.line(way(from), words([(&format!("   {name}: "), Meaning::Label), (&value, Meaning::Code)]));
    }
}

/// `frame text FIN, 5 bytes "hello"`
fn frame(page: &mut Page, from: End, it: &Frame) {
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
        && let Ok(Some((code, _))) = parse_close(&it.payload)
    {
        text.0.push((format!(" {code} {}", close_code(code).symbol), Meaning::State));
    }
    let compressed = if it.compressed { ", compressed" } else { "" };
    text.0.push((format!(", {} bytes{compressed}", thousands(header.length)), Meaning::Quiet));
    let skipped = if header.opcode == opcode::CLOSE { it.payload.len().min(2) } else { 0 };
    page.read(way(from), text, Some(&it.payload[skipped..]));
}

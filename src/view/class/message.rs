//! A message of a connection in a line, and a broken rule in two.

use super::entry::{Entry, Layout, Mark};
use super::payload;
use crate::event::Message;
use crate::view::line::{Line, Meaning};
use crate::view::units::bytes;
use crate::view::upgrade::{consequences, offence};

/// `text "hello", 5 bytes`, with the bytes of its frame beside it if `frame` has them and there is room for
/// both.
pub(super) fn entry(layout: &Layout, it: &Message, frame: Option<(&[u8], usize)>) -> Entry {
    let mark = if it.received { Mark::Received } else { Mark::Sent };
    let look = layout.look();
    let frame = frame.filter(|_| layout.wire_room() > 0);
    let wire = frame.map(|(first, all)| look.line(hex(first, all, layout.wire_room()), Meaning::Quiet));
    Entry { wire, ..Entry::new(mark, text(layout, it)) }
}

/// The beginning of a frame that has `all` bytes.
fn hex(first: &[u8], all: usize, room: usize) -> String {
    let shown = payload::hex(first, room);
    match all > first.len() && !shown.ends_with('…') {
        // What is kept of it would fit: there is more all the same.
        true => payload::hex(first, room.min(3 * first.len() - 2)),
        false => shown,
    }
}

fn text(layout: &Layout, it: &Message) -> Line {
    let look = layout.look();
    let mut line = look.line(payload::cut(it.kind.as_bytes(), 12), Meaning::Strong);
    if let Some(code) = it.code {
        line.push(look.span(format!(" {code}"), Meaning::State));
    }
    if it.data.is_empty() {
        // An empty message is a message; that a Ping or a Close has no payload is usual.
        let size = if matches!(it.kind.as_str(), "text" | "binary") { ", 0 bytes" } else { "" };
        line.push(look.span(size, Meaning::Quiet));
        return line;
    }
    let size = format!(", {}", bytes(it.data.len()));
    let room = layout.room().saturating_sub(line.width() + 1 + size.len()).max(8);
    let shown = match it.kind.as_str() {
        "text" | "close" => payload::quoted(&it.data, room),
        "binary" => payload::hex(&it.data, room),
        _ => payload::shown(&it.data, room),
    };
    line.extend(look.spans([(" ", Meaning::Plain), (&shown, Meaning::Bytes), (&size, Meaning::Quiet)]));
    line
}

/// The rule that was broken, and what follows from that. `answered` is false if the answer could not be sent.
pub(super) fn violation(layout: &Layout, it: &Message, answered: bool) -> Vec<Entry> {
    let look = layout.look();
    let rule = it.rule.as_deref().unwrap_or("a rule of the protocol");
    let text = look.spans([(&format!("{}: ", offence(it)), Meaning::Fails), (rule, Meaning::Prose)]);
    let section: Vec<&str> = it.section.as_deref().into_iter().chain(it.level.as_deref()).collect();
    let mut first = Entry::new(Mark::Wrong, text);
    if !section.is_empty() {
        first = first.with_aside(look.span(section.join(", "), Meaning::Quiet));
    }
    let unanswered = Message { code: None, ..it.clone() };
    let more = consequences(if answered { it } else { &unanswered });
    let more = (!more.is_empty()).then(|| Entry::new(Mark::Neither, look.line(more, Meaning::Quiet)));
    std::iter::once(first).chain(more).collect()
}

//! The same message by every road: what each transport makes of it, layer in layer, and the bill of all of
//! them side by side.

use std::{ops::Range, time::Duration};

use super::{Bill, Side};
use crate::event::Host;
use crate::view::bytes::mostly_text;
use crate::view::line::{Line, Meaning};
use crate::view::look::Look;
use crate::view::sentences::{capital, sentence, stop};
use crate::view::units::{self, plural, thousands};
use crate::view::wrap::{Long, wrap};
use crate::view::{Depth, field_table, quote};
use crate::wire::{Field, LayerBytes, text};

/// A message of more bytes is quoted in part.
const QUOTED: usize = 40;

/// What was sent, and what became of it over each transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roads {
    /// All pieces of it once, one after the other.
    pub message: Vec<u8>,
    /// How many messages that was, with repeats.
    pub messages: usize,
    /// Who sent them.
    pub from: Host,
    /// How long a polling client pauses.
    pub interval: Duration,
    /// In the order in which they were asked for.
    pub roads: Vec<Road>,
}

/// A transport, and what became of the message there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Road {
    /// As it is typed.
    pub name: &'static str,
    /// As a heading says it.
    pub title: &'static str,
    /// In a sentence.
    pub about: &'static str,
    /// What it stands on, from the outside in.
    pub over: &'static [&'static str],
    /// The lesson that shows it.
    pub lesson: &'static str,
    /// What became of the message.
    pub outcome: Outcome,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It came.
    Carried {
        /// What that came to.
        side: Box<Side>,
        /// What the receiver's bytes of the first message are, from the outside in.
        layers: Vec<LayerBytes>,
        /// How often something is said that means nothing; none: never.
        beat: Option<Beat>,
    },
    /// It can't go this way: why.
    Cannot(String),
}

/// What is said when there is nothing to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// So often.
    pub every: Duration,
    /// What that is, and who says so.
    pub says: &'static str,
}

impl Beat {
    /// How many of them are in a minute, in thousandths.
    fn per_minute(self) -> u128 {
        60_000_000 / self.every.as_millis().max(1)
    }

    /// What a minute of them comes to, if one comes to `bill`: bytes on the wire where they are seen, else
    /// bytes given to send.
    pub fn minute(self, bill: &Bill, seen: bool) -> u64 {
        let one = if seen { bill.on_the_wire } else { bill.sent };
        u64::try_from(one as u128 * self.per_minute() / 1000).unwrap_or(u64::MAX)
    }
}

/// All of it.
pub fn roads(look: &Look, it: &Roads, depth: Depth) -> Vec<Line> {
    let dots = if it.message.len() > QUOTED { " …" } else { "" };
    let many = if it.messages == 1 { String::new() } else { format!(", {}", plural(it.messages, "message")) };
    let title = format!(
        "{}{dots} from the {}{many}, by {}",
        quote(&it.message[..it.message.len().min(QUOTED)]),
        it.from.name(),
        plural(it.roads.len(), "road")
    );
    let mut lines = vec![look.line(stop_if(look, &title), Meaning::Heading).indented(look.outdent())];
    for (at, road) in it.roads.iter().enumerate() {
        lines.push(Line::blank());
        lines.extend(heading(look, road));
        let same = |other: &&Road| matches!((&other.outcome, &road.outcome), (Outcome::Carried { layers: a, .. }, Outcome::Carried { layers: b, .. }) if a == b && a.len() > 1);
        match &road.outcome {
            Outcome::Carried { side, .. } if it.roads[..at].iter().any(|other| same(&other)) => {
                let before = it.roads[..at].iter().find(same).map_or("", |other| other.name);
                let text = format!("{}, as over {before}", units::bytes(side.bytes.len()));
                lines.extend(note(look, &text, Meaning::State));
            }
            Outcome::Carried { side, layers, .. } => lines.extend(carried(look, side, layers, depth)),
            Outcome::Cannot(why) => lines.extend(note(look, &format!("not here: {why}"), Meaning::NotSeen)),
        }
    }
    lines.push(Line::blank());
    lines.extend(bill(look, it));
    lines
}

fn stop_if(look: &Look, text: &str) -> String {
    if look.linear() { stop(text) } else { text.to_owned() }
}

/// `websocket   WebSocket on TCP on IP`
fn heading(look: &Look, road: &Road) -> Vec<Line> {
    let on: Vec<&str> = road.over.iter().rev().copied().collect();
    let below = match &on[..] {
        [itself, below @ ..] if *itself == road.title && !below.is_empty() => {
            format!(" on {}", below.join(" on "))
        }
        _ => format!(": {}", on.join(" on ")),
    };
    if look.linear() {
        let text = format!("{}: {}{below}. {}", road.name, road.title, stop(&capital(road.about)));
        return sentence(look, text, Meaning::Heading);
    }
    let line = look.spans([
        (road.name, Meaning::Heading),
        ("  ", Meaning::Plain),
        (road.title, Meaning::Strong),
        (&below, Meaning::Quiet),
    ]);
    let mut lines: Vec<Line> = wrap(&line, look.content(), 2, Long::Break)
        .into_iter()
        .map(|line| line.indented(look.indent()))
        .collect();
    lines.extend(note(look, road.about, Meaning::Quiet));
    lines
}

/// A line beneath a heading.
fn note(look: &Look, words: &str, meaning: Meaning) -> Vec<Line> {
    if look.linear() {
        return sentence(look, stop(&capital(words)), meaning);
    }
    wrap(&look.line(words, meaning), look.measure(), 0, Long::Break)
        .into_iter()
        .map(|line| line.indented(look.indent()))
        .collect()
}

/// The layers, one in the other, and every byte of each by its name.
fn carried(look: &Look, side: &Side, layers: &[LayerBytes], depth: Depth) -> Vec<Line> {
    if side.bytes.is_empty() {
        // A stream has no empty message; a datagram may be one.
        let words =
            if side.sends.is_empty() { "nothing was sent" } else { "it came, and there is no byte in it" };
        return note(look, words, Meaning::State);
    }
    let mut lines = segments(look, side);
    let around = usize::from(!lines.is_empty());
    for (inside, layer) in layers.iter().enumerate() {
        let inside = inside + around;
        lines.extend(named(look, inside, layer));
        if layer.fields.is_empty() {
            continue;
        }
        if depth > Depth::Summary || look.linear() {
            lines.extend(field_table(look, &layer.bytes, &layer.fields, depth.max(Depth::Fields)));
        } else {
            lines.extend(rows(look, inside, layer));
        }
    }
    lines
}

/// `TCP  2 segments: 1,448 + 552 bytes`, where they are seen.
fn segments(look: &Look, side: &Side) -> Vec<Line> {
    const SHOWN: usize = 4;
    let lengths: Vec<String> =
        side.segments.iter().take(SHOWN).map(|range| thousands(range.len() as u64)).collect();
    if lengths.is_empty() {
        return Vec::new();
    }
    let more = if side.segments.len() > SHOWN { " + …" } else { "" };
    let text = format!("{}: {}{more} bytes", plural(side.segments.len(), "segment"), lengths.join(" + "));
    if look.linear() {
        return sentence(look, format!("TCP, {text}."), Meaning::Strong);
    }
    let line = look.spans([("TCP", Meaning::Strong), ("  ", Meaning::Plain), (&text, Meaning::Quiet)]);
    vec![line.indented(look.indent())]
}

/// `└ Engine.IO  5 bytes`
fn named(look: &Look, inside: usize, layer: &LayerBytes) -> Vec<Line> {
    let length = units::bytes(layer.bytes.len());
    if look.linear() {
        let bytes = if layer.fields.is_empty() { shown(&layer.bytes) } else { String::new() };
        return sentence(look, format!("{}, {length}. {bytes}", capital(layer.protocol)), Meaning::Strong);
    }
    let mark = if inside == 0 { String::new() } else { format!("{}└ ", "  ".repeat(inside - 1)) };
    let mut line = look.spans([
        (&mark, Meaning::Rule),
        (layer.protocol, Meaning::Strong),
        ("  ", Meaning::Plain),
        (&length, Meaning::Quiet),
    ]);
    if layer.fields.is_empty() {
        line.space(2);
        line.push(look.span(shown(&layer.bytes), Meaning::Bytes));
    }
    let all = wrap(&line, look.content(), 2 * inside + 2, Long::Break);
    all.into_iter().map(|line| line.indented(look.indent())).collect()
}

/// Columns of the bytes in a row.
const BYTES: usize = 20;

/// A row for what shares a byte, or for what is text: its bytes, and their names and values.
fn rows(look: &Look, inside: usize, layer: &LayerBytes) -> Vec<Line> {
    let mut rows: Vec<(Range<usize>, Vec<&Field>)> = Vec::new();
    for field in &layer.fields {
        let bytes = field.bytes();
        match rows.last_mut() {
            // Fields of one byte, and signs that only part others, stand in one row.
            Some((range, fields)) if bytes.start < range.end || parts(field) => {
                range.end = range.end.max(bytes.end);
                if !parts(field) {
                    fields.push(field);
                }
            }
            _ => rows.push((bytes, vec![field])),
        }
    }
    let text = std::str::from_utf8(&layer.bytes).is_ok() && mostly_text(&layer.bytes);
    let margin = look.indent() + 2 * inside + 2;
    let mut lines = Vec::new();
    for (range, fields) in rows {
        let bytes = layer.bytes.get(range).unwrap_or_default();
        let cell = if text { text::shown(bytes, QUOTED) } else { text::hex(bytes, 6) };
        let mut line = look.line(&cell, Meaning::Bytes);
        let wide = line.width() >= BYTES;
        line.pad(if wide { line.width() + 2 } else { BYTES });
        for (at, field) in fields.iter().enumerate() {
            if at > 0 {
                line.push(look.span(" · ", Meaning::Quiet));
            }
            line.push(look.span(field.name, Meaning::Label));
            // Text says its value itself.
            let value = if text && field.symbol.is_none() && cell.len() > field.value.len() {
                ""
            } else {
                &field.value
            };
            let symbol = field.symbol.map(|symbol| format!(" [{symbol}]")).unwrap_or_default();
            if !value.is_empty() && *value != cell && (!text || symbol.is_empty()) {
                line.push(look.span(format!(" {value}"), Meaning::State));
            }
            line.push(look.span(symbol, Meaning::Strong));
        }
        let room = look.content().saturating_sub(2 * inside + 2);
        lines.extend(
            wrap(&line, room, if wide { 2 } else { BYTES }, Long::Break)
                .into_iter()
                .map(|line| line.indented(margin)),
        );
    }
    lines
}

/// Whether it is there only to part one field from the next.
fn parts(field: &Field) -> bool {
    matches!(field.name, "SP" | "CRLF" | "LF" | "EOL" | "NUL" | "comma")
}

/// `68 65 6c 6c 6f  "hello"`
fn shown(bytes: &[u8]) -> String {
    let quoted = std::str::from_utf8(bytes)
        .ok()
        .map(|_| format!("  {}", quote(&bytes[..bytes.len().min(QUOTED)])))
        .unwrap_or_default();
    format!("{}{quoted}", text::hex(bytes, 16))
}

/// A column of the bill.
struct Column {
    head: [&'static str; 2],
    width: usize,
    cell: fn(&Side, Option<Beat>) -> String,
    /// It takes a cable to see it.
    cable: bool,
}

const COLUMNS: [Column; 7] = [
    Column { head: ["bytes", "sent"], width: 8, cell: |side, _| number(side.bill.sent), cable: false },
    Column { head: ["", "packets"], width: 8, cell: |side, _| number(side.bill.packets), cable: true },
    Column {
        head: ["bytes on", "the wire"],
        width: 9,
        cell: |side, _| number(side.bill.on_the_wire),
        cable: true,
    },
    Column { head: ["system", "calls"], width: 7, cell: |side, _| number(side.bill.calls), cable: false },
    Column { head: ["trips", "before"], width: 7, cell: |side, _| number(side.round_trips), cable: false },
    Column { head: ["news", "after"], width: 8, cell: |side, _| news(side), cable: false },
    Column { head: ["idle bytes", "a minute"], width: 11, cell: idle, cable: false },
];

fn number(n: usize) -> String {
    thousands(n as u64)
}

fn news(side: &Side) -> String {
    side.news.map_or_else(|| "never".to_owned(), |time| units::time(nanos(time)))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn idle(side: &Side, beat: Option<Beat>) -> String {
    beat.map_or_else(|| "–".to_owned(), |beat| thousands(beat.minute(&side.beat, side.packets_seen)))
}

/// What it cost, a row for each.
fn bill(look: &Look, it: &Roads) -> Vec<Line> {
    let seen = it
        .roads
        .iter()
        .any(|road| matches!(&road.outcome, Outcome::Carried { side, .. } if side.packets_seen));
    let columns: Vec<&Column> = COLUMNS.iter().filter(|column| seen || !column.cable).collect();
    let mut lines = Vec::new();
    let name = it.roads.iter().map(|road| road.name.len()).max().unwrap_or(0);
    // Where there is room, columns stand apart.
    let taken = name + columns.iter().map(|column| column.width).sum::<usize>();
    let apart = (look.content().saturating_sub(taken) / columns.len().max(1)).min(3);
    // Where there is no room for a table, each has a line of its own.
    let narrow = look.content() < taken;
    if !look.linear() && !narrow {
        for at in 0..2 {
            let mut line = look.line(if at == 1 { "the bill" } else { "" }, Meaning::Strong);
            line.pad(name);
            for column in &columns {
                line.extend(right(look, column.head[at], column.width + apart, Meaning::Label));
            }
            lines.push(line.indented(look.indent()));
        }
    }
    for road in &it.roads {
        let Outcome::Carried { side, beat, .. } = &road.outcome else { continue };
        if look.linear() {
            let told: Vec<String> = columns
                .iter()
                .map(|column| format!("{}: {}", column.head.join(" ").trim(), (column.cell)(side, *beat)))
                .collect();
            lines.extend(sentence(look, format!("{}: {}.", road.name, told.join(", ")), Meaning::Prose));
            continue;
        }
        let mut line = look.line(road.name, Meaning::Strong);
        if narrow {
            for column in &columns {
                line.push(look.span(format!("  {} ", column.head.join(" ").trim()), Meaning::Label));
                line.push(look.span((column.cell)(side, *beat), Meaning::State));
            }
            let all = wrap(&line, look.content(), 2, Long::Break);
            lines.extend(all.into_iter().map(|line| line.indented(look.indent())));
            continue;
        }
        line.pad(name);
        for column in &columns {
            line.extend(right(look, &(column.cell)(side, *beat), column.width + apart, Meaning::State));
        }
        lines.push(line.indented(look.indent()));
    }
    lines.push(Line::blank());
    lines.extend(legend(look, it, seen));
    lines
}

fn right(look: &Look, text: &str, width: usize, meaning: Meaning) -> Line {
    let line = look.line(text, meaning);
    let shift = width.saturating_sub(line.width());
    line.indented(shift)
}

/// What the columns mean, and where their numbers come from.
fn legend(look: &Look, it: &Roads, seen: bool) -> Vec<Line> {
    let what = if it.messages == 1 { "the message" } else { "all messages" };
    let mut text = format!(
        "**{}** are for {what}, both ways{}. \
         **trips before**: what had to go there and back before the first message could go. \
         **news after**: the server has a message now; so long until the client has it. *never*: not before it is asked. A client that polls asks every {}; \
         here the message came in the middle of that. **idle**: what a minute costs in which nothing is said.",
        if seen { "Bytes, packets and calls" } else { "Bytes and calls" },
        if seen {
            ", with their ACKs (when a kernel sends one is its own choice, so packets differ from run to run)"
        } else {
            ""
        },
        units::time(nanos(it.interval)),
    );
    let mut beats: Vec<(Vec<&str>, &str)> = Vec::new();
    for road in &it.roads {
        let Outcome::Carried { beat: Some(beat), .. } = &road.outcome else { continue };
        match beats.iter_mut().find(|(_, says)| *says == beat.says) {
            Some((names, _)) => names.push(road.name),
            None => beats.push((vec![road.name], beat.says)),
        }
    }
    let beats: Vec<String> =
        beats.iter().map(|(names, says)| format!("{}: {says}", names.join(", "))).collect();
    if !beats.is_empty() {
        text += &format!("\n\nWhen nothing is said: {}.", beats.join("; "));
    }
    if !seen {
        text += "\n\n*Packets are not seen on loopback: they are on the cable.*";
    }
    let lessons: Vec<String> =
        it.roads.iter().map(|road| format!("`sockwalk run {}`", road.lesson)).collect();
    if let [first, ..] = &lessons[..] {
        text += &format!("\n\nEach has a lesson, such as {first}.");
    }
    crate::view::markdown(look, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_as_many_beats_as_fit() {
        let beat = Beat { every: Duration::from_secs(25), says: "" };
        let bill = Bill { on_the_wire: 100, sent: 10, ..Bill::default() };
        assert_eq!((beat.minute(&bill, true), beat.minute(&bill, false)), (240, 24));
    }
}

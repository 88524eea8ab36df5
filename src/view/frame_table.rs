//! All bytes of a frame, layer by layer: in hex with a letter under each, and field by field what they are.

use super::bytes::{hex, mostly_text};
use super::call::{LABEL, host_meaning, labelled, room};
use super::columns::{GAP, beside};
use super::line::{Line, Meaning};
use super::look::Look;
use super::passage::label;
use super::sentences::sentence;
use super::units;
use super::working::{Letters, Rows, TALL, common_document, dump, picture, rows_linear, text_dump};
use super::wrap::aside;
use crate::event::{Event, Frame, Row, What, Working};
use crate::wire::{
    Field, Layer, Protocol,
    flow::Flows,
    frame::{Context, Dissection, dissect},
    summary,
    tcp::Seen,
};

/// No more bytes of a layer than this are shown in hex.
const LONGEST: usize = 128;
/// A name wider than this wraps.
const NAME: usize = 22;
/// The same beside what it means: so there is room for both on a wide screen.
const SHORT_NAME: usize = 19;

/// How much is told of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Depth {
    /// A line.
    #[default]
    Summary,
    /// All bytes, by the names of their fields.
    Fields,
    /// Also what each field means, and where that is defined.
    Why,
}

/// The frame as deep as is asked for. `seen` is what its conversation says of it, if that is known.
pub fn frame_table(look: &Look, frame: &Frame, seen: Option<&Seen>, depth: Depth) -> Vec<Line> {
    let mut lines = title(look, frame, seen);
    if depth == Depth::Summary {
        return lines;
    }
    let told = dissect(&frame.bytes, Context { seen, ..Context::default() });
    for layer in &told.layers {
        if !look.linear() {
            lines.push(Line::blank());
        }
        lines.extend(layer_table(look, frame, &told, layer, depth));
    }
    lines
}

/// Looks for one frame in the events of a run, and knows the conversation that it belongs to.
#[derive(Debug)]
pub struct OneFrame {
    look: Look,
    number: u64,
    depth: Depth,
    flows: Flows,
    last: Option<u64>,
}

impl OneFrame {
    /// Looks for the frame of this number, to tell it so deep.
    pub fn new(look: Look, number: u64, depth: Depth) -> Self {
        OneFrame { look, number, depth, flows: Flows::default(), last: None }
    }

    /// The table, with the event that has the frame.
    pub fn take(&mut self, event: &Event) -> Option<Vec<Line>> {
        match &event.what {
            What::Lesson(_) => self.flows = Flows::default(),
            What::Frame(frame) => {
                let (_, seen) = label(&mut self.flows, frame);
                self.last = self.last.max(Some(frame.number));
                if frame.number == self.number {
                    return Some(frame_table(&self.look, frame, seen.as_ref(), self.depth));
                }
            }
            _ => {}
        }
        None
    }

    /// The highest number so far; `None` if there was no frame.
    pub fn last(&self) -> Option<u64> {
        self.last
    }
}

fn title(look: &Look, frame: &Frame, seen: Option<&Seen>) -> Vec<Line> {
    let words = summary::short(&frame.bytes, seen);
    let size = units::bytes(frame.bytes.len());
    if look.linear() {
        let (from, to) = (frame.from, frame.from.other());
        let text = format!("Frame {}, from the {from} to the {to}: {words}, {size}.", frame.number);
        return sentence(look, text, Meaning::Heading);
    }
    let words = look.line(format!("#{} {words}", frame.number), Meaning::Heading);
    let title = aside(&words, look.span(size, Meaning::Quiet), room(look), 2);
    labelled(look, look.span(frame.from.name(), host_meaning(frame.from)), title)
}

fn layer_table(look: &Look, frame: &Frame, told: &Dissection, layer: &Layer, depth: Depth) -> Vec<Line> {
    let base = layer.bytes.start;
    let fields = told.fields_of(layer).iter();
    let it = Working {
        host: frame.from,
        socket: None,
        title: name(layer),
        bytes: frame.bytes.get(layer.bytes.clone()).unwrap_or_default().to_vec(),
        rows: fields.map(|field| row(field, base * 8, depth)).collect(),
    };
    let last = layer.bytes.end.saturating_sub(1).max(base);
    if look.linear() {
        let place = format!("{}, bytes {base} to {last}.", it.title);
        let mut lines = sentence(look, place, Meaning::Heading);
        if it.bytes.len() <= LONGEST {
            lines.extend(sentence(look, format!("In hex: {}.", hex(&it.bytes)), Meaning::Bytes));
        }
        lines.extend(rows_linear(look, &it, base));
        return lines;
    }
    let document = common_document(&it.rows);
    let place = if it.bytes.len() == 1 { format!("byte {base}") } else { format!("bytes {base}–{last}") };
    let note = [place.as_str(), document].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
    let title = look.line(&it.title, Meaning::Heading);
    let title = aside(&title, look.span(note.join(" · "), Meaning::Quiet), look.content(), 2);
    let mut lines: Vec<Line> = title.into_iter().map(|line| line.indented(look.indent())).collect();
    lines.extend(dumped(look, &it, base));
    lines.extend(match depth {
        Depth::Fields if look.wide() => values(look, &it),
        _ => Rows::new(look, &it, &Letters::of(&it), document, SHORT_NAME).lines(),
    });
    lines
}

/// `TCP`; what an ICMP message quotes is said to be that.
fn name(layer: &Layer) -> String {
    let name = match layer.protocol {
        Protocol::Data => "Data",
        Protocol::Trailer => "Trailer",
        other => other.name(),
    };
    if layer.quoted { format!("{name}, quoted") } else { name.to_owned() }
}

/// A field with its bits counted from `start`.
fn row(field: &Field, start: usize, depth: Depth) -> Row {
    let symbol = field.symbol.map(|symbol| format!(" ({symbol})")).unwrap_or_default();
    let why = depth == Depth::Why;
    Row {
        name: field.name.to_owned(),
        value: format!("{}{symbol}", field.value),
        meaning: if why { field.meaning.clone() } else { String::new() },
        bits: Some((field.bits.start.saturating_sub(start), field.bits.end.saturating_sub(start))),
        section: Some(field.section.to_owned()).filter(|section| why && !section.is_empty()),
    }
}

/// The bytes with their letters; long text line by line, and of long data the beginning.
fn dumped(look: &Look, it: &Working, base: usize) -> Vec<Line> {
    let letters = Letters::of(it);
    if it.bytes.len() > TALL && it.rows.len() > 1 && mostly_text(&it.bytes) {
        return text_dump(look, it, &letters, base);
    }
    let more = it.bytes.len().saturating_sub(LONGEST);
    if more == 0 {
        return dump(look, it, &letters, base);
    }
    let beginning = Working { bytes: it.bytes[..LONGEST].to_vec(), ..it.clone() };
    let mut lines = dump(look, &beginning, &letters, base);
    let rest = look.line(format!("… and {} more", units::bytes(more)), Meaning::Quiet);
    lines.push(rest.indented(look.indent() + LABEL));
    lines
}

/// The fields without why: letter, bits, name, value.
fn values(look: &Look, it: &Working) -> Vec<Line> {
    let letters = Letters::of(it);
    let width = |text: &str| look.span(text, Meaning::Plain).width();
    let name = it.rows.iter().map(|row| width(&row.name).min(NAME)).max().unwrap_or(0);
    let bits = it.rows.iter().map(|row| width(&picture(it, row))).max().unwrap_or(0);
    let mut lines = Vec::new();
    let mut last = None;
    for row in &it.rows {
        let letter = letters.of_row(row);
        let mark = letter.filter(|letter| last != Some(*letter)).map(String::from).unwrap_or_default();
        last = letter.or(last);
        let mut cells = vec![(look.line(mark, Meaning::Key), 1)];
        if bits > 0 {
            cells.push((look.line(picture(it, row), Meaning::Bytes), bits));
        }
        cells.push((look.line(&row.name, Meaning::Label), name));
        let taken: usize = cells.iter().map(|(_, width)| width + GAP).sum();
        cells.push((look.line(&row.value, Meaning::State), look.content().saturating_sub(taken).max(1)));
        lines.extend(beside(&cells).into_iter().map(|line| line.indented(look.indent())));
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::{Cause, Host};
    use crate::view::{Form, Glyphs};
    use crate::wire::fuzz::{Random, mutate, sample};

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let nearly = any::<u64>().prop_map(|seed| {
            let mut random = Random::new(seed);
            let mut bytes = sample(&mut random);
            mutate(&mut random, &mut bytes);
            bytes
        });
        prop_oneof![nearly, proptest::collection::vec(any::<u8>(), 0..300)]
    }

    proptest! {
        /// Whatever a frame holds, its table fits the screen and steers no terminal.
        #[test]
        fn any_bytes_have_a_table(
            bytes in bytes(), width in 40..=200usize, linear: bool, ascii: bool, why: bool
        ) {
            let form = if linear { Form::Linear } else { Form::Screen };
            let glyphs = if ascii { Glyphs::Ascii } else { Glyphs::Unicode };
            let look = Look::new(width, glyphs, form);
            let depth = if why { Depth::Why } else { Depth::Fields };
            let (number, from) = (7, Host::Server);
            let frame = Frame { number, from, ns: 0, bytes, cause: Cause::Unknown, call: None, again: None };
            for line in frame_table(&look, &frame, None, depth) {
                prop_assert!(linear || line.width() <= width, "{} columns of {width}: {line}", line.width());
                prop_assert!(!line.to_string().chars().any(char::is_control), "{line:?}");
            }
        }
    }
}

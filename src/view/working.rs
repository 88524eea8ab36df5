//! A worked example: its bytes in hex, a letter below each, and the meaning of each value.

use super::bytes::{characters, hex, mostly_text};
use super::call::{LABEL, host_meaning, labelled, room};
use super::columns::{GAP, beside};
use super::escape::quote;
use super::line::{Line, Meaning};
use super::look::Look;
use super::sentences::{capital, sentence, stop, the_host};
use super::units;
use super::upgrade::split_section;
use super::wrap::{Long, aside, wrap};
use crate::event::{Row, Working};

/// Maximum width of the value column; a wider value extends to the margin, with its meaning below.
const VALUE: usize = 20;
/// Maximum width of the name column; a wider name wraps.
const NAME: usize = 18;
/// Minimum width of the meaning column; below it the rows are not laid out as a table.
const MEANING: usize = 24;
/// Maximum length of a text shown in hex, in bytes: an HTTP head would fill two screens.
pub(super) const TALL: usize = 64;
/// Bytes per row of the dump.
const PER_ROW: usize = 8;

/// Renders the title, the bytes and the rows.
pub(super) fn working(look: &Look, it: &Working) -> Vec<Line> {
    if look.linear() {
        return linear(look, it);
    }
    let document = common_document(&it.rows);
    let size = if it.bytes.is_empty() { String::new() } else { units::bytes(it.bytes.len()) };
    let note =
        [size.as_str(), document].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ");
    let title =
        aside(&look.line(&it.title, Meaning::Heading), look.span(note, Meaning::Quiet), room(look), 2);
    let mut lines = labelled(look, look.span(it.host.name(), host_meaning(it.host)), title);
    lines.extend(bytes_and_rows(look, it, document));
    lines
}

/// Renders the bytes and the rows without a title.
pub(super) fn table(look: &Look, it: &Working) -> Vec<Line> {
    if look.linear() {
        return bytes_and_rows_linear(look, it);
    }
    let document = common_document(&it.rows);
    let mut lines = Vec::new();
    if !document.is_empty() {
        lines.push(look.line(document, Meaning::Quiet).indented(look.indent()));
    }
    lines.extend(bytes_and_rows(look, it, document));
    lines
}

fn bytes_and_rows(look: &Look, it: &Working, document: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let letters = Letters::of(it);
    if !it.bytes.is_empty() && !letters.ranges.is_empty() {
        lines.push(Line::blank());
        let text = it.bytes.len() > TALL && mostly_text(&it.bytes);
        lines.extend(if text { text_dump(look, it, &letters, 0) } else { dump(look, it, &letters, 0) });
    }
    lines.push(Line::blank());
    lines.extend(Rows::new(look, it, &letters, document, NAME).lines());
    lines
}

/// The document that all rows cite, if it is the same: the title names it once.
pub(super) fn common_document(rows: &[Row]) -> &str {
    let mut documents =
        rows.iter().filter_map(|row| row.section.as_deref()).map(|section| split_section(section).0);
    let first = documents.next().unwrap_or_default();
    if documents.all(|other| other == first) { first } else { "" }
}

/// The letters that link bytes and rows: one for each range of whole bytes that a row describes.
pub(super) struct Letters {
    ranges: Vec<(usize, usize)>,
}

impl Letters {
    pub fn of(it: &Working) -> Self {
        let mut ranges = Vec::new();
        for row in &it.rows {
            if let Some(range) = whole_bytes(row).filter(|range| !ranges.contains(range)) {
                ranges.push(range);
            }
        }
        Letters { ranges }
    }

    /// Returns a to z, then A to Z; later ranges have no letter.
    fn letter(at: usize) -> Option<char> {
        (b'a'..=b'z').chain(b'A'..=b'Z').nth(at).map(char::from)
    }

    pub fn of_row(&self, row: &Row) -> Option<char> {
        let range = whole_bytes(row)?;
        Letters::letter(self.ranges.iter().position(|known| *known == range)?)
    }

    /// Returns the letter of the narrowest range that contains the byte.
    fn of_byte(&self, at: usize) -> Option<char> {
        let holds = |(from, to): &(usize, usize)| (*from..*to).contains(&at);
        let range = self.ranges.iter().filter(|range| holds(range)).min_by_key(|(from, to)| to - from)?;
        Letters::letter(self.ranges.iter().position(|known| known == range)?)
    }
}

/// The byte range of a row; the end is exclusive.
fn whole_bytes(row: &Row) -> Option<(usize, usize)> {
    row.bits.filter(|(from, to)| from < to).map(|(from, to)| (from / 8, to.div_ceil(8)))
}

/// Renders the bytes in hex with their letters below; `base` is the offset of the first byte.
pub(super) fn dump(look: &Look, it: &Working, letters: &Letters, base: usize) -> Vec<Line> {
    let hex_width = 3 * PER_ROW - 1;
    let mut lines = Vec::new();
    for (row, bytes) in it.bytes.chunks(PER_ROW).enumerate() {
        let offset = row * PER_ROW;
        let mut line = Line::blank();
        line.space(look.indent());
        line.extend(look.line((base + offset).to_string(), Meaning::Quiet));
        line.pad(look.indent() + LABEL);
        line.extend(look.line(hex(bytes), Meaning::Bytes));
        if look.wide() {
            line.pad(look.indent() + LABEL + hex_width + 3);
            line.extend(look.line(characters(bytes), Meaning::Quiet));
        }
        lines.push(line);
        let under = (offset..offset + bytes.len()).map(|at| letters.of_byte(at).unwrap_or(' '));
        let under: String = under.map(|letter| format!("{letter}  ")).collect();
        lines.push(look.line(under.trim_end(), Meaning::Key).indented(look.indent() + LABEL));
    }
    lines
}

/// Renders the bytes as text, one line per range, with offset and letter.
pub(super) fn text_dump(look: &Look, it: &Working, letters: &Letters, base: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut ranges: Vec<&(usize, usize)> = letters.ranges.iter().collect();
    ranges.sort_unstable();
    for (from, to) in ranges {
        let Some(bytes) = it.bytes.get(*from..*to) else { continue };
        let letter = letters.of_byte(*from).map(String::from).unwrap_or_default();
        let quoted = wrap(&look.line(quote(bytes), Meaning::Bytes), room(look) - 3, 1, Long::Break);
        for (index, text) in quoted.into_iter().enumerate() {
            let mut line = Line::blank();
            line.space(look.indent());
            if index == 0 {
                line.extend(look.line((base + from).to_string(), Meaning::Quiet));
                line.pad(look.indent() + LABEL - 3);
                line.extend(look.line(&letter, Meaning::Key));
            }
            line.pad(look.indent() + LABEL);
            line.extend(text);
            lines.push(line);
        }
    }
    lines
}

/// The position of a row within its byte: `1... ....` for bits, empty for whole bytes.
pub(super) fn picture(it: &Working, row: &Row) -> String {
    let Some((from, to)) = row.bits.filter(|(from, to)| from < to) else { return String::new() };
    let (byte, within) = (from / 8, from % 8..from % 8 + (to - from));
    if within == (0..8) || within.end > 8 {
        return String::new();
    }
    let Some(value) = it.bytes.get(byte) else { return String::new() };
    let bit = |at: usize| match (within.contains(&at), value >> (7 - at) & 1) {
        (false, _) => '.',
        (true, 0) => '0',
        (true, _) => '1',
    };
    let bits: Vec<char> = (0..8).map(bit).collect();
    format!("{} {}", bits[..4].iter().collect::<String>(), bits[4..].iter().collect::<String>())
}

/// The rows below the bytes, as a table or, on a narrow screen, as a list.
pub(super) struct Rows<'a> {
    look: &'a Look,
    it: &'a Working,
    letters: &'a Letters,
    document: &'a str,
    /// Widths of the letter, bits, name, value and section columns; 0 if absent.
    letter: usize,
    bits: usize,
    name: usize,
    value: usize,
    section: usize,
}

impl<'a> Rows<'a> {
    /// Names wider than `name` wrap.
    pub fn new(
        look: &'a Look,
        it: &'a Working,
        letters: &'a Letters,
        document: &'a str,
        name: usize,
    ) -> Self {
        let mut rows =
            Rows { look, it, letters, document, letter: 0, bits: 0, name: 0, value: 0, section: 0 };
        rows.letter = usize::from(!letters.ranges.is_empty());
        for row in &it.rows {
            let width = |text: &str| look.span(text, Meaning::Plain).width();
            rows.bits = rows.bits.max(width(&picture(it, row)));
            rows.name = rows.name.max(width(&row.name).min(name));
            rows.value = rows.value.max(Some(width(&row.value)).filter(|w| *w <= VALUE).unwrap_or(0));
            rows.section = rows.section.max(width(rows.place(row)));
        }
        rows
    }

    /// The citation of the row: `§5.2` if the title names the document, otherwise in full.
    fn place(&self, row: &'a Row) -> &'a str {
        let section = row.section.as_deref().unwrap_or_default();
        let (document, place) = split_section(section);
        if document == self.document { place } else { section }
    }

    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut last = None;
        for row in &self.it.rows {
            let letter = self.letters.of_row(row);
            let mark = letter.filter(|letter| last != Some(*letter)).map(String::from).unwrap_or_default();
            last = letter.or(last);
            let mark = self.look.line(mark, Meaning::Key);
            let place = if self.section > 0 { GAP + self.section } else { 0 };
            if self.look.wide() && self.meaning_at() + MEANING + place <= self.look.content() {
                lines.extend(self.beside(row, mark));
            } else {
                lines.extend(self.below(row, mark));
            }
        }
        lines.into_iter().map(|line| line.indented(self.look.indent())).collect()
    }

    /// Column of the value.
    fn value_at(&self) -> usize {
        [self.letter, self.bits, self.name]
            .into_iter()
            .filter(|width| *width > 0)
            .map(|width| width + GAP)
            .sum()
    }

    /// Column of the meaning, if it stands beside the value.
    fn meaning_at(&self) -> usize {
        self.value_at() + if self.value > 0 { self.value + GAP } else { 0 }
    }

    fn beside(&self, row: &'a Row, mark: Line) -> Vec<Line> {
        let look = self.look;
        let mut cells = Vec::new();
        for (text, width) in [
            (mark, self.letter),
            (look.line(picture(self.it, row), Meaning::Bytes), self.bits),
            (look.line(&row.name, Meaning::Label), self.name),
        ] {
            if width > 0 {
                cells.push((text, width));
            }
        }
        let value = look.line(&row.value, Meaning::State);
        let meaning = look.line(&row.meaning, Meaning::Prose);
        let place = look.line(self.place(row), Meaning::Quiet);
        let edge = self.look.content() - if self.section > 0 { self.section + GAP } else { 0 };
        let place = place.clone().indented(self.section.saturating_sub(place.width()));
        if value.width() <= self.value {
            if self.value > 0 {
                cells.push((value, self.value));
            }
            cells.push((meaning, edge.saturating_sub(self.meaning_at())));
            cells.push((place, self.section));
            return beside(&cells);
        }
        // The value is too wide for its column: it extends to the margin, with the meaning below.
        cells.push((value, look.content() - self.value_at()));
        let mut lines = beside(&cells);
        let below = [(meaning, edge.saturating_sub(self.value_at())), (place, self.section)];
        let below = beside(&below).into_iter().filter(|line| !line.is_blank());
        lines.extend(below.map(|line| line.indented(self.value_at())));
        lines
    }

    fn below(&self, row: &'a Row, mark: Line) -> Vec<Line> {
        let look = self.look;
        let shift = if self.letter > 0 { self.letter + GAP } else { 0 };
        let room = look.content() - shift;
        let name =
            look.spans([(&row.name, Meaning::Label), ("  ", Meaning::Plain), (&row.value, Meaning::State)]);
        let name = aside(&name, look.span(picture(self.it, row), Meaning::Bytes), room, 2);
        let mut meaning = look.line(&row.meaning, Meaning::Prose);
        meaning.space(if meaning.is_blank() { 0 } else { GAP });
        meaning.push(look.span(self.place(row), Meaning::Quiet));
        let meaning = wrap(&meaning, room - 2, 0, Long::Break).into_iter().filter(|line| !line.is_blank());
        let mut mark = Some(mark);
        let mut lines = Vec::new();
        for text in name.into_iter().chain(meaning.map(|line| line.indented(2))) {
            let mut line = mark.take().unwrap_or_default();
            line.pad(shift);
            line.extend(text);
            lines.push(line);
        }
        lines
    }
}

fn linear(look: &Look, it: &Working) -> Vec<Line> {
    let size =
        if it.bytes.is_empty() { String::new() } else { format!(", {}", units::bytes(it.bytes.len())) };
    let mut lines =
        sentence(look, format!("{} works out {}{size}.", the_host(it.host), it.title), Meaning::Heading);
    lines.extend(bytes_and_rows_linear(look, it));
    lines
}

fn bytes_and_rows_linear(look: &Look, it: &Working) -> Vec<Line> {
    let mut lines = Vec::new();
    if !it.bytes.is_empty() {
        lines.extend(sentence(look, format!("In hex: {}.", hex(&it.bytes)), Meaning::Bytes));
    }
    lines.extend(rows_linear(look, it, 0));
    lines
}

/// Renders a sentence for each row; `base` is the offset of the first byte.
pub(super) fn rows_linear(look: &Look, it: &Working, base: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for row in &it.rows {
        let place = match row.bits {
            Some((from, to)) if from % 8 == 0 && to == from + 8 => format!(", byte {}", base + from / 8),
            Some((from, to)) if from % 8 == 0 && to % 8 == 0 && from < to => {
                format!(", bytes {} to {}", base + from / 8, base + to / 8 - 1)
            }
            Some((from, to)) if to == from + 1 => format!(", byte {} bit {}", base + from / 8, from % 8),
            Some((from, to)) if from < to => {
                format!(", bits {} to {}", base * 8 + from, base * 8 + to - 1)
            }
            _ => String::new(),
        };
        let told = [format!("{}{place}: {}", row.name, row.value), row.meaning.clone()];
        let told = told.into_iter().chain(row.section.clone()).filter(|part| !part.is_empty());
        let text = told.map(|part| stop(&capital(&part))).collect::<Vec<_>>().join(" ");
        lines.extend(sentence(look, text, Meaning::State));
    }
    lines
}

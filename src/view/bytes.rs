//! Bytes for reading: as quoted text, and in hex with their offset.

use super::escape::quote;
use super::line::{Line, Meaning};
use super::look::Look;
use super::units;
use super::wrap::{Long, wrap};
use crate::wire::text;

/// Up to so many bytes are shown in hex beneath the text.
const SHORT: usize = 32;
/// No more bytes than this are looked at: a call may have received millions, and a screen holds few.
const LOOKED_AT: usize = 4096;
/// Up to so many lines of text are shown of what was received.
const LINES: usize = 10;

/// A line of bytes, and in a dump the offset of its first one.
pub(super) type Piece = (Option<usize>, Line);

/// What was received, `room` columns wide: as text, a line for each line of it, and in hex if it is short.
pub(super) fn received(look: &Look, data: &[u8], room: usize) -> Vec<Piece> {
    let mut lines: Vec<Piece> = Vec::new();
    if mostly_text(data) {
        lines.extend(as_text(look, data, room).into_iter().map(|line| (None, line)));
    }
    if lines.is_empty() || data.len() <= SHORT {
        let shown = &data[..data.len().min(4 * SHORT)];
        lines.extend(dump(look, shown, room));
        if shown.len() < data.len() {
            lines.push((None, more(look, data.len() - shown.len())));
        }
    }
    lines
}

/// The beginning of it in quotation marks, at most `room` columns: for a line that tells of more than this.
pub(super) fn glimpse(data: &[u8], room: usize) -> String {
    let mut end = data.len().min(room);
    loop {
        let mut text = as_bytes(data, &data[..end]);
        if end < data.len() {
            text.push('…');
        }
        if text.chars().count() <= room || end == 0 {
            return text;
        }
        end -= 1;
    }
}

/// A piece of `whole` in quotation marks. What is not text as a whole is no text in its parts: bytes that
/// happen to make a letter somewhere in a masked frame are bytes.
fn as_bytes(whole: &[u8], piece: &[u8]) -> String {
    let text = match std::str::from_utf8(beginning(whole)) {
        Ok(_) => true,
        // Only the last character is cut off.
        Err(error) => whole.len() > LOOKED_AT && error.error_len().is_none(),
    };
    if text { quote(piece) } else { format!("\"{}\"", piece.escape_ascii()) }
}

fn as_text(look: &Look, data: &[u8], room: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut shown = 0;
    for piece in beginning(data).split_inclusive(|&b| b == b'\n') {
        let quoted = wrap(&look.line(as_bytes(data, piece), Meaning::Bytes), room, 1, Long::Break);
        if !lines.is_empty() && lines.len() + quoted.len() > LINES {
            break;
        }
        let too_tall = quoted.len() > LINES;
        lines.extend(quoted.into_iter().take(LINES));
        shown += piece.len();
        if too_tall {
            lines.push(look.line("…", Meaning::Quiet));
            break;
        }
    }
    if shown < data.len() {
        lines.push(more(look, data.len() - shown));
    }
    lines
}

fn more(look: &Look, n: usize) -> Line {
    look.line(format!("… and {} more", units::bytes(n)), Meaning::Quiet)
}

/// Rows of hex, each with the offset of its first byte.
fn dump(look: &Look, data: &[u8], room: usize) -> Vec<Piece> {
    let per_row = if room >= 3 * 16 { 16 } else { 8 };
    let row = |(row, bytes): (usize, &[u8])| (Some(row * per_row), look.line(hex(bytes), Meaning::Bytes));
    data.chunks(per_row).enumerate().map(row).collect()
}

/// `81 85 37 fa`
pub(super) fn hex(bytes: &[u8]) -> String {
    text::hex(bytes, bytes.len())
}

/// The same bytes as characters, with a dot for what is none: `..7.!=`.
pub(super) fn characters(bytes: &[u8]) -> String {
    bytes.iter().map(|&b| if b == b' ' || b.is_ascii_graphic() { char::from(b) } else { '.' }).collect()
}

fn beginning(data: &[u8]) -> &[u8] {
    &data[..data.len().min(LOOKED_AT)]
}

/// True if what is no text is the exception in it.
pub(super) fn mostly_text(data: &[u8]) -> bool {
    let data = beginning(data);
    let strange = String::from_utf8_lossy(data)
        .chars()
        .filter(|&c| c == char::REPLACEMENT_CHARACTER || (c.is_control() && !matches!(c, '\n' | '\r' | '\t')))
        .count();
    strange * 4 <= data.len()
}

#[cfg(test)]
mod tests {
    use super::super::look::{Form, Glyphs};
    use super::*;

    fn shown(data: &[u8]) -> Vec<String> {
        let look = Look::new(80, Glyphs::Unicode, Form::Screen);
        let text = |(offset, line): (Option<usize>, Line)| match offset {
            Some(offset) => format!("{offset}: {line}"),
            None => line.to_string(),
        };
        received(&look, data, 67).into_iter().map(text).collect()
    }

    #[test]
    fn short_text_is_shown_as_text_and_in_hex() {
        assert_eq!(shown(b"hello"), ["\"hello\"", "0: 68 65 6c 6c 6f"]);
    }

    #[test]
    fn a_head_is_shown_line_by_line() {
        let lines = shown(b"GET / HTTP/1.1\r\nHost: server.example:7000\r\n\r\n");
        assert_eq!(lines, ["\"GET / HTTP/1.1\\r\\n\"", "\"Host: server.example:7000\\r\\n\"", "\"\\r\\n\""]);
    }

    #[test]
    fn much_is_cut_and_the_rest_counted() {
        let lines = shown(&[b'a'; 5_000]);
        assert!(lines.len() <= LINES + 2, "{lines:?}");
        let lines = shown("line\n".repeat(100).as_bytes());
        assert_eq!(lines.last().unwrap(), "… and 450 bytes more");
    }

    #[test]
    fn what_is_no_text_is_shown_in_hex_alone() {
        assert_eq!(shown(&[0x81, 0x85, 0x00, 0x01]), ["0: 81 85 00 01"]);
    }

    #[test]
    fn a_glimpse_keeps_to_its_room() {
        assert_eq!(glimpse(b"hello", 10), "\"hello\"");
        assert_eq!(glimpse(b"hello, world", 10), "\"hello, \"…");
    }
}

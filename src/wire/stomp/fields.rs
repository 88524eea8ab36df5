//! The fields of frames, also of frames that are wrong or cut off.

use std::ops::Range;

use super::{
    Version, command_entry,
    escape::{escapes, unescape},
    header_entry,
};
use crate::wire::{
    field::{Field, fill},
    text,
};

/// Characters shown of a value.
const SHOWN: usize = 120;

const FRAMES: &str = "STOMP 1.2, STOMP Frames";
const BNF: &str = "STOMP 1.2, Augmented BNF";
const LENGTH: &str = "STOMP 1.2, Header content-length";

/// Returns the fields of consecutive frames, named as in the specification, by the rules of 1.2.
///
/// Rules are not checked. A malformed field says what is wrong, and a frame that is cut off ends with its
/// last octet.
pub fn fields(bytes: &[u8]) -> Vec<Field> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        at = match bytes[at..] {
            [b'\n', ..] => line_end(bytes, at..at + 1, BETWEEN, &mut out),
            [b'\r', b'\n', ..] => line_end(bytes, at..at + 2, BETWEEN, &mut out),
            _ => frame(bytes, at, &mut out),
        };
    }
    fill(bytes, out)
}

const BETWEEN: &str = "between frames: a heart-beat, or what the sender puts after each frame";

/// Decodes the frame at byte `at`. Returns the offset of the next.
fn frame(bytes: &[u8], at: usize, out: &mut Vec<Field>) -> usize {
    let (line, next) = line_at(bytes, at);
    let command = &bytes[line.clone()];
    let mut field = piece(bytes, line.clone(), "command", "no command of STOMP", BNF);
    match command_entry(command) {
        Some(entry) => {
            field.symbol = Some(entry.name);
            field.meaning = entry.meaning.into();
            field.section = entry.section;
        }
        None if next == line.end => field.meaning = "the beginning of a command; cut off".into(),
        None => {}
    }
    let known = command_entry(command).is_some();
    out.push(field);
    line_end(bytes, line.end..next, "ends the line", out);
    let escaped = escapes(command, Version::V12);
    let mut head = Headers { escaped, names: Vec::new(), length: None };
    let mut at = next;
    while at < bytes.len() {
        // A NULL before the blank line ends the frame, as the rest of it cannot be understood.
        if bytes[at] == 0 {
            out.push(null(bytes, at, "ends the frame; the blank line before it is missing"));
            return at + 1;
        }
        let (line, next) = line_at(bytes, at);
        if line.is_empty() && next > at {
            let meaning = "an end of line alone: the headers end here, the body begins";
            out.push(piece(bytes, at..next, "blank line", meaning, FRAMES));
            return body(bytes, next, head.length, known, out);
        }
        out.push(head.line(bytes, line.clone(), next));
        line_end(bytes, line.end..next, "ends the line", out);
        at = next;
    }
    at
}

/// The headers of a frame so far.
struct Headers<'a> {
    escaped: bool,
    names: Vec<&'a [u8]>,
    /// The value of content-length, if it is a number.
    length: Option<usize>,
}

impl<'a> Headers<'a> {
    fn line(&mut self, bytes: &'a [u8], line: Range<usize>, next: usize) -> Field {
        let content = &bytes[line.clone()];
        let colon = content.iter().position(|octet| *octet == b':').filter(|colon| *colon > 0);
        let Some(colon) = colon else {
            let meaning = if next == line.end {
                "the beginning of a header; cut off"
            } else {
                "wrong: not a name, a colon and a value"
            };
            return piece(bytes, line, "header", meaning, BNF);
        };
        let (name, value) = (&content[..colon], &content[colon + 1..]);
        let mut field = piece(bytes, line.clone(), "header", "of the program's own, or the server's", "");
        field.section = "STOMP 1.2, Frames and Headers";
        if let Some(entry) = header_entry(name) {
            field.symbol = Some(entry.name);
            field.meaning = entry.meaning.into();
            field.section = entry.section;
        }
        // At most a hundred names are compared, as a reader accepts no more headers either.
        if self.names.contains(&name) {
            field.meaning.push_str("; repeated: the first counts");
        } else {
            if name == b"content-length" {
                self.length = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
                if self.length.is_none() {
                    field.meaning.push_str("; wrong: not a number");
                }
            }
            if self.names.len() < 100 {
                self.names.push(name);
            }
        }
        if self.escaped && content.contains(&b'\\') {
            match (unescape(name, Version::V12), unescape(value, Version::V12)) {
                (Ok(name), Ok(value)) => {
                    let (name, value) = (text::shown(&name, SHOWN), text::shown(&value, SHOWN));
                    field.meaning.push_str(&format!("; without escapes \"{name}\" is \"{value}\""));
                }
                _ => {
                    field.meaning.push_str("; wrong: an escape that is not defined");
                    field.section = "STOMP 1.2, Value Encoding";
                }
            }
        }
        if next == line.end {
            field.meaning.push_str("; cut off: the line doesn't end");
        }
        field
    }
}

/// Decodes the body at byte `at`, and NULL. Returns the offset of the next frame.
fn body(bytes: &[u8], at: usize, length: Option<usize>, known: bool, out: &mut Vec<Field>) -> usize {
    let rest = &bytes[at..];
    let to_null = rest.iter().position(|octet| *octet == 0);
    let here = match length {
        Some(length) => length.min(rest.len()),
        None => to_null.unwrap_or(rest.len()),
    };
    let end = at + here;
    if here > 0 {
        let (meaning, section) = match length {
            Some(length) if length > here => {
                (format!("cut off: content-length claims {} more", length - here), LENGTH)
            }
            Some(_) => ("as many octets as content-length says; a 0x00 may be among them".into(), LENGTH),
            None if to_null.is_none() => ("up to the NULL, which is not here yet".into(), FRAMES),
            None if !known => ("up to the NULL".into(), FRAMES),
            None => ("up to the NULL, as there is no content-length".into(), FRAMES),
        };
        let mut field = Field::of_bytes(at..end, "body", text::shown(&rest[..here], SHOWN), meaning, section);
        if field.value.is_empty() {
            field.value = text::hex(&rest[..here], SHOWN);
        }
        out.push(field);
    }
    match bytes.get(end) {
        None => end,
        Some(0) => {
            out.push(null(bytes, end, "ends the frame"));
            end + 1
        }
        Some(_) => {
            // The length was wrong: the octets up to the next NULL belong to this frame.
            let left = &bytes[end..];
            let over = left.iter().position(|octet| *octet == 0).unwrap_or(left.len());
            let meaning = "wrong: the body is longer than content-length says; NULL should stand here";
            out.push(piece(bytes, end..end + over, "beyond content-length", meaning, LENGTH));
            if over < left.len() {
                out.push(null(bytes, end + over, "ends the frame"));
            }
            (end + over + 1).min(bytes.len())
        }
    }
}

/// Returns the line at `at` without its end, and the offset of the next: the same if NULL or the end of input
/// comes first.
fn line_at(bytes: &[u8], at: usize) -> (Range<usize>, usize) {
    let stop = bytes[at..].iter().position(|octet| matches!(octet, b'\n' | 0)).map(|index| at + index);
    match stop {
        Some(lf) if bytes[lf] == b'\n' => {
            let end = if lf > at && bytes[lf - 1] == b'\r' { lf - 1 } else { lf };
            (at..end, lf + 1)
        }
        Some(null) => (at..null, null),
        None => (at..bytes.len(), bytes.len()),
    }
}

fn line_end(bytes: &[u8], range: Range<usize>, meaning: &'static str, out: &mut Vec<Field>) -> usize {
    let end = range.end;
    if !range.is_empty() {
        out.push(piece(bytes, range, "EOL", meaning, FRAMES));
    }
    end
}

fn null(bytes: &[u8], at: usize, meaning: &'static str) -> Field {
    piece(bytes, at..at + 1, "NULL", meaning, FRAMES)
}

fn piece(
    bytes: &[u8],
    range: Range<usize>,
    name: &'static str,
    meaning: &'static str,
    section: &'static str,
) -> Field {
    let value = text::shown(&bytes[range.clone()], SHOWN);
    Field::of_bytes(range, name, value, meaning, section)
}

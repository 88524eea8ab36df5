//! Server-Sent Events, taken apart and put together (WHATWG HTML §9.2.5 and §9.2.6).
//!
//! ```text
//! : a comment, which only shows that somebody is there
//! id: 7
//! event: price
//! data: first line
//! data: second line
//!                        an empty line: here the event is dispatched
//! ```
//!
//! The stream is UTF-8 and has no length: it is the content of a response that goes on. A line ends with LF, CR LF or CR. Nothing
//! is ever an error: what means nothing is ignored, so that the format can grow.

use std::ops::Range;

use thiserror::Error;

use super::field::{Field, fill};
use super::text;

/// The type of the content (§9.2.5).
pub(crate) const CONTENT_TYPE: &str = "text/event-stream";

/// The type of an event that names none (§9.2.6).
pub const MESSAGE: &str = "message";

/// How much of a value is shown, in characters.
const SHOWN: usize = 120;

/// What the stream may begin with, and what is dropped then (§9.2.5).
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The fields that mean something: name, meaning, section. All others are ignored, and names are case-sensitive.
pub(crate) const FIELDS: &[(&str, &str, &str)] = &[
    ("data", "a line of the message; several are joined by LF", "WHATWG HTML §9.2.6"),
    ("event", "the type of the event; message if there is none", "WHATWG HTML §9.2.6"),
    ("id", "what the client says in Last-Event-ID when it connects again", "WHATWG HTML §9.2.6, §9.2.4"),
    ("retry", "how long to wait before connecting again, in ms", "WHATWG HTML §9.2.6"),
];

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its type: [`MESSAGE`] if the stream names none.
    pub kind: String,
    /// What it says.
    pub data: String,
    /// The last event ID of the stream when it was dispatched: its own, or that of an event before it.
    pub id: String,
}

/// What comes out of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An event was dispatched.
    Event(Event),
    /// A comment; it tells nobody anything, but that somebody is there.
    Comment(String),
    /// The stream asks to be waited for so long before it is connected to again, in ms.
    Retry(u64),
    /// A block that ended without data: no event. Its `id` counts all the same.
    Nothing,
}

/// A line or an event that is longer than this reader takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("event stream: a line or an event of more than {limit} bytes")]
pub struct TooLong {
    /// The limit, in bytes.
    pub limit: usize,
}

/// Reads a stream in whatever pieces it comes.
#[derive(Debug, Clone)]
pub struct Reader {
    limit: usize,
    /// The line under way.
    line: Vec<u8>,
    /// Whether the first line is still to come, which may begin with a BOM.
    first: bool,
    /// The byte before was a CR: an LF now belongs to it.
    after_cr: bool,
    kind: String,
    data: String,
    /// The buffer, and the last event ID that was set from it.
    id: String,
    last_id: String,
    /// Anything stands in the block under way.
    begun: bool,
}

impl Reader {
    /// At the beginning of a stream, of which no line and no event has more than `limit` bytes.
    pub fn new(limit: usize) -> Reader {
        Reader {
            limit,
            line: Vec::new(),
            first: true,
            after_cr: false,
            kind: String::new(),
            data: String::new(),
            id: String::new(),
            last_id: String::new(),
            begun: false,
        }
    }

    /// At the beginning of a stream that goes on where another broke off: its last event ID is known (§9.2.3).
    pub(crate) fn resuming(limit: usize, last_event_id: &str) -> Reader {
        let (id, last_id) = (last_event_id.to_owned(), last_event_id.to_owned());
        Reader { id, last_id, ..Reader::new(limit) }
    }

    /// What the client says in the field `Last-Event-ID` when it connects again; nothing if it is empty (§9.2.3).
    pub(crate) fn last_event_id(&self) -> &str {
        &self.last_id
    }

    /// Takes the next bytes, and gives what they complete. What stands at the end without an empty line never becomes an event.
    ///
    /// # Errors
    /// [`TooLong`]; the stream is to be given up then.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Item>, TooLong> {
        let mut items = Vec::new();
        for byte in bytes {
            match (std::mem::take(&mut self.after_cr), byte) {
                // CR LF is one line end, also if it comes in two pieces.
                (true, b'\n') => {}
                (_, b'\r' | b'\n') => {
                    self.after_cr = *byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    let first = std::mem::take(&mut self.first);
                    let line = line.strip_prefix(BOM).filter(|_| first).unwrap_or(&line);
                    // §9.2.5: the stream is decoded as UTF-8; what is none becomes U+FFFD.
                    items.extend(self.line(&String::from_utf8_lossy(line)));
                }
                _ if self.line.len() + self.data.len() >= self.limit => {
                    return Err(TooLong { limit: self.limit });
                }
                _ => self.line.push(*byte),
            }
        }
        Ok(items)
    }

    /// A whole line.
    fn line(&mut self, line: &str) -> Option<Item> {
        if line.is_empty() {
            return self.dispatch();
        }
        if let Some(comment) = line.strip_prefix(':') {
            return Some(Item::Comment(comment.strip_prefix(' ').unwrap_or(comment).to_owned()));
        }
        self.begun = true;
        let (name, value) = split(line);
        match name {
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "event" => value.clone_into(&mut self.kind),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                return value.parse().ok().map(Item::Retry);
            }
            _ => {}
        }
        None
    }

    /// An empty line.
    fn dispatch(&mut self) -> Option<Item> {
        self.last_id.clone_from(&self.id);
        let kind = std::mem::take(&mut self.kind);
        let mut data = std::mem::take(&mut self.data);
        let begun = std::mem::take(&mut self.begun);
        if data.is_empty() {
            return begun.then_some(Item::Nothing);
        }
        data.pop();
        let kind = if kind.is_empty() { MESSAGE.to_owned() } else { kind };
        Some(Item::Event(Event { kind, data, id: self.last_id.clone() }))
    }
}

/// Name and value of a line: one space behind the colon is dropped; a line without a colon is a name alone.
fn split(line: &str) -> (&str, &str) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    (name, value.strip_prefix(' ').unwrap_or(value))
}

/// An event as it is sent. `kind` and `id` are left out where they are none.
///
/// Line ends within the data begin another `data` line: CR and CR LF arrive as LF. In a type or an ID they, and NUL, become spaces, so
/// that no value can smuggle in a line.
pub fn encode(kind: Option<&str>, id: Option<&str>, data: &str) -> Vec<u8> {
    let mut out = String::new();
    for (name, value) in [("id", id), ("event", kind)] {
        if let Some(value) = value {
            let value = value.replace(['\r', '\n', '\0'], " ");
            out += &format!("{name}: {value}\n");
        }
    }
    for line in data.replace("\r\n", "\n").split(['\r', '\n']) {
        out += &format!("data: {line}\n");
    }
    out.push('\n');
    out.into_bytes()
}

/// A comment: it keeps the connection alive, and says nothing (§9.2.7).
pub fn comment(words: &str) -> Vec<u8> {
    let words = words.replace(['\r', '\n'], " ");
    if words.is_empty() { b":\n\n".to_vec() } else { format!(": {words}\n\n").into_bytes() }
}

/// So long is to be waited before connecting again, in ms.
pub fn retry(ms: u64) -> Vec<u8> {
    format!("retry: {ms}\n\n").into_bytes()
}

/// The stream from its beginning, as fields: every bit has a name.
pub fn fields(bytes: &[u8]) -> Vec<Field> {
    let mut told = Vec::new();
    let mut at = 0;
    if bytes.starts_with(BOM) {
        at = BOM.len();
        let meaning = "says that this is UTF-8; one is dropped";
        told.push(piece(bytes, 0..at, "BOM", meaning, "WHATWG HTML §9.2.5"));
    }
    while at < bytes.len() {
        let content = bytes[at..].iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let end = content.map_or(bytes.len(), |length| at + length);
        let after = end
            + match bytes[end..] {
                [b'\r', b'\n', ..] => 2,
                [_, ..] => 1,
                [] => 0,
            };
        if at == end {
            let meaning = "the event is dispatched, if it has data";
            told.push(piece(bytes, at..after, "empty line", meaning, "WHATWG HTML §9.2.6"));
        } else {
            line(bytes, at..end, &mut told);
            if after > end {
                let meaning = "the line ends: LF, CR LF or CR";
                told.push(piece(bytes, end..after, "end-of-line", meaning, "WHATWG HTML §9.2.5"));
            }
        }
        at = after;
    }
    fill(bytes, told)
}

/// A line that is not empty.
fn line(bytes: &[u8], line: Range<usize>, told: &mut Vec<Field>) {
    let content = &bytes[line.clone()];
    let colon = content.iter().position(|byte| *byte == b':');
    if colon == Some(0) {
        let meaning = "ignored: it shows that somebody is there";
        told.push(piece(
            bytes,
            line.start..line.start + 1,
            "colon",
            "a comment begins",
            "WHATWG HTML §9.2.5",
        ));
        told.push(piece(bytes, line.start + 1..line.end, "comment", meaning, "WHATWG HTML §9.2.6"));
        return;
    }
    let name_end = colon.map_or(line.end, |colon| line.start + colon);
    let name = &bytes[line.start..name_end];
    let known = FIELDS.iter().find(|(known, ..)| known.as_bytes() == name);
    let (symbol, meaning, section) = match known {
        Some((symbol, meaning, section)) => (Some(*symbol), *meaning, *section),
        None => (None, "means nothing, and is ignored", "WHATWG HTML §9.2.6"),
    };
    let field = piece(bytes, line.start..name_end, "field name", meaning, section);
    told.push(Field { symbol, ..field });
    let Some(colon) = colon.map(|colon| line.start + colon) else { return };
    // One space, and only one, belongs to the colon.
    let value = colon + 1 + usize::from(bytes.get(colon + 1) == Some(&b' ') && colon + 1 < line.end);
    told.push(piece(
        bytes,
        colon..value,
        "colon",
        "the value begins, behind one space",
        "WHATWG HTML §9.2.5",
    ));
    told.push(piece(bytes, value..line.end, "field value", meaning, section));
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

#[cfg(test)]
mod tests;

//! Server-Sent Events, parsed and encoded (WHATWG HTML §9.2.5 and §9.2.6).
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
//! The stream is UTF-8 and has no length: it is the content of a streaming response. A line ends with LF,
//! CR LF or CR. There are no syntax errors: unknown fields are ignored, so that the format can grow.

use std::ops::Range;

use thiserror::Error;

use super::field::{Field, fill};
use super::text;

/// The type of the content (§9.2.5).
pub(crate) const CONTENT_TYPE: &str = "text/event-stream";

/// The type of an event that names none (§9.2.6).
pub const MESSAGE: &str = "message";

/// Characters shown of a value.
const SHOWN: usize = 120;

/// The byte order mark, which is dropped at the start of the stream (§9.2.5).
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The defined fields: name, meaning, section. All others are ignored, and names are
/// case-sensitive.
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
    /// Its data.
    pub data: String,
    /// The last event ID of the stream when it was dispatched: its own, or that of an event before it.
    pub id: String,
}

/// An item of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An event was dispatched.
    Event(Event),
    /// A comment, which keeps the connection alive.
    Comment(String),
    /// The reconnection time that the stream asks for, in ms.
    Retry(u64),
    /// A block without data: no event. Its `id` is valid nevertheless.
    Nothing,
}

/// A line or an event that exceeds the limit of the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("event stream: a line or an event of more than {limit} bytes")]
pub struct TooLong {
    /// The limit, in bytes.
    pub limit: usize,
}

/// Reads a stream that arrives in pieces.
#[derive(Debug, Clone)]
pub struct Reader {
    limit: usize,
    /// The current line.
    line: Vec<u8>,
    /// True before the first line, which may begin with a BOM.
    first: bool,
    /// True if the byte before was a CR, to which an LF belongs.
    after_cr: bool,
    kind: String,
    data: String,
    /// The ID of the current block, and the last event ID.
    id: String,
    last_id: String,
    /// True if the current block has a line.
    begun: bool,
}

impl Reader {
    /// Returns a reader. A line or an event of more than `limit` bytes is an error.
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

    /// Returns a reader for a stream that resumes another one after its last event ID
    /// (§9.2.3).
    pub(crate) fn resuming(limit: usize, last_event_id: &str) -> Reader {
        let (id, last_id) = (last_event_id.to_owned(), last_event_id.to_owned());
        Reader { id, last_id, ..Reader::new(limit) }
    }

    /// Returns the value of `Last-Event-ID` for the next connection; `None` if it is empty
    /// (§9.2.3).
    pub(crate) fn last_event_id(&self) -> &str {
        &self.last_id
    }

    /// Adds bytes and returns the items that they complete. A block without its empty line never
    /// becomes an event.
    ///
    /// # Errors
    /// [`TooLong`]. The stream cannot be read any further.
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
                    // §9.2.5: the stream is decoded as UTF-8; invalid bytes become U+FFFD.
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

    /// Handles a complete line.
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

    /// Handles an empty line.
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

/// Returns name and value of a line: one space after the colon is dropped; a line without a colon is a name
/// alone.
fn split(line: &str) -> (&str, &str) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    (name, value.strip_prefix(' ').unwrap_or(value))
}

/// Encodes an event. `kind` and `id` are omitted if they are `None`.
///
/// Line ends within the data begin another `data` line: CR and CR LF arrive as LF. In a type or an ID they,
/// and NUL, become spaces, so that no value can inject a line.
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

/// Encodes a comment, which keeps the connection alive (§9.2.7).
pub fn comment(words: &str) -> Vec<u8> {
    let words = words.replace(['\r', '\n'], " ");
    if words.is_empty() { b":\n\n".to_vec() } else { format!(": {words}\n\n").into_bytes() }
}

/// Encodes the reconnection time in ms.
pub fn retry(ms: u64) -> Vec<u8> {
    format!("retry: {ms}\n\n").into_bytes()
}

/// Returns the fields of a stream from its beginning.
pub fn fields(bytes: &[u8]) -> Vec<Field> {
    let mut out = Vec::new();
    let mut at = 0;
    if bytes.starts_with(BOM) {
        at = BOM.len();
        let meaning = "says that this is UTF-8; one is dropped";
        out.push(piece(bytes, 0..at, "BOM", meaning, "WHATWG HTML §9.2.5"));
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
            out.push(piece(bytes, at..after, "empty line", meaning, "WHATWG HTML §9.2.6"));
        } else {
            line(bytes, at..end, &mut out);
            if after > end {
                let meaning = "the line ends: LF, CR LF or CR";
                out.push(piece(bytes, end..after, "end-of-line", meaning, "WHATWG HTML §9.2.5"));
            }
        }
        at = after;
    }
    fill(bytes, out)
}

/// Decodes a line that is not empty.
fn line(bytes: &[u8], line: Range<usize>, out: &mut Vec<Field>) {
    let content = &bytes[line.clone()];
    let colon = content.iter().position(|byte| *byte == b':');
    if colon == Some(0) {
        let meaning = "ignored: it shows that somebody is there";
        out.push(piece(bytes, line.start..line.start + 1, "colon", "a comment begins", "WHATWG HTML §9.2.5"));
        out.push(piece(bytes, line.start + 1..line.end, "comment", meaning, "WHATWG HTML §9.2.6"));
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
    out.push(Field { symbol, ..field });
    let Some(colon) = colon.map(|colon| line.start + colon) else { return };
    // One space, and only one, belongs to the colon.
    let value = colon + 1 + usize::from(bytes.get(colon + 1) == Some(&b' ') && colon + 1 < line.end);
    out.push(piece(bytes, colon..value, "colon", "the value begins, behind one space", "WHATWG HTML §9.2.5"));
    out.push(piece(bytes, value..line.end, "field value", meaning, section));
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

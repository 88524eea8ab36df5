//! Server-Sent Events, out of the content of an answer as it comes.

use super::{
    Out, Place, Told,
    detector::{Content, Detector, Dissector, Promise},
    short,
};
use crate::analysis::conversation::budget::{Budget, Held};
use crate::view::quote;
use crate::wire::{
    Protocol,
    event_stream::{self, CONTENT_TYPE, Item, MESSAGE, Reader},
    text,
};

/// How much of an event's data is told, in bytes.
const DATA: usize = 300;

/// The row of the table. No target promises an event stream.
pub(super) static DETECTOR: Detector = Detector {
    words: &[("sse", Protocol::EventStream)],
    content_type: Some(CONTENT_TYPE),
    contents: |_| Promise {
        response: Some(Content(|limit, _| Box::new(Events::new(limit)))),
        ..Promise::default()
    },
    ..Detector::NONE
};

/// The stream of a response.
#[derive(Debug)]
struct Events {
    reader: Reader,
    /// The block under way, byte for byte: events are told with their bytes. The reader holds no more than
    /// this.
    held: Held,
    /// What the reader itself holds counts so much.
    counted: usize,
    /// The byte before was a CR, whose LF belongs to it.
    after_cr: bool,
    /// The line under way has nothing yet.
    fresh: bool,
    lost: bool,
}

impl Events {
    fn new(limit: usize) -> Events {
        Events {
            reader: Reader::new(limit),
            held: Held::default(),
            counted: 0,
            after_cr: false,
            fresh: true,
            lost: false,
        }
    }
}

impl Dissector for Events {
    fn bytes(&mut self, place: Place, bytes: &[u8], out: &mut Out) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.lost {
            let line = self.line(rest);
            let (piece, after) = rest.split_at(line);
            rest = after;
            if !self.held.add(piece, out.budget) || !self.count(out.budget) {
                return self.gap(out.budget);
            }
            match self.reader.push(piece) {
                Ok(items) => items.into_iter().for_each(|item| self.item(place, &item, out)),
                // How much a receiver takes is its own affair: nobody has done anything wrong.
                Err(_) => return self.gap(out.budget),
            }
            if self.fresh && self.held.as_slice().trim_ascii().is_empty() {
                // Empty lines between events, and the LF of a CR that has been told.
                self.held.clear(out.budget);
            }
            self.count(out.budget);
        }
    }

    fn gap(&mut self, budget: &mut Budget) {
        self.held.clear(budget);
        self.reader = Reader::new(0);
        self.count(budget);
        self.lost = true;
    }
}

impl Events {
    /// The reader holds as much as is held here, and an ID for as long as it counts.
    fn count(&mut self, budget: &mut Budget) -> bool {
        let now = self.held.len() + 2 * self.reader.last_event_id().len();
        budget.reserve(&mut self.counted, now)
    }

    /// How many of the bytes are up to the end of a line, so that what comes out is known to end there.
    fn line(&mut self, bytes: &[u8]) -> usize {
        if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
            return 1;
        }
        match bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            Some(at) => {
                self.after_cr = bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
                self.fresh = true;
                at + 1 + usize::from(bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n'))
            }
            None => {
                self.fresh = false;
                bytes.len()
            }
        }
    }

    fn item(&mut self, place: Place, item: &Item, out: &mut Out) {
        let (kind, words, beat) = match item {
            Item::Event(event) => {
                let seen = event.data.as_bytes();
                let mut words = quote(&seen[..seen.len().min(DATA)]);
                if !event.id.is_empty() {
                    words += &format!(", id {}", text::shown(event.id.as_bytes(), 60));
                }
                let kind = if event.kind == MESSAGE {
                    MESSAGE.into()
                } else {
                    text::shown(event.kind.as_bytes(), 40)
                };
                (kind, words, false)
            }
            Item::Comment(comment) => ("comment".into(), text::shown(comment.as_bytes(), DATA), true),
            Item::Retry(ms) => ("retry".into(), format!("wait {ms} ms before connecting again"), false),
            Item::Nothing => ("no event".into(), "no data, so nothing is dispatched".into(), false),
        };
        // A comment and retry are told before their block ends: its bytes stay for the event.
        let (whole, line) = (self.held.take(out.budget), matches!(item, Item::Comment(_) | Item::Retry(_)));
        let start = if line { last_line(&whole) } else { 0 };
        let (protocol, fields) = (Protocol::EventStream, event_stream::fields);
        let told = Told {
            protocol,
            kind: &kind,
            words: &short(words),
            bytes: &whole[start..],
            beat,
            carries: false,
            fields,
        };
        out.layer(place, &told);
        if start > 0 {
            self.held.add(&whole[..start], out.budget);
        }
    }
}

/// Where the last line begins.
fn last_line(bytes: &[u8]) -> usize {
    let end = bytes.trim_ascii_end().len();
    bytes[..end].iter().rposition(|byte| matches!(byte, b'\r' | b'\n')).map_or(0, |at| at + 1)
}

//! The opening handshake of a connection, in a line or two: what was asked, and what the server made of it.

use super::entry::{Entry, Layout, Mark};
use super::payload;
use crate::event::Requirement;
use crate::view::line::{Line, Meaning};
use crate::view::units::{bytes, plural, thousands};

/// What is known of a handshake until it is answered.
#[derive(Debug, Default)]
pub(super) struct Handshake {
    /// The beginning of what came.
    first: Vec<u8>,
    /// Bytes that came, and in how many calls.
    came: usize,
    calls: usize,
    /// Requirements that are met.
    met: usize,
    /// The first that is not, and what others are not.
    unmet: Option<Requirement>,
    others: Vec<String>,
    more: usize,
    /// Bytes of the answer.
    pub(super) sent: usize,
}

/// So much of the request is kept: its first line is what is told of it.
const KEPT: usize = 160;

/// So many further requirements that are not met are named, the rest counted.
const NAMED: usize = 3;

impl Handshake {
    /// A recv brought a piece of the request.
    pub(super) fn came(&mut self, data: &[u8]) {
        let room = KEPT - self.first.len();
        self.first.extend_from_slice(&data[..data.len().min(room)]);
        self.came += data.len();
        self.calls += 1;
    }

    /// What came, once: it is told when something is made of it, since it may come in many pieces.
    pub(super) fn request(&mut self, layout: &Layout) -> Option<Entry> {
        let came = std::mem::take(&mut self.came);
        if came == 0 {
            return None;
        }
        let look = layout.look();
        let calls = if self.calls > 1 {
            format!(" in {} recvs", thousands(self.calls as u64))
        } else {
            String::new()
        };
        let size = format!(", {}{calls}", bytes(came));
        let room = layout.room().saturating_sub(size.len()).max(8);
        let line = match self.first.windows(2).position(|two| two == b"\r\n") {
            // An empty line before the request is ignored by the server (RFC 9112 §2.2), and is no line to
            // tell.
            Some(end) if end > 0 => payload::cut(&self.first[..end], room),
            _ => payload::shown(&self.first, room),
        };
        let text = look.spans([(&line, Meaning::Bytes), (&size, Meaning::Quiet)]);
        Some(Entry::new(Mark::Received, text))
    }

    /// A requirement was judged.
    pub(super) fn judged(&mut self, it: &Requirement) {
        match &self.unmet {
            _ if it.met => self.met += 1,
            None => self.unmet = Some(it.clone()),
            Some(_) if self.others.len() < NAMED => {
                self.others.push(payload::cut(it.requirement.as_bytes(), 60))
            }
            Some(_) => self.more += 1,
        }
    }

    /// What was answered: 101 where all is well, else the first thing that is not.
    pub(super) fn answered(&self, layout: &Layout, status: i64) -> Vec<Entry> {
        let look = layout.look();
        let phrase = phrase(status).map(|phrase| format!(" {phrase}")).unwrap_or_default();
        let Some(unmet) = &self.unmet else {
            let why = match (status, self.met) {
                (101, 0) => String::new(),
                (101, 1) => ": the one requirement is met".into(),
                (101, met) => format!(": all {} requirements met", thousands(met as u64)),
                // Nothing was judged: a browser asked for a page.
                (_, 0) => format!(", {}: no upgrade was asked for", bytes(self.sent)),
                (_, met) => format!(": {} met, and yet no upgrade", plural(met, "requirement")),
            };
            let meaning = if status == 101 { Meaning::Holds } else { Meaning::State };
            let text = look.spans([(&format!("{status}{phrase}"), meaning), (&why, Meaning::Prose)]);
            return vec![Entry::new(Mark::Sent, text)];
        };
        let text = look.spans([
            (&format!("{status}{phrase}"), Meaning::Fails),
            (", not met: ", Meaning::Prose),
            (&unmet.requirement, Meaning::Prose),
        ]);
        let section = look.span(&unmet.section, Meaning::Quiet);
        let found = Entry::new(Mark::Neither, self.found(layout, unmet)).with_aside(section);
        vec![Entry::new(Mark::Wrong, text), found]
    }

    /// `found http://evil.example at byte 120; also not met: …`
    fn found(&self, layout: &Layout, unmet: &Requirement) -> Line {
        let found = if unmet.found.is_empty() { "nothing" } else { &unmet.found };
        let at =
            unmet.offset.map(|offset| format!(" at byte {}", thousands(offset as u64))).unwrap_or_default();
        let mut others = String::new();
        if !self.others.is_empty() {
            others = format!("; also not met: {}", self.others.join("; "));
        }
        if self.more > 0 {
            others += &format!("; and {} more", thousands(self.more as u64));
        }
        layout.look().spans([
            ("found ", Meaning::Quiet),
            (found, Meaning::State),
            (&at, Meaning::Quiet),
            (&others, Meaning::Prose),
        ])
    }
}

/// The reason phrases of RFC 9110 §15 and RFC 6585 §5, of the statuses that this server sends.
fn phrase(status: i64) -> Option<&'static str> {
    Some(match status {
        101 => "Switching Protocols",
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => return None,
    })
}

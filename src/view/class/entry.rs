//! A line of the log: whose it is, which way it went, and what it was.

use super::{meaning_of, shown_name};
use crate::view::line::{Line, Meaning, Span};
use crate::view::look::Look;
use crate::view::sentences::{sentence, stop};
use crate::view::wrap::{Long, aside, width, wrap};

/// What stands between the name and the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// It went neither way.
    Neither,
    /// It came in.
    Received,
    /// It went out.
    Sent,
    /// It was wrong.
    Wrong,
    /// Between two others: from the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl Mark {
    fn sign(self) -> (&'static str, Meaning) {
        match self {
            Mark::Neither => ("", Meaning::Plain),
            Mark::Received | Mark::ToClient => ("←", Meaning::Label),
            Mark::Sent | Mark::ToServer => ("→", Meaning::Label),
            Mark::Wrong => ("✗", Meaning::Fails),
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Mark::Neither | Mark::Wrong => "",
            Mark::Received => "received ",
            Mark::Sent => "sent ",
            Mark::ToServer => "from the client, ",
            Mark::ToClient => "from the server, ",
        }
    }
}

/// What is told of a connection at one moment.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Which way it went.
    pub(super) mark: Mark,
    /// What it was.
    pub(super) text: Line,
    /// What is said beside it, at the right margin.
    pub(super) aside: Option<Span>,
    /// Bytes of the wire, shown only where they have a column; not read out.
    pub(super) wire: Option<Line>,
}

impl Entry {
    /// With nothing beside it.
    pub(super) fn new(mark: Mark, text: Line) -> Self {
        Entry { mark, text, aside: None, wire: None }
    }

    /// With something said at the right margin.
    pub(super) fn with_aside(mut self, span: Span) -> Self {
        self.aside = Some(span);
        self
    }
}

/// How the log is laid out: where the texts begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    look: Look,
    /// Columns of the widest name so far.
    names: usize,
}

/// Names up to this many columns do not shift the text.
const NAMES: usize = 3;

/// The widest a name gets: eight characters, each of two columns.
const WIDEST: usize = 16;

impl Layout {
    /// For names of three columns, such as `c30`; wider ones will shift what comes after them.
    pub(super) fn new(look: Look) -> Self {
        Layout { look, names: NAMES }
    }

    /// The look that it is for.
    pub(super) fn look(&self) -> &Look {
        &self.look
    }

    /// Where the text begins.
    fn text_at(&self) -> usize {
        self.look.outdent() + self.names + 1 + self.mark_width() + 1
    }

    fn mark_width(&self) -> usize {
        self.look.span(Mark::Received.sign().0, Meaning::Plain).width()
    }

    /// Columns for text. Aloud that is a bound for what is quoted, not for the line.
    pub(super) fn room(&self) -> usize {
        match self.look.linear() {
            true => READ_OUT,
            // Where `…` is three dots, what was cut to its room gets wider by two.
            false if self.mark_width() > 1 => self.end() - self.text_at() - 2,
            false => self.end() - self.text_at(),
        }
    }

    /// The right margin.
    fn end(&self) -> usize {
        self.look.content() + self.look.indent()
    }

    /// Columns of the text left of the bytes of the wire; none where there is no room for both.
    pub(super) fn left_of_wire(&self) -> Option<usize> {
        (!self.look.linear() && self.look.wide()).then(|| self.room() * 4 / 9)
    }

    /// Columns of the bytes of the wire.
    pub(super) fn wire_room(&self) -> usize {
        self.left_of_wire().map_or(0, |left| self.room() - left)
    }

    /// The entry in lines.
    pub(super) fn lines(&mut self, name: &str, entry: Entry) -> Vec<Line> {
        let name = shown_name(name);
        if self.look.linear() {
            return self.linear(&name, &entry);
        }
        self.names = self.names.max(width(&name).min(WIDEST));
        let (sign, sign_meaning) = entry.mark.sign();
        let text_at = self.text_at();
        let mut beginning = Line::blank();
        beginning.space(self.look.outdent());
        beginning.push(self.look.span(&name, meaning_of(&name)));
        beginning.pad(self.look.outdent() + self.names + 1);
        beginning.push(self.look.span(sign, sign_meaning));
        beginning.pad(text_at);
        let mut lines = self.body(entry, self.end() - text_at).into_iter();
        if let Some(first) = lines.next() {
            beginning.extend(first);
        }
        std::iter::once(beginning).chain(lines.map(|line| line.indented(text_at))).collect()
    }

    /// The text in `room` columns, and what stands beside it. Most entries fit on a line and need not be
    /// wrapped.
    fn body(&self, entry: Entry, room: usize) -> Vec<Line> {
        let Entry { mut text, aside: beside, wire, .. } = entry;
        let taken = text.width();
        match (beside, wire) {
            (None, None) if taken <= room => vec![text],
            (None, Some(wire)) if taken <= room => {
                if let Some(left) = self.left_of_wire().filter(|left| taken + 2 <= *left) {
                    text.space(left - taken);
                    text.extend(wire);
                }
                vec![text]
            }
            (Some(beside), _) if taken + 2 + beside.width() <= room => {
                text.space(room - taken - beside.width());
                text.push(beside);
                vec![text]
            }
            (Some(beside), _) => aside(&text, beside, room, 2),
            _ => wrap(&text, room, 2, Long::Break),
        }
    }

    fn linear(&self, name: &str, entry: &Entry) -> Vec<Line> {
        let beside = entry.aside.as_ref().map(|span| format!(", {}", span.text())).unwrap_or_default();
        let text = format!("{name}: {}{}{beside}", entry.mark.in_words(), entry.text);
        let meaning = if entry.mark == Mark::Wrong { Meaning::Fails } else { Meaning::Prose };
        sentence(&self.look, stop(text.trim_end()), meaning)
    }
}

/// So much of a payload is read out, in columns.
const READ_OUT: usize = 200;

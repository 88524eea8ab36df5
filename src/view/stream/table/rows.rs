//! A row for each thing that was said: time, direction, offset, what it is, its length, and what it says.

use std::borrow::Cow;

use super::StreamTable;
use crate::event::{Host, StreamEvent, stream::Carried};
use crate::view::{Line, Look, Meaning, cut, plural, quote, wrapped};
use crate::wire::{
    text,
    websocket::{self, opcode},
};

/// With less columns than this a row has no columns of its own but time and direction.
const NARROW: usize = 64;
/// How much of a payload is looked at for a line, in characters.
pub(super) const GLIMPSE: usize = 160;

impl StreamTable {
    /// Code and reason.
    pub(super) fn close(&self, body: &[u8]) -> Line {
        let [high, low, reason @ ..] = body else { return self.quoted(body, false) };
        let code = u16::from_be_bytes([*high, *low]);
        let symbol = websocket::close_code(code).symbol;
        let mut line = self.look.line(format!("{code} {symbol}"), Meaning::State);
        if !reason.is_empty() {
            line.space(1);
            line.extend(self.quoted(reason, false));
        }
        line
    }

    pub(super) fn quoted(&self, bytes: &[u8], cut: bool) -> Line {
        if bytes.is_empty() {
            return Line::blank();
        }
        let seen = &bytes[..bytes.len().min(if self.follow { 1 << 16 } else { GLIMPSE })];
        let is_text = match std::str::from_utf8(seen) {
            Ok(_) => true,
            Err(error) => seen.len() < bytes.len() && error.error_len().is_none(),
        };
        let mut shown = if is_text { quote(seen) } else { text::hex(seen, 24) };
        if (cut || seen.len() < bytes.len()) && !shown.ends_with('…') {
            shown.push('…');
        }
        self.look.line(shown, Meaning::Bytes)
    }

    pub(super) fn remarks(&self, line: &mut Line, carried: Carried, packed: bool) {
        let mut remark = |said: bool, text: &str| {
            if said {
                line.extend(self.look.line(text, Meaning::NotSeen));
            }
        };
        remark(carried.missing, " (a part is missing)");
        remark(carried.cut, " (cut at the limit)");
        remark(packed, " (still compressed)");
    }

    /// A line beneath a row, from its second column on.
    pub(super) fn note(&self, meaning: Meaning, text: &str) -> Vec<Line> {
        if self.look.linear() {
            let text = format!("{}.", text.trim_end_matches('.'));
            return wrapped(&self.look, &self.look.line(text, meaning), 0);
        }
        let mut line = Line::blank();
        line.space(13);
        let hang = line.width();
        line.extend(self.look.line(text, meaning));
        wrapped(&self.look, &line, hang)
    }

    /// `time → offset kind flags length payload`
    #[expect(clippy::too_many_arguments, reason = "a row has these columns")]
    pub(super) fn row(
        &self,
        event: &StreamEvent,
        from: Host,
        offset: Option<u64>,
        kind: &str,
        flags: &str,
        length: u64,
        payload: Line,
    ) -> Vec<Line> {
        let time = self.time(event);
        if self.look.linear() {
            return self.aloud(&time, from, offset, kind, flags, length, payload);
        }
        let (arrow, meaning) = match from {
            Host::Client => ("→", Meaning::Client),
            Host::Server => ("←", Meaning::Server),
        };
        let mut row = Row::new(&self.look);
        row.right(&time, 11, Meaning::Quiet);
        row.past(1);
        row.text(arrow, meaning);
        row.to(14);
        if self.follow {
            return self.set(row.with(payload), 14);
        }
        let number = length.to_string();
        if self.look.width() < NARROW {
            for (text, meaning) in
                [(kind, Meaning::Strong), (flags, Meaning::Label), (&number, Meaning::State)]
            {
                row.text(text, meaning);
                row.past(usize::from(!text.is_empty()));
            }
            return self.set(row.with(payload), 14);
        }
        row.right(&offset.map(|offset| offset.to_string()).unwrap_or_default(), 20, Meaning::Quiet);
        row.past(2);
        row.text(kind, Meaning::Strong);
        row.to(30);
        row.past(1);
        row.text(flags, Meaning::Label);
        row.right(&number, 47.max(row.column + 1 + number.len()), Meaning::State);
        row.past(2);
        let room = self.look.content().saturating_sub(row.column);
        vec![row.with(cut(&self.look, payload, room)).indented(self.look.indent())]
    }

    /// A row in as many lines as it needs. Most need one: those are not looked through for where they could
    /// be broken.
    fn set(&self, line: Line, hang: usize) -> Vec<Line> {
        if line.width() <= self.look.content() {
            return vec![line.indented(self.look.indent())];
        }
        wrapped(&self.look, &line, hang)
    }

    #[expect(clippy::too_many_arguments, reason = "a sentence has these parts")]
    fn aloud(
        &self,
        time: &str,
        from: Host,
        offset: Option<u64>,
        kind: &str,
        flags: &str,
        length: u64,
        payload: Line,
    ) -> Vec<Line> {
        let kind = kind.trim_start_matches("= ");
        let what = match offset {
            Some(offset) => format!("{kind} at byte {offset}"),
            None => format!("message, {kind}"),
        };
        let flags = if flags.is_empty() { String::new() } else { format!(", {flags}") };
        let length = plural(usize::try_from(length).unwrap_or(usize::MAX), "byte");
        let time = if time.is_empty() { String::new() } else { format!("At {time} seconds, ") };
        let mut line =
            self.look.line(format!("{time}{}: {what}{flags}, {length}", from.name()), Meaning::Prose);
        if !payload.is_blank() {
            line.extend(self.look.line(": ", Meaning::Prose));
            line.extend(payload);
        }
        line.extend(self.look.line(".", Meaning::Prose));
        wrapped(&self.look, &line, 0)
    }

    /// Seconds since the first packet, with microseconds.
    pub(super) fn time(&self, event: &StreamEvent) -> String {
        match (event.time, self.began) {
            (Some(time), Some(began)) => {
                let micro = time.0.saturating_sub(began) / 1000;
                format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
            }
            _ => String::new(),
        }
    }
}

/// The name of an opcode, as short as a column asks for.
pub(super) fn kind(number: u8) -> Cow<'static, str> {
    Cow::Borrowed(match number {
        opcode::CONTINUATION => "more",
        opcode::TEXT => "text",
        opcode::BINARY => "binary",
        opcode::CLOSE => "close",
        opcode::PING => "ping",
        opcode::PONG => "pong",
        _ => return Cow::Owned(format!("{number:#x}")),
    })
}

/// A line that is filled from left to right. The space before a piece is written with it: so a row has few
/// pieces.
pub(super) struct Row<'a> {
    look: &'a Look,
    line: Line,
    /// Where it goes on.
    column: usize,
    /// Spaces up to there that are not written yet.
    gap: usize,
}

impl Row<'_> {
    pub(super) fn new(look: &Look) -> Row<'_> {
        Row { look, line: Line::blank(), column: 0, gap: 0 }
    }

    /// Goes on in this column, unless it is there already or beyond.
    pub(super) fn to(&mut self, column: usize) {
        self.past(column.saturating_sub(self.column));
    }

    /// Goes on so many columns further right.
    pub(super) fn past(&mut self, columns: usize) {
        self.gap += columns;
        self.column += columns;
    }

    /// A piece that begins here.
    pub(super) fn text(&mut self, text: &str, meaning: Meaning) {
        let span = self.look.span(format!("{:1$}{text}", "", self.gap), meaning);
        self.column += span.width() - self.gap;
        self.gap = 0;
        self.line.push(span);
    }

    /// A number that ends before this column, or begins here if it is too long for that.
    pub(super) fn right(&mut self, number: &str, column: usize, meaning: Meaning) {
        self.to(column.saturating_sub(number.len()));
        self.text(number, meaning);
    }

    /// The line, and a last piece of it.
    pub(super) fn with(mut self, last: Line) -> Line {
        self.line.space(self.gap);
        self.line.extend(last);
        self.line
    }
}

//! A row for each thing that was said: time, direction, offset, what it is, its length, and what it says.

use super::Show;
use crate::tools::conversation::{Carried, Event};
use crate::trace::Host;
use crate::view::{Line, Look, Meaning, plural, quote, wrapped};
use crate::wire::{
    text,
    websocket::{self, opcode, opcode_entry},
};

/// With less columns than this a row has no columns of its own but time and direction.
const NARROW: usize = 64;
/// How much of a payload is looked at for a line, in characters.
pub(super) const GLIMPSE: usize = 160;

impl Show {
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
        let shown = if is_text { quote(seen) } else { text::hex(seen, 24) };
        let more = if (cut || seen.len() < bytes.len()) && !shown.ends_with('…') { "…" } else { "" };
        self.look.line(format!("{shown}{more}"), Meaning::Bytes)
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
        event: &Event,
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
        let mut line = Line::blank();
        line.extend(right(self.look.line(&time, Meaning::Quiet), 11));
        line.space(1);
        line.push(self.look.span(arrow, meaning));
        line.pad(14);
        if self.follow {
            line.extend(payload);
            return wrapped(&self.look, &line, 14);
        }
        if self.look.width() < NARROW {
            let said = self.look.spans([
                (kind, Meaning::Strong),
                (" ", Meaning::Plain),
                (flags, Meaning::Label),
                (if flags.is_empty() { "" } else { " " }, Meaning::Plain),
                (&length.to_string(), Meaning::State),
                (" ", Meaning::Plain),
            ]);
            line.extend(said);
            line.extend(payload);
            return wrapped(&self.look, &line, 14);
        }
        let offset = offset.map(|offset| offset.to_string()).unwrap_or_default();
        line.extend(right(self.look.line(offset, Meaning::Quiet), 6));
        line.space(2);
        line.extend(self.look.line(kind, Meaning::Strong));
        line.pad(30);
        line.space(1);
        line.extend(self.look.line(flags, Meaning::Label));
        line.pad(40);
        line.extend(right(self.look.line(length.to_string(), Meaning::State), 7));
        line.space(2);
        line.extend(cut(&self.look, payload, self.look.content().saturating_sub(line.width())));
        vec![line.indented(self.look.indent())]
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
    pub(super) fn time(&self, event: &Event) -> String {
        match (event.time, self.began) {
            (Some(time), Some(began)) => {
                let micro = time.saturating_sub(began) / 1000;
                format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
            }
            _ => String::new(),
        }
    }
}

pub(super) fn kind(number: u8) -> String {
    match number {
        opcode::CONTINUATION => "more".to_owned(),
        0x1 | 0x2 | 0x8..=0xa => opcode_entry(number).symbol.to_ascii_lowercase(),
        _ => format!("{number:#x}"),
    }
}

pub(super) fn right(line: Line, width: usize) -> Line {
    let shift = width.saturating_sub(line.width());
    line.indented(shift)
}

/// As much of the line as there is room for.
fn cut(look: &Look, line: Line, room: usize) -> Line {
    if line.width() <= room {
        return line;
    }
    let mut out = Line::blank();
    for span in line.spans() {
        let left = room.saturating_sub(out.width() + 1);
        if span.width() <= left {
            out.push(span.clone());
            continue;
        }
        let mut kept = String::new();
        for c in span.text().chars() {
            if look.span(format!("{kept}{c}"), span.meaning()).width() > left {
                break;
            }
            kept.push(c);
        }
        out.extend(look.line(format!("{kept}…"), span.meaning()));
        break;
    }
    out
}

//! Where the streams were cut: by send, into segments, by recv, and into frames and messages, on one axis of
//! stream offsets.

use std::ops::Range;

use super::{Comparison, Side};
use crate::view::call::LABEL;
use crate::view::line::{Line, Meaning};
use crate::view::look::Look;
use crate::view::sentences::sentence;
use crate::view::units::{plural, thousands};
use crate::view::wrap::{Long, wrap};

/// With more pieces than this a ruler only says how many there are.
const MOST: usize = 24;

pub(super) fn rulers(look: &Look, it: &Comparison) -> Vec<Line> {
    let total = it.tcp.bytes.len().max(it.websocket.bytes.len()).max(1);
    let mut lines = Vec::new();
    for (name, side, messages) in [("TCP", &it.tcp, None), ("WebSocket", &it.websocket, Some(it.messages))] {
        let frames: Vec<Range<usize>> =
            side.frames.iter().map(|(header, payload)| header.start..payload.end).collect();
        let rows = [
            ("sends", side.sends.as_slice()),
            ("segments", side.segments.as_slice()),
            ("recvs", side.recvs.as_slice()),
            ("frames", frames.as_slice()),
        ];
        if look.linear() {
            lines.extend(linear(look, name, side, &rows, messages));
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::blank());
        }
        lines.push(
            look.line(format!("{name}: where the stream is cut"), Meaning::Strong).indented(look.indent()),
        );
        for (label, ranges) in rows {
            let line = match (label, ranges) {
                ("segments", []) if !side.packets_seen => {
                    look.line("not seen: they are on the cable", Meaning::NotSeen)
                }
                ("frames", []) if messages.is_none() => look.line(
                    "none, and so no messages: their ends are for programs to agree on",
                    Meaning::Quiet,
                ),
                (_, ranges) => look.line(ruler(ranges, total, look.content() - LABEL), Meaning::State),
            };
            for (at, line) in wrap(&line, look.content() - LABEL, 0, Long::Break).into_iter().enumerate() {
                let mut all = look.line(if at == 0 { label } else { "" }, Meaning::Label);
                all.pad(LABEL);
                all.extend(line);
                lines.push(all.indented(look.indent()));
            }
        }
    }
    lines
}

/// `├──2──┤├───3───┤`: as wide as its bytes, if there is room.
fn ruler(ranges: &[Range<usize>], total: usize, room: usize) -> String {
    let column = |byte: usize| byte * room / total;
    let narrow = ranges.iter().any(|range| column(range.end) - column(range.start) < 3);
    if ranges.len() > MOST || narrow {
        return told(ranges);
    }
    let mut line = String::new();
    let mut at = 0;
    for range in ranges {
        let (start, end) = (column(range.start), column(range.end));
        line.extend(std::iter::repeat_n(' ', start.saturating_sub(at)));
        let width = end - start;
        let length = thousands(range.len() as u64);
        let inside = width - 2;
        let text = if length.len() <= inside { length.as_str() } else { "" };
        let left = (inside - text.len()) / 2;
        line.push('├');
        line.extend(std::iter::repeat_n('─', left));
        line.push_str(text);
        line.extend(std::iter::repeat_n('─', inside - text.len() - left));
        line.push('┤');
        at = end;
    }
    line
}

/// `7: 1,448 1,448 …`
fn told(ranges: &[Range<usize>]) -> String {
    let lengths: Vec<String> = ranges.iter().take(8).map(|range| thousands(range.len() as u64)).collect();
    let more = if ranges.len() > 8 { " …" } else { "" };
    format!("{}: {}{more} bytes", thousands(ranges.len() as u64), lengths.join(" + "))
}

fn linear(
    look: &Look,
    name: &str,
    side: &Side,
    rows: &[(&str, &[Range<usize>]); 4],
    messages: Option<usize>,
) -> Vec<Line> {
    let mut text = format!("{name}: ");
    let told: Vec<String> = rows
        .iter()
        .filter(|(label, _)| *label != "segments" || side.packets_seen)
        .map(|(label, ranges)| plural(ranges.len(), label.trim_end_matches('s')))
        .collect();
    text += &told.join(", ");
    if let Some(messages) = messages {
        text += &format!(", {}", plural(messages, "message"));
    }
    sentence(look, text + ".", Meaning::Prose)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_as_wide_as_its_bytes() {
        assert_eq!(ruler(&[0..2, 2..5], 10, 50), "├───2────┤├──────3──────┤");
        assert_eq!(ruler(&[0..1, 1..1000], 1000, 50), "2: 1 + 999 bytes");
        assert_eq!(ruler(&[], 10, 50), "");
    }
}

//! A frame between the two lines: an arrow with its label in it.

use crate::event::Host;
use crate::view::call::host_meaning;
use crate::view::crossing::{Arrow, Crossing};
use crate::view::line::{Line, Meaning, Span};
use crate::view::look::Look;
use crate::view::wrap::{Long, wrap};

/// What stands around a label: a line, two spaces, a line and its end.
const AROUND: usize = 5;

/// So many columns of line stand behind a label at least, with the head.
const TAIL: usize = 2;

/// The lines of a frame, none wider than `width`.
pub(super) fn lane(look: &Look, frame: &Crossing, width: usize) -> Vec<Line> {
    let (arrow, word, meaning) = frame.arrow();
    let word = word.map(|word| word.split(':').next().unwrap_or_default().to_owned());
    let drawing = Drawing { look, arrow, meaning, from: frame.from };
    let word_room =
        word.as_ref().filter(|_| stops(arrow)).map_or(0, |word| look.span(word, meaning).width() + 1);
    let label = drawing.label(frame, width, word_room);
    let mut notes = Vec::new();
    // Each line, and how far it stands from the sender.
    let mut lines: Vec<(usize, Line)> = Vec::new();
    match drawing.pieces(&label, width) {
        Some(mut pieces) => {
            let taken: usize = pieces.iter().map(Span::width).sum();
            // The word stands behind a sign in the middle, if there is room.
            match word.map(|word| look.span(word, meaning)) {
                Some(word) if stops(arrow) && taken + 1 + word.width() <= width => {
                    pieces.extend([look.span(" ", Meaning::Plain), word]);
                }
                word => notes.extend(word.map(|word| word.text().to_owned())),
            }
            if frame.from == Host::Server {
                pieces.reverse();
            }
            lines.push((0, pieces.into_iter().collect()));
        }
        None => {
            notes.extend(word);
            let words = wrap(&label.into(), width.saturating_sub(2), 2, Long::Break);
            lines.extend(words.into_iter().map(|line| (1, line)));
            // In ASCII some signs are wider.
            let wider = look.line(arrow.draw(width, frame.from), meaning).width().saturating_sub(width);
            lines.push((0, look.line(arrow.draw(width - wider, frame.from), meaning)));
        }
    }
    notes.extend(frame.said_again());
    notes.extend(frame.said_repeats());
    if !notes.is_empty() {
        let note = look.line(notes.join(" · "), meaning);
        let room = width.saturating_sub(3);
        lines.extend(wrap(&note, room, 0, Long::Break).into_iter().map(|line| (2, line)));
    }
    let at_its_place = |(edge, line): (usize, Line)| match frame.from {
        Host::Client => line.indented(edge),
        Host::Server => {
            let shift = width.saturating_sub(line.width() + edge);
            line.indented(shift)
        }
    };
    lines.into_iter().map(at_its_place).collect()
}

fn stops(arrow: Arrow) -> bool {
    matches!(arrow, Arrow::Stops(_))
}

/// An arrow that is to be drawn.
struct Drawing<'a> {
    look: &'a Look,
    arrow: Arrow,
    meaning: Meaning,
    from: Host,
}

impl Drawing<'_> {
    /// `#4 5 bytes seq 1–5 (PSH,ACK)`, without the flags where they and `more` columns have no room.
    fn label(&self, frame: &Crossing, width: usize, more: usize) -> Span {
        let span = |text: &str| self.look.span(format!("#{} {text}", frame.number), host_meaning(frame.from));
        let whole = span(&frame.label);
        match frame.label.rsplit_once(" (") {
            Some((before, flags)) if frame.segment.is_some() && flags.ends_with(')') => {
                let fits = whole.width() + AROUND + more <= width;
                if fits { whole } else { span(before) }
            }
            _ => whole,
        }
    }

    /// From the sender on: a line, the label, a line, and its end. None where there is no room for that.
    fn pieces(&self, label: &Span, width: usize) -> Option<Vec<Span>> {
        let space = || self.look.span(" ", Meaning::Plain);
        let goes_on = self.arrow == Arrow::GoesOn;
        let free = width.checked_sub(label.width() + 1 + TAIL)?;
        // A line before the label, with a space, where there is room for one.
        let before = match free {
            0..3 => 0,
            _ if goes_on => (free / 2).max(1),
            _ => 1,
        };
        let mut pieces = Vec::new();
        if before > 0 {
            let (sign, meaning) =
                if goes_on { ("·", Meaning::Rule) } else { (self.arrow.stroke(), self.meaning) };
            pieces.extend([self.look.span(sign.repeat(before), meaning), space()]);
        }
        pieces.extend([label.clone(), space()]);
        let taken: usize = pieces.iter().map(Span::width).sum();
        pieces.extend(self.tail(taken, width));
        Some(pieces)
    }

    /// What is behind the label, which ends at column `at`.
    fn tail(&self, at: usize, width: usize) -> Vec<Span> {
        let sign = |sign: &str| self.look.span(sign, self.meaning);
        let line = |columns: usize| sign(&self.arrow.stroke().repeat(columns));
        let head = sign(Arrow::head(self.from));
        let room = width.saturating_sub(at);
        match self.arrow {
            Arrow::Stops(end) => {
                let end = sign(end);
                let most = room.saturating_sub(end.width());
                let middle = (width / 2).saturating_sub(at);
                vec![line(middle.max(1).min(most)), end]
            }
            Arrow::Broken => {
                let broken = sign("✗");
                let lines = room.saturating_sub(broken.width() + head.width());
                vec![line(lines / 2), broken, line(lines - lines / 2), head]
            }
            _ => vec![line(room.saturating_sub(head.width())), head],
        }
    }
}

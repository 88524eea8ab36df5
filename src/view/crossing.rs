//! What crossed the cable in a step: a row for each frame, in its order, with the client at the left and the server at the right.

use std::collections::HashMap;

use super::aloud::{capital, sentence};
use super::call::{LABEL, host_meaning, labelled, room};
use super::frame_table::{Depth, frame_table};
use super::line::{Line, Meaning};
use super::look::Look;
use super::passage;
use super::units::{thousands, time, time_in_words};
use super::wrap::{Long, aside, wrap};
use crate::trace::{Became, Fate, Frame, Host, Wire};
use crate::wire::flow::{Flows, Seen};

/// Frames that are remembered by number; of more, all but the newest half are forgotten.
const REMEMBERED: usize = 20_000;

/// With less room than this an arrow stands on a line of its own.
const SHORTEST_ARROW: usize = 8;

/// So many frames of a step are shown at most, and so many of them are the last ones.
const MOST_ROWS: usize = 12;
const LAST_ROWS: usize = 3;

/// Columns for the time at the right margin, and what parts it from the arrow.
const TIME: usize = 10;

/// What is known of the frames of a run, and what of it is still to be shown.
#[derive(Debug, Default)]
pub(super) struct Crossings {
    flows: Flows,
    frames: HashMap<u64, Known>,
    rows: Vec<Row>,
    /// Nanoseconds at which the step began, from which times are counted.
    since: u64,
    /// How much is told of each frame.
    depth: Depth,
    /// Frames whose tables are still to be shown.
    tables: Vec<(Frame, Option<Seen>)>,
}

#[derive(Debug, Clone)]
struct Known {
    from: Host,
    /// What it is, in a few words.
    label: String,
    ns: u64,
    /// The frame that it repeats, and how long after that.
    again: Option<(u64, u64)>,
    held: bool,
}

/// Something to show.
#[derive(Debug)]
struct Row {
    number: u64,
    fate: Option<Became>,
    ns: u64,
    /// It has waited since an earlier row.
    waited: bool,
    delay_us: Option<u64>,
    bit: Option<u64>,
    /// How often it was sent again while it waited, and how long after the first the last of these came.
    again: (usize, u64),
}

impl Crossings {
    /// A step begins, so many microseconds after the lesson.
    pub fn begin(&mut self, at: u64) {
        self.since = at.saturating_mul(1000);
    }

    /// A frame came to the cable.
    pub fn frame(&mut self, it: &Frame) {
        if self.frames.len() >= REMEMBERED {
            let oldest = it.number.saturating_sub(REMEMBERED as u64 / 2);
            self.frames.retain(|number, _| *number > oldest);
        }
        let (label, seen) = passage::label(&mut self.flows, it);
        if self.depth != Depth::Summary {
            self.tables.push((it.clone(), seen));
        }
        let again = it.again.and_then(|first| {
            let known = self.frames.get(&first)?;
            Some((first, it.ns.saturating_sub(known.ns)))
        });
        self.frames.insert(it.number, Known { from: it.from, label, ns: it.ns, again, held: false });
        self.rows.push(Row::of(it.number, it.ns));
    }

    /// Something became of a frame.
    pub fn fate(&mut self, it: &Fate) {
        let Some(known) = self.frames.get_mut(&it.frame) else { return };
        let waited = std::mem::replace(&mut known.held, it.fate == Became::Held);
        let again = known.again;
        if let Some(row) = self.rows.iter_mut().rev().find(|row| row.number == it.frame && row.fate.is_none())
        {
            row.take(it);
            return;
        }
        if let (Became::Folded, Some((first, after))) = (it.fate, again) {
            // This is only said of the first one, not shown by itself.
            self.rows.retain(|row| row.number != it.frame);
            match self.rows.iter_mut().rev().find(|row| row.number == first) {
                Some(row) => row.again = (row.again.0 + 1, after),
                None => {
                    let held = self.frames.get(&first).is_some_and(|first| first.held);
                    let fate = Some(if held { Became::Held } else { Became::Folded });
                    self.rows.push(Row { fate, again: (1, after), waited: true, ..Row::of(first, it.ns) });
                }
            }
            return;
        }
        let mut row = Row { waited, ..Row::of(it.frame, it.ns) };
        row.take(it);
        self.rows.push(row);
    }

    /// So much is to be told of each frame.
    pub fn deep(&mut self, depth: Depth) {
        self.depth = depth;
    }

    /// How much is told of each frame.
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// The tables of the frames that came since they were last shown: of many, those that have a row.
    pub fn tables(&mut self, look: &Look) -> Vec<Vec<Line>> {
        let frames = std::mem::take(&mut self.tables);
        let last = frames.len().saturating_sub(LAST_ROWS);
        let has_row = |at: usize| frames.len() <= MOST_ROWS || at < MOST_ROWS - LAST_ROWS || at >= last;
        let shown = frames.iter().enumerate().filter(|(at, _)| has_row(*at));
        shown.map(|(_, (frame, seen))| frame_table(look, frame, seen.as_ref(), self.depth)).collect()
    }

    /// Whether there is anything to show.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What has crossed since it was last shown.
    pub fn draw(&mut self, look: &Look) -> Vec<Line> {
        let rows = std::mem::take(&mut self.rows);
        if look.linear() && rows.len() > MOST_ROWS {
            return sentence(
                look,
                format!("On the cable: {}.", self.sum(&rows).replace("… ", "").replace(" more", " frames")),
                Meaning::Prose,
            );
        }
        if look.linear() {
            return rows.iter().flat_map(|row| self.aloud(look, row)).collect();
        }
        let mut lines = Vec::new();
        let room = room(look);
        let mut ends = look.line("client", host_meaning(Host::Client));
        ends.pad(room - TIME - "server".len());
        ends.push(look.span("server", host_meaning(Host::Server)));
        lines.push(ends);
        // Of many the first and the last are shown: the rest is in the trace.
        let (first, between, last) = match rows.len() {
            many if many > MOST_ROWS => {
                let (first, rest) = rows.split_at(MOST_ROWS - LAST_ROWS);
                let (between, last) = rest.split_at(rest.len() - LAST_ROWS);
                (first, between, last)
            }
            _ => (&rows[..], &[][..], &[][..]),
        };
        for row in first {
            lines.extend(self.row(look, row, room));
        }
        if !between.is_empty() {
            lines.push(look.line(self.sum(between), Meaning::Quiet));
        }
        for row in last {
            lines.extend(self.row(look, row, room));
        }
        labelled(look, look.span("wire", Meaning::Label), lines)
    }

    /// `… 690 more: 345 from the client, 345 from the server`
    fn sum(&self, rows: &[Row]) -> String {
        let of = |host: Host| {
            let from = |row: &&Row| self.frames.get(&row.number).is_some_and(|known| known.from == host);
            rows.iter().filter(from).count() as u64
        };
        format!(
            "… {} more: {} from the client, {} from the server",
            thousands(rows.len() as u64),
            thousands(of(Host::Client)),
            thousands(of(Host::Server))
        )
    }

    fn row(&self, look: &Look, row: &Row, room: usize) -> Vec<Line> {
        let Some(known) = self.frames.get(&row.number) else { return Vec::new() };
        let lane = room - TIME;
        let at = look.span(time(row.ns.saturating_sub(self.since)), Meaning::Quiet);
        let label = format!("#{} {}", row.number, known.label);
        let label = look.spans([(&label, host_meaning(known.from))]);
        let (arrow, word, meaning) = row.arrow(known);
        let notes = [word, known.said_again(), row.repeats()];
        let note = notes.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let fixed = label.width() + if note.is_empty() { 0 } else { note.chars().count() + 2 } + 1;
        if fixed + SHORTEST_ARROW > lane {
            // No room beside each other: the words, then the arrow.
            let mut words = label;
            if !note.is_empty() {
                words.extend(look.spans([("  ", Meaning::Plain), (&note, meaning)]));
            }
            let mut lines = wrap(&words, room, 2, Long::Break);
            let drawn = look.line(arrow.draw(lane.min(SHORTEST_ARROW * 2), known.from), meaning);
            lines.extend(aside(&drawn, at, room, 0));
            return lines;
        }
        let drawn = look.span(arrow.draw(lane - fixed, known.from), meaning);
        let mut pieces = vec![label, drawn.into()];
        if !note.is_empty() {
            pieces.push(look.line(&note, meaning));
        }
        let taken: usize = pieces.iter().map(Line::width).sum::<usize>() + pieces.len() - 1;
        let mut line = Line::blank();
        if known.from == Host::Server {
            pieces.reverse();
            line.space(lane.saturating_sub(taken));
        }
        for (at, piece) in pieces.into_iter().enumerate() {
            line.space(usize::from(at > 0));
            line.extend(piece);
        }
        line.pad(room - at.width());
        line.push(at);
        vec![line]
    }

    fn aloud(&self, look: &Look, row: &Row) -> Vec<Line> {
        let Some(known) = self.frames.get(&row.number) else { return Vec::new() };
        let to = known.from.other();
        let (_, _, meaning) = row.arrow(known);
        let mut text = format!("Frame {}, from the {} to the {to}: {}", row.number, known.from, known.label);
        let became = match row.fate {
            _ if row.waited && row.fate == Some(Became::Delivered) => {
                "it has waited, and now it has arrived".into()
            }
            Some(Became::Held) => "it waits on the cable".to_owned(),
            Some(Became::Delivered) => "it has arrived".into(),
            Some(Became::Dropped) => "it was dropped".into(),
            Some(Became::Folded) => "it came again and was taken off, as another frame still waits".into(),
            Some(Became::Duplicated) => "it has arrived twice".into(),
            Some(Became::Corrupted) => "it has arrived with a wrong bit".into(),
            Some(Became::Lost) => "it is lost, as the cable is cut".into(),
            Some(Became::Delayed) => "it is on its way".into(),
            None => String::new(),
        };
        for more in [Some(became), known.said_again(), row.repeats()].into_iter().flatten() {
            if !more.is_empty() {
                text += &format!("; {more}");
            }
        }
        text += &format!(", after {}.", time_in_words(row.ns.saturating_sub(self.since)));
        sentence(look, capital(&text), if meaning == Meaning::Plain { Meaning::Prose } else { meaning })
    }
}

impl Known {
    /// `again #1 after 1.02 s`
    fn said_again(&self) -> Option<String> {
        self.again.map(|(first, after)| format!("again #{first} after {}", time(after)))
    }
}

impl Row {
    fn of(number: u64, ns: u64) -> Row {
        Row { number, fate: None, ns, waited: false, delay_us: None, bit: None, again: (0, 0) }
    }

    fn take(&mut self, it: &Fate) {
        self.fate = Some(it.fate);
        self.delay_us = it.delay_us;
        self.bit = it.bit;
        self.ns = it.ns;
    }

    fn repeats(&self) -> Option<String> {
        match self.again {
            (0, _) => None,
            (times, last) => {
                let off = if self.fate == Some(Became::Folded) { ": taken off" } else { "" };
                Some(format!("again × {times}, last after {}{off}", time(last)))
            }
        }
    }

    /// How it is drawn, a word beside it, and what both mean.
    fn arrow(&self, known: &Known) -> (Arrow, Option<String>, Meaning) {
        let _ = known;
        match self.fate {
            Some(Became::Held) => (Arrow::Stops("▌"), Some("held".into()), Meaning::Changed),
            Some(Became::Dropped) => (Arrow::Stops("✗"), Some("dropped".into()), Meaning::Fails),
            Some(Became::Folded) if self.again.0 > 0 => (Arrow::Stops("✗"), None, Meaning::Quiet),
            Some(Became::Folded) => (Arrow::Stops("✗"), Some("taken off".into()), Meaning::Quiet),
            Some(Became::Lost) => (Arrow::Stops("✗"), Some("lost: the cable is cut".into()), Meaning::Fails),
            Some(Became::Duplicated) => (Arrow::Double, Some("twice".into()), Meaning::Changed),
            Some(Became::Corrupted) => {
                let bit = self.bit.map(|bit| format!("bit {bit} is wrong"));
                (Arrow::Broken, bit, Meaning::Fails)
            }
            Some(Became::Delayed) => {
                let takes = self.delay_us.map(|us| format!("takes {}", time(us.saturating_mul(1000))));
                (Arrow::Slow, takes, Meaning::State)
            }
            _ if self.waited => (Arrow::GoesOn, None, Meaning::State),
            _ => (Arrow::Crosses, None, Meaning::State),
        }
    }
}

/// Shapes of arrows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrow {
    Crosses,
    /// It has waited in the middle.
    GoesOn,
    /// It ends at this sign.
    Stops(&'static str),
    Double,
    Broken,
    Slow,
}

impl Arrow {
    /// So many columns, in the direction away from `from`.
    fn draw(self, width: usize, from: Host) -> String {
        let (line, head) = match (self, from) {
            (Arrow::Double, Host::Client) => ("═", "▶"),
            (Arrow::Double, Host::Server) => ("═", "◀"),
            (Arrow::Slow, Host::Client) => ("┄", "▶"),
            (Arrow::Slow, Host::Server) => ("┄", "◀"),
            (_, Host::Client) => ("─", "▶"),
            (_, Host::Server) => ("─", "◀"),
        };
        let half = width.saturating_sub(1) / 2;
        // From the sender on; turned round for the server.
        let mut pieces: Vec<&str> = match self {
            Arrow::Stops(sign) => [vec![line; half], vec![sign]].concat(),
            Arrow::GoesOn => {
                [vec!["·"; half], vec![line; width.saturating_sub(half + 1)], vec![head]].concat()
            }
            Arrow::Broken => {
                [vec![line; half], vec!["✗"], vec![line; width.saturating_sub(half + 2)], vec![head]].concat()
            }
            _ => [vec![line; width.saturating_sub(1)], vec![head]].concat(),
        };
        if from == Host::Server {
            pieces.reverse();
        }
        pieces.concat()
    }
}

/// What was done to the cable: told if it failed, or if it was no step of the lesson but a key that a person pressed.
pub(super) fn done(look: &Look, it: &Wire, by_a_step: bool) -> Vec<Line> {
    let (text, meaning) = match &it.failed {
        Some(why) => (why.clone(), Meaning::Fails),
        None if by_a_step => return Vec::new(),
        None => {
            let numbers: Vec<String> = it.frames.iter().map(|number| format!("#{number}")).collect();
            (format!("wire$ {} {}", it.action, numbers.join(" ")).trim_end().to_owned(), Meaning::Code)
        }
    };
    if look.linear() {
        return sentence(look, format!("The cable: {text}."), meaning);
    }
    let line = look.line(text, meaning);
    let lines = wrap(&line, look.content() - LABEL, 0, Long::Break);
    labelled(look, look.span("wire", Meaning::Label), lines)
}

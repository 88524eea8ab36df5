//! What is known of the frames of a run, and what of it is still to be shown.

use std::collections::HashMap;

use super::{LAST_ROWS, MOST_ROWS};
use crate::event::{Became, Fate, Frame, Host};
use crate::view::frame_table::{Depth, frame_table};
use crate::view::line::Line;
use crate::view::look::Look;
use crate::view::passage;
use crate::view::units::{plural, time, time_in_words};
use crate::wire::{flow::Flows, tcp::Seen, tcp::Segment};

/// Frames that are remembered by number; of more, all but the newest half are forgotten.
const REMEMBERED: usize = 20_000;

/// So many repeats of a frame are told by their times; more are only counted.
const TIMES_TOLD: usize = 8;

/// The frames of a run: events in, crossings out.
#[derive(Debug, Default)]
pub(in crate::view) struct Crossings {
    flows: Flows,
    frames: HashMap<u64, Known>,
    rows: Vec<Crossing>,
    /// How much is told of each frame.
    depth: Depth,
    /// Frames whose tables are still to be shown.
    tables: Vec<(Frame, Option<Seen>)>,
}

#[derive(Debug, Clone)]
struct Known {
    from: Host,
    label: String,
    segment: Option<Segment>,
    ns: u64,
    again: Option<(u64, u64)>,
    /// It has come to the cable and not to the other host yet.
    waits: bool,
}

/// A frame on its way, or a piece of its way: what a row shows.
#[derive(Debug, Clone)]
pub(in crate::view) struct Crossing {
    /// Its number.
    pub number: u64,
    /// Who sent it.
    pub from: Host,
    /// What it is, in a few words.
    pub label: String,
    /// Its segment, if it is one of TCP.
    pub segment: Option<Segment>,
    /// Nanoseconds at which this piece of its way began.
    pub begun: u64,
    /// Nanoseconds at which it came to where it is.
    pub ns: u64,
    /// What became of it.
    pub fate: Option<Became>,
    /// It has waited since an earlier row.
    pub waited: bool,
    /// It was delayed, and has arrived nevertheless.
    pub arrived: bool,
    /// Microseconds by which it is delayed.
    pub delay_us: Option<u64>,
    /// The bit that is wrong.
    pub bit: Option<u64>,
    /// The frame that it repeats, and how long after that.
    pub again: Option<(u64, u64)>,
    /// How long after it each of its repeats came to the same end, or waits like it.
    pub repeats: Vec<u64>,
    /// How many repeats there were in all.
    pub repeated: usize,
}

impl Crossings {
    /// A frame came to the cable.
    pub fn frame(&mut self, it: &Frame) {
        if self.frames.len() >= REMEMBERED {
            let oldest = it.number.saturating_sub(REMEMBERED as u64 / 2);
            self.frames.retain(|number, _| *number > oldest);
        }
        let segment = Segment::parse(&it.bytes);
        let (label, seen) = passage::label(&mut self.flows, it);
        if self.depth != Depth::Summary {
            self.tables.push((it.clone(), seen));
        }
        let again = it.again.and_then(|first| {
            let known = self.frames.get(&first)?;
            Some((first, it.ns.saturating_sub(known.ns)))
        });
        let known = Known { from: it.from, label, segment, ns: it.ns, again, waits: false };
        self.rows.push(Crossing::of(it.number, &known, it.ns));
        self.frames.insert(it.number, known);
    }

    /// Something became of a frame.
    pub fn fate(&mut self, it: &Fate) {
        let Some(known) = self.frames.get_mut(&it.frame) else { return };
        let waits = matches!(it.fate, Became::Held | Became::Delayed);
        let waited = std::mem::replace(&mut known.waits, waits);
        let known = known.clone();
        if let (Became::Folded, Some((first, after))) = (it.fate, known.again) {
            self.repeated(it, first, after);
            return;
        }
        let row = self.rows.iter_mut().rev().find(|row| row.number == it.frame);
        match row {
            Some(row) if row.fate.is_none() => row.take(it),
            Some(row) if row.fate == Some(Became::Delayed) && it.fate == Became::Delivered => {
                (row.arrived, row.ns) = (true, it.ns);
            }
            _ => {
                let mut row = Crossing { waited, ..Crossing::of(it.frame, &known, it.ns) };
                row.take(it);
                self.rows.push(row);
            }
        }
        if let Some((first, after)) = known.again {
            self.fold(it, first, after);
        }
    }

    /// A repeat that ends like the first is only said of it, not shown by itself.
    fn fold(&mut self, it: &Fate, first: u64, after: u64) {
        let first_waits = self.frames.get(&first).is_some_and(|first| first.waits);
        let shown = self.rows.iter().rposition(|row| row.number == first);
        let ended_alike =
            shown.is_some_and(|at| self.rows[at].fate == Some(it.fate) && self.rows[at].fate_is_an_end());
        if ended_alike || (first_waits && it.fate == Became::Dropped) {
            self.repeated(it, first, after);
        }
    }

    /// It is said of the first that it was said again.
    fn repeated(&mut self, it: &Fate, first: u64, after: u64) {
        let at = self.rows.iter().rposition(|row| row.number == first).unwrap_or_else(|| {
            // It has waited, or arrived, in a step that is over.
            if let Some(known) = self.frames.get(&first) {
                let fate = if known.waits { Became::Held } else { Became::Folded };
                self.rows.push(Crossing {
                    fate: Some(fate),
                    waited: true,
                    ..Crossing::of(first, known, it.ns)
                });
            }
            self.rows.len().saturating_sub(1)
        });
        if let Some(row) = self.rows.get_mut(at) {
            row.repeated += 1;
            if row.repeats.len() < TIMES_TOLD {
                row.repeats.push(after);
            }
        }
        self.rows.retain(|row| row.number != it.frame);
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

    /// What has crossed since this was asked last.
    pub fn take(&mut self) -> Vec<Crossing> {
        std::mem::take(&mut self.rows)
    }
}

impl Crossing {
    fn of(number: u64, known: &Known, ns: u64) -> Self {
        Crossing {
            number,
            from: known.from,
            label: known.label.clone(),
            segment: known.segment.clone(),
            begun: ns,
            ns,
            fate: None,
            waited: false,
            arrived: false,
            delay_us: None,
            bit: None,
            again: known.again,
            repeats: Vec::new(),
            repeated: 0,
        }
    }

    fn take(&mut self, it: &Fate) {
        self.fate = Some(it.fate);
        self.delay_us = it.delay_us;
        self.bit = it.bit;
        self.ns = it.ns;
    }

    fn fate_is_an_end(&self) -> bool {
        matches!(self.fate, Some(Became::Dropped | Became::Lost))
    }

    /// True if it has come to the other host.
    pub fn has_arrived(&self) -> bool {
        self.arrived || matches!(self.fate, Some(Became::Delivered | Became::Duplicated | Became::Corrupted))
    }

    /// `again #1 after 1.02 s`
    pub fn said_again(&self) -> Option<String> {
        self.again.map(|(first, after)| format!("again #{first} after {}", time(after)))
    }

    /// `it says again what frame 6 said, 207 milliseconds after that`
    pub fn again_linear(&self) -> Option<String> {
        let (first, after) = self.again?;
        Some(format!("it says again what frame {first} said, {} after that", time_in_words(after)))
    }

    /// `sent again 4 times, after 1.0 2.0 3.0 4.0 seconds`
    pub fn repeats_linear(&self) -> Option<String> {
        let said = self.said_repeats()?.replace(" …", "").replace(": taken off", "");
        let (_, times) = said.split_once(", ")?;
        let times = match times.strip_suffix(" ms") {
            Some(times) => format!("{times} milliseconds"),
            None => format!("{}econds", times),
        };
        Some(format!("sent again {}, {times}", plural(self.repeated, "time")))
    }

    /// `again × 4, after 1.0 2.0 3.0 4.0 s`
    pub fn said_repeats(&self) -> Option<String> {
        if self.repeated == 0 {
            return None;
        }
        let more = if self.repeated > self.repeats.len() { " …" } else { "" };
        let off = if self.fate == Some(Became::Folded) { ": taken off" } else { "" };
        Some(format!("again × {}, after {}{more}{off}", self.repeated, times(&self.repeats)))
    }
}

/// Times in one unit, so that they can be compared: `1.0 2.0 4.0 s`, `201 409 817 ms`.
fn times(all: &[u64]) -> String {
    let longest = all.iter().copied().max().unwrap_or(0);
    let (unit, decimals, name) = if longest < 1_000_000_000 { (1e6, 0, "ms") } else { (1e9, 1, "s") };
    let one = |ns: &u64| format!("{:.decimals$}", *ns as f64 / unit);
    format!("{} {name}", all.iter().map(one).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_repeats_have_one_unit() {
        assert_eq!(times(&[1_020_000_000, 2_040_000_000, 7_100_000_000]), "1.0 2.0 7.1 s");
        assert_eq!(times(&[201_000_000, 409_400_000]), "201 409 ms");
    }
}

//! What crossed the cable in a step: a row for each frame, in its order, with the client at the left and the
//! server at the right.

use super::call::{LABEL, host_meaning, labelled, room};
use super::line::{Line, Meaning};
use super::look::Look;
use super::sentences::{capital, sentence};
use super::units::{thousands, time, time_in_words};
use super::wrap::{Long, aside, wrap};
use crate::event::{Host, Wire};

mod arrow;
mod record;

pub(super) use arrow::Arrow;
pub(super) use record::{Crossing, Crossings};

/// With less room than this an arrow stands on a line of its own.
const SHORTEST_ARROW: usize = 8;

/// So many frames of a step are shown at most, and so many of them are the last ones.
const MOST_ROWS: usize = 12;
const LAST_ROWS: usize = 3;

/// Columns for the time at the right margin, and what parts it from the arrow.
const TIME: usize = 10;

/// Of many the first and the last are shown: the rest is in the trace.
pub(super) fn first_and_last(rows: &[Crossing]) -> (&[Crossing], &[Crossing], &[Crossing]) {
    if rows.len() <= MOST_ROWS {
        return (rows, &[], &[]);
    }
    let (first, rest) = rows.split_at(MOST_ROWS - LAST_ROWS);
    let (between, last) = rest.split_at(rest.len() - LAST_ROWS);
    (first, between, last)
}

/// The rows of a step; their times count from `since`, in nanoseconds.
pub(super) fn draw(look: &Look, rows: &[Crossing], since: u64) -> Vec<Line> {
    let (first, between, last) = first_and_last(rows);
    if look.linear() {
        return match between {
            [] => rows.iter().flat_map(|row| linear(look, row, Some(since))).collect(),
            _ => sum_linear(look, rows),
        };
    }
    let mut lines = Vec::new();
    let room = room(look);
    let mut ends = look.line("client", host_meaning(Host::Client));
    ends.pad(room - TIME - "server".len());
    ends.push(look.span("server", host_meaning(Host::Server)));
    lines.push(ends);
    for one in first {
        lines.extend(row(look, one, since, room));
    }
    if !between.is_empty() {
        lines.push(look.line(sum(between), Meaning::Quiet));
    }
    for one in last {
        lines.extend(row(look, one, since, room));
    }
    labelled(look, look.span("wire", Meaning::Label), lines)
}

/// `… 690 more: 345 from the client, 345 from the server`
pub(super) fn sum(rows: &[Crossing]) -> String {
    format!("… {} more: {}", thousands(rows.len() as u64), by_host(rows))
}

fn by_host(rows: &[Crossing]) -> String {
    let of = |host: Host| thousands(rows.iter().filter(|row| row.from == host).count() as u64);
    format!("{} from the client, {} from the server", of(Host::Client), of(Host::Server))
}

/// `On the cable: 702 frames: 351 from the client, 351 from the server.`
pub(super) fn sum_linear(look: &Look, rows: &[Crossing]) -> Vec<Line> {
    let frames = thousands(rows.len() as u64);
    sentence(look, format!("On the cable: {frames} frames: {}.", by_host(rows)), Meaning::Prose)
}

fn row(look: &Look, row: &Crossing, since: u64, room: usize) -> Vec<Line> {
    let lane = room - TIME;
    let at = look.span(time(row.ns.saturating_sub(since)), Meaning::Quiet);
    let label = look.line(format!("#{} {}", row.number, row.label), host_meaning(row.from));
    let (arrow, word, meaning) = row.arrow();
    let notes = [word, row.said_again(), row.said_repeats()];
    let note = look.line(notes.into_iter().flatten().collect::<Vec<_>>().join(" · "), meaning);
    let fixed = label.width() + if note.is_blank() { 0 } else { note.width() + 2 } + 1;
    if fixed + SHORTEST_ARROW > lane || at.width() >= TIME {
        // No room beside each other: the words, then the arrow.
        let mut words = label;
        if !note.is_blank() {
            words.space(2);
            words.extend(note);
        }
        let mut lines = wrap(&words, room, 2, Long::Break);
        let drawn = look.line(arrow.draw(lane.min(SHORTEST_ARROW * 2), row.from), meaning);
        lines.extend(aside(&drawn, at, room, 0));
        return lines;
    }
    let drawn = look.line(arrow.draw(lane - fixed, row.from), meaning);
    let mut pieces = vec![label, drawn];
    if !note.is_blank() {
        pieces.push(note);
    }
    let taken: usize = pieces.iter().map(Line::width).sum::<usize>() + pieces.len() - 1;
    let mut line = Line::blank();
    if row.from == Host::Server {
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

/// A frame in a sentence, with the time since `since` if there is one.
pub(super) fn linear(look: &Look, row: &Crossing, since: Option<u64>) -> Vec<Line> {
    let to = row.from.other();
    let (_, _, meaning) = row.arrow();
    let mut text = format!(
        "Frame {}, from the {} to the {to}: {}",
        row.number,
        row.from,
        row.label.replace('–', " to ")
    );
    for more in
        [Some(row.became().to_owned()), row.again_linear(), row.repeats_linear()].into_iter().flatten()
    {
        if !more.is_empty() {
            text += &format!("; {more}");
        }
    }
    if let Some(since) = since {
        text += &format!(", after {}", time_in_words(row.ns.saturating_sub(since)));
    }
    text += ".";
    sentence(look, capital(&text), if meaning == Meaning::Plain { Meaning::Prose } else { meaning })
}

/// What was done to the cable: told if it failed, or if it was no step of the lesson but a key that a person
/// pressed.
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

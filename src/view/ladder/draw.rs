//! The ladder on the screen: columns where there is room for them, else one thing under the other.

use super::lane::lane;
use super::rows::{Made, Row, Thing};
use super::{STATE, short};
use crate::event::{Host, Lesson, Step};
use crate::view::call::host_meaning;
use crate::view::crossing;
use crate::view::headings;
use crate::view::line::{Line, Meaning};
use crate::view::look::Look;
use crate::view::sentences::sentence;
use crate::view::units::time;
use crate::view::wrap::{Long, aside, wrap};

/// Wider than this it would fall apart: the width of the headings.
const WIDEST: usize = 100;

/// Columns for the time at the right margin.
const TIME: usize = 8;

/// With fewer columns than this there are no times beside the rows, only at the steps.
const TIMED: usize = 72;

/// Columns for a host at least: `conn CLOSE_WAIT`.
const SIDE: usize = 15;

/// Columns of `client  `, where there are no columns.
const LABEL: usize = 8;

/// How wide everything is.
pub(super) struct Columns {
    look: Look,
    /// Columns of each side; none where things stand one under the other.
    side: Option<usize>,
    /// Columns between the lines; none where no cable is seen.
    lane: Option<usize>,
    /// Whether the rows have times.
    timed: bool,
}

impl Columns {
    /// For this look, with a cable or without.
    pub fn new(look: &Look, cable: bool) -> Self {
        if !look.wide() {
            let lane = Some(look.content() - 1 - TIME);
            return Columns { look: *look, side: None, lane, timed: true };
        }
        let timed = look.width() >= TIMED;
        // A space at each side of the page, the time, and a space and a line beside each host.
        let room = look.width().min(WIDEST) - 2 - if timed { TIME } else { 0 } - 4;
        if cable {
            let side = (room / 4).max(SIDE);
            return Columns { look: *look, side: Some(side), lane: Some(room - 2 * side), timed };
        }
        Columns { look: *look, side: Some(room.div_ceil(2)), lane: None, timed }
    }

    /// Columns for a result on a line of its own, behind the sign.
    pub fn beside_equals(&self) -> usize {
        self.side.unwrap_or(30).saturating_sub(4)
    }

    /// Who stands where.
    pub fn header(&self) -> Vec<Line> {
        let Some(side) = self.side else { return Vec::new() };
        let name = |host: Host| self.look.line(host.name(), host_meaning(host));
        let middle = match self.lane {
            Some(lane) => {
                let mut line = Line::blank();
                line.space(lane.saturating_sub("cable".len()) / 2);
                line.push(self.look.span("cable", Meaning::Quiet));
                line
            }
            None => Line::blank(),
        };
        vec![self.beside(side, &name(Host::Client), &middle, &name(Host::Server))]
    }

    /// A row, `after` so many nanoseconds.
    pub fn row(&self, row: &Row, after: u64) -> Vec<Line> {
        let later = if after < 1000 || !self.timed { String::new() } else { format!("+{}", time(after)) };
        // What takes days has no column.
        let later = if later.chars().count() > TIME { String::new() } else { later };
        let later = self.look.span(later, Meaning::Quiet);
        match self.side {
            Some(side) => self.in_columns(row, side, later),
            None => self.stacked(row, later),
        }
    }

    fn in_columns(&self, row: &Row, side: usize, later: crate::view::Span) -> Vec<Line> {
        let cell = |thing: &Option<Thing>| match thing {
            Some(thing) => wrap(&self.cell(thing), side, if side > SIDE { 2 } else { 0 }, Long::Break),
            None => Vec::new(),
        };
        let [client, server] = [cell(&row.sides[0]), cell(&row.sides[1])];
        let middle = self.middle(row, self.lane.unwrap_or(side));
        let height = client.len().max(server.len()).max(middle.len());
        let of = |lines: &[Line], at: usize| lines.get(at).cloned().unwrap_or_default();
        let mut lines: Vec<Line> = (0..height)
            .map(|at| self.beside(side, &of(&client, at), &of(&middle, at), &of(&server, at)))
            .collect();
        if let Some(first) = lines.first_mut().filter(|_| later.width() > 0) {
            let right = self.look.width().min(WIDEST) - 1;
            first.pad(right.saturating_sub(later.width()));
            first.push(later);
        }
        lines
    }

    /// `client │ lane │ server`
    fn beside(&self, side: usize, client: &Line, middle: &Line, server: &Line) -> Line {
        let bar = || self.look.span("│", Meaning::Rule);
        let mut line = Line::blank();
        line.space(1);
        line.extend(client.clone());
        line.pad(1 + side + 1);
        line.push(bar());
        if let Some(lane) = self.lane {
            line.extend(middle.clone());
            line.pad(side + 3 + lane);
            line.push(bar());
        }
        if !server.is_blank() {
            line.space(1);
            line.extend(server.clone());
        }
        line
    }

    fn middle(&self, row: &Row, width: usize) -> Vec<Line> {
        match &row.lane {
            Some(Thing::Crossing(frame)) => lane(&self.look, frame, width),
            Some(Thing::More(frames)) => {
                let line = self.look.line(crossing::sum(frames), Meaning::Quiet);
                let room = width.saturating_sub(2);
                wrap(&line, room, 2, Long::Break).into_iter().map(|line| line.indented(1)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// One thing under the other, each with its host; the time stands at the first.
    fn stacked(&self, row: &Row, later: crate::view::Span) -> Vec<Line> {
        let look = self.look;
        let room = look.content();
        let mut later = Some(later);
        let mut lines = Vec::new();
        let mut add = |all: Vec<Line>| {
            for line in all {
                let right = later.take().filter(|later| later.width() > 0);
                let right = right.unwrap_or_else(|| look.span("", Meaning::Plain));
                lines.extend(
                    aside(&line, right, room, 2).into_iter().map(|line| line.indented(look.indent())),
                );
            }
        };
        let first = match &row.lane {
            Some(Thing::Crossing(frame)) => frame.from,
            _ => Host::Client,
        };
        for (at, host) in [first, first.other()].into_iter().enumerate() {
            if at == 1 {
                add(self.middle(row, self.lane.unwrap_or(room)));
            }
            if let Some(thing) = &row.sides[super::side_of(host)] {
                let mut line = look.line(host.name(), host_meaning(host));
                line.pad(LABEL);
                line.extend(self.cell(thing));
                add(wrap(&line, room.saturating_sub(TIME), LABEL, Long::Break));
            }
        }
        lines
    }

    /// What stands at a host's side.
    fn cell(&self, thing: &Thing) -> Line {
        let look = self.look;
        match thing {
            Thing::State(state) => look.spans([
                (&short(&state.name), host_meaning(state.host)),
                (" ", Meaning::Plain),
                (&state.state, STATE),
            ]),
            Thing::Call(made) | Thing::Back(made) => {
                let mut line = look.line(&made.call, Meaning::Call);
                if let Some(socket) = &made.socket {
                    line.extend(look.spans([(" ", Meaning::Plain), (&short(socket), Meaning::Call)]));
                }
                line.extend(self.outcome(made));
                line
            }
            Thing::Crossing(_) | Thing::More(_) => Line::blank(),
        }
    }

    fn outcome(&self, made: &Made) -> Line {
        match &made.result {
            Some((result, meaning)) => {
                // The sign stays with the value when the line is broken.
                self.look.spans([(" =\u{a0}", Meaning::Plain), (&result.replace(' ', "\u{a0}"), *meaning)])
            }
            None if made.waits.is_some() => self.look.spans([(" …", STATE)]),
            None => Line::blank(),
        }
    }
}

/// A step begins: its line within a thin rule, and how long after the lesson's beginning.
pub(in crate::view) fn step(look: &Look, lesson: Option<&Lesson>, step: &Step, at: u64) -> Vec<Line> {
    if look.linear() {
        return headings::step(look, lesson, step);
    }
    let right = if look.wide() { look.width().min(WIDEST) - 1 } else { look.indent() + look.content() };
    let at = format!(" {}", time(at));
    let number = format!("{} ", step.number);
    let text = look.spans([(&number, Meaning::Quiet), (&step.text, Meaning::Heading)]);
    let room = right.saturating_sub(4 + at.chars().count() + 3);
    let mut lines = wrap(&text, room, number.len(), Long::Break).into_iter();
    let mut first = look.spans([(" ", Meaning::Plain), ("── ", Meaning::Rule)]);
    first.extend(lines.next().unwrap_or_default());
    let rest = right.saturating_sub(first.width() + 1 + at.chars().count());
    first.extend(look.spans([
        (" ", Meaning::Plain),
        (&"─".repeat(rest), Meaning::Rule),
        (&at, Meaning::Quiet),
    ]));
    [first].into_iter().chain(lines.map(|line| line.indented(4))).collect()
}

/// Said once where no cable is seen.
pub(super) fn no_frames(look: &Look, stage: &str) -> Vec<Line> {
    let text = format!("On {stage} no frames are seen: calls and states only.");
    if look.linear() {
        return sentence(look, text, Meaning::Quiet);
    }
    let line = look.line(text, Meaning::Quiet);
    let room = look.content().saturating_sub(1);
    wrap(&line, room, 0, Long::Break).into_iter().map(|line| line.indented(look.outdent())).collect()
}

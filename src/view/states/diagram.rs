//! The drawing: 20 lines of 76 columns, with heavy lines for the ways that were taken.

use super::graph::State;
use crate::event::Host;
use crate::view::call::host_meaning;
use crate::view::line::{Line, Meaning};
use crate::view::look::{Glyphs, Look};

/// Columns and lines of the drawing.
pub(super) const WIDTH: usize = 76;
const HEIGHT: usize = 20;

/// Where the columns are: the left side, the middle, the right side, and the two below FIN_WAIT1.
const LEFT: usize = 22;
const MIDDLE: usize = 38;
const RIGHT: usize = 54;
const LOW_LEFT: usize = 15;
const LOW_RIGHT: usize = 33;
const LOW: usize = 24;

/// The lines right below a state that two ways leave.
const BELOW: [usize; 3] = [1, 10, 13];

/// Where the name of a socket stands beside its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Left,
    Right,
}

/// A state in the drawing: where its middle is, where names stand, and how many columns they have.
struct Node(State, usize, usize, Beside, usize);

use State::*;

/// CLOSED stands at the beginning and at the end.
const NODES: [Node; 12] = [
    Node(Closed, MIDDLE, 0, Beside::Right, 34),
    Node(Listen, LEFT, 3, Beside::Left, 18),
    Node(SynSent, RIGHT, 3, Beside::Right, 16),
    Node(SynRecv, LEFT, 5, Beside::Left, 17),
    Node(Established, MIDDLE, 9, Beside::Right, 30),
    Node(FinWait1, LEFT, 12, Beside::Right, 20),
    Node(CloseWait, RIGHT, 12, Beside::Right, 15),
    Node(FinWait2, LOW_LEFT, 15, Beside::Left, 10),
    Node(Closing, LOW_RIGHT, 15, Beside::Right, 11),
    Node(LastAck, RIGHT, 15, Beside::Right, 16),
    Node(TimeWait, LOW, 19, Beside::Left, 18),
    Node(Closed, RIGHT, 19, Beside::Right, 17),
];

/// A way in the drawing: from, to, its corners, and its label with the column where it begins (or, at the
/// left, ends) and the line.
struct Drawn(State, State, &'static [(usize, usize)], Label);

/// A label: where, and what. `None` if a neighbour's says it.
enum Label {
    From(usize, usize, &'static str),
    UpTo(usize, usize, &'static str),
}

use Label::{From as At, UpTo};

const WAYS: [Drawn; 16] = [
    Drawn(Closed, Listen, &[(MIDDLE, 1), (LEFT, 1), (LEFT, 2)], UpTo(21, 1, "listen")),
    Drawn(Closed, SynSent, &[(MIDDLE, 1), (RIGHT, 1), (RIGHT, 2)], At(56, 1, "connect / SYN")),
    Drawn(Listen, SynSent, &[(26, 3), (48, 3)], At(32, 3, " send / SYN ")),
    Drawn(Listen, SynRecv, &[(LEFT, 4), (LEFT, 4)], At(24, 4, "SYN / SYN,ACK")),
    Drawn(SynSent, SynRecv, &[(RIGHT, 4), (RIGHT, 5), (27, 5)], At(32, 5, " SYN / SYN,ACK ")),
    Drawn(SynRecv, Established, &[(LEFT, 6), (LEFT, 7), (MIDDLE, 7), (MIDDLE, 8)], UpTo(21, 6, "ACK")),
    Drawn(
        SynSent,
        Established,
        &[(RIGHT, 4), (RIGHT, 7), (MIDDLE, 7), (MIDDLE, 8)],
        At(56, 6, "SYN,ACK / ACK"),
    ),
    Drawn(Established, FinWait1, &[(MIDDLE, 10), (LEFT, 10), (LEFT, 11)], UpTo(21, 10, "close / FIN")),
    Drawn(Established, CloseWait, &[(MIDDLE, 10), (RIGHT, 10), (RIGHT, 11)], At(56, 10, "FIN / ACK")),
    Drawn(FinWait1, FinWait2, &[(LEFT, 13), (LOW_LEFT, 13), (LOW_LEFT, 14)], UpTo(14, 13, "ACK")),
    Drawn(FinWait1, Closing, &[(LEFT, 13), (LOW_RIGHT, 13), (LOW_RIGHT, 14)], At(35, 13, "FIN / ACK")),
    Drawn(CloseWait, LastAck, &[(RIGHT, 13), (RIGHT, 14)], At(56, 13, "close / FIN")),
    Drawn(
        FinWait2,
        TimeWait,
        &[(LOW_LEFT, 16), (LOW_LEFT, 17), (LOW, 17), (LOW, 18)],
        UpTo(14, 16, "FIN / ACK"),
    ),
    Drawn(Closing, TimeWait, &[(LOW_RIGHT, 16), (LOW_RIGHT, 17), (LOW, 17), (LOW, 18)], At(35, 16, "ACK")),
    Drawn(LastAck, Closed, &[(RIGHT, 16), (RIGHT, 18)], At(56, 16, "ACK")),
    Drawn(TimeWait, Closed, &[(30, 19), (49, 19)], At(37, 19, " 60 s ")),
];

/// A socket at its place.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Whose.
    pub host: Host,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub state: State,
    /// It has been somewhere else before: its CLOSED is the one at the end.
    pub over: bool,
}

/// The drawing, with these ways taken and these sockets at their places.
pub(super) fn diagram(look: &Look, taken: &[(State, State)], places: &[Place]) -> Vec<Line> {
    let mut canvas = Canvas::new(look);
    // What was taken is drawn over what was not.
    let is_taken = |way: &Drawn| taken.contains(&(way.0, way.1));
    for heavy in [false, true] {
        for way in WAYS.iter().filter(|way| is_taken(way) == heavy) {
            canvas.way(way.2, heavy);
        }
    }
    for way in &WAYS {
        let meaning = if is_taken(way) { Meaning::State } else { Meaning::Quiet };
        match way.3 {
            At(x, y, text) => canvas.write(x, y, text, meaning),
            UpTo(x, y, text) => canvas.write(x - text.len(), y, text, meaning),
        }
    }
    for node in &NODES {
        canvas.node(node, places);
    }
    canvas.lines()
}

/// Arms of a cell: up, right, down, left.
const UP: u8 = 1;
const RIGHTWARDS: u8 = 2;
const DOWN: u8 = 4;
const LEFTWARDS: u8 = 8;

#[derive(Debug, Clone, Copy)]
enum Cell {
    Blank,
    /// Lines in these directions, heavy or not.
    Lines(u8, bool),
    /// The head of an arrow.
    Head(&'static str, bool),
    Letter(char, Meaning),
}

struct Canvas<'a> {
    look: &'a Look,
    cells: Vec<[Cell; WIDTH]>,
}

impl<'a> Canvas<'a> {
    fn new(look: &'a Look) -> Self {
        Canvas { look, cells: vec![[Cell::Blank; WIDTH]; HEIGHT] }
    }

    /// A line from corner to corner, with a head at its end.
    fn way(&mut self, corners: &[(usize, usize)], heavy: bool) {
        let (Some(&first), Some(&last)) = (corners.first(), corners.last()) else { return };
        let mut toward = DOWN;
        if BELOW.contains(&first.1) {
            self.arm(first, UP, heavy);
        }
        for pair in corners.windows(2) {
            let (mut at, to) = (pair[0], pair[1]);
            while at != to {
                let (next, out, back) = step(at, to);
                self.arm(at, out, heavy);
                self.arm(next, back, heavy);
                (at, toward) = (next, out);
            }
        }
        let head = match toward {
            RIGHTWARDS => "▶",
            LEFTWARDS => "◀",
            _ => "▼",
        };
        // A way of a single cell shows by its line whether it was taken; where it leads, its label says.
        self.cells[last.1][last.0] =
            if first == last { Cell::Lines(UP | DOWN, heavy) } else { Cell::Head(head, heavy) };
    }

    fn arm(&mut self, (x, y): (usize, usize), arm: u8, heavy: bool) {
        let cell = &mut self.cells[y][x];
        *cell = match *cell {
            Cell::Lines(arms, was) => Cell::Lines(arms | arm, was || heavy),
            Cell::Head(head, was) => Cell::Head(head, was || heavy),
            _ => Cell::Lines(arm, heavy),
        };
    }

    fn write(&mut self, x: usize, y: usize, text: &str, meaning: Meaning) {
        for (at, letter) in text.chars().enumerate() {
            if let Some(cell) = self.cells.get_mut(y).and_then(|row| row.get_mut(x + at)) {
                *cell = Cell::Letter(letter, meaning);
            }
        }
    }

    fn node(&mut self, node: &Node, places: &[Place]) {
        let Node(state, x, y, beside, room) = *node;
        let at_the_end = y > 0;
        let here = |place: &&Place| place.state == state && (state != Closed || place.over == at_the_end);
        let here: Vec<&Place> = places.iter().filter(here).collect();
        let name = state.name();
        let begin = x - name.len() / 2;
        self.write(begin, y, name, if here.is_empty() { Meaning::Call } else { Meaning::Strong });
        let tags = tags(&here, room);
        let width: usize = tags.iter().map(|(tag, _)| tag.chars().count() + 1).sum();
        let mut at = match beside {
            Beside::Right => begin + name.len() + 1,
            Beside::Left => begin.saturating_sub(width),
        };
        for (tag, meaning) in tags {
            self.write(at, y, &tag, meaning);
            at += tag.chars().count() + 1;
        }
    }

    fn lines(self) -> Vec<Line> {
        let ascii = self.look.glyphs() == Glyphs::Ascii;
        let cell = |cell: Cell| match cell {
            Cell::Blank => self.look.span(" ", Meaning::Plain),
            Cell::Lines(arms, heavy) => {
                let sign = if ascii { in_ascii(arms, heavy) } else { in_unicode(arms, heavy) };
                self.look.span(sign, line_meaning(heavy))
            }
            Cell::Head(head, heavy) => self.look.span(head, line_meaning(heavy)),
            Cell::Letter(letter, meaning) => self.look.span(letter.to_string(), meaning),
        };
        self.cells.iter().map(|row| trimmed(row.iter().map(|one| cell(*one)).collect())).collect()
    }
}

/// Without the blanks at its end.
fn trimmed(line: Line) -> Line {
    let mut spans = line.spans().to_vec();
    while spans.last().is_some_and(|span| span.text().trim().is_empty()) {
        spans.pop();
    }
    spans.into_iter().collect()
}

fn line_meaning(heavy: bool) -> Meaning {
    if heavy { Meaning::Changed } else { Meaning::Rule }
}

/// The next cell on the straight line to `to`, and the arms that the two cells have towards each other.
fn step(at: (usize, usize), to: (usize, usize)) -> ((usize, usize), u8, u8) {
    match (at, to) {
        ((x, y), (to, _)) if x < to => ((x + 1, y), RIGHTWARDS, LEFTWARDS),
        ((x, y), (to, _)) if x > to => ((x - 1, y), LEFTWARDS, RIGHTWARDS),
        ((x, y), (_, to)) if y < to => ((x, y + 1), DOWN, UP),
        ((x, y), _) => ((x, y.saturating_sub(1)), UP, DOWN),
    }
}

fn in_unicode(arms: u8, heavy: bool) -> &'static str {
    const LIGHT: [&str; 16] =
        ["·", "│", "─", "└", "│", "│", "┌", "├", "─", "┘", "─", "┴", "┐", "┤", "┬", "┼"];
    const HEAVY: [&str; 16] =
        ["·", "┃", "━", "┗", "┃", "┃", "┏", "┣", "━", "┛", "━", "┻", "┓", "┫", "┳", "╋"];
    if heavy { HEAVY[usize::from(arms & 15)] } else { LIGHT[usize::from(arms & 15)] }
}

/// A line that was taken is `=` and `#`, for want of heavier ones.
fn in_ascii(arms: u8, heavy: bool) -> &'static str {
    let (up, across) = (arms & (UP | DOWN) != 0, arms & (LEFTWARDS | RIGHTWARDS) != 0);
    match (up, across, heavy) {
        (true, true, false) => "+",
        (true, false, false) => "|",
        (_, _, false) => "-",
        (true, _, true) => "#",
        (false, _, true) => "=",
    }
}

/// `[client c]`, as many as have room: without the host if need be, and the rest only counted.
fn tags(places: &[&Place], room: usize) -> Vec<(String, Meaning)> {
    let long = |place: &&Place| (format!("[{} {}]", place.host, place.name), host_meaning(place.host));
    let short = |place: &&Place| (format!("[{}]", place.name), host_meaning(place.host));
    let width =
        |tags: &[(String, Meaning)]| tags.iter().map(|(tag, _)| tag.chars().count() + 1).sum::<usize>();
    let all: Vec<_> = places.iter().map(long).collect();
    if width(&all) <= room + 1 {
        return all;
    }
    let mut all: Vec<_> = places.iter().map(short).collect();
    let mut left_out = 0;
    while width(&all) > room + 1 && !all.is_empty() {
        all.pop();
        left_out += 1;
        let more = (format!("[+{left_out}]"), Meaning::Quiet);
        let with_more: Vec<_> = all.iter().cloned().chain([more]).collect();
        if width(&with_more) <= room + 1 {
            return with_more;
        }
    }
    all
}

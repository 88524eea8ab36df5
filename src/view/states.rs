//! The state diagram of TCP (RFC 9293, figure 5), with the place of both ends in it.
//!
//! After each step in which a state changed: a line for each change, with what caused it, and the diagram,
//! with the ways that the connection in question has taken so far.

use super::call::host_meaning;
use super::columns::beside;
use super::crossing::Crossings;
use super::ladder::{short, step_line};
use super::line::{Line, Meaning};
use super::look::Look;
use super::sentences::{capital, sentence};
use super::wrap::{Long, wrap};
use super::{checks, headings, prediction};
use crate::event::{End, Event, Lesson, Question, What};

mod diagram;
mod graph;
mod ways;

use ways::{Change, Ways};

/// Columns of `client ~c` and of `ESTABLISHED → CLOSE_WAIT`.
const WHO: usize = 14;
const CHANGE: usize = 25;

/// Shows a run as a way through the diagram.
///
/// It keeps what it has to know of earlier events, and nothing else: the same events give the same lines.
#[derive(Debug)]
pub struct States {
    look: Look,
    lesson: Option<Lesson>,
    /// False within a part that is only run to get somewhere.
    shown: bool,
    step: usize,
    crossings: Crossings,
    ways: Ways,
    question: Option<Question>,
    begun: bool,
}

impl States {
    /// Begins in this look.
    pub fn new(look: Look) -> Self {
        States {
            look,
            lesson: None,
            shown: true,
            step: 0,
            crossings: Crossings::default(),
            ways: Ways::default(),
            question: None,
            begun: false,
        }
    }

    /// Takes the next event and gives the lines that it adds. Changes are held back until the step is over,
    /// or until [`settle`](Self::settle).
    pub fn show(&mut self, event: &Event) -> Vec<Line> {
        match &event.what {
            What::Call(call) => self.ways.call(call),
            What::Socket(socket) => self.ways.take(socket),
            What::Frame(frame) => self.crossings.frame(frame),
            What::Fate(fate) => self.crossings.fate(fate),
            What::Return(_) | What::Blocked(_) | What::Wire(_) | What::Setting(_) => {}
            What::Working(_) | What::Upgrade(_) | What::Message(_) | What::Peer(_) => {}
            what => {
                let mut out = self.settle();
                let (lines, apart) = self.between(what, event.at.saturating_mul(1000));
                self.place(lines, apart, &mut out);
                return out;
            }
        }
        Vec::new()
    }

    /// Gives out what is held back, where a step is over.
    pub fn settle(&mut self) -> Vec<Line> {
        self.ways.crossed(self.crossings.take());
        let changes = self.ways.changes();
        let mut out = Vec::new();
        if changes.is_empty() {
            return out;
        }
        let look = self.look;
        if look.linear() {
            let lines = changes.iter().flat_map(|change| sentence(&look, linear(change), Meaning::State));
            self.place(lines.collect(), false, &mut out);
            return out;
        }
        let lines = changes.iter().flat_map(|change| told(&look, change)).collect();
        self.place(lines, false, &mut out);
        if look.width() >= diagram::WIDTH + 2 {
            let places = self.ways.places();
            let drawn = diagram::diagram(&look, &self.ways.taken(), &places);
            self.place(drawn.into_iter().map(|line| line.indented(1)).collect(), true, &mut out);
        }
        out
    }

    /// The question of a prediction, for somebody who is asked: like all prose it is left out else.
    pub fn question(&self, question: &Question) -> Vec<Line> {
        prediction::question(&self.look, question)
    }

    /// What is no part of a step, and whether a blank line comes before it.
    fn between(&mut self, what: &What, at: u64) -> (Vec<Line>, bool) {
        let look = self.look;
        match what {
            What::Lesson(lesson) => {
                *self = States { begun: self.begun, ..States::new(look) };
                self.lesson = Some(lesson.clone());
                let mut lines = headings::lesson(&look, lesson);
                lines.extend(legend(&look));
                (lines, true)
            }
            What::Part(part) => {
                self.shown = part.shown;
                (headings::part(&look, self.lesson.as_ref(), part), true)
            }
            What::Step(step) => {
                self.step = step.number;
                (step_line(&look, self.lesson.as_ref(), step, at), look.linear())
            }
            What::Check(check) => (checks::check(&look, check), false),
            What::Question(question) => {
                self.question = Some(question.clone());
                (Vec::new(), false)
            }
            What::Answer(answer) => {
                let question = self.question.take();
                match answer.given {
                    Some(_) => (prediction::answer(&look, question.as_ref(), answer), true),
                    None => (Vec::new(), false),
                }
            }
            What::End(end) => {
                self.shown = true;
                (self.end(end), true)
            }
            _ => (Vec::new(), false),
        }
    }

    fn end(&self, end: &End) -> Vec<Line> {
        headings::end(&self.look, self.lesson.as_ref(), self.step, end)
    }

    fn place(&mut self, lines: Vec<Line>, apart: bool, out: &mut Vec<Line>) {
        if lines.is_empty() || !self.shown {
            return;
        }
        if apart && self.begun {
            out.push(Line::blank());
        }
        out.extend(lines);
        self.begun = true;
    }
}

/// What the lines mean, said once.
fn legend(look: &Look) -> Vec<Line> {
    if look.linear() {
        return sentence(look, "Each change of a state is told, with what caused it.", Meaning::Quiet);
    }
    let (taken, open) = match look.glyphs() {
        super::Glyphs::Unicode => ("━━", "──"),
        super::Glyphs::Ascii => ("==", "--"),
    };
    let line = look.spans([
        (taken, Meaning::Changed),
        (" taken so far  ", Meaning::Quiet),
        (open, Meaning::Rule),
        (" not taken  ", Meaning::Quiet),
        ("what happens / what is sent  ", Meaning::Quiet),
        ("RST: to CLOSED", Meaning::Quiet),
    ]);
    let room = look.content().saturating_sub(1);
    wrap(&line, room, 0, Long::Break).into_iter().map(|line| line.indented(look.outdent())).collect()
}

/// `client c      CLOSED → SYN_SENT        connect`
fn told(look: &Look, change: &Change) -> Vec<Line> {
    let who = look.spans([
        (change.host.name(), host_meaning(change.host)),
        (" ", Meaning::Plain),
        (&short(&change.name), host_meaning(change.host)),
    ]);
    let states = look.spans([
        (change.from.name(), Meaning::State),
        (" → ", Meaning::Plain),
        (change.to.name(), Meaning::Changed),
    ]);
    let passed = if change.seen { "" } else { "  (unseen)" };
    let why = look.spans([(&change.why, Meaning::Call), (passed, Meaning::Quiet)]);
    let room = look.content();
    let lines = if look.wide() {
        beside(&[(who, WHO), (states, CHANGE), (why, room - WHO - CHANGE - 4)])
    } else {
        let mut below = Line::blank();
        below.space(2);
        below.extend(why);
        let mut first = who;
        first.space(2);
        first.extend(states);
        [beside(&[(first, room)]), beside(&[(below, room)])].concat()
    };
    lines.into_iter().map(|line| line.indented(look.indent())).collect()
}

fn linear(change: &Change) -> String {
    let passed = if change.seen { "" } else { " Nobody saw it there: it went on at once." };
    format!(
        "{} socket {} goes from {} to {}: {}.{passed}",
        capital(change.host.name()),
        short(&change.name).replace('~', "for "),
        change.from.name(),
        change.to.name(),
        change.why.replace('#', "frame ").replace('–', " to "),
    )
}

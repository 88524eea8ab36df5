//! The ladder of a run: the client at the left, the server at the right, what crosses between them, and time
//! downwards.
//!
//! Calls and states stand at the side of their host, frames between two lines. A step is drawn when it is
//! over (or when a call is seen to wait), in the order of the times that its events carry.

use std::collections::BTreeMap;

use super::bytes::glimpse;
use super::call::result_meaning;
use super::crossing::{self, Crossings};
use super::line::{Line, Meaning};
use super::look::Look;
use super::{checks, headings, prediction, setting};
use crate::event::{Call, End, Event, Host, Lesson, Part, Question, Return, Value, What};

mod draw;
mod ends;
mod lane;
mod linear;
mod rows;

use draw::Columns;
pub(super) use draw::step as step_line;
use ends::Ends;
use rows::{Item, Made, Thing};

/// From the beginning of a step to its first row, in nanoseconds.
const WORTH_TELLING: u64 = 10_000_000;

/// So much of what was received is read out.
const READ_OUT: usize = 60;

/// Draws a run as a ladder, event by event.
///
/// It keeps what it has to know of earlier events, and nothing else: the same events give the same lines.
#[derive(Debug)]
pub struct Ladder {
    look: Look,
    lesson: Option<Lesson>,
    /// False within a part that is only run to get somewhere.
    shown: bool,
    /// Whether there is a cable to be seen.
    cable: bool,
    step: usize,
    /// What is to be drawn when the step is over.
    items: Vec<Item>,
    crossings: Crossings,
    /// Calls that have not returned, by id.
    open: BTreeMap<u64, Call>,
    ends: Ends,
    /// Nanoseconds of the last row, or of the step if it has none yet.
    last_row: u64,
    fresh: bool,
    question: Option<Question>,
    last: Option<Block>,
}

/// What stands last on the screen: it decides whether a blank line comes before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Heading,
    Step,
    Rows,
    Check,
    Spoken,
    End,
}

impl Ladder {
    /// Begins a ladder in this look.
    pub fn new(look: Look) -> Self {
        Ladder {
            look,
            lesson: None,
            shown: true,
            cable: false,
            step: 0,
            items: Vec::new(),
            crossings: Crossings::default(),
            open: BTreeMap::new(),
            ends: Ends::default(),
            last_row: 0,
            fresh: true,
            question: None,
            last: None,
        }
    }

    /// Takes the next event and gives the lines that it adds. What belongs to a step is held back until the
    /// step is over, until one of its calls waits, or until [`settle`](Self::settle).
    pub fn show(&mut self, event: &Event) -> Vec<Line> {
        let mut out = Vec::new();
        let at = event.at.saturating_mul(1000);
        match &event.what {
            What::Call(call) => self.call(call, at),
            What::Return(back) => self.back(back, at),
            What::Blocked(blocked) => self.waits(blocked.call, &blocked.waits_for, &mut out),
            What::Socket(socket) => {
                if let Some(thing) = self.ends.take(socket) {
                    self.items.push(Item { at, thing });
                }
            }
            What::Frame(frame) => {
                self.cable = true;
                self.crossings.frame(frame);
            }
            What::Fate(fate) => self.crossings.fate(fate),
            What::Working(_) | What::Upgrade(_) | What::Message(_) | What::Peer(_) => {}
            what => {
                self.flush(&mut out);
                self.between(what, at, &mut out);
            }
        }
        out
    }

    /// Gives out what is held back, where a step is over.
    pub fn settle(&mut self) -> Vec<Line> {
        let mut out = Vec::new();
        self.flush(&mut out);
        out
    }

    /// The question of a prediction, for somebody who is asked: the ladder itself leaves it out, like all
    /// prose.
    pub fn question(&self, question: &Question) -> Vec<Line> {
        prediction::question(&self.look, question)
    }

    /// What is no part of a step.
    fn between(&mut self, what: &What, at: u64, out: &mut Vec<Line>) {
        let look = self.look;
        match what {
            What::Lesson(lesson) => self.lesson(lesson, out),
            What::Part(part) => self.part(part, out),
            What::Step(step) => {
                self.step = step.number;
                (self.last_row, self.fresh) = (at, true);
                let lines = draw::step(&look, self.lesson.as_ref(), step, at);
                self.place(Block::Step, lines, out);
            }
            What::Wire(wire) => self.place(Block::Check, crossing::done(&look, wire, true), out),
            What::Setting(it) => self.place(Block::Check, setting::setting(&look, it), out),
            What::Check(check) => self.place(Block::Check, checks::check(&look, check), out),
            What::Question(question) => self.question = Some(question.clone()),
            What::Answer(answer) => {
                let question = self.question.take();
                // Where nobody guessed, the answer is prose like the rest.
                if answer.given.is_some() {
                    self.place(Block::Spoken, prediction::answer(&look, question.as_ref(), answer), out);
                }
            }
            What::End(end) => self.end(end, out),
            _ => {}
        }
    }

    fn lesson(&mut self, lesson: &Lesson, out: &mut Vec<Line>) {
        let cable = lesson.stage == "cable";
        *self = Ladder { lesson: Some(lesson.clone()), cable, last: self.last, ..Ladder::new(self.look) };
        let mut lines = headings::lesson(&self.look, lesson);
        if !cable {
            lines.extend(draw::no_frames(&self.look, &lesson.stage));
        }
        self.place(Block::Heading, lines, out);
    }

    fn part(&mut self, part: &Part, out: &mut Vec<Line>) {
        self.shown = part.shown;
        let mut lines = headings::part(&self.look, self.lesson.as_ref(), part);
        if !self.look.linear() {
            lines.extend(Columns::new(&self.look, self.cable).header());
        }
        self.place(Block::Heading, lines, out);
    }

    fn end(&mut self, end: &End, out: &mut Vec<Line>) {
        self.shown = true;
        let lines = headings::end(&self.look, self.lesson.as_ref(), self.step, end);
        self.place(Block::End, lines, out);
    }

    fn call(&mut self, call: &Call, at: u64) {
        // A call within a call is how that one works: the story tells it.
        if call.parent.is_none_or(|parent| !self.open.contains_key(&parent)) {
            let made = Made {
                id: call.id,
                host: call.host,
                call: call.call.clone(),
                socket: call.socket.clone(),
                waits: None,
                result: None,
            };
            self.items.push(Item { at, thing: Thing::Call(made) });
        }
        self.open.insert(call.id, call.clone());
    }

    /// The call, or the one that it is a piece of, waits: whoever looks on sees it now, unless the lesson
    /// goes on anyway.
    fn waits(&mut self, id: u64, waits_for: &str, out: &mut Vec<Line>) {
        let Some(root) = self.root(id) else { return };
        let (root, background) = (root.id, root.background);
        for item in &mut self.items {
            if let Thing::Call(made) = &mut item.thing
                && made.id == root
            {
                made.waits = Some(waits_for.to_owned());
            }
        }
        if !background {
            self.flush(out);
        }
    }

    fn root(&self, id: u64) -> Option<&Call> {
        let mut call = self.open.get(&id)?;
        // Calls lie not as deep as this; a trace that says so must not hang the view.
        for _ in 0..64 {
            match call.parent.and_then(|parent| self.open.get(&parent)) {
                Some(parent) => call = parent,
                None => break,
            }
        }
        Some(call)
    }

    fn back(&mut self, back: &Return, at: u64) {
        let inner = self.root(back.call).is_some_and(|root| root.id != back.call);
        let Some(call) = self.open.remove(&back.call).filter(|_| !inner) else { return };
        let made = Made {
            id: call.id,
            host: call.host,
            call: call.call,
            socket: call.socket,
            waits: None,
            result: Some((self.result(back), result_meaning(back))),
        };
        self.items.push(Item { at, thing: Thing::Back(made) });
    }

    /// What a call gave, as short as can be.
    fn result(&self, back: &Return) -> String {
        if back.deadline && back.ok.is_none() {
            return "ended".into();
        }
        if let Some(errno) = &back.errno {
            return errno.clone();
        }
        let room =
            if self.look.linear() { READ_OUT } else { Columns::new(&self.look, self.cable).beside_equals() };
        match &back.ok {
            None | Some(Value::Done) => "0".into(),
            Some(Value::Socket { name, .. }) => name.clone(),
            Some(Value::Count(n)) => n.to_string(),
            Some(Value::Data(data)) if data.is_empty() => "0".into(),
            Some(Value::Data(data)) => glimpse(data, room),
            Some(Value::Datagram { bytes, .. }) if bytes.is_empty() => "0".into(),
            Some(Value::Datagram { bytes, .. }) => glimpse(bytes, room),
            Some(Value::Address(address)) => address.clone(),
            Some(Value::Number(n)) => n.to_string(),
            Some(Value::Close { code, .. }) => format!("Close {code}"),
        }
    }

    /// Draws what is held back.
    fn flush(&mut self, out: &mut Vec<Line>) {
        let mut items = std::mem::take(&mut self.items);
        let crossings = self.crossings.take();
        if items.is_empty() && crossings.is_empty() {
            return;
        }
        let (first, between, last) = crossing::first_and_last(&crossings);
        let sum = between.first().map(|one| Item { at: one.begun, thing: Thing::More(between.to_vec()) });
        let one = |one: &crossing::Crossing| Item { at: one.begun, thing: Thing::Crossing(one.clone()) };
        items.extend(first.iter().map(one).chain(sum).chain(last.iter().map(one)));
        let items = rows::in_order(items);
        let lines = if self.look.linear() {
            linear::tell(&self.look, &items)
        } else {
            let columns = Columns::new(&self.look, self.cable);
            let mut lines = Vec::new();
            for row in rows::rows(items) {
                let after = row.at.saturating_sub(self.last_row);
                // How long the program takes from the step to its first call tells nothing.
                let tells = !self.fresh || after >= WORTH_TELLING;
                lines.extend(columns.row(&row, if tells { after } else { 0 }));
                self.last_row = row.at.max(self.last_row);
                self.fresh = false;
            }
            lines
        };
        self.place(Block::Rows, lines, out);
    }

    /// Adds a block, after a blank line where one belongs; nothing of a part that is not shown.
    fn place(&mut self, block: Block, lines: Vec<Line>, out: &mut Vec<Line>) {
        if lines.is_empty() || !self.shown {
            return;
        }
        let apart = match (self.last, block) {
            (None, _) => false,
            (_, Block::Heading | Block::End | Block::Spoken) => true,
            (Some(Block::Spoken), _) => true,
            (Some(_), Block::Step) => self.look.linear(),
            _ => false,
        };
        if apart {
            out.push(Line::blank());
        }
        out.extend(lines);
        self.last = Some(block);
    }
}

/// A name as it stands at the side of its host: `~client.c`, the other end of the client's `c`, is `~c`
/// there.
pub(super) fn short(name: &str) -> String {
    match name.strip_prefix('~').and_then(|rest| rest.split_once('.')) {
        Some((_, of)) => format!("~{of}"),
        None => name.to_owned(),
    }
}

/// Which colour a state has: what is new stands out.
const STATE: Meaning = Meaning::Changed;

fn side_of(host: Host) -> usize {
    match host {
        Host::Client => 0,
        Host::Server => 1,
    }
}

//! The story of a run, told as it happens: events in, lines out.

use std::collections::BTreeMap;

use super::call::{self, Open};
use super::class::{Log, Told};
use super::crossing::{self, Crossings};
use super::frame_table::Depth;
use super::headings::Place;
use super::line::{Line, Meaning};
use super::look::Look;
use super::markdown::markdown;
use super::sockets::Sockets;
use super::wrap::aside;
use super::{
    brief, checks, headings, prediction, sentences, setting, socket_table, sockets_linear, units, upgrade,
    working,
};
use crate::event::{
    Call, Event, Host, Lesson, Part, Question, Requirement, Return, Setting, Socket, Step, Value, What,
};

/// Renders a run event by event.
///
/// It keeps only the state that later events need (the known sockets, the waiting calls): the same events
/// give
/// the same lines.
#[derive(Debug)]
pub struct Narrator {
    look: Look,
    lesson: Option<Lesson>,
    place: Place,
    /// False within a part that runs only as a preparation.
    shown: bool,
    step: usize,
    /// True if this step acts on the cable.
    wire_step: bool,
    /// The line of this step, if the step is only a preparation: its call is rendered in one line.
    brief: Option<String>,
    /// True until this step's call is made.
    due: bool,
    /// True if socket tables are shown in this step; otherwise with the next full step.
    tables: bool,
    /// The log of the connections of a live server.
    log: Log,
    /// Calls that have not returned, by id.
    open: BTreeMap<u64, Open>,
    sockets: Sockets,
    /// Settings that changed before the first step.
    beforehand: Vec<Setting>,
    /// The frames that crossed the cable.
    crossings: Crossings,
    /// Start of the step, in nanoseconds; the times of frames are relative to it.
    since: u64,
    /// The sockets that the calls of this step named.
    acted: Vec<(Host, String)>,
    /// True if a call has returned since the last table.
    returned: bool,
    /// True if this step's table is on the screen.
    drawn: bool,
    /// True if the kernel has reported a socket since the last table.
    told: bool,
    repeat: Option<Repeat>,
    /// The last nested call: its parent, its line of code, and how often it was repeated in a row.
    inner: Option<(u64, String, usize)>,
    question: Option<Question>,
    last: Option<Block>,
}

/// The last block on the screen; it decides whether a blank line precedes the next block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Heading,
    Step,
    Brief,
    Log,
    Card(u64),
    Wire,
    Frame,
    Sockets,
    Unchanged,
    Setting,
    Check,
    Prose,
    Question,
    Working,
    Requirements(Host),
    Message,
    End,
}

/// Repeated nested calls, held back so that one line can sum them up.
#[derive(Debug, Default)]
struct Repeat {
    card: u64,
    calls: usize,
    bytes: usize,
    ns: u64,
}

/// Maximum number of equal nested calls shown; further ones are summed up in one line.
const SHOWN_INNER: usize = 2;

/// Maximum nesting depth of calls. A trace with deeper nesting is invalid; the limit keeps the view from
/// looping.
const DEEPEST: usize = 64;

impl Narrator {
    /// Begins a story in this look.
    pub fn new(look: Look) -> Self {
        Narrator {
            look,
            lesson: None,
            place: Place::default(),
            shown: true,
            step: 0,
            wire_step: false,
            brief: None,
            due: false,
            tables: true,
            log: Log::new(look, None),
            open: BTreeMap::new(),
            sockets: Sockets::default(),
            beforehand: Vec::new(),
            crossings: Crossings::default(),
            since: 0,
            acted: Vec::new(),
            returned: false,
            drawn: false,
            told: false,
            repeat: None,
            inner: None,
            question: None,
            last: None,
        }
    }

    /// Restricts the log of a live server to one connection, such as `c3`, and renders its calls as in a
    /// lesson.
    pub fn following(self, name: &str) -> Self {
        Narrator { log: Log::new(self.look, Some(name.to_owned())), ..self }
    }

    /// Sets the level of detail of frames on the cable.
    pub fn deep(mut self, depth: Depth) -> Self {
        self.crossings.deep(depth);
        self
    }

    /// How it is shown.
    pub(super) fn look(&self) -> Look {
        self.look
    }

    /// The level of detail of frames.
    pub(super) fn depth(&self) -> Depth {
        self.crossings.depth()
    }

    /// Takes the next event and gives the lines that it adds. Live, connections of a server are told in a
    /// log, a line for each thing.
    ///
    /// What the kernel says of sockets is held back until all of it is there, that is until anything but a
    /// call, a return or another socket comes, or until [`settle`](Self::settle).
    pub fn show(&mut self, event: &Event) -> Vec<Line> {
        let mut out = Vec::new();
        if self.place.live && self.log_takes(&event.what, &mut out) {
            return out;
        }
        if ends_the_step(&event.what) {
            self.flush(&mut out);
        }
        match &event.what {
            What::Lesson(lesson) => {
                *self = Narrator {
                    lesson: Some(lesson.clone()),
                    place: Place::of(lesson),
                    last: self.last,
                    log: Log::new(self.look, self.log.following().map(str::to_owned)),
                    ..Narrator::new(self.look).deep(self.crossings.depth())
                };
                let lines = headings::lesson(&self.look, lesson);
                self.place(Block::Heading, lines, &mut out);
            }
            What::Part(part) => self.part(part, &mut out),
            What::Step(step) => {
                self.since = event.at.saturating_mul(1000);
                self.begin(step, &mut out);
            }
            What::Narration { markdown: text } => {
                let lines = markdown(&self.look, text);
                self.place(Block::Prose, lines, &mut out);
            }
            What::Call(call) => self.call(call, &mut out),
            What::Blocked(blocked) => self.blocked(blocked, &mut out),
            What::Return(back) => self.back(back, &mut out),
            What::Socket(socket) => self.socket(socket),
            What::Working(it) => {
                let lines = working::working(&self.look, it);
                self.place(Block::Working, lines, &mut out);
            }
            What::Upgrade(it) => self.requirement(it, &mut out),
            What::Message(it) => {
                let lines = upgrade::message(&self.look, it);
                self.place(Block::Message, lines, &mut out);
            }
            What::Peer(_) | What::Run(_) | What::Connection(_) | What::Stream(_) => {}
            What::Frame(frame) => self.crossings.frame(frame),
            What::Fate(fate) => self.crossings.fate(fate),
            What::Wire(wire) => {
                let lines = crossing::done(&self.look, wire, self.wire_step);
                if !lines.is_empty() {
                    self.flush(&mut out);
                }
                self.place(Block::Wire, lines, &mut out);
            }
            What::Setting(setting) => self.setting(setting, &mut out),
            What::Check(check) => {
                let lines = checks::check(&self.look, check);
                self.place(Block::Check, lines, &mut out);
            }
            What::Question(question) => {
                let lines = prediction::question(&self.look, question);
                self.question = Some(question.clone());
                self.place(Block::Question, lines, &mut out);
            }
            What::Answer(answer) => {
                let lines = prediction::answer(&self.look, self.question.take().as_ref(), answer);
                self.place(Block::Question, lines, &mut out);
            }
            What::End(end) => {
                self.shown = true;
                let lines = headings::end(&self.look, self.lesson.as_ref(), self.step, end);
                self.place(Block::End, lines, &mut out);
            }
        }
        out
    }

    /// Returns the lines held back: before the terminal waits for a key, and after the last event.
    ///
    /// Call it only at the end of a step: the text is then the same with and without the call, only earlier.
    pub fn settle(&mut self) -> Vec<Line> {
        let mut out = Vec::new();
        self.flush(&mut out);
        out
    }

    /// Passes an event of a class to the log. Returns false if the event belongs to the narration.
    fn log_takes(&mut self, what: &What, out: &mut Vec<Line>) -> bool {
        let before = self.log.has_begun();
        let told = self.log.take(what, self.due);
        if !before && self.log.has_begun() {
            self.flush(out);
            // The log starts here; the earlier state is not a change in a later table.
            self.tables = false;
            self.sockets.shown();
            self.told = false;
        }
        match (told, what) {
            (Told::InTheLog(lines), _) => self.place(Block::Log, lines, out),
            (Told::Accepted(call), What::Return(back)) => {
                self.call(&call, out);
                self.back(back, out);
            }
            _ => return false,
        }
        true
    }

    fn part(&mut self, part: &Part, out: &mut Vec<Line>) {
        self.shown = part.shown;
        let lines = headings::part(&self.look, self.lesson.as_ref(), part);
        self.place(Block::Heading, lines, out);
    }

    fn begin(&mut self, step: &Step, out: &mut Vec<Line>) {
        self.step = step.number;
        self.wire_step = step.text.starts_with("wire$");
        self.acted.clear();
        self.drawn = false;
        self.due = true;
        self.brief = step.brief.then(|| step.text.clone());
        self.tables = !step.brief;
        if step.brief {
            return;
        }
        let lines = headings::step(&self.look, self.lesson.as_ref(), step);
        self.place(Block::Step, lines, out);
    }

    fn call(&mut self, call: &Call, out: &mut Vec<Line>) {
        let brief = self.is_brief(call);
        let followed = call.socket.as_deref().is_some_and(|name| self.log.following() == Some(name));
        if followed && call.parent.is_none() {
            // Each call of a followed connection is a step of its own.
            self.flush(out);
        }
        if let Some(socket) = &call.socket {
            self.act_on(call.host, socket);
        }
        let mut open = Open {
            call: call.clone(),
            step: self.step,
            depth: 0,
            asked: false,
            parent: false,
            brief,
            live: self.place.live,
        };
        if let Some((parent, within)) = call.parent.and_then(|id| Some((id, self.open.get_mut(&id)?))) {
            within.parent = true;
            open.depth = within.depth + 1;
            open.brief = within.brief.clone();
            if open.brief.is_some() || self.repeats(parent, call) {
                self.open.insert(call.id, open);
                return;
            }
        }
        self.end_repeat(out);
        if open.brief.is_none() {
            let lines = call::made(&self.look, &open);
            self.place(Block::Card(self.root(call)), lines, out);
        }
        self.open.insert(call.id, open);
    }

    /// Returns the line of a call that is rendered in one line: a call of a preparing step, or a call that a
    /// class server makes besides.
    fn is_brief(&mut self, call: &Call) -> Option<String> {
        if call.parent.is_none() && std::mem::take(&mut self.due) {
            return self.brief.clone();
        }
        let followed = call.socket.as_deref().is_some_and(|name| self.log.following() == Some(name));
        (self.log.has_begun() && !followed && call.call != "accept").then(String::new)
    }

    /// Returns true if the call repeats the calls before it and need not be shown.
    fn repeats(&mut self, parent: u64, call: &Call) -> bool {
        let times = match &self.inner {
            Some((within, line, times)) if *within == parent && *line == call.source.text => times + 1,
            _ => 1,
        };
        self.inner = Some((parent, call.source.text.clone(), times));
        if times <= SHOWN_INNER {
            return false;
        }
        let card = self.root(call);
        self.repeat.get_or_insert_with(|| Repeat { card, ..Repeat::default() });
        true
    }

    fn end_repeat(&mut self, out: &mut Vec<Line>) {
        let Some(repeat) = self.repeat.take().filter(|repeat| repeat.calls > 0) else { return };
        let bytes =
            if repeat.bytes > 0 { format!(", {} in all", units::bytes(repeat.bytes)) } else { String::new() };
        let lines = if self.look.linear() {
            let text = format!(
                "The same again {}{bytes}, {}.",
                units::plural(repeat.calls, "time"),
                units::time_in_words(repeat.ns)
            );
            sentences::sentence(&self.look, text, Meaning::Quiet)
        } else {
            let text = format!("  again × {}{bytes}", units::thousands(repeat.calls as u64));
            let time = self.look.span(units::time(repeat.ns), Meaning::Quiet);
            let lines = aside(&self.look.line(text, Meaning::Quiet), time, call::room(&self.look), 2);
            call::labelled(&self.look, self.look.span("", Meaning::Plain), lines)
        };
        self.place(Block::Card(repeat.card), lines, out);
    }

    fn blocked(&mut self, blocked: &crate::event::Blocked, out: &mut Vec<Line>) {
        let Some(mut open) = self.open.remove(&blocked.call) else { return };
        let card = Block::Card(self.root(&open.call));
        if open.brief.is_some() {
            let lines = if open.depth == 0 { brief::waits(&self.look, &open, blocked) } else { Vec::new() };
            open.asked = true;
            self.open.insert(blocked.call, open);
            self.place(Block::Brief, lines, out);
            return;
        }
        if let Some(repeat) = &self.repeat
            && open.depth > 0
            && card == Block::Card(repeat.card)
        {
            // A waiting call is rendered separately.
            self.end_repeat(out);
            self.repeat = None;
            let lines = call::made(&self.look, &open);
            self.place(card, lines, out);
        }
        let lines = call::waits(&self.look, &open, blocked);
        open.asked = true;
        self.open.insert(blocked.call, open);
        self.place(card, lines, out);
    }

    fn back(&mut self, back: &Return, out: &mut Vec<Line>) {
        let Some(open) = self.open.remove(&back.call) else { return };
        if let Some(Value::Socket { name, .. }) = &back.ok {
            self.act_on(open.call.host, name);
        }
        if open.brief.is_some() {
            if open.depth == 0 {
                let lines = brief::returned(&self.look, &open, back);
                self.place(Block::Brief, lines, out);
            }
            return;
        }
        if let Some(repeat) = self.repeat.as_mut().filter(|_| open.depth > 0 && !open.asked) {
            repeat.calls += 1;
            repeat.ns = repeat.ns.saturating_add(back.ns);
            repeat.bytes = repeat.bytes.saturating_add(match &back.ok {
                Some(Value::Data(data)) => data.len(),
                Some(Value::Datagram { bytes, .. }) => bytes.len(),
                Some(Value::Count(n)) => *n,
                _ => 0,
            });
            return;
        }
        self.end_repeat(out);
        self.returned |= !open.call.asked.is_empty();
        let later = open.step != self.step;
        if let Some(socket) = open.call.socket.as_deref().filter(|_| later) {
            self.act_on(open.call.host, socket);
        }
        let lines = call::returned(&self.look, &open, back, later);
        self.place(Block::Card(self.root(&open.call)), lines, out);
    }

    /// Returns the id of the step's own call that contains this call, or is this call.
    fn root(&self, call: &Call) -> u64 {
        let mut call = call;
        for _ in 0..DEEPEST {
            match call.parent.and_then(|id| self.open.get(&id)) {
                Some(within) => call = &within.call,
                None => break,
            }
        }
        call.id
    }

    /// Renders a changed kernel setting of a host.
    fn setting(&mut self, it: &Setting, out: &mut Vec<Line>) {
        if self.step == 0 && it.failed.is_none() {
            self.beforehand.push(it.clone());
            return;
        }
        let lines = setting::setting(&self.look, it);
        self.place(Block::Setting, lines, out);
    }

    fn socket(&mut self, socket: &Socket) {
        self.sockets.take(socket);
        self.told = true;
    }

    fn requirement(&mut self, it: &Requirement, out: &mut Vec<Line>) {
        let block = Block::Requirements(it.host);
        let mut lines = Vec::new();
        if self.last != Some(block) {
            lines.extend(upgrade::judge(&self.look, it));
        }
        lines.extend(upgrade::requirement(&self.look, it));
        self.place(block, lines, out);
    }

    /// Emits what was held back: repeated calls, a waiting call, the socket table.
    fn flush(&mut self, out: &mut Vec<Line>) {
        let beforehand = std::mem::take(&mut self.beforehand);
        if !beforehand.is_empty() {
            let lines = setting::beforehand(&self.look, &beforehand);
            self.place(Block::Setting, lines, out);
        }
        self.end_repeat(out);
        self.inner = None;
        let step = self.step;
        let silent: Vec<u64> = self
            .open
            .values()
            .filter(|open| open.step == step && open.call.background && !open.asked && open.depth == 0)
            .map(|open| open.call.id)
            .collect();
        for id in silent {
            let Some(open) = self.open.get_mut(&id) else { continue };
            let (block, lines) = match open.brief {
                Some(_) => (Block::Brief, brief::goes_on(&self.look, open)),
                None => (Block::Card(id), call::goes_on(&self.look, open)),
            };
            open.asked = true;
            self.place(block, lines, out);
        }
        if !self.crossings.is_empty() && self.tables {
            let lines = crossing::draw(&self.look, &self.crossings.take(), self.since);
            self.place(Block::Wire, lines, out);
            for lines in self.crossings.tables(&self.look) {
                self.place(Block::Frame, lines, out);
            }
        }
        if !(self.told || self.returned) || !self.has_table() {
            return;
        }
        let mut pairs = self.sockets.pairs(&self.acted);
        if let Some(followed) = self.log.following().filter(|_| !self.tables) {
            let news = |at: usize| self.sockets.at(at).is_of(followed) && self.sockets.at(at).changed();
            pairs.retain(|pair| Host::ALL.into_iter().filter_map(|host| pair.side(host)).any(news));
        }
        let place = self.place;
        let (block, lines) = match (pairs.as_slice(), self.returned) {
            ([], false) => (Block::Unchanged, Vec::new()),
            // A call of an earlier step may have returned after this step's table.
            ([], true) if self.drawn || !self.tables => (Block::Unchanged, Vec::new()),
            ([], true) => (Block::Unchanged, call::nothing_changed(&self.look)),
            (pairs, _) if self.look.linear() => {
                (Block::Sockets, sockets_linear::tell(&self.look, &self.sockets, pairs, place))
            }
            (pairs, _) => (Block::Sockets, socket_table::draw(&self.look, &self.sockets, pairs, place)),
        };
        self.sockets.shown();
        self.drawn |= !pairs.is_empty();
        self.returned = false;
        self.told = false;
        self.place(block, lines, out);
    }

    /// Returns true if a socket report is to be shown; of a class, only reports on the followed connection.
    fn has_table(&self) -> bool {
        let followed = |(_, name): &(Host, String)| self.log.following() == Some(name);
        self.tables || (self.told && self.acted.iter().any(followed))
    }

    /// Records that a call of this step named the socket.
    fn act_on(&mut self, host: Host, name: &str) {
        if !self.acted.iter().any(|(h, n)| *h == host && n == name) {
            self.acted.push((host, name.to_owned()));
        }
    }

    /// Adds a block, preceded by a blank line if needed; adds nothing in a hidden part.
    fn place(&mut self, block: Block, lines: Vec<Line>, out: &mut Vec<Line>) {
        if lines.is_empty() || !self.shown {
            return;
        }
        if let Some(last) = self.last
            && self.apart(last, block)
        {
            out.push(Line::blank());
        }
        out.extend(lines);
        self.last = Some(block);
    }

    fn apart(&self, last: Block, next: Block) -> bool {
        use Block::*;
        match (last, next) {
            (Card(one), Card(other)) => one != other && !self.look.linear(),
            (Card(_), Unchanged) => false,
            (Check, Check) | (Setting, Setting) | (Message, Message) | (Brief, Brief) | (Log, Log) => false,
            (Requirements(one), Requirements(other)) => one != other,
            (_, Heading | Step | Prose | Question | End) => true,
            _ => !self.look.linear(),
        }
    }
}

/// Returns true for an event after which no socket report of the previous step follows.
fn ends_the_step(what: &What) -> bool {
    match what {
        What::Call(_) | What::Blocked(_) | What::Return(_) | What::Socket(_) => false,
        What::Working(_) | What::Upgrade(_) | What::Message(_) | What::Peer(_) => false,
        What::Frame(_) | What::Fate(_) | What::Wire(_) | What::Setting(_) => false,
        What::Lesson(_) | What::Part(_) | What::Step(_) | What::Narration { .. } => true,
        What::Run(_) | What::Connection(_) | What::Stream(_) => true,
        What::Check(_) | What::Question(_) | What::Answer(_) | What::End(_) => true,
    }
}

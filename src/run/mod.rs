//! How it goes: the steps of a lesson are done one by one, and each becomes events.
//!
//! A run writes its events to an [`Frontend`], which shows them, records them, and says when to go on.

mod act;
mod cable;
mod cause;
mod claim;
mod frames;
mod journal;
mod live;
mod outcome;
mod snapshot;
mod text;
mod walk;

use std::{
    collections::HashMap,
    io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    call::Completed,
    event::{self, End, Host, Sink, What},
    lesson::{Expected, Statement, Step, WireAct},
    stage::{CallHandle, Stage},
    websocket::Sessions,
};
use journal::Journal;
pub use live::{Class, Ending, HoldUntil, LiveCommand, Service, Verbosity, advice_on, live, meaning, serve};
use snapshot::Snapshot;
pub use walk::run;

/// Who watches a run.
pub trait Frontend: Sink {
    /// A step is told: what next?
    fn pause(&mut self) -> NextAction;

    /// A question is asked: which answer, counted from 0?
    fn predict(&mut self, question: &event::Question) -> Prediction;

    /// Whether the person wants to be asked for every frame that comes to the cable.
    fn steps_packets(&self) -> bool {
        false
    }

    /// The frame of this number waits on the cable: what is to become of it?
    fn packet(&mut self, number: u64) -> Packet {
        let _ = number;
        Packet::Deliver
    }

    /// Whether the person wants it all to end, in the middle of whatever goes on.
    fn stopped(&mut self) -> bool {
        false
    }

    /// Waits for a word of the person, at most so long.
    fn hear(&mut self, most: Duration) -> Input {
        thread::park_timeout(most);
        Input::Nothing
    }

    /// Whether a person can end a hold with Enter.
    fn has_keyboard(&self) -> bool {
        false
    }

    /// For the moment there is no more to tell.
    fn settled(&mut self) {}

    /// Whether the table of a class is looked at.
    fn wants_table(&self) -> bool {
        false
    }

    /// Who is connected now.
    fn table(&mut self, peers: &[event::Peer]) {
        let _ = peers;
    }
}

/// What a person says in the middle of a live run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Nothing yet.
    Nothing,
    /// A line; empty if Enter alone was pressed.
    Line(String),
    /// There will be no more lines.
    End,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextAction {
    /// The next step.
    On,
    /// This part again, from its beginning.
    Again,
    /// That part, counted from 1.
    Part(usize),
    /// Leave the lesson.
    Leave,
    /// Something is to be done to the cable, before anything else.
    Wire(WireAct),
}

/// What is to become of the oldest frame that waits on the cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// It crosses.
    Deliver,
    /// It is taken away.
    Drop,
    /// It crosses twice.
    Duplicate,
    /// All that wait cross.
    All,
    /// Something else is to be done to the cable.
    Typed(WireAct),
    /// From here on frames cross by themselves.
    Leave,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prediction {
    /// This option.
    Option(usize),
    /// Nobody was asked, or nobody wants to say.
    None,
    /// Something else is wanted.
    Instead(NextAction),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The sum of its checks.
    pub end: End,
    /// The part that it was in.
    pub part: usize,
    /// Where to go instead, if it was left before its end.
    pub instead: Option<NextAction>,
}

/// A foreground call is ended after this, unless its line says otherwise.
const CALL_DEADLINE: Duration = Duration::from_secs(5);

/// A claim is waited for so long.
const CLAIM_DEADLINE: Duration = Duration::from_secs(4);

/// A run under way: hosts that act, what is known of their sockets, and who is told.
struct Run<'a> {
    stage: Stage,
    journal: Journal<'a>,
    snapshot: Snapshot,
    results: HashMap<(Host, String), CallResult>,
    /// What each host remembers of its upgrades, in the order of [`Host`].
    sessions: [Arc<Sessions>; 2],
    /// The socket beneath each WebSocket.
    websockets: HashMap<(Host, String), String>,
    end: End,
    step: usize,
    /// Each frame waits until the person says what is to become of it.
    packets: bool,
    /// The lesson has said `wire$ hold`: what waits is the lesson's to deliver.
    lesson_holds: bool,
}

/// What became of a call with a name.
enum CallResult {
    Running(Running),
    Returned(outcome::Observed),
}

/// A call in the background.
struct Running {
    id: u64,
    ticket: CallHandle,
    descriptor: i64,
}

impl<'a> Run<'a> {
    fn new(stage: Stage, frontend: &'a mut dyn Frontend) -> Run<'a> {
        let packets = stage.link().is_some() && frontend.steps_packets();
        if packets && let Some(cable) = stage.link() {
            cable.hold();
        }
        Run {
            packets,
            lesson_holds: false,
            stage,
            journal: Journal::new(frontend),
            snapshot: Snapshot::default(),
            results: HashMap::new(),
            sessions: Default::default(),
            websockets: HashMap::new(),
            end: End::default(),
            step: 0,
        }
    }

    /// What is so of every run on this stage, for the event that opens it.
    fn here(&self) -> event::Lesson {
        event::Lesson {
            format: event::FORMAT,
            sockwalk: env!("CARGO_PKG_VERSION").to_owned(),
            system: std::env::consts::OS.to_owned(),
            name: String::new(),
            title: String::new(),
            language: "en".to_owned(),
            stage: self.stage.name().to_owned(),
            started: self.journal.started(),
            parts: 1,
            steps: 0,
            sources: Vec::new(),
        }
    }

    /// Writes the event that opens the run.
    fn open(&mut self, lesson: event::Lesson) {
        self.journal.write(What::Lesson(lesson));
        for setting in self.stage.settings() {
            self.write_setting(setting);
        }
    }

    /// Calls that still wait are ended, so that the threads can go; then every socket is closed.
    fn end_calls(&mut self) {
        for (_, result) in self.results.drain() {
            if let CallResult::Running(running) = result {
                let _ = running.ticket.interrupt();
            }
        }
    }

    fn narrate(&mut self, markdown: &str) {
        let markdown = text::filled(markdown, &mut self.stage, &self.snapshot, &self.results);
        self.journal.write(What::Narration { markdown });
    }

    /// A step begins: its number is the next.
    fn begin(&mut self, step: &Step, brief: bool) {
        self.step += 1;
        self.take_frames();
        self.journal.frames.before = self.journal.frames.newest();
        self.journal.write(What::Step(event::Step {
            number: self.step,
            line: step.line,
            text: step.text.clone(),
            brief,
        }));
    }

    /// Does what the step asks for.
    fn perform(&mut self, step: &Step) -> io::Result<()> {
        match &step.what {
            Statement::Act(act) => self.act(step, act).map(drop),
            Statement::Wait { host, result, expect, within } => {
                self.wait(step, *host, result, expect, *within)
            }
            Statement::Check(claim) => self.claim(step, claim),
            Statement::Wire { act, within } => self.wire_act(step, act, *within),
            Statement::CheckWire(claim) => self.wire_claim(step, claim),
            Statement::Sysctl { host, name, value } => self.sysctl(step, *host, name, value),
        }
    }

    /// `server$ wait r`: the call in the background has to come back.
    fn wait(
        &mut self,
        step: &Step,
        host: Host,
        result: &str,
        expect: &[Expected],
        within: Option<u64>,
    ) -> io::Result<()> {
        let key = (host, result.to_owned());
        let observed = match self.results.remove(&key) {
            None => return Ok(()),
            Some(CallResult::Returned(observed)) => observed,
            Some(CallResult::Running(running)) => {
                let deadline = within.map_or(CALL_DEADLINE, Duration::from_millis);
                let (done, ended) = match running.ticket.wait(Duration::ZERO)? {
                    Some(done) => (done, false),
                    None if self.packets => self.wait_stepping(&running.ticket, deadline)?,
                    None => match running.ticket.wait(deadline)? {
                        Some(done) => (done, false),
                        None => (running.ticket.interrupt()?, true),
                    },
                };
                self.returned(host, running.id, done, ended)
            }
        };
        self.collect_returned()?;
        self.settle();
        self.hold_against(step, expect, &observed);
        self.results.insert(key, CallResult::Returned(observed));
        Ok(())
    }

    /// Calls in the background that have come back are told as soon as that is so.
    fn collect_returned(&mut self) -> io::Result<()> {
        let mut running: Vec<(Host, String)> = self
            .results
            .iter()
            .filter(|(_, result)| matches!(result, CallResult::Running(_)))
            .map(|(key, _)| key.clone())
            .collect();
        running.sort();
        for key in running {
            let Some(CallResult::Running(call)) = self.results.get(&key) else { continue };
            let Some(done) = act::blocked_or_done(&call.ticket, call.descriptor)?.1 else { continue };
            let id = call.id;
            let observed = self.returned(key.0, id, done, false);
            self.results.insert(key, CallResult::Returned(observed));
        }
        Ok(())
    }

    /// Reads both hosts and writes what has changed. True if anything has.
    fn look(&mut self) -> bool {
        let changed = self.snapshot.update(&self.stage.observe());
        let any = !changed.is_empty();
        for socket in changed {
            self.journal.write(What::Socket(socket));
        }
        any
    }

    /// Writes a call's return, with all that it was made of.
    fn returned(&mut self, host: Host, id: u64, done: Completed, deadline: bool) -> outcome::Observed {
        self.journal.write_pieces(host, id, &done);
        let told = outcome::returned(id, &done, deadline);
        self.journal.write_at(done.started + done.took, What::Return(told));
        outcome::Observed::of(done, deadline)
    }
}

/// Nanoseconds from `start`.
fn nanos(start: Instant, at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(start).as_nanos()).unwrap_or(u64::MAX)
}

/// Microseconds from `start`.
fn micros(start: Instant, at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(start).as_micros()).unwrap_or(u64::MAX)
}

//! A run performs the steps of a lesson one after the other. Each step becomes events.
//!
//! A run writes its events to a [`Frontend`], which shows and records them and decides when the run
//! continues.

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

/// The user's side of a run: receives the events and answers the run's questions.
pub trait Frontend: Sink {
    /// Called after a step has been narrated. Returns what to do next.
    fn pause(&mut self) -> NextAction;

    /// Asks a question. Returns the chosen option, counted from 0.
    fn predict(&mut self, question: &event::Question) -> Prediction;

    /// Returns whether the user is asked about every frame that reaches the cable.
    fn steps_packets(&self) -> bool {
        false
    }

    /// Returns what to do with the frame of this number, which is held on the cable.
    fn packet(&mut self, number: u64) -> Packet {
        let _ = number;
        Packet::Deliver
    }

    /// Returns whether the user wants to end the run immediately, even in the middle of a call.
    fn stopped(&mut self) -> bool {
        false
    }

    /// Waits up to `most` for input of the user.
    fn hear(&mut self, most: Duration) -> Input {
        thread::park_timeout(most);
        Input::Nothing
    }

    /// Returns whether the user can end a hold with Enter.
    fn has_keyboard(&self) -> bool {
        false
    }

    /// Called when no more events are ready to be shown.
    fn settled(&mut self) {}

    /// Returns whether the table of connections is displayed.
    fn wants_table(&self) -> bool {
        false
    }

    /// Shows the table of connections.
    fn table(&mut self, peers: &[event::Peer]) {
        let _ = peers;
    }
}

/// Input of the user during a live run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// No input yet.
    Nothing,
    /// A line. It is empty if only Enter was pressed.
    Line(String),
    /// End of input: no more lines follow.
    End,
}

/// What the run does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextAction {
    /// Continue with the next step.
    On,
    /// Repeat the current part from its beginning.
    Again,
    /// Go to this part, counted from 1.
    Part(usize),
    /// End the lesson.
    Leave,
    /// Perform this act on the cable first.
    Wire(WireAct),
}

/// What to do with the oldest frame that is held on the cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// Deliver it.
    Deliver,
    /// Drop it.
    Drop,
    /// Deliver it twice.
    Duplicate,
    /// Deliver all held frames.
    All,
    /// Perform this act on the cable instead.
    Typed(WireAct),
    /// Stop asking: from here on, frames cross without being held.
    Leave,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prediction {
    /// The chosen option, counted from 0.
    Option(usize),
    /// No answer: the question was not asked or was skipped.
    None,
    /// Do this instead of answering.
    Instead(NextAction),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The counts of its checks.
    pub end: End,
    /// The part in which it ended, counted from 1.
    pub part: usize,
    /// What to do instead, if the run was left before its end.
    pub instead: Option<NextAction>,
}

/// Default timeout of a foreground call. When it expires, the call is interrupted. `within` on the step
/// overrides it.
const CALL_DEADLINE: Duration = Duration::from_secs(5);

/// Longest wait for a claim to become true. When it expires, the claim is judged as it stands.
const CLAIM_DEADLINE: Duration = Duration::from_secs(4);

/// State of a run: the hosts that make the calls, the last snapshot of their sockets, and the journal.
struct Run<'a> {
    stage: Stage,
    journal: Journal<'a>,
    snapshot: Snapshot,
    results: HashMap<(Host, String), CallResult>,
    /// The WebSocket sessions of each host, in the order of [`Host`].
    sessions: [Arc<Sessions>; 2],
    /// The TCP socket of each WebSocket.
    websockets: HashMap<(Host, String), String>,
    end: End,
    step: usize,
    /// Whether each frame is held until the user decides about it.
    packets: bool,
    /// Whether the lesson has executed `wire$ hold`. Held frames are then delivered by the lesson, not by the
    /// user.
    lesson_holds: bool,
}

/// State of a call that has a result name.
enum CallResult {
    Running(Running),
    Returned(outcome::Observed),
}

/// A call that runs in the background.
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

    /// Returns the fields of the opening event that are the same for every run on this stage.
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

    /// Interrupts the calls that are still blocked, so that their threads end and the sockets can be closed.
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

    /// Starts a step: increments the step number and writes the event of the step.
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

    /// Performs the statement of the step.
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

    /// `server$ wait r`: waits for the background call `r` to return.
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

    /// Writes the return of each background call that has completed.
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

    /// Observes the sockets of both hosts and writes those that changed. Returns whether any changed.
    fn look(&mut self) -> bool {
        let changed = self.snapshot.update(&self.stage.observe());
        let any = !changed.is_empty();
        for socket in changed {
            self.journal.write(What::Socket(socket));
        }
        any
    }

    /// Writes the return of a call, preceded by the calls and notes that it consists of.
    fn returned(&mut self, host: Host, id: u64, done: Completed, deadline: bool) -> outcome::Observed {
        self.journal.write_pieces(host, id, &done);
        let told = outcome::returned(id, &done, deadline);
        self.journal.write_at(done.started + done.took, What::Return(told));
        outcome::Observed::of(done, deadline)
    }
}

/// Returns the nanoseconds from `start` to `at`.
fn nanos(start: Instant, at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(start).as_nanos()).unwrap_or(u64::MAX)
}

/// Returns the microseconds from `start` to `at`.
fn micros(start: Instant, at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(start).as_micros()).unwrap_or(u64::MAX)
}

//! How it goes: the steps of a lesson are done one by one, and each becomes events.
//!
//! A run writes its events to an [`Audience`], which shows them, records them, and says when to go on.

mod act;
mod claim;
mod journal;
mod outcome;
mod picture;
mod text;
mod upgrading;

use std::{
    collections::HashMap,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    call::Done,
    course::{Block, Expected, Lesson, Predict, Statement, Step},
    stage::{Stage, Ticket},
    trace::{self, Answer, End, Host, Sink, What},
    upgrade::Sessions,
};
use journal::Journal;
use picture::Picture;

/// Who watches a run.
pub trait Audience: Sink {
    /// A step is told: what next?
    fn pause(&mut self) -> Go;

    /// A question is asked: which answer, counted from 0?
    fn predict(&mut self, question: &trace::Question) -> Prediction;
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    /// The next step.
    On,
    /// This part again, from its beginning.
    Again,
    /// That part, counted from 1.
    Part(usize),
    /// Leave the lesson.
    Leave,
}

/// The answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prediction {
    /// This option.
    Option(usize),
    /// Nobody was asked, or nobody wants to say.
    None,
    /// Something else is wanted.
    Instead(Go),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The sum of its checks.
    pub end: End,
    /// The part that it was in.
    pub part: usize,
    /// Where to go instead, if it was left before its end.
    pub instead: Option<Go>,
}

/// A foreground call is ended after this, unless its line says otherwise.
const CALL_DEADLINE: Duration = Duration::from_secs(5);

/// A claim is waited for so long.
const CLAIM_DEADLINE: Duration = Duration::from_secs(4);

/// Runs a lesson from the beginning of part `from` (counted from 1) to its end. The parts before are run unseen, so that all
/// sockets are where that part finds them.
///
/// # Errors
/// If the stage fails: a thread is gone, or no port is free. What a call of the lesson returns is never an error here.
pub fn run(lesson: &Lesson, from: usize, stage: Stage, audience: &mut dyn Audience) -> io::Result<Ended> {
    let mut run = Run {
        lesson,
        stage,
        journal: Journal::new(audience),
        picture: Picture::default(),
        results: HashMap::new(),
        sessions: Default::default(),
        websockets: HashMap::new(),
        end: End::default(),
        part: 1,
        step: 0,
        shown: false,
        answer: None,
        failed_before: 0,
    };
    run.journal.write(What::Lesson(trace::Lesson {
        format: trace::FORMAT,
        sockwalk: env!("CARGO_PKG_VERSION").to_owned(),
        system: std::env::consts::OS.to_owned(),
        name: lesson.front.lesson.clone(),
        title: lesson.front.title.clone(),
        language: lesson.front.language.clone(),
        stage: run.stage.name().to_owned(),
        parts: lesson.parts.len(),
        steps: lesson.steps().filter(|step| !matches!(step.what, Statement::Check(_))).count(),
        sources: lesson.front.sources.clone(),
    }));
    let instead = run.lesson(from);
    // Calls that still wait are ended, so that the threads can go; then every socket is closed.
    for (_, result) in run.results.drain() {
        if let CallResult::Running(running) = result {
            let _ = running.ticket.end();
        }
    }
    let instead = match instead? {
        Flow::On => None,
        Flow::Instead(go) => Some(go),
    };
    run.end.left = instead.is_some();
    // Who jumps to another part has not come to an end: a new `lesson` follows.
    if matches!(instead, None | Some(Go::On | Go::Leave)) {
        run.journal.write(What::End(run.end.clone()));
    }
    Ok(Ended { end: run.end, part: run.part, instead })
}

/// A run under way.
struct Run<'a> {
    lesson: &'a Lesson,
    stage: Stage,
    journal: Journal<'a>,
    picture: Picture,
    results: HashMap<(Host, String), CallResult>,
    /// What each host remembers of its upgrades, in the order of [`Host`].
    sessions: [Arc<Sessions>; 2],
    /// The socket beneath each WebSocket.
    websockets: HashMap<(Host, String), String>,
    end: End,
    part: usize,
    step: usize,
    /// Whether anything was shown since the last pause.
    shown: bool,
    /// The answer to the last question, until the steps behind it have run.
    answer: Option<Answer>,
    /// How many checks had failed when it was asked.
    failed_before: usize,
}

/// What became of a call with a name.
enum CallResult {
    Running(Running),
    Returned(outcome::Observed),
}

/// A call in the background.
struct Running {
    id: u64,
    ticket: Ticket,
    descriptor: i64,
}

/// Whether the run goes on.
enum Flow {
    On,
    Instead(Go),
}

impl Run<'_> {
    fn lesson(&mut self, from: usize) -> io::Result<Flow> {
        let lesson = self.lesson;
        if from <= 1 {
            self.prose_of(&lesson.intro);
        }
        for (index, part) in lesson.parts.iter().enumerate() {
            self.part = index + 1;
            let seen = self.part >= from;
            // What was run unseen is nothing to pause behind.
            self.shown &= from <= 1 || self.part > from;
            if self.shown
                && seen
                && let Flow::Instead(go) = self.pause()
            {
                return Ok(Flow::Instead(go));
            }
            self.journal.write(What::Part(trace::Part {
                number: self.part,
                title: part.title.clone(),
                shown: seen,
            }));
            for (at, block) in part.blocks.iter().enumerate() {
                let flow = match block {
                    Block::Prose(markdown) => {
                        self.narrate(markdown);
                        Flow::On
                    }
                    Block::Predict(predict) => self.ask(predict, seen),
                    Block::Steps(steps) => {
                        let flow = self.steps(steps, seen)?;
                        // The answer comes when the run has shown it: behind the last steps before other prose.
                        let goes_on = matches!(flow, Flow::On);
                        if goes_on && !matches!(part.blocks.get(at + 1), Some(Block::Steps(_))) {
                            self.tell_answer();
                        }
                        flow
                    }
                };
                if let Flow::Instead(_) = flow {
                    return Ok(flow);
                }
            }
            self.tell_answer();
        }
        if self.shown { Ok(self.pause()) } else { Ok(Flow::On) }
    }

    fn prose_of(&mut self, blocks: &[Block]) {
        for block in blocks {
            if let Block::Prose(markdown) = block {
                self.narrate(markdown);
            }
        }
    }

    fn narrate(&mut self, markdown: &str) {
        let markdown = text::filled(markdown, &mut self.stage, &self.picture, &self.results);
        self.journal.write(What::Narration { markdown });
        self.shown = true;
    }

    fn pause(&mut self) -> Flow {
        self.shown = false;
        match self.journal.audience().pause() {
            Go::On => Flow::On,
            go => Flow::Instead(go),
        }
    }

    fn ask(&mut self, predict: &Predict, seen: bool) -> Flow {
        self.tell_answer();
        let mut fill =
            |markdown: &String| text::filled(markdown, &mut self.stage, &self.picture, &self.results);
        let options: Vec<String> = predict.options.iter().map(&mut fill).collect();
        let question = trace::Question { text: fill(&predict.question), options };
        self.journal.write(What::Question(question.clone()));
        let given = if seen { self.journal.audience().predict(&question) } else { Prediction::None };
        let given = match given {
            Prediction::Instead(go) => return Flow::Instead(go),
            Prediction::Option(option) => Some(option),
            Prediction::None => None,
        };
        self.failed_before = self.end.failed;
        self.answer =
            Some(Answer { given, right: predict.right, text: question.options[predict.right].clone() });
        self.shown = false;
        Flow::On
    }

    fn tell_answer(&mut self) {
        let Some(answer) = self.answer.take() else { return };
        self.journal.write(if self.end.failed == self.failed_before {
            What::Answer(answer)
        } else {
            // What the run did not show is not to be believed.
            What::Narration {
                markdown: "*This time the run did not show the answer: see the check that failed.*"
                    .to_owned(),
            }
        });
        self.shown = true;
    }

    fn steps(&mut self, steps: &[Step], seen: bool) -> io::Result<Flow> {
        for step in steps {
            if let Statement::Check(claim) = &step.what {
                self.claim(step, claim)?;
                continue;
            }
            if self.shown
                && seen
                && let Flow::Instead(go) = self.pause()
            {
                return Ok(Flow::Instead(go));
            }
            self.step += 1;
            self.journal.write(What::Step(trace::Step {
                number: self.step,
                line: step.line,
                text: step.text.clone(),
            }));
            match &step.what {
                Statement::Act(act) => self.act(step, act)?,
                Statement::Wait { host, result, expect, within } => {
                    self.wait(step, *host, result, expect, *within)?
                }
                Statement::Check(_) => {}
            }
            self.shown = true;
        }
        Ok(Flow::On)
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
                let (done, ended) = match running.ticket.wait(deadline)? {
                    Some(done) => (done, false),
                    None => (running.ticket.end()?, true),
                };
                self.returned(host, running.id, done, ended)
            }
        };
        self.collect_returned()?;
        self.look();
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
        let changed = self.picture.update(&self.stage.look());
        let any = !changed.is_empty();
        for socket in changed {
            self.journal.write(What::Socket(socket));
        }
        any
    }

    /// Writes a call's return, with all that it was made of.
    fn returned(&mut self, host: Host, id: u64, done: Done, deadline: bool) -> outcome::Observed {
        self.journal.write_pieces(host, id, &done);
        let told = outcome::returned(id, &done, deadline);
        self.journal.write_at(done.started + done.took, What::Return(told));
        outcome::Observed::of(done, deadline)
    }
}

/// Microseconds from `start`.
fn micros(start: Instant, at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(start).as_micros()).unwrap_or(u64::MAX)
}

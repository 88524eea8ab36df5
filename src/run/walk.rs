//! Walks through a lesson from the first line to the last, part by part, and obeys the user's navigation.

use std::io;

use super::{Ended, Frontend, NextAction, Prediction, Run, text};
use crate::{
    event::{self, Answer, What},
    lesson::{Block, Lesson, Predict, Step},
    stage::Stage,
};

/// Runs a lesson from the beginning of part `from` (counted from 1) to its end. The parts before it run
/// hidden, so that all sockets are in the state in which that part expects them.
///
/// # Errors
/// If the stage fails: a thread has ended, or no port is free. A failed call of the lesson is not an error
/// here.
pub fn run(lesson: &Lesson, from: usize, stage: Stage, frontend: &mut dyn Frontend) -> io::Result<Ended> {
    let run = Run::new(stage, frontend);
    let mut walk = Walk { run, lesson, part: 1, shown: false, answer: None, failed_before: 0 };
    let steps = lesson.steps().filter(|step| !step.is_claim()).count();
    walk.run.open(event::Lesson {
        name: lesson.front.lesson.clone(),
        title: lesson.front.title.clone(),
        language: lesson.front.language.clone(),
        parts: lesson.parts.len(),
        steps,
        sources: lesson.front.sources.clone(),
        ..walk.run.here()
    });
    let instead = walk.lesson(from);
    walk.run.end_calls();
    let instead = match instead? {
        Flow::On => None,
        Flow::Instead(go) => Some(go),
    };
    let Walk { mut run, part, .. } = walk;
    run.end.left = instead.is_some();
    // A jump to another part is no end: a new `lesson` event follows.
    if matches!(instead, None | Some(NextAction::On | NextAction::Leave)) {
        run.journal.write(What::End(run.end.clone()));
    }
    Ok(Ended { end: run.end, part, instead })
}

/// State of a walk.
struct Walk<'a> {
    run: Run<'a>,
    lesson: &'a Lesson,
    part: usize,
    /// Whether anything was shown since the last pause.
    shown: bool,
    /// The answer to the last question. It is written after the steps that follow the question.
    answer: Option<Answer>,
    /// Number of failed checks when the question was asked.
    failed_before: usize,
}

/// Whether the walk continues.
enum Flow {
    On,
    Instead(NextAction),
}

impl Walk<'_> {
    fn lesson(&mut self, from: usize) -> io::Result<Flow> {
        let lesson = self.lesson;
        if from <= 1 {
            self.prose_of(&lesson.intro);
        }
        for (index, part) in lesson.parts.iter().enumerate() {
            self.part = index + 1;
            let seen = self.part >= from;
            // No pause follows a hidden part.
            self.shown &= from <= 1 || self.part > from;
            if self.shown
                && seen
                && let Flow::Instead(go) = self.pause()?
            {
                return Ok(Flow::Instead(go));
            }
            self.run.journal.write(What::Part(event::Part {
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
                        // The answer is written once the run has shown it: after the last steps before other
                        // prose.
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
        if self.shown { self.pause() } else { Ok(Flow::On) }
    }

    fn prose_of(&mut self, blocks: &[Block]) {
        for block in blocks {
            if let Block::Prose(markdown) = block {
                self.narrate(markdown);
            }
        }
    }

    fn narrate(&mut self, markdown: &str) {
        self.run.narrate(markdown);
        self.shown = true;
    }

    fn pause(&mut self) -> io::Result<Flow> {
        self.shown = false;
        loop {
            match self.run.journal.frontend().pause() {
                NextAction::On => return Ok(Flow::On),
                NextAction::Wire(act) => self.run.wire_by_hand(&act)?,
                go => return Ok(Flow::Instead(go)),
            }
        }
    }

    fn ask(&mut self, predict: &Predict, seen: bool) -> Flow {
        self.tell_answer();
        let run = &mut self.run;
        let mut fill =
            |markdown: &String| text::filled(markdown, &mut run.stage, &run.snapshot, &run.results);
        let options: Vec<String> = predict.options.iter().map(&mut fill).collect();
        let question = event::Question { text: fill(&predict.question), options };
        self.run.journal.write(What::Question(question.clone()));
        let given = if seen { self.run.journal.frontend().predict(&question) } else { Prediction::None };
        let given = match given {
            Prediction::Instead(go) => return Flow::Instead(go),
            Prediction::Option(option) => Some(option),
            Prediction::None => None,
        };
        self.failed_before = self.run.end.failed;
        self.answer =
            Some(Answer { given, right: predict.right, text: question.options[predict.right].clone() });
        self.shown = false;
        Flow::On
    }

    fn tell_answer(&mut self) {
        let Some(answer) = self.answer.take() else { return };
        self.run.journal.write(if self.run.end.failed == self.failed_before {
            What::Answer(answer)
        } else {
            // The run has not shown the answer, so the answer is not given.
            What::Narration {
                markdown: "*This time the run did not show the answer: see the check that failed.*"
                    .to_owned(),
            }
        });
        self.shown = true;
    }

    fn steps(&mut self, steps: &[Step], seen: bool) -> io::Result<Flow> {
        for step in steps {
            if !step.is_claim() {
                if self.shown
                    && seen
                    && let Flow::Instead(go) = self.pause()?
                {
                    return Ok(Flow::Instead(go));
                }
                self.run.begin(step, false);
            }
            self.run.perform(step)?;
            self.shown = true;
        }
        Ok(Flow::On)
    }
}

//! A script as a lesson made up on the spot, and which of its steps are what.

use std::ops::Range;

use crate::{
    lesson::{self, Block, Front, Lesson, Part, Step},
    transport::script::Script,
};

/// What a step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has to be done before a message can go.
    Open,
    /// It carries the messages.
    Talk,
    /// The client makes ready to hear.
    Listen,
    /// The server has a message, and the client is to get it.
    News,
    /// Nothing is said.
    Idle,
    /// It ends.
    Close,
}

/// A lesson, and what its steps are for.
pub(super) struct Plan {
    pub lesson: Lesson,
    phases: Vec<(Phase, Range<usize>)>,
}

impl Plan {
    /// All of the script; or, of no interest being what comes unasked and what nothing costs, without that.
    pub fn new(name: &str, script: &Script, whole: bool) -> Plan {
        let mut lines: Vec<String> = Vec::new();
        let (mut phases, mut acts) = (Vec::new(), 0);
        let none = Vec::new();
        let of = |part| if whole { part } else { &none };
        for (phase, part) in [
            (Phase::Open, &script.open),
            (Phase::Talk, &script.talk),
            (Phase::Listen, of(&script.listen)),
            (Phase::News, of(&script.news)),
            (Phase::Idle, of(&script.idle)),
            (Phase::Close, &script.close),
        ] {
            phases.push((phase, acts..acts + part.len()));
            acts += part.len();
            lines.extend_from_slice(part);
            if matches!(phase, Phase::Open | Phase::Talk | Phase::News | Phase::Idle) && !part.is_empty() {
                // A bill is whole when everything is acknowledged.
                for (client, server) in &script.streams {
                    lines.push(format!("check client.{client} send_queue=0"));
                    lines.push(format!("check server.{server} send_queue=0"));
                }
            }
        }
        let steps = lines.iter().enumerate().map(|(index, line)| step(index, line)).collect();
        let front = Front {
            lesson: format!("diff-{name}"),
            title: format!("the message over {name}"),
            stage: if script.raw { "cable" } else { "any" }.to_owned(),
            cable: if script.raw { vec!["raw-sockets".to_owned()] } else { Vec::new() },
            language: "en".to_owned(),
            ..Front::default()
        };
        let part = Part { title: "The message".to_owned(), blocks: vec![Block::Steps(steps)] };
        let lesson = Lesson { file: "diff".to_owned(), front, intro: Vec::new(), parts: vec![part] };
        Plan { lesson, phases }
    }

    /// What the step of this number, from 1, is for.
    pub fn phase(&self, step: usize) -> Option<Phase> {
        let at = step.checked_sub(1)?;
        self.phases.iter().find(|(_, steps)| steps.contains(&at)).map(|(phase, _)| *phase)
    }
}

fn step(index: usize, line: &str) -> Step {
    let step = lesson::step(line).unwrap_or_else(|fault| unreachable!("a line of ours: {fault}"));
    // The text is for the screen, and a message may be long.
    let text = if line.len() > 80 { line.chars().take(80).chain(['…']).collect() } else { line.to_owned() };
    Step { line: index + 1, text, ..step }
}

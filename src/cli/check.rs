//! `check` and `lint`: lessons held against the kernel, or against the notation, and reported like tests.

use std::{path::Path, path::PathBuf, process::ExitCode, time::Instant};

use anyhow::Result;

use super::{Screen, args::Show, code, screen::Purpose, source, stages::Stages, tally::Tally};
use crate::{
    event::{Check, Event, Question, Sink, What},
    lesson::{self, Diagnostics, Lesson, Statement},
    run::{self, Frontend, NextAction, Prediction},
    view::plural,
};

/// Watches a run for the checks that do not hold.
struct Quiet<'a> {
    screen: &'a mut Screen,
    failed: Vec<Check>,
}

impl Sink for Quiet<'_> {
    fn take(&mut self, event: &Event) {
        self.screen.record(event);
        if let What::Check(check) = &event.what
            && check.holds == Some(false)
        {
            self.failed.push(check.clone());
        }
    }
}

impl Frontend for Quiet<'_> {
    fn pause(&mut self) -> NextAction {
        NextAction::On
    }

    fn predict(&mut self, _: &Question) -> Prediction {
        Prediction::None
    }
}

/// `sockwalk check [LESSON|FILE]…`
pub(super) fn check(what: &[String], show: &Show) -> Result<ExitCode> {
    let mut stages = Stages::new(show)?;
    let mut screen = Screen::new(show, Purpose::Check)?;
    let lessons: Vec<Lesson> = if what.is_empty() {
        lesson::builtin().iter().map(source::builtin).collect::<Result<_>>()?
    } else {
        what.iter().map(|name| source::named(Path::new(name))).collect::<Result<_>>()?
    };
    let mut tally = Tally::default();
    if let Some(excuse) = stages.excuse() {
        screen.plain(&excuse.replace('`', ""));
    }
    let began = Instant::now();
    let widest = lessons.iter().map(|lesson| lesson.front.lesson.chars().count()).max().unwrap_or(0);
    for lesson in &lessons {
        let began = Instant::now();
        // Of all lessons, those that can't run here are passed over, and that is said.
        if what.is_empty() && !stages.fits(lesson) {
            screen.plain(&format!("{:widest$}  not run: it needs the cable", lesson.front.lesson));
            continue;
        }
        let mut quiet = Quiet { screen: &mut screen, failed: Vec::new() };
        let stage = stages.stage(lesson)?;
        let end = run::run(lesson, 1, stage, &mut quiet)?.end;
        let broken = quiet.failed;
        tally.add(&end);
        let verdict = if end.failed == 0 { "ok".to_owned() } else { format!("{} FAILED", end.failed) };
        let unseen =
            if end.not_seen == 0 { String::new() } else { format!(", {} not seen here", end.not_seen) };
        screen.plain(&format!(
            "{:widest$}  {:3} checks  {verdict}{unseen}  ({:.1?})",
            lesson.front.lesson,
            end.checks,
            began.elapsed()
        ));
        for check in broken {
            screen.plain(&format!("    {}:{}: {}", lesson.file, check.line, check.text));
            screen.plain(&format!("        observed: {}", check.observed));
        }
        // With nobody left to tell it to, there is no use in going on.
        if screen.is_broken() {
            break;
        }
    }
    screen.plain(&format!("\n{}  ({:.1?})", tally.told(), began.elapsed()));
    screen.failures()?;
    Ok(code(tally.good()))
}

/// Whether the step says what its call must come to.
fn expects(statement: &Statement) -> bool {
    match statement {
        Statement::Act(act) => !act.expect.is_empty(),
        Statement::Wait { expect, .. } => !expect.is_empty(),
        Statement::Check(_) | Statement::CheckWire(_) | Statement::Wire { .. } | Statement::Sysctl { .. } => {
            false
        }
    }
}

/// `sockwalk lint FILE…`
pub(super) fn lint(files: &[PathBuf], show: &Show) -> Result<ExitCode> {
    let mut screen = Screen::new(show, Purpose::Report)?;
    let mut good = true;
    for path in files {
        let (name, bytes) = source::bytes(path)?;
        match lesson::parse(&name, &bytes) {
            Ok(lesson) => {
                let claims = lesson.steps().filter(|step| step.is_claim()).count();
                let steps = lesson.steps().count() - claims;
                let checks = claims + lesson.steps().filter(|step| expects(&step.what)).count();
                screen.plain(&format!(
                    "{name}: {}, {}, {}: nothing wrong",
                    plural(lesson.parts.len(), "part"),
                    plural(steps, "step"),
                    plural(checks, "check")
                ));
            }
            Err(Diagnostics(diagnostics)) => {
                good = false;
                for fault in diagnostics {
                    for line in fault.to_string().lines() {
                        screen.plain(line);
                    }
                }
            }
        }
    }
    screen.failures()?;
    Ok(code(good))
}

//! `check` and `lint`: lessons held against the kernel, or against the notation, and reported like tests.

use std::{path::Path, path::PathBuf, process::ExitCode, time::Instant};

use anyhow::Result;

use super::{Screen, args::Show, code, source};
use crate::{
    course::{self, Faults, Lesson, Statement},
    run::{self, Audience, Go, Prediction},
    trace::{Check, Event, Question, Sink, What},
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

impl Audience for Quiet<'_> {
    fn pause(&mut self) -> Go {
        Go::On
    }

    fn predict(&mut self, _: &Question) -> Prediction {
        Prediction::None
    }
}

/// `sockwalk check [LESSON|FILE]…`
pub(super) fn check(what: &[String], show: &Show) -> Result<ExitCode> {
    let mut screen = Screen::new(show)?;
    let lessons: Vec<Lesson> = if what.is_empty() {
        course::builtin().iter().map(source::builtin).collect::<Result<_>>()?
    } else {
        what.iter().map(|name| named(name)).collect::<Result<_>>()?
    };
    let (mut checks, mut failed, mut not_seen) = (0, 0, 0);
    let began = Instant::now();
    let widest = lessons.iter().map(|lesson| lesson.front.lesson.chars().count()).max().unwrap_or(0);
    for lesson in &lessons {
        let mut quiet = Quiet { screen: &mut screen, failed: Vec::new() };
        let began = Instant::now();
        let stage = source::stage(lesson)?;
        let end = run::run(lesson, 1, stage, &mut quiet)?.end;
        let broken = quiet.failed;
        checks += end.checks;
        failed += end.failed;
        not_seen += end.not_seen;
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
    }
    let lessons =
        if lessons.len() == 1 { "1 lesson".to_owned() } else { format!("{} lessons", lessons.len()) };
    let verdict = if failed == 0 { "all hold".to_owned() } else { format!("{failed} FAILED") };
    let unseen =
        if not_seen == 0 { String::new() } else { format!(", {not_seen} cannot be seen on this system") };
    screen.plain(&format!("\n{checks} checks in {lessons}: {verdict}{unseen}  ({:.1?})", began.elapsed()));
    screen.failures()?;
    Ok(code(failed == 0))
}

/// A lesson by its name, or by its file's.
fn named(name: &str) -> Result<Lesson> {
    if let Some(builtin) = course::find(name) {
        return source::builtin(builtin);
    }
    let path = Path::new(name);
    if !path.exists() && !name.contains(['/', '.', '\\']) {
        let names: Vec<&str> = course::builtin().iter().map(|lesson| lesson.name).collect();
        anyhow::bail!(
            "there is no lesson `{name}`, and no file of that name; the lessons are {}",
            names.join(", ")
        );
    }
    source::lesson(path)
}

/// `sockwalk lint FILE…`
pub(super) fn lint(files: &[PathBuf], show: &Show) -> Result<ExitCode> {
    let mut screen = Screen::new(show)?;
    let mut good = true;
    for path in files {
        let (name, bytes) = source::bytes(path)?;
        match course::parse(&name, &bytes) {
            Ok(lesson) => {
                let checks = lesson.steps().filter(|step| matches!(step.what, Statement::Check(_))).count();
                let steps = lesson.steps().count() - checks;
                screen.plain(&format!(
                    "{name}: {} parts, {steps} steps, {checks} checks: nothing wrong",
                    lesson.parts.len()
                ));
            }
            Err(Faults(faults)) => {
                good = false;
                for fault in faults {
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

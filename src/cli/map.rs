//! The map of the course, the list of lessons, and how far somebody is.

use std::process::ExitCode;

use anyhow::Result;

use super::{Screen, args::Show, code, progress, progress::Progress, screen::Purpose};
use crate::lesson::{self, Builtin};

/// `sockwalk` alone.
pub(super) fn map(show: &Show) -> Result<ExitCode> {
    let mut screen = Screen::new(show, Purpose::Report)?;
    let progress = Progress::load();
    screen.say("# sockwalk\n\nThe life of a socket, call by call, on the real kernel.");
    list(&mut screen, &progress, false);
    let nine = || lesson::builtin().iter().filter(|lesson| lesson.in_tour);
    let next = match progress.place() {
        Some((lesson, part)) => {
            format!("You were in `{lesson}`, part {part}. To go on there:\n\n```\nsockwalk {lesson}\n```")
        }
        None => match nine().find(|lesson| !progress.is_finished(lesson.name)) {
            Some(first) if nine().all(|lesson| !progress.is_finished(lesson.name)) => {
                format!(
                    "To begin:\n\n```\nsockwalk {}\n```\n\nAll nine, one after the other: `sockwalk tour`. All that can be typed: `sockwalk --help`.",
                    first.name
                )
            }
            Some(next) => format!("Next:\n\n```\nsockwalk {}\n```", next.name),
            None => "You have walked them all. `sockwalk run FILE` runs a lesson of your own.".to_owned(),
        },
    };
    screen.say(&next);
    screen.failures()?;
    Ok(code(true))
}

/// `sockwalk lessons`
pub(super) fn lessons(show: &Show) -> Result<ExitCode> {
    let mut screen = Screen::new(show, Purpose::Report)?;
    list(&mut screen, &Progress::load(), true);
    screen.failures()?;
    Ok(code(true))
}

/// `sockwalk progress [--reset]`
pub(super) fn progress(reset: bool, show: &Show) -> Result<ExitCode> {
    let mut screen = Screen::new(show, Purpose::Report)?;
    let place = progress::file()?;
    if reset {
        let there = Progress::reset()?;
        screen.plain(&if there {
            format!("forgotten: {}", place.display())
        } else {
            "there was nothing to forget".to_owned()
        });
    } else {
        list(&mut screen, &Progress::load(), true);
        let kept = if place.exists() { "kept in" } else { "nothing is kept yet; it will be in" };
        screen.plain(&format!("   {kept} {}", place.display()));
    }
    screen.failures()?;
    Ok(code(true))
}

/// A line for each lesson: number, name, title, and how far it was walked. Those beyond the nine are counted,
/// or listed too.
fn list(screen: &mut Screen, progress: &Progress, all: bool) {
    let place = progress.place();
    let shown = lesson::builtin().iter().filter(|lesson| all || lesson.in_tour);
    let widest = shown.map(|lesson| lesson.name.len()).max().unwrap_or(0) + 1;
    let line = |number: usize, lesson: &Builtin| {
        let title = lesson.title();
        let place =
            place.as_ref().filter(|(name, _)| name == lesson.name).map(|(_, part)| format!("part {part}"));
        let done = progress.is_finished(lesson.name).then(|| "✓".to_owned());
        let mark: Vec<String> = done.into_iter().chain(place).collect();
        let (mark, name) = (mark.join(" "), lesson.name);
        // On a narrow screen the title has a line of its own.
        let line = if screen.width() < 72 {
            format!("   {number:2}  {name:<widest$} {mark}\n       {title}")
        } else {
            format!("   {number:2}  {name:<widest$} {title:<46} {mark}")
        };
        line.trim_end().to_owned()
    };
    let (nine, further): (Vec<&Builtin>, Vec<&Builtin>) =
        lesson::builtin().iter().partition(|lesson| lesson.in_tour);
    let mut lines = vec![String::new()];
    lines.extend(nine.iter().enumerate().map(|(index, lesson)| line(index + 1, lesson)));
    if !all {
        lines.push(format!("\n   and {} further lessons: sockwalk lessons", further.len()));
    } else if !further.is_empty() {
        lines.push("\n   further lessons (sockwalk run NAME):".to_owned());
        lines.extend(further.iter().enumerate().map(|(index, lesson)| line(nine.len() + index + 1, lesson)));
    }
    lines.push(String::new());
    screen.plain(&lines.join("\n"));
}

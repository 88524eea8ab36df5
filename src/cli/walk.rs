//! Walking through lessons: one, a file's, all nine, or a trace of one.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context, Result, bail};

use super::{
    Screen,
    args::{Depth, Part, Show},
    code,
    progress::Progress,
    screen::Purpose,
    source,
    stages::Stages,
    suffices::{self, About},
    tally::Tally,
};
use crate::{
    event::{Event, Reader, Sink, What},
    lesson::{self, Builtin, Lesson},
    run::{self, Ended, Frontend, NextAction},
    view::{self, OneFrame},
};

/// Exit code of a program that Ctrl-C ended, as shells count it.
const INTERRUPTED: u8 = 130;

/// `sockwalk listen`
pub(super) fn lesson(name: &str, part: Part, show: &Show) -> Result<ExitCode> {
    let builtin = lesson::find(name).with_context(|| format!("there is no lesson `{name}`"))?;
    let lesson = source::builtin(builtin)?;
    let mut stages = Stages::new(show)?;
    let mut screen = Screen::new(show, Purpose::Course)?;
    let mut progress = Progress::load();
    let Some(from) = start(&lesson, part, &mut screen, &progress)? else { return done(&mut screen, true) };
    let ended = walk(&lesson, from, &mut stages, &mut screen, Some(&mut progress))?;
    if screen.steps() && ended.instead.is_none() {
        screen.say(&match after(name) {
            Some(next) => format!("Next: `sockwalk {next}`"),
            None => "That was the last one. `sockwalk` shows the map of the course.".to_owned(),
        });
    }
    done(&mut screen, ended.end.failed == 0)
}

/// The lesson of the tour that comes after this one.
fn after(name: &str) -> Option<&'static str> {
    let mut lessons =
        lesson::builtin().iter().filter(|lesson| lesson.in_tour).skip_while(|lesson| lesson.name != name);
    lessons.nth(1).map(|lesson| lesson.name)
}

/// `sockwalk run FILE`, or a further lesson by its name
pub(super) fn file(path: &Path, part: Part, show: &Show) -> Result<ExitCode> {
    let lesson = source::named(path)?;
    let mut stages = Stages::new(show)?;
    let mut screen = Screen::new(show, Purpose::File)?;
    let from = checked_part(&lesson, part)?.unwrap_or(1);
    let ended = walk(&lesson, from, &mut stages, &mut screen, None)?;
    done(&mut screen, ended.end.failed == 0)
}

/// `sockwalk tour`
pub(super) fn tour(show: &Show) -> Result<ExitCode> {
    let mut stages = Stages::new(show)?;
    let mut screen = Screen::new(show, Purpose::Course)?;
    let mut progress = Progress::load();
    let nine: Vec<_> = lesson::builtin().iter().filter(|lesson| lesson.in_tour).collect();
    let (mut first, mut from) = (0, 1);
    if screen.steps()
        && let Some((at, part, text)) = where_to_go_on(&nine, &progress)
    {
        match screen.ask_go_on(&text) {
            None => return done(&mut screen, true),
            Some(true) => (first, from) = (at, part),
            Some(false) => {}
        }
    }
    let mut tally = Tally::default();
    for builtin in &nine[first..] {
        let lesson = source::builtin(builtin)?;
        let from_part = from.min(lesson.parts.len());
        let ended = walk(&lesson, from_part, &mut stages, &mut screen, Some(&mut progress))?;
        from = 1;
        tally.add(&ended.end);
        if ended.instead.is_some() {
            return done(&mut screen, tally.good());
        }
    }
    screen.say(&format!("The tour: {}.", tally.told()));
    done(&mut screen, tally.good())
}

/// Where the tour was left: the lesson's index, the part, and how that is told.
fn where_to_go_on(nine: &[&Builtin], progress: &Progress) -> Option<(usize, usize, String)> {
    if let Some((name, part)) = progress.place()
        && let Some(at) = nine.iter().position(|lesson| lesson.name == name)
    {
        return Some((
            at,
            part,
            format!("You were in the lesson `{name}`, part {part}. The tour can go on there."),
        ));
    }
    let next = nine.iter().position(|lesson| !progress.is_finished(lesson.name)).filter(|at| *at > 0)?;
    Some((next, 1, format!("The tour can go on with the lesson `{}`.", nine[next].name)))
}

/// `sockwalk replay FILE`
pub(super) fn replay(path: &Path, frame: Option<u64>, show: &Show) -> Result<ExitCode> {
    let from: Box<dyn BufRead> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(
            File::open(path).with_context(|| format!("can't open the trace {}", path.display()))?,
        ))
    };
    for (option, file) in [("--pcap", &show.pcap), ("--transcript", &show.transcript)] {
        if file.as_deref().is_some_and(|file| is_same(file, path)) {
            bail!("{option} would write over the trace that is read");
        }
    }
    let mut screen = Screen::new(show, Purpose::Replay)?;
    if let Some(number) = frame {
        return one_frame(path, Reader::new(from), number, screen, show);
    }
    let (mut shown, mut whole) = (false, false);
    for event in Reader::new(from) {
        let event = event.with_context(|| format!("can't read the trace {}", path.display()))?;
        if pauses_before(&event) && shown {
            shown = false;
            if screen.pause() == NextAction::Leave {
                return done(&mut screen, true);
            }
        }
        if let What::Run(run) = &event.what
            && let Some(why) = suffices::missing(About::of_run(run), show)
        {
            super::refuse(why.to_owned());
        }
        shown |= !matches!(event.what, What::Lesson(_) | What::Part(_));
        whole = matches!(event.what, What::End(_));
        screen.take(&event);
    }
    if whole {
        screen.settle();
    } else {
        screen.say("*The trace ends here, before its lesson did.*");
    }
    done(&mut screen, whole)
}

/// Whether both are there, and are one file.
fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// `sockwalk replay FILE --frame N`: that frame alone, of the first lesson that has it.
fn one_frame(
    path: &Path,
    events: Reader<Box<dyn BufRead>>,
    number: u64,
    mut screen: Screen,
    show: &Show,
) -> Result<ExitCode> {
    let depth = match show.depth {
        Depth::Summary => view::Depth::Fields,
        deeper => deeper.into(),
    };
    let mut frame = OneFrame::new(screen.look(), number, depth);
    for event in events {
        let event = event.with_context(|| format!("can't read the trace {}", path.display()))?;
        screen.record(&event);
        if let Some(lines) = frame.take(&event) {
            screen.print(&lines);
            return done(&mut screen, true);
        }
    }
    match frame.last() {
        Some(last) => bail!("the trace {} has no frame {number}: they go up to {last}", path.display()),
        None => bail!("the trace {} has no frames: its lesson did not run on the cable", path.display()),
    }
}

/// A replay waits where the run waited.
fn pauses_before(event: &Event) -> bool {
    match &event.what {
        What::Part(part) => part.shown,
        What::Step(_) | What::End(_) => true,
        _ => false,
    }
}

/// Runs a lesson until it ends or is left, part by part as the person asks.
fn walk(
    lesson: &Lesson,
    mut from: usize,
    stages: &mut Stages,
    screen: &mut Screen,
    mut progress: Option<&mut Progress>,
) -> Result<Ended> {
    let name = &lesson.front.lesson;
    // Who begins at a part where they never were has not walked the whole lesson.
    let place = progress.as_ref().and_then(|progress| progress.place());
    let mut whole = from <= 1 || place.is_some_and(|(left, part)| left == *name && from <= part);
    if screen.steps() {
        stages.be_patient();
    }
    if let Some(excuse) = stages.excuse() {
        screen.say(&excuse);
    }
    loop {
        let stage = stages.stage(lesson)?;
        let ended = run::run(lesson, from, stage, screen)?;
        screen.settle();
        from = match ended.instead {
            Some(NextAction::Again) => ended.part,
            Some(NextAction::Part(part)) => {
                whole &= part <= ended.part;
                part
            }
            Some(NextAction::On | NextAction::Leave | NextAction::Wire(_)) | None => {
                if let Some(progress) = progress.as_mut().filter(|_| screen.steps()) {
                    match ended.instead {
                        Some(_) => progress.left(name, ended.part),
                        None if whole => progress.finished(name),
                        None => {}
                    }
                    if let Err(error) = progress.save() {
                        screen.say(&format!("Your place could not be kept: {error:#}."));
                    }
                }
                return Ok(ended);
            }
        };
    }
}

/// The part to start at; `None` if the person leaves at the question.
fn start(lesson: &Lesson, part: Part, screen: &mut Screen, progress: &Progress) -> Result<Option<usize>> {
    if let Some(part) = checked_part(lesson, part)? {
        return Ok(Some(part));
    }
    let name = &lesson.front.lesson;
    match progress.place() {
        Some((left, part)) if screen.steps() && left == *name && part > 1 && part <= lesson.parts.len() => {
            let answer =
                screen.ask_go_on(&format!("You left this lesson in part {part} of {}.", lesson.parts.len()));
            Ok(answer.map(|there| if there { part } else { 1 }))
        }
        _ => Ok(Some(1)),
    }
}

fn checked_part(lesson: &Lesson, part: Part) -> Result<Option<usize>> {
    match part.number.map(usize::from) {
        Some(part) if part > lesson.parts.len() => {
            bail!(
                "the lesson {} has {} parts; there is no part {part}",
                lesson.front.lesson,
                lesson.parts.len()
            )
        }
        part => Ok(part),
    }
}

fn done(screen: &mut Screen, good: bool) -> Result<ExitCode> {
    screen.failures()?;
    Ok(if screen.interrupted() { ExitCode::from(INTERRUPTED) } else { code(good) })
}

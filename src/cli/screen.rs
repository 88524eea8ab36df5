//! The screen: lines are written to standard output as they come, and a person is asked what next.

mod asking;
mod frontend;
mod table;
mod terminal;

use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::{Context, Result, bail};

use super::{
    args::{Pace, Packets, Show, Shown},
    keys::{self, Key},
    lines::Lines,
    records::Records,
    suffices::{About, missing, not_here},
};
use crate::{
    event::{Event, Sink, What},
    stage::shutdown_flag,
    view::{self, Form, Glyphs, Line, Look, Meaning, Narrator, Palette, Renderer, View, markdown, paint},
};

use table::Table;
use terminal::{palette, width};

/// What a screen is for: which keys make sense, and whether there are events to record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A built-in lesson, whose place is kept.
    Course,
    /// A lesson file.
    File,
    /// A trace that is shown again.
    Replay,
    /// Calls on the open machine, until the person ends it.
    Live,
    /// The same, where the person has something to say: lines of standard input.
    Talk,
    /// Bytes between a client and a server, until the person ends it.
    Tap,
    /// A capture.
    Decode,
    /// A server of a protocol, until the person ends it.
    Serve,
    /// A client of a protocol, to which the person has something to say.
    Client,
    /// Claims that are run quietly.
    Check,
    /// A list or a report.
    Report,
}

/// Standard output, and who sits in front of it.
pub(super) struct Screen {
    look: Look,
    purpose: Purpose,
    palette: Palette,
    pace: Pace,
    teller: Renderer,
    /// The files that the run is written to.
    records: Records,
    /// False if standard output belongs to one of them.
    narrates: bool,
    /// What has gone wrong with standard output.
    broken: Option<io::Error>,
    /// Lines of the steps so far, a page for each, and of the one that grows.
    pages: Vec<Vec<Line>>,
    page: Vec<Line>,
    parts: usize,
    interrupted: bool,
    /// Rows written since somebody was asked last.
    filled: usize,
    /// Somebody wants to leave in the middle of a step: nothing more is shown up to its end.
    leaving: bool,
    /// The lesson that runs is on a cable.
    on_cable: bool,
    /// The frames of this lesson, where a person may ask for one.
    frames: Vec<Event>,
    /// How deep a frame is told that is asked for.
    depth: view::Depth,
    /// Every frame on the cable waits for a key.
    packets: bool,
    /// Live: becomes true when somebody wants it to end.
    told_to_end: Option<Arc<AtomicBool>>,
    /// Live: standard input.
    lines: Option<Lines>,
    /// The table of a class, if that is all that is wanted.
    table: Option<Table>,
}

impl Screen {
    /// As the options and the surroundings ask.
    pub fn new(show: &Show, purpose: Purpose) -> Result<Screen> {
        let live = !matches!(
            purpose,
            Purpose::Course
                | Purpose::File
                | Purpose::Replay
                | Purpose::Check
                | Purpose::Report
                | Purpose::Decode
        );
        if let Some(why) = missing(About::of(purpose), show).or_else(|| not_here(purpose, show)) {
            super::refuse(why.to_owned());
        }
        let walks = !live && !matches!(purpose, Purpose::Check | Purpose::Report | Purpose::Decode);
        let view = match show.view {
            Shown::Story => View::Story,
            Shown::Ladder => View::Ladder,
            Shown::States => View::States,
        };
        let glyphs = if show.ascii { Glyphs::Ascii } else { Glyphs::Unicode };
        let form = if show.plain { Form::Linear } else { Form::Screen };
        let look = Look::new(width(show), glyphs, form);
        let records = Records::open(show)?;
        let to_stdout = records.take_stdout();
        Ok(Screen {
            look,
            purpose,
            palette: palette(show.color),
            pace: match show.pace {
                _ if live => Pace::Auto,
                Some(Pace::Step) if !keys::there() => {
                    bail!("--pace step needs a terminal to wait at; use --pace auto or a time such as 2s")
                }
                Some(pace) => pace,
                None if walks && keys::there() && !to_stdout => Pace::Step,
                None => Pace::Auto,
            },
            teller: Renderer::new(look, view, show.depth.into()),
            records,
            narrates: !to_stdout,
            broken: None,
            pages: Vec::new(),
            page: Vec::new(),
            parts: 1,
            interrupted: false,
            filled: 0,
            leaving: false,
            on_cable: false,
            frames: Vec::new(),
            depth: match show.depth.into() {
                view::Depth::Summary => view::Depth::Fields,
                depth => depth,
            },
            packets: show.packets == Packets::Step,
            told_to_end: if live { Some(shutdown_flag().context("can't listen to Ctrl-C")?) } else { None },
            // Enter ends a hold where there is a terminal; what is to be said may come from a file as well.
            lines: if matches!(purpose, Purpose::Talk | Purpose::Client)
                || (live && io::stdin().is_terminal())
            {
                Some(Lines::start().context("can't start a thread for standard input")?)
            } else {
                None
            },
            table: None,
        })
    }

    /// How it is shown.
    pub fn look(&self) -> Look {
        self.look
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.look.width()
    }

    /// Whether a person steps through.
    pub fn steps(&self) -> bool {
        self.pace == Pace::Step
    }

    /// Whether Ctrl-C was pressed at a prompt.
    pub fn interrupted(&self) -> bool {
        self.interrupted
    }

    /// Writes lines; on a terminal that is stepped through, a screenful at a time.
    pub fn print(&mut self, lines: &[Line]) {
        let Some(room) = self.rows() else { return self.write(lines) };
        let mut rest = lines;
        while !rest.is_empty() && !self.leaving {
            let left = room.saturating_sub(self.filled);
            // What belongs together is not torn apart, unless it is taller than the screen or only little
            // stands there yet.
            let fits = if rest.len() <= left {
                rest.len()
            } else if rest.len() <= room && self.filled > room / 2 {
                0
            } else {
                left
            };
            self.write(&rest[..fits]);
            self.filled += fits;
            rest = &rest[fits..];
            if !rest.is_empty() {
                match self.ask("**Enter** more · **q** leave") {
                    Some(Key::Quit) | None => self.leaving = true,
                    Some(_) => {}
                }
            }
        }
    }

    /// Rows for text above a prompt; `None` where nobody steps, or the terminal does not say how tall it is.
    fn rows(&self) -> Option<usize> {
        // Asked only of a terminal: where there is none, crossterm would start a program to find out.
        if !self.steps() {
            return None;
        }
        match crossterm::terminal::size() {
            Ok((_, rows)) if rows > 4 => Some(usize::from(rows) - 3),
            _ => None,
        }
    }

    /// Of a class, only this connection is told.
    pub fn follow(&mut self, name: &str) {
        self.teller = Narrator::new(self.look).following(name).into();
    }

    /// Writes lines at once. After the first error nothing is written any more.
    fn write(&mut self, lines: &[Line]) {
        if lines.is_empty() || self.broken.is_some() || !self.narrates {
            return;
        }
        self.wipe_table();
        let text = paint(lines, self.palette);
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            self.broken = Some(error);
        }
    }

    /// A line as it is.
    pub fn plain(&mut self, text: &str) {
        let lines: Vec<Line> = text.split('\n').map(|line| self.look.line(line, Meaning::Prose)).collect();
        self.print(&lines);
    }

    /// Whether standard output takes nothing any more.
    pub fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Writes an event to the files, and shows nothing.
    pub fn record(&mut self, event: &Event) {
        self.records.take(event);
    }

    /// Writes events to the files, and shows nothing.
    pub fn record_all(&mut self, events: &[Event]) {
        events.iter().for_each(|event| self.records.write(event));
        self.records.flush();
    }

    /// Writes events to the files, and shows them together.
    pub fn take_all(&mut self, events: &[Event]) {
        self.record_all(events);
        if self.narrates {
            let lines: Vec<Line> = events.iter().flat_map(|event| self.teller.show(event)).collect();
            self.print(&lines);
        }
    }

    /// Whether one of the files can't be written.
    pub fn files_failed(&self) -> bool {
        self.records.failure().is_some()
    }

    /// Prose of the program's own.
    pub fn say(&mut self, text: &str) {
        self.print(&markdown(&self.look, text));
    }

    /// Writes what the view still holds back.
    pub fn settle(&mut self) {
        let lines = self.teller.settle();
        self.print(&lines);
        self.page.extend(lines);
    }

    /// What has gone wrong on the way. That a reader went away (a broken pipe) is no error.
    pub fn failures(&mut self) -> Result<()> {
        self.records.finish();
        if let Some((what, error)) = self.records.failure()
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            bail!("the {what} is not whole, its file can't be written: {error}");
        }
        match &self.broken {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                bail!("can't write to standard output: {error}")
            }
            _ => Ok(()),
        }
    }
}

/// So many frames of a lesson can be asked for.
const MOST_FRAMES: usize = 20_000;

impl Sink for Screen {
    fn take(&mut self, event: &Event) {
        self.record(event);
        if let What::Lesson(lesson) = &event.what {
            self.parts = lesson.parts;
            self.on_cable = lesson.stage == "cable" && self.purpose != Purpose::Replay;
            self.frames.clear();
            self.pages.clear();
        }
        if !self.narrates {
            return;
        }
        if let (What::Frame(_), Pace::Step) = (&event.what, self.pace)
            && self.frames.len() < MOST_FRAMES
        {
            self.frames.push(event.clone());
        }
        let lines = self.teller.show(event);
        self.print(&lines);
        if self.steps() {
            self.page.extend(lines);
        }
    }
}

//! The screen: lines are written to standard output as they come, and a person is asked what next.

use std::{
    fs::File,
    io::{self, IsTerminal, Write},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{
    args::{Pace, Show, When},
    keys::{self, Key},
};
use crate::{
    run::{Audience, Go, Prediction},
    trace::{self, Event, Sink, What, Writer},
    view::{Form, Glyphs, Line, Look, Meaning, Narrator, Palette, markdown, paint},
};

/// Standard output, and who sits in front of it.
pub(super) struct Screen {
    pub look: Look,
    palette: Palette,
    pace: Pace,
    narrator: Narrator,
    trace: Option<Writer<Box<dyn Write>>>,
    /// False if standard output is the trace's.
    narrates: bool,
    /// What has gone wrong with standard output.
    broken: Option<io::Error>,
    /// Lines of the steps so far, a page for each, and of the one that grows.
    pages: Vec<Vec<Line>>,
    page: Vec<Line>,
    parts: usize,
    interrupted: bool,
}

impl Screen {
    /// As the options and the surroundings ask.
    pub fn new(show: &Show) -> Result<Screen> {
        let glyphs = if show.ascii { Glyphs::Ascii } else { Glyphs::Unicode };
        let form = if show.plain { Form::Linear } else { Form::Screen };
        let look = Look::new(width(show), glyphs, form);
        let to_stdout = show.trace.as_deref().is_some_and(|path| path.as_os_str() == "-");
        let trace: Option<Box<dyn Write>> = match &show.trace {
            None => None,
            Some(_) if to_stdout => Some(Box::new(io::stdout())),
            Some(path) => {
                let file = File::create(path)
                    .with_context(|| format!("can't write the trace to {}", path.display()))?;
                Some(Box::new(file))
            }
        };
        Ok(Screen {
            look,
            palette: palette(show.color),
            pace: match show.pace {
                Some(Pace::Step) if !keys::there() => {
                    bail!("--pace step needs a terminal to wait at; use --pace auto or a time such as 2s")
                }
                Some(pace) => pace,
                None if keys::there() && !to_stdout => Pace::Step,
                None => Pace::Auto,
            },
            narrator: Narrator::new(look),
            trace: trace.map(Writer::new),
            narrates: !to_stdout,
            broken: None,
            pages: Vec::new(),
            page: Vec::new(),
            parts: 1,
            interrupted: false,
        })
    }

    /// Whether a person steps through.
    pub fn steps(&self) -> bool {
        self.pace == Pace::Step
    }

    /// Whether Ctrl-C was pressed at a prompt.
    pub fn interrupted(&self) -> bool {
        self.interrupted
    }

    /// Writes lines. After the first error nothing is written any more.
    pub fn print(&mut self, lines: &[Line]) {
        if lines.is_empty() || self.broken.is_some() || !self.narrates {
            return;
        }
        let text = paint(lines, self.palette);
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            self.broken = Some(error);
        }
    }

    /// A line as it is.
    pub fn plain(&mut self, text: &str) {
        let lines: Vec<Line> =
            text.split('\n').map(|line| self.look.line(line, Meaning::Prose)).collect();
        self.print(&lines);
    }

    /// Writes an event to the trace, and shows nothing.
    pub fn record(&mut self, event: &Event) {
        if let Some(trace) = &mut self.trace {
            trace.take(event);
        }
    }

    /// Prose of the program's own.
    pub fn say(&mut self, text: &str) {
        self.print(&markdown(&self.look, text));
    }

    /// Writes what the narrator still holds back.
    pub fn settle(&mut self) {
        let lines = self.narrator.settle();
        self.print(&lines);
        self.page.extend(lines);
    }

    /// What has gone wrong on the way. That a reader went away (a broken pipe) is no error.
    pub fn failures(&self) -> Result<()> {
        if let Some(error) = self.trace.as_ref().and_then(Writer::failure)
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            bail!("the trace is not whole, its file can't be written: {error}");
        }
        match &self.broken {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                bail!("can't write to standard output: {error}")
            }
            _ => Ok(()),
        }
    }

    /// Asks for a key below a line that says which there are. `None` if nobody can answer.
    fn ask(&mut self, prompt: &str) -> Option<Key> {
        self.prompt(prompt);
        let key = keys::key();
        self.wipe_prompt();
        match key {
            Ok(Key::Interrupt) => {
                self.interrupted = true;
                Some(Key::Quit)
            }
            Ok(key) => Some(key),
            Err(_) => None,
        }
    }

    fn prompt(&mut self, prompt: &str) {
        if self.broken.is_none() {
            let text = paint(&markdown(&self.look, prompt), self.palette);
            let mut out = io::stdout().lock();
            if let Err(error) = write!(out, "\n{}", text.trim_end()).and_then(|()| out.flush()) {
                self.broken = Some(error);
            }
        }
    }

    /// The prompt makes room for what comes; where lines can't be wiped, it stays.
    fn wipe_prompt(&mut self) {
        let mut out = io::stdout().lock();
        let dumb =
            self.look.form() == Form::Linear || std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let _ = if dumb { writeln!(out) } else { write!(out, "\r\x1b[2K\x1b[1A") };
        let _ = out.flush();
    }

    /// Asks whether to go on at a part where the lesson was left. True: there; false: from the beginning.
    pub fn ask_go_on(&mut self, text: &str) -> Option<bool> {
        self.say(text);
        loop {
            match self.ask("**Enter** go on there · **1** from the beginning · **q** leave")? {
                Key::Enter => return Some(true),
                Key::Number(1) => return Some(false),
                Key::Quit => return None,
                _ => {}
            }
        }
    }

    fn turn_page(&mut self) {
        let page = std::mem::take(&mut self.page);
        if !page.is_empty() {
            self.pages.push(page);
        }
    }

    fn look_back(&mut self, steps: usize) -> usize {
        let steps = steps.min(self.pages.len().saturating_sub(1));
        let index = self.pages.len() - 1 - steps;
        let page = self.pages[index].clone();
        self.say(if steps == 0 { "*here again:*" } else { "*looking back:*" });
        self.print(&page);
        steps
    }
}

const HELP: &str = "\
- **Enter**, space: the next step\n\
- **b**: look back at earlier steps\n\
- **r**: run this part again, from its beginning\n\
- **1** to **9**: jump to that part\n\
- **q**: leave; the next start offers to go on here\n\
- **?**: this list";

impl Sink for Screen {
    fn take(&mut self, event: &Event) {
        self.record(event);
        if let What::Lesson(lesson) = &event.what {
            self.parts = lesson.parts;
            self.pages.clear();
        }
        if !self.narrates {
            return;
        }
        let lines = self.narrator.show(event);
        self.print(&lines);
        if self.steps() {
            self.page.extend(lines);
        }
    }
}

impl Audience for Screen {
    fn pause(&mut self) -> Go {
        self.settle();
        if self.broken.is_some() {
            return Go::Leave;
        }
        match self.pace {
            Pace::Auto => return Go::On,
            Pace::Every(time) => {
                wait(time);
                return Go::On;
            }
            Pace::Step => self.turn_page(),
        }
        let mut back = 0;
        loop {
            match self.ask("**Enter** next · **b** back · **r** again · **?** help · **q** leave") {
                Some(Key::Enter) => return Go::On,
                Some(Key::Back) => back = self.look_back(back + 1),
                Some(Key::Again) => return Go::Again,
                Some(Key::Number(part)) if part <= self.parts => return Go::Part(part),
                Some(Key::Number(_)) => self.say(&format!("This lesson has parts 1 to {}.", self.parts)),
                Some(Key::Help) => self.say(HELP),
                Some(Key::Quit) | None => return Go::Leave,
                Some(Key::Interrupt | Key::Other) => {}
            }
        }
    }

    fn predict(&mut self, question: &trace::Question) -> Prediction {
        self.settle();
        match self.pace {
            Pace::Auto => return Prediction::None,
            Pace::Every(time) => {
                wait(time);
                return Prediction::None;
            }
            Pace::Step => self.turn_page(),
        }
        let last = question.options.len();
        let mut back = 0;
        loop {
            match self.ask(&format!(
                "**1** to **{last}** your guess · **Enter** just show me · **b** back · **q** leave"
            )) {
                Some(Key::Enter) => return Prediction::None,
                Some(Key::Number(option)) if option <= last => return Prediction::Option(option - 1),
                Some(Key::Back) => back = self.look_back(back + 1),
                Some(Key::Again) => return Prediction::Instead(Go::Again),
                Some(Key::Help) => self.say(HELP),
                Some(Key::Quit) | None => return Prediction::Instead(Go::Leave),
                Some(Key::Number(_) | Key::Interrupt | Key::Other) => {}
            }
        }
    }
}

fn wait(time: Duration) {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}

fn palette(when: When) -> Palette {
    let wanted = match when {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            // `colored` knows CLICOLOR and CLICOLOR_FORCE; a terminal that calls itself dumb has no colour.
            let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
            let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            // NO_COLOR has the last word (no-color.org).
            let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            !forbidden
                && colored::control::SHOULD_COLORIZE.should_colorize()
                && (forced || (io::stdout().is_terminal() && !dumb))
        }
    };
    if wanted { Palette::Colour } else { Palette::Plain }
}

fn width(show: &Show) -> usize {
    if let Some(width) = show.width {
        return usize::from(width);
    }
    if io::stdout().is_terminal()
        && let Ok((columns, _)) = crossterm::terminal::size()
        && columns > 0
    {
        return usize::from(columns);
    }
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(80)
}

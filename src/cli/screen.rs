//! The screen: lines are written to standard output as they come, and a person is asked what next.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{
    args::{Pace, Packets, Show, Shown, When, Where},
    keys::{self, Key},
    lines::Lines,
    records::Records,
};
use crate::{
    course::{self, WireAct},
    run::{Audience, Go, Heard, Packet, Prediction},
    stage::{nobody_reads_stdout, told_to_end},
    trace::{self, Event, Sink, What},
    view::{
        self, Form, Glyphs, Line, Look, Meaning, Narrator, OneFrame, Palette, Teller, View, markdown, paint,
    },
};

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
    teller: Teller,
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

/// The table of who is connected, drawn over and over in one place.
#[derive(Default)]
struct Table {
    /// Rows of it that stand on the terminal now.
    drawn: usize,
    /// Where lines can't be drawn over: who was there last, for the end.
    last: Vec<trace::Peer>,
}

impl Screen {
    /// As the options and the surroundings ask.
    pub fn new(show: &Show, purpose: Purpose) -> Result<Screen> {
        let live = matches!(purpose, Purpose::Live | Purpose::Talk);
        let recorded = live || matches!(purpose, Purpose::Course | Purpose::File | Purpose::Check);
        if show.trace.is_some() && !recorded {
            bail!("--trace records a run: it goes with a lesson, tour, run or check");
        }
        let of_lessons =
            matches!(purpose, Purpose::Course | Purpose::File | Purpose::Check | Purpose::Replay);
        for (given, option) in [(&show.pcap, "--pcap"), (&show.transcript, "--transcript")] {
            if given.is_some() && !of_lessons {
                bail!("{option} records a lesson: it goes with a lesson, tour, run, check or replay");
            }
        }
        if show.pcap.is_some() && show.stage == Where::Loopback && purpose != Purpose::Replay {
            bail!("--pcap records the frames on the cable, and --stage loopback has none");
        }
        let walks = !live && !matches!(purpose, Purpose::Check | Purpose::Report);
        let view = match show.view {
            Shown::Story => View::Story,
            Shown::Ladder => View::Ladder,
            Shown::States => View::States,
        };
        if view != View::Story && !walks {
            bail!("--view shows a lesson: it goes with a lesson, tour, run or replay");
        }
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
            teller: Teller::new(look, view, show.depth.into()),
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
            told_to_end: if live { Some(told_to_end().context("can't listen to Ctrl-C")?) } else { None },
            // Enter ends a hold where there is a terminal; what is to be said may come from a file as well.
            lines: if purpose == Purpose::Talk || (purpose == Purpose::Live && io::stdin().is_terminal()) {
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
            // What belongs together is not torn apart, unless it is taller than the screen or only little stands there yet.
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

    /// Of a class, only the table of who is connected is shown.
    pub fn keep_table(&mut self) {
        self.table = Some(Table::default());
        self.follow("");
    }

    /// Of a class, only this connection is told.
    pub fn follow(&mut self, name: &str) {
        self.teller = Narrator::new(self.look).following(name).into();
    }

    /// The last table, to stay: where it was drawn all along, it has made room for what was said at the end.
    pub fn last_table(&mut self) {
        self.wipe_table();
        let Some(table) = self.table.take().filter(|table| !table.last.is_empty()) else { return };
        let most = if io::stdout().is_terminal() { table_rows() } else { usize::MAX };
        let lines = [vec![Line::blank()], view::class(&self.look, &table.last, most)].concat();
        self.print(&lines);
    }

    /// Takes the table away, so that something else can be written.
    fn wipe_table(&mut self) {
        if let Some(table) = &mut self.table
            && table.drawn > 0
        {
            let mut out = io::stdout().lock();
            let _ = write!(out, "\x1b[{}A\x1b[J", std::mem::take(&mut table.drawn));
        }
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

    /// Asks for a key below a line that says which there are. `None` if nobody can answer.
    fn ask(&mut self, prompt: &str) -> Option<Key> {
        let lines = markdown(&self.look, prompt);
        if self.broken.is_none() {
            let text = paint(&lines, self.palette);
            let mut out = io::stdout().lock();
            if let Err(error) = write!(out, "\n{}", text.trim_end()).and_then(|()| out.flush()) {
                self.broken = Some(error);
            }
        }
        let key = keys::key();
        self.wipe(&lines);
        self.filled = 0;
        match key {
            Ok(Key::Interrupt) => {
                self.interrupted = true;
                Some(Key::Quit)
            }
            Ok(key) => Some(key),
            Err(_) => None,
        }
    }

    /// The prompt makes room for what comes; where lines can't be wiped, it stays.
    fn wipe(&self, prompt: &[Line]) {
        let mut out = io::stdout().lock();
        let dumb =
            self.look.form() == Form::Linear || std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        if dumb {
            let _ = writeln!(out).and_then(|()| out.flush());
            return;
        }
        // The terminal may be narrower by now than when the prompt was set.
        let columns = crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns)).max(1);
        let rows: usize = prompt.iter().map(|line| line.width().div_ceil(columns).max(1)).sum();
        let _ = write!(out, "{}", "\r\x1b[2K\x1b[1A".repeat(rows)).and_then(|()| out.flush());
    }

    /// Asks whether to go on at a part where the lesson was left. True: there; false: from the beginning.
    pub fn ask_go_on(&mut self, text: &str) -> Option<bool> {
        self.say(text);
        let answer = loop {
            match self.ask("**Enter** go on there · **1** from the beginning · **q** leave") {
                Some(Key::Enter) => break Some(true),
                Some(Key::Number(1)) => break Some(false),
                Some(Key::Quit) | None => break None,
                _ => {}
            }
        };
        self.plain("");
        answer
    }

    fn turn_page(&mut self) {
        let page = std::mem::take(&mut self.page);
        if !page.is_empty() {
            self.pages.push(page);
        }
    }

    /// Shows the page so many steps back; 0 is the present one. Gives how far back that was.
    fn look_back(&mut self, steps: usize) -> usize {
        let steps = steps.min(self.pages.len().saturating_sub(1));
        let Some(page) = self.pages.len().checked_sub(1 + steps).and_then(|at| self.pages.get(at)).cloned()
        else {
            return 0;
        };
        let heading = match steps {
            0 => "*here again:*".to_owned(),
            1 => "*looking back, one step:*".to_owned(),
            steps => format!("*looking back, {steps} steps:*"),
        };
        self.plain("");
        self.say(&heading);
        self.print(&page);
        steps
    }

    /// The keys below a step, and the answer. `keys` says what else there is.
    fn ask_back(&mut self, keys: &str, back: &mut usize) -> Option<Key> {
        loop {
            let prompt = match (*back, self.pages.len()) {
                (0, 0 | 1) => keys.to_owned(),
                (0, _) => keys.replacen(" · ", " · **b** back · ", 1),
                _ => "**Enter** to the present · **b** further back · **q** leave".to_owned(),
            };
            match self.ask(&prompt)? {
                Key::Back => *back = self.look_back(*back + 1),
                Key::Enter if *back > 0 => *back = self.look_back(0),
                key => return Some(key),
            }
        }
    }

    /// Lets the person type what is to be done to the cable. `None` if they think better of it.
    fn type_wire(&mut self) -> Option<WireAct> {
        loop {
            self.prompt_line("wire$");
            let text = keys::whole_line().ok().flatten().filter(|text| !text.is_empty())?;
            self.filled = 0;
            match course::step(&format!("wire$ {}", text.trim_start_matches("wire$").trim_start())) {
                Ok(course::Step { what: course::Statement::Wire { act, .. }, .. }) => return Some(act),
                Ok(_) => {}
                Err(fault) => self.say(&format!("{}: {}.", fault.what, fault.expected)),
            }
        }
    }

    /// Takes a frame apart, field by field: the one of the number that is typed, or the newest.
    fn show_frame(&mut self) {
        let newest = self.frames.last().map_or(0, |event| match &event.what {
            What::Frame(frame) => frame.number,
            _ => 0,
        });
        self.prompt_line(&format!("frame [{newest}]"));
        let typed = keys::whole_line().ok().flatten().unwrap_or_default();
        self.filled = 0;
        let number = match typed.trim_start_matches('#').parse() {
            _ if typed.is_empty() => newest,
            Ok(number) => number,
            Err(_) => return self.say(&format!("Frames have numbers, up to {newest}.")),
        };
        let mut one = OneFrame::new(self.look, number, self.depth);
        let table = self.frames.iter().find_map(|event| one.take(event));
        match table {
            Some(lines) => self.print(&lines),
            None => self.say(&format!("There is no frame {number}: they go up to {newest}.")),
        }
    }

    /// A prompt behind which a line is typed.
    fn prompt_line(&self, text: &str) {
        let prompt = paint(&[self.look.line(text, Meaning::Key)], self.palette);
        let mut out = io::stdout().lock();
        let _ = write!(out, "\n{} ", prompt.trim_end()).and_then(|()| out.flush());
    }

    /// What the keys do here.
    fn help(&self) -> String {
        let mut help = "- **Enter**, space: the next step\n- **b**: look back at earlier steps\n".to_owned();
        if self.purpose != Purpose::Replay {
            help += "- **r**: run this part again, from its beginning\n- **1** to **9**: jump to that part\n";
            if self.on_cable {
                help += "- **w**: type something to do to the cable: hold, deliver, drop, duplicate, corrupt, reorder, delay 80ms, cut, mend\n";
            }
            if !self.frames.is_empty() {
                help += "- **f**: take a frame apart, field by field\n";
            }
        }
        help += match self.purpose {
            Purpose::Course => "- **q**: leave; the next start offers to go on here\n",
            _ => "- **q**: leave\n",
        };
        help + "- **?**: this list"
    }
}

/// So many frames of a lesson can be asked for.
const MOST_FRAMES: usize = 20_000;

/// What the keys do while a frame waits.
const PACKET_HELP: &str = "- **Enter**, space: the frame crosses (`wire$ deliver`)\n- **d**: it is taken off the cable (`wire$ drop`)\n- **t**: it crosses twice (`wire$ duplicate`)\n- **a**: all that wait cross\n- **w**: type something else to do to the cable: corrupt, reorder, delay 80ms, cut, mend\n- **f**: take a frame apart, field by field\n- **q**: all frames cross by themselves from here on, and the lesson is left at the end of this step\n- **?**: this list";

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

impl Audience for Screen {
    fn pause(&mut self) -> Go {
        self.settle();
        if self.broken.is_some() || std::mem::take(&mut self.leaving) {
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
        let replay = self.purpose == Purpose::Replay;
        let keys = if replay {
            "**Enter** next · **?** help · **q** leave"
        } else if self.on_cable {
            "**Enter** next · **r** again · **w** cable · **f** frame · **?** help · **q** leave"
        } else {
            "**Enter** next · **r** again · **?** help · **q** leave"
        };
        let mut back = 0;
        loop {
            match self.ask_back(keys, &mut back) {
                Some(Key::Enter) => return Go::On,
                Some(Key::Again) if !replay => return Go::Again,
                Some(Key::Number(part)) if !replay && part <= self.parts => return Go::Part(part),
                Some(Key::Number(_)) if !replay => {
                    self.say(&format!("This lesson has parts 1 to {}.", self.parts))
                }
                Some(Key::Wire) if self.on_cable => {
                    if let Some(act) = self.type_wire() {
                        return Go::Wire(act);
                    }
                }
                Some(Key::Frame) if !self.frames.is_empty() => self.show_frame(),
                Some(Key::Help) => self.say(&self.help()),
                Some(Key::Quit) | None => return Go::Leave,
                Some(_) => {}
            }
        }
    }

    fn steps_packets(&self) -> bool {
        self.packets
    }

    fn packet(&mut self, number: u64) -> Packet {
        self.settle();
        if self.broken.is_some() || self.leaving {
            return Packet::Leave;
        }
        match self.pace {
            Pace::Auto => return Packet::Deliver,
            Pace::Every(time) => {
                wait(time);
                return Packet::Deliver;
            }
            Pace::Step => {}
        }
        let keys = format!(
            "**Enter** lets #{number} across · **d** drops it · **t** twice · **a** all · **f** its bytes · **?** help · **q** leave"
        );
        loop {
            match self.ask(&keys) {
                Some(Key::Enter) => return Packet::Deliver,
                Some(Key::Drop) => return Packet::Drop,
                Some(Key::Twice) => return Packet::Duplicate,
                Some(Key::All) => return Packet::All,
                Some(Key::Wire) => {
                    if let Some(act) = self.type_wire() {
                        return Packet::Typed(act);
                    }
                }
                Some(Key::Frame) => self.show_frame(),
                Some(Key::Help) => self.say(PACKET_HELP),
                Some(Key::Quit) | None => {
                    // Asked for in the middle of a step: it is left at its end.
                    self.leaving = true;
                    return Packet::Leave;
                }
                Some(_) => {}
            }
        }
    }

    fn stopped(&mut self) -> bool {
        // With nobody left to tell it to, a live run has no purpose.
        if self.broken.is_none() && nobody_reads_stdout() {
            self.broken = Some(io::ErrorKind::BrokenPipe.into());
        }
        let unread = !self.narrates && self.records.failure().is_some();
        let told = self.told_to_end.as_ref().is_some_and(|told| told.load(Ordering::Acquire));
        self.broken.is_some() || unread || told
    }

    fn hear(&mut self, most: Duration) -> Heard {
        self.settle();
        match &self.lines {
            Some(lines) => {
                let heard = lines.next(most);
                if heard == Heard::End {
                    self.lines = None;
                }
                heard
            }
            None => {
                thread::park_timeout(most);
                Heard::Nothing
            }
        }
    }

    fn has_keyboard(&self) -> bool {
        self.lines.is_some()
    }

    fn settled(&mut self) {
        self.settle();
    }

    fn wants_table(&self) -> bool {
        self.table.is_some() && self.narrates
    }

    fn table(&mut self, peers: &[trace::Peer]) {
        let Some(table) = &mut self.table else { return };
        let can_draw = io::stdout().is_terminal()
            && self.look.form() == Form::Screen
            && std::env::var_os("TERM").is_some_and(|term| term != "dumb");
        if !can_draw {
            table.last = peers.to_vec();
            return;
        }
        let mut lines = vec![Line::blank()];
        lines.extend(view::class(&self.look, peers, table_rows()));
        self.write(&lines);
        if let Some(table) = &mut self.table {
            table.drawn = lines.len();
            table.last = peers.to_vec();
        }
    }

    fn predict(&mut self, question: &trace::Question) -> Prediction {
        self.settle();
        if std::mem::take(&mut self.leaving) {
            return Prediction::Instead(Go::Leave);
        }
        match self.pace {
            Pace::Auto => return Prediction::None,
            Pace::Every(time) => {
                wait(time);
                return Prediction::None;
            }
            Pace::Step => self.turn_page(),
        }
        let lines = self.teller.question(question);
        self.print(&lines);
        let last = question.options.len();
        let keys = format!("**1** to **{last}** your guess · **Enter** just show me · **q** leave");
        let mut back = 0;
        loop {
            match self.ask_back(&keys, &mut back) {
                Some(Key::Enter) => return Prediction::None,
                Some(Key::Number(option)) if option <= last => return Prediction::Option(option - 1),
                Some(Key::Number(_)) => self.say(&format!("The answers are 1 to {last}.")),
                Some(Key::Again) => return Prediction::Instead(Go::Again),
                Some(Key::Help) => self.say(&self.help()),
                Some(Key::Quit) | None => return Prediction::Instead(Go::Leave),
                Some(_) => {}
            }
        }
    }
}

/// Rows for the table of a class: what the terminal has, but for a line above and the cursor's.
fn table_rows() -> usize {
    terminal_rows().map_or(24, |rows| rows.saturating_sub(2).max(4))
}

/// Rows of the terminal; to be asked only of one.
fn terminal_rows() -> Option<usize> {
    crossterm::terminal::size().ok().map(|(_, rows)| usize::from(rows)).filter(|rows| *rows > 0)
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

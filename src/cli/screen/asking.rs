//! Keys: what a person is asked, and what the answers do.

use std::io::{self, Write};

use super::{Purpose, Screen};
use crate::{
    cli::keys::{self, Key},
    event::What,
    lesson::{self, WireAct},
    view::{Form, Line, Meaning, OneFrame, markdown, paint},
};

impl Screen {
    /// Asks for a key below a line that says which there are. `None` if nobody can answer.
    pub(super) fn ask(&mut self, prompt: &str) -> Option<Key> {
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
    pub(super) fn wipe(&self, prompt: &[Line]) {
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

    pub(super) fn turn_page(&mut self) {
        let page = std::mem::take(&mut self.page);
        if !page.is_empty() {
            self.pages.push(page);
        }
    }

    /// Shows the page so many steps back; 0 is the present one. Gives how far back that was.
    pub(super) fn look_back(&mut self, steps: usize) -> usize {
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
    pub(super) fn ask_back(&mut self, keys: &str, back: &mut usize) -> Option<Key> {
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
    pub(super) fn type_wire(&mut self) -> Option<WireAct> {
        loop {
            self.prompt_line("wire$");
            let text = keys::whole_line().ok().flatten().filter(|text| !text.is_empty())?;
            self.filled = 0;
            match lesson::step(&format!("wire$ {}", text.trim_start_matches("wire$").trim_start())) {
                Ok(lesson::Step { what: lesson::Statement::Wire { act, .. }, .. }) => return Some(act),
                Ok(_) => {}
                Err(fault) => self.say(&format!("{}: {}.", fault.what, fault.expected)),
            }
        }
    }

    /// Takes a frame apart, field by field: the one of the number that is typed, or the newest.
    pub(super) fn show_frame(&mut self) {
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
    pub(super) fn prompt_line(&self, text: &str) {
        let prompt = paint(&[self.look.line(text, Meaning::Key)], self.palette);
        let mut out = io::stdout().lock();
        let _ = write!(out, "\n{} ", prompt.trim_end()).and_then(|()| out.flush());
    }

    /// What the keys do here.
    pub(super) fn help(&self) -> String {
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

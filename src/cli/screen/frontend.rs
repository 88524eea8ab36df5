//! What a run asks of its audience: when to go on, what becomes of a frame, what is predicted.

use std::{
    io,
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use super::{Purpose, Screen};
use crate::{
    cli::{args::Pace, keys::Key},
    event,
    run::{Frontend, Input, NextAction, Packet, Prediction},
    stage::stdout_has_no_reader,
};

/// What the keys do while a frame waits.
const PACKET_HELP: &str = "- **Enter**, space: the frame crosses (`wire$ deliver`)\n- **d**: it is taken off the cable (`wire$ drop`)\n- **t**: it crosses twice (`wire$ duplicate`)\n- **a**: all that wait cross\n- **w**: type something else to do to the cable: corrupt, reorder, delay 80ms, cut, mend\n- **f**: take a frame apart, field by field\n- **q**: all frames cross by themselves from here on, and the lesson is left at the end of this step\n- **?**: this list";

impl Frontend for Screen {
    fn pause(&mut self) -> NextAction {
        self.settle();
        if self.broken.is_some() || std::mem::take(&mut self.leaving) {
            return NextAction::Leave;
        }
        match self.pace {
            Pace::Auto => return NextAction::On,
            Pace::Every(time) => {
                wait(time);
                return NextAction::On;
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
                Some(Key::Enter) => return NextAction::On,
                Some(Key::Again) if !replay => return NextAction::Again,
                Some(Key::Number(part)) if !replay && part <= self.parts => return NextAction::Part(part),
                Some(Key::Number(_)) if !replay => {
                    self.say(&format!("This lesson has parts 1 to {}.", self.parts))
                }
                Some(Key::Wire) if self.on_cable => {
                    if let Some(act) = self.type_wire() {
                        return NextAction::Wire(act);
                    }
                }
                Some(Key::Frame) if !self.frames.is_empty() => self.show_frame(),
                Some(Key::Help) => self.say(&self.help()),
                Some(Key::Quit) | None => return NextAction::Leave,
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
        if self.broken.is_none() && stdout_has_no_reader() {
            self.broken = Some(io::ErrorKind::BrokenPipe.into());
        }
        let unread = !self.narrates && self.records.failure().is_some();
        let told = self.told_to_end.as_ref().is_some_and(|told| told.load(Ordering::Acquire));
        self.broken.is_some() || unread || told
    }

    fn hear(&mut self, most: Duration) -> Input {
        self.settle();
        match &self.lines {
            Some(lines) => {
                let heard = lines.next(most);
                if heard == Input::End {
                    self.lines = None;
                }
                heard
            }
            None => {
                thread::park_timeout(most);
                Input::Nothing
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

    fn table(&mut self, peers: &[event::Peer]) {
        self.draw_table(peers);
    }

    fn predict(&mut self, question: &event::Question) -> Prediction {
        self.settle();
        if std::mem::take(&mut self.leaving) {
            return Prediction::Instead(NextAction::Leave);
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
                Some(Key::Again) => return Prediction::Instead(NextAction::Again),
                Some(Key::Help) => self.say(&self.help()),
                Some(Key::Quit) | None => return Prediction::Instead(NextAction::Leave),
                Some(_) => {}
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

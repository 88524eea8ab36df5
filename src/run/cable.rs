//! The cable of a run: writes its events, and performs what a lesson or a user does to it.

use std::{
    io,
    time::{Duration, Instant},
};

use super::{CLAIM_DEADLINE, Packet, Run, act, claim::Verdict};
use crate::{
    call::Completed,
    event::{self, Became, Host, What},
    lesson::{Step, Which, WireAct, WireClaim, WireWanted},
    stage::{self, CallHandle},
};

/// Time limit for a cable to become idle.
const SETTLED: Duration = Duration::from_millis(500);

/// Interval at which the cable is polled while a call is blocked.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

impl Run<'_> {
    /// Writes the cable's events since the last call. Returns whether there were any.
    pub(super) fn take_frames(&mut self) -> bool {
        let Some(cable) = self.stage.link() else { return false };
        let happened = cable.take_events();
        let any = !happened.is_empty();
        for happening in happened {
            self.journal.write_happening(happening);
        }
        if any {
            self.fold();
        }
        any
    }

    /// Drops a retransmission while the original frame is still held: the original stands for it. Where a
    /// user steps through the frames, every retransmission is dropped while any frame is held, because the
    /// held frame may be the answer that the retransmission asks for.
    fn fold(&mut self) {
        let steps = self.packets && !self.lesson_holds;
        let again = self.journal.frames.folded(steps);
        let Some(cable) = self.stage.link() else { return };
        for number in again {
            self.journal.folded.push(number);
            let _ = cable.drop(&stage::FrameSelector::number(number));
        }
        for happening in cable.take_events() {
            self.journal.write_happening(happening);
        }
    }

    /// Waits until no frame is in transit and no socket changes, and writes all events. Gives up after
    /// `SETTLED`.
    pub(super) fn settle(&mut self) {
        let until = Instant::now() + SETTLED;
        loop {
            let quiet = self.stage.link().is_none_or(stage::Cable::is_quiet);
            // Sockets are observed before frames, so that a frame can be assigned to a new socket.
            let changed = self.look();
            let more = self.take_frames();
            if (quiet && !changed && !more) || self.stage.link().is_none() || Instant::now() >= until {
                return;
            }
            act::breathe();
        }
    }

    /// `client$ sysctl net.ipv4.tcp_syn_retries 2`
    pub(super) fn sysctl(&mut self, step: &Step, host: Host, name: &str, value: &str) -> io::Result<()> {
        let setting = self.stage.set_sysctl(host, name, value)?;
        if let Some(why) = &setting.failed {
            self.write_check(format!("{} => ok", step.text), step.line, None, why.clone());
        }
        self.write_setting(setting);
        Ok(())
    }

    pub(super) fn write_setting(&mut self, setting: stage::Setting) {
        let stage::Setting { host, name, before, value, failed } = setting;
        self.journal.write(What::Setting(event::Setting { host, name, before, value, failed }));
    }

    /// `wire$ deliver SYN,ACK`
    pub(super) fn wire_act(&mut self, step: &Step, act: &WireAct, within: Option<u64>) -> io::Result<()> {
        let until = Instant::now() + within.map_or(CLAIM_DEADLINE, Duration::from_millis);
        self.lesson_holds = match act {
            WireAct::Hold => true,
            WireAct::Mend => false,
            _ => self.lesson_holds,
        };
        let done = self.do_wire(act, until)?;
        if let Err(why) = &done {
            self.write_check(format!("{} => ok", step.text), step.line, Some(false), why.clone());
        }
        self.write_wire(act.name(), done);
        self.collect_returned()?;
        self.settle();
        self.collect_returned()?;
        self.step_packets()
    }

    /// An act that the user types: `cut`, `delay 80ms`. It makes no claim.
    pub(super) fn wire_by_hand(&mut self, act: &WireAct) -> io::Result<()> {
        let done = self.do_wire(act, Instant::now())?;
        self.write_wire(act.name(), done);
        self.settle();
        self.collect_returned()
    }

    fn do_wire(&mut self, act: &WireAct, until: Instant) -> io::Result<Result<Vec<u64>, String>> {
        let name = act.name();
        let packets = self.packets;
        Ok(match act.which() {
            Some(which) => match self.chosen(which, until)? {
                Some(numbers) => self.do_to(name, &numbers),
                None => Err("no such frame came to the cable in that time".to_owned()),
            },
            None => self.stage.link().map_or_else(
                || Err("there is no cable".to_owned()),
                |cable| match act {
                    WireAct::Hold => Ok({
                        cable.hold();
                        Vec::new()
                    }),
                    WireAct::Reorder => cable.reorder().map_err(|error| error.to_string()),
                    WireAct::Delay(time) => Ok({
                        cable.delay(Duration::from_millis(*time));
                        Vec::new()
                    }),
                    WireAct::Cut => Ok({
                        cable.cut();
                        Vec::new()
                    }),
                    _ => Ok({
                        let crossed = cable.mend();
                        // Frames are still held for a user who steps through them.
                        if packets {
                            cable.hold();
                        }
                        crossed
                    }),
                },
            ),
        })
    }

    fn write_wire(&mut self, action: &str, done: Result<Vec<u64>, String>) {
        let (frames, failed) = match done {
            Ok(frames) => (frames, None),
            Err(why) => (Vec::new(), Some(why)),
        };
        self.journal.write(What::Wire(event::Wire { action: action.to_owned(), frames, failed }));
    }

    /// Performs the action on these frames, one after the other.
    fn do_to(&mut self, action: &str, numbers: &[u64]) -> Result<Vec<u64>, String> {
        let cable = self.stage.link().ok_or("there is no cable")?;
        let mut done = Vec::new();
        for number in numbers {
            let one = stage::FrameSelector::number(*number);
            done.extend(
                match action {
                    "deliver" => cable.deliver(&one),
                    "drop" => cable.drop(&one),
                    "duplicate" => cable.duplicate(&one),
                    _ => cable.corrupt(&one),
                }
                .map_err(|error| error.to_string())?,
            );
        }
        Ok(done)
    }

    /// Waits until `until` for the selected frames to be held. Returns `None` if they were not.
    fn chosen(&mut self, which: &Which, until: Instant) -> io::Result<Option<Vec<u64>>> {
        loop {
            self.collect_returned()?;
            self.take_frames();
            let frames = &self.journal.frames;
            let held: Vec<u64> = frames.held().map(|noted| noted.number).collect();
            let found = match which {
                Which::Oldest(number) => held.get(..*number).map(<[u64]>::to_vec),
                Which::All => Some(held).filter(|held| !held.is_empty()),
                Which::Like(pattern) => {
                    frames.held().find(|noted| frames.fits(noted, pattern)).map(|noted| vec![noted.number])
                }
            };
            if found.is_some() || Instant::now() >= until {
                return Ok(found);
            }
            match self.stage.link() {
                Some(cable) => drop(cable.wait_for_event(POLL_INTERVAL)),
                None => return Ok(None),
            }
        }
    }

    /// `check wire client>server SYN`
    pub(super) fn wire_claim(&mut self, step: &Step, claim: &WireClaim) -> io::Result<()> {
        let text = step.text.trim_start_matches("check ").to_owned();
        let elsewhere = |run: &Self| !claim.on.is_empty() && !claim.on.iter().any(|tag| run.stage.is(tag));
        let verdict = if self.stage.link().is_none() {
            Verdict { holds: None, observed: "no cable, so no frame is seen".to_owned() }
        } else if elsewhere(self) {
            Verdict { holds: None, observed: format!("said of {} only", claim.on.join(", ")) }
        } else {
            self.wait_for_wire(claim)?
        };
        self.write_check(text, step.line, verdict.holds, verdict.observed);
        Ok(())
    }

    fn wait_for_wire(&mut self, claim: &WireClaim) -> io::Result<Verdict> {
        let until = Instant::now() + claim.within.map_or(CLAIM_DEADLINE, Duration::from_millis);
        loop {
            self.collect_returned()?;
            if claim.still || claim.what == WireWanted::Quiet {
                self.settle();
                return Ok(self.judge_wire(claim));
            }
            self.look();
            self.take_frames();
            let verdict = self.judge_wire(claim);
            if verdict.holds == Some(true) || Instant::now() >= until {
                return Ok(verdict);
            }
            if let Some(cable) = self.stage.link() {
                cable.wait_for_event(POLL_INTERVAL);
            }
        }
    }

    fn judge_wire(&mut self, claim: &WireClaim) -> Verdict {
        let frames = &mut self.journal.frames;
        let (holds, observed) = match &claim.what {
            WireWanted::Frame(pattern) => match frames.find(frames.found, pattern) {
                Some(number) => {
                    frames.found = number;
                    (true, format!("frame {number}"))
                }
                None => (false, "no such frame came".to_owned()),
            },
            WireWanted::Quiet => match frames.newest() - frames.before.min(frames.newest()) {
                0 => (true, String::new()),
                1 => (false, "a frame came".to_owned()),
                more => (false, format!("{more} frames came")),
            },
            WireWanted::Held(compare, wanted) => {
                let held = i64::try_from(frames.held().count()).unwrap_or(i64::MAX);
                (compare.holds(&held, wanted), format!("held={held}"))
            }
        };
        Verdict { holds: Some(holds), observed }
    }

    /// Asks the user about each held frame, until no frame is held. Does nothing unless the user steps
    /// through the frames, or while the lesson holds them.
    pub(super) fn step_packets(&mut self) -> io::Result<()> {
        if !self.packets || self.lesson_holds {
            return Ok(());
        }
        loop {
            self.settle();
            let Some(number) = self.journal.frames.held().next().map(|noted| noted.number) else {
                return Ok(());
            };
            let action = match self.journal.frontend().packet(number) {
                Packet::Deliver => "deliver",
                Packet::Drop => "drop",
                Packet::Duplicate => "duplicate",
                Packet::All => {
                    let numbers: Vec<u64> = self.journal.frames.held().map(|noted| noted.number).collect();
                    let done = self.do_to("deliver", &numbers);
                    self.write_wire("deliver", done);
                    continue;
                }
                Packet::Typed(act) => {
                    self.wire_by_hand(&act)?;
                    continue;
                }
                Packet::Leave => {
                    self.packets = false;
                    let mended = self.stage.link().map(stage::Cable::mend).unwrap_or_default();
                    self.write_wire("mend", Ok(mended));
                    return Ok(());
                }
            };
            // The kernel may have retransmitted the frame while the user decided.
            self.take_frames();
            let done = self.do_to(action, &[number]);
            self.write_wire(action, done);
        }
    }

    /// Waits for a call to return while a user steps through the frames. The user's time does not count
    /// against `most`.
    pub(super) fn wait_stepping(
        &mut self,
        ticket: &CallHandle,
        most: Duration,
    ) -> io::Result<(Completed, bool)> {
        let mut waited = Duration::ZERO;
        while waited < most {
            self.step_packets()?;
            if let Some(done) = ticket.wait(POLL_INTERVAL)? {
                return Ok((done, false));
            }
            waited += POLL_INTERVAL;
        }
        Ok((ticket.interrupt()?, true))
    }
}

/// Converts a fate of the cable to a fate of the trace.
pub(super) fn fate_of(frame: u64, ns: u64, fate: stage::Fate) -> event::Fate {
    let (fate, delay_us, bit) = match fate {
        stage::Fate::Held => (Became::Held, None, None),
        stage::Fate::Delayed(time) => (Became::Delayed, u64::try_from(time.as_micros()).ok(), None),
        stage::Fate::Delivered => (Became::Delivered, None, None),
        stage::Fate::Duplicated => (Became::Duplicated, None, None),
        stage::Fate::Corrupted { bit } => (Became::Corrupted, None, Some(bit as u64)),
        stage::Fate::Dropped => (Became::Dropped, None, None),
        stage::Fate::Lost => (Became::Lost, None, None),
    };
    event::Fate { frame, ns, fate, delay_us, bit }
}

//! What the cable does with a frame: lets it cross, keeps it for a while, or loses it. No input or output here.

use std::{
    collections::VecDeque,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{CableEventKind, Fate, Frame, FrameSelector, Log};
use crate::event::Host;

/// The state of the cable.
#[derive(Debug)]
pub(super) struct LinkEmulator {
    /// What happened.
    pub log: Log,
    /// How many frames were sent.
    frames: u64,
    holding: bool,
    cut: bool,
    delay: Duration,
    held: Vec<Arc<Frame>>,
    /// Frames on their way and when they arrive, in that order.
    delayed: VecDeque<(Instant, Arc<Frame>)>,
}

/// What a frame does that has just been sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It crosses at once; this is its number. Its fate is not written down yet.
    Forward(u64),
    /// The line keeps it, or it is lost.
    Keep,
}

impl LinkEmulator {
    /// A plain cable.
    pub fn new() -> LinkEmulator {
        LinkEmulator {
            log: Log::new(),
            frames: 0,
            holding: false,
            cut: false,
            delay: Duration::ZERO,
            held: Vec::new(),
            delayed: VecDeque::new(),
        }
    }

    /// A host has sent a frame. It is copied only if somebody will want it later.
    pub fn accept_frame(&mut self, from: Host, at: Instant, bytes: &[u8]) -> Verdict {
        self.frames += 1;
        let number = self.frames;
        let waits = !self.cut && (self.holding || !self.delay.is_zero() || !self.delayed.is_empty());
        let frame =
            (waits || self.log.recording).then(|| Arc::new(Frame { number, from, bytes: bytes.to_vec() }));
        if let Some(frame) = &frame {
            self.log.write(at, CableEventKind::Sent { frame: Arc::clone(frame) });
        }
        match frame {
            _ if self.cut => self.log.fate(at, number, Fate::Lost),
            Some(frame) if self.holding => {
                self.log.fate(at, number, Fate::Held);
                self.held.push(frame);
            }
            Some(frame) if waits => {
                self.log.fate(at, number, Fate::Delayed(self.delay));
                // A cable keeps the order, also when it has just become shorter.
                let after = self.delayed.back().map(|(due, _)| *due);
                let due = at + self.delay;
                self.delayed.push_back((after.map_or(due, |after| due.max(after)), frame));
            }
            _ => return Verdict::Forward(number),
        }
        Verdict::Keep
    }

    /// The next frame whose time on the cable is over.
    pub fn pop_due(&mut self, now: Instant) -> Option<Arc<Frame>> {
        let due = self.delayed.front().is_some_and(|(due, _)| *due <= now);
        due.then(|| self.delayed.pop_front()).flatten().map(|(_, frame)| frame)
    }

    /// When the next frame arrives at the other end.
    pub fn next_due(&self) -> Option<Instant> {
        self.delayed.front().map(|(due, _)| *due)
    }

    /// Every frame waits from now on.
    pub fn hold(&mut self) {
        self.holding = true;
    }

    /// Frames take so long from now on.
    pub fn delay(&mut self, delay: Duration) {
        self.delay = delay;
    }

    /// What is sent is lost from now on.
    pub fn cut(&mut self) {
        self.cut = true;
    }

    /// Whether it is cut.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// As new. Gives what was on it, in the order in which it was sent.
    pub fn mend(&mut self) -> Vec<Arc<Frame>> {
        self.holding = false;
        self.cut = false;
        self.delay = Duration::ZERO;
        let mut frames = mem::take(&mut self.held);
        frames.extend(self.delayed.drain(..).map(|(_, frame)| frame));
        frames.sort_by_key(|frame| frame.number);
        frames
    }

    /// What is held, oldest first.
    pub fn held(&self) -> &[Arc<Frame>] {
        &self.held
    }

    /// Takes frames off the cable, oldest first.
    pub fn take(&mut self, which: &FrameSelector) -> Vec<Arc<Frame>> {
        let chosen = which.choose(&self.held);
        self.held.retain(|frame| !chosen.iter().any(|one| one.number == frame.number));
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; 3] = [1, 2, 3];

    fn numbers(frames: &[Arc<Frame>]) -> Vec<u64> {
        frames.iter().map(|frame| frame.number).collect()
    }

    #[test]
    fn a_plain_cable_lets_all_cross() {
        let mut line = LinkEmulator::new();
        assert_eq!(line.accept_frame(Host::Client, Instant::now(), &BYTES), Verdict::Forward(1));
        assert_eq!(line.accept_frame(Host::Server, Instant::now(), &BYTES), Verdict::Forward(2));
        assert_eq!(line.log.take().len(), 2);
    }

    #[test]
    fn a_held_frame_waits_and_mending_gives_all_in_order() {
        let mut line = LinkEmulator::new();
        let now = Instant::now();
        line.delay(Duration::from_millis(5));
        assert_eq!(line.accept_frame(Host::Client, now, &BYTES), Verdict::Keep);
        line.hold();
        line.accept_frame(Host::Server, now, &BYTES);
        line.accept_frame(Host::Client, now, &BYTES);
        assert_eq!(numbers(line.held()), [2, 3]);
        assert_eq!(numbers(&line.take(&FrameSelector::from(Host::Client))), [3]);
        assert_eq!(numbers(&line.mend()), [1, 2]);
        assert!(line.next_due().is_none());
        assert_eq!(line.accept_frame(Host::Client, now, &BYTES), Verdict::Forward(4));
    }

    #[test]
    fn a_shorter_delay_lets_nobody_overtake() {
        let mut line = LinkEmulator::new();
        let now = Instant::now();
        line.delay(Duration::from_millis(50));
        line.accept_frame(Host::Client, now, &BYTES);
        line.delay(Duration::ZERO);
        assert_eq!(line.accept_frame(Host::Client, now, &BYTES), Verdict::Keep);
        assert!(line.pop_due(now).is_none());
        let later = now + Duration::from_millis(50);
        assert_eq!(line.pop_due(later).map(|frame| frame.number), Some(1));
        assert_eq!(line.pop_due(later).map(|frame| frame.number), Some(2));
        assert!(line.pop_due(later).is_none());
    }

    #[test]
    fn a_cut_cable_loses_what_is_sent() {
        let mut line = LinkEmulator::new();
        line.hold();
        line.cut();
        assert_eq!(line.accept_frame(Host::Client, Instant::now(), &BYTES), Verdict::Keep);
        assert!(line.held().is_empty());
        assert!(matches!(line.log.take()[1].kind, CableEventKind::Fate { frame: 1, fate: Fate::Lost }));
    }
}

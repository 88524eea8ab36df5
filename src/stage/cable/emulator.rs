//! The emulated link: decides whether a frame crosses, is held, is delayed or is lost, as netem does. It
//! performs no I/O.

use std::{
    collections::VecDeque,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{CableEventKind, Fate, Frame, FrameSelector, Log};
use crate::event::Host;

/// The state of the link.
#[derive(Debug)]
pub(super) struct LinkEmulator {
    /// The cable's events.
    pub log: Log,
    /// Number of frames that the hosts sent.
    frames: u64,
    holding: bool,
    cut: bool,
    delay: Duration,
    held: Vec<Arc<Frame>>,
    /// Delayed frames with the times of their arrival, in that order.
    delayed: VecDeque<(Instant, Arc<Frame>)>,
}

/// What happens to a frame that was just sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It crosses at once. This is its number; its fate is not logged yet.
    Forward(u64),
    /// It is held, delayed or lost.
    Keep,
}

impl LinkEmulator {
    /// A link that lets every frame cross.
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

    /// Takes a frame that a host sent. Copies it only if it stays on the link or is logged.
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
                // Frames stay in order, even if the delay was just reduced.
                let after = self.delayed.back().map(|(due, _)| *due);
                let due = at + self.delay;
                self.delayed.push_back((after.map_or(due, |after| due.max(after)), frame));
            }
            _ => return Verdict::Forward(number),
        }
        Verdict::Keep
    }

    /// Removes the next delayed frame whose time of arrival is `now` or before.
    pub fn pop_due(&mut self, now: Instant) -> Option<Arc<Frame>> {
        let due = self.delayed.front().is_some_and(|(due, _)| *due <= now);
        due.then(|| self.delayed.pop_front()).flatten().map(|(_, frame)| frame)
    }

    /// Time of arrival of the next delayed frame.
    pub fn next_due(&self) -> Option<Instant> {
        self.delayed.front().map(|(due, _)| *due)
    }

    /// Holds every frame that is sent from now on.
    pub fn hold(&mut self) {
        self.holding = true;
    }

    /// Delays every frame that is sent from now on.
    pub fn delay(&mut self, delay: Duration) {
        self.delay = delay;
    }

    /// Loses every frame that is sent from now on.
    pub fn cut(&mut self) {
        self.cut = true;
    }

    /// Whether the link is cut.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Ends holding, cutting and delaying. Returns the frames on the link, in the order of sending.
    pub fn mend(&mut self) -> Vec<Arc<Frame>> {
        self.holding = false;
        self.cut = false;
        self.delay = Duration::ZERO;
        let mut frames = mem::take(&mut self.held);
        frames.extend(self.delayed.drain(..).map(|(_, frame)| frame));
        frames.sort_by_key(|frame| frame.number);
        frames
    }

    /// The held frames, oldest first.
    pub fn held(&self) -> &[Arc<Frame>] {
        &self.held
    }

    /// Removes held frames from the link, and returns them, oldest first.
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
        let mut link = LinkEmulator::new();
        assert_eq!(link.accept_frame(Host::Client, Instant::now(), &BYTES), Verdict::Forward(1));
        assert_eq!(link.accept_frame(Host::Server, Instant::now(), &BYTES), Verdict::Forward(2));
        assert_eq!(link.log.take().len(), 2);
    }

    #[test]
    fn a_held_frame_waits_and_mending_gives_all_in_order() {
        let mut link = LinkEmulator::new();
        let now = Instant::now();
        link.delay(Duration::from_millis(5));
        assert_eq!(link.accept_frame(Host::Client, now, &BYTES), Verdict::Keep);
        link.hold();
        link.accept_frame(Host::Server, now, &BYTES);
        link.accept_frame(Host::Client, now, &BYTES);
        assert_eq!(numbers(link.held()), [2, 3]);
        assert_eq!(numbers(&link.take(&FrameSelector::from(Host::Client))), [3]);
        assert_eq!(numbers(&link.mend()), [1, 2]);
        assert!(link.next_due().is_none());
        assert_eq!(link.accept_frame(Host::Client, now, &BYTES), Verdict::Forward(4));
    }

    #[test]
    fn a_shorter_delay_lets_nobody_overtake() {
        let mut link = LinkEmulator::new();
        let now = Instant::now();
        link.delay(Duration::from_millis(50));
        link.accept_frame(Host::Client, now, &BYTES);
        link.delay(Duration::ZERO);
        assert_eq!(link.accept_frame(Host::Client, now, &BYTES), Verdict::Keep);
        assert!(link.pop_due(now).is_none());
        let later = now + Duration::from_millis(50);
        assert_eq!(link.pop_due(later).map(|frame| frame.number), Some(1));
        assert_eq!(link.pop_due(later).map(|frame| frame.number), Some(2));
        assert!(link.pop_due(later).is_none());
    }

    #[test]
    fn a_cut_cable_loses_what_is_sent() {
        let mut link = LinkEmulator::new();
        link.hold();
        link.cut();
        assert_eq!(link.accept_frame(Host::Client, Instant::now(), &BYTES), Verdict::Keep);
        assert!(link.held().is_empty());
        assert!(matches!(link.log.take()[1].kind, CableEventKind::Fate { frame: 1, fate: Fate::Lost }));
    }
}

//! The cable's events, in order, until the run takes them. The log is bounded, and reports what did not fit.

use std::{mem, sync::Arc, time::Instant};

use super::{Fate, Frame};

/// Size of the log, in bytes. Events that do not fit are dropped and counted.
const MAX_LOG_SIZE: usize = 64 << 20;

/// Approximate size of an entry without the bytes of its frame, in bytes.
const ENTRY_OVERHEAD: usize = 96;

/// An event on the cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CableEvent {
    /// Its time. Never before that of the previous event.
    pub at: Instant,
    /// What happened.
    pub kind: CableEventKind,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CableEventKind {
    /// A host sent a frame.
    Sent {
        /// The frame.
        frame: Arc<Frame>,
    },
    /// The fate of a frame was decided.
    Fate {
        /// The frame's number.
        frame: u64,
        /// Its fate.
        fate: Fate,
    },
    /// The hosts sent faster than the cable could receive. The lost frames have no numbers.
    Overrun {
        /// Number of lost frames.
        frames: u64,
    },
    /// The log was full. Later events are not in it.
    LogOverflow {
        /// Number of dropped events.
        events: u64,
        /// Bytes of the frames among them.
        bytes: u64,
    },
}

/// The log.
#[derive(Debug)]
pub(super) struct Log {
    entries: Vec<CableEvent>,
    /// Approximate size of the entries, in bytes.
    size: usize,
    max_size: usize,
    /// Dropped events, and the bytes of their frames.
    overflow: (u64, u64),
    latest: Instant,
    /// Whether events are recorded.
    pub recording: bool,
}

impl Log {
    /// An empty log, which records.
    pub fn new() -> Log {
        Log {
            entries: Vec::new(),
            size: 0,
            max_size: MAX_LOG_SIZE,
            overflow: (0, 0),
            latest: Instant::now(),
            recording: true,
        }
    }

    /// Records the fate of a frame.
    pub fn fate(&mut self, at: Instant, frame: u64, fate: Fate) {
        self.write(at, CableEventKind::Fate { frame, fate });
    }

    /// Records an event.
    pub fn write(&mut self, at: Instant, kind: CableEventKind) {
        if !self.recording {
            return;
        }
        self.latest = self.latest.max(at);
        let bytes = if let CableEventKind::Sent { frame } = &kind { frame.bytes.len() } else { 0 };
        if self.overflow.0 > 0 || self.size + bytes + ENTRY_OVERHEAD > self.max_size {
            self.overflow = (self.overflow.0 + 1, self.overflow.1 + bytes as u64);
            return;
        }
        self.size += bytes + ENTRY_OVERHEAD;
        self.entries.push(CableEvent { at: self.latest, kind });
    }

    /// Empties the log and returns its events.
    pub fn take(&mut self) -> Vec<CableEvent> {
        self.size = 0;
        let (events, bytes) = mem::take(&mut self.overflow);
        if events > 0 {
            let kind = CableEventKind::LogOverflow { events, bytes };
            self.entries.push(CableEvent { at: self.latest, kind });
        }
        mem::take(&mut self.entries)
    }

    /// Whether the log has no events.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::Host;

    fn seen(number: u64) -> CableEventKind {
        CableEventKind::Sent { frame: Arc::new(Frame { number, from: Host::Client, bytes: vec![0; 100] }) }
    }

    #[test]
    fn a_full_log_keeps_its_beginning_and_counts_the_rest() {
        let mut log = Log { max_size: 2 * (100 + ENTRY_OVERHEAD), ..Log::new() };
        let now = Instant::now();
        (1..=5).for_each(|number| log.write(now, seen(number)));
        log.fate(now, 1, Fate::Held);
        let taken = log.take();
        assert_eq!(taken.len(), 3);
        assert_eq!(taken[2].kind, CableEventKind::LogOverflow { events: 4, bytes: 300 });
        log.write(now, seen(6));
        assert_eq!(log.take().len(), 1, "it begins anew");
        assert!(log.is_empty());
    }

    #[test]
    fn time_never_goes_back() {
        let mut log = Log::new();
        let now = Instant::now() + Duration::from_secs(1);
        log.fate(now, 1, Fate::Held);
        log.fate(now.checked_sub(Duration::from_millis(5)).unwrap(), 2, Fate::Held);
        assert_eq!(log.take()[1].at, now);
    }

    #[test]
    fn nothing_is_written_while_nobody_records() {
        let mut log = Log { recording: false, ..Log::new() };
        log.write(Instant::now(), seen(1));
        assert!(log.take().is_empty());
    }
}

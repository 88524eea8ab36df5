//! What happened on the cable, in order, until somebody takes it; bounded, and open about what did not fit.

use std::{mem, sync::Arc, time::Instant};

use super::{Fate, Frame};

/// Memory for what nobody has taken yet, in bytes.
const MAX_LOG_SIZE: usize = 64 << 20;

/// What an entry costs beside the bytes of its frame, about.
const ENTRY_OVERHEAD: usize = 96;

/// Something that happened on the cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CableEvent {
    /// When. Never before the one in front of it.
    pub at: Instant,
    /// What.
    pub kind: CableEventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CableEventKind {
    /// A host sent a frame.
    Sent {
        /// The frame.
        frame: Arc<Frame>,
    },
    /// Something became of a frame.
    Fate {
        /// Its number.
        frame: u64,
        /// What.
        fate: Fate,
    },
    /// Hosts sent faster than the cable could take: so many frames were lost before they had a number.
    Overrun {
        /// How many.
        frames: u64,
    },
    /// Nobody took the log, and it was full: what came from here on is not in it.
    LogOverflow {
        /// Entries.
        events: u64,
        /// Bytes of the frames among them.
        bytes: u64,
    },
}

/// The log.
#[derive(Debug)]
pub(super) struct Log {
    entries: Vec<CableEvent>,
    /// About how much memory the entries take, in bytes.
    size: usize,
    max_size: usize,
    overflow: (u64, u64),
    latest: Instant,
    /// Whether anything is written down.
    pub recording: bool,
}

impl Log {
    /// An empty log that writes all down.
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

    /// Writes down a fate.
    pub fn fate(&mut self, at: Instant, frame: u64, fate: Fate) {
        self.write(at, CableEventKind::Fate { frame, fate });
    }

    /// Writes down anything.
    pub fn write(&mut self, at: Instant, what: CableEventKind) {
        if !self.recording {
            return;
        }
        self.latest = self.latest.max(at);
        let bytes = if let CableEventKind::Sent { frame } = &what { frame.bytes.len() } else { 0 };
        if self.overflow.0 > 0 || self.size + bytes + ENTRY_OVERHEAD > self.max_size {
            self.overflow = (self.overflow.0 + 1, self.overflow.1 + bytes as u64);
            return;
        }
        self.size += bytes + ENTRY_OVERHEAD;
        self.entries.push(CableEvent { at: self.latest, kind: what });
    }

    /// Takes all entries out.
    pub fn take(&mut self) -> Vec<CableEvent> {
        self.size = 0;
        let (happenings, bytes) = mem::take(&mut self.overflow);
        if happenings > 0 {
            self.entries.push(CableEvent {
                at: self.latest,
                kind: CableEventKind::LogOverflow { events: happenings, bytes },
            });
        }
        mem::take(&mut self.entries)
    }

    /// Whether there is nothing to take.
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

//! What is told of waits here, within bounds: who writes never waits, and what does not fit is left out and counted.
//!
//! Each read says where in its stream it begins, so that whoever reads the tape sees what is missing.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{End, News};
use crate::sync::{lock, wait_timeout};

/// Bytes of reads that may wait.
const MOST_BYTES: usize = 8 << 20;

/// Reads that may wait.
const MOST_READS: usize = 16 << 10;

/// With so many other things waiting, a connection that comes now is not told of at all.
const MOST_OTHERS: usize = 16 << 10;

/// Of a read that nobody takes apart so many bytes are kept.
pub(super) const GLIMPSE: usize = 256;

/// Something that happened on a connection, counted from 1, so long after the tap began.
pub(super) type Entry = (u64, Duration, News);

/// The tape.
pub(super) struct Tape {
    began: Instant,
    /// Reads are told too; else only how connections come and go.
    reads: bool,
    /// All bytes of all reads are wanted.
    whole: bool,
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// Connections of which nothing was told.
    untold: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    bytes: usize,
    reads: usize,
    /// Somebody waits for entries.
    asleep: bool,
}

impl Tape {
    /// An empty tape.
    pub fn new(began: Instant, reads: bool, whole: bool) -> Tape {
        let (waiting, changed) = (Mutex::default(), Condvar::new());
        Tape { began, reads, whole, waiting, changed, untold: AtomicU64::new(0) }
    }

    /// What writes of this connection. If far too much waits already, it writes nothing, and the connection is counted.
    pub fn pen(self: &Arc<Tape>, connection: u64) -> Arc<Pen> {
        let waiting = self.waiting();
        let told = waiting.entries.len() - waiting.reads < MOST_OTHERS;
        drop(waiting);
        if !told {
            self.untold.fetch_add(1, Ordering::Relaxed);
        }
        Arc::new(Pen {
            tape: Arc::clone(self),
            connection,
            told,
            glimpse: [const { AtomicBool::new(false) }; 2],
            sums: Default::default(),
        })
    }

    /// All that waits; if there is nothing, what comes within `most`.
    pub fn take(&self, most: Duration) -> VecDeque<Entry> {
        let mut waiting = self.waiting();
        if waiting.entries.is_empty() {
            waiting.asleep = true;
            let woken = wait_timeout(&self.changed, waiting, most);
            waiting = woken;
            waiting.asleep = false;
        }
        (waiting.bytes, waiting.reads) = (0, 0);
        std::mem::take(&mut waiting.entries)
    }

    /// Connections of which nothing was told, as too much waited.
    pub fn untold(&self) -> u64 {
        self.untold.load(Ordering::Relaxed)
    }

    fn wake(&self) {
        let mut waiting = self.waiting();
        if !waiting.entries.is_empty() && std::mem::take(&mut waiting.asleep) {
            self.changed.notify_one();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.waiting)
    }
}

/// What an end has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many reads gave something.
    pub reads: u64,
    /// And how many bytes.
    pub bytes: u64,
}

/// What writes of one connection.
pub(super) struct Pen {
    tape: Arc<Tape>,
    connection: u64,
    told: bool,
    /// Of reads from this end a glimpse is enough.
    glimpse: [AtomicBool; 2],
    sums: [(AtomicU64, AtomicU64); 2],
}

impl Pen {
    /// A read from this end gave these bytes. Wakes nobody: see [`Pen::wake`].
    pub fn read(&self, from: End, bytes: &[u8]) {
        let (reads, sum) = &self.sums[from.index()];
        let number = reads.fetch_add(1, Ordering::Relaxed);
        let offset = sum.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if !self.tape.reads || !self.told {
            return;
        }
        let glimpse = !self.tape.whole && self.glimpse[from.index()].load(Ordering::Relaxed);
        let kept = if glimpse { &bytes[..bytes.len().min(GLIMPSE)] } else { bytes };
        let at = self.tape.began.elapsed();
        let room = |waiting: &Waiting| waiting.bytes + kept.len() <= MOST_BYTES && waiting.reads < MOST_READS;
        if !room(&self.tape.waiting()) {
            return;
        }
        // Copied without the lock: the other threads of the tap would wait for it.
        let news = News::Read { from, number, offset, length: bytes.len(), bytes: kept.to_vec() };
        let mut waiting = self.tape.waiting();
        waiting.bytes += kept.len();
        waiting.reads += 1;
        waiting.entries.push_back((self.connection, at, news));
    }

    /// Whoever reads the tape may go on.
    pub fn wake(&self) {
        if self.tape.reads && self.told {
            self.tape.wake();
        }
    }

    /// Something else happened.
    pub fn note(&self, news: News) {
        if self.told {
            let at = self.tape.began.elapsed();
            self.tape.waiting().entries.push_back((self.connection, at, news));
            self.tape.wake();
        }
    }

    /// Of what this end sends, nobody takes anything apart any more.
    pub fn glimpses(&self, from: End) {
        self.glimpse[from.index()].store(true, Ordering::Relaxed);
    }

    /// What both ends have sent: the client, the server.
    pub fn sums(&self) -> [Sum; 2] {
        [0, 1].map(|end| {
            let (reads, bytes) = &self.sums[end];
            Sum { reads: reads.load(Ordering::Relaxed), bytes: bytes.load(Ordering::Relaxed) }
        })
    }
}

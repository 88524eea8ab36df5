//! A bounded queue of events. Writing never blocks; events that do not fit are dropped and counted.
//!
//! Each read says where in its stream it begins, so that the reader of the queue sees what is missing.
//! Nothing goes back from that reader to the threads that write.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::News;
use crate::{
    analysis::conversation::begins_known,
    event::{Host, Sum},
    sync::{lock, wait_timeout},
};

/// Bytes of reads that may wait; further reads are dropped.
const MAX_BYTES: usize = 8 << 20;

/// Reads that may wait; further ones are dropped.
const MAX_READS: usize = 16 << 10;

/// Other entries that may wait; a connection that begins with more of them waiting is not reported at all.
const MAX_OTHERS: usize = 16 << 10;

/// Bytes that are kept of a read of an unknown protocol, which is not analysed.
const PREVIEW: usize = 256;

/// The number of a connection, from 1; the time since the tap began; what happened.
pub(super) type Entry = (u64, Duration, News);

/// The queue.
pub(super) struct EventQueue {
    began: Instant,
    /// Reads are wanted too; else only how connections come and go.
    reads: bool,
    /// All bytes of all reads are wanted.
    whole: bool,
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// Connections of which nothing was reported.
    unreported: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    bytes: usize,
    reads: usize,
    /// Somebody waits for entries.
    asleep: bool,
}

impl EventQueue {
    /// An empty queue.
    pub fn new(began: Instant, reads: bool, whole: bool) -> EventQueue {
        let (waiting, changed) = (Mutex::default(), Condvar::new());
        EventQueue { began, reads, whole, waiting, changed, unreported: AtomicU64::new(0) }
    }

    /// What writes of this connection. If far too much waits already, it writes nothing, and the connection
    /// is counted.
    pub fn producer(self: &Arc<EventQueue>, connection: u64) -> Arc<Producer> {
        let waiting = self.waiting();
        let reported = waiting.entries.len() - waiting.reads < MAX_OTHERS;
        drop(waiting);
        if !reported {
            self.unreported.fetch_add(1, Ordering::Relaxed);
        }
        Arc::new(Producer {
            queue: Arc::clone(self),
            connection,
            reported,
            unknown: AtomicBool::new(false),
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

    /// Connections of which nothing was reported, as too much waited.
    pub fn unreported(&self) -> u64 {
        self.unreported.load(Ordering::Relaxed)
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

/// Writes the entries of one connection.
pub(super) struct Producer {
    queue: Arc<EventQueue>,
    connection: u64,
    reported: bool,
    /// The streams are of a protocol that the analysis does not know, by their first bytes: a preview is
    /// enough.
    unknown: AtomicBool,
    sums: [(AtomicU64, AtomicU64); 2],
}

impl Producer {
    /// Queues a read from this end. Does not wake the consumer: see [`Producer::wake`].
    pub fn read(&self, from: Host, bytes: &[u8]) {
        let (reads, sum) = &self.sums[from.index()];
        let number = reads.fetch_add(1, Ordering::Relaxed);
        let offset = sum.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if !self.queue.reads || !self.reported {
            return;
        }
        if offset == 0 && !begins_known(bytes) {
            self.unknown.store(true, Ordering::Relaxed);
        }
        let preview = !self.queue.whole && self.unknown.load(Ordering::Relaxed);
        let kept = if preview { &bytes[..bytes.len().min(PREVIEW)] } else { bytes };
        let at = self.queue.began.elapsed();
        let room = |waiting: &Waiting| waiting.bytes + kept.len() <= MAX_BYTES && waiting.reads < MAX_READS;
        if !room(&self.queue.waiting()) {
            return;
        }
        // Copied without the lock: the other threads of the tap would wait for it.
        let news = News::Read { from, number, offset, length: bytes.len(), bytes: kept.to_vec() };
        let mut waiting = self.queue.waiting();
        waiting.bytes += kept.len();
        waiting.reads += 1;
        waiting.entries.push_back((self.connection, at, news));
    }

    /// Wakes the thread that takes entries out of the queue. Does nothing where reads are not reported.
    pub fn wake(&self) {
        if self.queue.reads && self.reported {
            self.queue.wake();
        }
    }

    /// Queues any other event, and wakes the consumer.
    pub fn note(&self, news: News) {
        if self.reported {
            let at = self.queue.began.elapsed();
            self.queue.waiting().entries.push_back((self.connection, at, news));
            self.queue.wake();
        }
    }

    /// What both ends have sent: the client, the server.
    pub fn sums(&self) -> [Sum; 2] {
        [0, 1].map(|end| {
            let (reads, bytes) = &self.sums[end];
            Sum { reads: reads.load(Ordering::Relaxed), bytes: bytes.load(Ordering::Relaxed) }
        })
    }
}

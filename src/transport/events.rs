//! What an end tells of itself: what happened, at which layer, which way it went, and when.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    time::{Duration, Instant},
};

/// So much may wait to be told; what comes beyond that is counted and left out, so that no end waits for a terminal.
const WAITING: usize = 4096;

/// So many bytes of what crossed are kept, to be shown.
const KEPT: usize = 512;

/// What no layer did, but the person: what is said and heard.
pub const WORDS: &str = "";

/// Which way something went, as the end sees it that tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the other end.
    Sent,
    /// From the other end.
    Received,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// There is a connection with this peer.
    Connected(String),
    /// A layer is ready: its handshake is done, a session is open. In words.
    Opened(String),
    /// A unit of a layer crossed: `request`, `response`, `text frame`, `event`. What it says of itself may follow its name.
    Unit {
        /// Which way.
        way: Way,
        /// What it is.
        what: String,
        /// How many bytes.
        length: usize,
        /// The first of them.
        bytes: Vec<u8>,
    },
    /// A message of the person's, or of the other person's, crossed: what all the layers are for.
    Message {
        /// Which way.
        way: Way,
        /// How many bytes.
        length: usize,
        /// The first of them.
        bytes: Vec<u8>,
    },
    /// The other end has said that it has got something.
    Acknowledged(String),
    /// A sign of life: `ping`, `pong`, `comment`, `EOL`.
    Beat {
        /// Which way.
        way: Way,
        /// What it is.
        what: String,
    },
    /// Somebody was not let in, or not served, in words.
    Refused(String),
    /// A rule was broken, or a limit passed, in words.
    Broken(String),
    /// The connection was cut: after this time it is called again, for the `attempt`th time.
    Reconnecting {
        /// Counted from 1.
        attempt: u32,
        /// How long is waited before.
        after: Duration,
    },
    /// The end.
    Ended {
        /// As the protocol wants it.
        orderly: bool,
        /// In words.
        why: String,
    },
    /// Anything else, in words.
    Note(String),
}

impl Happened {
    /// A unit of a layer.
    pub fn unit(way: Way, what: impl Into<String>, bytes: &[u8]) -> Happened {
        Happened::unit_of(way, what, &[bytes])
    }

    /// A unit of a layer that is in pieces.
    pub fn unit_of(way: Way, what: impl Into<String>, pieces: &[&[u8]]) -> Happened {
        let length = pieces.iter().map(|piece| piece.len()).sum();
        let bytes = pieces.iter().flat_map(|piece| piece.iter().copied()).take(KEPT).collect();
        Happened::Unit { way, what: what.into(), length, bytes }
    }

    /// A message.
    pub fn message(way: Way, bytes: &[u8]) -> Happened {
        let (length, bytes) = (bytes.len(), bytes[..bytes.len().min(KEPT)].to_vec());
        Happened::Message { way, length, bytes }
    }

    /// A sign of life.
    pub fn beat(way: Way, what: impl Into<String>) -> Happened {
        Happened::Beat { way, what: what.into() }
    }
}

/// What happened, where and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// When.
    pub at: Instant,
    /// On which connection, counted from 1; 0 is none of them.
    pub number: u64,
    /// In which layer, by its name: `TCP`, `HTTP`, `WebSocket`, `STOMP`.
    pub layer: &'static str,
    /// What.
    pub what: Happened,
}

/// Tells. Each thread of an end has one.
#[derive(Debug, Clone)]
pub struct Reporter {
    to: SyncSender<News>,
    lost: Arc<AtomicU64>,
    lines: Arc<AtomicU64>,
}

impl Reporter {
    /// A reporter, and where its news come out.
    pub fn new() -> (Reporter, Receiver<News>) {
        let (to, told) = mpsc::sync_channel(WAITING);
        (Reporter { to, lost: Arc::default(), lines: Arc::default() }, told)
    }

    /// Tells that this happened just now. Never waits: what nobody can take now is counted.
    pub fn tell(&self, number: u64, layer: &'static str, what: Happened) {
        if self.to.try_send(News { at: Instant::now(), number, layer, what }).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The number of the next connection of ours.
    pub(super) fn next_connection(&self) -> u64 {
        self.lines.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How much was left out.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_news_to_be_read() {
        let (reporter, told) = Reporter::new();
        for number in 0..5000 {
            reporter.tell(number, "TCP", Happened::Note(String::new()));
        }
        assert_eq!((told.try_iter().count() as u64, reporter.lost()), (4096, 904));
    }

    #[test]
    fn of_much_only_the_beginning_is_kept() {
        match Happened::message(Way::Sent, &[b'x'; 100_000]) {
            Happened::Message { length, bytes, .. } => assert_eq!((length, bytes.len()), (100_000, 512)),
            other => panic!("{other:?}"),
        }
    }
}

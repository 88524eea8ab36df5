//! The events that a client or server reports: what happened, in which layer, in which direction, and when.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    time::{Duration, Instant},
};

/// Events that may wait in the channel. Events beyond that are dropped and counted, so that no end waits for
/// a terminal.
const WAITING: usize = 4096;

/// Bytes of each unit that an event keeps for display. The rest is dropped.
const KEPT: usize = 512;

/// The layer of messages that the user sends and receives: none.
pub const WORDS: &str = "";

/// Direction of a unit, as seen by the end that reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the other end.
    Sent,
    /// From the other end.
    Received,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A connection with this peer was established.
    Connected(String),
    /// A layer is ready: its handshake is done, or a session is open. In words.
    Opened(String),
    /// A unit of a layer was sent or received: `request`, `response`, `text frame`, `event`. Details may
    /// follow the name.
    Unit {
        /// The direction.
        way: Way,
        /// The name of the unit.
        what: String,
        /// The length in bytes.
        length: usize,
        /// The first bytes.
        bytes: Vec<u8>,
    },
    /// A message of a user was sent or received.
    Message {
        /// The direction.
        way: Way,
        /// The length in bytes.
        length: usize,
        /// The first bytes.
        bytes: Vec<u8>,
    },
    /// The peer acknowledged something.
    Acknowledged(String),
    /// A heartbeat: `ping`, `pong`, `comment`, `EOL`.
    Beat {
        /// The direction.
        way: Way,
        /// The name of the heartbeat.
        what: String,
    },
    /// A peer was refused, in words.
    Refused(String),
    /// A rule was broken, or a limit exceeded, in words.
    Broken(String),
    /// The connection was cut. The client connects again after a delay.
    Reconnecting {
        /// The number of the attempt, counted from 1.
        attempt: u32,
        /// The delay before the attempt.
        after: Duration,
    },
    /// The connection ended.
    Ended {
        /// Whether the end followed the protocol.
        orderly: bool,
        /// The reason, in words.
        why: String,
    },
    /// Anything else, in words.
    Note(String),
}

impl Happened {
    /// Returns the event for a unit of a layer.
    pub fn unit(way: Way, what: impl Into<String>, bytes: &[u8]) -> Happened {
        Happened::unit_of(way, what, &[bytes])
    }

    /// Returns the event for a unit of a layer that consists of several pieces.
    pub fn unit_of(way: Way, what: impl Into<String>, pieces: &[&[u8]]) -> Happened {
        let length = pieces.iter().map(|piece| piece.len()).sum();
        let bytes = pieces.iter().flat_map(|piece| piece.iter().copied()).take(KEPT).collect();
        Happened::Unit { way, what: what.into(), length, bytes }
    }

    /// Returns the event for a message.
    pub fn message(way: Way, bytes: &[u8]) -> Happened {
        let (length, bytes) = (bytes.len(), bytes[..bytes.len().min(KEPT)].to_vec());
        Happened::Message { way, length, bytes }
    }

    /// Returns the event for a heartbeat.
    pub fn beat(way: Way, what: impl Into<String>) -> Happened {
        Happened::Beat { way, what: what.into() }
    }
}

/// An event with its time, connection and layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The time of the event.
    pub at: Instant,
    /// The connection, counted from 1. 0 means none.
    pub number: u64,
    /// The name of the layer: `TCP`, `HTTP`, `WebSocket`, `STOMP`.
    pub layer: &'static str,
    /// The event.
    pub what: Happened,
}

/// Reports events. Each thread of an end has one.
#[derive(Debug, Clone)]
pub struct Reporter {
    to: SyncSender<News>,
    lost: Arc<AtomicU64>,
    lines: Arc<AtomicU64>,
}

impl Reporter {
    /// Returns a reporter and the receiver of its events.
    pub fn new() -> (Reporter, Receiver<News>) {
        let (to, told) = mpsc::sync_channel(WAITING);
        (Reporter { to, lost: Arc::default(), lines: Arc::default() }, told)
    }

    /// Reports an event with the current time. Never blocks: an event that does not fit is dropped and
    /// counted.
    pub fn tell(&self, number: u64, layer: &'static str, what: Happened) {
        if self.to.try_send(News { at: Instant::now(), number, layer, what }).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the number for the next connection of a client.
    pub(super) fn next_connection(&self) -> u64 {
        self.lines.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Returns the number of dropped events.
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

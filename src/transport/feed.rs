//! Numbered messages, kept for a while, for clients that poll or stream: a client requests the messages after
//! a number.
//!
//! A slow client does not delay the others: old messages are dropped, and the client is told how many it
//! missed.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use super::message::Message;
use crate::sync::{lock, wait_timeout};

/// Most messages, and most bytes of messages, that a feed keeps. Beyond that the oldest are dropped.
const KEPT: (usize, usize) = (1024, 256 << 10);

/// A message and its number, counted from 1.
pub type Numbered = (u64, Arc<Message>);

/// The messages after a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The messages, in order.
    pub messages: Vec<Numbered>,
    /// Number of dropped messages before them.
    pub missed: u64,
    /// Whether the feed is closed.
    pub over: bool,
}

/// A feed of numbered messages.
#[derive(Debug, Default)]
pub struct Feed {
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    messages: VecDeque<Numbered>,
    bytes: usize,
    last: u64,
    over: bool,
    touched: Option<Instant>,
}

impl Feed {
    /// Adds a message and returns its number.
    pub fn push(&self, message: Arc<Message>) -> u64 {
        let mut inside = lock(&self.inside);
        inside.last += 1;
        inside.touched = Some(Instant::now());
        let number = inside.last;
        inside.bytes += message.bytes().len();
        inside.messages.push_back((number, message));
        while inside.messages.len() > KEPT.0 || (inside.bytes > KEPT.1 && inside.messages.len() > 1) {
            if let Some((_, old)) = inside.messages.pop_front() {
                inside.bytes -= old.bytes().len();
            }
        }
        drop(inside);
        self.changed.notify_all();
        number
    }

    /// Returns the number of the last message, or 0 before the first.
    pub fn last(&self) -> u64 {
        lock(&self.inside).last
    }

    /// Closes the feed and wakes all waiting threads.
    pub fn close(&self) {
        lock(&self.inside).over = true;
        self.changed.notify_all();
    }

    /// Returns the messages after `number`. If there are none, waits up to `until` for one.
    pub fn behind(&self, number: u64, until: Instant) -> Behind {
        let mut inside = lock(&self.inside);
        inside.touched = Some(Instant::now());
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if inside.last > number || inside.over || left.is_zero() {
                let messages: Vec<_> =
                    inside.messages.iter().filter(|(own, _)| *own > number).cloned().collect();
                let first = messages.first().map_or(inside.last + 1, |(own, _)| *own);
                let missed = first.saturating_sub(number.saturating_add(1));
                inside.touched = Some(Instant::now());
                return Behind { messages, missed, over: inside.over };
            }
            inside = wait_timeout(&self.changed, inside, left);
        }
    }

    fn idle_since(&self) -> Option<Instant> {
        lock(&self.inside).touched
    }
}

/// One feed for each client that names itself. Their number is bounded, and idle feeds are dropped.
#[derive(Debug)]
pub struct Feeds {
    feeds: Mutex<BTreeMap<String, Arc<Feed>>>,
    most: usize,
    idle: Duration,
}

impl Feeds {
    /// Returns a set of at most `most` feeds. A feed that was not used for `idle` may be dropped.
    pub fn new(most: usize, idle: Duration) -> Feeds {
        Feeds { feeds: Mutex::default(), most, idle }
    }

    /// Returns the feed with this name, and makes it if there is none. Returns `None` if there are too many.
    pub fn of(&self, name: &str) -> Option<Arc<Feed>> {
        let mut feeds = lock(&self.feeds);
        if let Some(feed) = feeds.get(name) {
            return Some(Arc::clone(feed));
        }
        // A feed that is referenced elsewhere has a waiting client.
        let idle = self.idle;
        feeds.retain(|_, feed| {
            Arc::strong_count(feed) > 1 || feed.idle_since().is_none_or(|since| since.elapsed() < idle)
        });
        if feeds.len() >= self.most {
            return None;
        }
        let feed = Arc::<Feed>::default();
        lock(&feed.inside).touched = Some(Instant::now());
        feeds.insert(name.to_owned(), Arc::clone(&feed));
        Some(feed)
    }

    /// Returns all feeds.
    pub fn all(&self) -> Vec<Arc<Feed>> {
        lock(&self.feeds).values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn message(text: &str) -> Arc<Message> {
        Arc::new(Message::Text(text.to_owned()))
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[test]
    fn whoever_asks_gets_what_is_behind_its_number() {
        let feed = Feed::default();
        assert_eq!((feed.push(message("a")), feed.push(message("b"))), (1, 2));
        let behind = feed.behind(1, soon());
        assert_eq!((behind.messages, behind.missed, behind.over), (vec![(2, message("b"))], 0, false));
        assert!(feed.behind(2, Instant::now()).messages.is_empty());
        // A number from before, or from another server: nothing is behind it.
        assert!(feed.behind(99, Instant::now()).messages.is_empty());
        assert!(feed.behind(u64::MAX, Instant::now()).messages.is_empty());
    }

    #[test]
    fn who_waits_is_woken_by_a_message_and_by_the_end() {
        let feed = Arc::<Feed>::default();
        let waits = |number| {
            let feed = Arc::clone(&feed);
            thread::spawn(move || feed.behind(number, soon()))
        };
        let waiting = waits(0);
        feed.push(message("a"));
        assert_eq!(waiting.join().unwrap().messages.len(), 1);
        let waiting = waits(1);
        feed.close();
        assert!(waiting.join().unwrap().over);
    }

    #[test]
    fn who_is_too_slow_misses_something_and_is_told() {
        let feed = Feed::default();
        (0..2000).for_each(|_| assert!(feed.push(message("x")) > 0));
        let behind = feed.behind(100, soon());
        assert_eq!((behind.messages.len(), behind.missed), (1024, 2000 - 1024 - 100));
        let feed = Feed::default();
        let large = message(&"x".repeat(600 << 10));
        (0..3).for_each(|_| assert!(feed.push(Arc::clone(&large)) > 0));
        assert_eq!(feed.behind(0, soon()).messages.len(), 1);
    }

    #[test]
    fn there_are_never_more_feeds_than_may_be() {
        let feeds = Feeds::new(2, Duration::ZERO);
        let (one, _two) = (feeds.of("1").unwrap(), feeds.of("2").unwrap());
        assert!(feeds.of("3").is_none());
        assert!(Arc::ptr_eq(&one, &feeds.of("1").unwrap()));
        drop(one);
        assert!(feeds.of("3").is_some() && feeds.all().len() == 2);
    }
}

//! Bounded storage for what a client is still to be sent: a queue, or one place for the newest message of
//! each key.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Condvar, Mutex},
    time::Instant,
};

use super::message::Message;
use crate::sync::{lock, wait_timeout};

/// Why an outbox is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// The outbox was full: the client is too slow.
    Full,
    /// The server stops.
    Stopping,
    /// The client has left.
    Gone,
}

/// A unit of a transport that waits to be sent. A unit is encoded only after it was taken out.
pub trait Unit: std::fmt::Debug + Send + 'static {
    /// Returns the length in bytes that counts against the bound of an outbox.
    fn length(&self) -> usize;
}

impl Unit for Infallible {
    fn length(&self) -> usize {
        match *self {}
    }
}

impl Unit for Vec<u8> {
    fn length(&self) -> usize {
        self.len()
    }
}

/// An outbox of any unit, as the senders of messages use it.
pub trait MessageQueue: std::fmt::Debug + Send + Sync {
    /// See [`Outbox::push`].
    fn push(&self, message: Arc<Message>) -> bool;
    /// See [`Outbox::replace`].
    fn replace(&self, key: usize, message: Arc<Message>) -> bool;
    /// See [`Outbox::close`].
    fn close(&self, why: Last);
}

impl<T: Unit> MessageQueue for Outbox<T> {
    fn push(&self, message: Arc<Message>) -> bool {
        Outbox::push(self, message)
    }

    fn replace(&self, key: usize, message: Arc<Message>) -> bool {
        Outbox::replace(self, key, message)
    }

    fn close(&self, why: Last) {
        Outbox::close(self, why);
    }
}

/// The next item of an outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<T = Infallible> {
    /// A message of a client or the server.
    Message(Arc<Message>),
    /// A unit of the transport, added by [`Outbox::put`].
    Own(T),
    /// Nothing was added in time.
    Late,
    /// The outbox is closed and empty: send the close.
    Closed(Last),
}

impl<T: Unit> Next<T> {
    fn length(&self) -> usize {
        match self {
            Next::Message(message) => message.bytes().len(),
            Next::Own(unit) => unit.length(),
            Next::Late | Next::Closed(_) => 0,
        }
    }
}

/// The items that a client is still to be sent. Other threads fill it and one thread empties it. Filling
/// never blocks.
#[derive(Debug)]
pub struct Outbox<T = Infallible> {
    inside: Mutex<Waiting<T>>,
    changed: Condvar,
    most: usize,
    most_bytes: usize,
}

#[derive(Debug)]
struct Waiting<T> {
    /// The waiting items. An item added by [`Outbox::replace`] has a key.
    items: VecDeque<(Option<usize>, Next<T>)>,
    /// Total length of the waiting items, in bytes.
    bytes: usize,
    /// Items that may still be taken out, if the client limits them.
    wanted: Option<u64>,
    over: Option<Last>,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Waiting { items: VecDeque::new(), bytes: 0, wanted: None, over: None }
    }
}

impl<T> Waiting<T> {
    /// An empty outbox has room for one item of any size.
    fn has_room(&self, bytes: usize, outbox: &Outbox<T>) -> bool {
        self.items.is_empty() || (self.items.len() < outbox.most && self.bytes + bytes <= outbox.most_bytes)
    }
}

impl<T: Unit> Outbox<T> {
    /// Returns an outbox for at most `most` items.
    pub fn new(most: usize) -> Outbox<T> {
        Outbox::within(most, usize::MAX)
    }

    /// Returns an outbox for at most `most` items with `most_bytes` bytes in all. An empty outbox accepts one
    /// item of any size.
    pub fn within(most: usize, most_bytes: usize) -> Outbox<T> {
        Outbox { inside: Mutex::default(), changed: Condvar::new(), most, most_bytes }
    }

    /// Adds a message. If there is no room, the outbox is closed, the waiting items are dropped and false is
    /// returned.
    pub fn push(&self, message: Arc<Message>) -> bool {
        self.add(Next::Message(message))
    }

    /// Adds a unit of the transport behind the waiting items. Returns false as [`Outbox::push`] does.
    pub fn put(&self, unit: T) -> bool {
        self.add(Next::Own(unit))
    }

    /// Adds a message that makes the waiting message with the same key worthless, and replaces it. So at most
    /// one message for each key waits, and there is always room. Returns false if the outbox is closed.
    pub fn replace(&self, key: usize, message: Arc<Message>) -> bool {
        self.put_in(Some(key), Next::Message(message))
    }

    /// Limits the items that may be taken out. Each call adds `more` to the limit.
    pub fn want(&self, more: u64) {
        let mut inside = lock(&self.inside);
        inside.wanted = Some(inside.wanted.unwrap_or(0).saturating_add(more));
        drop(inside);
        self.changed.notify_all();
    }

    fn add(&self, item: Next<T>) -> bool {
        self.put_in(None, item)
    }

    fn put_in(&self, key: Option<usize>, item: Next<T>) -> bool {
        let mut inside = lock(&self.inside);
        if inside.over.is_none() {
            let bytes = item.length();
            let waits = inside.items.iter_mut().find(|(own, _)| key.is_some() && *own == key);
            if let Some((_, old)) = waits {
                let before = std::mem::replace(old, item).length();
                inside.bytes = inside.bytes - before + bytes;
            } else if key.is_some() || inside.has_room(bytes, self) {
                inside.bytes += bytes;
                inside.items.push_back((key, item));
            } else {
                inside.items.clear();
                inside.bytes = 0;
                inside.over = Some(Last::Full);
            }
        }
        let good = inside.over.is_none();
        drop(inside);
        self.changed.notify_all();
        good
    }

    /// Closes the outbox: nothing more is accepted, and the waiting items are taken out first.
    pub fn close(&self, why: Last) {
        lock(&self.inside).over.get_or_insert(why);
        self.changed.notify_all();
    }

    /// Waits up to `until` for the next item and returns it.
    pub fn next(&self, until: Instant) -> Next<T> {
        let mut inside = lock(&self.inside);
        loop {
            if inside.wanted != Some(0)
                && let Some((_, item)) = inside.items.pop_front()
            {
                inside.wanted = inside.wanted.map(|wanted| wanted - 1);
                inside.bytes -= item.length();
                return item;
            }
            if let Some(why) = inside.over {
                return Next::Closed(why);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::Late;
            }
            inside = wait_timeout(&self.changed, inside, left);
        }
    }

    /// Returns why the outbox is closed, or `None` if it is open.
    pub fn over(&self) -> Option<Last> {
        lock(&self.inside).over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Instant {
        Instant::now()
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_too() {
        let outbox = Outbox::within(100, 10);
        assert!(outbox.put(vec![0; 50]), "one has room, whatever its size");
        assert!(!outbox.put(vec![0; 1]));
        assert_eq!(outbox.next(now()), Next::Closed(Last::Full));
        let outbox = Outbox::within(100, 10);
        for _ in 0..5 {
            assert!(outbox.put(vec![0; 5]) && outbox.put(vec![0; 5]));
            assert_eq!(
                (outbox.next(now()), outbox.next(now())),
                (Next::Own(vec![0; 5]), Next::Own(vec![0; 5]))
            );
        }
    }
}

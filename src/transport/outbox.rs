//! What a guest is still to be sent, within bounds: a queue, or a place for the newest of each kind.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Condvar, Mutex},
    time::Instant,
};

use super::message::Message;
use crate::sync::{lock, wait_timeout};

/// Why nothing more comes out of an outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// It was full: whoever it belongs to is too slow.
    Full,
    /// The server ends.
    Stopping,
    /// Whoever it belongs to has left.
    Gone,
}

/// A unit of a transport that waits to be sent: no unit is encoded before it is taken out.
pub trait Unit: std::fmt::Debug + Send + 'static {
    /// Its length in bytes, as far as the bound of an outbox counts them.
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

/// An outbox of any unit, as the senders of messages see it.
pub trait MessageQueue: std::fmt::Debug + Send + Sync {
    /// As [`Outbox::push`].
    fn push(&self, message: Arc<Message>) -> bool;
    /// As [`Outbox::replace`].
    fn replace(&self, key: usize, message: Arc<Message>) -> bool;
    /// As [`Outbox::close`].
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

/// What comes out of an outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<T = Infallible> {
    /// A message that somebody said.
    Message(Arc<Message>),
    /// A unit of the transport's own, put there by [`Outbox::put`].
    Own(T),
    /// Nothing came in time.
    Late,
    /// Nothing more will come: say goodbye.
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

/// What a guest is still to be sent. One thread fills it and another empties it; nobody who fills it ever waits.
#[derive(Debug)]
pub struct Outbox<T = Infallible> {
    inside: Mutex<Waiting<T>>,
    changed: Condvar,
    most: usize,
    most_bytes: usize,
}

#[derive(Debug)]
struct Waiting<T> {
    /// What [`Outbox::replace`] put there has a key.
    items: VecDeque<(Option<usize>, Next<T>)>,
    /// Bytes of what waits.
    bytes: usize,
    /// So many may come out, if the guest says how many it wants.
    wanted: Option<u64>,
    over: Option<Last>,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Waiting { items: VecDeque::new(), bytes: 0, wanted: None, over: None }
    }
}

impl<T> Waiting<T> {
    /// One has room, whatever its size.
    fn has_room(&self, bytes: usize, outbox: &Outbox<T>) -> bool {
        self.items.is_empty() || (self.items.len() < outbox.most && self.bytes + bytes <= outbox.most_bytes)
    }
}

impl<T: Unit> Outbox<T> {
    /// With room for so many.
    pub fn new(most: usize) -> Outbox<T> {
        Outbox::within(most, usize::MAX)
    }

    /// With room for so many, and for so many bytes of them; one has room whatever its size.
    pub fn within(most: usize, most_bytes: usize) -> Outbox<T> {
        Outbox { inside: Mutex::default(), changed: Condvar::new(), most, most_bytes }
    }

    /// A message. If there is no room, the outbox is over, and what waits in it is dropped: false.
    pub fn push(&self, message: Arc<Message>) -> bool {
        self.add(Next::Message(message))
    }

    /// A unit of the transport's own, behind what waits already. False as for [`Outbox::push`].
    pub fn put(&self, unit: T) -> bool {
        self.add(Next::Own(unit))
    }

    /// A message that makes the one with the same key worthless: if that still waits, this takes its place. So there never wait more
    /// than there are keys, and there is always room. False if the outbox is over.
    pub fn replace(&self, key: usize, message: Arc<Message>) -> bool {
        self.put_in(Some(key), Next::Message(message))
    }

    /// From now on only so many come out; with each call so many more.
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

    /// Nothing more goes in; what waits comes out first.
    pub fn close(&self, why: Last) {
        lock(&self.inside).over.get_or_insert(why);
        self.changed.notify_all();
    }

    /// The next that is to be sent; waits for it, at most until then.
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

    /// Whether it is over, and why.
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

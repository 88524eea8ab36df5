//! The server's shared state: the connected clients, what each is still to be sent, and the shutdown.
//!
//! A message goes back to its sender, or to all clients (`--chat`). Each client has a bounded [`Outbox`]. A
//! slow client fills its own outbox and is dropped; the others never wait for it. Where only the newest
//! message counts, a new message replaces the waiting one, and no client is dropped. Clients that only poll
//! have a [`Feed`] instead.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use super::{
    connection::{Connection, Fault},
    events::{Happened, Reporter, WORDS, Way},
    feed::{Feed, Feeds},
    message::Message,
    outbox::{Last, MessageQueue, Outbox, Unit},
    terms::Terms,
};
use crate::server::Registry;
use crate::sync::lock;

/// A client's place in the room. Dropping it leaves the room.
#[derive(Debug)]
pub struct Seat<T: Unit = Infallible> {
    room: Arc<Room>,
    number: u64,
    /// The client's connection, or its first one.
    pub connection: u64,
    /// The client's outbox.
    pub outbox: Arc<Outbox<T>>,
}

impl<T: Unit> Seat<T> {
    /// Returns the number of the seat. No other seat ever has it.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Handles a message of the client: it goes back to the client, or to all.
    pub fn said(&self, message: Message) {
        let message = Arc::new(message);
        self.room.tell(self.connection, WORDS, Happened::message(Way::Received, message.bytes()));
        if self.room.chats() {
            self.room.to_all(&message);
        } else if !self.outbox.push(message) {
            self.room.lose_patience(self.connection);
        }
    }
}

impl<T: Unit> Drop for Seat<T> {
    fn drop(&mut self) {
        self.outbox.close(Last::Gone);
        lock(&self.room.inside).seats.remove(&self.number);
    }
}

/// All clients of a server.
#[derive(Debug)]
pub struct Room {
    /// The limits and modes of the server.
    pub terms: Terms,
    /// The open connections.
    pub registry: Registry<Arc<Connection>>,
    news: Reporter,
    inside: Mutex<Inside>,
    /// The feed that all polling clients share in a chat.
    common: Arc<Feed>,
    feeds: Feeds,
    /// Whether a message of one client goes to all.
    chat: AtomicBool,
}

#[derive(Debug, Default)]
struct Inside {
    /// The connection and the outbox of each seat.
    seats: BTreeMap<u64, (u64, Arc<dyn MessageQueue>)>,
    /// Number of the last seat, counted from 1.
    seated: u64,
}

impl Room {
    /// Returns an empty room.
    pub fn new(terms: Terms, news: Reporter) -> Arc<Room> {
        let feeds = Feeds::new(terms.connections, terms.idle);
        let chat = terms.chat;
        Arc::new(Room {
            registry: Registry::new(terms.connections),
            terms,
            news,
            inside: Mutex::default(),
            common: Arc::default(),
            feeds,
            chat: AtomicBool::new(chat),
        })
    }

    /// From now on, a message of one client goes to all, whatever the terms say.
    pub fn speak_to_all(&self) {
        self.chat.store(true, Ordering::Release);
    }

    fn chats(&self) -> bool {
        self.chat.load(Ordering::Acquire)
    }

    /// Reports an event on a connection.
    pub fn tell(&self, number: u64, layer: &'static str, what: Happened) {
        self.news.tell(number, layer, what);
    }

    /// Returns a seat for a client that receives messages as they arrive.
    pub fn seat(self: &Arc<Room>, connection: u64) -> Seat {
        self.seat_of(connection)
    }

    /// Returns a seat for a transport that queues its own units beside messages. See [`Room::seat`].
    pub fn seat_of<T: Unit>(self: &Arc<Room>, connection: u64) -> Seat<T> {
        let bytes = usize::try_from(self.terms.message.saturating_mul(2)).unwrap_or(usize::MAX);
        let outbox = Arc::new(Outbox::within(self.terms.queue, bytes));
        let mut inside = lock(&self.inside);
        inside.seated += 1;
        let number = inside.seated;
        inside.seats.insert(number, (connection, Arc::clone(&outbox) as Arc<dyn MessageQueue>));
        drop(inside);
        if self.is_stopping() {
            outbox.close(Last::Stopping);
        }
        Seat { room: Arc::clone(self), number, connection, outbox }
    }

    /// Returns the feed of a polling client: its own, by the name that the client gives, or the shared one in
    /// a chat.
    ///
    /// # Errors
    /// Fails with [`Fault::Limit`] if there are too many feeds already.
    pub fn feed(&self, name: &str) -> Result<Arc<Feed>, Fault> {
        if self.chats() {
            return Ok(Arc::clone(&self.common));
        }
        let feed = self.feeds.of(name).ok_or_else(|| {
            let most = self.terms.connections;
            Fault::Limit(format!("there are {most} clients already, and no room for more"))
        })?;
        // The feed of a client that arrives during shutdown is closed at once.
        if self.is_stopping() {
            feed.close();
        }
        Ok(feed)
    }

    /// Handles a message of the client with the feed `name`, which arrived on this connection.
    ///
    /// # Errors
    /// Fails as [`Room::feed`] does.
    pub fn said(&self, connection: u64, name: &str, message: Message) -> Result<(), Fault> {
        let message = Arc::new(message);
        self.tell(connection, WORDS, Happened::message(Way::Received, message.bytes()));
        if self.chats() {
            self.to_all(&message);
        } else {
            self.feed(name)?.push(message);
        }
        Ok(())
    }

    /// Sends a message to all seats and to the shared feed.
    pub fn to_all(&self, message: &Arc<Message>) {
        // The lock is held, so that all clients receive all messages in the same order.
        let inside = lock(&self.inside);
        self.common.push(Arc::clone(message));
        for (connection, outbox) in inside.seats.values() {
            if !outbox.push(Arc::clone(message)) {
                self.lose_patience(*connection);
            }
        }
    }

    /// Sends a message to all seats. It replaces the waiting message with the same key.
    pub fn newest_to_all(&self, key: usize, message: &Arc<Message>) {
        for (_, outbox) in lock(&self.inside).seats.values() {
            outbox.replace(key, Arc::clone(message));
        }
    }

    /// Sets a deadline for the writes of a connection whose outbox is full.
    fn lose_patience(&self, connection: u64) {
        if let Some(connection) = self.registry.get(connection) {
            connection.lose_patience();
        }
    }

    /// Waits until `until` and returns true. Returns false if the server stops first.
    pub fn pause(&self, until: Instant) -> bool {
        !self.registry.wait_for_stop(until)
    }

    /// Returns whether the server is stopping.
    pub fn is_stopping(&self) -> bool {
        self.registry.is_stopping()
    }

    /// Stops the server. Outboxes and feeds are closed, so that each thread sends its close; a thread that
    /// only waits for a request reads the end of its stream.
    pub fn stop(&self) {
        self.registry.stop();
        self.common.close();
        self.feeds.all().iter().for_each(|feed| feed.close());
        let inside = lock(&self.inside);
        inside.seats.values().for_each(|(_, outbox)| outbox.close(Last::Stopping));
        // A connection with a seat is not shut down here: its thread sends the close first.
        let seated: BTreeSet<u64> = inside.seats.values().map(|(connection, _)| *connection).collect();
        drop(inside);
        let all = self.registry.all();
        all.iter().filter(|one| !seated.contains(&one.number())).for_each(|one| one.hear_no_more());
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;
    use crate::transport::outbox::Next;

    fn text(text: &str) -> Message {
        Message::Text(text.to_owned())
    }

    fn room(terms: Terms) -> Arc<Room> {
        Room::new(terms, Reporter::new().0)
    }

    fn now() -> Instant {
        Instant::now()
    }

    #[test]
    fn an_echo_goes_back_and_a_chat_goes_to_all() {
        let echo = room(Terms::default());
        let (one, two) = (echo.seat(1), echo.seat(2));
        one.said(text("hello"));
        assert_eq!(one.outbox.next(now()), Next::Message(Arc::new(text("hello"))));
        assert_eq!(two.outbox.next(now()), Next::Late);

        let chat = room(Terms { chat: true, ..Terms::default() });
        let (one, two, feed) = (chat.seat(1), chat.seat(2), chat.feed("").unwrap());
        one.said(text("hello"));
        for seat in [&one, &two] {
            assert_eq!(seat.outbox.next(now()), Next::Message(Arc::new(text("hello"))));
        }
        assert_eq!(feed.behind(0, now()).messages.len(), 1);
        chat.said(3, "x", text("I only ask")).unwrap();
        assert_eq!(two.outbox.next(now()), Next::Message(Arc::new(text("I only ask"))));
    }

    #[test]
    fn who_is_slow_is_dropped_and_holds_nobody_up() {
        let chat = room(Terms { chat: true, queue: 3, ..Terms::default() });
        let (fast, slow) = (chat.seat(1), chat.seat(2));
        for number in 0..10 {
            fast.said(text(&number.to_string()));
            assert_eq!(fast.outbox.next(now()), Next::Message(Arc::new(text(&number.to_string()))));
        }
        assert_eq!(slow.outbox.next(now()), Next::Closed(Last::Full));
    }

    #[test]
    fn where_only_the_newest_counts_nobody_is_dropped_and_little_waits() {
        let room = room(Terms { queue: 1, ..Terms::default() });
        let seat = room.seat(1);
        let one = |number: u64| Arc::new(text(&number.to_string()));
        for number in 0..9_999 {
            room.newest_to_all(if number % 3 == 0 { 0 } else { 1 }, &one(number));
        }
        // Each in its place: the one that began to wait first comes first.
        assert_eq!(seat.outbox.next(now()), Next::Message(one(9_996)));
        assert_eq!(seat.outbox.next(now()), Next::Message(one(9_998)));
        assert_eq!(seat.outbox.next(now()), Next::Late);
    }

    #[test]
    fn who_says_how_many_it_wants_gets_no_more() {
        let room = room(Terms::default());
        let seat = room.seat(1);
        let one = |number: u64| Arc::new(text(&number.to_string()));
        seat.outbox.want(1);
        for number in 0..4 {
            room.newest_to_all(usize::from(number == 3), &one(number));
        }
        assert_eq!(seat.outbox.next(now()), Next::Message(one(2)));
        assert_eq!(seat.outbox.next(now()), Next::Late);
        seat.outbox.want(u64::MAX);
        assert_eq!(seat.outbox.next(now()), Next::Message(one(3)));
        seat.outbox.want(0);
        room.newest_to_all(0, &one(4));
        assert_eq!(seat.outbox.next(now()), Next::Message(one(4)));
        // A subscriber that has asked for nothing learns of the end too.
        let idle = room.seat(2);
        idle.outbox.want(0);
        room.newest_to_all(0, &one(5));
        room.stop();
        assert_eq!(idle.outbox.next(now()), Next::Closed(Last::Stopping));
    }

    #[test]
    fn at_the_end_everybody_is_told() {
        let room = room(Terms::default());
        let seat = room.seat_of(1);
        let feed = room.feed("a").unwrap();
        seat.outbox.put(vec![1]);
        let until = now() + Duration::from_secs(5);
        let waiting = thread::spawn(move || feed.behind(0, until));
        room.stop();
        assert!(waiting.join().unwrap().over);
        // What waits goes out before the goodbye.
        assert_eq!(seat.outbox.next(now()), Next::Own(vec![1]));
        assert_eq!(seat.outbox.next(now()), Next::Closed(Last::Stopping));
        assert_eq!(room.seat(2).outbox.next(now()), Next::Closed(Last::Stopping));
        assert!(!room.registry.wait_for_vacancy(|| {}));
    }
}

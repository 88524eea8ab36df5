//! A session of the server. It outlives any request, and tracks the transport that carries its packets.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use super::{
    Sessions, Setup,
    talk::{Step, Talk},
};
use crate::random;
use crate::sync::{lock, wait_timeout};
use crate::{
    transport::{
        connection::Fault,
        events::{Happened, Way},
        message::Message,
        outbox::{Last, Next, Outbox, Unit},
        room::{Room, Seat},
        socketio::{ENGINE_IO, SOCKET_IO, crossed, event, said},
    },
    wire::engine_io::{Handshake, Kind, Packet},
};

/// Time in which a client must join a namespace. After it, the session ends. It is the connectTimeout of the
/// reference implementation.
const CONNECT: Duration = Duration::from_secs(45);

/// The transport that carries the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Responses to GET requests.
    Polling,
    /// Responses to GET requests, while the client probes a WebSocket.
    Probing,
    /// A WebSocket.
    WebSocket,
}

/// A kind of request that must not overlap another of its kind (§HTTP long-polling).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    Get,
    Post,
}

#[derive(Debug)]
pub(super) struct Session {
    /// The session's ID.
    pub sid: String,
    /// The packets that wait for the client.
    pub outbox: Arc<Outbox<Vec<Packet>>>,
    seat: Seat<Vec<Packet>>,
    setup: Arc<Setup>,
    room: Arc<Room>,
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Debug)]
struct Inside {
    talk: Talk,
    by: By,
    getting: bool,
    posting: bool,
    /// Time of the next ping, and of the last ping without a pong.
    next_ping: Instant,
    pinged: Option<Instant>,
    began: Instant,
    over: bool,
}

impl Session {
    /// Begins a session, and starts the thread that watches it.
    pub(super) fn begin(
        setup: &Arc<Setup>,
        sessions: &Sessions,
        room: &Arc<Room>,
        number: u64,
        by: By,
    ) -> Result<Arc<Session>, Fault> {
        let sid = fresh_id()?;
        let seat = room.seat_of(number);
        let now = Instant::now();
        let inside = Inside {
            talk: Talk::new(setup.rules.clone()),
            by,
            getting: false,
            posting: false,
            next_ping: now + setup.ping_interval,
            pinged: None,
            began: now,
            over: false,
        };
        let session = Arc::new(Session {
            sid: sid.clone(),
            outbox: Arc::clone(&seat.outbox),
            seat,
            setup: Arc::clone(setup),
            room: Arc::clone(room),
            inside: Mutex::new(inside),
            changed: Condvar::new(),
        });
        let mut all = lock(sessions);
        if all.len() >= room.terms.connections {
            return Err(Fault::Limit(format!("there are {} sessions already", all.len())));
        }
        all.insert(sid.clone(), Arc::clone(&session));
        drop(all);
        let (watched, all) = (Arc::clone(&session), Arc::clone(sessions));
        let watcher = thread::Builder::new().name("session".to_owned()).spawn(move || {
            watched.watch();
            lock(&all).remove(&watched.sid);
        });
        if let Err(error) = watcher {
            lock(sessions).remove(&sid);
            return Err(Fault::Call("thread", error));
        }
        let said = format!("session {sid}");
        room.tell(number, ENGINE_IO, Happened::Opened(said));
        Ok(session)
    }

    /// Returns the open packet.
    pub(super) fn open_packet(&self, upgrades: bool) -> Packet {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let handshake = Handshake {
            sid: self.sid.clone(),
            upgrades: if upgrades { vec!["websocket".to_owned()] } else { Vec::new() },
            ping_interval: ms(self.setup.ping_interval),
            ping_timeout: ms(self.setup.ping_timeout),
            max_payload: Some(self.room.terms.message),
        };
        Packet::Text(Kind::Open, handshake.encode())
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        lock(&self.inside)
    }

    /// Returns the transport that carries the packets.
    pub(super) fn by(&self) -> By {
        self.lock().by
    }

    pub(super) fn is_over(&self) -> bool {
        self.lock().over
    }

    /// Switches to this transport. A waiting GET is answered, so that the client can stop polling (§Upgrade).
    pub(super) fn goes_by(&self, by: By) {
        let mut inside = self.lock();
        inside.by = by;
        if by != By::Polling && inside.getting {
            self.put(vec![Packet::empty(Kind::Noop)]);
        }
    }

    /// Begins a request, or returns `None` if one of its kind is under way. The request ends when the
    /// returned value is dropped.
    pub(super) fn request(self: &Arc<Session>, kind: Busy) -> Option<Request> {
        let mut inside = self.lock();
        let busy = inside.busy(kind);
        if std::mem::replace(busy, true) {
            return None;
        }
        Some(Request { session: Arc::clone(self), kind })
    }

    /// Handles the packets that the client sent on this connection.
    ///
    /// # Errors
    /// Fails if the client breaks a rule. The caller must end the session once the client was told.
    pub(super) fn take(&self, packets: Vec<Packet>, number: u64) -> Result<(), Fault> {
        // All answers to one payload form one item, so that a payload with a thousand events does not take a
        // thousand places in the outbox.
        let mut answers = Vec::new();
        for packet in packets {
            let (layer, what) = crossed(Way::Received, &packet);
            self.room.tell(number, layer, what);
            let mut id = Ok(String::new());
            let steps = self.lock().talk.take(packet, || {
                id = fresh_id();
                id.as_ref().cloned().unwrap_or_default()
            });
            id?;
            match steps {
                Ok(steps) => steps.into_iter().for_each(|step| answers.extend(self.step(step, number))),
                Err(fault) => {
                    self.put(answers);
                    return Err(fault);
                }
            }
        }
        self.put(answers);
        Ok(())
    }

    /// Performs a step, and returns the packets to send.
    fn step(&self, step: Step, number: u64) -> Vec<Packet> {
        let tell = |layer, what| self.room.tell(number, layer, what);
        match step {
            Step::Answer(message) => return message.encode(),
            Step::Joined(namespace) => tell(SOCKET_IO, Happened::Opened(format!("it is in {namespace}"))),
            Step::Refused(why) => tell(SOCKET_IO, Happened::Refused(why)),
            Step::Left(namespace) => {
                tell(SOCKET_IO, Happened::Note(format!("it has left {namespace}")));
            }
            Step::Said(message) if self.room.terms.chat => self.seat.said(said(&message)),
            // The event is echoed unchanged: the name, all arguments and the binary data.
            Step::Said(mut message) => {
                tell("message", Happened::message(Way::Received, said(&message).bytes()));
                message.packet.id = None;
                return message.encode();
            }
            Step::Alive => {
                let mut inside = self.lock();
                inside.pinged = None;
                inside.next_ping = Instant::now() + self.setup.ping_interval;
                drop(inside);
                self.changed.notify_all();
            }
            Step::Ends => self.end(),
        }
        Vec::new()
    }

    /// Adds packets to the outbox as one item.
    fn put(&self, packets: Vec<Packet>) {
        if !packets.is_empty() {
            self.outbox.put(packets);
        }
    }

    /// Returns the packets of an item of the outbox.
    pub(super) fn packets(&self, item: Next<Vec<Packet>>) -> Vec<Packet> {
        match item {
            Next::Own(packets) => packets,
            Next::Message(message) => self.events(&message),
            Next::Late | Next::Closed(_) => Vec::new(),
        }
    }

    /// Returns a message as an event in each namespace that the client has joined.
    fn events(&self, message: &Message) -> Vec<Packet> {
        let inside = self.lock();
        let events = inside.talk.joined().map(|namespace| event(namespace, None, &self.setup.event, message));
        events.flat_map(|event| event.encode()).collect()
    }

    /// Ends the session and wakes all waiting threads.
    pub(super) fn end(&self) {
        self.lock().over = true;
        self.outbox.close(Last::Gone);
        self.changed.notify_all();
    }

    /// Sends pings, and ends the session of a client that does not answer or never joins a namespace.
    fn watch(&self) {
        let mut inside = self.lock();
        while !inside.over && self.outbox.over().is_none() {
            let now = Instant::now();
            let late = inside.pinged.filter(|since| now >= *since + self.setup.ping_timeout);
            let stranger = !inside.talk.has_joined();
            let why = match late {
                Some(_) => "no pong came within pingTimeout (Engine.IO 4, Heartbeat)",
                None if stranger && now >= inside.began + CONNECT => "it joined no namespace within 45 s",
                None => "",
            };
            if !why.is_empty() {
                inside.over = true;
                let ended = Happened::Ended { orderly: false, why: why.to_owned() };
                self.room.tell(self.seat.connection, ENGINE_IO, ended);
                break;
            }
            if inside.pinged.is_none() && now >= inside.next_ping {
                inside.pinged = Some(now);
                self.put(vec![Packet::empty(Kind::Ping)]);
            }
            let next = match inside.pinged {
                Some(since) => since + self.setup.ping_timeout,
                None => inside.next_ping,
            };
            let next = if stranger { next.min(inside.began + CONNECT) } else { next };
            let left = next.saturating_duration_since(now).max(Duration::from_millis(1));
            inside = wait_timeout(&self.changed, inside, left);
        }
        drop(inside);
        self.outbox.close(Last::Gone);
    }
}

impl Inside {
    fn busy(&mut self, kind: Busy) -> &mut bool {
        match kind {
            Busy::Get => &mut self.getting,
            Busy::Post => &mut self.posting,
        }
    }
}

impl Unit for Vec<Packet> {
    fn length(&self) -> usize {
        let length = |packet: &Packet| match packet {
            Packet::Text(_, data) => 1 + data.len(),
            Packet::Binary(data) => data.len(),
        };
        self.iter().map(length).sum()
    }
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Request {
    session: Arc<Session>,
    kind: Busy,
}

impl Drop for Request {
    fn drop(&mut self) {
        *self.session.lock().busy(self.kind) = false;
    }
}

/// Returns twenty random characters.
fn fresh_id() -> Result<String, Fault> {
    Ok(data_encoding::BASE64URL_NOPAD.encode(&random::bytes::<15>()?))
}

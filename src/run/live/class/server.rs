//! State that the threads of a class share: the configuration, the connections, and the channel of reports.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::SyncSender,
    },
    time::Instant,
};

use super::{Class, Verbosity, connection};
use crate::sync::lock;
use crate::{
    call::{CallPart, SocketEntry},
    event::{Ending, Peer, Phase},
    server::{Registry, ending},
    stage::WorkerThread,
};

/// Closed connections that stay in the table. Beyond it, the oldest is removed.
const MAX_CLOSED: usize = 4096;

/// A report to the thread that narrates.
pub(super) enum Report {
    /// A call, or a note.
    Piece(CallPart),
    /// A connection was accepted, upgraded or closed, at this time.
    Peer(Peer, Instant),
    /// Prose, in Markdown.
    Say(String),
}

/// An open connection.
pub(super) struct Connection {
    /// The name of its socket: `c1`.
    pub name: String,
    /// Counted from 1.
    pub number: u64,
    pub held: Arc<SocketEntry>,
    pub peer: Option<SocketAddr>,
    /// Whether the upgrade to a WebSocket is complete.
    pub open: AtomicBool,
    /// Text and binary messages received.
    pub received: AtomicU64,
    /// Text and binary messages sent.
    pub sent: AtomicU64,
    /// Locked while another thread uses the descriptor, and while the descriptor is closed.
    pub descriptor: Mutex<()>,
    hand: Mutex<Option<WorkerThread>>,
    was_stopped: AtomicBool,
}

impl Connection {
    fn new(number: u64, held: SocketEntry, peer: Option<SocketAddr>) -> Connection {
        Connection {
            name: held.name.clone(),
            number,
            held: Arc::new(held),
            peer,
            open: AtomicBool::new(false),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            descriptor: Mutex::default(),
            hand: Mutex::default(),
            was_stopped: AtomicBool::new(false),
        }
    }

    /// Returns the connection as an event. `state` is the state of its socket.
    pub fn snapshot(&self, state: Option<String>, end: Option<(Ending, String)>) -> Peer {
        let (received, sent) = self.held.traffic();
        let phase = match (&end, self.open.load(Ordering::Relaxed)) {
            (Some(_), _) => Phase::Gone,
            (None, true) => Phase::Open,
            (None, false) => Phase::Connected,
        };
        let (end, detail) = end.map_or((None, String::new()), |(end, detail)| (Some(end), detail));
        Peer {
            name: self.name.clone(),
            address: self.peer.map_or_else(String::new, |address| address.to_string()),
            phase,
            state,
            received,
            sent,
            messages_received: self.received.load(Ordering::Relaxed),
            messages_sent: self.sent.load(Ordering::Relaxed),
            end,
            detail,
        }
    }

    /// Wakes the thread of the connection, so that it notices the shutdown.
    fn stop(&self) {
        let hand = lock(&self.hand);
        match &*hand {
            Some(_) if self.held.is_closed() => {}
            Some(hand) if self.was_stopped.swap(true, Ordering::AcqRel) => {
                _ = hand.wake_unless_acknowledged()
            }
            Some(hand) => hand.stop(),
            None => {}
        }
    }

    /// Shuts both directions down, so that a blocked call of its thread returns.
    fn cut(&self) {
        let _descriptor = lock(&self.descriptor);
        if !self.held.is_closed() {
            let _ = self.held.socket().shutdown(std::net::Shutdown::Both);
        }
    }
}

/// The server of a class.
pub(super) struct Server {
    pub class: Class,
    pub registry: Registry<Arc<Connection>>,
    reports: SyncSender<Report>,
    closed: Mutex<Closed>,
}

/// The last closed connections, and the totals of all closed ones.
#[derive(Default)]
struct Closed {
    /// The last closed connections, at most `MAX_CLOSED`.
    peers: VecDeque<Peer>,
    received: u64,
    sent: u64,
    messages_received: u64,
    messages_sent: u64,
}

impl Server {
    pub fn new(class: Class, reports: SyncSender<Report>) -> Server {
        let registry = Registry::new(class.connections);
        Server { class, registry, reports, closed: Mutex::default() }
    }

    /// Returns whether the calls of this connection are narrated.
    pub fn narrates(&self, number: u64) -> bool {
        match self.class.tell {
            Verbosity::All => true,
            Verbosity::Only(one) => u64::from(one) == number,
            Verbosity::Nobody => false,
        }
    }

    /// Sends a report to the thread that narrates. Blocks while `MAX_REPORTS` reports wait.
    pub fn report(&self, report: Report) {
        // Without a receiver, the server is ending and nothing is narrated.
        let _ = self.reports.send(report);
    }

    /// Starts the thread of an accepted connection.
    pub fn start(self: &Arc<Server>, accept: CallPart, held: SocketEntry, peer: Option<SocketAddr>) {
        let number = self.registry.next_number();
        if self.narrates(number) {
            self.report(Report::Piece(accept));
        }
        let connection = Arc::new(Connection::new(number, held, peer));
        self.registry.insert(Arc::clone(&connection));
        if self.class.tell != Verbosity::Nobody {
            self.report(Report::Peer(connection.snapshot(None, None), Instant::now()));
        }
        let (server, own) = (Arc::clone(self), Arc::clone(&connection));
        match WorkerThread::spawn(connection.name.clone(), move |doing| {
            connection::serve(&server, &own, doing)
        }) {
            Ok(hand) => *lock(&connection.hand) = Some(hand),
            Err(error) => {
                drop(connection.held.take_owner());
                self.remove(&connection, Ending::Failed, format!("no thread for it: {error}"));
            }
        }
    }

    /// Moves a connection from the registry to the closed ones.
    pub fn remove(&self, connection: &Connection, end: Ending, detail: String) {
        let peer = connection.snapshot(None, Some((end, detail)));
        if self.class.tell != Verbosity::Nobody {
            self.report(Report::Peer(peer.clone(), Instant::now()));
        }
        let mut closed = lock(&self.closed);
        closed.received += peer.received;
        closed.sent += peer.sent;
        closed.messages_received += peer.messages_received;
        closed.messages_sent += peer.messages_sent;
        closed.peers.push_back(peer);
        if closed.peers.len() > MAX_CLOSED {
            closed.peers.pop_front();
        }
        drop(closed);
        self.registry.remove(connection.number, label(end));
    }

    /// Wakes every thread that has not noticed the shutdown yet.
    pub fn stop_all(&self) {
        self.registry.all().iter().for_each(|connection| connection.stop());
    }

    /// Shuts down every open connection.
    pub fn cut_all(&self) {
        self.registry.all().iter().for_each(|connection| connection.cut());
    }

    /// Returns all connections, the open ones first. `state` reads the state of an open socket.
    pub fn table(&self, state: impl Fn(&SocketEntry) -> Option<String>) -> Vec<Peer> {
        let open = self.registry.all();
        let closed = lock(&self.closed).peers.clone();
        let see = |connection: &Arc<Connection>| {
            let _descriptor = lock(&connection.descriptor);
            let state = if connection.held.is_closed() { None } else { state(&connection.held) };
            connection.snapshot(state, None)
        };
        open.iter().map(see).chain(closed.into_iter().rev()).collect()
    }

    /// Returns the summary of all connections, in Markdown.
    pub fn summary(&self) -> String {
        let Some(connections) = self.registry.summary() else { return "Nobody called.".to_owned() };
        let Closed { received, sent, messages_received, messages_sent, .. } = &*lock(&self.closed);
        let messages = match messages_received + messages_sent {
            0 => String::new(),
            _ => format!(" Messages: {messages_received} received, {messages_sent} sent."),
        };
        format!("{connections}. Bytes: {received} received, {sent} sent.{messages}")
    }
}

/// Returns the word under which the summary counts an ending.
fn label(end: Ending) -> &'static str {
    match end {
        Ending::Closed => ending::CLOSED,
        Ending::Reset => ending::BROKEN_OFF,
        Ending::Refused => ending::REFUSED,
        Ending::Page => ending::PAGE,
        Ending::Violation => ending::VIOLATION,
        Ending::Limit => ending::LIMIT,
        Ending::Stopped => ending::STOPPED,
        Ending::Failed => ending::FAILED,
    }
}

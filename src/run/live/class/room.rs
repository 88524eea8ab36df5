//! Who is connected: the list, the limits, and the sums.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::SyncSender,
    },
    time::{Duration, Instant},
};

use super::{Class, Tell};
use crate::{
    call::{Held, Piece},
    event::{Ending, Peer, Phase},
    stage::{WorkerThread, trim_memory},
};

/// Of those who have left, so many stay in the table.
const REMEMBERED: usize = 4096;

/// So many at once are a crowd, behind which one tidies up.
const CROWD: usize = 64;

/// Something to be told.
pub(super) enum Report {
    /// A call, or a note.
    Piece(Piece),
    /// Somebody came, or left, then.
    Peer(Peer, Instant),
    /// Prose.
    Say(String),
    /// Prose, and the server can't go on.
    Broken(String),
}

/// A connection.
pub(super) struct Guest {
    /// `c1`
    pub name: String,
    /// Counted from 1.
    pub number: u32,
    /// Its socket.
    pub held: Arc<Held>,
    /// Who called.
    pub address: Option<SocketAddr>,
    /// Upgraded.
    pub open: AtomicBool,
    /// Text and binary messages received.
    pub received: AtomicU64,
    /// And sent.
    pub sent: AtomicU64,
    /// Held while its descriptor is used from outside, or closed.
    pub descriptor: Mutex<()>,
    hand: Mutex<Option<WorkerThread>>,
    told_to_end: AtomicBool,
}

impl Guest {
    /// Whether its thread was told to end before; from now on it was.
    fn ended_once(&self) -> bool {
        self.told_to_end.swap(true, Ordering::AcqRel)
    }

    /// How it stands now.
    pub fn seen(&self, state: Option<String>, over: Option<(Ending, String)>) -> Peer {
        let (received, sent) = self.held.traffic();
        let phase = match (&over, self.open.load(Ordering::Relaxed)) {
            (Some(_), _) => Phase::Gone,
            (None, true) => Phase::Open,
            (None, false) => Phase::Connected,
        };
        let (end, detail) = over.map_or((None, String::new()), |(end, detail)| (Some(end), detail));
        Peer {
            name: self.name.clone(),
            address: self.address.map_or_else(String::new, |address| address.to_string()),
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
}

/// The server's side of it all, shared by its threads.
pub(super) struct Room {
    /// What is served.
    pub class: Class,
    reports: SyncSender<Report>,
    closed: AtomicBool,
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Default)]
struct Inside {
    guests: BTreeMap<u32, Arc<Guest>>,
    /// Those who left last.
    left: VecDeque<Peer>,
    /// The door is open until its thread has ended.
    door_is_shut: bool,
    /// Many were here at once since the room was empty last.
    crowd: bool,
    sums: Sums,
}

#[derive(Default)]
struct Sums {
    came: u64,
    most: usize,
    endings: BTreeMap<&'static str, u64>,
    received: u64,
    sent: u64,
    messages_received: u64,
    messages_sent: u64,
}

impl Room {
    pub fn new(class: Class, reports: SyncSender<Report>) -> Room {
        Room {
            class,
            reports,
            closed: AtomicBool::new(false),
            inside: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Whether the calls of this connection are told.
    pub fn tells(&self, number: u32) -> bool {
        match self.class.tell {
            Tell::All => true,
            Tell::Only(one) => one == number,
            Tell::Nobody => false,
        }
    }

    /// Hands something to whoever tells it. Waits if too much is waiting already.
    pub fn report(&self, report: Report) {
        // Without a teller the server is ending, and nobody listens.
        let _ = self.reports.send(report);
    }

    /// Nobody is to come in any more.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.changed.notify_all();
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Waits until one more may come in. `full` is called once if that takes a while. False if nobody may any more.
    pub fn wait_for_a_seat(&self, full: impl FnOnce()) -> bool {
        let mut full = Some(full);
        let mut inside = self.inside();
        loop {
            if self.is_closed() {
                return false;
            }
            if inside.guests.len() < self.class.connections {
                return true;
            }
            if let Some(full) = full.take() {
                drop(inside);
                full();
                inside = self.inside();
                continue;
            }
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until somebody leaves, or the time is over.
    pub fn wait_for_a_change(&self, most: Duration) {
        let inside = self.inside();
        drop(self.changed.wait_timeout(inside, most));
    }

    /// Somebody came in.
    pub fn enter(&self, number: u32, held: Held, address: Option<SocketAddr>) -> Arc<Guest> {
        let guest = Arc::new(Guest {
            name: held.name.clone(),
            number,
            held: Arc::new(held),
            address,
            open: AtomicBool::new(false),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            descriptor: Mutex::default(),
            hand: Mutex::default(),
            told_to_end: AtomicBool::new(false),
        });
        let mut inside = self.inside();
        inside.guests.insert(number, Arc::clone(&guest));
        inside.sums.came += 1;
        inside.sums.most = inside.sums.most.max(inside.guests.len());
        inside.crowd |= inside.guests.len() >= CROWD;
        drop(inside);
        if self.class.tell != Tell::Nobody {
            self.report(Report::Peer(guest.seen(None, None), Instant::now()));
        }
        guest
    }

    /// The thread that serves a guest.
    pub fn served_by(&self, guest: &Guest, hand: WorkerThread) {
        *lock(&guest.hand) = Some(hand);
    }

    /// Somebody has left, for this reason.
    pub fn leave(&self, guest: &Guest, end: Ending, detail: String) {
        let peer = guest.seen(None, Some((end, detail)));
        if self.class.tell != Tell::Nobody {
            self.report(Report::Peer(peer.clone(), Instant::now()));
        }
        let mut inside = self.inside();
        inside.guests.remove(&guest.number);
        let sums = &mut inside.sums;
        *sums.endings.entry(told(end)).or_default() += 1;
        sums.received += peer.received;
        sums.sent += peer.sent;
        sums.messages_received += peer.messages_received;
        sums.messages_sent += peer.messages_sent;
        inside.left.push_back(peer);
        if inside.left.len() > REMEMBERED {
            inside.left.pop_front();
        }
        let a_crowd_has_left = inside.crowd && inside.guests.is_empty();
        inside.crowd &= !a_crowd_has_left;
        drop(inside);
        self.changed.notify_all();
        if a_crowd_has_left {
            trim_memory();
        }
    }

    /// The thread at the door has ended.
    pub fn door_is_shut(&self) {
        self.inside().door_is_shut = true;
    }

    /// Tells everybody once more to come to an end. Gives how many threads are left.
    pub fn end_all(&self, door: &WorkerThread) -> usize {
        let inside = self.inside();
        if !inside.door_is_shut {
            door.stop();
        }
        for guest in inside.guests.values() {
            if let Some(hand) = &*lock(&guest.hand) {
                if guest.held.is_closed() {
                    continue;
                }
                match guest.ended_once() {
                    false => hand.stop(),
                    true => drop(hand.wake_unless_acknowledged()),
                }
            }
        }
        inside.guests.len() + usize::from(!inside.door_is_shut)
    }

    /// Ends the connections of all who are still there: whoever waits in a call on one comes back.
    pub fn cut_off(&self) {
        for guest in self.inside().guests.values() {
            let _held = lock(&guest.descriptor);
            if !guest.held.is_closed() {
                let _ = guest.held.socket().shutdown(std::net::Shutdown::Both);
            }
        }
    }

    /// Everybody, those who left last at the end; `state` reads a socket that is open.
    pub fn table(&self, state: impl Fn(&Held) -> Option<String>) -> Vec<Peer> {
        let (guests, left) = {
            let inside = self.inside();
            (inside.guests.values().cloned().collect::<Vec<_>>(), inside.left.clone())
        };
        let see = |guest: &Arc<Guest>| {
            let _held = lock(&guest.descriptor);
            let state = if guest.held.is_closed() { None } else { state(&guest.held) };
            guest.seen(state, None)
        };
        guests.iter().map(see).chain(left.into_iter().rev()).collect()
    }

    /// What it all came to, in Markdown.
    pub fn summary(&self) -> String {
        let inside = self.inside();
        let Sums { came, most, endings, received, sent, messages_received, messages_sent } = &inside.sums;
        if *came == 0 {
            return "Nobody called.".to_owned();
        }
        let endings: Vec<String> = endings.iter().map(|(end, count)| format!("{count} {end}")).collect();
        let messages = if messages_received + messages_sent > 0 {
            format!(" Messages: {messages_received} received, {messages_sent} sent.")
        } else {
            String::new()
        };
        format!(
            "{came} connection{}, at most {most} at once: {}. Bytes: {received} received, {sent} sent.{messages}",
            if *came == 1 { "" } else { "s" },
            endings.join(", ")
        )
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        lock(&self.inside)
    }
}

/// An ending as it is summed up.
fn told(end: Ending) -> &'static str {
    match end {
        Ending::Closed => "closed in order",
        Ending::Reset => "broken off",
        Ending::Refused => "refused",
        Ending::Page => "for the page",
        Ending::Violation => "ended for a violation",
        Ending::Limit => "ended by a limit",
        Ending::Stopped => "ended by the end of the server",
        Ending::Failed => "failed",
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

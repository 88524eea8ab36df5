//! All sessions of a server by their ids, and the thread that ends abandoned ones.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use super::{
    SOCKJS,
    session::{Joined, Left, Session},
};
use crate::sync::{lock, wait, wait_timeout};
use crate::{
    transport::{
        events::Happened,
        room::{Room, Seat},
    },
    wire::{sockjs::Frame, text},
};

/// A session and its seat in the room. Messages wait in the seat's outbox while no connection does.
#[derive(Debug)]
pub(super) struct Held {
    session: Mutex<Session>,
    room: Arc<Room>,
    pub seat: Seat,
}

/// The sessions. The sweeper thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct Sessions(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    all: Mutex<All>,
    changed: Condvar,
    patience: Duration,
}

#[derive(Debug, Default)]
struct All {
    by_id: BTreeMap<String, Arc<Held>>,
    over: bool,
}

/// The receiver of a session. A receiver that is dropped before it has finished counts as broken off.
#[derive(Debug)]
pub(super) struct Receiver<'a> {
    sessions: &'a Sessions,
    pub held: Arc<Held>,
    number: u64,
    how: Left,
}

impl Sessions {
    /// Returns an empty table. A session without a receiver ends after `patience`.
    ///
    /// # Errors
    /// Fails if no thread can be started.
    pub fn new(patience: Duration) -> std::io::Result<Sessions> {
        let inside = Arc::new(Inside { all: Mutex::default(), changed: Condvar::new(), patience });
        let sweeper = Arc::clone(&inside);
        thread::Builder::new().name("sessions".to_owned()).spawn(move || sweeper.sweep())?;
        Ok(Sessions(inside))
    }

    /// Returns the session with this id, if there is one.
    pub fn find(&self, id: &str) -> Option<Arc<Held>> {
        lock(&self.0.all).by_id.get(id).cloned()
    }

    /// The session with this id, new if there is none, which began with the connection `line`. None if there
    /// are too many.
    pub fn of(&self, id: &str, connection: u64, room: &Arc<Room>) -> Option<Arc<Held>> {
        let mut all = lock(&self.0.all);
        if let Some(held) = all.by_id.get(id) {
            return Some(Arc::clone(held));
        }
        if all.by_id.len() >= room.terms.connections {
            return None;
        }
        let session = Mutex::new(Session::new(Instant::now()));
        let held = Arc::new(Held { session, room: Arc::clone(room), seat: room.seat(connection) });
        all.by_id.insert(id.to_owned(), Arc::clone(&held));
        drop(all);
        self.0.changed.notify_all();
        Some(held)
    }

    /// Handles a connection that requests the frames of a session. The first receiver gets an open frame
    /// first.
    pub fn join(&self, held: &Arc<Held>) -> Result<(Receiver<'_>, bool), Frame> {
        let joined = lock(&held.session).join(Instant::now());
        match joined {
            Joined::Refused(frame) => Err(frame),
            Joined::Receiver { number, first } => {
                let held = Arc::clone(held);
                Ok((Receiver { sessions: self, held, number, how: Left::Aborted }, first))
            }
        }
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        lock(&self.0.all).over = true;
        self.0.changed.notify_all();
    }
}

impl Inside {
    /// Waits for the next session to end, removes it, and repeats.
    fn sweep(&self) {
        let mut all = lock(&self.all);
        while !all.over {
            let now = Instant::now();
            let ends = |held: &Held| lock(&held.session).ends_at(self.patience);
            let over: Vec<String> = (all.by_id.iter())
                .filter(|(_, held)| ends(held).is_some_and(|at| at <= now))
                .map(|(id, _)| id.clone())
                .collect();
            let gone: Vec<_> =
                over.iter().filter_map(|id| all.by_id.remove(id).map(|held| (id, held))).collect();
            let next = all.by_id.values().filter_map(|held| ends(held)).min();
            if !gone.is_empty() {
                drop(all);
                for (id, held) in gone {
                    let id = text::shown(id.as_bytes(), 40);
                    let time = self.patience.as_millis();
                    let words = format!("session {id} is over: no connection for {time} ms");
                    held.room.tell(held.seat.connection, SOCKJS, Happened::Note(words));
                }
                all = lock(&self.all);
                continue;
            }
            all = match next {
                Some(at) => {
                    let left = at.saturating_duration_since(now).max(Duration::from_millis(1));
                    wait_timeout(&self.changed, all, left)
                }
                None => wait(&self.changed, all),
            };
        }
    }
}

impl Held {
    /// Returns whether the session accepts messages of the client.
    pub fn is_open(&self) -> bool {
        lock(&self.session).is_open()
    }
}

impl Receiver<'_> {
    /// Ends the receiver in order, because its response has ended.
    pub fn finish(mut self) {
        self.how = Left::Finished;
    }

    /// The server closes the session: this receiver, and whoever asks later, gets that frame.
    pub fn close(self, frame: &Frame) {
        lock(&self.held.session).close(frame.clone(), Instant::now());
    }
}

impl Drop for Receiver<'_> {
    fn drop(&mut self) {
        lock(&self.held.session).leave(self.number, self.how, Instant::now());
        // Its time runs from now on. Between the sweeper's look and its wait nothing can happen: it has the
        // lock.
        drop(lock(&self.sessions.0.all));
        self.sessions.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{events::Reporter, terms::Terms};

    #[test]
    fn a_session_to_which_nobody_comes_back_is_taken_out_and_told() {
        let (news, told) = Reporter::new();
        let room = Room::new(Terms { connections: 2, ..Terms::default() }, news);
        let sessions = Sessions::new(Duration::from_millis(30)).unwrap();
        let held = sessions.of("a", 1, &room).unwrap();
        let (receiver, first) = sessions.join(&held).unwrap();
        assert!(first && sessions.join(&held).is_err());
        sessions.of("b", 2, &room).unwrap();
        assert!(sessions.of("c", 3, &room).is_none());
        let note = |text: &str| Happened::Note(format!("session {text} is over: no connection for 30 ms"));
        assert_eq!(told.recv().unwrap().what, note("b"));
        // The one with a receiver goes on, whatever time it takes.
        assert!(sessions.find("a").is_some() && sessions.find("b").is_none());
        receiver.finish();
        assert_eq!(told.recv().unwrap().what, note("a"));
        assert!(sessions.find("a").is_none());
    }
}

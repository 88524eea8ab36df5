//! The registry: which connections a server has, how many it may have, and how those that are over ended.

use std::{
    collections::BTreeMap,
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::stage::trim_memory;
use crate::sync::{lock, wait, wait_timeout};

/// Connections at once from which on the memory of their threads is given back to the system when the last
/// one ends.
const CROWD: usize = 64;

/// How a connection ended, as [`Registry::summary`] counts it.
pub mod ending {
    /// The peer ended it as the protocol wants it.
    pub const CLOSED: &str = "closed in order";
    /// A RST, or the end of the stream in the middle of something.
    pub const BROKEN_OFF: &str = "broken off";
    /// The request was refused.
    pub const REFUSED: &str = "refused";
    /// It was for a page.
    pub const PAGE: &str = "for the page";
    /// The peer broke a rule of the protocol.
    pub const VIOLATION: &str = "ended for a violation";
    /// A limit of the server was reached.
    pub const LIMIT: &str = "ended by a limit";
    /// The server stopped.
    pub const STOPPED: &str = "ended by the end of the server";
    /// Something failed on this side.
    pub const FAILED: &str = "failed";
}

/// The connections of a server, each with what the server keeps of it.
#[derive(Debug)]
pub struct Registry<C> {
    limit: usize,
    stopping: AtomicBool,
    state: Mutex<State<C>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<C> {
    connected: BTreeMap<u64, C>,
    /// An accept loop runs.
    accepting: bool,
    /// Connections so far; the number of the last one.
    accepted: u64,
    /// Most connections at once.
    peak: usize,
    /// There were [`CROWD`] connections at once since there was none.
    crowded: bool,
    /// Connections that are over, by how they ended.
    endings: BTreeMap<&'static str, u64>,
}

impl<C> Registry<C> {
    /// An empty registry for at most `limit` connections at once.
    pub fn new(limit: usize) -> Registry<C> {
        let state = State {
            connected: BTreeMap::new(),
            accepting: false,
            accepted: 0,
            peak: 0,
            crowded: false,
            endings: BTreeMap::new(),
        };
        Registry {
            limit,
            stopping: AtomicBool::new(false),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// The most connections at once.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The number that the next connection gets. Connections are counted from 1.
    pub fn next_number(&self) -> u64 {
        self.state().accepted + 1
    }

    /// Adds a connection and returns its number.
    pub fn insert(&self, connection: C) -> u64 {
        let mut state = self.state();
        state.accepted += 1;
        let number = state.accepted;
        state.connected.insert(number, connection);
        state.peak = state.peak.max(state.connected.len());
        state.crowded |= state.connected.len() >= CROWD;
        number
    }

    /// Counts a peer that has no connection; `present` peers are there now.
    pub fn count_peer(&self, present: usize) {
        let mut state = self.state();
        (state.accepted, state.peak) = (state.accepted + 1, state.peak.max(present));
    }

    /// Replaces what is kept of a connection.
    pub fn replace(&self, number: u64, connection: C) {
        self.state().connected.insert(number, connection);
    }

    /// Removes a connection that has ended, and counts its ending.
    pub fn remove(&self, number: u64, ending: &'static str) {
        let mut state = self.state();
        if state.connected.remove(&number).is_some() {
            *state.endings.entry(ending).or_default() += 1;
        }
        let crowd_is_gone = state.crowded && state.connected.is_empty();
        state.crowded &= !crowd_is_gone;
        drop(state);
        self.changed.notify_all();
        if crowd_is_gone {
            trim_memory();
        }
    }

    /// Calls `each` with every connection. `each` must not use the registry.
    pub fn for_each(&self, mut each: impl FnMut(u64, &C)) {
        self.state().connected.iter().for_each(|(number, connection)| each(*number, connection));
    }

    /// Stops the server: no more connections are accepted.
    pub fn stop(&self) {
        // Under the lock, so that no thread that is about to wait misses it.
        let _state = self.state();
        self.stopping.store(true, Ordering::Release);
        self.changed.notify_all();
    }

    /// Whether the server stops.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Connections that are there.
    pub fn connected(&self) -> usize {
        self.state().connected.len()
    }

    /// Threads that the server still has: one for each connection, and the accept loop's.
    pub fn remaining(&self) -> usize {
        self.state().remaining()
    }

    /// Waits until there are fewer connections than the limit, and returns true; false if the server stops.
    /// `full` is called if it has to wait.
    pub fn wait_for_vacancy(&self, full: impl FnOnce()) -> bool {
        if self.connected() >= self.limit {
            full();
        }
        let mut state = self.state();
        while state.connected.len() >= self.limit && !self.is_stopping() {
            state = wait(&self.changed, state);
        }
        !self.is_stopping()
    }

    /// Waits up to `timeout` until a connection ends or the server stops.
    pub fn wait_for_departure(&self, timeout: Duration) {
        let state = self.state();
        if !self.is_stopping() {
            drop(self.changed.wait_timeout(state, timeout));
        }
    }

    /// Waits until the server stops, and returns true; false at `deadline`.
    pub fn wait_for_stop(&self, deadline: Instant) -> bool {
        drop(self.wait_until(deadline, |_| self.is_stopping()));
        self.is_stopping()
    }

    /// Waits up to `timeout` until nothing of the server runs any more. Returns the number of threads that
    /// remain.
    pub fn wait_until_empty(&self, timeout: Duration) -> usize {
        self.wait_until(Instant::now() + timeout, |state| state.remaining() == 0).remaining()
    }

    /// `3 connections, at most 2 at once: 2 closed in order, 1 broken off`; nothing if there was no
    /// connection.
    pub fn summary(&self) -> Option<String> {
        let state = self.state();
        if state.accepted == 0 {
            return None;
        }
        let plural = if state.accepted == 1 { "" } else { "s" };
        let endings: Vec<_> =
            state.endings.iter().map(|(ending, count)| format!("{count} {ending}")).collect();
        let colon = if endings.is_empty() { "" } else { ": " };
        let State { accepted, peak, .. } = *state;
        Some(format!("{accepted} connection{plural}, at most {peak} at once{colon}{}", endings.join(", ")))
    }

    /// How many connections or peers there were, and how many at once.
    pub fn totals(&self) -> (u64, usize) {
        let state = self.state();
        (state.accepted, state.peak)
    }

    /// Marks that an accept loop runs, until the guard is dropped.
    pub(super) fn accepting(&self) -> Accepting<'_, C> {
        self.state().accepting = true;
        Accepting(self)
    }

    fn wait_until(&self, deadline: Instant, done: impl Fn(&State<C>) -> bool) -> MutexGuard<'_, State<C>> {
        let mut state = self.state();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if done(&state) || left.is_zero() {
                return state;
            }
            state = wait_timeout(&self.changed, state, left);
        }
    }

    fn state(&self) -> MutexGuard<'_, State<C>> {
        lock(&self.state)
    }
}

impl<C: Clone> Registry<C> {
    /// A connection that is there.
    pub fn get(&self, number: u64) -> Option<C> {
        self.state().connected.get(&number).cloned()
    }

    /// All connections, in the order of their numbers.
    pub fn all(&self) -> Vec<C> {
        self.state().connected.values().cloned().collect()
    }
}

impl<C> State<C> {
    fn remaining(&self) -> usize {
        self.connected.len() + usize::from(self.accepting)
    }
}

/// An accept loop that runs.
pub(super) struct Accepting<'a, C>(&'a Registry<C>);

impl<C> Drop for Accepting<'_, C> {
    fn drop(&mut self) {
        self.0.state().accepting = false;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn connections_are_numbered_counted_and_summed_up() {
        let registry = Registry::new(10);
        assert_eq!((registry.summary(), registry.next_number()), (None, 1));
        let numbers: Vec<_> = ["a", "b", "c"].map(|name| registry.insert(name)).into();
        assert_eq!((numbers, registry.get(2)), (vec![1, 2, 3], Some("b")));
        registry.remove(1, "closed in order");
        registry.remove(2, "broken off");
        registry.remove(2, "broken off");
        assert_eq!((registry.insert("d"), registry.all()), (4, vec!["c", "d"]));
        registry.remove(4, "closed in order");
        let summary = registry.summary().unwrap();
        assert_eq!(summary, "4 connections, at most 3 at once: 1 broken off, 2 closed in order");
        let one = Registry::new(1);
        one.insert("a");
        assert_eq!(one.summary().unwrap(), "1 connection, at most 1 at once");
    }

    #[test]
    fn a_full_registry_has_a_vacancy_when_a_connection_ends() {
        let registry = Registry::new(1);
        let number = registry.insert(());
        let mut full = false;
        thread::scope(|scope| {
            scope.spawn(|| registry.remove(number, "closed"));
            assert!(registry.wait_for_vacancy(|| full = true));
        });
        assert_eq!(registry.connected(), 0);
    }

    #[test]
    fn whatever_waits_is_woken_when_the_server_stops() {
        let registry = Registry::new(1);
        registry.insert(());
        let began = Instant::now();
        thread::scope(|scope| {
            let vacancy = scope.spawn(|| registry.wait_for_vacancy(|| {}));
            let stop = scope.spawn(|| registry.wait_for_stop(Instant::now() + SOON));
            let departure = scope.spawn(|| registry.wait_for_departure(SOON));
            registry.stop();
            assert!(!vacancy.join().unwrap() && stop.join().unwrap());
            departure.join().unwrap();
        });
        assert!(began.elapsed() < SOON);
        assert!(!registry.wait_for_vacancy(|| {}));
    }

    #[test]
    fn a_registry_is_empty_when_connections_and_the_accept_loop_have_ended() {
        let registry = Registry::new(2);
        let number = registry.insert(());
        let accepting = registry.accepting();
        assert_eq!((registry.remaining(), registry.wait_until_empty(Duration::ZERO)), (2, 2));
        thread::scope(|scope| {
            scope.spawn(|| registry.remove(number, "closed"));
            scope.spawn(move || drop(accepting));
            assert_eq!(registry.wait_until_empty(SOON), 0);
        });
    }
}

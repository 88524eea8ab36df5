//! The observer of a host: a thread beside it that reads the kernel, so that the host's own thread makes no call but the lesson's.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
};

use crate::{
    call::{Desk, Held, Protocol},
    event::Host,
    kernel::{SockDiag, SocketState, observe},
};

/// A socket and what was read of it.
#[derive(Debug, Clone)]
pub struct Observation {
    /// Whose kernel.
    pub host: Host,
    /// Which socket; for an other end, the socket that it is the other end of.
    pub held: Arc<Held>,
    /// What was read; `None` if the kernel knows nothing of it any more.
    pub socket: Option<SocketState>,
    /// True for the other end of a socket, which has no descriptor on this host.
    pub other_end: bool,
}

/// The thread.
pub(super) struct Observer {
    /// Whether it can look sockets up that have no descriptor.
    pub has_table: bool,
    questions: Option<Sender<Question>>,
    thread: Option<JoinHandle<()>>,
}

enum Question {
    All(Sender<Vec<Observation>>),
    Pair(SocketAddr, SocketAddr, Sender<Option<SocketState>>),
}

/// Readings that are on their way.
pub(super) struct Answer(Receiver<Vec<Observation>>);

impl Answer {
    /// Waits for them. Empty if the observer is gone.
    pub fn wait(self) -> Vec<Observation> {
        super::spin_recv(&self.0).or_else(|| self.0.recv().ok()).unwrap_or_default()
    }
}

impl Observer {
    /// Starts the observer of a desk; called on the host's thread, whose descriptors it is to share.
    pub fn start(desk: Arc<Desk>) -> io::Result<Observer> {
        let (questions, inbox) = mpsc::channel();
        let (ready, is_ready) = mpsc::channel();
        let thread = thread::Builder::new().name("observer".to_owned()).spawn(move || {
            let table = SockDiag::open().ok();
            let _ = ready.send(table.is_some());
            for question in inbox {
                match question {
                    Question::All(answer) => {
                        let _ = answer.send(observe_all(&desk, table.as_ref()));
                    }
                    Question::Pair(local, peer, answer) => {
                        let _ = answer.send(table.as_ref().and_then(|table| table.find(local, peer).ok()?));
                    }
                }
            }
        })?;
        // Until its own descriptor is out of the way, no call of the lesson may be made.
        let has_table = is_ready.recv().unwrap_or(false);
        Ok(Observer { has_table, questions: Some(questions), thread: Some(thread) })
    }

    /// Asks for all sockets.
    pub fn observe(&self) -> Answer {
        let (answer, answers) = mpsc::channel();
        self.ask(Question::All(answer));
        Answer(answers)
    }

    /// Asks for one connection by its addresses.
    pub fn find(&self, local: SocketAddr, peer: SocketAddr) -> Option<SocketState> {
        let (answer, answers) = mpsc::channel();
        self.ask(Question::Pair(local, peer, answer));
        answers.recv().ok().flatten()
    }

    fn ask(&self, question: Question) {
        let _ = self.questions.as_ref().map(|questions| questions.send(question));
    }

    /// Ends the thread and waits for it.
    pub fn stop(&mut self) {
        drop(self.questions.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn observe_all(desk: &Desk, table: Option<&SockDiag>) -> Vec<Observation> {
    let sockets = desk.all();
    let see = |held: &Arc<Held>| {
        let reading = if held.is_closed() {
            let reading = if held.is_gone() { None } else { observe_closed(held, &sockets, table)? };
            if reading.is_none() {
                held.saw_it_gone();
            }
            reading
        } else {
            let reading = observe_open(held);
            held.saw_ends(reading.local, reading.peer);
            Some(table.and_then(|table| observe_time_wait(held, &reading, table)).unwrap_or(reading))
        };
        Some(Observation { host: desk.host, held: Arc::clone(held), socket: reading, other_end: false })
    };
    sockets.iter().filter_map(see).collect()
}

/// An open socket, through its descriptor.
fn observe_open(held: &Held) -> SocketState {
    let mut reading = observe(held.socket(), held.protocol.is_tcp());
    if held.protocol == Protocol::RawIcmp && reading.local.is_some_and(|local| local.ip().is_unspecified()) {
        // A raw socket has no port: what stands in its place is the number of its protocol, and says nothing of an address.
        reading.local = None;
    }
    reading
}

/// A connection that both sides have shut down and nobody closed: the descriptor stands for a socket that is CLOSED, while Linux
/// keeps its TIME_WAIT apart from it.
fn observe_time_wait(held: &Held, reading: &SocketState, table: &SockDiag) -> Option<SocketState> {
    let (Some(local), Some(peer)) = held.ends() else { return None };
    if !held.protocol.is_tcp() || reading.state != Some("CLOSED") || reading.peer.is_some() {
        return None;
    }
    let found = table.find(local, peer).ok().flatten()?;
    Some(SocketState { options: reading.options.clone(), ..found })
}

/// A socket whose descriptor was given back: `Some(None)` if it is gone, `None` if there is no way to know.
///
/// A `dup` may still hold it; else it is looked up by its addresses. One that neither has a peer nor listens is in no table, and
/// nothing keeps it.
fn observe_closed(
    held: &Held,
    sockets: &[Arc<Held>],
    table: Option<&SockDiag>,
) -> Option<Option<SocketState>> {
    let open = |other: &&Arc<Held>| !other.is_closed();
    if let Some(same) = sockets.iter().filter(open).find(|other| other.is_same_socket(held)) {
        return Some(Some(observe_open(same)));
    }
    if !held.protocol.is_tcp() {
        // Only TCP goes on when nobody has the socket any more.
        return Some(None);
    }
    let table = table?;
    match held.ends() {
        (Some(local), Some(peer)) => table.find(local, peer).ok(),
        // Another socket may listen there by now.
        (Some(local), None) if !sockets.iter().filter(open).any(|other| other.ends().0 == Some(local)) => {
            table.find_listener(local).ok()
        }
        _ => Some(None),
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.stop();
    }
}

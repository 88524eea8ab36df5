//! The observer of a host: a thread beside it that reads the kernel, so that the host's thread makes the
//! lesson's calls only.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
};

use super::{StageError, spin_recv};
use crate::{
    call::{Protocol, SocketEntry, SocketTable},
    event::Host,
    kernel::{SockDiag, SocketState, observe},
};

/// A socket and its state in the kernel.
#[derive(Debug, Clone)]
pub struct Observation {
    /// The host whose kernel has the socket.
    pub host: Host,
    /// The socket. If `other_end` is true: the socket at the other end of its connection.
    pub entry: Arc<SocketEntry>,
    /// Its state. `None` if the kernel has forgotten it.
    pub socket: Option<SocketState>,
    /// True for a socket that no program has a descriptor of; it is known by the other end of its connection.
    pub other_end: bool,
}

/// The observer's thread.
pub(super) struct Observer {
    /// Whether sockets without a descriptor can be looked up.
    pub has_sock_diag: bool,
    questions: Option<Sender<Question>>,
    thread: Option<JoinHandle<()>>,
}

enum Question {
    All(Sender<Vec<Observation>>),
    Pair(SocketAddr, SocketAddr, Sender<Option<SocketState>>),
}

/// Observations that were asked for.
pub(super) struct Answer(Receiver<Vec<Observation>>);

impl Answer {
    /// Waits for the observations. Returns none if the observer has ended.
    pub fn wait(self) -> Vec<Observation> {
        spin_recv(&self.0).or_else(|| self.0.recv().ok()).unwrap_or_default()
    }
}

impl Observer {
    /// Starts the observer. To be called on the host's thread: the observer shares its descriptor table.
    pub fn start(desk: Arc<SocketTable>) -> Result<Observer, StageError> {
        let (questions, inbox) = mpsc::channel();
        let (ready, started) = mpsc::channel();
        let main = move || {
            let sock_diag = SockDiag::open().ok();
            let _ = ready.send(sock_diag.is_some());
            for question in inbox {
                match question {
                    Question::All(answer) => {
                        let _ = answer.send(observe_all(&desk, sock_diag.as_ref()));
                    }
                    Question::Pair(local, peer, answer) => {
                        let found = sock_diag.as_ref().and_then(|table| table.find(local, peer).ok()?);
                        let _ = answer.send(found);
                    }
                }
            }
        };
        let thread = thread::Builder::new()
            .name("observer".to_owned())
            .spawn(main)
            .map_err(StageError::system("start the thread", "observer"))?;
        // The lesson's calls must wait until the observer's descriptor has moved: its first number belongs to
        // the lesson.
        let has_sock_diag = started.recv().unwrap_or(false);
        Ok(Observer { has_sock_diag, questions: Some(questions), thread: Some(thread) })
    }

    /// Asks for the state of all sockets of the host.
    pub fn observe(&self) -> Answer {
        let (answer, answers) = mpsc::channel();
        self.ask(Question::All(answer));
        Answer(answers)
    }

    /// Returns the state of a connection, given its addresses.
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

impl Drop for Observer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn observe_all(desk: &SocketTable, sock_diag: Option<&SockDiag>) -> Vec<Observation> {
    let sockets = desk.all();
    let observe = |held: &Arc<SocketEntry>| {
        let socket = if held.is_closed() {
            let socket = if held.is_gone() { None } else { observe_closed(held, &sockets, sock_diag)? };
            if socket.is_none() {
                held.mark_gone();
            }
            socket
        } else {
            let socket = observe_open(held);
            held.record_addresses(socket.local, socket.peer);
            Some(sock_diag.and_then(|table| observe_time_wait(held, &socket, table)).unwrap_or(socket))
        };
        Some(Observation { host: desk.host, entry: Arc::clone(held), socket, other_end: false })
    };
    sockets.iter().filter_map(observe).collect()
}

/// The state of an open socket, through its descriptor.
fn observe_open(held: &SocketEntry) -> SocketState {
    let mut socket = observe(held.socket(), held.protocol.is_tcp());
    if held.protocol == Protocol::RawIcmp && socket.local.is_some_and(|local| local.ip().is_unspecified()) {
        // A raw socket has no port. The kernel reports the protocol's number in its place, which is no
        // address.
        socket.local = None;
    }
    socket
}

/// The TIME_WAIT of a connection whose socket is still open: both sides have shut down, so the descriptor
/// refers to a socket in CLOSED, and Linux keeps the TIME_WAIT apart from it.
fn observe_time_wait(held: &SocketEntry, socket: &SocketState, sock_diag: &SockDiag) -> Option<SocketState> {
    let (Some(local), Some(peer)) = held.addresses() else { return None };
    if !held.protocol.is_tcp() || socket.state != Some("CLOSED") || socket.peer.is_some() {
        return None;
    }
    let found = sock_diag.find(local, peer).ok().flatten()?;
    Some(SocketState { options: socket.options.clone(), ..found })
}

/// The state of a socket whose descriptor is closed. `Some(None)` if the kernel has forgotten it; `None` if
/// that cannot be known.
///
/// If a duplicate of the descriptor is open, the socket is read through that. Else it is looked up by its
/// addresses. A socket without a peer that does not listen is in no table, and ends with its last descriptor.
fn observe_closed(
    held: &SocketEntry,
    sockets: &[Arc<SocketEntry>],
    sock_diag: Option<&SockDiag>,
) -> Option<Option<SocketState>> {
    let open = |other: &&Arc<SocketEntry>| !other.is_closed();
    if let Some(same) = sockets.iter().filter(open).find(|other| other.is_same_socket(held)) {
        return Some(Some(observe_open(same)));
    }
    if !held.protocol.is_tcp() {
        // Only TCP sockets outlive their last descriptor.
        return Some(None);
    }
    let sock_diag = sock_diag?;
    match held.addresses() {
        (Some(local), Some(peer)) => sock_diag.find(local, peer).ok(),
        // A listener that another socket at this address may have replaced.
        (Some(local), None)
            if !sockets.iter().filter(open).any(|other| other.addresses().0 == Some(local)) =>
        {
            sock_diag.find_listener(local).ok()
        }
        _ => Some(None),
    }
}

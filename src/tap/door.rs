//! The door: who calls is accepted, the target is called in turn, and two threads carry what both send.

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::{
    End, News,
    pair::{Cut, Pair},
    tape::{Pen, Tape},
};
use crate::{
    call::{errno_name, errno_text},
    stage::{Interest, poll},
};

/// Whoever waits looks so often whether the tap is to end.
const GLANCE: Duration = Duration::from_millis(100);

/// What all threads of a tap share.
pub(super) struct Room {
    /// The addresses of the target, to be tried in this order.
    pub target: Vec<SocketAddr>,
    /// So many connections at once.
    pub limit: usize,
    pub tape: Arc<Tape>,
    stopping: AtomicBool,
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Default)]
struct Inside {
    /// Those who are connected, by number; nothing while the target is still being called.
    here: BTreeMap<u64, Option<Arc<Pair>>>,
    came: u64,
    most: usize,
}

impl Room {
    pub fn new(target: Vec<SocketAddr>, limit: usize, tape: Arc<Tape>) -> Room {
        Room {
            target,
            limit,
            tape,
            stopping: AtomicBool::new(false),
            inside: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// How many connections there were, and at most at once.
    pub fn came(&self) -> (u64, usize) {
        let inside = self.inside();
        (inside.came, inside.most)
    }

    /// Nobody is let in any more, and both streams of every connection end with what has come by now.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.changed.notify_all();
        self.inside().here.values().flatten().for_each(|pair| pair.stop());
    }

    /// Whoever is still there is reset.
    pub fn give_up(&self) {
        self.inside().here.values().flatten().for_each(|pair| pair.give_up());
    }

    /// Connections that are still there.
    pub fn left(&self) -> usize {
        self.inside().here.len()
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until fewer are connected than may be; false if the tap ends. `full` is called once it has to wait.
    fn wait_for_a_seat(&self, mut full: impl FnMut()) -> bool {
        let mut inside = self.inside();
        while inside.here.len() >= self.limit && !self.is_stopping() {
            full();
            let waited = self.changed.wait_timeout(inside, GLANCE);
            inside = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        !self.is_stopping()
    }

    fn enter(&self) -> u64 {
        let mut inside = self.inside();
        inside.came += 1;
        let number = inside.came;
        inside.here.insert(number, None);
        inside.most = inside.most.max(inside.here.len());
        number
    }

    /// Both ends are there. If the tap ends meanwhile, the new pair ends with the others.
    fn connected(&self, number: u64, pair: &Arc<Pair>) {
        self.inside().here.insert(number, Some(Arc::clone(pair)));
        if self.is_stopping() {
            pair.stop();
        }
    }

    fn leave(&self, number: u64) {
        self.inside().here.remove(&number);
        self.changed.notify_all();
    }
}

/// Accepts until the tap ends.
///
/// # Errors
/// If nobody more can be accepted.
pub(super) fn accept_all(
    room: &Arc<Room>,
    listener: &TcpListener,
    mut say: impl FnMut(&str),
) -> io::Result<()> {
    // Between `poll` and `accept` a caller may have gone: then `accept` does not wait for the next.
    listener.set_nonblocking(true)?;
    let (mut said_full, mut short) = (false, false);
    loop {
        let seat = room.wait_for_a_seat(|| {
            if !std::mem::replace(&mut said_full, true) {
                say(&full(room.limit));
            }
        });
        if !seat {
            return Ok(());
        }
        let [caller] = poll([(&*SockRef::from(listener), Interest::Read)], Some(GLANCE))?;
        if !caller.ready {
            continue;
        }
        match listener.accept() {
            Ok((client, address)) => {
                short = false;
                let number = room.enter();
                let pen = room.tape.pen(number);
                pen.note(News::Accepted {
                    client: address,
                    local: client.local_addr().ok(),
                    pen: Arc::clone(&pen),
                });
                let inside = Arc::clone(room);
                let named = thread::Builder::new().name(format!("t{number}"));
                if let Err(error) = named.spawn(move || serve(&inside, number, client, &pen)) {
                    say(&format!("There is no thread for connection t{number}: {error}. It is closed."));
                    room.leave(number);
                }
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
                ) => {}
            Err(error) if is_shortage(&error) => {
                if !std::mem::replace(&mut short, true) {
                    say(&format!(
                        "`accept` failed: {error}. Whoever calls waits in the accept queue until somebody leaves."
                    ));
                }
                let inside = room.inside();
                drop(room.changed.wait_timeout(inside, GLANCE));
            }
            Err(error) => return Err(error),
        }
    }
}

/// EMFILE, ENFILE, ENOBUFS, ENOMEM: it passes.
fn is_shortage(error: &io::Error) -> bool {
    matches!(errno_name(error).as_str(), "EMFILE" | "ENFILE" | "ENOBUFS" | "ENOMEM")
}

fn full(limit: usize) -> String {
    format!(
        "The limit of {limit} at once is reached (`--limit`). Whoever calls now is connected by the kernel and waits in the accept queue until somebody leaves."
    )
}

/// One connection, from the call to the target to the end of both threads.
fn serve(room: &Room, number: u64, client: TcpStream, pen: &Arc<Pen>) {
    // What a program writes goes out at once, as it would without us.
    let prepared = client.set_nonblocking(false).and_then(|()| client.set_nodelay(true));
    let cut = match prepared.and_then(|()| reach(room, &client, pen)) {
        Ok(server) => {
            let pair = Arc::new(Pair::new(client, server));
            room.connected(number, &pair);
            carry_both(number, &pair, pen);
            pair.cut()
        }
        Err(error) => {
            // The kernel has accepted for us: the nearest to a refusal is a RST now.
            let _ = SockRef::from(&client).set_linger(Some(Duration::ZERO));
            drop(client);
            Some(if room.is_stopping() { Cut::Stopped } else { Cut::Reset(End::Server, errno_name(&error)) })
        }
    };
    // Here the last of the pair is closed: what is told to be over is over.
    room.leave(number);
    pen.note(News::Gone { cut, sums: pen.sums() });
}

/// Carries both directions, each on a thread.
fn carry_both(number: u64, pair: &Arc<Pair>, pen: &Arc<Pen>) {
    thread::scope(|scope| {
        let back = thread::Builder::new().name(format!("t{number} back"));
        match back.spawn_scoped(scope, || pair.carry(End::Server, pen)) {
            Ok(_) => pair.carry(End::Client, pen),
            // Half a connection is none.
            Err(_) => pair.give_up(),
        }
    });
}

/// Calls the target, at one of its addresses after the other. Gives up when the caller has, or the tap ends.
fn reach(room: &Room, client: &TcpStream, pen: &Pen) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in &room.target {
        let began = Instant::now();
        match connect(room, *address, client) {
            Ok(server) => {
                let (time, local) = (began.elapsed(), server.local_addr().ok());
                pen.note(News::Connected { target: *address, local, time });
                return Ok(server);
            }
            Err(error) => {
                if !room.is_stopping() {
                    let (errno, words) = (errno_name(&error), errno_text(&error));
                    pen.note(News::NotConnected { target: *address, errno, words, time: began.elapsed() });
                }
                last = error;
            }
        }
    }
    Err(last)
}

fn connect(room: &Room, address: SocketAddr, client: &TcpStream) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    match socket.connect(&address.into()) {
        Err(error) if !is_under_way(&error) => return Err(error),
        _ => {}
    }
    let caller = SockRef::from(client);
    loop {
        let [called, calls] = poll([(&socket, Interest::Write), (&*caller, Interest::None)], Some(GLANCE))?;
        if called.ready || called.error || called.hangup {
            break;
        }
        if calls.error || room.is_stopping() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
    }
    match socket.take_error()? {
        // A refusal is ECONNREFUSED: whoever resets has accepted before, and may have sent something. That is passed on.
        Some(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
        Some(error) => return Err(error),
        None => {}
    }
    socket.set_nonblocking(false)?;
    Ok(socket.into())
}

/// EINPROGRESS: the SYN is on its way, connect(2).
fn is_under_way(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || errno_name(error) == "EINPROGRESS"
}

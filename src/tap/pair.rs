//! The two sockets of a tapped connection, and how one direction is carried: what is read at one end is
//! written at the other.
//!
//! Each direction has a thread, and waits where a program in its place would: in `recv` for bytes, and, where
//! the other side does not take them, for room. While it waits for room nothing is read, so whoever sends is
//! slowed as by that side itself. The end of a stream is passed on as a `shutdown`, a reset as a reset:
//! SO_LINGER 0 and `close`.

use std::{
    io::{self, Read},
    net::{Shutdown, TcpStream},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use socket2::{SockRef, Socket};

use super::{News, queue::Producer};
use crate::sync::lock;
use crate::{
    call::errno_name,
    event::{Close, Host},
    stage::{Interest, poll, send_nonblocking},
};

/// Room for one read, in bytes.
const ROOM: usize = 64 << 10;

/// Who does not take what comes for so long is told of.
const SLOW: Duration = Duration::from_millis(100);

/// What another thread is about to find out is looked for so often.
const SOON: Duration = Duration::from_millis(5);

/// The sockets of both ends.
pub(super) struct Pair {
    sockets: [TcpStream; 2],
    /// The stream from this end has ended, and that was passed on.
    ended: [AtomicBool; 2],
    cut: Mutex<Option<Close>>,
    /// One of the above: there is nothing more to carry.
    over: AtomicBool,
    stopping: AtomicBool,
}

impl Pair {
    /// Of two connections.
    pub fn new(client: TcpStream, server: TcpStream) -> Pair {
        Pair {
            sockets: [client, server],
            ended: [AtomicBool::new(false), AtomicBool::new(false)],
            cut: Mutex::new(None),
            over: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        }
    }

    /// Carries what this end sends to the other one, until its stream ends or the connection breaks off.
    pub fn carry(&self, from: Host, producer: &Producer) {
        let mut room = vec![0; ROOM];
        let mut source = self.of(from);
        loop {
            let count = match source.read(&mut room) {
                Ok(0) if self.broke_off(from) => {
                    return self.cut_off(from, &io::ErrorKind::ConnectionReset.into());
                }
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return self.cut_off(from, &error),
            };
            // It is noted before it is passed on, so that no answer can be told before its question.
            producer.read(from, &room[..count]);
            match self.pass_on(from, &room[..count], producer) {
                Ok(()) => producer.wake(),
                Err((end, error)) => return self.cut_off(end, &error),
            }
        }
        if self.over.load(Ordering::Acquire) {
            return;
        }
        if !self.stopping.load(Ordering::Acquire) {
            producer.note(News::Ended { from });
        }
        self.ended[from.index()].store(true, Ordering::Release);
        // If that end is gone already, whoever reads from it finds out.
        let _ = self.of(from.other()).shutdown(Shutdown::Write);
        self.watch(from);
    }

    /// Writes it all, waiting for room if need be. Meanwhile a reset of the end that it came from is noticed
    /// too: what is left is then thrown away, as the kernel of either end would do.
    fn pass_on(&self, from: Host, bytes: &[u8], producer: &Producer) -> Result<(), (Host, io::Error)> {
        let to = from.other();
        let (source, sink) = (SockRef::from(self.of(from)), SockRef::from(self.of(to)));
        let (mut rest, mut waiting, mut watched) = (bytes, None, true);
        loop {
            match send_nonblocking(&sink, rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err((to, error)),
            }
            if rest.is_empty() {
                break;
            }
            if waiting.is_none() {
                waiting = Some(Instant::now());
                producer.wake();
            }
            let other: &Socket = if watched { &source } else { &sink };
            let [_, seen] = poll([(&*sink, Interest::Write), (other, Interest::None)], None)
                .map_err(|error| (to, error))?;
            if !watched {
                continue;
            }
            let done = self.ended[to.index()].load(Ordering::Acquire);
            if seen.error || (seen.hangup && !done) {
                return Err((from, error_of(&source)));
            }
            // Both streams of that end have ended: it stays so, and would be said again and again.
            watched = !seen.hangup;
        }
        if let Some(since) = waiting.filter(|since| since.elapsed() >= SLOW) {
            producer.note(News::Waited { from, time: since.elapsed() });
        }
        Ok(())
    }

    /// Behind the end of its stream a direction has no more to do but this: it sees whether either end is
    /// reset. Who reads from the other end may wait for bytes of it, and would never know.
    fn watch(&self, from: Host) {
        let (source, sink) = (SockRef::from(self.of(from)), SockRef::from(self.of(from.other())));
        let mut sink_too = true;
        while !self.over.load(Ordering::Acquire) {
            let second: &Socket = if sink_too { &sink } else { &source };
            let wanted = [(&*source, Interest::None), (second, Interest::None)];
            let Ok([mine, other]) = poll(wanted, if sink_too { None } else { Some(SOON) }) else {
                return;
            };
            if mine.error || (sink_too && other.error) {
                // Said before the error is taken: who reads from that end then gets an end of stream, and
                // must not pass it on.
                self.over.store(true, Ordering::Release);
                let (end, socket) = if mine.error { (from, &source) } else { (from.other(), &sink) };
                return self.cut_off(end, &error_of(socket));
            }
            if mine.hangup {
                return;
            }
            // The other end's stream has ended as well, or was reset: its thread is about to read that.
            // Nothing more would wake this one if it was a reset.
            sink_too &= !other.hangup;
            if !cfg!(target_os = "linux") {
                return;
            }
        }
    }

    /// Whether an end of stream is none: the thread that writes to this end has got the error of a reset, and
    /// nothing is left of it here but that all is over, though nobody has ended the other direction.
    fn broke_off(&self, from: Host) -> bool {
        let socket = SockRef::from(self.of(from));
        let gone = poll([(&*socket, Interest::None)], Some(Duration::ZERO))
            .is_ok_and(|[seen]| seen.error || seen.hangup);
        // Looked at in this order: what ends the other direction says so before it does.
        gone && !self.ended[from.other().index()].load(Ordering::Acquire) && !self.is_over()
    }

    /// One end broke off: so does the other. Both are closed when both threads have come back.
    fn cut_off(&self, end: Host, error: &io::Error) {
        let why = if self.stopping.load(Ordering::Acquire) {
            Close::Stopped
        } else {
            Close::Reset { from: end, errno: errno_name(error) }
        };
        lock(&self.cut).get_or_insert(why);
        self.reset();
    }

    fn reset(&self) {
        self.over.store(true, Ordering::Release);
        for socket in &self.sockets {
            // A `close` is then a RST: socket(7).
            let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
            // Nothing is sent by this; it ends a `recv` that waits.
            let _ = socket.shutdown(Shutdown::Read);
        }
    }

    /// The tap ends: what has come is still passed on, and then the end of both streams.
    pub fn stop(&self) {
        if self.ended.iter().all(|ended| ended.load(Ordering::Acquire)) {
            // It is about to close by itself.
            return;
        }
        self.stopping.store(true, Ordering::Release);
        for socket in &self.sockets {
            let _ = socket.shutdown(Shutdown::Read);
        }
    }

    /// The tap has ended, and somebody does not take what is left.
    pub fn give_up(&self) {
        lock(&self.cut).get_or_insert(Close::Stopped);
        self.reset();
        for socket in &self.sockets {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// How it ended.
    pub fn close(&self) -> Close {
        let cut = lock(&self.cut).clone();
        let stopped = self.stopping.load(Ordering::Acquire).then_some(Close::Stopped);
        cut.or(stopped).unwrap_or(Close::Fin)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire) || self.stopping.load(Ordering::Acquire)
    }

    fn of(&self, end: Host) -> &TcpStream {
        &self.sockets[end.index()]
    }
}

/// The error that a socket has; a reset, if another thread has taken it already (SO_ERROR gives it once).
fn error_of(socket: &Socket) -> io::Error {
    socket.take_error().ok().flatten().unwrap_or_else(|| io::ErrorKind::ConnectionReset.into())
}

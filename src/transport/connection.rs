//! The connection that both ends of every transport share. Two threads may use it: one reads, one writes.
//!
//! A [`Connection`] is a connected socket. Any thread that has it may send, and the bytes of one
//! [`Connection::send`] stay together. One thread reads: it has the [`ReadHalf`], which keeps the received
//! bytes that were not consumed yet. Each read has a timeout (SO_RCVTIMEO, socket(7)), so that heartbeats can
//! be watched without polling.

use std::{
    borrow::Cow,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use socket2::{Domain, Socket, Type};
use thiserror::Error;

use super::events::{Happened, Reporter};
use crate::random::NoRandomness;
use crate::sync::lock;
use crate::{
    call::{Protocol, SocketEntry},
    websocket::opening::is_timeout,
    wire::{Malformed, http::HeadError},
};

/// Buffer size of each recv, in bytes.
const ROOM: usize = 16 << 10;

/// Time in which the peer must accept at least one byte of what is sent. After it, the send fails.
const STUCK: Duration = Duration::from_secs(10);

/// Write timeout. After each, a blocked sender checks whether the connection is still wanted.
const SLICE: Duration = Duration::from_millis(500);

/// Grace period in which a slow peer can take its last message and the close, before the send fails.
const GRACE: Duration = Duration::from_secs(1);

/// Size of the send buffer, in bytes, where old messages are worthless.
const LITTLE: usize = 4 << 10;

/// Longest time and most bytes that are read and discarded after the FIN. Without that, a RST could destroy
/// data that the peer has not read yet.
const LINGER: (Duration, usize) = (Duration::from_secs(1), 64 << 10);

/// Why a connection failed.
#[derive(Debug, Error)]
pub enum Fault {
    /// A system call failed.
    #[error("{0} failed: {1}")]
    Call(&'static str, io::Error),
    /// The stream ended in the middle of a unit.
    #[error("the stream ended {0}")]
    CutOff(String),
    /// The peer closed the connection against the protocol.
    #[error("{0}")]
    Ended(String),
    /// Something did not arrive in time.
    #[error("{0}")]
    Late(String),
    /// The peer broke a rule.
    #[error(transparent)]
    Broken(#[from] Malformed),
    /// The peer broke a rule of WebSocket frames, and was sent a Close frame with this code.
    #[error("{words} ({section}): broken at byte {offset} of the frames, answered with {code}")]
    Rule {
        /// The rule.
        words: &'static str,
        /// The section that states the rule.
        section: &'static str,
        /// The byte that breaks it.
        offset: u64,
        /// The code of the Close frame.
        code: u16,
    },
    /// The peer broke a rule of HTTP, and was sent a response with this status.
    #[error("answered with {status}: {why}")]
    Status {
        /// The status code.
        status: u16,
        /// The rule, and the section that states it.
        why: String,
    },
    /// The peer exceeded one of our limits.
    #[error("{0}")]
    Limit(String),
    /// The peer refused, in the words of the protocol.
    #[error("{0}")]
    Refused(String),
    /// The kernel returned no random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// Our own side requested something impossible.
    #[error("{0}")]
    Asked(String),
}

impl From<HeadError> for Fault {
    fn from(error: HeadError) -> Fault {
        Fault::Broken(error.malformed)
    }
}

impl Fault {
    /// Returns a fault for a broken rule.
    pub fn broken(
        what: impl Into<Cow<'static, str>>,
        needed: impl Into<Cow<'static, str>>,
        had: &[u8],
        section: &'static str,
    ) -> Fault {
        Fault::Broken(Malformed::of(what, needed, had, section))
    }

    /// Returns whether the peer broke a rule or exceeded a limit.
    pub fn is_broken(&self) -> bool {
        matches!(self, Fault::Broken(_) | Fault::Rule { .. } | Fault::Status { .. } | Fault::Limit(_))
    }

    /// Returns whether the connection was cut, so that a new connection may help.
    pub fn is_cut(&self) -> bool {
        matches!(self, Fault::Call(..) | Fault::CutOff(_) | Fault::Ended(_) | Fault::Late(_))
    }
}

/// A connected socket that threads share. The socket is closed when the last reference is dropped.
#[derive(Debug)]
pub struct Connection {
    held: SocketEntry,
    number: u64,
    peer: SocketAddr,
    news: Reporter,
    /// Held while bytes are sent, so that one thread sends at a time.
    sending: Mutex<()>,
    /// The timeout of the last read.
    patience: Mutex<Option<Duration>>,
    /// Most bytes that the peer may send on this connection. A read beyond them fails.
    most: u64,
    /// Whether the sending half, or both halves, were shut down.
    ended: AtomicBool,
    /// Deadline for sends to a peer that is to be dropped.
    impatient: OnceLock<Instant>,
}

impl Connection {
    /// Tries the addresses in order until one accepts, as browsers and curl do.
    ///
    /// # Errors
    /// Fails with the error of the last address.
    pub fn call(to: &[SocketAddr], within: Duration, news: &Reporter) -> Result<Arc<Connection>, Fault> {
        let mut last = Fault::Asked("there is no address to call".to_owned());
        let number = news.next_connection();
        for address in to {
            let connected = Socket::new(Domain::for_address(*address), Type::STREAM, None)
                .map_err(|error| Fault::Call("socket", error))
                .and_then(|socket| {
                    let outcome = socket.connect_timeout(&(*address).into(), within);
                    outcome.map_err(|error| Fault::Call("connect", error))?;
                    Connection::of(socket, *address, number, news, u64::MAX)
                });
            match connected {
                Ok(connection) => {
                    news.tell(number, "TCP", Happened::Connected(address.to_string()));
                    return Ok(connection);
                }
                Err(fault) => last = fault,
            }
        }
        Err(last)
    }

    /// Wraps a connected socket with the number `number`. A read fails once the peer has sent more than
    /// `most` bytes.
    ///
    /// # Errors
    /// Fails if a socket option can't be set. The socket is closed then.
    pub fn of(
        socket: Socket,
        peer: SocketAddr,
        number: u64,
        news: &Reporter,
        most: u64,
    ) -> Result<Arc<Connection>, Fault> {
        let option = |error| Fault::Call("setsockopt", error);
        // Otherwise Nagle's algorithm (RFC 9293 §3.7.4) delays a small segment until the previous one is
        // acknowledged.
        socket.set_tcp_nodelay(true).map_err(option)?;
        // SO_SNDTIMEO, socket(7): a peer that does not read can't block a thread for ever.
        socket.set_write_timeout(Some(SLICE)).map_err(option)?;
        let protocol = if peer.is_ipv6() { Protocol::Tcp6 } else { Protocol::Tcp };
        let held = SocketEntry::standalone(&format!("c{number}"), protocol, socket);
        Ok(Arc::new(Connection {
            held,
            number,
            peer,
            news: news.clone(),
            sending: Mutex::default(),
            patience: Mutex::default(),
            most,
            ended: AtomicBool::new(false),
            impatient: OnceLock::new(),
        }))
    }

    /// Returns the number of the connection, counted from 1 in the order of arrival.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the peer's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Returns the local address.
    pub fn local(&self) -> Option<SocketAddr> {
        self.held.socket().local_addr().ok()?.as_socket()
    }

    /// Returns the number of bytes received and sent so far.
    pub fn traffic(&self) -> (u64, u64) {
        self.held.traffic()
    }

    /// Returns the reading half. One thread has it.
    pub fn read_half(self: &Arc<Connection>) -> ReadHalf {
        ReadHalf { connection: Arc::clone(self), bytes: Vec::new(), taken: 0 }
    }

    /// Reports an event on this connection.
    pub fn tell(&self, layer: &'static str, what: Happened) {
        self.news.tell(self.number, layer, what);
    }

    /// Sends all bytes. Bytes of other threads go before or behind them, never between.
    ///
    /// # Errors
    /// Fails with [`Fault::Call`], or with [`Fault::Limit`] if the peer accepts nothing for ten seconds, or
    /// does not accept all in time after [`Connection::lose_patience`]. After a failure the stream is no
    /// longer usable, because a unit may be incomplete.
    pub fn send(&self, bytes: &[u8]) -> Result<(), Fault> {
        let sending = lock(&self.sending);
        self.send_within(bytes, &sending)
    }

    /// Sends the bytes that `bytes` returns. `bytes` is called when it is this thread's turn to send, so it
    /// can still decide to send nothing behind a close.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub fn send_in_turn(&self, bytes: impl FnOnce() -> Option<Vec<u8>>) -> Result<(), Fault> {
        let sending = lock(&self.sending);
        bytes().map_or(Ok(()), |bytes| self.send_within(&bytes, &sending))
    }

    fn send_within(&self, bytes: &[u8], _turn: &MutexGuard<'_, ()>) -> Result<(), Fault> {
        let mut rest = bytes;
        let mut moved = Instant::now();
        while !rest.is_empty() {
            match self.held.send(rest).outcome {
                Ok(count) => (rest, moved) = (&rest[count..], Instant::now()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(Fault::Call("send", error)),
            }
            if rest.is_empty() {
                break;
            }
            if self.impatient.get().is_some_and(|until| *until <= Instant::now()) {
                return Err(Fault::Limit(
                    "it is slower than the rest, and took no goodbye in time".to_owned(),
                ));
            }
            if moved.elapsed() >= STUCK {
                let said = format!("it took nothing of what was sent to it for {} s", STUCK.as_secs());
                return Err(Fault::Limit(said));
            }
        }
        Ok(())
    }

    /// Sets a deadline for all sends to this peer: one second from now. Later calls do not move it.
    pub fn lose_patience(&self) {
        self.impatient.get_or_init(|| Instant::now() + GRACE);
    }

    /// Makes the kernel's send buffer small (SO_SNDBUF, socket(7)), so that messages wait in the outbox,
    /// where newer ones can replace them.
    pub fn keep_little(&self) {
        let _ = self.held.socket().set_send_buffer_size(LITTLE);
    }

    /// Returns whether [`Connection::end`] or [`Connection::cut`] was called.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Shuts down the sending half: a FIN follows the bytes sent so far (shutdown(2), SHUT_WR).
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
        let _ = self.held.socket().shutdown(std::net::Shutdown::Write);
    }

    /// Shuts down the reading half: a blocked reader wakes and reads the end of the stream. Sends still work.
    pub fn hear_no_more(&self) {
        let _ = self.held.socket().shutdown(std::net::Shutdown::Read);
    }

    /// Shuts down both halves: threads blocked in a call on the socket return.
    pub fn cut(&self) {
        self.ended.store(true, Ordering::Release);
        let _ = self.held.socket().shutdown(std::net::Shutdown::Both);
    }

    /// Makes the close of the socket send a RST, not a FIN (SO_LINGER 0, socket(7)).
    pub fn will_be_reset(&self) {
        let _ = self.held.socket().set_linger(Some(Duration::ZERO));
    }

    /// Sets the timeout of the next read. It is at least 1 ms, because 0 would mean no timeout.
    fn wait_at_most(&self, wanted: Option<Duration>) -> Result<(), Fault> {
        let wanted = wanted.map(|time| time.max(Duration::from_millis(1)));
        let mut patience = lock(&self.patience);
        if *patience != wanted {
            let set = self.held.socket().set_read_timeout(wanted);
            set.map_err(|error| Fault::Call("setsockopt", error))?;
            *patience = wanted;
        }
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        drop(self.held.take_owner());
    }
}

/// The outcome of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOutcome {
    /// More bytes were received.
    Bytes,
    /// The stream has ended.
    End,
    /// Nothing arrived in time.
    TimedOut,
}

/// The reading half of a connection.
#[derive(Debug)]
pub struct ReadHalf {
    connection: Arc<Connection>,
    bytes: Vec<u8>,
    /// Length of the prefix of `bytes` that was consumed.
    taken: usize,
}

impl ReadHalf {
    /// Returns the connection.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Returns the received bytes that were not consumed yet.
    pub fn unread(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// Consumes the first `count` unread bytes.
    pub fn take(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.bytes.len());
        if self.taken == self.bytes.len() {
            self.bytes.clear();
            self.taken = 0;
        }
    }

    /// Consumes all unread bytes and returns them.
    pub fn take_all(&mut self) -> Vec<u8> {
        let rest = self.bytes.split_off(self.taken);
        self.take(self.bytes.len());
        rest
    }

    /// Puts `bytes` back in front of the unread bytes.
    pub fn put_back(&mut self, bytes: Vec<u8>) {
        let rest = self.take_all();
        self.bytes = bytes;
        self.bytes.extend_from_slice(&rest);
    }

    /// Waits up to `until` for more bytes, and receives them. Without `until`, waits without limit.
    ///
    /// # Errors
    /// Fails with [`Fault::Call`], or with [`Fault::Limit`] if the peer sent more bytes than it may.
    pub fn read_more(&mut self, until: Option<Instant>) -> Result<ReadOutcome, Fault> {
        loop {
            self.connection
                .wait_at_most(until.map(|until| until.saturating_duration_since(Instant::now())))?;
            match self.connection.held.recv(ROOM).outcome {
                Ok(came) if came.is_empty() => return Ok(ReadOutcome::End),
                Ok(came) => {
                    if self.connection.traffic().0 > self.connection.most {
                        let said = format!("it sent more than {} bytes", self.connection.most);
                        return Err(Fault::Limit(said));
                    }
                    self.bytes.drain(..self.taken);
                    self.taken = 0;
                    self.bytes.extend_from_slice(&came);
                    return Ok(ReadOutcome::Bytes);
                }
                Err(error) if is_timeout(&error) => return Ok(ReadOutcome::TimedOut),
                // A signal interrupted the call. Another thread checks whether it means shutdown.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    if until.is_some_and(|until| until <= Instant::now()) {
                        return Ok(ReadOutcome::TimedOut);
                    }
                }
                Err(error) => return Err(Fault::Call("recv", error)),
            }
        }
    }

    /// Shuts down the sending half, then reads and discards for a short time. Otherwise a RST could destroy
    /// data that the peer has not read yet.
    pub fn linger(&mut self) {
        self.connection.end();
        let until = Instant::now() + LINGER.0;
        let mut had = 0;
        while had < LINGER.1 && Instant::now() < until {
            self.take_all();
            match self.read_more(Some(until)) {
                Ok(ReadOutcome::Bytes) => had += self.unread().len(),
                Ok(ReadOutcome::End | ReadOutcome::TimedOut) | Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// Both ends of a connection on loopback.
    pub fn pair() -> (Arc<Connection>, Arc<Connection>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (news, _told) = Reporter::new();
        let client =
            Connection::call(&[listener.local_addr().unwrap()], Duration::from_secs(5), &news).unwrap();
        let (socket, peer) = listener.accept().unwrap();
        (client, Connection::of(socket.into(), peer, 1, &news, 1 << 20).unwrap())
    }

    #[test]
    fn one_thread_reads_while_others_write() {
        let (one, other) = pair();
        let writers: Vec<_> = (b'a'..b'e')
            .map(|letter| {
                let one = Arc::clone(&one);
                thread::spawn(move || (0..50).for_each(|_| one.send(&[letter; 1000]).unwrap()))
            })
            .collect();
        let mut incoming = other.read_half();
        while incoming.unread().len() < 200_000 {
            assert_eq!(
                incoming.read_more(Some(Instant::now() + Duration::from_secs(5))).unwrap(),
                ReadOutcome::Bytes
            );
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        // What one send sent is whole.
        assert!(incoming.take_all().chunks(1000).all(|piece| piece.iter().all(|byte| *byte == piece[0])));
        assert_eq!((one.traffic().1, other.traffic().0), (200_000, 200_000));
    }

    #[test]
    fn a_read_gives_up_when_its_time_is_over_and_the_end_is_seen() {
        let (one, other) = pair();
        let mut incoming = other.read_half();
        let began = Instant::now();
        assert_eq!(
            incoming.read_more(Some(began + Duration::from_millis(30))).unwrap(),
            ReadOutcome::TimedOut
        );
        assert!(began.elapsed() >= Duration::from_millis(25));
        one.send(b"hello").unwrap();
        one.end();
        assert_eq!(incoming.read_more(None).unwrap(), ReadOutcome::Bytes);
        incoming.take(2);
        incoming.put_back(b"HE".to_vec());
        assert_eq!(incoming.unread(), b"HEllo");
        assert_eq!(incoming.read_more(None).unwrap(), ReadOutcome::End);
    }

    #[test]
    fn who_sends_more_than_it_may_is_a_fault() {
        let (one, other) = pair();
        let sender = thread::spawn(move || drop(one.send(&vec![0; 2 << 20])));
        let mut incoming = other.read_half();
        let fault = loop {
            incoming.take_all();
            match incoming.read_more(None) {
                Ok(ReadOutcome::Bytes) => {}
                Ok(other) => panic!("{other:?}"),
                Err(fault) => break fault,
            }
        };
        assert!(matches!(fault, Fault::Limit(_)), "{fault}");
        drop((incoming, other));
        sender.join().unwrap();
    }

    #[test]
    fn who_takes_nothing_is_given_up_soon_once_there_is_a_hurry() {
        let (one, other) = pair();
        let sending = Arc::clone(&one);
        let sender = thread::spawn(move || sending.send(&vec![0; 64 << 20]));
        // It has begun, so it is in the middle; and nobody reads on.
        assert_eq!(other.read_half().read_more(None).unwrap(), ReadOutcome::Bytes);
        let began = Instant::now();
        one.lose_patience();
        let outcome = sender.join().unwrap();
        assert!(matches!(outcome, Err(Fault::Limit(_))), "{outcome:?}");
        assert!(began.elapsed() < STUCK, "{:?}", began.elapsed());
    }

    #[test]
    fn a_reset_is_seen_as_one() {
        let (one, other) = pair();
        one.will_be_reset();
        drop(one);
        let fault = other.read_half().read_more(None).unwrap_err();
        assert!(fault.is_cut() && fault.to_string().contains("recv"), "{fault}");
    }
}

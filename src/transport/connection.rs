//! What both ends of every transport share: a connection that two threads may use, one to read and one to write.
//!
//! A [`Connection`] is a connected socket. Whoever has it may send: what is sent by one [`Connection::send`] goes out as a whole, whatever
//! other threads send meanwhile. Reading is one thread's affair: [`ReadHalf`] is the reading half, and keeps what has come and
//! was not taken yet. Each read has a time at which it gives up (SO_RCVTIMEO, socket(7)), so that heart-beats can be watched
//! without looking again and again.

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

/// Room offered to each recv, in bytes.
const ROOM: usize = 16 << 10;

/// Who does not take what is sent to it for so long is given up.
const STUCK: Duration = Duration::from_secs(10);

/// Whoever waits for that looks so often whether it is still worth it.
const SLICE: Duration = Duration::from_millis(500);

/// Who is to be rid of, and is still in the middle of something, gets so long to take that, and a goodbye behind it.
const GRACE: Duration = Duration::from_secs(1);

/// Room for what the peer's kernel does not take yet, where what is old is worth nothing, in bytes.
const LITTLE: usize = 4 << 10;

/// How long, and for how many bytes, one listens to a peer to whom all has been said, so that no RST takes away what it has
/// not read yet.
const LINGER: (Duration, usize) = (Duration::from_secs(1), 64 << 10);

/// Why a connection, or what goes over it, comes to an end before it should.
#[derive(Debug, Error)]
pub enum Fault {
    /// A call failed.
    #[error("{0} failed: {1}")]
    Call(&'static str, io::Error),
    /// The stream ended in the middle of something.
    #[error("the stream ended {0}")]
    CutOff(String),
    /// The peer ended it, and not as the protocol wants it.
    #[error("{0}")]
    Ended(String),
    /// Something did not come in time.
    #[error("{0}")]
    Late(String),
    /// The peer broke a rule.
    #[error(transparent)]
    Broken(#[from] Malformed),
    /// The peer broke a rule of WebSocket frames, and was told by a Close with this code.
    #[error("{words} ({section}): broken at byte {offset} of the frames, answered with {code}")]
    Rule {
        /// The rule.
        words: &'static str,
        /// Where it stands.
        section: &'static str,
        /// The byte that breaks it.
        offset: u64,
        /// The code of the Close.
        code: u16,
    },
    /// The peer broke a rule of HTTP, and was told by a response with this status.
    #[error("answered with {status}: {why}")]
    Status {
        /// The status code.
        status: u16,
        /// Which rule, and where it stands.
        why: String,
    },
    /// The peer passed a limit of ours.
    #[error("{0}")]
    Limit(String),
    /// The peer said no, in the words of the protocol.
    #[error("{0}")]
    Refused(String),
    /// The kernel gave no random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// It was asked for something that can't be: by us, not by the peer.
    #[error("{0}")]
    Asked(String),
}

impl From<HeadError> for Fault {
    fn from(error: HeadError) -> Fault {
        Fault::Broken(error.malformed)
    }
}

impl Fault {
    /// A broken rule.
    pub fn broken(
        what: impl Into<Cow<'static, str>>,
        needed: impl Into<Cow<'static, str>>,
        had: &[u8],
        section: &'static str,
    ) -> Fault {
        Fault::Broken(Malformed::of(what, needed, had, section))
    }

    /// Whether a rule was broken, or a limit passed.
    pub fn is_broken(&self) -> bool {
        matches!(self, Fault::Broken(_) | Fault::Rule { .. } | Fault::Status { .. } | Fault::Limit(_))
    }

    /// Whether the connection was cut: to call again may help.
    pub fn is_cut(&self) -> bool {
        matches!(self, Fault::Call(..) | Fault::CutOff(_) | Fault::Ended(_) | Fault::Late(_))
    }
}

/// A connected socket, for as many threads as need it. It is closed when the last one lets go.
#[derive(Debug)]
pub struct Connection {
    held: SocketEntry,
    number: u64,
    peer: SocketAddr,
    news: Reporter,
    /// One at a time sends.
    sending: Mutex<()>,
    /// The limit of the last read.
    patience: Mutex<Option<Duration>>,
    /// So many bytes may come in all.
    most: u64,
    /// The sending half was ended, or all of it.
    ended: AtomicBool,
    /// Until when something may still be sent to who is to be rid of.
    impatient: OnceLock<Instant>,
}

impl Connection {
    /// Calls one address after the other until one answers, as browsers and curl do.
    ///
    /// # Errors
    /// What the last of them said.
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

    /// A connected socket that is the `number`th of its kind, and from which at most so many bytes are taken.
    ///
    /// # Errors
    /// If its options can't be set: it is not connected any more then.
    pub fn of(
        socket: Socket,
        peer: SocketAddr,
        number: u64,
        news: &Reporter,
        most: u64,
    ) -> Result<Arc<Connection>, Fault> {
        let option = |error| Fault::Call("setsockopt", error);
        // Else what follows an answer that is not acknowledged yet would wait for that (Nagle's algorithm, RFC 9293 §3.7.4).
        socket.set_tcp_nodelay(true).map_err(option)?;
        // SO_SNDTIMEO, socket(7): who does not read can't hold a thread for ever.
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

    /// Its number, counted from 1 in the order in which they came.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Who is at the other end.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Our own address.
    pub fn local(&self) -> Option<SocketAddr> {
        self.held.socket().local_addr().ok()?.as_socket()
    }

    /// Bytes received and sent so far.
    pub fn traffic(&self) -> (u64, u64) {
        self.held.traffic()
    }

    /// The reading half. One thread has it.
    pub fn read_half(self: &Arc<Connection>) -> ReadHalf {
        ReadHalf { connection: Arc::clone(self), bytes: Vec::new(), taken: 0 }
    }

    /// Tells what happened here.
    pub fn tell(&self, layer: &'static str, what: Happened) {
        self.news.tell(self.number, layer, what);
    }

    /// Sends all bytes. What other threads send goes before or behind them, never between.
    ///
    /// # Errors
    /// [`Fault::Call`], or [`Fault::Limit`] if the peer takes nothing for ten seconds, or does not take all in time once
    /// [`Connection::lose_patience`] was called. Whatever follows would be no message any more.
    pub fn send(&self, bytes: &[u8]) -> Result<(), Fault> {
        let sending = lock(&self.sending);
        self.send_within(bytes, &sending)
    }

    /// Sends what `bytes` gives, which it is asked for when it is this thread's turn: so nothing goes out behind a goodbye.
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

    /// Nobody waits for this peer any more: what is being sent to it, and a goodbye, have a second to go out.
    pub fn lose_patience(&self) {
        self.impatient.get_or_init(|| Instant::now() + GRACE);
    }

    /// So little waits in the kernel for the peer (SO_SNDBUF, socket(7)) that what waits is chosen by us, and not old.
    pub fn keep_little(&self) {
        let _ = self.held.socket().set_send_buffer_size(LITTLE);
    }

    /// Whether [`Connection::end`] or [`Connection::cut`] was called.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Nothing more will be sent: a FIN goes out behind all that was (shutdown(2), SHUT_WR).
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
        let _ = self.held.socket().shutdown(std::net::Shutdown::Write);
    }

    /// Wakes whoever reads: for it the stream is at its end. What can still be sent goes out.
    pub fn hear_no_more(&self) {
        let _ = self.held.socket().shutdown(std::net::Shutdown::Read);
    }

    /// Ends both halves: whoever waits in a call on it comes back.
    pub fn cut(&self) {
        self.ended.store(true, Ordering::Release);
        let _ = self.held.socket().shutdown(std::net::Shutdown::Both);
    }

    /// When the last thread lets go of it, a RST goes out and not a FIN (SO_LINGER 0, socket(7)).
    pub fn will_be_reset(&self) {
        let _ = self.held.socket().set_linger(Some(Duration::ZERO));
    }

    /// How long the next read waits; 0 would mean for ever.
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

/// What a read came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOutcome {
    /// There is more than before.
    Bytes,
    /// The stream is at its end.
    End,
    /// Nothing came in time.
    TimedOut,
}

/// The reading half of a line.
#[derive(Debug)]
pub struct ReadHalf {
    connection: Arc<Connection>,
    bytes: Vec<u8>,
    /// So many of them were taken.
    taken: usize,
}

impl ReadHalf {
    /// The line.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// What has come and was not taken yet.
    pub fn unread(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// The first so many of them are taken.
    pub fn take(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.bytes.len());
        if self.taken == self.bytes.len() {
            self.bytes.clear();
            self.taken = 0;
        }
    }

    /// All of them are taken.
    pub fn take_all(&mut self) -> Vec<u8> {
        let rest = self.bytes.split_off(self.taken);
        self.take(self.bytes.len());
        rest
    }

    /// What was taken too early comes first again.
    pub fn put_back(&mut self, bytes: Vec<u8>) {
        let rest = self.take_all();
        self.bytes = bytes;
        self.bytes.extend_from_slice(&rest);
    }

    /// One recv: waits until more comes, at most until then.
    ///
    /// # Errors
    /// [`Fault::Call`], or [`Fault::Limit`] if more came than may.
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
                // A signal. If it is for us, somebody else looks for it.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    if until.is_some_and(|until| until <= Instant::now()) {
                        return Ok(ReadOutcome::TimedOut);
                    }
                }
                Err(error) => return Err(Fault::Call("recv", error)),
            }
        }
    }

    /// All has been said: ends the sending half, and listens a little longer, so that a RST does not take away what the peer has not
    /// read yet.
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

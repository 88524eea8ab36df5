//! The desk of a host: the sockets that it holds, by the names that the lesson gave them.

use std::{
    mem::ManuallyDrop,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use socket2::Socket;

use super::{Ran, recv, send, system};
use crate::event::Host;
use crate::sync::lock;

/// What a socket speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// TCP over IPv4.
    Tcp,
    /// UDP over IPv4.
    Udp,
    /// TCP over IPv6.
    Tcp6,
    /// UDP over IPv6.
    Udp6,
    /// ICMP as far as pings go: the kernel makes the identifier and the checksum, see icmp(7).
    Icmp,
    /// ICMP over IPv4 by hand, see raw(7).
    RawIcmp,
}

impl Protocol {
    /// `tcp`, `udp`, `tcp6`, `udp6`, `icmp`, `raw-icmp`
    pub const ALL: [(&'static str, Protocol); 6] = [
        ("tcp", Protocol::Tcp),
        ("udp", Protocol::Udp),
        ("tcp6", Protocol::Tcp6),
        ("udp6", Protocol::Udp6),
        ("icmp", Protocol::Icmp),
        ("raw-icmp", Protocol::RawIcmp),
    ];

    /// As in a lesson.
    pub fn name(self) -> &'static str {
        Protocol::ALL.iter().find(|(_, protocol)| *protocol == self).map_or("", |(name, _)| name)
    }

    /// Whether it is TCP.
    pub fn is_tcp(self) -> bool {
        matches!(self, Protocol::Tcp | Protocol::Tcp6)
    }

    /// Whether it runs over IPv6.
    pub fn is_v6(self) -> bool {
        matches!(self, Protocol::Tcp6 | Protocol::Udp6)
    }
}

/// A socket of a host.
///
/// It outlives its descriptor: what the kernel does with a connection after `close` is part of the lesson. And a call that
/// waits on another thread must not keep the descriptor open, so `close` takes it away beneath that call, as in C.
///
/// Dropping it closes nothing: a host's descriptors are numbers of its own thread's table, and the last one to let go may be
/// another thread. The host closes them, by [`Held::take`] or [`Desk::clear`].
#[derive(Debug)]
pub struct Held {
    /// Its name in the lesson.
    pub name: String,
    /// What it speaks.
    pub protocol: Protocol,
    socket: ManuallyDrop<Socket>,
    closed: AtomicBool,
    gone: AtomicBool,
    /// The same for all descriptors of one socket.
    identity: Arc<()>,
    leftover: Mutex<Vec<u8>>,
    received: AtomicU64,
    sent: AtomicU64,
    ends: Mutex<(Option<SocketAddr>, Option<SocketAddr>)>,
    called: Mutex<Option<SocketAddr>>,
}

impl Held {
    /// A socket that stands on no desk: whoever holds it closes it, by [`Held::take`].
    pub fn alone(name: &str, protocol: Protocol, socket: Socket) -> Held {
        Held::new(name, protocol, socket, Arc::default())
    }

    fn new(name: &str, protocol: Protocol, socket: Socket, identity: Arc<()>) -> Held {
        Held {
            name: name.to_owned(),
            protocol,
            socket: ManuallyDrop::new(socket),
            closed: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            identity,
            leftover: Mutex::default(),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            ends: Mutex::default(),
            called: Mutex::default(),
        }
    }

    /// Bytes received and sent so far, by [`Held::recv`] and [`Held::send`].
    pub fn traffic(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed))
    }

    /// `recv(2)`, counted.
    pub fn recv(&self, room: usize) -> Ran<Vec<u8>> {
        let ran = recv::recv(&self.socket, room, &[]).map(|came| came.bytes);
        if let Ok(bytes) = &ran.outcome {
            self.received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        ran
    }

    /// `send(2)`, counted.
    pub fn send(&self, bytes: &[u8]) -> Ran<usize> {
        let ran = send::send(&self.socket, bytes, &[]);
        if let Ok(count) = &ran.outcome {
            self.sent.fetch_add(*count as u64, Ordering::Relaxed);
        }
        ran
    }

    /// The socket itself.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Its descriptor; still the number that it had once it is closed.
    pub fn descriptor(&self) -> i64 {
        system::descriptor(&self.socket)
    }

    /// Whether its descriptor was given back.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whether the kernel was seen to have let it go after it was closed.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// The kernel knows nothing of it any more, and never will: whoever has its addresses later is another socket.
    pub fn saw_it_gone(&self) {
        self.gone.store(true, Ordering::Release);
    }

    /// Whether both names mean the same socket of the kernel: one is a `dup` of the other.
    pub fn is_same_socket(&self, other: &Held) -> bool {
        Arc::ptr_eq(&self.identity, &other.identity)
    }

    /// The owner of the descriptor, for `close` to drop. `None` if that was done already.
    pub fn take(&self) -> Option<Socket> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return None;
        }
        // `ManuallyDrop` leaves the descriptor alone, so the one made here is its only owner.
        Some(system::owner_of(system::descriptor(&self.socket)))
    }

    /// Bytes that were received and belong to nobody yet: what stood behind a delimiter or a blank line.
    pub fn leftover(&self) -> MutexGuard<'_, Vec<u8>> {
        lock(&self.leftover)
    }

    /// Local and remote address as last seen, also after close.
    pub fn ends(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        *lock(&self.ends)
    }

    /// The address that it last called by `connect`. The kernel does not tell it before somebody has answered.
    pub fn called(&self) -> Option<SocketAddr> {
        *lock(&self.called)
    }

    /// It is about to call that address.
    pub fn calls(&self, address: SocketAddr) {
        *lock(&self.called) = Some(address);
    }

    /// Remembers the addresses.
    pub fn saw_ends(&self, local: Option<SocketAddr>, peer: Option<SocketAddr>) {
        let mut ends = lock(&self.ends);
        *ends = (local.or(ends.0), peer.or(ends.1));
    }
}

/// The sockets of one host, open and closed, in the order in which they were made.
#[derive(Debug)]
pub struct Desk {
    /// Whose they are.
    pub host: Host,
    sockets: Mutex<Vec<Arc<Held>>>,
}

impl Desk {
    /// An empty desk.
    pub fn new(host: Host) -> Desk {
        Desk { host, sockets: Mutex::new(Vec::new()) }
    }

    /// Puts a new socket on the desk; to be called on the host's threads. An older one of that name makes room.
    pub fn put(&self, name: &str, protocol: Protocol, socket: Socket) -> Arc<Held> {
        self.put_as(name, protocol, socket, Arc::default())
    }

    /// Puts a second descriptor of a socket on the desk, as [`Desk::put`] does.
    pub fn put_again(&self, name: &str, socket: Socket, of: &Held) -> Arc<Held> {
        self.put_as(name, of.protocol, socket, Arc::clone(&of.identity))
    }

    fn put_as(&self, name: &str, protocol: Protocol, socket: Socket, identity: Arc<()>) -> Arc<Held> {
        let held = Arc::new(Held::new(name, protocol, socket, identity));
        let mut sockets = lock(&self.sockets);
        for old in sockets.extract_if(.., |other| other.name == name) {
            drop(old.take());
        }
        sockets.push(Arc::clone(&held));
        held
    }

    /// The socket of this name.
    pub fn find(&self, name: &str) -> Option<Arc<Held>> {
        lock(&self.sockets).iter().find(|held| held.name == name).cloned()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        lock(&self.sockets).is_empty()
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<Held>> {
        lock(&self.sockets).clone()
    }

    /// Makes `close` end each connection at once, by a RST: SO_LINGER with a time of 0, see socket(7).
    pub fn abort(&self) {
        for held in lock(&self.sockets).iter().filter(|held| !held.is_closed()) {
            let _ = held.socket.set_linger(Some(std::time::Duration::ZERO));
        }
    }

    /// Closes what is open and forgets all; to be called on the host's thread.
    pub fn clear(&self) {
        for held in lock(&self.sockets).drain(..) {
            drop(held.take());
        }
    }
}

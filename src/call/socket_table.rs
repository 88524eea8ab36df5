//! The sockets of a host, by their names in the lesson.

#![allow(unsafe_code, reason = "a socket is moved out of a shared entry")]

use std::{
    mem::ManuallyDrop,
    net::SocketAddr,
    ptr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use socket2::Socket;

use super::{Timed, recv, send, system};
use crate::event::Host;
use crate::sync::lock;

/// The protocol of a socket, with its address family.
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
    /// ICMP echo over IPv4, in which the kernel fills in identifier and checksum: a ping socket, see icmp(7).
    Icmp,
    /// ICMP over IPv4 with a header written by the program, see raw(7).
    RawIcmp,
}

impl Protocol {
    /// The protocols with their names in a lesson.
    pub const ALL: [(&'static str, Protocol); 6] = [
        ("tcp", Protocol::Tcp),
        ("udp", Protocol::Udp),
        ("tcp6", Protocol::Tcp6),
        ("udp6", Protocol::Udp6),
        ("icmp", Protocol::Icmp),
        ("raw-icmp", Protocol::RawIcmp),
    ];

    /// The name in a lesson: `tcp6`.
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

/// A socket of a host, with what the program remembers of it.
///
/// An entry outlives its descriptor: what the kernel does with a connection after `close` is part of the
/// lesson. `close` does not wait for a call on another thread that is blocked on the socket: the descriptor
/// is closed under that call, as in C.
///
/// Dropping an entry does not close the descriptor. The number belongs to the table of the host's threads,
/// and the last reference may be dropped on another thread. The host closes it, by
/// [`SocketEntry::take_owner`] or [`SocketTable::clear`].
#[derive(Debug)]
pub struct SocketEntry {
    /// The name in the lesson.
    pub name: String,
    /// The protocol.
    pub protocol: Protocol,
    socket: ManuallyDrop<Socket>,
    closed: AtomicBool,
    gone: AtomicBool,
    /// Shared by all entries whose descriptors refer to the same socket.
    identity: Arc<()>,
    leftover: Mutex<Vec<u8>>,
    received: AtomicU64,
    sent: AtomicU64,
    ends: Mutex<(Option<SocketAddr>, Option<SocketAddr>)>,
    called: Mutex<Option<SocketAddr>>,
}

impl SocketEntry {
    /// An entry that is in no table. Its owner closes it, by [`SocketEntry::take_owner`].
    pub fn standalone(name: &str, protocol: Protocol, socket: Socket) -> SocketEntry {
        SocketEntry::new(name, protocol, socket, Arc::default())
    }

    fn new(name: &str, protocol: Protocol, socket: Socket, identity: Arc<()>) -> SocketEntry {
        SocketEntry {
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

    /// Number of bytes received by [`SocketEntry::recv`] and sent by [`SocketEntry::send`].
    pub fn traffic(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed))
    }

    /// Corresponds to `recv(2)`. Counts the bytes.
    pub fn recv(&self, room: usize) -> Timed<Vec<u8>> {
        let ran = recv::recv(&self.socket, room, &[]).map(|came| came.bytes);
        if let Ok(bytes) = &ran.outcome {
            self.received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        ran
    }

    /// Corresponds to `send(2)`. Counts the bytes.
    pub fn send(&self, bytes: &[u8]) -> Timed<usize> {
        let ran = send::send(&self.socket, bytes, &[]);
        if let Ok(count) = &ran.outcome {
            self.sent.fetch_add(*count as u64, Ordering::Relaxed);
        }
        ran
    }

    /// The socket.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// The descriptor's number, even after `close`.
    pub fn descriptor(&self) -> i64 {
        system::descriptor(&self.socket)
    }

    /// Whether the descriptor is closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whether the kernel has forgotten the closed socket, as far as was observed.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Records that the kernel has forgotten the socket. A later socket with these addresses is another one.
    pub fn mark_gone(&self) {
        self.gone.store(true, Ordering::Release);
    }

    /// Whether both descriptors refer to the same socket: one is a `dup` of the other.
    pub fn is_same_socket(&self, other: &SocketEntry) -> bool {
        Arc::ptr_eq(&self.identity, &other.identity)
    }

    /// The owner of the descriptor, for `close` to drop. `None` if the descriptor is closed already.
    pub fn take_owner(&self) -> Option<Socket> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return None;
        }
        // SAFETY: `swap` lets one call through, so the socket is moved out once, and `ManuallyDrop` never
        // closes the copy that stays behind.
        Some(unsafe { ptr::read(&raw const *self.socket) })
    }

    /// Bytes that were received behind a delimiter or a blank line, and not used yet.
    pub fn read_ahead(&self) -> MutexGuard<'_, Vec<u8>> {
        lock(&self.leftover)
    }

    /// Local and remote address as last observed, even after `close`.
    pub fn addresses(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        *lock(&self.ends)
    }

    /// The address of the last `connect`. getpeername(2) does not report it before the handshake is complete.
    pub fn connect_target(&self) -> Option<SocketAddr> {
        *lock(&self.called)
    }

    /// Records the address of a `connect`.
    pub fn set_connect_target(&self, address: SocketAddr) {
        *lock(&self.called) = Some(address);
    }

    /// Records the observed addresses. `None` keeps the earlier one.
    pub fn record_addresses(&self, local: Option<SocketAddr>, peer: Option<SocketAddr>) {
        let mut ends = lock(&self.ends);
        *ends = (local.or(ends.0), peer.or(ends.1));
    }
}

/// The sockets of one host, open and closed, in the order of their creation.
#[derive(Debug)]
pub struct SocketTable {
    /// The host.
    pub host: Host,
    sockets: Mutex<Vec<Arc<SocketEntry>>>,
}

impl SocketTable {
    /// An empty table.
    pub fn new(host: Host) -> SocketTable {
        SocketTable { host, sockets: Mutex::new(Vec::new()) }
    }

    /// Inserts a new socket. An older entry of that name is closed and removed, so call this on a thread of
    /// the host.
    pub fn insert(&self, name: &str, protocol: Protocol, socket: Socket) -> Arc<SocketEntry> {
        self.insert_as(name, protocol, socket, Arc::default())
    }

    /// Inserts a second descriptor of the socket `of`, as [`SocketTable::insert`] does.
    pub fn insert_duplicate(&self, name: &str, socket: Socket, of: &SocketEntry) -> Arc<SocketEntry> {
        self.insert_as(name, of.protocol, socket, Arc::clone(&of.identity))
    }

    fn insert_as(
        &self,
        name: &str,
        protocol: Protocol,
        socket: Socket,
        identity: Arc<()>,
    ) -> Arc<SocketEntry> {
        let held = Arc::new(SocketEntry::new(name, protocol, socket, identity));
        let mut sockets = lock(&self.sockets);
        for old in sockets.extract_if(.., |other| other.name == name) {
            drop(old.take_owner());
        }
        sockets.push(Arc::clone(&held));
        held
    }

    /// The socket with this name.
    pub fn find(&self, name: &str) -> Option<Arc<SocketEntry>> {
        lock(&self.sockets).iter().find(|held| held.name == name).cloned()
    }

    /// Whether the table is empty.
    pub fn is_empty(&self) -> bool {
        lock(&self.sockets).is_empty()
    }

    /// All sockets.
    pub fn all(&self) -> Vec<Arc<SocketEntry>> {
        lock(&self.sockets).clone()
    }

    /// Makes `close` abort each connection with a RST, by SO_LINGER with a time of 0, see socket(7).
    pub fn abort(&self) {
        for held in lock(&self.sockets).iter().filter(|held| !held.is_closed()) {
            let _ = held.socket.set_linger(Some(std::time::Duration::ZERO));
        }
    }

    /// Closes all open sockets and empties the table. To be called on a thread of the host.
    pub fn clear(&self) {
        for held in lock(&self.sockets).drain(..) {
            drop(held.take_owner());
        }
    }
}

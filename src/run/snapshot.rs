//! A snapshot of the sockets of both hosts, for the detection of changes.

use std::net::SocketAddr;

use crate::{
    call::SocketEntry,
    event::{Host, Socket},
    stage::Observation,
};

/// The last observed state of every socket of the lesson.
#[derive(Default)]
pub(super) struct Snapshot {
    sockets: Vec<Socket>,
}

impl Snapshot {
    /// Replaces the state of all sockets and returns the sockets that changed.
    pub fn update(&mut self, seen: &[Observation]) -> Vec<Socket> {
        let now: Vec<Socket> = seen.iter().map(socket_of).collect();
        let mut changed: Vec<Socket> = Vec::new();
        for (socket, read) in now.iter().zip(seen) {
            let before = self.find(socket.host, &socket.name);
            // A closed descriptor with an open duplicate: the duplicate reports the changes of the socket.
            let reported_by_duplicate =
                before.is_some_and(|before| before.fd.is_none()) && has_open_duplicate(read, seen);
            if !reported_by_duplicate && !before.is_some_and(|before| same(before, socket)) {
                changed.push(socket.clone());
            }
        }
        let mut kept = Vec::new();
        for before in self.sockets.drain(..) {
            if now.iter().any(|socket| socket.host == before.host && socket.name == before.name) {
                continue;
            }
            if !before.exists {
                kept.push(before);
                continue;
            }
            // The other end of a connection leaves the list when it is accepted under a new name with the
            // same addresses, or when the kernel frees it.
            let same_ends =
                |s: &Socket| (s.host, &s.local, &s.peer) == (before.host, &before.local, &before.peer);
            if before.name.starts_with('~') && !now.iter().any(same_ends) {
                changed.push(without_state(&before));
                kept.push(without_state(&before));
            }
        }
        self.sockets = now;
        self.sockets.extend(kept);
        changed
    }

    /// Returns the socket of this name; `~name` for the other end of a socket of the other host.
    pub fn find(&self, host: Host, name: &str) -> Option<&Socket> {
        self.sockets.iter().find(|socket| socket.host == host && socket.name == name)
    }

    /// Returns the socket on `host` that has exactly these addresses.
    pub fn with_ends(&self, host: Host, local: &str, peer: &str) -> Option<&Socket> {
        self.sockets.iter().find(|socket| {
            socket.host == host
                && socket.local.as_deref() == Some(local)
                && socket.peer.as_deref() == Some(peer)
        })
    }
}

/// Whether two states are equal apart from timers, the round-trip time and the congestion window.
fn same(a: &Socket, b: &Socket) -> bool {
    let settled = |socket: &Socket| {
        let mut socket = socket.clone();
        socket.time_wait_ms = socket.time_wait_ms.map(|_| 0);
        if let Some(tcp) = &mut socket.tcp {
            (tcp.rtt_us, tcp.cwnd) = (0, 0);
        }
        socket
    };
    settled(a) == settled(b)
}

/// Whether this descriptor of the socket is closed and a duplicate is open.
fn has_open_duplicate(one: &Observation, seen: &[Observation]) -> bool {
    let duplicate = |other: &Observation| !other.entry.is_closed() && other.entry.is_same_socket(&one.entry);
    one.entry.is_closed() && !one.other_end && seen.iter().any(duplicate)
}

fn without_state(before: &Socket) -> Socket {
    Socket {
        exists: false,
        fd: None,
        state: None,
        recv_queue: None,
        send_queue: None,
        accept_queue: None,
        accept_limit: None,
        drops: None,
        time_wait_ms: None,
        tcp: None,
        options: Vec::new(),
        ..before.clone()
    }
}

/// Converts an observation to the socket of an event.
pub(super) fn socket_of(seen: &Observation) -> Socket {
    let held: &SocketEntry = &seen.entry;
    let reading = seen.socket.clone().unwrap_or_default();
    let ends = held.addresses();
    let (local, peer) = if seen.socket.is_some() { (reading.local, reading.peer) } else { ends };
    let address = |address: Option<SocketAddr>| address.map(|address| address.to_string());
    Socket {
        host: seen.host,
        name: if seen.other_end {
            format!("~{}.{}", seen.host.other(), held.name)
        } else {
            held.name.clone()
        },
        fd: (!seen.other_end && !held.is_closed()).then(|| held.descriptor()),
        protocol: held.protocol.name().to_owned(),
        exists: seen.socket.is_some(),
        local: address(local),
        peer: address(peer),
        state: reading.state.map(str::to_owned),
        recv_queue: reading.recv_queue,
        send_queue: reading.send_queue,
        accept_queue: reading.accept_queue,
        accept_limit: reading.accept_limit,
        drops: reading.drops,
        time_wait_ms: reading.time_wait_ms,
        tcp: reading.tcp,
        options: if held.is_closed() { Vec::new() } else { reading.options },
    }
}

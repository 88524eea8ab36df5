//! What the kernel says of a socket: state, addresses, queues, options; and whether a thread waits in a call.
//!
//! Reading changes nothing: no call here takes a byte, clears an error or moves a state. What a system does not say stays
//! `None`. All is read anew each time; nothing is remembered here.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as this;
#[cfg(target_os = "linux")]
pub use linux::netlink;
#[cfg(target_os = "linux")]
pub(crate) use linux::sock_diag;

#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
use other as this;

mod ready;

use std::net::SocketAddr;

use socket2::Socket;

pub use ready::is_readable;
pub use this::{SockDiag, Task, low_ports_are_privileged};

use crate::event::{SocketOption, TcpInfo};

/// What the kernel says of one socket.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SocketState {
    /// Local address; none if it is all zero.
    pub local: Option<SocketAddr>,
    /// Remote address.
    pub peer: Option<SocketAddr>,
    /// As in RFC 9293, with an underscore.
    pub state: Option<&'static str>,
    /// Bytes that wait for recv.
    pub recv_queue: Option<u64>,
    /// Bytes that are not acknowledged.
    pub send_queue: Option<u64>,
    /// Connections that wait for accept.
    pub accept_queue: Option<u64>,
    /// The backlog in force.
    pub accept_limit: Option<u64>,
    /// Datagrams that were thrown away here: for want of room, or as their checksum was wrong.
    pub drops: Option<u64>,
    /// What is left of TIME_WAIT, in milliseconds.
    pub time_wait_ms: Option<u64>,
    /// Of a connection.
    pub tcp: Option<TcpInfo>,
    /// Those that are not at their default.
    pub options: Vec<SocketOption>,
}

/// Reads a socket through its descriptor. `tcp` says whether it is one of TCP's.
pub fn observe(socket: &Socket, tcp: bool) -> SocketState {
    let mut reading = SocketState {
        local: socket.local_addr().ok().and_then(|address| address.as_socket()),
        peer: socket.peer_addr().ok().and_then(|address| address.as_socket()),
        options: options(socket, tcp),
        ..SocketState::default()
    };
    if reading.local.is_some_and(|local| local.port() == 0 && local.ip().is_unspecified()) {
        reading.local = None;
    }
    this::observe(socket, tcp, &mut reading);
    reading
}

/// The switches that lessons set and that are on.
fn options(socket: &Socket, tcp: bool) -> Vec<SocketOption> {
    let mut options = Vec::new();
    let mut add = |name: &str, value: std::io::Result<bool>| {
        if value.unwrap_or(false) {
            options.push(SocketOption { name: name.to_owned(), value: 1 });
        }
    };
    add("SO_REUSEADDR", socket.reuse_address());
    add("SO_KEEPALIVE", socket.keepalive());
    if tcp {
        add("TCP_NODELAY", socket.tcp_nodelay());
    }
    options
}

/// Whether this system says in which call a thread waits.
pub fn reports_blocked_threads() -> bool {
    Task::current().state(-1) != ThreadState::Unknown
}

/// Whether a thread is seen to wait in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadState {
    /// It is inside a network call on that descriptor.
    Blocked,
    /// It is not.
    Running,
    /// This system does not say.
    Unknown,
}

/// The names of TCP's states: RFC 9293 §3.3.2 (with an underscore), `ss`, `netstat`, and the kernel's number.
pub const STATES: [(&str, &str, &str, u8); 11] = [
    ("ESTABLISHED", "ESTAB", "ESTABLISHED", 1),
    ("SYN_SENT", "SYN-SENT", "SYN_SENT", 2),
    ("SYN_RECV", "SYN-RECV", "SYN_RECV", 3),
    ("FIN_WAIT1", "FIN-WAIT-1", "FIN_WAIT1", 4),
    ("FIN_WAIT2", "FIN-WAIT-2", "FIN_WAIT2", 5),
    ("TIME_WAIT", "TIME-WAIT", "TIME_WAIT", 6),
    ("CLOSED", "UNCONN", "CLOSE", 7),
    ("CLOSE_WAIT", "CLOSE-WAIT", "CLOSE_WAIT", 8),
    ("LAST_ACK", "LAST-ACK", "LAST_ACK", 9),
    ("LISTEN", "LISTEN", "LISTEN", 10),
    ("CLOSING", "CLOSING", "CLOSING", 11),
];

#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux gives numbers"))]
fn state_name(number: u8) -> Option<&'static str> {
    // 12 is TCP_NEW_SYN_RECV and 13 TCP_BOUND_INACTIVE: the kernel's own halves of SYN_RECV and CLOSED.
    let number = match number {
        12 => 3,
        13 => 7,
        other => other,
    };
    STATES.iter().find(|(.., known)| *known == number).map(|(name, ..)| *name)
}

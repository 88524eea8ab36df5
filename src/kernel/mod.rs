//! What the kernel reports about a socket (state, addresses, queues, options) and about a thread (is it
//! blocked in a call?).
//!
//! Reading changes nothing: no call here takes a byte, clears an error or moves a state. A value that the
//! system does not report is `None`. Nothing is cached: each reading asks the kernel again.

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

mod poll;

use std::net::SocketAddr;

use socket2::Socket;

pub(crate) use poll::{Interest, is_readable, poll};
pub(crate) use this::{SockDiag, Task, low_ports_are_privileged};

use crate::event::{SocketOption, TcpInfo};

/// The state of one socket, as far as the system reports it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SocketState {
    /// Local address. `None` if the socket has none: address and port are zero.
    pub local: Option<SocketAddr>,
    /// Remote address.
    pub peer: Option<SocketAddr>,
    /// TCP state, named as in RFC 9293 §3.3.2 with an underscore: `SYN_SENT`.
    pub state: Option<&'static str>,
    /// Bytes in the receive buffer.
    pub recv_queue: Option<u64>,
    /// Bytes in the send buffer that the peer has not acknowledged.
    pub send_queue: Option<u64>,
    /// Established connections that wait for `accept`.
    pub accept_queue: Option<u64>,
    /// Limit of the accept queue, in connections: the backlog after the kernel's cut.
    pub accept_limit: Option<u64>,
    /// Datagrams that the kernel dropped at this socket: the receive buffer was full, or the checksum was
    /// wrong.
    pub drops: Option<u64>,
    /// Remaining time in TIME_WAIT, in milliseconds.
    pub time_wait_ms: Option<u64>,
    /// Measurements of a TCP connection.
    pub tcp: Option<TcpInfo>,
    /// Options that differ from their default.
    pub options: Vec<SocketOption>,
}

/// Reads the state of an open socket. `is_tcp` says whether it is a TCP socket.
pub(crate) fn observe(socket: &Socket, is_tcp: bool) -> SocketState {
    let mut state = SocketState {
        local: socket.local_addr().ok().and_then(|address| address.as_socket()),
        peer: socket.peer_addr().ok().and_then(|address| address.as_socket()),
        options: options(socket, is_tcp),
        ..SocketState::default()
    };
    if state.local.is_some_and(|local| local.port() == 0 && local.ip().is_unspecified()) {
        state.local = None;
    }
    this::observe(socket, is_tcp, &mut state);
    state
}

/// The boolean options that lessons use, as far as they are on.
fn options(socket: &Socket, is_tcp: bool) -> Vec<SocketOption> {
    let mut options = Vec::new();
    let mut add = |name: &str, value: std::io::Result<bool>| {
        if value.unwrap_or(false) {
            options.push(SocketOption { name: name.to_owned(), value: 1 });
        }
    };
    add("SO_REUSEADDR", socket.reuse_address());
    add("SO_KEEPALIVE", socket.keepalive());
    if is_tcp {
        add("TCP_NODELAY", socket.tcp_nodelay());
    }
    options
}

/// Whether this system reports in which system call a thread is blocked.
pub(crate) fn reports_blocked_threads() -> bool {
    Task::current().state(-1) != ThreadState::Unknown
}

/// Whether a thread is blocked in a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadState {
    /// It is blocked in a network call on the given descriptor.
    Blocked,
    /// It is not.
    Running,
    /// This system does not report it.
    Unknown,
}

/// The TCP states: name in RFC 9293 §3.3.2 (with an underscore), name in `ss`, name in `netstat`, and number
/// in the Linux kernel (`enum` in net/tcp_states.h).
pub(crate) const STATES: [(&str, &str, &str, u8); 11] = [
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

#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux reports numbers"))]
fn state_name(number: u8) -> Option<&'static str> {
    // 12 is TCP_NEW_SYN_RECV and 13 TCP_BOUND_INACTIVE: states internal to the kernel, shown as SYN_RECV and
    // CLOSED.
    let number = match number {
        12 => 3,
        13 => 7,
        other => other,
    };
    STATES.iter().find(|(.., known)| *known == number).map(|(name, ..)| *name)
}

//! sock_diag(7): looks sockets up in the kernel's tables, for those that have no descriptor.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use rustix::io::fcntl_dupfd_cloexec;
use socket2::Socket;

use super::{
    SocketState,
    netlink::{Answer, Netlink, Request},
    state_name,
};

/// Lowest descriptor number for the observer's socket: the numbers from 3 belong to the lesson.
const FIRST_DESCRIPTOR: i32 = 100;

/// Message type: looks a socket up, or with `NLM_F_DUMP` all sockets.
pub(crate) const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// Message type: aborts a connection.
pub(crate) const SOCK_DESTROY: u16 = 21;

/// The states of the requested sockets, a bit each: those of RFC 9293, without the kernel's internal ones.
const STATES: u32 = 0xffe;

/// `idiag_timer` of a socket in TIME_WAIT.
const TIME_WAIT_TIMER: u8 = 3;

/// A netlink socket of the network namespace in which it was opened.
pub struct SockDiag {
    netlink: Netlink,
}

impl SockDiag {
    /// Opens the socket in this thread's network namespace.
    ///
    /// # Errors
    /// Those of `socket(2)`: EPROTONOSUPPORT if the kernel has no sock_diag.
    pub fn open() -> io::Result<SockDiag> {
        let socket = Socket::from(Netlink::open(libc::NETLINK_SOCK_DIAG)?);
        // Fails if the limit of descriptors is below that number.
        let moved = fcntl_dupfd_cloexec(&socket, FIRST_DESCRIPTOR);
        Ok(SockDiag { netlink: moved.map_or(socket, Socket::from).into() })
    }

    /// Returns the TCP connection with exactly these addresses, with or without a descriptor: it may be in an
    /// accept queue, in TIME_WAIT, or closed by its program and not by the kernel.
    ///
    /// # Errors
    /// Those of netlink.
    pub fn find(&self, local: SocketAddr, peer: SocketAddr) -> io::Result<Option<SocketState>> {
        Ok(self.query(local, peer)?.filter(|socket| socket.state != Some("LISTEN")))
    }

    /// Returns the listener at exactly this address.
    ///
    /// # Errors
    /// Those of netlink.
    pub fn find_listener(&self, local: SocketAddr) -> io::Result<Option<SocketState>> {
        let no_peer = if local.is_ipv6() {
            (Ipv6Addr::UNSPECIFIED, 0).into()
        } else {
            (Ipv4Addr::UNSPECIFIED, 0).into()
        };
        let found = self.query(local, no_peer)?.filter(|socket| socket.state == Some("LISTEN"));
        // For a listener the two numbers are the accept queue and its limit.
        Ok(found.map(|socket| SocketState {
            peer: None,
            accept_queue: socket.recv_queue,
            accept_limit: socket.send_queue,
            recv_queue: None,
            send_queue: None,
            ..socket
        }))
    }

    fn query(&self, local: SocketAddr, peer: SocketAddr) -> io::Result<Option<SocketState>> {
        let family = if local.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET };
        let id = SocketId::of(local, peer);
        self.netlink.send(tcp_request(SOCK_DIAG_BY_FAMILY, 0, family, &id))?;
        let mut buffer = [0; 4096];
        match self.netlink.receive(&mut buffer)?.next() {
            Some(Answer::Data(body)) => {
                let found = DiagMessage::decode(body).ok_or(io::ErrorKind::InvalidData)?;
                // For a connection that has ended, the kernel answers with the listener.
                let same = libc::c_int::from(found.family) == family && found.id.has_addresses_of(&id);
                Ok(same.then(|| socket_state(&found, local, peer)))
            }
            Some(Answer::Failed(error)) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
            Some(Answer::Failed(error)) => Err(error),
            other => Err(io::Error::other(format!("sock_diag answered with {other:?}"))),
        }
    }
}

/// `struct inet_diag_sockid`: the ports(2 × 2) and the addresses(2 × 16), in network byte order, the
/// interface(4), and a cookie(8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketId([u8; SocketId::LENGTH]);

impl SocketId {
    const LENGTH: usize = 48;
    /// Bytes before the interface and the cookie.
    const ADDRESSES: usize = 36;
    /// Bytes before the cookie.
    const COOKIE: usize = 40;

    /// An id that matches every socket, for a dump.
    pub(crate) const ANY: SocketId = SocketId([0; SocketId::LENGTH]);

    /// The id of the socket with these two addresses, whatever its cookie.
    fn of(local: SocketAddr, peer: SocketAddr) -> SocketId {
        let mut bytes = [0; SocketId::LENGTH];
        let sides = [(local, 0, 4), (peer, 2, 20)];
        for (address, port, place) in sides {
            bytes[port..port + 2].copy_from_slice(&address.port().to_be_bytes());
            match address.ip() {
                IpAddr::V4(v4) => bytes[place..place + 4].copy_from_slice(&v4.octets()),
                IpAddr::V6(v6) => bytes[place..place + 16].copy_from_slice(&v6.octets()),
            }
        }
        // INET_DIAG_NOCOOKIE
        bytes[SocketId::COOKIE..].fill(0xff);
        SocketId(bytes)
    }

    fn has_addresses_of(&self, other: &SocketId) -> bool {
        self.0[..SocketId::ADDRESSES] == other.0[..SocketId::ADDRESSES]
    }
}

/// `struct inet_diag_req_v2`: family(1) protocol(1) extensions(1) padding(1) states(4) id(48).
pub(crate) fn tcp_request(kind: u16, flags: libc::c_int, family: libc::c_int, id: &SocketId) -> Request {
    let family = u8::try_from(family).unwrap_or_default();
    let tcp = u8::try_from(libc::IPPROTO_TCP).unwrap_or_default();
    let fixed = [&[family, tcp, 0, 0], &STATES.to_ne_bytes()[..], &id.0].concat();
    Request::new(kind, flags, &fixed)
}

/// The fields that are read of `struct inet_diag_msg`: family(1) state(1) timer(1) retransmits(1) id(48)
/// expires(4) receive queue(4) send queue(4) user(4) inode(4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DiagMessage {
    family: u8,
    state: u8,
    timer: u8,
    pub(crate) id: SocketId,
    /// Milliseconds until the timer fires.
    expires: u32,
    recv_queue: u32,
    send_queue: u32,
}

impl DiagMessage {
    /// Reads the fixed part of an answer. `None` if it is cut off.
    pub(crate) fn decode(body: &[u8]) -> Option<DiagMessage> {
        let ([family, state, timer, _], rest) = body.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        let numbers = rest.first_chunk::<20>()?;
        let number =
            |at: usize| u32::from_ne_bytes([numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]]);
        Some(DiagMessage {
            family: *family,
            state: *state,
            timer: *timer,
            id: SocketId(*id),
            expires: number(0),
            recv_queue: number(4),
            send_queue: number(8),
        })
    }
}

fn socket_state(found: &DiagMessage, local: SocketAddr, peer: SocketAddr) -> SocketState {
    let state = state_name(found.state);
    // The kernel counts the FIN that has arrived as a byte to read here, and not in SIOCINQ.
    let fin = matches!(state, Some("CLOSE_WAIT" | "LAST_ACK" | "CLOSING"));
    SocketState {
        local: Some(local),
        peer: Some(peer),
        state,
        recv_queue: Some(u64::from(found.recv_queue.saturating_sub(u32::from(fin)))),
        send_queue: Some(u64::from(found.send_queue)),
        time_wait_ms: (found.timer == TIME_WAIT_TIMER).then_some(found.expires.into()),
        ..SocketState::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_bytes_of_the_struct() {
        let [local, peer] = ["10.0.0.1:7000", "10.0.0.2:80"].map(|address| address.parse().unwrap());
        let bytes = tcp_request(SOCK_DIAG_BY_FAMILY, 0, libc::AF_INET, &SocketId::of(local, peer)).encode();
        assert_eq!(bytes.len(), 72);
        let mut id = [0; 48];
        id[..8].copy_from_slice(&[0x1b, 0x58, 0, 80, 10, 0, 0, 1]);
        id[20..24].copy_from_slice(&[10, 0, 0, 2]);
        id[40..].fill(0xff);
        assert_eq!(bytes[16..20], [2, 6, 0, 0]);
        assert_eq!(bytes[20..24], 0xffe_u32.to_ne_bytes());
        assert_eq!(bytes[24..], id);
    }

    #[test]
    fn an_answer_is_read_and_one_that_is_cut_off_is_not() {
        let id = SocketId::of("[::1]:1".parse().unwrap(), "[::2]:2".parse().unwrap());
        let numbers = [55_000_u32, 3, 4, 0, 0].map(u32::to_ne_bytes).concat();
        let body = [&[10, 6, 3, 0], &id.0[..], &numbers].concat();
        let expected =
            DiagMessage { family: 10, state: 6, timer: 3, id, expires: 55_000, recv_queue: 3, send_queue: 4 };
        assert_eq!(DiagMessage::decode(&body), Some(expected));
        assert_eq!(socket_state(&expected, id_address(1), id_address(2)).time_wait_ms, Some(55_000));
        for length in 0..body.len() {
            assert_eq!(DiagMessage::decode(&body[..length]), None, "{length}");
        }
    }

    fn id_address(last: u16) -> SocketAddr {
        (Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, last), last).into()
    }
}

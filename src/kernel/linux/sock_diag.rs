//! sock_diag(7): the kernel's table of connections, for sockets that have no descriptor.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    os::fd::{AsRawFd, FromRawFd, IntoRawFd},
};

use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::{
    SockDiagMessage,
    constants::{AF_INET, AF_INET6, IPPROTO_TCP},
    inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags, Timer},
};
use netlink_sys::{Socket as Netlink, SocketAddr as NetlinkAddr, protocols::NETLINK_SOCK_DIAG};

use super::{SocketState, state_name};

/// Our own descriptors stay out of the way of the host's: a student is to see 3, 4, 5.
const FIRST_DESCRIPTOR: libc::c_int = 100;

/// Where `idiag_expires` stands in an answer, in bytes: behind the netlink header (16), family, state, timer and retransmits
/// (4), and the socket's id (48). The crate leaves it out for TIME_WAIT.
const EXPIRES: std::ops::Range<usize> = 68..72;

/// A way to ask the kernel of the namespace in which it was opened.
pub struct SockDiag {
    netlink: Netlink,
}

impl SockDiag {
    /// Opens it for this thread's network namespace.
    ///
    /// # Errors
    /// Where the kernel was built without sock_diag, or a sandbox forbids netlink.
    pub fn open() -> io::Result<SockDiag> {
        let mut netlink = Netlink::new(NETLINK_SOCK_DIAG)?;
        netlink.bind_auto()?;
        netlink.connect(&NetlinkAddr::new(0, 0))?;
        // SAFETY: plain call on a descriptor that is open; it makes another one.
        let moved = unsafe { libc::fcntl(netlink.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR) };
        if moved < 0 {
            return Ok(SockDiag { netlink });
        }
        // SAFETY: both descriptors are open and owned by nobody else: `into_raw_fd` gave the old one up.
        unsafe {
            libc::close(netlink.into_raw_fd());
            Ok(SockDiag { netlink: Netlink::from_raw_fd(moved) })
        }
    }

    /// The TCP connection with exactly this pair of addresses, whoever owns it or nobody: in the accept queue, closed by its
    /// program and not yet by the kernel, in TIME_WAIT. `None` if there is none.
    ///
    /// # Errors
    /// Those of netlink.
    pub fn find(&self, local: SocketAddr, peer: SocketAddr) -> io::Result<Option<SocketState>> {
        Ok(self.query(local, peer)?.filter(|reading| reading.state != Some("LISTEN")))
    }

    /// The listener at exactly this address, whoever owns it.
    ///
    /// # Errors
    /// Those of netlink.
    pub fn find_listener(&self, local: SocketAddr) -> io::Result<Option<SocketState>> {
        let nobody = if local.is_ipv6() {
            (Ipv6Addr::UNSPECIFIED, 0).into()
        } else {
            (Ipv4Addr::UNSPECIFIED, 0).into()
        };
        let found = self.query(local, nobody)?.filter(|reading| reading.state == Some("LISTEN"));
        // For a listener the two queues are the accept queue and its limit.
        Ok(found.map(|reading| SocketState {
            peer: None,
            accept_queue: reading.recv_queue,
            accept_limit: reading.send_queue,
            recv_queue: None,
            send_queue: None,
            ..reading
        }))
    }

    fn query(&self, local: SocketAddr, peer: SocketAddr) -> io::Result<Option<SocketState>> {
        let mut id = if local.is_ipv6() { SocketId::new_v6() } else { SocketId::new_v4() };
        id.source_address = local.ip();
        id.source_port = local.port();
        id.destination_address = peer.ip();
        id.destination_port = peer.port();
        id.cookie = [0xff; 8]; // INET_DIAG_NOCOOKIE: any
        let request = InetRequest {
            family: if local.is_ipv6() { AF_INET6 } else { AF_INET },
            protocol: IPPROTO_TCP,
            extensions: ExtensionFlags::empty(),
            states: StateFlags::all(),
            socket_id: id,
        };
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST;
        let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.netlink.send(&bytes, 0)?;
        let mut buffer = [0; 4096];
        let length = self.netlink.recv(&mut &mut buffer[..], 0)?;
        let bytes = buffer.get(..length).ok_or(io::ErrorKind::InvalidData)?;
        let answer = <NetlinkMessage<SockDiagMessage>>::deserialize(bytes).map_err(io::Error::other)?;
        match answer.payload {
            NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(found)) => {
                Ok(reading(&found, bytes, local, peer))
            }
            NetlinkPayload::Error(error) if error.to_io().raw_os_error() == Some(libc::ENOENT) => Ok(None),
            NetlinkPayload::Error(error) => Err(error.to_io()),
            other => Err(io::Error::other(format!("sock_diag answered with {other:?}"))),
        }
    }
}

/// The answer, if it is of the connection that was asked for: for a pair that is gone the kernel answers with the listener.
fn reading(found: &InetResponse, bytes: &[u8], local: SocketAddr, peer: SocketAddr) -> Option<SocketState> {
    let header = &found.header;
    let id = &header.socket_id;
    let same = SocketAddr::new(id.source_address, id.source_port) == local
        && SocketAddr::new(id.destination_address, id.destination_port) == peer;
    if !same {
        return None;
    }
    let state = state_name(header.state);
    // The kernel counts the FIN that has arrived as a byte to read here, and not in SIOCINQ.
    let fin = matches!(state, Some("CLOSE_WAIT" | "LAST_ACK" | "CLOSING"));
    let expires = bytes.get(EXPIRES).and_then(|four| four.try_into().ok()).map(u32::from_ne_bytes);
    Some(SocketState {
        local: Some(local),
        peer: Some(peer),
        state,
        recv_queue: Some(u64::from(header.recv_queue.saturating_sub(u32::from(fin)))),
        send_queue: Some(u64::from(header.send_queue)),
        time_wait_ms: if header.timer == Some(Timer::TimeWait) { expires.map(u64::from) } else { None },
        ..SocketState::default()
    })
}

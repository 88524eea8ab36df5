//! Linux: TCP_INFO and two ioctls through the descriptor, sock_diag without one, /proc for who waits.
#![allow(unsafe_code, reason = "getsockopt(TCP_INFO) and two ioctls have no safe form in socket2")]

pub mod netlink;
pub(crate) mod sock_diag;
mod task;

use std::{mem, os::fd::AsRawFd};

use socket2::Socket;

pub use sock_diag::SockDiag;
pub use task::Task;

use super::{SocketState, state_name};
use crate::event::TcpInfo;

/// Fills in what Linux says through the descriptor.
pub(super) fn observe(socket: &Socket, tcp: bool, reading: &mut SocketState) {
    if !tcp {
        reading.recv_queue = queue(socket, libc::FIONREAD);
        reading.drops = drops(socket);
        return;
    }
    let Some(info) = tcp_info(socket) else { return };
    reading.state = state_name(info.tcpi_state);
    if reading.state == Some("LISTEN") {
        // For a listener tcp_get_info() puts the accept queue here: sk_ack_backlog and sk_max_ack_backlog.
        reading.accept_queue = Some(u64::from(info.tcpi_unacked));
        reading.accept_limit = Some(u64::from(info.tcpi_sacked));
        return;
    }
    reading.recv_queue = queue(socket, libc::FIONREAD);
    if reading.state != Some("CLOSED") {
        // In a closed socket this is what an earlier attempt left behind, and no byte.
        reading.send_queue = queue(socket, libc::TIOCOUTQ);
        reading.tcp = Some(to_event(&info));
    }
}

/// Corresponds to `getsockopt(TCP_INFO)`, see tcp(7).
fn tcp_info(socket: &Socket) -> Option<libc::tcp_info> {
    // SAFETY: `tcp_info` is plain integers, for which all zero is a value.
    let mut info: libc::tcp_info = unsafe { mem::zeroed() };
    let mut length = libc::socklen_t::try_from(size_of_val(&info)).ok()?;
    // SAFETY: the kernel writes at most `length` bytes into `info`, and both outlive the call.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut length,
        )
    };
    (result == 0).then_some(info)
}

/// Corresponds to `SIOCINQ` and `SIOCOUTQ` of tcp(7), which are FIONREAD and TIOCOUTQ: bytes.
fn queue(socket: &Socket, request: libc::Ioctl) -> Option<u64> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: both requests write one int.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), request, &raw mut bytes) };
    (result == 0).then(|| u64::try_from(bytes).ok()).flatten()
}

/// Corresponds to `getsockopt(SO_MEMINFO)`: of its numbers the last, SK_MEMINFO_DROPS of linux/sock_diag.h. The drop counter of
/// `/proc/net/udp`.
fn drops(socket: &Socket) -> Option<u64> {
    const DROPS: usize = libc::SK_MEMINFO_DROPS as usize;
    let mut numbers = [0u32; DROPS + 1];
    let mut length = libc::socklen_t::try_from(size_of_val(&numbers)).ok()?;
    // SAFETY: the kernel writes at most `length` bytes into `numbers`, and both outlive the call.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            numbers.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    // A kernel that knows fewer of them says so by the length.
    (result == 0 && usize::try_from(length) == Ok(size_of_val(&numbers))).then(|| u64::from(numbers[DROPS]))
}

fn to_event(info: &libc::tcp_info) -> TcpInfo {
    // The bits TCPI_OPT_* of linux/tcp.h.
    let negotiated = [(0x01, "timestamps"), (0x02, "sack"), (0x04, "window scale"), (0x08, "ecn")];
    TcpInfo {
        rtt_us: info.tcpi_rtt,
        cwnd: info.tcpi_snd_cwnd,
        mss: info.tcpi_snd_mss,
        retransmits: info.tcpi_total_retrans,
        negotiated: negotiated
            .iter()
            .filter(|(bit, _)| info.tcpi_options & bit != 0)
            .map(|(_, name)| (*name).to_owned())
            .collect(),
    }
}

/// Whether an ordinary user may not bind port 80 here: `net.ipv4.ip_unprivileged_port_start`.
pub fn low_ports_are_privileged() -> bool {
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        .ok()
        .and_then(|text| text.trim().parse::<u32>().ok())
        .is_none_or(|first| first > 80)
}

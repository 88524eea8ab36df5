//! Linux: TCP_INFO, SO_MEMINFO and two ioctls through the descriptor; sock_diag(7) without one; /proc for
//! threads.
#![allow(unsafe_code, reason = "TCP_INFO, SO_MEMINFO and TIOCOUTQ have no safe form in the crates we use")]

pub mod netlink;
pub(crate) mod sock_diag;
mod task;

use std::{mem, os::fd::AsRawFd};

use socket2::Socket;

pub(crate) use sock_diag::SockDiag;
pub use task::Task;

use super::{SocketState, state_name};
use crate::event::TcpInfo;

/// Adds what Linux reports through the descriptor.
pub(super) fn observe(socket: &Socket, is_tcp: bool, state: &mut SocketState) {
    if !is_tcp {
        state.recv_queue = recv_queue(socket);
        state.drops = drops(socket);
        return;
    }
    let Some(info) = tcp_info(socket) else { return };
    state.state = state_name(info.tcpi_state);
    if state.state == Some("LISTEN") {
        // For a listener tcp_get_info() stores the accept queue here: sk_ack_backlog and sk_max_ack_backlog.
        state.accept_queue = Some(u64::from(info.tcpi_unacked));
        state.accept_limit = Some(u64::from(info.tcpi_sacked));
        return;
    }
    state.recv_queue = recv_queue(socket);
    if state.state != Some("CLOSED") {
        // The value for a closed socket is left over from an earlier connection attempt and counts no bytes.
        state.send_queue = send_queue(socket);
        state.tcp = Some(to_event(&info));
    }
}

/// Corresponds to `getsockopt(TCP_INFO)`, see tcp(7).
fn tcp_info(socket: &Socket) -> Option<libc::tcp_info> {
    let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).ok()?;
    // SAFETY: `tcp_info` consists of integers, for which all zero is a value. The kernel writes at most
    // `length` bytes into it, and both variables outlive the call.
    unsafe {
        let mut info: libc::tcp_info = mem::zeroed();
        let result = libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut length,
        );
        (result == 0).then_some(info)
    }
}

/// Bytes in the receive buffer. Corresponds to SIOCINQ of tcp(7) and udp(7), which is FIONREAD.
fn recv_queue(socket: &Socket) -> Option<u64> {
    rustix::io::ioctl_fionread(socket).ok()
}

/// Bytes in the send buffer that are not acknowledged. Corresponds to SIOCOUTQ of tcp(7), which is TIOCOUTQ.
fn send_queue(socket: &Socket) -> Option<u64> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the request writes one int, which outlives the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    (result == 0).then(|| u64::try_from(bytes).ok()).flatten()
}

/// Dropped datagrams, as counted in `/proc/net/udp`. Corresponds to `getsockopt(SO_MEMINFO)`: the last of its
/// numbers, SK_MEMINFO_DROPS of linux/sock_diag.h.
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
    // An older kernel that does not count drops returns a smaller length.
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

/// Whether an unprivileged process may not bind port 80: `net.ipv4.ip_unprivileged_port_start`, see ip(7).
pub(crate) fn low_ports_are_privileged() -> bool {
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        .ok()
        .and_then(|text| text.trim().parse::<u32>().ok())
        .is_none_or(|first| first > 80)
}

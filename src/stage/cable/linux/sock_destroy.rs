//! Aborts the TCP connections of a network namespace: sock_diag(7) with SOCK_DESTROY, if the kernel has it.

use std::io;

use crate::kernel::{
    netlink::{Answer, Netlink},
    sock_diag::{DiagMessage, SOCK_DESTROY, SOCK_DIAG_BY_FAMILY, SocketId, tcp_request},
};

/// Aborts every TCP connection of this thread's network namespace, including those without a descriptor.
pub(super) fn destroy_tcp_sockets() {
    for family in [libc::AF_INET, libc::AF_INET6] {
        // If the kernel cannot do it, the connections end by their timers.
        let _ = abort(family);
    }
}

fn abort(family: libc::c_int) -> io::Result<()> {
    let netlink = Netlink::open(libc::NETLINK_SOCK_DIAG)?;
    netlink.send(tcp_request(SOCK_DIAG_BY_FAMILY, libc::NLM_F_DUMP, family, &SocketId::ANY))?;
    let mut found = Vec::new();
    let mut buffer = [0; 1 << 14];
    'dump: loop {
        for answer in netlink.receive(&mut buffer)? {
            let Answer::Data(body) = answer else { break 'dump };
            found.push(DiagMessage::decode(body).ok_or(io::ErrorKind::InvalidData)?.id);
        }
    }
    for id in found {
        // Fails if the connection has ended since the dump.
        let _ = netlink.acknowledged(tcp_request(SOCK_DESTROY, libc::NLM_F_ACK, family, &id));
    }
    Ok(())
}

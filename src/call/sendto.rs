//! `sendto(2)`: a datagram is handed to the kernel, with the address that it is for.

use std::net::SocketAddr;

use socket2::{SockAddr, Socket};

use super::{Ran, Subject, Told, arg, c_address, flags, quoted, told_bytes};
use crate::ran;

/// Corresponds to `sendto(2)`. The datagram goes whole or not at all: the result is the number of bytes that it carries. A socket
/// without an address gets a free port now.
///
/// It needs no connection, and says nothing of whether the datagram arrives.
///
/// Errors: EMSGSIZE (more than fits into one datagram), EDESTADDRREQ (no address), ECONNREFUSED (UDP with `connect`: an
/// earlier datagram met a closed port), ENETUNREACH (no way there), EISCONN (TCP, on some systems).
pub(super) fn sendto(
    socket: &Socket,
    address: SocketAddr,
    bytes: &[u8],
    names: &[&'static str],
) -> Ran<usize> {
    let (flags, _) = flags(names);
    let address = SockAddr::from(address);
    if flags == 0 {
        ran!(retry socket.send_to(bytes, &address))
    } else {
        ran!(retry socket.send_to_with_flags(bytes, &address, flags))
    }
}

pub(super) fn told(on: &Subject, address: SocketAddr, bytes: &[u8], names: &[&'static str]) -> Told {
    let (_, written) = flags(names);
    let mut args = vec![arg("bytes", told_bytes(bytes))];
    if !names.is_empty() {
        args.push(arg("flags", &written));
    }
    args.push(arg("address", address));
    let (to, length) = (c_address(address), SockAddr::from(address).len());
    Told {
        call: "sendto",
        args,
        c: format!(
            "sendto({}, {}, {}, {written}, &{to}, sizeof addr);",
            on.name,
            quoted(bytes, 24),
            bytes.len()
        ),
        asked: format!(
            "sendto({}, {}, {}, {written}, {to}, {length})",
            on.fd,
            quoted(bytes, 16),
            bytes.len()
        ),
        syscalls: &["sendto"],
        waits_for: "room in the send buffer",
    }
}

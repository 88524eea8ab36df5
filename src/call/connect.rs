//! `connect(2)`: the endpoint gets its remote address, and over TCP the kernels shake hands.

use std::net::SocketAddr;

use socket2::{SockAddr, Socket};

use super::{Ran, Subject, Told, arg, c_address};
use crate::ran;

/// Corresponds to `connect(2)`. Over TCP it blocks until the handshake is done or has failed; over UDP it only notes the
/// address.
///
/// Not repeated after EINTR: the handshake would go on, and a second `connect` would say EALREADY.
///
/// Errors: ECONNREFUSED (a RST came back: nobody listens there), ETIMEDOUT (nothing came back), EISCONN (it is connected
/// already), EHOSTUNREACH and ENETUNREACH (no way there).
pub(super) fn connect(socket: &Socket, address: SocketAddr) -> Ran<()> {
    let address = SockAddr::from(address);
    ran!(socket.connect(&address))
}

pub(super) fn told(on: &Subject, address: SocketAddr) -> Told {
    Told {
        call: "connect",
        args: vec![arg("address", address)],
        c: format!("connect({}, &{}, sizeof addr);", on.name, c_address(address)),
        asked: format!("connect({}, {}, {})", on.fd, c_address(address), SockAddr::from(address).len()),
        syscalls: &["connect"],
        waits_for: "the other side's SYN,ACK",
    }
}

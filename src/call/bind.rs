//! `bind(2)`: the endpoint gets its local address and port.

use std::net::SocketAddr;

use socket2::{SockAddr, Socket};

use super::{Ran, Subject, Told, arg, c_address};
use crate::ran;

/// Corresponds to `bind(2)`. Port 0 asks the kernel for a free one.
///
/// Errors: EADDRINUSE (the address is taken), EADDRNOTAVAIL (it is not one of this machine's), EACCES (the port is
/// privileged), EINVAL (the socket is bound already).
pub(super) fn bind(socket: &Socket, address: SocketAddr) -> Ran<()> {
    let address = SockAddr::from(address);
    ran!(socket.bind(&address))
}

pub(super) fn told(on: &Subject, address: SocketAddr) -> Told {
    Told {
        call: "bind",
        args: vec![arg("address", address)],
        c: format!("bind({}, &{}, sizeof addr);", on.name, c_address(address)),
        asked: format!("bind({}, {}, {})", on.fd, c_address(address), SockAddr::from(address).len()),
        syscalls: &["bind"],
        waits_for: "",
    }
}

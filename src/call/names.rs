//! `getsockname(2)` and `getpeername(2)`: the two addresses of an endpoint.

use socket2::{SockAddr, Socket};

use super::{Ran, Subject, Told};
use crate::ran;

/// Corresponds to `getsockname(2)`: the local address; 0.0.0.0:0 if none was given.
pub(super) fn local(socket: &Socket) -> Ran<SockAddr> {
    ran!(socket.local_addr())
}

/// Corresponds to `getpeername(2)`: the remote address.
///
/// Errors: ENOTCONN (there is none).
pub(super) fn peer(socket: &Socket) -> Ran<SockAddr> {
    ran!(socket.peer_addr())
}

pub(super) fn told_local(on: &Subject) -> Told {
    told("getsockname", &["getsockname"], on)
}

pub(super) fn told_peer(on: &Subject) -> Told {
    told("getpeername", &["getpeername"], on)
}

fn told(call: &'static str, syscalls: &'static [&'static str], on: &Subject) -> Told {
    Told {
        call,
        args: Vec::new(),
        c: format!("{call}({}, &addr, &len);", on.name),
        asked: format!("{call}({}, …)", on.fd),
        syscalls,
        waits_for: "",
    }
}

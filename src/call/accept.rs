//! `accept(2)`: the first connection of the queue gets a descriptor of its own.

use socket2::{SockAddr, Socket};

use super::{Ran, Subject, Told};
use crate::ran;

/// Corresponds to `accept(2)`. Blocks while the queue is empty. Gives the new socket and the address of who called.
///
/// On Linux socket2 calls `accept4` with `SOCK_CLOEXEC`.
///
/// Errors: EINVAL (the socket does not listen), EOPNOTSUPP (not a stream socket), EMFILE (no descriptor left; the connection
/// stays in the queue).
pub(super) fn accept(socket: &Socket) -> Ran<(Socket, SockAddr)> {
    ran!(retry socket.accept())
}

pub(super) fn told(on: &Subject, result: &str) -> Told {
    Told {
        call: "accept",
        args: Vec::new(),
        c: format!("int {result} = accept({}, &peer, &len);", on.name),
        asked: format!("accept4({}, …, SOCK_CLOEXEC)", on.fd),
        syscalls: &["accept4"],
        waits_for: "a connection in the accept queue",
    }
}

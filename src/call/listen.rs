//! `listen(2)`: from now on the kernel answers those who call this port, and queues them.

use socket2::Socket;

use super::{Ran, Subject, Told, arg};
use crate::ran;

/// Corresponds to `listen(2)`. `backlog` is a limit, in connections, for those that nobody has accepted yet; Linux cuts it
/// silently to `net.core.somaxconn`.
///
/// Errors: EADDRINUSE (another socket listens there), EOPNOTSUPP (a socket of this type does not listen), EINVAL (it is
/// connected).
pub(super) fn listen(socket: &Socket, backlog: i32) -> Ran<()> {
    ran!(socket.listen(backlog))
}

pub(super) fn told(on: &Subject, backlog: i32) -> Told {
    Told {
        call: "listen",
        args: vec![arg("backlog", backlog)],
        c: format!("listen({}, {backlog});", on.name),
        asked: format!("listen({}, {backlog})", on.fd),
        syscalls: &["listen"],
        waits_for: "",
    }
}

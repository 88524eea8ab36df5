//! `listen(2)`: the kernel accepts connections to this port and queues them.

use socket2::Socket;

use super::{Arguments, CallDescription, Completed, Grammar, On, Returns, Site, SocketRef, Timed, arg};
use crate::ran;

/// `listen s 4`
#[derive(Debug, Clone, PartialEq)]
pub struct Listen {
    /// The limit of the accept queue, in connections.
    pub backlog: i32,
}

impl Listen {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "listen",
        on: On::Socket,
        returns: Returns::Nothing,
        may_block: false,
        about: "let it be called: listen(2)",
    };

    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<Listen, R::Error> {
        Ok(Listen { backlog: arguments.number("backlog")? })
    }

    pub(super) fn describe(&self, on: &SocketRef, _: Option<&str>) -> CallDescription {
        let backlog = self.backlog;
        CallDescription {
            call: "listen",
            args: vec![arg("backlog", backlog)],
            c: format!("listen({}, {backlog});", on.name),
            asked: format!("listen({}, {backlog})", on.fd),
            syscalls: &["listen"],
            waits_for: "",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        Completed::done(listen(at.socket(), self.backlog))
    }
}

/// Corresponds to `listen(2)`. `backlog` limits the connections that wait for `accept`. Linux silently lowers
/// it to `net.core.somaxconn`.
///
/// Errors: EADDRINUSE (another socket listens on the port), EOPNOTSUPP (this type of socket cannot listen),
/// EINVAL (the socket is connected).
pub(super) fn listen(socket: &Socket, backlog: i32) -> Timed<()> {
    ran!(socket.listen(backlog))
}

//! `accept(2)`: takes the first connection from the accept queue and gives it a descriptor.

use socket2::{SockAddr, Socket};

use super::{Arguments, CallDescription, Completed, Grammar, On, Returns, Site, SocketRef, Timed};
use crate::ran;

/// `conn = accept s`
#[derive(Debug, Clone, PartialEq)]
pub struct Accept;

impl Accept {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "accept",
        on: On::Socket,
        returns: Returns::Socket,
        may_block: true,
        about: "take the first waiting connection: accept(2)",
    };

    pub(super) fn read<R: Arguments>(_: &mut R) -> Result<Accept, R::Error> {
        Ok(Accept)
    }

    pub(super) fn describe(&self, on: &SocketRef, result: Option<&str>) -> CallDescription {
        let result = result.unwrap_or("conn");
        CallDescription {
            call: "accept",
            args: Vec::new(),
            c: format!("int {result} = accept({}, &peer, &len);", on.name),
            asked: format!("accept4({}, …, SOCK_CLOEXEC)", on.fd),
            syscalls: &["accept4"],
            waits_for: "a connection in the accept queue",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        Completed::of(accept(at.socket()), |(new, peer)| at.insert(at.held().protocol, new, peer.as_socket()))
    }
}

/// Corresponds to `accept(2)`. Returns the new socket and the peer's address. Blocks while the accept queue
/// is empty.
///
/// On Linux socket2 calls `accept4` with `SOCK_CLOEXEC`.
///
/// Errors: EINVAL (the socket does not listen), EOPNOTSUPP (not a stream socket), EMFILE (no descriptor left;
/// the connection stays in the queue).
pub(super) fn accept(socket: &Socket) -> Timed<(Socket, SockAddr)> {
    ran!(retry socket.accept())
}

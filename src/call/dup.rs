//! `dup(2)`: a second descriptor for the same socket.

use socket2::Socket;

use super::{Arguments, CallDescription, Completed, Grammar, On, Returns, Site, SocketRef, Timed};
use crate::ran;

/// `d = dup c`
#[derive(Debug, Clone, PartialEq)]
pub struct Dup;

impl Dup {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "dup",
        on: On::Socket,
        returns: Returns::Socket,
        may_block: false,
        about: "a second descriptor for the same socket: dup(2)",
    };

    pub(super) fn read<R: Arguments>(_: &mut R) -> Result<Dup, R::Error> {
        Ok(Dup)
    }

    pub(super) fn describe(&self, on: &SocketRef, result: Option<&str>) -> CallDescription {
        let result = result.unwrap_or("d");
        CallDescription {
            call: "dup",
            args: Vec::new(),
            c: format!("int {result} = dup({});", on.name),
            asked: format!("fcntl({}, F_DUPFD_CLOEXEC, 3)", on.fd),
            syscalls: &["fcntl"],
            waits_for: "",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        Completed::of(dup(at.socket()), |new| at.insert_duplicate(new))
    }
}

/// Corresponds to `dup(2)`. Rust's `try_clone` asks for it as `fcntl(F_DUPFD_CLOEXEC)`. Both descriptors name
/// one socket: one state, one pair of buffers, one connection.
///
/// Errors: EMFILE (no descriptor left).
pub(super) fn dup(socket: &Socket) -> Timed<Socket> {
    ran!(socket.try_clone())
}

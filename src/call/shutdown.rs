//! `shutdown(2)`: ends one direction of a connection, or both. The descriptor stays open.

use std::net::Shutdown;

use socket2::Socket;

use super::{Arguments, CallDescription, Completed, Grammar, On, Returns, Site, SocketRef, Timed, arg};
use crate::ran;

/// Which direction of a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// No more bytes are received.
    Read,
    /// No more bytes are sent.
    Write,
    /// Both.
    Both,
}

impl How {
    /// All directions, by the names of POSIX.
    pub const ALL: [(&'static str, How); 3] =
        [("SHUT_RD", How::Read), ("SHUT_WR", How::Write), ("SHUT_RDWR", How::Both)];

    fn name(self) -> &'static str {
        How::ALL[self as usize].0
    }
}

/// `shutdown c SHUT_WR`
#[derive(Debug, Clone, PartialEq)]
pub struct ShutDown {
    /// Which direction ends.
    pub how: How,
}

impl ShutDown {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "shutdown",
        on: On::Socket,
        returns: Returns::Nothing,
        may_block: false,
        about: "end one direction or both: shutdown(2)",
    };

    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<ShutDown, R::Error> {
        Ok(ShutDown { how: arguments.one_of("direction to shut down", &How::ALL)? })
    }

    pub(super) fn describe(&self, on: &SocketRef, _: Option<&str>) -> CallDescription {
        let how = self.how.name();
        CallDescription {
            call: "shutdown",
            args: vec![arg("how", how)],
            c: format!("shutdown({}, {how});", on.name),
            asked: format!("shutdown({}, {how})", on.fd),
            syscalls: &["shutdown"],
            waits_for: "",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        Completed::done(shutdown(at.socket(), self.how))
    }
}

/// Corresponds to `shutdown(2)`. With `SHUT_WR` a FIN follows the bytes that are still to be sent.
///
/// Errors: ENOTCONN (not connected).
pub(super) fn shutdown(socket: &Socket, how: How) -> Timed<()> {
    let how = match how {
        How::Read => Shutdown::Read,
        How::Write => Shutdown::Write,
        How::Both => Shutdown::Both,
    };
    ran!(socket.shutdown(how))
}

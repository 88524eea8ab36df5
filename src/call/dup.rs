//! `dup(2)`: a second descriptor for the same socket.

use socket2::Socket;

use super::{Ran, Subject, Told};
use crate::ran;

/// Corresponds to `dup(2)`. Rust's `try_clone` asks for it as `fcntl(F_DUPFD_CLOEXEC)`. Both descriptors name one socket: one
/// state, one pair of buffers, one connection.
///
/// Errors: EMFILE (no descriptor left).
pub(super) fn dup(socket: &Socket) -> Ran<Socket> {
    ran!(socket.try_clone())
}

pub(super) fn told(on: &Subject, result: &str) -> Told {
    Told {
        call: "dup",
        args: Vec::new(),
        c: format!("int {result} = dup({});", on.name),
        asked: format!("fcntl({}, F_DUPFD_CLOEXEC, 3)", on.fd),
        syscalls: &["fcntl"],
        waits_for: "",
    }
}

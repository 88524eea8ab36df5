//! `shutdown(2)`: one direction ends, or both; the descriptor stays.

use std::net::Shutdown;

use socket2::Socket;

use super::{Ran, Subject, Told, arg};
use crate::ran;

/// Corresponds to `shutdown(2)`. `SHUT_WR` sends a FIN behind the bytes that are still to go.
///
/// Errors: ENOTCONN (not connected).
pub(super) fn shutdown(socket: &Socket, how: &str) -> Ran<()> {
    let how = match how {
        "SHUT_RD" => Shutdown::Read,
        "SHUT_WR" => Shutdown::Write,
        _ => Shutdown::Both,
    };
    ran!(socket.shutdown(how))
}

pub(super) fn told(on: &Subject, how: &str) -> Told {
    Told {
        call: "shutdown",
        args: vec![arg("how", how)],
        c: format!("shutdown({}, {how});", on.name),
        asked: format!("shutdown({}, {how})", on.fd),
        syscalls: &["shutdown"],
        waits_for: "",
    }
}

//! `send(2)`: bytes are handed to the kernel, which sends them when it sees fit.

use socket2::Socket;

use super::{Ran, Subject, Told, arg, flags, quoted, told_bytes};
use crate::ran;

/// Corresponds to `send(2)`. Gives the number of bytes that the kernel took, which over TCP may be fewer than were offered.
/// Blocks while the send buffer is full.
///
/// On Linux this is the system call `sendto`. A Rust program ignores SIGPIPE, so a closed connection is an error here and
/// not the end of the process.
///
/// Errors: EPIPE (this side has shut down, the connection is gone, or was never there), ECONNRESET (a RST came), EAGAIN
/// (MSG_DONTWAIT, and no room), EDESTADDRREQ (UDP without `connect`).
pub(super) fn send(socket: &Socket, bytes: &[u8], names: &[&'static str]) -> Ran<usize> {
    let (flags, _) = flags(names);
    if flags == 0 { ran!(retry socket.send(bytes)) } else { ran!(retry socket.send_with_flags(bytes, flags)) }
}

pub(super) fn told(on: &Subject, bytes: &[u8], names: &[&'static str]) -> Told {
    let (_, written) = flags(names);
    let mut args = vec![arg("bytes", told_bytes(bytes))];
    if !names.is_empty() {
        args.push(arg("flags", &written));
    }
    Told {
        call: "send",
        args,
        c: format!("send({}, {}, {}, {written});", on.name, quoted(bytes, 24), bytes.len()),
        asked: format!("sendto({}, {}, {}, {written}, NULL, 0)", on.fd, quoted(bytes, 16), bytes.len()),
        syscalls: &["sendto"],
        waits_for: "room in the send buffer",
    }
}

//! `recv(2)`: bytes that arrived are taken out of the kernel's receive buffer.
#![allow(unsafe_code, reason = "the kernel fills memory that Rust takes for unwritten")]

use socket2::Socket;

use super::{Ran, Subject, Told, arg, byte_count, flags};
use crate::ran;

/// Corresponds to `recv(2)`. Gives what is there, at most `size` bytes, in whatever portions they lie in the buffer; blocks
/// while there is nothing. No bytes at all is the end of the stream: the other side has shut down.
///
/// On Linux this is the system call `recvfrom`.
///
/// Errors: ENOTCONN (not connected), ECONNRESET (a RST came), EAGAIN (MSG_DONTWAIT, and nothing there), ECONNREFUSED (UDP:
/// an earlier datagram met a closed port).
pub(super) fn recv(socket: &Socket, size: usize, names: &[&'static str]) -> Ran<Vec<u8>> {
    let (flags, _) = flags(names);
    let mut buffer = Vec::with_capacity(size);
    let room = &mut buffer.spare_capacity_mut()[..size];
    let ran = if flags == 0 {
        ran!(retry socket.recv(room))
    } else {
        ran!(retry socket.recv_with_flags(room, flags))
    };
    ran.map(|count| {
        // SAFETY: the kernel has written the first `count` bytes of `room`, and `count` is at most its length.
        unsafe { buffer.set_len(count.min(size)) };
        buffer
    })
}

pub(super) fn told(on: &Subject, size: usize, names: &[&'static str]) -> Told {
    let (_, written) = flags(names);
    let mut args = vec![arg("room", byte_count(size))];
    if !names.is_empty() {
        args.push(arg("flags", &written));
    }
    Told {
        call: "recv",
        args,
        c: format!("recv({}, room, {size}, {written});", on.name),
        asked: format!("recvfrom({}, …, {size}, {written}, NULL, NULL)", on.fd),
        syscalls: &["recvfrom"],
        waits_for: "bytes, or the end of the stream",
    }
}

//! `recvfrom(2)`: a datagram that arrived, and who sent it.

use std::net::SocketAddr;

use socket2::Socket;

use super::{
    Ran, Subject, Told, arg, byte_count, flags,
    recv::{Came, came, room},
};
use crate::ran;

/// Corresponds to `recvfrom(2)`. Gives one datagram and the address of its sender: the one to send an answer to. Blocks while
/// there is none. A datagram may be empty: 0 is no end here.
///
/// There is room for `size` bytes; what a datagram has beyond is lost without a word. With MSG_TRUNC the result is the datagram's
/// whole length, so that the loss is seen (Linux, see recv(2)).
///
/// Errors: EAGAIN (MSG_DONTWAIT, and nothing there), ECONNREFUSED (UDP with `connect`: an earlier datagram met a closed
/// port).
pub(super) fn recvfrom(
    socket: &Socket,
    size: usize,
    names: &[&'static str],
) -> Ran<Came<Option<SocketAddr>>> {
    let (flags, _) = flags(names);
    let mut buffer = room(size, names);
    let room = &mut buffer.spare_capacity_mut()[..size];
    let ran = if flags == 0 {
        ran!(retry socket.recv_from(room))
    } else {
        ran!(retry socket.recv_from_with_flags(room, flags))
    };
    // Over TCP there is nothing to tell: the sender is who is connected.
    ran.map(|(length, from)| came(buffer, size, length, from.as_socket()))
}

pub(super) fn told(on: &Subject, size: usize, names: &[&'static str]) -> Told {
    let (_, written) = flags(names);
    let mut args = vec![arg("room", byte_count(size))];
    if !names.is_empty() {
        args.push(arg("flags", &written));
    }
    Told {
        call: "recvfrom",
        args,
        c: format!("recvfrom({}, room, {size}, {written}, &from, &len);", on.name),
        asked: format!("recvfrom({}, …, {size}, {written}, …)", on.fd),
        syscalls: &["recvfrom"],
        waits_for: "a datagram",
    }
}

//! `recv(2)`: copies bytes out of the kernel's receive buffer and removes them there.
#![allow(unsafe_code, reason = "the kernel fills memory that Rust takes for unwritten")]

use std::net::SocketAddr;

use socket2::Socket;

use super::{
    Arguments, CallDescription, Completed, FLAGS, Grammar, On, Returns, Site, SocketRef, Timed, arg,
    byte_count, flags,
};
use crate::{
    event::{Arg, Value},
    ran,
};

/// `recv c 100 MSG_PEEK`
#[derive(Debug, Clone, PartialEq)]
pub struct Recv {
    /// Size of the buffer, in bytes.
    pub size: usize,
    /// Names of flags, such as `MSG_PEEK`.
    pub flags: Vec<&'static str>,
}

impl Recv {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "recv",
        on: On::Socket,
        returns: Returns::Bytes,
        may_block: true,
        about: "take bytes that arrived: recv(2)",
    };

    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<Recv, R::Error> {
        Ok(Recv { size: arguments.size()?, flags: arguments.all_of("flag", FLAGS)? })
    }

    pub(super) fn describe(&self, on: &SocketRef, _: Option<&str>) -> CallDescription {
        let (size, (args, written)) = (self.size, receive_args(self.size, &self.flags));
        CallDescription {
            call: "recv",
            args,
            c: format!("recv({}, room, {size}, {written});", on.name),
            asked: format!("recvfrom({}, …, {size}, {written}, NULL, NULL)", on.fd),
            syscalls: &["recvfrom"],
            waits_for: "bytes, or the end of the stream",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        let tells_length = self.flags.contains(&"MSG_TRUNC");
        let is_tcp = at.held().protocol.is_tcp();
        Completed::of(recv(at.socket(), self.size, &self.flags), |came| match tells_length {
            true => came.datagram(is_tcp, None),
            false => Value::Data(came.bytes),
        })
    }
}

/// The result of a `recv` or a `recvfrom`.
#[derive(Debug)]
pub(super) struct Received<A> {
    /// The received bytes, as far as they fit into the buffer.
    pub bytes: Vec<u8>,
    /// Return value of the call: with MSG_TRUNC the whole length of the datagram, even if the buffer is
    /// smaller.
    pub length: usize,
    /// Address of the sender: `recvfrom` only.
    pub from: A,
}

impl<A> Received<A> {
    /// The result as the trace writes it. With MSG_TRUNC over TCP (`uncopied`) the kernel counts bytes and
    /// writes none.
    pub fn datagram(self, uncopied: bool, from: Option<SocketAddr>) -> Value {
        let bytes = if uncopied { Vec::new() } else { self.bytes };
        Value::Datagram { bytes, length: self.length, from: from.map(|from| from.to_string()) }
    }
}

/// Corresponds to `recv(2)`. Returns the bytes that are available, at most `size`. Blocks while there are
/// none. No bytes at all mean the end of the stream: the peer has shut down its sending direction.
///
/// Of a datagram it returns the first `size` bytes and silently discards the rest. With MSG_TRUNC the result
/// is the whole length of the datagram, so that the loss is seen (Linux, see recv(2)).
///
/// On Linux this is the system call `recvfrom`.
///
/// Errors: ENOTCONN (not connected), ECONNRESET (a RST was received), EAGAIN (MSG_DONTWAIT and no bytes),
/// ECONNREFUSED (UDP: no socket was bound to the destination of an earlier datagram).
pub(super) fn recv(socket: &Socket, size: usize, names: &[&'static str]) -> Timed<Received<()>> {
    let (flags, _) = flags(names);
    let mut buffer = receive_buffer(size, names);
    let room = &mut buffer.spare_capacity_mut()[..size];
    let ran = if flags == 0 {
        ran!(retry socket.recv(room))
    } else {
        ran!(retry socket.recv_with_flags(room, flags))
    };
    ran.map(|length| received(buffer, size, length, ()))
}

/// Arguments of a `recv` or `recvfrom` as they are shown, and its flags as C writes them.
pub(super) fn receive_args(size: usize, names: &[&'static str]) -> (Vec<Arg>, String) {
    let (_, written) = flags(names);
    let mut args = vec![arg("room", byte_count(size))];
    if !names.is_empty() {
        args.push(arg("flags", &written));
    }
    (args, written)
}

/// A buffer of `size` bytes. With MSG_TRUNC over TCP the kernel counts bytes and writes none, see tcp(7): the
/// buffer has zeros.
pub(super) fn receive_buffer(size: usize, names: &[&'static str]) -> Vec<u8> {
    let mut buffer = if names.contains(&"MSG_TRUNC") { vec![0; size] } else { Vec::with_capacity(size) };
    buffer.clear();
    buffer
}

/// The buffer after a call that returned `length`.
pub(super) fn received<A>(mut buffer: Vec<u8>, size: usize, length: usize, from: A) -> Received<A> {
    // SAFETY: the kernel has written the first `length` bytes, as far as there is room, or `room` has filled
    // it with zeros.
    unsafe { buffer.set_len(length.min(size)) };
    Received { bytes: buffer, length, from }
}

//! `recv(2)`: bytes that arrived are taken out of the kernel's receive buffer.
#![allow(unsafe_code, reason = "the kernel fills memory that Rust takes for unwritten")]

use std::net::SocketAddr;

use socket2::Socket;

use super::{
    Arguments, CallDescription, Completed, FLAGS, Grammar, On, Returns, Site, SocketRef, Timed, arg,
    byte_count, flags,
};
use crate::{event::Value, ran};

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
        let (size, names) = (self.size, &self.flags);
        let (_, written) = flags(names);
        let mut args = vec![arg("room", byte_count(size))];
        if !names.is_empty() {
            args.push(arg("flags", &written));
        }
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

/// What a `recv` or a `recvfrom` gave.
#[derive(Debug)]
pub(super) struct Received<A> {
    /// What there was room for.
    pub bytes: Vec<u8>,
    /// What the call returned: with MSG_TRUNC the whole length of the datagram, however little room there was.
    pub length: usize,
    /// Who sent it, where that was asked for.
    pub from: A,
}

impl<A> Received<A> {
    /// The result as the trace writes it. With MSG_TRUNC over TCP (`uncopied`) the kernel counts bytes and writes none.
    pub fn datagram(self, uncopied: bool, from: Option<SocketAddr>) -> Value {
        let bytes = if uncopied { Vec::new() } else { self.bytes };
        Value::Datagram { bytes, length: self.length, from: from.map(|from| from.to_string()) }
    }
}

/// Corresponds to `recv(2)`. Gives what is there, at most `size` bytes, in whatever portions they lie in the buffer; blocks
/// while there is nothing. No bytes at all is the end of a stream: the other side has shut down.
///
/// Of a datagram it gives the first `size` bytes, and the rest is lost without a word; with MSG_TRUNC the result is the
/// datagram's whole length, so that the loss is seen (Linux, see recv(2)).
///
/// On Linux this is the system call `recvfrom`.
///
/// Errors: ENOTCONN (not connected), ECONNRESET (a RST came), EAGAIN (MSG_DONTWAIT, and nothing there), ECONNREFUSED (UDP:
/// an earlier datagram met a closed port).
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

/// Room for `size` bytes. Over TCP the kernel counts bytes with MSG_TRUNC and writes none, see tcp(7): then there are zeros.
pub(super) fn receive_buffer(size: usize, names: &[&'static str]) -> Vec<u8> {
    let mut buffer = if names.contains(&"MSG_TRUNC") { vec![0; size] } else { Vec::with_capacity(size) };
    buffer.clear();
    buffer
}

/// The buffer after a call that returned `length`.
pub(super) fn received<A>(mut buffer: Vec<u8>, size: usize, length: usize, from: A) -> Received<A> {
    // SAFETY: the kernel has written the first `length` bytes, as far as there is room, or `room` has filled it with zeros.
    unsafe { buffer.set_len(length.min(size)) };
    Received { bytes: buffer, length, from }
}

//! `recvfrom(2)`: takes a datagram out of the receive buffer, with the address of its sender.

use std::net::SocketAddr;

use socket2::Socket;

use super::{
    Arguments, CallDescription, Completed, FLAGS, Grammar, On, Returns, Site, SocketRef, Timed, flags,
    recv::{Received, receive_args, receive_buffer, received},
};
use crate::ran;

/// `m = recvfrom s 100`
#[derive(Debug, Clone, PartialEq)]
pub struct RecvFrom {
    /// Size of the buffer, in bytes.
    pub size: usize,
    /// Names of flags, such as `MSG_PEEK`.
    pub flags: Vec<&'static str>,
}

impl RecvFrom {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "recvfrom",
        on: On::Socket,
        returns: Returns::Datagram,
        may_block: true,
        about: "take a datagram, and learn who sent it: recvfrom(2)",
    };

    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<RecvFrom, R::Error> {
        Ok(RecvFrom { size: arguments.size()?, flags: arguments.all_of("flag", FLAGS)? })
    }

    pub(super) fn describe(&self, on: &SocketRef, _: Option<&str>) -> CallDescription {
        let (size, (args, written)) = (self.size, receive_args(self.size, &self.flags));
        CallDescription {
            call: "recvfrom",
            args,
            c: format!("recvfrom({}, room, {size}, {written}, &from, &len);", on.name),
            asked: format!("recvfrom({}, …, {size}, {written}, …)", on.fd),
            syscalls: &["recvfrom"],
            waits_for: "a datagram",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        let uncopied = at.held().protocol.is_tcp() && self.flags.contains(&"MSG_TRUNC");
        Completed::of(recvfrom(at.socket(), self.size, &self.flags), |came| {
            let from = came.from;
            came.datagram(uncopied, from)
        })
    }
}

/// Corresponds to `recvfrom(2)`. Returns one datagram and the address of its sender, to which an answer can
/// be sent. Blocks while there is none. A datagram may be empty: 0 bytes are not the end of a stream here.
///
/// Bytes of the datagram beyond `size` are silently discarded. With MSG_TRUNC the result is the whole length
/// of the datagram, so that the loss is seen (Linux, see recv(2)).
///
/// Errors: EAGAIN (MSG_DONTWAIT and no datagram), ECONNREFUSED (UDP with `connect`: no socket was bound to
/// the destination of an earlier datagram).
pub(super) fn recvfrom(
    socket: &Socket,
    size: usize,
    names: &[&'static str],
) -> Timed<Received<Option<SocketAddr>>> {
    let (flags, _) = flags(names);
    let mut buffer = receive_buffer(size, names);
    let room = &mut buffer.spare_capacity_mut()[..size];
    let ran = if flags == 0 {
        ran!(retry socket.recv_from(room))
    } else {
        ran!(retry socket.recv_from_with_flags(room, flags))
    };
    // Over TCP there is no address: the sender is the connected peer.
    ran.map(|(length, from)| received(buffer, size, length, from.as_socket()))
}

//! `send(2)`: bytes are handed to the kernel, which sends them when it sees fit.

use socket2::Socket;

use super::{
    Arguments, CallDescription, Completed, FLAGS, Grammar, On, Returns, Site, SocketRef, Timed, arg,
    describe_bytes, flags, quoted,
};
use crate::{event::Value, ran};

/// `send c "hello" MSG_DONTWAIT`
#[derive(Debug, Clone, PartialEq)]
pub struct Send {
    /// What is sent.
    pub bytes: Vec<u8>,
    /// Names of flags, such as `MSG_DONTWAIT`.
    pub flags: Vec<&'static str>,
}

impl Send {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "send",
        on: On::Socket,
        returns: Returns::Number,
        may_block: true,
        about: "hand bytes to the kernel: send(2)",
    };

    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<Send, R::Error> {
        Ok(Send { bytes: arguments.bytes()?, flags: arguments.all_of("flag", FLAGS)? })
    }

    pub(super) fn describe(&self, on: &SocketRef, _: Option<&str>) -> CallDescription {
        let (bytes, names) = (&self.bytes, &self.flags);
        let (_, written) = flags(names);
        let mut args = vec![arg("bytes", describe_bytes(bytes))];
        if !names.is_empty() {
            args.push(arg("flags", &written));
        }
        CallDescription {
            call: "send",
            args,
            c: format!("send({}, {}, {}, {written});", on.name, quoted(bytes, 24), bytes.len()),
            asked: format!("sendto({}, {}, {}, {written}, NULL, 0)", on.fd, quoted(bytes, 16), bytes.len()),
            syscalls: &["sendto"],
            waits_for: "room in the send buffer",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        Completed::of(send(at.socket(), &self.bytes, &self.flags), Value::Count)
    }
}

/// Corresponds to `send(2)`. Gives the number of bytes that the kernel took, which over TCP may be fewer than were offered.
/// Blocks while the send buffer is full.
///
/// On Linux this is the system call `sendto`. A Rust program ignores SIGPIPE, so a closed connection is an error here and
/// not the end of the process.
///
/// Errors: EPIPE (this side has shut down, the connection is gone, or was never there), ECONNRESET (a RST came), EAGAIN
/// (MSG_DONTWAIT, and no room), EDESTADDRREQ (UDP without `connect`).
pub(super) fn send(socket: &Socket, bytes: &[u8], names: &[&'static str]) -> Timed<usize> {
    let (flags, _) = flags(names);
    if flags == 0 { ran!(retry socket.send(bytes)) } else { ran!(retry socket.send_with_flags(bytes, flags)) }
}

//! `send(2)`: copies bytes into the send buffer of the kernel, which decides when to transmit them.

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

/// Corresponds to `send(2)`. Returns the number of bytes that the kernel copied; over TCP this may be fewer
/// than were passed. Blocks while the send buffer is full.
///
/// On Linux this is the system call `sendto`. A Rust program ignores SIGPIPE, so a closed connection is an
/// error here and not the end of the process.
///
/// Errors: EPIPE (this side was shut down, or there is no connection), ECONNRESET (a RST was received),
/// EAGAIN (MSG_DONTWAIT and a full send buffer), EDESTADDRREQ (UDP without `connect`).
pub(super) fn send(socket: &Socket, bytes: &[u8], names: &[&'static str]) -> Timed<usize> {
    let (flags, _) = flags(names);
    if flags == 0 { ran!(retry socket.send(bytes)) } else { ran!(retry socket.send_with_flags(bytes, flags)) }
}

//! `sendto(2)`: passes a datagram and its destination address to the kernel.

use std::net::SocketAddr;

use socket2::{SockAddr, Socket};

use super::{
    Arguments, CallDescription, Completed, FLAGS, Grammar, On, Returns, Site, SocketRef, Target, Timed, arg,
    c_address, describe_bytes, flags, quoted,
};
use crate::{event::Value, ran};

/// `sendto c server:7000 "hello"`
#[derive(Debug, Clone, PartialEq)]
pub struct SendTo<A = SocketAddr> {
    /// Where the datagram goes.
    pub address: A,
    /// What is sent.
    pub bytes: Vec<u8>,
    /// Names of flags, such as `MSG_DONTWAIT`.
    pub flags: Vec<&'static str>,
}

impl SendTo<Target> {
    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<SendTo<Target>, R::Error> {
        Ok(SendTo {
            address: arguments.target()?,
            bytes: arguments.bytes()?,
            flags: arguments.all_of("flag", FLAGS)?,
        })
    }

    pub(super) fn resolve<E>(
        self,
        address: &mut impl FnMut(Target) -> Result<SocketAddr, E>,
    ) -> Result<SendTo, E> {
        Ok(SendTo { address: address(self.address)?, bytes: self.bytes, flags: self.flags })
    }
}

impl SendTo {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "sendto",
        on: On::Socket,
        returns: Returns::Number,
        may_block: true,
        about: "hand over a datagram for an address: sendto(2)",
    };

    pub(super) fn describe(&self, on: &SocketRef, _: Option<&str>) -> CallDescription {
        let (address, bytes, names) = (self.address, &self.bytes, &self.flags);
        let (_, written) = flags(names);
        let mut args = vec![arg("bytes", describe_bytes(bytes))];
        if !names.is_empty() {
            args.push(arg("flags", &written));
        }
        args.push(arg("address", address));
        let (to, length) = (c_address(address), SockAddr::from(address).len());
        CallDescription {
            call: "sendto",
            args,
            c: format!(
                "sendto({}, {}, {}, {written}, &{to}, sizeof addr);",
                on.name,
                quoted(bytes, 24),
                bytes.len()
            ),
            asked: format!(
                "sendto({}, {}, {}, {written}, {to}, {length})",
                on.fd,
                quoted(bytes, 16),
                bytes.len()
            ),
            syscalls: &["sendto"],
            waits_for: "room in the send buffer",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        Completed::of(sendto(at.socket(), self.address, &self.bytes, &self.flags), Value::Count)
    }
}

/// Corresponds to `sendto(2)`. The datagram is sent as a whole or not at all; the result is its number of
/// bytes. A socket without a local address gets a free port.
///
/// The call needs no connection. Success does not mean that the datagram arrives.
///
/// Errors: EMSGSIZE (more than fits into one datagram), EDESTADDRREQ (no address), ECONNREFUSED (UDP with
/// `connect`: an earlier datagram met a closed port), ENETUNREACH (no route), EISCONN (TCP, on some systems).
pub(super) fn sendto(
    socket: &Socket,
    address: SocketAddr,
    bytes: &[u8],
    names: &[&'static str],
) -> Timed<usize> {
    let (flags, _) = flags(names);
    let address = SockAddr::from(address);
    if flags == 0 {
        ran!(retry socket.send_to(bytes, &address))
    } else {
        ran!(retry socket.send_to_with_flags(bytes, &address, flags))
    }
}

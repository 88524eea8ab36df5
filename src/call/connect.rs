//! `connect(2)`: the endpoint gets its remote address. Over TCP the kernels perform the handshake.

use std::net::SocketAddr;

use socket2::{SockAddr, Socket};

use super::{
    Arguments, CallDescription, Completed, Grammar, On, Returns, Site, SocketRef, Target, Timed, arg,
    c_address,
};
use crate::ran;

/// `connect c server:7000`
#[derive(Debug, Clone, PartialEq)]
pub struct Connect<A = SocketAddr> {
    /// The remote address.
    pub address: A,
}

impl Connect<Target> {
    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<Connect<Target>, R::Error> {
        Ok(Connect { address: arguments.target()? })
    }

    pub(super) fn resolve<E>(
        self,
        address: &mut impl FnMut(Target) -> Result<SocketAddr, E>,
    ) -> Result<Connect, E> {
        Ok(Connect { address: address(self.address)? })
    }
}

impl Connect {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "connect",
        on: On::Socket,
        returns: Returns::Nothing,
        may_block: true,
        about: "call a listener: connect(2)",
    };

    pub(super) fn describe(&self, on: &SocketRef, _: Option<&str>) -> CallDescription {
        let address = self.address;
        CallDescription {
            call: "connect",
            args: vec![arg("address", address)],
            c: format!("connect({}, &{}, sizeof addr);", on.name, c_address(address)),
            asked: format!("connect({}, {}, {})", on.fd, c_address(address), SockAddr::from(address).len()),
            syscalls: &["connect"],
            waits_for: "the other side's SYN,ACK",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        at.held().set_connect_target(self.address);
        Completed::done(connect(at.socket(), self.address))
    }
}

/// Corresponds to `connect(2)`. Over TCP it blocks until the handshake has succeeded or failed; over UDP it
/// only stores the address.
///
/// Not repeated after EINTR: the handshake goes on, and a second `connect` would fail with EALREADY
/// (connect(2), POSIX).
///
/// Errors: ECONNREFUSED (the peer answered with a RST: no socket listens at that address), ETIMEDOUT (no
/// answer), EISCONN (the socket is already connected), EHOSTUNREACH and ENETUNREACH (no route).
pub(super) fn connect(socket: &Socket, address: SocketAddr) -> Timed<()> {
    let address = SockAddr::from(address);
    ran!(socket.connect(&address))
}

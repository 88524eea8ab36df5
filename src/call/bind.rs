//! `bind(2)`: the endpoint gets its local address and port.

use std::net::SocketAddr;

use socket2::{SockAddr, Socket};

use super::{
    Arguments, CallDescription, Completed, Grammar, On, Returns, Site, SocketRef, Target, Timed, arg,
    c_address,
};
use crate::ran;

/// `bind s :7000`
#[derive(Debug, Clone, PartialEq)]
pub struct Bind<A = SocketAddr> {
    /// The local address.
    pub address: A,
}

impl Bind<Target> {
    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<Bind<Target>, R::Error> {
        Ok(Bind { address: arguments.target()? })
    }

    pub(super) fn resolve<E>(
        self,
        address: &mut impl FnMut(Target) -> Result<SocketAddr, E>,
    ) -> Result<Bind, E> {
        Ok(Bind { address: address(self.address)? })
    }
}

impl Bind {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "bind",
        on: On::Socket,
        returns: Returns::Nothing,
        may_block: false,
        about: "give it a local address: bind(2)",
    };

    pub(super) fn describe(&self, on: &SocketRef, _: Option<&str>) -> CallDescription {
        let address = self.address;
        CallDescription {
            call: "bind",
            args: vec![arg("address", address)],
            c: format!("bind({}, &{}, sizeof addr);", on.name, c_address(address)),
            asked: format!("bind({}, {}, {})", on.fd, c_address(address), SockAddr::from(address).len()),
            syscalls: &["bind"],
            waits_for: "",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        Completed::done(bind(at.socket(), self.address))
    }
}

/// Corresponds to `bind(2)`. Port 0 asks the kernel for a free one.
///
/// Errors: EADDRINUSE (the address is in use), EADDRNOTAVAIL (no interface of this host has the address),
/// EACCES (the port is privileged), EINVAL (the socket already has an address).
pub(super) fn bind(socket: &Socket, address: SocketAddr) -> Timed<()> {
    let address = SockAddr::from(address);
    ran!(socket.bind(&address))
}

//! `std::net::TcpListener::bind`: several system calls in one function of the standard library.

use std::net::{SocketAddr, TcpListener};

use socket2::Socket;

use super::{
    Arguments, CallDescription, Completed, Grammar, On, Protocol, Returns, Site, SocketRef, Target, Timed,
    arg,
};
use crate::ran;

/// `s = TcpListener::bind :7000`
#[derive(Debug, Clone, PartialEq)]
pub struct StdListener<A = SocketAddr> {
    /// The local address.
    pub address: A,
}

impl StdListener<Target> {
    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<StdListener<Target>, R::Error> {
        Ok(StdListener { address: arguments.target()? })
    }

    pub(super) fn resolve<E>(
        self,
        address: &mut impl FnMut(Target) -> Result<SocketAddr, E>,
    ) -> Result<StdListener, E> {
        Ok(StdListener { address: address(self.address)? })
    }
}

impl StdListener {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "TcpListener::bind",
        on: On::Nothing,
        returns: Returns::Socket,
        may_block: false,
        about: "std's socket, bind and listen in one go",
    };

    pub(super) fn describe(&self, _: &SocketRef, result: Option<&str>) -> CallDescription {
        let (address, result) = (self.address, result.unwrap_or("s"));
        CallDescription {
            call: "TcpListener::bind",
            args: vec![arg("address", address)],
            c: format!("/* {result}: socket, setsockopt(SO_REUSEADDR), bind, listen */"),
            asked: "socket(…), setsockopt(…, SO_REUSEADDR, 1), bind(…), listen(…)".to_owned(),
            syscalls: &["socket", "setsockopt", "bind", "listen"],
            waits_for: "",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        let protocol = if self.address.is_ipv6() { Protocol::Tcp6 } else { Protocol::Tcp };
        Completed::of(bind(self.address), |new| at.insert(protocol, new, None))
    }
}

/// Makes `socket`, on Unix `setsockopt(SO_REUSEADDR)`, `bind`, and `listen` with a backlog that the caller
/// cannot choose.
///
/// Errors: those of `socket`, `bind` and `listen`. The error does not say which call failed.
pub(super) fn bind(address: SocketAddr) -> Timed<Socket> {
    ran!(TcpListener::bind(address)).map(Socket::from)
}

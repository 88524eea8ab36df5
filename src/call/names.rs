//! `getsockname(2)` and `getpeername(2)`: the two addresses of an endpoint.

use socket2::{SockAddr, Socket};

use super::{Arguments, CallDescription, Completed, Grammar, On, Returns, Site, SocketRef, Timed};
use crate::{event::Value, ran};

/// `getsockname s`
#[derive(Debug, Clone, PartialEq)]
pub struct GetSockName;

impl GetSockName {
    pub(super) const GRAMMAR: Grammar = grammar("getsockname", "the local address: getsockname(2)");

    pub(super) fn read<R: Arguments>(_: &mut R) -> Result<GetSockName, R::Error> {
        Ok(GetSockName)
    }

    pub(super) fn describe(&self, on: &SocketRef, _: Option<&str>) -> CallDescription {
        describe("getsockname", &["getsockname"], on)
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        Completed::of(local(at.socket()), |address| value(&address))
    }
}

/// `getpeername c`
#[derive(Debug, Clone, PartialEq)]
pub struct GetPeerName;

impl GetPeerName {
    pub(super) const GRAMMAR: Grammar = grammar("getpeername", "the remote address: getpeername(2)");

    pub(super) fn read<R: Arguments>(_: &mut R) -> Result<GetPeerName, R::Error> {
        Ok(GetPeerName)
    }

    pub(super) fn describe(&self, on: &SocketRef, _: Option<&str>) -> CallDescription {
        describe("getpeername", &["getpeername"], on)
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        Completed::of(peer(at.socket()), |address| value(&address))
    }
}

/// Corresponds to `getsockname(2)`: the local address; 0.0.0.0:0 if none was given.
pub(super) fn local(socket: &Socket) -> Timed<SockAddr> {
    ran!(socket.local_addr())
}

/// Corresponds to `getpeername(2)`: the remote address.
///
/// Errors: ENOTCONN (the socket is not connected).
pub(super) fn peer(socket: &Socket) -> Timed<SockAddr> {
    ran!(socket.peer_addr())
}

const fn grammar(name: &'static str, about: &'static str) -> Grammar {
    Grammar { name, on: On::Socket, returns: Returns::Address, may_block: false, about }
}

fn describe(call: &'static str, syscalls: &'static [&'static str], on: &SocketRef) -> CallDescription {
    CallDescription {
        call,
        args: Vec::new(),
        c: format!("{call}({}, &addr, &len);", on.name),
        asked: format!("{call}({}, …)", on.fd),
        syscalls,
        waits_for: "",
    }
}

/// An address of an unknown family counts as success.
fn value(address: &SockAddr) -> Value {
    address.as_socket().map_or(Value::Done, |address| Value::Address(address.to_string()))
}

//! `socket(2)`: creates an endpoint. It has a protocol and no address yet.

use socket2::{Domain, Socket, Type};

use super::{
    Arguments, CallDescription, Completed, Grammar, On, Protocol, Returns, Site, SocketRef, Timed, arg,
};
use crate::ran;

/// `s = socket tcp`
#[derive(Debug, Clone, PartialEq)]
pub struct NewSocket {
    /// Its protocol.
    pub protocol: Protocol,
}

impl NewSocket {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "socket",
        on: On::Nothing,
        returns: Returns::Socket,
        may_block: false,
        about: "make an endpoint: socket(2)",
    };

    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<NewSocket, R::Error> {
        Ok(NewSocket { protocol: arguments.one_of("protocol", &Protocol::ALL)? })
    }

    pub(super) fn describe(&self, _: &SocketRef, result: Option<&str>) -> CallDescription {
        let (protocol, result) = (self.protocol, result.unwrap_or("s"));
        let domain = if protocol.is_v6() { "AF_INET6" } else { "AF_INET" };
        let (kind, means) = match protocol {
            Protocol::Tcp | Protocol::Tcp6 => ("SOCK_STREAM", "a byte stream: TCP"),
            Protocol::Udp | Protocol::Udp6 => ("SOCK_DGRAM", "datagrams: UDP"),
            Protocol::Icmp => ("SOCK_DGRAM", "datagrams"),
            Protocol::RawIcmp => ("SOCK_RAW", "IP without a protocol above it"),
        };
        let (number, which) = match protocol {
            Protocol::Icmp | Protocol::RawIcmp => ("IPPROTO_ICMP", "IPPROTO_ICMP (1)"),
            _ => ("0", "0 (the usual one for that type)"),
        };
        CallDescription {
            call: "socket",
            args: vec![
                arg("domain", format!("{domain} (IPv{})", if protocol.is_v6() { 6 } else { 4 })),
                arg("type", format!("{kind} ({means})")),
                arg("protocol", which),
            ],
            c: format!("int {result} = socket({domain}, {kind}, {number});"),
            asked: format!("socket({domain}, {kind} | SOCK_CLOEXEC, {number})"),
            syscalls: &["socket"],
            waits_for: "",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        Completed::of(socket(self.protocol), |new| at.insert(self.protocol, new, None))
    }
}

/// Corresponds to `socket(2)`.
///
/// socket2 also asks for `SOCK_CLOEXEC` (a child of this program will not inherit the descriptor); on macOS
/// it sets `SO_NOSIGPIPE`.
///
/// Errors: EMFILE (this process has no descriptor left), EAFNOSUPPORT (the system lacks the address family),
/// EPERM (a raw socket without CAP_NET_RAW), EACCES (a ping socket, and none of this process's groups is in
/// `net.ipv4.ping_group_range`).
pub(super) fn socket(protocol: Protocol) -> Timed<Socket> {
    let domain = if protocol.is_v6() { Domain::IPV6 } else { Domain::IPV4 };
    let (kind, number) = match protocol {
        Protocol::Tcp | Protocol::Tcp6 => (Type::STREAM, None),
        Protocol::Udp | Protocol::Udp6 => (Type::DGRAM, None),
        Protocol::Icmp => (Type::DGRAM, Some(socket2::Protocol::ICMPV4)),
        Protocol::RawIcmp => (Type::RAW, Some(socket2::Protocol::ICMPV4)),
    };
    ran!(Socket::new(domain, kind, number))
}

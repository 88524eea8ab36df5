//! `socket(2)`: an endpoint is made. It has a protocol, and no address yet.

use socket2::{Domain, Socket, Type};

use super::{Protocol, Ran, Told, arg};
use crate::ran;

/// Corresponds to `socket(2)`.
///
/// socket2 also asks for `SOCK_CLOEXEC` (a child of this program will not inherit the descriptor); on macOS it sets
/// `SO_NOSIGPIPE`.
///
/// Errors: EMFILE (this process has no descriptor left), EAFNOSUPPORT (no such address family here), EACCES (a raw socket
/// without the right to it).
pub(super) fn socket(protocol: Protocol) -> Ran<Socket> {
    let domain = if protocol.is_v6() { Domain::IPV6 } else { Domain::IPV4 };
    let kind = if protocol.is_tcp() { Type::STREAM } else { Type::DGRAM };
    ran!(Socket::new(domain, kind, None))
}

pub(super) fn told(protocol: Protocol, result: &str) -> Told {
    let domain = if protocol.is_v6() { "AF_INET6" } else { "AF_INET" };
    let (kind, means) = if protocol.is_tcp() {
        ("SOCK_STREAM", "a byte stream: TCP")
    } else {
        ("SOCK_DGRAM", "datagrams: UDP")
    };
    Told {
        call: "socket",
        args: vec![
            arg("domain", format!("{domain} (IPv{})", if protocol.is_v6() { 6 } else { 4 })),
            arg("type", format!("{kind} ({means})")),
            arg("protocol", "0 (the usual one for that type)"),
        ],
        c: format!("int {result} = socket({domain}, {kind}, 0);"),
        asked: format!("socket({domain}, {kind} | SOCK_CLOEXEC, 0)"),
        syscalls: &["socket"],
        waits_for: "",
    }
}

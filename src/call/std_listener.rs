//! `std::net::TcpListener::bind`: what Rust's own library does in one go.

use std::net::{SocketAddr, TcpListener};

use socket2::Socket;

use super::{Ran, Told, arg};
use crate::ran;

/// Three calls in one, and a fourth that is easily missed: `socket`, on Unix `setsockopt(SO_REUSEADDR)`, `bind`, `listen`
/// with a backlog that the caller cannot choose.
///
/// Errors: those of `socket`, `bind` and `listen`, without saying which it was.
pub(super) fn bind(address: SocketAddr) -> Ran<Socket> {
    ran!(TcpListener::bind(address)).map(Socket::from)
}

pub(super) fn told(address: SocketAddr, result: &str) -> Told {
    Told {
        call: "TcpListener::bind",
        args: vec![arg("address", address)],
        c: format!("/* {result}: socket, setsockopt(SO_REUSEADDR), bind, listen */"),
        asked: "socket(…), setsockopt(…, SO_REUSEADDR, 1), bind(…), listen(…)".to_owned(),
        syscalls: &["socket", "setsockopt", "bind", "listen"],
        waits_for: "",
    }
}

//! The listener: bind, listen, and what to do where the address can't be had.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

use crate::stage::{Interest, poll, raise_descriptor_limit};

/// Connections that may wait in the accept queue; the kernel cuts this to `net.core.somaxconn`.
pub const BACKLOG: u16 = 4096;

/// Descriptors that are kept for other things than connections.
const RESERVED_DESCRIPTORS: usize = 32;

/// Longest time that [`Listener::accept`] waits, so that its caller sees that the server stops.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The error of an address that can't be listened at.
#[derive(Debug, Error)]
#[error("can't listen at {at}: {error}")]
pub struct ListenError {
    /// The address.
    pub at: SocketAddr,
    /// The error of the call that failed.
    pub error: io::Error,
}

impl ListenError {
    /// What the error means and what to do about it, in Markdown; nothing if the system's words say all.
    pub fn advice(&self) -> Option<String> {
        advice(self.error.kind(), Some(self.at))
    }
}

/// A TCP socket that listens.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    address: SocketAddr,
}

impl Listener {
    /// Corresponds to `socket(2)`, `bind(2)` and `listen(2)`, with SO_REUSEADDR.
    ///
    /// # Errors
    /// If one of the calls fails.
    pub fn bind(at: SocketAddr) -> Result<Listener, ListenError> {
        let listen = || -> io::Result<Listener> {
            let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
            // On Windows the option means something else: two programs could share the port.
            if cfg!(unix) {
                socket.set_reuse_address(true)?;
            }
            socket.bind(&at.into())?;
            socket.listen(i32::from(BACKLOG))?;
            // A peer may have gone between `poll` and `accept`; `accept` must not wait for the next one then.
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?.as_socket().unwrap_or(at);
            Ok(Listener { socket, address })
        };
        listen().map_err(|error| ListenError { at, error })
    }

    /// The address at which it listens, with the port that the kernel has chosen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts the next connection, in blocking mode, with the peer's address. Waits up to 100 ms, then
    /// returns `None`.
    ///
    /// # Errors
    /// As `poll(2)` and `accept(2)`.
    pub fn accept(&self) -> io::Result<Option<(TcpStream, SocketAddr)>> {
        let [ready] = poll([(&self.socket, Interest::Read)], Some(POLL_INTERVAL))?;
        if !ready.ready {
            return Ok(None);
        }
        let (socket, peer) = self.socket.accept()?;
        // On some systems an accepted socket inherits the mode of the listener.
        socket.set_nonblocking(false)?;
        let peer = peer.as_socket().unwrap_or(self.address);
        Ok(Some((socket.into(), peer)))
    }
}

/// A warning that an address can be reached from elsewhere, in Markdown; nothing for a loopback address.
/// `listens`: the socket is to listen there, not only to be bound.
pub fn exposure(at: SocketAddr, listens: bool) -> Option<String> {
    let addresses = match at.ip() {
        ip if ip.is_loopback() => return None,
        ip if !ip.is_unspecified() => format!("{ip} is no loopback address"),
        ip if ip.is_ipv4() => "`0.0.0.0` is every IPv4 address of this machine".to_owned(),
        _ if cfg!(windows) => "`::` is every IPv6 address of this machine".to_owned(),
        _ => "`::` is every address of this machine, IPv4 too unless IPV6_V6ONLY is set (ipv6(7))".to_owned(),
    };
    let consequence = if listens {
        "Any peer that can reach it can call it, unless a firewall is in the way."
    } else {
        "It is only bound: nothing can call it before it listens."
    };
    Some(format!("**Open to the network:** {addresses}. {consequence}"))
}

/// Raises the limit of descriptors, and returns the number of connections that fit: at most `wanted`, with
/// `each` descriptors a connection. Where fewer fit, says so in Markdown.
pub fn connection_limit(wanted: usize, each: usize) -> (usize, Option<String>) {
    let descriptors = raise_descriptor_limit();
    let most = (descriptors.saturating_sub(RESERVED_DESCRIPTORS) / each).max(1);
    let warning = (wanted > most).then(|| {
        let each = if each == 1 { String::new() } else { format!(", and a connection takes {each}") };
        format!(
            "This process may have {descriptors} descriptors{each}, so it takes {most} connections at once and not {wanted}; `ulimit -n` shows and raises the limit."
        )
    });
    (wanted.min(most), warning)
}

/// What an error of `bind` or `listen` means and what to do about it, in Markdown; nothing if the system's
/// words say all.
pub fn advice(error: io::ErrorKind, at: Option<SocketAddr>) -> Option<String> {
    let address = at.map_or_else(|| "that address".to_owned(), |at| format!("`{at}`"));
    let port = at.map_or(0, |at| at.port());
    match error {
        io::ErrorKind::AddrInUse => Some(in_use(&address, port)),
        io::ErrorKind::PermissionDenied if (1..1024).contains(&port) => Some(format!(
            "**EACCES**: port {port} is one of the low ports that need a privilege (ip(7); CAP_NET_BIND_SERVICE on Linux). Take one from 1024 up."
        )),
        io::ErrorKind::AddrNotAvailable => Some(format!(
            "**EADDRNOTAVAIL**: {address} is no address of this machine{}. These are:\n\n```\n{OWN_ADDRESSES}\n```",
            if at.is_some_and(|at| at.is_ipv6()) { "; perhaps IPv6 is off here" } else { "" }
        )),
        _ => None,
    }
}

/// Another socket has the address.
fn in_use(at: &str, port: u16) -> String {
    let linux = cfg!(target_os = "linux");
    let hidden = if linux {
        " A TCP socket that is bound and does not listen is not in that list; a newer `ss` has the option `-B` for those. Programs of other people are named to root."
    } else {
        ""
    };
    format!(
        "**EADDRINUSE**: {at} is taken: by a program that listens or is bound there, or by a connection of that port. One in TIME_WAIT has no program, and goes by itself{}.\n\n\
         ```\n{}\n```\n\nEnd the program, or take another port; with port 0 the kernel picks a free one.{hidden}",
        if linux { " within a minute" } else { "" },
        list_sockets(port)
    )
}

/// The command that lists the sockets of a port on this system.
pub fn list_sockets(port: u16) -> String {
    if cfg!(target_os = "linux") {
        format!("ss -tuanp '( sport = :{port} or dport = :{port} )'")
    } else if cfg!(windows) {
        format!("netstat -ano | findstr :{port}")
    } else {
        format!("lsof -nP -i :{port}\nnetstat -an | grep '[.]{port} '")
    }
}

/// The command that lists the addresses of this machine.
const OWN_ADDRESSES: &str = if cfg!(target_os = "linux") {
    "ip -br addr"
} else if cfg!(windows) {
    "ipconfig"
} else {
    "ifconfig"
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_accepts_connections_in_blocking_mode_or_returns_without_one() {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        assert!(listener.accept().unwrap().is_none());
        let client = TcpStream::connect(listener.address()).unwrap();
        let (stream, peer) = listener.accept().unwrap().unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let began = std::time::Instant::now();
        assert!(io::Read::read(&mut &stream, &mut [0]).is_err());
        assert!(began.elapsed() >= Duration::from_millis(40), "the read waited");
    }

    #[test]
    fn an_address_in_use_is_an_error_with_advice() {
        let first = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = Listener::bind(first.address()).unwrap_err();
        assert_eq!(error.error.kind(), io::ErrorKind::AddrInUse);
        let advice = error.advice().unwrap();
        assert!(advice.contains("EADDRINUSE") && advice.contains(&first.address().to_string()), "{advice}");
    }

    #[test]
    fn only_an_address_that_is_no_loopback_address_is_exposed() {
        let exposed = |at: &str| exposure(at.parse().unwrap(), true);
        assert_eq!((exposed("127.0.0.1:1"), exposed("[::1]:1")), (None, None));
        assert!(exposed("0.0.0.0:1").unwrap().contains("every IPv4 address"));
        assert!(exposed("[::]:1").unwrap().contains("`::` is every"));
    }
}

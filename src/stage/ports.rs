//! Ports on loopback: a lesson's 7000 is a name, and a free port stands for it.

use std::{
    io,
    net::{Ipv4Addr, UdpSocket},
};

/// Where we look for free ports: above those of well-known servers, below those that Linux hands out by itself (32768).
const FIRST: u16 = 20_000;

/// How far apart neighbouring processes begin to look.
const APART: u16 = 64;

/// How many ports we look through.
const RANGE: u16 = 190 * APART;

/// The ports of a run, by their names in the lesson.
#[derive(Debug)]
pub(super) struct Ports {
    next: u16,
    left: u16,
    taken: Vec<(u16, u16)>,
}

impl Ports {
    /// Neighbouring processes begin in different places, so that runs side by side don't meet.
    pub fn new() -> Ports {
        let place = std::process::id().wrapping_mul(u32::from(APART)) % u32::from(RANGE);
        Ports { next: u16::try_from(place).unwrap_or(0), left: RANGE, taken: Vec::new() }
    }

    /// The port that stands for this name.
    pub fn resolve(&mut self, named: u16) -> io::Result<u16> {
        if named < 1024 {
            return Ok(named);
        }
        if let Some((_, real)) = self.taken.iter().find(|(name, _)| *name == named) {
            return Ok(*real);
        }
        while self.left > 0 {
            let port = FIRST + self.next;
            self.next = (self.next + 1) % RANGE;
            self.left -= 1;
            if free(port) {
                self.taken.push((named, port));
                return Ok(port);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            format!("no port from {FIRST} to {} is free for the lesson", FIRST + RANGE - 1),
        ))
    }
}

/// Whether nobody listens on it, over TCP or UDP, or waits out a TIME_WAIT: bound once, on all addresses, and given back.
fn free(port: u16) -> bool {
    use socket2::{Domain, SockAddr, Socket, Type};
    let bound = |socket: Socket| {
        let any = SockAddr::from(std::net::SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
        socket.bind(&any).and_then(|()| socket.listen(1))
    };
    Socket::new(Domain::IPV4, Type::STREAM, None).and_then(bound).is_ok()
        && UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_name_keeps_its_port_and_two_names_have_two() {
        let mut ports = Ports::new();
        let (a, b) = (ports.resolve(7000).unwrap(), ports.resolve(7001).unwrap());
        assert_ne!(a, b);
        assert_eq!(ports.resolve(7000).unwrap(), a);
        assert_eq!((ports.resolve(0).unwrap(), ports.resolve(80).unwrap()), (0, 80));
    }

    #[test]
    fn a_port_in_use_is_passed_over() {
        let mut ports = Ports::new();
        let first = ports.resolve(7000).unwrap();
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first + 1));
        assert_ne!(ports.resolve(7001).unwrap(), first + 1);
    }
}

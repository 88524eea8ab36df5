//! Ports on loopback: a port that a lesson names stands for a free port of the machine.

use std::net::{Ipv4Addr, UdpSocket};

use super::StageError;

/// The first port that is tried: above the ports of well-known servers, and below those that Linux assigns
/// itself (32768).
const FIRST: u16 = 20_000;

/// Distance between the ports at which processes with neighbouring numbers begin their search.
const STRIDE: u16 = 64;

/// Number of ports that are tried.
const RANGE: u16 = 190 * STRIDE;

/// The ports of a run, by the port that the lesson names.
#[derive(Debug)]
pub(super) struct Ports {
    next: u16,
    left: u16,
    taken: Vec<(u16, u16)>,
}

impl Ports {
    /// The search begins at a place that depends on the process's number, so that processes side by side do
    /// not collide.
    pub fn new() -> Ports {
        let place = std::process::id().wrapping_mul(u32::from(STRIDE)) % u32::from(RANGE);
        Ports { next: u16::try_from(place).unwrap_or(0), left: RANGE, taken: Vec::new() }
    }

    /// The port to use for the port `named`: always the same one in a run.
    pub fn resolve(&mut self, named: u16) -> Result<u16, StageError> {
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
            if is_free(port) {
                self.taken.push((named, port));
                return Ok(port);
            }
        }
        Err(StageError::NoFreePort { first: FIRST, last: FIRST + RANGE - 1 })
    }
}

/// Whether the port can be bound on all addresses, over TCP and UDP: no socket listens there or is in
/// TIME_WAIT.
fn is_free(port: u16) -> bool {
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

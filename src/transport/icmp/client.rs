//! The client over ICMP: each message is the data of an echo.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use socket2::{Domain, Socket, Type};

use super::ICMP;
use crate::{
    call::{Protocol, SocketEntry},
    transport::{
        api::{Client, ClientConfig, CloseMode, Heard},
        connection::Fault,
        events::{Happened, Way},
        message::Message,
    },
    websocket::opening::is_timeout,
    wire::icmp::{self, kind},
};

/// The most that an echo carries over IPv4: 65,535 bytes less the headers of IP and ICMP.
const LONGEST: usize = 65_507;

struct Pings {
    calling: ClientConfig,
    held: SocketEntry,
    /// The number of the next echo, and how many were answered.
    next: u16,
    asked: usize,
}

/// Takes a ping socket and gives it its default address. Nothing is sent for it.
pub(super) fn connect(calling: ClientConfig) -> Result<Box<dyn Client>, Fault> {
    let held = open(&calling)?;
    Ok(Box::new(Pings { calling, held, next: 1, asked: 0 }))
}

fn open(calling: &ClientConfig) -> Result<SocketEntry, Fault> {
    let to = calling.to.iter().find(|to| to.is_ipv4());
    let to =
        to.ok_or_else(|| Fault::Asked("ICMP is called over IPv4, and there is no such address".to_owned()))?;
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(socket2::Protocol::ICMPV4)).map_err(|error| {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Fault::Asked(format!(
                "socket failed: {error}: on Linux the setting net.ipv4.ping_group_range says who may open a ping socket (icmp(7))"
            )),
            _ => Fault::Call("socket", error),
        }
    })?;
    // ICMP has no ports.
    let address = SocketAddr::new(to.ip(), 0);
    let held = SocketEntry::standalone("p", Protocol::Icmp, socket);
    held.socket().connect(&address.into()).map_err(|error| {
        drop(held.take_owner());
        Fault::Call("connect", error)
    })?;
    calling.news.tell(1, ICMP, Happened::Note(format!("echoes go to {} from here on", to.ip())));
    Ok(held)
}

impl Client for Pings {
    fn say(&mut self, message: &Message, _ack: bool) -> Result<(), Fault> {
        let bytes = message.bytes();
        if bytes.len() > LONGEST {
            return Err(Fault::Asked(format!(
                "an echo takes {LONGEST} bytes at most, and this has {}",
                bytes.len()
            )));
        }
        // The kernel puts its own identifier in, and the checksum.
        let echo = icmp::Message::echo(kind::ECHO, 0, self.next, bytes).encode();
        self.held.send(&echo).outcome.map_err(|error| Fault::Call("send", error))?;
        (self.next, self.asked) = (self.next.wrapping_add(1), self.asked + 1);
        self.calling.news.tell(1, ICMP, Happened::unit(Way::Sent, "echo", &echo));
        Ok(())
    }

    fn hear(&mut self, until: Instant) -> Result<Heard, Fault> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            // A time of 0 would mean to wait for ever: SO_RCVTIMEO, socket(7).
            let patience = Some(left.max(Duration::from_millis(1)));
            self.held
                .socket()
                .set_read_timeout(patience)
                .map_err(|error| Fault::Call("setsockopt", error))?;
            match self.held.recv(LONGEST + 8).outcome {
                Ok(bytes) => {
                    let Some(reply) = icmp::Message::parse(&bytes).filter(|it| it.kind == kind::ECHO_REPLY)
                    else {
                        continue;
                    };
                    self.calling.news.tell(1, ICMP, Happened::unit(Way::Received, "echo reply", &bytes));
                    self.asked = self.asked.saturating_sub(1);
                    return Ok(Heard::Message(Message::of(reply.body)));
                }
                Err(error) if is_timeout(&error) => return Ok(Heard::Nothing),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Call("recv", error)),
            }
        }
    }

    fn awaits(&self) -> usize {
        self.asked
    }

    fn end(&mut self, how: CloseMode) -> Result<(), Fault> {
        match how {
            CloseMode::Orderly => Ok(()),
            CloseMode::Abrupt => {
                Err(Fault::Asked("ICMP has no RST: a ping has no connection to break off".to_owned()))
            }
        }
    }

    fn again(&mut self) -> Result<(), Fault> {
        let old = std::mem::replace(&mut self.held, open(&self.calling)?);
        drop(old.take_owner());
        self.asked = 0;
        Ok(())
    }
}

impl Drop for Pings {
    fn drop(&mut self) {
        drop(self.held.take_owner());
    }
}

//! The client over UDP.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use super::{LONGEST, UDP};
use crate::{
    transport::{
        api::{Client, ClientConfig, CloseMode, Heard},
        connection::Fault,
        events::{Happened, Way},
        message::Message,
    },
    websocket::opening::is_timeout,
};

struct Datagrams {
    calling: ClientConfig,
    socket: UdpSocket,
    room: Vec<u8>,
}

/// Takes a socket and gives it its default address. Nothing is sent for it.
pub(super) fn connect(calling: ClientConfig) -> Result<Box<dyn Client>, Fault> {
    let socket = open(&calling)?;
    Ok(Box::new(Datagrams { calling, socket, room: vec![0; LONGEST + 1] }))
}

fn open(calling: &ClientConfig) -> Result<UdpSocket, Fault> {
    // The first address to which there is a way: that somebody is there, UDP can't tell.
    let mut last = Fault::Asked("there is no address to call".to_owned());
    for to in &calling.to {
        let own: SocketAddr =
            if to.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
        let connected = UdpSocket::bind(own).map_err(|error| Fault::Call("bind", error)).and_then(|socket| {
            socket.connect(to).map(|()| socket).map_err(|error| Fault::Call("connect", error))
        });
        match connected {
            Ok(socket) => {
                let text = format!("datagrams go to {to} from here on; nothing was sent for that");
                calling.news.tell(1, UDP, Happened::Note(text));
                return Ok(socket);
            }
            Err(fault) => last = fault,
        }
    }
    Err(last)
}

impl Client for Datagrams {
    fn say(&mut self, message: &Message, _ack: bool) -> Result<(), Fault> {
        let bytes = message.bytes();
        match self.socket.send(bytes) {
            Ok(_) => {
                self.calling.news.tell(1, UDP, Happened::unit(Way::Sent, "datagram", bytes));
                Ok(())
            }
            Err(_) if bytes.len() > LONGEST => Err(Fault::Asked(format!(
                "a datagram takes {LONGEST} bytes at most (udp(7)), and this has {}",
                bytes.len()
            ))),
            Err(error) => Err(Fault::Call("send", error)),
        }
    }

    fn hear(&mut self, until: Instant) -> Result<Heard, Fault> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            // A time of 0 would mean to wait for ever: SO_RCVTIMEO, socket(7).
            let patience = Some(left.max(Duration::from_millis(1)));
            self.socket.set_read_timeout(patience).map_err(|error| Fault::Call("setsockopt", error))?;
            match self.socket.recv(&mut self.room) {
                Ok(length) => {
                    let bytes = &self.room[..length];
                    self.calling.news.tell(1, UDP, Happened::unit(Way::Received, "datagram", bytes));
                    return Ok(Heard::Message(Message::of(bytes.to_vec())));
                }
                Err(error) if is_timeout(&error) => return Ok(Heard::Nothing),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What an earlier datagram met: nobody has that port.
                Err(error) => return Err(Fault::Call("recv", error)),
            }
        }
    }

    fn end(&mut self, how: CloseMode) -> Result<(), Fault> {
        match how {
            CloseMode::Orderly => Ok(()),
            CloseMode::Abrupt => {
                Err(Fault::Asked("UDP has no RST: nothing tells the server that somebody leaves".to_owned()))
            }
        }
    }

    fn again(&mut self) -> Result<(), Fault> {
        self.socket = open(&self.calling)?;
        Ok(())
    }
}

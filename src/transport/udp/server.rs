//! The UDP server: one socket for all clients, and a record of the addresses that have sent datagrams.
//!
//! UDP has no connections. A sender counts as a client until nothing has arrived from its address for a
//! while. The source address of a datagram can be forged, so an answer may go to a host that sent nothing.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{LONGEST, UDP};
use crate::{
    transport::{
        api::{DatagramServer, Ending, Server},
        connection::{Connection, Fault},
        events::{Happened, Way},
        message::Message,
        outbox::Next,
        room::{Room, Seat},
    },
    websocket::opening::is_timeout,
};

/// Longest wait for a datagram before the server checks for shutdown.
const GLANCE: Duration = Duration::from_millis(100);

/// Lowest source port that is answered. Old services below it echoed every datagram, and two echoing services
/// never stop.
const FIRST_ANSWERED: u16 = 1024;

struct Datagrams;

pub(super) fn new(_room: &Room) -> Result<Arc<dyn Server>, Fault> {
    Ok(Arc::new(Datagrams))
}

impl Server for Datagrams {
    fn serve(&self, _line: &Arc<Connection>, _room: &Arc<Room>) -> Result<Ending, Fault> {
        Err(Fault::Asked("UDP has no connections that could be served".to_owned()))
    }

    fn post(&self) -> Option<&dyn DatagramServer> {
        Some(self)
    }
}

/// A client that has sent a datagram.
struct Guest {
    seat: Seat,
    number: u64,
    heard: Instant,
    received: u64,
    sent: u64,
}

impl DatagramServer for Datagrams {
    fn take_all(&self, socket: &UdpSocket, room: &Arc<Room>) -> io::Result<()> {
        socket.set_read_timeout(Some(GLANCE))?;
        let mut office = Office { socket, room, guests: BTreeMap::new(), number: 0, said: Vec::new() };
        let mut buffer = vec![0; LONGEST + 1];
        let mut looked = Instant::now();
        while !room.is_stopping() {
            match socket.recv_from(&mut buffer) {
                Ok((length, from)) => office.came(from, &buffer[..length]),
                Err(error) if is_timeout(&error) => {}
                // Of a socket that is connected to nobody these are no errors of its own: on some systems an
                // earlier answer met a closed port.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::Interrupted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
                    ) => {}
                Err(error) => return Err(error),
            }
            if looked.elapsed() >= GLANCE {
                looked = Instant::now();
                office.forget_the_silent();
            }
        }
        office.end();
        Ok(())
    }
}

/// All clients, and the shared socket.
struct Office<'a> {
    socket: &'a UdpSocket,
    room: &'a Arc<Room>,
    guests: BTreeMap<SocketAddr, Guest>,
    number: u64,
    /// Notes that were reported once and are not repeated.
    said: Vec<&'static str>,
}

impl Office<'_> {
    fn came(&mut self, from: SocketAddr, bytes: &[u8]) {
        let terms = &self.room.terms;
        if from.port() < FIRST_ANSWERED {
            self.once("low", format!("a datagram from {from} is not answered: what has a port under {FIRST_ANSWERED} may answer back, without an end"));
            return;
        }
        if !self.guests.contains_key(&from) {
            if self.guests.len() >= terms.connections {
                let text = format!(
                    "{} are here already (--connections): datagrams from {from} are ignored",
                    terms.connections
                );
                self.once("full", text);
                return;
            }
            self.number += 1;
            self.room.tell(self.number, UDP, Happened::Note(format!("the first datagram from {from}")));
            let seat = self.room.seat(self.number);
            let heard = Instant::now();
            self.guests.insert(from, Guest { seat, number: self.number, heard, received: 0, sent: 0 });
            self.room.registry.count_peer(self.guests.len());
        }
        let Some(guest) = self.guests.get_mut(&from) else { return };
        let length = bytes.len() as u64;
        (guest.heard, guest.received) = (Instant::now(), guest.received.saturating_add(length));
        self.room.tell(guest.number, UDP, Happened::unit(Way::Received, "datagram", bytes));
        let over = |limit: String| self.room.tell(guest.number, UDP, Happened::Broken(limit));
        if length > terms.message {
            over(format!("a message of {length} bytes (--message): it is not answered"));
        } else if guest.received > terms.bytes {
            over("it has sent more than it may (--bytes): it is not answered".to_owned());
        } else {
            guest.seat.said(Message::of(bytes.to_vec()));
            self.answer(from);
        }
    }

    /// Sends the messages that wait for one client, or for all.
    fn answer(&mut self, from: SocketAddr) {
        if self.room.terms.chat {
            for (to, guest) in &mut self.guests {
                empty(self.socket, *to, guest, self.room);
            }
        } else if let Some(guest) = self.guests.get_mut(&from) {
            empty(self.socket, from, guest, self.room);
        }
    }

    fn forget_the_silent(&mut self) {
        let room = self.room;
        self.guests.retain(|_, guest| {
            let stays = guest.heard.elapsed() < room.terms.idle;
            if !stays {
                farewell(guest, room, "nothing has come from it for too long: forgotten");
            }
            stays
        });
    }

    fn end(&mut self) {
        for guest in self.guests.values() {
            farewell(guest, self.room, "the server ends, and UDP has no goodbye");
        }
    }

    fn once(&mut self, what: &'static str, text: String) {
        if !self.said.contains(&what) {
            self.said.push(what);
            self.room.tell(0, UDP, Happened::Note(text));
        }
    }
}

/// Sends the messages that wait for a client. A datagram that the kernel does not accept is not retried.
fn empty(socket: &UdpSocket, to: SocketAddr, guest: &mut Guest, room: &Room) {
    while let Next::Message(message) = guest.seat.outbox.next(Instant::now()) {
        let bytes = message.bytes();
        match socket.send_to(bytes, to) {
            Ok(_) => {
                guest.sent = guest.sent.saturating_add(bytes.len() as u64);
                room.tell(guest.number, UDP, Happened::unit(Way::Sent, "datagram", bytes));
            }
            Err(error) => room.tell(guest.number, UDP, Happened::Note(format!("sendto failed: {error}"))),
        }
    }
}

fn farewell(guest: &Guest, room: &Room, why: &str) {
    let why = format!("{why}; {} bytes received, {} sent", guest.received, guest.sent);
    room.tell(guest.number, UDP, Happened::Ended { orderly: true, why });
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::transport::{events::Reporter, terms::Terms};

    /// Serves while `talk` talks; gives what was told.
    fn serving(terms: Terms, talk: impl FnOnce(SocketAddr)) -> Vec<Happened> {
        let (news, told) = Reporter::new();
        let room = Room::new(terms, news);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = socket.local_addr().unwrap();
        thread::scope(|scope| {
            let office = scope.spawn(|| Datagrams.take_all(&socket, &room));
            talk(at);
            room.stop();
            office.join().unwrap().unwrap();
        });
        told.try_iter().map(|news| news.what).collect()
    }

    fn guest(at: SocketAddr) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(at).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        socket
    }

    fn heard(socket: &UdpSocket) -> Vec<u8> {
        let mut room = [0; 2000];
        let length = socket.recv(&mut room).unwrap();
        room[..length].to_vec()
    }

    #[test]
    fn what_one_says_comes_back_whole_even_if_it_is_nothing() {
        let told = serving(Terms::default(), |at| {
            let (one, two) = (guest(at), guest(at));
            for text in [&b"hello"[..], b"", b"\xff\x00"] {
                one.send(text).unwrap();
                assert_eq!(heard(&one), text);
            }
            two.send(b"me").unwrap();
            assert_eq!(heard(&two), b"me");
        });
        let ended = |what: &&Happened| matches!(what, Happened::Ended { orderly: true, .. });
        assert_eq!(told.iter().filter(ended).count(), 2, "{told:#?}");
    }

    #[test]
    fn in_a_chat_all_hear_who_have_sent_something() {
        serving(Terms { chat: true, ..Terms::default() }, |at| {
            let (one, two) = (guest(at), guest(at));
            one.send(b"one").unwrap();
            assert_eq!(heard(&one), b"one");
            two.send(b"two").unwrap();
            assert_eq!((heard(&one), heard(&two)), (b"two".to_vec(), b"two".to_vec()));
        });
    }

    #[test]
    fn who_is_too_many_or_too_much_is_not_answered() {
        let terms = Terms { connections: 2, message: 10, bytes: 15, ..Terms::default() };
        let told = serving(terms, |at| {
            let (one, two, three) = (guest(at), guest(at), guest(at));
            for (socket, text) in [(&one, &b"one"[..]), (&two, b"two")] {
                socket.send(text).unwrap();
                assert_eq!(heard(socket), text);
            }
            three.send(b"three").unwrap();
            one.send(b"eleven bytes").unwrap();
            one.send(b"five").unwrap();
            // Behind all of these, so that they have been looked at.
            two.send(b"last").unwrap();
            assert_eq!(heard(&two), b"last");
            for socket in [one, three] {
                socket.set_nonblocking(true).unwrap();
                assert_eq!(socket.recv(&mut [0; 20]).unwrap_err().kind(), ErrorKind::WouldBlock);
            }
        });
        let broken = |what: &&Happened| matches!(what, Happened::Broken(_));
        assert_eq!(told.iter().filter(broken).count(), 2, "{told:#?}");
        assert!(
            told.iter().any(|what| matches!(what, Happened::Note(text) if text.contains("--connections")))
        );
    }
}

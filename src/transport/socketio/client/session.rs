//! The client's handling of each packet, without I/O: packets go in, steps come out.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    transport::{
        api::Heard,
        connection::Fault,
        message,
        socketio::{event, out_of_place, said},
    },
    wire::{
        engine_io::{Handshake, Kind, Packet},
        socket_io::{self, Assembler, Message},
        text,
    },
};

/// Most characters of the server's text that an error repeats. The rest is left out.
const SHOWN: usize = 120;

/// A step that follows from a packet.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// Send these packets.
    Answer(Vec<Packet>),
    /// Return this to the caller.
    Heard(Heard),
    /// The client has joined the namespace, with this ID.
    Admitted(String),
    /// The client was refused, for this reason.
    Refused(String),
}

/// A session, beginning with the open packet.
#[derive(Debug)]
pub(super) struct Session {
    /// The parameters that the server sent.
    pub handshake: Handshake,
    namespace: String,
    /// The name of the client's events.
    name: String,
    assembler: Assembler,
    /// The id of the next event with an acknowledgement, and the events that are not acknowledged yet.
    next: u64,
    awaited: BTreeSet<u64>,
    /// Time of the server's last sign of life.
    alive: Instant,
}

impl Session {
    /// Begins a session with the first packet of the server.
    pub(super) fn open(packet: &Packet, namespace: &str, name: &str, now: Instant) -> Result<Self, Fault> {
        let Packet::Text(Kind::Open, data) = packet else {
            return Err(out_of_place(packet, "an open packet first", "Engine.IO 4, Handshake"));
        };
        let handshake = Handshake::parse(data)?;
        Ok(Session {
            handshake,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            assembler: Assembler::new(),
            next: 0,
            awaited: BTreeSet::new(),
            alive: now,
        })
    }

    /// Returns the packet that requests to join the namespace.
    pub(super) fn join(&self, auth: Option<Value>) -> Packet {
        Packet::message(socket_io::Packet::connect(&self.namespace, auth).encode())
    }

    /// Returns the packets of a message. With `ack`, an acknowledgement is requested.
    pub(super) fn say(&mut self, message: &message::Message, ack: bool) -> Vec<Packet> {
        let id = ack.then_some(self.next);
        if let Some(id) = id {
            self.awaited.insert(id);
            self.next += 1;
        }
        event(&self.namespace, id, &self.name, message).encode()
    }

    /// Returns the packet that leaves the namespace.
    pub(super) fn leave(&self) -> Packet {
        Packet::message(socket_io::Packet::disconnect(&self.namespace).encode())
    }

    /// Returns the number of events without an acknowledgement.
    pub(super) fn awaits(&self) -> usize {
        self.awaited.len()
    }

    /// Returns the time at which the server has been silent for too long (§Heartbeat).
    pub(super) fn silent_at(&self) -> Instant {
        // The silence is limited to a day, in case the server announces that it never pings.
        let most = Duration::from_secs(24 * 60 * 60);
        let said = self.handshake.ping_interval.saturating_add(self.handshake.ping_timeout);
        self.alive + Duration::from_millis(said).min(most)
    }

    /// Handles a packet of the server.
    pub(super) fn take(&mut self, packet: Packet, now: Instant) -> Result<Vec<Step>, Fault> {
        let other = || Ok(vec![Step::Heard(Heard::Other)]);
        let whole = match packet {
            Packet::Text(Kind::Ping, data) => {
                self.alive = now;
                let pong = Packet::Text(Kind::Pong, data);
                return Ok(vec![Step::Answer(vec![pong]), Step::Heard(Heard::Other)]);
            }
            Packet::Text(Kind::Noop, _) => return other(),
            Packet::Text(Kind::Close, _) => {
                let why = "the server said close (Engine.IO 1)".to_owned();
                return Ok(vec![Step::Heard(Heard::Closed { orderly: true, why })]);
            }
            Packet::Text(Kind::Message, data) => self.assembler.text(data.as_bytes()),
            Packet::Binary(data) => self.assembler.binary(data),
            packet @ Packet::Text(Kind::Open | Kind::Pong | Kind::Upgrade, _) => {
                return Err(out_of_place(
                    &packet,
                    "ping, message, noop or close, from a server",
                    "Engine.IO 4, Protocol",
                ));
            }
        };
        match whole? {
            Some(message) if message.packet.namespace == self.namespace => Ok(self.hear(&message)),
            _ => other(),
        }
    }

    fn hear(&mut self, message: &Message) -> Vec<Step> {
        use socket_io::Kind as K;
        let packet = &message.packet;
        let words = |value: &Value| text::shown(value.to_string().as_bytes(), SHOWN);
        let member = |key: &str| packet.payload.as_ref().and_then(|payload| payload.get(key));
        let heard = |heard| vec![Step::Heard(heard)];
        match packet.kind {
            K::Connect => {
                let sid = member("sid").and_then(Value::as_str).unwrap_or_default();
                vec![Step::Admitted(text::shown(sid.as_bytes(), SHOWN))]
            }
            K::ConnectError => {
                let why = match member("message") {
                    Some(Value::String(message)) => text::shown(message.as_bytes(), SHOWN),
                    other => other.map(words).unwrap_or_default(),
                };
                vec![Step::Refused(why)]
            }
            K::Disconnect => {
                let why = format!("the server put us out of {} (Socket.IO 1)", self.namespace);
                heard(Heard::Closed { orderly: true, why })
            }
            K::Event | K::BinaryEvent => {
                let answer = packet.id.map(|id| {
                    let ack = socket_io::Packet::ack(&self.namespace, id, Vec::new());
                    Step::Answer(vec![Packet::message(ack.encode())])
                });
                answer.into_iter().chain(heard(Heard::Message(said(message)))).collect()
            }
            K::Ack | K::BinaryAck => match packet.id.filter(|id| self.awaited.remove(id)) {
                Some(id) => {
                    let arguments = words(&Value::from(packet.arguments()));
                    heard(Heard::Acknowledged(format!("event {id}, with {arguments}")))
                }
                // The acknowledgement matches no event.
                None => heard(Heard::Other),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Packet {
        Packet::parse(text.as_bytes()).unwrap()
    }

    fn session() -> (Session, Instant) {
        let now = Instant::now();
        let open = r#"0{"sid":"a","upgrades":[],"pingInterval":300,"pingTimeout":200}"#;
        (Session::open(&text(open), "/chat", "msg", now).unwrap(), now)
    }

    fn take(session: &mut Session, packet: &str) -> Vec<Step> {
        session.take(text(packet), Instant::now()).unwrap()
    }

    #[test]
    fn a_ping_is_answered_and_is_a_sign_of_life() {
        let (mut session, now) = session();
        assert_eq!(session.silent_at(), now + Duration::from_millis(500));
        let later = now + Duration::from_millis(400);
        let steps = session.take(text("2"), later).unwrap();
        assert_eq!(steps[0], Step::Answer(vec![Packet::empty(Kind::Pong)]));
        assert_eq!(session.silent_at(), later + Duration::from_millis(500));
    }

    #[test]
    fn in_and_out_of_a_namespace() {
        let (mut session, _) = session();
        assert_eq!(session.join(None).encode().1, b"40/chat,");
        assert_eq!(take(&mut session, r#"40/chat,{"sid":"x"}"#), [Step::Admitted("x".into())]);
        assert_eq!(
            take(&mut session, r#"44/chat,{"message":"not authorized"}"#),
            [Step::Refused("not authorized".into())]
        );
        let over = take(&mut session, "41/chat,");
        assert!(matches!(over[..], [Step::Heard(Heard::Closed { orderly: true, .. })]));
        assert_eq!(session.leave().encode().1, b"41/chat,");
        // What is said elsewhere is not for us.
        assert_eq!(take(&mut session, r#"42["msg","hello"]"#), [Step::Heard(Heard::Other)]);
    }

    #[test]
    fn an_answer_belongs_to_its_event_once() {
        let (mut session, _) = session();
        let hello = message::Message::Text("hello".into());
        assert_eq!(session.say(&hello, true)[0].encode().1, br#"42/chat,0["msg","hello"]"#);
        assert_eq!(session.say(&hello, false)[0].encode().1, br#"42/chat,["msg","hello"]"#);
        assert_eq!(session.awaits(), 1);
        assert_eq!(take(&mut session, "43/chat,7[]"), [Step::Heard(Heard::Other)]);
        let answer = take(&mut session, r#"43/chat,0["ok"]"#);
        assert_eq!(answer, [Step::Heard(Heard::Acknowledged("event 0, with [\"ok\"]".into()))]);
        assert_eq!((session.awaits(), take(&mut session, "43/chat,0[]").len()), (0, 1));
    }

    #[test]
    fn bytes_come_behind_their_event() {
        let (mut session, _) = session();
        let first = take(&mut session, r#"451-/chat,3["msg",{"_placeholder":true,"num":0}]"#);
        assert_eq!(first, [Step::Heard(Heard::Other)]);
        let steps = session.take(Packet::Binary(vec![1]), Instant::now()).unwrap();
        let ack = Packet::message("3/chat,3[]");
        let heard = Heard::Message(message::Message::Binary(vec![1]));
        assert_eq!(steps, [Step::Answer(vec![ack]), Step::Heard(heard)]);
    }

    #[test]
    fn what_a_server_never_sends_ends_it() {
        let (mut session, now) = session();
        for packet in ["0{}", "3", "5", "42{}", "49"] {
            assert!(session.take(text(packet), now).is_err(), "{packet}");
        }
        assert!(Session::open(&text("40"), "/", "msg", now).is_err());
        assert!(Session::open(&text("0{}"), "/", "msg", now).is_err());
    }
}

//! The Socket.IO client: a session by polling, upgraded to a WebSocket with a probe, or by only one of the
//! two.

mod polling;
mod session;

use std::{collections::VecDeque, time::Instant};

use serde_json::Value;

use super::{ENGINE_IO, EVENT, SOCKET_IO, Transports, crossed};
use crate::{
    transport::{
        api::{Client, ClientConfig, CloseMode, Heard},
        connection::Fault,
        events::{Happened, Way},
        message::Message,
        websocket::connection::{Came, WebSocket},
    },
    wire::{
        engine_io::{Kind, PROBE, Packet, Query, Transport},
        socket_io::MAIN,
        text,
    },
};

use polling::Polling;
use session::{Session, Step};

struct SocketIo {
    calling: ClientConfig,
    auth: Option<Value>,
    transports: Transports,
    by: By,
    session: Session,
    heard: VecDeque<Heard>,
}

/// The transport that carries the packets.
enum By {
    Polling(Box<Polling>),
    WebSocket(Box<WebSocket>),
}

/// Opens a session and joins the namespace.
pub(super) fn connect(calling: ClientConfig) -> Result<Box<dyn Client>, Fault> {
    let transports = Transports::named(calling.option("transport", "upgrade"))?;
    let namespace = calling.option("namespace", MAIN);
    if !namespace.starts_with('/') || namespace.contains(',') {
        return Err(Fault::Asked("a namespace begins with / and has no comma".to_owned()));
    }
    let auth = match calling.options.get("auth").map(|auth| serde_json::from_str::<Value>(auth)) {
        None => None,
        Some(Ok(auth @ Value::Object(_))) => Some(auth),
        Some(_) => return Err(Fault::Asked("auth is a JSON object, such as {\"token\":\"123\"}".to_owned())),
    };
    let (by, session) = open(&calling, transports)?;
    let mut client = SocketIo { calling, auth, transports, by, session, heard: VecDeque::new() };
    client.begin()?;
    Ok(Box::new(client))
}

/// Returns the request target for this transport and this session.
fn target(calling: &ClientConfig, transport: Transport, sid: Option<&str>) -> String {
    // The user's query follows the client's own.
    let (path, more) = calling.path.split_once('?').unwrap_or((&calling.path, ""));
    let target = Query { transport, sid: sid.map(str::to_owned) }.target(path);
    if more.is_empty() { target } else { format!("{target}&{more}") }
}

/// Performs the handshake.
fn open(calling: &ClientConfig, transports: Transports) -> Result<(By, Session), Fault> {
    let until = Instant::now() + calling.within;
    let late = || Fault::Late("no open packet came in time".to_owned());
    let (mut by, packet) = if transports == Transports::WebSocket {
        let mut websocket = upgraded(calling, None)?;
        let packet = next(calling, &mut websocket, until)?.ok_or_else(late)?;
        (By::WebSocket(Box::new(websocket)), packet)
    } else {
        let mut polling = Polling::new(calling, target(calling, Transport::Polling, None));
        let packets = polling.receive(until)?.ok_or_else(late)?;
        let packet = packets.into_iter().next().ok_or_else(late)?;
        (By::Polling(Box::new(polling)), packet)
    };
    let (namespace, name) = (calling.option("namespace", MAIN), calling.option("event", EVENT));
    let session = Session::open(&packet, namespace, name, Instant::now())?;
    let handshake = &session.handshake;
    if let By::Polling(polling) = &mut by {
        let target = target(calling, Transport::Polling, Some(&handshake.sid));
        polling.for_session(target, handshake.max_payload);
    }
    let said = format!(
        "session {}, a ping every {} ms",
        text::shown(handshake.sid.as_bytes(), 40),
        handshake.ping_interval
    );
    calling.news.tell(1, ENGINE_IO, Happened::Opened(said));
    Ok((by, session))
}

fn upgraded(calling: &ClientConfig, sid: Option<&str>) -> Result<WebSocket, Fault> {
    let connection = calling.connect()?;
    let target = target(calling, Transport::WebSocket, sid);
    WebSocket::ask(&connection, &calling.authority, &target, None, &[], calling.message, calling.within)
}

/// Waits up to `until` for the next packet of a WebSocket. Returns `None` if none arrives in time. The end of
/// the WebSocket counts as a cut.
fn next(calling: &ClientConfig, websocket: &mut WebSocket, until: Instant) -> Result<Option<Packet>, Fault> {
    loop {
        let packet = match websocket.hear(until)? {
            Came::Message(Message::Text(text)) => Packet::parse(text.as_bytes())?,
            Came::Message(Message::Binary(bytes)) => Packet::Binary(bytes),
            Came::Ping(_) | Came::Pong(_) => continue,
            Came::Late => return Ok(None),
            Came::Close(code, reason) => {
                let reason = text::shown(reason.as_bytes(), 80);
                return Err(Fault::CutOff(format!("with Close {code} \"{reason}\"")));
            }
        };
        let (layer, what) = crossed(Way::Received, &packet);
        calling.news.tell(1, layer, what);
        return Ok(Some(packet));
    }
}

impl SocketIo {
    /// Joins the namespace, and upgrades to a WebSocket if requested.
    fn begin(&mut self) -> Result<(), Fault> {
        let join = self.session.join(self.auth.clone());
        self.send(&[join])?;
        let until = Instant::now() + self.calling.within;
        let mut admitted = false;
        while !admitted {
            let packets = self.receive(until)?;
            if packets.is_empty() && Instant::now() >= until {
                return Err(Fault::Late("no answer to CONNECT came in time".to_owned()));
            }
            admitted = self.take(packets)?;
        }
        let offered = self.session.handshake.upgrades.iter().any(|name| name == Transport::WebSocket.name());
        if self.transports == Transports::Upgrade && offered {
            self.upgrade()?;
        }
        Ok(())
    }

    /// Upgrades to a WebSocket (§Upgrade). If that fails, polling continues.
    fn upgrade(&mut self) -> Result<(), Fault> {
        let By::Polling(polling) = &mut self.by else { return Ok(()) };
        // A GET waits during the probe and receives what the server sends now.
        polling.ask()?;
        let websocket = match probed(&self.calling, &self.session.handshake.sid) {
            Ok(websocket) => websocket,
            Err(fault) => {
                let note = format!("no upgrade, polling goes on: {fault}");
                self.calling.news.tell(1, ENGINE_IO, Happened::Note(note));
                return Ok(());
            }
        };
        // No more requests follow. The server answers the last GET, at least with a noop, so no packet is
        // lost between the two transports.
        let until = Instant::now() + self.calling.within;
        let Some(packets) = polling.receive(until)? else {
            return Err(Fault::Late("the waiting GET was not answered during the upgrade".to_owned()));
        };
        say(&self.calling, &websocket, &[Packet::empty(Kind::Upgrade)])?;
        let said = "all goes by the WebSocket from now on".to_owned();
        self.calling.news.tell(1, ENGINE_IO, Happened::Opened(said));
        self.by = By::WebSocket(Box::new(websocket));
        self.take(packets)?;
        Ok(())
    }

    fn send(&mut self, packets: &[Packet]) -> Result<(), Fault> {
        match &mut self.by {
            By::Polling(polling) => polling.send(packets),
            By::WebSocket(websocket) => say(&self.calling, websocket, packets),
        }
    }

    /// Returns the packets that arrive before `until`, or before the server has been silent for too long.
    fn receive(&mut self, until: Instant) -> Result<Vec<Packet>, Fault> {
        let silent = self.session.silent_at();
        let until = until.min(silent);
        let packets = match &mut self.by {
            By::Polling(polling) => polling.receive(until)?.unwrap_or_default(),
            By::WebSocket(websocket) => next(&self.calling, websocket, until)?.into_iter().collect(),
        };
        if packets.is_empty() && Instant::now() >= silent {
            let handshake = &self.session.handshake;
            let (interval, timeout) = (handshake.ping_interval, handshake.ping_timeout);
            let said = format!("no ping came within {interval} + {timeout} ms (Engine.IO 4, Heartbeat)");
            return Err(Fault::Late(said));
        }
        Ok(packets)
    }

    /// Sends the necessary answers, and keeps what was received. Returns true once the client has joined the
    /// namespace.
    fn take(&mut self, packets: Vec<Packet>) -> Result<bool, Fault> {
        let mut admitted = false;
        for packet in packets {
            for step in self.session.take(packet, Instant::now())? {
                match step {
                    Step::Answer(packets) => self.send(&packets)?,
                    Step::Heard(heard) => self.heard.push_back(heard),
                    Step::Admitted(sid) => {
                        let said = format!("in {}, as {sid}", self.calling.option("namespace", MAIN));
                        self.calling.news.tell(1, SOCKET_IO, Happened::Opened(said));
                        admitted = true;
                    }
                    Step::Refused(why) => {
                        let namespace = self.calling.option("namespace", MAIN).to_owned();
                        // Nothing else is wanted of this session: it ends in an orderly way.
                        let _ = self.goodbye();
                        return Err(Fault::Refused(format!("{namespace} doesn't let us in: \"{why}\"")));
                    }
                }
            }
        }
        Ok(admitted)
    }

    /// Closes the transport.
    fn goodbye(&mut self) -> Result<(), Fault> {
        match &mut self.by {
            By::Polling(polling) => polling.send(&[Packet::empty(Kind::Close)]),
            By::WebSocket(websocket) => match websocket.goodbye(1000, "")? {
                Some(_) => Ok(()),
                None => Err(Fault::Late("no Close came back in time".to_owned())),
            },
        }
    }
}

/// Returns a WebSocket for this session whose probe was answered.
fn probed(calling: &ClientConfig, sid: &str) -> Result<WebSocket, Fault> {
    let mut websocket = upgraded(calling, Some(sid))?;
    say(calling, &websocket, &[Packet::Text(Kind::Ping, PROBE.to_owned())])?;
    let until = Instant::now() + calling.within;
    match next(calling, &mut websocket, until)? {
        Some(Packet::Text(Kind::Pong, data)) if data == PROBE => Ok(websocket),
        Some(other) => Err(super::out_of_place(&other, "3probe", "Engine.IO 4, Upgrade")),
        None => Err(Fault::Late("no 3probe came in time".to_owned())),
    }
}

fn say(calling: &ClientConfig, websocket: &WebSocket, packets: &[Packet]) -> Result<(), Fault> {
    for packet in packets {
        let (layer, what) = crossed(Way::Sent, packet);
        calling.news.tell(1, layer, what);
        let message = match packet {
            Packet::Binary(bytes) => Message::Binary(bytes.clone()),
            Packet::Text(..) => Message::of(packet.encode().1),
        };
        websocket.sender().say(&message)?;
    }
    Ok(())
}

impl Client for SocketIo {
    fn say(&mut self, message: &Message, ack: bool) -> Result<(), Fault> {
        let packets = self.session.say(message, ack);
        self.send(&packets)
    }

    fn hear(&mut self, until: Instant) -> Result<Heard, Fault> {
        if let Some(heard) = self.heard.pop_front() {
            return Ok(heard);
        }
        let packets = self.receive(until)?;
        self.take(packets)?;
        let heard = self.heard.pop_front().unwrap_or(Heard::Nothing);
        if let Heard::Closed { .. } = heard {
            // Nothing else is wanted of the session; it may be gone already.
            let _ = self.goodbye();
        }
        Ok(heard)
    }

    fn awaits(&self) -> usize {
        self.session.awaits()
    }

    fn end(&mut self, how: CloseMode) -> Result<(), Fault> {
        match (how, &mut self.by) {
            (CloseMode::Abrupt, By::Polling(polling)) => polling.will_be_reset(),
            (CloseMode::Abrupt, By::WebSocket(websocket)) => websocket.connection().will_be_reset(),
            (CloseMode::Orderly, _) => {
                let leave = self.session.leave();
                self.send(&[leave])?;
                // The close is not in the same POST: the reference implementation handles the close first,
                // and treats the rest as a cut.
                self.goodbye()?;
            }
        }
        Ok(())
    }

    fn again(&mut self) -> Result<(), Fault> {
        // A new session is opened, because Engine.IO can't resume the old one.
        (self.by, self.session) = open(&self.calling, self.transports)?;
        self.heard.clear();
        self.begin()
    }
}

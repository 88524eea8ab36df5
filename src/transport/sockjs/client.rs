//! The SockJS client: requests /info, then tries the transports in order until one brings an open frame.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{SOCKJS, said, told};
use crate::random;
use crate::{
    transport::{
        api::{Client, ClientConfig, CloseMode, Heard},
        connection::{Connection, Fault},
        events::{Happened, Way},
        http::{Asking, Piece},
        message::Message,
        websocket::connection::{Came, FrameSender, WebSocket},
    },
    wire::{
        sockjs::{Frame, Reader, Text, Transport, encode_messages},
        text,
    },
};

/// The transports to try, in order.
const TRANSPORTS: &str = "websocket,xhr-streaming,xhr-polling";

/// Shortest time limit for the open frame of a transport. The limit grows with the round-trip time. After it,
/// the next transport is tried.
const PATIENCE: Duration = Duration::from_secs(2);

/// Idle time after which a connection is not reused: servers close idle connections at about that time, and a
/// request could cross that close.
const FRESH: Duration = Duration::from_secs(2);

/// Largest response to /info, in bytes.
const INFO: u64 = 64 << 10;

/// A client and its session.
struct Sockjs {
    calling: ClientConfig,
    session: Session,
}

/// A session: its URL and its transport.
struct Session {
    url: String,
    carried: Carried,
    frames: VecDeque<Frame>,
    messages: VecDeque<Text>,
    is_open: bool,
}

enum Carried {
    WebSocket(Box<WebSocket>, FrameSender),
    Requests(Box<Requests>),
}

/// Frames arrive in the responses to consecutive requests. Messages go out in other requests, on their own
/// connection.
struct Requests {
    transport: Transport,
    down: Asking,
    reader: Reader,
    up: Option<(Asking, Instant)>,
}

pub(super) fn connect(calling: ClientConfig) -> Result<Box<dyn Client>, Fault> {
    let session = begin(&calling)?;
    Ok(Box::new(Sockjs { calling, session }))
}

/// Requests /info and tries the transports.
fn begin(calling: &ClientConfig) -> Result<Session, Fault> {
    let base = calling.path.trim_end_matches('/');
    let began = Instant::now();
    let connection = calling.connect()?;
    let mut asking = Asking::new(Arc::clone(&connection), &calling.authority, INFO);
    asking.ask("GET", &format!("{base}/info"), &[], None)?;
    let (head, content) = asking.whole_within(calling.within)?;
    let round_trip = began.elapsed();
    if head.status != 200 {
        return Err(Fault::Refused(format!("{base}/info is answered with {}: no SockJS there", head.status)));
    }
    let info: serde_json::Value = serde_json::from_slice(&content)
        .map_err(|_| Fault::broken("/info", "a JSON object", &content, "sockjs-protocol, Info test"))?;
    let websocket = info["websocket"].as_bool().ok_or_else(|| {
        Fault::broken("/info", "websocket: true or false", &content, "sockjs-protocol, Info test")
    })?;
    let words = format!("/info: websocket {websocket}, a round trip takes {} ms", round_trip.as_millis());
    connection.tell(SOCKJS, Happened::Note(words));
    let mut last = Fault::Refused("no transport was to be tried".to_owned());
    let mut asking = Some(asking);
    for name in calling.option("transports", TRANSPORTS).split(',') {
        let transport = match name.trim() {
            "websocket" if !websocket => {
                connection.tell(SOCKJS, Happened::Note("websocket: the server has none".to_owned()));
                last = Fault::Refused("the server has no WebSocket".to_owned());
                continue;
            }
            "websocket" => Transport::WebSocket,
            "xhr-streaming" => Transport::XhrStreaming,
            "xhr-polling" => Transport::Xhr,
            other => {
                let other = text::shown(other.as_bytes(), 40);
                return Err(Fault::Asked(format!("transports are {TRANSPORTS}, and not {other}")));
            }
        };
        // An attempt usually takes two round trips: the connection and the request. sockjs-client computes
        // the limit in the same way, by RFC 6298.
        let within = (round_trip * 8).max(PATIENCE).min(calling.within.max(PATIENCE));
        let up = asking.take().filter(Asking::is_free).map(|asking| (asking, Instant::now()));
        match attempt(calling, base, transport, within, up) {
            Ok(session) => return Ok(session),
            Err(fault @ Fault::Asked(_)) => return Err(fault),
            Err(fault) => {
                connection.tell(SOCKJS, Happened::Note(format!("{}: {fault}", transport.name())));
                last = fault;
            }
        }
    }
    Err(last)
}

/// Begins a new session over this transport, and waits for its open frame.
fn attempt(
    calling: &ClientConfig,
    base: &str,
    transport: Transport,
    within: Duration,
    up: Option<(Asking, Instant)>,
) -> Result<Session, Fault> {
    let url = format!("{base}/{}", id()?);
    let connection = calling.connect()?;
    let carried = if transport == Transport::WebSocket {
        let path = format!("{url}/{}", transport.endpoint());
        let most = escaped(calling.message);
        let websocket = WebSocket::ask(
            &connection,
            &calling.authority,
            &path,
            None,
            &[],
            most,
            within.min(calling.within),
        )?;
        let sender = websocket.sender();
        Carried::WebSocket(Box::new(websocket), sender)
    } else {
        let down = Asking::new(connection, &calling.authority, escaped(calling.message));
        let mut requests = Requests { transport, down, reader: reader(transport, calling), up };
        requests.ask(&url)?;
        Carried::Requests(Box::new(requests))
    };
    let mut session =
        Session { url, carried, frames: VecDeque::new(), messages: VecDeque::new(), is_open: false };
    let until = Instant::now() + within;
    match session.frame(calling, until)? {
        Some(Frame::Open) => session.is_open = true,
        Some(close @ Frame::Close { .. }) => {
            return Err(Fault::Refused(format!("the server closes it: {}", said(&close))));
        }
        Some(frame) => {
            let had = frame.encode();
            return Err(Fault::broken(
                "the first frame",
                "o",
                &had,
                "sockjs-protocol, Framing accepted by the client",
            ));
        }
        None => return Err(Fault::Late(format!("no open frame came within {} ms", within.as_millis()))),
    }
    let name = transport.name();
    session
        .connection()
        .tell(SOCKJS, Happened::Opened(format!("session {} is open, by {name}", session.url)));
    Ok(session)
}

/// Returns a server ID of three digits for load balancers, and a unique session ID.
fn id() -> Result<String, Fault> {
    let server = u16::from_be_bytes(random::bytes()?) % 1000;
    let session = random::identifier::<8>()?;
    Ok(format!("{server:03}/{session}"))
}

/// Returns the largest length of a frame with a message of this length: each byte may become an escape of six
/// bytes.
fn escaped(message: u64) -> u64 {
    message.saturating_mul(6).saturating_add(64 << 10)
}

fn reader(transport: Transport, calling: &ClientConfig) -> Reader {
    Reader::new(transport, usize::try_from(escaped(calling.message)).unwrap_or(usize::MAX))
}

impl Requests {
    /// Sends a request for frames.
    fn ask(&mut self, url: &str) -> Result<(), Fault> {
        let target = format!("{url}/{}", self.transport.endpoint());
        self.down.ask("POST", &target, &[], Some(("text/plain", b"")))
    }

    /// Waits for the next frames of the response. When the response has ended, sends the next request.
    fn hear(
        &mut self,
        url: &str,
        calling: &ClientConfig,
        until: Instant,
        frames: &mut VecDeque<Frame>,
    ) -> Result<(), Fault> {
        let Some(head) = self.down.head(until)? else { return Ok(()) };
        let status = head.status;
        if status != 200 {
            let what = format!("a request for frames is answered with {status}");
            return Err(Fault::Refused(what));
        }
        match self.down.piece(until)? {
            Piece::Late => {}
            Piece::Bytes(bytes) => {
                self.reader.push(&bytes);
                while let Some(bytes) = self.reader.frame()? {
                    let frame = Frame::parse(&bytes)?;
                    self.down.connection().tell(SOCKJS, told(Way::Received, &bytes));
                    frames.push_back(frame);
                }
            }
            Piece::End => {
                let left = self.reader.pending();
                if !left.is_empty() {
                    let section = self.transport.section();
                    return Err(Fault::broken("the end of an answer", "a whole frame", left, section));
                }
                // No request follows a close frame.
                if frames.iter().any(|frame| matches!(frame, Frame::Close { .. })) {
                    return Ok(());
                }
                self.reader = reader(self.transport, calling);
                if !self.down.is_free() {
                    let connection = calling.connect()?;
                    self.down = Asking::new(connection, &calling.authority, escaped(calling.message));
                }
                self.ask(url)?;
            }
        }
        Ok(())
    }

    /// Sends messages, and waits until the server has accepted them.
    fn send(&mut self, url: &str, calling: &ClientConfig, messages: &[u8]) -> Result<(), Fault> {
        let fresh = self.up.take().filter(|(asking, used)| asking.is_free() && used.elapsed() < FRESH);
        let mut asking = match fresh {
            Some((asking, _)) => asking,
            None => Asking::new(calling.connect()?, &calling.authority, INFO),
        };
        asking.ask("POST", &format!("{url}/xhr_send"), &[], Some(("text/plain", messages)))?;
        let (head, content) = asking.whole_within(calling.within)?;
        self.up = Some((asking, Instant::now()));
        match head.status {
            200 | 204 => Ok(()),
            404 => Err(Fault::CutOff("of the session: the server knows it no more (404)".to_owned())),
            status => {
                let words = text::shown(&content, 100);
                Err(Fault::Refused(format!("xhr_send is answered with {status}: \"{words}\"")))
            }
        }
    }
}

impl Session {
    fn connection(&self) -> &Arc<Connection> {
        match &self.carried {
            Carried::WebSocket(websocket, _) => websocket.connection(),
            Carried::Requests(requests) => requests.down.connection(),
        }
    }

    /// Waits up to `until` for the next frame.
    fn frame(&mut self, calling: &ClientConfig, until: Instant) -> Result<Option<Frame>, Fault> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Ok(Some(frame));
            }
            match &mut self.carried {
                Carried::WebSocket(websocket, sender) => match websocket.hear(until)? {
                    Came::Message(message) => {
                        let frame = Frame::parse(message.bytes()).map_err(|error| {
                            let _ = sender.close(Some(1002), "Broken framing.");
                            Fault::from(error)
                        })?;
                        websocket.connection().tell(SOCKJS, told(Way::Received, message.bytes()));
                        return Ok(Some(frame));
                    }
                    Came::Close(1006, _) => {
                        let words = "without a close frame and without a Close: 1006 (RFC 6455 §7.1.5)";
                        return Err(Fault::CutOff(words.to_owned()));
                    }
                    Came::Close(code, reason) => {
                        websocket.finish();
                        let reason = text::shown(reason.as_bytes(), 80);
                        let words = format!("with Close {code} \"{reason}\", and without a close frame");
                        return Err(Fault::CutOff(words));
                    }
                    Came::Late => return Ok(None),
                    Came::Ping(_) | Came::Pong(_) => {}
                },
                Carried::Requests(requests) => {
                    requests.hear(&self.url, calling, until, &mut self.frames)?;
                    if self.frames.is_empty() && until <= Instant::now() {
                        return Ok(None);
                    }
                }
            }
        }
    }
}

impl Client for Sockjs {
    fn say(&mut self, message: &Message, _ack: bool) -> Result<(), Fault> {
        let Message::Text(message) = message else {
            return Err(Fault::Asked("SockJS carries text, and this is none".to_owned()));
        };
        let session = &mut self.session;
        let bytes = encode_messages(&[Text::from(message.as_str())]);
        let what = Happened::unit(Way::Sent, "messages", &bytes);
        match &mut session.carried {
            Carried::WebSocket(websocket, sender) => {
                sender.text(&String::from_utf8_lossy(&bytes))?;
                websocket.connection().tell(SOCKJS, what);
                Ok(())
            }
            Carried::Requests(requests) => {
                requests.down.connection().tell(SOCKJS, what);
                requests.send(&session.url, &self.calling, &bytes)
            }
        }
    }

    fn hear(&mut self, until: Instant) -> Result<Heard, Fault> {
        if let Some(message) = self.session.messages.pop_front() {
            return Ok(Heard::Message(Message::Text(message.to_string())));
        }
        let Some(frame) = self.session.frame(&self.calling, until)? else { return Ok(Heard::Nothing) };
        Ok(match frame {
            Frame::Messages(messages) => {
                self.session.messages.extend(messages);
                match self.session.messages.pop_front() {
                    Some(message) => Heard::Message(Message::Text(message.to_string())),
                    None => Heard::Other,
                }
            }
            Frame::Heartbeat => Heard::Other,
            // A restarted server takes the id as that of a new session.
            Frame::Open => {
                Heard::Closed { orderly: false, why: "the server has lost the session".to_owned() }
            }
            Frame::Close { code, .. } => {
                if let Carried::WebSocket(websocket, _) = &mut self.session.carried {
                    websocket.goodbye(1000, "")?;
                }
                let why = format!("the server closes it: {}", said(&frame));
                Heard::Closed { orderly: code != 1002, why }
            }
        })
    }

    fn end(&mut self, how: CloseMode) -> Result<(), Fault> {
        match (&mut self.session.carried, how) {
            (Carried::WebSocket(websocket, _), CloseMode::Orderly) => {
                if websocket.goodbye(1000, "")?.is_none() {
                    return Err(Fault::Late("no Close came back in time".to_owned()));
                }
            }
            (Carried::WebSocket(websocket, _), CloseMode::Abrupt) => websocket.connection().will_be_reset(),
            // SockJS over HTTP has no closing handshake: a client that leaves closes the connection for
            // frames.
            (Carried::Requests(requests), CloseMode::Orderly) => requests.down.connection().end(),
            (Carried::Requests(requests), CloseMode::Abrupt) => {
                requests.down.connection().will_be_reset();
                if let Some((up, _)) = &requests.up {
                    up.connection().will_be_reset();
                }
            }
        }
        Ok(())
    }

    fn again(&mut self) -> Result<(), Fault> {
        self.session = begin(&self.calling)?;
        Ok(())
    }
}

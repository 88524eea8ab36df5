//! The Socket.IO server. A connection brings requests or becomes a WebSocket. All connections share the
//! sessions.

mod session;
mod talk;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{ENGINE_IO, EVENT, PATH, Transports, crossed};
use crate::sync::lock;
use crate::{
    transport::{
        api::{Ending, Server},
        connection::{Connection, Fault, ReadOutcome},
        events::{Happened, Way},
        http::{Allowed, Request, Response, Serving},
        message::Message,
        outbox::{Last, Next},
        room::Room,
        websocket::connection::{Came, FrameSender, WebSocket},
    },
    websocket::answer::Policy,
    wire::engine_io::{
        ERRORS, HttpError, Kind, PROBE, Packet, Query, Transport, encode_payload, parse_payload,
    },
};

use session::{Busy, By, Session};
use talk::Rules;

/// Time in which a probed WebSocket must complete the upgrade. It is the upgradeTimeout of the reference
/// implementation.
const UPGRADE: Duration = Duration::from_secs(10);

/// Interval at which a waiting GET checks whether its client is still connected.
const GLANCE: Duration = Duration::from_millis(500);

/// Default time limit for a pong, in milliseconds.
const PING_TIMEOUT: u64 = 20_000;

/// All sessions by their ID.
type Sessions = Arc<Mutex<BTreeMap<String, Arc<Session>>>>;

/// The parameters of sessions.
#[derive(Debug)]
struct Setup {
    transports: Transports,
    ping_interval: Duration,
    ping_timeout: Duration,
    rules: Rules,
    /// The name of the events that carry messages to clients.
    event: String,
}

struct SocketIo {
    setup: Arc<Setup>,
    sessions: Sessions,
}

pub(super) fn new(room: &Room) -> Result<Arc<dyn Server>, Fault> {
    let option = |name: &str| room.terms.options.get(name).map(String::as_str);
    let timeout = option("timeout").map_or(Ok(PING_TIMEOUT), str::parse);
    let timeout = timeout.ok().filter(|timeout| *timeout > 0);
    let timeout = timeout.ok_or_else(|| Fault::Asked("timeout is a number of milliseconds".to_owned()))?;
    let namespaces: Vec<_> =
        option("namespaces").unwrap_or_default().split(',').filter(|name| !name.is_empty()).collect();
    if namespaces.iter().any(|name| !name.starts_with('/')) {
        return Err(Fault::Asked("a namespace begins with /".to_owned()));
    }
    let setup = Setup {
        transports: Transports::named(option("transport").unwrap_or("upgrade"))?,
        ping_interval: room.terms.beat,
        ping_timeout: Duration::from_millis(timeout),
        rules: Rules {
            namespaces: namespaces.into_iter().map(str::to_owned).collect(),
            token: option("token").map(str::to_owned),
        },
        event: option("event").unwrap_or(EVENT).to_owned(),
    };
    Ok(Arc::new(SocketIo { setup: Arc::new(setup), sessions: Sessions::default() }))
}

impl Server for SocketIo {
    fn serve(&self, connection: &Arc<Connection>, room: &Arc<Room>) -> Result<Ending, Fault> {
        let mut serving = Serving::new(connection, &room.terms);
        while let Some(request) = serving.next()? {
            let mut broke = None;
            let response = if request.path() != PATH {
                Response::text(404, format!("Engine.IO is at {PATH}\n"))
            } else {
                match self.admit(connection, room, &request) {
                    Ok(query) if request.asks_for_upgrade() => {
                        return self.websocket(serving, &request, &query, room);
                    }
                    Ok(query) => match self.poll(&mut serving, &request, &query, room) {
                        Ok(response) => response,
                        Err((response, fault)) => {
                            broke = Some(fault);
                            response
                        }
                    },
                    Err(error) => refusal(error),
                }
            };
            let response = with_origin(response, &request);
            let keep = serving.answer(&request, &response)?;
            if let Some(fault) = broke {
                serving.read_half().linger();
                return Err(fault);
            }
            if !keep {
                serving.read_half().linger();
                return Ok(Ending::orderly("as Connection: close says"));
            }
        }
        Ok(Ending::orderly("no more requests"))
    }
}

impl SocketIo {
    /// What the request wants, if it may: the checks of the reference implementation, in its order but for
    /// the version.
    fn admit(
        &self,
        connection: &Connection,
        room: &Room,
        request: &Request,
    ) -> Result<Query, &'static HttpError> {
        let query = Query::parse(&request.head.target)?;
        let barred = match self.setup.transports {
            Transports::Upgrade => false,
            Transports::Polling => query.transport == Transport::WebSocket,
            Transports::WebSocket => query.transport == Transport::Polling,
        };
        if barred {
            return Err(&ERRORS[0]);
        }
        let upgrade = request.asks_for_upgrade();
        match &query.sid {
            Some(sid) => {
                let session = self.session(sid).ok_or(&ERRORS[1])?;
                let polls = session.by() != By::WebSocket;
                if upgrade != (query.transport == Transport::WebSocket) || !polls {
                    return Err(&ERRORS[3]);
                }
            }
            None if request.method() != "GET" => return Err(&ERRORS[2]),
            None if upgrade != (query.transport == Transport::WebSocket) => return Err(&ERRORS[3]),
            None => {}
        }
        if !Allowed::here(connection, &room.terms).lets_in(request) {
            return Err(&ERRORS[4]);
        }
        Ok(query)
    }

    fn session(&self, sid: &str) -> Option<Arc<Session>> {
        lock(&self.sessions).get(sid).filter(|session| !session.is_over()).cloned()
    }

    /// Answers a GET or a POST. If the client broke a rule, returns the response and the fault, and the
    /// connection ends.
    fn poll(
        &self,
        serving: &mut Serving,
        request: &Request,
        query: &Query,
        room: &Arc<Room>,
    ) -> Result<Response, (Response, Fault)> {
        let number = serving.connection().number();
        let unavailable = |fault: Fault| (Response::text(503, format!("{fault}\n")), fault);
        let Some(sid) = &query.sid else {
            let session = Session::begin(&self.setup, &self.sessions, room, number, By::Polling);
            let packet =
                session.map_err(unavailable)?.open_packet(self.setup.transports == Transports::Upgrade);
            let (layer, what) = crossed(Way::Sent, &packet);
            room.tell(number, layer, what);
            return Ok(packets(&[packet]));
        };
        let Some(session) = self.session(sid) else { return Ok(refusal(&ERRORS[1])) };
        let kind = match request.method() {
            "GET" => Busy::Get,
            "POST" => Busy::Post,
            _ => return Ok(Response::new(405).with("Allow", "GET, POST")),
        };
        let Some(_busy) = session.request(kind) else {
            session.end();
            let needed = "one GET and one POST at a time";
            let section = "Engine.IO 4, HTTP long-polling";
            let fault = Fault::broken("request", needed, request.method().as_bytes(), section);
            return Err((Response::new(400), fault));
        };
        if kind == Busy::Get {
            return Ok(wait(&session, serving, room));
        }
        if request.content.len() as u64 > room.terms.message {
            session.end();
            let said =
                format!("{} bytes in a POST; maxPayload is {}", request.content.len(), room.terms.message);
            return Err((Response::new(413), Fault::Limit(said)));
        }
        let taken = parse_payload(&request.content).map_err(Fault::from);
        match taken.and_then(|packets| session.take(packets, number)) {
            Ok(()) => Ok(Response::new(200).content(TEXT, "ok")),
            Err(fault) => {
                session.end();
                Err((Response::text(400, format!("{fault}\n")), fault))
            }
        }
    }

    fn websocket(
        &self,
        mut serving: Serving,
        request: &Request,
        query: &Query,
        room: &Arc<Room>,
    ) -> Result<Ending, Fault> {
        let number = serving.connection().number();
        let allowed = Allowed::here(serving.connection(), &room.terms).list().map(<[String]>::to_vec);
        let policy = Policy { allowed_origins: allowed, ..Policy::default() };
        let Some(sid) = &query.sid else {
            let mut websocket = WebSocket::accept(serving, request, &policy, room.terms.message)?;
            let session = Session::begin(&self.setup, &self.sessions, room, number, By::WebSocket)?;
            say(&websocket.sender(), &session.open_packet(false), room, number)?;
            return talk(&mut websocket, &session, room);
        };
        let session = self.session(sid).filter(|session| session.by() == By::Polling);
        let Some(session) = session else {
            // A second WebSocket, or one for a session that has just ended.
            serving.answer(request, &refusal(&ERRORS[3]))?;
            serving.read_half().linger();
            return Ok(Ending::orderly("the session has a WebSocket already"));
        };
        let mut websocket = WebSocket::accept(serving, request, &policy, room.terms.message)?;
        match probe(&mut websocket, &session, room)? {
            true => talk(&mut websocket, &session, room),
            false => {
                if session.by() == By::Probing {
                    session.goes_by(By::Polling);
                }
                websocket.goodbye(1000, "")?;
                Ok(Ending::orderly("the WebSocket was not taken, polling goes on"))
            }
        }
    }
}

const TEXT: &str = "text/plain; charset=UTF-8";

fn packets(packets: &[Packet]) -> Response {
    Response::new(200).content(TEXT, encode_payload(packets)).with("Cache-Control", "no-store")
}

fn refusal(error: &HttpError) -> Response {
    let body = json!({ "code": error.code, "message": error.message });
    Response::new(error.status).content("application/json", body.to_string())
}

/// Adds the CORS header field for a page of another allowed origin. Without it, the browser hides the
/// response from the page (Fetch §3.3).
fn with_origin(response: Response, request: &Request) -> Response {
    match request.field("Origin") {
        Some(origin) if response.status != 403 => response.with("Access-Control-Allow-Origin", origin),
        _ => response,
    }
}

/// Returns the response to a GET: waits for packets, and includes all that wait.
fn wait(session: &Session, serving: &mut Serving, room: &Room) -> Response {
    let number = serving.connection().number();
    let mut found = Vec::new();
    let mut length = 0;
    let over = loop {
        let until = if found.is_empty() && session.by() == By::Polling {
            Instant::now() + GLANCE
        } else {
            Instant::now()
        };
        match session.outbox.next(until) {
            Next::Closed(why) => break Some(why),
            Next::Late if !found.is_empty() => break None,
            Next::Late if session.by() != By::Polling => {
                found.push(Packet::empty(Kind::Noop));
                break None;
            }
            Next::Late => {
                // A client that closes the connection during its GET has left, as in the reference
                // implementation: packets sent now would be lost.
                if let Ok(ReadOutcome::End) | Err(_) = serving.read_half().read_more(Some(Instant::now())) {
                    session.end();
                }
            }
            item => {
                let more = session.packets(item);
                length += encode_payload(&more).len();
                found.extend(more);
                if length as u64 >= room.terms.message {
                    break None;
                }
            }
        }
    };
    match over {
        Some(Last::Stopping | Last::Full) => found.push(Packet::empty(Kind::Close)),
        Some(Last::Gone) if found.is_empty() => found.push(Packet::empty(Kind::Noop)),
        _ => {}
    }
    for packet in &found {
        let (layer, what) = crossed(Way::Sent, packet);
        room.tell(number, layer, what);
    }
    packets(&found)
}

/// Probes a WebSocket for a polling session: 2probe, 3probe, 5 (§Upgrade). Returns true if the session uses
/// the WebSocket from now on.
fn probe(websocket: &mut WebSocket, session: &Session, room: &Room) -> Result<bool, Fault> {
    let number = websocket.connection().number();
    let until = Instant::now() + UPGRADE;
    let mut probed = false;
    loop {
        let packet = match websocket.hear(until)? {
            Came::Message(Message::Text(text)) => Packet::parse(text.as_bytes())?,
            Came::Message(Message::Binary(bytes)) => Packet::Binary(bytes),
            Came::Ping(_) | Came::Pong(_) => continue,
            Came::Late | Came::Close(..) => return Ok(false),
        };
        let (layer, what) = crossed(Way::Received, &packet);
        room.tell(number, layer, what);
        match packet {
            Packet::Text(Kind::Ping, data) if data == PROBE && !probed => {
                probed = true;
                session.goes_by(By::Probing);
                say(&websocket.sender(), &Packet::Text(Kind::Pong, data), room, number)?;
            }
            Packet::Text(Kind::Upgrade, _) if probed => {
                session.goes_by(By::WebSocket);
                let said = "all goes by this WebSocket from now on".to_owned();
                room.tell(number, ENGINE_IO, Happened::Opened(said));
                return Ok(true);
            }
            other => {
                let needed = if probed { "5" } else { "2probe" };
                let fault = super::out_of_place(&other, needed, "Engine.IO 4, Upgrade");
                if session.by() == By::Probing {
                    session.goes_by(By::Polling);
                }
                websocket.goodbye(1002, &fault.to_string())?;
                return Err(fault);
            }
        }
    }
}

fn say(sender: &FrameSender, packet: &Packet, room: &Room, number: u64) -> Result<(), Fault> {
    let (layer, what) = crossed(Way::Sent, packet);
    room.tell(number, layer, what);
    match packet {
        Packet::Binary(bytes) => sender.say(&Message::Binary(bytes.clone())),
        Packet::Text(..) => sender.say(&Message::of(packet.encode().1)),
    }
}

/// Serves a session on its WebSocket: one thread receives, another sends the items of the outbox.
fn talk(websocket: &mut WebSocket, session: &Session, room: &Room) -> Result<Ending, Fault> {
    let connection = Arc::clone(websocket.connection());
    let sender = websocket.sender();
    thread::scope(|scope| {
        let writer = scope.spawn(|| speak(&sender, &connection, session, room));
        let heard = loop {
            let packet = match websocket.hear(Instant::now() + room.terms.idle) {
                Ok(Came::Message(Message::Text(text))) => Packet::parse(text.as_bytes()).map_err(Fault::from),
                Ok(Came::Message(Message::Binary(bytes))) => Ok(Packet::Binary(bytes)),
                Ok(Came::Ping(_) | Came::Pong(_)) => continue,
                Ok(Came::Close(1006, _)) => break Ok(Ending::abrupt("without a Close: 1006")),
                Ok(Came::Close(code, _)) => break Ok(Ending::orderly(format!("Close {code}"))),
                Ok(Came::Late) => break Err(Fault::Late("nothing moved on it for too long".to_owned())),
                Err(fault) => break Err(fault),
            };
            let outcome = packet.and_then(|packet| session.take(vec![packet], connection.number()));
            if let Err(fault) = outcome {
                // The client program has a bug, so the Close states the fault.
                let _ = sender.close(Some(1002), &fault.to_string());
                break Err(fault);
            }
        };
        session.end();
        let spoken = writer.join().unwrap_or(Ok(Last::Gone));
        websocket.finish();
        match spoken {
            Ok(Last::Full) => {
                Err(Fault::Limit("it is slower than the rest, and its outbox was full".to_owned()))
            }
            Ok(Last::Stopping) => Ok(Ending::orderly("the server ends")),
            Ok(Last::Gone) => heard,
            Err(fault) => heard.and(Err(fault)),
        }
    })
}

/// Sends the items of the outbox until it is closed, then a Close.
fn speak(
    sender: &FrameSender,
    connection: &Connection,
    session: &Session,
    room: &Room,
) -> Result<Last, Fault> {
    loop {
        match session.outbox.next(Instant::now() + GLANCE) {
            Next::Late => {}
            Next::Closed(why) => {
                let (code, reason) = match why {
                    Last::Full => (1008, "too slow"),
                    Last::Stopping => (1001, "the server ends"),
                    Last::Gone => (1000, ""),
                };
                if why != Last::Gone {
                    say(sender, &Packet::empty(Kind::Close), room, connection.number())?;
                }
                sender.close(Some(code), reason)?;
                if why != Last::Stopping {
                    // An unresponsive client is not waited for.
                    connection.hear_no_more();
                }
                return Ok(why);
            }
            item => {
                // What released a GET may have come too late for it.
                for packet in
                    session.packets(item).iter().filter(|packet| **packet != Packet::empty(Kind::Noop))
                {
                    if let Err(fault) = say(sender, packet, room, connection.number()) {
                        connection.cut();
                        return Err(fault);
                    }
                }
            }
        }
    }
}

//! The SockJS server: its answer to each URL, and the frames in streamed responses.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    BASE, SOCKJS,
    table::{Receiver, Sessions},
    told,
};
use crate::{
    transport::{
        api::{Ending, Server},
        connection::{Connection, Fault},
        events::{Happened, Way},
        http::{Allowed, Request, Response, Serving},
        message::Message,
        outbox::{Last, Next, Outbox},
        pages::sockjs::{self as pages, Page},
        room::Room,
        websocket::{
            connection::{Came, FrameSender, WebSocket},
            talk as raw_talk,
        },
    },
    websocket::answer::Policy,
    wire::sockjs::{
        Endpoint, Frame, Place, TRANSPORTS, Text, Transport, Uplink, answer_to_malformed, parse_messages,
    },
};

/// Interval for checking whether the receiver is still connected.
const GLANCE: Duration = Duration::from_millis(100);

/// Bytes of messages in one frame after which no further message is added to it.
const TOGETHER: usize = 64 << 10;

struct Sockjs {
    base: String,
    page: Page,
    /// Bytes of frames after which a streamed response ends, so that a browser can free its memory.
    limit: usize,
    sessions: Sessions,
}

pub(super) fn new(room: &Room) -> Result<Arc<dyn Server>, Fault> {
    let option = |name: &str| room.terms.options.get(name).map(String::as_str);
    let number = |name: &str, usual: u64| match option(name).map(|text| (text, text.parse())) {
        None => Ok(usual),
        Some((_, Ok(number))) => Ok(number),
        Some((text, Err(_))) => Err(Fault::Asked(format!("{name} is a number, and not {text}"))),
    };
    let base = option("base").unwrap_or(BASE).trim_end_matches('/').to_owned();
    if !base.is_empty() && !base.starts_with('/') {
        return Err(Fault::Asked(format!("a base URL begins with a slash, as {BASE} does")));
    }
    let websocket = match option("websocket") {
        None | Some("yes") => true,
        Some("no") => false,
        Some(other) => return Err(Fault::Asked(format!("websocket is yes or no, and not {other}"))),
    };
    let patience = Duration::from_millis(number("timeout", 5000)?);
    let sessions = Sessions::new(patience).map_err(|error| Fault::Call("pthread_create", error))?;
    let limit = usize::try_from(number("limit", 128 << 10)?).unwrap_or(usize::MAX);
    Ok(Arc::new(Sockjs { base, page: Page::new(option("script"), websocket), limit, sessions }))
}

/// The result of a request.
enum Turn {
    /// Send this response.
    Answer(Response),
    /// Send this response, because the request breaks a rule, and end the connection.
    Refuse(Response, Fault),
    /// Upgrade to a WebSocket, with SockJS or raw.
    WebSocket { raw: bool },
    /// Send the frames of this session by this transport.
    Frames(String, Transport),
}

impl Server for Sockjs {
    fn serve(&self, connection: &Arc<Connection>, room: &Arc<Room>) -> Result<Ending, Fault> {
        let mut serving = Serving::new(connection, &room.terms);
        let allowed = Allowed::here(connection, &room.terms);
        while let Some(request) = serving.next()? {
            let again = match self.turn(&request, &allowed, connection) {
                Turn::Answer(response) => serving.answer(&request, &response)?,
                Turn::Refuse(response, fault) => {
                    serving.answer(&request, &response.with("Connection", "close"))?;
                    serving.close();
                    return Err(fault);
                }
                Turn::WebSocket { raw } => {
                    let origins = allowed.list().map(<[String]>::to_vec);
                    let policy = Policy { allowed_origins: origins, ..Policy::default() };
                    let websocket = WebSocket::accept(serving, &request, &policy, room.terms.message)?;
                    return if raw { raw_talk(websocket, room) } else { talk(websocket, room) };
                }
                Turn::Frames(id, transport) => self.frames(&mut serving, &request, &id, transport, room)?,
            };
            if !again {
                break;
            }
        }
        serving.close();
        Ok(Ending::orderly("it asks for nothing more"))
    }
}

impl Sockjs {
    fn turn(&self, request: &Request, allowed: &Allowed, connection: &Connection) -> Turn {
        if !allowed.lets_in(request) {
            let origin = request.field("Origin").unwrap_or_default();
            let words = format!("A page of {origin} may not use this server.\n");
            return Turn::Answer(pages::plain(403, words));
        }
        let Some(place) = Place::parse(&self.base, request.path()) else {
            return Turn::Answer(pages::not_found());
        };
        let (method, options) = match place {
            Place::Session { endpoint, .. } => {
                (endpoint.method, matches!(endpoint.name, "xhr" | "xhr_send" | "xhr_streaming"))
            }
            Place::Info => ("GET", true),
            Place::Greeting | Place::Iframe | Place::RawWebSocket => ("GET", false),
        };
        match request.method() {
            "OPTIONS" if options => return Turn::Answer(pages::preflight(request, method)),
            own if own != method => {
                let allowed = if options { format!("OPTIONS, {method}") } else { method.to_owned() };
                return Turn::Answer(Response::new(405).with("Allow", allowed));
            }
            _ => {}
        }
        match place {
            Place::Greeting => Turn::Answer(pages::plain(200, "Welcome to SockJS!\n")),
            Place::Iframe => Turn::Answer(self.page.iframe(request)),
            Place::Info => match self.page.info(request) {
                Ok(response) => Turn::Answer(response),
                Err(fault) => Turn::Refuse(pages::plain(500, format!("{fault}\n")), fault),
            },
            Place::RawWebSocket => self.upgrade(request, true),
            Place::Session { session, endpoint, .. } => self.session(request, session, endpoint, connection),
        }
    }

    fn upgrade(&self, request: &Request, raw: bool) -> Turn {
        if !self.page.websocket {
            return Turn::Answer(pages::not_found());
        }
        if !request.asks_for_upgrade() {
            return Turn::Answer(pages::plain(400, "Not a valid websocket request\n"));
        }
        Turn::WebSocket { raw }
    }

    fn session(&self, request: &Request, id: &str, endpoint: &Endpoint, connection: &Connection) -> Turn {
        match endpoint.name {
            "websocket" => self.upgrade(request, false),
            "xhr_send" => self.send(request, id, connection),
            "xhr" | "xhr_streaming" | "eventsource" => {
                let transport = TRANSPORTS.into_iter().find(|way| way.endpoint() == endpoint.name);
                transport
                    .map_or_else(|| Turn::Answer(pages::not_found()), |way| Turn::Frames(id.to_owned(), way))
            }
            _ => Turn::Answer(pages::plain(404, "This server has no transports by scripts.\n")),
        }
    }

    /// xhr_send: handles messages of a client for an existing session.
    fn send(&self, request: &Request, id: &str, connection: &Connection) -> Turn {
        let messages = match parse_messages(&request.content, Uplink::Request) {
            Ok(messages) => messages,
            Err(error) => {
                let words = format!("{}\n{error}\n", answer_to_malformed(&request.content));
                let response = pages::cross_origin(request, pages::uncached(pages::plain(500, words)));
                return Turn::Refuse(response, error.into());
            }
        };
        connection.tell(SOCKJS, Happened::unit(Way::Received, "messages", &request.content));
        let Some(held) = self.sessions.find(id) else {
            return Turn::Answer(pages::cross_origin(request, pages::uncached(pages::not_found())));
        };
        if held.is_open() {
            messages.iter().for_each(|message| held.seat.said(Message::Text(message.to_string())));
        }
        // The Content-Type is for browsers that treat a response without one as XML.
        let response = Response::new(204).with("Content-Type", pages::PLAIN);
        Turn::Answer(pages::cross_origin(request, pages::uncached(response)))
    }

    /// Sends frames as they arrive, until the response reaches its limit. Returns false if the connection
    /// must not be used again.
    fn frames(
        &self,
        serving: &mut Serving,
        request: &Request,
        id: &str,
        transport: Transport,
        room: &Arc<Room>,
    ) -> Result<bool, Fault> {
        let connection = Arc::clone(serving.connection());
        let Some(held) = self.sessions.of(id, connection.number(), room) else {
            let response = pages::plain(503, "There are too many sessions.\n");
            return serving.answer(request, &pages::cross_origin(request, pages::uncached(response)));
        };
        let kind = if transport == Transport::EventSource { pages::EVENTS } else { pages::SCRIPT };
        let response = Response::new(200).with("Content-Type", kind);
        let fields = pages::cross_origin(request, pages::uncached(response)).fields;
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        serving.start(request, 200, &fields)?;
        let prelude = transport.prelude();
        if !prelude.is_empty() {
            serving.piece(request, &prelude)?;
        }
        let mut sent = 0;
        let mut send = |serving: &Serving, frame: &Frame| {
            let bytes = frame.encode();
            let packed = transport.pack(&bytes, "");
            sent += packed.len();
            serving.piece(request, &packed)?;
            connection.tell(SOCKJS, told(Way::Sent, &bytes));
            Ok::<usize, Fault>(sent)
        };
        let (receiver, first) = match self.sessions.join(&held) {
            Ok(joined) => joined,
            Err(frame) => {
                send(serving, &frame)?;
                return serving.finish(request);
            }
        };
        let most = if transport.goes_on() { self.limit } else { 1 };
        let mut so_far = if first { send(serving, &Frame::Open)? } else { 0 };
        let mut beat = Instant::now() + room.terms.beat;
        while so_far < most {
            match next(&receiver, serving, &mut beat, room.terms.beat)? {
                What::Frame(frame) => so_far = send(serving, &frame)?,
                What::Last(frame) => {
                    // The session is closed before the frame is sent, so that a request after this response
                    // gets the same frame.
                    receiver.close(&frame);
                    send(serving, &frame)?;
                    return serving.finish(request);
                }
            }
        }
        // The client sends its next request after the end of this response. That request must not find this
        // receiver in place.
        receiver.finish();
        serving.finish(request)
    }
}

/// An item for a receiver.
enum What {
    Frame(Frame),
    /// The last frame; the session is then closed.
    Last(Frame),
}

/// Waits for the next item, and checks at intervals whether the receiver is still connected.
fn next(
    receiver: &Receiver<'_>,
    serving: &mut Serving,
    beat: &mut Instant,
    every: Duration,
) -> Result<What, Fault> {
    let outbox = &receiver.held.seat.outbox;
    loop {
        match outbox.next((*beat).min(Instant::now() + GLANCE)) {
            Next::Message(message) => return Ok(What::Frame(together(&message, outbox))),
            Next::Own(_) => {}
            Next::Late if *beat <= Instant::now() => {
                *beat = Instant::now() + every;
                return Ok(What::Frame(Frame::Heartbeat));
            }
            Next::Late if serving.is_there() => {}
            // A stopping server closes the outbox first, then the reading half.
            Next::Late => match outbox.over() {
                Some(why) => return Ok(What::Last(goodbye(why))),
                None => {
                    let words = "while it waited for frames: its session is closed";
                    return Err(Fault::CutOff(words.to_owned()));
                }
            },
            Next::Closed(why) => return Ok(What::Last(goodbye(why))),
        }
    }
}

/// Returns the frame that ends a session. The codes are those of the WebSocket where it has one, and the
/// example of the specification.
fn goodbye(why: Last) -> Frame {
    match why {
        Last::Full => Frame::close(1008, "too slow"),
        Last::Stopping | Last::Gone => Frame::close(3000, "Go away!"),
    }
}

/// Returns a frame with this message and with those that wait after it.
fn together(first: &Message, outbox: &Outbox) -> Frame {
    let text = |message: &Message| Text::from(&*String::from_utf8_lossy(message.bytes()));
    let mut texts = vec![text(first)];
    let mut size = first.bytes().len();
    while size < TOGETHER {
        let Next::Message(message) = outbox.next(Instant::now()) else { break };
        size += message.bytes().len();
        texts.push(text(&message));
    }
    Frame::Messages(texts)
}

/// Serves SockJS over a WebSocket. The session lives as long as its connection.
fn talk(mut websocket: WebSocket, room: &Arc<Room>) -> Result<Ending, Fault> {
    let connection = Arc::clone(websocket.connection());
    let seat = room.seat(connection.number());
    let outbox = Arc::clone(&seat.outbox);
    let sender = websocket.sender();
    // Whether something was received since the last Ping.
    let alive = AtomicBool::new(true);
    say(&sender, &connection, &Frame::Open)?;
    thread::scope(|scope| {
        let writer = scope.spawn(|| speak(&sender, &connection, &outbox, room, &alive));
        let heard = loop {
            match websocket.hear(Instant::now() + room.terms.idle) {
                Ok(Came::Message(message)) => match parse_messages(message.bytes(), Uplink::WebSocket) {
                    Ok(messages) => {
                        connection.tell(SOCKJS, Happened::unit(Way::Received, "messages", message.bytes()));
                        messages.iter().for_each(|one| seat.said(Message::Text(one.to_string())));
                    }
                    Err(error) => {
                        // The code and the reason of sockjs-node. The specification only says that the
                        // connection ends.
                        let _ = sender.close(Some(3000), "Broken framing.");
                        break Err(error.into());
                    }
                },
                Ok(Came::Ping(_) | Came::Pong(_)) => {}
                Ok(Came::Close(1006, _)) => break Ok(Ending::abrupt("without a Close: 1006")),
                Ok(Came::Close(code, _)) => break Ok(Ending::orderly(format!("Close {code}"))),
                Ok(Came::Late) => break Err(Fault::Late("nothing moved on it for too long".to_owned())),
                Err(fault) => break Err(fault),
            }
            alive.store(true, Ordering::Relaxed);
        };
        outbox.close(Last::Gone);
        let spoken = writer.join().unwrap_or(Ok(Last::Gone));
        let over = match spoken? {
            Last::Full => Err(Fault::Limit("it is slower than the rest, and its outbox was full".to_owned())),
            Last::Stopping => heard.map(|_| Ending::orderly("the server ends: c[3000,\"Go away!\"]")),
            Last::Gone => heard,
        };
        websocket.finish();
        over
    })
}

fn say(sender: &FrameSender, connection: &Connection, frame: &Frame) -> Result<(), Fault> {
    let bytes = frame.encode();
    sender.text(&String::from_utf8_lossy(&bytes))?;
    connection.tell(SOCKJS, told(Way::Sent, &bytes));
    Ok(())
}

/// Sends the waiting messages. The heartbeat of the specification is the frame h. A Ping goes with it, as
/// sockjs-node sends one instead: the Pong shows that the client is alive.
fn speak(
    sender: &FrameSender,
    connection: &Connection,
    outbox: &Outbox,
    room: &Room,
    alive: &AtomicBool,
) -> Result<Last, Fault> {
    let mut beat = Instant::now() + room.terms.beat;
    let outcome = loop {
        let frame = match outbox.next(beat) {
            Next::Message(message) => together(&message, outbox),
            Next::Own(_) => continue,
            Next::Late => {
                if !alive.swap(false, Ordering::Relaxed) {
                    break Err(Fault::Late("no Pong came back: nobody is there any more".to_owned()));
                }
                beat = Instant::now() + room.terms.beat;
                if let Err(fault) = sender.ping(b"") {
                    break Err(fault);
                }
                Frame::Heartbeat
            }
            Next::Closed(Last::Gone) => return Ok(Last::Gone),
            Next::Closed(why) => {
                let said = say(sender, connection, &goodbye(why));
                break said.and_then(|()| sender.close(Some(1000), "Normal closure")).map(|()| why);
            }
        };
        if let Err(fault) = say(sender, connection, &frame) {
            break Err(fault);
        }
    };
    if outcome.is_err() || matches!(outcome, Ok(Last::Full)) {
        // Unread data is discarded.
        connection.cut();
    }
    outcome
}

//! The hand-off: a connection that was upgraded by hand is given to tungstenite, which from then on makes the frames.
//!
//! tungstenite reads and writes through a `Line`, so that every `send` and `recv` of its is told like any other. The bytes
//! that come are held against the rules by our own [`Judge`] first: tungstenite reports an error where a rule is broken, but
//! neither the byte nor, always, the Close code that the RFC has for it, and it lets some broken rules pass.

use std::{
    collections::VecDeque,
    error::Error as StdError,
    fmt,
    io::{self, Read, Write},
    sync::Arc,
    time::{Duration, Instant},
};

use tungstenite::{
    Error, Message, WebSocket,
    error::ProtocolError,
    protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
};

use super::{
    Sessions,
    judge::{self, Judge, Kind, Seen, Violation},
};
use crate::{
    call::{Done, Held, Here, Piece, Ran, copy},
    event,
    event::{Host, Value, What},
    ran,
};

/// tungstenite allocates this at once for each connection, in bytes.
const READ_BUFFER: usize = 8 << 10;

/// A connection as tungstenite sees it: something to read and to write.
struct Line {
    on: Arc<Held>,
    judge: Judge,
    seen: VecDeque<Seen>,
    /// The calls made on the way; none are kept where nobody is told of them.
    pieces: Option<Vec<Piece>>,
    /// So many bytes may come in all.
    most: u64,
}

impl Read for Line {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if matches!(self.seen.back(), Some(Seen::Violation(_))) {
            // Whatever tungstenite still waits for: nothing more is to be processed (§7.1.7).
            return Err(io::ErrorKind::InvalidData.into());
        }
        if self.on.traffic().0 > self.most {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let outcome = match &mut self.pieces {
            Some(pieces) => {
                let (piece, outcome) = Piece::recv(&self.on, room.len());
                pieces.push(piece);
                outcome
            }
            None => self.on.recv(room.len()).outcome,
        };
        let bytes = outcome?;
        room[..bytes.len()].copy_from_slice(&bytes);
        self.seen.extend(self.judge.push(&bytes));
        Ok(bytes.len())
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.pieces {
            Some(pieces) => {
                let (piece, outcome) = Piece::send(&self.on, bytes);
                pieces.push(piece);
                outcome
            }
            None => self.on.send(bytes).outcome,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A WebSocket in tungstenite's hands.
pub struct Handed {
    websocket: WebSocket<Line>,
    host: Host,
    name: String,
}

/// A rule that the peer broke, as an error.
#[derive(Debug)]
pub struct Broken(pub Violation);

impl StdError for Broken {}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = self.0.rule;
        write!(f, "{} ({}), at byte {} of the frames", rule.words, rule.section, self.0.offset)
    }
}

/// What a WebSocket allows its peer, and whether its calls are told.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The largest frame and message.
    pub limits: judge::Limits,
    /// So many bytes may be received in all.
    pub bytes: u64,
    /// Whether every call is kept, to be told.
    pub told: bool,
}

impl Default for Terms {
    /// Those of a lesson: RFC 6455 §10.4 asks for a limit.
    fn default() -> Terms {
        Terms { limits: judge::Limits::default(), bytes: u64::MAX, told: true }
    }
}

/// Hands the connection over, with the bytes that were read past the blank line; if `losing`, without them.
pub fn hand_off(sessions: &Sessions, host: Host, on: Arc<Held>, name: &str, losing: bool) -> Done {
    let ran = take_over(host, on, Terms::default(), losing);
    Done::of(ran, |websocket| {
        sessions.keep(name, Handed { websocket, host, name: name.to_owned() });
        Value::Done
    })
}

fn take_over(host: Host, on: Arc<Held>, terms: Terms, losing: bool) -> Ran<WebSocket<Line>> {
    let tail = std::mem::take(&mut *on.leftover());
    let (role, receiver) = match host {
        Host::Client => (Role::Client, judge::Role::Client),
        Host::Server => (Role::Server, judge::Role::Server),
    };
    let most = |limit: u64| Some(usize::try_from(limit).unwrap_or(usize::MAX));
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(most(terms.limits.message))
        .max_frame_size(most(terms.limits.frame));
    let mut line = Line {
        on,
        judge: Judge::with_limits(receiver, terms.limits),
        seen: VecDeque::new(),
        pieces: terms.told.then(Vec::new),
        most: terms.bytes,
    };
    if !losing {
        line.seen.extend(line.judge.push(&tail));
    }
    let (stream, config) = (line, Some(config));
    if losing {
        ran!(sure WebSocket::from_raw_socket(stream, role, config))
    } else {
        ran!(sure WebSocket::from_partially_read(stream, tail, role, config))
    }
}

/// The kind of a message, or of a control frame that is not a Close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Binary,
    /// Asks for a Pong.
    Ping,
    /// Answers a Ping.
    Pong,
}

impl MessageKind {
    /// All kinds by name.
    pub const ALL: [(&'static str, MessageKind); 4] = [
        ("text", MessageKind::Text),
        ("binary", MessageKind::Binary),
        ("ping", MessageKind::Ping),
        ("pong", MessageKind::Pong),
    ];

    pub(super) fn name(self) -> &'static str {
        MessageKind::ALL[self as usize].0
    }
}

/// Sends a message.
pub fn send(sessions: &Sessions, name: &str, kind: MessageKind, payload: &[u8]) -> Done {
    with(sessions, name, |handed| {
        let message = match kind {
            MessageKind::Text => match std::str::from_utf8(payload) {
                Ok(text) => Message::text(text),
                Err(error) => {
                    return failed(io::Error::new(
                        io::ErrorKind::InvalidInput,
                        format!("not UTF-8, so it is no text: {error}"),
                    ));
                }
            },
            MessageKind::Ping => Message::Ping(payload.to_vec().into()),
            MessageKind::Pong => Message::Pong(payload.to_vec().into()),
            MessageKind::Binary => Message::binary(payload.to_vec()),
        };
        handed.send(message)
    })
}

/// Starts or goes on with the closing handshake: RFC 6455 §7.1.2.
pub fn close(sessions: &Sessions, name: &str, code: Option<u16>, reason: &str) -> Done {
    with(sessions, name, |handed| handed.close(code, reason))
}

/// Receives the next message. A Ping is answered with a Pong, a Close with a Close; both go out within this call.
///
/// Errors: [`Broken`] if the peer broke a rule; it was then answered with the Close code that fits.
pub fn receive(sessions: &Sessions, name: &str) -> Done {
    with(sessions, name, |handed| {
        let next = handed.receive();
        let outcome = next.outcome.map(|came| match came {
            Came::Message(message) => Value::Data(message.into_data().to_vec()),
            Came::Close { code, reason } => Value::Close { code, reason },
        });
        let outcome = outcome.map_err(|error| error.to_io_error());
        Done { outcome, started: next.started, took: next.took, here: next.here, pieces: next.pieces }
    })
}

/// Why nothing could be received over a WebSocket.
#[derive(Debug)]
pub enum ReceiveError {
    /// A call failed.
    Call(io::Error),
    /// The peer broke a rule, and was answered with the Close code that fits.
    Violation(Broken),
    /// The peer has sent more bytes than [`Terms::bytes`].
    TooManyBytes,
}

impl ReceiveError {
    /// The error as a step of a lesson reports it.
    pub fn to_io_error(&self) -> io::Error {
        match self {
            ReceiveError::Call(error) => copy(error),
            ReceiveError::Violation(broken) => io::Error::new(io::ErrorKind::InvalidData, Broken(broken.0)),
            ReceiveError::TooManyBytes => io::ErrorKind::QuotaExceeded.into(),
        }
    }
}

impl From<io::Error> for ReceiveError {
    fn from(error: io::Error) -> ReceiveError {
        match error.kind() {
            // `Line::read` fails with this kind, and nothing else does: it has no number of the system's.
            io::ErrorKind::QuotaExceeded if error.raw_os_error().is_none() => ReceiveError::TooManyBytes,
            _ => ReceiveError::Call(error),
        }
    }
}

/// What came over a WebSocket.
#[derive(Debug)]
pub enum Came {
    /// A message, or a Ping or Pong.
    Message(Message),
    /// A Close; 1005 if it had no code, 1006 if the stream ended without one.
    Close {
        /// Its code.
        code: u16,
        /// Its reason.
        reason: String,
    },
}

/// A [`Handed::receive`] that has come back.
pub struct Received {
    /// What came.
    pub outcome: Result<Came, ReceiveError>,
    /// When it began.
    pub started: Instant,
    /// Time inside.
    pub took: Duration,
    /// The line that ran.
    pub here: &'static Here,
    /// What it was made of.
    pub pieces: Vec<Piece>,
}

impl Handed {
    /// Hands over a connection whose upgrade is done, with the bytes that were read past the blank line.
    pub fn new(host: Host, on: Arc<Held>, terms: Terms) -> Handed {
        let name = on.name.clone();
        let ran = take_over(host, on, terms, false);
        let websocket = ran.outcome.expect("taking over makes no call");
        Handed { websocket, host, name }
    }

    /// Whether a message, or a broken rule, has come that was not given out yet.
    pub(super) fn has_more(&self) -> bool {
        self.websocket.get_ref().seen.iter().any(|seen| !matches!(seen, Seen::Frame { .. }))
    }

    /// Receives the next message; see [`receive`].
    pub fn receive(&mut self) -> Received {
        let websocket = &mut self.websocket;
        let ran = ran!(error io_error, websocket.read());
        let (started, took, here) = (ran.started, ran.took, ran.here);
        let (outcome, note) = self.judged(ran.outcome);
        Received { outcome, started, took, here, pieces: self.pieces(note) }
    }

    /// Sends a message.
    pub fn send(&mut self, message: Message) -> Done {
        let kind = match &message {
            Message::Text(_) => "text",
            Message::Ping(_) => "ping",
            Message::Pong(_) => "pong",
            _ => "binary",
        };
        let note = self
            .tells()
            .then(|| What::Message(self.message(false, kind, message.clone().into_data().as_ref())));
        let websocket = &mut self.websocket;
        let ran = ran!(error io_error, websocket.send(message));
        Done { pieces: self.pieces(note), ..Done::of(ran, |()| Value::Done) }
    }

    /// Starts or goes on with the closing handshake; see [`close`].
    pub fn close(&mut self, code: Option<u16>, reason: &str) -> Done {
        let frame =
            code.map(|code| CloseFrame { code: CloseCode::from(code), reason: reason.to_owned().into() });
        let note = event::Message { code, ..self.message(false, "close", reason.as_bytes()) };
        let websocket = &mut self.websocket;
        let mut ran = ran!(error io_error, websocket.close(frame));
        if let Err(error) = websocket.flush() {
            ran.outcome = ran.outcome.and(closed_is_fine(error));
        }
        let mut pieces = self.pieces(None);
        // Behind a Close nothing more goes out (§5.5.1): what was not sent is not told as sent.
        if pieces.iter().any(Piece::is_send) {
            pieces.push(Piece::Note(What::Message(note)));
        }
        Done { pieces, ..Done::of(ran, |()| Value::Done) }
    }

    fn tells(&self) -> bool {
        self.websocket.get_ref().pieces.is_some()
    }

    /// tungstenite's message beside our judge's: a rule that tungstenite lets pass is broken all the same.
    fn judged(&mut self, outcome: io::Result<Message>) -> (Result<Came, ReceiveError>, Option<What>) {
        // Time that ran out, or a signal: nothing was taken from the stream.
        if let Err(error) = &outcome
            && error.kind() != io::ErrorKind::InvalidData
            && error.get_ref().is_none_or(|error| !error.is::<Error>())
        {
            return (outcome.map(Came::Message).map_err(ReceiveError::from), None);
        }
        let seen = loop {
            match self.websocket.get_mut().seen.pop_front() {
                Some(Seen::Frame { .. }) => {}
                other => break other,
            }
        };
        let note = match &seen {
            Some(seen) if self.tells() => seen.told_by(self.host, &self.name).map(What::Message),
            _ => None,
        };
        match (seen, outcome) {
            (Some(Seen::Violation(violation)), _) => {
                self.answer(violation);
                (Err(ReceiveError::Violation(Broken(violation))), note)
            }
            (_, Err(error)) => match error.downcast::<Error>() {
                // The stream ended without a Close: there is no code on the wire, and 1006 is what the API says (§7.1.5).
                Ok(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => {
                    (Ok(Came::Close { code: 1006, reason: String::new() }), note)
                }
                Ok(other) => {
                    let error = io::Error::new(io::ErrorKind::InvalidData, other.to_string());
                    (Err(ReceiveError::Call(error)), note)
                }
                Err(error) => (Err(error.into()), note),
            },
            (Some(Seen::Message { kind: Kind::Close, payload }), Ok(_)) => {
                let _ = self.websocket.flush();
                let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned();
                (Ok(Came::Close { code, reason }), note)
            }
            (_, Ok(message)) => {
                // The Pong that answers a Ping waits in tungstenite's buffer.
                let _ = self.websocket.flush();
                (Ok(Came::Message(message)), note)
            }
        }
    }

    /// Says why the connection is failed: RFC 6455 §7.1.7 wants a Close with the code that fits (§7.4.1).
    fn answer(&mut self, violation: Violation) {
        let frame = CloseFrame { code: CloseCode::from(violation.rule.close_code), reason: "".into() };
        let _ = self.websocket.close(Some(frame)).and_then(|()| self.websocket.flush());
    }

    fn message(&self, received: bool, kind: &str, data: &[u8]) -> event::Message {
        event::Message {
            host: self.host,
            socket: self.name.clone(),
            received,
            kind: kind.to_owned(),
            data: data.to_vec(),
            code: None,
            rule: None,
            section: None,
            level: None,
            offset: None,
        }
    }

    /// All calls that were made on the way, and what is to be said of them.
    fn pieces(&mut self, note: Option<What>) -> Vec<Piece> {
        let Some(pieces) = &mut self.websocket.get_mut().pieces else { return Vec::new() };
        let mut pieces = std::mem::take(pieces);
        pieces.extend(note.map(Piece::Note));
        pieces
    }
}

fn with(sessions: &Sessions, name: &str, act: impl FnOnce(&mut Handed) -> Done) -> Done {
    sessions.with(name, act).unwrap_or_else(failed)
}

fn failed(error: io::Error) -> Done {
    let mut error = Some(error);
    let ran = ran!(Err::<Value, _>(error.take().expect("used once")));
    Done::of(ran, |value| value)
}

/// An error of tungstenite's that is the system's is told as such.
fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// After the last Close tungstenite says that the connection is closed: that is no failure.
fn closed_is_fine(error: Error) -> io::Result<()> {
    match error {
        Error::ConnectionClosed => Ok(()),
        other => Err(io_error(other)),
    }
}

//! The hand-off: a connection that was upgraded by hand is passed to tungstenite, which from then on makes
//! the frames.
//!
//! tungstenite reads and writes through a `SocketStream`, which records every `send` and `recv`. Our own
//! [`Judge`] checks the received bytes first: tungstenite reports an error where a rule is broken, but not
//! the byte, not always the Close code of the RFC, and it misses some violations.

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
    call::{CallPart, CallSite, Completed, SocketEntry, Timed, clone_error},
    event,
    event::{Host, Value, What},
    ran,
};

/// Size in bytes of the read buffer that tungstenite allocates for each connection.
const READ_BUFFER: usize = 8 << 10;

/// The connection, as a stream that tungstenite reads and writes.
struct SocketStream {
    on: Arc<SocketEntry>,
    judge: Judge,
    seen: VecDeque<Seen>,
    /// The calls made; `None` if they are not recorded.
    pieces: Option<Vec<CallPart>>,
    /// Bytes that may be received in total; then reading fails.
    byte_limit: u64,
}

impl Read for SocketStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if matches!(self.seen.back(), Some(Seen::Violation(_))) {
            // After a violation nothing more is processed, whatever tungstenite waits for (§7.1.7).
            return Err(io::ErrorKind::InvalidData.into());
        }
        if self.on.traffic().0 > self.byte_limit {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let outcome = match &mut self.pieces {
            Some(pieces) => {
                let (piece, outcome) = CallPart::recv(&self.on, buffer.len());
                pieces.push(piece);
                outcome
            }
            None => self.on.recv(buffer.len()).outcome,
        };
        let bytes = outcome?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        self.seen.extend(self.judge.push(&bytes));
        Ok(bytes.len())
    }
}

impl Write for SocketStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.pieces {
            Some(pieces) => {
                let (piece, outcome) = CallPart::send(&self.on, bytes);
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

/// A WebSocket whose frames tungstenite makes.
pub struct TungsteniteWebSocket {
    websocket: WebSocket<SocketStream>,
    host: Host,
    name: String,
}

/// The error for a rule that the peer broke.
#[derive(Debug)]
pub struct ViolationError(pub Violation);

impl StdError for ViolationError {}

impl fmt::Display for ViolationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = self.0.rule;
        write!(f, "{} ({}), at byte {} of the frames", rule.words, rule.section, self.0.offset)
    }
}

/// What a WebSocket allows its peer, and whether its calls are recorded.
#[derive(Debug, Clone, Copy)]
pub struct HandoffOptions {
    /// The largest frame and message.
    pub limits: judge::Limits,
    /// Bytes that may be received in total; then receiving fails.
    pub byte_limit: u64,
    /// Whether every call is recorded.
    pub record_calls: bool,
}

impl Default for HandoffOptions {
    /// Returns the options of a lesson. RFC 6455 §10.4 asks for a limit.
    fn default() -> HandoffOptions {
        HandoffOptions { limits: judge::Limits::default(), byte_limit: u64::MAX, record_calls: true }
    }
}

/// Hands the connection off with the bytes that were read past the blank line; if `losing`, without them.
pub fn hand_off(
    sessions: &Sessions,
    host: Host,
    on: Arc<SocketEntry>,
    name: &str,
    losing: bool,
) -> Completed {
    let ran = take_over(host, on, HandoffOptions::default(), losing);
    Completed::of(ran, |websocket| {
        sessions.store(name, TungsteniteWebSocket { websocket, host, name: name.to_owned() });
        Value::Done
    })
}

fn take_over(
    host: Host,
    on: Arc<SocketEntry>,
    options: HandoffOptions,
    losing: bool,
) -> Timed<WebSocket<SocketStream>> {
    let tail = std::mem::take(&mut *on.read_ahead());
    let (role, receiver) = match host {
        Host::Client => (Role::Client, judge::Role::Client),
        Host::Server => (Role::Server, judge::Role::Server),
    };
    let most = |limit: u64| Some(usize::try_from(limit).unwrap_or(usize::MAX));
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(most(options.limits.message))
        .max_frame_size(most(options.limits.frame));
    let mut stream = SocketStream {
        on,
        judge: Judge::with_limits(receiver, options.limits),
        seen: VecDeque::new(),
        pieces: options.record_calls.then(Vec::new),
        byte_limit: options.byte_limit,
    };
    if !losing {
        stream.seen.extend(stream.judge.push(&tail));
    }
    let config = Some(config);
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
pub fn send(sessions: &Sessions, name: &str, kind: MessageKind, payload: &[u8]) -> Completed {
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

/// Starts or continues the closing handshake: RFC 6455 §7.1.2.
pub fn close(sessions: &Sessions, name: &str, code: Option<u16>, reason: &str) -> Completed {
    with(sessions, name, |handed| handed.close(code, reason))
}

/// Receives the next message. This call also answers a Ping with a Pong and a Close with a Close.
///
/// Fails with a [`ViolationError`] if the peer broke a rule; the matching Close code has then been sent.
pub fn receive(sessions: &Sessions, name: &str) -> Completed {
    with(sessions, name, |handed| {
        let next = handed.receive();
        let outcome = next.outcome.map(|came| match came {
            Received::Message(message) => Value::Data(message.into_data().to_vec()),
            Received::Close { code, reason } => Value::Close { code, reason },
        });
        let outcome = outcome.map_err(|error| error.to_io_error());
        Completed { outcome, started: next.started, took: next.took, site: next.here, parts: next.pieces }
    })
}

/// Why receiving from a WebSocket failed.
#[derive(Debug)]
pub enum ReceiveError {
    /// A call failed.
    Call(io::Error),
    /// The peer broke a rule; the matching Close code has been sent.
    Violation(ViolationError),
    /// The peer has sent more bytes than [`HandoffOptions::byte_limit`].
    TooManyBytes,
}

impl ReceiveError {
    /// Converts it to the error that a step of a lesson reports.
    pub fn to_io_error(&self) -> io::Error {
        match self {
            ReceiveError::Call(error) => clone_error(error),
            ReceiveError::Violation(broken) => {
                io::Error::new(io::ErrorKind::InvalidData, ViolationError(broken.0))
            }
            ReceiveError::TooManyBytes => io::ErrorKind::QuotaExceeded.into(),
        }
    }
}

impl From<io::Error> for ReceiveError {
    fn from(error: io::Error) -> ReceiveError {
        match error.kind() {
            // `SocketStream::read` fails with this kind, and nothing else does: it has no error number.
            io::ErrorKind::QuotaExceeded if error.raw_os_error().is_none() => ReceiveError::TooManyBytes,
            _ => ReceiveError::Call(error),
        }
    }
}

/// What a WebSocket received.
#[derive(Debug)]
pub enum Received {
    /// A message, or a Ping or Pong.
    Message(Message),
    /// A Close. The code is 1005 if it had none, 1006 if the stream ended without a Close.
    Close {
        /// Its code.
        code: u16,
        /// Its reason.
        reason: String,
    },
}

/// The result and the times of [`TungsteniteWebSocket::receive`].
pub struct ReceiveCall {
    /// The message, or why there is none.
    pub outcome: Result<Received, ReceiveError>,
    /// The time at which the call began.
    pub started: Instant,
    /// Time spent in the call.
    pub took: Duration,
    /// The source line of the call.
    pub here: &'static CallSite,
    /// The socket calls that it made.
    pub pieces: Vec<CallPart>,
}

impl TungsteniteWebSocket {
    /// Takes over an upgraded connection, with the bytes that were read past the blank line.
    pub fn new(host: Host, on: Arc<SocketEntry>, options: HandoffOptions) -> TungsteniteWebSocket {
        let name = on.name.clone();
        let ran = take_over(host, on, options, false);
        let websocket = ran.outcome.expect("taking over makes no call");
        TungsteniteWebSocket { websocket, host, name }
    }

    /// Returns true if a message or a violation has been received and not yet been returned.
    pub(super) fn has_more(&self) -> bool {
        self.websocket.get_ref().seen.iter().any(|seen| !matches!(seen, Seen::Frame { .. }))
    }

    /// Receives the next message; see [`receive`].
    pub fn receive(&mut self) -> ReceiveCall {
        let websocket = &mut self.websocket;
        let ran = ran!(error io_error, websocket.read());
        let (started, took, here) = (ran.started, ran.took, ran.site);
        let (outcome, note) = self.judged(ran.outcome);
        ReceiveCall { outcome, started, took, here, pieces: self.pieces(note) }
    }

    /// Sends a message.
    pub fn send(&mut self, message: Message) -> Completed {
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
        Completed { parts: self.pieces(note), ..Completed::of(ran, |()| Value::Done) }
    }

    /// Starts or continues the closing handshake; see [`close`].
    pub fn close(&mut self, code: Option<u16>, reason: &str) -> Completed {
        let frame =
            code.map(|code| CloseFrame { code: CloseCode::from(code), reason: reason.to_owned().into() });
        let note = event::Message { code, ..self.message(false, "close", reason.as_bytes()) };
        let websocket = &mut self.websocket;
        let mut ran = ran!(error io_error, websocket.close(frame));
        if let Err(error) = websocket.flush() {
            ran.outcome = ran.outcome.and(closed_is_fine(error));
        }
        let mut pieces = self.pieces(None);
        // Nothing is sent after a Close (§5.5.1), so nothing is reported as sent.
        if pieces.iter().any(CallPart::is_send) {
            pieces.push(CallPart::Note(What::Message(note)));
        }
        Completed { parts: pieces, ..Completed::of(ran, |()| Value::Done) }
    }

    fn tells(&self) -> bool {
        self.websocket.get_ref().pieces.is_some()
    }

    /// Combines the result of tungstenite with that of our judge, which sees violations that tungstenite
    /// misses.
    fn judged(&mut self, outcome: io::Result<Message>) -> (Result<Received, ReceiveError>, Option<What>) {
        // Time that ran out, or a signal: nothing was taken from the stream.
        if let Err(error) = &outcome
            && error.kind() != io::ErrorKind::InvalidData
            && error.get_ref().is_none_or(|error| !error.is::<Error>())
        {
            return (outcome.map(Received::Message).map_err(ReceiveError::from), None);
        }
        let seen = loop {
            match self.websocket.get_mut().seen.pop_front() {
                Some(Seen::Frame { .. }) => {}
                other => break other,
            }
        };
        let note = match &seen {
            Some(seen) if self.tells() => seen.to_event(self.host, &self.name).map(What::Message),
            _ => None,
        };
        match (seen, outcome) {
            (Some(Seen::Violation(violation)), _) => {
                self.answer(violation);
                (Err(ReceiveError::Violation(ViolationError(violation))), note)
            }
            (_, Err(error)) => match error.downcast::<Error>() {
                // The stream ended without a Close: there is no code on the wire, and 1006 is what the API
                // says (§7.1.5).
                Ok(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => {
                    (Ok(Received::Close { code: 1006, reason: String::new() }), note)
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
                (Ok(Received::Close { code, reason }), note)
            }
            (_, Ok(message)) => {
                // The Pong that answers a Ping waits in tungstenite's buffer.
                let _ = self.websocket.flush();
                (Ok(Received::Message(message)), note)
            }
        }
    }

    /// Fails the connection: RFC 6455 §7.1.7 asks for a Close with the matching code (§7.4.1).
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

    /// Returns the recorded calls, and the note that belongs to them.
    fn pieces(&mut self, note: Option<What>) -> Vec<CallPart> {
        let Some(pieces) = &mut self.websocket.get_mut().pieces else { return Vec::new() };
        let mut pieces = std::mem::take(pieces);
        pieces.extend(note.map(CallPart::Note));
        pieces
    }
}

fn with(
    sessions: &Sessions,
    name: &str,
    act: impl FnOnce(&mut TungsteniteWebSocket) -> Completed,
) -> Completed {
    sessions.with(name, act).unwrap_or_else(failed)
}

fn failed(error: io::Error) -> Completed {
    let mut error = Some(error);
    let ran = ran!(Err::<Value, _>(error.take().expect("used once")));
    Completed::of(ran, |value| value)
}

/// Returns the system's error inside an error of tungstenite, if there is one.
fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// Accepts tungstenite's report that the connection is closed: after the last Close this is no failure.
fn closed_is_fine(error: Error) -> io::Result<()> {
    match error {
        Error::ConnectionClosed => Ok(()),
        other => Err(io_error(other)),
    }
}

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
    call::{Done, Held, Piece},
    ran, trace,
    trace::{Host, Value, What},
};

/// Messages and frames are at most so large, in bytes: RFC 6455 §10.4 asks for a limit.
const LARGEST: usize = 1 << 20;

/// tungstenite allocates this at once for each connection, in bytes.
const READ_BUFFER: usize = 8 << 10;

/// A connection as tungstenite sees it: something to read and to write.
struct Line {
    on: Arc<Held>,
    judge: Judge,
    seen: VecDeque<Seen>,
    pieces: Vec<Piece>,
}

impl Read for Line {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let (piece, outcome) = Piece::recv(&self.on, room.len());
        self.pieces.push(piece);
        let bytes = outcome?;
        room[..bytes.len()].copy_from_slice(&bytes);
        self.seen.extend(self.judge.push(&bytes));
        Ok(bytes.len())
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (piece, outcome) = Piece::send(&self.on, bytes);
        self.pieces.push(piece);
        outcome
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

/// Hands the connection over, with the bytes that were read past the blank line; if `losing`, without them.
pub fn hand_off(sessions: &Sessions, host: Host, on: Arc<Held>, name: &str, losing: bool) -> Done {
    let tail = std::mem::take(&mut *on.leftover());
    let (role, receiver) = match host {
        Host::Client => (Role::Client, judge::Role::Client),
        Host::Server => (Role::Server, judge::Role::Server),
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST));
    let mut line = Line { on, judge: Judge::new(receiver), seen: VecDeque::new(), pieces: Vec::new() };
    if !losing {
        line.seen.extend(line.judge.push(&tail));
    }
    let (stream, config) = (line, Some(config));
    let ran = if losing {
        ran!(sure WebSocket::from_raw_socket(stream, role, config))
    } else {
        ran!(sure WebSocket::from_partially_read(stream, tail, role, config))
    };
    Done::of(ran, |websocket| {
        sessions.keep(name, Handed { websocket, host, name: name.to_owned() });
        Value::Done
    })
}

/// Sends a message: text, binary, ping or pong.
pub fn send(sessions: &Sessions, name: &str, kind: &str, payload: &[u8]) -> Done {
    with(sessions, name, |handed| {
        let message = match kind {
            "text" => match std::str::from_utf8(payload) {
                Ok(text) => Message::text(text),
                Err(error) => {
                    return failed(io::Error::new(
                        io::ErrorKind::InvalidInput,
                        format!("not UTF-8, so it is no text: {error}"),
                    ));
                }
            },
            "ping" => Message::Ping(payload.to_vec().into()),
            "pong" => Message::Pong(payload.to_vec().into()),
            _ => Message::binary(payload.to_vec()),
        };
        let note = handed.note(false, kind, payload);
        let websocket = &mut handed.websocket;
        let ran = ran!(error io_error, websocket.send(message));
        handed.finish(Done::of(ran, |()| Value::Done), Some(note))
    })
}

/// Starts or goes on with the closing handshake: RFC 6455 §7.1.2.
pub fn close(sessions: &Sessions, name: &str, code: Option<u16>, reason: &str) -> Done {
    with(sessions, name, |handed| {
        let frame =
            code.map(|code| CloseFrame { code: CloseCode::from(code), reason: reason.to_owned().into() });
        let note = trace::Message { code, ..handed.message(false, "close", reason.as_bytes()) };
        let websocket = &mut handed.websocket;
        let mut ran = ran!(error io_error, websocket.close(frame));
        if let Err(error) = websocket.flush() {
            ran.outcome = ran.outcome.and(closed_is_fine(error));
        }
        handed.finish(Done::of(ran, |()| Value::Done), Some(What::Message(note)))
    })
}

/// Receives the next message. A Ping is answered with a Pong, a Close with a Close; both go out within this call.
///
/// Errors: [`Broken`] if the peer broke a rule; it was then answered with the Close code that fits.
pub fn receive(sessions: &Sessions, name: &str) -> Done {
    with(sessions, name, |handed| {
        let websocket = &mut handed.websocket;
        let ran = ran!(error io_error, websocket.read());
        let (started, took, here) = (ran.started, ran.took, ran.here);
        let (outcome, note) = handed.judged(ran.outcome);
        let done = Done { outcome, started, took, here, pieces: Vec::new() };
        handed.finish(done, note)
    })
}

impl Handed {
    /// tungstenite's message beside our judge's: a rule that tungstenite lets pass is broken all the same.
    fn judged(&mut self, outcome: io::Result<Message>) -> (io::Result<Value>, Option<What>) {
        let seen = loop {
            match self.websocket.get_mut().seen.pop_front() {
                Some(Seen::Frame { .. }) => {}
                other => break other,
            }
        };
        let note = seen.as_ref().and_then(|seen| seen.told_by(self.host, &self.name)).map(What::Message);
        match (seen, outcome) {
            (Some(Seen::Violation(violation)), _) => {
                self.answer(violation);
                (Err(io::Error::new(io::ErrorKind::InvalidData, Broken(violation))), note)
            }
            (_, Err(error)) => match error.downcast::<Error>() {
                // The stream ended without a Close: there is no code on the wire, and 1006 is what the API says (§7.1.5).
                Ok(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => {
                    (Ok(Value::Close { code: 1006, reason: String::new() }), note)
                }
                Ok(other) => (Err(io::Error::new(io::ErrorKind::InvalidData, other.to_string())), note),
                Err(error) => (Err(error), note),
            },
            (Some(Seen::Message { kind: Kind::Close, payload }), Ok(_)) => {
                let _ = self.websocket.flush();
                let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned();
                (Ok(Value::Close { code, reason }), note)
            }
            (_, Ok(message)) => {
                // The Pong that answers a Ping waits in tungstenite's buffer.
                let _ = self.websocket.flush();
                (Ok(Value::Data(message.into_data().to_vec())), note)
            }
        }
    }

    /// Says why the connection is failed: RFC 6455 §7.1.7 wants a Close with the code that fits (§7.4.1).
    fn answer(&mut self, violation: Violation) {
        let frame = CloseFrame { code: CloseCode::from(violation.rule.close_code), reason: "".into() };
        let _ = self.websocket.close(Some(frame)).and_then(|()| self.websocket.flush());
    }

    fn message(&self, received: bool, kind: &str, data: &[u8]) -> trace::Message {
        trace::Message {
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

    fn note(&self, received: bool, kind: &str, data: &[u8]) -> What {
        What::Message(self.message(received, kind, data))
    }

    /// The step with all calls that were made on the way.
    fn finish(&mut self, done: Done, note: Option<What>) -> Done {
        let mut pieces = std::mem::take(&mut self.websocket.get_mut().pieces);
        pieces.extend(note.map(Piece::Note));
        Done { pieces, ..done }
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

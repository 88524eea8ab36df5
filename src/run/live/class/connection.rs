//! One connection of a class, served by its own thread.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{
    super::advice::{bytes_told, duration},
    Service,
    server::{Connection, Report, Server},
    stamped,
};
use crate::sync::lock;
use crate::{
    call::{
        CallDescription, CallPart, Completed, CurrentCall, How, arg, clone_error, errno_name, errno_text,
        send_all,
    },
    event::{Ending, Host, Value, What},
    server::{
        origin::OriginPolicy,
        shutdown::{LINGER_TIME, linger},
    },
    websocket::{
        answer::Policy,
        handoff::{HandoffOptions, ReceiveError, Received, TungsteniteWebSocket, ViolationError},
        judge::Limits,
        opening::{self, AnswerOptions, is_timeout},
    },
};

/// Time in which the whole head of an opening request must arrive (RFC 9110 §15.5.9: 408). A later one is
/// answered with 408.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Buffer size of each `recv` on a plain connection, in bytes.
const BUFFER_SIZE: usize = 4096;

/// Serves a connection until it ends.
pub(super) fn serve(server: &Server, connection: &Arc<Connection>, doing: &CurrentCall) {
    let narrated = server.narrates(connection.number);
    let service = Serving { server, connection, doing, narrated };
    let outcome = service.set_timeouts().map_err(Stop::from).and_then(|()| service.serve());
    let End { ending, detail, closing } = outcome.unwrap_or_else(|stop| service.end_of(&stop));
    service.close(closing);
    server.remove(connection, ending, detail);
}

/// How a connection ended.
struct End {
    ending: Ending,
    detail: String,
    closing: Closing,
}

/// How the socket of a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// `shutdown` sends our FIN, what the peer still sends is read, then `close`.
    Orderly,
    /// By a RST. The peer does not read, so the kernel would otherwise try to send for minutes.
    Abortive,
    /// The peer has reset the connection, or its stream ended too early. Only `close` remains.
    Broken,
}

impl End {
    fn new(ending: Ending, detail: impl Into<String>) -> End {
        let closing = if ending == Ending::Reset { Closing::Broken } else { Closing::Orderly };
        End { ending, detail: detail.into(), closing }
    }
}

/// Why a connection ends before the end of the peer's stream.
enum Stop {
    /// A call failed or timed out.
    Call(io::Error),
    /// The peer violated a rule of the protocol, and the violation was answered with a Close.
    Violation(ViolationError),
    /// The peer has sent more bytes than `Class::bytes` allows.
    TooManyBytes,
    /// The server shuts down.
    ServerStops,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Call(error)
    }
}

impl From<ReceiveError> for Stop {
    fn from(error: ReceiveError) -> Stop {
        match error {
            ReceiveError::Call(error) => Stop::Call(error),
            ReceiveError::Violation(broken) => Stop::Violation(broken),
            ReceiveError::TooManyBytes => Stop::TooManyBytes,
        }
    }
}

struct Serving<'a> {
    server: &'a Server,
    connection: &'a Arc<Connection>,
    doing: &'a CurrentCall,
    narrated: bool,
}

impl Serving<'_> {
    /// Sets SO_RCVTIMEO and SO_SNDTIMEO (socket(7)): a call on which nothing moves for the idle time fails
    /// with EAGAIN.
    fn set_timeouts(&self) -> io::Result<()> {
        let socket = self.connection.held.socket();
        socket.set_read_timeout(Some(self.server.class.idle))?;
        socket.set_write_timeout(Some(self.server.class.idle))
    }

    fn serve(&self) -> Result<End, Stop> {
        // Without it, bytes that follow an unacknowledged answer would wait for the ACK (Nagle's algorithm,
        // RFC 9293 §3.7.4).
        self.piece(CallPart::set(&self.connection.held, "TCP_NODELAY", 1).0);
        match &self.server.class.service {
            Service::Echo => self.echo(),
            Service::WebSocket { origins, message } => self.websocket(origins, *message),
        }
    }

    /// Sends the received bytes back, until the peer ends its stream.
    fn echo(&self) -> Result<End, Stop> {
        loop {
            self.still_open()?;
            let bytes = self.recv(BUFFER_SIZE)?;
            if bytes.is_empty() {
                return Ok(End::new(Ending::Closed, "it sent a FIN; all that came before it was sent back"));
            }
            self.send(&bytes)?;
            if self.connection.held.traffic().0 > self.server.class.bytes {
                return Err(Stop::TooManyBytes);
            }
        }
    }

    /// Answers the opening handshake, then hands the connection over to tungstenite.
    fn websocket(&self, origins: &OriginPolicy, message: u64) -> Result<End, Stop> {
        let local = self.connection.held.socket().local_addr().ok().and_then(|local| local.as_socket());
        let policy = Policy { allowed_origins: origins.origins(local), ..Policy::default() };
        let until = Instant::now() + HEAD_TIMEOUT.min(self.server.class.idle);
        let options = AnswerOptions { policy, page: true, deadline: Some(until) };
        let done = opening::answer(&self.connection.held, &options);
        let unmet = done.parts.iter().find_map(|piece| match piece {
            CallPart::Note(What::Upgrade(it)) if !it.met => {
                Some(format!("{} ({})", it.requirement, it.section))
            }
            _ => None,
        });
        let outcome = match &done.outcome {
            Ok(Value::Number(status)) => Ok(*status),
            Ok(_) => Ok(0),
            Err(error) => Err(clone_error(error)),
        };
        self.tell(CallDescription::of_steps("ws answer", Vec::new(), "the rest of the request's head"), done);
        match (outcome, unmet) {
            (Ok(101), _) => {}
            (Ok(status), Some(unmet)) => {
                return Ok(End::new(Ending::Refused, format!("{status}: needed {unmet}")));
            }
            (Ok(200), None) => return Ok(End::new(Ending::Page, "200: it got the page")),
            (Ok(status), None) => {
                return Ok(End::new(Ending::Page, format!("{status}: there is no such page")));
            }
            (Err(error), _)
                if error.kind() == io::ErrorKind::UnexpectedEof && self.connection.held.traffic().0 == 0 =>
            {
                return Ok(End::new(Ending::Closed, "it sent a FIN, and not a byte before it"));
            }
            (Err(error), _) => return Err(error.into()),
        }
        self.connection.open.store(true, Ordering::Relaxed);
        if self.narrated {
            self.server.report(Report::Peer(self.connection.snapshot(None, None), Instant::now()));
        }
        self.set_timeouts()?;
        let limits = Limits { frame: message, message };
        let options =
            HandoffOptions { limits, byte_limit: self.server.class.bytes, record_calls: self.narrated };
        let mut websocket =
            TungsteniteWebSocket::new(Host::Server, Arc::clone(&self.connection.held), options);
        self.messages(&mut websocket).or_else(|stop| {
            let end = self.end_of(&stop);
            // A violation is already answered.
            if !matches!(stop, Stop::Violation(_)) {
                self.send_close(&mut websocket, &end);
            }
            Ok(end)
        })
    }

    /// Sends each message back, until a Close or the end of the stream.
    fn messages(&self, websocket: &mut TungsteniteWebSocket) -> Result<End, Stop> {
        loop {
            self.still_open()?;
            match self.next(websocket)? {
                Received::Message(message) if message.is_text() || message.is_binary() => {
                    self.connection.received.fetch_add(1, Ordering::Relaxed);
                    let args = vec![arg("kind", if message.is_text() { "text" } else { "binary" })];
                    let done = websocket.send(message);
                    let outcome = done.outcome.as_ref().map(drop).map_err(clone_error);
                    self.tell(CallDescription::of_steps("ws send", args, "room in the send buffer"), done);
                    outcome?;
                    self.connection.sent.fetch_add(1, Ordering::Relaxed);
                }
                Received::Message(_) => {}
                Received::Close { code: 1006, .. } => {
                    return Ok(End::new(
                        Ending::Reset,
                        "it ended the stream without a Close: 1006 (RFC 6455 §7.1.5)",
                    ));
                }
                Received::Close { code: 1005, .. } => {
                    return Ok(End::new(Ending::Closed, "Close without a code"));
                }
                Received::Close { code, .. } => return Ok(End::new(Ending::Closed, format!("Close {code}"))),
            }
        }
    }

    /// Fails with `Stop::ServerStops` if the server shuts down. A peer that sends without a pause never lets
    /// its thread block in a call that a signal could end.
    fn still_open(&self) -> Result<(), Stop> {
        if self.server.registry.is_stopping() { Err(Stop::ServerStops) } else { Ok(()) }
    }

    fn next(&self, websocket: &mut TungsteniteWebSocket) -> Result<Received, ReceiveError> {
        let next = websocket.receive();
        if self.narrated {
            let outcome = match &next.outcome {
                Ok(Received::Message(message)) => Ok(Value::Count(message.len())),
                Ok(Received::Close { code, reason }) => {
                    Ok(Value::Close { code: *code, reason: reason.clone() })
                }
                Err(error) => Err(error.to_io_error()),
            };
            let done = Completed {
                outcome,
                started: next.started,
                took: next.took,
                site: next.here,
                parts: next.pieces,
            };
            self.tell(CallDescription::of_steps("ws recv", Vec::new(), "the rest of a message"), done);
        }
        next.outcome
    }

    /// Sends the Close that states why the connection ends (RFC 6455 §7.4.1), unless the peer does not read.
    fn send_close(&self, websocket: &mut TungsteniteWebSocket, end: &End) {
        let (code, reason) = match (end.ending, end.closing) {
            (_, Closing::Abortive) => return,
            (Ending::Stopped, _) => (1001, "the server ends"),
            (Ending::Limit, _) => (1008, "a limit of this server"),
            (Ending::Failed, _) => (1011, ""),
            _ => return,
        };
        let socket = self.connection.held.socket();
        let _ = socket
            .set_write_timeout(Some(LINGER_TIME))
            .and_then(|()| socket.set_read_timeout(Some(LINGER_TIME)));
        let done = websocket.close(Some(code), reason);
        let good = done.outcome.is_ok();
        self.tell(
            CallDescription::of_steps(
                "ws close",
                vec![arg("code", code.to_string())],
                "room in the send buffer",
            ),
            done,
        );
        // Messages in transit are read until the peer's Close or the end of `LINGER_TIME`.
        let until = Instant::now() + LINGER_TIME;
        while good && Instant::now() < until && matches!(self.next(websocket), Ok(Received::Message(_))) {}
    }

    /// Returns how the connection ends for this reason.
    fn end_of(&self, stop: &Stop) -> End {
        let class = &self.server.class;
        let error = match stop {
            Stop::Violation(broken) => {
                let code = broken.0.rule.close_code;
                // 1009, too big: this limit is the server's own (RFC 6455 §10.4).
                let ending = if code == 1009 { Ending::Limit } else { Ending::Violation };
                return End::new(ending, format!("{broken}; answered with Close {code}"));
            }
            Stop::TooManyBytes => {
                return End::new(
                    Ending::Limit,
                    format!("it sent more than {} (--bytes)", bytes_told(class.bytes)),
                );
            }
            Stop::Call(error) if error.kind() != io::ErrorKind::Interrupted => error,
            Stop::Call(error) if !self.server.registry.is_stopping() => error,
            Stop::Call(_) | Stop::ServerStops => {
                self.doing.acknowledge_stop();
                return End::new(Ending::Stopped, "the server ends");
            }
        };
        let idle = duration(class.idle);
        match error.kind() {
            _ if is_timeout(error) && self.has_unsent_bytes() => End {
                ending: Ending::Limit,
                detail: format!("it does not read: for {idle} there was no room to send to it (--idle)"),
                closing: Closing::Abortive,
            },
            _ if is_timeout(error) => End::new(Ending::Limit, format!("nothing moved for {idle} (--idle)")),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                End::new(Ending::Reset, format!("{}: {}", errno_name(error), errno_text(error)))
            }
            io::ErrorKind::UnexpectedEof => End::new(Ending::Reset, error.to_string()),
            _ => End::new(Ending::Failed, error.to_string()),
        }
    }

    /// Returns whether the kernel still holds bytes that the peer has not acknowledged.
    fn has_unsent_bytes(&self) -> bool {
        crate::kernel::observe(self.connection.held.socket(), true).send_queue.is_some_and(|bytes| bytes > 0)
    }

    fn recv(&self, capacity: usize) -> io::Result<Vec<u8>> {
        if !self.narrated {
            return self.connection.held.recv(capacity).outcome;
        }
        let (piece, outcome) = CallPart::recv(&self.connection.held, capacity);
        self.server.report(Report::Piece(piece));
        outcome
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        if self.narrated {
            let mut pieces = Vec::new();
            let outcome = send_all(&self.connection.held, bytes, &mut pieces);
            for piece in pieces {
                self.server.report(Report::Piece(piece));
            }
            return outcome;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.connection.held.send(rest).outcome?;
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Narrates a step that consists of several calls.
    fn tell(&self, description: CallDescription, done: Completed) {
        if self.narrated {
            let piece = CallPart::Call(self.connection.held.subject(), description, done);
            self.server.report(Report::Piece(stamped(piece, &self.connection.name)));
        }
    }

    fn piece(&self, piece: CallPart) {
        if self.narrated {
            self.server.report(Report::Piece(piece));
        }
    }

    /// Closes the socket in this way.
    fn close(&self, closing: Closing) {
        let held = &self.connection.held;
        match closing {
            Closing::Abortive => self.piece(CallPart::set(held, "SO_LINGER", 0).0),
            Closing::Broken => {}
            Closing::Orderly => {
                let (piece, outcome) = CallPart::shutdown(held, How::Write);
                self.piece(piece);
                if outcome.is_ok() {
                    linger(|left| self.discard(left));
                }
            }
        }
        let _descriptor = lock(&self.connection.descriptor);
        self.piece(CallPart::close(held));
    }

    /// Receives once, within `left`, and returns the number of bytes. A `recv` that times out is neither a
    /// failure nor narrated.
    fn discard(&self, left: Duration) -> Option<usize> {
        self.connection.held.socket().set_read_timeout(Some(left)).ok()?;
        let (piece, outcome) = CallPart::recv(&self.connection.held, BUFFER_SIZE);
        let count = outcome.ok()?.len();
        self.piece(piece);
        Some(count)
    }
}

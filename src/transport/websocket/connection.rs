//! A WebSocket over a [`Connection`]: the upgrade, then frames by our own encoder and checker.
//!
//! One thread receives ([`WebSocket::hear`]). Any thread may send, through a [`FrameSender`]. The receiving
//! thread answers Pings. Nothing is sent after a Close.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::random;
use crate::{
    transport::{
        connection::{Connection, Fault, ReadHalf, ReadOutcome},
        events::{Happened, Way},
        http::{Request, Serving},
        message::Message,
    },
    websocket::{
        answer::{Decision, Policy, judge_request},
        judge::{Judge, Kind, Limits, Role, Seen},
        request::ClientRequest,
        verify::{Answer, Failure, judge_response},
    },
    wire::{
        http::{HeadReader, Progress},
        text,
        websocket::{Frame, REASON_MAX, opcode},
    },
};

/// The name of the layer in events.
const WEBSOCKET: &str = "WebSocket";

/// Longest wait for the peer's Close, and for its FIN.
const GOODBYE: Duration = Duration::from_secs(2);

/// A received unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// A message.
    Message(Message),
    /// A Ping, which was answered already.
    Ping(Vec<u8>),
    /// A Pong.
    Pong(Vec<u8>),
    /// A Close, which was answered already if it was the first. The code is 1005 if the frame had none, and
    /// 1006 if the stream ended without a Close (RFC 6455 §7.1.5).
    Close(u16, String),
    /// Nothing arrived in time.
    Late,
}

/// The sending half of a WebSocket, for any thread.
#[derive(Debug, Clone)]
pub struct FrameSender {
    connection: Arc<Connection>,
    masks: bool,
    /// Whether a Close was sent.
    closed: Arc<AtomicBool>,
}

impl FrameSender {
    /// Sends a message in one frame.
    ///
    /// # Errors
    /// Fails as [`Connection::send`] does. After a Close nothing is sent, and that is no error.
    pub fn say(&self, message: &Message) -> Result<(), Fault> {
        match message {
            Message::Text(text) => self.text(text),
            Message::Binary(bytes) => self.send(opcode::BINARY, bytes, "binary frame"),
        }
    }

    /// Sends a text message in one frame.
    ///
    /// # Errors
    /// Fails as [`FrameSender::say`] does.
    pub fn text(&self, text: &str) -> Result<(), Fault> {
        self.send(opcode::TEXT, text.as_bytes(), "text frame")
    }

    /// Sends a Ping with at most 125 bytes.
    ///
    /// # Errors
    /// Fails as [`FrameSender::say`] does.
    pub fn ping(&self, payload: &[u8]) -> Result<(), Fault> {
        self.connection.tell(WEBSOCKET, Happened::beat(Way::Sent, "Ping"));
        self.send(opcode::PING, &payload[..payload.len().min(125)], "")
    }

    fn pong(&self, payload: &[u8]) -> Result<(), Fault> {
        self.connection.tell(WEBSOCKET, Happened::beat(Way::Sent, "Pong"));
        self.send(opcode::PONG, payload, "")
    }

    /// Begins or answers the closing handshake. A reason is truncated to the 123 bytes that fit.
    ///
    /// # Errors
    /// Fails as [`FrameSender::say`] does.
    pub fn close(&self, code: Option<u16>, reason: &str) -> Result<(), Fault> {
        let mut end = reason.len().min(REASON_MAX);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        let mut payload = code.map(|code| code.to_be_bytes().to_vec()).unwrap_or_default();
        if code.is_some() {
            payload.extend_from_slice(&reason.as_bytes()[..end]);
        }
        let what = code.map_or_else(|| "Close frame".to_owned(), |code| format!("Close frame {code}"));
        self.send(opcode::CLOSE, &payload, &what)
    }

    /// Returns whether a Close was sent.
    pub fn has_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn send(&self, opcode: u8, payload: &[u8], what: &str) -> Result<(), Fault> {
        let mut frame = Frame::new(opcode, payload);
        if self.masks {
            frame = frame.masked(random::bytes()?);
        }
        let bytes = frame.encode();
        let mut sent = false;
        self.connection.send_in_turn(|| {
            // The flag is read and set while this thread has its turn to send, so no frame follows a Close
            // (§5.5.1).
            sent = !self.closed.load(Ordering::Acquire);
            if opcode == opcode::CLOSE {
                self.closed.store(true, Ordering::Release);
            }
            sent.then_some(bytes)
        })?;
        if sent && !what.is_empty() {
            self.connection.tell(WEBSOCKET, Happened::unit(Way::Sent, what, payload));
        }
        Ok(())
    }
}

/// A WebSocket: the receiving half, and a sender.
#[derive(Debug)]
pub struct WebSocket {
    incoming: ReadHalf,
    sender: FrameSender,
    judge: Judge,
    seen: VecDeque<Seen>,
    /// The negotiated subprotocol.
    pub subprotocol: Option<String>,
    over: bool,
}

impl WebSocket {
    /// Requests the upgrade as a client, offers these subprotocols, and checks the answer.
    ///
    /// # Errors
    /// Fails with [`Fault::Refused`] if the server answers with another status, and with [`Fault::Broken`] if
    /// its 101 breaks a rule.
    pub fn ask(
        connection: &Arc<Connection>,
        authority: &str,
        path: &str,
        origin: Option<&str>,
        subprotocols: &[&str],
        most: u64,
        within: Duration,
    ) -> Result<WebSocket, Fault> {
        let asked = |error: crate::websocket::request::RequestError| Fault::Asked(error.to_string());
        let mut request = ClientRequest::new(authority, path).map_err(asked)?;
        request = request.offering(subprotocols).map_err(asked)?;
        if let Some(origin) = origin {
            request = request.from_origin(origin).map_err(asked)?;
        }
        let bytes = request.bytes();
        connection.send(&bytes)?;
        let what = format!("request GET {}", text::shown(path.as_bytes(), 100));
        connection.tell("HTTP", Happened::unit(Way::Sent, what, &bytes));
        let mut incoming = connection.read_half();
        let until = Instant::now() + within;
        loop {
            let head = head(&mut incoming, until)?;
            let verdict = match judge_response(&head, &request) {
                Answer::Interim { .. } => continue,
                Answer::Final(verdict) => verdict,
            };
            let status_line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
            let what = format!("response {}", text::shown(status_line, 100));
            connection.tell("HTTP", Happened::unit(Way::Received, what, &head));
            return match verdict.outcome {
                Ok(established) => {
                    Ok(WebSocket::new(connection, incoming, Role::Client, established.subprotocol, most))
                }
                Err(Failure::Status { status }) => {
                    let _ = incoming.read_more(Some(Instant::now() + Duration::from_millis(200)));
                    let body = text::shown(incoming.unread(), 200);
                    Err(Fault::Refused(format!(
                        "the server answers {status} and not 101: \"{body}\" (RFC 6455 §4.1)"
                    )))
                }
                Err(failure) => {
                    Err(Fault::broken("the answer 101", failure.to_string(), &[], "RFC 6455 §4.1"))
                }
            };
        }
    }

    /// Checks the request as a server, and answers it. Selects the first of the policy's subprotocols that
    /// the client offers.
    ///
    /// # Errors
    /// Fails with [`Fault::Refused`]. The client was told the reason, and the caller must close the
    /// connection.
    pub fn accept(
        serving: Serving,
        request: &Request,
        policy: &Policy,
        most: u64,
    ) -> Result<WebSocket, Fault> {
        let connection = Arc::clone(serving.connection());
        let judgement = judge_request(&request.bytes, policy);
        let mut incoming = serving.into_read_half();
        match judgement.decision {
            Decision::Accept(accepted) => {
                connection.send(&accepted.response)?;
                let what = "response 101 Switching Protocols";
                connection.tell("HTTP", Happened::unit(Way::Sent, what, &accepted.response));
                Ok(WebSocket::new(&connection, incoming, Role::Server, accepted.subprotocol, most))
            }
            Decision::Refuse(refusal) => {
                connection.send(&refusal.response)?;
                let what = format!("response {} {}", refusal.status, refusal.reason);
                connection.tell("HTTP", Happened::unit(Way::Sent, what, &refusal.response));
                incoming.linger();
                let broken = judgement.requirements.iter().find(|finding| !finding.met);
                let why = broken.map_or_else(String::new, |finding| {
                    format!(": {}, found {} ({})", finding.requirement, finding.found, finding.section)
                });
                Err(Fault::Refused(format!("answered with {} {}{why}", refusal.status, refusal.reason)))
            }
        }
    }

    fn new(
        connection: &Arc<Connection>,
        mut incoming: ReadHalf,
        role: Role,
        subprotocol: Option<String>,
        most: u64,
    ) -> WebSocket {
        let mut judge = Judge::with_limits(role, Limits { frame: most, message: most });
        // Bytes that followed the head in the same segment.
        let seen = judge.push(&incoming.take_all()).into();
        let agreed = subprotocol.as_ref().map_or_else(String::new, |name| format!(", subprotocol {name}"));
        connection.tell(WEBSOCKET, Happened::Opened(format!("the connection is a WebSocket{agreed}")));
        let sender = FrameSender {
            connection: Arc::clone(connection),
            masks: role == Role::Client,
            closed: Arc::default(),
        };
        WebSocket { incoming, sender, judge, seen, subprotocol, over: false }
    }

    /// Returns the connection.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.sender.connection
    }

    /// Returns the sending half, for any thread.
    pub fn sender(&self) -> FrameSender {
        self.sender.clone()
    }

    /// Waits up to `until` for the next unit. Nothing follows a [`Came::Close`].
    ///
    /// # Errors
    /// Fails with [`Fault::Rule`] if the peer broke a rule. The peer was sent the matching Close code, and
    /// the caller must end the connection.
    pub fn hear(&mut self, until: Instant) -> Result<Came, Fault> {
        loop {
            while let Some(seen) = self.seen.pop_front() {
                if let Some(came) = self.take(seen)? {
                    return Ok(came);
                }
            }
            if self.over {
                return Ok(Came::Close(1006, String::new()));
            }
            match self.incoming.read_more(Some(until))? {
                ReadOutcome::Bytes => {
                    let bytes = self.incoming.take_all();
                    self.seen.extend(self.judge.push(&bytes));
                }
                ReadOutcome::TimedOut => return Ok(Came::Late),
                ReadOutcome::End => self.over = true,
            }
        }
    }

    fn take(&mut self, seen: Seen) -> Result<Option<Came>, Fault> {
        let connection = &self.sender.connection;
        let (kind, payload) = match seen {
            Seen::Frame { .. } => return Ok(None),
            Seen::Message { kind, payload } => (kind, payload),
            Seen::Violation(violation) => {
                self.over = true;
                let rule = violation.rule;
                let _ = self.sender.close(Some(rule.close_code), rule.words);
                return Err(Fault::Rule {
                    words: rule.words,
                    section: rule.section,
                    offset: violation.offset,
                    code: rule.close_code,
                });
            }
        };
        let unit = |what: &str| Happened::unit(Way::Received, what, &payload);
        Ok(Some(match kind {
            Kind::Text => {
                connection.tell(WEBSOCKET, unit("text message"));
                Came::Message(Message::of(payload))
            }
            Kind::Binary => {
                connection.tell(WEBSOCKET, unit("binary message"));
                Came::Message(Message::Binary(payload))
            }
            Kind::Ping => {
                connection.tell(WEBSOCKET, Happened::beat(Way::Received, "Ping"));
                self.sender.pong(&payload)?;
                Came::Ping(payload)
            }
            Kind::Pong => {
                connection.tell(WEBSOCKET, Happened::beat(Way::Received, "Pong"));
                Came::Pong(payload)
            }
            Kind::Close => {
                self.over = true;
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                let what =
                    code.map_or_else(|| "Close frame".to_owned(), |code| format!("Close frame {code}"));
                connection.tell(WEBSOCKET, unit(&what));
                // The Close is answered with the same code, unless ours was sent first (§5.5.1).
                let _ = self.sender.close(code, "");
                let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned();
                Came::Close(code.unwrap_or(1005), reason)
            }
        }))
    }

    /// Closes in order: sends a Close unless one was sent, waits for the peer's Close, and for the end of TCP
    /// where the server closes first (RFC 6455 §7.1.1). Returns the peer's code, or `None` if none arrived in
    /// time. Other units are dropped.
    ///
    /// # Errors
    /// Fails if the Close can't be sent.
    pub fn goodbye(&mut self, code: u16, reason: &str) -> Result<Option<u16>, Fault> {
        self.sender.close(Some(code), reason)?;
        let until = Instant::now() + GOODBYE;
        let answered = loop {
            match self.hear(until) {
                Ok(Came::Close(code, _)) => break Some(code).filter(|code| *code != 1006),
                Ok(Came::Late) | Err(_) => break None,
                Ok(_) => {}
            }
        };
        self.finish();
        Ok(answered)
    }

    /// Waits briefly for the server to close TCP first, if this end is the client. A server does not wait.
    pub fn finish(&mut self) {
        if self.sender.masks {
            let until = Instant::now() + GOODBYE;
            while let Ok(ReadOutcome::Bytes) = self.incoming.read_more(Some(until)) {
                self.incoming.take_all();
            }
        }
        self.incoming.linger();
    }
}

/// Returns the next head of a response. The bytes after it stay unread.
fn head(incoming: &mut ReadHalf, until: Instant) -> Result<Vec<u8>, Fault> {
    let mut reader = HeadReader::new();
    loop {
        match reader.push(&incoming.take_all()) {
            Progress::Complete { .. } => {
                let (head, tail) = reader.into_parts();
                incoming.put_back(tail);
                return Ok(head);
            }
            Progress::Incomplete => {}
            Progress::TooLarge(_) => {
                return Err(Fault::Limit("the head of the answer is too large".to_owned()));
            }
            Progress::NotHttp { at } => {
                return Err(Fault::broken(
                    format!("answer, byte {at}"),
                    "HTTP",
                    reader.bytes(),
                    "RFC 9112 §4",
                ));
            }
        }
        match incoming.read_more(Some(until))? {
            ReadOutcome::Bytes => {}
            ReadOutcome::TimedOut => {
                return Err(Fault::Late("no answer to the opening request came in time".to_owned()));
            }
            ReadOutcome::End => {
                let had = reader.bytes().len();
                return Err(Fault::CutOff(format!("after {had} bytes of the answer to the opening request")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::transport::connection::tests::pair;
    use crate::transport::terms::Terms;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    /// A client and a server that are connected.
    fn both() -> (WebSocket, WebSocket) {
        let (client, server) = pair();
        let serving = thread::spawn(move || {
            let mut serving = Serving::new(&server, &Terms::default());
            let request = serving.next().unwrap().unwrap();
            let policy = Policy { subprotocols: vec!["b".to_owned()], ..Policy::default() };
            WebSocket::accept(serving, &request, &policy, 1000).unwrap()
        });
        let client =
            WebSocket::ask(&client, "a", "/", None, &["a", "b"], 1000, Duration::from_secs(5)).unwrap();
        (client, serving.join().unwrap())
    }

    fn text(text: &str) -> Message {
        Message::Text(text.to_owned())
    }

    #[test]
    fn messages_go_both_ways_and_pings_are_answered() {
        let (mut client, mut server) = both();
        assert_eq!((client.subprotocol.as_deref(), server.subprotocol.as_deref()), (Some("b"), Some("b")));
        client.sender().say(&text("hello")).unwrap();
        client.sender().ping(b"p").unwrap();
        assert_eq!(server.hear(soon()).unwrap(), Came::Message(text("hello")));
        assert_eq!(server.hear(soon()).unwrap(), Came::Ping(b"p".to_vec()));
        server.sender().say(&Message::Binary(vec![0xff; 300])).unwrap();
        assert_eq!(client.hear(soon()).unwrap(), Came::Pong(b"p".to_vec()));
        assert_eq!(client.hear(soon()).unwrap(), Came::Message(Message::Binary(vec![0xff; 300])));
        assert_eq!(client.hear(Instant::now()).unwrap(), Came::Late);
    }

    #[test]
    fn the_closing_handshake_has_two_closes_and_nothing_behind_them() {
        let (mut client, mut server) = both();
        let server = thread::spawn(move || {
            let came = server.hear(soon()).unwrap();
            // Too late: it is not sent.
            server.sender().text("more").unwrap();
            server.finish();
            came
        });
        assert_eq!(client.goodbye(1000, "bye").unwrap(), Some(1000));
        assert_eq!(server.join().unwrap(), Came::Close(1000, "bye".to_owned()));
        assert!(client.sender().has_closed());
    }

    #[test]
    fn a_broken_rule_is_answered_with_its_code() {
        let (mut client, mut server) = both();
        // Not masked.
        client.connection().send(&[0x81, 0x01, b'x']).unwrap();
        let fault = server.hear(soon()).unwrap_err();
        assert!(fault.to_string().contains("§5.1"), "{fault}");
        assert_eq!(client.hear(soon()).unwrap(), Came::Close(1002, "a client masks every frame".to_owned()));
        let (client, mut server) = both();
        client.sender().text(&"x".repeat(1001)).unwrap();
        assert!(matches!(server.hear(soon()), Err(Fault::Rule { code: 1009, .. })));
    }

    #[test]
    fn an_end_without_a_close_is_1006() {
        let (client, mut server) = both();
        client.connection().end();
        assert_eq!(server.hear(soon()).unwrap(), Came::Close(1006, String::new()));
    }
}

//! The server's side of an HTTP connection: reads requests, answers them, and rejects what can't be served.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{HTTP, Request, Response, reason};
use crate::{
    server::{
        http::{ByteSource, Head, Received, Rejection, read_head},
        origin::same_origin,
    },
    transport::{
        connection::{Connection, Fault, ReadHalf, ReadOutcome},
        events::{Happened, Way},
        terms::Terms,
    },
    wire::{
        http::{ContentReader, Framing, LAST_CHUNK, chunk, encode_response, parse_request, request_framing},
        text,
    },
};

/// Longest time between the first and the last byte of a head. After it, the answer is 408 (RFC 9110
/// §15.5.9).
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Time in which the content of a request must arrive.
const CONTENT_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection that receives requests.
#[derive(Debug)]
pub struct Serving {
    connection: Arc<Connection>,
    incoming: ReadHalf,
    /// Longest silence between two requests. After it, the connection ends.
    idle: Duration,
    /// Largest content of a request, in bytes.
    most: u64,
}

/// The origins whose pages may use this server (RFC 6454). Without this check, a page of any origin could
/// make its visitors' browsers send requests here.
#[derive(Debug, Clone)]
pub struct Allowed(Option<Vec<String>>);

impl Allowed {
    /// Returns the origins that may use this connection.
    pub fn here(connection: &Connection, terms: &Terms) -> Allowed {
        Allowed(terms.origins.origins(connection.local()))
    }

    /// Returns the list of origins, or `None` if all are allowed.
    pub fn list(&self) -> Option<&[String]> {
        self.0.as_deref()
    }

    /// Returns whether the request comes from no page, or from a page of an allowed origin.
    pub fn lets_in(&self, request: &Request) -> bool {
        match (&self.0, request.field("Origin")) {
            (None, _) | (_, None) => true,
            (Some(all), Some(origin)) => all.iter().any(|own| same_origin(own, &origin)),
        }
    }
}

impl Serving {
    /// Wraps a connection, with the limits of `terms`.
    pub fn new(connection: &Arc<Connection>, terms: &Terms) -> Serving {
        Serving::of(connection.read_half(), terms)
    }

    /// Wraps a connection from which bytes were already read, to detect its protocol.
    pub fn of(incoming: ReadHalf, terms: &Terms) -> Serving {
        Serving {
            connection: Arc::clone(incoming.connection()),
            incoming,
            idle: terms.idle,
            most: terms.message.saturating_mul(2).saturating_add(4096),
        }
    }

    /// Returns the connection.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Returns the reading half, with the unread bytes, for the protocol that follows HTTP.
    pub fn into_read_half(self) -> ReadHalf {
        self.incoming
    }

    /// Returns the reading half, to detect that the client of a streamed response has left.
    pub fn read_half(&mut self) -> &mut ReadHalf {
        &mut self.incoming
    }

    /// Returns the next request with its content, or `None` if the client sends no more, or was silent for
    /// too long.
    ///
    /// # Errors
    /// Fails with [`Fault::Status`] if the received bytes are no valid request. The client was answered with
    /// that status, and nothing more can be read from this connection.
    #[expect(clippy::should_implement_trait, reason = "an iterator could not tell why it ends")]
    pub fn next(&mut self) -> Result<Option<Request>, Fault> {
        let Some(head_bytes) = self.head()? else { return Ok(None) };
        let head = match parse_request(&head_bytes) {
            Ok(head) => head,
            Err(error) => {
                let rejection =
                    Rejection::malformed(error.status, "a well-formed request head", &error.malformed);
                return Err(self.reject(&rejection));
            }
        };
        if head.version.major != 1 {
            let found = format!("HTTP/{}.{}", head.version.major, head.version.minor);
            return Err(self.refuse(505, found, "the version is HTTP/1.1", "RFC 9110 §15.6.6"));
        }
        if head.target.contains('#') {
            let found = text::shown(head.target.as_bytes(), 80);
            return Err(self.refuse(400, found, "a target without a fragment", "RFC 9112 §3.2"));
        }
        let hosts = head.headers.all("Host").count();
        if hosts > 1 || (hosts == 0 && head.version.minor >= 1) {
            return Err(self.refuse(400, format!("{hosts} of them"), "one Host line", "RFC 9112 §3.2"));
        }
        let framing = match request_framing(&head) {
            Ok(framing) => framing,
            Err(error) => {
                let rejection =
                    Rejection::malformed(error.status, "a well-formed request head", &error.malformed);
                return Err(self.reject(&rejection));
            }
        };
        let mut request = Request { head, bytes: head_bytes, content: Vec::new() };
        if let Framing::Length(length) = framing
            && length > self.most
        {
            return Err(self.too_much(length));
        }
        if framing != Framing::None {
            if request.head.headers.has_token("Expect", "100-continue") && self.incoming.unread().is_empty() {
                self.connection.send(&encode_response(100, reason(100), &[]))?;
            }
            request.content = self.content(framing)?;
        }
        let line = request.bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let what = format!("request {}", text::shown(line, 120));
        self.connection
            .tell(HTTP, Happened::unit_of(Way::Received, what, &[&request.bytes, &request.content]));
        Ok(Some(request))
    }

    /// Returns the bytes of the next head, or `None` if the client sends no more, or was silent for too long.
    fn head(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let deadline = Instant::now() + self.idle;
        let mut source = OnConnection { serving: self, deadline, begun: false };
        match read_head(&mut source)? {
            Head::CutOff(0) | Head::TimedOut(0) => Ok(None),
            Head::CutOff(count) => {
                Err(Fault::CutOff(format!("in the head of a request, after {count} bytes")))
            }
            head => head.complete().map(Some).map_err(|rejection| self.reject(&rejection)),
        }
    }

    fn content(&mut self, framing: Framing) -> Result<Vec<u8>, Fault> {
        let mut reader = ContentReader::new(framing);
        let mut content = Vec::new();
        let until = Instant::now() + CONTENT_TIMEOUT;
        loop {
            let mut rest = self.incoming.unread();
            let all = rest.len();
            let outcome = loop {
                match reader.next(&mut rest) {
                    Ok(Some(piece)) => content.extend_from_slice(piece),
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
                if content.len() as u64 > self.most {
                    break Ok(());
                }
            };
            let taken = all - rest.len();
            self.incoming.take(taken);
            if let Err(error) = outcome {
                let rejection = Rejection::malformed(400, "well-formed content", &error);
                return Err(self.reject(&rejection));
            }
            if content.len() as u64 > self.most {
                return Err(self.too_much(content.len() as u64));
            }
            if reader.is_whole() {
                return Ok(content);
            }
            match self.incoming.read_more(Some(until))? {
                ReadOutcome::Bytes => {}
                ReadOutcome::End => {
                    let had = content.len();
                    return Err(Fault::CutOff(format!(
                        "in the content of a request, after {had} bytes of it"
                    )));
                }
                ReadOutcome::TimedOut => {
                    let found = format!("{} bytes of it", content.len());
                    return Err(self.refuse(408, found, "the whole content in time", "RFC 9110 §15.5.9"));
                }
            }
        }
    }

    fn too_much(&mut self, length: u64) -> Fault {
        let found = format!("{length} bytes of content; at most {} are taken", self.most);
        self.refuse(413, found, "content within the limit (--message)", "RFC 9110 §15.5.14")
    }

    /// Sends the response for a missed requirement, and returns it as an error.
    fn reject(&mut self, rejection: &Rejection) -> Fault {
        let response = Response::text(rejection.status, rejection.content());
        let bytes = response.encode("GET", false);
        if self.connection.send(&bytes).is_ok() {
            self.told(rejection.status, &bytes);
            self.incoming.linger();
        }
        let Rejection { status, requirement, section, found, .. } = rejection;
        Fault::Status { status: *status, why: format!("needed {requirement} ({section}), found {found}") }
    }

    /// Rejects a request for a requirement of its head or content.
    fn refuse(
        &mut self,
        status: u16,
        found: String,
        requirement: &'static str,
        section: &'static str,
    ) -> Fault {
        self.reject(&Rejection { status, requirement, section, found, offset: None })
    }

    /// Answers a request. Returns false if the connection must not be used again.
    ///
    /// # Errors
    /// Fails if the response can't be sent.
    pub fn answer(&mut self, request: &Request, response: &Response) -> Result<bool, Fault> {
        let keep = request.keeps_alive();
        let bytes = response.encode(request.method(), keep);
        self.connection.send(&bytes)?;
        self.told(response.status, &bytes);
        Ok(keep)
    }

    /// Begins a streamed response: in chunks, or up to the end of the stream for a client that does not know
    /// chunks. Returns false if the content must not be sent, because the request was for the head alone.
    ///
    /// # Errors
    /// Fails if the head can't be sent.
    pub fn start(&mut self, request: &Request, status: u16, fields: &[(&str, &str)]) -> Result<bool, Fault> {
        let mut all = fields.to_vec();
        if chunks(request) {
            all.push(("Transfer-Encoding", "chunked"));
        }
        if !request.keeps_alive() || !chunks(request) {
            all.push(("Connection", "close"));
        }
        let bytes = encode_response(status, reason(status), &all);
        self.connection.send(&bytes)?;
        self.told(status, &bytes);
        Ok(request.method() != "HEAD")
    }

    /// Sends one piece of a streamed response.
    ///
    /// # Errors
    /// Fails if the piece can't be sent.
    pub fn piece(&self, request: &Request, bytes: &[u8]) -> Result<(), Fault> {
        if chunks(request) { self.connection.send(&chunk(bytes)) } else { self.connection.send(bytes) }
    }

    /// Ends a streamed response. Returns false if the connection must not be used again.
    ///
    /// # Errors
    /// Fails if the end can't be sent.
    pub fn finish(&self, request: &Request) -> Result<bool, Fault> {
        if !chunks(request) {
            return Ok(false);
        }
        self.connection.send(LAST_CHUNK)?;
        Ok(request.keeps_alive())
    }

    /// Returns whether the client of a streamed response is still connected, without waiting. Received bytes
    /// are kept as the beginning of the next request.
    pub fn is_there(&mut self) -> bool {
        // While a response is streamed, no more of the next request is kept than one head.
        if self.incoming.unread().len() > 16 << 10 {
            return true;
        }
        !matches!(self.incoming.read_more(Some(Instant::now())), Ok(ReadOutcome::End) | Err(_))
    }

    /// Closes the connection so that the last response is not lost.
    pub fn close(mut self) {
        self.incoming.linger();
    }

    fn told(&self, status: u16, bytes: &[u8]) {
        let what = format!("response {status} {}", reason(status));
        self.connection.tell(HTTP, Happened::unit(Way::Sent, what, bytes));
    }
}

/// A connection as the source of a head.
struct OnConnection<'a> {
    serving: &'a mut Serving,
    deadline: Instant,
    begun: bool,
}

impl ByteSource for OnConnection<'_> {
    type Error = Fault;

    fn take(&mut self) -> Vec<u8> {
        self.serving.incoming.take_all()
    }

    fn put_back(&mut self, bytes: Vec<u8>) {
        self.serving.incoming.put_back(bytes);
    }

    fn receive(&mut self, begun: bool) -> Result<Received, Fault> {
        if begun && !std::mem::replace(&mut self.begun, true) {
            self.deadline = Instant::now() + HEAD_TIMEOUT.min(self.serving.idle);
        }
        Ok(match self.serving.incoming.read_more(Some(self.deadline))? {
            ReadOutcome::Bytes => Received::Bytes,
            ReadOutcome::End => Received::End,
            ReadOutcome::TimedOut => Received::TimedOut,
        })
    }
}

/// Returns whether the client knows chunks. HTTP/1.0 does not (RFC 9112 §6.1).
fn chunks(request: &Request) -> bool {
    request.head.version.minor >= 1
}

//! The server's side of a connection: the next request, its answer, and a word for whoever can't be served.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{HTTP, Request, Response, reason};
use crate::{
    transport::{
        connection::{Connection, Fault, ReadHalf, ReadOutcome},
        events::{Happened, Way},
        terms::Terms,
    },
    wire::{
        http::{
            ContentReader, Framing, HeadReader, LAST_CHUNK, Progress, TooLarge, chunk, encode_response,
            parse_request, request_framing,
        },
        text,
    },
};

/// A whole head has to come in this time after its first byte (RFC 9110 §15.5.9: 408).
const HEAD: Duration = Duration::from_secs(10);

/// And the content behind it in this.
const CONTENT: Duration = Duration::from_secs(30);

/// A connection on which requests come.
#[derive(Debug)]
pub struct Serving {
    connection: Arc<Connection>,
    incoming: ReadHalf,
    /// Between requests nothing may move for so long.
    idle: Duration,
    /// The most content of a request, in bytes.
    most: u64,
}

/// Whose pages may use this server (RFC 6454): a page of any other origin could make its visitors' browsers ask things here.
#[derive(Debug, Clone)]
pub struct Allowed(Option<Vec<String>>);

impl Allowed {
    /// Our own, by the address that the line has here, and those that the terms name.
    pub fn here(connection: &Connection, terms: &Terms) -> Allowed {
        if terms.any_origin {
            return Allowed(None);
        }
        let mut all = terms.origins.clone();
        if let Some(local) = connection.local() {
            all.push(format!("http://{local}"));
            if local.ip().is_loopback() {
                all.push(format!("http://localhost:{}", local.port()));
            }
        }
        Allowed(Some(all))
    }

    /// The list; nothing if all may.
    pub fn list(&self) -> Option<&[String]> {
        self.0.as_deref()
    }

    /// Whether this request comes from no page, or from one that may.
    pub fn lets_in(&self, request: &Request) -> bool {
        match (&self.0, request.field("Origin")) {
            (None, _) | (_, None) => true,
            (Some(all), Some(origin)) => all.iter().any(|own| own.eq_ignore_ascii_case(&origin)),
        }
    }
}

impl Serving {
    /// On this line, within these terms.
    pub fn new(connection: &Arc<Connection>, terms: &Terms) -> Serving {
        Serving::of(connection.read_half(), terms)
    }

    /// On a line of which something was read already, to see what it speaks.
    pub fn of(incoming: ReadHalf, terms: &Terms) -> Serving {
        Serving {
            connection: Arc::clone(incoming.connection()),
            incoming,
            idle: terms.idle,
            most: terms.message.saturating_mul(2).saturating_add(4096),
        }
    }

    /// The line.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// The reading half, for the protocol that comes after HTTP: what has come already is in it.
    pub fn into_read_half(self) -> ReadHalf {
        self.incoming
    }

    /// The reading half, to see whether somebody to whom an answer is being streamed has left.
    pub fn read_half(&mut self) -> &mut ReadHalf {
        &mut self.incoming
    }

    /// The next request with its content; none if the client has no more, or was silent for too long.
    ///
    /// # Errors
    /// Whoever sends what is no request is answered with the status that says so, and [`Fault::Status`] is given:
    /// nothing more can be read here.
    #[expect(clippy::should_implement_trait, reason = "an iterator could not tell why it ends")]
    pub fn next(&mut self) -> Result<Option<Request>, Fault> {
        let Some(head_bytes) = self.head()? else { return Ok(None) };
        let head = match parse_request(&head_bytes) {
            Ok(head) => head,
            Err(error) => return Err(self.refuse(error.status, &error.to_string(), error.malformed.section)),
        };
        if head.version.major != 1 {
            let why = format!("the version is HTTP/{}.{}", head.version.major, head.version.minor);
            return Err(self.refuse(505, &why, "RFC 9110 §15.6.6"));
        }
        let hosts = head.headers.all("Host").count();
        if hosts > 1 || (hosts == 0 && head.version.minor >= 1) {
            let why = format!("a request has one Host line, this has {hosts}");
            return Err(self.refuse(400, &why, "RFC 9112 §3.2"));
        }
        let framing = match request_framing(&head) {
            Ok(framing) => framing,
            Err(error) => return Err(self.refuse(error.status, &error.to_string(), error.malformed.section)),
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

    /// The bytes of the next head.
    fn head(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let mut reader = HeadReader::new();
        let mut until = Instant::now() + self.idle;
        loop {
            let bytes = self.incoming.take_all();
            if reader.bytes().is_empty() && !bytes.is_empty() {
                until = Instant::now() + HEAD.min(self.idle);
            }
            match reader.push(&bytes) {
                Progress::Complete { .. } => {
                    let (head, tail) = reader.into_parts();
                    self.incoming.put_back(tail);
                    return Ok(Some(head));
                }
                Progress::TooLarge(TooLarge::StartLine) => {
                    return Err(self.refuse(414, "the request line is longer than 16 KiB", "RFC 9112 §3"));
                }
                Progress::TooLarge(limit) => {
                    let why = format!("the head is too large: {limit:?}");
                    return Err(self.refuse(431, &why, "RFC 6585 §5"));
                }
                Progress::NotHttp { at } => {
                    let why = format!("byte {at} of \"{}\" can't be", text::shown(reader.bytes(), 40));
                    return Err(self.refuse(400, &why, "RFC 9112 §3"));
                }
                Progress::Incomplete => {}
            }
            let had = reader.bytes().len();
            match self.incoming.read_more(Some(until))? {
                ReadOutcome::Bytes => {}
                ReadOutcome::End if had == 0 => return Ok(None),
                ReadOutcome::End => {
                    return Err(Fault::CutOff(format!("in the head of a request, after {had} bytes")));
                }
                ReadOutcome::TimedOut if had == 0 => return Ok(None),
                ReadOutcome::TimedOut => {
                    let why = format!("a head did not come in time: {had} bytes and no empty line");
                    return Err(self.refuse(408, &why, "RFC 9110 §15.5.9"));
                }
            }
        }
    }

    fn content(&mut self, framing: Framing) -> Result<Vec<u8>, Fault> {
        let mut reader = ContentReader::new(framing);
        let mut content = Vec::new();
        let until = Instant::now() + CONTENT;
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
                return Err(self.refuse(400, &error.to_string(), error.section));
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
                    return Err(self.refuse(408, "the content did not come in time", "RFC 9110 §15.5.9"));
                }
            }
        }
    }

    fn too_much(&mut self, length: u64) -> Fault {
        let why = format!("{length} bytes of content; at most {} are taken", self.most);
        self.refuse(413, &why, "RFC 9110 §15.5.14")
    }

    /// Answers with a status that says what was wrong, and gives that as a fault.
    fn refuse(&mut self, status: u16, why: &str, section: &'static str) -> Fault {
        let words = if why.contains(section) { why.to_owned() } else { format!("{why} ({section})") };
        let response = Response::text(status, format!("{status} {}\n{words}\n", reason(status)));
        let bytes = response.encode("GET", false);
        if self.connection.send(&bytes).is_ok() {
            self.told(status, &bytes);
            self.incoming.linger();
        }
        Fault::Status { status, why: words }
    }

    /// Answers a request. False if the connection is not to be used again.
    ///
    /// # Errors
    /// If it can't be sent.
    pub fn answer(&mut self, request: &Request, response: &Response) -> Result<bool, Fault> {
        let keep = request.keeps_alive();
        let bytes = response.encode(request.method(), keep);
        self.connection.send(&bytes)?;
        self.told(response.status, &bytes);
        Ok(keep)
    }

    /// Begins an answer that is sent as it comes about: chunk by chunk, or to the end of the stream where the client is older than
    /// chunks. False if its content is not to be sent, as the request was for the head alone.
    ///
    /// # Errors
    /// If it can't be sent.
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

    /// One more piece of such an answer.
    ///
    /// # Errors
    /// If it can't be sent.
    pub fn piece(&self, request: &Request, bytes: &[u8]) -> Result<(), Fault> {
        if chunks(request) { self.connection.send(&chunk(bytes)) } else { self.connection.send(bytes) }
    }

    /// Its end. False if the connection is not to be used again.
    ///
    /// # Errors
    /// If it can't be sent.
    pub fn finish(&self, request: &Request) -> Result<bool, Fault> {
        if !chunks(request) {
            return Ok(false);
        }
        self.connection.send(LAST_CHUNK)?;
        Ok(request.keeps_alive())
    }

    /// Whether whoever is being answered is still there: it waits, so that nothing should come. Looks without waiting; what comes is
    /// kept, as the beginning of the next request.
    pub fn is_there(&mut self) -> bool {
        // More than a head of the next request is not kept while this one is answered.
        if self.incoming.unread().len() > 16 << 10 {
            return true;
        }
        !matches!(self.incoming.read_more(Some(Instant::now())), Ok(ReadOutcome::End) | Err(_))
    }

    /// All is said: closes in an order in which the last answer is not lost.
    pub fn close(mut self) {
        self.incoming.linger();
    }

    fn told(&self, status: u16, bytes: &[u8]) {
        let what = format!("response {status} {}", reason(status));
        self.connection.tell(HTTP, Happened::unit(Way::Sent, what, bytes));
    }
}

/// Whether the client knows chunks: HTTP/1.0 does not (RFC 9112 §6.1).
fn chunks(request: &Request) -> bool {
    request.head.version.minor >= 1
}

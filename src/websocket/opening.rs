//! The opening handshake on a socket: three steps, each made of `send` and `recv` calls.

use std::{
    io,
    time::{Duration, Instant},
};

use super::{
    RuleCheck, Sessions, accept_key,
    answer::{Decision, Judgement, Policy, judge_request, reject},
    request::ClientRequest,
    verify::{Answer, Failure, judge_response},
};
use crate::{
    call::{CallPart, Completed, SocketEntry, send_all},
    event::{Host, Row, Value, What, Working},
    ran,
    server::http::{ByteSource, Head, Received, page, read_head},
    wire::{
        Field,
        http::{self, parse_request},
        text,
    },
};

/// Capacity offered to each `recv`, in bytes.
const BUFFER_SIZE: usize = 4096;

/// The parameters of a client's opening request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpgradeRequest {
    /// The path, with its query.
    pub path: String,
    /// The host, and the port if it is not 80, for the `Host` field. `None` means the peer's address.
    pub authority: Option<String>,
    /// The `Origin` field, as a browser sends it for a web page.
    pub origin: Option<String>,
    /// The subprotocol to offer.
    pub protocol: Option<String>,
}

/// Sends the client's opening request: RFC 6455 §4.1.
pub fn request(sessions: &Sessions, on: &SocketEntry, asked: &UpgradeRequest) -> Completed {
    let mut pieces = Vec::new();
    let ran = ran!(send_request(sessions, on, asked, &mut pieces));
    Completed { parts: pieces, ..Completed::of(ran, Value::Count) }
}

fn send_request(
    sessions: &Sessions,
    on: &SocketEntry,
    asked: &UpgradeRequest,
    pieces: &mut Vec<CallPart>,
) -> io::Result<usize> {
    let peer = || on.addresses().1.map_or_else(|| "server".to_owned(), |peer| peer.to_string());
    let authority = asked.authority.clone().unwrap_or_else(peer);
    let mut request = ClientRequest::new(&authority, &asked.path).map_err(io::Error::other)?;
    if let Some(origin) = &asked.origin {
        request = request.from_origin(origin).map_err(io::Error::other)?;
    }
    if let Some(protocol) = &asked.protocol {
        request = request.offering(&[protocol]).map_err(io::Error::other)?;
    }
    let bytes = request.bytes();
    pieces.push(CallPart::Note(What::Working(Working {
        host: Host::Client,
        socket: None,
        title: "the key".to_owned(),
        bytes: Vec::new(),
        rows: request.key_working(),
    })));
    pieces.push(CallPart::Note(What::Working(Working {
        host: Host::Client,
        socket: None,
        title: "the opening request".to_owned(),
        bytes: bytes.clone(),
        rows: request.working(),
    })));
    send_all(on, &bytes, pieces)?;
    sessions.store_request(&on.name, request);
    Ok(bytes.len())
}

/// How a server answers opening requests.
#[derive(Debug, Clone, Default)]
pub struct AnswerOptions {
    /// Which requests it accepts.
    pub policy: Policy,
    /// Whether a GET without an upgrade is answered with a page for browsers.
    pub page: bool,
    /// The time by which the whole head must have arrived. `None` leaves it to the deadline of the call.
    pub deadline: Option<Instant>,
}

/// Reads the request, checks it and answers: RFC 6455 §4.2. Returns the HTTP status that was sent.
///
/// The reader bounds the bytes; `deadline` or the deadline of the lesson bounds the time. A client whose head
/// is not complete by then gets 408.
pub fn answer(on: &SocketEntry, options: &AnswerOptions) -> Completed {
    let mut pieces = Vec::new();
    let ran = ran!(judge_and_answer(on, options, &mut pieces));
    Completed { parts: pieces, ..Completed::of(ran, Value::Number) }
}

fn judge_and_answer(
    on: &SocketEntry,
    options: &AnswerOptions,
    pieces: &mut Vec<CallPart>,
) -> io::Result<i64> {
    let judgement = match read_head(&mut OnSocket { on, until: options.deadline, pieces })? {
        // A peer that has sent nothing gets no answer.
        Head::CutOff(0) => return Err(cut_off(0)),
        head => match head.complete() {
            Ok(head) => {
                let request = parse_request(&head).ok().filter(|_| options.page);
                let page = request.and_then(|request| page::answer(&request, &page::ECHO));
                if let Some(page) = page {
                    send_all(on, &page.response, pieces)?;
                    return Ok(i64::from(page.status));
                }
                judge_request(&head, &options.policy)
            }
            Err(rejection) => reject(rejection),
        },
    };
    note_all(Host::Server, &judgement.requirements, pieces);
    let Judgement { decision, .. } = judgement;
    match decision {
        Decision::Accept(acceptance) => {
            pieces.push(CallPart::Note(What::Working(Working {
                host: Host::Server,
                socket: None,
                title: "the accept key".to_owned(),
                bytes: Vec::new(),
                rows: accept_key::working(&acceptance.key),
            })));
            send_all(on, &acceptance.response, pieces)?;
            Ok(101)
        }
        Decision::Refuse(refusal) => {
            send_all(on, &refusal.response, pieces)?;
            Ok(i64::from(refusal.status))
        }
    }
}

/// Reads the server's answer and checks it: RFC 6455 §4.1. Returns the HTTP status received.
///
/// Fails with `InvalidData` if a 101 breaks a rule; the client must then fail the connection.
pub fn verify(sessions: &Sessions, on: &SocketEntry) -> Completed {
    let mut pieces = Vec::new();
    let ran = ran!(judge_the_answer(sessions, on, &mut pieces));
    Completed { parts: pieces, ..Completed::of(ran, Value::Number) }
}

fn judge_the_answer(sessions: &Sessions, on: &SocketEntry, pieces: &mut Vec<CallPart>) -> io::Result<i64> {
    let request =
        sessions.request(&on.name).ok_or_else(|| invalid(format!("nothing was asked for on {}", on.name)))?;
    loop {
        let head = match read_head(&mut OnSocket { on, until: None, pieces })? {
            Head::Complete(head) => head,
            Head::CutOff(count) => return Err(cut_off(count)),
            Head::NotHttp { bytes, at } => {
                let had = text::shown(&bytes, 40);
                return Err(invalid(format!(
                    "the answer is no HTTP: byte {at} of \"{had}\" can't be (RFC 9112 §4)"
                )));
            }
            Head::TooLarge(limit) => {
                return Err(invalid(format!("the head of the answer is too large: {limit:?}")));
            }
            Head::TimedOut(_) => return Err(io::ErrorKind::Interrupted.into()),
        };
        match judge_response(&head, &request) {
            // 1xx before the 101: to be read over, RFC 9110 §15.2.
            Answer::Interim { .. } => {}
            Answer::Final(verdict) => {
                note_all(Host::Client, &verdict.requirements, pieces);
                return match verdict.outcome {
                    Ok(_) => Ok(101),
                    // Another status is HTTP's answer, and no broken rule.
                    Err(Failure::Status { status }) => {
                        pieces.push(CallPart::Note(What::Working(another_answer(&head, &on.read_ahead()))));
                        Ok(i64::from(status))
                    }
                    Err(failure) => Err(invalid(failure.to_string())),
                };
            }
        }
    }
}

/// Longest beginning of a body that is shown, in bytes.
const BODY_SHOWN: usize = 400;

/// Longest field name that is shown, in characters; a longer one is cut.
const NAME_SHOWN: usize = 40;

/// Returns the fields of an answer that is not 101, and the beginning of its body: they give the server's
/// reason.
fn another_answer(head: &[u8], rest: &[u8]) -> Working {
    let row = |field: &Field| {
        let line = field.value.split_once(": ").filter(|_| field.name == "field-line");
        let (name, value) = line.unwrap_or((field.name, &field.value));
        Row {
            name: text::shown(name.as_bytes(), NAME_SHOWN),
            value: value.to_owned(),
            meaning: field.meaning.clone(),
            bits: None,
            section: Some(field.section.to_owned()).filter(|section| !section.is_empty()),
        }
    };
    let between = ["SP", "CRLF", "LF", "empty line"];
    let mut rows: Vec<Row> =
        http::fields(head).iter().filter(|field| !between.contains(&field.name)).map(row).collect();
    if !rest.is_empty() {
        rows.push(Row {
            name: "content".to_owned(),
            value: text::shown(rest, BODY_SHOWN),
            meaning: "what came with the head".to_owned(),
            bits: None,
            section: Some("RFC 9110 §6.4".to_owned()),
        });
    }
    Working { host: Host::Client, socket: None, title: "the answer".to_owned(), bytes: Vec::new(), rows }
}

/// A socket as a source of a head: each `recv` becomes a piece of the step.
struct OnSocket<'a> {
    on: &'a SocketEntry,
    /// When the head has to be complete; without it the end of the call is the limit.
    until: Option<Instant>,
    pieces: &'a mut Vec<CallPart>,
}

impl ByteSource for OnSocket<'_> {
    type Error = io::Error;

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut *self.on.read_ahead())
    }

    fn put_back(&mut self, bytes: Vec<u8>) {
        self.on.read_ahead().splice(0..0, bytes);
    }

    fn receive(&mut self, _begun: bool) -> io::Result<Received> {
        if let Some(until) = self.until {
            // SO_RCVTIMEO, socket(7): each recv may take what is left of the time. 0 would mean no limit.
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.on.socket().set_read_timeout(Some(left))?;
        }
        let (piece, outcome) = CallPart::recv(self.on, BUFFER_SIZE);
        self.pieces.push(piece);
        match outcome {
            Ok(bytes) if bytes.is_empty() => Ok(Received::End),
            Ok(bytes) => {
                self.on.read_ahead().extend_from_slice(&bytes);
                Ok(Received::Bytes)
            }
            Err(error) if is_over(&error, self.until.is_some()) => Ok(Received::TimedOut),
            Err(error) => Err(error),
        }
    }
}

fn cut_off(had: usize) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the stream ended after {had} bytes of a head"))
}

/// Returns true if the time for a head is over: the socket's timeout expired, or, where it has none, the call
/// was interrupted.
fn is_over(error: &io::Error, limited: bool) -> bool {
    if limited { is_timeout(error) } else { error.kind() == io::ErrorKind::Interrupted }
}

/// Returns true if a timeout of the socket ended a call: EAGAIN on Unix, ETIMEDOUT on Windows.
pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn note_all(host: Host, findings: &[RuleCheck], pieces: &mut Vec<CallPart>) {
    pieces.extend(findings.iter().map(|finding| CallPart::Note(What::Upgrade(finding.to_event(host)))));
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

//! The opening handshake on a socket: three steps, each made of the same `send` and `recv` as everything else.

use std::io;

use super::{
    Finding, Sessions, accept_key,
    answer::{Decision, Judgement, Policy, judge_request, judge_too_large, judge_too_slow},
    request::ClientRequest,
    verify::{Answer, Failure, judge_response},
};
use crate::{
    call::{Done, Held, Piece, send_all},
    ran,
    trace::{Host, Value, What, Working},
    wire::http::{HeadReader, Progress},
};

/// Room offered to each recv, in bytes.
const ROOM: usize = 4096;

/// The client asks: RFC 6455 §4.1.
pub fn request(sessions: &Sessions, on: &Held, path: &str) -> Done {
    let mut pieces = Vec::new();
    let ran = ran!(send_request(sessions, on, path, &mut pieces));
    Done { pieces, ..Done::of(ran, Value::Count) }
}

fn send_request(sessions: &Sessions, on: &Held, path: &str, pieces: &mut Vec<Piece>) -> io::Result<usize> {
    let authority = on.ends().1.map_or_else(|| "server".to_owned(), |peer| peer.to_string());
    let request = ClientRequest::new(&authority, path).map_err(io::Error::other)?;
    let bytes = request.bytes();
    pieces.push(Piece::Note(What::Working(Working {
        host: Host::Client,
        socket: None,
        title: "the key".to_owned(),
        bytes: Vec::new(),
        rows: request.key_working(),
    })));
    pieces.push(Piece::Note(What::Working(Working {
        host: Host::Client,
        socket: None,
        title: "the opening request".to_owned(),
        bytes: bytes.clone(),
        rows: request.working(),
    })));
    send_all(on, &bytes, pieces)?;
    sessions.asked(&on.name, request);
    Ok(bytes.len())
}

/// The server reads, judges and answers: RFC 6455 §4.2. Gives the HTTP status that it sent.
///
/// Bounded in bytes by the reader, and in time by the lesson's deadline: a client that says nothing, or dribbles, gets 408.
pub fn answer(on: &Held) -> Done {
    let mut pieces = Vec::new();
    let ran = ran!(judge_and_answer(on, &mut pieces));
    Done { pieces, ..Done::of(ran, Value::Number) }
}

fn judge_and_answer(on: &Held, pieces: &mut Vec<Piece>) -> io::Result<i64> {
    let judgement = match read_head(on, pieces)? {
        Head::Whole(head) => judge_request(&head, &Policy::default()),
        Head::TooLarge(limit) => judge_too_large(limit),
        Head::TooSlow(had) => judge_too_slow(had),
    };
    note_all(Host::Server, &judgement.requirements, pieces);
    let Judgement { decision, .. } = judgement;
    match decision {
        Decision::Accept(acceptance) => {
            pieces.push(Piece::Note(What::Working(Working {
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

/// The client reads the answer and judges it: RFC 6455 §4.1. Gives the HTTP status that came.
///
/// Errors: `InvalidData` if it is a 101 that does not keep the rules; the connection must then be failed.
pub fn verify(sessions: &Sessions, on: &Held) -> Done {
    let mut pieces = Vec::new();
    let ran = ran!(judge_the_answer(sessions, on, &mut pieces));
    Done { pieces, ..Done::of(ran, Value::Number) }
}

fn judge_the_answer(sessions: &Sessions, on: &Held, pieces: &mut Vec<Piece>) -> io::Result<i64> {
    let request =
        sessions.request(&on.name).ok_or_else(|| invalid(format!("nothing was asked for on {}", on.name)))?;
    loop {
        let head = match read_head(on, pieces)? {
            Head::Whole(head) => head,
            Head::TooLarge(limit) => {
                return Err(invalid(format!("the head of the answer is too large: {limit:?}")));
            }
            Head::TooSlow(_) => return Err(io::ErrorKind::Interrupted.into()),
        };
        match judge_response(&head, &request) {
            // 1xx before the 101: to be read over, RFC 9110 §15.2.
            Answer::Interim { .. } => {}
            Answer::Final(verdict) => {
                note_all(Host::Client, &verdict.requirements, pieces);
                return match verdict.outcome {
                    Ok(_) => Ok(101),
                    // Another status is HTTP's answer, and no broken rule.
                    Err(Failure::Status { status }) => Ok(i64::from(status)),
                    Err(failure) => Err(invalid(failure.to_string())),
                };
            }
        }
    }
}

/// How the reading of a head ended.
enum Head {
    Whole(Vec<u8>),
    TooLarge(crate::wire::http::TooLarge),
    /// The deadline came after so many bytes.
    TooSlow(usize),
}

/// Receives until the blank line. What was read past it is kept on the socket: it belongs to the next protocol.
fn read_head(on: &Held, pieces: &mut Vec<Piece>) -> io::Result<Head> {
    let mut reader = HeadReader::new();
    let mut bytes = std::mem::take(&mut *on.leftover());
    loop {
        match reader.push(&bytes) {
            Progress::Complete { .. } => {
                let (head, tail) = reader.into_parts();
                *on.leftover() = tail;
                return Ok(Head::Whole(head));
            }
            Progress::TooLarge(limit) => return Ok(Head::TooLarge(limit)),
            Progress::Incomplete => {}
        }
        let (piece, outcome) = Piece::recv(on, ROOM);
        pieces.push(piece);
        bytes = match outcome {
            Ok(bytes) if bytes.is_empty() => {
                let had = reader.bytes().len();
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    format!("the stream ended after {had} bytes of a head"),
                ));
            }
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                return Ok(Head::TooSlow(reader.bytes().len()));
            }
            Err(error) => return Err(error),
        };
    }
}

fn note_all(host: Host, findings: &[Finding], pieces: &mut Vec<Piece>) {
    pieces.extend(findings.iter().map(|finding| Piece::Note(What::Upgrade(finding.told_by(host)))));
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

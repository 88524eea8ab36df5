//! Heads as they are told, and how long the bodies behind them are (RFC 9112 §6).

use super::Event;
use crate::wire::{
    http::{HeadError, Headers},
    text,
};

/// The head of a request or a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// A request; else a response.
    pub request: bool,
    /// The first line.
    pub line: Vec<u8>,
    /// Names and values of its fields, in order.
    pub fields: Vec<(String, Vec<u8>)>,
    /// Bytes of it all, with the empty line.
    pub length: usize,
}

impl Head {
    pub(super) fn new(request: bool, line: Vec<u8>, headers: &Headers, length: usize) -> Head {
        let fields = headers.0.iter().map(|line| (line.name.clone(), line.value.clone())).collect();
        Head { request, line, fields, length }
    }
}

/// What is wrong with a head.
pub(super) fn words(error: &HeadError) -> String {
    format!("{}: needed {}, had {}", error.field, error.needed, error.had)
}

/// A 101 whose Sec-WebSocket-Accept is not the one of the key.
pub(super) fn accept_broken(headers: &Headers, wanted: &str) -> Option<Event> {
    let found = headers.all("sec-websocket-accept").next();
    if found.is_some_and(|line| line.value == wanted.as_bytes()) {
        return None;
    }
    let had = found.map_or_else(|| "none".to_owned(), |line| text::shown(&line.value, 60));
    let words = format!("Sec-WebSocket-Accept follows from the key: needed {wanted}, had {had}");
    Some(Event::Broken { words, section: "RFC 6455 §4.2.2" })
}

/// How much of a body is still to come.
pub(super) enum Body {
    /// So many bytes.
    Left(u64),
    /// In chunks (RFC 9112 §7.1).
    Chunks(Chunks),
    /// A chunk that is none.
    Wrong,
}

pub(super) enum Chunks {
    /// The line with the size of the next.
    Size(Vec<u8>),
    /// Bytes of one that are still to come, with the line end behind it.
    Data(u64),
    /// The lines behind the last: the length of the one under way.
    Trailer(usize),
    /// All is there.
    Over,
}

/// A line with the size of a chunk is no longer than this.
const LONGEST_SIZE: usize = 256;

/// The body behind a head; none if it goes on to the end of the stream, or nobody can say.
pub(super) fn body(headers: &Headers, response: bool) -> Option<Body> {
    if headers.all("transfer-encoding").next().is_some() {
        let chunked = headers.has_token("transfer-encoding", "chunked");
        return chunked.then(|| Body::Chunks(Chunks::Size(Vec::new())));
    }
    match headers.all("content-length").next() {
        Some(line) => std::str::from_utf8(&line.value).ok()?.parse().ok().map(Body::Left),
        None if response => None,
        None => Some(Body::Left(0)),
    }
}

impl Body {
    pub fn is_over(&self) -> bool {
        matches!(self, Body::Left(0) | Body::Chunks(Chunks::Over))
    }

    pub fn is_wrong(&self) -> bool {
        matches!(self, Body::Wrong)
    }

    /// Takes what belongs to it; gives how many bytes that was.
    pub fn take(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() && !self.is_over() && !self.is_wrong() {
            taken += self.piece(&bytes[taken..]);
        }
        taken
    }

    /// Leaves so many bytes out; false if they are not all within what need not be read.
    pub fn skip(&mut self, count: u64) -> bool {
        match self {
            Body::Left(left) | Body::Chunks(Chunks::Data(left)) if *left > count => {
                *left -= count;
                true
            }
            _ => false,
        }
    }

    fn piece(&mut self, bytes: &[u8]) -> usize {
        let all = bytes.len() as u64;
        match self {
            Body::Left(left) => {
                let taken = all.min(*left);
                *left -= taken;
                usize::try_from(taken).unwrap_or(bytes.len())
            }
            Body::Chunks(Chunks::Data(left)) => {
                let taken = all.min(*left);
                *left -= taken;
                if *left == 0 {
                    *self = Body::Chunks(Chunks::Size(Vec::new()));
                }
                usize::try_from(taken).unwrap_or(bytes.len())
            }
            Body::Chunks(Chunks::Size(line)) => {
                line.push(bytes[0]);
                if bytes[0] == b'\n' {
                    *self = size(line).map_or(Body::Wrong, |size| match size {
                        0 => Body::Chunks(Chunks::Trailer(0)),
                        // CR and LF behind it.
                        size => Body::Chunks(Chunks::Data(size.saturating_add(2))),
                    });
                } else if line.len() > LONGEST_SIZE {
                    *self = Body::Wrong;
                }
                1
            }
            Body::Chunks(Chunks::Trailer(line)) => {
                match (bytes[0], *line) {
                    (b'\n', 0) => *self = Body::Chunks(Chunks::Over),
                    (b'\n', _) => *line = 0,
                    (b'\r', _) => {}
                    _ => *line += 1,
                }
                1
            }
            Body::Chunks(Chunks::Over) | Body::Wrong => 1,
        }
    }
}

/// `1a;name=value`, in hex.
fn size(line: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(line).ok()?;
    let digits = line.split(';').next()?.trim();
    u64::from_str_radix(digits, 16).ok()
}

//! What the bytes of a connection mean: HTTP heads and their bodies, and after an upgrade the frames of a WebSocket.
//!
//! [`Story::push`] takes what a read gave, in whatever pieces, and says what that completes. Bytes that nobody kept are skipped:
//! within a body or a payload that does no harm; elsewhere nothing more can be said of that direction, and that is said. It never
//! keeps more than a head and the beginning of a payload.

mod frames;
mod http;

use std::collections::VecDeque;

pub use frames::Frame;
pub use http::Head;

use self::{frames::Frames, http::Body};
use super::End;
use crate::{
    upgrade::accept_key::accept_key,
    wire::http::{HeadReader, Progress, parse_request, parse_response},
};

/// Something that the bytes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The head of a request or a response is whole.
    Head(Head),
    /// The other protocol begins: what follows are frames.
    Upgraded {
        /// permessage-deflate was agreed on (RFC 7692).
        compressed: bool,
    },
    /// A frame is whole.
    Frame(Frame),
    /// A message of several frames is whole.
    Message {
        /// `text`, `binary`.
        kind: &'static str,
        /// Bytes of all payloads.
        length: u64,
        /// How many frames it had.
        frames: u64,
    },
    /// A rule was broken.
    Broken {
        /// The rule in a few words.
        words: String,
        /// Where it stands.
        section: &'static str,
    },
    /// The bytes are of no protocol that is known here.
    Unknown,
    /// What follows can't be told: bytes are missing where they would have had to be read.
    Lost,
}

/// The story of both directions.
pub struct Story {
    streams: [Stream; 2],
    /// What the requests were that still wait for their response.
    asked: VecDeque<Asked>,
}

/// What of a request decides how its response is read.
struct Asked {
    /// HEAD: the response has no body, whatever it says.
    head: bool,
    /// CONNECT: behind the response comes another protocol.
    connect: bool,
    /// The key, if it asks for a WebSocket.
    key: Option<String>,
}

/// Requests that may wait for a response; a client that sends more without waiting is followed no further.
const MOST_ASKED: usize = 1024;

/// Bytes that are kept while it is open which protocol they belong to.
const MOST_EARLY: usize = 64 << 10;

/// How one direction is being read.
enum Stream {
    Head(HeadReader),
    Body(Body),
    /// An upgrade was asked for: what the client sends now is read when it is known whether it was granted.
    Asking(Vec<u8>),
    Frames(Box<Frames>),
    /// Nothing more is said of it.
    Opaque,
}

impl Default for Story {
    fn default() -> Story {
        Story {
            streams: [Stream::Head(HeadReader::new()), Stream::Head(HeadReader::new())],
            asked: VecDeque::new(),
        }
    }
}

impl Story {
    /// Takes the next bytes that an end sent.
    pub fn push(&mut self, from: End, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        self.take(from, bytes, &mut events);
        events
    }

    /// So many bytes that an end sent are not here.
    pub fn skip(&mut self, from: End, count: u64) -> Vec<Event> {
        let stream = &mut self.streams[from.index()];
        let skipped = match stream {
            _ if count == 0 => true,
            Stream::Opaque => true,
            Stream::Body(body) => body.skip(count),
            Stream::Frames(frames) => frames.skip(count),
            Stream::Head(_) | Stream::Asking(_) => false,
        };
        if skipped {
            return Vec::new();
        }
        *stream = Stream::Opaque;
        vec![Event::Lost]
    }

    /// Nothing more is taken apart of what this end sends: the beginning of each read is enough.
    pub fn is_opaque(&self, from: End) -> bool {
        matches!(self.streams[from.index()], Stream::Opaque)
    }

    fn take(&mut self, from: End, bytes: &[u8], events: &mut Vec<Event>) {
        // What most bytes are: they need not be copied.
        match &mut self.streams[from.index()] {
            Stream::Opaque => return,
            Stream::Frames(frames) => return frames.take(bytes, events),
            _ => {}
        }
        let mut rest = bytes.to_vec();
        while !rest.is_empty() {
            match &mut self.streams[from.index()] {
                Stream::Opaque => return,
                Stream::Asking(early) => {
                    early.append(&mut rest);
                    if early.len() > MOST_EARLY {
                        self.streams[from.index()] = Stream::Opaque;
                        events.push(Event::Unknown);
                    }
                    return;
                }
                Stream::Frames(frames) => return frames.take(&rest, events),
                Stream::Body(body) => {
                    let taken = body.take(&rest);
                    rest.drain(..taken);
                    if body.is_over() {
                        self.streams[from.index()] = Stream::Head(HeadReader::new());
                    } else if body.is_wrong() {
                        self.streams[from.index()] = Stream::Opaque;
                        events.push(Event::Broken {
                            words: "a chunk begins with its size in hex".to_owned(),
                            section: "RFC 9112 §7.1",
                        });
                    }
                }
                Stream::Head(reader) => match reader.push(&rest) {
                    Progress::Incomplete => return,
                    Progress::Complete { .. } => {
                        let (head, tail) = std::mem::take(reader).into_parts();
                        rest = tail;
                        self.head(from, &head, events);
                    }
                    Progress::TooLarge(_) | Progress::NotHttp { .. } => {
                        self.streams[from.index()] = Stream::Opaque;
                        events.push(Event::Unknown);
                    }
                },
            }
        }
    }

    fn head(&mut self, from: End, bytes: &[u8], events: &mut Vec<Event>) {
        let next = match from {
            End::Client => self.request(bytes, events),
            End::Server => self.response(bytes, events),
        };
        // A response that grants the upgrade has set both.
        if let Some(next) = next {
            self.streams[from.index()] = next;
        }
    }

    fn request(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Option<Stream> {
        let request = match parse_request(bytes) {
            Ok(request) => request,
            Err(error) => {
                events.push(Event::Broken { words: http::words(&error), section: error.section });
                return Some(Stream::Opaque);
            }
        };
        let version = request.version;
        let line = format!("{} {} HTTP/{}.{}", request.method, request.target, version.major, version.minor);
        events.push(Event::Head(Head::new(true, line.into_bytes(), &request.headers, bytes.len())));
        let upgrade = request.headers.has_token("upgrade", "websocket");
        let key = request.headers.all("sec-websocket-key").next();
        let key = key.filter(|_| upgrade).map(|line| String::from_utf8_lossy(&line.value).into_owned());
        let asked = Asked { head: request.method == "HEAD", connect: request.method == "CONNECT", key };
        let (connect, asks) = (asked.connect, asked.key.is_some());
        if self.asked.len() >= MOST_ASKED {
            events.push(Event::Unknown);
            return Some(Stream::Opaque);
        }
        self.asked.push_back(asked);
        if connect || asks {
            return Some(Stream::Asking(Vec::new()));
        }
        Some(http::body(&request.headers, false).map_or(Stream::Opaque, Stream::Body))
    }

    fn response(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Option<Stream> {
        let response = match parse_response(bytes) {
            Ok(response) => response,
            Err(error) => {
                events.push(Event::Broken { words: http::words(&error), section: error.section });
                return Some(Stream::Opaque);
            }
        };
        let start =
            format!("HTTP/{}.{} {} ", response.version.major, response.version.minor, response.status);
        let line = [start.as_bytes(), &response.reason].concat();
        events.push(Event::Head(Head::new(false, line, &response.headers, bytes.len())));
        // 100, 103: the response proper follows.
        if (100..200).contains(&response.status) && response.status != 101 {
            return Some(Stream::Head(HeadReader::new()));
        }
        let asked = self.asked.pop_front();
        let key = asked.as_ref().and_then(|asked| asked.key.as_deref());
        if let (101, Some(key)) = (response.status, key) {
            if let Some(broken) = http::accept_broken(&response.headers, &accept_key(key)) {
                events.push(broken);
            }
            let compressed = response
                .headers
                .list("sec-websocket-extensions")
                .any(|(item, _)| item.starts_with(b"permessage-deflate"));
            events.push(Event::Upgraded { compressed });
            self.streams[End::Server.index()] =
                Stream::Frames(Box::new(Frames::new(End::Server, compressed)));
            self.granted(Stream::Frames(Box::new(Frames::new(End::Client, compressed))), events);
            return None;
        }
        let connected = asked.as_ref().is_some_and(|asked| asked.connect) && response.status < 300;
        if response.status == 101 || connected {
            self.streams[End::Client.index()] = Stream::Opaque;
            events.push(Event::Unknown);
            return Some(Stream::Opaque);
        }
        // It was asked for another protocol, and refused: what the client has sent since is HTTP.
        if asked.as_ref().is_some_and(|asked| asked.connect || asked.key.is_some()) {
            self.granted(Stream::Head(HeadReader::new()), events);
        }
        let bare = asked.is_some_and(|asked| asked.head) || matches!(response.status, 204 | 304);
        if bare {
            return Some(Stream::Head(HeadReader::new()));
        }
        Some(http::body(&response.headers, true).map_or(Stream::Opaque, Stream::Body))
    }

    /// It is known now how the client's bytes are to be read, also those that came too early.
    fn granted(&mut self, next: Stream, events: &mut Vec<Event>) {
        let client = &mut self.streams[End::Client.index()];
        if let Stream::Asking(early) = client {
            let early = std::mem::take(early);
            *client = next;
            self.take(End::Client, &early, events);
        }
    }
}

#[cfg(test)]
mod tests;

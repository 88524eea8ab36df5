//! HTTP/1.1 on a connection: heads, where their contents end, and whether the protocol changes (RFC 9112 §6,
//! RFC 9110 §7.8).

mod content;
mod start;

use std::collections::VecDeque;

use super::{
    Shared,
    budget::{Budget, Held},
    event::Teller,
    layers::{
        Layers, Out, StreamState,
        detector::{Promise, ProtocolHint},
    },
};
pub(super) use start::{Start, start_of};

use crate::event::{
    Host, StreamWhat,
    stream::{Body, Head, HeadLine, Unfinished, Unit, Violation},
};
use crate::websocket::accept_key::accept_key;
use crate::wire::{
    http::{HeadReader, Headers, Progress, parse_request, parse_response},
    text,
    websocket::{deflate::Agreed, rules::Level},
};
use content::{Content, Kind, length};

/// Bytes that are looked at together for the end of a head.
const AT_A_TIME: usize = 512;
/// How much of a wrong value is quoted, in characters.
const QUOTED: usize = 60;
/// Requests that wait for their answers.
const ASKED: usize = 256;

/// How it goes on.
#[derive(Debug)]
pub(super) enum Step {
    /// As before.
    On,
    /// WebSocket follows; with what has come of it: side, offset and bytes.
    WebSocket {
        /// permessage-deflate, if the answer has it.
        agreed: Option<Agreed>,
        /// What its messages are expected to carry.
        hint: ProtocolHint,
        /// What has come of it.
        rests: Vec<Rest>,
    },
    /// Something else follows.
    Other(Vec<Rest>),
}

type Rest = (usize, u64, Vec<u8>);

/// Both sides.
#[derive(Debug, Default)]
pub(super) struct Http {
    sides: [Phase; 2],
    asked: VecDeque<Asked>,
    /// What Sec-WebSocket-Accept has to be, if a WebSocket was asked for.
    accept: Option<String>,
    /// What the contents carry.
    layers: Layers,
}

/// What a request was, as far as its answer depends on it.
#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    head: bool,
    connect: bool,
    upgrade: bool,
    /// What it promises of what comes above HTTP.
    promise: Promise,
}

/// Whose head, and where it begins.
#[derive(Debug, Clone, Copy)]
struct Known {
    side: usize,
    client: usize,
    at: u64,
}

impl Known {
    fn from(&self) -> Host {
        if self.side == self.client { Host::Client } else { Host::Server }
    }
}

#[derive(Debug)]
enum Phase {
    /// A head, and where it begins.
    Head { reader: HeadReader, at: u64, held: usize },
    /// A content.
    Body(Content),
    /// After a request to change the protocol nothing can be said until the answer has come.
    Waiting { at: u64, held: Held },
    /// Nothing is known until a head begins.
    Lost,
}

impl Default for Phase {
    fn default() -> Self {
        Phase::Head { reader: HeadReader::new(), at: 0, held: 0 }
    }
}

impl Http {
    /// From the middle on: of the side `lost` nothing is known yet.
    pub(super) fn from_middle(lost: usize) -> Self {
        let mut http = Http::default();
        http.sides[lost] = Phase::Lost;
        http
    }

    /// The next bytes of a side.
    pub(super) fn take(
        &mut self,
        side: usize,
        client: usize,
        mut offset: u64,
        bytes: &[u8],
        shared: &mut Shared,
        teller: &mut Teller,
    ) -> Step {
        let from = if side == client { Host::Client } else { Host::Server };
        let mut rest = bytes;
        while !rest.is_empty() {
            let before = rest.len();
            match &mut self.sides[side] {
                Phase::Lost if start_of(rest) == Start::Http => self.sides[side] = Phase::default(),
                Phase::Lost => return Step::On,
                Phase::Waiting { held, .. } => {
                    if held.add(rest, &mut shared.budget) {
                        return Step::On;
                    }
                    return Step::Other(vec![(side, offset, rest.to_vec())]);
                }
                Phase::Body(content) => {
                    let (layers, limit) = (&mut self.layers, shared.options.limits.message);
                    let over = content.take(&mut rest, &mut shared.budget, &mut |at, bytes, budget| {
                        layers.bytes(from, offset + at as u64, bytes, &mut Out { budget, limit, teller });
                    });
                    match over {
                        Some(true) => self.body_ends(side, from, shared, teller),
                        Some(false) => {}
                        None => return Step::Other(vec![(side, offset, rest.to_vec())]),
                    }
                }
                Phase::Head { reader, at, held } => {
                    if reader.bytes().is_empty() {
                        *at = offset;
                    }
                    let at = *at;
                    // A little at a time: the reader keeps what it is given.
                    let part = &rest[..rest.len().min(AT_A_TIME)];
                    let progress = reader.push(part);
                    let all = reader.bytes().len();
                    match progress {
                        Progress::Incomplete if shared.budget.reserve(held, all) => {
                            rest = &rest[part.len()..]
                        }
                        Progress::Complete { head } => {
                            rest = &rest[part.len() - (all - head)..];
                            shared.budget.reserve(held, 0);
                            let bytes = std::mem::take(reader).into_parts().0;
                            let known = Known { side, client, at };
                            if let Some(step) = self.head(&known, &bytes, rest, shared, teller) {
                                return step;
                            }
                        }
                        _ => {
                            shared.budget.reserve(held, 0);
                            let mut bytes = std::mem::take(reader).into_parts().0;
                            bytes.extend_from_slice(&rest[part.len()..]);
                            return Step::Other(vec![(side, at, bytes)]);
                        }
                    }
                }
            }
            offset += (before - rest.len()) as u64;
        }
        Step::On
    }

    /// Bytes that never come. True if the rest can be understood all the same.
    pub(super) fn missing(&mut self, side: usize, from: Host, length: u64, budget: &mut Budget) -> bool {
        match &mut self.sides[side] {
            Phase::Body(content) => match &mut content.kind {
                Kind::Sized(left) | Kind::Chunk(left) if length < *left => {
                    *left -= length;
                    content.length += length;
                    self.layers.gap(from, budget);
                    true
                }
                Kind::ToTheEnd => {
                    self.layers.gap(from, budget);
                    true
                }
                _ => false,
            },
            Phase::Lost => true,
            _ => false,
        }
    }

    /// True while it is not known where the next head begins.
    pub(super) fn is_lost(&self, side: usize) -> bool {
        matches!(self.sides[side], Phase::Lost)
    }

    /// The connection ends: so does a content that has no other end.
    pub(super) fn end(&mut self, client: usize, shared: &mut Shared, teller: &mut Teller) {
        for side in 0..2 {
            let from = if side == client { Host::Client } else { Host::Server };
            match &self.sides[side] {
                Phase::Body(content) => {
                    let (offset, length, needed) = (content.at, content.length, content.needed());
                    let whole = content.may_end_here();
                    self.body_ends(side, from, shared, teller);
                    if !whole {
                        let unit = Unit::Body;
                        teller.tell(StreamWhat::Unfinished(Unfinished {
                            from,
                            offset,
                            unit,
                            length,
                            needed,
                        }));
                    }
                }
                Phase::Head { at, held, .. } if *held > 0 => {
                    let (offset, length, unit, needed) = (*at, *held as u64, Unit::Head, None);
                    teller.tell(StreamWhat::Unfinished(Unfinished { from, offset, unit, length, needed }));
                }
                _ => {}
            }
        }
        self.clear(&mut shared.budget);
    }

    /// Gives all memory back.
    pub(super) fn clear(&mut self, budget: &mut Budget) {
        self.layers.clear(budget);
        for phase in &mut self.sides {
            match phase {
                Phase::Head { held, .. } => {
                    budget.reserve(held, 0);
                }
                Phase::Body(content) => content.shown.clear(budget),
                Phase::Waiting { held, .. } => held.clear(budget),
                Phase::Lost => {}
            }
            *phase = Phase::Lost;
        }
    }

    /// A head is whole; `rest` follows it. Something is given where HTTP ends with it.
    fn head(
        &mut self,
        known: &Known,
        bytes: &[u8],
        rest: &[u8],
        shared: &mut Shared,
        teller: &mut Teller,
    ) -> Option<Step> {
        self.sides[known.side] = Phase::default();
        if bytes.starts_with(b"HTTP/") {
            self.response(known, bytes, rest, shared, teller)
        } else {
            self.request(known, bytes, rest, shared, teller)
        }
    }

    fn response(
        &mut self,
        known: &Known,
        bytes: &[u8],
        rest: &[u8],
        shared: &mut Shared,
        teller: &mut Teller,
    ) -> Option<Step> {
        let Known { side, client, at } = *known;
        let (from, after) = (known.from(), at + bytes.len() as u64);
        let head = match parse_response(bytes) {
            Ok(head) => head,
            Err(error) => {
                let error = error.to_string().into();
                teller.tell(head_of(from, at, bytes, HeadLine::Broken { error }));
                return Some(Step::Other(vec![(side, after, rest.to_vec())]));
            }
        };
        teller.tell(head_of(from, at, bytes, HeadLine::Response { status: head.status }));
        let asked = match head.status {
            100 | 102..=199 => self.asked.front().copied().unwrap_or_default(),
            _ => self.asked.pop_front().unwrap_or_default(),
        };
        if head.status == 101 {
            self.judge_accept(known, &head.headers, teller);
            let hint = asked.promise.hint(&head.headers);
            return Some(self.switch(side, after, rest.to_vec(), &head.headers, hint, &mut shared.budget));
        }
        if asked.connect && (200..300).contains(&head.status) {
            return Some(Step::Other(self.rests(side, after, rest.to_vec(), &mut shared.budget)));
        }
        let none = asked.head || head.status < 200 || matches!(head.status, 204 | 304);
        let kind = if none { None } else { length(&head.headers).or(Some(Kind::ToTheEnd)) };
        let state = match packed(&head.headers) {
            true => StreamState::Unknown,
            false => asked.promise.response(&head, shared.options.limits.message),
        };
        self.content(known, after, kind, state, shared, teller);
        // What the client said next has waited for this.
        if head.status >= 200
            && let Phase::Waiting { at, held } = &mut self.sides[1 - side]
        {
            let (at, bytes) = (*at, held.take(&mut shared.budget));
            self.sides[1 - side] = Phase::default();
            if let Step::Other(mut rests) = self.take(1 - side, client, at, &bytes, shared, teller) {
                rests.push((side, after, rest.to_vec()));
                return Some(Step::Other(rests));
            }
        }
        None
    }

    fn request(
        &mut self,
        known: &Known,
        bytes: &[u8],
        rest: &[u8],
        shared: &mut Shared,
        teller: &mut Teller,
    ) -> Option<Step> {
        let Known { side, at, .. } = *known;
        let (from, after) = (known.from(), at + bytes.len() as u64);
        let head = match parse_request(bytes) {
            Ok(head) => head,
            Err(error) => {
                let error = error.to_string().into();
                teller.tell(head_of(from, at, bytes, HeadLine::Broken { error }));
                return Some(Step::Other(vec![(side, after, rest.to_vec())]));
            }
        };
        let line = HeadLine::Request { method: (&head.method).into(), target: (&head.target).into() };
        teller.tell(head_of(from, at, bytes, line));
        let asked = Asked {
            head: head.method == "HEAD",
            promise: Promise::of(&head.method, &head.target, shared.options.above),
            connect: head.method == "CONNECT",
            upgrade: head.headers.has_token("Connection", "upgrade")
                && head.headers.all("Upgrade").next().is_some(),
        };
        if self.asked.len() < ASKED {
            self.asked.push_back(asked);
        }
        if asked.upgrade || asked.connect {
            let key = head.headers.all("Sec-WebSocket-Key").next();
            self.accept = key.map(|line| accept_key(&String::from_utf8_lossy(&line.value)));
            self.sides[side] = Phase::Waiting { at: after, held: Held::default() };
        } else {
            let state = match packed(&head.headers) {
                true => StreamState::Unknown,
                false => asked.promise.request(shared.options.limits.message),
            };
            self.content(known, after, length(&head.headers), state, shared, teller);
        }
        None
    }

    /// An answer that does not follow from the key is no answer to this request.
    fn judge_accept(&mut self, known: &Known, headers: &Headers, teller: &mut Teller) {
        let Some(needed) = self.accept.take() else { return };
        let found = headers.all("Sec-WebSocket-Accept").next();
        if found.is_some_and(|line| line.value == needed.as_bytes()) {
            return;
        }
        let had = found.map_or_else(|| "none".to_owned(), |line| text::shown(&line.value, QUOTED));
        teller.tell(StreamWhat::Violation(Violation {
            from: known.from(),
            offset: known.at + found.map_or(0, |line| line.value_offset as u64),
            words: format!("Sec-WebSocket-Accept follows from the key: needed {needed}, had {had}").into(),
            section: "RFC 6455 §4.2.2 (5.4)".into(),
            level: Some(Level::Must),
            close_code: None,
        }));
    }

    /// What follows 101 is another protocol, on both sides.
    fn switch(
        &mut self,
        side: usize,
        after: u64,
        tail: Vec<u8>,
        headers: &Headers,
        hint: ProtocolHint,
        budget: &mut Budget,
    ) -> Step {
        let agreed = Agreed::from_answer(headers);
        let rests = self.rests(side, after, tail, budget);
        if headers.has_token("Upgrade", "websocket") {
            Step::WebSocket { agreed, hint, rests }
        } else {
            Step::Other(rests)
        }
    }

    /// What has come after the heads: the client's first, as it may have been waiting.
    fn rests(&mut self, side: usize, after: u64, tail: Vec<u8>, budget: &mut Budget) -> Vec<Rest> {
        let mut rests = vec![(side, after, tail)];
        if let Phase::Waiting { at, held } = &mut self.sides[1 - side] {
            rests.insert(0, (1 - side, *at, held.take(budget)));
        }
        rests
    }

    fn content(
        &mut self,
        known: &Known,
        at: u64,
        kind: Option<Kind>,
        state: StreamState,
        shared: &mut Shared,
        teller: &mut Teller,
    ) {
        let Some(kind) = kind else { return };
        let (side, from) = (known.side, known.from());
        self.layers.begin(from, state, &mut shared.budget);
        let above = self.layers.is_known(from);
        self.sides[side] = Phase::Body(Content { at, length: 0, shown: Held::default(), kind, above });
        if let Kind::Sized(0) = kind {
            self.body_ends(side, from, shared, teller);
        }
    }

    fn body_ends(&mut self, side: usize, from: Host, shared: &mut Shared, teller: &mut Teller) {
        if let Phase::Body(content) = &mut self.sides[side] {
            let (offset, length, above) = (content.at, content.length, content.above);
            if length > 0 {
                let shown = content.shown.as_slice();
                let (cut, shown) = (length > shown.len() as u64, shown.into());
                teller.tell(StreamWhat::Body(Body { from, offset, length, cut, above, shown }));
            }
            content.shown.clear(&mut shared.budget);
            let limit = shared.options.limits.message;
            self.layers.end(from, &mut Out { budget: &mut shared.budget, limit, teller });
        }
        self.sides[side] = Phase::default();
    }
}

/// A head, as it is told.
fn head_of<'a>(from: Host, offset: u64, bytes: &'a [u8], line: HeadLine<'a>) -> StreamWhat<'a> {
    StreamWhat::Head(Head { from, offset, length: bytes.len() as u64, line, bytes: bytes.into() })
}

/// True if the content is compressed: what it carries is not seen then.
fn packed(headers: &Headers) -> bool {
    headers.list("Content-Encoding").any(|(coding, _)| !coding.eq_ignore_ascii_case(b"identity"))
}

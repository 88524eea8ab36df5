//! What is spoken on a connection? HTTP, then maybe WebSocket; or something else; or it has to be guessed.
//!
//! A [`Conversation`] takes the bytes of both directions, in whatever pieces they come, and tells [`Event`]s
//! as soon as they are known. `decode` has the bytes out of packets, `tap` out of a `recv`; for both it is
//! the one reader of what they mean. It does no I/O and waits for nothing: bytes that will never come are
//! named by [`Conversation::missing`].

use std::net::SocketAddr;

pub(crate) mod budget;
mod event;
mod frames;
mod http;
pub(in crate::analysis) mod layers;

use budget::{Budget, Held};
pub(crate) use event::Teller;
use frames::{Compression, Frames};
use http::{Http, Start, Step, start_of};
use layers::{
    Layers, Out,
    detector::{Detector, ProtocolHint},
    detectors,
};

use crate::event::{
    Host, StreamWhat,
    stream::{Ended, Ending, Opened, Stretch, Upgraded},
};
use crate::wire::{
    Protocol,
    websocket::{
        deflate::{Agreed, Inflater},
        plausible,
    },
};

/// Whether the first bytes of a direction may begin a protocol that is recognised by its beginning.
pub(crate) fn begins_known(bytes: &[u8]) -> bool {
    !matches!(start_of(bytes), Start::No)
}

/// How much may be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; the oldest is let go for a new one.
    pub connections: usize,
    /// Bytes held for all connections together: pieces out of order, messages under way, heads, what later
    /// messages may refer to.
    pub held: usize,
    /// Bytes out of order that are held for one direction of a connection.
    pub out_of_order: usize,
    /// Bytes kept of one message; what is beyond is counted and checked, but not shown.
    pub message: usize,
}

impl Default for Limits {
    /// 100,000 connections, 64 MiB together, 1 MiB out of order, messages of 4 MiB.
    fn default() -> Self {
        Limits { connections: 100_000, held: 64 << 20, out_of_order: 1 << 20, message: 4 << 20 }
    }
}

/// How to decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// What may be held.
    pub limits: Limits,
    /// Take every connection that is not HTTP for WebSocket frames, whether they look like it or not.
    pub websocket: bool,
    /// Take for this protocol the messages of WebSockets (Engine.IO, SockJS, STOMP), contents of HTTP that
    /// are of no other (Engine.IO, event streams), and what is not HTTP (STOMP).
    pub above: Option<Protocol>,
}

/// True for protocols that a WebSocket's messages, or contents of HTTP, can be taken for.
pub fn may_be_above(protocol: Protocol) -> bool {
    detectors::of(protocol).is_some()
}

impl Options {
    /// What a TCP stream that is not HTTP is taken for.
    fn on_tcp(&self) -> Option<&'static Detector> {
        self.above.and_then(detectors::of).filter(|row| row.is_on_tcp())
    }

    /// What every WebSocket is taken to carry.
    fn hint(&self) -> Option<ProtocolHint> {
        self.above.and_then(ProtocolHint::of)
    }
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) budget: Budget,
    inflater: Inflater,
    /// Room for a payload while it is unmasked.
    scratch: Vec<u8>,
}

impl Shared {
    pub(crate) fn new(options: Options) -> Self {
        let budget = Budget::new(options.limits.held);
        Shared { options, budget, inflater: Inflater::new(), scratch: Vec::new() }
    }
}

/// Pieces that are held until it is clear what they are.
const PENDING: usize = 16;

/// A conversation. Its sides are numbered as the connection's ends are.
#[derive(Debug)]
pub(crate) struct Conversation {
    ends: [SocketAddr; 2],
    /// The number of the client's side.
    client: usize,
    from_start: bool,
    /// `Opened` has been told: which side is the client's doesn't change any more.
    told: bool,
    speech: Speech,
}

#[derive(Debug)]
enum Speech {
    /// Not clear yet.
    Undecided(Undecided),
    Http(Box<Http>),
    WebSocket(Box<WebSocket>),
    /// A protocol right on TCP.
    Layers(Box<Layers>),
    /// Something else, to its end.
    Other,
}

/// Frames of both sides, and what their messages carry.
#[derive(Debug)]
struct WebSocket {
    frames: [Frames; 2],
    layers: Layers,
}

/// What came so far, and what speaks for frames in it.
#[derive(Debug, Default)]
struct Undecided {
    /// The beginning is not there, so this may be the middle of anything.
    middle: bool,
    pending: Vec<(usize, u64, Held)>,
    points: u32,
    /// Whose frames are masked, as far as that was seen.
    masked: Option<usize>,
}

impl Conversation {
    pub(crate) fn new(ends: [SocketAddr; 2], client: usize, from_start: bool) -> Self {
        let undecided = Undecided { middle: !from_start, ..Undecided::default() };
        Conversation { ends, client, from_start, told: false, speech: Speech::Undecided(undecided) }
    }

    /// Which host a side is.
    pub(crate) fn host(&self, side: usize) -> Host {
        if side == self.client { Host::Client } else { Host::Server }
    }

    /// True once both directions are of no protocol that is known here, to their end.
    pub(crate) fn is_other(&self) -> bool {
        matches!(self.speech, Speech::Other)
    }

    /// True while it is not known where in what this side sends something begins: bytes are missing.
    pub(crate) fn is_lost(&self, side: usize) -> bool {
        match &self.speech {
            Speech::WebSocket(socket) => socket.frames[side].is_lost(),
            Speech::Http(http) => http.is_lost(side),
            Speech::Undecided(undecided) => undecided.middle,
            Speech::Layers(_) | Speech::Other => false,
        }
    }

    /// Tells the connection, if it has not been told.
    pub(crate) fn opened(&mut self, teller: &mut Teller) {
        if !std::mem::replace(&mut self.told, true) {
            let (client, server) = (self.ends[self.client], self.ends[1 - self.client]);
            teller.tell(StreamWhat::Opened(Opened { client, server, from_start: self.from_start }));
        }
    }

    /// The next bytes of a side.
    pub(crate) fn take(
        &mut self,
        side: usize,
        offset: u64,
        bytes: &[u8],
        shared: &mut Shared,
        teller: &mut Teller,
    ) {
        let host = self.host(side);
        match &mut self.speech {
            Speech::WebSocket(socket) => {
                let WebSocket { frames, layers } = &mut **socket;
                frames[side].take(host, offset, bytes, layers, shared, teller);
            }
            Speech::Http(http) => {
                let step = http.take(side, self.client, offset, bytes, shared, teller);
                self.after_http(step, shared, teller);
            }
            Speech::Layers(layers) => {
                let limit = shared.options.limits.message;
                let mut out = Out { budget: &mut shared.budget, limit, teller };
                layers.bytes(host, offset, bytes, &mut out);
            }
            Speech::Other => {
                self.opened(teller);
                teller.tell(StreamWhat::Data(Stretch::new(host, offset, bytes)));
            }
            Speech::Undecided(undecided) if undecided.middle => {
                self.guess(side, offset, bytes, shared, teller)
            }
            Speech::Undecided(_) => self.begin(side, offset, bytes, shared, teller),
        }
    }

    /// Bytes of a side that will never come.
    pub(crate) fn missing(&mut self, side: usize, length: u64, shared: &mut Shared, teller: &mut Teller) {
        let host = self.host(side);
        match &mut self.speech {
            Speech::WebSocket(socket) => {
                let WebSocket { frames, layers } = &mut **socket;
                frames[side].missing(host, length, layers, shared, teller);
            }
            Speech::Http(http) => {
                if !http.missing(side, host, length, &mut shared.budget) {
                    http.clear(&mut shared.budget);
                    self.speech = Speech::Undecided(Undecided { middle: true, ..Undecided::default() });
                }
            }
            Speech::Layers(layers) => layers.gap(host, &mut shared.budget),
            Speech::Other => {}
            Speech::Undecided(undecided) => {
                undecided.middle = true;
                self.give_way(shared, teller);
            }
        }
    }

    /// The connection is over.
    pub(crate) fn end(&mut self, how: Ending, sent: [u64; 2], shared: &mut Shared, teller: &mut Teller) {
        if let Speech::Undecided(undecided) = &self.speech {
            if undecided.points > 0 {
                self.recognised(shared, teller);
            } else {
                self.give_way(shared, teller);
            }
        }
        self.opened(teller);
        match &mut self.speech {
            Speech::WebSocket(socket) => {
                for (side, frames) in socket.frames.iter_mut().enumerate() {
                    let from = if side == self.client { Host::Client } else { Host::Server };
                    frames.unfinished(from, teller);
                    frames.clear(&mut shared.budget);
                }
                socket.layers.clear(&mut shared.budget);
            }
            Speech::Http(http) => http.end(self.client, shared, teller),
            Speech::Layers(layers) => layers.clear(&mut shared.budget),
            Speech::Other | Speech::Undecided(_) => {}
        }
        self.speech = Speech::Other;
        let (client_bytes, server_bytes) = (sent[self.client], sent[1 - self.client]);
        teller.tell(StreamWhat::Ended(Ended { how, client_bytes, server_bytes }));
    }

    /// From the first byte on: HTTP, or not.
    fn begin(&mut self, side: usize, offset: u64, bytes: &[u8], shared: &mut Shared, teller: &mut Teller) {
        let Speech::Undecided(undecided) = &mut self.speech else { return };
        let pending = undecided.pending.iter().filter(|(other, ..)| *other == side);
        let mut known: Vec<u8> = pending.flat_map(|(.., held)| held.as_slice()).copied().collect();
        known.extend_from_slice(&bytes[..bytes.len().min(64)]);
        match start_of(&known) {
            Start::Unclear if undecided.pending.len() < PENDING => {
                let mut held = Held::default();
                if held.add(bytes, &mut shared.budget) {
                    undecided.pending.push((side, offset, held));
                    return;
                }
                self.give_way(shared, teller);
                self.take(side, offset, bytes, shared, teller);
            }
            Start::Http => {
                self.speak(Speech::Http(Box::default()), shared, teller);
                self.take(side, offset, bytes, shared, teller);
            }
            Start::Session(row) => self.layered(row, side, offset, bytes, shared, teller),
            _ if shared.options.on_tcp().is_some() => {
                if let Some(row) = shared.options.on_tcp() {
                    self.layered(row, side, offset, bytes, shared, teller);
                }
            }
            _ if shared.options.websocket => {
                self.speak(
                    web_socket(None, Compression::Unknown, shared.options.hint().unwrap_or_default()),
                    shared,
                    teller,
                );
                teller.tell(StreamWhat::Upgraded(Upgraded { handshake: false, deflate: None }));
                self.take(side, offset, bytes, shared, teller);
            }
            _ => {
                self.speak(Speech::Other, shared, teller);
                self.take(side, offset, bytes, shared, teller);
            }
        }
    }

    /// A protocol right on TCP.
    fn layered(
        &mut self,
        row: &'static Detector,
        side: usize,
        offset: u64,
        bytes: &[u8],
        shared: &mut Shared,
        teller: &mut Teller,
    ) {
        self.speak(Speech::Layers(Box::new(Layers::on_tcp(ProtocolHint::Known(row)))), shared, teller);
        self.take(side, offset, bytes, shared, teller);
    }

    /// Somewhere in the middle: what is it?
    fn guess(&mut self, side: usize, offset: u64, bytes: &[u8], shared: &mut Shared, teller: &mut Teller) {
        if let Some(row) = detectors::recognised(bytes) {
            self.give_way(shared, teller);
            return self.layered(row, side, offset, bytes, shared, teller);
        }
        if matches!(start_of(bytes), Start::Http) {
            self.give_way(shared, teller);
            if !self.told {
                let asks = !bytes.starts_with(b"HTTP/");
                self.client = if asks { side } else { 1 - side };
            }
            self.speak(Speech::Http(Box::new(Http::from_middle(1 - side))), shared, teller);
            return self.take(side, offset, bytes, shared, teller);
        }
        let found = plausible(bytes);
        let Speech::Undecided(undecided) = &mut self.speech else { return };
        let points = match found {
            Some(found) if found.exact => 1 + u32::from(found.text),
            Some(found) if found.frames > 0 && found.text => 1,
            _ => 0,
        };
        if let Some(found) = found.filter(|_| points > 0 || shared.options.websocket) {
            let masked = if found.masked { side } else { 1 - side };
            if undecided.masked.is_none_or(|known| known == masked) {
                undecided.masked = Some(masked);
            } else {
                undecided.points = 0;
            }
        }
        if points == 0 && !shared.options.websocket {
            undecided.points = 0;
            undecided.masked = None;
            self.give_way(shared, teller);
            self.opened(teller);
            return teller.tell(StreamWhat::Data(Stretch::new(self.host(side), offset, bytes)));
        }
        undecided.points += points;
        let mut held = Held::default();
        let kept = held.add(bytes, &mut shared.budget);
        if kept {
            undecided.pending.push((side, offset, held));
        }
        if undecided.points >= 2 || shared.options.websocket || undecided.pending.len() > PENDING || !kept {
            self.recognised(shared, teller);
            if !kept {
                self.take(side, offset, bytes, shared, teller);
            }
        }
    }

    /// These are frames.
    fn recognised(&mut self, shared: &mut Shared, teller: &mut Teller) {
        let Speech::Undecided(undecided) = &self.speech else { return };
        if let Some(masked) = undecided.masked.filter(|_| !self.told) {
            self.client = masked;
        }
        self.opened(teller);
        teller.tell(StreamWhat::Upgraded(Upgraded { handshake: false, deflate: None }));
        self.speak(
            web_socket(None, Compression::Unknown, shared.options.hint().unwrap_or_default()),
            shared,
            teller,
        );
    }

    /// What was held is nothing that is known here.
    fn give_way(&mut self, shared: &mut Shared, teller: &mut Teller) {
        let Speech::Undecided(undecided) = &mut self.speech else { return };
        let pending = std::mem::take(&mut undecided.pending);
        undecided.points = 0;
        for (side, offset, mut held) in pending {
            self.opened(teller);
            teller.tell(StreamWhat::Data(Stretch::new(self.host(side), offset, held.as_slice())));
            held.clear(&mut shared.budget);
        }
    }

    /// It is clear now: what was held is taken that way.
    fn speak(&mut self, speech: Speech, shared: &mut Shared, teller: &mut Teller) {
        self.opened(teller);
        let before = std::mem::replace(&mut self.speech, speech);
        let Speech::Undecided(undecided) = before else { return };
        for (side, offset, mut held) in undecided.pending {
            let bytes = held.take(&mut shared.budget);
            self.take(side, offset, &bytes, shared, teller);
        }
    }

    fn after_http(&mut self, step: Step, shared: &mut Shared, teller: &mut Teller) {
        let (agreed, rests) = match step {
            Step::On => return,
            Step::Other(rests) => {
                self.release(shared);
                self.speech = Speech::Other;
                (None, rests)
            }
            Step::WebSocket { agreed, hint, rests } => {
                let hint = shared.options.hint().unwrap_or(hint);
                self.release(shared);
                let compression =
                    agreed.map_or(Compression::None, |_| Compression::Agreed(Default::default()));
                self.speech = web_socket(agreed.map(|agreed| (agreed, self.client)), compression, hint);
                (agreed, rests)
            }
        };
        if let Speech::WebSocket(_) = self.speech {
            teller.tell(StreamWhat::Upgraded(Upgraded { handshake: true, deflate: agreed }));
        }
        for (side, offset, bytes) in rests {
            if !bytes.is_empty() {
                self.take(side, offset, &bytes, shared, teller);
            }
        }
    }

    fn release(&mut self, shared: &mut Shared) {
        if let Speech::Http(http) = &mut self.speech {
            http.clear(&mut shared.budget);
        }
    }
}

/// Both directions. `agreed` comes with the number of the client's side.
fn web_socket(agreed: Option<(Agreed, usize)>, otherwise: Compression, hint: ProtocolHint) -> Speech {
    let of = |side: usize| match agreed {
        Some((agreed, client)) if side == client => Compression::Agreed(agreed.client),
        Some((agreed, _)) => Compression::Agreed(agreed.server),
        None => otherwise,
    };
    let frames = [Frames::new(of(0)), Frames::new(of(1))];
    Speech::WebSocket(Box::new(WebSocket { frames, layers: Layers::expecting(hint) }))
}

#[cfg(test)]
mod tests;

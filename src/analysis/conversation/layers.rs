//! What do the messages of a WebSocket, the contents of HTTP or the bytes of TCP carry in their turn? One layer in another.
//!
//! Each direction is [`Spoken`] by one of a few protocols. What a handshake or a request promises says which ([`road`]); where it
//! promises nothing, the first message may. What is broken is told, and what comes after it all the same, as far as it can be understood.

mod engine_io;
mod events;
pub(super) mod road;
mod sockjs;
mod stomp;

use super::budget::Budget;
use super::event::Teller;
use crate::event::{
    Host, StreamWhat,
    stream::{Layer, LayerFields, Violation},
};
use crate::wire::{Protocol, field::Field};

use engine_io::EngineIo;
use events::Events;
use road::Hint;
use sockjs::SockJs;
use stomp::Stomp;

/// How much of what a layer says is told, in characters.
const SHOWN: usize = 400;

/// Both directions of a connection.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// What the client sends, what the server sends.
    sides: [Spoken; 2],
    /// Nothing is beneath but TCP.
    bare: bool,
    hint: Hint,
}

/// One direction.
#[derive(Debug, Default)]
pub(super) enum Spoken {
    /// Nothing that is known here.
    #[default]
    Nothing,
    /// The next message will show it.
    Unclear,
    EngineIo(Box<EngineIo>),
    SockJs(Box<SockJs>),
    Stomp(Box<Stomp>),
    Events(Box<Events>),
}

/// What carries a layer: who sent it, where that begins in the stream, and how many layers are beneath.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    from: Host,
    offset: u64,
    depth: u8,
    /// Nothing is beneath but TCP.
    bare: bool,
}

/// To whom layers are told, and within which bounds they are read.
pub(super) struct Out<'a, 't> {
    pub(super) budget: &'a mut Budget,
    /// The most bytes of a message that are kept.
    pub(super) limit: usize,
    pub(super) teller: &'a mut Teller<'t>,
}

impl Layers {
    /// By what is expected of both.
    pub(super) fn expecting(hint: Hint) -> Self {
        let sides = [Host::Client, Host::Server].map(|from| hint.spoken(from));
        Layers { sides, bare: false, hint }
    }

    /// Right on TCP.
    pub(super) fn on_tcp(hint: Hint) -> Self {
        Layers { bare: true, ..Layers::expecting(hint) }
    }

    /// The next content of this side is of this protocol.
    pub(super) fn begin(&mut self, from: Host, spoken: Spoken, budget: &mut Budget) {
        let side = &mut self.sides[index(from)];
        side.lose(budget);
        *side = spoken;
    }

    /// True if a message, or the next bytes, will be told as layers. The first message may decide that.
    pub(super) fn understand(&mut self, from: Host, text: bool, payload: &[u8]) -> bool {
        if let Spoken::Unclear = self.sides[index(from)]
            && let Some(hint) = self.hint.after(from, text, payload)
        {
            self.hint = hint;
            self.sides = [Host::Client, Host::Server].map(|from| hint.spoken(from));
        }
        self.is_spoken(from)
    }

    /// True if what this side sends is told as layers.
    pub(super) fn is_spoken(&self, from: Host) -> bool {
        !matches!(self.sides[index(from)], Spoken::Nothing | Spoken::Unclear)
    }

    /// A whole message that begins at this byte of the stream, and was said to be understood.
    pub(super) fn message(&mut self, from: Host, offset: u64, text: bool, payload: &[u8], out: &mut Out) {
        let place = Place { from, offset, depth: 1, bare: false };
        self.sides[index(from)].message(place, text, payload, out);
    }

    /// The next bytes of a content, or of the stream.
    pub(super) fn bytes(&mut self, from: Host, offset: u64, bytes: &[u8], out: &mut Out) {
        let place = Place { from, offset, depth: 1, bare: self.bare };
        self.sides[index(from)].bytes(place, bytes, out);
    }

    /// The content of this side is over.
    pub(super) fn end(&mut self, from: Host, out: &mut Out) {
        let side = &mut self.sides[index(from)];
        side.end(from, out);
        side.lose(out.budget);
        *side = Spoken::Nothing;
    }

    /// Something of what this side sent is not there: what is under way is no use.
    pub(super) fn lose(&mut self, from: Host, budget: &mut Budget) {
        self.sides[index(from)].lose(budget);
    }

    /// Gives all memory back.
    pub(super) fn clear(&mut self, budget: &mut Budget) {
        self.sides.iter_mut().for_each(|side| side.lose(budget));
        self.sides = Default::default();
    }
}

fn index(host: Host) -> usize {
    match host {
        Host::Client => 0,
        Host::Server => 1,
    }
}

impl Spoken {
    fn message(&mut self, place: Place, text: bool, payload: &[u8], out: &mut Out) {
        match self {
            Spoken::Nothing | Spoken::Unclear | Spoken::Events(_) => {}
            Spoken::EngineIo(it) => it.message(place, text, payload, out),
            Spoken::SockJs(it) => it.message(place, payload, out),
            // Where a message ends says nothing.
            Spoken::Stomp(it) => it.bytes(place, payload, out),
        }
    }

    fn bytes(&mut self, place: Place, bytes: &[u8], out: &mut Out) {
        match self {
            Spoken::Nothing | Spoken::Unclear => {}
            Spoken::EngineIo(it) => it.bytes(place, bytes, out),
            Spoken::SockJs(it) => it.bytes(place, bytes, out),
            Spoken::Stomp(it) => it.bytes(place, bytes, out),
            Spoken::Events(it) => it.bytes(place, bytes, out),
        }
    }

    fn end(&mut self, from: Host, out: &mut Out) {
        match self {
            Spoken::Nothing | Spoken::Unclear | Spoken::Stomp(_) | Spoken::Events(_) => {}
            Spoken::EngineIo(it) => it.end(from, out),
            Spoken::SockJs(it) => it.end(from, out),
        }
    }

    fn lose(&mut self, budget: &mut Budget) {
        match self {
            Spoken::Nothing | Spoken::Unclear => {}
            Spoken::EngineIo(it) => it.lose(budget),
            Spoken::SockJs(it) => it.lose(budget),
            Spoken::Stomp(it) => it.lose(budget),
            Spoken::Events(it) => it.lose(budget),
        }
    }
}

/// The beginning of words that may be long.
fn short(mut words: String) -> String {
    if let Some((at, _)) = words.char_indices().nth(SHOWN) {
        words.truncate(at);
        words.push('…');
    }
    words
}

impl Place {
    /// The place of what this carries.
    fn above(self) -> Place {
        Place { depth: self.depth.saturating_add(1), ..self }
    }
}

/// What a layer is told with, besides its place.
struct Told<'a> {
    protocol: Protocol,
    kind: &'a str,
    words: &'a str,
    bytes: &'a [u8],
    beat: bool,
    carries: bool,
    fields: fn(&[u8]) -> Vec<Field>,
}

impl Out<'_, '_> {
    fn layer(&mut self, place: Place, told: &Told) {
        let Place { from, offset, depth, bare } = place;
        let Told { protocol, kind, words, bytes, beat, carries, fields } = *told;
        let layer = Layer {
            from,
            offset,
            length: bytes.len() as u64,
            protocol,
            depth,
            kind: kind.into(),
            words: words.into(),
            beat,
            carries,
            bare,
            bytes: bytes.into(),
            fields: LayerFields::Of(fields, bytes),
        };
        self.teller.tell(StreamWhat::Layer(layer));
    }

    /// A rule of a layer is broken; `at` counts bytes of what carries it.
    fn broken(&mut self, place: Place, at: usize, words: &str, section: &'static str) {
        let offset = place.offset.saturating_add(at as u64);
        let (from, level, close_code) = (place.from, None, None);
        let (words, section) = (words.into(), section.into());
        self.teller.tell(StreamWhat::Violation(Violation { from, offset, words, section, level, close_code }));
    }
}

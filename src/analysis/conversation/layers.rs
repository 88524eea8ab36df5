//! What do the messages of a WebSocket, the contents of HTTP or the bytes of TCP carry in their turn? One
//! layer in another.
//!
//! Each direction is read by the [`Dissector`] of one protocol. What a handshake or a request promises
//! decides which ([`detectors`] is the table); where it promises nothing, the first message may. What is
//! broken is told, and so is what comes after it, as far as it can be understood.

pub(super) mod detector;
pub(in crate::analysis) mod detectors;
mod engine_io;
mod event_stream;
mod sockjs;
mod stomp;

use super::budget::Budget;
use super::event::Teller;
use crate::event::{
    Host, StreamWhat,
    stream::{Layer, LayerFields, Violation},
};
use crate::wire::{Protocol, field::Field};

use detector::{Detector, Detectors, Dissector, ProtocolHint};

/// How much of what a layer says is told, in characters.
const SHOWN: usize = 400;

/// Both directions of a connection.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// What the client sends, what the server sends.
    sides: [StreamState; 2],
    /// Nothing is beneath but TCP.
    bare: bool,
    hint: ProtocolHint,
}

/// One direction.
#[derive(Debug, Default)]
pub(super) enum StreamState {
    /// No protocol that is known here.
    #[default]
    Unknown,
    /// The next message decides.
    Undecided,
    /// Read by this dissector.
    Known(Box<dyn Dissector>),
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
    pub(super) fn expecting(hint: ProtocolHint) -> Self {
        let sides = [Host::Client, Host::Server].map(|from| hint.state(from));
        Layers { sides, bare: false, hint }
    }

    /// Right on TCP.
    pub(super) fn on_tcp(hint: ProtocolHint) -> Self {
        Layers { bare: true, ..Layers::expecting(hint) }
    }

    /// The next content of this side is of this protocol.
    pub(super) fn begin(&mut self, from: Host, state: StreamState, budget: &mut Budget) {
        let side = &mut self.sides[index(from)];
        side.gap(budget);
        *side = state;
    }

    /// True if a message, or the next bytes, will be told as layers. The first message may decide that.
    pub(super) fn understand(&mut self, from: Host, text: bool, payload: &[u8]) -> bool {
        if let StreamState::Undecided = self.sides[index(from)]
            && let Some(hint) = self.hint.after(from, text, payload)
        {
            self.hint = hint;
            self.sides = [Host::Client, Host::Server].map(|from| hint.state(from));
        }
        self.is_known(from)
    }

    /// True if what this side sends is told as layers.
    pub(super) fn is_known(&self, from: Host) -> bool {
        !matches!(self.sides[index(from)], StreamState::Unknown | StreamState::Undecided)
    }

    /// A whole message that begins at this byte of the stream, and was said to be understood.
    pub(super) fn message(&mut self, from: Host, offset: u64, text: bool, payload: &[u8], out: &mut Out) {
        let place = Place { from, offset, depth: 1, bare: false };
        if let Some(dissector) = self.sides[index(from)].dissector() {
            dissector.message(place, text, payload, out);
        }
    }

    /// The next bytes of a content, or of the stream.
    pub(super) fn bytes(&mut self, from: Host, offset: u64, bytes: &[u8], out: &mut Out) {
        let place = Place { from, offset, depth: 1, bare: self.bare };
        if let Some(dissector) = self.sides[index(from)].dissector() {
            dissector.bytes(place, bytes, out);
        }
    }

    /// The content of this side is over.
    pub(super) fn end(&mut self, from: Host, out: &mut Out) {
        let side = &mut self.sides[index(from)];
        if let Some(dissector) = side.dissector() {
            dissector.end(from, out);
        }
        side.gap(out.budget);
        *side = StreamState::Unknown;
    }

    /// Something of what this side sent is not there: what is under way is no use.
    pub(super) fn gap(&mut self, from: Host, budget: &mut Budget) {
        self.sides[index(from)].gap(budget);
    }

    /// Gives all memory back.
    pub(super) fn clear(&mut self, budget: &mut Budget) {
        self.sides.iter_mut().for_each(|side| side.gap(budget));
        self.sides = Default::default();
    }
}

fn index(host: Host) -> usize {
    match host {
        Host::Client => 0,
        Host::Server => 1,
    }
}

impl StreamState {
    /// The state of what `from` sends, read by this row; nothing if no stream carries that.
    fn of_stream(row: &'static Detector, from: Host, detectors: Detectors) -> StreamState {
        row.stream.map_or(StreamState::Unknown, |new| StreamState::Known(new(from, detectors)))
    }

    fn dissector(&mut self) -> Option<&mut dyn Dissector> {
        match self {
            StreamState::Unknown | StreamState::Undecided => None,
            StreamState::Known(dissector) => Some(&mut **dissector),
        }
    }

    fn gap(&mut self, budget: &mut Budget) {
        if let Some(dissector) = self.dissector() {
            dissector.gap(budget);
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
        self.teller.tell(StreamWhat::Violation(Violation {
            from,
            offset,
            words,
            section,
            level,
            close_code,
        }));
    }
}

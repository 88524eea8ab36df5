//! What a decoder tells. Everything is borrowed: whoever wants to keep it copies it.
//!
//! Offsets count bytes of one direction of a connection, from its first byte after SYN, as `tshark -z follow` does.

use std::net::SocketAddr;

use crate::analysis::capture::Packet;
use crate::event::Host;
use crate::wire::{
    Protocol,
    field::Field,
    http::{RequestHead, ResponseHead},
    ip::Datagram,
    tcp::Segment,
    websocket::{
        Header,
        deflate::Agreed,
        rules::{Level, Rule},
    },
};

/// Something that became known.
#[derive(Debug)]
pub struct Event<'a> {
    /// When the packet was recorded that brought it, in nanoseconds since 1970.
    pub time: Option<u64>,
    /// The number of that packet in its file, from 1.
    pub packet: u64,
    /// The number of the connection, from 0; none for a packet that belongs to none.
    pub stream: Option<u64>,
    /// What it is.
    pub what: What<'a>,
}

/// The kinds of events.
#[derive(Debug)]
pub enum What<'a> {
    /// A packet, before what it brings.
    Packet(PacketSeen<'a>),
    /// A connection, before the first that is told of it.
    Opened(Opened),
    /// Bytes of a stream in their order, whatever they mean.
    Bytes(Stretch<'a>),
    /// A head of HTTP.
    Head(Head<'a>),
    /// The content after a head, when its end has come.
    Body(Body<'a>),
    /// HTTP is over, WebSocket begins; or it was recognised without its beginning.
    Upgraded(Upgraded),
    /// A WebSocket frame.
    Frame(Frame<'a>),
    /// A WebSocket message: its frames joined, and inflated if it was compressed.
    Message(Message<'a>),
    /// What a message, a content or a stream carries in its turn.
    Layer(Layer<'a>),
    /// A rule that was broken.
    Violation(Violation<'a>),
    /// Bytes of a protocol that is not known here.
    Data(Stretch<'a>),
    /// Bytes that are not in the capture.
    Missing(Missing),
    /// Bytes that were said twice, and differently. The first count.
    Differs(Differs),
    /// A connection is over.
    Ended(Ended),
}

/// A packet, as far as it was taken apart.
#[derive(Debug)]
pub struct PacketSeen<'a> {
    /// The packet.
    pub packet: &'a Packet<'a>,
    /// What the link carries, as Ethernet numbers it.
    pub ether_type: u16,
    /// Where that begins.
    pub network: usize,
    /// The datagram.
    pub datagram: Option<&'a Datagram>,
    /// The segment.
    pub segment: Option<&'a Segment>,
}

/// A connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Who called.
    pub client: SocketAddr,
    /// Who was called.
    pub server: SocketAddr,
    /// Its SYN is in the capture. Else who called is a guess.
    pub from_start: bool,
}

/// Bytes in a row.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    /// Who sent them.
    pub from: Host,
    /// Where they begin.
    pub offset: u64,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// A head of HTTP.
#[derive(Debug)]
pub struct Head<'a> {
    /// Who sent it.
    pub from: Host,
    /// Where it begins.
    pub offset: u64,
    /// Its bytes, with the empty line.
    pub bytes: &'a [u8],
    /// What it says, or what is wrong with it.
    pub line: HeadLine<'a>,
}

/// What a head says.
#[derive(Debug)]
pub enum HeadLine<'a> {
    /// A request.
    Request(&'a RequestHead),
    /// A response.
    Response(&'a ResponseHead),
    /// Neither, as its form is broken: why.
    Broken(String),
}

/// The content after a head.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a> {
    /// Who sent it.
    pub from: Host,
    /// Where it begins.
    pub offset: u64,
    /// How long it is, in bytes, without what packs chunks.
    pub length: u64,
    /// Its beginning.
    pub shown: &'a [u8],
    /// What it carries has been told, as layers.
    pub above: bool,
}

/// The beginning of a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upgraded {
    /// False if the handshake is not in the capture.
    pub handshake: bool,
    /// permessage-deflate, if it was agreed on.
    pub deflate: Option<Agreed>,
}

/// How a payload was carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Carried {
    /// More came than is kept: the bytes are only the beginning.
    pub cut: bool,
    /// A part of it is not in the capture.
    pub missing: bool,
}

/// A frame, when its last byte has come.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Who sent it.
    pub from: Host,
    /// Where it begins.
    pub offset: u64,
    /// Its header.
    pub header: Header,
    /// The payload, unmasked, still compressed if it was.
    pub payload: &'a [u8],
    /// Whether that is all of it.
    pub carried: Carried,
}

/// A message, when its last frame has come.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Who sent it.
    pub from: Host,
    /// Where its first frame begins.
    pub offset: u64,
    /// The opcode of its first frame.
    pub opcode: u8,
    /// How many frames it had.
    pub frames: u64,
    /// Bytes of payload in those frames.
    pub length: u64,
    /// It was compressed.
    pub compressed: bool,
    /// The bytes are still compressed, as they could not be inflated.
    pub packed: bool,
    /// Its bytes.
    pub payload: &'a [u8],
    /// Whether they are all of it.
    pub carried: Carried,
    /// What it carries is told next, as layers.
    pub above: bool,
}

impl Message<'_> {
    /// True if it says no more than its only frame did.
    pub fn is_its_frame(&self) -> bool {
        self.frames == 1 && !self.compressed
    }
}

/// What something above HTTP, WebSocket or TCP says: a packet, a frame or an event of it, out of what carries it.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// Who sent it.
    pub from: Host,
    /// Where that begins which carries it: a message, a content or a piece of one. If it stands right on TCP, where it begins itself.
    pub offset: u64,
    /// Its protocol.
    pub protocol: Protocol,
    /// How many layers it stands above HTTP, WebSocket or TCP: 1 or more.
    pub depth: u8,
    /// What it is, by its name in the specification: `EVENT`.
    pub kind: &'a str,
    /// What it says, in short.
    pub words: &'a str,
    /// Its bytes, as the layer beneath carried them.
    pub bytes: &'a [u8],
    /// It says only that its sender is still there.
    pub beat: bool,
    /// What it carries is told next, as a layer of its own.
    pub carries: bool,
    /// It stands right on TCP: nothing else was told of its bytes.
    pub bare: bool,
    /// Takes the bytes apart.
    pub(super) fields: fn(&[u8]) -> Vec<Field>,
}

impl Layer<'_> {
    /// Every bit of its bytes by name.
    pub fn fields(&self) -> Vec<Field> {
        (self.fields)(self.bytes)
    }
}

/// A rule that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation<'a> {
    /// Who broke it.
    pub from: Host,
    /// The byte that did.
    pub offset: u64,
    /// The rule, and what was there instead.
    pub words: &'a str,
    /// Where it stands.
    pub section: &'static str,
    /// How strongly it is said there.
    pub level: Option<Level>,
    /// The code of the Close with which an endpoint of a WebSocket would answer.
    pub close_code: Option<u16>,
}

impl Violation<'static> {
    /// A rule of the frames, broken here.
    pub(super) fn of(rule: &Rule, from: Host, offset: u64) -> Self {
        let Rule { words, section, level, close_code } = *rule;
        Violation { from, offset, words, section, level, close_code: Some(close_code) }
    }
}

/// Bytes that are not in the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// Who sent them.
    pub from: Host,
    /// Where they begin.
    pub offset: u64,
    /// How many they are.
    pub length: u64,
    /// The packet is there, but was cut at the snapshot length.
    pub truncated: bool,
}

/// Bytes that were said twice, and differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Differs {
    /// Who sent them.
    pub from: Host,
    /// The first byte that differs.
    pub offset: u64,
    /// From there to the last that differs, in bytes.
    pub length: u64,
}

/// The end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub how: Ending,
    /// Bytes that the client sent.
    pub client_bytes: u64,
    /// Bytes that the server sent.
    pub server_bytes: u64,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A FIN from both sides.
    Fin,
    /// A RST.
    Reset(Host),
    /// Not at all, as far as the capture goes.
    Open,
}

/// Who tells, about which connection.
pub(crate) struct Teller<'a> {
    pub(crate) time: Option<u64>,
    pub(crate) packet: u64,
    pub(crate) stream: u64,
    pub(crate) tell: &'a mut dyn FnMut(&Event),
}

impl Teller<'_> {
    pub(crate) fn tell(&mut self, what: What) {
        (self.tell)(&Event { time: self.time, packet: self.packet, stream: Some(self.stream), what });
    }
}

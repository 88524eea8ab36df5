//! What the bytes of a connection mean: heads, bodies, frames, messages, and what they carry in turn.
//!
//! One type serves both the analysis, whose events borrow from the packet at hand, and the trace, whose events own what they
//! read: `StreamEvent<'static>`. Offsets count the bytes of one direction from the first after SYN, as `tshark -z follow` does.

use std::{
    borrow::Cow,
    net::{IpAddr, SocketAddr},
};

use serde::{Deserialize, Serialize};

use super::{Host, bytes::Bytes};
use crate::wire::{
    Field, Protocol,
    tcp::Flags,
    websocket::{
        Header,
        deflate::Agreed,
        rules::{Level, Rule},
    },
};

mod json;
mod to_static;

pub use json::Time;

/// `stream`: something that became known of the bytes of a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StreamEvent<'a> {
    /// The number of the connection: from 0 in a capture, as in Wireshark's `tcp.stream`; from 1 live. Absent for a packet of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<u64>,
    /// The number of the packet that brought it, from 1; absent where no packets are seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet: Option<u64>,
    /// When that packet was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
    /// What became known.
    #[serde(flatten)]
    pub what: StreamWhat<'a>,
}

/// The kinds of stream events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamWhat<'a> {
    /// A packet, before what it brings.
    Packet(Packet),
    /// A connection, before anything else of it.
    Opened(Opened),
    /// Bytes of a stream in their order, whatever they mean. Not in the trace: what they mean is.
    #[serde(skip)]
    Bytes(Stretch<'a>),
    /// A head of HTTP.
    Head(Head<'a>),
    /// The content after a head, when its end has come.
    Body(Body<'a>),
    /// WebSocket frames follow: HTTP is over, or they were recognised without it.
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
    /// Bytes that were not seen.
    Missing(Missing),
    /// Bytes that came twice, and differently. The first count.
    Differs(Differs),
    /// A head, a body, a frame or a message whose end has not come when the stream was over.
    Unfinished(Unfinished),
    /// The connection is over.
    Ended(Ended),
}

/// A packet, as far as it was taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Packet {
    /// The type of the link, by its number in pcap's list.
    pub link: u32,
    /// Bytes that were recorded.
    pub length: u64,
    /// Bytes that it had.
    pub original: u64,
    /// It was cut at the snapshot length.
    #[serde(default, skip_serializing_if = "is_false")]
    pub truncated: bool,
    /// The addresses of an IP packet.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Ends>,
    /// What its TCP header says.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Tcp>,
}

/// Addresses of a packet; with ports if it is a segment of TCP.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ends {
    /// The sender.
    pub source: Address,
    /// The receiver.
    pub destination: Address,
}

/// An address, with or without a port.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Address {
    /// `10.0.0.1:80`
    Socket(SocketAddr),
    /// `10.0.0.1`
    Ip(IpAddr),
}

/// Out of a TCP header.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tcp {
    /// `SYN,ACK`
    #[serde(with = "json::flags")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub flags: Flags,
    /// The sequence number.
    pub sequence: u32,
    /// The acknowledgment number.
    pub acknowledgment: u32,
}

/// A connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Opened {
    /// The end that called.
    pub client: SocketAddr,
    /// The end that was called.
    pub server: SocketAddr,
    /// Its SYN was seen. Else which end called is a guess.
    pub from_start: bool,
}

/// Bytes in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Stretch<'a> {
    /// The sender.
    pub from: Host,
    /// Where they begin.
    pub offset: u64,
    /// How many they are.
    pub length: u64,
    /// The bytes.
    #[serde(flatten)]
    pub bytes: Bytes<'a>,
}

impl<'a> Stretch<'a> {
    /// Bytes of this sender that begin here.
    pub fn new(from: Host, offset: u64, bytes: &'a [u8]) -> Self {
        Stretch { from, offset, length: bytes.len() as u64, bytes: bytes.into() }
    }
}

/// A head of HTTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Head<'a> {
    /// The sender.
    pub from: Host,
    /// Where it begins.
    pub offset: u64,
    /// How many bytes it has, with the empty line.
    pub length: u64,
    /// What it says, or what is wrong with it.
    #[serde(flatten)]
    pub line: HeadLine<'a>,
    /// Its bytes.
    #[serde(flatten)]
    pub bytes: Bytes<'a>,
}

/// What a head says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum HeadLine<'a> {
    /// A request.
    Request {
        /// `GET`
        method: Cow<'a, str>,
        /// `/chat`
        target: Cow<'a, str>,
    },
    /// A response.
    Response {
        /// 200
        status: u16,
    },
    /// Neither, as its form is broken.
    Broken {
        /// What is wrong.
        error: Cow<'a, str>,
    },
}

/// The content after a head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Body<'a> {
    /// The sender.
    pub from: Host,
    /// Where it begins.
    pub offset: u64,
    /// How long it is, in bytes, without what packs chunks.
    pub length: u64,
    /// More came than is kept: the bytes are only its beginning.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cut: bool,
    /// What it carries has been told, as layers.
    #[serde(default, skip_serializing_if = "is_false")]
    pub above: bool,
    /// Its beginning.
    #[serde(flatten)]
    pub shown: Bytes<'a>,
}

/// The beginning of a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Upgraded {
    /// False if the handshake was not seen.
    pub handshake: bool,
    /// permessage-deflate, if it was agreed on (RFC 7692 §7.1).
    #[serde(default, with = "json::deflate", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<json::Deflate>"))]
    pub deflate: Option<Agreed>,
}

/// How a payload was carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Carried {
    /// More came than is kept: the bytes are only the beginning.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cut: bool,
    /// A part of it was not seen.
    #[serde(default, skip_serializing_if = "is_false")]
    pub missing: bool,
}

/// A frame, when its last byte has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Frame<'a> {
    /// The sender.
    pub from: Host,
    /// Where it begins.
    pub offset: u64,
    /// Its header.
    #[serde(flatten, with = "json::header")]
    #[cfg_attr(test, schemars(with = "json::HeaderFields"))]
    pub header: Header,
    /// Whether the payload is all of it.
    #[serde(flatten)]
    pub carried: Carried,
    /// The payload in hex, unmasked, still compressed if it was.
    #[serde(rename = "data", with = "super::bytes::hex")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub payload: Bytes<'a>,
}

/// A message, when its last frame has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Message<'a> {
    /// The sender.
    pub from: Host,
    /// Where its first frame begins.
    pub offset: u64,
    /// The opcode of its first frame, and the name of that.
    #[serde(flatten, with = "json::opcode")]
    #[cfg_attr(test, schemars(with = "json::Opcode"))]
    pub opcode: u8,
    /// How many frames it had.
    pub frames: u64,
    /// Bytes of payload in those frames.
    pub length: u64,
    /// It was compressed.
    pub compressed: bool,
    /// The bytes are still compressed, as they could not be inflated.
    #[serde(default, skip_serializing_if = "is_false")]
    pub packed: bool,
    /// What it carries is told next, as layers.
    #[serde(default, skip_serializing_if = "is_false")]
    pub above: bool,
    /// Whether the bytes are all of it.
    #[serde(flatten)]
    pub carried: Carried,
    /// Its bytes.
    #[serde(flatten)]
    pub payload: Bytes<'a>,
}

impl Message<'_> {
    /// True if it says no more than its only frame did.
    pub fn is_its_frame(&self) -> bool {
        self.frames == 1 && !self.compressed
    }
}

/// What something above HTTP, WebSocket or TCP says: a packet, a frame or an event of it, out of what carries it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Layer<'a> {
    /// The sender.
    pub from: Host,
    /// Where that begins which carries it: a message, a content or a piece of one. If it stands right on TCP, where it begins itself.
    pub offset: u64,
    /// How many bytes it has.
    pub length: u64,
    /// Its protocol.
    #[serde(with = "json::protocol")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub protocol: Protocol,
    /// How many layers it stands above HTTP, WebSocket or TCP: 1 or more.
    pub depth: u8,
    /// What it is, by its name in the specification: `EVENT`.
    pub kind: Cow<'a, str>,
    /// What it says, in short.
    pub words: Cow<'a, str>,
    /// It says only that its sender is still there.
    #[serde(rename = "heart_beat", default, skip_serializing_if = "is_false")]
    pub beat: bool,
    /// What it carries is told next, as a layer of its own.
    #[serde(default, skip_serializing_if = "is_false")]
    pub carries: bool,
    /// It stands right on TCP: nothing else was told of its bytes.
    #[serde(default, skip_serializing_if = "is_false")]
    pub bare: bool,
    /// Its bytes, as the layer beneath carried them.
    #[serde(flatten)]
    pub bytes: Bytes<'a>,
    /// Every bit of its bytes by name.
    #[cfg_attr(test, schemars(with = "Vec<FieldRow>"))]
    pub fields: LayerFields<'a>,
}

/// The fields of a layer: worked out when they are asked for, or read from a trace.
#[derive(Debug, Clone)]
pub enum LayerFields<'a> {
    /// The decoder, and the bytes that it takes apart.
    Of(fn(&[u8]) -> Vec<Field>, &'a [u8]),
    /// The rows of a trace.
    Rows(Vec<FieldRow>),
}

/// Fields follow from the bytes that are compared already.
impl PartialEq for LayerFields<'_> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A field of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FieldRow {
    /// As the specification calls it.
    pub name: Cow<'static, str>,
    /// For people to read, escaped.
    pub value: String,
    /// The name that the specification gives this value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<Cow<'static, str>>,
    /// What it says, or why it is there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub meaning: String,
    /// The section that defines it.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub section: Cow<'static, str>,
    /// The first of its bits and the one behind its last, from the start of the layer.
    pub bits: (usize, usize),
}

impl From<&Field> for FieldRow {
    fn from(field: &Field) -> Self {
        FieldRow {
            name: field.name.into(),
            value: field.value.clone(),
            symbol: field.symbol.map(Cow::Borrowed),
            meaning: field.meaning.clone(),
            section: field.section.into(),
            bits: (field.bits.start, field.bits.end),
        }
    }
}

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Violation<'a> {
    /// The end that broke it.
    pub from: Host,
    /// The byte that did.
    pub offset: u64,
    /// The rule, and what was there instead.
    #[serde(rename = "rule")]
    pub words: Cow<'a, str>,
    /// Where it stands.
    pub section: Cow<'static, str>,
    /// How strongly it is said there.
    #[serde(default, with = "json::level", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub level: Option<Level>,
    /// The code of the Close with which an endpoint of a WebSocket would answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_code: Option<u16>,
}

impl Violation<'static> {
    /// A rule of the frames, broken here.
    pub fn of(rule: &Rule, from: Host, offset: u64) -> Self {
        let Rule { words, section, level, close_code } = *rule;
        Violation {
            from,
            offset,
            words: words.into(),
            section: section.into(),
            level,
            close_code: Some(close_code),
        }
    }
}

/// Bytes that were not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Missing {
    /// The sender.
    pub from: Host,
    /// Where they begin.
    pub offset: u64,
    /// How many they are.
    pub length: u64,
    /// The packet is there, but was cut at the snapshot length.
    #[serde(default, skip_serializing_if = "is_false")]
    pub truncated: bool,
}

/// Bytes that came twice, and differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Differs {
    /// The sender.
    pub from: Host,
    /// The first byte that differs.
    pub offset: u64,
    /// From there to the last that differs, in bytes.
    pub length: u64,
}

/// Something whose end has not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unfinished {
    /// The sender.
    pub from: Host,
    /// Where it begins.
    pub offset: u64,
    /// What it is.
    pub unit: Unit,
    /// How many of its bytes have come: of a frame and a body of the payload, of a message of the payloads of its frames.
    pub length: u64,
    /// How many it was to have, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<u64>,
}

/// What can be unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A head of HTTP.
    Head,
    /// A content of HTTP.
    Body,
    /// A WebSocket frame.
    Frame,
    /// A WebSocket message: a frame with FIN has not come.
    Message,
}

/// The end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ended {
    /// How.
    #[serde(flatten)]
    pub how: Ending,
    /// Bytes that the client sent.
    pub client_bytes: u64,
    /// Bytes that the server sent.
    pub server_bytes: u64,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "how", content = "from", rename_all = "snake_case")]
pub enum Ending {
    /// A FIN from both sides.
    Fin,
    /// A RST from this side.
    Reset(Host),
    /// Not at all, as far as was seen.
    Open,
}

fn is_false(it: &bool) -> bool {
    !it
}

impl StreamEvent<'_> {
    /// Whether the trace has it.
    pub fn is_recorded(&self) -> bool {
        !matches!(self.what, StreamWhat::Bytes(_))
    }
}

impl Layer<'_> {
    /// Every bit of its bytes by name.
    pub fn rows(&self) -> Vec<FieldRow> {
        self.fields.rows()
    }
}

impl LayerFields<'_> {
    fn rows(&self) -> Vec<FieldRow> {
        match self {
            LayerFields::Of(decode, bytes) => decode(bytes).iter().map(FieldRow::from).collect(),
            LayerFields::Rows(rows) => rows.clone(),
        }
    }
}

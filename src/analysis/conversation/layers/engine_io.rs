//! Engine.IO, and Socket.IO in its messages.

use super::{
    Out, Place, SHOWN, Told,
    detector::{Content, Detector, Dissector, NewContent, Promise, ProtocolHint},
    short,
};
use crate::analysis::conversation::budget::{Budget, Held};
use crate::event::Host;
use crate::wire::{
    Malformed, Protocol,
    engine_io::{self, BINARY_PREFIX, Handshake, Kind, PROBE, Packet, Query, SEPARATOR, packet_type},
    socket_io::{self, Assembler},
    text,
};

/// A packet that is longer is not taken apart, in bytes: its JSON would take many times its length.
const LONGEST: usize = 256 << 10;
/// What a value of JSON that was read may take, for a byte that it was written with.
const READ: usize = 16;

/// The row of Socket.IO, whose packets Engine.IO carries unless the path says otherwise.
pub(super) static SOCKET_IO: Detector = Detector {
    words: &[("engineio", Protocol::EngineIo), ("socketio", Protocol::SocketIo)],
    target: |method, target| (!is_bare(target)?).then(|| promise(method, &SOCKET_IO, POLLED)),
    contents: |method| promise(method, &SOCKET_IO, POLLED),
    text: |_, payload| is_engine_io(payload),
    stream: Some(|_, _| Box::new(EngineIo::new(true, true))),
    ..Detector::NONE
};

/// The row of Engine.IO alone.
pub(super) static ENGINE_IO: Detector = Detector {
    target: |method, target| is_bare(target)?.then(|| promise(method, &ENGINE_IO, POLLED_BARE)),
    stream: Some(|_, _| Box::new(EngineIo::new(false, true))),
    ..Detector::NONE
};

/// Contents of polling, with Socket.IO and without it.
const POLLED: NewContent = |_, _| Box::new(EngineIo::new(true, false));
const POLLED_BARE: NewContent = |_, _| Box::new(EngineIo::new(false, false));

/// Whether the path of `/socket.io/?EIO=4&transport=polling` says Engine.IO alone; none for any other target.
fn is_bare(target: &str) -> Option<bool> {
    Query::parse(target).ok()?;
    Some(target.split('?').next().unwrap_or_default().contains("/engine.io"))
}

/// A POST carries packets in its content, a GET in the response; the response to a POST is `ok`.
fn promise(method: &str, row: &'static Detector, polled: NewContent) -> Promise {
    Promise {
        request: (method == "POST").then_some(Content(polled)),
        response: (method == "GET").then_some(Content(polled)),
        messages: Some(ProtocolHint::Known(row)),
    }
}

/// `42["msg","hello"]`: an Engine.IO message with a packet of Socket.IO that has a payload.
fn is_engine_io(payload: &[u8]) -> bool {
    matches!(payload, [b'4', b'0'..=b'6', ..])
        && socket_io::Packet::parse(&payload[1..]).is_ok_and(|packet| packet.payload.is_some())
        || (payload.starts_with(b"0{\"sid\"") && Packet::parse(payload).is_ok())
}

/// One direction.
#[derive(Debug)]
struct EngineIo {
    /// Messages carry Socket.IO.
    socket_io: bool,
    /// Attachments that are due are looked for: over polling they may come by another connection.
    strict: bool,
    assembler: Assembler,
    /// What the assembler holds counts so much.
    counted: usize,
    /// A content so far, and where it begins.
    body: Held,
    at: Option<u64>,
    /// The content is longer than is kept.
    cut: bool,
}

impl EngineIo {
    /// Messages of a WebSocket have a packet each; a content of HTTP has packets with separators between
    /// them.
    fn new(socket_io: bool, strict: bool) -> EngineIo {
        EngineIo {
            socket_io,
            strict,
            assembler: Assembler::new(),
            counted: 0,
            body: Held::default(),
            at: None,
            cut: false,
        }
    }
}

impl Dissector for EngineIo {
    fn message(&mut self, place: Place, text: bool, payload: &[u8], out: &mut Out) {
        if text {
            self.packet(place, 0, payload, out);
        } else {
            self.binary(place, payload, payload, socket_io::binary_fields, out);
        }
    }

    fn bytes(&mut self, place: Place, bytes: &[u8], out: &mut Out) {
        self.at.get_or_insert(place.offset);
        let fits = self.body.len() + bytes.len() <= out.limit;
        self.cut |= !fits || !self.body.add(bytes, out.budget);
    }

    fn end(&mut self, from: Host, out: &mut Out) {
        let body = self.body.take(out.budget);
        let (Some(offset), false) = (self.at.take(), self.cut) else { return };
        let place = Place { from, offset, depth: 1, bare: false };
        let mut at = 0;
        for piece in body.split(|byte| *byte == SEPARATOR) {
            match piece {
                [BINARY_PREFIX, data @ ..] => match data_encoding::BASE64.decode(data) {
                    Ok(decoded) => self.binary(place, piece, &decoded, socket_io::body_fields, out),
                    Err(_) => self.wrong(place, at, engine_io::parse_payload(piece).err(), out),
                },
                piece => self.packet(place, at, piece, out),
            }
            at += piece.len() + 1;
        }
        self.gap(out.budget);
    }

    fn gap(&mut self, budget: &mut Budget) {
        self.body.clear(budget);
        self.assembler = Assembler::new();
        budget.reserve(&mut self.counted, 0);
        self.cut = self.at.is_some();
    }
}

impl EngineIo {
    /// A packet of text, `at` bytes behind the place.
    fn packet(&mut self, place: Place, at: usize, bytes: &[u8], out: &mut Out) {
        let (kind, data) = match Packet::parse(bytes) {
            Ok(Packet::Text(kind, data)) => (kind, data),
            Ok(Packet::Binary(_)) => return,
            Err(error) => return self.wrong(place, at, Some(error), out),
        };
        let symbol = packet_type(kind.digit()).map_or("", |entry| entry.symbol);
        let carries = kind == Kind::Message && self.socket_io && bytes.len() <= LONGEST;
        let mut refused = None;
        let words = match kind {
            Kind::Ping | Kind::Pong if data.is_empty() => String::new(),
            Kind::Ping | Kind::Pong if data == PROBE => "probe".to_owned(),
            Kind::Open => match Handshake::parse(&data) {
                Ok(told) => format!(
                    "session {}, a ping every {} ms, {} ms for the pong",
                    text::shown(told.sid.as_bytes(), 60),
                    told.ping_interval,
                    told.ping_timeout
                ),
                Err(error) => {
                    refused = Some(error);
                    String::new()
                }
            },
            _ => text::shown(data.as_bytes(), SHOWN),
        };
        let beat = matches!(kind, Kind::Ping | Kind::Pong) && data.is_empty();
        let fields = socket_io::packet_fields;
        let protocol = Protocol::EngineIo;
        out.layer(place, &Told { protocol, kind: symbol, words: &words, bytes, beat, carries, fields });
        if refused.is_some() {
            self.wrong(place, at + 1, refused, out);
        }
        if carries {
            self.socket(place.above(), at + 1, &bytes[1..], out);
        }
    }

    /// A packet of Socket.IO.
    fn socket(&mut self, place: Place, at: usize, bytes: &[u8], out: &mut Out) {
        let packet = match socket_io::Packet::parse(bytes) {
            Ok(packet) => packet,
            Err(error) => return self.wrong(place, at, Some(error), out),
        };
        let symbol =
            bytes.first().and_then(|digit| socket_io::packet_type(*digit)).map_or("", |it| it.symbol);
        let words = words(&packet);
        let (protocol, fields) = (Protocol::SocketIo, socket_io::fields);
        let told = Told { protocol, kind: symbol, words: &words, bytes, beat: false, carries: false, fields };
        out.layer(place, &told);
        if let Err(error) = self.assembler.text(bytes) {
            self.assembler = Assembler::new();
            if self.strict {
                self.wrong(place, at, Some(error), out);
            }
            // What was waited for never came: this packet may wait for its own.
            let _ = self.assembler.text(bytes);
        }
        let due = self.assembler.due() > 0;
        let now = if due { bytes.len().saturating_mul(READ) } else { 0 };
        if !out.budget.reserve(&mut self.counted, now) {
            self.gap(out.budget);
        }
    }

    /// Bytes that belong to the packet before; `bytes` as they stood in what carries them.
    fn binary(
        &mut self,
        place: Place,
        bytes: &[u8],
        data: &[u8],
        fields: fn(&[u8]) -> Vec<crate::wire::Field>,
        out: &mut Out,
    ) {
        let due = self.assembler.due();
        let hex = text::hex(data, 24);
        let words = if due > 0 { format!("an attachment, {hex}") } else { hex };
        let (protocol, kind) = (Protocol::EngineIo, "message");
        out.layer(place, &Told { protocol, kind, words: &words, bytes, beat: false, carries: false, fields });
        if !self.socket_io || (due == 0 && !self.strict) {
            return;
        }
        let counted = self.counted + data.len();
        if !out.budget.reserve(&mut self.counted, counted) {
            return self.gap(out.budget);
        }
        let taken = self.assembler.binary(data.to_vec());
        if self.assembler.due() == 0 {
            out.budget.reserve(&mut self.counted, 0);
        }
        if let Err(error) = taken {
            self.wrong(place, 0, Some(error), out);
        }
    }

    fn wrong(&self, place: Place, at: usize, error: Option<Malformed>, out: &mut Out) {
        let Some(error) = error else { return };
        let words = format!("{}: needed {}, had {}", error.field, error.needed, error.had);
        out.broken(place, at + error.index(), &words, error.section);
    }
}

/// `/chat msg "hello"`, with what is asked for or answered.
fn words(packet: &socket_io::Packet) -> String {
    let mut parts = Vec::new();
    if packet.namespace != socket_io::MAIN {
        parts.push(text::shown(packet.namespace.as_bytes(), 80));
    }
    if let Some(name) = packet.event_name() {
        parts.push(text::shown(name.as_bytes(), 80));
        parts.extend(packet.arguments().iter().map(ToString::to_string));
    } else if let Some(payload) = &packet.payload {
        parts.push(payload.to_string());
    }
    let mut words = short(parts.join(" "));
    let mut remark = |text: String| {
        words += if words.is_empty() { "" } else { ", " };
        words += &text;
    };
    match (packet.kind, packet.id) {
        (socket_io::Kind::Ack | socket_io::Kind::BinaryAck, Some(id)) => {
            remark(format!("the answer to {id}"))
        }
        (_, Some(id)) => remark(format!("answer {id} is asked for")),
        (_, None) => {}
    }
    match packet.attachments {
        0 => {}
        1 => remark("1 attachment follows".to_owned()),
        count => remark(format!("{count} attachments follow")),
    }
    words
}

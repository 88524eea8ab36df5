//! Events as JSON Lines, for other programs. `docs/decode.md` is the promise.

use std::io::{self, Write};

use data_encoding::HEXLOWER;
use serde::{Serialize, Serializer};

use crate::analysis::conversation::{Carried, Ending, Event, HeadLine, What};
use crate::wire::{field::Field, websocket::opcode_entry};

/// One line. What does not apply is left out.
#[derive(Debug, Default, Serialize)]
struct Object<'a> {
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Time>,
    packet: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_start: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledgment: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deflate: Option<Deflate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opcode: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    depth: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heart_beat: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carries: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<Vec<Piece>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fin: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rsv: Option<[bool; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mask: Option<Hex<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compressed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Hex<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    close_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Deflate {
    client_no_context_takeover: bool,
    client_max_window_bits: u8,
    server_no_context_takeover: bool,
    server_max_window_bits: u8,
}

/// A field of a layer.
#[derive(Debug, Serialize)]
struct Piece {
    name: &'static str,
    value: String,
    /// The first of its bits and the one behind its last, from the start of the layer.
    bits: [usize; 2],
}

impl From<Field> for Piece {
    fn from(field: Field) -> Self {
        Piece { name: field.name, value: field.value, bits: [field.bits.start, field.bits.end] }
    }
}

/// Nanoseconds since 1970, told as seconds with nine decimals. Of two lines for each frame a string of its own would be a price.
#[derive(Debug)]
struct Time(u64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // 2^64 nanoseconds have eleven digits before the point.
        let mut text = *b"00000000000.000000000";
        put(&mut text[12..], self.0 % 1_000_000_000);
        let start = put(&mut text[..11], self.0 / 1_000_000_000);
        to.serialize_str(std::str::from_utf8(&text[start..]).unwrap_or_default())
    }
}

/// Writes a number at the end of the room. Gives where its first digit stands.
fn put(room: &mut [u8], mut number: u64) -> usize {
    let mut at = room.len();
    loop {
        at -= 1;
        room[at] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 || at == 0 {
            return at;
        }
    }
}

/// Bytes in lower-case hex. Short ones, as most are, need no string of their own either.
#[derive(Debug)]
struct Hex<'a>(&'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut room = [0; 512];
        match room.get_mut(..self.0.len() * 2) {
            Some(room) => to.serialize_str(HEXLOWER.encode_mut_str(self.0, room)),
            None => to.serialize_str(&HEXLOWER.encode(self.0)),
        }
    }
}

impl<'a> Object<'a> {
    /// Bytes as text if they are, else in hex.
    fn with_bytes(self, bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Object { text: Some(text), ..self },
            Err(_) => Object { data: Some(Hex(bytes)), ..self },
        }
    }

    fn carried(self, carried: Carried) -> Self {
        Object { cut: carried.cut.then_some(true), missing: carried.missing.then_some(true), ..self }
    }
}

/// Writes an event as a line. The bytes of streams have no line of their own: what they mean has.
///
/// # Errors
///
/// What the writer says.
pub fn write(out: &mut impl Write, event: &Event) -> io::Result<()> {
    let base = Object {
        time: event.time.map(Time),
        packet: event.packet,
        stream: event.stream,
        ..Object::default()
    };
    let object = match &event.what {
        What::Bytes(_) => return Ok(()),
        What::Packet(seen) => {
            let object = Object {
                event: "packet",
                link: Some(seen.packet.link.0),
                length: Some(seen.packet.bytes.len() as u64),
                original: Some(seen.packet.original),
                truncated: seen.packet.is_truncated().then_some(true),
                ..base
            };
            match (seen.segment, seen.datagram) {
                (Some(segment), _) => Object {
                    source: Some(segment.source.to_string()),
                    destination: Some(segment.destination.to_string()),
                    flags: Some(segment.flags.to_string()),
                    sequence: Some(segment.sequence),
                    acknowledgment: Some(segment.acknowledgment),
                    ..object
                },
                (None, Some(datagram)) => Object {
                    source: Some(datagram.source.to_string()),
                    destination: Some(datagram.destination.to_string()),
                    ..object
                },
                (None, None) => object,
            }
        }
        What::Opened(opened) => Object {
            event: "opened",
            client: Some(opened.client.to_string()),
            server: Some(opened.server.to_string()),
            from_start: Some(opened.from_start),
            ..base
        },
        What::Head(head) => {
            let object =
                Object { event: "head", from: Some(head.from.name()), offset: Some(head.offset), ..base };
            let object = Object { length: Some(head.bytes.len() as u64), ..object }.with_bytes(head.bytes);
            match &head.line {
                HeadLine::Request(request) => {
                    Object { method: Some(&request.method), target: Some(&request.target), ..object }
                }
                HeadLine::Response(response) => Object { status: Some(response.status), ..object },
                HeadLine::Broken(error) => Object { error: Some(error), ..object },
            }
        }
        What::Body(body) => Object {
            event: "body",
            from: Some(body.from.name()),
            offset: Some(body.offset),
            length: Some(body.length),
            cut: (body.length > body.shown.len() as u64).then_some(true),
            ..base
        }
        .with_bytes(body.shown),
        What::Upgraded(upgraded) => Object {
            event: "upgraded",
            handshake: Some(upgraded.handshake),
            deflate: upgraded.deflate.map(|agreed| Deflate {
                client_no_context_takeover: agreed.client.no_context_takeover,
                client_max_window_bits: agreed.client.window_bits,
                server_no_context_takeover: agreed.server.no_context_takeover,
                server_max_window_bits: agreed.server.window_bits,
            }),
            ..base
        },
        What::Frame(frame) => Object {
            event: "frame",
            from: Some(frame.from.name()),
            offset: Some(frame.offset),
            length: Some(frame.header.length),
            opcode: Some(frame.header.opcode),
            kind: Some(opcode_entry(frame.header.opcode).symbol),
            fin: Some(frame.header.fin),
            rsv: Some([frame.header.rsv1, frame.header.rsv2, frame.header.rsv3]),
            mask: frame.header.key.as_ref().map(|key| Hex(key)),
            data: Some(Hex(frame.payload)),
            ..base
        }
        .carried(frame.carried),
        What::Message(message) => Object {
            event: "message",
            from: Some(message.from.name()),
            offset: Some(message.offset),
            length: Some(message.length),
            opcode: Some(message.opcode),
            kind: Some(opcode_entry(message.opcode).symbol),
            frames: Some(message.frames),
            compressed: Some(message.compressed),
            packed: message.packed.then_some(true),
            ..base
        }
        .with_bytes(message.payload)
        .carried(message.carried),
        What::Layer(layer) => {
            let fields = layer.fields().into_iter().map(Piece::from).collect();
            Object {
                event: "layer",
                from: Some(layer.from.name()),
                offset: Some(layer.offset),
                length: Some(layer.bytes.len() as u64),
                protocol: Some(layer.protocol.name()),
                depth: Some(layer.depth),
                kind: Some(layer.kind),
                words: Some(layer.words),
                heart_beat: layer.beat.then_some(true),
                carries: layer.carries.then_some(true),
                fields: Some(fields),
                ..base
            }
            .with_bytes(layer.bytes)
        }
        What::Violation(broken) => Object {
            event: "violation",
            from: Some(broken.from.name()),
            offset: Some(broken.offset),
            rule: Some(broken.words),
            section: Some(broken.section),
            close_code: broken.close_code,
            ..base
        },
        What::Data(data) => Object {
            event: "data",
            from: Some(data.from.name()),
            offset: Some(data.offset),
            length: Some(data.bytes.len() as u64),
            ..base
        }
        .with_bytes(data.bytes),
        What::Missing(missing) => Object {
            event: "missing",
            from: Some(missing.from.name()),
            offset: Some(missing.offset),
            length: Some(missing.length),
            truncated: missing.truncated.then_some(true),
            ..base
        },
        What::Differs(differs) => Object {
            event: "differs",
            from: Some(differs.from.name()),
            offset: Some(differs.offset),
            length: Some(differs.length),
            ..base
        },
        What::Ended(ended) => Object {
            event: "ended",
            how: Some(match ended.how {
                Ending::Fin => "fin",
                Ending::Reset(_) => "reset",
                Ending::Open => "open",
            }),
            from: match ended.how {
                Ending::Reset(by) => Some(by.name()),
                _ => None,
            },
            client_bytes: Some(ended.client_bytes),
            server_bytes: Some(ended.server_bytes),
            ..base
        },
    };
    serde_json::to_writer(&mut *out, &object)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_bytes_are_told_in_full() {
        let told = |time: u64| serde_json::to_string(&Time(time)).unwrap();
        for time in [0, 1, 999_999_999, 1_000_000_000, 1_700_000_000_123_456_789, u64::MAX] {
            assert_eq!(told(time), format!("\"{}.{:09}\"", time / 1_000_000_000, time % 1_000_000_000));
        }
        for length in [0, 1, 255, 256, 257, 1000] {
            let bytes = vec![0xa5; length];
            assert_eq!(serde_json::to_string(&Hex(&bytes)).unwrap(), format!("\"{}\"", "a5".repeat(length)));
        }
    }
}

//! The bytes of packets as fields.

use serde_json::Value;

use super::{BINARY_PREFIX, PROBE, SEPARATOR, handshake, packet_type};
use crate::wire::field::{Field, fill};
use crate::wire::{json::members, text};

const ENCODING: &str = "Engine.IO 4, Packet encoding";
const POLLING: &str = "Engine.IO 4, Packet encoding, HTTP long-polling";

/// Characters of text, or bytes of anything else, shown of the data.
const SHOWN: usize = 120;

/// The decoders of the layer above.
pub struct Carried {
    /// Decodes the data of a message packet. Returns `None` if it is no packet of that layer.
    pub text: fn(&[u8]) -> Option<Vec<Field>>,
    /// The meaning of data that is no packet of that layer.
    pub other_text: &'static str,
    /// The meaning of a binary message.
    pub binary: &'static str,
}

/// Returns the fields of an HTTP body: packets with separators between them, each as by [`packet_fields`].
pub fn fields(body: &[u8], carried: &Carried) -> Vec<Field> {
    let mut out = Vec::new();
    let mut at = 0;
    for piece in body.split(|byte| *byte == SEPARATOR) {
        if at > 0 {
            let meaning = "here one packet ends and the next begins";
            out.push(Field::of_bytes(at - 1..at, "separator", "\\x1e".into(), meaning, POLLING));
        }
        match piece.split_first() {
            Some((&BINARY_PREFIX, data)) => base64(data, at, carried, &mut out),
            _ => packet(piece, at, carried, &mut out),
        }
        at += piece.len() + 1;
    }
    fill(body, out)
}

/// Returns the fields of a text message of a WebSocket: one packet, in a message packet with the fields of
/// the layer above.
pub fn packet_fields(bytes: &[u8], carried: &Carried) -> Vec<Field> {
    let mut out = Vec::new();
    packet(bytes, 0, carried, &mut out);
    fill(bytes, out)
}

/// Returns the field of a binary message of a WebSocket: one, as it has no packet type.
pub(crate) fn binary_fields(bytes: &[u8], carried: &Carried) -> Vec<Field> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let meaning = format!("{}; a binary message has no packet type", carried.binary);
    vec![Field::of_bytes(
        0..bytes.len(),
        "binary data",
        text::hex(bytes, SHOWN),
        meaning,
        "Engine.IO 4, Packet encoding, WebSocket",
    )]
}

fn packet(bytes: &[u8], at: usize, carried: &Carried, out: &mut Vec<Field>) {
    let Some((first, data)) = bytes.split_first() else { return };
    let Some(entry) = packet_type(*first) else {
        let meaning = "wrong: a packet begins with a digit from 0 to 6";
        out.push(Field::of_bytes(
            at..at + bytes.len(),
            "no packet",
            text::shown(bytes, SHOWN),
            meaning,
            ENCODING,
        ));
        return;
    };
    let value = char::from(*first).to_string();
    let field = Field::of_bytes(at..at + 1, "Engine.IO packet type", value, entry.meaning, entry.section);
    out.push(Field { symbol: Some(entry.symbol), ..field });
    if data.is_empty() {
        return;
    }
    match *first {
        b'0' => open(data, at + 1, out),
        b'4' => match (carried.text)(data) {
            Some(fields) => out.extend(fields.into_iter().map(|mut field| {
                field.bits = field.bits.start + (at + 1) * 8..field.bits.end + (at + 1) * 8;
                field
            })),
            None => text_data(data, at + 1, carried.other_text, "Engine.IO 4, Message", out),
        },
        b'2' | b'3' if data == PROBE.as_bytes() => {
            let meaning = "a try whether this WebSocket carries packets both ways";
            text_data(data, at + 1, meaning, "Engine.IO 4, Upgrade", out);
        }
        _ => text_data(data, at + 1, "nothing that this type of packet needs", ENCODING, out),
    }
}

fn text_data(data: &[u8], at: usize, meaning: &str, section: &'static str, out: &mut Vec<Field>) {
    let mut meaning = meaning.to_owned();
    if std::str::from_utf8(data).is_err() {
        meaning.push_str("; wrong: not UTF-8");
    }
    let shown = text::shown(data, SHOWN);
    out.push(Field::of_bytes(at..at + data.len(), "Engine.IO data", shown, meaning, section));
}

/// Adds the members of an open packet's data if it is an object. Brackets of nested values stay with their
/// member.
fn open(data: &[u8], at: usize, out: &mut Vec<Field>) {
    let section = "Engine.IO 4, Handshake";
    let Ok(Value::Object(object)) = serde_json::from_slice(data) else {
        return text_data(data, at, "wrong: the data of an open packet is a JSON object", section, out);
    };
    for range in members(data) {
        let piece = &data[range.clone()];
        let key = member_key(piece);
        let said = key.as_deref().and_then(|key| handshake::meaning(key, &object));
        let bytes = range.start + at..range.end + at;
        let field = match said {
            Some(meaning) => Field::of_bytes(bytes, "handshake", text::shown(piece, SHOWN), meaning, section),
            None if piece.len() == 1 => {
                Field::of_bytes(bytes, "punctuation", text::shown(piece, SHOWN), "JSON", "RFC 8259 §2")
            }
            None => {
                let meaning = "a key that the document doesn't name";
                Field::of_bytes(bytes, "handshake", text::shown(piece, SHOWN), meaning, section)
            }
        };
        out.push(field);
    }
}

/// The key of `"key":value`.
fn member_key(piece: &[u8]) -> Option<String> {
    let object = [b"{", piece, b"}"].concat();
    let object: serde_json::Map<String, Value> = serde_json::from_slice(&object).ok()?;
    object.keys().next().cloned()
}

fn base64(data: &[u8], at: usize, carried: &Carried, out: &mut Vec<Field>) {
    let meaning = "binary follows, as Base64; it has no packet type, as it is always a message";
    out.push(Field::of_bytes(at..at + 1, "binary prefix", "b".into(), meaning, POLLING));
    if data.is_empty() {
        return;
    }
    let (value, meaning) = match data_encoding::BASE64.decode(data) {
        Ok(bytes) => (text::hex(&bytes, SHOWN), format!("{}, shown decoded", carried.binary)),
        Err(error) => (text::shown(data, SHOWN), format!("wrong: not Base64 at byte {}", error.position)),
    };
    out.push(Field::of_bytes(at + 1..at + 1 + data.len(), "Base64 data", value, meaning, POLLING));
}

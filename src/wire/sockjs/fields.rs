//! The fields of frames, messages and response bodies.

use std::ops::Range;

use super::{
    Uplink,
    json::{self, Piece, Shape, What, has_surrogates},
    tables::{FRAMES_SECTION, MESSAGES_SECTION, close_code, frame_type},
    transport::{Part, Transport, part},
    walk_messages,
};
use crate::wire::{Malformed, field::Field, text};

/// Characters shown of a text.
const SHOWN: usize = 200;

const JSON_ARRAY: &str = "RFC 8259 §5";
const JSON_BLANK: &str = "RFC 8259 §2";

/// Returns the fields of a server's frame or of a client's messages; the first byte tells which.
///
/// They cover every bit once. A malformed part says so.
pub fn fields(bytes: &[u8]) -> Vec<Field> {
    let mut out = Vec::new();
    frame_fields(bytes, 0, &mut out);
    out
}

/// Returns the fields of a response body of this transport, which may be incomplete.
pub fn body_fields(transport: Transport, bytes: &[u8]) -> Vec<Field> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        match part(transport, rest, at == 0) {
            Ok(Some((Part::Prelude, length))) => {
                out.push(prelude(transport, at..at + length, &rest[..length]));
                at += length;
            }
            Ok(Some((Part::Frame(range, frame), length))) => {
                packed(transport, rest, at, &range, &frame, &mut out);
                around(transport, at + range.end..at + length, rest, at, &mut out);
                at += length;
            }
            Ok(None) => {
                let value = text::shown(rest, SHOWN);
                let meaning = "the beginning of a frame; the rest has not come";
                out.push(Field::of_bytes(at..bytes.len(), "Cut off", value, meaning, transport.section()));
                break;
            }
            Err(error) => {
                malformed(&error.behind(at), at, rest, &mut out);
                break;
            }
        }
    }
    out
}

fn prelude(transport: Transport, at: Range<usize>, bytes: &[u8]) -> Field {
    let (value, meaning) = match bytes {
        [b'\n'] | [b'\r', b'\n'] => (text::escape(bytes), "an empty line: nothing"),
        [b'h', ..] => {
            (format!("h, {} times, and \\n", bytes.len() - 1), "filler, so that old browsers begin to read")
        }
        _ => (text::shown(bytes, SHOWN), "the head of the page"),
    };
    Field::of_bytes(at, "Prelude", value, meaning, transport.section())
}

/// A frame in its packing, up to the frame's last byte.
fn packed(
    transport: Transport,
    rest: &[u8],
    at: usize,
    range: &Range<usize>,
    frame: &[u8],
    out: &mut Vec<Field>,
) {
    around(transport, at..at + range.start, rest, at, out);
    let raw = &rest[range.clone()];
    if raw == frame {
        frame_fields(raw, at + range.start, out);
        return;
    }
    let value = text::shown(frame, SHOWN);
    let meaning = match super::Frame::parse(frame) {
        Ok(_) => "a frame, shown without the escapes of its transport".into(),
        Err(error) => format!("wrong: {error}"),
    };
    out.push(Field::of_bytes(at + range.start..at + range.end, "Frame", value, meaning, transport.section()));
}

/// What the transport puts before or behind a frame; `rest` begins at `at`.
fn around(transport: Transport, bytes: Range<usize>, rest: &[u8], at: usize, out: &mut Vec<Field>) {
    if bytes.is_empty() {
        return;
    }
    let value = text::shown(&rest[bytes.start - at..bytes.end - at], SHOWN);
    let meaning = match transport {
        Transport::WebSocket | Transport::XhrStreaming | Transport::Xhr => "ends the frame",
        Transport::EventSource => "a Server-Sent Event around the frame",
        Transport::HtmlFile | Transport::Jsonp => "a script around the frame, which hands it to the page",
    };
    out.push(Field::of_bytes(bytes, "Packing", value, meaning, transport.section()));
}

/// The fields of one frame or of messages, which stand at `at`.
fn frame_fields(bytes: &[u8], at: usize, out: &mut Vec<Field>) {
    let Some(first) = bytes.first() else { return };
    let mut pieces = Vec::new();
    let mut shape = Shape::Array;
    let mut section = FRAMES_SECTION;
    let mut done = 0;
    let result = match (first, frame_type(*first)) {
        (b'[' | b'"' | b' ' | b'\t' | b'\r' | b'\n', _) => {
            section = MESSAGES_SECTION;
            walk_messages(bytes, Uplink::WebSocket, &mut pieces)
        }
        (_, None) => Err(super::unknown(bytes)),
        (letter, Some(entry)) => {
            let value = char::from(*letter).to_string();
            let name = Field::of_bytes(at..at + 1, "Frame type", value, entry.meaning, entry.section);
            out.push(Field { symbol: Some(entry.symbol), ..name });
            done = 1;
            match letter {
                b'a' => json::walk(bytes, 1, Shape::Array, &mut pieces),
                b'c' => {
                    shape = Shape::Close;
                    json::walk(bytes, 1, Shape::Close, &mut pieces)
                }
                _ => super::alone(bytes),
            }
        }
    };
    for piece in pieces {
        done = piece.bytes.end;
        out.push(json_field(piece, at, bytes, shape, section));
    }
    if let Err(error) = result {
        malformed(&error.behind(at), at + done, &bytes[done..], out);
    }
}

fn json_field(piece: Piece, at: usize, bytes: &[u8], shape: Shape, section: &'static str) -> Field {
    let range = at + piece.bytes.start..at + piece.bytes.end;
    let raw = &bytes[piece.bytes];
    match piece.what {
        What::Blank => {
            Field::of_bytes(range, "Whitespace", text::escape(raw), "means nothing in JSON", JSON_BLANK)
        }
        What::Begin => Field::of_bytes(range, "Array begins", "[".into(), "a JSON array", JSON_ARRAY),
        What::Comma => Field::of_bytes(range, "Separator", ",".into(), "one more follows", JSON_ARRAY),
        What::End => Field::of_bytes(range, "Array ends", "]".into(), "no more follow", JSON_ARRAY),
        What::Code(code) => {
            let entry = close_code(code);
            let meaning = entry.map_or("a code that nobody has defined", |entry| entry.meaning);
            let section = entry.map_or(FRAMES_SECTION, |entry| entry.section);
            let symbol = entry.map(|entry| entry.reason).filter(|reason| !reason.is_empty());
            Field { symbol, ..Field::of_bytes(range, "Code", code.to_string(), meaning, section) }
        }
        What::Text(value) => {
            let shown = text::shown(value.to_string().as_bytes(), SHOWN);
            let mut meaning = match shape {
                Shape::Close => "why, for people".to_owned(),
                _ => "a message, as a JSON string".to_owned(),
            };
            if !value.is_unicode() {
                meaning.push_str("; half a surrogate pair is in it, shown as U+FFFD");
            } else if raw.contains(&b'\\') {
                meaning.push_str("; shown without its escapes");
                if has_surrogates(&value) {
                    meaning.push_str(", of which two make one character beyond U+FFFF");
                }
            }
            let name = if shape == Shape::Close { "Reason" } else { "Message" };
            Field::of_bytes(range, name, shown, meaning, section)
        }
    }
}

/// Adds the field of the malformed rest, which begins at `at`.
fn malformed(error: &Malformed, at: usize, rest: &[u8], out: &mut Vec<Field>) {
    if rest.is_empty() {
        // The input ends too early: the last field says so.
        if let Some(last) = out.last_mut() {
            last.meaning.push_str(&format!("; then wrong: needed {}, had {}", error.needed, error.had));
        }
        return;
    }
    let value = text::shown(rest, SHOWN);
    let meaning = format!("wrong: {}: needed {}, had {}", error.place(), error.needed, error.had);
    out.push(Field::of_bytes(at..at + rest.len(), "Malformed", value, meaning, error.section));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::{field, sockjs::TRANSPORTS};

    fn shown(fields: Vec<Field>) -> Vec<(Range<usize>, &'static str, String)> {
        fields.into_iter().map(|field| (field.bytes(), field.name, field.value)).collect()
    }

    #[test]
    fn a_frame_of_messages_is_told_piece_by_piece() {
        assert_eq!(
            shown(fields(b"a[\"hello\",\"\\u00e9\"]")),
            [
                (0..1, "Frame type", "a".into()),
                (1..2, "Array begins", "[".into()),
                (2..9, "Message", "hello".into()),
                (9..10, "Separator", ",".into()),
                (10..18, "Message", "é".into()),
                (18..19, "Array ends", "]".into()),
            ]
        );
    }

    #[test]
    fn a_close_frame_tells_code_and_reason() {
        let all = fields(b"c[2010,\"Another connection still open\"]");
        assert_eq!((all[2].name, all[2].symbol), ("Code", Some("Another connection still open")));
        assert_eq!((all[4].name, all[4].value.as_str()), ("Reason", "Another connection still open"));
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        let all = fields(b"a[\"x\",7]");
        let last = all.last().unwrap();
        assert_eq!((last.bytes(), last.name), (6..8, "Malformed"));
        assert_eq!(last.meaning, "wrong: message at byte 6: needed a JSON string in quotes, had \"7]\"");
        let all = fields(b"a");
        assert!(
            all[0].meaning.ends_with("; then wrong: needed [, as messages come in an array, had nothing")
        );
    }

    #[test]
    fn a_body_is_told_with_its_packing() {
        let body = [Transport::XhrStreaming.prelude(), b"o\nh\na[\"".to_vec()].concat();
        let all = shown(body_fields(Transport::XhrStreaming, &body));
        assert_eq!(all[0], (0..2049, "Prelude", "h, 2048 times, and \\n".into()));
        assert_eq!(all[1], (2049..2050, "Frame type", "o".into()));
        assert_eq!(all[2], (2050..2051, "Packing", "\\n".into()));
        assert_eq!(all[5], (2053..2056, "Cut off", "a[\"".into()));
    }

    proptest! {
        #[test]
        fn every_bit_is_told_once(
            bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..60),
                "[oahc]?[\\[\\]\",0-9a-z\\\\ ]{0,30}".prop_map(String::into_bytes),
                "(data: |/\\*\\*/f\\(|<script>|h{3}|o)?[\\[\\]\"a-z\\\\% \r\n();]{0,40}".prop_map(String::into_bytes),
            ],
        ) {
            prop_assert_eq!(field::check(bytes.len() * 8, &fields(&bytes)), Ok(()));
            for transport in TRANSPORTS {
                prop_assert_eq!(field::check(bytes.len() * 8, &body_fields(transport, &bytes)), Ok(()));
            }
        }
    }
}

//! The bytes of frames as fields: every bit has a name, also in frames that are wrong or cut off.

use std::ops::Range;

use super::{Header, LengthForm, close_code, mask, opcode, opcode_entry};
use crate::wire::field::{Field, fill};
use crate::wire::text;

const BASE: &str = "RFC 6455 §5.2";

/// Characters of text, or bytes of anything else, shown of a payload.
const SHOWN: usize = 120;

/// Returns the fields of consecutive frames, named as in RFC 6455 §5.2. Payloads are shown unmasked.
///
/// A frame that is cut off ends with what is there, and says how much is missing and which field claimed it.
pub fn fields(bytes: &[u8]) -> Vec<Field> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        at = frame(bytes, at, &mut out);
    }
    fill(bytes, out)
}

/// Decodes the frame at byte `at`. Returns the offset of the next.
fn frame(bytes: &[u8], at: usize, out: &mut Vec<Field>) -> usize {
    let input = &bytes[at..];
    first_byte(input[0], at, out);
    if input.len() == 1 {
        return bytes.len();
    }
    second_byte(input[1], at, out);
    let header = match Header::parse(input) {
        Ok(header) => header,
        Err(incomplete) => {
            if input.len() > 2 {
                let meaning =
                    format!("cut off: the header has {} bytes, {} are here", incomplete.needed, input.len());
                let value = text::hex(&input[2..], SHOWN);
                out.push(Field::of_bytes(at + 2..bytes.len(), "header continued", value, meaning, BASE));
            }
            return bytes.len();
        }
    };
    if header.form != LengthForm::Seven {
        out.push(extended_length(&header, at + 2));
    }
    let payload_at = at + header.size();
    if let Some(key) = header.key {
        let meaning = "payload byte i is XORed with byte i mod 4 of this; fresh for each frame";
        out.push(Field::of_bytes(
            payload_at - 4..payload_at,
            "Masking-key",
            text::hex(&key, 4),
            meaning,
            "RFC 6455 §5.3",
        ));
    }
    // What the length claims may be more than memory could hold: only what is here is looked at.
    let here = bytes.len() - payload_at;
    let length = usize::try_from(header.length).unwrap_or(usize::MAX).min(here);
    let end = payload_at + length;
    payload(&header, &bytes[payload_at..end], payload_at, out);
    end
}

fn first_byte(byte: u8, at: usize, out: &mut Vec<Field>) {
    let bit = at * 8;
    let fin =
        if byte & 0x80 != 0 { "the last frame of its message" } else { "more frames of this message follow" };
    out.push(flag(bit, "FIN", byte & 0x80, fin, "RFC 6455 §5.4"));
    for (index, name) in ["RSV1", "RSV2", "RSV3"].into_iter().enumerate() {
        let value = byte & (0x40 >> index);
        let meaning =
            if value == 0 { "no extension uses it" } else { "wrong, unless an extension gave it a meaning" };
        out.push(flag(bit + 1 + index, name, value, meaning, BASE));
    }
    let entry = opcode_entry(byte);
    out.push(Field {
        bits: bit + 4..bit + 8,
        name: "Opcode",
        value: format!("{:#x}", entry.number),
        symbol: Some(entry.symbol),
        meaning: entry.meaning.into(),
        section: entry.section,
    });
}

fn second_byte(byte: u8, at: usize, out: &mut Vec<Field>) {
    let bit = at * 8 + 8;
    let masked = if byte & 0x80 != 0 {
        "the payload is masked, as a client's must be"
    } else {
        "not masked: right from a server, never from a client"
    };
    out.push(flag(bit, "MASK", byte & 0x80, masked, "RFC 6455 §5.1"));
    let length = byte & 0x7f;
    let meaning = match length {
        126 => "the next 2 bytes are the length".into(),
        127 => "the next 8 bytes are the length".into(),
        1 => "1 byte of payload".into(),
        length => format!("{length} bytes of payload"),
    };
    let value = length.to_string();
    out.push(Field {
        bits: bit + 1..bit + 8,
        name: "Payload len",
        value,
        symbol: None,
        meaning,
        section: BASE,
    });
}

fn extended_length(header: &Header, at: usize) -> Field {
    let mut meaning = format!("{} bytes of payload", header.length);
    if header.length >> 63 == 1 {
        meaning.push_str("; wrong: the top bit must be 0");
    } else if !header.is_minimal() {
        meaning.push_str("; wrong: it fits into a shorter form");
    }
    let bytes = at..at + header.form.extra_bytes();
    Field::of_bytes(bytes, "Extended payload length", header.length.to_string(), meaning, BASE)
}

fn payload(header: &Header, wire: &[u8], at: usize, out: &mut Vec<Field>) {
    let mut plain = wire.to_vec();
    if let Some(key) = header.key {
        mask(&mut plain, key);
    }
    let mut note = String::new();
    if header.key.is_some() {
        note.push_str(", shown unmasked");
    }
    let missing = header.length - wire.len() as u64;
    if missing > 0 {
        note.push_str(&format!("; cut off: the payload length claims {missing} more"));
    }
    let end = at + plain.len();
    // A body of one byte can't hold a code.
    if header.opcode == opcode::CLOSE && plain.len() >= 2 {
        let code = u16::from_be_bytes([plain[0], plain[1]]);
        let entry = close_code(code);
        let meaning = format!("{}{note}", entry.meaning);
        let code = Field::of_bytes(at..at + 2, "Status code", code.to_string(), meaning, entry.section);
        out.push(Field { symbol: Some(entry.symbol), ..code });
        let value = text::shown(&plain[2..], SHOWN);
        out.push(Field::of_bytes(at + 2..end, "Reason", value, format!("why{note}"), "RFC 6455 §5.5.1"));
        return;
    }
    let (value, meaning, section) = match header.opcode {
        opcode::TEXT => (text::shown(&plain, SHOWN), "text", "RFC 6455 §5.6"),
        opcode::BINARY => (text::hex(&plain, SHOWN), "bytes", "RFC 6455 §5.6"),
        opcode::CONTINUATION => {
            (text::shown(&plain, SHOWN), "goes on with the message under way", "RFC 6455 §5.4")
        }
        opcode::PING | opcode::PONG => {
            (text::shown(&plain, SHOWN), "any bytes; the Pong repeats them", "RFC 6455 §5.5.3")
        }
        opcode::CLOSE => (text::hex(&plain, SHOWN), "wrong: a code has two bytes", "RFC 6455 §5.5.1"),
        _ => (text::hex(&plain, SHOWN), "of a reserved opcode", BASE),
    };
    out.push(Field::of_bytes(at..end, "Payload Data", value, format!("{meaning}{note}"), section));
}

fn flag(bit: usize, name: &'static str, value: u8, meaning: &str, section: &'static str) -> Field {
    let bits: Range<usize> = bit..bit + 1;
    let value = u8::from(value != 0).to_string();
    Field { bits, name, value, symbol: None, meaning: meaning.into(), section }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::field;
    use crate::wire::websocket::Frame;

    fn shown(bytes: &[u8]) -> Vec<(Range<usize>, &'static str, String)> {
        fields(bytes).into_iter().map(|field| (field.bits, field.name, field.value)).collect()
    }

    #[test]
    fn a_masked_text_frame_is_told_bit_by_bit() {
        let bytes = Frame::new(opcode::TEXT, "Hello").masked([0x37, 0xfa, 0x21, 0x3d]).encode();
        assert_eq!(
            shown(&bytes),
            [
                (0..1, "FIN", "1".into()),
                (1..2, "RSV1", "0".into()),
                (2..3, "RSV2", "0".into()),
                (3..4, "RSV3", "0".into()),
                (4..8, "Opcode", "0x1".into()),
                (8..9, "MASK", "1".into()),
                (9..16, "Payload len", "5".into()),
                (16..48, "Masking-key", "37 fa 21 3d".into()),
                (48..88, "Payload Data", "Hello".into()),
            ]
        );
    }

    #[test]
    fn a_close_frame_tells_code_and_reason() {
        let all = fields(&Frame::new(opcode::CLOSE, b"\x03\xe8bye").encode());
        let [code, reason] = &all[7..] else { panic!("{all:?}") };
        assert_eq!(
            (code.value.as_str(), code.symbol, reason.value.as_str()),
            ("1000", Some("Normal Closure"), "bye")
        );
    }

    #[test]
    fn what_is_cut_off_names_the_field_that_claimed_it() {
        let all = fields(b"\x81\x05He");
        assert_eq!(all.last().unwrap().meaning, "text; cut off: the payload length claims 3 more");
        let all = fields(b"\x81\xfe\x00");
        assert_eq!(all.last().unwrap().meaning, "cut off: the header has 8 bytes, 3 are here");
        let all = fields(b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff");
        assert!(all.last().unwrap().meaning.ends_with("wrong: the top bit must be 0"));
    }

    #[test]
    fn frames_follow_each_other() {
        let bytes = [Frame::new(opcode::PING, "").encode(), Frame::new(opcode::TEXT, "a").encode()].concat();
        assert_eq!(shown(&bytes).iter().filter(|(_, name, _)| *name == "FIN").count(), 2);
    }

    proptest! {
        #[test]
        fn every_bit_is_told_once(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(field::check(bytes.len() * 8, &fields(&bytes)), Ok(()));
        }
    }
}

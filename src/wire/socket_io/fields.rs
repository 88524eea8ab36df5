//! The fields of a packet, also of a malformed one: in its payload the event name and each argument.

use std::ops::Range;

use serde_json::Value;

use super::{ACKNOWLEDGEMENT, DATA, ENCODING, Kind, Layout, Packet, each_placeholder, packet_type};
use crate::wire::field::{Field, fill};
use crate::wire::{json::members, text};

/// Characters shown of a value.
const SHOWN: usize = 120;

/// Returns the fields of the data of an Engine.IO message, without its `4`.
pub fn fields(bytes: &[u8]) -> Vec<Field> {
    let mut out = Vec::new();
    let Some(entry) = bytes.first().copied().and_then(packet_type) else {
        if !bytes.is_empty() {
            let meaning = "wrong: a packet begins with a digit from 0 to 6";
            let shown = text::shown(bytes, SHOWN);
            out.push(Field::of_bytes(0..bytes.len(), "no packet", shown, meaning, ENCODING));
        }
        return out;
    };
    let layout = Layout::of(bytes);
    let shown = |range: &Range<usize>| text::shown(&bytes[range.clone()], SHOWN);
    let mut push = |range: &Range<usize>, name, meaning: &str, section| {
        if !range.is_empty() {
            out.push(Field::of_bytes(range.clone(), name, shown(range), meaning, section));
        }
    };
    push(&(0..1), "Socket.IO packet type", entry.meaning, entry.section);
    push(&layout.attachments, "number of attachments", "so many binary messages follow", ENCODING);
    push(&layout.hyphen, "hyphen", "ends the number", ENCODING);
    push(&layout.namespace, "namespace", namespace_meaning(&layout), ENCODING);
    push(&layout.comma, "comma", "ends the namespace", ENCODING);
    let id = match entry.symbol {
        "ACK" | "BINARY_ACK" => "answers the event with this id",
        _ => "asks for an ACK with this id",
    };
    push(&layout.id, "acknowledgment id", id, ACKNOWLEDGEMENT);
    out[0].symbol = Some(entry.symbol);
    payload(bytes, &layout, &mut out);
    // The error may be at a place that has no field.
    if let (Err(error), Some(last)) = (Packet::parse(bytes), out.last_mut()) {
        last.meaning.push_str(&format!("; wrong: {error}"));
    }
    fill(bytes, out)
}

fn namespace_meaning(layout: &Layout) -> &'static str {
    if layout.comma.is_empty() {
        "where it belongs; wrong: no comma ends it"
    } else {
        "where it belongs; / is not written"
    }
}

fn payload(bytes: &[u8], layout: &Layout, out: &mut Vec<Field>) {
    let range = layout.payload.clone();
    if range.is_empty() {
        return;
    }
    let json = &bytes[range.clone()];
    let kind = Kind::of_digit(bytes[0]);
    let whole = |meaning: &str, section| {
        vec![Field::of_bytes(range.clone(), "payload", text::shown(json, SHOWN), meaning, section)]
    };
    out.extend(match (kind, serde_json::from_slice::<Value>(json)) {
        (_, Err(_)) => whole("what it says, as JSON", ENCODING),
        (Some(Kind::Connect), _) => whole(
            "from a client: who it is, in the application's own words; from a server: the ID that it gets in this namespace",
            "Socket.IO 5, Connection to a namespace",
        ),
        (Some(Kind::ConnectError), _) => whole("why not", "Socket.IO 5, Connection to a namespace"),
        (Some(kind), Ok(Value::Array(items))) => array(json, range.start, kind, &items),
        _ => whole("what it says, as JSON", ENCODING),
    });
}

/// The brackets, the commas, and what stands between them.
fn array(json: &[u8], start: usize, kind: Kind, items: &[Value]) -> Vec<Field> {
    let event = matches!(kind, Kind::Event | Kind::BinaryEvent);
    let mut out = Vec::new();
    let mut values = items.iter().enumerate();
    for range in members(json) {
        let bytes = range.start + start..range.end + start;
        let shown = text::shown(&json[range.clone()], SHOWN);
        let piece = &json[range];
        let field = if matches!(piece, b"[" | b"]" | b",") {
            Field::of_bytes(bytes, "punctuation", shown, "JSON", "RFC 8259 §2")
        } else if piece.trim_ascii().is_empty() {
            Field::of_bytes(bytes, "punctuation", shown, "white space", "RFC 8259 §2")
        } else {
            match values.next() {
                Some((0, _)) if event => {
                    let meaning = "which of the application's events this is";
                    Field::of_bytes(bytes, "event name", shown, meaning, DATA)
                }
                value => {
                    let meaning = value.map_or_else(String::new, |(_, value)| argument(value, kind));
                    Field::of_bytes(bytes, "argument", shown, meaning, DATA)
                }
            }
        };
        out.push(field);
    }
    out
}

fn argument(value: &Value, kind: Kind) -> String {
    let mut numbers = Vec::new();
    if kind.is_binary() {
        each_placeholder(std::slice::from_ref(value), &mut |number| {
            numbers.push(number.map_or("?".into(), |number| number.to_string()));
        });
    }
    match numbers.as_slice() {
        [] => "what the application says".into(),
        [one] => format!("here stands attachment {one}, of the binary messages that follow"),
        more => format!("here stand the attachments {}, of the binary messages that follow", more.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::field;

    fn shown(bytes: &str) -> Vec<(&'static str, String)> {
        fields(bytes.as_bytes()).into_iter().map(|field| (field.name, field.value)).collect()
    }

    #[test]
    fn every_part_has_its_name() {
        assert_eq!(
            shown(r#"52-/chat,13["a,b",{"_placeholder":true,"num":0}, [1,2]]"#),
            [
                ("Socket.IO packet type", "5".into()),
                ("number of attachments", "2".into()),
                ("hyphen", "-".into()),
                ("namespace", "/chat".into()),
                ("comma", ",".into()),
                ("acknowledgment id", "13".into()),
                ("punctuation", "[".into()),
                ("event name", "\"a,b\"".into()),
                ("punctuation", ",".into()),
                ("argument", r#"{"_placeholder":true,"num":0}"#.into()),
                ("punctuation", ",".into()),
                ("argument", " [1,2]".into()),
                ("punctuation", "]".into()),
            ]
        );
        assert_eq!(shown("1"), [("Socket.IO packet type", "1".into())]);
        assert_eq!(shown("312[]").len(), 4);
    }

    #[test]
    fn a_placeholder_says_what_stands_there() {
        let all = fields(br#"51-["m",{"a":{"_placeholder":true,"num":0}}]"#);
        let argument = all.iter().find(|field| field.name == "argument").unwrap();
        assert_eq!(argument.meaning, "here stands attachment 0, of the binary messages that follow");
    }

    #[test]
    fn what_is_wrong_is_told_where_it_ends() {
        for packet in ["2", "2{}", "2[", "5[\"a\"]", "2/chat[\"a\"]", "1{}", "2[\"connect\"]"] {
            let all = fields(packet.as_bytes());
            assert!(all.last().unwrap().meaning.contains("; wrong: "), "{packet}");
        }
    }

    proptest! {
        #[test]
        fn every_bit_is_told_once(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(field::check(bytes.len() * 8, &fields(&bytes)), Ok(()));
        }

        #[test]
        fn every_bit_of_what_looks_like_a_packet_is_told_once(text in "[0-7][0-9]{0,2}-?(/[a,]{0,3})?[0-9]{0,2}[\\[\\]{}\",a0 \\\\]{0,12}") {
            prop_assert_eq!(field::check(text.len() * 8, &fields(text.as_bytes())), Ok(()));
        }
    }
}

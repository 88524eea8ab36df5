//! Fields of both layers: Engine.IO packets, and the Socket.IO packets that their messages carry.

use crate::wire::{
    engine_io::{self, Carried},
    field::Field,
};

const CARRIED: Carried = Carried {
    text: |data| super::packet_type(*data.first()?).map(|_| super::fields(data)),
    other_text: "the message; no packet of Socket.IO",
    binary: "the bytes for which a placeholder of the packet before stands",
};

/// An HTTP body: packets and the separators between them.
pub fn body_fields(body: &[u8]) -> Vec<Field> {
    engine_io::fields(body, &CARRIED)
}

/// A text message of a WebSocket: one packet.
pub fn packet_fields(bytes: &[u8]) -> Vec<Field> {
    engine_io::packet_fields(bytes, &CARRIED)
}

/// A binary message of a WebSocket: one field, as it has no packet type.
pub(crate) fn binary_fields(bytes: &[u8]) -> Vec<Field> {
    engine_io::binary_fields(bytes, &CARRIED)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::field;

    fn shown(fields: Vec<Field>) -> Vec<(&'static str, String)> {
        fields.into_iter().map(|field| (field.name, field.value)).collect()
    }

    #[test]
    fn both_layers_are_named() {
        let all = body_fields(b"42[\"msg\",\"hello\"]");
        let symbols: Vec<_> = all.iter().filter_map(|field| field.symbol).collect();
        assert_eq!(symbols, ["message", "EVENT"]);
        assert_eq!(
            shown(all),
            [
                ("Engine.IO packet type", "4".into()),
                ("Socket.IO packet type", "2".into()),
                ("punctuation", "[".into()),
                ("event name", "\"msg\"".into()),
                ("punctuation", ",".into()),
                ("argument", "\"hello\"".into()),
                ("punctuation", "]".into()),
            ]
        );
    }

    #[test]
    fn a_body_has_packets_with_separators() {
        assert_eq!(
            shown(body_fields(b"4hello\x1e2\x1ebAQIDBA==")),
            [
                ("Engine.IO packet type", "4".into()),
                ("Engine.IO data", "hello".into()),
                ("separator", "\\x1e".into()),
                ("Engine.IO packet type", "2".into()),
                ("separator", "\\x1e".into()),
                ("binary prefix", "b".into()),
                ("Base64 data", "01 02 03 04".into()),
            ]
        );
    }

    #[test]
    fn the_handshake_is_told_member_by_member() {
        let all = body_fields(br#"0{"sid":"a,b","upgrades":["websocket"],"pingInterval":25000,"x":{}}"#);
        let meanings: Vec<_> = all.iter().filter(|field| field.name == "handshake").collect();
        assert_eq!(meanings.len(), 4);
        assert_eq!(meanings[0].value, "\"sid\":\"a,b\"");
        assert_eq!(meanings[2].meaning, "the server sends a ping every 25000 ms");
    }

    #[test]
    fn what_is_wrong_is_told_as_wrong() {
        for body in [b"7x".as_slice(), b"0[]", b"b!", b"4\xff", b"0{"] {
            assert!(body_fields(body).iter().any(|field| field.meaning.contains("wrong")), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn every_bit_is_told_once(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            for fields in [body_fields(&bytes), packet_fields(&bytes), binary_fields(&bytes)] {
                prop_assert_eq!(field::check(bytes.len() * 8, &fields), Ok(()));
            }
        }
    }
}

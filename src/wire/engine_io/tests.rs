use proptest::prelude::*;

use super::*;

fn text(kind: Kind, data: &str) -> Packet {
    Packet::Text(kind, data.into())
}

#[test]
fn the_examples_of_the_document() {
    let body = b"4hello\x1e2\x1e4world";
    let packets = [Packet::message("hello"), Packet::empty(Kind::Ping), Packet::message("world")];
    assert_eq!(parse_payload(body).unwrap(), packets);
    assert_eq!(encode_payload(&packets), body);

    let body = b"4hello\x1ebAQIDBA==";
    let packets = [Packet::message("hello"), Packet::Binary(vec![1, 2, 3, 4])];
    assert_eq!(parse_payload(body).unwrap(), packets);
    assert_eq!(encode_payload(&packets), body);

    assert_eq!(Packet::parse(b"2probe").unwrap(), text(Kind::Ping, PROBE));
    assert_eq!(text(Kind::Pong, PROBE).encode(), (opcode::TEXT, b"3probe".to_vec()));
    assert_eq!(Packet::Binary(vec![0, 1]).encode(), (opcode::BINARY, vec![0, 1]));
}

#[test]
fn the_handshake_of_the_document() {
    let data = r#"{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
    let handshake = Handshake::parse(data).unwrap();
    assert_eq!(
        (handshake.sid.as_str(), handshake.ping_interval, handshake.ping_timeout, handshake.max_payload),
        ("lv_VI97HAXpY6yYWAAAC", 25000, 20000, Some(1_000_000))
    );
    assert_eq!(handshake.upgrades, ["websocket"]);
    assert_eq!(handshake.encode(), data);
}

/// On a WebSocket there is no separator and no prefix: a record separator is data, and b no packet type.
#[test]
fn a_message_of_a_websocket_is_one_packet() {
    assert_eq!(Packet::parse(b"4a\x1e4b").unwrap(), Packet::message("a\x1e4b"));
    assert_eq!(Packet::parse(b"bAQ==").unwrap_err().field, "packet type");
}

/// Body, then field, offset and what the error says was needed. All are fatal: a session can't know what it
/// missed.
#[test]
fn each_malformed_body_is_named_with_its_place() {
    let digit = "a digit from 0 to 6";
    let base64 = "Base64 with its padding";
    let cases: &[(&[u8], &str, usize, &str)] = &[
        (b"", "packet type", 0, digit),
        (b"7", "packet type", 0, digit),
        (b"9hello", "packet type", 0, digit),
        (b"hello", "packet type", 0, digit),
        (b" 4hello", "packet type", 0, digit),
        (b"\x00", "packet type", 0, digit),
        (b"\xff4", "packet type", 0, digit),
        (b"4a\x1e", "packet type", 3, digit),
        (b"\x1e4a", "packet type", 0, digit),
        (b"4a\x1e\x1e4b", "packet type", 3, digit),
        (b"4a\x1ex", "packet type", 3, digit),
        (b"4a\xff", "data", 2, "UTF-8"),
        (b"2\xc3(", "data", 1, "UTF-8"),
        (b"4\xed\xa0\x80", "data", 1, "UTF-8"),
        (b"b!", "Base64 data", 1, base64),
        (b"bAQIDBA", "Base64 data", 5, base64),
        (b"4a\x1ebAQ=", "Base64 data", 4, base64),
        (b"bA Q=", "Base64 data", 2, base64),
        (b"bAR==", "Base64 data", 2, base64),
        (b"bAQ==AQ==x", "Base64 data", 9, base64),
    ];
    for (body, field, offset, needed) in cases {
        let error = parse_payload(body).expect_err(&crate::wire::text::escape(body));
        assert_eq!((&*error.field, error.index(), &*error.needed), (*field, *offset, *needed), "{error}");
        assert!(error.section.starts_with("Engine.IO 4, Packet encoding"));
    }
    let error = parse_payload(b"4a\x1e7b").unwrap_err();
    assert_eq!(
        error.to_string(),
        "packet type at byte 3: needed a digit from 0 to 6, had \"7b\" (Engine.IO 4, Packet encoding)"
    );
}

#[test]
fn a_handshake_that_lacks_something_is_named_by_it() {
    let cases = [
        ("", "handshake data"),
        ("{", "handshake data"),
        ("[]", "handshake data"),
        ("null", "handshake data"),
        ("{}", "sid"),
        (r#"{"sid":""}"#, "sid"),
        (r#"{"sid":1}"#, "sid"),
        (r#"{"sid":"a"}"#, "upgrades"),
        (r#"{"sid":"a","upgrades":"websocket"}"#, "upgrades"),
        (r#"{"sid":"a","upgrades":[1]}"#, "upgrades"),
        (r#"{"sid":"a","upgrades":[]}"#, "pingInterval"),
        (r#"{"sid":"a","upgrades":[],"pingInterval":"1"}"#, "pingInterval"),
        (r#"{"sid":"a","upgrades":[],"pingInterval":-1}"#, "pingInterval"),
        (r#"{"sid":"a","upgrades":[],"pingInterval":1}"#, "pingTimeout"),
        (r#"{"sid":"a","upgrades":[],"pingInterval":1,"pingTimeout":1,"maxPayload":"1"}"#, "maxPayload"),
    ];
    for (data, field) in cases {
        let error = Handshake::parse(data).expect_err(data);
        assert_eq!((&*error.field, error.section), (field, "Engine.IO 4, Handshake"), "{data}");
    }
    let old = r#"{"sid":"a","upgrades":[],"pingInterval":1,"pingTimeout":1}"#;
    assert_eq!(Handshake::parse(old).unwrap().max_payload, None);
}

pub(super) fn packets() -> impl Strategy<Value = Vec<Packet>> {
    let one = prop_oneof![
        (0usize..7, "[^\u{1e}]{0,12}").prop_map(|(kind, data)| Packet::Text(Kind::ALL[kind], data)),
        proptest::collection::vec(any::<u8>(), 0..12).prop_map(Packet::Binary),
    ];
    proptest::collection::vec(one, 1..6)
}

proptest! {
    #[test]
    fn what_is_encoded_is_read_back(packets in packets()) {
        prop_assert_eq!(&parse_payload(&encode_payload(&packets)).unwrap(), &packets);
        for packet in packets {
            let (opcode, bytes) = packet.encode();
            let read = if opcode == opcode::TEXT { Packet::parse(&bytes).unwrap() } else { Packet::Binary(bytes) };
            prop_assert_eq!(read, packet);
        }
    }

    #[test]
    fn what_is_read_is_written_again(body in "[0-7b]?[0-9A-Za-z+/=]{0,9}(\u{1e}[0-7b]?[A-Za-z+/=]{0,9}){0,3}") {
        if let Ok(packets) = parse_payload(body.as_bytes()) {
            prop_assert_eq!(encode_payload(&packets), body.as_bytes());
        }
    }

    #[test]
    fn no_input_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), text: String) {
        let _ = (parse_payload(&bytes), Packet::parse(&bytes), Handshake::parse(&text), Query::parse(&text));
    }
}

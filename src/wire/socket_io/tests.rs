use proptest::prelude::*;

use super::{assemble::MAX_ATTACHMENTS, *};
use crate::wire::{engine_io, text};

fn read(text: &str) -> Packet {
    Packet::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// All examples of §Packet encoding.
#[test]
fn the_examples_of_the_document() {
    let some = json!({"sid": "wZX3oN0bSVIhsaknAAAI"});
    let cases = [
        (Packet::connect("/", None), "0"),
        (Packet::connect("/", Some(some)), r#"0{"sid":"wZX3oN0bSVIhsaknAAAI"}"#),
        (Packet::connect("/admin", None), "0/admin,"),
        (
            Packet::connect("/admin", Some(json!({"sid": "oSO0OpakMV_3jnilAAAA"}))),
            r#"0/admin,{"sid":"oSO0OpakMV_3jnilAAAA"}"#,
        ),
        (Packet::connect_error("/", "Not authorized"), r#"4{"message":"Not authorized"}"#),
        (Packet::event("/", None, "foo", vec![]), r#"2["foo"]"#),
        (Packet::event("/admin", None, "bar", vec![]), r#"2/admin,["bar"]"#),
        (
            Packet::event("/", None, "baz", vec![placeholder(0)]).with_attachments(1),
            r#"51-["baz",{"_placeholder":true,"num":0}]"#,
        ),
        (
            Packet::event("/admin", None, "baz", vec![placeholder(0), placeholder(1)]).with_attachments(2),
            r#"52-/admin,["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
        ),
        (Packet::event("/", Some(12), "foo", vec![]), r#"212["foo"]"#),
        (Packet::ack("/", 12, vec![]), "312[]"),
        (Packet::event("/admin", Some(13), "foo", vec![]), r#"2/admin,13["foo"]"#),
        (Packet::ack("/admin", 13, vec![json!("bar")]), r#"3/admin,13["bar"]"#),
        (
            Packet::event("/", Some(14), "foo", vec![placeholder(0)]).with_attachments(1),
            r#"51-14["foo",{"_placeholder":true,"num":0}]"#,
        ),
        (
            Packet::ack("/", 15, vec![json!("bar"), placeholder(0)]).with_attachments(1),
            r#"61-15["bar",{"_placeholder":true,"num":0}]"#,
        ),
        (Packet::disconnect("/"), "1"),
        (Packet::disconnect("/admin"), "1/admin,"),
    ];
    for (packet, text) in cases {
        assert_eq!(packet.encode(), text);
        assert_eq!(read(text), packet);
    }
}

#[test]
fn an_event_has_a_name_and_arguments() {
    let packet = read(r#"2/chat,7["msg","hello",{"a":[1]}]"#);
    assert_eq!((packet.event_name(), packet.id), (Some("msg"), Some(7)));
    assert_eq!(packet.arguments(), [json!("hello"), json!({"a": [1]})]);
    assert_eq!(read("37[1,2]").arguments(), [json!(1), json!(2)]);
    assert_eq!(read("37[1,2]").event_name(), None);
}

/// Packet, then field, offset, and whose rule it is. The document wants the connection closed where a payload
/// is not what it must be; with any other of these the receiver doesn't know what was said, and ends it too.
#[test]
fn each_malformed_packet_is_named_with_its_place() {
    const CONNECTION: &str = "Socket.IO 5, Connection to a namespace";
    let cases: &[(&[u8], &str, usize, &str)] = &[
        (b"", "packet type", 0, ENCODING),
        (b"7", "packet type", 0, ENCODING),
        (b"9[]", "packet type", 0, ENCODING),
        (b"hello", "packet type", 0, ENCODING),
        (b"\xff", "packet", 0, ENCODING),
        (b"2[\"\xed\xa0\x80\"]", "packet", 3, ENCODING),
        (b"5[\"a\"]", "number of attachments", 1, ENCODING),
        (b"5-[\"a\"]", "number of attachments", 1, ENCODING),
        (b"50-[\"a\"]", "number of attachments", 1, ENCODING),
        (b"51[\"a\"]", "number of attachments", 2, ENCODING),
        (b"51e0-[\"a\"]", "number of attachments", 2, ENCODING),
        (b"54294967296-[\"a\"]", "number of attachments", 1, ENCODING),
        (b"6-1[]", "number of attachments", 1, ENCODING),
        (b"2/chat[\"a\"]", "namespace", 11, ENCODING),
        (b"1/admin", "namespace", 7, ENCODING),
        (b"218446744073709551616[\"a\"]", "acknowledgment id", 1, ENCODING),
        (b"3[]", "acknowledgment id", 1, ACKNOWLEDGEMENT),
        (b"3/admin,[]", "acknowledgment id", 8, ACKNOWLEDGEMENT),
        (b"2", "payload", 1, DATA),
        (b"2[]", "payload", 1, DATA),
        (b"2{}", "payload", 1, DATA),
        (b"2\"a\"", "payload", 1, DATA),
        (b"2[\"a\"", "payload", 5, ENCODING),
        (b"2[\"a\",]", "payload", 6, ENCODING),
        (b"2[\"a\"]x", "payload", 6, ENCODING),
        (b"21e3[\"a\"]", "payload", 2, ENCODING),
        (b"2-1[\"a\"]", "payload", 3, ENCODING),
        (b"2 [\"a\"", "payload", 6, ENCODING),
        (b"2[null]", "event name", 1, REFERENCE),
        (b"2[{}]", "event name", 1, REFERENCE),
        (b"2[\"disconnect\"]", "event name", 1, REFERENCE),
        (b"2/chat,[\"connect\",1]", "event name", 7, REFERENCE),
        (b"0[]", "payload", 1, CONNECTION),
        (b"0\"token\"", "payload", 1, CONNECTION),
        (b"0null", "payload", 1, CONNECTION),
        (b"1{}", "payload", 1, "Socket.IO 5, Disconnection from a namespace"),
        (b"31", "payload", 2, ACKNOWLEDGEMENT),
        (b"31{}", "payload", 2, ACKNOWLEDGEMENT),
        (b"4\"no\"", "payload", 1, "Socket.IO 5, Difference between v5 and v4"),
        (b"51-[\"a\",{\"_placeholder\":true,\"num\":1}]", "placeholder", 3, ENCODING),
        (b"51-[\"a\",{\"_placeholder\":true,\"num\":-1}]", "placeholder", 3, ENCODING),
        (b"61-1[{\"_placeholder\":true}]", "placeholder", 4, ENCODING),
    ];
    for (packet, field, offset, section) in cases {
        let error = Packet::parse(packet).expect_err(&text::escape(packet));
        assert_eq!((&*error.field, error.index(), error.section), (*field, *offset, *section), "{error}");
    }
    let error = Packet::parse(b"2/chat[\"a\"]").unwrap_err();
    assert_eq!(
        error.to_string(),
        "namespace at byte 11: needed a comma behind it, had nothing (Socket.IO 5, Packet encoding)"
    );
}

#[test]
fn an_object_that_looks_like_a_placeholder_is_one_only_where_bytes_follow() {
    let packet = read(r#"2["a",{"_placeholder":true,"num":7}]"#);
    assert_eq!((packet.kind, packet.attachments), (Kind::Event, 0));
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = format!("2[\"a\",{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(Packet::parse(deep.as_bytes()).unwrap_err().field, "payload");
    assert!(!fields(deep.as_bytes()).is_empty());
}

#[test]
fn bytes_are_put_back_in_their_places() {
    let mut assembler = Assembler::new();
    let text = r#"52-["m",{"b":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]"#;
    assert_eq!(assembler.text(text.as_bytes()).unwrap(), None);
    assert_eq!(assembler.due(), 2);
    assert_eq!(assembler.binary(vec![1]).unwrap(), None);
    let message = assembler.binary(vec![2, 3]).unwrap().unwrap();
    assert_eq!(message.attachments, [vec![1], vec![2, 3]]);
    assert_eq!(placeholder_number(&message.packet.arguments()[1]), Some(0));
    assert_eq!(message.encode().len(), 3);
    assert!(assembler.text(b"2[\"next\"]").unwrap().is_some());
}

#[test]
fn what_comes_out_of_turn_is_refused() {
    let mut assembler = Assembler::new();
    assert_eq!(assembler.binary(vec![1]).unwrap_err().field, "packet");
    assembler.text(br#"51-["m",{"_placeholder":true,"num":0}]"#).unwrap();
    assert_eq!(assembler.text(b"2[\"a\"]").unwrap_err().field, "attachment");
    let many = format!("5{}-[\"m\"]", MAX_ATTACHMENTS + 1);
    assert_eq!(Assembler::new().text(many.as_bytes()).unwrap_err().field, "number of attachments");
}

/// Values that JSON and a 64-bit float both hold exactly.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            proptest::collection::btree_map("[a-z]{0,4}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn packets() -> impl Strategy<Value = Packet> {
    let namespace = prop_oneof![Just("/".to_owned()), "/[a-z\u{e9}/?=]{0,6}[a-z]"];
    let arguments = proptest::collection::vec(values(), 0..4);
    (namespace, any::<Option<u64>>(), arguments, 0u32..4, 0usize..5).prop_map(
        |(namespace, id, mut arguments, attachments, kind)| {
            arguments.extend((0..attachments).map(placeholder));
            let data = json!({ "a": arguments.clone() });
            match kind {
                0 => Packet::connect(&namespace, id.map(|_| data)),
                1 => Packet::disconnect(&namespace),
                2 => Packet::connect_error(&namespace, "no"),
                3 => Packet::ack(&namespace, id.unwrap_or(0), arguments).with_attachments(attachments),
                _ => Packet::event(&namespace, id, "msg", arguments).with_attachments(attachments),
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_encoded_is_read_back(packet in packets()) {
        prop_assert_eq!(Packet::parse(packet.encode().as_bytes()), Ok(packet));
    }

    #[test]
    fn a_message_goes_through_engine_io_and_back(packet in packets(), bytes: [u8; 3]) {
        let attachments = (0..packet.attachments).map(|_| bytes.to_vec()).collect();
        let message = Message { packet, attachments };
        let body = engine_io::encode_payload(&message.encode());
        let mut assembler = Assembler::new();
        let mut found = None;
        for packet in engine_io::parse_payload(&body).unwrap() {
            prop_assert!(found.is_none());
            found = match packet {
                engine_io::Packet::Text(_, data) => assembler.text(data.as_bytes()).unwrap(),
                engine_io::Packet::Binary(data) => assembler.binary(data).unwrap(),
            };
        }
        prop_assert_eq!(found, Some(message));
    }

    #[test]
    fn no_input_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = Packet::parse(&bytes);
    }
}

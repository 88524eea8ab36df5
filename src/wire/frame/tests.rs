use super::*;
use crate::wire::{
    field,
    flow::Flows,
    icmp::Message,
    tcp::{Flags, Header, SackBlocks, TcpOption},
    websocket::{Frame, opcode},
};

fn protocols(frame: &[u8], payload: Payload) -> Vec<(Protocol, bool)> {
    let dissection = dissect(frame, Context { seen: None, payload });
    assert_eq!(field::check(frame.len() * 8, &dissection.fields), Ok(()));
    dissection.layers.iter().map(|layer| (layer.protocol, layer.quoted)).collect()
}

fn segment(payload: &[u8]) -> Vec<u8> {
    let (from, to) = ("10.0.0.1:40000".parse().unwrap(), "10.0.0.2:7000".parse().unwrap());
    build::tcp(from, to, &Header { flags: Flags::ACK, ..Header::new(0, 0) }, payload)
}

#[test]
fn the_layers_of_a_segment() {
    let plain = |frame: &[u8], payload| -> Vec<Protocol> {
        protocols(frame, payload).into_iter().map(|(protocol, _)| protocol).skip(3).collect()
    };
    assert_eq!(plain(&segment(b""), Payload::Guess), []);
    assert_eq!(plain(&segment(b"hello"), Payload::Guess), [Protocol::Data]);
    assert_eq!(plain(&segment(b"GET / HTTP/1.1\r\n\r\n"), Payload::Guess), [Protocol::Http]);
    assert_eq!(plain(&segment(b"HTTP/1.1 101 \r\n"), Payload::Guess), [Protocol::Http]);
    assert_eq!(plain(&segment(b"GET / HTTP/1.1\r\n\r\n"), Payload::Data), [Protocol::Data]);
    let frame = Frame::new(opcode::TEXT, "hello").encode();
    assert_eq!(plain(&segment(&frame), Payload::WebSocket), [Protocol::WebSocket]);
}

#[test]
fn bits_count_from_the_start_of_the_frame() {
    let frame = segment(b"GET / HTTP/1.1\r\n\r\n");
    let dissection = dissect(&frame, Context::default());
    let method = dissection.fields.iter().find(|field| field.name == "method").unwrap();
    assert_eq!(method.bytes(), 54..57);
}

#[test]
fn what_the_conversation_knows_stands_in_brackets() {
    let (from, to) = ("10.0.0.1:40000".parse().unwrap(), "10.0.0.2:7000".parse().unwrap());
    let scale = [TcpOption::WindowScale(7)];
    let syn = Header { sequence: 99, flags: Flags::SYN, options: &scale, ..Header::new(0, 0) };
    let answer = Header { sequence: 499, acknowledgment: 100, flags: Flags::SYN | Flags::ACK, ..syn };
    let block = [TcpOption::Sack(SackBlocks::new(&[(510, 520)]))];
    let ack = Header {
        sequence: 100,
        acknowledgment: 500,
        flags: Flags::ACK,
        window: 502,
        options: &block,
        ..Header::new(0, 0)
    };
    let mut flows = Flows::default();
    flows.see_frame(&build::tcp(from, to, &syn, b""));
    flows.see_frame(&build::tcp(to, from, &answer, b""));
    let frame = build::tcp(from, to, &ack, b"");
    let seen = flows.see_frame(&frame);
    let out = dissect(&frame, Context { seen: seen.as_ref(), payload: Payload::Guess }).fields;
    let value = |name: &str| out.iter().find(|field| field.name == name).unwrap().value.clone();
    assert_eq!(value("Sequence Number"), "100 [relative 1]");
    assert_eq!(value("Acknowledgment Number"), "500 [relative 1]");
    assert_eq!(value("Window"), "502 [scaled 64256]");
    assert_eq!(
        (value("Left Edge"), value("Right Edge")),
        ("510 [relative 11]".into(), "520 [relative 21]".into())
    );
}

#[test]
fn an_error_quotes_a_datagram_that_is_taken_apart() {
    let about = segment(b"hello");
    let error = Message::error(3, 3, &about[14..]);
    let frame = build::icmp([10, 0, 0, 2].into(), [10, 0, 0, 1].into(), &error);
    let expected = [
        (Protocol::Ethernet, false),
        (Protocol::Ipv4, false),
        (Protocol::Icmp, false),
        (Protocol::Ipv4, true),
        (Protocol::Tcp, true),
    ];
    assert_eq!(protocols(&frame, Payload::Guess), expected);
    let dissection = dissect(&frame, Context::default());
    let last = dissection.fields.last().unwrap();
    assert_eq!(last.name, "Sequence Number");
    let note = "cut off: Acknowledgment Number should follow, but the quotation ends here";
    assert!(last.meaning.ends_with(note), "{}", last.meaning);
    assert!(dissection.layer(Protocol::Tcp).is_none());
}

#[test]
fn a_quotation_in_a_quotation_stays_whole() {
    let inner = Message::error(3, 3, &segment(b"")[14..]);
    let inner = build::icmp([10, 0, 0, 2].into(), [10, 0, 0, 1].into(), &inner);
    let outer = Message { kind: 3, code: 1, rest: [0; 4], body: inner[14..].to_vec() };
    let frame = build::icmp([10, 0, 0, 3].into(), [10, 0, 0, 2].into(), &outer);
    let dissection = dissect(&frame, Context::default());
    assert_eq!(dissection.fields.last().unwrap().name, "quoted datagram");
}

#[test]
fn padding_is_ethernets() {
    let mut frame = segment(b"");
    frame.resize(60, 0);
    let dissection = dissect(&frame, Context::default());
    assert_eq!(dissection.layer(Protocol::Trailer).unwrap().bytes, 54..60);
    assert_eq!(dissection.fields.last().unwrap().name, "trailer");
}

#[test]
fn what_is_cut_off_names_the_field() {
    let frame = segment(b"hello");
    let cut = dissect(&frame[..40], Context::default());
    let last = cut.fields.last().unwrap();
    assert_eq!((last.name, last.value.as_str()), ("Sequence Number", "00 00"));
    assert_eq!(last.meaning, "cut off: 4 bytes, but the frame ends after 2 of them");
    let length = cut.fields.iter().find(|field| field.name == "Total Length").unwrap();
    assert!(length.meaning.ends_with("cut off: claims 19 more than are here"), "{}", length.meaning);
}

#[test]
fn nothing_is_a_frame_without_fields() {
    assert!(dissect(&[], Context::default()).fields.is_empty());
    assert!(!begins_like_http(b"") && !begins_like_http(b"hello HTTP/1.1 x"));
}

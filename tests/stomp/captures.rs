//! Sessions that programs of others had, frame by frame.

use std::fs;

use sockwalk::wire::{
    field, fuzz,
    stomp::{Frame, FrameReader, Item, Sender, Version, check, fields},
    websocket,
};

fn file(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/data/captures/{name}.bin", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// All frames, judged; and how many line ends there are outside of them.
fn frames(octets: &[u8], from: Sender) -> (Vec<Frame>, usize) {
    fuzz::stomp(octets);
    assert_eq!(field::check(octets.len() * 8, &fields(octets)), Ok(()));
    let mut reader = FrameReader::default();
    let (mut frames, mut line_ends) = (Vec::new(), 0);
    reader.push(octets);
    while let Some(item) = reader.take().unwrap() {
        match item {
            Item::Frame { frame, .. } => {
                // stomp.py 9.0.0 names no host unless it is told to; the specification says that it MUST.
                let nameless = frame.command == "STOMP" && frame.header("host").is_none();
                let judged = check(&frame, from, Version::V12).map_err(|breach| breach.had);
                assert_eq!(judged, if nameless { Err("no header host".to_owned()) } else { Ok(()) });
                frames.push(frame);
            }
            Item::LineEnd { .. } => line_ends += 1,
        }
    }
    assert!(reader.is_between_frames());
    (frames, line_ends)
}

fn commands(octets: &[u8], from: Sender) -> (Vec<String>, usize) {
    let (frames, line_ends) = frames(octets, from);
    (frames.into_iter().map(|frame| frame.command).collect(), line_ends)
}

/// What the messages of a WebSocket carry, one after the other.
fn unframed(mut octets: &[u8]) -> Vec<u8> {
    let head = octets.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    octets = &octets[head + 4..];
    let mut reader = websocket::FrameReader::new();
    let mut out = Vec::new();
    while let Some(piece) = reader.next(&mut octets) {
        if piece.header.opcode == websocket::opcode::TEXT {
            websocket::unmask_onto(&mut out, piece.bytes, piece.header.key, piece.index);
        }
    }
    out
}

#[test]
fn sessions_over_tcp_are_read_to_their_end() {
    let asked = ["STOMP", "SUBSCRIBE", "SEND", "DISCONNECT"].map(str::to_owned).to_vec();
    let answered = ["CONNECTED", "MESSAGE", "RECEIPT"].map(str::to_owned).to_vec();
    for (name, line_ends) in [("11h-stomp-tcp-coilmq", 0), ("11i-stomp-tcp-rabbitmq", 3)] {
        assert_eq!(commands(&file(&format!("{name}.c1.c2s")), Sender::Client), (asked.clone(), 0));
        assert_eq!(commands(&file(&format!("{name}.c1.s2c")), Sender::Server), (answered.clone(), line_ends));
    }
}

#[test]
fn a_session_over_a_websocket_is_a_stream_too() {
    let client = unframed(&file("11g-stomp-rabbitmq-ws-nopmd.c1.c2s"));
    let asked = ["CONNECT", "SUBSCRIBE", "SEND", "DISCONNECT"].map(str::to_owned).to_vec();
    assert_eq!(commands(&client, Sender::Client), (asked, 0));
    let server = unframed(&file("11g-stomp-rabbitmq-ws-nopmd.c1.s2c"));
    let (frames, line_ends) = frames(&server, Sender::Server);
    assert_eq!((frames.len(), line_ends), (2, 2), "RabbitMQ ends each frame with an end of line");
    assert_eq!((frames[1].header("content-length"), frames[1].body.as_slice()), (Some("5"), &b"hello"[..]));
}

#[test]
fn cr_repeated_headers_and_null_in_a_body_are_read_as_rabbitmq_reads_them() {
    let (asked, _) = frames(&file("11k-stomp-tcp-curl-errors.c4.c2s"), Sender::Client);
    let (answered, _) = frames(&file("11k-stomp-tcp-curl-errors.c4.s2c"), Sender::Server);
    let send = asked.iter().find(|frame| frame.command == "SEND").unwrap();
    let message = answered.iter().find(|frame| frame.command == "MESSAGE").unwrap();
    assert_eq!((send.body.as_slice(), send.header("foo")), (&b"a\0b"[..], Some("1")));
    assert_eq!((message.body.as_slice(), message.header("foo")), (&b"a\0b"[..], Some("1")));
    let (errors, _) = frames(&file("11k-stomp-tcp-curl-errors.c2.s2c"), Sender::Server);
    assert_eq!(errors[0].header("version"), Some("1.0,1.1,1.2"));
}

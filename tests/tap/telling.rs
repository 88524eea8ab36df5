//! What is told of what passes, on the screen and in files; how it ends; and what is refused.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
};

use data_encoding::HEXLOWER;
use serde_json::Value;
use sockwalk::{
    analysis::capture::Capture,
    wire::{
        tcp::Segment,
        websocket::{Frame, opcode},
    },
};

use crate::{
    support::{Folder, run, stderr, stdout},
    tap::harness::Tap,
};

/// The opening handshake of RFC 6455 §1.3.
const REQUEST: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Bytes from one end come to the other.
fn pass(mut from: &TcpStream, mut to: &TcpStream, bytes: &[u8]) {
    from.write_all(bytes).unwrap();
    let mut came = vec![0; bytes.len()];
    to.read_exact(&mut came).unwrap();
    assert_eq!(came, bytes);
}

fn upgraded(tap: &Tap) -> (TcpStream, TcpStream) {
    let (client, server) = tap.connect();
    pass(&client, &server, REQUEST);
    pass(&server, &client, RESPONSE);
    (client, server)
}

#[test]
fn a_websocket_is_told_from_its_handshake_to_its_close() {
    let mut tap = Tap::start(&[]);
    let (client, server) = upgraded(&tap);
    let key = [1, 2, 3, 4];
    pass(&client, &server, &Frame::new(opcode::TEXT, "he").unfinished().masked(key).encode());
    pass(&client, &server, &Frame::new(opcode::CONTINUATION, "llo\x1b[2J").masked(key).encode());
    // A server that masks, and reserves bits that nobody agreed on.
    let wrong = Frame::new(opcode::TEXT, b"\xff".to_vec()).masked(key).with_rsv(true, false, false);
    pass(&server, &client, &wrong.encode());
    pass(&server, &client, &Frame::new(opcode::CLOSE, b"\x03\xe8bye".to_vec()).encode());
    for end in [&client, &server] {
        end.shutdown(Shutdown::Both).unwrap();
    }
    drop((client, server));
    tap.closed(1);
    let told = tap.stop();
    for line in [
        "request GET /chat HTTP/1.1",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "response HTTP/1.1 101 Switching Protocols",
        "upgraded to a WebSocket",
        "frame text without FIN masked, 2 bytes \"he\"",
        r#"frame continuation masked, 7 bytes "llo\x1b[2J""#,
        "text message is whole: 9 bytes in 2 frames",
        "the server breaks a rule: a server masks no frame (RFC 6455 §5.1)",
        "the server breaks a rule: RSV1 to RSV3 are 0 unless an extension was agreed on (RFC 6455 §5.2)",
        "the server breaks a rule: a text message is UTF-8 (RFC 6455 §5.6, §8.1)",
        "frame close 1000 Normal Closure, 5 bytes \"bye\"",
        "closed in order",
    ] {
        assert!(told.contains(line), "{line}\n-- is not in\n{told}");
    }
    assert!(!told.contains('\x1b'), "{told}");
}

#[test]
fn a_compressed_message_is_told_inflated_and_an_answer_that_does_not_fit_is_named() {
    let mut tap = Tap::start(&[]);
    let (client, server) = tap.connect();
    pass(&client, &server, REQUEST);
    let response = String::from_utf8_lossy(RESPONSE)
        .replace("s3pPLMB", "S3pPLMB")
        .replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
    pass(&server, &client, response.as_bytes());
    // RFC 7692 §7.2.3.1 and §7.2.3.2: the second refers to the first.
    for payload in [&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..], &[0xf2, 0x00, 0x11, 0x00, 0x00]] {
        let frame = Frame::new(opcode::TEXT, payload.to_vec()).with_rsv(true, false, false);
        pass(&server, &client, &frame.encode());
    }
    drop((client, server));
    let told = tap.stop();
    for line in [
        "the server breaks a rule: Sec-WebSocket-Accept follows from the key: needed s3pPLMB",
        "upgraded to a WebSocket: what follows in both directions are frames, with permessage-deflate",
        "frame text RSV1, 7 bytes f2 48 cd c9 c9 07 00",
        r#"text message is whole: 5 bytes, inflated from 7 "Hello""#,
        r#"text message is whole: 5 bytes, inflated from 5 "Hello""#,
    ] {
        assert!(told.contains(line), "{line}\n-- is not in\n{told}");
    }
}

#[test]
fn what_messages_carry_is_told_in_a_row_each() {
    let mut tap = Tap::start(&[]);
    let (client, server) = tap.connect();
    let request = String::from_utf8_lossy(REQUEST).replace("/chat", "/socket.io/?EIO=4&transport=websocket");
    pass(&client, &server, request.as_bytes());
    pass(&server, &client, RESPONSE);
    let open = r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;
    for payload in [open, "2", r#"42["msg","hello"]"#] {
        pass(&server, &client, &Frame::new(opcode::TEXT, payload).encode());
    }
    pass(&client, &server, &Frame::new(opcode::TEXT, "42{}").masked([1, 2, 3, 4]).encode());
    drop((client, server));
    let (client, server) = tap.connect();
    pass(&client, &server, b"CONNECT\naccept-version:1.2\nhost:a\n\n\0");
    pass(&server, &client, b"CONNECTED\nversion:1.2\n\n\0");
    pass(&server, &client, b"\n");
    drop((client, server));
    tap.closed(2);
    let told = tap.stop();
    for line in [
        "Engine.IO open session a, a ping every 25000 ms, 20000 ms for the pong",
        "Engine.IO ping still there",
        r#"Socket.IO EVENT msg "hello""#,
        "the client breaks a rule: payload: needed an array that is not empty",
        "STOMP CONNECT accept-version 1.2",
        "STOMP CONNECTED version 1.2",
        "STOMP heart-beat still there",
    ] {
        assert!(told.contains(line), "{line}\n-- is not in\n{told}");
    }
    assert!(!told.contains("Engine.IO message"), "the packet in it says it all: {told}");
}

#[test]
fn what_is_no_http_is_told_read_by_read() {
    let mut tap = Tap::start(&["--plain"]);
    let (client, server) = tap.connect();
    pass(&client, &server, b"\x00\x01\x02\x03");
    pass(&server, &client, b"hello\n");
    drop((client, server));
    let told = tap.stop();
    assert!(told.contains("t1: from the client, 4 bytes 00 01 02 03"), "{told}");
    assert!(told.contains(r#"t1: from the server, 6 bytes "hello\n""#), "{told}");
}

#[test]
fn the_trace_and_the_capture_have_every_byte() {
    let folder = Folder::new();
    let (trace, capture) = (folder.path("tap.jsonl"), folder.path("tap.pcapng"));
    let mut tap = Tap::start(&["--trace", &trace, "--pcap", &capture]);
    let (client, server) = upgraded(&tap);
    let long = Frame::new(opcode::BINARY, vec![7; 100_000]).masked([9; 4]).encode();
    pass(&client, &server, &long);
    drop((client, server));
    tap.stop();
    let sent = [REQUEST, &long].concat();
    let lines: Vec<Value> =
        fs::read_to_string(&trace).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(kinds[..3], ["tap", "accepted", "connected"]);
    assert_eq!(kinds[kinds.len() - 2..], ["gone", "end"]);
    let read: Vec<u8> = lines
        .iter()
        .filter(|line| line["event"] == "read" && line["from"] == "client")
        .flat_map(|line| HEXLOWER.decode(line["bytes"].as_str().unwrap().as_bytes()).unwrap())
        .collect();
    assert!(read == sent, "the trace has other bytes");
    let bytes = fs::read(&capture).unwrap();
    assert!(String::from_utf8_lossy(&bytes[..1024.min(bytes.len())]).contains("made up"));
    let mut reader = Capture::open(&bytes[..]).unwrap();
    let (mut stream, mut next) = (Vec::new(), None);
    while let Some(packet) = reader.next_packet().unwrap() {
        let segment = Segment::parse(packet.bytes).unwrap();
        if segment.destination == tap.address {
            assert!(next.is_none_or(|next| next == segment.sequence), "a number is missing");
            next = Some(segment.sequence_end());
            stream.extend_from_slice(&packet.bytes[segment.payload]);
        }
    }
    assert!(stream == sent, "the capture has other bytes");
}

#[test]
fn a_target_that_refuses_is_told_with_what_to_do() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = gone.local_addr().unwrap();
    for options in [&[][..], &["--quiet"]] {
        let mut tap = Tap::before(TcpListener::bind("127.0.0.1:0").unwrap(), options);
        // The server goes away before anybody calls.
        let target_of_tap = tap.server.local_addr().unwrap();
        tap.server = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(tap.address).unwrap();
        let ended = client.read(&mut [0; 16]);
        assert!(matches!(&ended, Ok(0)) || ended.unwrap_err().kind() == ErrorKind::ConnectionReset);
        tap.process.out("the refusal", |line| line.contains("ECONNREFUSED").then_some(()));
        let told = tap.stop();
        assert!(told.contains(&format!("the server {target_of_tap} can't be reached")), "{told}");
        assert!(told.contains("start the server, or check the port"), "{told}");
        assert!(told.contains("1 not connected"), "{told}");
    }
    drop((gone, target));
}

#[test]
fn ctrl_c_ends_both_streams_and_says_what_there_was() {
    let mut tap = Tap::start(&["--quiet"]);
    let (mut client, mut server) = tap.connect();
    pass(&client, &server, b"hello");
    tap.process.signal("INT");
    assert_eq!(client.read(&mut [0; 16]).unwrap(), 0);
    assert_eq!(server.read(&mut [0; 16]).unwrap(), 0);
    let told = tap.end();
    assert!(told.contains("1 ended with the tap. Clients sent 5 bytes, servers 0"), "{told}");
    assert!(TcpStream::connect(tap.address).is_err(), "nobody listens any more");
}

#[test]
fn ctrl_c_does_not_wait_for_whoever_reads_nothing() {
    let mut tap = Tap::start(&["--quiet"]);
    let (client, server) = tap.connect();
    client.set_nonblocking(true).unwrap();
    while (&client).write(&[0; 65536]).is_ok() {}
    // The tap waits for room at the server, or will at once.
    tap.stop();
    drop(server);
}

#[test]
fn at_the_limit_whoever_calls_waits() {
    let mut tap = Tap::start(&["--connections", "1"]);
    let (first, first_server) = tap.connect();
    let second = TcpStream::connect(tap.address).unwrap();
    (&second).write_all(b"early").unwrap();
    tap.process.out("the limit", |line| line.contains("The limit of 1 at once is reached").then_some(()));
    drop((first, first_server));
    let (mut server, _) = tap.server.accept().unwrap();
    let mut came = [0; 5];
    server.read_exact(&mut came).unwrap();
    assert_eq!(&came, b"early");
    drop((second, server));
    assert!(tap.stop().contains("2 connections, at most 1 at once"));
}

#[test]
fn what_can_not_be_is_refused_with_a_reason() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let cases: [(&[&str], &str); 7] = [
        (&["tap"], "LISTEN"),
        (&["tap", "9001"], "TARGET"),
        (&["tap", "9001", "127.0.0.1:0"], "nobody can be called at port 0"),
        (&["tap", "9001", "127.0.0.1:9000", "--connections", "0"], "--connections"),
        (&["tap", "localhost:9001", "127.0.0.1:9001"], "it would call itself"),
        (&["tap", "9001", "9000", "--transcript", "t.txt"], "--transcript records a lesson"),
        (&["tap", &at, "127.0.0.1:9000"], "can't listen at 127.0.0.1"),
    ];
    for (arguments, words) in cases {
        let output = run(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
    }
    assert!(stdout(&run(&["tap", &at, "127.0.0.1:9000"])).contains("EADDRINUSE"));
}

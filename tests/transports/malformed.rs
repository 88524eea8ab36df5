//! Bytes that break the rules: the peer gets a clear answer, the connection is closed, and nobody waits.

use std::{io::Write, net::TcpStream};

use sockwalk::wire::websocket::{Frame, LengthForm, opcode};

use super::harness::{Caller, Server, answering, exchange};

/// What is sent to a server of HTTP, the status that has to come, and why.
const REQUESTS: &[(&str, u16, &str)] = &[
    ("GET / HTTP/1.1\r\n\r\n", 400, "no Host: RFC 9112 §3.2"),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "two of them: RFC 9112 §3.2"),
    ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "two spaces: RFC 9112 §3"),
    ("GET / HTTP/1.1\nHost: a\n\n", 400, "bare LF: RFC 9112 §2.2"),
    ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "a space before the colon: RFC 9112 §5.1"),
    ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400, "a folded line: RFC 9112 §5.2"),
    ("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400, "RFC 9112 §5"),
    ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "RFC 9110 §15.6.6"),
    ("GET / HTTP/x\r\nHost: a\r\n\r\n", 400, "RFC 9112 §2.3"),
    ("G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "a control byte: RFC 9112 §3"),
    ("\x16\x03\x01\x02\x00\x01\x00\x01", 400, "TLS: RFC 9112 §3"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "RFC 9112 §6.3"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400, "RFC 9112 §6.3"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, "RFC 9112 §6.3"),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "both: RFC 9112 §6.1",
    ),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "RFC 9112 §6.1"),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        400,
        "a size that is none: RFC 9112 §7.1",
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
        400,
        "more than the size: RFC 9112 §7.1",
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        400,
        "RFC 9112 §7.1",
    ),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413, "RFC 9110 §15.5.14"),
];

#[test]
fn each_malformed_request_has_its_status_and_an_end() {
    for transport in ["http", "poll", "long-poll", "sse"] {
        let mut server = Server::start(transport, &[]);
        for (bytes, status, why) in REQUESTS {
            let answer = String::from_utf8(exchange(server.port, bytes.as_bytes())).unwrap();
            let begins = format!("HTTP/1.1 {status} ");
            assert!(
                answer.starts_with(&begins),
                "{transport}, {bytes:?}: {status} for {why}, and not {answer}"
            );
            assert!(answer.contains("Connection: close\r\n"), "{answer}");
            server.tells(&format!("broken: answered with {status}"));
        }
        // Half a head and half a content are cut off: nobody is left to be answered.
        for half in ["GET / HT", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"] {
            assert_eq!(exchange(server.port, half.as_bytes()), b"");
            server.tells("the stream ended in the");
        }
        server.stop();
    }
}

/// What a server of HTTP answers, to which of our clients, and the words of the error.
const RESPONSES: &[(&str, &str, &str)] = &[
    ("http", "", "the stream ended before the response was whole"),
    ("http", "HTTP/1.1 200 OK\r\nContent-Le", "the stream ended before the response was whole"),
    ("http", "HTTP/1.1 2x0 OK\r\n\r\n", "RFC 9112 §4"),
    ("http", "\x01\x02\x03", "needed HTTP"),
    ("http", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "CR before LF"),
    ("http", "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello", "RFC 9112 §6.3"),
    ("http", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "in the content of a response"),
    (
        "http",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "in the content of a response",
    ),
    ("http", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n", "chunk-size"),
    ("http", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n", "chunk-data"),
    ("http", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops", "answers 500"),
    ("http", "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "answers 302"),
    ("poll", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "a list of messages in JSON"),
    ("poll", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "a list of messages in JSON"),
    ("long-poll", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[{\"id\":-1}", "a list of messages in JSON"),
    ("long-poll", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "answers 503"),
    ("sse", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", "needed text/event-stream"),
    ("sse", "HTTP/1.1 200 OK\r\n\r\ndata: a\n\n", "needed text/event-stream"),
    ("sse", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answers 404"),
    ("sse", "HTTP/1.1 204 No Content\r\n\r\n", "wants no more calls"),
    (
        "sse",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "chunk-size",
    ),
    (
        "sse",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n7\r\ndata: a",
        "in the content of a response",
    ),
    ("websocket", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "answers 200 and not 101"),
    (
        "websocket",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
        "RFC 6455 §4.1",
    ),
];

#[test]
fn each_malformed_response_is_named_and_the_client_ends() {
    for (transport, answer, words) in RESPONSES {
        let port = answering(vec![answer.as_bytes().to_vec(); 2]);
        let scheme = if *transport == "websocket" { "ws" } else { "http" };
        let texts: &[&str] =
            if *transport == "http" { &["hello", "--wait", "20s"] } else { &["--wait", "20s"] };
        let ended = Caller::start(transport, &format!("{scheme}://127.0.0.1:{port}/"), texts).end();
        assert_eq!(ended.code, Some(1), "{transport}, {answer:?}: {}", ended.out);
        assert!(ended.out.contains(words), "{transport}, {answer:?}: {words}, and not {}", ended.out);
        assert!(!ended.out.contains('\x01'), "what came is escaped");
    }
}

/// Frames to our server, what the Close says that answers them, and the section.
fn frames() -> Vec<(Vec<u8>, u16, &'static str)> {
    const KEY: [u8; 4] = [1, 2, 3, 4];
    let masked = |code, payload: &[u8]| Frame::new(code, payload.to_vec()).masked(KEY);
    vec![
        (Frame::new(opcode::TEXT, "a").encode(), 1002, "§5.1"),
        (masked(opcode::TEXT, b"a").with_rsv(true, false, false).encode(), 1002, "§5.2"),
        (masked(opcode::TEXT, b"a").with_rsv(false, true, false).encode(), 1002, "§5.2"),
        (masked(0x3, b"").encode(), 1002, "§5.2"),
        (masked(0xb, b"").encode(), 1002, "§5.2"),
        (masked(opcode::TEXT, b"a").with_form(LengthForm::Sixteen).encode(), 1002, "§5.2"),
        (masked(opcode::TEXT, b"a").with_form(LengthForm::SixtyFour).encode(), 1002, "§5.2"),
        (masked(opcode::BINARY, b"").claiming(1 << 63).encode(), 1002, "§5.2"),
        (masked(opcode::BINARY, b"").claiming(1 << 40).encode(), 1009, "§10.4"),
        (masked(opcode::PING, &[0; 126]).encode(), 1002, "§5.5"),
        (masked(opcode::PING, b"").unfinished().encode(), 1002, "§5.5"),
        (masked(opcode::CONTINUATION, b"a").encode(), 1002, "§5.4"),
        (
            [masked(opcode::TEXT, b"a").unfinished().encode(), masked(opcode::TEXT, b"b").encode()].concat(),
            1002,
            "§5.4",
        ),
        (masked(opcode::TEXT, b"\xc3\x28").encode(), 1007, "§8.1"),
        (masked(opcode::TEXT, b"\xe2\x82").encode(), 1007, "§8.1"),
        (masked(opcode::CLOSE, b"\x03").encode(), 1002, "§5.5.1"),
        (masked(opcode::CLOSE, &1005_u16.to_be_bytes()).encode(), 1002, "§7.4.1"),
        (masked(opcode::CLOSE, b"\x03\xe8\xff").encode(), 1007, "§5.5.1"),
    ]
}

#[test]
fn each_malformed_frame_is_answered_with_its_code_and_an_end() {
    const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let mut server = Server::start("websocket", &[]);
    for (bytes, code, _) in frames() {
        let answer = exchange(server.port, &[ASK, &bytes].concat());
        let head = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let [0x88, _, high, low, ..] = answer[head..] else {
            panic!("{bytes:02x?}: no Close in {answer:02x?}")
        };
        assert_eq!(u16::from_be_bytes([high, low]), code, "{bytes:02x?}");
        server.tells("broken: ");
    }
    let told = server.stop();
    for ((bytes, code, section), told) in frames().into_iter().zip(told.split("TCP broken: ").skip(1)) {
        let words = format!("answered with {code}");
        assert!(told.contains(section) && told.contains(&words), "{bytes:02x?}: {section}, and not {told}");
    }
}

#[test]
fn a_line_that_never_ends_is_cut_off() {
    let mut server = Server::start("tcp", &["--message", "1k"]);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.write_all(&[b'x'; 2000]).unwrap();
    server.tells("a line of more than 1024 bytes");
    server.stop();
}

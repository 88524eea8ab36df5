//! Conversations, whole and in any pieces, and what is told of them.

use proptest::prelude::*;

use super::*;
use crate::event::{
    StreamEvent,
    stream::{Head, HeadLine},
};
use crate::wire::text;
use crate::wire::websocket::{Frame as Sent, opcode};

const CLIENT: usize = 0;
const SERVER: usize = 1;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A conversation between two programs, and a line for all that is told of it.
struct Talk {
    conversation: Conversation,
    shared: Shared,
    offsets: [u64; 2],
}

impl Talk {
    fn new() -> Talk {
        let ends = ["10.0.0.1:40000".parse().unwrap(), "10.0.0.2:7000".parse().unwrap()];
        let conversation = Conversation::new(ends, CLIENT, true);
        Talk { conversation, shared: Shared::new(Options::default()), offsets: [0; 2] }
    }

    fn upgraded(more: &str) -> Talk {
        let mut talk = Talk::new();
        talk.push(CLIENT, REQUEST);
        assert_eq!(talk.push(SERVER, &granted(ACCEPT, more)), ["server 101", "upgraded"]);
        talk
    }

    fn with(&mut self, take: impl FnOnce(&mut Conversation, &mut Shared, &mut Teller)) -> Vec<String> {
        let mut lines = Vec::new();
        let mut tell = |event: &StreamEvent| lines.extend(line(&event.what));
        let mut teller = Teller { time: None, packet: None, stream: 0, tell: &mut tell };
        take(&mut self.conversation, &mut self.shared, &mut teller);
        lines
    }

    fn push(&mut self, side: usize, bytes: &[u8]) -> Vec<String> {
        let offset = self.offsets[side];
        self.offsets[side] += bytes.len() as u64;
        self.with(|conversation, shared, teller| conversation.take(side, offset, bytes, shared, teller))
    }

    fn miss(&mut self, side: usize, length: u64) -> Vec<String> {
        self.offsets[side] += length;
        self.with(|conversation, shared, teller| conversation.missing(side, length, shared, teller))
    }

    fn end(&mut self) -> Vec<String> {
        let lines = self.with(|conversation, shared, teller| {
            conversation.end(Ending::Open, [0, 0], shared, teller);
        });
        assert_eq!(self.shared.budget.used(), 0, "all memory is given back");
        lines
    }
}

fn line(what: &StreamWhat) -> Option<String> {
    Some(match what {
        StreamWhat::Head(Head { from, line, .. }) => match line {
            HeadLine::Request { method, target } => format!("{} {method} {target}", from.name()),
            HeadLine::Response { status } => format!("{} {status}", from.name()),
            HeadLine::Broken { error } => error.to_string(),
        },
        StreamWhat::Body(body) => format!("body {} {}", body.length, text::escape(&body.shown)),
        StreamWhat::Upgraded(_) => "upgraded".to_owned(),
        StreamWhat::Frame(frame) => format!("frame {}", text::escape(&frame.payload)),
        StreamWhat::Message(message) if message.is_its_frame() => return None,
        StreamWhat::Message(message) => format!("message {}", text::escape(&message.payload)),
        StreamWhat::Layer(layer) => format!("{} {} {}", layer.protocol.name(), layer.kind, layer.words),
        StreamWhat::Violation(broken) => format!("broken {}", broken.section),
        StreamWhat::Unfinished(it) => format!("unfinished {:?} {} of {:?}", it.unit, it.length, it.needed),
        StreamWhat::Data(data) => format!("data {}", text::escape(&data.bytes)),
        _ => return None,
    })
}

fn granted(accept: &str, more: &str) -> Vec<u8> {
    format!("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{more}\r\n")
        .into_bytes()
}

#[test]
fn heads_are_found_behind_bodies_of_every_kind() {
    let mut talk = Talk::new();
    let asked = b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloHEAD /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\nGET /d HTTP/1.1\r\n\r\n";
    let found = talk.push(CLIENT, asked);
    assert_eq!(found, ["client POST /a", "body 5 hello", "client HEAD /b", "client GET /c", "client GET /d"]);
    let answered = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n\
        HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 to the end\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    let found = talk.push(SERVER, answered);
    let wanted = ["server 100", "server 200", "body 5 hello", "server 200", "server 304", "server 200"];
    assert_eq!(found, wanted);
    assert_eq!(talk.end(), ["body 18 GET / HTTP/1.1\\r\\n\\r\\n"]);
}

#[test]
fn frames_that_come_before_the_answer_are_kept_for_it() {
    let mut talk = Talk::new();
    let early = Sent::new(opcode::TEXT, "early").masked([1; 4]).encode();
    assert_eq!(talk.push(CLIENT, &[REQUEST, &early].concat()), ["client GET /"]);
    assert_eq!(talk.push(SERVER, &granted(ACCEPT, "")), ["server 101", "upgraded", "frame early"]);
}

#[test]
fn an_answer_that_does_not_fit_the_key_is_told() {
    for answer in [granted("no", ""), b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n".to_vec()] {
        let mut talk = Talk::new();
        talk.push(CLIENT, REQUEST);
        assert_eq!(talk.push(SERVER, &answer), ["server 101", "broken RFC 6455 §4.2.2 (5.4)", "upgraded"]);
    }
}

#[test]
fn an_upgrade_that_is_refused_leaves_http() {
    let mut talk = Talk::new();
    talk.push(CLIENT, REQUEST);
    talk.push(SERVER, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(talk.push(CLIENT, b"GET /again HTTP/1.1\r\n\r\n"), ["client GET /again"]);
}

#[test]
fn compressed_messages_are_inflated_with_what_came_before() {
    let mut talk = Talk::upgraded("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    let packed = |payload: &[u8]| Sent::new(opcode::TEXT, payload).with_rsv(true, false, false).encode();
    talk.push(SERVER, &packed(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]));
    let found = talk.push(SERVER, &packed(&[0xf2, 0x00, 0x11, 0x00, 0x00]));
    assert_eq!(found.last().map(String::as_str), Some("message Hello"));
    talk.end();
}

#[test]
fn bytes_may_be_missing_within_a_payload_and_elsewhere_the_next_frame_is_looked_for() {
    let mut talk = Talk::upgraded("");
    let frame = Sent::new(opcode::BINARY, vec![b'x'; 1000]).encode();
    assert_eq!(talk.push(SERVER, &frame[..10]), [""; 0]);
    assert_eq!(talk.miss(SERVER, 900), [""; 0]);
    let found = talk.push(SERVER, &frame[910..]);
    assert_eq!(found, [format!("frame {}", "x".repeat(100))], "what came of it");
    assert!(!talk.conversation.is_lost(SERVER));
    talk.miss(SERVER, 1);
    assert!(talk.conversation.is_lost(SERVER) && !talk.conversation.is_lost(CLIENT));
    assert_eq!(talk.push(SERVER, b"rest"), ["data rest"]);
    assert_eq!(talk.push(SERVER, &Sent::new(opcode::TEXT, "again").encode()), ["frame again"]);
    talk.end();
}

#[test]
fn what_is_no_protocol_is_data_to_its_end() {
    let mut talk = Talk::new();
    assert_eq!(talk.push(SERVER, b"220 hello\r\n"), ["data 220 hello\\r\\n"]);
    assert!(talk.conversation.is_other());
    assert_eq!(
        Talk::new().push(CLIENT, b"MESSAGE\nhello"),
        ["data MESSAGE\\nhello"],
        "no session of STOMP begins so"
    );
    assert_eq!(talk.push(CLIENT, b"GET / HTTP/1.1\r\n\r\n"), ["data GET / HTTP/1.1\\r\\n\\r\\n"]);
    talk.end();
}

/// A request, and an answer with this content in chunks as they are given.
fn asked(talk: &mut Talk, request: &str, kind: &str, pieces: &[&[u8]]) -> Vec<String> {
    talk.push(CLIENT, request.as_bytes());
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n");
    talk.push(SERVER, head.as_bytes());
    let mut told = Vec::new();
    for piece in pieces {
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        told.extend(talk.push(SERVER, &chunk));
    }
    told
}

const EVENTS: &str = "GET /events HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn events_are_told_as_they_come_wherever_chunks_end() {
    let mut talk = Talk::new();
    let stream: [&[u8]; 6] = [
        b": hi\r",
        b"\n\r\nid: 7\r\nda",
        b"ta: one\r\n",
        b"\r\n",
        b"event: x\ndata: two\n\ndata: th",
        b"ree\r\r",
    ];
    let told = asked(&mut talk, EVENTS, "text/event-stream; charset=utf-8", &stream);
    let wanted =
        ["SSE comment hi", "SSE message \"one\", id 7", "SSE x \"two\", id 7", "SSE message \"three\", id 7"];
    assert_eq!(told, wanted);
    assert!(talk.push(SERVER, b"0\r\n\r\n")[0].starts_with("body"));
    talk.end();
}

#[test]
fn an_event_is_told_with_its_own_bytes() {
    let mut talk = Talk::new();
    talk.push(CLIENT, EVENTS.as_bytes());
    talk.push(SERVER, b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    let mut bytes = Vec::new();
    let stream = b"retry: 10\nid: 1\ndata: a\n\n\n: c\ndata: b\n\n";
    let mut tell = |event: &StreamEvent| {
        if let StreamWhat::Layer(layer) = &event.what {
            bytes.push(layer.bytes.to_vec());
        }
    };
    let mut teller = Teller { time: None, packet: None, stream: 0, tell: &mut tell };
    talk.conversation.take(SERVER, talk.offsets[SERVER], stream, &mut talk.shared, &mut teller);
    assert_eq!(bytes, [&b"retry: 10\n"[..], b"id: 1\ndata: a\n\n", b": c\n", b"data: b\n\n"]);
    talk.end();
}

#[test]
fn what_other_layers_break_is_named_with_its_section() {
    let post = |body: &str| {
        let head = "POST /socket.io/?EIO=4&transport=polling&sid=a HTTP/1.1\r\nHost: a\r\nContent-Length: ";
        format!("{head}{}\r\n\r\n{body}", body.len())
    };
    let cases = [
        ("8", "broken Engine.IO 4, Packet encoding"),
        ("42{}", "broken Socket.IO 5, Sending and receiving data"),
        ("b!", "broken Engine.IO 4, Packet encoding, HTTP long-polling"),
        ("421[\"connect\"]", "broken socket.io-parser, isPayloadValid"),
    ];
    for (body, broken) in cases {
        let mut talk = Talk::new();
        let told = talk.push(CLIENT, post(body).as_bytes());
        assert_eq!(
            told.iter().filter(|line| line.starts_with("broken")).collect::<Vec<_>>(),
            [broken],
            "{body}"
        );
        // What comes after it is told all the same.
        let next = talk.push(CLIENT, post("2\u{1e}42[\"a\"]").as_bytes());
        assert_eq!(next[2..], ["Engine.IO ping ", "Engine.IO message 2[\"a\"]", "Socket.IO EVENT a"]);
        talk.end();
    }
    let mut talk = Talk::new();
    assert_eq!(
        talk.push(CLIENT, b"CONNECT\naccept-version:1.2\nhost:a\n\n\0"),
        ["STOMP CONNECT accept-version 1.2"]
    );
    assert_eq!(talk.push(CLIENT, b"SEND\na:\\t\n\n\0"), ["broken STOMP 1.2, Value Encoding"]);
    assert_eq!(talk.push(CLIENT, b"rest of it"), [""; 0]);
    assert_eq!(talk.push(CLIENT, b"SEND\ndestination:/x\n\nagain\0"), ["STOMP SEND /x \"again\""]);
    talk.end();
}

#[test]
fn attachments_are_waited_for_on_a_websocket() {
    let mut talk = Talk::new();
    let request =
        String::from_utf8_lossy(REQUEST).replace("GET /", "GET /socket.io/?EIO=4&transport=websocket");
    talk.push(CLIENT, request.as_bytes());
    talk.push(SERVER, &granted(ACCEPT, ""));
    let say =
        |talk: &mut Talk, opcode, payload: &[u8]| talk.push(SERVER, &Sent::new(opcode, payload).encode());
    say(&mut talk, opcode::TEXT, br#"451-["m",{"_placeholder":true,"num":0}]"#);
    assert!(talk.shared.budget.used() > 400, "what waits counts");
    let told = say(&mut talk, opcode::TEXT, b"42[\"n\"]");
    assert_eq!(told.last().map(String::as_str), Some("broken Socket.IO 5, Packet encoding"));
    let told = say(&mut talk, opcode::BINARY, b"\x01");
    assert_eq!(
        told.last().map(String::as_str),
        Some("broken Socket.IO 5, Packet encoding"),
        "nobody waits for it"
    );
    say(&mut talk, opcode::TEXT, br#"461-7["m",{"_placeholder":true,"num":0}]"#);
    assert_eq!(say(&mut talk, opcode::BINARY, b"\x01")[1..], ["Engine.IO message an attachment, 01"]);
    assert_eq!(talk.shared.budget.used(), 0);
    talk.end();
}

#[test]
fn one_layer_is_told_in_another() {
    let mut talk = Talk::new();
    let request = String::from_utf8_lossy(REQUEST).replace("GET /", "GET /echo/123/abcdefgh/websocket");
    talk.push(CLIENT, request.as_bytes());
    talk.push(SERVER, &granted(ACCEPT, ""));
    talk.push(SERVER, &Sent::new(opcode::TEXT, "o").encode());
    let sent = Sent::new(opcode::TEXT, r#"["SEND\ndestination:/x\n\nhello\u0000"]"#).masked([7; 4]).encode();
    let told = talk.push(CLIENT, &sent);
    assert_eq!(
        told[1..],
        ["SockJS messages \"SEND\\ndestination:/x\\n\\nhello\\x00\"", "STOMP SEND /x \"hello\""]
    );
    let beat = talk.push(CLIENT, &Sent::new(opcode::TEXT, r#"["\n"]"#).masked([7; 4]).encode());
    assert_eq!(beat.last().map(String::as_str), Some("STOMP heart-beat "));
    talk.end();
}

#[test]
fn a_path_that_only_looks_like_sockjs_is_told_as_it_is() {
    let mut talk = Talk::new();
    let request = String::from_utf8_lossy(REQUEST).replace("GET /", "GET /api/v1/websocket");
    talk.push(CLIENT, request.as_bytes());
    talk.push(SERVER, &granted(ACCEPT, ""));
    assert_eq!(talk.push(SERVER, &Sent::new(opcode::TEXT, "[1]").encode()), ["frame [1]"]);
    assert_eq!(talk.push(SERVER, &Sent::new(opcode::TEXT, "o").encode()), ["frame o"]);
    talk.end();
}

proptest! {
    #[test]
    fn pieces_of_any_layer_make_no_difference(cut in 1_usize..60, first in 1_usize..200) {
        let streams: [(&[u8], &[u8]); 3] = [
            (
                b"CONNECT\nhost:a\naccept-version:1.2\n\n\0SEND\ndestination:/x\ncontent-length:3\n\na\0b\0\n",
                b"CONNECTED\nversion:1.2\n\n\0\n",
            ),
            (
                EVENTS.as_bytes(),
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: c\r\ndata: a\r\ndata: b\r\n\r\nid: 4\rdata\r\r",
            ),
            (
                b"POST /a/123/b/xhr_streaming HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
                b"HTTP/1.1 200 OK\r\n\r\no\na[\"x\"]\nh\nc[3000,\"bye\"]\n",
            ),
        ];
        for (asked, answered) in streams {
            let mut whole = Talk::new();
            let mut wanted = whole.push(CLIENT, asked);
            wanted.extend(whole.push(SERVER, answered));
            let mut talk = Talk::new();
            let mut found = Vec::new();
            for (side, bytes) in [(CLIENT, asked), (SERVER, answered)] {
                let (head, tail) = bytes.split_at(first.min(bytes.len()));
                found.extend(talk.push(side, head));
                found.extend(tail.chunks(cut).flat_map(|piece| talk.push(side, piece)));
            }
            // Where STOMP is cut, an end of line behind a frame may stand alone, and so look like a
            // heart-beat.
            found.retain(|line| line != "STOMP heart-beat ");
            prop_assert_eq!(found, wanted);
            talk.end();
        }
    }

    #[test]
    fn pieces_make_no_difference(payload: Vec<u8>, cut in 1_usize..40, text: bool) {
        let kind = if text { opcode::TEXT } else { opcode::BINARY };
        let sent = [
            REQUEST.to_vec(),
            Sent::new(kind, payload.clone()).unfinished().masked([1, 2, 3, 4]).encode(),
            Sent::new(opcode::PING, "p").masked([9; 4]).encode(),
            Sent::new(opcode::CONTINUATION, payload).masked([4, 3, 2, 1]).encode(),
        ].concat();
        let mut whole = Talk::new();
        let mut wanted = whole.push(CLIENT, &sent);
        wanted.extend(whole.push(SERVER, &granted(ACCEPT, "")));
        let mut talk = Talk::new();
        let mut found: Vec<String> = sent.chunks(cut).flat_map(|piece| talk.push(CLIENT, piece)).collect();
        found.extend(granted(ACCEPT, "").chunks(cut).flat_map(|piece| talk.push(SERVER, piece)));
        prop_assert_eq!(found, wanted);
        talk.end();
    }

    #[test]
    fn nothing_makes_it_panic(pieces: Vec<(bool, Vec<u8>, u8)>, wild: bool) {
        let mut talk = if wild { Talk::new() } else { Talk::upgraded("") };
        for (client, bytes, missing) in pieces {
            let side = usize::from(!client);
            talk.push(side, &bytes);
            if missing > 200 {
                talk.miss(side, u64::from(missing));
            }
        }
        talk.end();
    }
}

//! Conversations, whole and in any pieces, and what is told of them.

use proptest::prelude::*;

use super::*;
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
        let mut tell = |event: &Event| lines.extend(line(&event.what));
        let mut teller = Teller { time: None, packet: 0, stream: 0, tell: &mut tell };
        take(&mut self.conversation, &mut self.shared, &mut teller);
        lines
    }

    fn push(&mut self, side: usize, bytes: &[u8]) -> Vec<String> {
        let offset = self.offsets[side];
        self.offsets[side] += bytes.len() as u64;
        self.with(|conversation, shared, teller| conversation.take(side, offset, bytes, shared, teller))
    }

    fn miss(&mut self, side: usize, length: u64) -> Vec<String> {
        let offset = self.offsets[side];
        self.offsets[side] += length;
        self.with(|conversation, shared, teller| conversation.missing(side, offset, length, shared, teller))
    }

    fn end(&mut self) -> Vec<String> {
        let lines = self.with(|conversation, shared, teller| {
            conversation.end(Ending::Open, [0, 0], shared, teller);
        });
        assert_eq!(self.shared.budget.used(), 0, "all memory is given back");
        lines
    }
}

fn line(what: &What) -> Option<String> {
    Some(match what {
        What::Head(Head { from, line, .. }) => match line {
            HeadLine::Request(head) => format!("{} {} {}", from.name(), head.method, head.target),
            HeadLine::Response(head) => format!("{} {}", from.name(), head.status),
            HeadLine::Broken(error) => error.clone(),
        },
        What::Body(body) => format!("body {} {}", body.length, text::escape(body.shown)),
        What::Upgraded(_) => "upgraded".to_owned(),
        What::Frame(frame) => format!("frame {}", text::escape(frame.payload)),
        What::Message(message) if message.is_its_frame() => return None,
        What::Message(message) => format!("message {}", text::escape(message.payload)),
        What::Violation(broken) => format!("broken {}", broken.section),
        What::Data(data) => format!("data {}", text::escape(data.bytes)),
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
    assert_eq!(talk.push(CLIENT, b"GET / HTTP/1.1\r\n\r\n"), ["data GET / HTTP/1.1\\r\\n\\r\\n"]);
    talk.end();
}

proptest! {
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

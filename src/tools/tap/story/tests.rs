//! Conversations, whole and in any pieces, and what is told of them.

use proptest::prelude::*;

use super::*;
use crate::wire::websocket::{Frame as Sent, opcode};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

fn granted(accept: &str, more: &str) -> Vec<u8> {
    format!("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{more}\r\n")
        .into_bytes()
}

const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn upgraded(more: &str) -> Story {
    let mut story = Story::default();
    story.push(End::Client, REQUEST);
    let events = story.push(End::Server, &granted(ACCEPT, more));
    assert!(matches!(events[..], [Event::Head(_), Event::Upgraded { .. }]), "{events:?}");
    story
}

fn lines(events: &[Event]) -> Vec<String> {
    let line = |event: &Event| match event {
        Event::Head(head) => String::from_utf8_lossy(&head.line).into_owned(),
        other => format!("{other:?}"),
    };
    events.iter().map(line).collect()
}

fn broken(events: &[Event]) -> Vec<&str> {
    let words = |event: &'_ Event| matches!(event, Event::Broken { .. });
    events
        .iter()
        .filter(|event| words(event))
        .map(|event| match event {
            Event::Broken { section, .. } => *section,
            _ => "",
        })
        .collect()
}

#[test]
fn heads_are_found_behind_bodies_of_every_kind() {
    let mut story = Story::default();
    let asked = b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloHEAD /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\nGET /d HTTP/1.1\r\n\r\n";
    let found = lines(&story.push(End::Client, asked));
    assert_eq!(found, ["POST /a HTTP/1.1", "HEAD /b HTTP/1.1", "GET /c HTTP/1.1", "GET /d HTTP/1.1"]);
    let answered = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n\
        HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 to the end\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    let found = lines(&story.push(End::Server, answered));
    let wanted = ["100 Continue", "200 OK", "200 OK", "304 Not Modified", "200 to the end"];
    assert_eq!(found, wanted.map(|line| format!("HTTP/1.1 {line}")));
    assert!(story.is_opaque(End::Server) && !story.is_opaque(End::Client));
}

#[test]
fn frames_that_come_before_the_answer_are_kept_for_it() {
    let mut story = Story::default();
    let early = Sent::new(opcode::TEXT, "early").masked([1; 4]).encode();
    assert_eq!(story.push(End::Client, &[REQUEST, &early].concat()).len(), 1);
    let events = story.push(End::Server, &granted(ACCEPT, ""));
    let [.., Event::Frame(frame)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(frame.payload, b"early");
}

#[test]
fn an_answer_that_does_not_fit_the_key_is_told() {
    let mut story = Story::default();
    story.push(End::Client, REQUEST);
    assert_eq!(broken(&story.push(End::Server, &granted("no", ""))), ["RFC 6455 §4.2.2"]);
}

#[test]
fn an_upgrade_that_is_refused_leaves_http() {
    let mut story = Story::default();
    story.push(End::Client, REQUEST);
    story.push(End::Server, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(lines(&story.push(End::Client, b"GET /again HTTP/1.1\r\n\r\n")), ["GET /again HTTP/1.1"]);
}

#[test]
fn every_rule_is_told_and_the_next_frame_all_the_same() {
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (Sent::new(opcode::TEXT, "a").encode(), "RFC 6455 §5.1"),
        (Sent::new(0x3, "a").masked([0; 4]).encode(), "RFC 6455 §5.2"),
        (Sent::new(opcode::PING, "a").unfinished().masked([0; 4]).encode(), "RFC 6455 §5.5"),
        (Sent::new(opcode::PING, vec![0; 126]).masked([0; 4]).encode(), "RFC 6455 §5.5"),
        (Sent::new(opcode::CONTINUATION, "a").masked([0; 4]).encode(), "RFC 6455 §5.4, §6.1 (3)"),
        (Sent::new(opcode::TEXT, b"\xc3".to_vec()).masked([7; 4]).encode(), "RFC 6455 §5.6, §8.1"),
        (Sent::new(opcode::CLOSE, b"\x03".to_vec()).masked([7; 4]).encode(), "RFC 6455 §5.5.1"),
        (Sent::new(opcode::CLOSE, b"\x03\xed".to_vec()).masked([7; 4]).encode(), "RFC 6455 §7.4.1"),
    ];
    for (bytes, section) in cases {
        let mut story = upgraded("");
        let events = story.push(End::Client, &bytes);
        assert_eq!(broken(&events), [section], "{events:?}");
        let next = Sent::new(opcode::BINARY, "next").masked([5; 4]).encode();
        let events = story.push(End::Client, &next);
        assert!(matches!(&events[..], [Event::Frame(frame)] if frame.payload == b"next"), "{events:?}");
    }
}

#[test]
fn a_compressed_message_breaks_no_rule_where_that_was_agreed_on() {
    let mut story = upgraded("Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n");
    let bytes = Sent::new(opcode::TEXT, b"\xf2\x48".to_vec()).masked([1; 4]).with_rsv(true, false, false);
    let events = story.push(End::Client, &bytes.encode());
    assert!(matches!(&events[..], [Event::Frame(frame)] if frame.compressed), "{events:?}");
}

#[test]
fn bytes_may_be_missing_within_a_payload_and_nowhere_else() {
    let mut story = upgraded("");
    let frame = Sent::new(opcode::BINARY, vec![1; 1000]).encode();
    assert_eq!(story.push(End::Server, &frame[..10]), []);
    assert_eq!(story.skip(End::Server, 900), []);
    let events = story.push(End::Server, &frame[910..]);
    assert!(matches!(&events[..], [Event::Frame(it)] if it.header.length == 1000), "{events:?}");
    assert_eq!(story.skip(End::Server, 1), [Event::Lost]);
    assert_eq!(story.push(End::Server, &frame), []);
    assert_eq!(story.skip(End::Server, 5), [], "it is said once");
}

proptest! {
    #[test]
    fn pieces_make_no_difference(payload: Vec<u8>, cut in 1_usize..40, text: bool) {
        let kind = if text { opcode::TEXT } else { opcode::BINARY };
        let frames = [
            Sent::new(kind, payload.clone()).unfinished().masked([1, 2, 3, 4]).encode(),
            Sent::new(opcode::PING, "p").masked([9; 4]).encode(),
            Sent::new(opcode::CONTINUATION, payload).masked([4, 3, 2, 1]).encode(),
        ].concat();
        let whole = upgraded("").push(End::Client, &frames);
        let mut story = upgraded("");
        let pieces: Vec<Event> = frames.chunks(cut).flat_map(|piece| story.push(End::Client, piece)).collect();
        prop_assert_eq!(pieces, whole);
    }

    #[test]
    fn nothing_makes_it_panic(pieces: Vec<(bool, Vec<u8>, u8)>, wild: bool) {
        let mut story = if wild { Story::default() } else { upgraded("") };
        for (client, bytes, missing) in pieces {
            let from = if client { End::Client } else { End::Server };
            story.push(from, &bytes);
            story.skip(from, u64::from(missing / 64));
        }
    }
}

//! Conversations made up, and what is told of them.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;
use crate::analysis::capture::Link;
use crate::event::{Host, StreamWhat};
use crate::wire::{
    Protocol,
    frame::build,
    fuzz::Random,
    tcp::{Flags, Header},
    websocket::{self, LengthForm, opcode},
};

pub(crate) mod talk;

use talk::{Talk, told};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn text(payload: &str) -> websocket::Frame {
    websocket::Frame::new(opcode::TEXT, payload)
}

#[test]
fn a_websocket_is_found_wherever_it_begins() {
    let mut talk = Talk::new(1);
    talk.syn();
    talk.client(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst");
    talk.client(b"POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: x\r\n\r\n");
    talk.server(b"HTTP/1.1 204 No Content\r\n\r\n");
    talk.upgrade("");
    talk.client(&text("Hel").masked(KEY).unfinished().encode());
    talk.client(&websocket::Frame::new(opcode::PING, "p").masked(KEY).encode());
    talk.client(&websocket::Frame::new(opcode::CONTINUATION, "lo").masked(KEY).encode());
    talk.server(&[text("a").encode(), text("b").encode()].concat());
    talk.fin();
    let lines = told(&talk.packets, Options::default());
    assert_eq!(
        lines,
        [
            "opened",
            "client GET /a",
            "server 200",
            "body 5 first",
            "client POST /b",
            "body 3 abc",
            "server 204",
            "client GET /chat",
            "server 101",
            "upgraded",
            "frame client 1 Hel",
            "frame client 9 p",
            "message client 9 1 p",
            "frame client 0 lo",
            "message client 1 2 Hello",
            "frame server 1 a",
            "message server 1 1 a",
            "frame server 1 b",
            "message server 1 1 b",
            "ended Fin",
        ]
    );
}

#[test]
fn every_broken_rule_is_named_where_it_is_broken() {
    let of = |frames: &[websocket::Frame], from: Host| {
        let mut talk = Talk::new(1);
        talk.syn();
        talk.upgrade("");
        let start = talk.sent(from);
        for frame in frames {
            talk.say(from, &frame.encode());
        }
        let mut found = Vec::new();
        talk.events(Options::default(), &mut |event| {
            if let StreamWhat::Violation(broken) = &event.what {
                let Cow::Borrowed(section) = broken.section else { panic!("{broken:?}") };
                found.push((broken.offset - start, section));
            }
        });
        found
    };
    let server = |frame: websocket::Frame| of(&[frame], Host::Server);
    let close = |body: &[u8]| server(websocket::Frame::new(opcode::CLOSE, body));
    let more = |payload: &str| websocket::Frame::new(opcode::CONTINUATION, payload);
    assert_eq!(of(&[text("a")], Host::Client), [(1, "RFC 6455 §5.1")]);
    assert_eq!(server(text("a").masked(KEY)), [(1, "RFC 6455 §5.1")]);
    assert_eq!(server(text("a").with_form(LengthForm::Sixteen)), [(1, "RFC 6455 §5.2")]);
    assert_eq!(server(text("a").with_rsv(true, false, false)), [(0, "RFC 6455 §5.2")]);
    assert_eq!(server(websocket::Frame::new(0x3, "")), [(0, "RFC 6455 §5.2")]);
    assert_eq!(server(websocket::Frame::new(opcode::PING, "").unfinished()), [(0, "RFC 6455 §5.5")]);
    assert_eq!(server(websocket::Frame::new(opcode::PING, [0; 126])), [(1, "RFC 6455 §5.5")]);
    assert_eq!(
        server(websocket::Frame::new(opcode::TEXT, b"ab\xff".as_slice())),
        [(4, "RFC 6455 §5.6, §8.1")]
    );
    assert_eq!(
        server(websocket::Frame::new(opcode::TEXT, b"a\xe2\x82".as_slice())),
        [(3, "RFC 6455 §5.6, §8.1")]
    );
    assert_eq!(close(&[3]), [(2, "RFC 6455 §5.5.1")]);
    assert_eq!(close(&[3, 0xed]), [(2, "RFC 6455 §7.4.1")]);
    assert_eq!(close(&[0, 1]), [(2, "RFC 6455 §7.4")]);
    assert_eq!(close(b"\x03\xe8a\xff"), [(5, "RFC 6455 §5.5.1, §8.1")]);
    assert_eq!(
        of(&[websocket::Frame::new(opcode::CLOSE, ""), text("")], Host::Server),
        [(2, "RFC 6455 §5.5.1")]
    );
    assert_eq!(server(more("x")), [(0, "RFC 6455 §5.4, §6.1 (3)")]);
    assert_eq!(of(&[text("a").unfinished(), text("b")], Host::Server), [(3, "RFC 6455 §5.4")]);
    let claims = websocket::Frame::new(opcode::BINARY, "x").claiming(1 << 63);
    assert_eq!(server(claims), [(2, "RFC 6455 §5.2")]);
    assert_eq!(of(&[text("a").masked(KEY)], Host::Client), []);
}

#[test]
fn a_capture_that_begins_in_the_middle_is_recognised() {
    let mut talk = Talk::new(1);
    talk.syn();
    talk.upgrade("");
    let from = talk.packets.len();
    talk.server(b"\x12 the rest of a frame");
    talk.server(&text("from the server").encode());
    talk.client(&text("from the client").masked(KEY).encode());
    let lines = told(&talk.packets[from..], Options::default());
    let last: Vec<&str> = lines.iter().rev().take(3).map(String::as_str).collect();
    assert_eq!(last, ["ended Open", "message client 1 1 from the client", "frame client 1 from the client"]);
    assert!(lines.contains(&"message server 1 1 from the server".to_owned()), "{lines:?}");
}

#[test]
fn what_is_missing_inside_a_payload_loses_no_frame_after_it() {
    let mut talk = Talk::new(1);
    talk.syn();
    talk.upgrade("");
    let long = text(&"x".repeat(100)).encode();
    talk.server(&long[..50]);
    talk.server(&long[50..70]);
    talk.packets.pop();
    talk.server(&long[70..]);
    talk.server(&text("after").encode());
    talk.server(&text("lost").encode());
    talk.packets.pop();
    talk.server(&text("found").encode());
    talk.fin();
    let lines = told(&talk.packets, Options::default());
    assert!(lines.contains(&"missing 179 20".to_owned()), "{lines:?}");
    assert!(lines.contains(&"message server 1 1 after".to_owned()), "{lines:?}");
    assert!(lines.contains(&"message server 1 1 found".to_owned()), "{lines:?}");
}

#[test]
fn compressed_messages_are_inflated_with_what_came_before() {
    let mut talk = Talk::new(1);
    talk.syn();
    talk.upgrade("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    let packed = |payload: &[u8]| websocket::Frame::new(opcode::TEXT, payload).with_rsv(true, false, false);
    talk.server(&packed(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]).encode());
    talk.server(&packed(&[0xf2, 0x00, 0x11, 0x00, 0x00]).encode());
    talk.client(&packed(&[0xf2, 0x00, 0x11, 0x00, 0x00]).masked(KEY).encode());
    talk.server(&websocket::Frame::new(opcode::PING, "").with_rsv(true, false, false).encode());
    let lines = told(&talk.packets, Options::default());
    let hello =
        |from: &str| lines.iter().filter(|line| **line == format!("message {from} 1 1 Hello")).count();
    assert_eq!((hello("server"), hello("client")), (2, 0));
    let broken: Vec<_> = lines.iter().filter(|line| line.starts_with("violation")).collect();
    assert_eq!(broken, ["violation RFC 7692 §6.2, §7.1.2", "violation RFC 7692 §6"]);
}

#[test]
fn ports_that_are_used_again_are_a_new_stream() {
    let mut talk = Talk::new(1);
    talk.syn();
    talk.client(b"one");
    let mut again = Talk::new(77_777);
    again.syn();
    again.client(b"two");
    let mut streams = Vec::new();
    let packets: Vec<Vec<u8>> = talk.packets.into_iter().chain(again.packets).collect();
    talk::events(&packets, Options::default(), &mut |event| {
        if let StreamWhat::Data(data) = &event.what {
            streams.push((event.stream, data.bytes.to_vec()));
        }
    });
    assert_eq!(streams, [(Some(0), b"one".to_vec()), (Some(1), b"two".to_vec())]);
}

/// A conversation with frames of all kinds, and what is told of its messages.
fn busy(random: &mut Random) -> Talk {
    let mut talk = Talk::new(random.long());
    talk.syn();
    talk.upgrade("");
    for _ in 0..random.below(20) {
        let from = if random.flip() { Host::Client } else { Host::Server };
        let count = random.below(400);
        let payload = random.bytes(count);
        let parts = 1 + random.below(3);
        let mut bytes = Vec::new();
        for (index, part) in payload.chunks(payload.len().div_ceil(parts).max(1)).enumerate() {
            let last = (index + 1) * payload.len().div_ceil(parts).max(1) >= payload.len();
            let number = if index == 0 { opcode::BINARY } else { opcode::CONTINUATION };
            let mut frame = websocket::Frame::new(number, part);
            if !last {
                frame = frame.unfinished();
            }
            if from == Host::Client {
                frame = frame.masked(KEY);
            }
            bytes.extend(frame.encode());
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at((1 + random.below(300)).min(rest.len()));
            talk.say(from, piece);
            rest = after;
        }
    }
    talk
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn reordered_and_repeated_segments_say_the_same(seed: u64) {
        let mut random = Random::new(seed);
        let talk = busy(&mut random);
        let messages = |packets: &[Vec<u8>]| {
            let (mut client, mut server) = (Vec::new(), Vec::new());
            talk::events(packets, Options::default(), &mut |event| match &event.what {
                StreamWhat::Message(message) if message.from == Host::Client => client.push(message.payload.to_vec()),
                StreamWhat::Message(message) => server.push(message.payload.to_vec()),
                StreamWhat::Missing(missing) => panic!("{missing:?}"),
                StreamWhat::Differs(differs) => panic!("{differs:?}"),
                _ => {}
            });
            (client, server)
        };
        let whole = messages(&talk.packets);
        // The handshake stays where it is; after it segments change places within a window, and some come
        // twice.
        let mut packets = talk.packets.clone();
        for index in 5..packets.len() {
            let other = 5 + (index - 5).saturating_sub(random.below(6));
            packets.swap(index, other);
            if random.below(4) == 0 {
                let copy = packets[other].clone();
                packets.insert(index, copy);
            }
        }
        prop_assert_eq!(messages(&packets), whole);
    }

    #[test]
    fn any_packets_are_told_somehow(seed: u64) {
        hostile(&mut Random::new(seed));
    }
}

/// Packets that were changed, cut and thrown together: nothing panics, and nothing is held at the end.
pub(super) fn hostile(random: &mut Random) {
    let extension = ["", "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8\r\n"];
    let mut talk = Talk::new(random.long());
    if random.below(4) > 0 {
        talk.syn();
    }
    if random.below(4) > 0 {
        talk.upgrade_at(talk::TARGETS[random.below(talk::TARGETS.len())], extension[random.below(2)]);
    }
    for _ in 0..random.below(12) {
        let from = if random.flip() { Host::Client } else { Host::Server };
        let count = random.below(60);
        let payload = if random.flip() { talk::said(random) } else { random.bytes(count) };
        let mut frame = websocket::Frame::new(random.byte() & 0xf, payload);
        if random.flip() {
            frame = frame.masked(KEY);
        }
        frame = frame.with_rsv(random.below(3) == 0, random.below(9) == 0, false);
        if random.below(5) == 0 {
            frame = frame.unfinished();
        }
        if random.below(9) == 0 {
            frame = frame.claiming(random.number());
        }
        let mut bytes = if random.below(8) == 0 { talk::head(random) } else { frame.encode() };
        if random.below(6) == 0 {
            crate::wire::fuzz::mutate(random, &mut bytes);
        }
        match random.below(8) {
            0 => talk.say(from, &talk::said(random)),
            1 => {
                let (asks, bytes) = talk::exchange(random);
                talk.say(if asks { Host::Client } else { Host::Server }, &bytes);
            }
            _ => talk.say(from, &bytes),
        }
        if random.below(9) == 0 {
            talk.packets.pop();
        }
    }
    for packet in &mut talk.packets {
        if random.below(12) == 0 {
            crate::wire::fuzz::mutate(random, packet);
        }
    }
    if talk.packets.len() > 1 && random.flip() {
        let (a, b) = (random.below(talk.packets.len()), random.below(talk.packets.len()));
        talk.packets.swap(a, b);
    }
    let options = Options {
        limits: Limits { connections: 2, held: 4096, out_of_order: 256, message: 512 },
        websocket: random.below(3) == 0,
        above: [
            None,
            Some(Protocol::EngineIo),
            Some(Protocol::SockJs),
            Some(Protocol::Stomp),
            Some(Protocol::EventStream),
        ][random.below(5)],
    };
    let mut decoder = Decoder::new(options);
    let mut sum = 0usize;
    for (index, bytes) in talk.packets.iter().enumerate() {
        let original = (bytes.len() + random.below(2) * 40) as u64;
        let packet = Packet { number: index as u64 + 1, time: None, link: Link::ETHERNET, original, bytes };
        let _ = decoder.push(&packet, &mut |event| sum += format!("{event:?}").len());
    }
    decoder.finish(&mut |event| sum += format!("{event:?}").len());
    assert_eq!(decoder.held(), 0);
}

/// `SOCKWALK_FUZZ_RUNS=2000000 cargo test --release --lib analysis::decode -- --ignored --nocapture millions`
#[test]
#[ignore = "takes minutes"]
#[expect(clippy::print_stderr, reason = "it reports how fast it went")]
fn nothing_panics_in_millions() {
    let runs: u32 = std::env::var("SOCKWALK_FUZZ_RUNS").ok().map_or(200_000, |text| text.parse().unwrap());
    let mut random = Random::new(0xdec0de);
    let start = std::time::Instant::now();
    for run in 0..runs {
        match run % 4 {
            0 => talk::file(&mut random),
            1 => {
                let count = random.below(80);
                let line: String = (0..count)
                    .map(|_| char::from(b" 0123456789abcdefx|:\\\",\n"[random.below(24)]))
                    .collect();
                let _ = crate::analysis::hex::bytes(&line);
            }
            _ => hostile(&mut random),
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    eprintln!("{runs} runs in {seconds:.1} s: {:.0} runs/s", f64::from(runs) / seconds);
}

#[test]
fn a_hundred_thousand_connections_hold_no_more_than_they_may() {
    let mut decoder = Decoder::new(Options::default());
    let ends = ["10.0.0.2:80".parse().unwrap(), "10.0.0.1:0".parse::<SocketAddr>().unwrap()];
    let mut most = 0;
    let head = [b"GET / HTTP/1.1\r\nX: ".as_slice(), &[b'a'; 1300]].concat();
    for number in 0u32..150_000 {
        let [a, b, c, d] = number.to_be_bytes();
        let client = SocketAddr::from(([10, b, c, d], 1000 + u16::from(a)));
        let header = Header { sequence: 7, flags: Flags::SYN, ..Header::new(client.port(), 80) };
        let frames = [
            build::tcp(client, ends[0], &header, b""),
            build::tcp(client, ends[0], &Header { sequence: 8, flags: Flags::ACK, ..header }, &head),
        ];
        for bytes in &frames {
            let original = bytes.len() as u64;
            let packet = Packet { number: 1, time: None, link: Link::ETHERNET, original, bytes };
            decoder.push(&packet, &mut |_| {}).unwrap();
        }
        most = most.max(decoder.held());
    }
    assert!(most <= Limits::default().held + 2 * head.len(), "{most} bytes");
    assert_eq!(decoder.connections.len(), Limits::default().connections);
    decoder.finish(&mut |_| {});
    assert_eq!((decoder.held(), decoder.streams()), (0, 150_000));
}

#[test]
fn a_frame_that_claims_everything_holds_a_message_at_most() {
    let mut talk = Talk::new(1);
    talk.syn();
    talk.upgrade("");
    talk.server(&websocket::Frame::new(opcode::BINARY, "").claiming((1 << 63) - 1).encode());
    for _ in 0..200 {
        talk.server(&[7; 1400]);
    }
    let mut decoder = Decoder::new(Options {
        limits: Limits { message: 10_000, ..Limits::default() },
        ..Options::default()
    });
    let mut most = 0;
    for bytes in &talk.packets {
        let packet = Packet { number: 1, time: None, link: Link::ETHERNET, original: 0, bytes };
        decoder.push(&packet, &mut |_| {}).unwrap();
        most = most.max(decoder.held());
    }
    assert!(most < 30_000, "{most}");
}

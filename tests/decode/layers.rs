//! What is said above HTTP, WebSocket and TCP between programs of others: Socket.IO, SockJS, STOMP and
//! Server-Sent Events.
//!
//! What is expected was read off the bytes that a proxy wrote down, and off what the peers themselves
//! printed.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use sockwalk::event::{Host, StreamWhat};

use super::{captures, decode, folder};

/// A line for each layer that carries no other, without what differs from run to run.
fn told(name: &str) -> Vec<String> {
    let mut lines = Vec::new();
    decode(&folder().join(format!("{name}.pcap")), &mut |event| {
        let StreamWhat::Layer(layer) = &event.what else { return };
        if layer.carries {
            return;
        }
        let arrow = if layer.from == Host::Client { "→" } else { "←" };
        let words = if layer.beat { "♥".to_owned() } else { without_ids(&layer.words) };
        lines.push(format!("{arrow} {} {} {words}", layer.protocol.name(), layer.kind).trim_end().to_owned());
    });
    lines
}

/// Session IDs and receipts are other ones in each run: a word with so many letters and digits is one.
fn without_ids(words: &str) -> String {
    let id = |word: &&str| word.len() >= 20 && !word.contains('/') && !word.contains("placeholder");
    let quoted = |part: &str| {
        let part = if id(&part) { "…" } else { part };
        part.to_owned()
    };
    words
        .split('"')
        .map(|part| part.split(' ').map(quoted).collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join("\"")
}

#[test]
fn socket_io_is_told_over_both_of_its_roads() {
    let session = |interval: u32, timeout: u32| {
        format!("← Engine.IO open session … a ping every {interval} ms, {timeout} ms for the pong")
    };
    let (usual, entered) = (session(25000, 20000), "← Socket.IO CONNECT {\"sid\":\"…\"}");
    let told_of = |name: &str, lines: &[&str]| assert_eq!(told(name), lines, "{name}");
    told_of(
        "09b-sio-websocket",
        &[
            &usual,
            "→ Socket.IO CONNECT",
            entered,
            "→ Socket.IO EVENT msg \"hello\"",
            "← Socket.IO EVENT msg \"hello\"",
            "→ Socket.IO DISCONNECT",
        ],
    );
    told_of(
        "09c-sio-upgrade",
        &[
            &usual,
            "→ Socket.IO CONNECT",
            "→ Engine.IO ping probe",
            entered,
            "← Engine.IO pong probe",
            "← Engine.IO noop",
            "→ Engine.IO upgrade",
            "→ Socket.IO EVENT msg \"hello\"",
            "← Socket.IO EVENT msg \"hello\"",
            "→ Socket.IO DISCONNECT",
        ],
    );
    told_of(
        "09d-sio-ack",
        &[
            &usual,
            "→ Socket.IO CONNECT",
            entered,
            "→ Socket.IO EVENT msg \"hello\", answer 0 is asked for",
            "← Socket.IO ACK [\"hello\"], the answer to 0",
            "→ Socket.IO DISCONNECT",
        ],
    );
    told_of(
        "09e-sio-namespace-auth",
        &[
            &usual,
            "→ Socket.IO CONNECT /chat {\"token\":\"123\"}",
            "← Socket.IO CONNECT /chat {\"sid\":\"…\"}",
            "→ Socket.IO EVENT /chat msg \"hello\"",
            "← Socket.IO EVENT /chat msg \"hello\"",
            "→ Socket.IO DISCONNECT /chat",
        ],
    );
    told_of(
        "09f-sio-denied",
        &[
            &usual,
            "→ Socket.IO CONNECT /denied",
            "← Socket.IO CONNECT_ERROR /denied {\"data\":{\"code\":\"E1\"},\"message\":\"not authorized\"}",
        ],
    );
    let binary = [
        "→ Socket.IO BINARY_EVENT msg {\"_placeholder\":true,\"num\":0}, 1 attachment follows",
        "→ Engine.IO message an attachment, 68 65 6c 6c 6f",
    ];
    let echoed = binary.map(|line| line.replace('→', "←"));
    told_of(
        "09g-sio-binary-ws",
        &[
            &usual,
            "→ Socket.IO CONNECT",
            entered,
            binary[0],
            binary[1],
            &echoed[0],
            &echoed[1],
            "→ Socket.IO DISCONNECT",
        ],
    );
    told_of(
        "09j-sio-ping-polling",
        &[
            &session(700, 20000),
            "→ Socket.IO CONNECT",
            entered,
            "← Engine.IO ping ♥",
            "→ Engine.IO pong ♥",
            "← Engine.IO ping ♥",
            "→ Engine.IO pong ♥",
            "→ Socket.IO DISCONNECT",
            "→ Engine.IO close",
            "← Engine.IO noop",
        ],
    );
    let several = told("09l-sio-multi-polling");
    for line in ["→ Socket.IO EVENT msg \"héllo\"", "→ Socket.IO EVENT msg \"😀\"", binary[0], binary[1]]
    {
        assert!(several.contains(&line.to_owned()) && several.contains(&line.replace('→', "←")), "{line}");
    }
    // Another program's client says {} where the other says nothing.
    assert_eq!(told("09m-sio-py-polling")[1], "→ Socket.IO CONNECT {}");
    assert_eq!(
        told("09n-sio-py-websocket")[3..],
        ["→ Socket.IO EVENT msg \"hello\"", "← Socket.IO EVENT msg \"hello\""]
    );
}

#[test]
fn sockjs_is_told_over_all_of_its_transports() {
    let echo = ["← SockJS open", "→ SockJS messages \"hello\"", "← SockJS messages \"hello\""];
    for name in [
        "10a-sockjs-websocket",
        "10b-sockjs-xhr-streaming",
        "10c-sockjs-xhr-polling",
        "10j-sockjs-chromium-xhr-polling",
        "10k-sockjs-rawws-websocat",
    ] {
        assert_eq!(told(name), echo, "{name}");
    }
    let escapes = told("10d-sockjs-multi-streaming");
    assert_eq!(escapes[3], "→ SockJS messages \"q\\\"uote\", \"hé\", \"😀\", \"a\\u{2028}b\"");
    assert_eq!(escapes[7], "← SockJS messages \"a\\u{2028}b\"");
    assert_eq!(
        told("10e-sockjs-heartbeat-ws"),
        ["← SockJS open"],
        "its heartbeat is a Ping of the WebSocket"
    );
    let cases = told("10g-sockjs-curl-cases");
    let count = |line: &str| cases.iter().filter(|told| *told == line).count();
    // xhr twice, eventsource, jsonp, htmlfile, xhr_streaming; the WebSocket is not asked for as one.
    assert_eq!((count("← SockJS open"), count("← SockJS heartbeat ♥")), (6, 5), "{cases:#?}");
    assert_eq!(count("← SockJS close 2010 \"Another connection still open\""), 1);
    assert_eq!(
        told("10l-sockjs-curl-send").iter().filter(|line| line.ends_with("close 3001 \"asked\"")).count(),
        2
    );
}

#[test]
fn stomp_is_told_over_a_websocket_and_over_tcp() {
    let session = |version: &str, more: &str| {
        [
            format!("← STOMP CONNECTED version {version}{more}"),
            "→ STOMP SEND /topic/chat \"hello\"".to_owned(),
            "← STOMP MESSAGE /topic/chat \"hello\"".to_owned(),
        ]
    };
    for (name, version, more) in [
        ("11b-stomp-rabbitmq-ws", "1.2", ", heart-beat 0,0"),
        ("11g-stomp-rabbitmq-ws-nopmd", "1.2", ", heart-beat 0,0"),
        ("11h-stomp-tcp-coilmq", "1.1", ""),
        ("11i-stomp-tcp-rabbitmq", "1.2", ", heart-beat 0,0"),
        ("11a-stomp-brokerjs", "1.1", ", heart-beat 0,0"),
    ] {
        let lines = told(name);
        for line in session(version, more) {
            assert!(lines.contains(&line), "{name}: {line} is not in {lines:#?}");
        }
    }
    let beats = told("11d-stomp-rabbitmq-heartbeat");
    let count = |line: &str| beats.iter().filter(|told| *told == line).count();
    // Every 500 ms or so the server, every second the client; the end of line behind each of the server's
    // frames is none.
    assert_eq!((count("← STOMP heart-beat ♥"), count("→ STOMP heart-beat ♥")), (4, 3), "{beats:#?}");
    let errors = told("11k-stomp-tcp-curl-errors");
    assert!(
        errors.iter().any(|line| line.starts_with("← STOMP ERROR Version mismatch, version 1.0,1.1,1.2"))
    );
    assert!(
        errors.contains(&"← STOMP MESSAGE /topic/x \"a\\x00b\"".to_owned()),
        "NUL in a body: {errors:#?}"
    );
}

#[test]
fn an_event_stream_is_told_event_by_event() {
    assert_eq!(told("04a-sse-curl"), ["← SSE comment ♥", "← SSE message \"hello\", id 1"]);
    // As they came, and not at the end of the answer.
    let mut order = Vec::new();
    decode(&folder().join("04a-sse-curl.pcap"), &mut |event| match &event.what {
        StreamWhat::Layer(layer) => order.push((event.packet, layer.kind.to_string())),
        StreamWhat::Body(_) => order.push((event.packet, "the body is over".to_owned())),
        _ => {}
    });
    assert!(order[0].0 < order[1].0 && order[1].0 < order[2].0, "{order:?}");
}

#[test]
fn every_layer_is_told_with_all_of_its_bytes_by_name() {
    let mut layers = 0;
    for path in captures() {
        decode(&path, &mut |event| {
            let StreamWhat::Layer(layer) = &event.what else { return };
            let mut next = 0;
            for field in layer.rows() {
                assert_eq!(field.bits.0, next, "{}: {layer:?}", path.display());
                next = field.bits.1;
            }
            assert_eq!(next, layer.bytes.len() * 8, "{}: {layer:?}", path.display());
            layers += 1;
        });
    }
    assert!(layers > 200, "{layers}");
}

/// What real peers have done against the rules: how often, and where the rule stands.
#[test]
fn what_real_peers_break_is_named_and_nothing_else() {
    let mut found: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for path in captures() {
        let name = Path::file_stem(&path).unwrap().to_str().unwrap().to_owned();
        decode(&path, &mut |event| {
            if let StreamWhat::Violation(broken) = &event.what {
                let Cow::Borrowed(section) = broken.section else { panic!("{broken:?}") };
                *found.entry((name.clone(), section)).or_default() += 1;
            }
        });
    }
    let expected = [
        // Sent on purpose, to see how the server answers.
        ("10g-sockjs-curl-cases", "RFC 8259 §7", 1),
        ("10l-sockjs-curl-send", "RFC 8259 §7", 1),
        ("10l-sockjs-curl-send", "RFC 8259 §5", 1),
        // No host in CONNECT, twice, and no message-id in MESSAGE.
        ("11a-stomp-brokerjs", "STOMP 1.2, Frames and Headers", 3),
        // No host.
        ("11h-stomp-tcp-coilmq", "STOMP 1.2, Frames and Headers", 1),
    ];
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(name, section, count)| ((name.to_owned(), section), count)).collect();
    assert_eq!(found, expected);
}

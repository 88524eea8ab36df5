//! sockwalk as the WebSocket client of Python's websockets and Node's ws; and of a server whose bytes we
//! chose.

use serde_json::Value;

use super::{Process, hex, server};
use crate::{
    support::live::Live,
    support::{run, stderr, stdout},
};

const SERVERS: [&str; 2] = ["websockets_server.py", "ws_server.js"];

fn client(port: &str, path: &str, more: &[&str]) -> Live {
    let url = format!("ws://127.0.0.1:{port}{path}");
    Live::start(&[&["websocket", &url], more].concat())
}

/// The payloads of one kind of message, sent or received.
fn payloads(events: &[Value], received: bool, kind: &str) -> Vec<String> {
    events
        .iter()
        .filter(|e| e["event"] == "message" && e["received"] == received && e["kind"] == kind)
        .map(|e| e["data"].as_str().unwrap().to_owned())
        .collect()
}

/// The exit code, and what a person sees.
fn shown(port: &str, path: &str) -> (Option<i32>, String) {
    let output = run(&["websocket", &format!("ws://127.0.0.1:{port}{path}"), "hello", "--width", "160"]);
    (output.status.code(), format!("{}{}", stdout(&output), stderr(&output)))
}

/// The close that was sent or received: code and reason.
fn close(events: &[Value], received: bool) -> (Value, Value) {
    let close = events
        .iter()
        .find(|e| e["event"] == "message" && e["received"] == received && e["kind"] == "close")
        .unwrap_or_else(|| panic!("no close, received {received}"));
    (close["code"].clone(), close["data"].clone())
}

#[test]
#[ignore = "needs websockets and ws; tests/run installs them"]
fn texts_come_back_from_servers_of_others() {
    for name in SERVERS {
        let (mut peer, port) = server(name, &[]);
        let long = "x".repeat(70_000);
        let texts = ["hello", "grüße \u{1f980}", "", &long];
        let events = client(&port, "/echo", &texts).succeed();
        let expected: Vec<String> = texts.iter().map(hex).collect();
        assert_eq!(payloads(&events, false, "text"), expected, "{name}");
        assert_eq!(payloads(&events, true, "text"), expected, "{name}");
        for received in [false, true] {
            assert_eq!(close(&events, received), (1000.into(), "".into()), "{name}, received {received}");
        }
        let said = peer.says("code");
        assert_eq!(
            (&said["received"], &said["sent"], &said["code"]),
            (&4.into(), &4.into(), &1000.into()),
            "{name}"
        );
        assert_eq!((&said["origin"], &said["host"]), (&Value::Null, &format!("127.0.0.1:{port}").into()));
        assert!(payloads(&events, true, "violation").is_empty(), "{name}");
    }
}

#[test]
#[ignore = "needs websockets and ws; tests/run installs them"]
fn lines_of_standard_input_are_messages() {
    for name in SERVERS {
        let (mut peer, port) = server(name, &[]);
        let mut live = Live::with_input(&["websocket", &format!("ws://127.0.0.1:{port}/echo"), "first"]);
        for text in ["first", "second", "grüße"] {
            if text != "first" {
                live.write(&format!("{text}\n"));
            }
            let text = hex(text);
            live.event("the message back", |e| {
                e["kind"] == "text" && e["received"] == true && e["data"] == *text
            });
        }
        live.end_input();
        let events = live.succeed();
        assert_eq!(payloads(&events, false, "text"), ["first", "second", "grüße"].map(hex), "{name}");
        let said = peer.says("code");
        assert_eq!((&said["received"], &said["code"]), (&3.into(), &1000.into()), "{name}");
    }
}

#[test]
#[ignore = "needs websockets and ws; tests/run installs them"]
fn a_page_that_it_says_to_come_from_is_the_origin() {
    for name in SERVERS {
        let (mut peer, port) = server(name, &[]);
        client(&port, "/echo", &["hello", "--from", "http://page.example"]).succeed();
        assert_eq!(peer.says("code")["origin"], "http://page.example", "{name}");
    }
}

#[test]
#[ignore = "needs websockets and ws; tests/run installs them"]
fn the_server_may_close_first() {
    for name in SERVERS {
        let (mut peer, port) = server(name, &[]);
        let events = client(&port, "/goodbye", &["hello"]).succeed();
        assert_eq!(close(&events, true), (4001.into(), hex("grüße").into()), "{name}");
        // What the server was answered: the answer to a Close usually has its code (RFC 6455 §5.5.1).
        let said = peer.says("code");
        assert_eq!(
            (&said["received"], &said["sent"], &said["code"]),
            (&1.into(), &0.into(), &4001.into()),
            "{name}"
        );
    }
}

#[test]
#[ignore = "needs websockets and ws; tests/run installs them"]
fn a_ping_is_answered_with_its_payload() {
    for name in SERVERS {
        let (mut peer, port) = server(name, &[]);
        let mut live = client(&port, "/ping", &["hello"]);
        // websockets says so only of a Pong with the payload of its Ping, ws says the payload.
        let pong = peer.says("pong")["pong"].clone();
        assert!(pong == true || pong == "are you there?", "{name}: {pong}");
        let events = live.succeed();
        assert_eq!(payloads(&events, true, "ping"), [hex("are you there?")], "{name}");
        assert_eq!(payloads(&events, true, "text"), [hex("hello")], "{name}");
    }
}

#[test]
#[ignore = "needs websockets and ws; tests/run installs them"]
fn fragments_are_one_message() {
    for (name, whole) in [(SERVERS[0], "a fragment, €, the end"), (SERVERS[1], "a €, the end")] {
        let (mut peer, port) = server(name, &[]);
        let events = client(&port, "/fragments", &["hello"]).succeed();
        assert_eq!(payloads(&events, true, "text"), [hex(whole), hex("hello")], "{name}");
        let said = peer.says("code");
        assert_eq!((&said["received"], &said["sent"]), (&1.into(), &2.into()), "{name}");
    }
}

#[test]
#[ignore = "needs websockets and ws; tests/run installs them"]
fn a_refusal_is_told_with_its_status() {
    for name in SERVERS {
        for status in ["403", "404", "503"] {
            let (_peer, port) = server(name, &[]);
            let (code, text) = shown(&port, &format!("/refuse/{status}"));
            assert_eq!(code, Some(1), "{name}: {text}");
            assert!(text.contains(&format!("HTTP/1.1 {status}")), "{name}: {text}");

            let (code, _, events) = client(&port, &format!("/refuse/{status}"), &["hello"]).end();
            assert_eq!(code, Some(1), "{name}");
            let unmet = events.iter().find(|e| e["event"] == "upgrade" && e["met"] == false).unwrap();
            assert!(unmet["found"].as_str().unwrap().contains(status), "{name}: {unmet}");
            assert!(
                payloads(&events, false, "text").is_empty(),
                "{name}: a frame to somebody who let nobody in"
            );
        }
    }
}

#[test]
#[ignore = "needs ws; tests/run installs it"]
fn a_frame_that_a_server_must_not_send_is_a_violation() {
    for (path, code, section) in [("/masked", 1002, "§5.1"), ("/bad-text", 1007, "§8.1")] {
        let (mut peer, port) = server("ws_server.js", &[]);
        let (exit, err, events) = client(&port, path, &["hello"]).end();
        assert_eq!(exit, Some(1), "{path}: {err}");
        let broken =
            events.iter().find(|e| e["kind"] == "violation").unwrap_or_else(|| panic!("{path}: {err}"));
        assert_eq!(broken["code"], code, "{broken}");
        assert!(broken["section"].as_str().unwrap().contains(section), "{broken}");
        assert_eq!(peer.says("code")["code"], code, "{path}: what ws was told");
    }
}

#[test]
#[ignore = "needs ws; tests/run installs it"]
fn a_stream_that_ends_without_a_close_is_told() {
    let (_peer, port) = server("ws_server.js", &[]);
    let (code, err, events) = client(&port, "/drop", &["hello"]).end();
    assert_eq!(code, Some(1), "{err}");
    assert!(payloads(&events, true, "close").is_empty());
}

/// A server whose bytes we chose; what it was told, and the end of the client.
fn raw(case: &str) -> (Process, Option<i32>, String, Vec<Value>) {
    let (peer, port) = server("raw_server.py", &[case]);
    let (code, err, events) = client(&port, "/", &[]).end();
    (peer, code, err, events)
}

#[test]
#[ignore = "needs Python; tests/run installs it"]
fn an_answer_is_read_however_it_is_cut() {
    for case in ["good", "frame-in-pieces", "continue-first"] {
        let (mut peer, code, err, events) = raw(case);
        assert_eq!(code, Some(0), "{case}: {err}");
        // The frame came in the segment of the head.
        assert_eq!(payloads(&events, true, "text"), [hex("hi")], "{case}");
        assert_eq!(close(&events, true).0, 1000, "{case}");
        let after = peer.says("after");
        // One masked Close, and nothing else: two bytes, the key, the code.
        let sent = after["after"].as_str().unwrap();
        assert!(sent.starts_with("8882") && sent.len() == 16, "{case}: {after}");
        assert_eq!(after["end"], "fin", "{case}");
    }
}

#[test]
#[ignore = "needs Python; tests/run installs it"]
fn an_answer_that_does_not_hold_is_refused_for_what_it_lacks() {
    let cases = [
        ("wrong-accept", "accept"),
        ("no-accept", "accept"),
        ("no-upgrade", "upgrade"),
        ("no-connection", "connection"),
        ("other-upgrade", "upgrade"),
        ("http-1.0", "http/1.1"),
        ("extension", "extension"),
        ("subprotocol", "subprotocol"),
        ("not-http", ""),
        ("no-answer", ""),
    ];
    for (case, word) in cases {
        let (mut peer, code, err, events) = raw(case);
        assert_eq!(code, Some(1), "{case}: {err}");
        if !word.is_empty() {
            let unmet = events.iter().find(|e| e["event"] == "upgrade" && e["met"] == false);
            let unmet = unmet.unwrap_or_else(|| panic!("{case}: all requirements are met"));
            assert!(unmet["requirement"].as_str().unwrap().to_lowercase().contains(word), "{case}: {unmet}");
            assert!(unmet["section"].as_str().unwrap().starts_with("RFC "), "{case}: {unmet}");
            let (_peer, port) = server("raw_server.py", &[case]);
            let (_, text) = shown(&port, "/");
            // Where all is of one RFC, the screen names it once.
            let section = unmet["section"]
                .as_str()
                .unwrap()
                .trim_start_matches("RFC 6455 ")
                .split(", ")
                .next()
                .unwrap();
            assert!(text.contains(section), "{case}: {section} is not on the screen\n{text}");
        }
        // Nothing is sent behind the request: there is no WebSocket (RFC 6455 §4.1).
        assert_eq!(peer.says("after")["after"], "", "{case}");
    }
}

#[test]
#[ignore = "needs Python; tests/run installs it"]
fn each_rule_of_the_frames_has_its_name_and_its_code() {
    let cases = [
        ("masked", 1002, "§5.1"),
        ("reserved-bit", 1002, "§5.2"),
        ("reserved-opcode", 1002, "§5.2"),
        ("orphan", 1002, "§5.4"),
        ("text-in-text", 1002, "§5.4"),
        ("ping-in-pieces", 1002, "§5."),
        ("long-ping", 1002, "§5.5"),
        ("long-form", 1002, "§5.2"),
        ("bad-text", 1007, "§8.1"),
        ("bad-close", 1002, "§5.5.1"),
        ("close-1005", 1002, "§7.4"),
    ];
    for (case, expected, section) in cases {
        let (mut peer, code, err, events) = raw(case);
        assert_eq!(code, Some(1), "{case}: {err}");
        let broken =
            events.iter().find(|e| e["kind"] == "violation").unwrap_or_else(|| panic!("{case}: {err}"));
        assert_eq!(broken["code"], expected, "{case}: {broken}");
        assert!(broken["section"].as_str().unwrap().contains(section), "{case}: {broken}");
        assert!(broken["rule"].as_str().is_some_and(|rule| !rule.is_empty()), "{case}: {broken}");
        // The answer is a masked Close with the code, then the end.
        let after = peer.says("after");
        let sent = super::bytes(&after["after"]);
        assert!(sent.len() >= 8 && sent[0] == 0x88 && sent[1] & 0x80 != 0, "{case}: {after}");
        let answered = u16::from_be_bytes([sent[6] ^ sent[2], sent[7] ^ sent[3]]);
        assert_eq!(answered, expected, "{case}: {after}");
    }
}

#[test]
#[ignore = "needs Python; tests/run installs it"]
fn a_frame_that_is_cut_off_is_no_message() {
    let (_peer, code, err, events) = raw("cut-frame");
    assert_eq!(code, Some(1), "{err}");
    assert!(payloads(&events, true, "text").is_empty());
}

#[test]
#[ignore = "needs Python; tests/run installs it"]
fn what_is_told_as_sent_was_sent() {
    // The server answers no Close. Who has no patience with it presses Ctrl-C.
    let (mut peer, port) = server("raw_server.py", &["deaf"]);
    let mut live = client(&port, "/", &["hello"]);
    live.event("our Close", |e| e["kind"] == "close" && e["received"] == false);
    live.interrupt();
    let events = live.succeed();
    let told = events.iter().filter(|e| e["event"] == "message" && e["received"] == false);
    let told: Vec<(u8, Vec<u8>)> = told
        .map(|message| match message["code"].as_u64() {
            None => (1, super::bytes(&message["data"])),
            Some(code) => {
                let code = u16::try_from(code).unwrap().to_be_bytes();
                (8, [&code[..], &super::bytes(&message["data"])].concat())
            }
        })
        .collect();
    assert_eq!(frames(&super::bytes(&peer.says("after")["after"])), told, "opcode and payload");
}

/// Opcode and payload of short masked frames.
fn frames(mut stream: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = stream {
        assert!(first & 0x80 != 0 && second & 0x80 != 0, "whole messages, masked");
        let (key, rest) = rest.split_at(4);
        let (payload, rest) = rest.split_at(usize::from(second & 0x7f));
        frames.push((
            first & 0xf,
            payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect(),
        ));
        stream = rest;
    }
    frames
}

//! Transports on which both ends may speak at any time: WebSocket against the package ws, and TCP against
//! netcat.

use std::{io::Write, net::TcpStream, process::Command};

use crate::{
    support::live::Process,
    transports::harness::{Caller, Cutter, Server, call, exchange, script, serving},
};

#[test]
#[ignore = "needs the package ws; tests/run installs it"]
fn ws_calls_us_with_every_kind_of_message_and_leaves_in_each_way() {
    let mut server = Server::start("websocket", &[]);
    let url = server.url("ws", "/");
    for offer in ["plain", "deflate"] {
        let mut client = script("ws_client.js", &[&url, offer]);
        client.succeed();
        assert_eq!(client.says("code")["code"], 4001);
        server.tells("ended: Close 4001");
    }
    let mut client = script("ws_client.js", &[&url, "drop"]);
    client.succeed();
    server.tells("broken off");
    for (wrong, code) in [("unmasked", 1002), ("bad-text", 1007)] {
        let mut client = script("ws_client.js", &[&url, wrong]);
        assert_eq!(client.says("code")["code"], code, "{wrong}");
        server.tells("broken: ");
    }
    let mut client = script("ws_client.js", &[&url, "wait"]);
    client.says("open");
    server.stop();
    assert_eq!(client.says("code")["code"], 1001);
}

#[test]
#[ignore = "needs the package ws; tests/run installs it"]
fn a_message_that_is_too_large_is_1009() {
    let mut server = Server::start("websocket", &["--message", "1k"]);
    let mut client = script("ws_client.js", &[&server.url("ws", "/"), "big", "1025"]);
    assert_eq!(client.says("code")["code"], 1009);
    server.tells("broken: ");
    server.stop();
}

#[test]
#[ignore = "needs the package ws; tests/run installs it"]
fn we_call_ws_and_both_ends_see_the_same_end() {
    let (mut ws, port) = serving("ws_server.js", &[]);
    let url = |path: &str| format!("ws://127.0.0.1:{port}{path}");
    let told = call("websocket", &url("/echo"), &["hello", "grüße", "--ack", "--wait", "100ms"]);
    assert_eq!(told.matches("heard, ").count(), 2, "{told}");
    assert_eq!(told.matches("acknowledged: the Pong").count(), 2, "{told}");
    assert_eq!(ws.says("code")["code"], 1000);
    let told = call("websocket", &url("/fragments"), &["--wait", "100ms"]);
    assert!(told.contains("a €, the end"), "{told}");
    assert_eq!(ws.says("code")["code"], 1000);
    let told = call("websocket", &url("/goodbye"), &["hello", "--wait", "20s"]);
    assert!(told.contains("ended: the server said Close 4001 \"grüße\""), "{told}");
    assert_eq!(ws.says("code")["code"], 4001);
    call("websocket", &url("/echo"), &["hello", "--end", "abrupt", "--wait", "50ms"]);
    assert_eq!(ws.says("code")["code"], 1006);
    let fails = |path: &str, words: &str| {
        let ended = Caller::start("websocket", &url(path), &["hello", "--wait", "20s"]).end();
        assert_eq!(ended.code, Some(1), "{}", ended.out);
        assert!(ended.out.contains(words), "{path}: {}", ended.out);
    };
    fails("/drop", "1006");
    fails("/masked", "§5.1");
    fails("/bad-text", "§8.1");
    fails("/refuse/503", "answers 503 and not 101");
}

#[test]
#[ignore = "needs the package ws; tests/run installs it"]
fn heart_beats_go_both_ways() {
    let (mut ws, port) = serving("ws_server.js", &[]);
    // Ours, which ws answers.
    let url = format!("ws://127.0.0.1:{port}/ping");
    let mut caller = Caller::start("websocket", &url, &["--beat", "50ms"]);
    caller.tells("← WebSocket beat: Ping");
    caller.tells("→ WebSocket beat: Pong");
    assert_eq!(ws.says("pong")["pong"], "are you there?");
    caller.tells("→ WebSocket beat: Ping");
    caller.tells("← WebSocket beat: Pong");
    assert_eq!(caller.end().code, Some(0));
    // And those of our server.
    let mut server = Server::start("websocket", &["--beat", "50ms"]);
    let mut client = script("ws_client.js", &[&server.url("ws", "/"), "wait"]);
    client.says("open");
    for words in ["← WebSocket beat: Ping", "→ WebSocket beat: Pong", "← WebSocket beat: Ping"] {
        server.tells(words);
    }
    server.stop();
}

#[test]
fn whoever_does_not_answer_a_ping_is_given_up() {
    let mut server = Server::start("websocket", &["--beat", "50ms"]);
    let mut silent = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    silent.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").unwrap();
    server.tells("no Pong came back");
    server.stop();
}

#[test]
fn our_websockets_chat_and_call_again_after_a_cut() {
    let mut server = Server::start("websocket", &["--chat"]);
    let cutter = Cutter::before(server.port);
    let mut one = Caller::start("websocket", &format!("ws://127.0.0.1:{}/", cutter.port), &["--retry", "3"]);
    one.tells("open: ");
    let mut two = Caller::start("websocket", &server.url("ws", "/"), &[]);
    two.tells("open: ");
    // The server has both.
    server.tells("open: ");
    server.tells("open: ");
    two.process.write("hello\n");
    one.tells("heard, 5 bytes \"hello\"");
    two.tells("heard, 5 bytes \"hello\"");
    cutter.cut();
    one.tells("calls again");
    one.tells("open: ");
    one.process.write("I am back\n");
    two.tells("heard, 9 bytes \"I am back\"");
    let told = server.stop();
    for caller in [one, two] {
        let ended = caller.end();
        assert_eq!(ended.code, Some(0), "{}", ended.out);
        assert!(ended.out.contains("Close 1001"), "{}", ended.out);
    }
    assert!(told.contains("3 connections"), "{told}");
}

#[test]
fn who_is_slow_is_dropped_and_the_rest_hear_everything() {
    let mut server = Server::start("tcp", &["--chat", "--queue", "16", "--message", "1m"]);
    // It never reads.
    let slow = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    server.tells("c1    TCP connected");
    let mut fast = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let mut reader = fast.try_clone().unwrap();
    let line = [vec![b'x'; 200_000], vec![b'\n']].concat();
    // More than the kernel buffers for one who does not read.
    for _ in 0..120 {
        fast.write_all(&line).unwrap();
        let mut back = vec![0; line.len()];
        std::io::Read::read_exact(&mut reader, &mut back).unwrap();
        assert_eq!(back, line);
    }
    drop(fast);
    let end = server.tells("c1  ✗ TCP broken");
    assert!(end.contains("slower than the rest") || end.contains("took nothing"), "{end}");
    drop(slow);
    server.stop();
}

#[test]
fn the_limit_of_connections_lets_nobody_more_in() {
    let mut server = Server::start("tcp", &["--connections", "1"]);
    let first = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    server.tells("The limit of 1 at once is reached");
    let port = server.port;
    // It waits in the accept queue, and is served when the first has left.
    let second = std::thread::spawn(move || exchange(port, b"hello\n"));
    drop(first);
    assert_eq!(second.join().unwrap(), b"hello\n");
    server.stop();
}

#[test]
#[ignore = "needs OpenBSD's netcat; tests/run installs it"]
fn netcat_and_our_tcp_speak_in_lines() {
    let server = Server::start("tcp", &[]);
    let mut nc =
        Process::start("nc", Command::new("nc.openbsd").args(["-N", "127.0.0.1", &server.port.to_string()]));
    nc.write("hello\r\nthere\n");
    nc.end_input();
    assert_eq!(nc.succeed().out, "hello\nthere\n");
    let told = server.stop();
    assert!(told.contains("ended: it sent a FIN"), "{told}");
}

#[test]
fn our_tcp_ends_carry_lines_both_ways_and_end_in_each_way() {
    let mut server = Server::start("tcp", &[]);
    let url = server.url("tcp", "");
    let told = call("tcp", &url, &["hello", "--wait", "100ms"]);
    assert!(told.contains("heard, 5 bytes \"hello\"") && told.contains("ended: by us"), "{told}");
    server.tells("ended: it sent a FIN");
    call("tcp", &url, &["hello", "--wait", "100ms", "--end", "abrupt"]);
    server.tells("broken off: recv failed");
    let mut caller = Caller::start("tcp", &url, &[]);
    caller.process.write("x\n");
    caller.tells("heard, 1 byte");
    server.stop();
    let ended = caller.end();
    assert!(ended.out.contains("ended: the server sent a FIN"), "{}", ended.out);
}

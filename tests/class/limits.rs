//! Limits: each is said where it strikes, ends one connection and no other, and the server goes on.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tungstenite::{Message, WebSocket};

use super::{Server, closed_by_it, echo, end, ending::stuff, gone, head, leave, there_and_back, until};

/// The limit of time in these tests, and how it is written.
const IDLE: Duration = Duration::from_millis(300);
const IDLE_OPTION: [&str; 2] = ["--idle", "300ms"];

/// An echo never takes as long, unless somebody else is waited for.
const PROMPT: Duration = Duration::from_secs(1);

/// Reads to the end, which has to be one in order.
fn to_the_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("the stream ends in order");
    rest
}

/// Whether nothing comes for a while.
fn nothing_comes(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert_eq!(stream.read(&mut [0]).expect_err("nothing comes").kind(), ErrorKind::WouldBlock);
    stream.set_read_timeout(Some(super::PATIENCE)).unwrap();
}

#[test]
fn who_calls_beyond_the_limit_waits_until_somebody_leaves() {
    let mut server = Server::start("accept", &["--connections", "2"]);
    let mut first = server.call();
    let mut second = server.call();
    there_and_back(&mut first, b"first");
    there_and_back(&mut second, b"second");
    server.shows(&["The limit of 2 ", "at once is reached (--connections)"]);
    // The kernel connects it, and takes what it says; nobody accepts it.
    let mut third = server.call();
    third.write_all(b"third").unwrap();
    let mut fourth = server.call();
    fourth.write_all(b"fourth").unwrap();
    nothing_comes(&mut third);
    there_and_back(&mut first, b"first again");
    there_and_back(&mut second, b"second again");
    let said = |events: &[Value]| {
        let narrated = events.iter().filter(|e| e["event"] == "narration");
        narrated.filter(|e| e["markdown"].as_str().unwrap().contains("(`--connections`)")).count()
    };
    let connected = |events: &[Value]| {
        events.iter().filter(|e| e["event"] == "peer" && e["phase"] == "connected").count()
    };
    let events = server.events();
    assert_eq!((connected(&events), said(&events)), (2, 1));
    // One leaves, and the one that has waited longest gets its seat.
    first.shutdown(Shutdown::Write).unwrap();
    assert_eq!(to_the_end(&mut first), b"");
    let mut back = [0; 5];
    third.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"third");
    nothing_comes(&mut fourth);
    assert_eq!(connected(&server.events()), 3);
    second.shutdown(Shutdown::Write).unwrap();
    let mut back = [0; 6];
    fourth.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"fourth");
    drop((third, fourth));
    let (screen, events) = server.stop();
    assert!(screen.contains("4 connections, at most 2 at once"), "{screen}");
    for (name, caller) in [("c1", &first), ("c2", &second)] {
        assert_eq!(gone(&events, name)["address"], caller.local_addr().unwrap().to_string());
    }
    // One and the same queue: it is said once.
    assert_eq!(said(&events), 1);
}

#[test]
fn a_silent_websocket_is_closed_with_1008() {
    let mut server = Server::start("websocket", &IDLE_OPTION);
    let mut silent = server.open();
    let began = Instant::now();
    echo(&mut silent, "the last word");
    assert_eq!(closed_by_it(&mut silent), 1008);
    assert!(began.elapsed() >= IDLE, "{:?}", began.elapsed());
    server.shows(&["c1", "gone", "nothing moved for 300 ms (--idle)"]);
    goes_on(&server);
    let (_, events) = server.stop();
    assert_eq!(end(&events, "c1"), ("limit", "nothing moved for 300 ms (--idle)"));
    assert_eq!(gone(&events, "c1")["messages_received"], 1);
}

#[test]
fn who_is_silent_before_the_upgrade_is_idle_too() {
    let mut server = Server::start("websocket", &IDLE_OPTION);
    let mut silent = server.call();
    let began = Instant::now();
    let answer = String::from_utf8(to_the_end(&mut silent)).unwrap();
    let took = began.elapsed();
    assert!(took >= IDLE, "{took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}: the limit for a head came first");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    server.shows(&["c1", "gone"]);
    goes_on(&server);
    server.stop();
}

#[test]
fn a_silent_tcp_connection_gets_a_fin() {
    let mut server = Server::start("accept", &IDLE_OPTION);
    for word in [None, Some(b"the last word")] {
        let mut silent = server.call();
        let began = Instant::now();
        if let Some(word) = word {
            there_and_back(&mut silent, word);
        }
        assert_eq!(to_the_end(&mut silent), b"");
        assert!(began.elapsed() >= IDLE, "{:?}", began.elapsed());
    }
    server.shows(&["c1", "gone", "nothing moved for 300 ms (--idle)"]);
    server.shows(&["c2", "gone", "nothing moved for 300 ms (--idle)"]);
    there_and_back(&mut server.call(), b"the server goes on");
    let (_, events) = server.stop();
    for name in ["c1", "c2"] {
        assert_eq!(end(&events, name), ("limit", "nothing moved for 300 ms (--idle)"));
    }
}

#[test]
fn who_says_something_now_and_then_is_not_idle() {
    let mut server = Server::start("websocket", &["--idle", "1s"]);
    let mut slow = server.open();
    let began = Instant::now();
    // Longer than the limit in all, and never so long without a word. A Ping is a word too.
    let mut turn = 0;
    while began.elapsed() < Duration::from_millis(2500) {
        match turn % 2 {
            0 => echo(&mut slow, "still here"),
            _ => {
                slow.send(Message::Ping(b"and still"[..].into())).unwrap();
                assert_eq!(slow.read().unwrap(), Message::Pong(b"and still"[..].into()));
            }
        }
        turn += 1;
        thread::park_timeout(Duration::from_millis(100));
    }
    assert_eq!(closed_by_it(&mut slow), 1008);
    server.shows(&["c1", "gone", "nothing moved for 1 s (--idle)"]);
    server.stop();
}

/// A new client is served as if nothing had been.
fn goes_on(server: &Server) {
    let mut next = server.open();
    echo(&mut next, "the server goes on");
    leave(next, 1000);
}

#[test]
fn a_websocket_that_sends_too_much_in_all_is_closed_with_1008() {
    let mut server = Server::start("websocket", &["--bytes", "1k"]);
    let mut talker = server.open();
    let mut beside = server.open();
    // Each is below the limit, and so is a connection with one.
    let message = "x".repeat(700);
    echo(&mut talker, &message);
    talker.send(Message::text(message.clone())).unwrap();
    assert_eq!(closed_by_it(&mut talker), 1008);
    server.shows(&["c1", "gone", "it sent more than 1 KiB (--bytes)"]);
    echo(&mut beside, "beside it");
    goes_on(&server);
    let (_, events) = server.stop();
    assert_eq!(end(&events, "c1"), ("limit", "it sent more than 1 KiB (--bytes)"));
}

#[test]
fn a_tcp_connection_that_sends_too_much_in_all_is_closed() {
    let mut server = Server::start("accept", &["--bytes", "1k"]);
    let mut beside = server.call();
    there_and_back(&mut beside, b"beside it");
    let mut talker = server.call();
    there_and_back(&mut talker, &[b'x'; 1024]);
    // It may be sent back what brought it over the limit, and nothing else; the end comes in order.
    talker.write_all(b"y").unwrap();
    let rest = to_the_end(&mut talker);
    assert!(rest.is_empty() || rest == b"y", "{rest:?}");
    server.shows(&["c2", "gone", "it sent more than 1 KiB (--bytes)"]);
    there_and_back(&mut beside, b"and still");
    let (_, events) = server.stop();
    assert_eq!(end(&events, "c2"), ("limit", "it sent more than 1 KiB (--bytes)"));
    assert_eq!(gone(&events, "c2")["received"], 1025);
}

/// Sends raw frames, each with its first byte, and reads until the Close.
fn answer_to(server: &Server, frames: &[(u8, usize)]) -> Vec<u8> {
    let mut stream = server.upgraded();
    for (first, size) in frames {
        let size = u16::try_from(*size).unwrap().to_be_bytes();
        stream.write_all(&[*first, 0xfe, size[0], size[1], 0, 0, 0, 0]).unwrap();
        stream.write_all(&vec![b'x'; usize::from(u16::from_be_bytes(size))]).unwrap();
    }
    to_the_end(&mut stream)
}

#[test]
fn a_message_beyond_the_limit_is_answered_with_1009() {
    let mut server = Server::start("websocket", &["--message", "1k"]);
    let mut first = server.open();
    echo(&mut first, &"x".repeat(1024));
    first.send(Message::text("x".repeat(1025))).unwrap();
    assert_eq!(closed_by_it(&mut first), 1009);
    server.shows(&["c1", "answered with Close 1009"]);
    server.shows(&["c1", "gone: "]);
    // In fragments each of which is small enough; and cut off by its announcement alone.
    assert_eq!(answer_to(&server, &[(0x02, 600), (0x80, 600)]), [0x88, 2, 0x03, 0xf1]);
    server.shows(&["c2", "answered with Close 1009"]);
    let mut announced = server.upgraded();
    announced.write_all(&[0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]).unwrap();
    assert_eq!(to_the_end(&mut announced), [0x88, 2, 0x03, 0xf1]);
    server.shows(&["c3", "answered with Close 1009"]);
    goes_on(&server);
    let (_, events) = server.stop();
    for name in ["c1", "c2", "c3"] {
        let (end, detail) = end(&events, name);
        assert_eq!(end, "limit", "{name}");
        assert!(detail.ends_with("answered with Close 1009"), "{name}: {detail}");
        let violations: Vec<&Value> = events
            .iter()
            .filter(|e| e["event"] == "message" && e["socket"] == name && e["kind"] == "violation")
            .collect();
        assert_eq!(violations.len(), 1, "{name}");
        assert_eq!(violations[0]["code"], 1009, "{name}");
    }
    assert_eq!(gone(&events, "c1")["messages_received"], 1);
}

#[test]
#[ignore = "takes 10 s: so long a head may take"]
fn a_head_that_never_ends_is_answered_with_408() {
    let mut server = Server::start("websocket", &[]);
    let mut dripping = server.call();
    let mut silent = server.call();
    let began = Instant::now();
    dripping.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ").unwrap();
    dripping.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut answer = [0];
    loop {
        match dripping.read(&mut answer) {
            Ok(1) => break,
            Ok(_) => panic!("it ended without an answer"),
            // Something always moves, and no other is held up.
            Err(error) if error.kind() == ErrorKind::WouldBlock => dripping.write_all(b"x").unwrap(),
            Err(error) => panic!("{error}"),
        }
        goes_on(&server);
        assert!(began.elapsed() < Duration::from_secs(15), "it may go on for ever");
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(10), "{took:?}");
    let rest = head(&mut dripping);
    assert!(rest.starts_with("TTP/1.1 408 "), "{rest}");
    let answer = head(&mut silent);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    server.shows(&["c1", "408 Request Timeout, not met: the whole head in time"]);
    server.shows(&["c1", "gone: the opening request was refused"]);
    server.shows(&["c2", "gone: the opening request was refused"]);
    let (_, events) = server.stop();
    for name in ["c1", "c2"] {
        let (end, detail) = end(&events, name);
        assert!(end == "refused" && detail.starts_with("408"), "{name}: {end}, {detail}");
    }
}

#[test]
fn who_does_not_read_is_cut_off_and_holds_up_nobody() {
    for command in ["accept", "websocket"] {
        let mut server = Server::start(command, &["--idle", "1s"]);
        let mut deaf = match command {
            "accept" => server.call(),
            _ => server.upgraded(),
        };
        let stuck = thread::spawn(move || {
            stuff(&mut deaf);
            deaf
        });
        // Meanwhile another is served.
        let over = AtomicBool::new(false);
        let mut tcp = server.call();
        let mut websocket = (command == "websocket").then(|| server.open());
        let slowest = thread::scope(|scope| {
            let beside = scope.spawn(|| {
                let mut slowest = Duration::ZERO;
                while !over.load(Ordering::Acquire) {
                    let began = Instant::now();
                    match &mut websocket {
                        Some(websocket) => echo(websocket, "beside it"),
                        None => there_and_back(&mut tcp, b"beside it"),
                    }
                    slowest = slowest.max(began.elapsed());
                    thread::park_timeout(Duration::from_millis(5));
                }
                slowest
            });
            server.shows(&[
                "c1",
                "gone",
                "it does not read: for 1 s there was no room to send to it (--idle)",
            ]);
            over.store(true, Ordering::Release);
            beside.join().unwrap()
        });
        assert!(slowest < PROMPT, "{command}: {slowest:?}");
        let deaf = stuck.join().unwrap();
        drop((deaf, tcp, websocket));
        let (_, events) = server.stop();
        let detail = "it does not read: for 1 s there was no room to send to it (--idle)";
        assert_eq!(end(&events, "c1"), ("limit", detail), "{command}");
    }
}

/// What could not be sent is thrown away, and not kept by the kernel for as long as the peer does not read.
#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_of_who_does_not_read() {
    let mut server = Server::start("accept", &["--idle", "1s"]);
    let mut deaf = server.call();
    socket2::SockRef::from(&deaf).set_recv_buffer_size(4096).unwrap();
    let its = deaf.local_addr().unwrap().port();
    let theirs = || {
        let mut all = super::connections().into_iter();
        all.find(|one| (one.local, one.remote) == (server.port, its))
    };
    // No more than the server can read: what it left unread would make a RST of its close by itself.
    loop {
        deaf.write_all(&[b'x'; 32 << 10]).unwrap();
        let began = Instant::now();
        while theirs().is_some_and(|one| one.unread > 0) && began.elapsed() < IDLE {
            thread::park_timeout(Duration::from_millis(1));
        }
        if began.elapsed() >= IDLE {
            break;
        }
    }
    until("the end of the connection in the kernel", || theirs().is_none().then_some(()));
    server.shows(&["c1", "gone", "it does not read"]);
    deaf.read_to_end(&mut Vec::new()).expect_err("it was reset");
    server.stop();
}

#[test]
fn slow_silent_and_stuck_ones_hold_up_nobody() {
    let server = Server::start("websocket", &[]);
    // Ten say nothing at all, ten nothing after the upgrade, one is in the middle of a frame, one does not
    // read.
    let silent: Vec<TcpStream> = (0..10).map(|_| server.call()).collect();
    let upgraded: Vec<TcpStream> = (0..10).map(|_| server.upgraded()).collect();
    let mut torn = server.upgraded();
    torn.write_all(&[0x81, 0xff, 0, 0]).unwrap();
    let mut stuck = server.upgraded();
    stuff(&mut stuck);
    let mut client: WebSocket<TcpStream> = server.open();
    let mut times: Vec<Duration> = (0..200)
        .map(|number| {
            let began = Instant::now();
            echo(&mut client, &format!("message {number}"));
            began.elapsed()
        })
        .collect();
    times.sort();
    assert!(times[199] < PROMPT, "the slowest of 200 took {:?}", times[199]);
    assert!(times[100] < Duration::from_millis(100), "half of them took {:?} or longer", times[100]);
    leave(client, 1000);
    drop((silent, upgraded, torn, stuck));
    let (_, events) = server.stop();
    assert_eq!(end(&events, "c23"), ("closed", "Close 1000"));
    assert_eq!(gone(&events, "c23")["messages_sent"], 200);
}

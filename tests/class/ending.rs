//! Ctrl-C while many are there.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use super::{Server, closed_by_it, echo, end, flat, tail, there_and_back};

/// So soon the program is gone after Ctrl-C, if nobody holds it up.
const SOON: Duration = Duration::from_secs(3);

/// Whether anything listens there.
fn is_there(port: u16) -> bool {
    match TcpStream::connect(("127.0.0.1", port)) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            false
        }
    }
}

#[test]
fn on_ctrl_c_each_websocket_gets_a_close_and_the_program_ends() {
    for signal in ["INT", "TERM"] {
        let mut server = Server::start("websocket", &[]);
        let mut twenty: Vec<_> = (0..20).map(|_| server.open()).collect();
        for (number, websocket) in twenty.iter_mut().enumerate() {
            echo(websocket, &format!("hello from {number}"));
        }
        let told = Instant::now();
        server.process.signal(signal);
        for websocket in &mut twenty {
            assert_eq!(closed_by_it(websocket), 1001);
        }
        let (screen, events) = server.over();
        let took = told.elapsed();
        assert!(took < SOON, "{took:?}");
        assert!(!is_there(server.port));
        for number in 1..=20 {
            assert_eq!(end(&events, &format!("c{number}")), ("stopped", "the server ends"));
        }
        let sum = "20 connections, at most 20 at once: 20 ended by the end of the server.";
        assert!(screen.contains(sum), "{screen}");
        assert_eq!(events.last().unwrap()["event"], "end");
    }
}

#[test]
fn on_ctrl_c_each_tcp_connection_gets_a_fin() {
    let mut server = Server::start("accept", &[]);
    let mut twenty: Vec<_> = (0..20).map(|_| server.call()).collect();
    for caller in &mut twenty {
        there_and_back(caller, b"hello");
    }
    let told = Instant::now();
    server.process.signal("INT");
    for mut caller in twenty {
        let mut rest = Vec::new();
        caller.read_to_end(&mut rest).expect("the stream ends in order");
        assert_eq!(rest, b"");
    }
    let (_, events) = server.over();
    assert!(told.elapsed() < SOON, "{:?}", told.elapsed());
    for number in 1..=20 {
        assert_eq!(end(&events, &format!("c{number}")), ("stopped", "the server ends"));
    }
}

#[test]
fn who_does_not_answer_does_not_hold_up_the_end() {
    let mut server = Server::start("websocket", &[]);
    // Upgraded and deaf; in the middle of a frame; never reading, with more on its way than there is room
    // for; before the upgrade.
    let deaf: Vec<_> = (0..5).map(|_| server.upgraded()).collect();
    let mut torn = server.upgraded();
    torn.write_all(&[0x81, 0xff, 0, 0]).unwrap();
    let mut stuck = server.upgraded();
    stuff(&mut stuck);
    // What was said before this is told by now, and the last who is silent is there.
    echo(&mut server.open(), "nothing waits to be told");
    server.shows(&["c8", "nothing waits to be told"]);
    let silent: Vec<_> = (0..5).map(|_| server.call()).collect();
    server.shows(&["c13", "connected"]);
    let told = Instant::now();
    server.process.signal("INT");
    let (_, events) = server.over();
    let took = told.elapsed();
    assert!(took < SOON * 2, "{took:?}");
    assert!(!is_there(server.port));
    for number in (1..=7).chain(9..=13) {
        assert_eq!(end(&events, &format!("c{number}")).0, "stopped", "c{number}");
    }
    drop((deaf, silent, torn, stuck));
}

#[test]
fn ctrl_c_is_heard_while_much_waits_to_be_told() {
    let mut server = Server::start("websocket", &[]);
    let mut listening = server.open();
    echo(&mut listening, "hello");
    let mut flood = server.upgraded();
    let mut back = flood.try_clone().unwrap();
    // All of it has come back, so all is done; telling it takes longer.
    let message = [&[0x82, 0xfe, 0x80, 0, 0, 0, 0, 0][..], &[b'x'; 0x8000]].concat();
    const TIMES: usize = 100;
    let reader = thread::spawn(move || back.read_exact(&mut vec![0; TIMES * (4 + 0x8000)]).unwrap());
    (0..TIMES).for_each(|_| flood.write_all(&message).unwrap());
    reader.join().unwrap();
    let told = Instant::now();
    server.process.signal("INT");
    assert_eq!(closed_by_it(&mut listening), 1001);
    let heard = told.elapsed();
    drop(flood);
    let ended = server.process.succeed();
    let took = told.elapsed();
    assert!(heard < took / 2, "the Close came after {heard:?}, and the end after {took:?}");
    // It is told all the same, to the last.
    let sum = format!("Messages: {} received, {} sent.", TIMES + 1, TIMES + 1);
    assert!(flat(&ended.out).contains(&sum), "{}", tail(&ended.out));
    assert_eq!(end(&server.events(), "c1"), ("stopped", "the server ends"));
}

/// Sends messages until the server, to which nobody listens, takes no more.
pub(super) fn stuff(stream: &mut TcpStream) {
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut frame = vec![0x82, 0xfe, 0xf0, 0x00, 0, 0, 0, 0];
    frame.extend([b'x'; 0xf000]);
    loop {
        match stream.write_all(&frame) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => panic!("it took no more, and not for want of room: {error}"),
        }
    }
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let mut server = Server::start("websocket", &[]);
    // It waits a while for those who do not answer its Close.
    let mut deaf: Vec<_> = (0..3).map(|_| server.upgraded()).collect();
    server.process.signal("INT");
    let mut close = [0; 4];
    deaf[0].read_exact(&mut close).unwrap();
    assert_eq!(close[0], 0x88, "a Close: {close:?}");
    assert_eq!(u16::from_be_bytes([close[2], close[3]]), 1001);
    // Two at the same time would count as one.
    let told = Instant::now();
    while told.elapsed() < Duration::from_millis(100) {
        thread::park_timeout(Duration::from_millis(10));
    }
    let told = Instant::now();
    server.process.signal("INT");
    let ended = server.process.end();
    let took = told.elapsed();
    assert_eq!(ended.code, Some(130));
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert!(!is_there(server.port));
}

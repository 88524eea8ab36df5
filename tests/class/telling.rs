//! What is told of whom: everybody, one, or the table alone.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    thread,
};

use tungstenite::WebSocket;

use super::{Server, echo, leave, there_and_back, upgraded};

/// The text that goes to and fro on the connection with this number, and on no other.
fn own(number: usize) -> String {
    format!("nobody but {number} says this")
}

/// Three who call one after the other, say something each, and leave.
fn three_at(server: &mut Server) {
    let mut three: Vec<WebSocket<TcpStream>> = (0..3).map(|_| server.open()).collect();
    for (index, websocket) in three.iter_mut().enumerate() {
        echo(websocket, &own(index + 1));
    }
    three.into_iter().for_each(|websocket| leave(websocket, 1000));
}

/// Whether the screen tells of the text of this connection.
fn tells(screen: &str, number: usize) -> bool {
    screen.contains(&own(number))
}

#[test]
fn with_show_2_only_the_second_is_told() {
    for with_trace in [true, false] {
        let options = ["--show", "2"];
        let mut server = match with_trace {
            true => Server::start("websocket", &options),
            false => Server::without_trace("websocket", &options),
        };
        three_at(&mut server);
        server.shows(&["c2", "gone", "Close"]);
        let (screen, events) = server.stop();
        assert!(tells(&screen, 2), "{screen}");
        assert!(!tells(&screen, 1) && !tells(&screen, 3), "{screen}");
        // (A byte in hex may look like a name.)
        let of_others = screen.lines().filter(|line| {
            ["c1", "c3"].iter().any(|name| {
                line.trim_start().starts_with(&format!("{name} "))
                    || line.contains(&format!("named {name}"))
                    || line.contains(&format!("int {name} "))
            })
        });
        assert_eq!(of_others.collect::<Vec<_>>(), [""; 0], "{screen}");
        assert!(screen.contains("3 connections, at most 3 at once: 3 closed in order."), "{screen}");
        // The file has everything.
        for name in ["c1", "c2", "c3"].iter().filter(|_| with_trace) {
            let messages = events.iter().filter(|e| e["event"] == "message" && e["socket"] == **name);
            assert!(messages.count() >= 3, "{name}");
        }
    }
}

#[test]
fn without_show_everybody_is_told() {
    let mut server = Server::without_trace("websocket", &[]);
    three_at(&mut server);
    let (screen, _) = server.stop();
    for number in 1..=3 {
        assert!(tells(&screen, number), "{number}: {screen}");
        assert!(screen.contains(&format!("c{number}")), "{number}: {screen}");
    }
}

#[test]
fn with_quiet_there_is_the_table_and_the_sum() {
    for with_trace in [true, false] {
        let mut server = match with_trace {
            true => Server::start("websocket", &["--quiet"]),
            false => Server::without_trace("websocket", &["--quiet"]),
        };
        three_at(&mut server);
        let (screen, _) = server.stop();
        assert!((1..=3).all(|number| !tells(&screen, number)), "{screen}");
        assert!(screen.contains("3 connections, at most 3 at once: 3 closed in order."), "{screen}");
        assert!(screen.contains("Messages: 3 received, 3 sent."), "{screen}");
        for number in 1..=3 {
            let rows: Vec<&str> =
                screen.lines().filter(|line| line.trim_start().starts_with(&format!("c{number} "))).collect();
            assert_eq!(rows.len(), 1, "one row for c{number}: {screen}");
            assert!(rows[0].contains("127.0.0.1:") && rows[0].contains("closed"), "{}", rows[0]);
        }
        assert!(screen.contains("3 gone: 3 closed"), "{screen}");
    }
}

/// More than is told at once, and many who come and go meanwhile: all of it is told, and the table is kept.
#[test]
fn many_who_come_and_go_are_told_behind_the_table() {
    const AT_ONCE: usize = 10;
    const EACH: usize = 4;
    const MESSAGES: usize = 50;
    let mut server = Server::start("websocket", &["--quiet"]);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let port = server.port;
            scope.spawn(move || {
                for _ in 0..EACH {
                    let mut stream = upgraded(port);
                    stream.write_all(&[0x81, 0x81, 0, 0, 0, 0, b'x'].repeat(MESSAGES)).unwrap();
                    stream.write_all(&[0x88, 0x80, 0, 0, 0, 0]).unwrap();
                    let mut back = Vec::new();
                    stream.read_to_end(&mut back).expect("the stream ends in order");
                    assert_eq!(back, [[0x81, 1, b'x'].repeat(MESSAGES), vec![0x88, 0]].concat());
                    stream.shutdown(Shutdown::Both).unwrap();
                }
            });
        }
    });
    server.process.signal("INT");
    let screen = server.process.succeed().out;
    let (all, messages) = (AT_ONCE * EACH, AT_ONCE * EACH * MESSAGES);
    assert!(screen.contains(&format!("{all} connections, at most ")), "{screen}");
    let texts = server.events().into_iter().filter(|e| e["event"] == "message" && e["kind"] == "text");
    assert_eq!(texts.count(), 2 * messages);
}

#[test]
fn names_are_given_in_the_order_of_the_calls() {
    let server = Server::start("accept", &[]);
    let mut callers: Vec<TcpStream> = (0..30).map(|_| server.call()).collect();
    for (index, caller) in callers.iter_mut().enumerate() {
        there_and_back(caller, own(index + 1).as_bytes());
    }
    let ports: Vec<String> = callers.iter().map(|caller| caller.local_addr().unwrap().to_string()).collect();
    drop(callers);
    let (_, events) = server.stop();
    let connected: Vec<(&str, &str)> = events
        .iter()
        .filter(|e| e["event"] == "peer" && e["phase"] == "connected")
        .map(|e| (e["name"].as_str().unwrap(), e["address"].as_str().unwrap()))
        .collect();
    let names: Vec<String> = (1..=30).map(|number| format!("c{number}")).collect();
    let expected: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(ports.iter().map(String::as_str)).collect();
    assert_eq!(connected, expected);
}

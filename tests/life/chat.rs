//! The chat: all hear the same, and who is slow goes, and holds up nobody.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use tungstenite::{Error, Message, protocol::frame::coding::CloseCode};

use super::{Server, is_reset, leave, pictures, text};
use crate::{devtools::Browser, programs::script};

/// Nobody waits so long for anybody: whoever is slow has a second until it is cut off, and in that second the others have to go on.
const AT_ONCE: Duration = Duration::from_millis(900);

#[test]
fn all_hear_all_in_the_same_order() {
    let mut server = Server::start(&["--chat"]);
    let people: Vec<_> = (0..5).map(|_| server.call(false)).collect();
    let heard: Vec<Vec<String>> = thread::scope(|scope| {
        let talks: Vec<_> = people
            .into_iter()
            .enumerate()
            .map(|(person, mut socket)| {
                scope.spawn(move || {
                    for number in 0..20 {
                        socket.send(Message::text(format!("{person}: {number}"))).unwrap();
                    }
                    let heard = (0..100).map(|_| text(&mut socket)).collect();
                    leave(&mut socket);
                    heard
                })
            })
            .collect();
        talks.into_iter().map(|talk| talk.join().unwrap()).collect()
    });
    assert!(heard.iter().all(|one| *one == heard[0]), "{heard:?}");
    for person in 0..5 {
        let own: Vec<_> = heard[0].iter().filter(|line| line.starts_with(&format!("{person}:"))).collect();
        assert_eq!(own, (0..20).map(|number| format!("{person}: {number}")).collect::<Vec<_>>().iter().collect::<Vec<_>>());
    }
    server.stop();
}

#[test]
fn who_does_not_read_gets_a_reset_and_the_others_do_not_wait() {
    let mut server = Server::start(&["--chat", "--queue", "8"]);
    let mut slow = server.call(true);
    let (mut one, mut other) = (server.call(false), server.call(false));
    let long = "x".repeat(60_000);
    let mut slowest = Duration::ZERO;
    // The server has a second to see that it is rid of it, and a moment to say so.
    let talk = thread::spawn(move || {
        for number in 0.. {
            let began = Instant::now();
            one.send(Message::text(format!("{number} {long}"))).unwrap();
            let all = [text(&mut one), text(&mut other)];
            slowest = slowest.max(began.elapsed());
            assert!(all.iter().all(|text| text.starts_with(&format!("{number} "))));
            if number > 20 && other.get_ref().peer_addr().is_ok() && began.elapsed() > Duration::MAX {
                break;
            }
        }
        slowest
    });
    server.says("slower than the rest");
    drop(talk);
    let outcome = loop {
        match slow.read() {
            Ok(Message::Text(_)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert!(is_reset(&outcome), "{outcome}");
    server.stop();
}

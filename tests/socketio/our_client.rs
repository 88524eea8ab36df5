//! Our client with the server of those who made Socket.IO.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sockwalk::transport::{
    api::{CloseMode, Heard},
    connection::Fault,
    message::Message,
};

use super::{PATIENCE, called, hear, hear_message, node, text};
use crate::support::live::Process;

/// socket.io, with a ping every 200 ms.
fn server(options: Value) -> (Process, SocketAddr) {
    let mut all = json!({ "pingInterval": 200, "pingTimeout": 400 });
    all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    let mut server = node("socketio_server.js", &[&all.to_string()]);
    let port = server.says("port")["port"].to_string();
    (server, format!("127.0.0.1:{port}").parse().unwrap())
}

#[test]
#[ignore = "needs Node, and the peers that tests/run installs"]
fn events_bytes_acknowledgements_and_pings_go_by_each_transport() {
    let (mut server, at) = server(json!({}));
    for (transport, last) in [("upgrade", "websocket"), ("polling", "polling"), ("websocket", "websocket")] {
        let mut client = called(at, &[("transport", transport)]).unwrap();
        let first = if transport == "websocket" { "websocket" } else { "polling" };
        assert_eq!(server.says("joined")["transport"], first);

        client.say(&text("héllo \u{1f600}"), true).unwrap();
        let heard = server.says("heard");
        assert_eq!(heard, json!({"heard": ["message", "héllo \u{1f600}"], "transport": last, "ack": true}));
        let ack = hear(&mut *client, "the answer", |heard| match heard {
            Heard::Acknowledged(what) => Some(what.clone()),
            _ => None,
        });
        assert_eq!(ack, "event 0, with [\"héllo \u{1f600}\"]");
        assert_eq!(hear_message(&mut *client), text("héllo \u{1f600}"));

        let bytes: Vec<u8> = (0..=255).collect();
        client.say(&Message::Binary(bytes.clone()), true).unwrap();
        assert_eq!(server.says("heard")["heard"][1]["$bytes"], data_encoding::HEXLOWER.encode(&bytes));
        assert_eq!(hear_message(&mut *client), Message::Binary(bytes));

        // Two pings are answered: the first alone might have been on its way.
        for _ in 0..2 {
            while client.hear(Instant::now() + PATIENCE).unwrap() != Heard::Other {}
            server.says("ponged");
        }
        client.end(CloseMode::Orderly).unwrap();
        assert_eq!(server.says("left")["why"], "client namespace disconnect");
        server.says("closed");
    }
}

#[test]
#[ignore = "needs Node, and the peers that tests/run installs"]
fn a_server_that_asks_for_an_answer_gets_one() {
    let (mut server, at) = server(json!({}));
    let mut client = called(at, &[("event", "tell")]).unwrap();
    client.say(&text("please"), false).unwrap();
    assert_eq!(hear_message(&mut *client), text("told"));
    assert_eq!(server.says("acknowledged")["acknowledged"], json!([]));
}

#[test]
#[ignore = "needs Node, and the peers that tests/run installs"]
fn a_namespace_lets_in_or_refuses() {
    let (mut server, at) = server(json!({}));
    for transport in ["polling", "websocket"] {
        let refused = |options: &[(&str, &str)]| {
            let mut all = vec![("transport", transport)];
            all.extend_from_slice(options);
            match called(at, &all).map(drop) {
                Err(Fault::Refused(why)) => why,
                other => panic!("{other:?}"),
            }
        };
        assert!(refused(&[("namespace", "/nope")]).ends_with("\"Invalid namespace\""));
        assert!(refused(&[("namespace", "/secret")]).ends_with("\"not authorized\""));
        assert!(refused(&[("namespace", "/secret"), ("auth", "{}")]).ends_with("\"not authorized\""));
        let auth = [("transport", transport), ("namespace", "/secret"), ("auth", r#"{"token":"123"}"#)];
        let mut client = called(at, &auth).unwrap();
        assert_eq!(server.says("joined")["auth"], json!({"token": "123"}));
        client.say(&text("hello"), true).unwrap();
        assert_eq!(hear_message(&mut *client), text("hello"));
        client.end(CloseMode::Orderly).unwrap();
        assert_eq!(server.says("left")["left"], "/secret");
    }
}

#[test]
#[ignore = "needs Node, and the peers that tests/run installs"]
fn after_a_cut_it_comes_again() {
    let (mut server, at) = server(json!({}));
    for transport in ["upgrade", "polling", "websocket"] {
        let mut client = called(at, &[("transport", transport), ("event", "cut")]).unwrap();
        server.says("joined");
        // By polling even the answer to the POST is lost.
        let until = Instant::now() + PATIENCE;
        let mut outcome = client.say(&text("now"), false);
        while outcome.is_ok() && Instant::now() < until {
            outcome = match client.hear(until) {
                Ok(Heard::Closed { orderly: false, why }) => Err(Fault::CutOff(why)),
                other => other.map(drop),
            };
        }
        assert!(outcome.as_ref().is_err_and(|fault| fault.is_cut()), "{transport}: {outcome:?}");
        client.again().unwrap();
        server.says("joined");
        client.end(CloseMode::Orderly).unwrap();
    }
}

#[test]
#[ignore = "needs Node, and the peers that tests/run installs"]
fn an_end_is_seen_from_both_sides() {
    let (mut server, at) = server(json!({}));
    let over = |heard: &Heard| match heard {
        Heard::Closed { orderly, .. } => Some(*orderly),
        _ => None,
    };
    for transport in ["polling", "websocket"] {
        // The server puts us out.
        let mut client = called(at, &[("transport", transport), ("event", "put-out")]).unwrap();
        client.say(&text("bye"), false).unwrap();
        assert!(hear(&mut *client, "the end", over), "{transport}");
        assert_eq!(server.says("left")["why"], "server namespace disconnect");
        // We leave without a word. By polling the server knows when the GET that waits is cut.
        let mut client = called(at, &[("transport", transport)]).unwrap();
        client.hear(Instant::now() + Duration::from_millis(20)).unwrap();
        server.says("joined");
        client.end(CloseMode::Abrupt).unwrap();
        drop(client);
        let why = server.says("left")["why"].clone();
        assert!(why == "transport close" || why == "transport error", "{transport}: {why}");
    }
    // The server ends.
    let mut by_polling = called(at, &[("transport", "polling")]).unwrap();
    let mut by_websocket = called(at, &[("transport", "websocket")]).unwrap();
    server.write("end\n");
    for client in [&mut by_polling, &mut by_websocket] {
        let until = Instant::now() + PATIENCE;
        let outcome = loop {
            match client.hear(until) {
                Ok(Heard::Closed { .. }) => break true,
                Err(fault) => break fault.is_cut(),
                Ok(_) => assert!(Instant::now() < until, "the end of the server was not seen"),
            }
        };
        assert!(outcome);
    }
    // It ends when the last connection has ended.
    drop((by_polling, by_websocket));
    server.succeed();
}

#[test]
#[ignore = "needs Node, and the peers that tests/run installs"]
fn a_server_that_falls_silent_is_given_up() {
    for transport in ["polling", "websocket"] {
        let (server, at) = server(json!({}));
        let mut client = called(at, &[("transport", transport)]).unwrap();
        server.signal("STOP");
        let began = Instant::now();
        let fault = loop {
            match client.hear(Instant::now() + PATIENCE) {
                Ok(heard) => assert!(matches!(heard, Heard::Other | Heard::Nothing), "{heard:?}"),
                Err(fault) => break fault,
            }
        };
        assert!(fault.to_string().starts_with("no ping came within 200 + 400 ms"), "{fault}");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[test]
#[ignore = "needs Node, and the peers that tests/run installs"]
fn where_there_is_no_upgrade_polling_goes_on() {
    let (mut server, at) = server(json!({ "allowUpgrades": false }));
    let mut client = called(at, &[]).unwrap();
    client.say(&text("hello"), false).unwrap();
    assert_eq!(hear_message(&mut *client), text("hello"));
    assert_eq!(server.says("heard")["transport"], "polling");
    // A transport that the server has not is refused in its own words.
    let (mut server, at) = super::our_client::server(json!({ "transports": ["polling"] }));
    match called(at, &[("transport", "websocket")]).map(drop) {
        Err(Fault::Refused(why)) => assert!(why.contains("\"code\":0"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(server.says("refused")["refused"], 0);
}

//! Our server with the client of those who made Socket.IO.

use serde_json::{Value, json};
use sockwalk::transport::events::Happened;

use super::{Served, line, node};
use crate::support::live::Process;

/// socket.io-client, with what it does next on its standard input.
fn client(server: &Served, namespace: &str, options: Value) -> Process {
    let mut all = json!({ "reconnectionDelay": 50, "reconnectionDelayMax": 50 });
    all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    node("socketio_client.js", &[&format!("http://{}{namespace}", server.at), &all.to_string()])
}

/// How a client is told to go, and by which transport it goes in the end.
const WAYS: [(&str, &str); 3] = [
    (r#"["polling"]"#, "polling"),
    (r#"["websocket"]"#, "websocket"),
    (r#"["polling","websocket"]"#, "websocket"),
];

fn transports(way: &str) -> Value {
    serde_json::from_str(way).unwrap()
}

/// Waits until it is connected, and by a WebSocket where that is what it can have. Which of the two is said
/// first is for chance.
fn ready(client: &mut Process, way: &str) {
    let (mut connected, mut upgraded) = (false, !way.contains(','));
    while !(connected && upgraded) {
        let name = client.out("connect and upgraded", |line| {
            let said: Value = serde_json::from_str(line).ok()?;
            ["connect", "upgraded"].into_iter().find(|name| said.get(name).is_some())
        });
        (connected, upgraded) = (connected || name == "connect", upgraded || name == "upgraded");
    }
}

#[test]
#[ignore = "needs Node, and the peers that tests/run installs"]
fn events_bytes_acknowledgements_and_pings_go_by_each_transport() {
    let server = Served::start(200, false, &[("timeout", "400"), ("namespaces", "/chat")]);
    for (way, last) in WAYS {
        let mut client = client(&server, "/chat", json!({ "transports": transports(way) }));
        ready(&mut client, way);
        let said = json!(["msg", "héllo", {"deep": [1, null]}]);
        client.write(line(&json!({ "ask": said })));
        assert_eq!(client.says("acknowledged")["acknowledged"], json!(["héllo", {"deep": [1, null]}]));
        let heard = client.says("heard");
        assert_eq!((&heard["heard"], heard["transport"].as_str()), (&said, Some(last)), "{way}");

        let said = json!(["file", {"name": "a", "data": {"$bytes": "00ff1e"}}, {"$bytes": ""}]);
        client.write(line(&json!({ "ask": said })));
        assert_eq!(client.says("acknowledged")["acknowledged"][0], said[1]);
        assert_eq!(client.says("heard")["heard"], said);

        // Without pongs it would be put out after the first of them.
        for _ in 0..3 {
            client.says("pinged");
        }
        client.write(line(&json!({ "emit": ["msg", "still here"] })));
        assert_eq!(client.says("heard")["heard"], json!(["msg", "still here"]));
        client.write(line(&json!({ "leave": true })));
        assert_eq!(client.says("left")["left"], "io client disconnect");
        client.end_input();
        client.succeed();
    }
    server.tells("that it left", |news| news.what == Happened::Note("it has left /chat".into()));
}

#[test]
#[ignore = "needs Node, and the peers that tests/run installs"]
fn many_events_at_once_keep_their_order() {
    let server = Served::start(25_000, false, &[]);
    for (way, _) in WAYS {
        let mut client = client(&server, "", json!({ "transports": transports(way) }));
        client.says("connect");
        // The upgrade goes on meanwhile.
        for number in 0..200 {
            client.write(line(&json!({ "emit": ["msg", number] })));
        }
        for number in 0..200 {
            assert_eq!(client.says("heard")["heard"], json!(["msg", number]), "{way}");
        }
    }
}

#[test]
#[ignore = "needs Node, and the peers that tests/run installs"]
fn a_namespace_lets_in_or_refuses() {
    let server = Served::start(25_000, false, &[("token", "123")]);
    for (way, _) in WAYS {
        let transports = transports(way);
        let mut stranger = client(&server, "", json!({ "transports": transports }));
        assert_eq!(stranger.says("refused")["refused"], "not authorized");
        let mut friend = client(&server, "", json!({ "transports": transports, "auth": {"token": "123"} }));
        friend.says("connect");
        let mut lost =
            client(&server, "/nope", json!({ "transports": transports, "auth": {"token": "123"} }));
        assert_eq!(lost.says("refused")["refused"], "Invalid namespace");
    }
}

#[test]
#[ignore = "needs Node, and the peers that tests/run installs"]
fn a_client_that_was_cut_comes_again() {
    let server = Served::start(25_000, false, &[]);
    for (way, last) in &WAYS[1..] {
        let mut client = client(&server, "", json!({ "transports": transports(way) }));
        ready(&mut client, way);
        client.write(line(&json!({ "cut": true })));
        assert_eq!(client.says("left")["left"], "transport close");
        client.says("connect");
        client.write(line(&json!({ "emit": ["msg", "again"] })));
        assert_eq!(client.says("heard")["heard"], json!(["msg", "again"]), "{last}");
    }
    server.tells_of("without a Close: 1006");
}

#[test]
#[ignore = "needs Node, and the peers that tests/run installs"]
fn a_client_that_falls_silent_is_given_up() {
    for (way, _) in WAYS {
        let server = Served::start(200, false, &[("timeout", "300")]);
        let mut client = client(&server, "", json!({ "transports": transports(way) }));
        client.says("connect");
        client.signal("STOP");
        server.tells_of("no pong came within pingTimeout");
    }
}

#[test]
#[ignore = "needs Node, and the peers that tests/run installs"]
fn when_the_server_ends_its_clients_know() {
    for (way, _) in WAYS {
        let mut server = Served::start(25_000, false, &[]);
        let mut client = client(&server, "", json!({ "transports": transports(way), "reconnection": false }));
        ready(&mut client, way);
        server.stop();
        let left = client.says("left")["left"].clone();
        // Whoever polls may be between two GETs, and find nobody there.
        let between = way == r#"["polling"]"# && left == "transport error";
        assert!(left == "transport close" || between, "{way}: {left}");
    }
}

#[test]
#[ignore = "needs Node, and the peers that tests/run installs"]
fn what_one_says_the_others_hear() {
    let server = Served::start(25_000, true, &[]);
    let mut all: Vec<Process> = WAYS
        .iter()
        .map(|(way, _)| {
            let mut client = client(&server, "", json!({ "transports": transports(way) }));
            client.says("connect");
            client
        })
        .collect();
    all[1].write(line(&json!({ "emit": ["msg", "hello"] })));
    for client in &mut all {
        assert_eq!(client.says("heard")["heard"], json!(["message", "hello"]));
    }
}

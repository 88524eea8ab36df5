//! Our broker with clients of its own kind, with stompjs, and with octets that are wrong.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use sockwalk::{
    transport::{
        api::{CloseMode, Heard},
        message::Message,
    },
    wire::stomp::Version,
};

use super::{PATIENCE, Raw, called, its_end, message, node, text};
use crate::support::{self, live::Process};

/// `sockwalk serve stomp`.
struct Served {
    process: Process,
    at: SocketAddr,
    _home: support::Folder,
}

impl Served {
    fn start(at: &str, more: &[&str]) -> Served {
        let home = support::Folder::new();
        let arguments = [&["serve", "stomp", at, "--plain"], more].concat();
        let mut process = Process::start("sockwalk serve", &mut support::sockwalk(&home, &arguments));
        let at = process.out("its address", |line| {
            let (_, rest) = line.split_once("127.0.0.1:")?;
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?)))
        });
        Served { process, at, _home: home }
    }

    fn new() -> Served {
        Served::start("127.0.0.1:0", &[])
    }
}

#[test]
fn messages_go_to_all_who_have_subscribed_whatever_carries_them() {
    let server = Served::new();
    let mut all: Vec<_> = [("stomp", "1.2"), ("ws", "1.2"), ("stomp", "1.1"), ("ws", "1.0")]
        .iter()
        .map(|(scheme, version)| {
            let options = [("version", *version), ("acknowledge", "client")];
            let mut client = called(scheme, server.at, PATIENCE, &options).unwrap();
            // The receipt says that the subscription before it was made.
            client.say(&text("here"), true).unwrap();
            while client.awaits() > 0 {
                client.hear(Instant::now() + PATIENCE).unwrap();
            }
            client
        })
        .collect();
    let said = [text("grüße: \\ \0"), Message::Binary(vec![0, 0xff]), text("")];
    for (index, said) in said.iter().enumerate() {
        all[index].say(said, false).unwrap();
        for client in &mut all {
            while &message(&mut **client) != said {}
        }
    }
    for mut client in all {
        client.end(CloseMode::Orderly).unwrap();
    }
}

#[test]
fn heart_beats_go_both_ways_and_who_misses_them_is_dead() {
    let server = Served::start("127.0.0.1:0", &["--beat", "100ms"]);
    for scheme in ["stomp", "ws"] {
        let mut client = called(scheme, server.at, Duration::from_millis(100), &[]).unwrap();
        let (until, mut beats) = (Instant::now() + PATIENCE, 0);
        // More than it would live without ours.
        while beats < 12 {
            let heard = client.hear(until).unwrap();
            assert_ne!(heard, Heard::Nothing, "{beats} came over {scheme}");
            beats += usize::from(heard == Heard::Other);
        }
    }
    let mut raw = Raw::call(server.at);
    raw.send("CONNECT\naccept-version:1.2\nhost:a\nheart-beat:100,0\n\n\0");
    assert_eq!(raw.frame().unwrap().header("heart-beat"), Some("100,100"));
    assert_eq!(raw.frame(), None, "it promised to be heard, and is not");
    // And the other way round: a server that falls silent.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let silent = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut stream, b"CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0").unwrap();
        stream
    });
    let mut client = called("stomp", at, Duration::from_millis(100), &[]).unwrap();
    let stream = silent.join().unwrap();
    assert_eq!(client.hear(Instant::now() + Duration::from_millis(300)).unwrap(), Heard::Nothing);
    drop(stream);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let silent = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut stream, b"CONNECTED\nversion:1.2\nheart-beat:100,0\n\n\0").unwrap();
        stream
    });
    let mut client = called("stomp", at, Duration::from_millis(100), &[]).unwrap();
    let _stream = silent.join().unwrap();
    let end = its_end(&mut *client);
    assert!(end.contains("a heart-beat was due every 100 ms"), "{end}");
}

#[test]
fn what_is_wrong_gets_an_error_and_the_end_and_is_never_waited_for() {
    let server = Served::new();
    const CONNECT: &str = "CONNECT\naccept-version:1.2\nhost:a\n\n\0";
    // Before the session, and in it: what is sent, and what the ERROR speaks of.
    let before: [(&str, &str); 5] = [
        ("SEND\ndestination:/topic/x\n\n\0", "STOMP 1.2, Connecting"),
        ("CONNECT\naccept-version:9.9\nhost:a\n\n\0", "Protocol Negotiation"),
        ("CONNECT\naccept-version:1.2\nhost:a\nheart-beat:soon\n\n\0", "Heart-beating"),
        ("\x16\x03\x01", "Augmented BNF"),
        ("CONNECTED\nversion:1.2\n\n\0", "STOMP 1.2, Connecting"),
    ];
    let inside: [(&str, &str); 22] = [
        ("BOGUS\nx:y\n\n\0", "Augmented BNF"),
        ("GET / HTTP/1.1\r\n", "Augmented BNF"),
        ("send\n\n\0", "Augmented BNF"),
        ("SEND\ndestination:/topic/x\na:\\t\n\n\0", "Value Encoding"),
        ("SEND\ndestination\n\n\0", "a name, a colon and a value"),
        ("SEND\na:b\rc\n", "CR stands only before LF"),
        ("DISCONNECT\nreceipt:77\n\0", "a blank line"),
        ("SUBSCRIBE\nid:0\ndestination:/topic/x\n\nbody\0", "STOMP 1.2, Body"),
        ("SEND\ndestination:/topic/x\ncontent-length:2\n\nhello\0", "Header content-length"),
        ("SEND\ndestination:/topic/x\ncontent-length:-1\n\n", "Header content-length"),
        ("SEND\ndestination:/topic/x\ncontent-length:99999999999\n\n", "than this receiver takes"),
        ("SEND\n\nx\0", "no header destination"),
        ("SEND\ndestination:nowhere\n\nx\0", "/topic/NAME or /queue/NAME"),
        ("SUBSCRIBE\ndestination:/topic/x\n\n\0", "no header id"),
        ("SUBSCRIBE\nid:0\ndestination:/topic/x\nack:maybe\n\n\0", "SUBSCRIBE ack Header"),
        ("SUBSCRIBE\nid:0\ndestination:/topic/x\n\n\0SUBSCRIBE\nid:0\ndestination:/topic/y\n\n\0", "in use"),
        ("UNSUBSCRIBE\nid:7\n\n\0", "STOMP 1.2, UNSUBSCRIBE"),
        ("ACK\nid:7\n\n\0", "STOMP 1.2, ACK"),
        ("COMMIT\ntransaction:t\n\n\0", "STOMP 1.2, COMMIT"),
        ("SEND\ndestination:/topic/x\ntransaction:t\n\n\0", "one that was begun"),
        ("CONNECT\naccept-version:1.2\nhost:a\n\n\0", "CONNECT once"),
        ("MESSAGE\ndestination:/x\nmessage-id:1\nsubscription:0\n\n\0", "a server's command from the client"),
    ];
    let all = before.map(|(octets, of)| ("", octets, of)).into_iter();
    for (first, octets, of) in all.chain(inside.map(|(octets, of)| (CONNECT, octets, of))) {
        let mut raw = Raw::call(server.at);
        raw.send(format!("{first}{octets}"));
        if !first.is_empty() {
            assert_eq!(raw.frame().unwrap().command, "CONNECTED");
        }
        let error = raw.frame().unwrap_or_else(|| panic!("no ERROR for {octets:?}"));
        let said = format!("{:?} {}", error.header("message"), String::from_utf8_lossy(&error.body));
        assert!(error.command == "ERROR" && said.contains(of), "{octets:?}: {said}");
        assert_eq!(raw.frame(), None, "{octets:?}");
    }
    // The ERROR names the frame that it is about.
    let mut raw = Raw::call(server.at);
    raw.send(format!("{CONNECT}SEND\nreceipt:r9\ndestination:nowhere\n\n\0"));
    raw.frame();
    assert_eq!(raw.frame().unwrap().header("receipt-id"), Some("r9"));
}

#[test]
fn a_queue_gives_what_was_not_acknowledged_to_the_next() {
    let server = Served::new();
    let mut raw = Raw::call(server.at);
    raw.send("STOMP\r\naccept-version:1.2\r\nhost:a\r\n\r\n\0\r\n");
    assert_eq!(raw.frame().unwrap().header("version"), Some("1.2"));
    raw.send("SEND\ndestination:/queue/q\nfoo:first\nfoo:second\nreceipt:r\n\nhello\0");
    assert_eq!(raw.frame().unwrap().header("receipt-id"), Some("r"));
    raw.send("SUBSCRIBE\nid:7\ndestination:/queue/q\nack:client-individual\n\n\0");
    let first = raw.frame().unwrap();
    assert_eq!((first.header("subscription"), first.header("foo")), (Some("7"), Some("first")));
    assert!(first.header("ack").is_some());
    drop(raw);
    let options = [("destination", "/queue/q"), ("acknowledge", "client-individual")];
    let mut client = called("ws", server.at, PATIENCE, &options).unwrap();
    assert_eq!(message(&mut *client), text("hello"));
    client.end(CloseMode::Orderly).unwrap();
}

#[test]
#[ignore = "needs node and @stomp/stompjs; tests/run installs them"]
fn stompjs_talks_with_our_server_in_each_version() {
    let server = Served::new();
    let url = format!("ws://{}/", server.at);
    for version in Version::ALL {
        let mut client = node("stomp_client.js", &[&url, "talk", version.number()]);
        let connected = client.says("connected");
        assert_eq!(connected["connected"]["version"], version.number());
        assert_eq!(client.says("done")["version"], version.number());
        client.end_input();
        client.succeed();
    }
    let mut client = node("stomp_client.js", &[&url, "error"]);
    let error = client.says("error");
    assert_eq!(error["error"]["receipt-id"], "r1");
    assert!(error["body"].as_str().unwrap().contains("STOMP 1.2, SEND"), "{error}");
    client.says("closed");
    let mut client = node("stomp_client.js", &[&url, "drop"]);
    client.succeed();
    // The rest goes on.
    let mut ours = called("ws", server.at, PATIENCE, &[]).unwrap();
    ours.say(&text("hello"), false).unwrap();
    assert_eq!(message(&mut *ours), text("hello"));
}

#[test]
#[ignore = "needs node and @stomp/stompjs; tests/run installs them"]
fn stompjs_hears_our_heart_beats_and_comes_back_after_a_cut() {
    let server = Served::start("127.0.0.1:0", &["--beat", "200ms"]);
    let at = server.at.to_string();
    let mut client = node("stomp_client.js", &[&format!("ws://{at}/"), "wait"]);
    assert_eq!(client.says("heard")["heard"], "hello");
    while client.says("beat")["beat"] != 3 {}
    // A client of ours is heard by it, and it by ours.
    let mut ours = called("stomp", server.at, PATIENCE, &[]).unwrap();
    ours.say(&text("from us"), false).unwrap();
    assert_eq!(client.says("heard")["heard"], "from us");
    server.process.signal("KILL");
    assert_eq!(client.says("closed")["closed"], 1006);
    let _server = Served::start(&at, &["--beat", "200ms"]);
    client.says("connected");
    assert_eq!(client.says("heard")["heard"], "hello");
    client.end_input();
    client.succeed();
}

//! Both ends of SockJS against the other ends of its authors: our client calls npm's sockjs, sockjs-client
//! calls our server.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use serde_json::json;
use sockwalk::wire::websocket::{Frame, Header, opcode};

use super::{Process, curl, script, server};
use crate::support::{Folder, sockwalk};

/// `sockwalk client sockjs` or `serve sockjs`, in plain words.
struct Own {
    process: Process,
    _home: Folder,
}

impl Own {
    fn start(arguments: &[&str]) -> Own {
        let home = Folder::new();
        let all = [arguments, &["--plain"]].concat();
        let process = Process::start(&format!("sockwalk {}", all.join(" ")), &mut sockwalk(&home, &all));
        Own { process, _home: home }
    }

    fn call(port: &str, transport: &str, texts: &[&str], options: &[&str]) -> Own {
        let url = format!("http://127.0.0.1:{port}/echo");
        let transports = format!("transports={transport}");
        Own::start(
            &[&["client", "sockjs", &url, "--set", &transports, "--wait", "400ms"], texts, options].concat(),
        )
    }

    /// A server of ours on a port that the kernel picks, and its base URL.
    fn serve(options: &[&str]) -> (Own, String) {
        let mut own = Own::start(&[&["serve", "sockjs", "127.0.0.1:0"], options].concat());
        let url = own.process.out("the address", |line| {
            let at = line.find("http://")?;
            Some(
                line[at..]
                    .trim_end_matches(['.', '`'])
                    .split(['`', ' '])
                    .next()?
                    .trim_end_matches('.')
                    .to_owned(),
            )
        });
        (own, url)
    }

    /// Waits for a line in which this stands.
    fn says(&mut self, words: &str) {
        self.process.out(words, |line| line.contains(words).then_some(()));
    }

    /// All that it has said when it has come to a good end, in one line.
    fn story(&mut self) -> String {
        self.process.end_input();
        self.process.succeed().out.replace('\n', " ")
    }
}

const OURS: [&str; 3] = ["websocket", "xhr-streaming", "xhr-polling"];
const THEIRS: [&str; 4] = ["websocket", "xhr-streaming", "xhr-polling", "eventsource"];

/// npm's sockjs: beats every 150 ms, forgets a session after a second, ends an answer after 2000 bytes of
/// frames.
fn sockjs(more: &[&str]) -> (Process, String) {
    server("sockjs_server.js", &[&["150", "1000", "2000"], more].concat())
}

#[test]
#[ignore = "needs sockjs and sockjs-client; tests/run installs them"]
fn our_client_talks_over_every_transport() {
    let (mut node, port) = sockjs(&[]);
    for transport in OURS {
        let long = "x".repeat(700);
        let texts = ["hello", "grüße \u{1f600} \"%\"", &long, &long, &long, "the end"];
        let told = Own::call(&port, transport, &texts, &[]).story();
        // The answers of streaming end several times on the way: that may not lose or double anything.
        assert_eq!(told.matches("from the server, heard,").count(), texts.len(), "{told}");
        assert!(
            told.contains("heard, 5 bytes \"hello\"") && told.contains("heard, 7 bytes \"the end\""),
            "{told}"
        );
        assert!(told.contains(&format!("is open, by {transport}")), "{told}");
        // On a WebSocket npm's sockjs beats with a Ping, and else with the frame.
        let beat = if transport == "websocket" { "beat: Ping" } else { "beat: h" };
        assert!(told.contains(beat), "{told}");
        assert!(told.contains("ended: by us, as the protocol wants it"), "{told}");
        assert_eq!(node.says("open")["open"], transport);
        assert_eq!(node.says("closed")["closed"], transport);
    }
}

#[test]
#[ignore = "needs sockjs and sockjs-client; tests/run installs them"]
fn our_client_falls_back_and_hears_of_the_end() {
    let (mut node, port) = sockjs(&["no"]);
    let told = Own::call(&port, &OURS.join(","), &["hello", "close me"], &[]).story();
    assert!(told.contains("websocket: the server has none"), "{told}");
    assert!(told.contains("is open, by xhr-streaming") && told.contains("heard, 5 bytes"), "{told}");
    assert!(told.contains("the server closes it: c[3001,\"as you like\"]"), "{told}");
    assert_eq!(node.says("open")["open"], "xhr-streaming");
    let mut alone = Own::call(&port, "websocket", &["hello"], &[]);
    alone.process.end_input();
    let ended = alone.process.end();
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);

    let (_node, port) = sockjs(&[]);
    for transport in ["websocket", "xhr-polling"] {
        let told = Own::call(&port, transport, &["close me"], &[]).story();
        assert!(told.contains("the server closes it: c[3001,\"as you like\"]"), "{transport}: {told}");
    }
}

#[test]
#[ignore = "needs sockjs and sockjs-client; tests/run installs them"]
fn our_client_calls_again_after_a_cut_and_can_break_off_itself() {
    let (mut node, port) = sockjs(&[]);
    for transport in OURS {
        let mut own = Own::call(&port, transport, &["cut me"], &["--retry", "3"]);
        own.says("calls again: try 1");
        own.says("is open, by");
        own.process.write("after the cut\n");
        own.says("heard, 13 bytes");
        own.story();
        for _ in 0..2 {
            assert_eq!(
                (&node.says("open")["open"], &node.says("closed")["closed"]),
                (&json!(transport), &json!(transport))
            );
        }
        let told = Own::call(&port, transport, &["hello"], &["--end", "abrupt"]).story();
        assert!(told.contains("with a RST"), "{told}");
        assert_eq!(
            (&node.says("open")["open"], &node.says("closed")["closed"]),
            (&json!(transport), &json!(transport))
        );
    }
}

#[test]
#[ignore = "needs sockjs and sockjs-client; tests/run installs them"]
fn sockjs_client_talks_to_our_server_over_every_transport() {
    let (own, url) = Own::serve(&["--beat", "200ms", "--set", "limit=2000"]);
    for transport in THEIRS {
        let long = "x".repeat(700);
        let texts = ["hello", "50% grüße \u{1f600}\n", &long, &long, &long, "the end"];
        let mut client = script("sockjs_client.js", &[&[&url, transport], &texts[..]].concat());
        assert_eq!(client.says("open")["open"], transport);
        for text in texts {
            assert_eq!(client.says("message")["message"], text, "{transport}");
        }
        client.says("heartbeat");
        client.write("\"\u{e9} later\"\n");
        assert_eq!(client.says("message")["message"], "\u{e9} later");
        client.write("close\n");
        assert_eq!(client.says("close"), json!({ "close": 1000, "reason": "Normal closure", "clean": true }));
        client.succeed();
    }
    drop(own);
}

#[test]
#[ignore = "needs sockjs and sockjs-client; tests/run installs them"]
fn our_server_says_goodbye_and_notices_who_breaks_off() {
    for transport in THEIRS {
        let (mut own, url) = Own::serve(&["--chat", "--set", "timeout=500"]);
        let mut client = script("sockjs_client.js", &[&url, transport, "hello"]);
        client.says("message");
        let mut other = script("sockjs_client.js", &[&url, transport]);
        other.says("open");
        client.write("\"to all\"\n");
        assert_eq!(other.says("message")["message"], "to all");
        other.signal("KILL");
        // One that polls may have been between two polls.
        let ended = |line: &str| line.contains("broken off") || line.contains("is over");
        own.process.out("the end of a session", |line| ended(line).then_some(()));
        own.process.signal("INT");
        assert_eq!(
            client.says("close"),
            json!({ "close": 3000, "reason": "Go away!", "clean": true }),
            "{transport}"
        );
        own.process.succeed();
    }
}

/// The answer to one request, without its head and its chunks' sizes.
fn asked(url: &str, path: &str, content: &str) -> (String, String) {
    let ended = curl(&[
        "--include",
        "--header",
        "Content-Type: text/plain",
        "--data",
        content,
        &format!("{url}{path}"),
    ]);
    let mut ended = ended;
    let out = ended.succeed().out;
    let (head, content) = out.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().to_owned(), content.to_owned())
}

/// A request for frames that is left to wait.
fn waiting(url: &str, path: &str) -> TcpStream {
    let authority = url.trim_start_matches("http://").split('/').next().unwrap();
    let mut stream = TcpStream::connect(authority).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "POST /echo{path} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 0\r\n\r\n").unwrap();
    until(&mut stream, b"\r\n\r\n");
    stream
}

/// Reads up to the end of what is wanted.
fn until(stream: &mut TcpStream, wanted: &[u8]) -> Vec<u8> {
    let mut had = Vec::new();
    while !had.ends_with(wanted) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error} after {had:?}"));
        had.push(byte[0]);
    }
    had
}

#[test]
#[ignore = "needs curl; tests/run installs it"]
fn a_session_is_held_to_its_rules() {
    let (mut own, url) = Own::serve(&["--set", "timeout=2500"]);
    let asked = |path: &str, content: &str| asked(&url, path, content);
    let is = |status: &str, content: &str| (status.to_owned(), content.to_owned());
    assert_eq!(asked("/000/s/xhr_send", "[\"x\"]").0, "404");
    assert_eq!(asked("/000/s/xhr", ""), is("200", "o\n"));
    assert_eq!(asked("/000/s/xhr_send", "[\"x\",\"y\"]"), is("204", ""));
    assert_eq!(asked("/000/s/xhr_send", "[]"), is("204", ""));
    // Only the session's own name counts.
    assert_eq!(asked("/999/s/xhr", ""), is("200", "a[\"x\",\"y\"]\n"));
    for (content, answer) in
        [("", "Payload expected."), ("{}", "Payload expected."), ("[\"x", "Broken JSON encoding.")]
    {
        let (status, said) = asked("/000/s/xhr_send", content);
        assert_eq!((status.as_str(), said.starts_with(answer)), ("500", true), "{said}");
    }
    let first = waiting(&url, "/000/s/xhr");
    assert_eq!(asked("/000/s/xhr", ""), is("200", "c[2010,\"Another connection still open\"]\n"));
    drop(first);
    own.says("while it waited for frames");
    for _ in 0..2 {
        assert_eq!(asked("/000/s/xhr", ""), is("200", "c[1002,\"Connection interrupted\"]\n"));
    }
    own.says("session s is over");
    assert_eq!(asked("/000/s/xhr_send", "[\"x\"]").0, "404");
    assert_eq!(asked("/000/s/xhr", ""), is("200", "o\n"));
}

/// A server that answers /info, and then a request for frames with these bytes.
fn odd_server(body: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    thread::spawn(move || {
        for answer in [&b"{\"websocket\":false}"[..], body] {
            let (mut stream, _) = listener.accept().unwrap();
            until(&mut stream, b"\r\n\r\n");
            let length = if answer == body { 100_000 } else { answer.len() };
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").unwrap();
            stream.write_all(answer).unwrap();
            if answer == body {
                // Until the client has had enough.
                let _ = stream.read_to_end(&mut Vec::new());
            }
        }
    });
    port
}

#[test]
fn a_broken_frame_ends_our_client_with_a_word() {
    let rows: [(&[u8], &str); 6] = [
        (b"x\n", "frame at byte 0: needed o, h, a or c"),
        (b"a[\"early\"]\n", "the first frame: needed o"),
        (b"o\na[1]\n", "message at byte 2: needed a JSON string in quotes"),
        (b"o\na[\"\\x\"]\n", "escape at byte 3: needed"),
        (b"o\nc[\"3000\"]\n", "code at byte 2: needed a whole number"),
        (b"o\nopen\n", "frame at byte 1: needed nothing after the letter"),
    ];
    for (body, words) in rows {
        let mut own = Own::call(&odd_server(body), "xhr-streaming", &[], &[]);
        let ended = own.process.end();
        let told = ended.out.replace('\n', " ");
        assert!(ended.code == Some(1) && told.contains(words), "{words}\n{told}{}", ended.err);
    }
    // An open frame that never comes is not waited for.
    let mut own = Own::call(&odd_server(b"h"), "xhr-streaming", &[], &[]);
    let ended = own.process.end();
    assert!(ended.code == Some(1) && ended.out.contains("no open frame came within"), "{}", ended.out);
}

#[test]
fn broken_messages_on_a_websocket_end_it() {
    let (mut own, url) = Own::serve(&[]);
    let authority = url.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    for (message, opcode) in [("[\"a", opcode::TEXT), ("hello", opcode::TEXT), ("[1]", opcode::BINARY)] {
        let mut stream = TcpStream::connect(&authority).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let head = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
        write!(stream, "GET /echo/000/s/websocket HTTP/1.1\r\nHost: {authority}\r\n{head}\r\n\r\n").unwrap();
        until(&mut stream, b"\r\n\r\n\x81\x01o");
        stream.write_all(&Frame::new(opcode, message).masked([1, 2, 3, 4]).encode()).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        let header = Header::parse(&rest).unwrap();
        assert_eq!((header.opcode, &rest[2..]), (0x8, &b"\x0b\xb8Broken framing."[..]), "{message}");
        own.says("broken");
    }
}

//! Peers that send what would steer a terminal.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use super::harness::*;
use crate::support::live::Ended;

/// The four ways in which it can be shown.
const FORMS: [&str; 4] = ["--color=never", "--plain", "--ascii", "--color=always"];

/// What would steer a terminal, or the text around it, if it were printed as it is.
const EVIL: [&str; 20] = [
    "\x1b]0;owned\x07",
    "\x1b[2J\x1b[H",
    "\x1b[7;38;5;201mred",
    "\x1b[?1049h",
    "\x1b]8;;http://x\x1b\\link",
    "\x1bPq\x1b\\\x1bc",
    "\u{9b}31m\u{90}\u{85}",
    "\u{202e}live\u{2066}\u{2069}",
    "\u{200f}\u{200e}\u{61c}",
    "\u{ad}\u{feff}\u{200b}\u{2060}",
    "\u{2028}\u{2029}",
    "\u{e0041}\u{e007f}",
    "\u{fff9}\u{1d173}\u{1bca0}",
    "\u{13430}\u{13437}",
    "\0\x08\x08\x08",
    "\x0b\x0c\x0e\x0f",
    "\r\r",
    "\t\t",
    "\x7f",
    "`\x1b[0m**",
];

/// True for what no peer may bring onto a terminal: controls, and what has no picture of its own but changes
/// those around it.
pub fn harmful(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Text without the colours of the program's own: ESC, [, digits and semicolons, m.
fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\x1b[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(piece.len());
        match piece[end..].strip_prefix('m') {
            Some(rest) if end > 0 => plain += rest,
            _ => plain = plain + "\x1b[" + piece,
        }
    }
    plain
}

/// Nothing of what the peer sent has come through as it is, and the trace is one.
fn is_harmless(ended: &Ended, form: &str) {
    assert!(!ended.out.contains("\x1b[7;38;5;201m"), "{form}: a colour of the peer's");
    let plain = if form == "--color=always" { without_colours(&ended.out) } else { ended.out.clone() };
    if let Some(at) = plain.find(harmful) {
        let line = plain[..at].lines().count();
        let context = plain.lines().skip(line.saturating_sub(4)).take(6).collect::<Vec<_>>();
        panic!("{form}: {:?} is shown in {context:#?}", plain[at..].chars().next());
    }
    assert!(form != "--ascii" || !plain.contains(['─', '→', '✓', '–']), "{form}: {plain}");
    for event in events(&ended.err) {
        assert!(event.at < 1_000_000_000, "{event:?}");
    }
    assert!(is_complete(&events(&ended.err)), "the trace has its end");
}

/// Escape codes of UTF-8 alone, or with bytes that are not UTF-8: the first half densely, the rest among
/// other text.
///
/// The default is several times the size of a receive buffer and takes the long form of a frame's length. A
/// debug build needs a second of processor time for each MiB, in each form; `SOCKWALK_HOSTILE_BYTES=1048576`
/// asks for that.
fn hostile_bytes(utf8: bool) -> Vec<u8> {
    let size = std::env::var("SOCKWALK_HOSTILE_BYTES").ok().map_or(160 << 10, |size| size.parse().unwrap());
    let mut bytes = Vec::new();
    while bytes.len() < size {
        let dense = bytes.len() < size / 2;
        for evil in EVIL {
            bytes.extend(evil.as_bytes());
            bytes.extend(if dense { &b""[..] } else { b"and so on, as people write it; " });
        }
        bytes.extend(if utf8 { &b""[..] } else { b"\x9b31m\x90q\xff\xc3(" });
    }
    bytes.truncate(size);
    while utf8 && std::str::from_utf8(&bytes).is_err() {
        bytes.pop();
    }
    bytes
}

/// Does it once for each form, all at the same time.
fn in_every_form(each: impl Fn(&'static str) + Sync) {
    thread::scope(|scope| {
        let each = &each;
        for form in FORMS {
            scope.spawn(move || each(form));
        }
    });
}

#[test]
fn escape_codes_do_not_get_through_recv() {
    in_every_form(|form| {
        let mut here = start(&["recv", "0", "--size", "64k", form]);
        exchange(connect(here.port()), &hostile_bytes(false));
        is_harmless(&here.process.succeed(), form);
    });
}

#[test]
fn escape_codes_do_not_get_through_accept() {
    in_every_form(|form| {
        for more in [&[][..], &["--quiet"], &["--show", "1"]] {
            let mut here = start(&[&["accept", "0", form], more].concat());
            let sent = hostile_bytes(false);
            assert!(exchange(connect(here.port()), &sent) == sent, "it comes back as it was");
            let (ended, _) = here.told_to_end("INT");
            assert_eq!(ended.code, Some(0));
            is_harmless(&ended, form);
        }
    });
}

#[test]
fn escape_codes_do_not_get_through_send() {
    in_every_form(|form| {
        let (at, server) = server(1, |mut stream, _| {
            let _ = stream.read(&mut [0; 100]);
            stream.write_all(&hostile_bytes(false)).unwrap();
        });
        let mut here = start(&["send", &at, "hello", form]);
        is_harmless(&here.process.succeed(), form);
        server.join().unwrap();
    });
}

/// Heads of requests that have something evil in one place each.
fn evil_requests() -> Vec<Vec<u8>> {
    let mut requests = Vec::new();
    for evil in EVIL.iter().map(|evil| evil.as_bytes()).chain([&b"\x9b31m\x90q\xff"[..], b"a b", b"\"'<&"]) {
        let head = |method: &[u8], path: &[u8], version: &[u8], name: &[u8], values: [&[u8]; 6]| {
            let [host, origin, key, asked, protocol, agent] = values;
            let mut head = Vec::new();
            for line in [
                [method, b" /", path, b" ", version].concat(),
                [b"Host: ", host].concat(),
                [b"Origin: ", origin].concat(),
                [b"Upgrade: ", asked].concat(),
                b"Connection: Upgrade".to_vec(),
                [b"Sec-WebSocket-Key: ", key].concat(),
                [b"Sec-WebSocket-Protocol: ", protocol].concat(),
                [name, b": ", agent].concat(),
                b"Sec-WebSocket-Version: 13\r\n".to_vec(),
            ] {
                head.extend(line);
                head.extend(b"\r\n");
            }
            requests.push(head);
        };
        let mut head = head;
        let key: &[u8] = b"dGhlIHNhbXBsZSBub25jZQ==";
        let good: [&[u8]; 6] = [b"localhost", b"http://localhost", key, b"websocket", b"chat", b"test"];
        head(evil, b"", b"HTTP/1.1", b"User-Agent", good);
        head(b"GET", evil, b"HTTP/1.1", b"User-Agent", good);
        head(b"GET", b"", evil, b"User-Agent", good);
        head(b"GET", b"", b"HTTP/1.1", evil, good);
        for at in 0..good.len() {
            let mut values = good;
            values[at] = evil;
            head(b"GET", b"", b"HTTP/1.1", b"User-Agent", values);
        }
    }
    requests
}

/// Frames to one who is connected: long, short, and against the rules.
fn evil_frames(masked: bool) -> Vec<Vec<u8>> {
    let sent = hostile_bytes(true);
    let reason = |code: u16| [&code.to_be_bytes()[..], EVIL[..6].concat().as_bytes()].concat();
    let mut all = vec![
        [frame(1, &sent, masked), frame(8, &reason(1000), masked)].concat(),
        [frame(2, &sent, masked), frame(8, &reason(4000), masked)].concat(),
        [frame(1, b"\x1b[2J\xff", masked)].concat(),
        frame(8, &reason(999), masked),
        frame(8, b"\x03\xe8\xff\x1b[2J", masked),
        frame(0xb, b"\x1b[2J", masked),
        frame(1, b"\x1b[2J", !masked),
        frame(9, &[b'\x1b'; 126], masked),
    ];
    for evil in EVIL {
        let texts = [1, 9, 10].map(|opcode| frame(opcode, evil.as_bytes(), masked)).concat();
        all.push([texts, frame(8, &[b"\x03\xe8", evil.as_bytes()].concat(), masked)].concat());
    }
    all
}

#[test]
fn escape_codes_do_not_get_through_a_websocket_server() {
    in_every_form(|form| {
        for more in [&[][..], &["--quiet"], &["--any-origin"]] {
            let mut here = start(&[&["websocket", "0", form], more].concat());
            let port = here.port();
            for request in evil_requests() {
                exchange(connect(port), &request);
            }
            exchange(connect(port), &hostile_bytes(false));
            for frames in evil_frames(true) {
                let came = exchange(connect(port), &[opening(port), frames].concat());
                assert!(came.starts_with(b"HTTP/1.1 101 "), "{:?}", String::from_utf8_lossy(&came));
            }
            let (ended, _) = here.told_to_end("INT");
            assert_eq!(ended.code, Some(0));
            is_harmless(&ended, form);
        }
    });
}

/// A server for so many callers, one after the other; gives its address.
fn server(
    callers: usize,
    serve: impl Fn(TcpStream, usize) + Send + 'static,
) -> (String, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        for caller in 0..callers {
            serve(patient(listener.accept().unwrap().0), caller);
        }
    });
    (at, server)
}

/// Reads the head of a request and gives the answer to its key (RFC 6455 §4.2.2).
fn accept_of(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let key =
        lines.by_ref().filter_map(|line| line.strip_prefix("Sec-WebSocket-Key: ").map(str::to_owned)).last();
    tungstenite::handshake::derive_accept_key(key.unwrap().as_bytes())
}

#[test]
fn escape_codes_do_not_get_through_a_websocket_client() {
    let mut answers: Vec<Vec<u8>> = Vec::new();
    for evil in EVIL.iter().map(|evil| evil.as_bytes()).chain([&b"\x9b31m\x90q\xff"[..]]) {
        for (before, after) in [
            ("HTTP/1.1 404 ", "\r\nContent-Length: 0\r\n\r\n"),
            ("HTTP/1.1 301 Moved\r\nLocation: http://", "\r\nContent-Length: 0\r\n\r\n"),
            (
                "HTTP/1.1 101 Switching Protocols\r\n",
                ": x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n",
            ),
            (
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ",
                "\r\n\r\n",
            ),
            (
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: ",
                "\r\n\r\n",
            ),
            ("", "\r\n\r\n"),
        ] {
            answers.push([before.as_bytes(), evil, after.as_bytes()].concat());
        }
    }
    answers.push(hostile_bytes(false));
    let good = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n";
    answers.extend(evil_frames(false).into_iter().map(|frames| [good, &frames[..]].concat()));

    let count = answers.len();
    let answers = std::sync::Arc::new(answers);
    in_every_form(|form| {
        let answers = std::sync::Arc::clone(&answers);
        let (at, server) = server(count, move |stream, caller| {
            let accept = accept_of(&stream);
            let answer = &answers[caller];
            let (before, after) = match answer.windows(6).position(|window| window == b"ACCEPT") {
                Some(at) => (&answer[..at], [accept.as_bytes(), &answer[at + 6..]].concat()),
                None => (&answer[..], Vec::new()),
            };
            exchange(stream, &[before, &after].concat());
        });
        for _ in 0..count {
            let mut here = start(&["websocket", &format!("ws://{at}/"), "--wait", "50ms", form]);
            is_harmless(&here.end(), form);
        }
        server.join().unwrap();
    });
}

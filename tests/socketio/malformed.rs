//! What breaks a rule gets a clear error and the end of the connection, at once: by either side, with bytes
//! made by hand.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use sockwalk::{
    transport::connection::Fault,
    websocket::accept_key::accept_key,
    wire::websocket::{Frame, Header, opcode},
};

use super::{PATIENCE, Served, called};

/// A response: its status, and its content.
type Answer = (u16, String);

fn stream(at: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends a request on a connection of its own.
fn begin(at: SocketAddr, method: &str, target: &str, body: &[u8]) -> TcpStream {
    let mut stream = stream(at);
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    stream
}

/// Its response, to the end of the stream: so the server has closed.
fn finish(mut stream: TcpStream) -> Answer {
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    let (head, body) = all.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{all:?}"));
    (head[9..12].parse().unwrap(), body.to_owned())
}

fn ask(at: SocketAddr, method: &str, target: &str, body: &[u8]) -> Answer {
    finish(begin(at, method, target, body))
}

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// The ID of a new session that has joined `/`.
fn joined(at: SocketAddr) -> String {
    let (status, body) = ask(at, "GET", POLLING, b"");
    assert_eq!(status, 200);
    let sid = body.split('"').nth(3).unwrap().to_owned();
    assert_eq!(ask(at, "POST", &format!("{POLLING}&sid={sid}"), b"40"), (200, "ok".into()));
    assert!(ask(at, "GET", &format!("{POLLING}&sid={sid}"), b"").1.starts_with("40{\"sid\""));
    sid
}

/// The codes of the reference implementation, as it gives them.
#[test]
fn a_request_that_can_not_be_served_gets_its_code() {
    let server = Served::start(25_000, false, &[]);
    let cases = [
        ("GET", "/socket.io/", 0, "Transport unknown"),
        ("GET", "/socket.io/?EIO=4", 0, "Transport unknown"),
        ("GET", "/socket.io/?EIO=4&transport=foo", 0, "Transport unknown"),
        ("GET", "/socket.io/?EIO=4&transport=polling&sid=nope", 1, "Session ID unknown"),
        ("POST", "/socket.io/?EIO=4&transport=polling&sid=nope", 1, "Session ID unknown"),
        ("POST", "/socket.io/?EIO=4&transport=polling", 2, "Bad handshake method"),
        ("GET", "/socket.io/?EIO=4&transport=websocket", 3, "Bad request"),
        ("GET", "/socket.io/?EIO=3&transport=polling", 5, "Unsupported protocol version"),
        ("GET", "/socket.io/?transport=polling", 5, "Unsupported protocol version"),
    ];
    for (method, target, code, message) in cases {
        let answer = ask(server.at, method, target, b"");
        assert_eq!(answer, (400, format!("{{\"code\":{code},\"message\":\"{message}\"}}")), "{target}");
    }
    let mut foreign = stream(server.at);
    let head = format!(
        "GET {POLLING} HTTP/1.1\r\nHost: {}\r\nOrigin: http://example.com\r\nConnection: close\r\n\r\n",
        server.at
    );
    foreign.write_all(head.as_bytes()).unwrap();
    assert_eq!(finish(foreign), (403, "{\"code\":4,\"message\":\"Forbidden\"}".into()));
    assert_eq!(ask(server.at, "GET", "/", b"").0, 404);
}

/// Packets, then words of the error. Each is answered with 400, and the session is over.
#[test]
fn a_malformed_body_ends_the_session() {
    let server = Served::start(25_000, false, &[]);
    let cases: &[(&[u8], &str)] = &[
        (b"", "packet type at byte 0"),
        (b"7", "packet type at byte 0"),
        (b"hello", "packet type at byte 0"),
        (b"4\xff", "data at byte 1"),
        (b"2", "a pong: the server pings"),
        (b"0{}", "Engine.IO 4, Protocol"),
        (b"5", "Engine.IO 4, Protocol"),
        (b"b!!", "Base64 data at byte 1"),
        (b"bAQ==", "a packet of text before bytes"),
        (b"4", "packet type at byte 0"),
        (b"49", "packet type at byte 0"),
        (b"42", "an array that is not empty"),
        (b"42[]", "an array that is not empty"),
        (b"42{}", "an array that is not empty"),
        (b"42[\"a\"", "payload at byte 5: needed JSON"),
        (b"42[\"disconnect\"]", "event name"),
        (b"42/chat,[\"a\"]", "a CONNECT to /chat first"),
        (b"42/chat[\"a\"]", "a comma behind it"),
        (b"41{}", "needed nothing"),
        (b"40[]", "a JSON object, or nothing"),
        (b"43[]", "the id of the event"),
        (b"44{}", "CONNECT_ERROR"),
        (b"45[\"a\"]", "number of attachments"),
        (b"4599-[\"a\"]", "at most 10"),
        (b"451-[\"a\",{\"_placeholder\":true,\"num\":0}]\x1e42[\"b\"]", "a binary message"),
        (b"42[\"fine\"]\x1e42", "an array that is not empty"),
    ];
    for (body, words) in cases {
        let target = format!("{POLLING}&sid={}", joined(server.at));
        let shown = String::from_utf8_lossy(body);
        let (status, said) = ask(server.at, "POST", &target, body);
        assert_eq!(status, 400, "{shown}");
        assert!(said.contains(words), "{shown}: {said}");
        assert!(ask(server.at, "GET", &target, b"").1.contains("\"code\":1"), "{shown}");
    }
    // Nothing but CONNECT comes first.
    let (_, body) = ask(server.at, "GET", POLLING, b"");
    let target = format!("{POLLING}&sid={}", body.split('"').nth(3).unwrap());
    assert!(ask(server.at, "POST", &target, b"42[\"a\"]").1.contains("a CONNECT to / first"));
}

#[test]
fn two_gets_at_a_time_end_the_session() {
    let server = Served::start(25_000, false, &[]);
    let target = format!("{POLLING}&sid={}", joined(server.at));
    // Whichever comes second is refused; the other is answered, as the session is over.
    let both = [begin(server.at, "GET", &target, b""), begin(server.at, "GET", &target, b"")];
    let mut answers = both.map(|stream| finish(stream).0);
    answers.sort_unstable();
    assert_eq!(answers, [200, 400]);
    server.tells_of("one GET and one POST at a time");
    assert!(ask(server.at, "GET", &target, b"").1.contains("\"code\":1"));
}

#[test]
fn more_than_max_payload_is_not_taken() {
    let server = Served::start(25_000, false, &[]);
    let target = format!("{POLLING}&sid={}", joined(server.at));
    let body = format!("42[\"{}\"]", "x".repeat(100_000));
    assert_eq!(ask(server.at, "POST", &target, body.as_bytes()).0, 413);
}

/// A WebSocket by hand, for this target.
fn websocket(at: SocketAddr, target: &str) -> TcpStream {
    let mut stream = stream(at);
    let head = format!(
        "GET {target} HTTP/1.1\r\nHost: {at}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        seen.push(byte[0]);
    }
    assert!(seen.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&seen));
    stream
}

fn send(stream: &mut TcpStream, opcode: u8, payload: &[u8]) {
    stream.write_all(&Frame::new(opcode, payload).masked([1, 2, 3, 4]).encode()).unwrap();
}

/// The payload of the next frame with this opcode.
fn receive(stream: &mut TcpStream, wanted: u8) -> Vec<u8> {
    loop {
        let mut head = vec![0; 2];
        stream.read_exact(&mut head).unwrap();
        let header = loop {
            match Header::parse(&head) {
                Ok(header) => break header,
                Err(incomplete) => {
                    let had = head.len();
                    head.resize(incomplete.needed, 0);
                    stream.read_exact(&mut head[had..]).unwrap();
                }
            }
        };
        let mut payload = vec![0; usize::try_from(header.length).unwrap()];
        stream.read_exact(&mut payload).unwrap();
        if header.opcode == wanted {
            return payload;
        }
    }
}

#[test]
fn a_malformed_packet_closes_a_websocket_with_its_reason() {
    let server = Served::start(25_000, false, &[]);
    let cases: &[(u8, &[u8], &str)] = &[
        (opcode::TEXT, b"", "packet type at byte 0"),
        (opcode::TEXT, b"9", "packet type at byte 0"),
        (opcode::TEXT, b"bAQ==", "packet type at byte 0"),
        (opcode::TEXT, b"2probe", "packet: needed a pong"),
        (opcode::TEXT, b"42[]", "payload at byte 1"),
        (opcode::TEXT, b"42[\"a\"]\x1e42[\"b\"]", "payload at byte 6"),
        (opcode::BINARY, b"\x01", "packet at byte 0"),
    ];
    for (opcode, payload, words) in cases {
        let mut stream = websocket(server.at, "/socket.io/?EIO=4&transport=websocket");
        assert!(receive(&mut stream, opcode::TEXT).starts_with(b"0{"));
        send(&mut stream, opcode::TEXT, b"40");
        assert!(receive(&mut stream, opcode::TEXT).starts_with(b"40{"));
        send(&mut stream, *opcode, payload);
        let close = receive(&mut stream, opcode::CLOSE);
        assert_eq!(close[..2], 1002u16.to_be_bytes());
        let reason = String::from_utf8_lossy(&close[2..]);
        assert!(reason.starts_with(words), "{reason}");
        // And the stream ends.
        send(&mut stream, opcode::CLOSE, &close[..2]);
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn a_probe_that_is_none_leaves_the_session_where_it_was() {
    let server = Served::start(25_000, false, &[]);
    let sid = joined(server.at);
    let target = format!("/socket.io/?EIO=4&transport=websocket&sid={sid}");
    for wrong in [b"42[\"a\"]".as_slice(), b"5", b"2", b"3probe"] {
        let mut stream = websocket(server.at, &target);
        send(&mut stream, opcode::TEXT, wrong);
        assert_eq!(receive(&mut stream, opcode::CLOSE)[..2], 1002u16.to_be_bytes());
    }
    let polling = format!("{POLLING}&sid={sid}");
    assert_eq!(ask(server.at, "POST", &polling, b"42[\"a\"]").0, 200);
    assert_eq!(ask(server.at, "GET", &polling, b""), (200, "42[\"a\"]".into()));
}

/// The upgrade byte by byte: the GET that waits gets a noop, and what was said meanwhile comes behind the 5.
#[test]
fn nothing_is_lost_on_the_way_to_the_websocket() {
    let server = Served::start(25_000, false, &[]);
    let sid = joined(server.at);
    let polling = format!("{POLLING}&sid={sid}");
    let waiting = begin(server.at, "GET", &polling, b"");
    let mut stream = websocket(server.at, &format!("/socket.io/?EIO=4&transport=websocket&sid={sid}"));
    send(&mut stream, opcode::TEXT, b"2probe");
    assert_eq!(receive(&mut stream, opcode::TEXT), b"3probe");
    assert_eq!(finish(waiting), (200, "6".into()));
    assert_eq!(ask(server.at, "POST", &polling, b"42[\"a\"]").0, 200);
    send(&mut stream, opcode::TEXT, b"5");
    assert_eq!(receive(&mut stream, opcode::TEXT), b"42[\"a\"]");
    // Polling is over, and there is no second WebSocket.
    assert!(ask(server.at, "GET", &polling, b"").1.contains("\"code\":3"));
}

/// What a server sends that it must not, by polling and over a WebSocket; then words of our client's error.
#[test]
fn our_client_names_what_a_server_does_wrong() {
    let open = r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}"#;
    let cases: &[(&str, &str)] = &[
        ("", "packet type at byte 0"),
        ("9", "packet type at byte 0"),
        ("0{}", "sid at byte 0"),
        ("0[]", "handshake data at byte 0"),
        ("40{\"sid\":\"a\"}", "an open packet first"),
        ("<html>", "packet type at byte 0"),
        (&open.replace("25000", "\"x\""), "pingInterval"),
    ];
    for (first, words) in cases {
        for transport in ["polling", "websocket"] {
            let fault = with_server(transport, &[first]);
            assert!(fault.to_string().contains(words), "{transport} {first}: {fault}");
        }
    }
    for (second, words) in
        [("2\u{1e}8", "packet type"), ("43", "acknowledgment id"), ("42{}", "payload"), ("0{}", "packet")]
    {
        let fault = with_server("polling", &[open, second]);
        assert!(fault.to_string().contains(words), "{second}: {fault}");
    }
}

/// What our client says of a server that gives these packets, one for each GET or all at once as messages.
fn with_server(transport: &str, packets: &[&str]) -> Fault {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let packets: Vec<String> = packets.iter().map(|packet| (*packet).to_owned()).collect();
    let polls = transport == "polling";
    let serving = thread::spawn(move || {
        let mut packets = packets.iter();
        // Until the client hangs up for good, which the last connection is for.
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            if head.is_empty() {
                return;
            }
            if !polls {
                let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
                let accept = accept_key(key);
                let answer = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                stream.write_all(answer.as_bytes()).unwrap();
                for packet in packets.by_ref() {
                    stream.write_all(&Frame::new(opcode::TEXT, packet.as_str()).encode()).unwrap();
                }
                // The client closes: it waits for nothing more.
                while stream.read(&mut [0; 100]).is_ok_and(|read| read > 0) {}
                continue;
            }
            let body =
                if head.starts_with("GET") { packets.next().map_or("6", String::as_str) } else { "ok" };
            let answer = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).unwrap();
            // What a POST carries is read too, so that no RST goes out.
            let _ = stream.shutdown(std::net::Shutdown::Write);
            while stream.read(&mut [0; 100]).is_ok_and(|read| read > 0) {}
        }
    });
    let began = Instant::now();
    let fault = called(at, &[("transport", transport)]).map(drop).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(4), "{fault}");
    drop(TcpStream::connect(at).unwrap());
    serving.join().unwrap();
    fault
}

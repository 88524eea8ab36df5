//! Live runs written by hand: errands of one side, and a class at a server.

use super::samples::{Made, Run, socket};
use crate::event::*;
use crate::wire::websocket::{Frame, opcode};

const S: &str = "127.0.0.1:8000";

fn socket_call(host: Host) -> Made {
    Made {
        host,
        call: "socket",
        on: None,
        args: &[("domain", "AF_INET (IPv4)"), ("type", "SOCK_STREAM (a byte stream: TCP)")],
        ran: "Socket::new(domain, kind, None)",
        line: 17,
        c: "int s = socket(AF_INET, SOCK_STREAM, 0);",
        asked: "socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)",
    }
}

fn reuse_call() -> Made {
    Made {
        host: Host::Server,
        call: "setsockopt",
        on: Some(("s", 3)),
        args: &[("option", "SO_REUSEADDR"), ("value", "1")],
        ran: "socket.set_reuse_address(true)",
        line: 30,
        c: "setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);",
        asked: "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4)",
    }
}

fn bind_call() -> Made {
    Made {
        host: Host::Server,
        call: "bind",
        on: Some(("s", 3)),
        args: &[("addr", S)],
        ran: "socket.bind(&address.into())",
        line: 21,
        c: "bind(s, &address, sizeof address);",
        asked: "bind(3, {AF_INET, htons(8000), 127.0.0.1}, 16)",
    }
}

fn listen_call() -> Made {
    Made {
        host: Host::Server,
        call: "listen",
        on: Some(("s", 3)),
        args: &[("backlog", "128")],
        ran: "socket.listen(backlog)",
        line: 18,
        c: "listen(s, 128);",
        asked: "listen(3, 128)",
    }
}

fn connect_call() -> Made {
    Made {
        host: Host::Client,
        call: "connect",
        on: Some(("c", 3)),
        args: &[("addr", S)],
        ran: "socket.connect(&address.into())",
        line: 24,
        c: "connect(c, &address, sizeof address);",
        asked: "connect(3, {AF_INET, htons(8000), 127.0.0.1}, 16)",
    }
}

fn accept_call() -> Made {
    Made {
        host: Host::Server,
        call: "accept",
        on: Some(("s", 3)),
        args: &[],
        ran: "socket.accept()",
        line: 17,
        c: "int conn = accept(s, &peer, &len);",
        asked: "accept4(3, …, SOCK_CLOEXEC)",
    }
}

/// On a connection; `asked` is empty for what is made of several calls.
fn on(name: &'static str, fd: i64, call: &'static str, asked: &'static str) -> Made {
    Made {
        host: Host::Server,
        call,
        on: Some((name, fd)),
        args: &[],
        ran: match call {
            "recv" => "socket.recv(room)",
            "send" => "socket.send(bytes)",
            "shutdown" => "socket.shutdown(how)",
            "close" => "drop(socket)",
            "ws answer" => "judge_and_answer(on, &mut pieces)",
            "ws recv" => "websocket.read()",
            _ => "websocket.send(message)",
        },
        line: 23,
        c: "",
        asked,
    }
}

fn named(name: &str, fd: i64) -> Value {
    Value::Socket { name: name.into(), fd, peer: None }
}

/// `sockwalk listen`: what comes before is told in a line each, and then somebody calls.
pub(super) fn live_listen() -> Vec<Event> {
    let mut run = Run::default();
    run.live("listen", S);
    run.brief(1, "server$ s = socket tcp");
    let id = run.call(socket_call(Host::Server));
    run.ok(id, named("s", 3), 11_800).socket(socket("server", "s", 3));
    run.brief(2, "server$ setsockopt s SO_REUSEADDR 1");
    let id = run.call(reuse_call());
    run.ok(id, Value::Done, 900).socket(socket("server", "s", 3).option("SO_REUSEADDR", 1));
    run.brief(3, "server$ bind s 127.0.0.1:8000");
    let id = run.call(bind_call());
    run.ok(id, Value::Done, 6_300).socket(socket("server", "s", 3).local(S).option("SO_REUSEADDR", 1));
    run.step(4, "server$ listen s 128");
    let id = run.call(listen_call());
    run.ok(id, Value::Done, 8_100);
    let listens = || socket("server", "s", 3).state("LISTEN").local(S).option("SO_REUSEADDR", 1);
    run.socket(listens().accept(0, 128));
    run.prose("Call it from a second terminal: `sockwalk connect 127.0.0.1:8000`.");
    run.socket(listens().accept(1, 128));
    run.prose("Somebody waits in the queue.");
    run.step(5, "server$ close s");
    let id = run.call(on("s", 3, "close", "close(3)"));
    run.ok(id, Value::Done, 14_000).socket(socket("server", "s", -1).unsaid().gone());
    run.end(0, 0, 0);
    run.events
}

/// `sockwalk send` to a server on this machine: the other end is seen, and is another program's.
pub(super) fn live_send() -> Vec<Event> {
    const C: &str = "127.0.0.1:51234";
    let mut run = Run::default();
    run.live("send", "to 127.0.0.1:8000");
    run.brief(1, "client$ c = socket tcp");
    let id = run.call(socket_call(Host::Client));
    run.ok(id, named("c", 3), 11_800).socket(socket("client", "c", 3));
    run.brief(2, "client$ connect c 127.0.0.1:8000");
    let id = run.call(connect_call());
    run.ok(id, Value::Done, 71_000);
    run.socket(socket("client", "c", 3).state("ESTABLISHED").local(C).peer(S).queues(0, 0).tcp());
    run.socket(socket("server", "~client.c", -1).state("ESTABLISHED").local(S).peer(C).queues(0, 0));
    run.step(3, "client$ send c \"hello\"");
    let id = run.call(Made {
        args: &[("bytes", "\"hello\" (5 bytes)")],
        ran: "socket.send(bytes)",
        asked: "sendto(3, \"hello\", 5, 0, NULL, 0)",
        ..on("c", 3, "send", "")
    });
    run.ok(id, Value::Count(5), 18_000);
    run.socket(socket("server", "~client.c", -1).state("ESTABLISHED").local(S).peer(C).queues(5, 0));
    run.step(4, "client$ r = recv c 4096 within 1000ms");
    let id = run.call(Made { asked: "recvfrom(3, …, 4096, 0, NULL, NULL)", ..on("c", 3, "recv", "") });
    run.blocked(id, "bytes, or the end of the stream", KnownBy::Proc);
    run.add(What::Return(Return {
        call: id,
        ok: None,
        errno: Some("EINTR".into()),
        error: Some("Interrupted system call".into()),
        ns: 1_000_300_000,
        deadline: true,
    }));
    run.socket(socket("server", "~client.c", -1).state("ESTABLISHED").local(S).peer(C).queues(0, 0));
    run.step(5, "client$ close c");
    let id = run.call(on("c", 3, "close", "close(3)"));
    run.ok(id, Value::Done, 21_000);
    run.socket(socket("client", "c", -1).state("FIN_WAIT2").local(C).peer(S));
    run.socket(socket("server", "~client.c", -1).state("CLOSE_WAIT").local(S).peer(C).queues(1, 0));
    run.socket(socket("server", "~client.c", -1).state("LAST_ACK").local(S).peer(C));
    run.end(0, 0, 0);
    for event in &mut run.events {
        // The helper `on` speaks for servers.
        if let What::Call(call) = &mut event.what {
            call.host = Host::Client;
        }
    }
    run.events
}

/// What goes wrong before anything is done: a port that is taken, nobody there.
pub(super) fn live_troubles() -> Vec<Event> {
    let mut run = Run::default();
    run.live("recv", S);
    run.brief(1, "server$ s = socket tcp");
    let id = run.call(socket_call(Host::Server));
    run.ok(id, named("s", 3), 11_800).socket(socket("server", "s", 3));
    run.brief(2, "server$ bind s 127.0.0.1:8000");
    let id = run.call(bind_call());
    run.fails(id, "EADDRINUSE", "Address already in use", 6_300);
    run.prose("Somebody else listens there. `ss -ltnp` says who.");
    run.brief(3, "client$ connect c 127.0.0.1:8000");
    let id = run.call(connect_call());
    run.fails(id, "ECONNREFUSED", "Connection refused", 96_000);
    run.brief(4, "server$ conn = accept s");
    let id = run.call(accept_call());
    run.blocked(id, "a connection in the accept queue", KnownBy::Proc);
    let peer = Some("[::1]:51234".into());
    run.ok(id, Value::Socket { name: "conn".into(), fd: 4, peer }, 3_021_000_000);
    run.brief(5, "client$ w = ws handoff c");
    let id = run.call(on("c", 3, "ws handoff", ""));
    run.ok(id, Value::Done, 3_000);
    run.brief(6, "client$ r = recv c 4096 within 2000ms");
    let id = run.call(on("c", 3, "recv", "recvfrom(3, …, 4096, 0, NULL, NULL)"));
    run.blocked(id, "bytes, or the end of the stream", KnownBy::Time);
    run.add(What::Return(Return {
        call: id,
        ok: None,
        errno: Some("EINTR".into()),
        error: Some("Interrupted system call".into()),
        ns: 2_000_300_000,
        deadline: true,
    }));
    run.add(What::End(End { left: true, ..End::default() }));
    run.events
}

/// A connection of the class: who calls, and what is done on it.
pub(super) struct Peers<'a> {
    run: &'a mut Run,
    name: &'static str,
    fd: i64,
    address: String,
    received: u64,
    sent: u64,
    messages: (u64, u64),
}

impl Peers<'_> {
    fn phase(&mut self, phase: Phase, end: Option<Ending>, detail: &str) {
        self.run.add(What::Peer(Peer {
            name: self.name.into(),
            address: self.address.clone(),
            phase,
            state: None,
            received: self.received,
            sent: self.sent,
            messages_received: self.messages.0,
            messages_sent: self.messages.1,
            end,
            detail: detail.into(),
        }));
    }

    fn made(&mut self, call: &'static str, asked: &'static str, parent: Option<u64>) -> u64 {
        self.run.call_within(on(self.name, self.fd, call, asked), parent, false)
    }

    fn recv(&mut self, data: &[u8], parent: Option<u64>) {
        let id = self.made("recv", "recvfrom(5, …, 4096, 0, NULL, NULL)", parent);
        self.received += data.len() as u64;
        self.run.ok(id, Value::Data(data.to_vec()), 2_100);
    }

    fn send(&mut self, data: &[u8], parent: Option<u64>) {
        let id = self.made("send", "sendto(5, …)", parent);
        if let Some(Event { what: What::Call(call), .. }) = self.run.events.last_mut() {
            let value = format!("\"{}\" ({} bytes)", data.escape_ascii(), data.len());
            call.args.push(Arg { name: "bytes".into(), value });
        }
        self.sent += data.len() as u64;
        self.run.ok(id, Value::Count(data.len()), 9_000);
    }

    fn fails(&mut self, call: &'static str, parent: Option<u64>, errno: &str, words: &str) {
        let id = self.made(call, "recvfrom(5, …, 4096, 0, NULL, NULL)", parent);
        self.run.fails(id, errno, words, 1_300);
    }

    fn message(&mut self, received: bool, kind: &str, data: &[u8], code: Option<u16>) {
        self.run.add(What::Message(Message {
            host: Host::Server,
            socket: self.name.into(),
            received,
            kind: kind.into(),
            data: data.to_vec(),
            code,
            rule: None,
            section: None,
            level: None,
            offset: None,
        }));
    }

    /// The opening handshake: what came, how each requirement was judged, and the status.
    fn answers(&mut self, request: &str, judged: &[Judged], status: i64) {
        let id = self.made("ws answer", "", None);
        self.recv(request.as_bytes(), Some(id));
        for (requirement, section, met, found, offset) in judged {
            self.run.add(What::Upgrade(Requirement {
                host: Host::Server,
                socket: Some(self.name.into()),
                requirement: (*requirement).into(),
                section: (*section).into(),
                met: *met,
                found: (*found).into(),
                offset: *offset,
            }));
        }
        if status == 101 {
            let key = super::sample_runs::accept_key();
            self.run.add(What::Working(Working { socket: Some(self.name.into()), ..key }));
        }
        self.send(&[b'x'; 129], Some(id));
        self.run.ok(id, Value::Number(status), 92_000);
        if status == 101 {
            self.phase(Phase::Open, None, "");
        }
    }

    /// A message comes, in one frame and one recv.
    fn says(&mut self, number: u8, data: &[u8]) {
        let id = self.made("ws recv", "", None);
        let frame = Frame::new(number, data).masked([0x37, 0xfa, 0x21, 0x3d]).encode();
        self.recv(&frame, Some(id));
        let (kind, data, code) = match number {
            opcode::TEXT => ("text", data, None),
            opcode::BINARY => ("binary", data, None),
            opcode::PING => ("ping", data, None),
            _ => ("close", &data[2..], Some(1000)),
        };
        if number == opcode::PING {
            self.send(&Frame::new(opcode::PONG, data).encode(), Some(id));
        }
        if number == opcode::CLOSE {
            self.send(&Frame::new(opcode::CLOSE, [3, 232]).encode(), Some(id));
        }
        self.message(true, kind, data, code);
        self.messages.0 += u64::from(number < 8);
        let ok = match code {
            Some(code) => Value::Close { code, reason: String::from_utf8_lossy(data).into() },
            None => Value::Data(data.to_vec()),
        };
        self.run.ok(id, ok, 21_000);
    }

    /// A message goes.
    fn is_told(&mut self, number: u8, data: &[u8]) {
        let id = self.made("ws send", "", None);
        self.send(&Frame::new(number, data).encode(), Some(id));
        self.message(false, if number == opcode::TEXT { "text" } else { "binary" }, data, None);
        self.messages.1 += 1;
        self.run.ok(id, Value::Done, 15_000);
    }

    fn goes(&mut self, end: Ending, detail: &str) {
        let id = self.made("shutdown", "shutdown(5, SHUT_WR)", None);
        self.run.ok(id, Value::Done, 4_000);
        self.recv(b"", None);
        let id = self.made("close", "close(5)", None);
        self.run.ok(id, Value::Done, 4_000);
        self.phase(Phase::Gone, Some(end), detail);
    }
}

/// The next connection: accepted, and told to be there.
fn calls<'a>(run: &'a mut Run, name: &'static str, fd: i64, address: &str) -> Peers<'a> {
    let id = run.call(accept_call());
    let peer = Some(address.to_owned());
    run.ok(id, Value::Socket { name: name.into(), fd, peer }, 3_000_000);
    let mut peers = again(run, name, fd, address);
    peers.phase(Phase::Connected, None, "");
    peers
}

fn again<'a>(run: &'a mut Run, name: &'static str, fd: i64, address: &str) -> Peers<'a> {
    Peers { run, name, fd, address: address.into(), received: 0, sent: 0, messages: (0, 0) }
}

fn listens(run: &mut Run, name: &str) {
    run.live(name, S);
    run.brief(1, "server$ s = socket tcp");
    let id = run.call(socket_call(Host::Server));
    run.ok(id, named("s", 3), 11_800).socket(socket("server", "s", 3));
    run.brief(2, "server$ setsockopt s SO_REUSEADDR 1");
    let id = run.call(reuse_call());
    run.ok(id, Value::Done, 900);
    run.brief(3, "server$ bind s 127.0.0.1:8000");
    let id = run.call(bind_call());
    run.ok(id, Value::Done, 6_300);
    run.brief(4, "server$ listen s 128");
    let id = run.call(listen_call());
    run.ok(id, Value::Done, 8_100).socket(socket("server", "s", 3).state("LISTEN").local(S).accept(0, 128));
}

fn stops(run: &mut Run) {
    let id = run.call(accept_call());
    run.add(What::Return(Return {
        call: id,
        ok: None,
        errno: Some("EINTR".into()),
        error: Some("Interrupted system call".into()),
        ns: 72_000_000_000,
        deadline: true,
    }));
    let id = run.call(on("s", 3, "close", "close(3)"));
    run.ok(id, Value::Done, 14_000).socket(socket("server", "s", -1).unsaid().gone());
    run.end(0, 0, 0);
}

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://127.0.0.1:8000\r\n\r\n";

/// A requirement, where it stands, whether it is met, what was found, and where.
type Judged = (&'static str, &'static str, bool, &'static str, Option<usize>);

const MET: [Judged; 14] = [
    ("a well-formed request head", "RFC 9112 §2.1", true, "188 bytes, 6 field lines", Some(0)),
    ("the method is GET", "RFC 6455 §4.2.1 (1)", true, "GET", Some(0)),
    ("the version is HTTP/1.1", "RFC 6455 §4.2.1 (1), RFC 9110 §7.8", true, "HTTP/1.1", Some(10)),
    ("the target is a path or an http URI", "RFC 6455 §4.2.1 (1)", true, "/chat", Some(4)),
    ("one Host line with a host", "RFC 6455 §4.2.1 (2), RFC 9112 §3.2", true, "127.0.0.1:8000", Some(20)),
    ("no content behind the head", "RFC 9110 §9.3.1, RFC 9112 §6.3", true, "no such line", None),
    ("Upgrade has websocket", "RFC 6455 §4.2.1 (3), RFC 9110 §7.8", true, "websocket", Some(42)),
    ("Connection has the token Upgrade", "RFC 6455 §4.2.1 (4)", true, "Upgrade", Some(62)),
    (
        "one key: 16 bytes in base64",
        "RFC 6455 §4.2.1 (5), §11.3.1",
        true,
        "dGhlIHNhbXBsZSBub25jZQ==",
        Some(82),
    ),
    ("one Sec-WebSocket-Version: 13", "RFC 6455 §4.2.1 (6), §4.2.2 (4), §11.3.5", true, "13", Some(127)),
    (
        "at most one Origin, and an allowed one",
        "RFC 6455 §4.2.1 (7), §10.2",
        true,
        "http://127.0.0.1:8000",
        Some(154),
    ),
    ("subprotocols are tokens, each once", "RFC 6455 §4.2.1 (8), §4.1 (10)", true, "no such line", None),
    ("extensions follow their grammar", "RFC 6455 §4.2.1 (9), §9.1", true, "no such line", None),
    ("there is a WebSocket at this path", "RFC 6455 §4.2.2 (4)", true, "/chat", Some(4)),
];

/// `sockwalk accept ADDR`: two at once, bytes that are no text, a reset, and the end.
pub(super) fn class_of_bytes() -> Vec<Event> {
    let mut run = Run::default();
    listens(&mut run, "accept");
    run.prose("Whoever calls `127.0.0.1:8000` gets back what they send. **Ctrl-C** ends it.");
    calls(&mut run, "c1", 5, "127.0.0.1:51234").recv(b"hello world\n", None);
    let mut second = calls(&mut run, "c2", 6, "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535");
    second.recv(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0xff, 0xfe, 9, 9, 9, 9, 0x81, 0xaa, 0xbb], None);
    second.send(&[0; 20], None);
    let mut first = again(&mut run, "c1", 5, "127.0.0.1:51234");
    first.send(b"hello world\n", None);
    first.recv("\x1b[2J\"wild\" \u{202e}and\u{202c} long, ".repeat(9).as_bytes(), None);
    let mut second = again(&mut run, "c2", 6, "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535");
    second.fails("recv", None, "ECONNRESET", "Connection reset by peer");
    second.fails("shutdown", None, "ENOTCONN", "Transport endpoint is not connected");
    (second.received, second.sent) = (20, 20);
    second.phase(Phase::Gone, Some(Ending::Reset), "");
    let mut first = again(&mut run, "c1", 5, "127.0.0.1:51234");
    first.recv(b"", None);
    (first.received, first.sent) = (201, 12);
    first.phase(Phase::Gone, Some(Ending::Closed), "closed in order");
    stops(&mut run);
    run.events
}

/// `sockwalk websocket ADDR`: what goes well and what goes wrong, from the first call to the last.
pub(super) fn class_of_messages() -> Vec<Event> {
    let mut run = Run::default();
    listens(&mut run, "websocket");
    run.prose("Open `http://127.0.0.1:8000/` in a browser. **Ctrl-C** ends it.");
    let waiting = run.call(accept_call());
    run.blocked(waiting, "a connection in the accept queue", KnownBy::Proc);
    run.ok(waiting, Value::Socket { name: "c1".into(), fd: 5, peer: None }, 5_000_000);

    let mut c1 = again(&mut run, "c1", 5, "127.0.0.1:51234");
    c1.phase(Phase::Connected, None, "");
    c1.answers(REQUEST, &MET, 101);
    c1.says(opcode::TEXT, b"hello");
    c1.is_told(opcode::TEXT, b"hello");

    let mut c2 = calls(&mut run, "c2", 6, "192.168.178.104:49152");
    let mut judged = MET;
    (judged[10].2, judged[10].3) = (false, "http://evil.example");
    c2.answers(REQUEST, &judged, 403);
    c2.goes(Ending::Refused, "the opening request was refused");
    let mut c4 = calls(&mut run, "c4", 6, "192.168.178.104:49153");
    for (at, found) in [(6, "h2c"), (7, "keep-alive"), (8, "no such line"), (9, "8"), (13, "/")] {
        (judged[at].2, judged[at].3) = (false, found);
    }
    c4.answers(REQUEST, &judged, 426);
    c4.goes(Ending::Refused, "the opening request was refused");

    let mut c3 = calls(&mut run, "c3", 7, "192.168.178.31:50031");
    c3.answers("GET / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n", &[], 200);
    c3.goes(Ending::Page, "the page was served");

    let mut c30 = calls(&mut run, "c30", 8, "192.168.178.31:50032");
    let id = c30.made("ws answer", "", None);
    c30.recv(b"GET /ch", Some(id));
    c30.recv(b"", Some(id));
    c30.run.fails(id, "invalid", "the stream ended after 7 bytes of a head", 8_000);
    c30.phase(Phase::Gone, Some(Ending::Reset), "the stream ended in the middle of the request");

    let mut c31 = calls(&mut run, "c31", 8, "192.168.178.31:50033");
    let (s, c) = ("192.168.178.20:8000", "192.168.178.31:50033");
    c31.run.socket(socket("server", "c31", 8).state("ESTABLISHED").local(s).peer(c).queues(188, 0).tcp());
    c31.answers(REQUEST, &MET, 101);
    c31.says(opcode::BINARY, &[0, 1, 2, 255]);
    c31.is_told(opcode::BINARY, &[0, 1, 2, 255]);
    c31.says(opcode::PING, b"");
    c31.says(opcode::TEXT, "三次握手之后，".repeat(40).as_bytes());
    let id = c31.made("ws recv", "", None);
    c31.recv(&[0x81, 0x05, b'h', b'e', b'l', b'l', b'o'], Some(id));
    c31.send(&[0x88, 2, 3, 0xea], Some(id));
    c31.run.add(What::Message(Message {
        host: Host::Server,
        socket: "c31".into(),
        received: true,
        kind: "violation".into(),
        data: Vec::new(),
        code: Some(1002),
        rule: Some("a client masks every frame".into()),
        section: Some("RFC 6455 §5.1".into()),
        level: Some("MUST".into()),
        offset: Some(1),
    }));
    c31.run.fails(
        id,
        "violation 1002",
        "a client masks every frame (RFC 6455 §5.1), at byte 1 of the frames",
        9_000,
    );
    c31.goes(Ending::Violation, "a rule was broken");

    run.prose("The class is full: 30 are there, and 30 are let in.");
    let mut c1 = again(&mut run, "c1", 5, "127.0.0.1:51234");
    let id = c1.made("ws send", "", None);
    let inner = c1.made("send", "sendto(5, …)", Some(id));
    c1.run.fails(inner, "EPIPE", "Broken pipe", 2_000);
    c1.message(false, "text", b"anybody there?", None);
    c1.run.fails(id, "EPIPE", "Broken pipe", 8_000);
    c1.says(opcode::CLOSE, &[&[3, 232][..], b"bye"].concat());
    (c1.received, c1.sent, c1.messages) = (234, 133, (1, 1));
    c1.goes(Ending::Closed, "closed in order");
    stops(&mut run);
    run.events
}

/// A table's worth of connections: some there, some gone.
pub(super) fn peers(many: u64) -> Vec<Peer> {
    let endings = [Ending::Closed, Ending::Refused, Ending::Page, Ending::Violation, Ending::Reset];
    let peer = |n: u64| {
        let gone = n.is_multiple_of(3);
        let open = n % 4 != 1;
        Peer {
            name: format!("c{n}"),
            address: format!("192.168.178.{}:{}", 100 + n % 100, 50_000 + n),
            phase: match (gone, open) {
                (true, _) => Phase::Gone,
                (_, true) => Phase::Open,
                _ => Phase::Connected,
            },
            state: (!gone).then(|| "ESTABLISHED".into()),
            received: 412 + 7 * n * n * n,
            sent: 129 + 7 * n * n * n,
            messages_received: if open { n * n } else { 0 },
            messages_sent: if open { n * n } else { 0 },
            end: gone.then(|| endings[usize::try_from(n / 3).unwrap() % endings.len()]),
            detail: String::new(),
        }
    };
    (1..=many).map(peer).collect()
}

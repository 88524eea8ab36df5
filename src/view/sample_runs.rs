//! Runs written by hand: what the tests of this folder look at.

use super::samples::{Made, Run, socket};
use crate::event::*;

const S: &str = "127.0.0.1:7000";
const C: &str = "127.0.0.1:43210";

fn socket_call(host: Host) -> Made {
    Made {
        host,
        call: "socket",
        on: None,
        args: &[("domain", "AF_INET"), ("type", "SOCK_STREAM"), ("protocol", "0")],
        ran: "Socket::new(Domain::IPV4, Type::STREAM, None)?",
        line: 22,
        c: "int s = socket(AF_INET, SOCK_STREAM, 0);",
        asked: "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP)",
    }
}

fn connect_call(fd: i64) -> Made {
    Made {
        host: Host::Client,
        call: "connect",
        on: Some(("c", fd)),
        args: &[("addr", "127.0.0.1:7000")],
        ran: "socket.connect(&address.into())?",
        line: 27,
        c: "connect(c, (struct sockaddr *) &addr, sizeof addr);",
        asked: "connect(4, {AF_INET, 7000, 127.0.0.1}, 16)",
    }
}

fn accept_call() -> Made {
    Made {
        host: Host::Server,
        call: "accept",
        on: Some(("s", 3)),
        args: &[],
        ran: "socket.accept()?",
        line: 24,
        c: "int conn = accept(s, (struct sockaddr *) &peer, &len);",
        asked: "accept4(3, …, SOCK_CLOEXEC)",
    }
}

/// The lesson on `listen`: refused, listening, a prediction, connected without accept, accepted.
pub(super) fn listen_lesson() -> Vec<Event> {
    let mut run = Run::default();
    run.lesson("listen", "a socket that waits for callers", 3, 8);
    run.part(1, "An address is not an ear", true);
    run.prose("`bind` gave the server's socket an address. Let somebody call it.");

    run.step(1, "server$ s = socket tcp");
    let id = run.call(socket_call(Host::Server));
    run.ok(id, Value::Socket { name: "s".into(), fd: 3, peer: None }, 11_300);
    run.socket(socket("server", "s", 3));

    run.step(2, "server$ bind s :7000");
    let id = run.call(Made {
        host: Host::Server,
        call: "bind",
        on: Some(("s", 3)),
        args: &[("addr", "127.0.0.1:7000")],
        ran: "socket.bind(&address.into())?",
        line: 29,
        c: "bind(s, (struct sockaddr *) &addr, sizeof addr);",
        asked: "bind(3, {AF_INET, 7000, 127.0.0.1}, 16)",
    });
    run.ok(id, Value::Done, 6_900);
    run.socket(socket("server", "s", 3).local(S));
    run.check("server.s CLOSED local=server:7000", Some(true), "");

    run.step(3, "client$ c = socket tcp");
    let id = run.call(socket_call(Host::Client));
    run.ok(id, Value::Socket { name: "c".into(), fd: 4, peer: None }, 9_800);
    run.socket(socket("client", "c", 4));

    run.step(4, "client$ connect c server:7000 => ECONNREFUSED");
    let id = run.call(connect_call(4));
    run.fails(id, "ECONNREFUSED", "Connection refused", 96_400);
    run.socket(socket("client", "c", 4).local("0.0.0.0:35576"));
    run.prose(
        "Refused is an answer, not silence: the server's kernel got the SYN, found no listening socket for port \
         7000, and said so with a RST.",
    );

    run.part(2, "One call, and the port has an ear", true);
    run.step(5, "server$ listen s 1");
    let id = run.call(Made {
        host: Host::Server,
        call: "listen",
        on: Some(("s", 3)),
        args: &[("backlog", "1")],
        ran: "socket.listen(backlog)?",
        line: 31,
        c: "listen(s, 1);",
        asked: "listen(3, 1)",
    });
    run.ok(id, Value::Done, 8_700);
    run.socket(socket("server", "s", 3).state("LISTEN").local(S).accept(0, 1));
    run.check("server.s LISTEN accept_queue=0 accept_limit=1", Some(true), "");
    run.prose(
        "Nothing was sent. `listen` changed what the kernel does with the *next* SYN for this port. While it \
         listens, this socket carries no byte itself.\n\n```outside\nss -ltn 'sport = :7000'\n```",
    );

    question(&mut run);
    run.step(6, "client$ connect c server:7000");
    let id = run.call(connect_call(4));
    run.ok(id, Value::Done, 71_000);
    connected(&mut run);
    run.check("client.c ESTABLISHED", Some(true), "");
    run.check("server.s accept_queue=1", Some(true), "");
    run.add(What::Answer(Answer {
        given: Some(0),
        right: 1,
        text: "It returns: the kernels shake hands without the program.".into(),
    }));

    run.part(3, "Who called?", true);
    run.step(7, "client$ send c \"hello\" => 5");
    let id = run.call(Made {
        host: Host::Client,
        call: "send",
        on: Some(("c", 4)),
        args: &[("data", "\"hello\""), ("flags", "0")],
        ran: "socket.send(data)?",
        line: 30,
        c: "send(c, \"hello\", 5, 0);",
        asked: "sendto(4, \"hello\", 5, MSG_NOSIGNAL, NULL, 0)",
    });
    run.ok(id, Value::Count(5), 18_000);
    run.socket(socket("server", "~client.c", -1).state("ESTABLISHED").local(S).peer(C).queues(5, 0));

    run.step(8, "server$ conn = accept s");
    let id = run.call(accept_call());
    run.ok(id, Value::Socket { name: "conn".into(), fd: 5, peer: Some(C.into()) }, 14_000);
    run.socket(socket("server", "s", 3).state("LISTEN").local(S).accept(0, 1));
    run.socket(socket("server", "~client.c", -1).gone());
    run.socket(socket("server", "conn", 5).state("ESTABLISHED").local(S).peer(C).queues(5, 0).tcp());
    run.check("server.conn ESTABLISHED recv_queue=5", Some(true), "");
    run.end(4, 0, 0);
    run.events
}

fn connected(run: &mut Run) {
    run.socket(socket("client", "c", 4).state("ESTABLISHED").local(C).peer(S).queues(0, 0).tcp());
    run.socket(socket("server", "~client.c", -1).state("ESTABLISHED").local(S).peer(C).queues(0, 0));
    run.socket(socket("server", "s", 3).state("LISTEN").local(S).accept(1, 1));
}

fn question(run: &mut Run) {
    run.add(What::Question(Question {
        text: "The server listens and will not call `accept`. What does the client's `connect` do?".into(),
        options: vec![
            "It waits until the server calls `accept`.".into(),
            "It returns: the kernels shake hands without the program.".into(),
            "It is refused.".into(),
        ],
    }));
}

/// A question alone, answered in the three ways.
pub(super) fn predictions() -> Vec<Event> {
    let mut run = Run::default();
    let right = "It returns: the kernels shake hands without the program.";
    for given in [Some(1), Some(2), None] {
        question(&mut run);
        run.add(What::Answer(Answer { given, right: 1, text: right.into() }));
    }
    run.events
}

/// A part that is only run, then an accept that waits in the background until a client connects.
pub(super) fn blocked_accept() -> Vec<Event> {
    let mut run = Run::default();
    run.lesson("block", "a call that waits", 2, 7);
    run.part(1, "Not shown", false);
    run.prose("This is not on the screen.");
    run.step(1, "server$ s = socket tcp");
    let id = run.call(socket_call(Host::Server));
    run.ok(id, Value::Socket { name: "s".into(), fd: 3, peer: None }, 11_300);
    run.socket(socket("server", "s", 3).state("LISTEN").local(S).accept(0, 4));
    run.socket(socket("client", "c", 4));
    run.check("server.s LISTEN", Some(true), "");

    run.part(2, "Waiting costs nothing", true);
    run.step(2, "server$ r = accept s &");
    let waiting = run.call_within(accept_call(), None, true);
    run.blocked(waiting, "a connection in the accept queue of s", KnownBy::Proc);
    run.prose("The thread sleeps in the kernel. It takes no time of the processor.");

    run.step(3, "client$ connect c server:7000");
    let id = run.call(connect_call(4));
    run.ok(id, Value::Done, 71_000);
    run.socket(socket("client", "c", 4).state("ESTABLISHED").local(C).peer(S).tcp());
    run.step(4, "server$ wait r => conn");
    run.ok(waiting, Value::Socket { name: "conn".into(), fd: 5, peer: Some(C.into()) }, 3_021_000_000);
    run.socket(socket("server", "conn", 5).state("ESTABLISHED").local(S).peer(C).tcp());

    run.step(5, "server$ recv conn 100");
    let id = run.call(recv_call());
    run.blocked(id, "data", KnownBy::Time);
    run.add(What::Return(Return {
        call: id,
        ok: None,
        errno: Some("EINTR".into()),
        error: Some("Interrupted system call".into()),
        ns: 1_000_300_000,
        deadline: true,
    }));
    run.step(6, "server$ recv conn 100 => \"hello\\n\"");
    let id = run.call(recv_call());
    run.ok(id, Value::Data(b"hello\n".to_vec()), 2_400);

    run.step(7, "server$ line = recv-until conn \"\\n\"");
    let whole = run.call(Made {
        host: Host::Server,
        call: "recv",
        on: Some(("conn", 5)),
        args: &[("until", "\"\\n\"")],
        ran: "until(socket, b\"\\n\")?",
        line: 61,
        c: "while (!memchr(buffer, '\\n', n)) n += recv(conn, buffer + n, 1, 0);",
        asked: "",
    });
    for (at, byte) in b"hello\n".iter().enumerate() {
        let id = run.call_within(recv_call(), Some(whole), false);
        run.ok(id, Value::Data(vec![*byte]), 1_200 + at as u64 * 300);
    }
    run.ok(whole, Value::Data(b"hello\n".to_vec()), 31_000);
    run.end(1, 0, 0);
    run.events
}

fn recv_call() -> Made {
    Made {
        host: Host::Server,
        call: "recv",
        on: Some(("conn", 5)),
        args: &[("length", "100"), ("flags", "0")],
        ran: "socket.recv(&mut buffer)?",
        line: 44,
        c: "n = recv(conn, buffer, 100, 0);",
        asked: "recvfrom(5, …, 100, 0, NULL, NULL)",
    }
}

/// The end of a connection: a failing check, one that can't be seen, TIME_WAIT, an option, what is gone.
pub(super) fn close_lesson() -> Vec<Event> {
    let mut run = Run::default();
    run.lesson("close", "who closes first", 1, 4);
    run.part(1, "Goodbye twice", true);
    connected(&mut run);
    run.step(1, "server$ setsockopt s SO_REUSEADDR 1");
    let id = run.call(Made {
        host: Host::Server,
        call: "setsockopt",
        on: Some(("s", 3)),
        args: &[("level", "SOL_SOCKET"), ("option", "SO_REUSEADDR"), ("value", "1")],
        ran: "socket.set_reuse_address(true)?",
        line: 18,
        c: "setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);",
        asked: "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4)",
    });
    run.ok(id, Value::Done, 900);
    run.socket(socket("server", "s", 3).state("LISTEN").local(S).accept(1, 1).option("SO_REUSEADDR", 1));
    run.step(2, "client$ close c");
    let id = run.call(Made {
        host: Host::Client,
        call: "close",
        on: Some(("c", 4)),
        args: &[],
        ran: "drop(socket)",
        line: 12,
        c: "close(c);",
        asked: "close(4)",
    });
    run.ok(id, Value::Done, 21_000);
    run.socket(socket("client", "c", -1).state("FIN_WAIT1").local(C).peer(S));
    run.socket(socket("client", "c", -1).state("FIN_WAIT2").local(C).peer(S));
    run.socket(socket("server", "~client.c", -1).state("CLOSE_WAIT").local(S).peer(C).queues(1, 0));
    run.check("client.c TIME_WAIT", Some(false), "FIN_WAIT2");
    run.check(
        "server.s unread=0",
        None,
        "this system does not count the bytes of a socket without a descriptor",
    );
    run.step(3, "server$ getsockopt s SO_REUSEADDR");
    let id = run.call(Made {
        host: Host::Server,
        call: "getsockopt",
        on: Some(("s", 3)),
        args: &[("level", "SOL_SOCKET"), ("option", "SO_REUSEADDR")],
        ran: "socket.reuse_address()?",
        line: 33,
        c: "getsockopt(s, SOL_SOCKET, SO_REUSEADDR, &value, &length);",
        asked: "getsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], [4])",
    });
    run.ok(id, Value::Number(1), 400);
    run.step(4, "server$ close s");
    let id = run.call(Made {
        host: Host::Server,
        call: "close",
        on: Some(("s", 3)),
        args: &[],
        ran: "drop(socket)",
        line: 12,
        c: "close(s);",
        asked: "close(3)",
    });
    run.ok(id, Value::Done, 13_000);
    run.socket(socket("client", "c", -1).state("TIME_WAIT").local(C).peer(S).time_wait(59_600));
    run.socket(socket("server", "~client.c", -1).gone());
    run.socket(socket("server", "s", -1).unsaid().gone());
    run.end(2, 1, 1);
    run.events
}

/// The upgrade: the accept key, the judged request, a masked frame, messages and a violation.
pub(super) fn upgrade_lesson() -> Vec<Event> {
    let mut run = Run::default();
    run.lesson("upgrade", "from HTTP to WebSocket", 1, 3);
    run.part(1, "The handshake", true);
    run.step(1, "server$ ws answer conn");
    run.add(What::Working(accept_key()));
    for (requirement, section, met, found, offset) in [
        ("GET, HTTP/1.1 or higher", "RFC 6455 §4.2.1 (1)", true, "GET /chat HTTP/1.1", Some(0)),
        ("a Host field", "RFC 6455 §4.2.1 (2)", true, "127.0.0.1:7000", Some(20)),
        ("Upgrade: websocket", "RFC 6455 §4.2.1 (3)", true, "websocket", Some(42)),
        ("Connection: upgrade", "RFC 6455 §4.2.1 (4)", true, "keep-alive, Upgrade", Some(62)),
        (
            "a Sec-WebSocket-Key of 16 bytes",
            "RFC 6455 §4.2.1 (5)",
            true,
            "dGhlIHNhbXBsZSBub25jZQ==",
            Some(95),
        ),
        ("Sec-WebSocket-Version: 13", "RFC 6455 §4.2.1 (6)", false, "8", Some(142)),
    ] {
        run.add(What::Upgrade(Requirement {
            host: Host::Server,
            socket: None,
            requirement: requirement.into(),
            section: section.into(),
            met,
            found: found.into(),
            offset,
        }));
    }
    run.step(2, "client$ ws frame c text \"hello\" mask 37fa213d");
    run.add(What::Working(masked_frame()));
    run.step(3, "client$ ws send w text \"hi\"");
    let said = |host, received, kind: &str, data: &[u8], code| Message {
        host,
        socket: "w".into(),
        received,
        kind: kind.into(),
        data: data.to_vec(),
        code,
        rule: None,
        section: None,
        level: None,
        offset: None,
    };
    run.add(What::Message(said(Host::Client, false, "text", b"hi", None)));
    run.add(What::Message(said(Host::Server, true, "text", b"hi", None)));
    run.add(What::Message(said(Host::Server, true, "binary", &[0, 1, 2, 255], None)));
    run.add(What::Message(said(Host::Server, false, "close", b"bye", Some(1000))));
    let id = run.call(Made {
        host: Host::Client,
        call: "recv",
        on: Some(("w", 4)),
        args: &[],
        ran: "websocket.read()?",
        line: 52,
        c: "",
        asked: "",
    });
    run.ok(id, Value::Close { code: 1000, reason: "bye".into() }, 4_000);
    run.add(What::Message(Message {
        rule: Some("a client must mask its frames".into()),
        section: Some("RFC 6455 §5.1".into()),
        level: Some("MUST".into()),
        offset: Some(1),
        ..said(Host::Server, true, "violation", b"", Some(1002))
    }));
    run.end(0, 0, 0);
    run.events
}

fn row(name: &str, value: &str, meaning: &str, bits: Option<(usize, usize)>, section: &str) -> Row {
    Row {
        name: name.into(),
        value: value.into(),
        meaning: meaning.into(),
        bits,
        section: (!section.is_empty()).then(|| section.into()),
    }
}

/// `Sec-WebSocket-Accept` out of the key, as RFC 6455 §4.2.2 works it out.
pub(super) fn accept_key() -> Working {
    Working {
        host: Host::Server,
        socket: None,
        title: "the accept key".into(),
        bytes: Vec::new(),
        rows: vec![
            row("the key", "dGhlIHNhbXBsZSBub25jZQ==", "as the client sent it", None, "RFC 6455 §4.2.2"),
            row(
                "with the GUID",
                "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
                "joined as text: the key is not decoded",
                None,
                "RFC 6455 §4.2.2",
            ),
            row(
                "its SHA-1",
                "b3 7a 4f 2c c0 62 4f 16 90 f6 46 06 cf 38 59 45 b2 be c4 ea",
                "20 bytes",
                None,
                "RFC 6455 §4.2.2",
            ),
            row("in base64", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sec-WebSocket-Accept", None, "RFC 6455 §4.2.2"),
        ],
    }
}

/// "hello", masked with 37fa213d, field by field.
pub(super) fn masked_frame() -> Working {
    let frame = "RFC 6455 §5.2";
    Working {
        host: Host::Client,
        socket: None,
        title: "the frame that carries \"hello\"".into(),
        bytes: vec![0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x5f, 0x9f, 0x4d, 0x51, 0x58],
        rows: vec![
            row("FIN", "1", "the last frame of its message", Some((0, 1)), frame),
            row("RSV1-3", "0", "no extension was agreed on", Some((1, 4)), frame),
            row("opcode", "0x1", "text", Some((4, 8)), frame),
            row("MASK", "1", "from a client, so it is masked", Some((8, 9)), frame),
            row("payload length", "5", "125 at most, so there is no extended length", Some((9, 16)), frame),
            row("masking key", "37 fa 21 3d", "new for every frame", Some((16, 48)), "RFC 6455 §5.3"),
            row(
                "payload",
                "\"hello\"",
                "each byte ⊕ its byte of the key: 5f ⊕ 37 = 68 h",
                Some((48, 88)),
                "RFC 6455 §5.3",
            ),
        ],
    }
}

/// Another system, IPv6, a backlog without Linux's one more, a state that the system does not say.
pub(super) fn elsewhere() -> Vec<Event> {
    const S6: &str = "[::1]:7000";
    const C6: &str = "[::1]:43210";
    let mut run = Run::default();
    run.lesson("listen", "a socket that waits for callers", 1, 1);
    if let What::Lesson(lesson) = &mut run.events[0].what {
        lesson.system = "macos".into();
    }
    run.part(1, "Elsewhere", true);
    let six = |mut described: Socket| {
        described.protocol = "tcp6".into();
        What::Socket(described)
    };
    run.add(six(socket("server", "s", 3).state("LISTEN").local(S6).accept(0, 128).build()));
    run.step(1, "client$ connect c server:7000");
    let id = run.call(connect_call(4));
    run.ok(id, Value::Done, 12_345_678);
    run.add(six(socket("client", "c", 4).state("SYN_SENT").local(C6).peer(S6).build()));
    run.add(six(socket("client", "c", 4).state("ESTABLISHED").local(C6).peer(S6).build()));
    run.add(six(socket("server", "~client.c", -1).unsaid().local(S6).peer(C6).build()));
    run.add(six(socket("server", "s", 3).state("LISTEN").local(S6).accept(1, 128).build()));
    run.check(
        "server~client.c ESTABLISHED",
        None,
        "only Linux tells the state of a socket without a descriptor",
    );
    run.add(What::End(End { checks: 1, failed: 0, not_seen: 1, left: true }));
    run.events
}

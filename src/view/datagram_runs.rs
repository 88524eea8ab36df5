//! A run with datagrams, written by hand: who sent them, what was lost of one, what the kernel threw away,
//! and a socket of ICMP.

use super::samples::{Made, Run, socket};
use crate::event::*;

const S: &str = "10.0.0.2:7000";
const C: &str = "10.0.0.1:40256";

fn recvfrom(c: &'static str, asked: &'static str, args: &'static [(&'static str, &'static str)]) -> Made {
    Made {
        host: Host::Server,
        call: "recvfrom",
        on: Some(("s", 3)),
        args,
        ran: "socket.recv_from(room)",
        line: 30,
        c,
        asked,
    }
}

/// Two datagrams, of which the second is empty; more than there is room for; and a ping.
pub(super) fn datagrams() -> Vec<Event> {
    let mut run = Run::default();
    run.lesson("udp", "datagrams, and nothing around them", 1, 4);
    run.part(1, "No connection", true);

    run.step(1, "client$ sendto c server:7000 \"hello\" => 5");
    let id = run.call(Made {
        host: Host::Client,
        call: "sendto",
        on: Some(("c", 3)),
        args: &[("bytes", "\"hello\" (5 bytes)"), ("address", S)],
        ran: "socket.send_to(bytes, &address)",
        line: 26,
        c: "sendto(c, \"hello\", 5, 0, &{AF_INET, htons(7000), 10.0.0.2}, sizeof addr);",
        asked: "sendto(3, \"hello\", 5, 0, {AF_INET, htons(7000), 10.0.0.2}, 16)",
    });
    run.ok(id, Value::Count(5), 41_000);
    run.socket(socket("client", "c", 3).speaks("udp").local("0.0.0.0:40256"));
    run.socket(socket("server", "s", 3).speaks("udp").local(S).queues(5, 0));
    run.check("client$ sendto c server:7000 \"hello\" => 5", Some(true), "");

    run.step(2, "server$ m = recvfrom s 4 MSG_TRUNC => 5");
    let id = run.call(recvfrom(
        "recvfrom(s, room, 4, MSG_TRUNC, &from, &len);",
        "recvfrom(3, …, 4, MSG_TRUNC, …)",
        &[("room", "4 bytes"), ("flags", "MSG_TRUNC")],
    ));
    run.ok(id, Value::Datagram { bytes: b"hell".to_vec(), length: 5, from: Some(C.into()) }, 4_100);
    run.socket(socket("server", "s", 3).speaks("udp").local(S).queues(0, 0).drops(2));

    run.step(3, "server$ recvfrom s 4 => 0");
    let id = run.call(recvfrom(
        "recvfrom(s, room, 4, 0, &from, &len);",
        "recvfrom(3, …, 4, 0, …)",
        &[("room", "4 bytes")],
    ));
    run.ok(id, Value::Datagram { bytes: Vec::new(), length: 0, from: Some(C.into()) }, 3_900);

    run.step(4, "client$ recvfrom p 100 => 13");
    let id = run.call(Made {
        host: Host::Client,
        call: "recvfrom",
        on: Some(("p", 4)),
        args: &[("room", "100 bytes")],
        ran: "socket.recv_from(room)",
        line: 30,
        c: "recvfrom(p, room, 100, 0, &from, &len);",
        asked: "recvfrom(4, …, 100, 0, …)",
    });
    let reply = b"\x00\x00\xde\xa5\xdd\x86\x00\x01hello".to_vec();
    run.ok(id, Value::Datagram { length: reply.len(), bytes: reply, from: Some("10.0.0.2:0".into()) }, 5_000);
    run.socket(socket("client", "p", 4).speaks("icmp").local("0.0.0.0:56710"));
    run.end(1, 0, 0);
    run.events
}

//! A run on the cable written by hand, with a frame for each fate: what the tests of this folder look at.

use std::net::SocketAddr;

use super::samples::{Made, Run};
use crate::event::*;
use crate::wire::{
    frame::build,
    tcp::{Flags, Header, TcpOption},
};

const CONNECT: Made = Made {
    host: Host::Client,
    call: "connect",
    on: Some(("c", 3)),
    args: &[("address", "10.0.0.2:7000")],
    ran: "socket.connect(&address)",
    line: 19,
    c: "connect(c, &{AF_INET, htons(7000), 10.0.0.2}, sizeof addr);",
    asked: "connect(3, {AF_INET, htons(7000), 10.0.0.2}, 16)",
};

const SEND: Made = Made {
    host: Host::Client,
    call: "send",
    on: Some(("c", 3)),
    args: &[("bytes", "\"hello\" (5 bytes)")],
    ran: "socket.send(bytes)",
    line: 18,
    c: "send(c, \"hello\", 5, 0);",
    asked: "sendto(3, \"hello\", 5, 0, NULL, 0)",
};

/// What a segment says, from whom, and what it carries.
fn segment(from: Host, flags: Flags, sequence: u32, acknowledgment: u32, payload: &[u8]) -> Vec<u8> {
    let client: SocketAddr = "10.0.0.1:40000".parse().unwrap();
    let server: SocketAddr = "10.0.0.2:7000".parse().unwrap();
    let syn = [
        TcpOption::MaximumSegmentSize(1460),
        TcpOption::SackPermitted,
        TcpOption::Timestamps { value: 1000, echo: 0 },
        TcpOption::NoOperation,
        TcpOption::WindowScale(10),
    ];
    let header = Header {
        sequence,
        acknowledgment,
        flags,
        window: if flags.contains(Flags::SYN) { 64_240 } else { 63 },
        options: if flags.contains(Flags::SYN) { &syn } else { &[] },
        ..Header::new(0, 0)
    };
    match from {
        Host::Client => build::tcp(client, server, &header, payload),
        Host::Server => build::tcp(server, client, &header, payload),
    }
}

/// A frame comes to the cable, and at once something becomes of it.
fn frame(run: &mut Run, number: u64, from: Host, bytes: Vec<u8>, why: (Cause, Option<u64>), fate: Became) {
    let ns = run.events.len() as u64 * 137_000;
    let again = (why.0 == Cause::Retransmission).then_some(number - 1);
    run.add(What::Frame(Frame { number, from, ns, bytes, cause: why.0, call: why.1, again }));
    became(run, number, fate);
}

fn became(run: &mut Run, frame: u64, fate: Became) {
    let ns = run.events.len() as u64 * 137_000;
    let bit = (fate == Became::Corrupted).then_some(471);
    run.add(What::Fate(Fate { frame, ns, fate, delay_us: None, bit }));
}

/// A SYN is held, then delivered; the data of a `send` are dropped, and said again.
pub(super) fn on_the_cable() -> Vec<Event> {
    let (client, server) = (Host::Client, Host::Server);
    let (syn, ack, push) = (Flags::SYN, Flags::ACK, Flags::PSH);
    let mut run = Run::default();
    run.lesson("hand", "a frame at a time", 1, 4);
    if let Some(Event { what: What::Lesson(lesson), .. }) = run.events.last_mut() {
        lesson.stage = "cable".into();
        lesson.started = Some(1_700_000_000_000_000_000);
    }
    run.part(1, "One", true).step(1, "client$ r = connect c server:7000 &");
    let connect = run.call_within(CONNECT, None, true);
    run.blocked(connect, "the other side's SYN,ACK", KnownBy::Proc);
    frame(&mut run, 1, client, segment(client, syn, 100, 0, b""), (Cause::Call, Some(connect)), Became::Held);
    run.step(2, "wire$ deliver SYN");
    run.add(What::Wire(Wire { action: "deliver".into(), frames: vec![1], failed: None }));
    became(&mut run, 1, Became::Delivered);
    let answer = segment(server, syn | ack, 900, 101, b"");
    frame(&mut run, 2, server, answer, (Cause::Answer, None), Became::Delivered);
    let third = segment(client, ack, 101, 901, b"");
    frame(&mut run, 3, client, third, (Cause::Acknowledgment, None), Became::Delivered);
    run.ok(connect, Value::Done, 800_000);
    run.step(3, "client$ send c \"hello\"");
    let send = run.call(SEND);
    run.ok(send, Value::Count(5), 18_000);
    let data = segment(client, push | ack, 101, 901, b"hello");
    frame(&mut run, 4, client, data.clone(), (Cause::Call, Some(send)), Became::Dropped);
    frame(&mut run, 5, client, data, (Cause::Retransmission, Some(send)), Became::Corrupted);
    run.step(4, "client$ wait r => ok").check("client$ wait r => ok", Some(true), "");
    run.end(1, 0, 0);
    run.events
}

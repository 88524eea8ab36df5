//! Runs on a cable, written by hand from real frames: what the tests of this folder look at.

use super::samples::{Made, Run, socket};
use crate::event::*;
use crate::wire::{
    frame::build,
    tcp::{Flags, Header, TcpOption},
};

const S: &str = "10.0.0.2:7000";
const C: &str = "10.0.0.1:43210";
const MS: u64 = 1_000_000;

/// A run with a clock of its own, in microseconds, and frames.
#[derive(Default)]
struct Cable {
    run: Run,
    now: u64,
    frames: u64,
}

/// Numbers that both sides began with.
const CLIENT_FIRST: u32 = 3_000;
const SERVER_FIRST: u32 = 900_000;

impl Cable {
    /// Lets time go by; what is added since the last time happened now.
    fn later(&mut self, us: u64) -> &mut Run {
        self.now += us;
        &mut self.run
    }

    /// Adds what `what` adds, now.
    fn tell(&mut self, us: u64, what: impl FnOnce(&mut Run)) {
        let before = self.run.events.len();
        what(self.later(us));
        let now = self.now;
        for (at, event) in self.run.events[before..].iter_mut().enumerate() {
            event.at = now + at as u64 * 8;
        }
        self.now = self.run.events.last().map_or(now, |event| event.at);
    }

    fn lesson(&mut self, name: &str, title: &str, parts: usize, steps: usize) {
        self.tell(0, |run| {
            run.lesson(name, title, parts, steps);
            if let Some(Event { what: What::Lesson(lesson), .. }) = run.events.last_mut() {
                lesson.stage = "cable".into();
            }
        });
    }

    fn step(&mut self, number: usize, text: &str) {
        self.tell(300, |run| {
            run.step(number, text);
        });
    }

    /// A call on a socket that returns at once.
    fn call(&mut self, host: Host, call: &'static str, on: Option<(&'static str, i64)>, gives: Value) {
        self.tell(60, |run| {
            let id = run.call(made(host, call, on));
            run.ok(id, gives, 9_000);
        });
    }

    /// A segment, numbers counted from the SYN of each side; gives its number.
    fn frame(
        &mut self,
        from: Host,
        flags: Flags,
        (sequence, acknowledgment): (u32, u32),
        payload: &[u8],
    ) -> u64 {
        self.frame_again(from, flags, (sequence, acknowledgment), payload, None)
    }

    fn frame_again(
        &mut self,
        from: Host,
        flags: Flags,
        (sequence, acknowledgment): (u32, u32),
        payload: &[u8],
        again: Option<u64>,
    ) -> u64 {
        let (client, server) = (C.parse().unwrap(), S.parse().unwrap());
        let (source, destination, own, other) = match from {
            Host::Client => (client, server, CLIENT_FIRST, SERVER_FIRST),
            Host::Server => (server, client, SERVER_FIRST, CLIENT_FIRST),
        };
        let options = [TcpOption::MaximumSegmentSize(1460)];
        let header = Header {
            sequence: own + sequence,
            acknowledgment: if flags.contains(Flags::ACK) { other + acknowledgment } else { 0 },
            flags,
            window: 64_240,
            options: if flags.contains(Flags::SYN) { &options } else { &[] },
            ..Header::new(0, 0)
        };
        self.frames += 1;
        let (number, ns) = (self.frames, self.now * 1000 + 20_000);
        let bytes = build::tcp(source, destination, &header, payload);
        let cause = if again.is_some() { Cause::Retransmission } else { Cause::Call };
        self.tell(20, |run| {
            run.add(What::Frame(Frame { number, from, ns, bytes, cause, call: None, again }));
        });
        number
    }

    fn fate(&mut self, frame: u64, fate: Became) {
        self.fate_with(frame, fate, None, None);
    }

    fn fate_with(&mut self, frame: u64, fate: Became, delay_us: Option<u64>, bit: Option<u64>) {
        let ns = self.now * 1000 + 30_000;
        self.tell(30, |run| {
            run.add(What::Fate(Fate { frame, ns, fate, delay_us, bit }));
        });
    }

    /// A frame that crosses at once.
    fn crosses(&mut self, from: Host, flags: Flags, numbers: (u32, u32), payload: &[u8]) {
        let frame = self.frame(from, flags, numbers, payload);
        self.fate(frame, Became::Delivered);
    }

    fn wire(&mut self, action: &str, frames: &[u64]) {
        self.tell(20, |run| {
            run.add(What::Wire(Wire { action: action.into(), frames: frames.to_vec(), failed: None }));
        });
    }

    /// The state of a socket, as the observer reads it.
    fn state(&mut self, host: &str, name: &str, fd: i64, state: &str) {
        let (local, peer) = if host == "client" { (C, S) } else { (S, C) };
        self.tell(150, |run| {
            let described = socket(host, name, fd).state(state).local(local);
            run.socket(match state {
                "gone" => described.gone(),
                "LISTEN" => described.accept(0, 4),
                "SYN_SENT" => described,
                _ => described.peer(peer),
            });
        });
    }

    fn check(&mut self, text: &str) {
        self.tell(200, |run| {
            run.check(text, Some(true), "");
        });
    }
}

fn made(host: Host, call: &'static str, on: Option<(&'static str, i64)>) -> Made {
    Made { host, call, on, args: &[], ran: "socket.call()?", line: 20, c: "call();", asked: "call(3)" }
}

fn given(name: &str, fd: i64) -> Value {
    Value::Socket { name: name.into(), fd, peer: None }
}

/// A whole life on the cable: a held handshake, bytes that are dropped, lost, slow, doubled and broken, and
/// the end.
pub(super) fn cable_lesson() -> Vec<Event> {
    let mut it = Cable::default();
    let (psh, fin) = (Flags::PSH | Flags::ACK, Flags::FIN | Flags::ACK);
    it.lesson("segments", "what a cable can do to a segment", 3, 19);
    it.tell(0, |run| {
        run.part(1, "Three segments", true);
        run.prose("Nothing of this is in the ladder.");
    });

    it.step(1, "server$ s = socket tcp");
    it.call(Host::Server, "socket", None, given("s", 3));
    it.tell(200, |run| {
        run.socket(socket("server", "s", 3));
    });
    it.step(2, "server$ listen s 4");
    it.call(Host::Server, "listen", Some(("s", 3)), Value::Done);
    it.state("server", "s", 3, "LISTEN");
    it.step(3, "client$ c = socket tcp");
    it.call(Host::Client, "socket", None, given("c", 3));
    it.tell(200, |run| {
        run.socket(socket("client", "c", 3));
        run.add(What::Setting(Setting {
            host: Host::Client,
            name: "net.ipv4.tcp_syn_retries".into(),
            before: Some("6".into()),
            value: "127".into(),
            failed: None,
        }));
    });
    it.step(4, "wire$ hold");
    it.wire("hold", &[]);

    it.step(5, "client$ r = connect c server:7000 &");
    let mut connect = 0;
    it.tell(60, |run| {
        connect = run.call_within(made(Host::Client, "connect", Some(("c", 3))), None, true);
    });
    let syn = it.frame(Host::Client, Flags::SYN, (0, 0), b"");
    it.tell(40, |run| {
        run.blocked(connect, "the other side's SYN,ACK", KnownBy::Proc);
    });
    it.state("client", "c", 3, "SYN_SENT");
    it.fate(syn, Became::Held);
    it.check("client.c SYN_SENT");
    it.step(6, "check wire client>server SYN again");
    for after in [1020, 1030, 1010, 1040] {
        it.now += after * 1000;
        let again = it.frame_again(Host::Client, Flags::SYN, (0, 0), b"", Some(syn));
        it.fate(again, Became::Dropped);
    }
    it.check("wire client>server SYN again");
    it.step(7, "wire$ deliver SYN");
    it.wire("deliver", &[syn]);
    it.fate(syn, Became::Delivered);
    let answer = it.frame(Host::Server, Flags::SYN | Flags::ACK, (0, 1), b"");
    it.fate(answer, Became::Held);
    it.state("server", "~client.c", -1, "SYN_RECV");
    it.step(8, "wire$ mend");
    it.wire("mend", &[]);
    it.fate(answer, Became::Delivered);
    it.crosses(Host::Client, Flags::ACK, (1, 1), b"");
    it.tell(20, |run| {
        run.ok(connect, Value::Done, 4_100 * MS);
    });
    it.state("client", "c", 3, "ESTABLISHED");
    it.state("server", "~client.c", -1, "ESTABLISHED");
    it.check("client.c ESTABLISHED");
    it.step(9, "server$ conn = accept s");
    it.call(Host::Server, "accept", Some(("s", 3)), given("conn", 4));
    it.state("server", "conn", 4, "ESTABLISHED");

    it.tell(100, |run| {
        run.part(2, "What can happen on the way", true);
    });
    it.step(10, "wire$ cut");
    it.wire("cut", &[]);
    it.step(11, "client$ send c \"hello\"");
    it.call(Host::Client, "send", Some(("c", 3)), Value::Count(5));
    let lost = it.frame(Host::Client, psh, (1, 1), b"hello");
    it.fate(lost, Became::Lost);
    for after in [205, 410] {
        it.now += after * 1000;
        let again = it.frame_again(Host::Client, psh, (1, 1), b"hello", Some(lost));
        it.fate(again, Became::Lost);
    }
    it.step(12, "server$ recv conn 100");
    let mut recv = 0;
    it.tell(60, |run| {
        recv = run.call(made(Host::Server, "recv", Some(("conn", 4))));
        run.blocked(recv, "bytes, or the end of the stream", KnownBy::Proc);
    });
    it.now += 820_000;
    let again = it.frame_again(Host::Client, psh, (1, 1), b"hello", Some(lost));
    it.fate(again, Became::Delivered);
    it.tell(40, |run| {
        run.ok(recv, Value::Data(b"hello".to_vec()), 821 * MS);
    });
    it.crosses(Host::Server, Flags::ACK, (1, 6), b"");
    it.step(13, "server$ send conn \"good morning\"");
    it.call(Host::Server, "send", Some(("conn", 4)), Value::Count(12));
    let slow = it.frame(Host::Server, psh, (1, 6), b"good morning");
    it.fate_with(slow, Became::Delayed, Some(80_000), None);
    it.now += 80_000;
    it.fate(slow, Became::Delivered);
    it.crosses(Host::Client, Flags::ACK, (6, 13), b"");
    it.step(14, "client$ recv c 100");
    it.call(Host::Client, "recv", Some(("c", 3)), Value::Data(b"good morning".to_vec()));
    it.step(15, "wire$ duplicate");
    let double = it.frame(Host::Client, psh, (6, 13), b"twice");
    it.fate(double, Became::Duplicated);
    it.step(16, "wire$ corrupt");
    let broken = it.frame(Host::Client, psh, (11, 13), b"wrong");
    it.fate_with(broken, Became::Corrupted, None, Some(437));
    let dropped = it.frame(Host::Server, Flags::ACK, (13, 11), b"");
    it.fate(dropped, Became::Dropped);

    it.tell(100, |run| {
        run.part(3, "Both ends say goodbye", true);
    });
    it.step(17, "client$ close c");
    it.call(Host::Client, "close", Some(("c", 3)), Value::Done);
    it.crosses(Host::Client, fin, (16, 13), b"");
    it.state("client", "c", -1, "FIN_WAIT1");
    it.state("server", "conn", 4, "CLOSE_WAIT");
    it.tell(100, |run| {
        run.check("client.c FIN_WAIT2", Some(false), "FIN_WAIT1");
    });
    it.step(18, "server$ close conn");
    it.call(Host::Server, "close", Some(("conn", 4)), Value::Done);
    it.crosses(Host::Server, fin, (13, 17), b"");
    it.state("server", "conn", -1, "LAST_ACK");
    it.crosses(Host::Client, Flags::ACK, (17, 14), b"");
    it.state("client", "c", -1, "TIME_WAIT");
    it.state("server", "conn", -1, "gone");
    it.step(19, "client$ connect d server:9 => ECONNREFUSED");
    it.tell(60, |run| {
        let id = run.call(made(Host::Client, "connect", Some(("d", 5))));
        run.fails(id, "ECONNREFUSED", "Connection refused", 96_400);
        run.end(5, 1, 0);
    });
    it.run.events
}

/// More frames in a step than are shown one by one.
pub(super) fn many_frames() -> Vec<Event> {
    let mut it = Cable::default();
    it.lesson("many", "many frames", 1, 1);
    it.tell(0, |run| {
        run.part(1, "A long text", true);
    });
    it.step(1, "client$ send c a 60,000");
    it.call(Host::Client, "send", Some(("c", 3)), Value::Count(60_000));
    it.crosses(Host::Client, Flags::SYN, (0, 0), b"");
    for at in 0..20 {
        it.crosses(Host::Client, Flags::PSH | Flags::ACK, (1 + at * 1448, 1), &[b'a'; 1448]);
        it.crosses(Host::Server, Flags::ACK, (1, 1 + (at + 1) * 1448), b"");
    }
    it.run.events
}

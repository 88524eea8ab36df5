//! For writing runs by hand, as the program would have recorded them.

use crate::event::*;

/// Events one after another, each a little later.
#[derive(Default)]
pub(super) struct Run {
    pub(super) events: Vec<Event>,
    next_call: u64,
}

/// A socket to be described.
pub(super) struct Described(Socket);

pub(super) fn socket(host: &str, name: &str, fd: i64) -> Described {
    Described(Socket {
        host: if host == "client" { Host::Client } else { Host::Server },
        name: name.into(),
        fd: (fd >= 0).then_some(fd),
        protocol: "tcp".into(),
        exists: true,
        local: None,
        peer: None,
        state: Some("CLOSED".into()),
        recv_queue: None,
        send_queue: None,
        accept_queue: None,
        accept_limit: None,
        drops: None,
        time_wait_ms: None,
        tcp: None,
        options: Vec::new(),
    })
}

impl Described {
    pub(super) fn state(mut self, state: &str) -> Self {
        self.0.state = Some(state.into());
        self
    }
    pub(super) fn unsaid(mut self) -> Self {
        self.0.state = None;
        self
    }
    pub(super) fn local(mut self, local: &str) -> Self {
        self.0.local = Some(local.into());
        self
    }
    pub(super) fn peer(mut self, peer: &str) -> Self {
        self.0.peer = Some(peer.into());
        self
    }
    pub(super) fn accept(mut self, waiting: u64, limit: u64) -> Self {
        (self.0.accept_queue, self.0.accept_limit) = (Some(waiting), Some(limit));
        self
    }
    pub(super) fn queues(mut self, recv: u64, send: u64) -> Self {
        (self.0.recv_queue, self.0.send_queue) = (Some(recv), Some(send));
        self
    }
    /// Another protocol than TCP: it has no states.
    pub(super) fn speaks(mut self, protocol: &str) -> Self {
        (self.0.protocol, self.0.state) = (protocol.into(), None);
        self
    }
    pub(super) fn drops(mut self, drops: u64) -> Self {
        self.0.drops = Some(drops);
        self
    }
    pub(super) fn option(mut self, name: &str, value: i64) -> Self {
        self.0.options.push(SocketOption { name: name.into(), value });
        self
    }
    pub(super) fn time_wait(mut self, ms: u64) -> Self {
        self.0.time_wait_ms = Some(ms);
        self
    }
    pub(super) fn tcp(mut self) -> Self {
        let negotiated = ["timestamps", "sack", "window scale"].map(String::from).to_vec();
        self.0.tcp = Some(TcpInfo { rtt_us: 34, cwnd: 10, mss: 65_483, retransmits: 0, negotiated });
        self
    }
    pub(super) fn gone(mut self) -> Self {
        self.0.exists = false;
        self
    }
    pub(super) fn build(self) -> Socket {
        self.0
    }
}

/// A call: host, name, socket and descriptor, arguments, the Rust line with its place, the C line, what is
/// asked.
pub(super) struct Made {
    pub(super) host: Host,
    pub(super) call: &'static str,
    pub(super) on: Option<(&'static str, i64)>,
    pub(super) args: &'static [(&'static str, &'static str)],
    pub(super) ran: &'static str,
    pub(super) line: u32,
    pub(super) c: &'static str,
    pub(super) asked: &'static str,
}

impl Run {
    pub(super) fn add(&mut self, what: What) -> &mut Self {
        let at = self.events.len() as u64 * 137;
        self.events.push(Event { at, what });
        self
    }

    pub(super) fn lesson(&mut self, name: &str, title: &str, parts: usize, steps: usize) -> &mut Self {
        self.add(What::Lesson(Lesson {
            format: FORMAT,
            sockwalk: "0.1.0".into(),
            system: "linux".into(),
            name: name.into(),
            title: title.into(),
            language: "en".into(),
            stage: "loopback".into(),
            parts,
            steps,
            started: None,
            sources: ["listen(2)", "accept(2)", "tcp(7)", "RFC 9293 §3.3.2, §3.10.7"]
                .map(String::from)
                .to_vec(),
        }))
    }

    /// A live run: one step after another, and nobody knows how many.
    pub(super) fn live(&mut self, name: &str, title: &str) -> &mut Self {
        self.lesson(name, title, 1, 0);
        if let Some(Event { what: What::Lesson(lesson), .. }) = self.events.last_mut() {
            lesson.stage = "live".into();
            lesson.sources.clear();
        }
        self
    }

    pub(super) fn part(&mut self, number: usize, title: &str, shown: bool) -> &mut Self {
        self.add(What::Part(Part { number, title: title.into(), shown }))
    }

    pub(super) fn step(&mut self, number: usize, text: &str) -> &mut Self {
        self.add(What::Step(Step { number, line: 10 + number, text: text.into(), brief: false }))
    }

    /// A step that prepares what was asked for.
    pub(super) fn brief(&mut self, number: usize, text: &str) -> &mut Self {
        self.add(What::Step(Step { number, line: 1, text: text.into(), brief: true }))
    }

    pub(super) fn prose(&mut self, markdown: &str) -> &mut Self {
        self.add(What::Narration { markdown: markdown.into() })
    }

    /// Makes a call and gives its id.
    pub(super) fn call(&mut self, made: Made) -> u64 {
        self.call_within(made, None, false)
    }

    pub(super) fn call_within(&mut self, made: Made, parent: Option<u64>, background: bool) -> u64 {
        self.next_call += 1;
        let id = self.next_call;
        self.add(What::Call(Call {
            id,
            host: made.host,
            call: made.call.into(),
            socket: made.on.map(|(name, _)| name.into()),
            fd: made.on.map(|(_, fd)| fd),
            args: made.args.iter().map(|(n, v)| Arg { name: (*n).into(), value: (*v).into() }).collect(),
            source: Source {
                text: made.ran.into(),
                file: format!("src/call/{}.rs", made.call),
                line: made.line,
            },
            c: made.c.into(),
            asked: made.asked.into(),
            syscalls: vec![made.call.into()],
            parent,
            background,
        }));
        id
    }

    pub(super) fn ok(&mut self, call: u64, value: Value, ns: u64) -> &mut Self {
        let back = Return { call, ok: Some(value), errno: None, error: None, ns, deadline: false };
        self.add(What::Return(back))
    }

    pub(super) fn fails(&mut self, call: u64, errno: &str, error: &str, ns: u64) -> &mut Self {
        self.add(What::Return(Return {
            call,
            ok: None,
            errno: Some(errno.into()),
            error: Some(error.into()),
            ns,
            deadline: false,
        }))
    }

    pub(super) fn blocked(&mut self, call: u64, waits_for: &str, known_by: KnownBy) -> &mut Self {
        self.add(What::Blocked(Blocked { call, waits_for: waits_for.into(), known_by }))
    }

    pub(super) fn socket(&mut self, described: Described) -> &mut Self {
        self.add(What::Socket(described.build()))
    }

    pub(super) fn check(&mut self, text: &str, holds: Option<bool>, observed: &str) -> &mut Self {
        self.add(What::Check(Check { text: text.into(), line: 31, holds, observed: observed.into() }))
    }

    pub(super) fn end(&mut self, checks: usize, failed: usize, not_seen: usize) -> &mut Self {
        self.add(What::End(End { checks, failed, not_seen, left: false }))
    }
}

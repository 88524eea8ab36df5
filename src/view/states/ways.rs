//! Which sockets there are, where each is, by which ways it came there, and what moved it.

use super::diagram::Place;
use super::graph::{Cause, State, path};
use crate::event::{Call, Host, Socket};
use crate::view::crossing::Crossing;
use crate::wire::tcp::Flags;

/// Frames and calls that are remembered, to find causes among them.
const REMEMBERED: usize = 2000;

/// A socket on its way.
#[derive(Debug, Clone)]
struct Traveller {
    now: Socket,
    state: State,
    taken: Vec<(State, State)>,
    /// Its state when the last step was over.
    settled: State,
    /// The states that it was seen in since then.
    seen: Vec<State>,
    /// It has changed since then.
    changed: bool,
}

/// A change of state, and why.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub host: Host,
    pub name: String,
    pub from: State,
    pub to: State,
    /// `connect`, `#2 SYN,ACK seq 0 ack 1 came`
    pub why: String,
    /// False if the state was passed so fast that nobody saw it.
    pub seen: bool,
}

/// All sockets of a lesson, with what may have moved them.
#[derive(Debug, Default)]
pub(super) struct Ways {
    all: Vec<Traveller>,
    calls: Vec<(Host, Option<String>, String)>,
    came: Vec<Crossing>,
    /// The last that changed.
    focus: Option<(Host, String)>,
}

impl Ways {
    /// A call is made.
    pub fn call(&mut self, call: &Call) {
        forget(&mut self.calls);
        self.calls.push((call.host, call.socket.clone(), call.call.clone()));
    }

    /// Frames have crossed.
    pub fn crossed(&mut self, frames: Vec<Crossing>) {
        for frame in frames {
            forget(&mut self.came);
            self.came.push(frame);
        }
    }

    /// The kernel says something of a socket.
    pub fn take(&mut self, now: &Socket) {
        let itself = now.name.starts_with('~') && now.local.is_some() && now.local == now.peer;
        if itself || now.protocol.starts_with("udp") {
            return;
        }
        let state = match now.state.as_deref().and_then(State::of) {
            _ if !now.exists => State::Closed,
            Some(state) => state,
            None => return,
        };
        let known = self.all.iter_mut().find(|one| one.now.host == now.host && one.now.name == now.name);
        match known {
            Some(one)
                if one.now.exists && (now.fd.is_none() || one.now.fd.is_none() || one.now.fd == now.fd) =>
            {
                if one.state != state || !now.exists {
                    one.changed |= one.state != state;
                    one.seen.push(state);
                }
                one.state = state;
                let addresses = (one.now.local.clone(), one.now.peer.clone());
                one.now = now.clone();
                // What is gone is still known by its addresses.
                one.now.local = one.now.local.take().or(addresses.0);
                one.now.peer = one.now.peer.take().or(addresses.1);
            }
            _ if !now.exists => {}
            _ => {
                self.all.retain(|one| one.now.host != now.host || one.now.name != now.name);
                self.begin(now, state);
            }
        }
    }

    /// A socket is there that was not: `accept` may have given a name to one that was.
    fn begin(&mut self, now: &Socket, state: State) {
        let is = |old: &Traveller| {
            old.now.name.starts_with('~')
                && now.peer.is_some()
                && old.now.host == now.host
                && (&old.now.local, &old.now.peer) == (&now.local, &now.peer)
        };
        if now.fd.is_some()
            && let Some(old) = self.all.iter_mut().find(|old| is(old))
        {
            let renamed = (old.now.host, old.now.name.clone());
            if self.focus.as_ref() == Some(&renamed) {
                self.focus = Some((now.host, now.name.clone()));
            }
            old.now = now.clone();
            old.changed |= old.state != state;
            old.seen.push(state);
            old.state = state;
            return;
        }
        // A second descriptor of a socket has come by the same ways.
        let twin = self.all.iter().find(|old| {
            now.peer.is_some()
                && old.now.exists
                && old.now.host == now.host
                && (&old.now.local, &old.now.peer) == (&now.local, &now.peer)
        });
        if let Some(twin) = twin.cloned() {
            let changed = state != twin.state;
            self.all.push(Traveller {
                now: now.clone(),
                state,
                settled: twin.state,
                seen: vec![state],
                changed,
                ..twin
            });
            return;
        }
        // Who calls a listener is there from its LISTEN on.
        let settled = if now.name.starts_with('~') || now.peer.is_some() && now.host == Host::Server {
            State::Listen
        } else {
            State::Closed
        };
        let changed = state != settled;
        let one =
            Traveller { now: now.clone(), state, taken: Vec::new(), settled, seen: vec![state], changed };
        self.all.push(one);
    }

    /// The changes since this was asked last.
    pub fn changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        for at in 0..self.all.len() {
            let one = self.all[at].clone();
            let mut from = one.settled;
            if one.changed {
                for to in one.seen.iter().copied().filter(|to| *to != from).collect::<Vec<_>>() {
                    if to == from {
                        continue;
                    }
                    let more = self.between(&one.now, from, to);
                    self.all[at].taken.extend(more.iter().map(|change| (change.from, change.to)));
                    changes.extend(more);
                    from = to;
                }
                // A listener is in every picture; what it listens for is the question.
                if one.state != State::Listen || self.focus.is_none() {
                    self.focus = Some((one.now.host, one.now.name.clone()));
                }
            }
            let one = &mut self.all[at];
            (one.settled, one.changed) = (one.state, false);
            one.seen.clear();
        }
        changes
    }

    /// The ways from one state to another, each with its cause.
    fn between(&self, socket: &Socket, from: State, to: State) -> Vec<Change> {
        let change = |from, to, why, seen| Change {
            host: socket.host,
            name: socket.name.clone(),
            from,
            to,
            why,
            seen,
        };
        if to == State::Closed
            && !matches!(from, State::TimeWait | State::LastAck)
            && let Some(reset) = self.reset(socket)
        {
            return vec![change(from, to, reset, true)];
        }
        match path(from, to) {
            Some(ways) => {
                let last = ways.len() - 1;
                let one = |(at, way): (usize, &super::graph::Way)| {
                    change(way.from, way.to, self.why(socket, way.cause), at == last)
                };
                ways.iter().enumerate().map(one).collect()
            }
            None => vec![change(from, to, "no way of the diagram".into(), true)],
        }
    }

    fn why(&self, socket: &Socket, cause: Cause) -> String {
        match cause {
            Cause::Time => "its time is over".into(),
            Cause::Call(names) => {
                let is = |(host, name, call): &&(Host, Option<String>, String)| {
                    let same = name.as_deref().is_none_or(|name| name == socket.name);
                    *host == socket.host && same && names.contains(&call.as_str())
                };
                match self.calls.iter().rev().find(is) {
                    Some((_, _, call)) => call.clone(),
                    None => names.first().map(|name| format!("{name} (call not seen)")).unwrap_or_default(),
                }
            }
            Cause::Came(flags, name) => {
                let is = |frame: &&Crossing| {
                    let syn = frame.segment.as_ref().is_some_and(|it| it.flags.contains(Flags::SYN));
                    arrived(frame, socket, flags) && (flags != Flags::ACK || !syn)
                };
                match self.came.iter().rev().find(is) {
                    Some(frame) => format!("#{} {} came", frame.number, frame.label),
                    None => format!("{name} came (frame not seen)"),
                }
            }
        }
    }

    /// A RST that came to this socket, or went out from it.
    fn reset(&self, socket: &Socket) -> Option<String> {
        let is = |frame: &&Crossing| arrived(frame, socket, Flags::RST) || left(frame, socket, Flags::RST);
        let frame = self.came.iter().rev().find(is)?;
        let way = if frame.from == socket.host { "sent" } else { "came" };
        Some(format!("#{} {} {way}", frame.number, frame.label))
    }

    /// The socket that changed last, and the other end of its connection.
    fn in_question(&self) -> Vec<&Traveller> {
        let Some((host, name)) = &self.focus else { return Vec::new() };
        let Some(one) = self.all.iter().find(|one| one.now.host == *host && one.now.name == *name) else {
            return Vec::new();
        };
        let others = self.all.iter().filter(|other| other.now.host != one.now.host);
        let mut both: Vec<&Traveller> = others.filter(|other| are_ends(&one.now, &other.now)).collect();
        both.push(one);
        // Its listener is where the server's end comes from.
        let listener = |of: &&Traveller| of.now.host == Host::Server && of.state == State::Listen;
        for listener in self.all.iter().filter(listener) {
            if !both.iter().any(|one| one.now.host == listener.now.host && one.now.name == listener.now.name)
            {
                both.push(listener);
            }
        }
        both.sort_by_key(|one| (one.now.host, one.state));
        both
    }

    /// Where the sockets of the connection in question are.
    pub fn places(&self) -> Vec<Place> {
        let place = |one: &&Traveller| Place {
            host: one.now.host,
            name: super::short(&one.now.name),
            state: one.state,
            over: !one.taken.is_empty(),
        };
        self.in_question().iter().map(place).collect()
    }

    /// The ways that they took.
    pub fn taken(&self) -> Vec<(State, State)> {
        self.in_question().iter().flat_map(|one| one.taken.iter().copied()).collect()
    }
}

fn forget<T>(list: &mut Vec<T>) {
    if list.len() >= REMEMBERED {
        list.drain(..REMEMBERED / 2);
    }
}

/// Whether two sockets are the ends of one connection.
fn are_ends(one: &Socket, other: &Socket) -> bool {
    let named = |end: &Socket, of: &Socket| {
        end.name
            .strip_prefix('~')
            .and_then(|rest| rest.split_once('.'))
            .is_some_and(|(_, name)| name == of.name)
    };
    let mirrored =
        one.local.is_some() && one.peer.is_some() && (&one.local, &one.peer) == (&other.peer, &other.local);
    mirrored || named(one, other) || named(other, one)
}

/// Whether the frame came to this socket, with these flags.
fn arrived(frame: &Crossing, socket: &Socket, flags: Flags) -> bool {
    let Some(segment) = &frame.segment else { return false };
    let to = socket.local.as_ref().is_none_or(|local| *local == segment.destination.to_string());
    let from = socket.peer.as_ref().is_none_or(|peer| *peer == segment.source.to_string());
    frame.from != socket.host && frame.has_arrived() && segment.flags.contains(flags) && to && from
}

/// Whether the frame went out from this socket, with these flags.
fn left(frame: &Crossing, socket: &Socket, flags: Flags) -> bool {
    let Some(segment) = &frame.segment else { return false };
    let from = socket.local.as_ref().is_some_and(|local| *local == segment.source.to_string());
    let to = socket.peer.as_ref().is_some_and(|peer| *peer == segment.destination.to_string());
    frame.from == socket.host && segment.flags.contains(flags) && to && from
}

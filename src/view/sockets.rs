//! The state of every socket, its changes since the last table, and the pairs that a table shows side by
//! side.

use crate::event::{Host, Socket};

/// A socket: its current state and its state in the last table.
#[derive(Debug, Clone)]
pub(super) struct Tracked {
    /// The latest report of the kernel.
    pub(super) now: Socket,
    /// The report shown in the last table; `None` if the socket is newer.
    pub(super) before: Option<Socket>,
    /// The TCP states entered since the last table, in order.
    pub(super) path: Vec<Option<String>>,
    /// The last descriptor of the socket.
    pub(super) had: Option<i64>,
    /// The name before `accept` assigned a descriptor: `~client.c`.
    pub(super) was_called: Option<String>,
}

impl Tracked {
    fn new(now: &Socket) -> Self {
        let path = vec![now.state.clone()];
        Tracked { now: now.clone(), before: None, path, had: now.fd, was_called: None }
    }

    /// True if the socket exists and no table has shown it under any name.
    pub(super) fn is_new(&self) -> bool {
        self.now.exists && self.before.is_none() && self.was_called.is_none()
    }

    /// The descriptor in the last table, or the one lost before the first table.
    pub(super) fn had_descriptor(&self) -> Option<i64> {
        self.before.as_ref().map_or(self.had, |before| before.fd)
    }

    /// The state in the last table, if any, followed by the states entered since.
    pub(super) fn states(&self) -> Vec<Option<String>> {
        let before = self.before.as_ref().map(|was| was.state.clone());
        let mut states: Vec<_> = before.into_iter().chain(self.path.iter().cloned()).collect();
        states.dedup();
        states
    }

    /// True if a table would show a difference. A changed round-trip time or countdown alone does not count.
    pub(super) fn changed(&self) -> bool {
        let Some(before) = &self.before else { return true };
        let now = &self.now;
        self.was_called.is_some()
            || self.path.len() > 1
            || (before.exists, before.fd, &before.state) != (now.exists, now.fd, &now.state)
            || (&before.local, &before.peer) != (&now.local, &now.peer)
            || queues(before) != queues(now)
            || before.options != now.options
            || before.time_wait_ms.is_some() != now.time_wait_ms.is_some()
            || retransmits(before) != retransmits(now)
            || drops(before) != drops(now)
    }

    /// True if the socket belongs to a connection that was just established, seen from this end.
    pub(super) fn just_established(&self) -> bool {
        let is = |socket: &Socket| socket.state.as_deref() == Some("ESTABLISHED");
        is(&self.now) && !self.before.as_ref().is_some_and(is)
    }

    /// True if `name` is the name of this socket or of its peer.
    pub(super) fn is_of(&self, name: &str) -> bool {
        let other_end = self.now.name.strip_prefix('~').and_then(|rest| rest.split_once('.'));
        other_end.map_or(self.now.name == name, |(_, of)| of == name)
    }

    /// True if the socket has never had a descriptor: it is in an accept queue, or only the kernel holds it.
    pub(super) fn nameless(&self) -> bool {
        self.now.name.starts_with('~')
    }
}

fn queues(socket: &Socket) -> [u64; 4] {
    [socket.recv_queue, socket.send_queue, socket.accept_queue, socket.accept_limit]
        .map(Option::unwrap_or_default)
}

/// Number of dropped datagrams.
pub(super) fn drops(socket: &Socket) -> u64 {
    socket.drops.unwrap_or_default()
}

/// Number of retransmitted segments.
pub(super) fn retransmits(socket: &Socket) -> u32 {
    socket.tcp.as_ref().map_or(0, |tcp| tcp.retransmits)
}

/// Two sockets side by side: the client's and the server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    /// Index of the client socket in [`Sockets::all`].
    pub(super) client: Option<usize>,
    /// Index of the server socket in [`Sockets::all`].
    pub(super) server: Option<usize>,
}

impl Pair {
    fn of(host: Host, at: usize) -> Self {
        match host {
            Host::Client => Pair { client: Some(at), server: None },
            Host::Server => Pair { client: None, server: Some(at) },
        }
    }

    /// The socket of `host`.
    pub(super) fn side(&self, host: Host) -> Option<usize> {
        match host {
            Host::Client => self.client,
            Host::Server => self.server,
        }
    }
}

/// All sockets of both hosts.
#[derive(Debug, Clone, Default)]
pub(super) struct Sockets {
    all: Vec<Tracked>,
}

impl Sockets {
    /// The socket at index `at`, taken from a [`Pair`].
    pub(super) fn at(&self, at: usize) -> &Tracked {
        &self.all[at]
    }

    /// Records a report of the kernel.
    pub(super) fn take(&mut self, now: &Socket) {
        // A socket connected to itself is its own peer: it is shown once.
        if now.name.starts_with('~') && now.local.is_some() && now.local == now.peer {
            return;
        }
        let Some(known) = self.all.iter_mut().find(|t| t.now.host == now.host && t.now.name == now.name)
        else {
            if now.exists {
                self.all.push(Tracked::new(now));
            }
            return;
        };
        let reused = !known.now.exists || (now.fd.is_some() && known.now.fd != now.fd);
        if reused && now.exists {
            *known = Tracked::new(now);
            return;
        }
        if known.now.state != now.state && now.exists {
            known.path.push(now.state.clone());
        }
        known.had = now.fd.or(known.had);
        known.now = now.clone();
    }

    /// Returns the sockets for the next table: the changed ones, those acted on, and their peers.
    ///
    /// Returns nothing if nothing changed. `acted` are the sockets that the calls of this step named.
    pub(super) fn pairs(&mut self, acted: &[(Host, String)]) -> Vec<Pair> {
        self.adopt();
        if !self.all.iter().any(Tracked::changed) {
            return Vec::new();
        }
        let shown = |t: &Tracked| {
            t.changed() || acted.iter().any(|(host, name)| *host == t.now.host && *name == t.now.name)
        };
        let shown: Vec<usize> = (0..self.all.len()).filter(|&at| shown(&self.all[at])).collect();
        let (mut together, mut alone) = (Vec::new(), Vec::new());
        for at in shown {
            let host = self.all[at].now.host;
            match self.counterpart(at) {
                Some(other) => {
                    let mut pair = Pair::of(host, at);
                    match host {
                        Host::Client => pair.server = Some(other),
                        Host::Server => pair.client = Some(other),
                    }
                    if !together.contains(&pair) {
                        together.push(pair);
                    }
                }
                None => alone.push(Pair::of(host, at)),
            }
        }
        together.extend(alone);
        self.fill(&mut together);
        together
    }

    /// Marks everything as shown: later changes are relative to it. Sockets that no longer exist are dropped.
    pub(super) fn shown(&mut self) {
        self.all.retain(|t| t.now.exists);
        for known in &mut self.all {
            known.before = Some(known.now.clone());
            known.path.clear();
            known.was_called = None;
        }
    }

    /// Merges two entries: `accept` assigned a descriptor to a socket that had none.
    fn adopt(&mut self) {
        let adopted = (0..self.all.len()).find_map(|new| {
            let t = &self.all[new];
            let fresh =
                t.before.is_none() && t.was_called.is_none() && t.now.fd.is_some() && t.now.peer.is_some();
            let old = |old: &Tracked| {
                let then = old.before.as_ref().unwrap_or(&old.now);
                old.nameless()
                    && old.now.host == t.now.host
                    && (&then.local, &then.peer) == (&t.now.local, &t.now.peer)
            };
            if fresh { self.all.iter().position(old).map(|old| (old, new)) } else { None }
        });
        let Some((old, new)) = adopted else { return };
        let nameless = self.all[old].clone();
        let accepted = &mut self.all[new];
        accepted.path.splice(0..0, nameless.path);
        if let Some(mut before) = nameless.before {
            before.fd = accepted.now.fd; // that it has one now is said by the name
            accepted.before = Some(before);
        }
        accepted.was_called = Some(nameless.now.name);
        self.all.remove(old);
        self.adopt();
    }

    /// The peer on the other host.
    fn counterpart(&self, at: usize) -> Option<usize> {
        let one = &self.all[at];
        let others = || self.all.iter().enumerate().filter(|(_, t)| t.now.host != one.now.host);
        let by_name = |t: &Tracked| names(t, one) || names(one, t);
        let by_address = |t: &Tracked| mirrored(&t.now, &one.now) || was_mirrored(t, one);
        let found = others().find(|(_, t)| by_name(t)).or_else(|| others().find(|(_, t)| by_address(t)));
        // While the first SYN is in flight, the listener is the only candidate.
        let called = |t: &Tracked| {
            one.now.host == Host::Client
                && one.now.state.as_deref() == Some("SYN_SENT")
                && t.now.state.as_deref() == Some("LISTEN")
                && one.now.peer.is_some()
                && t.now.local == one.now.peer
        };
        found.or_else(|| others().find(|(_, t)| called(t))).map(|(at, _)| at)
    }

    /// If one host's side would stay empty and it has a single socket, without a connection, shows that: both
    /// hosts are then in sight.
    fn fill(&self, pairs: &mut [Pair]) {
        for host in Host::ALL {
            let [pair] = pairs else { return };
            if pair.side(host).is_some() {
                continue;
            }
            let mut live =
                (0..self.all.len()).filter(|&at| self.all[at].now.host == host && self.all[at].now.exists);
            let alone = |at: &usize| self.counterpart(*at).is_none();
            if let (Some(at), None) = (live.next().filter(alone), live.next()) {
                match host {
                    Host::Client => pair.client = Some(at),
                    Host::Server => pair.server = Some(at),
                }
            }
        }
    }
}

/// True if `end` is called after `whose`: `~client.c` is the other end of the client's `c`.
fn names(end: &Tracked, whose: &Tracked) -> bool {
    let called = end.was_called.as_deref().unwrap_or(&end.now.name);
    called
        .strip_prefix('~')
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(host, name)| host == whose.now.host.name() && name == whose.now.name)
}

fn mirrored(one: &Socket, other: &Socket) -> bool {
    one.local.is_some() && one.peer.is_some() && one.local == other.peer && one.peer == other.local
}

/// Either end may have lost its addresses in this step.
fn was_mirrored(one: &Tracked, other: &Tracked) -> bool {
    let (one_before, other_before) = (one.before.as_ref(), other.before.as_ref());
    one_before.is_some_and(|before| mirrored(before, &other.now))
        || other_before.is_some_and(|before| mirrored(&one.now, before))
        || one_before.zip(other_before).is_some_and(|(a, b)| mirrored(a, b))
}

#[cfg(test)]
mod tests {
    use super::super::samples::socket;
    use super::*;

    const C: &str = "127.0.0.1:43210";
    const S: &str = "127.0.0.1:7000";

    fn names_of(sockets: &Sockets, pairs: &[Pair]) -> Vec<String> {
        let name = |at: Option<usize>| at.map_or("–", |at| &sockets.at(at).now.name).to_owned();
        pairs.iter().map(|pair| format!("{} | {}", name(pair.client), name(pair.server))).collect()
    }

    fn connected() -> Sockets {
        let mut sockets = Sockets::default();
        sockets.take(&socket("server", "s", 3).state("LISTEN").local(S).accept(0, 1).build());
        sockets.shown();
        sockets.take(&socket("client", "c", 3).state("ESTABLISHED").local(C).peer(S).build());
        sockets.take(&socket("server", "~client.c", -1).state("ESTABLISHED").local(S).peer(C).build());
        sockets.take(&socket("server", "s", 3).state("LISTEN").local(S).accept(1, 1).build());
        sockets
    }

    #[test]
    fn ends_of_one_connection_stand_side_by_side() {
        let mut sockets = connected();
        let pairs = sockets.pairs(&[]);
        assert_eq!(names_of(&sockets, &pairs), ["c | ~client.c", "– | s"]);
    }

    #[test]
    fn accept_gives_a_name_to_what_waited() {
        let mut sockets = connected();
        sockets.pairs(&[]);
        sockets.shown();
        let gone = Socket { exists: false, ..socket("server", "~client.c", -1).build() };
        sockets.take(&gone);
        sockets.take(&socket("server", "conn", 4).state("ESTABLISHED").local(S).peer(C).build());
        let pairs = sockets.pairs(&[]);
        assert_eq!(names_of(&sockets, &pairs), ["c | conn"]);
        let conn = sockets.at(pairs[0].server.unwrap());
        assert_eq!(conn.was_called.as_deref(), Some("~client.c"));
        assert!(!conn.just_established());
    }

    #[test]
    fn nothing_is_shown_when_nothing_changed() {
        let mut sockets = connected();
        sockets.shown();
        assert_eq!(sockets.pairs(&[(Host::Client, "c".into())]), []);
    }

    #[test]
    fn a_name_used_again_is_a_new_socket() {
        let mut sockets = connected();
        sockets.shown();
        sockets.take(&socket("client", "c", 5).state("CLOSED").build());
        let pairs = sockets.pairs(&[]);
        assert!(sockets.at(pairs[0].client.unwrap()).before.is_none());
    }

    #[test]
    fn what_is_gone_is_shown_once() {
        let mut sockets = connected();
        sockets.shown();
        let gone = Socket { exists: false, ..socket("client", "c", -1).build() };
        sockets.take(&gone);
        assert_eq!(sockets.pairs(&[]).len(), 1);
        sockets.shown();
        sockets.take(&gone);
        assert_eq!(sockets.pairs(&[]), []);
    }
}

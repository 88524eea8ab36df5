//! Claims: what a lesson states about a socket, checked against what the kernel reports.

use std::{fmt, io, net::SocketAddr, time::Instant};

use super::{CLAIM_DEADLINE, CallResult, Run, act, snapshot::Snapshot};
use crate::{
    event::{Check, Host, Socket, What},
    lesson::{At, Claim, Compare, Place, State, Step, Subject, Wanted, grammar::Key},
};

/// A value of a socket or of the right side of a claim.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub(super) enum Told {
    Number(i64),
    Address(SocketAddr),
    Words(Vec<String>),
    Nothing,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Told::Number(number) => write!(f, "{number}"),
            Told::Address(address) => write!(f, "{address}"),
            Told::Words(words) => write!(f, "{}", words.join(", ")),
            Told::Nothing => write!(f, "none"),
        }
    }
}

/// The result of one check of a claim.
pub(super) struct Verdict {
    pub holds: Option<bool>,
    pub observed: String,
}

impl Run<'_> {
    /// Waits until the claim holds or `CLAIM_DEADLINE` is over, and writes the verdict.
    pub(super) fn claim(&mut self, step: &Step, claim: &Claim) -> io::Result<()> {
        let on = &claim.on;
        let verdict = if !on.is_empty() && !on.iter().any(|tag| self.stage.is(tag)) {
            Verdict { holds: None, observed: format!("said of {} only", on.join(", ")) }
        } else {
            self.wait_for(claim)?
        };
        self.write_check(
            step.text.trim_start_matches("check ").to_owned(),
            step.line,
            verdict.holds,
            verdict.observed,
        );
        Ok(())
    }

    pub(super) fn write_check(&mut self, text: String, line: usize, holds: Option<bool>, observed: String) {
        self.end.checks += 1;
        match holds {
            Some(true) => {}
            Some(false) => self.end.failed += 1,
            None => self.end.not_seen += 1,
        }
        self.journal.write(What::Check(Check { text, line, holds, observed }));
    }

    fn wait_for(&mut self, claim: &Claim) -> io::Result<Verdict> {
        let until = Instant::now() + CLAIM_DEADLINE;
        let mut first = true;
        loop {
            self.collect_returned()?;
            let changed = self.look() | self.take_frames();
            let verdict = self.judge(claim);
            let over = if claim.still {
                // `still`: judged once, as soon as two consecutive observations agree.
                !changed && !first
            } else {
                verdict.holds != Some(false)
            };
            if over || Instant::now() >= until {
                return Ok(verdict);
            }
            first = false;
            act::breathe();
        }
    }

    fn judge(&mut self, claim: &Claim) -> Verdict {
        let Subject { host, name, .. } = &claim.subject;
        if let Some(state @ (State::Blocked | State::Returned)) = claim.state {
            let (holds, observed) = match self.results.get(&(*host, name.clone())) {
                Some(CallResult::Running(running)) => {
                    let blocked = act::is_blocked(&running.ticket, running.descriptor);
                    (blocked.map(|blocked| blocked && state == State::Blocked), "it waits".to_owned())
                }
                Some(CallResult::Returned(observed)) => {
                    (Some(state == State::Returned), format!("it returned {}", observed.told()))
                }
                None => (Some(false), "it was never made".to_owned()),
            };
            return Verdict { holds, observed };
        }
        let owner = if claim.subject.other_end { host.other() } else { *host };
        if self.stage.sockets(owner).find(name).is_none() {
            return Verdict { holds: None, observed: "an earlier call did not give that socket".to_owned() };
        }
        let Some(socket) = find(&self.snapshot, &claim.subject).cloned() else {
            let unseen = !self.stage.sees_closed_sockets();
            return match claim.state {
                _ if unseen => Verdict {
                    holds: None,
                    observed: "this system shows no socket without a descriptor".into(),
                },
                Some(State::Gone) => Verdict { holds: Some(true), observed: String::new() },
                _ => Verdict { holds: Some(false), observed: "the kernel knows no such socket".into() },
            };
        };
        let mut observed = Vec::new();
        let mut holds = Some(true);
        let mut note = |held: Option<bool>, what: String| {
            match held {
                Some(true) => return,
                Some(false) => holds = Some(false),
                None if holds == Some(true) => holds = None,
                None => {}
            }
            observed.push(what);
        };
        match claim.state {
            Some(State::Gone) => {
                note(Some(!socket.exists), socket.state.clone().unwrap_or_else(|| "it exists".into()))
            }
            Some(State::Tcp(state)) if !socket.exists => {
                note(Some(false), format!("it is gone, not {state}"))
            }
            Some(State::Tcp(state)) => match &socket.state {
                Some(now) => note(Some(now == state), now.clone()),
                None if !socket.has_states() => {
                    note(Some(false), format!("{} has no states", socket.protocol))
                }
                None => note(None, "this system does not say in which state a socket is".into()),
            },
            Some(State::Blocked | State::Returned) | None => {}
        }
        for (key, compare, wanted) in &claim.values {
            let there = value_of(&socket, *key);
            let name = key_name(*key);
            match (there, self.wanted(claim, wanted, socket.protocol.ends_with('6'))) {
                (Some(there), Some(wanted)) => {
                    note(Some(compares(*compare, &there, &wanted)), format!("{name}={there}"))
                }
                (None, _) => note(None, format!("this system does not say {name}")),
                (_, None) => note(Some(false), format!("what {name} should be is not known")),
            }
        }
        Verdict { holds, observed: observed.join(", ") }
    }

    /// Resolves the right side of a claim to a value.
    fn wanted(&mut self, claim: &Claim, wanted: &Wanted, v6: bool) -> Option<Told> {
        match wanted {
            Wanted::Number(number) => Some(Told::Number(*number)),
            Wanted::Nothing => Some(Told::Nothing),
            Wanted::Word(word) => Some(Told::Words(vec![word.clone()])),
            Wanted::Address(place) => self.resolve(place, claim.subject.host, v6).ok().map(Told::Address),
            Wanted::Of(subject, key) => value_of(find(&self.snapshot, subject)?, *key),
        }
    }

    /// Resolves an address of the lesson to the real one.
    pub(super) fn resolve(&mut self, place: &Place, own: Host, v6: bool) -> io::Result<SocketAddr> {
        let port = self.stage.port(place.port)?;
        let ip = match place.at {
            At::Own => self.stage.address(own, v6),
            At::Host(host) => self.stage.address(host, v6),
            At::Any if v6 => std::net::Ipv6Addr::UNSPECIFIED.into(),
            At::Any => std::net::Ipv4Addr::UNSPECIFIED.into(),
            At::Ip(ip) => ip,
        };
        Ok(SocketAddr::new(ip, port))
    }
}

/// Returns the socket that a claim is about. The other end has a name of its own once its connection was
/// accepted.
fn find<'a>(snapshot: &'a Snapshot, subject: &Subject) -> Option<&'a Socket> {
    if !subject.other_end {
        return snapshot.find(subject.host, &subject.name);
    }
    let there = subject.host.other();
    let owner = snapshot.find(there, &subject.name)?;
    let named = owner
        .local
        .as_deref()
        .zip(owner.peer.as_deref())
        .and_then(|(local, peer)| snapshot.with_ends(subject.host, peer, local));
    named.or_else(|| snapshot.find(subject.host, &format!("~{there}.{}", subject.name)))
}

/// Returns what the kernel reported for this key; `None` if the system does not report it.
pub(super) fn value_of(socket: &Socket, key: Key) -> Option<Told> {
    let number = |value: Option<u64>| value.and_then(|value| i64::try_from(value).ok()).map(Told::Number);
    let address = |value: &Option<String>| value.as_ref().and_then(|value| value.parse::<SocketAddr>().ok());
    let whole = |value: &Option<String>| Some(address(value).map_or(Told::Nothing, Told::Address));
    let port = |value: &Option<String>| {
        Some(Told::Number(address(value).map_or(0, |address| i64::from(address.port()))))
    };
    let tcp = socket.tcp.as_ref();
    match key {
        Key::Fd => Some(socket.fd.map_or(Told::Nothing, Told::Number)),
        Key::Local => whole(&socket.local),
        Key::LocalPort => port(&socket.local),
        Key::Peer => whole(&socket.peer),
        Key::PeerPort => port(&socket.peer),
        Key::RecvQueue => number(socket.recv_queue),
        Key::SendQueue => number(socket.send_queue),
        Key::AcceptQueue => number(socket.accept_queue),
        Key::AcceptLimit => number(socket.accept_limit),
        Key::Mss => tcp.map(|tcp| Told::Number(i64::from(tcp.mss))),
        Key::Cwnd => tcp.map(|tcp| Told::Number(i64::from(tcp.cwnd))),
        Key::Retransmits => tcp.map(|tcp| Told::Number(i64::from(tcp.retransmits))),
        Key::Drops => number(socket.drops),
        Key::Negotiated => tcp.map(|tcp| Told::Words(tcp.negotiated.clone())),
        Key::Option(name) => Some(Told::Number(
            socket.options.iter().find(|option| option.name == name).map_or(0, |option| option.value),
        )),
    }
}

fn key_name(key: Key) -> &'static str {
    crate::lesson::grammar::KEYS.iter().find(|(_, known)| *known == key).map_or("", |(name, _)| name)
}

/// Compares two values. Words are compared as sets: `negotiated=sack` holds if `sack` is among them.
fn compares(compare: Compare, there: &Told, wanted: &Told) -> bool {
    match (there, wanted) {
        (Told::Words(there), Told::Words(wanted)) => {
            let all = wanted.iter().all(|word| there.contains(word));
            if compare == Compare::Unequal { !all } else { all }
        }
        _ if std::mem::discriminant(there) != std::mem::discriminant(wanted) => compare == Compare::Unequal,
        _ => compare.holds(there, wanted),
    }
}

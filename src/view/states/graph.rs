//! The eleven states of TCP and the ways between them: RFC 9293, figure 5.

use std::collections::VecDeque;

use crate::wire::tcp::Flags;

/// A state, under the names that Linux gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum State {
    Closed,
    Listen,
    SynSent,
    SynRecv,
    Established,
    FinWait1,
    FinWait2,
    Closing,
    TimeWait,
    CloseWait,
    LastAck,
}

impl State {
    /// All of them.
    pub const ALL: [State; 11] = [
        State::Closed,
        State::Listen,
        State::SynSent,
        State::SynRecv,
        State::Established,
        State::FinWait1,
        State::FinWait2,
        State::Closing,
        State::TimeWait,
        State::CloseWait,
        State::LastAck,
    ];

    /// As in an event, with or without the last underscore of `FIN_WAIT_1`.
    pub fn of(name: &str) -> Option<State> {
        let name = match name {
            "FIN_WAIT_1" => "FIN_WAIT1",
            "FIN_WAIT_2" => "FIN_WAIT2",
            "SYN_RECEIVED" => "SYN_RECV",
            name => name,
        };
        State::ALL.into_iter().find(|state| state.name() == name)
    }

    /// `SYN_SENT`
    pub fn name(self) -> &'static str {
        match self {
            State::Closed => "CLOSED",
            State::Listen => "LISTEN",
            State::SynSent => "SYN_SENT",
            State::SynRecv => "SYN_RECV",
            State::Established => "ESTABLISHED",
            State::FinWait1 => "FIN_WAIT1",
            State::FinWait2 => "FIN_WAIT2",
            State::Closing => "CLOSING",
            State::TimeWait => "TIME_WAIT",
            State::CloseWait => "CLOSE_WAIT",
            State::LastAck => "LAST_ACK",
        }
    }
}

/// What moves a socket from one state to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// One of these calls.
    Call(&'static [&'static str]),
    /// A segment that came, with these flags.
    Came(Flags, &'static str),
    /// Time that has passed.
    Time,
}

/// A way from a state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    pub from: State,
    pub to: State,
    pub cause: Cause,
}

const fn way(from: State, to: State, cause: Cause) -> Way {
    Way { from, to, cause }
}

const CLOSE: Cause = Cause::Call(&["close", "shutdown", "ws close"]);
const SYN: Cause = Cause::Came(Flags::SYN, "SYN");
const ACK: Cause = Cause::Came(Flags::ACK, "ACK");
const FIN: Cause = Cause::Came(Flags::FIN, "FIN");

/// All ways but RST, which leads to CLOSED from everywhere. Of two that are equally short the first is taken.
const WAYS: [Way; 17] = {
    use State::*;
    [
        way(Closed, Listen, Cause::Call(&["listen", "TcpListener::bind"])),
        way(Closed, SynSent, Cause::Call(&["connect"])),
        way(Listen, SynRecv, SYN),
        way(Listen, Closed, CLOSE),
        way(SynSent, Established, Cause::Came(Flags::SYN, "SYN,ACK")),
        way(SynSent, SynRecv, SYN),
        way(SynSent, Closed, CLOSE),
        way(SynRecv, Established, ACK),
        way(Established, FinWait1, CLOSE),
        way(Established, CloseWait, FIN),
        way(FinWait1, FinWait2, ACK),
        way(FinWait1, Closing, FIN),
        way(FinWait2, TimeWait, FIN),
        way(Closing, TimeWait, ACK),
        way(TimeWait, Closed, Cause::Time),
        way(CloseWait, LastAck, CLOSE),
        way(LastAck, Closed, ACK),
    ]
};

/// The ways from one state to another, with those that nobody saw in between; none if the diagram has no such
/// path.
pub(super) fn path(from: State, to: State) -> Option<Vec<Way>> {
    let mut queue = VecDeque::from([(from, Vec::new())]);
    let mut seen = vec![from];
    while let Some((at, ways)) = queue.pop_front() {
        for way in WAYS.iter().filter(|way| way.from == at) {
            let ways: Vec<Way> = ways.iter().copied().chain([*way]).collect();
            if way.to == to {
                return Some(ways);
            }
            // Nobody comes through CLOSED to somewhere else.
            if !seen.contains(&way.to) && way.to != State::Closed {
                seen.push(way.to);
                queue.push_back((way.to, ways));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(from: State, to: State) -> Vec<&'static str> {
        path(from, to).unwrap_or_default().iter().map(|way| way.to.name()).collect()
    }

    #[test]
    fn states_that_nobody_saw_are_found_between() {
        assert_eq!(states(State::Closed, State::Established), ["SYN_SENT", "ESTABLISHED"]);
        assert_eq!(states(State::Listen, State::Established), ["SYN_RECV", "ESTABLISHED"]);
        assert_eq!(states(State::FinWait1, State::TimeWait), ["FIN_WAIT2", "TIME_WAIT"]);
        assert_eq!(states(State::CloseWait, State::Closed), ["LAST_ACK", "CLOSED"]);
        assert_eq!(path(State::TimeWait, State::Established), None);
    }

    #[test]
    fn names_are_those_of_the_events() {
        assert_eq!(State::of("FIN_WAIT_2"), Some(State::FinWait2));
        assert_eq!(State::of("nowhere"), None);
    }
}

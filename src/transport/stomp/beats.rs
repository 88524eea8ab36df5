//! Heartbeats: when an end of line is due, and when the peer counts as dead (STOMP 1.2, Heart-beating).

use std::time::{Duration, Instant};

use crate::wire::stomp::HeartBeat;

/// Margin on top of twice the negotiated interval before the peer counts as dead: "the receiver SHOULD be
/// tolerant", and a busy machine may be late.
const MARGIN: Duration = Duration::from_millis(500);

/// The heartbeat timers of one side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beats {
    /// Longest time between two sends.
    pub sends: Option<Duration>,
    /// Longest time between two receptions.
    pub hears: Option<Duration>,
    sent: Instant,
    heard: Instant,
}

/// The action that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing is due before this time.
    Nothing(Option<Instant>),
    /// Send an end of line.
    Send,
    /// Nothing arrived for this time, and the peer counts as dead.
    Dead(Duration),
}

impl Beats {
    /// Returns the timers that CONNECT and CONNECTED negotiate.
    pub(super) fn new(own: HeartBeat, other: HeartBeat, now: Instant) -> Beats {
        Beats { sends: own.sends_to(other), hears: other.sends_to(own), sent: now, heard: now }
    }

    /// Notes that something was sent.
    pub(super) fn sent(&mut self, now: Instant) {
        self.sent = now;
    }

    /// Notes that something was received. Any octet counts.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// Returns the time of the next heartbeat: before the interval is over, because it takes time to arrive.
    pub(super) fn next_send(&self) -> Option<Instant> {
        self.sends.map(|every| self.sent + every * 3 / 4)
    }

    /// Returns the time at which the peer counts as dead.
    fn death(&self) -> Option<Instant> {
        self.hears.map(|every| self.heard + every * 2 + MARGIN)
    }

    /// Returns the action that is due.
    pub(super) fn due(&self, now: Instant) -> Due {
        if self.death().is_some_and(|death| now >= death) {
            return Due::Dead(now.saturating_duration_since(self.heard));
        }
        if self.next_send().is_some_and(|send| now >= send) {
            return Due::Send;
        }
        Due::Nothing([self.death(), self.next_send()].into_iter().flatten().min())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_are_sent_early_and_missed_late() {
        let now = Instant::now();
        let after = |millis| now + Duration::from_millis(millis);
        let beat = |value| HeartBeat::parse(Some(value)).unwrap();
        let mut beats = Beats::new(beat("100,200"), beat("400,80"), now);
        assert_eq!((beats.sends, beats.hears), (Some(after(100) - now), Some(after(400) - now)));
        assert_eq!(beats.due(now), Due::Nothing(Some(after(75))));
        assert_eq!(beats.due(after(75)), Due::Send);
        beats.sent(after(1290));
        assert_eq!(beats.due(after(1299)), Due::Nothing(Some(after(1300))));
        assert_eq!(beats.due(after(1300)), Due::Dead(Duration::from_millis(1300)));
        beats.heard(after(1300));
        assert_eq!(beats.due(after(1301)), Due::Nothing(Some(after(1365))));
        assert_eq!(Beats::new(beat("0,0"), beat("1,1"), now).due(after(9999)), Due::Nothing(None));
    }
}

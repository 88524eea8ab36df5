//! What a session is: it outlives the connections that carry it. Its rules, without any connection.
//!
//! A session begins with the first request that names it, and is open from then on. One connection at a time may wait for its
//! frames. When none does for a while, it is over; when the one that did breaks off, nobody knows what has arrived, so it is closed. A
//! closed session says so to everybody who asks, until it is over (sockjs-protocol, "Protocol and framing" and "Handling close").

use std::time::{Duration, Instant};

use crate::wire::sockjs::Frame;

/// A session of a server.
#[derive(Debug)]
pub(super) struct Session {
    stage: Stage,
    /// The connection that waits for frames.
    receiver: Option<u64>,
    /// Receivers so far: each has a number.
    receivers: u64,
    /// When the last one left, or the session began.
    left: Instant,
}

#[derive(Debug)]
enum Stage {
    New,
    Open,
    /// With the frame that says so.
    Closed(Frame),
}

/// What a connection gets that asks for frames.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// It is the receiver, with this number. The first of a session gets an open frame first.
    Receiver {
        /// For [`Session::leave`].
        number: u64,
        /// Whether the session is new.
        first: bool,
    },
    /// It is not: it gets this frame, and its answer ends.
    Refused(Frame),
}

/// How a receiver leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Its answer has ended as it should. The next comes soon.
    Finished,
    /// It broke off.
    Aborted,
}

impl Session {
    /// As it begins.
    pub fn new(now: Instant) -> Session {
        Session { stage: Stage::New, receiver: None, receivers: 0, left: now }
    }

    /// A connection asks for the frames.
    pub fn join(&mut self, now: Instant) -> Joined {
        if self.receiver.is_some() {
            return Joined::Refused(Frame::close(2010, "Another connection still open"));
        }
        let first = match &self.stage {
            Stage::Closed(frame) => {
                self.left = now;
                return Joined::Refused(frame.clone());
            }
            Stage::New => true,
            Stage::Open => false,
        };
        self.stage = Stage::Open;
        self.receivers += 1;
        self.receiver = Some(self.receivers);
        Joined::Receiver { number: self.receivers, first }
    }

    /// The receiver with this number leaves. One that is it no more changes nothing.
    pub fn leave(&mut self, number: u64, how: Left, now: Instant) {
        if self.receiver != Some(number) {
            return;
        }
        self.receiver = None;
        self.left = now;
        if how == Left::Aborted && !matches!(self.stage, Stage::Closed(_)) {
            self.stage = Stage::Closed(Frame::close(1002, "Connection interrupted"));
        }
    }

    /// Closes it. Whoever was its receiver is it no more, so that the next hears of the end, and not of another connection.
    pub fn close(&mut self, frame: Frame, now: Instant) {
        if !matches!(self.stage, Stage::Closed(_)) {
            self.stage = Stage::Closed(frame);
        }
        self.receiver = None;
        self.left = now;
    }

    /// Whether what a client sends is heard.
    pub fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open)
    }

    /// When it is over if nobody joins before; none while somebody waits.
    pub fn ends_at(&self, patience: Duration) -> Option<Instant> {
        self.receiver.is_none().then(|| self.left + patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn receiver(session: &mut Session, now: Instant) -> u64 {
        match session.join(now) {
            Joined::Receiver { number, .. } => number,
            refused @ Joined::Refused(_) => panic!("{refused:?}"),
        }
    }

    #[test]
    fn only_the_first_connection_opens_it() {
        let now = Instant::now();
        let mut session = Session::new(now);
        assert!(!session.is_open());
        assert_eq!(session.join(now), Joined::Receiver { number: 1, first: true });
        session.leave(1, Left::Finished, now);
        assert!(session.is_open());
        assert_eq!(session.join(now), Joined::Receiver { number: 2, first: false });
    }

    #[test]
    fn a_second_receiver_is_told_so_and_the_first_goes_on() {
        let now = Instant::now();
        let mut session = Session::new(now);
        let first = receiver(&mut session, now);
        let busy = Joined::Refused(Frame::close(2010, "Another connection still open"));
        assert_eq!((session.join(now), session.is_open()), (busy, true));
        session.leave(first, Left::Finished, now);
        receiver(&mut session, now);
    }

    #[test]
    fn who_breaks_off_leaves_a_closed_session() {
        let now = Instant::now();
        let mut session = Session::new(now);
        let first = receiver(&mut session, now);
        session.leave(first, Left::Aborted, now);
        let closed = || Joined::Refused(Frame::close(1002, "Connection interrupted"));
        assert_eq!((session.join(now), session.join(now)), (closed(), closed()));
        assert!(!session.is_open());
    }

    #[test]
    fn a_closed_session_says_so_until_nobody_asks_any_more() {
        let now = Instant::now();
        let mut session = Session::new(now);
        let first = receiver(&mut session, now);
        session.close(Frame::close(3000, "Go away!"), now);
        // The one that is still being answered is the receiver no more.
        for second in 1..4 {
            let later = now + Duration::from_secs(second * 4);
            assert_eq!(session.join(later), Joined::Refused(Frame::close(3000, "Go away!")));
            assert_eq!(session.ends_at(PATIENCE), Some(later + PATIENCE));
        }
        session.leave(first, Left::Aborted, now);
        assert_eq!(session.join(now), Joined::Refused(Frame::close(3000, "Go away!")));
    }

    #[test]
    fn it_ends_when_no_receiver_comes_back() {
        let now = Instant::now();
        let mut session = Session::new(now);
        assert_eq!(session.ends_at(PATIENCE), Some(now + PATIENCE));
        let first = receiver(&mut session, now);
        assert_eq!(session.ends_at(PATIENCE), None);
        let later = now + Duration::from_secs(60);
        session.leave(first, Left::Finished, later);
        assert_eq!(session.ends_at(PATIENCE), Some(later + PATIENCE));
    }
}

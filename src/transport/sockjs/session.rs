//! The rules of a SockJS session, without any connection. A session outlives the connections that carry it.
//!
//! A session begins with the first request that names it, and is open from then on. At most one connection,
//! the receiver, waits for its frames. A session without a receiver for a while ends. If the receiver breaks
//! off, it is unknown which frames have arrived, so the session is closed. A closed session sends its close
//! frame to every request until it ends (sockjs-protocol, "Protocol and framing" and "Handling close").

use std::time::{Duration, Instant};

use crate::wire::sockjs::Frame;

/// A session of a server.
#[derive(Debug)]
pub(super) struct Session {
    stage: Stage,
    /// The number of the receiver, the connection that waits for frames.
    receiver: Option<u64>,
    /// Number of receivers so far, which is the number of the last one.
    receivers: u64,
    /// Time at which the last receiver left, or the session began.
    left: Instant,
}

#[derive(Debug)]
enum Stage {
    New,
    Open,
    /// Closed, with the close frame.
    Closed(Frame),
}

/// The result for a connection that requests frames.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// The connection is the receiver, with this number. The first receiver of a session gets an open frame
    /// first.
    Receiver {
        /// The number to pass to [`Session::leave`].
        number: u64,
        /// Whether the session is new.
        first: bool,
    },
    /// The connection is refused: it gets this frame, and its response ends.
    Refused(Frame),
}

/// How a receiver leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// The response ended in order, and the next request is expected soon.
    Finished,
    /// The connection broke off.
    Aborted,
}

impl Session {
    /// Returns a new session.
    pub fn new(now: Instant) -> Session {
        Session { stage: Stage::New, receiver: None, receivers: 0, left: now }
    }

    /// Handles a connection that requests frames.
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

    /// Removes the receiver with this number. A number of an earlier receiver has no effect.
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

    /// Closes the session and removes its receiver, so that the next request gets the close frame and not a
    /// refusal because of another connection.
    pub fn close(&mut self, frame: Frame, now: Instant) {
        if !matches!(self.stage, Stage::Closed(_)) {
            self.stage = Stage::Closed(frame);
        }
        self.receiver = None;
        self.left = now;
    }

    /// Returns whether the session accepts messages of the client.
    pub fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open)
    }

    /// Returns the time at which the session ends if no receiver joins before, or `None` while a receiver
    /// waits.
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

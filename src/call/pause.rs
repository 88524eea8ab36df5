//! `clock_nanosleep(2)`: the thread sleeps. A program that polls asks, pauses, and asks again.

use std::time::Duration;

use super::{
    Arguments, CallDescription, Completed, Grammar, On, Returns, Site, SocketRef, Timed, arg, system,
};
use crate::ran;

/// `pause 200ms`
#[derive(Debug, Clone, PartialEq)]
pub struct Pause {
    /// How long the thread sleeps.
    pub time: Duration,
}

impl Pause {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "pause",
        on: On::Nothing,
        returns: Returns::Nothing,
        may_block: true,
        about: "do nothing for a while: clock_nanosleep(2)",
    };

    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<Pause, R::Error> {
        Ok(Pause { time: arguments.time()? })
    }

    pub(super) fn describe(&self, _: &SocketRef, _: Option<&str>) -> CallDescription {
        let time = self.time;
        let spec = format!("{{{}, {}}}", time.as_secs(), time.subsec_nanos());
        CallDescription {
            call: "clock_nanosleep",
            args: vec![
                arg("clock", "CLOCK_MONOTONIC"),
                arg("time", format!("{} ms from now", time.as_millis())),
            ],
            c: format!("clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){spec}, NULL);"),
            asked: format!("clock_nanosleep(CLOCK_MONOTONIC, 0, {spec}, …)"),
            syscalls: &["clock_nanosleep"],
            waits_for: "the time to pass",
        }
    }

    pub(super) fn perform(&self, _: &Site) -> Completed {
        Completed::done(pause(self.time))
    }
}

/// Corresponds to `clock_nanosleep(2)` with `CLOCK_MONOTONIC` and a relative time; `nanosleep(2)` on systems
/// without it. The thread sleeps at least for `time`. Data that arrives for its sockets meanwhile waits in
/// the kernel.
///
/// Not repeated after EINTR: the thread would sleep too long.
///
/// Errors: EINTR (a signal arrived before the time was over).
pub(super) fn pause(time: Duration) -> Timed<()> {
    ran!(system::pause(time))
}

//! `clock_nanosleep(2)`: the program does nothing for a while. It is how a program polls: ask, pause, ask again.

use std::time::Duration;

use super::{Ran, Told, arg, system};
use crate::ran;

/// Corresponds to `clock_nanosleep(2)` with `CLOCK_MONOTONIC` and a time from now on; `nanosleep(2)` where a system has no such
/// call. The thread sleeps at least so long: what arrives for its sockets meanwhile waits in the kernel.
///
/// Not repeated after EINTR: it would sleep too long.
///
/// Errors: EINTR (a signal came before the time was over).
pub(super) fn pause(time: Duration) -> Ran<()> {
    ran!(system::pause(time))
}

pub(super) fn told(time: Duration) -> Told {
    let spec = format!("{{{}, {}}}", time.as_secs(), time.subsec_nanos());
    Told {
        call: "clock_nanosleep",
        args: vec![arg("clock", "CLOCK_MONOTONIC"), arg("time", format!("{} ms from now", time.as_millis()))],
        c: format!("clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){spec}, NULL);"),
        asked: format!("clock_nanosleep(CLOCK_MONOTONIC, 0, {spec}, …)"),
        syscalls: &["clock_nanosleep"],
        waits_for: "the time to pass",
    }
}

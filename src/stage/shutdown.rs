//! Shutdown: SIGINT, SIGTERM and SIGQUIT set a flag, so that everything can be closed and reported. A second
//! signal exits at once.
#![allow(unsafe_code, reason = "a signal handler must be async-signal-safe, which no type can show")]

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use signal_hook::{
    consts::TERM_SIGNALS,
    low_level::{self, register},
};

/// Exit code after a second signal: 128 + SIGINT, as of a shell.
const FORCED_EXIT_CODE: i32 = 130;

/// Time within which signals count as one: timeout(1) signals its program, and then the process group that
/// the program is in.
const SIGNAL_MERGE_WINDOW: Duration = Duration::from_millis(50);

/// Installs handlers for SIGINT, SIGTERM and SIGQUIT. The first signal sets the returned flag. A later one
/// ends the process with exit code 130, even if it is stuck.
///
/// # Errors
/// If a handler cannot be installed.
pub(crate) fn shutdown_flag() -> io::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    // Milliseconds from `began` to the first signal, plus 1. 0 before it.
    let first = Arc::new(AtomicU64::new(0));
    for signal in TERM_SIGNALS {
        let (flag, first) = (Arc::clone(&flag), Arc::clone(&first));
        let handler = move || {
            let now = u64::try_from(began.elapsed().as_millis()).map_or(u64::MAX, |passed| passed + 1);
            match first.compare_exchange(0, now, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => flag.store(true, Ordering::SeqCst),
                Err(before) if u128::from(now - before.min(now)) > SIGNAL_MERGE_WINDOW.as_millis() => {
                    low_level::exit(FORCED_EXIT_CODE)
                }
                Err(_) => {}
            }
        };
        // SAFETY: the handler reads a clock (clock_gettime), changes atomic numbers and calls _exit: all of
        // them are async-signal-safe, see signal-safety(7).
        unsafe { register(*signal, handler) }?;
    }
    Ok(flag)
}

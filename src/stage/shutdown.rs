//! Who is told to end: Ctrl-C, and its kin, noticed in a flag, so that everything can be closed and told. A second time ends at once.
#![allow(unsafe_code, reason = "what runs inside a signal handler is for its writer to prove")]

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

/// Exit code of a program that was told twice to end.
const FORCED_EXIT_CODE: i32 = 130;

/// Signals within this time are one: timeout(1) signals its program, and then the group of processes that this is in.
const SIGNAL_MERGE_WINDOW: Duration = Duration::from_millis(50);

/// Becomes true when somebody wants the program to end: SIGINT, SIGTERM, SIGQUIT. Whoever says so again later ends it at once, with
/// exit code 130, also if it is stuck.
///
/// # Errors
/// If a signal can't be listened to.
pub fn shutdown_flag() -> io::Result<Arc<AtomicBool>> {
    let told = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    // Milliseconds from there to the first signal, and one, so that 0 is none.
    let first = Arc::new(AtomicU64::new(0));
    for signal in TERM_SIGNALS {
        let (told, first) = (Arc::clone(&told), Arc::clone(&first));
        let noticed = move || {
            let now = u64::try_from(began.elapsed().as_millis()).map_or(u64::MAX, |passed| passed + 1);
            match first.compare_exchange(0, now, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => told.store(true, Ordering::SeqCst),
                Err(before) if u128::from(now - before.min(now)) > SIGNAL_MERGE_WINDOW.as_millis() => {
                    low_level::exit(FORCED_EXIT_CODE)
                }
                Err(_) => {}
            }
        };
        // SAFETY: it reads a clock (clock_gettime), changes atomic numbers and calls _exit: all may be done in a handler, see
        // signal-safety(7).
        unsafe { register(*signal, noticed) }?;
    }
    Ok(told)
}

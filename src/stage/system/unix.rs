//! Unix: a blocked thread is woken by a signal whose handler does nothing and does not restart the call.
#![allow(unsafe_code, reason = "signals have no safe form in the crates we use")]

use std::{os::fd::AsFd, sync::Once, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::kernel::{Interest, poll};

/// The signal that interrupts a blocked call.
const SIGNAL: libc::c_int = libc::SIGUSR2;

/// MSG_NOSIGNAL where it exists: EPIPE is an error, and no signal. std sets SO_NOSIGPIPE elsewhere.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) const NONBLOCKING: i32 = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) const NONBLOCKING: i32 = libc::MSG_DONTWAIT;

/// A thread to signal.
pub(in super::super) struct ThreadId(libc::pthread_t);

// SAFETY: on some systems `pthread_t` is a pointer. It is passed to pthread_kill alone, which any thread may
// call.
unsafe impl Send for ThreadId {}

/// Installs the handler of the signal, once for the process. Corresponds to `sigaction(2)` without
/// SA_RESTART.
pub(in super::super) fn install_interrupt_handler() {
    static ONCE: Once = Once::new();
    extern "C" fn nothing(_: libc::c_int) {}
    ONCE.call_once(|| {
        // SAFETY: all zero is a valid `sigaction` without flags, and the handler does nothing.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = nothing as *const () as libc::sighandler_t;
            libc::sigaction(SIGNAL, &raw const action, std::ptr::null_mut());
        }
    });
}

/// Blocks all signals but the interrupting one, in this thread and in those that it starts: any other signal,
/// even an ignored one, would cut a call of the lesson short. Corresponds to `pthread_sigmask(3)`.
pub(in super::super) fn block_other_signals() {
    // SAFETY: sigfillset initializes the set, and only this thread's mask changes.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigdelset(&raw mut all, SIGNAL);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
    }
}

/// The calling thread.
pub(in super::super) fn current_thread() -> ThreadId {
    // SAFETY: pthread_self has no preconditions.
    ThreadId(unsafe { libc::pthread_self() })
}

/// Makes the call that the thread is blocked in fail with EINTR. Corresponds to `pthread_kill(3)`. The thread
/// must not have ended.
pub(in super::super) fn interrupt(thread: &ThreadId) {
    // SAFETY: the thread is alive: `CurrentThread` has its id under a lock that the caller holds, and removes
    // it before the thread ends.
    unsafe {
        libc::pthread_kill(thread.0, SIGNAL);
    }
}

/// Raises the soft limit of descriptors to the hard limit. Returns the limit in force. Corresponds to
/// `setrlimit(2)`.
pub(crate) fn raise_descriptor_limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let limit = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    usize::try_from(limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX)
}

/// Whether standard output is a pipe or a socket whose reader is gone, so that a write would fail with EPIPE.
pub(crate) fn stdout_has_no_reader() -> bool {
    let stdout = std::io::stdout();
    poll([(&stdout.as_fd(), Interest::None)], Some(Duration::ZERO)).is_ok_and(|[found]| found.error)
}

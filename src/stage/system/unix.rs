//! Unix: a blocked thread is woken by a signal whose handler does nothing and does not restart the call.
#![allow(unsafe_code, reason = "signals have no safe form in std")]

use std::sync::Once;

/// The signal that ends a blocked call.
const SIGNAL: libc::c_int = libc::SIGUSR2;

/// A thread to signal.
pub(in super::super) struct ThreadId(libc::pthread_t);

// On some systems `pthread_t` is a pointer; it is only ever handed to pthread_kill.
// SAFETY: pthread_kill may be called from any thread.
unsafe impl Send for ThreadId {}

/// Installs the handler, once for the process.
pub(in super::super) fn install_interrupt_handler() {
    static ONCE: Once = Once::new();
    extern "C" fn nothing(_: libc::c_int) {}
    ONCE.call_once(|| {
        // SAFETY: all zero is a valid `sigaction` (no flags: no SA_RESTART); the handler touches nothing.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = nothing as *const () as libc::sighandler_t;
            libc::sigaction(SIGNAL, &raw const action, std::ptr::null_mut());
        }
    });
}

/// Lets this thread, and those that it starts, hear no signal but the one that ends a call: any other would cut a narrated call
/// short, even one that is ignored.
pub(in super::super) fn block_other_signals() {
    // SAFETY: the set is filled before it is used, and only this thread's mask changes.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigdelset(&raw mut all, SIGNAL);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
    }
}

/// The calling thread.
pub(in super::super) fn current_thread() -> ThreadId {
    // SAFETY: takes and changes nothing.
    ThreadId(unsafe { libc::pthread_self() })
}

/// Makes the call that the thread is blocked in return EINTR. The thread must be alive: its ticket sees to that.
pub(in super::super) fn interrupt(thread: &ThreadId) {
    // SAFETY: the caller holds the lock under which the thread would take its id back before it ends.
    unsafe {
        libc::pthread_kill(thread.0, SIGNAL);
    }
}

/// Lets this process have as many descriptors as it may without asking anybody: the soft limit becomes the hard one, see
/// getrlimit(2). Gives how many that are.
pub fn raise_descriptor_limit() -> usize {
    // SAFETY: both calls read or write one `rlimit`, for which all zero is a value.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) != 0 {
            return 256;
        }
        let wanted = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
        if libc::setrlimit(libc::RLIMIT_NOFILE, &raw const wanted) == 0 {
            limit = wanted;
        }
        usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX)
    }
}

/// Whether standard output is a pipe or socket whose other end is gone: poll(2) says POLLERR, and a write would give EPIPE.
pub fn stdout_has_no_reader() -> bool {
    let mut one = libc::pollfd { fd: libc::STDOUT_FILENO, events: 0, revents: 0 };
    // SAFETY: the array is one `pollfd` long and outlives the call.
    unsafe { libc::poll(&raw mut one, 1, 0) > 0 && one.revents & libc::POLLERR != 0 }
}

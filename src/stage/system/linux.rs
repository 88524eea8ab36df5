//! Linux: a host's thread has a descriptor table of its own and no capabilities.
#![allow(unsafe_code, reason = "close_range(2) and malloc_trim(3) have no safe form in the crates we use")]

use std::os::fd::AsFd;

use rustix::{
    io::fcntl_dupfd_cloexec,
    thread::{CapabilitySet, CapabilitySets, set_capabilities},
};

/// The first descriptor after standard error.
const FIRST: libc::c_uint = 3;

/// A number beyond the observer's descriptor. The descriptor table is made large enough for it in advance.
const FAR: libc::c_int = 120;

/// Unshares the descriptor table of this thread. The new table holds standard input, output and error only,
/// so the thread's first socket is 3, as in a separate program. Does nothing before Linux 5.9. Corresponds to
/// `close_range(2)`.
pub(in super::super) fn unshare_descriptors() {
    // SAFETY: CLOSE_RANGE_UNSHARE closes copies of the descriptors, in this thread's new table. Their owners
    // use the process's table.
    unsafe {
        libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, libc::CLOSE_RANGE_UNSHARE);
    }
    // Enlarging the table takes the kernel milliseconds once two threads share it, and no time now.
    drop(fcntl_dupfd_cloexec(std::io::stdin().as_fd(), FAR));
}

/// Drops all capabilities of this thread, or all but CAP_NET_RAW, see capabilities(7): root meets EACCES like
/// any user. Corresponds to `capset(2)`.
pub(in super::super) fn drop_capabilities(keep_raw_sockets: bool) {
    let kept = if keep_raw_sockets { CapabilitySet::NET_RAW } else { CapabilitySet::empty() };
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    // Fails only for a process that lacks CAP_NET_RAW already; its socket(2) then reports EPERM.
    let _ = set_capabilities(None, sets);
}

/// Corresponds to `malloc_trim(3)`.
#[cfg(target_env = "gnu")]
pub(in super::super) fn trim() {
    // SAFETY: glibc allows the call at any time on any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

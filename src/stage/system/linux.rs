//! Linux: a host thread with descriptors of its own and without the rights of root.
#![allow(
    unsafe_code,
    reason = "threads are given tables and rights of their own by system calls that std does not have"
)]

/// The first descriptor behind standard input, output and error.
const FIRST: libc::c_uint = 3;

/// As far behind as the observer goes, and a little more.
const FAR: libc::c_int = 120;

/// Gives this thread a descriptor table of its own with nothing above standard error in it: its first socket is 3, as in a
/// program of its own. Where that can't be had (before Linux 5.9), the numbers are those of the process.
pub(in super::super) fn unshare_descriptors() {
    // SAFETY: the closed descriptors are this thread's copies; their owners have theirs in the process's table.
    unsafe {
        libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, libc::CLOSE_RANGE_UNSHARE);
    }
    // The observer will keep its descriptor far behind. To make room for that takes the kernel milliseconds once two threads
    // share the table, and nothing now.
    // SAFETY: plain calls; the descriptor that is closed was just made.
    unsafe {
        let far = libc::fcntl(libc::STDIN_FILENO, libc::F_DUPFD_CLOEXEC, FAR);
        if far >= FAR {
            libc::close(far);
        }
    }
}

/// Drops all capabilities of this thread, see capabilities(7), or all but the one for raw sockets: root is shown what everybody
/// meets.
pub(in super::super) fn drop_capabilities(but_raw_sockets: bool) {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: libc::c_int,
    }
    #[repr(C)]
    #[derive(Default)]
    struct Sets {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    const NET_RAW: u32 = 1 << 13;
    let header = Header { version: VERSION_3, pid: 0 };
    let kept = if but_raw_sockets { NET_RAW } else { 0 };
    let sets = [Sets { effective: kept, permitted: kept, inheritable: 0 }, Sets::default()];
    // SAFETY: version 3 of capset reads one header and two sets; pid 0 is the calling thread alone.
    unsafe {
        libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr());
    }
}

/// Corresponds to `malloc_trim(3)`.
#[cfg(target_env = "gnu")]
pub(in super::super) fn trim() {
    // SAFETY: it may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

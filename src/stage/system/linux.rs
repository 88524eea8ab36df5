//! Linux: a host thread with descriptors of its own and without the rights of root.
#![allow(
    unsafe_code,
    reason = "threads are given tables and rights of their own by system calls that std does not have"
)]

/// The first descriptor behind standard input, output and error.
const FIRST: libc::c_uint = 3;

/// Gives this thread a descriptor table of its own with nothing above standard error in it: its first socket is 3, as in a
/// program of its own. Where that can't be had (before Linux 5.9), the numbers are those of the process.
pub(in super::super) fn settle_in() {
    // SAFETY: the closed descriptors are this thread's copies; their owners have theirs in the process's table.
    unsafe {
        libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, libc::CLOSE_RANGE_UNSHARE);
    }
}

/// Drops all capabilities of this thread, see capabilities(7): root is shown what everybody meets.
pub(in super::super) fn give_up_rights() {
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
    let header = Header { version: VERSION_3, pid: 0 };
    let none = [Sets::default(), Sets::default()];
    // SAFETY: version 3 of capset reads one header and two sets; pid 0 is the calling thread alone.
    unsafe {
        libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr());
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

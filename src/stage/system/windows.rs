//! Windows: the synchronous I/O of a blocked thread is cancelled.
#![allow(unsafe_code, reason = "cancelling a thread's call has no safe form in std")]

use windows_sys::Win32::{
    Foundation::{DUPLICATE_SAME_ACCESS, DuplicateHandle, HANDLE},
    System::{
        IO::CancelSynchronousIo,
        Threading::{GetCurrentProcess, GetCurrentThread},
    },
};

/// WinSock has no MSG_DONTWAIT.
pub(super) const NONBLOCKING: i32 = 0;

/// A thread whose calls can be cancelled.
pub(in super::super) struct ThreadId(HANDLE);

// SAFETY: a thread handle may be used from any thread.
unsafe impl Send for ThreadId {}

/// Nothing to install_interrupt_handler.
pub(in super::super) fn install_interrupt_handler() {}

/// Does nothing: there are no signals.
pub(in super::super) fn block_other_signals() {}

/// The calling thread.
pub(in super::super) fn current_thread() -> ThreadId {
    let mut handle: HANDLE = std::ptr::null_mut();
    // SAFETY: the pseudo handles are valid on their own thread, and `handle` outlives the call.
    unsafe {
        let process = GetCurrentProcess();
        DuplicateHandle(process, GetCurrentThread(), process, &raw mut handle, 0, 0, DUPLICATE_SAME_ACCESS);
    }
    ThreadId(handle)
}

/// Makes the blocked call fail. Corresponds to `CancelSynchronousIo`.
pub(in super::super) fn interrupt(thread: &ThreadId) {
    // SAFETY: the handle was made by `current_thread` and is never closed.
    unsafe {
        CancelSynchronousIo(thread.0);
    }
}

/// Windows limits handles by memory only.
pub(crate) fn raise_descriptor_limit() -> usize {
    usize::MAX
}

/// False: on Windows only a write finds out.
pub(crate) fn stdout_has_no_reader() -> bool {
    false
}

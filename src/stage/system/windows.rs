//! Windows: a blocked synchronous call of a thread is cancelled.
#![allow(unsafe_code, reason = "cancelling a thread's call has no safe form in std")]

use windows_sys::Win32::{
    Foundation::{DUPLICATE_SAME_ACCESS, DuplicateHandle, HANDLE},
    System::{
        IO::CancelSynchronousIo,
        Threading::{GetCurrentProcess, GetCurrentThread},
    },
};

/// A thread whose calls can be cancelled.
pub(in super::super) struct ThreadId(HANDLE);

// SAFETY: a thread handle may be used from any thread.
unsafe impl Send for ThreadId {}

/// Nothing to install_interrupt_handler.
pub(in super::super) fn install_interrupt_handler() {}

/// Nothing interrupts a call here.
pub(in super::super) fn block_other_signals() {}

/// The calling thread.
pub(in super::super) fn current_thread() -> ThreadId {
    let mut handle: HANDLE = std::ptr::null_mut();
    // SAFETY: duplicates the pseudo handle of this thread into a real one.
    unsafe {
        let process = GetCurrentProcess();
        DuplicateHandle(process, GetCurrentThread(), process, &raw mut handle, 0, 0, DUPLICATE_SAME_ACCESS);
    }
    ThreadId(handle)
}

/// Corresponds to `CancelSynchronousIo`: the blocked call returns with an error.
pub(in super::super) fn interrupt(thread: &ThreadId) {
    // SAFETY: the handle is a thread's own and open.
    unsafe {
        CancelSynchronousIo(thread.0);
    }
}

/// Handles have no such limit here.
pub fn raise_descriptor_limit() -> usize {
    usize::MAX
}

/// Here only a write finds out.
pub fn stdout_has_no_reader() -> bool {
    false
}

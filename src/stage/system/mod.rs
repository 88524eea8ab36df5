//! Threads, privileges and signals: what differs by operating system.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as this;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as this;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(super) use linux::{drop_capabilities, unshare_descriptors};

pub(super) use this::{ThreadId, block_other_signals, current_thread, install_interrupt_handler, interrupt};
pub(crate) use this::{raise_descriptor_limit, stdout_has_no_reader};

/// Does nothing: on other systems a host shares the descriptor table of its process.
#[cfg(not(target_os = "linux"))]
pub(super) fn unshare_descriptors() {}

/// Does nothing: on other systems a thread has the privileges of its process.
#[cfg(not(target_os = "linux"))]
pub(super) fn drop_capabilities(_: bool) {}

/// Returns free memory to the kernel where the allocator would keep it: glibc keeps an arena for each of many
/// ended threads.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn trim_memory() {
    linux::trim();
}

/// Does nothing: other allocators have no such call.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn trim_memory() {}

/// Sends as many bytes as the kernel takes at once. Corresponds to `send(2)` with MSG_DONTWAIT. On Windows it
/// blocks until all bytes are taken.
///
/// # Errors
/// EAGAIN (the send buffer is full), and the errors of `send`.
pub(crate) fn send_nonblocking(socket: &socket2::Socket, bytes: &[u8]) -> std::io::Result<usize> {
    socket.send_with_flags(bytes, this::NONBLOCKING)
}

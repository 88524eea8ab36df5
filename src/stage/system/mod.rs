//! Threads, rights and signals: what of a stage differs by operating system.

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
pub use this::{raise_descriptor_limit, stdout_has_no_reader};

/// Elsewhere a host shares the descriptors of its process.
#[cfg(not(target_os = "linux"))]
pub(super) fn unshare_descriptors() {}

/// Elsewhere a thread's rights are its process's.
#[cfg(not(target_os = "linux"))]
pub(super) fn drop_capabilities(_: bool) {}

/// Gives free memory back to the kernel where the allocator keeps it: glibc keeps an arena for many a thread that has ended.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn trim_memory() {
    linux::trim();
}

/// Elsewhere the allocator does as it likes.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn trim_memory() {}

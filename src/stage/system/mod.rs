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
pub(super) use linux::{give_up_rights, settle_in};

pub(super) use this::{ThreadId, hear_only_the_end, interrupt, prepare, this_thread};
pub use this::{nobody_reads_stdout, raise_descriptor_limit};

/// Elsewhere a host shares the descriptors of its process.
#[cfg(not(target_os = "linux"))]
pub(super) fn settle_in() {}

/// Elsewhere a thread's rights are its process's.
#[cfg(not(target_os = "linux"))]
pub(super) fn give_up_rights(_: bool) {}

/// Gives free memory back to the kernel where the allocator keeps it: glibc keeps an arena for many a thread that has ended.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn give_memory_back() {
    linux::trim();
}

/// Elsewhere the allocator does as it likes.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_memory_back() {}

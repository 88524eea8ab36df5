//! A thread observed from another one: /proc/self/task/TID/syscall, see proc_pid_syscall(5).

use std::{fs, io};

use super::super::ThreadState;

/// A thread of this process. It holds no descriptor, so threads with different descriptor tables can share
/// it.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    id: i32,
}

impl Task {
    /// The calling thread. Corresponds to `gettid(2)`.
    pub fn current() -> Task {
        Task { id: rustix::thread::gettid().as_raw_nonzero().get() }
    }

    /// The thread's number, as in strace and /proc.
    pub fn id(&self) -> Option<i64> {
        Some(i64::from(self.id))
    }

    /// Whether the thread is blocked in a network call on `descriptor`; with −1, whether it sleeps in
    /// `clock_nanosleep`.
    pub fn state(&self, descriptor: i64) -> ThreadState {
        match self.current_syscall() {
            Err(_) => ThreadState::Unknown,
            Ok(Some((number, first))) if first == descriptor && NETWORK_CALLS.contains(&number) => {
                ThreadState::Blocked
            }
            Ok(Some((libc::SYS_clock_nanosleep, _))) if descriptor < 0 => ThreadState::Blocked,
            Ok(_) => ThreadState::Running,
        }
    }

    /// Number and first argument of the system call that the thread is blocked in. `None` if it is not
    /// blocked.
    fn current_syscall(&self) -> io::Result<Option<(libc::c_long, i64)>> {
        let text = fs::read_to_string(format!("/proc/self/task/{}/syscall", self.id))?;
        let mut words = text.split_whitespace();
        let number = words.next().and_then(|word| word.parse().ok());
        let first = words.next().and_then(|word| i64::from_str_radix(word.trim_start_matches("0x"), 16).ok());
        Ok(number.zip(first).filter(|(number, _)| *number >= 0))
    }
}

/// System calls on sockets that can block.
const NETWORK_CALLS: [libc::c_long; 9] = [
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_connect,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_close,
    libc::SYS_shutdown,
];

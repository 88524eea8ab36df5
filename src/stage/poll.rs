//! Waiting for one socket while watching another: `poll(2)`. And sending as much as there is room for, without waiting.
#![allow(unsafe_code, reason = "poll has no safe form in std")]

use std::{io, time::Duration};

use socket2::Socket;

/// What is waited for on a socket. That it fails is always noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Nothing else.
    None,
    /// Bytes to read, or a caller to accept.
    Read,
    /// Room to write, or the end of connecting.
    Write,
}

/// What a socket is ready for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Readiness {
    /// What was waited for is there.
    pub ready: bool,
    /// It has an error: a RST came, or nobody answers any more (POLLERR).
    pub error: bool,
    /// Nothing more comes and nothing more can be sent (POLLHUP): both ends have shut down, or a RST has come. Said by Linux alone,
    /// as other systems mean other things by it.
    pub hangup: bool,
}

/// Corresponds to `poll(2)`: waits until one of the sockets is ready or has failed, or for so long. No signal ends it.
///
/// # Errors
/// If the call fails: the kernel has no memory.
pub fn poll<const N: usize>(
    sockets: [(&Socket, Interest); N],
    most: Option<Duration>,
) -> io::Result<[Readiness; N]> {
    let timeout = most.map_or(-1, |most| i32::try_from(most.as_millis()).unwrap_or(i32::MAX));
    let mut all = sockets.map(|(socket, wanted)| system::asked(socket, wanted));
    while let Err(error) = system::poll(&mut all, timeout) {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(all.map(|one| system::found(&one)))
}

/// Sends as much as the kernel takes at once: `send(2)` with MSG_DONTWAIT. (On Windows it waits until all is taken.)
///
/// # Errors
/// `WouldBlock` if there is no room at all; and whatever `send` says.
pub fn send_nonblocking(socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
    socket.send_with_flags(bytes, system::NOT_WAITING)
}

#[cfg(unix)]
mod system {
    use std::{io, os::fd::AsRawFd};

    use super::{Interest, Readiness, Socket};

    /// No wait; and where it is not so anyway, EPIPE is an error and no signal.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub const NOT_WAITING: i32 = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub const NOT_WAITING: i32 = libc::MSG_DONTWAIT;

    pub fn asked(socket: &Socket, wanted: Interest) -> libc::pollfd {
        let events = match wanted {
            Interest::None => 0,
            Interest::Read => libc::POLLIN,
            Interest::Write => libc::POLLOUT,
        };
        libc::pollfd { fd: socket.as_raw_fd(), events, revents: 0 }
    }

    pub fn poll(all: &mut [libc::pollfd], timeout: i32) -> io::Result<()> {
        let length = libc::nfds_t::try_from(all.len()).unwrap_or(libc::nfds_t::MAX);
        // SAFETY: the array is `length` elements long and outlives the call.
        let found = unsafe { libc::poll(all.as_mut_ptr(), length, timeout) };
        if found < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    pub fn found(one: &libc::pollfd) -> Readiness {
        Readiness {
            ready: one.revents & one.events != 0,
            error: one.revents & (libc::POLLERR | libc::POLLNVAL) != 0,
            hangup: cfg!(target_os = "linux") && one.revents & libc::POLLHUP != 0,
        }
    }
}

#[cfg(windows)]
mod system {
    use std::{io, os::windows::io::AsRawSocket};

    use windows_sys::Win32::Networking::WinSock::{
        POLLERR, POLLIN, POLLNVAL, POLLOUT, SOCKET, WSAPOLLFD, WSAPoll,
    };

    use super::{Interest, Readiness, Socket};

    pub const NOT_WAITING: i32 = 0;

    pub fn asked(socket: &Socket, wanted: Interest) -> WSAPOLLFD {
        let events = match wanted {
            Interest::None => 0,
            Interest::Read => POLLIN,
            Interest::Write => POLLOUT,
        };
        let fd = SOCKET::try_from(socket.as_raw_socket()).unwrap_or(SOCKET::MAX);
        WSAPOLLFD { fd, events, revents: 0 }
    }

    pub fn poll(all: &mut [WSAPOLLFD], timeout: i32) -> io::Result<()> {
        let length = u32::try_from(all.len()).unwrap_or(u32::MAX);
        // SAFETY: the array is `length` elements long and outlives the call.
        let found = unsafe { WSAPoll(all.as_mut_ptr(), length, timeout) };
        if found < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    pub fn found(one: &WSAPOLLFD) -> Readiness {
        Readiness {
            ready: one.revents & one.events != 0,
            failed: one.revents & (POLLERR | POLLNVAL) != 0,
            over: false,
        }
    }
}

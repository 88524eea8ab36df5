//! `poll(2)`: what sockets are ready for. It takes no byte and clears no error.

use std::{
    io,
    time::{Duration, Instant},
};

#[cfg(unix)]
use std::os::fd::AsFd as Pollable;
#[cfg(windows)]
use std::os::windows::io::AsRawSocket as Pollable;

/// The event that a caller waits for on a socket. Errors are reported in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Errors alone.
    None,
    /// Bytes to receive, the end of the stream, or a connection to accept (POLLIN).
    Read,
    /// Space in the send buffer, or the end of `connect` (POLLOUT).
    Write,
}

/// The state of a socket when `poll` returned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// The event that the caller waited for.
    pub ready: bool,
    /// An error is pending: a RST arrived, or the peer has stopped answering (POLLERR).
    pub error: bool,
    /// Both directions have ended (POLLHUP). Reported on Linux only: other systems give POLLHUP other
    /// meanings.
    pub hangup: bool,
}

/// Corresponds to `poll(2)`. Waits until one of the sockets is ready or has an error, up to `timeout`;
/// forever if there is none. A signal does not end the wait.
///
/// # Errors
/// ENOMEM: the kernel has no memory for the list.
pub(crate) fn poll<T: Pollable, const N: usize>(
    sockets: [(&T, Interest); N],
    timeout: Option<Duration>,
) -> io::Result<[Readiness; N]> {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut left = timeout;
    loop {
        match system::poll(&sockets, left) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            }
            result => return result,
        }
    }
}

/// Whether `recv` would return at once: with bytes, with the end of the stream, or with an error.
///
/// Always true on Windows, where callers set a read timeout instead.
pub(crate) fn is_readable(socket: &socket2::Socket) -> bool {
    cfg!(not(unix))
        || poll([(socket, Interest::Read)], Some(Duration::ZERO))
            .is_ok_and(|[found]| found.ready || found.error || found.hangup)
}

#[cfg(unix)]
mod system {
    use std::{io, time::Duration};

    use rustix::event::{PollFd, PollFlags, Timespec};

    use super::{Interest, Pollable, Readiness};

    pub(super) fn poll<T: Pollable, const N: usize>(
        sockets: &[(&T, Interest); N],
        timeout: Option<Duration>,
    ) -> io::Result<[Readiness; N]> {
        let mut fds = sockets.each_ref().map(|(socket, interest)| PollFd::new(*socket, flags(*interest)));
        // A timeout beyond the range of `timespec` is no timeout.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        rustix::event::poll(&mut fds, timeout.as_ref())?;
        let mut found = [Readiness::default(); N];
        for ((found, fd), (_, interest)) in found.iter_mut().zip(&fds).zip(sockets) {
            let events = fd.revents();
            *found = Readiness {
                ready: events.intersects(flags(*interest)),
                error: events.intersects(PollFlags::ERR | PollFlags::NVAL),
                hangup: cfg!(target_os = "linux") && events.contains(PollFlags::HUP),
            };
        }
        Ok(found)
    }

    fn flags(interest: Interest) -> PollFlags {
        match interest {
            Interest::None => PollFlags::empty(),
            Interest::Read => PollFlags::IN,
            Interest::Write => PollFlags::OUT,
        }
    }
}

#[cfg(windows)]
#[allow(unsafe_code, reason = "WSAPoll has no safe form in the crates we use")]
mod system {
    use std::{io, time::Duration};

    use windows_sys::Win32::Networking::WinSock::{
        POLLERR, POLLIN, POLLNVAL, POLLOUT, SOCKET, WSAPOLLFD, WSAPoll,
    };

    use super::{Interest, Pollable, Readiness};

    pub(super) fn poll<T: Pollable, const N: usize>(
        sockets: &[(&T, Interest); N],
        timeout: Option<Duration>,
    ) -> io::Result<[Readiness; N]> {
        let mut fds = sockets.each_ref().map(|(socket, interest)| {
            let events = match interest {
                Interest::None => 0,
                Interest::Read => POLLIN,
                Interest::Write => POLLOUT,
            };
            let fd = SOCKET::try_from(socket.as_raw_socket()).unwrap_or(SOCKET::MAX);
            WSAPOLLFD { fd, events, revents: 0 }
        });
        let milliseconds =
            timeout.map_or(-1, |timeout| i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX));
        let length = u32::try_from(N).unwrap_or(u32::MAX);
        // SAFETY: the array has `length` elements and outlives the call.
        if unsafe { WSAPoll(fds.as_mut_ptr(), length, milliseconds) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(fds.map(|fd| Readiness {
            ready: fd.revents & fd.events != 0,
            error: fd.revents & (POLLERR | POLLNVAL) != 0,
            hangup: false,
        }))
    }
}

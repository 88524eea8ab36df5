//! Whether a recv would wait: poll(2), which takes nothing and changes nothing.

use std::time::Duration;

use socket2::Socket;

/// Whether bytes, the end of the stream or an error are there to be received, or come within `most`.
#[cfg(unix)]
#[allow(unsafe_code, reason = "poll(2) has no safe form in socket2")]
pub fn is_readable(socket: &Socket, most: Duration) -> bool {
    use std::os::fd::AsRawFd;
    let mut one = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let most = libc::c_int::try_from(most.as_millis()).unwrap_or(libc::c_int::MAX);
    // SAFETY: the array is one `pollfd` long and outlives the call.
    unsafe { libc::poll(&raw mut one, 1, most) > 0 }
}

/// Always yes: here one has to receive to find out.
#[cfg(not(unix))]
pub fn is_readable(_: &Socket, _: Duration) -> bool {
    true
}

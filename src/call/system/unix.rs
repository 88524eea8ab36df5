//! Unix: descriptors are small numbers, and errors and flags are libc's.
#![allow(unsafe_code, reason = "a descriptor is turned into its owner")]

use std::os::fd::{AsRawFd, FromRawFd};

use socket2::Socket;

/// Names of errors and their numbers on this system.
pub const ERRNOS: &[(&str, i32)] = &[
    ("EACCES", libc::EACCES),
    ("EADDRINUSE", libc::EADDRINUSE),
    ("EADDRNOTAVAIL", libc::EADDRNOTAVAIL),
    ("EAFNOSUPPORT", libc::EAFNOSUPPORT),
    ("EAGAIN", libc::EAGAIN),
    ("EALREADY", libc::EALREADY),
    ("EBADF", libc::EBADF),
    ("ECONNABORTED", libc::ECONNABORTED),
    ("ECONNREFUSED", libc::ECONNREFUSED),
    ("ECONNRESET", libc::ECONNRESET),
    ("EDESTADDRREQ", libc::EDESTADDRREQ),
    ("EFAULT", libc::EFAULT),
    ("EHOSTUNREACH", libc::EHOSTUNREACH),
    ("EINPROGRESS", libc::EINPROGRESS),
    ("EINTR", libc::EINTR),
    ("EINVAL", libc::EINVAL),
    ("EIO", libc::EIO),
    ("EISCONN", libc::EISCONN),
    ("EMFILE", libc::EMFILE),
    ("EMSGSIZE", libc::EMSGSIZE),
    ("ENETUNREACH", libc::ENETUNREACH),
    ("ENOBUFS", libc::ENOBUFS),
    ("ENOMEM", libc::ENOMEM),
    ("ENOPROTOOPT", libc::ENOPROTOOPT),
    ("ENOTCONN", libc::ENOTCONN),
    ("ENOTSOCK", libc::ENOTSOCK),
    ("EOPNOTSUPP", libc::EOPNOTSUPP),
    ("EPERM", libc::EPERM),
    ("EPIPE", libc::EPIPE),
    ("EPROTO", libc::EPROTO),
    ("EPROTONOSUPPORT", libc::EPROTONOSUPPORT),
    ("ESHUTDOWN", libc::ESHUTDOWN),
    ("ETIMEDOUT", libc::ETIMEDOUT),
];

/// The descriptor's number.
pub fn descriptor(socket: &Socket) -> i64 {
    i64::from(socket.as_raw_fd())
}

/// The owner of a descriptor that nobody else will close.
pub fn owner_of(descriptor: i64) -> Socket {
    let fd = i32::try_from(descriptor).expect("it came from `descriptor`, which widens an i32");
    // SAFETY: `Held::take` alone calls this, once for each socket, and never closes its own copy.
    unsafe { Socket::from_raw_fd(fd) }
}

/// The value of a flag of send and recv.
pub fn flag(name: &str) -> i32 {
    match name {
        "MSG_DONTWAIT" => libc::MSG_DONTWAIT,
        "MSG_PEEK" => libc::MSG_PEEK,
        "MSG_WAITALL" => libc::MSG_WAITALL,
        "MSG_OOB" => libc::MSG_OOB,
        _ => 0,
    }
}

/// `SO_ACCEPTCONN`, where the system has it.
pub fn is_listener(socket: &Socket) -> std::io::Result<bool> {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    return socket.is_listener();
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    {
        let _ = socket;
        Err(std::io::Error::from_raw_os_error(libc::ENOPROTOOPT))
    }
}

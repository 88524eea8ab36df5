//! The errors that a call can return, by their names in POSIX. One table for all systems.

/// Makes the table: the name in POSIX and the name in Winsock, where Winsock has that error.
macro_rules! errnos {
    ($($name:ident $($winsock:ident)?;)*) => {
        /// Names of errors, and their numbers on this system, where it has them.
        pub const ERRNOS: &[(&str, Option<i32>)] = &[$((stringify!($name), errnos!(@number $name $($winsock)?)),)*];
    };
    (@number $name:ident $($winsock:ident)?) => {{
        #[cfg(unix)]
        let number = Some(libc::$name);
        #[cfg(windows)]
        let number = errnos!(@winsock $($winsock)?);
        number
    }};
    (@winsock $winsock:ident) => { Some(windows_sys::Win32::Networking::WinSock::$winsock) };
    (@winsock) => { None };
}

errnos! {
    EACCES WSAEACCES;
    EADDRINUSE WSAEADDRINUSE;
    EADDRNOTAVAIL WSAEADDRNOTAVAIL;
    EAFNOSUPPORT WSAEAFNOSUPPORT;
    EAGAIN WSAEWOULDBLOCK;
    EALREADY WSAEALREADY;
    EBADF WSAEBADF;
    ECONNABORTED WSAECONNABORTED;
    ECONNREFUSED WSAECONNREFUSED;
    ECONNRESET WSAECONNRESET;
    EDESTADDRREQ WSAEDESTADDRREQ;
    EFAULT WSAEFAULT;
    EHOSTUNREACH WSAEHOSTUNREACH;
    EINPROGRESS WSAEINPROGRESS;
    EINTR WSAEINTR;
    EINVAL WSAEINVAL;
    EIO;
    EISCONN WSAEISCONN;
    EMFILE WSAEMFILE;
    EMSGSIZE WSAEMSGSIZE;
    ENETUNREACH WSAENETUNREACH;
    ENFILE;
    ENOBUFS WSAENOBUFS;
    ENOMEM;
    ENOPROTOOPT WSAENOPROTOOPT;
    ENOTCONN WSAENOTCONN;
    ENOTSOCK WSAENOTSOCK;
    EOPNOTSUPP WSAEOPNOTSUPP;
    EPERM;
    EPIPE;
    EPROTO;
    EPROTONOSUPPORT WSAEPROTONOSUPPORT;
    ESHUTDOWN WSAESHUTDOWN;
    ETIMEDOUT WSAETIMEDOUT;
}

//! Unix: descriptors are small numbers, and errors and flags are libc's.
#![allow(
    unsafe_code,
    reason = "a descriptor is turned into its owner, and some options of TCP have no form in socket2"
)]

use std::os::fd::{AsRawFd, FromRawFd};

use socket2::Socket;

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
        "MSG_TRUNC" => libc::MSG_TRUNC,
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

/// Sleeps so long, or until a signal comes: std's own sleep would sleep on, and nobody could end it.
pub fn pause(time: std::time::Duration) -> std::io::Result<()> {
    let invalid = || std::io::Error::from_raw_os_error(libc::EINVAL);
    let asked = libc::timespec {
        tv_sec: time.as_secs().try_into().map_err(|_| invalid())?,
        // Less than a thousand million, whatever the width of the field.
        tv_nsec: i32::try_from(time.subsec_nanos()).map_err(|_| invalid())?.into(),
    };
    #[cfg(target_os = "linux")]
    {
        // SAFETY: the kernel reads one timespec, which outlives the call; what is left of the time is not asked for.
        let error = unsafe {
            libc::clock_nanosleep(libc::CLOCK_MONOTONIC, 0, &raw const asked, std::ptr::null_mut())
        };
        // Unlike its kin it gives the error's number itself.
        if error == 0 { Ok(()) } else { Err(std::io::Error::from_raw_os_error(error)) }
    }
    #[cfg(not(target_os = "linux"))]
    {
        // SAFETY: as above.
        let result = unsafe { libc::nanosleep(&raw const asked, std::ptr::null_mut()) };
        if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    }
}

/// The number of an option of TCP, where the system has it.
fn tcp_option_number(name: &str) -> std::io::Result<libc::c_int> {
    Ok(match name {
        "TCP_KEEPINTVL" => libc::TCP_KEEPINTVL,
        "TCP_KEEPCNT" => libc::TCP_KEEPCNT,
        "TCP_MAXSEG" => libc::TCP_MAXSEG,
        #[cfg(target_os = "linux")]
        "TCP_KEEPIDLE" => libc::TCP_KEEPIDLE,
        #[cfg(target_os = "linux")]
        "TCP_USER_TIMEOUT" => libc::TCP_USER_TIMEOUT,
        #[cfg(target_os = "linux")]
        "TCP_QUICKACK" => libc::TCP_QUICKACK,
        #[cfg(target_os = "linux")]
        "TCP_CORK" => libc::TCP_CORK,
        #[cfg(target_os = "linux")]
        "TCP_SYNCNT" => libc::TCP_SYNCNT,
        _ => return Err(std::io::Error::from_raw_os_error(libc::ENOPROTOOPT)),
    })
}

fn size_of_int() -> std::io::Result<libc::socklen_t> {
    libc::socklen_t::try_from(size_of::<libc::c_int>()).map_err(std::io::Error::other)
}

/// Sets an option of TCP that is a whole number.
pub fn set_tcp_option(socket: &Socket, name: &str, value: i64) -> std::io::Result<()> {
    let number = tcp_option_number(name)?;
    let value = libc::c_int::try_from(value).map_err(|_| std::io::Error::from_raw_os_error(libc::EINVAL))?;
    let length = size_of_int()?;
    // SAFETY: the kernel reads one int, which outlives the call.
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, number, (&raw const value).cast(), length)
    };
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// Reads an option of TCP that is a whole number.
pub fn tcp_option(socket: &Socket, name: &str) -> std::io::Result<i64> {
    let number = tcp_option_number(name)?;
    let mut value: libc::c_int = 0;
    let mut length = size_of_int()?;
    // SAFETY: the kernel writes at most `length` bytes, one int, and both outlive the call.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            number,
            (&raw mut value).cast(),
            &raw mut length,
        )
    };
    if result == 0 { Ok(i64::from(value)) } else { Err(std::io::Error::last_os_error()) }
}

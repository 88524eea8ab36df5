//! Unix: descriptors are small numbers, and errors and flags are libc's.
#![allow(unsafe_code, reason = "TCP_SYNCNT and its kin have no safe form in the crates we use")]

use std::os::fd::AsRawFd;

use socket2::Socket;

/// The descriptor's number.
pub fn descriptor(socket: &Socket) -> i64 {
    i64::from(socket.as_raw_fd())
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

/// Sleeps for `time`, or until a signal: `std::thread::sleep` would continue after the signal.
pub fn pause(time: std::time::Duration) -> std::io::Result<()> {
    use rustix::thread::NanosleepRelativeResult;
    let request = time.try_into().map_err(|_| std::io::Error::from_raw_os_error(libc::EINVAL))?;
    #[cfg(target_os = "linux")]
    let result = rustix::thread::clock_nanosleep_relative(rustix::thread::ClockId::Monotonic, &request);
    #[cfg(not(target_os = "linux"))]
    let result = rustix::thread::nanosleep(&request);
    match result {
        NanosleepRelativeResult::Ok => Ok(()),
        NanosleepRelativeResult::Interrupted(_) => Err(std::io::Error::from_raw_os_error(libc::EINTR)),
        NanosleepRelativeResult::Err(error) => Err(error.into()),
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

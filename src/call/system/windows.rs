//! Windows: Winsock's handles, flags and error numbers, under the names that the lessons use.
use std::os::windows::io::AsRawSocket;

use socket2::Socket;
use windows_sys::Win32::Networking::WinSock as ws;

/// The handle's number.
pub fn descriptor(socket: &Socket) -> i64 {
    i64::try_from(socket.as_raw_socket()).expect("handles are small numbers")
}

/// The value of a flag of send and recv. Winsock has no MSG_DONTWAIT.
pub fn flag(name: &str) -> i32 {
    match name {
        "MSG_PEEK" => ws::MSG_PEEK,
        "MSG_WAITALL" => ws::MSG_WAITALL,
        "MSG_OOB" => ws::MSG_OOB,
        _ => 0,
    }
}

/// `SO_ACCEPTCONN`: socket2 does not read it here.
pub fn is_listener(_: &Socket) -> std::io::Result<bool> {
    Err(std::io::Error::from_raw_os_error(ws::WSAENOPROTOOPT))
}

/// Sleeps for `time`.
#[allow(clippy::disallowed_methods, reason = "to sleep is what was asked for")]
pub fn pause(time: std::time::Duration) -> std::io::Result<()> {
    std::thread::sleep(time);
    Ok(())
}

/// Options of TCP that lessons need on Linux only.
pub fn set_tcp_option(_: &Socket, _: &str, _: i64) -> std::io::Result<()> {
    Err(std::io::Error::from_raw_os_error(ws::WSAENOPROTOOPT))
}

/// See [`set_tcp_option`].
pub fn tcp_option(_: &Socket, _: &str) -> std::io::Result<i64> {
    Err(std::io::Error::from_raw_os_error(ws::WSAENOPROTOOPT))
}

//! `setsockopt(2)` at the level SOL_PACKET, see packet(7).

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
};

/// Values of options: plain data without padding and without pointers.
///
/// # Safety
/// Every byte of a value must be initialized.
pub(super) unsafe trait OptionValue {}

// SAFETY: an integer.
unsafe impl OptionValue for libc::c_int {}
// SAFETY: four integers of the same size.
unsafe impl OptionValue for libc::tpacket_req {}

/// Sets an option of a packet socket.
pub(super) fn set_packet_option<T: OptionValue>(
    socket: BorrowedFd<'_>,
    option: libc::c_int,
    value: &T,
) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)?;
    let pointer = (&raw const *value).cast();
    // SAFETY: the kernel reads `length` initialized bytes of the value, which outlives the call.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_PACKET, option, pointer, length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

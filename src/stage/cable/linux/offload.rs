//! What an interface does instead of the kernel is turned off, see ethtool(8): by ioctl(2).

use std::{io, mem, net::UdpSocket, os::fd::AsRawFd};

/// `linux/ethtool.h`: TCP and generic segmentation, merging of what arrives, scattered frames, and checksums of what is sent.
/// What needs another goes before it.
const OFFLOADS: [u32; 5] = [
    0x1f, // ETHTOOL_STSO
    0x24, // ETHTOOL_SGSO
    0x2c, // ETHTOOL_SGRO
    0x19, // ETHTOOL_SSG
    0x17, // ETHTOOL_STXCSUM
];

/// `SIOCETHTOOL` of linux/sockios.h.
const SIOCETHTOOL: libc::Ioctl = 0x8946;

/// Makes the kernel fill in every checksum and send each segment as a frame of its own, so that a frame is what would be on a
/// wire. For an interface of this thread's network namespace.
pub(super) fn disable_offloads(name: &str) -> io::Result<()> {
    for offload in OFFLOADS {
        // `struct ethtool_value`: the command and the value.
        let mut command = [offload, 0];
        let mut request = named(name);
        request.ifr_ifru.ifru_data = command.as_mut_ptr().cast();
        match ask(SIOCETHTOOL, &mut request) {
            // What an interface does not have is off.
            Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {}
            other => other?,
        }
    }
    Ok(())
}

fn named(name: &str) -> libc::ifreq {
    // SAFETY: all zero is an empty `ifreq`.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.as_bytes()) {
        *to = libc::c_char::from_ne_bytes([*from]);
    }
    request
}

fn ask(what: libc::Ioctl, request: &mut libc::ifreq) -> io::Result<()> {
    // Any socket of the namespace will do. This one sends nothing.
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    // SAFETY: the kernel reads and writes the `ifreq`, and what it points to; both outlive the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), what, &raw mut *request) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

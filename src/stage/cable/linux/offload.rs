//! Offloads: work that an interface does in the kernel's place, see ethtool(8). Set by `ioctl(2)`, see
//! netdevice(7).

use std::{io, net::UdpSocket, os::fd::AsRawFd};

/// Commands of linux/ethtool.h that switch an offload: segmentation of TCP and of other protocols, merging of
/// received segments, scattered frames, and checksums of sent frames. An offload that depends on another goes
/// before it.
const OFFLOADS: [u32; 5] = [
    0x1f, // ETHTOOL_STSO
    0x24, // ETHTOOL_SGSO
    0x2c, // ETHTOOL_SGRO
    0x19, // ETHTOOL_SSG
    0x17, // ETHTOOL_STXCSUM
];

/// `SIOCETHTOOL` of linux/sockios.h.
const SIOCETHTOOL: libc::Ioctl = 0x8946;

/// Makes the kernel fill in every checksum and send each segment as a frame of its own, so that frames are as
/// on a real wire. `interface` is in this thread's network namespace.
pub(super) fn disable_offloads(interface: &str) -> io::Result<()> {
    // The ioctl works on any socket of the namespace. This one sends nothing.
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    let mut name = [0; libc::IFNAMSIZ];
    for (to, from) in name[..libc::IFNAMSIZ - 1].iter_mut().zip(interface.as_bytes()) {
        *to = libc::c_char::from_ne_bytes([*from]);
    }
    for offload in OFFLOADS {
        // `struct ethtool_value`: the command and its value.
        let mut command = [offload, 0];
        let data = libc::__c_anonymous_ifr_ifru { ifru_data: command.as_mut_ptr().cast() };
        let mut request = libc::ifreq { ifr_name: name, ifr_ifru: data };
        // SAFETY: for these commands the kernel reads the `ifreq` and the `ethtool_value` that it points to.
        // Both outlive the call.
        let result = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL, &raw mut request) };
        let error = io::Error::last_os_error();
        // EOPNOTSUPP: the interface does not have the offload.
        if result < 0 && error.raw_os_error() != Some(libc::EOPNOTSUPP) {
            return Err(error);
        }
    }
    Ok(())
}

//! Our end of a host's interface: a packet(7) socket that gets what the host sends, and sends to the host.
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes and numbers of small things, as the kernel's calls want them"
)]

use std::{
    io,
    mem::{self, MaybeUninit},
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    thread,
};

use super::ring::{Ring, RingFrame};
use crate::event::Host;

/// So many frames are sent by one call.
pub(super) const BATCH_SIZE: usize = 64;

/// Both ends of the cable.
pub(in super::super) struct CableEnds {
    client: PacketSocket,
    server: PacketSocket,
}

impl CableEnds {
    /// Of both hosts' interfaces.
    pub(super) fn new(client: PacketSocket, server: PacketSocket) -> CableEnds {
        CableEnds { client, server }
    }

    /// Closes both: the kernel waits until nobody uses them any more, for both at a time.
    pub(super) fn close(self) {
        let CableEnds { client, server } = self;
        thread::scope(|scope| {
            scope.spawn(|| drop(client));
            drop(server);
        });
    }

    /// Our end of a host's interface.
    pub(super) fn end(&self, host: Host) -> &PacketSocket {
        match host {
            Host::Client => &self.client,
            Host::Server => &self.server,
        }
    }

    /// Gives all memory back whose frames were taken.
    pub(super) fn release(&mut self) {
        self.client.ring.release();
        self.server.ring.release();
    }

    /// Sends frames to a host. Gives how many of them went.
    pub fn send(&self, to: Host, frames: &[&[u8]]) -> usize {
        frames.iter().filter(|frame| self.end(to).send(&[frame]) == 1).count()
    }

    /// Whether no host has sent anything that was not taken yet.
    pub fn is_empty(&self) -> bool {
        self.client.peek().is_none() && self.server.peek().is_none()
    }
}

/// Our end of one host's interface.
pub(super) struct PacketSocket {
    ring: Ring,
    socket: OwnedFd,
}

impl PacketSocket {
    /// Opens it by the name of our interface, in this thread's network namespace.
    pub fn open(name: &str) -> io::Result<PacketSocket> {
        // Protocol 0: nothing is received before the socket is bound to its one interface.
        // SAFETY: makes a descriptor, which becomes the property of one owner.
        let socket = unsafe {
            let made = libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0);
            if made < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(made)
        };
        let yes: libc::c_int = 1;
        set(socket.as_fd(), libc::PACKET_IGNORE_OUTGOING, &yes)?;
        // Straight to the host's interface: nothing queues on a cable.
        set(socket.as_fd(), libc::PACKET_QDISC_BYPASS, &yes)?;
        let ring = Ring::new(socket.as_fd())?;
        // SAFETY: all zero is an empty `sockaddr_ll`.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        address.sll_family = libc::AF_PACKET as libc::sa_family_t;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex =
            libc::c_int::try_from(super::rtnetlink::index(name)?).map_err(io::Error::other)?;
        // SAFETY: the address outlives the call, and its length is its own.
        let result = unsafe {
            libc::bind(
                socket.as_raw_fd(),
                (&raw const address).cast(),
                size_of_val(&address) as libc::socklen_t,
            )
        };
        if result == 0 { Ok(PacketSocket { ring, socket }) } else { Err(io::Error::last_os_error()) }
    }

    /// The next frame that the host sent, if one is there.
    pub fn peek(&self) -> Option<RingFrame<'_>> {
        self.ring.peek()
    }

    /// Goes past it.
    pub fn advance(&self) {
        self.ring.advance();
    }

    /// Sends frames, at most [`BATCH`], by one call. Gives how many went before the first that could not. Corresponds to
    /// `sendmmsg(2)`.
    pub fn send(&self, frames: &[&[u8]]) -> usize {
        let mut pieces = [const { MaybeUninit::<libc::iovec>::uninit() }; BATCH_SIZE];
        let mut messages = [const { MaybeUninit::<libc::mmsghdr>::uninit() }; BATCH_SIZE];
        let count = frames.len().min(BATCH_SIZE);
        for ((frame, piece), message) in frames.iter().zip(&mut pieces).zip(&mut messages) {
            let piece =
                piece.write(libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() });
            // SAFETY: all zero is an empty message.
            let message = message.write(unsafe { mem::zeroed() });
            message.msg_hdr.msg_iov = piece;
            message.msg_hdr.msg_iovlen = 1;
        }
        loop {
            // SAFETY: `count` messages were filled in above; what they point to outlives the call and is only read.
            let sent = unsafe {
                libc::sendmmsg(
                    self.socket.as_raw_fd(),
                    messages.as_mut_ptr().cast(),
                    count as libc::c_uint,
                    0,
                )
            };
            if sent >= 0 {
                return sent as usize;
            }
            if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return 0;
            }
        }
    }

    /// How many frames came while the ring was full, since this was last asked.
    pub fn overruns(&self) -> u64 {
        // SAFETY: all zero is a value of `tpacket_stats`.
        let mut counted: libc::tpacket_stats = unsafe { mem::zeroed() };
        let mut length = size_of_val(&counted) as libc::socklen_t;
        // SAFETY: the kernel writes at most `length` bytes into `counted`, and both outlive the call.
        unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut counted).cast(),
                &raw mut length,
            );
        }
        counted.tp_drops.into()
    }

    /// Takes an error off the socket, such as ENETDOWN: poll(2) would report it again and again.
    pub fn clear_error(&self) {
        let mut error: libc::c_int = 0;
        let mut length = size_of_val(&error) as libc::socklen_t;
        // SAFETY: the kernel writes one int.
        unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_ERROR,
                (&raw mut error).cast(),
                &raw mut length,
            );
        }
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Corresponds to `setsockopt(2)` at the level of packet sockets.
pub(super) fn set<T: Copy>(socket: BorrowedFd<'_>, option: libc::c_int, value: &T) -> io::Result<()> {
    // SAFETY: the kernel reads the value, which outlives the call, and no more than its size.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            ptr_of(value),
            size_of::<T>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn ptr_of<T>(value: &T) -> *const libc::c_void {
    (&raw const *value).cast()
}

//! The cable's end of a host's interface: a packet(7) socket that receives the host's frames and sends frames
//! to it.

use std::{
    io::{self, IoSlice},
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    slice, thread,
};

use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, send, sendmmsg};
use socket2::{Domain, SockAddr, Socket, Type};

use super::{
    ring::{Ring, RingFrame},
    sockopt::set_packet_option,
};
use crate::event::Host;

/// Frames that are sent by one call, at most.
pub(super) const BATCH_SIZE: usize = 64;

/// Both ends of the cable.
pub(in super::super) struct CableEnds {
    client: PacketSocket,
    server: PacketSocket,
}

impl CableEnds {
    pub(super) fn new(client: PacketSocket, server: PacketSocket) -> CableEnds {
        CableEnds { client, server }
    }

    /// Closes both ends at the same time: the kernel blocks in each until no CPU uses the socket.
    pub(super) fn close(self) {
        let CableEnds { client, server } = self;
        thread::scope(|scope| {
            scope.spawn(|| drop(client));
            drop(server);
        });
    }

    /// The end of a host's interface.
    pub(super) fn end(&self, host: Host) -> &PacketSocket {
        match host {
            Host::Client => &self.client,
            Host::Server => &self.server,
        }
    }

    /// Returns the slots of all frames that were advanced over to the kernel.
    pub(super) fn release(&mut self) {
        self.client.ring.release();
        self.server.ring.release();
    }

    /// Sends frames to a host. Returns the number of frames that were sent.
    pub fn send(&self, to: Host, frames: &[&[u8]]) -> usize {
        frames.iter().filter(|frame| self.end(to).send(&[frame]) == 1).count()
    }

    /// Whether every frame of the hosts was advanced over.
    pub fn is_empty(&self) -> bool {
        self.client.peek().is_none() && self.server.peek().is_none()
    }
}

/// The end of one host's interface.
pub(super) struct PacketSocket {
    ring: Ring,
    socket: Socket,
}

impl PacketSocket {
    /// Opens a socket on `interface`, in this thread's network namespace.
    pub fn open(interface: &str) -> io::Result<PacketSocket> {
        // With protocol 0 the socket receives nothing before it is bound to its interface.
        let socket = Socket::new(Domain::PACKET, Type::RAW, None)?;
        let yes: libc::c_int = 1;
        set_packet_option(socket.as_fd(), libc::PACKET_IGNORE_OUTGOING, &yes)?;
        // Frames go to the interface directly: a cable has no queue.
        set_packet_option(socket.as_fd(), libc::PACKET_QDISC_BYPASS, &yes)?;
        let ring = Ring::new(socket.as_fd())?;
        socket.bind(&link_address(super::rtnetlink::index(interface)?)?)?;
        Ok(PacketSocket { ring, socket })
    }

    /// The next frame of the host, if there is one.
    pub fn peek(&self) -> Option<RingFrame<'_>> {
        self.ring.peek()
    }

    /// Makes the frame after it the next one.
    pub fn advance(&self) {
        self.ring.advance();
    }

    /// Sends frames, at most [`BATCH_SIZE`], by one call. Returns the number of frames that were sent before
    /// the first that could not be. Corresponds to `sendmmsg(2)`, and to `send(2)` for a single frame.
    pub fn send(&self, frames: &[&[u8]]) -> usize {
        if let [frame] = frames {
            let sent = again_after_eintr(|| send(&self.socket, frame, SendFlags::empty()));
            return usize::from(sent.is_ok());
        }
        let mut slices = [IoSlice::new(&[]); BATCH_SIZE];
        for (slice, frame) in slices.iter_mut().zip(frames) {
            *slice = IoSlice::new(frame);
        }
        let mut control = [const { None }; BATCH_SIZE];
        let mut messages = Vec::with_capacity(BATCH_SIZE);
        for (slice, control) in slices.iter().zip(&mut control).take(frames.len()) {
            let control = control.insert(SendAncillaryBuffer::default());
            messages.push(MMsgHdr::new(slice::from_ref(slice), control));
        }
        again_after_eintr(|| sendmmsg(&self.socket, &mut messages, SendFlags::empty())).unwrap_or(0)
    }

    /// Frames that were lost because the ring was full, since the last call. Corresponds to
    /// `PACKET_STATISTICS` of packet(7).
    pub fn overruns(&self) -> u64 {
        let mut statistics = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
        let Ok(mut length) = libc::socklen_t::try_from(size_of_val(&statistics)) else { return 0 };
        // SAFETY: the kernel writes at most `length` bytes into `statistics`, which consists of integers.
        // Both outlive the call.
        unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut statistics).cast(),
                &raw mut length,
            );
        }
        statistics.tp_drops.into()
    }

    /// Clears the socket's error, such as ENETDOWN, which poll(2) would report again and again. Corresponds
    /// to SO_ERROR.
    pub fn clear_error(&self) {
        let _ = self.socket.take_error();
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn again_after_eintr<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            result => return result,
        }
    }
}

/// The address of all protocols on an interface: `struct sockaddr_ll`, see packet(7).
fn link_address(interface: u32) -> io::Result<SockAddr> {
    let address = libc::sockaddr_ll {
        sll_family: libc::sa_family_t::try_from(libc::AF_PACKET).map_err(io::Error::other)?,
        sll_protocol: u16::try_from(libc::ETH_P_ALL).map_err(io::Error::other)?.to_be(),
        sll_ifindex: libc::c_int::try_from(interface).map_err(io::Error::other)?,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let size = libc::socklen_t::try_from(size_of_val(&address)).map_err(io::Error::other)?;
    // SAFETY: a `sockaddr_storage` holds any address, this one of `size` bytes.
    let ((), address) = unsafe {
        SockAddr::try_init(|storage, length| {
            storage.cast::<libc::sockaddr_ll>().write(address);
            *length = size;
            Ok(())
        })
    }?;
    Ok(address)
}

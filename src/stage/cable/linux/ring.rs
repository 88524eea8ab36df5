//! Memory that a packet socket shares with us: the kernel puts frames there, and we read them without a call.
//!
//! Corresponds to PACKET_RX_RING with TPACKET_V2 in packet(7). Each slot begins with a header whose first word says whose it is.

use std::{
    cell::Cell,
    io,
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// Bytes of a slot: a header, and a frame of an interface with an MTU of 1500.
const SLOT_SIZE: usize = 2048;

/// How many frames may wait: more than a TCP window by default has segments in flight.
const SLOT_COUNT: usize = 4096;

/// `TPACKET_V2` of linux/if_packet.h.
const TPACKET_V2: libc::c_int = 1;

/// The kernel gets its memory in pieces of this size, in bytes.
const BLOCK_SIZE: usize = 1 << 16;

/// The ring of one socket.
pub(super) struct Ring {
    memory: *mut u8,
    /// The slot that is read next.
    next: Cell<usize>,
    /// How many slots in front of it are not given back yet.
    taken: Cell<usize>,
}

// SAFETY: the memory is this ring's alone until it is dropped, and no method lets two threads in at once: `Cell` sees to it.
unsafe impl Send for Ring {}

/// A frame in the ring.
pub(super) struct RingFrame<'a> {
    /// What of it fits into a slot.
    pub bytes: &'a [u8],
    /// Whether that is all.
    pub whole: bool,
    /// Whether frames were lost before it.
    pub overrun: bool,
    /// When it came, since 1970.
    pub at: Duration,
}

impl Ring {
    /// Makes the ring of a packet socket that is not bound yet.
    pub fn new(socket: BorrowedFd<'_>) -> io::Result<Ring> {
        let count = |number: usize| libc::c_uint::try_from(number).map_err(io::Error::other);
        super::packet_socket::set(socket, libc::PACKET_VERSION, &TPACKET_V2)?;
        let request = libc::tpacket_req {
            tp_block_size: count(BLOCK_SIZE)?,
            tp_block_nr: count(SLOT_SIZE * SLOT_COUNT / BLOCK_SIZE)?,
            tp_frame_size: count(SLOT_SIZE)?,
            tp_frame_nr: count(SLOT_COUNT)?,
        };
        super::packet_socket::set(socket, libc::PACKET_RX_RING, &request)?;
        // SAFETY: a new mapping of the size that the ring was just made with; nothing else is in its place.
        let memory = unsafe {
            libc::mmap(
                ptr::null_mut(),
                SLOT_SIZE * SLOT_COUNT,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                socket.as_raw_fd(),
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Ring { memory: memory.cast(), next: Cell::new(0), taken: Cell::new(0) })
    }

    /// The next frame, if one is there. It stays the next until it is taken.
    pub fn peek(&self) -> Option<RingFrame<'_>> {
        if self.taken.get() == SLOT_COUNT {
            return None;
        }
        let slot = self.slot(self.next.get());
        let status = self.status(self.next.get()).load(Ordering::Acquire);
        if status & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: the slot is ours until it is given back, which takes `&mut self`; the header was written before its status.
        let header = unsafe { ptr::read(slot.cast::<libc::tpacket2_hdr>()) };
        let start = usize::from(header.tp_mac).min(SLOT_SIZE);
        let length = usize::try_from(header.tp_snaplen).unwrap_or(SLOT_SIZE).min(SLOT_SIZE - start);
        Some(RingFrame {
            // SAFETY: as above, and start and length stay inside the slot.
            bytes: unsafe { std::slice::from_raw_parts(slot.add(start), length) },
            whole: usize::try_from(header.tp_len).ok() == Some(length),
            overrun: status & libc::TP_STATUS_LOSING != 0,
            at: Duration::new(header.tp_sec.into(), header.tp_nsec),
        })
    }

    /// Goes past the frame that was peeked at. Its bytes stay where they are.
    pub fn advance(&self) {
        self.next.set((self.next.get() + 1) % SLOT_COUNT);
        self.taken.set(self.taken.get() + 1);
    }

    /// Gives the slots of all frames that were taken back to the kernel.
    pub fn release(&mut self) {
        let taken = self.taken.replace(0);
        for back in (1..=taken).rev() {
            let slot = (self.next.get() + SLOT_COUNT - back) % SLOT_COUNT;
            self.status(slot).store(libc::TP_STATUS_KERNEL, Ordering::Release);
        }
    }

    fn slot(&self, number: usize) -> *mut u8 {
        // SAFETY: numbers stay below SLOTS, so this stays inside the mapping.
        unsafe { self.memory.add(number * SLOT_SIZE) }
    }

    fn status(&self, number: usize) -> &AtomicU32 {
        // SAFETY: each slot begins with its status word, aligned, and both we and the kernel use it atomically.
        unsafe { &*self.slot(number).cast::<AtomicU32>() }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nobody borrows from a ring that is dropped.
        unsafe {
            libc::munmap(self.memory.cast(), SLOT_SIZE * SLOT_COUNT);
        }
    }
}

const _: () = assert!(BLOCK_SIZE.is_multiple_of(SLOT_SIZE) && size_of::<libc::tpacket2_hdr>() < 64);

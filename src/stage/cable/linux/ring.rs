//! The receive ring of a packet socket: memory that the kernel shares with this process and fills with
//! frames.
//!
//! Corresponds to PACKET_RX_RING with TPACKET_V2 in packet(7). Each slot begins with a header, whose first
//! word says whether the slot belongs to the kernel or to this process.

use std::{
    cell::Cell,
    io,
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use super::sockopt::set_packet_option;

/// Bytes of a slot: enough for the header and a frame of an interface with an MTU of 1500.
const SLOT_SIZE: usize = 2048;

/// Frames that the ring holds: more than the segments of a TCP window of default size.
const SLOT_COUNT: usize = 4096;

/// `TPACKET_V2` of linux/if_packet.h.
const TPACKET_V2: libc::c_int = 1;

/// Bytes of a block: the kernel allocates the ring in such pieces.
const BLOCK_SIZE: usize = 1 << 16;

/// The ring of one socket.
pub(super) struct Ring {
    memory: *mut u8,
    /// The slot that is read next. Always below [`SLOT_COUNT`].
    next: Cell<usize>,
    /// Number of slots before `next` that belong to this process.
    held: Cell<usize>,
}

// SAFETY: the memory belongs to this ring until it is dropped, and `Cell` keeps the ring to one thread at a
// time.
unsafe impl Send for Ring {}

/// A frame in the ring.
pub(super) struct RingFrame<'a> {
    /// The frame, cut after the size of a slot.
    pub bytes: &'a [u8],
    /// Whether the frame was not cut.
    pub whole: bool,
    /// Whether frames before it were lost.
    pub overrun: bool,
    /// Time of arrival since 1970.
    pub at: Duration,
}

impl Ring {
    /// Makes the ring of a packet socket that is not bound yet.
    pub fn new(socket: BorrowedFd<'_>) -> io::Result<Ring> {
        let count = |number: usize| libc::c_uint::try_from(number).map_err(io::Error::other);
        set_packet_option(socket, libc::PACKET_VERSION, &TPACKET_V2)?;
        let request = libc::tpacket_req {
            tp_block_size: count(BLOCK_SIZE)?,
            tp_block_nr: count(SLOT_SIZE * SLOT_COUNT / BLOCK_SIZE)?,
            tp_frame_size: count(SLOT_SIZE)?,
            tp_frame_nr: count(SLOT_COUNT)?,
        };
        set_packet_option(socket, libc::PACKET_RX_RING, &request)?;
        // SAFETY: a new mapping, at an address that the kernel chooses, of the size that the ring has.
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
        Ok(Ring { memory: memory.cast(), next: Cell::new(0), held: Cell::new(0) })
    }

    /// The next frame, if one has arrived. It stays the next one until [`Ring::advance`].
    pub fn peek(&self) -> Option<RingFrame<'_>> {
        if self.held.get() == SLOT_COUNT {
            return None;
        }
        let slot = self.slot(self.next.get());
        let status = self.status(self.next.get()).load(Ordering::Acquire);
        if status & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: the slot belongs to this process until `release`, which needs `&mut self`. The kernel wrote
        // the header before the status.
        let header = unsafe { ptr::read(slot.cast::<libc::tpacket2_hdr>()) };
        let start = usize::from(header.tp_mac).min(SLOT_SIZE);
        let length = usize::try_from(header.tp_snaplen).unwrap_or(SLOT_SIZE).min(SLOT_SIZE - start);
        Some(RingFrame {
            // SAFETY: as above; `start + length` is at most the slot's size.
            bytes: unsafe { std::slice::from_raw_parts(slot.add(start), length) },
            whole: usize::try_from(header.tp_len).ok() == Some(length),
            overrun: status & libc::TP_STATUS_LOSING != 0,
            at: Duration::new(header.tp_sec.into(), header.tp_nsec),
        })
    }

    /// Makes the frame after it the next one. The bytes stay valid until [`Ring::release`].
    pub fn advance(&self) {
        self.next.set((self.next.get() + 1) % SLOT_COUNT);
        self.held.set(self.held.get() + 1);
    }

    /// Returns the slots of all frames that were advanced over to the kernel.
    pub fn release(&mut self) {
        let held = self.held.replace(0);
        for back in (1..=held).rev() {
            let slot = (self.next.get() + SLOT_COUNT - back) % SLOT_COUNT;
            self.status(slot).store(libc::TP_STATUS_KERNEL, Ordering::Release);
        }
    }

    fn slot(&self, number: usize) -> *mut u8 {
        // SAFETY: numbers stay below SLOTS, so this stays inside the mapping.
        unsafe { self.memory.add(number * SLOT_SIZE) }
    }

    fn status(&self, number: usize) -> &AtomicU32 {
        // SAFETY: each slot begins with its status word, aligned; this process and the kernel access it
        // atomically.
        unsafe { &*self.slot(number).cast::<AtomicU32>() }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping is this ring's, and no borrow of a ring outlives it.
        unsafe {
            libc::munmap(self.memory.cast(), SLOT_SIZE * SLOT_COUNT);
        }
    }
}

const _: () = assert!(BLOCK_SIZE.is_multiple_of(SLOT_SIZE) && size_of::<libc::tpacket2_hdr>() < 64);

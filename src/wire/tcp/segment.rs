//! A TCP segment, read from an Ethernet frame without building its list of fields.

use std::{net::SocketAddr, ops::Range};

use super::{Flags, SHORTEST, SackBlocks, TcpOption, each};
use crate::wire::ip::{Datagram, protocol};

/// A segment. Numbers are those on the wire: neither relative nor scaled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Source address and port.
    pub source: SocketAddr,
    /// Destination address and port.
    pub destination: SocketAddr,
    /// The sequence number of the first byte, or of SYN.
    pub sequence: u32,
    /// The acknowledgment number: the next byte expected. Valid if ACK is set.
    pub acknowledgment: u32,
    /// The control bits.
    pub flags: Flags,
    /// The window, not scaled.
    pub window: u16,
    /// The Maximum Segment Size option, in bytes.
    pub maximum_segment_size: Option<u16>,
    /// The Window Scale option, in bits.
    pub window_scale: Option<u8>,
    /// The SACK-Permitted option.
    pub sack_permitted: bool,
    /// The blocks of the SACK option.
    pub sack: SackBlocks,
    /// The Timestamps option: TSval and TSecr.
    pub timestamps: Option<(u32, u32)>,
    /// Byte range of the payload in the frame, as far as the frame has it.
    pub payload: Range<usize>,
    /// False if the frame was cut off or is a fragment, so that the payload is not complete.
    pub whole: bool,
}

impl Segment {
    /// Finds the segment in an Ethernet frame: over IPv4 or IPv6, whole or the first fragment.
    ///
    /// Returns `None` for all other frames, and where the header or its options are cut off. Does not
    /// allocate.
    pub fn parse(frame: &[u8]) -> Option<Self> {
        Segment::of(frame, &Datagram::parse(frame)?)
    }

    /// Finds the segment that a datagram carries. Its ranges, like the datagram's, count from the start of
    /// `frame`.
    ///
    /// Returns `None` where it carries none, and where the header or its options are cut off. Does not
    /// allocate.
    pub fn of(frame: &[u8], datagram: &Datagram) -> Option<Self> {
        if datagram.protocol != protocol::TCP || !datagram.first {
            return None;
        }
        let bytes = frame.get(datagram.payload.clone())?;
        let fixed: &[u8; SHORTEST] = bytes.first_chunk()?;
        let length = usize::from(fixed[12] >> 4) * 4;
        let options = bytes.get(SHORTEST..length)?;
        let word = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let long = |at: usize| u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        let mut segment = Segment {
            source: SocketAddr::new(datagram.source, word(0)),
            destination: SocketAddr::new(datagram.destination, word(2)),
            sequence: long(4),
            acknowledgment: long(8),
            flags: Flags::from_bits(word(12)),
            window: word(14),
            maximum_segment_size: None,
            window_scale: None,
            sack_permitted: false,
            sack: SackBlocks::default(),
            timestamps: None,
            payload: datagram.payload.start + length..datagram.payload.end,
            whole: datagram.whole,
        };
        for option in each(options).flatten() {
            match option {
                TcpOption::MaximumSegmentSize(size) => segment.maximum_segment_size = Some(size),
                TcpOption::WindowScale(shift) => segment.window_scale = Some(shift),
                TcpOption::SackPermitted => segment.sack_permitted = true,
                TcpOption::Sack(blocks) => segment.sack = blocks,
                TcpOption::Timestamps { value, echo } => segment.timestamps = Some((value, echo)),
                _ => {}
            }
        }
        Some(segment)
    }

    /// Returns the sequence numbers that it consumes: one for each byte, one for SYN and one for FIN (RFC
    /// 9293 §3.4).
    pub(crate) fn sequence_length(&self) -> u32 {
        let marks = u32::from(self.flags.contains(Flags::SYN)) + u32::from(self.flags.contains(Flags::FIN));
        // Total Length has 16 bits, so a payload is far below 4 GB.
        u32::try_from(self.payload.len()).unwrap_or(u32::MAX).saturating_add(marks)
    }

    /// Returns the sequence number after its last one, modulo 2^32.
    pub fn sequence_end(&self) -> u32 {
        self.sequence.wrapping_add(self.sequence_length())
    }
}

//! pcapng: the blocks of a capture file, both ways (draft-ietf-opsawg-pcapng).
//!
//! ```text
//! type(4) total length(4) body, padded to 32 bits … total length(4)
//! Section Header 0x0a0d0d0a: byte-order magic(4) major(2) minor(2) section length(8) options
//! Interface Description 1: linktype(2) reserved(2) snaplen(4) options
//! Packet 2 (obsolete): interface(2) drops(2) time(8) captured(4) original(4) bytes options
//! Simple Packet 3: original(4) bytes
//! Enhanced Packet 6: interface(4) time(8) captured(4) original(4) bytes options
//! option: code(2) length(2) value, padded to 32 bits
//! ```
//!
//! Blocks are written in little-endian order and read in either order. Interfaces count from 0 in each
//! section.

/// The type of a Section Header, the same in both byte orders.
pub(crate) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
/// The type of an Interface Description.
pub(crate) const INTERFACE_DESCRIPTION: u32 = 1;
/// The type of the obsolete packet block.
pub(crate) const PACKET: u32 = 2;
/// The type of a Simple Packet, which has no time.
pub(crate) const SIMPLE_PACKET: u32 = 3;
/// The type of an Enhanced Packet.
pub(crate) const ENHANCED_PACKET: u32 = 6;

/// The type of a link whose packets begin with an Ethernet header: LINKTYPE_ETHERNET.
pub(crate) const ETHERNET: u16 = 1;

/// `if_tsresol` for times in units of 10^-9 s.
const NANOSECONDS: u8 = 9;
/// `if_tsresol` where the option is missing: 10^-6 s.
const MICROSECONDS: u8 = 6;

/// Codes of options. The first two have the same meaning in every block.
mod code {
    pub(crate) const END: u16 = 0;
    pub(crate) const COMMENT: u16 = 1;
    pub(crate) const SECTION_OS: u16 = 3;
    pub(crate) const SECTION_APPLICATION: u16 = 4;
    pub(crate) const INTERFACE_NAME: u16 = 2;
    pub(crate) const INTERFACE_DESCRIPTION: u16 = 3;
    pub(crate) const INTERFACE_RESOLUTION: u16 = 9;
    pub(crate) const INTERFACE_OFFSET: u16 = 14;
    pub(crate) const PACKET_FLAGS: u16 = 2;
}

/// The byte order of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ByteOrder {
    /// The least significant byte comes first.
    Little,
    /// The most significant byte comes first.
    #[default]
    Big,
}

impl ByteOrder {
    /// Reads the byte-order magic of a Section Header. `None` if it is not that.
    pub(crate) fn of(magic: [u8; 4]) -> Option<ByteOrder> {
        match magic {
            [0x4d, 0x3c, 0x2b, 0x1a] => Some(ByteOrder::Little),
            [0x1a, 0x2b, 0x3c, 0x4d] => Some(ByteOrder::Big),
            _ => None,
        }
    }

    /// Reads a number of 16 bits.
    pub(crate) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            ByteOrder::Little => u16::from_le_bytes(bytes),
            ByteOrder::Big => u16::from_be_bytes(bytes),
        }
    }

    /// Reads a number of 32 bits.
    pub(crate) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            ByteOrder::Little => u32::from_le_bytes(bytes),
            ByteOrder::Big => u32::from_be_bytes(bytes),
        }
    }

    fn i64(self, bytes: [u8; 8]) -> i64 {
        match self {
            ByteOrder::Little => i64::from_le_bytes(bytes),
            ByteOrder::Big => i64::from_be_bytes(bytes),
        }
    }

    /// Returns the options at the beginning of `bytes`, up to the end of options or to an option that is cut
    /// off.
    pub(crate) fn options(self, mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
        std::iter::from_fn(move || {
            let [a, b, c, d, rest @ ..] = bytes else { return None };
            let (code, length) = (self.u16([*a, *b]), usize::from(self.u16([*c, *d])));
            let value = rest.get(..length)?;
            bytes = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            (code != code::END).then_some((code, value))
        })
    }
}

/// What a section says of the program that wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SectionHeader<'a> {
    /// A remark about the section.
    pub comment: &'a str,
    /// The operating system.
    pub system: &'a str,
    /// The program.
    pub application: &'a str,
}

impl SectionHeader<'_> {
    /// Appends the block to `out`. The length of the section is left open.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        block(out, SECTION_HEADER, |out| {
            out.extend(0x1a2b_3c4d_u32.to_le_bytes());
            out.extend(1_u16.to_le_bytes());
            out.extend(0_u16.to_le_bytes());
            out.extend((-1_i64).to_le_bytes());
            option(out, code::COMMENT, self.comment.as_bytes());
            option(out, code::SECTION_OS, self.system.as_bytes());
            option(out, code::SECTION_APPLICATION, self.application.as_bytes());
            option(out, code::END, &[]);
        });
    }
}

/// An interface on which packets were captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interface {
    /// What its packets begin with, as a LINKTYPE number.
    pub link: u16,
    /// The most bytes that were kept of a packet; 0 means all.
    pub snapshot: u32,
    /// `if_tsresol`: the unit of a time, as the exponent of a negative power of 10, or of 2 if the top bit is
    /// set.
    resolution: u8,
    /// `if_tsoffset`: seconds to be added to each time.
    offset: i64,
}

impl Interface {
    /// Returns an interface whose packets are Ethernet frames, kept whole, with times in nanoseconds.
    pub(crate) fn ethernet() -> Interface {
        Interface { link: ETHERNET, snapshot: 0, resolution: NANOSECONDS, offset: 0 }
    }

    /// Appends the block to `out`.
    pub(crate) fn encode(&self, name: &str, description: &str, out: &mut Vec<u8>) {
        block(out, INTERFACE_DESCRIPTION, |out| {
            out.extend(self.link.to_le_bytes());
            out.extend([0; 2]);
            out.extend(self.snapshot.to_le_bytes());
            option(out, code::INTERFACE_NAME, name.as_bytes());
            option(out, code::INTERFACE_DESCRIPTION, description.as_bytes());
            option(out, code::INTERFACE_RESOLUTION, &[self.resolution]);
            option(out, code::END, &[]);
        });
    }

    /// Reads the fixed part of the block and its options.
    pub(crate) fn decode(order: ByteOrder, fixed: [u8; 8], options: &[u8]) -> Interface {
        let [a, b, _, _, e, f, g, h] = fixed;
        let mut interface = Interface {
            link: order.u16([a, b]),
            snapshot: order.u32([e, f, g, h]),
            resolution: MICROSECONDS,
            offset: 0,
        };
        for (code, value) in order.options(options) {
            match (code, value) {
                (code::INTERFACE_RESOLUTION, [resolution]) => interface.resolution = *resolution,
                (code::INTERFACE_OFFSET, value) => {
                    if let Some(value) = value.first_chunk() {
                        interface.offset = order.i64(*value);
                    }
                }
                _ => {}
            }
        }
        interface
    }

    /// Converts a time of this interface to nanoseconds since 1970. `None` if they don't fit.
    pub(crate) fn nanoseconds(&self, time: u64) -> Option<u64> {
        let exponent = u32::from(self.resolution & 0x7f);
        let base: u128 = if self.resolution & 0x80 != 0 { 2 } else { 10 };
        let per_second = base.checked_pow(exponent)?;
        let nanoseconds = u128::from(time).checked_mul(1_000_000_000)? / per_second;
        let shifted = i128::try_from(nanoseconds).ok()? + i128::from(self.offset) * 1_000_000_000;
        u64::try_from(shifted).ok()
    }
}

/// The fixed part of an Enhanced Packet, or of an obsolete Packet; the bytes follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PacketHeader {
    /// The number of the interface in its section.
    pub interface: u32,
    /// In the unit of the interface.
    pub time: u64,
    /// Bytes that were kept.
    pub captured: u32,
    /// Bytes that were on the wire.
    pub original: u32,
}

impl PacketHeader {
    /// Bytes of the fixed part.
    pub(crate) const LENGTH: usize = 20;

    /// Reads the fixed part of a block of the type `kind`.
    pub(crate) fn decode(order: ByteOrder, kind: u32, fixed: [u8; PacketHeader::LENGTH]) -> PacketHeader {
        let [a, b, c, d, ..] = fixed;
        let number = |at: usize| order.u32([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        PacketHeader {
            interface: if kind == PACKET { order.u16([a, b]).into() } else { order.u32([a, b, c, d]) },
            time: u64::from(number(4)) << 32 | u64::from(number(8)),
            captured: number(12),
            original: number(16),
        }
    }
}

/// Which way a packet went: the lowest two bits of `epb_flags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The interface received it.
    Inbound = 1,
    /// The interface sent it.
    Outbound = 2,
}

/// A packet to be written as an Enhanced Packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EnhancedPacket<'a> {
    /// The number of the interface in its section.
    pub interface: u32,
    /// In the unit of the interface.
    pub time: u64,
    /// The whole packet.
    pub bytes: &'a [u8],
    /// A remark about the packet, if there is one.
    pub comment: Option<&'a str>,
    /// The direction, if it is known.
    pub direction: Option<Direction>,
}

impl EnhancedPacket<'_> {
    /// Appends the block to `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        block(out, ENHANCED_PACKET, |out| {
            let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
            out.extend(self.interface.to_le_bytes());
            out.extend(u32::try_from(self.time >> 32).unwrap_or_default().to_le_bytes());
            out.extend(u32::try_from(self.time & u64::from(u32::MAX)).unwrap_or_default().to_le_bytes());
            out.extend(length.to_le_bytes());
            out.extend(length.to_le_bytes());
            padded(out, self.bytes);
            if let Some(comment) = self.comment {
                option(out, code::COMMENT, comment.as_bytes());
            }
            if let Some(direction) = self.direction {
                option(out, code::PACKET_FLAGS, &(direction as u32).to_le_bytes());
            }
            if self.comment.is_some() || self.direction.is_some() {
                option(out, code::END, &[]);
            }
        });
    }
}

/// Appends a block: `body` appends what stands between the two lengths, a multiple of 4 bytes.
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(kind.to_le_bytes());
    out.extend([0; 4]);
    body(out);
    let total = u32::try_from(out.len() - start + 4).unwrap_or(u32::MAX).to_le_bytes();
    out[start + 4..start + 8].copy_from_slice(&total);
    out.extend(total);
}

/// Appends an option. A value that is longer than an option can be is cut.
fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    out.extend(code.to_le_bytes());
    out.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    padded(out, value);
}

fn padded(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
pub(crate) mod tests;

//! pcap: a header, then records (draft-ietf-opsawg-pcap).
//!
//! ```text
//! magic(4) major(2) minor(2) reserved(8) snaplen(4) linktype(4) | seconds(4) fraction(4) captured(4) original(4) bytes …
//! ```

use std::io::Read;

use super::{CaptureError, Found, LONGEST, Link, source::Source};

/// Byte order, and what the fraction of a second counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    little: bool,
    /// Nanoseconds in a unit: 1000 or 1.
    unit: u32,
}

impl Layout {
    /// As the magic number says; `None` if it is none.
    pub(super) fn of(magic: [u8; 4]) -> Option<Self> {
        let (little, unit) = match magic {
            [0xa1, 0xb2, 0xc3, 0xd4] => (false, 1000),
            [0xd4, 0xc3, 0xb2, 0xa1] => (true, 1000),
            [0xa1, 0xb2, 0x3c, 0x4d] => (false, 1),
            [0x4d, 0x3c, 0xb2, 0xa1] => (true, 1),
            _ => return None,
        };
        Some(Layout { little, unit })
    }

    fn number(self, bytes: &[u8; 16], at: usize) -> u32 {
        let four = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if self.little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) }
    }
}

/// What the header says.
#[derive(Debug)]
pub(super) struct File {
    layout: Layout,
    link: Link,
}

impl File {
    pub(super) fn open<R: Read>(layout: Layout, source: &mut Source<R>) -> Result<Self, CaptureError> {
        let what = "the header of the file";
        let cut_off = CaptureError::CutOff { offset: 0, what };
        let Some(_) = source.array::<8>(what)? else { return Err(cut_off) };
        let Some(rest) = source.array::<16>(what)? else { return Err(cut_off) };
        // The upper bits say whether a frame check sequence follows each packet.
        let link = Link(layout.number(&rest, 12) & 0xffff);
        Ok(File { layout, link })
    }

    pub(super) fn next<R: Read>(&mut self, source: &mut Source<R>) -> Result<Option<Found>, CaptureError> {
        let offset = source.at();
        let Some(head) = source.array::<16>("the header of a packet")? else { return Ok(None) };
        let number = |at| self.layout.number(&head, at);
        let length = usize::try_from(number(8)).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(CaptureError::Impossible {
                offset: offset + 8,
                field: "captured length of a packet",
                needed: "at most 1,048,576",
                had: number(8).into(),
            });
        }
        source.take(length, "a packet")?;
        let fraction = u64::from(number(4)) * u64::from(self.layout.unit);
        let time = u64::from(number(0)) * 1_000_000_000 + fraction;
        // Some writers leave the original length out.
        let original = u64::from(number(12)).max(length as u64);
        Ok(Some(Found { time: Some(time), link: self.link, original, length }))
    }
}

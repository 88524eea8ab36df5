//! pcapng: blocks, each with its type and its length before and after it (draft-ietf-opsawg-pcapng).
//!
//! ```text
//! type(4) total length(4) body, padded to 32 bits … total length(4)
//! Section Header 0x0a0d0d0a: byte-order magic(4) major(2) minor(2) section length(8) options
//! Interface Description 1: linktype(2) reserved(2) snaplen(4) options
//! Packet 2 (obsolete): interface(2) drops(2) time(8) captured(4) original(4) bytes options
//! Simple Packet 3: original(4) bytes | Enhanced Packet 6: interface(4) time(8) captured(4) original(4) bytes options
//! ```
//!
//! Blocks of other types are passed. Interfaces count from 0 in each section.

use std::io::Read;

use super::{CaptureError, Found, LONGEST, Link, source::Source};

/// The type of a Section Header, the same in both byte orders.
pub(super) const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// More interfaces no machine has.
const INTERFACES: usize = 4096;
/// Bytes of options of an interface that are looked at.
const OPTIONS: usize = 64 << 10;

/// Where the reading stands.
#[derive(Debug, Default)]
pub(super) struct File {
    little: bool,
    /// Those of the section under way.
    interfaces: Vec<Interface>,
    /// What follows the packet that was given last, in its block: where that begins, its total length, and bytes to pass.
    owed: Option<(u64, u32, u64)>,
}

#[derive(Debug, Clone, Copy)]
struct Interface {
    link: Link,
    /// 0: no limit.
    snapshot: u32,
    /// if_tsresol: a power of ten, or of two if the top bit is set.
    resolution: u8,
    /// if_tsoffset, in seconds.
    offset: i64,
}

impl File {
    pub(super) fn next<R: Read>(&mut self, source: &mut Source<R>) -> Result<Option<Found>, CaptureError> {
        loop {
            if let Some((offset, total, rest)) = self.owed.take() {
                source.skip(rest, "a packet block")?;
                self.trailer(offset, total, source)?;
            }
            let offset = source.at();
            let Some(head) = source.array::<8>("the header of a block")? else { return Ok(None) };
            let [a, b, c, d, e, f, g, h] = head;
            if [a, b, c, d] == SECTION {
                self.section(offset, [e, f, g, h], source)?;
                continue;
            }
            let (kind, total) = (self.number([a, b, c, d]), self.number([e, f, g, h]));
            let body = body(offset, total)?;
            let least = match kind {
                PACKET | ENHANCED_PACKET => 20,
                SIMPLE_PACKET => 4,
                INTERFACE => 8,
                _ => 0,
            };
            if body < least {
                return Err(impossible(
                    offset + 4,
                    "length of a block",
                    "room for the fields of its type",
                    total,
                ));
            }
            match kind {
                INTERFACE => self.interface(offset, body, source)?,
                PACKET | ENHANCED_PACKET | SIMPLE_PACKET => {
                    let (found, passed) = match kind {
                        SIMPLE_PACKET => self.simple_packet(offset, body, source)?,
                        _ => self.packet(offset, kind, body, source)?,
                    };
                    self.owed = Some((offset, total, body - passed));
                    if let Some(found) = found {
                        return Ok(Some(found));
                    }
                    continue;
                }
                _ => source.skip(body, "a block")?,
            }
            self.trailer(offset, total, source)?;
        }
    }

    fn number(&self, bytes: [u8; 4]) -> u32 {
        if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    }

    fn half(&self, bytes: [u8; 2]) -> u16 {
        if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
    }

    /// A new section: its byte order, and no interfaces yet.
    fn section<R: Read>(
        &mut self,
        offset: u64,
        total: [u8; 4],
        source: &mut Source<R>,
    ) -> Result<(), CaptureError> {
        let what = "the header of a section";
        let Some(magic) = source.array::<4>(what)? else { return Err(CaptureError::CutOff { offset, what }) };
        self.little = match magic {
            [0x4d, 0x3c, 0x2b, 0x1a] => true,
            [0x1a, 0x2b, 0x3c, 0x4d] => false,
            _ => {
                let had = u32::from_be_bytes(magic);
                return Err(impossible(
                    offset + 8,
                    "byte-order magic",
                    "0x1a2b3c4d in one of the two orders",
                    had,
                ));
            }
        };
        self.interfaces.clear();
        let total = self.number(total);
        let rest = body(offset, total)?;
        if rest < 16 {
            return Err(impossible(offset + 4, "length of a section header", "at least 28", total));
        }
        source.skip(rest - 4, what)?;
        self.trailer(offset, total, source)
    }

    fn interface<R: Read>(
        &mut self,
        offset: u64,
        body: u64,
        source: &mut Source<R>,
    ) -> Result<(), CaptureError> {
        let what = "an interface description";
        if self.interfaces.len() >= INTERFACES {
            return Err(impossible(offset, "interfaces of a section", "at most 4096", u32::MAX));
        }
        let cut_off = || CaptureError::CutOff { offset, what };
        let [a, b, _, _, e, f, g, h] = source.array::<8>(what)?.ok_or_else(cut_off)?;
        let link = Link(self.half([a, b]).into());
        let mut interface = Interface { link, snapshot: self.number([e, f, g, h]), resolution: 6, offset: 0 };
        let length = usize::try_from(body - 8).unwrap_or(usize::MAX).min(OPTIONS);
        let mut options = source.take(length, what)?;
        while let [a, b, c, d, rest @ ..] = options {
            let code = if self.little { u16::from_le_bytes([*a, *b]) } else { u16::from_be_bytes([*a, *b]) };
            let length =
                if self.little { u16::from_le_bytes([*c, *d]) } else { u16::from_be_bytes([*c, *d]) };
            let length = usize::from(length);
            let Some(value) = rest.get(..length) else { break };
            match (code, value) {
                (0, _) => break,
                (9, [resolution]) => interface.resolution = *resolution,
                (14, value) => {
                    if let Some(value) = value.first_chunk::<8>() {
                        let read = if self.little { i64::from_le_bytes } else { i64::from_be_bytes };
                        interface.offset = read(*value);
                    }
                }
                _ => {}
            }
            options = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        self.interfaces.push(interface);
        source.skip(body - 8 - length as u64, what)
    }

    /// A packet of type 2 or 6, and how many bytes of the body it took. `None` if its interface was never described.
    fn packet<R: Read>(
        &self,
        offset: u64,
        kind: u32,
        body: u64,
        source: &mut Source<R>,
    ) -> Result<(Option<Found>, u64), CaptureError> {
        let what = "a packet block";
        let Some(head) = source.array::<20>(what)? else { return Err(CaptureError::CutOff { offset, what }) };
        let number = |at: usize| self.number([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let index = if kind == PACKET { self.half([head[0], head[1]]).into() } else { number(0) };
        let (captured, original) = (number(12), number(16));
        let length = fits(offset, captured, body - 20)?;
        source.take(length, what)?;
        let interface = usize::try_from(index).ok().and_then(|index| self.interfaces.get(index));
        let found = interface.map(|interface| Found {
            time: interface.time(u64::from(number(4)) << 32 | u64::from(number(8))),
            link: interface.link,
            original: original.max(captured).into(),
            length,
        });
        Ok((found, 20 + length as u64))
    }

    fn simple_packet<R: Read>(
        &self,
        offset: u64,
        body: u64,
        source: &mut Source<R>,
    ) -> Result<(Option<Found>, u64), CaptureError> {
        let what = "a simple packet block";
        let Some(head) = source.array::<4>(what)? else { return Err(CaptureError::CutOff { offset, what }) };
        let original = self.number(head);
        let Some(interface) = self.interfaces.first() else { return Ok((None, 4)) };
        let snapshot = if interface.snapshot == 0 { u32::MAX } else { interface.snapshot };
        let captured = original.min(snapshot).min(u32::try_from(body - 4).unwrap_or(u32::MAX));
        let length = fits(offset, captured, body - 4)?;
        source.take(length, what)?;
        Ok((
            Some(Found { time: None, link: interface.link, original: original.into(), length }),
            4 + length as u64,
        ))
    }

    /// The total length once more, where the block ends.
    fn trailer<R: Read>(&self, offset: u64, total: u32, source: &mut Source<R>) -> Result<(), CaptureError> {
        let at = source.at();
        let Some(again) = source.array::<4>("a block")? else {
            return Err(CaptureError::CutOff { offset, what: "a block" });
        };
        let again = self.number(again);
        if again == total {
            return Ok(());
        }
        Err(impossible(at, "total length at the end of a block", "the same as at its beginning", again))
    }
}

impl Interface {
    /// Nanoseconds since 1970. `None` if they don't fit.
    fn time(&self, ticks: u64) -> Option<u64> {
        let exponent = u32::from(self.resolution & 0x7f);
        let base: u128 = if self.resolution & 0x80 != 0 { 2 } else { 10 };
        let per_second = base.checked_pow(exponent)?;
        let nanoseconds = u128::from(ticks).checked_mul(1_000_000_000)? / per_second;
        let shifted = i128::try_from(nanoseconds).ok()? + i128::from(self.offset) * 1_000_000_000;
        u64::try_from(shifted).ok()
    }
}

/// Bytes between the two lengths of a block.
fn body(offset: u64, total: u32) -> Result<u64, CaptureError> {
    if total < 12 || !total.is_multiple_of(4) {
        return Err(impossible(offset + 4, "total length of a block", "a multiple of 4, at least 12", total));
    }
    Ok(u64::from(total) - 12)
}

/// The captured length, if the block and memory have room for it.
fn fits(offset: u64, captured: u32, room: u64) -> Result<usize, CaptureError> {
    let length = usize::try_from(captured).unwrap_or(usize::MAX);
    if u64::from(captured) > room || length > LONGEST {
        let needed = "at most what the block has room for, and 1,048,576";
        return Err(impossible(offset + 20, "captured length of a packet", needed, captured));
    }
    Ok(length)
}

fn impossible(offset: u64, field: &'static str, needed: &'static str, had: u32) -> CaptureError {
    CaptureError::Impossible { offset, field, needed, had: had.into() }
}

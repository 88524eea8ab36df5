//! Reads a pcapng file block by block.
//!
//! The format is `wire::pcapng`'s. Blocks of other types are passed over.

use std::io::Read;

use super::{CaptureError, Found, LONGEST, Link, source::Source};
use crate::wire::pcapng::{
    ByteOrder, ENHANCED_PACKET, INTERFACE_DESCRIPTION, Interface, PACKET, PacketHeader, SECTION_HEADER,
    SIMPLE_PACKET,
};

/// The type of a Section Header, the same in both byte orders.
pub(super) const SECTION: [u8; 4] = SECTION_HEADER.to_be_bytes();

/// More interfaces no machine has.
const INTERFACES: usize = 4096;
/// Bytes of options of an interface that are looked at.
const OPTIONS: usize = 64 << 10;

/// Where the reading stands.
#[derive(Debug, Default)]
pub(super) struct File {
    order: ByteOrder,
    /// Those of the section under way.
    interfaces: Vec<Interface>,
    /// What follows the packet that was given last, in its block: where that begins, its total length, and
    /// bytes to pass.
    owed: Option<(u64, u32, u64)>,
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
            let (kind, total) = (self.order.u32([a, b, c, d]), self.order.u32([e, f, g, h]));
            let body = body(offset, total)?;
            let least = match kind {
                PACKET | ENHANCED_PACKET => PacketHeader::LENGTH as u64,
                SIMPLE_PACKET => 4,
                INTERFACE_DESCRIPTION => 8,
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
                INTERFACE_DESCRIPTION => self.interface(offset, body, source)?,
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

    /// A new section: its byte order, and no interfaces yet.
    fn section<R: Read>(
        &mut self,
        offset: u64,
        total: [u8; 4],
        source: &mut Source<R>,
    ) -> Result<(), CaptureError> {
        let what = "the header of a section";
        let Some(magic) = source.array::<4>(what)? else { return Err(CaptureError::CutOff { offset, what }) };
        self.order = ByteOrder::of(magic).ok_or_else(|| {
            let had = u32::from_be_bytes(magic);
            impossible(offset + 8, "byte-order magic", "0x1a2b3c4d in one of the two orders", had)
        })?;
        self.interfaces.clear();
        let total = self.order.u32(total);
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
        let fixed = source.array::<8>(what)?.ok_or_else(cut_off)?;
        let length = usize::try_from(body - 8).unwrap_or(usize::MAX).min(OPTIONS);
        let options = source.take(length, what)?;
        self.interfaces.push(Interface::decode(self.order, fixed, options));
        source.skip(body - 8 - length as u64, what)
    }

    /// A packet of type 2 or 6, and how many bytes of the body it took. `None` if its interface was never
    /// described.
    fn packet<R: Read>(
        &self,
        offset: u64,
        kind: u32,
        body: u64,
        source: &mut Source<R>,
    ) -> Result<(Option<Found>, u64), CaptureError> {
        let what = "a packet block";
        let Some(fixed) = source.array(what)? else { return Err(CaptureError::CutOff { offset, what }) };
        let PacketHeader { interface, time, captured, original } =
            PacketHeader::decode(self.order, kind, fixed);
        let length = fits(offset, captured, body - PacketHeader::LENGTH as u64)?;
        source.take(length, what)?;
        let interface = usize::try_from(interface).ok().and_then(|index| self.interfaces.get(index));
        let found = interface.map(|interface| Found {
            time: interface.nanoseconds(time),
            link: Link(interface.link.into()),
            original: original.max(captured).into(),
            length,
        });
        Ok((found, (PacketHeader::LENGTH + length) as u64))
    }

    fn simple_packet<R: Read>(
        &self,
        offset: u64,
        body: u64,
        source: &mut Source<R>,
    ) -> Result<(Option<Found>, u64), CaptureError> {
        let what = "a simple packet block";
        let Some(head) = source.array::<4>(what)? else { return Err(CaptureError::CutOff { offset, what }) };
        let original = self.order.u32(head);
        let Some(interface) = self.interfaces.first() else { return Ok((None, 4)) };
        let snapshot = if interface.snapshot == 0 { u32::MAX } else { interface.snapshot };
        let captured = original.min(snapshot).min(u32::try_from(body - 4).unwrap_or(u32::MAX));
        let length = fits(offset, captured, body - 4)?;
        source.take(length, what)?;
        Ok((
            Some(Found { time: None, link: Link(interface.link.into()), original: original.into(), length }),
            4 + length as u64,
        ))
    }

    /// The total length once more, where the block ends.
    fn trailer<R: Read>(&self, offset: u64, total: u32, source: &mut Source<R>) -> Result<(), CaptureError> {
        let at = source.at();
        let Some(again) = source.array::<4>("a block")? else {
            return Err(CaptureError::CutOff { offset, what: "a block" });
        };
        let again = self.order.u32(again);
        if again == total {
            return Ok(());
        }
        Err(impossible(at, "total length at the end of a block", "the same as at its beginning", again))
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

//! A place in a frame that moves on bit by bit, and tells a field for all that it passes.
//!
//! So the law of [`super::field`] holds by the way in which decoders are written: what is passed is told, and
//! what is told is passed. Where the bytes end too early, what is left of them becomes a field that says so.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use super::{
    field::Field,
    layer::{Layer, Protocol},
    mac::Mac,
    text,
};

/// How many bytes of a value without a form of its own are shown.
const SHOWN: usize = 32;

/// Where the reading ends, and what says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    end: usize,
    by: &'static str,
}

/// The place, and what has been told so far.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    frame: &'a [u8],
    bit: usize,
    limit: Limit,
    quoted: bool,
    fields: Vec<Field>,
    layers: Vec<Layer>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(frame: &'a [u8]) -> Self {
        let limit = Limit { end: frame.len(), by: "the frame" };
        // A TCP segment has about 50 fields.
        Reading { frame, bit: 0, limit, quoted: false, fields: Vec::with_capacity(64), layers: Vec::new() }
    }

    pub(super) fn into_parts(self) -> (Vec<Layer>, Vec<Field>) {
        (self.layers, self.fields)
    }

    /// The byte that comes next, from the start of the frame.
    pub(super) fn at(&self) -> usize {
        self.bit / 8
    }

    /// Bytes up to the limit.
    pub(super) fn left(&self) -> usize {
        self.limit.end.saturating_sub(self.at())
    }

    /// The bytes up to the limit, not passed yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.frame[self.at().min(self.limit.end)..self.limit.end]
    }

    /// The bytes from `start` up to the limit.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        &self.frame[start.min(self.limit.end)..self.limit.end]
    }

    /// True inside a datagram that an ICMP message quotes.
    pub(super) fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// Does `decode` with at most `length` more bytes to read, because `by` says so. Then the old limit holds again.
    pub(super) fn within<T>(
        &mut self,
        length: usize,
        by: &'static str,
        decode: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let outer = self.limit;
        let end = self.at().saturating_add(length);
        if end <= outer.end {
            self.limit = Limit { end, by };
        }
        let result = decode(self);
        self.limit = outer;
        result
    }

    /// Makes one layer of all that `decode` passes.
    pub(super) fn layer<T>(&mut self, protocol: Protocol, decode: impl FnOnce(&mut Self) -> T) -> T {
        let (start, first) = (self.at(), self.fields.len());
        let result = decode(self);
        let (bytes, fields) = (start..self.at(), first..self.fields.len());
        if !bytes.is_empty() {
            self.layers.push(Layer { protocol, bytes, fields, quoted: self.quoted });
        }
        result
    }

    /// Marks the layers that `decode` makes as quoted.
    pub(super) fn quoting<T>(&mut self, decode: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.quoted, true);
        let result = decode(self);
        self.quoted = outer;
        result
    }

    /// Passes `width` bits (at most 64), most significant first, and tells them as a decimal number.
    ///
    /// `None` if they are not all there; then everything up to the limit has been passed and told.
    pub(super) fn bits(
        &mut self,
        width: usize,
        name: &'static str,
        meaning: impl Into<String>,
        section: &'static str,
    ) -> Option<u64> {
        self.claim(width, name, section)?;
        let mut number = 0;
        for bit in self.bit..self.bit + width {
            let one = self.frame[bit / 8] >> (7 - bit % 8) & 1;
            number = number << 1 | u64::from(one);
        }
        self.push(width, name, number.to_string(), meaning.into(), section);
        Some(number)
    }

    /// [`Self::bits`] for 1 to 8 bits.
    pub(super) fn small(
        &mut self,
        width: usize,
        name: &'static str,
        meaning: impl Into<String>,
        section: &'static str,
    ) -> Option<u8> {
        self.bits(width, name, meaning, section).map(|number| number.to_be_bytes()[7])
    }

    /// A byte.
    pub(super) fn u8(
        &mut self,
        name: &'static str,
        meaning: impl Into<String>,
        section: &'static str,
    ) -> Option<u8> {
        self.small(8, name, meaning, section)
    }

    /// Two bytes, big-endian.
    pub(super) fn u16(
        &mut self,
        name: &'static str,
        meaning: impl Into<String>,
        section: &'static str,
    ) -> Option<u16> {
        let [.., high, low] = self.bits(16, name, meaning, section)?.to_be_bytes();
        Some(u16::from_be_bytes([high, low]))
    }

    /// Four bytes, big-endian.
    pub(super) fn u32(
        &mut self,
        name: &'static str,
        meaning: impl Into<String>,
        section: &'static str,
    ) -> Option<u32> {
        let [.., a, b, c, d] = self.bits(32, name, meaning, section)?.to_be_bytes();
        Some(u32::from_be_bytes([a, b, c, d]))
    }

    /// One bit, with what it means when it is set and when it is not.
    pub(super) fn flag(
        &mut self,
        name: &'static str,
        set: &'static str,
        clear: &'static str,
        section: &'static str,
    ) -> Option<bool> {
        let flag = self.bits(1, name, "", section)? == 1;
        self.meaning(if flag { set } else { clear });
        Some(flag)
    }

    /// `length` bytes, shown in hex.
    pub(super) fn bytes(
        &mut self,
        length: usize,
        name: &'static str,
        meaning: impl Into<String>,
        section: &'static str,
    ) -> Option<&'a [u8]> {
        self.claim(length.saturating_mul(8), name, section)?;
        let bytes = &self.frame[self.at()..self.at() + length];
        if length > 0 {
            self.push(length * 8, name, text::hex(bytes, SHOWN), meaning.into(), section);
        }
        Some(bytes)
    }

    /// Six bytes: the address of a network card.
    pub(super) fn mac(
        &mut self,
        name: &'static str,
        meaning: impl Into<String>,
        section: &'static str,
    ) -> Option<Mac> {
        let bytes = self.bytes(6, name, meaning, section)?;
        let mac = Mac(bytes.try_into().expect("six bytes were asked for"));
        self.value(mac.to_string());
        Some(mac)
    }

    /// Four bytes: an IPv4 address.
    pub(super) fn ipv4(
        &mut self,
        name: &'static str,
        meaning: impl Into<String>,
        section: &'static str,
    ) -> Option<Ipv4Addr> {
        let address = Ipv4Addr::from_bits(self.u32(name, meaning, section)?);
        self.value(address.to_string());
        Some(address)
    }

    /// Sixteen bytes: an IPv6 address.
    pub(super) fn ipv6(
        &mut self,
        name: &'static str,
        meaning: impl Into<String>,
        section: &'static str,
    ) -> Option<Ipv6Addr> {
        let bytes = self.bytes(16, name, meaning, section)?;
        let bytes: [u8; 16] = bytes.try_into().expect("sixteen bytes were asked for");
        let address = Ipv6Addr::from(bytes);
        self.value(address.to_string());
        Some(address)
    }

    /// All bytes up to the limit, in hex; nothing if there is none.
    pub(super) fn all(&mut self, name: &'static str, meaning: impl Into<String>, section: &'static str) {
        // What is left is there.
        let _ = self.bytes(self.left(), name, meaning, section);
    }

    /// All bytes up to the limit, escaped as text.
    pub(super) fn all_as_text(&mut self, name: &'static str, limit: usize, meaning: impl Into<String>) {
        let rest = self.rest();
        if !rest.is_empty() {
            self.all(name, meaning, "");
            self.value(text::shown(rest, limit));
        }
    }

    /// All bytes up to the limit, taken apart by a decoder that covers every bit of what it is given.
    pub(super) fn hand_over(&mut self, decoder: impl FnOnce(&[u8]) -> Vec<Field>) {
        let start = self.bit;
        let rest = self.rest();
        self.fields.extend(decoder(rest).into_iter().map(|mut field| {
            field.bits = field.bits.start + start..field.bits.end + start;
            field
        }));
        self.bit += rest.len() * 8;
    }

    /// Gives the last field another value.
    pub(super) fn value(&mut self, value: String) {
        self.last().value = value;
    }

    /// Gives the last field its name in the specification.
    pub(super) fn symbol(&mut self, symbol: Option<&'static str>) {
        self.last().symbol = symbol;
    }

    /// Gives the last field another meaning.
    pub(super) fn meaning(&mut self, meaning: impl Into<String>) {
        self.last().meaning = meaning.into();
    }

    /// Adds to the meaning of the last field.
    pub(super) fn note(&mut self, note: &str) {
        let meaning = &mut self.last().meaning;
        if !meaning.is_empty() {
            meaning.push_str("; ");
        }
        meaning.push_str(note);
    }

    /// Says who claimed the length of what was cut off. Always `None`, to go on with.
    pub(super) fn blame<T>(&mut self, name: &'static str) -> Option<T> {
        if !self.fields.is_empty() {
            self.note(&format!("{name} claims it"));
        }
        None
    }

    fn last(&mut self) -> &mut Field {
        self.fields.last_mut().expect("a field was just told")
    }

    /// Are `width` bits there? If not, what is there is told as cut off.
    fn claim(&mut self, width: usize, name: &'static str, section: &'static str) -> Option<()> {
        let here = (self.limit.end * 8).saturating_sub(self.bit);
        if width <= here {
            return Some(());
        }
        let by = self.limit.by;
        if here == 0 {
            if let Some(last) = self.fields.last_mut() {
                last.meaning.push_str("; cut off: ");
                last.meaning.push_str(name);
                last.meaning.push_str(" should follow, but ");
                last.meaning.push_str(by);
                last.meaning.push_str(" ends here");
            }
            return None;
        }
        let bits: Range<usize> = self.bit..self.bit + here;
        let value = if bits.start.is_multiple_of(8) {
            text::hex(&self.frame[bits.start / 8..bits.end / 8], SHOWN)
        } else {
            format!("{here} bits")
        };
        let meaning = match (width.is_multiple_of(8), here.is_multiple_of(8)) {
            (true, true) => {
                format!("cut off: {} bytes, but {by} ends after {} of them", width / 8, here / 8)
            }
            _ => format!("cut off: {width} bits, but {by} ends after {here} of them"),
        };
        self.push(here, name, value, meaning, section);
        None
    }

    fn push(
        &mut self,
        width: usize,
        name: &'static str,
        value: String,
        meaning: String,
        section: &'static str,
    ) {
        let bits = self.bit..self.bit + width;
        self.bit = bits.end;
        self.fields.push(Field { bits, name, value, symbol: None, meaning, section });
    }
}

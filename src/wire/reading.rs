//! A cursor over the bits of a frame that records a field for everything that it consumes.
//!
//! Decoders therefore keep the law of [`super::field`] by construction: a consumed bit has a field, and a
//! field has been consumed. Where the bytes end too early, the remaining bits become a field that says so.

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

/// Number of bytes shown of a value that has no format of its own.
const SHOWN: usize = 32;

/// The end of the readable bytes, and the field that sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    end: usize,
    by: &'static str,
}

/// The cursor, and the fields and layers so far.
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

    /// Returns the offset of the next byte, from the start of the frame.
    pub(super) fn at(&self) -> usize {
        self.bit / 8
    }

    /// Returns the number of bytes up to the limit.
    pub(super) fn left(&self) -> usize {
        self.limit.end.saturating_sub(self.at())
    }

    /// Returns the bytes up to the limit that are not consumed yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.frame[self.at().min(self.limit.end)..self.limit.end]
    }

    /// Returns the bytes from `start` up to the limit.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        &self.frame[start.min(self.limit.end)..self.limit.end]
    }

    /// True inside a datagram that an ICMP message quotes.
    pub(super) fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// Runs `decode` with a limit of `length` more bytes, set by the field `by`. Restores the old limit
    /// afterwards.
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

    /// Makes one layer of all that `decode` consumes.
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

    /// Consumes `width` bits (at most 64), most significant first, as a field with a decimal value.
    ///
    /// Returns `None` if they are not all there; everything up to the limit has then been consumed.
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

    /// One bit, with its meaning when set and when clear.
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

    /// All bytes up to the limit, in hex. Adds no field if there are none.
    pub(super) fn all(&mut self, name: &'static str, meaning: impl Into<String>, section: &'static str) {
        // The remaining bytes are there.
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

    /// All bytes up to the limit, as the fields of a decoder that covers every bit of its input.
    pub(super) fn hand_over(&mut self, decoder: impl FnOnce(&[u8]) -> Vec<Field>) {
        let start = self.bit;
        let rest = self.rest();
        self.fields.extend(decoder(rest).into_iter().map(|mut field| {
            field.bits = field.bits.start + start..field.bits.end + start;
            field
        }));
        self.bit += rest.len() * 8;
    }

    /// Replaces the value of the last field.
    pub(super) fn value(&mut self, value: String) {
        self.last().value = value;
    }

    /// Sets the symbol of the last field.
    pub(super) fn symbol(&mut self, symbol: Option<&'static str>) {
        self.last().symbol = symbol;
    }

    /// Replaces the meaning of the last field.
    pub(super) fn meaning(&mut self, meaning: impl Into<String>) {
        self.last().meaning = meaning.into();
    }

    /// Appends to the meaning of the last field.
    pub(super) fn note(&mut self, note: &str) {
        let meaning = &mut self.last().meaning;
        if !meaning.is_empty() {
            meaning.push_str("; ");
        }
        meaning.push_str(note);
    }

    /// Notes which field claimed the length of what was cut off. Returns `None`.
    pub(super) fn blame<T>(&mut self, name: &'static str) -> Option<T> {
        if !self.fields.is_empty() {
            self.note(&format!("{name} claims it"));
        }
        None
    }

    fn last(&mut self) -> &mut Field {
        self.fields.last_mut().expect("a field was just told")
    }

    /// Checks that `width` bits are there. If not, the remaining bits become a field that is cut off.
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

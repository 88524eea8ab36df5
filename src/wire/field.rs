//! Fields: the list that every decoder returns and every view shows.
//!
//! The law: the fields of an input cover every bit of it exactly once. Bits that no decoder knows become a
//! gap, a field of its own.

use std::ops::Range;

use thiserror::Error;

use super::text;

/// Number of bytes shown of a gap.
const GAP_SHOWN: usize = 32;

/// A named range of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its range in bits from the start of the input. The most significant bit of byte 0 is bit 0.
    pub bits: Range<usize>,
    /// Its name in the specification.
    pub name: &'static str,
    /// Its value for people, escaped.
    pub value: String,
    /// The name that the specification gives this value, if it has one: `Ping` for opcode 0x9.
    pub symbol: Option<&'static str>,
    /// What the value means.
    pub meaning: String,
    /// The section that defines it, such as `RFC 6455 §5.2`; empty for a gap.
    pub section: &'static str,
}

impl Field {
    /// Returns a field of whole bytes. The bit range is the byte range times 8.
    pub(crate) fn of_bytes(
        bytes: Range<usize>,
        name: &'static str,
        value: String,
        meaning: impl Into<String>,
        section: &'static str,
    ) -> Self {
        let bits = bytes.start * 8..bytes.end * 8;
        Field { bits, name, value, symbol: None, meaning: meaning.into(), section }
    }

    /// Returns the range of bytes that it touches.
    pub fn bytes(&self) -> Range<usize> {
        self.bits.start / 8..self.bits.end.div_ceil(8)
    }
}

/// A layer with bytes of its own: unmasked and reassembled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerBytes {
    /// `WebSocket`, `Engine.IO`; `message` for the innermost.
    pub protocol: &'static str,
    /// Its bytes: the payload of the layer around it.
    pub bytes: Vec<u8>,
    /// The fields of the bytes; none for a message.
    pub fields: Vec<Field>,
}

impl LayerBytes {
    /// Returns the innermost layer: bytes that mean nothing to any transport.
    pub fn message(bytes: &[u8]) -> LayerBytes {
        LayerBytes { protocol: "message", bytes: bytes.to_vec(), fields: Vec::new() }
    }
}

/// A bit that is not covered exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotCovered {
    /// No field has it.
    #[error("bit {0} is in no field")]
    Missing(usize),
    /// Two fields have it.
    #[error("bit {0} is in two fields")]
    Twice(usize),
    /// A field goes on past the end of the input.
    #[error("bit {0} is past the end of the input")]
    Beyond(usize),
}

/// Checks the law for an input of `bits` bits. The fields must be in order.
pub fn check(bits: usize, fields: &[Field]) -> Result<(), NotCovered> {
    let mut next = 0;
    for field in fields {
        if field.bits.start > next {
            return Err(NotCovered::Missing(next));
        }
        if field.bits.start < next {
            return Err(NotCovered::Twice(field.bits.start));
        }
        next = field.bits.end;
    }
    match next {
        next if next < bits => Err(NotCovered::Missing(next)),
        next if next > bits => Err(NotCovered::Beyond(bits)),
        _ => Ok(()),
    }
}

/// Enforces the law: sorts the fields and fills the ranges of `input` that they leave out with gaps.
///
/// Empty fields are dropped. Where two fields claim a bit, the one that begins first keeps it. Bits past the
/// end are cut off. A decoder should need neither.
pub fn fill(input: &[u8], mut fields: Vec<Field>) -> Vec<Field> {
    let bits = input.len() * 8;
    fields.sort_by_key(|field| field.bits.start);
    let mut out: Vec<Field> = Vec::with_capacity(fields.len());
    let mut next = 0;
    for mut field in fields {
        let start = field.bits.start.max(next);
        let end = field.bits.end.min(bits);
        if start >= end {
            continue;
        }
        if start > next {
            out.push(gap(input, next..start));
        }
        field.bits = start..end;
        next = end;
        out.push(field);
    }
    if next < bits {
        out.push(gap(input, next..bits));
    }
    out
}

fn gap(input: &[u8], bits: Range<usize>) -> Field {
    let value = if bits.start.is_multiple_of(8) && bits.end.is_multiple_of(8) {
        text::hex(&input[bits.start / 8..bits.end / 8], GAP_SHOWN)
    } else {
        format!("{} bits", bits.len())
    };
    Field { bits, name: "gap", value, symbol: None, meaning: "not known to this decoder".into(), section: "" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(bits: Range<usize>) -> Field {
        Field { bits, name: "x", value: String::new(), symbol: None, meaning: String::new(), section: "" }
    }

    #[test]
    fn what_is_left_out_becomes_a_gap() {
        let fields = fill(&[1, 2, 3], vec![field(4..8)]);
        let out: Vec<_> = fields.iter().map(|f| (f.bits.clone(), f.name, f.value.as_str())).collect();
        assert_eq!(out, [(0..4, "gap", "4 bits"), (4..8, "x", ""), (8..24, "gap", "02 03")]);
        assert_eq!(fields[0].bytes(), 0..1);
    }

    #[test]
    fn the_check_names_the_bit() {
        assert_eq!(check(8, &[field(0..4)]), Err(NotCovered::Missing(4)));
        assert_eq!(check(8, &[field(1..8)]), Err(NotCovered::Missing(0)));
        assert_eq!(check(8, &[field(0..5), field(4..8)]), Err(NotCovered::Twice(4)));
        assert_eq!(check(8, &[field(0..9)]), Err(NotCovered::Beyond(8)));
        assert_eq!(check(0, &[]), Ok(()));
    }

    proptest! {
        #[test]
        fn filling_always_makes_the_law_true(
            input in proptest::collection::vec(any::<u8>(), 0..6),
            ranges in proptest::collection::vec((0usize..60, 0usize..20), 0..6),
        ) {
            let fields = ranges.into_iter().map(|(start, length)| field(start..start + length)).collect();
            prop_assert_eq!(check(input.len() * 8, &fill(&input, fields)), Ok(()));
        }
    }
}

//! Validates UTF-8 that arrives in pieces. A text message may be split inside a character (RFC 6455 §5.6).

use std::str;

/// A validator that continues from piece to piece and finds the first invalid byte.
///
/// Corresponds to the table of RFC 3629 §4: no overlong forms, no surrogates, nothing above U+10FFFF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    /// Bytes that the current character still needs.
    missing: u8,
    /// The inclusive range of the next of them.
    low: u8,
    high: u8,
    /// Bytes of the current character so far.
    begun: usize,
}

impl Default for Check {
    fn default() -> Self {
        Self::new()
    }
}

impl Check {
    /// At the beginning of a text.
    pub(crate) fn new() -> Self {
        Check { missing: 0, low: 0x80, high: 0xbf, begun: 0 }
    }

    /// Validates the next piece. The error is the index in `piece` of the first invalid byte.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), usize> {
        let mut index = 0;
        while index < piece.len() {
            if self.missing == 0 {
                // Between characters the standard library is faster; it leaves an incomplete character to the
                // code below.
                match str::from_utf8(&piece[index..]) {
                    Ok(_) => return Ok(()),
                    Err(error) => index += error.valid_up_to(),
                }
            }
            if !self.step(piece[index]) {
                return Err(index);
            }
            index += 1;
        }
        Ok(())
    }

    /// Returns the number of bytes of an incomplete character at the end; 0 if there is none.
    pub(crate) fn unfinished(&self) -> usize {
        self.begun
    }

    fn step(&mut self, byte: u8) -> bool {
        if self.missing == 0 {
            // The first byte determines how many follow, and for some the range of the second.
            (self.missing, self.low, self.high) = match byte {
                0x00..=0x7f => return true,
                0xc2..=0xdf => (1, 0x80, 0xbf),
                0xe0 => (2, 0xa0, 0xbf), // below: overlong
                0xed => (2, 0x80, 0x9f), // above: surrogates
                0xe1..=0xef => (2, 0x80, 0xbf),
                0xf0 => (3, 0x90, 0xbf), // below: overlong
                0xf1..=0xf3 => (3, 0x80, 0xbf),
                0xf4 => (3, 0x80, 0x8f), // above: more than U+10FFFF
                _ => return false,
            };
            self.begun = 1;
            return true;
        }
        if byte < self.low || byte > self.high {
            return false;
        }
        (self.low, self.high) = (0x80, 0xbf);
        self.missing -= 1;
        self.begun = if self.missing == 0 { 0 } else { self.begun + 1 };
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_impossible_byte_is_named() {
        let cases: &[(&[u8], usize)] = &[
            (b"\xff", 0),
            (b"a\x80", 1),
            (b"\xc0\x80", 0),
            (b"\xe0\x80\x80", 1),
            (b"\xed\xa0\x80", 1),
            (b"\xf0\x8f\xbf\xbf", 1),
            (b"\xf4\x90\x80\x80", 1),
            (b"\xf5", 0),
            (b"\xce\xba\xe1\xbd(", 4),
        ];
        for (bytes, at) in cases {
            assert_eq!(Check::new().push(bytes), Err(*at), "{bytes:x?}");
        }
    }

    #[test]
    fn a_character_cut_off_is_unfinished() {
        let mut check = Check::new();
        assert_eq!(check.push(b"a\xf0\x9f\x98"), Ok(()));
        assert_eq!(check.unfinished(), 3);
        assert_eq!(check.push(b"\x80"), Ok(()));
        assert_eq!(check.unfinished(), 0);
    }

    #[test]
    fn every_character_passes() {
        for c in (0..=0x10ffff).filter_map(char::from_u32) {
            let mut check = Check::new();
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                assert_eq!(check.push(&[byte]), Ok(()), "{c:?}");
            }
            assert_eq!(check.unfinished(), 0);
        }
    }

    fn nearly_text() -> impl Strategy<Value = Vec<u8>> {
        (any::<String>(), any::<Vec<u8>>(), any::<String>())
            .prop_map(|(a, b, c)| [a.as_bytes(), &b, c.as_bytes()].concat())
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_standard_library(bytes in nearly_text()) {
            let mut check = Check::new();
            let ours = check.push(&bytes).is_ok() && check.unfinished() == 0;
            prop_assert_eq!(ours, str::from_utf8(&bytes).is_ok());
        }

        #[test]
        fn pieces_make_no_difference(bytes in nearly_text(), size in 1usize..5) {
            let whole = Check::new().push(&bytes);
            let mut check = Check::new();
            let mut pieces = Ok(());
            for (index, piece) in bytes.chunks(size).enumerate() {
                pieces = check.push(piece).map_err(|at| index * size + at);
                if pieces.is_err() {
                    break;
                }
            }
            prop_assert_eq!(pieces, whole);
        }
    }
}

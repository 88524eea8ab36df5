//! The JSON of SockJS, piece by piece: an array of strings, or a code and a reason (RFC 8259 §2 to §7).
//!
//! One pass serves all: the parser uses the values of the pieces, the list of fields their ranges, and an
//! error is at the end of the pass.

use std::ops::Range;

use super::{
    tables::{FRAMES_SECTION, MESSAGES_SECTION},
    text::{Text, is_surrogate},
};
use crate::wire::Malformed;

const STRING: &str = "RFC 8259 §7";
const ARRAY: &str = "RFC 8259 §5";

/// A piece of JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Its bytes.
    pub bytes: Range<usize>,
    /// What it is.
    pub what: What,
}

/// What a piece is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// Spaces, tabs and line ends, which mean nothing.
    Blank,
    /// `[`
    Begin,
    /// `,`
    Comma,
    /// `]`
    End,
    /// A number: the code of a close frame.
    Code(u16),
    /// A string.
    Text(Text),
}

/// The expected form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `["a","b"]`
    Array,
    /// `"a"`
    String,
    /// `[3000,"Go away!"]`
    Close,
}

/// Reads `bytes` from `start` to their end. `pieces` has the valid pieces before an error.
pub(super) fn walk(
    bytes: &[u8],
    start: usize,
    shape: Shape,
    pieces: &mut Vec<Piece>,
) -> Result<(), Malformed> {
    let mut walk = Walk { bytes, at: start, start, pieces };
    walk.blanks();
    match shape {
        Shape::Array => walk.array()?,
        Shape::String => walk.string("message")?,
        Shape::Close => walk.close()?,
    }
    walk.blanks();
    match walk.rest() {
        [] => Ok(()),
        _ => Err(walk.error("end", "nothing after it", ARRAY)),
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    start: usize,
    pieces: &'a mut Vec<Piece>,
}

impl Walk<'_> {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    fn take(&mut self, length: usize, what: What) {
        self.pieces.push(Piece { bytes: self.at..self.at + length, what });
        self.at += length;
    }

    fn blanks(&mut self) {
        let length = self.rest().iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
        if length > 0 {
            self.take(length, What::Blank);
        }
    }

    fn expect(&mut self, byte: u8, what: What, needed: &'static str) -> Result<(), Malformed> {
        if self.rest().first() != Some(&byte) {
            return Err(self.error("array", needed, ARRAY));
        }
        self.take(1, what);
        self.blanks();
        Ok(())
    }

    fn array(&mut self) -> Result<(), Malformed> {
        self.expect(b'[', What::Begin, "[, as messages come in an array")?;
        if self.rest().first() == Some(&b']') {
            return self.expect(b']', What::End, "]");
        }
        loop {
            self.string("message")?;
            self.blanks();
            if self.rest().first() == Some(&b']') {
                return self.expect(b']', What::End, "]");
            }
            self.expect(b',', What::Comma, ", or ] after a message")?;
        }
    }

    fn close(&mut self) -> Result<(), Malformed> {
        self.expect(b'[', What::Begin, "[, a code, a reason and ]")?;
        self.code()?;
        self.blanks();
        self.expect(b',', What::Comma, ", between code and reason")?;
        self.string("reason")?;
        self.blanks();
        self.expect(b']', What::End, "] after the reason")
    }

    fn code(&mut self) -> Result<(), Malformed> {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = str::from_utf8(&self.rest()[..digits]).unwrap_or_default();
        // JSON has no leading zeros (RFC 8259 §6).
        let number = number.parse().ok().filter(|_| digits == 1 || !number.starts_with('0'));
        let after = self.rest().get(digits);
        match number {
            Some(number) if !after.is_some_and(|byte| b".eE".contains(byte)) => {
                self.take(digits, What::Code(number));
                Ok(())
            }
            _ => Err(self.error("code", "a whole number from 0 to 65535", FRAMES_SECTION)),
        }
    }

    fn string(&mut self, field: &'static str) -> Result<(), Malformed> {
        if self.rest().first() != Some(&b'"') {
            // A frame has its letter before the JSON, a client's messages have nothing.
            let section = if self.start == 0 { MESSAGES_SECTION } else { FRAMES_SECTION };
            return Err(self.error(field, "a JSON string in quotes", section));
        }
        let begin = self.at;
        let mut units = Vec::new();
        let mut at = begin + 1;
        loop {
            let plain =
                self.bytes[at..].iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)).count();
            match str::from_utf8(&self.bytes[at..at + plain]) {
                Ok(plain) => units.extend(plain.encode_utf16()),
                Err(error) => {
                    self.at = at + error.valid_up_to();
                    return Err(self.error(field, "UTF-8", "RFC 8259 §8.1"));
                }
            }
            at += plain;
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => match escape(&self.bytes[at..]) {
                    Some((unit, length)) => {
                        units.push(unit);
                        at += length;
                    }
                    None => {
                        self.at = at;
                        let needed = "\\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u and four hex digits";
                        return Err(self.error("escape", needed, STRING));
                    }
                },
                Some(_) => {
                    self.at = at;
                    return Err(self.error("control character", "it as an escape", STRING));
                }
                None => {
                    self.at = at;
                    return Err(self.error(field, "its closing quote", STRING));
                }
            }
        }
        self.at = begin;
        self.take(at + 1 - begin, What::Text(Text::from_units(units)));
        Ok(())
    }

    /// Returns the error at the current byte.
    fn error(&self, field: &'static str, needed: &'static str, section: &'static str) -> Malformed {
        Malformed::at(field, self.at, needed, self.rest(), section)
    }
}

/// Returns the unit of the escape at the start of `bytes`, and its length.
fn escape(bytes: &[u8]) -> Option<(u16, usize)> {
    let unit = match bytes.get(1)? {
        b'"' => b'"',
        b'\\' => b'\\',
        b'/' => b'/',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let digits = bytes.get(2..6)?;
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            return Some((u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?, 6));
        }
        _ => return None,
    };
    Some((u16::from(unit), 2))
}

/// True if a character beyond U+FFFF is in it, or half of one.
pub(super) fn has_surrogates(text: &Text) -> bool {
    text.units().iter().any(|unit| is_surrogate(*unit))
}

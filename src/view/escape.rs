//! What comes from a trace may not steer the terminal: control characters, escape sequences and the
//! characters that turn the direction of writing become visible text.

use std::borrow::Cow;

use crate::wire::text::{self, escape_into, steers};

/// The text with everything that is no visible character written out: `\n`, `\x1b`, `\u{202e}`.
///
/// A backslash stays as it is, so this is for reading, not for turning back; see [`quote`] for bytes.
pub fn escape(text: &str) -> Cow<'_, str> {
    let visible = |strange, byte: &u8| strange | !(0x20..0x7f).contains(byte);
    if !text.as_bytes().iter().fold(false, visible) || !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if steers(c) {
            escape_into(c, &mut safe);
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Bytes as a string in quotation marks, as in C or Rust: `"GET / HTTP/1.1\r\n"`. What is no UTF-8 becomes
/// `\xff`.
pub fn quote(bytes: &[u8]) -> String {
    let mut quoted = String::with_capacity(bytes.len() + 2);
    quoted.push('"');
    match text::plain(bytes) {
        Some(plain) => push(&mut quoted, plain),
        None => push(&mut quoted, &text::escape(bytes)),
    }
    quoted.push('"');
    quoted
}

/// Adds a text, with a backslash before each quotation mark.
fn push(quoted: &mut String, text: &str) {
    for (index, piece) in text.split('"').enumerate() {
        if index > 0 {
            quoted.push_str("\\\"");
        }
        quoted.push_str(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(escape("한글, emoji 👩‍👩‍👧, Ä"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_would_steer_a_terminal_is_written_out() {
        assert_eq!(escape("a\x1b]0;x\x07b\u{9b}2J\r\n"), r"a\x1b]0;x\x07b\u{9b}2J\r\n");
        assert_eq!(escape("user\u{202e}txt.exe\u{2066}"), r"user\u{202e}txt.exe\u{2066}");
        assert_eq!(escape("a\u{200b}b\u{e0041}"), r"a\u{200b}b\u{e0041}");
    }

    #[test]
    fn bytes_are_quoted_as_in_a_program() {
        assert_eq!(quote(b"a\"b\\\r\n\0\xff"), r#""a\"b\\\r\n\x00\xff""#);
        assert_eq!(quote("é".as_bytes()), "\"é\"");
    }
}

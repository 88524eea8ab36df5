//! What comes from a trace may not steer the terminal: control characters, escape sequences and the characters
//! that turn the direction of writing become visible text.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with everything that is no visible character written out: `\n`, `\x1b`, `\u{202e}`.
///
/// A backslash stays as it is, so this is for reading, not for turning back; see [`quote`] for bytes.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    text.chars().for_each(|c| push(&mut safe, c));
    Cow::Owned(safe)
}

/// Bytes as a string in quotation marks, as in C or Rust: `"GET / HTTP/1.1\r\n"`. What is no UTF-8 becomes `\xff`.
pub fn quote(bytes: &[u8]) -> String {
    let mut quoted = String::with_capacity(bytes.len() + 2);
    quoted.push('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if matches!(c, '"' | '\\') {
                quoted.push('\\');
            }
            push(&mut quoted, c);
        }
        for byte in chunk.invalid() {
            hex(&mut quoted, *byte);
        }
    }
    quoted.push('"');
    quoted
}

fn push(to: &mut String, c: char) {
    match c {
        '\n' => to.push_str(r"\n"),
        '\r' => to.push_str(r"\r"),
        '\t' => to.push_str(r"\t"),
        c if !steers(c) => to.push(c),
        c => match u8::try_from(u32::from(c)) {
            Ok(byte) if c.is_ascii() => hex(to, byte),
            _ => write!(to, r"\u{{{:x}}}", u32::from(c)).expect("a String takes all"),
        },
    }
}

fn hex(to: &mut String, byte: u8) {
    write!(to, r"\x{byte:02x}").expect("a String takes all");
}

/// True for what changes the terminal or the text around it instead of showing itself.
fn steers(c: char) -> bool {
    c.is_control() // C0, DEL and C1
        || matches!(c,
            '\u{ad}' // soft hyphen: seen or not, as the terminal likes
            | '\u{61c}' | '\u{200e}' | '\u{200f}' // marks of direction
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // embeddings, overrides, isolates
            | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{feff}' // no width
            | '\u{2028}' | '\u{2029}' // line and paragraph separators
            | '\u{fff9}'..='\u{fffb}' // interlinear annotation
            | '\u{e0000}'..='\u{e0fff}') // tags: invisible text
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

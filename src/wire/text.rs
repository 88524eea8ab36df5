//! Escapes bytes of the network, so that they cannot steer a terminal or mislead a reader.
//!
//! The notation is Rust's: `\\`, `\t`, `\n`, `\r`, `\xNN` for a byte that is a control character of ASCII or
//! no part of valid UTF-8, `\u{…}` for a character that is valid but must not be printed. So `\x85` is a byte
//! that is not UTF-8, and `\u{85}` is the C1 control NEL, encoded as it should be.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// Most combining marks on one character. Languages need two or three; more are escaped, as they deface other
/// lines.
const MARKS: usize = 4;

/// Returns all of `bytes`, escaped. For input of bounded length; else see [`shown`].
///
/// The result has no control character (C0, DEL, C1), no line break, no bidirectional override, no invisible
/// or private character, and no space but U+0020. It doesn't begin with a combining mark.
pub fn escape(bytes: &[u8]) -> String {
    if let Some(plain) = plain(bytes) {
        return plain.to_owned();
    }
    let mut out = String::with_capacity(bytes.len());
    each_piece(bytes, |piece| {
        out.push_str(piece);
        true
    });
    out
}

/// Returns the bytes as text if they are visible ASCII without a backslash, which needs no escape.
pub fn plain(bytes: &[u8]) -> Option<&str> {
    // No branch for each byte, so that the compiler can vectorise the loop.
    let strange =
        bytes.iter().fold(false, |strange, byte| strange | !(0x20..0x7f).contains(byte) | (*byte == b'\\'));
    if strange { None } else { std::str::from_utf8(bytes).ok() }
}

/// Returns the beginning of `bytes`, escaped as by [`escape`], in at most `limit` characters.
///
/// A longer text ends in `…`, never in the middle of an escape. The time depends on `limit`, not on the
/// number of bytes.
pub fn shown(bytes: &[u8], limit: usize) -> String {
    // A character has at most 4 bytes and becomes at least one, so these bytes fill the limit and one more.
    let enough = limit.saturating_add(1).saturating_mul(4).min(bytes.len());
    if bytes.len() <= limit
        && let Some(plain) = plain(bytes)
    {
        return plain.to_owned();
    }
    let mut out = String::new();
    let (mut written, mut cut) = (0, 0);
    let mut whole = enough == bytes.len();
    each_piece(&bytes[..enough], |piece| {
        let length = piece.chars().count();
        if written + length > limit {
            whole = false;
            return false;
        }
        out.push_str(piece);
        written += length;
        if written < limit {
            cut = out.len();
        }
        true
    });
    if !whole {
        out.truncate(cut);
        if limit > 0 {
            out.push('…');
        }
    }
    out
}

/// Returns at most `limit` of `bytes` in hex, two digits a byte, then `…` if there are more.
pub fn hex(bytes: &[u8], limit: usize) -> String {
    let mut out = String::new();
    for (index, byte) in bytes.iter().take(limit).enumerate() {
        let space = if index == 0 { "" } else { " " };
        // Writing into a String can't fail.
        let _ = write!(out, "{space}{byte:02x}");
    }
    if bytes.len() > limit {
        out.push_str(if limit == 0 { "…" } else { " …" });
    }
    out
}

/// Calls `take` with the escaped form of each character or stray byte, until it returns false.
fn each_piece(bytes: &[u8], mut take: impl FnMut(&str) -> bool) {
    let mut piece = String::new();
    // A mark at the beginning would combine with the character before the text.
    let mut marks = MARKS;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            piece.clear();
            let mark = c.width() == Some(0);
            if must_escape(c) || (mark && marks >= MARKS) {
                escape_into(c, &mut piece);
                marks = MARKS;
            } else {
                piece.push(c);
                marks = if mark { marks + 1 } else { 0 };
            }
            if !take(&piece) {
                return;
            }
        }
        for byte in chunk.invalid() {
            piece.clear();
            let _ = write!(piece, "\\x{byte:02x}");
            marks = MARKS;
            if !take(&piece) {
                return;
            }
        }
    }
}

/// Appends the escape of a character: `\\n`, `\\x1b`, `\\u{202e}`.
pub(crate) fn escape_into(c: char, out: &mut String) {
    let _ = match c {
        '\\' => write!(out, "\\\\"),
        '\t' => write!(out, "\\t"),
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        c if c.is_ascii() => write!(out, "\\x{:02x}", u32::from(c)),
        c => write!(out, "\\u{{{:x}}}", u32::from(c)),
    };
}

/// True for characters that steer the terminal or the text around them. They are never printed, whatever
/// their source.
///
/// This is the minimum, as prose needs more than bytes of the network do (joiners in emoji and in Persian);
/// [`escape`] lets less pass.
pub(crate) fn steers(c: char) -> bool {
    c.is_control() // C0, DEL and C1
        || matches!(c,
            '\u{ad}' // soft hyphen: seen or not, as the terminal likes
            | '\u{61c}' | '\u{200e}' | '\u{200f}' // marks of direction
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // embeddings, overrides, isolates
            | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{feff}' // no width
            | '\u{2028}' | '\u{2029}' // line and paragraph separators
            | '\u{fff9}'..='\u{fffb}' // interlinear annotation
            | '\u{13430}'..='\u{1343f}' // joiners of hieroglyphs
            | '\u{e0000}'..='\u{e0fff}') // tags: invisible text
}

/// Backslash, what steers, spaces that are not U+0020, and what a reader can't see or the Unicode standard
/// hasn't named.
fn must_escape(c: char) -> bool {
    if c.is_ascii() {
        return c == '\\' || c.is_control();
    }
    steers(c)
        || c.is_whitespace()
        || matches!(u32::from(c),
            // Default_Ignorable_Code_Point: soft hyphen, joiners, bidirectional controls, fillers, selectors,
            // tags.
            0x00ad | 0x034f | 0x061c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
            | 0x202a..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
            | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff
            // Private use: the font decides.
            | 0xe000..=0xf8ff | 0xf0000..=0x10ffff
            // Noncharacters.
            | 0xfdd0..=0xfdef)
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_text_of_any_language_stays_as_it_is() {
        for text in ["GET / HTTP/1.1", "né", "안녕하세요", "नमस्ते", "日本語", "e\u{301}"]
        {
            assert_eq!(escape(text.as_bytes()), text);
        }
    }

    #[test]
    fn controls_overrides_and_stray_bytes_become_escapes() {
        let cases: &[(&[u8], &str)] = &[
            (b"a\r\n\tb\\", "a\\r\\n\\tb\\\\"),
            (b"\x1b[31m\x00\x7f", "\\x1b[31m\\x00\\x7f"),
            (b"\xff\xc3(", "\\xff\\xc3("),
            ("\u{85}\u{9b}31m".as_bytes(), "\\u{85}\\u{9b}31m"),
            ("\u{202e}gpj\u{2066}\u{200f}".as_bytes(), "\\u{202e}gpj\\u{2066}\\u{200f}"),
            (
                "\u{2028}\u{a0}\u{feff}\u{e000}\u{fffe}".as_bytes(),
                "\\u{2028}\\u{a0}\\u{feff}\\u{e000}\\u{fffe}",
            ),
            ("\u{301}a".as_bytes(), "\\u{301}a"),
            (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
        ];
        for (bytes, text) in cases {
            assert_eq!(escape(bytes), *text);
        }
    }

    #[test]
    fn marks_do_not_pile_up() {
        let pile = format!("a{}", "\u{301}".repeat(6));
        assert_eq!(escape(pile.as_bytes()), format!("a{}\\u{{301}}\\u{{301}}", "\u{301}".repeat(4)));
    }

    #[test]
    fn the_limit_counts_what_is_shown_and_spares_escapes() {
        assert_eq!(shown(b"hello", 5), "hello");
        assert_eq!(shown(b"hello!", 5), "hell…");
        assert_eq!(shown(b"abc\x1b", 5), "abc…");
        assert_eq!(shown(b"abc\x1b", 7), "abc\\x1b");
        assert_eq!(shown(b"a", 0), "");
        assert_eq!(shown(b"", 0), "");
        assert_eq!(shown(&[b'x'; 1 << 20], 3), "xx…");
    }

    #[test]
    fn hex_has_two_digits_a_byte() {
        assert_eq!(hex(&[0x81, 0x05], 8), "81 05");
        assert_eq!(hex(&[1, 2, 3], 2), "01 02 …");
        assert_eq!(hex(&[], 2), "");
    }

    proptest! {
        #[test]
        fn nothing_unprintable_gets_through(bytes: Vec<u8>, limit in 0usize..80) {
            for text in [escape(&bytes), shown(&bytes, limit)] {
                prop_assert!(text.chars().all(|c| c == '\\' || !must_escape(c)));
            }
            prop_assert!(shown(&bytes, limit).chars().count() <= limit);
        }

        #[test]
        fn a_limit_that_is_not_reached_changes_nothing(text: String) {
            let whole = escape(text.as_bytes());
            prop_assert_eq!(shown(text.as_bytes(), whole.chars().count()), whole);
        }
    }
}

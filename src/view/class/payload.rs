//! What crossed, in as many columns as there are: as text if it is text, else in hex. Its size is always said
//! beside it.

use crate::view::wrap::width;
use crate::wire::text;

/// So many bytes are looked at to see whether it is text.
const LOOKED_AT: usize = 256;

/// The payload in at most `room` columns: `"hello"`, `"hello, wor…"`, `81 85 37 …`.
pub(super) fn shown(data: &[u8], room: usize) -> String {
    if is_text(data) {
        return quoted(data, room);
    }
    hex(data, room)
}

/// In quotation marks, as in a program.
pub(super) fn quoted(data: &[u8], room: usize) -> String {
    format!("\"{}\"", cut_with(data, room.saturating_sub(2), |text| text.replace('"', "\\\"")))
}

/// `81 85 37 …` in at most `room` columns.
pub(super) fn hex(data: &[u8], room: usize) -> String {
    let all = 3 * data.len();
    let fits = if all <= room + 1 { data.len() } else { room.saturating_sub(1) / 3 };
    text::hex(data, fits)
}

/// Escaped, in at most `room` columns.
pub(super) fn cut(data: &[u8], room: usize) -> String {
    cut_with(data, room, |text| text)
}

/// Counts columns, where [`text::shown`] counts characters: tries fewer characters until it fits.
fn cut_with(data: &[u8], room: usize, finish: impl Fn(String) -> String) -> String {
    let mut characters = room;
    loop {
        let shown = finish(text::shown(data, characters));
        let columns = width(&shown);
        if columns <= room || characters == 0 {
            return shown;
        }
        characters = (characters * room / columns).min(characters - 1);
    }
}

/// True if the beginning is UTF-8 in which control characters are the exception. A character that is cut off
/// at the end is none the less one.
fn is_text(data: &[u8]) -> bool {
    let beginning = &data[..data.len().min(LOOKED_AT)];
    let valid = match std::str::from_utf8(beginning) {
        Ok(valid) => valid,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&beginning[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let strange = valid.chars().filter(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')).count();
    strange * 4 <= beginning.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_and_cut_to_its_columns() {
        assert_eq!(shown(b"hello", 20), "\"hello\"");
        assert_eq!(shown(b"hello, world", 10), "\"hello, …\"");
        assert_eq!(shown(b"say \"hi\"\n", 20), r#""say \"hi\"\n""#);
        assert_eq!(shown("三次握手".as_bytes(), 8), "\"三次…\"");
    }

    #[test]
    fn what_is_no_text_is_hex() {
        assert_eq!(shown(&[0x81, 0x85, 0x00, 0xff], 20), "81 85 00 ff");
        assert_eq!(shown(&[0xff; 9], 12), "ff ff ff …");
        assert_eq!(shown(&[0, 1, 2, 3], 11), "00 01 02 03");
    }

    #[test]
    fn nothing_is_ever_wider_than_its_room() {
        let wild = "\"\"\u{202e}三\x1b[2Je\u{301}👩‍👩‍👧".repeat(9);
        for room in 4..60 {
            assert!(width(&shown(wild.as_bytes(), room)) <= room, "{room}");
            assert!(width(&shown(&[0x9b; 40], room)) <= room, "{room}");
        }
    }

    #[test]
    fn a_character_cut_off_at_the_end_does_not_make_it_hex() {
        assert_eq!(shown(&"né".as_bytes()[..2], 20), r#""n\xc3""#);
    }
}

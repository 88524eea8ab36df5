//! What a tap saw pass, in a line or two under the name of its connection: `t1 → 5 bytes "hello"`.

use super::entry::{Entry, Layout, Mark};
use super::{number_behind, payload};
use crate::view::line::{Line, Meaning};
use crate::view::look::Look;

/// Which way something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
    /// Neither.
    Neither,
    /// It is wrong.
    Wrong,
}

/// Something that is told of a tapped connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tapped {
    /// Which connection: 1 is `t1`, or `c1`.
    pub number: u64,
    /// Which way it went.
    pub way: Way,
    /// What it was, in pieces; whoever wrote them, they are escaped.
    pub text: Vec<(String, Meaning)>,
    /// Bytes that stand behind the text, as many as there is room for.
    pub bytes: Option<Vec<u8>>,
    /// What stands at the right margin: when that was.
    pub aside: String,
}

/// The log of a tap, or of one end: how wide its names are so far.
#[derive(Debug)]
pub struct TapLog {
    layout: Layout,
    letter: char,
    /// What is said of no connection is under this name.
    nobody: &'static str,
}

/// Less room than this is none: bytes have at least so many columns.
const LEAST: usize = 8;

impl TapLog {
    /// A log in which nothing stands.
    pub fn new(look: Look) -> TapLog {
        TapLog { layout: Layout::new(look), letter: 't', nobody: "t" }
    }

    /// Of connections that are called `c1`, `c2`: those of one end, and not of somebody between two. What is
    /// said of none of them, number 0, has a name of its own.
    pub fn of_an_end(look: Look, nobody: &'static str) -> TapLog {
        TapLog { letter: 'c', nobody, ..TapLog::new(look) }
    }

    /// The next lines of it.
    pub fn lines(&mut self, it: &Tapped) -> Vec<Line> {
        let look = self.layout.look();
        let mark = match it.way {
            Way::ToServer => Mark::ToServer,
            Way::ToClient => Mark::ToClient,
            Way::Neither => Mark::Neither,
            Way::Wrong => Mark::Wrong,
        };
        let mut text: Line = it.text.iter().map(|(text, meaning)| look.span(text, *meaning)).collect();
        let aside = look.span(&it.aside, Meaning::Quiet);
        if let Some(bytes) = it.bytes.as_deref().filter(|bytes| !bytes.is_empty()) {
            let taken = text.width() + 1 + if it.aside.is_empty() { 0 } else { aside.width() + 2 };
            let room = self.layout.room().saturating_sub(taken).max(LEAST);
            text.space(1);
            text.push(look.span(payload::shown(bytes, room), Meaning::Bytes));
        }
        let mut entry = Entry::new(mark, text);
        if !it.aside.is_empty() {
            entry = entry.with_aside(aside);
        }
        let name = match it.number {
            0 => self.nobody.to_owned(),
            number => format!("{}{number}", self.letter),
        };
        self.layout.lines(&name, entry)
    }
}

/// 7 of `t7`.
pub(super) fn number_of(name: &str) -> Option<u64> {
    number_behind('t', name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Form, Glyphs, Palette, paint};

    fn shown(look: Look, it: &Tapped) -> String {
        paint(&TapLog::new(look).lines(it), Palette::Plain)
    }

    fn read(bytes: &[u8]) -> Tapped {
        Tapped {
            number: 12,
            way: Way::ToServer,
            text: vec![(format!("{} bytes", bytes.len()), Meaning::State)],
            bytes: Some(bytes.to_vec()),
            aside: "1.2 ms".to_owned(),
        }
    }

    #[test]
    fn a_read_is_one_line_at_any_width_and_its_bytes_are_escaped() {
        for width in [60, 80, 120] {
            let text = shown(Look::new(width, Glyphs::Unicode, Form::Screen), &read(&[b'x'; 500]));
            assert_eq!(text.lines().count(), 1, "{text}");
            assert!(text.contains("t12 → 500 bytes \"xxx") && text.trim_end().ends_with("1.2 ms"), "{text}");
        }
        let text = shown(Look::new(80, Glyphs::Unicode, Form::Screen), &read(b"ab\x1b[2J"));
        assert!(text.contains(r#""ab\x1b[2J""#) && !text.contains('\x1b'), "{text}");
    }

    #[test]
    fn without_unicode_all_of_it_is_ascii() {
        let text = shown(Look::new(80, Glyphs::Ascii, Form::Screen), &read(&[b'x'; 500]));
        assert!(text.is_ascii() && text.contains("...\""), "{text}");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }

    #[test]
    fn aloud_it_is_said_who_sent_it() {
        let text = shown(Look::new(80, Glyphs::Unicode, Form::Linear), &read(b"hello"));
        assert_eq!(text, "t12: from the client, 5 bytes \"hello\", 1.2 ms.\n");
    }
}

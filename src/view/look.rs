//! How wide, in which characters, and for eyes or for ears.

use std::borrow::Cow;

use super::line::{Line, Meaning, Span};

/// The characters that a view may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Glyphs {
    /// Arrows, lines, check marks.
    #[default]
    Unicode,
    /// `->`, `-`, `ok`: for terminals that have no more.
    Ascii,
}

/// For whom the text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Columns and lines on a screen.
    #[default]
    Screen,
    /// Full sentences one after another, for a screen reader: no columns, no drawings, no symbol that stands alone.
    Linear,
}

/// What a view is told of the place where it will be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    width: usize,
    glyphs: Glyphs,
    form: Form,
}

/// Text is never set wider than this: longer lines are hard to read on.
const MEASURE: usize = 76;
/// Nothing is set wider than this: what belongs together would drift apart.
const PAGE: usize = 100;
/// From this width on both hosts stand side by side.
const WIDE: usize = 64;

impl Look {
    /// A look `width` columns wide; less than 40 is taken for 40, more than 200 for 200.
    pub fn new(width: usize, glyphs: Glyphs, form: Form) -> Self {
        Look { width: width.clamp(40, 200), glyphs, form }
    }

    /// Columns of the terminal.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The characters that may be used.
    pub fn glyphs(&self) -> Glyphs {
        self.glyphs
    }

    /// For eyes or for ears.
    pub fn form(&self) -> Form {
        self.form
    }

    /// True if it is for a screen reader.
    pub fn linear(&self) -> bool {
        self.form == Form::Linear
    }

    /// True if there is room for both hosts side by side.
    pub(super) fn wide(&self) -> bool {
        self.width >= WIDE
    }

    /// Columns left of the text.
    pub fn indent(&self) -> usize {
        match (self.form, self.wide()) {
            (Form::Linear, _) => 0,
            (Form::Screen, true) => 3,
            (Form::Screen, false) => 1,
        }
    }

    /// Columns left of a heading.
    pub(super) fn outdent(&self) -> usize {
        self.indent().saturating_sub(2)
    }

    /// Columns for text and tables between the indent and the right margin.
    pub fn content(&self) -> usize {
        match self.form {
            Form::Linear => self.width,
            Form::Screen => self.width.min(PAGE) - self.indent() - 1,
        }
    }

    /// Columns for prose.
    pub(super) fn measure(&self) -> usize {
        self.content().min(MEASURE)
    }

    /// A piece of text in the characters of this look. All spans of a view are made here.
    pub fn span(&self, text: impl AsRef<str>, meaning: Meaning) -> Span {
        match self.glyphs {
            Glyphs::Unicode => Span::new(text.as_ref(), meaning),
            Glyphs::Ascii => Span::new(&ascii(text.as_ref()), meaning),
        }
    }

    /// A line of one piece.
    pub fn line(&self, text: impl AsRef<str>, meaning: Meaning) -> Line {
        self.span(text, meaning).into()
    }

    /// A line of several pieces.
    pub fn spans<const N: usize>(&self, pieces: [(&str, Meaning); N]) -> Line {
        pieces.into_iter().map(|(text, meaning)| self.span(text, meaning)).collect()
    }
}

/// Signs that ASCII lacks, as ASCII has always written them. Letters stay: there is no other way to write them.
fn ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match instead(c) {
            Some(sign) => plain.push_str(sign),
            None => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

fn instead(c: char) -> Option<&'static str> {
    Some(match c {
        '→' | '⟶' => "->",
        '←' | '⟵' => "<-",
        '↔' => "<->",
        '⇒' => "=>",
        '▶' | '▸' | '►' => ">",
        '◀' | '◂' | '◄' => "<",
        '↑' | '▲' => "^",
        '↓' | '▼' => "v",
        '✓' | '✔' => "ok",
        '✗' | '✘' => "NO",
        '─'..='━' | '┄' | '┅' | '┈' | '┉' | '═' | '╌' | '╍' => "-",
        '│' | '┃' | '┆' | '┇' | '┊' | '┋' | '║' | '╎' | '╏' | '▌' | '▎' | '▏' => "|",
        '┌'..='╋' | '╒'..='╰' => "+",
        '•' | '◦' | '▪' | '●' | '○' | '∙' => "*",
        '–' | '‐' | '‑' | '‒' | '·' | '−' => "-",
        '—' | '―' => "--",
        '…' => "...",
        '×' => "x",
        '÷' => "/",
        '⊕' => "xor",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '≈' => "~",
        '±' => "+-",
        'µ' | 'μ' => "u",
        '§' => "sec.",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '‘' | '’' | '‚' => "'",
        '\u{202f}' | '\u{2009}' => " ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_out_of_reach_is_the_nearest_that_is_not() {
        assert_eq!(Look::new(0, Glyphs::Unicode, Form::Screen).width(), 40);
        assert_eq!(Look::new(999, Glyphs::Unicode, Form::Screen).width(), 200);
    }

    #[test]
    fn ascii_writes_signs_with_what_it_has_and_keeps_letters() {
        assert_eq!(ascii("CLOSED → LISTEN · 9 µs – é"), "CLOSED -> LISTEN - 9 us - é");
        assert_eq!(ascii("│─┐╭✓"), "|-++ok");
    }
}

//! The layout of a view: width, character set, and screen or linear form.

use std::borrow::Cow;

use super::line::{Line, Meaning, Span};

/// The characters that a view may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Glyphs {
    /// Arrows, lines, check marks.
    #[default]
    Unicode,
    /// `->`, `-`, `ok`: for terminals limited to ASCII.
    Ascii,
}

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Columns and lines on a screen.
    #[default]
    Screen,
    /// Full sentences one after another, for a screen reader: no columns, no drawings, no symbol that stands
    /// alone.
    Linear,
}

/// The layout that a view renders for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    width: usize,
    glyphs: Glyphs,
    form: Form,
}

/// Maximum width of prose, in columns; longer lines are hard to read.
const MEASURE: usize = 76;
/// Maximum width of any content, in columns; wider tables separate related cells too far.
const PAGE: usize = 100;
/// Minimum width for both hosts side by side, in columns.
const WIDE: usize = 64;

impl Look {
    /// Creates a layout; `width` is clamped to 40..=200 columns.
    pub fn new(width: usize, glyphs: Glyphs, form: Form) -> Self {
        Look { width: width.clamp(40, 200), glyphs, form }
    }

    /// Width of the terminal, in columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The permitted characters.
    pub fn glyphs(&self) -> Glyphs {
        self.glyphs
    }

    /// Screen or linear form.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Returns true for a screen reader.
    pub fn linear(&self) -> bool {
        self.form == Form::Linear
    }

    /// Returns true if both hosts fit side by side.
    pub(super) fn wide(&self) -> bool {
        self.width >= WIDE
    }

    /// Left margin of text, in columns.
    pub fn indent(&self) -> usize {
        match (self.form, self.wide()) {
            (Form::Linear, _) => 0,
            (Form::Screen, true) => 3,
            (Form::Screen, false) => 1,
        }
    }

    /// Left margin of a heading, in columns.
    pub(super) fn outdent(&self) -> usize {
        self.indent().saturating_sub(2)
    }

    /// Width between the indent and the right margin, in columns.
    pub fn content(&self) -> usize {
        match self.form {
            Form::Linear => self.width,
            Form::Screen => self.width.min(PAGE) - self.indent() - 1,
        }
    }

    /// Width of prose, in columns.
    pub(super) fn measure(&self) -> usize {
        self.content().min(MEASURE)
    }

    /// Creates a span in the permitted characters. Views create all their spans here.
    pub fn span(&self, text: impl AsRef<str>, meaning: Meaning) -> Span {
        match self.glyphs {
            Glyphs::Unicode => Span::new(text.as_ref(), meaning),
            Glyphs::Ascii => Span::new(&ascii(text.as_ref()), meaning),
        }
    }

    /// Creates a line of one span.
    pub fn line(&self, text: impl AsRef<str>, meaning: Meaning) -> Line {
        self.span(text, meaning).into()
    }

    /// Creates a line of several spans.
    pub fn spans<const N: usize>(&self, pieces: [(&str, Meaning); N]) -> Line {
        pieces.into_iter().map(|(text, meaning)| self.span(text, meaning)).collect()
    }
}

/// Replaces symbols by their usual ASCII spelling. Letters outside ASCII are kept.
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

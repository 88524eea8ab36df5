//! What a view is made of: lines of spans, each span a piece of text with one meaning.

use std::fmt;

use super::{escape::escape, wrap};

/// What a piece of text means. What it looks like is decided in `paint.rs` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// Space and punctuation between other pieces.
    Plain,
    /// The name of a lesson, a part or a step.
    Heading,
    /// The lesson's own words.
    Prose,
    /// A word that the lesson leans on.
    Emphasis,
    /// A word that the lesson leans on heavily.
    Strong,
    /// A line of a program, a command.
    Code,
    /// The same call in other words: its arguments, the line in C, what the kernel is asked.
    Call,
    /// What may be skipped: times, files, sections.
    Quiet,
    /// The name of a row: `state`, `local`.
    Label,
    /// A value that the kernel gave and that is as it was.
    State,
    /// A value that differs from what it was before this step.
    Changed,
    /// A claim that holds, a requirement that is met.
    Holds,
    /// A claim that does not hold, a requirement that is not met.
    Fails,
    /// A claim that this system cannot show.
    NotSeen,
    /// The client, by name.
    Client,
    /// The server, by name.
    Server,
    /// One of many connections, by name. The number picks its hue; what it means is the name alone.
    Peer(u8),
    /// An error that a call returned.
    Error,
    /// Bytes, and the letters beneath them.
    Bytes,
    /// An address on the web.
    Link,
    /// A key to press, a number to choose.
    Key,
    /// Lines that divide.
    Rule,
}

/// A piece of text with one meaning. Its text is safe to print: whatever could steer a terminal is escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    text: String,
    meaning: Meaning,
}

impl Span {
    /// Takes any text, whoever wrote it, and escapes it.
    pub fn new(text: &str, meaning: Meaning) -> Self {
        Span { text: escape(text).into_owned(), meaning }
    }

    /// The text, free of control characters.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it means.
    pub fn meaning(&self) -> Meaning {
        self.meaning
    }

    /// Columns that it takes.
    pub fn width(&self) -> usize {
        wrap::width(&self.text)
    }
}

/// A line of the screen, without its end of line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    spans: Vec<Span>,
}

impl Line {
    /// A line with nothing on it.
    pub fn blank() -> Self {
        Line::default()
    }

    /// Its pieces, left to right.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Columns that it takes.
    pub fn width(&self) -> usize {
        self.spans.iter().map(Span::width).sum()
    }

    /// True if nothing would be seen.
    pub fn is_blank(&self) -> bool {
        self.spans.iter().all(|span| span.text.trim().is_empty())
    }

    /// Adds a piece at the end; one of the same meaning as the last joins it.
    pub fn push(&mut self, span: Span) {
        match self.spans.last_mut() {
            Some(last) if last.meaning == span.meaning => last.text.push_str(&span.text),
            _ if span.text.is_empty() => {}
            _ => self.spans.push(span),
        }
    }

    /// Adds all pieces of another line.
    pub fn extend(&mut self, other: Line) {
        other.spans.into_iter().for_each(|span| self.push(span));
    }

    /// Adds `n` spaces.
    pub fn space(&mut self, n: usize) {
        self.push(Span { text: " ".repeat(n), meaning: Meaning::Plain });
    }

    /// Adds spaces up to column `n`, if it is not there already.
    pub fn pad(&mut self, n: usize) {
        self.space(n.saturating_sub(self.width()));
    }

    /// The same, `n` columns further right; a blank line stays blank.
    pub fn indented(self, n: usize) -> Line {
        if self.spans.is_empty() {
            return self;
        }
        let mut line = Line::default();
        line.space(n);
        line.extend(self);
        line
    }
}

impl From<Span> for Line {
    fn from(span: Span) -> Self {
        Line::from_iter([span])
    }
}

impl FromIterator<Span> for Line {
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let mut line = Line::default();
        spans.into_iter().for_each(|span| line.push(span));
        line
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spans.iter().try_for_each(|span| f.write_str(&span.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_cannot_hold_an_escape_sequence() {
        assert_eq!(Span::new("\x1b[2J", Meaning::Prose).text(), r"\x1b[2J");
    }

    #[test]
    fn pieces_of_one_meaning_join() {
        let line: Line = ["a", "b"].map(|text| Span::new(text, Meaning::Code)).into_iter().collect();
        assert_eq!(line.spans().len(), 1);
        assert_eq!(line.to_string(), "ab");
    }

    #[test]
    fn padding_counts_columns_not_characters() {
        let mut line = Line::from(Span::new("手", Meaning::Prose));
        line.pad(4);
        assert_eq!(line.to_string(), "手  ");
    }
}

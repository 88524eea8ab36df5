//! Renders the Markdown of a lesson as lines.
//!
//! Unsupported syntax (HTML, footnotes) is shown as written.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::columns::{GAP, beside, share};
use super::line::{Line, Meaning, Span};
use super::look::Look;
use super::wrap::{Long, width, wrap};

/// Renders `text` at the measure of `look`, with the indentation of prose.
///
/// A fenced block with the info string `outside` holds commands for another terminal. Each command is on its
/// own
/// unwrapped line, so that it can be copied. Every other fenced block is kept unchanged.
pub fn markdown(look: &Look, text: &str) -> Vec<Line> {
    set(look, text, look.measure()).into_iter().map(|line| line.indented(look.indent())).collect()
}

/// Renders without indentation, `measure` columns wide.
pub(super) fn set(look: &Look, text: &str, measure: usize) -> Vec<Line> {
    let mut setter = Setter::new(look, measure);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        setter.take(event);
    }
    setter.flush();
    setter.lines
}

/// Renders Markdown on one line, for the choices of a question: paragraphs follow one another.
pub(super) fn inline(look: &Look, text: &str) -> Line {
    let mut one = Line::blank();
    for line in set(look, text, usize::MAX / 4) {
        if !one.is_blank() && !line.is_blank() {
            one.space(1);
        }
        one.extend(line);
    }
    one
}

/// The left margin of a block: its first line, then every further line.
struct Margin {
    first: Option<Line>,
    rest: Line,
}

struct Setter<'l> {
    look: &'l Look,
    measure: usize,
    lines: Vec<Line>,
    margins: Vec<Margin>,
    /// True if a blank line precedes the next block.
    gap: bool,
    text: Line,
    meanings: Vec<Meaning>,
    /// Number of the next item of an ordered list.
    lists: Vec<Option<u64>>,
    /// Targets of open links, with the length of the text before each.
    links: Vec<(String, usize)>,
    fence: Option<(String, String)>,
    table: Option<Table>,
}

#[derive(Default)]
struct Table {
    rows: Vec<Vec<Line>>,
}

impl<'l> Setter<'l> {
    fn new(look: &'l Look, measure: usize) -> Self {
        Setter {
            look,
            measure,
            lines: Vec::new(),
            margins: Vec::new(),
            gap: false,
            text: Line::blank(),
            meanings: Vec::new(),
            lists: Vec::new(),
            links: Vec::new(),
            fence: None,
            table: None,
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.fence {
                Some((_, code)) => code.push_str(&text),
                None => self.words(&text, self.meanings.last().copied().unwrap_or(Meaning::Prose)),
            },
            Event::Code(text) => self.words(&text, Meaning::Code),
            Event::InlineMath(text) | Event::DisplayMath(text) => self.words(&text, Meaning::Code),
            Event::Html(text) | Event::InlineHtml(text) => self.words(&text, Meaning::Prose),
            Event::FootnoteReference(name) => self.words(&format!("[{name}]"), Meaning::Quiet),
            Event::SoftBreak => self.words(" ", Meaning::Prose),
            Event::HardBreak if self.table.is_some() => self.words(" ", Meaning::Prose),
            Event::HardBreak => {
                self.flush();
                self.gap = false;
            }
            Event::TaskListMarker(done) => self.words(if done { "[x] " } else { "[ ] " }, Meaning::Prose),
            Event::Rule => {
                let rule =
                    if self.look.linear() { "(a break)".into() } else { "─".repeat(self.room().min(20)) };
                self.block(vec![self.look.line(rule, Meaning::Rule)]);
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => self.meanings.push(Meaning::Heading),
            Tag::Emphasis => self.meanings.push(Meaning::Emphasis),
            Tag::Strong => self.meanings.push(Meaning::Strong),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push((dest_url.to_string(), self.text.to_string().len()));
            }
            Tag::BlockQuote(_) => {
                self.flush();
                let margin = match self.look.linear() {
                    true => {
                        Margin { first: Some(self.look.line("Quote: ", Meaning::Quiet)), rest: Line::blank() }
                    }
                    false => Margin { first: None, rest: self.look.line("│ ", Meaning::Rule) },
                };
                self.margins.push(margin);
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.fence = Some((info, String::new()));
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Table(_) => self.table = Some(Table::default()),
            Tag::TableHead => {
                self.meanings.push(Meaning::Heading);
                self.row();
            }
            Tag::TableRow => self.row(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => {
                self.flush();
                self.gap = true;
            }
            TagEnd::Heading(_) => {
                self.meanings.pop();
                self.flush();
                self.gap = true;
            }
            TagEnd::Emphasis | TagEnd::Strong => {
                self.meanings.pop();
            }
            TagEnd::Link | TagEnd::Image => {
                if let Some((url, before)) = self.links.pop() {
                    let shown = self.text.to_string();
                    let shown = shown.get(before..).unwrap_or_default();
                    if !url.is_empty() && shown != url && format!("mailto:{shown}") != url {
                        let space = if shown.is_empty() || shown.ends_with(' ') { "" } else { " " };
                        self.words(&format!("{space}<"), Meaning::Prose);
                        self.words(&url, Meaning::Link);
                        self.words(">", Meaning::Prose);
                    }
                }
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.margins.pop();
                self.gap = true;
            }
            TagEnd::CodeBlock => self.code(),
            TagEnd::List(_) => {
                self.lists.pop();
                self.gap |= self.lists.is_empty();
            }
            TagEnd::Item => {
                self.flush();
                if let Some(Margin { first: Some(_), .. }) = self.margins.last() {
                    self.block(vec![Line::blank()]); // an empty item still has its number
                    self.gap = false;
                }
                self.margins.pop();
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.text);
                if let Some(row) = self.table.as_mut().and_then(|table| table.rows.last_mut()) {
                    row.push(cell);
                }
            }
            TagEnd::TableHead => {
                self.meanings.pop();
            }
            TagEnd::Table => self.lay_table(),
            _ => {}
        }
    }

    /// Adds text to the block and collapses white space as Markdown does.
    fn words(&mut self, text: &str, meaning: Meaning) {
        let mut spaced = String::with_capacity(text.len());
        let mut after_space = self.text.spans().last().is_none_or(|last| last.text().ends_with(' '));
        for c in text.chars() {
            let space = matches!(c, ' ' | '\n' | '\r' | '\t');
            if !space || !after_space {
                spaced.push(if space { ' ' } else { c });
            }
            after_space = space;
        }
        self.text.push(self.look.span(spaced, meaning));
    }

    fn item(&mut self) {
        self.flush();
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                let mark = format!("{number}. ");
                *number += 1;
                mark
            }
            _ if self.look.linear() => "- ".into(),
            _ => "• ".into(),
        };
        let first = self.look.line(mark, Meaning::Prose);
        let mut rest = Line::blank();
        rest.space(first.width());
        self.margins.push(Margin { first: Some(first), rest });
    }

    fn row(&mut self) {
        if let Some(table) = &mut self.table {
            table.rows.push(Vec::new());
        }
    }

    /// Width left for text beside the margins; at least a few columns at any nesting depth.
    fn room(&self) -> usize {
        let taken: usize =
            self.margins.iter().map(|m| m.first.as_ref().map_or(0, Line::width).max(m.rest.width())).sum();
        self.measure.saturating_sub(taken).max(8)
    }

    /// Ends the current block.
    fn flush(&mut self) {
        if self.text.is_blank() {
            self.text = Line::blank();
            return;
        }
        let text = std::mem::take(&mut self.text);
        self.block(wrap(&text, self.room(), 0, Long::Keep));
    }

    fn block(&mut self, lines: Vec<Line>) {
        if self.gap && !self.lines.is_empty() {
            let blank = self.margin(false);
            self.lines.push(blank);
        }
        self.gap = false;
        for text in lines {
            let mut line = self.margin(true);
            line.extend(text);
            self.lines.push(line);
        }
    }

    fn margin(&mut self, may_be_first: bool) -> Line {
        let mut margin = Line::blank();
        for part in &mut self.margins {
            let first = if may_be_first { part.first.take() } else { None };
            margin.extend(first.unwrap_or_else(|| part.rest.clone()));
        }
        margin
    }

    fn code(&mut self) {
        let Some((info, code)) = self.fence.take() else { return };
        let outside = info.split_whitespace().next() == Some("outside");
        let lines = code.lines().filter(|line| !outside || !line.trim().is_empty());
        let lines: Vec<Line> = lines
            .map(|line| match (outside, self.look.linear()) {
                (true, _) => self.look.line(without_tabs(line).trim_end(), Meaning::Code),
                (false, true) => self.look.line(without_tabs(line), Meaning::Code),
                (false, false) => self.look.line(without_tabs(line), Meaning::Code).indented(2),
            })
            .collect();
        self.block(if outside { self.for_a_second_terminal(lines) } else { lines });
        self.gap = true;
    }

    /// Renders a command on the line of its label; several lines stand below it, to be copied at once.
    fn for_a_second_terminal(&self, mut commands: Vec<Line>) -> Vec<Line> {
        let mut label = self.look.line("in a second terminal:", Meaning::Quiet);
        if let [only] = commands.as_slice() {
            label.space(2);
            label.extend(only.clone());
            return vec![label];
        }
        commands.insert(0, label);
        commands
    }

    fn lay_table(&mut self) {
        let Some(table) = self.table.take() else { return };
        let (linear, room) = (self.look.linear(), self.room());
        let lines = match table.rows.split_first() {
            None => return,
            Some((head, rows)) if linear || head.len() * (6 + GAP) > room => self.told(head, rows),
            Some((head, rows)) => self.drawn(head, rows, room),
        };
        self.block(lines);
        self.gap = true;
    }

    /// Renders a table as columns with a rule below the header.
    fn drawn(&self, head: &[Line], rows: &[Vec<Line>], room: usize) -> Vec<Line> {
        let all = || rows.iter().map(Vec::as_slice).chain([head]);
        let wanted: Vec<usize> = (0..head.len())
            .map(|at| all().map(|row| row.get(at).map_or(0, Line::width)).max().unwrap_or(0))
            .collect();
        let widths = share(&wanted, room);
        let rule = widths.iter().sum::<usize>() + GAP * (widths.len() - 1);
        let lay = |row: &[Line]| beside(&row.iter().cloned().zip(widths.iter().copied()).collect::<Vec<_>>());
        let mut lines = lay(head);
        lines.push(self.look.line("─".repeat(rule), Meaning::Rule));
        let tall = rows.iter().any(|row| lay(row).len() > 1);
        for (at, row) in rows.iter().enumerate() {
            if tall && at > 0 {
                lines.push(Line::blank());
            }
            lines.extend(lay(row));
        }
        lines
    }

    /// Renders a table row by row, each value after the name of its column.
    fn told(&self, head: &[Line], rows: &[Vec<Line>]) -> Vec<Line> {
        if rows.is_empty() {
            return head.iter().flat_map(|name| wrap(name, self.room(), 2, Long::Break)).collect();
        }
        let mut lines = Vec::new();
        for row in rows {
            let mut told = Line::blank();
            for (name, value) in head.iter().zip(row) {
                if !told.is_blank() {
                    told.push(Span::new("; ", Meaning::Plain));
                }
                told.extend(name.clone());
                told.push(Span::new(": ", Meaning::Plain));
                told.extend(value.clone());
            }
            told.push(Span::new(".", Meaning::Plain));
            lines.extend(wrap(&told, self.room(), 2, Long::Break));
        }
        lines
    }
}

/// Expands the tabs of a line of code to multiples of four columns.
fn without_tabs(line: &str) -> String {
    let mut text = String::new();
    for (at, piece) in line.split('\t').enumerate() {
        if at > 0 {
            text.push_str(&" ".repeat(4 - width(&text) % 4));
        }
        text.push_str(piece);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::look::{Form, Glyphs};
    use super::*;

    fn at(columns: usize, text: &str) -> String {
        let look = Look::new(columns, Glyphs::Unicode, Form::Screen);
        markdown(&look, text).iter().map(|line| line.to_string().trim_end().to_owned() + "\n").collect()
    }

    fn spoken(text: &str) -> String {
        let look = Look::new(80, Glyphs::Unicode, Form::Linear);
        markdown(&look, text).iter().map(|line| line.to_string() + "\n").collect()
    }

    #[test]
    fn paragraphs_are_set_at_the_measure_even_on_a_wide_terminal() {
        let text = "word ".repeat(60);
        assert!(at(200, &text).lines().all(|line| line.len() <= 3 + 76));
        assert!(at(40, &text).lines().all(|line| line.len() <= 39));
        assert_eq!(at(80, "One.\n\nTwo."), "   One.\n\n   Two.\n");
    }

    #[test]
    fn lists_nest_and_hang() {
        let text = "Before:\n\n- one\n  1. inner\n  2. second\n- two\n\nAfter.";
        assert_eq!(
            at(80, text),
            "   Before:\n\n   • one\n     1. inner\n     2. second\n   • two\n\n   After.\n"
        );
    }

    #[test]
    fn a_loose_list_keeps_its_air() {
        assert_eq!(at(80, "- one\n\n- two"), "   • one\n\n   • two\n");
    }

    #[test]
    fn commands_for_outside_stay_on_one_line() {
        let long = "ss -ltn 'sport = :7000' ".repeat(5);
        let shown = at(40, &format!("```outside\n{long}\n```"));
        assert_eq!(shown, format!(" in a second terminal:  {}\n", long.trim()));
    }

    #[test]
    fn code_is_kept_as_it_is() {
        assert_eq!(
            at(80, "```c\nif (x) {\n\treturn  1;\n}\n```"),
            "     if (x) {\n         return  1;\n     }\n"
        );
    }

    #[test]
    fn a_link_is_followed_by_where_it_leads() {
        assert_eq!(at(80, "See [RFC](https://a.b/c)."), "   See RFC <https://a.b/c>.\n");
        assert_eq!(at(80, "<https://a.b/c>"), "   https://a.b/c\n");
    }

    #[test]
    fn tables_have_columns_on_a_screen_and_sentences_linear() {
        let text = "| name | means |\n|---|---|\n| SYN | opens |\n| FIN | ends |";
        assert_eq!(at(80, text), "   name  means\n   ───────────\n   SYN   opens\n   FIN   ends\n");
        assert_eq!(spoken(text), "name: SYN; means: opens.\nname: FIN; means: ends.\n");
    }

    #[test]
    fn quotes_are_marked() {
        assert_eq!(at(80, "> a\n>\n> b"), "   │ a\n   │\n   │ b\n");
        assert_eq!(spoken("> a"), "Quote: a\n");
    }

    #[test]
    fn html_is_text() {
        assert_eq!(at(80, "a <b>c</b>"), "   a <b>c</b>\n");
    }

    #[test]
    fn emphasis_and_code_have_meanings() {
        let look = Look::new(80, Glyphs::Unicode, Form::Screen);
        let line = &markdown(&look, "a *b* `c`")[0];
        let of = |text: &str| line.spans().iter().find(|span| span.text() == text).map(Span::meaning);
        assert_eq!([of("a"), of("b"), of("c")], [Meaning::Prose, Meaning::Emphasis, Meaning::Code].map(Some));
    }
}

//! Lines no wider than the screen, counted in columns: a wide character takes two, a combining mark none.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::line::{Line, Meaning, Span};
use super::look::Look;

/// What becomes of a word that is longer than the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Long {
    /// It stays whole and stands out of the margin, so that it can be copied.
    Keep,
    /// It is broken, so that the columns stay straight.
    Break,
}

/// Columns that a text takes: the sum over its graphemes.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    match simple(text) {
        Some(columns) => columns,
        None => text.graphemes(true).map(UnicodeWidthStr::width).sum(),
    }
}

/// Columns of a text in which each character has one: ASCII, and the few signs of ours that stand in most
/// rows. What joins or widens characters is none of these, so it need not be looked for.
fn simple(text: &str) -> Option<usize> {
    let mut columns = 0;
    for c in text.chars() {
        if !c.is_ascii() && !matches!(c, '…' | '→' | '←' | '·') {
            return None;
        }
        columns += 1;
    }
    Some(columns)
}

/// The text in lines of at most `width` columns, broken at spaces and between wide characters; lines after
/// the first begin `hang` columns further right. There is always at least one line.
pub(super) fn wrap(text: &Line, width: usize, hang: usize, long: Long) -> Vec<Line> {
    let hang = if hang + 8 <= width { hang } else { 0 };
    let mut lines = Vec::new();
    let mut line = Line::blank();
    let mut room = width;
    let mut begun = false;
    for mut word in words(text) {
        if begun && word.gap.width() + word.width > room {
            lines.push(std::mem::take(&mut line));
            line.space(hang);
            room = width - hang;
            begun = false;
        }
        if begun || lines.is_empty() {
            room = room.saturating_sub(word.gap.width());
            line.push(word.gap);
        }
        let mut rest = &word.pieces[..];
        while long == Long::Break && word.width > room {
            let (fits, more) = rest.split_at(fitting(rest, room));
            for span in fits {
                word.width -= span.width();
                line.push(span.clone());
            }
            lines.push(std::mem::take(&mut line));
            line.space(hang);
            room = width - hang;
            rest = more;
        }
        room = room.saturating_sub(word.width);
        rest.iter().for_each(|span| line.push(span.clone()));
        begun = true;
    }
    lines.push(line);
    lines
}

/// The text in lines as wide as the look allows, indented; lines after the first begin `hang` columns further
/// right.
pub fn wrapped(look: &Look, text: &Line, hang: usize) -> Vec<Line> {
    let lines = wrap(text, look.content(), hang, Long::Break);
    lines.into_iter().map(|line| line.indented(look.indent())).collect()
}

/// As much of the line as `room` columns take; what is cut off is told by `…`.
pub fn cut(look: &Look, line: Line, room: usize) -> Line {
    if line.width() <= room {
        return line;
    }
    let sign = look.span("…", Meaning::Plain);
    let room = room.saturating_sub(sign.width());
    let (mut out, mut taken) = (Line::blank(), 0);
    for span in line.spans() {
        if taken + span.width() <= room {
            taken += span.width();
            out.push(span.clone());
            continue;
        }
        let fits = beginning(span.text(), room - taken);
        out.push(Span::new(&[fits, sign.text()].concat(), span.meaning()));
        break;
    }
    out
}

/// As many graphemes of the text as `room` columns take.
fn beginning(text: &str, room: usize) -> &str {
    if text.is_ascii() {
        return &text[..text.len().min(room)];
    }
    if simple(text).is_some() {
        return text.char_indices().nth(room).map_or(text, |(at, _)| &text[..at]);
    }
    let mut taken = 0;
    let over = text.grapheme_indices(true).find(|(_, grapheme)| {
        taken += grapheme.width();
        taken > room
    });
    over.map_or(text, |(at, _)| &text[..at])
}

/// `left` wrapped, and `right` at the right margin: of its last line if there is room, else of one more.
pub(super) fn aside(left: &Line, right: Span, width: usize, hang: usize) -> Vec<Line> {
    let mut lines = wrap(left, width, hang, Long::Break);
    let taken = right.width();
    if taken == 0 {
        return lines;
    }
    let last = lines.last_mut().expect("wrap gives at least one line");
    if last.width() + 2 + taken <= width {
        last.pad(width - taken);
        last.push(right);
        return lines;
    }
    let below = wrap(&right.into(), width.saturating_sub(hang), 0, Long::Break);
    lines.extend(below.into_iter().map(|line| {
        let shift = width.saturating_sub(line.width());
        line.indented(shift)
    }));
    lines
}

/// What stays together on a line, one span a grapheme, and the space before it.
struct Word {
    gap: Span,
    pieces: Vec<Span>,
    width: usize,
}

fn words(text: &Line) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut gap = Line::blank();
    let mut open = false; // the last word may go on
    for span in text.spans() {
        for grapheme in span.text().graphemes(true).flat_map(from_its_space) {
            if grapheme == " " {
                gap.push(Span::new(grapheme, span.meaning()));
                open = false;
                continue;
            }
            let piece = Span::new(grapheme, span.meaning());
            let width = piece.width();
            let alone = stands_alone(grapheme);
            match words.last_mut() {
                Some(word)
                    if gap.spans().is_empty() && (goes_on(word, alone, open) || never_first(grapheme)) =>
                {
                    word.width += width;
                    word.pieces.push(piece);
                }
                _ => {
                    let gap = gap_before(std::mem::take(&mut gap), words.last(), span.meaning());
                    words.push(Word { gap, width, pieces: vec![piece] });
                }
            }
            open = !alone;
        }
    }
    words
}

/// A mark on a space is one with it, and yet the line may be broken there.
fn from_its_space(grapheme: &str) -> impl Iterator<Item = &str> {
    let after = grapheme.strip_prefix(' ').map_or(0, |_| 1);
    let (space, rest) = grapheme.split_at(after);
    [space, rest].into_iter().filter(|piece| !piece.is_empty())
}

/// Spaces between two pieces of one meaning have that meaning too (a link is underlined as a whole).
fn gap_before(gap: Line, before: Option<&Word>, after: Meaning) -> Span {
    let same = before.and_then(|word| word.pieces.last()).is_some_and(|span| span.meaning() == after);
    Span::new(&gap.to_string(), if same { after } else { Meaning::Plain })
}

fn goes_on(word: &Word, alone: bool, open: bool) -> bool {
    (open && !alone) || word.pieces.last().is_some_and(|last| never_last(last.text()))
}

/// True for the wide characters between which a line may be broken. Korean is not among them: it has spaces.
fn stands_alone(grapheme: &str) -> bool {
    let hangul = |c| matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7af}');
    grapheme.chars().next().is_some_and(|c| !c.is_ascii() && !hangul(c)) && grapheme.width() > 1
}

fn never_first(grapheme: &str) -> bool {
    grapheme.chars().all(|c| {
        ",.;:!?)]}%\"'”’»、。，．：；！？）］｝」』】〉》・ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ…"
            .contains(c)
    })
}

fn never_last(grapheme: &str) -> bool {
    grapheme.chars().all(|c| "（［｛「『【〈《“‘".contains(c))
}

/// How many of the graphemes go on a line of `room` columns, at least one: as many as fit, or up to a point
/// or comma in their second half.
fn fitting(pieces: &[Span], room: usize) -> usize {
    let mut taken = 0;
    let fits = |span: &&Span| {
        taken += span.width();
        taken <= room
    };
    let most = pieces.iter().take_while(fits).count().max(1);
    let parts = |at: &usize| {
        ",;:/|&".contains(pieces[at - 1].text()) || pieces.get(*at).is_some_and(|p| p.text() == ".")
    };
    (most / 2 + 1..=most).rev().find(parts).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::super::look::{Form, Glyphs};
    use super::*;

    fn wrapped(text: &str, width: usize, hang: usize, long: Long) -> Vec<String> {
        let line = Line::from(Span::new(text, Meaning::Prose));
        wrap(&line, width, hang, long).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrapped("one two three", 8, 0, Long::Keep), ["one two", "three"]);
        assert_eq!(wrapped("", 8, 0, Long::Keep), [""]);
    }

    #[test]
    fn signs_of_one_column_are_counted_as_any_text_is() {
        for text in ["a → b ← c · d…", "…", "→\u{fe0f}", "a\u{301}…", "手…"] {
            let columns: usize = text.graphemes(true).map(UnicodeWidthStr::width).sum();
            assert_eq!(width(text), columns, "{text}");
        }
        assert_eq!(beginning("a → b", 3), "a →");
    }

    #[test]
    fn what_is_cut_fits_and_says_that_it_goes_on() {
        let line: Line = [("one ", Meaning::Code), ("手手手", Meaning::Prose)]
            .map(|(text, meaning)| Span::new(text, meaning))
            .into_iter()
            .collect();
        let shown = |glyphs, room| {
            let look = Look::new(80, glyphs, Form::Screen);
            let line = cut(&look, line.clone(), room);
            assert!(line.width() <= room.max(3));
            line.to_string()
        };
        assert_eq!(shown(Glyphs::Unicode, 10), "one 手手手");
        assert_eq!(shown(Glyphs::Unicode, 9), "one 手手…");
        assert_eq!(shown(Glyphs::Unicode, 8), "one 手…");
        assert_eq!(shown(Glyphs::Unicode, 3), "on…");
        assert_eq!(shown(Glyphs::Ascii, 9), "one 手...");
    }

    #[test]
    fn space_within_a_line_is_kept_and_at_its_end_is_not() {
        assert_eq!(wrapped("c   fd 3", 20, 0, Long::Break), ["c   fd 3"]);
        assert_eq!(wrapped("c   fd 3", 5, 0, Long::Break), ["c", "fd 3"]);
    }

    #[test]
    fn a_mark_on_a_space_joins_no_words() {
        assert_eq!(wrapped("one \u{a3e}two", 5, 0, Long::Keep), ["one", "\u{a3e}two"]);
    }

    #[test]
    fn further_lines_hang() {
        assert_eq!(wrapped("aaaa bbbb cccc", 10, 2, Long::Break), ["aaaa bbbb", "  cccc"]);
    }

    #[test]
    fn a_long_word_is_kept_or_broken() {
        assert_eq!(wrapped("a bcdefghij k", 4, 0, Long::Keep), ["a", "bcdefghij", "k"]);
        assert_eq!(wrapped("a bcdefghij k", 4, 0, Long::Break), ["a", "bcde", "fghi", "j k"]);
    }

    #[test]
    fn wide_characters_count_two_and_break_anywhere_but_before_a_full_stop() {
        assert_eq!(wrapped("三次握手。", 4, 0, Long::Keep), ["三次", "握", "手。"]);
        assert_eq!(wrapped("三次握手。", 6, 0, Long::Keep), ["三次握", "手。"]);
    }

    #[test]
    fn korean_breaks_at_spaces() {
        assert_eq!(wrapped("소켓이 듣는다", 8, 0, Long::Keep), ["소켓이", "듣는다"]);
    }

    #[test]
    fn marks_and_families_are_never_split() {
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(wrapped("👩‍👩‍👧👩‍👩‍👧", 2, 0, Long::Break), ["👩‍👩‍👧", "👩‍👩‍👧"]);
    }

    #[test]
    fn what_is_said_aside_drops_to_the_next_line_when_there_is_no_room() {
        let left = Line::from(Span::new("listen(3, 1) = 0", Meaning::Code));
        let right = || Span::new("9 µs", Meaning::Quiet);
        assert_eq!(aside(&left, right(), 24, 2)[0].to_string(), "listen(3, 1) = 0    9 µs");
        let lines = aside(&left, right(), 18, 2);
        assert_eq!(lines[1].to_string(), "              9 µs");
    }
}

//! Meanings become colour: the one file that knows of it.
//!
//! Colour is the second channel. The eight colours of the terminal's own theme are used, since a theme makes
//! them readable on its background, dark or light; yellow, white, black and blue are left out, because on one
//! of the two they often are not. To tell many connections apart there is the bright blue too, which is
//! lighter than the blue and readable on both; bright green and bright cyan vanish on white, and red is for
//! what fails.

use colored::{ColoredString, Colorize};

use super::line::{Line, Meaning};

/// With colour or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// Text alone: for files, pipes and `NO_COLOR`.
    #[default]
    Plain,
    /// The colours of the terminal's theme.
    Colour,
}

/// The text of `lines`, each with its end of line and without spaces before it. A no-break space has done its
/// work by now and becomes a plain one, so that what is copied can be pasted.
pub fn paint(lines: &[Line], palette: Palette) -> String {
    if palette == Palette::Colour {
        // Whether there is to be colour has been decided already; `colored` shall not decide again.
        colored::control::set_override(true);
    }
    let mut text = String::new();
    for line in lines {
        let start = text.len();
        paint_onto(&mut text, line, palette);
        if text[start..].contains('\u{a0}') {
            let plain = text[start..].replace('\u{a0}', " ");
            text.replace_range(start.., &plain);
        }
        text.push('\n');
    }
    text
}

fn paint_onto(text: &mut String, line: &Line, palette: Palette) {
    // Of spaces it is only known with the next piece that they don't stand at the end.
    let mut spaces = 0;
    for span in line.spans() {
        // Spaces around a span stay unpainted, so that no underline runs into a margin.
        let core = span.text().trim_matches(' ');
        if core.is_empty() {
            spaces += span.text().len();
            continue;
        }
        let start = span.text().len() - span.text().trim_start_matches(' ').len();
        text.extend(std::iter::repeat_n(' ', spaces + start));
        match palette {
            Palette::Plain => text.push_str(core),
            Palette::Colour => text.push_str(&colour(core, span.meaning()).to_string()),
        }
        spaces = span.text().len() - start - core.len();
    }
}

fn colour(text: &str, meaning: Meaning) -> ColoredString {
    match meaning {
        Meaning::Plain | Meaning::Prose | Meaning::Call | Meaning::State => text.normal(),
        Meaning::Heading | Meaning::Strong | Meaning::Key => text.bold(),
        Meaning::Emphasis => text.italic(),
        Meaning::Code | Meaning::Bytes => text.cyan(),
        Meaning::Quiet | Meaning::Label | Meaning::Rule => text.dimmed(),
        Meaning::Changed => text.green().bold(),
        Meaning::Holds => text.green(),
        Meaning::Fails | Meaning::Error => text.red().bold(),
        Meaning::NotSeen => text.magenta(),
        Meaning::Client => text.cyan().bold(),
        Meaning::Server => text.magenta().bold(),
        Meaning::Peer(number) => peer(text, number),
        Meaning::Link => text.underline(),
    }
}

/// Four hues, and each once more underlined. Not bold: many terminals make that bright.
fn peer(text: &str, number: u8) -> ColoredString {
    let text = match number % 4 {
        0 => text.cyan(),
        1 => text.magenta(),
        2 => text.green(),
        _ => text.bright_blue(),
    };
    if (number / 4).is_multiple_of(2) { text } else { text.underline() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::line::Span;

    fn line() -> Line {
        [Span::new("state  ", Meaning::Label), Span::new("LISTEN ", Meaning::Changed)].into_iter().collect()
    }

    #[test]
    fn plain_is_the_text_without_the_spaces_at_its_end() {
        assert_eq!(paint(&[line(), Line::blank()], Palette::Plain), "state  LISTEN\n\n");
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let text = paint(&[line()], Palette::Colour);
        assert_eq!(text, "\x1b[2mstate\x1b[0m  \x1b[1;32mLISTEN\x1b[0m\n");
    }

    #[test]
    fn eight_connections_look_different_and_the_ninth_like_the_first() {
        let painted = |number| paint(&[Line::from(Span::new("c", Meaning::Peer(number)))], Palette::Colour);
        let looks: std::collections::BTreeSet<String> = (0..8).map(painted).collect();
        assert_eq!(looks.len(), 8);
        assert_eq!(painted(8), painted(0));
    }
}

//! Diagnostics of a lesson file: position, error, expected text and suggestion.

use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// One mistake in a lesson file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Name of the file as the caller passed it.
    pub file: String,
    /// Line number, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// Length of the token in characters, at least 1.
    pub length: usize,
    /// Source text of the line.
    pub source: String,
    /// Description of the error.
    pub what: String,
    /// What the grammar allows here.
    pub expected: String,
    /// The most similar word of the grammar, if one is similar enough.
    pub nearest: Option<String>,
}

/// All diagnostics of one file in the order of their positions. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

/// Maximum number of characters that are shown on each side of the token.
const CONTEXT_WIDTH: usize = 60;

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}:{}:{}: {}", printable(&self.file), self.line, self.column, self.what)?;
        let characters: Vec<char> = self.source.chars().collect();
        let at = (self.column - 1).min(characters.len());
        let from = at.saturating_sub(CONTEXT_WIDTH);
        let length = self.length.min(CONTEXT_WIDTH);
        let to = (at + length + CONTEXT_WIDTH).min(characters.len());
        let cut = |range: &[char]| printable(&range.iter().collect::<String>());
        let before = format!("{}{}", if from > 0 { "…" } else { "" }, cut(&characters[from..at]));
        let token = cut(&characters[at..(at + length).min(characters.len())]);
        let after = cut(&characters[(at + length).min(characters.len())..to]);
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, "  {number} | {before}{token}{after}{}", if to < characters.len() { "…" } else { "" })?;
        let carets = "^".repeat(token.width().max(1));
        write!(f, "  {margin} | {}{carets} {}", " ".repeat(before.width()), self.expected)?;
        if let Some(nearest) = &self.nearest {
            write!(f, "\n  {margin} = did you mean `{nearest}`?")?;
        }
        Ok(())
    }
}

/// Replaces tabs by spaces, and control and zero-width characters by U+FFFD.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\t' {
                ' '
            } else if c.width().unwrap_or(0) == 0 {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Returns the word of `known` that is most similar to `wrong`, if it is similar enough for a typing error.
pub(super) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wrong: String = wrong.chars().take(40).collect();
    let distance = |word: &str| match (wrong.to_lowercase(), word.to_lowercase()) {
        (wrong, word)
            if word.len().min(wrong.len()) >= 4 && (wrong.starts_with(&word) || word.starts_with(&wrong)) =>
        {
            1
        }
        (wrong, word) => strsim::damerau_levenshtein(&wrong, &word),
    };
    known
        .into_iter()
        .map(|word| (distance(word), word))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, word)| *distance <= 1 + word.chars().count() / 4)
        .map(|(_, word)| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_underlined_where_it_stands() {
        let diagnostic = Diagnostic {
            file: "mine.md".into(),
            line: 12,
            column: 9,
            length: 6,
            source: "server$ lissen s 4".into(),
            what: "`lissen` is no call".into(),
            expected: "a call".into(),
            nearest: nearest("lissen", ["bind", "listen"]),
        };
        assert_eq!(
            diagnostic.to_string(),
            "mine.md:12:9: `lissen` is no call\n  12 | server$ lissen s 4\n     |         ^^^^^^ a call\n     = did you mean `listen`?"
        );
    }

    #[test]
    fn a_word_far_from_all_others_has_no_nearest() {
        assert_eq!(nearest("frobnicate", ["bind", "listen"]), None);
    }

    #[test]
    fn control_characters_of_the_file_do_not_reach_the_screen() {
        let diagnostic = Diagnostic {
            file: "x\u{1b}[2J.md".into(),
            line: 1,
            column: 1,
            length: 3,
            source: "\u{1b}]0;title\u{7}".repeat(1000),
            what: String::new(),
            expected: String::new(),
            nearest: None,
        };
        let shown = diagnostic.to_string();
        assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
        assert!(shown.len() < 1000);
    }
}

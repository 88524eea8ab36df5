//! A mistake in a lesson file, told so that it can be mended: where, what, what was expected, and the nearest right word.

use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// One mistake in a lesson file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file as it was named.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// Length of the token in characters, at least 1.
    pub length: usize,
    /// The line as it stands in the file.
    pub source: String,
    /// What is wrong.
    pub what: String,
    /// What would be right here.
    pub expected: String,
    /// The nearest right word, if one is near.
    pub nearest: Option<String>,
}

/// All mistakes of one file, in their order. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl std::error::Error for Faults {}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

/// How much of a line is shown on each side of the token, in characters.
const AROUND: usize = 60;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}:{}:{}: {}", harmless(&self.file), self.line, self.column, self.what)?;
        let characters: Vec<char> = self.source.chars().collect();
        let at = (self.column - 1).min(characters.len());
        let from = at.saturating_sub(AROUND);
        let length = self.length.min(AROUND);
        let to = (at + length + AROUND).min(characters.len());
        let cut = |range: &[char]| harmless(&range.iter().collect::<String>());
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

/// The text with everything that a terminal could obey or that takes no room replaced, one column a character.
fn harmless(text: &str) -> String {
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

/// The word of `known` nearest to `wrong`, if it is near enough to be a slip.
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
        let fault = Fault {
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
            fault.to_string(),
            "mine.md:12:9: `lissen` is no call\n  12 | server$ lissen s 4\n     |         ^^^^^^ a call\n     = did you mean `listen`?"
        );
    }

    #[test]
    fn a_word_far_from_all_others_has_no_nearest() {
        assert_eq!(nearest("frobnicate", ["bind", "listen"]), None);
    }

    #[test]
    fn control_characters_of_the_file_do_not_reach_the_screen() {
        let fault = Fault {
            file: "x\u{1b}[2J.md".into(),
            line: 1,
            column: 1,
            length: 3,
            source: "\u{1b}]0;title\u{7}".repeat(1000),
            what: String::new(),
            expected: String::new(),
            nearest: None,
        };
        let shown = fault.to_string();
        assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
        assert!(shown.len() < 1000);
    }
}

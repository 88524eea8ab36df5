//! `sockwalk explain`: the reason why of a field, a flag, an opcode, an error, an option, a state, a status
//! or a call.
//!
//! Decoders provide the meanings of fields, from a few sample frames; numbers come from the tables that
//! decoders and judges use. Only the reasons are written here, as data files in `en/`.

mod entries;
mod fields;
mod find;
mod lessons;
mod related;
mod sockjs;
mod stomp;
mod texts;

use std::sync::OnceLock;

pub use find::{Found, find};

/// Everything that is known about a name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Its path: `tcp.flags.psh`.
    pub path: String,
    /// Its usual spelling: `PSH`.
    pub name: String,
    /// What it is.
    pub what: String,
    /// The reason for it.
    pub why: String,
    /// Sections and manual pages.
    pub defined: String,
    /// Values and their meanings; empty if any number is valid.
    pub values: Vec<(String, String)>,
    /// Other spellings.
    pub spellings: Vec<String>,
}

impl Entry {
    /// Returns what people get wrong about it.
    pub fn mistakes(&self) -> Vec<String> {
        let about = |path: &str| {
            self.path == path
                || self.path.starts_with(&format!("{path}."))
                || path.ends_with('_') && self.path.starts_with(path)
        };
        let all = texts::parse(texts::MISTAKES).into_iter();
        all.filter(|it| it.key.split(", ").any(about)).map(|it| it.text).collect()
    }

    /// Returns the command of the part of a lesson that shows it, and that part's title.
    pub fn lesson(&self) -> Option<(String, String)> {
        lessons::shows(self)
    }

    /// Returns related paths.
    pub fn related(&self) -> Vec<&str> {
        related::to(&self.path)
    }

    /// Returns the first part of its path: `tcp`.
    pub fn group(&self) -> &str {
        self.path.split('.').next().unwrap_or_default()
    }
}

/// Returns the groups: the first part of a path, and what is in it.
pub fn groups() -> impl Iterator<Item = (&'static str, &'static str)> {
    static GROUPS: OnceLock<Vec<texts::Text>> = OnceLock::new();
    GROUPS.get_or_init(|| texts::parse(texts::GROUPS)).iter().map(|group| (group.key, group.text.as_str()))
}

/// All entries, in the order of the groups.
pub fn all() -> &'static [Entry] {
    static ALL: OnceLock<Vec<Entry>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = entries::all();
        all.sort_by_key(|entry| groups().position(|(group, _)| group == entry.group()));
        all
    })
}

#[cfg(test)]
mod tests;

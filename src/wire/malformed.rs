//! The error of every parser here that names the part of the input that is wrong.

use std::borrow::Cow;

use thiserror::Error;

use super::text;

/// Input that breaks the form or a rule of its protocol.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}: needed {needed}, had {had} ({section})", self.place())]
pub struct Malformed {
    /// The part of the input, by its name in the specification.
    pub field: Cow<'static, str>,
    /// The first wrong byte, from the start of the input. `None` if no single byte is wrong.
    pub offset: Option<u64>,
    /// What the rule asks for.
    pub needed: Cow<'static, str>,
    /// What the input has instead, escaped.
    pub had: String,
    /// The section that has the rule.
    pub section: &'static str,
}

impl Malformed {
    /// Characters of the input that an error quotes.
    pub(crate) const QUOTED: usize = 60;

    /// An error at a byte of the input, which quotes `had`.
    pub fn at(
        field: impl Into<Cow<'static, str>>,
        offset: usize,
        needed: impl Into<Cow<'static, str>>,
        had: &[u8],
        section: &'static str,
    ) -> Self {
        Malformed { offset: Some(offset as u64), ..Malformed::of(field, needed, had, section) }
    }

    /// An error of a whole part, which quotes `had`.
    pub fn of(
        field: impl Into<Cow<'static, str>>,
        needed: impl Into<Cow<'static, str>>,
        had: &[u8],
        section: &'static str,
    ) -> Self {
        let had = match had {
            [] => "nothing".to_owned(),
            had => format!("\"{}\"", text::shown(had, Self::QUOTED)),
        };
        Malformed { field: field.into(), offset: None, needed: needed.into(), had, section }
    }

    /// Returns the field and where it is wrong: `packet type at byte 0`.
    pub fn place(&self) -> String {
        match self.offset {
            Some(offset) => format!("{} at byte {offset}", self.field),
            None => self.field.to_string(),
        }
    }

    /// Returns the offset as an index, 0 if no single byte is wrong.
    pub fn index(&self) -> usize {
        self.offset.and_then(|offset| offset.try_into().ok()).unwrap_or_default()
    }

    /// The same error in an input that has `bytes` more bytes in front.
    pub(super) fn behind(mut self, bytes: usize) -> Self {
        self.offset = self.offset.map(|offset| offset + bytes as u64);
        self
    }
}

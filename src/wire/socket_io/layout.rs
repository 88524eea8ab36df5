//! The ranges of the parts of a packet, by form alone: nothing is rejected, so that a malformed packet can be
//! shown.

use std::ops::Range;

use serde_json::Value;

use super::{ENCODING, MAIN};
use crate::wire::Malformed;

/// The parts of a packet after its type, in order. A missing part is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// Digits: how many attachments follow. Only in the two binary types.
    pub attachments: Range<usize>,
    /// The hyphen behind them.
    pub hyphen: Range<usize>,
    /// From the slash to the comma, or to the end if there is none.
    pub namespace: Range<usize>,
    /// The comma behind it.
    pub comma: Range<usize>,
    /// Digits.
    pub id: Range<usize>,
    /// All the rest.
    pub payload: Range<usize>,
}

impl Layout {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let digits = |at: usize| {
            let count = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            at..at + count
        };
        let one = |at: usize, byte: u8| at..at + usize::from(bytes.get(at) == Some(&byte));
        let start = bytes.len().min(1);
        let binary = matches!(bytes.first(), Some(b'5' | b'6'));
        let attachments = if binary { digits(start) } else { start..start };
        let hyphen = if binary { one(attachments.end, b'-') } else { attachments.end..attachments.end };
        let at = hyphen.end;
        let namespace = if bytes.get(at) == Some(&b'/') {
            let length = bytes[at..].iter().take_while(|byte| **byte != b',').count();
            at..at + length
        } else {
            at..at
        };
        let comma = if namespace.is_empty() { at..at } else { one(namespace.end, b',') };
        let id = digits(comma.end);
        let payload = id.end..bytes.len();
        Layout { attachments, hyphen, namespace, comma, id, payload }
    }

    pub(super) fn number_of_attachments(&self, bytes: &[u8]) -> Result<u32, Malformed> {
        let wrong =
            |at: usize, needed| Malformed::at("number of attachments", at, needed, &bytes[at..], ENCODING);
        let number = number(&bytes[self.attachments.clone()]).and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| *number > 0);
        let number = number.ok_or_else(|| wrong(self.attachments.start, "a number from 1"))?;
        if self.hyphen.is_empty() {
            return Err(wrong(self.hyphen.start, "a hyphen"));
        }
        Ok(number)
    }

    pub(super) fn namespace(&self, bytes: &[u8]) -> Result<String, Malformed> {
        if self.namespace.is_empty() {
            return Ok(MAIN.into());
        }
        if self.comma.is_empty() {
            let at = self.comma.start;
            return Err(Malformed::at("namespace", at, "a comma behind it", &bytes[at..], ENCODING));
        }
        Ok(String::from_utf8_lossy(&bytes[self.namespace.clone()]).into_owned())
    }

    pub(super) fn acknowledgment_id(&self, bytes: &[u8]) -> Result<Option<u64>, Malformed> {
        if self.id.is_empty() {
            return Ok(None);
        }
        let digits = &bytes[self.id.clone()];
        let needed = "a number below 2^64";
        let wrong = || Malformed::at("acknowledgment id", self.id.start, needed, digits, ENCODING);
        number(digits).map(Some).ok_or_else(wrong)
    }

    pub(super) fn payload(&self, bytes: &[u8]) -> Result<Option<Value>, Malformed> {
        let json = &bytes[self.payload.clone()];
        if json.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(json).map(Some).map_err(|error| {
            let at = self.payload.start + place(json, &error);
            Malformed::at("payload", at, "JSON", &bytes[at..], ENCODING)
        })
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The byte at which the JSON went wrong.
fn place(json: &[u8], error: &serde_json::Error) -> usize {
    let before = error.line().saturating_sub(1);
    let line: usize = json.split_inclusive(|byte| *byte == b'\n').take(before).map(<[u8]>::len).sum();
    let end_of_input = error.is_eof();
    let column = error.column().saturating_sub(usize::from(!end_of_input));
    (line + column).min(json.len())
}

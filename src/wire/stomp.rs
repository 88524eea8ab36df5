//! STOMP frames, parsed and encoded (STOMP 1.2, with the differences of 1.1 and 1.0).
//!
//! A frame is a line with the command, header lines, a blank line, the body and a NULL octet. Frames form a
//! stream, whether TCP or WebSocket messages carry it: the ends of messages have no meaning. [`FrameReader`]
//! finds the frames and stops at the first malformed one; [`check`] checks the rules; [`fields`] decodes any
//! bytes. Sections are the headings of "STOMP Protocol Specification, Version 1.2", which does not number
//! them.

use super::text;

mod encode;
mod escape;
mod fields;
mod heart_beat;
mod reader;
mod rules;
mod tables;
#[cfg(test)]
mod tests;

pub use escape::escape;
pub use fields::fields;
pub(crate) use heart_beat::HeartBeat;
pub use reader::{FrameError, FrameReader, Item, Limits};
pub use rules::check;
pub(crate) use rules::{RULES, RuleError};
pub use tables::{COMMANDS, Command, Sender};
pub(crate) use tables::{HEADERS, command_entry, header_entry};

/// How much of a wrong piece an error quotes, in characters.
const QUOTED: usize = 60;

/// A version of the protocol. The older, the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 1.0: headers have no escapes, there are no heart-beats and no NACK.
    V10,
    /// 1.1: a line ends with LF alone, and CR has no escape.
    V11,
    /// 1.2.
    V12,
}

impl Version {
    /// All versions, the newest first.
    pub const ALL: [Version; 3] = [Version::V12, Version::V11, Version::V10];

    /// As the header `version` has it: `1.2`.
    pub fn number(self) -> &'static str {
        match self {
            Version::V10 => "1.0",
            Version::V11 => "1.1",
            Version::V12 => "1.2",
        }
    }

    /// The WebSocket subprotocol of this version, as IANA's registry has it: `v12.stomp`.
    pub fn subprotocol(self) -> &'static str {
        match self {
            Version::V10 => "v10.stomp",
            Version::V11 => "v11.stomp",
            Version::V12 => "v12.stomp",
        }
    }

    /// Returns the version with this number.
    pub(crate) fn of_number(number: &str) -> Option<Version> {
        Version::ALL.into_iter().find(|version| version.number() == number)
    }

    /// Returns the newest version that a list such as `1.0,1.1,2.0` has in common with this program (Protocol
    /// Negotiation). A client that sends no list speaks 1.0.
    pub(crate) fn negotiate(accept_version: Option<&str>) -> Option<Version> {
        let Some(list) = accept_version else { return Some(Version::V10) };
        Version::ALL.into_iter().find(|version| list.split(',').any(|number| number == version.number()))
    }
}

/// A frame, independent of its encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its command, case-sensitive: `SEND`.
    pub command: String,
    /// Names and values without escapes, in order, with all repetitions. Nothing is trimmed.
    pub headers: Vec<(String, String)>,
    /// The body: any bytes.
    pub body: Vec<u8>,
}

impl Frame {
    /// Returns a frame without headers and body.
    pub fn new(command: &str) -> Self {
        Frame { command: command.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// Appends a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body, and content-length.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.with("content-length", &length)
    }

    /// Returns the value of a header. Of repeated ones the first counts (Repeated Header Entries).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// True for bytes that can only begin a STOMP frame: a whole command and the end of its line.
pub(crate) fn begins_like_stomp(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.len() < bytes.len()
        && COMMANDS.iter().any(|command| line.strip_suffix(b"\r").unwrap_or(line) == command.name.as_bytes())
}

/// Quotes bytes for an error: escaped, in quotation marks.
fn quoted(bytes: &[u8]) -> String {
    if bytes.is_empty() { "nothing".into() } else { format!("\"{}\"", text::shown(bytes, QUOTED)) }
}

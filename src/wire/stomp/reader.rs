//! Finds frames and line ends in octets that arrive in pieces.
//!
//! Octets that cannot become a frame are rejected at the first that shows it.

use thiserror::Error;

use super::{
    COMMANDS, Command, Frame, Version, command_entry,
    escape::{escapes, unescape},
    quoted,
    rules::{self, Rule},
};

/// The limits of a receiver (Size Limits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Header lines in a frame.
    pub headers: usize,
    /// Octets of a header line.
    pub line: usize,
    /// Octets of a body.
    pub body: usize,
}

impl Default for Limits {
    /// 100 header lines of 8 KiB, and a body of 1 MiB.
    fn default() -> Self {
        Limits { headers: 100, line: 8 << 10, body: 1 << 20 }
    }
}

/// An item of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A frame, up to its NULL.
    Frame {
        /// The frame.
        frame: Frame,
        /// Where it begins, in octets from the start of the stream.
        offset: u64,
        /// Its octets as received, with the NULL.
        octets: Vec<u8>,
    },
    /// A line end between frames: a heart-beat, or one that a sender appends to each frame. They look the
    /// same.
    LineEnd {
        /// Where it begins.
        offset: u64,
        /// 1 for LF, 2 for CR and LF.
        length: usize,
    },
}

/// Octets that are no STOMP. The stream ends there, as the next frame cannot be found.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("STOMP at byte {offset}: {}; had {had} ({})", .rule.words, .rule.section)]
pub struct FrameError {
    /// The rule that is broken.
    pub rule: &'static Rule,
    /// The first wrong byte, from the start of the stream.
    pub offset: u64,
    /// What was there, escaped.
    pub had: String,
    /// The `receipt` of the frame, if its headers had been read: an ERROR should name it (ERROR).
    pub receipt: Option<String>,
}

/// Finds the frames of one direction.
#[derive(Debug, Clone)]
pub struct FrameReader {
    version: Version,
    limits: Limits,
    /// Octets; those before `start` are consumed.
    held: Vec<u8>,
    start: usize,
    /// Where `held` begins in the stream.
    base: u64,
    place: Place,
    failed: Option<FrameError>,
}

/// The state of the current item. Positions are in octets from `start`.
#[derive(Debug, Clone)]
enum Place {
    Between,
    /// The command's line, and the number of octets of it examined.
    Command {
        seen: usize,
    },
    Headers {
        head: Head,
        line: usize,
        seen: usize,
    },
    Body {
        head: Head,
        from: usize,
        length: Option<usize>,
        seen: usize,
    },
}

/// A command and the headers so far.
#[derive(Debug, Clone)]
struct Head {
    command: &'static Command,
    headers: Vec<(String, String)>,
}

impl Default for FrameReader {
    fn default() -> Self {
        FrameReader::new(Version::V12, Limits::default())
    }
}

impl FrameReader {
    /// Returns a reader. Before the version is negotiated use 1.2, which accepts all forms of CONNECT and
    /// CONNECTED.
    pub fn new(version: Version, limits: Limits) -> Self {
        FrameReader {
            version,
            limits,
            held: Vec::new(),
            start: 0,
            base: 0,
            place: Place::Between,
            failed: None,
        }
    }

    /// Applies the rules of this version from the next frame on.
    pub fn speak(&mut self, version: Version) {
        self.version = version;
    }

    /// Adds octets. The caller bounds their number; take the items out before adding more.
    pub fn push(&mut self, octets: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.held.drain(..self.start);
        self.base += self.start as u64;
        self.start = 0;
        self.held.extend_from_slice(octets);
    }

    /// True if the octets so far end with a frame or a line end, so that an end of the stream here cuts
    /// nothing off.
    pub fn is_between_frames(&self) -> bool {
        matches!(self.place, Place::Between) && self.rest().is_empty() && self.failed.is_none()
    }

    /// Returns the offset of the current frame, from the start of the stream.
    pub fn at(&self) -> u64 {
        self.base + self.start as u64
    }

    /// Returns the next frame or line end. `None` if more octets are needed.
    ///
    /// # Errors
    ///
    /// The first octet that is wrong. Every further call returns the same error.
    pub fn take(&mut self) -> Result<Option<Item>, FrameError> {
        if let Some(malformed) = &self.failed {
            return Err(malformed.clone());
        }
        let mut place = std::mem::replace(&mut self.place, Place::Between);
        loop {
            let (next, item) = match self.step(place) {
                Ok(step) => step,
                Err(malformed) => {
                    self.failed = Some(malformed.clone());
                    self.held = Vec::new();
                    self.start = 0;
                    return Err(malformed);
                }
            };
            match item {
                Step::On => place = next,
                Step::Wait => {
                    self.place = next;
                    return Ok(None);
                }
                Step::Give(item) => {
                    self.place = next;
                    return Ok(Some(item));
                }
            }
        }
    }

    fn rest(&self) -> &[u8] {
        &self.held[self.start..]
    }

    fn step(&mut self, place: Place) -> Result<(Place, Step), FrameError> {
        match place {
            Place::Between => self.between(),
            Place::Command { seen } => self.command(seen),
            Place::Headers { head, line, seen } => self.header(head, line, seen),
            Place::Body { head, from, length, seen } => self.body(head, from, length, seen),
        }
    }

    fn between(&mut self) -> Result<(Place, Step), FrameError> {
        let length = match *self.rest() {
            [] => return Ok((Place::Between, Step::Wait)),
            [b'\n', ..] => 1,
            [b'\r'] if self.cr_ends_lines() => return Ok((Place::Between, Step::Wait)),
            [b'\r', b'\n', ..] if self.cr_ends_lines() => 2,
            [b'\r', ..] => return Err(self.malformed(&rules::LINE_END, 0, 0..2, None)),
            _ => return Ok((Place::Command { seen: 0 }, Step::On)),
        };
        let offset = self.at();
        self.start += length;
        Ok((Place::Between, Step::Give(Item::LineEnd { offset, length })))
    }

    /// Octets that begin no command are rejected at once, so a browser's request or TLS does not wait for a
    /// line end.
    fn command(&mut self, mut seen: usize) -> Result<(Place, Step), FrameError> {
        loop {
            let line = &self.rest()[..seen];
            let command = line.strip_suffix(b"\r").filter(|_| self.cr_ends_lines()).unwrap_or(line);
            match self.rest().get(seen) {
                None => return Ok((Place::Command { seen }, Step::Wait)),
                Some(b'\n') => {
                    let entry = command_entry(command);
                    let Some(command) = entry else {
                        return Err(self.malformed(&rules::COMMAND, seen, 0..seen, None));
                    };
                    let (line, headers) = (seen + 1, Vec::new());
                    return Ok((
                        Place::Headers { head: Head { command, headers }, line, seen: line },
                        Step::On,
                    ));
                }
                Some(b'\r') if self.cr_ends_lines() && command_entry(line).is_some() => {}
                Some(octet) => {
                    let fits = |known: &&Command| {
                        known.name.as_bytes().starts_with(line)
                            && known.name.as_bytes().get(seen) == Some(octet)
                    };
                    if !COMMANDS.iter().any(|known| fits(&known)) {
                        return Err(self.malformed(&rules::COMMAND, seen, 0..seen + 1, None));
                    }
                }
            }
            seen += 1;
        }
    }

    fn header(&mut self, mut head: Head, line: usize, seen: usize) -> Result<(Place, Step), FrameError> {
        let new = &self.rest()[seen..];
        let stop = new.iter().position(|octet| matches!(octet, b'\n' | 0));
        let end = seen + stop.unwrap_or(new.len());
        if end - line > self.limits.line {
            let offset = line + self.limits.line;
            return Err(self.malformed(&rules::HEADER_TOO_LONG, offset, line..end, Some(&head)));
        }
        if stop.is_none() {
            return Ok((Place::Headers { head, line, seen: end }, Step::Wait));
        }
        if self.rest()[end] == 0 {
            return Err(self.malformed(&rules::BLANK_LINE, end, line..end + 1, Some(&head)));
        }
        let content = match &self.rest()[line..end] {
            [content @ .., b'\r'] if self.cr_ends_lines() => content,
            content => content,
        };
        if content.is_empty() {
            return self.blank_line(head, end + 1);
        }
        if head.headers.len() == self.limits.headers {
            return Err(self.malformed(&rules::TOO_MANY_HEADERS, line, line..end, Some(&head)));
        }
        let header = self.name_and_value(&head, line, content)?;
        head.headers.push(header);
        Ok((Place::Headers { head, line: end + 1, seen: end + 1 }, Step::On))
    }

    /// One header, without its escapes.
    fn name_and_value(
        &self,
        head: &Head,
        line: usize,
        content: &[u8],
    ) -> Result<(String, String), FrameError> {
        let whole = line..line + content.len();
        let broken = |rule, at: usize| self.malformed(rule, line + at, whole.clone(), Some(head));
        if self.cr_ends_lines()
            && let Some(at) = content.iter().position(|octet| *octet == b'\r')
        {
            return Err(broken(&rules::LINE_END, at));
        }
        let colon = content.iter().position(|octet| *octet == b':').filter(|colon| *colon > 0);
        let Some(colon) = colon else {
            return Err(broken(&rules::HEADER, 0));
        };
        let decode = |at: usize, part: &[u8]| {
            let octets = if escapes(head.command.name.as_bytes(), self.version) {
                unescape(part, self.version).map_err(|undefined| broken(&rules::ESCAPE, at + undefined.at))?
            } else {
                part.to_vec()
            };
            String::from_utf8(octets).map_err(|_| broken(&rules::UTF8, at))
        };
        // A further colon is accepted, as it is unambiguous: CONNECT has it in hosts, and 1.0 anywhere.
        let value = colon + 1;
        Ok((decode(0, &content[..colon])?, decode(value, &content[value..])?))
    }

    fn blank_line(&self, head: Head, from: usize) -> Result<(Place, Step), FrameError> {
        let written = head.headers.iter().find(|(name, _)| name == "content-length").map(|(_, value)| value);
        let digits = |value: &&String| !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit());
        let length = match written {
            None => None,
            Some(value) if digits(&value) => Some(value.parse().unwrap_or(usize::MAX)),
            Some(_) => return Err(self.malformed(&rules::LENGTH, from, 0..0, Some(&head)).with(written)),
        };
        if length.is_some_and(|length| length > self.limits.body) {
            return Err(self.malformed(&rules::BODY_TOO_LONG, from, 0..0, Some(&head)).with(written));
        }
        if !self.may_have_body(&head) && length.is_some_and(|length| length > 0) {
            return Err(self.malformed(&rules::BODY, from, 0..0, Some(&head)).with(written));
        }
        Ok((Place::Body { head, from, length, seen: from }, Step::On))
    }

    fn body(
        &mut self,
        head: Head,
        from: usize,
        length: Option<usize>,
        seen: usize,
    ) -> Result<(Place, Step), FrameError> {
        let end = match length {
            Some(length) => match self.rest().get(from + length) {
                Some(0) => Some(from + length),
                Some(_) => {
                    let end = from + length;
                    return Err(self.malformed(&rules::NULL, end, end..end + 1, Some(&head)));
                }
                None => None,
            },
            None => self.rest()[seen..].iter().position(|octet| *octet == 0).map(|index| seen + index),
        };
        let here = end.unwrap_or(self.rest().len());
        if here > from && !self.may_have_body(&head) {
            return Err(self.malformed(&rules::BODY, from, from..here, Some(&head)));
        }
        if here - from > self.limits.body {
            let offset = from + self.limits.body;
            return Err(self.malformed(&rules::BODY_TOO_LONG, offset, from..here, Some(&head)));
        }
        let Some(end) = end else {
            return Ok((Place::Body { head, from, length, seen: here }, Step::Wait));
        };
        let frame = Frame {
            command: head.command.name.into(),
            headers: head.headers,
            body: self.rest()[from..end].to_vec(),
        };
        let (offset, octets) = (self.at(), self.rest()[..=end].to_vec());
        self.start += octets.len();
        Ok((Place::Between, Step::Give(Item::Frame { frame, offset, octets })))
    }

    /// Since 1.2 a line may end with CR and LF; before, CR was an octet like any other.
    fn cr_ends_lines(&self) -> bool {
        self.version >= Version::V12
    }

    /// 1.0 forbids no body.
    fn may_have_body(&self, head: &Head) -> bool {
        head.command.body || self.version == Version::V10
    }

    fn malformed(
        &self,
        rule: &'static Rule,
        at: usize,
        had: std::ops::Range<usize>,
        head: Option<&Head>,
    ) -> FrameError {
        let rest = self.rest();
        let end = had.end.min(rest.len());
        let had = quoted(&rest[had.start.min(end)..end]);
        let receipt = head.and_then(|head| head.headers.iter().find(|(name, _)| name == "receipt"));
        let receipt = receipt.map(|(_, value)| value.clone());
        FrameError { rule, offset: self.at() + at as u64, had, receipt }
    }
}

impl FrameError {
    fn with(self, had: Option<&String>) -> Self {
        FrameError { had: quoted(had.map(String::as_bytes).unwrap_or_default()), ..self }
    }
}

/// The result of a step beside the next state.
enum Step {
    On,
    Wait,
    Give(Item),
}

//! HTTP/1.1 message heads, parsed and encoded (RFC 9112 §2 to §5).
//!
//! A head is the start line, the field lines and the empty line. The parser is
//! strict where two programs have read one request in two ways: line ends, control bytes, folded
//! lines, a space before the colon. Repeated fields stay separate and in order.

use httparse::EMPTY_HEADER;
use thiserror::Error;

use super::Malformed;

mod content;
mod encode;
mod fields;
mod reader;

pub use content::{ContentReader, chunk, request_framing, response_framing};
pub(crate) use content::{Framing, LAST_CHUNK};
pub(crate) use encode::encode_request;
pub use encode::encode_response;
pub use fields::fields;
pub(crate) use fields::{MEANINGS, meaning_of};
pub(crate) use reader::TooLarge;
pub use reader::{HeadReader, Progress};

/// Longest head in bytes, with its empty line. A longer one is refused with 431, or 414 in the start line.
pub(crate) const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Most field lines of a head. More are refused with 431.
pub(crate) const MAX_FIELD_LINES: usize = 100;

/// The version in a start line (RFC 9112 §2.3): `HTTP/1.1` is 1 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The digit before the dot: the form of the message.
    pub major: u8,
    /// The digit after it: the capabilities of the sender.
    pub minor: u8,
}

/// A request head (RFC 9112 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// A token, case-sensitive: `GET`.
    pub method: String,
    /// The request target as sent, visible ASCII: `/chat?room=1`.
    pub target: String,
    /// The version.
    pub version: Version,
    /// The field lines.
    pub headers: Headers,
    /// Where the method begins: after empty lines that are ignored.
    pub start: usize,
    /// Where the target begins.
    pub target_offset: usize,
    /// Where the version begins.
    pub version_offset: usize,
    /// Bytes of the head with its empty line. What follows is content, or the next protocol.
    pub length: usize,
}

/// A response head (RFC 9112 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    /// The version.
    pub version: Version,
    /// The status code, 100 to 999.
    pub status: u16,
    /// Where the status code begins.
    pub status_offset: usize,
    /// The reason phrase, maybe empty; a client should ignore it (RFC 9112 §4).
    pub reason: Vec<u8>,
    /// The field lines.
    pub headers: Headers,
    /// Bytes of the head with its empty line.
    pub length: usize,
}

/// A field line of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderLine {
    /// The name as sent; names are compared without regard to case (RFC 9110 §5.1).
    pub name: String,
    /// The value without surrounding spaces and tabs. Bytes from 0x80 on are allowed, so it may not be UTF-8.
    pub value: Vec<u8>,
    /// Where the line begins, in bytes from the start of the head.
    pub offset: usize,
    /// Where the value begins.
    pub value_offset: usize,
}

/// The field lines of a head, in order, with all repetitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<HeaderLine>);

impl Headers {
    /// Returns the lines with this name, in order, compared without regard to case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a HeaderLine> {
        self.0.iter().filter(move |line| line.name.eq_ignore_ascii_case(name))
    }

    /// Returns the elements of all lines with this name as one list (RFC 9110 §5.3), each with its offset in
    /// the head.
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a [u8], usize)> {
        self.all(name).flat_map(|line| elements(&line.value).map(|(item, at)| (item, line.value_offset + at)))
    }

    /// True if a list with this name has `token`, compared without regard to case, as for Connection and
    /// Upgrade.
    pub(crate) fn has_token(&self, name: &str, token: &str) -> bool {
        self.list(name).any(|(item, _)| item.eq_ignore_ascii_case(token.as_bytes()))
    }
}

/// Returns the elements of a comma list (RFC 9110 §5.6.1), each with its offset in `value`.
///
/// Spaces and tabs around an element are dropped, and so are empty elements, as a recipient must. A comma
/// inside a quoted string splits too: this is for lists of tokens.
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = (&[u8], usize)> {
    let mut next = 0;
    value.split(|byte| *byte == b',').filter_map(move |part| {
        let start = next;
        next += part.len() + 1;
        let indent = part.iter().take_while(|byte| is_blank(**byte)).count();
        let item = trim(part);
        (!item.is_empty()).then_some((item, start + indent))
    })
}

/// True for a token (RFC 9110 §5.6.2): a method, a field name, a subprotocol.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// A head that is malformed or refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{malformed}")]
pub struct HeadError {
    /// What is wrong.
    pub malformed: Malformed,
    /// The status that a server answers with, if this was a request.
    pub status: u16,
}

impl HeadError {
    fn new(
        field: &'static str,
        offset: usize,
        needed: &'static str,
        had: &[u8],
        section: &'static str,
    ) -> Self {
        HeadError { malformed: Malformed::at(field, offset, needed, had, section), status: 400 }
    }

    /// Replaces the status 400.
    fn answered(self, status: u16) -> Self {
        HeadError { status, ..self }
    }
}

/// Parses a request head at the start of `input`. Bytes after its empty line are ignored.
///
/// Empty lines (CRLF) before the request line are ignored (RFC 9112 §2.2).
///
/// # Errors
///
/// The first malformed part, in the order of the bytes; also if `input` ends before the head does.
pub fn parse_request(input: &[u8]) -> Result<RequestHead, HeadError> {
    let mut start = 0;
    while input[start..].starts_with(b"\r\n") {
        start += 2;
    }
    let (line, after) = line_at(input, start)?;
    // request-line = method SP request-target SP HTTP-version
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let method = parts.next().unwrap_or_default();
    if !is_token(method) {
        return Err(HeadError::new("method", start, "a token", method, "RFC 9112 §3.1"));
    }
    let target_offset = start + method.len() + 1;
    let target = parts.next().unwrap_or_default();
    if target.is_empty() || !target.iter().all(u8::is_ascii_graphic) {
        let needed = "visible ASCII after one space";
        return Err(HeadError::new("request-target", target_offset, needed, target, "RFC 9112 §3.2"));
    }
    let version_offset = target_offset + target.len() + 1;
    let version = version(parts.next().unwrap_or_default(), version_offset)?;
    let (headers, length) = field_lines(input, after, Folding::Refused)?;
    let (method, target) = (ascii(method), ascii(target));
    Ok(RequestHead { method, target, version, headers, start, target_offset, version_offset, length })
}

/// Parses a response head at the start of `input`. Bytes after its empty line are ignored.
///
/// Folded field lines become one line, as a user agent must do (RFC 9112 §5.2).
///
/// # Errors
///
/// The first malformed part, in the order of the bytes; also if `input` ends before the head does.
pub fn parse_response(input: &[u8]) -> Result<ResponseHead, HeadError> {
    let (line, after) = line_at(input, 0)?;
    // status-line = HTTP-version SP status-code SP [ reason-phrase ]
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let version_part = parts.next().unwrap_or_default();
    let version = version(version_part, 0)?;
    let status_offset = version_part.len() + 1;
    let code = parts.next().unwrap_or_default();
    let status = match code {
        [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9'] => {
            code.iter().fold(0, |sum, d| sum * 10 + u16::from(d - b'0'))
        }
        _ => {
            let needed = "three digits after one space";
            return Err(HeadError::new("status-code", status_offset, needed, code, "RFC 9112 §4"));
        }
    };
    // A sender must send the space after the code even without a reason, but a recipient may accept its
    // absence.
    let reason = parts.next().unwrap_or_default().to_vec();
    let (headers, length) = field_lines(input, after, Folding::Replaced)?;
    Ok(ResponseHead { version, status, status_offset, reason, headers, length })
}

/// What to do with a line that begins with a space: formerly a continuation (RFC 9112 §5.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Folding {
    /// A server answers 400 (or replaces it: the RFC leaves the choice).
    Refused,
    /// A user agent replaces it by spaces.
    Replaced,
}

fn version(part: &[u8], offset: usize) -> Result<Version, HeadError> {
    match part {
        [b'H', b'T', b'T', b'P', b'/', major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] => {
            Ok(Version { major: major - b'0', minor: minor - b'0' })
        }
        _ => Err(HeadError::new(
            "HTTP-version",
            offset,
            "HTTP/1.1 and the end of the line",
            part,
            "RFC 9112 §2.3",
        )),
    }
}

/// Returns the field lines from `start` to the empty line, and the end of that.
fn field_lines(input: &[u8], start: usize, folding: Folding) -> Result<(Headers, usize), HeadError> {
    let mut at = start;
    let mut lines = 0;
    let mut folds = Vec::new();
    let end = loop {
        let (line, after) = line_at(input, at)?;
        if line.is_empty() {
            break after;
        }
        if is_blank(line[0]) {
            fold(line, at, start, folding)?;
            folds.push(at);
        } else {
            field_line(line, at)?;
            lines += 1;
        }
        at = after;
    };
    if lines > MAX_FIELD_LINES {
        let needed = "at most 100 field lines";
        let error = HeadError::new("field lines", start, needed, lines.to_string().as_bytes(), "RFC 6585 §5");
        return Err(HeadError { status: 431, ..error });
    }
    let mut section = input[..end].to_vec();
    for at in folds {
        // Two spaces replace CRLF: the lines become one and no offset changes.
        section[at - 2..at].fill(b' ');
    }
    // Everything dangerous has been rejected above. httparse splits the lines into tokens.
    let mut tokens = [EMPTY_HEADER; MAX_FIELD_LINES];
    let tokens = match httparse::parse_headers(&section[start..], &mut tokens) {
        Ok(httparse::Status::Complete((_, tokens))) => tokens,
        _ => {
            return Err(HeadError::new(
                "field line",
                start,
                "a name, a colon and a value",
                b"",
                "RFC 9112 §5",
            ));
        }
    };
    let offset_of = |part: &[u8]| part.as_ptr().addr() - section.as_ptr().addr();
    let headers = tokens.iter().map(|header| HeaderLine {
        name: header.name.into(),
        value: header.value.into(),
        offset: offset_of(header.name.as_bytes()),
        value_offset: offset_of(header.value),
    });
    Ok((Headers(headers.collect()), end))
}

/// Checks a line that begins with a space or tab.
fn fold(line: &[u8], at: usize, start: usize, folding: Folding) -> Result<(), HeadError> {
    if at == start {
        let needed = "no space between the start line and the first field line";
        return Err(HeadError::new("field line", at, needed, line, "RFC 9112 §2.2"));
    }
    if folding == Folding::Refused {
        return Err(HeadError::new("field line", at, "no folded line (obs-fold)", line, "RFC 9112 §5.2"));
    }
    Ok(())
}

/// Checks one field line: `name ":" value`.
fn field_line(line: &[u8], at: usize) -> Result<(), HeadError> {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Err(HeadError::new("field line", at, "a colon after the name", line, "RFC 9112 §5"));
    };
    let name = &line[..colon];
    if let [first, .., last] = name
        && !is_blank(*first)
        && is_blank(*last)
    {
        // Two readers who disagree on this name can be made to disagree on the whole message.
        let needed = "no space between the name and the colon";
        return Err(HeadError::new("field name", at + colon - 1, needed, name, "RFC 9112 §5.1"));
    }
    if !is_token(name) {
        return Err(HeadError::new("field name", at, "a token", name, "RFC 9110 §5.1"));
    }
    Ok(())
}

/// Returns the line at `start` without its CRLF, and the offset of the next.
fn line_at(input: &[u8], start: usize) -> Result<(&[u8], usize), HeadError> {
    for (index, byte) in input.iter().enumerate().skip(start) {
        let had = &input[start..=index];
        match byte {
            b'\r' if input.get(index + 1) == Some(&b'\n') => return Ok((&input[start..index], index + 2)),
            b'\r' if index + 1 == input.len() => break,
            b'\r' => return Err(HeadError::new("line end", index, "LF after CR", had, "RFC 9112 §2.2")),
            // The RFC lets a recipient accept a bare LF as a line end; refusing it is safer.
            b'\n' => return Err(HeadError::new("line end", index, "CR before LF", had, "RFC 9112 §2.2")),
            b'\t' => {}
            0x00..=0x1f | 0x7f => {
                let needed = "no control byte";
                return Err(HeadError::new("control byte", index, needed, &[*byte], "RFC 9110 §5.5"));
            }
            _ => {}
        }
    }
    let needed = "CRLF, and an empty line at the end of the head";
    Err(HeadError::new("line end", input.len(), needed, b"", "RFC 9112 §2.1"))
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Without the spaces and tabs around it (OWS, RFC 9110 §5.6.3).
fn trim(value: &[u8]) -> &[u8] {
    let start = value.iter().position(|byte| !is_blank(*byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_blank(*byte)).map_or(start, |last| last + 1);
    &value[start..end]
}

/// Converts bytes that are known to be ASCII.
fn ascii(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests;

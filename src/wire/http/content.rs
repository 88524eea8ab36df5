//! The end of a message's content: by length, by the last chunk, or with the connection (RFC 9112 §6, §7).

use super::{HeadError, Headers, Malformed, RequestHead, ResponseHead};

/// Longest chunk-size line in bytes, with its extensions. A longer one is malformed.
const MAX_SIZE_LINE: usize = 1024;

/// Most bytes of trailer fields after the last chunk. More are malformed.
const MAX_TRAILERS: usize = 16 * 1024;

/// How the end of the content is found (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is no content, whatever the fields say.
    None,
    /// The length in bytes.
    Length(u64),
    /// Chunks up to an empty one.
    Chunked,
    /// Everything up to the end of the stream.
    ToTheEnd,
}

/// Returns the framing of a request's content (RFC 9112 §6.3): without a field for it there is none.
///
/// # Errors
/// If two readers could find different ends of the message, which allows request smuggling.
pub fn request_framing(head: &RequestHead) -> Result<Framing, HeadError> {
    let coded = codings(&head.headers);
    let length = length(&head.headers)?;
    match (coded, length) {
        (Some((_, offset)), Some(_)) => Err(HeadError::new(
            "Content-Length",
            offset,
            "not both Transfer-Encoding and Content-Length",
            b"both",
            "RFC 9112 §6.1",
        )),
        (Some((true, _)), None) => Ok(Framing::Chunked),
        (Some((false, offset)), None) => Err(HeadError::new(
            "Transfer-Encoding",
            offset,
            "chunked, and nothing else",
            &joined(&head.headers, "Transfer-Encoding"),
            "RFC 9112 §6.3",
        )
        .answered(501)),
        (None, Some(length)) => Ok(Framing::Length(length)),
        (None, None) => Ok(Framing::None),
    }
}

/// Returns the framing of the content of a response to `method` (RFC 9112 §6.3).
///
/// # Errors
/// If `Content-Length` is no number, or has several values.
pub fn response_framing(head: &ResponseHead, method: &str) -> Result<Framing, HeadError> {
    if method == "HEAD" || matches!(head.status, 100..=199 | 204 | 304) {
        return Ok(Framing::None);
    }
    match codings(&head.headers) {
        // Transfer-Encoding overrides Content-Length.
        Some((true, _)) => Ok(Framing::Chunked),
        Some((false, _)) => Ok(Framing::ToTheEnd),
        None => Ok(length(&head.headers)?.map_or(Framing::ToTheEnd, Framing::Length)),
    }
}

/// Returns whether `chunked` is the only coding, and the offset of the field's value. `None` without the
/// field.
fn codings(headers: &Headers) -> Option<(bool, usize)> {
    let all: Vec<_> = headers.list("Transfer-Encoding").collect();
    let at = headers.all("Transfer-Encoding").next()?.value_offset;
    let chunked = matches!(all[..], [(only, _)] if only.eq_ignore_ascii_case(b"chunked"));
    Some((chunked, at))
}

fn length(headers: &Headers) -> Result<Option<u64>, HeadError> {
    let mut found: Option<u64> = None;
    for line in headers.all("Content-Length") {
        let wrong = |needed| {
            HeadError::new("Content-Length", line.value_offset, needed, &line.value, "RFC 9112 §6.3")
        };
        let digits = !line.value.is_empty() && line.value.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(&line.value).ok().and_then(|text| text.parse().ok());
        let number = number.filter(|_| digits).ok_or_else(|| wrong("a number of bytes"))?;
        if found.is_some_and(|other| other != number) {
            return Err(wrong("one length, not several"));
        }
        found = Some(number);
    }
    Ok(found)
}

fn joined(headers: &Headers, name: &str) -> Vec<u8> {
    headers.all(name).map(|line| line.value.clone()).collect::<Vec<_>>().join(&b", "[..])
}

/// Reads content that arrives in pieces.
#[derive(Debug, Clone)]
pub struct ContentReader {
    state: State,
    /// Bytes consumed.
    at: u64,
    /// The current line.
    line: Vec<u8>,
    /// Bytes of trailers so far.
    trailers: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Bytes that are still to come.
    Counted(u64),
    ToTheEnd,
    /// A line with the size of a chunk.
    Size,
    /// Bytes of the chunk that are still to come.
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd,
    /// Trailer fields, up to an empty line.
    Trailers,
    Whole,
}

impl ContentReader {
    /// Returns a reader for content with this framing.
    pub fn new(framing: Framing) -> ContentReader {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Whole,
            Framing::Length(length) => State::Counted(length),
            Framing::Chunked => State::Size,
            Framing::ToTheEnd => State::ToTheEnd,
        };
        ContentReader { state, at: 0, line: Vec::new(), trailers: 0 }
    }

    /// Whether the content is complete; what follows belongs to the next message.
    pub(crate) fn is_whole(&self) -> bool {
        self.state == State::Whole
    }

    /// Whether the content is complete if the stream ends here.
    pub(crate) fn may_end_here(&self) -> bool {
        matches!(self.state, State::Whole | State::ToTheEnd)
    }

    /// Returns the next piece of the content in `rest` and advances `rest`. `None` if `rest` has no more of
    /// it.
    ///
    /// # Errors
    /// If a chunk is malformed. The connection cannot be used any more.
    pub fn next<'a>(&mut self, rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Malformed> {
        loop {
            if rest.is_empty() {
                return Ok(None);
            }
            match self.state {
                State::Whole => return Ok(None),
                State::ToTheEnd => return Ok(Some(self.take(rest, u64::MAX))),
                State::Counted(left) => {
                    let piece = self.take(rest, left);
                    let left = left - piece.len() as u64;
                    self.state = if left == 0 { State::Whole } else { State::Counted(left) };
                    return Ok(Some(piece));
                }
                State::Chunk(left) => {
                    let piece = self.take(rest, left);
                    let left = left - piece.len() as u64;
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                    return Ok(Some(piece));
                }
                State::Size | State::ChunkEnd | State::Trailers => self.line_byte(rest)?,
            }
        }
    }

    fn take<'a>(&mut self, rest: &mut &'a [u8], most: u64) -> &'a [u8] {
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(rest.len());
        let (piece, left) = rest.split_at(count);
        *rest = left;
        self.at += piece.len() as u64;
        piece
    }

    /// Consumes one byte of a line between chunks.
    fn line_byte(&mut self, rest: &mut &[u8]) -> Result<(), Malformed> {
        let byte = self.take(rest, 1)[0];
        self.line.push(byte);
        let most = if self.state == State::Trailers { MAX_TRAILERS } else { MAX_SIZE_LINE };
        if self.line.len() + self.trailers > most {
            return Err(self.wrong("content's chunk", "a shorter line", "RFC 9112 §7.1.1"));
        }
        let ends = self.line.ends_with(b"\r\n");
        if byte == b'\n' && !ends {
            return Err(self.wrong("content's line end", "CR before LF", "RFC 9112 §2.2"));
        }
        if self.state == State::ChunkEnd && !b"\r\n".starts_with(&self.line) {
            return Err(self.wrong(
                "content's chunk-data",
                "CRLF behind as many bytes as the size says",
                "RFC 9112 §7.1",
            ));
        }
        if !ends {
            return Ok(());
        }
        self.state = match self.state {
            State::Size => match self.size()? {
                0 => State::Trailers,
                size => State::Chunk(size),
            },
            State::ChunkEnd => State::Size,
            _ if self.line.len() == 2 => State::Whole,
            _ => State::Trailers,
        };
        if self.state == State::Trailers {
            self.trailers += self.line.len();
        }
        self.line.clear();
        Ok(())
    }

    /// Returns the size of a chunk: hexadecimal digits, maybe followed by `;` and extensions.
    fn size(&self) -> Result<u64, Malformed> {
        let line = &self.line[..self.line.len() - 2];
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let behind = line[digits..].trim_ascii_start();
        let number = std::str::from_utf8(&line[..digits]).ok();
        let number = number.and_then(|text| u64::from_str_radix(text, 16).ok());
        match number.filter(|_| behind.is_empty() || behind[0] == b';') {
            Some(number) => Ok(number),
            None => Err(self.wrong(
                "content's chunk-size",
                "hexadecimal digits of a number below 2^64",
                "RFC 9112 §7.1",
            )),
        }
    }

    fn wrong(&self, field: &'static str, needed: &'static str, section: &'static str) -> Malformed {
        let offset = self.at - self.line.len() as u64;
        Malformed { offset: Some(offset), ..Malformed::of(field, needed, &self.line, section) }
    }
}

/// Returns a chunk (RFC 9112 §7.1). Empty for no bytes, as an empty chunk would be the last.
pub fn chunk(bytes: &[u8]) -> Vec<u8> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let mut out = format!("{:x}\r\n", bytes.len()).into_bytes();
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
    out
}

/// The end of chunks, without trailers.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::http::{parse_request, parse_response};

    fn request(fields: &str) -> Result<Framing, HeadError> {
        request_framing(&parse_request(format!("POST / HTTP/1.1\r\n{fields}\r\n").as_bytes()).unwrap())
    }

    fn response(status: u16, fields: &str, method: &str) -> Result<Framing, HeadError> {
        let head = format!("HTTP/1.1 {status} x\r\n{fields}\r\n");
        response_framing(&parse_response(head.as_bytes()).unwrap(), method)
    }

    /// The content, and what stands behind it.
    fn read<'a>(
        framing: Framing,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(Vec<u8>, Vec<u8>), Malformed> {
        let mut reader = ContentReader::new(framing);
        let (mut content, mut behind) = (Vec::new(), Vec::new());
        for mut rest in pieces {
            while let Some(piece) = reader.next(&mut rest)? {
                content.extend_from_slice(piece);
            }
            behind.extend_from_slice(rest);
        }
        assert!(reader.may_end_here(), "{reader:?}");
        Ok((content, behind))
    }

    #[test]
    fn the_first_rule_that_fits_says_where_content_ends() {
        assert_eq!(request("").unwrap(), Framing::None);
        assert_eq!(request("Content-Length: 5\r\n").unwrap(), Framing::Length(5));
        assert_eq!(request("transfer-encoding: Chunked\r\n").unwrap(), Framing::Chunked);
        assert_eq!(response(200, "", "GET").unwrap(), Framing::ToTheEnd);
        assert_eq!(response(200, "Content-Length: 5\r\n", "GET").unwrap(), Framing::Length(5));
        assert_eq!(
            response(200, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "GET").unwrap(),
            Framing::Chunked
        );
        assert_eq!(response(200, "Transfer-Encoding: gzip\r\n", "GET").unwrap(), Framing::ToTheEnd);
        for (status, method) in [(204, "GET"), (304, "GET"), (101, "GET"), (200, "HEAD")] {
            assert_eq!(response(status, "Content-Length: 5\r\n", method).unwrap(), Framing::None);
        }
    }

    #[test]
    fn two_ends_of_one_request_are_refused() {
        for (fields, status) in [
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
            ("Content-Length: 5\r\nContent-Length: 6\r\n", 400),
            ("Content-Length: 5, 5\r\n", 400),
            ("Content-Length: +5\r\n", 400),
            ("Content-Length: \r\n", 400),
            ("Content-Length: 99999999999999999999\r\n", 400),
            ("Transfer-Encoding: gzip, chunked\r\n", 501),
            ("Transfer-Encoding: chunked, chunked\r\n", 501),
        ] {
            assert_eq!(request(fields).unwrap_err().status, status, "{fields}");
        }
        assert_eq!(request("Content-Length: 5\r\nContent-Length: 5\r\n").unwrap(), Framing::Length(5));
    }

    #[test]
    fn chunks_end_with_an_empty_one_and_trailers() {
        let bytes = b"5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\nGET";
        let (content, behind) = read(Framing::Chunked, [bytes.as_slice()]).unwrap();
        assert_eq!((content.as_slice(), behind.as_slice()), (b"hello!".as_slice(), b"GET".as_slice()));
    }

    #[test]
    fn chunks_that_are_none_are_named() {
        for (bytes, field) in [
            ("x\r\n", "content's chunk-size"),
            ("\r\n", "content's chunk-size"),
            ("-1\r\n", "content's chunk-size"),
            ("5 x\r\n", "content's chunk-size"),
            ("10000000000000000\r\n", "content's chunk-size"),
            ("5\nhello", "content's line end"),
            ("5\r\nhello!", "content's chunk-data"),
            ("5\r\nhello\n", "content's line end"),
            ("0\r\nX: y\n", "content's line end"),
        ] {
            let mut reader = ContentReader::new(Framing::Chunked);
            let mut rest = bytes.as_bytes();
            let error = loop {
                match reader.next(&mut rest) {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("{bytes:?} passed"),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.field, field, "{error}");
        }
        let long = format!("5;{}", "a".repeat(2000));
        assert!(ContentReader::new(Framing::Chunked).next(&mut long.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6), size in 1usize..50) {
            let mut bytes: Vec<u8> = chunks.iter().flat_map(|bytes| chunk(bytes)).collect();
            bytes.extend_from_slice(LAST_CHUNK);
            let (content, behind) = read(Framing::Chunked, bytes.chunks(size)).unwrap();
            prop_assert_eq!(content, chunks.concat());
            prop_assert!(behind.is_empty());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = ContentReader::new(Framing::Chunked);
            let mut rest = bytes.as_slice();
            while let Ok(Some(_)) = reader.next(&mut rest) {}
        }
    }
}

//! Finds the end of a head that arrives in pieces: its empty line.

use super::{MAX_FIELD_LINES, MAX_HEAD_BYTES, is_token};

/// Collects bytes until the head is complete.
///
/// It looks for line ends only; the parser checks the head. A bare LF ends a
/// line here, so that a head written with LF alone is found and rejected instead of waited for.
#[derive(Debug, Clone, Default)]
pub struct HeadReader {
    bytes: Vec<u8>,
    /// Number of bytes examined.
    seen: usize,
    /// Offset of the current line.
    line: usize,
    /// Complete lines that are not empty: the start line and the field lines.
    lines: usize,
    done: Option<Progress>,
}

/// The state of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The empty line has not arrived.
    Incomplete,
    /// The empty line has arrived.
    Complete {
        /// Bytes of the head with its empty line. The bytes after it are the tail, maybe of the next
        /// protocol.
        head: usize,
    },
    /// A limit was reached before the empty line.
    TooLarge(TooLarge),
    /// The start line has a byte that HTTP does not allow there: the peer speaks another protocol.
    NotHttp {
        /// The offset of the byte.
        at: usize,
    },
}

/// The limit that was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooLarge {
    /// [`MAX_HEAD_BYTES`], inside the start line: 414 (RFC 9112 §3).
    StartLine,
    /// [`MAX_HEAD_BYTES`], among the field lines: 431 (RFC 6585 §5).
    Bytes,
    /// [`MAX_FIELD_LINES`]: 431 (RFC 6585 §5).
    Lines,
}

impl HeadReader {
    /// Returns a reader at the start of its input.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes and returns the state of the head.
    ///
    /// Once the head is complete, bytes are added to the tail. Once it is too large, they are dropped.
    pub fn push(&mut self, bytes: &[u8]) -> Progress {
        if !matches!(self.done, Some(Progress::TooLarge(_))) {
            self.bytes.extend_from_slice(bytes);
        }
        while self.done.is_none() && self.seen < self.bytes.len() {
            self.done = self.look();
        }
        self.done.unwrap_or(Progress::Incomplete)
    }

    /// Returns all bytes: the head and, once it is complete, the tail.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the head, or its part so far, and the tail.
    pub fn into_parts(mut self) -> (Vec<u8>, Vec<u8>) {
        let head = match self.done {
            Some(Progress::Complete { head }) => head,
            _ => self.bytes.len(),
        };
        let tail = self.bytes.split_off(head);
        (self.bytes, tail)
    }

    /// Examines one byte. Returns the end of the head if this byte ends it.
    fn look(&mut self) -> Option<Progress> {
        let byte = self.bytes[self.seen];
        self.seen += 1;
        if byte == b'\n' {
            let line = &self.bytes[self.line..self.seen - 1];
            let empty = line.is_empty() || line == b"\r";
            self.line = self.seen;
            // Empty lines before the start line are ignored (RFC 9112 §2.2).
            if empty && self.lines > 0 {
                return Some(Progress::Complete { head: self.seen });
            }
            self.lines += usize::from(!empty);
            if self.lines > MAX_FIELD_LINES + 1 {
                return Some(Progress::TooLarge(TooLarge::Lines));
            }
        }
        if self.lines == 0 && !may_stand_in_start_line(byte, self.seen - 1 == self.line) {
            return Some(Progress::NotHttp { at: self.seen - 1 });
        }
        if self.seen < MAX_HEAD_BYTES {
            return None;
        }
        Some(Progress::TooLarge(if self.lines == 0 { TooLarge::StartLine } else { TooLarge::Bytes }))
    }
}

/// Whether the start line of a request or response can have this byte (RFC 9112 §3, §4).
fn may_stand_in_start_line(byte: u8, first: bool) -> bool {
    match byte {
        b'\r' | b'\n' => true,
        _ if first => is_token(&[byte]),
        b'\t' => true,
        _ => !byte.is_ascii_control(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: &[u8] = b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";

    #[test]
    fn a_head_split_anywhere_is_the_same_head() {
        let all = [HEAD, b"\x81\x05Hello"].concat();
        for cut in 0..=all.len() {
            let mut reader = HeadReader::new();
            let before = reader.push(&all[..cut]);
            assert_eq!(before == Progress::Incomplete, cut < HEAD.len(), "cut at {cut}");
            assert_eq!(reader.push(&all[cut..]), Progress::Complete { head: HEAD.len() });
            let (head, tail) = reader.into_parts();
            assert_eq!((head.as_slice(), tail.as_slice()), (HEAD, b"\x81\x05Hello".as_slice()));
        }
    }

    #[test]
    fn one_byte_at_a_time_is_enough() {
        let mut reader = HeadReader::new();
        let said: Vec<_> = HEAD.iter().map(|byte| reader.push(&[*byte])).collect();
        let complete = said.iter().position(|p| *p != Progress::Incomplete);
        assert_eq!(complete, Some(HEAD.len() - 1));
    }

    #[test]
    fn a_head_of_bare_line_feeds_is_not_waited_for() {
        let mut reader = HeadReader::new();
        assert_eq!(reader.push(b"GET / HTTP/1.1\nHost: a\n\n"), Progress::Complete { head: 24 });
    }

    #[test]
    fn what_is_no_http_is_not_waited_for() {
        let tls = b"\x16\x03\x01\x02\x00\x01\x00";
        assert_eq!(HeadReader::new().push(tls), Progress::NotHttp { at: 0 });
        assert_eq!(HeadReader::new().push(b"\x81\x85abcd"), Progress::NotHttp { at: 0 });
        assert_eq!(HeadReader::new().push(b"\r\nGET /\x00"), Progress::NotHttp { at: 7 });
        assert_eq!(HeadReader::new().push("HTTP/1.1 200 sch\u{f6}n".as_bytes()), Progress::Incomplete);
    }

    #[test]
    fn the_limits_name_what_was_too_large() {
        let mut reader = HeadReader::new();
        assert_eq!(reader.push(&[b'a'; MAX_HEAD_BYTES]), Progress::TooLarge(TooLarge::StartLine));
        assert_eq!(reader.push(b"\r\n\r\n"), Progress::TooLarge(TooLarge::StartLine));
        assert_eq!(reader.bytes().len(), MAX_HEAD_BYTES);

        let long = [b"GET / HTTP/1.1\r\nX: ".as_slice(), &[b'a'; MAX_HEAD_BYTES]].concat();
        assert_eq!(HeadReader::new().push(&long), Progress::TooLarge(TooLarge::Bytes));

        let many = |lines| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(lines));
        assert!(matches!(HeadReader::new().push(many(100).as_bytes()), Progress::Complete { .. }));
        assert_eq!(HeadReader::new().push(many(101).as_bytes()), Progress::TooLarge(TooLarge::Lines));
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(bytes in "[a\r\n]{0,40}", size in 1usize..8) {
            let whole = HeadReader::new().push(bytes.as_bytes());
            let mut reader = HeadReader::new();
            let mut last = Progress::Incomplete;
            for piece in bytes.as_bytes().chunks(size) {
                last = reader.push(piece);
            }
            prop_assert_eq!(last, whole);
        }
    }
}

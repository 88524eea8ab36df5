//! The content after a head: by its length, in chunks, or up to the end of the connection (RFC 9112 §6,
//! §7.1).

use super::super::budget::{Budget, Held};
use crate::wire::http::Headers;

/// Bytes of a content that are told.
const SHOWN: usize = 256;
/// The longest line that tells a chunk's size.
const SIZE_LINE: usize = 1024;

#[derive(Debug)]
pub(super) struct Content {
    pub(super) at: u64,
    pub(super) length: u64,
    pub(super) shown: Held,
    pub(super) kind: Kind,
    /// What it carries is told as layers.
    pub(super) above: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// So many bytes are left.
    Sized(u64),
    /// In a line that tells a size: the number so far, whether digits are over, and the bytes of the line.
    ChunkSize(u64, bool, usize),
    /// So many bytes of a chunk are left.
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd,
    /// The lines after the last chunk: bytes of the line under way.
    Trailer(usize),
    /// Up to the end of the connection.
    ToTheEnd,
}

/// How the end of a content is found; none if the head says nothing of it.
pub(super) fn length(headers: &Headers) -> Option<Kind> {
    if headers
        .list("Transfer-Encoding")
        .last()
        .is_some_and(|(coding, _)| coding.eq_ignore_ascii_case(b"chunked"))
    {
        return Some(Kind::ChunkSize(0, false, 0));
    }
    let (value, _) = headers.list("Content-Length").next()?;
    let digits =
        std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok().map(Kind::Sized)
}

impl Content {
    /// Takes what belongs to it. True at its end; none where its form is broken.
    ///
    /// What is content of it is handed over, with its place in what was given.
    pub(super) fn take(
        &mut self,
        rest: &mut &[u8],
        budget: &mut Budget,
        hand_over: &mut dyn FnMut(usize, &[u8], &mut Budget),
    ) -> Option<bool> {
        let all = rest.len();
        while let [byte, after @ ..] = *rest {
            match &mut self.kind {
                Kind::Sized(left) | Kind::Chunk(left) => {
                    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    *left -= count as u64;
                    let (left, sized) = (*left, matches!(self.kind, Kind::Sized(_)));
                    self.keep(&rest[..count], budget);
                    hand_over(all - rest.len(), &rest[..count], budget);
                    *rest = &rest[count..];
                    if left == 0 && sized {
                        return Some(true);
                    }
                    if left == 0 {
                        self.kind = Kind::ChunkEnd;
                    }
                    continue;
                }
                Kind::ToTheEnd => {
                    self.keep(rest, budget);
                    hand_over(all - rest.len(), rest, budget);
                    *rest = &[];
                    return Some(false);
                }
                Kind::ChunkSize(size, over, line) => {
                    *line += 1;
                    match (char::from(*byte).to_digit(16), *byte) {
                        (Some(digit), _) if !*over => {
                            *size = size.checked_mul(16)?.checked_add(digit.into())?
                        }
                        (_, b'\n') if *line > 1 => {
                            self.kind = if *size == 0 { Kind::Trailer(0) } else { Kind::Chunk(*size) };
                        }
                        _ if *line == 1 || *line > SIZE_LINE => return None,
                        _ => *over = true,
                    }
                }
                Kind::ChunkEnd => match byte {
                    b'\r' => {}
                    b'\n' => self.kind = Kind::ChunkSize(0, false, 0),
                    _ => return None,
                },
                Kind::Trailer(line) => match byte {
                    b'\r' => {}
                    b'\n' if *line == 0 => {
                        *rest = after;
                        return Some(true);
                    }
                    b'\n' => *line = 0,
                    _ => *line += 1,
                },
            }
            *rest = after;
        }
        Some(false)
    }

    /// How many bytes it was to have, if the head said so.
    pub(super) fn needed(&self) -> Option<u64> {
        match self.kind {
            Kind::Sized(left) => Some(self.length.saturating_add(left)),
            _ => None,
        }
    }

    /// True if the end of the connection is its end.
    pub(super) fn may_end_here(&self) -> bool {
        matches!(self.kind, Kind::ToTheEnd)
    }

    fn keep(&mut self, bytes: &[u8], budget: &mut Budget) {
        self.length += bytes.len() as u64;
        let room = SHOWN.saturating_sub(self.shown.len()).min(bytes.len());
        if room > 0 {
            // Without room less is shown.
            self.shown.add(&bytes[..room], budget);
        }
    }
}

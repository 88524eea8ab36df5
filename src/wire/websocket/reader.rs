//! Finds frames in bytes that arrive in pieces: their headers and the pieces of their payloads.
//!
//! Only a split header is copied and kept, so memory stays the same whatever length a frame claims. No rule
//! is checked.

use super::Header;

/// The longest header, in bytes.
const LONGEST: usize = 14;

/// Finds the frames of one direction. The stream begins with a frame.
#[derive(Debug, Clone, Default)]
pub struct FrameReader {
    /// Bytes consumed, from the start of the stream.
    at: u64,
    /// The current frame: its header, its offset, and the bytes of its payload consumed.
    frame: Option<(Header, u64, u64)>,
    /// A header that was split.
    head: [u8; LONGEST],
    /// Bytes of it so far.
    had: usize,
}

/// A piece of a frame: the whole frame if the input has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The header of its frame.
    pub header: Header,
    /// Where the frame begins, in bytes from the start of the stream.
    pub offset: u64,
    /// Where this piece begins in the payload.
    pub index: u64,
    /// Bytes of the payload as received: masked if the header has a key. Empty for a frame without payload,
    /// and where only the header has arrived.
    pub bytes: &'a [u8],
    /// True for the first piece of a frame.
    pub first: bool,
    /// True for the last piece of a frame.
    pub last: bool,
}

impl FrameReader {
    /// Returns a reader at the start of its input.
    pub fn new() -> Self {
        FrameReader::default()
    }

    /// Returns a reader that counts from `offset`, where the first frame begins.
    pub(crate) fn at_offset(offset: u64) -> Self {
        FrameReader { at: offset, ..FrameReader::default() }
    }

    /// Removes the next piece from the front of `rest`. Returns `None` once all of it is consumed without a
    /// further piece.
    pub fn next<'a>(&mut self, rest: &mut &'a [u8]) -> Option<Piece<'a>> {
        if rest.is_empty() {
            return None;
        }
        let (header, offset, index) = match self.frame {
            Some(frame) => frame,
            None => {
                let (header, offset) = self.header(rest)?;
                (header, offset, 0)
            }
        };
        // The whole frame, in the usual case.
        let missing = usize::try_from(header.length - index).unwrap_or(usize::MAX);
        let (bytes, after) = rest.split_at(missing.min(rest.len()));
        *rest = after;
        self.at += bytes.len() as u64;
        let done = index + bytes.len() as u64;
        let (first, last) = (self.frame.is_none(), done == header.length);
        self.frame = if last { None } else { Some((header, offset, done)) };
        Some(Piece { header, offset, index, bytes, first, last })
    }

    /// The frame whose end has not come: where it begins, bytes of its payload so far (of the frame, where
    /// the header is not whole), and how many it claims.
    pub fn unfinished(&self) -> Option<(u64, u64, Option<u64>)> {
        match self.frame {
            Some((header, offset, done)) => Some((offset, done, Some(header.length))),
            None if self.had > 0 => Some((self.at - self.had as u64, self.had as u64, None)),
            None => None,
        }
    }

    /// Skips `length` missing bytes. Returns true if the frames after them can still be found: all of them
    /// were payload of the current frame. The piece then says whether that frame ends with them.
    pub fn skip(&mut self, length: u64) -> Option<Piece<'static>> {
        let (header, offset, index) = self.frame?;
        let done = index.checked_add(length).filter(|done| *done <= header.length)?;
        self.at = self.at.saturating_add(length);
        let last = done == header.length;
        self.frame = if last { None } else { Some((header, offset, done)) };
        Some(Piece { header, offset, index: done, bytes: &[], first: false, last })
    }

    /// The byte that comes next, from the start of the stream.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// True if the bytes so far end with a frame.
    pub fn is_between_frames(&self) -> bool {
        self.frame.is_none() && self.had == 0
    }

    /// Returns the header at the front of `rest` and the offset of its frame. `None` if it is incomplete; its
    /// bytes are kept.
    fn header(&mut self, rest: &mut &[u8]) -> Option<(Header, u64)> {
        if self.had == 0
            && let Ok(header) = Header::parse(rest)
        {
            let offset = self.at;
            self.at += header.size() as u64;
            *rest = &rest[header.size()..];
            return Some((header, offset));
        }
        while let Some((byte, after)) = rest.split_first() {
            self.head[self.had] = *byte;
            self.had += 1;
            self.at += 1;
            *rest = after;
            if let Ok(header) = Header::parse(&self.head[..self.had]) {
                self.had = 0;
                return Some((header, self.at - header.size() as u64));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::websocket::{Frame, opcode, unmask_onto};

    /// All frames of `pieces`: offset, header, payload.
    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<(u64, Header, Vec<u8>)> {
        let mut reader = FrameReader::new();
        let mut frames: Vec<(u64, Header, Vec<u8>)> = Vec::new();
        for mut rest in pieces {
            while let Some(piece) = reader.next(&mut rest) {
                if piece.first {
                    frames.push((piece.offset, piece.header, Vec::new()));
                }
                let payload = &mut frames.last_mut().unwrap().2;
                unmask_onto(payload, piece.bytes, piece.header.key, piece.index);
            }
        }
        frames
    }

    fn frames() -> impl Strategy<Value = Vec<Frame>> {
        let frame = (0u8..16, proptest::collection::vec(any::<u8>(), 0..300), any::<Option<[u8; 4]>>());
        let frame = frame.prop_map(|(opcode, payload, key)| {
            let frame = Frame::new(opcode, payload);
            if let Some(key) = key { frame.masked(key) } else { frame }
        });
        proptest::collection::vec(frame, 0..8)
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(frames in frames(), size in 1usize..400) {
            let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
            let whole = read([bytes.as_slice()]);
            prop_assert_eq!(&read(bytes.chunks(size)), &whole);
            prop_assert_eq!(whole.len(), frames.len());
            for (found, frame) in whole.iter().zip(&frames) {
                prop_assert_eq!((&found.1, &found.2), (&frame.header, &frame.payload));
            }
        }
    }

    #[test]
    fn a_frame_that_claims_everything_costs_nothing() {
        let bytes = Frame::new(opcode::BINARY, "abc").claiming(u64::MAX).encode();
        let mut reader = FrameReader::new();
        let mut rest = bytes.as_slice();
        let piece = reader.next(&mut rest).unwrap();
        assert_eq!((piece.bytes, piece.first, piece.last), (&b"abc"[..], true, false));
        assert_eq!(reader.next(&mut rest), None);
        assert!(reader.skip(u64::MAX).is_none());
        assert!(reader.skip(u64::MAX - 3).is_some_and(|piece| piece.last));
    }

    #[test]
    fn what_is_missing_inside_a_payload_is_passed() {
        let bytes = Frame::new(opcode::TEXT, "Hello").encode();
        let mut reader = FrameReader::new();
        assert!(reader.next(&mut &bytes[..4]).is_some_and(|piece| !piece.last));
        assert!(reader.skip(3).is_some_and(|piece| piece.last));
        assert!(reader.is_between_frames() && reader.at() == 7);
    }
}

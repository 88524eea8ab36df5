//! Bytes of a file, a piece at a time: what is asked for stands in one row in memory, and no more is kept.

use std::io::{self, Read};

use super::CaptureError;

/// What is read at a time, in bytes.
const READ: usize = 256 << 10;

/// A file, and the part of it that is in memory.
#[derive(Debug)]
pub(super) struct Source<R> {
    input: R,
    buffer: Vec<u8>,
    /// The next byte to be taken, in the buffer.
    start: usize,
    /// Where the bytes in the buffer end.
    end: usize,
    /// Bytes taken.
    at: u64,
}

impl<R: Read> Source<R> {
    pub(super) fn new(input: R) -> Self {
        Source { input, buffer: Vec::new(), start: 0, end: 0, at: 0 }
    }

    /// The next byte to be taken, from the start of the file.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The next `length` bytes, or as many as there are; they are not taken.
    pub(super) fn peek(&mut self, length: usize) -> io::Result<&[u8]> {
        self.fill(length)?;
        Ok(&self.buffer[self.start..self.end.min(self.start + length)])
    }

    /// The next `length` bytes as an array, taken. `None` if the file ends here; an error if it ends among
    /// them.
    pub(super) fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<Option<[u8; N]>, CaptureError> {
        let offset = self.at;
        let bytes = self.peek(N)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let Some(array) = bytes.first_chunk::<N>().copied() else {
            return Err(CaptureError::CutOff { offset, what });
        };
        self.start += N;
        self.at += N as u64;
        Ok(Some(array))
    }

    /// Takes `length` bytes, which [`Self::last`] then gives. The caller has seen to it that this is no mere
    /// claim.
    pub(super) fn take(&mut self, length: usize, what: &'static str) -> Result<&[u8], CaptureError> {
        let offset = self.at;
        self.fill(length)?;
        if self.end - self.start < length {
            return Err(CaptureError::CutOff { offset, what });
        }
        self.start += length;
        self.at += length as u64;
        Ok(&self.buffer[self.start - length..self.start])
    }

    /// The `length` bytes taken last.
    pub(super) fn last(&self, length: usize) -> &[u8] {
        &self.buffer[self.start - length..self.start]
    }

    /// Passes `length` bytes, however many that are, without keeping them.
    pub(super) fn skip(&mut self, mut length: u64, what: &'static str) -> Result<(), CaptureError> {
        let offset = self.at;
        while length > 0 {
            if self.start == self.end {
                self.fill(1)?;
                if self.start == self.end {
                    return Err(CaptureError::CutOff { offset, what });
                }
            }
            let here = usize::try_from(length).unwrap_or(usize::MAX).min(self.end - self.start);
            self.start += here;
            self.at += here as u64;
            length -= here as u64;
        }
        Ok(())
    }

    /// Reads until `length` bytes are there, or the file ends.
    fn fill(&mut self, length: usize) -> io::Result<()> {
        if self.end - self.start >= length {
            return Ok(());
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let room = length.max(READ);
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        while self.end < length {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

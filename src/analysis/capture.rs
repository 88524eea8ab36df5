//! Which packets are in a file? pcap and pcapng, read as they come, in constant memory.
//!
//! Sources: the pcap format (draft-ietf-opsawg-pcap), the pcapng format (draft-ietf-opsawg-pcapng). Numbers
//! in a file are in the byte order of the machine that wrote it; its first bytes say which that was. Times
//! come out as nanoseconds since 1970.

use std::io::{self, Read};

use thiserror::Error;

mod link;
mod pcap;
mod pcapng;
mod source;

pub use link::{Link, Network, NotTakenApart};

use source::Source;

/// The longest packet that is taken, in bytes: no network card sends longer ones.
pub const LONGEST: usize = 1 << 20;

/// A packet as it was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its place in the file, from 1.
    pub number: u64,
    /// When, in nanoseconds since 1970; `None` if the file doesn't say.
    pub time: Option<u64>,
    /// What the bytes begin with.
    pub link: Link,
    /// How long it was on the wire, in bytes. More than there are bytes if it was cut at a snapshot length.
    pub original: u64,
    /// The bytes.
    pub bytes: &'a [u8],
}

impl Packet<'_> {
    /// True if not all of it was recorded.
    pub fn is_truncated(&self) -> bool {
        self.original > self.bytes.len() as u64
    }
}

/// Why a file can't be read, or not any further.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// It begins with no magic number of pcap or pcapng.
    #[error("no capture: needed the magic number of pcap or pcapng at byte 0, had {0}")]
    NotACapture(String),
    /// It ends inside something.
    #[error("byte {offset}: the file ends inside {what}")]
    CutOff {
        /// Where that begins, in bytes from the start of the file.
        offset: u64,
        /// What it is.
        what: &'static str,
    },
    /// A number in it can't be.
    #[error("byte {offset}: {field}: needed {needed}, had {had}")]
    Impossible {
        /// Where it stands, in bytes from the start of the file.
        offset: u64,
        /// The field, as its format names it.
        field: &'static str,
        /// What the format allows there.
        needed: &'static str,
        /// What was there.
        had: u64,
    },
    /// The system could not read it.
    #[error("can't read the capture: {0}")]
    Io(#[from] io::Error),
}

/// A file of packets that is being read.
#[derive(Debug)]
pub struct Capture<R> {
    source: Source<R>,
    format: Format,
    number: u64,
}

#[derive(Debug)]
enum Format {
    Pcap(pcap::File),
    Pcapng(pcapng::File),
}

/// What a format finds: where the bytes are is left to the source.
struct Found {
    time: Option<u64>,
    link: Link,
    original: u64,
    length: usize,
}

/// True if a file that begins so is a capture.
pub fn is_capture(beginning: &[u8]) -> bool {
    beginning
        .first_chunk()
        .is_some_and(|magic| pcap::Layout::of(*magic).is_some() || *magic == pcapng::SECTION)
}

impl<R: Read> Capture<R> {
    /// Reads the header of the file.
    ///
    /// # Errors
    ///
    /// [`CaptureError`]; of a file that is no capture nothing more than its first bytes is read.
    pub fn open(input: R) -> Result<Self, CaptureError> {
        let mut source = Source::new(input);
        let magic = source.peek(4)?;
        let Some(magic) = magic.first_chunk::<4>().copied() else {
            let had =
                if magic.is_empty() { "an empty file".into() } else { crate::wire::text::hex(magic, 4) };
            return Err(CaptureError::NotACapture(had));
        };
        let format = match pcap::Layout::of(magic) {
            Some(layout) => Format::Pcap(pcap::File::open(layout, &mut source)?),
            None if magic == pcapng::SECTION => Format::Pcapng(pcapng::File::default()),
            None => return Err(CaptureError::NotACapture(crate::wire::text::hex(&magic, 4))),
        };
        Ok(Capture { source, format, number: 0 })
    }

    /// The next packet; `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// [`CaptureError`]. After one there is nothing more to be had: where the next packet begins is not
    /// known.
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, CaptureError> {
        let found = match &mut self.format {
            Format::Pcap(file) => file.next(&mut self.source)?,
            Format::Pcapng(file) => file.next(&mut self.source)?,
        };
        let Some(Found { time, link, original, length }) = found else { return Ok(None) };
        self.number += 1;
        let bytes = self.source.last(length);
        Ok(Some(Packet { number: self.number, time, link, original, bytes }))
    }
}

#[cfg(test)]
pub(crate) mod tests;

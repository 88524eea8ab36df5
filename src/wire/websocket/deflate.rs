//! permessage-deflate (RFC 7692): the negotiated parameters, and decompression. `pack` compresses.
//!
//! A message with RSV1 on its first frame is DEFLATE (RFC 1951) without the tail `00 00 ff ff` of a sync
//! flush, which the receiver appends (§7.2.2). Unless negotiated otherwise, a message may refer to the
//! messages before it in its direction, within the window. Between two messages the compressor is always
//! between two blocks, so all that has to be kept for a direction is the end of its uncompressed data.

use miniz_oxide::inflate::{
    TINFLStatus,
    core::{
        DecompressorOxide, decompress,
        inflate_flags::{TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF},
    },
};
use thiserror::Error;

use crate::wire::http::{Headers, elements};

mod pack;

pub(crate) use pack::Deflater;

/// Its registered name.
pub const NAME: &str = "permessage-deflate";

/// The end of a sync flush (§7.2.2) and an empty last block, which can only be read where a block may begin.
/// So it proves that the message ended with one.
const TAIL: [u8; 9] = [0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff];

/// Growth of the output buffer, in bytes.
const STEP: usize = 8 << 10;

/// The negotiated parameters of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Direction {
    /// True if no message refers to those before it (no_context_takeover).
    pub no_context_takeover: bool,
    /// The base-2 logarithm of the window: 8 to 15.
    pub window_bits: u8,
}

impl Default for Direction {
    fn default() -> Self {
        Direction { no_context_takeover: false, window_bits: 15 }
    }
}

/// The negotiated parameters (§7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Agreed {
    /// Those of the client's messages.
    pub client: Direction,
    /// Those of the server's messages.
    pub server: Direction,
}

impl Agreed {
    /// Parses the head of the response. Returns `None` if it does not name the extension, or has unknown
    /// parameters.
    pub(crate) fn from_answer(headers: &Headers) -> Option<Self> {
        headers
            .all("Sec-WebSocket-Extensions")
            .flat_map(|line| elements(&line.value))
            .find_map(|(item, _)| of(item))
    }
}

fn of(item: &[u8]) -> Option<Agreed> {
    let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    if !parts.next()?.eq_ignore_ascii_case(NAME.as_bytes()) {
        return None;
    }
    let mut agreed = Agreed::default();
    for part in parts {
        let (name, value) = match part.iter().position(|byte| *byte == b'=') {
            Some(at) => (part[..at].trim_ascii(), Some(part[at + 1..].trim_ascii())),
            None => (part, None),
        };
        match (name.to_ascii_lowercase().as_slice(), value) {
            (b"server_no_context_takeover", None) => agreed.server.no_context_takeover = true,
            (b"client_no_context_takeover", None) => agreed.client.no_context_takeover = true,
            (b"server_max_window_bits", Some(value)) => agreed.server.window_bits = bits(value)?,
            (b"client_max_window_bits", Some(value)) => agreed.client.window_bits = bits(value)?,
            _ => return None,
        }
    }
    Some(agreed)
}

/// 8 to 15, without leading zeros, maybe in quotation marks (§7.1.2).
fn bits(value: &[u8]) -> Option<u8> {
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    match value {
        [digit @ b'8'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

/// Why a message could not be inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum InflateError {
    /// The bytes are no DEFLATE, or refer to data before the window or before the known history.
    #[error("compressed byte {at}: needed DEFLATE that refers to nothing before its window (RFC 7692 §6.2)")]
    Broken {
        /// Approximate offset in the compressed payload, in bytes.
        at: usize,
    },
    /// The message does not end with a block: it is incomplete.
    #[error("compressed message: ends inside a block (RFC 7692 §7.2.1)")]
    CutOff,
}

/// A decompressor for all connections: it keeps only its buffer from one message to the next.
#[derive(Default)]
pub(crate) struct Inflater {
    machine: Box<DecompressorOxide>,
    room: Vec<u8>,
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater").finish_non_exhaustive()
    }
}

/// A decompressed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inflated<'a> {
    /// Its bytes, no more than the limit.
    pub bytes: &'a [u8],
    /// True if it exceeds the limit, by an unknown amount.
    pub cut: bool,
}

impl Inflater {
    /// Returns a new decompressor.
    pub fn new() -> Self {
        Inflater::default()
    }

    /// Decompresses the whole payload of a message. `history` is the data of its direction that it may refer
    /// to; afterwards the message is part of it. Returns at most `limit` bytes, whatever the payload expands
    /// to.
    ///
    /// # Errors
    ///
    /// [`InflateError`]. After an error or a cut message the history is useless and becomes empty.
    pub(crate) fn inflate(
        &mut self,
        payload: &[u8],
        history: &mut Vec<u8>,
        agreed: Direction,
        limit: usize,
    ) -> Result<Inflated<'_>, InflateError> {
        let window = 1 << agreed.window_bits.clamp(8, 15);
        let known = &history[history.len().saturating_sub(window)..];
        self.room.clear();
        self.room.extend_from_slice(known);
        let start = self.room.len();
        let outcome = self.run(payload, start, limit);
        history.clear();
        let cut = outcome?;
        if !cut && !agreed.no_context_takeover {
            history.extend_from_slice(&self.room[self.room.len().saturating_sub(window)..]);
        }
        Ok(Inflated { bytes: &self.room[start..], cut })
    }

    /// True if the limit was reached.
    fn run(&mut self, payload: &[u8], start: usize, limit: usize) -> Result<bool, InflateError> {
        self.machine.init();
        let (mut at, mut written) = (0, start);
        let whole = payload.len() + TAIL.len();
        // With a buffer that does not wrap, a reference to before the history is an error.
        let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        loop {
            let (input, more) = if at < payload.len() {
                (&payload[at..], TINFL_FLAG_HAS_MORE_INPUT)
            } else {
                (&TAIL[at - payload.len()..], 0)
            };
            let end = (written + STEP).min(start.saturating_add(limit)).max(written);
            if self.room.len() < end {
                // Twice as much each time, so that a long message is not copied often.
                let end = (written * 2 - start).max(end).min(start.saturating_add(limit)).max(end);
                self.room.resize(end, 0);
            }
            let (status, taken, made) =
                decompress(&mut self.machine, input, &mut self.room, written, flags | more);
            at += taken;
            written += made;
            match status {
                TINFLStatus::Done if at == whole => {
                    self.room.truncate(written);
                    return Ok(false);
                }
                // A last block in the middle of a message: the next one begins at the next byte (§7.2.3.4).
                TINFLStatus::Done => self.machine.init(),
                TINFLStatus::NeedsMoreInput if at < whole => {}
                TINFLStatus::HasMoreOutput if written - start >= limit => {
                    self.room.truncate(written);
                    return Ok(true);
                }
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => {
                    return Err(InflateError::CutOff);
                }
                _ if at >= payload.len() => return Err(InflateError::CutOff),
                _ => return Err(InflateError::Broken { at }),
            }
        }
    }
}

#[cfg(test)]
mod tests;

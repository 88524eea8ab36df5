//! permessage-deflate: what was agreed on, and messages inflated; and, in `pack`, compressed (RFC 7692).
//!
//! A message with RSV1 on its first frame is DEFLATE (RFC 1951) without the tail `00 00 ff ff` of a sync flush, which the
//! receiver adds again (§7.2.2). Unless it was agreed otherwise, a message may refer back to the messages before it in its
//! direction, as far as the window goes. Between two messages the compressor is always between two blocks: so all that has to be
//! kept for a direction is what it has said last, and no more than it has said.

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

/// The name that is registered for it.
pub const NAME: &str = "permessage-deflate";

/// What the sync flush ended with (§7.2.2), and an empty last block: that can only be read where a block may begin, so it proves
/// that the message ended with one.
const TAIL: [u8; 9] = [0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff];

/// Room that is added at a time, in bytes.
const STEP: usize = 8 << 10;

/// What was agreed on for one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Direction {
    /// Each message stands for itself.
    pub no_context_takeover: bool,
    /// The base-2 logarithm of the window: 8 to 15.
    pub window_bits: u8,
}

impl Default for Direction {
    fn default() -> Self {
        Direction { no_context_takeover: false, window_bits: 15 }
    }
}

/// What a server's answer agreed on (§7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Agreed {
    /// For what the client sends.
    pub client: Direction,
    /// For what the server sends.
    pub server: Direction,
}

impl Agreed {
    /// Reads it from the head of the answer. `None` if it does not name the extension, or with parameters that it doesn't have.
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
    /// The bytes are no DEFLATE, or refer to something before the window or before what is known.
    #[error("compressed byte {at}: needed DEFLATE that refers to nothing before its window (RFC 7692 §6.2)")]
    Broken {
        /// About where in the compressed payload, in bytes.
        at: usize,
    },
    /// The message doesn't end with a block: it is not whole.
    #[error("compressed message: ends inside a block (RFC 7692 §7.2.1)")]
    CutOff,
}

/// The machine, to be shared by all connections: it keeps nothing from one message to the next but room.
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

/// A message that was inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inflated<'a> {
    /// Its bytes, no more than the limit.
    pub bytes: &'a [u8],
    /// It goes on beyond the limit: how far is not known.
    pub cut: bool,
}

impl Inflater {
    /// With nothing in it.
    pub fn new() -> Self {
        Inflater::default()
    }

    /// Inflates the whole payload of a message. `history` is what its direction has said before, as far as it may be referred to;
    /// afterwards the message is part of it. At most `limit` bytes come out, whatever the payload would become.
    ///
    /// # Errors
    ///
    /// [`InflateError`]; then, and where the message is cut, the history is of no more use and becomes empty.
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
        // A buffer that does not wrap makes the machine refuse what lies before the history.
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

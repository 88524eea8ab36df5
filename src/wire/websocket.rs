//! WebSocket frames, parsed and encoded (RFC 6455 §5).
//!
//! ```text
//! byte 0: FIN RSV1 RSV2 RSV3 opcode(4)    byte 1: MASK length(7)
//! length 0 to 125: that is it | 126: the next 2 bytes are it | 127: the next 8 bytes are it
//! MASK 1: 4 bytes of key, then payload[i] ^ key[i % 4]; MASK 0: the payload
//! ```
//!
//! All numbers are big-endian. The parser checks no rule: a frame that breaks every rule is still a frame,
//! and lessons send such frames on purpose. The judge is `websocket::judge`.

use thiserror::Error;

pub mod deflate;
mod fields;
mod plausible;
mod reader;
pub mod rules;
mod tables;

pub use fields::fields;
pub(crate) use plausible::plausible;
pub use reader::FrameReader;
pub(crate) use reader::Piece;
pub(crate) use tables::{CLOSE_CODES, OPCODES, opcode_entry};
pub use tables::{CloseCode, Opcode, close_code};

/// The opcodes that are defined (RFC 6455 §5.2).
pub mod opcode {
    /// A further fragment of a message.
    pub const CONTINUATION: u8 = 0x0;
    /// A text message, or its first fragment.
    pub const TEXT: u8 = 0x1;
    /// A binary message, or its first fragment.
    pub const BINARY: u8 = 0x2;
    /// Close.
    pub const CLOSE: u8 = 0x8;
    /// Ping.
    pub const PING: u8 = 0x9;
    /// Pong.
    pub(crate) const PONG: u8 = 0xa;
}

/// Longest payload of a control frame, in bytes (RFC 6455 §5.5), and the largest length in the 7-bit form.
pub(crate) const SHORT_MAX: u64 = 125;

/// Longest reason of a Close frame, in bytes: 125 less the two of the code.
pub(crate) const REASON_MAX: usize = 123;

/// How the length is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LengthForm {
    /// In 7 bits.
    Seven,
    /// As 126 and 2 bytes.
    Sixteen,
    /// As 127 and 8 bytes.
    SixtyFour,
}

impl LengthForm {
    /// Returns the shortest form for a length, which a sender must use (RFC 6455 §5.2).
    pub(crate) fn minimal(length: u64) -> Self {
        match length {
            0..=SHORT_MAX => LengthForm::Seven,
            126..=0xffff => LengthForm::Sixteen,
            _ => LengthForm::SixtyFour,
        }
    }

    /// Returns the bytes that it adds to the two that every header has.
    pub(crate) fn extra_bytes(self) -> usize {
        match self {
            LengthForm::Seven => 0,
            LengthForm::Sixteen => 2,
            LengthForm::SixtyFour => 8,
        }
    }
}

/// A frame header (RFC 6455 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The last frame of its message.
    pub fin: bool,
    /// Reserved for extensions.
    pub rsv1: bool,
    /// Reserved for extensions.
    pub rsv2: bool,
    /// Reserved for extensions.
    pub rsv3: bool,
    /// 0x0 to 0xF, see [`OPCODES`].
    pub opcode: u8,
    /// The masking key, if MASK is set.
    pub key: Option<[u8; 4]>,
    /// Length of the payload in bytes, as claimed. All 64 bits are kept, also the top bit that must be 0.
    pub length: u64,
    /// How the length was written.
    pub form: LengthForm,
}

/// The bytes end before the header does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("frame header: needed {needed} bytes, had {had} (RFC 6455 §5.2)")]
pub struct Incomplete {
    /// Bytes of the whole header, as far as its beginning tells: 2 to 14.
    pub needed: usize,
    /// Bytes of the input.
    pub had: usize,
}

impl Header {
    /// Returns the header of a final frame: no reserved bit, no mask, the minimal length form.
    pub fn new(opcode: u8, length: u64) -> Self {
        let form = LengthForm::minimal(length);
        Header { fin: true, rsv1: false, rsv2: false, rsv3: false, opcode, key: None, length, form }
    }

    /// Parses the header at the start of `bytes`.
    ///
    /// # Errors
    ///
    /// [`Incomplete`] if `bytes` ends before the header does. Nothing else is an error.
    pub fn parse(bytes: &[u8]) -> Result<Self, Incomplete> {
        let had = bytes.len();
        let [first, second, rest @ ..] = bytes else {
            return Err(Incomplete { needed: 2, had });
        };
        let masked = second & 0x80 != 0;
        let (form, short) = match second & 0x7f {
            126 => (LengthForm::Sixteen, 0),
            127 => (LengthForm::SixtyFour, 0),
            short => (LengthForm::Seven, u64::from(short)),
        };
        let needed = 2 + form.extra_bytes() + if masked { 4 } else { 0 };
        let incomplete = Incomplete { needed, had };
        let (extra, rest) = rest.split_at_checked(form.extra_bytes()).ok_or(incomplete)?;
        let length = extra.iter().fold(short, |length, byte| length << 8 | u64::from(*byte));
        let key = match (masked, rest.first_chunk()) {
            (false, _) => None,
            (true, Some(key)) => Some(*key),
            (true, None) => return Err(incomplete),
        };
        Ok(Header {
            fin: first & 0x80 != 0,
            rsv1: first & 0x40 != 0,
            rsv2: first & 0x20 != 0,
            rsv3: first & 0x10 != 0,
            opcode: first & 0x0f,
            key,
            length,
            form,
        })
    }

    /// Encodes the header. A form too short for the length is replaced by the minimal one.
    pub fn encode(&self) -> Vec<u8> {
        let bit = |set: bool, value: u8| if set { value } else { 0 };
        let first = bit(self.fin, 0x80) | bit(self.rsv1, 0x40) | bit(self.rsv2, 0x20) | bit(self.rsv3, 0x10);
        let mask = bit(self.key.is_some(), 0x80);
        let [.., high, low] = self.length.to_be_bytes();
        let mut out = vec![first | self.opcode & 0x0f];
        match self.form.max(LengthForm::minimal(self.length)) {
            LengthForm::Seven => out.push(mask | low),
            LengthForm::Sixteen => out.extend([mask | 126, high, low]),
            LengthForm::SixtyFour => {
                out.push(mask | 127);
                out.extend(self.length.to_be_bytes());
            }
        }
        out.extend(self.key.iter().flatten());
        out
    }

    /// Bytes of the header: 2 to 14.
    pub fn size(&self) -> usize {
        2 + self.form.extra_bytes() + if self.key.is_some() { 4 } else { 0 }
    }

    /// True for opcodes 0x8 to 0xF (RFC 6455 §5.5).
    pub fn is_control(&self) -> bool {
        self.opcode & 0x8 != 0
    }

    /// True if the length could not have been written shorter.
    pub(crate) fn is_minimal(&self) -> bool {
        self.form == LengthForm::minimal(self.length)
    }
}

/// A frame to be sent: valid unless a method makes it wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The header as it will be written.
    pub header: Header,
    /// The payload, not masked.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Returns a final frame with any opcode and payload: no reserved bit, no mask, the minimal length form.
    pub fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        let payload = payload.into();
        Frame { header: Header::new(opcode, payload.len() as u64), payload }
    }

    /// Sets the masking key, which all frames of a client have (RFC 6455 §5.3). It should be fresh and
    /// random.
    pub fn masked(mut self, key: [u8; 4]) -> Self {
        self.header.key = Some(key);
        self
    }

    /// Clears FIN: more frames of this message follow.
    pub fn unfinished(mut self) -> Self {
        self.header.fin = false;
        self
    }

    /// Sets RSV1, RSV2 and RSV3. Wrong without an extension.
    pub fn with_rsv(mut self, rsv1: bool, rsv2: bool, rsv3: bool) -> Self {
        (self.header.rsv1, self.header.rsv2, self.header.rsv3) = (rsv1, rsv2, rsv3);
        self
    }

    /// Sets the length form. Wrong unless it is the minimal one; a form too short is replaced.
    pub fn with_form(mut self, form: LengthForm) -> Self {
        self.header.form = form.max(LengthForm::minimal(self.header.length));
        self
    }

    /// Sets the length of the header. Wrong unless it is the payload's.
    pub fn claiming(mut self, length: u64) -> Self {
        self.header.length = length;
        self.header.form = self.header.form.max(LengthForm::minimal(length));
        self
    }

    /// Returns the bytes for the wire, masked if there is a key.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.header.encode();
        let start = out.len();
        out.extend_from_slice(&self.payload);
        if let Some(key) = self.header.key {
            mask(&mut out[start..], key);
        }
        out
    }
}

/// Masks or unmasks a payload in place; both are the same operation (RFC 6455 §5.3).
pub fn mask(payload: &mut [u8], key: [u8; 4]) {
    // Eight bytes at a time, with the key written twice: an eighth of the steps. Eight is a multiple of the
    // key's four, so every chunk begins with the key's first byte.
    let twice = u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]]);
    let (chunks, rest) = payload.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ twice).to_ne_bytes();
    }
    for (index, byte) in rest.iter_mut().enumerate() {
        *byte ^= key[index % 4];
    }
}

/// Masks or unmasks a piece of a payload that begins at `index` in it.
///
/// The key starts over with each frame, not with each piece that arrives.
pub(crate) fn mask_from(piece: &mut [u8], mut key: [u8; 4], index: u64) {
    // Two bits of the index are the place in the key.
    key.rotate_left((index % 4) as usize);
    mask(piece, key);
}

/// Appends `masked` to `out`, unmasked, in one pass. `index` is the offset of the piece in its payload.
pub fn unmask_onto(out: &mut Vec<u8>, masked: &[u8], key: Option<[u8; 4]>, index: u64) {
    let start = out.len();
    out.extend_from_slice(masked);
    if let Some(key) = key {
        mask_from(&mut out[start..], key, index);
    }
}

/// Why the body of a Close frame is not one (RFC 6455 §5.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum CloseError {
    /// A body of one byte.
    #[error("close body at byte 0: needed 0 bytes or at least 2, had 1 (RFC 6455 §5.5.1)")]
    OneByte,
    /// The reason is not UTF-8.
    #[error("close reason at byte {0} of the body: needed UTF-8 (RFC 6455 §5.5.1)")]
    Reason(usize),
}

/// Parses the body of a Close frame: code and reason, or `None` if it is empty.
///
/// The code is not checked; see [`close_code`].
///
/// # Errors
///
/// [`CloseError::OneByte`] and [`CloseError::Reason`].
pub(crate) fn parse_close(body: &[u8]) -> Result<Option<(u16, &str)>, CloseError> {
    match body {
        [] => Ok(None),
        [_] => Err(CloseError::OneByte),
        [high, low, reason @ ..] => match std::str::from_utf8(reason) {
            Ok(reason) => Ok(Some((u16::from_be_bytes([*high, *low]), reason))),
            Err(error) => Err(CloseError::Reason(2 + error.valid_up_to())),
        },
    }
}

#[cfg(test)]
mod tests;

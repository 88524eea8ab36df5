//! Do the frames of one side follow the rules? A strict checker of a stream of frames (RFC 6455 §5, §7,
//! §8.1).
//!
//! It takes bytes in pieces of any size; the results do not depend on the pieces. It never holds more than
//! the limits allow: memory grows with the bytes received, not with the length that a header announces. After
//! a violation it stops, as an endpoint must (§7.1.7); after a Close it ignores what follows (§5.5.1).

use crate::event::{Host, Message};
use crate::wire::utf8;
use crate::wire::websocket::rules;
use crate::wire::websocket::{CloseError, Header, close_code, mask_from, opcode, opcode_entry, parse_close};

pub(crate) use crate::wire::websocket::rules::{Level, RULES, Rule};

/// The side that receives the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The server: frames come from a client, so they must be masked.
    Server,
    /// The client: frames come from a server, so they must not be masked.
    Client,
}

/// Size limits in bytes. A frame or message beyond them is answered with 1009 (§10.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest payload of one frame.
    pub frame: u64,
    /// The longest message, all its frames together.
    pub message: u64,
}

impl Default for Limits {
    /// Returns 1 MiB for both, which is more than any lesson sends.
    fn default() -> Self {
        Limits { frame: 1 << 20, message: 1 << 20 }
    }
}

/// The kind of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A message of UTF-8 text.
    Text,
    /// A message of bytes.
    Binary,
    /// A Ping frame.
    Ping,
    /// A Pong frame.
    Pong,
    /// A Close frame; its payload is the body, see `parse_close`.
    Close,
}

impl Kind {
    /// Returns the name in the trace: `text`, `binary`, `ping`, `pong`, `close`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Binary => "binary",
            Kind::Ping => "ping",
            Kind::Pong => "pong",
            Kind::Close => "close",
        }
    }
}

/// A result of the judge, in the order of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A frame is complete. A message that it completes follows.
    Frame {
        /// Its header.
        header: Header,
        /// The offset of its first byte in the frame stream.
        offset: u64,
    },
    /// A message is complete, its fragments joined; or a control frame is.
    Message {
        /// The kind of the message.
        kind: Kind,
        /// The payload, unmasked.
        payload: Vec<u8>,
    },
    /// A rule was broken. No further result follows.
    Violation(Violation),
}

/// A broken rule, and the byte that breaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation {
    /// The rule, with its words, its section, its weight and the Close code that answers it.
    pub rule: &'static Rule,
    /// The offset of the byte that breaks it in the frame stream.
    pub offset: u64,
}

/// The judge of one direction of a connection. The stream begins after the head of the handshake.
#[derive(Debug, Clone)]
pub struct Judge {
    role: Role,
    limits: Limits,
    /// Bytes checked so far.
    at: u64,
    /// The offset of the current frame.
    frame_at: u64,
    /// The bytes of the current header: at most 14.
    head: Vec<u8>,
    /// The frame whose payload is being received, and how many of its bytes have been.
    frame: Option<(Header, u64)>,
    /// The current message: its kind and the payload so far.
    message: Option<(Kind, Vec<u8>)>,
    /// Checks the UTF-8 of the current text. Outside a text it is between characters.
    text: utf8::Check,
    /// The payload of the current control frame, which may stand between the fragments of a message.
    control: Vec<u8>,
    over: bool,
    ignored: u64,
}

impl Judge {
    /// Returns a judge with the default limits.
    pub fn new(role: Role) -> Self {
        Self::with_limits(role, Limits::default())
    }

    /// Returns a judge with the given limits.
    pub fn with_limits(role: Role, limits: Limits) -> Self {
        Judge {
            role,
            limits,
            at: 0,
            frame_at: 0,
            head: Vec::new(),
            frame: None,
            message: None,
            text: utf8::Check::new(),
            control: Vec::new(),
            over: false,
            ignored: 0,
        }
    }

    /// Takes the next bytes, and returns what they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Seen> {
        let mut seen = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() && !self.over {
            let taken = match self.frame {
                None => self.header_byte(rest[0]).map(|()| 1),
                Some((header, done)) => self.payload_piece(&header, done, rest),
            };
            let ended = taken.and_then(|taken| {
                rest = &rest[taken..];
                self.frame_end(&mut seen)
            });
            if let Err(violation) = ended {
                self.over = true;
                // What is left belongs to a connection that has failed.
                rest = &[];
                seen.push(Seen::Violation(violation));
            }
        }
        self.ignored += rest.len() as u64;
        seen
    }

    /// Returns true after a violation or a Close: no further result follows.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Returns true if the bytes so far end with a complete message, so that nothing is lost if the
    /// connection ends here.
    pub fn is_between_messages(&self) -> bool {
        self.over || self.head.is_empty() && self.frame.is_none() && self.message.is_none()
    }

    /// Returns the number of bytes after the Close, which were ignored.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Takes a byte of a header. Each field is checked as soon as it is complete.
    fn header_byte(&mut self, byte: u8) -> Result<(), Violation> {
        if self.head.is_empty() {
            self.frame_at = self.at;
        }
        self.head.push(byte);
        self.at += 1;
        match self.head.len() {
            1 => return self.judge_first(byte),
            2 => self.judge_second(byte)?,
            _ => {}
        }
        // The key stands behind the length: without the mask bit, the header is whole when its length is.
        let length_end = 2 + usize::from(extended(self.head[1]));
        if self.head.len() == length_end {
            let mut unmasked = self.head.clone();
            unmasked[1] &= 0x7f;
            if let Ok(header) = Header::parse(&unmasked) {
                self.judge_length(&header)?;
            }
        }
        if let Ok(header) = Header::parse(&self.head) {
            self.head.clear();
            self.begin(header);
        }
        Ok(())
    }

    /// Checks FIN, RSV and opcode, and whether such a frame is allowed here.
    fn judge_first(&self, byte: u8) -> Result<(), Violation> {
        let (fin, number) = (byte & 0x80 != 0, byte & 0x0f);
        if byte & 0x70 != 0 {
            return Err(self.broken(&rules::RESERVED_BITS, 0));
        }
        if !opcode_entry(number).may_be_sent {
            return Err(self.broken(&rules::RESERVED_OPCODE, 0));
        }
        let control = number & 0x8 != 0;
        if control && !fin {
            return Err(self.broken(&rules::FRAGMENTED_CONTROL, 0));
        }
        match (number, &self.message) {
            (opcode::CONTINUATION, None) => Err(self.broken(&rules::ORPHAN_CONTINUATION, 0)),
            (opcode::TEXT | opcode::BINARY, Some(_)) => Err(self.broken(&rules::INTERLEAVED, 0)),
            _ => Ok(()),
        }
    }

    /// Checks MASK, and the length as far as this byte holds it.
    fn judge_second(&self, byte: u8) -> Result<(), Violation> {
        match (self.role, byte & 0x80 != 0) {
            (Role::Server, false) => return Err(self.broken(&rules::NOT_MASKED, 1)),
            (Role::Client, true) => return Err(self.broken(&rules::MASKED, 1)),
            _ => {}
        }
        let control = self.head[0] & 0x8 != 0;
        if control && extended(byte) > 0 {
            return Err(self.broken(&rules::LONG_CONTROL, 1));
        }
        Ok(())
    }

    /// Checks the length before any byte of the payload is stored.
    fn judge_length(&self, header: &Header) -> Result<(), Violation> {
        if header.length >> 63 == 1 {
            return Err(self.broken(&rules::LENGTH_TOP_BIT, 2));
        }
        if !header.is_minimal() {
            return Err(self.broken(&rules::LENGTH_NOT_MINIMAL, 1));
        }
        let length_at = if extended(self.head[1]) == 0 { 1 } else { 2 };
        if header.length > self.limits.frame {
            return Err(self.broken(&rules::FRAME_TOO_BIG, length_at));
        }
        let begun = self.message.as_ref().map_or(0, |(_, payload)| payload.len() as u64);
        if !header.is_control() && begun + header.length > self.limits.message {
            return Err(self.broken(&rules::MESSAGE_TOO_BIG, length_at));
        }
        Ok(())
    }

    /// Begins the payload: the header is complete and valid.
    fn begin(&mut self, header: Header) {
        let kind = match header.opcode {
            opcode::TEXT => Some(Kind::Text),
            opcode::BINARY => Some(Kind::Binary),
            _ => None,
        };
        if let Some(kind) = kind {
            self.message = Some((kind, Vec::new()));
        }
        self.frame = Some((header, 0));
    }

    /// Takes the bytes of the payload that are available, and returns their number.
    fn payload_piece(&mut self, header: &Header, done: u64, bytes: &[u8]) -> Result<usize, Violation> {
        let missing = usize::try_from(header.length - done).unwrap_or(usize::MAX);
        let piece = &bytes[..missing.min(bytes.len())];
        let payload = match &mut self.message {
            Some((_, payload)) if !header.is_control() => payload,
            _ => &mut self.control,
        };
        let start = payload.len();
        payload.extend_from_slice(piece);
        if let Some(key) = header.key {
            mask_from(&mut payload[start..], key, done);
        }
        if let Some((Kind::Text, text)) = &self.message
            && !header.is_control()
            && let Err(index) = self.text.push(&text[start..])
        {
            return Err(Violation { rule: &rules::TEXT_NOT_UTF8, offset: self.at + index as u64 });
        }
        self.at += piece.len() as u64;
        self.frame = Some((*header, done + piece.len() as u64));
        Ok(piece.len())
    }

    /// Reports the frame and what it completes, if its last byte has been received.
    fn frame_end(&mut self, seen: &mut Vec<Seen>) -> Result<(), Violation> {
        let Some((header, _)) = self.frame.take_if(|(header, done)| *done == header.length) else {
            return Ok(());
        };
        seen.push(Seen::Frame { header, offset: self.frame_at });
        let kind = match header.opcode {
            opcode::PING => Kind::Ping,
            opcode::PONG => Kind::Pong,
            opcode::CLOSE => {
                self.judge_close(&header)?;
                self.over = true;
                Kind::Close
            }
            _ => {
                // A data frame: the message is whole with its last fragment.
                if let Some((kind, payload)) = self.message.take_if(|_| header.fin) {
                    if kind == Kind::Text && self.text.unfinished() > 0 {
                        let offset = self.at - self.text.unfinished() as u64;
                        return Err(Violation { rule: &rules::TEXT_CUT_OFF, offset });
                    }
                    seen.push(Seen::Message { kind, payload });
                }
                return Ok(());
            }
        };
        seen.push(Seen::Message { kind, payload: std::mem::take(&mut self.control) });
        Ok(())
    }

    /// Checks the body of a Close frame.
    fn judge_close(&self, header: &Header) -> Result<(), Violation> {
        let body_at = self.at - header.length;
        let broken = |rule, index: usize| Err(Violation { rule, offset: body_at + index as u64 });
        // The code stands first, so it is judged before the reason.
        if let [high, low, ..] = self.control[..] {
            let code = close_code(u16::from_be_bytes([high, low]));
            if code.must_not {
                return broken(&rules::CLOSE_CODE_LOCAL, 0);
            }
            if !code.may_be_sent {
                return broken(&rules::CLOSE_CODE_UNDEFINED, 0);
            }
        }
        match parse_close(&self.control) {
            Err(CloseError::OneByte) => broken(&rules::CLOSE_ONE_BYTE, 0),
            Err(CloseError::Reason(_)) => {
                // The check by hand knows the byte, not only the character.
                let mut check = utf8::Check::new();
                match check.push(&self.control[2..]) {
                    Err(index) => broken(&rules::REASON_NOT_UTF8, 2 + index),
                    Ok(()) => broken(&rules::REASON_NOT_UTF8, self.control.len() - check.unfinished()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Returns the violation of a rule by byte `index` of the current frame.
    fn broken(&self, rule: &'static Rule, index: u64) -> Violation {
        Violation { rule, offset: self.frame_at + index }
    }
}

impl Seen {
    /// Converts it to an event, received by `host` on `socket`. `None` for a frame, which is not a message.
    pub fn to_event(&self, host: Host, socket: &str) -> Option<Message> {
        let message = Message {
            host,
            socket: socket.into(),
            received: true,
            kind: String::new(),
            data: Vec::new(),
            code: None,
            rule: None,
            section: None,
            level: None,
            offset: None,
        };
        match self {
            Seen::Frame { .. } => None,
            Seen::Message { kind, payload } => {
                let code = match (kind, payload.as_slice()) {
                    (Kind::Close, [high, low, ..]) => Some(u16::from_be_bytes([*high, *low])),
                    _ => None,
                };
                // The code has a place of its own; what is left is the reason.
                let data = if code.is_some() { payload[2..].to_vec() } else { payload.clone() };
                Some(Message { kind: kind.name().into(), data, code, ..message })
            }
            Seen::Violation(Violation { rule, offset }) => Some(Message {
                kind: "violation".into(),
                code: Some(rule.close_code),
                rule: Some(rule.words.into()),
                section: Some(rule.section.into()),
                level: rule.level.map(|level| level.word().into()),
                offset: Some(*offset),
                ..message
            }),
        }
    }
}

/// Returns the number of length bytes that follow the second byte.
fn extended(second: u8) -> u8 {
    match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;

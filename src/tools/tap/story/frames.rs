//! The frames of one direction: unmasked, held against the rules of RFC 6455, and of each payload the beginning.
//!
//! Unlike `upgrade::judge`, which stops at the first violation as an endpoint has to, this looks on as long as the frames can be told
//! apart: both ends may take less to heart than the RFC.

use super::{super::End, Event};
use crate::wire::{
    utf8,
    websocket::{
        CloseError, Header, close_code, mask_from, opcode, opcode_entry, parse_close,
        rules::{self, Rule},
    },
};

/// So much of a payload is kept, in bytes; the payload of a control frame always.
const KEPT: usize = 512;

/// Payload is unmasked and checked in pieces of this size.
const PIECE: usize = 8 << 10;

/// A frame, when it is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its header.
    pub header: Header,
    /// The beginning of the payload, unmasked.
    pub payload: Vec<u8>,
    /// The payload is compressed (RSV1, RFC 7692 §6).
    pub compressed: bool,
}

/// One direction.
pub(super) struct Frames {
    from: End,
    /// permessage-deflate was agreed on.
    may_compress: bool,
    /// The header under way: at most 14 bytes.
    head: Vec<u8>,
    frame: Option<UnderWay>,
    message: Option<Message>,
}

/// A frame whose payload is coming.
struct UnderWay {
    header: Header,
    done: u64,
    payload: Vec<u8>,
}

/// A message of which a frame has begun.
struct Message {
    text: bool,
    compressed: bool,
    length: u64,
    frames: u64,
    /// The text so far; none where it can't be told: it is compressed, it was wrong already, or bytes of it are missing.
    check: Option<utf8::Check>,
}

impl Frames {
    pub fn new(from: End, may_compress: bool) -> Frames {
        Frames { from, may_compress, head: Vec::new(), frame: None, message: None }
    }

    /// Takes the next bytes.
    pub fn take(&mut self, bytes: &[u8], events: &mut Vec<Event>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = match &self.frame {
                Some(_) => self.payload(rest, events),
                None => self.header_byte(rest[0], events),
            };
            rest = &rest[taken..];
            // An empty payload is whole at once.
            if self.frame.as_ref().is_some_and(|frame| frame.done >= frame.header.length) {
                self.whole(events);
            }
        }
    }

    /// Leaves so many bytes out; false if they are not all of one payload.
    pub fn skip(&mut self, count: u64) -> bool {
        let Some(frame) = self.frame.as_mut().filter(|frame| frame.header.length - frame.done >= count)
        else {
            return false;
        };
        frame.done += count;
        if let (Some(message), false) = (&mut self.message, frame.header.is_control()) {
            message.length = message.length.saturating_add(count);
            message.check = None;
        }
        true
    }

    fn header_byte(&mut self, byte: u8, events: &mut Vec<Event>) -> usize {
        self.head.push(byte);
        if let Ok(header) = Header::parse(&self.head) {
            self.head.clear();
            self.judge(&header, events);
            self.begin(header);
        }
        1
    }

    /// All that a header can do wrong.
    fn judge(&self, header: &Header, events: &mut Vec<Event>) {
        let mut broken = |wrong: bool, rule: &Rule| {
            if wrong {
                events.push(because(rule));
            }
        };
        let (control, data) = (header.is_control(), matches!(header.opcode, opcode::TEXT | opcode::BINARY));
        let reserved = header.rsv2 || header.rsv3 || (header.rsv1 && !(self.may_compress && data));
        broken(reserved, &rules::RESERVED_BITS);
        broken(!opcode_entry(header.opcode).may_be_sent, &rules::RESERVED_OPCODE);
        broken(control && !header.fin, &rules::FRAGMENTED_CONTROL);
        broken(header.opcode == opcode::CONTINUATION && self.message.is_none(), &rules::ORPHAN_CONTINUATION);
        broken(data && self.message.is_some(), &rules::INTERLEAVED);
        broken(self.from == End::Client && header.key.is_none(), &rules::NOT_MASKED);
        broken(self.from == End::Server && header.key.is_some(), &rules::MASKED);
        broken(control && header.length > 125, &rules::LONG_CONTROL);
        broken(header.length >> 63 == 1, &rules::LENGTH_TOP_BIT);
        broken(!header.is_minimal(), &rules::LENGTH_NOT_MINIMAL);
    }

    fn begin(&mut self, header: Header) {
        if matches!(header.opcode, opcode::TEXT | opcode::BINARY) {
            let text = header.opcode == opcode::TEXT;
            let compressed = header.rsv1 && self.may_compress;
            let check = (text && !compressed).then(utf8::Check::new);
            self.message = Some(Message { text, compressed, length: 0, frames: 0, check });
        }
        if let (Some(message), false) = (&mut self.message, header.is_control()) {
            message.frames += 1;
        }
        self.frame = Some(UnderWay { header, done: 0, payload: Vec::new() });
    }

    /// As much of the payload as is here; gives how many bytes that was.
    fn payload(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> usize {
        let Some(frame) = &mut self.frame else { return 0 };
        let left = usize::try_from(frame.header.length - frame.done).unwrap_or(usize::MAX);
        let piece = &bytes[..bytes.len().min(left).min(PIECE)];
        let control = frame.header.is_control();
        let message = self.message.as_mut().filter(|_| !control);
        let kept = KEPT.saturating_sub(frame.payload.len()).min(piece.len());
        let checks = message.as_ref().is_some_and(|message| message.check.is_some());
        if kept > 0 || checks {
            let mut plain = piece[..if checks { piece.len() } else { kept }].to_vec();
            if let Some(key) = frame.header.key {
                mask_from(&mut plain, key, frame.done);
            }
            frame.payload.extend_from_slice(&plain[..kept]);
            if let Some(Message { check, .. }) = message
                && check.as_mut().is_some_and(|check| check.push(&plain).is_err())
            {
                *check = None;
                events.push(because(&rules::TEXT_NOT_UTF8));
            }
        }
        frame.done += piece.len() as u64;
        if let (Some(message), false) = (&mut self.message, control) {
            message.length = message.length.saturating_add(piece.len() as u64);
        }
        piece.len()
    }

    /// The frame is whole; perhaps its message is.
    fn whole(&mut self, events: &mut Vec<Event>) {
        let Some(UnderWay { header, payload, .. }) = self.frame.take() else { return };
        if header.opcode == opcode::CLOSE {
            close(&payload, events);
        }
        let control = header.is_control();
        let compressed = !control && self.message.as_ref().is_some_and(|message| message.compressed);
        events.push(Event::Frame(Frame { header, payload, compressed }));
        if control || !header.fin {
            return;
        }
        let Some(message) = self.message.take() else { return };
        if message.check.is_some_and(|check| check.unfinished() > 0) {
            events.push(because(&rules::TEXT_CUT_OFF));
        }
        if message.frames > 1 {
            let kind = if message.text { "text" } else { "binary" };
            events.push(Event::Message { kind, length: message.length, frames: message.frames });
        }
    }
}

/// What the body of a Close frame can do wrong.
fn close(body: &[u8], events: &mut Vec<Event>) {
    let rule = match parse_close(body) {
        Err(CloseError::OneByte) => &rules::CLOSE_ONE_BYTE,
        Err(_) => &rules::REASON_NOT_UTF8,
        Ok(Some((1005 | 1006 | 1015, _))) => &rules::CLOSE_CODE_LOCAL,
        Ok(Some((code, _))) if !close_code(code).may_be_sent => &rules::CLOSE_CODE_UNDEFINED,
        Ok(_) => return,
    };
    events.push(because(rule));
}

fn because(rule: &Rule) -> Event {
    Event::Broken { words: rule.words.to_owned(), section: rule.section }
}

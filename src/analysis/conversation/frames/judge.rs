//! What a frame breaks: its header, or the body of a Close (RFC 6455 §5, §7.4).

use super::super::event::Teller;
use super::{Compression, Frames};
use crate::event::{Host, StreamWhat, stream::Violation};
use crate::wire::utf8;
use crate::wire::websocket::{
    Header, close_code, opcode, opcode_entry,
    rules::{self, Rule},
};

impl Frames {
    /// What the header breaks, in the order of its bits.
    pub(super) fn judge(&mut self, from: Host, header: &Header, at: u64, teller: &mut Teller) {
        let mut broken = |index: u64, rule| violation(from, at + index, rule, teller);
        let first = matches!(header.opcode, opcode::TEXT | opcode::BINARY);
        match self.compression {
            Compression::None if header.rsv1 || header.rsv2 || header.rsv3 => {
                broken(0, &rules::RESERVED_BITS)
            }
            Compression::None => {}
            _ => {
                if header.rsv1 && !first {
                    broken(0, &rules::COMPRESSED_BIT);
                }
                if header.rsv2 || header.rsv3 {
                    broken(0, &rules::OTHER_RESERVED_BITS);
                }
            }
        }
        if !opcode_entry(header.opcode).may_be_sent {
            broken(0, &rules::RESERVED_OPCODE);
        }
        if header.is_control() {
            if !header.fin {
                broken(0, &rules::FRAGMENTED_CONTROL);
            }
        } else {
            match (header.opcode, &self.open) {
                (opcode::CONTINUATION, None) => broken(0, &rules::ORPHAN_CONTINUATION),
                (opcode::CONTINUATION, Some(_)) | (_, None) => {}
                (_, Some(_)) => broken(0, &rules::INTERLEAVED),
            }
            if self.closed {
                broken(0, &rules::DATA_AFTER_CLOSE);
            }
        }
        match (from, header.key) {
            (Host::Client, None) => broken(1, &rules::NOT_MASKED),
            (Host::Server, Some(_)) => broken(1, &rules::MASKED),
            _ => {}
        }
        if header.length >> 63 == 1 {
            broken(2, &rules::LENGTH_TOP_BIT);
        } else if header.is_control() && header.length > 125 {
            broken(1, &rules::LONG_CONTROL);
        } else if !header.is_minimal() {
            broken(1, &rules::LENGTH_NOT_MINIMAL);
        }
    }
}

/// The body of a Close frame, which begins at `at`.
pub(super) fn judge_close(from: Host, at: u64, body: &[u8], teller: &mut Teller) {
    match body {
        [] => {}
        [_] => violation(from, at, &rules::CLOSE_ONE_BYTE, teller),
        [high, low, reason @ ..] => {
            let code = close_code(u16::from_be_bytes([*high, *low]));
            if code.must_not {
                violation(from, at, &rules::CLOSE_CODE_LOCAL, teller);
            } else if !code.may_be_sent {
                violation(from, at, &rules::CLOSE_CODE_UNDEFINED, teller);
            }
            let mut check = utf8::Check::new();
            let index = match check.push(reason) {
                Err(index) => index,
                Ok(()) if check.unfinished() > 0 => reason.len() - check.unfinished(),
                Ok(()) => return,
            };
            violation(from, at + 2 + index as u64, &rules::REASON_NOT_UTF8, teller);
        }
    }
}

pub(super) fn violation(from: Host, offset: u64, rule: &'static Rule, teller: &mut Teller) {
    teller.tell(StreamWhat::Violation(Violation::of(rule, from, offset)));
}

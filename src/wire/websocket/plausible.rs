//! Whether bytes may be WebSocket frames, for conversations whose beginning was not captured.

use super::{Header, SHORT_MAX, opcode, unmask_onto};
use crate::wire::utf8;

/// The evidence for frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plausible {
    /// True if all are masked, as by a client; false if none is.
    pub masked: bool,
    /// Whole frames.
    pub frames: usize,
    /// The bytes end with a frame.
    pub exact: bool,
    /// True if at least four bytes of text are UTF-8, which is unlikely by chance.
    pub text: bool,
}

/// Number of frames examined. More would add no evidence.
const ENOUGH: usize = 16;
/// Bytes examined of a text.
const LOOKED_AT: usize = 256;

/// Returns the evidence that `bytes` begin with a frame. `None` if a rule of RFC 6455 §5 is broken.
///
/// RSV1 on a data frame is accepted, as the extension that uses it may have been negotiated before.
pub(crate) fn plausible(bytes: &[u8]) -> Option<Plausible> {
    let mut found = Plausible { masked: *bytes.get(1)? & 0x80 != 0, frames: 0, exact: false, text: false };
    let mut rest = bytes;
    while !rest.is_empty() && found.frames < ENOUGH {
        let known = matches!(rest[0] & 0xf, 0..=2 | 8..=10);
        let reserved = rest[0] & 0x30 != 0 || (rest[0] & 0x40 != 0 && !matches!(rest[0] & 0xf, 1 | 2));
        if !known || reserved {
            return None;
        }
        let Ok(header) = Header::parse(rest) else { return Some(found) };
        let control = header.is_control();
        if header.key.is_some() != found.masked
            || !header.is_minimal()
            || header.length >> 63 == 1
            || (control && (!header.fin || header.length > SHORT_MAX))
        {
            return None;
        }
        let payload = &rest[header.size()..];
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        if header.opcode == opcode::CLOSE && length == 1 {
            return None;
        }
        if header.opcode == opcode::TEXT && !header.rsv1 {
            let seen = &payload[..length.min(LOOKED_AT).min(payload.len())];
            let mut plain = Vec::with_capacity(seen.len());
            unmask_onto(&mut plain, seen, header.key, 0);
            if utf8::Check::new().push(&plain).is_err() {
                return None;
            }
            found.text |= plain.len() >= 4;
        }
        match payload.get(length..) {
            Some(after) => rest = after,
            None => return Some(found),
        }
        found.frames += 1;
    }
    found.exact = rest.is_empty();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::websocket::Frame;

    #[test]
    fn frames_speak_for_themselves() {
        let text = Frame::new(opcode::TEXT, "Hello").masked([1, 2, 3, 4]).encode();
        let found = plausible(&[text.clone(), text].concat()).unwrap();
        assert_eq!(found, Plausible { masked: true, frames: 2, exact: true, text: true });
        let cut = plausible(&[0x82, 0x7e, 0x01]).unwrap();
        assert_eq!((cut.frames, cut.exact), (0, false));
    }

    #[test]
    fn a_rule_speaks_against_them() {
        let not: [&[u8]; 7] = [
            b"GET / HTTP/1.1",
            b"\x16\x03\x01\x02\x00",
            &[0x81, 0x7e, 0, 1, b'a'],
            &[0x09, 0],
            &[0x81, 0x02, 0xff, 0xff],
            &[0x81, 0x00, 0x81, 0x80, 0, 0, 0, 0],
            &[0xa1, 0x00],
        ];
        for bytes in not {
            assert_eq!(plausible(bytes), None, "{bytes:x?}");
        }
        assert_eq!(plausible(&[0x81]), None);
    }
}

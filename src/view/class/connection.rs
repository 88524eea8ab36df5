//! What the log has to know of a connection that is there: little, and forgotten with it.

use super::handshake::Handshake;
use crate::event::Message;
use crate::view::line::Line;
use crate::wire::websocket::{Header, mask_from, opcode};

/// A connection that has not gone.
#[derive(Debug, Default)]
pub(super) struct Connection {
    /// Its descriptor, between accept and the line that says so.
    pub(super) fd: Option<i64>,
    /// True once it is a WebSocket.
    pub(super) open: bool,
    /// True once a Close has crossed, or the end of the stream was told: then that end is no news.
    pub(super) closing: bool,
    /// True once it was told why it will end: an error, a broken rule, a request that is no opening
    /// handshake.
    pub(super) explained: bool,
    /// The opening handshake under way.
    pub(super) handshake: Option<Box<Handshake>>,
    /// What the last recv brought.
    pub(super) raw: Raw,
    /// A message that is being sent: whether it was is known when the call returns.
    pub(super) sending: Option<Line>,
    /// What was sent on the way by a call that receives: the frame's kind, if it is one, and bytes.
    pub(super) answer: Option<(Option<&'static str>, usize)>,
    /// An error of the call under way has been told.
    pub(super) told_error: bool,
    /// Calls that have not returned.
    pub(super) calls: Vec<u64>,
}

/// Bytes of the wire that go into a line.
pub(super) const KEPT: usize = 32;

/// The beginning of what the last recv brought, since the last message.
#[derive(Debug, Default)]
pub(super) struct Raw {
    first: Vec<u8>,
    bytes: usize,
    calls: usize,
}

impl Raw {
    /// A recv brought this.
    pub(super) fn came(&mut self, data: &[u8]) {
        self.calls += 1;
        self.bytes = data.len();
        self.first.clear();
        self.first.extend_from_slice(&data[..data.len().min(KEPT)]);
    }

    /// The beginning of the bytes, if they are the frame of this message and nothing else; and how many they
    /// are.
    ///
    /// A recv may bring a piece of a frame, or several: then no bytes stand beside a message that are not its
    /// own.
    pub(super) fn frame_of(&self, message: &Message) -> Option<(&[u8], usize)> {
        if self.calls != 1 {
            return None;
        }
        let header = Header::parse(&self.first).ok()?;
        let mut payload = Vec::with_capacity(KEPT);
        if message.kind == "close" {
            payload.extend(message.code.iter().flat_map(|code| code.to_be_bytes()));
        }
        let length = payload.len() + message.data.len();
        payload.extend_from_slice(&message.data[..message.data.len().min(KEPT)]);
        let mut came = self.first[header.size()..].to_vec();
        if let Some(key) = header.key {
            mask_from(&mut came, key, 0);
        }
        let alike = payload.iter().zip(&came).all(|(one, other)| one == other);
        let whole = header.length == length as u64 && self.bytes == header.size() + length;
        (header.fin && kind(header.opcode) == Some(&message.kind) && whole && alike)
            .then_some((self.first.as_slice(), self.bytes))
    }

    /// A message was told: the next recv is the next one's.
    pub(super) fn clear(&mut self) {
        (self.bytes, self.calls) = (0, 0);
        self.first.clear();
    }
}

/// A frame's opcode as the trace names the message.
fn kind(number: u8) -> Option<&'static str> {
    Some(match number {
        opcode::TEXT => "text",
        opcode::BINARY => "binary",
        opcode::CLOSE => "close",
        opcode::PING => "ping",
        opcode::PONG => "pong",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Host;
    use crate::wire::websocket::Frame;

    fn message(kind: &str, data: &[u8], code: Option<u16>) -> Message {
        Message {
            host: Host::Server,
            socket: "c1".into(),
            received: true,
            kind: kind.into(),
            data: data.to_vec(),
            code,
            rule: None,
            section: None,
            level: None,
            offset: None,
        }
    }

    fn text(payload: &[u8]) -> Vec<u8> {
        Frame::new(opcode::TEXT, payload).masked([0x37, 0xfa, 0x21, 0x3d]).encode()
    }

    #[test]
    fn bytes_stand_beside_the_message_that_they_are() {
        let mut raw = Raw::default();
        raw.came(&text(b"hello"));
        let hello = message("text", b"hello", None);
        assert_eq!(raw.frame_of(&hello), Some((text(b"hello").as_slice(), 11)));
        assert_eq!(raw.frame_of(&message("text", b"jello", None)), None);
        assert_eq!(raw.frame_of(&message("binary", b"hello", None)), None);
        let long = [b'x'; 70_000];
        raw.clear();
        raw.came(&text(&long));
        assert_eq!(raw.frame_of(&message("text", &long, None)).unwrap().1, 70_014);
        let bye = Frame::new(opcode::CLOSE, [&[3, 232][..], b"bye"].concat()).encode();
        raw.clear();
        raw.came(&bye);
        assert!(raw.frame_of(&message("close", b"bye", Some(1000))).is_some());
    }

    #[test]
    fn a_recv_that_brought_more_or_less_stands_beside_none() {
        let hello = message("text", b"hello", None);
        let frame = text(b"hello");
        let mut raw = Raw::default();
        raw.came(&[frame.clone(), frame.clone()].concat());
        assert_eq!(raw.frame_of(&hello), None);
        raw.clear();
        assert_eq!(raw.frame_of(&hello), None);
        raw.came(&frame[..3]);
        raw.came(&frame[3..]);
        assert_eq!(raw.frame_of(&hello), None);
    }
}

//! Reassembles a packet and its binary messages.

use super::{ENCODING, Packet};
use crate::wire::{Malformed, engine_io};

/// Most attachments of a message; more are malformed. It is socket.io-parser's limit since 4.2.6.
pub(crate) const MAX_ATTACHMENTS: u32 = 10;

/// A packet with all its attachments.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The packet.
    pub packet: Packet,
    /// The bytes for which the placeholders in its payload stand, by number.
    pub attachments: Vec<Vec<u8>>,
}

impl Message {
    /// Returns the Engine.IO packets that carry it: one of text, and a binary one for each attachment.
    pub fn encode(&self) -> Vec<engine_io::Packet> {
        let attachments = self.attachments.iter().cloned().map(engine_io::Packet::Binary);
        std::iter::once(engine_io::Packet::message(self.packet.encode())).chain(attachments).collect()
    }
}

impl From<Packet> for Message {
    fn from(packet: Packet) -> Self {
        Message { packet, attachments: Vec::new() }
    }
}

/// Reassembles the messages of one direction. It keeps at most one packet and [`MAX_ATTACHMENTS`].
#[derive(Debug, Clone, Default)]
pub struct Assembler {
    waiting: Option<Message>,
}

impl Assembler {
    /// Returns a reader at the start of its input.
    pub fn new() -> Self {
        Assembler::default()
    }

    /// Adds the data of a text message. Returns the message unless attachments are still to come.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is no packet, or an attachment is due. The session must end then.
    pub fn text(&mut self, data: &[u8]) -> Result<Option<Message>, Malformed> {
        if self.waiting.is_some() {
            return Err(Malformed::at("attachment", 0, "a binary message", data, ENCODING));
        }
        let packet = Packet::parse(data)?;
        if packet.attachments > MAX_ATTACHMENTS {
            let needed = "at most 10 (a limit of this receiver)";
            return Err(Malformed::at("number of attachments", 1, needed, &data[1..], ENCODING));
        }
        Ok(self.take(packet.into()))
    }

    /// Adds a binary message. Returns the message that it completes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if no packet waits for one.
    pub fn binary(&mut self, data: Vec<u8>) -> Result<Option<Message>, Malformed> {
        let Some(mut message) = self.waiting.take() else {
            return Err(Malformed::at("packet", 0, "a packet of text before bytes", &data, ENCODING));
        };
        message.attachments.push(data);
        Ok(self.take(message))
    }

    /// Returns the number of attachments still to come.
    pub fn due(&self) -> usize {
        self.waiting.as_ref().map_or(0, missing)
    }

    fn take(&mut self, message: Message) -> Option<Message> {
        if missing(&message) == 0 {
            return Some(message);
        }
        self.waiting = Some(message);
        None
    }
}

fn missing(message: &Message) -> usize {
    let due = usize::try_from(message.packet.attachments).unwrap_or(usize::MAX);
    due.saturating_sub(message.attachments.len())
}

//! A message of the application: text or bytes.

/// A message of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// UTF-8 text.
    Text(String),
    /// Any bytes.
    Binary(Vec<u8>),
}

impl Message {
    /// Returns a text message if the bytes are UTF-8, otherwise a binary message.
    pub fn of(bytes: Vec<u8>) -> Message {
        String::from_utf8(bytes).map_or_else(|error| Message::Binary(error.into_bytes()), Message::Text)
    }

    /// Returns the bytes of the message.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Message::Text(text) => text.as_bytes(),
            Message::Binary(bytes) => bytes,
        }
    }
}

//! A message of the application: text or bytes.

/// What one person says to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// UTF-8.
    Text(String),
    /// Any bytes.
    Binary(Vec<u8>),
}

impl Message {
    /// Text if it is UTF-8.
    pub fn of(bytes: Vec<u8>) -> Message {
        String::from_utf8(bytes).map_or_else(|error| Message::Binary(error.into_bytes()), Message::Text)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Message::Text(text) => text.as_bytes(),
            Message::Binary(bytes) => bytes,
        }
    }
}

//! Bytes of a stream, borrowed where they are made and owned where they are read back.

use std::{borrow::Cow, ops::Deref};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error, ser::SerializeMap};

/// In JSON `text` where they are UTF-8, else `data` in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bytes<'a>(Cow<'a, [u8]>);

impl Bytes<'_> {
    /// The same, borrowing nothing.
    pub fn to_static(&self) -> Bytes<'static> {
        Bytes(Cow::Owned(self.0.to_vec()))
    }
}

impl Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<'a> From<&'a [u8]> for Bytes<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Bytes(Cow::Borrowed(bytes))
    }
}

impl From<Vec<u8>> for Bytes<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes(Cow::Owned(bytes))
    }
}

/// The two forms that the bytes have in JSON.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct TextOrHex {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    data: Option<String>,
}

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(1))?;
        match std::str::from_utf8(&self.0) {
            Ok(text) => map.serialize_entry("text", text)?,
            Err(_) => map.serialize_entry("data", &Hex(&self.0))?,
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Bytes<'_> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match TextOrHex::deserialize(from)? {
            TextOrHex { text: Some(text), .. } => text.into_bytes().into(),
            TextOrHex { data: Some(data), .. } => {
                HEXLOWER.decode(data.as_bytes()).map_err(D::Error::custom)?.into()
            }
            TextOrHex { .. } => Bytes::default(),
        })
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Bytes<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        TextOrHex::json_schema(generator)
    }
}

/// Bytes in lower-case hex. Short ones, as most are, are encoded without an allocation.
#[derive(Debug)]
pub(super) struct Hex<'a>(pub &'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut buffer = [0; 512];
        match buffer.get_mut(..self.0.len() * 2) {
            Some(buffer) => to.serialize_str(HEXLOWER.encode_mut_str(self.0, buffer)),
            None => to.serialize_str(&HEXLOWER.encode(self.0)),
        }
    }
}

/// For fields that are always in hex.
pub(super) mod hex {
    use super::{Bytes, Deserializer, Hex, Serialize, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        Hex(bytes).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes<'static>, D::Error> {
        super::super::hex::deserialize(from).map(Bytes::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_any_length_are_written_in_full() {
        for length in [0, 1, 255, 256, 257, 1000] {
            let bytes = vec![0xa5; length];
            assert_eq!(serde_json::to_string(&Hex(&bytes)).unwrap(), format!("\"{}\"", "a5".repeat(length)));
        }
    }

    #[test]
    fn bytes_are_text_or_hex_and_are_read_back() {
        for (bytes, json) in [(b"a\n".as_slice(), r#"{"text":"a\n"}"#), (b"\xff\x00", r#"{"data":"ff00"}"#)] {
            assert_eq!(serde_json::to_string(&Bytes::from(bytes)).unwrap(), json);
            assert_eq!(&serde_json::from_str::<Bytes>(json).unwrap()[..], bytes);
        }
    }
}

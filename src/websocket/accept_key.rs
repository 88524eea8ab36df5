//! How does the server prove that it read the key? `Sec-WebSocket-Accept` (RFC 6455 §4.2.2 (5.4)).
//!
//! ```text
//! base64(SHA-1(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
//! ```
//!
//! The value is no secret: anyone can compute it. It shows that the server knows WebSocket and answers this
//! request, so that no cache and no plain HTTP server can be mistaken for a WebSocket server (§1.3).

use data_encoding::BASE64;
use sha1_smol::Sha1;

use crate::event::Row;
use crate::wire::text;

/// The text that is appended to every key. RFC 6455 defines it, and no other protocol uses it.
pub const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const SECTION: &str = "RFC 6455 §4.2.2 (5.4)";

/// Returns the `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`: 28 characters of base64.
///
/// The key is the text of the header field, without the spaces around it. It is not decoded: the hash is over
/// its characters.
pub fn accept_key(key: &str) -> String {
    let concatenated = [key, GUID].concat();
    let hash = Sha1::from(concatenated).digest().bytes();
    BASE64.encode(&hash)
}

/// Shows the computation step by step.
pub fn working(key: &str) -> Vec<Row> {
    let concatenated = [key, GUID].concat();
    let hash = Sha1::from(&concatenated).digest().bytes();
    let row = |name: &str, value: String, meaning: &str, section: &str| Row {
        name: name.into(),
        value,
        meaning: meaning.into(),
        bits: None,
        section: Some(section.into()),
    };
    vec![
        row(
            "key",
            text::escape(key.as_bytes()),
            "as it stands in the request, not decoded",
            "RFC 6455 §4.2.2 (4)",
        ),
        row("GUID", GUID.into(), "the same for everybody", SECTION),
        row("key + GUID", text::escape(concatenated.as_bytes()), "one text after the other", SECTION),
        row("SHA-1", text::hex(&hash, hash.len()), "20 bytes; no secret, a fingerprint of the text", SECTION),
        row("base64", BASE64.encode(&hash), "the value of Sec-WebSocket-Accept", SECTION),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tungstenite::handshake::derive_accept_key;

    use super::*;

    #[test]
    fn the_example_of_section_1_3() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn the_working_ends_with_the_key_and_shows_the_hash_of_the_rfc() {
        let rows = working("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(rows[3].value, "b3 7a 4f 2c c0 62 4f 16 90 f6 46 06 cf 38 59 45 b2 be c4 ea");
        assert_eq!(rows[4].value, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    proptest! {
        #[test]
        fn it_is_tungstenites_for_any_key(bytes: [u8; 16], text: String) {
            let key = BASE64.encode(&bytes);
            prop_assert_eq!(accept_key(&key), derive_accept_key(key.as_bytes()));
            prop_assert_eq!(accept_key(&text), derive_accept_key(text.as_bytes()));
        }
    }
}

//! SockJS frames and messages, parsed and encoded (sockjs/sockjs-protocol, `sockjs-protocol.py`).
//!
//! ```text
//! server to client, frames:    o | h | a["hello","two"] | c[3000,"Go away!"]
//! client to server, messages:  ["hello","two"] | on a WebSocket also "hello"
//! ```
//!
//! All transports carry the same frames. [`Transport`] has the packing of each, [`Place`] the URL of each.
//! The sections in errors and fields are the headings of that document, which is also a test suite. Where it
//! leaves a point open, the two libraries of its authors decide, and the code names them.

use serde::de::IgnoredAny;

use super::Malformed;

mod address;
mod escapes;
mod fields;
mod json;
#[cfg(test)]
mod malformed;
mod tables;
mod text;
mod transport;

pub(crate) use address::{ENDPOINTS, Endpoint, Place};
pub use fields::{body_fields, fields};
pub(crate) use tables::{CLOSE_CODES, frame_type};
pub use tables::{CloseCode, FRAMES, close_code};
pub use text::{Text, Writer};
pub(crate) use transport::TRANSPORTS;
pub use transport::{Reader, Transport};

use json::{Shape, What};
use tables::{FRAMES_SECTION, MESSAGES_SECTION};

/// What a server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// `o`
    Open,
    /// `h`
    Heartbeat,
    /// `a[…]`
    Messages(Vec<Text>),
    /// `c[code,"reason"]`
    Close {
        /// See [`CLOSE_CODES`].
        code: u16,
        /// For people.
        reason: Text,
    },
}

/// Returns the text of the status 500 with which a server answers a body that is malformed (sockjs-protocol,
/// XhrPolling).
pub fn answer_to_malformed(body: &[u8]) -> &'static str {
    // JSON of another shape is missing messages; anything else is broken JSON.
    let json = str::from_utf8(body).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    if body.is_empty() || json { "Payload expected." } else { "Broken JSON encoding." }
}

/// How a client's messages arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uplink {
    /// The body of a request: an array. An empty body is malformed.
    Request,
    /// A message of a WebSocket: an array, one string, or nothing, which is ignored.
    WebSocket,
}

impl Frame {
    /// Parses one frame, without the packing of its transport.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is no frame.
    pub fn parse(bytes: &[u8]) -> Result<Frame, Malformed> {
        let mut pieces = Vec::new();
        match bytes.first() {
            Some(b'o') => alone(bytes).map(|()| Frame::Open),
            Some(b'h') => alone(bytes).map(|()| Frame::Heartbeat),
            Some(b'a') => {
                json::walk(bytes, 1, Shape::Array, &mut pieces)?;
                Ok(Frame::Messages(texts(pieces).collect()))
            }
            Some(b'c') => {
                json::walk(bytes, 1, Shape::Close, &mut pieces)?;
                let code = pieces.iter().find_map(|piece| match piece.what {
                    What::Code(code) => Some(code),
                    _ => None,
                });
                let reason = texts(pieces).next().unwrap_or_default();
                Ok(Frame::Close { code: code.unwrap_or_default(), reason })
            }
            _ => Err(unknown(bytes)),
        }
    }

    /// Returns the bytes, without the packing of a transport.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Frame::Open => b"o".to_vec(),
            Frame::Heartbeat => b"h".to_vec(),
            Frame::Messages(messages) => format!("a{}", array(messages, Writer::Server)).into_bytes(),
            Frame::Close { code, reason } => {
                format!("c[{code},{}]", reason.quoted(Writer::Server)).into_bytes()
            }
        }
    }

    /// Returns a frame with these messages.
    pub fn messages<'a>(messages: impl IntoIterator<Item = &'a str>) -> Frame {
        Frame::Messages(messages.into_iter().map(Text::from).collect())
    }

    /// Returns a close frame.
    pub fn close(code: u16, reason: &str) -> Frame {
        Frame::Close { code, reason: reason.into() }
    }
}

/// Parses the messages of a client, in order.
///
/// # Errors
///
/// [`Malformed`] if these are no messages.
pub fn parse_messages(bytes: &[u8], uplink: Uplink) -> Result<Vec<Text>, Malformed> {
    let mut pieces = Vec::new();
    walk_messages(bytes, uplink, &mut pieces)?;
    Ok(texts(pieces).collect())
}

fn walk_messages(bytes: &[u8], uplink: Uplink, pieces: &mut Vec<json::Piece>) -> Result<(), Malformed> {
    match (bytes, uplink) {
        ([], Uplink::WebSocket) => Ok(()),
        ([], Uplink::Request) => {
            Err(Malformed::at("messages", 0, "a JSON array of strings", bytes, MESSAGES_SECTION))
        }
        ([b'"', ..], Uplink::WebSocket) => json::walk(bytes, 0, Shape::String, pieces),
        _ => json::walk(bytes, 0, Shape::Array, pieces),
    }
}

/// Returns a client's messages as a JSON array.
pub fn encode_messages(messages: &[Text]) -> Vec<u8> {
    array(messages, Writer::Client).into_bytes()
}

fn array(messages: &[Text], writer: Writer) -> String {
    let quoted: Vec<_> = messages.iter().map(|message| message.quoted(writer)).collect();
    format!("[{}]", quoted.join(","))
}

fn texts(pieces: Vec<json::Piece>) -> impl Iterator<Item = Text> {
    pieces.into_iter().filter_map(|piece| match piece.what {
        What::Text(text) => Some(text),
        _ => None,
    })
}

/// Checks a frame that is one letter.
fn alone(bytes: &[u8]) -> Result<(), Malformed> {
    match &bytes[1..] {
        [] => Ok(()),
        rest => Err(Malformed::at("frame", 1, "nothing after the letter", rest, FRAMES_SECTION)),
    }
}

fn unknown(bytes: &[u8]) -> Malformed {
    Malformed::at("frame", 0, "o, h, a or c", bytes, FRAMES_SECTION)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_frame_is_read_and_written() {
        let frames: [(&[u8], Frame); 5] = [
            (b"o", Frame::Open),
            (b"h", Frame::Heartbeat),
            (b"a[\"hello\",\"two\"]", Frame::messages(["hello", "two"])),
            (b"a[]", Frame::messages([])),
            (b"c[3000,\"Go away!\"]", Frame::close(3000, "Go away!")),
        ];
        for (bytes, frame) in frames {
            assert_eq!(Frame::parse(bytes).as_ref(), Ok(&frame));
            assert_eq!(frame.encode(), bytes);
        }
    }

    #[test]
    fn blanks_mean_nothing_and_escapes_are_undone() {
        let frame = Frame::parse(b"a [ \"\\u00e9\\/\" ,\t\"\\ud83d\\ude00\" ] ").unwrap();
        assert_eq!(frame, Frame::messages(["é/", "\u{1f600}"]));
        assert_eq!(Frame::parse(b"c[ 1000 , \"\" ]"), Ok(Frame::close(1000, "")));
    }

    #[test]
    fn a_client_sends_an_array_or_on_a_websocket_one_string() {
        let both = vec![Text::from("a"), Text::from("b")];
        assert_eq!(parse_messages(b"[\"a\",\"b\"]", Uplink::Request), Ok(both.clone()));
        assert_eq!(parse_messages(b"[\"a\",\"b\"]", Uplink::WebSocket), Ok(both.clone()));
        assert_eq!(encode_messages(&both), b"[\"a\",\"b\"]");
        assert_eq!(parse_messages(b"\"a\"", Uplink::WebSocket), Ok(vec!["a".into()]));
        for nothing in [b"".as_slice(), b"[]"] {
            assert_eq!(parse_messages(nothing, Uplink::WebSocket), Ok(vec![]));
        }
        assert_eq!(parse_messages(b"[]", Uplink::Request), Ok(vec![]));
    }

    #[test]
    fn an_error_tells_where_and_what() {
        let error = Frame::parse(b"a[\"a\",7]").unwrap_err();
        assert_eq!(
            error.to_string(),
            "message at byte 6: needed a JSON string in quotes, had \"7]\" (sockjs-protocol, Framing accepted by the client)"
        );
        let error = parse_messages(b"[\"x", Uplink::Request).unwrap_err();
        assert_eq!(
            (error.offset, error.had.as_str(), answer_to_malformed(b"[\"x")),
            (Some(3), "nothing", "Broken JSON encoding.")
        );
    }

    #[test]
    fn a_frame_of_stomp_is_a_message_with_a_zero_byte() {
        let stomp = "SEND\ndestination:/topic/chat\ncontent-length:5\n\nhello\0";
        let bytes = encode_messages(&[stomp.into()]);
        assert_eq!(bytes, b"[\"SEND\\ndestination:/topic/chat\\ncontent-length:5\\n\\nhello\\u0000\"]");
        assert_eq!(parse_messages(&bytes, Uplink::WebSocket), Ok(vec![stomp.into()]));
    }

    fn any_text() -> impl Strategy<Value = Text> {
        let unit =
            prop_oneof![0u16..0x80, 0x300u16..0x700, 0x2000u16..0x2100, 0xd7f0u16..0xe010, any::<u16>()];
        proptest::collection::vec(unit, 0..12).prop_map(Text::from_units)
    }

    proptest! {
        #[test]
        fn any_strings_come_back(messages in proptest::collection::vec(any_text(), 0..5), code: u16, reason in any_text()) {
            let frame = Frame::Messages(messages.clone());
            prop_assert_eq!(Frame::parse(&frame.encode()), Ok(frame));
            for uplink in [Uplink::Request, Uplink::WebSocket] {
                prop_assert_eq!(parse_messages(&encode_messages(&messages), uplink), Ok(messages.clone()));
            }
            let close = Frame::Close { code, reason };
            prop_assert_eq!(Frame::parse(&close.encode()), Ok(close));
        }

        #[test]
        fn what_is_taken_is_json(bytes in "[ahco\\[\\]\",\\\\u0-9 {}x]{0,12}") {
            if let Ok(Frame::Messages(_) | Frame::Close { .. }) = Frame::parse(bytes.as_bytes()) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&bytes[1..]).is_ok() || bytes.contains("\\u"));
            }
        }
    }
}

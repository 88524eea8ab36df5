//! What does the client send? An HTTP request that asks to leave HTTP (RFC 6455 §4.1).

use data_encoding::BASE64;
use thiserror::Error;

use crate::event::Row;
use crate::random::{self, NoRandomness};
use crate::wire::http::{encode_request, is_token, meaning_of};
use crate::wire::text;

/// The version of the WebSocket protocol; there has been no other since RFC 6455.
pub const VERSION: &str = "13";

/// The client's opening request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRequest {
    authority: String,
    path: String,
    key: String,
    subprotocols: Vec<String>,
    origin: Option<String>,
}

/// Why a request can't be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// A part has the wrong form, or would break out of its line.
    #[error("{field} at byte {offset}: needed {needed}, had \"{had}\" ({section})")]
    Part {
        /// The part.
        field: &'static str,
        /// The position of the first invalid byte in the part.
        offset: usize,
        /// The form required.
        needed: &'static str,
        /// The part, escaped.
        had: String,
        /// The section that requires it.
        section: &'static str,
    },
    /// The system returned no random bytes for the key.
    #[error("Sec-WebSocket-Key: {0}")]
    Random(#[from] NoRandomness),
}

impl ClientRequest {
    /// Returns a request with a new random key.
    ///
    /// `authority` is the host, and the port if it isn't 80: `example.com:8000`, `[::1]:7000`. `path` is the
    /// resource name with its query: `/chat?room=1`.
    ///
    /// # Errors
    ///
    /// [`RequestError::Part`] for an invalid authority or path, [`RequestError::Random`].
    pub fn new(authority: &str, path: &str) -> Result<Self, RequestError> {
        Self::with_nonce(authority, path, random::bytes()?)
    }

    /// Returns a request with the given key, for tests and recorded lessons. Real keys must be random (§4.1
    /// (7)).
    ///
    /// # Errors
    ///
    /// [`RequestError::Part`], as in [`ClientRequest::new`].
    pub fn with_nonce(authority: &str, path: &str, nonce: [u8; 16]) -> Result<Self, RequestError> {
        check("host", authority, "a host and maybe a port", "RFC 9110 §7.2", |byte| {
            byte.is_ascii_graphic() && !b"/?#@\\".contains(&byte)
        })?;
        check("path", path, "visible ASCII without #", "RFC 6455 §3", |byte| {
            byte.is_ascii_graphic() && byte != b'#'
        })?;
        if !path.starts_with('/') {
            return Err(part("path", path, 0, "a path that begins with /", "RFC 9112 §3.2.1"));
        }
        let key = BASE64.encode(&nonce);
        Ok(ClientRequest {
            authority: authority.into(),
            path: path.into(),
            key,
            subprotocols: Vec::new(),
            origin: None,
        })
    }

    /// Offers subprotocols in the order of preference.
    ///
    /// # Errors
    ///
    /// [`RequestError::Part`] for one that is not a token, or that occurs twice (§4.1 (10)).
    pub fn offering(mut self, subprotocols: &[&str]) -> Result<Self, RequestError> {
        const SECTION: &str = "RFC 6455 §4.1 (10)";
        for (index, name) in subprotocols.iter().enumerate() {
            if !is_token(name.as_bytes()) {
                return Err(part("subprotocol", name, 0, "a token", SECTION));
            }
            if subprotocols[..index].contains(name) {
                return Err(part("subprotocol", name, 0, "each name once", SECTION));
            }
        }
        self.subprotocols = subprotocols.iter().map(|name| (*name).into()).collect();
        Ok(self)
    }

    /// Sets the origin, as a browser must: `https://example.com`.
    ///
    /// # Errors
    ///
    /// [`RequestError::Part`] for an invalid origin.
    pub fn from_origin(mut self, origin: &str) -> Result<Self, RequestError> {
        check("origin", origin, "visible ASCII", "RFC 6454 §7.1", |byte| byte.is_ascii_graphic())?;
        self.origin = Some(origin.into());
        Ok(self)
    }

    /// Returns host and port as in the Host field.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The resource name.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// `Sec-WebSocket-Key`: 24 characters.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the subprotocols offered.
    pub fn subprotocols(&self) -> &[String] {
        &self.subprotocols
    }

    /// Returns the bytes of the request.
    pub fn bytes(&self) -> Vec<u8> {
        let lines = self.lines();
        let fields: Vec<_> = lines.iter().map(|line| (line.name, line.value.as_str())).collect();
        encode_request("GET", &self.path, &fields)
    }

    /// Shows how the key was made: 16 random bytes, in base64 (§4.1 (7)).
    pub fn key_working(&self) -> Vec<Row> {
        let nonce = BASE64.decode(self.key.as_bytes()).unwrap_or_default();
        let row = |name: &str, value: String, meaning: &str| Row {
            name: name.into(),
            value,
            meaning: meaning.into(),
            bits: None,
            section: Some("RFC 6455 §4.1 (7)".into()),
        };
        vec![
            row(
                "random bytes",
                text::hex(&nonce, nonce.len()),
                "16 bytes, new for each connection; nothing is kept secret by them",
            ),
            row(
                "base64",
                self.key.clone(),
                "the same as text: 24 characters, the value of Sec-WebSocket-Key",
            ),
        ]
    }

    /// Describes the request line by line: the purpose of each line, and its position in
    /// [`ClientRequest::bytes`].
    pub fn working(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut at = 0;
        let mut row = |name: &str, value: &str, length: usize, meaning: &str, section: &str| {
            rows.push(Row {
                name: name.into(),
                value: text::escape(value.as_bytes()),
                meaning: meaning.into(),
                bits: Some((at * 8, (at + length) * 8)),
                section: Some(section.into()),
            });
            at += length;
        };
        let request_line = format!("GET {} HTTP/1.1", self.path);
        let meaning = "the method must be GET, the version at least 1.1";
        row("request-line", &request_line, request_line.len() + 2, meaning, "RFC 6455 §4.1 (2), (3)");
        for line in self.lines() {
            let length = line.name.len() + ": ".len() + line.value.len() + "\r\n".len();
            let meaning = meaning_of(line.name).map_or("", |(_, meaning, _)| meaning);
            row(line.name, &line.value, length, meaning, line.section);
        }
        row(
            "empty line",
            "\r\n",
            2,
            "the head ends here; now the client must wait for the answer",
            "RFC 6455 §4.1",
        );
        rows
    }

    /// Returns the field lines in the order of §4.1.
    fn lines(&self) -> Vec<Line> {
        let line = |name, value: &str, section| Line { name, value: value.into(), section };
        let mut lines = vec![
            line("Host", &self.authority, "RFC 6455 §4.1 (4)"),
            line("Upgrade", "websocket", "RFC 6455 §4.1 (5)"),
            line("Connection", "Upgrade", "RFC 6455 §4.1 (6)"),
            line("Sec-WebSocket-Key", &self.key, "RFC 6455 §4.1 (7)"),
        ];
        if let Some(origin) = &self.origin {
            lines.push(line("Origin", origin, "RFC 6455 §4.1 (8)"));
        }
        lines.push(line("Sec-WebSocket-Version", VERSION, "RFC 6455 §4.1 (9)"));
        if !self.subprotocols.is_empty() {
            lines.push(line("Sec-WebSocket-Protocol", &self.subprotocols.join(", "), "RFC 6455 §4.1 (10)"));
        }
        lines
    }
}

/// A field line, and the item of §4.1 that requires it.
struct Line {
    name: &'static str,
    value: String,
    section: &'static str,
}

/// Checks that a value stays within its line: no space, no control character, no line end.
fn check(
    field: &'static str,
    had: &str,
    needed: &'static str,
    section: &'static str,
    allowed: impl Fn(u8) -> bool,
) -> Result<(), RequestError> {
    if had.is_empty() {
        return Err(part(field, had, 0, needed, section));
    }
    match had.bytes().position(|byte| !allowed(byte)) {
        Some(offset) => Err(part(field, had, offset, needed, section)),
        None => Ok(()),
    }
}

fn part(
    field: &'static str,
    had: &str,
    offset: usize,
    needed: &'static str,
    section: &'static str,
) -> RequestError {
    RequestError::Part { field, offset, needed, had: text::escape(had.as_bytes()), section }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: [u8; 16] = *b"the sample nonce";

    #[test]
    fn the_request_has_the_lines_of_the_rfc() {
        let request = ClientRequest::with_nonce("server.example.com", "/chat", NONCE).unwrap();
        let request =
            request.offering(&["chat", "superchat"]).unwrap().from_origin("http://example.com").unwrap();
        let expected = "GET /chat HTTP/1.1\r\n\
            Host: server.example.com\r\n\
            Upgrade: websocket\r\n\
            Connection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Origin: http://example.com\r\n\
            Sec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Protocol: chat, superchat\r\n\r\n";
        assert_eq!(String::from_utf8(request.bytes()).unwrap(), expected);
    }

    #[test]
    fn the_working_covers_the_request_and_every_row_is_explained() {
        let request =
            ClientRequest::with_nonce("[::1]:7000", "/", NONCE).unwrap().offering(&["chat"]).unwrap();
        let bytes = request.bytes();
        let mut next = 0;
        for row in request.working() {
            let (from, to) = row.bits.unwrap();
            assert_eq!(from, next);
            assert!(!row.meaning.is_empty(), "{row:?}");
            let line = String::from_utf8_lossy(&bytes[from / 8..to / 8]).into_owned();
            assert!(line.starts_with(&row.name) || row.name.ends_with("line"), "{line}");
            next = to;
        }
        assert_eq!(next, bytes.len() * 8);
    }

    #[test]
    fn each_request_has_a_key_of_its_own() {
        let key = || ClientRequest::new("a", "/").unwrap().key;
        let (one, two) = (key(), key());
        assert_eq!((one.len(), BASE64.decode(one.as_bytes()).unwrap().len()), (24, 16));
        assert_ne!(one, two);
    }

    #[test]
    fn nothing_breaks_out_of_its_line() {
        let wrong =
            |authority, path| ClientRequest::with_nonce(authority, path, NONCE).unwrap_err().to_string();
        assert_eq!(
            wrong("a\r\nX: y", "/"),
            "host at byte 1: needed a host and maybe a port, had \"a\\r\\nX: y\" (RFC 9110 §7.2)"
        );
        assert!(wrong("", "/").starts_with("host at byte 0"));
        assert!(wrong("user@a", "/").starts_with("host at byte 4"));
        assert!(wrong("a", "/ HTTP/1.1").starts_with("path at byte 1"));
        assert!(wrong("a", "chat").starts_with("path at byte 0"));
        assert!(wrong("a", "/#top").starts_with("path at byte 1"));
        let request = ClientRequest::with_nonce("a", "/", NONCE).unwrap();
        assert!(request.clone().offering(&["chat", "chat"]).is_err());
        assert!(request.clone().offering(&["a b"]).is_err());
        assert!(request.from_origin("a\nb").is_err());
    }
}

//! Which extensions does a header name? The grammar of `Sec-WebSocket-Extensions` (RFC 6455 §9.1).
//!
//! This endpoint supports no extension. It reads the names nevertheless: a server must refuse a header that
//! breaks the grammar, and a client must notice an extension that it did not offer.

use crate::wire::http::{Headers, elements, is_token};
use crate::wire::text;

/// The header's name.
pub const HEADER: &str = "Sec-WebSocket-Extensions";

/// The section of its grammar.
pub const GRAMMAR: &str = "RFC 6455 §9.1";

/// A piece that breaks the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The piece, escaped.
    pub found: String,
    /// Its position in the head.
    pub offset: usize,
}

/// Returns the names in all lines of the header, in order; none if there is no such line.
///
/// # Errors
///
/// [`Malformed`] for the first piece that is not `token *( ";" token [ "=" ( token | quoted-string ) ] )`,
/// and for a line that names nothing.
pub fn names(headers: &Headers) -> Result<Vec<String>, Malformed> {
    let mut names = Vec::new();
    for line in headers.all(HEADER) {
        let before = names.len();
        // A quoted value must be a token too, so no comma or semicolon is hidden inside quotes.
        for (item, at) in elements(&line.value) {
            match name(item) {
                Some(name) => names.push(name),
                None => {
                    return Err(Malformed { found: text::shown(item, 80), offset: line.value_offset + at });
                }
            }
        }
        if names.len() == before {
            return Err(Malformed { found: "an empty list".into(), offset: line.offset });
        }
    }
    Ok(names)
}

/// Returns the name of an extension with its parameters, if it is well-formed.
fn name(item: &[u8]) -> Option<String> {
    let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let name = parts.next().filter(|name| is_token(name))?;
    parts.all(is_parameter).then(|| String::from_utf8_lossy(name).into_owned())
}

/// `token [ "=" ( token | quoted-string ) ]`
fn is_parameter(part: &[u8]) -> bool {
    let Some(equals) = part.iter().position(|byte| *byte == b'=') else {
        return is_token(part);
    };
    let value = part[equals + 1..].trim_ascii_start();
    let value = match value {
        // A backslash in quotes stands for the character after it.
        [b'"', inside @ .., b'"'] => inside.iter().copied().filter(|byte| *byte != b'\\').collect(),
        value => value.to_vec(),
    };
    is_token(part[..equals].trim_ascii_end()) && is_token(&value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::http::parse_request;

    fn of(lines: &str) -> Result<Vec<String>, Malformed> {
        let head = format!("GET / HTTP/1.1\r\n{lines}\r\n");
        names(&parse_request(head.as_bytes()).unwrap().headers)
    }

    #[test]
    fn names_are_read_over_several_lines() {
        assert_eq!(of(""), Ok(vec![]));
        let offer =
            "Sec-WebSocket-Extensions: foo\r\nsec-websocket-extensions: bar; baz=2, mux ; a=\"4\" ;b\r\n";
        assert_eq!(of(offer), Ok(vec!["foo".into(), "bar".into(), "mux".into()]));
    }

    #[test]
    fn what_breaks_the_grammar_is_named() {
        for value in ["", ",", ";;", "foo;", "foo;=1", "foo;a=", "a b", "foo; a=\"b,c\"", "foo; a=\"\""] {
            assert!(of(&format!("Sec-WebSocket-Extensions: {value}\r\n")).is_err(), "{value}");
        }
        let malformed = of("Sec-WebSocket-Extensions: foo, ;;\r\n").unwrap_err();
        assert_eq!((malformed.found.as_str(), malformed.offset), (";;", 47));
    }
}

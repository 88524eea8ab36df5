//! The fields of a head, also of one that is malformed or cut off.

use std::ops::Range;

use super::{ascii, is_token, trim};
use crate::wire::field::{Field, fill};
use crate::wire::text;

/// Characters shown of a value.
const SHOWN: usize = 120;

/// The field lines of a WebSocket handshake: name, meaning, section.
pub(crate) const MEANINGS: &[(&str, &str, &str)] = &[
    ("Host", "the server that is meant, as one address may serve many names", "RFC 9110 §7.2"),
    ("Upgrade", "the protocol to change to on this connection", "RFC 9110 §7.8"),
    ("Connection", "names the fields that are for the next hop only; here Upgrade", "RFC 9110 §7.6.1"),
    (
        "Sec-WebSocket-Key",
        "16 random bytes in base64; the answer must be derived from it",
        "RFC 6455 §11.3.1",
    ),
    ("Sec-WebSocket-Extensions", "extensions that are offered or accepted", "RFC 6455 §11.3.2"),
    ("Sec-WebSocket-Accept", "proves that the server read the key and speaks WebSocket", "RFC 6455 §11.3.3"),
    ("Sec-WebSocket-Protocol", "subprotocols that are offered, or the one chosen", "RFC 6455 §11.3.4"),
    ("Sec-WebSocket-Version", "the version of the WebSocket protocol: 13", "RFC 6455 §11.3.5"),
    ("Origin", "the web page that asks; only browsers must tell it", "RFC 6454 §7"),
    ("Content-Length", "how many bytes follow the head", "RFC 9110 §8.6"),
    ("Content-Type", "what those bytes are", "RFC 9110 §8.3"),
    ("Transfer-Encoding", "how the bytes after the head are packed", "RFC 9112 §6.1"),
    ("Allow", "the methods that this resource knows", "RFC 9110 §10.2.1"),
    ("User-Agent", "the program that asks", "RFC 9110 §10.1.5"),
    ("Server", "the program that answers", "RFC 9110 §10.2.4"),
    ("Date", "when the answer was made", "RFC 9110 §6.6.1"),
];

/// Returns the usual spelling, the meaning and the section of a field name, compared without regard to case.
pub(crate) fn meaning_of(name: &str) -> Option<(&'static str, &'static str, &'static str)> {
    MEANINGS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name)).copied()
}

/// Returns the fields of a head and of what follows it, named after the grammar of RFC 9112.
///
/// A head that begins with `HTTP/` is a response. Nothing is checked, so that a malformed head can be shown:
/// a line ends at LF, with or without CR. What follows the empty line is one field.
pub fn fields(bytes: &[u8]) -> Vec<Field> {
    let mut out = Vec::new();
    let mut at = 0;
    let mut start_line_seen = false;
    while at < bytes.len() {
        let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |lf| at + lf + 1);
        let content = content_end(bytes, at..end);
        if at == content && content < end {
            let meaning = if start_line_seen {
                "the head ends here"
            } else {
                "an empty line before the start line: ignored"
            };
            let section = if start_line_seen { "RFC 9112 §2.1" } else { "RFC 9112 §2.2" };
            out.push(piece(bytes, at..end, "empty line", meaning, section));
            if start_line_seen {
                rest(bytes, end, &mut out);
                break;
            }
        } else {
            if start_line_seen {
                out.push(field_line(bytes, at..content));
            } else {
                start_line(bytes, at..content, &mut out);
                start_line_seen = true;
            }
            line_end(bytes, content..end, &mut out);
        }
        at = end;
    }
    fill(bytes, out)
}

/// Where the line's content ends and its CRLF (or LF) begins.
fn content_end(bytes: &[u8], line: Range<usize>) -> usize {
    let line_bytes = &bytes[line.clone()];
    let ending = if line_bytes.ends_with(b"\r\n") { 2 } else { usize::from(line_bytes.ends_with(b"\n")) };
    line.end - ending
}

/// `method SP request-target SP HTTP-version` or `HTTP-version SP status-code SP reason-phrase`.
fn start_line(bytes: &[u8], line: Range<usize>, out: &mut Vec<Field>) {
    const REQUEST: [(&str, &str, &str); 3] = [
        ("method", "what is asked for; a WebSocket begins with GET", "RFC 9112 §3.1"),
        ("request-target", "the resource: where the WebSocket lives", "RFC 9112 §3.2"),
        ("HTTP-version", "of the form of this message; an upgrade needs 1.1", "RFC 9112 §2.3"),
    ];
    const RESPONSE: [(&str, &str, &str); 3] = [
        ("HTTP-version", "of the form of this message", "RFC 9112 §2.3"),
        ("status-code", "the result; 101 changes the protocol", "RFC 9110 §15"),
        ("reason-phrase", "words for people; a client ignores them", "RFC 9112 §4"),
    ];
    let parts = if bytes[line.clone()].starts_with(b"HTTP/") { RESPONSE } else { REQUEST };
    let mut at = line.start;
    for (index, (name, meaning, section)) in parts.into_iter().enumerate() {
        // The last part takes all that is left, spaces too.
        let space = bytes[at..line.end].iter().position(|byte| *byte == b' ').filter(|_| index < 2);
        let end = space.map_or(line.end, |space| at + space);
        out.push(piece(bytes, at..end, name, meaning, section));
        if space.is_none() {
            break;
        }
        out.push(piece(bytes, end..end + 1, "SP", "one space", "RFC 9112 §3"));
        at = end + 1;
    }
}

fn field_line(bytes: &[u8], line: Range<usize>) -> Field {
    let content = &bytes[line.clone()];
    let colon = content.iter().position(|byte| *byte == b':');
    let Some(name) = colon.map(|colon| &content[..colon]).filter(|name| is_token(name)) else {
        return piece(bytes, line, "field-line", "not a name, a colon and a value", "RFC 9112 §5");
    };
    let (symbol, meaning, section) = match meaning_of(&ascii(name)) {
        Some((symbol, meaning, section)) => (Some(symbol), meaning, section),
        None => (None, "not needed for the handshake; unknown fields are ignored", "RFC 9110 §5.1"),
    };
    let value = trim(&content[name.len() + 1..]);
    let shown = format!("{}: {}", text::shown(name, SHOWN), text::shown(value, SHOWN));
    Field { symbol, ..Field::of_bytes(line, "field-line", shown, meaning, section) }
}

fn line_end(bytes: &[u8], range: Range<usize>, out: &mut Vec<Field>) {
    let (name, meaning) = match range.len() {
        0 => return,
        1 => ("LF", "the line ends without CR"),
        _ => ("CRLF", "the line ends"),
    };
    out.push(piece(bytes, range, name, meaning, "RFC 9112 §2.2"));
}

fn rest(bytes: &[u8], from: usize, out: &mut Vec<Field>) {
    if from < bytes.len() {
        let meaning = "after the head: content, or after 101 the first bytes of the new protocol";
        out.push(piece(bytes, from..bytes.len(), "rest", meaning, "RFC 9112 §6"));
    }
}

fn piece(
    bytes: &[u8],
    range: Range<usize>,
    name: &'static str,
    meaning: &'static str,
    section: &'static str,
) -> Field {
    let value = text::shown(&bytes[range.clone()], SHOWN);
    Field::of_bytes(range, name, value, meaning, section)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::field;

    fn shown(bytes: &[u8]) -> Vec<(&'static str, String)> {
        fields(bytes).into_iter().map(|field| (field.name, field.value)).collect()
    }

    #[test]
    fn every_piece_of_a_request_has_its_name() {
        let pieces = shown(b"GET /chat HTTP/1.1\r\nhost:  a \r\n\r\n\x81\x00");
        let pieces: Vec<_> = pieces.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(
            pieces,
            [
                ("method", "GET"),
                ("SP", " "),
                ("request-target", "/chat"),
                ("SP", " "),
                ("HTTP-version", "HTTP/1.1"),
                ("CRLF", "\\r\\n"),
                ("field-line", "host: a"),
                ("CRLF", "\\r\\n"),
                ("empty line", "\\r\\n"),
                ("rest", "\\x81\\x00"),
            ]
        );
    }

    #[test]
    fn a_known_line_has_a_symbol_and_a_meaning() {
        let all = fields(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n");
        let names: Vec<_> = all.iter().map(|field| field.name).collect();
        assert_eq!(names[..5], ["HTTP-version", "SP", "status-code", "SP", "reason-phrase"]);
        assert_eq!((all[6].symbol, all[6].section), (Some("Upgrade"), "RFC 9110 §7.8"));
    }

    #[test]
    fn a_broken_or_cut_off_head_is_still_told() {
        assert_eq!(shown(b"GE"), [("method", "GE".into())]);
        assert_eq!(shown(b"\r\n"), [("empty line", "\\r\\n".into())]);
        let broken = shown(b"\n\x16\x03\x01 \x1b[31m\n no colon");
        assert_eq!(broken[1], ("method", "\\x16\\x03\\x01".into()));
        assert_eq!(broken[3], ("request-target", "\\x1b[31m".into()));
        assert_eq!(broken[4].0, "LF");
        assert_eq!(broken[5], ("field-line", " no colon".into()));
    }

    proptest! {
        #[test]
        fn every_bit_is_told_once(bytes in proptest::collection::vec(
            prop_oneof![Just(b' '), Just(b'\r'), Just(b'\n'), Just(b':'), any::<u8>()], 0..60,
        )) {
            prop_assert_eq!(field::check(bytes.len() * 8, &fields(&bytes)), Ok(()));
        }
    }
}

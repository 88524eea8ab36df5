//! Escapes in headers: two octets for a colon, a line end or a backslash.

use super::Version;

/// A backslash that begins no escape of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Undefined {
    /// The offset of the backslash.
    pub at: usize,
}

/// True if headers of this frame are written with escapes. CONNECT and CONNECTED are not, "to remain backward
/// compatible with STOMP 1.0", and STOMP is handled as CONNECT is.
pub(super) fn escapes(command: &[u8], version: Version) -> bool {
    version > Version::V10 && !matches!(command, b"CONNECT" | b"CONNECTED" | b"STOMP")
}

/// The octet that stands after the backslash for this one.
fn letter(octet: u8, version: Version) -> Option<u8> {
    match octet {
        b'\n' => Some(b'n'),
        b':' => Some(b'c'),
        b'\\' => Some(b'\\'),
        b'\r' if version >= Version::V12 => Some(b'r'),
        _ => None,
    }
}

/// Encodes a header's name or value (Value Encoding): `a:b` becomes `a\cb`.
pub fn escape(text: &str, version: Version) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for octet in text.bytes() {
        match letter(octet, version) {
            Some(letter) => out.extend([b'\\', letter]),
            None => out.push(octet),
        }
    }
    out
}

/// Decodes a header's name or value (Value Encoding): `a\cb` becomes `a:b`.
///
/// # Errors
///
/// The first undefined escape: a fatal protocol error.
pub(crate) fn unescape(written: &[u8], version: Version) -> Result<Vec<u8>, Undefined> {
    let mut out = Vec::with_capacity(written.len());
    let mut at = 0;
    while let Some(octet) = written.get(at) {
        if *octet != b'\\' {
            out.push(*octet);
            at += 1;
            continue;
        }
        let known = [b'\r', b'\n', b':', b'\\'];
        let meant = known
            .into_iter()
            .find(|octet| letter(*octet, version).is_some_and(|letter| written.get(at + 1) == Some(&letter)));
        out.push(meant.ok_or(Undefined { at })?);
        at += 2;
    }
    Ok(out)
}

//! Messages: strings of JavaScript, and their form in JSON.
//!
//! Such a string is a sequence of 16-bit units (UTF-16), and may have an unpaired surrogate: it may be no
//! Unicode text at all. Kept as units, any of them comes back as it was.

use std::fmt;

use super::escapes::{CLIENT, SERVER};

/// A string of JavaScript.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Text(Vec<u16>);

/// The writer of a string, which determines the escapes (sockjs-protocol, "JSON Unicode Encoding").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// A client: browsers change many characters on their way out, so these go as escapes.
    Client,
    /// A server: control characters, some of U+2000 to U+206F, U+FFF0 to U+FFFF, and every surrogate.
    Server,
}

impl Writer {
    /// Whether this unit is written as an escape. `"` and `\` always are.
    pub fn escapes(self, unit: u16) -> bool {
        let ranges = match self {
            Writer::Client => CLIENT,
            Writer::Server => SERVER,
        };
        let index = ranges.partition_point(|(_, last)| *last < unit);
        is_surrogate(unit) || ranges.get(index).is_some_and(|(first, _)| *first <= unit)
    }
}

impl Text {
    /// Of UTF-16 units, whatever they are.
    pub fn from_units(units: Vec<u16>) -> Self {
        Text(units)
    }

    /// The UTF-16 units: what JavaScript counts as its `length`.
    pub fn units(&self) -> &[u16] {
        &self.0
    }

    /// False if a surrogate stands alone: then it is no text, and no UTF-8 can carry it.
    pub(crate) fn is_unicode(&self) -> bool {
        char::decode_utf16(self.0.iter().copied()).all(|unit| unit.is_ok())
    }

    /// As a JSON string with its quotes (RFC 8259 §7), in ASCII where the writer has to escape and in UTF-8
    /// elsewhere.
    pub fn quoted(&self, writer: Writer) -> String {
        let mut out = String::with_capacity(self.0.len() + 2);
        out.push('"');
        for unit in &self.0 {
            match (u8::try_from(*unit), char::from_u32(u32::from(*unit))) {
                (Ok(b'"'), _) => out.push_str("\\\""),
                (Ok(b'\\'), _) => out.push_str("\\\\"),
                (Ok(0x08), _) => out.push_str("\\b"),
                (Ok(b'\t'), _) => out.push_str("\\t"),
                (Ok(b'\n'), _) => out.push_str("\\n"),
                (Ok(0x0c), _) => out.push_str("\\f"),
                (Ok(b'\r'), _) => out.push_str("\\r"),
                (_, Some(c)) if !writer.escapes(*unit) => out.push(c),
                _ => out.push_str(&format!("\\u{unit:04x}")),
            }
        }
        out.push('"');
        out
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text(text.encode_utf16().collect())
    }
}

/// The text; U+FFFD where a surrogate stands alone.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf16_lossy(&self.0).fmt(f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.quoted(Writer::Server))
    }
}

/// Half of a pair that stands for a character beyond U+FFFF.
pub(super) fn is_surrogate(unit: u16) -> bool {
    (0xd800..=0xdfff).contains(&unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_escapes_what_browsers_would_change() {
        let text = Text::from("q\"uote hé \u{1f600} a\u{2028}b \u{1}\n");
        assert_eq!(text.quoted(Writer::Server), r#""q\"uote hé \ud83d\ude00 a\u2028b \u0001\n""#);
    }

    #[test]
    fn a_client_escapes_more() {
        let text = Text::from("\u{ad}\u{300}\u{20ac}é");
        assert_eq!(text.quoted(Writer::Client), "\"\\u00ad\\u0300\\u20acé\"");
        assert_eq!(text.quoted(Writer::Server), "\"\u{ad}\u{300}\u{20ac}é\"");
    }

    #[test]
    fn half_a_pair_stays_what_it_is() {
        let half = Text::from_units(vec![0x61, 0xd83d]);
        assert!(!half.is_unicode());
        assert_eq!(half.quoted(Writer::Server), r#""a\ud83d""#);
        assert_eq!(half.to_string(), "a\u{fffd}");
        assert!(Text::from("\u{1f600}").is_unicode());
    }
}

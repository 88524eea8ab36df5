//! Bytes out of text, wherever it was copied from.
//!
//! Known forms: `81 05 48`, `810548`, `0x81, 0x05`, `{0x81,0x05}`, `\x81\x05Hello` and C strings, and the
//! dumps of xxd, `hexdump -C`, `od -tx1 -Ax`, tcpdump -X and tshark -x: an offset in front, the characters
//! behind, both left out.

use thiserror::Error;

/// The longest text that is read, in bytes.
pub const LONGEST: usize = 16 << 20;

/// Text that is no hex.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: needed two hex digits a byte, had {had}")]
pub struct NotHex {
    /// The line, from 1.
    pub line: usize,
    /// What stands there, escaped.
    pub had: String,
}

/// The bytes that a text tells.
///
/// # Errors
///
/// [`NotHex`] for the first line that tells none; an empty text tells no bytes.
pub fn bytes(text: &str) -> Result<Vec<u8>, NotHex> {
    let mut out = Vec::new();
    let dump = is_dump(text);
    for (index, line) in text.lines().enumerate() {
        let line_bytes = line.trim();
        // A line of `*` stands for repeated lines, which can't be known; comments and tcpdump's head lines
        // have no bytes.
        if line_bytes.is_empty() || line_bytes.starts_with('#') || (dump && offset_end(line_bytes).is_none())
        {
            continue;
        }
        let told = if dump {
            dump_line(line_bytes)
        } else if line_bytes.contains("\\x") || line_bytes.starts_with('"') {
            c_string(line_bytes)
        } else {
            plain(line_bytes)
        };
        match told {
            Some(told) => out.extend(told),
            None => {
                let had = format!("\"{}\"", crate::wire::text::shown(line_bytes.as_bytes(), 40));
                return Err(NotHex { line: index + 1, had });
            }
        }
    }
    Ok(out)
}

/// True if its lines begin with offsets: the first is 0, or there is a colon behind it.
fn is_dump(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.find_map(offset_end);
    match first {
        Some((offset, colon, _)) => colon || offset == 0,
        None => false,
    }
}

/// The offset that a line begins with, whether a colon follows, and where what follows begins. It has at
/// least four digits.
fn offset_end(line: &str) -> Option<(u64, bool, usize)> {
    let (digits, prefix) = match line.strip_prefix("0x") {
        Some(rest) => (rest, 2),
        None => (line, 0),
    };
    let count = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
    let offset = u64::from_str_radix(digits.get(..count)?, 16).ok().filter(|_| (4..=16).contains(&count))?;
    match digits.as_bytes().get(count) {
        Some(b':') => Some((offset, true, prefix + count + 1)),
        Some(b' ' | b'\t') if prefix == 0 => Some((offset, false, prefix + count)),
        None if prefix == 0 => Some((offset, false, prefix + count)),
        _ => None,
    }
}

/// The groups of hex digits after the offset, up to where the characters begin: two spaces, or a bar.
fn dump_line(line: &str) -> Option<Vec<u8>> {
    let (_, _, at) = offset_end(line)?;
    let rest = line[at..].trim_start().split('|').next().unwrap_or_default();
    let mut out = Vec::new();
    let mut groups = 0;
    let mut gap = 0;
    for group in rest.split([' ', '\t']) {
        if group.is_empty() {
            gap += 1;
            continue;
        }
        // Two spaces end the bytes, but hexdump -C has them after the eighth byte too.
        let ends = gap > 0 && !(groups == 8 && out.len() == 8 && gap == 1);
        let hex = group.len().is_multiple_of(2)
            && group.len() <= 16
            && group.bytes().all(|byte| byte.is_ascii_hexdigit());
        if (ends && groups > 0) || !hex || out.len() >= 32 {
            break;
        }
        out.extend(digits(group)?);
        groups += 1;
        gap = 0;
    }
    Some(out)
}

/// Pairs of digits with anything usual between them.
fn plain(line: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let between =
        |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '-' | '{' | '}' | '[' | ']' | '(' | ')');
    for word in line.split(between).filter(|word| !word.is_empty()) {
        let word = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or(word);
        match word.len() {
            1 => out.push(digits(&format!("0{word}"))?[0]),
            _ => out.extend(digits(word)?),
        }
    }
    Some(out)
}

/// `"\x81\x05Hello\n"`, with or without quotation marks, maybe `b"…"`, and several of them.
fn c_string(line: &str) -> Option<Vec<u8>> {
    let line = line.trim_end_matches([';', ',']).trim();
    let line = line.strip_prefix('b').filter(|rest| rest.starts_with(['"', '\''])).unwrap_or(line);
    let quote = line.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inner = match quote {
        Some(quote) => line.strip_prefix(quote)?.strip_suffix(quote)?,
        None => line,
    };
    let mut out = Vec::new();
    let mut bytes = inner.as_bytes();
    while let Some((first, rest)) = bytes.split_first() {
        if *first != b'\\' {
            out.push(*first);
            bytes = rest;
            continue;
        }
        let (byte, taken) = match rest {
            [b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (digits(std::str::from_utf8(&[*high, *low]).ok()?)?[0], 3)
            }
            [b'0'..=b'7', ..] => {
                let count = rest.iter().take(3).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
                let number = rest[..count].iter().fold(0u32, |sum, digit| sum * 8 + u32::from(digit - b'0'));
                (u8::try_from(number).ok()?, count)
            }
            [b'n', ..] => (b'\n', 1),
            [b'r', ..] => (b'\r', 1),
            [b't', ..] => (b'\t', 1),
            [b'a', ..] => (7, 1),
            [b'b', ..] => (8, 1),
            [b'v', ..] => (11, 1),
            [b'f', ..] => (12, 1),
            [b'e', ..] => (27, 1),
            [c @ (b'\\' | b'"' | b'\'' | b'?'), ..] => (*c, 1),
            _ => return None,
        };
        out.push(byte);
        bytes = &rest[taken..];
    }
    Some(out)
}

fn digits(text: &str) -> Option<Vec<u8>> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HELLO: &[u8] = b"\x81\x05Hello";

    #[test]
    fn every_form_tells_the_same_bytes() {
        for text in [
            "81 05 48 65 6c 6c 6f",
            "81054865 6C6C6F\n",
            "0x81,0x05, 0x48,0x65,0x6c,\n 0x6c,0x6f",
            "{ 0x81, 0x5, 0x48, 0x65, 0x6c, 0x6c, 0x6f };",
            "81:05:48:65:6c:6c:6f",
            r"\x81\x05Hello",
            r#""\x81\x05Hello";"#,
            r#"b'\x81\005Hel\154o'"#,
            "00000000: 8105 4865 6c6c 6f                        ..Hello",
            "00000000  81 05 48 65 6c 6c 6f                              |..Hello|\n00000007\n",
            "\t0x0000:  8105 4865 6c6c 6f                        ..Hello",
            "0000   81 05 48 65 6c 6c 6f                              ..Hello",
            "000000 81 05 48 65 6c 6c 6f\n000007",
            "# a frame\n\n81 05 48 65 6c 6c 6f",
        ] {
            assert_eq!(bytes(text).as_deref(), Ok(HELLO), "{text}");
        }
    }

    #[test]
    fn long_dumps_are_read_line_by_line() {
        let data: Vec<u8> = (0..40).map(|n| n * 5).collect();
        let mut canonical = String::new();
        let mut tcpdump = "12:00:00.1 IP 10.0.0.1.1 > 10.0.0.2.2: Flags [P.]\n".to_owned();
        for (row, chunk) in data.chunks(16).enumerate() {
            let pairs: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
            let left = pairs[..pairs.len().min(8)].join(" ");
            let right = pairs[pairs.len().min(8)..].join(" ");
            canonical += &format!("{:08x}  {left}  {right}  |0123 456  89 abcd|\n", row * 16);
            let words: Vec<String> = pairs.chunks(2).map(|two| two.concat()).collect();
            tcpdump += &format!("\t0x{:04x}:  {}  ab..cd  ee\n", row * 16, words.join(" "));
        }
        assert_eq!(bytes(&canonical), Ok(data.clone()));
        assert_eq!(bytes(&tcpdump), Ok(data));
    }

    #[test]
    fn what_is_no_hex_is_named_with_its_line() {
        let error = bytes("81 05\nhello \x1b").unwrap_err();
        assert_eq!(error.to_string(), "line 2: needed two hex digits a byte, had \"hello \\x1b\"");
        assert!(bytes("0x8 0x123").is_err());
        assert_eq!(bytes(""), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn any_text_is_read_somehow(text: String, hexish in "[0-9a-fx:|\\\\\" \n]{0,200}") {
            let _ = bytes(&text);
            let _ = bytes(&hexish);
        }
    }
}

//! Splits a line of a `sock` block into tokens with their positions.

use super::diagnostic::Diagnostic;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// The kind of the token.
    pub kind: TokenKind,
    /// The source text.
    pub text: String,
    /// Index of its first character, counted from 0.
    pub at: usize,
}

/// The kind of a token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// Anything without white space: a name, a number, an address, `accept_queue=0`, `=`, `=>`, `&`.
    Word,
    /// `"…"` or `hex"…"`, with the bytes that it stands for.
    Bytes(Vec<u8>),
    /// `[linux, macos]`, with the words inside.
    Tags(Vec<String>),
}

impl Token {
    /// Returns the length in characters, at least 1.
    pub fn length(&self) -> usize {
        self.text.chars().count().max(1)
    }

    /// Returns whether the token is this word.
    pub fn is(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text == word
    }
}

/// The position of a line, for diagnostics.
pub(super) struct Origin<'a> {
    pub file: &'a str,
    pub line: usize,
    pub source: &'a str,
}

impl Origin<'_> {
    /// Creates a diagnostic for this position, counted in characters from 0.
    pub fn fault(
        &self,
        at: usize,
        length: usize,
        what: impl Into<String>,
        expected: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            file: self.file.to_owned(),
            line: self.line,
            column: at + 1,
            length,
            source: self.source.to_owned(),
            what: what.into(),
            expected: expected.into(),
            nearest: None,
        }
    }
}

/// Splits a line into tokens. The comment is left out.
pub(super) fn tokens(origin: &Origin) -> Result<Vec<Token>, Diagnostic> {
    let characters: Vec<char> = origin.source.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let c = characters[at];
        if c.is_whitespace() {
            at += 1;
        } else if c == '#' {
            break;
        } else if c == '"' {
            let (bytes, end) = string(origin, &characters, at)?;
            tokens.push(token(&characters, at, end, TokenKind::Bytes(bytes)));
            at = end;
        } else if characters[at..].starts_with(&['h', 'e', 'x', '"']) {
            let (text, end) = string(origin, &characters, at + 3)?;
            let digits: Vec<u8> = text.into_iter().filter(|b| !b.is_ascii_whitespace()).collect();
            let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(&digits).map_err(|_| {
                origin.fault(
                    at,
                    end - at,
                    "these are not bytes in hex",
                    "pairs of hex digits: hex\"81 05 68\"",
                )
            })?;
            tokens.push(token(&characters, at, end, TokenKind::Bytes(bytes)));
            at = end;
        } else if let Some(end) = tags_end(&characters, at) {
            let inside: String = characters[at + 1..end - 1].iter().collect();
            let words = inside.split(',').map(|word| word.trim().to_owned()).collect();
            tokens.push(token(&characters, at, end, TokenKind::Tags(words)));
            at = end;
        } else {
            let end = (at..characters.len())
                .find(|&i| characters[i].is_whitespace() || characters[i] == '"')
                .unwrap_or(characters.len());
            tokens.push(token(&characters, at, end, TokenKind::Word));
            at = end;
        }
    }
    Ok(tokens)
}

fn token(characters: &[char], at: usize, end: usize, kind: TokenKind) -> Token {
    Token { kind, text: characters[at..end].iter().collect(), at }
}

/// Returns the end of `[words, like, these]` that begins at `at`. An IPv6 address in brackets is no list of
/// tags: it has colons.
fn tags_end(characters: &[char], at: usize) -> Option<usize> {
    if characters[at] != '[' {
        return None;
    }
    let end = at + 1 + characters[at + 1..].iter().position(|&c| c == ']')?;
    let inside = &characters[at + 1..end];
    inside.iter().all(|c| c.is_alphanumeric() || matches!(c, ' ' | ',' | '-' | '_' | '+')).then_some(end + 1)
}

/// Returns the bytes of the string whose opening quote is at `at`, and the index after the closing quote.
fn string(origin: &Origin, characters: &[char], at: usize) -> Result<(Vec<u8>, usize), Diagnostic> {
    let mut bytes = Vec::new();
    let mut i = at + 1;
    let push = |bytes: &mut Vec<u8>, c: char| bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    loop {
        match characters.get(i) {
            None => {
                return Err(origin.fault(
                    at,
                    characters.len() - at,
                    "this string does not end",
                    "a closing \"",
                ));
            }
            Some('"') => return Ok((bytes, i + 1)),
            Some('\\') => {
                let escape = characters.get(i + 1).copied().unwrap_or(' ');
                i += 2;
                match escape {
                    'n' => bytes.push(b'\n'),
                    'r' => bytes.push(b'\r'),
                    't' => bytes.push(b'\t'),
                    '0' => bytes.push(0),
                    '\\' | '"' => push(&mut bytes, escape),
                    'x' => {
                        let digits: String = characters[i..].iter().take(2).collect();
                        let byte =
                            (digits.len() == 2).then(|| u8::from_str_radix(&digits, 16).ok()).flatten();
                        let bad = || origin.fault(i - 2, 4, "`\\x` takes two hex digits", "as in \\x1b");
                        bytes.push(byte.ok_or_else(bad)?);
                        i += 2;
                    }
                    'u' => {
                        let digits: String =
                            characters[i..].iter().skip(1).take_while(|&&c| c != '}').take(7).collect();
                        let c = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                        let bad =
                            || origin.fault(i - 2, 2, "`\\u` takes a code point in braces", "as in \\u{e9}");
                        push(&mut bytes, c.ok_or_else(bad)?);
                        i += digits.chars().count() + 2;
                    }
                    other => {
                        return Err(origin.fault(
                            i - 2,
                            2,
                            format!("`\\{other}` is no escape"),
                            "one of \\n \\r \\t \\0 \\\\ \\\" \\x1b \\u{e9}",
                        ));
                    }
                }
            }
            Some(&c) => {
                push(&mut bytes, c);
                i += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(source: &str) -> Result<Vec<Token>, Diagnostic> {
        tokens(&Origin { file: "f", line: 1, source })
    }

    #[test]
    fn words_strings_and_tags_are_told_apart() {
        let kinds: Vec<TokenKind> = cut(r#"client$ send c "a b" => 3 [linux, macos] # so"#)
            .unwrap()
            .into_iter()
            .map(|t| t.kind)
            .collect();
        assert_eq!(kinds[3], TokenKind::Bytes(b"a b".to_vec()));
        assert_eq!(kinds[6], TokenKind::Tags(vec!["linux".into(), "macos".into()]));
        assert_eq!(kinds.len(), 7, "the comment is left out");
    }

    #[test]
    fn escapes_mean_bytes() {
        let token = &cut(r#""\r\n\x1b\u{e9}\0\"\\""#).unwrap()[0];
        assert_eq!(token.kind, TokenKind::Bytes(b"\r\n\x1b\xc3\xa9\0\"\\".to_vec()));
        assert_eq!(cut(r#"hex"81 05""#).unwrap()[0].kind, TokenKind::Bytes(vec![0x81, 5]));
    }

    #[test]
    fn an_ipv6_address_in_brackets_is_a_word() {
        assert!(cut("bind s [::1]:7000").unwrap()[2].is("[::1]:7000"));
    }

    #[test]
    fn a_string_without_end_is_a_fault_where_it_begins() {
        let fault = cut(r#"send c "abc"#).unwrap_err();
        assert_eq!((fault.column, fault.length), (8, 4));
    }

    #[test]
    fn bad_escapes_are_faults() {
        for bad in [r#""\q""#, r#""\x1""#, r#""\u{110000}""#, r#""\u""#, r#"hex"1""#, r#"hex"zz""#, "\"\\"] {
            assert!(cut(bad).is_err(), "{bad}");
        }
    }
}

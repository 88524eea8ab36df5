//! Parses what follows `=>`: the expected outcomes of a call, and where each applies.

use super::{Result, Words, argument::place};
use crate::{
    call::{Arguments, ERRNOS},
    lesson::{
        Compare, Expected, Outcome,
        diagnostic::{Diagnostic, nearest},
        grammar::{TAGS, among},
        token::{Token, TokenKind},
    },
};

impl Words<'_> {
    /// Parses `=> ECONNREFUSED [linux] | EAGAIN`, if present.
    pub(super) fn expectations(&mut self, tags: bool) -> Result<Vec<Expected>> {
        let mut all = Vec::new();
        if !self.peek().is_some_and(|token| token.is("=>")) {
            return Ok(all);
        }
        loop {
            self.next += 1;
            let what = self.outcome()?;
            let on = if tags { self.tags()? } else { Vec::new() };
            all.push(Expected { what, on });
            if !self.peek().is_some_and(|token| token.is("|")) {
                return Ok(all);
            }
        }
    }

    pub(super) fn outcome(&mut self) -> Result<Outcome> {
        const WORDS: [&str; 6] = ["ok", "blocked", "deadline", "invalid", "close", "violation"];
        let token =
            self.take("what the call returns: ok, a number, \"bytes\", an address or an error's name")?;
        if let TokenKind::Bytes(_) = token.kind {
            self.next -= 1;
            return self.quoted().map(Outcome::Bytes);
        }
        let text = token.text.as_str();
        match text {
            "ok" => return Ok(Outcome::Success),
            "blocked" => return Ok(Outcome::Blocked),
            "deadline" => return Ok(Outcome::Deadline),
            "invalid" => return Ok(Outcome::Invalid),
            "close" | "violation" => {
                let code: i64 = self.number("Close code")?;
                let code = u16::try_from(code)
                    .map_err(|_| self.fault(token, "a Close code has 16 bits", "expected 1000 to 4999"))?;
                return Ok(if text == "close" { Outcome::Close(code) } else { Outcome::Violation(code) });
            }
            _ => {}
        }
        if let Some((errno, _)) = ERRNOS.iter().find(|(name, _)| *name == text) {
            return Ok(Outcome::Errno(errno));
        }
        let (compare, rest) = comparison(text).unwrap_or((Compare::Equal, text));
        let number = if rest.is_empty() {
            self.number("bound")?
        } else {
            match rest.parse() {
                Ok(number) => number,
                Err(_) => match place(text) {
                    Some(place) => return Ok(Outcome::Address(place)),
                    None => {
                        let known = ERRNOS.iter().map(|(name, _)| *name).chain(WORDS);
                        return Err(Diagnostic {
                            nearest: nearest(text, known),
                            ..self.fault(
                                token,
                                format!("`{text}` is nothing that a call returns"),
                                "expected ok, blocked, deadline, invalid, a number, \"bytes\", an address, close N, violation N or an error's name",
                            )
                        });
                    }
                },
            }
        };
        Ok(Outcome::Number(compare, number))
    }

    pub(super) fn tags(&mut self) -> Result<Vec<&'static str>> {
        let Some(Token { kind: TokenKind::Tags(given), .. }) = self.peek() else { return Ok(Vec::new()) };
        let token = self.take("tags")?;
        given
            .iter()
            .map(|word| {
                among(TAGS, word).ok_or_else(|| Diagnostic {
                    nearest: nearest(word, TAGS.iter().copied()),
                    ..self.fault(
                        token,
                        format!("`{word}` is no system or stage"),
                        format!("expected {}", TAGS.join(", ")),
                    )
                })
            })
            .collect()
    }
}

/// Splits `>=5` into the comparison and the rest.
fn comparison(text: &str) -> Option<(Compare, &str)> {
    Compare::ALL.iter().find_map(|(sign, compare)| text.strip_prefix(sign).map(|rest| (*compare, rest)))
}

//! Parses the arguments of a call, including times and addresses.

use std::{net::IpAddr, time::Duration};

use super::{Diagnostic, Result, Words, wire::milliseconds};
use crate::{
    call::{Arguments, At, Place, Target},
    event::Host,
    lesson::token::{Token, TokenKind},
};

/// Largest argument, in bytes. A longer one, such as `"x" * N`, is refused.
const MAX_BYTES: usize = 16 << 20;

impl Arguments for Words<'_> {
    type Error = Diagnostic;

    fn at_end(&self) -> bool {
        self.peek().is_none_or(|token| token.is("&") || token.is("=>") || token.is("within"))
    }

    fn at_word(&self) -> bool {
        !self.at_end() && self.peek().is_some_and(|token| token.kind == TokenKind::Word)
    }

    fn one_of<T: Copy>(&mut self, role: &str, list: &[(&'static str, T)]) -> Result<T> {
        let names = || list.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let token = self.word(&format!("a {role}: {}", names().join(", ")))?;
        match list.iter().find(|(name, _)| *name == token.text) {
            Some((_, value)) => Ok(*value),
            None => Err(self.unknown(token, role, &names())),
        }
    }

    fn number<T: TryFrom<i64>>(&mut self, role: &str) -> Result<T> {
        let token = self.word(&format!("a number: the {role}"))?;
        token.text.parse::<i64>().ok().and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
            self.fault(
                token,
                format!("`{}` is no number", token.text),
                format!("expected the {role}, a number such as 10"),
            )
        })
    }

    fn size(&mut self) -> Result<usize> {
        let token = self.peek();
        let size: i64 = self.number("size in bytes")?;
        match usize::try_from(size) {
            Ok(size @ 0..=MAX_BYTES) => Ok(size),
            _ => Err(self.fault(
                token.expect("it was read as a number"),
                format!("`{size}` is no size"),
                format!("expected 0 to {MAX_BYTES} bytes"),
            )),
        }
    }

    fn time(&mut self) -> Result<Duration> {
        self.milliseconds().map(Duration::from_millis)
    }

    fn bytes(&mut self) -> Result<Vec<u8>> {
        self.quoted()
    }

    fn target(&mut self) -> Result<Target> {
        let token = self.word("an address, such as :7000 or server:7000")?;
        Ok(match token.text.strip_suffix(".from") {
            Some(_) => Target::Sender(self.sender(token)?),
            None => Target::Place(self.place(token)?),
        })
    }

    fn path(&mut self) -> Result<String> {
        let token = self.word("a path, such as /chat")?;
        if !token.text.starts_with('/') {
            return Err(self.fault(
                token,
                format!("`{}` is no path", token.text),
                "expected a path that begins with /",
            ));
        }
        Ok(token.text.clone())
    }

    fn named(&mut self, name: &str) -> Result<Option<String>> {
        if !self.peek().is_some_and(|token| token.is(name)) {
            return Ok(None);
        }
        self.next += 1;
        Ok(Some(self.word(&format!("a value for `{name}`"))?.text.clone()))
    }

    fn masking_key(&mut self) -> Result<[u8; 4]> {
        let token = self.word("a masking key: eight hex digits")?;
        let key = data_encoding::HEXLOWER_PERMISSIVE.decode(token.text.as_bytes()).ok();
        key.and_then(|key| key.try_into().ok()).ok_or_else(|| {
            self.fault(
                token,
                format!("`{}` is no masking key", token.text),
                "expected eight hex digits, such as 37fa213d",
            )
        })
    }
}

impl Words<'_> {
    pub(super) fn name(&mut self, expected: &str) -> Result<String> {
        let token = self.word(expected)?;
        if is_name(&token.text) {
            Ok(token.text.clone())
        } else {
            Err(self.fault(
                token,
                format!("`{}` is no name", token.text),
                format!("expected {expected}: a letter, then letters, digits or _, 20 at most"),
            ))
        }
    }

    /// Parses `m.from`, the sender of the datagram `m`. Returns `m`.
    fn sender(&self, token: &Token) -> Result<String> {
        let name = token.text.strip_suffix(".from").unwrap_or_default();
        if is_name(name) {
            return Ok(name.to_owned());
        }
        Err(self.fault(token, format!("`{name}` is no name"), "expected the name of what `recvfrom` gave"))
    }

    /// Parses `"text"` or `hex"81 05"`, optionally with `* 1000`.
    pub(super) fn quoted(&mut self) -> Result<Vec<u8>> {
        let token = self.take("bytes, such as \"hello\"")?;
        let TokenKind::Bytes(bytes) = &token.kind else {
            return Err(self.fault(
                token,
                format!("`{}` is not in quotes", token.text),
                "expected bytes, such as \"hello\" or hex\"81 05\"",
            ));
        };
        if !self.peek().is_some_and(|star| star.is("*")) {
            return Ok(bytes.clone());
        }
        self.next += 1;
        let count = self.peek();
        let times: i64 = self.number("count of repeats")?;
        match usize::try_from(times).ok().filter(|times| times.saturating_mul(bytes.len()) <= MAX_BYTES) {
            Some(times) => Ok(bytes.repeat(times)),
            None => Err(self.fault(
                count.unwrap_or(token),
                "this makes too many bytes",
                format!("at most {MAX_BYTES} in all"),
            )),
        }
    }

    pub(super) fn place(&self, token: &Token) -> Result<Place> {
        place(&token.text).ok_or_else(|| {
            self.fault(
                token,
                format!("`{}` is no address", token.text),
                "expected :7000, server:7000, client:7000, any:7000, 127.0.0.2:7000 or [::1]:7000",
            )
        })
    }

    /// Parses `within 300ms`, if present. Returns milliseconds.
    pub(super) fn within(&mut self) -> Result<Option<u64>> {
        if !self.peek().is_some_and(|token| token.is("within")) {
            return Ok(None);
        }
        self.next += 1;
        self.milliseconds().map(Some)
    }

    /// Parses `200ms` or `2s`. Returns milliseconds.
    fn milliseconds(&mut self) -> Result<u64> {
        let token = self.word("a time, such as 300ms or 2s")?;
        match milliseconds(&token.text) {
            Some(time @ 1..=60_000) => Ok(time),
            _ => Err(self.fault(
                token,
                format!("`{}` is no time", token.text),
                "expected a time from 1ms to 60s",
            )),
        }
    }
}

/// Returns whether the text is a letter followed by letters, digits or `_`, with at most 20 characters.
fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 20
}

/// Parses `:7000`, `server:7000`, `any:7000`, `127.0.0.2:7000` or `[::1]:7000`.
pub(super) fn place(text: &str) -> Option<Place> {
    let (before, port) = text.rsplit_once(':')?;
    if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let at = match before {
        "" => At::Own,
        "client" => At::Host(Host::Client),
        "server" => At::Host(Host::Server),
        "any" => At::Any,
        v6 if v6.starts_with('[') => {
            At::Ip(IpAddr::V6(v6.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?))
        }
        v4 => At::Ip(IpAddr::V4(v4.parse().ok()?)),
    };
    Some(Place { at, port: port.parse().ok()? })
}

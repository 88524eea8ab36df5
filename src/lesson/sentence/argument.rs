//! The arguments of a call, and the times and addresses among them.

use std::net::IpAddr;

use super::{Result, Words, wire::milliseconds};
use crate::{
    event::Host,
    lesson::{
        Argument, At, Place,
        token::{Token, TokenKind},
        words::{self, FLAGS, FRAME_MODIFIERS, HOWS, Kind, OPCODES, OPTIONS, PROTOCOLS},
    },
};

/// Bytes in one argument, at most: `"x" * N` is a lesson about full buffers, not about memory.
const MOST_BYTES: usize = 16 << 20;

impl Words<'_> {
    pub(super) fn argument(
        &mut self,
        word: &words::Word,
        kind: Kind,
        arguments: &mut Vec<Argument>,
    ) -> Result<()> {
        let ends = self.at_end_of_arguments();
        let argument = match kind {
            Kind::Socket => {
                Argument::Socket(self.name(&format!("the name of a socket for `{}`", word.name))?)
            }
            Kind::WebSocket => {
                Argument::Socket(self.name(&format!("the name of a WebSocket for `{}`", word.name))?)
            }
            Kind::Protocol => Argument::Word(self.one_of("protocol", PROTOCOLS)?),
            Kind::How => Argument::Word(self.one_of("direction to shut down", HOWS)?),
            Kind::Option => Argument::Word(self.one_of("socket option", OPTIONS)?),
            Kind::Opcode => Argument::Word(self.one_of("kind of frame", OPCODES)?),
            Kind::Address => {
                let token = self.word("an address, such as :7000 or server:7000")?;
                match token.text.strip_suffix(".from") {
                    Some(_) => Argument::Sender(self.sender(token)?),
                    None => Argument::Address(self.place(token)?),
                }
            }
            Kind::Time => Argument::Time(self.time()?),
            Kind::Number("size") => Argument::Number(self.size()?),
            Kind::Number(name) => Argument::Number(self.number(name)?),
            Kind::MaybeNumber(name) if !ends && self.peek().is_some_and(|t| t.kind == TokenKind::Word) => {
                Argument::Number(self.number(name)?)
            }
            Kind::Bytes => Argument::Bytes(self.bytes()?),
            Kind::MaybeBytes if !ends => Argument::Bytes(self.bytes()?),
            Kind::Path => {
                let token = self.word("a path, such as /chat")?;
                if !token.text.starts_with('/') {
                    return Err(self.fault(
                        token,
                        format!("`{}` is no path", token.text),
                        "expected a path that begins with /",
                    ));
                }
                Argument::Text(token.text.clone())
            }
            Kind::Flags => {
                let mut flags = Vec::new();
                while !self.at_end_of_arguments() {
                    flags.push(self.one_of("flag", FLAGS)?);
                }
                Argument::Flags(flags)
            }
            Kind::FrameModifiers => {
                while !self.at_end_of_arguments() {
                    let modifier = self.one_of("frame modifier", FRAME_MODIFIERS)?;
                    arguments.push(Argument::Word(modifier));
                    if modifier == "mask" {
                        arguments.push(self.masking_key()?);
                    }
                }
                return Ok(());
            }
            Kind::Maybe(only) if !ends => {
                let token = self.word(&format!("`{only}` or the end of the line"))?;
                if token.text != only {
                    return Err(self.unknown(token, "modifier", &[only]));
                }
                Argument::Word(only)
            }
            Kind::MaybeNamed(name) if self.peek().is_some_and(|token| token.is(name)) => {
                self.next += 1;
                arguments.push(Argument::Word(name));
                Argument::Text(self.word(&format!("a value for `{name}`"))?.text.clone())
            }
            Kind::MaybeNumber(_) | Kind::MaybeBytes | Kind::Maybe(_) | Kind::MaybeNamed(_) => return Ok(()),
        };
        arguments.push(argument);
        Ok(())
    }

    pub(super) fn at_end_of_arguments(&self) -> bool {
        self.peek().is_none_or(|token| token.is("&") || token.is("=>") || token.is("within"))
    }

    pub(super) fn masking_key(&mut self) -> Result<Argument> {
        let token = self.word("a masking key: eight hex digits")?;
        match data_encoding::HEXLOWER_PERMISSIVE.decode(token.text.as_bytes()) {
            Ok(key) if key.len() == 4 => Ok(Argument::Bytes(key)),
            _ => Err(self.fault(
                token,
                format!("`{}` is no masking key", token.text),
                "expected eight hex digits, such as 37fa213d",
            )),
        }
    }

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

    /// `m.from`: who sent the datagram `m`.
    fn sender(&self, token: &Token) -> Result<String> {
        let name = token.text.strip_suffix(".from").unwrap_or_default();
        if is_name(name) {
            return Ok(name.to_owned());
        }
        Err(self.fault(token, format!("`{name}` is no name"), "expected the name of what `recvfrom` gave"))
    }

    pub(super) fn number(&mut self, role: &str) -> Result<i64> {
        let token = self.word(&format!("a number: the {role}"))?;
        token.text.parse().map_err(|_| {
            self.fault(
                token,
                format!("`{}` is no number", token.text),
                format!("expected the {role}, a number such as 10"),
            )
        })
    }

    /// Room for so many bytes.
    pub(super) fn size(&mut self) -> Result<i64> {
        let token = self.peek();
        let size = self.number("size in bytes")?;
        match usize::try_from(size) {
            Ok(0..=MOST_BYTES) => Ok(size),
            _ => Err(self.fault(
                token.expect("it was read as a number"),
                format!("`{size}` is no size"),
                format!("expected 0 to {MOST_BYTES} bytes"),
            )),
        }
    }

    /// `"text"`, `hex"81 05"`, each perhaps with `* 1000`.
    pub(super) fn bytes(&mut self) -> Result<Vec<u8>> {
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
        let times = self.number("count of repeats")?;
        match usize::try_from(times).ok().filter(|times| times.saturating_mul(bytes.len()) <= MOST_BYTES) {
            Some(times) => Ok(bytes.repeat(times)),
            None => Err(self.fault(
                count.unwrap_or(token),
                "this makes too many bytes",
                format!("at most {MOST_BYTES} in all"),
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

    /// `within 300ms`
    pub(super) fn within(&mut self) -> Result<Option<u64>> {
        if !self.peek().is_some_and(|token| token.is("within")) {
            return Ok(None);
        }
        self.next += 1;
        self.time().map(Some)
    }

    /// `200ms`, `2s`: in milliseconds.
    fn time(&mut self) -> Result<u64> {
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

/// A letter, then letters, digits or `_`.
fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 20
}

/// `:7000`, `server:7000`, `any:7000`, `127.0.0.2:7000`, `[::1]:7000`
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

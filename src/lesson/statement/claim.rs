//! Parses what follows `check`: a claim about a socket or a call.

use super::{Result, Words, argument::place};
use crate::{
    event::Host,
    lesson::{
        Claim, Compare, State, Subject, Wanted,
        diagnostic::{Diagnostic, nearest},
        grammar::{self, KEYS},
        token::{Token, TokenKind},
    },
};

impl Words<'_> {
    /// Parses what follows `check` or `check still`.
    pub(super) fn claim(&mut self, still: bool) -> Result<Claim> {
        let token = self.word("a socket or a call, such as server.s")?;
        let subject = subject(&token.text).ok_or_else(|| {
            self.fault(
                token,
                format!("`{}` names no socket", token.text),
                "expected server.NAME, client.NAME or server~client.NAME",
            )
        })?;
        let mut claim = Claim { subject, still, state: None, values: Vec::new(), on: Vec::new() };
        while let Some(token) = self.peek() {
            if let TokenKind::Tags(_) = token.kind {
                claim.on = self.tags()?;
                break;
            }
            self.next += 1;
            if let Some((_, state)) = State::all().find(|(name, _)| *name == token.text) {
                claim.state = Some(state);
                continue;
            }
            claim.values.push(self.value(token)?);
        }
        if claim.state.is_none() && claim.values.is_empty() {
            return Err(self.fault(
                token,
                "this claims nothing",
                "expected a state such as LISTEN, or a value such as recv_queue=5",
            ));
        }
        if claim.state.is_some_and(State::is_of_a_call) && !claim.values.is_empty() {
            return Err(self.fault(
                token,
                "a call has no such values",
                "expected `blocked` or `returned` alone",
            ));
        }
        Ok(claim)
    }

    /// Parses `accept_queue=0`, `local=server:7000`, `local_port=server.s.local_port` or `negotiated=sack`.
    pub(super) fn value(&self, token: &Token) -> Result<(grammar::Key, Compare, Wanted)> {
        let text = token.text.as_str();
        let Some((at, compare, length)) = Compare::ALL
            .iter()
            .filter_map(|(sign, compare)| text.find(sign).map(|at| (at, *compare, sign.len())))
            .min_by_key(|(at, _, length)| (*at, std::cmp::Reverse(*length)))
        else {
            return Err(self.unknown(
                token,
                "state",
                &State::all().map(|(name, _)| name).collect::<Vec<_>>(),
            ));
        };
        let (name, wanted) = (&text[..at], &text[at + length..]);
        let keys: Vec<&str> = KEYS.iter().map(|(name, _)| *name).collect();
        let unknown = |name: &str| Diagnostic {
            nearest: nearest(name, keys.iter().copied()),
            ..self.fault(
                token,
                format!("`{name}` is nothing that the kernel says of a socket"),
                format!("expected one of {}", keys.join(", ")),
            )
        };
        let key_of = |name: &str| KEYS.iter().find(|(known, _)| *known == name).map(|(_, key)| *key);
        let key = key_of(name).ok_or_else(|| unknown(name))?;
        let wanted = if wanted == "none" {
            Wanted::Nothing
        } else if let Ok(number) = wanted.parse() {
            Wanted::Number(number)
        } else if let Some(place) = place(wanted) {
            Wanted::Address(place)
        } else if let Some((of, other)) =
            wanted.rsplit_once('.').and_then(|(of, other)| Some((subject(of)?, other)))
        {
            Wanted::Of(of, key_of(other).ok_or_else(|| unknown(other))?)
        } else if key == grammar::Key::Negotiated && !wanted.is_empty() {
            Wanted::Word(wanted.replace('_', " "))
        } else {
            return Err(self.fault(
                token,
                format!("`{wanted}` is no value"),
                "expected a number, an address, none, or another socket's value such as server.s.local",
            ));
        };
        Ok((key, compare, wanted))
    }
}

/// Parses `server.s` or `server~client.c`.
pub(in crate::lesson) fn subject(text: &str) -> Option<Subject> {
    let (before, name) = text.split_once('.')?;
    let host_of = |name: &str| Host::ALL.into_iter().find(|host| host.name() == name);
    let simple = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match before.split_once('~') {
        None => Some(Subject { host: host_of(before)?, other_end: false, name: name.to_owned() })
            .filter(|_| simple),
        Some((here, there)) => {
            let (host, other) = (host_of(here)?, host_of(there)?);
            (simple && host != other).then(|| Subject { host, other_end: true, name: name.to_owned() })
        }
    }
}

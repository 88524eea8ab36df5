//! Parses what follows `wire$` and `check wire`: actions on the cable, and claims about it.

use super::{Result, Words};
use crate::{
    event::Host,
    lesson::{
        Compare, FramePattern, Which, WireAct, WireClaim, WireWanted,
        diagnostic::{Diagnostic, nearest},
        grammar::{FATES, FRAME_KEYS, FRAMES, FrameKey, TCP_FLAGS, WIRE, among},
        token::{Token, TokenKind},
    },
};

/// The two directions and their senders.
const WAYS: [(&str, Host); 2] = [("client>server", Host::Client), ("server>client", Host::Server)];

/// Maximum delay of a frame, in milliseconds. A longer one is refused.
const LONGEST_DELAY: u64 = 60_000;

impl Words<'_> {
    /// Parses what follows `wire$`.
    pub(super) fn wire_act(&mut self) -> Result<WireAct> {
        let names: Vec<&str> = WIRE.iter().map(|(name, ..)| *name).collect();
        let token = self.word(&format!("what to do to the cable: {}", names.join(", ")))?;
        Ok(match token.text.as_str() {
            "hold" => WireAct::Hold,
            "deliver" => WireAct::Deliver(self.which()?),
            "drop" => WireAct::Drop(self.which()?),
            "duplicate" => WireAct::Duplicate(self.which()?),
            "corrupt" => WireAct::Corrupt(self.which()?),
            "reorder" => WireAct::Reorder,
            "delay" => WireAct::Delay(self.delay()?),
            "cut" => WireAct::Cut,
            "mend" => WireAct::Mend,
            _ => return Err(self.unknown(token, "thing to do to the cable", &names)),
        })
    }

    /// Parses a selection of held frames: nothing, `2`, `all` or a pattern.
    fn which(&mut self) -> Result<Which> {
        let Some(token) = self.peek().filter(|token| !token.is("within")) else {
            return Ok(Which::Oldest(1));
        };
        if token.is("all") {
            self.next += 1;
            return Ok(Which::All);
        }
        if token.text.bytes().all(|byte| byte.is_ascii_digit()) {
            self.next += 1;
            return match token.text.parse() {
                Ok(number @ 1..=10_000) => Ok(Which::Oldest(number)),
                _ => Err(self.fault(
                    token,
                    format!("`{}` is no number of frames", token.text),
                    "expected 1 to 10000",
                )),
            };
        }
        let pattern = self.pattern()?;
        match pattern.fate {
            // Only held frames can be selected, so a fate makes no sense here.
            Some(_) => {
                Err(self.fault(token, "only held frames are there to choose from", "leave the fate out"))
            }
            None => Ok(Which::Like(pattern)),
        }
    }

    fn delay(&mut self) -> Result<u64> {
        let token = self.word("a time, such as 80ms")?;
        match milliseconds(&token.text) {
            Some(time @ 0..=LONGEST_DELAY) => Ok(time),
            _ => Err(self.fault(
                token,
                format!("`{}` is no time", token.text),
                "expected a time from 0ms to 60s",
            )),
        }
    }

    /// Parses what follows `check wire` or `check still wire`.
    pub(super) fn wire_claim(&mut self, still: bool) -> Result<WireClaim> {
        let what = match self.peek() {
            Some(token) if token.is("quiet") => {
                self.next += 1;
                WireWanted::Quiet
            }
            Some(token)
                if token.kind == TokenKind::Word
                    && token.text.starts_with("held")
                    && token.text != "held" =>
            {
                self.next += 1;
                let value = |sign: &str| token.text.strip_prefix("held")?.strip_prefix(sign)?.parse().ok();
                let found = Compare::ALL.iter().find_map(|(sign, compare)| Some((*compare, value(sign)?)));
                let (compare, number) = found.ok_or_else(|| {
                    self.fault(
                        token,
                        format!("`{}` is no number of frames", token.text),
                        "expected held=1 or held>=2",
                    )
                })?;
                WireWanted::Held(compare, number)
            }
            _ => WireWanted::Frame(self.pattern()?),
        };
        Ok(WireClaim { still, what, within: self.within()?, on: self.tags()? })
    }

    /// Parses `client>server SYN,ACK len=0 again held`, in any order.
    fn pattern(&mut self) -> Result<FramePattern> {
        let mut pattern = FramePattern::default();
        let first = self.next;
        while let Some(token) = self.peek() {
            if token.kind != TokenKind::Word || token.is("within") {
                break;
            }
            self.piece(token, &mut pattern)?;
            self.next += 1;
        }
        if self.next == first {
            // Fails with what is expected here.
            self.take("a frame, such as client>server SYN, or quiet")?;
        }
        Ok(pattern)
    }

    fn piece(&self, token: &Token, pattern: &mut FramePattern) -> Result<()> {
        let text = token.text.as_str();
        let twice = |there: bool| match there {
            true => Err(self.fault(token, format!("`{text}` says again what was said"), "leave it out")),
            false => Ok(()),
        };
        if let Some((_, from)) = WAYS.iter().find(|(way, _)| *way == text) {
            twice(pattern.from.is_some())?;
            pattern.from = Some(*from);
        } else if let Some(kind) = among(FRAMES, text) {
            twice(pattern.kind.is_some())?;
            pattern.kind = Some(kind);
        } else if let Some(fate) = among(FATES, text) {
            twice(pattern.fate.is_some())?;
            pattern.fate = Some(fate);
        } else if text == "again" {
            twice(pattern.again)?;
            pattern.again = true;
        } else if let Some(flags) = flags(text) {
            twice(pattern.flags.is_some())?;
            pattern.flags = Some(flags);
        } else {
            pattern.values.push(self.frame_value(token)?);
        }
        Ok(())
    }

    /// Parses `len=5` or `after>=900`.
    fn frame_value(&self, token: &Token) -> Result<(FrameKey, Compare, i64)> {
        let text = token.text.as_str();
        let found = Compare::ALL
            .iter()
            .filter_map(|(sign, compare)| text.find(sign).map(|at| (at, *compare, sign.len())))
            .min_by_key(|(at, _, length)| (*at, std::cmp::Reverse(*length)));
        let Some((at, compare, length)) = found else {
            let words: Vec<&str> = WAYS
                .iter()
                .map(|(way, _)| *way)
                .chain(TCP_FLAGS.iter().map(|(flag, _)| *flag))
                .chain(FRAMES.iter().copied())
                .chain(["again"])
                .chain(FATES.iter().copied())
                .collect();
            return Err(self.unknown(token, "word for a frame", &words));
        };
        let (name, wanted) = (&text[..at], &text[at + length..]);
        let keys: Vec<&str> = FRAME_KEYS.iter().map(|(name, _)| *name).collect();
        let key = FRAME_KEYS.iter().find(|(known, _)| *known == name).ok_or_else(|| Diagnostic {
            nearest: nearest(name, keys.iter().copied()),
            ..self.fault(
                token,
                format!("`{name}` is no value of a frame"),
                format!("expected one of {}", keys.join(", ")),
            )
        })?;
        let number = wanted
            .parse()
            .map_err(|_| self.fault(token, format!("`{wanted}` is no number"), "expected a number"))?;
        Ok((key.1, compare, number))
    }
}

/// Returns the bits of `SYN,ACK`.
fn flags(text: &str) -> Option<u8> {
    text.split(',').try_fold(0, |bits, name| {
        TCP_FLAGS.iter().find(|(known, _)| *known == name).map(|(_, bit)| bits | bit)
    })
}

/// Parses `300ms` or `2s`. Returns milliseconds.
pub(super) fn milliseconds(text: &str) -> Option<u64> {
    match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => number.parse().ok(),
        (None, Some(number)) => number.parse().ok().and_then(|s: u64| s.checked_mul(1000)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::{Statement, step};

    fn act(line: &str) -> WireAct {
        match step(line).unwrap().what {
            Statement::Wire { act, .. } => act,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_thing_to_do_to_a_cable_is_read() {
        assert_eq!(act("wire$ hold"), WireAct::Hold);
        assert_eq!(act("wire$ deliver"), WireAct::Deliver(Which::Oldest(1)));
        assert_eq!(act("wire$ drop 3"), WireAct::Drop(Which::Oldest(3)));
        assert_eq!(act("wire$ duplicate all"), WireAct::Duplicate(Which::All));
        assert_eq!(act("wire$ delay 80ms"), WireAct::Delay(80));
        let syn_ack = FramePattern { from: Some(Host::Server), flags: Some(0x12), ..FramePattern::default() };
        assert_eq!(act("wire$ deliver server>client SYN,ACK"), WireAct::Deliver(Which::Like(syn_ack)));
        for (name, takes, _) in WIRE {
            let line = format!("wire$ {name} {}", if *takes == "TIME" { "5ms" } else { "" });
            assert_eq!(act(&line).name(), *name);
        }
    }

    #[test]
    fn a_claim_about_the_cable_is_read() {
        let claim = |line: &str| match step(line).unwrap().what {
            Statement::CheckWire(claim) => claim,
            other => panic!("{other:?}"),
        };
        let frame = FramePattern {
            from: Some(Host::Client),
            kind: Some("data"),
            again: true,
            values: vec![(FrameKey::Length, Compare::Equal, 5), (FrameKey::After, Compare::AtLeast, 900)],
            fate: Some("held"),
            ..FramePattern::default()
        };
        let line = "check wire client>server data len=5 again after>=900 held within 9s [cable]";
        let what = WireWanted::Frame(frame);
        assert_eq!(claim(line), WireClaim { still: false, what, within: Some(9000), on: vec!["cable"] });
        assert_eq!(claim("check still wire quiet").what, WireWanted::Quiet);
        assert_eq!(claim("check wire held>=2").what, WireWanted::Held(Compare::AtLeast, 2));
    }

    #[test]
    fn faults_name_the_word() {
        for (line, column, nearest) in [
            ("wire$ delivr", 7, Some("deliver")),
            ("wire$ deliver SYNN", 15, Some("SYN")),
            ("wire$ deliver 0", 15, None),
            ("wire$ drop SYN held", 12, None),
            ("wire$ delay", 12, None),
            ("wire$ delay 3", 13, None),
            ("check wire", 11, None),
            ("check wire client>server lenn=5", 26, Some("len")),
            ("check wire SYN SYN", 16, None),
            ("check wire held=x", 12, None),
        ] {
            let fault = step(line).expect_err(line);
            assert_eq!((fault.column, fault.nearest.as_deref()), (column, nearest), "{line}: {fault}");
        }
    }
}

//! One line of a `sock` block becomes a statement.

use std::net::IpAddr;

use super::{
    Act, Argument, At, Claim, Compare, Expected, Outcome, Place, Statement, Subject, Wanted,
    fault::{Fault, nearest},
    token::{Origin, Token, TokenKind, tokens},
    words::{
        self, CALL_STATES, ERRNOS, FLAGS, FRAME_MODIFIERS, HOWS, KEYS, Kind, OPCODES, OPTIONS, PROTOCOLS,
        STATES, TAGS, WORDS, among,
    },
};
use crate::trace::Host;

/// Bytes in one argument, at most: `"x" * N` is a lesson about full buffers, not about memory.
const MOST_BYTES: usize = 16 << 20;

/// The statement of a line; `None` for an empty line or one that is all comment.
pub(super) fn statement(origin: &Origin) -> Result<Option<Statement>, Fault> {
    let tokens = tokens(origin)?;
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut words = Words { origin, tokens: &tokens, next: 0 };
    let statement = words.statement()?;
    match words.peek() {
        None => Ok(Some(statement)),
        Some(extra) => {
            Err(words.fault(extra, format!("`{}` is too much here", extra.text), "the end of the line"))
        }
    }
}

/// The tokens of a line, read from the left.
struct Words<'a> {
    origin: &'a Origin<'a>,
    tokens: &'a [Token],
    next: usize,
}

type Result<T, E = Fault> = std::result::Result<T, E>;

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next)
    }

    /// The token after the next.
    fn second(&self) -> Option<&'a Token> {
        self.tokens.get(self.next + 1)
    }

    fn take(&mut self, expected: &str) -> Result<&'a Token> {
        let Some(token) = self.peek() else {
            let end = self.tokens.last().map_or(0, |last| last.at + last.length());
            return Err(self.origin.fault(end, 1, "the line ends too early", format!("expected {expected}")));
        };
        self.next += 1;
        Ok(token)
    }

    fn word(&mut self, expected: &str) -> Result<&'a Token> {
        let token = self.take(expected)?;
        match token.kind {
            TokenKind::Word => Ok(token),
            _ => {
                Err(self.fault(token, format!("`{}` is no word", token.text), format!("expected {expected}")))
            }
        }
    }

    fn fault(&self, token: &Token, what: impl Into<String>, expected: impl Into<String>) -> Fault {
        self.origin.fault(token.at, token.length(), what, expected)
    }

    /// A fault for a word that should have been one of a list.
    fn unknown(&self, token: &Token, role: &str, list: &[&str]) -> Fault {
        Fault {
            nearest: nearest(&token.text, list.iter().copied()),
            ..self.fault(
                token,
                format!("`{}` is no {role}", token.text),
                format!("expected one of {}", list.join(", ")),
            )
        }
    }

    fn one_of(&mut self, role: &str, list: &'static [&'static str]) -> Result<&'static str> {
        let token = self.word(&format!("a {role}: {}", list.join(", ")))?;
        among(list, &token.text).ok_or_else(|| self.unknown(token, role, list))
    }

    fn statement(&mut self) -> Result<Statement> {
        const STARTS: [&str; 3] = ["client$", "server$", "check"];
        let first = self.word("`client$`, `server$` or `check`")?;
        let host = match first.text.as_str() {
            "check" => return self.claim().map(Statement::Check),
            "client$" => Host::Client,
            "server$" => Host::Server,
            "wire$" => {
                return Err(self.fault(
                    first,
                    "this version has no cable to act on",
                    "expected `client$`, `server$` or `check`",
                ));
            }
            _ => return Err(self.unknown(first, "beginning of a step", &STARTS)),
        };
        if self.peek().is_some_and(|token| token.is("wait")) {
            self.next += 1;
            let result = self.name("the name of a call that runs in the background")?;
            return Ok(Statement::Wait {
                host,
                result,
                within: self.within()?,
                expect: self.expectations(true)?,
            });
        }
        let result = match self.second() {
            Some(equals) if equals.is("=") => {
                let name = self.name("a name for what the call returns")?;
                self.next += 1;
                Some(name)
            }
            _ => None,
        };
        self.act(host, result).map(Statement::Act)
    }

    fn act(&mut self, host: Host, result: Option<String>) -> Result<Act> {
        let name = self.word("a call, such as `socket tcp`")?;
        let word = if name.text == "ws" {
            let second = self.word("a step of the WebSocket, such as `ws request`")?;
            let both = format!("ws {}", second.text);
            let steps: Vec<&str> = WORDS.iter().filter_map(|word| word.name.strip_prefix("ws ")).collect();
            WORDS
                .iter()
                .find(|word| word.name == both)
                .ok_or_else(|| self.unknown(second, "step of the WebSocket", &steps))?
        } else {
            let calls: Vec<&str> =
                WORDS.iter().map(|word| word.name).filter(|name| !name.starts_with("ws ")).collect();
            WORDS
                .iter()
                .find(|word| word.name == name.text)
                .ok_or_else(|| self.unknown(name, "call", &calls))?
        };
        if matches!(word.gives, words::Gives::Socket | words::Gives::WebSocket) && result.is_none() {
            return Err(self.fault(
                name,
                format!(
                    "`{}` gives a {}, which needs a name",
                    word.name,
                    if word.gives == words::Gives::Socket { "socket" } else { "WebSocket" }
                ),
                format!("expected a name before it: `s = {} …`", word.name),
            ));
        }
        let mut arguments = Vec::new();
        for kind in word.takes {
            self.argument(word, *kind, &mut arguments)?;
        }
        let background = match self.peek() {
            Some(token) if token.is("&") => {
                if !word.may_block {
                    return Err(self.fault(
                        token,
                        format!("`{}` never waits, so `&` makes no sense", word.name),
                        "leave it out",
                    ));
                }
                if result.is_none() {
                    return Err(self.fault(
                        token,
                        "a call in the background needs a name to wait for it",
                        "expected `r = …` before the call",
                    ));
                }
                self.next += 1;
                true
            }
            _ => false,
        };
        let within = self.within()?;
        let arrow = self.peek();
        let expect = self.expectations(true)?;
        if let Some(arrow) = arrow
            && background
            && expect.iter().any(|one| one.what != Outcome::Blocked)
        {
            let name = result.as_deref().unwrap_or_default();
            return Err(self.fault(
                arrow,
                "a call in the background has not returned yet",
                format!("expected `=> blocked`, or the expectation at `wait {name}`"),
            ));
        }
        Ok(Act { host, result, word, arguments, background, within, expect })
    }

    fn argument(&mut self, word: &words::Word, kind: Kind, arguments: &mut Vec<Argument>) -> Result<()> {
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
                Argument::Address(self.place(token)?)
            }
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
            Kind::MaybeNumber(_) | Kind::MaybeBytes | Kind::Maybe(_) => return Ok(()),
        };
        arguments.push(argument);
        Ok(())
    }

    fn at_end_of_arguments(&self) -> bool {
        self.peek().is_none_or(|token| token.is("&") || token.is("=>") || token.is("within"))
    }

    fn masking_key(&mut self) -> Result<Argument> {
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

    fn name(&mut self, expected: &str) -> Result<String> {
        let token = self.word(expected)?;
        let good = token.text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && token.text.starts_with(|c: char| c.is_ascii_alphabetic())
            && token.text.len() <= 20;
        if good {
            Ok(token.text.clone())
        } else {
            Err(self.fault(
                token,
                format!("`{}` is no name", token.text),
                format!("expected {expected}: a letter, then letters, digits or _, 20 at most"),
            ))
        }
    }

    fn number(&mut self, role: &str) -> Result<i64> {
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
    fn size(&mut self) -> Result<i64> {
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
    fn bytes(&mut self) -> Result<Vec<u8>> {
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

    fn place(&self, token: &Token) -> Result<Place> {
        place(&token.text).ok_or_else(|| {
            self.fault(
                token,
                format!("`{}` is no address", token.text),
                "expected :7000, server:7000, client:7000, any:7000, 127.0.0.2:7000 or [::1]:7000",
            )
        })
    }

    /// `within 300ms`
    fn within(&mut self) -> Result<Option<u64>> {
        if !self.peek().is_some_and(|token| token.is("within")) {
            return Ok(None);
        }
        self.next += 1;
        let token = self.word("a time, such as 300ms or 2s")?;
        let milliseconds = match (token.text.strip_suffix("ms"), token.text.strip_suffix('s')) {
            (Some(number), _) => number.parse().ok(),
            (None, Some(number)) => number.parse().ok().and_then(|s: u64| s.checked_mul(1000)),
            (None, None) => None,
        };
        match milliseconds {
            Some(time @ 1..=60_000) => Ok(Some(time)),
            _ => Err(self.fault(
                token,
                format!("`{}` is no time", token.text),
                "expected a time from 1ms to 60s",
            )),
        }
    }

    /// `=> ECONNREFUSED [linux] | EAGAIN`
    fn expectations(&mut self, tags: bool) -> Result<Vec<Expected>> {
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

    fn outcome(&mut self) -> Result<Outcome> {
        const WORDS: [&str; 6] = ["ok", "blocked", "deadline", "invalid", "close", "violation"];
        let token =
            self.take("what the call returns: ok, a number, \"bytes\", an address or an error's name")?;
        if let TokenKind::Bytes(_) = token.kind {
            self.next -= 1;
            return self.bytes().map(Outcome::Bytes);
        }
        let text = token.text.as_str();
        match text {
            "ok" => return Ok(Outcome::Success),
            "blocked" => return Ok(Outcome::Blocked),
            "deadline" => return Ok(Outcome::Deadline),
            "invalid" => return Ok(Outcome::Invalid),
            "close" | "violation" => {
                let code = self.number("Close code")?;
                let code = u16::try_from(code)
                    .map_err(|_| self.fault(token, "a Close code has 16 bits", "expected 1000 to 4999"))?;
                return Ok(if text == "close" { Outcome::Close(code) } else { Outcome::Violation(code) });
            }
            _ => {}
        }
        if let Some(errno) = among(ERRNOS, text) {
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
                        let known = ERRNOS.iter().copied().chain(WORDS);
                        return Err(Fault {
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

    fn tags(&mut self) -> Result<Vec<&'static str>> {
        let Some(Token { kind: TokenKind::Tags(given), .. }) = self.peek() else { return Ok(Vec::new()) };
        let token = self.take("tags")?;
        given
            .iter()
            .map(|word| {
                among(TAGS, word).ok_or_else(|| Fault {
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

    /// What stands behind `check`.
    fn claim(&mut self) -> Result<Claim> {
        let still = self.peek().is_some_and(|token| token.is("still"));
        self.next += usize::from(still);
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
            if let Some(state) = among(STATES, &token.text) {
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
        if claim.state.is_some_and(|state| CALL_STATES.contains(&state)) && !claim.values.is_empty() {
            return Err(self.fault(
                token,
                "a call has no such values",
                "expected `blocked` or `returned` alone",
            ));
        }
        Ok(claim)
    }

    /// `accept_queue=0`, `local=server:7000`, `local_port=server.s.local_port`, `negotiated=sack`
    fn value(&self, token: &Token) -> Result<(words::Key, Compare, Wanted)> {
        let text = token.text.as_str();
        let Some((at, compare, length)) = Compare::ALL
            .iter()
            .filter_map(|(sign, compare)| text.find(sign).map(|at| (at, *compare, sign.len())))
            .min_by_key(|(at, _, length)| (*at, std::cmp::Reverse(*length)))
        else {
            return Err(self.unknown(token, "state", STATES));
        };
        let (name, wanted) = (&text[..at], &text[at + length..]);
        let keys: Vec<&str> = KEYS.iter().map(|(name, _)| *name).collect();
        let unknown = |name: &str| Fault {
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
        } else if key == words::Key::Negotiated && !wanted.is_empty() {
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

/// `>=5` is a comparison and the rest.
fn comparison(text: &str) -> Option<(Compare, &str)> {
    Compare::ALL.iter().find_map(|(sign, compare)| text.strip_prefix(sign).map(|rest| (*compare, rest)))
}

/// `server.s`, `server~client.c`
pub(super) fn subject(text: &str) -> Option<Subject> {
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

/// `:7000`, `server:7000`, `any:7000`, `127.0.0.2:7000`, `[::1]:7000`
fn place(text: &str) -> Option<Place> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(source: &str) -> Result<Option<Statement>> {
        statement(&Origin { file: "f", line: 1, source })
    }

    fn act(source: &str) -> Act {
        match parsed(source).unwrap().unwrap() {
            Statement::Act(act) => act,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_call_with_everything() {
        let act = act(
            r#"server$ r = recv conn 100 MSG_PEEK within 2s => "hello" [linux] | EAGAIN [windows, macos]"#,
        );
        assert_eq!(act.result.as_deref(), Some("r"));
        assert_eq!(act.arguments[2], Argument::Flags(vec!["MSG_PEEK"]));
        assert!(!act.background);
        assert_eq!(act.within, Some(2000));
        assert_eq!(act.expect.len(), 2);
        assert_eq!(act.expect[1], Expected { what: Outcome::Errno("EAGAIN"), on: vec!["windows", "macos"] });
    }

    #[test]
    fn addresses_of_all_kinds() {
        for (text, at) in [
            (":7000", At::Own),
            ("server:7000", At::Host(Host::Server)),
            ("any:7000", At::Any),
            ("127.0.0.2:7000", At::Ip("127.0.0.2".parse().unwrap())),
            ("[::1]:7000", At::Ip("::1".parse().unwrap())),
        ] {
            assert_eq!(place(text), Some(Place { at, port: 7000 }), "{text}");
        }
        for text in [
            "",
            ":",
            "7000",
            "server",
            "server:",
            "server:70000",
            "server:+1",
            "nobody:1",
            "[::1:7000",
            "1.2.3:4",
        ] {
            assert_eq!(place(text), None, "{text}");
        }
    }

    #[test]
    fn claims_name_states_values_and_other_sockets() {
        let Some(Statement::Check(claim)) = parsed(
            "check still server~client.c ESTABLISHED recv_queue>=5 local_port=server.s.local_port [linux]",
        )
        .unwrap() else {
            panic!()
        };
        assert!(claim.still && claim.subject.other_end);
        assert_eq!(claim.state, Some("ESTABLISHED"));
        assert_eq!(claim.values[0], (words::Key::RecvQueue, Compare::AtLeast, Wanted::Number(5)));
        assert!(matches!(claim.values[1].2, Wanted::Of(_, words::Key::LocalPort)));
    }

    #[test]
    fn faults_underline_the_token_and_name_the_nearest_word() {
        for (source, column, nearest) in [
            ("server$ lissen s 4", 9, Some("listen")),
            ("sever$ listen s 4", 1, Some("server$")),
            ("server$ s = socket tpc", 20, Some("tcp")),
            ("client$ connect c server:7000 => ECONREFUSED", 34, Some("ECONNREFUSED")),
            ("check server.s LISTENING", 16, Some("LISTEN")),
            ("check server.s accept_que=0", 16, Some("accept_queue")),
            ("client$ ws reqest c /", 12, Some("request")),
            ("server$ listen s", 17, None),
            ("server$ listen s four", 18, None),
            ("server$ socket tcp", 9, None),
            ("server$ r = listen s 4 &", 24, None),
            ("server$ listen s 4 5", 20, None),
            ("server$ recv s 10 &", 19, None),
            ("server$ r = recv s 10 & => \"hello\"", 25, None),
            ("check server LISTEN", 7, None),
            ("check server.s", 7, None),
            ("client$ send c hello", 16, None),
            ("client$ send c \"x\" * 99999999999", 22, None),
            ("client$ connect c server", 19, None),
            ("client$ connect c server:1 within 5h", 35, None),
            ("client$ connect c server:1 => ok [linus]", 34, Some("linux")),
        ] {
            let fault = parsed(source).expect_err(source);
            assert_eq!(fault.column, column, "{source}: {fault}");
            assert_eq!(fault.nearest.as_deref(), nearest, "{source}: {fault}");
        }
    }

    #[test]
    fn empty_lines_and_comments_are_nothing() {
        assert_eq!(parsed("").unwrap(), None);
        assert_eq!(parsed("   # a comment").unwrap(), None);
    }

    #[test]
    fn a_frame_takes_modifiers() {
        let act = act(r#"client$ ws frame c text "hi" mask 37fa213d more"#);
        assert_eq!(
            act.arguments[3..],
            [Argument::Word("mask"), Argument::Bytes(vec![0x37, 0xfa, 0x21, 0x3d]), Argument::Word("more")]
        );
    }
}

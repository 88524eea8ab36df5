//! Parses a line of a `sock` block to a statement.

mod argument;
mod claim;
mod expectation;
mod wire;

use super::{
    Act, Call, Outcome, Statement, Step,
    diagnostic::{Diagnostic, nearest},
    grammar,
    token::{Origin, Token, TokenKind, tokens},
};
use crate::{
    call::{self, On, Returns},
    event::Host,
    websocket,
};

/// Parses a line. Returns `None` if it is empty or only a comment.
pub(super) fn statement(origin: &Origin) -> Result<Option<Statement>, Diagnostic> {
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

/// Parses a line of the notation to a step, for runs without a lesson file.
///
/// # Errors
/// Returns the diagnostic of the line.
pub fn step(line: &str) -> Result<Step, Diagnostic> {
    let origin = Origin { file: "live", line: 1, source: line };
    match statement(&origin)? {
        Some(what) => Ok(Step { line: 1, text: line.to_owned(), what }),
        None => Err(origin.fault(
            0,
            1,
            "there is nothing to do",
            "expected a call, such as `client$ c = socket tcp`",
        )),
    }
}

/// Returns the bytes that a text with the notation's escapes stands for, such as `GET / HTTP/1.0\\r\\n`.
///
/// # Errors
/// Returns the diagnostic of an invalid escape.
pub fn unescaped(text: &str) -> Result<Vec<u8>, Diagnostic> {
    let (mut source, mut escape) = (String::from("\""), false);
    for c in text.chars() {
        if c == '"' && !escape {
            source.push('\\');
        }
        escape = c == '\\' && !escape;
        source.push(c);
    }
    source.push('"');
    let origin = Origin { file: "the text", line: 1, source: &source };
    match tokens(&origin)?.as_slice() {
        [Token { kind: TokenKind::Bytes(bytes), .. }] => Ok(bytes.clone()),
        _ => Err(origin.fault(
            0,
            source.chars().count(),
            "the text ends in the middle",
            "a backslash is written `\\\\`",
        )),
    }
}

/// Returns the bytes in quotes and with the escapes of the notation. [`unescaped`] is the inverse for the
/// text inside.
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => text.extend(['\\', c]),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                c if c.is_control() => text.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
                c => text.push(c),
            }
        }
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text + "\""
}

/// The tokens of a line, and the index of the next one.
struct Words<'a> {
    origin: &'a Origin<'a>,
    tokens: &'a [Token],
    next: usize,
}

type Result<T, E = Diagnostic> = std::result::Result<T, E>;

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next)
    }

    /// Returns the token after the next one.
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

    fn fault(&self, token: &Token, what: impl Into<String>, expected: impl Into<String>) -> Diagnostic {
        self.origin.fault(token.at, token.length(), what, expected)
    }

    /// Creates a diagnostic for a token that should be one word of the list.
    fn unknown(&self, token: &Token, role: &str, list: &[&str]) -> Diagnostic {
        Diagnostic {
            nearest: nearest(&token.text, list.iter().copied()),
            ..self.fault(
                token,
                format!("`{}` is no {role}", token.text),
                format!("expected one of {}", list.join(", ")),
            )
        }
    }

    fn statement(&mut self) -> Result<Statement> {
        const STARTS: [&str; 4] = ["client$", "server$", "wire$", "check"];
        let first = self.word("`client$`, `server$`, `wire$` or `check`")?;
        let host = match first.text.as_str() {
            "check" => return self.check(),
            "client$" => Host::Client,
            "server$" => Host::Server,
            "wire$" => {
                let act = self.wire_act()?;
                return Ok(Statement::Wire { act, within: self.within()? });
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
        if self.peek().is_some_and(|token| token.is("sysctl")) {
            self.next += 1;
            return self.sysctl(host);
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

    /// `net.ipv4.tcp_syn_retries 2`: only settings of the network, because each host has its own.
    fn sysctl(&mut self, host: Host) -> Result<Statement> {
        let token = self.word("a setting, such as net.ipv4.tcp_syn_retries")?;
        let name = token.text.clone();
        if !name.starts_with("net.")
            || !name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            || name.contains("..")
        {
            return Err(self.fault(
                token,
                format!("`{name}` is no setting of a host's network"),
                "expected a name such as net.ipv4.tcp_syn_retries",
            ));
        }
        // Some settings have two values: `net.ipv4.ping_group_range 0 100`.
        let mut value = self.word("its new value")?.text.clone();
        while self.peek().is_some() {
            value = format!("{value} {}", self.word("the rest of its value")?.text);
        }
        Ok(Statement::Sysctl { host, name, value })
    }

    /// Parses what follows `check`.
    fn check(&mut self) -> Result<Statement> {
        let still = self.peek().is_some_and(|token| token.is("still"));
        self.next += usize::from(still);
        if self.peek().is_some_and(|token| token.is("wire")) {
            self.next += 1;
            return self.wire_claim(still).map(Statement::CheckWire);
        }
        self.claim(still).map(Statement::Check)
    }

    fn act(&mut self, host: Host, result: Option<String>) -> Result<Act> {
        let first = self.word("a call, such as `socket tcp`")?;
        let (name, token) = match first.text.as_str() {
            "ws" => {
                let second = self.word("a step of the WebSocket, such as `ws request`")?;
                (format!("ws {}", second.text), second)
            }
            name => (name.to_owned(), first),
        };
        let grammar = grammar::calls().find(|grammar| grammar.name == name);
        let Some(grammar) = grammar else {
            let steps = grammar::calls().filter_map(|grammar| grammar.name.strip_prefix("ws "));
            let calls = grammar::calls().map(|grammar| grammar.name).filter(|name| !name.starts_with("ws "));
            return Err(match token.at == first.at {
                true => self.unknown(token, "call", &calls.collect::<Vec<_>>()),
                false => self.unknown(token, "step of the WebSocket", &steps.collect::<Vec<_>>()),
            });
        };
        let needs_a_name = match grammar.returns {
            Returns::Socket => Some("socket"),
            Returns::WebSocket => Some("WebSocket"),
            _ => None,
        };
        if let Some(what) = needs_a_name
            && result.is_none()
        {
            return Err(self.fault(
                first,
                format!("`{name}` gives a {what}, which needs a name"),
                format!("expected a name before it: `s = {name} …`"),
            ));
        }
        let on = match grammar.on {
            On::Nothing => None,
            On::Socket => Some(self.name(&format!("the name of a socket for `{name}`"))?),
            On::WebSocket => Some(self.name(&format!("the name of a WebSocket for `{name}`"))?),
        };
        let call = match call::Call::read(&name, self) {
            Some(call) => Call::Socket(call?),
            None => Call::WebSocket(websocket::Step::read(&name, self).expect("its grammar was found")?),
        };
        let background = match self.peek() {
            Some(token) if token.is("&") => {
                if !grammar.may_block {
                    return Err(self.fault(
                        token,
                        format!("`{name}` never waits, so `&` makes no sense"),
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
        Ok(Act { host, result, on, call, background, within, expect })
    }
}

#[cfg(test)]
mod tests {

    #[test]
    fn what_is_escaped_is_read_back() {
        for bytes in [
            &b"GET / HTTP/1.0\r\n\r\n"[..],
            b"a \"quote\" and a \\",
            b"\x00\x1b[2J\xff\xfe",
            "h\u{e4}llo".as_bytes(),
        ] {
            let text = escaped(bytes);
            assert_eq!(unescaped(&text[1..text.len() - 1]).unwrap(), bytes, "{text}");
            let line = format!("client$ send c {text}");
            assert!(step(&line).is_ok(), "{line}");
        }
        assert_eq!(unescaped(r#"say "hi" or \"hi\""#).unwrap(), br#"say "hi" or "hi""#);
        assert!(unescaped("ends with \\").is_err() && unescaped("\\q").is_err());
    }

    use super::{argument::place, *};
    use crate::{
        call::{Recv, SendTo, Target},
        lesson::{At, Compare, Expected, Place, State, Wanted},
        websocket::{
            Step,
            frames::FrameOptions,
            opening::UpgradeRequest,
            step::{Answer, Request, SendFrame},
        },
    };

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
        let recv = Recv { size: 100, flags: vec!["MSG_PEEK"] };
        assert_eq!((act.on.as_deref(), act.call), (Some("conn"), Call::Socket(call::Call::Recv(recv))));
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
        assert_eq!(claim.state, Some(State::Tcp("ESTABLISHED")));
        assert_eq!(claim.values[0], (grammar::Key::RecvQueue, Compare::AtLeast, Wanted::Number(5)));
        assert!(matches!(claim.values[1].2, Wanted::Of(_, grammar::Key::LocalPort)));
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
            ("server$ listen s 9999999999", 18, None),
            ("client$ ws close w 99999", 20, None),
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
            ("client$ pause 200", 15, None),
            ("client$ pause 0ms", 15, None),
            ("client$ connect c server:1 => ok [linus]", 34, Some("linux")),
        ] {
            let fault = parsed(source).expect_err(source);
            assert_eq!(fault.column, column, "{source}: {fault}");
            assert_eq!(fault.nearest.as_deref(), nearest, "{source}: {fault}");
        }
    }

    #[test]
    fn a_datagram_goes_to_an_address_or_to_a_sender() {
        let to = act(r#"client$ sendto c server:7000 "hi" MSG_DONTWAIT => 2"#);
        let place = Place { at: At::Host(Host::Server), port: 7000 };
        let sendto =
            SendTo { address: Target::Place(place), bytes: b"hi".to_vec(), flags: vec!["MSG_DONTWAIT"] };
        assert_eq!(to.call, Call::Socket(call::Call::SendTo(sendto)));
        let back = act(r#"server$ sendto s m.from "hi""#);
        let Call::Socket(call) = back.call else { panic!("{back:?}") };
        assert_eq!(call.address(), Some(&Target::Sender("m".to_owned())));
        assert!(parsed(r#"server$ sendto s .from "hi""#).is_err());
        assert!(parsed(r#"server$ sendto s 1.from "hi""#).is_err());
        assert!(parsed("server$ sendto s server:7000").is_err());
    }

    #[test]
    fn a_setting_may_have_several_numbers() {
        let Some(Statement::Sysctl { value, .. }) =
            parsed("client$ sysctl net.ipv4.tcp_rmem 4096 8192  16384 # small").unwrap()
        else {
            panic!()
        };
        assert_eq!(value, "4096 8192 16384");
    }

    #[test]
    fn empty_lines_and_comments_are_nothing() {
        assert_eq!(parsed("").unwrap(), None);
        assert_eq!(parsed("   # a comment").unwrap(), None);
    }

    #[test]
    fn a_request_names_its_host_and_its_page() {
        let request = act("client$ ws request c /chat host a.example:80 origin http://b.example");
        let asked = UpgradeRequest {
            path: "/chat".to_owned(),
            authority: Some("a.example:80".to_owned()),
            origin: Some("http://b.example".to_owned()),
            protocol: None,
        };
        assert_eq!(request.on.as_deref(), Some("c"));
        assert_eq!(request.call, Call::WebSocket(Step::Request(Request { asked })));
        let answer = |allow: Option<&str>| {
            Call::WebSocket(Step::Answer(Answer { allow: allow.map(str::to_owned), protocol: None }))
        };
        let allowed = act("server$ ws answer conn allow http://b.example => 403");
        assert_eq!(allowed.call, answer(Some("http://b.example")));
        assert_eq!(act("server$ ws answer conn within 1s => 408").call, answer(None));
        assert!(step("client$ ws request c /chat origin").is_err());
        assert!(step("client$ ws request c /chat from x").is_err());
    }

    #[test]
    fn a_frame_takes_modifiers() {
        let act = act(r#"client$ ws frame c text "hi" mask 37fa213d more"#);
        let odd = FrameOptions { key: Some([0x37, 0xfa, 0x21, 0x3d]), more: true, ..FrameOptions::default() };
        let frame = SendFrame { opcode: 1, payload: b"hi".to_vec(), odd };
        assert_eq!(act.call, Call::WebSocket(Step::SendFrame(frame)));
    }
}

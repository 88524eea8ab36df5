//! Checks of a lesson without running it: every name must be known where it is used.

use std::collections::HashMap;

use super::{
    Act, Call, Claim, Lesson, State, Statement, Step, Subject, Wanted,
    diagnostic::{Diagnostic, nearest},
    grammar::KEYS,
    token::Origin,
};
use crate::{
    call::{self, On, Returns, Target},
    event::Host,
};

/// What a name refers to at a point of the lesson.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Named {
    Socket,
    WebSocket,
    /// A socket that was closed on this line.
    Closed(usize),
    /// A background call that was not waited for yet, and the kind of value that it returns.
    Running(Returns),
    /// A datagram that `recvfrom` returned.
    Datagram,
    Result,
}

/// Returns what a name refers to after its call has returned.
fn named(returns: Returns) -> Named {
    match returns {
        Returns::Socket => Named::Socket,
        Returns::WebSocket => Named::WebSocket,
        Returns::Datagram => Named::Datagram,
        _ => Named::Result,
    }
}

/// Returns the errors of a parsed lesson.
pub(super) fn lint(lesson: &Lesson, lines: &[&str]) -> Vec<Diagnostic> {
    let mut linter = Linter { file: &lesson.file, lines, names: HashMap::new(), diagnostics: Vec::new() };
    for step in lesson.steps() {
        match &step.what {
            Statement::Act(act) => linter.act(step, act),
            Statement::Wait { host, result, .. } => linter.wait(step, *host, result),
            Statement::Check(claim) => linter.claim(step, claim),
            Statement::Wire { .. } | Statement::Sysctl { .. } if lesson.front.stage != "cable" => linter
                .fault(
                    step,
                    step.text.split(' ').next().unwrap_or_default(),
                    "only where there is a cable can this be done".to_owned(),
                    "expected `stage: cable` in the front matter",
                ),
            // On a stage without a cable, a claim about the cable is not judged.
            Statement::Wire { .. } | Statement::Sysctl { .. } | Statement::CheckWire(_) => {}
        }
    }
    linter.placeholders();
    linter.diagnostics
}

struct Linter<'a> {
    file: &'a str,
    lines: &'a [&'a str],
    names: HashMap<(Host, String), Named>,
    diagnostics: Vec<Diagnostic>,
}

impl Linter<'_> {
    fn act(&mut self, step: &Step, act: &Act) {
        let grammar = act.call.grammar();
        if let Some(name) = &act.on {
            let (fits, is, takes, expected) = if grammar.on == On::WebSocket {
                (Named::WebSocket, "socket", "WebSocket", "expected what `ws handoff` gave")
            } else {
                (Named::Socket, "WebSocket", "socket", "expected the socket that was handed off")
            };
            match self.names.get(&(act.host, name.clone())) {
                Some(named) if *named == fits => {}
                Some(Named::Socket | Named::WebSocket) => {
                    let what = format!("`{name}` is a {is}, and `{}` takes a {takes}", grammar.name);
                    self.fault(step, name, what, expected);
                }
                Some(Named::Closed(line)) => {
                    let what = format!("`{name}` was closed on line {line}");
                    self.fault(step, name, what, "expected an open socket");
                }
                Some(Named::Running(_) | Named::Datagram | Named::Result) => {
                    self.fault(
                        step,
                        name,
                        format!("`{name}` is not a socket here"),
                        "expected the name of a socket",
                    );
                }
                None => self.unknown(step, act.host, name, "socket"),
            }
        }
        if let Call::Socket(call) = &act.call
            && let Some(Target::Sender(name)) = call.address()
        {
            match self.names.get(&(act.host, name.clone())) {
                Some(Named::Datagram) => {}
                Some(_) => self.fault(
                    step,
                    name,
                    format!("`{name}` has no sender"),
                    "expected the name of what `recvfrom` gave",
                ),
                None => self.unknown(step, act.host, name, "datagram"),
            }
        }
        if let (Call::Socket(call::Call::Close(_)), Some(name)) = (&act.call, &act.on) {
            self.names.insert((act.host, name.clone()), Named::Closed(step.line));
        }
        if let Some(result) = &act.result {
            let key = (act.host, result.clone());
            if let Some(Named::Socket | Named::WebSocket | Named::Running(_)) = self.names.get(&key) {
                self.fault(
                    step,
                    result,
                    format!("`{result}` is in use on the {}", act.host),
                    "expected a new name, or close it first",
                );
            }
            let named = match grammar.returns {
                returns if act.background => Named::Running(returns),
                returns => named(returns),
            };
            self.names.insert(key, named);
        }
    }

    fn wait(&mut self, step: &Step, host: Host, result: &str) {
        let key = (host, result.to_owned());
        match self.names.get(&key) {
            Some(Named::Running(returns)) => {
                let named = named(*returns);
                self.names.insert(key, named);
            }
            Some(_) => self.fault(
                step,
                result,
                format!("`{result}` does not run in the background"),
                "expected a call that was started with `&`",
            ),
            None => self.unknown(step, host, result, "call in the background"),
        }
    }

    fn claim(&mut self, step: &Step, claim: &Claim) {
        let subjects = claim.values.iter().filter_map(|(_, _, wanted)| match wanted {
            Wanted::Of(subject, _) => Some(subject),
            _ => None,
        });
        for subject in std::iter::once(&claim.subject).chain(subjects) {
            let Subject { host, other_end, name } = subject;
            let owner = if *other_end { host.other() } else { *host };
            let named = self.names.get(&(owner, name.clone())).copied();
            let of_a_call = subject == &claim.subject && claim.state.is_some_and(State::is_of_a_call);
            match named {
                None => self.unknown(step, owner, name, "socket"),
                Some(Named::Running(_) | Named::Datagram | Named::Result) if of_a_call => {}
                Some(Named::Running(_) | Named::Datagram | Named::Result) => {
                    self.fault(
                        step,
                        name,
                        format!("`{name}` is not a socket here"),
                        "expected the name of a socket",
                    );
                }
                Some(_) => {}
            }
        }
    }

    /// Checks `{server.s.local}` in prose: the lesson must use that name.
    fn placeholders(&mut self) {
        for (index, line) in self.lines.iter().enumerate() {
            for (at, _) in line.match_indices('{') {
                let inside = &line[at + 1..];
                let Some(text) = inside.split('}').next().filter(|text| text.len() < inside.len()) else {
                    continue;
                };
                let Some((host, rest)) = text.split_once('.') else { continue };
                let Some(host) = Host::ALL.into_iter().find(|known| known.name() == host) else { continue };
                let (name, key) = rest.split_once('.').map_or((rest, None), |(name, key)| (name, Some(key)));
                let origin = Origin { file: self.file, line: index + 1, source: line };
                let name_at = at + 1 + host.name().len() + 1;
                let column = |byte: usize| line[..byte].chars().count();
                if !self.names.contains_key(&(host, name.to_owned())) {
                    let (at, length) = (column(name_at), name.chars().count().max(1));
                    let what = format!("the {host} never has a `{name}`");
                    self.diagnostics.push(origin.fault(
                        at,
                        length,
                        what,
                        "expected the name of a socket or of a result",
                    ));
                } else if let Some(key) = key.filter(|key| !KEYS.iter().any(|(known, _)| known == key)) {
                    let (at, length) = (column(name_at + name.len() + 1), key.chars().count().max(1));
                    let known = || KEYS.iter().map(|(name, _)| *name);
                    let expected = format!("expected one of {}", known().collect::<Vec<_>>().join(", "));
                    let what = format!("`{key}` is nothing that the kernel says of a socket");
                    self.diagnostics.push(Diagnostic {
                        nearest: nearest(key, known()),
                        ..origin.fault(at, length, what, expected)
                    });
                }
            }
        }
    }

    fn unknown(&mut self, step: &Step, host: Host, name: &str, role: &str) {
        let mut known: Vec<&str> =
            self.names.keys().filter(|(of, _)| *of == host).map(|(_, name)| name.as_str()).collect();
        known.sort_unstable();
        let expected = match known.as_slice() {
            [] => format!("the {host} has no {role} yet"),
            known => format!("the {host} has {}", known.join(", ")),
        };
        let near = nearest(name, known);
        let fault = self.at(step, name, format!("the {host} has no {role} `{name}`"), &expected);
        self.diagnostics.push(Diagnostic { nearest: near, ..fault });
    }

    fn fault(&mut self, step: &Step, token: &str, what: String, expected: &str) {
        let fault = self.at(step, token, what, expected);
        self.diagnostics.push(fault);
    }

    /// Creates a diagnostic at the position of a token in the step's line.
    fn at(&self, step: &Step, token: &str, what: String, expected: &str) -> Diagnostic {
        let source = self.lines.get(step.line - 1).copied().unwrap_or("");
        let at = whole_word(source, token).unwrap_or(0);
        Origin { file: self.file, line: step.line, source }.fault(at, token.chars().count(), what, expected)
    }
}

/// Returns where `word` stands as a whole word in the line, in characters.
fn whole_word(line: &str, word: &str) -> Option<usize> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(word).find_map(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(part);
        let after = line[at + word.len()..].chars().next().is_some_and(part);
        (!before && !after && line[..at].contains(['$', ' '])).then(|| line[..at].chars().count())
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    fn first_fault(steps: &str) -> String {
        let text = format!("---\nlesson: x\ntitle: y\n---\n## a\n```sock\n{steps}\n```\n");
        parse("f.md", text.as_bytes()).expect_err(steps).0.remove(0).to_string()
    }

    #[test]
    fn a_socket_that_nobody_made_is_told_with_the_nearest() {
        let shown = first_fault("server$ sock = socket tcp\nserver$ listen sok 4");
        assert!(shown.starts_with("f.md:8:16: the server has no socket `sok`"), "{shown}");
        assert!(shown.ends_with("did you mean `sock`?"), "{shown}");
    }

    #[test]
    fn a_placeholder_of_nobody_is_told_where_it_stands() {
        let text = "---\nlesson: x\ntitle: y\n---\n## a\n```sock\nserver$ s = socket tcp\n```\nIt has {server.s.locl}, and {client.c}, {plain}, {:7000}.\n";
        let diagnostics = parse("f.md", text.as_bytes()).unwrap_err().0;
        assert_eq!(
            (diagnostics[0].line, diagnostics[0].column, diagnostics[0].nearest.as_deref()),
            (9, 18, Some("local"))
        );
        assert_eq!((diagnostics[1].column, diagnostics.len()), (37, 2), "{:?}", diagnostics);
    }

    #[test]
    fn names_are_each_hosts_own() {
        assert!(
            first_fault("server$ s = socket tcp\nclient$ connect s server:7000")
                .contains("the client has no socket `s`")
        );
    }

    #[test]
    fn only_a_datagram_has_a_sender() {
        let shown =
            first_fault("server$ s = socket udp\nserver$ r = recv s 10\nserver$ sendto s r.from \"x\"");
        assert!(shown.contains("`r` has no sender"), "{shown}");
        let shown = first_fault("server$ s = socket udp\nserver$ sendto s m.from \"x\"");
        assert!(shown.contains("the server has no datagram `m`"), "{shown}");
        let text = "---\nlesson: x\ntitle: y\n---\n## a\n```sock\nserver$ s = socket udp\nserver$ m = recvfrom s 10 &\nserver$ wait m\n\
            server$ sendto s m.from \"x\"\n```\n";
        assert!(parse("f.md", text.as_bytes()).is_ok());
    }

    #[test]
    fn a_closed_socket_is_not_used_again() {
        let shown = first_fault("server$ s = socket tcp\nserver$ close s\nserver$ listen s 1");
        assert!(shown.contains("`s` was closed on line 8"), "{shown}");
    }

    #[test]
    fn a_name_in_use_is_not_given_again() {
        assert!(first_fault("server$ s = socket tcp\nserver$ s = socket tcp").contains("in use"));
    }

    #[test]
    fn only_a_background_call_is_waited_for() {
        let shown = first_fault("server$ s = socket tcp\nserver$ n = getsockname s\nserver$ wait n");
        assert!(shown.contains("does not run in the background"), "{shown}");
    }

    #[test]
    fn what_accept_gave_in_the_background_is_a_socket_after_the_wait() {
        let steps =
            "server$ s = socket tcp\nserver$ conn = accept s &\nserver$ wait conn\nserver$ close conn";
        let text = format!("---\nlesson: x\ntitle: y\n---\n## a\n```sock\n{steps}\n```\n");
        parse("f.md", text.as_bytes()).unwrap();
    }
}

//! A step that only prepares what was asked for, in a line: who, what the kernel was asked, what it gave, how
//! long that took.

use super::bytes::glimpse;
use super::call::{LABEL, Open, address, host_meaning, result, sender};
use super::call_linear;
use super::line::{Line, Meaning};
use super::look::Look;
use super::sentences::{sentence, the_host};
use super::units::{time, time_in_words};
use super::wrap::{Long, aside, wrap};
use crate::event::{Blocked, Call, KnownBy, Return, Value};

/// Columns of what a call received.
const GLIMPSE: usize = 24;

/// The call has returned.
pub(super) fn returned(look: &Look, open: &Open, back: &Return) -> Vec<Line> {
    if look.linear() {
        return sentence(look, returned_linear(open, back), meaning(back));
    }
    let ended = back.deadline && back.ok.is_none();
    let mut answer = Line::blank();
    if ended {
        answer.push(look.span("… ended from outside", Meaning::Changed));
    } else {
        if !open.call.asked.is_empty() {
            answer.push(look.span("= ", Meaning::Plain));
        }
        answer.push(look.span(result(&open.call, back), meaning(back)));
        answer.push(look.span(given(&open.call, back, false), Meaning::State));
    }
    told(look, open, answer, &time(back.ns))
}

/// The call waits, or has at least not come back.
pub(super) fn waits(look: &Look, open: &Open, blocked: &Blocked) -> Vec<Line> {
    let seems = if blocked.known_by == KnownBy::Proc { "waits" } else { "seems to wait" };
    let text = format!("{seems} for {}", blocked.waits_for);
    if look.linear() {
        return sentence(look, format!("{} It {text}.", prepares(open)), Meaning::State);
    }
    goes(look, open, &text, Meaning::Changed)
}

/// The call, on a thread of its own, has neither returned nor been seen to wait.
pub(super) fn goes_on(look: &Look, open: &Open) -> Vec<Line> {
    let text = format!("has not returned; {}", open.meanwhile());
    if look.linear() {
        return sentence(look, format!("{} It {text}.", prepares(open)), Meaning::Quiet);
    }
    goes(look, open, &text, Meaning::Quiet)
}

/// A call that has not returned: what the kernel was asked is said when it has answered.
fn goes(look: &Look, open: &Open, text: &str, meaning: Meaning) -> Vec<Line> {
    let line = look.spans([(self::text(open), Meaning::Call), (" … ", Meaning::Plain), (text, meaning)]);
    beginning(look, open, wrap(&line, room(look), 2, Long::Break))
}

/// Host, call, answer and, at the right margin, the time: on one line if there is room, else the answer has
/// one of its own.
fn told(look: &Look, open: &Open, answer: Line, spent: &str) -> Vec<Line> {
    let asked = &open.call.asked;
    let spent = look.span(spent, Meaning::Quiet);
    let room = room(look);
    // What asks the kernel nothing, or several things, is told in the words of the run.
    let mut line = look.line(if asked.is_empty() { text(open) } else { asked }, Meaning::Call);
    let long = line.width() + 1 + answer.width() + 2 + spent.width() > room;
    let lines = if long && !asked.is_empty() {
        let below = aside(&answer, spent, room - 2, 2).into_iter().map(|line| line.indented(2));
        wrap(&line, room, 2, Long::Break).into_iter().chain(below).collect()
    } else {
        line.push(look.span(if asked.is_empty() { ": " } else { " " }, Meaning::Plain));
        line.extend(answer);
        aside(&line, spent, room, 2)
    };
    beginning(look, open, lines)
}

/// Columns right of the host.
fn room(look: &Look) -> usize {
    look.content() + look.indent() - look.outdent() - LABEL
}

/// The lines with the host before the first.
fn beginning(look: &Look, open: &Open, lines: Vec<Line>) -> Vec<Line> {
    let host = open.call.host;
    let mut label = Some(look.span(host.name(), host_meaning(host)));
    let beginning = |line: Line| {
        let mut all = Line::blank();
        all.space(look.outdent());
        if let Some(label) = label.take() {
            all.push(label);
        }
        all.pad(look.outdent() + LABEL);
        all.extend(line);
        all
    };
    lines.into_iter().map(beginning).collect()
}

/// The line of the run without the host, which stands before it: `s = socket tcp`. A call without a step has
/// only its name.
fn text(open: &Open) -> &str {
    match open.brief.as_deref().unwrap_or_default() {
        "" => &open.call.call,
        text => text.split_once("$ ").map_or(text, |(_, text)| text),
    }
}

/// `, named conn, from 127.0.0.1 port 43210`
fn given(call: &Call, back: &Return, linear: bool) -> String {
    match &back.ok {
        Some(Value::Socket { name, peer, .. }) => {
            let from = peer.as_ref().map(|peer| format!(", from {}", address(peer))).unwrap_or_default();
            format!(", named {name}{from}")
        }
        Some(Value::Data(data)) if !data.is_empty() => {
            format!("{}{}", if linear { ", " } else { "  " }, glimpse(data, GLIMPSE))
        }
        Some(Value::Datagram { bytes, from, .. }) => {
            let from = from.as_ref().map(|from| format!(", from {}", sender(from))).unwrap_or_default();
            let bytes = if bytes.is_empty() { String::new() } else { glimpse(bytes, GLIMPSE) };
            format!("{}{bytes}{from}", if bytes.is_empty() || linear { "" } else { "  " })
        }
        Some(Value::Address(text)) if !call.asked.is_empty() => format!(", {}", address(text)),
        Some(Value::Number(n)) if !call.asked.is_empty() => format!(", the value {n}"),
        _ => String::new(),
    }
}

fn meaning(back: &Return) -> Meaning {
    if back.errno.is_some() && !back.deadline { Meaning::Error } else { Meaning::State }
}

/// `The server prepares s = socket tcp.`
fn prepares(open: &Open) -> String {
    let verb = if open.brief.as_deref().is_some_and(|text| !text.is_empty()) { "prepares" } else { "calls" };
    format!("{} {verb} {}.", the_host(open.call.host), text(open))
}

fn returned_linear(open: &Open, back: &Return) -> String {
    let after = time_in_words(back.ns);
    let who = prepares(open);
    if back.deadline && back.ok.is_none() {
        return format!("{who} It was ended from outside after {after}; it would wait on.");
    }
    let answer = format!("{}{}", call_linear::answer(&open.call, back), given(&open.call, back, true));
    if open.call.asked.is_empty() {
        return format!("{who} It {answer}, after {after}.");
    }
    format!("{who} The kernel is asked {} and {answer}, after {after}.", open.call.asked)
}

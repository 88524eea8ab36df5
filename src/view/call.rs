//! The card of a call: the line that ran, the same in C, what the kernel was asked and what it answered.

use super::aloud::sentence;
use super::escape::quote;
use super::line::{Line, Meaning, Span};
use super::look::Look;
use super::units::{address_and_port, bytes as byte_count, thousands, time};
use super::wrap::{Long, aside, wrap};
use super::{bytes, call_aloud};
use crate::event::{Blocked, Call, Host, KnownBy, Return, Value};

/// Columns of the names at the left: `server`, `kernel`.
pub(super) const LABEL: usize = 9;

/// A call that has not returned, and what of it stands on the screen already.
#[derive(Debug, Clone)]
pub(super) struct Open {
    /// The call.
    pub(super) call: Call,
    /// The step that made it.
    pub(super) step: usize,
    /// How deep it lies beneath the step's own call: 0 is that call.
    pub(super) depth: usize,
    /// True once `kernel` and what was asked are shown.
    pub(super) asked: bool,
    /// True once another call has been made within it.
    pub(super) parent: bool,
    /// The line of the lesson, if its step only prepares what was asked for: the call is told in a line, see `brief.rs`.
    pub(super) brief: Option<String>,
    /// True if the other side is another program, and no lesson has a deadline.
    pub(super) live: bool,
}

impl Open {
    /// Columns by which a call within another is indented.
    fn shift(&self) -> usize {
        2 * self.depth.min(4)
    }

    /// What goes on while a call waits on a thread of its own.
    pub(super) fn meanwhile(&self) -> &'static str {
        if self.live { "the run goes on meanwhile" } else { "the lesson goes on meanwhile" }
    }

    /// What ended a call that would have waited on. Live that is a time that was given, or the person.
    pub(super) fn ended_by(&self) -> &'static str {
        if self.live { "ended from outside" } else { "ended by the lesson's deadline" }
    }

    /// Of a call that had done a part of its work when it was ended.
    pub(super) fn cut_short(&self) -> &'static str {
        if self.live {
            "so far when it was ended from outside"
        } else {
            "so far when the lesson's deadline ended it"
        }
    }
}

/// What a host is painted as.
pub(super) fn host_meaning(host: Host) -> Meaning {
    match host {
        Host::Client => Meaning::Client,
        Host::Server => Meaning::Server,
    }
}

/// Columns right of the labels.
pub(super) fn room(look: &Look) -> usize {
    look.content() - LABEL
}

/// Puts `label` at the left of the first of `lines` and indents them all.
pub(super) fn labelled(look: &Look, label: Span, lines: Vec<Line>) -> Vec<Line> {
    let mut labels = Some(label);
    let label = |line: Line| {
        let mut all = Line::blank();
        all.space(look.indent());
        if let Some(label) = labels.take() {
            all.push(label);
        }
        all.pad(look.indent() + LABEL);
        all.extend(line);
        all
    };
    lines.into_iter().map(label).collect()
}

/// The card's upper part, when the call is made.
pub(super) fn made(look: &Look, open: &Open) -> Vec<Line> {
    let call = &open.call;
    if look.linear() {
        return call_aloud::made(look, open);
    }
    let place = look.span(format!("{}:{}", call.source.file, call.source.line), Meaning::Quiet);
    let ran = aside(&look.line(&call.source.text, Meaning::Code), place, room(look) - open.shift(), 2);
    if open.depth > 0 {
        return labelled(look, look.span("  calls", Meaning::Label), shifted(ran, open.shift()));
    }
    let mut card = labelled(look, look.span(call.host.name(), host_meaning(call.host)), ran);
    if !call.args.is_empty() {
        card.extend(row(look, "", look.line(arguments(call), Meaning::Call)));
    }
    if !call.c.is_empty() {
        card.extend(row(look, "C", look.line(&call.c, Meaning::Call)));
    }
    if call.syscalls.len() > 1 {
        let all = format!("as system calls: {}", call.syscalls.join(", "));
        card.extend(row(look, "", look.line(all, Meaning::Quiet)));
    }
    card
}

fn row(look: &Look, label: &str, text: Line) -> Vec<Line> {
    labelled(look, look.span(label, Meaning::Label), wrap(&text, room(look), 2, Long::Break))
}

fn shifted(lines: Vec<Line>, n: usize) -> Vec<Line> {
    lines.into_iter().map(|line| line.indented(n)).collect()
}

/// `domain = AF_INET, type = SOCK_STREAM`
pub(super) fn arguments(call: &Call) -> String {
    call.args.iter().map(|arg| format!("{} = {}", arg.name, arg.value)).collect::<Vec<_>>().join(", ")
}

/// The lines that say that the call waits, for what, and how that is known.
pub(super) fn waits(look: &Look, open: &Open, blocked: &Blocked) -> Vec<Line> {
    let known = match blocked.known_by {
        KnownBy::Proc => "known from /proc: its thread is inside this very call",
        KnownBy::Time => "known by time: it has not come back within 50 ms",
    };
    if look.linear() {
        return call_aloud::waits(look, open, blocked, known);
    }
    let mut lines = asked(look, open);
    let text = look.line(format!("for {}", blocked.waits_for), Meaning::State);
    let text = wrap(&text, room(look), 2, Long::Break);
    lines.extend(labelled(look, look.span("waits", Meaning::Changed), text));
    lines.extend(row(look, "", look.line(known, Meaning::Quiet)));
    if open.call.background {
        lines.extend(row(look, "", look.line(open.meanwhile(), Meaning::Quiet)));
    }
    lines
}

/// What the kernel was asked, of a call that has not answered; nothing if it stands there already.
fn asked(look: &Look, open: &Open) -> Vec<Line> {
    if open.asked || open.call.asked.is_empty() {
        return Vec::new();
    }
    let line = look.spans([(&open.call.asked, Meaning::Call), (" …", Meaning::Plain)]);
    let lines = wrap(&line, room(look) - open.shift(), 2, Long::Break);
    labelled(look, kernel_label(look, open), shifted(lines, open.shift()))
}

fn kernel_label(look: &Look, open: &Open) -> Span {
    look.span(if open.depth > 0 { "" } else { "kernel" }, Meaning::Label)
}

/// What stands for a call of its own thread that has neither returned nor been seen to wait.
pub(super) fn goes_on(look: &Look, open: &Open) -> Vec<Line> {
    if look.linear() {
        return call_aloud::goes_on(look, open);
    }
    let note = look.line(format!("it has not returned; {}", open.meanwhile()), Meaning::Quiet);
    [asked(look, open), row(look, "", note)].concat()
}

/// The card's lower part, when the call has returned; `later` if other steps were done meanwhile.
pub(super) fn returned(look: &Look, open: &Open, back: &Return, later: bool) -> Vec<Line> {
    if look.linear() {
        return call_aloud::returned(look, open, back, later);
    }
    let mut lines = if later { came_back(look, open, back) } else { Vec::new() };
    if back.deadline && back.ok.is_none() {
        let text = format!("{} after {}; it would wait on", open.ended_by(), time(back.ns));
        lines.extend(asked(look, open));
        lines.extend(row(look, "", look.line(text, Meaning::Changed)));
        return lines;
    }
    lines.extend(answer(look, open, back, later));
    if back.deadline {
        lines.extend(row(look, "", look.line(open.cut_short(), Meaning::Changed)));
    }
    if open.depth == 0 {
        lines.extend(given(look, &open.call, back));
    }
    lines
}

/// Which call it is that returns now, and how long it waited.
fn came_back(look: &Look, open: &Open, back: &Return) -> Vec<Line> {
    let call = &open.call;
    let on = call.socket.as_ref().map(|socket| format!(" on {socket}")).unwrap_or_default();
    let which = format!("{}{on}, called in step {}, waited {}", call.call, open.step, time(back.ns));
    let which = wrap(&look.line(which, Meaning::State), room(look), 2, Long::Break);
    labelled(look, look.span(call.host.name(), host_meaning(call.host)), which)
}

/// `listen(3, 1) = 0      9 µs`; if that is too long for a line, the answer has one of its own.
fn answer(look: &Look, open: &Open, back: &Return, later: bool) -> Vec<Line> {
    let call = &open.call;
    let (label, question) = if open.asked && !later {
        (look.span("returns", Meaning::Label), "")
    } else if call.asked.is_empty() {
        (look.span("result", Meaning::Label), "")
    } else {
        (kernel_label(look, open), call.asked.as_str())
    };
    let mut answer = Line::blank();
    if !call.asked.is_empty() {
        answer.push(look.span("= ", Meaning::Plain));
    }
    answer.push(look.span(result(call, back), result_meaning(back)));
    if call.asked.is_empty() && !open.parent {
        answer.push(look.span("  the kernel is asked nothing", Meaning::Quiet));
    }
    if let (Some(Value::Data(data)), 1..) = (&back.ok, open.depth) {
        answer.extend(look.spans([("  ", Meaning::Plain), (&bytes::glimpse(data, 24), Meaning::Bytes)]));
    }
    let spent = look.span(if later { String::new() } else { time(back.ns) }, Meaning::Quiet);
    let question = look.line(question, Meaning::Call);
    let room = room(look) - open.shift();
    let lines = if question.is_blank() {
        aside(&answer, spent, room, 2)
    } else if question.width() + 1 + answer.width() + 2 + spent.width() <= room {
        let mut line = question;
        line.space(1);
        line.extend(answer);
        aside(&line, spent, room, 2)
    } else {
        let below = shifted(aside(&answer, spent, room - 2, 2), 2);
        [wrap(&question, room, 2, Long::Break), below].concat()
    };
    labelled(look, label, shifted(lines, open.shift()))
}

/// The value that C would see, with the name of the error; where the kernel is asked nothing, the value itself.
pub(super) fn result(call: &Call, back: &Return) -> String {
    let in_c = !call.asked.is_empty();
    if let Some(errno) = &back.errno {
        let words = back.error.as_ref().map(|words| format!(" ({words})")).unwrap_or_default();
        return format!("{}{errno}{words}", if in_c { "-1 " } else { "" });
    }
    match &back.ok {
        None | Some(Value::Done | Value::Address(_) | Value::Number(_)) if in_c => "0".into(),
        None | Some(Value::Done) => "done".into(),
        Some(Value::Address(text)) => address(text),
        Some(Value::Number(n)) => n.to_string(),
        Some(Value::Socket { fd, .. }) => fd.to_string(),
        Some(Value::Count(n)) => n.to_string(),
        Some(Value::Data(data)) => data.len().to_string(),
        Some(Value::Datagram { length, .. }) => length.to_string(),
        Some(Value::Close { code, reason }) => close(*code, reason),
    }
}

/// `Close 1000 "bye"`. Two of the codes are never sent: RFC 6455 §7.1.5.
fn close(code: u16, reason: &str) -> String {
    let note = match code {
        1005 => " (a Close without a code)",
        1006 => " (no Close came)",
        _ => "",
    };
    let reason = if reason.is_empty() { String::new() } else { format!(" {}", quote(reason.as_bytes())) };
    format!("Close {code}{note}{reason}")
}

/// Whether that is an error.
pub(super) fn result_meaning(back: &Return) -> Meaning {
    if back.errno.is_some() { Meaning::Error } else { Meaning::Changed }
}

/// What came back besides the value.
fn given(look: &Look, call: &Call, back: &Return) -> Vec<Line> {
    let (label, text) = match &back.ok {
        Some(Value::Socket { name, fd, peer }) => {
            let from = peer.as_ref().map(|peer| format!(", from {}", address(peer))).unwrap_or_default();
            ("gives", format!("descriptor {fd}, named {name}{from}"))
        }
        Some(Value::Data(data)) if data.is_empty() => ("data", "none".into()),
        Some(Value::Data(data)) => return received(look, look.span("data", Meaning::Label), data),
        Some(Value::Datagram { bytes: data, length, from }) => {
            return datagram(look, data, *length, from.as_deref());
        }
        Some(Value::Address(text)) if !call.asked.is_empty() => ("gives", address(text)),
        Some(Value::Number(n)) if !call.asked.is_empty() => ("value", n.to_string()),
        _ => return Vec::new(),
    };
    row(look, label, look.line(text, Meaning::State))
}

/// A datagram that arrived, and who sent it.
fn datagram(look: &Look, data: &[u8], length: usize, from: Option<&str>) -> Vec<Line> {
    let mut lines = match data {
        [] if length == 0 => row(look, "data", look.line("none: the datagram is empty", Meaning::State)),
        [] => Vec::new(),
        data => received(look, look.span("data", Meaning::Label), data),
    };
    if let Some(text) = did_not_fit(data, length) {
        lines.extend(row(look, "", look.line(text, Meaning::Changed)));
    }
    if let Some(from) = from {
        lines.extend(row(look, "from", look.line(sender(from), Meaning::State)));
    }
    lines
}

/// `the datagram has 10 bytes, of which 6 did not fit`: with MSG_PEEK they are not lost yet.
pub(super) fn did_not_fit(data: &[u8], length: usize) -> Option<String> {
    let more = length.checked_sub(data.len()).filter(|more| *more > 0)?;
    Some(format!("the datagram has {}, of which {} did not fit", byte_count(length), thousands(more as u64)))
}

/// Who sent a datagram: ICMP has no ports.
pub(super) fn sender(text: &str) -> String {
    text.strip_suffix(":0").map_or_else(|| address(text), ToOwned::to_owned)
}

/// Bytes that arrived, the offsets of their rows among the labels.
pub(super) fn received(look: &Look, label: Span, data: &[u8]) -> Vec<Line> {
    let mut label = Some(label);
    let rows = bytes::received(look, data, room(look)).into_iter();
    rows.flat_map(|(offset, line)| {
        let offset = offset.map(|offset| look.span(offset.to_string(), Meaning::Quiet));
        let label = offset.or_else(|| label.take()).unwrap_or_else(|| look.span("", Meaning::Plain));
        labelled(look, label, vec![line])
    })
    .collect()
}

/// `127.0.0.1 port 7000`: address and port as the two things that they are.
pub(super) fn address(text: &str) -> String {
    match address_and_port(text) {
        (address, None) if text.ends_with(":0") => format!("{address} port 0"),
        (address, Some(port)) => format!("{address} port {port}"),
        (address, None) => address.to_owned(),
    }
}

/// What is said when a call left all sockets as they were.
pub(super) fn nothing_changed(look: &Look) -> Vec<Line> {
    match look.linear() {
        true => sentence(look, "No state, address or queue changed.", Meaning::Quiet),
        false => row(look, "", look.line("no state, address or queue changed", Meaning::Quiet)),
    }
}

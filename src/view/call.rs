//! The card of a call: the line that ran, the same in C, what the kernel was asked and what it answered.

use super::escape::quote;
use super::line::{Line, Meaning, Span};
use super::look::Look;
use super::sentences::sentence;
use super::units::{address_and_port, bytes as byte_count, thousands, time};
use super::wrap::{Long, aside, wrap};
use super::{bytes, call_linear};
use crate::event::{Blocked, Call, Host, KnownBy, Return, Value};

/// Width of the left column of names (`server`, `kernel`), in columns.
pub(super) const LABEL: usize = 9;

/// A call that has not returned, with what the screen already shows of it.
#[derive(Debug, Clone)]
pub(super) struct Open {
    /// The call.
    pub(super) call: Call,
    /// The step that made the call.
    pub(super) step: usize,
    /// Nesting depth of the call; 0 is the step's own call.
    pub(super) depth: usize,
    /// True once the `kernel` row with the request is shown.
    pub(super) asked: bool,
    /// True once a nested call has been made.
    pub(super) parent: bool,
    /// The line of the lesson, if the step is only a preparation: the call is then rendered in one line
    /// (`brief.rs`).
    pub(super) brief: Option<String>,
    /// True if the peer is another program and no deadline of a lesson applies.
    pub(super) live: bool,
}

impl Open {
    /// Indentation of a nested call, in columns.
    fn shift(&self) -> usize {
        2 * self.depth.min(4)
    }

    /// Describes what runs while a call waits on its own thread.
    pub(super) fn meanwhile(&self) -> &'static str {
        if self.live { "the run goes on meanwhile" } else { "the lesson goes on meanwhile" }
    }

    /// Describes the end of a waiting call: by a deadline of the lesson or, live, by a timeout or the user.
    pub(super) fn ended_by(&self) -> &'static str {
        if self.live { "ended from outside" } else { "ended by the lesson's deadline" }
    }

    /// Describes the interruption of a call that had done part of its work.
    pub(super) fn cut_short(&self) -> &'static str {
        if self.live {
            "so far when it was ended from outside"
        } else {
            "so far when the lesson's deadline ended it"
        }
    }
}

/// The meaning that colours the name of a host.
pub(super) fn host_meaning(host: Host) -> Meaning {
    match host {
        Host::Client => Meaning::Client,
        Host::Server => Meaning::Server,
    }
}

/// Width of the text to the right of the labels, in columns.
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

/// Renders the upper part of the card, when the call is made.
pub(super) fn made(look: &Look, open: &Open) -> Vec<Line> {
    let call = &open.call;
    if look.linear() {
        return call_linear::made(look, open);
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

/// Renders the lines that say that the call waits, for what, and how this is known.
pub(super) fn waits(look: &Look, open: &Open, blocked: &Blocked) -> Vec<Line> {
    let known = match blocked.known_by {
        KnownBy::Proc => "known from /proc: its thread is inside this very call",
        KnownBy::Time => "known by time: it has not come back within 50 ms",
    };
    if look.linear() {
        return call_linear::waits(look, open, blocked, known);
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

/// Renders the request of a call that has not returned; empty if the screen already shows it.
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

/// Describes a call on its own thread that has neither returned nor been observed to wait.
pub(super) fn goes_on(look: &Look, open: &Open) -> Vec<Line> {
    if look.linear() {
        return call_linear::goes_on(look, open);
    }
    let note = look.line(format!("it has not returned; {}", open.meanwhile()), Meaning::Quiet);
    [asked(look, open), row(look, "", note)].concat()
}

/// Renders the lower part of the card, when the call has returned; `later` if other steps ran in between.
pub(super) fn returned(look: &Look, open: &Open, back: &Return, later: bool) -> Vec<Line> {
    if look.linear() {
        return call_linear::returned(look, open, back, later);
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

/// Names the call that returns now and how long it waited.
fn came_back(look: &Look, open: &Open, back: &Return) -> Vec<Line> {
    let call = &open.call;
    let on = call.socket.as_ref().map(|socket| format!(" on {socket}")).unwrap_or_default();
    let which = format!("{}{on}, called in step {}, waited {}", call.call, open.step, time(back.ns));
    let which = wrap(&look.line(which, Meaning::State), room(look), 2, Long::Break);
    labelled(look, look.span(call.host.name(), host_meaning(call.host)), which)
}

/// `listen(3, 1) = 0      9 µs`; a result that does not fit moves to its own line.
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

/// The return value as C sees it, with the name of the error; without a system call, the value itself.
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

/// Returns true if the outcome is an error.
pub(super) fn result_meaning(back: &Return) -> Meaning {
    if back.errno.is_some() { Meaning::Error } else { Meaning::Changed }
}

/// Renders the results of a call other than its return value.
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

/// Renders a received datagram and its sender.
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

/// `the datagram has 10 bytes, of which 6 did not fit`; with MSG_PEEK the rest is not yet lost.
pub(super) fn did_not_fit(data: &[u8], length: usize) -> Option<String> {
    let more = length.checked_sub(data.len()).filter(|more| *more > 0)?;
    Some(format!("the datagram has {}, of which {} did not fit", byte_count(length), thousands(more as u64)))
}

/// The sender of a datagram; ICMP has no ports.
pub(super) fn sender(text: &str) -> String {
    text.strip_suffix(":0").map_or_else(|| address(text), ToOwned::to_owned)
}

/// Renders received bytes, with the offset of each row in the label column.
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

/// `127.0.0.1 port 7000`: the address and the port as separate items.
pub(super) fn address(text: &str) -> String {
    match address_and_port(text) {
        (address, None) if text.ends_with(":0") => format!("{address} port 0"),
        (address, Some(port)) => format!("{address} port {port}"),
        (address, None) => address.to_owned(),
    }
}

/// The text for a call that changed no socket.
pub(super) fn nothing_changed(look: &Look) -> Vec<Line> {
    match look.linear() {
        true => sentence(look, "No state, address or queue changed.", Meaning::Quiet),
        false => row(look, "", look.line("no state, address or queue changed", Meaning::Quiet)),
    }
}

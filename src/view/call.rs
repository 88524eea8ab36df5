//! The card of a call: the line that ran, the same in C, what the kernel was asked and what it answered.

use super::bytes;
use super::line::{Line, Meaning, Span};
use super::look::Look;
use super::units;
use super::wrap::{Long, aside, wrap};
use crate::trace::{Blocked, Call, Host, Return, Value};

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
    /// True once it has been seen to wait.
    pub(super) blocked: bool,
    /// True once another call has been made within it.
    pub(super) parent: bool,
}

/// What a host is painted as.
pub(super) fn host_meaning(host: Host) -> Meaning {
    match host {
        Host::Client => Meaning::Client,
        Host::Server => Meaning::Server,
    }
}

/// `Client` or `Server`, to begin a sentence with.
pub(super) fn host_name(host: Host) -> &'static str {
    match host {
        Host::Client => "Client",
        Host::Server => "Server",
    }
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

/// Columns right of the labels.
pub(super) fn room(look: &Look) -> usize {
    look.content() - LABEL
}

/// A sentence for a screen reader.
pub(super) fn sentence(look: &Look, text: impl AsRef<str>, meaning: Meaning) -> Vec<Line> {
    wrap(&look.line(text, meaning), look.content(), 0, Long::Keep)
}

/// The card's upper part, when the call is made.
pub(super) fn made(look: &Look, open: &Open) -> Vec<Line> {
    let call = &open.call;
    if look.linear() {
        return made_aloud(look, open);
    }
    let place = look.span(format!("{}:{}", call.source.file, call.source.line), Meaning::Quiet);
    let shift = 2 * open.depth.min(4);
    let ran = aside(&look.line(&call.source.text, Meaning::Code), place, room(look) - shift, 2);
    if open.depth > 0 {
        let ran = ran.into_iter().map(|line| line.indented(shift)).collect();
        return labelled(look, look.span("  calls", Meaning::Label), ran);
    }
    let mut card = labelled(look, look.span(call.host.name(), host_meaning(call.host)), ran);
    if !call.args.is_empty() {
        let args = arguments(call);
        card.extend(labelled(look, nothing(look), wrap(&look.line(args, Meaning::Code), room(look), 2, Long::Break)));
    }
    if !call.c.is_empty() {
        let c = wrap(&look.line(&call.c, Meaning::Code), room(look), 2, Long::Break);
        card.extend(labelled(look, look.span("C", Meaning::Label), c));
    }
    if call.syscalls.len() > 1 {
        let all = format!("as system calls: {}", call.syscalls.join(", "));
        let all = wrap(&look.line(all, Meaning::Quiet), room(look), 2, Long::Break);
        card.extend(labelled(look, nothing(look), all));
    }
    card
}

fn made_aloud(look: &Look, open: &Open) -> Vec<Line> {
    let call = &open.call;
    let within = if open.depth > 0 { "Within it, the" } else { "The" };
    let ran = format!(
        "{within} {} runs {} at {} line {}.",
        call.host, call.source.text, call.source.file, call.source.line
    );
    let mut lines = sentence(look, ran, Meaning::Code);
    if open.depth == 0 {
        if !call.args.is_empty() {
            lines.extend(sentence(look, format!("With {}.", arguments(call)), Meaning::Code));
        }
        if !call.c.is_empty() {
            lines.extend(sentence(look, format!("In C: {}", call.c), Meaning::Code));
        }
        if call.syscalls.len() > 1 {
            let all = format!("As system calls: {}.", call.syscalls.join(", "));
            lines.extend(sentence(look, all, Meaning::Quiet));
        }
    }
    lines
}

fn arguments(call: &Call) -> String {
    call.args.iter().map(|arg| format!("{} = {}", arg.name, arg.value)).collect::<Vec<_>>().join(", ")
}

fn nothing(look: &Look) -> Span {
    look.span("", Meaning::Plain)
}

/// The lines that say that the call waits, for what, and how that is known.
pub(super) fn waits(look: &Look, open: &Open, blocked: &Blocked) -> Vec<Line> {
    let known = match blocked.known_by.as_str() {
        "/proc" => "known from /proc: its thread is inside this very call".to_owned(),
        "time" => "known by time: it has not come back within 50 ms".to_owned(),
        other => format!("known by {other}"),
    };
    if look.linear() {
        let meanwhile = if open.call.background { " The lesson goes on meanwhile." } else { "" };
        let text = format!("It waits for {}, {known}.{meanwhile}", blocked.waits_for);
        return [asked_aloud(look, open), sentence(look, text, Meaning::State)].concat();
    }
    let mut lines = asked(look, open);
    let text = format!("for {}", blocked.waits_for);
    let text = wrap(&look.line(text, Meaning::State), room(look), 2, Long::Break);
    lines.extend(labelled(look, look.span("waits", Meaning::Changed), text));
    let mut notes = vec![known];
    if open.call.background {
        notes.push("the lesson goes on meanwhile".into());
    }
    for note in notes {
        let note = wrap(&look.line(note, Meaning::Quiet), room(look), 0, Long::Break);
        lines.extend(labelled(look, nothing(look), note));
    }
    lines
}

/// What the kernel was asked, of a call that has not answered.
pub(super) fn asked(look: &Look, open: &Open) -> Vec<Line> {
    if open.asked || open.call.asked.is_empty() {
        return Vec::new();
    }
    let line = look.spans([(&open.call.asked, Meaning::Code), (" …", Meaning::Plain)]);
    labelled(look, kernel_label(look, open), wrap(&line, room(look), 2, Long::Break))
}

/// The same for a screen reader.
pub(super) fn asked_aloud(look: &Look, open: &Open) -> Vec<Line> {
    if open.asked || open.call.asked.is_empty() {
        return Vec::new();
    }
    sentence(look, format!("The kernel is asked {}.", open.call.asked), Meaning::Code)
}

/// What stands for a call of its own thread that has neither returned nor been seen to wait.
pub(super) fn goes_on(look: &Look, open: &Open) -> Vec<Line> {
    let text = "it has not returned; the lesson goes on meanwhile";
    if look.linear() {
        return [asked_aloud(look, open), sentence(look, "It has not returned; the lesson goes on meanwhile.", Meaning::Quiet)]
            .concat();
    }
    let note = wrap(&look.line(text, Meaning::Quiet), room(look), 0, Long::Break);
    [asked(look, open), labelled(look, nothing(look), note)].concat()
}

/// The card's lower part, when the call has returned; `later` if other steps were done meanwhile.
pub(super) fn returned(look: &Look, open: &Open, back: &Return, later: bool) -> Vec<Line> {
    if look.linear() {
        return returned_aloud(look, open, back, later);
    }
    let mut lines = Vec::new();
    if later {
        let call = &open.call;
        let waited = units::time(back.ns);
        let which = match &call.socket {
            Some(socket) => format!("{} on {socket}, called in step {}, waited {waited}", call.call, open.step),
            None => format!("{}, called in step {}, waited {waited}", call.call, open.step),
        };
        let which = wrap(&look.line(which, Meaning::State), room(look), 2, Long::Break);
        lines.extend(labelled(look, look.span(call.host.name(), host_meaning(call.host)), which));
    }
    if back.deadline {
        return [lines, asked(look, open), ended_by_deadline(look, back)].concat();
    }
    let time = look.span(if later { String::new() } else { units::time(back.ns) }, Meaning::Quiet);
    let (label, question) = if open.asked && !later {
        (look.span("returns", Meaning::Label), "")
    } else if open.call.asked.is_empty() {
        (look.span("result", Meaning::Label), "")
    } else {
        (kernel_label(look, open), open.call.asked.as_str())
    };
    let mut answer = look.spans([("= ", Meaning::Plain), (&result(back), result_meaning(back))]);
    if open.call.asked.is_empty() && !open.parent {
        answer.extend(look.line("  the kernel is asked nothing", Meaning::Quiet));
    }
    if let (Some(Value::Data(data)), 1..) = (&back.ok, open.depth) {
        answer.extend(look.spans([("  ", Meaning::Plain), (&bytes::glimpse(data, 24), Meaning::Bytes)]));
    }
    let shift = 2 * open.depth.min(4);
    let answer = answered(look.line(question, Meaning::Code), answer, time, room(look) - shift);
    lines.extend(labelled(look, label, answer.into_iter().map(|line| line.indented(shift)).collect()));
    if open.depth == 0 {
        lines.extend(given(look, back));
    }
    lines
}

/// `listen(3, 1) = 0      9 µs`; if that is too long for a line, the answer has one of its own.
fn answered(question: Line, answer: Line, time: Span, room: usize) -> Vec<Line> {
    if question.is_blank() {
        return aside(&answer, time, room, 2);
    }
    if question.width() + 1 + answer.width() + 2 + time.width() <= room {
        let mut line = question;
        line.space(1);
        line.extend(answer);
        return aside(&line, time, room, 2);
    }
    let below = aside(&answer, time, room - 2, 2).into_iter().map(|line| line.indented(2));
    wrap(&question, room, 2, Long::Break).into_iter().chain(below).collect()
}

fn kernel_label(look: &Look, open: &Open) -> Span {
    look.span(if open.depth > 0 { "" } else { "kernel" }, Meaning::Label)
}

fn ended_by_deadline(look: &Look, back: &Return) -> Vec<Line> {
    let text = format!("ended by the lesson's deadline after {}; it would wait on", units::time(back.ns));
    let text = wrap(&look.line(text, Meaning::Changed), room(look), 0, Long::Break);
    labelled(look, nothing(look), text)
}

fn result(back: &Return) -> String {
    if let Some(errno) = &back.errno {
        let words = back.error.as_ref().map(|words| format!(" ({words})")).unwrap_or_default();
        return format!("-1 {errno}{words}");
    }
    match &back.ok {
        None | Some(Value::Done | Value::Address(_) | Value::Number(_)) => "0".into(),
        Some(Value::Socket { fd, .. }) => fd.to_string(),
        Some(Value::Count(n)) => n.to_string(),
        Some(Value::Data(data)) => data.len().to_string(),
    }
}

fn result_meaning(back: &Return) -> Meaning {
    if back.errno.is_some() { Meaning::Error } else { Meaning::Changed }
}

/// What came back besides the number.
fn given(look: &Look, back: &Return) -> Vec<Line> {
    let (label, line) = match &back.ok {
        Some(Value::Socket { name, fd, peer }) => {
            let from = peer.as_ref().map(|peer| format!(", from {}", address(peer))).unwrap_or_default();
            ("gives", look.line(format!("descriptor {fd}, named {name}{from}"), Meaning::State))
        }
        Some(Value::Data(data)) if data.is_empty() => {
            ("data", look.line("none", Meaning::State))
        }
        Some(Value::Data(data)) => return received(look, look.span("data", Meaning::Label), data),
        Some(Value::Address(text)) => ("gives", look.line(address(text), Meaning::State)),
        Some(Value::Number(n)) => ("value", look.line(n.to_string(), Meaning::State)),
        Some(Value::Done | Value::Count(_)) | None => return Vec::new(),
    };
    labelled(look, look.span(label, Meaning::Label), wrap(&line, room(look), 2, Long::Break))
}

/// Bytes that arrived, the offsets of their rows among the labels.
pub(super) fn received(look: &Look, label: Span, data: &[u8]) -> Vec<Line> {
    let mut label = Some(label);
    let rows = bytes::received(look, data, room(look)).into_iter();
    rows.flat_map(|(offset, line)| {
        let offset = offset.map(|offset| look.span(offset.to_string(), Meaning::Quiet));
        labelled(look, offset.or_else(|| label.take()).unwrap_or_else(|| nothing(look)), vec![line])
    })
    .collect()
}

/// `127.0.0.1 port 7000`: address and port as the two things that they are.
pub(super) fn address(text: &str) -> String {
    match units::address_and_port(text) {
        (address, Some(port)) => format!("{address} port {port}"),
        (address, None) => address.to_owned(),
    }
}

fn returned_aloud(look: &Look, open: &Open, back: &Return, later: bool) -> Vec<Line> {
    let call = &open.call;
    let mut text = String::new();
    if later {
        let on = call.socket.as_ref().map(|socket| format!(" on {socket}")).unwrap_or_default();
        text = format!("The {}'s {}{on}, called in step {}, has returned. ", call.host, call.call, open.step);
    }
    let time = units::time_in_words(back.ns);
    if back.deadline {
        text += &format!("It was ended by the lesson's deadline after {time}; it would wait on.");
        return [asked_aloud(look, open), sentence(look, text, Meaning::Changed)].concat();
    }
    let answer = match &back.errno {
        Some(errno) => {
            let words = back.error.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
            format!("fails with {errno}{words}")
        }
        None => format!("answers {}", result(back)),
    };
    text += &if call.asked.is_empty() {
        format!("It {answer}, after {time}.")
    } else if open.asked {
        format!("The kernel {answer}, after {time}.")
    } else {
        format!("The kernel is asked {} and {answer}, after {time}.", call.asked)
    };
    let mut lines = sentence(look, text, result_meaning(back));
    let given = match &back.ok {
        Some(Value::Socket { name, fd, peer }) => {
            let from = peer.as_ref().map(|peer| format!(", from {}", address(peer))).unwrap_or_default();
            format!("It gives descriptor {fd}, named {name}{from}.")
        }
        Some(Value::Data(data)) if data.is_empty() => "No data.".into(),
        Some(Value::Data(data)) => format!("Received {}: {}.", units::bytes(data.len()), bytes::glimpse(data, 400)),
        Some(Value::Address(text)) => format!("It gives {}.", address(text)),
        Some(Value::Number(n)) => format!("It gives {n}."),
        Some(Value::Done | Value::Count(_)) | None => return lines,
    };
    lines.extend(sentence(look, given, Meaning::State));
    lines
}

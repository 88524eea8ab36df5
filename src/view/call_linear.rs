//! A call in sentences, for a screen reader: the same facts as on its card, in the same order.

use super::bytes::glimpse;
use super::call::{Open, address, arguments, did_not_fit, result, result_meaning, sender};
use super::line::{Line, Meaning};
use super::look::Look;
use super::sentences::{capital, sentence, the_host};
use super::units::{bytes, time_in_words};
use crate::event::{Blocked, Call, Return, Value};

/// So much of what was received is read out.
const READ_OUT: usize = 400;

/// The call is made.
pub(super) fn made(look: &Look, open: &Open) -> Vec<Line> {
    let call = &open.call;
    let who =
        if open.depth > 0 { format!("Within it, the {}", call.host) } else { the_host(call.host).into() };
    let ran = format!("{who} runs {} at {} line {}.", call.source.text, call.source.file, call.source.line);
    let mut lines = sentence(look, ran, Meaning::Code);
    if open.depth > 0 {
        return lines;
    }
    if !call.args.is_empty() {
        lines.extend(sentence(look, format!("With {}.", arguments(call)), Meaning::Call));
    }
    if !call.c.is_empty() {
        lines.extend(sentence(look, format!("In C: {}", call.c), Meaning::Call));
    }
    if call.syscalls.len() > 1 {
        let all = format!("As system calls: {}.", call.syscalls.join(", "));
        lines.extend(sentence(look, all, Meaning::Quiet));
    }
    lines
}

/// The call waits; `known` is how one knows.
pub(super) fn waits(look: &Look, open: &Open, blocked: &Blocked, known: &str) -> Vec<Line> {
    let meanwhile =
        if open.call.background { format!(" {}.", capital(open.meanwhile())) } else { String::new() };
    let text = format!("It waits for {}, {known}.{meanwhile}", blocked.waits_for);
    [asked(look, open), sentence(look, text, Meaning::State)].concat()
}

/// The call has neither returned nor been seen to wait.
pub(super) fn goes_on(look: &Look, open: &Open) -> Vec<Line> {
    let text = format!("It has not returned; {}.", open.meanwhile());
    [asked(look, open), sentence(look, text, Meaning::Quiet)].concat()
}

fn asked(look: &Look, open: &Open) -> Vec<Line> {
    if open.asked || open.call.asked.is_empty() {
        return Vec::new();
    }
    sentence(look, format!("The kernel is asked {}.", open.call.asked), Meaning::Call)
}

/// The call has returned; `later` if other steps were done meanwhile.
pub(super) fn returned(look: &Look, open: &Open, back: &Return, later: bool) -> Vec<Line> {
    let call = &open.call;
    let mut text = String::new();
    if later {
        let on = call.socket.as_ref().map(|socket| format!(" on {socket}")).unwrap_or_default();
        text = format!("The {}'s {}{on}, called in step {}, has returned. ", call.host, call.call, open.step);
    }
    let time = time_in_words(back.ns);
    if back.deadline && back.ok.is_none() {
        text += &format!("It was {} after {time}; it would wait on.", open.ended_by());
        return [asked(look, open), sentence(look, text, Meaning::Changed)].concat();
    }
    let answer = answer(call, back);
    text += &if call.asked.is_empty() {
        format!("It {answer}, after {time}.")
    } else if open.asked {
        format!("The kernel {answer}, after {time}.")
    } else {
        format!("The kernel is asked {} and {answer}, after {time}.", call.asked)
    };
    if back.deadline {
        text += &format!(" It got {}.", open.cut_short());
    }
    let mut lines = sentence(look, text, result_meaning(back));
    if let Some(given) = given(call, back) {
        lines.extend(sentence(look, given, Meaning::State));
    }
    lines
}

/// `answers 0`, `fails with ECONNREFUSED: Connection refused`.
pub(super) fn answer(call: &Call, back: &Return) -> String {
    match &back.errno {
        Some(errno) => {
            let words = back.error.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
            format!("fails with {errno}{words}")
        }
        None => format!("answers {}", result(call, back)),
    }
}

fn given(call: &Call, back: &Return) -> Option<String> {
    Some(match back.ok.as_ref()? {
        Value::Socket { name, fd, peer } => {
            let from = peer.as_ref().map(|peer| format!(", from {}", address(peer))).unwrap_or_default();
            format!("It gives descriptor {fd}, named {name}{from}.")
        }
        Value::Data(data) if data.is_empty() => "No data.".into(),
        Value::Data(data) => format!("Received {}: {}.", bytes(data.len()), glimpse(data, READ_OUT)),
        Value::Datagram { bytes: data, length, from } => {
            let from = from.as_ref().map(|from| format!(" from {}", sender(from))).unwrap_or_default();
            let mut text = match data.as_slice() {
                [] if *length == 0 => format!("An empty datagram{from}."),
                data => format!("Received {}{from}: {}.", bytes(data.len()), glimpse(data, READ_OUT)),
            };
            if let Some(more) = did_not_fit(data, *length) {
                text += &format!(" {}.", capital(&more));
            }
            text
        }
        Value::Address(text) if !call.asked.is_empty() => format!("It gives {}.", address(text)),
        Value::Number(n) if !call.asked.is_empty() => format!("It gives {n}."),
        _ => return None,
    })
}

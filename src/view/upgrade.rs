//! The WebSocket opening handshake, requirement by requirement, and the messages after it.

use super::bytes;
use super::call::{host_meaning, labelled, received, room};
use super::line::{Line, Meaning};
use super::look::Look;
use super::sentences::{capital, sentence, stop, the_host};
use super::units;
use super::wrap::{Long, aside, wrap};
use crate::event::{Message, Requirement};

/// Who judges: the line above a list of requirements.
pub(super) fn judge(look: &Look, first: &Requirement) -> Vec<Line> {
    if look.linear() {
        let text = format!("{} judges the opening handshake.", the_host(first.host));
        return sentence(look, text, Meaning::Heading);
    }
    let rfc = look.span(DOCUMENT, Meaning::Quiet);
    let text = aside(&look.line("judges the opening handshake", Meaning::Prose), rfc, room(look), 0);
    labelled(look, look.span(first.host.name(), host_meaning(first.host)), text)
}

/// The document that most requirements stand in: said once, above them.
const DOCUMENT: &str = "RFC 6455";

/// The document and the place in it: `RFC 6455`, `§4.2.1 (1)`.
pub(super) fn split_section(section: &str) -> (&str, &str) {
    match section.find('§') {
        Some(at) if section[..at].trim_end().len() < at => (section[..at].trim_end(), &section[at..]),
        _ => ("", section),
    }
}

/// A requirement, what was found, and the section that requires it.
pub(super) fn requirement(look: &Look, it: &Requirement) -> Vec<Line> {
    let at = it.offset.map(|offset| format!("at byte {offset}")).unwrap_or_default();
    if look.linear() {
        let met = if it.met { "Met" } else { "Not met" };
        let found = if it.found.is_empty() { "nothing" } else { &it.found };
        let at = if at.is_empty() { at } else { format!(", {at}") };
        let text = format!("{met}: {}. Found: {found}{at}. {}.", it.requirement, it.section);
        return sentence(look, text, if it.met { Meaning::Holds } else { Meaning::Fails });
    }
    let (mark, meaning) = if it.met { ("✓", Meaning::Holds) } else { ("✗", Meaning::Fails) };
    let mut name = look.spans([(mark, meaning), (" ", Meaning::Plain)]);
    let hang = name.width();
    name.push(look.span(&it.requirement, if it.met { Meaning::Prose } else { Meaning::Fails }));
    let mut found = look.line(if it.found.is_empty() { "nothing" } else { &it.found }, Meaning::State);
    if !it.met && !at.is_empty() {
        found.extend(look.line(format!("  {at}"), Meaning::Quiet));
    }
    let (document, place) = split_section(&it.section);
    let section = look.line(if document == DOCUMENT { place } else { &it.section }, Meaning::Quiet);
    // The requirement with its section, and what was found beneath: one layout for all, long or short.
    let section = section.spans().first().cloned().unwrap_or_else(|| look.span("", Meaning::Quiet));
    let mut lines = aside(&name, section, look.content(), hang);
    let below = wrap(&found, look.content() - hang, 0, Long::Break);
    lines.extend(below.into_iter().map(|line| line.indented(hang)));
    lines.into_iter().map(|line| line.indented(look.indent())).collect()
}

/// A message that came or went, or the rule that was broken.
pub(super) fn message(look: &Look, it: &Message) -> Vec<Line> {
    let violation = it.kind == "violation";
    let size = if it.data.is_empty() { String::new() } else { units::bytes(it.data.len()) };
    let way = if it.received { "received" } else { "sent" };
    let code = it.code.map(|code| format!(" {code}")).unwrap_or_default();
    let section =
        [it.section.as_deref(), it.level.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
    if look.linear() {
        let text = if violation {
            violation_linear(it, &section)
        } else {
            let data = match it.data.as_slice() {
                [] => String::new(),
                data => format!(" {} ({size})", bytes::glimpse(data, 400)),
            };
            format!("{}'s {} {way} {}{code}{data}.", the_host(it.host), it.socket, it.kind)
        };
        return sentence(look, text, if violation { Meaning::Fails } else { Meaning::Prose });
    }
    let host = look.span(it.host.name(), host_meaning(it.host));
    if violation {
        return labelled(look, host, broken(look, it, &section));
    }
    let mut line =
        look.spans([(&format!("{} {way} ", it.socket), Meaning::Prose), (&it.kind, Meaning::Strong)]);
    line.push(look.span(code, Meaning::State));
    let mut lines = Vec::new();
    match it.data.as_slice() {
        [] => {}
        data if it.kind != "binary" && line.width() + 4 + data.len() + size.len() <= room(look) => {
            line.space(1);
            line.extend(look.line(super::quote(data), Meaning::Bytes));
            line.extend(look.line(format!(" ({size})"), Meaning::Quiet));
        }
        data => {
            line.extend(look.line(format!(" ({size})"), Meaning::Quiet));
            lines.extend(received(look, look.span("", Meaning::Plain), data));
        }
    }
    let head = wrap(&line, room(look), 2, Long::Break);
    [labelled(look, host, head), lines].concat()
}

fn broken(look: &Look, it: &Message, section: &str) -> Vec<Line> {
    let rule = it.rule.as_deref().unwrap_or("a rule of the protocol");
    let line = look.spans([
        (&format!("{}: ", it.socket), Meaning::Prose),
        (offence(it), Meaning::Fails),
        (": ", Meaning::Plain),
        (rule, Meaning::Prose),
    ]);
    let mut lines = aside(&line, look.span(section, Meaning::Quiet), room(look), 2);
    let more = consequences(it);
    if !more.is_empty() {
        lines.extend(wrap(&look.line(more, Meaning::Quiet), room(look), 0, Long::Break));
    }
    lines
}

/// What an offence against this receiver is called: going past a limit of its own breaks no rule of the
/// protocol.
pub(super) fn offence(it: &Message) -> &'static str {
    if it.code == Some(TOO_BIG) { "over a limit" } else { "violation" }
}

/// Message Too Big, RFC 6455 §7.4.1.
const TOO_BIG: u16 = 1009;

/// Where it was seen, and what follows.
pub(super) fn consequences(it: &Message) -> String {
    let by = if it.code == Some(TOO_BIG) { "reached at" } else { "broken by" };
    let at = it.offset.map(|offset| format!("{by} byte {offset} of the frames"));
    let code = it.code.map(|code| format!("answered with Close {code}"));
    [at, code].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn violation_linear(it: &Message, section: &str) -> String {
    let rule = it.rule.as_deref().unwrap_or("a rule of the protocol");
    let met = if it.code == Some(TOO_BIG) { "limit" } else { "violation" };
    let told = format!("{}'s {} met a {met}: {rule}", the_host(it.host), it.socket);
    let parts = [told, section.to_owned(), capital(&consequences(it))];
    parts.iter().filter(|part| !part.is_empty()).map(|part| stop(part)).collect::<Vec<_>>().join(" ")
}

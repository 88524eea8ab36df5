//! STOMP: its commands, its headers and its rules.

use super::{
    Entry,
    entries::{entry, reason},
};
use crate::wire::stomp::{COMMANDS, Command, HEADERS, RULES};

/// Last part of a rule's path, why it is one.
const RULE_REASONS: [(&str, &str); 16] = [
    (
        "command",
        "A reader that waits for the end of what is no frame waits for ever: another protocol has called.",
    ),
    (
        "line-end",
        "Only 1.2 knows CR at all, before LF. Anywhere else it stands in a header by mistake, and \\r would say it.",
    ),
    ("header", "What has no colon is neither name nor value."),
    (
        "blank-line",
        "The grammar lets a 0x00 stand in a header; but most likely the blank line was forgotten, and its reader would wait for it for ever.",
    ),
    (
        "escape",
        "One side means something by it that the other does not know: to guess would change a name or a value.",
    ),
    ("utf8", "Two programs that take bytes for different letters would mean different destinations."),
    ("length", "If it can't be read, nobody knows where the next frame begins."),
    ("null", "If something else stands there, the length was wrong, and so is everything behind it."),
    ("body", "Whoever believes in it and whoever does not would disagree on where the frame ends."),
    (
        "too-many-headers",
        "A reader keeps the headers until the frame is whole: without a limit anybody could fill its memory.",
    ),
    ("header-too-long", "A line without an end is kept until there is no memory left."),
    ("body-too-long", "A length can be claimed that no memory holds."),
    ("sender", "A MESSAGE from a client means nothing; most likely a server has called another."),
    (
        "required",
        "A SEND without a destination can go nowhere, a MESSAGE without a subscription belongs to none.",
    ),
    (
        "ack-mode",
        "If the server took another for auto, messages would be lost that the client wanted to confirm.",
    ),
    ("heart-beat", "Each side has to work out the same times as the other, or one takes the other for dead."),
];

/// Its entries.
pub(super) fn stomp(all: &mut Vec<Entry>) {
    for it in &COMMANDS {
        let path = format!("stomp.frame.{}", it.name.to_lowercase());
        let mut command = entry(path, &format!("{} frame", it.name), it.meaning, it.why, it.section);
        command.spellings = vec![format!("stomp.{}", it.name.to_lowercase())];
        command.values = values(it);
        all.push(command);
    }
    for it in &HEADERS {
        let path = format!("stomp.header.{}", it.name);
        all.push(entry(path, it.name, it.meaning, it.why, it.section));
    }
    for (last, rule) in &RULES {
        let why = reason(&RULE_REASONS, last);
        let mut entry = entry(format!("stomp.rules.{last}"), rule.words, rule.words, why, rule.section);
        let weight = if rule.must { "MUST" } else { "by the grammar, or a limit" };
        entry.values = vec![("weight".to_owned(), weight.to_owned())];
        all.push(entry);
    }
}

/// Who sends it, and with what.
fn values(it: &Command) -> Vec<(String, String)> {
    let list = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    [
        ("sent by", format!("the {}, since {}", it.sender.name(), it.since.number())),
        ("needs", list(it.required)),
        ("may have", list(it.optional)),
        ("body", if it.body { "yes" } else { "no" }.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// The part of the lesson that shows it, from 0.
pub(super) fn part(path: &str) -> usize {
    match path.rsplit('.').next().unwrap_or_default() {
        "send" | "subscribe" | "unsubscribe" | "destination" | "id" | "subscription" | "message-id" => 1,
        "content-length" | "content-type" | "escape" | "null" | "length" | "body" | "header" => 2,
        "receipt" | "receipt-id" | "ack" | "nack" | "ack-mode" => 3,
        "heart-beat" => 4,
        "error" | "disconnect" | "required" => 5,
        "message" if path.starts_with("stomp.header") => 5,
        "message" => 1,
        _ => 0,
    }
}

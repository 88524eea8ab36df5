//! STOMP: its commands, its headers and its rules.

use super::{Entry, entries::entry};
use crate::wire::stomp::{COMMANDS, Command, HEADERS, RULES};

/// Its entries.
pub(super) fn stomp(all: &mut Vec<Entry>) {
    for it in &COMMANDS {
        let path = format!("stomp.frame.{}", it.name.to_lowercase());
        let mut command = entry(path, &format!("{} frame", it.name), it.meaning, it.section);
        command.spellings = vec![format!("stomp.{}", it.name.to_lowercase())];
        command.values = values(it);
        all.push(command);
    }
    for it in &HEADERS {
        let path = format!("stomp.header.{}", it.name);
        all.push(entry(path, it.name, it.meaning, it.section));
    }
    for (last, rule) in &RULES {
        let mut entry = entry(format!("stomp.rules.{last}"), rule.words, rule.words, rule.section);
        let weight = if rule.must { "MUST" } else { "by the grammar, or a limit" };
        entry.values = vec![("weight".to_owned(), weight.to_owned())];
        all.push(entry);
    }
}

/// Returns the sender and the headers of a command.
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

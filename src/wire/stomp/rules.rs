//! The rules of STOMP frames: text, section, and requirement level.

use thiserror::Error;

use super::{Frame, HeartBeat, QUOTED, Sender, Version, command_entry, quoted};
use crate::wire::text;

/// A rule of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The rule in a few words.
    pub words: &'static str,
    /// Where it stands.
    pub section: &'static str,
    /// True if the specification says MUST. Other rules follow from its grammar, or are limits that a
    /// receiver may set.
    pub must: bool,
}

const fn must(words: &'static str, section: &'static str) -> Rule {
    Rule { words, section, must: true }
}

const fn form(words: &'static str, section: &'static str) -> Rule {
    Rule { words, section, must: false }
}

/// The first line is none of the fifteen commands. A server MAY answer ERROR and close.
pub const COMMAND: Rule =
    form("a frame begins with one of the commands, in capitals", "STOMP 1.2, Augmented BNF");

/// A CR that no LF follows.
pub(crate) const LINE_END: Rule = form("CR stands only before LF", "STOMP 1.2, Augmented BNF");

/// A header line without a colon, or with nothing before it.
pub(crate) const HEADER: Rule = form("a header is a name, a colon and a value", "STOMP 1.2, Augmented BNF");

/// NUL in a line. The grammar allows it in a header, but most likely the blank line is missing, and a reader
/// would wait forever.
pub(crate) const BLANK_LINE: Rule =
    form("a blank line comes before the body and its NULL", "STOMP 1.2, STOMP Frames");

/// A backslash that begins none of the escapes.
pub(crate) const ESCAPE: Rule =
    must("an escape is \\r, \\n, \\c or \\\\: any other is fatal", "STOMP 1.2, Value Encoding");

/// A header that is not UTF-8.
pub(crate) const UTF8: Rule = form("commands and headers are UTF-8", "STOMP 1.2, Value Encoding");

/// A content-length that is no number.
pub(crate) const LENGTH: Rule =
    form("content-length is a number of octets", "STOMP 1.2, Header content-length");

/// Something else than NULL after the body that content-length measures.
pub const NULL: Rule =
    must("after content-length octets the frame still ends with NULL", "STOMP 1.2, Header content-length");

/// A body in a frame that has none.
pub(crate) const BODY: Rule = must("only SEND, MESSAGE and ERROR have a body", "STOMP 1.2, Body");

/// More header lines than the receiver takes.
pub(crate) const TOO_MANY_HEADERS: Rule =
    form("this frame has more headers than this receiver takes", "STOMP 1.2, Size Limits");

/// A longer header line than the receiver takes.
pub(crate) const HEADER_TOO_LONG: Rule =
    form("this header line is longer than this receiver takes", "STOMP 1.2, Size Limits");

/// A longer body than the receiver takes.
pub(crate) const BODY_TOO_LONG: Rule =
    form("this body is longer than this receiver takes", "STOMP 1.2, Size Limits");

/// A frame of a client from a server, or the other way round.
pub(crate) const SENDER: Rule =
    form("clients and servers have commands of their own", "STOMP 1.2, Client Frames, Server Frames");

/// A header that the frame must have.
pub(crate) const REQUIRED: Rule =
    must("a frame has the headers that it needs", "STOMP 1.2, Frames and Headers");

/// An `ack` in SUBSCRIBE that is none of the three.
pub(crate) const ACK_MODE: Rule =
    form("ack is auto, client or client-individual", "STOMP 1.2, SUBSCRIBE ack Header");

/// A `heart-beat` that is not two numbers.
pub(crate) const HEART_BEAT: Rule =
    must("heart-beat is two numbers with a comma between", "STOMP 1.2, Heart-beating");

/// All rules, each with the last part of its path: what `explain stomp.rules` lists.
pub(crate) const RULES: [(&str, &Rule); 16] = [
    ("command", &COMMAND),
    ("line-end", &LINE_END),
    ("header", &HEADER),
    ("blank-line", &BLANK_LINE),
    ("escape", &ESCAPE),
    ("utf8", &UTF8),
    ("length", &LENGTH),
    ("null", &NULL),
    ("body", &BODY),
    ("too-many-headers", &TOO_MANY_HEADERS),
    ("header-too-long", &HEADER_TOO_LONG),
    ("body-too-long", &BODY_TOO_LONG),
    ("sender", &SENDER),
    ("required", &REQUIRED),
    ("ack-mode", &ACK_MODE),
    ("heart-beat", &HEART_BEAT),
];

/// A well-formed frame that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{command} frame: {}; had {had} ({})", .rule.words, .rule.section)]
pub struct RuleError {
    /// The command of the frame.
    pub command: String,
    /// The rule.
    pub rule: &'static Rule,
    /// What the frame has or lacks, escaped.
    pub had: String,
}

/// Checks a frame that `sender` has sent in a session of this version.
///
/// # Errors
///
/// The first rule that it breaks.
pub fn check(frame: &Frame, from: Sender, version: Version) -> Result<(), RuleError> {
    let breach = |rule, had: String| {
        Err(RuleError { command: text::shown(frame.command.as_bytes(), QUOTED), rule, had })
    };
    let entry = command_entry(frame.command.as_bytes()).filter(|entry| entry.since <= version);
    let Some(entry) = entry else {
        return breach(&COMMAND, format!("a command that STOMP {} doesn't have", version.number()));
    };
    if entry.sender != from {
        return breach(&SENDER, format!("a {}'s command from the {}", entry.sender.name(), from.name()));
    }
    for name in required(entry.name, entry.required, version) {
        if frame.header(name).is_none() {
            return breach(&REQUIRED, format!("no header {name}"));
        }
    }
    let ack = frame.header("ack").filter(|_| entry.name == "SUBSCRIBE");
    if let Some(ack) = ack.filter(|ack| !["auto", "client", "client-individual"].contains(ack)) {
        return breach(&ACK_MODE, quoted(ack.as_bytes()));
    }
    if version > Version::V10
        && matches!(entry.name, "CONNECT" | "STOMP" | "CONNECTED")
        && HeartBeat::parse(frame.header("heart-beat")).is_none()
    {
        return breach(&HEART_BEAT, quoted(frame.header("heart-beat").unwrap_or_default().as_bytes()));
    }
    Ok(())
}

/// Returns the headers that a frame needs in this version. 1.2 simplified ACK; 1.0 has no virtual hosts, and
/// ids are optional.
fn required(command: &str, newest: &'static [&'static str], version: Version) -> &'static [&'static str] {
    match (version, command) {
        (Version::V11, "ACK" | "NACK") => &["message-id", "subscription"],
        (Version::V10, "ACK") => &["message-id"],
        (Version::V10, "CONNECT" | "CONNECTED" | "UNSUBSCRIBE") => &[],
        (Version::V10, "SUBSCRIBE") => &["destination"],
        (Version::V10, "MESSAGE") => &["destination", "message-id"],
        _ => newest,
    }
}

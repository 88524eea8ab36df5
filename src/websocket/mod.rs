//! The WebSocket opening handshake by hand (RFC 6455 §4), and the rules of the frames that follow it (§5).
//!
//! Read it in the order in which it happens: [`request`] is what the client sends, [`answer`] is how the
//! server reads and answers it, [`accept_key`] is the value that ties the two together, [`verify`] is how the
//! client reads the answer, and [`judge`] checks the frames of either side against the rules.
//!
//! These modules do no I/O: they take bytes and return bytes and verdicts. Parsing and encoding is in `wire`.
//! [`opening`] and [`frames`] run the steps on a socket, and [`handoff`] passes the connection to
//! tungstenite.

pub mod accept_key;
pub mod answer;
pub mod extensions;
pub mod frames;
pub mod handoff;
pub mod judge;
pub mod opening;
pub mod request;
mod session;
pub mod step;
pub mod verify;

pub use session::Sessions;
pub use step::{Modifier, Site, Step};

use crate::event::{Host, Requirement, Row};
use crate::wire::http::HeaderLine;
use crate::wire::{Field, text};

/// Longest quotation of a value from the head, in characters.
const QUOTED: usize = 80;

/// A requirement of the handshake, and whether the head meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleCheck {
    /// The requirement in a few words.
    pub requirement: &'static str,
    /// The section that states it: `RFC 6455 §4.2.1 (5)`.
    pub section: &'static str,
    /// True if the requirement is met.
    pub met: bool,
    /// The value found, escaped.
    pub found: String,
    /// The position of the value in the head, in bytes.
    pub offset: Option<usize>,
}

impl RuleCheck {
    /// Converts it to the event of the host that checked.
    pub fn to_event(&self, host: Host) -> Requirement {
        Requirement {
            host,
            socket: None,
            requirement: self.requirement.into(),
            section: self.section.into(),
            met: self.met,
            found: self.found.clone(),
            offset: self.offset,
        }
    }
}

/// Converts the fields of decoded bytes to rows of a [`event::Working`](crate::event::Working).
pub fn rows(fields: &[Field]) -> Vec<Row> {
    let row = |field: &Field| Row {
        name: field.name.into(),
        value: match field.symbol {
            Some(symbol) => format!("{} [{symbol}]", field.value),
            None => field.value.clone(),
        },
        meaning: field.meaning.clone(),
        bits: Some((field.bits.start, field.bits.end)),
        section: (!field.section.is_empty()).then(|| field.section.into()),
    };
    fields.iter().map(row).collect()
}

/// Returns the values of all field lines with one name, as a check quotes them, and the position of the
/// first.
fn quoted<'a>(lines: impl Iterator<Item = &'a HeaderLine>) -> (String, Option<usize>) {
    let mut found = String::new();
    let mut offset = None;
    for line in lines {
        found.push_str(if offset.is_none() { "" } else { " | " });
        found.push_str(&text::shown(&line.value, QUOTED));
        offset = offset.or(Some(line.offset));
    }
    match offset {
        None => ("no such line".into(), None),
        Some(_) if found.is_empty() => ("an empty value".into(), offset),
        Some(_) => (found, offset),
    }
}

#[cfg(test)]
mod cases;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::websocket::{Frame, fields, opcode};

    #[test]
    fn a_finding_becomes_an_event() {
        let finding =
            RuleCheck { requirement: "a", section: "b", met: false, found: "c".into(), offset: Some(3) };
        let event = finding.to_event(Host::Server);
        assert_eq!((event.host, event.met, event.offset), (Host::Server, false, Some(3)));
    }

    #[test]
    fn fields_become_rows_with_their_symbols() {
        let rows = rows(&fields(&Frame::new(opcode::PING, "").encode()));
        let opcode = rows.iter().find(|row| row.name == "Opcode").unwrap();
        assert_eq!((opcode.value.as_str(), opcode.bits), ("0x9 [Ping]", Some((4, 8))));
    }
}

//! The WebSocket opening handshake by hand (RFC 6455 §4), and the rules of the frames that follow it (§5).
//!
//! Read it in the order in which it happens: [`request`] is what the client sends, [`answer`] is how the server
//! reads it and what it says, [`accept_key`] is the value that ties the two together, [`verify`] is how the client
//! reads the answer, and [`judge`] holds the frames of either side against the rules.
//!
//! Those do no I/O: bytes come in, bytes and verdicts go out. How bytes are taken apart is in `wire`. The steps that a lesson
//! takes on a socket are in [`opening`] and [`frames`], and [`handoff`] gives the connection to tungstenite.

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

/// How much of what was found is quoted, in characters.
const QUOTED: usize = 80;

/// A requirement of the handshake, and how it was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The requirement in a few words.
    pub requirement: &'static str,
    /// Where it stands: `RFC 6455 §4.2.1 (5)`.
    pub section: &'static str,
    /// True if met.
    pub met: bool,
    /// What was there, escaped.
    pub found: String,
    /// Where it stands in the head, in bytes from its start.
    pub offset: Option<usize>,
}

impl Finding {
    /// The same as an event, told by the host that judged.
    pub fn told_by(&self, host: Host) -> Requirement {
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

/// Fields of decoded bytes as rows of a [`event::Working`](crate::event::Working).
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

/// The field lines with one name, as they are quoted in a finding: their values, and where the first stands.
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
            Finding { requirement: "a", section: "b", met: false, found: "c".into(), offset: Some(3) };
        let event = finding.told_by(Host::Server);
        assert_eq!((event.host, event.met, event.offset), (Host::Server, false, Some(3)));
    }

    #[test]
    fn fields_become_rows_with_their_symbols() {
        let rows = rows(&fields(&Frame::new(opcode::PING, "").encode()));
        let opcode = rows.iter().find(|row| row.name == "Opcode").unwrap();
        assert_eq!((opcode.value.as_str(), opcode.bits), ("0x9 [Ping]", Some((4, 8))));
    }
}

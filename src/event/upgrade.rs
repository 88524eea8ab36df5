//! The WebSocket: what was worked out by hand, required, and said.

use serde::{Deserialize, Serialize};

use super::{Host, hex};

/// `working`: a thing worked out by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Working {
    /// Who works it out.
    pub host: Host,
    /// On which socket, where a server has many at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<String>,
    /// What it is: `the accept key`.
    pub title: String,
    /// The bytes that it is about, in hex; empty if it is about none.
    #[serde(with = "hex")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub bytes: Vec<u8>,
    /// Value by value.
    pub rows: Vec<Row>,
}

/// A line of a [`Working`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Row {
    /// Name of the field or the step.
    pub name: String,
    /// The value, for people to read. Bytes from the network are escaped already.
    pub value: String,
    /// What it means, or why.
    pub meaning: String,
    /// Bit range in the bytes, from, to (not included), if it is a field of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<(usize, usize)>,
    /// The section that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
}

/// `upgrade`: a requirement and its verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Requirement {
    /// Who judges.
    pub host: Host,
    /// On which socket, where a server has many at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<String>,
    /// The requirement in a few words.
    pub requirement: String,
    /// `RFC 6455 §4.2.1 (2)`.
    pub section: String,
    /// True if met.
    pub met: bool,
    /// What was there, escaped.
    pub found: String,
    /// Where it stands in the head, in bytes from its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
}

/// `message`: a WebSocket message, or the rule that was broken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Message {
    /// Who tells it.
    pub host: Host,
    /// The WebSocket's (or the socket's) name.
    pub socket: String,
    /// True if it came from the other side, false if it was sent.
    pub received: bool,
    /// `text`, `binary`, `ping`, `pong`, `close` or `violation`.
    pub kind: String,
    /// The payload, unmasked, in hex.
    #[serde(with = "hex")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub data: Vec<u8>,
    /// The Close code, or the one that a violation is answered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// The rule that was broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where the rule stands: `RFC 6455 §5.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// The word of the RFC: `MUST`, `SHOULD`, `MAY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The byte that broke it, from the start of the frame stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

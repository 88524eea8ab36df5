//! How does the client read the answer? RFC 6455 §4.1, the list after "The client MUST validate".
//!
//! No frame may be sent before all checks have passed. A missing check is a security hole: a cache, a plain
//! web server or a proxy that answers something else must not be mistaken for a WebSocket server.

use thiserror::Error;

use super::accept_key::accept_key;
use super::request::ClientRequest;
use super::{RuleCheck, extensions, quoted};
use crate::wire::http::{HeadError, ResponseHead, Version, parse_response};
use crate::wire::text;

/// What a response is to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An interim response (1xx, but not 101). The client skips its head and reads the next (RFC 9110 §15.2).
    Interim {
        /// Its status code, such as 100.
        status: u16,
        /// Length of its head in bytes; the next head begins behind it.
        head_length: usize,
    },
    /// The answer.
    Final(Verdict),
}

/// The result of checking the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The requirements, in the order of the RFC. After a status that is not 101, the others are not checked.
    pub requirements: Vec<RuleCheck>,
    /// The established connection, or why there is none.
    pub outcome: Result<Established, Failure>,
}

/// The connection is established: the state is OPEN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Established {
    /// The subprotocol in use, if any.
    pub subprotocol: Option<String>,
    /// Length of the response head in bytes. The frame stream begins behind it.
    pub head_length: usize,
}

/// Why the handshake failed. The client closes the connection and sends no frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// The bytes received are not an HTTP response.
    #[error("no HTTP response: {0}")]
    NotHttp(HeadError),
    /// The server answered in HTTP: an error, a redirection, a page. It is handled as HTTP says (§4.1 (1)).
    #[error("status {status} instead of 101 (RFC 6455 §4.1 (1))")]
    Status {
        /// The status code.
        status: u16,
    },
    /// A requirement of the answer 101 is not met: the client must fail the connection.
    #[error("{requirement}: found {found} ({section})")]
    Requirement {
        /// The requirement.
        requirement: &'static str,
        /// What was there, escaped.
        found: String,
        /// Where the requirement stands.
        section: &'static str,
    },
}

/// Judges a response head against the request that it answers; bytes after its empty line are not looked at.
pub fn judge_response(head: &[u8], request: &ClientRequest) -> Answer {
    let response = match parse_response(head) {
        Ok(response) => response,
        Err(error) => {
            let wrong = &error.malformed;
            let found = format!("{}: needed {}, had {}", wrong.field, wrong.needed, wrong.had);
            let finding = RuleCheck {
                requirement: "a well-formed response head",
                section: wrong.section,
                met: false,
                found,
                offset: Some(wrong.index()),
            };
            return Answer::Final(Verdict {
                requirements: vec![finding],
                outcome: Err(Failure::NotHttp(error)),
            });
        }
    };
    // 100 Continue and its kin may come before any answer, also when nobody asked for them.
    if (100..200).contains(&response.status) && response.status != 101 {
        return Answer::Interim { status: response.status, head_length: response.length };
    }
    let status = status(&response);
    if !status.met {
        let outcome = Err(Failure::Status { status: response.status });
        return Answer::Final(Verdict { requirements: vec![status], outcome });
    }
    let requirements = vec![
        status,
        version_of_http(&response),
        upgrade(&response),
        connection(&response),
        accept(&response, request),
        no_extension(&response),
        subprotocol(&response, request),
    ];
    let outcome = match requirements.iter().find(|finding| !finding.met) {
        Some(RuleCheck { requirement, found, section, .. }) => {
            Err(Failure::Requirement { requirement, found: found.clone(), section })
        }
        None => {
            let chosen = response.headers.all("Sec-WebSocket-Protocol").next();
            let subprotocol = chosen.map(|line| text::escape(&line.value));
            Ok(Established { subprotocol, head_length: response.length })
        }
    };
    Answer::Final(Verdict { requirements, outcome })
}

/// (1)
fn status(response: &ResponseHead) -> RuleCheck {
    let met = response.status == 101;
    let found = (response.status.to_string(), Some(response.status_offset));
    finding("the status is 101", "RFC 6455 §4.1 (1)", met, found)
}

/// HTTP/1.0 has no status 101 and no Upgrade, so no such answer can be right.
fn version_of_http(response: &ResponseHead) -> RuleCheck {
    let Version { major, minor } = response.version;
    let met = major == 1 && minor >= 1;
    let found = (format!("HTTP/{major}.{minor}"), Some(0));
    finding("the version is HTTP/1.1", "RFC 6455 §4.2.2 (5.1), RFC 9110 §15.2", met, found)
}

/// (2) The value itself, in any case; not one of a list, unlike in the request.
fn upgrade(response: &ResponseHead) -> RuleCheck {
    let mut lines = response.headers.all("Upgrade");
    let first = lines.next().is_some_and(|line| line.value.eq_ignore_ascii_case(b"websocket"));
    let met = first && lines.next().is_none();
    finding("Upgrade is websocket", "RFC 6455 §4.1 (2)", met, quoted(response.headers.all("Upgrade")))
}

/// (3) A token of a list, in any case.
fn connection(response: &ResponseHead) -> RuleCheck {
    let met = response.headers.has_token("Connection", "Upgrade");
    let found = quoted(response.headers.all("Connection"));
    finding("Connection has the token Upgrade", "RFC 6455 §4.1 (3)", met, found)
}

/// (4) Exactly, as base64 has two cases. Only the spaces around it don't count, and the parser dropped those.
/// The header must not appear twice (§11.3.3).
fn accept(response: &ResponseHead, request: &ClientRequest) -> RuleCheck {
    let expected = accept_key(request.key());
    let mut lines = response.headers.all("Sec-WebSocket-Accept");
    let met = lines.next().is_some_and(|line| line.value == expected.as_bytes()) && lines.next().is_none();
    let found = quoted(response.headers.all("Sec-WebSocket-Accept"));
    finding("one Sec-WebSocket-Accept, derived from our key", "RFC 6455 §4.1 (4), §11.3.3", met, found)
}

/// (5) This client offers no extension, so the server may not use one.
fn no_extension(response: &ResponseHead) -> RuleCheck {
    let (met, found) = match extensions::names(&response.headers) {
        Ok(names) => (names.is_empty(), quoted(response.headers.all(extensions::HEADER))),
        Err(malformed) => (false, (malformed.found, Some(malformed.offset))),
    };
    finding("no extension that we didn't offer", "RFC 6455 §4.1 (5), §9.1", met, found)
}

/// (6) None, or one that was offered, in the same case. An empty value is neither (§4.2.2 (4)), and the
/// header must not appear twice (§11.3.4).
fn subprotocol(response: &ResponseHead, request: &ClientRequest) -> RuleCheck {
    let lines: Vec<_> = response.headers.all("Sec-WebSocket-Protocol").collect();
    let met = match lines[..] {
        [] => true,
        [line] => request.subprotocols().iter().any(|offered| offered.as_bytes() == line.value),
        _ => false,
    };
    let section = "RFC 6455 §4.1 (6), §11.3.4";
    finding("no subprotocol, or one that we offered", section, met, quoted(lines.into_iter()))
}

fn finding(
    requirement: &'static str,
    section: &'static str,
    met: bool,
    (found, offset): (String, Option<usize>),
) -> RuleCheck {
    RuleCheck { requirement, section, met, found, offset }
}

#[cfg(test)]
mod tests;

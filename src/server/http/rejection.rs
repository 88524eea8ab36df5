//! A rejection: which requirement a request misses, and the status that says so.

use std::fmt;

use crate::wire::{Malformed, http::TooLarge, text};

/// Longest quotation of what was found, in characters.
const MAX_QUOTED: usize = 80;

/// A requirement of HTTP that a request does not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The status code of the response.
    pub status: u16,
    /// The requirement.
    pub requirement: &'static str,
    /// The section that asks for it.
    pub section: &'static str,
    /// What was found in its place.
    pub found: String,
    /// The offset of the byte that does not fit.
    pub offset: Option<usize>,
}

impl Rejection {
    /// Bytes that do not have the form that they should: a head or content.
    pub fn malformed(status: u16, requirement: &'static str, error: &Malformed) -> Rejection {
        Rejection {
            status,
            requirement,
            section: error.section,
            found: format!("{}: needed {}, had {}", error.field, error.needed, error.had),
            offset: Some(error.index()),
        }
    }

    /// A head that passed a limit before it was complete: 414 in the request line, else 431.
    pub fn too_large(limit: TooLarge) -> Rejection {
        let (status, requirement, section) = match limit {
            TooLarge::StartLine => (414, "a request line within 16 KiB", "RFC 9112 §3"),
            TooLarge::Bytes => (431, "a head within 16 KiB", "RFC 6585 §5, RFC 6455 §10.4"),
            TooLarge::Lines => (431, "at most 100 field lines", "RFC 6585 §5, RFC 6455 §10.4"),
        };
        Rejection { status, requirement, section, found: "more".to_owned(), offset: None }
    }

    /// A head that the client ended in the middle, after `count` bytes: 400.
    pub fn cut_off(count: usize) -> Rejection {
        Rejection {
            status: 400,
            requirement: "a whole head before the end of the stream",
            section: "RFC 9112 §8",
            found: format!("{count} bytes and no empty line"),
            offset: Some(count),
        }
    }

    /// Bytes that are not HTTP: 400. `at` is the offset of the byte that can't be.
    pub fn not_http(bytes: &[u8], at: usize) -> Rejection {
        let found = match bytes {
            // ContentType handshake and the major version, RFC 8446 §5.1: every TLS connection begins with
            // them.
            [0x16, 0x03, ..] => {
                "a TLS record: this is a client of wss:// or https://, and here is no TLS".to_owned()
            }
            _ => text::shown(bytes, MAX_QUOTED),
        };
        let (requirement, section) = ("a request of HTTP", "RFC 9112 §3");
        Rejection { status: 400, requirement, section, found, offset: Some(at) }
    }

    /// A head that was not complete in time, after `count` bytes: 408.
    pub fn timed_out(count: usize) -> Rejection {
        Rejection {
            status: 408,
            requirement: "the whole head in time",
            section: "RFC 9110 §15.5.9",
            found: format!("{count} bytes and no empty line"),
            offset: Some(count),
        }
    }

    /// The content of the response.
    pub fn content(&self) -> String {
        format!("{} {}\n{self}\n", self.status, reason(self.status))
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rejection { requirement, section, found, offset, .. } = self;
        let place = offset.map_or(String::new(), |offset| format!(" at byte {offset}"));
        write!(f, "needed: {requirement} ({section})\nfound{place}: {found}")
    }
}

/// The reason phrase of a status (RFC 9110 §15, RFC 6585); empty for a status that no server here sends.
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        202 => "Accepted",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        411 => "Length Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

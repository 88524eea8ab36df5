//! A refusal: an HTTP response that says what was wrong.

use crate::upgrade::Finding;
use crate::upgrade::request::VERSION;
use crate::wire::http::encode_response;

/// A whole HTTP response, after which the server closes the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status code.
    pub status: u16,
    /// Its reason phrase.
    pub reason: &'static str,
    /// The response, ready for the wire.
    pub response: Vec<u8>,
}

impl Refusal {
    /// The response for the requirement that was not met. The answer to HEAD has no content (RFC 9110 §9.3.2).
    pub(super) fn new(status: u16, finding: &Finding, to_head: bool) -> Self {
        let reason = reason(status);
        let Finding { requirement, section, found, offset, .. } = finding;
        let place = offset.map_or(String::new(), |offset| format!(" at byte {offset}"));
        let body = format!("{status} {reason}\nneeded: {requirement} ({section})\nfound{place}: {found}\n");
        let length = body.len().to_string();

        let mut fields = Vec::new();
        let mut connection = "close";
        match status {
            // A 405 must name what is allowed (RFC 9110 §15.5.6).
            405 => fields.push(("Allow", "GET")),
            // A 426 must name the protocol in Upgrade (RFC 9110 §15.5.22), and whoever sends Upgrade must name it in
            // Connection (§7.8). The version line tells an older client what to try next (RFC 6455 §4.4).
            426 => {
                fields.extend([("Upgrade", "websocket"), ("Sec-WebSocket-Version", VERSION)]);
                connection = "Upgrade, close";
            }
            _ => {}
        }
        fields.extend([
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", &length),
            ("Connection", connection),
        ]);
        let mut response = encode_response(status, reason, &fields);
        if !to_head {
            response.extend_from_slice(body.as_bytes());
        }
        Refusal { status, reason, response }
    }
}

/// The reason phrases of RFC 9110 §15 and RFC 6585 §5.
fn reason(status: u16) -> &'static str {
    match status {
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        414 => "URI Too Long",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        505 => "HTTP Version Not Supported",
        _ => "Bad Request",
    }
}

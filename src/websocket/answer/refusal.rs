//! A refusal: an HTTP response that names the requirement that is not met.

use crate::server::http::{Rejection, reason};
use crate::websocket::request::VERSION;
use crate::wire::http::encode_response;

/// A complete HTTP response, after which the server closes the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status code.
    pub status: u16,
    /// Its reason phrase.
    pub reason: &'static str,
    /// The response as it is sent.
    pub response: Vec<u8>,
}

impl Refusal {
    /// The response to a request that is rejected. The answer to HEAD has no content (RFC 9110 §9.3.2).
    pub(super) fn new(rejection: &Rejection, to_head: bool) -> Self {
        let status = rejection.status;
        let reason = reason(status);
        let body = rejection.content();
        let length = body.len().to_string();

        let mut fields = Vec::new();
        let mut connection = "close";
        match status {
            // A 405 must name what is allowed (RFC 9110 §15.5.6).
            405 => fields.push(("Allow", "GET")),
            // A 426 must name the protocol in Upgrade (RFC 9110 §15.5.22), and whoever sends Upgrade must
            // name it in Connection (§7.8). The version line tells an older client what to try next (RFC 6455
            // §4.4).
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

/// The statuses of a refusal: code, reason phrase, section.
pub const STATUSES: [(u16, &str, &str); 9] = [
    (400, "Bad Request", "RFC 9110 §15.5.1"),
    (403, "Forbidden", "RFC 9110 §15.5.4"),
    (404, "Not Found", "RFC 9110 §15.5.5"),
    (405, "Method Not Allowed", "RFC 9110 §15.5.6"),
    (408, "Request Timeout", "RFC 9110 §15.5.9"),
    (414, "URI Too Long", "RFC 9110 §15.5.15"),
    (426, "Upgrade Required", "RFC 9110 §15.5.22"),
    (431, "Request Header Fields Too Large", "RFC 6585 §5"),
    (505, "HTTP Version Not Supported", "RFC 9110 §15.6.6"),
];

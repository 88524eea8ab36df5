//! How does the server read the request and answer it? RFC 6455 §4.2.
//!
//! The requirements are checked one by one in the order of §4.2.1, then those of §4.2.2 that depend on the
//! server. All are checked, so that all can be shown; the first that is not met decides the answer. Every
//! refusal is a complete HTTP response, after which the connection is closed: no frame is sent before the
//! handshake has succeeded.

use super::accept_key::accept_key;
use super::request::VERSION;
use super::{QUOTED, RuleCheck, extensions, quoted};
use crate::server::{http::Rejection, origin::same_origin};
use crate::wire::http::{RequestHead, Version, encode_response, is_token, parse_request};
use crate::wire::text;

mod refusal;

pub use refusal::{Refusal, STATUSES};

/// What this server is willing to accept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The only path with a WebSocket, without a query: `/chat`. `None` means every path.
    pub path: Option<String>,
    /// The web pages that may connect, each as a whole origin: `https://example.com`. `None` means all.
    ///
    /// A request without an Origin does not come from a browser and is accepted: the check protects the users
    /// of browsers against foreign pages. It does not protect the server (§10.2).
    pub allowed_origins: Option<Vec<String>>,
    /// The subprotocols of the server. The first one that the client offers is chosen.
    pub subprotocols: Vec<String>,
}

/// The result of checking a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The requirements, in the order of the RFC.
    pub requirements: Vec<RuleCheck>,
    /// The decision that follows from the checks.
    pub decision: Decision,
}

/// The decision of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It answers 101, and both sides leave HTTP.
    Accept(Acceptance),
    /// It answers with an error and closes the connection.
    Refuse(Refusal),
}

/// The answer 101.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The response as it is sent.
    pub response: Vec<u8>,
    /// The client's key, from which the next is derived.
    pub key: String,
    /// `Sec-WebSocket-Accept`.
    pub accept_key: String,
    /// The subprotocol chosen, if any.
    pub subprotocol: Option<String>,
    /// Length of the request head in bytes. The frame stream begins behind it.
    pub head_length: usize,
}

/// Checks a request head. Bytes after its empty line are ignored.
pub fn judge_request(head: &[u8], policy: &Policy) -> Judgement {
    let request = match parse_request(head) {
        Ok(request) => request,
        Err(error) => {
            // Without the form there is nothing to judge the content by.
            return reject(Rejection::malformed(
                error.status,
                "a well-formed request head",
                &error.malformed,
            ));
        }
    };
    let mut reading = Reading { request: &request, findings: Vec::new(), refusal: None };
    reading.well_formed();
    reading.get();
    reading.version_of_http();
    reading.target();
    reading.host();
    reading.no_content();
    reading.upgrade();
    reading.connection();
    reading.key();
    reading.version();
    reading.origin(policy);
    reading.subprotocols();
    reading.extensions();
    reading.resource(policy);
    let Reading { findings, refusal, .. } = reading;
    let decision = match refusal {
        Some((index, status)) => {
            let RuleCheck { requirement, section, found, offset, .. } = findings[index].clone();
            let rejection = Rejection { status, requirement, section, found, offset };
            Decision::Refuse(Refusal::new(&rejection, request.method == "HEAD"))
        }
        None => Decision::Accept(accept(&request, policy)),
    };
    Judgement { requirements: findings, decision }
}

/// A judgement of a single requirement: a request that is rejected before there is anything else to judge.
pub fn reject(rejection: Rejection) -> Judgement {
    let refusal = Refusal::new(&rejection, false);
    let Rejection { requirement, section, found, offset, .. } = rejection;
    let finding = RuleCheck { requirement, section, met: false, found, offset };
    Judgement { requirements: vec![finding], decision: Decision::Refuse(refusal) }
}

/// Returns the answer 101 (§4.2.2 (5)) to a request that met every requirement.
fn accept(request: &RequestHead, policy: &Policy) -> Acceptance {
    let key = single(request, "Sec-WebSocket-Key").map(|(value, _)| text::escape(value)).unwrap_or_default();
    let accept_key = accept_key(&key);
    // The client's order of preference counts (§4.1 (10)).
    let subprotocol = offered(request).into_iter().find(|name| policy.subprotocols.contains(name));
    let mut fields = vec![
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", accept_key.as_str()),
    ];
    // If none is agreed on, the line must not be there: an empty value is not the same as none (§4.2.2 (4)).
    if let Some(name) = &subprotocol {
        fields.push(("Sec-WebSocket-Protocol", name));
    }
    // No Sec-WebSocket-Extensions: an offer may go unanswered (§9).
    let response = encode_response(101, "Switching Protocols", &fields);
    Acceptance { response, key, accept_key, subprotocol, head_length: request.length }
}

/// The state of checking one request.
struct Reading<'a> {
    request: &'a RequestHead,
    findings: Vec<RuleCheck>,
    /// The first requirement that is not met, and the status that refuses it.
    refusal: Option<(usize, u16)>,
}

impl Reading<'_> {
    /// Records a check: the value found, its position, and the status that refuses the request if it is not
    /// met.
    fn judge(
        &mut self,
        requirement: &'static str,
        section: &'static str,
        (found, offset): (String, Option<usize>),
        verdict: Result<(), u16>,
    ) {
        if let (Err(status), None) = (verdict, self.refusal) {
            self.refusal = Some((self.findings.len(), status));
        }
        self.findings.push(RuleCheck { requirement, section, met: verdict.is_ok(), found, offset });
    }

    fn well_formed(&mut self) {
        let request = self.request;
        let found = format!("{} bytes, {} field lines", request.length, request.headers.0.len());
        self.judge("a well-formed request head", "RFC 9112 §2.1", (found, Some(request.start)), Ok(()));
    }

    /// (1) "An HTTP/1.1 or higher GET request"
    fn get(&mut self) {
        let request = self.request;
        let found = text::shown(request.method.as_bytes(), QUOTED);
        let verdict = met(request.method == "GET", 405);
        self.judge("the method is GET", "RFC 6455 §4.2.1 (1)", (found, Some(request.start)), verdict);
    }

    /// (1) An HTTP/1.0 intermediary might not understand Upgrade, so it has no meaning in HTTP/1.0.
    fn version_of_http(&mut self) {
        let Version { major, minor } = self.request.version;
        let found = (format!("HTTP/{major}.{minor}"), Some(self.request.version_offset));
        let verdict = match major {
            1 => met(minor >= 1, 400),
            _ => Err(505),
        };
        self.judge("the version is HTTP/1.1", "RFC 6455 §4.2.1 (1), RFC 9110 §7.8", found, verdict);
    }

    /// (1) "that should be interpreted as a /resource name/ (or an absolute HTTP/HTTPS URI)"
    fn target(&mut self) {
        let target = self.request.target.as_str();
        let found = (text::shown(target.as_bytes(), QUOTED), Some(self.request.target_offset));
        let verdict = met(resource_name(target).is_some(), 400);
        self.judge("the target is a path or an http URI", "RFC 6455 §4.2.1 (1)", found, verdict);
    }

    /// (2)
    fn host(&mut self) {
        let verdict = met(single(self.request, "Host").is_some_and(|(value, _)| is_authority(value)), 400);
        let found = quoted(self.request.headers.all("Host"));
        self.judge("one Host line with a host", "RFC 6455 §4.2.1 (2), RFC 9112 §3.2", found, verdict);
    }

    /// The bytes of a body would be read as frames, or frames as a body.
    fn no_content(&mut self) {
        let headers = &self.request.headers;
        let packed = headers.all("Transfer-Encoding").next();
        let counted = headers.all("Content-Length").find(|line| line.value != b"0");
        let (found, verdict) = match packed.or(counted) {
            Some(line) => (quoted(std::iter::once(line)), Err(400)),
            None => (("no content".into(), None), Ok(())),
        };
        self.judge("no content behind the head", "RFC 9110 §9.3.1, RFC 9112 §6.3", found, verdict);
    }

    /// (3) A list is valid too: HTTP lets a client name several protocols.
    fn upgrade(&mut self) {
        let verdict = met(self.request.headers.has_token("Upgrade", "websocket"), 426);
        let found = quoted(self.request.headers.all("Upgrade"));
        self.judge("Upgrade has websocket", "RFC 6455 §4.2.1 (3), RFC 9110 §7.8", found, verdict);
    }

    /// (4) One token of a list, on one line or several: `keep-alive, Upgrade`.
    fn connection(&mut self) {
        let verdict = met(self.request.headers.has_token("Connection", "Upgrade"), 426);
        let found = quoted(self.request.headers.all("Connection"));
        self.judge("Connection has the token Upgrade", "RFC 6455 §4.2.1 (4)", found, verdict);
    }

    /// (5) The server need not decode the key; its form is enough.
    fn key(&mut self) {
        let verdict = met(single(self.request, "Sec-WebSocket-Key").is_some_and(|(key, _)| is_key(key)), 400);
        let found = quoted(self.request.headers.all("Sec-WebSocket-Key"));
        self.judge("one key: 16 bytes in base64", "RFC 6455 §4.2.1 (5), §11.3.1", found, verdict);
    }

    /// (6) Compared as text: 013 is not a version.
    fn version(&mut self) {
        let verdict = match single(self.request, "Sec-WebSocket-Version") {
            Some((version, _)) => met(version == VERSION.as_bytes(), 426),
            None => {
                Err(if self.request.headers.all("Sec-WebSocket-Version").count() == 0 { 426 } else { 400 })
            }
        };
        let found = quoted(self.request.headers.all("Sec-WebSocket-Version"));
        self.judge(
            "one Sec-WebSocket-Version: 13",
            "RFC 6455 §4.2.1 (6), §4.2.2 (4), §11.3.5",
            found,
            verdict,
        );
    }

    /// (7) Compared whole: `https://example.com.evil.org` only begins like a permitted origin.
    fn origin(&mut self, policy: &Policy) {
        let (found, offset) = quoted(self.request.headers.all("Origin"));
        let found = if offset.is_none() { "no such line: not a browser".into() } else { found };
        let verdict = match (single(self.request, "Origin"), &policy.allowed_origins) {
            (None, _) => met(offset.is_none(), 400),
            (Some(_), None) => Ok(()),
            (Some((origin, _)), Some(allowed)) => {
                let origin = String::from_utf8_lossy(origin);
                met(allowed.iter().any(|own| same_origin(own, &origin)), 403)
            }
        };
        let section = "RFC 6455 §4.2.1 (7), §10.2";
        self.judge("at most one Origin, and an allowed one", section, (found, offset), verdict);
    }

    /// (8)
    fn subprotocols(&mut self) {
        let headers = &self.request.headers;
        let items: Vec<_> = headers.list("Sec-WebSocket-Protocol").collect();
        let tokens = items.iter().all(|(item, _)| is_token(item));
        let unique =
            items.iter().enumerate().all(|(index, (item, _))| items[..index].iter().all(|(o, _)| o != item));
        let named = !items.is_empty() || headers.all("Sec-WebSocket-Protocol").next().is_none();
        let found = quoted(headers.all("Sec-WebSocket-Protocol"));
        let section = "RFC 6455 §4.2.1 (8), §4.1 (10)";
        self.judge("subprotocols are tokens, each once", section, found, met(tokens && unique && named, 400));
    }

    /// (9) An unknown extension is ignored. A malformed list fails the handshake.
    fn extensions(&mut self) {
        let (found, verdict) = match extensions::names(&self.request.headers) {
            Ok(_) => (quoted(self.request.headers.all(extensions::HEADER)), Ok(())),
            Err(malformed) => ((malformed.found, Some(malformed.offset)), Err(400)),
        };
        self.judge("extensions follow their grammar", "RFC 6455 §4.2.1 (9), §9.1", found, verdict);
    }

    /// §4.2.2 (4), /resource name/. The query is not part of the name of the service.
    fn resource(&mut self, policy: &Policy) {
        let target = self.request.target.as_str();
        let path = resource_name(target).and_then(|name| name.split('?').next());
        let verdict = match &policy.path {
            Some(served) => met(path == Some(served), 404),
            None => Ok(()),
        };
        let found =
            (text::shown(path.unwrap_or("none").as_bytes(), QUOTED), Some(self.request.target_offset));
        self.judge("there is a WebSocket at this path", "RFC 6455 §4.2.2 (4)", found, verdict);
    }
}

fn met(met: bool, status: u16) -> Result<(), u16> {
    if met { Ok(()) } else { Err(status) }
}

/// Returns the value of the only line with this name, and its offset. `None` if there is none or more than
/// one.
fn single<'a>(request: &'a RequestHead, name: &'a str) -> Option<(&'a [u8], usize)> {
    let mut lines = request.headers.all(name);
    let line = lines.next()?;
    lines.next().is_none().then_some((line.value.as_slice(), line.offset))
}

/// Returns the subprotocols that the client offers, in its order.
fn offered(request: &RequestHead) -> Vec<String> {
    let items = request.headers.list("Sec-WebSocket-Protocol");
    items.map(|(item, _)| String::from_utf8_lossy(item).into_owned()).collect()
}

/// Returns true for the base64 form of 16 bytes: 22 characters and two characters of padding.
///
/// The last of the 22 has two bits of the key and four unused bits. They should be 0, but the example of §4.1
/// (7), `AQIDBAUGBwgJCgsMDQ4PEC==`, has others there: many decoders refuse it, and the RFC does not ask to
/// decode it.
fn is_key(key: &[u8]) -> bool {
    let alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    match key {
        [data @ .., b'=', b'='] => data.len() == 22 && data.iter().all(alphabet),
        _ => false,
    }
}

/// Returns the resource name in a request target: the target itself, or what follows the host in an absolute
/// URI.
fn resource_name(target: &str) -> Option<&str> {
    if target.contains('#') {
        return None;
    }
    if target.starts_with('/') {
        return Some(target);
    }
    let (scheme, rest) = target.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    if !is_authority(&rest.as_bytes()[..end]) {
        return None;
    }
    // No path, or a query alone, means the root.
    Some(if rest[end..].starts_with('/') { &rest[end..] } else { "/" })
}

/// `uri-host [ ":" port ]` (RFC 9110 §7.2), not empty and without user information.
fn is_authority(value: &[u8]) -> bool {
    let bracket = value.iter().rposition(|byte| *byte == b']').unwrap_or(0);
    let colon = value[bracket..].iter().position(|byte| *byte == b':').map(|at| bracket + at);
    let (host, port) = match colon {
        Some(colon) => (&value[..colon], &value[colon + 1..]),
        None => (value, b"".as_slice()),
    };
    let host_is_right = match host {
        [b'[', address @ .., b']'] => {
            std::str::from_utf8(address).is_ok_and(|a| a.parse::<std::net::Ipv6Addr>().is_ok())
        }
        name => {
            let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(byte);
            !name.is_empty() && name.iter().all(allowed)
        }
    };
    let port_is_right = port.iter().all(u8::is_ascii_digit)
        && (port.is_empty() || std::str::from_utf8(port).is_ok_and(|port| port.parse::<u16>().is_ok()));
    host_is_right && port_is_right
}

#[cfg(test)]
mod tests;

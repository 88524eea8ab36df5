//! Valid and invalid requests and responses of the opening handshake, with the expected result and the
//! section that requires it.
//!
//! Each case is one change to a valid head: `from` is replaced by `to`. The tests of `answer` and `verify`
//! run them.

use super::RuleCheck;

/// A request that every server of RFC 6455 accepts.
pub(super) const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// The answer to [`REQUEST`], if the client offered the subprotocols chat and superchat only.
pub(super) const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// A change to a valid head, and the expected result.
pub(super) struct Case {
    pub what: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    /// For a request, the status of the answer. For a response, 101 if the connection is established, else
    /// its own status, or 0 for "fail the connection".
    pub outcome: u16,
    /// The section of the requirement that decides; empty if all are met.
    pub section: &'static str,
}

impl Case {
    /// Returns `head` with the change of this case.
    pub fn change(&self, head: &str) -> String {
        let changed = if self.from.is_empty() { head.to_owned() } else { head.replace(self.from, self.to) };
        assert!(self.from.is_empty() || changed != head, "{}: nothing was changed", self.what);
        changed
    }

    /// Asserts the outcome, and that the first requirement that is not met is the one of this case.
    pub fn assert_judged(&self, outcome: u16, requirements: &[RuleCheck]) {
        assert_eq!(outcome, self.outcome, "{}: {requirements:#?}", self.what);
        let failed = requirements.iter().find(|finding| !finding.met);
        let section = failed.map_or("", |finding| finding.section);
        assert!(
            section.contains(self.section) && section.is_empty() == self.section.is_empty(),
            "{}: {section}",
            self.what
        );
    }
}

const fn good(what: &'static str, from: &'static str, to: &'static str) -> Case {
    Case { what, from, to, outcome: 101, section: "" }
}

const fn bad(
    what: &'static str,
    from: &'static str,
    to: &'static str,
    outcome: u16,
    section: &'static str,
) -> Case {
    Case { what, from, to, outcome, section }
}

const GET: &str = "GET /chat HTTP/1.1";
const HOST: &str = "Host: example.com\r\n";
const UPGRADE: &str = "Upgrade: websocket\r\n";
const CONNECTION: &str = "Connection: Upgrade\r\n";
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";
const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// Requests to a server with a WebSocket at `/chat`, which supports chat and v2.chat and accepts pages of
/// `https://example.com`.
pub(super) const REQUESTS: &[Case] = &[
    good("as the RFC has it", "", ""),
    good("names in other cases", "Sec-WebSocket-Key", "SEC-websocket-KEY"),
    good("host in lower case", "Host:", "host:"),
    good("Upgrade in another case", "Upgrade: websocket", "Upgrade: WebSocket"),
    good("Connection in another case", CONNECTION, "Connection: UPGRADE\r\n"),
    good("Connection as a list", CONNECTION, "Connection: keep-alive, Upgrade\r\n"),
    good("Connection as a list without spaces", CONNECTION, "Connection: keep-alive,upgrade\r\n"),
    good("Connection on two lines", CONNECTION, "Connection: keep-alive\r\nConnection: Upgrade\r\n"),
    good("Connection with empty elements", CONNECTION, "Connection: , ,Upgrade,\r\n"),
    good("Upgrade as a list", UPGRADE, "Upgrade: h2c, websocket\r\n"),
    good("no space after the colon", "Upgrade: websocket", "Upgrade:websocket"),
    good("many spaces and tabs around a value", "Upgrade: websocket", "Upgrade: \t websocket \t"),
    good("an absolute target", GET, "GET http://example.com/chat HTTP/1.1"),
    good(
        "an absolute target with another host than Host",
        GET,
        "GET HTTPS://other.example:8443/chat HTTP/1.1",
    ),
    good("a query", GET, "GET /chat?room=1&x=%20 HTTP/1.1"),
    good("a later HTTP/1", GET, "GET /chat HTTP/1.2"),
    good("empty lines before the request", GET, "\r\n\r\nGET /chat HTTP/1.1"),
    good("a host with a port", HOST, "Host: example.com:8000\r\n"),
    good("an IPv6 host", HOST, "Host: [::1]:7000\r\n"),
    good("a key with loose bits, the RFC's own", "dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEC=="),
    good("an allowed origin", HOST, "Host: example.com\r\nOrigin: https://example.com\r\n"),
    good("an origin in another case", HOST, "Host: example.com\r\nOrigin: HTTPS://Example.com\r\n"),
    good(
        "a subprotocol that is spoken",
        VERSION,
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\n",
    ),
    good(
        "a subprotocol that isn't",
        VERSION,
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: soap\r\n",
    ),
    good(
        "an extension",
        VERSION,
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate; a=8\r\n",
    ),
    good("Content-Length 0", HOST, "Host: example.com\r\nContent-Length: 0\r\n"),
    good("a value beyond ASCII in an unknown field", HOST, "Host: example.com\r\nX-Name: \u{e9}\r\n"),
    // RFC 9112: the form of the head.
    bad("bare line feeds", "\r\n", "\n", 400, "RFC 9112 §2.2"),
    bad("a bare carriage return", "websocket\r\n", "web\rsocket\r\n", 400, "RFC 9112 §2.2"),
    bad("a space before the first field", HOST, " Host: example.com\r\n", 400, "RFC 9112 §2.2"),
    bad("a folded line", "Upgrade: websocket", "Upgrade:\r\n websocket", 400, "RFC 9112 §5.2"),
    bad("a space before the colon", "Upgrade:", "Upgrade :", 400, "RFC 9112 §5.1"),
    bad("a tab before the colon", "Host:", "Host\t:", 400, "RFC 9112 §5.1"),
    bad("a line without a colon", HOST, "Host: example.com\r\nnonsense\r\n", 400, "RFC 9112 §5"),
    bad("a line without a name", HOST, "Host: example.com\r\n: x\r\n", 400, "RFC 9110 §5.1"),
    bad("NUL in a value", "websocket", "web\0socket", 400, "RFC 9110 §5.5"),
    bad("ESC in a value", "websocket", "\x1b[31mwebsocket", 400, "RFC 9110 §5.5"),
    bad("two spaces in the request line", GET, "GET  /chat HTTP/1.1", 400, "RFC 9112 §3.2"),
    bad("a space in the target", GET, "GET /chat room HTTP/1.1", 400, "RFC 9112 §2.3"),
    bad("no version", GET, "GET /chat", 400, "RFC 9112 §2.3"),
    bad("a head that is cut off", VERSION, "Sec-WebSocket-Version: 13", 400, "RFC 9112 §2.1"),
    // RFC 6455 §4.2.1, in order.
    bad("POST", GET, "POST /chat HTTP/1.1", 405, "RFC 6455 §4.2.1 (1)"),
    bad("get", GET, "get /chat HTTP/1.1", 405, "RFC 6455 §4.2.1 (1)"),
    bad("HEAD", GET, "HEAD /chat HTTP/1.1", 405, "RFC 6455 §4.2.1 (1)"),
    bad("HTTP/1.0", GET, "GET /chat HTTP/1.0", 400, "RFC 9110 §7.8"),
    bad("HTTP/2.0", GET, "GET /chat HTTP/2.0", 505, "RFC 6455 §4.2.1 (1)"),
    bad("a target that is no path", GET, "GET * HTTP/1.1", 400, "RFC 6455 §4.2.1 (1)"),
    bad("a target with a fragment", GET, "GET /chat#top HTTP/1.1", 400, "RFC 6455 §4.2.1 (1)"),
    bad("a ws target", GET, "GET ws://example.com/chat HTTP/1.1", 400, "RFC 6455 §4.2.1 (1)"),
    bad("no Host", HOST, "", 400, "RFC 9112 §3.2"),
    bad("an empty Host", HOST, "Host:\r\n", 400, "RFC 9112 §3.2"),
    bad("two Hosts", HOST, "Host: example.com\r\nHost: example.com\r\n", 400, "RFC 9112 §3.2"),
    bad("a Host with a user", HOST, "Host: me@example.com\r\n", 400, "RFC 9112 §3.2"),
    bad("a Host with a path", HOST, "Host: example.com/chat\r\n", 400, "RFC 9112 §3.2"),
    bad("a Host with a wrong port", HOST, "Host: example.com:65536\r\n", 400, "RFC 9112 §3.2"),
    bad("a Host with a bare IPv6 address", HOST, "Host: ::1\r\n", 400, "RFC 9112 §3.2"),
    bad("content", HOST, "Host: example.com\r\nContent-Length: 5\r\n", 400, "RFC 9110 §9.3.1"),
    bad(
        "chunked content",
        HOST,
        "Host: example.com\r\nTransfer-Encoding: chunked\r\n",
        400,
        "RFC 9110 §9.3.1",
    ),
    bad(
        "two lengths",
        HOST,
        "Host: example.com\r\nContent-Length: 0\r\nContent-Length: 5\r\n",
        400,
        "RFC 9112 §6.3",
    ),
    bad("no Upgrade", UPGRADE, "", 426, "RFC 6455 §4.2.1 (3)"),
    bad("another Upgrade", UPGRADE, "Upgrade: h2c\r\n", 426, "RFC 6455 §4.2.1 (3)"),
    bad("an Upgrade that only begins right", UPGRADE, "Upgrade: websocket2\r\n", 426, "RFC 6455 §4.2.1 (3)"),
    bad("no Connection", CONNECTION, "", 426, "RFC 6455 §4.2.1 (4)"),
    bad("Connection: close", CONNECTION, "Connection: close\r\n", 426, "RFC 6455 §4.2.1 (4)"),
    bad(
        "the token inside another",
        CONNECTION,
        "Connection: Upgrade-Insecure\r\n",
        426,
        "RFC 6455 §4.2.1 (4)",
    ),
    bad("no key", KEY, "", 400, "RFC 6455 §4.2.1 (5)"),
    bad("an empty key", KEY, "Sec-WebSocket-Key:\r\n", 400, "RFC 6455 §4.2.1 (5)"),
    bad("a key of 15 bytes", KEY, "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4P\r\n", 400, "RFC 6455 §4.2.1 (5)"),
    bad(
        "a key of 17 bytes",
        KEY,
        "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEBE=\r\n",
        400,
        "RFC 6455 §4.2.1 (5)",
    ),
    bad(
        "a key without padding",
        KEY,
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n",
        400,
        "RFC 6455 §4.2.1 (5)",
    ),
    bad(
        "a key in base64url",
        KEY,
        "Sec-WebSocket-Key: -_hlIHNhbXBsZSBub25jZQ==\r\n",
        400,
        "RFC 6455 §4.2.1 (5)",
    ),
    bad(
        "two keys",
        KEY,
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        400,
        "§11.3.1",
    ),
    bad("no version of WebSocket", VERSION, "", 426, "§4.2.2 (4)"),
    bad("version 8", VERSION, "Sec-WebSocket-Version: 8\r\n", 426, "§4.2.2 (4)"),
    bad("version 013", VERSION, "Sec-WebSocket-Version: 013\r\n", 426, "§4.2.2 (4)"),
    bad("a list of versions", VERSION, "Sec-WebSocket-Version: 13, 8\r\n", 426, "§4.2.2 (4)"),
    bad(
        "two versions",
        VERSION,
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n",
        400,
        "§11.3.5",
    ),
    bad("a foreign origin", HOST, "Host: example.com\r\nOrigin: https://evil.org\r\n", 403, "§10.2"),
    bad(
        "an origin that begins right",
        HOST,
        "Host: a\r\nOrigin: https://example.com.evil.org\r\n",
        403,
        "§10.2",
    ),
    bad("the other scheme", HOST, "Host: a\r\nOrigin: http://example.com\r\n", 403, "§10.2"),
    bad("another port", HOST, "Host: a\r\nOrigin: https://example.com:8443\r\n", 403, "§10.2"),
    bad("the null origin", HOST, "Host: a\r\nOrigin: null\r\n", 403, "§10.2"),
    bad(
        "two origins",
        HOST,
        "Host: a\r\nOrigin: https://example.com\r\nOrigin: https://evil.org\r\n",
        400,
        "(7)",
    ),
    bad("a subprotocol twice", HOST, "Host: a\r\nSec-WebSocket-Protocol: chat, chat\r\n", 400, "§4.1 (10)"),
    bad(
        "a subprotocol with a space",
        HOST,
        "Host: a\r\nSec-WebSocket-Protocol: my chat\r\n",
        400,
        "§4.1 (10)",
    ),
    bad("an empty list of subprotocols", HOST, "Host: a\r\nSec-WebSocket-Protocol:\r\n", 400, "§4.1 (10)"),
    bad("a broken list of extensions", HOST, "Host: a\r\nSec-WebSocket-Extensions: ;;\r\n", 400, "§9.1"),
    bad("another path", GET, "GET /other HTTP/1.1", 404, "§4.2.2 (4)"),
    bad("the path in another case", GET, "GET /Chat HTTP/1.1", 404, "§4.2.2 (4)"),
    bad("an absolute target without a path", GET, "GET http://example.com HTTP/1.1", 404, "§4.2.2 (4)"),
];

const STATUS: &str = "HTTP/1.1 101 Switching Protocols";

/// Responses to a client that offered the subprotocols chat and superchat.
pub(super) const RESPONSES: &[Case] = &[
    good("as the RFC has it", "", ""),
    good("names in other cases", "Sec-WebSocket-Accept", "sec-websocket-accept"),
    good(
        "values in other cases",
        "Upgrade: websocket\r\nConnection: Upgrade",
        "Upgrade: WebSocket\r\nConnection: upgrade",
    ),
    good("Connection as a list", CONNECTION, "Connection: keep-alive, Upgrade\r\n"),
    good("another reason", STATUS, "HTTP/1.1 101 Web Socket Protocol Handshake"),
    good("no reason", STATUS, "HTTP/1.1 101 "),
    good("no reason and no space", STATUS, "HTTP/1.1 101"),
    good(
        "spaces around the accept value",
        ACCEPT,
        "Sec-WebSocket-Accept:  s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n",
    ),
    good(
        "a subprotocol that was offered",
        UPGRADE,
        "Upgrade: websocket\r\nSec-WebSocket-Protocol: superchat\r\n",
    ),
    good("a folded line", ACCEPT, "Sec-WebSocket-Accept:\r\n s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
    good("a length, which 101 has not", UPGRADE, "Upgrade: websocket\r\nContent-Length: 5\r\n"),
    bad("another status", STATUS, "HTTP/1.1 200 OK", 200, "RFC 6455 §4.1 (1)"),
    bad("a redirection", STATUS, "HTTP/1.1 302 Found", 302, "RFC 6455 §4.1 (1)"),
    bad("a refusal", STATUS, "HTTP/1.1 426 Upgrade Required", 426, "RFC 6455 §4.1 (1)"),
    bad("HTTP/1.0", STATUS, "HTTP/1.0 101 Switching Protocols", 0, "RFC 9110 §15.2"),
    bad("no Upgrade", UPGRADE, "", 0, "RFC 6455 §4.1 (2)"),
    bad("another Upgrade", UPGRADE, "Upgrade: h2c\r\n", 0, "RFC 6455 §4.1 (2)"),
    bad("Upgrade as a list", UPGRADE, "Upgrade: websocket, h2c\r\n", 0, "RFC 6455 §4.1 (2)"),
    bad("two Upgrades", UPGRADE, "Upgrade: websocket\r\nUpgrade: h2c\r\n", 0, "RFC 6455 §4.1 (2)"),
    bad("no Connection", CONNECTION, "", 0, "RFC 6455 §4.1 (3)"),
    bad("Connection without the token", CONNECTION, "Connection: close\r\n", 0, "RFC 6455 §4.1 (3)"),
    bad("no accept value", ACCEPT, "", 0, "RFC 6455 §4.1 (4)"),
    bad(
        "an accept value in another case",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        0,
        "§4.1 (4)",
    ),
    bad(
        "the key sent back",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "dGhlIHNhbXBsZSBub25jZQ==",
        0,
        "RFC 6455 §4.1 (4)",
    ),
    bad(
        "two accept values",
        ACCEPT,
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Accept: x\r\n",
        0,
        "§11.3.3",
    ),
    bad(
        "an extension",
        UPGRADE,
        "Upgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
        0,
        "§4.1 (5)",
    ),
    bad("a broken extension", UPGRADE, "Upgrade: websocket\r\nSec-WebSocket-Extensions: ;\r\n", 0, "§9.1"),
    bad(
        "a foreign subprotocol",
        UPGRADE,
        "Upgrade: websocket\r\nSec-WebSocket-Protocol: soap\r\n",
        0,
        "§4.1 (6)",
    ),
    bad(
        "a subprotocol in another case",
        UPGRADE,
        "Upgrade: websocket\r\nSec-WebSocket-Protocol: Chat\r\n",
        0,
        "§4.1 (6)",
    ),
    bad("an empty subprotocol", UPGRADE, "Upgrade: websocket\r\nSec-WebSocket-Protocol:\r\n", 0, "§4.1 (6)"),
    bad(
        "all subprotocols",
        UPGRADE,
        "Upgrade: websocket\r\nSec-WebSocket-Protocol: chat, superchat\r\n",
        0,
        "§4.1 (6)",
    ),
    bad(
        "two subprotocol lines",
        UPGRADE,
        "Upgrade: websocket\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: superchat\r\n",
        0,
        "§11.3.4",
    ),
    bad("bare line feeds", "\r\n", "\n", 0, "RFC 9112 §2.2"),
    bad("a space before the colon", "Upgrade:", "Upgrade :", 0, "RFC 9112 §5.1"),
    bad("something else", STATUS, "SSH-2.0-OpenSSH_9.2", 0, "RFC 9112 §2.3"),
];

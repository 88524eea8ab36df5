//! What must not pass, who says so, and what has to become of it: one row a mistake.

use super::{Frame, Place, Reader, Transport, Uplink, answer_to_malformed, parse_messages};
use crate::wire::Malformed;

/// Where the bytes are met.
#[derive(Debug, Clone, Copy)]
enum Met {
    /// By a client, as a frame.
    Frame,
    /// By a server, as the body of xhr_send.
    Body,
    /// By a server, as a message of a WebSocket.
    Message,
    /// By a client, as the body of an answer.
    Answer(Transport),
}

/// What has to become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The client gives the session up and says why.
    GivenUp,
    /// The server answers 500 with this text; the session goes on.
    Answered(&'static str),
    /// The server ends the connection.
    Cut,
}

const FRAMING: &str = "sockjs-protocol, Framing accepted by the client";
const MESSAGES: &str = "sockjs-protocol, Framing accepted by the server";
const BROKEN: Outcome = Outcome::Answered("Broken JSON encoding.");
const MISSING: Outcome = Outcome::Answered("Payload expected.");

/// Bytes, where they are met, at which byte which field is wrong, the section, the outcome.
type Row = (&'static [u8], Met, u64, &'static str, &'static str, Outcome);

const ROWS: &[Row] = &[
    (b"", Met::Frame, 0, "frame", FRAMING, Outcome::GivenUp),
    (b"x", Met::Frame, 0, "frame", FRAMING, Outcome::GivenUp),
    (b"A[\"a\"]", Met::Frame, 0, "frame", FRAMING, Outcome::GivenUp),
    (b"open", Met::Frame, 1, "frame", FRAMING, Outcome::GivenUp),
    (b"hh", Met::Frame, 1, "frame", FRAMING, Outcome::GivenUp),
    (b"a", Met::Frame, 1, "array", "RFC 8259 §5", Outcome::GivenUp),
    (b"a\"hello\"", Met::Frame, 1, "array", "RFC 8259 §5", Outcome::GivenUp),
    (b"a[\"hello\"", Met::Frame, 9, "array", "RFC 8259 §5", Outcome::GivenUp),
    (b"a[\"a\",]", Met::Frame, 6, "message", FRAMING, Outcome::GivenUp),
    (b"a[1]", Met::Frame, 2, "message", FRAMING, Outcome::GivenUp),
    (b"a[\"a\"]x", Met::Frame, 6, "end", "RFC 8259 §5", Outcome::GivenUp),
    (b"c[3000]", Met::Frame, 6, "array", "RFC 8259 §5", Outcome::GivenUp),
    (b"c[\"a\",\"b\"]", Met::Frame, 2, "code", FRAMING, Outcome::GivenUp),
    (b"c[65536,\"b\"]", Met::Frame, 2, "code", FRAMING, Outcome::GivenUp),
    (b"c[03000,\"b\"]", Met::Frame, 2, "code", FRAMING, Outcome::GivenUp),
    (b"c[3e3,\"b\"]", Met::Frame, 2, "code", FRAMING, Outcome::GivenUp),
    (b"c[3000,\"a\",1]", Met::Frame, 10, "array", "RFC 8259 §5", Outcome::GivenUp),
    (b"", Met::Body, 0, "messages", MESSAGES, MISSING),
    (b"{\"a\":1}", Met::Body, 0, "array", "RFC 8259 §5", MISSING),
    (b"\"x\"", Met::Body, 0, "array", "RFC 8259 §5", MISSING),
    (b"[\"x\",null]", Met::Body, 5, "message", MESSAGES, MISSING),
    (b"[\"x", Met::Body, 3, "message", "RFC 8259 §7", BROKEN),
    (b"[\"\n\"]", Met::Body, 2, "control character", "RFC 8259 §7", BROKEN),
    (b"[\"\\x41\"]", Met::Body, 2, "escape", "RFC 8259 §7", BROKEN),
    (b"[\"\\u12g4\"]", Met::Body, 2, "escape", "RFC 8259 §7", BROKEN),
    (b"[\"\\u+123\"]", Met::Body, 2, "escape", "RFC 8259 §7", BROKEN),
    (b"[\"a\xff\"]", Met::Body, 3, "message", "RFC 8259 §8.1", BROKEN),
    (b"[\"a\"][\"b\"]", Met::Body, 5, "end", "RFC 8259 §5", BROKEN),
    (b"d=%5B%22x%22%5D", Met::Body, 0, "array", "RFC 8259 §5", BROKEN),
    (b"[\"a", Met::Message, 3, "message", "RFC 8259 §7", Outcome::Cut),
    (b"hello", Met::Message, 0, "array", "RFC 8259 §5", Outcome::Cut),
    (b"\"a\" \"b\"", Met::Message, 4, "end", "RFC 8259 §5", Outcome::Cut),
    (b"{}", Met::Message, 0, "array", "RFC 8259 §5", Outcome::Cut),
    (
        b"event: o\r\n\r\n",
        Met::Answer(Transport::EventSource),
        0,
        "packing",
        "sockjs-protocol, EventSource",
        Outcome::GivenUp,
    ),
    (
        b"data: a[\"%\"]\r\n\r\n",
        Met::Answer(Transport::EventSource),
        9,
        "packing",
        "sockjs-protocol, EventSource",
        Outcome::GivenUp,
    ),
    (
        b"cb(\"o\");\r\n",
        Met::Answer(Transport::Jsonp),
        0,
        "packing",
        "sockjs-protocol, JsonpPolling",
        Outcome::GivenUp,
    ),
    (
        b"/**/alert(1);(\"o\");\r\n",
        Met::Answer(Transport::Jsonp),
        10,
        "packing",
        "sockjs-protocol, JsonpPolling",
        Outcome::GivenUp,
    ),
    (b"o\r\n", Met::Answer(Transport::HtmlFile), 0, "packing", "sockjs-protocol, HtmlFile", Outcome::GivenUp),
];

fn meet(bytes: &[u8], met: Met) -> Result<(), Malformed> {
    match met {
        Met::Frame => Frame::parse(bytes).map(drop),
        Met::Body => parse_messages(bytes, Uplink::Request).map(drop),
        Met::Message => parse_messages(bytes, Uplink::WebSocket).map(drop),
        Met::Answer(transport) => {
            let mut reader = Reader::new(transport, 1000);
            reader.push(bytes);
            reader.frame().map(drop)
        }
    }
}

#[test]
fn each_mistake_is_named_with_its_place_and_its_section() {
    for (bytes, met, offset, field, section, outcome) in ROWS {
        let shown = String::from_utf8_lossy(bytes);
        let error = meet(bytes, *met).expect_err(&shown);
        assert_eq!(
            (error.offset, &*error.field, error.section),
            (Some(*offset), *field, *section),
            "{shown}: {error}"
        );
        assert!(!error.needed.is_empty() && !error.had.is_empty(), "{shown}: {error}");
        if let Outcome::Answered(answer) = outcome {
            assert_eq!(answer_to_malformed(bytes), *answer, "{shown}");
        }
        assert_eq!(error.field == "packing", matches!(met, Met::Answer(_)), "{shown}");
    }
    assert!(ROWS.len() >= 15);
}

/// A 404 each: no place, or a session's URL of the wrong form (sockjs-protocol, SessionURLs and IframePage).
#[test]
fn what_is_no_place_is_not_found() {
    for target in ["/echo/a./a/xhr", "/echo//a/xhr", "/echo/a/a/sse", "/echo/iframe.xml", "/echo2/info"] {
        assert_eq!(Place::parse("/echo", target), None, "{target}");
    }
}

//! The packing of frames by each transport, and a reader for bodies that arrive in pieces.

use std::ops::Range;

use super::{Text, Writer, tables::MESSAGES_SECTION};
use crate::wire::Malformed;

/// Bytes `h` at the start of an xhr_streaming response: Internet Explorer 8 delivers nothing before that many
/// bytes.
pub(crate) const PRELUDE_LENGTH: usize = 2048;

/// A transport for frames to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Each frame is a message of a WebSocket.
    WebSocket,
    /// A streaming response: each frame is a line.
    XhrStreaming,
    /// One response for each frame, which is a line.
    Xhr,
    /// Server-Sent Events.
    EventSource,
    /// A streaming page: each frame is a script.
    HtmlFile,
    /// One script for each frame.
    Jsonp,
}

/// All transports, in a client's order of preference.
pub(crate) const TRANSPORTS: [Transport; 6] = [
    Transport::WebSocket,
    Transport::XhrStreaming,
    Transport::EventSource,
    Transport::HtmlFile,
    Transport::Xhr,
    Transport::Jsonp,
];

impl Transport {
    /// Its name, as sockjs-client calls it: `xhr-streaming`.
    pub fn name(self) -> &'static str {
        match self {
            Transport::WebSocket => "websocket",
            Transport::XhrStreaming => "xhr-streaming",
            Transport::Xhr => "xhr-polling",
            Transport::EventSource => "eventsource",
            Transport::HtmlFile => "htmlfile",
            Transport::Jsonp => "jsonp-polling",
        }
    }

    /// The last part of its URL.
    pub(crate) fn endpoint(self) -> &'static str {
        match self {
            Transport::WebSocket => "websocket",
            Transport::XhrStreaming => "xhr_streaming",
            Transport::Xhr => "xhr",
            Transport::EventSource => "eventsource",
            Transport::HtmlFile => "htmlfile",
            Transport::Jsonp => "jsonp",
        }
    }

    /// Where it is described.
    pub fn section(self) -> &'static str {
        match self {
            Transport::WebSocket => "sockjs-protocol, WebSocket protocols",
            Transport::XhrStreaming => "sockjs-protocol, XhrStreaming",
            Transport::Xhr => "sockjs-protocol, XhrPolling",
            Transport::EventSource => "sockjs-protocol, EventSource",
            Transport::HtmlFile => "sockjs-protocol, HtmlFile",
            Transport::Jsonp => "sockjs-protocol, JsonpPolling",
        }
    }

    /// True if a response continues after a frame, up to the server's limit.
    pub fn goes_on(self) -> bool {
        matches!(self, Transport::XhrStreaming | Transport::EventSource | Transport::HtmlFile)
    }

    /// Returns the start of a response, before its first frame. For htmlfile it is only the end of the page's
    /// head.
    pub fn prelude(self) -> Vec<u8> {
        match self {
            Transport::XhrStreaming => {
                let mut prelude = vec![b'h'; PRELUDE_LENGTH];
                prelude.push(b'\n');
                prelude
            }
            Transport::EventSource | Transport::HtmlFile => b"\r\n".to_vec(),
            Transport::WebSocket | Transport::Xhr | Transport::Jsonp => Vec::new(),
        }
    }

    /// Returns a frame in its packing. `callback` is the function that jsonp calls; other transports ignore
    /// it.
    pub fn pack(self, frame: &[u8], callback: &str) -> Vec<u8> {
        let quoted = || Text::from(&*String::from_utf8_lossy(frame)).quoted(Writer::Server);
        match self {
            Transport::WebSocket => frame.to_vec(),
            Transport::XhrStreaming | Transport::Xhr => [frame, b"\n"].concat(),
            Transport::EventSource => [b"data: ", escaped(frame).as_slice(), b"\r\n\r\n"].concat(),
            Transport::HtmlFile => format!("<script>\np({});\n</script>\r\n", quoted()).into_bytes(),
            Transport::Jsonp => format!("/**/{callback}({});\r\n", quoted()).into_bytes(),
        }
    }
}

/// A line end would end the event, so it is sent as `%0D` or `%0A`, and `%` as `%25`. The document does not
/// say so; both libraries do it (sockjs-node 0.3.24, lib/trans-eventsource.js; sockjs-client 1.6.1,
/// lib/transport/receiver/eventsource.js).
fn escaped(frame: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.len());
    for byte in frame {
        match byte {
            b'%' => out.extend(b"%25"),
            b'\r' => out.extend(b"%0D"),
            b'\n' => out.extend(b"%0A"),
            0 => out.extend(b"%00"),
            byte => out.push(*byte),
        }
    }
    out
}

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// The start of a response, or an empty line.
    Prelude,
    /// The range of a frame, and the frame. The bytes are the same unless the transport escapes them.
    Frame(Range<usize>, Vec<u8>),
}

/// Returns the part at the front of `bytes` with its length, once it is complete. `first` is true at the
/// start of a body.
pub(super) fn part(
    transport: Transport,
    bytes: &[u8],
    first: bool,
) -> Result<Option<(Part, usize)>, Malformed> {
    if bytes.is_empty() {
        return Ok(None);
    }
    match transport {
        Transport::WebSocket => Ok(Some((Part::Frame(0..bytes.len(), bytes.to_vec()), bytes.len()))),
        Transport::XhrStreaming | Transport::Xhr => Ok(line(bytes, first && transport.goes_on())),
        Transport::EventSource => event(bytes),
        Transport::HtmlFile if first && bytes[0] != b'<' => Err(wrong(transport, bytes, 0, "an HTML page")),
        Transport::HtmlFile if first => {
            // The head is padded for browsers that buffer a response before they run its script.
            Ok(find(bytes, b"\r\n").map(|end| (Part::Prelude, end + 2)))
        }
        Transport::HtmlFile if bytes.starts_with(b"\r\n") => Ok(Some((Part::Prelude, 2))),
        Transport::HtmlFile if bytes == b"\r" => Ok(None),
        Transport::HtmlFile => call(transport, bytes, b"<script>\np(", b");\n</script>\r\n"),
        Transport::Jsonp => {
            let Some(open) = bytes.iter().position(|byte| *byte == b'(') else {
                return Ok(None);
            };
            let callback = bytes[..open].strip_prefix(b"/**/").filter(|name| is_callback(name));
            if callback.is_none() {
                return Err(wrong(transport, bytes, 0, "/**/ and the name of a function"));
            }
            call(transport, bytes, &bytes[..=open], b");\r\n")
        }
    }
}

/// Letters, digits, `-`, `_` and `.` (sockjs-protocol, JsonpPolling).
fn is_callback(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn line(bytes: &[u8], prelude: bool) -> Option<(Part, usize)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = &bytes[..end];
    let filler = prelude && line.len() == PRELUDE_LENGTH && line.iter().all(|byte| *byte == b'h');
    if filler || line.is_empty() {
        return Some((Part::Prelude, end + 1));
    }
    Some((Part::Frame(0..end, line.to_vec()), end + 1))
}

fn event(bytes: &[u8]) -> Result<Option<(Part, usize)>, Malformed> {
    const BEGIN: &[u8] = b"data: ";
    const END: &[u8] = b"\r\n\r\n";
    if bytes.starts_with(b"\r\n") {
        return Ok(Some((Part::Prelude, 2)));
    }
    if !bytes.starts_with(BEGIN) {
        if BEGIN.starts_with(bytes) || bytes == b"\r" {
            return Ok(None);
        }
        return Err(wrong(Transport::EventSource, bytes, 0, "\"data: \" and a frame"));
    }
    let Some(end) = find(bytes, END) else { return Ok(None) };
    let frame = unescape(&bytes[BEGIN.len()..end])
        .map_err(|at| wrong(Transport::EventSource, bytes, BEGIN.len() + at, "% and two hex digits"))?;
    Ok(Some((Part::Frame(BEGIN.len()..end, frame), end + END.len())))
}

/// Unescapes like JavaScript's `decodeURI`: reserved characters of a URI stay escaped.
fn unescape(bytes: &[u8]) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte != b'%' {
            out.push(*byte);
            at += 1;
            continue;
        }
        let digits = bytes.get(at + 1..at + 3).ok_or(at)?;
        let code = data_encoding::HEXLOWER_PERMISSIVE.decode(digits).map_err(|_| at)?[0];
        if b";/?:@&=+$,#".contains(&code) {
            out.extend_from_slice(&bytes[at..at + 3]);
        } else {
            out.push(code);
        }
        at += 3;
    }
    Ok(out)
}

/// A call of a function with the frame as a string.
fn call(
    transport: Transport,
    bytes: &[u8],
    begin: &[u8],
    end: &[u8],
) -> Result<Option<(Part, usize)>, Malformed> {
    if !bytes.starts_with(begin) {
        if begin.starts_with(bytes) {
            return Ok(None);
        }
        return Err(wrong(transport, bytes, 0, "a script that calls a function"));
    }
    // A JSON string has no raw line end, so the first one is after it.
    let Some(close) = find(&bytes[begin.len()..], end).map(|at| at + begin.len()) else {
        return Ok(None);
    };
    let quoted = &bytes[begin.len()..close];
    let frame: String = serde_json::from_slice(quoted)
        .map_err(|_| wrong(transport, bytes, begin.len(), "the frame as a JSON string"))?;
    Ok(Some((Part::Frame(begin.len()..close, frame.into_bytes()), close + end.len())))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn wrong(transport: Transport, bytes: &[u8], offset: usize, needed: &'static str) -> Malformed {
    Malformed::at("packing", offset, needed, &bytes[offset..], transport.section())
}

/// Finds the frames of one body, which may come in any pieces.
#[derive(Debug, Clone)]
pub struct Reader {
    transport: Transport,
    limit: usize,
    bytes: Vec<u8>,
    /// Bytes consumed before these.
    passed: usize,
    /// True if a line end has arrived since the last attempt; every part ends with one.
    fresh: bool,
}

impl Reader {
    /// Returns a reader for a body of this transport. A frame longer than `limit` bytes is an error, which
    /// bounds memory.
    pub fn new(transport: Transport, limit: usize) -> Self {
        Reader { transport, limit, bytes: Vec::new(), passed: 0, fresh: false }
    }

    /// Adds bytes of the body.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.fresh |= bytes.contains(&b'\n');
    }

    /// Returns the bytes of the next frame, if it is complete, for [`Frame::parse`](super::Frame::parse).
    ///
    /// # Errors
    ///
    /// [`Malformed`] with its offset in the body, which cannot be read any further.
    pub fn frame(&mut self) -> Result<Option<Vec<u8>>, Malformed> {
        while self.fresh {
            let found = part(self.transport, &self.bytes, self.passed == 0);
            let at = self.passed;
            let found = found.map_err(|error| error.behind(at))?;
            let Some((part, length)) = found else {
                self.fresh = false;
                break;
            };
            self.bytes.drain(..length);
            self.passed += length;
            if let Part::Frame(_, frame) = part {
                return Ok(Some(frame));
            }
        }
        // The prelude of htmlfile is no frame, but bounded all the same.
        if self.bytes.len() > self.limit.max(PRELUDE_LENGTH * 2) {
            let needed = "its end before the limit of this side";
            let error = Malformed::at("frame", self.passed, needed, b"", MESSAGES_SECTION);
            return Err(Malformed { had: format!("{} bytes", self.bytes.len()), ..error });
        }
        Ok(None)
    }

    /// Returns the bytes of an incomplete frame. At the end of a body there should be none.
    pub fn pending(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::sockjs::Frame;

    /// A whole body with these frames.
    fn body(transport: Transport, frames: &[Frame]) -> Vec<u8> {
        let head: &[u8] = if transport == Transport::HtmlFile { b"<!doctype html>\n<html>" } else { b"" };
        let mut body = [head, &transport.prelude()].concat();
        for frame in frames {
            body.extend(transport.pack(&frame.encode(), "callback"));
        }
        body
    }

    #[test]
    fn each_transport_packs_as_the_document_says() {
        let hello = Frame::messages(["x"]).encode();
        let packed = |transport: Transport| String::from_utf8(transport.pack(&hello, "callback")).unwrap();
        assert_eq!(packed(Transport::WebSocket), "a[\"x\"]");
        assert_eq!(packed(Transport::Xhr), "a[\"x\"]\n");
        assert_eq!(packed(Transport::EventSource), "data: a[\"x\"]\r\n\r\n");
        assert_eq!(packed(Transport::HtmlFile), "<script>\np(\"a[\\\"x\\\"]\");\n</script>\r\n");
        assert_eq!(packed(Transport::Jsonp), "/**/callback(\"a[\\\"x\\\"]\");\r\n");
        assert_eq!(Transport::XhrStreaming.prelude().len(), 2049);
    }

    #[test]
    fn a_percent_sign_is_escaped_in_events_alone() {
        let frame = Frame::messages(["50%\n%2F"]).encode();
        let packed = Transport::EventSource.pack(&frame, "");
        assert_eq!(packed, b"data: a[\"50%25\\n%252F\"]\r\n\r\n");
        let mut reader = Reader::new(Transport::EventSource, 1000);
        reader.push(&packed);
        assert_eq!(reader.frame(), Ok(Some(frame)));
    }

    #[test]
    fn no_more_is_kept_than_the_limit() {
        let mut reader = Reader::new(Transport::Xhr, 5000);
        for _ in 0..5 {
            reader.push(&[b'a'; 1000]);
            assert_eq!(reader.frame(), Ok(None));
        }
        reader.push(b"a");
        assert_eq!(reader.frame().unwrap_err().needed, "its end before the limit of this side");
    }

    proptest! {
        #[test]
        fn frames_come_out_of_any_pieces(texts in proptest::collection::vec(".{0,9}", 0..4), size in 1usize..3000) {
            let frames = [Frame::Open, Frame::messages(texts.iter().map(String::as_str)), Frame::Heartbeat];
            for transport in TRANSPORTS.into_iter().filter(|transport| *transport != Transport::WebSocket) {
                let mut reader = Reader::new(transport, 5000);
                let mut read = Vec::new();
                for piece in body(transport, &frames).chunks(size) {
                    reader.push(piece);
                    while let Some(frame) = reader.frame().unwrap() {
                        read.push(Frame::parse(&frame).unwrap());
                    }
                }
                prop_assert_eq!(&read, &frames, "{:?}", transport);
                prop_assert_eq!(reader.pending(), b"");
            }
        }
    }
}

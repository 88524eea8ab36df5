//! What a protocol above HTTP, WebSocket or TCP is: a [`Dissector`] for one direction, and a [`Detector`]
//! that recognises it.

use std::fmt::Debug;

use super::{Out, Place};
use crate::{analysis::conversation::budget::Budget, event::Host, wire::Protocol};

/// Reads one direction of a protocol. What it holds counts against the budget; what it can't understand is
/// told once.
pub(in crate::analysis::conversation) trait Dissector: Debug {
    /// Reads a whole message of the layer beneath.
    fn message(&mut self, _place: Place, _text: bool, _payload: &[u8], _out: &mut Out) {}

    /// Reads the next bytes of a content or of the stream.
    fn bytes(&mut self, place: Place, bytes: &[u8], out: &mut Out);

    /// Bytes are missing: what is under way is dropped.
    fn gap(&mut self, budget: &mut Budget);

    /// The content is over: tells what is whole only now.
    fn end(&mut self, _from: Host, _out: &mut Out) {}
}

/// The table of detectors, as a protocol sees it that carries another.
pub(in crate::analysis::conversation) type Detectors = &'static [&'static Detector];

/// Makes the dissector of the messages that `Host` sends over a WebSocket, or of the bytes that it sends over
/// TCP.
pub(in crate::analysis::conversation) type NewStream = fn(Host, Detectors) -> Box<dyn Dissector>;

/// Makes the dissector of a content of HTTP, of which it keeps at most so many bytes.
pub(in crate::analysis::conversation) type NewContent = fn(usize, Detectors) -> Box<dyn Dissector>;

/// What a request promises of what comes after its head.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::analysis::conversation) struct Promise {
    /// The content of the request.
    pub(super) request: Option<Content>,
    /// The content of the response, if its status is 200.
    pub(super) response: Option<Content>,
    /// The messages of the WebSocket, if there will be one.
    pub(super) messages: Option<ProtocolHint>,
}

/// A content of HTTP, by how it is read.
#[derive(Debug, Clone, Copy)]
pub(in crate::analysis::conversation) struct Content(pub(super) NewContent);

impl PartialEq for Content {
    fn eq(&self, other: &Content) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

/// What is expected of the messages of a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::analysis::conversation) enum ProtocolHint {
    /// Nothing that is known here.
    Nothing,
    /// The first messages decide, of which `left` more are looked at. After a handshake that promised
    /// nothing, only a protocol that opens with a word of its own is recognised.
    First { left: u8, handshake: bool },
    /// This protocol, if the first message confirms it.
    Expected(&'static Detector),
    /// This protocol.
    Known(&'static Detector),
}

/// Whether bytes begin a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::analysis::conversation) enum Verdict {
    /// They do.
    Yes,
    /// More bytes decide.
    Undecided,
    /// They do not.
    No,
}

/// A row of the table: the signs by which a protocol is recognised, and its dissectors. A sign that a
/// protocol does not have stays as in [`Detector::NONE`].
pub(in crate::analysis) struct Detector {
    /// The words of `--filter`, and the protocols of the layers that they choose. `--as` with one of these
    /// protocols asks for this row.
    pub(in crate::analysis) words: &'static [(&'static str, Protocol)],
    /// What a request promises by its method and target.
    pub(super) target: fn(&str, &str) -> Option<Promise>,
    /// The subprotocols that stand for it (Sec-WebSocket-Protocol).
    pub(super) subprotocols: &'static [&'static str],
    /// The type of a response's content that is of this protocol.
    pub(super) content_type: Option<&'static str>,
    /// What the contents of a request with this method, and of its response, are: with `--as`, or by their
    /// type.
    pub(super) contents: fn(&str) -> Promise,
    /// Whether bytes are of it, wherever they stand.
    pub(super) bytes: fn(&[u8]) -> bool,
    /// Whether a stream on TCP, or the first message after a handshake that promised nothing, begins a
    /// session of it.
    pub(super) session: fn(&[u8]) -> Verdict,
    /// Whether a text message of a WebSocket whose handshake was not seen is of it.
    pub(super) text: fn(Host, &[u8]) -> bool,
    /// Whether the first message confirms what the target promised.
    pub(super) confirms: fn(Host, &[u8]) -> bool,
    /// Reads messages of a WebSocket; none: it is not carried by one.
    pub(super) stream: Option<NewStream>,
}

impl Detector {
    /// Whether it can stand right on TCP: a session of it has a beginning that is recognised.
    pub(in crate::analysis::conversation) fn is_on_tcp(&self) -> bool {
        (self.session)(b"") == Verdict::Undecided
    }

    /// No sign at all.
    pub(super) const NONE: Detector = Detector {
        words: &[],
        target: |_, _| None,
        subprotocols: &[],
        content_type: None,
        contents: |_| Promise { request: None, response: None, messages: None },
        bytes: |_| false,
        session: |_| Verdict::No,
        text: |_, _| false,
        confirms: |_, _| false,
        stream: None,
    };
}

impl Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Detector").field(&self.words).finish()
    }
}

impl PartialEq for Detector {
    fn eq(&self, other: &Detector) -> bool {
        std::ptr::eq(self, other)
    }
}

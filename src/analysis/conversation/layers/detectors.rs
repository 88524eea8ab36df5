//! The table of the protocols above HTTP, WebSocket and TCP, and by which sign each is recognised: the target
//! of a request, the subprotocol, the type of a content, a word of the command line or, where those say
//! nothing, the first bytes.

use super::{
    StreamState,
    detector::{Content, Detector, Promise, ProtocolHint, Verdict},
    engine_io, event_stream, sockjs, stomp,
};
use crate::{
    event::Host,
    wire::{
        Protocol,
        http::{Headers, ResponseHead},
    },
};

/// Messages of an undecided WebSocket that are looked at.
const LOOKED_AT: u8 = 8;
/// Longest message that is looked at, in bytes.
const LONGEST: usize = 64 << 10;

/// The field in which a server names the subprotocol that it has chosen.
const PROTOCOL: &str = "Sec-WebSocket-Protocol";

/// All protocols. An earlier row is asked before a later one.
pub(in crate::analysis) static DETECTORS: [&Detector; 5] = [
    &engine_io::SOCKET_IO,
    &engine_io::ENGINE_IO,
    &sockjs::DETECTOR,
    &stomp::DETECTOR,
    &event_stream::DETECTOR,
];

/// Returns the row of a protocol that was asked for by `--as`.
pub(in crate::analysis) fn of(protocol: Protocol) -> Option<&'static Detector> {
    DETECTORS.into_iter().find(|row| row.words.iter().any(|(_, own)| *own == protocol))
}

/// Returns the words of `--filter`, in the order of the table.
#[cfg(test)]
pub(in crate::analysis) fn words() -> impl Iterator<Item = &'static str> {
    DETECTORS.into_iter().flat_map(|row| row.words.iter().map(|(word, _)| *word))
}

/// Returns the protocol with this word of `--filter`.
#[cfg(test)]
pub(in crate::analysis) fn named(word: &str) -> Option<Protocol> {
    let mut all = DETECTORS.into_iter().flat_map(|row| row.words);
    all.find(|(own, _)| *own == word).map(|(_, protocol)| *protocol)
}

/// Returns the row whose session these first bytes of a TCP stream begin; `Err` tells whether more bytes may
/// decide it.
pub(in crate::analysis::conversation) fn session(bytes: &[u8]) -> Result<&'static Detector, Verdict> {
    let verdicts = || DETECTORS.into_iter().map(|row| (row, (row.session)(bytes)));
    if let Some((row, _)) = verdicts().find(|(_, verdict)| *verdict == Verdict::Yes) {
        return Ok(row);
    }
    let undecided = verdicts().any(|(_, verdict)| verdict == Verdict::Undecided);
    Err(if undecided { Verdict::Undecided } else { Verdict::No })
}

/// Returns the row that these bytes are of, wherever they stand.
pub(in crate::analysis::conversation) fn recognised(bytes: &[u8]) -> Option<&'static Detector> {
    DETECTORS.into_iter().find(|row| (row.bytes)(bytes))
}

impl Promise {
    /// Returns what a request promises by its target; where that says nothing, by what was asked for on the
    /// command line.
    pub(in crate::analysis::conversation) fn of(
        method: &str,
        target: &str,
        above: Option<Protocol>,
    ) -> Promise {
        let by_target = DETECTORS.into_iter().find_map(|row| (row.target)(method, target));
        by_target.or_else(|| Some((of(above?)?.contents)(method))).unwrap_or_default()
    }

    /// Returns how the content of the request is read.
    pub(in crate::analysis::conversation) fn request(self, limit: usize) -> StreamState {
        StreamState::of_content(self.request, limit)
    }

    /// Returns how the content of the response with this head is read.
    pub(in crate::analysis::conversation) fn response(
        self,
        head: &ResponseHead,
        limit: usize,
    ) -> StreamState {
        if head.status != 200 {
            return StreamState::Unknown;
        }
        let by_type = || {
            let row = DETECTORS
                .into_iter()
                .find(|row| row.content_type.is_some_and(|it| is_of(&head.headers, it)))?;
            (row.contents)("GET").response
        };
        StreamState::of_content(self.response.or_else(by_type), limit)
    }

    /// Returns what is expected of the WebSocket that is agreed on with this answer.
    pub(in crate::analysis::conversation) fn hint(self, answer: &Headers) -> ProtocolHint {
        let chosen = |row: &&&Detector| row.subprotocols.iter().any(|it| answer.has_token(PROTOCOL, it));
        self.messages
            .or_else(|| DETECTORS.iter().find(chosen).map(|row| ProtocolHint::Known(row)))
            .unwrap_or(ProtocolHint::First { left: LOOKED_AT, handshake: true })
    }
}

impl Default for ProtocolHint {
    fn default() -> Self {
        ProtocolHint::First { left: LOOKED_AT, handshake: false }
    }
}

impl ProtocolHint {
    /// Returns what was asked for on the command line, if a WebSocket carries it.
    pub(in crate::analysis::conversation) fn of(protocol: Protocol) -> Option<ProtocolHint> {
        of(protocol).filter(|row| row.stream.is_some()).map(ProtocolHint::Known)
    }

    /// Returns how the messages of `from` are read.
    pub(super) fn state(self, from: Host) -> StreamState {
        match self {
            ProtocolHint::Nothing => StreamState::Unknown,
            ProtocolHint::First { .. } | ProtocolHint::Expected(_) => StreamState::Undecided,
            ProtocolHint::Known(row) => StreamState::of_stream(row, from, &DETECTORS),
        }
    }

    /// Returns what is expected after a message, if that is something else.
    pub(super) fn after(self, from: Host, text: bool, payload: &[u8]) -> Option<ProtocolHint> {
        let find = |sign: &dyn Fn(&Detector) -> bool| {
            DETECTORS.into_iter().find(|row| sign(row)).map(ProtocolHint::Known)
        };
        match self {
            ProtocolHint::Expected(row) if (row.confirms)(from, payload) => Some(ProtocolHint::Known(row)),
            ProtocolHint::Expected(_) => Some(ProtocolHint::Nothing),
            ProtocolHint::First { left, handshake } => {
                let by_bytes = find(&|row| match handshake {
                    true => (row.session)(payload) == Verdict::Yes,
                    false => (row.bytes)(payload),
                });
                if by_bytes.is_some() || !text || payload.len() > LONGEST {
                    return by_bytes;
                }
                let by_text = find(&|row| !handshake && (row.text)(from, payload));
                by_text.or(Some(match left {
                    left if handshake || left == 0 => ProtocolHint::Nothing,
                    left => ProtocolHint::First { left: left - 1, handshake },
                }))
            }
            ProtocolHint::Nothing | ProtocolHint::Known(_) => None,
        }
    }
}

impl StreamState {
    fn of_content(content: Option<Content>, limit: usize) -> StreamState {
        content.map_or(StreamState::Unknown, |Content(new)| StreamState::Known(new(limit, &DETECTORS)))
    }
}

/// `Content-Type: text/event-stream`, with any parameters.
fn is_of(headers: &Headers, content_type: &str) -> bool {
    let kind = headers.all("Content-Type").next();
    let kind = kind.and_then(|line| line.value.split(|byte| *byte == b';').next());
    kind.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(content_type.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_says_what_comes() {
        let messages = |method, target| Promise::of(method, target, None).messages;
        let socket_io = Some(ProtocolHint::Known(&engine_io::SOCKET_IO));
        let engine_io = Some(ProtocolHint::Known(&engine_io::ENGINE_IO));
        assert_eq!(messages("GET", "/socket.io/?EIO=4&transport=polling&t=x"), socket_io);
        assert_eq!(messages("GET", "/chat/?EIO=4&transport=websocket&sid=a"), socket_io);
        assert_eq!(messages("GET", "/engine.io/?EIO=4&transport=polling"), engine_io);
        assert_eq!(Promise::of("GET", "/socket.io/?EIO=3&transport=polling", None), Promise::default());
        let sockjs = Some(ProtocolHint::Expected(&sockjs::DETECTOR));
        assert_eq!(messages("POST", "/echo/000/abcdefgh/xhr_streaming"), sockjs);
        assert_eq!(messages("POST", "/a/b/echo/123/abc/xhr?x=y"), sockjs);
        assert_eq!(messages("GET", "/000/abc/eventsource"), sockjs);
        assert_eq!(messages("GET", "/api/v1/eventsource"), None, "nobody's own");
        assert_eq!(messages("GET", "/echo/000/abc/xhr_send"), None, "it is a POST");
        assert_eq!(messages("GET", "/"), None);
    }

    #[test]
    fn first_messages_say_it_where_nothing_else_does() {
        let first = ProtocolHint::default();
        let known = |row| Some(ProtocolHint::Known(row));
        let event = br#"42["msg","hello"]"#;
        assert_eq!(first.after(Host::Client, true, event), known(&engine_io::SOCKET_IO));
        assert_eq!(first.after(Host::Server, true, br#"a["x"]"#), known(&sockjs::DETECTOR));
        let next = first.after(Host::Client, true, b"hello").unwrap();
        assert_eq!(next, ProtocolHint::First { left: LOOKED_AT - 1, handshake: false });
        let agreed = ProtocolHint::First { left: 8, handshake: true };
        let nothing = Some(ProtocolHint::Nothing);
        assert_eq!(agreed.after(Host::Client, true, event), nothing, "its target would say it");
        assert_eq!(agreed.after(Host::Client, true, b"MESSAGE\nhello"), nothing, "a word like any other");
        assert_eq!(agreed.after(Host::Client, true, b"CONNECT\nhost:a\n"), known(&stomp::DETECTOR));
        let expected = ProtocolHint::Expected(&sockjs::DETECTOR);
        assert_eq!(expected.after(Host::Server, true, b"o"), known(&sockjs::DETECTOR));
        assert_eq!(expected.after(Host::Server, true, b"other"), nothing);
    }

    #[test]
    fn each_word_of_the_command_line_finds_one_row() {
        for row in DETECTORS {
            for (word, protocol) in row.words {
                assert_eq!(of(*protocol), Some(row), "{word}");
            }
        }
    }

    #[test]
    fn a_filter_knows_every_protocol_by_its_word() {
        for word in words() {
            let filter = named(word).map(crate::view::filter::Filter::Layer);
            assert_eq!(word.parse().ok(), filter, "{word}");
        }
    }
}

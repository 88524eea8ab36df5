//! Which events are asked for? A place, a kind of frame, a direction: each given once more narrows the
//! choice.

use std::{fmt, str::FromStr};

use crate::event::{Host, StreamEvent, StreamWhat, stream::Opened};
use crate::wire::{Protocol, websocket::opcode};

/// A choice. As text: `client`, `server`, `text`, `binary`, `continuation`, `close`, `ping`, `pong`, a
/// protocol above HTTP or WebSocket: `engineio`, `socketio`, `sockjs`, `stomp`, `sse`; or an address with or
/// without its port: `10.0.0.1:4000`, `[::1]:80`, `10.0.0.1`, `:4000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// What this side sends.
    From(Host),
    /// Frames and messages of this opcode.
    Opcode(u8),
    /// What this protocol says.
    Layer(Protocol),
    /// Connections of which one end is this.
    End(String),
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Filter::From(host) => host.name(),
            Filter::Opcode(number) => {
                OPCODES.iter().find(|(_, it)| it == number).map_or("", |(name, _)| name)
            }
            Filter::Layer(protocol) => {
                LAYERS.iter().find(|(_, it)| it == protocol).map_or("", |(name, _)| name)
            }
            Filter::End(text) => text,
        })
    }
}

/// Words for opcodes.
const OPCODES: [(&str, u8); 6] = [
    ("continuation", opcode::CONTINUATION),
    ("text", opcode::TEXT),
    ("binary", opcode::BINARY),
    ("close", opcode::CLOSE),
    ("ping", opcode::PING),
    ("pong", opcode::PONG),
];

/// Words for protocols above HTTP, WebSocket or TCP.
const LAYERS: [(&str, Protocol); 5] = [
    ("engineio", Protocol::EngineIo),
    ("socketio", Protocol::SocketIo),
    ("sockjs", Protocol::SockJs),
    ("stomp", Protocol::Stomp),
    ("sse", Protocol::EventStream),
];

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = OPCODES.iter().find(|(name, _)| *name == text).map(|(_, it)| Filter::Opcode(*it));
        let above = LAYERS.iter().find(|(name, _)| *name == text).map(|(_, it)| Filter::Layer(*it));
        if let Some(filter) = named.or(above) {
            return Ok(filter);
        }
        Ok(match text {
            "client" => Filter::From(Host::Client),
            "server" => Filter::From(Host::Server),
            text if text.contains([':', '.'])
                && text.chars().all(|c| c.is_ascii_hexdigit() || "[]:.".contains(c)) =>
            {
                Filter::End(text.to_owned())
            }
            _ => {
                let words = LAYERS.map(|(name, _)| name);
                return Err(format!(
                    "expected client, server, text, binary, continuation, close, ping, pong, {}, or an address such as 10.0.0.1:4000",
                    words.join(", ")
                ));
            }
        })
    }
}

/// All choices together, for one decoder's events.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Only this stream.
    pub stream: Option<u64>,
    /// Any of those of a kind will do; all kinds have to agree.
    pub filters: Vec<Filter>,
}

impl Choice {
    /// True if everything is asked for.
    pub fn is_everything(&self) -> bool {
        self.stream.is_none() && self.filters.is_empty()
    }

    /// Whether a connection is asked for.
    pub fn has_connection(&self, stream: u64, opened: &Opened) -> bool {
        let ends = [opened.client, opened.server];
        self.stream.is_none_or(|wanted| wanted == stream)
            && self.any(|filter| match filter {
                Filter::End(text) => Some(ends.iter().any(|end| is_end(*end, text))),
                _ => None,
            })
    }

    /// Whether an event of such a connection is asked for.
    pub fn has_event(&self, event: &StreamEvent) -> bool {
        let mut above = None;
        let (from, opcode) = match &event.what {
            StreamWhat::Layer(layer) => {
                above = Some(layer.protocol);
                (Some(layer.from), None)
            }
            StreamWhat::Frame(frame) => (Some(frame.from), Some(frame.header.opcode)),
            StreamWhat::Message(message) => (Some(message.from), Some(message.opcode)),
            StreamWhat::Head(head) => (Some(head.from), None),
            StreamWhat::Body(body) => (Some(body.from), None),
            StreamWhat::Bytes(bytes) | StreamWhat::Data(bytes) => (Some(bytes.from), None),
            StreamWhat::Violation(broken) => (Some(broken.from), None),
            StreamWhat::Missing(missing) => (Some(missing.from), None),
            StreamWhat::Differs(differs) => (Some(differs.from), None),
            StreamWhat::Unfinished(it) => (Some(it.from), None),
            StreamWhat::Packet(_) => return self.filters.is_empty(),
            StreamWhat::Opened(_) | StreamWhat::Upgraded(_) | StreamWhat::Ended(_) => return true,
        };
        self.any(|filter| match filter {
            Filter::From(host) => Some(from == Some(*host)),
            _ => None,
        }) && self.any(|filter| match filter {
            Filter::Opcode(wanted) => Some(opcode == Some(*wanted)),
            Filter::Layer(wanted) => Some(above == Some(*wanted)),
            _ => None,
        })
    }

    /// True if no filter of this kind is there, or one that agrees.
    fn any(&self, agrees: impl Fn(&Filter) -> Option<bool>) -> bool {
        let mut verdicts = self.filters.iter().filter_map(agrees).peekable();
        verdicts.peek().is_none() || verdicts.any(|verdict| verdict)
    }
}

fn is_end(end: std::net::SocketAddr, text: &str) -> bool {
    match text.strip_prefix(':') {
        Some(port) if !port.contains(':') => end.port().to_string() == port,
        _ => end.to_string() == text || end.ip().to_string() == text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_written_as_it_is_read() {
        for text in ["client", "server", "ping", "continuation", "socketio", "sse", "10.0.0.1:80"] {
            assert_eq!(text.parse::<Filter>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_end_is_an_address_a_port_or_both() {
        let opened = Opened {
            client: "10.0.0.1:4000".parse().unwrap(),
            server: "[::1]:80".parse().unwrap(),
            from_start: true,
        };
        let has = |text: &str| {
            Choice { stream: None, filters: vec![text.parse().unwrap()] }.has_connection(0, &opened)
        };
        assert!(
            has("10.0.0.1:4000")
                && has("10.0.0.1")
                && has(":4000")
                && has("[::1]:80")
                && has("::1")
                && has(":80")
        );
        assert!(!has("10.0.0.1:400") && !has(":40") && !has("10.0.0.2"));
        assert!(has("text") && "teext".parse::<Filter>().is_err());
    }
}

//! Which events are asked for? A place, a kind of frame, a direction: each given once more narrows the choice.

use std::str::FromStr;

use crate::analysis::conversation::{Event, Opened, What, layers::detectors};
use crate::event::Host;
use crate::wire::{Protocol, websocket::opcode};

/// A choice. As text: `client`, `server`, `text`, `binary`, `continuation`, `close`, `ping`, `pong`, a protocol above HTTP or WebSocket:
/// `engineio`, `socketio`, `sockjs`, `stomp`, `sse`; or an address with or without its port: `10.0.0.1:4000`, `[::1]:80`, `10.0.0.1`, `:4000`.
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

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(protocol) = detectors::named(text) {
            return Ok(Filter::Layer(protocol));
        }
        Ok(match text {
            "client" => Filter::From(Host::Client),
            "server" => Filter::From(Host::Server),
            "continuation" => Filter::Opcode(opcode::CONTINUATION),
            "text" => Filter::Opcode(opcode::TEXT),
            "binary" => Filter::Opcode(opcode::BINARY),
            "close" => Filter::Opcode(opcode::CLOSE),
            "ping" => Filter::Opcode(opcode::PING),
            "pong" => Filter::Opcode(opcode::PONG),
            text if text.contains([':', '.'])
                && text.chars().all(|c| c.is_ascii_hexdigit() || "[]:.".contains(c)) =>
            {
                Filter::End(text.to_owned())
            }
            _ => {
                let words: Vec<_> = detectors::words().collect();
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
    pub fn has_event(&self, event: &Event) -> bool {
        let mut above = None;
        let (from, opcode) = match &event.what {
            What::Layer(layer) => {
                above = Some(layer.protocol);
                (Some(layer.from), None)
            }
            What::Frame(frame) => (Some(frame.from), Some(frame.header.opcode)),
            What::Message(message) => (Some(message.from), Some(message.opcode)),
            What::Head(head) => (Some(head.from), None),
            What::Body(body) => (Some(body.from), None),
            What::Bytes(bytes) | What::Data(bytes) => (Some(bytes.from), None),
            What::Violation(broken) => (Some(broken.from), None),
            What::Missing(missing) => (Some(missing.from), None),
            What::Differs(differs) => (Some(differs.from), None),
            What::Packet(_) => return self.filters.is_empty(),
            What::Opened(_) | What::Upgraded(_) | What::Ended(_) => return true,
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

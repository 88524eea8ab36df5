//! By which sign is a protocol above HTTP or WebSocket recognised? By the target of the request, the subprotocol, the kind of content,
//! or, where those promise nothing, by the first bytes.

use super::{EngineIo, Events, SockJs, Spoken, Stomp};
use crate::event::Host;
use crate::wire::{
    Protocol,
    engine_io::{self, Query},
    event_stream::CONTENT_TYPE,
    http::{Headers, ResponseHead},
    sockjs::{Endpoint, Frame, Place, TRANSPORTS},
    stomp::{Version, begins_like_stomp},
};

/// Messages of an unclear WebSocket that are looked at.
const LOOKED_AT: u8 = 8;
/// A message that is looked at is no longer than this, in bytes.
const LONGEST: usize = 64 << 10;

/// Where a server says which subprotocol it has chosen.
const PROTOCOL: &str = "Sec-WebSocket-Protocol";

/// What a request's target promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::analysis::conversation) enum Road {
    /// Nothing.
    #[default]
    Plain,
    /// Engine.IO, and in its messages Socket.IO unless the path says otherwise.
    EngineIo { socket_io: bool },
    /// SockJS, at this endpoint.
    SockJs(&'static Endpoint),
    /// Server-Sent Events, whatever the kind of content. No target promises them.
    EventStream,
}

/// What is expected of a WebSocket's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::analysis::conversation) enum Hint {
    /// Nothing, or nothing any more.
    None,
    /// The first messages will tell: so many are left to look at. Without a handshake they may be of anything.
    First {
        left: u8,
        handshake: bool,
    },
    EngineIo {
        socket_io: bool,
    },
    /// SockJS, if the server opens as its server does: the target alone could be anybody's.
    MaybeSockJs,
    SockJs,
    Stomp,
}

impl Default for Hint {
    fn default() -> Self {
        Hint::First { left: LOOKED_AT, handshake: false }
    }
}

impl Road {
    /// By `/socket.io/?EIO=4&transport=polling` or `/PREFIX/server/session/transport`.
    pub(in crate::analysis::conversation) fn of(method: &str, target: &str) -> Road {
        let path = target.split('?').next().unwrap_or_default();
        if Query::parse(target).is_ok() {
            return Road::EngineIo { socket_io: !path.contains("/engine.io") };
        }
        // Server, session and transport are the last three parts; what stands before them is any prefix.
        let Some((third, _)) = path.rmatch_indices('/').nth(2) else { return Road::Plain };
        let Some(Place::Session { server, endpoint, .. }) = Place::parse(&path[..third], path) else {
            return Road::Plain;
        };
        // Clients number servers with three digits. Where the last part is a word of SockJS alone that isn't asked for.
        let numbered = server.len() == 3 && server.bytes().all(|byte| byte.is_ascii_digit());
        let own = matches!(endpoint.name, "xhr_streaming" | "xhr_send" | "jsonp_send" | "websocket");
        if method == endpoint.method && (numbered || own) { Road::SockJs(endpoint) } else { Road::Plain }
    }

    /// What was asked for on the command line, where the target promises nothing.
    pub(in crate::analysis::conversation) fn or(self, above: Option<Protocol>) -> Road {
        match (self, above) {
            (Road::Plain, Some(Protocol::EngineIo | Protocol::SocketIo)) => {
                Road::EngineIo { socket_io: true }
            }
            (Road::Plain, Some(Protocol::EventStream)) => Road::EventStream,
            _ => self,
        }
    }

    /// What the content of a request is.
    pub(in crate::analysis::conversation) fn request(self, method: &str) -> Spoken {
        match self {
            Road::EngineIo { socket_io } if method == "POST" => EngineIo::polling(socket_io),
            Road::SockJs(Endpoint { name: "xhr_send", .. }) => SockJs::request(),
            _ => Spoken::Nothing,
        }
    }

    /// What the content of the answer is. `asked` is true for a GET: a POST is answered by `ok`.
    pub(in crate::analysis::conversation) fn response(
        self,
        asked: bool,
        head: &ResponseHead,
        limit: usize,
    ) -> Spoken {
        let transport =
            |endpoint: &Endpoint| TRANSPORTS.into_iter().find(|it| it.endpoint() == endpoint.name);
        match self {
            _ if head.status != 200 => Spoken::Nothing,
            Road::EngineIo { socket_io } if asked => EngineIo::polling(socket_io),
            Road::SockJs(endpoint) => match transport(endpoint) {
                Some(transport) => SockJs::answer(transport, limit),
                None => Spoken::Nothing,
            },
            Road::EventStream => Events::spoken(limit),
            _ if is_event_stream(&head.headers) => Events::spoken(limit),
            _ => Spoken::Nothing,
        }
    }

    /// What is expected of the WebSocket that is agreed on with this answer.
    pub(in crate::analysis::conversation) fn hint(self, answer: &Headers) -> Hint {
        match self {
            Road::Plain if Version::ALL.iter().any(|it| answer.has_token(PROTOCOL, it.subprotocol())) => {
                Hint::Stomp
            }
            Road::EngineIo { socket_io } => Hint::EngineIo { socket_io },
            Road::SockJs(_) => Hint::MaybeSockJs,
            Road::Plain | Road::EventStream => Hint::First { left: LOOKED_AT, handshake: true },
        }
    }
}

impl Hint {
    /// What was asked for on the command line.
    pub(in crate::analysis::conversation) fn of(protocol: Protocol) -> Option<Hint> {
        Some(match protocol {
            Protocol::EngineIo | Protocol::SocketIo => Hint::EngineIo { socket_io: true },
            Protocol::SockJs => Hint::SockJs,
            Protocol::Stomp => Hint::Stomp,
            _ => return None,
        })
    }

    /// What a side speaks by that.
    pub(super) fn spoken(self, from: Host) -> Spoken {
        match self {
            Hint::None => Spoken::Nothing,
            Hint::First { .. } | Hint::MaybeSockJs => Spoken::Unclear,
            Hint::EngineIo { socket_io } => EngineIo::web_socket(socket_io),
            Hint::SockJs => SockJs::web_socket(from),
            Hint::Stomp => Stomp::spoken(),
        }
    }

    /// What is expected after a message, if that is something else.
    pub(super) fn after(self, from: Host, text: bool, payload: &[u8]) -> Option<Hint> {
        match self {
            // A server opens with `o`, before anybody else says anything.
            Hint::MaybeSockJs if from == Host::Server && payload == b"o" => Some(Hint::SockJs),
            Hint::MaybeSockJs => Some(Hint::None),
            Hint::First { handshake: true, .. } if opens_stomp(payload) => Some(Hint::Stomp),
            Hint::First { handshake: false, .. } if begins_like_stomp(payload) => Some(Hint::Stomp),
            Hint::First { .. } if !text || payload.len() > LONGEST => None,
            Hint::First { handshake: false, .. } if is_engine_io(payload) => {
                Some(Hint::EngineIo { socket_io: true })
            }
            Hint::First { handshake: false, .. } if is_sockjs(from, payload) => Some(Hint::SockJs),
            Hint::First { handshake: true, .. } | Hint::First { left: 0, .. } => Some(Hint::None),
            Hint::First { left, handshake } => Some(Hint::First { left: left - 1, handshake }),
            _ => None,
        }
    }
}

/// `Content-Type: text/event-stream`, with whatever parameters.
fn is_event_stream(headers: &Headers) -> bool {
    let kind = headers.all("Content-Type").next();
    let kind = kind.and_then(|line| line.value.split(|byte| *byte == b';').next());
    kind.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(CONTENT_TYPE.as_bytes()))
}

/// `42["msg","hello"]`: an Engine.IO message with a packet of Socket.IO that has a payload.
fn is_engine_io(payload: &[u8]) -> bool {
    use crate::wire::socket_io::Packet;
    matches!(payload, [b'4', b'0'..=b'6', ..])
        && Packet::parse(&payload[1..]).is_ok_and(|packet| packet.payload.is_some())
        || (payload.starts_with(b"0{\"sid\"") && engine_io::Packet::parse(payload).is_ok())
}

/// `a["hello"]`: no other text begins like that and goes on so.
fn is_sockjs(from: Host, payload: &[u8]) -> bool {
    from == Host::Server && matches!(Frame::parse(payload), Ok(Frame::Messages(_)))
}

/// True for what a session of STOMP begins with, from either side. Any other command might be a word of another protocol.
pub(in crate::analysis::conversation) fn opens_stomp(bytes: &[u8]) -> bool {
    begins_like_stomp(bytes) && (bytes.starts_with(b"CONNECT") || bytes.starts_with(b"STOMP"))
}

/// What the first message says of all that a layer in between carries.
pub(super) fn within(first: &[u8]) -> Spoken {
    if begins_like_stomp(first) { Stomp::spoken() } else { Spoken::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_says_what_comes() {
        let socket_io = Road::EngineIo { socket_io: true };
        assert_eq!(Road::of("GET", "/socket.io/?EIO=4&transport=polling&t=x"), socket_io);
        assert_eq!(Road::of("GET", "/chat/?EIO=4&transport=websocket&sid=a"), socket_io);
        assert_eq!(
            Road::of("GET", "/engine.io/?EIO=4&transport=polling"),
            Road::EngineIo { socket_io: false }
        );
        assert_eq!(Road::of("GET", "/socket.io/?EIO=3&transport=polling"), Road::Plain);
        let endpoint = |method, target| match Road::of(method, target) {
            Road::SockJs(endpoint) => endpoint.name,
            _ => "",
        };
        assert_eq!(endpoint("POST", "/echo/000/abcdefgh/xhr_streaming"), "xhr_streaming");
        assert_eq!(endpoint("POST", "/a/b/echo/123/abc/xhr?x=y"), "xhr");
        assert_eq!(endpoint("GET", "/000/abc/eventsource"), "eventsource");
        assert_eq!(endpoint("GET", "/api/v1/eventsource"), "", "nobody's own");
        assert_eq!(endpoint("GET", "/echo/000/abc/xhr_send"), "", "it is a POST");
        assert_eq!(endpoint("GET", "/"), "");
    }

    #[test]
    fn first_messages_say_it_where_nothing_else_does() {
        let first = Hint::default();
        let event = br#"42["msg","hello"]"#;
        assert_eq!(first.after(Host::Client, true, event), Some(Hint::EngineIo { socket_io: true }));
        assert_eq!(first.after(Host::Server, true, br#"a["x"]"#), Some(Hint::SockJs));
        let next = first.after(Host::Client, true, b"hello").unwrap();
        assert_eq!(next, Hint::First { left: LOOKED_AT - 1, handshake: false });
        let known = Hint::First { left: 8, handshake: true };
        assert_eq!(known.after(Host::Client, true, event), Some(Hint::None), "its target would say it");
        assert_eq!(
            known.after(Host::Client, true, b"MESSAGE\nhello"),
            Some(Hint::None),
            "a word like any other"
        );
        assert_eq!(known.after(Host::Client, true, b"CONNECT\nhost:a\n"), Some(Hint::Stomp));
        assert_eq!(Hint::MaybeSockJs.after(Host::Server, true, b"o"), Some(Hint::SockJs));
        assert_eq!(Hint::MaybeSockJs.after(Host::Server, true, b"other"), Some(Hint::None));
    }
}

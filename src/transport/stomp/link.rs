//! How do octets of STOMP get across? As TCP's stream, or as messages of a WebSocket.
//!
//! No specification says that a message of the WebSocket is a frame of STOMP. Here each frame is sent as one, and what comes is
//! taken for a stream: RabbitMQ puts an end of line behind its frames into the same message, and a heart-beat is a message of its own.

use std::{sync::Arc, time::Instant};

use super::{STOMP, subprotocols};
use crate::{
    transport::{
        api::ClientConfig,
        connection::{Connection, Fault, ReadHalf, ReadOutcome},
        events::Happened,
        http::{Allowed, Serving},
        message::Message,
        room::Room,
        websocket::connection::{self, FrameSender, WebSocket},
    },
    websocket::answer::Policy,
    wire::http::is_token,
};

/// The hearing half.
#[derive(Debug)]
pub(super) enum Link {
    Tcp(ReadHalf),
    WebSocket(Box<WebSocket>),
}

/// The speaking half, for any thread.
#[derive(Debug, Clone)]
pub(super) enum Speaker {
    Tcp(Arc<Connection>),
    WebSocket(FrameSender),
}

/// What comes.
#[derive(Debug)]
pub(super) enum Came {
    Octets(Vec<u8>),
    /// Nothing in time.
    Late,
    /// Nothing more, in words.
    End(String),
}

impl Link {
    /// Connects, and upgrades where the scheme says so.
    pub(super) fn call(calling: &ClientConfig) -> Result<Link, Fault> {
        let connection = calling.connect()?;
        if calling.scheme != "ws" {
            return Ok(Link::Tcp(connection.read_half()));
        }
        // A frame is at most so much longer than the message in it.
        let most = calling.message.saturating_add(1 << 20);
        let (authority, path) = (&calling.authority, &calling.path);
        let websocket =
            WebSocket::ask(&connection, authority, path, None, &subprotocols(), most, calling.within)?;
        Ok(Link::WebSocket(Box::new(websocket)))
    }

    /// Serves both on one port: the first word tells them apart. No method of HTTP is a command of STOMP but CONNECT, and that
    /// is followed by a space there and by the end of the line here.
    pub(super) fn accept(
        connection: &Arc<Connection>,
        room: &Room,
        until: Instant,
    ) -> Result<Option<Link>, Fault> {
        let mut incoming = connection.read_half();
        while !begins_like_a_request(incoming.unread()) {
            if !could_be_a_request(incoming.unread()) {
                connection.tell(STOMP, Happened::Note("the bytes are no HTTP: STOMP over TCP".to_owned()));
                return Ok(Some(Link::Tcp(incoming)));
            }
            match incoming.read_more(Some(until))? {
                ReadOutcome::Bytes => {}
                ReadOutcome::End => return Ok(None),
                ReadOutcome::TimedOut => {
                    return Err(Fault::Late("it said nothing, neither STOMP nor HTTP".to_owned()));
                }
            }
        }
        let mut serving = Serving::of(incoming, &room.terms);
        let Some(request) = serving.next()? else { return Ok(None) };
        let allowed_origins = Allowed::here(connection, &room.terms).list().map(<[String]>::to_vec);
        let subprotocols = subprotocols().map(str::to_owned).to_vec();
        let policy = Policy { allowed_origins, subprotocols, ..Policy::default() };
        let most = room.terms.message.saturating_add(1 << 20);
        WebSocket::accept(serving, &request, &policy, most)
            .map(|websocket| Some(Link::WebSocket(Box::new(websocket))))
    }

    pub(super) fn connection(&self) -> &Arc<Connection> {
        match self {
            Link::Tcp(incoming) => incoming.connection(),
            Link::WebSocket(websocket) => websocket.connection(),
        }
    }

    pub(super) fn speaker(&self) -> Speaker {
        match self {
            Link::Tcp(incoming) => Speaker::Tcp(Arc::clone(incoming.connection())),
            Link::WebSocket(websocket) => Speaker::WebSocket(websocket.sender()),
        }
    }

    /// The next octets, at most until then.
    pub(super) fn hear(&mut self, until: Instant) -> Result<Came, Fault> {
        match self {
            Link::Tcp(incoming) => {
                if incoming.unread().is_empty() {
                    match incoming.read_more(Some(until))? {
                        ReadOutcome::Bytes => {}
                        ReadOutcome::TimedOut => return Ok(Came::Late),
                        ReadOutcome::End => return Ok(Came::End("a FIN came".to_owned())),
                    }
                }
                Ok(Came::Octets(incoming.take_all()))
            }
            Link::WebSocket(websocket) => loop {
                match websocket.hear(until)? {
                    connection::Came::Message(message) => return Ok(Came::Octets(message.bytes().to_vec())),
                    connection::Came::Ping(_) | connection::Came::Pong(_) => {}
                    connection::Came::Late => return Ok(Came::Late),
                    connection::Came::Close(1006, _) => {
                        return Ok(Came::End("the stream ended without a Close".to_owned()));
                    }
                    connection::Came::Close(code, reason) => {
                        let reason = crate::wire::text::shown(reason.as_bytes(), 80);
                        return Ok(Came::End(format!("Close {code} \"{reason}\" came")));
                    }
                }
            },
        }
    }

    /// All was said, and STOMP is over: what is below it ends, as it is used to.
    pub(super) fn finish(&mut self, code: u16, reason: &str) {
        match self {
            Link::Tcp(incoming) => incoming.linger(),
            Link::WebSocket(websocket) => {
                // If it can't be said any more, there is nobody who would miss it.
                let _ = websocket.goodbye(code, reason);
            }
        }
    }
}

impl Speaker {
    /// Sends octets: over a WebSocket as one message, of text if they are.
    pub(super) fn send(&self, octets: Vec<u8>) -> Result<(), Fault> {
        match self {
            Speaker::Tcp(connection) => connection.send(&octets),
            Speaker::WebSocket(sender) => sender.say(&Message::of(octets)),
        }
    }
}

/// `GET `: a token and a space.
fn begins_like_a_request(bytes: &[u8]) -> bool {
    bytes.iter().position(|byte| *byte == b' ').is_some_and(|space| is_token(&bytes[..space]))
}

/// What may still become that.
fn could_be_a_request(bytes: &[u8]) -> bool {
    bytes.is_empty() || (bytes.len() < 32 && is_token(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_tells_stomp_from_http() {
        for request in [&b"GET / HTTP/1.1\r\n"[..], b"CONNECT a:80 HTTP/1.1\r\n"] {
            assert!(begins_like_a_request(request));
            assert!((0..3).all(|length| could_be_a_request(&request[..length])));
        }
        for stomp in [&b"CONNECT\n"[..], b"STOMP\r\n", b"\nCONNECT\n", b"\x16\x03\x01"] {
            assert!(!begins_like_a_request(stomp) && !could_be_a_request(stomp));
        }
    }
}

//! The link that carries the octets of STOMP: a TCP stream, or messages of a WebSocket.
//!
//! No specification says that a WebSocket message is one STOMP frame. This code sends each frame as one
//! message, and reads the messages as a stream: RabbitMQ adds an end of line after its frame in the same
//! message, and a heartbeat is a message of its own.

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

/// The receiving half.
#[derive(Debug)]
pub(super) enum Link {
    Tcp(ReadHalf),
    WebSocket(Box<WebSocket>),
}

/// The sending half, for any thread.
#[derive(Debug, Clone)]
pub(super) enum Speaker {
    Tcp(Arc<Connection>),
    WebSocket(FrameSender),
}

/// A received unit.
#[derive(Debug)]
pub(super) enum Came {
    Octets(Vec<u8>),
    /// Nothing arrived in time.
    Late,
    /// The link has ended; the reason in words.
    End(String),
}

impl Link {
    /// Connects, and upgrades if the scheme requires it.
    pub(super) fn call(calling: &ClientConfig) -> Result<Link, Fault> {
        let connection = calling.connect()?;
        if calling.scheme != "ws" {
            return Ok(Link::Tcp(connection.read_half()));
        }
        // A frame exceeds its message by at most this much.
        let most = calling.message.saturating_add(1 << 20);
        let (authority, path) = (&calling.authority, &calling.path);
        let websocket =
            WebSocket::ask(&connection, authority, path, None, &subprotocols(), most, calling.within)?;
        Ok(Link::WebSocket(Box::new(websocket)))
    }

    /// Accepts both on one port, distinguished by the first word. CONNECT is the only HTTP method that is
    /// also a STOMP command. A space follows it in HTTP, and an end of line in STOMP.
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

    /// Waits up to `until` for the next octets.
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

    /// Closes the layer below after the end of STOMP.
    pub(super) fn finish(&mut self, code: u16, reason: &str) {
        match self {
            Link::Tcp(incoming) => incoming.linger(),
            Link::WebSocket(websocket) => {
                // If the Close can't be sent, no peer is waiting for it.
                let _ = websocket.goodbye(code, reason);
            }
        }
    }
}

impl Speaker {
    /// Sends octets. Over a WebSocket they form one message, of text if they are UTF-8.
    pub(super) fn send(&self, octets: Vec<u8>) -> Result<(), Fault> {
        match self {
            Speaker::Tcp(connection) => connection.send(&octets),
            Speaker::WebSocket(sender) => sender.say(&Message::of(octets)),
        }
    }
}

/// Returns whether the bytes begin with a token and a space, as `GET ` does.
fn begins_like_a_request(bytes: &[u8]) -> bool {
    bytes.iter().position(|byte| *byte == b' ').is_some_and(|space| is_token(&bytes[..space]))
}

/// Returns whether the bytes may still become the beginning of a request.
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

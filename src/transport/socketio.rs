//! Socket.IO: named events with acknowledgements. The protocol has two layers, over HTTP polling or a
//! WebSocket.
//!
//! Engine.IO (`wire::engine_io`) opens a session, polls, upgrades to a WebSocket and checks that the peer is
//! alive. Socket.IO (`wire::socket_io`) adds namespaces, events, acknowledgements and binary data.
//! `client/session.rs` and `server/talk.rs` handle packets without I/O; the other files carry packets.

mod client;
mod script;
mod server;

use serde_json::Value;

use super::{
    api::{Ends, Transport},
    connection::Fault,
    events::{Happened, Way},
    message,
};
use crate::wire::{
    engine_io::{self, Kind},
    socket_io::{self, Packet, placeholder, placeholder_number},
};

/// The transport with both ends.
pub(super) const TRANSPORT: Transport = Transport {
    name: "socketio",
    scripted: Some(script::SCRIPTED),
    ends: Some(Ends {
        what: "events with names and answers, by HTTP polling or in a WebSocket (Socket.IO 5 on Engine.IO 4)",
        schemes: &["http", "ws"],
        path: PATH,
        pushes: true,
        acknowledges: true,
        options: &[
            ("transport", "upgrade: polling, then a WebSocket (the usual); or polling, or websocket, alone"),
            ("namespace", "of a client: join this one and not /"),
            ("auth", "of a client: the JSON object that goes with CONNECT"),
            ("event", "the name of the events that are sent; message is the usual one"),
            ("namespaces", "of a server: those that there are besides /, with commas between them"),
            ("token", "of a server: let in only whose CONNECT has {\"token\":…} with this"),
            ("timeout", "of a server: how many milliseconds a pong may take; 20000 is the usual"),
        ],
        client: Ok(client::connect),
        server: Ok(server::new),
    }),
};

/// The default path of all requests.
const PATH: &str = "/socket.io/";

/// The default name of events, as the library's `send` uses it.
const EVENT: &str = "message";

/// The names of the layers in events.
const ENGINE_IO: &str = "Engine.IO";
const SOCKET_IO: &str = "Socket.IO";

/// The transports that carry the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transports {
    /// Polling first, then a WebSocket if the upgrade succeeds.
    Upgrade,
    /// Polling only.
    Polling,
    /// A WebSocket from the beginning.
    WebSocket,
}

impl Transports {
    fn named(name: &str) -> Result<Self, Fault> {
        match name {
            "upgrade" => Ok(Transports::Upgrade),
            "polling" => Ok(Transports::Polling),
            "websocket" => Ok(Transports::WebSocket),
            other => Err(Fault::Asked(format!(
                "transport is upgrade, polling or websocket, not \"{}\"",
                crate::wire::text::shown(other.as_bytes(), 40)
            ))),
        }
    }
}

/// Returns the layer and the event for a packet.
fn crossed(way: Way, packet: &engine_io::Packet) -> (&'static str, Happened) {
    match packet {
        engine_io::Packet::Binary(data) => (ENGINE_IO, Happened::unit(way, "binary message", data)),
        engine_io::Packet::Text(Kind::Ping, data) if data.is_empty() => {
            (ENGINE_IO, Happened::beat(way, "ping"))
        }
        engine_io::Packet::Text(Kind::Pong, data) if data.is_empty() => {
            (ENGINE_IO, Happened::beat(way, "pong"))
        }
        engine_io::Packet::Text(Kind::Message, data) => {
            let entry = data.bytes().next().and_then(socket_io::packet_type);
            let symbol = entry.map_or("no packet", |entry| entry.symbol);
            (SOCKET_IO, Happened::unit(way, symbol, data.as_bytes()))
        }
        engine_io::Packet::Text(kind, _) => {
            let symbol = engine_io::packet_type(kind.digit()).map_or("", |entry| entry.symbol);
            (ENGINE_IO, Happened::unit(way, symbol, &packet.encode().1))
        }
    }
}

/// Returns a message as an event.
fn event(namespace: &str, id: Option<u64>, name: &str, message: &message::Message) -> socket_io::Message {
    match message {
        message::Message::Text(text) => {
            Packet::event(namespace, id, name, vec![Value::from(text.as_str())]).into()
        }
        message::Message::Binary(bytes) => {
            let packet = Packet::event(namespace, id, name, vec![placeholder(0)]).with_attachments(1);
            socket_io::Message { packet, attachments: vec![bytes.clone()] }
        }
    }
}

/// Returns the message of an event: a single text or binary argument as it is, anything else as JSON.
fn said(message: &socket_io::Message) -> message::Message {
    match message.packet.arguments() {
        [Value::String(text)] => message::Message::Text(text.clone()),
        [one] => match placeholder_number(one).filter(|_| message.packet.kind.is_binary()) {
            Some(number) => {
                let number = usize::try_from(number).unwrap_or(usize::MAX);
                message::Message::Binary(message.attachments.get(number).cloned().unwrap_or_default())
            }
            None => message::Message::Text(one.to_string()),
        },
        more => message::Message::Text(Value::from(more).to_string()),
    }
}

/// Returns the fault for an unexpected packet.
fn out_of_place(packet: &engine_io::Packet, needed: &'static str, section: &'static str) -> Fault {
    Fault::broken("packet", needed, &packet.encode().1, section)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_said_goes_into_an_event_and_comes_out() {
        for message in [message::Message::Text("hello".into()), message::Message::Binary(vec![0, 0xff])] {
            let event = event("/", None, EVENT, &message);
            assert_eq!(event.packet.event_name(), Some("message"));
            assert_eq!(said(&event), message);
        }
        let other = Packet::event("/", None, "a", vec![json!(1), json!({"b": null})]);
        assert_eq!(said(&other.into()), message::Message::Text("[1,{\"b\":null}]".into()));
    }

    #[test]
    fn packets_wait_as_they_are_and_are_encoded_when_they_go_out() {
        use std::time::Instant;

        use crate::transport::outbox::{Next, Outbox};
        // Encoded as a payload and parsed again, the first of these would be two packets, and none of them
        // would come out.
        let packets = vec![
            engine_io::Packet::Text(Kind::Message, "a\u{1e}b".to_owned()),
            engine_io::Packet::Binary(vec![0, 0x1e]),
        ];
        let outbox = Outbox::new(1);
        assert!(outbox.put(packets.clone()));
        assert_eq!(outbox.next(Instant::now()), Next::Own(packets));
    }
}

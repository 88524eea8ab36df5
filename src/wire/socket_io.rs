//! Socket.IO packets, protocol 5, parsed and encoded: named events over [`super::engine_io`].
//!
//! ```text
//! <packet type>[<number of attachments>-][<namespace>,][<acknowledgment id>][payload, as JSON]
//! 2["msg","hello"]                                  an event
//! 2/chat,7["msg","hello"]                           in the namespace /chat, with a request for an acknowledgment
//! 51-["msg",{"_placeholder":true,"num":0}]          with bytes, which follow as a binary message
//! ```
//!
//! Each packet is the data of an Engine.IO message, so a `4` precedes it on the wire. The namespace `/` is
//! omitted. Sections are those of the document "Socket.IO Protocol", version 5, which does not number them.
//! Rules that only the reference implementation has are marked.

use serde_json::{Value, json};

use super::Malformed;

mod assemble;
mod fields;
mod layout;
mod over_engine_io;
mod tables;

pub use assemble::{Assembler, Message};
pub use fields::fields;
pub(crate) use over_engine_io::binary_fields;
pub use over_engine_io::{body_fields, packet_fields};
pub(crate) use tables::PACKET_TYPES;
pub use tables::packet_type;

use layout::Layout;

/// The main namespace, which is omitted on the wire.
pub(crate) const MAIN: &str = "/";

/// Event names reserved for the library. socket.io-parser rejects packets that use them.
pub(crate) const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

const ENCODING: &str = "Socket.IO 5, Packet encoding";
const DATA: &str = "Socket.IO 5, Sending and receiving data";
const ACKNOWLEDGEMENT: &str = "Socket.IO 5, Acknowledgement";
const REFERENCE: &str = "socket.io-parser, isPayloadValid";

/// The type of a packet (§Exchange protocol).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `0`: asks to join a namespace, or confirms it.
    Connect,
    /// `1`: leaves a namespace.
    Disconnect,
    /// `2`: an event with its arguments.
    Event,
    /// `3`: acknowledges an event.
    Ack,
    /// `4`: refuses a namespace.
    ConnectError,
    /// `5`: an event with binary attachments.
    BinaryEvent,
    /// `6`: an acknowledgment with binary attachments.
    BinaryAck,
}

impl Kind {
    /// All kinds, by number.
    pub const ALL: [Kind; 7] = [
        Kind::Connect,
        Kind::Disconnect,
        Kind::Event,
        Kind::Ack,
        Kind::ConnectError,
        Kind::BinaryEvent,
        Kind::BinaryAck,
    ];

    /// Its character on the wire: `b'0'` to `b'6'`.
    pub fn digit(self) -> u8 {
        match self {
            Kind::Connect => b'0',
            Kind::Disconnect => b'1',
            Kind::Event => b'2',
            Kind::Ack => b'3',
            Kind::ConnectError => b'4',
            Kind::BinaryEvent => b'5',
            Kind::BinaryAck => b'6',
        }
    }

    /// Returns the kind with this character.
    pub(crate) fn of_digit(digit: u8) -> Option<Self> {
        Kind::ALL.into_iter().find(|kind| kind.digit() == digit)
    }

    /// True if binary messages follow the packet.
    pub fn is_binary(self) -> bool {
        matches!(self, Kind::BinaryEvent | Kind::BinaryAck)
    }
}

/// A packet, without its attachments.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// What it is for.
    pub kind: Kind,
    /// Number of binary messages that follow: at least 1 for a binary kind, else 0.
    pub attachments: u32,
    /// The namespace: `/`, or `/chat`.
    pub namespace: String,
    /// In an event it asks for an acknowledgment; in an acknowledgment it names the event.
    pub id: Option<u64>,
    /// An array for events and answers, an object for a connection; `_placeholder` objects stand for
    /// attachments.
    pub payload: Option<Value>,
}

impl Packet {
    /// Returns a CONNECT packet, the same for the request and the confirmation.
    pub fn connect(namespace: &str, data: Option<Value>) -> Self {
        Packet::new(Kind::Connect, namespace, None, data)
    }

    /// Returns a CONNECT_ERROR packet.
    pub(crate) fn connect_error(namespace: &str, message: &str) -> Self {
        Packet::new(Kind::ConnectError, namespace, None, Some(json!({ "message": message })))
    }

    /// Returns a DISCONNECT packet.
    pub fn disconnect(namespace: &str) -> Self {
        Packet::new(Kind::Disconnect, namespace, None, None)
    }

    /// Returns an event. With an id it asks for an acknowledgment.
    pub fn event(namespace: &str, id: Option<u64>, name: &str, arguments: Vec<Value>) -> Self {
        let items = std::iter::once(Value::from(name)).chain(arguments).collect();
        Packet::new(Kind::Event, namespace, id, Some(Value::Array(items)))
    }

    /// Returns the acknowledgment of the event with this id.
    pub fn ack(namespace: &str, id: u64, arguments: Vec<Value>) -> Self {
        Packet::new(Kind::Ack, namespace, Some(id), Some(Value::Array(arguments)))
    }

    /// Returns the same packet with `attachments` binary messages. Its payload needs a [`placeholder`] for
    /// each.
    pub(crate) fn with_attachments(mut self, attachments: u32) -> Self {
        self.attachments = attachments;
        self.kind = match (self.kind, attachments) {
            (Kind::Event | Kind::BinaryEvent, 0) => Kind::Event,
            (Kind::Event | Kind::BinaryEvent, _) => Kind::BinaryEvent,
            (Kind::Ack | Kind::BinaryAck, 0) => Kind::Ack,
            (Kind::Ack | Kind::BinaryAck, _) => Kind::BinaryAck,
            (kind, _) => kind,
        };
        self
    }

    fn new(kind: Kind, namespace: &str, id: Option<u64>, payload: Option<Value>) -> Self {
        Packet { kind, attachments: 0, namespace: namespace.into(), id, payload }
    }

    /// Returns the name of an event.
    pub(crate) fn event_name(&self) -> Option<&str> {
        self.is_event().then(|| self.items().first()).flatten().and_then(Value::as_str)
    }

    /// Returns the arguments of an event or an acknowledgment.
    pub fn arguments(&self) -> &[Value] {
        let items = self.items();
        if self.is_event() { items.get(1..).unwrap_or_default() } else { items }
    }

    fn is_event(&self) -> bool {
        matches!(self.kind, Kind::Event | Kind::BinaryEvent)
    }

    fn items(&self) -> &[Value] {
        self.payload.as_ref().and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Parses the data of an Engine.IO message, without its `4`.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the form is wrong, or the payload does not fit the type.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if let Err(error) = std::str::from_utf8(bytes) {
            let at = error.valid_up_to();
            return Err(Malformed::at("packet", at, "UTF-8", &bytes[at..], ENCODING));
        }
        let layout = Layout::of(bytes);
        let kind = bytes
            .first()
            .copied()
            .and_then(Kind::of_digit)
            .ok_or_else(|| Malformed::at("packet type", 0, "a digit from 0 to 6", bytes, ENCODING))?;
        let attachments = if kind.is_binary() { layout.number_of_attachments(bytes)? } else { 0 };
        let namespace = layout.namespace(bytes)?;
        let id = layout.acknowledgment_id(bytes)?;
        if id.is_none() && matches!(kind, Kind::Ack | Kind::BinaryAck) {
            let (at, needed) = (layout.id.start, "the id of the event that it answers");
            return Err(Malformed::at("acknowledgment id", at, needed, &bytes[at..], ACKNOWLEDGEMENT));
        }
        let payload = layout.payload(bytes)?;
        let packet = Packet { kind, attachments, namespace, id, payload };
        packet.judge().map_err(|(field, needed, section)| {
            let at = layout.payload.start;
            Malformed::at(field, at, needed, &bytes[at..], section)
        })?;
        Ok(packet)
    }

    /// Returns the packet as the data of an Engine.IO message. Its attachments follow as binary messages, in
    /// order.
    pub fn encode(&self) -> String {
        let mut out = char::from(self.kind.digit()).to_string();
        if self.kind.is_binary() {
            out.push_str(&format!("{}-", self.attachments));
        }
        if self.namespace != MAIN {
            out.push_str(&self.namespace);
            out.push(',');
        }
        if let Some(id) = self.id {
            out.push_str(&id.to_string());
        }
        if let Some(payload) = &self.payload {
            out.push_str(&payload.to_string());
        }
        out
    }

    /// Checks that the payload fits the type. The error has the field, what is needed, and the section.
    fn judge(&self) -> Result<(), (&'static str, &'static str, &'static str)> {
        let payload = self.payload.as_ref();
        match self.kind {
            Kind::Connect if !payload.is_none_or(Value::is_object) => {
                Err(("payload", "a JSON object, or nothing", "Socket.IO 5, Connection to a namespace"))
            }
            Kind::ConnectError if !payload.is_none_or(Value::is_object) => {
                Err(("payload", "a JSON object", "Socket.IO 5, Difference between v5 and v4"))
            }
            Kind::Disconnect if payload.is_some() => {
                Err(("payload", "nothing", "Socket.IO 5, Disconnection from a namespace"))
            }
            Kind::Ack | Kind::BinaryAck if !payload.is_some_and(Value::is_array) => {
                Err(("payload", "an array", ACKNOWLEDGEMENT))
            }
            Kind::Event | Kind::BinaryEvent => match self.items().first() {
                None => Err(("payload", "an array that is not empty", DATA)),
                Some(Value::String(name)) if RESERVED_EVENTS.contains(&name.as_str()) => {
                    Err(("event name", "a name that is not reserved", REFERENCE))
                }
                Some(Value::String(_) | Value::Number(_)) => self.judge_placeholders(),
                Some(_) => Err(("event name", "a string, or a number", REFERENCE)),
            },
            Kind::BinaryAck => self.judge_placeholders(),
            _ => Ok(()),
        }
    }

    fn judge_placeholders(&self) -> Result<(), (&'static str, &'static str, &'static str)> {
        if !self.kind.is_binary() {
            return Ok(());
        }
        let mut all = true;
        each_placeholder(self.items(), &mut |index| {
            all &= index.is_some_and(|index| index < self.attachments)
        });
        if all { Ok(()) } else { Err(("placeholder", "the number of an attachment, from 0", ENCODING)) }
    }
}

/// Returns the placeholder of the attachment with this number, counted from 0.
pub fn placeholder(number: u32) -> Value {
    json!({ "_placeholder": true, "num": number })
}

/// Returns the attachment number of a placeholder. `None` if the value is no placeholder or has no number.
pub fn placeholder_number(value: &Value) -> Option<u32> {
    is_placeholder(value).then(|| value.get("num")).flatten()?.as_u64()?.try_into().ok()
}

fn is_placeholder(value: &Value) -> bool {
    value.get("_placeholder") == Some(&Value::Bool(true))
}

/// Calls `found` with the number of each placeholder at any depth, `None` for one without a number.
fn each_placeholder(values: &[Value], found: &mut impl FnMut(Option<u32>)) {
    for value in values {
        match value {
            value if is_placeholder(value) => found(placeholder_number(value)),
            Value::Array(items) => each_placeholder(items, found),
            Value::Object(object) => {
                for member in object.values() {
                    each_placeholder(std::slice::from_ref(member), found);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;

//! The server's handling of each packet of a client, without I/O: packets go in, steps come out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    transport::{connection::Fault, socketio::out_of_place},
    wire::{
        engine_io::{Kind, Packet},
        socket_io::{self, Assembler, MAIN, Message},
        text,
    },
};

/// The namespaces that a client may join, and the token that it needs.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    /// The namespaces besides `/`.
    pub namespaces: Vec<String>,
    /// The token that the payload of a CONNECT must contain.
    pub token: Option<String>,
}

/// A step that follows from a packet.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// Send this packet.
    Answer(Message),
    /// The client has joined this namespace.
    Joined(String),
    /// The client was refused, for this reason.
    Refused(String),
    /// The client left this namespace.
    Left(String),
    /// The client sent a message.
    Said(Message),
    /// The client is alive.
    Alive,
    /// The client ends the session.
    Ends,
}

/// The state of one client.
#[derive(Debug, Default)]
pub(super) struct Talk {
    rules: Rules,
    /// The joined namespaces, with the client's ID in each.
    joined: BTreeMap<String, String>,
    /// Whether the client has ever joined a namespace.
    has_joined: bool,
    assembler: Assembler,
}

impl Talk {
    /// Returns the state of a new client.
    pub(super) fn new(rules: Rules) -> Self {
        Talk { rules, ..Talk::default() }
    }

    /// Returns the joined namespaces.
    pub(super) fn joined(&self) -> impl Iterator<Item = &str> {
        self.joined.keys().map(String::as_str)
    }

    /// Returns whether the client has ever joined a namespace.
    pub(super) fn has_joined(&self) -> bool {
        self.has_joined
    }

    /// Handles a packet. `sid` makes IDs.
    ///
    /// # Errors
    /// Fails if the client breaks a rule. The session must end then.
    pub(super) fn take(&mut self, packet: Packet, sid: impl FnOnce() -> String) -> Result<Vec<Step>, Fault> {
        let whole = match packet {
            Packet::Text(Kind::Pong, _) => return Ok(vec![Step::Alive]),
            Packet::Text(Kind::Close, _) => return Ok(vec![Step::Ends]),
            Packet::Text(Kind::Message, data) => self.assembler.text(data.as_bytes()),
            Packet::Binary(data) => self.assembler.binary(data),
            packet @ Packet::Text(Kind::Ping, _) => {
                return Err(out_of_place(&packet, "a pong: the server pings", "Engine.IO 4, Heartbeat"));
            }
            packet => {
                return Err(out_of_place(
                    &packet,
                    "message, pong or close, from a client",
                    "Engine.IO 4, Protocol",
                ));
            }
        };
        match whole? {
            Some(message) => self.hear(message, sid),
            None => Ok(Vec::new()),
        }
    }

    fn hear(&mut self, message: Message, sid: impl FnOnce() -> String) -> Result<Vec<Step>, Fault> {
        use socket_io::Kind as K;
        let packet = &message.packet;
        let namespace = packet.namespace.clone();
        if packet.kind == K::Connect {
            return Ok(self.connect(&namespace, packet.payload.as_ref(), sid));
        }
        if !self.joined.contains_key(&namespace) {
            let needed = format!("a CONNECT to {} first", text::shown(namespace.as_bytes(), 60));
            let section = "Socket.IO 5, Connection to a namespace";
            return Err(Fault::broken("packet", needed, packet.encode().as_bytes(), section));
        }
        match packet.kind {
            K::Disconnect => {
                self.joined.remove(&namespace);
                Ok(vec![Step::Left(namespace)])
            }
            K::Event | K::BinaryEvent => {
                let mut steps = Vec::new();
                if let Some(id) = packet.id {
                    let arguments = packet.arguments().to_vec();
                    let ack = socket_io::Packet::ack(&namespace, id, arguments);
                    let packet = ack.with_attachments(packet.attachments);
                    steps.push(Step::Answer(Message { packet, attachments: message.attachments.clone() }));
                }
                steps.push(Step::Said(message));
                Ok(steps)
            }
            // The server requests no acknowledgements, so these match no event.
            K::Ack | K::BinaryAck => Ok(Vec::new()),
            K::Connect | K::ConnectError => Err(Fault::broken(
                "packet type",
                "anything but CONNECT_ERROR, which is a server's",
                packet.encode().as_bytes(),
                "Socket.IO 5, Connection to a namespace",
            )),
        }
    }

    fn connect(&mut self, wanted: &str, payload: Option<&Value>, sid: impl FnOnce() -> String) -> Vec<Step> {
        // A query after the name is for the application only.
        let namespace = wanted.split('?').next().unwrap_or(wanted).to_owned();
        let refused = |why: &str| {
            vec![
                Step::Answer(socket_io::Packet::connect_error(&namespace, why).into()),
                Step::Refused(format!("{}: {why}", text::shown(namespace.as_bytes(), 60))),
            ]
        };
        if namespace != MAIN && !self.rules.namespaces.contains(&namespace) {
            return refused("Invalid namespace");
        }
        let given = payload.and_then(|payload| payload.get("token")).and_then(Value::as_str);
        if self.rules.token.as_deref().is_some_and(|token| given != Some(token)) {
            return refused("not authorized");
        }
        self.has_joined = true;
        let sid = self.joined.entry(namespace.clone()).or_insert_with(sid);
        let answer = socket_io::Packet::connect(&namespace, Some(json!({ "sid": sid })));
        vec![Step::Answer(answer.into()), Step::Joined(namespace)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(talk: &mut Talk, packet: &str) -> Result<Vec<Step>, Fault> {
        talk.take(Packet::parse(packet.as_bytes()).unwrap(), || "x".to_owned())
    }

    fn answer(step: &Step) -> String {
        match step {
            Step::Answer(message) => message.packet.encode(),
            other => panic!("{other:?}"),
        }
    }

    fn talk() -> Talk {
        let rules = Rules { namespaces: vec!["/chat".into()], token: None };
        let mut talk = Talk::new(rules);
        take(&mut talk, "40").unwrap();
        talk
    }

    #[test]
    fn a_client_joins_and_leaves() {
        let mut talk = talk();
        let steps = take(&mut talk, "40/chat,{}").unwrap();
        assert_eq!(answer(&steps[0]), r#"0/chat,{"sid":"x"}"#);
        assert_eq!(talk.joined().collect::<Vec<_>>(), ["/", "/chat"]);
        assert_eq!(take(&mut talk, "41").unwrap(), [Step::Left("/".into())]);
        assert!(take(&mut talk, r#"42["a"]"#).is_err());
        let steps = take(&mut talk, "40/nope,").unwrap();
        assert_eq!(answer(&steps[0]), r#"4/nope,{"message":"Invalid namespace"}"#);
    }

    #[test]
    fn who_has_not_the_token_is_not_let_in() {
        let mut talk = Talk::new(Rules { namespaces: vec![], token: Some("123".into()) });
        for wrong in ["40", "40{}", r#"40{"token":"12"}"#, r#"40{"token":123}"#] {
            let steps = take(&mut talk, wrong).unwrap();
            assert_eq!(answer(&steps[0]), r#"4{"message":"not authorized"}"#, "{wrong}");
        }
        assert!(!talk.has_joined());
        take(&mut talk, r#"40{"token":"123"}"#).unwrap();
        assert!(talk.has_joined());
    }

    #[test]
    fn an_event_with_an_id_is_acknowledged_with_its_arguments() {
        let mut talk = talk();
        let steps = take(&mut talk, r#"420["msg","hello"]"#).unwrap();
        assert_eq!(answer(&steps[0]), r#"30["hello"]"#);
        assert!(matches!(steps[1], Step::Said(_)));
        assert!(take(&mut talk, r#"451-1["msg",{"_placeholder":true,"num":0}]"#).unwrap().is_empty());
        let steps = talk.take(Packet::Binary(vec![7]), String::new).unwrap();
        assert_eq!(answer(&steps[0]), r#"61-1[{"_placeholder":true,"num":0}]"#);
    }

    /// The first packet, then what is wrong with it: each ends the session.
    #[test]
    fn what_breaks_a_rule_ends_the_session() {
        let cases = [
            ("2", "Engine.IO 4, Heartbeat"),
            ("2probe", "Engine.IO 4, Heartbeat"),
            ("0{}", "Engine.IO 4, Protocol"),
            ("5", "Engine.IO 4, Protocol"),
            ("6", "Engine.IO 4, Protocol"),
            ("4", "Socket.IO 5, Packet encoding"),
            ("49", "Socket.IO 5, Packet encoding"),
            ("42", "Socket.IO 5, Sending and receiving data"),
            ("42{}", "Socket.IO 5, Sending and receiving data"),
            ("42[]", "Socket.IO 5, Sending and receiving data"),
            ("42[\"a\"", "Socket.IO 5, Packet encoding"),
            ("43[]", "Socket.IO 5, Acknowledgement"),
            ("41{}", "Socket.IO 5, Disconnection from a namespace"),
            ("40[]", "Socket.IO 5, Connection to a namespace"),
            ("44{\"message\":\"no\"}", "Socket.IO 5, Connection to a namespace"),
            ("42/chat,[\"a\"]", "Socket.IO 5, Connection to a namespace"),
            ("451-[\"a\",{\"_placeholder\":true,\"num\":4}]", "Socket.IO 5, Packet encoding"),
            ("4599-[\"a\"]", "Socket.IO 5, Packet encoding"),
        ];
        for (packet, rule) in cases {
            match take(&mut talk(), packet) {
                Err(Fault::Broken(error)) => assert_eq!(error.section, rule, "{packet}"),
                other => panic!("{packet}: {other:?}"),
            }
        }
        assert!(talk().take(Packet::Binary(vec![1]), String::new).is_err());
        // Nothing but CONNECT comes first.
        assert!(take(&mut Talk::default(), r#"42["a"]"#).is_err());
    }
}

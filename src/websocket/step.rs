//! The steps of the WebSocket that a lesson takes on a socket: `ws request`, `ws answer` and so on.

use std::sync::Arc;

use super::{
    Sessions,
    answer::Policy,
    frames::{self, FrameOptions},
    handoff::{self, MessageKind},
    opening::{self, AnswerOptions, UpgradeRequest},
};
use crate::{
    call::{
        Arguments, CallDescription, Completed, Grammar, On, Returns, SocketEntry, arg, calls, describe_bytes,
    },
    event::{Arg, Host},
    wire::websocket::opcode,
};

calls! {
    /// A step of the WebSocket with its arguments, without the socket.
    Step, described for Site, performed at Site: {
        /// RFC 6455 §4.1
        Request,
        /// RFC 6455 §4.2
        Answer,
        /// RFC 6455 §4.1
        Verify,
        /// RFC 6455 §5.2
        SendFrame,
        /// RFC 6455 §5.2
        ReceiveFrame,
        /// tungstenite gets the connection.
        HandOff,
        /// A message with tungstenite.
        Send,
        /// A message with tungstenite.
        Receive,
        /// RFC 6455 §5.5.2
        Ping,
        /// RFC 6455 §5.5.1
        Close,
    }
}

/// Where a step is taken.
pub struct Site {
    /// The acting host.
    pub host: Host,
    /// The socket, or the one beneath the WebSocket.
    pub on: Arc<SocketEntry>,
    /// The name of the socket or WebSocket in the lesson.
    pub name: String,
    /// The name for what the step returns.
    pub result: String,
    /// The upgrades of the acting host.
    pub sessions: Arc<Sessions>,
}

/// `ws request c /chat origin http://example.com`
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What the client asks for.
    pub asked: UpgradeRequest,
}

impl Request {
    const GRAMMAR: Grammar =
        grammar("ws request", Returns::Number, "send the opening request: RFC 6455 §4.1");

    fn read<R: Arguments>(arguments: &mut R) -> Result<Request, R::Error> {
        let path = arguments.path()?;
        let authority = arguments.named("host")?;
        let origin = arguments.named("origin")?;
        let protocol = arguments.named("protocol")?;
        Ok(Request { asked: UpgradeRequest { path, authority, origin, protocol } })
    }

    fn describe(&self, _: &Site, _: Option<&str>) -> CallDescription {
        let UpgradeRequest { path, authority, origin, protocol } = &self.asked;
        let mut args = vec![arg("path", path)];
        args.extend(authority.as_ref().map(|host| arg("host", host)));
        args.extend(origin.as_ref().map(|origin| arg("origin", origin)));
        args.extend(protocol.as_ref().map(|protocol| arg("subprotocol", protocol)));
        CallDescription::of_steps("ws request", args, SEND_BUFFER)
    }

    fn perform(&self, at: &Site) -> Completed {
        opening::request(&at.sessions, &at.on, &self.asked)
    }
}

/// `ws answer conn allow http://example.com`
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The one origin that may connect; any if none is given.
    pub allow: Option<String>,
    /// The subprotocol that the server speaks.
    pub protocol: Option<String>,
}

impl Answer {
    const GRAMMAR: Grammar =
        grammar("ws answer", Returns::Number, "read a request, judge it, answer it: RFC 6455 §4.2");

    fn read<R: Arguments>(arguments: &mut R) -> Result<Answer, R::Error> {
        Ok(Answer { allow: arguments.named("allow")?, protocol: arguments.named("protocol")? })
    }

    fn describe(&self, _: &Site, _: Option<&str>) -> CallDescription {
        let mut args: Vec<Arg> = self.allow.iter().map(|origin| arg("allowed origin", origin)).collect();
        args.extend(self.protocol.iter().map(|protocol| arg("subprotocol", protocol)));
        CallDescription::of_steps("ws answer", args, "the rest of the request's head")
    }

    fn perform(&self, at: &Site) -> Completed {
        let policy = Policy {
            allowed_origins: self.allow.clone().map(|origin| vec![origin]),
            subprotocols: self.protocol.clone().into_iter().collect(),
            ..Policy::default()
        };
        opening::answer(&at.on, &AnswerOptions { policy, ..AnswerOptions::default() })
    }
}

/// `ws verify c`
#[derive(Debug, Clone, PartialEq)]
pub struct Verify;

impl Verify {
    const GRAMMAR: Grammar =
        grammar("ws verify", Returns::Number, "read the answer and judge it: RFC 6455 §4.1");

    fn read<R: Arguments>(_: &mut R) -> Result<Verify, R::Error> {
        Ok(Verify)
    }

    fn describe(&self, _: &Site, _: Option<&str>) -> CallDescription {
        CallDescription::of_steps("ws verify", Vec::new(), "the rest of the answer's head")
    }

    fn perform(&self, at: &Site) -> Completed {
        opening::verify(&at.sessions, &at.on)
    }
}

/// Opcodes of frames by name. 3 to 7 and B to F are reserved: RFC 6455 §5.2.
const OPCODES: [(&str, u8); 7] = [
    ("text", opcode::TEXT),
    ("binary", opcode::BINARY),
    ("continuation", opcode::CONTINUATION),
    ("ping", opcode::PING),
    ("pong", opcode::PONG),
    ("close", opcode::CLOSE),
    ("reserved", 0x3),
];

/// What makes a frame different from the ordinary one of its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifier {
    /// A masking key follows.
    Mask,
    /// Not masked.
    Unmasked,
    /// FIN is 0.
    More,
    /// RSV1 is 1.
    Rsv1,
}

impl Modifier {
    /// All modifiers by name.
    pub const ALL: [(&'static str, Modifier); 4] = [
        ("mask", Modifier::Mask),
        ("unmasked", Modifier::Unmasked),
        ("more", Modifier::More),
        ("rsv1", Modifier::Rsv1),
    ];
}

/// `ws frame c text "hi" mask 37fa213d`
#[derive(Debug, Clone, PartialEq)]
pub struct SendFrame {
    /// The opcode, four bits.
    pub opcode: u8,
    /// The payload, unmasked.
    pub payload: Vec<u8>,
    /// What makes the frame different from the ordinary one.
    pub odd: FrameOptions,
}

impl SendFrame {
    const GRAMMAR: Grammar = grammar("ws frame", Returns::Number, "send a frame made by hand: RFC 6455 §5.2");

    fn read<R: Arguments>(arguments: &mut R) -> Result<SendFrame, R::Error> {
        let opcode = arguments.one_of("kind of frame", &OPCODES)?;
        let payload = arguments.bytes()?;
        let mut odd = FrameOptions::default();
        while !arguments.at_end() {
            match arguments.one_of("frame modifier", &Modifier::ALL)? {
                Modifier::Mask => odd.key = Some(arguments.masking_key()?),
                Modifier::Unmasked => odd.unmasked = true,
                Modifier::More => odd.more = true,
                Modifier::Rsv1 => odd.rsv1 = true,
            }
        }
        Ok(SendFrame { opcode, payload, odd })
    }

    fn describe(&self, _: &Site, _: Option<&str>) -> CallDescription {
        let name =
            OPCODES.iter().find(|(_, opcode)| *opcode == self.opcode).map_or("reserved", |(name, _)| name);
        let args = vec![arg("opcode", name), arg("payload", describe_bytes(&self.payload))];
        CallDescription::of_steps("ws frame", args, SEND_BUFFER)
    }

    fn perform(&self, at: &Site) -> Completed {
        frames::send(at.host, &at.on, self.opcode, &self.payload, &self.odd)
    }
}

/// `ws unframe c`
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiveFrame;

impl ReceiveFrame {
    const GRAMMAR: Grammar =
        grammar("ws unframe", Returns::Bytes, "receive a frame and take it apart: RFC 6455 §5.2");

    fn read<R: Arguments>(_: &mut R) -> Result<ReceiveFrame, R::Error> {
        Ok(ReceiveFrame)
    }

    fn describe(&self, _: &Site, _: Option<&str>) -> CallDescription {
        CallDescription::of_steps("ws unframe", Vec::new(), "the rest of a frame")
    }

    fn perform(&self, at: &Site) -> Completed {
        frames::receive(at.host, &at.on)
    }
}

/// `w = ws handoff c`
#[derive(Debug, Clone, PartialEq)]
pub struct HandOff {
    /// Whether the bytes that were read past the blank line are thrown away.
    pub losing: bool,
}

impl HandOff {
    const GRAMMAR: Grammar = Grammar {
        may_block: false,
        ..grammar(
            "ws handoff",
            Returns::WebSocket,
            "hand the connection to tungstenite, with the bytes read too far (or, `losing`, without)",
        )
    };

    fn read<R: Arguments>(arguments: &mut R) -> Result<HandOff, R::Error> {
        if arguments.at_end() {
            return Ok(HandOff { losing: false });
        }
        Ok(HandOff { losing: arguments.one_of("modifier", &[("losing", true)])? })
    }

    fn describe(&self, at: &Site, _: Option<&str>) -> CallDescription {
        let kept = at.on.read_ahead().len();
        let kept = format!("{kept} {}", if self.losing { "(thrown away)" } else { "(handed over)" });
        let args = vec![arg("role", at.host.name()), arg("bytes read past the blank line", kept)];
        CallDescription::of_steps("ws handoff", args, "")
    }

    fn perform(&self, at: &Site) -> Completed {
        handoff::hand_off(&at.sessions, at.host, Arc::clone(&at.on), &at.result, self.losing)
    }
}

/// `ws send w text "hello"`
#[derive(Debug, Clone, PartialEq)]
pub struct Send {
    /// The kind of message.
    pub kind: MessageKind,
    /// What it carries.
    pub payload: Vec<u8>,
}

impl Send {
    const GRAMMAR: Grammar = on_websocket("ws send", Returns::Nothing, "send a message with tungstenite");

    fn read<R: Arguments>(arguments: &mut R) -> Result<Send, R::Error> {
        Ok(Send {
            kind: arguments.one_of("kind of message", &MessageKind::ALL)?,
            payload: arguments.bytes()?,
        })
    }

    fn describe(&self, _: &Site, _: Option<&str>) -> CallDescription {
        let args = vec![arg("kind", self.kind.name()), arg("payload", describe_bytes(&self.payload))];
        CallDescription::of_steps("ws send", args, SEND_BUFFER)
    }

    fn perform(&self, at: &Site) -> Completed {
        handoff::send(&at.sessions, &at.name, self.kind, &self.payload)
    }
}

/// `ws recv w`
#[derive(Debug, Clone, PartialEq)]
pub struct Receive;

impl Receive {
    const GRAMMAR: Grammar = on_websocket("ws recv", Returns::Bytes, "receive a message with tungstenite");

    fn read<R: Arguments>(_: &mut R) -> Result<Receive, R::Error> {
        Ok(Receive)
    }

    fn describe(&self, _: &Site, _: Option<&str>) -> CallDescription {
        CallDescription::of_steps("ws recv", Vec::new(), "the rest of a message")
    }

    fn perform(&self, at: &Site) -> Completed {
        handoff::receive(&at.sessions, &at.name)
    }
}

/// `ws ping w "are you there?"`
#[derive(Debug, Clone, PartialEq)]
pub struct Ping {
    /// What the Ping carries.
    pub payload: Vec<u8>,
}

impl Ping {
    const GRAMMAR: Grammar = on_websocket("ws ping", Returns::Nothing, "send a Ping: RFC 6455 §5.5.2");

    fn read<R: Arguments>(arguments: &mut R) -> Result<Ping, R::Error> {
        let payload = if arguments.at_end() { Vec::new() } else { arguments.bytes()? };
        Ok(Ping { payload })
    }

    fn describe(&self, _: &Site, _: Option<&str>) -> CallDescription {
        CallDescription::of_steps("ws ping", vec![arg("payload", describe_bytes(&self.payload))], SEND_BUFFER)
    }

    fn perform(&self, at: &Site) -> Completed {
        handoff::send(&at.sessions, &at.name, MessageKind::Ping, &self.payload)
    }
}

/// `ws close w 1000 "bye"`
#[derive(Debug, Clone, PartialEq)]
pub struct Close {
    /// The Close code; without one the frame is empty.
    pub code: Option<u16>,
    /// The reason, UTF-8.
    pub reason: String,
}

impl Close {
    const GRAMMAR: Grammar = on_websocket("ws close", Returns::Nothing, "send a Close: RFC 6455 §5.5.1");

    fn read<R: Arguments>(arguments: &mut R) -> Result<Close, R::Error> {
        let code = arguments.at_word().then(|| arguments.number("code")).transpose()?;
        let reason = if arguments.at_end() { Vec::new() } else { arguments.bytes()? };
        Ok(Close { code, reason: String::from_utf8_lossy(&reason).into_owned() })
    }

    fn describe(&self, _: &Site, _: Option<&str>) -> CallDescription {
        let mut args: Vec<Arg> = self.code.iter().map(|code| arg("code", code)).collect();
        if !self.reason.is_empty() {
            args.push(arg("reason", &self.reason));
        }
        CallDescription::of_steps("ws close", args, SEND_BUFFER)
    }

    fn perform(&self, at: &Site) -> Completed {
        handoff::close(&at.sessions, &at.name, self.code, &self.reason)
    }
}

/// What a call that sends waits for.
const SEND_BUFFER: &str = "room in the send buffer";

/// A step on a socket that may block.
const fn grammar(name: &'static str, returns: Returns, about: &'static str) -> Grammar {
    Grammar { name, on: On::Socket, returns, may_block: true, about }
}

/// A step on a WebSocket that may block.
const fn on_websocket(name: &'static str, returns: Returns, about: &'static str) -> Grammar {
    Grammar { on: On::WebSocket, ..grammar(name, returns, about) }
}

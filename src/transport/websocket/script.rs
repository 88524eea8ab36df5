//! WebSocket: messages in frames, on a TCP connection that was HTTP for one request.

use crate::{
    event::Host,
    lesson,
    transport::{
        api::Scripted,
        script::{BUFFERED, Cannot, Script, Sending, Times, connected, sockets},
    },
    wire::{
        LayerBytes,
        websocket::{self, Header},
    },
};
use std::time::Duration;

pub(crate) const SCRIPTED: Scripted = Scripted {
    title: "WebSocket",
    about: "messages both ways on one TCP connection, after one request of HTTP",
    why: "A page can't open a socket of its own, and on HTTP a server only answers. Here it asks once by HTTP; then both sides speak when they like.",
    over: &["IP", "TCP", "WebSocket"],
    lesson: "websocket",
    sources: &["RFC 6455"],
    script: |it| script(it, &Also::default()),
    layers: |bytes, _| layers(bytes),
};

/// What a WebSocket can do beside whole messages. With any of it the sender makes its frames by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Also {
    /// Each message in frames of these lengths; what is left over is one more.
    pub fragments: Vec<usize>,
    /// A Ping behind the first frame of each message, or before it if that is the only one.
    pub ping: bool,
    /// A Close at the end, with code and reason.
    pub close: Option<(u16, String)>,
}

/// How often a server sends a Ping when nothing is said: RFC 6455 leaves that to programs.
pub(crate) const BEAT: Duration = Duration::from_secs(20);

/// Whose choice that is.
pub(crate) const BEAT_SAYS: &str =
    "a Ping and a Pong every 20 s, as Python's websockets does unless told otherwise";

/// The lines of the upgrade: `c` asks, `conn` answers.
pub(crate) fn upgrade(path: &str, protocol: Option<&str>) -> Vec<String> {
    upgrade_of("c", "conn", path, protocol)
}

/// The same for these sockets.
pub(crate) fn upgrade_of(client: &str, server: &str, path: &str, protocol: Option<&str>) -> Vec<String> {
    let protocol = protocol.map(|name| format!(" protocol {name}")).unwrap_or_default();
    vec![
        format!("client$ ws request {client} {path}{protocol}"),
        format!("server$ ws answer {server}{protocol} => 101"),
        format!("client$ ws verify {client} => 101"),
    ]
}

/// How it is done, with what else is wanted.
///
/// # Errors
/// If a text message is none.
pub fn script(it: &Sending, also: &Also) -> Result<Script, Cannot> {
    if !it.binary {
        it.texts("a text message")?;
    }
    let mut script = if *also == Also::default() { handed_off(it) } else { by_hand(it, also) };
    script.streams = vec![("c", "conn")];
    script.times = Times { beat: Some(BEAT), beat_says: BEAT_SAYS };
    Ok(script)
}

/// The messages by tungstenite, at both ends.
fn handed_off(it: &Sending) -> Script {
    let (from, to) = (it.from, it.from.other());
    let (my_end, their_end) = match from {
        Host::Client => ("w", "v"),
        Host::Server => ("v", "w"),
    };
    let mut open = connected();
    open.extend(upgrade("/", None));
    open.extend(["client$ w = ws handoff c", "server$ v = ws handoff conn"].map(str::to_owned));
    let kind = if it.binary { "binary" } else { "text" };
    let mut talk = Vec::new();
    for (number, message) in it.messages.iter().enumerate() {
        let large = message.len() > BUFFERED;
        if large {
            talk.push(format!("{to}$ r{number} = ws recv {their_end} &"));
        }
        talk.push(format!("{from}$ ws send {my_end} {kind} {}", lesson::escaped(message)));
        if large {
            talk.push(format!("{to}$ wait r{number} within 60s => ok"));
        }
    }
    let quiet = it.messages.iter().filter(|message| message.len() <= BUFFERED).count();
    talk.extend((0..quiet).map(|_| format!("{to}$ ws recv {their_end}")));
    let close = [
        "client$ ws close w 1000",
        "server$ ws recv v => close 1000",
        "client$ ws recv w => close 1000",
        "server$ close conn",
        "client$ close c",
    ];
    let message = lesson::escaped(&it.first()[..it.first().len().min(BUFFERED)]);
    Script {
        open,
        talk,
        listen: vec!["client$ n = ws recv w &".to_owned()],
        news: vec![format!("server$ ws send v {kind} {message}"), "client$ wait n => ok".to_owned()],
        idle: ["server$ ws ping v", "client$ ws recv w", "server$ ws recv v"].map(str::to_owned).to_vec(),
        close: close.map(str::to_owned).to_vec(),
        ..Script::default()
    }
}

/// The sender's frames are made by hand, one by one.
fn by_hand(it: &Sending, also: &Also) -> Script {
    let (from, to) = (it.from, it.from.other());
    let (mine, _) = sockets(from);
    let theirs = if from == Host::Client { "v" } else { "w" };
    let hand_off = match from {
        Host::Client => "server$ v = ws handoff conn",
        Host::Server => "client$ w = ws handoff c",
    };
    let mut open = connected();
    open.extend(upgrade("/", None));
    open.push(hand_off.to_owned());
    let kind = if it.binary { "binary" } else { "text" };
    let mut talk = Vec::new();
    let mut come = 0;
    for (number, message) in it.messages.iter().enumerate() {
        let frames = cut(message, &also.fragments);
        let large = message.len() > BUFFERED;
        let ping = format!("{from}$ ws frame {mine} ping \"?\"");
        if large {
            talk.push(format!("{to}$ r{number} = ws recv {theirs} &"));
        }
        if also.ping && frames.len() == 1 {
            talk.push(ping.clone());
        }
        for (at, frame) in frames.iter().enumerate() {
            let kind = if at == 0 { kind } else { "continuation" };
            let more = if at + 1 < frames.len() { " more" } else { "" };
            talk.push(format!("{from}$ ws frame {mine} {kind} {}{more}", lesson::escaped(frame)));
            if also.ping && at == 0 && frames.len() > 1 {
                talk.push(ping.clone());
            }
        }
        if large {
            talk.push(format!("{to}$ wait r{number} within 60s => ok"));
        }
        come += usize::from(!large) + usize::from(also.ping);
    }
    talk.extend((0..come).map(|_| format!("{to}$ ws recv {theirs}")));
    let pongs = if also.ping { it.messages.len() } else { 0 };
    talk.extend((0..pongs).map(|_| format!("{from}$ ws unframe {mine}")));
    let (code, reason) = also.close.clone().unwrap_or((1000, String::new()));
    let body = [&code.to_be_bytes()[..], reason.as_bytes()].concat();
    let goodbye = vec![
        format!("{from}$ ws frame {mine} close {}", lesson::escaped(&body)),
        format!("{to}$ ws recv {theirs} => close {code}"),
        format!("{from}$ ws unframe {mine}"),
    ];
    let mut close = vec!["server$ close conn".to_owned(), "client$ close c".to_owned()];
    if also.close.is_some() {
        talk.extend(goodbye);
    } else {
        close = [goodbye, close].concat();
    }
    Script { open, talk, close, ..Script::default() }
}

/// The pieces of these lengths; what is left over is one more.
pub fn cut<'a>(message: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let (mut pieces, mut rest) = (Vec::new(), message);
    for length in lengths {
        let (piece, more) = rest.split_at((*length).min(rest.len()));
        pieces.push(piece);
        rest = more;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// The first frame, and what it carries.
pub(crate) fn layers(bytes: &[u8]) -> Vec<LayerBytes> {
    let Some((layer, payload)) = unframed(bytes) else { return vec![LayerBytes::message(bytes)] };
    vec![layer, LayerBytes::message(&payload)]
}

/// The first frame with its header's fields, and its payload without the mask.
pub(crate) fn unframed(bytes: &[u8]) -> Option<(LayerBytes, Vec<u8>)> {
    let header = Header::parse(bytes).ok()?;
    let end = header.size().saturating_add(usize::try_from(header.length).ok()?).min(bytes.len());
    let frame = &bytes[..end];
    let mut payload = frame[header.size().min(end)..].to_vec();
    if let Some(key) = header.key {
        websocket::mask(&mut payload, key);
    }
    let layer = LayerBytes { protocol: "WebSocket", bytes: frame.to_vec(), fields: websocket::fields(frame) };
    Some((layer, payload))
}

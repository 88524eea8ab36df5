//! Socket.IO: events and acknowledgements in Engine.IO's packets, first by polling, then on a WebSocket.

use std::time::Duration;

use serde_json::Value;

use crate::random;
use crate::{
    event::Host,
    lesson,
    transport::{
        api::Scripted,
        http::script::closed,
        script::{BUFFERED, Cannot, Lines, Script, Sending, Times, connected, connection},
        websocket::script::{unframed, upgrade_of},
    },
    wire::{
        LayerBytes,
        engine_io::{Handshake, Kind},
        http::{encode_request, encode_response},
        socket_io::{self, MAIN, Packet},
    },
};

pub(crate) const SCRIPTED: Scripted = Scripted {
    title: "Socket.IO",
    about: "named events and acknowledgements, by polling or on a WebSocket, in packets of its own",
    why: "When it was made many browsers and proxies had no WebSocket. Programs also wanted what a WebSocket leaves to them: names, answers, to connect again.",
    over: &["IP", "TCP", "WebSocket", "Engine.IO", "Socket.IO"],
    lesson: "socketio",
    sources: &["Engine.IO protocol 4", "Socket.IO protocol 5"],
    script,
    layers: |bytes, _| layers(bytes),
};

/// The event in which a message goes, as the library's `send` does.
const EVENT: &str = "message";
/// A server pings so often unless it is told otherwise, and waits so long for the pong.
const PING: (Duration, Duration) = (Duration::from_secs(25), Duration::from_secs(20));
/// A server takes so many bytes in one request unless it is told otherwise.
const MAX_PAYLOAD: u64 = 1_000_000;

fn script(it: &Sending) -> Result<Script, Cannot> {
    const POLLS: (&str, &str) = ("c", "conn");
    const FRAMES: (&str, &str) = ("c2", "conn2");
    if let Some(long) = it.messages.iter().find(|message| message.len() as u64 > MAX_PAYLOAD / 2) {
        return Err(Cannot(format!(
            "a server takes {MAX_PAYLOAD} bytes unless told otherwise, and this has {} before it is packed",
            long.len()
        )));
    }
    let (mut talk, mut news, mut idle) = (Lines::default(), Lines::default(), Lines::default());
    for message in &it.messages {
        for (kind, payload) in packets(message, it.binary) {
            talk.frame(it.from, of(it.from, FRAMES), kind, &payload);
        }
    }
    let mut listen = Lines::default();
    let first = &it.first()[..it.first().len().min(BUFFERED)];
    for (number, (kind, payload)) in
        packets(first, it.binary || std::str::from_utf8(first).is_err()).into_iter().enumerate()
    {
        // Of two frames the second is waited for when the first is there.
        if number == 0 {
            listen.say(format!("client$ n = ws unframe {} &", FRAMES.0));
        }
        news.say(format!("server$ ws frame {} {kind} {}", FRAMES.1, lesson::escaped(&payload)));
        news.say(if number == 0 {
            "client$ wait n => ok".to_owned()
        } else {
            format!("client$ ws unframe {}", FRAMES.0)
        });
    }
    let beat = |kind: Kind| vec![kind.digit()];
    idle.frame(Host::Server, of(Host::Server, FRAMES), "text", &beat(Kind::Ping));
    idle.frame(Host::Client, FRAMES, "text", &beat(Kind::Pong));
    Ok(Script {
        open: opening(POLLS, FRAMES)?,
        talk: talk.done(),
        listen: listen.done(),
        news: news.done(),
        idle: idle.done(),
        streams: vec![POLLS, FRAMES],
        close: closed(&[FRAMES, POLLS]),
        times: Times {
            beat: Some(PING.0),
            beat_says: "a ping and a pong of Engine.IO every 25 s, its default",
        },
        ..Script::default()
    })
}

/// The sender's socket, and the receiver's.
fn of<'a>(from: Host, (client, server): (&'a str, &'a str)) -> (&'a str, &'a str) {
    match from {
        Host::Client => (client, server),
        Host::Server => (server, client),
    }
}

/// The handshake by polling, the way into the namespace, and the change to a WebSocket.
fn opening(polls: (&str, &str), frames: (&str, &str)) -> Result<Vec<String>, Cannot> {
    let (session, socket) = (random::identifier::<20>()?, random::identifier::<20>()?);
    let handshake = Handshake {
        sid: session.clone(),
        upgrades: vec!["websocket".to_owned()],
        ping_interval: millis(PING.0),
        ping_timeout: millis(PING.1),
        max_payload: Some(MAX_PAYLOAD),
    };
    let path = |transport: &str| format!("/socket.io/?EIO=4&transport={transport}");
    let polling = format!("{}&sid={session}", path("polling"));
    let get = |path: &str| encode_request("GET", path, &[("Host", "server")]);
    let mut lines = Lines::default();
    let mut exchange = |request: Vec<u8>, body: &str| {
        lines.pass(Host::Client, polls.0, polls.1, &request);
        lines.pass(Host::Server, polls.1, polls.0, &ok(body));
    };
    exchange(get(&path("polling")), &format!("0{}", handshake.encode()));
    let connect = format!("4{}", Packet::connect(MAIN, None).encode());
    exchange(post(&polling, &connect), "ok");
    let connected_to = Packet::connect(MAIN, Some(serde_json::json!({ "sid": socket })));
    exchange(get(&polling), &format!("4{}", connected_to.encode()));
    // This one waits until the WebSocket has been tried.
    lines.pass(Host::Client, polls.0, polls.1, &get(&polling));
    let mut all = [connected(), lines.done(), connection(frames.0, frames.1).to_vec()].concat();
    all.extend(upgrade_of(frames.0, frames.1, &format!("{}&sid={session}", path("websocket")), None));
    lines.frame(Host::Client, frames, "text", b"2probe");
    lines.frame(Host::Server, of(Host::Server, frames), "text", b"3probe");
    lines.pass(Host::Server, polls.1, polls.0, &ok("6"));
    lines.frame(Host::Client, frames, "text", b"5");
    all.extend(lines.done());
    Ok(all)
}

fn ok(body: &str) -> Vec<u8> {
    let length = body.len().to_string();
    let fields = [("Content-Type", "text/plain; charset=UTF-8"), ("Content-Length", length.as_str())];
    [&encode_response(200, "OK", &fields)[..], body.as_bytes()].concat()
}

fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len().to_string();
    let fields = [
        ("Host", "server"),
        ("Content-Type", "text/plain;charset=UTF-8"),
        ("Content-Length", length.as_str()),
    ];
    [&encode_request("POST", path, &fields)[..], body.as_bytes()].concat()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The WebSocket messages that carry an event: one, or two if there are bytes in it.
fn packets(message: &[u8], binary: bool) -> Vec<(&'static str, Vec<u8>)> {
    let message_of = |packet: Packet| format!("4{}", packet.encode()).into_bytes();
    match std::str::from_utf8(message) {
        Ok(text) if !binary => {
            vec![("text", message_of(Packet::event(MAIN, None, EVENT, vec![Value::from(text)])))]
        }
        _ => {
            let event = Packet::event(MAIN, None, EVENT, vec![socket_io::placeholder(0)]).with_attachments(1);
            vec![("text", message_of(event)), ("binary", message.to_vec())]
        }
    }
}

/// The frame, the packet in it, the packet in that, and the text in its JSON; or the frame with the bytes
/// behind it.
fn layers(bytes: &[u8]) -> Vec<LayerBytes> {
    let Some((frame, payload)) = unframed(bytes) else { return vec![LayerBytes::message(bytes)] };
    let frame_length = frame.bytes.len();
    let mut layers = vec![frame];
    let Some((_, inner)) = payload.split_first() else { return layers };
    let fields =
        socket_io::packet_fields(&payload).into_iter().take(1).chain(behind(&payload, "Socket.IO packet"));
    layers.push(LayerBytes { protocol: "Engine.IO", bytes: payload.clone(), fields: fields.collect() });
    layers.push(LayerBytes {
        protocol: "Socket.IO",
        bytes: inner.to_vec(),
        fields: socket_io::fields(inner),
    });
    let packet = Packet::parse(inner).ok();
    match packet.as_ref().and_then(|packet| packet.arguments().first()) {
        Some(Value::String(text)) => layers.push(LayerBytes::message(text.as_bytes())),
        _ => {
            let Some((frame, bytes)) = unframed(&bytes[frame_length..]) else { return layers };
            layers.extend([frame, LayerBytes::message(&bytes)]);
        }
    }
    layers
}

/// All but the first byte, as one field.
fn behind(payload: &[u8], name: &'static str) -> Option<crate::wire::Field> {
    let value = crate::wire::text::shown(&payload[1..], 60);
    (payload.len() > 1).then(|| {
        crate::wire::Field::of_bytes(
            1..payload.len(),
            name,
            value,
            "what Engine.IO carries",
            "Engine.IO 4, Packet encoding",
        )
    })
}

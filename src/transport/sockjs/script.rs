//! SockJS: what looks like a WebSocket to a page, on whatever can be had; here on a WebSocket.

use std::time::Duration;

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
        http::{encode_request, encode_response},
        sockjs::{self, Frame, Text, Uplink, encode_messages},
    },
};

pub(crate) const SCRIPTED: Scripted = Scripted {
    title: "SockJS",
    about: "the interface of a WebSocket, on a WebSocket or on requests of HTTP, in frames of its own",
    why: "For pages behind something that lets no WebSocket through: the library finds a way that works, and the program does not notice which.",
    over: &["IP", "TCP", "WebSocket", "SockJS"],
    lesson: "sockjs",
    sources: &["SockJS protocol 0.3.3"],
    script,
    layers,
};

/// A server says `h` so often unless it is told otherwise.
const BEAT: Duration = Duration::from_secs(25);

const INFO: &str = r#"{"websocket":true,"origins":["*:*"],"cookie_needed":false,"entropy":"#;

fn script(it: &Sending) -> Result<Script, Cannot> {
    const ASKS: (&str, &str) = ("c", "conn");
    const FRAMES: (&str, &str) = ("c2", "conn2");
    let texts = it.texts("SockJS")?;
    let mut open = Lines::default();
    let entropy = format!("{INFO}{}}}", u32::from_be_bytes(random::bytes::<4>()?));
    let length = entropy.len().to_string();
    let fields = [("Content-Type", "application/json; charset=UTF-8"), ("Content-Length", length.as_str())];
    open.pass(Host::Client, ASKS.0, ASKS.1, &encode_request("GET", "/echo/info", &[("Host", "server")]));
    open.pass(
        Host::Server,
        ASKS.1,
        ASKS.0,
        &[&encode_response(200, "OK", &fields)[..], entropy.as_bytes()].concat(),
    );
    let mut opened = [connected(), open.done(), connection(FRAMES.0, FRAMES.1).to_vec()].concat();
    let path = format!("/echo/000/{}/websocket", random::identifier::<8>()?);
    opened.extend(upgrade_of(FRAMES.0, FRAMES.1, &path, None));
    open.frame(Host::Server, (FRAMES.1, FRAMES.0), "text", &Frame::Open.encode());
    opened.extend(open.done());
    let (mut talk, mut idle) = (Lines::default(), Lines::default());
    for text in &texts {
        match it.from {
            Host::Client => talk.frame(Host::Client, FRAMES, "text", &encode_messages(&[Text::from(*text)])),
            Host::Server => {
                talk.frame(Host::Server, (FRAMES.1, FRAMES.0), "text", &Frame::messages([*text]).encode())
            }
        };
    }
    idle.frame(Host::Server, (FRAMES.1, FRAMES.0), "text", &Frame::Heartbeat.encode());
    let first = texts.first().copied().unwrap_or_default();
    let first = if first.len() > BUFFERED { "news" } else { first };
    let news = lesson::escaped(&Frame::messages([first]).encode());
    Ok(Script {
        open: opened,
        talk: talk.done(),
        listen: vec![format!("client$ n = ws unframe {} &", FRAMES.0)],
        news: vec![format!("server$ ws frame {} text {news}", FRAMES.1), "client$ wait n => ok".to_owned()],
        idle: idle.done(),
        streams: vec![ASKS, FRAMES],
        close: closed(&[FRAMES, ASKS]),
        times: Times { beat: Some(BEAT), beat_says: "an h every 25 s, its default" },
        ..Script::default()
    })
}

/// The WebSocket frame, the SockJS frame in it, and the text in its JSON.
fn layers(bytes: &[u8], from: Host) -> Vec<LayerBytes> {
    let Some((frame, payload)) = unframed(bytes) else { return vec![LayerBytes::message(bytes)] };
    let text = match from {
        Host::Client => sockjs::parse_messages(&payload, Uplink::WebSocket).ok(),
        Host::Server => match Frame::parse(&payload) {
            Ok(Frame::Messages(messages)) => Some(messages),
            _ => None,
        },
    };
    let fields = sockjs::fields(&payload);
    let mut layers = vec![frame, LayerBytes { protocol: "SockJS", bytes: payload, fields }];
    if let Some(text) = text.and_then(|messages| messages.into_iter().next()) {
        layers.push(LayerBytes::message(String::from_utf16_lossy(text.units()).as_bytes()));
    }
    layers
}

//! WebSocket with permessage-deflate: messages are compressed, and may refer back to those before them. By
//! hand at both ends: tungstenite does not speak it.

use data_encoding::BASE64;

use super::script::{BEAT, BEAT_SAYS, unframed};
use crate::random;
use crate::{
    event::Host,
    lesson,
    transport::{
        api::Scripted,
        http::script::closed,
        script::{BUFFERED, Cannot, Lines, Script, Sending, Times, connected, sockets},
    },
    websocket::accept_key::accept_key,
    wire::{
        Field, LayerBytes,
        http::{encode_request, encode_response},
        text,
        websocket::deflate::{Deflater, Direction, Inflater, NAME},
    },
};

pub(crate) const SCRIPTED: Scripted = Scripted {
    title: "WebSocket",
    about: "the same with permessage-deflate, as browsers offer it: compressed messages, which pay when they are long or alike",
    why: "Text repeats itself, and from message to message even more: what was said before is only referred to.",
    over: &["IP", "TCP", "WebSocket", "DEFLATE"],
    lesson: "websocket",
    sources: &["RFC 7692", "RFC 1951"],
    script,
    layers: |bytes, _| layers(bytes),
};

/// No message is longer when it is inflated, in bytes.
const LONGEST: usize = 1 << 24;

fn script(it: &Sending) -> Result<Script, Cannot> {
    const ON: (&str, &str) = ("c", "conn");
    if !it.binary {
        it.texts("a text message")?;
    }
    let kind = if it.binary { "binary" } else { "text" };
    let (mut lines, mut deflater) = (Lines::default(), Deflater::default());
    let (mine, theirs) = sockets(it.from);
    for message in &it.messages {
        let payload = lesson::escaped(&deflater.deflate(message));
        let send = format!("{}$ ws frame {mine} {kind} {payload} rsv1", it.from);
        if payload.len() > BUFFERED {
            let name = lines.name();
            lines.say(format!("{}$ {name} = ws unframe {theirs} &", it.from.other())).say(send);
            lines.say(format!("{}$ wait {name} within 60s => ok", it.from.other()));
        } else {
            lines.say(send).say(format!("{}$ ws unframe {theirs}", it.from.other()));
        }
    }
    let talk = lines.done();
    // The server's direction has a window of its own: it is as it was unless it was the server who talked.
    let mut deflater = if it.from == Host::Server { deflater } else { Deflater::default() };
    let news = lesson::escaped(&deflater.deflate(&it.first()[..it.first().len().min(BUFFERED)]));
    lines.frame(Host::Server, ("conn", "c"), "ping", b"");
    lines.frame(Host::Client, ("c", "conn"), "pong", b"");
    Ok(Script {
        open: [connected(), upgrade(ON)?].concat(),
        talk,
        listen: vec!["client$ n = ws unframe c &".to_owned()],
        news: vec![format!("server$ ws frame conn binary {news} rsv1"), "client$ wait n => ok".to_owned()],
        idle: lines.done(),
        streams: vec![ON],
        close: closed(&[ON]),
        times: Times { beat: Some(BEAT), beat_says: BEAT_SAYS },
        ..Script::default()
    })
}

/// The handshake with its offer, which `ws request` never makes.
fn upgrade(on: (&str, &str)) -> Result<Vec<String>, Cannot> {
    let key = BASE64.encode(&random::bytes::<16>()?);
    let request = encode_request(
        "GET",
        "/",
        &[
            ("Host", "server"),
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", &key),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Extensions", NAME),
        ],
    );
    let answer = encode_response(
        101,
        "Switching Protocols",
        &[
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", &accept_key(&key)),
            ("Sec-WebSocket-Extensions", NAME),
        ],
    );
    let mut lines = Lines::default();
    lines.pass(Host::Client, on.0, on.1, &request);
    lines.pass(Host::Server, on.1, on.0, &answer);
    Ok(lines.done())
}

/// The frame, what is compressed in it, and what that becomes.
fn layers(bytes: &[u8]) -> Vec<LayerBytes> {
    let Some((frame, payload)) = unframed(bytes) else { return vec![LayerBytes::message(bytes)] };
    let inflated = Inflater::new()
        .inflate(&payload, &mut Vec::new(), Direction::default(), LONGEST)
        .map(|inflated| inflated.bytes.to_vec());
    let field = Field::of_bytes(
        0..payload.len(),
        "compressed data",
        text::hex(&payload, 32),
        "DEFLATE without the tail 00 00 ff ff of a sync flush",
        "RFC 7692 §7.2.1",
    );
    let deflate = LayerBytes { protocol: "DEFLATE", bytes: payload, fields: vec![field] };
    match inflated {
        Ok(message) => vec![frame, deflate, LayerBytes::message(&message)],
        Err(_) => vec![frame, deflate],
    }
}

//! Server-Sent Events: one response that never ends, in which the server says what it has; the client has
//! requests of HTTP.

use std::time::Duration;

use crate::{
    event::Host,
    lesson,
    transport::{
        api::Scripted,
        http::script::{ask, closed, nothing, post, tell, unpacked},
        script::{BUFFERED, Cannot, Lines, Script, Sending, Times, connected, connection},
    },
    wire::{
        Field, LayerBytes,
        event_stream::{self, Item},
        http::{chunk, encode_request, encode_response},
        text,
    },
};

pub(crate) const SCRIPTED: Scripted = Scripted {
    title: "Server-Sent Events",
    about: "one response that never ends: the server says what it has as soon as it has it; the client asks as ever",
    why: "To read a response while it comes is all that a browser had to learn. It connects again by itself, and says which event it has seen last. It goes one way.",
    over: &["IP", "TCP", "HTTP", "chunks", "Server-Sent Events"],
    lesson: "news",
    sources: &["WHATWG HTML §9.2", "RFC 9112 §7.1"],
    script,
    layers,
};

/// The standard's own advice for a comment that keeps the connection: WHATWG HTML §9.2.7.
const BEAT: Duration = Duration::from_secs(15);

fn script(it: &Sending) -> Result<Script, Cannot> {
    // The events come on the first connection; what the client has to say goes over a second one.
    const HEARS: (&str, &str) = ("c", "conn");
    const SAYS: (&str, &str) = ("c2", "conn2");
    if it.from == Host::Server {
        it.texts("an event stream")?;
    }
    let mut lines = Lines::default();
    ask(
        &mut lines,
        HEARS,
        &encode_request("GET", "/news", &[("Host", "server"), ("Accept", "text/event-stream")]),
    );
    let head = [
        ("Content-Type", "text/event-stream"),
        ("Cache-Control", "no-store"),
        ("Transfer-Encoding", "chunked"),
    ];
    tell(&mut lines, HEARS, &encode_response(200, "OK", &head));
    let open = [connected(), connection(SAYS.0, SAYS.1).to_vec(), lines.done()].concat();
    for message in &it.messages {
        match it.from {
            Host::Client => {
                ask(&mut lines, SAYS, &post(message, it.binary));
                tell(&mut lines, SAYS, &nothing());
            }
            Host::Server => tell(&mut lines, HEARS, &chunk(&event(message))),
        }
    }
    let talk = lines.done();
    let news = chunk(&event(&it.first()[..it.first().len().min(BUFFERED)]));
    tell(&mut lines, HEARS, &chunk(&event_stream::comment("")));
    Ok(Script {
        open,
        talk,
        listen: vec![format!("client$ n = recv_exactly c {} &", news.len())],
        news: vec![
            format!("server$ send conn {}", lesson::escaped(&news)),
            "client$ wait n => ok".to_owned(),
        ],
        idle: lines.done(),
        streams: vec![HEARS, SAYS],
        close: closed(&[HEARS, SAYS]),
        times: Times {
            beat: Some(BEAT),
            beat_says: "a comment every 15 s or so, as the standard advises (WHATWG HTML §9.2.7)",
        },
        ..Script::default()
    })
}

/// An event with this as its data.
fn event(message: &[u8]) -> Vec<u8> {
    event_stream::encode(None, None, &String::from_utf8_lossy(message))
}

/// The chunk, the event in it, and its data; of the client's, the request.
fn layers(bytes: &[u8], from: Host) -> Vec<LayerBytes> {
    if from == Host::Client {
        return match unpacked(bytes) {
            Some((layer, content)) => vec![layer, LayerBytes::message(&content)],
            None => vec![LayerBytes::message(bytes)],
        };
    }
    let Some((chunk, event)) = unchunked(bytes) else { return vec![LayerBytes::message(bytes)] };
    let fields = event_stream::fields(&event);
    let items = event_stream::Reader::new(event.len()).push(&event).unwrap_or_default();
    let data = items.into_iter().find_map(|item| match item {
        Item::Event(event) => Some(event.data),
        _ => None,
    });
    let mut layers = vec![chunk, LayerBytes { protocol: "Server-Sent Events", bytes: event, fields }];
    layers.extend(data.map(|data| LayerBytes::message(data.as_bytes())));
    layers
}

/// The first chunk, and what it carries.
fn unchunked(bytes: &[u8]) -> Option<(LayerBytes, Vec<u8>)> {
    const SECTION: &str = "RFC 9112 §7.1";
    let line = bytes.windows(2).position(|two| two == b"\r\n")?;
    let size = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).ok()?, 16).ok()?;
    let (start, end) = (line + 2, line + 2 + size);
    let data = bytes.get(start..end)?.to_vec();
    let whole = bytes.get(..end + 2)?;
    let field = |range: std::ops::Range<usize>, name, meaning: &str| {
        Field::of_bytes(range.clone(), name, text::shown(&whole[range], 60), meaning, SECTION)
    };
    let fields = vec![
        field(0..line, "chunk-size", "bytes of this chunk, in hex"),
        field(line..start, "CRLF", ""),
        field(start..end, "chunk-data", "a piece of the content, cut where the server chose"),
        field(end..end + 2, "CRLF", ""),
    ];
    Some((LayerBytes { protocol: "chunk", bytes: whole.to_vec(), fields }, data))
}

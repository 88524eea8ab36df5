//! HTTP, one request: the client asks, the server answers, and that is all that either can say.

use crate::{
    event::Host,
    transport::{
        api::Scripted,
        script::{Cannot, Lines, Script, Sending, connected},
    },
    wire::{
        LayerBytes,
        http::{self, HeadReader, Progress, encode_request, encode_response},
    },
};

pub(crate) const SCRIPTED: Scripted = Scripted {
    title: "HTTP",
    about: "a request and its response: the server can say nothing that it was not asked for",
    why: "A page is asked for when somebody wants to see it, and the answer is all that there is to say. So anybody in between can keep a copy of it.",
    over: &["IP", "TCP", "HTTP"],
    lesson: "news",
    sources: &["RFC 9110", "RFC 9112"],
    script,
    layers: |bytes, _| layers(bytes),
};

fn script(it: &Sending) -> Result<Script, Cannot> {
    let mut talk = Lines::default();
    for message in &it.messages {
        exchange(&mut talk, it, ("c", "conn"), message);
    }
    Ok(Script {
        open: connected(),
        talk: talk.done(),
        streams: vec![("c", "conn")],
        close: closed(&[("c", "conn")]),
        ..Script::default()
    })
}

/// A message over HTTP: the client's in a request, the server's in the response to one.
pub(crate) fn exchange(lines: &mut Lines, it: &Sending, on: (&str, &str), message: &[u8]) {
    let (request, response) = match it.from {
        Host::Client => (post(message, it.binary), nothing()),
        Host::Server => (get(), answer(message, it.binary)),
    };
    ask(lines, on, &request);
    tell(lines, on, &response);
}

/// The client asks.
pub(crate) fn ask(lines: &mut Lines, (client, server): (&str, &str), request: &[u8]) {
    lines.pass(Host::Client, client, server, request);
}

/// The server answers.
pub(crate) fn tell(lines: &mut Lines, (client, server): (&str, &str), response: &[u8]) {
    lines.pass(Host::Server, server, client, response);
}

/// `GET /news`: is there something?
pub(crate) fn get() -> Vec<u8> {
    encode_request("GET", "/news", &[("Host", "server")])
}

/// `POST /news`: here is something.
pub(crate) fn post(message: &[u8], binary: bool) -> Vec<u8> {
    let length = message.len().to_string();
    let fields = [("Host", "server"), ("Content-Type", media_type(binary)), ("Content-Length", &length)];
    [&encode_request("POST", "/news", &fields)[..], message].concat()
}

/// 200, and the message.
pub(crate) fn answer(message: &[u8], binary: bool) -> Vec<u8> {
    let length = message.len().to_string();
    let fields = [("Content-Type", media_type(binary)), ("Content-Length", &length)];
    [&encode_response(200, "OK", &fields)[..], message].concat()
}

/// 204: understood, and there is nothing to say (RFC 9110 §15.3.5).
pub(crate) fn nothing() -> Vec<u8> {
    encode_response(204, "No Content", &[])
}

fn media_type(binary: bool) -> &'static str {
    if binary { "application/octet-stream" } else { "text/plain; charset=utf-8" }
}

/// Both ends close, the client first.
pub(crate) fn closed(streams: &[(&str, &str)]) -> Vec<String> {
    let close = |(client, server): &(&str, &str)| {
        [format!("client$ close {client}"), format!("server$ close {server}")]
    };
    streams.iter().flat_map(close).collect()
}

/// The first message of HTTP: its head, and what the head says is its content.
pub(crate) fn layers(bytes: &[u8]) -> Vec<LayerBytes> {
    let Some((layer, content)) = unpacked(bytes) else { return vec![LayerBytes::message(bytes)] };
    vec![layer, LayerBytes::message(&content)]
}

/// The head with its fields, and all that stands behind it.
pub(crate) fn unpacked(bytes: &[u8]) -> Option<(LayerBytes, Vec<u8>)> {
    let Progress::Complete { head } = HeadReader::new().push(bytes) else { return None };
    let (head, rest) = bytes.split_at(head);
    let length = content_length(head).unwrap_or(rest.len()).min(rest.len());
    let layer = LayerBytes { protocol: "HTTP", bytes: head.to_vec(), fields: http::fields(head) };
    Some((layer, rest[..length].to_vec()))
}

/// What the head says of its content, if it says it in bytes (RFC 9110 §8.6).
fn content_length(head: &[u8]) -> Option<usize> {
    let headers = if head.starts_with(b"HTTP/") {
        http::parse_response(head).ok()?.headers
    } else {
        http::parse_request(head).ok()?.headers
    };
    let line = headers.all("Content-Length").next()?;
    std::str::from_utf8(&line.value).ok()?.parse().ok()
}

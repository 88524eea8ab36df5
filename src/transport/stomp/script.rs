//! STOMP: frames with a command and headers, to and from a broker; on a WebSocket, or on TCP as it is.

use std::time::Duration;

use crate::{
    event::Host,
    lesson,
    transport::{
        api::Scripted,
        http::script::closed,
        script::{BUFFERED, Cannot, Lines, Script, Sending, Times, connected, sockets},
        websocket::script::{unframed, upgrade_of},
    },
    wire::{
        LayerBytes,
        stomp::{self, Frame, FrameReader, Item, Limits, Version},
    },
};

pub(crate) const ON_WEBSOCKET: Scripted = Scripted {
    title: "STOMP",
    about: "messages for a broker, by destination; a protocol on a WebSocket, not one in its place",
    why: "A WebSocket says nothing of whom a message is for. A broker needs destinations, subscriptions and receipts, whatever is beneath. It stands among the alternatives as libraries offer it over SockJS too.",
    over: &["IP", "TCP", "WebSocket", "STOMP"],
    lesson: "stomp",
    sources: &["STOMP 1.2"],
    script: |it| script(it, true),
    layers: |bytes, _| match unframed(bytes) {
        Some((frame, payload)) => std::iter::once(frame).chain(layers(&payload)).collect(),
        None => vec![LayerBytes::message(bytes)],
    },
};

pub(crate) const ON_TCP: Scripted = Scripted {
    title: "STOMP",
    about: "the same frames on TCP as it is: STOMP needs no WebSocket",
    why: "Programs that are no web pages talk to the same brokers without a WebSocket.",
    over: &["IP", "TCP", "STOMP"],
    lesson: "stomp",
    sources: &["STOMP 1.2"],
    script: |it| script(it, false),
    layers: |bytes, _| layers(bytes),
};

/// A client asks for heart-beats so often unless it is told otherwise: the library's choice, as the
/// specification has none.
const BEAT: Duration = Duration::from_secs(10);

/// Where the messages go.
const DESTINATION: &str = "/topic/news";

fn script(it: &Sending, on_websocket: bool) -> Result<Script, Cannot> {
    let mut lines = Lines::default();
    let pass = |lines: &mut Lines, from: Host, octets: &[u8]| {
        let on = sockets(from);
        if on_websocket {
            lines.frame(
                from,
                on,
                if std::str::from_utf8(octets).is_ok() { "text" } else { "binary" },
                octets,
            );
        } else {
            lines.pass(from, on.0, on.1, octets);
        }
    };
    let mut open = connected();
    if on_websocket {
        open.extend(upgrade_of("c", "conn", "/ws", Some(Version::V12.subprotocol())));
    }
    let connect = Frame::new("CONNECT")
        .with("accept-version", Version::V12.number())
        .with("host", "/")
        .with("heart-beat", "10000,10000");
    let connected =
        Frame::new("CONNECTED").with("version", Version::V12.number()).with("heart-beat", "10000,10000");
    let subscribe =
        Frame::new("SUBSCRIBE").with("id", "0").with("destination", DESTINATION).with("receipt", "1");
    let receipt = Frame::new("RECEIPT").with("receipt-id", "1");
    for (from, frame) in [
        (Host::Client, &connect),
        (Host::Server, &connected),
        (Host::Client, &subscribe),
        (Host::Server, &receipt),
    ] {
        pass(&mut lines, from, &frame.encode(Version::V12));
    }
    open.extend(lines.done());
    for (number, message) in it.messages.iter().enumerate() {
        pass(&mut lines, it.from, &carrying(it.from, number, message));
    }
    let talk = lines.done();
    for host in Host::ALL {
        pass(&mut lines, host, b"\n");
    }
    let idle = lines.done();
    let octets = carrying(Host::Server, it.messages.len(), &it.first()[..it.first().len().min(BUFFERED)]);
    let kind = if std::str::from_utf8(&octets).is_ok() { "text" } else { "binary" };
    let (hears, tells) = if on_websocket {
        ("ws unframe c".to_owned(), format!("ws frame conn {kind}"))
    } else {
        (format!("recv_exactly c {}", octets.len()), "send conn".to_owned())
    };
    Ok(Script {
        open,
        talk,
        listen: vec![format!("client$ n = {hears} &")],
        news: vec![
            format!("server$ {tells} {}", lesson::escaped(&octets)),
            "client$ wait n => ok".to_owned(),
        ],
        idle,
        streams: vec![("c", "conn")],
        close: closed(&[("c", "conn")]),
        times: Times {
            beat: Some(BEAT),
            beat_says: "a line end each way every 10 s, as stompjs asks for unless told otherwise",
        },
        ..Script::default()
    })
}

/// The client's SEND, or the broker's MESSAGE.
fn carrying(from: Host, number: usize, message: &[u8]) -> Vec<u8> {
    let frame = match from {
        Host::Client => Frame::new("SEND").with("destination", DESTINATION),
        Host::Server => Frame::new("MESSAGE")
            .with("subscription", "0")
            .with("message-id", &number.to_string())
            .with("destination", DESTINATION),
    };
    frame.with_body(message).encode(Version::V12)
}

/// The first frame, and its body.
fn layers(octets: &[u8]) -> Vec<LayerBytes> {
    let mut reader = FrameReader::new(Version::V12, Limits::default());
    reader.push(octets);
    let body = loop {
        match reader.take() {
            Ok(Some(Item::Frame { frame, .. })) => break frame.body,
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return vec![LayerBytes::message(octets)],
        }
    };
    let end = usize::try_from(reader.at()).unwrap_or(usize::MAX).min(octets.len());
    let octets = &octets[..end];
    vec![
        LayerBytes { protocol: "STOMP", bytes: octets.to_vec(), fields: stomp::fields(octets) },
        LayerBytes::message(&body),
    ]
}

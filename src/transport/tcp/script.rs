//! TCP: the bytes as they are, in a stream that has no messages.

use crate::{
    event::Host,
    lesson,
    transport::{
        api::Scripted,
        script::{BUFFERED, Cannot, Lines, Script, Sending, connected, sockets},
    },
    wire::LayerBytes,
};

pub(crate) const SCRIPTED: Scripted = Scripted {
    title: "TCP",
    about: "a stream of bytes, in order and whole, without messages",
    why: "Most programs want all bytes, once and in order, and don't care how they were packed on the way.",
    over: &["IP", "TCP"],
    lesson: "send",
    sources: &["RFC 9293", "tcp(7)"],
    script,
    layers: |bytes, _| vec![LayerBytes::message(bytes)],
};

fn script(it: &Sending) -> Result<Script, Cannot> {
    let (from, to) = (it.from, it.from.other());
    let (mine, theirs) = sockets(from);
    let mut lines = Lines::default();
    let total: usize = it.messages.iter().map(Vec::len).sum();
    let receive = format!("{to}$ r = recv_exactly {theirs} {total}");
    let large = total > BUFFERED;
    if large {
        lines.say(format!("{receive} &"));
    }
    for message in it.messages.iter().filter(|message| !message.is_empty()) {
        lines.say(format!("{from}$ send {mine} {}", lesson::escaped(message)));
    }
    match (total, large) {
        (0, _) => {}
        (_, true) => drop(lines.say(format!("{to}$ wait r within 60s => ok"))),
        (_, false) => drop(lines.say(receive)),
    }
    let talk = lines.done();
    let (listen, news) = news(it.first());
    Ok(Script {
        open: connected(),
        talk,
        streams: vec![("c", "conn")],
        listen,
        news,
        close: vec!["client$ close c".to_owned(), "server$ close conn".to_owned()],
        ..Script::default()
    })
}

/// The client waits in a recv, and the server sends.
pub(crate) fn news(message: &[u8]) -> (Vec<String>, Vec<String>) {
    // Of nothing a stream tells nothing.
    let message = if message.is_empty() { b"!" } else { &message[..message.len().min(BUFFERED)] };
    (
        vec![format!("client$ n = recv_exactly c {} &", message.len())],
        vec![
            format!("{}$ send conn {}", Host::Server, lesson::escaped(message)),
            "client$ wait n => ok".to_owned(),
        ],
    )
}

//! UDP: a message a datagram, and no more promised than that.

use crate::{
    event::Host,
    lesson,
    transport::{
        api::Scripted,
        script::{Cannot, Lines, Script, Sending},
    },
    wire::LayerBytes,
};

/// The longest message over IPv4: 65,535 bytes less the headers of IP and UDP.
const LONGEST: usize = 65_507;

pub(crate) const SCRIPTED: Scripted = Scripted {
    title: "UDP",
    about: "a message a datagram: its ends are kept, its arrival is not promised",
    why: "Some messages are worth nothing when they are late: the next one is better than the last one again.",
    over: &["IP", "UDP"],
    lesson: "udp",
    sources: &["RFC 768", "udp(7)"],
    script,
    layers: |bytes, _| vec![LayerBytes::message(bytes)],
};

fn script(it: &Sending) -> Result<Script, Cannot> {
    if let Some(message) = it.messages.iter().find(|message| message.len() > LONGEST) {
        return Err(Cannot(format!(
            "a datagram takes {LONGEST} bytes at most, and this has {}",
            message.len()
        )));
    }
    let (from, to) = (it.from, it.from.other());
    let (mine, theirs) = sockets(from);
    let mut open = Lines::default();
    open.say("server$ s = socket udp").say("server$ bind s :7000");
    open.say("client$ c = socket udp").say("client$ bind c :7001").say("client$ connect c server:7000");
    // Who calls first tells its address with the datagram; here both are known, so that either can begin.
    open.say("server$ connect s client:7001");
    let mut talk = Lines::default();
    for message in &it.messages {
        let send = format!("{from}$ send {mine} {}", lesson::escaped(message));
        talk.say(send).say(format!("{to}$ recv {theirs} {LONGEST}"));
    }
    let news = lesson::escaped(it.first());
    Ok(Script {
        open: open.done(),
        talk: talk.done(),
        listen: vec![format!("client$ n = recv c {LONGEST} &")],
        news: vec![format!("server$ send s {news}"), "client$ wait n => ok".to_owned()],
        close: vec!["client$ close c".to_owned(), "server$ close s".to_owned()],
        ..Script::default()
    })
}

fn sockets(from: Host) -> (&'static str, &'static str) {
    match from {
        Host::Client => ("c", "s"),
        Host::Server => ("s", "c"),
    }
}

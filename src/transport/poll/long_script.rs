//! Long polling: the client asks, and the server answers when it has something to say.

use std::time::Duration;

use crate::{
    event::Host,
    transport::{
        api::Scripted,
        http::script::{self, ask, closed, get, nothing, post, tell},
        script::{Cannot, Lines, Script, Sending, Times, connected, connection},
    },
};

pub(crate) const SCRIPTED: Scripted = Scripted {
    title: "HTTP, long polling",
    about: "the client asks, and the server keeps its answer until there is one",
    why: "News comes at once, by plain requests. Each message takes a request all the same, and each client keeps one open.",
    over: &["IP", "TCP", "HTTP"],
    lesson: "news",
    sources: &["RFC 9110", "RFC 6202 §2"],
    script,
    layers: |bytes, _| script::layers(bytes),
};

/// How long a question stays unanswered, at most.
const TIMEOUT: Duration = Duration::from_secs(30);

fn script(it: &Sending) -> Result<Script, Cannot> {
    // A question waits on the first connection; what the client has to say goes over a second one.
    const ASKS: (&str, &str) = ("c", "conn");
    const SAYS: (&str, &str) = ("c2", "conn2");
    let mut open = Lines::default();
    ask(&mut open, ASKS, &get());
    let open = [connected(), connection(SAYS.0, SAYS.1).to_vec(), open.done()].concat();
    let (mut talk, mut news, mut idle) = (Lines::default(), Lines::default(), Lines::default());
    for message in &it.messages {
        match it.from {
            Host::Client => {
                ask(&mut talk, SAYS, &post(message, it.binary));
                tell(&mut talk, SAYS, &nothing());
            }
            Host::Server => {
                tell(&mut talk, ASKS, &script::answer(message, it.binary));
                ask(&mut talk, ASKS, &get());
            }
        }
    }
    let answer = script::answer(it.first(), it.binary);
    let listen = vec![format!("client$ n = recv_exactly c {} &", answer.len())];
    news.say(format!("server$ send conn {}", crate::lesson::escaped(&answer))).say("client$ wait n => ok");
    ask(&mut news, ASKS, &get());
    tell(&mut idle, ASKS, &nothing());
    ask(&mut idle, ASKS, &get());
    Ok(Script {
        open,
        talk: talk.done(),
        listen,
        news: news.done(),
        idle: idle.done(),
        streams: vec![ASKS, SAYS],
        close: closed(&[ASKS, SAYS]),
        times: Times { beat: Some(TIMEOUT), beat_says: "a 204 and the next GET every 30 s (RFC 6202 §5.5)" },
        ..Script::default()
    })
}

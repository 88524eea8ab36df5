//! Short polling: the client asks again and again, and is answered at once, mostly with nothing.

use crate::transport::{
    api::Scripted,
    http::script::{self, ask, closed, exchange, get, tell},
    script::{Cannot, Lines, Script, Sending, Times, connected},
};

pub(crate) const SCRIPTED: Scripted = Scripted {
    title: "HTTP, polling",
    about: "the client asks every so often; news waits until it asks again",
    why: "It takes nothing new: any server and any proxy can do it. News is late by half the pause on average, and most answers are empty.",
    over: &["IP", "TCP", "HTTP"],
    lesson: "news",
    sources: &["RFC 9110", "RFC 6202 §2"],
    script,
    layers: |bytes, _| script::layers(bytes),
};

fn script(it: &Sending) -> Result<Script, Cannot> {
    const ON: (&str, &str) = ("c", "conn");
    let (mut talk, mut news, mut idle) = (Lines::default(), Lines::default(), Lines::default());
    for message in &it.messages {
        exchange(&mut talk, it, ON, message);
    }
    // The message comes in the middle between two questions.
    news.say(format!("client$ pause {}ms", (it.interval.as_millis() / 2).max(1)));
    ask(&mut news, ON, &get());
    tell(&mut news, ON, &script::answer(it.first(), it.binary));
    ask(&mut idle, ON, &get());
    tell(&mut idle, ON, &script::nothing());
    Ok(Script {
        open: connected(),
        talk: talk.done(),
        news: news.done(),
        idle: idle.done(),
        streams: vec![ON],
        close: closed(&[ON]),
        times: Times { beat: Some(it.interval), beat_says: "a GET and a 204, as often as it asks" },
        ..Script::default()
    })
}

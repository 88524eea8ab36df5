//! SockJS: its frames, its Close codes, and the ways by which frames reach a client.

use super::{
    Entry,
    entries::{entry, reason},
};
use crate::wire::sockjs::{CLOSE_CODES, ENDPOINTS, FRAMES};

/// Letter of a frame, why there is one.
const FRAME_REASONS: [(u8, &str); 4] = [
    (
        b'o',
        "A first answer to polling says nothing of a session, not even that there is a SockJS server; this letter does.",
    ),
    (
        b'h',
        "Load balancers cut connections on which nothing happens. On a WebSocket sockjs-node sends a Ping instead.",
    ),
    (
        b'a',
        "Whatever came up while no connection was there to carry it goes in one frame. JSON, as a line end within a message would end the frame.",
    ),
    (b'c', "A session outlives its connections, so that the end of one does not say that it is over."),
];

/// First Close code of an entry, why.
const CODE_REASONS: [(u16, &str); 8] = [
    (1000, "An application that closes without a word of its own still has to send some code."),
    (
        1002,
        "What the connection carried last may not have arrived. To go on would be to lose messages in silence.",
    ),
    (
        1006,
        "A server that was started anew knows no sessions, takes the id for a new one, and opens it: to the client that is a second open frame.",
    ),
    (2000, "Each transport has had its time, and the application must be told that there is none."),
    (2007, "Something on the way may hold back an upgrade or an answer for ever: only a clock ends that."),
    (2010, "Each frame goes to one connection. With two, the order of the messages would be gone."),
    (3000, "The example of the document. Codes from 3000 on are the application's, as with the WebSocket."),
    (3001, "Applications bring their codes from the WebSocket, whose API this is."),
];

/// Last part of a session's URL, why it is there.
const ENDPOINT_REASONS: [(&str, &str); 8] = [
    ("websocket", "The best there is, tried first: the rest is for where it can't be."),
    (
        "xhr_streaming",
        "One answer brings many frames, as soon as there are any. It ends after 128 KiB, as browsers keep all of it in memory.",
    ),
    (
        "xhr",
        "Some proxies pass on an answer only when it is whole: so it ends with its first frame, and the client asks again.",
    ),
    (
        "xhr_send",
        "An answer that goes on leaves its connection no room for another request: so messages go up on a second one.",
    ),
    (
        "eventsource",
        "Browsers read event streams by themselves: no script has to cut frames out of an answer.",
    ),
    (
        "htmlfile",
        "Internet Explorer shows a page while it comes: so the frames are scripts in a page without an end.",
    ),
    ("jsonp", "Scripts may come from any origin, also in browsers that let a page ask nobody but its own."),
    (
        "jsonp_send",
        "A form may be sent to any origin, also in browsers that let a page ask nobody but its own.",
    ),
];

/// Its entries.
pub(super) fn sockjs(all: &mut Vec<Entry>) {
    for it in &FRAMES {
        let letter = char::from(it.letter);
        let why = reason(&FRAME_REASONS, &it.letter);
        let path = format!("sockjs.frame.{letter}");
        let mut frame = entry(path, &format!("{} frame", it.symbol), it.meaning, why, it.section);
        frame.spellings = vec![format!("sockjs.{letter}"), format!("sockjs.{}", it.symbol)];
        all.push(frame);
    }
    for it in &CLOSE_CODES {
        let why = reason(&CODE_REASONS, &it.first);
        let one = it.first == it.last;
        let number = if one { it.first.to_string() } else { format!("{}-{}", it.first, it.last) };
        let name = if it.reason.is_empty() { "application" } else { it.reason };
        let mut code = entry(format!("sockjs.close.{number}"), name, it.meaning, why, it.section);
        let sent = if it.sent { "yes" } else { "no: a client tells it to its own application" };
        code.values = vec![("in a frame".to_owned(), sent.to_owned())];
        all.push(code);
    }
    for it in &ENDPOINTS {
        let why = reason(&ENDPOINT_REASONS, &it.name);
        let path = format!("sockjs.url.{}", it.name);
        let mut endpoint = entry(path, &format!("/{}", it.name), it.meaning, why, it.section);
        endpoint.values = vec![("asked with".to_owned(), it.method.to_owned())];
        all.push(endpoint);
    }
}

/// The part of the lesson that shows it, from 0.
pub(super) fn part(path: &str) -> usize {
    match path {
        "sockjs.url.websocket" | "sockjs.frame.o" | "sockjs.frame.a" => 1,
        "sockjs.url.xhr_streaming"
        | "sockjs.url.xhr_send"
        | "sockjs.url.eventsource"
        | "sockjs.url.htmlfile" => 2,
        "sockjs.url.xhr" | "sockjs.url.jsonp" | "sockjs.url.jsonp_send" => 3,
        _ => 4,
    }
}

//! SockJS: its frames, its close codes, and its endpoints.

use super::{Entry, entries::entry};
use crate::wire::sockjs::{CLOSE_CODES, ENDPOINTS, FRAMES};

/// Its entries.
pub(super) fn sockjs(all: &mut Vec<Entry>) {
    for it in &FRAMES {
        let letter = char::from(it.letter);
        let path = format!("sockjs.frame.{letter}");
        let mut frame = entry(path, &format!("{} frame", it.symbol), it.meaning, it.section);
        frame.spellings = vec![format!("sockjs.{letter}"), format!("sockjs.{}", it.symbol)];
        all.push(frame);
    }
    for it in &CLOSE_CODES {
        let one = it.first == it.last;
        let number = if one { it.first.to_string() } else { format!("{}-{}", it.first, it.last) };
        let name = if it.reason.is_empty() { "application" } else { it.reason };
        let mut code = entry(format!("sockjs.close.{number}"), name, it.meaning, it.section);
        let sent = if it.sent { "yes" } else { "no: a client tells it to its own application" };
        code.values = vec![("in a frame".to_owned(), sent.to_owned())];
        all.push(code);
    }
    for it in &ENDPOINTS {
        let path = format!("sockjs.url.{}", it.name);
        let mut endpoint = entry(path, &format!("/{}", it.name), it.meaning, it.section);
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

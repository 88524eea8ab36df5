//! The server of event streams: each message is an event, and a comment shows that somebody is there.

use std::{sync::Arc, time::Instant};

use super::{EVENT_STREAM, EVENTS};
use crate::{
    transport::{
        api::{Ending, Server},
        connection::{Connection, Fault},
        events::{Happened, Way},
        http::{Handled, Request, Response, Serving, not_allowed, serve_site},
        message::Message,
        poll,
        room::Room,
    },
    wire::event_stream::{CONTENT_TYPE, comment, encode, retry},
};

/// After a cut a browser is to wait so long, in ms, before it comes again.
const RETRY: u64 = 1000;

struct Streams;

/// A server.
pub(super) fn new(_room: &Room) -> Result<Arc<dyn Server>, Fault> {
    Ok(Arc::new(Streams))
}

impl Server for Streams {
    fn serve(&self, connection: &Arc<Connection>, room: &Arc<Room>) -> Result<Ending, Fault> {
        serve_site(connection, room, |serving, request| match handle(serving, request, room)? {
            // What is said comes by POST, as with polls.
            Handled::NotMine => poll::server::handle(serving, request, room, false),
            handled => Ok(handled),
        })
    }
}

/// Answers at `/events` with a stream that ends with the connection, or with the server.
pub(in crate::transport) fn handle(
    serving: &mut Serving,
    request: &Request,
    room: &Room,
) -> Result<Handled, Fault> {
    if request.path() != EVENTS {
        return Ok(Handled::NotMine);
    }
    if !matches!(request.method(), "GET" | "HEAD") {
        return Ok(Handled::keeping(serving.answer(request, &not_allowed("GET, HEAD"))?));
    }
    let client = request.query("client").unwrap_or_default();
    let feed = match room.feed(&client) {
        Ok(feed) => feed,
        Err(fault) => {
            let response = Response::text(503, format!("503 Service Unavailable\n{fault}\n"));
            return Ok(Handled::keeping(serving.answer(request, &response)?));
        }
    };
    // Whoever comes again says what it had last; whoever is new hears what is new.
    let last = request.field("Last-Event-ID").and_then(|id| id.trim().parse().ok());
    let mut after = last.unwrap_or_else(|| feed.last());
    let fields = [("Content-Type", CONTENT_TYPE), ("Cache-Control", "no-store")];
    if !serving.start(request, 200, &fields)? {
        return Ok(Handled::keeping(serving.finish(request)?));
    }
    let words = format!("retry {RETRY}");
    send(serving, request, &words, &retry(RETRY))?;
    let mut beat = Instant::now() + room.terms.beat;
    loop {
        let behind = feed.behind(after, beat.min(Instant::now() + poll::server::LOOK));
        if behind.missed > 0 {
            // It was slower than the rest, or came too late: what it missed is forgotten, and it is told.
            send(serving, request, "comment", &comment(&format!("{} messages were missed", behind.missed)))?;
        }
        after = behind.messages.last().map_or(after, |(number, _)| *number);
        for (number, message) in &behind.messages {
            let data = match &**message {
                Message::Text(text) => text.clone(),
                // An event stream is text: bytes have to be written as such.
                Message::Binary(bytes) => data_encoding::BASE64.encode(bytes),
            };
            let kind = matches!(**message, Message::Binary(_)).then_some("base64");
            let id = number.to_string();
            send(serving, request, &format!("event, id {id}"), &encode(kind, Some(&id), &data))?;
            beat = Instant::now() + room.terms.beat;
        }
        if behind.over {
            return Ok(Handled::keeping(serving.finish(request)? && !room.is_stopping()));
        }
        // When the server ends, it reads the end too: then the last chunk still has to be sent.
        if !serving.is_there() && !room.is_stopping() {
            return Ok(Handled::Close);
        }
        if Instant::now() >= beat {
            serving.piece(request, &comment(""))?;
            serving.connection().tell(EVENT_STREAM, Happened::beat(Way::Sent, "comment"));
            beat = Instant::now() + room.terms.beat;
        }
    }
}

fn send(serving: &Serving, request: &Request, what: &str, bytes: &[u8]) -> Result<(), Fault> {
    serving.piece(request, bytes)?;
    serving.connection().tell(EVENT_STREAM, Happened::unit(Way::Sent, what, bytes));
    Ok(())
}

//! The server that is asked again and again: it keeps messages by their number, and holds a long poll until
//! there is one.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{NEWS, written};
use crate::transport::{
    api::{Ending, Server},
    connection::{Connection, Fault},
    events::{Happened, WORDS},
    http::{Handled, Request, Response, Serving, not_allowed, serve_site, too_large},
    message::Message,
    room::Room,
};

/// Whoever is held is looked for so often: nobody else says that it has left.
pub(in crate::transport) const LOOK: Duration = Duration::from_secs(1);

struct Polled {
    /// Whether a question is held until there is an answer.
    holds: bool,
}

/// A server that answers at once.
pub(super) fn short(_room: &Room) -> Result<Arc<dyn Server>, Fault> {
    Ok(Arc::new(Polled { holds: false }))
}

/// A server that answers when it has something to say.
pub(super) fn long(_room: &Room) -> Result<Arc<dyn Server>, Fault> {
    Ok(Arc::new(Polled { holds: true }))
}

impl Server for Polled {
    fn serve(&self, connection: &Arc<Connection>, room: &Arc<Room>) -> Result<Ending, Fault> {
        serve_site(connection, room, |serving, request| handle(serving, request, room, self.holds))
    }
}

/// Answers what is asked and said at `/news`.
pub(in crate::transport) fn handle(
    serving: &mut Serving,
    request: &Request,
    room: &Room,
    holds: bool,
) -> Result<Handled, Fault> {
    if request.path() != NEWS {
        return Ok(Handled::NotMine);
    }
    let response = match request.method() {
        "POST" => say(serving, request, room),
        "GET" | "HEAD" => match ask(serving, request, room, holds)? {
            Some(response) => response,
            None => return Ok(Handled::Close),
        },
        _ => not_allowed("GET, HEAD, POST"),
    };
    Ok(Handled::keeping(serving.answer(request, &response)?))
}

/// Somebody says something.
fn say(serving: &Serving, request: &Request, room: &Room) -> Response {
    if let Some(refusal) = too_large(request, room) {
        return refusal;
    }
    let client = request.query("client").unwrap_or_default();
    match room.said(serving.connection().number(), &client, Message::of(request.content.clone())) {
        Ok(()) => Response::new(204),
        Err(fault) => Response::text(503, format!("503 Service Unavailable\n{fault}\n")),
    }
}

/// Somebody asks what is new; none if it has left meanwhile.
fn ask(
    serving: &mut Serving,
    request: &Request,
    room: &Room,
    holds: bool,
) -> Result<Option<Response>, Fault> {
    let Ok(after) = request.query("after").unwrap_or_else(|| "0".to_owned()).parse() else {
        return Ok(Some(Response::text(400, "400 Bad Request\nafter is the number of a message\n")));
    };
    let client = request.query("client").unwrap_or_default();
    let feed = match room.feed(&client) {
        Ok(feed) => feed,
        Err(fault) => return Ok(Some(Response::text(503, format!("503 Service Unavailable\n{fault}\n")))),
    };
    let began = Instant::now();
    let until = if holds { began + room.terms.beat } else { began };
    let behind = loop {
        let behind = feed.behind(after, until.min(Instant::now() + LOOK));
        if !behind.messages.is_empty() || behind.over || Instant::now() >= until {
            break behind;
        }
        if !serving.is_there() && !room.is_stopping() {
            return Ok(None);
        }
    };
    if behind.messages.is_empty() {
        return Ok(Some(Response::new(204).with("Cache-Control", "no-store")));
    }
    if behind.missed > 0 {
        let text = format!("{} messages before these were forgotten: it asked too late", behind.missed);
        serving.connection().tell(WORDS, Happened::Note(text));
    }
    let response = Response::new(200).content("application/json", written(&behind));
    Ok(Some(response.with("Cache-Control", "no-store")))
}

//! The server: what is posted is sent back in the response.

use std::sync::Arc;

use super::{Handled, Request, Response, Serving, serve_site};
use crate::transport::{
    api::{Ending, Server},
    connection::{Connection, Fault},
    events::{Happened, WORDS, Way},
    room::Room,
};

struct Echo;

/// A server.
pub(super) fn new(_room: &Room) -> Result<Arc<dyn Server>, Fault> {
    Ok(Arc::new(Echo))
}

impl Server for Echo {
    fn serve(&self, connection: &Arc<Connection>, room: &Arc<Room>) -> Result<Ending, Fault> {
        serve_site(connection, room, |serving, request| answer(serving, request, room))
    }
}

fn answer(serving: &mut Serving, request: &Request, room: &Room) -> Result<Handled, Fault> {
    if request.path() != "/" {
        return Ok(Handled::NotMine);
    }
    let response = match request.method() {
        "POST" => match too_large(request, room) {
            Some(refusal) => refusal,
            None => {
                let content = &request.content;
                serving.connection().tell(WORDS, Happened::message(Way::Received, content));
                let kind = request.field("Content-Type").unwrap_or_else(|| "application/octet-stream".into());
                Response::new(200).content(&kind, content.clone()).with("Cache-Control", "no-store")
            }
        },
        "GET" | "HEAD" => Response::text(200, "POST something to /, and it comes back.\n"),
        _ => not_allowed("GET, HEAD, POST"),
    };
    Ok(Handled::keeping(serving.answer(request, &response)?))
}

/// 405, with what is allowed (RFC 9110 §15.5.6).
pub(in crate::transport) fn not_allowed(methods: &str) -> Response {
    Response::text(405, format!("405 Method Not Allowed\nknown here: {methods}\n")).with("Allow", methods)
}

/// The refusal of a message that is larger than may be.
pub(in crate::transport) fn too_large(request: &Request, room: &Room) -> Option<Response> {
    let most = room.terms.message;
    (request.content.len() as u64 > most).then(|| {
        Response::text(413, format!("413 Content Too Large\nat most {most} bytes are taken (--message)\n"))
    })
}

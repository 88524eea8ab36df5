//! The news server: one thread that publishes, one thread for each connection, and a bill for each transport.

use std::{
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::json;

use super::{BILL, PAUSE, SOCKET};
use crate::sync::lock;
use crate::{
    transport::{
        api::{Ending, Server},
        connection::{Connection, Fault},
        http::{Allowed, Handled, Request, Response, Serving, not_allowed},
        message::Message,
        pages::news::page,
        poll,
        room::Room,
        sse,
        websocket::{self, connection::WebSocket},
    },
    websocket::answer::Policy,
};

/// The transports in the order of the page, as a request names them in `way`.
const WAYS: [&str; 4] = ["poll", "long-poll", "sse", "websocket"];

/// The cost of a transport so far.
#[derive(Debug, Default)]
struct Bill {
    requests: u64,
    received: u64,
    sent: u64,
    /// Connections that are that way's alone and still go on: with what they had before.
    open: Vec<(Weak<Connection>, (u64, u64))>,
}

impl Bill {
    /// Returns the bytes received and sent, including those of open connections.
    fn bytes(&mut self) -> (u64, u64) {
        self.open.retain(|(connection, _)| connection.strong_count() > 0);
        let (mut received, mut sent) = (self.received, self.sent);
        for (connection, before) in &self.open {
            if let Some(connection) = connection.upgrade() {
                let now = connection.traffic();
                received += now.0 - before.0;
                sent += now.1 - before.1;
            }
        }
        (received, sent)
    }
}

struct Feed {
    every: Duration,
    paused: AtomicBool,
    bills: Mutex<[Bill; 4]>,
    writer: OnceLock<()>,
}

pub(super) fn new(room: &Room) -> Result<Arc<dyn Server>, Fault> {
    let every = room.terms.options.get("every").map_or(Ok(2000), |text| text.parse());
    let every = every.ok().filter(|ms| (10..=600_000).contains(ms));
    let every =
        every.ok_or_else(|| Fault::Asked("every is a number of milliseconds, 10 to 600000".to_owned()))?;
    room.speak_to_all();
    Ok(Arc::new(News(Arc::new(Feed {
        every: Duration::from_millis(every),
        paused: AtomicBool::new(false),
        bills: Mutex::default(),
        writer: OnceLock::new(),
    }))))
}

/// The server, whose feed the writer shares.
struct News(Arc<Feed>);

impl Server for News {
    fn serve(&self, connection: &Arc<Connection>, room: &Arc<Room>) -> Result<Ending, Fault> {
        self.0.writer.get_or_init(|| {
            let (feed, room) = (Arc::clone(&self.0), Arc::clone(room));
            // Without it there is no news, and the page says so.
            let _ = thread::Builder::new().name("news".to_owned()).spawn(move || feed.write(&room));
        });
        self.0.serve(connection, room)
    }
}

impl Feed {
    /// A piece of news every so often, until the server ends: when it was written, in ms since 1970, and a
    /// text.
    fn write(&self, room: &Room) {
        let mut number = 0_u64;
        while room.pause(Instant::now() + self.every) {
            if self.paused.load(Ordering::Relaxed) {
                continue;
            }
            number += 1;
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let at = u64::try_from(now.as_millis()).unwrap_or_default();
            let text = json!({ "at": at, "text": format!("news {number}") }).to_string();
            room.to_all(&Arc::new(Message::Text(text)));
        }
    }

    fn serve(&self, connection: &Arc<Connection>, room: &Arc<Room>) -> Result<Ending, Fault> {
        let mut serving = Serving::new(connection, &room.terms);
        let allowed = Allowed::here(connection, &room.terms);
        while let Some(request) = serving.next()? {
            if request.path() == SOCKET && request.asks_for_upgrade() {
                return self.websocket(serving, &request, &allowed, room);
            }
            let handled = if allowed.lets_in(&request) {
                self.answer(&mut serving, &request, room)?
            } else {
                let refusal = Response::text(403, "403 Forbidden\nthis page may not use this server\n");
                Handled::keeping(serving.answer(&request, &refusal)?)
            };
            if handled == Handled::Close || room.is_stopping() {
                break;
            }
        }
        serving.close();
        Ok(Ending::orderly("all its requests were answered"))
    }

    fn websocket(
        &self,
        serving: Serving,
        request: &Request,
        allowed: &Allowed,
        room: &Arc<Room>,
    ) -> Result<Ending, Fault> {
        let connection = Arc::clone(serving.connection());
        let had = (connection.traffic().0 - request.bytes.len() as u64, connection.traffic().1);
        let policy = Policy { allowed_origins: allowed.list().map(<[String]>::to_vec), ..Policy::default() };
        self.began(3, &connection, had);
        let outcome = WebSocket::accept(serving, request, &policy, room.terms.message)
            .and_then(|websocket| websocket::talk(websocket, room));
        self.ended(3, &connection, had);
        outcome
    }

    fn answer(&self, serving: &mut Serving, request: &Request, room: &Room) -> Result<Handled, Fault> {
        let way = request.query("way");
        let way = WAYS.iter().position(|name| way.as_deref() == Some(name));
        let connection = Arc::clone(serving.connection());
        let length = (request.bytes.len() + request.content.len()) as u64;
        let had = (connection.traffic().0 - length, connection.traffic().1);
        if let Some(way) = way {
            self.began(way, &connection, had);
        }
        let handled = self.handle(serving, request, room);
        if let Some(way) = way {
            self.ended(way, &connection, had);
        }
        handled
    }

    fn handle(&self, serving: &mut Serving, request: &Request, room: &Room) -> Result<Handled, Fault> {
        let response = match (request.path(), request.method()) {
            ("/", "GET" | "HEAD") => page(),
            (BILL, "GET") => {
                Response::new(200).content("application/json", self.bill()).with("Cache-Control", "no-store")
            }
            (PAUSE, "POST") => {
                self.paused.fetch_xor(true, Ordering::Relaxed);
                Response::new(204)
            }
            ("/" | BILL | PAUSE, _) => not_allowed("GET, HEAD, POST"),
            _ => {
                let holds = request.query("way").as_deref() == Some(WAYS[1]);
                let handled = match sse::server::handle(serving, request, room)? {
                    Handled::NotMine => poll::server::handle(serving, request, room, holds)?,
                    handled => handled,
                };
                if handled != Handled::NotMine {
                    return Ok(handled);
                }
                Response::text(404, "404 Not Found\n")
            }
        };
        Ok(Handled::keeping(serving.answer(request, &response)?))
    }

    /// Notes that a request of this transport has begun.
    fn began(&self, way: usize, connection: &Arc<Connection>, had: (u64, u64)) {
        let mut bills = lock(&self.bills);
        bills[way].requests += 1;
        bills[way].open.push((Arc::downgrade(connection), had));
    }

    /// Notes that the request was answered.
    fn ended(&self, way: usize, connection: &Arc<Connection>, had: (u64, u64)) {
        let mut bills = lock(&self.bills);
        let bill = &mut bills[way];
        let now = connection.traffic();
        bill.open.retain(|(open, _)| !std::ptr::eq(open.as_ptr(), Arc::as_ptr(connection)));
        bill.received += now.0.saturating_sub(had.0);
        bill.sent += now.1.saturating_sub(had.1);
    }

    /// Returns the bill of each transport as JSON.
    fn bill(&self) -> String {
        let mut bills = lock(&self.bills);
        let ways: Vec<_> = WAYS
            .iter()
            .zip(bills.iter_mut())
            .map(|(way, bill)| {
                let (received, sent) = bill.bytes();
                json!({ "way": way, "requests": bill.requests, "received": received, "sent": sent })
            })
            .collect();
        json!({ "ways": ways, "every": u64::try_from(self.every.as_millis()).unwrap_or_default(), "paused": self.paused.load(Ordering::Relaxed) }).to_string()
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::transport::{events::Reporter, terms::Terms};

    #[test]
    fn how_often_news_comes_is_a_number() {
        let room = |every: &str| {
            let options = [("every".to_owned(), every.to_owned())].into();
            Room::new(Terms { options, ..Terms::default() }, Reporter::new().0)
        };
        assert!(new(&room("100")).is_ok());
        assert!(new(&room("0")).is_err() && new(&room("x")).is_err());
    }

    #[test]
    fn the_writer_writes_until_the_end() {
        let room = Room::new(Terms::default(), Reporter::new().0);
        let feed = Feed {
            every: Duration::from_millis(10),
            paused: AtomicBool::new(false),
            bills: Mutex::default(),
            writer: OnceLock::new(),
        };
        room.speak_to_all();
        let heard = room.feed("").unwrap();
        thread::scope(|scope| {
            scope.spawn(|| feed.write(&room));
            let behind = heard.behind(1, Instant::now() + Duration::from_secs(10));
            assert!(!behind.messages.is_empty());
            room.stop();
        });
    }
}

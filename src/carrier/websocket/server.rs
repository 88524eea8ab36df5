//! The server over WebSockets: one thread hears, another says what the room has for this guest, and pings who is silent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use crate::{
    carrier::{
        ends::{Over, Server},
        line::{
            Came, Fault, Happened, Line, Voice, Way, WebSocket,
            http::{Allowed, Serving},
            room::{Last, Next, Outbox, Room},
        },
    },
    upgrade::{answer::Policy, page},
};

struct Frames;

/// A server.
pub(super) fn new(_room: &Room) -> Result<Arc<dyn Server>, Fault> {
    Ok(Arc::new(Frames))
}

impl Server for Frames {
    fn serve(&self, line: &Arc<Line>, room: &Arc<Room>) -> Result<Over, Fault> {
        let mut serving = Serving::new(line, &room.terms);
        let Some(request) = serving.next()? else {
            return Ok(Over::orderly("it asked for nothing"));
        };
        // A browser that asks for no upgrade gets a page to try it from.
        if let Some(page) = page::answer(&request.head) {
            line.send(&page.response)?;
            let what = format!("response {}", page.status);
            line.tell("HTTP", Happened::unit(Way::Sent, what, &page.response));
            serving.close();
            return Ok(Over::orderly("it got the page, and asked for no upgrade"));
        }
        let allowed = Allowed::here(line, &room.terms).list().map(<[String]>::to_vec);
        let policy = Policy { allowed_origins: allowed, ..Policy::default() };
        let websocket = WebSocket::accept(serving, &request, &policy, room.terms.message)?;
        talk(websocket, room)
    }
}

/// Serves a WebSocket to its end.
pub fn talk(mut websocket: WebSocket, room: &Arc<Room>) -> Result<Over, Fault> {
    let line = Arc::clone(websocket.line());
    let seat = room.seat(line.number());
    let outbox = Arc::clone(&seat.outbox);
    let voice = websocket.voice();
    // Something came since the last Ping.
    let alive = AtomicBool::new(true);
    thread::scope(|scope| {
        let writer = scope.spawn(|| speak(&voice, &line, &outbox, room, &alive));
        let heard = loop {
            match websocket.hear(Instant::now() + room.terms.idle) {
                Ok(Came::Message(message)) => seat.said(message),
                Ok(Came::Ping(_) | Came::Pong(_)) => {}
                Ok(Came::Close(1006, _)) => break Ok(Over::abrupt("without a Close: 1006")),
                Ok(Came::Close(code, _)) => break Ok(Over::orderly(format!("Close {code}"))),
                Ok(Came::Late) => break Err(Fault::Late("nothing moved on it for too long".to_owned())),
                Err(fault) => break Err(fault),
            }
            alive.store(true, Ordering::Relaxed);
        };
        outbox.close(Last::Gone);
        let spoken = writer.join().unwrap_or(Ok(Last::Gone));
        let over = match spoken? {
            Last::Full => Err(Fault::Limit("it is slower than the rest, and its outbox was full".to_owned())),
            Last::Stopping => heard.map(|_| Over::orderly("the server ends: Close 1001")),
            Last::Gone => heard,
        };
        websocket.finish();
        over
    })
}

/// Says what there is to say, then Close. Who was silent since the last Ping, and did not answer it, is given up.
fn speak(
    voice: &Voice,
    line: &Line,
    outbox: &Outbox,
    room: &Room,
    alive: &AtomicBool,
) -> Result<Last, Fault> {
    let mut beat = Instant::now() + room.terms.beat;
    let outcome = loop {
        match outbox.next(beat) {
            Next::Message(message) => {
                if let Err(fault) = voice.say(&message) {
                    break Err(fault);
                }
            }
            Next::Own(_) => {}
            Next::Late => {
                if !alive.swap(false, Ordering::Relaxed) {
                    break Err(Fault::Late("no Pong came back: nobody is there any more".to_owned()));
                }
                beat = Instant::now() + room.terms.beat;
                if let Err(fault) = voice.ping(b"") {
                    break Err(fault);
                }
            }
            Next::Over(why) => {
                let (code, reason) = match why {
                    Last::Full => (1008, "too slow"),
                    Last::Stopping => (1001, "the server ends"),
                    Last::Gone => return Ok(why),
                };
                // Whoever hears gets the Close that comes back, or the end.
                break voice.close(Some(code), reason).map(|()| why);
            }
        }
    };
    if outcome.is_err() || matches!(outcome, Ok(Last::Full)) {
        // What it has not read is not waited for.
        line.cut();
    }
    outcome
}

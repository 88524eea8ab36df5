//! The WebSocket server: one thread receives; another sends what the room has for this client, and pings a
//! silent one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    connection::{Came, FrameSender, WebSocket},
    ticker::Ticker,
};
use crate::{
    server::http::page::{self, Sheet},
    transport::{
        api::{Ending, Server},
        connection::{Connection, Fault},
        events::{Happened, Way},
        http::{Allowed, Serving},
        message::Message,
        outbox::{Last, Next, Outbox},
        room::{Room, Seat},
    },
    websocket::answer::Policy,
};

/// Longest wait for the Close of a client that was told that it is too slow. After it, the connection is
/// reset.
const ANSWERED: Duration = Duration::from_secs(5);

struct Frames {
    /// The page for a browser.
    page: &'static Sheet,
    ticker: Option<Arc<Ticker>>,
}

pub(super) fn new(room: &Room) -> Result<Arc<dyn Server>, Fault> {
    let ticker = Ticker::of(&room.terms)?.map(Arc::new);
    let page = match &ticker {
        Some(_) => &page::TICKER,
        None if room.terms.chat => &page::CHAT,
        None => &page::ECHO,
    };
    Ok(Arc::new(Frames { page, ticker }))
}

impl Server for Frames {
    fn serve(&self, connection: &Arc<Connection>, room: &Arc<Room>) -> Result<Ending, Fault> {
        let mut serving = Serving::new(connection, &room.terms);
        let Some(request) = serving.next()? else {
            return Ok(Ending::orderly("it asked for nothing"));
        };
        // A request without an upgrade gets the page.
        if let Some(page) = page::answer(&request.head, self.page) {
            connection.send(&page.response)?;
            let what = format!("response {}", page.status);
            connection.tell("HTTP", Happened::unit(Way::Sent, what, &page.response));
            serving.close();
            return Ok(Ending::orderly("it got the page, and asked for no upgrade"));
        }
        let allowed = Allowed::here(connection, &room.terms).list().map(<[String]>::to_vec);
        let policy = Policy { allowed_origins: allowed, ..Policy::default() };
        // The seat is taken before the answer, so that a client with the answer receives all messages from
        // then on.
        let seat = room.seat(connection.number());
        let websocket = WebSocket::accept(serving, &request, &policy, room.terms.message)?;
        let Some(ticker) = &self.ticker else { return talk_from(&seat, websocket, room, &said) };
        connection.keep_little();
        ticker.welcome(room, &seat, &request.head.target)?;
        talk_from(&seat, websocket, room, &Ticker::said)
    }
}

/// Handles a message of a client.
type Say = dyn Fn(&Seat, Message) -> Result<(), Fault>;

/// Sends a message back, or to all clients.
fn said(seat: &Seat, message: Message) -> Result<(), Fault> {
    seat.said(message);
    Ok(())
}

/// Serves a WebSocket until it ends.
pub fn talk(websocket: WebSocket, room: &Arc<Room>) -> Result<Ending, Fault> {
    let seat = room.seat(websocket.connection().number());
    talk_from(&seat, websocket, room, &said)
}

fn talk_from(seat: &Seat, mut websocket: WebSocket, room: &Room, say: &Say) -> Result<Ending, Fault> {
    let connection = Arc::clone(websocket.connection());
    let outbox = Arc::clone(&seat.outbox);
    let sender = websocket.sender();
    // Whether something was received since the last Ping.
    let alive = AtomicBool::new(true);
    thread::scope(|scope| {
        let (hears, nobody_hears) = mpsc::channel();
        let writer = scope.spawn(|| speak(&sender, &connection, &outbox, room, &alive, nobody_hears));
        let heard = loop {
            match websocket.hear(Instant::now() + room.terms.idle) {
                Ok(Came::Message(message)) => {
                    if let Err(fault) = say(seat, message) {
                        let _ = sender.close(Some(1008), "that can't be asked for");
                        break Err(fault);
                    }
                }
                Ok(Came::Ping(_) | Came::Pong(_)) => {}
                Ok(Came::Close(1006, _)) => break Ok(Ending::abrupt("without a Close: 1006")),
                Ok(Came::Close(code, _)) => break Ok(Ending::orderly(format!("Close {code}"))),
                Ok(Came::Late) => break Err(Fault::Late("nothing moved on it for too long".to_owned())),
                Err(fault) => break Err(fault),
            }
            alive.store(true, Ordering::Relaxed);
        };
        drop(hears);
        outbox.close(Last::Gone);
        let spoken = writer.join().unwrap_or(Ok(Last::Gone));
        let over = match spoken? {
            Last::Full => Err(Fault::Limit(
                "it is slower than the rest, and its outbox was full: Close 1008".to_owned(),
            )),
            Last::Stopping => heard.map(|_| Ending::orderly("the server ends: Close 1001")),
            Last::Gone => heard,
        };
        websocket.finish();
        over
    })
}

/// Sends the waiting messages, then a Close. A client that stayed silent and did not answer the last Ping is
/// dropped. `nobody_hears` is disconnected when the receiving thread ends.
fn speak(
    sender: &FrameSender,
    connection: &Connection,
    outbox: &Outbox,
    room: &Room,
    alive: &AtomicBool,
    nobody_hears: Receiver<()>,
) -> Result<Last, Fault> {
    let mut beat = Instant::now() + room.terms.beat;
    let outcome = loop {
        match outbox.next(beat) {
            Next::Message(message) => {
                if let Err(fault) = sender.say(&message) {
                    break Err(fault);
                }
            }
            Next::Own(_) => {}
            Next::Late => {
                if !alive.swap(false, Ordering::Relaxed) {
                    break Err(Fault::Late("no Pong came back: nobody is there any more".to_owned()));
                }
                beat = Instant::now() + room.terms.beat;
                if let Err(fault) = sender.ping(b"") {
                    break Err(fault);
                }
            }
            Next::Closed(why) => {
                let (code, reason) = match why {
                    Last::Full => (1008, "too slow"),
                    Last::Stopping => (1001, "the server ends"),
                    Last::Gone => return Ok(why),
                };
                // The receiving thread gets the peer's Close, or the end of the stream.
                break sender.close(Some(code), reason).map(|()| why);
            }
        }
    };
    match &outcome {
        // The peer reads slowly. A RST would destroy the frames on their way, and the Close behind them.
        Ok(Last::Full) => {
            if nobody_hears.recv_timeout(ANSWERED) == Err(RecvTimeoutError::Timeout) {
                connection.will_be_reset();
                connection.cut();
            }
        }
        // The peer does not read or answer, or a frame was sent only in part: a Close can't be sent any more.
        Err(_) => {
            connection.will_be_reset();
            connection.cut();
        }
        Ok(_) => {}
    }
    outcome
}

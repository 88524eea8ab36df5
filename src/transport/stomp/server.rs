//! The STOMP server, a small broker. A message to `/topic/NAME` goes to all subscribers, a message to
//! `/queue/NAME` to one of them.
//!
//! A message goes to the subscribers of its destination, with and without `--chat`: in STOMP the client
//! chooses. One thread receives and handles frames; another sends the items of the outbox, and heartbeats
//! when they are due.

mod broker;
mod session;

use std::{
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use super::{
    STOMP,
    beats::{Beats, Due},
    crossed,
    link::{Came, Link, Speaker},
    server::{
        broker::Broker,
        session::{Session, Step},
    },
};
use crate::sync::lock;
use crate::{
    transport::{
        api::{Ending, Server},
        connection::{Connection, Fault},
        events::{Happened, Way},
        outbox::{Last, Next, Outbox},
        room::Room,
    },
    wire::stomp::{Frame, HeartBeat, Version},
};

/// Time in which CONNECT must arrive.
const CONNECT: Duration = Duration::from_secs(10);

struct Stomp {
    broker: Arc<Broker>,
}

pub(super) fn new(room: &Room) -> Result<Arc<dyn Server>, Fault> {
    Ok(Arc::new(Stomp { broker: Arc::new(Broker::new(room.terms.queue)) }))
}

impl Server for Stomp {
    fn serve(&self, connection: &Arc<Connection>, room: &Arc<Room>) -> Result<Ending, Fault> {
        let until = Instant::now() + CONNECT.min(room.terms.idle);
        let Some(mut link) = Link::accept(connection, room, until)? else {
            return Ok(Ending::orderly("it said nothing"));
        };
        let seat = room.seat_of(connection.number());
        let (outbox, speaker) = (Arc::clone(&seat.outbox), link.speaker());
        let beats = Mutex::new(Beats::new(HeartBeat::default(), HeartBeat::default(), Instant::now()));
        thread::scope(|scope| {
            let writer = scope.spawn(|| speak(&speaker, connection, &outbox, &beats));
            let mut session = Session::new(&self.broker, &outbox, &room.terms);
            let heard = hear(&mut link, &mut session, room, &beats, until);
            // The session receives no more messages, and its unacknowledged messages go to other subscribers.
            drop(session);
            outbox.close(Last::Gone);
            let spoken = writer.join().unwrap_or(Ok(Last::Gone));
            let (code, over) = match (spoken, heard) {
                (Err(fault), _) => (1011, Err(fault)),
                (Ok(Last::Full), _) => (
                    1008,
                    Err(Fault::Limit("it is slower than the rest, and its outbox was full".to_owned())),
                ),
                (Ok(Last::Stopping), _) => (1001, Ok(Ending::orderly("the server ends: ERROR"))),
                (Ok(Last::Gone), Err(fault)) => (1002, Err(fault)),
                (Ok(Last::Gone), Ok(over)) => (1000, Ok(over)),
            };
            link.finish(code, "");
            over
        })
    }
}

/// Handles frames until the stream ends.
fn hear(
    link: &mut Link,
    session: &mut Session,
    room: &Room,
    beats: &Mutex<Beats>,
    connect_until: Instant,
) -> Result<Ending, Fault> {
    let mut idle = Instant::now() + room.terms.idle;
    loop {
        let due = lock(beats).due(Instant::now());
        let until = match (session.is_connected(), due) {
            (false, _) => connect_until,
            (true, Due::Dead(silent)) => {
                let silent = silent.as_millis();
                return Err(Fault::Late(format!(
                    "nothing came for {silent} ms: heart-beats were missed (STOMP 1.2, Heart-beating)"
                )));
            }
            // The other thread sends.
            (true, Due::Send) => Instant::now() + Duration::from_millis(20),
            (true, Due::Nothing(next)) => next.unwrap_or(idle).min(idle),
        };
        match link.hear(until)? {
            Came::Octets(octets) => {
                idle = Instant::now() + room.terms.idle;
                lock(beats).heard(Instant::now());
                match session.received(&octets, |what| link.connection().tell(STOMP, what)) {
                    Ok(Step::On) => {}
                    Ok(Step::Connected(agreed)) => *lock(beats) = agreed,
                    Ok(Step::Bye) => return Ok(Ending::orderly("DISCONNECT")),
                    Err(fault) => return Err(fault),
                }
            }
            Came::Late if !session.is_connected() => {
                return Err(Fault::Late("CONNECT did not come in time".to_owned()));
            }
            Came::Late if Instant::now() >= idle => {
                return Err(Fault::Late("nothing moved on it for too long".to_owned()));
            }
            Came::Late => {}
            Came::End(why) => return Ok(Ending::abrupt(format!("without DISCONNECT: {why}"))),
        }
    }
}

/// Sends the items of the outbox, and an end of line when a heartbeat is due.
fn speak(
    speaker: &Speaker,
    connection: &Arc<Connection>,
    outbox: &Outbox<Vec<u8>>,
    beats: &Mutex<Beats>,
) -> Result<Last, Fault> {
    let outcome = loop {
        // The wait is short even if no heartbeat is due, because CONNECT may just have negotiated some.
        let soon = Instant::now() + Duration::from_millis(250);
        let next = lock(beats).next_send();
        let (octets, what) = match outbox.next(next.unwrap_or(soon).min(soon)) {
            Next::Own(octets) => {
                let command = octets.split(|octet| *octet == b'\n').next().unwrap_or_default();
                let command = String::from_utf8_lossy(command).into_owned();
                let what = crossed(Way::Sent, &command, &octets);
                (octets, what)
            }
            Next::Late if next.is_some_and(|next| Instant::now() >= next) => {
                (b"\n".to_vec(), Happened::beat(Way::Sent, "end of line"))
            }
            Next::Late | Next::Message(_) => continue,
            Next::Closed(Last::Stopping) => {
                let error = Frame::new("ERROR").with("message", "the server ends");
                let octets = error.encode(Version::V12);
                connection.tell(STOMP, crossed(Way::Sent, "ERROR", &octets));
                let _ = speaker.send(octets);
                break Ok(Last::Stopping);
            }
            Next::Closed(why) => break Ok(why),
        };
        lock(beats).sent(Instant::now());
        connection.tell(STOMP, what);
        if let Err(fault) = speaker.send(octets) {
            break Err(fault);
        }
    };
    match outcome {
        Ok(Last::Gone) => {}
        // The receiving thread returns.
        Ok(Last::Stopping) => connection.hear_no_more(),
        Ok(Last::Full) | Err(_) => connection.cut(),
    }
    outcome
}

//! The server over bare TCP: one thread reads lines, another writes what the room has for this guest.

use std::{sync::Arc, thread, time::Instant};

use super::{
    TCP,
    client::{take_line, without_end},
};
use crate::transport::{
    api::{Ending, Server},
    connection::{Connection, Fault, ReadHalf, ReadOutcome},
    events::{Happened, Way},
    message::Message,
    outbox::{Last, Next, Outbox},
    room::Room,
};

struct Lines;

/// A server.
pub(super) fn new(_room: &Room) -> Result<Arc<dyn Server>, Fault> {
    Ok(Arc::new(Lines))
}

impl Server for Lines {
    fn serve(&self, connection: &Arc<Connection>, room: &Arc<Room>) -> Result<Ending, Fault> {
        let seat = room.seat(connection.number());
        let outbox = Arc::clone(&seat.outbox);
        thread::scope(|scope| {
            let writer = scope.spawn(|| write(connection, &outbox, room));
            let mut incoming = connection.read_half();
            let read = loop {
                match take_line(&mut incoming, room.terms.message) {
                    Ok(Some(bytes)) => {
                        connection.tell(TCP, Happened::unit(Way::Received, "line", &bytes));
                        seat.said(Message::of(without_end(bytes)));
                        continue;
                    }
                    Ok(None) => {}
                    Err(fault) => break Err(fault),
                }
                match incoming.read_more(Some(Instant::now() + room.terms.idle)) {
                    Ok(ReadOutcome::Bytes) => {}
                    Ok(ReadOutcome::End) => break Ok(Ending::orderly("it sent a FIN")),
                    Ok(ReadOutcome::TimedOut) => {
                        break Err(Fault::Late("nothing moved on it for too long".to_owned()));
                    }
                    Err(fault) => break Err(fault),
                }
            };
            // What was said before the FIN still goes back.
            outbox.close(Last::Gone);
            let written = writer.join().unwrap_or(Ok(Last::Gone));
            settle(&mut incoming, read, written)
        })
    }
}

/// What both threads came to.
fn settle(
    incoming: &mut ReadHalf,
    read: Result<Ending, Fault>,
    written: Result<Last, Fault>,
) -> Result<Ending, Fault> {
    let over = match written? {
        Last::Full => Err(Fault::Limit("it is slower than the rest, and its outbox was full".to_owned())),
        Last::Stopping => Ok(Ending::orderly("the server ends")),
        Last::Gone => read,
    };
    incoming.linger();
    over
}

/// Writes until there is no more, and then ends the line: whoever reads it is woken by that.
fn write(connection: &Arc<Connection>, outbox: &Outbox, room: &Room) -> Result<Last, Fault> {
    loop {
        match outbox.next(Instant::now() + room.terms.idle) {
            Next::Message(message) => {
                let bytes = [message.bytes(), b"\n"].concat();
                if let Err(fault) = connection.send(&bytes) {
                    connection.cut();
                    return Err(fault);
                }
                connection.tell(TCP, Happened::unit(Way::Sent, "line", &bytes));
            }
            Next::Own(_) | Next::Late => {}
            Next::Closed(why) => {
                connection.end();
                connection.hear_no_more();
                return Ok(why);
            }
        }
    }
}

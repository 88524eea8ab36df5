//! The server over bare TCP: one thread reads lines, another writes what the room has for this guest.

use std::{sync::Arc, thread, time::Instant};

use super::{
    TCP,
    client::{take_line, without_end},
};
use crate::transport::{
    api::{Over, Server},
    connection::{Fault, Incoming, Line, More},
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
    fn serve(&self, line: &Arc<Line>, room: &Arc<Room>) -> Result<Over, Fault> {
        let seat = room.seat(line.number());
        let outbox = Arc::clone(&seat.outbox);
        thread::scope(|scope| {
            let writer = scope.spawn(|| write(line, &outbox, room));
            let mut incoming = line.incoming();
            let read = loop {
                match take_line(&mut incoming, room.terms.message) {
                    Ok(Some(bytes)) => {
                        line.tell(TCP, Happened::unit(Way::Received, "line", &bytes));
                        seat.said(Message::of(without_end(bytes)));
                        continue;
                    }
                    Ok(None) => {}
                    Err(fault) => break Err(fault),
                }
                match incoming.more(Some(Instant::now() + room.terms.idle)) {
                    Ok(More::Bytes) => {}
                    Ok(More::End) => break Ok(Over::orderly("it sent a FIN")),
                    Ok(More::Late) => break Err(Fault::Late("nothing moved on it for too long".to_owned())),
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
    incoming: &mut Incoming,
    read: Result<Over, Fault>,
    written: Result<Last, Fault>,
) -> Result<Over, Fault> {
    let over = match written? {
        Last::Full => Err(Fault::Limit("it is slower than the rest, and its outbox was full".to_owned())),
        Last::Stopping => Ok(Over::orderly("the server ends")),
        Last::Gone => read,
    };
    incoming.linger();
    over
}

/// Writes until there is no more, and then ends the line: whoever reads it is woken by that.
fn write(line: &Arc<Line>, outbox: &Outbox, room: &Room) -> Result<Last, Fault> {
    loop {
        match outbox.next(Instant::now() + room.terms.idle) {
            Next::Message(message) => {
                let bytes = [message.bytes(), b"\n"].concat();
                if let Err(fault) = line.send(&bytes) {
                    line.cut();
                    return Err(fault);
                }
                line.tell(TCP, Happened::unit(Way::Sent, "line", &bytes));
            }
            Next::Own(_) | Next::Late => {}
            Next::Over(why) => {
                line.end();
                line.hear_no_more();
                return Ok(why);
            }
        }
    }
}

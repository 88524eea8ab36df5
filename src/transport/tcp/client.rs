//! The client over bare TCP.

use std::{sync::Arc, time::Instant};

use super::TCP;
use crate::transport::{
    api::{Calling, Client, Heard, Leaving},
    connection::{Fault, Incoming, Line, More},
    events::{Happened, Way},
    message::Message,
};

struct Lines {
    calling: Calling,
    line: Arc<Line>,
    incoming: Incoming,
}

/// Connects: that is all.
pub(super) fn connect(calling: Calling) -> Result<Box<dyn Client>, Fault> {
    let line = calling.connect()?;
    let incoming = line.incoming();
    Ok(Box::new(Lines { calling, line, incoming }))
}

impl Client for Lines {
    fn say(&mut self, message: &Message, _ack: bool) -> Result<(), Fault> {
        let bytes = [message.bytes(), b"\n"].concat();
        self.line.send(&bytes)?;
        self.line.tell(TCP, Happened::unit(Way::Sent, "line", &bytes));
        Ok(())
    }

    fn hear(&mut self, until: Instant) -> Result<Heard, Fault> {
        loop {
            if let Some(line) = take_line(&mut self.incoming, self.calling.message)? {
                self.line.tell(TCP, Happened::unit(Way::Received, "line", &line));
                return Ok(Heard::Message(Message::of(without_end(line))));
            }
            match self.incoming.more(Some(until))? {
                More::Bytes => {}
                More::Late => return Ok(Heard::Nothing),
                // TCP has no other goodbye than its FIN.
                More::End if self.incoming.unread().is_empty() => {
                    return Ok(Heard::Over { orderly: true, why: "the server sent a FIN".to_owned() });
                }
                More::End => return Err(Fault::CutOff("in the middle of a line".to_owned())),
            }
        }
    }

    fn end(&mut self, how: Leaving) -> Result<(), Fault> {
        match how {
            Leaving::Orderly => self.incoming.linger(),
            Leaving::Abrupt => self.line.will_be_reset(),
        }
        Ok(())
    }

    fn again(&mut self) -> Result<(), Fault> {
        self.line.cut();
        self.line = self.calling.connect()?;
        self.incoming = self.line.incoming();
        Ok(())
    }
}

/// The next whole line with its line feed, if it has come.
pub(super) fn take_line(incoming: &mut Incoming, most: u64) -> Result<Option<Vec<u8>>, Fault> {
    let unread = incoming.unread();
    let end = unread.iter().position(|byte| *byte == b'\n');
    if end.unwrap_or(unread.len()) as u64 > most {
        return Err(Fault::Limit(format!("a line of more than {most} bytes")));
    }
    let Some(end) = end else { return Ok(None) };
    let line = unread[..=end].to_vec();
    incoming.take(end + 1);
    Ok(Some(line))
}

/// A line without its line feed, and without the carriage return that some send before it.
pub(super) fn without_end(mut line: Vec<u8>) -> Vec<u8> {
    line.pop();
    line.pop_if(|byte| *byte == b'\r');
    line
}

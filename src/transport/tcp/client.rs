//! The client over bare TCP.

use std::{sync::Arc, time::Instant};

use super::TCP;
use crate::transport::{
    api::{Client, ClientConfig, CloseMode, Heard},
    connection::{Connection, Fault, ReadHalf, ReadOutcome},
    events::{Happened, Way},
    message::Message,
};

struct Lines {
    calling: ClientConfig,
    connection: Arc<Connection>,
    incoming: ReadHalf,
}

/// Connects: that is all.
pub(super) fn connect(calling: ClientConfig) -> Result<Box<dyn Client>, Fault> {
    let connection = calling.connect()?;
    let incoming = connection.read_half();
    Ok(Box::new(Lines { calling, connection, incoming }))
}

impl Client for Lines {
    fn say(&mut self, message: &Message, _ack: bool) -> Result<(), Fault> {
        let bytes = [message.bytes(), b"\n"].concat();
        self.connection.send(&bytes)?;
        self.connection.tell(TCP, Happened::unit(Way::Sent, "line", &bytes));
        Ok(())
    }

    fn hear(&mut self, until: Instant) -> Result<Heard, Fault> {
        loop {
            if let Some(line) = take_line(&mut self.incoming, self.calling.message)? {
                self.connection.tell(TCP, Happened::unit(Way::Received, "line", &line));
                return Ok(Heard::Message(Message::of(without_end(line))));
            }
            match self.incoming.read_more(Some(until))? {
                ReadOutcome::Bytes => {}
                ReadOutcome::TimedOut => return Ok(Heard::Nothing),
                // TCP has no other goodbye than its FIN.
                ReadOutcome::End if self.incoming.unread().is_empty() => {
                    return Ok(Heard::Closed { orderly: true, why: "the server sent a FIN".to_owned() });
                }
                ReadOutcome::End => return Err(Fault::CutOff("in the middle of a line".to_owned())),
            }
        }
    }

    fn end(&mut self, how: CloseMode) -> Result<(), Fault> {
        match how {
            CloseMode::Orderly => self.incoming.linger(),
            CloseMode::Abrupt => self.connection.will_be_reset(),
        }
        Ok(())
    }

    fn again(&mut self) -> Result<(), Fault> {
        self.connection.cut();
        self.connection = self.calling.connect()?;
        self.incoming = self.connection.read_half();
        Ok(())
    }
}

/// The next whole line with its line feed, if it has come.
pub(super) fn take_line(incoming: &mut ReadHalf, most: u64) -> Result<Option<Vec<u8>>, Fault> {
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

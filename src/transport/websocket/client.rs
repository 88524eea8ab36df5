//! The WebSocket client. An acknowledgement is the Pong to a Ping that follows the message: RFC 6455 has no
//! other.

use std::time::Instant;

use super::connection::{Came, FrameSender, WebSocket};
use crate::transport::{
    api::{Client, ClientConfig, CloseMode, Heard},
    connection::Fault,
    message::Message,
};

struct Frames {
    calling: ClientConfig,
    websocket: WebSocket,
    sender: FrameSender,
    /// The number of the last acknowledgement Ping, and how many of them were answered.
    asked: (u64, u64),
    /// Time of the last received unit, and of the Ping that was sent after a silence.
    heard: Instant,
    pinged: Option<Instant>,
}

/// Prefix of the payload of a Ping that requests an acknowledgement.
const ARRIVED: &[u8] = b"arrived ";

/// Payload of a Ping that checks whether the peer is alive.
const THERE: &[u8] = b"there?";

pub(super) fn connect(calling: ClientConfig) -> Result<Box<dyn Client>, Fault> {
    let websocket = open(&calling)?;
    let sender = websocket.sender();
    Ok(Box::new(Frames { calling, websocket, sender, asked: (0, 0), heard: Instant::now(), pinged: None }))
}

fn open(calling: &ClientConfig) -> Result<WebSocket, Fault> {
    let connection = calling.connect()?;
    let origin = calling.options.get("origin").map(String::as_str);
    WebSocket::ask(
        &connection,
        &calling.authority,
        &calling.path,
        origin,
        &[],
        calling.message,
        calling.within,
    )
}

impl Client for Frames {
    fn say(&mut self, message: &Message, ack: bool) -> Result<(), Fault> {
        self.sender.say(message)?;
        if ack {
            self.asked.0 += 1;
            // The peer answers Pings in order, after the frames before them. So the Pong shows that the
            // message has arrived.
            self.sender.ping(&[ARRIVED, self.asked.0.to_string().as_bytes()].concat())?;
        }
        Ok(())
    }

    fn hear(&mut self, until: Instant) -> Result<Heard, Fault> {
        let came = self.websocket.hear(until)?;
        if came == Came::Late {
            return self.alive();
        }
        (self.heard, self.pinged) = (Instant::now(), None);
        Ok(match came {
            Came::Message(message) => Heard::Message(message),
            Came::Pong(payload) => match number(&payload) {
                Some(number) if number > self.asked.1 && number <= self.asked.0 => {
                    self.asked.1 = number;
                    Heard::Acknowledged(format!("the Pong to Ping {number}: all before it has arrived"))
                }
                _ => Heard::Other,
            },
            Came::Ping(_) | Came::Late => Heard::Other,
            Came::Close(1006, _) => {
                Heard::Closed { orderly: false, why: "without a Close: 1006 (RFC 6455 §7.1.5)".to_owned() }
            }
            Came::Close(code, reason) => {
                self.websocket.finish();
                let reason = crate::wire::text::shown(reason.as_bytes(), 80);
                Heard::Closed { orderly: true, why: format!("the server said Close {code} \"{reason}\"") }
            }
        })
    }

    fn awaits(&self) -> usize {
        usize::try_from(self.asked.0 - self.asked.1).unwrap_or(usize::MAX)
    }

    fn end(&mut self, how: CloseMode) -> Result<(), Fault> {
        match how {
            CloseMode::Abrupt => self.websocket.connection().will_be_reset(),
            CloseMode::Orderly => {
                if self.websocket.goodbye(1000, "")?.is_none() {
                    return Err(Fault::Late("no Close came back in time".to_owned()));
                }
            }
        }
        Ok(())
    }

    fn again(&mut self) -> Result<(), Fault> {
        self.websocket.connection().cut();
        self.websocket = open(&self.calling)?;
        self.sender = self.websocket.sender();
        (self.asked, self.heard, self.pinged) = ((0, 0), Instant::now(), None);
        Ok(())
    }
}

impl Frames {
    /// Handles a silence: sends a Ping after an interval, and fails if it is not answered.
    fn alive(&mut self) -> Result<Heard, Fault> {
        match self.pinged {
            Some(since) if since.elapsed() >= self.calling.beat => {
                let time = self.calling.beat.as_millis();
                Err(Fault::Late(format!("no Pong came back within {time} ms: nobody is there any more")))
            }
            None if self.heard.elapsed() >= self.calling.beat => {
                self.sender.ping(THERE)?;
                self.pinged = Some(Instant::now());
                Ok(Heard::Nothing)
            }
            _ => Ok(Heard::Nothing),
        }
    }
}

/// Returns the number of the message that a Pong acknowledges.
fn number(payload: &[u8]) -> Option<u64> {
    std::str::from_utf8(payload.strip_prefix(ARRIVED)?).ok()?.parse().ok()
}

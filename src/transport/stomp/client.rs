//! The client over STOMP: it subscribes to a destination, sends to it, and hears what the server has for it.

mod session;

use std::{collections::VecDeque, time::Instant};

use super::{
    STOMP,
    beats::Due,
    client::session::{Event, Session},
    crossed,
    link::{Came, Link, Speaker},
};
use crate::{
    transport::{
        api::{Client, ClientConfig, CloseMode, Heard},
        connection::Fault,
        events::{Happened, Way},
        message::Message,
    },
    wire::stomp::Frame,
};

/// How long is waited for the receipt of DISCONNECT.
const GOODBYE: std::time::Duration = std::time::Duration::from_secs(3);

struct Stomp {
    calling: ClientConfig,
    link: Link,
    speaker: Speaker,
    session: Session,
    heard: VecDeque<Heard>,
}

/// Connects, begins a session and subscribes.
pub(super) fn connect(calling: ClientConfig) -> Result<Box<dyn Client>, Fault> {
    let link = Link::call(&calling)?;
    let (speaker, session) = (link.speaker(), Session::new(&calling)?);
    let mut stomp = Stomp { calling, link, speaker, session, heard: VecDeque::new() };
    stomp.begin()?;
    Ok(Box::new(stomp))
}

impl Stomp {
    fn begin(&mut self) -> Result<(), Fault> {
        let connect = self.session.connect();
        self.send(&connect)?;
        let until = Instant::now() + self.calling.within;
        while !self.session.is_connected() {
            match self.link.hear(until)? {
                Came::Octets(octets) => self.take(&octets)?,
                Came::Late => return Err(Fault::Late("neither CONNECTED nor ERROR came in time".to_owned())),
                Came::End(why) => return Err(Fault::CutOff(format!("before CONNECTED: {why}"))),
            }
        }
        self.heard.clear();
        let said = self.session.in_words();
        self.link.connection().tell(STOMP, Happened::Opened(said));
        let subscribe = self.session.subscribe();
        self.send(&subscribe)
    }

    fn send(&mut self, frame: &Frame) -> Result<(), Fault> {
        let octets = frame.encode(self.session.version());
        self.link.connection().tell(STOMP, crossed(Way::Sent, &frame.command, &octets));
        self.session.beats.sent(Instant::now());
        self.speaker.send(octets)
    }

    /// What the octets say: it waits in `heard`, and what has to be answered is answered.
    fn take(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let events = self.session.received(octets, Instant::now());
        for event in events {
            match event? {
                Event::Frame { frame, octets } => self.frame(&frame, &octets)?,
                Event::Beat => {
                    self.link.connection().tell(STOMP, Happened::beat(Way::Received, "end of line"));
                    self.heard.push_back(Heard::Other);
                }
            }
        }
        Ok(())
    }

    fn frame(&mut self, frame: &Frame, octets: &[u8]) -> Result<(), Fault> {
        self.link.connection().tell(STOMP, crossed(Way::Received, &frame.command, octets));
        let (heard, answer) = self.session.frame(frame)?;
        self.heard.push_back(heard);
        answer.map_or(Ok(()), |answer| self.send(&answer))
    }
}

impl Client for Stomp {
    fn say(&mut self, message: &Message, ack: bool) -> Result<(), Fault> {
        let frame = self.session.say(message, ack);
        self.send(&frame)
    }

    fn hear(&mut self, until: Instant) -> Result<Heard, Fault> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return Ok(heard);
            }
            let next = match self.session.beats.due(Instant::now()) {
                Due::Dead(silent) => {
                    let (silent, wanted) = (silent.as_millis(), self.session.beats.hears.unwrap_or_default());
                    let wanted = wanted.as_millis();
                    return Err(Fault::Late(format!(
                        "nothing came for {silent} ms, where a heart-beat was due every {wanted} ms (STOMP 1.2, Heart-beating)"
                    )));
                }
                Due::Send => {
                    self.session.beats.sent(Instant::now());
                    self.link.connection().tell(STOMP, Happened::beat(Way::Sent, "end of line"));
                    self.speaker.send(b"\n".to_vec())?;
                    continue;
                }
                Due::Nothing(next) => next.unwrap_or(until),
            };
            match self.link.hear(until.min(next))? {
                Came::Octets(octets) => self.take(&octets)?,
                Came::Late if Instant::now() >= until => return Ok(Heard::Nothing),
                Came::Late => {}
                Came::End(why) => {
                    let why = format!("without a word of STOMP: {why}");
                    return Ok(Heard::Closed { orderly: false, why });
                }
            }
        }
    }

    fn awaits(&self) -> usize {
        self.session.awaits()
    }

    fn end(&mut self, how: CloseMode) -> Result<(), Fault> {
        if how == CloseMode::Abrupt {
            self.link.connection().will_be_reset();
            return Ok(());
        }
        let disconnect = self.session.disconnect();
        self.send(&disconnect)?;
        let until = Instant::now() + GOODBYE;
        while self.session.awaits() > 0 {
            match self.link.hear(until)? {
                Came::Octets(octets) => self.take(&octets)?,
                Came::Late => {
                    return Err(Fault::Late("the receipt of DISCONNECT did not come in time".to_owned()));
                }
                // RabbitMQ says Close at once, without the RECEIPT, where a WebSocket carries it.
                Came::End(why) => {
                    let note = format!("no RECEIPT of DISCONNECT, but {why}");
                    self.link.connection().tell(STOMP, Happened::Note(note));
                    break;
                }
            }
        }
        self.link.finish(1000, "");
        Ok(())
    }

    fn again(&mut self) -> Result<(), Fault> {
        self.link = Link::call(&self.calling)?;
        (self.speaker, self.session) = (self.link.speaker(), Session::new(&self.calling)?);
        self.heard.clear();
        self.begin()
    }
}

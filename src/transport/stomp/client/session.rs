//! The client's handling of frames, and the frames that it sends, without I/O.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use crate::{
    transport::{
        api::{ClientConfig, Heard},
        connection::Fault,
        message::Message,
        stomp::{beats::Beats, breach, malformed},
    },
    wire::{
        stomp::{Frame, FrameReader, HeartBeat, Item, Limits, Sender, Version, check},
        text,
    },
};

/// The id of the client's only subscription.
const SUBSCRIPTION: &str = "0";

/// An event that follows from received octets.
#[derive(Debug)]
pub(super) enum Event {
    /// A frame, with its octets.
    Frame { frame: Frame, octets: Vec<u8> },
    /// An end of line without a frame before it.
    Beat,
}

/// A session, beginning with CONNECT.
#[derive(Debug)]
pub(super) struct Session {
    options: Options,
    reader: FrameReader,
    own: HeartBeat,
    pub(super) beats: Beats,
    /// The version that CONNECTED selects.
    version: Option<Version>,
    server: String,
    /// Number of requested receipts, and those that are outstanding.
    asked: u64,
    receipts: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Options {
    destination: String,
    host: String,
    accept_version: String,
    login: Option<(String, String)>,
    acknowledge: String,
}

impl Session {
    pub(super) fn new(calling: &ClientConfig) -> Result<Session, Fault> {
        // The host without its port: "the host name that the socket was established against".
        let host = calling.authority.rsplit_once(':').map_or(calling.authority.as_str(), |(host, _)| host);
        let acknowledge = calling.option("acknowledge", "auto").to_owned();
        if !["auto", "client", "client-individual"].contains(&acknowledge.as_str()) {
            let had = text::shown(acknowledge.as_bytes(), 40);
            let said = format!("acknowledge is auto, client or client-individual, not \"{had}\"");
            return Err(Fault::Asked(said));
        }
        let login = calling.options.get("login").cloned();
        let options = Options {
            destination: calling.option("destination", "/topic/chat").to_owned(),
            host: calling.option("host", host).to_owned(),
            accept_version: calling.option("version", "1.0,1.1,1.2").to_owned(),
            login: login.map(|login| (login, calling.option("passcode", "").to_owned())),
            acknowledge,
        };
        let beat = u32::try_from(calling.beat.as_millis()).unwrap_or(u32::MAX);
        let own = HeartBeat { can: beat, wants: beat };
        let body = usize::try_from(calling.message).unwrap_or(usize::MAX);
        let reader = FrameReader::new(Version::V12, Limits { body, ..Limits::default() });
        let beats = Beats::new(HeartBeat::default(), HeartBeat::default(), Instant::now());
        let (server, receipts) = (String::new(), BTreeSet::new());
        Ok(Session { options, reader, own, beats, version: None, server, asked: 0, receipts })
    }

    /// Returns the CONNECT frame, the first one.
    pub(super) fn connect(&self) -> Frame {
        let mut frame = Frame::new("CONNECT")
            .with("accept-version", &self.options.accept_version)
            .with("host", &self.options.host);
        if let Some((login, passcode)) = &self.options.login {
            frame = frame.with("login", login).with("passcode", passcode);
        }
        frame.with("heart-beat", &self.own.value())
    }

    /// Returns the SUBSCRIBE frame, the second one.
    pub(super) fn subscribe(&self) -> Frame {
        Frame::new("SUBSCRIBE")
            .with("id", SUBSCRIPTION)
            .with("destination", &self.options.destination)
            .with("ack", &self.options.acknowledge)
    }

    /// Returns the frame for a message. It requests a receipt if `ack` is set.
    pub(super) fn say(&mut self, message: &Message, ack: bool) -> Frame {
        let kind = match message {
            Message::Text(_) => "text/plain",
            Message::Binary(_) => "application/octet-stream",
        };
        let mut frame =
            Frame::new("SEND").with("destination", &self.options.destination).with("content-type", kind);
        if ack {
            frame = frame.with("receipt", &self.receipt());
        }
        frame.with_body(message.bytes())
    }

    /// Returns the DISCONNECT frame, the last one.
    pub(super) fn disconnect(&mut self) -> Frame {
        let receipt = self.receipt();
        Frame::new("DISCONNECT").with("receipt", &receipt)
    }

    fn receipt(&mut self) -> String {
        self.asked += 1;
        let receipt = format!("r{}", self.asked);
        self.receipts.insert(receipt.clone());
        receipt
    }

    /// Returns the version: 1.2 until one is negotiated.
    pub(super) fn version(&self) -> Version {
        self.version.unwrap_or(Version::V12)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.version.is_some()
    }

    /// Returns the number of outstanding receipts.
    pub(super) fn awaits(&self) -> usize {
        self.receipts.len()
    }

    /// Returns the negotiated parameters in words.
    pub(super) fn in_words(&self) -> String {
        let beat = |every: Option<Duration>| {
            every.map_or_else(|| "never".to_owned(), |every| format!("every {} ms", every.as_millis()))
        };
        format!(
            "version {}, server {}; heart-beats: ours {}, the server's {}",
            self.version().number(),
            self.server,
            beat(self.beats.sends),
            beat(self.beats.hears)
        )
    }

    /// Returns the events that follow from these octets, in order. Nothing follows a fault.
    pub(super) fn received(&mut self, octets: &[u8], now: Instant) -> Vec<Result<Event, Fault>> {
        self.beats.heard(now);
        self.reader.push(octets);
        let mut events = Vec::new();
        loop {
            match self.reader.take() {
                Ok(None) => return events,
                Ok(Some(Item::Frame { frame, octets, .. })) => {
                    // Octets after CONNECTED in the same piece follow the rules of the selected version.
                    if frame.command == "CONNECTED"
                        && let Some(version) = frame.header("version").and_then(Version::of_number)
                    {
                        self.reader.speak(version);
                    }
                    events.push(Ok(Event::Frame { frame, octets }));
                }
                // An end of line after a frame belongs to the frame.
                Ok(Some(Item::LineEnd { .. })) if events.is_empty() => events.push(Ok(Event::Beat)),
                Ok(Some(Item::LineEnd { .. })) => {}
                Err(error) => {
                    events.push(Err(malformed(&error)));
                    return events;
                }
            }
        }
    }

    /// Returns the meaning of a frame, and the answer that it needs.
    pub(super) fn frame(&mut self, frame: &Frame) -> Result<(Heard, Option<Frame>), Fault> {
        check(frame, Sender::Server, self.version()).map_err(|error| breach(&error))?;
        match (frame.command.as_str(), self.version) {
            ("ERROR", _) => Err(Fault::Refused(error_in_words(frame))),
            ("CONNECTED", None) => self.connected(frame),
            ("MESSAGE", Some(version)) => Ok(self.message(frame, version)),
            ("RECEIPT", Some(_)) => {
                let receipt = frame.header("receipt-id").unwrap_or_default();
                if !self.receipts.remove(receipt) {
                    return Ok((Heard::Other, None));
                }
                let receipt = text::shown(receipt.as_bytes(), 40);
                Ok((Heard::Acknowledged(format!("RECEIPT {receipt}: the server has processed it")), None))
            }
            (command, version) => {
                let when = if version.is_none() { "before CONNECTED" } else { "in a session under way" };
                let (needed, had) = ("CONNECTED first, and once", format!("{command} {when}"));
                Err(Fault::broken("session", needed, had.as_bytes(), "STOMP 1.2, Connecting"))
            }
        }
    }

    fn connected(&mut self, frame: &Frame) -> Result<(Heard, Option<Frame>), Fault> {
        // Version 1.0 has no such header.
        let number = frame.header("version").unwrap_or("1.0");
        let offered = self.options.accept_version.split(',').any(|offered| offered == number);
        let Some(version) = Version::of_number(number).filter(|_| offered) else {
            let needed = format!("one of {}", self.options.accept_version);
            let section = "STOMP 1.2, Protocol Negotiation";
            return Err(Fault::broken("version of CONNECTED", needed, number.as_bytes(), section));
        };
        // check() has verified that the value is two numbers. Version 1.0 has none.
        let other = HeartBeat::parse(frame.header("heart-beat")).unwrap_or_default();
        self.version = Some(version);
        self.reader.speak(version);
        self.server = text::shown(frame.header("server").unwrap_or("without a name").as_bytes(), 60);
        self.beats = Beats::new(self.own, other, Instant::now());
        Ok((Heard::Other, None))
    }

    fn message(&self, frame: &Frame, version: Version) -> (Heard, Option<Frame>) {
        let heard = Heard::Message(Message::of(frame.body.clone()));
        let header = |name| frame.header(name).unwrap_or_default();
        let answer = (self.options.acknowledge != "auto").then(|| match version {
            Version::V12 => Frame::new("ACK").with("id", header("ack")),
            _ => Frame::new("ACK")
                .with("message-id", header("message-id"))
                .with("subscription", header("subscription")),
        });
        (heard, answer)
    }
}

/// Returns the text of an ERROR.
fn error_in_words(frame: &Frame) -> String {
    let mut words = "the server says ERROR".to_owned();
    if let Some(message) = frame.header("message") {
        words += &format!(": {}", text::shown(message.as_bytes(), 100));
    }
    if !frame.body.is_empty() {
        words += &format!(" (\"{}\")", text::shown(&frame.body, 200));
    }
    words
}

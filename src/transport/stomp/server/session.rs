//! The server's handling of frames, without a socket: answers go to the outbox, messages to the broker.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use super::broker::{Acknowledge, Broker, Meant, Sent, Wanted};
use crate::{
    transport::{
        connection::Fault,
        events::{Happened, Way},
        outbox::Outbox,
        stomp::{beats::Beats, breach, crossed, malformed},
        terms::Terms,
    },
    wire::{
        stomp::{Frame, FrameReader, HeartBeat, Item, Limits, Sender, Version, check},
        text,
    },
};

/// Most open transactions on a connection, and most frames in each. Beyond that the frame is refused.
const TRANSACTIONS: (usize, usize) = (16, 256);

/// Headers of SEND that are not passed on, because the server sets them or has processed them.
const NOT_PASSED_ON: [&str; 7] =
    ["destination", "transaction", "receipt", "content-length", "subscription", "message-id", "ack"];

/// The step that follows from received octets.
#[derive(Debug)]
pub(super) enum Step {
    On,
    /// The session has begun, with these heartbeats.
    Connected(Beats),
    /// DISCONNECT arrived: nothing follows.
    Bye,
}

/// A session of one client.
pub(super) struct Session {
    broker: Arc<Broker>,
    outbox: Arc<Outbox<Vec<u8>>>,
    number: u64,
    reader: FrameReader,
    own: HeartBeat,
    version: Option<Version>,
    transactions: BTreeMap<String, Vec<Frame>>,
}

impl Session {
    pub(super) fn new(broker: &Arc<Broker>, outbox: &Arc<Outbox<Vec<u8>>>, terms: &Terms) -> Session {
        let beat = u32::try_from(terms.beat.as_millis()).unwrap_or(u32::MAX);
        let body = usize::try_from(terms.message).unwrap_or(usize::MAX);
        Session {
            broker: Arc::clone(broker),
            outbox: Arc::clone(outbox),
            number: broker.enter(),
            reader: FrameReader::new(Version::V12, Limits { body, ..Limits::default() }),
            own: HeartBeat { can: beat, wants: beat },
            version: None,
            transactions: BTreeMap::new(),
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.version.is_some()
    }

    /// Handles received octets.
    ///
    /// # Errors
    /// Fails if the client breaks a rule. The ERROR is in the outbox, and the caller must end the connection.
    pub(super) fn received(&mut self, octets: &[u8], tell: impl Fn(Happened)) -> Result<Step, Fault> {
        self.reader.push(octets);
        let mut step = Step::On;
        let mut frames = 0;
        loop {
            match self.reader.take() {
                Ok(None) => return Ok(step),
                Ok(Some(Item::LineEnd { .. })) => {
                    // An end of line after a frame belongs to the frame.
                    if frames == 0 {
                        tell(Happened::beat(Way::Received, "end of line"));
                    }
                }
                Ok(Some(Item::Frame { frame, octets, .. })) => {
                    frames += 1;
                    tell(crossed(Way::Received, &frame.command, &octets));
                    match self.frame(&frame) {
                        Ok(Step::On) => {}
                        Ok(Step::Bye) => return Ok(Step::Bye),
                        Ok(connected) => step = connected,
                        Err(fault) => {
                            self.error(&fault, frame.header("receipt"));
                            return Err(fault);
                        }
                    }
                }
                Err(error) => {
                    let fault = malformed(&error);
                    self.error(&fault, error.receipt.as_deref());
                    return Err(fault);
                }
            }
        }
    }

    fn version(&self) -> Version {
        self.version.unwrap_or(Version::V12)
    }

    fn put(&self, frame: &Frame) {
        // If the outbox is full, the sending thread notices that.
        self.outbox.put(frame.encode(self.version()));
    }

    fn error(&self, fault: &Fault, receipt: Option<&str>) {
        let (message, body) = match fault {
            Fault::Broken(error) => (
                format!("{}: {}", error.place(), error.needed),
                format!("It had {}. See {}.\n", error.had, error.section),
            ),
            other => (other.to_string(), String::new()),
        };
        let mut error = Frame::new("ERROR").with("message", &message);
        if let Some(receipt) = receipt {
            error = error.with("receipt-id", receipt);
        }
        if self.version.is_none() {
            error = error.with("version", "1.0,1.1,1.2");
        }
        self.put(&error.with("content-type", "text/plain").with_body(body));
    }

    fn frame(&mut self, frame: &Frame) -> Result<Step, Fault> {
        let Some(version) = self.version else { return self.connect(frame) };
        check(frame, Sender::Client, version).map_err(|error| breach(&error))?;
        let step = self.command(frame, version)?;
        if let Some(receipt) = frame.header("receipt") {
            self.put(&Frame::new("RECEIPT").with("receipt-id", receipt));
        }
        Ok(step)
    }

    fn connect(&mut self, frame: &Frame) -> Result<Step, Fault> {
        if !matches!(frame.command.as_str(), "CONNECT" | "STOMP") {
            let needed = "CONNECT or STOMP first";
            return Err(Fault::broken("session", needed, frame.command.as_bytes(), "STOMP 1.2, Connecting"));
        }
        let offered = frame.header("accept-version");
        let Some(version) = Version::negotiate(offered) else {
            let (needed, had) = ("one of 1.0,1.1,1.2", offered.unwrap_or_default().as_bytes());
            return Err(Fault::broken("accept-version", needed, had, "STOMP 1.2, Protocol Negotiation"));
        };
        // A client MUST name a host, but stomp.py does not. Nothing depends on the host here: there are no
        // virtual hosts.
        let named = frame.clone().with("host", "");
        check(&named, Sender::Client, version).map_err(|error| breach(&error))?;
        // Version 1.0 has none.
        let other = match version {
            Version::V10 => HeartBeat::default(),
            _ => HeartBeat::parse(frame.header("heart-beat")).unwrap_or_default(),
        };
        let mut connected = Frame::new("CONNECTED").with("version", version.number());
        if version > Version::V10 {
            connected = connected.with("heart-beat", &self.own.value());
        }
        connected = connected
            .with("session", &format!("s{}", self.number))
            .with("server", concat!("sockwalk/", env!("CARGO_PKG_VERSION")));
        self.put(&connected);
        self.version = Some(version);
        self.reader.speak(version);
        Ok(Step::Connected(Beats::new(self.own, other, Instant::now())))
    }

    fn command(&mut self, frame: &Frame, version: Version) -> Result<Step, Fault> {
        let header = |name| frame.header(name).unwrap_or_default();
        match frame.command.as_str() {
            // Uncommitted transactions are dropped with the session.
            "DISCONNECT" => return Ok(Step::Bye),
            "SUBSCRIBE" => self.subscribe(frame, version)?,
            "UNSUBSCRIBE" => {
                // In version 1.0 the destination can stand for the id.
                let id = frame.header("id").unwrap_or_else(|| header("destination"));
                self.broker.unsubscribe(self.number, id).map_err(|why| wrong(frame, "id", id, why))?;
            }
            "SEND" | "ACK" | "NACK" => match frame.header("transaction") {
                Some(name) => self.keep(name, frame)?,
                None => self.happen(frame)?,
            },
            "BEGIN" => {
                let name = header("transaction");
                if self.transactions.len() >= TRANSACTIONS.0 {
                    return Err(Fault::Limit("too many transactions are under way".to_owned()));
                }
                if self.transactions.insert(name.to_owned(), Vec::new()).is_some() {
                    return Err(wrong(frame, "transaction", name, "a name that is not in use"));
                }
            }
            "COMMIT" | "ABORT" => {
                let name = header("transaction");
                let Some(frames) = self.transactions.remove(name) else {
                    return Err(wrong(frame, "transaction", name, "one that was begun"));
                };
                if frame.command == "COMMIT" {
                    frames.iter().try_for_each(|frame| self.happen(frame))?;
                }
            }
            _ => {
                let had = frame.command.as_bytes();
                return Err(Fault::broken("session", "CONNECT once", had, "STOMP 1.2, Client Frames"));
            }
        }
        Ok(Step::On)
    }

    fn subscribe(&mut self, frame: &Frame, version: Version) -> Result<(), Fault> {
        let destination = frame.header("destination").unwrap_or_default();
        place(frame, destination)?;
        let wanted = Wanted {
            session: self.number,
            id: frame.header("id").unwrap_or(destination).to_owned(),
            destination: destination.to_owned(),
            acknowledge: match frame.header("ack") {
                Some("client") => Acknowledge::Client,
                Some("client-individual") => Acknowledge::Individual,
                _ => Acknowledge::Auto,
            },
            version,
            outbox: Arc::clone(&self.outbox),
        };
        let id = wanted.id.clone();
        self.broker.subscribe(wanted).map_err(|why| wrong(frame, "id", &id, why))
    }

    /// Stores a frame until the COMMIT of its transaction.
    fn keep(&mut self, name: &str, frame: &Frame) -> Result<(), Fault> {
        let Some(frames) = self.transactions.get_mut(name) else {
            return Err(wrong(frame, "transaction", name, "one that was begun"));
        };
        if frames.len() >= TRANSACTIONS.1 {
            return Err(Fault::Limit("too many frames in a transaction".to_owned()));
        }
        if frame.command == "SEND" {
            place(frame, frame.header("destination").unwrap_or_default())?;
        }
        frames.push(frame.clone());
        Ok(())
    }

    /// Performs SEND, ACK or NACK at once.
    fn happen(&self, frame: &Frame) -> Result<(), Fault> {
        if frame.command == "SEND" {
            let destination = frame.header("destination").unwrap_or_default();
            place(frame, destination)?;
            let headers = frame.headers.iter().filter(|(name, _)| !NOT_PASSED_ON.contains(&name.as_str()));
            let sent = Sent {
                destination: destination.to_owned(),
                headers: headers.cloned().collect(),
                body: frame.body.clone(),
            };
            return self.broker.publish(sent).map_err(|why| Fault::Limit(why.to_owned()));
        }
        // Version 1.2 has one header; earlier versions have two.
        let (name, id) = match frame.header("id") {
            Some(id) if self.version() >= Version::V12 => ("id", id),
            _ => ("message-id", frame.header("message-id").unwrap_or_default()),
        };
        let number = id.parse().map_err(|_| wrong(frame, name, id, "one that a MESSAGE had"))?;
        let subscription = frame.header("subscription").filter(|_| self.version() < Version::V12);
        let meant = Meant { number, subscription: subscription.map(str::to_owned) };
        self.broker.settle(self.number, &meant).map_err(|why| wrong(frame, name, id, why))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.broker.leave(self.number);
    }
}

/// Checks that the server has this destination.
fn place(frame: &Frame, destination: &str) -> Result<(), Fault> {
    let known = ["/topic/", "/queue/"].iter().any(|start| {
        destination.strip_prefix(start).is_some_and(|name| !name.is_empty() && name.len() <= 200)
    });
    if known {
        return Ok(());
    }
    Err(wrong(frame, "destination", destination, "/topic/NAME or /queue/NAME"))
}

/// Returns the fault for an invalid value of a header.
fn wrong(frame: &Frame, name: &str, had: &str, needed: &'static str) -> Fault {
    let section = match frame.command.as_str() {
        "SEND" => "STOMP 1.2, SEND",
        "SUBSCRIBE" => "STOMP 1.2, SUBSCRIBE",
        "UNSUBSCRIBE" => "STOMP 1.2, UNSUBSCRIBE",
        "ACK" => "STOMP 1.2, ACK",
        "NACK" => "STOMP 1.2, NACK",
        "BEGIN" => "STOMP 1.2, BEGIN",
        "COMMIT" => "STOMP 1.2, COMMIT",
        _ => "STOMP 1.2, ABORT",
    };
    let command = text::shown(frame.command.as_bytes(), 40);
    Fault::broken(format!("{name} of {command}"), needed, had.as_bytes(), section)
}

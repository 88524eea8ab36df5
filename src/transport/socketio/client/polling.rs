//! The client's half of polling: a GET that waits for packets, and a POST for each load that is sent. One of
//! each at a time (§HTTP long-polling).

use std::time::Instant;

use crate::{
    transport::{api::ClientConfig, connection::Fault, events::Way, http::Asking, socketio::crossed},
    wire::{
        engine_io::{Packet, encode_payload, parse_payload},
        text,
    },
};

/// A POST may have so much where the server doesn't say it, in bytes.
const MOST: u64 = 100_000;

/// The requests of a session.
#[derive(Debug)]
pub(super) struct Polling {
    calling: ClientConfig,
    /// Path and query, with the session's ID once there is one.
    target: String,
    /// The GET, on a connection that is used again as long as the server keeps it.
    get: Option<Asking>,
    /// The server takes at most so many bytes in a POST.
    most: u64,
}

impl Polling {
    pub(super) fn new(calling: &ClientConfig, target: String) -> Self {
        Polling { calling: calling.clone(), target, get: None, most: MOST }
    }

    /// From now on for this session.
    pub(super) fn for_session(&mut self, target: String, most: Option<u64>) {
        self.target = target;
        self.most = most.unwrap_or(MOST);
    }

    /// Sends the GET, unless one waits already.
    pub(super) fn ask(&mut self) -> Result<(), Fault> {
        if self.get.as_ref().is_some_and(|get| !get.is_free()) {
            return Ok(());
        }
        let fresh = if self.get.is_none() { Some(self.connection()?) } else { None };
        self.get = self.get.take().or(fresh);
        let Some(get) = &mut self.get else { return Ok(()) };
        get.ask("GET", &self.target, &[("Accept", "*/*")], None)
    }

    /// The packets of the next answer to a GET; none if it has not come by then.
    pub(super) fn receive(&mut self, until: Instant) -> Result<Option<Vec<Packet>>, Fault> {
        self.ask()?;
        let Some(get) = &mut self.get else { return Ok(None) };
        let Some((head, content)) = get.whole(until)? else { return Ok(None) };
        if !get.is_free() {
            self.get = None;
        }
        accepted(head.status, &content)?;
        let packets = parse_payload(&content)?;
        for packet in &packets {
            let (layer, what) = crossed(Way::Received, packet);
            self.calling.news.tell(1, layer, what);
        }
        Ok(Some(packets))
    }

    /// Sends packets in as few POSTs as the server's limit allows, one after the other.
    pub(super) fn send(&mut self, packets: &[Packet]) -> Result<(), Fault> {
        let mut rest = packets;
        while !rest.is_empty() {
            let mut count = rest.len();
            let mut body = encode_payload(rest);
            while body.len() as u64 > self.most && count > 1 {
                count -= 1;
                body = encode_payload(&rest[..count]);
            }
            if body.len() as u64 > self.most {
                let said = format!("{} bytes are more than the server takes: {}", body.len(), self.most);
                return Err(Fault::Asked(said));
            }
            for packet in &rest[..count] {
                let (layer, what) = crossed(Way::Sent, packet);
                self.calling.news.tell(1, layer, what);
            }
            self.post(&body)?;
            rest = &rest[count..];
        }
        Ok(())
    }

    fn post(&self, body: &[u8]) -> Result<(), Fault> {
        // A connection of its own: one that has idled may be closed by the server at the very moment at which
        // it is used again, and a POST can't be sent twice.
        let mut post = self.connection()?;
        let kind = "text/plain;charset=UTF-8";
        post.ask("POST", &self.target, &[("Connection", "close")], Some((kind, body)))?;
        let until = Instant::now() + self.calling.within;
        let Some((head, content)) = post.whole(until)? else {
            return Err(Fault::Late("no answer to a POST came in time".to_owned()));
        };
        accepted(head.status, &content)
    }

    /// Whoever is waited for gets a RST when this is dropped.
    pub(super) fn will_be_reset(&self) {
        if let Some(get) = &self.get {
            get.connection().will_be_reset();
        }
    }

    fn connection(&self) -> Result<Asking, Fault> {
        // What is binary becomes a third longer as Base64.
        let most = self.calling.message.saturating_mul(2).saturating_add(4096);
        Ok(Asking::new(self.calling.connect()?, &self.calling.authority, most))
    }
}

/// Status 200; anything else is a no, with its reason as JSON where the server is like the reference
/// implementation.
fn accepted(status: u16, content: &[u8]) -> Result<(), Fault> {
    if status == 200 {
        return Ok(());
    }
    let said = text::shown(content, 200);
    // The session is over, or the server has begun anew: a new one may be had.
    if said.contains("\"code\":1") {
        return Err(Fault::CutOff(format!("as the server answers {status}: {said}")));
    }
    Err(Fault::Refused(format!("the server answers {status}: \"{said}\"")))
}

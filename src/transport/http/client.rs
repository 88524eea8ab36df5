//! The client: a POST for each message, and what comes back is in its response.

use std::{collections::VecDeque, time::Instant};

use super::Asking;
use crate::{
    transport::{
        api::{Client, ClientConfig, CloseMode, Heard},
        connection::Fault,
        message::Message,
    },
    wire::{http::ResponseHead, text},
};

/// A connection on which things are posted, made when it is needed.
pub(in crate::transport) struct Posting {
    calling: ClientConfig,
    asking: Option<Asking>,
}

impl Posting {
    /// For this server; it is not called yet.
    pub fn new(calling: &ClientConfig) -> Posting {
        Posting { calling: calling.clone(), asking: None }
    }

    /// Connects, if that is still to be done, or the server has ended the connection.
    pub fn connect(&mut self) -> Result<&mut Asking, Fault> {
        // A server may end a connection on which nothing is under way at any time (RFC 9112 §9.3.1).
        let good = self.asking.as_mut().is_some_and(|asking| asking.rest(Instant::now()));
        if !good {
            let connection = self.calling.connect()?;
            self.asking = Some(Asking::new(connection, &self.calling.authority, self.calling.message));
        }
        self.asking.as_mut().ok_or_else(|| Fault::Asked("not connected".to_owned()))
    }

    /// Posts a message, and gives the response, which is a good one.
    pub fn post(&mut self, path: &str, message: &Message) -> Result<(ResponseHead, Vec<u8>), Fault> {
        let kind = match message {
            Message::Text(_) => "text/plain; charset=utf-8",
            Message::Binary(_) => "application/octet-stream",
        };
        let within = self.calling.within;
        let asking = self.connect()?;
        asking.ask("POST", path, &[], Some((kind, message.bytes())))?;
        let (head, content) = asking.whole_within(within)?;
        good(&head, &content)?;
        Ok((head, content))
    }

    /// Leaves it in one of two ways.
    pub fn end(&mut self, how: CloseMode) {
        if let Some(asking) = self.asking.take() {
            match how {
                CloseMode::Abrupt => asking.connection().will_be_reset(),
                CloseMode::Orderly => asking.into_read_half().linger(),
            }
        }
    }
}

/// A response that says yes; any other is a refusal, with the first words of what it says.
pub(in crate::transport) fn good(head: &ResponseHead, content: &[u8]) -> Result<(), Fault> {
    if (200..300).contains(&head.status) {
        return Ok(());
    }
    let reason = text::shown(&head.reason, 60);
    let words = text::shown(content, 120);
    Err(Fault::Refused(format!("the server answers {} {reason}: \"{words}\"", head.status)))
}

struct OneByOne {
    calling: ClientConfig,
    posting: Posting,
    /// What came in responses and was not heard yet.
    came: VecDeque<Heard>,
}

/// Connects.
pub(super) fn connect(calling: ClientConfig) -> Result<Box<dyn Client>, Fault> {
    let mut posting = Posting::new(&calling);
    posting.connect()?;
    Ok(Box::new(OneByOne { calling, posting, came: VecDeque::new() }))
}

impl Client for OneByOne {
    fn say(&mut self, message: &Message, ack: bool) -> Result<(), Fault> {
        let (head, content) = self.posting.post(&self.calling.path, message)?;
        if ack {
            self.came.push_back(Heard::Acknowledged(format!("the response {} to its request", head.status)));
        }
        if !content.is_empty() {
            self.came.push_back(Heard::Message(Message::of(content)));
        }
        Ok(())
    }

    fn hear(&mut self, until: Instant) -> Result<Heard, Fault> {
        if let Some(came) = self.came.pop_front() {
            return Ok(came);
        }
        // Nothing comes that was not asked for.
        std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
        Ok(Heard::Nothing)
    }

    fn end(&mut self, how: CloseMode) -> Result<(), Fault> {
        self.posting.end(how);
        Ok(())
    }

    fn again(&mut self) -> Result<(), Fault> {
        self.posting = Posting::new(&self.calling);
        self.posting.connect().map(|_| ())
    }
}

//! The client that asks again and again, short or long.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{NEWS, read};
use crate::random;
use crate::transport::{
    api::{Client, ClientConfig, CloseMode, Heard},
    connection::Fault,
    http::{Asking, Posting, good, with_query},
    message::Message,
};

/// A long poll is given up when nothing has come for so much longer than the server may hold it.
const SPARE: Duration = Duration::from_secs(30);

struct Polling {
    calling: ClientConfig,
    path: String,
    /// How often it asks; a long poll is asked again at once.
    every: Option<Duration>,
    /// Says.
    posting: Posting,
    /// Asks.
    asking: Asking,
    /// When the next question is due, if none is under way, and when the one under way went out.
    next: Instant,
    asked: Option<Instant>,
    /// The number of the last message.
    after: u64,
    came: VecDeque<Heard>,
}

/// Connects a client that asks every second.
pub(super) fn short(calling: ClientConfig) -> Result<Box<dyn Client>, Fault> {
    let every = calling.option("every", "1000");
    let every = every.parse().ok().filter(|ms| *ms > 0).map(Duration::from_millis);
    let every = every.ok_or_else(|| Fault::Asked("every is a number of milliseconds".to_owned()))?;
    open(calling, Some(every))
}

/// Connects a client whose question is held by the server.
pub(super) fn long(calling: ClientConfig) -> Result<Box<dyn Client>, Fault> {
    open(calling, None)
}

fn open(calling: ClientConfig, every: Option<Duration>) -> Result<Box<dyn Client>, Fault> {
    let client = client_name(&calling)?;
    let path = with_query(&calling.path, "client", &client);
    let asking = asking(&calling)?;
    Ok(Box::new(Polling {
        posting: Posting::new(&calling),
        path,
        every,
        asking,
        next: Instant::now(),
        asked: None,
        after: 0,
        came: VecDeque::new(),
        calling,
    }))
}

/// The name that the client gives itself, or a random one: nobody else is to guess it.
pub(in crate::transport) fn client_name(calling: &ClientConfig) -> Result<String, Fault> {
    if let Some(name) = calling.options.get("client") {
        return Ok(name.clone());
    }
    Ok(data_encoding::HEXLOWER.encode(&random::bytes::<8>()?))
}

fn asking(calling: &ClientConfig) -> Result<Asking, Fault> {
    // A list of messages may be longer than each.
    Ok(Asking::new(calling.connect()?, &calling.authority, calling.message.saturating_mul(8)))
}

impl Polling {
    fn ask(&mut self) -> Result<(), Fault> {
        if !self.asking.rest(Instant::now()) {
            self.asking = asking(&self.calling)?;
        }
        let path = with_query(&self.path, "after", &self.after.to_string());
        self.asking.ask("GET", &path, &[("Accept", "application/json")], None)?;
        self.asked = Some(Instant::now());
        Ok(())
    }

    /// The answer, if it has come by then.
    fn answer(&mut self, until: Instant) -> Result<(), Fault> {
        let Some((head, content)) = self.asking.whole(until)? else {
            let limit = self.every.map_or(self.calling.beat + SPARE, |_| self.calling.within);
            if self.asked.is_some_and(|since| since.elapsed() > limit) {
                return Err(Fault::Late(format!("a poll was not answered within {} s", limit.as_secs())));
            }
            return Ok(());
        };
        self.asked = None;
        self.next = Instant::now() + self.every.unwrap_or(Duration::ZERO);
        good(&head, &content)?;
        if content.is_empty() {
            self.came.push_back(Heard::Other);
            return Ok(());
        }
        let messages = read(&content).map_err(|why| {
            Fault::broken(
                format!("the answer to a poll ({why})"),
                "a list of messages in JSON",
                &content,
                "sockwalk",
            )
        })?;
        for (number, message) in messages {
            // Who asks again after a cut may be told twice.
            if number > self.after {
                self.after = number;
                self.came.push_back(Heard::Message(message));
            }
        }
        Ok(())
    }
}

impl Client for Polling {
    fn say(&mut self, message: &Message, ack: bool) -> Result<(), Fault> {
        let path = if self.calling.path == NEWS { &self.path } else { &self.calling.path };
        let (head, _) = self.posting.post(path, message)?;
        if ack {
            self.came.push_back(Heard::Acknowledged(format!("the response {} to its POST", head.status)));
        }
        Ok(())
    }

    fn hear(&mut self, until: Instant) -> Result<Heard, Fault> {
        loop {
            if let Some(came) = self.came.pop_front() {
                return Ok(came);
            }
            if self.asked.is_none() {
                if self.next > Instant::now() {
                    self.asking.rest(self.next.min(until));
                }
                let left = self.next.saturating_duration_since(Instant::now());
                if !left.is_zero() {
                    // The server has ended the connection; the next question makes a new one.
                    let wait = self.next.min(until).saturating_duration_since(Instant::now());
                    std::thread::park_timeout(wait);
                    if self.next > Instant::now() {
                        return Ok(Heard::Nothing);
                    }
                }
                self.ask()?;
            }
            self.answer(until)?;
            if self.came.is_empty() {
                return Ok(Heard::Nothing);
            }
        }
    }

    fn end(&mut self, how: CloseMode) -> Result<(), Fault> {
        self.posting.end(how);
        // A poll under way is abandoned: HTTP/1.1 has no other word for that than the end of the connection.
        match how {
            CloseMode::Abrupt => self.asking.connection().will_be_reset(),
            CloseMode::Orderly => self.asking.connection().cut(),
        }
        Ok(())
    }

    fn again(&mut self) -> Result<(), Fault> {
        self.posting = Posting::new(&self.calling);
        self.asking.connection().cut();
        self.asking = asking(&self.calling)?;
        (self.asked, self.next) = (None, Instant::now());
        Ok(())
    }
}
